//! One message to be posted: its URL, headers and use of the system proxy, checked at SEND (delivery by HTTP POST).
//!
//! Values of headers are secrets until proven harmless: they are sealed before they are stored, bound to the URL that
//! they were given for, and not shown again.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use url::Url;

use super::seal;
use super::target::{Policy, URL_MAX};
use crate::error::{Fault, Faults, Result};
use crate::secret::{InstallationKey, Random};

/// Headers of one message.
pub const HEADERS_MAX: usize = 32;
/// Bytes of one value.
pub const VALUE_MAX: usize = 4 * 1024;
/// Bytes of one name.
pub const NAME_MAX: usize = 128;
/// Bytes of all names and values.
pub const ALL_MAX: usize = 16 * 1024;

const PURPOSE: &str = "post headers";

/// Whether a message goes through the system proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Proxy {
    /// It does, by the rules of the proxy's settings.
    Yes,
    /// It does not.
    No,
    /// As the server's setting `http_use_proxy` has it.
    #[default]
    Default,
}

impl Proxy {
    /// From what a sender chose; `None` is nothing chosen.
    #[must_use]
    pub const fn chosen(choice: Option<bool>) -> Self {
        match choice {
            Some(true) => Self::Yes,
            Some(false) => Self::No,
            None => Self::Default,
        }
    }

    /// As [`Proxy::chosen`] takes it, and as it is stored.
    #[must_use]
    pub const fn choice(self) -> Option<bool> {
        match self {
            Self::Yes => Some(true),
            Self::No => Some(false),
            Self::Default => None,
        }
    }
}

/// Where and how a message is posted. Checked: made by [`check`], or out of what that made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Post {
    /// `http` or `https`, without user and fragment.
    pub url: Url,
    /// The sender's own headers.
    pub headers: Headers,
    /// Whether it goes through the system proxy.
    pub proxy: Proxy,
}

/// Headers that may be sent: names as typed, each once. `Debug` does not print the values.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Headers(Vec<(String, String)>);

/// A header as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown<'h> {
    /// The name, as typed.
    pub name: &'h str,
    /// The value; `None` is "set": it may be a secret.
    pub value: Option<&'h str>,
}

/// Values of these are shown again; they hold no secret.
const HARMLESS: [&str; 3] = ["accept", "accept-language", "content-type"];

/// Names that are ours, the connection's, or those that clouds' front doors believe.
const REFUSED_NAMES: [&str; 16] = [
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "te",
    "trailer",
    "trailers",
    "upgrade",
    "expect",
    "http2-settings",
    "content-encoding",
    "date",
    "user-agent",
    "forwarded",
    "via",
];
/// Beginnings of such names.
const REFUSED_PREFIXES: [&str; 11] = [
    "proxy-",
    "webhook-",
    "sec-",
    "x-forwarded-",
    "x-amz-",
    "x-amzn-",
    "x-google",
    "x-goog-",
    "x-gfe",
    "x-azure-",
    "x-fd-",
];

impl Headers {
    /// Checks a sender's headers. White space around a value does not count.
    ///
    /// # Errors
    /// Every fault, with the place of the header in the list, or `None` for all of them together.
    pub fn check(list: &[(String, String)]) -> std::result::Result<Self, Vec<(Option<usize>, String)>> {
        let mut faults = Vec::new();
        let mut checked: Vec<(String, String)> = Vec::with_capacity(list.len());
        if list.len() > HEADERS_MAX {
            faults.push((None, format!("must be at most {HEADERS_MAX} headers")));
        }
        for (at, (name, value)) in list.iter().enumerate().take(HEADERS_MAX) {
            let value = value.trim_matches([' ', '\t']);
            let again = checked.iter().any(|(other, _)| other.eq_ignore_ascii_case(name));
            let fault = fault_of_name(name)
                .or_else(|| again.then(|| format!("is the second one with the name {name}")))
                .or_else(|| fault_of_value(value));
            match fault {
                Some(fault) => faults.push((Some(at), fault)),
                None => checked.push((name.clone(), value.to_owned())),
            }
        }
        let all: usize = checked.iter().map(|(name, value)| name.len() + value.len()).sum();
        if all > ALL_MAX {
            faults.push((None, format!("must have at most {ALL_MAX} bytes together")));
        }
        if faults.is_empty() {
            Ok(Self(checked))
        } else {
            Err(faults)
        }
    }

    /// Names and values, for the wire.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Names, and the values that hold no secret.
    pub fn shown(&self) -> impl Iterator<Item = Shown<'_>> {
        self.iter().map(|(name, value)| Shown {
            name,
            value: HARMLESS
                .iter()
                .any(|harmless| name.eq_ignore_ascii_case(harmless))
                .then_some(value),
        })
    }

    /// As stored. They open for the same URL alone, so that who changes the URL in the database gets no secret sent.
    #[must_use]
    pub fn seal(&self, key: &InstallationKey, url: &Url, random: &Random) -> Vec<u8> {
        let text = serde_json::to_vec(&self.0).expect("pairs of texts are JSON");
        seal::seal(key, PURPOSE, url.as_str(), &text, random)
    }

    /// Out of what [`Headers::seal`] made; `None` where the secret of the installation or the URL is another one.
    #[must_use]
    pub fn open(key: &InstallationKey, url: &Url, sealed: &[u8]) -> Option<Self> {
        let text = seal::open(key, PURPOSE, url.as_str(), sealed)?;
        serde_json::from_slice(&text).ok().map(Self)
    }

    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(other, _)| other.eq_ignore_ascii_case(name))
    }
}

