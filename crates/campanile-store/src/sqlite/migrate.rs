//! Brings an SQLite file to the schema.

use rusqlite::Connection;

use super::aside;
use super::connect::Target;
use crate::migrate::{OWN, RAN, RECORD, Ran, Schema, checksum};
use crate::{Dialect, Error, Result};

/// Runs what is missing, all of it or nothing.
pub(super) fn migrate(target: &Target, schema: &Schema) -> Result<()> {
    let conn = target.create()?;
    conn.execute_batch("BEGIN IMMEDIATE")?;
    // What is not committed ends with the connection.
    inside(&conn, schema)?;
    conn.execute_batch("COMMIT")?;
    Ok(())
}

/// What would run, by name, of a file that is there. Begins to write, and takes all of it back.
pub(super) fn look(target: &Target, schema: &Schema) -> Result<Vec<&'static str>> {
    let conn = target.connect()?;
    conn.execute_batch("BEGIN IMMEDIATE")?;
    conn.execute_batch(&Dialect::Sqlite.translate(OWN))?;
    let missing = schema.missing(&ran(&conn)?)?;
    conn.execute_batch("ROLLBACK")?;
    Ok(missing.iter().map(|migration| migration.name).collect())
}

fn ran(conn: &Connection) -> Result<Vec<Ran>> {
    let ran = conn
        .prepare(RAN)?
        .query_map([], |row| {
            Ok(Ran {
                number: row.get(0)?,
                name: row.get(1)?,
                checksum: row.get(2)?,
                oldest: row.get(3)?,
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    Ok(ran)
}

fn inside(conn: &Connection, schema: &Schema) -> Result<()> {
    conn.execute_batch(&Dialect::Sqlite.translate(OWN))?;
    aside::prepare(conn)?;
    for migration in schema.missing(&ran(conn)?)? {
        conn.execute_batch(&Dialect::Sqlite.translate(migration.sql))
            .map_err(|error| Error::Schema(format!("migration {}: {error}", migration.name)))?;
        conn.execute(
            &Dialect::Sqlite.translate(RECORD),
            (
                migration.number,
                migration.name,
                checksum(migration.sql),
                migration.oldest,
            ),
        )?;
    }
    while aside::put_back(conn)? {}
    Ok(())
}
