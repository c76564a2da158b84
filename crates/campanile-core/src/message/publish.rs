//! Storing a message: one row and one row a selector, whatever the audience.

use campanile_store::{Tx, sql};

use super::Channel;
use super::draft::Checked;
use crate::error::{Error, Result};
use crate::id::{MessageId, PersonId};
use crate::journal::By;
use crate::outbox::push::{self, Word};
use crate::outbox::{destination, run};
use crate::revision::{self, tally};
use crate::time::Moment;

sql! {
    INSERT = "INSERT INTO message (id, revision, published_at, rule, environment, api, api_name, title, body, format,
            sender_name, importance, channels, opens_at, closes_at, enabled, author, created_at, arrival, arrival_at,
            ring, dismissible, must_acknowledge, sub_customers, from_via, from_address, from_token, acting_for, edition,
            missed)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
            $23, $24, $25, $26, $27, $28, 1, FALSE)";
    ADDRESS = "INSERT INTO audience (message, kind, object, role) VALUES ($1, $2, $3, $4)";
    REMEMBER = "INSERT INTO idempotency (author, key, fingerprint, message, at) VALUES ($1, $2, $3, $4, $5)";
    REPEATED = "SELECT message, fingerprint FROM idempotency WHERE author = $1 AND key = $2";
    FORGET = "DELETE FROM idempotency WHERE (author, key) IN
        (SELECT author, key FROM idempotency WHERE at < $1 LIMIT 2000)";
}

/// How long a repeat of a request is recognised, in milliseconds: a day.
pub const IDEMPOTENCY_MS: i64 = 24 * 60 * 60 * 1_000;
/// Characters of an idempotency key at most.
pub const IDEMPOTENCY_CHARS: usize = 255;

/// A sender's own key for a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idempotency {
    /// Chosen by the sender; the same request carries the same one.
    pub key: String,
    /// SHA-256 of the request: the same key with another request is an error.
    pub fingerprint: [u8; 32],
}

impl Idempotency {
    /// Checks a key: 1 to 255 visible ASCII characters.
    pub fn new(key: &str, request: &[u8]) -> Result<Self> {
        if key.is_empty() || key.len() > IDEMPOTENCY_CHARS || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Error::field(
                "Idempotency-Key",
                format!("must be 1 to {IDEMPOTENCY_CHARS} visible ASCII characters without spaces"),
            ));
        }
        let digest = ring::digest::digest(&ring::digest::SHA256, request);
        let mut fingerprint = [0; 32];
        fingerprint.copy_from_slice(digest.as_ref());
        Ok(Self {
            key: key.to_owned(),
            fingerprint,
        })
    }
}

/// What became of a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    /// Its id.
    pub id: MessageId,
    /// Of publication; `None` while it waits for its window.
    pub revision: Option<i64>,
    /// The same request had been accepted before; nothing was stored now.
    pub repeated: bool,
}

