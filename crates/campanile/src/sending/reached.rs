//! How far a message got that was sent just now, for an interface that answers with it.

use std::sync::Arc;

use campanile_core::Error;
use campanile_core::audience::Instant;
use campanile_core::error::Faults;
use campanile_core::id::{MessageId, PersonId};
use campanile_core::message::sent::By;
use campanile_core::message::target::{self, Target};
use campanile_core::message::{Channel, Message, funnel};
use campanile_core::outbox::look::{self, Delivery, Which};
use campanile_core::outbox::{delivery, list};
use campanile_core::revision::topic;
use campanile_core::rights::Rights;
use campanile_core::time::Moment;
use campanile_store::{Signal, Tx};

use super::{Want, one, reach};
use crate::app::App;
use crate::problem::Problem;
use crate::signals::heard;

/// People whom a message has reached, and those of them who are mailed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reached {
    /// In its audience, at its publication.
    pub people: u64,
    /// Distinct addresses of theirs; 0 where it is not mailed.
    pub addresses: u64,
}

/// Counts the audience of a message, and stores its size, as a look at its page does.
///
/// # Errors
/// As [`reach`].
pub async fn reached(app: &App, person: PersonId, id: MessageId) -> Result<Reached, Problem> {
    let (residents, crowds) = (Arc::clone(&app.residents), Arc::clone(&app.crowds));
    let count = move |tx: &mut Tx<'_>, _: &Rights, message: Message, funnel: Option<funnel::Funnel>| {
        let mut addresses = 0;
        if message.has(Channel::Email) {
            let residents = residents.at(tx)?;
            let people = funnel::frozen(tx, &residents, &crowds, &message)? & residents.with_email();
            drop(residents);
            addresses = list::count(tx, &people)?;
        }
        let people = funnel.map_or(0, |funnel| funnel.people);
        Ok::<_, Error>(Reached { people, addresses })
    };
    one(app, person, id, Want::See, count).await
}

/// Counts an audience as it is now, as [`reached`] counts that of a message: for who sends to it in a moment. Names
/// that there are not are nobody.
///
/// # Errors
/// Those of the database.
pub async fn expected(app: &App, audience: Vec<Target>) -> Result<Reached, Problem> {
    let (residents, now) = (Arc::clone(&app.residents), app.clock.now());
    let count = move |tx: &mut Tx<'_>| {
        let selectors = target::resolve(tx, &audience, true, &mut Faults::default())?.selectors;
        let residents = residents.at(tx)?;
        let crowd = residents.crowd(tx, &selectors, Instant::now(now))?;
        let mailed = &crowd & residents.with_email();
        drop(residents);
        Ok::<_, Error>(Reached {
            people: crowd.len(),
            addresses: list::count(tx, &mailed)?,
        })
    };
    Ok(app.db.scan(count).await?)
}

/// The first destination of a message once its first try is over; `None` where it is not by a time.
///
/// # Errors
/// As [`reach`].
pub async fn first_try(app: &App, person: PersonId, id: MessageId, until: Moment) -> Result<Option<Delivery>, Problem> {
    // From here on nothing is missed that happens after a look.
    let mut signals = app.db.signals();
    let over = app.clock.until(until);
    tokio::pin!(over);
    loop {
        let found = app.db.read(move |tx| first(tx, person, id)).await?;
        if found.as_ref().is_some_and(is_over) {
            return Ok(found);
        }
        let moved = Signal {
            topic: topic::PROGRESS,
            key: id.0,
        };
        tokio::select! {
            () = &mut over => return Ok(None),
            heard = heard(&mut signals, |signal| *signal == moved) => if !heard { return Ok(None) },
        }
    }
}

fn first(tx: &mut Tx<'_>, person: PersonId, id: MessageId) -> Result<Option<Delivery>, Error> {
    let rights = Rights::load(tx, person)?;
    reach(tx, &rights, id, Want::See)?;
    let which = Which {
        channel: Channel::Http,
        standing: None,
        q: None,
        by: By::rights(&rights),
        after: 0,
        limit: 1,
    };
    Ok(look::page(tx, id, &which)?.0.into_iter().next())
}

/// Whether something came of it: an answer, or a reason to try again.
fn is_over(one: &Delivery) -> bool {
    let is_waiting = matches!(one.state, delivery::State::Queued | delivery::State::Sending);
    one.attempts > 0 || !is_waiting
}
