//! The first steps: an empty installation leads its administrator to a first message.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use campanile_core::message::draft::Draft;
use campanile_core::message::target::Target;
use campanile_core::policy::{self, Act};

use super::form::{Asked, Form};
use super::page::{self, Page, Viewer};
use super::refused::Refused;
use crate::app::App;
use crate::problem::Problem;
use crate::sending;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/start", get(show).post(send))
}

/// The steps in their order; also parts of the names of their texts.
const STEPS: [&str; 4] = ["profile", "people", "try", "send"];

/// One step and how far it is: `done`, `next` or `later`.
struct Step {
    name: &'static str,
    state: &'static str,
}

#[derive(Template)]
#[template(path = "console/start.html")]
struct StartPage<'r> {
    page: Page<'r>,
    steps: Vec<Step>,
    refused: Refused,
    title: String,
    text: String,
}

impl<'r> StartPage<'r> {
    fn new(reader: &'r Viewer) -> Self {
        let made = reader.steps.unwrap_or_default();
        let profile = &reader.profile;
        // A name and nothing else is what the first administrator is made with. Who goes on is content with that.
        let known = profile.email.is_some() || profile.locale.is_some() || profile.zone.is_some();
        let known = known || made.people || made.sent;
        let mut is_first = true;
        let step = |(name, is_done)| Step {
            name,
            state: match is_done {
                true => "done",
                false if std::mem::take(&mut is_first) => "next",
                false => "later",
            },
        };
        let done = [known, made.people, made.sent, made.to_others];
        Self {
            page: Page::new(reader, "start", reader.t("start")),
            steps: STEPS.into_iter().zip(done).map(step).collect(),
            refused: Refused::default(),
            title: reader.t("start-try-message-title"),
            text: reader.t("start-try-message-text"),
        }
    }
}

async fn show(reader: Viewer, Asked(asked): Asked) -> Result<Response, Problem> {
    policy::may(&reader.rights, &Act::EditDirectory)?;
    let mut shown = StartPage::new(&reader);
    shown.page = shown.page.after(&asked);
    page::show(&shown)
}

/// A real message, to oneself.
async fn send(State(app): State<Arc<App>>, reader: Viewer, Form(fields): Form) -> Result<Response, Problem> {
    policy::may(&reader.rights, &Act::EditDirectory)?;
    let (title, text) = (fields.get("title").to_owned(), fields.text("text"));
    let draft = to_oneself(&reader, title.clone(), text.clone());
    match sending::send(&app, &reader.principal, draft, None).await {
        Ok(_) => Ok(page::done("/start", "tried", &[])),
        Err(problem) => page::refuse(&StartPage {
            refused: Refused::of(&reader, problem)?,
            title,
            text,
            ..StartPage::new(&reader)
        }),
    }
}

fn to_oneself(reader: &Viewer, title: String, text: String) -> Draft {
    let user = reader.profile.key.clone();
    Draft::new(title, text, vec![Target::User { user }])
}
