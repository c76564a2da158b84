//! Brings a database to the schema: numbered SQL files, each run once, in order, in a transaction.
//!
//! A file's checksum is stored when it runs, so a file that was changed afterwards is noticed. The database also stores
//! the oldest schema generation whose binary may use it: only an older binary is refused, so that old and new run side
//! by side during an upgrade (decision 38).

use std::fmt::Write;

use crate::{Error, Result, Tx};

crate::sql! {
    NEEDED = "SELECT COALESCE(MAX(oldest), 0) FROM migration";
}

/// One numbered SQL file.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// 1, 2, 3, … without gaps.
    pub number: i64,
    /// The file's name, for messages.
    pub name: &'static str,
    /// The text, with the tokens of [`Dialect::translate`](crate::Dialect::translate).
    pub sql: &'static str,
    /// The oldest generation (number of the newest migration it knows) whose binary can use the database after this.
    pub oldest: i64,
}

/// The schema of the crate above.
#[derive(Debug, Clone, Copy)]
pub struct Schema {
    /// All files, in order.
    pub migrations: &'static [Migration],
}

/// The table that has rows while a copy into this database is unfinished; see [`crate::moving`].
pub(crate) const MARKER: &str = "moving";
pub(crate) const IS_MARKED: &str = "SELECT EXISTS (SELECT * FROM moving)";

/// Tables that the store itself needs: what has run, how far a copy is, and the counters of [`crate::Tally`].
pub(crate) const OWN: &str = "
CREATE TABLE IF NOT EXISTS migration (
    number {id} PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, oldest BIGINT NOT NULL
);
CREATE TABLE IF NOT EXISTS moving (name TEXT NOT NULL PRIMARY KEY, said TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS tally (name TEXT NOT NULL PRIMARY KEY, value BIGINT NOT NULL) {clustered};
";
pub(crate) const RAN: &str = "SELECT number, name, checksum, oldest FROM migration ORDER BY number";
pub(crate) const RECORD: &str = "INSERT INTO migration (number, name, checksum, oldest) VALUES ($1, $2, $3, $4)";

/// What a database is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To be used: it must be whole.
    Serve,
    /// To be copied into.
    Copy,
}

/// Refuses to use what was only copied in part.
pub(crate) fn is_whole(marked: bool) -> Result<()> {
    if marked {
        return Err(Error::Schema(
            "this database is a copy that is not finished: run the same `campanile copy-database` again, which goes on \
             where it stopped"
                .into(),
        ));
    }
    Ok(())
}

/// A migration that has run, as the database tells it.
pub(crate) struct Ran {
    pub(crate) number: i64,
    pub(crate) name: String,
    pub(crate) checksum: String,
    pub(crate) oldest: i64,
}

/// The oldest generation whose binary may use the database now: another server may have brought it to a newer schema
/// since this one has opened it.
pub fn needed(tx: &mut Tx<'_>) -> Result<i64> {
    tx.one(&NEEDED, &[], |row| row.get(0))
}

/// SHA-256 of a migration's text, in hexadecimal.
pub(crate) fn checksum(text: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    digest.as_ref().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

impl Schema {
    /// The newest migration that this binary knows.
    #[must_use]
    pub fn generation(&self) -> i64 {
        self.migrations.last().map_or(0, |last| last.number)
    }

    /// What is said where a database needs more than this binary.
    #[must_use]
    pub fn too_old(&self, needed: i64) -> String {
        let known = self.generation();
        format!("this database needs a newer Campanile (schema {needed}; this binary knows {known})")
    }

    /// What is still to run, after checking that what has run is what we know.
    pub(crate) fn missing(&self, ran: &[Ran]) -> Result<&'static [Migration]> {
        for (number, known) in (1..).zip(self.migrations) {
            if known.number != number {
                return Err(Error::Schema(format!(
                    "migration {} stands where number {number} is due",
                    known.name
                )));
            }
        }
        let oldest = ran.iter().map(|at| at.oldest).max().unwrap_or(0);
        if oldest > self.generation() {
            return Err(Error::Schema(self.too_old(oldest)));
        }
        for (at, known) in ran.iter().zip(self.migrations) {
            if at.number != known.number || at.checksum != checksum(known.sql) {
                return Err(Error::Schema(format!(
                    "migration {} ({}) has run here with another text; a released migration must not change",
                    at.number, at.name
                )));
            }
        }
        Ok(self.migrations.get(ran.len()..).unwrap_or_default())
    }
}
