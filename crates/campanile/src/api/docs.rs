//! The API's own description: the OpenAPI document, and a reference page made of it on the server.
//!
//! Both are made once, at start. The page needs no script and nothing from another site.

mod reference;

use std::sync::{Arc, LazyLock};

use askama::Template;
use axum::Router;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::api::extract::Path;
use crate::problem::{Kind, Problem};
use reference::Reference;

/// The page may load its own stylesheet and nothing else.
const PAGE_POLICY: &str =
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const STYLESHEET: &str = include_str!("../../static/api_docs.css");

/// The document and the page, ready to be sent.
#[derive(Debug)]
pub struct Docs {
    document: Fixed,
    page: Fixed,
    stylesheet: Fixed,
}

impl Docs {
    /// Makes both out of the API's description.
    ///
    /// # Errors
    /// When the description does not serialise, which is a defect that every test of it would find.
    pub fn new(api: &utoipa::openapi::OpenApi) -> anyhow::Result<Self> {
        let value = serde_json::to_value(api)?;
        let document = serde_json::to_string_pretty(&value)?;
        let page = Page {
            reference: Reference::new(&value),
            problems: &Kind::ALL,
        }
        .render()?;
        Ok(Self {
            document: Fixed::new("application/json", document),
            page: Fixed::new("text/html; charset=utf-8", page),
            stylesheet: Fixed::new("text/css; charset=utf-8", STYLESHEET),
        })
    }

    /// The OpenAPI document as text, as `campanile openapi` prints it.
    #[must_use]
    pub fn document(&self) -> &[u8] {
        &self.document.body
    }

    /// The reference page as HTML.
    #[must_use]
    pub fn page(&self) -> &[u8] {
        &self.page.body
    }
}

/// The documents, made when the first one is asked for: they take more memory to make than the rest of an idle server.
type Made = LazyLock<Result<Docs, String>, Box<dyn FnOnce() -> Result<Docs, String> + Send>>;

/// `GET /api/v1/openapi.json`, `/api/docs`, `/api/docs.css`, and `/problems/{id}`, where a problem's `type` leads.
pub fn routes(make: impl FnOnce() -> anyhow::Result<Docs> + Send + 'static) -> Router {
    let docs: Made = LazyLock::new(Box::new(|| make().map_err(|error| error.to_string())));
    let docs = Arc::new(docs);
    let send = |pick: fn(&Docs) -> Response, fixed: fn(&Docs) -> &Fixed| {
        let docs = Arc::clone(&docs);
        get(move |headers: HeaderMap| {
            std::future::ready(match &**docs {
                Ok(docs) => fixed(docs).unchanged(&headers).unwrap_or_else(|| pick(docs)),
                Err(error) => Problem::internal(error).into_response(),
            })
        })
    };
    Router::new()
        .route(
            "/api/v1/openapi.json",
            send(|docs| docs.document.response(), |docs| &docs.document),
        )
        .route("/api/docs", send(Docs::page_response, |docs| &docs.page))
        .route(
            "/api/docs.css",
            send(|docs| docs.stylesheet.response(), |docs| &docs.stylesheet),
        )
        .route("/problems/{id}", get(problem))
}

impl Docs {
    fn page_response(&self) -> Response {
        let mut response = self.page.response();
        response
            .headers_mut()
            .insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(PAGE_POLICY));
        response
    }
}

async fn problem(Path(id): Path<String>) -> Result<Redirect, Problem> {
    match Kind::ALL.iter().find(|kind| kind.id() == id) {
        Some(kind) => Ok(Redirect::to(&format!("/api/docs#problem-{}", kind.id()))),
        None => Err(Problem::new(Kind::Missing, "there is no such kind of problem")),
    }
}

/// A text that stays the same as long as the process runs, with its `ETag`.
#[derive(Debug)]
struct Fixed {
    media_type: &'static str,
    etag: HeaderValue,
    body: Bytes,
}

impl Fixed {
    fn new(media_type: &'static str, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        let digest = ring::digest::digest(&ring::digest::SHA256, &body);
        let half = digest
            .as_ref()
            .first_chunk()
            .map_or(0, |bytes| u128::from_be_bytes(*bytes));
        let etag = HeaderValue::from_str(&format!("\"{half:032x}\"")).expect("hexadecimal digits in quotes");
        Self { media_type, etag, body }
    }

    fn response(&self) -> Response {
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static(self.media_type)),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
            (header::ETAG, self.etag.clone()),
        ];
        (headers, self.body.clone()).into_response()
    }

    /// 304, if the client says that it has this text already (RFC 9110, 13.1.2).
    fn unchanged(&self, headers: &HeaderMap) -> Option<Response> {
        let etag = self.etag.to_str().unwrap_or_default();
        let mut known = headers
            .get_all(header::IF_NONE_MATCH)
            .iter()
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(','))
            .map(|tag| tag.trim().trim_start_matches("W/"));
        known.any(|tag| tag == "*" || tag == etag).then(|| {
            let headers = [
                (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
                (header::ETAG, self.etag.clone()),
            ];
            (StatusCode::NOT_MODIFIED, headers).into_response()
        })
    }
}

#[derive(Template)]
#[template(path = "api_docs.html")]
struct Page<'a> {
    reference: Reference,
    problems: &'a [Kind],
}
