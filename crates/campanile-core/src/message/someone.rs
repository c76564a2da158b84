//! People as a sender sees them: by id, and found by the beginning of a name.

use campanile_store::{Param, Row, Tx, sql};
use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};

use crate::directory::folded;
use crate::directory::list::prefix;
use crate::error::Result;
use crate::policy::{self, Act};
use crate::rights::Rights;

macro_rules! columns {
    () => {
        "SELECT p.id, p.key, p.login, p.name, p.email, l.object IS NOT NULL
        FROM person p LEFT JOIN life l ON l.kind = 1 AND l.object = p.id AND l.until = 9223372036854775807 "
    };
}

sql! {
    PEOPLE = concat!(columns!(), "WHERE p.id IN ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)");
    BETWEEN = concat!(columns!(), "WHERE p.id >= $1 AND p.id <= $2 ORDER BY p.id");
    // The limit stands in each part: a union is made whole before it is cut.
    NAMED = "SELECT id FROM (SELECT id FROM person WHERE login_key >= $1 AND login_key < $2
            ORDER BY login_key LIMIT $3) by_login
        UNION ALL
        SELECT id FROM (SELECT id FROM person WHERE name_key >= $1 AND name_key < $2
            ORDER BY name_key LIMIT $3) by_name";
    ADDRESSED = "SELECT id FROM person WHERE email_key >= $1 AND email_key < $2 ORDER BY email_key LIMIT $3";
}

/// People that one search takes by each of login, name and address, in their order.
const SEARCH_LIMIT: i64 = 2_000;
/// More people than this are read by their range of ids, where they fill a quarter of it.
const DENSE: usize = 20;

/// A person as a sender sees them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Someone {
    /// The directory's id.
    pub user: String,
    /// Log-in name.
    pub login: String,
    /// Display name.
    pub name: String,
    /// Has an email address.
    pub has_email: bool,
    /// Is still there.
    pub active: bool,
    #[serde(skip)]
    pub(crate) id: i64,
}

/// By what people are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Login and name.
    Name,
    /// Login, name and address: for who may read the directory, or an address could be guessed letter by letter.
    NameAndAddress,
}

impl By {
    /// What somebody may find people by.
    #[must_use]
    pub fn rights(rights: &Rights) -> Self {
        match policy::may(rights, &Act::ReadDirectory) {
            Ok(()) => Self::NameAndAddress,
            Err(_) => Self::Name,
        }
    }
}

/// People by the beginning of login, name or address, as a bitmap; at most 2,000 by each. `None` where nothing is
/// searched.
pub fn search(tx: &mut Tx<'_>, words: &str, by: By) -> Result<Option<RoaringBitmap>> {
    let Some((from, to)) = prefix(Some(&folded(words)))? else {
        return Ok(None);
    };
    let mut found = RoaringBitmap::new();
    let mut add = |row: &Row<'_>| {
        found.insert(row.get::<i64>(0)? as u32);
        Ok::<(), campanile_store::Error>(())
    };
    tx.each(&NAMED, &[&from, &to, &SEARCH_LIMIT], &mut add)?;
    if by == By::NameAndAddress {
        tx.each(&ADDRESSED, &[&from, &to, &SEARCH_LIMIT], &mut add)?;
    }
    Ok(Some(found))
}

/// Some people by id, in the order of ids.
pub fn people(tx: &mut Tx<'_>, ids: &[u32]) -> Result<Vec<Someone>> {
    let found = with_addresses(tx, ids)?;
    Ok(found.into_iter().map(|(someone, _)| someone).collect())
}

/// Some people by id, in the order of ids, each with their present address. The ids are in order.
pub(crate) fn with_addresses(tx: &mut Tx<'_>, ids: &[u32]) -> Result<Vec<(Someone, Option<String>)>> {
    let (Some(first), Some(last)) = (ids.first(), ids.last()) else {
        return Ok(Vec::new());
    };
    let mut out = Vec::with_capacity(ids.len());
    if ids.len() > DENSE && (last - first) as usize <= 4 * ids.len() {
        let (from, to) = (i64::from(*first), i64::from(*last));
        tx.each(&BETWEEN, &[&from, &to], |row| {
            let found = read(row)?;
            if ids.binary_search(&(found.0.id as u32)).is_ok() {
                out.push(found);
            }
            Ok::<(), campanile_store::Error>(())
        })?;
        return Ok(out);
    }
    for part in ids.chunks(10) {
        let ids: Vec<i64> = (0..10).map(|at| part.get(at).map_or(0, |id| i64::from(*id))).collect();
        let params: Vec<&dyn Param> = ids.iter().map(|id| id as &dyn Param).collect();
        out.extend(tx.rows(&PEOPLE, &params, read)?);
    }
    out.sort_unstable_by_key(|(one, _)| one.id);
    Ok(out)
}

fn read(row: &Row<'_>) -> campanile_store::Result<(Someone, Option<String>)> {
    let email: Option<String> = row.get(4)?;
    let someone = Someone {
        id: row.get(0)?,
        user: row.get(1)?,
        login: row.get(2)?,
        name: row.get(3)?,
        has_email: email.is_some(),
        active: row.get(5)?,
    };
    Ok((someone, email))
}
