//! What every request goes through, once and in one place: its id, the check that another site did not send it, what
//! pages of sites may read, a limit on its time, panics, the headers of every answer, the numbers and the log.
//!
//! One function rather than a tower of layers: each layer costs a boxed future, and this is the path of every request.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use prometheus_client::metrics::gauge::Gauge;
use tokio_util::sync::CancellationToken;
use tower::{Layer, ServiceExt};
use tower_http::csrf::CsrfLayer;
use tracing::field::Empty;
use tracing::{Instrument as _, Span};

use crate::address::Network;
use crate::config::Limits;
use crate::cors::Cors;
use crate::problem::{Kind, MEDIA_TYPE, Problem};
use crate::telemetry::{Metrics, Route, method_name, traces};
use crate::{console, management, v3};

/// The name of the session's cookie where the server is reached by `http`.
pub const SESSION_COOKIE: &str = "campanile_session";
/// The name of the session's cookie where the server is reached by `https`: a browser keeps it only as a Secure
/// cookie of this very host.
pub const SECURE_SESSION_COOKIE: &str = "__Host-campanile_session";

/// The name of the session's cookie for a public URL.
#[must_use]
pub fn session_cookie(public_url: &str) -> &'static str {
    if public_url.starts_with("https://") {
        SECURE_SESSION_COOKIE
    } else {
        SESSION_COOKIE
    }
}

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const BEARER: HeaderValue = HeaderValue::from_static("Bearer");
const BASIC_OR_BEARER: HeaderValue = HeaderValue::from_static("Basic realm=\"Campanile\", Bearer");

/// The id of a request: the client's own `X-Request-Id` if it is 1 to 64 of `A-Z a-z 0-9 . _ -`, else 16 hexadecimal
/// digits. In the extensions of every request, in every answer's header, in every problem and in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0
            .to_str()
            .expect("letters and digits, as checked when it was made")
    }
}

/// What the pass needs to know.
#[derive(Debug)]
pub struct Pass {
    metrics: Metrics,
    csrf: CsrfLayer<fn(tower_http::csrf::ProtectionError) -> Response>,
    cookies: Vec<&'static str>,
    long: Vec<&'static str>,
    open: Vec<&'static str>,
    cors: Option<Cors>,
    trusted: Vec<Network>,
    departing: CancellationToken,
    body_limit: usize,
    request_timeout: Duration,
    nonce: u64,
    count: AtomicU64,
}

impl Pass {
    /// A pass for a server that people reach as `public_url` (`scheme://host[:port]`). `nonce` is where request ids
    /// start: random, so that no two processes share ids.
    #[must_use]
    pub fn new(metrics: Metrics, limits: &Limits, public_url: &str, nonce: u64) -> Self {
        let csrf = CsrfLayer::new();
        // An origin that does not parse as one cannot be sent by a browser either.
        let csrf = csrf.clone().add_trusted_origin(public_url).unwrap_or(csrf);
        Self {
            metrics,
            csrf: csrf.with_rejection_response(cross_site),
            cookies: vec![SESSION_COOKIE, SECURE_SESSION_COOKIE],
            long: Vec::new(),
            open: Vec::new(),
            cors: None,
            trusted: Vec::new(),
            departing: CancellationToken::new(),
            body_limit: limits.body_limit,
            request_timeout: limits.request_timeout,
            nonce,
            count: AtomicU64::new(0),
        }
    }

    /// One more cookie that signs a person in, so that requests with it are checked for their site.
    #[must_use]
    pub fn with_cookie(mut self, name: &'static str) -> Self {
        self.cookies.push(name);
        self
    }

    /// A route, as its pattern, that may take longer than [`Limits::request_timeout`] to answer, such as an upload.
    /// Streams need no mention: the limit is on the head of the answer.
    #[must_use]
    pub fn with_long_route(mut self, pattern: &'static str) -> Self {
        self.long.push(pattern);
        self
    }

