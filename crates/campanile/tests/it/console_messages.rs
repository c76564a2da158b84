//! Messages in the console, as a browser without scripts meets them: what is offered, what forms do, what they refuse.

use std::time::Duration;

use campanile_core::id::PersonId;
use campanile_core::message::preview;
use serde_json::{Value, json};

use crate::world::{ADMIN_PASSWORD, Said, World, each_world};

/// Ann and Bob are administrators of the environment, Ann alone writes to the API "Pets", Cat subscribed to it and is a
/// plain user, Dan administers the customer Acme, above Acme South, in which Cat is.
const DIRECTORY: &str = r#"
{"kind":"customer","id":17,"name":"Acme"}
{"kind":"customer","id":18,"name":"Acme South","parent":17}
{"kind":"customer","id":30,"name":"Borealis"}
{"kind":"user","id":"u-ann","login":"ann","name":"Ann Lee","email":"ann@example.com"}
{"kind":"user","id":"u-bob","login":"bob","name":"Bob Ray"}
{"kind":"user","id":"u-cat","login":"cat","name":"Cat Fox","customer":18}
{"kind":"user","id":"u-dan","login":"dan","name":"Dan Orr","customer":17,"asm_role":"CustomerAdmin"}
{"kind":"group","id":"g/1","name":"Night shift"}
{"kind":"api","id":"pets","name":"Pets","environment":"DEFAULT"}
{"kind":"api","id":"birds","name":"Birds","environment":"DEFAULT"}
{"kind":"application","id":"app","name":"Shop","environment":"DEFAULT"}
{"kind":"subscription","id":"s","api":"pets","application":"app","status":"ACCEPTED","subscribed_by":"u-cat"}
{"kind":"membership","user":"u-ann","on":{"environment":"DEFAULT"},"role":"ADMIN"}
{"kind":"membership","user":"u-bob","on":{"environment":"DEFAULT"},"role":"ADMIN"}
{"kind":"membership","user":"u-cat","on":{"environment":"DEFAULT"},"role":"USER"}
{"kind":"membership","user":"u-bob","on":{"group":"g/1"},"role":"USER","scope":"APPLICATION"}
{"kind":"membership","user":"u-ann","on":{"api":"pets"},"role":"PRIMARY_OWNER"}
{"kind":"membership","user":"u-dan","on":{"application":"app"},"role":"OWNER"}
"#;

/// Somebody with a browser.
struct Browser<'w> {
    world: &'w World,
    token: String,
}

impl<'w> Browser<'w> {
    async fn of(world: &'w World, login: &'static str) -> Self {
        let found = world.app.db.read(move |tx| preview::person(tx, login));
        let person: PersonId = found.await.unwrap();
        let token = world.token(person).await;
        Self { world, token }
    }

    async fn get(&self, path: &str) -> Said {
        self.world.get(path).bearer(&self.token).send().await
    }

    async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Said {
        let body: String = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let ask = self.world.post(path).bearer(&self.token);
        let ask = ask.header("content-type", "application/x-www-form-urlencoded");
        ask.body(body).send().await
    }

    /// The fields with which the page would send itself again.
    async fn unread(&self) -> Value {
        self.get("/api/v1/inbox/counts").await.json()["unread"].clone()
    }
}

/// The value of the hidden field of this name.
pub(crate) fn hidden<'a>(page: &'a Said, name: &str) -> &'a str {
    let start = format!("<input type=\"hidden\" name=\"{name}\" value=\"");
    let rest = page.body.split(&start).nth(1).expect(&page.body);
    rest.split('"').next().unwrap()
}

#[track_caller]
fn shows(page: &Said, texts: &[&str]) {
    for text in texts {
        assert!(page.body.contains(text), "{text:?} is not in {}", page.body);
    }
}

#[track_caller]
fn hides(page: &Said, texts: &[&str]) {
    for text in texts {
        assert!(!page.body.contains(text), "{text:?} is in {}", page.body);
    }
}