impl std::fmt::Debug for Headers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

fn fault_of_name(name: &str) -> Option<String> {
    // RFC 9110, section 5.6.2.
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(is_token) {
        return Some("must have a name of letters, digits and !#$%&'*+-.^_`|~".into());
    }
    if name.len() > NAME_MAX {
        return Some(format!("must have a name of at most {NAME_MAX} bytes"));
    }
    let lower = name.to_ascii_lowercase();
    let refused =
        REFUSED_NAMES.contains(&lower.as_str()) || REFUSED_PREFIXES.iter().any(|prefix| lower.starts_with(prefix));
    refused.then(|| format!("{name} cannot be set by a sender"))
}

fn fault_of_value(value: &str) -> Option<String> {
    // RFC 9110, section 5.5, without what only obsolete senders write.
    let is_good = |byte: u8| byte == b'\t' || (b' '..=b'~').contains(&byte);
    if value.len() > VALUE_MAX {
        return Some(format!("must have a value of at most {VALUE_MAX} bytes"));
    }
    (!value.bytes().all(is_good)).then(|| "must have a value of ASCII signs, without line breaks".into())
}

/// Checks what a sender gave. User and password in the URL become a header `Authorization`, which is kept as secret as
/// the others; a fragment is refused.
///
/// # Errors
/// [`crate::Error::Invalid`] with every fault, of the fields `url`, `headers`, `headers[N]` and `use_system_proxy`.
pub fn check(url: &str, headers: &[(String, String)], proxy: Proxy, policy: &Policy) -> Result<Post> {
    let mut faults = Faults::default();
    let url = check_url(url, policy).map_err(|reason| faults.add("url", reason)).ok();
    let headers = Headers::check(headers)
        .map_err(|found| {
            for Fault { field, reason } in found.into_iter().map(fault_of_header) {
                faults.add(field, reason);
            }
        })
        .ok();
    faults.require(
        proxy != Proxy::Yes || policy.proxy,
        "use_system_proxy",
        "this server has no system proxy (HTTPS_PROXY, HTTP_PROXY)",
    );
    let Some(((url, basic), mut headers)) = url.zip(headers) else {
        return Err(faults.finish().expect_err("what is missing has left a fault"));
    };
    if let Some(basic) = basic {
        faults.require(
            !headers.has("authorization"),
            "url",
            "has a user, and there is a header Authorization: give one of them",
        );
        headers.0.push(("Authorization".into(), basic));
    }
    faults.finish()?;
    Ok(Post { url, headers, proxy })
}

fn fault_of_header((at, reason): (Option<usize>, String)) -> Fault {
    Fault {
        field: at.map_or_else(|| "headers".into(), |at| format!("headers[{at}]")),
        reason,
    }
}

/// A URL that a message may be posted to, without its user, and the value of `Authorization` that stands for the user.
///
/// # Errors
/// The reason in plain words; it does not repeat the URL, which may hold a password.
pub fn check_url(text: &str, policy: &Policy) -> std::result::Result<(Url, Option<String>), String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("must be given".into());
    }
    let mut url =
        Url::parse(text).map_err(|_| "must be a URL such as https://hooks.example.com/in?key=1".to_owned())?;
    if url.fragment().is_some() {
        return Err("must not have a fragment (#…): it would not be sent".into());
    }
    let basic = take_user(&mut url);
    if text.len() > URL_MAX || url.as_str().len() > URL_MAX {
        return Err(format!("must have at most {URL_MAX} bytes"));
    }
    policy.vet_url(&url)?;
    Ok((url, basic))
}

/// Takes user and password out of a URL: the value of `Authorization`, or `Proxy-Authorization`, that stands for them
/// (RFC 7617).
pub fn take_user(url: &mut Url) -> Option<String> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let mut pair = decoded(url.username());
    pair.push(b':');
    pair.extend(decoded(url.password().unwrap_or_default()));
    // Neither can fail where there was a user.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    Some(format!("Basic {}", STANDARD.encode(pair)))
}

/// Percent-encoding undone (RFC 3986, section 2.1).
fn decoded(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, after @ ..] = rest {
        let escaped = after.first_chunk::<2>().filter(|_| *byte == b'%').and_then(|pair| {
            let digits = std::str::from_utf8(pair).ok()?;
            u8::from_str_radix(digits, 16).ok()
        });
        out.push(escaped.unwrap_or(*byte));
        rest = if escaped.is_some() { &after[2..] } else { after };
    }
    out
}

#[cfg(test)]
mod tests;
