//! What is sent, and what comes of every kind of answer.

use std::time::Duration;

use campanile_core::outbox::signing::SigningSecret;
use tokio::task::JoinSet;

use super::sink::{Act, Sink, status, value};
use super::*;

/// How long after [`NOW`] it is tried again, in seconds; the attempt itself takes some milliseconds.
fn pause_s(outcome: &Outcome) -> i64 {
    match outcome {
        Outcome::Retry { at, .. } => (at.0 - NOW.0) / 1_000,
        other => panic!("{other:?}"),
    }
}

async fn outcome_of(act: Act) -> Outcome {
    let sink = Sink::new(act).await;
    post_to(&loopback(), &sink.url()).await
}

#[tokio::test]
async fn a_message_is_sent_as_document_a_has_it_with_the_headers_of_the_standard() {
    let sink = Sink::new(status("200 OK")).await;
    let mut request = request(&sink.url());
    request.headers = headers(&[("Authorization", "Bearer k"), ("X-Team", "a b")]);
    assert_eq!(
        post(&loopback(), &request, NOW, CHANCE).await,
        Outcome::Done { code: 200 }
    );
    let seen = sink.seen();
    let (head, body) = seen.one().split_once("\r\n\r\n").unwrap();
    let agent = concat!("Campanile/", env!("CARGO_PKG_VERSION"));
    let host = sink.address.to_string();
    assert_eq!(
        head.replace(agent, "AGENT")
            .replace(&host, "HOST")
            .replace("\r\n", "\n"),
        "POST /in?key=1 HTTP/1.1\nHost: HOST\nUser-Agent: AGENT\nAuthorization: Bearer k\nX-Team: a b\n\
         Content-Type: application/json\nWebhook-Id: msg_7_9\nWebhook-Timestamp: 1767225600\n\
         X-Gravitee-Request-Id: 1fdd4a0c-75a5-407b-80f3-0ce856b9c66b\nContent-Length: 16"
    );
    assert_eq!(body, "{\"text\":\"hello\"}");
}

#[tokio::test]
async fn a_senders_content_type_and_request_id_replace_ours() {
    let sink = Sink::new(status("200 OK")).await;
    let mut request = request(&sink.url());
    request.headers = headers(&[("content-type", "text/plain"), ("X-Gravitee-Request-Id", "mine")]);
    post(&loopback(), &request, NOW, CHANCE).await;
    let seen = sink.seen();
    assert_eq!(value(seen.one(), "content-type"), Some("text/plain"));
    assert_eq!(value(seen.one(), "x-gravitee-request-id"), Some("mine"));
    assert_eq!(seen.one().to_lowercase().matches("content-type").count(), 1);
}

#[tokio::test]
async fn a_secret_signs_and_without_one_nothing_does() {
    let sink = Sink::new(status("200 OK")).await;
    let mut request = request(&sink.url());
    let client = loopback();
    post(&client, &request, NOW, CHANCE).await;
    request.secrets = vec![SigningSecret::new(&[2; 32]), SigningSecret::new(&[1; 32])];
    post(&client, &request, NOW, CHANCE).await;
    let seen = sink.seen().requests;
    assert_eq!(value(&seen[0], "webhook-signature"), None);
    let signatures = value(&seen[1], "webhook-signature").unwrap();
    assert_eq!(signatures.split(' ').filter(|one| one.starts_with("v1,")).count(), 2);
}

#[tokio::test]
async fn every_2xx_is_success() {
    for line in ["200 OK", "201 Created", "202 Accepted", "204 No Content", "299 X"] {
        let act = Act::Last(format!("HTTP/1.1 {line}\r\n\r\n"));
        assert_eq!(reason(&outcome_of(act).await).0, "done", "{line}");
    }
}

