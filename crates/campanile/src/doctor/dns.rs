//! Asking the DNS.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{Name, RData, RecordType};

/// For one answer of a server, and how often it is asked again.
const PATIENCE: Duration = Duration::from_secs(3);
const AGAIN: usize = 1;

/// A resolver that keeps to the records: no search domains, no hosts file.
pub(super) struct Dns(TokioResolver);

/// Why there is no answer; that there is no such record is one.
pub(super) type Answer<T> = Result<Vec<T>, String>;

impl Dns {
    /// Asks this server, or those of the system.
    pub(super) fn new(server: Option<SocketAddr>) -> Result<Self, String> {
        let failed = |error: &dyn std::fmt::Display| format!("the system's DNS servers cannot be found: {error}");
        let mut builder = match server {
            Some(server) => {
                let mut one = NameServerConfig::udp_and_tcp(server.ip());
                for connection in &mut one.connections {
                    connection.port = server.port();
                }
                let config = ResolverConfig::from_name_servers(vec![one]);
                TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
            }
            None => TokioResolver::builder_tokio().map_err(|error| failed(&error))?,
        };
        let options = builder.options_mut();
        (options.timeout, options.attempts) = (PATIENCE, AGAIN);
        Ok(Self(builder.build().map_err(|error| failed(&error))?))
    }

    /// The texts at a name, each put together from its pieces.
    pub(super) async fn texts(&self, name: &str) -> Answer<String> {
        self.ask(name, RecordType::TXT, |data| match data {
            RData::TXT(text) => {
                let bytes = text.txt_data.concat();
                Some(String::from_utf8_lossy(&bytes).into_owned())
            }
            _ => None,
        })
        .await
    }

    /// Who takes mail for a domain; `.` says that nobody does (RFC 7505).
    pub(super) async fn exchanges(&self, domain: &str) -> Answer<String> {
        self.ask(domain, RecordType::MX, |data| match data {
            RData::MX(mx) => Some(plain(&mx.exchange)),
            _ => None,
        })
        .await
    }

    /// The addresses of a name.
    pub(super) async fn addresses(&self, name: &str) -> Answer<IpAddr> {
        let of = |data: &RData| match data {
            RData::A(address) => Some(IpAddr::V4(address.0)),
            RData::AAAA(address) => Some(IpAddr::V6(address.0)),
            _ => None,
        };
        let mut found = self.ask(name, RecordType::A, of).await?;
        found.extend(self.ask(name, RecordType::AAAA, of).await?);
        Ok(found)
    }

    /// The names of an address.
    pub(super) async fn names(&self, address: IpAddr) -> Answer<String> {
        let at = Name::from(address).to_ascii();
        self.ask(&at, RecordType::PTR, |data| match data {
            RData::PTR(name) => Some(plain(&name.0)),
            _ => None,
        })
        .await
    }

    async fn ask<T>(&self, name: &str, kind: RecordType, of: impl Fn(&RData) -> Option<T>) -> Answer<T> {
        // With a dot at its end a name is whole.
        let whole = format!("{}.", name.trim_end_matches('.'));
        match self.0.lookup(whole, kind).await {
            Ok(found) => Ok(found.answers().iter().filter_map(|record| of(&record.data)).collect()),
            Err(error) if error.is_no_records_found() => Ok(Vec::new()),
            Err(error) => Err(format!("the DNS does not answer for {name}: {error}")),
        }
    }
}

fn plain(name: &Name) -> String {
    let text = name.to_ascii().to_ascii_lowercase();
    let bare = text.trim_end_matches('.');
    if bare.is_empty() { ".".into() } else { bare.into() }
}
