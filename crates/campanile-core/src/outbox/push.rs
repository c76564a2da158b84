//! Web Push: what rings the bell is told to those of its audience who have a device that wants it.
//!
//! Born in the transaction that publishes, where there is any device at all: one row, whatever the audience. Whoever
//! lists it goes through audience and devices in step, so that it costs what the smaller of the two is. What has left
//! is forgotten: a message that is taken back is taken from every device that may have been told of it.
//!
//! Who takes a row may have it for [`LEASE_MS`], and its `fence` grows: who comes back later writes nothing. A push
//! that is made twice replaces itself, so nobody needs to know whether it was.

use campanile_store::{Row, Signal, Tx, sql};
use roaring::RoaringBitmap;
use url::Url;

use super::LEASE_MS;
use super::device;
use super::run::Lane;
use crate::account::admitted;
use crate::error::{Error, Result};
use crate::id::{MessageId, PersonId};
use crate::inbox::{self, Shown};
use crate::lists::Shared;
use crate::message::{Channel, Importance, Message};
use crate::revision::topic;
use crate::secret::InstallationKey;
use crate::time::Moment;

sql! {
    BEAR = "INSERT INTO push_run (message, removes, lane, cursor, since, due, fence)
        SELECT CAST($1 AS BIGINT), CAST($2 AS BOOLEAN), CAST($3 AS BIGINT), 0, CAST($4 AS BIGINT), CAST($4 AS BIGINT), 0
        WHERE EXISTS (SELECT 1 FROM device)
        ON CONFLICT (message) DO UPDATE SET removes = excluded.removes, lane = excluded.lane, cursor = 0,
            since = excluded.since, due = excluded.due, fence = push_run.fence + 1";
    TAKE_RUN = "WITH next AS MATERIALIZED (SELECT message FROM push_run WHERE due <= $1
            ORDER BY lane, message LIMIT 1 {skip_locked})
        UPDATE push_run SET due = $2, fence = fence + 1 WHERE message IN (SELECT message FROM next)
        RETURNING message, removes, lane, cursor, since, fence";
    LISTED = "UPDATE push_run SET cursor = $3, due = since WHERE message = $1 AND fence = $2";
    END_RUN = "DELETE FROM push_run WHERE message = $1 AND fence = $2";
    DEVICES = "SELECT person, id, floor, created_at FROM device WHERE person >= $1 ORDER BY person LIMIT $2";
    // One that was never in anybody's hands has not been shown.
    INSERT = "INSERT INTO push (device, message, lane, removes, shown, since, attempts, due, fence)
        VALUES ($1, $2, $3, $4, $6, $5, 0, $5, 0)
        ON CONFLICT (device, message) DO UPDATE SET lane = excluded.lane, removes = excluded.removes,
            shown = (push.shown OR push.fence > 0), since = excluded.since, attempts = 0, due = excluded.due,
            fence = CASE WHEN push.fence > 0 THEN push.fence + 1 ELSE 0 END";
    TAKE = "WITH due AS MATERIALIZED (SELECT device, message FROM push WHERE lane = $1 AND due <= $2
            ORDER BY due LIMIT $3 {skip_locked})
        UPDATE push SET due = $4, fence = fence + 1
        WHERE (device, message) IN (SELECT device, message FROM due)
        RETURNING device, message, removes, shown, since, attempts, fence";
    NEXT_RUN = "SELECT MIN(due) FROM push_run";
    NEXT = "SELECT MIN(due) FROM push WHERE lane = $1";
    DONE = "DELETE FROM push WHERE device = $1 AND message = $2 AND fence = $3";
    AGAIN = "UPDATE push SET due = $4, attempts = $5 WHERE device = $1 AND message = $2 AND fence = $3";
    SENT = "UPDATE device SET pushed = pushed + $2, pushed_at = $3, failed_at = NULL, failed_code = NULL WHERE id = $1";
    FAILED = "UPDATE device SET failed_at = $2, failed_code = $3 WHERE id = $1";
    DEVICE = concat!("SELECT d.person, d.endpoint, d.p256dh, d.auth, d.pushed, p.locale
        FROM device d JOIN person p ON p.id = d.person", admitted!("d.person"),
        "WHERE d.id = $1 AND (d.expires_at IS NULL OR d.expires_at > $2)");
}

