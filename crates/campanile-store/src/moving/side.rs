//! One of the two databases of a move: what is asked of either, whichever it is.

use super::lite::Lite;
use super::pg::Pg;
use super::table::{Row, Table};
use crate::migrate::Schema;
use crate::{Options, Result};

/// Rows that are handed over at once, and about as many bytes.
const BATCH_ROWS: usize = 5_000;
const BATCH_BYTES: usize = 4 << 20;

/// A database with one connection.
pub(super) enum Side {
    Sqlite(Lite),
    Postgres(Pg),
}

/// What it is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// To be read in one snapshot. It must have the schema already.
    Read,
    /// To be written: brought to the schema, and kept from servers and other copies.
    Write,
}

impl Side {
    pub(super) fn open(url: &str, schema: &Schema, purpose: Use) -> Result<Self> {
        let options = Options::new(url);
        Ok(match url.strip_prefix("sqlite://") {
            Some(path) => Self::Sqlite(Lite::open(path, &options, schema, purpose)?),
            None => Self::Postgres(Pg::open(&options, schema, purpose)?),
        })
    }

    /// Every table with its columns and key, in the order of their names.
    pub(super) fn tables(&self) -> Result<Vec<(String, Result<Table>)>> {
        match self {
            Self::Sqlite(lite) => lite.tables(),
            Self::Postgres(pg) => pg.tables(),
        }
    }

    /// Whether somebody else has the database open: a server, or on SQLite anybody. Where nobody has, nobody gets it
    /// until [`Side::release`].
    pub(super) fn is_used(&mut self) -> Result<bool> {
        match self {
            Self::Sqlite(lite) => Ok(lite.is_used()),
            Self::Postgres(pg) => pg.is_used(),
        }
    }

    /// Lets others open it again; on PostgreSQL that are readers of a source, while a target stays locked.
    pub(super) fn release(&mut self) -> Result<()> {
        match self {
            Self::Sqlite(lite) => lite.release(),
            Self::Postgres(pg) => pg.release()?,
        }
        Ok(())
    }

    pub(super) fn count(&self, table: &Table) -> Result<u64> {
        match self {
            Self::Sqlite(lite) => lite.count(table),
            Self::Postgres(pg) => pg.count(table),
        }
    }

    /// The last row in the order of the key.
    pub(super) fn last(&self, table: &Table) -> Result<Option<Row>> {
        match self {
            Self::Sqlite(lite) => lite.last(table),
            Self::Postgres(pg) => pg.last(table),
        }
    }

    /// Reads a table in the order of its key, from behind a row on, a batch at a time; until `each` says false.
    pub(super) fn read(
        &mut self,
        table: &Table,
        behind: Option<&Row>,
        each: impl FnMut(Vec<Row>) -> bool,
    ) -> Result<()> {
        let mut batches = Batches {
            rows: Vec::new(),
            bytes: 0,
            each,
        };
        let mut take = |row| batches.take(row);
        match self {
            Self::Sqlite(lite) => lite.read(table, behind, &mut take),
            Self::Postgres(pg) => pg.read(table, behind, &mut take),
        }?;
        batches.end();
        Ok(())
    }

    /// What the marker of an unfinished copy says of its source.
    pub(super) fn marker(&self) -> Result<Option<String>> {
        match self {
            Self::Sqlite(lite) => lite.marker(),
            Self::Postgres(pg) => pg.marker(),
        }
    }

    /// Begins a copy: takes every row away, sets the marker, and sets aside what would slow the writing down. All of
    /// it or nothing.
    pub(super) fn begin(&mut self, tables: &[Table], source: &str) -> Result<()> {
        match self {
            Self::Sqlite(lite) => lite.begin(tables, source),
            Self::Postgres(pg) => pg.begin(tables, source),
        }
    }

    /// Adds rows, all of them or none.
    pub(super) fn write(&mut self, table: &Table, rows: &[Row]) -> Result<()> {
        match self {
            Self::Sqlite(lite) => lite.write(table, rows),
            Self::Postgres(pg) => pg.write(table, rows),
        }
    }

    /// Makes one more of what was set aside; its name, or `None` where all of it is there.
    pub(super) fn put_back(&mut self) -> Result<Option<String>> {
        match self {
            Self::Sqlite(lite) => lite.put_back(),
            Self::Postgres(pg) => pg.put_back(),
        }
    }

    /// Ends a copy: counters of the database's own go on behind the rows, and the marker goes. Durable.
    pub(super) fn finish(&mut self, tables: &[Table]) -> Result<()> {
        match self {
            Self::Sqlite(lite) => lite.finish(),
            Self::Postgres(pg) => pg.finish(tables),
        }
    }
}

/// Rows gathered into batches.
struct Batches<F> {
    rows: Vec<Row>,
    bytes: usize,
    each: F,
}

impl<F: FnMut(Vec<Row>) -> bool> Batches<F> {
    /// Whether to go on.
    fn take(&mut self, row: Row) -> bool {
        self.bytes += row.iter().map(super::table::Value::size).sum::<usize>();
        self.rows.push(row);
        if self.rows.len() < BATCH_ROWS && self.bytes < BATCH_BYTES {
            return true;
        }
        self.bytes = 0;
        (self.each)(std::mem::take(&mut self.rows))
    }

    fn end(mut self) {
        if !self.rows.is_empty() {
            (self.each)(self.rows);
        }
    }
}
