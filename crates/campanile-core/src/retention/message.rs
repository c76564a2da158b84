//! Messages that are kept no longer. First nobody sees them any more, as after a recall; a while later, when every open
//! page has heard of it, they go with all that belongs to them. What remains is that there was one.

use campanile_store::{Param, Sql, Tx, sql};

use super::STEP;
use crate::error::Result;
use crate::id::MessageId;
use crate::message::change;
use crate::revision;
use crate::time::Moment;

/// What was over, and untouched, before $1; ids from $2 to $3. What stands until it is taken back does not age, nor
/// does what was never published and may be at any time.
macro_rules! old {
    ($($more:tt)+) => {
        concat!("SELECT m.id FROM message m WHERE m.id >= $2 AND m.id <= $3 AND m.created_at < $1
            AND COALESCE(m.published_at, 0) < $1
            AND (m.closes_at < $1 OR (m.closes_at = 9223372036854775807
                AND (m.recalled IS NOT NULL OR (m.revision IS NOT NULL AND (m.rule = 0 OR NOT m.enabled)))))
            AND NOT EXISTS (SELECT 1 FROM edition e WHERE e.message = m.id AND e.at >= $1
                AND NOT (e.change = 2 AND e.author IS NULL))", $($more)+, " ORDER BY m.id LIMIT $4")
    };
}

/// Deletes at most $2 of a message's rows in a table.
macro_rules! some {
    ($table:literal, $key:literal) => {
        concat!(
            "DELETE FROM ",
            $table,
            " WHERE message = $1 AND (",
            $key,
            ") IN (SELECT ",
            $key,
            " FROM ",
            $table,
            " WHERE message = $1 LIMIT $2)"
        )
    };
}

macro_rules! all {
    ($table:literal) => {
        concat!("DELETE FROM ", $table, " WHERE message = $1")
    };
}

sql! {
    VISIBLE = old!(" AND m.revision IS NOT NULL AND m.recalled IS NULL");
    // $5: recalled before. A reminder goes before what it reminds of, and nothing while it is on its way.
    HIDDEN = old!(" AND (m.revision IS NULL OR m.recalled_at < $5)
            AND NOT EXISTS (SELECT 1 FROM message r WHERE r.reminds = m.id)
            AND NOT EXISTS (SELECT 1 FROM run r WHERE r.message = m.id AND r.state NOT IN (2, 4))");
    SOME_ATTEMPTS = some!("attempt", "channel, target, number");
    SOME_DELIVERIES = some!("delivery", "channel, target");
    SOME_CHUNKS = some!("chunk", "first");
    SOME_DEEDS = some!("engagement", "person");
    RUNS = all!("run");
    POSTS = all!("post");
    PUSHES = all!("push_run");
    KEYS = all!("idempotency");
    AUDIENCE = all!("audience");
    EDITIONS = all!("edition");
    MESSAGE = "DELETE FROM message WHERE id = $1";
    NOTE = "INSERT INTO forgotten (message, revision) VALUES ($1, $2)";
    // A mark says something only of what came up before it.
    FIRST = "SELECT COALESCE(MIN(revision), (SELECT value FROM tally WHERE name = 'revision')) FROM message
        WHERE revision IS NOT NULL";
    MARKS = "DELETE FROM mark WHERE (person, kind, at) IN
        (SELECT person, kind, at FROM mark WHERE kind = $1 AND revision < $2 LIMIT $3)";
}

/// Rows of its own that a message may have very many of, in the order in which they can go.
static MANY: [&Sql; 4] = [&SOME_ATTEMPTS, &SOME_DELIVERIES, &SOME_CHUNKS, &SOME_DEEDS];
/// The others.
static FEW: [&Sql; 6] = [&POSTS, &RUNS, &PUSHES, &KEYS, &AUDIENCE, &EDITIONS];

/// Between the moment from which nobody sees a message and its end. Streams hear of the first; a copy that a server
/// keeps in memory is never so old.
const PAUSE_MS: i64 = 10 * 60 * 1_000;
/// The kinds of marks.
const MARK_KINDS: std::ops::RangeInclusive<i64> = 1..=3;

/// Messages of before a time that people may still see; at most so many.
pub fn visible(tx: &mut Tx<'_>, before: Moment, limit: i64) -> Result<Vec<MessageId>> {
    ids(tx, &VISIBLE, &[&before.0, &0_i64, &i64::MAX, &limit])
}

/// Messages of before a time whose rows may go; at most so many.
pub fn hidden(tx: &mut Tx<'_>, before: Moment, limit: i64, now: Moment) -> Result<Vec<MessageId>> {
    ids(tx, &HIDDEN, &[&before.0, &0_i64, &i64::MAX, &limit, &since(now).0])
}

fn since(now: Moment) -> Moment {
    now.plus_ms(-PAUSE_MS)
}

fn ids(tx: &mut Tx<'_>, sql: &'static Sql, params: &[&dyn Param]) -> Result<Vec<MessageId>> {
    Ok(tx.rows(sql, params, |row| row.get(0).map(MessageId))?)
}

/// Takes a message away from everybody, unless somebody has touched it since it was found; whether it did. No browser
/// is told: whoever was shown a notification of it has forgotten it too.
pub fn hide(tx: &mut Tx<'_>, id: MessageId, before: Moment, now: Moment) -> Result<bool> {
    // Looked at in its place: the next line takes the lock.
    tx.tally()?;
    if ids(tx, &VISIBLE, &[&before.0, &id.0, &id.0, &1_i64])?.is_empty() {
        return Ok(false);
    }
    change::withdraw(tx, &crate::journal::By::default(), id, now)?;
    Ok(true)
}

/// Deletes some of the rows that hang on a message that nobody sees; whether there may be more.
pub fn shrink(tx: &mut Tx<'_>, id: MessageId, before: Moment, now: Moment) -> Result<bool> {
    if ids(tx, &HIDDEN, &[&before.0, &id.0, &id.0, &1_i64, &since(now).0])?.is_empty() {
        return Ok(false);
    }
    for some in MANY {
        if tx.execute(some, &[&id.0, &STEP])? > 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Deletes a message that [`shrink`] has nothing more to do with; whether it did.
pub fn forget(tx: &mut Tx<'_>, id: MessageId, before: Moment, now: Moment) -> Result<bool> {
    tx.tally()?;
    if ids(tx, &HIDDEN, &[&before.0, &id.0, &id.0, &1_i64, &since(now).0])?.is_empty() {
        return Ok(false);
    }
    let stamp = revision::take(tx, now)?;
    for all in FEW {
        tx.send(all, &[&id.0])?;
    }
    tx.send(&MESSAGE, &[&id.0])?;
    tx.send(&NOTE, &[&id.0, &stamp.revision.0])?;
    revision::message_changed(tx, stamp, id.0)?;
    Ok(true)
}

/// The revision from which on marks may still say something.
pub fn first(tx: &mut Tx<'_>) -> Result<i64> {
    Ok(tx.one(&FIRST, &[], |row| row.get(0))?)
}

/// Deletes some marks of before a revision that [`first`] gave; how many.
pub fn trim_marks(tx: &mut Tx<'_>, first: i64) -> Result<u64> {
    let mut gone = 0;
    for kind in MARK_KINDS {
        gone += tx.execute(&MARKS, &[&kind, &first, &STEP])?;
    }
    Ok(gone)
}
