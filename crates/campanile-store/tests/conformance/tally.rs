//! The counters: consecutive, never twice, in the order of the commits, over all servers.

use campanile_store::{Db, Error};

use crate::*;

/// Takes the next number and keeps it as an item.
fn number() -> Operation {
    operation(|tx| {
        let number = tx.tally()?.next("number");
        tx.send(&ADD, &[&number, &number.to_string()])?;
        Ok(number)
    })
}

fn taken(db: &TestDb, from: &[&Db], each: usize) -> Vec<i64> {
    let writes = from.iter().flat_map(|db| (0..each).map(|_| db.write(number())));
    let mut numbers: Vec<i64> = db.wait(join_all(writes)).into_iter().map(Result::unwrap).collect();
    numbers.sort_unstable();
    numbers
}

#[test]
fn concurrent_writers_get_consecutive_numbers() {
    each(|db| {
        assert_eq!(taken(db, &[&db.db], 300), (1..=300).collect::<Vec<_>>());
    });
}

#[test]
fn two_servers_never_get_the_same_number_not_even_the_first() {
    each(|db| {
        let (one, two) = (db.another(), db.another());
        assert_eq!(taken(db, &[&db.db, &one, &two], 100), (1..=300).collect::<Vec<_>>());
    });
}

#[test]
fn whoever_looks_sees_numbers_without_gaps_at_any_time() {
    each(|db| {
        let other = db.another();
        let done = std::cell::Cell::new(false);
        let write = async {
            let writes = (0..200).map(|turn| if turn % 2 == 0 { &db.db } else { &other }.write(number()));
            join_all(writes).await;
            done.set(true);
        };
        let look = async {
            loop {
                let last = done.get();
                let seen = db.db.read(|tx| tx.rows(&IDS, &[], |row| row.get::<i64>(0))).await;
                let seen = seen.unwrap();
                assert_eq!(seen, (1..=seen.len() as i64).collect::<Vec<_>>());
                if last {
                    break seen.len();
                }
                tokio::task::yield_now().await;
            }
        };
        assert_eq!(db.wait(join(write, look)).1, 200);
    });
}

#[test]
fn an_operation_that_is_undone_takes_no_number() {
    each(|db| {
        let undone = || {
            operation(|tx| {
                let number = tx.tally()?.next("number");
                tx.execute(&ADD, &[&number, &"undone"])?;
                Err(Error::Internal("no".into()))
            })
        };
        let refused = || {
            operation(|tx| {
                let number = tx.tally()?.next("number");
                tx.send(&ADD_PART, &[&number, &7_i64, &"note"])?;
                Ok(number)
            })
        };
        let answers = together(db, vec![undone(), number(), refused(), number(), undone(), number()]);
        let numbers: Vec<i64> = answers.into_iter().filter_map(Result::ok).collect();
        assert_eq!(numbers, [1, 2, 3]);
        assert_eq!(db.write(number()).unwrap(), 4);
    });
}

#[test]
fn counters_have_names_and_can_be_set() {
    each(|db| {
        let set = db.write(|tx| {
            let tally = tx.tally()?;
            tally.set("b", 41);
            Ok::<_, Error>((tally.next("a"), tally.next("b"), tally.get("c")))
        });
        assert_eq!(set.unwrap(), (1, 42, 0));
        let got = db.write(|tx| {
            let tally = tx.tally()?;
            Ok::<_, Error>((tally.get("a"), tally.get("b"), tally.next("c")))
        });
        assert_eq!(got.unwrap(), (1, 42, 1));
    });
}

#[test]
fn a_counter_that_another_server_begins_is_seen() {
    each(|db| {
        let other = db.another();
        let next = |name: &'static str| operation(move |tx| Ok(tx.tally()?.next(name)));
        assert_eq!(db.write(next("a")).unwrap(), 1);
        assert_eq!(db.wait(other.write(next("b"))).unwrap(), 1);
        assert_eq!(db.write(next("b")).unwrap(), 2);
    });
}

#[test]
fn only_ordered_writes_have_the_tally() {
    each(|db| {
        let jotted = db.jot(|tx| tx.tally().map(|tally| tally.next("number")));
        assert!(matches!(jotted, Err(Error::Internal(_))));
        let read = db.read(|tx| tx.tally().map(|tally| tally.get("number")));
        assert!(matches!(read, Err(Error::Internal(_))));
        let scanned = db.wait(db.db.scan(|tx| tx.tally().map(|tally| tally.get("number"))));
        assert!(matches!(scanned, Err(Error::Internal(_))));
    });
}

#[test]
fn where_the_counters_cannot_be_written_nothing_is_kept() {
    each(|db| {
        let impossible = operation(|tx| {
            tx.tally()?.set("a name with a \0", 1);
            tx.execute(&ADD, &[&1_i64, &"one"])?;
            Ok(1)
        });
        let answers = together(db, vec![add(2), impossible]);
        assert!(answers[1].is_err(), "{answers:?}");
        // Who shares the commit shares its fate; on a busy machine the other one may have had a commit of its own.
        let kept: Vec<i64> = answers.into_iter().flatten().collect();
        assert_eq!(ids(db), kept);
        assert_eq!(db.write(number()).unwrap(), 1);
    });
}
