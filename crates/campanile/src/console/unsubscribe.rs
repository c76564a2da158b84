//! Mail off, and on again, by the link in a mail (RFC 8058): no log-in, no cookie, no redirect. Looking changes
//! nothing, since scanners of mail look at every link; a POST does, from the button here or from a mail program, which
//! knows no page of ours. The token is the proof.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use campanile_core::Error;
use campanile_core::outbox::token::unsubscriber;
use campanile_core::outbox::wish::{self, Standing};
use http::{HeaderMap, StatusCode};

use super::form::Fields;
use super::page::{self, accepted};
use super::words::Words;
use crate::app::App;
use crate::problem::Problem;

/// The one route to which other sites may post: mail providers do, without an `Origin` of ours.
pub(super) const ROUTE: &str = "/u/{token}";

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route(ROUTE, get(look).post(decide))
}

/// What is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// Whether mail is to be off.
    Ask,
    /// It is off.
    Off,
    /// It is on again.
    On,
    /// It is off, for a reason that no link takes away.
    Barred,
    /// There is no address.
    Nobody,
    /// The token is none of ours.
    Unknown,
}

#[derive(Template)]
#[template(path = "console/unsubscribe.html")]
struct UnsubscribePage<'a> {
    words: Words,
    shown: Shown,
    token: &'a str,
    product: &'a str,
    address: &'a str,
}

impl UnsubscribePage<'_> {
    /// The text of a family for what is shown.
    fn of(&self, family: &str) -> String {
        let name = match self.shown {
            Shown::Ask => "ask",
            Shown::Off => "off",
            Shown::On => "on",
            Shown::Barred => "barred",
            Shown::Nobody => "nobody",
            Shown::Unknown => "unknown",
        };
        let things = [("what", self.product.into()), ("address", self.address.into())];
        self.words.with(&format!("{family}-{name}"), things)
    }
}

/// What is done to the person's mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    Look,
    Off,
    On,
}

async fn look(State(app): State<Arc<App>>, Path(token): Path<String>, headers: HeaderMap) -> Result<Response, Problem> {
    answer(&app, &token, &headers, Deed::Look).await
}

/// Whatever a mail program sends is a wish to unsubscribe; taking it back has a field of its own.
async fn decide(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let is_again = Fields::read(&body).is_ok_and(|fields| fields.has("again"));
    let deed = if is_again { Deed::On } else { Deed::Off };
    answer(&app, &token, &headers, deed).await
}

async fn answer(app: &App, token: &str, headers: &HeaderMap, deed: Deed) -> Result<Response, Problem> {
    let now = app.clock.now();
    let standing = match unsubscriber(&app.key, token) {
        None => None,
        Some(person) => {
            let found = match deed {
                Deed::Look => app.db.read(move |tx| wish::standing(tx, person, now)).await,
                Deed::Off => app.db.jot(move |tx| wish::unsubscribe(tx, person, now)).await,
                Deed::On => app.db.jot(move |tx| wish::again(tx, person, now)).await,
            };
            match found {
                Ok(standing) => Some(standing),
                Err(Error::Missing(_)) => None,
                Err(error) => return Err(error.into()),
            }
        }
    };
    let locale = standing.as_ref().and_then(|one| one.locale.clone());
    let page = UnsubscribePage {
        words: Words::choose(locale.as_deref(), accepted(headers)),
        shown: shown(standing.as_ref(), deed),
        token,
        product: &app.settings.mail.brand.name,
        address: standing
            .as_ref()
            .and_then(|one| one.address.as_deref())
            .unwrap_or_default(),
    };
    if page.shown == Shown::Unknown {
        let html = page.render().map_err(Problem::internal)?;
        return Ok((StatusCode::NOT_FOUND, Html(html)).into_response());
    }
    page::show(&page)
}

fn shown(standing: Option<&Standing>, deed: Deed) -> Shown {
    let Some(standing) = standing else {
        return Shown::Unknown;
    };
    match deed {
        _ if standing.address.is_none() => Shown::Nobody,
        _ if standing.is_unsubscribed() => Shown::Off,
        _ if !standing.hindrances.is_empty() => Shown::Barred,
        Deed::On => Shown::On,
        Deed::Look | Deed::Off => Shown::Ask,
    }
}
