//! How well an endpoint is: every try is noted, and one that is gone or fails for days is switched off.

use campanile_store::{Tx, sql};

use super::State;
use crate::error::Result;
use crate::time::Moment;

sql! {
    // A busy one is not written at every success.
    WELL = "UPDATE endpoint SET succeeded_at = $2, failing_since = NULL
        WHERE id = $1 AND (failing_since IS NOT NULL OR succeeded_at IS NULL OR succeeded_at < $3)";
    // $5: who failed last before this begins anew. $6: who fails since then is switched off.
    ILL = "UPDATE endpoint SET failed_at = $2, failed_code = $3, failed_reason = $4,
            failing_since = CASE WHEN failing_since IS NULL OR failed_at < $5 THEN $2 ELSE failing_since END,
            state = CASE WHEN state = 0 AND failing_since <= $6 AND failed_at >= $5 THEN 2 ELSE state END
        WHERE id = $1 AND removed_at IS NULL RETURNING state";
    STATE = "SELECT state FROM endpoint WHERE id = $1 AND removed_at IS NULL";
    GONE = "UPDATE endpoint SET state = 2, failed_at = $2, failed_code = 410, failed_reason = $3,
            failing_since = COALESCE(failing_since, $2)
        WHERE id = $1 AND removed_at IS NULL AND state <> 2";
}

/// One that failed for so long without a success is switched off.
const FAILING_MS: i64 = 5 * 24 * 3_600_000;
/// Failures further apart than this are not one failing: the longest pause between two tries is a day.
const APART_MS: i64 = 2 * 24 * 3_600_000;
/// The time of a success is written down no more often.
const SELDOM_MS: i64 = 1_000;
/// Why one was switched off by its target.
const GONE_REASON: &str = "the target answered 410: it wants no more messages";

/// Whether messages are posted to it; `None` for one that is not there.
pub fn state(tx: &mut Tx<'_>, id: i64) -> Result<Option<State>> {
    let state = tx.first(&STATE, &[&id], |row| row.get(0))?;
    Ok(state.map(State::from_code))
}

/// Writes down how a try went. Whether the endpoint is off now: one that fails for five days without a success is
/// switched off, unless it fails so seldom that two days lie between.
pub fn note(
    tx: &mut Tx<'_>,
    id: i64,
    succeeded: bool,
    code: Option<i64>,
    reason: Option<&str>,
    now: Moment,
) -> Result<bool> {
    if succeeded {
        tx.send(&WELL, &[&id, &now.0, &(now.0 - SELDOM_MS)])?;
        return Ok(false);
    }
    let (apart, failing) = (now.0 - APART_MS, now.0 - FAILING_MS);
    let state = tx.first(&ILL, &[&id, &now.0, &code, &reason, &apart, &failing], |row| row.get(0))?;
    Ok(state.map(State::from_code) == Some(State::Off))
}

/// Switches one off whose target answered 410.
pub fn gone(tx: &mut Tx<'_>, id: i64, now: Moment) -> Result<()> {
    tx.send(&GONE, &[&id, &now.0, &GONE_REASON])?;
    Ok(())
}
