//! Who is signed in.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use campanile_core::Error;
use campanile_core::directory::list::{self, Role};
use campanile_core::place::Scope;
use campanile_store::Tx;
use serde::Serialize;

use super::ORGANIZATION;
use super::caller::Caller;
use super::jwt::Authority;
use super::login::authorities;
use super::place::{Environment, Organization};
use super::refusal::Refusal;
use crate::app::App;

/// The role that allows everything on an environment, as that of the organization does on all of them.
const ALL: &str = "ADMIN";

/// Where accounts come from: the server itself.
const SOURCE: &str = "gravitee";

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/user", get(read))
}

pub(super) fn portal_routes() -> Router<Arc<App>> {
    Router::new().route("/user", get(read_at_portal))
}

/// A display name in the two parts that the contract has: what stands before the first blank, and what follows.
pub(super) struct Names {
    pub(super) first: Option<String>,
    pub(super) last: Option<String>,
}

impl Names {
    pub(super) fn of(name: &str) -> Self {
        let (first, last) = name.split_once(' ').unwrap_or((name, ""));
        let given = |name: &str| (!name.is_empty()).then(|| name.to_owned());
        Self {
            first: given(first),
            last: given(last.trim_start()),
        }
    }
}

/// A role with its permissions, each with its letters: `{"MESSAGE": ["C", "R"]}`.
#[derive(Serialize)]
struct HeldRole {
    scope: &'static str,
    name: String,
    permissions: Permissions,
}

pub(super) type Permissions = BTreeMap<String, Vec<char>>;

/// The person, as the console knows them.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "so the contract has them")]
struct User {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    firstname: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lastname: Option<String>,
    display_name: String,
    source: &'static str,
    source_id: String,
    organization_id: &'static str,
    roles: Vec<HeldRole>,
    authorities: Vec<Authority>,
    primary_owner: bool,
    enabled: bool,
    system: bool,
    first_login: bool,
    display_newsletter_subscription: bool,
}

async fn read(State(app): State<Arc<App>>, at: Organization, caller: Caller) -> Result<Json<User>, Refusal> {
    let (person, environment) = (caller.person(), at.environment.map(|environment| environment.id));
    let roles = app.db.read(move |tx| list::roles_held(tx, person, environment)).await?;
    let names = Names::of(&caller.profile.name);
    let profile = &caller.profile;
    Ok(Json(User {
        id: profile.key.clone(),
        email: profile.email.clone(),
        firstname: names.first,
        lastname: names.last,
        display_name: profile.name.clone(),
        source: SOURCE,
        source_id: profile.login.clone(),
        organization_id: ORGANIZATION,
        authorities: authorities(&roles).collect(),
        roles: roles.into_iter().map(held).collect(),
        primary_owner: false,
        enabled: true,
        system: false,
        first_login: false,
        display_newsletter_subscription: false,
    }))
}

fn held(role: Role) -> HeldRole {
    HeldRole {
        scope: role.scope.name(),
        name: role.name,
        permissions: by_letter(role.permissions),
    }
}

/// Letters of CRUD one by one, as the contract has them.
pub(super) fn by_letter(permissions: BTreeMap<String, String>) -> Permissions {
    let letters = |(permission, letters): (String, String)| (permission, letters.chars().collect());
    permissions.into_iter().map(letters).collect()
}

/// The person, as the portal knows them.
#[derive(Serialize)]
struct PortalUser {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_name: Option<String>,
    display_name: String,
    editable_profile: bool,
    permissions: Permissions,
    #[serde(rename = "_links")]
    links: PortalLinks,
}

#[derive(Serialize)]
struct PortalLinks {
    #[serde(rename = "self")]
    itself: String,
    notifications: String,
}

async fn read_at_portal(
    State(app): State<Arc<App>>,
    at: Environment,
    caller: Caller,
) -> Result<Json<PortalUser>, Refusal> {
    let (person, may_all) = (caller.person(), caller.rights.is_organization_admin);
    let read = move |tx: &mut Tx<'_>| {
        let mut roles = list::roles_held(tx, person, Some(at.id))?;
        if may_all {
            roles.push(list::role(tx, Scope::Environment, ALL)?);
        }
        Ok::<_, Error>(roles)
    };
    let roles = app.db.read(read).await?;
    let names = Names::of(&caller.profile.name);
    let profile = &caller.profile;
    let itself = at.user_at_portal(&app.origin);
    Ok(Json(PortalUser {
        id: profile.key.clone(),
        email: profile.email.clone(),
        first_name: names.first,
        last_name: names.last,
        display_name: profile.name.clone(),
        editable_profile: false,
        permissions: united(roles),
        links: PortalLinks {
            notifications: format!("{itself}/notifications"),
            itself,
        },
    }))
}

/// What roles on an environment allow together.
fn united(roles: Vec<Role>) -> Permissions {
    let on_environment = roles.into_iter().filter(|role| role.scope == Scope::Environment);
    let mut all = Permissions::new();
    for (permission, letters) in on_environment.flat_map(|role| role.permissions) {
        let held = all.entry(permission).or_default();
        for letter in letters.chars() {
            if !held.contains(&letter) {
                held.push(letter);
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_cut_at_its_first_blank() {
        for (name, first, last) in [
            ("Ann", Some("Ann"), None),
            ("Ann Lee", Some("Ann"), Some("Lee")),
            ("Ann  van der Lee", Some("Ann"), Some("van der Lee")),
        ] {
            let names = Names::of(name);
            assert_eq!((names.first.as_deref(), names.last.as_deref()), (first, last));
        }
    }
}
