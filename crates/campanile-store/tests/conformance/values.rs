//! Parameters and columns: the same values on both databases.

use campanile_store::testing::each_database;
use campanile_store::{Cell, Constraint, Error, Param};

use crate::*;

static VALUES: Schema = Schema {
    migrations: &[Migration {
        number: 1,
        name: "0001_values.sql",
        sql: "CREATE TABLE value (id {id} PRIMARY KEY, number BIGINT, flag BOOLEAN, text TEXT, bytes {blob})",
        oldest: 1,
    }],
};

mod of {
    campanile_store::sql! {
        PUT = "INSERT INTO value (id, number, flag, text, bytes) VALUES ($1, $2, $3, $4, $5)
               ON CONFLICT (id) DO UPDATE SET number = excluded.number, flag = excluded.flag, text = excluded.text,
               bytes = excluded.bytes";
        GET = "SELECT number, flag, text, bytes FROM value WHERE id = $1";
    }

    pub(super) fn put() -> &'static campanile_store::Sql {
        STATEMENTS[0]
    }

    pub(super) fn get() -> &'static campanile_store::Sql {
        STATEMENTS[1]
    }
}

type Line = (Option<i64>, Option<bool>, Option<String>, Option<Vec<u8>>);

fn round_trip(db: &TestDb, line: &Line, by_send: bool) -> Line {
    let sent = line.clone();
    db.write(move |tx| {
        let params: [&dyn Param; 5] = [&1_i64, &sent.0, &sent.1, &sent.2, &sent.3];
        if by_send {
            tx.send(of::put(), &params)
        } else {
            tx.execute(of::put(), &params).map(|_| ())
        }
    })
    .unwrap();
    db.read(|tx| {
        tx.one(of::get(), &[&1_i64], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })
    })
    .unwrap()
}

#[test]
fn values_come_back_as_they_went() {
    let lines: [Line; 5] = [
        (None, None, None, None),
        (Some(0), Some(false), Some(String::new()), Some(Vec::new())),
        (
            Some(i64::MIN),
            Some(true),
            Some("ä€𝄞\n'\"\\".into()),
            Some(vec![0, 1, 254, 255]),
        ),
        (
            Some(i64::MAX),
            Some(true),
            Some("x".repeat(70_000)),
            Some(vec![0; 70_000]),
        ),
        (Some(-1), None, Some(" ".into()), None),
    ];
    each_database(&VALUES, |db| {
        for line in &lines {
            assert_eq!(&round_trip(db, line, false), line);
            assert_eq!(&round_trip(db, line, true), line);
        }
    });
}

#[test]
fn parameters_may_stand_in_any_order_and_repeat() {
    each(|db| {
        let row = db.read(|tx| {
            tx.one(&SWAPPED, &[&7_i64, &"seven"], |row| {
                Ok((row.get::<String>(0)?, row.get::<i64>(1)?, row.get::<String>(2)?))
            })
        });
        assert_eq!(row.unwrap(), ("seven".into(), 7, "seven".into()));
    });
}

#[test]
fn borrowed_parameters_are_taken_too() {
    each(|db| {
        db.write(|tx| {
            tx.send(&ADD_BODY, &[&1_i64, &"text", &[1_u8, 2].as_slice()])?;
            tx.execute(&ADD_BODY, &[&2_i64, &String::from("owned"), &Some(vec![3_u8])])
        })
        .unwrap();
        assert_eq!(ids(db), [1, 2]);
    });
}

#[test]
fn a_wrong_number_of_parameters_is_a_defect_that_is_named() {
    each(|db| {
        let few: Result<u64, Error> = db.write(|tx| tx.execute(&ADD, &[&1_i64]));
        assert!(matches!(few, Err(Error::Internal(why)) if why.contains("ADD")));
        let many = db.write(|tx| tx.send(&ADD, &[&1_i64, &"one", &"more"]));
        assert!(matches!(many, Err(Error::Internal(why)) if why.contains("ADD")));
        assert_eq!(ids(db), [0; 0]);
    });
}

#[test]
fn a_column_of_another_type_is_a_defect() {
    fn read<T: Cell + Send + 'static>(db: &TestDb) -> Result<T, Error> {
        db.read(|tx| tx.one(&SWAPPED, &[&7_i64, &"seven"], |row| row.get(0)))
    }
    each(|db| {
        assert!(matches!(read::<i64>(db), Err(Error::Internal(_))));
        assert!(matches!(read::<Vec<u8>>(db), Err(Error::Internal(_))));
        assert!(read::<String>(db).is_ok());
    });
}

#[test]
fn a_text_with_a_nul_is_refused_as_check() {
    each(|db| {
        let owned = db.write(|tx| tx.execute(&ADD, &[&1_i64, &String::from("a\0b")]));
        let sent = db.write(|tx| tx.send(&ADD, &[&1_i64, &"a\0b"]));
        let read = db.read(|tx| tx.first(&SWAPPED, &[&1_i64, &Some("\0")], |_| Ok(())));
        for result in [owned.map(|_| ()), sent, read.map(|_| ())] {
            assert!(
                matches!(
                    result,
                    Err(Error::Constraint {
                        kind: Constraint::Check,
                        ..
                    })
                ),
                "{result:?}"
            );
        }
    });
}

#[test]
fn every_statement_can_be_prepared() {
    each(|db| {
        db.read(|tx| {
            for sql in campanile_store::statements().chain(STATEMENTS.iter().copied()) {
                tx.prepare(sql)?;
            }
            Ok::<_, Error>(())
        })
        .unwrap();
    });
}

#[test]
fn a_statement_that_cannot_be_prepared_is_named() {
    static WRONG: campanile_store::Sql = campanile_store::Sql::new("conformance::WRONG", "SELECT nothing FROM nowhere");
    each(|db| {
        let wrong = db.read(|tx| tx.prepare(&WRONG));
        assert!(matches!(wrong, Err(Error::Internal(why)) if why.contains("conformance::WRONG")));
        assert_eq!(ids(db), [0; 0]);
    });
}

#[test]
fn a_join_is_planned_once() {
    each(|db| {
        let replans = db.read(|tx| {
            for turn in 0..3_i64 {
                tx.rows(&JOINED, &[&format!("name {turn}"), &"note", &turn], |row| {
                    row.get::<i64>(0)
                })?;
            }
            tx.replans(&JOINED)
        });
        assert_eq!(replans.unwrap(), 0);
    });
}
