//! Running one statement on SQLite.

use std::ops::ControlFlow;

use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{CachedStatement, Connection};

use crate::error::named;
use crate::tx::{Mode, Param};
use crate::{Constraint, Dialect, Error, Result, Row, Sql};

/// A statement from the connection's cache, compiled if it is not there.
pub(crate) fn prepare<'c>(conn: &'c Connection, sql: &'static Sql) -> Result<CachedStatement<'c>> {
    conn.prepare_cached(sql.text(Dialect::Sqlite))
        .map_err(|error| named(sql, error.into()))
}

/// Hands each row over until told to stop.
pub(crate) fn visit(
    conn: &Connection,
    mode: Mode,
    sql: &'static Sql,
    params: &[&dyn Param],
    each: &mut dyn FnMut(&Row<'_>) -> ControlFlow<()>,
) -> Result<()> {
    let mut statement = bind(conn, mode, sql, params)?;
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next().map_err(|error| named(sql, error.into()))? {
        if each(&Row::Sqlite(row)).is_break() {
            break;
        }
    }
    Ok(())
}

/// Runs a statement; the number of rows it changed.
pub(crate) fn execute(conn: &Connection, mode: Mode, sql: &'static Sql, params: &[&dyn Param]) -> Result<u64> {
    let mut statement = bind(conn, mode, sql, params)?;
    let changed = statement.raw_execute();
    changed
        .map(|count| count as u64)
        .map_err(|error| named(sql, error.into()))
}

/// A cached statement with its parameters bound.
fn bind<'c>(conn: &'c Connection, mode: Mode, sql: &'static Sql, params: &[&dyn Param]) -> Result<CachedStatement<'c>> {
    let mut statement = prepare(conn, sql)?;
    if mode.reads() && !statement.readonly() {
        return Err(Error::Internal(format!("{} writes, in a read", sql.name)));
    }
    // SQLite would take a missing one for NULL.
    if statement.parameter_count() != params.len() {
        return Err(Error::Internal(format!(
            "{} takes {} parameters and got {}",
            sql.name,
            statement.parameter_count(),
            params.len()
        )));
    }
    for (at, param) in params.iter().enumerate() {
        let value = rusqlite::ToSql::to_sql(*param)?;
        if let ToSqlOutput::Borrowed(ValueRef::Text(text)) = &value
            && text.contains(&0)
        {
            return Err(nul(sql));
        }
        if let ToSqlOutput::Owned(Value::Text(text)) = &value
            && text.contains('\0')
        {
            return Err(nul(sql));
        }
        statement.raw_bind_parameter(at + 1, value)?;
    }
    Ok(statement)
}

/// PostgreSQL cannot hold such a text, so SQLite must not either, or it could not be copied there.
fn nul(sql: &'static Sql) -> Error {
    Error::Constraint {
        kind: Constraint::Check,
        detail: format!("{}: a text with a NUL character", sql.name),
    }
}
