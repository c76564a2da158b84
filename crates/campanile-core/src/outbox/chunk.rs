//! Up to a thousand people of a mail run, as bitmaps: a million mails are a thousand rows and the exceptions.
//!
//! Who holds a chunk begins its people in the order of their ids. `begun` is written ahead of them, `done` behind:
//! after a crash what is begun and not done is in doubt, and gets a row of its own, to be sent again with the same id;
//! what is not begun was certainly not sent.

use campanile_store::{Row, Tx, sql};
use roaring::RoaringBitmap;

use super::delivery::{self, Settled};
use super::run::{self, Counts, Lane};
use super::{LEASE_MS, Worker};
use crate::error::Result;
use crate::id::MessageId;
use crate::message::Channel;
use crate::time::Moment;

/// People of a chunk at most.
pub const SIZE: usize = 1_000;

// What a worker has is in its hands, however far its clock has jumped.
macro_rules! takeable {
    () => {
        "c.state = 0 AND c.lane = $1 AND c.lease_until <= $2 AND c.lease_by <> $3 AND EXISTS (SELECT 1 FROM run r
            WHERE r.message = c.message AND r.channel = 4 AND r.state < 2 AND NOT r.held)"
    };
}

sql! {
    INSERT = "INSERT INTO chunk (message, first, last, lane, tenant, people, size, done, begun, state, lease_by,
            lease_until, fence)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0, 0, 0, 0)";
    // The first tenant after one that has something; then that of the first.
    TENANT_AFTER = concat!("SELECT c.tenant FROM chunk c WHERE ", takeable!(), " AND c.tenant > $4
        ORDER BY c.tenant LIMIT 1");
    TENANT = concat!("SELECT c.tenant FROM chunk c WHERE ", takeable!(), " ORDER BY c.tenant LIMIT 1");
    NEXT = concat!("SELECT c.message, c.first, c.people, c.done, c.begun FROM chunk c
        WHERE ", takeable!(), " AND c.tenant = $4 ORDER BY c.message, c.first LIMIT 1 {skip_locked}");
    TAKE = "UPDATE chunk SET lease_by = $3, lease_until = $4, fence = fence + 1, begun_at = COALESCE(begun_at, $5),
            begun = $6
        WHERE message = $1 AND first = $2 RETURNING fence";
    // Every write moves the fence, so that one whose fate was not heard of can be told from one that was not done.
    WRITE = "UPDATE chunk SET done = $5, begun = $6, state = $7, ended_at = $8, lease_by = $9, lease_until = $10,
            fence = fence + 1
        WHERE message = $1 AND first = $2 AND lease_by = $3 AND fence = $4 AND state = 0";
    FENCE = "SELECT fence, lease_by FROM chunk WHERE message = $1 AND first = $2";
    SWEEPABLE = "SELECT first, lane, tenant, people, done, begun, lease_until FROM chunk
        WHERE message = $1 AND state = 0 ORDER BY first LIMIT 1";
    // Leases of others end before they are looked at.
    SWEPT = "UPDATE chunk SET done = $3, state = 1, ended_at = $4, lease_by = 0, lease_until = 0, fence = fence + 1
        WHERE message = $1 AND first = $2 AND state = 0 AND lease_until <= $4";
    ALL = "SELECT people FROM chunk WHERE message = $1";
    HOLDS = "SELECT people, done, begun, begun_at, ended_at, state FROM chunk
        WHERE message = $1 AND first <= $2 AND last >= $2 ORDER BY first DESC LIMIT 1";
}

/// One bit for each of up to [`SIZE`] people.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bits(Vec<u8>);

impl Bits {
    /// As stored.
    pub(super) const fn of(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// Whether a bit is set.
    #[must_use]
    pub fn has(&self, at: usize) -> bool {
        self.0.get(at / 8).is_some_and(|byte| byte >> (at % 8) & 1 == 1)
    }

    /// Sets a bit.
    pub fn set(&mut self, at: usize) {
        if self.0.len() <= at / 8 {
            self.0.resize(at / 8 + 1, 0);
        }
        self.0[at / 8] |= 1 << (at % 8);
    }

    /// How many are set.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.iter().map(|byte| byte.count_ones() as usize).sum()
    }
}

/// A chunk in a worker's hands.
#[derive(Debug, Clone)]
pub struct Chunk {
    /// The message.
    pub message: MessageId,
    /// The people, by id, in order.
    pub people: Vec<u32>,
    /// Who has an outcome.
    pub done: Bits,
    /// So many are written down as begun.
    pub begun: usize,
    /// Its lane.
    pub lane: Lane,
    /// Whose it is.
    pub tenant: i64,
    first: i64,
    fence: i64,
    worker: Worker,
}

pub(crate) fn insert(tx: &mut Tx<'_>, message: MessageId, lane: Lane, tenant: i64, people: &[u32]) -> Result<()> {
    let (Some(first), Some(last)) = (people.first(), people.last()) else {
        return Ok(());
    };
    let mut bytes = Vec::new();
    let bitmap: RoaringBitmap = people.iter().copied().collect();
    bitmap
        .serialize_into(&mut bytes)
        .expect("a vector takes as many bytes as there are");
    let (first, last, size) = (i64::from(*first), i64::from(*last), people.len() as i64);
    let none: &[u8] = &[];
    tx.send(
        &INSERT,
        &[&message.0, &first, &last, &lane.code(), &tenant, &bytes, &size, &none],
    )?;
    Ok(())
}

/// Everybody whom a message is mailed to.
pub(crate) fn all(tx: &mut Tx<'_>, message: MessageId) -> Result<RoaringBitmap> {
    let mut all = RoaringBitmap::new();
    for bytes in tx.rows(&ALL, &[&message.0], |row| row.get::<Vec<u8>>(0))? {
        all.extend(people_of(&bytes)?);
    }
    Ok(all)
}

pub(super) fn people_of(bytes: &[u8]) -> Result<Vec<u32>> {
    let bitmap = RoaringBitmap::deserialize_from(bytes);
    let bitmap = bitmap.map_err(|error| campanile_store::Error::Internal(format!("a chunk's people: {error}")))?;
    Ok(bitmap.iter().collect())
}

/// Takes a chunk of a lane: of the first tenant after `after` that has one, so that tenants take turns.
///
/// Whatever its last owner had begun and not finished is in doubt, and becomes rows to be sent again. `ahead` people
/// are written down as begun already, so that the new owner can start.
pub fn take(
    tx: &mut Tx<'_>,
    worker: Worker,
    lane: Lane,
    after: i64,
    ahead: usize,
    now: Moment,
) -> Result<Option<Chunk>> {
    let tenant = tx.first(&TENANT_AFTER, &[&lane.code(), &now.0, &worker.0, &after], |row| {
        row.get::<i64>(0)
    })?;
    let tenant = match tenant {
        None => tx.first(&TENANT, &[&lane.code(), &now.0, &worker.0], |row| row.get(0))?,
        found => found,
    };
    let Some(tenant) = tenant else {
        return Ok(None);
    };
    let read = |row: &Row<'_>| {
        Ok((
            MessageId(row.get(0)?),
            row.get::<i64>(1)?,
            row.get::<Vec<u8>>(2)?,
            row.get::<Vec<u8>>(3)?,
            row.get::<i64>(4)?,
        ))
    };
    let found = tx.first(&NEXT, &[&lane.code(), &now.0, &worker.0, &tenant], read)?;
    let Some((message, first, people, done, begun)) = found else {
        return Ok(None);
    };
    let until = now.plus_ms(LEASE_MS);
    let people = people_of(&people)?;
    let ahead = people.len().min(begun as usize + ahead);
    let fence = tx.one(
        &TAKE,
        &[&message.0, &first, &worker.0, &until.0, &now.0, &(ahead as i64)],
        |row| row.get(0),
    )?;
    let mut chunk = Chunk {
        message,
        people,
        done: Bits(done),
        begun: begun as usize,
        lane,
        tenant,
        first,
        fence,
        worker,
    };
    let doubtful = doubt(tx, &mut chunk, now)?;
    chunk.begun = ahead;
    if doubtful > 0 {
        let counts = Counts {
            doubtful,
            ..Counts::default()
        };
        run::count(tx, message.0, Channel::Email, counts, now)?;
        write(tx, &chunk, &[], now)?;
        chunk.was_written();
    }
    Ok(Some(chunk))
}

