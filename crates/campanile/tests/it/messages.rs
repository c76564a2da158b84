//! Sending and looking after what was sent, over HTTP.

use campanile_core::directory::entry::{Membership, On, Removal, RoleOnly};
use campanile_core::directory::{self as rules, Entry};
use campanile_core::id::PersonId;
use campanile_core::place::Scope;
use serde_json::{Value, json};

use crate::directory::Client;
use crate::world::{START, Said, World, each_world};

/// An administrator of DEFAULT, the owner of an API, a customer administrator, and two people of whom they know little.
const PEOPLE: &str = r#"
{"kind":"customer","id":17,"name":"Acme"}
{"kind":"api","id":"pets","name":"Pets","environment":"DEFAULT"}
{"kind":"group","id":"team","name":"Team"}
{"kind":"user","id":"u-env","login":"env","name":"Eve"}
{"kind":"user","id":"u-api","login":"api","name":"Abe"}
{"kind":"user","id":"u-customer","login":"customer","name":"Cid","customer":17,"asm_role":"CustomerAdmin"}
{"kind":"user","id":"u-1","login":"one","name":"Una","email":"secret@example.com"}
{"kind":"user","id":"u-2","login":"two","name":"Tom","email":"tom@example.com"}
{"kind":"membership","user":"u-env","on":{"environment":"DEFAULT"},"role":"ADMIN"}
{"kind":"membership","user":"u-api","on":{"api":"pets"},"role":"PRIMARY_OWNER"}
{"kind":"membership","user":"u-1","on":{"environment":"DEFAULT"},"role":"USER"}
{"kind":"membership","user":"u-2","on":{"environment":"DEFAULT"},"role":"USER"}
"#;

async fn import(admin: &Client<'_>) {
    let ask = admin.world.post("/api/v1/directory/import").bearer(&admin.token);
    assert_eq!(ask.body(PEOPLE).send().await.is(200).json()["ok"], json!(true));
}

