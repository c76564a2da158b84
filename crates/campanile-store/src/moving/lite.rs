//! SQLite as one of the two databases of a move.

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension as _, ToSql, params_from_iter};

use super::shape;
use super::side::Use;
use super::table::{Column, Kind, Row, Table, Value, quoted};
use crate::migrate::{MARKER, Purpose, Schema};
use crate::sqlite::{self, Alone, Presence, Target};
use crate::{Dialect, Error, Options, Result};

const TABLES: &str =
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name";
const COLUMNS: &str = "SELECT name, type, pk FROM pragma_table_info(?1) ORDER BY cid";
/// Those that a migration names; the others belong to a primary key or a UNIQUE.
const INDEXES: &str = "SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL ORDER BY name";
/// A copy is durable when it is finished, and until then whole: what a loss of power takes are the last batches, whose
/// rows are then read again.
const WRITING: &str = "PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = OFF; PRAGMA wal_autocheckpoint = 4000";

pub(super) struct Lite {
    conn: Connection,
    presence: Presence,
    /// While nobody else may open the file.
    alone: Option<Alone>,
}

impl Lite {
    pub(super) fn open(path: &str, options: &Options, schema: &Schema, purpose: Use) -> Result<Self> {
        let target = Target::new(path, options)?;
        match purpose {
            Use::Read => {
                if !target.path().is_file() {
                    return Err(Error::Unavailable(format!(
                        "{}: there is no such file",
                        target.path().display()
                    )));
                }
                let presence = Presence::enter(target.path(), || Ok(()))?;
                let conn = target.connect()?;
                conn.execute_batch("PRAGMA query_only = ON; BEGIN")?;
                super::is_current(sqlite::missing(&conn, schema)?)?;
                Ok(Self {
                    conn,
                    presence,
                    alone: None,
                })
            }
            Use::Write => {
                let ready = || sqlite::migrate(&target, schema, Purpose::Copy);
                let presence = Presence::enter(target.path(), ready)?;
                let conn = target.create()?;
                conn.execute_batch(WRITING)?;
                Ok(Self {
                    conn,
                    presence,
                    alone: None,
                })
            }
        }
    }

    pub(super) fn is_used(&mut self) -> bool {
        self.alone = self.presence.alone();
        self.alone.is_none()
    }

    pub(super) fn release(&mut self) {
        self.alone = None;
    }

    pub(super) fn tables(&self) -> Result<Vec<(String, Result<Table>)>> {
        let mut names = self.conn.prepare(TABLES)?;
        let names = names.query_map([], |row| row.get::<_, String>(0))?;
        let mut tables = Vec::new();
        for name in names.collect::<rusqlite::Result<Vec<_>>>()? {
            let mut columns = self.conn.prepare(COLUMNS)?;
            let columns = columns.query_map([&name], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
            tables.extend(shape(name, columns.collect::<rusqlite::Result<Vec<_>>>()?));
        }
        Ok(tables)
    }

    pub(super) fn count(&self, table: &Table) -> Result<u64> {
        let text = format!("SELECT COUNT(*) FROM {}", quoted(&table.name));
        let count: i64 = self.conn.query_row(&text, [], |row| row.get(0))?;
        Ok(count as u64)
    }

    pub(super) fn last(&self, table: &Table) -> Result<Option<Row>> {
        let mut statement = self.conn.prepare(&table.last(Dialect::Sqlite))?;
        let mut rows = statement.query([])?;
        rows.next()?.map(|row| values(table, row)).transpose()
    }

    pub(super) fn read(&self, table: &Table, behind: Option<&Row>, each: &mut dyn FnMut(Row) -> bool) -> Result<()> {
        let mut statement = self.conn.prepare(&table.select(Dialect::Sqlite, behind.is_some()))?;
        let key = behind.map(|row| table.key_of(row)).unwrap_or_default();
        let mut rows = statement.query(params_from_iter(key))?;
        while let Some(row) = rows.next()? {
            if !each(values(table, row)?) {
                break;
            }
        }
        Ok(())
    }

    pub(super) fn marker(&self) -> Result<Option<String>> {
        let text = format!("SELECT said FROM {MARKER} WHERE name = 'source'");
        Ok(self.conn.query_row(&text, [], |row| row.get(0)).optional()?)
    }

    pub(super) fn begin(&mut self, tables: &[Table], source: &str) -> Result<()> {
        let tx = self.conn.transaction()?;
        let indexes = {
            let mut statement = tx.prepare(INDEXES)?;
            let names = statement.query_map([], |row| row.get::<_, String>(0))?;
            names.collect::<rusqlite::Result<Vec<_>>>()?
        };
        sqlite::set_aside(&tx, &indexes.iter().map(String::as_str).collect::<Vec<_>>())?;
        for table in tables {
            tx.execute(&format!("DELETE FROM {}", quoted(&table.name)), [])?;
        }
        tx.execute(&format!("DELETE FROM {MARKER}"), [])?;
        tx.execute(
            &format!("INSERT INTO {MARKER} (name, said) VALUES ('source', ?1)"),
            [source],
        )?;
        Ok(tx.commit()?)
    }

    pub(super) fn write(&mut self, table: &Table, rows: &[Row]) -> Result<()> {
        let tx = self.conn.transaction()?;
        let mut statement = tx.prepare_cached(&table.insert())?;
        for row in rows {
            statement.execute(params_from_iter(row))?;
        }
        drop(statement);
        Ok(tx.commit()?)
    }

    pub(super) fn put_back(&mut self) -> Result<Option<String>> {
        let next = sqlite::next_aside(&self.conn)?;
        let tx = self.conn.transaction()?;
        sqlite::put_back(&tx)?;
        tx.commit()?;
        Ok(next)
    }

    pub(super) fn finish(&mut self) -> Result<()> {
        let broken: Option<String> = self
            .conn
            .query_row("SELECT \"table\" FROM pragma_foreign_key_check LIMIT 1", [], |row| {
                row.get(0)
            })
            .optional()?;
        if let Some(table) = broken {
            return Err(Error::Internal(format!(
                "a row of {table} refers to one that is not there"
            )));
        }
        self.conn.execute_batch("PRAGMA synchronous = FULL")?;
        self.conn.execute(&format!("DELETE FROM {MARKER}"), [])?;
        self.conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(())
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

fn values(table: &Table, row: &rusqlite::Row<'_>) -> Result<Row> {
    table
        .columns
        .iter()
        .enumerate()
        .map(|(at, column)| value(table, column, row.get_ref(at)?))
        .collect()
}

/// SQLite takes any value into any column, PostgreSQL does not.
fn value(table: &Table, column: &Column, value: ValueRef<'_>) -> Result<Value> {
    let value = match (column.kind, value) {
        (_, ValueRef::Null) => Some(Value::Null),
        (Kind::Integer | Kind::Boolean, ValueRef::Integer(number)) => Some(Value::Integer(number)),
        (Kind::Text, ValueRef::Text(text)) => std::str::from_utf8(text).ok().map(|text| Value::Text(text.to_owned())),
        (Kind::Bytes, ValueRef::Blob(bytes)) => Some(Value::Bytes(bytes.to_vec())),
        _ => None,
    };
    value.ok_or_else(|| {
        Error::Schema(format!(
            "{}.{} holds something that is no {:?}",
            table.name, column.name, column.kind
        ))
    })
}