/// What was begun and is not done becomes rows of its own; how many.
fn doubt(tx: &mut Tx<'_>, chunk: &mut Chunk, now: Moment) -> Result<i64> {
    let mut doubtful = 0;
    for at in 0..chunk.begun.min(chunk.people.len()) {
        if !chunk.done.has(at) {
            let person = i64::from(chunk.people[at]);
            delivery::insert_doubtful(tx, chunk.message, person, chunk.lane, chunk.tenant, now)?;
            chunk.done.set(at);
            doubtful += 1;
        }
    }
    Ok(doubtful)
}

impl Chunk {
    /// Whether everybody has an outcome.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.done.count() == self.people.len()
    }

    /// To be called when [`write()`] has answered `true`.
    pub const fn was_written(&mut self) {
        self.fence += 1;
    }
}

/// Writes down how far a chunk is, and its outcomes since the last time: exceptions get a row, plain successes a bit.
/// Renews the lease; ends the chunk where everybody has an outcome. Whether it is still the worker's: where not,
/// nothing was stored, and what became of these people is in doubt. The same once more, after an error that left open
/// whether it was done, does it once.
pub fn write(tx: &mut Tx<'_>, chunk: &Chunk, outcomes: &[Settled], now: Moment) -> Result<bool> {
    put(tx, chunk, outcomes, chunk.worker.0, now.plus_ms(LEASE_MS), now)
}

