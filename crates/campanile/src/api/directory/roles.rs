//! Roles: named by scope and name, so a role is put where it belongs rather than posted.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use campanile_core::Error;
use campanile_core::directory::entry::{Patch, Removal, Role as Wanted, RoleOnly};
use campanile_core::directory::list::{self, Page, Role};
use campanile_core::directory::{Applied, Entry};
use campanile_core::journal;
use campanile_core::place::Scope;
use campanile_core::policy::Act;
use http::{StatusCode, header};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::queries::paging;
use super::{Editor, look};
use crate::api::extract::{Json, Path, Query};
use crate::api::refusals::{Denied, Invalid, Malformed, Missing, Unauthenticated, Unavailable};
use crate::api::{Part, part};
use crate::app::App;
use crate::auth::Principal;
use crate::directory::{self, begin, segment};
use crate::problem::Problem;

pub(super) const ROUTES: Part = part![(list_roles), (read_role, put_role, end_role)];

/// Which roles.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct RoleQuery {
    /// Only those of this scope.
    #[param(inline)]
    scope: Option<Scope>,
    /// Items of a page, 1 to 100; 50 where absent.
    limit: Option<i64>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

/// What a role permits.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RoleBody {
    /// Where it is there, it is that of the address.
    #[serde(default)]
    scope: Option<Scope>,
    /// Where it is there, it is that of the address.
    #[serde(default)]
    name: Option<String>,
    /// Letters of CRUD by permission (`A` to `Z` and `_`, at most 64 characters): all of them.
    permissions: BTreeMap<String, String>,
}

/// Lists roles, by scope and name
///
/// Needs `ORGANIZATION_ROLE[READ]`, `ENVIRONMENT_MESSAGE[CREATE]`, or `API_MESSAGE[CREATE]` on any API.
#[utoipa::path(get, path = "/api/v1/roles", tag = "Directory", params(RoleQuery), responses(
    (status = 200, description = "A page.", body = Page<Role>),
    Malformed, Unauthenticated, Denied, Invalid, Unavailable,
))]
async fn list_roles(
    State(app): State<Arc<App>>,
    principal: Principal,
    Query(query): Query<RoleQuery>,
) -> Result<Json<Page<Role>>, Problem> {
    look(&app, &principal, Act::ListRoles, move |tx| {
        list::roles(tx, query.scope, &paging(query.limit, query.cursor))
    })
    .await
}

/// Shows a role
///
/// Needs what the list of roles needs.
#[utoipa::path(get, path = "/api/v1/roles/{scope}/{name}", tag = "Directory",
    params(("scope" = inline(Scope), Path), ("name" = String, Path)), responses(
    (status = 200, description = "It.", body = Role),
    Malformed, Unauthenticated, Denied, Missing, Unavailable,
))]
async fn read_role(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path((scope, name)): Path<(Scope, String)>,
) -> Result<Json<Role>, Problem> {
    look(&app, &principal, Act::ListRoles, move |tx| list::role(tx, scope, &name)).await
}

/// Makes a role, or gives it other permissions
///
/// Those of the contract cannot change. Needs ORGANIZATION:ADMIN.
#[utoipa::path(put, path = "/api/v1/roles/{scope}/{name}", tag = "Directory", request_body = RoleBody,
    params(("scope" = inline(Scope), Path), ("name" = String, Path)), responses(
    (status = 200, description = "It, as it is now.", body = Role),
    (status = 201, description = "Made.", body = Role, headers(("Location" = String, description = "Its address."))),
    Malformed, Unauthenticated, Denied, Invalid, Unavailable,
))]
async fn put_role(
    State(app): State<Arc<App>>,
    Editor(by): Editor,
    Path((scope, name)): Path<(Scope, String)>,
    Json(body): Json<RoleBody>,
) -> Result<Response, Problem> {
    let differs = "is not the one of the address";
    if body.scope.is_some_and(|given| given != scope) {
        return Err(Error::field("scope", differs).into());
    }
    if body.name.is_some_and(|given| given != name) {
        return Err(Error::field("name", differs).into());
    }
    let location = format!("/api/v1/roles/{}/{}", scope.name(), segment(&name));
    let entry = Entry::Role(Wanted {
        scope,
        name: name.clone(),
        permissions: Patch::Set(body.permissions),
    });
    let (person, by, now) = (by.person, by.by(), app.clock.now());
    let put = app.db.write(move |tx| {
        begin(tx, person)?;
        let applied = journal::apply(tx, &by, &entry, now)?;
        Ok::<_, Error>((applied, list::role(tx, scope, &name)?))
    });
    let (applied, role) = put.await?;
    Ok(if applied == Applied::Created {
        (StatusCode::CREATED, [(header::LOCATION, location)], Json(role)).into_response()
    } else {
        Json(role).into_response()
    })
}

/// Ends a role that nobody ever held and no message ever named
///
/// It leaves no trace. Needs ORGANIZATION:ADMIN.
#[utoipa::path(delete, path = "/api/v1/roles/{scope}/{name}", tag = "Directory",
    params(("scope" = inline(Scope), Path), ("name" = String, Path)), responses(
    (status = 204, description = "Ended."),
    Malformed, Unauthenticated, Denied, Missing, Invalid, Unavailable,
))]
async fn end_role(
    State(app): State<Arc<App>>,
    Editor(by): Editor,
    Path((scope, name)): Path<(Scope, String)>,
) -> Result<StatusCode, Problem> {
    let entry = Entry::Remove(Removal::Role(RoleOnly { scope, name }));
    match directory::apply(&app, &by, entry).await? {
        Applied::Unchanged => Err(Error::Missing("role").into()),
        Applied::Created | Applied::Changed => Ok(StatusCode::NO_CONTENT),
    }
}
