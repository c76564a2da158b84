//! Addresses that get no mail: `/api/v1/suppressions`. For ORGANIZATION:ADMIN.

use std::sync::Arc;

use axum::extract::State;
use campanile_core::directory::list::{Page, Paging};
use campanile_core::outbox::suppression::{Source, Suppression};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::extract::{Json, Path, Query};
use crate::api::refusals::{Denied, Invalid, Malformed, Missing, Unauthenticated, Unavailable};
use crate::api::{Part, part};
use crate::app::App;
use crate::auth::Principal;
use crate::problem::Problem;
use crate::suppressions;

/// The routes of this file.
pub(super) const ROUTES: Part = part![(list, add), (remove)];

/// Which addresses, and which page of them.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct SuppressionsQuery {
    /// The beginning of an address, in any case of letters; at most 200 characters.
    q: Option<String>,
    /// The `next` of the page before.
    cursor: Option<String>,
    /// Addresses of a page, 1 to 100; 50 where absent.
    limit: Option<i64>,
}

/// Lists the addresses that get no mail: the newest first, or by address where something is searched.
#[utoipa::path(get, path = "/api/v1/suppressions", operation_id = "list_suppressions", tag = "Suppressions",
    params(SuppressionsQuery), responses(
    (status = 200, description = "A page.", body = Page<Suppression>),
    Malformed, Unauthenticated, Denied, Invalid, Unavailable,
))]
async fn list(
    State(app): State<Arc<App>>,
    principal: Principal,
    Query(SuppressionsQuery { q, cursor, limit }): Query<SuppressionsQuery>,
) -> Result<Json<Page<Suppression>>, Problem> {
    let page = suppressions::list(&app, principal.person, q, Paging { limit, cursor }).await?;
    Ok(Json(page))
}

/// An address that shall get no mail.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SuppressionInput {
    /// The address.
    address: String,
    /// Why: one line of at most 500 characters.
    #[serde(default)]
    reason: String,
}

/// What is said of one address.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SuppressionsOf {
    /// One for each source.
    items: Vec<Suppression>,
}

/// Lets an address get no mail, not even what is critical.
#[utoipa::path(post, path = "/api/v1/suppressions", operation_id = "create_suppression", tag = "Suppressions",
    request_body = SuppressionInput, responses(
    (status = 201, description = "Why it gets none now, by each source.", body = SuppressionsOf),
    Malformed, Unauthenticated, Denied, Invalid, Unavailable,
))]
async fn add(
    State(app): State<Arc<App>>,
    principal: Principal,
    Json(body): Json<SuppressionInput>,
) -> Result<(StatusCode, Json<SuppressionsOf>), Problem> {
    let items = suppressions::add(&app, &principal, body.address, body.reason).await?;
    Ok((StatusCode::CREATED, Json(SuppressionsOf { items })))
}

/// Which of the reasons.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct SourceQuery {
    /// Only this source; all of them where absent.
    #[param(inline)]
    source: Option<Source>,
}

/// Lets an address get mail again.
#[utoipa::path(delete, path = "/api/v1/suppressions/{address}", operation_id = "remove_suppression",
    tag = "Suppressions", params(("address" = String, Path), SourceQuery), responses(
    (status = 204, description = "It is off the list, for this source."),
    Malformed, Unauthenticated, Denied, Missing, Unavailable,
))]
async fn remove(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(address): Path<String>,
    Query(SourceQuery { source }): Query<SourceQuery>,
) -> Result<StatusCode, Problem> {
    suppressions::remove(&app, &principal, address, source).await?;
    Ok(StatusCode::NO_CONTENT)
}
