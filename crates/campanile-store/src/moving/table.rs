//! A table as both databases have it, the values of its rows, and the statements that are derived from it.

use std::fmt::Write as _;

use crate::Dialect;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Integer,
    Boolean,
    Text,
    Bytes,
}

impl Kind {
    /// By the name of a column's type, as either database tells it; `None` for one that no migration may use.
    pub(super) fn of(name: &str) -> Option<Self> {
        match name {
            "INTEGER" | "BIGINT" | "int8" => Some(Self::Integer),
            "BOOLEAN" | "bool" => Some(Self::Boolean),
            "TEXT" | "text" => Some(Self::Text),
            "BLOB" | "bytea" => Some(Self::Bytes),
            _ => None,
        }
    }
}

/// One value. Their order within a column is that of both databases: numbers, and texts by their bytes. Truth is 0
/// or 1.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Value {
    Null,
    Integer(i64),
    Text(String),
    Bytes(Vec<u8>),
}

impl Value {
    /// Bytes that it takes, about.
    pub(super) fn size(&self) -> usize {
        size_of::<Self>()
            + match self {
                Self::Null | Self::Integer(_) => 0,
                Self::Text(text) => text.len(),
                Self::Bytes(bytes) => bytes.len(),
            }
    }
}

/// One row, in the order of the columns.
pub(super) type Row = Vec<Value>;

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// What it holds means something only in the database that wrote it; elsewhere it is 0.
    pub(super) is_local: bool,
}

/// A table with a primary key, by which its rows are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
    /// Places of the key's columns, in the key's order.
    pub(super) key: Vec<usize>,
}

impl Table {
    /// The key of a row.
    pub(super) fn key_of<'r>(&self, row: &'r [Value]) -> Vec<&'r Value> {
        self.key.iter().map(|at| &row[*at]).collect()
    }

    /// A row's key for people: `table (7, "EU")`.
    pub(super) fn place_of(&self, row: &[Value]) -> String {
        let parts: Vec<_> = self.key_of(row).into_iter().map(written).collect();
        format!("{} ({})", self.name, parts.join(", "))
    }

    /// All columns, for the writing side.
    pub(super) fn names(&self) -> String {
        let names: Vec<_> = self.columns.iter().map(|column| quoted(&column.name)).collect();
        names.join(", ")
    }

    /// Its rows in the order of the key; behind a key, which are the parameters then.
    pub(super) fn select(&self, dialect: Dialect, is_behind: bool) -> String {
        let mut text = format!("SELECT {} FROM {}", self.read(dialect), quoted(&self.name));
        let key: Vec<_> = self.key.iter().map(|at| self.ordered(*at, dialect)).collect();
        if is_behind {
            let sign = if dialect == Dialect::Sqlite { '?' } else { '$' };
            let numbers: Vec<_> = (1..=key.len()).map(|number| format!("{sign}{number}")).collect();
            let _ = write!(text, " WHERE ({}) > ({})", key.join(", "), numbers.join(", "));
        }
        let _ = write!(text, " ORDER BY {}", key.join(", "));
        text
    }

    /// Its last row.
    pub(super) fn last(&self, dialect: Dialect) -> String {
        let key: Vec<_> = self.key.iter().map(|at| self.ordered(*at, dialect) + " DESC").collect();
        format!(
            "SELECT {} FROM {} ORDER BY {} LIMIT 1",
            self.read(dialect),
            quoted(&self.name),
            key.join(", ")
        )
    }

    /// SQLite's statement that adds a row.
    pub(super) fn insert(&self) -> String {
        let numbers: Vec<_> = (1..=self.columns.len()).map(|number| format!("?{number}")).collect();
        format!(
            "INSERT INTO {} ({}) VALUES ({})",
            quoted(&self.name),
            self.names(),
            numbers.join(", ")
        )
    }

    fn read(&self, dialect: Dialect) -> String {
        let columns: Vec<_> = self
            .columns
            .iter()
            .map(|column| match (column.is_local, dialect) {
                (false, _) => quoted(&column.name),
                (true, Dialect::Sqlite) => "0".to_owned(),
                (true, Dialect::Postgres) => "CAST(0 AS BIGINT)".to_owned(),
            })
            .collect();
        columns.join(", ")
    }

    /// A column of the key, so that both databases have it in one order.
    fn ordered(&self, at: usize, dialect: Dialect) -> String {
        let column = &self.columns[at];
        let name = quoted(&column.name);
        match (dialect, column.kind) {
            (Dialect::Postgres, Kind::Text) => format!("{name} COLLATE \"C\""),
            _ => name,
        }
    }
}

fn written(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Integer(number) => number.to_string(),
        Value::Text(text) => format!("{text:?}"),
        Value::Bytes(bytes) => format!("{} bytes", bytes.len()),
    }
}

/// A name that stands for itself, whatever it is.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
