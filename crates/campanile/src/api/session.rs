//! Signing in and out: a session with a cookie.

use std::sync::Arc;

use axum::extract::State;
use axum::response::IntoResponse;
use campanile_core::account::profile;
use campanile_core::id::PersonId;
use campanile_core::time::Moment;
use http::{HeaderMap, StatusCode, header};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::extract::Json;
use crate::api::refusals::{Malformed, Throttled, Unauthenticated, Unavailable};
use crate::api::{Part, part};
use crate::app::App;
use crate::auth::{self, Client};
use crate::own::{self, Door};
use crate::problem::Problem;

pub(super) const ROUTES: Part = part![(log_in, log_out)];

/// Who wants to sign in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LogIn {
    /// The login, in any case.
    #[schema(example = "ann")]
    login: String,
    /// The password.
    #[schema(format = Password)]
    password: String,
}

/// Who is signed in, and until when.
#[derive(Serialize, ToSchema)]
struct LoggedIn {
    /// The person's number.
    person: PersonId,
    /// The login as it is written.
    login: String,
    /// The display name.
    name: String,
    /// The session's public name, as in the list of sessions.
    session: String,
    /// When the session ends.
    expires_at: Moment,
}

/// Signs in
///
/// Opens a session and sets its cookie (`HttpOnly`, `SameSite=Lax`). Scripts need no session: they send a personal
/// token as `Authorization: Bearer`, or login and password as `Authorization: Basic`.
#[utoipa::path(
    post,
    path = "/api/v1/session",
    tag = "Session",
    security(()),
    request_body = LogIn,
    responses(
        (status = 201, description = "Signed in; the cookie is set.", body = LoggedIn, headers(
            ("Set-Cookie" = String, description = "The session's cookie.")
        )),
        Malformed, Unauthenticated, Throttled, Unavailable,
    )
)]
async fn log_in(
    State(app): State<Arc<App>>,
    client: Client,
    Json(wanted): Json<LogIn>,
) -> Result<impl IntoResponse, Problem> {
    let person = auth::by_password(&app, &wanted.login, wanted.password, client.address).await?;
    let opened = own::open_session(&app, person, client, Door::Api).await?;
    let found = app.db.read(move |tx| profile::find(tx, person)).await?;
    let body = LoggedIn {
        person,
        login: found.login,
        name: found.name,
        session: opened.id,
        expires_at: opened.expires_at,
    };
    let cookie = auth::cookie(&app, &opened.secret);
    Ok((StatusCode::CREATED, [(header::SET_COOKIE, cookie)], Json(body)))
}

/// Signs out
///
/// Ends the session of the cookie, if there is one, and takes the cookie away.
#[utoipa::path(
    delete,
    path = "/api/v1/session",
    tag = "Session",
    security(()),
    responses((status = 204, description = "Signed out.", headers(
        ("Set-Cookie" = String, description = "Takes the session's cookie away.")
    )), Unavailable)
)]
async fn log_out(
    State(app): State<Arc<App>>,
    client: Client,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Problem> {
    own::log_out(&app, &headers, client).await?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, auth::no_cookie(&app))]))
}
