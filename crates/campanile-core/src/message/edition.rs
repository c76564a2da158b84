//! The state of a message before each change, kept, so that "what could be seen at that time" keeps an answer.

use campanile_store::{Tx, sql};

use super::Message;
use super::change::Change;
use crate::audience::Selector;
use crate::error::Result;
use crate::journal::By;
use crate::time::Stamp;

sql! {
    KEEP = "INSERT INTO edition (revision, message, at, author, change, rang, title, body, sender_name, importance,
            opens_at, closes_at, enabled, dismissible, must_acknowledge, api_name, from_via, from_address, from_token,
            acting_for, audience, sub_customers, switched)
        SELECT $1, id, $2, $3, $4, $5, title, body, sender_name, importance, opens_at, closes_at, enabled, dismissible,
            must_acknowledge, api_name, CAST($7 AS BIGINT), CAST($8 AS TEXT), CAST($9 AS TEXT), CAST($10 AS BIGINT),
            CAST($11 AS TEXT), sub_customers, CAST($12 AS BIGINT)
        FROM message WHERE id = $6";
}

/// What an edition says of its change.
pub(super) struct Kept<'a> {
    /// The selectors before, where they change: before publication those that go leave no other trace.
    pub(super) audience: Option<&'a [Selector]>,
    /// What is done.
    pub(super) change: Change,
    /// Whether it is switched on or off by it, where that is not the change itself.
    pub(super) switched: Option<Change>,
    /// Whether the bell rings again.
    pub(super) rang: bool,
}

impl Kept<'_> {
    pub(super) const fn of(change: Change) -> Self {
        Self {
            audience: None,
            change,
            switched: None,
            rang: false,
        }
    }
}

/// Keeps the state before a change, and who makes it from where.
pub(super) fn keep(tx: &mut Tx<'_>, old: &Message, by: &By, kept: &Kept<'_>, stamp: Stamp) -> Result<()> {
    let audience = kept.audience.map(|selectors| {
        let keys: Vec<_> = selectors.iter().map(|selector| selector.key()).collect();
        serde_json::json!(keys).to_string()
    });
    tx.send(
        &KEEP,
        &[
            &stamp.revision.0,
            &stamp.at.0,
            &by.person.map(|person| person.0),
            &(kept.change as i64),
            &kept.rang,
            &old.id.0,
            &by.origin.via_code(),
            &by.origin.address_text(),
            &by.origin.token,
            &by.acting_for.map(|person| person.0),
            &audience,
            &kept.switched.map(|change| change as i64),
        ],
    )?;
    Ok(())
}
