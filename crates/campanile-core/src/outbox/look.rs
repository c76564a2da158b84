//! What the sender sees of what left the house: each recipient's state and reason, and the timeline of one.
//!
//! Most recipients of a mail have no row: the chunk says of them that they were sent their mail, wait, or were taken
//! back. A list walks the chunks in the order of people's ids, and puts the rows of exceptions between; its memory is
//! that of a page and a few chunks.

pub(crate) mod walk;

use campanile_store::{Row, Tx, sql};
use serde::{Deserialize, Serialize};

use self::walk::{Found, Walk, rows};
use super::chunk;
use super::delivery::{Outcome, State};
use super::destination::{self, SentTo};
use crate::directory::folded;
use crate::error::{Error, Result};
use crate::id::MessageId;
use crate::message::Channel;
use crate::message::someone::{self, By, Someone};
use crate::time::Moment;

sql! {
    RUN = "SELECT state FROM run WHERE message = $1 AND channel = $2";
    PERSON = "SELECT id FROM person WHERE key = $1";
    ATTEMPTS = "SELECT number, at, took_ms, outcome, code, reason FROM attempt
        WHERE message = $1 AND channel = $2 AND target = $3 ORDER BY number DESC LIMIT $4";
}

/// Recipients of a page at most: of an export.
pub const PAGE_LIMIT: usize = 1_000;
/// Attempts of a timeline at most, the latest.
pub const ATTEMPTS_LIMIT: usize = 200;

/// How recipients stand, as one asks for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Not sent yet, those that are tried again included.
    Queued,
    /// Tried, and to be tried again.
    Retrying,
    /// Accepted by the relay, or answered with success.
    Sent,
    /// Given up.
    Failed,
    /// Not sent: the address is on the suppression list.
    Suppressed,
    /// Not sent: deactivated, or without an address.
    Gone,
    /// Taken back before it left.
    Cancelled,
    /// Some try of theirs is in doubt, however they stand.
    InDoubt,
}

impl Standing {
    /// The rows that may be meant, where nobody without a row is: states from and to, tries and doubts at least.
    const fn rows(self) -> Option<(State, State, i64, i64)> {
        match self {
            Self::Failed => Some((State::Failed, State::Failed, 0, 0)),
            Self::Suppressed => Some((State::Suppressed, State::Suppressed, 0, 0)),
            Self::Gone => Some((State::Gone, State::Gone, 0, 0)),
            Self::Retrying => Some((State::Queued, State::Sending, 1, 0)),
            Self::InDoubt => Some((State::Queued, State::Cancelled, 0, 1)),
            Self::Queued | Self::Sent | Self::Cancelled => None,
        }
    }

    const fn takes(self, found: &Found) -> bool {
        let waits = matches!(found.state, State::Queued | State::Sending);
        match self {
            Self::Queued => waits,
            Self::Retrying => waits && found.tries > 0,
            Self::Sent => matches!(found.state, State::Sent),
            Self::Failed => matches!(found.state, State::Failed),
            Self::Suppressed => matches!(found.state, State::Suppressed),
            Self::Gone => matches!(found.state, State::Gone),
            Self::Cancelled => matches!(found.state, State::Cancelled),
            Self::InDoubt => found.doubtful > 0,
        }
    }
}

/// Which recipients, and which page of them.
#[derive(Debug, Clone)]
pub struct Which {
    /// `email` or `http`.
    pub channel: Channel,
    /// Only those that stand so.
    pub standing: Option<Standing>,
    /// Of mails: only those whose login or name begins so, or whose address does where `by` says so. Of POSTs: only
    /// those whose endpoint's name or whose URL begins so.
    pub q: Option<String>,
    /// By what people are found; addresses are shown where they are found by them.
    pub by: By,
    /// After this one: the `next` of the page before, else 0.
    pub after: i64,
    /// How many, 1 to [`PAGE_LIMIT`].
    pub limit: usize,
}

