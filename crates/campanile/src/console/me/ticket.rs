//! The ticket of the UI messages contract: hidden until it is asked for. It is in an answer to a POST alone, so it
//! stands in no address, no history and no cache.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use campanile_core::account::ticket;

use crate::app::App;
use crate::console::page::{self, Notice, Page, Viewer};
use crate::own;
use crate::problem::Problem;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/me/ticket", get(hidden).post(show))
        .route("/me/ticket/renew", post(renew))
}

#[derive(Template)]
#[template(path = "console/me/ticket.html")]
struct TicketPage<'r> {
    page: Page<'r>,
    ticket: Option<String>,
}

fn shown(reader: &Viewer, ticket: Option<String>) -> TicketPage<'_> {
    let page = Page::new(reader, "me", reader.t("ticket"));
    TicketPage { page, ticket }
}

async fn hidden(reader: Viewer) -> Result<Response, Problem> {
    page::show(&shown(&reader, None))
}

async fn show(State(app): State<Arc<App>>, reader: Viewer) -> Result<Response, Problem> {
    reader.principal.in_person()?;
    let (key, person) = (app.key.clone(), reader.principal.person);
    let ticket = app.db.jot(move |tx| ticket::current(tx, &key, person)).await?;
    page::show(&shown(&reader, Some(ticket)))
}

async fn renew(State(app): State<Arc<App>>, reader: Viewer) -> Result<Response, Problem> {
    reader.principal.in_person()?;
    let ticket = own::renew_ticket(&app, &reader.principal).await?;
    let mut shown = shown(&reader, Some(ticket));
    shown.page.notice = Some(Notice {
        text: reader.t("done-ticket"),
        undo: None,
    });
    page::show(&shown)
}
