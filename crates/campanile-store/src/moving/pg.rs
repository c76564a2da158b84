//! PostgreSQL as one of the two databases of a move.

use std::pin::pin;

use futures_util::TryStreamExt as _;
use tokio::runtime::Runtime;
use tokio_postgres::Client;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use super::shape;
use super::side::Use;
use super::table::{Kind, Row, Table, Value, quoted};
use crate::migrate::{MARKER, Purpose, Schema};
use crate::postgres::{self, Target};
use crate::{Dialect, Error, Options, Result};

/// Nothing of this is short, and nothing waits behind it. What a loss of power takes are the last batches, whose rows
/// are then read again; the end is durable.
const SETTINGS: &str = "SET statement_timeout = 0; SET lock_timeout = '30s'; SET timezone = 'UTC'; SET jit = off; \
    SET idle_in_transaction_session_timeout = 0; SET synchronous_commit = off; SET maintenance_work_mem = '256MB'";
const SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

const TABLES: &str = "SELECT CAST(c.relname AS TEXT), CAST(a.attname AS TEXT), CAST(t.typname AS TEXT),
        COALESCE((SELECT CAST(k.place AS BIGINT)
            FROM pg_index i, unnest(i.indkey) WITH ORDINALITY AS k (number, place)
            WHERE i.indrelid = c.oid AND i.indisprimary AND k.number = a.attnum), 0)
    FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type t ON t.oid = a.atttypid
    WHERE c.relkind = 'r' AND c.relnamespace = CAST(current_schema() AS regnamespace)
    ORDER BY CAST(c.relname AS TEXT) COLLATE \"C\", a.attnum";

/// What slows writing down, its text, and the statement that takes it away: keys of other tables, then indexes that are
/// none of a primary key or a UNIQUE.
const ASIDE: &str = "SELECT 'constraint ' || conname,
        format('ALTER TABLE %s ADD CONSTRAINT %I %s', CAST(conrelid AS regclass), conname, pg_get_constraintdef(oid)),
        format('ALTER TABLE %s DROP CONSTRAINT %I', CAST(conrelid AS regclass), conname)
    FROM pg_constraint WHERE contype = 'f' AND connamespace = CAST(current_schema() AS regnamespace)
    UNION ALL
    SELECT 'index ' || c.relname, pg_get_indexdef(i.indexrelid), format('DROP INDEX %s', CAST(c.oid AS regclass))
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE c.relnamespace = CAST(current_schema() AS regnamespace)
        AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype <> 'f')";
/// Indexes first: a key of another table is checked by them.
const NEXT: &str = "SELECT name, said FROM moving WHERE name <> 'source' ORDER BY name DESC LIMIT 1";
/// Columns whose numbers the database gives.
const GIVEN: &str = "SELECT CAST(c.relname AS TEXT), CAST(a.attname AS TEXT) FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attidentity <> ''
    WHERE c.relkind = 'r' AND c.relnamespace = CAST(current_schema() AS regnamespace)";

pub(super) struct Pg {
    rt: Runtime,
    client: Client,
    purpose: Use,
}

impl Pg {
    pub(super) fn open(options: &Options, schema: &Schema, purpose: Use) -> Result<Self> {
        let target = Target::new(&options.url)?;
        if purpose == Use::Write {
            postgres::migrate(&target, schema, Purpose::Copy)?;
        }
        let rt = postgres::runtime()?;
        let client = target.client(&rt, SETTINGS)?;
        let pg = Self { rt, client, purpose };
        if purpose == Use::Read {
            pg.rt.block_on(pg.client.batch_execute(SNAPSHOT))?;
            super::is_current(pg.rt.block_on(postgres::missing(&pg.client, schema))?)?;
        }
        Ok(pg)
    }

    /// On the writing side the lock is kept until the connection ends: neither a server nor another copy gets it.
    pub(super) fn is_used(&self) -> Result<bool> {
        let text = format!("SELECT pg_try_advisory_lock({})", postgres::IN_USE);
        let row = self.rt.block_on(self.client.query_one(&text, &[]))?;
        let free: bool = row.try_get(0)?;
        Ok(!free)
    }

    pub(super) fn release(&self) -> Result<()> {
        if self.purpose == Use::Read {
            self.rt
                .block_on(self.client.batch_execute("SELECT pg_advisory_unlock_all()"))?;
        }
        Ok(())
    }

    pub(super) fn tables(&self) -> Result<Vec<(String, Result<Table>)>> {
        let rows = self.rt.block_on(self.client.query(TABLES, &[]))?;
        let mut tables: Vec<(String, Vec<_>)> = Vec::new();
        for row in rows {
            let name: String = row.try_get(0)?;
            if tables.last().is_none_or(|(last, _)| *last != name) {
                tables.push((name, Vec::new()));
            }
            if let Some((_, columns)) = tables.last_mut() {
                columns.push((row.try_get(1)?, row.try_get(2)?, row.try_get(3)?));
            }
        }
        Ok(tables
            .into_iter()
            .filter_map(|(name, columns)| shape(name, columns))
            .collect())
    }

    pub(super) fn count(&self, table: &Table) -> Result<u64> {
        let text = format!("SELECT COUNT(*) FROM {}", quoted(&table.name));
        let count: i64 = self.rt.block_on(self.client.query_one(&text, &[]))?.try_get(0)?;
        Ok(count as u64)
    }

    pub(super) fn last(&self, table: &Table) -> Result<Option<Row>> {
        let row = self
            .rt
            .block_on(self.client.query_opt(&table.last(Dialect::Postgres), &[]))?;
        row.map(|row| values(table, &row)).transpose()
    }