/// A recipient, and how far the message got with them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Delivery {
    /// `email` or `http`.
    pub channel: Channel,
    /// By which it is asked for and sent again: the user's id, or the number of the destination.
    pub target: String,
    /// Of a mail: whose it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person: Option<Someone>,
    /// Of a mail: where it went or goes to; the present address where that is not kept. Only for who holds
    /// `ORGANIZATION_USER[READ]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Of a POST: where it goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination: Option<SentTo>,
    /// How it stands.
    pub state: State,
    /// Tries so far.
    pub attempts: i64,
    /// Those of them of which nobody knows whether they arrived.
    pub in_doubt: i64,
    /// The code of the last reply, where there was one: SMTP or HTTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<i64>,
    /// Why the last try was no success, or why there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Since when it stands so. Of a mail that went at the first try, when the last of up to a thousand mails that were
    /// sent together had its outcome, or the first began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Moment>,
    /// When it is tried next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_at: Option<Moment>,
}

/// One try, or something that happened to a mail afterwards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Attempt {
    /// From 1.
    pub number: i64,
    /// When it began. Of a mail that went at the first try: not before.
    pub at: Moment,
    /// Of a mail that went at the first try: not after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Moment>,
    /// How long it took, in milliseconds, where that was kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub took_ms: Option<i64>,
    /// What it came to.
    pub outcome: Outcome,
    /// The reply's code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<i64>,
    /// Why it was no success.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A recipient with everything that was tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Story {
    /// How it stands.
    #[serde(flatten)]
    pub delivery: Delivery,
    /// Every try, the first one first; at most the latest 200.
    pub timeline: Vec<Attempt>,
}

/// A page of the recipients of a message by one channel, in the order of their numbers; and the `after` of the next
/// page. Empty where nothing has left, or is to leave, by this channel.
///
/// # Errors
/// `Invalid` for a search that cannot be made.
pub fn page(tx: &mut Tx<'_>, message: MessageId, which: &Which) -> Result<(Vec<Delivery>, Option<i64>)> {
    let limit = which.limit.clamp(1, PAGE_LIMIT);
    let Some(is_cancelling) = run(tx, message, which.channel)? else {
        return Ok((Vec::new(), None));
    };
    if which.channel == Channel::Http {
        return posts(tx, message, which, is_cancelling, limit);
    }
    let people = match &which.q {
        Some(words) => someone::search(tx, words, which.by)?,
        None => None,
    };
    let walk = Walk {
        message,
        standing: which.standing,
        people,
        is_cancelling,
        after: which.after.max(0),
        limit,
        found: Vec::new(),
    };
    let mut found = walk.run(tx)?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|last| last.target);
    Ok((named(tx, found, which.by)?, next))
}

/// Whether a run is being cancelled; `None` where there is none.
fn run(tx: &mut Tx<'_>, message: MessageId, channel: Channel) -> Result<Option<bool>> {
    let state = tx.first(&RUN, &[&message.0, &channel.bit()], |row| row.get::<i64>(0))?;
    Ok(state.map(|state| state == 3))
}

/// Recipients of mails with their names.
fn named(tx: &mut Tx<'_>, found: Vec<Found>, by: By) -> Result<Vec<Delivery>> {
    let ids: Vec<u32> = found.iter().map(|found| found.target as u32).collect();
    let mut people = someone::with_addresses(tx, &ids)?.into_iter().peekable();
    let mut out = Vec::with_capacity(found.len());
    for mut found in found {
        let Some((person, present)) = people.next_if(|(person, _)| person.id == found.target) else {
            continue;
        };
        let address = found.address.take().or(present).filter(|_| by == By::NameAndAddress);
        let told = found.told(Channel::Email, person.user.clone());
        out.push(Delivery {
            person: Some(person),
            address,
            ..told
        });
    }
    Ok(out)
}

