//! What clients of the contract look up beside messages: APIs and applications, who is a member of them, and
//! subscriptions. To read; the directory is changed elsewhere.
//!
//! Everybody finds the APIs whose messages are theirs to send or see, and the applications that they are a member of;
//! the rest is for who reads the directory.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::routing::get;
use axum::{Json, Router};
use campanile_core::directory::entry::{On, Status};
use campanile_core::directory::list::{
    self, Kind, Membership, MembershipFilter, PAGE_LIMIT, Page, Paging, Subscription as Known, SubscriptionFilter,
    Thing, ThingFilter,
};
use campanile_core::message::target;
use campanile_core::policy::{self, Act};
use campanile_core::rights::Rights;
use campanile_core::{Error, Result as Ruled};
use campanile_store::Tx;
use serde::de::value::{Error as Unread, StrDeserializer};
use serde::{Deserialize, Serialize};

use super::caller::Caller;
use super::messages::unknown_api;
use super::place::{Environment, Id};
use super::refusal::Refusal;
use crate::app::App;
use crate::problem::{self, Problem};

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/apis", get(apis))
        .route("/apis/{api}", get(api))
        .route("/apis/{api}/members", get(api_members))
        .route("/apis/{api}/subscriptions", get(api_subscriptions))
        .route("/applications", get(applications))
        .route("/applications/{application}", get(application))
        .route("/applications/{application}/members", get(application_members))
        .route(
            "/applications/{application}/subscriptions",
            get(application_subscriptions),
        )
}

/// Items of a list at most; the contract has no pages for most of them.
const LIMIT: usize = 10_000;
/// APIs and applications that are found one by one, for who does not read the directory.
const OWN_LIMIT: usize = 500;
/// Subscriptions of a page when nothing is said.
const SIZE: usize = 20;
/// Subscriptions of a page at most.
const SIZE_LIMIT: usize = 100;

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

/// A subscription; it has no plan here.
#[derive(Serialize)]
struct Subscription {
    id: String,
    api: String,
    application: String,
    status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    subscribed_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    starting_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ending_at: Option<i64>,
    created_at: i64,
}

impl From<Known> for Subscription {
    fn from(of: Known) -> Self {
        Self {
            id: of.id,
            api: of.api,
            application: of.application,
            status: of.status,
            subscribed_by: of.subscribed_by,
            starting_at: of.starting_at.map(|at| at.0),
            ending_at: of.ending_at.map(|at| at.0),
            created_at: of.created_at.0,
        }
    }
}

/// A page of a list, with the numbers of the pages.
#[derive(Serialize)]
struct Paged<T> {
    data: Vec<T>,
    page: Numbers,
}

