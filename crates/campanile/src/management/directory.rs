//! What clients of the contract look up beside messages: APIs and applications, and who is a member of them. To read;
//! the directory is changed elsewhere.
//!
//! Everybody finds the APIs whose messages are theirs to send or see, and the applications that they are a member of;
//! the rest is for who reads the directory.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use campanile_core::directory::entry::On;
use campanile_core::directory::list::{
    self, Kind, Membership, MembershipFilter, PAGE_LIMIT, Page, Paging, Thing, ThingFilter,
};
use campanile_core::message::target;
use campanile_core::policy::{self, Act};
use campanile_core::rights::Rights;
use campanile_core::{Error, Result as Ruled};
use campanile_store::Tx;
use serde::Serialize;

use super::caller::Caller;
use super::messages::unknown_api;
use super::place::{Environment, Id};
use super::refusal::Refusal;
use crate::app::App;
use crate::problem;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/apis", get(apis))
        .route("/apis/{api}", get(api))
        .route("/apis/{api}/members", get(api_members))
        .route("/applications", get(applications))
        .route("/applications/{application}", get(application))
        .route("/applications/{application}/members", get(application_members))
}

/// Items of a list at most; the contract has no pages for these.
const LIMIT: usize = 10_000;

// ---------------------------------------------------------------- as it is written

/// An API or an application, as far as this server knows it.
#[derive(Serialize)]
struct Item {
    id: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    groups: Vec<String>,
    created_at: i64,
}

fn item(kind: Kind, of: Thing) -> Item {
    Item {
        id: of.id,
        name: of.name,
        status: (kind == Kind::Application).then_some(if of.active { "ACTIVE" } else { "ARCHIVED" }),
        groups: of.groups.unwrap_or_default(),
        created_at: of.created_at.0,
    }
}

/// Somebody who holds a role directly.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Member {
    id: String,
    display_name: String,
    role: String,
}

// ---------------------------------------------------------------- APIs and applications

/// All pages of a list, up to [`LIMIT`].
fn all<T>(mut page: impl FnMut(&Paging) -> Ruled<Page<T>>) -> Ruled<Vec<T>> {
    let (mut out, mut cursor) = (Vec::new(), None);
    loop {
        let limit = Some(PAGE_LIMIT);
        let found = page(&Paging { limit, cursor })?;
        out.extend(found.items);
        cursor = found.next;
        if cursor.is_none() || out.len() >= LIMIT {
            out.truncate(LIMIT);
            return Ok(out);
        }
    }
}

fn may_read(rights: &Rights) -> bool {
    policy::may(rights, &Act::ReadDirectory).is_ok()
}

/// All of an environment that are there now.
fn everything(tx: &mut Tx<'_>, kind: Kind, environment: &str) -> Ruled<Vec<Thing>> {
    let filter = ThingFilter {
        environment: Some(environment.to_owned()),
        active: Some(true),
        ..ThingFilter::default()
    };
    all(|paging| list::things(tx, kind, &filter, paging))
}

fn is_here(thing: &Thing, environment: &str) -> bool {
    thing.active && thing.environment.as_deref() == Some(environment)
}

/// The APIs of an environment that somebody may know of, by id.
fn seen_apis(tx: &mut Tx<'_>, rights: &Rights, at: &Environment) -> Ruled<Vec<Thing>> {
    if may_read(rights) {
        return everything(tx, Kind::Api, &at.key);
    }
    let mut seen = list::some_apis(tx, at.id, &policy::seen_apis(rights))?;
    seen.sort_unstable_by(|one, other| one.id.cmp(&other.id));
    seen.truncate(LIMIT);
    Ok(seen)
}

/// The applications of an environment that somebody may know of, by id.
fn seen_applications(tx: &mut Tx<'_>, rights: &Rights, at: &Environment) -> Ruled<Vec<Thing>> {
    if may_read(rights) {
        return everything(tx, Kind::Application, &at.key);
    }
    list::applications_of(tx, at.id, rights.person, LIMIT)
}

async fn apis(State(app): State<Arc<App>>, at: Environment, caller: Caller) -> Result<Json<Vec<Item>>, Refusal> {
    let rights = Arc::clone(&caller.rights);
    let found = app.db.scan(move |tx| seen_apis(tx, &rights, &at)).await?;
    Ok(Json(found.into_iter().map(|one| item(Kind::Api, one)).collect()))
}

