//! Connecting to PostgreSQL.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio_postgres::config::{SslMode, TargetSessionAttrs};
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Config, Connection, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::{Error, Result};

/// A server that does not answer within this is not there.
const CONNECT_TIME: Duration = Duration::from_secs(5);
/// What was sent to a server that has vanished is given up after this.
const SILENCE: Duration = Duration::from_secs(30);
/// PostgreSQL's own default, as tokio-postgres has it where the URL says nothing.
const KEEPALIVE_DEFAULT: Duration = Duration::from_hours(2);

/// A connection whose messages somebody has to take; see [`Target::connect`].
pub(super) type Messages = Connection<Socket, <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream>;

/// Where the database is and how to get there.
#[derive(Clone)]
pub(crate) struct Target {
    config: Config,
    tls: MakeRustlsConnect,
}

impl Target {
    /// Reads the URL. TLS is used where the server has it, or must be (`sslmode=require`), or never (`disable`); where
    /// it is used the server's certificate must be one that this system trusts.
    pub(crate) fn new(url: &str) -> Result<Self> {
        let mut config: Config = url.parse().map_err(|error| {
            Error::Unavailable(format!(
                "the database URL is not one that PostgreSQL understands: {error}"
            ))
        })?;
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIME);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(SILENCE);
        }
        if config.get_keepalives_idle() == KEEPALIVE_DEFAULT {
            config.keepalives_idle(SILENCE);
        }
        if config.get_application_name().is_none() {
            config.application_name("campanile");
        }
        // After a fail-over the old server may still answer, as a standby.
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        let tls = tls(config.get_ssl_mode());
        Ok(Self { config, tls })
    }

    /// Connects. The client works only while somebody takes the messages of its connection.
    pub(super) async fn connect(&self) -> Result<(Client, Messages)> {
        // The limit of the configuration is one for each address, and ends before the log-in.
        tokio::time::timeout(2 * CONNECT_TIME, self.config.connect(self.tls.clone()))
            .await
            .map_err(|_| Error::Unavailable("PostgreSQL does not answer".into()))?
            .map_err(Error::from)
    }

    /// Stops what a client's connection is doing. It may come too late, and then stop what the connection does next:
    /// use that no more.
    pub(super) async fn cancel(&self, client: &Client) {
        let cancelling = client.cancel_token();
        // Where it cannot be stopped, its own limit of time ends it.
        let _ = tokio::time::timeout(CONNECT_TIME, cancelling.cancel_query(self.tls.clone())).await;
    }

    /// Connects, says the settings, if there are any, and leaves the connection to the runtime.
    pub(crate) fn client(&self, rt: &Runtime, settings: &str) -> Result<Client> {
        rt.block_on(async {
            let (client, connection) = self.connect().await?;
            rt.spawn(async move {
                if let Err(error) = connection.await {
                    tracing::warn!(%error, "a connection to PostgreSQL ended");
                }
            });
            if !settings.is_empty() {
                client.batch_execute(settings).await?;
            }
            Ok(client)
        })
    }
}

fn tls(mode: SslMode) -> MakeRustlsConnect {
    let mut roots = rustls::RootCertStore::empty();
    if mode != SslMode::Disable {
        for certificate in rustls_native_certs::load_native_certs().certs {
            // One certificate of the system that cannot be read must not cost the others.
            let _ = roots.add(certificate);
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring offers the default protocol versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    MakeRustlsConnect::new(config)
}

/// A runtime for one thread and its connection.
pub(crate) fn runtime() -> Result<Runtime> {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::Unavailable(error.to_string()))
}
