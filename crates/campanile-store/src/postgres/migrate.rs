//! Brings a PostgreSQL database to the schema.

use std::sync::Arc;
use std::time::Duration;

use tokio_postgres::Client;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{ToSql, Type};

use super::connect::{Target, runtime};
use crate::migrate::{IS_MARKED, OWN, Purpose, RAN, RECORD, Ran, Schema, checksum, is_whole};
use crate::{Dialect, Error, Migration, Result};

/// The oldest major version of PostgreSQL that will do.
const OLDEST_SERVER: i32 = 15;
/// A migration takes the time it takes. All of it is of the transaction: a pooler gives the connection to others.
///
/// Several servers may start at once: one migrates, the others wait and find nothing to do.
const BEGIN: &str = "BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0; SET LOCAL timezone = 'UTC'; \
                     SELECT pg_advisory_xact_lock(20260101)";
/// While a migration waits for a table that an older server reads, all who come later wait behind it: not for long.
const PATIENCE: &str = "SET LOCAL lock_timeout = '2s'";
/// Between two attempts, those who waited get their turn.
const PAUSE: Duration = Duration::from_secs(1);
/// A long read ends within minutes; a table that is not free after so many attempts is kept by something else.
const ATTEMPTS: u32 = 200;

const VERSION: &str = "SELECT CAST(current_setting('server_version_num') AS INTEGER)";
/// A name that no other server has, made by the database because it is there that it has to differ.
const IDENTITY: &str = "SELECT replace(gen_random_uuid()::text, '-', '')";

/// Runs what is missing, all of it or, by the end of the connection, nothing. Returns a name for this server.
pub(crate) fn migrate(target: &Target, schema: &Schema, purpose: Purpose) -> Result<Arc<str>> {
    let rt = runtime()?;
    let client = target.client(&rt, "")?;
    rt.block_on(async {
        let mut attempts = 0;
        while !attempt(&client, schema, purpose).await? {
            client.batch_execute("ROLLBACK").await?;
            attempts += 1;
            if attempts == ATTEMPTS {
                return Err(Error::Unavailable(
                    "a migration waits for a table that is in use".into(),
                ));
            }
            tracing::info!(attempts, "a migration waits for a table that is in use");
            tokio::time::sleep(PAUSE).await;
        }
        let own: String = client.query_typed(IDENTITY, &[]).await?[0].try_get(0)?;
        Ok(own.into())
    })
}

/// Runs what is missing; `false` where a table was not free, and nothing has been done.
async fn attempt(client: &Client, schema: &Schema, purpose: Purpose) -> Result<bool> {
    client.batch_execute(BEGIN).await?;
    let version: i32 = client.query_typed(VERSION, &[]).await?[0].try_get(0)?;
    check_version(version)?;
    client.batch_execute(&Dialect::Postgres.translate(OWN)).await?;
    if purpose == Purpose::Serve {
        is_whole(is_marked(client).await?)?;
    }
    let missing = missing(client, schema).await?;
    client.batch_execute(PATIENCE).await?;
    for migration in missing {
        match client.batch_execute(&Dialect::Postgres.translate(migration.sql)).await {
            Err(error) if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) => return Ok(false),
            done => done.map_err(|error| {
                let error = Error::from(error);
                Error::Schema(format!("migration {}: {error}", migration.name))
            })?,
        }
        let sum = checksum(migration.sql);
        let params: [(&(dyn ToSql + Sync), Type); 4] = [
            (&migration.number, Type::INT8),
            (&migration.name, Type::TEXT),
            (&sum, Type::TEXT),
            (&migration.oldest, Type::INT8),
        ];
        client.query_typed(RECORD, &params).await?;
    }
    client.batch_execute("COMMIT").await?;
    Ok(true)
}

/// Refuses a server that is older than what this is tested with.
fn check_version(number: i32) -> Result<()> {
    if number < OLDEST_SERVER * 10_000 {
        let major = number / 10_000;
        return Err(Error::Schema(format!(
            "this PostgreSQL is too old ({major}); Campanile needs {OLDEST_SERVER} or newer"
        )));
    }
    Ok(())
}

/// What would run, by name. Begins to write, and takes all of it back.
pub(super) fn look(target: &Target, schema: &Schema) -> Result<Vec<&'static str>> {
    let rt = runtime()?;
    let client = target.client(&rt, "")?;
    rt.block_on(async {
        client.batch_execute(BEGIN).await?;
        client.batch_execute(&Dialect::Postgres.translate(OWN)).await?;
        is_whole(is_marked(&client).await?)?;
        let missing = missing(&client, schema).await?;
        client.batch_execute("ROLLBACK").await?;
        Ok(missing.iter().map(|migration| migration.name).collect())
    })
}

/// What a database has not run.
pub(crate) async fn missing(client: &Client, schema: &Schema) -> Result<&'static [Migration]> {
    let rows = client.query_typed(RAN, &[]).await?;
    let ran = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
    schema.missing(&ran)
}

async fn is_marked(client: &Client) -> Result<bool> {
    Ok(client.query_typed(IS_MARKED, &[]).await?[0].try_get(0)?)
}

fn read(row: &tokio_postgres::Row) -> Result<Ran> {
    Ok(Ran {
        number: row.try_get(0)?,
        name: row.try_get(1)?,
        checksum: row.try_get(2)?,
        oldest: row.try_get(3)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_before_15_is_refused_by_its_version() {
        let refused = check_version(140_011).map_err(|error| error.to_string());
        let why = "this PostgreSQL is too old (14); Campanile needs 15 or newer";
        assert_eq!(refused, Err(why.to_owned()));
        for good in [150_000, 170_002, 180_000] {
            assert!(check_version(good).is_ok(), "{good}");
        }
    }
}