/// Devices that are put on a message's list in one transaction, about.
const PAGE: usize = 500;
/// Devices that are read in one statement.
const STEP: i64 = 100;
/// Statements of a page, at most.
const STEPS: usize = 50;
/// What is pushed is of use for so long: a message that only informs, for a day; any other, for a week.
const LOW_MS: i64 = 24 * 60 * 60 * 1_000;
const HIGH_MS: i64 = 7 * LOW_MS;

/// What devices are told of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Word {
    /// Its bell rings.
    Rings,
    /// It is taken back.
    Recalled,
}

/// Has devices told; in the transaction by which the bell rings, or that takes the message back.
pub(crate) fn born(
    tx: &mut Tx<'_>,
    message: MessageId,
    channels: i64,
    importance: Importance,
    word: Word,
    now: Moment,
) -> Result<()> {
    if channels & Channel::Portal.bit() == 0 {
        return Ok(());
    }
    let removes = word == Word::Recalled;
    // That the message moved is announced anyway.
    Ok(tx.send(&BEAR, &[&message.0, &removes, &Lane::of(importance).code(), &now.0])?)
}

/// Tells the servers that there may be something to do beside a message that moved.
pub(super) fn wake(tx: &mut Tx<'_>) {
    tx.signal(Signal {
        topic: topic::PUSH,
        key: 0,
    });
}

// ---------------------------------------------------------------- listing

/// A message whose devices are to be listed, in somebody's hands.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    /// The message.
    pub message: MessageId,
    /// It is taken back.
    pub removes: bool,
    lane: i64,
    cursor: i64,
    since: Moment,
    fence: i64,
}

/// A page of the devices of a message.
#[derive(Debug, Clone, Default)]
pub struct Page {
    devices: Vec<String>,
    /// They may show the message already.
    shown: bool,
    /// The person to go on with; `None` after the last.
    next: Option<i64>,
}

/// Takes the most urgent message whose devices are to be listed.
pub fn take_run(tx: &mut Tx<'_>, now: Moment) -> Result<Option<Run>> {
    let until = now.plus_ms(LEASE_MS);
    let read = |row: &Row<'_>| {
        Ok(Run {
            message: MessageId(row.get(0)?),
            removes: row.get(1)?,
            lane: row.get(2)?,
            cursor: row.get(3)?,
            since: Moment(row.get(4)?),
            fence: row.get(5)?,
        })
    };
    Ok(tx.first(&TAKE_RUN, &[&now.0, &until.0], read)?)
}

/// The next devices of a message: of its audience `people`, those that want it by its importance. A message that is
/// taken back was told to devices of then alone.
pub fn page(tx: &mut Tx<'_>, run: &Run, people: &RoaringBitmap, message: &Message) -> Result<Page> {
    let importance = message.importance;
    let mut page = Page {
        shown: run.removes || message.revision.is_some_and(|published| message.ring > published),
        ..Page::default()
    };
    let mut next = after(people, run.cursor);
    for _ in 0..STEPS {
        let Some(from) = next.filter(|_| page.devices.len() < PAGE) else {
            break;
        };
        let read = |row: &Row<'_>| {
            let device = (row.get::<String>(1)?, row.get::<i64>(2)?, row.get::<i64>(3)?);
            Ok((row.get::<i64>(0)?, device))
        };
        let mut found = tx.rows(&DEVICES, &[&from, &STEP], read)?;
        let is_last = (found.len() as i64) < STEP;
        let last = found.last().map_or(i64::MAX, |(person, _)| *person);
        // The last of them may have more than were read; nobody has as many as are read at once.
        found.retain(|(person, _)| is_last || *person < last);
        for (person, (id, floor, created_at)) in found {
            let is_theirs = u32::try_from(person).is_ok_and(|person| people.contains(person));
            let is_told = floor <= importance.code() && (!run.removes || created_at <= run.since.0);
            if is_theirs && is_told {
                page.devices.push(id);
            }
        }
        next = if is_last { None } else { after(people, last) };
    }
    page.next = next;
    Ok(page)
}

