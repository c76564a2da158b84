//! Many operations, one commit: what one does is no concern of the others.

use campanile_store::testing::options;
use campanile_store::{Constraint, Db, Error};
use futures_util::future::poll_immediate;

use crate::*;

fn fail(id: i64) -> Operation {
    operation(move |tx| {
        tx.execute(&ADD, &[&id, &id.to_string()])?;
        Err(Error::Internal("no".into()))
    })
}

fn panicking(id: i64) -> Operation {
    operation(move |tx| {
        tx.execute(&ADD, &[&id, &id.to_string()])?;
        panic!("a panic on purpose")
    })
}

fn silent() -> Operation {
    operation(|_| Ok(0))
}

#[test]
fn operations_that_wait_share_a_commit() {
    each(|db| {
        let before = db.db.commits();
        let answers = together(db, (1..=60).map(add).collect());
        assert!(answers.iter().all(Result::is_ok), "{answers:?}");
        let after = db.db.commits();
        assert_eq!(after.operations - before.operations, 61, "with the one at the gate");
        assert!(after.commits - before.commits < 30, "{after:?} after {before:?}");
        assert_eq!(ids(db), (1..=60).collect::<Vec<_>>());
    });
}

#[test]
fn sixty_four_callers_need_fewer_commits_than_operations() {
    each(|db| {
        let before = db.db.commits();
        let callers = (0..64_i64).map(|caller| async move {
            for turn in 0..10 {
                db.db.write(send(caller * 10 + turn)).await.unwrap();
            }
        });
        db.wait(join_all(callers));
        let after = db.db.commits();
        assert_eq!(after.operations - before.operations, 640);
        assert!(after.commits - before.commits < 640, "{after:?} after {before:?}");
        assert_eq!(ids(db).len(), 640);
    });
}

#[test]
fn one_that_fails_takes_none_with_it() {
    each(|db| {
        let answers = together(db, vec![add(1), fail(2), add(3), send(1), send(4), fail(5)]);
        let good: Vec<bool> = answers.iter().map(Result::is_ok).collect();
        assert_eq!(good, [true, false, true, false, true, false]);
        assert!(matches!(
            answers[3],
            Err(Error::Constraint {
                kind: Constraint::Unique,
                ..
            })
        ));
        assert_eq!(ids(db), [1, 3, 4]);
    });
}

#[test]
fn one_that_panics_takes_none_with_it() {
    each(|db| {
        let answers = together(db, vec![panicking(1), add(2), panicking(3), send(4), panicking(5)]);
        let good: Vec<bool> = answers.iter().map(Result::is_ok).collect();
        assert_eq!(good, [false, true, false, true, false]);
        assert!(matches!(answers[0], Err(Error::Panicked)));
        assert_eq!(ids(db), [2, 4]);
    });
}

#[test]
fn those_that_say_nothing_may_stand_anywhere() {
    each(|db| {
        let answers = together(
            db,
            vec![
                silent(),
                fail(1),
                silent(),
                add(2),
                silent(),
                send(2),
                silent(),
                add(3),
                silent(),
            ],
        );
        let bad = answers.iter().filter(|answer| answer.is_err()).count();
        assert_eq!(bad, 2, "{answers:?}");
        assert_eq!(ids(db), [2, 3]);
    });
}

#[test]
fn where_all_fail_nothing_is_committed() {
    each(|db| {
        let answers = together(db, vec![fail(1), fail(2)]);
        assert!(answers.iter().all(Result::is_err));
        assert_eq!(ids(db), [0; 0]);
        db.write(add(3)).unwrap();
        assert_eq!(ids(db), [3]);
    });
}

#[test]
fn more_operations_than_a_group_takes_are_all_done() {
    each(|db| {
        let answers = together(db, (1..=600).map(send).collect());
        assert!(answers.iter().all(Result::is_ok));
        assert_eq!(ids(db).len(), 600);
    });
}

#[test]
fn a_caller_that_goes_away_hurts_nobody_and_its_write_is_still_done() {
    each(|db| {
        let (open, gate) = mpsc::sync_channel(1);
        let first = db.db.write(move |_| gate.recv().map_err(|_| Error::Panicked));
        let answers = db.wait(join(first, async {
            assert!(poll_immediate(db.db.write(add(1))).await.is_none());
            assert!(poll_immediate(db.db.jot(add(2))).await.is_none());
            open.send(()).unwrap();
            db.db.write(add(3)).await
        }));
        answers.1.unwrap();
        db.jot(add(4)).unwrap();
        assert_eq!(ids(db), [1, 2, 3, 4]);
    });
}

#[test]
fn the_queue_tells_how_full_it_is() {
    each(|db| {
        assert_eq!(db.db.queue().waiting, 0);
        let (open, gate) = mpsc::sync_channel(1);
        let first = db.db.write(move |_| gate.recv().map_err(|_| Error::Panicked));
        let seen = async {
            assert!(poll_immediate(db.db.write(add(1))).await.is_none());
            let seen = db.db.queue();
            open.send(()).unwrap();
            seen
        };
        let (_, seen) = db.wait(join(first, seen));
        assert_eq!(seen.waiting, 2, "also the one whose caller has gone away");
        assert!(seen.limit > 1_000);
        db.write(add(2)).unwrap();
        assert_eq!(db.db.queue().waiting, 0);
    });
}

#[test]
fn a_full_queue_sends_callers_away() {
    each(|db| {
        let narrow = campanile_store::Options {
            queue_limit: 1,
            queue_time: std::time::Duration::from_millis(50),
            ..options(&db.url)
        };
        let narrow = Db::open(&narrow, &SCHEMA).unwrap();
        let (open, gate) = mpsc::sync_channel(1);
        let first = narrow.write(move |_| gate.recv().map_err(|_| Error::Panicked));
        let refused = async {
            let refused = narrow.write(add(1)).await;
            open.send(()).unwrap();
            refused
        };
        let (first, refused) = db.wait(join(first, refused));
        first.unwrap();
        assert!(matches!(refused, Err(Error::Unavailable(why)) if why.contains("too many")));
        db.wait(narrow.write(add(2))).unwrap();
    });
}

#[test]
fn an_operation_that_waited_too_long_is_not_begun() {
    each(|db| {
        let hasty = campanile_store::Options {
            queue_time: std::time::Duration::ZERO,
            ..options(&db.url)
        };
        let hasty = Db::open(&hasty, &SCHEMA).unwrap();
        let refused = db.wait(hasty.write(add(1)));
        assert!(matches!(refused, Err(Error::Unavailable(why)) if why.contains("waited too long")));
        assert_eq!(ids(db), [0; 0]);
    });
}
