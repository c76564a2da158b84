//! Reminding those who have not acknowledged a message: the bell rings again, for which what was acknowledged stays
//! read, and exactly the others get a mail, as a message of its own with their names on it.

use campanile_store::{Tx, sql};

use super::change::{self, Correction};
use super::funnel::{self, Audiences};
use super::sent::Part;
use super::{Channel, Message, Status};
use crate::audience::crowd::Residents;
use crate::error::{Error, Result};
use crate::id::{MessageId, PersonId};
use crate::journal::By;
use crate::outbox::{list, run};
use crate::revision::{self, tally};
use crate::time::Moment;

sql! {
    // As the message of which it reminds, at once, for those whom it is mailed to.
    INSERT = "INSERT INTO message (id, revision, published_at, rule, environment, api, api_name, title, body, format,
            sender_name, importance, channels, opens_at, closes_at, enabled, author, created_at, arrival, arrival_at,
            ring, edition, missed, reminds, from_via, from_address, from_token, acting_for)
        SELECT $2, $3, $4, 0, environment, api, api_name, title, body, format, sender_name, importance, 4, opens_at,
            closes_at, TRUE, $5, $4, $3, $4, $3, 1, FALSE, id, CAST($6 AS BIGINT), CAST($7 AS TEXT), CAST($8 AS TEXT),
            CAST($9 AS BIGINT)
        FROM message WHERE id = $1";
    ADDRESS = "INSERT INTO audience (message, kind, object, role)
        SELECT $2, kind, object, role FROM audience WHERE message = $1 AND until = 9223372036854775807";
    LAST = "SELECT created_at FROM message WHERE reminds = $1 ORDER BY id DESC LIMIT 1";
    OF = "SELECT id FROM message WHERE reminds = $1 ORDER BY id DESC LIMIT $2";
}

/// Between two mails that remind of a message, so that a button that is pressed twice sends once.
const PAUSE_MS: i64 = 60_000;

/// Who is to be reminded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Missing {
    /// How many have not acknowledged it.
    pub people: u64,
    /// Those of them who get a mail, each distinct address once, up to a thousand a chunk.
    pub mailed: Vec<Vec<u32>>,
}

/// Who has not acknowledged a message by now.
///
/// # Errors
/// `Conflict` where it does not ask for that, or is not there for its audience.
pub fn missing(
    tx: &mut Tx<'_>,
    residents: &Residents,
    kept: &Audiences,
    message: &Message,
    now: Moment,
) -> Result<Missing> {
    check(message, now)?;
    let crowds = funnel::crowds(tx, residents, kept, message, now)?;
    let missing = Part::Unacknowledged.of(&crowds);
    let people = missing.len();
    if people == 0 {
        return Err(Error::Conflict("everybody has acknowledged it".into()));
    }
    let reachable = missing & residents.with_email();
    let mut mailed = Vec::new();
    let mut after = 0;
    loop {
        let page = list::page(tx, &reachable, after)?;
        mailed.extend(page.chunks);
        if page.is_last {
            return Ok(Missing { people, mailed });
        }
        after = page.cursor;
    }
}

/// Reminds them, in the name of `author`: rings the bell where the message has one, and mails those that are given; the
/// message that is mailed, where there is somebody.
///
/// # Errors
/// As [`missing`].
pub fn remind(
    tx: &mut Tx<'_>,
    by: &By,
    author: PersonId,
    id: MessageId,
    mailed: &[Vec<u32>],
    now: Moment,
) -> Result<Option<MessageId>> {
    tx.tally()?;
    let message = super::find(tx, id)?;
    check(&message, now)?;
    if mailed.is_empty() && !message.has(Channel::Portal) {
        return Err(Error::Conflict("none of them can be reached by bell or mail".into()));
    }
    let last = tx.first(&LAST, &[&id.0], |row| row.get::<i64>(0))?;
    if last.is_some_and(|at| now.0 - at < PAUSE_MS) {
        return Err(Error::Conflict("they were reminded a moment ago".into()));
    }
    if message.has(Channel::Portal) {
        let ring = Correction {
            ring: true,
            ..Correction::default()
        };
        change::correct(tx, by.clone(), id, &ring, now)?;
    }
    if mailed.is_empty() {
        return Ok(None);
    }
    let stamp = revision::take(tx, now)?;
    let reminder = tx.tally()?.next(tally::MESSAGE);
    let acting_for = by.acting_for.map(|person| person.0);
    tx.send(
        &INSERT,
        &[
            &id.0,
            &reminder,
            &stamp.revision.0,
            &now.0,
            &author.0,
            &by.origin.via_code(),
            &by.origin.address_text(),
            &by.origin.token,
            &acting_for,
        ],
    )?;
    tx.send(&ADDRESS, &[&id.0, &reminder])?;
    let tenant = run::tenant(message.api, message.environment, &super::selectors(tx, id)?);
    run::born_listed(tx, MessageId(reminder), mailed, message.importance, tenant, now)?;
    revision::message_changed(tx, stamp, reminder)?;
    Ok(Some(MessageId(reminder)))
}

fn check(message: &Message, now: Moment) -> Result<()> {
    if !message.must_acknowledge {
        return Err(Error::Conflict("this message does not ask to be acknowledged".into()));
    }
    if message.status(now) != Status::Active {
        return Err(Error::Conflict(
            "nobody sees this message now; there is nothing to remind of".into(),
        ));
    }
    Ok(())
}

/// The mails that reminded of a message, newest first.
pub fn of(tx: &mut Tx<'_>, id: MessageId, limit: i64) -> Result<Vec<MessageId>> {
    Ok(tx.rows(&OF, &[&id.0, &limit], |row| row.get(0).map(MessageId))?)
}
