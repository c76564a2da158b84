//! A run: one message on its way by one channel, from birth to end.
//!
//! Born in the transaction that publishes the message, so that what was accepted is sent. Counters are kept in the
//! transactions that settle its recipients, so that they add up at every instant.

pub(crate) mod sweep;

use campanile_store::{Row, Signal, Tx, sql};
use serde::{Deserialize, Serialize};

pub use super::lane::{BULK, Lane};
use super::{LEASE_MS, Worker, chunk};
use crate::audience::Selector;
use crate::error::{Error, Result};
use crate::id::{ApiId, EnvironmentId, MessageId};
use crate::message::{Channel, Importance};
use crate::revision::topic;
use crate::time::Moment;
pub use sweep::sweep;

macro_rules! insert {
    () => {
        "INSERT INTO run (message, channel, lane, tenant, state, held, cursor, born_at, tried_from, ended_at,
            recipients, sent, failed, suppressed, gone, cancelled, doubtful, lease_by, lease_until, fence) "
    };
}

macro_rules! its {
    () => {
        "(message = $1 OR message IN (SELECT id FROM message WHERE reminds = $1))"
    };
}

macro_rules! columns {
    () => {
        "message, channel, lane, state, held, born_at, ended_at, recipients, sent, failed, suppressed, gone, cancelled,
        doubtful, forgotten_at"
    };
}

sql! {
    BEAR_MAIL = concat!(insert!(), "VALUES ($1, 4, $2, $3, 0, FALSE, 0, $4, $4, NULL, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)");
    BEAR_LISTED = concat!(insert!(), "VALUES ($1, 4, $2, $3, 1, FALSE, 0, $4, $4, NULL, $5, 0, 0, 0, 0, 0, 0, 0, 0,
            0)");
    // Ended and held at once: what a message was to be mailed where email is off.
    NEVER = concat!(insert!(), "VALUES ($1, 4, $2, $3, 2, TRUE, 0, $4, $4, $4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)");
    BEAR_POSTS = concat!(insert!(), "SELECT $1, 8, $2, $3, 1, FALSE, 0, $4, $4, NULL, COUNT(*),
            0, 0, 0, 0, 0, 0, 0, 0, 0 FROM post WHERE message = $1");
    BEAR_DELIVERIES = "INSERT INTO delivery (message, channel, target, lane, share, state, due, attempts, tries,
            doubtful, changed_at, lease_by, lease_until, fence)
        SELECT message, 8, number, $2, share, 0, $3, 0, 0, 0, $3, 0, 0, 0 FROM post WHERE message = $1";
    // With the mails that remind of it.
    HOLD = concat!("UPDATE run SET held = $2 WHERE ", its!(), " AND state < 2");
    CANCEL = concat!("UPDATE run SET state = 3 WHERE ", its!(), " AND state < 2");
    CANCEL_ONE = "UPDATE run SET state = 3 WHERE message = $1 AND channel = $2 AND state < 2";
    OF_MESSAGE = concat!("SELECT ", columns!(), ",
            (SELECT COUNT(*) FROM delivery d WHERE d.message = r.message AND d.channel = r.channel AND d.state = 0
                AND d.tries > 0)
        FROM run r WHERE r.message = $1 ORDER BY r.channel");
    COUNT = "UPDATE run SET sent = sent + $3, failed = failed + $4, suppressed = suppressed + $5, gone = gone + $6,
            cancelled = cancelled + $7, doubtful = doubtful + $8
        WHERE message = $1 AND channel = $2";
    END = "UPDATE run SET state = 2, ended_at = $3 WHERE message = $1 AND channel = $2 AND state = 1
            AND recipients = sent + failed + suppressed + gone + cancelled";
    LISTABLE = "SELECT message, lane, tenant, cursor FROM run r
        WHERE state = 0 AND NOT held AND lease_until <= $1 AND lane < $2 ORDER BY lane, message LIMIT $3";
    LEASE_LISTING = "UPDATE run SET lease_by = $2, lease_until = $3, fence = fence + 1
        WHERE message = $1 AND channel = 4 AND state = 0 AND NOT held AND lease_until <= $4 AND cursor = $5
        RETURNING fence";
    LISTED = "UPDATE run SET cursor = $4, recipients = recipients + $5, lane = $6, state = $7, lease_until = $8
        WHERE message = $1 AND channel = 4 AND fence = $2 AND lease_by = $3 AND state = 0";
    GIVE_BACK = "UPDATE run SET lease_by = 0, lease_until = 0
        WHERE message = $1 AND channel = 4 AND fence = $2 AND lease_by = $3";
}

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RunState)]
pub enum State {
    /// Its recipients are being listed.
    Listing,
    /// Under way.
    Sending,
    /// The message is switched off, or waits for a word since a restore: nothing leaves until then.
    Held,
    /// Every recipient has an outcome.
    Ended,
    /// What has not left is being taken back.
    Cancelling,
    /// What had not left does not leave.
    Cancelled,
    /// Email was off when the message was sent: nobody was mailed, and nobody will be.
    Off,
}

