//! Connections to PostgreSQL that are cut.

use std::time::Duration;

use campanile_store::{Error, Signal, Sql};

use crate::*;

static CUT_OWN: Sql = Sql::new("lost::CUT_OWN", "SELECT pg_terminate_backend(pg_backend_pid())");
static CUT_OTHERS: Sql = Sql::new(
    "lost::CUT_OTHERS",
    "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid()",
);

/// Longer than any of this takes; a test that waits so long has failed.
const LONG: Duration = Duration::from_secs(20);

fn cut_own() -> Operation {
    operation(|tx| tx.execute(&CUT_OWN, &[]).map(|_| 0))
}

fn is_unavailable<T>(result: &Result<T, Error>) -> bool {
    matches!(result, Err(Error::Unavailable(_)))
}

#[test]
fn a_write_whose_connection_is_cut_is_told_so_and_the_next_one_works() {
    let Some(db) = testing::postgres(&SCHEMA) else { return };
    for turn in 1..=3 {
        assert!(is_unavailable(&db.write(cut_own())));
        db.write(add(turn)).unwrap();
        assert!(is_unavailable(&db.jot(cut_own())));
        db.jot(add(10 + turn)).unwrap();
    }
    assert_eq!(ids(&db), [1, 2, 3, 11, 12, 13]);
}

static MAKE_CUT: Sql = Sql::new(
    "lost::MAKE_CUT",
    "CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS
     'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END'",
);
static CUT_AT_COMMIT: Sql = Sql::new(
    "lost::CUT_AT_COMMIT",
    "CREATE CONSTRAINT TRIGGER cut AFTER INSERT ON item DEFERRABLE INITIALLY DEFERRED
     FOR EACH ROW EXECUTE FUNCTION cut()",
);

#[test]
fn of_a_write_whose_connection_is_cut_at_its_commit_nobody_says_that_nothing_was_kept() {
    let Some(db) = testing::postgres(&SCHEMA) else { return };
    let made = db.write(|tx| {
        tx.execute(&MAKE_CUT, &[])?;
        tx.execute(&CUT_AT_COMMIT, &[])
    });
    made.unwrap();
    let cut = db.write(add(1));
    assert!(matches!(cut, Err(Error::Unknown(_))), "{cut:?}");
    assert!(db.db.is_failing());
    db.write(|_| Ok::<_, Error>(())).unwrap();
    assert!(!db.db.is_failing());
}

#[test]
fn a_read_whose_connection_is_cut_is_told_so_and_the_next_ones_work() {
    let Some(db) = testing::postgres(&SCHEMA) else { return };
    for _ in 0..5 {
        assert!(is_unavailable(&db.read(cut_own())));
    }
    for _ in 0..10 {
        assert_eq!(ids(&db), [0; 0]);
    }
}

#[test]
fn a_group_whose_connection_is_cut_is_lost_and_those_behind_it_are_not() {
    let Some(db) = testing::postgres(&SCHEMA) else { return };
    let answers = together(&db, vec![add(1), send(2), cut_own(), add(3), send(4)]);
    assert!(answers[..3].iter().all(is_unavailable), "{answers:?}");
    assert!(answers[3..].iter().all(Result::is_ok), "{answers:?}");
    assert_eq!(ids(&db), [3, 4]);
}

#[test]
fn a_cut_that_the_closure_swallows_is_told_all_the_same() {
    let Some(db) = testing::postgres(&SCHEMA) else { return };
    let swallowed = operation(|tx| {
        tx.send(&ADD, &[&1_i64, &"one"])?;
        let _ = tx.execute(&CUT_OWN, &[]);
        Ok(1)
    });
    assert!(is_unavailable(&db.write(swallowed)));
    assert_eq!(ids(&db), [0; 0]);
}

#[test]
fn every_kind_of_connection_comes_back_with_its_statements() {
    let Some(db) = testing::postgres(&SCHEMA) else { return };
    db.write(add(1)).unwrap();
    db.jot(add(2)).unwrap();
    let cut = db.read(|tx| tx.one(&CUT_OTHERS, &[], |row| row.get::<i64>(0)));
    assert!(cut.unwrap() >= 5, "two that write, two that read, one that listens");
    // Whether the loss was noticed before is a matter of luck; after it was, all is well.
    let _ = (db.write(add(3)), db.jot(add(4)));
    for _ in 0..6 {
        let _ = db.read(|tx| tx.one(&COUNT, &[], |row| row.get::<i64>(0)));
    }
    db.write(add(5)).unwrap();
    db.jot(add(6)).unwrap();
    for _ in 0..6 {
        assert!(ids(&db).ends_with(&[5, 6]));
    }
}

#[test]
fn a_server_that_could_not_hear_looks_and_hears_again() {
    let Some(db) = testing::postgres(&SCHEMA) else { return };
    let other = db.another();
    let mut receiver = db.db.signals();
    db.wait(other.read(|tx| tx.one(&CUT_OTHERS, &[], |row| row.get::<i64>(0))))
        .unwrap();
    let mut heard = || {
        let heard = db.wait(async { tokio::time::timeout(LONG, receiver.recv()).await });
        heard.expect("something comes").expect("nothing was missed").to_vec()
    };
    assert_eq!(heard(), [], "a hint to look");
    let signal = Signal { topic: 1, key: 2 };
    let announce = || {
        operation(move |tx| {
            tx.signal(signal);
            tx.execute(&COUNT, &[]).map(|_| 0)
        })
    };
    if db.wait(other.write(announce())).is_err() {
        db.wait(other.write(announce())).unwrap();
    }
    assert_eq!(heard(), [signal]);
}

#[test]
fn a_closed_database_leaves_no_connection() {
    let Some(url) = testing::postgres_url() else { return };
    let db = campanile_store::Db::open(&testing::options(&url), &SCHEMA).unwrap();
    let server = testing::postgres(&SCHEMA).unwrap();
    server.wait(db.write(add(1))).unwrap();
    drop(db);
    // Without FORCE it is refused while anybody is connected.
    let (base, name) = url.split_once('?').unwrap().0.rsplit_once('/').unwrap();
    server.wait(async {
        let url = format!("{base}/postgres?sslmode=disable");
        let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
        let drop = format!("DROP DATABASE {name}");
        tokio::select! {
            dropped = client.batch_execute(&drop) => dropped.unwrap(),
            _ = connection => panic!("the test server hung up"),
        }
    });
}
