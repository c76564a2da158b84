//! The live channel: `/api/v1/live`. What it tells, and how, is in [`crate::live`].

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequestParts as _, Request, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use campanile_core::Error;
use campanile_core::account::{self, session, token};
use campanile_core::site::door;
use campanile_core::time::Moment;
use campanile_store::Tx;
use futures_util::stream;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, StatusCode, Version, header};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::extract::{Json, Query};
use crate::api::refusals::{Denied, Malformed, Throttled, Unauthenticated, Unavailable};
use crate::api::{Part, part};
use crate::app::App;
use crate::auth::{self, Principal, Via};
use crate::live::{open, ticket};
use crate::problem::{Kind, Problem};

pub(super) const ROUTES: Part = part![(listen), (issue)];

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
const UNBUFFERED: HeaderName = HeaderName::from_static("x-accel-buffering");

/// What a browser cannot say in a header.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// A ticket of `POST /api/v1/live/tickets`, in place of other credentials.
    ticket: Option<String>,
    /// The id of the last event that was seen, where the header `Last-Event-ID` is not sent.
    last_event_id: Option<String>,
}

/// A ticket for one stream.
#[derive(Debug, Serialize, ToSchema)]
struct Ticket {
    /// Goes into the address, as `ticket`. Good once.
    ticket: String,
    /// Until when.
    expires_at: Moment,
}

/// Listens to what moves
///
/// A stream of server-sent events, in HTTP/1.1. `hello` comes first, with the numbers of the bell; then `message` for
/// each message of yours that came, changed or went, and `counts` where the numbers moved or you did something
/// elsewhere. The id of an event goes back as `Last-Event-ID`: what was missed is sent, or `hello` says `"resumed":
/// false` and what is shown has to be asked for again. The server ends a stream every ten minutes or so, with `bye` and
/// when to come back. A person has 20 streams at most: one serves a whole browser.
#[utoipa::path(get, path = "/api/v1/live", tag = "Inbox", params(Wanted), responses(
    (status = 200, description = "The stream.", content_type = "text/event-stream", body = String),
    Malformed, Unauthenticated, Throttled, Unavailable,
))]
async fn listen(State(app): State<Arc<App>>, request: Request) -> Result<Response, Problem> {
    let (mut parts, _) = request.into_parts();
    if parts.version != Version::HTTP_11 {
        return Err(Problem::new(Kind::Malformed, "a live stream takes HTTP/1.1"));
    }
    let Query(wanted) = Query::<Wanted>::from_request_parts(&mut parts, &app).await?;
    let principal = principal(&app, &mut parts, wanted.ticket.as_deref()).await?;
    let after = last_event_id(&parts, wanted.last_event_id.as_deref())?;
    let head = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::CONNECTION, HeaderValue::from_static("close")),
        // Proxies that collect answers would keep what is small to themselves.
        (UNBUFFERED, HeaderValue::from_static("no")),
    ];
    if parts.method == Method::HEAD {
        return Ok(head.into_response());
    }
    let taken = open(&app, &principal, after).await?;
    // Of no length that anybody could write into the head.
    let body = Body::from_stream(stream::pending::<Result<Bytes, Infallible>>());
    let mut response = (head, body).into_response();
    response.extensions_mut().insert(taken);
    Ok(response)
}

/// Makes a ticket for one stream
///
/// For a page that is not signed in by a cookie: a browser sends no headers with a stream, and what stays good for long
/// does not belong into an address. It is good for 30 seconds, once.
#[utoipa::path(post, path = "/api/v1/live/tickets", operation_id = "make_live_ticket", tag = "Inbox", responses(
    (status = 201, body = Ticket), Unauthenticated, Denied, Unavailable,
))]
async fn issue(State(app): State<Arc<App>>, principal: Principal) -> Result<(StatusCode, Json<Ticket>), Problem> {
    let made = ticket::write(&app.key, &principal, &app.chance.bytes(), app.clock.now());
    let (ticket, expires_at) =
        made.ok_or_else(|| Problem::new(Kind::Denied, "not by a ticket of the UI messages contract"))?;
    Ok((StatusCode::CREATED, Json(Ticket { ticket, expires_at })))
}

/// Who listens: by the ticket, else as everywhere.
async fn principal(app: &Arc<App>, parts: &mut Parts, ticket: Option<&str>) -> Result<Principal, Problem> {
    let Some(ticket) = ticket else {
        return Principal::from_request_parts(parts, app).await;
    };
    let nobody = || {
        Problem::new(
            Kind::Unauthenticated,
            "the ticket is over, was used, or is none; make another",
        )
    };
    let now = app.clock.now();
    let found = app.live.spent.take(&app.key, ticket, now).ok_or_else(nobody)?;
    let person = found.person;
    // It may have been taken away in this half minute.
    let is_alive = match found.via.clone() {
        Via::Session(id) => app
            .db
            .read(move |tx| session::find_by_id(tx, &id, now))
            .await?
            .is_some(),
        Via::Token(id) => app.db.read(move |tx| token::is_alive(tx, &id, now)).await?,
        Via::Site { key, .. } => app.db.read(move |tx| door::admits(tx, &key, person)).await?,
        Via::Basic | Via::Ticket => {
            let look = move |tx: &mut Tx<'_>| account::is_admitted(tx, person);
            app.db.read(look).await?
        }
    };
    auth::site::check_place(parts, &found)?;
    if is_alive { Ok(found) } else { Err(nobody()) }
}

fn last_event_id(parts: &Parts, asked: Option<&str>) -> Result<Option<i64>, Problem> {
    let header = parts.headers.get(LAST_EVENT_ID).and_then(|value| value.to_str().ok());
    // A browser that goes on by itself has the newer one.
    let Some(text) = header.or(asked).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let id = text
        .parse()
        .map_err(|_| Error::field("last_event_id", "is not the id of an event"))?;
    Ok(Some(id))
}
