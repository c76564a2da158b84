//! What leaves the house, as its sender looks after it: a card on the page of a message, and its deliveries. Saved
//! destinations, and addresses that get no mail.

mod act;
mod card;
mod endpoint_form;
mod endpoints;
mod list;
mod story;
mod suppressions;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use campanile_core::id::MessageId;
use campanile_core::message::{self, Channel, Status, target};
use campanile_core::outbox::delivery::State;
use campanile_core::outbox::look::{Delivery, Standing};
use campanile_core::outbox::run::{self, Progress, State as Run};
use campanile_core::policy::{self, Act};
use campanile_core::rights::Rights;
use campanile_core::{Error, Result as Ruled};
use campanile_store::Tx;

use super::form::Fields;
use super::messages::heading;
use super::page::Reader;
use crate::app::App;
use crate::problem::Problem;
use crate::sending::{Want, reach};
pub(super) use card::Card;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/messages/{id}/progress", get(card::fragment))
        .route("/messages/{id}/deliveries", get(list::list))
        .route("/messages/{id}/delivery", get(story::one))
        .route("/messages/{id}/resend", get(act::ask_again).post(act::again))
        .route("/messages/{id}/cancel", get(act::ask_back).post(act::take_back))
        .merge(endpoints::routes())
        .merge(suppressions::routes())
}

/// The channel of an address that leaves the house.
fn channel_of(asked: &Fields) -> Option<Channel> {
    let named = |channel: &Channel| channel.name() == asked.get("channel");
    [Channel::Email, Channel::Http].into_iter().find(named)
}

/// How recipients may stand, those first of whom one wants to know first.
const STANDINGS: [(Standing, &str); 8] = [
    (Standing::Failed, "failed"),
    (Standing::Retrying, "retrying"),
    (Standing::Queued, "queued"),
    (Standing::InDoubt, "in-doubt"),
    (Standing::Suppressed, "suppressed"),
    (Standing::Gone, "gone"),
    (Standing::Cancelled, "cancelled"),
    (Standing::Sent, "sent"),
];

/// How many of a run stand so. In doubt are tries, not recipients.
const fn standing(of: &Progress, standing: Standing) -> i64 {
    match standing {
        Standing::Queued => of.queued,
        Standing::Retrying => of.retrying,
        Standing::Sent => of.sent,
        Standing::Failed => of.failed,
        Standing::Suppressed => of.suppressed,
        Standing::Gone => of.gone,
        Standing::Cancelled => of.cancelled,
        Standing::InDoubt => of.in_doubt,
    }
}

/// The name of a recipient's state in names of texts, and the class of its colour.
const fn state_name(of: &Delivery) -> (&'static str, &'static str) {
    match of.state {
        State::Queued if of.attempts > 0 => ("retrying", "high"),
        State::Queued => ("queued", "low"),
        State::Sending => ("sending", "low"),
        State::Sent => ("sent", "good"),
        State::Failed => ("failed", "critical"),
        State::Suppressed => ("suppressed", "high"),
        State::Gone => ("gone", ""),
        State::Cancelled => ("cancelled", ""),
    }
}

/// Who a delivery goes to, and what else tells them from others.
fn who(of: &Delivery) -> (String, String) {
    if let Some(person) = &of.person {
        let address = of.address.iter().cloned();
        let beside: Vec<String> = std::iter::once(person.login.clone()).chain(address).collect();
        return (person.name.clone(), beside.join(" · "));
    }
    let Some(to) = &of.destination else {
        return (of.target.clone(), String::new());
    };
    match &to.name {
        Some(name) => (name.clone(), to.url.clone()),
        None => (to.url.clone(), String::new()),
    }
}

/// An address below a message with the parameters that have a value.
fn address(id: MessageId, page: &str, parameters: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(parameters.iter().filter(|(_, value)| !value.is_empty()));
    format!("/messages/{id}/{page}?{}", query.finish())
}

/// A message that is on its way, and what the reader may do about it.
struct Way {
    title: String,
    runs: Vec<Progress>,
    may_again: bool,
    may_back: bool,
}

impl Way {
    fn run(&self, channel: Channel) -> Option<&Progress> {
        self.runs.iter().find(|of| of.channel == channel)
    }

    /// Whether something that failed can be sent again.
    fn takes_again(&self, of: &Progress) -> bool {
        self.may_again && of.failed > 0 && !matches!(of.state, Run::Cancelling | Run::Cancelled)
    }

    /// Whether something can be taken back.
    fn takes_back(&self, of: &Progress) -> bool {
        let waits = of.queued > 0 || of.state == Run::Listing;
        self.may_back && waits && matches!(of.state, Run::Listing | Run::Sending | Run::Held)
    }
}

/// A message by its address, for who may see it.
async fn way(app: &App, reader: &Reader, id: MessageId) -> Result<Way, Problem> {
    let (person, now, words) = (reader.principal.person, reader.now, reader.words);
    let find = move |tx: &mut Tx<'_>| -> Ruled<Way> {
        let rights = Rights::load(tx, person)?;
        let message = reach(tx, &rights, id, Want::See)?;
        let parts = target::parts(&message::selectors(tx, id)?, &message);
        let may = |act: Act<'_>| policy::may(&rights, &act).is_ok();
        let is_over = matches!(message.status(now), Status::Expired | Status::Missed | Status::Recalled);
        Ok(Way {
            title: heading(words, &message),
            runs: run::progress(tx, id)?,
            may_again: !is_over && may(Act::Correct(&parts)) && may(Act::Send(&parts)),
            may_back: may(Act::Recall(&parts)),
        })
    };
    Ok(app.db.read(find).await?)
}

/// The run that an address names.
fn run_of<'w>(way: &'w Way, asked: &Fields) -> Result<&'w Progress, Problem> {
    let found = channel_of(asked).and_then(|channel| way.run(channel));
    Ok(found.ok_or(Error::Missing("delivery"))?)
}
