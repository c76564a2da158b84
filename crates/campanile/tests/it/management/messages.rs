//! Sending: bodies, answers and refusals of the contract (sections 1.1 and 1.2), and what becomes of what was sent.

use std::collections::BTreeSet;

use campanile_core::id::MessageId;
use campanile_core::outbox::run::State;
use campanile_core::schema::SCHEMA;
use campanile_store::testing::each_database;
use http::Method;
use serde_json::{Value, json};

use super::platform::{PETS, PLATFORM, Platform, to_roles};
use super::{ORG, is_forbidden, is_nobody, refused};
use crate::outbox::{House, each_house, each_house_with, hook, no_relay};
use crate::relay::{Act, Manner, Server};
use crate::world::{Said, World, each_world, each_world_with};

// ---------------------------------------------------------------- refusals, in the order of the contract

#[test]
fn who_is_nobody_and_who_may_not_are_refused_before_anything_is_read() {
    each_world(async |world| {
        let platform = Platform::new(world).await;
        for path in [PLATFORM, PETS] {
            for body in ["{", "{}", ""] {
                let send = async |who: &str| {
                    let ask = world.post(path).header("content-type", "application/json").body(body);
                    let ask = if who.is_empty() {
                        ask
                    } else {
                        ask.bearer(platform.token(who))
                    };
                    ask.send().await
                };
                is_nobody(send("").await);
                is_forbidden(send("plain").await);
            }
        }
        let unknown = PETS.replace("pets", "none");
        let said = platform.post(&unknown, "admin", &json!({})).await;
        assert_eq!(said.json()["parameters"], json!({"api": "none"}));
        refused(said, 404, "api.notFound", "Api [none] cannot be found.");
        // One of another environment is not there, and neither is an environment that nobody knows.
        platform
            .post(&PETS.replace("pets", "far"), "admin", &json!({}))
            .await
            .is(404);
        let elsewhere = PLATFORM.replace("environments/DEFAULT", "environments/NOWHERE");
        let said = platform.post(&elsewhere, "admin", &json!({})).await;
        refused(said, 400, "", "Invalid organization or environment");
    });
}

#[test]
fn a_body_is_checked_in_the_order_of_the_contract() {
    each_world(async |world| {
        let platform = Platform::new(world).await;
        let empty = ("message.empty", "Message (title+text) is empty.");
        let without = "Message recipients selection is missing or wrong.";
        let recipients = ("message.recipient.invalid", without);
        let roles = json!({"role_scope": "ENVIRONMENT", "role_value": ["ADMIN"]});
        let cases = [
            (json!(null), empty),
            (json!({}), empty),
            (json!({"channel": "PORTAL", "recipient": roles}), empty),
            (
                json!({"channel": "PORTAL", "title": "", "text": null, "recipient": roles}),
                empty,
            ),
            (json!({"channel": "HTTP", "title": "", "text": ""}), empty),
            (json!({"title": "A", "recipient": roles}), recipients),
            (json!({"channel": "PORTAL", "title": "A"}), recipients),
            (
                json!({"channel": "MAIL", "title": "A", "recipient": {"role_value": ["ADMIN"]}}),
                recipients,
            ),
            (
                json!({"channel": "MAIL", "title": "A", "recipient": {"role_scope": "", "role_value": ["ADMIN"]}}),
                recipients,
            ),
            (
                json!({"channel": "PORTAL", "text": "A", "recipient": {"role_scope": "ENVIRONMENT"}}),
                recipients,
            ),
            (
                json!({"channel": "PORTAL", "text": "A", "recipient": {"role_scope": "ENVIRONMENT", "role_value": []}}),
                recipients,
            ),
            (json!({"channel": "HTTP", "text": "A"}), recipients),
            (json!({"channel": "HTTP", "text": "A", "recipient": {}}), recipients),
            (
                json!({"channel": "HTTP", "text": "A", "recipient": {"url": ""}}),
                recipients,
            ),
        ];
        for (body, (code, message)) in cases {
            refused(platform.post(PLATFORM, "sender", &body).await, 400, code, message);
        }
        let nothing = platform.ask(Method::POST, PLATFORM, "sender", None).await;
        refused(nothing, 400, empty.0, empty.1);
    });
}

