//! What the tests of the directory share: entries as lines of a file, and looking into tables.

use std::task::Poll;

use campanile_core::Error;
use campanile_core::directory::{self, Applied, Entry};
use campanile_core::time::Moment;
use campanile_store::sql;
use campanile_store::testing::TestDb;

sql! {
    REVISION = "SELECT value FROM tally WHERE name = 'revision'";
    DIRECTORY = "SELECT value FROM tally WHERE name = 'directory'";
    EMPTY_INTERVALS = "SELECT COUNT(*) FROM (
        SELECT since, until FROM life UNION ALL SELECT since, until FROM membership
        UNION ALL SELECT since, until FROM residence UNION ALL SELECT since, until FROM parentage
        UNION ALL SELECT since, until FROM lineage UNION ALL SELECT since, until FROM attachment
        UNION ALL SELECT since, until FROM term) f WHERE f.since >= f.until";
}

/// The time of every operation.
pub(crate) const NOW: Moment = Moment(1_780_000_000_000);

/// A small directory that most tests start from.
pub(crate) const BASE: &str = r#"
{"kind":"customer","id":3,"name":"Partner"}
{"kind":"customer","id":17,"name":"Acme","parent":3}
{"kind":"environment","id":"TEST","name":"Test"}
{"kind":"user","id":"u-ann","login":"ann","name":"Ann Lee","email":"ann@example.com","customer":17,"locale":"en"}
{"kind":"user","id":"u-bob","login":"bob","name":"Bob"}
{"kind":"role","scope":"ENVIRONMENT","name":"AUDITOR","permissions":{"MESSAGE":"R"}}
{"kind":"group","id":"g-1","name":"Team"}
{"kind":"group","id":"g-2","name":"Crew"}
{"kind":"api","id":"pets","name":"Pets","environment":"DEFAULT","groups":["g-1"]}
{"kind":"application","id":"app-1","name":"Shop","environment":"DEFAULT","groups":["g-1"]}
{"kind":"subscription","id":"s-1","api":"pets","application":"app-1","status":"ACCEPTED","subscribed_by":"u-ann"}
{"kind":"membership","user":"u-ann","on":{"environment":"DEFAULT"},"role":"USER"}
{"kind":"membership","user":"u-ann","on":{"group":"g-1"},"role":"USER","scope":"APPLICATION"}
{"kind":"membership","user":"u-ann","on":{"api":"pets"},"role":"OWNER"}
{"kind":"membership","user":"u-bob","on":{"application":"app-1"},"role":"PRIMARY_OWNER"}
{"kind":"membership","user":"u-bob","on":{"organization":"DEFAULT"},"role":"ADMIN"}
"#;

/// The entries of a file.
pub(crate) fn entries(lines: &str) -> Vec<Entry> {
    let lines = lines.lines().filter(|line| !line.is_empty());
    lines
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}")))
        .collect()
}

/// Applies each line as an operation of its own; a fault as "field: reason". They wait together, so that they share
/// commits.
pub(crate) fn run(db: &TestDb, lines: &str) -> Vec<Result<Applied, String>> {
    let apply = |entry: Entry| Box::pin(db.db.write(move |tx| directory::apply(tx, &entry, NOW)));
    let mut waiting: Vec<_> = entries(lines).into_iter().map(|entry| (apply(entry), None)).collect();
    db.wait(std::future::poll_fn(|context| {
        for (future, outcome) in waiting.iter_mut().filter(|(_, outcome)| outcome.is_none()) {
            if let Poll::Ready(done) = future.as_mut().poll(context) {
                *outcome = Some(done);
            }
        }
        let done = waiting.iter().all(|(_, outcome)| outcome.is_some());
        if done { Poll::Ready(()) } else { Poll::Pending }
    }));
    let outcomes = waiting.into_iter().filter_map(|(_, outcome)| outcome);
    outcomes
        .map(|outcome| match outcome {
            Ok(applied) => Ok(applied),
            Err(error @ Error::Invalid(_)) => Err(error.to_string()),
            Err(other) => panic!("not a fault: {other:?}"),
        })
        .collect()
}

/// Applies lines of which none is refused.
pub(crate) fn all(db: &TestDb, lines: &str) -> Vec<Applied> {
    let outcomes = run(db, lines);
    outcomes
        .into_iter()
        .enumerate()
        .map(|(at, outcome)| outcome.unwrap_or_else(|fault| panic!("line {}: {fault}", at + 1)))
        .collect()
}

/// Applies one line that is not refused.
pub(crate) fn one(db: &TestDb, line: &str) -> Applied {
    let applied = all(db, line);
    assert_eq!(applied.len(), 1);
    applied[0]
}

/// The last revision taken.
pub(crate) fn revision(db: &TestDb) -> i64 {
    number(db, &REVISION, None)
}

/// The last revision that changed the directory.
pub(crate) fn directory_revision(db: &TestDb) -> i64 {
    number(db, &DIRECTORY, None)
}

/// Facts that hold at no revision; there are never any.
pub(crate) fn empty_intervals(db: &TestDb) -> i64 {
    number(db, &EMPTY_INTERVALS, None)
}

/// The number that a statement gives, about something with a number perhaps.
pub(crate) fn number(db: &TestDb, sql: &'static campanile_store::Sql, about: Option<i64>) -> i64 {
    db.read(move |tx| {
        let read = |row: &campanile_store::Row<'_>| row.get(0);
        match about {
            Some(about) => tx.one(sql, &[&about], read),
            None => tx.one(sql, &[], read),
        }
    })
    .expect("it is no fault")
}
