//! Saved destinations of messages by HTTP POST: `/api/v1/endpoints`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use campanile_core::id::MessageId;
use campanile_core::outbox::endpoint::{Change, Endpoint, New, PAGE_LIMIT};
use http::{StatusCode, header};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::extract::{self, Json, Path, Query, cursor};
use crate::api::refusals::{Conflict, Denied, Invalid, Malformed, Missing, Unauthenticated, Unavailable};
use crate::api::{Part, part};
use crate::app::App;
use crate::auth::Principal;
use crate::endpoints::{self, Wanted};
use crate::problem::Problem;

/// The routes of this file.
pub(super) const ROUTES: Part = part![
    (list, create),
    (one, change, remove),
    (pause),
    (resume),
    (rotate),
    (test)
];

/// Which endpoints, and which page of them.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct EndpointsQuery {
    /// Only those of this environment, by id.
    environment: Option<String>,
    /// Only those that messages of this API may be posted to, by id. Not together with `environment`.
    api: Option<String>,
    /// The `next` of the page before.
    cursor: Option<String>,
    /// Endpoints of a page, 1 to 100; 50 where absent.
    limit: Option<i64>,
}

/// A page of endpoints, in the order in which they were made.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EndpointsPage {
    /// The endpoints.
    items: Vec<Endpoint>,
    /// Ask with this as `cursor` for what follows; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// An endpoint, and its secret when it has just been set.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EndpointWithSecret {
    #[serde(flatten)]
    endpoint: Endpoint,
    /// `whsec_…`: told this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

/// Lists the endpoints that you may see: those of environments and APIs on which you hold `MESSAGE[READ]`.
#[utoipa::path(get, path = "/api/v1/endpoints", operation_id = "list_endpoints", tag = "Endpoints",
    params(EndpointsQuery), responses(
    (status = 200, description = "A page.", body = EndpointsPage),
    Malformed, Unauthenticated, Denied, Invalid, Unavailable,
))]
async fn list(
    State(app): State<Arc<App>>,
    principal: Principal,
    Query(query): Query<EndpointsQuery>,
) -> Result<Json<EndpointsPage>, Problem> {
    let wanted = Wanted {
        environment: query.environment,
        api: query.api,
        after: cursor(query.cursor.as_deref())?.unwrap_or(0),
        limit: extract::limit(query.limit, 50, PAGE_LIMIT)?,
    };
    let (items, next) = endpoints::list(&app, principal.person, wanted).await?;
    let next = next.map(|next| next.to_string());
    Ok(Json(EndpointsPage { items, next }))
}

/// Saves an endpoint. Needs `MESSAGE[CREATE]` on its environment or API.
///
/// Header values are stored encrypted and not shown again; the secret is told in this answer alone. Posts to a saved
/// endpoint are those of messages that name its `id`.
#[utoipa::path(post, path = "/api/v1/endpoints", operation_id = "create_endpoint", tag = "Endpoints",
    request_body = New, responses(
    (status = 201, description = "Saved.", body = EndpointWithSecret, headers(("Location" = String))),
    Malformed, Unauthenticated, Denied, Conflict, Invalid, Unavailable,
))]
async fn create(State(app): State<Arc<App>>, principal: Principal, Json(new): Json<New>) -> Result<Response, Problem> {
    let (endpoint, secret) = endpoints::create(&app, &principal, new).await?;
    let location = format!("/api/v1/endpoints/{}", endpoint.id);
    let body = EndpointWithSecret { endpoint, secret };
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(body)).into_response())
}

/// Shows an endpoint, with its health.
#[utoipa::path(get, path = "/api/v1/endpoints/{id}", operation_id = "read_endpoint", tag = "Endpoints",
    params(("id" = i64, Path)), responses(
    (status = 200, description = "The endpoint.", body = Endpoint),
    Malformed, Unauthenticated, Missing, Unavailable,
))]
async fn one(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<i64>,
) -> Result<Json<Endpoint>, Problem> {
    Ok(Json(endpoints::one(&app, &principal, id).await?))
}

