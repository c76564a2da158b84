//! Log-in and log-out.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use http::{HeaderMap, header};

use super::form::{self, Asked, Form};
use super::page::{self, accepted};
use super::words::Words;
use crate::app::App;
use crate::auth::{self, Client, Principal};
use crate::own::{self, Door};
use crate::problem::{Kind, Problem};

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/login", get(ask).post(log_in))
        .route("/logout", post(log_out))
}

/// The form.
#[derive(Template)]
#[template(path = "console/login.html")]
struct LoginPage<'a> {
    words: Words,
    login: &'a str,
    next: &'a str,
    refused: Option<String>,
    left: bool,
}

async fn ask(
    principal: Result<Principal, Problem>,
    headers: HeaderMap,
    Asked(asked): Asked,
) -> Result<Response, Problem> {
    let next = asked.some("next").filter(|next| form::is_own(next)).unwrap_or("/");
    if principal.is_ok() {
        return Ok(Redirect::to(next).into_response());
    }
    page::show(&LoginPage {
        words: Words::choose(None, accepted(&headers)),
        login: "",
        next,
        refused: None,
        left: asked.has("left"),
    })
}

async fn log_in(
    State(app): State<Arc<App>>,
    client: Client,
    headers: HeaderMap,
    Form(fields): Form,
) -> Result<Response, Problem> {
    let next = fields.some("next").filter(|next| form::is_own(next)).unwrap_or("/");
    let (login, password) = (fields.get("login"), fields.text("password"));
    let person = match auth::by_password(&app, login, password, client.address).await {
        Ok(person) => person,
        Err(problem) => {
            let words = Words::choose(None, accepted(&headers));
            let refused = match problem.kind {
                Kind::Unauthenticated => words.t("login-wrong"),
                Kind::Throttled => words.n("login-throttled", problem.retry_after.unwrap_or(1) as u64),
                _ => return Err(problem),
            };
            let left = false;
            let page = LoginPage {
                words,
                login,
                next,
                refused: Some(refused),
                left,
            };
            return page::refuse(&page);
        }
    };
    let opened = own::open_session(&app, person, client, Door::Console).await?;
    let cookie = auth::cookie(&app, &opened.secret);
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to(next)).into_response())
}

async fn log_out(State(app): State<Arc<App>>, client: Client, headers: HeaderMap) -> Result<Response, Problem> {
    own::log_out(&app, &headers, client).await?;
    let cookie = auth::no_cookie(&app);
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to("/login?left=1")).into_response())
}
