//! The HTTP client of the command line: one server, JSON in and out, a few attempts.

use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy;
#[expect(
    clippy::disallowed_types,
    reason = "the command line talks to the server that its user names"
)]
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::Deserialize;

use crate::exit::Failure;
use crate::words::printable;

/// For a connection to be made.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// For one attempt, from the first byte sent to the last received; the server gives up after 30 s itself.
const ATTEMPT_LIMIT: Duration = Duration::from_secs(35);
/// Longer than this the server is not waited for, whatever it asks in `Retry-After`.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// Bytes of an answer.
const ANSWER_LIMIT: usize = 1 << 20;
/// The pauses between attempts.
pub(super) const PAUSES: [Duration; 2] = [Duration::from_millis(200), Duration::from_millis(800)];

#[expect(
    clippy::disallowed_types,
    reason = "the command line talks to the server that its user names"
)]
type Inner = legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// A server, and who asks.
pub(super) struct Client {
    inner: Inner,
    /// `scheme://host[:port]`
    origin: String,
    authorization: HeaderValue,
    pauses: Vec<Duration>,
}

/// A call. Every one may be repeated: it reads only, or carries a key by which the server knows it again.
pub(super) struct Call<'a> {
    pub(super) method: Method,
    pub(super) path: &'a str,
    pub(super) body: Vec<u8>,
    pub(super) key: Option<&'a str>,
}

/// What came of one attempt that may be worth another one.
struct Away {
    why: String,
    retry_after: Option<Duration>,
}

impl Client {
    /// A client of `origin` (`scheme://host[:port]`). Redirects are not followed. TLS takes the certificates of the
    /// system; without any, only plain HTTP works.
    pub(super) fn new(origin: String, authorization: HeaderValue, pauses: Vec<Duration>) -> Result<Self, Failure> {
        let connector = connector(origin.starts_with("https:"))
            .map_err(|error| Failure::Away(format!("the system's certificates cannot be read: {error}")))?;
        Ok(Self {
            inner: legacy::Client::builder(TokioExecutor::new()).build(connector),
            origin,
            authorization,
            pauses,
        })
    }

    /// The answer's body. A refusal is [`Failure::Work`] in the server's words.
    pub(super) async fn call(&self, call: &Call<'_>) -> Result<Bytes, Failure> {
        let mut pauses = self.pauses.iter();
        loop {
            let Away { why, retry_after } = match self.attempt(call).await {
                Ok(answer) => return answer,
                Err(away) => away,
            };
            let Some(pause) = pauses.next() else {
                return Err(Failure::Away(self.given_up(&why)));
            };
            tokio::time::sleep(retry_after.unwrap_or(*pause).min(LONGEST_PAUSE)).await;
        }
    }

    /// What was tried, what came of it, and what may help.
    fn given_up(&self, why: &str) -> String {
        format!(
            "the server at {} {why}. Is it running? `campanile serve` starts one; --url or CAMPANILE_URL names another",
            self.origin
        )
    }

    async fn attempt(&self, call: &Call<'_>) -> Result<Result<Bytes, Failure>, Away> {
        let away = |why: String| Away { why, retry_after: None };
        let exchange = async {
            let request = self.request(call);
            let answer = self
                .inner
                .request(request)
                .await
                .map_err(|error| away(unreached(&error)))?;
            let (head, body) = answer.into_parts();
            let body = Limited::new(body, ANSWER_LIMIT).collect().await;
            let body = body
                .map_err(|error| away(format!("broke off its answer ({error})")))?
                .to_bytes();
            Ok((head, body))
        };
        let done = tokio::time::timeout(ATTEMPT_LIMIT, exchange).await;
        let (head, body) = done.map_err(|_| away(format!("did not answer within {} s", ATTEMPT_LIMIT.as_secs())))??;
        if head.status.is_success() {
            return Ok(Ok(body));
        }
        let retry = matches!(
            head.status,
            StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT
        );
        if retry {
            return Err(Away {
                why: format!("cannot work now ({})", refusal(head.status, &body)),
                retry_after: retry_after(&head.headers),
            });
        }
        Ok(Err(Failure::Work(refusal(head.status, &body))))
    }

    fn request(&self, call: &Call<'_>) -> Request<Full<Bytes>> {
        let mut request = Request::builder()
            .method(call.method.clone())
            .uri(format!("{}{}", self.origin, call.path))
            .header(AUTHORIZATION, self.authorization.clone())
            .header(USER_AGENT, concat!("campanile/", env!("CARGO_PKG_VERSION")));
        if !call.body.is_empty() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        if let Some(key) = call.key {
            request = request.header("Idempotency-Key", key);
        }
        request
            .body(Full::new(Bytes::from(call.body.clone())))
            .expect("the origin, the path and the key have been looked at")
    }
}

#[expect(
    clippy::disallowed_types,
    reason = "the command line talks to the server that its user names"
)]
fn connector(tls: bool) -> std::io::Result<HttpsConnector<HttpConnector>> {
    let mut plain = HttpConnector::new();
    plain.set_connect_timeout(Some(CONNECT_LIMIT));
    plain.set_nodelay(true);
    plain.enforce_http(false);
    let provider = rustls::crypto::ring::default_provider();
    let builder = hyper_rustls::HttpsConnectorBuilder::new();
    let builder = if tls {
        builder.with_provider_and_native_roots(provider)?
    } else {
        let config = rustls::ClientConfig::builder_with_provider(provider.into())
            .with_safe_default_protocol_versions()
            .expect("this provider has the protocols that are built in")
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth();
        builder.with_tls_config(config)
    };
    Ok(builder.https_or_http().enable_http1().wrap_connector(plain))
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// Why no answer came. Hyper says only at which stage it happened; what caused that says more.
fn unreached(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = || std::iter::successors(Some(error), |error| error.source());
    let io = causes().find_map(|cause| cause.downcast_ref::<std::io::Error>());
    match io.map(std::io::Error::kind) {
        Some(std::io::ErrorKind::ConnectionRefused) => "cannot be reached (connection refused)".to_owned(),
        Some(std::io::ErrorKind::TimedOut) => "cannot be reached (nothing answers there)".to_owned(),
        _ => {
            let texts: Vec<_> = causes().map(ToString::to_string).collect();
            format!("cannot be reached ({})", texts.join(": "))
        }
    }
}

/// A problem document (RFC 9457), as far as people need it.
#[derive(Deserialize)]
struct Problem {
    title: String,
    #[serde(default)]
    detail: String,
    #[serde(default)]
    errors: Vec<Fault>,
}

#[derive(Deserialize)]
struct Fault {
    field: String,
    reason: String,
}

/// A refusal in plain words: the title, then a line for each fault, or what happened.
fn refusal(status: StatusCode, body: &[u8]) -> String {
    let Ok(problem) = serde_json::from_slice::<Problem>(body) else {
        return if status.is_redirection() {
            format!("the server answered {status}: it has another address, which --url must name")
        } else {
            format!("the server answered {status}; is it Campanile?")
        };
    };
    let mut text = problem.title;
    for fault in &problem.errors {
        text.push_str("\n  ");
        if !fault.field.is_empty() {
            text.push_str(&fault.field);
            text.push_str(": ");
        }
        text.push_str(&fault.reason);
    }
    if problem.errors.is_empty() && !problem.detail.is_empty() {
        text.push_str(": ");
        text.push_str(&problem.detail);
    }
    printable(&text)
}
