//! A recipient with a row of its own: an exception of a mail run (to be tried again, failed, suppressed, in doubt), or
//! a POST.

use campanile_store::{Row, Tx, sql};

use super::run::{self, Counts, Lane};
use super::settled::lane_after;
pub use super::settled::{End, Outcome, Settled, State};
use super::{LEASE_MS, Worker};
use crate::error::{Error, Result};
use crate::id::MessageId;
use crate::message::Channel;
use crate::time::Moment;

sql! {
    INSERT = "INSERT INTO delivery (message, channel, target, lane, share, state, due, attempts, tries, doubtful,
            address, code, reason, changed_at, lease_by, lease_until, fence)
        VALUES ($1, 4, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 0, 0, 0)";
    NOTE = "INSERT INTO attempt (message, channel, target, number, at, took_ms, outcome, code, reason)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    // Who has something in a lane, and when the first of it is due. By seeking, so that a million that wait for one
    // target are not looked at to find the next target. A share of an endpoint is its id: paused ones are left alone.
    SHARES = "WITH RECURSIVE one (share) AS (
            SELECT * FROM (SELECT share FROM delivery WHERE state = 0 AND channel = $1 AND lane = $2
                ORDER BY share LIMIT 1) least
            UNION ALL
            SELECT (SELECT d.share FROM delivery d WHERE d.state = 0 AND d.channel = $1 AND d.lane = $2
                AND d.share > one.share ORDER BY d.share LIMIT 1)
            FROM one WHERE one.share IS NOT NULL)
        SELECT share, (SELECT d.due FROM delivery d WHERE d.state = 0 AND d.channel = $1 AND d.lane = $2
                AND d.share = one.share ORDER BY d.due LIMIT 1)
        FROM one WHERE share IS NOT NULL AND NOT EXISTS
            (SELECT 1 FROM endpoint e WHERE $1 = 8 AND e.id = share AND e.state <> 0 AND e.removed_at IS NULL)
        LIMIT 1000";
    TAKE = "WITH due AS MATERIALIZED (
            SELECT d.message, d.target FROM delivery d
            WHERE d.state = 0 AND d.channel = $1 AND d.lane = $2 AND d.share = $3 AND d.due <= $4
                AND NOT EXISTS (SELECT 1 FROM run r WHERE r.message = d.message AND r.channel = d.channel
                    AND (r.held OR r.state > 2))
            ORDER BY d.due LIMIT $5 {skip_locked})
        UPDATE delivery SET state = 1, lease_by = $6, lease_until = $7, fence = fence + 1
        WHERE channel = $1 AND (message, target) IN (SELECT message, target FROM due) AND state = 0
        RETURNING message, target, lane, share, attempts, tries, fence";
    RENEW = "UPDATE delivery SET lease_until = $2 WHERE lease_by = $1 AND state = 1";
    SETTLE = "UPDATE delivery SET state = $6, due = $7, attempts = $8, tries = $9, doubtful = doubtful + $10,
            address = COALESCE($11, address), code = $12, reason = $13, changed_at = $14, lane = $15, lease_by = 0,
            lease_until = 0
        WHERE message = $1 AND channel = $2 AND target = $3 AND lease_by = $4 AND fence = $5 AND state = 1";
    PUT_BACK = "UPDATE delivery SET state = 0, lease_by = 0, lease_until = 0
        WHERE message = $1 AND channel = $2 AND target = $3 AND lease_by = $4 AND fence = $5 AND state = 1";
    LOST = "SELECT message, channel, target, tries, lease_by FROM delivery
        WHERE state = 1 AND lease_until <= $1 AND lease_by <> $3 ORDER BY lease_until LIMIT $2 {skip_locked}";
    FOUND = "UPDATE delivery SET state = 0, due = $4, tries = tries + 1, doubtful = doubtful + 1, fence = fence + 1,
            reason = $5, code = NULL, changed_at = $4, lease_by = 0, lease_until = 0
        WHERE message = $1 AND channel = $2 AND target = $3 AND state = 1";
    AGAIN = "UPDATE delivery SET state = 0, due = $3, attempts = 0, changed_at = $3
        WHERE message = $1 AND channel = $2 AND state = 3
            AND target IN (SELECT target FROM delivery WHERE message = $1 AND channel = $2 AND state = 3 LIMIT $4)";
    AGAIN_ONE = "UPDATE delivery SET state = 0, due = $3, attempts = 0, changed_at = $3
        WHERE message = $1 AND channel = $2 AND target = $4 AND state = 3";
    REOPEN = "UPDATE run SET state = 1, ended_at = NULL, failed = failed - $3, tried_from = $4
        WHERE message = $1 AND channel = $2 AND state IN (1, 2) AND forgotten_at IS NULL";
    BOUNCED = "UPDATE delivery SET state = 3, code = $3, reason = $4, changed_at = $5, tries = tries + 1
        WHERE message = $1 AND channel = 4 AND target = $2 AND state = 2";
    TRIES = "SELECT tries, state FROM delivery WHERE message = $1 AND channel = $2 AND target = $3";
}

