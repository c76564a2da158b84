//! Proof: what could this person see at that time, and did they? `/api/v1/users/{id}/visible`.

use std::sync::Arc;

use axum::extract::State;
use campanile_core::Error;
use campanile_core::id::PersonId;
use campanile_core::message::preview;
use campanile_core::message::sent::{self, Visible};
use campanile_core::policy::{self, Act};
use campanile_core::rights::Rights;
use campanile_core::time::Moment;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::extract::{self, Json, Path, Query, cursor};
use crate::api::refusals::{Denied, Invalid, Malformed, Missing, Unauthenticated, Unavailable};
use crate::api::{Part, part};
use crate::app::App;
use crate::auth::Principal;
use crate::problem::Problem;

/// The routes of this file.
pub(super) const ROUTES: Part = part![(visible)];

/// At which time, and which page.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct VisibleQuery {
    /// The time, as RFC 3339; now where absent.
    #[param(value_type = Option<String>, format = DateTime)]
    at: Option<Moment>,
    /// The `next` of the page before.
    cursor: Option<String>,
    /// Messages of a page, 1 to 100; 20 where absent.
    limit: Option<i64>,
}

/// A page of what a person could see.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct VisiblePage {
    /// The time that was asked for.
    at: Moment,
    /// Newest first, with the texts of that time.
    items: Vec<Visible>,
    /// Ask with this as `cursor` for what follows; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Says what a person could see at a time
///
/// What stood in bell and inbox, from the facts and texts of that time, and when the person saw and read it: also what
/// was recalled or corrected since, or deleted by the person. Needs ORGANIZATION:ADMIN.
#[utoipa::path(get, path = "/api/v1/users/{id}/visible", tag = "Directory",
    params(("id" = String, Path, description = "The user's id or login."), VisibleQuery), responses(
    (status = 200, description = "A page, newest first.", body = VisiblePage),
    Malformed, Unauthenticated, Denied, Missing, Invalid, Unavailable,
))]
async fn visible(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<String>,
    Query(query): Query<VisibleQuery>,
) -> Result<Json<VisiblePage>, Problem> {
    let at = query.at.unwrap_or_else(|| app.clock.now());
    if at > app.clock.now() {
        return Err(Error::field("at", "lies ahead; what will be seen then is not known").into());
    }
    let below = cursor(query.cursor.as_deref())?.unwrap_or(i64::MAX);
    let limit = extract::limit(query.limit, 20, 100)?;
    let asking = principal.person;
    let (items, next) = app
        .db
        .scan(move |tx| {
            let rights = Rights::load(tx, asking)?;
            // Nobody's number: who may not is told so before the name is looked up.
            policy::may(&rights, &Act::ReadVisibility(PersonId(0)))?;
            let person = preview::person(tx, &id)?;
            sent::visible_at(tx, person, at, below, limit)
        })
        .await?;
    Ok(Json(VisiblePage {
        at,
        items,
        next: next.map(|next| next.to_string()),
    }))
}
