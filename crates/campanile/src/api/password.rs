//! Passwords: one's own, and those that an administrator sets.

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::api::extract::{Json, Path};
use crate::api::refusals::{Denied, Invalid, Malformed, Missing, Throttled, Unauthenticated, Unavailable};
use crate::api::{Part, part};
use crate::app::App;
use crate::auth::{Client, Principal};
use crate::password;
use crate::problem::Problem;

pub(super) const ROUTES: Part = part![(change_password), (reset_password)];

/// A new password for oneself.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ChangePassword {
    /// The password of now.
    #[schema(format = Password)]
    old: String,
    /// The one to come: 8 to 1,024 bytes, neither the login nor a known-common one.
    #[schema(format = Password)]
    new: String,
}

/// A new password for somebody.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ResetPassword {
    /// The one to come: 8 to 1,024 bytes, neither the login nor a known-common one.
    #[schema(format = Password)]
    password: String,
}

/// Changes one's password
///
/// Ends every other session of the person. Personal tokens and the ticket stay. A wrong old password counts as a failed
/// log-in. Not by a personal token.
#[utoipa::path(
    post, path = "/api/v1/me/password", tag = "Me",
    request_body = ChangePassword,
    responses(
        (status = 204, description = "Changed."),
        Malformed, Unauthenticated, Denied, Invalid, Throttled, Unavailable,
    )
)]
async fn change_password(
    State(app): State<Arc<App>>,
    principal: Principal,
    client: Client,
    Json(wanted): Json<ChangePassword>,
) -> Result<StatusCode, Problem> {
    password::change(&app, &principal, client.address, wanted.old, wanted.new).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sets somebody's password
///
/// For who has forgotten it. Ends every session of that person. Needs ORGANIZATION:ADMIN; one's own not by a personal
/// token.
#[utoipa::path(
    post, path = "/api/v1/users/{id}/password", tag = "Users",
    params(("id" = String, Path, description = "The user's id or login.")),
    request_body = ResetPassword,
    responses(
        (status = 204, description = "Set."),
        Malformed, Unauthenticated, Denied, Missing, Invalid, Unavailable,
    )
)]
async fn reset_password(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(name): Path<String>,
    Json(wanted): Json<ResetPassword>,
) -> Result<StatusCode, Problem> {
    password::reset(&app, &principal, name, wanted.password).await?;
    Ok(StatusCode::NO_CONTENT)
}
