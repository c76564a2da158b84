//! What SQLite alone needs for the rows of an import: the same tables and indexes, filled by one statement a table,
//! with no lines to read, no rules and no look-ups. Quicker than this no import into this file can be on this machine.

use std::path::Path;
use std::time::{Duration, Instant};

use campanile_core::schema::INDEXES_MADE_LAST;
use rusqlite::Connection;

/// Copies everything out of a database file into a new one.
pub(crate) fn copied(file: &Path) -> Duration {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let conn = Connection::open(folder.path().join("bare.db")).expect("a file can be made");
    conn.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -65536")
        .expect("the settings hold");
    conn.execute("ATTACH ?1 AS full", [file.to_str().expect("a plain path")])
        .expect("the database is there");
    let parts: Vec<(String, String, String)> = conn
        .prepare("SELECT type, name, sql FROM full.sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite%'")
        .and_then(|mut found| {
            found
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
                .collect()
        })
        .expect("it has a schema");
    let (tables, indexes): (Vec<_>, Vec<_>) = parts.into_iter().partition(|(kind, ..)| kind == "table");
    let (last, first): (Vec<_>, Vec<_>) = indexes
        .into_iter()
        .partition(|(_, name, _)| INDEXES_MADE_LAST.contains(&name.as_str()));
    for (_, _, sql) in tables.iter().chain(&first) {
        conn.execute_batch(sql).expect("the same can be made again");
    }
    let started = Instant::now();
    conn.execute_batch("BEGIN").expect("it begins");
    for (_, name, _) in &tables {
        conn.execute_batch(&format!("INSERT INTO main.{name} SELECT * FROM full.{name}"))
            .expect("the rows fit");
    }
    for (_, _, sql) in &last {
        conn.execute_batch(sql).expect("the index can be made");
    }
    conn.execute_batch("COMMIT").expect("it is kept");
    started.elapsed()
}
