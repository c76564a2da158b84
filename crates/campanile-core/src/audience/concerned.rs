//! Whom a change of the directory concerns: of all who have a page open, only these are read again.

use std::collections::HashSet;

use campanile_store::{Tx, sql};

use crate::error::Result;
use crate::id::PersonId;

sql! {
    // The last revision that changed the directory; that of the last change whose extent was noted; that of the last
    // whose extent is everybody.
    EXTENT = "SELECT (SELECT value FROM tally WHERE name = 'directory'),
        COALESCE((SELECT value FROM tally WHERE name = 'directory_noted'), 0),
        COALESCE((SELECT value FROM tally WHERE name = 'directory_wide'), 0)";
    PEOPLE = "SELECT person FROM membership WHERE since > $1
        UNION ALL SELECT person FROM membership WHERE until > $1 AND until < 9223372036854775807
        UNION ALL SELECT id FROM person WHERE changed > $1
        LIMIT $2";
}

/// More changes than this are everybody's.
const FEW: usize = 1_000;

/// The people who may hold something else than they did at a revision of the directory; `None` where that may be
/// anybody.
pub fn concerned(tx: &mut Tx<'_>, since: i64) -> Result<Option<HashSet<PersonId>>> {
    let extent = |row: &campanile_store::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let (directory, noted, wide): (i64, i64, i64) = tx.one(&EXTENT, &[], extent)?;
    // A server of an earlier version notes no extent.
    if noted != directory || wide > since {
        return Ok(None);
    }
    let people = tx.rows(&PEOPLE, &[&since, &(FEW as i64 + 1)], |row| Ok(PersonId(row.get(0)?)))?;
    Ok((people.len() <= FEW).then(|| people.into_iter().collect()))
}