impl State {
    const fn from(code: i64, held: bool) -> Self {
        match code {
            0 | 1 if held => Self::Held,
            0 => Self::Listing,
            1 => Self::Sending,
            2 if held => Self::Off,
            2 => Self::Ended,
            3 => Self::Cancelling,
            _ => Self::Cancelled,
        }
    }

    /// Whether something may still happen by itself.
    #[must_use]
    pub const fn is_moving(self) -> bool {
        matches!(self, Self::Listing | Self::Sending | Self::Cancelling)
    }
}

/// How far a message got by one channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Progress {
    /// `email` or `http`.
    pub channel: Channel,
    /// Where it stands.
    pub state: State,
    /// Addresses or destinations, as many as are listed so far.
    pub recipients: i64,
    /// Not yet sent, those that are tried again included.
    pub queued: i64,
    /// Of the queued: they were tried, and are tried again.
    pub retrying: i64,
    /// Accepted by the relay, or answered with success.
    pub sent: i64,
    /// Given up; each has its reason.
    pub failed: i64,
    /// Not sent, since the address is on the suppression list.
    pub suppressed: i64,
    /// Not sent, since the user was deactivated or has no address any more.
    pub gone: i64,
    /// Taken back before they left.
    pub cancelled: i64,
    /// Tries of which nobody knows whether they arrived, because a server ended in the middle; they were made again,
    /// with the same id.
    pub in_doubt: i64,
    /// When the message was handed over.
    pub since: Moment,
    /// When every recipient had an outcome.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Moment>,
    /// Since when the outcomes of single recipients are kept no longer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forgotten_at: Option<Moment>,
}

/// What changes of the counters of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Sent.
    pub sent: i64,
    /// Given up.
    pub failed: i64,
    /// On the suppression list.
    pub suppressed: i64,
    /// Deactivated, or without address.
    pub gone: i64,
    /// Taken back.
    pub cancelled: i64,
    /// In doubt.
    pub doubtful: i64,
}

/// Whose a message is, for fairness between tenants.
pub(crate) fn tenant(api: Option<ApiId>, environment: Option<EnvironmentId>, selectors: &[Selector]) -> i64 {
    let of_customer = selectors.iter().find_map(|selector| match selector {
        Selector::Customer { customer } | Selector::Subtree { customer } => Some(-customer.0),
        _ => None,
    });
    api.map(|api| api.0)
        .or(environment.map(|environment| environment.0))
        .or(of_customer)
        .unwrap_or(0)
}

/// Puts a message on its way by those of its channels that leave the house; in the transaction that publishes it.
pub(crate) fn born(
    tx: &mut Tx<'_>,
    message: MessageId,
    channels: i64,
    importance: Importance,
    tenant: i64,
    now: Moment,
) -> Result<()> {
    let lane = Lane::of(importance).code();
    if channels & Channel::Email.bit() != 0 {
        tx.send(&BEAR_MAIL, &[&message.0, &lane, &tenant, &now.0])?;
        wake(tx, Channel::Email);
    }
    if channels & Channel::Http.bit() != 0 {
        tx.send(&BEAR_POSTS, &[&message.0, &lane, &tenant, &now.0])?;
        tx.send(&BEAR_DELIVERIES, &[&message.0, &lane, &now.0])?;
        wake(tx, Channel::Http);
    }
    Ok(())
}

