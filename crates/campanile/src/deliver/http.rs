//! One attempt to post one message, from the check of its URL to what came of it. Nothing of the queue.
//!
//! What the target says is not repeated to the sender, who might be reading somebody else's server by it: a status code
//! is all that leaves this module.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use campanile_core::outbox::post::{Headers, Proxy};
use campanile_core::outbox::signing::SigningSecret;
use campanile_core::secret::{guid, sha256};
use campanile_core::time::Moment;
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::{Instant, timeout_at};
use tracing::Instrument as _;
use url::Url;

use super::connector::{Connector, Dial};
use super::guard::{Guard, Resolve, Trouble};
use super::retry::{self, Plea};
use crate::chance::Chance;
use crate::config::Http;

/// Bytes of an answer's head.
const HEAD_MAX: usize = 32 * 1024;
/// Headers of an answer.
const HEADERS_MAX: usize = 100;
/// A connection that is not used for this long is closed; many servers close theirs not much later.
const IDLE: Duration = Duration::from_secs(15);
/// Connections to one target that are kept for later.
const IDLE_MAX: usize = 64;
const AGENT: HeaderValue = HeaderValue::from_static(concat!("Campanile/", env!("CARGO_PKG_VERSION")));

type Pool = legacy::Client<Connector, Full<Bytes>>;

/// The means to post: pools of connections, directly and through the system proxy. Costs about a megabyte for the
/// system's certificates, so it is made when the first message is posted, and once.
pub struct Client {
    guard: Arc<Guard>,
    direct: Pool,
    proxied: Pool,
    use_proxy: bool,
    timeout: Duration,
    answer_limit: u64,
}

/// One message to one target.
#[derive(Debug, Clone)]
pub struct Request {
    /// Checked at SEND.
    pub url: Url,
    /// The sender's own headers.
    pub headers: Headers,
    /// Whether it goes through the system proxy.
    pub proxy: Proxy,
    /// Every byte of the body.
    pub body: Bytes,
    /// `webhook-id`: the same at every attempt, without a dot.
    pub id: String,
    /// The target's secrets that are good now, the newest first.
    pub secrets: Vec<SigningSecret>,
    /// Headers of ours in place of those of Standard Webhooks: of a push.
    pub own: Option<HeaderMap>,
    /// Which attempt this is, from 1. Those that were no fault of the target do not count.
    pub attempt: u32,
    /// Later than this nothing is tried.
    pub give_up_at: Moment,
}

/// What came of an attempt. Reasons are whole sentences' ends in plain words, as `the target answered 500`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The target has it.
    Done {
        /// A status of 200 to 299.
        code: u16,
    },
    /// It may go better later.
    Retry {
        /// When.
        at: Moment,
        /// Why not now.
        reason: String,
        /// The target's status, if it answered.
        code: Option<u16>,
        /// The target has too much to do: nothing else should be posted to it before.
        throttled: bool,
    },
    /// It was no fault of the target: this attempt does not count.
    Ours {
        /// When to try again.
        at: Moment,
        /// What is wrong here, for the operator.
        reason: String,
    },
    /// It will not go.
    Dead {
        /// Why.
        reason: String,
        /// The target's status, if it answered.
        code: Option<u16>,
        /// The target wants nothing any more (410): an endpoint is to be switched off.
        gone: bool,
    },
}

/// Why an attempt got no answer.
enum Failure {
    /// It cannot be sent at all.
    Refused(String),
    Trouble(Trouble),
    /// The connection was there; what went wrong on it.
    Broken(&'static str),
    Late,
}

struct Answer {
    code: u16,
    asked_ms: Option<i64>,
}

impl Client {
    /// A client by the settings. `own` are the addresses that this server listens at, `roots` the authorities that are
    /// believed: [`super::connector::system_roots`].
    #[must_use]
    pub fn new(
        settings: &Http,
        own: Vec<SocketAddr>,
        resolver: Arc<dyn Resolve>,
        roots: rustls::RootCertStore,
    ) -> Self {
        let guard = Arc::new(Guard::new(settings, own, resolver));
        let tls = super::connector::tls(roots);
        let pool = |by_proxy: bool| {
            let dial = Dial::new(Arc::clone(&guard), by_proxy);
            legacy::Client::builder(TokioExecutor::new())
                .pool_timer(TokioTimer::new())
                .pool_idle_timeout(IDLE)
                .pool_max_idle_per_host(IDLE_MAX)
                .http1_max_buf_size(HEAD_MAX)
                .http1_max_headers(HEADERS_MAX)
                // As receivers know them; the case that was typed cannot be kept.
                .http1_title_case_headers(true)
                .build(Connector::new(dial, Arc::clone(&tls)))
        };
        Self {
            direct: pool(false),
            proxied: pool(true),
            guard,
            use_proxy: settings.use_proxy,
            timeout: settings.timeout,
            answer_limit: settings.answer_limit,
        }
    }

