//! Traces by OpenTelemetry: what a request waited for, sent to a collector (OTLP over HTTP) where the operator names
//! one.
//!
//! Spans are those of `tracing`, at one target and the finest level, so that the log does not know them and nobody pays
//! for them who has no collector: a request, by method and pattern of its route; each operation on the database; each
//! try to post. No address, no body, no name of a person is in them.
//!
//! The exporter comes with the feature `otlp`. Without it a server whose settings name a collector does not start.

use axum::extract::Request;
use tracing::Span;

use crate::address::Network;
#[cfg(not(feature = "otlp"))]
use crate::config::Traces;

/// The target of every span.
pub const TARGET: &str = "campanile::trace";

#[cfg(feature = "otlp")]
pub use sent::{Sender, start};

/// Joins a request's span to the trace of whoever sent it on to us, where that is a trusted proxy: a stranger must not
/// choose what is traced, nor mix their requests into somebody's trace.
#[cfg_attr(
    not(feature = "otlp"),
    expect(clippy::missing_const_for_fn, reason = "it does something elsewhere")
)]
pub(crate) fn follow(span: &Span, request: &Request, trusted: &[Network]) {
    #[cfg(feature = "otlp")]
    sent::follow(span, request, trusted);
    #[cfg(not(feature = "otlp"))]
    let _ = (span, request, trusted);
}

/// Nothing is sent by this build.
#[cfg(not(feature = "otlp"))]
#[derive(Debug)]
pub struct Sender;

/// No traces.
///
/// # Errors
/// Where a collector is named.
#[cfg(not(feature = "otlp"))]
pub fn start(settings: &Traces) -> anyhow::Result<Option<(tracing_subscriber::layer::Identity, Sender)>> {
    let why = "the setting `traces` names a collector, and this build sends no traces: build it with `--features otlp`";
    settings
        .collector
        .is_none()
        .then_some(None)
        .ok_or_else(|| anyhow::anyhow!(why))
}

#[cfg(feature = "otlp")]
mod sent {
    use std::sync::Arc;
    use std::time::Duration;

