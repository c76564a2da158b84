//! The people of a message, all at once, to be taken along.

use std::sync::Arc;

use campanile_core::Error;
use campanile_core::id::{MessageId, PersonId};
use campanile_core::message::sent::{self, PEOPLE_LIMIT, Part as People, Recipient};
use campanile_core::message::{Message, funnel};
use campanile_core::rights::Rights;
use campanile_store::Tx;

use super::{Want, reach};
use crate::app::App;
use crate::problem::Problem;

/// People of a list that is taken along, at most.
pub const TAKEN_ALONG: usize = 10_000;

/// The people of a part of a message's audience, in the order of their ids, at most [`TAKEN_ALONG`]; with the message.
///
/// # Errors
/// As [`reach`].
pub async fn everybody(
    app: &App,
    person: PersonId,
    id: MessageId,
    part: People,
) -> Result<(Message, Vec<Recipient>), Problem> {
    let now = app.clock.now();
    let (residents, crowds) = (Arc::clone(&app.residents), Arc::clone(&app.crowds));
    let work = move |tx: &mut Tx<'_>| {
        let rights = Rights::load(tx, person)?;
        let message = reach(tx, &rights, id, Want::See)?;
        let residents = residents.at(tx)?;
        let people = part.of(&funnel::crowds(tx, &residents, &crowds, &message, now)?);
        drop(residents);
        let (mut out, mut after) = (Vec::new(), None);
        while out.len() < TAKEN_ALONG {
            let (page, next) = sent::recipients(tx, &message, &people, after, PEOPLE_LIMIT, now)?;
            out.extend(page);
            after = next;
            if after.is_none() {
                break;
            }
        }
        Ok::<_, Error>((message, out))
    };
    Ok(app.db.scan(work).await?)
}
