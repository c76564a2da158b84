//! The embedded database's file: full, closed, with a long log.

use std::path::{Path, PathBuf};
use std::time::Duration;

use campanile_store::{Db, Error, Options, Signal, Sql};
use futures_util::FutureExt as _;
use futures_util::future::poll_immediate;

use crate::*;

static PAGES: Sql = Sql::new("sqlite_file::PAGES", "PRAGMA page_count");
static FEW_PAGES: Sql = Sql::new("sqlite_file::FEW_PAGES", "PRAGMA max_page_count = 40");
static MANY_PAGES: Sql = Sql::new("sqlite_file::MANY_PAGES", "PRAGMA max_page_count = 1000000");

fn path(db: &TestDb) -> PathBuf {
    PathBuf::from(db.url.strip_prefix("sqlite://").unwrap())
}

fn log_of(path: &Path) -> PathBuf {
    PathBuf::from(format!("{}-wal", path.display()))
}

fn big(id: i64, bytes: usize) -> Operation {
    operation(move |tx| {
        tx.execute(&ADD_BODY, &[&id, &id.to_string(), &vec![7_u8; bytes]])?;
        Ok(id)
    })
}

#[test]
fn a_full_disk_is_told_and_survived() {
    let db = testing::sqlite(&SCHEMA);
    db.write(add(1)).unwrap();
    let pages = db.write(|tx| {
        tx.first(&FEW_PAGES, &[], |_| Ok(()))?;
        tx.one(&PAGES, &[], |row| row.get::<i64>(0))
    });
    assert!(pages.unwrap() < 40);
    let full = db.write(big(2, 1 << 20));
    assert!(matches!(full, Err(Error::Unavailable(_))), "{full:?}");
    let answers = together(&db, vec![add(3), big(4, 1 << 20), add(5)]);
    assert!(matches!(answers[1], Err(Error::Unavailable(_))), "{answers:?}");
    db.write(|tx| tx.first(&MANY_PAGES, &[], |_| Ok(()))).unwrap();
    db.write(big(6, 1 << 20)).unwrap();
    let kept = ids(&db);
    for (id, answer) in [(3, &answers[0]), (4, &answers[1]), (5, &answers[2])] {
        assert_eq!(kept.contains(&id), answer.is_ok(), "{id} of {kept:?}: {answer:?}");
    }
    assert!(kept.contains(&1) && kept.contains(&6));
}

#[test]
fn a_database_that_another_process_holds_for_long_is_unavailable_and_comes_back() {
    let test = testing::sqlite(&SCHEMA);
    let hasty = Options {
        queue_time: Duration::from_millis(200),
        ..testing::options(&test.url)
    };
    let db = Db::open(&hasty, &SCHEMA).unwrap();
    let other = rusqlite::Connection::open(path(&test)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let refused = test.wait(db.write(add(1)));
    assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
    assert_eq!(ids(&test), [0; 0], "reads go on");
    other.execute_batch("ROLLBACK").unwrap();
    test.wait(db.write(add(2))).unwrap();
    assert_eq!(ids(&test), [2]);
}

#[test]
fn a_closed_database_leaves_no_log_and_opens_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let url = format!("sqlite://{}", path.display());
    let rt = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let rt = rt.unwrap();
    for id in 1..=3 {
        let db = Db::open(&testing::options(&url), &SCHEMA).unwrap();
        let clone = db.clone();
        rt.block_on(db.write(add(id))).unwrap();
        drop(db);
        assert!(log_of(&path).exists(), "a clone is still there");
        let count = rt.block_on(clone.read(|tx| tx.one(&COUNT, &[], |row| row.get::<i64>(0))));
        assert_eq!(count.unwrap(), id);
        drop(clone);
        assert!(
            !log_of(&path).exists(),
            "every connection is closed, so the log is gone"
        );
    }
}

#[test]
fn the_last_handle_may_be_dropped_by_the_database_thread_itself() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let url = format!("sqlite://{}", path.display());
    let rt = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let rt = rt.unwrap();
    let db = Db::open(&testing::options(&url), &SCHEMA).unwrap();
    let (open, gate) = mpsc::sync_channel::<()>(1);
    let (told, end) = mpsc::sync_channel::<()>(1);
    let last = db.clone();
    let work = move |_: &mut Tx<'_>| {
        let _ = gate.recv();
        drop(last);
        drop(told);
        Ok::<_, Error>(())
    };
    assert!(rt.block_on(poll_immediate(db.write(work))).is_none());
    drop(db);
    open.send(()).unwrap();
    assert!(end.recv().is_err(), "the closure came to its end");
}