async fn filled(world: &World) {
    let ask = world.post("/api/v1/directory/import").basic("admin", ADMIN_PASSWORD);
    ask.header("content-type", "application/x-ndjson")
        .body(DIRECTORY.trim_start())
        .send()
        .await
        .is(200);
}

#[test]
fn the_example_of_the_document_works_without_a_script() {
    each_world(async |world| {
        filled(world).await;
        let [ann, bob, cat] = [
            Browser::of(world, "ann").await,
            Browser::of(world, "bob").await,
            Browser::of(world, "cat").await,
        ];
        let empty = ann.get("/messages").await.is(200);
        shows(&empty, &["No messages yet", "href=\"/messages/new\""]);
        let form = ann.get("/messages/new").await.is(200);
        shows(
            &form,
            &[
                "Portal notification",
                "ENVIRONMENT role",
                "value=\"role/DEFAULT/ADMIN\"",
                "Email is off",
            ],
        );
        let typed = [
            ("key", hidden(&form, "key")),
            ("environment", hidden(&form, "environment")),
            ("channel", "portal"),
            ("to", "role/DEFAULT/ADMIN"),
            ("title", "Maintenance"),
            ("text", "Saturday **08:00**\r\nUTC"),
            ("sender", "Ann Lee"),
        ];
        let ask = |press: &'static str| [&typed[..], &[("do", press)]].concat();
        let question = ann.post("/messages/new", &ask("enter")).await.is(200);
        // Admin, Ann and Bob.
        shows(
            &question,
            &[
                // Not the button, or Enter pressed twice in the title would send.
                "<h1 tabindex=\"-1\" autofocus>Send to 3 people?",
                "ADMIN in Default",
                "<strong>08:00</strong>",
                "at once",
            ],
        );
        assert_eq!(question.body.matches(" autofocus").count(), 1);
        let back = ann.post("/messages/new", &ask("back")).await.is(200);
        shows(
            &back,
            &[
                "value=\"Maintenance\"",
                "value=\"role/DEFAULT/ADMIN\" checked",
                "Send to 3 people",
            ],
        );
        let mut pressed = ask("send");
        pressed[0] = ("key", hidden(&question, "key"));
        let sent = ann.post("/messages/new", &pressed).await.is(303);
        let again = ann.post("/messages/new", &pressed).await.is(303);
        assert_eq!(
            sent.header("location"),
            again.header("location"),
            "a double press sends once"
        );
        assert_eq!((bob.unread().await, cat.unread().await), (json!(1), json!(0)));
        let unseen = ann.get(sent.header("location")).await.is(200);
        shows(&unseen, &["Nobody has seen it yet."]);
        hides(&unseen, &["<svg viewBox=\"0 0 1000 200\""]);
        let inbox = bob.get("/inbox").await.is(200);
        shows(&inbox, &["Maintenance", "Saturday 08:00 UTC"]);
        let page = ann.get(sent.header("location")).await.is(200);
        shows(
            &page,
            &[
                "Sent.",
                "How far it got",
                "Seen and read over time",
                "<svg viewBox=\"0 0 1000 200\"",
                "Audience",
                "Correct",
                "Recall",
            ],
        );
        let list = ann.get("/messages").await.is(200);
        assert_eq!(
            list.body.matches("href=\"/messages/").count(),
            2,
            "the message and the button"
        );
        shows(
            &list,
            &[
                "To ADMIN in Default",
                "<dt>People</dt><dd>3</dd>",
                "<dt>Seen</dt><dd>1</dd>",
            ],
        );
    });
}

