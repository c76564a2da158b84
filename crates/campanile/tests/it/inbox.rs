//! The inbox over HTTP.

use std::time::Duration;

use campanile_core::id::PersonId;
use serde_json::{Value, json};

use crate::world::{World, each_world};

/// Publishes a message to `admin`; its id.
async fn publish(world: &World, token: &str, title: &str) -> Value {
    let audience = json!([{"kind": "user", "user": "admin"}]);
    let message = json!({"title": title, "text": "Text.", "audience": audience});
    let sent = world.post("/api/v1/messages").bearer(token).json(&message).send().await;
    sent.is(201).json()["id"].clone()
}

async fn unread(world: &World, token: &str) -> Vec<String> {
    let page = world
        .get("/api/v1/inbox?view=unread")
        .bearer(token)
        .send()
        .await
        .is(200);
    let items = page.json()["items"].as_array().cloned().unwrap();
    items
        .iter()
        .map(|item| item["title"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn read_all_covers_what_the_page_had_and_not_what_opened_since() {
    each_world(async |world| {
        let token = world.token(PersonId(1)).await;
        let id = publish(world, &token, "Opens later").await;
        publish(world, &token, "On the page").await;
        let opens = json!({"opens_at": "2023-11-14T22:14:00Z"});
        let path = format!("/api/v1/messages/{id}");
        world.patch(&path).bearer(&token).json(&opens).send().await.is(200);
        let page = world.get("/api/v1/inbox").bearer(&token).send().await.is(200).json();
        assert_eq!(page["items"].as_array().unwrap().len(), 1, "{page}");
        world.advance(Duration::from_hours(1));
        let all = json!({"action": "read", "up_to": page["revision"], "as_of": page["as_of"]});
        world
            .post("/api/v1/inbox")
            .bearer(&token)
            .json(&all)
            .send()
            .await
            .is(200);
        assert_eq!(unread(world, &token).await, ["Opens later"]);
        world
            .post("/api/v1/inbox")
            .bearer(&token)
            .json(&json!({"action": "read"}))
            .send()
            .await
            .is(200);
        assert!(unread(world, &token).await.is_empty());
    });
}

#[test]
fn half_of_a_place_is_no_place() {
    each_world(async |world| {
        let token = world.token(PersonId(1)).await;
        let halves = [
            (json!({"action": "read", "up_to": 1}), "as_of"),
            (json!({"action": "read", "as_of": "2023-11-14T22:13:20Z"}), "up_to"),
        ];
        for (half, field) in halves {
            let said = world.post("/api/v1/inbox").bearer(&token).json(&half).send().await;
            assert_eq!(said.is(422).fields(), [field]);
        }
    });
}

#[test]
fn a_page_that_cannot_be_is_refused_by_its_field() {
    each_world(async |world| {
        let token = world.token(PersonId(1)).await;
        for (query, field) in [
            ("limit=0", "limit"),
            ("limit=101", "limit"),
            ("limit=-1", "limit"),
            ("cursor=-5", "cursor"),
            ("cursor=x", "cursor"),
        ] {
            let said = world.get(&format!("/api/v1/inbox?{query}")).bearer(&token).send().await;
            assert_eq!(said.is(422).fields(), [field], "{query}");
        }
    });
}