#[tokio::test]
async fn other_answers_are_tried_again_by_the_schedule_and_told_without_the_targets_words() {
    for (code, throttled) in [
        (400, false),
        (404, false),
        (500, false),
        (503, false),
        (429, true),
        (502, true),
        (504, true),
    ] {
        let secret = format!("HTTP/1.1 {code} HUNTER2\r\nx: HUNTER2\r\ncontent-length: 7\r\n\r\nHUNTER2");
        let outcome = outcome_of(Act::Answer(secret)).await;
        assert!(!format!("{outcome:?}").contains("HUNTER2"), "{outcome:?}");
        assert!(
            reason(&outcome).1.starts_with(&format!("the target answered {code}")),
            "{outcome:?}"
        );
        assert_eq!(pause_s(&outcome), if throttled { 60 } else { 5 }, "{code}");
        let Outcome::Retry {
            code: told,
            throttled: is,
            ..
        } = outcome
        else {
            unreachable!()
        };
        assert_eq!((told, is), (Some(code), throttled));
    }
}

#[tokio::test]
async fn a_target_may_ask_for_a_later_time_by_seconds_and_by_date() {
    let asks = |text: &str| {
        Act::Answer(format!(
            "HTTP/1.1 429 x\r\nretry-after: {text}\r\ncontent-length: 0\r\n\r\n"
        ))
    };
    assert_eq!(pause_s(&outcome_of(asks("3600")).await), 3_600);
    assert_eq!(pause_s(&outcome_of(asks("Thu, 01 Jan 2026 02:00:00 GMT")).await), 7_200);
    assert_eq!(pause_s(&outcome_of(asks("1")).await), 60);
    assert_eq!(pause_s(&outcome_of(asks("99999999999")).await), 86_400);
    assert_eq!(pause_s(&outcome_of(asks("soon")).await), 60);
}

