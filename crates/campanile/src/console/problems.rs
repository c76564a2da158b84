//! Problems as pages: in the reader's language and with the top bar where somebody is signed in, alone otherwise. A
//! form that comes when the session is over is not lost: its page holds what was typed, to be sent again.

use std::sync::Arc;

use askama::Template;
use axum::extract::{FromRequest, FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, header};

use super::POLICY;
use super::form::Fields;
use super::page::{self, Page, Viewer};
use super::words::Words;
use crate::app::App;
use crate::problem::{Kind, Problem};

/// Fields that hold passwords.
const SECRETS: [&str; 4] = ["password", "old", "new", "again"];

/// A problem as a page of its own.
#[derive(Template)]
#[template(path = "console/problem.html")]
struct ProblemPage<'a> {
    words: Words,
    title: String,
    said: String,
    request: &'a str,
}

/// A problem as a page of somebody who is signed in.
#[derive(Template)]
#[template(path = "console/problem_of_reader.html")]
struct ReadersProblem<'a> {
    page: Page<'a>,
    said: String,
    request: &'a str,
}

/// A form that came when the session was over, with all that was typed.
#[derive(Template)]
#[template(path = "console/again.html")]
struct AgainPage<'a> {
    words: Words,
    title: String,
    action: &'a str,
    fields: Vec<(&'a str, &'a str)>,
}

/// The title, and what is said below it.
fn texts(words: Words, problem: &Problem) -> (String, String) {
    let title = words.t(&format!("problem-{}", problem.kind.id()));
    let said = match problem.kind {
        Kind::Missing => words.t("problem-missing-text"),
        _ => words.refusal(&problem.detail),
    };
    (title, said)
}

/// A problem as a page, for nobody in particular.
fn alone(words: Words, problem: &Problem, request: &str) -> String {
    let (title, said) = texts(words, problem);
    let page = ProblemPage {
        words,
        title,
        said,
        request,
    };
    // A template of texts alone.
    page.render().unwrap_or_default()
}

/// The headers of every page; a problem becomes a page.
pub(super) async fn dress(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let id = request.extensions().get::<crate::pass::RequestId>().cloned();
    let (mut parts, body) = request.into_parts();
    let typed = match typed(&parts, body).await {
        Ok(typed) => typed,
        Err(problem) => return with_headers(problem.into_response()),
    };
    let (form, body) = typed;
    let mut response = next.run(Request::from_parts(parts.clone(), body)).await;
    // The problem itself stays in the extensions, where the log finds its cause.
    if let Some(problem) = response.extensions().get::<Problem>() {
        let request = id.as_ref().map_or("", |id| id.as_str());
        let html = match (problem.kind, form) {
            (Kind::Unauthenticated, Some(form)) => again(&parts, &form),
            _ => None,
        };
        let html = match html {
            Some(html) => html,
            None => problem_page(&app, &mut parts, problem, request).await,
        };
        *response.body_mut() = html.into();
        let headers = response.headers_mut();
        headers.remove(header::CONTENT_LENGTH);
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        );
    }
    with_headers(response)
}

/// The same where browsers are not the only ones who ask.
pub(super) async fn dress_for_browsers(app: State<Arc<App>>, request: Request, next: Next) -> Response {
    if wants_page(request.headers()) {
        dress(app, request, next).await
    } else {
        next.run(request).await
    }
}

fn with_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    // What is shown of a mail has a stricter one of its own.
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static(POLICY));
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    headers.insert(header::VARY, HeaderValue::from_static("Cookie, Accept-Language"));
    response
}

/// The bytes of a form, to be read here and by its handler. Other bodies pass as they come.
async fn typed(parts: &Parts, body: axum::body::Body) -> Result<(Option<Bytes>, axum::body::Body), Problem> {
    let media_type = parts.headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    let is_form = media_type.is_some_and(|value| {
        value
            .to_ascii_lowercase()
            .starts_with(b"application/x-www-form-urlencoded")
    });
    if parts.method != Method::POST || !is_form {
        return Ok((None, body));
    }
    let whole = Request::from_parts(parts.clone(), body);
    let bytes = Bytes::from_request(whole, &())
        .await
        .map_err(|_| Problem::new(Kind::TooLarge, "the form did not arrive whole, or is too large"))?;
    Ok((Some(bytes.clone()), bytes.into()))
}

async fn problem_page(app: &Arc<App>, parts: &mut Parts, problem: &Problem, request: &str) -> String {
    // Where the server itself is unwell, nothing more is asked of it.
    let is_well = problem.kind.status().is_client_error();
    let reader = if is_well {
        Viewer::from_request_parts(parts, app).await.ok()
    } else {
        None
    };
    let Some(reader) = reader else {
        return alone(Words::choose(None, page::accepted(&parts.headers)), problem, request);
    };
    let (title, said) = texts(reader.words, problem);
    let page = ReadersProblem {
        page: Page::new(&reader, "", title),
        said,
        request,
    };
    page.render().unwrap_or_default()
}

/// The page that holds a form until its sender has logged in again.
fn again(parts: &Parts, form: &[u8]) -> Option<String> {
    let words = Words::choose(None, page::accepted(&parts.headers));
    let fields = Fields::read(form).ok()?;
    // What is secret is typed again rather than shown to whoever sits there now.
    let fields = fields.each().filter(|(name, _)| !SECRETS.contains(name));
    let page = AgainPage {
        words,
        title: words.t("problem-unauthenticated"),
        action: parts.uri.path_and_query().map_or("/", |at| at.as_str()),
        fields: fields.collect(),
    };
    page.render().ok()
}

/// Whether a page is wanted rather than a document for programs.
#[must_use]
pub(crate) fn wants_page(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"))
}

/// Makes a page of a problem that arose before any page was reached, for a browser.
pub(crate) fn into_page(response: &mut Response, problem: &Problem, languages: &HeaderValue, request: &str) {
    let html = alone(Words::choose(None, languages.to_str().ok()), problem, request);
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    *response.body_mut() = html.into();
}
