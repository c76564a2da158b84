//! The console: pages for a browser, rendered here. Every form works without a script; scripts make it quicker.
//!
//! A page is a handler that takes a `page::Reader`, asks the core, and fills a template. What the rules refuse is
//! shown where it was typed; any other problem becomes a page of its own in `dress`. Scripts, styles and requests
//! come from this server alone, and nothing inline runs (`POLICY`).

mod assets;
mod directory;
mod form;
mod inbox;
mod login;
mod me;
mod messages;
mod page;
mod refused;
mod start;
mod when;
mod words;

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use campanile_core::first::Steps;
use http::{HeaderMap, HeaderValue, header};

use crate::app::App;
use crate::problem::{Kind, Problem};
pub(crate) use assets::address as asset;
use form::Form;
use page::Reader;
use words::Words;

/// Where a directory file is uploaded: it may take longer than other requests.
pub const IMPORT: &str = "/directory/import";

/// What a page may load and do (CSP Level 3, Trusted Types). The one policy by which a script may write HTML takes it
/// from this server's own answers (`fragment.js`).
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'; \
                      require-trusted-types-for 'script'; trusted-types campanile";

/// Every page of the console.
pub fn routes(app: &Arc<App>) -> Router {
    let pages = Router::new()
        .route("/", get(home))
        .route("/environment", post(switch))
        .merge(login::routes())
        .merge(inbox::routes())
        .merge(directory::routes())
        .merge(me::routes())
        .merge(start::routes())
        .merge(messages::routes());
    pages
        .with_state(Arc::clone(app))
        .layer(from_fn(dress))
        .merge(assets::routes())
}

/// The first page: the inbox, or the first steps where nothing was done yet.
async fn home(reader: Reader) -> Redirect {
    let is_empty = reader.steps.is_some_and(Steps::is_empty);
    Redirect::to(if is_empty { "/start" } else { "/inbox" })
}

/// Chooses the environment of the pages that follow.
async fn switch(State(app): State<Arc<App>>, _: Reader, Form(fields): Form) -> Response {
    let chosen = fields.get("environment");
    let plain = chosen
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    let mut response = Redirect::to(page::back(&fields, "/")).into_response();
    if plain {
        let secure = if app.is_secure() { "; Secure" } else { "" };
        let name = page::ENVIRONMENT_COOKIE;
        let cookie = format!("{name}={chosen}; Path=/; SameSite=Lax; HttpOnly; Max-Age=31536000{secure}");
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            response.headers_mut().insert(header::SET_COOKIE, cookie);
        }
    }
    response
}

/// A problem as a page.
#[derive(Template)]
#[template(path = "console/problem.html")]
struct ProblemPage<'a> {
    words: Words,
    kind: Kind,
    title: String,
    detail: String,
    request: &'a str,
}

impl ProblemPage<'_> {
    fn is_missing(&self) -> bool {
        self.kind == Kind::Missing
    }
}

/// The headers of every page; a problem becomes a page in the browser's language.
async fn dress(request: Request, next: Next) -> Response {
    let words = Words::choose(None, page::accepted(request.headers()));
    let id = request.extensions().get::<crate::pass::RequestId>().cloned();
    let mut response = next.run(request).await;
    // The problem itself stays in the extensions, where the log finds its cause.
    if let Some(problem) = response.extensions().get::<Problem>() {
        let html = problem_html(words, problem, id.as_ref().map_or("", |id| id.as_str()));
        *response.body_mut() = html.into();
        let headers = response.headers_mut();
        headers.remove(header::CONTENT_LENGTH);
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        );
    }
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    headers.insert(header::VARY, HeaderValue::from_static("Cookie, Accept-Language"));
    response
}

/// The answer to an address that belongs to nobody, for a browser.
pub fn missing(headers: &HeaderMap) -> Option<Response> {
    let wants_html = headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"));
    wants_html.then(|| {
        let words = Words::choose(None, page::accepted(headers));
        let problem = Problem::new(Kind::Missing, "there is nothing at this address");
        let policy = (header::CONTENT_SECURITY_POLICY, POLICY);
        (
            http::StatusCode::NOT_FOUND,
            [policy],
            Html(problem_html(words, &problem, "")),
        )
            .into_response()
    })
}

fn problem_html(words: Words, problem: &Problem, request: &str) -> String {
    let page = ProblemPage {
        words,
        kind: problem.kind,
        title: words.t(&format!("problem-{}", problem.kind.id())),
        detail: words.refusal(&problem.detail),
        request,
    };
    // A template of texts alone.
    page.render().unwrap_or_default()
}
