//! Messages by POST: where they may go, what arrives, and what a client that waits hears (the contract, sections 1.2
//! and 2.2).

use std::net::TcpListener;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use campanile_core::outbox::run::State;
use campanile_core::schema::SCHEMA;
use campanile_store::testing::each_database;
use futures_util::stream;
use serde_json::{Value, json};

use super::platform::{PETS, PLATFORM, Platform, last_id};
use super::refused;
use crate::outbox::{House, each_house, each_house_with, hook, no_relay};
use crate::post::sink::{Sink, status, value};
use crate::tinyproxy::Tinyproxy;
use crate::world::{Said, each_world, each_world_with};

#[test]
fn a_url_or_a_header_that_is_refused_has_a_code() {
    each_world(async |world| {
        let platform = Platform::new(world).await;
        let post = async |url: &str, params: Value| {
            let body = json!({"channel": "HTTP", "text": "A", "recipient": {"url": url}, "params": params});
            platform.post(PLATFORM, "sender", &body).await
        };
        for url in [
            "http://127.0.0.1/",
            "http://169.254.169.254/latest",
            "ftp://example.com/",
            "x",
        ] {
            let said = post(url, json!({})).await;
            assert!(said.json()["parameters"]["reason"].is_string(), "{}", said.body);
            let message = "This url is forbidden. Please, contact your administrator";
            refused(said, 400, "messageUrl.forbidden", message);
        }
        let said = post("https://hooks.example.com/x", json!({"X-Fine": "1", "Host": "x"})).await;
        let message = "params.Host: Host cannot be set by a sender";
        refused(said, 400, "message.header.invalid", message);
    });
}

#[test]
fn a_list_of_urls_and_a_switch_decide_what_is_posted_at_all() {
    let only = [("CAMPANILE_HTTP_ONLY", "https://hooks.example.com/in/")];
    each_world_with("http://campanile.test", &only, async |world| {
        let platform = Platform::new(world).await;
        let post = async |url: &str| {
            let body = json!({"channel": "http", "text": "A", "recipient": {"url": url}});
            platform.post(PETS, "owner", &body).await
        };
        assert_eq!(post("https://hooks.example.com/in/1?key=2").await.is(200).body, "1");
        let said = post("https://hooks.example.com/out").await.is(400).json();
        assert_eq!(said["technicalCode"], json!("messageUrl.forbidden"));
    });
    let off = [("CAMPANILE_HTTP_ENABLED", "false")];
    each_world_with("http://campanile.test", &off, async |world| {
        let platform = Platform::new(world).await;
        // Also before it is looked at where it would go.
        let said = platform
            .post(PLATFORM, "sender", &json!({"channel": "HTTP", "text": "A"}))
            .await;
        let message = "This notifier is disabled. Please, contact your administrator.";
        refused(said, 400, "notifier.disabled", message);
        let body = json!({"channel": "HTTP", "text": ""});
        let said = platform.post(PLATFORM, "sender", &body).await.is(400).json();
        assert_eq!(said["technicalCode"], json!("message.empty"));
    });
}

/// A POST for the API by its owner.
async fn posted(platform: &Platform<'_>, path: &str, url: &str) -> Said {
    let body = json!({"channel": "HTTP", "title": "ignored", "text": "the body",
        "recipient": {"url": url, "role_scope": "ignored", "role_value": ["ignored"]},
        "params": {"X-Key": "k1", "X-None": null}});
    platform.post(path, "owner", &body).await
}

#[test]
fn a_post_has_the_text_the_query_and_the_headers_and_is_answered_at_once() {
    each_house(no_relay, async |house, _| {
        let platform = Platform::new(&house.world).await;
        let hook = hook(&[500, 200]).await;
        let url = format!("{}?key=1", hook.url());
        assert_eq!(posted(&platform, PETS, &url).await.is(200).body, "1");
        let id = last_id(house).await;
        house.until(id, |progress| progress.retrying == 1).await;
        let got = hook.got().remove(0);
        assert!(got.starts_with("POST /in?key=1 HTTP/1.1\r\n"), "{got}");
        assert!(got.ends_with("\r\n\r\nthe body"), "{got}");
        assert_eq!(hook.header("x-key"), ["k1"]);
        assert_eq!(hook.header("content-type"), ["application/json"]);
        assert_eq!(hook.header("x-gravitee-request-id")[0].len(), 36);
        let sent = platform.last().await;
        assert_eq!((&sent["title"], &sent["api"]), (&json!(""), &json!("pets")));
    });
}

#[test]
fn a_client_that_waits_hears_what_came_of_the_first_try() {
    each_house(no_relay, async |house, _| {
        let platform = Platform::new(&house.world).await;
        let wait = format!("{PETS}?wait");
        assert_eq!(
            posted(&platform, &wait, &hook(&[204]).await.url()).await.is(200).body,
            "1"
        );
        for (answer, told) in [(500, "it is tried again"), (410, "it is not tried again")] {
            let hook = hook(&[answer]).await;
            let said = posted(&platform, &wait, &hook.url()).await.is(500).json();
            assert_eq!(said["technicalCode"], json!("unexpected"), "{said}");
            let message = said["message"].as_str().unwrap();
            assert!(message.contains(&format!("answered {answer}")), "{message}");
            assert!(message.ends_with(told), "{message}");
        }
    });
}

