//! Addresses that get no mail: what came back, what was complained about, what an operator put here, who unsubscribed.
//!
//! An address may be here for several reasons at once, one row each. Addresses are kept as `person.email_key`.

use campanile_store::{Row, Tx, sql};
use serde::{Deserialize, Serialize};

use crate::account::profile::{EMAIL_BYTES, is_email};
use crate::directory::folded;
use crate::directory::list::{Page, Paging, Place, page, prefix};
use crate::error::{Error, Faults, Result};
use crate::id::{MessageId, PersonId};
use crate::time::{Moment, OPEN};

macro_rules! columns {
    () => {
        "SELECT s.address, s.source, s.reason, s.since, s.until, s.message, p.name
        FROM suppression s LEFT JOIN person p ON p.id = s.author "
    };
}

sql! {
    PUT = "INSERT INTO suppression (address, source, reason, since, until, author, message)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (address, source) DO UPDATE SET reason = excluded.reason, since = excluded.since,
            until = excluded.until, author = excluded.author, message = excluded.message";
    TAKE = "DELETE FROM suppression WHERE address = $1 AND source = $2";
    TAKE_ALL = "DELETE FROM suppression WHERE address = $1";
    OF = concat!(columns!(), "WHERE s.address = $1 ORDER BY s.source");
    NEWEST = concat!(columns!(), "WHERE (s.since, s.address) <= ($1, $2)
            AND ((s.since, s.address) < ($1, $2) OR s.source > $3)
        ORDER BY s.since DESC, s.address DESC, s.source LIMIT $4");
    // $5 to $6: the range of texts that begin so.
    FOUND = concat!(columns!(), "WHERE s.address >= $5 AND s.address < $6 AND (s.address, s.source) > ($2, $3)
            AND CAST($1 AS BIGINT) IS NOT NULL
        ORDER BY s.address, s.source LIMIT $4");
}

/// Characters of a reason that an operator gives.
pub const REASON_CHARS: usize = 500;
/// Above every address.
const TOP: &str = "\u{10ffff}";

/// Why an address is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SuppressionSource)]
pub enum Source {
    /// Its mail came back, or the relay refused it for good.
    Bounced = 1,
    /// Its owner complained.
    Complained = 2,
    /// Put here by hand.
    Added = 3,
    /// Its owner wants none; critical messages go all the same.
    Unsubscribed = 4,
}

impl Source {
    /// As stored.
    #[must_use]
    pub const fn code(self) -> i64 {
        self as i64
    }

    /// As it is called in texts.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bounced => "bounced",
            Self::Complained => "complained",
            Self::Added => "added",
            Self::Unsubscribed => "unsubscribed",
        }
    }

    /// From storage.
    #[must_use]
    pub const fn from_code(code: i64) -> Self {
        match code {
            1 => Self::Bounced,
            2 => Self::Complained,
            3 => Self::Added,
            _ => Self::Unsubscribed,
        }
    }
}

/// An address that gets no mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Suppression {
    /// In lower case.
    pub address: String,
    /// Why it is here.
    pub source: Source,
    /// More of it: what the relay or the operator said.
    pub reason: String,
    /// When it came here.
    pub since: Moment,
    /// Until when; absent for good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Moment>,
    /// Who put it here by hand, by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The message that came back, or was unsubscribed by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageId>,
}

fn read(row: &Row<'_>) -> campanile_store::Result<Suppression> {
    Ok(Suppression {
        address: row.get(0)?,
        source: Source::from_code(row.get(1)?),
        reason: row.get(2)?,
        since: Moment(row.get(3)?),
        until: Some(Moment(row.get(4)?)).filter(|until| until.0 != OPEN),
        message: row.get::<Option<i64>>(5)?.map(MessageId),
        by: row.get(6)?,
    })
}

/// An address as it is kept and looked up.
#[must_use]
pub fn key(address: &str) -> String {
    folded(address.trim())
}

