//! Brings an SQLite file to the schema.

use rusqlite::Connection;

use super::aside;
use super::connect::Target;
use crate::migrate::{IS_MARKED, OWN, Purpose, RAN, RECORD, Ran, Schema, checksum, is_whole};
use crate::{Dialect, Error, Migration, Result};

/// Runs what is missing, all of it or nothing.
pub(crate) fn migrate(target: &Target, schema: &Schema, purpose: Purpose) -> Result<()> {
    let conn = target.create()?;
    conn.execute_batch("BEGIN IMMEDIATE")?;
    // What is not committed ends with the connection.
    inside(&conn, schema, purpose)?;
    conn.execute_batch("COMMIT")?;
    Ok(())
}

/// What would run, by name, of a file that is there. Begins to write, and takes all of it back.
pub(super) fn look(target: &Target, schema: &Schema) -> Result<Vec<&'static str>> {
    let conn = target.connect()?;
    conn.execute_batch("BEGIN IMMEDIATE")?;
    conn.execute_batch(&Dialect::Sqlite.translate(OWN))?;
    is_whole(is_marked(&conn)?)?;
    let missing = schema.missing(&ran(&conn)?)?;
    conn.execute_batch("ROLLBACK")?;
    Ok(missing.iter().map(|migration| migration.name).collect())
}

/// What a database that is only read has not run.
pub(crate) fn missing(conn: &Connection, schema: &Schema) -> Result<&'static [Migration]> {
    schema.missing(&ran(conn)?)
}

fn is_marked(conn: &Connection) -> Result<bool> {
    Ok(conn.query_row(IS_MARKED, [], |row| row.get(0))?)
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

fn inside(conn: &Connection, schema: &Schema, purpose: Purpose) -> Result<()> {
    conn.execute_batch(&Dialect::Sqlite.translate(OWN))?;
    let marked = is_marked(conn)?;
    if purpose == Purpose::Serve {
        is_whole(marked)?;
    }
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
    // Of a copy that goes on they are made in the end.
    while !marked && aside::put_back(conn)? {}
    Ok(())
}