async fn applications(
    State(app): State<Arc<App>>,
    at: Environment,
    caller: Caller,
) -> Result<Json<Vec<Item>>, Refusal> {
    let rights = Arc::clone(&caller.rights);
    let found = app.db.scan(move |tx| seen_applications(tx, &rights, &at)).await?;
    Ok(Json(
        found.into_iter().map(|one| item(Kind::Application, one)).collect(),
    ))
}

async fn api(State(app): State<Arc<App>>, at: Environment, caller: Caller, Id(key): Id) -> Result<Json<Item>, Refusal> {
    let (rights, name) = (Arc::clone(&caller.rights), key.clone());
    let work = move |tx: &mut Tx<'_>| {
        let Some((api, ..)) = target::api(tx, &name)? else {
            return Err(Error::Missing("API"));
        };
        let thing = list::thing(tx, Kind::Api, &name)?;
        let is_seen = is_here(&thing, &at.key) && policy::may_see_api(&rights, api);
        is_seen.then_some(thing).ok_or(Error::Missing("API"))
    };
    let found = app.db.read(work).await.map_err(|error| missing_api(error, &key))?;
    Ok(Json(item(Kind::Api, found)))
}

async fn application(
    State(app): State<Arc<App>>,
    at: Environment,
    caller: Caller,
    Id(key): Id,
) -> Result<Json<Item>, Refusal> {
    let (rights, name) = (Arc::clone(&caller.rights), key.clone());
    let work = move |tx: &mut Tx<'_>| {
        let thing = list::thing(tx, Kind::Application, &name)?;
        let is_member = list::is_member(tx, &name, rights.person)?;
        let is_seen = is_here(&thing, &at.key) && policy::may_see_application(&rights, is_member);
        is_seen.then_some(thing).ok_or(Error::Missing("application"))
    };
    let found = app.db.read(work).await;
    let found = found.map_err(|error| missing_application(error, &key))?;
    Ok(Json(item(Kind::Application, found)))
}

fn missing_api(error: Error, key: &str) -> Refusal {
    match error {
        Error::Missing(_) => unknown_api(key),
        other => other.into(),
    }
}

fn missing_application(error: Error, key: &str) -> Refusal {
    let message = format!("Application [{key}] cannot be found.");
    match error {
        Error::Missing(_) => {
            Refusal::new(problem::Kind::Missing, "application.notFound", message).with("application", key)
        }
        other => other.into(),
    }
}

// ---------------------------------------------------------------- members

/// For who reads the directory: what is asked of an API or application of the environment.
pub(super) async fn of<T: Send + 'static>(
    app: &App,
    caller: &Caller,
    at: Environment,
    (kind, key): (Kind, String),
    work: impl FnOnce(&mut Tx<'_>, String) -> Ruled<T> + Send + 'static,
) -> Result<T, Refusal> {
    policy::may(&caller.rights, &Act::ReadDirectory)?;
    let name = key.clone();
    let look = move |tx: &mut Tx<'_>| {
        let thing = list::thing(tx, kind, &name)?;
        if is_here(&thing, &at.key) {
            work(tx, name)
        } else {
            Err(Error::Missing("API or application"))
        }
    };
    app.db.scan(look).await.map_err(|error| match kind {
        Kind::Api => missing_api(error, &key),
        _ => missing_application(error, &key),
    })
}

fn members(tx: &mut Tx<'_>, on: On) -> Ruled<Vec<Member>> {
    let filter = MembershipFilter::Place {
        on,
        scope: None,
        role: None,
    };
    let found = all(|paging| list::memberships(tx, &filter, paging))?;
    let member = |of: Membership| Member {
        id: of.user,
        display_name: of.user_name,
        role: of.role,
    };
    Ok(found.into_iter().map(member).collect())
}

async fn api_members(
    State(app): State<Arc<App>>,
    at: Environment,
    caller: Caller,
    Id(key): Id,
) -> Result<Json<Vec<Member>>, Refusal> {
    let work = |tx: &mut Tx<'_>, key| members(tx, On::Api(key));
    of(&app, &caller, at, (Kind::Api, key), work).await.map(Json)
}

async fn application_members(
    State(app): State<Arc<App>>,
    at: Environment,
    caller: Caller,
    Id(key): Id,
) -> Result<Json<Vec<Member>>, Refusal> {
    let work = |tx: &mut Tx<'_>, key| members(tx, On::Application(key));
    of(&app, &caller, at, (Kind::Application, key), work).await.map(Json)
}
