//! One operation: kept as a whole or not at all.

use campanile_store::{Constraint, Error};

use crate::*;

#[test]
fn a_write_is_seen_by_the_next_read_and_by_whoever_opens_the_database() {
    each(|db| {
        db.write(add(1)).unwrap();
        assert_eq!(ids(db), [1]);
        let other = db.another();
        let seen = db.wait(other.read(|tx| tx.rows(&IDS, &[], |row| row.get::<i64>(0))));
        assert_eq!(seen.unwrap(), [1]);
    });
}

#[test]
fn a_jot_is_kept_too() {
    each(|db| {
        db.jot(add(1)).unwrap();
        assert_eq!(ids(db), [1]);
    });
}

#[test]
fn a_failing_closure_leaves_nothing_not_even_what_it_sent() {
    each(|db| {
        let result = db.write(|tx| {
            tx.execute(&ADD, &[&1_i64, &"one"])?;
            tx.send(&ADD, &[&2_i64, &"two"])?;
            Err::<(), _>(Error::Internal("changed my mind".into()))
        });
        assert!(matches!(result, Err(Error::Internal(why)) if why == "changed my mind"));
        assert_eq!(ids(db), [0; 0]);
    });
}

#[test]
fn a_closure_that_panics_is_undone_and_the_thread_lives_on() {
    each(|db| {
        let result = db.write(|tx| {
            tx.execute(&ADD, &[&1_i64, &"one"])?;
            tx.send(&ADD, &[&2_i64, &"two"])?;
            assert_eq!(1, 2, "a panic on purpose");
            Ok::<(), Error>(())
        });
        assert!(matches!(result, Err(Error::Panicked)));
        db.write(add(3)).unwrap();
        assert_eq!(ids(db), [3]);
    });
}

#[test]
fn a_panic_while_a_row_is_looked_at_is_undone_too() {
    each(|db| {
        db.write(add(1)).unwrap();
        let result = db.write(|tx| {
            tx.execute(&ADD, &[&2_i64, &"two"])?;
            tx.each::<Error>(&IDS, &[], |_| panic!("a panic on purpose"))
        });
        assert!(matches!(result, Err(Error::Panicked)));
        db.write(add(3)).unwrap();
        assert_eq!(ids(db), [1, 3]);
    });
}

fn refusal(db: &TestDb, work: Operation) -> Constraint {
    match db.write(work) {
        Err(Error::Constraint { kind, .. }) => kind,
        other => panic!("expected a constraint to refuse, got {other:?}"),
    }
}

#[test]
fn a_second_row_of_one_name_is_refused_as_unique() {
    each(|db| {
        db.write(add(1)).unwrap();
        let again = operation(|tx| tx.execute(&ADD, &[&2_i64, &"1"]).map(|_| 0));
        assert_eq!(refusal(db, again), Constraint::Unique);
    });
}

#[test]
fn a_second_row_of_one_id_is_refused_as_unique() {
    each(|db| {
        db.write(add(1)).unwrap();
        let again = operation(|tx| tx.execute(&ADD, &[&1_i64, &"another"]).map(|_| 0));
        assert_eq!(refusal(db, again), Constraint::Unique);
    });
}

#[test]
fn a_row_that_points_nowhere_is_refused_as_reference() {
    each(|db| {
        let part = operation(|tx| tx.execute(&ADD_PART, &[&1_i64, &7_i64, &"note"]).map(|_| 0));
        assert_eq!(refusal(db, part), Constraint::Reference);
    });
}

#[test]
fn a_missing_value_is_refused_as_check() {
    each(|db| {
        let nameless = operation(|tx| tx.execute(&ADD, &[&1_i64, &None::<String>]).map(|_| 0));
        assert_eq!(refusal(db, nameless), Constraint::Check);
    });
}

#[test]
fn a_value_out_of_bounds_is_refused_as_check() {
    each(|db| assert_eq!(refusal(db, add(1_000_000)), Constraint::Check));
}

#[test]
fn a_row_that_was_sent_and_refused_fails_its_operation_with_the_reason() {
    each(|db| {
        db.write(add(1)).unwrap();
        assert_eq!(refusal(db, send(1)), Constraint::Unique);
        assert_eq!(ids(db), [1]);
    });
}

#[test]
fn after_a_failed_statement_every_later_one_gives_its_error() {
    each(|db| {
        let later = db.write(|tx| {
            let _ = tx.execute(&ADD_PART, &[&1_i64, &7_i64, &"note"]);
            Ok::<_, Error>((
                tx.execute(&ADD, &[&1_i64, &"one"]).map(|_| ()),
                tx.one(&COUNT, &[], |row| row.get::<i64>(0)).map(|_| ()),
            ))
        });
        assert!(matches!(
            later,
            Err(Error::Constraint {
                kind: Constraint::Reference,
                ..
            })
        ));
        assert_eq!(ids(db), [0; 0]);
    });
}

#[test]
fn a_closure_cannot_swallow_the_failure_of_a_statement() {
    each(|db| {
        let swallowed = operation(|tx| {
            tx.execute(&ADD, &[&1_i64, &"one"])?;
            let _ = tx.execute(&ADD, &[&1_i64, &"one"]);
            Ok(1)
        });
        assert_eq!(refusal(db, swallowed), Constraint::Unique);
        assert_eq!(ids(db), [0; 0]);
    });
}

#[test]
fn what_was_sent_first_is_the_error_that_is_told() {
    each(|db| {
        let both = operation(|tx| {
            tx.send(&ADD, &[&1_i64, &"one"])?;
            tx.send(&ADD, &[&2_i64, &"one"])?;
            tx.send(&ADD_PART, &[&1_i64, &7_i64, &"note"])?;
            tx.one(&COUNT, &[], |row| row.get(0))
        });
        assert_eq!(refusal(db, both), Constraint::Unique);
    });
}

#[test]
fn what_was_sent_is_seen_by_the_next_statement_in_the_order_of_sending() {
    each(|db| {
        let seen = db.write(|tx| {
            tx.send(&ADD, &[&1_i64, &"one"])?;
            tx.send(&RENAME, &[&"two", &1_i64])?;
            tx.one(&NAME, &[&1_i64], |row| row.get::<String>(0))
        });
        assert_eq!(seen.unwrap(), "two");
    });
}

#[test]
fn more_may_be_sent_than_a_connection_holds_at_once() {
    each(|db| {
        db.write(|tx| {
            for id in 0..5_000_i64 {
                tx.send(&ADD, &[&id, &format!("item {id} {}", "x".repeat(100))])?;
            }
            Ok::<_, Error>(())
        })
        .unwrap();
        assert_eq!(ids(db).len(), 5_000);
    });
}

#[test]
fn an_operation_that_says_nothing_to_the_database_is_fine() {
    each(|db| {
        assert_eq!(db.write(|_| Ok::<_, Error>(7)).unwrap(), 7);
        db.write(add(1)).unwrap();
        assert_eq!(ids(db), [1]);
    });
}

#[test]
fn an_error_of_the_closure_for_rows_does_not_end_the_operation() {
    each(|db| {
        db.write(add(1)).unwrap();
        db.write(|tx| {
            let stopped = tx.each(&IDS, &[], |_| Err(Error::Internal("enough".into())));
            assert!(matches!(stopped, Err(Error::Internal(why)) if why == "enough"));
            tx.execute(&ADD, &[&2_i64, &"two"])
        })
        .unwrap();
        assert_eq!(ids(db), [1, 2]);
    });
}
