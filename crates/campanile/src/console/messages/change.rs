//! Correcting a message, and taking it back.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use campanile_core::Fault;
use campanile_core::id::MessageId;
use campanile_core::message::Importance;
use campanile_core::message::change::Correction;
use campanile_core::time::Moment;

use super::look::{Seen, seen};
use super::typed::{fault, time};
use super::{heading, is_post_alone};
use crate::app::App;
use crate::console::form::{Fields, Form, Path};
use crate::console::page::{Page, Reader, done, importance_name, refuse, show};
use crate::problem::{Kind, Problem};
use crate::sending::{self, Want};

/// The form of a correction as it was typed.
struct Typed {
    title: String,
    text: String,
    importance: Importance,
    sender: String,
    opens: String,
    closes: String,
    enabled: bool,
    ring: bool,
    /// The edition that was on the page when the form was opened.
    edition: i64,
}

#[derive(Template)]
#[template(path = "console/messages/correct.html")]
struct CorrectPage<'r> {
    page: Page<'r>,
    id: i64,
    heading: String,
    typed: Typed,
    faults: Vec<Fault>,
    importances: [&'static str; 3],
    /// Whether the bell can be rung again.
    rings: bool,
    intro: String,
}

impl CorrectPage<'_> {
    fn fault(&self, field: &str) -> Option<String> {
        let found = self.faults.iter().find(|fault| fault.field == field);
        found.map(|fault| self.page.refusal(&fault.reason))
    }

    fn others(&self) -> Vec<String> {
        let elsewhere = self.faults.iter().filter(|fault| fault.field.is_empty());
        elsewhere.map(|fault| self.page.refusal(&fault.reason)).collect()
    }
}

fn input(reader: &Reader, at: Option<Moment>) -> String {
    at.map(|at| reader.zone.input(at)).unwrap_or_default()
}

fn page<'r>(reader: &'r Reader, one: &Seen, typed: Typed, faults: Vec<Fault>) -> CorrectPage<'r> {
    CorrectPage {
        page: Page::new(reader, "messages", reader.t("correct-message")),
        id: one.message.id.0,
        heading: heading(reader.words, &one.message),
        rings: one.message.revision.is_some() && !is_post_alone(&one.message),
        intro: reader.t(if is_post_alone(&one.message) {
            "correct-intro-post"
        } else {
            "correct-intro"
        }),
        typed,
        faults,
        importances: ["low", "high", "critical"],
    }
}

pub(super) async fn correct(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(id): Path<MessageId>,
) -> Result<Response, Problem> {
    let one = sending::uncounted(&app, reader.principal.person, id, Want::Correct, seen).await?;
    let message = &one.message;
    let typed = Typed {
        title: message.title.clone(),
        text: message.text.clone(),
        importance: message.importance,
        sender: message.sender_name.clone(),
        opens: input(&reader, message.window.opens_at()),
        closes: input(&reader, message.window.closes_at()),
        enabled: message.enabled,
        ring: false,
        edition: message.edition,
    };
    show(&page(&reader, &one, typed, Vec::new()))
}

fn read(fields: &Fields) -> Typed {
    let importance = [Importance::High, Importance::Critical]
        .into_iter()
        .find(|at| importance_name(*at) == fields.get("importance"));
    Typed {
        title: fields.text("title"),
        text: fields.text("text"),
        importance: importance.unwrap_or_default(),
        sender: fields.text("sender"),
        opens: fields.get("opens").to_owned(),
        closes: fields.get("closes").to_owned(),
        enabled: fields.has("enabled"),
        ring: fields.has("ring"),
        edition: fields.get("edition").parse().unwrap_or(0),
    }
}

/// What is different from the message as it stands. A time that still reads the same keeps its seconds.
fn correction(reader: &Reader, one: &Seen, typed: &Typed) -> Result<Correction, Vec<Fault>> {
    let message = &one.message;
    let mut faults = Vec::new();
    let mut end = |field, text: &str, was: Option<Moment>| {
        let given = time(field, text, reader, &mut faults);
        (text != input(reader, was)).then_some(given)
    };
    let opens_at = end("opens_at", &typed.opens, message.window.opens_at());
    let closes_at = end("closes_at", &typed.closes, message.window.closes_at());
    if !faults.is_empty() {
        return Err(faults);
    }
    let other = |typed: &str, is: &str| (typed != is).then(|| typed.to_owned());
    Ok(Correction {
        title: other(typed.title.trim(), &message.title),
        // A form has no other line breaks than its own.
        text: other(&typed.text, &message.text.replace("\r\n", "\n")),
        sender_name: other(typed.sender.trim(), &message.sender_name),
        importance: (typed.importance != message.importance).then_some(typed.importance),
        opens_at,
        closes_at,
        enabled: (typed.enabled != message.enabled).then_some(typed.enabled),
        ring: typed.ring,
        ..Correction::default()
    })
}

pub(super) async fn post_correct(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(id): Path<MessageId>,
    Form(fields): Form,
) -> Result<Response, Problem> {
    let by = &reader.principal;
    let one = sending::uncounted(&app, by.person, id, Want::Correct, seen).await?;
    let typed = read(&fields);
    if typed.edition != one.message.edition {
        let typed = Typed {
            edition: one.message.edition,
            ..typed
        };
        let faults = vec![fault("", "somebody else has corrected the message meanwhile")];
        return refuse(&page(&reader, &one, typed, faults));
    }
    let correction = match correction(&reader, &one, &typed) {
        Ok(correction) => correction,
        Err(faults) => return refuse(&page(&reader, &one, typed, faults)),
    };
    match sending::correct(&app, by, id, correction).await {
        Ok(()) => Ok(done(&format!("/messages/{id}"), "corrected", &[])),
        Err(problem) if matches!(problem.kind, Kind::Invalid | Kind::Conflict) => {
            let mut faults = problem.errors;
            if faults.is_empty() {
                faults.push(fault("", &problem.detail));
            }
            refuse(&page(&reader, &one, typed, faults))
        }
        Err(problem) => Err(problem),
    }
}

#[derive(Template)]
#[template(path = "console/messages/recall.html")]
struct RecallPage<'r> {
    page: Page<'r>,
    id: i64,
    heading: String,
    /// What will be so afterwards.
    says: String,
}

pub(super) async fn recall(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(id): Path<MessageId>,
) -> Result<Response, Problem> {
    let one = sending::one(&app, reader.principal.person, id, Want::Recall, seen).await?;
    // Nobody is to see what is posted.
    let is_post = is_post_alone(&one.message);
    let funnel = one.funnel.filter(|_| !is_post);
    let title = match funnel {
        _ if is_post => reader.t("recall-post"),
        Some(funnel) => reader.n("recall-from", funnel.people),
        None => reader.t("recall-unsent"),
    };
    show(&RecallPage {
        page: Page::new(&reader, "messages", title),
        id: id.0,
        heading: heading(reader.words, &one.message),
        says: match funnel {
            _ if is_post => reader.t("recall-post-text"),
            Some(funnel) => reader.n("recall-text", funnel.read),
            None => reader.t("recall-unsent-text"),
        },
    })
}

pub(super) async fn post_recall(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(id): Path<MessageId>,
) -> Result<Response, Problem> {
    sending::recall(&app, &reader.principal, id).await?;
    Ok(done(&format!("/messages/{id}"), "recalled", &[]))
}
