//! Many entries in one operation: what is looked up together, kept between operations, and rehearsed.

use campanile_core::directory::{self, Applied, Edit, Entry, Known};
use campanile_core::error::{Error, Result};
use campanile_core::schema::SCHEMA;
use campanile_store::Tx;
use campanile_store::testing::{TestDb, each_database};

use crate::world::{BASE, NOW, all, entries, one, revision, run};

/// A file in which lines rest on lines before them, some of them bad, some said twice.
const FILE: &str = r#"
{"kind":"user","id":"a","login":"a","name":"A","customer":17}
{"kind":"user","id":"b","login":"A","name":"B"}
{"kind":"user","id":"b","login":"b","name":"B","customer":99}
{"kind":"user","id":"b","login":"b","name":"B"}
{"kind":"membership","user":"a","on":{"environment":"DEFAULT"},"role":"USER"}
{"kind":"membership","user":"a","on":{"environment":"DEFAULT"},"role":"USER"}
{"kind":"membership","user":"c\u0000","on":{"environment":"DEFAULT"},"role":"USER"}
{"kind":"user","id":"z\u0000","login":"z\u0000","name":"Z"}
{"kind":"membership","user":"c","on":{"environment":"DEFAULT"},"role":"USER"}
{"kind":"user","id":"c","login":"c","name":"C"}
{"kind":"membership","user":"c","on":{"environment":"DEFAULT"},"role":"USER"}
{"kind":"membership","user":"u-ann","on":{"environment":"DEFAULT"},"role":"USER"}
{"kind":"membership","user":"u-bob","on":{"environment":"DEFAULT"},"role":"USER"}
{"kind":"remove","of":"membership","user":"u-bob","on":{"environment":"DEFAULT"},"role":"USER"}
{"kind":"membership","user":"u-bob","on":{"environment":"DEFAULT"},"role":"USER"}
{"kind":"user","id":"a","login":"a2","name":"A","customer":17}
{"kind":"user","id":"d","login":"a","name":"D"}
{"kind":"user","id":"a","login":"d","name":"A"}
{"kind":"customer","id":30,"name":"N","parent":31}
{"kind":"customer","id":31,"name":"N"}
{"kind":"customer","id":30,"name":"N","parent":31}
{"kind":"customer","id":31,"name":"N","parent":30}
{"kind":"group","id":"n","name":"N"}
{"kind":"api","id":"n","name":"N","environment":"DEFAULT","groups":["n"]}
{"kind":"api","id":"n","name":"N","environment":"DEFAULT","groups":["n"]}
{"kind":"application","id":"n","name":"N","environment":"DEFAULT","groups":["n","m"]}
{"kind":"application","id":"n","name":"N","environment":"DEFAULT"}
{"kind":"subscription","id":"n","api":"n","application":"n","status":"PENDING","subscribed_by":"d"}
{"kind":"subscription","id":"n","status":"PENDING","subscribed_by":"d"}
{"kind":"subscription","id":"n","status":"ACCEPTED","subscribed_by":"nobody"}
{"kind":"role","scope":"API","name":"N","permissions":{"MEMBER":"R"}}
{"kind":"membership","user":"d","on":{"group":"n"},"role":"N","scope":"API"}
{"kind":"membership","user":"d","on":{"group":"n"},"role":"N","scope":"APPLICATION"}
{"kind":"remove","of":"user","id":"d"}
{"kind":"remove","of":"user","id":"d"}
{"kind":"user","id":"d"}
{"kind":"remove","of":"api","id":"n"}
{"kind":"membership","user":"d","on":{"api":"n"},"role":"N"}
{"kind":"api","id":"n","name":"N","environment":"DEFAULT"}
{"kind":"membership","user":"d","on":{"api":"n"},"role":"N"}
{"kind":"user","id":"x","login":"x","name":"X"}
{"kind":"membership","user":"x","on":{"organization":"DEFAULT"},"role":"ADMIN"}
{"kind":"remove","of":"user","id":"x"}
{"kind":"membership","user":"d","on":{"organization":"DEFAULT"},"role":"ADMIN"}
{"kind":"remove","of":"membership","user":"x","on":{"organization":"DEFAULT"},"role":"ADMIN"}
{"kind":"membership","user":"x","on":{"organization":"DEFAULT"},"role":"ADMIN"}
{"kind":"remove","of":"user","id":"d"}
{"kind":"remove","of":"membership","user":"x","on":{"organization":"DEFAULT"},"role":"ADMIN"}
{"kind":"user","id":"d"}
{"kind":"remove","of":"user","id":"x"}
"#;

