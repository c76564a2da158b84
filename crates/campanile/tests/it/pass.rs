//! What every request goes through: ids, headers, refusals, the check for other sites, numbers and the log.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::{get, post};
use campanile::api::extract::{Json, Path, Query};
use campanile::config::Limits;
use campanile::pass::{Pass, SECURE_SESSION_COOKIE, SESSION_COOKIE, around, nothing};
use campanile::problem::Problem;
use campanile::telemetry::{self, Metrics, Readiness};
use campanile_core::Error;
use campanile_core::time::Moment;
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use prometheus_client::registry::Registry;
use serde::Deserialize;
use serde_json::Value;
use tower::ServiceExt;

use crate::log;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Draft {
    title: String,
    #[serde(default)]
    audience: Vec<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    #[serde(default)]
    limit: u8,
}

fn inner() -> Router {
    Router::new()
        .route(
            "/api/v1/drafts",
            post(async |Json(draft): Json<Draft>| format!("{} {:?}", draft.title, draft.audience)),
        )
        .route(
            "/api/v1/items",
            get(async |Query(page): Query<Page>| page.limit.to_string()),
        )
        .route("/api/v1/items/{id}", get(async |Path(id): Path<i64>| id.to_string()))
        .route("/api/v1/named/{name}", get(async |Path(name): Path<String>| name))
        .route("/api/v1/cached", get(async || ([("cache-control", "max-age=60")], "x")))
        .route("/api/v1/me", get(async || Problem::from(Error::Unauthenticated)))
        .route(
            "/api/v1/broken",
            get(async || Problem::internal("disk /dev/sda1 is full")),
        )
        .route("/api/v1/bomb", get(bomb))
        .route("/api/v1/slow", get(std::future::pending::<()>))
        .route("/api/v1/long", get(long))
        .route("/v3/users", get(bomb))
        .route("/v3/roles", get(std::future::pending::<()>))
        .route("/page", get(async || "page").post(async || "posted"))
        .fallback(nothing)
}

async fn bomb() -> &'static str {
    panic!("a defect with a secret in it")
}

/// Takes longer than the limit of the tests.
async fn long() -> &'static str {
    tokio::time::sleep(Duration::from_millis(60)).await;
    "done"
}

struct App {
    router: Router,
}

struct Said {
    status: StatusCode,
    headers: http::HeaderMap,
    body: String,
}

impl Said {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect(&self.body)
    }

    /// The refusal in two lines: status and kind, then the detail.
    fn refusal(&self) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.body);
        let json = self.json();
        assert_eq!(json["status"], self.status.as_u16());
        assert_eq!(json["request_id"], self.header("x-request-id"));
        format!(
            "{} {}\n  {}",
            json["status"],
            json["type"].as_str().unwrap(),
            json["detail"].as_str().unwrap()
        )
    }
}

impl App {
    fn new() -> Self {
        let limits = Limits {
            request_timeout: Duration::from_millis(50),
            ..Limits::default()
        };
        let mut registry = Registry::default();
        let metrics = Metrics::new(&mut registry, Moment(1_700_000_000_500));
        let pass = Pass::new(metrics, &limits, "https://campanile.example", 0xabc0)
            .with_cookie("Auth-Other")
            .with_long_route("/api/v1/long");
        let ready = || {
            std::future::ready(Readiness {
                parts: vec![("database", Ok(()))],
                ..Readiness::default()
            })
        };
        Self {
            router: around(inner(), pass).merge(telemetry::routes(registry, ready)),
        }
    }