#[test]
fn what_is_wrong_stands_beside_its_field_and_nothing_is_lost() {
    each_world(async |world| {
        filled(world).await;
        let ann = Browser::of(world, "ann").await;
        let refused = ann
            .post(
                "/messages/new",
                &[
                    ("title", ""),
                    ("text", "kept <as typed>"),
                    ("closes", "2020-01-01T00:00"),
                    ("do", "review"),
                ],
            )
            .await
            .is(422);
        shows(
            &refused,
            &[
                "role=\"alert\"",
                "Choose at least one recipient.",
                "aria-describedby=\"title-bad\"",
                "Say in a few words what it is about.",
                "has passed already",
                "kept &#60;as typed&#62;",
            ],
        );
        let refused = ann
            .post(
                "/messages/new",
                &[
                    ("to", "group/none"),
                    ("title", "T"),
                    ("opens", "soon"),
                    ("do", "send"),
                    ("key", "k"),
                ],
            )
            .await
            .is(422);
        shows(&refused, &["is not a date and time"]);
        let refused = ann
            .post(
                "/messages/new",
                &[("to", "group/none"), ("title", "T"), ("do", "send"), ("key", "k")],
            )
            .await
            .is(422);
        shows(&refused, &["there is no such group"]);
        let refused = ann
            .post(
                "/messages/new",
                &[
                    ("to", "everyone"),
                    ("channel", "email"),
                    ("title", "T"),
                    ("do", "review"),
                ],
            )
            .await;
        assert!(matches!(refused.status.as_u16(), 403 | 422), "{}", refused.body);
        assert_eq!(ann.get("/api/v1/messages").await.json()["items"], json!([]));
    });
}

#[test]
fn recipients_are_found_added_and_taken_away() {
    each_world(async |world| {
        filled(world).await;
        let admin = Browser::of(world, "admin").await;
        let found = admin
            .post("/messages/new", &[("title", "Kept"), ("find", "acme"), ("do", "find")])
            .await
            .is(200);
        shows(
            &found,
            &[
                "name=\"add\" value=\"subtree/17\"",
                "Acme, without sub-customers",
                "value=\"Kept\"",
            ],
        );
        let found = admin.get("/messages/new/find?q=night").await.is(200);
        shows(
            &found,
            &["role=\"option\"", "data-value=\"group/g%2F1\"", "group Night shift"],
        );
        let added = admin
            .post(
                "/messages/new",
                &[("title", "Kept"), ("to", "everyone"), ("add", "group/g%2F1")],
            )
            .await
            .is(200);
        shows(
            &added,
            &[
                "name=\"to\" value=\"group/g%2F1\"",
                "aria-label=\"Remove group Night shift\"",
                "value=\"everyone\" checked",
                "Send to 5 people",
            ],
        );
        let taken = admin
            .post(
                "/messages/new",
                &[("to", "group/g%2F1"), ("to", "user/u-cat"), ("drop", "group/g%2F1")],
            )
            .await
            .is(200);
        hides(&taken, &["value=\"group/g%2F1\""]);
        shows(
            &taken,
            &["Send to 1 person", "Among them: Cat Fox", "have no email address"],
        );
        let asked = admin
            .post(
                "/messages/new/aside",
                &[("to", "role/DEFAULT/ADMIN"), ("to", "subtree/17"), ("why", "cat")],
            )
            .await
            .is(200);
        shows(
            &asked,
            &[
                "Cat Fox gets it.",
                "has never held this role in this environment",
                "has belonged to the customer or one below it since",
            ],
        );
        hides(&asked, &["<html"]);
    });
}

