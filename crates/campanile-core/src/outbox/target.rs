//! Where a message may be posted: schemes, ports, the operator's lists, and the addresses that nobody may reach by it.
//!
//! What a URL's host leads to is known only when it is looked up; `deliver::guard` asks [`Policy::vet`] for every
//! address then. What can be seen from the URL alone is refused at SEND.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;

use url::{Host, Url};

use crate::network::Network;

/// Bytes of a URL.
pub const URL_MAX: usize = 2_048;

/// What the operator lets messages be posted to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Whether messages are posted at all.
    pub enabled: bool,
    /// If there are any, a URL must lie under one of them.
    pub only: Vec<Prefix>,
    /// Addresses and names that would be refused otherwise.
    pub allow: Vec<Allowed>,
    /// Ports that may be reached.
    pub ports: Vec<RangeInclusive<u16>>,
    /// Whether an address of the well-known NAT64 block (RFC 6052) is judged by the IPv4 address in it.
    pub nat64: bool,
    /// Whether there is a system proxy.
    pub proxy: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            enabled: true,
            only: Vec::new(),
            allow: Vec::new(),
            ports: vec![80..=80, 443..=443, 1_024..=65_535],
            nat64: false,
            proxy: false,
        }
    }
}

/// An entry of the list of allowed targets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Allowed {
    /// A block of addresses.
    Network(Network),
    /// A host name, in lower case and in its ASCII form: whatever it leads to, except for what a cloud tells its
    /// machines.
    Name(String),
    /// `*.` and a name: every name below it.
    Below(String),
}

impl Allowed {
    fn names(&self, host: &str) -> bool {
        let host = host.strip_suffix('.').unwrap_or(host);
        match self {
            Self::Network(_) => false,
            Self::Name(name) => host == name,
            Self::Below(name) => host.strip_suffix(name.as_str()).is_some_and(|rest| rest.ends_with('.')),
        }
    }
}

impl std::str::FromStr for Allowed {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str =
            "not an address, a block such as 10.0.0.0/8, a host name, or *. and a name for every name below it";
        if let Ok(network) = text.parse() {
            return Ok(Self::Network(network));
        }
        let (below, name) = text.strip_prefix("*.").map_or((false, text), |name| (true, name));
        match Host::parse(name) {
            Ok(Host::Domain(name)) if !name.contains(['*', '/', ':']) => {
                let name = name.strip_suffix('.').unwrap_or(&name).to_owned();
                Ok(if below { Self::Below(name) } else { Self::Name(name) })
            }
            _ => Err(WRONG),
        }
    }
}

/// An entry of the list of URLs that alone may be posted to: one that ends in `/` covers what begins with it, another
/// one itself and what follows it after a `/`. A query of the URL does not count, unless the entry has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix(Url);

impl Prefix {
    /// Whether a URL lies under it.
    #[must_use]
    pub fn covers(&self, url: &Url) -> bool {
        if self.0.query().is_some() {
            return self.0 == *url;
        }
        if self.0.origin() != url.origin() {
            return false;
        }
        let (own, path) = (self.0.path(), url.path());
        // A server that decodes these would find itself elsewhere than we looked.
        let hidden = ["%2f", "%2F", "%5c", "%5C"].iter().any(|sign| path.contains(sign));
        path == own
            || !hidden
                && path
                    .strip_prefix(own)
                    .is_some_and(|rest| own.ends_with('/') || rest.starts_with('/'))
    }
}

impl std::str::FromStr for Prefix {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "not a URL such as https://hooks.example.com/ or https://example.com/hooks";
        let url = Url::parse(text).map_err(|_| WRONG)?;
        let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
        if plain && matches!(url.scheme(), "http" | "https") {
            Ok(Self(url))
        } else {
            Err(WRONG)
        }
    }
}

