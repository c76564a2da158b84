//! People.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use campanile_core::directory::entry::Patch;
use campanile_core::portal::user::{self, Wanted};
use campanile_core::{Error, secret};
use http::header;
use serde::{Deserialize, Serialize};

use super::asked::{Query, Text, created};
use super::caller::Caller;
use super::place;
use crate::api::extract::LooseJson;
use crate::app::App;
use crate::directory;
use crate::problem::Problem;

/// People of one answer at most, and where nothing is asked for. The contract has no pages: those that follow are asked
/// for with `after`, as a header `Link` says.
const LIMIT: i64 = 10_000;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route(place::USERS, get(list).post(create).put(change))
        .route(place::USER, get(find))
}

/// A person as the contract shows them. `customer_id` is ours: where they are in the tree can be written, so it is
/// told.
#[derive(Serialize)]
struct User {
    id: i64,
    guid: String,
    name: String,
    full_name: String,
    phone: Option<String>,
    mobile: Option<String>,
    email: Option<String>,
    approved: bool,
    locked_out: bool,
    language_tag: Option<String>,
    roles: Vec<&'static str>,
    customer_id: Option<i64>,
}

impl From<user::User> for User {
    fn from(user: user::User) -> Self {
        Self {
            roles: user.roles(),
            id: user.person.0,
            guid: user.guid,
            name: user.login,
            full_name: user.name,
            phone: user.details.phone,
            mobile: user.details.mobile,
            email: user.email,
            approved: user.details.approved,
            locked_out: user.details.locked_out,
            language_tag: user.locale,
            customer_id: user.customer.map(|customer| customer.0),
        }
    }
}

/// A person as they shall be. The login is read as `name` and written as `login`.
#[derive(Deserialize)]
struct Input {
    guid: Option<String>,
    customer_id: Option<i64>,
    login: Option<String>,
    password: Option<String>,
    email: Option<String>,
    full_name: Option<String>,
    phone: Option<String>,
    mobile: Option<String>,
    approved: Option<bool>,
    locked_out: Option<bool>,
    language_tag: Option<String>,
    roles: Option<Vec<String>>,
}

impl Input {
    /// What is asked for; the password is apart, since hashing it is slow.
    fn wanted(self) -> (Wanted, Option<String>) {
        let wanted = Wanted {
            customer: self.customer_id,
            login: self.login,
            password: Patch::Absent,
            email: self.email,
            full_name: self.full_name,
            phone: self.phone,
            mobile: self.mobile,
            approved: self.approved,
            locked_out: self.locked_out,
            language_tag: self.language_tag,
            roles: self.roles,
        };
        (wanted, self.password)
    }
}

async fn list(State(app): State<Arc<App>>, caller: Caller, query: Query) -> Result<Response, Problem> {
    let after = query.number("after")?.unwrap_or(0);
    let limit = query.number("limit")?.unwrap_or(LIMIT).clamp(1, LIMIT);
    let rights = Arc::clone(&caller.rights);
    let list = app.db.scan(move |tx| user::list(tx, &rights, after, limit + 1));
    let mut users: Vec<User> = list.await?.into_iter().map(User::from).collect();
    let more = users.len() as i64 > limit;
    users.truncate(limit as usize);
    let next = users.last().filter(|_| more).map(|last| {
        let (origin, users) = (&app.origin, place::USERS);
        format!("<{origin}{users}?after={}&limit={limit}>; rel=\"next\"", last.id)
    });
    Ok(match next {
        Some(next) => ([(header::LINK, next)], Json(users)).into_response(),
        None => Json(users).into_response(),
    })
}

async fn find(State(app): State<Arc<App>>, caller: Caller, Text(guid): Text) -> Result<Json<User>, Problem> {
    let rights = Arc::clone(&caller.rights);
    let found = app.db.read(move |tx| user::find(tx, &rights, &guid)).await?;
    Ok(Json(found.into()))
}

async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    LooseJson(input): LooseJson<Input>,
) -> Result<Response, Problem> {
    let (mut wanted, password) = input.wanted();
    let (by, key, now) = (caller.person(), secret::guid(app.chance.salt()), app.clock.now());
    if let Some(password) = password {
        // Who may make nobody at all need not have their password hashed.
        app.db.read(move |tx| user::may_change(tx, by)).await?;
        wanted.password = directory::hashed(&app, &caller.principal, &key, wanted.login.as_ref(), password).await?;
    }
    let journalled = caller.principal.by();
    let made = app
        .db
        .write(move |tx| user::create(tx, &journalled, &key, &wanted, now))
        .await?;
    let path = format!("{}/{}", place::USERS, made.guid);
    Ok(created(&app, &path, &User::from(made)))
}

async fn change(
    State(app): State<Arc<App>>,
    caller: Caller,
    LooseJson(input): LooseJson<Input>,
) -> Result<Json<User>, Problem> {
    let (by, now) = (caller.person(), app.clock.now());
    app.db.read(move |tx| user::may_change(tx, by)).await?;
    let guid = input.guid.clone().ok_or_else(|| Error::field("guid", "is needed"))?;
    let (mut wanted, password) = input.wanted();
    if let Some(password) = password {
        let of = guid.clone();
        let key = app.db.read(move |tx| user::password_of(tx, by, &of)).await?;
        let login = wanted.login.as_ref();
        wanted.password = directory::hashed(&app, &caller.principal, &key, login, password).await?;
    }
    let journalled = caller.principal.by();
    let changed = app
        .db
        .write(move |tx| user::change(tx, &journalled, &guid, &wanted, now))
        .await?;
    Ok(Json(changed.into()))
}
