//! Bringing a database to the schema.

use campanile_store::testing::{each_database, options};
use campanile_store::{Db, Error};

use crate::*;

const FIRST: Migration = Migration {
    number: 1,
    name: "0001_first.sql",
    sql: "CREATE TABLE first (id {id} PRIMARY KEY); INSERT INTO first (id) VALUES (1);",
    oldest: 1,
};
const SECOND: Migration = Migration {
    number: 2,
    name: "0002_second.sql",
    sql: "CREATE TABLE second (id {id} PRIMARY KEY); INSERT INTO first (id) VALUES (2);",
    oldest: 1,
};
const BREAKING: Migration = Migration { oldest: 2, ..SECOND };
const BROKEN: Migration = Migration {
    sql: "CREATE TABLE second (id {id} PRIMARY KEY); INSERT INTO nowhere (id) VALUES (2);",
    ..SECOND
};
const CHANGED: Migration = Migration {
    sql: "CREATE TABLE first (id {id} PRIMARY KEY, name TEXT)",
    ..FIRST
};

static NONE: Schema = Schema { migrations: &[] };
static ONE: Schema = Schema { migrations: &[FIRST] };
static TWO: Schema = Schema {
    migrations: &[FIRST, SECOND],
};

static ROWS: campanile_store::Sql = campanile_store::Sql::new("migrations::ROWS", "SELECT COUNT(*) FROM first");

fn reopen(db: &TestDb, schema: &Schema) -> Result<Db, Error> {
    Db::open(&options(&db.url), schema)
}

fn rows(db: &TestDb, other: &Db) -> Result<i64, Error> {
    db.wait(other.read(|tx| tx.one(&ROWS, &[], |row| row.get(0))))
}

fn refusal(result: Result<Db, Error>) -> String {
    match result {
        Err(Error::Schema(why)) => why,
        Err(other) => panic!("expected the schema to be refused, got {other:?}"),
        Ok(_) => panic!("expected the schema to be refused"),
    }
}

#[test]
fn each_migration_runs_once() {
    each_database(&NONE, |db| {
        assert_eq!(rows(db, &reopen(db, &ONE).unwrap()).unwrap(), 1);
        assert_eq!(rows(db, &reopen(db, &ONE).unwrap()).unwrap(), 1);
        assert_eq!(rows(db, &reopen(db, &TWO).unwrap()).unwrap(), 2);
        assert_eq!(rows(db, &reopen(db, &TWO).unwrap()).unwrap(), 2);
    });
}

#[test]
fn several_servers_may_start_at_once() {
    for _ in 0..5 {
        let folder = tempfile::tempdir().unwrap();
        let file = format!("sqlite://{}", folder.path().join("new.db").display());
        for url in [Some(file), testing::postgres_url()].into_iter().flatten() {
            std::thread::scope(|scope| {
                let start = || Db::open(&options(&url), &TWO).map(|_| ());
                let servers: Vec<_> = (0..4).map(|_| scope.spawn(start)).collect();
                for server in servers {
                    server.join().unwrap().unwrap();
                }
            });
        }
    }
}

#[test]
fn a_migration_that_was_changed_after_it_ran_is_refused() {
    each_database(&ONE, |db| {
        let changed = Schema {
            migrations: &[CHANGED, SECOND],
        };
        let why = refusal(reopen(db, &changed));
        assert!(why.contains("0001_first.sql"), "{why}");
    });
}

#[test]
fn an_older_binary_may_use_a_newer_database_that_allows_it() {
    each_database(&TWO, |db| {
        assert_eq!(rows(db, &reopen(db, &ONE).unwrap()).unwrap(), 2);
    });
}

#[test]
fn an_older_binary_is_refused_by_a_database_that_needs_a_newer_one() {
    let breaking = Schema {
        migrations: &[FIRST, BREAKING],
    };
    each_database(&breaking, |db| {
        let why = refusal(reopen(db, &ONE));
        assert!(why.contains("newer Campanile"), "{why}");
    });
}

#[test]
fn a_migration_that_fails_leaves_nothing_and_is_named() {
    each_database(&NONE, |db| {
        let broken = Schema {
            migrations: &[FIRST, BROKEN],
        };
        let why = refusal(reopen(db, &broken));
        assert!(why.contains("0002_second.sql"), "{why}");
        assert!(
            matches!(rows(db, &db.db), Err(Error::Internal(_))),
            "not even the first"
        );
        assert_eq!(rows(db, &reopen(db, &TWO).unwrap()).unwrap(), 2);
    });
}

static WAITING: campanile_store::Sql = campanile_store::Sql::new(
    "migrations::WAITING",
    "SELECT COUNT(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
     WHERE d.datname = current_database() AND NOT l.granted",
);

#[test]
fn a_migration_that_waits_for_a_table_lets_others_read_it() {
    const ALTERING: Migration = Migration {
        sql: "ALTER TABLE first ADD COLUMN name TEXT",
        ..SECOND
    };
    static ALTERED: Schema = Schema {
        migrations: &[FIRST, ALTERING],
    };
    let Some(db) = testing::postgres(&ONE) else { return };
    let (open, gate) = mpsc::sync_channel::<()>(1);
    let (begun, begins) = mpsc::sync_channel(1);
    let mut long = Box::pin(db.db.scan(move |tx| {
        let rows: i64 = tx.one(&ROWS, &[], |row| row.get(0))?;
        begun.send(()).map_err(|_| Error::Panicked)?;
        gate.recv().map_err(|_| Error::Panicked)?;
        Ok::<_, Error>(rows)
    }));
    // The first look hands it over.
    assert!(db.wait(async { (&mut long).now_or_never() }).is_none());
    begins.recv().unwrap();
    let url = db.url.clone();
    let newer = std::thread::spawn(move || Db::open(&options(&url), &ALTERED).map(|_| ()));
    while db.read(|tx| tx.one(&WAITING, &[], |row| row.get::<i64>(0))).unwrap() == 0 {
        assert!(!newer.is_finished(), "it did not wait");
    }
    // Behind a migration that waits for ever this would end by the limit of a short read.
    assert_eq!(rows(&db, &db.db).unwrap(), 1);
    open.send(()).unwrap();
    assert_eq!(db.wait(long).unwrap(), 1);
    newer.join().unwrap().unwrap();
}

#[test]
fn a_gap_in_the_numbers_is_refused() {
    each_database(&NONE, |db| {
        let gap = Schema { migrations: &[SECOND] };
        let why = refusal(reopen(db, &gap));
        assert!(why.contains("0002_second.sql"), "{why}");
    });
}