/// The client of a person.
async fn client<'w>(admin: &Client<'w>, id: &str) -> Client<'w> {
    let user = admin.get(&format!("/api/v1/users/{id}")).await.is(200).json();
    let person = PersonId(user["number"].as_i64().unwrap());
    let token = admin.world.token(person).await;
    Client {
        world: admin.world,
        token,
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "a test reads better as `each_directory(async |admin| …)`"
)]
fn each_directory(test: impl AsyncFn(Client<'_>)) {
    each_world(async |world: &World| {
        let admin = Client::admin(world).await;
        import(&admin).await;
        test(admin).await;
    });
}

fn to(audience: &Value) -> Value {
    json!({"title": "Tonight", "audience": audience})
}

fn users() -> Value {
    json!([{"kind": "environment_role", "role": "USER"}])
}

#[test]
fn a_refusal_names_the_part_of_the_audience() {
    each_directory(async |admin| {
        let env = client(&admin, "u-env").await;
        let mut audience = users();
        audience
            .as_array_mut()
            .unwrap()
            .push(json!({"kind": "subscribers", "api": "pets"}));
        let said = env.post("/api/v1/messages", &to(&audience)).await.is(403);
        assert_eq!(said.detail(), "audience[1]: you lack: API_MESSAGE[CREATE] on this API");
    });
}

/// Sends a message while an entry of the directory is being written that the check before it cannot see.
async fn send_behind(sender: &Client<'_>, entry: Entry, audience: &Value) -> Said {
    let (db, message) = (&sender.world.app.db, to(audience));
    let (go, held) = std::sync::mpsc::sync_channel::<()>(1);
    let first = db.write(move |tx| {
        held.recv().expect("it is let go");
        rules::apply(tx, &entry, START)
    });
    let release = async {
        while db.queue().waiting < 2 {
            tokio::task::yield_now().await;
        }
        go.send(()).expect("it waits");
    };
    let (first, said, ()) = tokio::join!(first, sender.post("/api/v1/messages", &message), release);
    first.expect("the entry is good");
    said
}

#[test]
fn a_right_that_is_taken_while_the_message_waits_for_its_turn_is_missing() {
    each_directory(async |admin| {
        let eve = client(&admin, "u-env").await;
        eve.get("/api/v1/messages").await.is(200);
        let taken = Entry::Remove(Removal::Membership(Membership {
            user: "u-env".to_owned(),
            on: On::Environment("DEFAULT".to_owned()),
            role: "ADMIN".to_owned(),
            scope: None,
        }));
        send_behind(&eve, taken, &users()).await.is(403);
        assert_eq!(admin.ids("/api/v1/messages").await, [0; 0]);
    });
}

#[test]
fn a_role_that_is_removed_while_the_message_waits_for_its_turn_is_no_role() {
    each_directory(async |admin| {
        let role = json!({"permissions": {}});
        admin.put("/api/v1/roles/ENVIRONMENT/RINGER", &role).await.is(201);
        let removed = Entry::Remove(Removal::Role(RoleOnly {
            scope: Scope::Environment,
            name: "RINGER".to_owned(),
        }));
        let audience = json!([{"kind": "environment_role", "role": "RINGER"}]);
        let said = send_behind(&admin, removed, &audience).await.is(422);
        assert_eq!(said.fields(), ["audience[0].role"]);
        assert_eq!(admin.ids("/api/v1/messages").await, [0; 0]);
    });
}

#[test]
fn what_a_message_must_have_cannot_be_taken_away() {
    each_directory(async |admin| {
        let sent = admin.post("/api/v1/messages", &to(&users())).await.is(201).json();
        let path = format!("/api/v1/messages/{}", sent["id"]);
        for field in ["title", "text", "sender_name", "importance", "enabled", "audience"] {
            let said = admin.patch(&path, &json!({field: null})).await;
            assert!(said.status.is_client_error(), "{field}: {}", said.body);
            assert_eq!(said.fields(), [field]);
        }
    });
}

#[test]
fn what_changes_the_direction_of_a_line_stands_in_no_title_and_no_name() {
    each_directory(async |admin| {
        for odd in ["a\u{202E}b", "a\u{2066}b", "a\u{2028}b"] {
            let message = json!({"title": odd, "sender_name": odd, "audience": users()});
            let said = admin.post("/api/v1/messages", &message).await.is(422);
            assert_eq!(said.fields(), ["title", "sender_name"]);
            let said = admin.patch("/api/v1/apis/pets", &json!({"name": odd})).await.is(422);
            assert_eq!(said.fields(), ["name"]);
        }
    });
}

#[test]
fn an_environment_for_everyone_is_refused() {
    each_directory(async |admin| {
        let mut draft = to(&json!([{"kind": "everyone"}]));
        draft["environment"] = json!("DEFAULT");
        let said = admin.post("/api/v1/messages", &draft).await.is(422);
        assert_eq!(said.fields(), ["environment"]);
    });
}

#[test]
fn a_message_moves_from_a_group_to_everyone_though_it_had_a_home() {
    each_directory(async |admin| {
        let mut draft = to(&json!([{"kind": "group", "group": "team"}]));
        draft["late_joiners"] = json!("while_active");
        let id = admin.post("/api/v1/messages", &draft).await.is(201).json()["id"].clone();
        let path = format!("/api/v1/messages/{id}");
        let change = json!({"audience": [{"kind": "everyone"}]});
        let moved = admin.patch(&path, &change).await.is(200).json();
        assert_eq!(moved["funnel"]["people"], json!(6));
        assert_eq!(moved.get("environment"), None);
    });
}

#[test]
fn an_address_is_no_way_to_find_people_for_who_may_not_read_the_directory() {
    each_directory(async |admin| {
        let env = client(&admin, "u-env").await;
        let id = env.post("/api/v1/messages", &to(&users())).await.is(201).json()["id"].clone();
        let path = |q: &str| format!("/api/v1/messages/{id}/recipients?q={q}");
        for (who, q, total) in [
            (&env, "s", 0),
            (&env, "secret%40example.com", 0),
            (&env, "un", 1),
            (&env, "TWO", 1),
            (&admin, "secret%40", 1),
        ] {
            let page = who.get(&path(q)).await.is(200).json();
            assert_eq!(page["total"], json!(total), "{q}");
        }
    });
}

#[test]
fn the_list_of_sent_messages_is_for_senders() {
    each_directory(async |admin| {
        for id in ["u-env", "u-api", "u-customer"] {
            client(&admin, id).await.get("/api/v1/messages").await.is(200);
        }
        let said = client(&admin, "u-1").await.get("/api/v1/messages").await.is(403);
        assert!(
            said.detail().starts_with("you lack: MESSAGE on any"),
            "{}",
            said.detail()
        );
    });
}

#[test]
fn a_page_of_sent_messages_tells_nothing_of_foreign_ones() {
    each_directory(async |admin| {
        let api = client(&admin, "u-api").await;
        let pets = to(&json!([{"kind": "subscribers", "api": "pets"}]));
        let mut own = Vec::new();
        for _ in 0..3 {
            admin.post("/api/v1/messages", &to(&users())).await.is(201);
            own.push(api.post("/api/v1/messages", &pets).await.is(201).json()["id"].clone());
            admin.post("/api/v1/messages", &to(&users())).await.is(201);
        }
        let mut seen = Vec::new();
        let mut path = "/api/v1/messages?limit=1".to_owned();
        loop {
            let page = api.get(&path).await.is(200).json();
            seen.extend(page["items"].as_array().unwrap().iter().map(|item| item["id"].clone()));
            let Some(next) = page["next"].as_str() else {
                break;
            };
            assert_eq!(next, seen.last().unwrap().to_string());
            path = format!("/api/v1/messages?limit=1&cursor={next}");
        }
        own.reverse();
        assert_eq!(seen, own);
    });
}

#[test]
fn a_limit_or_cursor_that_cannot_be_is_refused_by_its_name() {
    each_directory(async |admin| {
        let id = admin.post("/api/v1/messages", &to(&users())).await.is(201).json()["id"].clone();
        for path in [
            "/api/v1/messages".to_owned(),
            format!("/api/v1/messages/{id}/recipients"),
            format!("/api/v1/messages/{id}/history"),
            "/api/v1/users/u-1/visible".to_owned(),
        ] {
            for (query, field) in [
                ("limit=0", "limit"),
                ("limit=101", "limit"),
                ("limit=-1", "limit"),
                ("cursor=-5", "cursor"),
                ("cursor=x", "cursor"),
            ] {
                let said = admin.get(&format!("{path}?{query}")).await.is(422);
                assert_eq!(said.fields(), [field], "{path}?{query}");
            }
            admin.get(&format!("{path}?limit=100&cursor=1")).await.is(200);
        }
    });
}

#[test]
fn what_can_be_picked_comes_over_http() {
    each_directory(async |admin| {
        let env = client(&admin, "u-env").await;
        let found = env.get("/api/v1/addressable/people?q=T&limit=1").await.is(200).json();
        assert_eq!(
            found,
            json!({"items": [{"id": "u-2", "name": "Tom", "detail": "two"}], "more": false})
        );
        let said = env.get("/api/v1/addressable/people?limit=51").await.is(422);
        assert_eq!(said.fields(), ["limit"]);
        env.get("/api/v1/addressable/everything").await.is(400);
    });
}