    use axum::extract::Request;
    use bytes::Bytes;
    use http_body_util::{BodyExt as _, Full, Limited};
    use hyper::rt::{Read, Write};
    use hyper_util::rt::TokioIo;
    use opentelemetry::propagation::TextMapPropagator as _;
    use opentelemetry::trace::TracerProvider as _;
    use opentelemetry_http::{HeaderExtractor, HttpClient, HttpError, Response};
    use opentelemetry_otlp::{SpanExporter, WithExportConfig as _, WithHttpConfig as _};
    use opentelemetry_sdk::Resource;
    use opentelemetry_sdk::propagation::TraceContextPropagator;
    use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider};
    use rustls::pki_types::ServerName;
    use tokio_rustls::TlsConnector;
    use tracing::Span;
    use tracing_opentelemetry::{OpenTelemetryLayer, OpenTelemetrySpanExt as _};
    use tracing_subscriber::registry::LookupSpan;

    use super::Network;
    use crate::address::Peer;
    use crate::config::{Http, Traces};
    use crate::deliver::connector;
    use crate::deliver::guard::{Guard, System};
    use crate::telemetry::VERSION;

    /// How long a collector may take for a batch.
    const LIMIT: Duration = Duration::from_secs(10);
    /// The most that its answer may have.
    const ANSWER_BYTES: usize = 64 << 10;

    /// Sends what is left when it goes.
    #[derive(Debug)]
    pub struct Sender(SdkTracerProvider);

    impl Drop for Sender {
        fn drop(&mut self) {
            // What cannot be delivered now never will be.
            let _ = self.0.shutdown();
        }
    }

    /// What takes spans, and what sends them; `None` without a collector.
    ///
    /// # Errors
    /// An exporter that cannot be made, which is a defect: the address has been checked.
    pub fn start<S>(settings: &Traces) -> anyhow::Result<Option<(OpenTelemetryLayer<S, SdkTracer>, Sender)>>
    where
        S: tracing::Subscriber + for<'s> LookupSpan<'s>,
    {
        let Some(collector) = &settings.collector else {
            return Ok(None);
        };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Client::new()?)
            .with_endpoint(collector)
            .with_timeout(LIMIT)
            .build()?;
        let resource = Resource::builder()
            .with_service_name("campanile")
            .with_attribute(opentelemetry::KeyValue::new("service.version", VERSION))
            .build();
        let share = Sampler::TraceIdRatioBased(f64::from(settings.share) / 1_000_000.0);
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(resource)
            .with_sampler(Sampler::ParentBased(Box::new(share)))
            .build();
        let layer = tracing_opentelemetry::layer()
            .with_tracer(provider.tracer("campanile"))
            .with_location(false)
            .with_threads(false)
            .with_target(false);
        Ok(Some((layer, Sender(provider))))
    }

    pub(super) fn follow(span: &Span, request: &Request, trusted: &[Network]) {
        let peer = request.extensions().get::<Peer>();
        let is_trusted = |peer: &Peer| {
            trusted
                .iter()
                .any(|network| network.contains(peer.0.ip().to_canonical()))
        };
        if span.is_disabled() || !peer.is_some_and(is_trusted) {
            return;
        }
        let parent = TraceContextPropagator::new().extract(&HeaderExtractor(request.headers()));
        // A span that began already would be refused; this one has not.
        let _ = span.set_parent(parent);
    }

    /// Posts batches from the exporter's own thread: a connection each, every few seconds.
    struct Client {
        runtime: tokio::runtime::Runtime,
        guard: Guard,
        tls: TlsConnector,
    }

    impl std::fmt::Debug for Client {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.debug_struct("Client").finish_non_exhaustive()
        }
    }

    impl Client {
        fn new() -> std::io::Result<Self> {
            Ok(Self {
                runtime: tokio::runtime::Builder::new_current_thread().enable_all().build()?,
                guard: Guard::new(&Http::default(), Vec::new(), Arc::new(System::default())),
                tls: TlsConnector::from(connector::tls(connector::system_roots())),
            })
        }

        async fn post(&self, request: http::Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
            let target = request.uri().clone();
            let host = target.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
            let is_secret = target.scheme_str() == Some("https");
            let port = target.port_u16().unwrap_or(if is_secret { 443 } else { 80 });
            let stream = self.guard.connect_named(&host, port).await?;
            if is_secret {
                let name = ServerName::try_from(host)?;
                exchange(self.tls.connect(name, stream).await?, request).await
            } else {
                exchange(stream, request).await
            }
        }
    }

    #[async_trait::async_trait]
    impl HttpClient for Client {
        async fn send_bytes(&self, request: http::Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
            let post = async { tokio::time::timeout(LIMIT, self.post(request)).await };
            self.runtime.block_on(post)?
        }
    }

    /// One request over one connection.
    async fn exchange<S>(stream: S, request: http::Request<Bytes>) -> Result<Response<Bytes>, HttpError>
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
        TokioIo<S>: Read + Write,
    {
        let (mut head, body) = request.into_parts();
        let authority = head.uri.authority().map_or("", |authority| authority.as_str());
        head.headers.insert(http::header::HOST, authority.try_into()?);
        let path = head.uri.path_and_query().cloned().ok_or("an address without a path")?;
        head.uri = path.into();
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let answer = async {
            let answer = sender
                .send_request(http::Request::from_parts(head, Full::new(body)))
                .await?;
            let (head, body) = answer.into_parts();
            let body = Limited::new(body, ANSWER_BYTES).collect().await?.to_bytes();
            Ok(Response::from_parts(head, body))
        };
        tokio::select! {
            answer = answer => answer,
            ended = connection => Err(ended.err().map_or_else(|| "the collector hung up".into(), Into::into)),
        }
    }
}