    async fn attempt(&self, request: &Request, now: Moment) -> Result<Answer, Failure> {
        let policy = self.guard.policy();
        policy.vet_url(&request.url).map_err(|reason| {
            // Where nothing is posted at all, the URL is not to blame.
            let is_url = policy.enabled;
            Failure::Refused(if is_url { format!("the URL {reason}") } else { reason })
        })?;
        let by_proxy = match request.proxy {
            Proxy::Yes if !self.guard.routes().is_some() => {
                return Err(Failure::Refused("this server has no system proxy".into()));
            }
            Proxy::Yes => true,
            Proxy::No => false,
            Proxy::Default => self.use_proxy,
        };
        let mut prepared = prepare(request, now).map_err(Failure::Refused)?;
        let proxy = self.guard.routes().proxy_for(request.url.scheme(), host(&request.url));
        let absolute = proxy.filter(|_| by_proxy && request.url.scheme() == "http");
        if let Some(value) = absolute.and_then(|proxy| proxy.authorization.as_ref()) {
            prepared
                .headers_mut()
                .insert(header::PROXY_AUTHORIZATION, value.clone());
        }
        if self.guard.is_crowded() {
            prepared
                .headers_mut()
                .insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        let pool = if by_proxy { &self.proxied } else { &self.direct };
        let until = Instant::now() + self.timeout;
        let answer = timeout_at(until, pool.request(prepared)).await;
        let answer = answer.map_err(|_| Failure::Late)?.map_err(|error| failure(&error))?;
        let (head, body) = answer.into_parts();
        // The status counts. The body is read for the connection's sake, that it can be used again.
        let _ = timeout_at(until, drain(body, self.answer_limit)).await;
        if absolute.is_some() && head.status == http::StatusCode::PROXY_AUTHENTICATION_REQUIRED {
            let reason = "asks for another user and password".to_owned();
            return Err(Failure::Trouble(Trouble::Proxy(reason)));
        }
        let asked = head
            .headers
            .get(header::RETRY_AFTER)
            .and_then(|value| value.to_str().ok());
        Ok(Answer {
            code: head.status.as_u16(),
            asked_ms: asked.and_then(|value| retry::asked_ms(value, now)),
        })
    }
}

/// Any number, for the pause after an attempt.
#[must_use]
pub fn chance(chance: &Chance) -> u32 {
    let bytes = chance.bytes();
    u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

/// Posts once. `now` is the time of the attempt, `chance` any number, for the pause before the next one.
pub async fn post(client: &Client, request: &Request, now: Moment, chance: u32) -> Outcome {
    let span = tracing::trace_span!(target: "campanile::trace", "post", otel.kind = "client");
    let begun = Instant::now();
    let result = client.attempt(request, now).instrument(span).await;
    let failed_at = now.plus_ms(begun.elapsed().as_millis() as i64);
    let (reason, code, plea) = match result {
        Ok(Answer {
            code: code @ 200..=299, ..
        }) => return Outcome::Done { code },
        Ok(Answer { code: 410, .. }) => {
            return Outcome::Dead {
                reason: "the target answered 410: it wants no more messages".into(),
                code: Some(410),
                gone: true,
            };
        }
        Ok(Answer { code, asked_ms }) => {
            let plea = Plea {
                throttled: matches!(code, 429 | 502 | 504),
                asked_ms,
            };
            (told(code), Some(code), plea)
        }
        Err(Failure::Refused(reason)) => return dead(reason, None),
        Err(Failure::Trouble(trouble @ Trouble::Forbidden(_))) => return dead(trouble.to_string(), None),
        Err(Failure::Trouble(trouble)) if trouble.is_ours() => {
            return Outcome::Ours {
                at: retry::soon(failed_at, chance),
                reason: trouble.to_string(),
            };
        }
        Err(Failure::Trouble(trouble)) => (trouble.to_string(), None, Plea::default()),
        Err(Failure::Broken(reason)) => (reason.to_owned(), None, Plea::default()),
        Err(Failure::Late) => {
            let reason = format!("the target did not answer within {} s", client.timeout.as_secs_f32());
            let plea = Plea {
                throttled: true,
                asked_ms: None,
            };
            (reason, None, plea)
        }
    };
    match retry::next(request.attempt, failed_at, chance, plea) {
        Some(at) if at <= request.give_up_at => Outcome::Retry {
            at,
            reason,
            code,
            throttled: plea.throttled,
        },
        Some(_) => dead(format!("{reason}; the next attempt would come too late"), code),
        None => dead(format!("{reason}, as at {} attempts before", retry::ATTEMPTS - 1), code),
    }
}

fn dead(reason: String, code: Option<u16>) -> Outcome {
    Outcome::Dead {
        reason,
        code,
        gone: false,
    }
}

/// A status that is no success, in words; not those of the target.
fn told(code: u16) -> String {
    match code {
        300..=399 => format!("the target answered {code}: it has moved, and redirects are not followed"),
        401 | 403 => format!("the target answered {code}: it does not accept our credentials"),
        429 => "the target answered 429: it gets too many messages".into(),
        _ => format!("the target answered {code}"),
    }
}

/// Method, URL and headers. `Host` stands first: some receivers need it there.
fn prepare(request: &Request, now: Moment) -> Result<http::Request<Full<Bytes>>, String> {
    let unfit = || UNFIT.to_owned();
    let uri: Uri = request.url.as_str().parse().map_err(|_| unfit())?;
    let authority = &request.url[url::Position::BeforeHost..url::Position::AfterPort];
    let mut headers = HeaderMap::with_capacity(16);
    headers.insert(header::HOST, HeaderValue::from_str(authority).map_err(|_| unfit())?);
    headers.insert(header::USER_AGENT, AGENT);
    for (name, value) in request.headers.iter() {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| unfit())?;
        let mut value = HeaderValue::from_str(value).map_err(|_| unfit())?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    match &request.own {
        Some(own) => headers.extend(own.clone()),
        None => sign(request, now, &mut headers)?,
    }
    let mut prepared = http::Request::new(Full::new(request.body.clone()));
    *prepared.method_mut() = Method::POST;
    *prepared.uri_mut() = uri;
    *prepared.headers_mut() = headers;
    Ok(prepared)
}

/// The headers of Standard Webhooks.
fn sign(request: &Request, now: Moment, headers: &mut HeaderMap) -> Result<(), String> {
    let unfit = || UNFIT.to_owned();
    let json = HeaderValue::from_static("application/json");
    headers.entry(header::CONTENT_TYPE).or_insert(json);
    let mut insert = |name: &'static str, text: String| {
        let value = HeaderValue::try_from(text).map_err(|_| unfit())?;
        headers.insert(HeaderName::from_static(name), value);
        Ok::<_, String>(())
    };
    let seconds = now.0.div_euclid(1_000);
    insert("webhook-id", request.id.clone())?;
    insert("webhook-timestamp", seconds.to_string())?;
    if let Some(signature) = super::sign::signature(&request.secrets, &request.id, seconds, &request.body) {
        insert("webhook-signature", signature)?;
    }
    if !headers.contains_key(REQUEST_ID) {
        let value = HeaderValue::try_from(request_id(&request.id)).map_err(|_| unfit())?;
        headers.insert(HeaderName::from_static(REQUEST_ID), value);
    }
    Ok(())
}

const UNFIT: &str = "the stored URL or headers cannot be sent";

/// What receivers of API platforms log a request by.
const REQUEST_ID: &str = "x-gravitee-request-id";

fn request_id(id: &str) -> String {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&sha256(id.as_bytes())[..16]);
    guid(bytes).to_ascii_lowercase()
}

fn host(url: &Url) -> &str {
    url.host_str().unwrap_or_default()
}

/// Reads a body to its end or to the limit, and keeps nothing. Left at the limit, the connection is closed.
async fn drain(mut body: Incoming, limit: u64) {
    let mut read = 0;
    while let Some(Ok(frame)) = body.frame().await {
        read += frame.data_ref().map_or(0, |data| data.len() as u64);
        if read > limit {
            break;
        }
    }
}

fn failure(error: &legacy::Error) -> Failure {
    let causes = || {
        std::iter::successors(Some(error as &(dyn std::error::Error + 'static)), |error| {
            error.source()
        })
    };
    if let Some(trouble) = causes().find_map(|cause| cause.downcast_ref::<Trouble>()) {
        return Failure::Trouble(trouble.clone());
    }
    match causes().find_map(|cause| cause.downcast_ref::<hyper::Error>()) {
        Some(error) if error.is_parse_too_large() => Failure::Broken("the head of the target's answer is too large"),
        Some(error) if error.is_parse() => Failure::Broken("what the target answered is not HTTP"),
        _ => Failure::Broken("the target broke off before it answered"),
    }
}