/// The first of some people from a person on.
fn after(people: &RoaringBitmap, person: i64) -> Option<i64> {
    let from = u32::try_from(person).ok()?;
    people.range(from..).next().map(i64::from)
}

/// Puts a page of devices on the list, and gives the message back or ends its listing. Whether it was still theirs who
/// had it: else nothing was stored.
pub fn store(tx: &mut Tx<'_>, run: &Run, page: &Page) -> Result<bool> {
    let is_ours = match page.next {
        Some(next) => tx.execute(&LISTED, &[&run.message.0, &run.fence, &next])?,
        None => tx.execute(&END_RUN, &[&run.message.0, &run.fence])?,
    };
    if is_ours == 0 {
        return Ok(false);
    }
    for device in &page.devices {
        tx.send(
            &INSERT,
            &[
                device,
                &run.message.0,
                &run.lane,
                &run.removes,
                &run.since.0,
                &page.shown,
            ],
        )?;
    }
    wake(tx);
    Ok(true)
}

// ---------------------------------------------------------------- sending

/// A push in somebody's hands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// To which device.
    pub device: String,
    /// Of which message.
    pub message: MessageId,
    /// It takes the message back.
    pub removes: bool,
    /// Tries so far that count.
    pub attempts: i64,
    shown: bool,
    since: Moment,
    fence: i64,
}

/// Takes at most `limit` pushes that are due, the more urgent first.
pub fn take(tx: &mut Tx<'_>, limit: i64, now: Moment) -> Result<Vec<Taken>> {
    let until = now.plus_ms(LEASE_MS);
    let mut out = Vec::new();
    for lane in Lane::ALL {
        let room = limit - out.len() as i64;
        if room <= 0 {
            break;
        }
        let read = |row: &Row<'_>| {
            Ok(Taken {
                device: row.get(0)?,
                message: MessageId(row.get(1)?),
                removes: row.get(2)?,
                shown: row.get(3)?,
                since: Moment(row.get(4)?),
                attempts: row.get(5)?,
                fence: row.get(6)?,
            })
        };
        out.extend(tx.rows(&TAKE, &[&lane.code(), &now.0, &room, &until.0], read)?);
    }
    Ok(out)
}

/// When the next listing or push is due; `None` where nothing waits.
pub fn next_due(tx: &mut Tx<'_>) -> Result<Option<Moment>> {
    let mut next: Option<i64> = tx.one(&NEXT_RUN, &[], |row| row.get(0))?;
    for lane in Lane::ALL {
        let due: Option<i64> = tx.one(&NEXT, &[&lane.code()], |row| row.get(0))?;
        next = match (next, due) {
            (Some(next), Some(due)) => Some(next.min(due)),
            (next, due) => next.or(due),
        };
    }
    Ok(next.map(Moment))
}

/// What is to be pushed, and where.
#[derive(Debug, Clone)]
pub struct ToPush {
    /// Whose device.
    pub person: PersonId,
    /// Where it is posted to.
    pub endpoint: Url,
    /// The device's public key.
    pub p256dh: Vec<u8>,
    /// The device's secret.
    pub auth: Vec<u8>,
    /// Messages that were pushed since the device was last heard of.
    pub pushed: i64,
    /// The person's language, where they chose one.
    pub language: Option<String>,
    /// The number on their bell.
    pub unread: u64,
    /// The message as the person sees it; `None`: it is taken back.
    pub shown: Option<Shown>,
    /// Later than this it is of no use.
    pub until: Moment,
}

/// What became of looking for what is to be pushed.
#[derive(Debug, Clone)]
pub enum Found {
    /// This.
    Wanted(Box<ToPush>),
    /// Nothing: it was read or is over, was never shown, or the person is not let in any more.
    Unwanted,
    /// The device's secret cannot be opened: it can be told nothing.
    Sealed,
}