/// What every line comes to when lines are applied in operations of so many.
fn by(db: &TestDb, size: usize, rehearsal: bool) -> Vec<std::result::Result<Applied, String>> {
    let mut known = Known::default();
    let mut out = Vec::new();
    for block in entries(FILE).chunks(size) {
        let block = block.to_vec();
        let work = move |tx: &mut Tx<'_>| apply(tx, known, &block, rehearsal);
        let (back, outcomes) = if rehearsal { db.read(work) } else { db.write(work) }.expect("it is no fault");
        known = back;
        out.extend(outcomes);
    }
    out
}

type Outcomes = Vec<std::result::Result<Applied, String>>;

fn apply(tx: &mut Tx<'_>, known: Known, block: &[Entry], rehearsal: bool) -> Result<(Known, Outcomes)> {
    let mut edit = if rehearsal {
        Edit::rehearse(tx, known, NOW)
    } else {
        Edit::begin(tx, known, NOW)?
    };
    let mut out = Vec::new();
    edit.apply_block(block, |outcome| {
        out.push(match outcome {
            Ok(applied) => Ok(applied),
            Err(error @ Error::Invalid(_)) => Err(error.to_string()),
            Err(error) => return Err(error),
        });
        Ok(())
    })?;
    Ok((edit.finish(), out))
}

#[test]
fn operations_of_any_size_come_to_the_same() {
    each_database(&SCHEMA, |db| {
        all(db, BASE);
        let start = revision(db);
        let wanted = run(db, FILE);
        let taken = revision(db) - start;
        let changes = wanted
            .iter()
            .filter(|outcome| matches!(outcome, Ok(Applied::Created | Applied::Changed)));
        assert_eq!(changes.count() as i64, taken);
        assert!(wanted.iter().filter(|outcome| outcome.is_err()).count() > 5);
    });
    for size in [1, 2, 7, 100] {
        each_database(&SCHEMA, |db| {
            all(db, BASE);
            let wanted = campanile_store::testing::sqlite(&SCHEMA);
            all(&wanted, BASE);
            assert_eq!(by(db, size, false), run(&wanted, FILE), "by {size}");
        });
    }
}

#[test]
fn a_rehearsal_comes_to_the_same_and_writes_nothing() {
    each_database(&SCHEMA, |db| {
        all(db, BASE);
        let before = revision(db);
        for size in [1, 7, 100] {
            let rehearsed = by(db, size, true);
            assert_eq!(revision(db), before);
            let real = campanile_store::testing::sqlite(&SCHEMA);
            all(&real, BASE);
            assert_eq!(rehearsed, run(&real, FILE), "by {size}");
        }
        all(db, BASE);
        assert_eq!(revision(db), before);
    });
}

#[test]
fn what_was_looked_up_is_forgotten_when_somebody_else_was_there() {
    each_database(&SCHEMA, |db| {
        all(db, BASE);
        let line = r#"{"kind":"user","id":"u-bob","login":"bob","name":"Bob","customer":17}"#;
        let (known, _) = write(db, Known::default(), line);
        // Behind the back of what is known.
        one(db, r#"{"kind":"user","id":"u-bob","customer":3}"#);
        let (known, applied) = write(db, known, line);
        assert_eq!(applied, Applied::Changed);
        let (_, applied) = write(db, known, line);
        assert_eq!(applied, Applied::Unchanged);
    });
}

fn write(db: &TestDb, known: Known, line: &str) -> (Known, Applied) {
    let entry = entries(line).remove(0);
    db.write(move |tx| {
        let mut edit = Edit::begin(tx, known, NOW)?;
        let applied = edit.apply(&entry)?;
        Ok::<_, Error>((edit.finish(), applied))
    })
    .expect("it is no fault")
}

#[test]
fn a_thousand_entries_are_one_signal_and_a_revision_each() {
    each_database(&SCHEMA, |db| {
        let mut signals = db.db.signals();
        let file: Vec<String> = (0..1_000)
            .map(|at| format!(r#"{{"kind":"user","id":"{at}","login":"{at}","name":"N"}}"#))
            .collect();
        let block = entries(&file.join("\n"));
        db.write(move |tx| apply(tx, Known::default(), &block, false)).unwrap();
        assert_eq!(revision(db), 1_000);
        let heard = db.wait(signals.recv()).unwrap();
        assert_eq!(heard.len(), 1);
        let known = db.read(|tx| directory::list::user(tx, "999")).unwrap();
        assert_eq!(known.number, 1_000);
    });
}