/// As [`write()`], and gives the chunk back, so that another worker goes on with it. Nothing of it may be under way.
pub fn give_back(tx: &mut Tx<'_>, chunk: &Chunk, outcomes: &[Settled], now: Moment) -> Result<bool> {
    let kept = put(tx, chunk, outcomes, 0, Moment(0), now)?;
    run::wake(tx, Channel::Email);
    Ok(kept)
}

fn put(tx: &mut Tx<'_>, chunk: &Chunk, outcomes: &[Settled], by: i64, until: Moment, now: Moment) -> Result<bool> {
    let is_done = chunk.is_done();
    let (by, until) = if is_done { (0, 0) } else { (by, until.0) };
    let written = tx.execute(
        &WRITE,
        &[
            &chunk.message.0,
            &chunk.first,
            &chunk.worker.0,
            &chunk.fence,
            &chunk.done.0,
            &(chunk.begun as i64),
            &i64::from(is_done),
            &is_done.then_some(now.0),
            &by,
            &until,
        ],
    )?;
    if written == 0 {
        let read = |row: &Row<'_>| Ok((row.get::<i64>(0)?, row.get::<i64>(1)?));
        let found = tx.first(&FENCE, &[&chunk.message.0, &chunk.first], read)?;
        return Ok(found == Some((chunk.fence + 1, by)));
    }
    let mut counts = Counts::default();
    for outcome in outcomes {
        delivery::insert_exception(tx, chunk.message, chunk.lane, chunk.tenant, outcome)?;
        outcome.end.count(&mut counts);
        counts.doubtful += i64::from(outcome.doubtful);
    }
    run::count(tx, chunk.message.0, Channel::Email, counts, now)?;
    Ok(true)
}

/// What sweeping found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Swept {
    /// A chunk; there may be more.
    Some,
    /// A worker has one.
    Busy,
    /// No open chunk.
    Nothing,
}

/// Ends one open chunk of a cancelled run. What was begun by a worker that is gone is in doubt and not sent again.
pub(super) fn sweep(tx: &mut Tx<'_>, message: MessageId, now: Moment) -> Result<Swept> {
    let read = |row: &Row<'_>| {
        let chunk = (row.get::<Vec<u8>>(3)?, row.get::<Vec<u8>>(4)?, row.get::<i64>(5)?);
        Ok((
            row.get::<i64>(0)?,
            row.get::<i64>(1)?,
            row.get::<i64>(2)?,
            chunk,
            row.get::<i64>(6)?,
        ))
    };
    let Some((first, lane, tenant, (people, done, begun), until)) = tx.first(&SWEEPABLE, &[&message.0], read)? else {
        return Ok(Swept::Nothing);
    };
    if until > now.0 {
        return Ok(Swept::Busy);
    }
    let mut chunk = Chunk {
        message,
        people: people_of(&people)?,
        done: Bits(done),
        begun: begun as usize,
        lane: Lane::from_code(lane),
        tenant,
        first,
        fence: 0,
        worker: Worker(0),
    };
    let before = chunk.done.clone();
    let doubtful = (0..chunk.begun).filter(|at| !before.has(*at)).count();
    if tx.execute(&SWEPT, &[&message.0, &first, &before.0, &now.0])? == 0 {
        return Ok(Swept::Busy);
    }
    doubt(tx, &mut chunk, now)?;
    let counts = Counts {
        // Those in doubt have rows now, which are swept next.
        cancelled: (chunk.people.len() - chunk.done.count()) as i64,
        doubtful: doubtful as i64,
        ..Counts::default()
    };
    run::count(tx, message.0, Channel::Email, counts, now)?;
    Ok(Swept::Some)
}

/// What a chunk says of one of its people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// There is an outcome; where there is no row for them, it is a plain success.
    pub is_done: bool,
    /// The chunk is open: they wait for their turn.
    pub is_open: bool,
    /// From then on people of the chunk were sent their mail.
    pub begun_at: Option<Moment>,
    /// Everybody had an outcome by then.
    pub ended_at: Option<Moment>,
}

/// What a run says of a person without a row; `None` for who is not in it.
pub fn told(tx: &mut Tx<'_>, message: MessageId, person: u32) -> Result<Option<Told>> {
    let read = |row: &Row<'_>| {
        let at = |column| Ok::<_, campanile_store::Error>(row.get::<Option<i64>>(column)?.map(Moment));
        let bits = (row.get::<Vec<u8>>(0)?, Bits(row.get(1)?));
        Ok((bits, at(3)?, at(4)?, row.get::<i64>(5)?))
    };
    let Some(((people, done), begun_at, ended_at, state)) =
        tx.first(&HOLDS, &[&message.0, &i64::from(person)], read)?
    else {
        return Ok(None);
    };
    let place = people_of(&people)?.binary_search(&person).ok();
    Ok(place.map(|place| Told {
        is_done: done.has(place),
        is_open: state == 0,
        begun_at,
        ended_at,
    }))
}