#[test]
fn every_client_waits_where_the_operator_says_so() {
    let waits = [("CAMPANILE_COMPAT_HTTP_WAIT", "true".to_owned())];
    each_house_with(&waits, no_relay, async |house, _| {
        let platform = Platform::new(&house.world).await;
        posted(&platform, PETS, &hook(&[404]).await.url()).await.is(500);
        assert_eq!(
            posted(&platform, PETS, &hook(&[200]).await.url()).await.is(200).body,
            "1"
        );
    });
}

#[test]
fn a_target_that_is_not_there_or_says_nothing_is_a_failure_to_who_waits() {
    let short = [("CAMPANILE_HTTP_TIMEOUT", "200 ms".to_owned())];
    each_house_with(&short, no_relay, async |house, _| {
        let platform = Platform::new(&house.world).await;
        let wait = format!("{PETS}?wait");
        // A port that nobody has, and one that takes a connection and says no word.
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let nobody = format!("http://{}/", free.local_addr().unwrap());
        drop(free);
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let silence = format!("http://{}/", silent.local_addr().unwrap());
        for (url, told) in [(nobody, "connection refused"), (silence, "did not answer within")] {
            let said = posted(&platform, &wait, &url).await.is(500).json();
            assert_eq!(said["technicalCode"], json!("unexpected"), "{said}");
            let message = said["message"].as_str().unwrap();
            assert!(
                message.contains(told) && message.ends_with("it is tried again"),
                "{message}"
            );
            // Nobody who does not wait is told.
            assert_eq!(posted(&platform, PETS, &url).await.is(200).body, "1");
        }
    });
}

#[test]
fn who_waits_does_so_from_the_beginning_of_the_request() {
    each_house(no_relay, async |house, _| {
        let platform = Platform::new(&house.world).await;
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", silent.local_addr().unwrap());
        let body = json!({"channel": "HTTP", "text": "the body", "recipient": {"url": url}}).to_string();
        // It takes nearly all of the time until the body is there.
        let app = std::sync::Arc::clone(&house.world.app);
        let slowly = stream::once(async move {
            app.clock.advance(Duration::from_secs(28));
            Ok::<_, std::io::Error>(Bytes::from(body))
        });
        let ask = house
            .world
            .post(&format!("{PETS}?wait"))
            .bearer(platform.token("owner"));
        let said = ask.body(Body::from_stream(slowly)).send().await.is(500).json();
        let message = said["message"].as_str().unwrap();
        assert!(message.contains("its first try is not over yet"), "{message}");
    });
}

/// Posts to a new receiver, with or without a word on the system proxy; whether it came by that.
async fn came_by_proxy(house: &House, platform: &Platform<'_>, asks: Option<bool>) -> bool {
    let sink = Sink::new(status("200 OK")).await;
    let mut body = json!({"channel": "HTTP", "text": "the body", "recipient": {"url": sink.url()}});
    if let Some(asks) = asks {
        body["useSystemProxy"] = json!(asks);
    }
    platform.post(PETS, "owner", &body).await.is(200);
    let id = last_id(house).await;
    house.until(id, |progress| progress.state == State::Ended).await;
    let seen = sink.seen();
    value(seen.one(), "via").is_some_and(|via| via.contains("tinyproxy"))
}

#[test]
fn the_system_proxy_is_used_where_a_client_says_so_whatever_the_server_usually_does() {
    each_database(&SCHEMA, |database| {
        database.wait(async {
            let proxy = Tinyproxy::start("");
            let more = [
                ("CAMPANILE_HTTP_PROXY", proxy.url()),
                ("CAMPANILE_HTTP_USE_PROXY", "true".to_owned()),
            ];
            // Nothing is mailed here.
            let house = House::with(database.db.clone(), "smtp://127.0.0.1:9", &more).await;
            let platform = Platform::new(&house.world).await;
            for (asks, wanted) in [(Some(true), true), (Some(false), false), (None, false)] {
                assert_eq!(came_by_proxy(&house, &platform, asks).await, wanted, "{asks:?}");
            }
            house.world.app.stop().await;
        });
    });
}

#[test]
fn a_system_proxy_that_is_not_there_is_refused_by_name() {
    each_world(async |world| {
        let platform = Platform::new(world).await;
        let mut body = json!({"channel": "HTTP", "text": "A", "useSystemProxy": true,
            "recipient": {"url": "https://hooks.example.com/"}});
        let said = platform.post(PLATFORM, "sender", &body).await;
        let reason = "useSystemProxy: this server has no system proxy (HTTPS_PROXY, HTTP_PROXY)";
        refused(said, 400, "", reason);
        for without in [json!(false), json!(null), json!("")] {
            body["useSystemProxy"] = without;
            assert_eq!(platform.post(PLATFORM, "sender", &body).await.is(200).body, "1");
        }
    });
}