/// Stores a message and, where it is enabled and its window is open, publishes it.
///
/// Writes one message row and one row a selector. The size of the audience is not looked at. The draft must have been
/// checked under the lock of this operation, or the directory not have changed since: what it names is not looked up
/// again. Who sends it, and from where, is kept with it for the journal.
///
/// # Errors
/// `Unauthenticated` for nobody: a message has an author.
pub fn publish(
    tx: &mut Tx<'_>,
    by: impl Into<By>,
    draft: &Checked,
    idempotency: Option<&Idempotency>,
    now: Moment,
) -> Result<Accepted> {
    let by = by.into();
    let author = by.person.ok_or(Error::Unauthenticated)?;
    // The lock first: it puts this operation in its place before anything is looked at.
    tx.tally()?;
    if let Some(known) = idempotency.map(|one| repeated(tx, author, one)).transpose()?.flatten() {
        return again(tx, known);
    }
    let stamp = revision::take(tx, now)?;
    let id = tx.tally()?.next(tally::MESSAGE);
    let open = draft.enabled && draft.window.contains(now);
    let (revision, published_at) = (open.then_some(stamp.revision.0), open.then_some(now.0));
    let api = draft.api.as_ref().map(|(api, name)| (api.0, name.as_str()));
    let (api, api_name) = api.unzip();
    let arrival = revision.unwrap_or(0);
    tx.send(
        &INSERT,
        &[
            &id,
            &revision,
            &published_at,
            &draft.rule.code(),
            &draft.environment.map(|environment| environment.0),
            &api,
            &api_name,
            &draft.title,
            &draft.text,
            &draft.format.code(),
            &draft.sender_name,
            &draft.importance.code(),
            &draft.channels,
            &draft.window.opens.0,
            &draft.window.closes.0,
            &draft.enabled,
            &author.0,
            &stamp.at.0,
            &arrival,
            &published_at.unwrap_or(0),
            &arrival,
            &draft.dismissible,
            &draft.must_acknowledge,
            &draft.sub_customers,
            &by.origin.via_code(),
            &by.origin.address_text(),
            &by.origin.token,
            &by.acting_for.map(|person| person.0),
        ],
    )?;
    for selector in &draft.selectors {
        let (kind, object, role) = selector.key();
        tx.send(&ADDRESS, &[&id, &kind, &object, &role])?;
    }
    leave(tx, MessageId(id), draft, open, now)?;
    remember(tx, author, idempotency, id, now)?;
    revision::message_changed(tx, stamp, id)?;
    Ok(Accepted {
        id: MessageId(id),
        revision,
        repeated: false,
    })
}

/// The answer to a request that made this message before.
fn again(tx: &mut Tx<'_>, id: MessageId) -> Result<Accepted> {
    let message = super::find(tx, id)?;
    Ok(Accepted {
        id,
        revision: message.revision,
        repeated: true,
    })
}

/// Stores where it is posted to and, where it is published now, puts it on its way out of the house.
fn leave(tx: &mut Tx<'_>, id: MessageId, draft: &Checked, open: bool, now: Moment) -> Result<()> {
    destination::insert(tx, id, &draft.posts)?;
    if open {
        let api = draft.api.as_ref().map(|(api, _)| *api);
        let tenant = run::tenant(api, draft.environment, &draft.selectors);
        let mut channels = draft.channels;
        if draft.is_email_off {
            run::never(tx, id, draft.importance, tenant, now)?;
            channels &= !Channel::Email.bit();
        }
        run::born(tx, id, channels, draft.importance, tenant, now)?;
        push::born(tx, id, channels, draft.importance, Word::Rings, now)?;
    }
    Ok(())
}

/// Remembers the sender's key of a message, where there is one.
fn remember(tx: &mut Tx<'_>, author: PersonId, one: Option<&Idempotency>, id: i64, now: Moment) -> Result<()> {
    let Some(one) = one else { return Ok(()) };
    let fingerprint = one.fingerprint.as_slice();
    Ok(tx.send(&REMEMBER, &[&author.0, &one.key, &fingerprint, &id, &now.0])?)
}

/// The message that the same request made before.
pub fn repeated(tx: &mut Tx<'_>, author: PersonId, one: &Idempotency) -> Result<Option<MessageId>> {
    let read = |row: &campanile_store::Row<'_>| Ok((row.get::<i64>(0)?, row.get::<Vec<u8>>(1)?));
    let Some((message, fingerprint)) = tx.first(&REPEATED, &[&author.0, &one.key], read)? else {
        return Ok(None);
    };
    if fingerprint == one.fingerprint {
        Ok(Some(MessageId(message)))
    } else {
        Err(Error::Conflict(
            "this Idempotency-Key was used for another request; choose a new one".into(),
        ))
    }
}

/// Forgets keys that are older than a day, at most 2,000; how many.
pub fn forget_keys(tx: &mut Tx<'_>, now: Moment) -> Result<u64> {
    Ok(tx.execute(&FORGET, &[&(now.0 - IDEMPOTENCY_MS)])?)
}
