//! A whole database copied into another, from each kind to each kind.

use std::path::Path;

use campanile_store::moving::{self, Move, Progress, Report, Stage};
use campanile_store::testing::{self, TestDb, options};
use campanile_store::{Constraint, Db, Sql};

use crate::*;

/// Everything that a schema may have: keys of several columns, of text, numbers that the database gives, references.
static HOUSE: Schema = Schema {
    migrations: &[Migration {
        number: 1,
        name: "0001_house.sql",
        sql: "CREATE TABLE room (id {id} PRIMARY KEY, name TEXT NOT NULL UNIQUE, warm BOOLEAN, plan {blob});
              CREATE TABLE thing (room BIGINT NOT NULL REFERENCES room (id), name TEXT NOT NULL, worth BIGINT,
                  seen BIGINT NOT NULL, PRIMARY KEY (name, room)) {clustered};
              CREATE INDEX thing_room ON thing (room, worth);
              CREATE UNIQUE INDEX thing_worth ON thing (worth) WHERE worth < 0;
              CREATE TABLE entry (id {serial} PRIMARY KEY, said TEXT NOT NULL);
              INSERT INTO room (id, name) VALUES (1, 'hall');",
        oldest: 1,
    }],
};

campanile_store::sql! {
    ROOMS = "INSERT INTO room (id, name, warm, plan)
        WITH RECURSIVE n (i) AS (SELECT CAST(2 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < 6000)
        SELECT i, 'room ' || i, CASE i % 3 WHEN 0 THEN TRUE WHEN 1 THEN FALSE END,
            CASE WHEN i % 2 = 0 THEN CAST('plan' AS {blob}) END FROM n";
    THINGS = "INSERT INTO thing (room, name, worth, seen) VALUES
        (1, 'Äpfel', NULL, 7), (1, 'Zange', -3, 8), (1, 'apple', 9223372036854775807, 9), (2, 'apple', 0, 10),
        (3, '', -9223372036854775807, 11), (4, 'it''s\n', 5, 12)";
    SAY = "INSERT INTO entry (said) VALUES ('something')";
    LAST_SAID = "SELECT MAX(id) FROM entry";
    HOMELESS = "INSERT INTO thing (room, name, seen) VALUES (99999, 'key', 0)";
    TWICE = "INSERT INTO thing (room, name, worth, seen) VALUES (1, 'other', -3, 0)";
    COOL = "UPDATE room SET warm = FALSE WHERE id = 3";
    SWAP = "UPDATE thing SET room = 5 WHERE name = 'apple' AND room = 2";
    SEEN = "SELECT MAX(seen) FROM thing";
    LAST_ROOM = "SELECT MAX(id) FROM room";
    GROW = "INSERT INTO room (id, name) VALUES (20000, 'attic')";
}

/// A filled source of each kind, and an empty target of each kind.
fn each_way(test: impl Fn(&TestDb, &str)) {
    let folder = tempfile::tempdir().unwrap();
    let mut number = 0;
    let mut file = || {
        number += 1;
        Some(format!(
            "sqlite://{}",
            folder.path().join(format!("{number}.db")).display()
        ))
    };
    for target in [file(), testing::postgres_url()].into_iter().flatten() {
        let source = testing::sqlite(&HOUSE);
        source.write(fill).unwrap();
        test(&source, &target);
    }
    for target in [file(), testing::postgres_url()].into_iter().flatten() {
        if let Some(source) = testing::postgres(&HOUSE) {
            source.write(fill).unwrap();
            test(&source, &target);
        }
    }
}

fn fill(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.tally()?.set("room", 6_000);
    for sql in [&ROOMS, &THINGS, &SAY, &SAY] {
        tx.execute(sql, &[])?;
    }
    Ok(())
}

fn task<'a>(source: &'a TestDb, to: &'a str) -> Move<'a> {
    Move {
        from: &source.url,
        to,
        schema: &HOUSE,
        telltale: "entry",
        local: &[("thing", "seen")],
        anew: false,
    }
}

fn copied(task: &Move<'_>) -> Result<Report, Error> {
    moving::copy(task, &mut |_| Ok(()))
}

/// Copies until so many batches or indexes are done, and is then cut off.
fn cut(task: &Move<'_>, after: u32) -> Result<Report, Error> {
    let mut left = after;
    moving::copy(task, &mut |_: &Progress| {
        left = left.checked_sub(1).ok_or(Error::Timeout)?;
        Ok(())
    })
}

fn opened(url: &str) -> Result<Db, Error> {
    Db::open(&options(url), &HOUSE)
}

fn done(source: &TestDb, url: &str, sql: &'static Sql) -> Result<u64, Error> {
    let db = opened(url)?;
    source.wait(db.write(move |tx| tx.execute(sql, &[])))
}

fn number(source: &TestDb, url: &str, sql: &'static Sql) -> i64 {
    let db = opened(url).unwrap();
    let read = db.read(move |tx| tx.one(sql, &[], |row| row.get::<Option<i64>>(0)));
    source.wait(read).unwrap().unwrap()
}

fn refusal(result: Result<impl Sized, Error>) -> String {
    result.map(|_| ()).unwrap_err().to_string()
}

#[test]
fn a_copy_has_every_row_and_goes_on_as_the_source_would() {
    each_way(|source, target| {
        let task = task(source, target);
        let report = copied(&task).unwrap();
        let rows: Vec<_> = report
            .tables
            .iter()
            .map(|(name, rows)| (name.as_str(), *rows))
            .collect();
        assert_eq!(rows, [("entry", 2), ("room", 6_000), ("tally", 1), ("thing", 6)]);
        assert_eq!((report.different, report.found, report.again), (0, 0, false));
        assert!(report.source_in_use, "the test has it open");
        assert_eq!(moving::verify(&task, &mut |_| Ok(())).unwrap().different, 0);
        // The number that is given next, what refers to nothing, and what is there already.
        done(source, target, &SAY).unwrap();
        assert_eq!(number(source, target, &LAST_SAID), 3);
        assert_eq!(
            number(source, target, &SEEN),
            0,
            "it means something in the source alone"
        );
        for (sql, kind) in [(&HOMELESS, Constraint::Reference), (&TWICE, Constraint::Unique)] {
            let refused = done(source, target, sql);
            assert!(
                matches!(&refused, Err(Error::Constraint { kind: found, .. }) if *found == kind),
                "{refused:?}"
            );
        }
    });
}

#[test]
fn a_copy_that_was_cut_off_anywhere_goes_on_and_opens_only_in_the_end() {
    each_way(|source, target| {
        let task = task(source, target);
        let mut cuts = 0;
        // Each time it gets a step further; no step is the last before the end.
        let report = loop {
            match cut(&task, cuts) {
                Ok(report) => break report,
                Err(Error::Timeout) => cuts += 1,
                Err(other) => panic!("{other}"),
            }
            let why = refusal(opened(target));
            assert!(why.contains("a copy that is not finished"), "{why}");
        };
        assert!(cuts > 5, "it was cut off {cuts} times");
        assert_eq!((report.different, report.found, report.again), (0, 6_009, false));
        opened(target).unwrap();
        assert_eq!(moving::verify(&task, &mut |_| Ok(())).unwrap().different, 0);
    });
}

#[test]
fn what_was_changed_behind_its_back_is_named_by_table_and_key() {
    each_way(|source, target| {
        let task = task(source, target);
        copied(&task).unwrap();
        done(source, target, &COOL).unwrap();
        done(source, target, &SWAP).unwrap();
        let report = moving::verify(&task, &mut |_| Ok(())).unwrap();
        let told: Vec<_> = report
            .differences
            .iter()
            .map(|one| format!("{}: {}", one.row, one.what))
            .collect();
        assert_eq!(
            told,
            [
                "room (3): warm",
                "thing (\"apple\", 2): missing",
                "thing (\"apple\", 5): not in the source"
            ]
        );
        assert_eq!(report.different, 3);
    });
}

#[test]
fn a_source_that_was_changed_between_is_copied_again() {
    each_way(|source, target| {
        let task = task(source, target);
        // All rooms are there.
        assert!(matches!(cut(&task, 4), Err(Error::Timeout)));
        source.write(|tx| tx.execute(&COOL, &[])).unwrap();
        let report = copied(&task).unwrap();
        assert_eq!((report.different, report.again), (0, true));
        opened(target).unwrap();
    });
}

#[test]
fn an_unfinished_copy_of_another_source_is_thrown_away_only_when_told_so() {
    each_way(|source, target| {
        let task = task(source, target);
        assert!(matches!(cut(&task, 1), Err(Error::Timeout)));
        source.write(|tx| tx.execute(&GROW, &[])).unwrap();
        let why = refusal(copied(&task));
        assert!(why.contains("--anew"), "{why}");
        let report = copied(&Move { anew: true, ..task }).unwrap();
        assert_eq!((report.different, report.found), (0, 0));
        opened(target).unwrap();
    });
}

#[test]
fn a_target_that_holds_something_or_is_in_use_is_refused() {
    each_way(|source, target| {
        let task = task(source, target);
        let db = opened(target).unwrap();
        let why = refusal(copied(&task));
        assert!(why.contains("in use"), "{why}");
        source.wait(db.write(|tx| tx.execute(&SAY, &[]))).unwrap();
        drop(db);
        for anew in [false, true] {
            let why = refusal(copied(&Move { anew, ..task }));
            assert!(why.contains("not empty"), "{why}");
        }
        assert_eq!(number(source, target, &LAST_ROOM), 1, "nothing was taken away");
    });
}

#[test]
fn no_other_copy_goes_into_a_target_at_the_same_time() {
    each_way(|source, target| {
        let task = task(source, target);
        let mut whys = Vec::new();
        let report = moving::copy(&task, &mut |_| {
            whys.push(refusal(copied(&task)));
            Ok(())
        });
        assert_eq!(report.unwrap().different, 0);
        assert!(
            !whys.is_empty() && whys.iter().all(|why| why.contains("in use")),
            "{whys:?}"
        );
    });
}

#[test]
fn a_source_of_an_older_schema_is_not_touched() {
    static NEWER: Schema = Schema {
        migrations: &[
            HOUSE.migrations[0],
            Migration {
                number: 2,
                name: "0002_garden.sql",
                sql: "CREATE TABLE garden (id {id} PRIMARY KEY)",
                oldest: 1,
            },
        ],
    };
    each_way(|source, target| {
        let task = Move {
            schema: &NEWER,
            ..task(source, target)
        };
        let why = refusal(copied(&task));
        assert!(why.contains("0002_garden.sql has not run"), "{why}");
        opened(&source.url).unwrap();
    });
}

#[test]
fn a_source_that_is_not_there_is_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("nowhere.db");
    let (from, to) = (
        format!("sqlite://{}", nowhere.display()),
        format!("sqlite://{}", folder.path().join("b.db").display()),
    );
    let task = Move {
        from: &from,
        to: &to,
        schema: &HOUSE,
        telltale: "entry",
        local: &[],
        anew: false,
    };
    assert!(matches!(copied(&task), Err(Error::Unavailable(_))));
    assert!(!Path::new(&nowhere).exists());
}

#[test]
fn progress_counts_the_rows_of_each_stage() {
    each_way(|source, target| {
        let mut last = [0; 3];
        moving::copy(&task(source, target), &mut |at| {
            let place = match at.stage {
                Stage::Copying => 0,
                Stage::Comparing => 1,
                Stage::Indexing => 2,
            };
            assert!(
                at.done > last[place] && (at.total == 0 || at.done <= at.total),
                "{at:?}"
            );
            last[place] = at.done;
            Ok(())
        })
        .unwrap();
        assert_eq!(last[..2], [6_009, 6_009]);
        assert!(last[2] >= 2, "indexes and references: {last:?}");
    });
}
