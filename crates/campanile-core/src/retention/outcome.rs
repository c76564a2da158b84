//! The outcomes of single recipients of what has left the house long ago: what every try came to, with addresses and
//! replies. The numbers of the whole stay, and of a reminder to whom it went.

use campanile_store::{Row, Sql, Tx, sql};

use super::STEP;
use crate::error::Result;
use crate::id::MessageId;
use crate::time::Moment;

sql! {
    // Who is mailed a reminder is known from its chunks alone.
    ENDED = "SELECT r.message, r.channel FROM run r
        WHERE r.state IN (2, 4) AND r.ended_at < $1 AND r.forgotten_at IS NULL
            AND (r.channel = 8 OR NOT EXISTS (SELECT 1 FROM message m WHERE m.id = r.message AND m.reminds IS NOT NULL))
        ORDER BY r.message, r.channel LIMIT $2";
    CLOSE = "UPDATE run SET forgotten_at = $4
        WHERE message = $1 AND channel = $2 AND state IN (2, 4) AND ended_at < $3 AND forgotten_at IS NULL";
    CLOSED = "SELECT r.message, r.channel FROM run r WHERE r.forgotten_at IS NOT NULL AND (
            EXISTS (SELECT 1 FROM attempt a WHERE a.message = r.message AND a.channel = r.channel)
            OR EXISTS (SELECT 1 FROM delivery d WHERE d.message = r.message AND d.channel = r.channel)
            OR (r.channel = 4 AND EXISTS (SELECT 1 FROM chunk c WHERE c.message = r.message)))
        ORDER BY r.message, r.channel LIMIT $1";
    ATTEMPTS = "DELETE FROM attempt WHERE message = $1 AND channel = $2 AND (target, number) IN
        (SELECT target, number FROM attempt WHERE message = $1 AND channel = $2 LIMIT $3)";
    DELIVERIES = "DELETE FROM delivery WHERE message = $1 AND channel = $2 AND target IN
        (SELECT target FROM delivery WHERE message = $1 AND channel = $2 LIMIT $3)";
    CHUNKS = "DELETE FROM chunk WHERE message = $1 AND CAST($2 AS BIGINT) = 4 AND first IN
        (SELECT first FROM chunk WHERE message = $1 LIMIT $3)";
}

static MANY: [&Sql; 3] = [&ATTEMPTS, &DELIVERIES, &CHUNKS];

/// One message by one channel: its id, and the channel as stored.
pub type Which = (MessageId, i64);

fn which(row: &Row<'_>) -> campanile_store::Result<Which> {
    Ok((MessageId(row.get(0)?), row.get(1)?))
}

/// What ended before a time; at most so many.
pub fn ended(tx: &mut Tx<'_>, before: Moment, limit: i64) -> Result<Vec<Which>> {
    Ok(tx.rows(&ENDED, &[&before.0, &limit], which)?)
}

/// Notes that the outcomes of one go, unless it was sent again since; whether they do.
pub fn close(tx: &mut Tx<'_>, (message, channel): Which, before: Moment, now: Moment) -> Result<bool> {
    Ok(tx.execute(&CLOSE, &[&message.0, &channel, &before.0, &now.0])? > 0)
}

/// What was [closed](close) and has outcomes left; at most so many.
pub fn closed(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<Which>> {
    Ok(tx.rows(&CLOSED, &[&limit], which)?)
}

/// Deletes some outcomes of one that was [closed](close); how many.
pub fn shrink(tx: &mut Tx<'_>, (message, channel): Which) -> Result<u64> {
    for some in MANY {
        let gone = tx.execute(some, &[&message.0, &channel, &STEP])?;
        if gone > 0 {
            return Ok(gone);
        }
    }
    Ok(0)
}