    /// A route, as its pattern, to which pages and programs of other sites may post: what it does is proved by a secret
    /// in its address, and no cookie is looked at.
    #[must_use]
    pub fn with_open_route(mut self, pattern: &'static str) -> Self {
        self.open.push(pattern);
        self
    }

    /// Pages of sites that embed us may read what is open to them.
    #[must_use]
    pub fn with_embedders(mut self, cors: Cors) -> Self {
        self.cors = Some(cors);
        self
    }

    /// Proxies that are believed: a request that they trace is one of their trace.
    #[must_use]
    pub fn with_trusted(mut self, proxies: &[Network]) -> Self {
        proxies.clone_into(&mut self.trusted);
        self
    }

    /// Cancelled when the server is about to stop: from then on each answer is the last of its connection, so that a
    /// proxy which keeps connections finds none of them closed under a request.
    #[must_use]
    pub fn with_departing(mut self, departing: CancellationToken) -> Self {
        self.departing = departing;
        self
    }

    fn id(&self, headers: &HeaderMap) -> RequestId {
        let fits = |id: &&HeaderValue| {
            (1..=64).contains(&id.len())
                && id
                    .as_bytes()
                    .iter()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(byte))
        };
        RequestId(headers.get(X_REQUEST_ID).filter(fits).cloned().unwrap_or_else(|| {
            let id = self.nonce.wrapping_add(self.count.fetch_add(1, Ordering::Relaxed));
            HeaderValue::from_str(&format!("{id:016x}")).expect("hexadecimal digits")
        }))
    }

    /// Whether a browser may have sent this on behalf of a page: a change, authenticated by nothing but a cookie, or a
    /// form, which may be a log-in that another site begs for.
    fn is_by_browser(&self, request: &Request) -> bool {
        let harmless = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
        !harmless
            && !request.headers().contains_key(header::AUTHORIZATION)
            && (is_form(request.headers()) || cookie_names(request.headers()).any(|name| self.cookies.contains(&name)))
    }
}

/// Puts a router behind the pass, with problems for unknown methods (405, with `Allow`), and the body limit of the
/// settings; a route's own `DefaultBodyLimit` goes before it.
pub fn around(router: Router, pass: Pass) -> Router {
    let limit = DefaultBodyLimit::max(pass.body_limit);
    router
        .method_not_allowed_fallback(|| async { wrong_method() })
        .layer((from_fn_with_state(Arc::new(pass), run), limit))
}

/// The answer to a method that an address does not know.
pub(crate) fn wrong_method() -> Problem {
    let detail = "this address knows other methods; the header `Allow` lists them";
    Problem::new(Kind::Method, detail)
}

/// The answer to an address that belongs to nobody. A router brings it along, dressed as it likes.
pub async fn nothing() -> Problem {
    Problem::new(Kind::Missing, "there is nothing at this address")
}

