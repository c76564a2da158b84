//! What a closure gets: one transaction, whichever database is below.

use std::ops::ControlFlow;

use tracing::Span;

use crate::postgres::Session;
use crate::{Dialect, Error, Result, Signal, Sql, Tally, sqlite};

/// What can be a parameter: `i64`, `bool`, `&str`, `String`, `&[u8]`, `Vec<u8>`, and `Option` of each.
///
/// A text with a NUL character is refused as [`Constraint::Check`](crate::Constraint::Check), because PostgreSQL
/// cannot hold one.
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

/// Below a [`Tx`]: one of the two.
pub(crate) enum Conn<'c> {
    Sqlite(&'c rusqlite::Connection),
    Postgres(Session<'c>),
}

/// How a transaction may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Reads only, shortly.
    Read,
    /// Reads only, for longer.
    Scan,
    /// Writes in the one total order; may take the tally.
    Ordered,
    /// Writes what belongs to one person; may not take the tally.
    Unordered,
}

impl Mode {
    pub(crate) fn reads(self) -> bool {
        matches!(self, Self::Read | Self::Scan)
    }

    /// The span of an operation, from the wait for its turn to its end; for who wants traces, else nothing.
    pub(crate) fn span(self) -> Span {
        let name = match self {
            Self::Read => "database read",
            Self::Scan => "database scan",
            Self::Ordered => "database write",
            Self::Unordered => "database jot",
        };
        tracing::trace_span!(target: "campanile::trace", "database", otel.name = name, otel.kind = "client")
    }
}

/// One transaction. Everything a closure does through it holds together or not at all.
///
/// A statement that fails ends it, on both databases: every later statement gives the same error, and the operation
/// fails with it even if the closure returns `Ok`. So a closure need not look at the result of what it sends, and
/// cannot carry on after a refused row on one database where the other would not let it.
pub struct Tx<'c> {
    pub(crate) conn: Conn<'c>,
    pub(crate) mode: Mode,
    pub(crate) tally: Option<Tally>,
    pub(crate) signals: Vec<Signal>,
    /// The first failure of a statement.
    pub(crate) failed: Option<Error>,
}

impl<'c> Tx<'c> {
    pub(crate) fn new(conn: Conn<'c>, mode: Mode, tally: Option<Tally>) -> Self {
        Self {
            conn,
            mode,
            tally,
            signals: Vec::new(),
            failed: None,
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

    /// Runs a query and hands over each row as it arrives; memory does not grow with the answer. An error of the
    /// closure for rows ends the query, not the transaction.
    pub fn each<E: From<Error>>(
        &mut self,
        sql: &'static Sql,
        params: &[&dyn Param],
        mut each: impl FnMut(&Row<'_>) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        let mut refused = None;
        self.visit(sql, params, &mut |row| match each(row) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                refused = Some(error);
                ControlFlow::Break(())
            }
        })?;
        refused.map_or(Ok(()), Err)
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

    /// Runs a query; its first row, mapped, or `None`. Further rows are not looked at.
    pub fn first<T>(
        &mut self,
        sql: &'static Sql,
        params: &[&dyn Param],
        map: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        let (mut out, mut map) = (None, Some(map));
        self.visit(sql, params, &mut |row| {
            out = map.take().map(|map| map(row));
            ControlFlow::Break(())
        })?;
        out.transpose()
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
        self.attempt(|conn, mode| match conn {
            Conn::Sqlite(conn) => sqlite::execute(conn, mode, sql, params),
            Conn::Postgres(session) => session.execute(sql, params),
        })
    }

    /// Runs a statement of which nothing needs to be known but that it worked.
    ///
    /// On PostgreSQL it travels with the next statement, or with the end of the operation, in one round trip; its
    /// failure then fails the operation. On SQLite it is [`Tx::execute`].
    pub fn send(&mut self, sql: &'static Sql, params: &[&dyn Param]) -> Result<()> {
        self.attempt(|conn, mode| match conn {
            Conn::Sqlite(conn) => sqlite::execute(conn, mode, sql, params).map(|_| ()),
            Conn::Postgres(session) => session.send(sql, params),
        })
    }

    /// Compiles a statement without running it: for the test that tries every statement on both databases.
    pub fn prepare(&mut self, sql: &'static Sql) -> Result<()> {
        self.attempt(|conn, _| match conn {
            Conn::Sqlite(conn) => sqlite::prepare(conn, sql).map(|_| ()),
            Conn::Postgres(session) => session.try_out(sql),
        })
    }

    /// How often SQLite has planned a statement anew since it was prepared on this connection; 0 on PostgreSQL. More
    /// than 0 after two runs means that the statement is planned at every call.
    #[cfg(feature = "testing")]
    pub fn replans(&mut self, sql: &'static Sql) -> Result<i32> {
        self.attempt(|conn, _| match conn {
            Conn::Sqlite(conn) => Ok(sqlite::prepare(conn, sql)?.get_status(rusqlite::StatementStatus::RePrepare)),
            Conn::Postgres(_) => Ok(0),
        })
    }

    /// On SQLite, drops indexes until [`Tx::put_back`] or the next opening makes them again, whatever becomes of this
    /// process; on PostgreSQL nothing. For who is [alone](crate::Db::alone) and does not read by them.
    pub fn set_aside(&mut self, indexes: &[&str]) -> Result<()> {
        self.attempt(|conn, _| match conn {
            Conn::Sqlite(conn) => sqlite::set_aside(conn, indexes),
            Conn::Postgres(_) => Ok(()),
        })
    }

    /// Makes one of the indexes again that were [set aside](Tx::set_aside); whether there was one.
    pub fn put_back(&mut self) -> Result<bool> {
        self.attempt(|conn, _| match conn {
            Conn::Sqlite(conn) => sqlite::put_back(conn),
            Conn::Postgres(_) => Ok(false),
        })
    }

    /// The counters, locked until the commit: whoever takes them is alone in the order of all that takes them, over
    /// all servers. Only in [`Db::write`](crate::Db::write).
    ///
    /// What was read before it was called may have been changed by another server meanwhile; take it first where the
    /// order matters.
    pub fn tally(&mut self) -> Result<&mut Tally> {
        if self.mode != Mode::Ordered {
            return Err(Error::Internal("the tally belongs to ordered writes".into()));
        }
        let tally = match self.tally.take() {
            Some(tally) => tally,
            None => Tally::load(self)?,
        };
        Ok(self.tally.insert(tally))
    }

    /// Announces something once this transaction has committed. Nothing in a read.
    pub fn signal(&mut self, signal: Signal) {
        self.signals.push(signal);
    }

    /// Plain SQL that goes ahead of the next statement on PostgreSQL; nothing on SQLite.
    pub(crate) fn postgres_ahead(&mut self, text: &'static str) {
        if let Conn::Postgres(session) = &mut self.conn {
            session.ahead(text);
        }
    }

    fn visit(
        &mut self,
        sql: &'static Sql,
        params: &[&dyn Param],
        each: &mut dyn FnMut(&Row<'_>) -> ControlFlow<()>,
    ) -> Result<()> {
        self.attempt(|conn, mode| match conn {
            Conn::Sqlite(conn) => sqlite::visit(conn, mode, sql, params, each),
            Conn::Postgres(session) => session.visit(sql, params, each),
        })
    }

    /// Runs a statement unless one has failed, and remembers the first failure.
    fn attempt<T>(&mut self, run: impl FnOnce(&mut Conn<'c>, Mode) -> Result<T>) -> Result<T> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let result = run(&mut self.conn, self.mode);
        if let Err(error) = &result {
            self.failed = Some(error.clone());
        }
        result
    }
}