#[test]
fn only_what_the_person_may_do_is_offered_and_done() {
    each_world(async |world| {
        filled(world).await;
        let [ann, cat, dan] = [
            Browser::of(world, "ann").await,
            Browser::of(world, "cat").await,
            Browser::of(world, "dan").await,
        ];
        // A plain user has no messages to look after, and no way in by address.
        hides(&cat.get("/inbox").await, &["href=\"/messages\""]);
        cat.get("/messages/new").await.is(403);
        cat.get("/apis/pets").await.is(404);
        cat.post(
            "/messages/new",
            &[
                ("to", "role/DEFAULT/ADMIN"),
                ("title", "T"),
                ("do", "send"),
                ("key", "k"),
            ],
        )
        .await
        .is(403);
        // A customer administrator has the own subtree.
        let form = dan.get("/messages/new").await.is(200);
        shows(&form, &["value=\"subtree/17\"", "value=\"customer/17\""]);
        hides(&form, &["value=\"everyone\"", "role/DEFAULT"]);
        hides(&dan.get("/messages/new/find?q=b").await.is(200), &["Borealis", "Bob"]);
        let foreign = dan.get("/messages/new?to=customer/30").await.is(403);
        hides(&foreign, &["Borealis"]);
        // An administrator of the environment has its roles, and not everyone.
        hides(&ann.get("/messages/new").await.is(200), &["value=\"everyone\""]);
        ann.get("/messages/new?to=everyone").await.is(403);
        // Of the APIs, the one that is hers.
        let apis = ann.get("/apis").await.is(200);
        shows(&apis, &["href=\"/apis/pets\""]);
        hides(&apis, &["Birds"]);
        ann.get("/apis/birds/messages/new").await.is(404);
        // Somebody else's message is not there for who may not see it.
        let sent = ann
            .post(
                "/messages/new",
                &[
                    ("to", "role/DEFAULT/USER"),
                    ("title", "T"),
                    ("do", "send"),
                    ("key", "k"),
                ],
            )
            .await
            .is(303);
        let page = sent.header("location").split('?').next().unwrap().to_owned();
        for path in ["", "/people", "/changes", "/correct", "/recall"] {
            cat.get(&format!("{page}{path}")).await.is(404);
        }
        dan.post(&format!("{page}/recall"), &[]).await.is(404);
    });
}

#[test]
fn an_api_message_goes_to_its_consumers_alone() {
    each_world(async |world| {
        filled(world).await;
        let [ann, cat, dan] = [
            Browser::of(world, "ann").await,
            Browser::of(world, "cat").await,
            Browser::of(world, "dan").await,
        ];
        let page = ann.get("/apis/pets").await.is(200);
        shows(
            &page,
            &["1 subscriber", "href=\"/apis/pets/messages/new\"", "No messages yet"],
        );
        let form = ann.get("/apis/pets/messages/new").await.is(200);
        let (subscribers, owner) = (
            form.body.find("subscribers/pets"),
            form.body.find("api-role/pets/OWNER"),
        );
        assert!(
            subscribers.is_some() && subscribers < owner,
            "API subscribers come first"
        );
        hides(&form, &["name=\"find\"", "role/DEFAULT"]);
        let fields = [
            ("to", "subscribers/pets"),
            ("to", "api-role/pets/OWNER"),
            // Not of this API: it is left out.
            ("to", "role/DEFAULT/ADMIN"),
            ("title", "Breaking change"),
            ("key", "k"),
        ];
        let question = ann
            .post("/apis/pets/messages/new", &[&fields[..], &[("do", "review")]].concat())
            .await
            .is(200);
        shows(&question, &["Send to 2 people?", "[Pets] Breaking change"]);
        ann.post("/apis/pets/messages/new", &[&fields[..], &[("do", "send")]].concat())
            .await
            .is(303);
        shows(&cat.get("/inbox").await, &["[Pets] Breaking change"]);
        assert_eq!((dan.unread().await, ann.unread().await), (json!(1), json!(0)));
        shows(
            &ann.get("/apis/pets").await.is(200),
            &["[Pets] Breaking change", "<dt>People</dt><dd>2</dd>"],
        );
    });
}

#[test]
fn what_is_sent_to_oneself_reaches_nobody_else_and_is_sent_once() {
    each_world(async |world| {
        filled(world).await;
        let [ann, bob] = [Browser::of(world, "ann").await, Browser::of(world, "bob").await];
        let fields = [
            ("to", "role/DEFAULT/ADMIN"),
            ("title", "Try"),
            ("opens", "2030-01-01T00:00"),
            ("key", "k"),
            ("do", "myself"),
        ];
        let page = ann.post("/messages/new", &fields).await.is(200);
        shows(
            &page,
            &[
                "Sent to you alone.",
                "value=\"Try\"",
                "value=\"role/DEFAULT/ADMIN\" checked",
            ],
        );
        ann.post("/messages/new", &fields).await.is(200);
        assert_eq!((ann.unread().await, bob.unread().await), (json!(1), json!(0)));
    });
}

