//! How a setting is written: sizes, spans of time, addresses, URLs, secrets.
//!
//! Every reader answers a fault with what would be right, and never repeats what was written: it may be a secret.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use http::Uri;

/// A value that must not be seen: `Debug` prints `***`, there is no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret itself, for the one place that uses it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// Where the data is: `sqlite://PATH`, or `postgres://…`, which may hold a password: printed without it.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    /// The URL with its password, for the driver.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether it is the embedded database; otherwise it is PostgreSQL.
    #[must_use]
    pub fn is_embedded(&self) -> bool {
        self.0.starts_with("sqlite:")
    }
}

impl std::fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Some((scheme, rest)) = self.0.split_once("://") else {
            return f.write_str(&self.0);
        };
        // What follows `?` may hold a password too, and what precedes `@` does.
        let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
        let host = host.split_once('?').map_or(host, |(host, _)| host);
        write!(f, "{scheme}://{host}")
    }
}

impl std::fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// A line for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// A refused value: what would be right.
pub(crate) type Refusal = String;

pub(crate) fn database(text: &str) -> Result<DatabaseUrl, Refusal> {
    let known = ["sqlite://", "postgres://", "postgresql://"];
    if known
        .iter()
        .any(|scheme| text.len() > scheme.len() && text.starts_with(scheme))
    {
        Ok(DatabaseUrl(text.to_owned()))
    } else {
        Err("must be sqlite://PATH or postgres://USER:PASSWORD@HOST/NAME".into())
    }
}

/// `:0` and `localhost:0` are ports of the loopback address: nothing is opened to a network by being brief.
pub(crate) fn listen(text: &str) -> Result<SocketAddr, Refusal> {
    let loopback = text.strip_prefix("localhost:").or_else(|| text.strip_prefix(':'));
    loopback
        .map_or_else(
            || text.parse().ok(),
            |port| {
                port.parse()
                    .ok()
                    .map(|port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port))
            },
        )
        .ok_or_else(|| "must be ADDRESS:PORT, such as 127.0.0.1:8480, 0.0.0.0:8480 or [::]:8480".into())
}

/// A DNS server: its address, with a port if it is not 53.
pub(super) fn dns(text: &str) -> Result<SocketAddr, Refusal> {
    let alone = || text.parse().ok().map(|address: IpAddr| SocketAddr::new(address, 53));
    text.parse()
        .ok()
        .or_else(alone)
        .ok_or_else(|| "must be the address of a DNS server, such as 192.0.2.53 or 127.0.0.1:5353".into())
}

/// `scheme://host[:port]`, without a path: every page and cookie stands at the root.
pub(crate) fn public_url(text: &str) -> Result<String, Refusal> {
    let wrong = || "must be http://HOST or https://HOST, with a port where needed, and without a path".to_owned();
    let uri: Uri = text.parse().map_err(|_| wrong())?;
    let (Some(scheme @ ("http" | "https")), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err(wrong());
    };
    let bare = uri.path() == "/" && uri.query().is_none() && !authority.as_str().contains('@') && text.is_ascii();
    if bare && !authority.host().is_empty() {
        Ok(format!("{scheme}://{}", authority.as_str().to_ascii_lowercase()))
    } else {
        Err(wrong())
    }
}

/// Bytes: a number, with `KiB`, `MiB` or `GiB` after it if wanted.
pub(super) fn size(text: &str) -> Result<u64, Refusal> {
    let (number, unit) = number_and_unit(text);
    let factor: Option<u64> = match unit {
        "" | "B" => Some(1),
        "KiB" => Some(1 << 10),
        "MiB" => Some(1 << 20),
        "GiB" => Some(1 << 30),
        _ => None,
    };
    number
        .zip(factor)
        .and_then(|(number, factor)| number.checked_mul(factor))
        .filter(|bytes| *bytes > 0)
        .ok_or_else(|| "must be a size above 0, such as 65536, 512 KiB, 1 MiB or 2 GiB".into())
}

/// A span of time: a number of seconds, or a number with `ms`, `s`, `min`, `h` or `d` after it.
pub(crate) fn span(text: &str) -> Result<Duration, Refusal> {
    let (number, unit) = number_and_unit(text);
    let ms: Option<u64> = match unit {
        "ms" => Some(1),
        "" | "s" => Some(1_000),
        "min" => Some(60_000),
        "h" => Some(3_600_000),
        "d" => Some(86_400_000),
        _ => None,
    };
    number
        .zip(ms)
        .and_then(|(number, ms)| number.checked_mul(ms))
        .filter(|ms| (1..=LONGEST_SPAN_MS).contains(ms))
        .map(Duration::from_millis)
        .ok_or_else(|| "must be a time above 0 and up to 3660 d, such as 500 ms, 10 s, 5 min, 12 h or 7 d".into())
}

/// Ten years: no limit of ours is longer, and no sum with it overflows.
const LONGEST_SPAN_MS: u64 = 3_660 * 86_400_000;

fn number_and_unit(text: &str) -> (Option<u64>, &str) {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    (number.parse().ok(), unit.trim_start())
}

/// Entries between commas.
pub(super) fn list<T: FromStr<Err = &'static str>>(text: &str) -> Result<Vec<T>, Refusal> {
    text.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(|part| part.parse().map_err(|reason| format!("an entry is {reason}")))
        .collect()
}

/// Yes or no.
pub(super) fn flag(text: &str) -> Result<bool, Refusal> {
    text.parse().map_err(|_| "must be true or false".into())
}

/// A whole number within bounds.
pub(super) fn count(text: &str, from: usize, to: usize) -> Result<usize, Refusal> {
    text.parse()
        .ok()
        .filter(|number| (from..=to).contains(number))
        .ok_or_else(|| format!("must be a whole number from {from} to {to}"))
}

/// A secret that keys are made from.
pub(super) fn secret_key(text: &str) -> Result<Secret, Refusal> {
    if (32..=1_024).contains(&text.len()) {
        Ok(Secret::new(text))
    } else {
        Err("must have 32 to 1024 bytes; `openssl rand -hex 32` makes one".into())
    }
}

/// A password, by the rule that holds for every password (decision 39).
pub(super) fn password(text: &str) -> Result<Secret, Refusal> {
    if (8..=1_024).contains(&text.len()) {
        Ok(Secret::new(text))
    } else {
        Err("must have 8 to 1024 bytes".into())
    }
}

pub(super) fn log_format(text: &str) -> Result<LogFormat, Refusal> {
    match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err("must be text or json".into()),
    }
}

/// A level, or `tracing` directives such as `info,campanile::request=warn`.
pub(super) fn log_level(text: &str) -> Result<String, Refusal> {
    // A word alone would be taken for a module to log in full: `inof` would silence everything else.
    let known = ["off", "error", "warn", "info", "debug", "trace"];
    let is_clear = |part: &str| part.contains('=') || known.contains(&part.to_ascii_lowercase().as_str());
    text.parse::<tracing_subscriber::filter::Targets>()
        .ok()
        .filter(|_| text.split(',').all(is_clear))
        .map(|_| text.to_owned())
        .ok_or_else(|| "must be error, warn, info, debug or trace, or directives such as info,hyper=warn".into())
}
