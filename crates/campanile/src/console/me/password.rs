//! The change of one's password.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;

use crate::app::App;
use crate::auth::Client;
use crate::console::form::{Asked, Form};
use crate::console::page::{self, Page, Viewer};
use crate::console::refused::Refused;
use crate::password;
use crate::problem::{Kind, Problem};

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/me/password", get(show).post(change))
}

#[derive(Template)]
#[template(path = "console/me/password.html")]
struct PasswordPage<'r> {
    page: Page<'r>,
    refused: Refused,
}

impl<'r> PasswordPage<'r> {
    fn new(reader: &'r Viewer, refused: Refused) -> Self {
        let page = Page::new(reader, "me", reader.t("change-password"));
        Self { page, refused }
    }
}

async fn show(reader: Viewer, Asked(asked): Asked) -> Result<Response, Problem> {
    let mut shown = PasswordPage::new(&reader, Refused::default());
    shown.page = shown.page.after(&asked);
    page::show(&shown)
}

async fn change(
    State(app): State<Arc<App>>,
    reader: Viewer,
    client: Client,
    Form(fields): Form,
) -> Result<Response, Problem> {
    let (old, new) = (fields.text("old"), fields.text("new"));
    if new != fields.text("again") {
        let refused = Refused::default().and("again", reader.t("password-differs"));
        return page::refuse(&PasswordPage::new(&reader, refused));
    }
    let changed = password::change(&app, &reader.principal, client.address, old, new).await;
    let refused = match changed {
        Ok(()) => return Ok(page::done("/me/password", "password", &[])),
        Err(problem) if problem.kind == Kind::Throttled => {
            let seconds = problem.retry_after.unwrap_or(1);
            Refused::default().and("old", reader.n("login-throttled", seconds))
        }
        Err(problem) => Refused::of(&reader, problem)?,
    };
    page::refuse(&PasswordPage::new(&reader, refused))
}
