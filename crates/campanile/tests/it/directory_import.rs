//! The import of a directory file over HTTP.

use std::convert::Infallible;

use axum::body::Body;
use bytes::Bytes;
use campanile::import::{self, Manner, Report};
use campanile_core::directory::entry::{Membership, On, Removal};
use campanile_core::directory::list::{self, Kind};
use campanile_core::directory::{self as rules, Entry};
use campanile_core::id::PersonId;
use campanile_store::{Dialect, Sql};
use futures_util::StreamExt as _;
use serde_json::{Value, json};

use crate::directory::Client;
use crate::world::{START, Said, World, each_world};

const PATH: &str = "/api/v1/directory/import";

async fn post(admin: &Client<'_>, query: &str, body: impl Into<Body>) -> Said {
    let ask = admin.world.post(&format!("{PATH}{query}")).bearer(&admin.token);
    ask.header("content-type", "application/x-ndjson")
        .body(body)
        .send()
        .await
}

fn group(id: &str) -> String {
    json!({"kind": "group", "id": id, "name": "Team"}).to_string()
}

/// A line that is as long as that: spaces between the parts of JSON mean nothing.
fn long(id: &str, bytes: usize) -> String {
    let line = group(id);
    format!("{line}{}\n", " ".repeat(bytes - line.len() - 1))
}

/// A body without a length that is known before.
fn stream(pieces: Vec<Result<String, std::io::Error>>) -> Body {
    Body::from_stream(futures_util::stream::iter(pieces))
}

#[test]
fn a_file_is_taken_in_and_again_is_no_change() {
    each_world(async |world| {
        let admin = Client::admin(world).await;
        let file = [
            r#"{"kind":"customer","id":3,"name":"Acme"}"#,
            r#"{"kind":"user","id":"u-ann","login":"ann","name":"Ann","customer":3,"password":"a fine password"}"#,
            "",
            r#"{"kind":"membership","user":"u-ann","on":{"environment":"DEFAULT"},"role":"USER"}"#,
        ]
        .join("\r\n");
        let report = |created: u64, unchanged: u64| {
            json!({"ok": true, "dry_run": false, "lines": 3, "created": created, "changed": 0,
                "unchanged": unchanged, "bad": 0, "errors": []})
        };
        assert_eq!(post(&admin, "", file.clone()).await.is(200).json(), report(3, 0));
        assert_eq!(post(&admin, "", file).await.is(200).json(), report(0, 3));
        world
            .get("/api/v1/me")
            .basic("ann", "a fine password")
            .send()
            .await
            .is(200);

        let cleared = r#"{"kind":"user","id":"u-ann","password":null}"#;
        assert_eq!(post(&admin, "", cleared).await.is(200).json()["changed"], json!(1));
        world
            .get("/api/v1/me")
            .basic("ann", "a fine password")
            .send()
            .await
            .is(401);
    });
}

