//! Old and new binaries side by side on one database. The old one is this binary; the new one knows migrations that
//! nobody has written yet.

use std::sync::LazyLock;

use campanile::server;
use campanile_core::schema::SCHEMA;
use campanile_store::testing::{TestDb, each_database, options};
use campanile_store::{Db, Error, Migration, Schema};
use serde_json::json;
use tokio::net::TcpListener;

use crate::world::World;

/// One that adds: older binaries may stay.
static ADDING: LazyLock<Schema> = LazyLock::new(|| {
    later(
        "CREATE TABLE later (id {id} PRIMARY KEY, message {id} NOT NULL REFERENCES message (id));
         ALTER TABLE message ADD COLUMN mood TEXT;
         ALTER TABLE message ADD COLUMN weight BIGINT NOT NULL DEFAULT 0",
        SCHEMA.migrations.last().unwrap().oldest,
    )
});
/// One that takes away what older binaries read.
static REMOVING: LazyLock<Schema> =
    LazyLock::new(|| later("ALTER TABLE message DROP COLUMN title", SCHEMA.generation() + 1));

fn later(sql: &'static str, oldest: i64) -> Schema {
    let next = Migration {
        number: SCHEMA.generation() + 1,
        name: "later.sql",
        sql,
        oldest,
    };
    let migrations: Vec<Migration> = SCHEMA.migrations.iter().copied().chain([next]).collect();
    Schema {
        migrations: migrations.leak(),
    }
}

fn open(database: &TestDb, schema: &Schema) -> Result<Db, Error> {
    Db::open(&options(&database.url), schema)
}

/// What a person finds through one server after a message was sent through another.
pub(crate) async fn send_and_find(sender: &World, finder: &World, title: &str) {
    let admin = sender.admin().await;
    let message = json!({"title": title, "text": "Words", "audience": [{"kind": "everyone"}]});
    sender
        .post("/api/v1/messages")
        .bearer(&admin)
        .json(&message)
        .send()
        .await
        .is(201);
    let found = finder.get("/api/v1/inbox").bearer(&admin).send().await.is(200).json();
    assert_eq!(found["items"][0]["title"], title, "{found}");
}

#[test]
fn a_server_serves_on_beside_a_newer_one_that_has_migrated_the_database() {
    each_database(&SCHEMA, |database| {
        // Its statements are prepared before the tables change.
        let old = database.wait(async {
            let old = World::with(database.db.clone(), &[]).await;
            send_and_find(&old, &old, "Before").await;
            old
        });
        let db = open(database, &ADDING).unwrap();
        database.wait(async {
            let new = World::with(db, &[]).await;
            send_and_find(&old, &new, "Through the old one").await;
            send_and_find(&new, &old, "Through the new one").await;
            for world in [&old, &new] {
                assert_eq!(world.get("/ready").send().await.is(200).json()["schema"], "ok");
            }
            old.app.stop().await;
            new.app.stop().await;
        });
        // A restart of the old one, as when the upgrade is taken back.
        open(database, &SCHEMA).unwrap();
    });
}

#[test]
fn a_server_that_its_database_has_outgrown_says_so_and_stops() {
    each_database(&SCHEMA, |database| {
        let settings = [("CAMPANILE_DRAIN_DELAY", "0".to_owned())];
        let old = database.wait(World::with(database.db.clone(), &settings));
        open(database, &REMOVING).unwrap();
        database.wait(async {
            let said = old.get("/ready").send().await.is(503).json();
            assert_eq!(
                (&said["schema"], &said["database"]),
                (&"needs a newer Campanile".into(), &"ok".into())
            );
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            server::run(&old.app, listener).await.unwrap();
            assert!(old.app.parts.is_outgrown());
        });
        let Err(Error::Schema(why)) = open(database, &SCHEMA) else {
            panic!("the old binary starts again");
        };
        assert!(why.starts_with("this database needs a newer Campanile"), "{why}");
    });
}
