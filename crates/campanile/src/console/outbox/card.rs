//! How far a message got by each channel that leaves the house: a card on its page, which follows it while it moves.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use campanile_core::id::MessageId;
use campanile_core::message::{Channel, Message, Status};
use campanile_core::outbox::run::{Progress, State as Run};
use campanile_core::time::Moment;

use super::{STANDINGS, address, standing};
use crate::app::App;
use crate::console::form::Path;
use crate::console::page::{Page, Reader, show};
use crate::deliveries;
use crate::problem::Problem;
use crate::relay::Trouble;

/// The card.
pub(in crate::console) struct Card {
    pub(in crate::console) id: i64,
    pub(in crate::console) lines: Vec<Line>,
    /// Whether something may still happen by itself.
    pub(in crate::console) moves: bool,
    /// Something is to leave once the message is published.
    pub(in crate::console) waits: bool,
    /// The relay that its mails wait for.
    pub(in crate::console) trouble: Option<Trouble>,
}

/// One channel.
pub(in crate::console) struct Line {
    pub(in crate::console) name: &'static str,
    pub(in crate::console) state: &'static str,
    /// The class of the state's colour.
    pub(in crate::console) colour: &'static str,
    pub(in crate::console) of: Progress,
    /// Recipients with an outcome.
    pub(in crate::console) through: i64,
    pub(in crate::console) bars: Vec<Bar>,
    pub(in crate::console) figures: Vec<Figure>,
    pub(in crate::console) all: String,
}

/// A part of a progress bar, in percent.
pub(in crate::console) struct Bar {
    pub(in crate::console) class: &'static str,
    pub(in crate::console) from: i64,
    pub(in crate::console) width: i64,
}

/// A number that is not 0.
pub(in crate::console) struct Figure {
    pub(in crate::console) name: &'static str,
    pub(in crate::console) number: i64,
    pub(in crate::console) address: String,
}

const fn run_name(state: Run) -> (&'static str, &'static str) {
    match state {
        Run::Listing => ("listing", "low"),
        Run::Sending => ("sending", "low"),
        Run::Held => ("held", "high"),
        Run::Ended => ("ended", "good"),
        Run::Cancelling => ("cancelling", "high"),
        Run::Cancelled => ("cancelled", ""),
        Run::Off => ("off", "high"),
    }
}

/// The parts of a bar. What there is of something is seen, however little.
fn bars(of: &Progress) -> Vec<Bar> {
    let parts = [
        ("sent", of.sent),
        ("failed", of.failed),
        ("out", of.suppressed + of.gone + of.cancelled),
    ];
    let mut from = 0;
    let mut out = Vec::new();
    for (class, number) in parts {
        let share = (number * 100).checked_div(of.recipients).unwrap_or(0);
        let width = share.max(i64::from(number > 0)).min(100 - from);
        if width > 0 {
            out.push(Bar { class, from, width });
        }
        from += width;
    }
    out
}

fn line(id: MessageId, of: Progress) -> Line {
    let name = of.channel.name();
    let (state, colour) = match run_name(of.state) {
        ("ended", _) if of.failed > 0 => ("ended", "high"),
        usual => usual,
    };
    let figure = |(which, text)| Figure {
        name: text,
        number: standing(&of, which),
        address: address(id, "deliveries", &[("channel", name), ("state", text)]),
    };
    let figures = STANDINGS.into_iter().rev().map(figure);
    Line {
        name,
        state,
        colour,
        through: of.recipients - of.queued,
        bars: bars(&of),
        figures: figures.filter(|figure| figure.number > 0).collect(),
        all: address(id, "deliveries", &[("channel", name)]),
        of,
    }
}

impl Card {
    /// The card of a message; `None` where it leaves the house by no channel.
    pub(in crate::console) fn of(app: &App, message: &Message, runs: Vec<Progress>, now: Moment) -> Option<Self> {
        let leaves = message.channels & (Channel::Email.bit() | Channel::Http.bit()) != 0;
        let waits = runs.is_empty() && leaves && message.status(now) == Status::Scheduled;
        (waits || !runs.is_empty()).then(|| Self::new(app, message.id, runs, waits))
    }

    fn new(app: &App, id: MessageId, runs: Vec<Progress>, waits: bool) -> Self {
        Self {
            trouble: deliveries::trouble(app, &runs),
            id: id.0,
            moves: runs.iter().any(|of| of.state.is_moving()),
            lines: runs.into_iter().map(|of| line(id, of)).collect(),
            waits,
        }
    }
}

#[derive(Template)]
#[template(path = "console/outbox/card.html")]
struct Fragment<'r> {
    page: Page<'r>,
    card: Card,
}

/// `GET /messages/{id}/progress`: what stands in the card.
pub(super) async fn fragment(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(id): Path<MessageId>,
) -> Result<Response, Problem> {
    let runs = deliveries::progress(&app, reader.principal.person, id).await?;
    show(&Fragment {
        card: Card::new(&app, id, runs, false),
        page: Page::new(&reader, "messages", ""),
    })
}
