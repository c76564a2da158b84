//! What is done about the people of a message after it was sent: reminding those who have not acknowledged it, and taking
//! the list of them along.

use std::sync::Arc;

use campanile_core::Error;
use campanile_core::id::{MessageId, PersonId};
use campanile_core::message::change::Correction;
use campanile_core::message::sent::{self, PEOPLE_LIMIT, Part as People, Recipient};
use campanile_core::message::{Channel, Message, Status, funnel};
use campanile_core::rights::Rights;
use campanile_core::time::Moment;
use campanile_store::Tx;

use super::{Want, correct, reach};
use crate::app::App;
use crate::problem::Problem;

/// People of a list that is taken along, at most.
pub const TAKEN_ALONG: usize = 10_000;

/// Whether there is a way to remind people of a message: it has to be acknowledged, is there, and rings the bell.
#[must_use]
pub fn can_remind(message: &Message, now: Moment) -> bool {
    message.must_acknowledge && message.has(Channel::Portal) && message.status(now) == Status::Active
}

/// Reminds those who have not acknowledged a message that asks for it. The one place where that is decided: the bell
/// rings again. Whoever has acknowledged it keeps that, though for them it is unread again as well.
///
/// # Errors
/// As [`correct`]; `Conflict` for a message of which nobody can be reminded.
pub async fn remind(app: &App, person: PersonId, id: MessageId) -> Result<(), Problem> {
    let now = app.clock.now();
    let look = move |tx: &mut Tx<'_>| {
        let rights = Rights::load(tx, person)?;
        let message = reach(tx, &rights, id, Want::Correct)?;
        if can_remind(&message, now) {
            return Ok(());
        }
        let why = "nobody can be reminded of this message: it has to ask for acknowledgement, be there now, and ring \
                   the bell";
        Err(Error::Conflict(why.into()))
    };
    app.db.read(look).await?;
    let ring = Correction {
        ring: true,
        ..Correction::default()
    };
    correct(app, person, id, ring).await
}

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
