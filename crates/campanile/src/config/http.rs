//! Settings of messages by HTTP POST: what may be reached, the limits of an attempt, and the system proxy.

use std::ops::RangeInclusive;
use std::time::Duration;

use campanile_core::outbox::target::{Allowed, Policy, Prefix};
use url::Url;

use super::value::{self, Refusal};
use super::{Secret, Setting, secret, setting};

/// Messages by HTTP POST.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Http {
    /// Whether messages are posted at all.
    pub enabled: bool,
    /// If there are any, a URL must lie under one of them.
    pub only: Vec<Prefix>,
    /// Targets that would be refused otherwise.
    pub allow: Vec<Allowed>,
    /// Ports that may be reached.
    pub ports: Vec<RangeInclusive<u16>>,
    /// Whether NAT64 addresses are judged by the IPv4 address in them.
    pub nat64: bool,
    /// For one attempt, to the last byte of the answer.
    pub timeout: Duration,
    /// For a name to be looked up.
    pub resolve_timeout: Duration,
    /// For a connection to be made, with its name, its proxy and its TLS.
    pub connect_timeout: Duration,
    /// Bytes of an answer's body.
    pub answer_limit: u64,
    /// Connections at once.
    pub connections: usize,
    /// The system proxy.
    pub proxies: Proxies,
    /// Whether messages that do not choose go through it.
    pub use_proxy: bool,
}

/// The system proxy: `http://[user:password@]host[:port]/` for each scheme of targets, and who is reached without.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Proxies {
    /// For `https` targets.
    pub https: Option<Secret>,
    /// For `http` targets.
    pub http: Option<Secret>,
    /// Entries of `NO_PROXY`: names, addresses, blocks, or `*`.
    pub no: Vec<String>,
    /// Whether the proxy alone looks names up and guards what may be reached.
    pub resolves: bool,
}

impl Proxies {
    /// Whether there is one at all.
    #[must_use]
    pub const fn is_some(&self) -> bool {
        self.https.is_some() || self.http.is_some()
    }
}

impl Default for Http {
    fn default() -> Self {
        let policy = Policy::default();
        Self {
            enabled: policy.enabled,
            only: policy.only,
            allow: policy.allow,
            ports: policy.ports,
            nat64: policy.nat64,
            timeout: Duration::from_secs(20),
            resolve_timeout: Duration::from_secs(5),
            connect_timeout: Duration::from_secs(10),
            answer_limit: 16 << 10,
            connections: 256,
            proxies: Proxies::default(),
            use_proxy: false,
        }
    }
}

impl Http {
    /// What the rules have to know of it.
    #[must_use]
    pub fn policy(&self) -> Policy {
        Policy {
            enabled: self.enabled,
            only: self.only.clone(),
            allow: self.allow.clone(),
            ports: self.ports.clone(),
            nat64: self.nat64,
            proxy: self.proxies.is_some(),
        }
    }
}

/// The settings of this part.
pub(super) const SETTINGS: &[Setting] = &[
    setting("http_enabled", |s, text| value::flag(text).map(|v| s.http.enabled = v)),
    setting("http_only", |s, text| value::list(text).map(|v| s.http.only = v)),
    setting("http_allow", |s, text| value::list(text).map(|v| s.http.allow = v)),
    setting("http_ports", |s, text| ports(text).map(|v| s.http.ports = v)),
    setting("http_nat64", |s, text| value::flag(text).map(|v| s.http.nat64 = v)),
    setting("http_timeout", |s, text| value::span(text).map(|v| s.http.timeout = v)),
    setting("http_resolve_timeout", |s, text| {
        value::span(text).map(|v| s.http.resolve_timeout = v)
    }),
    setting("http_connect_timeout", |s, text| {
        value::span(text).map(|v| s.http.connect_timeout = v)
    }),
    setting("http_answer_limit", |s, text| {
        value::size(text).map(|v| s.http.answer_limit = v)
    }),
    setting("http_connections", |s, text| {
        value::count(text, 8, 100_000).map(|v| s.http.connections = v)
    }),
    secret("https_proxy", |s, text| proxy(text).map(|v| s.http.proxies.https = v)),
    secret("http_proxy", |s, text| proxy(text).map(|v| s.http.proxies.http = v)),
    setting("no_proxy", |s, text| {
        let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        s.http.proxies.no = entries.map(str::to_owned).collect();
        Ok(())
    }),
    setting("http_use_proxy", |s, text| {
        value::flag(text).map(|v| s.http.use_proxy = v)
    }),
    setting("http_proxy_resolves", |s, text| {
        value::flag(text).map(|v| s.http.proxies.resolves = v)
    }),
];

/// The variables by which a system tells every program of its proxies, in the order in which they count.
pub(super) fn of_system(setting: &str) -> &'static [&'static str] {
    match setting {
        "https_proxy" => &["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"],
        "http_proxy" => &["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"],
        "no_proxy" => &["NO_PROXY", "no_proxy"],
        _ => &[],
    }
}

/// What to tell of proxies that the system names and that cannot be used: they may be meant for other programs.
pub(super) fn unusable(env: &dyn Fn(&str) -> Option<String>) -> Vec<String> {
    let named = ["https_proxy", "http_proxy"].map(|setting| {
        let mut names = of_system(setting).iter();
        names.find_map(|name| env(name).map(|text| (*name, text)))
    });
    let mut told: Vec<_> = named
        .into_iter()
        .flatten()
        .filter(|(_, text)| proxy(text).is_err())
        .map(|(name, _)| format!("the variable {name} names no proxy that speaks HTTP, and is not used"))
        .collect();
    told.dedup();
    told
}

/// Ports and ranges of ports between commas.
fn ports(text: &str) -> Result<Vec<RangeInclusive<u16>>, Refusal> {
    let range = |part: &str| {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let (from, to) = (from.trim().parse().ok()?, to.trim().parse().ok()?);
        (from <= to).then_some(from..=to)
    };
    let all: Option<Vec<_>> = text.split(',').map(range).collect();
    all.ok_or_else(|| "must be ports and ranges such as 443, 8000-9000".into())
}

/// A proxy; `none` is none. One without a scheme is taken for `http`, as everywhere.
fn proxy(text: &str) -> Result<Option<Secret>, Refusal> {
    if text == "none" {
        return Ok(None);
    }
    let full = if text.contains("://") {
        text.to_owned()
    } else {
        format!("http://{text}")
    };
    let url = Url::parse(&full)
        .ok()
        .filter(|url| url.scheme() == "http" && url.path() == "/" && url.query().is_none() && url.fragment().is_none());
    url.map(|url| Some(Secret::new(url))).ok_or_else(|| {
        "must be http://HOST:PORT, with USER:PASSWORD@ before HOST where the proxy asks for it, or none".into()
    })
}
