//! Pages of other origins (Fetch Standard, "CORS protocol"): what a site's token opens can be read by pages of its
//! site's origins. Cookies never come along, since `Access-Control-Allow-Credentials` is never said; who asks is the
//! token's to say ([`crate::auth`]), and not the origin's.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use campanile_core::site;
use http::header::{self, HeaderName};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use crate::app::App;
use crate::auth::embedded;

/// What a page may send.
const HEADERS: HeaderValue = HeaderValue::from_static(
    "accept-language, authorization, campanile-part, campanile-zone, content-type, if-none-match, last-event-id, \
     x-request-id",
);
/// What a page may read.
const EXPOSED: HeaderValue = HeaderValue::from_static("etag, retry-after, x-request-id");
/// For so many seconds a browser need not ask again.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");
/// Who waits for the database longer is a stranger.
const LOOK_UP: Duration = Duration::from_secs(5);

/// The sites of whose pages a request may come, by its header `Origin`. In the extensions of such a request.
#[derive(Debug, Clone)]
pub(crate) struct Embedders {
    origin: HeaderValue,
    sites: Arc<[String]>,
    methods: &'static str,
}

impl Embedders {
    /// Whether a site is one of them.
    pub(crate) fn has(&self, site: &str) -> bool {
        self.sites.iter().any(|one| one == site)
    }

    /// The answer to a browser that asks before it sends, if the request is one.
    pub(crate) fn preflight(&self, request: &Request) -> Option<Response> {
        let asks = request.method() == Method::OPTIONS
            && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        let head = [
            (
                header::ACCESS_CONTROL_ALLOW_METHODS,
                HeaderValue::from_static(self.methods),
            ),
            (header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS),
            (header::ACCESS_CONTROL_MAX_AGE, MAX_AGE),
        ];
        asks.then(|| (StatusCode::NO_CONTENT, head).into_response())
    }

    /// Lets the page read an answer.
    pub(crate) fn dress(self, response: &mut Response) {
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, self.origin);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        headers.append(header::VARY, HeaderValue::from(HeaderName::from_static("origin")));
    }
}

/// Finds who embeds us.
pub struct Cors(Arc<App>);

impl std::fmt::Debug for Cors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Cors(…)")
    }
}

impl Cors {
    /// Of the sites of a server.
    #[must_use]
    pub fn of(app: &Arc<App>) -> Self {
        Self(Arc::clone(app))
    }

    /// The sites of whose pages a request to a route may come; `None` for all that come from no page, from pages of
    /// this server by a cookie, from pages of nobody, or to what is open to nobody.
    pub(crate) async fn embedders(&self, headers: &HeaderMap, route: &str) -> Option<Embedders> {
        let origin = headers.get(header::ORIGIN)?;
        let methods = embedded::methods(route)?;
        let text = origin
            .to_str()
            .ok()
            .filter(|origin| *origin != self.0.origin)?
            .to_owned();
        let found = self.0.db.read(move |tx| site::allowed(tx, &text));
        // Without an answer the page is a stranger, and what ails the database is told by the request itself.
        let sites = tokio::time::timeout(LOOK_UP, found).await.ok()?.ok()?;
        (!sites.is_empty()).then(|| Embedders {
            origin: origin.clone(),
            sites: sites.into(),
            methods,
        })
    }
}
