//! The system proxy: which targets go through it, and the tunnel that it makes for `https` (RFC 9110, section 9.3.6).

use campanile_core::network::Network;
use campanile_core::outbox::post::take_user;
use http::HeaderValue;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use url::Url;

use super::guard::Trouble;
use crate::config::{Proxies, Secret};

/// Bytes of a proxy's answer to `CONNECT`.
const ANSWER_MAX: usize = 8 * 1024;

/// The proxies of the settings, read.
#[derive(Debug, Clone, Default)]
pub struct Routes {
    https: Option<Proxy>,
    http: Option<Proxy>,
    no: Vec<Exempt>,
    /// Whether the proxy alone looks names up and guards what may be reached.
    pub resolves: bool,
}

/// A proxy that speaks HTTP.
#[derive(Debug, Clone)]
pub struct Proxy {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The value of `Proxy-Authorization`; never sent to a target.
    pub authorization: Option<HeaderValue>,
}

/// An entry of `NO_PROXY`.
#[derive(Debug, Clone)]
enum Exempt {
    All,
    Network(Network),
    /// The name and every name below it, in lower case.
    Name(String),
}

impl Routes {
    /// Reads the settings, whose URLs have been checked.
    #[must_use]
    pub fn new(settings: &Proxies) -> Self {
        Self {
            https: settings.https.as_ref().and_then(proxy),
            http: settings.http.as_ref().and_then(proxy),
            no: settings.no.iter().map(|entry| exempt(entry)).collect(),
            resolves: settings.resolves,
        }
    }

    /// Whether there is any proxy.
    #[must_use]
    pub const fn is_some(&self) -> bool {
        self.https.is_some() || self.http.is_some()
    }

    /// The proxy for a target, by its scheme and its host as in a URL.
    #[must_use]
    pub fn proxy_for(&self, scheme: &str, host: &str) -> Option<&Proxy> {
        let proxy = match scheme {
            "https" => self.https.as_ref(),
            _ => self.http.as_ref(),
        }?;
        let bare = bare(host);
        let bare = bare.strip_suffix('.').unwrap_or(bare);
        let address = bare.parse().ok();
        let is_exempt = self.no.iter().any(|entry| match entry {
            Exempt::All => true,
            Exempt::Network(network) => address.is_some_and(|address| network.contains(address)),
            Exempt::Name(name) => bare
                .strip_suffix(name.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.')),
        });
        (!is_exempt).then_some(proxy)
    }
}

/// A host of a URL without the brackets of an IPv6 address.
pub(super) fn bare(host: &str) -> &str {
    host.strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host)
}

fn proxy(url: &Secret) -> Option<Proxy> {
    let mut url = Url::parse(url.expose()).ok()?;
    let authorization = take_user(&mut url).and_then(|value| HeaderValue::try_from(value).ok());
    Some(Proxy {
        host: bare(url.host_str()?).to_owned(),
        port: url.port_or_known_default()?,
        authorization: authorization.map(|mut value| {
            value.set_sensitive(true);
            value
        }),
    })
}

fn exempt(entry: &str) -> Exempt {
    if entry == "*" {
        return Exempt::All;
    }
    if let Ok(network) = bare(entry).parse() {
        return Exempt::Network(network);
    }
    let name = entry.strip_prefix('*').unwrap_or(entry);
    Exempt::Name(name.trim_matches('.').to_ascii_lowercase())
}

/// Asks a proxy for a tunnel to `host:port`, the host as in a URL. Nothing is known of the target afterwards but what
/// the proxy says: its own faults are [`Trouble::Proxy`], what it cannot reach is [`Trouble::Beyond`].
pub(super) async fn tunnel<S>(stream: &mut S, proxy: &Proxy, host: &str, port: u16) -> Result<(), Trouble>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut request = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n").into_bytes();
    if let Some(value) = &proxy.authorization {
        request.extend_from_slice(b"Proxy-Authorization: ");
        request.extend_from_slice(value.as_bytes());
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    let broke_off = |_| Trouble::Proxy("broke off".into());
    stream.write_all(&request).await.map_err(broke_off)?;
    let mut answer = Vec::with_capacity(512);
    let head = loop {
        if let Some(at) = answer.windows(4).position(|part| part == b"\r\n\r\n") {
            break at + 4;
        }
        if answer.len() >= ANSWER_MAX || stream.read_buf(&mut answer).await.map_err(broke_off)? == 0 {
            return Err(Trouble::Proxy("broke off".into()));
        }
    };
    let status = answer
        .strip_prefix(b"HTTP/1.")
        .and_then(|rest| std::str::from_utf8(rest.get(2..5)?).ok()?.parse::<u16>().ok());
    match status {
        // What follows would be the target's; it speaks TLS, and in TLS we speak first.
        Some(200..=299) if answer.len() == head => Ok(()),
        Some(407) => Err(Trouble::Proxy("asks for another user and password".into())),
        Some(code @ 500..=599) => Err(Trouble::Beyond(code)),
        Some(code) => Err(Trouble::Proxy(format!(
            "refuses to connect to the target (it answered {code})"
        ))),
        None => Err(Trouble::Proxy("does not speak HTTP".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes(https: Option<&str>, http: Option<&str>, no: &[&str]) -> Routes {
        Routes::new(&Proxies {
            https: https.map(Secret::new),
            http: http.map(Secret::new),
            no: no.iter().map(|entry| (*entry).to_owned()).collect(),
            resolves: false,
        })
    }

    #[test]
    fn each_scheme_has_its_proxy() {
        let routes = routes(Some("http://s.example/"), Some("http://[::1]:3128/"), &[]);
        let of = |scheme| {
            routes
                .proxy_for(scheme, "x")
                .map(|proxy| (proxy.host.as_str(), proxy.port))
        };
        assert_eq!(of("https"), Some(("s.example", 80)));
        assert_eq!(of("http"), Some(("::1", 3128)));
        assert!(
            self::routes(None, Some("http://p/"), &[])
                .proxy_for("https", "x")
                .is_none()
        );
    }

    #[test]
    fn what_no_proxy_names_goes_without() {
        let no = [
            "localhost",
            ".internal",
            "*.corp.example",
            "10.0.0.0/8",
            "[::1]",
            "192.0.2.1",
        ];
        let routes = routes(None, Some("http://p/"), &no);
        for host in [
            "localhost",
            "a.internal",
            "internal",
            "a.b.corp.example",
            "10.2.3.4",
            "[::1]",
            "192.0.2.1",
        ] {
            assert!(routes.proxy_for("http", host).is_none(), "{host}");
        }
        for host in [
            "example.com",
            "notinternal",
            "localhost.example",
            "11.0.0.1",
            "[::2]",
            "192.0.2.11",
        ] {
            assert!(routes.proxy_for("http", host).is_some(), "{host}");
        }
        assert!(
            self::routes(None, Some("http://p/"), &["*"])
                .proxy_for("http", "x")
                .is_none()
        );
    }

    #[test]
    fn the_password_of_a_proxy_is_never_printed() {
        let routes = routes(None, Some("http://user:hunter2@p/"), &[]);
        let value = routes.http.as_ref().unwrap().authorization.clone().unwrap();
        assert_eq!(value, "Basic dXNlcjpodW50ZXIy");
        assert!(!format!("{routes:?}").contains("dXNlcjpodW50ZXIy"));
    }
}
