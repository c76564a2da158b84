//! What a closure gets: one transaction, whichever database is below.

use crate::postgres::Session;
use crate::{Dialect, Error, Result, Signal, Sql};

/// What can be a parameter: `i64`, `bool`, `&str`, `String`, `&[u8]`, `Vec<u8>`, and `Option` of each.
pub trait Param: rusqlite::ToSql + tokio_postgres::types::ToSql + Sync {}
impl<T: rusqlite::ToSql + tokio_postgres::types::ToSql + Sync> Param for T {}

/// What can be read from a column: `i64`, `bool`, `String`, `Vec<u8>`, and `Option` of each.
pub trait Cell: rusqlite::types::FromSql + for<'r> tokio_postgres::types::FromSql<'r> {}
impl<T: rusqlite::types::FromSql + for<'r> tokio_postgres::types::FromSql<'r>> Cell for T {}

/// One row of an answer. Columns are read by position, from 0.
#[derive(Debug)]
pub enum Row<'r> {
    /// A row of SQLite.
    Sqlite(&'r rusqlite::Row<'r>),
    /// A row of PostgreSQL.
    Postgres(&'r tokio_postgres::Row),
}

impl Row<'_> {
    /// The value of a column. A wrong type or position is a defect of the statement, reported as [`Error::Internal`].
    pub fn get<T: Cell>(&self, column: usize) -> Result<T> {
        match self {
            Self::Sqlite(row) => Ok(row.get(column)?),
            Self::Postgres(row) => row
                .try_get(column)
                .map_err(|error| Error::Internal(format!("{error:?}"))),
        }
    }
}

/// The counters of an ordered write: the rows of the table `tally`, locked for as long as the group of operations lasts.
///
/// Held in memory for the group and written once at its commit, so that a thousand operations in one group cost one row.
/// Who reads `tally` by SQL sees the counters of the last commit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    values: Vec<(String, i64)>,
    pub(crate) dirty: bool,
}

impl Tally {
    pub(crate) fn new(values: Vec<(String, i64)>) -> Self {
        Self { values, dirty: false }
    }

    /// The value of a counter; 0 before it was ever set.
    #[must_use]
    pub fn get(&self, name: &str) -> i64 {
        self.values
            .iter()
            .find(|(at, _)| at == name)
            .map_or(0, |(_, value)| *value)
    }

    /// Sets a counter.
    pub fn set(&mut self, name: &str, value: i64) {
        self.dirty = true;
        match self.values.iter_mut().find(|(at, _)| at == name) {
            Some((_, at)) => *at = value,
            None => self.values.push((name.to_owned(), value)),
        }
    }

    /// Adds one and returns the new value: ids are taken so.
    pub fn next(&mut self, name: &str) -> i64 {
        let value = self.get(name) + 1;
        self.set(name, value);
        value
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = (&str, i64)> {
        self.values.iter().map(|(name, value)| (name.as_str(), *value))
    }
}

/// Below a [`Tx`]: one of the two.
pub(crate) enum Conn<'c> {
    Sqlite(&'c rusqlite::Connection),
    Postgres(Session<'c>),
}

/// How a transaction may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Reads only.
    Read,
    /// Writes in the one total order; may take the tally.
    Ordered,
    /// Writes what belongs to one person; may not take the tally.
    Unordered,
}

/// One transaction. Everything a closure does through it holds together or not at all.
pub struct Tx<'c> {
    pub(crate) conn: Conn<'c>,
    pub(crate) mode: Mode,
    pub(crate) tally: Option<Tally>,
    pub(crate) signals: Vec<Signal>,
}

impl<'c> Tx<'c> {
    pub(crate) fn new(conn: Conn<'c>, mode: Mode, tally: Option<Tally>) -> Self {
        Self {
            conn,
            mode,
            tally,
            signals: Vec::new(),
        }
    }

