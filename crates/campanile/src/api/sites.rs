//! Applications that embed us: `/api/v1/sites`. For ORGANIZATION:ADMIN.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use campanile_core::directory::list::{Page, Paging};
use campanile_core::site::key::{self, Key};
use campanile_core::site::{Change, New, Site};
use http::{StatusCode, header};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::extract::{Json, Path, Query};
use crate::api::refusals::{Conflict, Denied, Invalid, Malformed, Missing, Unauthenticated, Unavailable};
use crate::api::{Part, part};
use crate::app::App;
use crate::auth::Principal;
use crate::problem::Problem;
use crate::sites;

/// The routes of this file.
pub(super) const ROUTES: Part = part![(list, create), (one, change, end), (list_keys, add_key), (end_key)];

/// Which page of the sites.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct SitesQuery {
    /// The `next` of the page before.
    cursor: Option<String>,
    /// Sites of a page, 1 to 100; 50 where absent.
    limit: Option<i64>,
}

/// Lists the sites, by name
///
/// A site is an application that shows bell, inbox and banners in pages of its own. It signs in its users with tokens
/// (JWT) that are signed by one of its keys, and that browsers use on pages of its origins alone.
#[utoipa::path(get, path = "/api/v1/sites", operation_id = "list_sites", tag = "Sites", params(SitesQuery), responses(
    (status = 200, description = "A page.", body = Page<Site>),
    Malformed, Unauthenticated, Denied, Invalid, Unavailable,
))]
async fn list(
    State(app): State<Arc<App>>,
    principal: Principal,
    Query(SitesQuery { cursor, limit }): Query<SitesQuery>,
) -> Result<Json<Page<Site>>, Problem> {
    Ok(Json(
        sites::list(&app, principal.person, Paging { limit, cursor }).await?,
    ))
}

/// Makes a site. Nobody comes by it before it has a key.
#[utoipa::path(post, path = "/api/v1/sites", operation_id = "create_site", tag = "Sites", request_body = New, responses(
    (status = 201, description = "Made.", body = Site, headers(("Location" = String))),
    Malformed, Unauthenticated, Denied, Conflict, Invalid, Unavailable,
))]
async fn create(State(app): State<Arc<App>>, principal: Principal, Json(new): Json<New>) -> Result<Response, Problem> {
    let made = sites::create(&app, &principal, new).await?;
    let location = format!("/api/v1/sites/{}", made.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(made)).into_response())
}

/// Shows a site.
#[utoipa::path(get, path = "/api/v1/sites/{id}", operation_id = "read_site", tag = "Sites",
    params(("id" = String, Path)), responses(
    (status = 200, description = "The site.", body = Site),
    Malformed, Unauthenticated, Denied, Missing, Unavailable,
))]
async fn one(State(app): State<Arc<App>>, principal: Principal, Path(id): Path<String>) -> Result<Json<Site>, Problem> {
    let (site, _) = sites::one(&app, principal.person, &id).await?;
    Ok(Json(site))
}

/// Changes a site. What is absent stays.
#[utoipa::path(patch, path = "/api/v1/sites/{id}", operation_id = "change_site", tag = "Sites",
    request_body = Change, params(("id" = String, Path)), responses(
    (status = 200, description = "Changed.", body = Site),
    Malformed, Unauthenticated, Denied, Missing, Invalid, Unavailable,
))]
async fn change(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<String>,
    Json(change): Json<Change>,
) -> Result<Json<Site>, Problem> {
    Ok(Json(sites::change(&app, &principal, &id, change).await?))
}

/// Ends a site, and its keys with it. Whoever came by them is let in no longer, and their streams end.
#[utoipa::path(delete, path = "/api/v1/sites/{id}", operation_id = "end_site", tag = "Sites",
    params(("id" = String, Path)), responses(
    (status = 204, description = "Ended."),
    Malformed, Unauthenticated, Denied, Missing, Unavailable,
))]
async fn end(State(app): State<Arc<App>>, principal: Principal, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    sites::end(&app, &principal, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The keys of a site.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SiteKeys {
    /// In the order in which they were added; ten at most.
    items: Vec<Key>,
}

/// Lists the keys of a site that are good, without their secrets.
#[utoipa::path(get, path = "/api/v1/sites/{id}/keys", operation_id = "list_site_keys", tag = "Sites",
    params(("id" = String, Path)), responses(
    (status = 200, description = "The keys.", body = SiteKeys),
    Malformed, Unauthenticated, Denied, Missing, Unavailable,
))]
async fn list_keys(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<Json<SiteKeys>, Problem> {
    let (_, items) = sites::one(&app, principal.person, &id).await?;
    Ok(Json(SiteKeys { items }))
}

/// A key, and its secret when it has just been made.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SiteKeyWithSecret {
    #[serde(flatten)]
    key: Key,
    /// Of `HS256`, told this once: the bytes of this text are the key of the HMAC.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

/// Adds a key to a site
///
/// Several are good at once. To rotate: add one, sign with it, and end the old one when the last token that it has
/// signed is over.
#[utoipa::path(post, path = "/api/v1/sites/{id}/keys", operation_id = "add_site_key", tag = "Sites",
    request_body = key::New, params(("id" = String, Path)), responses(
    (status = 201, description = "Added.", body = SiteKeyWithSecret),
    Malformed, Unauthenticated, Denied, Missing, Conflict, Invalid, Unavailable,
))]
async fn add_key(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<String>,
    Json(new): Json<key::New>,
) -> Result<(StatusCode, Json<SiteKeyWithSecret>), Problem> {
    let (key, secret) = sites::add_key(&app, &principal, &id, new).await?;
    Ok((StatusCode::CREATED, Json(SiteKeyWithSecret { key, secret })))
}

/// Ends a key of a site: no token that it has signed is taken any more.
#[utoipa::path(delete, path = "/api/v1/sites/{id}/keys/{key}", operation_id = "end_site_key", tag = "Sites",
    params(("id" = String, Path), ("key" = String, Path)), responses(
    (status = 204, description = "Ended."),
    Malformed, Unauthenticated, Denied, Missing, Unavailable,
))]
async fn end_key(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path((id, key)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    sites::end_key(&app, &principal, &id, &key).await?;
    Ok(StatusCode::NO_CONTENT)
}