    pub(super) fn read(&self, table: &Table, behind: Option<&Row>, each: &mut dyn FnMut(Row) -> bool) -> Result<()> {
        let text = table.select(Dialect::Postgres, behind.is_some());
        let key = behind.map(|row| table.key_of(row)).unwrap_or_default();
        self.rt.block_on(async {
            let statement = self.client.prepare(&text).await?;
            let key = key.into_iter().map(|value| value as &(dyn ToSql + Sync));
            let mut rows = pin!(self.client.query_raw(&statement, key).await?);
            while let Some(row) = rows.try_next().await? {
                if !each(values(table, &row)?) {
                    break;
                }
            }
            Ok(())
        })
    }

    pub(super) fn marker(&self) -> Result<Option<String>> {
        let text = format!("SELECT said FROM {MARKER} WHERE name = 'source'");
        let row = self.rt.block_on(self.client.query_opt(&text, &[]))?;
        Ok(row.map(|row| row.try_get(0)).transpose()?)
    }

    pub(super) fn begin(&mut self, tables: &[Table], source: &str) -> Result<()> {
        self.rt.block_on(async {
            let tx = self.client.transaction().await?;
            tx.execute(&format!("DELETE FROM {MARKER} WHERE name = 'source'"), &[])
                .await?;
            let insert = format!("INSERT INTO {MARKER} (name, said) VALUES ($1, $2)");
            for row in tx.query(ASIDE, &[]).await? {
                let (name, text): (String, String) = (row.try_get(0)?, row.try_get(1)?);
                tx.execute(&insert, &[&name, &text]).await?;
                tx.batch_execute(row.try_get(2)?).await?;
            }
            let names: Vec<_> = tables.iter().map(|table| quoted(&table.name)).collect();
            tx.batch_execute(&format!("TRUNCATE {}", names.join(", "))).await?;
            tx.execute(&insert, &[&"source", &source]).await?;
            Ok(tx.commit().await?)
        })
    }

    pub(super) fn write(&mut self, table: &Table, rows: &[Row]) -> Result<()> {
        let text = format!("COPY {} ({}) FROM STDIN BINARY", quoted(&table.name), table.names());
        let types: Vec<Type> = table.columns.iter().map(|column| type_of(column.kind)).collect();
        self.rt.block_on(async {
            let sink = self.client.copy_in(&text).await?;
            let mut writer = pin!(BinaryCopyInWriter::new(sink, &types));
            for row in rows {
                writer.as_mut().write_raw(row.iter()).await?;
            }
            writer.finish().await?;
            Ok(())
        })
    }

    pub(super) fn put_back(&mut self) -> Result<Option<String>> {
        self.rt.block_on(async {
            let tx = self.client.transaction().await?;
            let Some(row) = tx.query_opt(NEXT, &[]).await? else {
                return Ok(None);
            };
            let name: String = row.try_get(0)?;
            tx.batch_execute(row.try_get(1)?).await?;
            tx.execute(&format!("DELETE FROM {MARKER} WHERE name = $1"), &[&name])
                .await?;
            tx.commit().await?;
            Ok(Some(name))
        })
    }

    pub(super) fn finish(&mut self, tables: &[Table]) -> Result<()> {
        self.rt.block_on(async {
            self.client.batch_execute("SET synchronous_commit = on").await?;
            let tx = self.client.transaction().await?;
            for row in tx.query(GIVEN, &[]).await? {
                let (table, column): (String, String) = (row.try_get(0)?, row.try_get(1)?);
                let (of, max) = (quoted(&table), format!("MAX({})", quoted(&column)));
                let text = format!(
                    "SELECT setval(pg_get_serial_sequence($1, $2), COALESCE({max}, 1), {max} IS NOT NULL) FROM {of}"
                );
                tx.query(&text, &[&of, &column]).await?;
            }
            // Without it the first plans would be made as for empty tables.
            for table in tables {
                tx.batch_execute(&format!("ANALYZE {}", quoted(&table.name))).await?;
            }
            tx.execute(&format!("DELETE FROM {MARKER}"), &[]).await?;
            Ok(tx.commit().await?)
        })
    }
}

fn type_of(kind: Kind) -> Type {
    match kind {
        Kind::Integer => Type::INT8,
        Kind::Boolean => Type::BOOL,
        Kind::Text => Type::TEXT,
        Kind::Bytes => Type::BYTEA,
    }
}

fn values(table: &Table, row: &tokio_postgres::Row) -> Result<Row> {
    let value = |at: usize, kind| -> std::result::Result<_, tokio_postgres::Error> {
        Ok(match kind {
            Kind::Integer => row.try_get::<_, Option<i64>>(at)?.map(Value::Integer),
            Kind::Boolean => row.try_get::<_, Option<bool>>(at)?.map(|is| Value::Integer(is.into())),
            Kind::Text => row.try_get::<_, Option<String>>(at)?.map(Value::Text),
            Kind::Bytes => row.try_get::<_, Option<Vec<u8>>>(at)?.map(Value::Bytes),
        })
    };
    let columns = table.columns.iter().enumerate();
    columns
        .map(|(at, column)| Ok(value(at, column.kind).map_err(Error::from)?.unwrap_or(Value::Null)))
        .collect()
}

impl ToSql for Value {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut bytes::BytesMut,
    ) -> std::result::Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Integer(0 | 1) if *kind == Type::BOOL => (*self == Self::Integer(1)).to_sql(kind, out),
            Self::Integer(number) if *kind == Type::BOOL => Err(format!("{number} is neither true nor false").into()),
            Self::Integer(number) => number.to_sql(kind, out),
            Self::Text(text) => text.to_sql(kind, out),
            Self::Bytes(bytes) => bytes.to_sql(kind, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}
