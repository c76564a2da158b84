//! Whether the server says that it can work: reading is not enough.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use campanile::deliver;
use campanile::deliver::guard::System;
use campanile_core::revision;
use campanile_store::{Dialect, Error, Sql};
use futures_util::poll;

use crate::world::{World, each_world, each_world_with};

static SQLITE_READ_ONLY: Sql = Sql::new("test::SQLITE_READ_ONLY", "PRAGMA query_only = 1");
static POSTGRES_READ_ONLY: Sql = Sql::new(
    "test::POSTGRES_READ_ONLY",
    "DO 'BEGIN EXECUTE format(''ALTER DATABASE %I SET default_transaction_read_only = on'', current_database()); END'",
);
static CUT: Sql = Sql::new("test::CUT", "SELECT pg_terminate_backend(pg_backend_pid())");

/// Lets the database be read and no longer be written, as where the disk is full or the other server took over.
async fn make_read_only(world: &World) {
    let db = &world.app.db;
    if db.dialect() == Dialect::Sqlite {
        db.write(|tx| tx.execute(&SQLITE_READ_ONLY, &[])).await.unwrap();
    } else {
        db.write(|tx| tx.execute(&POSTGRES_READ_ONLY, &[])).await.unwrap();
        let cut = db.write(|tx| tx.execute(&CUT, &[])).await;
        assert!(matches!(cut, Err(Error::Unavailable(_))), "{cut:?}");
    }
}

#[test]
fn a_server_that_cannot_write_is_not_ready() {
    each_world(async |world| {
        world.get("/ready").send().await.is(200);
        make_read_only(world).await;
        world.app.db.write(revision::probe).await.unwrap_err();
        let said = world.get("/ready").send().await.is(503);
        assert_eq!(said.json()["database"], "cannot be written");
        world.get("/health").send().await.is(200);
    });
}

#[test]
fn a_server_that_is_to_stop_says_so_first_and_goes_on_serving() {
    let settings = [("CAMPANILE_DRAIN_DELAY", "10 s")];
    each_world_with("http://campanile.test", &settings, async |world| {
        let page = async || world.get("/api/v1/openapi.json").send().await.is(200);
        assert_eq!(page().await.header("connection"), "");
        let mut departing = pin!(world.app.depart());
        assert!(poll!(&mut departing).is_pending());
        let said = world.get("/ready").send().await.is(503).json();
        assert_eq!(
            (&said["status"], &said["server"]),
            (&"unavailable".into(), &"is stopping".into())
        );
        assert_eq!((&said["database"], &said["schema"]), (&"ok".into(), &"ok".into()));
        world.get("/health").send().await.is(200);
        assert_eq!(
            page().await.header("connection"),
            "close",
            "or a proxy would use it again"
        );
        world.advance(Duration::from_millis(9_999));
        assert!(poll!(&mut departing).is_pending());
        world.advance(Duration::from_millis(1));
        departing.await;
    });
}

#[test]
fn what_sends_is_told_and_stands_in_nobodys_way() {
    each_world(async |world| {
        let outbox = async || {
            let said = world.get("/ready").send().await.is(200).json();
            let numbers = world.get("/metrics").send().await.is(200).body;
            let number = numbers
                .lines()
                .find(|line| line.contains(r#"{part="outbox"}"#))
                .unwrap();
            (said["status"].clone(), said["outbox"].clone(), number.to_owned())
        };
        let works = r#"campanile_part_works{part="outbox"} 1"#.to_owned();
        assert_eq!(outbox().await, ("ok".into(), "ok".into(), works.clone()));
        let mut sending = Box::pin(deliver::run(&world.app, Vec::new(), Arc::new(System::default())).unwrap());
        assert!(poll!(&mut sending).is_pending());
        assert_eq!(outbox().await, ("ok".into(), "ok".into(), works));
        drop(sending);
        let gone = r#"campanile_part_works{part="outbox"} 0"#.to_owned();
        assert_eq!(
            outbox().await,
            ("degraded".into(), "the tasks that send have ended".into(), gone)
        );
    });
}

#[test]
fn a_write_that_failed_once_is_no_matter_when_the_next_one_works() {
    each_world(async |world| {
        if world.app.db.dialect() == Dialect::Sqlite {
            return;
        }
        world.app.db.write(|tx| tx.execute(&CUT, &[])).await.unwrap_err();
        world.get("/ready").send().await.is(200);
    });
}

#[test]
fn another_method_is_a_problem_here_too() {
    each_world(async |world| {
        for path in ["/health", "/ready", "/metrics"] {
            let said = world.post(path).send().await.is(405);
            assert_eq!(said.header("content-type"), "application/problem+json", "{path}");
            assert_eq!(said.header("x-content-type-options"), "nosniff", "{path}");
            assert!(!said.header("allow").is_empty(), "{path}");
        }
    });
}
