//! Indexes that are set aside while much is written, and made again in one go: sorted, which is many times faster than
//! row by row where the rows come in no order.
//!
//! Their text is kept in a table, in the transaction that drops them. So whatever becomes of the process, the next
//! opening makes them again.

use rusqlite::{Connection, OptionalExtension as _};

use crate::Result;

/// The indexes that are aside.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS index_aside (name TEXT NOT NULL PRIMARY KEY, sql TEXT NOT NULL) STRICT";
const KEEP: &str = "INSERT INTO index_aside SELECT name, sql FROM sqlite_schema
    WHERE type = 'index' AND name = ?1 AND sql IS NOT NULL";
const ANY: &str = "SELECT name, sql FROM index_aside ORDER BY name LIMIT 1";
const FORGET: &str = "DELETE FROM index_aside WHERE name = ?1";
/// Sorted by threads of its own, in parts as large as the page cache, while this one reads on: it takes this one half
/// as long as sorting all of it in the end.
const SORT: &str = "PRAGMA threads = 2; PRAGMA cache_size = -16384";

/// Makes the table; part of every opening.
pub(super) fn prepare(conn: &Connection) -> Result<()> {
    Ok(conn.execute_batch(TABLE)?)
}

/// Sets indexes aside; one that is not there is none.
pub(crate) fn set_aside(conn: &Connection, names: &[&str]) -> Result<()> {
    for name in names {
        if conn.execute(KEEP, [name])? > 0 {
            conn.execute_batch(&format!("DROP INDEX {name}"))?;
        }
    }
    Ok(())
}

/// The one that is made next.
pub(crate) fn next_aside(conn: &Connection) -> Result<Option<String>> {
    Ok(conn.query_row(ANY, [], |row| row.get(0)).optional()?)
}

/// Makes one of them again; whether there was one.
pub(crate) fn put_back(conn: &Connection) -> Result<bool> {
    let next: Option<(String, String)> = conn
        .query_row(ANY, [], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((name, sql)) = next else {
        return Ok(false);
    };
    // Sorting goes through files, so that memory does not grow with the table; where there is no place for such files,
    // in memory all the same.
    let through = |store: &str| {
        let _ = conn.execute_batch(store);
        conn.execute_batch(&sql)
    };
    let cache: i64 = conn.query_row("PRAGMA cache_size", [], |row| row.get(0))?;
    conn.execute_batch(SORT)?;
    let made = through("PRAGMA temp_store = FILE").or_else(|_| through("PRAGMA temp_store = MEMORY"));
    let _ = conn.execute_batch(&format!(
        "PRAGMA temp_store = MEMORY; PRAGMA threads = 0; PRAGMA cache_size = {cache}"
    ));
    made?;
    conn.execute(FORGET, [name])?;
    Ok(true)
}