async fn run(State(pass): State<Arc<Pass>>, mut request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let id = pass.id(request.headers());
    let path = request.uri().path();
    let contract = Contract::of(path);
    let route = match request.extensions().get::<MatchedPath>() {
        Some(path) => Route::Matched(path.clone()),
        None => contract.and_then(Contract::pattern).map_or(Route::NONE, Route::Named),
    };
    let seen = Seen {
        method: method_name(request.method()),
        route,
        is_api: contract.is_some() || path.starts_with("/api/"),
        contract,
        is_browser: is_browser(request.headers()),
        page_in: wants_page(&request).filter(|_| contract.is_none()),
    };
    let span = traced(&pass, &seen, &id, &request);
    request.extensions_mut().insert(id.clone());
    let in_flight = InFlight::new(&pass.metrics.in_flight);
    let embedders = match &pass.cors {
        Some(cors) => cors.embedders(request.headers(), seen.route.as_str()).await,
        None => None,
    };
    let mut response = if let Some(response) = embedders.as_ref().and_then(|of| of.preflight(&request)) {
        response
    } else {
        if let Some(embedders) = &embedders {
            request.extensions_mut().insert(embedders.clone());
        }
        answer(&pass, &seen, request, next).instrument(span.clone()).await
    };
    drop(in_flight);
    finish(&mut response, &seen, &id);
    if pass.departing.is_cancelled() {
        let headers = response.headers_mut();
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    if let Some(embedders) = embedders {
        embedders.dress(&mut response);
    }
    let took = begun.elapsed();
    let status = response.status();
    span.record("http.response.status_code", status.as_u16());
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
    drop(span);
    tracing::info!(
        target: "campanile::request",
        method = seen.method,
        route = seen.route.as_str(),
        status = status.as_u16(),
        ms = took.as_secs_f64() * 1_000.0,
        request_id = id.as_str(),
    );
    pass.metrics.answered(seen.method, seen.route, status, took);
    response
}

/// The span of a request, for who wants traces: begun when its head is there, ended with the head of the answer.
fn traced(pass: &Pass, seen: &Seen, id: &RequestId, request: &Request) -> Span {
    let (method, route) = (seen.method, seen.route.as_str());
    let span = tracing::trace_span!(
        target: "campanile::trace",
        "request",
        otel.name = %format_args!("{method} {route}"),
        otel.kind = "server",
        http.request.method = method,
        http.route = route,
        request_id = id.as_str(),
        http.response.status_code = Empty,
        otel.status_code = Empty,
    );
    traces::follow(&span, request, &pass.trusted);
    span
}

/// Whether a browser asks. Those of today say so themselves, but to a server reached by plain `http` on a network they
/// leave it out; there their name gives them away.
fn is_browser(headers: &HeaderMap) -> bool {
    let agent = headers.get(header::USER_AGENT).map_or(&b""[..], HeaderValue::as_bytes);
    headers.contains_key(SEC_FETCH_MODE) || agent.starts_with(b"Mozilla/")
}

/// The languages of who asks for a page of the console by navigating to it.
fn wants_page(request: &Request) -> Option<HeaderValue> {
    let wanted = console::wants_page(request.headers()) && !request.uri().path().starts_with("/api/");
    let languages = request.headers().get(header::ACCEPT_LANGUAGE);
    wanted.then(|| languages.cloned().unwrap_or(HeaderValue::from_static("")))
}

/// The contract of others to which an address belongs, be there something or not: each refuses in a shape of its own.
#[derive(Clone, Copy)]
enum Contract {
    /// That of UI messages; at which of its places.
    UiMessages(Option<&'static v3::place::Place>),
    /// That of console messaging; by which of its two interfaces.
    ConsoleMessaging(management::place::Interface),
}

impl Contract {
    fn of(path: &str) -> Option<Self> {
        if v3::place::is_ours(path) {
            return Some(Self::UiMessages(v3::place::find(path)));
        }
        management::place::Interface::of(path).map(Self::ConsoleMessaging)
    }

    /// Its place, where the router does not say.
    fn pattern(self) -> Option<&'static str> {
        match self {
            Self::UiMessages(place) => place.map(|place| place.pattern),
            Self::ConsoleMessaging(_) => None,
        }
    }

    /// What a 401 asks for.
    const fn challenge(self) -> HeaderValue {
        match self {
            Self::UiMessages(_) => BASIC_OR_BEARER,
            Self::ConsoleMessaging(interface) => interface.challenge(),
        }
    }

    /// Puts the answer that a problem has made into the shape of the contract.
    fn into_shape(self, response: &mut Response, problem: &Problem) {
        match self {
            Self::UiMessages(place) => {
                let body = place.map_or("", |place| place.body);
                v3::refusal::into_shape(response, problem, body);
            }
            Self::ConsoleMessaging(interface) => management::refusal::into_shape(response, problem, interface),
        }
    }
}

/// What is remembered of a request when it has been answered.
struct Seen {
    method: &'static str,
    route: Route,
    is_api: bool,
    contract: Option<Contract>,
    is_browser: bool,
    /// The languages of a browser that waits for a page; `None` for who does not.
    page_in: Option<HeaderValue>,
}

/// The router's answer, whatever becomes of the handler.
async fn answer(pass: &Pass, seen: &Seen, request: Request, next: Next) -> Response {
    let handled = async {
        if pass.is_by_browser(&request) && !pass.open.contains(&seen.route.as_str()) {
            let inner =
                tower::service_fn(|request: Request| next.clone().run(request).map(Ok::<_, std::convert::Infallible>));
            match pass.csrf.layer(inner).oneshot(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            }
        } else {
            next.run(request).await
        }
    };
    // A panic loses this request alone: what it shared is behind locks that notice, or in the database.
    let handled = AssertUnwindSafe(handled).catch_unwind();
    let handled = if pass.long.contains(&seen.route.as_str()) {
        handled.await
    } else {
        match tokio::time::timeout(pass.request_timeout, handled).await {
            Ok(handled) => handled,
            Err(_) => return too_slow().into_response(),
        }
    };
    handled.unwrap_or_else(|_| Problem::internal("the handler panicked").into_response())
}

fn too_slow() -> Problem {
    let detail = "the request was given up; what it was to change may or may not have been changed";
    Problem {
        retry_after: Some(1),
        cause: Some("the request timed out".into()),
        ..Problem::new(Kind::Timeout, detail)
    }
}

fn cross_site(_: tower_http::csrf::ProtectionError) -> Response {
    let detail = "a page of another site sent this; only pages of this server may act for the person signed in";
    Problem::new(Kind::CrossSite, detail).into_response()
}

/// The headers of every answer, and what a problem learns only here: its id, and the challenge of a 401.
fn finish(response: &mut Response, seen: &Seen, id: &RequestId) {
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        finish_problem(response, problem, seen, id);
    }
    let headers = response.headers_mut();
    headers.insert(X_REQUEST_ID, id.0.clone());
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    if seen.is_api {
        headers
            .entry(header::CACHE_CONTROL)
            .or_insert(HeaderValue::from_static("no-store"));
    }
}

