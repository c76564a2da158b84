//! A question before something that is not easily undone.

use askama::Template;
use axum::response::Response;

use super::page::{self, Page, Viewer};
use crate::problem::Problem;

/// What is asked.
pub(super) struct Ask {
    /// The entry of the top bar.
    pub(super) here: &'static str,
    pub(super) title: String,
    pub(super) text: String,
    /// Where it goes back to: address and name.
    pub(super) crumb: (String, String),
    /// Where the form goes to, with these fields.
    pub(super) action: String,
    pub(super) fields: Vec<(&'static str, String)>,
    /// What the way out says.
    pub(super) keep: String,
    /// What the button says.
    pub(super) button: String,
    /// Whether something is lost by it.
    pub(super) is_grave: bool,
    /// What was said against it.
    pub(super) refused: Vec<String>,
}

#[derive(Template)]
#[template(path = "console/ask.html")]
struct AskPage<'r> {
    page: Page<'r>,
    ask: Ask,
}

/// The question as a page; 422 where something was said against it.
pub(super) fn show(reader: &Viewer, ask: Ask) -> Result<Response, Problem> {
    let is_refused = !ask.refused.is_empty();
    let asked = AskPage {
        page: Page::new(reader, ask.here, ask.title.clone()),
        ask,
    };
    if is_refused {
        page::refuse(&asked)
    } else {
        page::show(&asked)
    }
}