#[test]
fn a_message_is_corrected_rung_recalled_and_its_story_told() {
    each_world(async |world| {
        filled(world).await;
        let [ann, bob] = [Browser::of(world, "ann").await, Browser::of(world, "bob").await];
        let fields = [
            ("to", "role/DEFAULT/ADMIN"),
            ("title", "Old"),
            ("text", "a"),
            ("sender", "Ann"),
            ("do", "send"),
            ("key", "k"),
        ];
        let sent = ann.post("/messages/new", &fields).await.is(303);
        let page = sent.header("location").split('?').next().unwrap().to_owned();
        let inbox_page = page.replace("/messages/", "/inbox/");
        bob.get(&inbox_page).await.is(200);
        assert_eq!(bob.unread().await, json!(0));
        world.advance(Duration::from_secs(90));
        let correct = format!("{page}/correct");
        let form = ann.get(&correct).await.is(200);
        shows(&form, &["value=\"Old\"", "name=\"enabled\" value=\"1\" checked"]);
        let edition = hidden(&form, "edition").to_owned();
        let fields = [
            ("edition", edition.as_str()),
            ("title", "New"),
            ("text", "a"),
            ("sender", "Ann"),
            ("enabled", "1"),
        ];
        ann.post(&correct, &[&fields[..], &[("ring", "1")]].concat())
            .await
            .is(303);
        assert_eq!(bob.unread().await, json!(1));
        // Who had the form open meanwhile is told, and loses nothing.
        let late = [
            ("edition", edition.as_str()),
            ("title", "Other"),
            ("text", "a"),
            ("sender", "Ann"),
            ("enabled", "1"),
        ];
        let refused = ann.post(&correct, &late).await.is(422);
        shows(
            &refused,
            &["somebody else has corrected the message meanwhile", "value=\"Other\""],
        );
        let refused = ann
            .post(
                &correct,
                &[
                    ("edition", hidden(&refused, "edition")),
                    ("title", ""),
                    ("sender", "Ann"),
                    ("enabled", "1"),
                ],
            )
            .await
            .is(422);
        shows(&refused, &["id=\"title-bad\""]);
        shows(
            &ann.get(&format!("{page}/changes")).await.is(200),
            &["Corrected", "<del>Old</del>", "<ins>New</ins>", "rang again"],
        );
        let people = ann.get(&format!("{page}/people?part=unseen")).await.is(200);
        shows(&people, &["2 people", "Ann Lee"]);
        hides(&people, &["Bob Ray"]);
        shows(
            &ann.get(&format!("{page}/people?part=seen&q=bo")).await.is(200),
            &["1 person", "Bob Ray", "no email address"],
        );
        let question = ann.get(&format!("{page}/recall")).await.is(200);
        shows(&question, &["Recall it from 3 people?"]);
        ann.post(&format!("{page}/recall"), &[]).await.is(303);
        bob.get(&inbox_page).await.is(404);
        let told = ann.get(&page).await.is(200);
        shows(&told, &["Recalled"]);
        hides(&told, &["/recall\"", "/correct\""]);
        shows(&ann.get("/messages?status=recalled").await.is(200), &["New"]);
        shows(&ann.get("/messages?status=active").await.is(200), &["No message here"]);
    });
}

