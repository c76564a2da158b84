//! Memberships: who holds which role where. They have no id; a user, a place and a role name one.

use std::sync::Arc;

use axum::extract::State;
use campanile_core::directory::entry::{Membership as Wanted, On, Removal};
use campanile_core::directory::list::{self, Membership, MembershipFilter, Page};
use campanile_core::directory::{Applied, Entry};
use campanile_core::place::Scope;
use campanile_core::policy::Act;
use campanile_core::{Error, Result as Ruled};
use http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;

use super::queries::paging;
use super::{Editor, look};
use crate::api::extract::{Json, Query};
use crate::api::refusals::{Conflict, Denied, Invalid, Malformed, Missing, Unauthenticated, Unavailable};
use crate::api::{Part, part};
use crate::app::App;
use crate::auth::Principal;
use crate::directory;
use crate::problem::Problem;

pub(super) const ROUTES: Part = part![(list_memberships, create_membership, end_membership)];

/// Whose memberships: of a user, or of one place.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct MembershipQuery {
    /// Of this user, by id.
    user: Option<String>,
    /// On the organization: `DEFAULT`.
    organization: Option<String>,
    /// On this environment, by id.
    environment: Option<String>,
    /// On this API, by id.
    api: Option<String>,
    /// On this application, by id.
    application: Option<String>,
    /// On this group, by id; then `scope` is needed.
    group: Option<String>,
    /// Of a place: only of this role.
    role: Option<String>,
    /// Of a group: of roles of this scope, API or APPLICATION.
    #[param(inline)]
    scope: Option<Scope>,
    /// Items of a page, 1 to 100; 50 where absent.
    limit: Option<i64>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

/// Which membership: the user, the role and one place.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct MembershipKey {
    /// Of this user, by id.
    user: String,
    /// On the organization: `DEFAULT`.
    organization: Option<String>,
    /// On this environment, by id.
    environment: Option<String>,
    /// On this API, by id.
    api: Option<String>,
    /// On this application, by id.
    application: Option<String>,
    /// On this group, by id; then `scope` is needed.
    group: Option<String>,
    /// The name of the role.
    role: String,
    /// The scope of the role; needed on a group.
    #[param(inline)]
    scope: Option<Scope>,
}

/// The place that the parameters name, if any: one at most.
fn place(
    organization: Option<String>,
    environment: Option<String>,
    api: Option<String>,
    application: Option<String>,
    group: Option<String>,
) -> Ruled<Option<On>> {
    let named = [
        organization.map(On::Organization),
        environment.map(On::Environment),
        api.map(On::Api),
        application.map(On::Application),
        group.map(On::Group),
    ];
    let mut named = named.into_iter().flatten();
    match (named.next(), named.next()) {
        (_, Some(_)) => Err(Error::field("", "name one place only")),
        (found, None) => Ok(found),
    }
}

impl MembershipQuery {
    fn filter(self) -> Ruled<MembershipFilter> {
        let on = place(
            self.organization,
            self.environment,
            self.api,
            self.application,
            self.group,
        )?;
        match (self.user, on) {
            (None, Some(on)) => Ok(MembershipFilter::Place {
                on,
                scope: self.scope,
                role: self.role,
            }),
            (Some(user), None) if self.role.is_none() && self.scope.is_none() => Ok(MembershipFilter::User(user)),
            (Some(_), None) => Err(Error::field("user", "role and scope go with a place, not with a user")),
            _ => Err(Error::field(
                "",
                "name a user, or one place: organization, environment, api, application or group",
            )),
        }
    }
}

/// Lists memberships that hold now, of a user or of a place
///
/// What has ended is in the histories. Needs `ORGANIZATION_USER[READ]`.
#[utoipa::path(get, path = "/api/v1/memberships", tag = "Directory", params(MembershipQuery), responses(
    (status = 200, description = "A page.", body = Page<Membership>),
    Malformed, Unauthenticated, Denied, Invalid, Unavailable,
))]
async fn list_memberships(
    State(app): State<Arc<App>>,
    principal: Principal,
    Query(mut query): Query<MembershipQuery>,
) -> Result<Json<Page<Membership>>, Problem> {
    look(&app, &principal, Act::ReadDirectory, move |tx| {
        let paging = paging(query.limit.take(), query.cursor.take());
        list::memberships(tx, &query.filter()?, &paging)
    })
    .await
}

/// Makes somebody hold a role
///
/// Needs ORGANIZATION:ADMIN.
#[utoipa::path(post, path = "/api/v1/memberships", tag = "Directory", request_body = Wanted, responses(
    (status = 201, description = "Made; the membership as it was sent.", body = Wanted),
    Malformed, Unauthenticated, Denied, Conflict, Invalid, Unavailable,
))]
async fn create_membership(
    State(app): State<Arc<App>>,
    Editor(by): Editor,
    Json(wanted): Json<Wanted>,
) -> Result<(StatusCode, Json<Wanted>), Problem> {
    let entry = Entry::Membership(wanted.clone());
    match directory::apply(&app, &by, entry).await? {
        Applied::Unchanged => Err(Error::Conflict("the user holds this role there already".into()).into()),
        Applied::Created | Applied::Changed => Ok((StatusCode::CREATED, Json(wanted))),
    }
}

/// Makes somebody no longer hold a role
///
/// Its history stays. Needs ORGANIZATION:ADMIN.
#[utoipa::path(delete, path = "/api/v1/memberships", tag = "Directory", params(MembershipKey), responses(
    (status = 204, description = "Ended."),
    Malformed, Unauthenticated, Denied, Missing, Invalid, Unavailable,
))]
async fn end_membership(
    State(app): State<Arc<App>>,
    Editor(by): Editor,
    Query(key): Query<MembershipKey>,
) -> Result<StatusCode, Problem> {
    let on = place(key.organization, key.environment, key.api, key.application, key.group)?;
    let entry = Entry::Remove(Removal::Membership(Wanted {
        user: key.user,
        on: on.ok_or_else(|| {
            Error::field(
                "",
                "name the place: organization, environment, api, application or group",
            )
        })?,
        role: key.role,
        scope: key.scope,
    }));
    let ended = directory::apply(&app, &by, entry).await;
    match ended.map_err(as_parameters)? {
        Applied::Unchanged => Err(Error::Missing("membership").into()),
        Applied::Created | Applied::Changed => Ok(StatusCode::NO_CONTENT),
    }
}

/// The faults of an object, said of the parameters: `on.group` is `group`.
fn as_parameters(error: Error) -> Error {
    let Error::Invalid(mut faults) = error else {
        return error;
    };
    for fault in &mut faults {
        if let Some(place) = fault.field.strip_prefix("on.") {
            fault.field = place.to_owned();
        }
    }
    Error::Invalid(faults)
}