/// What was said of a recipient whose server ended in the middle.
const LOST_REASON: &str = "the server ended while it was being sent; it is sent again with the same id";
/// Rows that are put on their way again in one transaction.
const BATCH: i64 = 500;

fn note(tx: &mut Tx<'_>, message: i64, channel: Channel, number: i64, of: &Settled, outcome: Outcome) -> Result<()> {
    tx.send(
        &NOTE,
        &[
            &message,
            &channel.bit(),
            &of.target,
            &number,
            &of.at.0,
            &of.took_ms,
            &(outcome as i64),
            &of.code,
            &of.reason,
        ],
    )?;
    Ok(())
}

/// A row for a recipient of a chunk, unless it was a plain success. The caller counts it.
pub(super) fn insert_exception(
    tx: &mut Tx<'_>,
    message: MessageId,
    lane: Lane,
    tenant: i64,
    of: &Settled,
) -> Result<()> {
    if of.end == End::Sent {
        return Ok(());
    }
    let tries = i64::from(of.end.was_tried());
    tx.send(
        &INSERT,
        &[
            &message.0,
            &of.target,
            &lane_after(lane, of.end).code(),
            &tenant,
            &of.end.state().code(),
            &of.due(),
            &of.counted(),
            &tries,
            &i64::from(of.doubtful),
            &of.address,
            &of.code,
            &of.reason,
            &of.at.0,
        ],
    )?;
    if of.end.was_tried() {
        let outcome = if of.doubtful {
            Outcome::InDoubt
        } else {
            of.end.outcome()
        };
        note(tx, message.0, Channel::Email, 1, of, outcome)?;
    }
    Ok(())
}

/// A row for a recipient of a chunk whose owner is gone. The caller counts it.
pub(super) fn insert_doubtful(
    tx: &mut Tx<'_>,
    message: MessageId,
    person: i64,
    lane: Lane,
    tenant: i64,
    now: Moment,
) -> Result<()> {
    let of = Settled {
        target: person,
        end: End::Again { at: now, counts: false },
        code: None,
        reason: Some(LOST_REASON.to_owned()),
        doubtful: true,
        address: None,
        at: now,
        took_ms: 0,
    };
    insert_exception(tx, message, lane, tenant, &of)
}

/// Those who have something waiting in a lane, and when the first of it is due: tenants for mails, targets for posts.
/// At most 1,000.
pub fn shares(tx: &mut Tx<'_>, channel: Channel, lane: Lane) -> Result<Vec<(i64, Moment)>> {
    let read = |row: &Row<'_>| Ok((row.get(0)?, Moment(row.get(1)?)));
    Ok(tx.rows(&SHARES, &[&channel.bit(), &lane.code()], read)?)
}