impl Policy {
    /// Whether messages may be posted to a URL, as far as it can be told without looking its host up. At SEND for the
    /// sender, and again before each attempt, since the operator may have changed the lists.
    ///
    /// # Errors
    /// The reason in plain words.
    pub fn vet_url(&self, url: &Url) -> Result<(), String> {
        if !self.enabled {
            return Err("posting messages is switched off on this server (CAMPANILE_HTTP_ENABLED)".into());
        }
        if !matches!(url.scheme(), "http" | "https") {
            return Err("must begin with http:// or https://".into());
        }
        if !self.only.is_empty() && !self.only.iter().any(|prefix| prefix.covers(url)) {
            return Err("is not among the URLs that this server may post to (CAMPANILE_HTTP_ONLY)".into());
        }
        let port = url.port_or_known_default().unwrap_or(0);
        if !self.ports.iter().any(|ports| ports.contains(&port)) {
            return Err(format!(
                "names port {port}, which this server does not post to (CAMPANILE_HTTP_PORTS)"
            ));
        }
        let (text, address) = match url.host() {
            Some(Host::Ipv4(address)) => (address.to_string(), IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => (address.to_string(), IpAddr::V6(address)),
            // RFC 6761, section 6.3: always loopback.
            Some(Host::Domain(name)) if is_localhost(name) => (name.to_owned(), Ipv4Addr::LOCALHOST.into()),
            Some(Host::Domain(_)) => return Ok(()),
            None => return Err("must name a host".into()),
        };
        self.vet(&text, address)
            .map_err(|kind| format!("names {kind}, which this server does not post to (CAMPANILE_HTTP_ALLOW)"))
    }

    /// Whether the operator lists the host of a URL, by name or address.
    #[must_use]
    pub fn names(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default();
        let address = match url.host() {
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            _ => None,
        };
        self.allow.iter().any(|allowed| match allowed {
            Allowed::Network(network) => address.is_some_and(|address| network.contains(address)),
            Allowed::Name(_) | Allowed::Below(_) => allowed.names(host),
        })
    }

    /// Whether an address that a host name leads to may be connected to; for a literal, `host` is its text.
    ///
    /// # Errors
    /// The kind of address, as `a private address`.
    pub fn vet(&self, host: &str, address: IpAddr) -> Result<(), &'static str> {
        let address = address.to_canonical();
        if let Some(embedded) = embedded(address).filter(|_| self.nat64) {
            return self.vet(host, embedded);
        }
        let networks = || {
            self.allow.iter().filter_map(|allowed| match allowed {
                Allowed::Network(network) => Some(network),
                Allowed::Name(_) | Allowed::Below(_) => None,
            })
        };
        if let Some((block, kind)) = NAMED_ONLY.iter().find(|(block, _)| block.contains(address)) {
            let named = networks().any(|network| network.contains(address) && network.lies_in(block));
            return if named { Ok(()) } else { Err(kind) };
        }
        let Some(kind) = forbidden(address) else {
            return Ok(());
        };
        let allowed =
            networks().any(|network| network.contains(address)) || self.allow.iter().any(|allowed| allowed.names(host));
        if allowed { Ok(()) } else { Err(kind) }
    }
}

fn is_localhost(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name == "localhost" || name.ends_with(".localhost")
}

/// The IPv4 address in one of `64:ff9b::/96`.
fn embedded(address: IpAddr) -> Option<IpAddr> {
    let IpAddr::V6(address) = address else { return None };
    let [0x64, 0xff9b, 0, 0, 0, 0, high, low] = address.segments() else {
        return None;
    };
    Some(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)).into())
}

const fn v4(a: u8, b: u8, c: u8, prefix: u8) -> Network {
    Network::new(IpAddr::V4(Ipv4Addr::new(a, b, c, 0)), prefix)
}

const fn v6(a: u16, b: u16, prefix: u8) -> Network {
    Network::new(IpAddr::V6(Ipv6Addr::new(a, b, 0, 0, 0, 0, 0, 0)), prefix)
}

/// Blocks where a cloud hands its machines their keys: a wider block or a name in the list of allowed targets does not
/// open them; they must be named themselves.
const NAMED_ONLY: [(Network, &str); 3] = [
    (v4(169, 254, 0, 16), "a link-local address"),
    (
        Network::new(IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)), 128),
        "an address of a cloud's metadata",
    ),
    (
        Network::new(IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)), 32),
        "an address of a cloud's metadata",
    ),
];

/// IANA's registry of special-purpose IPv4 addresses, and multicast.
const FORBIDDEN_V4: [(Network, &str); 15] = [
    (v4(0, 0, 0, 8), "an unspecified address"),
    (v4(10, 0, 0, 8), "a private address"),
    (v4(100, 64, 0, 10), "an address behind a provider's NAT"),
    (v4(127, 0, 0, 8), "a loopback address"),
    (v4(169, 254, 0, 16), "a link-local address"),
    (v4(172, 16, 0, 12), "a private address"),
    (v4(192, 0, 0, 24), "a reserved address"),
    (v4(192, 0, 2, 24), "an address for documentation"),
    (v4(192, 88, 99, 24), "a reserved address"),
    (v4(192, 168, 0, 16), "a private address"),
    (v4(198, 18, 0, 15), "an address for benchmarks"),
    (v4(198, 51, 100, 24), "an address for documentation"),
    (v4(203, 0, 113, 24), "an address for documentation"),
    (v4(224, 0, 0, 4), "a multicast address"),
    (v4(240, 0, 0, 4), "a reserved address"),
];

/// The only block of IPv6 that is given out (RFC 4291). Everything else is refused by default: loopback, mapped and
/// translated addresses, NAT64, unique local, link-local, multicast.
const GLOBAL_V6: Network = v6(0x2000, 0, 3);

/// What is special inside it: Teredo, ORCHID and others; documentation; 6to4.
const FORBIDDEN_V6: [(Network, &str); 4] = [
    (v6(0x2001, 0, 23), "a reserved address"),
    (v6(0x2001, 0xdb8, 32), "an address for documentation"),
    (v6(0x2002, 0, 16), "a reserved address"),
    (v6(0x3fff, 0, 20), "an address for documentation"),
];

/// What kind of address it is, if it is none of the open internet. In its canonical form.
fn forbidden(address: IpAddr) -> Option<&'static str> {
    let table: &[(Network, &str)] = match address {
        IpAddr::V4(_) => &FORBIDDEN_V4,
        IpAddr::V6(address) if address.is_loopback() => return Some("a loopback address"),
        IpAddr::V6(address) if !GLOBAL_V6.contains(IpAddr::V6(address)) => {
            return Some("an address outside of the open internet");
        }
        IpAddr::V6(_) => &FORBIDDEN_V6,
    };
    let found = table.iter().find(|(block, _)| block.contains(address));
    found.map(|(_, kind)| *kind)
}

#[cfg(test)]
mod tests;
