//! The command against a server that plays a part.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use campanile_core::message::draft::Draft;
use clap::Parser as _;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, LOCATION, RETRY_AFTER};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::*;

#[derive(Debug, clap::Parser)]
struct Alone {
    #[command(flatten)]
    args: Args,
}

fn args(flags: &[&str]) -> Result<Args, clap::Error> {
    Alone::try_parse_from(["send"].iter().chain(flags)).map(|alone| alone.args)
}

/// One answer of the server's part.
enum Answer {
    /// A status, headers and a body.
    Says(StatusCode, Vec<(HeaderName, &'static str)>, String),
    /// The request is read, and the connection closed.
    HangsUp,
}

fn says(status: u16, body: &Value) -> Answer {
    Answer::Says(StatusCode::from_u16(status).unwrap(), Vec::new(), body.to_string())
}

/// A request as it arrived.
#[derive(Debug, Clone)]
struct Heard {
    call: String,
    headers: HeaderMap,
    body: Value,
}

impl Heard {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// What came of a run.
struct Outcome {
    result: Result<(), Failure>,
    out: String,
    notes: String,
    heard: Vec<Heard>,
}

impl Outcome {
    fn calls(&self) -> Vec<&str> {
        self.heard.iter().map(|heard| heard.call.as_str()).collect()
    }
}

type Script = Arc<Mutex<(VecDeque<Answer>, Vec<Heard>)>>;

async fn play(script: &Script, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, String> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|error| error.to_string())?.to_bytes();
    let mut script = script.lock().unwrap_or_else(PoisonError::into_inner);
    script.1.push(Heard {
        call: format!("{} {}", head.method, head.uri.path()),
        headers: head.headers,
        body: serde_json::from_slice(&body).unwrap_or(Value::Null),
    });
    match script.0.pop_front() {
        Some(Answer::Says(status, headers, body)) => {
            let mut response = Response::new(Full::new(Bytes::from(body)));
            *response.status_mut() = status;
            response.headers_mut().extend(
                headers
                    .into_iter()
                    .map(|(name, value)| (name, HeaderValue::from_static(value))),
            );
            Ok(response)
        }
        Some(Answer::HangsUp) | None => Err("hung up".into()),
    }
}

async fn serve(listener: TcpListener, script: Script) -> Infallible {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let service = hyper::service::service_fn(|request| play(&script, request));
        // It ends in an error where the part says so.
        let _ended = hyper::server::conn::http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service)
            .await;
    }
}

/// Runs the command with these flags; `typed` is what somebody at the terminal types.
async fn run_with(flags: &[&str], env: &[(&str, &str)], typed: Option<&str>, part: Vec<Answer>) -> Outcome {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let script: Script = Arc::new(Mutex::new((part.into(), Vec::new())));
    let args = args(flags).unwrap();
    let env = |name: &str| match name {
        "CAMPANILE_URL" => Some(url.clone()),
        _ => env
            .iter()
            .find(|(at, _)| *at == name)
            .map(|(_, value)| (*value).to_owned()),
    };
    let (mut out, mut notes) = (Vec::new(), Vec::new());
    let mut typed = typed.map(str::as_bytes);
    let mut around = Around {
        env: &env,
        key: "made-up".into(),
        out: &mut out,
        notes: &mut notes,
        answers: typed.as_mut().map(|typed| typed as &mut dyn BufRead),
        pauses: vec![Duration::ZERO; 2],
        look: Duration::ZERO,
    };
    let result = tokio::select! {
        result = run(&args, &mut around) => result,
        never = serve(listener, Arc::clone(&script)) => match never {},
    };
    let heard = script.lock().unwrap_or_else(PoisonError::into_inner).1.clone();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Outcome {
        result,
        out: text(out),
        notes: text(notes),
        heard,
    }
}

const TOKEN: [(&str, &str); 1] = [("CAMPANILE_TOKEN", "cmp_abc")];
const PLAIN: [&str; 6] = ["--role", "ADMIN", "--title", "Tonight", "--text", "From 22:00"];

fn accepted() -> Answer {
    says(201, &json!({"id": 42, "status": "active", "title": "Tonight"}))
}