#[test]
fn what_somebody_may_not_send_to_is_not_offered_and_is_no_end_of_the_form() {
    each_world(async |world| {
        filled(world).await;
        // Dan administers a customer, and may read the directory.
        let reads = r#"{"kind":"role","scope":"ORGANIZATION","name":"READER","permissions":{"USER":"R"}}
{"kind":"membership","user":"u-dan","on":{"organization":"DEFAULT"},"role":"READER"}"#;
        let ask = world.post("/api/v1/directory/import").basic("admin", ADMIN_PASSWORD);
        let ask = ask.header("content-type", "application/x-ndjson").body(reads);
        ask.send().await.is(200);
        let dan = Browser::of(world, "dan").await;
        hides(&dan.get("/messages/new/find?q=night").await.is(200), &["Night shift"]);
        shows(&dan.get("/messages/new/find?q=acme").await.is(200), &["Acme"]);
        let fields = [
            ("to", "group/g%2F1"),
            ("to", "subtree/17"),
            ("title", "Kept"),
            ("do", "review"),
        ];
        let refused = dan.post("/messages/new", &fields).await.is(422);
        shows(
            &refused,
            &["value=\"Kept\"", "have been taken out", "value=\"subtree/17\" checked"],
        );
        hides(&refused, &["value=\"group/g%2F1\""]);

        // Every page of an API is open to him, and its messages are not.
        let page = dan.get("/apis/birds").await.is(200);
        shows(&page, &["Birds"]);
        hides(&page, &["New message"]);
    });
}

#[test]
fn the_directory_is_read_without_the_right_to_send() {
    each_world(async |world| {
        filled(world).await;
        let reads = r#"{"kind":"role","scope":"ORGANIZATION","name":"READER","permissions":{"USER":"R"}}
{"kind":"user","id":"u-eve","login":"eve","name":"Eve"}
{"kind":"membership","user":"u-eve","on":{"organization":"DEFAULT"},"role":"READER"}"#;
        let ask = world.post("/api/v1/directory/import").basic("admin", ADMIN_PASSWORD);
        let ask = ask.header("content-type", "application/x-ndjson").body(reads);
        ask.send().await.is(200);
        let eve = Browser::of(world, "eve").await;
        let apis = eve.get("/apis").await.is(200);
        shows(&apis, &["href=\"/apis/pets\""]);
        hides(&apis, &["href=\"/messages\""]);
        shows(&eve.get("/apis/pets").await.is(200), &["are not yours to see"]);
    });
}

#[test]
fn a_try_is_nobody_elses() {
    each_world(async |world| {
        filled(world).await;
        let [ann, bob] = [Browser::of(world, "ann").await, Browser::of(world, "bob").await];
        let fields = [
            ("to", "role/DEFAULT/ADMIN"),
            ("title", "Secret draft"),
            ("key", "k"),
            ("do", "myself"),
        ];
        ann.post("/messages/new", &fields).await.is(200);
        for who in [&ann, &bob] {
            hides(&who.get("/messages").await.is(200), &["Secret draft"]);
        }
        let id = ann.get("/api/v1/inbox").await.json()["items"][0]["id"].clone();
        bob.get(&format!("/messages/{id}")).await.is(404);
        ann.get(&format!("/messages/{id}")).await.is(200);
        assert_eq!(bob.get("/api/v1/messages").await.json()["items"], json!([]));
    });
}

#[test]
fn a_time_that_has_passed_schedules_nothing() {
    each_world(async |world| {
        filled(world).await;
        let ann = Browser::of(world, "ann").await;
        let ask = async |opens: &str| {
            let fields = [
                ("to", "role/DEFAULT/ADMIN"),
                ("title", "T"),
                ("opens", opens),
                ("do", "review"),
            ];
            ann.post("/messages/new", &fields).await.is(200)
        };
        let past = ask("2020-01-01T00:00").await;
        shows(
            &past,
            &[
                "Send to 3 people?",
                ">Send to 3 people</button>",
                "This time has passed",
                "(UTC)",
            ],
        );
        let later = ask("2030-01-01T00:00").await;
        shows(&later, &["Schedule for 3 people?", ">Schedule</button>"]);
        hides(&later, &["This time has passed"]);
    });
}