/// A recipient in a worker's hands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// The message.
    pub message: MessageId,
    /// By which channel.
    pub channel: Channel,
    /// The person, or the number of the destination.
    pub target: i64,
    /// Its lane.
    pub lane: Lane,
    /// With whom it shares.
    pub share: i64,
    /// Tries so far that count.
    pub attempts: i64,
    tries: i64,
    fence: i64,
    worker: Worker,
}

/// Takes what is due of one share, the longest due first; no more than can be begun at once, since what is taken is in
/// doubt if this server ends.
pub fn take(
    tx: &mut Tx<'_>,
    worker: Worker,
    channel: Channel,
    lane: Lane,
    share: i64,
    limit: i64,
    now: Moment,
) -> Result<Vec<Taken>> {
    let until = now.plus_ms(LEASE_MS);
    let read = |row: &Row<'_>| {
        Ok(Taken {
            message: MessageId(row.get(0)?),
            channel,
            target: row.get(1)?,
            lane: Lane::from_code(row.get(2)?),
            share: row.get(3)?,
            attempts: row.get(4)?,
            tries: row.get(5)?,
            fence: row.get(6)?,
            worker,
        })
    };
    let bits = (channel.bit(), lane.code());
    let taken = tx.rows(
        &TAKE,
        &[&bits.0, &bits.1, &share, &now.0, &limit, &worker.0, &until.0],
        read,
    )?;
    Ok(taken)
}

/// Keeps what a worker has for another [`LEASE_MS`].
pub fn renew(tx: &mut Tx<'_>, worker: Worker, now: Moment) -> Result<()> {
    tx.send(&RENEW, &[&worker.0, &now.plus_ms(LEASE_MS).0])?;
    Ok(())
}

/// Writes down what became of taken recipients. Those that were not the worker's any more are left as they are; how
/// many those were.
pub fn settle(tx: &mut Tx<'_>, settled: &[(Taken, Settled)], now: Moment) -> Result<usize> {
    let mut lost = 0;
    let mut counts: std::collections::BTreeMap<(i64, i64), Counts> = std::collections::BTreeMap::new();
    for (taken, of) in settled {
        let (message, channel) = (taken.message.0, taken.channel);
        let tries = taken.tries + i64::from(of.end.was_tried());
        let written = tx.execute(
            &SETTLE,
            &[
                &message,
                &channel.bit(),
                &taken.target,
                &taken.worker.0,
                &taken.fence,
                &of.end.state().code(),
                &of.due(),
                &(taken.attempts + of.counted()),
                &tries,
                &i64::from(of.doubtful),
                &of.address,
                &of.code,
                &of.reason,
                &now.0,
                &lane_after(taken.lane, of.end).code(),
            ],
        )?;
        if written == 0 {
            lost += 1;
            continue;
        }
        // A plain first success is told by its row.
        if of.end.was_tried() && (of.end != End::Sent || taken.tries > 0) {
            let outcome = if of.doubtful {
                Outcome::InDoubt
            } else {
                of.end.outcome()
            };
            note(tx, message, channel, tries, of, outcome)?;
        }
        let counts = counts.entry((message, channel.bit())).or_default();
        of.end.count(counts);
        counts.doubtful += i64::from(of.doubtful);
    }
    for ((message, channel), by) in counts {
        run::count(tx, message, of_bit(channel), by, now)?;
        // A try that is made again moves no counter, and is news all the same.
        run::moved(tx, message);
    }
    Ok(lost)
}

/// Gives recipients back that were taken and not begun.
pub fn put_back(tx: &mut Tx<'_>, taken: &[Taken]) -> Result<()> {
    for one in taken {
        tx.send(
            &PUT_BACK,
            &[
                &one.message.0,
                &one.channel.bit(),
                &one.target,
                &one.worker.0,
                &one.fence,
            ],
        )?;
    }
    Ok(())
}

const fn of_bit(bit: i64) -> Channel {
    if bit == Channel::Http as i64 {
        Channel::Http
    } else {
        Channel::Email
    }
}

