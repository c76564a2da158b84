//! How much waits to leave, and since when, for who watches over a server. Each number is of the whole installation,
//! whichever server is asked.

use campanile_store::{Tx, sql};

use super::lane::Lane;
use crate::error::Result;
use crate::message::Channel;
use crate::time::Moment;

sql! {
    // Of a mail under way: those who were not begun. What is switched off waits for nobody.
    MAILS = "SELECT c.lane, COUNT(*), CAST(SUM(c.size - c.begun) AS BIGINT), MIN(r.born_at) FROM chunk c
        JOIN run r ON r.message = c.message AND r.channel = 4
        WHERE c.state = 0 AND NOT r.held GROUP BY c.lane";
    DUE = "SELECT COUNT(*), MIN(due) FROM (SELECT due FROM delivery
        WHERE state = 0 AND channel = $1 AND lane = $2 LIMIT $3) found";
    PUSHES = "SELECT COUNT(*), MIN(due) FROM (SELECT due FROM push WHERE lane = $1 ORDER BY due LIMIT $2) found";
}

/// Of one channel and lane no more than so many are counted: to know that it is a lot is enough.
pub const MOST: u64 = 100_000;

/// What waits of one channel and lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// `email`, `http` or `push`.
    pub channel: &'static str,
    /// In which lane.
    pub lane: Lane,
    /// Recipients that wait, also those whose next try is later; of exceptions, posts and pushes at most [`MOST`].
    pub count: u64,
    /// Since when the first of them might have left; in the future where all are to be tried later.
    pub since: Option<Moment>,
}

/// What waits, each channel and lane; in the order of channels and lanes.
pub fn backlog(tx: &mut Tx<'_>) -> Result<Vec<Waiting>> {
    let mut out = Vec::with_capacity(9);
    let most = MOST as i64;
    let mails = tx.rows(&MAILS, &[], |row| {
        Ok((row.get::<i64>(0)?, row.get::<i64>(2)?, row.get::<i64>(3)?))
    })?;
    for (channel, name) in [(Channel::Email, "email"), (Channel::Http, "http")] {
        for lane in Lane::ALL {
            let mut waiting = tx.one(&DUE, &[&channel.bit(), &lane.code(), &most], |row| {
                Ok(waiting(name, lane, row.get(0)?, row.get(1)?))
            })?;
            let chunks = mails.iter().find(|(of, ..)| *of == lane.code());
            if let Some((_, count, born)) = chunks.filter(|_| channel == Channel::Email) {
                waiting.count += count.unsigned_abs();
                waiting.since = Some(waiting.since.map_or(Moment(*born), |since| since.min(Moment(*born))));
            }
            out.push(waiting);
        }
    }
    for lane in Lane::ALL {
        out.push(tx.one(&PUSHES, &[&lane.code(), &most], |row| {
            Ok(waiting("push", lane, row.get(0)?, row.get(1)?))
        })?);
    }
    Ok(out)
}

fn waiting(channel: &'static str, lane: Lane, count: i64, since: Option<i64>) -> Waiting {
    Waiting {
        channel,
        lane,
        count: count.unsigned_abs(),
        since: since.map(Moment),
    }
}