/// Notes that a message was to be mailed by a server without a relay, so that a relay that comes later finds nothing to
/// do; in the transaction that publishes it.
pub(crate) fn never(
    tx: &mut Tx<'_>,
    message: MessageId,
    importance: Importance,
    tenant: i64,
    now: Moment,
) -> Result<()> {
    let lane = Lane::of(importance).code();
    Ok(tx.send(&NEVER, &[&message.0, &lane, &tenant, &now.0])?)
}

/// Puts a message on its way by mail to people who are known already, up to a thousand a chunk; at least one.
pub(crate) fn born_listed(
    tx: &mut Tx<'_>,
    message: MessageId,
    chunks: &[Vec<u32>],
    importance: Importance,
    tenant: i64,
    now: Moment,
) -> Result<()> {
    let people: usize = chunks.iter().map(Vec::len).sum();
    let lane = Lane::of(importance).for_many(people as u64);
    tx.send(
        &BEAR_LISTED,
        &[&message.0, &lane.code(), &tenant, &now.0, &(people as i64)],
    )?;
    for people in chunks {
        chunk::insert(tx, message, lane, tenant, people)?;
    }
    wake(tx, Channel::Email);
    Ok(())
}

/// Tells the servers that there may be something to send.
pub(crate) fn wake(tx: &mut Tx<'_>, channel: Channel) {
    tx.signal(Signal {
        topic: topic::OUTBOX,
        key: channel.bit(),
    });
}

/// Tells the servers that there is something to take back.
fn wake_sweeper(tx: &mut Tx<'_>) {
    tx.signal(Signal {
        topic: topic::OUTBOX,
        key: 0,
    });
}

/// Holds a message that was switched off, or lets it go on.
pub(crate) fn hold(tx: &mut Tx<'_>, message: MessageId, held: bool) -> Result<()> {
    tx.send(&HOLD, &[&message.0, &held])?;
    wake(tx, Channel::Email);
    wake(tx, Channel::Http);
    Ok(())
}

/// Takes back what has not left of a message that is recalled.
pub(crate) fn recalled(tx: &mut Tx<'_>, message: MessageId) -> Result<()> {
    tx.send(&CANCEL, &[&message.0])?;
    wake(tx, Channel::Email);
    wake_sweeper(tx);
    Ok(())
}

/// Takes back what has not left by one channel.
///
/// # Errors
/// `Conflict` where nothing is under way.
pub fn cancel(tx: &mut Tx<'_>, message: MessageId, channel: Channel) -> Result<()> {
    if tx.execute(&CANCEL_ONE, &[&message.0, &channel.bit()])? == 0 {
        return Err(Error::Conflict("nothing is under way by this channel".into()));
    }
    wake(tx, channel);
    wake_sweeper(tx);
    Ok(())
}

/// How far a message got, by each channel that leaves the house.
pub fn progress(tx: &mut Tx<'_>, message: MessageId) -> Result<Vec<Progress>> {
    Ok(tx.rows(&OF_MESSAGE, &[&message.0], read)?)
}

fn read(row: &Row<'_>) -> campanile_store::Result<Progress> {
    let number = |column| row.get::<i64>(column);
    let (recipients, sent, failed) = (number(7)?, number(8)?, number(9)?);
    let (suppressed, gone, cancelled) = (number(10)?, number(11)?, number(12)?);
    let state = State::from(number(3)?, row.get(4)?);
    let rest = recipients - sent - failed - suppressed - gone - cancelled;
    // What has not left of a cancelled run does not wait any more, though it is swept only now.
    let (queued, cancelled) = match state {
        State::Cancelling => (0, cancelled + rest),
        _ => (rest, cancelled),
    };
    Ok(Progress {
        channel: if number(1)? == Channel::Http.bit() {
            Channel::Http
        } else {
            Channel::Email
        },
        state,
        recipients,
        queued,
        retrying: number(15)?.min(queued),
        sent,
        failed,
        suppressed,
        gone,
        cancelled,
        in_doubt: number(13)?,
        since: Moment(number(5)?),
        ended_at: row.get::<Option<i64>>(6)?.map(Moment),
        forgotten_at: row.get::<Option<i64>>(14)?.map(Moment),
    })
}