#[test]
fn enter_reviews_once_a_question_is_answered() {
    each_world(async |world| {
        filled(world).await;
        let ann = Browser::of(world, "ann").await;
        let mut fields = vec![
            ("to", "role/DEFAULT/ADMIN"),
            ("title", "T"),
            ("why", "cat"),
            ("do", "enter"),
        ];
        let answered = ann.post("/messages/new", &fields).await.is(200);
        shows(&answered, &["Cat Fox does not get it.", "name=\"asked\" value=\"cat\""]);
        fields.push(("asked", "cat"));
        shows(
            &ann.post("/messages/new", &fields).await.is(200),
            &["Send to 3 people?"],
        );
    });
}

#[test]
fn every_role_can_be_addressed_however_many_there_are() {
    each_world(async |world| {
        filled(world).await;
        let role = |scope: &str, n: usize| {
            json!({"kind": "role", "scope": scope, "name": format!("X{n:03}"), "permissions": {}}).to_string()
        };
        let roles = (0..110).flat_map(|n| [role("ENVIRONMENT", n), role("APPLICATION", n)]);
        let ask = world.post("/api/v1/directory/import").basic("admin", ADMIN_PASSWORD);
        let ask = ask.header("content-type", "application/x-ndjson");
        ask.body(roles.collect::<Vec<_>>().join("\n")).send().await.is(200);
        let ann = Browser::of(world, "ann").await;
        shows(&ann.get("/messages/new").await.is(200), &["There are more roles."]);
        let found = ann.get("/messages/new/find?q=x109&environment=DEFAULT").await.is(200);
        shows(&found, &["data-value=\"role/DEFAULT/X109\""]);
        shows(&ann.get("/apis/pets/messages/new").await.is(200), &["id=\"find\""]);
        let fields = [("find", "x109"), ("do", "find")];
        let found = ann.post("/apis/pets/messages/new", &fields).await.is(200);
        shows(&found, &["name=\"add\" value=\"api-role/pets/X109\""]);
        hides(&found, &["role/DEFAULT"]);
    });
}

#[test]
fn roles_of_one_environment_are_not_taken_for_those_of_another() {
    each_world(async |world| {
        filled(world).await;
        let ask = world.post("/api/v1/directory/import").basic("admin", ADMIN_PASSWORD);
        ask.header("content-type", "application/x-ndjson")
            .body(r#"{"kind":"environment","id":"TEST","name":"Test"}"#)
            .send()
            .await
            .is(200);
        let admin = Browser::of(world, "admin").await;
        let form = admin.get("/messages/new").await.is(200);
        shows(&form, &["name=\"shown\" value=\"DEFAULT\""]);
        // As somebody ticked a role of the one, and chose the other.
        let fields = [
            ("ways", "1"),
            ("channel", "portal"),
            ("shown", "DEFAULT"),
            ("environment", "TEST"),
            ("to", "role/DEFAULT/ADMIN"),
            ("title", "For test admins"),
            ("do", "review"),
        ];
        let again = admin.post("/messages/new", &fields).await.is(422);
        shows(
            &again,
            &[
                "the roles were those of another environment",
                "role/TEST/ADMIN",
                "name=\"shown\" value=\"TEST\"",
            ],
        );
        let fields = fields.map(|(name, value)| if name == "shown" { (name, "TEST") } else { (name, value) });
        shows(&admin.post("/messages/new", &fields).await.is(200), &["ADMIN in "]);
    });
}

#[test]
fn an_unknown_address_is_a_page_in_the_readers_language() {
    each_world(async |world| {
        filled(world).await;
        let ann = Browser::of(world, "ann").await;
        let ask = world
            .patch("/api/v1/me")
            .bearer(&ann.token)
            .json(&json!({"locale": "de"}));
        ask.send().await.is(200);
        let ask = world.get("/nope").bearer(&ann.token).header("accept", "text/html");
        let page = ask.header("accept-language", "en").send().await.is(404);
        shows(&page, &["<html lang=\"de\">", "href=\"/inbox\""]);
        let said = world.get("/nope").bearer(&ann.token).send().await.is(404).json();
        assert_eq!(said["status"], 404);
    });
}