#[tokio::test]
async fn gone_is_the_end() {
    let outcome = outcome_of(status("410 Gone")).await;
    assert!(
        matches!(
            outcome,
            Outcome::Dead {
                code: Some(410),
                gone: true,
                ..
            }
        ),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn after_the_last_attempt_or_the_last_time_it_is_over() {
    let sink = Sink::new(status("500 x")).await;
    let mut request = request(&sink.url());
    request.attempt = 10;
    let last = post(&loopback(), &request, NOW, CHANCE).await;
    assert_eq!(
        reason(&last),
        ("dead", "the target answered 500, as at 9 attempts before")
    );
    request.attempt = 2;
    request.give_up_at = NOW.plus_ms(60_000);
    let late = post(&loopback(), &request, NOW, CHANCE).await;
    assert_eq!(
        reason(&late),
        ("dead", "the target answered 500; the next attempt would come too late")
    );
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let inner = Sink::new(status("200 OK")).await;
    for to in ["http://169.254.169.254/latest/meta-data/".to_owned(), inner.url()] {
        let outcome = outcome_of(Act::Answer(format!(
            "HTTP/1.1 307 x\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n"
        )))
        .await;
        let told = "the target answered 307: it has moved, and redirects are not followed";
        assert_eq!(reason(&outcome), ("retry", told));
    }
    assert_eq!(inner.seen().connections, 0);
}

#[tokio::test]
async fn a_target_that_does_not_answer_is_left_at_the_deadline() {
    for begun in ["", "HTTP/1.1 200 OK\r\nx: "] {
        let sink = Sink::new(Act::Stall(begun.into())).await;
        let mut settings = settings(&["127.0.0.0/8"]);
        settings.timeout = Duration::from_millis(300);
        let outcome = post_to(&client(&settings, Names::default()), &sink.url()).await;
        assert_eq!(reason(&outcome), ("retry", "the target did not answer within 0.3 s"));
        assert_eq!(pause_s(&outcome), 60);
    }
}

#[tokio::test]
async fn the_status_counts_though_the_body_never_ends() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 1000000000000\r\n\r\n";
    let slow = Sink::new(Act::Stall(head.into())).await;
    let mut settings = settings(&["127.0.0.0/8"]);
    settings.timeout = Duration::from_millis(300);
    let client = client(&settings, Names::default());
    let begun = tokio::time::Instant::now();
    assert_eq!(post_to(&client, &slow.url()).await, Outcome::Done { code: 200 });
    assert!(begun.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn of_an_endless_body_little_is_read() {
    for head in ["content-length: 1000000000000", "connection: close"] {
        let sink = Sink::new(Act::Endless(format!("HTTP/1.1 500 x\r\n{head}\r\n\r\n"))).await;
        let mut settings = settings(&["127.0.0.0/8"]);
        settings.timeout = Duration::from_mins(1);
        let begun = tokio::time::Instant::now();
        let outcome = post_to(&client(&settings, Names::default()), &sink.url()).await;
        assert_eq!(reason(&outcome), ("retry", "the target answered 500"));
        assert!(begun.elapsed() < Duration::from_secs(20), "it was read to the deadline");
        // What the system's buffers hold was written too, and not read.
        assert!(sink.seen().taken < 16 << 20, "{}", sink.seen().taken);
    }
}

#[tokio::test]
async fn a_huge_head_is_refused() {
    let huge = [
        format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "x".repeat(1 << 20)),
        format!("HTTP/1.1 200 OK\r\n{}\r\n", "x: 1\r\n".repeat(1_000)),
        format!("HTTP/1.1 200 {}", "x".repeat(1 << 20)),
    ];
    for head in huge {
        let outcome = outcome_of(Act::Last(head)).await;
        assert_eq!(
            reason(&outcome),
            ("retry", "the head of the target's answer is too large")
        );
    }
}

#[tokio::test]
async fn a_connection_that_breaks_is_tried_again() {
    for begun in ["", "HTTP/1.1 20"] {
        let outcome = outcome_of(Act::Reset(begun.into())).await;
        assert_eq!(
            reason(&outcome),
            ("retry", "the target broke off before it answered"),
            "{begun}"
        );
    }
    let outcome = outcome_of(Act::Last("220 smtp.example ESMTP\r\n".into())).await;
    assert_eq!(reason(&outcome), ("retry", "what the target answered is not HTTP"));
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_tried_again() {
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let outcome = post_to(&loopback(), &format!("http://{free}/")).await;
    assert_eq!(
        reason(&outcome),
        ("retry", "the target cannot be reached (connection refused)")
    );
}

#[tokio::test]
async fn one_connection_serves_many_messages() {
    let sink = Sink::new(Act::Answer("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok".into())).await;
    let client = loopback();
    for _ in 0..20 {
        assert_eq!(post_to(&client, &sink.url()).await, Outcome::Done { code: 200 });
    }
    assert_eq!(sink.seen().connections, 1);
}

#[tokio::test]
async fn more_connections_than_are_set_are_not_made_and_the_target_is_not_blamed() {
    let sink = Sink::new(Act::Stall(String::new())).await;
    let mut settings = settings(&["127.0.0.0/8"]);
    settings.connections = 8;
    settings.connect_timeout = Duration::from_millis(300);
    let client = Arc::new(client(&settings, Names::default()));
    let mut posting = JoinSet::new();
    for _ in 0..8 {
        let (client, url) = (Arc::clone(&client), sink.url());
        posting.spawn(async move { post_to(&client, &url).await });
    }
    sink.wait_for(8).await;
    let outcome = post_to(&client, &sink.url()).await;
    assert_eq!(reason(&outcome), ("ours", "this server has too many connections open"));
    assert_eq!(sink.seen().connections, 8);
}

#[tokio::test]
async fn what_the_operator_has_forbidden_since_is_not_sent() {
    let sink = Sink::new(status("200 OK")).await;
    let mut off = settings(&["127.0.0.0/8"]);
    off.enabled = false;
    let mut only = settings(&["127.0.0.0/8"]);
    only.only = vec!["https://hooks.example.com/".parse().unwrap()];
    for settings in [off, only] {
        let outcome = post_to(&client(&settings, Names::default()), &sink.url()).await;
        assert_eq!(reason(&outcome).0, "dead", "{outcome:?}");
    }
    assert_eq!(sink.seen().connections, 0);
}

#[tokio::test]
async fn every_url_that_is_accepted_can_be_sent() {
    let sink = Sink::new(status("200 OK")).await;
    let client = loopback();
    let signs: String = (' '..='~').filter(|sign| *sign != '#').collect();
    let policy = settings(&["127.0.0.0/8"]).policy();
    for text in [
        format!("/a{signs}"),
        format!("/?a{signs}"),
        "/ä?ü=€".to_owned(),
        "?x".to_owned(),
    ] {
        let text = format!("http://{}{text}", sink.address);
        let (url, _) = campanile_core::outbox::post::check_url(&text, &policy).expect(&text);
        assert_eq!(
            post_to(&client, url.as_str()).await,
            Outcome::Done { code: 200 },
            "{text}"
        );
    }
}