/// What is to be pushed for one that was taken, by what is so now.
pub fn load(tx: &mut Tx<'_>, key: &InstallationKey, shared: &Shared, taken: &Taken, now: Moment) -> Result<Found> {
    if taken.removes && !taken.shown {
        return Ok(Found::Unwanted);
    }
    let read = |row: &Row<'_>| {
        let keys = (row.get::<Vec<u8>>(2)?, row.get::<Vec<u8>>(3)?);
        let of = (row.get::<i64>(4)?, row.get::<Option<String>>(5)?);
        Ok((PersonId(row.get(0)?), row.get::<String>(1)?, keys, of))
    };
    let Some((person, endpoint, (p256dh, auth), (pushed, language))) =
        tx.first(&DEVICE, &[&taken.device, &now.0], read)?
    else {
        return Ok(Found::Unwanted);
    };
    let (Some(auth), Ok(endpoint)) = (device::secret_of(key, &endpoint, &auth), Url::parse(&endpoint)) else {
        return Ok(Found::Sealed);
    };
    let mut until = taken.since.plus_ms(HIGH_MS);
    let mut shown = None;
    if !taken.removes {
        let found = match inbox::one(tx, shared, person, taken.message, now) {
            Ok(found) => found,
            Err(Error::Missing(_)) => return Ok(Found::Unwanted),
            Err(error) => return Err(error),
        };
        if found.read || found.archived || found.past || found.banner_only {
            return Ok(Found::Unwanted);
        }
        if found.importance == Importance::Low {
            until = taken.since.plus_ms(LOW_MS);
        }
        until = found.closes_at.map_or(until, |closes| until.min(closes));
        shown = Some(found);
    }
    if until <= now {
        return Ok(Found::Unwanted);
    }
    let unread = inbox::count(tx, shared, person, now)?.counts.unread;
    Ok(Found::Wanted(Box::new(ToPush {
        person,
        endpoint,
        p256dh,
        auth,
        pushed,
        language,
        unread,
        shown,
        until,
    })))
}

/// How a push ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// Its push service has it.
    Sent,
    /// There was nothing to be pushed.
    Unwanted,
    /// Its push service refuses it.
    Failed {
        /// With which status, if it answered.
        code: Option<i64>,
    },
    /// It is tried again.
    Again {
        /// When.
        at: Moment,
        /// Whether this try counts.
        counts: bool,
        /// What its push service answered, where the device is at fault.
        code: Option<i64>,
    },
    /// The device is not there any more.
    Gone,
}

impl End {
    /// As it is counted; `None` where nothing was tried, or by no fault of the device's service.
    #[must_use]
    pub const fn counted(&self) -> Option<&'static str> {
        match self {
            Self::Sent => Some("sent"),
            Self::Failed { .. } => Some("failed"),
            Self::Again { counts: true, .. } => Some("again"),
            Self::Gone => Some("gone"),
            Self::Again { .. } | Self::Unwanted => None,
        }
    }
}

/// Writes down how pushes ended; what was not theirs any more is left as it is.
pub fn settle(tx: &mut Tx<'_>, ended: &[(Taken, End)], now: Moment) -> Result<()> {
    for (taken, end) in ended {
        let Taken {
            device, message, fence, ..
        } = taken;
        match end {
            End::Sent => tx.send(&SENT, &[device, &i64::from(!taken.removes), &now.0])?,
            End::Failed { code } => tx.send(&FAILED, &[device, &now.0, code])?,
            End::Again { code: Some(code), .. } => tx.send(&FAILED, &[device, &now.0, &Some(*code)])?,
            End::Gone => device::drop_one(tx, device)?,
            End::Again { .. } | End::Unwanted => {}
        }
        match end {
            End::Again { at, counts, .. } => {
                let attempts = taken.attempts + i64::from(*counts);
                tx.send(&AGAIN, &[device, &message.0, fence, &at.0, &attempts])?;
            }
            _ => tx.send(&DONE, &[device, &message.0, fence])?,
        }
    }
    wake(tx);
    Ok(())
}