#[test]
fn what_cannot_be_read_is_refused_with_its_field() {
    each_world(async |world| {
        let platform = Platform::new(world).await;
        for (body, said) in [
            ("{", "JSON"),
            (r#"{"channel": "PIGEON"}"#, "channel: must be MAIL, PORTAL or HTTP"),
            (r#"{"channel": 1}"#, "channel: "),
            (r#"{"title": []}"#, "title: "),
            (r#"{"recipient": {"role_value": "ADMIN"}}"#, "recipient.role_value: "),
            (r#"{"useSystemProxy": "maybe"}"#, "useSystemProxy: "),
        ] {
            let ask = world.post(PLATFORM).bearer(platform.token("sender"));
            let answer = ask
                .header("content-type", "application/json")
                .body(body)
                .send()
                .await
                .is(400);
            let answer = answer.json();
            assert!(answer["message"].as_str().unwrap().contains(said), "{answer}");
            assert_eq!(answer["http_status"], json!(400));
            assert!(answer.get("technicalCode").is_none(), "{answer}");
        }
        let roles: Vec<String> = (0..51).map(|n| format!("R{n}")).collect();
        let roles: Vec<&str> = roles.iter().map(String::as_str).collect();
        let said = platform
            .post(PLATFORM, "sender", &to_roles("PORTAL", "ENVIRONMENT", &roles))
            .await
            .is(400);
        assert_eq!(said.json()["message"], json!("recipient.role_value: at most 50 roles"));
        let mut long = to_roles("PORTAL", "ENVIRONMENT", &["ADMIN"]);
        long["title"] = json!("A".repeat(1_001));
        let said = platform.post(PLATFORM, "sender", &long).await;
        refused(said, 400, "", "title: is longer than 1000 characters");
    });
}

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

// ---------------------------------------------------------------- what is taken

#[test]
fn a_channel_is_read_in_any_case_and_what_is_not_known_is_ignored() {
    each_world(async |world| {
        let platform = Platform::new(world).await;
        for channel in ["PORTAL", "portal", "Portal"] {
            let mut body = to_roles(channel, "ENVIRONMENT", &["USER"]);
            body["severity"] = json!({"of": ["nothing"]});
            body["recipient"]["colour"] = json!("green");
            body["recipient"]["url"] = json!(null);
            body["params"] = json!(null);
            assert_eq!(platform.post(PLATFORM, "sender", &body).await.is(200).body, "3");
        }
        // The same under the other mount.
        let v1 = PLATFORM.replace("/management/", "/management/v1/");
        let body = to_roles("PORTAL", "ENVIRONMENT", &["USER"]);
        assert_eq!(platform.post(&v1, "sender", &body).await.is(200).body, "3");
        platform.get(PLATFORM, "sender").await.is(405);
        // Addresses of this contract are told apart by case.
        platform
            .post(&PLATFORM.replace("messages", "Messages"), "sender", &body)
            .await
            .is(404);
    });
}

#[test]
fn a_message_of_theirs_is_one_of_ours_in_bell_inbox_list_and_journal() {
    each_world(async |world| {
        let platform = Platform::new(world).await;
        let body = to_roles("PORTAL", "ENVIRONMENT", &["USER"]);
        platform.post(PLATFORM, "sender", &body).await.is(200);
        assert_eq!(platform.inbox("plain").await, ["Maintenance"]);
        let bell = platform.get("/api/v1/inbox/counts", "plain").await.is(200).json();
        assert_eq!(bell["unread"], json!(1), "{bell}");
        let sent = platform.last().await;
        assert_eq!(sent["sender_name"], json!("sender"));
        assert_eq!(
            sent["audience"],
            json!([{"kind": "environment_role", "environment": "DEFAULT", "role": "USER"}])
        );
        let page = platform.admin.get("/api/v1/journal").await.is(200).json();
        let rows = page["items"].as_array().unwrap();
        let row = rows.iter().find(|row| row["object"] == json!(sent["id"].to_string()));
        assert_eq!(row.unwrap()["actor"]["login"], json!("sender"), "{page}");
        // And the other way round.
        let ours = json!({"title": "Ours", "text": "Hello", "audience": sent["audience"]});
        platform.post("/api/v1/messages", "sender", &ours).await.is(201);
        let theirs = platform
            .get(&format!("{ORG}/user/notifications"), "plain")
            .await
            .is(200)
            .json();
        let titles: Vec<&Value> = theirs["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| &one["title"])
            .collect();
        assert_eq!(titles, ["Maintenance", "Ours"]);
    });
}

#[test]
fn a_message_without_title_is_called_by_its_text() {
    each_world(async |world| {
        let platform = Platform::new(world).await;
        for title in [json!(null), json!(""), json!("  ")] {
            let mut body = to_roles("PORTAL", "APPLICATION", &["OWNER"]);
            body["title"] = title;
            assert_eq!(platform.post(PETS, "owner", &body).await.is(200).body, "2");
        }
        let inbox = platform.get("/api/v1/inbox", "ann").await.is(200).json();
        assert_eq!(inbox["items"][0]["title"], json!(""));
        assert_eq!(inbox["items"][0]["text"], json!("Saturday 08:00 UTC"));
        // A title alone does as well.
        let mut body = to_roles("PORTAL", "APPLICATION", &["OWNER"]);
        body["text"] = json!(null);
        assert_eq!(platform.post(PETS, "owner", &body).await.is(200).body, "2");
        // It can be corrected as any other, and keeps that it has none.
        let page = platform.get("/api/v1/messages", "owner").await.is(200).json();
        let id = page["items"][1]["id"].as_i64().unwrap();
        let path = format!("/api/v1/messages/{id}");
        let correct = async |change: Value| platform.ask(Method::PATCH, &path, "admin", Some(&change)).await;
        correct(json!({"title": "", "text": "Sunday"})).await.is(200);
        correct(json!({"title": "", "text": " "})).await.is(422);
    });
}

#[test]
fn our_own_api_stays_as_strict_as_it_was() {
    each_world(async |world| {
        let platform = Platform::new(world).await;
        for (body, field) in [
            (
                json!({"title": "", "text": "A", "audience": [{"kind": "everyone"}]}),
                "title",
            ),
            (json!({"title": "A", "audience": []}), "audience"),
            (
                json!({"title": "A", "audience": [{"kind": "everyone"}], "channels": ["email"]}),
                "channels[0]",
            ),
        ] {
            let said = platform.post("/api/v1/messages", "admin", &body).await.is(422);
            assert_eq!(said.fields(), [field]);
        }
    });
}

// ---------------------------------------------------------------- email

fn mail(roles: &[&str]) -> Value {
    to_roles("MAIL", "ENVIRONMENT", roles)
}

async fn good() -> Server {
    Server::start(Manner::new(|_| Act::Usual)).await
}

fn addresses(relay: &Server) -> BTreeSet<String> {
    relay.taken().into_iter().map(|mail| mail.to).collect()
}

async fn last_id(house: &House) -> MessageId {
    let ask = house.world.get("/api/v1/messages?limit=1").bearer(&house.token);
    let page = ask.send().await.is(200).json();
    MessageId(page["items"][0]["id"].as_i64().unwrap())
}

#[test]
fn a_mail_goes_to_each_address_once() {
    each_house(good, async |house, relay| {
        let platform = Platform::new(&house.world).await;
        assert_eq!(
            platform.post(PLATFORM, "sender", &mail(&["USER"])).await.is(200).body,
            "2"
        );
        let id = last_id(house).await;
        house.until(id, |progress| progress.state == State::Ended).await;
        let wanted = ["ann@example.com", "plain@example.com"].map(str::to_owned);
        assert_eq!(addresses(relay), BTreeSet::from(wanted));
        let first = relay.taken().remove(0).content;
        assert!(first.contains("Subject: Maintenance"), "{first}");
        // Without a title its text is the subject.
        let mut untitled = mail(&["USER"]);
        untitled["title"] = json!(null);
        platform.post(PLATFORM, "sender", &untitled).await.is(200);
        let id = last_id(house).await;
        house.until(id, |progress| progress.state == State::Ended).await;
        let last = relay.taken().pop().unwrap().content;
        assert!(last.contains("Subject: Saturday 08:00 UTC"), "{last}");
    });
}

#[test]
fn without_a_relay_the_number_is_answered_and_nobody_is_mailed_ever() {
    each_database(&SCHEMA, |database| {
        database.wait(async {
            let world = World::with(database.db.clone(), &[]).await;
            let platform = Platform::new(&world).await;
            assert_eq!(
                platform.post(PLATFORM, "sender", &mail(&["USER"])).await.is(200).body,
                "2"
            );
            let sent = platform.last().await;
            assert_eq!(sent["progress"][0]["state"], json!("off"), "{sent}");
            assert_eq!(sent["progress"][0]["queued"], json!(0));
            let page = format!("/messages/{}", sent["id"]);
            let login = json!({"login": "admin", "password": crate::world::ADMIN_PASSWORD});
            let cookie = world
                .post("/api/v1/session")
                .json(&login)
                .send()
                .await
                .is(201)
                .set_cookie();
            let shown = world.get(&page).cookie(&cookie).send().await.is(200).body;
            assert!(shown.contains("nobody was mailed, and nobody will be"), "{shown}");
            world.app.stop().await;
            // A relay that comes later finds only what is sent from then on.
            let relay = good().await;
            let house = House::with(database.db.clone(), &format!("smtp://{}", relay.address), &[]).await;
            let later = house
                .send(&json!({"title": "Later", "text": "Now", "channels": ["email"],
                    "audience": [{"kind": "user", "user": "owner"}]}))
                .await;
            house.until(later, |progress| progress.state == State::Ended).await;
            assert_eq!(addresses(&relay), BTreeSet::from(["owner@example.com".to_owned()]));
            house.world.app.stop().await;
        });
    });
}

// ---------------------------------------------------------------- HTTP

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
