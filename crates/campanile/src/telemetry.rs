//! What an operator sees: the log, the metrics, and whether the server is alive and ready.
//!
//! Neither the log nor a label ever holds an address, a raw path, a query or a body: routes are named by their pattern
//! (`/api/v1/messages/{id}`).

pub mod traces;

use std::future::Future;
use std::io::IsTerminal as _;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use axum::Router;
use axum::extract::MatchedPath;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use campanile_core::outbox::backlog::Waiting;
use campanile_core::time::Moment;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use tracing::Level;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{LogFormat, Traces};
use crate::pass;
use traces::Sender;

/// The version of this build.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Starts the log on standard error, and has panics logged in its format. `directives` is a level or `tracing`
/// directives, as checked by the settings. Where `traces` names a collector, what is traced is sent there until what is
/// returned is dropped.
///
/// # Errors
/// When the process has a log already, the directives do not parse, or this build sends no traces.
pub fn start_log(format: LogFormat, directives: &str, traces: &Traces) -> anyhow::Result<Option<Sender>> {
    let filter: Targets = directives.parse()?;
    let sender = if let Some((layer, sender)) = traces::start(traces)? {
        let spans = layer.with_filter(Targets::new().with_target(traces::TARGET, Level::TRACE));
        let log = log(format).with_filter(filter);
        tracing_subscriber::registry().with(spans).with(log).try_init()?;
        Some(sender)
    } else {
        // One filter for all: a span or event that the log does not want costs a look at a number.
        tracing_subscriber::registry()
            .with(filter)
            .with(log(format))
            .try_init()?;
        None
    };
    std::panic::set_hook(Box::new(|panic| {
        let at = panic.location().map(ToString::to_string);
        tracing::error!(at, reason = panic.payload_as_str(), "a panic; this is a defect");
    }));
    Ok(sender)
}

/// The log in one of its formats.
fn log<S>(format: LogFormat) -> Box<dyn Layer<S> + Send + Sync>
where
    S: tracing::Subscriber + for<'s> LookupSpan<'s>,
{
    let log = tracing_subscriber::fmt::layer()
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match format {
        LogFormat::Text => log.boxed(),
        LogFormat::Json => log.json().flatten_event(true).with_current_span(false).boxed(),
    }
}

/// The numbers of the HTTP side. Clones count into the same numbers.
#[derive(Debug, Clone)]
pub struct Metrics {
    /// Connections that are open; for [`crate::serve::serve`].
    pub connections: Gauge,
    /// Requests being worked on.
    pub in_flight: Gauge,
    requests: Family<Labels, Counter>,
    durations: Family<Labels, Histogram, fn() -> Histogram>,
}

/// What requests are counted by. Every part has few values: routes are patterns, methods and classes are known.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    method: &'static str,
    route: Route,
    status: &'static str,
}

/// The pattern of a route.
#[derive(Debug, Clone)]
pub(crate) enum Route {
    /// One that the server's router has found.
    Matched(MatchedPath),
    /// One that was found without it.
    Named(&'static str),
}

impl Route {
    /// Of addresses that are no route's.
    pub(crate) const NONE: Self = Self::Named("none");

    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Matched(path) => path.as_str(),
            Self::Named(name) => name,
        }
    }
}

impl PartialEq for Route {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Route {}

impl std::hash::Hash for Route {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl EncodeLabelValue for Route {
    fn encode(&self, encoder: &mut LabelValueEncoder) -> Result<(), std::fmt::Error> {
        self.as_str().encode(encoder)
    }
}

impl Metrics {
    /// Registers the HTTP numbers, the start of the process and the build. Names begin with `campanile_`, but for
    /// `process_start_time_seconds`, which tools know by that name.
    pub fn new(registry: &mut Registry, started: Moment) -> Self {
        let metrics = Self {
            connections: Gauge::default(),
            in_flight: Gauge::default(),
            requests: Family::default(),
            // From half a millisecond, a read, to ten seconds, a request near its end.
            durations: Family::new_with_constructor(|| {
                Histogram::new([
                    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0,
                ])
            }),
        };
        let start = ConstGauge::new(started.0 as f64 / 1_000.0);
        registry.register(
            "process_start_time_seconds",
            "When the process started, in seconds since 1970",
            start,
        );
        let ours = registry.sub_registry_with_prefix("campanile");
        ours.register("build", "The build that runs", Info::new([("version", VERSION)]));
        ours.register(
            "http_connections",
            "Connections that are open",
            metrics.connections.clone(),
        );
        ours.register(
            "http_requests_in_flight",
            "Requests being worked on",
            metrics.in_flight.clone(),
        );
        ours.register("http_requests", "Requests answered", metrics.requests.clone());
        ours.register(
            "http_request_duration_seconds",
            "Until the head of the answer",
            metrics.durations.clone(),
        );
        metrics
    }

    /// Counts an answered request.
    pub(crate) fn answered(&self, method: &'static str, route: Route, status: StatusCode, took: Duration) {
        let labels = Labels {
            method,
            route,
            status: class(status),
        };
        self.requests.get_or_create(&labels).inc();
        self.durations.get_or_create(&labels).observe(took.as_secs_f64());
    }
}

/// What becomes of what leaves the house, how much of it waits, and how many devices could be told. Clones count into
/// the same numbers.
#[derive(Debug, Clone, Default)]
pub struct Leaving {
    /// Devices of everybody, as they were last counted.
    pub devices: Gauge,
    tries: Family<Try, Counter>,
    waiting: Family<Queue, Gauge>,
    oldest: Family<Queue, Gauge<f64, AtomicU64>>,
}

/// Where something waits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Queue {
    channel: &'static str,
    lane: &'static str,
}

/// What tries are counted by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Try {
    channel: &'static str,
    outcome: &'static str,
}

