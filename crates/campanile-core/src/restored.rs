//! A database that was given back from a backup: what happened since then it does not know, and must not do twice.
//!
//! Mails and posts that were under way when the backup was made, or whose window opened between then and now, may have
//! left. They are held until somebody who knows says that they go ([`release`]); each message on hold can be
//! cancelled by itself as ever. Numbers that may have been given since are not given again: they are in links,
//! Message-IDs and webhook-ids that are out in the world, and a mail with the Message-ID of another is not shown.

use campanile_store::{Tx, sql};

use crate::error::Result;
use crate::message::Channel;
use crate::outbox::run;
use crate::revision::tally;
use crate::time::Moment;

sql! {
    HOLD = "UPDATE run SET held = TRUE WHERE state < 2 AND NOT held";
    // What is held though its message is switched on. A mail that reminds is held with what it reminds of.
    WAITING = "SELECT COUNT(*), CAST(COALESCE(SUM(r.recipients - r.sent - r.failed - r.suppressed - r.gone
            - r.cancelled), 0) AS BIGINT)
        FROM run r JOIN message m ON m.id = r.message JOIN message o ON o.id = COALESCE(m.reminds, m.id)
        WHERE r.held AND r.state < 2 AND o.enabled";
    RELEASE = "UPDATE run SET held = FALSE WHERE held AND state < 2 AND message IN
        (SELECT m.id FROM message m JOIN message o ON o.id = COALESCE(m.reminds, m.id) WHERE o.enabled)";
    RESTORED = "SELECT value FROM tally WHERE name = 'restored_at' AND value > 0";
}

/// Numbers that are left out of each sort: as many as may have been given between a backup and the restore.
pub const LEAP: i64 = 1_000_000;

/// What waits for a word since a restore.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// When the database was given back, the last time.
    pub restored_at: Moment,
    /// Messages on hold, one a channel.
    pub runs: u64,
    /// Recipients of them that are known and have no outcome; of a mail whose people are not listed yet, none.
    pub recipients: u64,
}

/// Marks a database as given back now. `others` are the counters of the database that it takes the place of, as far as
/// they can be read: they may be further than [`LEAP`].
pub fn mark(tx: &mut Tx<'_>, others: &[(String, i64)], now: Moment) -> Result<()> {
    tx.execute(&HOLD, &[])?;
    let counters = tx.tally()?;
    for name in [
        tally::REVISION,
        tally::PERSON,
        tally::MESSAGE,
        tally::CUSTOMER,
        tally::THING,
    ] {
        let other = others
            .iter()
            .find(|(other, _)| other == name)
            .map_or(0, |(_, value)| *value);
        counters.set(name, other.max(counters.get(name) + LEAP));
    }
    counters.set(tally::RESTORED_AT, now.0);
    Ok(())
}

/// What waits since a restore; `None` where there never was one.
pub fn waiting(tx: &mut Tx<'_>) -> Result<Option<Waiting>> {
    let Some(at) = tx.first(&RESTORED, &[], |row| row.get(0))? else {
        return Ok(None);
    };
    let (runs, recipients): (i64, i64) = tx.one(&WAITING, &[], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(Some(Waiting {
        restored_at: Moment(at),
        runs: runs.unsigned_abs(),
        recipients: recipients.unsigned_abs(),
    }))
}

/// Lets go what waits since a restore; how many messages, one a channel.
pub fn release(tx: &mut Tx<'_>) -> Result<u64> {
    // The lock first: nobody switches a message off meanwhile.
    tx.tally()?;
    let released = tx.execute(&RELEASE, &[])?;
    run::wake(tx, Channel::Email);
    run::wake(tx, Channel::Http);
    Ok(released)
}
