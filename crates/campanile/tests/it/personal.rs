//! What is kept of a person: for how long, taken along, and erased; by API and console.

use std::time::Duration;

use campanile::retention::{self, Gone};
use serde_json::{Value, json};

use crate::directory::Client;
use crate::world::{World, each_world, each_world_with};

const DAY: Duration = Duration::from_hours(24);

async fn ann(admin: &Client<'_>) {
    let user = json!({"id": "u-ann", "login": "ann", "name": "Ann Archer", "email": "ann@example.com",
        "password": "a fine password"});
    admin.post("/api/v1/users", &user).await.is(201);
}

async fn to_ann(admin: &Client<'_>, title: &str) -> String {
    let draft = json!({"title": title, "text": "Text.", "audience": [{"kind": "user", "user": "u-ann"}]});
    admin.post("/api/v1/messages", &draft).await.is(201).json()["id"].to_string()
}

fn lines(body: &str) -> Vec<Value> {
    body.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What a server lets go at the time of the world.
async fn sweep(world: &World) -> Gone {
    retention::sweep(&world.app, world.app.clock.now()).await.unwrap()
}

#[test]
fn a_person_takes_along_what_is_theirs_and_it_is_noted() {
    each_world(async |world| {
        let admin = Client::admin(world).await;
        ann(&admin).await;
        to_ann(&admin, "For Ann").await;
        let ask = world.get("/api/v1/me/export").basic("ann", "a fine password");
        let all = ask.send().await.is(200);
        assert_eq!(all.header("content-type"), "application/x-ndjson");
        assert_eq!(
            all.header("content-disposition"),
            "attachment; filename=\"person.ndjson\""
        );
        let told = lines(&all.body);
        assert_eq!(told[0]["email"], "ann@example.com");
        assert!(
            told.iter()
                .any(|line| line["kind"] == "message" && line["title"] == "For Ann")
        );
        assert!(!all.body.contains("argon2"), "{}", all.body);
        let noted = admin.get("/api/v1/journal?action=exported").await.is(200).json();
        assert_eq!(noted["items"][0]["object"], "u-ann");
        assert_eq!(noted["items"][0]["actor"]["login"], "ann");
        // Of somebody else it is as much.
        let again = lines(&admin.get("/api/v1/users/u-ann/export").await.is(200).body);
        let first = |lines: &[Value]| lines[0].clone();
        assert_eq!(first(&again), first(&told));
    });
}

#[test]
fn who_is_erased_is_let_in_no_longer_and_nobody_finds_them() {
    each_world(async |world| {
        let admin = Client::admin(world).await;
        ann(&admin).await;
        let id = to_ann(&admin, "For Ann").await;
        let log_in = json!({"login": "ann", "password": "a fine password"});
        let session = world
            .post("/api/v1/session")
            .json(&log_in)
            .send()
            .await
            .is(201)
            .set_cookie();
        world.get("/api/v1/me").cookie(&session).send().await.is(200);
        let left = admin.post("/api/v1/users/u-ann/erase", &json!({})).await.is(200).json();
        assert_eq!((&left["active"], &left["email"]), (&json!(false), &Value::Null));
        let new = left["id"].as_str().unwrap();
        assert!(new.starts_with("erased-") && left["erased_at"].is_string(), "{left}");
        world.get("/api/v1/me").cookie(&session).send().await.is(401);
        world.post("/api/v1/session").json(&log_in).send().await.is(401);
        admin.get("/api/v1/users/u-ann").await.is(404);
        let found = admin.get("/api/v1/users?q=ann").await.is(200).json();
        assert_eq!(found["items"], json!([]));
        let of = admin.get(&format!("/api/v1/messages/{id}")).await.is(200).json();
        assert_eq!(of["funnel"]["people"], 1, "{of}");
        let noted = admin.get("/api/v1/journal?action=erased").await.is(200).json();
        assert_eq!(
            (&noted["items"][0]["object"], &noted["items"][0]["actor"]["login"]),
            (&json!(new), &json!("admin"))
        );
        let whole = admin.get("/api/v1/journal/export").await.is(200).body;
        assert!(
            !whole.contains("ann@example.com") && !whole.contains("Archer"),
            "{whole}"
        );
        // Whoever comes by the same id is somebody new.
        ann(&admin).await;
    });
}

#[test]
fn the_last_administrator_cannot_be_erased() {
    each_world(async |world| {
        let admin = Client::admin(world).await;
        let me = admin.get("/api/v1/me").await.is(200).json();
        let said = admin
            .post(
                &format!("/api/v1/users/{}/erase", me["id"].as_str().unwrap()),
                &json!({}),
            )
            .await;
        assert_eq!(said.is(422).json()["errors"][0]["field"], "id");
        admin.get("/api/v1/me").await.is(200);
    });
}

#[test]
fn by_default_everything_is_kept_for_ever() {
    each_world(async |world| {
        let admin = Client::admin(world).await;
        ann(&admin).await;
        to_ann(&admin, "For Ann").await;
        admin.delete("/api/v1/users/u-ann").await.is(204);
        world.advance(DAY * 3_600);
        assert_eq!(sweep(world).await, Gone::default());
    });
}

#[test]
fn what_the_settings_say_is_let_go_and_nothing_else() {
    let settings = [
        ("CAMPANILE_KEEP_MESSAGES", "30 d"),
        ("CAMPANILE_KEEP_USERS", "60 d"),
        ("CAMPANILE_KEEP_JOURNAL", "90 d"),
    ];
    each_world_with("http://campanile.test", &settings, async |world| {
        let admin = Client::admin(world).await;
        ann(&admin).await;
        let old = to_ann(&admin, "Old").await;
        world.advance(DAY * 20);
        let new = to_ann(&admin, "New").await;
        admin.delete("/api/v1/users/u-ann").await.is(204);
        world.advance(DAY * 20);
        let hidden = Gone {
            hidden: 1,
            ..Gone::default()
        };
        assert_eq!(sweep(world).await, hidden);
        assert_eq!(sweep(world).await, Gone::default());
        let shown = admin.get(&format!("/api/v1/messages/{old}")).await.is(200).json();
        assert_eq!(shown["status"], "recalled", "{shown}");
        world.advance(Duration::from_hours(1));
        let gone = Gone {
            messages: 1,
            ..Gone::default()
        };
        assert_eq!(sweep(world).await, gone);
        admin.get(&format!("/api/v1/messages/{old}")).await.is(404);
        admin.get(&format!("/api/v1/messages/{new}")).await.is(200);
        let sent = admin.get("/api/v1/messages").await.is(200).json();
        assert_eq!(sent["items"].as_array().unwrap().len(), 1, "{sent}");
        world.advance(DAY * 50);
        let gone = sweep(world).await;
        assert_eq!((gone.users, gone.hidden), (1, 1));
        admin.get("/api/v1/users/u-ann").await.is(404);
        let journal = admin.get("/api/v1/journal?kind=user").await.is(200).json();
        let told: Vec<_> = journal["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| &item["action"])
            .collect();
        assert_eq!(told, ["erased", "ended"], "{journal}");
    });
}
