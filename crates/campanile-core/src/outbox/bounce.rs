//! What comes in about a mail that the relay had taken: it came back, it is late, its reader complains.
//!
//! A report is proved by the address that it came to (a code of ours is in it), not by what it says: so it tells of
//! that one mail, and can put no other address on the suppression list than the one which that mail went to.

use campanile_store::{Row, Tx, sql};

use super::run::Lane;
use super::suppression::{self, Source};
use super::{chunk, delivery};
use crate::error::Result;
use crate::id::{MessageId, PersonId};
use crate::time::Moment;

sql! {
    SENT = "SELECT state, address FROM delivery WHERE message = $1 AND channel = 4 AND target = $2";
    RUN = "SELECT lane, tenant FROM run WHERE message = $1 AND channel = 4";
    // Whether the person is still as at the publication, and so the address.
    OWNER = "SELECT p.email_key, p.changed <= m.revision FROM person p, message m WHERE p.id = $1 AND m.id = $2
        AND p.email_key IS NOT NULL AND m.revision IS NOT NULL";
    // Who had no row gets that of a mail that was sent.
    KEEP = "INSERT INTO delivery (message, channel, target, lane, share, state, due, attempts, tries, doubtful,
            changed_at, lease_by, lease_until, fence)
        VALUES ($1, 4, $2, $3, $4, 2, $5, 1, 1, 0, $5, 0, 0, 0)";
    NOTE = "INSERT INTO attempt (message, channel, target, number, at, took_ms, outcome, code, reason)
        SELECT message, channel, target, tries + 1, $3, 0, 5, $4, $5 FROM delivery
        WHERE message = $1 AND channel = 4 AND target = $2 AND tries < $6";
    NOTED = "UPDATE delivery SET tries = tries + 1 WHERE message = $1 AND channel = 4 AND target = $2 AND tries < $3";
}

/// A timeline is not made longer than this by what others report.
const MOST_TRIES: i64 = 50;

/// What is reported of one mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// It was given up.
    Failed {
        /// The code of the refusal.
        code: Option<i64>,
        /// Why, for people.
        reason: String,
        /// The address is at fault, and shall get no more mail.
        bad_address: bool,
        /// The addresses that the report names, in lower case; may be empty.
        about: Vec<String>,
    },
    /// Nothing is decided: it is still being tried there, or nobody can tell.
    Noted {
        /// The code of the refusal so far.
        code: Option<i64>,
        /// What happened, for people.
        reason: String,
    },
    /// Its reader says that it was not wanted.
    Complained {
        /// In which words, for people.
        reason: String,
    },
}

/// Whether a report was taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It is stored, or says nothing that matters any more.
    Done,
    /// The mail is just being sent, and that it was is not stored yet: the report has to come once more.
    Later,
}

/// Takes in what is reported of the mail of a message to a person, in one transaction: a failed one counts as failed, a
/// bad address and a complaint go on the suppression list. The same report again changes nothing.
pub fn take_in(tx: &mut Tx<'_>, message: MessageId, person: PersonId, report: &Report, now: Moment) -> Result<Taken> {
    match report {
        Report::Failed {
            code,
            reason,
            bad_address,
            about,
        } => {
            let mail = match mail(tx, message, person)? {
                Mail::Underway => return Ok(Taken::Later),
                mail => mail,
            };
            // Before the row of a mail that had none is made, without an address.
            if *bad_address && let Some(address) = address(tx, message, person, about)? {
                suppression::suppress(tx, &address, Source::Bounced, reason, Some(message), now)?;
            }
            if let Mail::Sent { row_from, .. } = mail {
                let home = row_from.map(|row| (row.lane, row.tenant));
                delivery::bounced(tx, message, person.0, home, *code, reason, now)?;
            }
        }
        Report::Noted { code, reason } => note(tx, message, person, *code, reason, now)?,
        Report::Complained { reason } => {
            if let Some(address) = address(tx, message, person, &[])? {
                suppression::suppress(tx, &address, Source::Complained, reason, Some(message), now)?;
            }
        }
    }
    Ok(Taken::Done)
}

/// What a row is made with, where the mail had none.
#[derive(Debug, Clone, Copy)]
struct Home {
    lane: Lane,
    tenant: i64,
    at: Option<Moment>,
}

/// How a mail stands with us.
#[derive(Debug, Clone, Copy)]
enum Mail {
    /// The relay took it; `row_from` where it has no row.
    Sent { row_from: Option<Home> },
    /// Being sent.
    Underway,
    /// Not sent as far as we know, or not known at all.
    Other,
}

fn mail(tx: &mut Tx<'_>, message: MessageId, person: PersonId) -> Result<Mail> {
    let state = tx.first(&SENT, &[&message.0, &person.0], |row| row.get::<i64>(0))?;
    if let Some(state) = state {
        return Ok(match delivery::State::from_code(state) {
            delivery::State::Sent => Mail::Sent { row_from: None },
            delivery::State::Sending => Mail::Underway,
            _ => Mail::Other,
        });
    }
    let Some(told) = u32::try_from(person.0)
        .ok()
        .map_or(Ok(None), |person| chunk::told(tx, message, person))?
    else {
        return Ok(Mail::Other);
    };
    if !told.is_done {
        return Ok(if told.is_open { Mail::Underway } else { Mail::Other });
    }
    let read = |row: &Row<'_>| {
        Ok(Home {
            lane: Lane::from_code(row.get(0)?),
            tenant: row.get(1)?,
            at: told.ended_at.or(told.begun_at),
        })
    };
    let home = tx.first(&RUN, &[&message.0], read)?;
    Ok(home.map_or(Mail::Other, |home| Mail::Sent { row_from: Some(home) }))
}

/// Where the mail went: to the address of the person, where nothing of them has changed since the publication; else to
/// the one that its row has, or to that of now if the report names it.
fn address(tx: &mut Tx<'_>, message: MessageId, person: PersonId, about: &[String]) -> Result<Option<String>> {
    let owner = tx.first(&OWNER, &[&person.0, &message.0], |row| {
        Ok((row.get::<String>(0)?, row.get::<bool>(1)?))
    })?;
    if let Some((address, true)) = owner {
        return Ok(Some(address));
    }
    let of_row = tx.first(&SENT, &[&message.0, &person.0], |row| row.get::<Option<String>>(1))?;
    let of_row = of_row.flatten().map(|address| suppression::key(&address));
    Ok(of_row.or_else(|| {
        owner
            .map(|(address, _)| address)
            .filter(|address| about.contains(address))
    }))
}

fn note(
    tx: &mut Tx<'_>,
    message: MessageId,
    person: PersonId,
    code: Option<i64>,
    reason: &str,
    now: Moment,
) -> Result<()> {
    let Mail::Sent { row_from } = mail(tx, message, person)? else {
        return Ok(());
    };
    if let Some(home) = row_from {
        let at = home.at.unwrap_or(now);
        tx.send(&KEEP, &[&message.0, &person.0, &home.lane.code(), &home.tenant, &at.0])?;
    }
    tx.send(&NOTE, &[&message.0, &person.0, &now.0, &code, &reason, &MOST_TRIES])?;
    tx.send(&NOTED, &[&message.0, &person.0, &MOST_TRIES])?;
    Ok(())
}
