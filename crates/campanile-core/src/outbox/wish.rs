//! Whether a person wants mail: unsubscribing, and taking it back (decision 36). It is about the address that the
//! person has, so whoever shares it gets none either.

use campanile_store::{Row, Tx, sql};
use serde::Serialize;

use super::suppression::{self, Source};
use crate::error::{Error, Result};
use crate::id::PersonId;
use crate::time::Moment;

sql! {
    ADDRESS = "SELECT email, email_key, locale FROM person WHERE id = $1";
    HINDRANCES = "SELECT s.source, s.reason, s.since FROM suppression s JOIN person p ON p.email_key = s.address
        WHERE p.id = $1 AND s.until > $2 ORDER BY s.source";
    OPEN = "DELETE FROM suppression WHERE source IN (1, 2, 4)
        AND address = (SELECT email_key FROM person WHERE id = $1)";
}

/// One thing that keeps mail from an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Hindrance {
    /// Why.
    pub source: Source,
    /// More of it: what the mail system of the address said.
    pub reason: String,
    /// Since when.
    pub since: Moment,
}

/// How a person stands to mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The person's address; without one there is no mail.
    pub address: Option<String>,
    /// The person's language.
    pub locale: Option<String>,
    /// What keeps mail from the address; nothing: mail is sent.
    pub hindrances: Vec<Hindrance>,
}

impl Standing {
    /// Whether the person unsubscribed.
    #[must_use]
    pub fn is_unsubscribed(&self) -> bool {
        self.hindrances.iter().any(|one| one.source == Source::Unsubscribed)
    }
}

/// How a person stands to mail; `Missing` for nobody.
pub fn standing(tx: &mut Tx<'_>, person: PersonId, now: Moment) -> Result<Standing> {
    let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(2)?));
    let (address, locale) = tx.first(&ADDRESS, &[&person.0], read)?.ok_or(Error::Missing("user"))?;
    let hindrances = tx.rows(&HINDRANCES, &[&person.0, &now.0], |row| {
        Ok(Hindrance {
            source: Source::from_code(row.get(0)?),
            reason: row.get(1)?,
            since: Moment(row.get(2)?),
        })
    })?;
    Ok(Standing {
        address,
        locale,
        hindrances,
    })
}

/// Unsubscribes a person from all mail that is not critical. Once more changes nothing.
pub fn unsubscribe(tx: &mut Tx<'_>, person: PersonId, now: Moment) -> Result<Standing> {
    if let Some(address) = key(tx, person)? {
        suppression::unsubscribe(tx, &address, None, now)?;
    }
    standing(tx, person, now)
}

/// Takes an unsubscribing back; what else keeps mail from the address stays.
pub fn again(tx: &mut Tx<'_>, person: PersonId, now: Moment) -> Result<Standing> {
    if let Some(address) = key(tx, person)? {
        suppression::resubscribe(tx, &address)?;
    }
    standing(tx, person, now)
}

fn key(tx: &mut Tx<'_>, person: PersonId) -> Result<Option<String>> {
    let key = tx.first(&ADDRESS, &[&person.0], |row| row.get::<Option<String>>(1))?;
    Ok(key.flatten())
}

/// Switches mail on for a person who is signed in, whatever kept it from their address: they say that it works.
///
/// # Errors
/// `Conflict` where an administrator switched it off.
pub fn open(tx: &mut Tx<'_>, person: PersonId, now: Moment) -> Result<Standing> {
    tx.execute(&OPEN, &[&person.0])?;
    let standing = standing(tx, person, now)?;
    if standing.hindrances.is_empty() {
        Ok(standing)
    } else {
        Err(Error::Conflict(
            "an administrator switched off mail to this address; only they can switch it on".into(),
        ))
    }
}