#[test]
fn the_log_stays_short_under_steady_writes() {
    let db = testing::sqlite(&SCHEMA);
    let path = path(&db);
    // 96 MB through a log that is looked after every 4.
    let callers = (0..6_i64).map(|caller| {
        let db = &db;
        async move {
            for turn in 0..16 {
                db.db.write(big(caller * 100 + turn, 1 << 20)).await.unwrap();
                db.db
                    .read(|tx| tx.one(&COUNT, &[], |row| row.get::<i64>(0)))
                    .await
                    .unwrap();
            }
        }
    });
    db.wait(join_all(callers));
    let log = std::fs::metadata(log_of(&path)).unwrap().len();
    assert!(log < 64 << 20, "the log has {} MB", log >> 20);
}

#[test]
fn a_log_that_a_long_read_let_grow_is_cut_afterwards() {
    let db = testing::sqlite(&SCHEMA);
    let path = path(&db);
    let reader = rusqlite::Connection::open(&path).unwrap();
    reader.execute_batch("BEGIN; SELECT COUNT(*) FROM item").unwrap();
    for id in 0..40 {
        db.write(big(id, 1 << 20)).unwrap();
    }
    let length = || std::fs::metadata(log_of(&path)).unwrap().len();
    assert!(length() >= 40 << 20, "the reader still needs it");
    reader.execute_batch("COMMIT").unwrap();
    for id in 40..80 {
        db.write(big(id, 1 << 20)).unwrap();
    }
    assert!(length() <= 24 << 20, "the log has {} MB", length() >> 20);
}

static INDEXES: Sql = Sql::new(
    "sqlite_file::INDEXES",
    "SELECT COUNT(*) FROM sqlite_schema WHERE name = 'part_by_item'",
);

fn indexes(db: &Db) -> i64 {
    // Read right here.
    let read = db.read(|tx| tx.one(&INDEXES, &[], |row| row.get(0)));
    read.now_or_never().unwrap().unwrap()
}

fn put_back(tx: &mut Tx<'_>) -> Result<bool, Error> {
    tx.put_back()
}

#[test]
fn one_is_alone_while_nobody_else_has_the_file_open() {
    let test = testing::sqlite(&SCHEMA);
    assert!(test.db.alone().is_some());
    let other = Db::open(&testing::options(&test.url), &SCHEMA).unwrap();
    assert!(test.db.alone().is_none() && other.alone().is_none());
    drop(other);
    assert!(test.db.alone().is_some());
}

#[test]
fn nothing_is_said_of_changes_from_when_somebody_else_opens_the_file_until_their_commits_are_counted() {
    const ALL: [Signal; 1] = [Signal {
        topic: 1,
        key: Signal::ANY,
    }];
    let test = testing::sqlite(&SCHEMA);
    let before = test.db.changes(&ALL).expect("nobody else has been here");
    let other = Db::open(&testing::options(&test.url), &SCHEMA).unwrap();
    assert_eq!(test.db.changes(&ALL), None, "it may be writing");
    test.wait(other.write(add(1))).unwrap();
    drop(other);
    let mut receiver = test.db.signals();
    let after = loop {
        if let Some(after) = test.db.changes(&ALL) {
            break after;
        }
        // The writer looks every quarter of a second; what it finds it announces.
        let heard = test.wait(async { tokio::time::timeout(Duration::from_millis(50), receiver.recv()).await });
        drop(heard);
    };
    assert!(after > before, "a commit from outside: {before}, {after}");
}

#[test]
fn who_opens_the_file_waits_until_nobody_is_alone_with_it() {
    let test = testing::sqlite(&SCHEMA);
    let alone = test.db.alone().unwrap();
    assert!(test.db.alone().is_none());
    let options = testing::options(&test.url);
    let (done, opened) = std::sync::mpsc::sync_channel(1);
    let thread = std::thread::spawn(move || done.send(Db::open(&options, &SCHEMA).is_ok()));
    assert!(opened.recv_timeout(Duration::from_millis(50)).is_err());
    drop(alone);
    assert_eq!(opened.recv(), Ok(true));
    thread.join().unwrap().unwrap();
}

#[test]
fn an_index_that_was_set_aside_is_made_again_by_the_next_opening() {
    let test = testing::sqlite(&SCHEMA);
    test.write(|tx| tx.set_aside(&["part_by_item", "missing"])).unwrap();
    assert_eq!(indexes(&test.db), 0);
    let next = Db::open(&testing::options(&test.url), &SCHEMA).unwrap();
    assert_eq!(indexes(&next), 1);
    assert!(!test.write(put_back).unwrap());
}

#[test]
fn an_index_that_was_set_aside_can_be_put_back() {
    let test = testing::sqlite(&SCHEMA);
    test.write(|tx| tx.set_aside(&["part_by_item"])).unwrap();
    assert!(test.write(put_back).unwrap());
    assert_eq!(indexes(&test.db), 1);
    assert!(!test.write(put_back).unwrap());
}