fn looked_at() -> Answer {
    says(
        200,
        &json!({"id": 42, "status": "active", "funnel": {"people": 1284, "read": 0}}),
    )
}

fn previewed() -> Answer {
    let one =
        |login: &str, name: &str| json!({"user": "u", "login": login, "name": name, "has_email": true, "active": true});
    says(
        200,
        &json!({"people": 1284, "without_email": 12, "sample": [one("ann", "Ann"), one("mei", "田中 美咲")]}),
    )
}

#[tokio::test]
async fn a_message_is_sent_and_its_people_are_counted() {
    let outcome = run_with(&PLAIN, &TOKEN, None, vec![accepted(), looked_at()]).await;
    assert_eq!(outcome.result, Ok(()));
    assert_eq!(outcome.out, "message 42: sent to 1,284 people\n");
    assert_eq!(outcome.calls(), ["POST /api/v1/messages", "GET /api/v1/messages/42"]);
    let sent = &outcome.heard[0];
    assert_eq!(sent.header(AUTHORIZATION.as_str()), "Bearer cmp_abc");
    assert_eq!(sent.header(CONTENT_TYPE.as_str()), "application/json");
    assert_eq!(sent.header("idempotency-key"), "made-up");
    assert_eq!(sent.body["title"], "Tonight");
    assert_eq!(
        sent.body["audience"],
        json!([{"kind": "environment_role", "environment": "DEFAULT", "role": "ADMIN"}])
    );
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_with_the_same_key() {
    let outcome = run_with(&PLAIN, &TOKEN, None, vec![Answer::HangsUp, accepted(), looked_at()]).await;
    assert_eq!(outcome.result, Ok(()));
    let keys: Vec<_> = outcome.heard[..2]
        .iter()
        .map(|heard| heard.header("idempotency-key"))
        .collect();
    assert_eq!(keys, ["made-up", "made-up"]);
    assert_eq!(outcome.heard[0].body, outcome.heard[1].body);
}

#[tokio::test]
async fn a_server_that_cannot_work_now_is_asked_again_and_then_given_up() {
    let busy = || {
        let problem = json!({"title": "The server cannot work at the moment", "detail": "the database is away"});
        let headers = vec![(RETRY_AFTER, "0")];
        Answer::Says(StatusCode::SERVICE_UNAVAILABLE, headers, problem.to_string())
    };
    let outcome = run_with(&PLAIN, &TOKEN, None, vec![busy(), accepted(), looked_at()]).await;
    assert_eq!(outcome.result, Ok(()));
    let outcome = run_with(&PLAIN, &TOKEN, None, vec![busy(), busy(), busy(), accepted()]).await;
    let failure = outcome.result.unwrap_err();
    assert_eq!((failure.code(), outcome.heard.len()), (3, 3));
    assert!(failure.to_string().contains("the database is away"), "{failure}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let flags = [&PLAIN[..], &["--url", &url]].concat();
    let failure = run_with(&flags, &TOKEN, None, vec![]).await.result.unwrap_err();
    assert_eq!(failure.code(), 3);
    assert_eq!(
        failure.to_string(),
        format!(
            "the server at {url} cannot be reached (connection refused). Is it running? `campanile serve` starts one; \
             --url or CAMPANILE_URL names another"
        )
    );
}

#[tokio::test]
async fn a_refusal_is_told_field_by_field() {
    let problem = json!({
        "type": "/problems/invalid", "title": "The request is not valid", "status": 422, "detail": "2 faults",
        "errors": [
            {"field": "audience[0].role", "reason": "there is no such role of scope ENVIRONMENT"},
            {"field": "title", "reason": "is empty\u{1b}[2J"},
        ],
    });
    let outcome = run_with(&PLAIN, &TOKEN, None, vec![says(422, &problem)]).await;
    let failure = outcome.result.unwrap_err();
    assert_eq!((failure.code(), outcome.heard.len()), (1, 1));
    insta::assert_snapshot!(failure, @r"
    The request is not valid
      audience[0].role: there is no such role of scope ENVIRONMENT
      title: is empty�[2J
    ");
}

#[tokio::test]
async fn a_refusal_without_fields_says_what_happened() {
    let problem = json!({"title": "A right is missing", "detail": "ENVIRONMENT_MESSAGE[CREATE] is needed"});
    let failure = run_with(&PLAIN, &TOKEN, None, vec![says(403, &problem)])
        .await
        .result
        .unwrap_err();
    assert_eq!(
        failure.to_string(),
        "A right is missing: ENVIRONMENT_MESSAGE[CREATE] is needed"
    );
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Answer::Says(
        StatusCode::PERMANENT_REDIRECT,
        vec![(LOCATION, "https://elsewhere.example/")],
        String::new(),
    );
    let outcome = run_with(&PLAIN, &TOKEN, None, vec![elsewhere]).await;
    let failure = outcome.result.unwrap_err();
    assert_eq!((failure.code(), outcome.heard.len()), (1, 1));
    assert!(failure.to_string().contains("--url"), "{failure}");
}

#[tokio::test]
async fn a_preview_sends_nothing() {
    let flags = [&PLAIN[..], &["--preview", "--environment", "TEST"]].concat();
    let outcome = run_with(&flags, &TOKEN, None, vec![previewed()]).await;
    assert_eq!(outcome.calls(), ["POST /api/v1/messages/preview"]);
    assert_eq!(outcome.heard[0].body["environment"], "TEST");
    insta::assert_snapshot!(outcome.out, @r"
    1,284 people, 12 of them without an email address
    for example Ann (ann), 田中 美咲 (mei)
    ");
    let flags = [&PLAIN[..], &["--preview", "--json"]].concat();
    let outcome = run_with(&flags, &TOKEN, None, vec![previewed()]).await;
    assert_eq!(serde_json::from_str::<Value>(&outcome.out).unwrap()["people"], 1284);
}

#[tokio::test]
async fn at_a_terminal_it_asks_first() {
    let outcome = run_with(&PLAIN, &TOKEN, Some("y\n"), vec![previewed(), accepted(), looked_at()]).await;
    assert_eq!(outcome.result, Ok(()));
    assert_eq!(
        outcome.calls()[..2],
        ["POST /api/v1/messages/preview", "POST /api/v1/messages"]
    );
    assert!(
        outcome.notes.ends_with("Send to 1,284 people? [y/N] "),
        "{}",
        outcome.notes
    );
    assert_eq!(outcome.out, "message 42: sent to 1,284 people\n");
}

#[tokio::test]
async fn what_is_not_yes_sends_nothing() {
    for typed in ["n\n", "\n", "", "yesterday\n"] {
        let outcome = run_with(&PLAIN, &TOKEN, Some(typed), vec![previewed(), accepted()]).await;
        assert_eq!(outcome.result, Err(Failure::Work("nothing was sent".into())));
        assert_eq!(outcome.calls(), ["POST /api/v1/messages/preview"]);
    }
}

#[tokio::test]
async fn yes_is_taken_for_an_answer() {
    let flags = [&PLAIN[..], &["--yes"]].concat();
    let outcome = run_with(&flags, &TOKEN, Some("n\n"), vec![accepted(), looked_at()]).await;
    assert_eq!(outcome.result, Ok(()));
    assert_eq!(outcome.notes, "");
}

#[tokio::test]
async fn what_was_sent_is_sent_though_it_cannot_be_looked_at() {
    let problem = json!({"title": "There is no such thing"});
    let outcome = run_with(&PLAIN, &TOKEN, None, vec![accepted(), says(404, &problem)]).await;
    assert_eq!(outcome.result, Ok(()));
    assert_eq!(
        outcome.out,
        "message 42: sent; it is not known yet to how many people\n"
    );
}

#[tokio::test]
async fn a_scheduled_message_waits() {
    let waits = || {
        says(
            201,
            &json!({"id": 7, "status": "scheduled", "opens_at": "2027-01-31T08:00:00Z"}),
        )
    };
    let flags = [&PLAIN[..], &["--opens-at", "2027-01-31T09:00:00+01:00"]].concat();
    let outcome = run_with(&flags, &TOKEN, None, vec![waits(), waits()]).await;
    assert_eq!(outcome.out, "message 7: waits until 2027-01-31T08:00:00Z\n");
    assert_eq!(outcome.heard[0].body["opens_at"], "2027-01-31T08:00:00Z");
}

#[tokio::test]
async fn as_json_it_prints_the_message() {
    let flags = [&PLAIN[..], &["--json", "--idempotency-key", "mine"]].concat();
    let outcome = run_with(&flags, &TOKEN, None, vec![accepted(), looked_at()]).await;
    assert_eq!(
        serde_json::from_str::<Value>(&outcome.out).unwrap()["funnel"]["people"],
        1284
    );
    assert_eq!(outcome.heard[0].header("idempotency-key"), "mine");
}

#[tokio::test]
async fn a_login_takes_its_password_from_the_environment() {
    let flags = [&PLAIN[..], &["--user", "ada"]].concat();
    let env = [("CAMPANILE_PASSWORD", "campanile-demo"), TOKEN[0]];
    let outcome = run_with(&flags, &env, None, vec![accepted(), looked_at()]).await;
    assert_eq!(
        outcome.heard[0].header(AUTHORIZATION.as_str()),
        "Basic YWRhOmNhbXBhbmlsZS1kZW1v" // RFC 7617: base 64 of ada:campanile-demo
    );
    let outcome = run_with(&flags, &TOKEN, None, vec![]).await;
    assert_eq!(outcome.result.unwrap_err().code(), 2);
}

#[tokio::test]
async fn a_token_may_be_in_a_file_and_must_be_somewhere() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "cmp_file").unwrap();
    let env = [("CAMPANILE_TOKEN_FILE", file.path().to_str().unwrap())];
    let outcome = run_with(&PLAIN, &env, None, vec![accepted(), looked_at()]).await;
    assert_eq!(outcome.heard[0].header(AUTHORIZATION.as_str()), "Bearer cmp_file");
    let outcome = run_with(&PLAIN, &[], None, vec![]).await;
    assert_eq!((outcome.result.unwrap_err().code(), outcome.heard.len()), (2, 0));
}

#[tokio::test]
async fn a_url_with_more_than_an_origin_is_refused() {
    for url in ["ftp://host", "http://user:secret@host", "http://host/path", "host:8480"] {
        let flags = [&PLAIN[..], &["--url", url]].concat();
        let failure = run_with(&flags, &TOKEN, None, vec![]).await.result.unwrap_err();
        assert_eq!(failure.code(), 2, "{url}");
        assert!(!failure.to_string().contains("secret"), "{failure}");
    }
}

#[test]
fn every_flag_of_the_audience_adds_a_part() {
    let flags = "--role ADMIN --role USER --environment TEST --api pets --api orders --application-role OWNER \
        --application-role USER --subscribers-of pets --customer 17 --customer 3 --with-sub-customers --group g-1 \
        --to-user u-ann --everyone --title T --sender Ops --importance critical --late-joiners while-active \
        --closes-at 2027-01-31T08:00:00Z";
    let draft = args(&flags.split_whitespace().collect::<Vec<_>>())
        .unwrap()
        .draft()
        .unwrap();
    let lines: Vec<_> = draft.audience.iter().map(|target| json!(target).to_string()).collect();
    insta::assert_snapshot!(lines.join("\n"));
    let rest = json!(Draft {
        audience: Vec::new(),
        ..draft
    });
    assert_eq!(
        rest,
        json!({
            "title": "T", "text": "", "sender_name": "Ops", "importance": "critical", "audience": [],
            "channels": ["portal"], "closes_at": "2027-01-31T08:00:00Z", "enabled": true,
            "late_joiners": "while_active", "environment": "TEST",
        })
    );
}

#[test]
fn flags_that_do_not_belong_together_are_refused() {
    for flags in [
        "--title T",
        "--title T --everyone --with-sub-customers",
        "--title T --everyone --text a --text-file b",
        "--title T --everyone --user ada --token x",
        "--title T --everyone --opens-at tomorrow",
        "--title T --everyone --idempotency-key ü",
        "--everyone",
    ] {
        assert!(args(&flags.split_whitespace().collect::<Vec<_>>()).is_err(), "{flags}");
    }
}

#[test]
fn an_api_and_an_application_role_go_together() {
    let told = ["--title T --api pets", "--title T --application-role OWNER --everyone"].map(|flags| {
        let failure = args(&flags.split_whitespace().collect::<Vec<_>>())
            .unwrap()
            .draft()
            .unwrap_err();
        assert_eq!(failure.code(), 2);
        failure.to_string()
    });
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn the_text_may_be_in_a_file() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    write!(file, "From **22:00** UTC\r\n\r\nabout ten minutes\r\n").unwrap();
    let path = file.path().to_str().unwrap().to_owned();
    let flags = ["--everyone", "--title", "T", "--text-file", &path];
    assert_eq!(
        args(&flags).unwrap().draft().unwrap().text,
        "From **22:00** UTC\r\n\r\nabout ten minutes"
    );
    file.write_all(&vec![b'x'; 70_000]).unwrap();
    let failure = args(&flags).unwrap().draft().unwrap_err();
    assert_eq!(failure.code(), 2);
    assert!(failure.to_string().contains("65536"), "{failure}");
}

#[test]
fn base_64_is_that_of_the_standard() {
    let vectors = [
        ("", ""),
        ("f", "Zg=="),
        ("fo", "Zm8="),
        ("foo", "Zm9v"),
        ("foobar", "Zm9vYmFy"),
    ];
    for (plain, coded) in vectors {
        assert_eq!(base64(plain.as_bytes()), coded, "RFC 4648, section 10");
    }
    assert_eq!(base64(&[0xff, 0xfe, 0xfd]), "//79");
}

#[tokio::test]
async fn a_message_to_nobody_is_warned_of() {
    let accepted = || says(201, &json!({"id": 42, "status": "active"}));
    let nobody = says(
        200,
        &json!({"id": 42, "status": "active", "funnel": {"people": 0, "read": 0}}),
    );
    let outcome = run_with(&PLAIN, &TOKEN, None, vec![accepted(), nobody]).await;
    assert_eq!(outcome.result, Ok(()));
    assert_eq!(outcome.notes, "warning: the audience holds nobody; nobody was told\n");
    let outcome = run_with(&PLAIN, &TOKEN, None, vec![accepted(), looked_at()]).await;
    assert_eq!(outcome.notes, "");
}

fn progressed(state: &str, sent: i64, failed: i64, queued: i64) -> Answer {
    says(
        200,
        &json!({"items": [{"channel": "email", "state": state, "recipients": 1284, "queued": queued, "retrying": 0,
            "sent": sent, "failed": failed, "suppressed": 0, "gone": 0, "cancelled": 0, "in_doubt": 0,
            "since": "2027-01-31T08:00:00Z"}]}),
    )
}

#[tokio::test]
async fn it_waits_until_every_mail_has_left_and_fails_where_one_failed() {
    let flags = [&PLAIN[..], &["--channel", "portal", "--channel", "email", "--wait"]].concat();
    let ended = |failed| {
        let moving = progressed("sending", 12, 0, 1272);
        let ended = progressed("ended", 1284 - failed, failed, 0);
        vec![accepted(), moving, ended, looked_at()]
    };
    let outcome = run_with(&flags, &TOKEN, None, ended(0)).await;
    assert_eq!(outcome.result, Ok(()));
    assert_eq!(outcome.out, "message 42: sent to 1,284 people\nemail: 1,284 sent\n");
    assert_eq!(outcome.heard[0].body["channels"], json!(["portal", "email"]));
    assert_eq!(outcome.calls()[1..3], ["GET /api/v1/messages/42/progress"; 2]);
    let outcome = run_with(&flags, &TOKEN, None, ended(2)).await;
    let failure = outcome.result.unwrap_err();
    assert_eq!(failure.code(), 1);
    assert_eq!(
        outcome.out,
        "message 42: sent to 1,284 people\nemail: 1,282 sent, 2 failed\n"
    );
    assert_eq!(
        failure.to_string(),
        "2 failed; GET /api/v1/messages/42/deliveries?state=failed says why"
    );
}

#[tokio::test]
async fn a_post_needs_no_title_and_nobody() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD").unwrap();
    let secret = file.path().to_str().unwrap();
    let flags = [
        "--channel",
        "http",
        "--text",
        "{}",
        "--api",
        "pets",
        "--post-url",
        "https://a.example/",
        "--post-header",
        "X-Team: ops: night",
        "--use-system-proxy",
        "no",
        "--post-secret-file",
        secret,
        "--post-endpoint",
        "pager",
        "--post-endpoint",
        "17",
    ];
    let endpoint = |id, name| {
        json!({"id": id, "name": name, "environment": "DEFAULT", "url": "https://b.example/", "headers": [],
            "signed": false, "locked": false, "state": "active", "health": {}, "created_at": "2027-01-31T08:00:00Z"})
    };
    let page = |id, name, next| says(200, &json!({"items": [endpoint(id, name)], "next": next}));
    let part = vec![
        page(3, "Other", Some("3")),
        page(5, "Pager", None::<&str>),
        accepted(),
        says(200, &json!({"id": 42, "status": "active", "funnel": {"people": 0}})),
    ];
    let outcome = run_with(&flags, &TOKEN, None, part).await;
    assert_eq!(outcome.result, Ok(()));
    assert_eq!(
        (outcome.out.as_str(), outcome.notes.as_str()),
        ("message 42: accepted for 3 destinations\n", "")
    );
    let sent = &outcome.heard[2].body;
    assert_eq!(
        sent["posts"],
        json!([
            {"url": "https://a.example/", "headers": [{"name": "X-Team", "value": "ops: night"}],
                "use_system_proxy": false, "secret": "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"},
            {"endpoint": 5},
            {"endpoint": 17},
        ])
    );
    assert_eq!(
        [&sent["title"], &sent["audience"], &sent["api"]],
        [&json!(""), &json!([]), &json!("pets")]
    );
}

#[tokio::test]
async fn an_endpoint_that_is_not_there_is_told() {
    let flags = ["--channel", "http", "--text", "{}", "--post-endpoint", "pager"];
    let outcome = run_with(&flags, &TOKEN, None, vec![says(200, &json!({"items": []}))]).await;
    let failure = outcome.result.unwrap_err();
    assert_eq!(failure.to_string(), "there is no endpoint pager that you may see");
}

#[tokio::test]
async fn before_posting_it_shows_where_to() {
    let flags = ["--channel", "http", "--text", "{}", "--post-url", "https://a.example/"];
    let shown = || {
        says(
            200,
            &json!({"items": [{"method": "POST", "url": "https://a.example/"}]}),
        )
    };
    let part = vec![shown(), accepted(), looked_at()];
    let outcome = run_with(&flags, &TOKEN, Some("y\n"), part).await;
    assert_eq!(outcome.calls()[0], "POST /api/v1/messages/preview/post");
    assert_eq!(outcome.notes, "POST https://a.example/\nSend to 1 destination? [y/N] ");
    let flags = [&flags[..], &["--preview"]].concat();
    let outcome = run_with(&flags, &TOKEN, None, vec![shown()]).await;
    assert_eq!(
        (outcome.out.as_str(), outcome.heard.len()),
        ("POST https://a.example/\n", 1)
    );
}

#[test]
fn channels_say_what_they_need() {
    let told = [
        "--title T --everyone --channel http",
        "--title T --everyone --post-url https://a.example/",
        "--title T --channel email --channel http --post-url https://a.example/",
        "--everyone --channel email --channel http --post-url https://a.example/",
        "--title T --everyone --wait",
    ]
    .map(|flags| {
        let failure = args(&flags.split_whitespace().collect::<Vec<_>>())
            .unwrap()
            .draft()
            .unwrap_err();
        assert_eq!(failure.code(), 2);
        failure.to_string()
    });
    insta::assert_snapshot!(told.join("\n"), @r"
    --channel http needs --post-url or --post-endpoint
    --post-url and --post-endpoint need --channel http
    --channel portal and email need somebody who gets it, such as --role ADMIN
    --title is needed
    --wait is for --channel email and http: portal and banner are there at once
    ");
}
