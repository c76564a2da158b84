//! Subscriptions of an API or application, by pages with numbers. A subscription has no plan and no key here.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::routing::get;
use axum::{Json, Router};
use campanile_core::directory::entry::Status;
use campanile_core::directory::list::{self, Between, Kind, PAGE_LIMIT, Subscription as Known};
use campanile_store::Tx;
use serde::de::value::{Error as Unread, StrDeserializer};
use serde::{Deserialize, Serialize};

use super::caller::Caller;
use super::directory::of;
use super::place::{Environment, Id};
use super::refusal::Refusal;
use crate::app::App;
use crate::problem::{self, Problem};

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/apis/{api}/subscriptions", get(of_api))
        .route("/applications/{application}/subscriptions", get(of_application))
}

/// Subscriptions of a page when nothing is said.
const SIZE: i64 = 20;
/// Subscriptions of a page at most.
const SIZE_LIMIT: i64 = 100;
/// The statuses that are asked for when nothing is said.
const STATUSES: [Status; 3] = [Status::Accepted, Status::Pending, Status::Paused];

/// A subscription.
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
    current: i64,
    per_page: i64,
    size: usize,
    total_pages: i64,
    total_elements: i64,
}

/// Which subscriptions, and which page of them.
struct Asked {
    statuses: Vec<Status>,
    others: Vec<String>,
    /// By a plan or a key, which none has.
    is_for_none: bool,
    page: i64,
    size: i64,
}

impl Asked {
    /// `other` is the name of the parameter for the other side: `application` or `api`. Several values stand between
    /// commas.
    fn read(query: Option<&str>, other: &str) -> Result<Self, Problem> {
        let mut asked = Self {
            statuses: STATUSES.to_vec(),
            others: Vec::new(),
            is_for_none: false,
            page: 1,
            size: SIZE,
        };
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            let several = || value.split(',').map(str::trim).filter(|one| !one.is_empty());
            match name.as_ref() {
                "status" if several().next().is_some() => asked.statuses = statuses(several())?,
                "page" => asked.page = number(&name, &value, i64::MAX / SIZE_LIMIT)?,
                "size" => asked.size = number(&name, &value, SIZE_LIMIT)?,
                "plan" | "api_key" => asked.is_for_none |= several().next().is_some(),
                name if name == other => asked.others.extend(several().map(str::to_owned)),
                _ => {}
            }
        }
        if asked.others.len() > PAGE_LIMIT as usize {
            let reason = format!("at most {PAGE_LIMIT} ids");
            return Err(Problem::at(problem::Kind::Malformed, other, reason));
        }
        if asked.others.iter().any(|other| other.contains('\0')) {
            let reason = "cannot hold a NUL character";
            return Err(Problem::at(problem::Kind::Malformed, other, reason));
        }
        Ok(asked)
    }
}

/// Statuses by their names, in any case of letters, each once.
fn statuses<'n>(names: impl Iterator<Item = &'n str>) -> Result<Vec<Status>, Problem> {
    let mut statuses = Vec::new();
    for name in names {
        let name = name.to_ascii_uppercase();
        let read = Status::deserialize(StrDeserializer::<Unread>::new(&name));
        let status = read.map_err(|_| {
            let reason = "must be PENDING, ACCEPTED, REJECTED, CLOSED or PAUSED";
            Problem::at(problem::Kind::Malformed, "status", reason)
        })?;
        if !statuses.contains(&status) {
            statuses.push(status);
        }
    }
    Ok(statuses)
}

/// A whole number from 1 on.
fn number(name: &str, text: &str, most: i64) -> Result<i64, Problem> {
    let found = text.parse().ok().filter(|number| (1..=most).contains(number));
    found.ok_or_else(|| Problem::at(problem::Kind::Malformed, name, format!("must be 1 to {most}")))
}

async fn of_api(
    State(app): State<Arc<App>>,
    at: Environment,
    caller: Caller,
    Id(key): Id,
    RawQuery(query): RawQuery,
) -> Result<Json<Paged<Subscription>>, Refusal> {
    page(&app, &caller, at, (Kind::Api, key), query.as_deref()).await
}

async fn of_application(
    State(app): State<Arc<App>>,
    at: Environment,
    caller: Caller,
    Id(key): Id,
    RawQuery(query): RawQuery,
) -> Result<Json<Paged<Subscription>>, Refusal> {
    page(&app, &caller, at, (Kind::Application, key), query.as_deref()).await
}

/// The subscriptions of an API, narrowed by application, or of an application, narrowed by API.
async fn page(
    app: &App,
    caller: &Caller,
    at: Environment,
    (kind, key): (Kind, String),
    query: Option<&str>,
) -> Result<Json<Paged<Subscription>>, Refusal> {
    let is_api = kind == Kind::Api;
    let asked = Asked::read(query, if is_api { "application" } else { "api" })?;
    let (current, per_page) = (asked.page, asked.size);
    let work = move |tx: &mut Tx<'_>, of| {
        if asked.is_for_none {
            return Ok((Vec::new(), 0));
        }
        let between = Between {
            of,
            is_api,
            others: asked.others,
            statuses: asked.statuses,
        };
        list::subscriptions_between(tx, &between, (asked.size, (asked.page - 1) * asked.size))
    };
    let (found, total) = of(app, caller, at, (kind, key), work).await?;
    Ok(Json(Paged {
        page: Numbers {
            current,
            per_page,
            size: found.len(),
            total_pages: (total + per_page - 1) / per_page,
            total_elements: total,
        },
        data: found.into_iter().map(Subscription::from).collect(),
    }))
}
