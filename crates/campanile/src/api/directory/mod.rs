//! The directory over HTTP: `/api/v1/customers`, `/users` and the other kinds, roles, memberships, and the import.
//!
//! Changes are made by [`crate::directory`]. What the kinds have in common is there and here, once: a [`Noun`] says
//! what differs. [`kinds`] lists them with their routes, [`queries`] says what their lists can be asked.

mod addressable;
mod import;
mod kinds;
mod memberships;
mod queries;
mod roles;

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use campanile_core::Result as Ruled;
use campanile_core::directory::history::{self, Interval};
use campanile_core::directory::list::{Page, Paging};
use campanile_core::policy::{self, Act};
use campanile_core::rights::Rights;
use campanile_store::Tx;
use http::request::Parts;
use http::{StatusCode, header};
use serde::Serialize;

use crate::api::Part;
use crate::api::extract::Json;
use crate::app::App;
use crate::auth::Principal;
use crate::directory::{self, Noun, segment};
use crate::problem::Problem;

/// The parts of this folder.
pub(super) fn parts() -> impl Iterator<Item = Part> {
    let others: [Part; 4] = [roles::ROUTES, memberships::ROUTES, import::ROUTES, addressable::ROUTES];
    kinds::PARTS.into_iter().chain(others)
}

/// Who may change the directory. Anybody else is refused before the body is read and before anything is looked up; and
/// they are asked again where it is written.
struct Editor(Principal);

impl FromRequestParts<Arc<App>> for Editor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let principal = Principal::from_request_parts(parts, app).await?;
        let person = principal.person;
        app.db
            .read(move |tx| policy::may(&Rights::load(tx, person)?, &Act::EditDirectory))
            .await?;
        Ok(Self(principal))
    }
}

/// Reads for somebody who may do `act`; in one snapshot with the rights. A list may look at much, so it is no short
/// read.
async fn look<T: Serialize + Send + 'static>(
    app: &App,
    principal: &Principal,
    act: Act<'static>,
    work: impl FnOnce(&mut Tx<'_>) -> Ruled<T> + Send + 'static,
) -> Result<Json<T>, Problem> {
    let person = principal.person;
    let found = app.db.scan(move |tx| {
        policy::may(&Rights::load(tx, person)?, &act)?;
        work(tx)
    });
    Ok(Json(found.await?))
}

/// Shows one, also one that has ended.
async fn read<N: Noun<Item: Serialize>>(app: &App, principal: &Principal, id: N::Id) -> Result<Json<N::Item>, Problem> {
    look(app, principal, Act::ReadDirectory, move |tx| N::find(tx, &id)).await
}

/// Makes a new one, or one that had ended again; `path` is the address of the list.
async fn create<N: Noun<Item: Serialize>>(
    app: &App,
    by: &Principal,
    path: &str,
    wanted: N,
) -> Result<Response, Problem> {
    let (id, item) = directory::create(app, by, wanted).await?;
    let location = format!("{path}/{}", segment(&id.to_string()));
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(item)).into_response())
}

/// A page of the history of one.
async fn past<N: Noun>(
    app: &App,
    principal: &Principal,
    id: N::Id,
    paging: Paging,
) -> Result<Json<Page<Interval>>, Problem> {
    let subject = N::subject(id);
    look(app, principal, Act::ReadDirectory, move |tx| {
        history::history(tx, &subject, &paging)
    })
    .await
}
