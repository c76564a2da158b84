//! What a sender picks an audience from: `/api/v1/addressable/…`.

use std::sync::Arc;

use axum::extract::State;
use campanile_core::directory::addressable::{self, Addressable, Choices, Search};
use campanile_core::rights::Rights;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::api::extract::{Json, Path, Query};
use crate::api::refusals::{Denied, Invalid, Malformed, Unauthenticated, Unavailable};
use crate::api::{Part, part};
use crate::app::App;
use crate::auth::Principal;
use crate::problem::Problem;

pub(super) const ROUTES: Part = part![(list_addressable)];

/// What to look for.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct AddressableQuery {
    /// The beginning of a name in any case of letters, of a login, or of an id; at most 200 characters.
    q: Option<String>,
    /// How many, 1 to 50; 20 where absent.
    limit: Option<i64>,
}

/// Lists what you may put into an audience
///
/// Environments, APIs and customers: those that you may send to, so perhaps none. People and groups need
/// `ORGANIZATION_USER[READ]`, or `ENVIRONMENT_MESSAGE[CREATE]` on any environment; people are found by login and name,
/// never by address. The roles of an audience are in the list of roles.
#[utoipa::path(get, path = "/api/v1/addressable/{kind}", tag = "Messages",
    params(("kind" = inline(Addressable), Path), AddressableQuery), responses(
    (status = 200, description = "The first of them.", body = Choices),
    Malformed, Unauthenticated, Denied, Invalid, Unavailable,
))]
async fn list_addressable(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(kind): Path<Addressable>,
    Query(query): Query<AddressableQuery>,
) -> Result<Json<Choices>, Problem> {
    let person = principal.person;
    let search = Search {
        q: query.q,
        limit: query.limit,
    };
    let found = app.db.scan(move |tx| {
        let rights = Rights::load(tx, person)?;
        addressable::choices(tx, &rights, kind, &search)
    });
    Ok(Json(found.await?))
}