    async fn send(&self, request: http::request::Builder, body: impl Into<Body>) -> Said {
        let response = self
            .router
            .clone()
            .oneshot(request.body(body.into()).unwrap())
            .await
            .unwrap();
        let (parts, body) = response.into_parts();
        let body = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        Said {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }

    async fn get(&self, path: &str) -> Said {
        self.send(Request::get(path), "").await
    }

    async fn json(&self, body: impl Into<Body>) -> Said {
        self.send(
            Request::post("/api/v1/drafts").header("content-type", "application/json"),
            body,
        )
        .await
    }
}

#[tokio::test]
async fn every_answer_has_its_headers() {
    let app = App::new();
    for path in [
        "/api/v1/items",
        "/page",
        "/nowhere",
        "/api/v1/bomb",
        "/health",
        "/ready",
        "/metrics",
    ] {
        let said = app.get(path).await;
        assert_eq!(said.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(said.header("referrer-policy"), "same-origin", "{path}");
    }
    assert_eq!(app.get("/api/v1/items").await.header("cache-control"), "no-store");
    assert_eq!(app.get("/api/v1/cached").await.header("cache-control"), "max-age=60");
    assert_eq!(app.get("/page").await.header("cache-control"), "");
}

#[tokio::test]
async fn ids_are_counted_from_the_nonce() {
    let app = App::new();
    assert_eq!(app.get("/page").await.header("x-request-id"), "000000000000abc0");
    assert_eq!(app.get("/page").await.header("x-request-id"), "000000000000abc1");
}

#[tokio::test]
async fn a_clients_own_id_is_kept_if_it_is_harmless() {
    let app = App::new();
    let long = "x".repeat(65);
    for (sent, kept) in [
        ("job-7.retry_2", true),
        ("", false),
        (&long, false),
        ("a b", false),
        ("a\"b", false),
    ] {
        let said = app.send(Request::get("/page").header("x-request-id", sent), "").await;
        assert_eq!(said.header("x-request-id") == sent, kept, "{sent}");
    }
}

#[tokio::test]
async fn unknown_addresses_and_methods_are_problems() {
    let app = App::new();
    insta::assert_snapshot!(app.get("/nowhere").await.refusal(), @r"
    404 /problems/missing
      there is nothing at this address
    ");
    let said = app.send(Request::delete("/page"), "").await;
    insta::assert_snapshot!(said.refusal(), @r"
    405 /problems/method
      this address knows other methods; the header `Allow` lists them
    ");
    assert_eq!(said.header("allow"), "GET,HEAD,POST");
}

#[tokio::test]
async fn wrong_input_names_the_field() {
    let app = App::new();
    let refusals = [
        app.json(r#"{"title":"t","audience":[1,"two"]}"#).await,
        app.json(r#"{"title":"t","extra":1}"#).await,
        app.json("{\"title\":\"a\u{7}b\"}").await,
        app.json("").await,
        app.get("/api/v1/items?limit=300").await,
        app.get("/api/v1/items?limit=").await,
        app.get("/api/v1/items?page=1").await,
        app.get("/api/v1/items/abc").await,
        app.get("/api/v1/named/a%00b").await,
        app.get("/api/v1/named/%ff").await,
        app.get("/api/v1/items?limit=%00").await,
        app.send(
            Request::post("/api/v1/drafts").header("content-type", "text/plain"),
            "{}",
        )
        .await,
        app.send(Request::post("/api/v1/drafts"), "{}").await,
    ];
    let refusals: Vec<_> = refusals.iter().map(Said::refusal).collect();
    insta::assert_snapshot!(refusals.join("\n"), @r#"
    400 /problems/malformed
      audience[1]: must be a whole number, not text
    400 /problems/malformed
      extra: is not known here; there is title or audience
    400 /problems/malformed
      the body is not JSON: a control character stands in a text: write a line break as \n (line 1, column 12)
    400 /problems/malformed
      the body is empty; JSON is expected
    400 /problems/malformed
      limit: must be a whole number from 1 to 100
    400 /problems/malformed
      limit: must be a whole number from 1 to 100
    400 /problems/malformed
      page: is not known here; there is limit
    400 /problems/malformed
      id: must be a whole number, not text
    400 /problems/malformed
      the address contains the character U+0000, which is not allowed
    400 /problems/malformed
      name: is not UTF-8
    400 /problems/malformed
      the address contains the character U+0000, which is not allowed
    415 /problems/media-type
      send the body as JSON, with the header `Content-Type: application/json`
    415 /problems/media-type
      send the body as JSON, with the header `Content-Type: application/json`
    "#);
    let errors = app.json(r#"{"title":"t","audience":[1,"two"]}"#).await.json()["errors"].clone();
    insta::assert_snapshot!(format!("{errors:#}"), @r#"
    [
      {
        "field": "audience[1]",
        "reason": "must be a whole number, not text"
      }
    ]
    "#);
}

#[tokio::test]
async fn json_of_any_spelling_is_read() {
    let app = App::new();
    let request = Request::post("/api/v1/drafts").header("content-type", "Application/vnd.x+JSON; charset=utf-8");
    let said = app.send(request, r#"{"title":"hé","audience":[1]}"#).await;
    assert_eq!((said.status, said.body.as_str()), (StatusCode::OK, "hé [1]"));
}

#[tokio::test]
async fn a_body_above_the_limit_is_refused() {
    let said = App::new().json(vec![b' '; 10_000_000]).await;
    insta::assert_snapshot!(said.refusal(), @r"
    413 /problems/too-large
      the body is larger than this address takes
    ");
    assert_eq!(said.header("connection"), "close");
}

#[tokio::test]
async fn a_browser_is_not_asked_for_basic() {
    let app = App::new();
    let said = app.get("/api/v1/me").await;
    insta::assert_snapshot!(said.refusal(), @r"
    401 /problems/unauthenticated
      you must be signed in
    ");
    assert_eq!(said.header("www-authenticate"), "Basic realm=\"Campanile\", Bearer");
    // A browser, which would open a window of its own; by plain http on a network only its name says so.
    for (header, value) in [("sec-fetch-mode", "cors"), ("user-agent", "Mozilla/5.0 (X11)")] {
        let said = app.send(Request::get("/api/v1/me").header(header, value), "").await;
        assert_eq!(said.header("www-authenticate"), "Bearer", "{header}");
    }
}

#[tokio::test]
async fn a_failing_handler_is_a_problem() {
    let app = App::new();
    insta::assert_snapshot!(app.get("/api/v1/bomb").await.refusal(), @r"
    500 /problems/internal
      the cause is in the server's log, under the id of this request
    ");
    insta::assert_snapshot!(app.get("/api/v1/broken").await.refusal(), @r"
    500 /problems/internal
      the cause is in the server's log, under the id of this request
    ");
    insta::assert_snapshot!(app.get("/api/v1/slow").await.refusal(), @r"
    503 /problems/timeout
      the request was given up; what it was to change may or may not have been changed
    ");
    assert_eq!(
        app.get("/api/v1/long").await.body,
        "done",
        "a long route has the time it needs"
    );
}

#[tokio::test]
async fn a_failing_handler_of_the_ui_messages_contract_says_so_in_its_shape() {
    for (path, status, words) in [
        ("/v3/users", 500, "the cause is in the"),
        ("/v3/roles", 503, "the request was given up"),
    ] {
        let said = App::new().get(path).await;
        assert_eq!(
            (said.status.as_u16(), said.header("content-type")),
            (status, "application/json")
        );
        let body = said.json();
        assert!(body["Message"].as_str().unwrap().starts_with(words), "{body}");
        assert_eq!(body.as_object().unwrap().len(), 1, "{body}");
    }
}

/// The status of a change sent with these headers.
async fn change(headers: &[(&str, &str)]) -> u16 {
    let mut request = Request::post("/page").header("host", "127.0.0.1:8480");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    App::new().send(request, "").await.status.as_u16()
}

#[tokio::test]
async fn other_sites_may_not_use_a_persons_cookie() {
    for name in [SESSION_COOKIE, SECURE_SESSION_COOKIE, "Auth-Other"] {
        let cookie = format!("theme=dark; {name}=abc");
        let cookie = ("cookie", cookie.as_str());
        assert_eq!(change(&[cookie, ("sec-fetch-site", "cross-site")]).await, 403, "{name}");
        assert_eq!(change(&[cookie, ("sec-fetch-site", "same-site")]).await, 403, "{name}");
        assert_eq!(
            change(&[cookie, ("origin", "https://evil.example")]).await,
            403,
            "{name}"
        );
        assert_eq!(change(&[cookie, ("origin", "null")]).await, 403, "{name}");
    }
}

#[tokio::test]
async fn our_own_pages_and_programs_may() {
    let cookie = ("cookie", "campanile_session=abc");
    let cross = ("sec-fetch-site", "cross-site");
    assert_eq!(change(&[cookie, ("sec-fetch-site", "same-origin")]).await, 200);
    assert_eq!(change(&[cookie, ("origin", "http://127.0.0.1:8480")]).await, 200);
    assert_eq!(
        change(&[cookie, ("origin", "https://campanile.example")]).await,
        200,
        "behind a proxy"
    );
    assert_eq!(
        change(&[cookie, cross, ("authorization", "Bearer t")]).await,
        200,
        "no cookie is needed"
    );
    assert_eq!(
        change(&[("cookie", "xcampanile_session=abc"), cross]).await,
        200,
        "not our cookie"
    );
    assert_eq!(change(&[cookie]).await, 200, "no browser");
    let read = Request::get("/page")
        .header(cookie.0, cookie.1)
        .header(cross.0, cross.1);
    assert_eq!(App::new().send(read, "").await.status, 200);
}

#[tokio::test]
async fn a_request_of_another_site_is_told_why() {
    let request = Request::post("/page")
        .header("cookie", "campanile_session=a")
        .header("sec-fetch-site", "cross-site");
    insta::assert_snapshot!(App::new().send(request, "").await.refusal(), @r"
    403 /problems/cross-site
      a page of another site sent this; only pages of this server may act for the person signed in
    ");
}

#[tokio::test]
async fn health_and_readiness() {
    let app = App::new();
    let said = app.get("/health").await;
    assert_eq!(
        (said.header("content-type"), said.body.as_str()),
        ("application/json", r#"{"status":"ok"}"#)
    );
    let said = app.get("/ready").await;
    assert_eq!(
        (said.status, said.body.as_str()),
        (StatusCode::OK, r#"{"database":"ok","status":"ok"}"#)
    );
    let state = Readiness {
        parts: vec![("database", Ok(())), ("files", Err("cannot be written".to_owned()))],
        asides: vec![("relay", Err("mails wait".to_owned()))],
    };
    let away = move || std::future::ready(state.clone());
    let app = App {
        router: telemetry::routes(Registry::default(), away),
    };
    let said = app.get("/ready").await;
    assert_eq!((said.status.as_u16(), said.header("retry-after")), (503, "1"));
    assert_eq!(
        said.body,
        r#"{"database":"ok","files":"cannot be written","relay":"mails wait","status":"unavailable"}"#
    );
}

#[tokio::test]
async fn requests_are_counted_by_route_and_class() {
    let app = App::new();
    for path in [
        "/api/v1/items/1",
        "/api/v1/items/2?secret=1",
        "/api/v1/items/x",
        "/nowhere/at/all",
        "/health",
    ] {
        app.get(path).await;
    }
    app.send(Request::builder().method("BREW").uri("/page"), "").await;
    let said = app.get("/metrics").await;
    assert_eq!(said.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    let wanted = |line: &&str| !line.contains("_bucket") && !line.contains("_sum") && !line.starts_with('#');
    let mut lines: Vec<_> = said.body.lines().filter(wanted).collect();
    lines.sort_unstable();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    campanile_build_info{version="0.1.0"} 1
    campanile_http_connections 0
    campanile_http_request_duration_seconds_count{method="GET",route="/api/v1/items/{id}",status="2xx"} 2
    campanile_http_request_duration_seconds_count{method="GET",route="/api/v1/items/{id}",status="4xx"} 1
    campanile_http_request_duration_seconds_count{method="GET",route="none",status="4xx"} 1
    campanile_http_request_duration_seconds_count{method="OTHER",route="/page",status="4xx"} 1
    campanile_http_requests_in_flight 0
    campanile_http_requests_total{method="GET",route="/api/v1/items/{id}",status="2xx"} 2
    campanile_http_requests_total{method="GET",route="/api/v1/items/{id}",status="4xx"} 1
    campanile_http_requests_total{method="GET",route="none",status="4xx"} 1
    campanile_http_requests_total{method="OTHER",route="/page",status="4xx"} 1
    process_start_time_seconds 1700000000.5
    "#);
    assert!(!said.body.contains("secret"), "{}", said.body);
    let open = app
        .send(
            Request::get("/metrics").header("accept", "application/openmetrics-text;version=1.0.0"),
            "",
        )
        .await;
    assert!(open.header("content-type").starts_with("application/openmetrics-text"));
    assert!(open.body.ends_with("# EOF\n"));
}

#[tokio::test]
async fn the_log_has_routes_and_causes_and_nothing_private() {
    let log = log::listen();
    let app = App::new();
    app.get("/api/v1/items/4711?token=hunter2").await;
    app.get("/api/v1/broken").await;
    let text = log.heard();
    assert!(!text.contains("hunter2") && !text.contains("4711"), "{text}");
    let lines: Vec<_> = text
        .lines()
        .filter(|line| line.contains(r#""target":"campanile::"#))
        .map(|line| {
            let mut line: Value = serde_json::from_str(line).unwrap();
            assert!(line["ms"].is_number() || line["level"] == "ERROR");
            for varying in ["timestamp", "ms"] {
                line.as_object_mut().unwrap().remove(varying);
            }
            format!("{line:#}")
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    {
      "level": "INFO",
      "method": "GET",
      "request_id": "000000000000abc0",
      "route": "/api/v1/items/{id}",
      "status": 200,
      "target": "campanile::request"
    }
    {
      "cause": "disk /dev/sda1 is full",
      "kind": "internal",
      "level": "ERROR",
      "message": "a request failed",
      "method": "GET",
      "request_id": "000000000000abc1",
      "route": "/api/v1/broken",
      "target": "campanile::pass"
    }
    {
      "level": "INFO",
      "method": "GET",
      "request_id": "000000000000abc1",
      "route": "/api/v1/broken",
      "status": 500,
      "target": "campanile::request"
    }
    "#);
}
