//! Logging in and out: by Basic, for a JWT and its cookie.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use campanile_core::Error;
use campanile_core::account::profile;
use campanile_core::directory::list::{self, Role};
use http::header::SET_COOKIE;
use http::request::Parts;
use http::{HeaderMap, HeaderValue};
use serde::Serialize;

use super::caller::{self, Caller};
use super::jwt::{self, About, Authority};
use super::place::{Environment, Organization};
use super::refusal::Refusal;
use super::user::Names;
use super::{ORGANIZATION, xsrf};
use crate::app::App;
use crate::auth::{self, Client, Credentials, Principal};
use crate::own::{self, Door};
use crate::problem::{Kind, Problem};

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/user/login", post(log_in))
        .route("/user/logout", post(log_out))
}

pub(super) fn portal_routes() -> Router<Arc<App>> {
    Router::new()
        .route("/auth/login", post(log_in_at_portal))
        .route("/auth/logout", post(log_out_of_portal))
}

/// What a log-in is answered with.
#[derive(Serialize)]
struct Token {
    r#type: &'static str,
    token: String,
}

/// The same at the portal.
#[derive(Serialize)]
struct PortalToken {
    token_type: &'static str,
    token: String,
}

const BEARER: &str = "BEARER";

async fn log_in(State(app): State<Arc<App>>, _: Organization, parts: Parts) -> Result<Response, Refusal> {
    let (headers, token) = open(&app, &parts).await?;
    let body = Token { r#type: BEARER, token };
    Ok((headers, Json(body)).into_response())
}

async fn log_in_at_portal(State(app): State<Arc<App>>, _: Environment, parts: Parts) -> Result<Response, Refusal> {
    let (headers, token) = open(&app, &parts).await?;
    let body = PortalToken {
        token_type: BEARER,
        token,
    };
    Ok((headers, Json(body)).into_response())
}

/// Opens a session for who sends login and password; the headers of the answer, and the JWT.
async fn open(app: &Arc<App>, parts: &Parts) -> Result<(HeaderMap, String), Problem> {
    let nobody = || Problem::new(Kind::Unauthenticated, "send login and password as Basic");
    let Credentials::Basic(..) = auth::authorization(&parts.headers) else {
        return Err(nobody());
    };
    let person = auth::by_header(app, parts).await?.ok_or_else(nobody)?.person;
    let client = Client::of(app, &parts.extensions, &parts.headers);
    let opened = own::open_session(app, person, client, Door::Management).await?;
    let read = app.db.read(move |tx| {
        let roles = list::roles_held(tx, person, None)?;
        Ok::<_, Error>((profile::find(tx, person)?, roles))
    });
    let (profile, roles) = read.await?;
    let names = Names::of(&profile.name);
    let mut about = About {
        sub: profile.key,
        permissions: authorities(&roles).collect(),
        email: profile.email,
        firstname: names.first,
        lastname: names.last,
        org: ORGANIZATION,
    };
    let jwt = jwt::sign(&app.key, &mut about, &opened.id, app.clock.now(), opened.expires_at);
    let token = xsrf::token(&app.key, &opened.id);
    let mut headers = with_cookies(xsrf::cookies(app, &jwt, &token));
    let token = HeaderValue::try_from(token).expect("hexadecimal digits");
    headers.insert(xsrf::HEADER, token);
    Ok((headers, jwt))
}

/// Roles as a JWT has them.
pub(super) fn authorities(roles: &[Role]) -> impl Iterator<Item = Authority> {
    roles.iter().map(|role| Authority {
        authority: format!("{}:{}", role.scope.name(), role.name),
    })
}

async fn log_out(State(app): State<Arc<App>>, _: Organization, caller: Caller) -> Result<HeaderMap, Refusal> {
    close(&app, caller.principal).await?;
    Ok(with_cookies(xsrf::no_cookies(&app)))
}

/// Whoever asks is out afterwards, was there a session or not.
async fn log_out_of_portal(State(app): State<Arc<App>>, _: Environment, parts: Parts) -> Result<HeaderMap, Refusal> {
    if let Some(principal) = caller::of_session(&app, &parts.headers).await? {
        close(&app, principal).await?;
    }
    Ok(with_cookies(xsrf::no_cookies(&app)))
}

/// Ends the session by which somebody came, where it is one.
async fn close(app: &App, principal: Principal) -> Result<(), Problem> {
    let Some(session) = principal.session().map(str::to_owned) else {
        return Ok(());
    };
    match own::end_session(app, &principal, session).await {
        // Somebody else has just ended it.
        Err(problem) if problem.kind == Kind::Missing => Ok(()),
        ended => ended,
    }
}

fn with_cookies(cookies: [HeaderValue; 2]) -> HeaderMap {
    cookies.into_iter().map(|cookie| (SET_COOKIE, cookie)).collect()
}