/// Lets an address get no more mail, for good. Known already, it gets the new reason and time.
pub fn suppress(
    tx: &mut Tx<'_>,
    address_key: &str,
    source: Source,
    reason: &str,
    message: Option<MessageId>,
    now: Moment,
) -> Result<()> {
    put(tx, address_key, source, reason, None, message, now)
}

fn put(
    tx: &mut Tx<'_>,
    address_key: &str,
    source: Source,
    reason: &str,
    author: Option<PersonId>,
    message: Option<MessageId>,
    now: Moment,
) -> Result<()> {
    let reason: String = reason.chars().take(REASON_CHARS).collect();
    let (author, message) = (author.map(|author| author.0), message.map(|message| message.0));
    tx.send(
        &PUT,
        &[&address_key, &source.code(), &reason, &now.0, &OPEN, &author, &message],
    )?;
    Ok(())
}

/// The owner of an address wants no mail that is not critical.
pub fn unsubscribe(tx: &mut Tx<'_>, address_key: &str, message: Option<MessageId>, now: Moment) -> Result<()> {
    let reason = "unsubscribed by the link in a mail";
    put(tx, address_key, Source::Unsubscribed, reason, None, message, now)
}

/// The owner of an address wants mail again. Whether they had unsubscribed.
pub fn resubscribe(tx: &mut Tx<'_>, address_key: &str) -> Result<bool> {
    Ok(tx.execute(&TAKE, &[&address_key, &Source::Unsubscribed.code()])? > 0)
}

/// Puts an address here by hand; the address as it is kept.
///
/// # Errors
/// `Invalid` for what is no address, and for a reason of more than [`REASON_CHARS`].
pub fn add(tx: &mut Tx<'_>, address: &str, reason: &str, author: PersonId, now: Moment) -> Result<String> {
    let mut faults = Faults::default();
    let address = address.trim();
    let why = format!("must be one address such as ann@example.com, of at most {EMAIL_BYTES} bytes");
    faults.require(is_email(address), "address", why);
    let is_plain = reason.chars().count() <= REASON_CHARS && !reason.chars().any(char::is_control);
    let why = format!("must be one line of at most {REASON_CHARS} characters");
    faults.require(is_plain, "reason", why);
    faults.finish()?;
    let key = key(address);
    put(tx, &key, Source::Added, reason, Some(author), None, now)?;
    Ok(key)
}

/// Takes an address away: one source of it, or all.
///
/// # Errors
/// `Missing` where it is not here.
pub fn remove(tx: &mut Tx<'_>, address: &str, source: Option<Source>) -> Result<()> {
    let key = key(address);
    let taken = match source {
        Some(source) => tx.execute(&TAKE, &[&key, &source.code()])?,
        None => tx.execute(&TAKE_ALL, &[&key])?,
    };
    if taken == 0 {
        return Err(Error::Missing("suppression"));
    }
    Ok(())
}

/// Why an address is here, by each source.
pub fn of(tx: &mut Tx<'_>, address: &str) -> Result<Vec<Suppression>> {
    Ok(tx.rows(&OF, &[&key(address)], read)?)
}

/// A page of the list, the newest first; where something is searched, of those that begin so, by address.
pub fn list(tx: &mut Tx<'_>, q: Option<&str>, paging: &Paging) -> Result<Page<Suppression>> {
    let range = prefix(q.map(folded).as_deref())?;
    page(paging, 1, |place, limit| {
        let is_first = *place == Place::default();
        let place_of = |one: &Suppression| Place {
            arm: 0,
            text: one.address.clone(),
            numbers: (one.since.0, one.source.code(), 0),
        };
        let numbers = place.numbers;
        let rows = if let Some((from, to)) = &range {
            tx.rows(&FOUND, &[&numbers.0, &place.text, &numbers.1, &limit, from, to], read)?
        } else {
            let (since, address, source) = if is_first {
                (OPEN, TOP, 0)
            } else {
                (numbers.0, place.text.as_str(), numbers.1)
            };
            tx.rows(&NEWEST, &[&since, &address, &source, &limit], read)?
        };
        Ok(rows
            .into_iter()
            .map(|one| {
                let place = place_of(&one);
                (one, place)
            })
            .collect())
    })
}
