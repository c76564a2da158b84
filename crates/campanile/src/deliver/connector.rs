//! The guard as hyper's connector: by proxy or directly, and TLS on top, all within one limit of time.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use rustls::CertificateError;
use tower::Service;

use super::guard::{Guard, Trouble};
use super::link::Link;

/// A future of a connection.
pub type Connecting<T> = Pin<Box<dyn Future<Output = Result<T, Trouble>> + Send>>;

/// The guard, for one of two pools: the one whose connections go through the system proxy, or the other.
#[derive(Clone)]
pub struct Dial {
    guard: Arc<Guard>,
    by_proxy: bool,
}

impl Dial {
    pub(super) const fn new(guard: Arc<Guard>, by_proxy: bool) -> Self {
        Self { guard, by_proxy }
    }
}

impl Service<Uri> for Dial {
    type Response = Link;
    type Error = Trouble;
    type Future = Connecting<Link>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Trouble>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, target: Uri) -> Self::Future {
        let Self { guard, by_proxy } = self.clone();
        Box::pin(async move {
            let scheme = target.scheme_str().unwrap_or_default();
            let host = target.host().unwrap_or_default();
            let usual = if scheme == "https" { 443 } else { 80 };
            let port = target.port_u16().unwrap_or(usual);
            match guard.routes().proxy_for(scheme, host).filter(|_| by_proxy) {
                Some(proxy) => guard.connect_by(proxy, scheme, host, port).await,
                None => guard.connect(host, port).await,
            }
        })
    }
}

/// [`Dial`], with TLS for `https`.
#[derive(Clone)]
pub struct Connector {
    tls: HttpsConnector<Dial>,
    limit: Duration,
}

impl Connector {
    pub(super) fn new(dial: Dial, tls: Arc<rustls::ClientConfig>) -> Self {
        let limit = dial.guard.connect_limit();
        Self {
            tls: HttpsConnector::from((dial, tls)),
            limit,
        }
    }
}

impl Service<Uri> for Connector {
    type Response = MaybeHttpsStream<Link>;
    type Error = Trouble;
    type Future = Connecting<Self::Response>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Trouble>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, target: Uri) -> Self::Future {
        let connecting = self.tls.call(target);
        let limit = self.limit;
        Box::pin(async move {
            let connected = tokio::time::timeout(limit, connecting).await;
            connected
                .map_err(|_| Trouble::Slow)?
                .map_err(|error| trouble(error.as_ref()))
        })
    }
}

/// What [`HttpsConnector`] says: a trouble of ours, or one of TLS, which it wraps twice into errors of input and
/// output.
fn trouble(error: &(dyn std::error::Error + 'static)) -> Trouble {
    let mut cause = error;
    loop {
        if let Some(trouble) = cause.downcast_ref::<Trouble>() {
            return trouble.clone();
        }
        if let Some(error) = cause.downcast_ref::<rustls::Error>() {
            return Trouble::Tls(untrusted(error));
        }
        // An error of input and output gives what its cause is caused by as its source, not the cause itself.
        let inner = cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        match inner
            .map(|inner| inner as &(dyn std::error::Error + 'static))
            .or_else(|| cause.source())
        {
            Some(inner) => cause = inner,
            None => return Trouble::Tls("the encrypted connection failed"),
        }
    }
}

fn untrusted(error: &rustls::Error) -> &'static str {
    match error {
        rustls::Error::InvalidCertificate(error) => match error {
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "its certificate is for another name"
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => "its certificate has expired",
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "its certificate is not valid yet"
            }
            CertificateError::UnknownIssuer => "its certificate is of an authority that this server does not know",
            CertificateError::Revoked => "its certificate has been revoked",
            _ => "its certificate cannot be accepted",
        },
        _ => "the encrypted connection failed",
    }
}

/// The authorities that this system believes. Reads files.
#[must_use]
pub fn system_roots() -> rustls::RootCertStore {
    let mut roots = rustls::RootCertStore::empty();
    for certificate in rustls_native_certs::load_native_certs().certs {
        // One certificate of the system that cannot be read must not cost the others.
        let _ = roots.add(certificate);
    }
    roots
}

/// TLS that checks certificates and names.
pub(crate) fn tls(roots: rustls::RootCertStore) -> Arc<rustls::ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring offers the default protocol versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Arc::new(config)
}