/// Changes an endpoint. What is absent stays; with another URL, headers that are set must be given again.
#[utoipa::path(patch, path = "/api/v1/endpoints/{id}", operation_id = "change_endpoint", tag = "Endpoints",
    request_body = Change, params(("id" = i64, Path)), responses(
    (status = 200, description = "Changed.", body = Endpoint),
    Malformed, Unauthenticated, Denied, Missing, Invalid, Unavailable,
))]
async fn change(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<i64>,
    Json(change): Json<Change>,
) -> Result<Json<Endpoint>, Problem> {
    Ok(Json(endpoints::change(&app, &principal, id, change).await?))
}

/// Removes an endpoint, and its secrets with it. What waits for it fails.
#[utoipa::path(delete, path = "/api/v1/endpoints/{id}", operation_id = "remove_endpoint", tag = "Endpoints",
    params(("id" = i64, Path)), responses(
    (status = 204, description = "Removed."),
    Malformed, Unauthenticated, Denied, Missing, Unavailable,
))]
async fn remove(State(app): State<Arc<App>>, principal: Principal, Path(id): Path<i64>) -> Result<StatusCode, Problem> {
    endpoints::remove(&app, &principal, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Holds back what is for an endpoint, until it is resumed.
#[utoipa::path(post, path = "/api/v1/endpoints/{id}/pause", operation_id = "pause_endpoint", tag = "Endpoints",
    params(("id" = i64, Path)), responses(
    (status = 200, description = "Paused, or off as it was.", body = Endpoint),
    Malformed, Unauthenticated, Denied, Missing, Unavailable,
))]
async fn pause(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<i64>,
) -> Result<Json<Endpoint>, Problem> {
    Ok(Json(endpoints::pause(&app, &principal, id, true).await?))
}

/// Lets what is for an endpoint go; also for one that was switched off.
#[utoipa::path(post, path = "/api/v1/endpoints/{id}/resume", operation_id = "resume_endpoint", tag = "Endpoints",
    params(("id" = i64, Path)), responses(
    (status = 200, description = "Active.", body = Endpoint),
    Malformed, Unauthenticated, Denied, Missing, Unavailable,
))]
async fn resume(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<i64>,
) -> Result<Json<Endpoint>, Problem> {
    Ok(Json(endpoints::pause(&app, &principal, id, false).await?))
}

/// Another secret.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RotateBody {
    /// `whsec_…`; where absent or `new`, one is made.
    secret: Option<String>,
    /// For so long posts are signed with both: 0 to 168 hours, 24 where absent.
    grace_hours: Option<i64>,
}

/// Gives an endpoint another secret. For a while posts carry both signatures, so that a receiver can change over.
#[utoipa::path(post, path = "/api/v1/endpoints/{id}/rotate", operation_id = "rotate_endpoint", tag = "Endpoints",
    request_body = RotateBody, params(("id" = i64, Path)), responses(
    (status = 200, description = "The new secret, told this once.", body = EndpointWithSecret),
    Malformed, Unauthenticated, Denied, Missing, Invalid, Unavailable,
))]
async fn rotate(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<i64>,
    Json(body): Json<RotateBody>,
) -> Result<Json<EndpointWithSecret>, Problem> {
    let (endpoint, secret) = endpoints::rotate(&app, &principal, id, body.secret, body.grace_hours).await?;
    let secret = Some(secret);
    Ok(Json(EndpointWithSecret { endpoint, secret }))
}

/// A test on its way.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TestSent {
    /// The message that is posted; its deliveries say what became of it.
    message: MessageId,
}

/// Posts a test to an endpoint, as a message that goes nowhere else. Needs `MESSAGE[CREATE]` there.
#[utoipa::path(post, path = "/api/v1/endpoints/{id}/test", operation_id = "test_endpoint", tag = "Endpoints",
    params(("id" = i64, Path)), responses(
    (status = 201, description = "It is on its way.", body = TestSent, headers(("Location" = String))),
    Malformed, Unauthenticated, Denied, Missing, Conflict, Invalid, Unavailable,
))]
async fn test(State(app): State<Arc<App>>, principal: Principal, Path(id): Path<i64>) -> Result<Response, Problem> {
    let message = endpoints::test(&app, &principal, id).await?;
    let location = format!("/api/v1/messages/{message}");
    let body = Json(TestSent { message });
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], body).into_response())
}
