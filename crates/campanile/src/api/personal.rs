//! What is kept of a person: `/api/v1/me/export`, `/api/v1/users/{id}/export` and `…/erase`.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use campanile_core::directory::list::User;
use campanile_core::message::sent::person_key;
use http::header;

use crate::api::extract::{Json, Path};
use crate::api::refusals::{Denied, Invalid, Malformed, Missing, Unauthenticated, Unavailable};
use crate::api::{Part, part};
use crate::app::App;
use crate::auth::Principal;
use crate::personal;
use crate::problem::Problem;

/// The routes of this file.
pub(super) const ROUTES: Part = part![(export_me), (export_user), (erase_user)];

/// Gives everything that is kept of you, as a file
///
/// A line of JSON for each thing; its `kind` says what it is: the `person`, each `fact` of the directory with its
/// times, each `session`, `token`, `device` and `suppression`; each `message` that you may still know of, with when you
/// did what with it; each `mark` ("all of it"), each `mail`, and each `deed` of the journal that you did or that was
/// done to you. A stream that breaks off is not whole.
#[utoipa::path(get, path = "/api/v1/me/export", tag = "Me", responses(
    (status = 200, description = "The lines.", content((String = "application/x-ndjson"))),
    Unauthenticated, Unavailable,
))]
async fn export_me(State(app): State<Arc<App>>, principal: Principal) -> Result<Response, Problem> {
    let person = principal.person;
    let key = app.db.read(move |tx| person_key(tx, person)).await?;
    export(&app, &principal, key).await
}

/// Gives everything that is kept of a user, as a file
///
/// The lines are those of `/api/v1/me/export`. Needs ORGANIZATION:ADMIN, but for oneself.
#[utoipa::path(get, path = "/api/v1/users/{id}/export", tag = "Directory",
    params(("id" = String, Path, description = "Its id in the directory.")), responses(
    (status = 200, description = "The lines.", content((String = "application/x-ndjson"))),
    Malformed, Unauthenticated, Denied, Missing, Unavailable,
))]
async fn export_user(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    export(&app, &principal, id).await
}

async fn export(app: &Arc<App>, by: &Principal, key: String) -> Result<Response, Problem> {
    let lines = personal::take(app, by, key).await?;
    let headers = [
        (header::CONTENT_TYPE, "application/x-ndjson"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"person.ndjson\""),
    ];
    Ok((headers, Body::from_stream(lines)).into_response())
}

/// Erases a user
///
/// For good: everything that tells who they were goes, and the user ends where that has not happened yet. What they
/// held, saw and did stays in the numbers, and in the journal, as that of a user with another id, which tells nothing;
/// so does what they sent. An address that complained or unsubscribed stays on the suppression list. Once more changes
/// nothing. Needs ORGANIZATION:ADMIN.
#[utoipa::path(post, path = "/api/v1/users/{id}/erase", tag = "Directory",
    params(("id" = String, Path, description = "Its id in the directory.")), responses(
    (status = 200, description = "What is left of the user.", body = User),
    Malformed, Unauthenticated, Denied, Missing, Invalid, Unavailable,
))]
async fn erase_user(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<Json<User>, Problem> {
    Ok(Json(personal::erase(&app, &principal, id).await?))
}
