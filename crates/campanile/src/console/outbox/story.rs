//! One recipient of a message, with everything that was tried.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use campanile_core::id::MessageId;
use campanile_core::outbox::delivery::Outcome;
use campanile_core::outbox::look::Attempt;
use campanile_core::time::Moment;

use super::{address, run_of, state_name, way, who};
use crate::app::App;
use crate::console::form::{Asked, Path};
use crate::console::page::{Page, Reader, show};
use crate::deliveries;
use crate::problem::Problem;

/// One try, as it is told.
struct Try {
    of: Attempt,
    outcome: &'static str,
    colour: &'static str,
    why: Option<String>,
    took: Option<String>,
}

#[derive(Template)]
#[template(path = "console/outbox/story.html")]
struct StoryPage<'r> {
    page: Page<'r>,
    id: i64,
    heading: String,
    beside: String,
    list: String,
    channel: &'static str,
    target: String,
    state: &'static str,
    colour: &'static str,
    why: Option<String>,
    attempts: i64,
    in_doubt: i64,
    at: Option<Moment>,
    next_at: Option<Moment>,
    tries: Vec<Try>,
    again: bool,
}

const fn outcome_name(of: Outcome) -> (&'static str, &'static str) {
    match of {
        Outcome::Sent => ("sent", "good"),
        Outcome::Again => ("again", "high"),
        Outcome::Failed => ("failed", "critical"),
        Outcome::InDoubt => ("in-doubt", "high"),
        Outcome::Trouble => ("trouble", "high"),
        Outcome::Bounced => ("bounced", "critical"),
    }
}

fn told(reader: &Reader, of: Attempt) -> Try {
    let (outcome, colour) = outcome_name(of.outcome);
    Try {
        outcome,
        colour,
        why: of.reason.as_deref().map(|reason| reader.refusal(reason)),
        took: of.took_ms.filter(|ms| *ms > 0).map(|ms| reader.n("attempt-took", ms)),
        of,
    }
}

/// `GET /messages/{id}/delivery`: of one channel and target.
pub(super) async fn one(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(id): Path<MessageId>,
    Asked(asked): Asked,
) -> Result<Response, Problem> {
    let way = way(&app, &reader, id).await?;
    let run = run_of(&way, &asked)?;
    let target = asked.get("target").to_owned();
    let story = deliveries::one(&app, reader.principal.person, id, run.channel, target).await?;
    let of = story.delivery;
    let (state, colour) = state_name(&of);
    let (who, beside) = who(&of);
    let channel = run.channel.name();
    show(&StoryPage {
        page: Page::new(&reader, "messages", who).after(&asked),
        id: id.0,
        heading: way.title.clone(),
        beside,
        list: address(id, "deliveries", &[("channel", channel)]),
        channel,
        state,
        colour,
        why: of.reason.as_deref().map(|reason| reader.refusal(reason)),
        attempts: of.attempts,
        in_doubt: of.in_doubt,
        at: of.at,
        next_at: of.next_at,
        tries: story.timeline.into_iter().map(|one| told(&reader, one)).collect(),
        again: way.takes_again(run) && state == "failed",
        target: of.target,
    })
}
