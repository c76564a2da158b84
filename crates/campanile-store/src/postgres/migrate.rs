//! Brings a PostgreSQL database to the schema.

use std::sync::Arc;

use tokio_postgres::Client;

use super::connect::{Target, runtime};
use crate::migrate::{IS_MARKED, OWN, Purpose, RAN, RECORD, Ran, Schema, checksum, is_whole};
use crate::{Dialect, Error, Migration, Result};

/// The oldest major version of PostgreSQL that will do.
const OLDEST_SERVER: u32 = 15;
/// A migration takes the time it takes.
const SETTINGS: &str = "SET statement_timeout = 0; SET lock_timeout = 0; SET timezone = 'UTC'";
/// Several servers may start at once: one migrates, the others wait and find nothing to do.
const BEGIN: &str = "BEGIN; SELECT pg_advisory_xact_lock(20260101)";

/// A name that no other server has, made by the database because it is there that it has to differ.
const IDENTITY: &str = "SELECT replace(gen_random_uuid()::text, '-', '')";

/// Runs what is missing, all of it or, by the end of the connection, nothing. Returns a name for this server.
pub(crate) fn migrate(target: &Target, schema: &Schema, purpose: Purpose) -> Result<Arc<str>> {
    let rt = runtime()?;
    let client = target.client(&rt, SETTINGS)?;
    rt.block_on(async {
        let version: String = client.query_one("SHOW server_version_num", &[]).await?.try_get(0)?;
        check_version(&version)?;
        client.batch_execute(BEGIN).await?;
        client.batch_execute(&Dialect::Postgres.translate(OWN)).await?;
        if purpose == Purpose::Serve {
            is_whole(is_marked(&client).await?)?;
        }
        for migration in missing(&client, schema).await? {
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

/// Refuses a server that is older than what this is tested with.
fn check_version(number: &str) -> Result<()> {
    if number.parse().is_ok_and(|number: u32| number < OLDEST_SERVER * 10_000) {
        let major = number.get(..2).unwrap_or(number);
        return Err(Error::Schema(format!(
            "this PostgreSQL is too old ({major}); Campanile needs {OLDEST_SERVER} or newer"
        )));
    }
    Ok(())
}

/// What would run, by name. Begins to write, and takes all of it back.
pub(super) fn look(target: &Target, schema: &Schema) -> Result<Vec<&'static str>> {
    let rt = runtime()?;
    let client = target.client(&rt, SETTINGS)?;
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
    let rows = client.query(RAN, &[]).await?;
    let ran = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
    schema.missing(&ran)
}

async fn is_marked(client: &Client) -> Result<bool> {
    Ok(client.query_one(IS_MARKED, &[]).await?.try_get(0)?)
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
        let refused = check_version("140011").map_err(|error| error.to_string());
        let why = "this PostgreSQL is too old (14); Campanile needs 15 or newer";
        assert_eq!(refused, Err(why.to_owned()));
        for good in ["150000", "170002", "180000"] {
            assert!(check_version(good).is_ok(), "{good}");
        }
    }
}