fn finish_problem(response: &mut Response, mut problem: Problem, seen: &Seen, id: &RequestId) {
    if let Some(cause) = &problem.cause {
        let (kind, route, request_id) = (problem.kind.id(), seen.route.as_str(), id.as_str());
        tracing::error!(kind, method = seen.method, route, request_id, cause, "a request failed");
    }
    if problem.kind == Kind::Unauthenticated {
        // A browser that sees `Basic` opens a window of its own over the console.
        let challenge = match seen.contract {
            _ if seen.is_browser => BEARER,
            Some(contract) => contract.challenge(),
            None => BASIC_OR_BEARER,
        };
        response
            .headers_mut()
            .entry(header::WWW_AUTHENTICATE)
            .or_insert(challenge);
    }
    // Still as the problem wrote it, and not in the shape of another contract.
    if response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| value == MEDIA_TYPE)
    {
        if let Some(contract) = seen.contract {
            contract.into_shape(response, &problem);
            return;
        }
        if let Some(languages) = &seen.page_in {
            console::into_page(response, &problem, languages, id.as_str());
            return;
        }
        problem.request_id = Some(id.as_str().to_owned());
        let json = problem.to_json();
        response.headers_mut().insert(header::CONTENT_LENGTH, json.len().into());
        response
            .headers_mut()
            .entry(header::CACHE_CONTROL)
            .or_insert(HeaderValue::from_static("no-store"));
        *response.body_mut() = json.into();
    }
}

/// Whether a page can send this without a script, and so without asking first.
fn is_form(headers: &HeaderMap) -> bool {
    let media_type = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    media_type.is_some_and(|value| {
        let value = value.to_ascii_lowercase();
        let kinds: [&[u8]; 3] = [
            b"application/x-www-form-urlencoded",
            b"multipart/form-data",
            b"text/plain",
        ];
        kinds.iter().any(|kind| value.starts_with(kind))
    })
}

/// The names of the cookies that a request brings.
fn cookie_names(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|cookie| cookie.split_once('=').map(|(name, _)| name.trim()))
}

/// Counts a request for as long as it is worked on, also when its client hangs up.
struct InFlight<'a>(&'a Gauge);

impl<'a> InFlight<'a> {
    fn new(gauge: &'a Gauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}
