//! The console: pages for a browser, rendered here. Every form works without a script; scripts make it quicker.
//!
//! A page is a handler that takes a `page::Reader`, asks the core, and fills a template. What the rules refuse is
//! shown where it was typed; any other problem becomes a page of its own in `problems`. Scripts, styles and requests
//! come from this server alone, and nothing inline runs (`POLICY`).

mod announcements;
mod ask;
mod assets;
mod banner;
mod directory;
mod form;
mod inbox;
mod journal;
mod login;
mod me;
mod messages;
mod notice;
mod number;
mod outbox;
mod page;
mod problems;
mod refused;
mod rows;
mod sites;
mod start;
mod undo;
mod unsubscribe;
mod visit;
mod voice;
mod when;
mod words;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use campanile_core::first::Steps;
use http::{HeaderValue, header};

use crate::app::App;
use crate::pass;
pub(crate) use assets::address as asset;
use form::Form;
use page::Reader;
pub(crate) use problems::{into_page, wants_page};
pub use rows::Rows;

/// Where a directory file is uploaded: it may take longer than other requests.
pub const IMPORT: &str = "/directory/import";

/// Where the link in a mail leads: other sites may post there.
pub const UNSUBSCRIBE: &str = unsubscribe::ROUTE;

/// What a page may load and do (CSP Level 3, Trusted Types). The one policy by which a script may write HTML takes it
/// from this server's own answers (`fragment.js`); the other one makes the service worker's address (`push.js`).
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'; \
                      require-trusted-types-for 'script'; worker-src 'self'; trusted-types campanile campanile-worker";

/// Every page of the console.
pub fn routes(app: &Arc<App>) -> Router {
    let pages = Router::new()
        .route("/", get(home))
        .route("/environment", post(switch))
        .merge(login::routes())
        .merge(inbox::routes())
        .merge(banner::routes())
        .merge(directory::routes())
        .merge(me::routes())
        .merge(start::routes())
        .merge(messages::routes())
        .merge(announcements::routes())
        .merge(outbox::routes())
        .merge(journal::routes())
        .merge(sites::routes())
        .merge(unsubscribe::routes());
    pages
        .with_state(Arc::clone(app))
        .layer(from_fn_with_state(Arc::clone(app), problems::dress))
        .merge(assets::routes())
}

/// The answer to an address that belongs to nobody: to a browser a page, as any other problem is.
pub fn nothing(app: &Arc<App>) -> Router {
    Router::new()
        .fallback(pass::nothing)
        .layer(from_fn_with_state(Arc::clone(app), problems::dress_for_browsers))
}

/// The first page: the inbox, or the first steps where nothing was done yet.
async fn home(reader: Reader) -> Redirect {
    let is_empty = reader.steps.is_some_and(Steps::is_empty);
    Redirect::to(if is_empty { "/start" } else { "/inbox" })
}

/// Chooses the environment of the pages that follow; none of the reader's is all of them.
async fn switch(State(app): State<Arc<App>>, reader: Reader, Form(fields): Form) -> Response {
    let chosen = fields.get("environment");
    let known = reader.choices.iter().any(|one| one.id == chosen);
    let (value, age) = if known {
        (page::escaped(chosen), 31_536_000)
    } else {
        (String::new(), 0)
    };
    let secure = if app.is_secure() { "; Secure" } else { "" };
    let name = page::ENVIRONMENT_COOKIE;
    let cookie = format!("{name}={value}; Path=/; SameSite=Lax; HttpOnly; Max-Age={age}{secure}");
    let mut response = Redirect::to(page::back(&fields, "/")).into_response();
    let cookie = HeaderValue::try_from(cookie).expect("ASCII without control characters");
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    response
}
