//! Sending: bodies, answers and refusals of the contract (sections 1.1 and 1.2), and what becomes of what was sent.

use std::collections::BTreeSet;

use campanile_core::outbox::run::State;
use campanile_core::schema::SCHEMA;
use campanile_store::Sql;
use campanile_store::testing::each_database;
use http::Method;
use serde_json::{Value, json};

use super::platform::{PETS, PLATFORM, Platform, last_id, to_roles};
use super::{ORG, is_forbidden, is_nobody, refused};
use crate::outbox::{House, each_house};
use crate::relay::{Act, Manner, Server};
use crate::world::{World, each_world};

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
            // Blanks say nothing, either.
            (
                json!({"channel": "PORTAL", "title": "  ", "text": "\n", "recipient": roles}),
                empty,
            ),
            (json!({"channel": "MAIL", "title": "\t", "recipient": roles}), empty),
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
        let mut long = to_roles("PORTAL", "ENVIRONMENT", &["ADMIN"]);
        long["title"] = json!("A".repeat(1_001));
        let said = platform.post(PLATFORM, "sender", &long).await;
        refused(said, 400, "", "title: is longer than 1000 characters");
    });
}

#[test]
fn so_many_roles_may_be_named_and_so_many_may_there_be() {
    each_world(async |world| {
        let platform = Platform::new(world).await;
        let mut names: Vec<String> = (0..51).map(|n| format!("R{n}")).collect();
        let send = async |names: &[String]| {
            let roles: Vec<&str> = names.iter().map(String::as_str).chain(["ADMIN"]).collect();
            platform
                .post(PLATFORM, "sender", &to_roles("PORTAL", "ENVIRONMENT", &roles))
                .await
        };
        // What nobody knows is nobody, however much of it there is.
        assert_eq!(send(&names).await.is(200).body, "2");
        let role = |name: &String| json!({"kind": "role", "scope": "ENVIRONMENT", "name": name, "permissions": {}});
        let roles: Vec<Value> = names.iter().map(role).collect();
        platform.import(&roles).await;
        refused(send(&names).await, 400, "", "recipient.role_value: at most 50 roles");
        assert_eq!(send(&names[2..]).await.is(200).body, "2");
        names.extend((0..950).map(|n| format!("N{n}")));
        refused(send(&names).await, 400, "", "recipient.role_value: at most 1000 roles");
    });
}

// ---------------------------------------------------------------- what is taken

#[test]
fn scalars_are_taken_for_one_another_as_there() {
    each_world(async |world| {
        let platform = Platform::new(world).await;
        let body = json!({"channel": "PORTAL", "title": 5, "text": true, "useSystemProxy": "true", "params": {"a": 1},
            "recipient": {"role_scope": "ENVIRONMENT", "role_value": ["USER", 7], "url": 1.5}});
        assert_eq!(platform.post(PLATFORM, "sender", &body).await.is(200).body, "3");
        let sent = platform.last().await;
        assert_eq!((&sent["title"], &sent["text"]), (&json!("5"), &json!("true")));
    });
}

/// What the counting of a message reads, and nothing before it was sent.
static AWAY: Sql = Sql::new("test::AWAY", "ALTER TABLE mark RENAME TO mark_away");
static BACK: Sql = Sql::new("test::BACK", "ALTER TABLE mark_away RENAME TO mark");

#[test]
fn what_was_sent_is_answered_with_a_number_though_it_cannot_be_counted() {
    each_world(async |world| {
        let platform = Platform::new(world).await;
        for (body, wanted) in [
            (to_roles("PORTAL", "ENVIRONMENT", &["USER"]), "3"),
            (mail(&["USER"]), "2"),
        ] {
            world.app.db.write(|tx| tx.execute(&AWAY, &[])).await.unwrap();
            let said = platform.post(PLATFORM, "sender", &body).await;
            // Who looks at its page is told that the server has a trouble.
            platform.get("/api/v1/messages?limit=1", "sender").await.is(500);
            world.app.db.write(|tx| tx.execute(&BACK, &[])).await.unwrap();
            assert_eq!(said.is(200).body, wanted);
        }
        assert_eq!(platform.inbox("plain").await, ["Maintenance"], "once");
    });
}

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
        let told = platform
            .get(&format!("{ORG}/user/notifications"), "ann")
            .await
            .is(200)
            .json();
        assert_eq!(
            (&told["data"][0]["title"], &told["data"][0]["message"]),
            (&json!(""), &json!("Saturday 08:00 UTC"))
        );
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
