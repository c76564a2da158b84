//! Roles: the list from which a sender picks the recipients.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use campanile_core::Error;
use campanile_core::directory::list::{self, Paging, Role as Known};
use campanile_core::place::Scope;
use campanile_core::policy::{self, Act};
use serde::Serialize;

use super::caller::Caller;
use super::place::{Id, Organization};
use super::refusal::Refusal;
use super::user::{Permissions, by_letter};
use crate::app::App;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/configuration/rolescopes/{scope}/roles", get(list))
}

/// Roles of a scope at most.
const LIMIT: usize = 1_000;

/// The role that new people get, in each scope (the contract, section 5).
const DEFAULT: &str = "USER";

/// A role as the contract has it. It has no id but its scope and its name.
#[derive(Serialize)]
struct Role {
    id: String,
    name: String,
    scope: &'static str,
    default: bool,
    system: bool,
    permissions: Permissions,
}

async fn list(
    State(app): State<Arc<App>>,
    _: Organization,
    caller: Caller,
    Id(scope): Id,
) -> Result<Json<Vec<Role>>, Refusal> {
    policy::may(&caller.rights, &Act::ListRoles)?;
    let scope = named(&scope).ok_or(Error::Missing("scope of roles"))?;
    let work = move |tx: &mut campanile_store::Tx<'_>| {
        let (mut out, mut cursor) = (Vec::new(), None);
        loop {
            let limit = Some(list::PAGE_LIMIT);
            let page = list::roles(tx, Some(scope), &Paging { limit, cursor })?;
            out.extend(page.items);
            cursor = page.next;
            if cursor.is_none() || out.len() >= LIMIT {
                return Ok::<_, Error>(out);
            }
        }
    };
    let found = app.db.read(work).await?;
    Ok(Json(found.into_iter().map(role).collect()))
}

fn named(name: &str) -> Option<Scope> {
    let scopes = [Scope::Organization, Scope::Environment, Scope::Api, Scope::Application];
    scopes.into_iter().find(|scope| scope.name() == name)
}

fn role(of: Known) -> Role {
    let scope = of.scope.name();
    Role {
        id: format!("{scope}:{}", of.name),
        default: of.system && of.name == DEFAULT,
        name: of.name,
        scope,
        system: of.system,
        permissions: by_letter(of.permissions),
    }
}