#[test]
fn good_lines_are_kept_and_bad_ones_reported() {
    each_world(async |world| {
        let admin = Client::admin(world).await;
        let file = [
            r#"{"kind":"group","id":"g-1","name":"Team"}"#,
            r#"{"kind":"group","id":"g-2","name":""}"#,
            "not JSON",
            r#"{"kind":"membership","user":"u\u0000","on":{"group":"g-1"},"role":"USER","scope":"API"}"#,
            r#"{"kind":"group","id":"g-3","name":"Team"}"#,
        ]
        .join("\n");
        let report = post(&admin, "", file).await.is(200).json();
        let bad: Vec<_> = report["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|error| error["line"].clone())
            .collect();
        assert_eq!(
            (&report["ok"], &report["created"], &report["bad"]),
            (&json!(false), &json!(2), &json!(3))
        );
        assert_eq!(bad, [2, 3, 4]);
        assert_eq!(report["errors"][0]["field"], json!("name"));
        assert_eq!(admin.ids("/api/v1/groups").await, ["g-1", "g-3"]);
    });
}

#[test]
fn a_dry_run_says_what_would_be_and_writes_nothing() {
    each_world(async |world| {
        let admin = Client::admin(world).await;
        let report = post(&admin, "?dry_run=true", group("g-1")).await.is(200).json();
        assert_eq!((&report["dry_run"], &report["created"]), (&json!(true), &json!(1)));
        admin.get("/api/v1/groups/g-1").await.is(404);
        assert_eq!(post(&admin, "?dry_run=perhaps", "").await.is(400).fields(), ["dry_run"]);
    });
}

#[test]
fn a_file_is_rehearsed_here_up_to_so_many_lines() {
    each_world(async |world| {
        let admin = Client::admin(world).await;
        let lines = |count| "\n".repeat(count) + &group("g-1");
        let report = post(&admin, "?dry_run=true", lines(100_000)).await.is(200);
        assert_eq!(report.json()["created"], json!(1));
        let said = post(&admin, "?dry_run=true", lines(100_001)).await.is(413);
        assert!(said.detail().starts_with("more than 100000 lines"), "{}", said.detail());
        post(&admin, "", lines(100_001)).await.is(200);
    });
}

#[test]
fn an_empty_file_is_good() {
    each_world(async |world| {
        let admin = Client::admin(world).await;
        let report = post(&admin, "", "").await.is(200).json();
        assert_eq!((&report["ok"], &report["lines"]), (&json!(true), &json!(0)));
    });
}

#[test]
fn the_type_is_that_of_such_a_file_or_absent() {
    each_world(async |world| {
        let admin = Client::admin(world).await;
        let ask = || world.post(PATH).bearer(&admin.token).body(group("g-1"));
        ask().send().await.is(200);
        ask()
            .header("content-type", "application/json; charset=utf-8")
            .send()
            .await
            .is(200);
        ask().header("content-type", "text/plain").send().await.is(415);
    });
}

#[test]
fn a_file_that_announces_too_much_is_refused_at_once() {
    each_world(async |world| {
        let admin = Client::admin(world).await;
        let announced = (1024 * 1024 + 1).to_string();
        let ask = world
            .post(PATH)
            .bearer(&admin.token)
            .header("content-length", &announced);
        let said = ask.body(group("g-1")).send().await.is(413);
        assert!(said.detail().ends_with("; nothing was taken"), "{}", said.detail());
        admin.get("/api/v1/groups/g-1").await.is(404);
    });
}

#[test]
fn of_a_file_that_is_too_large_the_beginning_stays() {
    each_world(async |world| {
        let admin = Client::admin(world).await;
        let limit = 1024 * 1024;
        let just = vec![Ok(long("g-1", limit / 2)), Ok(long("g-2", limit / 2))];
        assert_eq!(post(&admin, "", stream(just)).await.is(200).json()["created"], json!(2));
        let over = vec![Ok(long("g-3", 600_000)), Ok(long("g-4", limit - 600_000 + 1))];
        let said = post(&admin, "", stream(over)).await.is(413);
        assert!(
            said.detail().ends_with("up to line 1 were taken, and stay"),
            "{}",
            said.detail()
        );
        assert_eq!(admin.ids("/api/v1/groups").await, ["g-1", "g-2", "g-3"]);
    });
}

#[test]
fn of_a_file_that_breaks_off_the_beginning_stays() {
    each_world(async |world| {
        let admin = Client::admin(world).await;
        let lost = || Err(std::io::Error::other("the client went away"));
        let said = post(&admin, "", stream(vec![Ok(group("g-1")), lost()])).await.is(400);
        assert!(said.detail().ends_with("; nothing was taken"), "{}", said.detail());
        let said = post(&admin, "", stream(vec![Ok(long("g-2", 600_000)), lost()]))
            .await
            .is(400);
        assert!(
            said.detail().ends_with("up to line 1 were taken, and stay"),
            "{}",
            said.detail()
        );
        assert_eq!(admin.ids("/api/v1/groups").await, ["g-2"]);
    });
}

#[test]
fn who_may_not_import_is_refused_before_the_file_is_read() {
    each_world(async |world| {
        let ann = world.person(7, "ann", "a fine password").await;
        let ann = world.token(ann).await;
        let unread = || {
            Body::from_stream(futures_util::stream::poll_fn(
                |_| -> std::task::Poll<Option<Result<Bytes, Infallible>>> { panic!("the body was read") },
            ))
        };
        world.post(PATH).body(unread()).send().await.is(401);
        let said = world.post(PATH).bearer(&ann).body(unread()).send().await.is(403);
        assert_eq!(said.json()["errors"], Value::Null);
    });
}

#[test]
fn a_right_that_is_taken_while_the_file_arrives_ends_the_import() {
    each_world(async |world| {
        let admin = Client::admin(world).await;
        let people = [
            r#"{"kind":"user","id":"u-ann","login":"ann","name":"Ann"}"#,
            r#"{"kind":"membership","user":"u-ann","on":{"organization":"DEFAULT"},"role":"ADMIN"}"#,
        ];
        post(&admin, "", people.join("\n")).await.is(200);
        let user = admin.get("/api/v1/users/u-ann").await.is(200).json();
        let ann = world.token(PersonId(user["number"].as_i64().unwrap())).await;
        // The first lines are as many as are written together; the others come when those are there, and Ann's right is
        // not.
        let lines = [long("g-1", 600_000), group("g-2")];
        let db = world.app.db.clone();
        let pieces = futures_util::stream::iter(lines.into_iter().enumerate()).then(move |(at, line)| {
            let db = db.clone();
            async move {
                if at == 1 {
                    while db.read(|tx| list::thing(tx, Kind::Group, "g-1")).await.is_err() {
                        tokio::task::yield_now().await;
                    }
                    let ended = db.write(|tx| rules::apply(tx, &no_administrator("u-ann"), START));
                    ended.await.unwrap();
                }
                Ok::<_, Infallible>(line)
            }
        });
        let ask = world
            .post(PATH)
            .bearer(&ann)
            .header("content-type", "application/x-ndjson");
        let said = ask.body(Body::from_stream(pieces)).send().await.is(403);
        assert!(
            said.detail()
                .contains("the good lines up to line 1 were taken, and stay"),
            "{}",
            said.detail()
        );
        assert_eq!(admin.ids("/api/v1/groups").await, ["g-1"]);
    });
}

/// Takes ORGANIZATION:ADMIN from a user.
fn no_administrator(user: &str) -> Entry {
    Entry::Remove(Removal::Membership(Membership {
        user: user.to_owned(),
        on: On::Organization("DEFAULT".to_owned()),
        role: "ADMIN".to_owned(),
        scope: None,
    }))
}

#[test]
fn every_bad_line_counts_once_also_beyond_the_faults_that_are_told() {
    each_world(async |world| {
        let admin = Client::admin(world).await;
        // Two faults each.
        let line = r#"{"kind":"user","id":"u","login":"","name":""}"#;
        let report = post(&admin, "", [line; 700].join("\n")).await.is(200).json();
        assert_eq!((&report["lines"], &report["bad"]), (&json!(700), &json!(700)));
        assert_eq!(report["errors"].as_array().unwrap().len(), 1_000);
    });
}

#[test]
fn what_the_database_refuses_is_a_bad_line_and_the_others_are_kept() {
    static EXHAUST: Sql = Sql::new(
        "test::EXHAUST",
        "UPDATE tally SET value = 2147483647 WHERE name = 'person'",
    );
    each_world(async |world| {
        let admin = Client::admin(world).await;
        // The next person would get an id that the schema refuses.
        let work = world.app.db.write(|tx| tx.execute(&EXHAUST, &[]));
        work.await.unwrap();
        let mut file: Vec<String> = (0..100).map(|at| group(&format!("g-{at:02}"))).collect();
        file[41] = r#"{"kind":"user","id":"u-1","login":"one","name":"One"}"#.into();
        file[42] = "no JSON".into();
        file[97] = r#"{"kind":"user","id":"u-2","login":"two","name":"Two"}"#.into();
        let report = post(&admin, "", file.join("\n")).await.is(200).json();
        assert_eq!((&report["created"], &report["bad"]), (&json!(97), &json!(3)));
        let bad: Vec<_> = report["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|at| at["line"].clone())
            .collect();
        assert_eq!(bad, [42, 43, 98]);
        assert!(
            report["errors"][0]["reason"]
                .as_str()
                .unwrap()
                .starts_with("the database refuses it")
        );
        admin.get("/api/v1/groups/g-99").await.is(200);
    });
}

/// More lines than one block holds.
fn many() -> impl Iterator<Item = String> {
    (1..=9_000).map(|at| {
        format!(
            r#"{{"kind":"user","id":"u-{at}","login":"l{at}","name":"Name {}"}}"#,
            at % 77
        )
    })
}

async fn quick(world: &World, lines: impl Iterator<Item = String> + Send) -> Report {
    let lines = import::lines(lines);
    import::run(&world.app, None, lines, false, Manner::Quick, &mut |_| {})
        .await
        .unwrap()
}

#[test]
fn a_quick_import_is_as_a_polite_one_and_leaves_every_index() {
    static INDEXES: Sql = Sql::new(
        "test::INDEXES",
        "SELECT COUNT(*) FROM sqlite_schema WHERE type = 'index'",
    );
    each_world(async |world| {
        let is_embedded = world.app.db.dialect() == Dialect::Sqlite;
        let indexes = async || {
            let read = world.app.db.read(|tx| tx.one(&INDEXES, &[], |row| row.get::<i64>(0)));
            if is_embedded { read.await.unwrap() } else { 0 }
        };
        let before = indexes().await;
        let report = quick(world, many()).await;
        assert_eq!((report.lines, report.created, report.bad), (9_000, 9_000, 0));
        assert_eq!(indexes().await, before);
        let again = quick(world, many()).await;
        assert_eq!((again.unchanged, again.bad), (9_000, 0));
        let admin = Client::admin(world).await;
        let found = admin.get("/api/v1/users?q=name%2076&limit=100").await.is(200).json();
        assert_eq!(found["items"].as_array().unwrap().len(), 100);
    });
}

#[test]
fn a_quick_import_ends_what_belongs_to_others_by_index() {
    each_world(async |world| {
        let end = [
            group("g-1"),
            r#"{"kind":"membership","user":"u-1","on":{"group":"g-1"},"role":"USER","scope":"API"}"#.into(),
            r#"{"kind":"remove","of":"group","id":"g-1"}"#.into(),
        ];
        let report = quick(world, many().chain(end)).await;
        assert_eq!((report.created, report.changed, report.bad), (9_002, 1, 0));
    });
}
