//! The inbox over HTTP.

use std::time::Duration;

use campanile_core::id::PersonId;
use campanile_core::message::draft::{self, Draft};
use campanile_core::message::publish;
use campanile_core::message::target::Target;
use campanile_core::outbox::destination::Outlets;
use campanile_core::schema::SCHEMA;
use campanile_store::testing::{self, each_database};
use campanile_store::{Db, Sql};
use serde_json::{Value, json};

use crate::world::{START, Said, World, each_world};

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

async fn counted(world: &World, token: &str) -> Value {
    let counts = world.get("/api/v1/inbox/counts").bearer(token).send().await;
    counts.is(200).json()["unread"].clone()
}

#[test]
fn what_was_asked_for_before_is_exact_however_it_changed_since() {
    each_world(async |world| {
        let token = world.token(PersonId(1)).await;
        let first = publish(world, &token, "First").await;
        assert_eq!(
            (counted(world, &token).await, unread(world, &token).await.len()),
            (json!(1), 1)
        );
        publish(world, &token, "Second").await;
        assert_eq!(
            (counted(world, &token).await, unread(world, &token).await.len()),
            (json!(2), 2)
        );
        let read = format!("/api/v1/inbox/{first}/read");
        world.post(&read).bearer(&token).send().await.is(204);
        assert_eq!(
            (counted(world, &token).await, unread(world, &token).await.len()),
            (json!(1), 1)
        );
    });
}

#[test]
fn what_another_process_writes_is_counted_by_the_next_who_asks() {
    each_database(&SCHEMA, |database| {
        database.wait(async {
            let world = World::with(database.db.clone(), &[]).await;
            let token = world.token(PersonId(1)).await;
            publish(&world, &token, "From here").await;
            assert_eq!(
                (counted(&world, &token).await, unread(&world, &token).await.len()),
                (json!(1), 1)
            );
            // Opening blocks, which a thread that runs tasks must not.
            let options = testing::options(&database.url);
            let open = std::thread::spawn(move || Db::open(&options, &SCHEMA).unwrap());
            let other = open.join().unwrap();
            let publication = other.write(|tx| {
                let draft = Draft::new("From beside", "Text.", vec![Target::Everyone]);
                let checked = draft::check(tx, &draft, "Neighbour", &Outlets::default(), START)?;
                publish::publish(tx, PersonId(1), &checked, None, START)
            });
            publication.await.unwrap();
            drop(other);
            assert_eq!(
                (counted(&world, &token).await, unread(&world, &token).await.len()),
                (json!(2), 2)
            );
            world.app.stop().await;
        });
    });
}

static MARKS: Sql = Sql::new("test::MARKS", "SELECT COUNT(*) FROM mark");

async fn marks(world: &World) -> i64 {
    let read = world.app.db.read(|tx| tx.one(&MARKS, &[], |row| row.get(0)));
    read.await.unwrap()
}

/// Does something with many; the answer.
async fn bulk(world: &World, token: &str, what: Value) -> Said {
    world.post("/api/v1/inbox").bearer(token).json(&what).send().await
}

#[test]
fn read_all_leaves_a_mark_only_where_it_covers_something_unread() {
    each_world(async |world| {
        let token = world.token(PersonId(1)).await;
        let id = publish(world, &token, "One").await;
        let nothing = json!({"action": "read", "up_to": 0, "as_of": "1970-01-01T00:00:00Z"});
        for _ in 0..3 {
            bulk(world, &token, nothing.clone()).await.is(200);
        }
        assert_eq!(marks(world).await, 0);
        let ids = json!([id]);
        for _ in 0..3 {
            world.advance(Duration::from_mins(1));
            let answer = bulk(world, &token, json!({"action": "read"})).await.is(200).json();
            assert_eq!(answer, json!({"more": false}));
            assert_eq!(unread(world, &token).await, [""; 0]);
            bulk(world, &token, json!({"action": "unread", "ids": ids}))
                .await
                .is(200);
            assert_eq!(unread(world, &token).await, ["One"]);
        }
        assert_eq!(marks(world).await, 1);
    });
}

#[test]
fn what_is_unread_is_read_with_one_mark_too() {
    each_world(async |world| {
        let token = world.token(PersonId(1)).await;
        publish(world, &token, "One").await;
        let answer = bulk(world, &token, json!({"action": "read", "view": "unread"}))
            .await
            .is(200)
            .json();
        assert_eq!(answer, json!({"more": false}));
        assert_eq!((unread(world, &token).await, marks(world).await), (vec![], 1));
    });
}

#[test]
fn what_came_up_after_the_page_is_left_whatever_is_done_with_the_list() {
    each_world(async |world| {
        let token = world.token(PersonId(1)).await;
        publish(world, &token, "On the page").await;
        let page = world.get("/api/v1/inbox").bearer(&token).send().await.is(200).json();
        publish(world, &token, "Later").await;
        for (action, list) in [
            ("read", json!({"view": "unread"})),
            ("archive", json!({"view": "inbox"})),
        ] {
            let mut what = json!({"action": action, "up_to": page["revision"], "as_of": page["as_of"]});
            what.as_object_mut().unwrap().extend(list.as_object().unwrap().clone());
            bulk(world, &token, what).await.is(200);
        }
        assert_eq!(unread(world, &token).await, ["Later"]);
        let archived = world
            .get("/api/v1/inbox?view=archived")
            .bearer(&token)
            .send()
            .await
            .is(200)
            .json();
        assert_eq!(archived["total"], json!(1));
        let named = json!({"action": "read", "ids": [1], "up_to": 1, "as_of": page["as_of"]});
        assert_eq!(bulk(world, &token, named).await.is(422).fields(), ["ids"]);
    });
}

#[test]
fn what_a_search_finds_is_done_with_at_once() {
    each_world(async |world| {
        let token = world.token(PersonId(1)).await;
        for title in ["Tower down", "Bells", "Tower up"] {
            publish(world, &token, title).await;
        }
        let answer = bulk(world, &token, json!({"action": "read", "q": " TOWER "}))
            .await
            .is(200)
            .json();
        assert_eq!(answer, json!({"changed": 2, "more": false}));
        assert_eq!(unread(world, &token).await, ["Bells"]);
        let answer = bulk(world, &token, json!({"action": "archive", "view": "inbox", "q": "up"})).await;
        assert_eq!(answer.is(200).json()["changed"], json!(1));
        let long = json!({"action": "read", "q": "x".repeat(201)});
        assert_eq!(bulk(world, &token, long).await.is(422).fields(), ["q"]);
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
