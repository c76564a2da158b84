//! Brings a PostgreSQL database to the schema.

use std::sync::Arc;

use super::connect::{Target, runtime};
use crate::migrate::{OWN, RAN, RECORD, Ran, Schema, checksum};
use crate::{Dialect, Error, Result};

/// A migration takes the time it takes.
const SETTINGS: &str = "SET statement_timeout = 0; SET lock_timeout = 0; SET timezone = 'UTC'";
/// Several servers may start at once: one migrates, the others wait and find nothing to do.
const BEGIN: &str = "BEGIN; SELECT pg_advisory_xact_lock(20260101)";

/// A name that no other server has, made by the database because it is there that it has to differ.
const IDENTITY: &str = "SELECT replace(gen_random_uuid()::text, '-', '')";

/// Runs what is missing, all of it or, by the end of the connection, nothing. Returns a name for this server.
pub(super) fn migrate(target: &Target, schema: &Schema) -> Result<Arc<str>> {
    let rt = runtime()?;
    let client = target.client(&rt, SETTINGS)?;
    rt.block_on(async {
        client.batch_execute(BEGIN).await?;
        client.batch_execute(&Dialect::Postgres.translate(OWN)).await?;
        let rows = client.query(RAN, &[]).await?;
        let ran = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
        for migration in schema.missing(&ran)? {
            client
                .batch_execute(&Dialect::Postgres.translate(migration.sql))
                .await
                .map_err(|error| {
                    let error = Error::from(error);
                    Error::Schema(format!("migration {}: {error}", migration.name))
                })?;
            let sum = checksum(migration.sql);
            client
                .execute(RECORD, &[&migration.number, &migration.name, &sum, &migration.oldest])
                .await?;
        }
        client.batch_execute("COMMIT").await?;
        let own: String = client.query_one(IDENTITY, &[]).await?.try_get(0)?;
        Ok(own.into())
    })
}

/// What would run, by name. Begins to write, and takes all of it back.
pub(super) fn look(target: &Target, schema: &Schema) -> Result<Vec<&'static str>> {
    let rt = runtime()?;
    let client = target.client(&rt, SETTINGS)?;
    rt.block_on(async {
        client.batch_execute(BEGIN).await?;
        client.batch_execute(&Dialect::Postgres.translate(OWN)).await?;
        let rows = client.query(RAN, &[]).await?;
        let ran = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
        client.batch_execute("ROLLBACK").await?;
        let missing = schema.missing(&ran)?;
        Ok(missing.iter().map(|migration| migration.name).collect())
    })
}

fn read(row: &tokio_postgres::Row) -> Result<Ran> {
    Ok(Ran {
        number: row.try_get(0)?,
        name: row.try_get(1)?,
        checksum: row.try_get(2)?,
        oldest: row.try_get(3)?,
    })
}