/// Finds recipients whose worker is gone: they are in doubt, and sent again. How many; at most 500 at once. Those of
/// the worker that asks are in its hands.
pub fn recover(tx: &mut Tx<'_>, worker: Worker, now: Moment) -> Result<usize> {
    let read = |row: &Row<'_>| {
        Ok((
            row.get::<i64>(0)?,
            row.get::<i64>(1)?,
            row.get::<i64>(2)?,
            row.get::<i64>(3)?,
        ))
    };
    let lost = tx.rows(&LOST, &[&now.0, &BATCH, &worker.0], read)?;
    for (message, channel, target, tries) in &lost {
        tx.send(&FOUND, &[message, channel, target, &now.0, &LOST_REASON])?;
        let of = Settled {
            target: *target,
            end: End::Again { at: now, counts: false },
            code: None,
            reason: Some(LOST_REASON.to_owned()),
            doubtful: true,
            address: None,
            at: now,
            took_ms: 0,
        };
        let channel = of_bit(*channel);
        note(tx, *message, channel, tries + 1, &of, Outcome::InDoubt)?;
        let counts = Counts {
            doubtful: 1,
            ..Counts::default()
        };
        run::count(tx, *message, channel, counts, now)?;
        run::wake(tx, channel);
    }
    Ok(lost.len())
}

/// Sends what failed of a message once more, by one channel, with all its tries; to one recipient, or at most 500. How
/// many.
///
/// # Errors
/// `Conflict` for what was cancelled, or of which no outcomes are kept.
pub fn again(tx: &mut Tx<'_>, message: MessageId, channel: Channel, target: Option<i64>, now: Moment) -> Result<u64> {
    let bit = channel.bit();
    let count = match target {
        Some(target) => tx.execute(&AGAIN_ONE, &[&message.0, &bit, &now.0, &target])?,
        None => tx.execute(&AGAIN, &[&message.0, &bit, &now.0, &BATCH])?,
    };
    if count > 0 {
        if tx.execute(&REOPEN, &[&message.0, &bit, &(count as i64), &now.0])? == 0 {
            return Err(Error::Conflict(
                "what was taken back, or is kept no longer, is not sent again; send another message".into(),
            ));
        }
        run::wake(tx, channel);
    }
    Ok(count)
}

/// Writes down that a mail that the relay had accepted came back. Whether it was known as sent before.
///
/// `sent` is the lane and tenant of one that was sent and has no row.
pub fn bounced(
    tx: &mut Tx<'_>,
    message: MessageId,
    person: i64,
    sent: Option<(Lane, i64)>,
    code: Option<i64>,
    reason: &str,
    now: Moment,
) -> Result<bool> {
    let known = tx.first(&TRIES, &[&message.0, &Channel::Email.bit(), &person], |row| {
        Ok((row.get::<i64>(0)?, row.get::<i64>(1)?))
    })?;
    let of = Settled {
        target: person,
        end: End::Failed,
        code,
        reason: Some(reason.to_owned()),
        doubtful: false,
        address: None,
        at: now,
        took_ms: 0,
    };
    let number = match (known, sent) {
        (Some((tries, state)), _) if state == State::Sent.code() => {
            tx.send(&BOUNCED, &[&message.0, &person, &code, &reason, &now.0])?;
            tries + 1
        }
        (None, Some((lane, tenant))) => {
            tx.send(
                &INSERT,
                &[
                    &message.0,
                    &person,
                    &lane.code(),
                    &tenant,
                    &State::Failed.code(),
                    &now.0,
                    &1_i64,
                    &2_i64,
                    &0_i64,
                    &None::<String>,
                    &code,
                    &reason,
                    &now.0,
                ],
            )?;
            2
        }
        _ => return Ok(false),
    };
    note(tx, message.0, Channel::Email, number, &of, Outcome::Bounced)?;
    let counts = Counts {
        sent: -1,
        failed: 1,
        ..Counts::default()
    };
    run::count(tx, message.0, Channel::Email, counts, now)?;
    Ok(true)
}
