//! Taking back what waits of runs that were cancelled.

use campanile_store::{Row, Tx, sql};

use super::super::chunk;
use super::{Counts, count, moved};
use crate::error::Result;
use crate::id::MessageId;
use crate::message::Channel;
use crate::time::Moment;

sql! {
    LEASE = "UPDATE run SET lease_by = $3, lease_until = $4, fence = fence + 1 WHERE message = $1 AND channel = $2
        RETURNING fence";
    CANCELLING = "SELECT message, channel FROM run WHERE state = 3 AND lease_until <= $1
        ORDER BY lane, message LIMIT 1 {skip_locked}";
    // What waits, so many rows at once.
    SWEEP_DELIVERIES = "UPDATE delivery SET state = 6, changed_at = $3 WHERE message = $1 AND channel = $2
            AND target IN (SELECT target FROM delivery WHERE message = $1 AND channel = $2 AND state = 0 LIMIT $4)
            AND state = 0";
    BUSY = "SELECT COUNT(*) FROM delivery WHERE message = $1 AND channel = $2 AND state = 1";
    CANCELLED = "UPDATE run SET state = 4, ended_at = $3, lease_by = 0, lease_until = 0
        WHERE message = $1 AND channel = $2 AND state = 3";
}

/// Rows that are cancelled in one transaction.
const SWEEP: i64 = 500;

/// A cancelled run of which something is just being sent is looked at again after so long.
const SWEEP_AGAIN_MS: i64 = 500;

/// Takes back, of one cancelled run, what waits: at most 500 rows. Whether there is more to do now.
///
/// What is being sent at this moment goes on to its outcome; the run ends after it.
pub fn sweep(tx: &mut Tx<'_>, now: Moment) -> Result<bool> {
    let read = |row: &Row<'_>| Ok((row.get::<i64>(0)?, row.get::<i64>(1)?));
    let Some((message, channel)) = tx.first(&CANCELLING, &[&now.0], read)? else {
        return Ok(false);
    };
    let way = if channel == Channel::Http.bit() {
        Channel::Http
    } else {
        Channel::Email
    };
    let swept = tx.execute(&SWEEP_DELIVERIES, &[&message, &channel, &now.0, &SWEEP])? as i64;
    let counts = Counts {
        cancelled: swept,
        ..Counts::default()
    };
    count(tx, message, way, counts, now)?;
    if swept == SWEEP {
        return Ok(true);
    }
    if way == Channel::Email {
        match chunk::sweep(tx, MessageId(message), now)? {
            chunk::Swept::Some => return Ok(true),
            chunk::Swept::Busy => return wait_for_workers(tx, message, way, now),
            chunk::Swept::Nothing => {}
        }
    }
    if tx.one(&BUSY, &[&message, &channel], |row| row.get::<i64>(0))? > 0 {
        return wait_for_workers(tx, message, way, now);
    }
    tx.send(&CANCELLED, &[&message, &channel, &now.0])?;
    moved(tx, message);
    Ok(true)
}

/// What is being sent now has its outcome before long; other runs come first.
fn wait_for_workers(tx: &mut Tx<'_>, message: i64, channel: Channel, now: Moment) -> Result<bool> {
    let until = now.plus_ms(SWEEP_AGAIN_MS).0;
    tx.one(&LEASE, &[&message, &channel.bit(), &0_i64, &until], |row| {
        row.get::<i64>(0)
    })?;
    Ok(true)
}