/// Adds to the counters of a run; it ends where all its recipients have an outcome.
pub(super) fn count(tx: &mut Tx<'_>, message: i64, channel: Channel, by: Counts, now: Moment) -> Result<()> {
    if by == Counts::default() {
        return Ok(());
    }
    let channel = channel.bit();
    tx.send(
        &COUNT,
        &[
            &message,
            &channel,
            &by.sent,
            &by.failed,
            &by.suppressed,
            &by.gone,
            &by.cancelled,
            &by.doubtful,
        ],
    )?;
    tx.send(&END, &[&message, &channel, &now.0])?;
    moved(tx, message);
    Ok(())
}

/// Tells who looks at the message that its numbers have changed.
pub(super) fn moved(tx: &mut Tx<'_>, message: i64) {
    tx.signal(Signal {
        topic: topic::PROGRESS,
        key: message,
    });
}

/// A mail run whose recipients somebody lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listing {
    /// The message.
    pub message: MessageId,
    /// The last person who was listed.
    pub cursor: u32,
    lane: Lane,
    tenant: i64,
    fence: i64,
    worker: Worker,
}

/// A mail run whose recipients nobody lists at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listable {
    /// The message.
    pub message: MessageId,
    /// The last person who was listed.
    pub cursor: u32,
    lane: Lane,
    tenant: i64,
}

/// Mail runs whose recipients are to be listed, the most urgent first; those that are more urgent than a listing, where
/// one is given.
pub fn listable(tx: &mut Tx<'_>, than: Option<&Listing>, limit: usize, now: Moment) -> Result<Vec<Listable>> {
    let below = than.map_or(Lane::Bulk.code() + 1, |than| than.lane.code());
    let read = |row: &Row<'_>| {
        Ok(Listable {
            message: MessageId(row.get(0)?),
            lane: Lane::from_code(row.get(1)?),
            tenant: row.get(2)?,
            cursor: row.get::<i64>(3)? as u32,
        })
    };
    Ok(tx.rows(&LISTABLE, &[&now.0, &below, &(limit as i64)], read)?)
}

/// Takes one of them; `None` where somebody else has it by now, or has got on with it.
pub fn take_listing(tx: &mut Tx<'_>, worker: Worker, of: &Listable, now: Moment) -> Result<Option<Listing>> {
    let (until, cursor) = (now.plus_ms(LEASE_MS).0, i64::from(of.cursor));
    let fence = tx.first(
        &LEASE_LISTING,
        &[&of.message.0, &worker.0, &until, &now.0, &cursor],
        |row| row.get(0),
    )?;
    Ok(fence.map(|fence| Listing {
        message: of.message,
        cursor: of.cursor,
        lane: of.lane,
        tenant: of.tenant,
        fence,
        worker,
    }))
}

/// Stores listed people as chunks, and how far the listing got. `total` is how many people the listing has in all, as
/// far as is known; `is_last` ends it. Whether the listing is still the worker's: where not, nothing was stored.
pub fn store_listed(
    tx: &mut Tx<'_>,
    listing: &mut Listing,
    chunks: &[Vec<u32>],
    cursor: u32,
    total: u64,
    is_last: bool,
    now: Moment,
) -> Result<bool> {
    let lane = listing.lane.for_many(total);
    let people: i64 = chunks.iter().map(|chunk| chunk.len() as i64).sum();
    let (state, until) = if is_last { (1, 0) } else { (0, now.plus_ms(LEASE_MS).0) };
    let stored = tx.execute(
        &LISTED,
        &[
            &listing.message.0,
            &listing.fence,
            &listing.worker.0,
            &i64::from(cursor),
            &people,
            &lane.code(),
            &i64::from(state),
            &until,
        ],
    )?;
    if stored == 0 {
        return Ok(false);
    }
    for people in chunks {
        chunk::insert(tx, listing.message, lane, listing.tenant, people)?;
    }
    (listing.cursor, listing.lane) = (cursor, lane);
    if is_last {
        // A message to nobody with an address ends at once.
        tx.send(&END, &[&listing.message.0, &Channel::Email.bit(), &now.0])?;
    }
    wake(tx, Channel::Email);
    moved(tx, listing.message.0);
    Ok(true)
}

/// Gives a listing back that was not finished.
pub fn give_back(tx: &mut Tx<'_>, listing: &Listing) -> Result<()> {
    tx.send(&GIVE_BACK, &[&listing.message.0, &listing.fence, &listing.worker.0])?;
    Ok(())
}