/// Of POSTs there are few.
fn posts(
    tx: &mut Tx<'_>,
    message: MessageId,
    which: &Which,
    is_cancelling: bool,
    limit: usize,
) -> Result<(Vec<Delivery>, Option<i64>)> {
    let words = which.q.as_deref().map(|words| folded(words.trim()));
    let begins = |text: &str| words.as_ref().is_none_or(|words| folded(text).starts_with(words));
    let to = destination::of_message(tx, message)?;
    let rows = rows(tx, message, Channel::Http, which.after.saturating_add(1), i64::MAX)?;
    let mut out = Vec::new();
    let mut last = 0;
    for found in rows {
        let found = found.in_run(is_cancelling);
        let Some(to) = to.iter().find(|to| to.number == found.target) else {
            continue;
        };
        if which.standing.is_some_and(|standing| !standing.takes(&found))
            || !(to.name.as_deref().is_some_and(begins) || begins(&to.url))
        {
            continue;
        }
        if out.len() == limit {
            return Ok((out, Some(last)));
        }
        last = found.target;
        out.push(posted(found, to));
    }
    Ok((out, None))
}

fn posted(found: Found, to: &SentTo) -> Delivery {
    let told = found.told(Channel::Http, to.number.to_string());
    Delivery {
        destination: Some(to.clone()),
        ..told
    }
}

/// The number of a recipient by what [`Delivery::target`] says.
///
/// # Errors
/// `Missing` where it names nothing.
pub fn number(tx: &mut Tx<'_>, channel: Channel, target: &str) -> Result<i64> {
    let number = if channel == Channel::Http {
        target.parse().ok()
    } else {
        tx.first(&PERSON, &[&target], |row| row.get(0))?
    };
    number.ok_or(Error::Missing("delivery"))
}

/// One recipient, with every try.
///
/// # Errors
/// `Missing` for who is none of the message by this channel.
pub fn one(tx: &mut Tx<'_>, message: MessageId, channel: Channel, target: &str, by: By) -> Result<Story> {
    let missing = || Error::Missing("delivery");
    let is_cancelling = run(tx, message, channel)?.ok_or_else(missing)?;
    let number = number(tx, channel, target)?;
    let found = rows(tx, message, channel, number, number)?.pop();
    let told = match u32::try_from(number) {
        Ok(person) if channel == Channel::Email => chunk::told(tx, message, person)?,
        _ => None,
    };
    let found = match (found, told) {
        (Some(found), _) => found,
        (None, Some(told)) => Found::of_chunk(number as u32, told),
        (None, None) => return Err(missing()),
    };
    let found = found.in_run(is_cancelling);
    let span = match told {
        Some(told) => (told.begun_at, told.ended_at),
        None => (found.at, None),
    };
    let timeline = timeline(tx, message, channel, &found, span)?;
    let delivery = if channel == Channel::Http {
        let to = destination::of_message(tx, message)?;
        let to = to.iter().find(|to| to.number == number).ok_or_else(missing)?;
        posted(found, to)
    } else {
        named(tx, vec![found], by)?.pop().ok_or_else(missing)?
    };
    Ok(Story { delivery, timeline })
}

/// What was tried. A plain first success has no row; `span` is when it was.
fn timeline(
    tx: &mut Tx<'_>,
    message: MessageId,
    channel: Channel,
    of: &Found,
    span: (Option<Moment>, Option<Moment>),
) -> Result<Vec<Attempt>> {
    let bit = channel.bit();
    let read = |row: &Row<'_>| {
        Ok(Attempt {
            number: row.get(0)?,
            at: Moment(row.get(1)?),
            until: None,
            took_ms: Some(row.get(2)?),
            outcome: Outcome::from_code(row.get(3)?),
            code: row.get(4)?,
            reason: row.get(5)?,
        })
    };
    let limit = ATTEMPTS_LIMIT as i64;
    let mut attempts = tx.rows(&ATTEMPTS, &[&message.0, &bit, &of.target, &limit], read)?;
    let is_whole = attempts.len() < ATTEMPTS_LIMIT;
    let is_told = attempts.last().is_some_and(|first| first.number == 1);
    if of.tries > 0 && is_whole && !is_told {
        attempts.extend(span.0.map(|at| Attempt {
            number: 1,
            at,
            until: span.1,
            took_ms: None,
            outcome: Outcome::Sent,
            code: of.code.filter(|_| channel == Channel::Http),
            reason: None,
        }));
    }
    attempts.reverse();
    Ok(attempts)
}
