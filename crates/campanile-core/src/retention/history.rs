//! The journal's rows that are kept no longer, the oldest first.

use campanile_store::{Tx, sql};

use super::STEP;
use crate::error::Result;
use crate::time::Moment;

sql! {
    // In the order in which they were written, which is that of their times but for a clock that was put back.
    OLD = "SELECT MAX(id) FROM (SELECT id, at FROM journal ORDER BY id LIMIT $2) oldest WHERE at < $1";
    FORGET = "DELETE FROM journal WHERE id <= $1";
}

/// Deletes some rows of before a time; whether there may be more.
pub fn forget(tx: &mut Tx<'_>, before: Moment) -> Result<bool> {
    let last: Option<i64> = tx.one(&OLD, &[&before.0, &STEP], |row| row.get(0))?;
    match last {
        Some(last) => Ok(tx.execute(&FORGET, &[&last])? > 0),
        None => Ok(false),
    }
}
