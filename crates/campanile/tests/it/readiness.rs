//! Whether the server says that it can work: reading is not enough.

use campanile_core::revision;
use campanile_store::{Dialect, Error, Sql};

use crate::world::{World, each_world};

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
