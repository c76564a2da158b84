//! What is announced: after the commit, only then, and to other servers too.

use std::sync::Arc;
use std::time::Duration;

use campanile_store::{Dialect, Error, Signal};
use tokio::sync::broadcast::Receiver;

use crate::*;

/// Longer than any of this takes; a test that waits so long has failed.
const LONG: Duration = Duration::from_secs(20);

fn signal(key: i64) -> Signal {
    Signal { topic: 1, key }
}

fn announce(id: i64) -> Operation {
    operation(move |tx| {
        tx.send(&ADD, &[&id, &id.to_string()])?;
        tx.signal(signal(id));
        Ok(id)
    })
}

fn next(db: &TestDb, receiver: &mut Receiver<Arc<[Signal]>>) -> Vec<Signal> {
    let heard = db.wait(async { tokio::time::timeout(LONG, receiver.recv()).await });
    heard.expect("a signal comes").expect("none was missed").to_vec()
}

#[test]
fn a_signal_comes_once_its_work_can_be_seen() {
    each(|db| {
        let mut receiver = db.db.signals();
        let write = db.db.write(announce(1));
        let hear = async {
            let heard = tokio::time::timeout(LONG, receiver.recv()).await.unwrap().unwrap();
            let seen = db.db.read(|tx| tx.one(&COUNT, &[], |row| row.get::<i64>(0))).await;
            (heard.to_vec(), seen.unwrap())
        };
        let (_, heard) = db.wait(join(write, hear));
        assert_eq!(heard, (vec![signal(1)], 1));
    });
}

#[test]
fn what_was_undone_is_not_announced() {
    each(|db| {
        let mut receiver = db.db.signals();
        let failing = operation(|tx| {
            tx.signal(signal(9));
            Err(Error::Internal("no".into()))
        });
        let refused = operation(|tx| {
            tx.signal(signal(8));
            tx.send(&ADD_PART, &[&1_i64, &7_i64, &"note"])?;
            Ok(0)
        });
        together(db, vec![failing, announce(1), refused, announce(2)]);
        let mut heard = Vec::new();
        while heard.len() < 2 {
            heard.extend(next(db, &mut receiver));
        }
        assert_eq!(heard, [signal(1), signal(2)]);
        assert!(receiver.try_recv().is_err());
    });
}

#[test]
fn another_server_hears_of_it() {
    each(|db| {
        let other = db.another();
        let mut receiver = other.signals();
        db.write(announce(1)).unwrap();
        let expected = match other.dialect() {
            Dialect::Postgres => vec![signal(1)],
            // Only that something happened; it has to look.
            Dialect::Sqlite => Vec::new(),
        };
        assert_eq!(next(db, &mut receiver), expected);
    });
}

#[test]
fn more_signals_than_one_notification_holds_all_reach_another_server() {
    let Some(db) = testing::postgres(&SCHEMA) else { return };
    let other = db.another();
    let mut receiver = other.signals();
    let signals: Vec<Signal> = (0..1_000).map(signal).collect();
    let sent = signals.clone();
    db.write(move |tx| {
        for signal in sent {
            tx.signal(signal);
        }
        tx.execute(&ADD, &[&1_i64, &"one"])
    })
    .unwrap();
    let mut heard = Vec::new();
    while heard.len() < signals.len() {
        heard.extend(next(&db, &mut receiver));
    }
    assert_eq!(heard, signals);
}

#[test]
fn a_server_does_not_hear_itself_twice() {
    let Some(db) = testing::postgres(&SCHEMA) else { return };
    let other = db.another();
    let mut receiver = db.db.signals();
    db.write(announce(1)).unwrap();
    db.jot(announce(2)).unwrap();
    // Its notification comes after those of the two above.
    db.wait(other.write(announce(3))).unwrap();
    let heard: Vec<_> = (0..3).map(|_| next(&db, &mut receiver)).collect();
    assert_eq!(heard, [[signal(1)], [signal(2)], [signal(3)]]);
}

#[test]
fn an_operation_that_only_announces_is_heard() {
    each(|db| {
        let mut receiver = db.db.signals();
        db.write(operation(|tx| {
            tx.signal(signal(1));
            Ok(0)
        }))
        .unwrap();
        assert_eq!(next(db, &mut receiver), [signal(1)]);
    });
}

#[test]
fn the_version_grows_with_own_commits_at_once() {
    let db = testing::sqlite(&SCHEMA);
    let before = db.db.version().unwrap();
    db.write(add(1)).unwrap();
    let after = db.db.version().unwrap();
    assert!(after > before);
    ids(&db);
    assert!(db.write(add(1)).is_err());
    assert_eq!(
        db.db.version().unwrap(),
        after,
        "neither a read nor what was undone counts"
    );
}

#[test]
fn the_version_grows_with_commits_of_others() {
    let db = testing::sqlite(&SCHEMA);
    let other = db.another();
    let before = other.version().unwrap();
    let mut receiver = other.signals();
    db.write(add(1)).unwrap();
    next(&db, &mut receiver);
    assert!(other.version().unwrap() > before);
}

#[test]
fn there_is_no_version_where_other_servers_write() {
    let Some(db) = testing::postgres(&SCHEMA) else { return };
    assert_eq!(db.db.version(), None);
}