impl Leaving {
    /// Registers the numbers.
    pub fn register(&self, registry: &mut Registry) {
        let ours = registry.sub_registry_with_prefix("campanile");
        ours.register(
            "deliveries",
            "Tries to deliver, by what came of them",
            self.tries.clone(),
        );
        ours.register("push_devices", "Devices that are pushed to", self.devices.clone());
        ours.register(
            "outbox_waiting",
            "Recipients that wait, of the whole installation; at most about 100,000 are counted",
            self.waiting.clone(),
        );
        ours.register(
            "outbox_oldest_seconds",
            "For how long the first of them might have left",
            self.oldest.clone(),
        );
    }

    /// Takes down how much waits.
    pub(crate) fn waits(&self, backlog: &[Waiting], now: Moment) {
        for one in backlog {
            let queue = Queue {
                channel: one.channel,
                lane: one.lane.name(),
            };
            let count = i64::try_from(one.count).unwrap_or(i64::MAX);
            self.waiting.get_or_create(&queue).set(count);
            let late = one.since.map_or(0, |since| now.0.saturating_sub(since.0).max(0));
            self.oldest.get_or_create(&queue).set(late as f64 / 1_000.0);
        }
    }

    /// Counts a try, where it was one.
    pub(crate) fn tried(&self, channel: &'static str, outcome: Option<&'static str>) {
        if let Some(outcome) = outcome {
            self.tries.get_or_create(&Try { channel, outcome }).inc();
        }
    }
}

/// The class of a status: `2xx`.
const fn class(status: StatusCode) -> &'static str {
    match status.as_u16() / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    }
}

/// The name of a method; those that are not in use share one, since a client can invent them.
pub(crate) fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "OTHER",
    }
}

/// Whether the server can do its work, part by part.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Readiness {
    /// The parts (`database`) and what stands in the way of each, if anything does. The text is shown to
    /// anyone who asks: no addresses, no secrets.
    pub parts: Vec<(&'static str, Result<(), String>)>,
    /// What is told beside them, in the same way, and stands in nobody's way.
    pub asides: Vec<(&'static str, Result<(), String>)>,
}

impl Readiness {
    /// Whether every part can work.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.parts.iter().all(|(_, state)| state.is_ok())
    }
}

impl IntoResponse for Readiness {
    fn into_response(self) -> Response {
        let said = |(name, state): &(&'static str, Result<(), String>)| {
            let state = state.as_ref().map_or_else(Clone::clone, |()| "ok".into());
            ((*name).to_owned(), state.into())
        };
        let parts: serde_json::Map<_, _> = self.parts.iter().chain(&self.asides).map(said).collect();
        let is_whole = self.asides.iter().all(|(_, state)| state.is_ok());
        let (code, status) = match (self.is_ready(), is_whole) {
            (true, true) => (StatusCode::OK, "ok"),
            (true, false) => (StatusCode::OK, "degraded"),
            (false, _) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
        };
        let mut body = serde_json::json!({ "status": status });
        body.as_object_mut().expect("an object, as written above").extend(parts);
        let mut response = (code, PLAIN_ANSWER, axum::Json(body)).into_response();
        if code != StatusCode::OK {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

/// The headers of answers that do not come through [`crate::pass`].
const PLAIN_ANSWER: [(HeaderName, HeaderValue); 3] = [
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
];

/// `GET /health`, `GET /ready` and `GET /metrics`. Merged into the router after [`crate::pass::around`], so that
/// they are as thin as can be, and neither logged nor counted.
pub fn routes<F, Fut>(registry: Registry, ready: F) -> Router
where
    F: Fn() -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Readiness> + Send,
{
    let registry = Arc::new(registry);
    Router::new()
        .route("/health", get(health))
        .route("/ready", get(ready))
        .route(
            "/metrics",
            get(move |headers: HeaderMap| std::future::ready(metrics(&registry, &headers))),
        )
        .method_not_allowed_fallback(|| async { (PLAIN_ANSWER, pass::wrong_method()) })
}

/// The process is alive and its loop turns. Asks nothing of anything else.
async fn health() -> Response {
    const JSON: HeaderValue = HeaderValue::from_static("application/json");
    (PLAIN_ANSWER, [(header::CONTENT_TYPE, JSON)], r#"{"status":"ok"}"#).into_response()
}

/// Every number, as text. One text serves both formats; who asks for `OpenMetrics` is told that it is that.
fn metrics(registry: &Registry, headers: &HeaderMap) -> Response {
    const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";
    let mut text = String::new();
    if let Err(error) = prometheus_client::encoding::text::encode(&mut text, registry) {
        return crate::problem::Problem::internal(error).into_response();
    }
    let accepts = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let media_type = if accepts.contains("application/openmetrics-text") {
        OPEN_METRICS
    } else {
        PROMETHEUS
    };
    (PLAIN_ANSWER, [(header::CONTENT_TYPE, media_type)], text).into_response()
}
