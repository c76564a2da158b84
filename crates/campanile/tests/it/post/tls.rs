//! Targets behind TLS: the name must be the certificate's, and the authority one that is believed.
//!
//! `tls/` holds an authority and a certificate of `sink.test`, both good for a hundred years and for nothing else.

use std::time::Duration;

use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use super::sink::{Act, Sink, status};
use super::*;

/// The authority of the tests.
pub(super) fn roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(include_bytes!("tls/ca.pem")).unwrap())
        .unwrap();
    roots
}

/// A target that shows the certificate of `sink.test`.
pub(super) async fn sink_with_tls() -> Sink {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(include_bytes!("tls/cert.pem")).unwrap()],
            PrivateKeyDer::from_pem_slice(include_bytes!("tls/key.pem")).unwrap(),
        )
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    Sink::at("127.0.0.1:0", vec![status("200 OK")], Some(acceptor)).await
}

async fn post_by_name(sink: &Sink, name: &str, roots: RootCertStore) -> Outcome {
    let names = Names::answering(&[&["127.0.0.1"]]);
    let client = Client::new(&settings(&["127.0.0.0/8"]), Vec::new(), Arc::new(names), roots);
    post_to(&client, &format!("https://{name}:{}/in", sink.address.port())).await
}

#[tokio::test]
async fn the_right_name_and_authority_are_accepted() {
    let sink = sink_with_tls().await;
    assert_eq!(
        post_by_name(&sink, "sink.test", roots()).await,
        Outcome::Done { code: 200 }
    );
    assert!(sink.seen().one().starts_with("POST /in HTTP/1.1\r\n"));
}

#[tokio::test]
async fn a_wrong_name_is_refused() {
    let sink = sink_with_tls().await;
    for name in ["other.test", "127.0.0.1"] {
        let outcome = post_by_name(&sink, name, roots()).await;
        let told = "the target cannot be trusted: its certificate is for another name";
        assert_eq!(reason(&outcome), ("retry", told));
    }
    assert!(sink.seen().requests.is_empty());
}

#[tokio::test]
async fn an_unknown_authority_is_refused() {
    let sink = sink_with_tls().await;
    let outcome = post_by_name(&sink, "sink.test", RootCertStore::empty()).await;
    let told = "the target cannot be trusted: its certificate is of an authority that this server does not know";
    assert_eq!(reason(&outcome), ("retry", told));
    assert!(sink.seen().requests.is_empty());
}

#[tokio::test]
async fn a_target_that_speaks_no_tls_is_refused() {
    let sink = Sink::new(Act::Last("HTTP/1.1 400 Bad Request\r\n\r\n".into())).await;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = listener.local_addr().unwrap();
    let mut settings = settings(&["127.0.0.0/8"]);
    settings.connect_timeout = Duration::from_millis(300);
    let client = Client::new(&settings, Vec::new(), Arc::new(Names::default()), roots());
    for address in [sink.address, silent] {
        let outcome = post_to(&client, &format!("https://{address}/")).await;
        let told = "the target did not take the connection in time";
        assert_eq!(reason(&outcome), ("retry", told), "{address}");
    }
}