    /// Which database this is. For the one or two places where a statement cannot be common; they say why.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        match self.conn {
            Conn::Sqlite(_) => Dialect::Sqlite,
            Conn::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Runs a query and hands over each row as it arrives; memory does not grow with the answer.
    pub fn each<E: From<Error>>(
        &mut self,
        sql: &'static Sql,
        params: &[&dyn Param],
        mut each: impl FnMut(&Row<'_>) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        match &mut self.conn {
            Conn::Sqlite(conn) => {
                let mut statement = bind(conn, sql, params)?;
                let mut rows = statement.raw_query();
                while let Some(row) = rows.next().map_err(Error::from)? {
                    each(&Row::Sqlite(row))?;
                }
                Ok(())
            }
            Conn::Postgres(session) => session.each(sql, params, each),
        }
    }

    /// Runs a query; all rows, mapped. For answers that are limited by the statement.
    pub fn rows<T>(
        &mut self,
        sql: &'static Sql,
        params: &[&dyn Param],
        mut map: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut out = Vec::new();
        self.each(sql, params, |row| {
            out.push(map(row)?);
            Ok::<(), Error>(())
        })?;
        Ok(out)
    }

    /// Runs a query; its first row, mapped, or `None`.
    pub fn first<T>(
        &mut self,
        sql: &'static Sql,
        params: &[&dyn Param],
        map: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        if let Conn::Sqlite(conn) = &self.conn {
            let mut statement = bind(conn, sql, params)?;
            let mut rows = statement.raw_query();
            return rows.next()?.map(|row| map(&Row::Sqlite(row))).transpose();
        }
        let (mut out, mut map) = (None, Some(map));
        self.each(sql, params, |row| {
            if let Some(map) = map.take() {
                out = Some(map(row)?);
            }
            Ok::<(), Error>(())
        })?;
        Ok(out)
    }

    /// Runs a query that always has a row.
    pub fn one<T>(
        &mut self,
        sql: &'static Sql,
        params: &[&dyn Param],
        map: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<T> {
        self.first(sql, params, map)?
            .ok_or_else(|| Error::Internal(format!("{} gave no row", sql.name)))
    }

    /// Runs a statement; the number of rows it changed.
    pub fn execute(&mut self, sql: &'static Sql, params: &[&dyn Param]) -> Result<u64> {
        match &mut self.conn {
            Conn::Sqlite(conn) => Ok(bind(conn, sql, params)?.raw_execute()? as u64),
            Conn::Postgres(session) => session.execute(sql, params),
        }
    }

    /// Runs a statement of which nothing needs to be known but that it worked.
    ///
    /// On PostgreSQL it travels with the next statement, or with the end of the operation, in one round trip; its
    /// failure then fails the operation. On SQLite it is [`Tx::execute`].
    pub fn send(&mut self, sql: &'static Sql, params: &[&dyn Param]) -> Result<()> {
        match &mut self.conn {
            Conn::Sqlite(_) => self.execute(sql, params).map(|_| ()),
            Conn::Postgres(session) => session.send(sql, params),
        }
    }

    /// The counters, locked until the commit: whoever takes them is alone in the order of all that takes them, over
    /// all servers. Only in [`Db::write`](crate::Db::write).
    pub fn tally(&mut self) -> Result<&mut Tally> {
        if self.mode != Mode::Ordered {
            return Err(Error::Internal("the tally belongs to ordered writes".into()));
        }
        if self.tally.is_none() {
            let rows = self.rows(&crate::group::LOCK, &[], |row| Ok((row.get(0)?, row.get(1)?)))?;
            self.tally = Some(Tally::new(rows));
        }
        self.tally
            .as_mut()
            .ok_or_else(|| Error::Internal("the tally was just loaded".into()))
    }

    /// Announces something once this transaction has committed.
    pub fn signal(&mut self, signal: Signal) {
        self.signals.push(signal);
    }
}

/// A cached statement with its parameters bound.
fn bind<'c>(
    conn: &'c rusqlite::Connection,
    sql: &'static Sql,
    params: &[&dyn Param],
) -> Result<rusqlite::CachedStatement<'c>> {
    let mut statement = conn
        .prepare_cached(sql.text(Dialect::Sqlite))
        .map_err(|error| Error::Internal(format!("{}: {error}", sql.name)))?;
    for (at, param) in params.iter().enumerate() {
        let value: &dyn rusqlite::ToSql = *param;
        statement.raw_bind_parameter(at + 1, value)?;
    }
    Ok(statement)
}