#[derive(Serialize)]
struct Numbers {
    current: usize,
    per_page: usize,
    size: usize,
    total_pages: usize,
    total_elements: usize,
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

/// Those of some that are in an environment and there now.
fn some(tx: &mut Tx<'_>, kind: Kind, keys: Vec<String>, environment: &str) -> Ruled<Vec<Thing>> {
    let mut out = Vec::with_capacity(keys.len());
    for key in keys {
        let thing = list::thing(tx, kind, &key)?;
        if is_here(&thing, environment) {
            out.push(thing);
        }
    }
    Ok(out)
}

fn is_here(thing: &Thing, environment: &str) -> bool {
    thing.active && thing.environment.as_deref() == Some(environment)
}

/// The APIs of an environment that somebody may know of.
fn seen_apis(tx: &mut Tx<'_>, rights: &Rights, environment: &str) -> Ruled<Vec<Thing>> {
    if may_read(rights) {
        return everything(tx, Kind::Api, environment);
    }
    let held = rights.apis.keys().copied();
    let seen = held.filter(|api| policy::may_see_api(rights, *api)).take(OWN_LIMIT);
    let keys = seen.map(|api| target::api_key(tx, api)).collect::<Ruled<Vec<_>>>()?;
    some(tx, Kind::Api, keys, environment)
}

/// The applications of an environment that somebody may know of.
fn seen_applications(tx: &mut Tx<'_>, rights: &Rights, user: &str, environment: &str) -> Ruled<Vec<Thing>> {
    if may_read(rights) {
        return everything(tx, Kind::Application, environment);
    }
    let filter = MembershipFilter::User(user.to_owned());
    let held = all(|paging| list::memberships(tx, &filter, paging))?;
    let application = |membership: Membership| match membership.on {
        On::Application(key) => Some(key),
        _ => None,
    };
    let mut keys: Vec<String> = held.into_iter().filter_map(application).collect();
    keys.dedup();
    keys.truncate(OWN_LIMIT);
    some(tx, Kind::Application, keys, environment)
}

async fn apis(State(app): State<Arc<App>>, at: Environment, caller: Caller) -> Result<Json<Vec<Item>>, Refusal> {
    let rights = Arc::clone(&caller.rights);
    let found = app.db.scan(move |tx| seen_apis(tx, &rights, &at.key)).await?;
    Ok(Json(found.into_iter().map(|one| item(Kind::Api, one)).collect()))
}

async fn applications(
    State(app): State<Arc<App>>,
    at: Environment,
    caller: Caller,
) -> Result<Json<Vec<Item>>, Refusal> {
    let (rights, user) = (Arc::clone(&caller.rights), caller.profile.key.clone());
    let work = move |tx: &mut Tx<'_>| seen_applications(tx, &rights, &user, &at.key);
    let found = app.db.scan(work).await?;
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
    let (rights, user, name) = (Arc::clone(&caller.rights), caller.profile.key.clone(), key.clone());
    let work = move |tx: &mut Tx<'_>| {
        let missing = Error::Missing("application");
        if may_read(&rights) {
            let thing = list::thing(tx, Kind::Application, &name)?;
            return is_here(&thing, &at.key).then_some(thing).ok_or(missing);
        }
        let seen = seen_applications(tx, &rights, &user, &at.key)?;
        seen.into_iter().find(|one| one.id == name).ok_or(missing)
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

// ---------------------------------------------------------------- members and subscriptions

/// For who reads the directory: what is asked of an API or application of the environment.
async fn of<T: Send + 'static>(
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

/// Which subscriptions of an API or application, and which page of them.
struct Asked {
    statuses: Vec<Status>,
    others: Vec<String>,
    page: usize,
    size: usize,
}

impl Asked {
    /// `other` is the name of the parameter for the other side: `application` or `api`. Several values stand between
    /// commas.
    fn read(query: Option<&str>, other: &str) -> Result<Self, Problem> {
        let mut asked = Self {
            statuses: Vec::new(),
            others: Vec::new(),
            page: 1,
            size: SIZE,
        };
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            let several = || value.split(',').map(str::trim).filter(|one| !one.is_empty());
            match name.as_ref() {
                "status" => asked.statuses = several().map(status).collect::<Result<_, _>>()?,
                "page" => asked.page = number(&name, &value, usize::MAX / SIZE_LIMIT)?,
                "size" => asked.size = number(&name, &value, SIZE_LIMIT)?,
                name if name == other => asked.others.extend(several().map(str::to_owned)),
                _ => {}
            }
        }
        Ok(asked)
    }

    fn takes(&self, one: &Subscription, other: &str) -> bool {
        (self.statuses.is_empty() || self.statuses.contains(&one.status))
            && (self.others.is_empty() || self.others.iter().any(|wanted| wanted == other))
    }

    fn cut(&self, found: Vec<Subscription>) -> Paged<Subscription> {
        let total = found.len();
        let from = (self.page - 1).saturating_mul(self.size);
        let data: Vec<Subscription> = found.into_iter().skip(from).take(self.size).collect();
        Paged {
            page: Numbers {
                current: self.page,
                per_page: self.size,
                size: data.len(),
                total_pages: total.div_ceil(self.size),
                total_elements: total,
            },
            data,
        }
    }
}

/// A status by its name, in any case of letters.
fn status(name: &str) -> Result<Status, Problem> {
    let name = name.to_ascii_uppercase();
    let read = Status::deserialize(StrDeserializer::<Unread>::new(&name));
    read.map_err(|_| {
        let reason = "must be PENDING, ACCEPTED, REJECTED, CLOSED or PAUSED";
        Problem::at(problem::Kind::Malformed, "status", reason)
    })
}

/// A whole number from 1 on.
fn number(name: &str, text: &str, most: usize) -> Result<usize, Problem> {
    let found = text.parse().ok().filter(|number| (1..=most).contains(number));
    found.ok_or_else(|| Problem::at(problem::Kind::Malformed, name, format!("must be 1 to {most}")))
}

async fn api_subscriptions(
    State(app): State<Arc<App>>,
    at: Environment,
    caller: Caller,
    Id(key): Id,
    RawQuery(query): RawQuery,
) -> Result<Json<Paged<Subscription>>, Refusal> {
    subscriptions(&app, &caller, at, (Kind::Api, key), query.as_deref()).await
}

async fn application_subscriptions(
    State(app): State<Arc<App>>,
    at: Environment,
    caller: Caller,
    Id(key): Id,
    RawQuery(query): RawQuery,
) -> Result<Json<Paged<Subscription>>, Refusal> {
    subscriptions(&app, &caller, at, (Kind::Application, key), query.as_deref()).await
}

/// The subscriptions of an API, narrowed by application, or of an application, narrowed by API.
async fn subscriptions(
    app: &App,
    caller: &Caller,
    at: Environment,
    (kind, key): (Kind, String),
    query: Option<&str>,
) -> Result<Json<Paged<Subscription>>, Refusal> {
    let is_api = kind == Kind::Api;
    let asked = Asked::read(query, if is_api { "application" } else { "api" })?;
    let work = move |tx: &mut Tx<'_>, key| {
        let (api, application) = if is_api { (Some(key), None) } else { (None, Some(key)) };
        let filter = SubscriptionFilter {
            api,
            application,
            active: Some(true),
            ..SubscriptionFilter::default()
        };
        all(|paging| list::subscriptions(tx, &filter, paging))
    };
    let found = of(app, caller, at, (kind, key), work).await?;
    let other = |one: &Subscription| asked.takes(one, if is_api { &one.application } else { &one.api });
    let found = found.into_iter().map(Subscription::from).filter(other).collect();
    Ok(Json(asked.cut(found)))
}
