//! The relay of the setting `smtp_url`: where it is, how its connection is protected, who we are to it.

use std::net::IpAddr;
use std::time::Duration;

use url::Url;

use crate::config::Secret;
use crate::percent;

/// Where mail is handed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relay {
    /// A name or an address, without brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: Tls,
    /// Who we are to it, where it asks.
    pub login: Option<Login>,
}

/// How the connection to a relay is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// From the first byte on (`smtps`), the certificate verified.
    Implicit,
    /// By STARTTLS, the certificate verified; a relay that does not offer it is not used.
    Required,
    /// By STARTTLS where it is offered, whatever the certificate: against listeners, not against impostors.
    Opportunistic,
    /// Not at all.
    None,
}

/// Name and password for `AUTH`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The name.
    pub user: String,
    /// The password.
    pub password: Secret,
}

/// How long each step may take: the minima of RFC 5321, section 4.5.3.2, unless a setting says otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Times {
    /// For the connection, and for TLS.
    pub connect: Duration,
    /// For the greeting, and for the answers to `EHLO`, `AUTH`, `MAIL`, `RCPT` and `RSET`.
    pub command: Duration,
    /// For the answer to `DATA`.
    pub data: Duration,
    /// For each piece of the mail to be taken.
    pub block: Duration,
    /// For the answer to the final dot. What is given up here is in doubt, so it is long.
    pub dot: Duration,
    /// After this long without mail a connection is closed.
    pub idle: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(30),
            command: Duration::from_mins(5),
            data: Duration::from_mins(2),
            block: Duration::from_mins(3),
            dot: Duration::from_mins(10),
            idle: Duration::from_secs(30),
        }
    }
}

/// What a relay's URL has to look like.
const SHAPE: &str = "must be smtp://[USER:PASSWORD@]HOST[:PORT], or smtps://…; in USER and PASSWORD, @ is written %40";

impl Relay {
    /// Reads a relay's URL. Without a port: 465 for `smtps`, 587 where a user is given, else 25. Without `tls`:
    /// required, but none on the loopback address, where there is nobody to protect it from.
    ///
    /// # Errors
    /// What would be right; never what was written, since it may hold a password.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || SHAPE.to_owned();
        let url = Url::parse(text).map_err(|_| wrong())?;
        let implicit = match url.scheme() {
            "smtp" => false,
            "smtps" => true,
            _ => return Err(wrong()),
        };
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(wrong)?;
        let host = percent::decoded(host).ok_or_else(wrong)?;
        let host = host.trim_matches(['[', ']']).to_owned();
        if !matches!(url.path(), "" | "/") || url.fragment().is_some() || host.contains(|c: char| !is_of_host(c)) {
            return Err(wrong());
        }
        let tls = match (tls_of(&url)?, implicit) {
            (None | Some(Tls::Required), true) => Tls::Implicit,
            (Some(_), true) => return Err("smtps is TLS from the first byte on: leave out tls=…, or use smtp".into()),
            (Some(tls), false) => tls,
            (None, false) if is_loopback(&host) => Tls::None,
            (None, false) => Tls::Required,
        };
        let user = percent::decoded(url.username()).ok_or_else(wrong)?;
        let password = percent::decoded(url.password().unwrap_or_default()).ok_or_else(wrong)?;
        if user.contains('\0') || password.contains('\0') || user.is_empty() != password.is_empty() {
            return Err(wrong());
        }
        let login = (!user.is_empty()).then(|| Login {
            user,
            password: Secret::new(password),
        });
        let usual = match (implicit, &login) {
            (true, _) => 465,
            (false, Some(_)) => 587,
            (false, None) => 25,
        };
        let port = url.port().unwrap_or(usual);
        Ok(Self { host, port, tls, login })
    }

    /// Whether the relay is on this machine.
    #[must_use]
    pub fn is_local(&self) -> bool {
        is_loopback(&self.host)
    }
}

fn tls_of(url: &Url) -> Result<Option<Tls>, String> {
    let mut tls = None;
    for (key, value) in url.query_pairs() {
        tls = match (&*key, &*value) {
            ("tls", "required") => Some(Tls::Required),
            ("tls", "opportunistic") => Some(Tls::Opportunistic),
            ("tls", "none") => Some(Tls::None),
            _ => return Err(SHAPE.into()),
        };
    }
    Ok(tls)
}

fn is_of_host(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':')
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host
            .parse()
            .is_ok_and(|address: IpAddr| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (String, u16, Tls) {
        let relay = Relay::parse(text).unwrap();
        (relay.host, relay.port, relay.tls)
    }

    #[test]
    fn tls_is_required_unless_the_relay_is_here() {
        assert_eq!(
            read("smtp://mx.example.com"),
            ("mx.example.com".into(), 25, Tls::Required)
        );
        assert_eq!(read("smtp://127.0.0.1:2525").2, Tls::None);
        assert_eq!(read("smtp://localhost?tls=required").2, Tls::Required);
        assert_eq!(read("smtp://[::1]:26"), ("::1".into(), 26, Tls::None));
        assert_eq!(read("smtp://10.0.0.1?tls=none").2, Tls::None);
        assert_eq!(
            read("smtps://mx.example.com/"),
            ("mx.example.com".into(), 465, Tls::Implicit)
        );
        assert_eq!(read("smtp://u:p@mx.example.com?tls=opportunistic").1, 587);
    }

    #[test]
    fn a_password_is_decoded_and_never_shown() {
        let relay = Relay::parse("smtp://user%40example.com:p%40%2F%3A%25s@mx.example.com").unwrap();
        let login = relay.login.as_ref().unwrap();
        assert_eq!(
            (login.user.as_str(), login.password.expose()),
            ("user@example.com", "p@/:%s")
        );
        assert!(!format!("{relay:?}").contains("p@/"));
    }

    #[test]
    fn what_is_no_relay_is_refused_without_being_repeated() {
        for wrong in [
            "",
            "mx.example.com",
            "http://mx.example.com",
            "smtp://",
            "smtp://user@mx.example.com",
            "smtp://:geheim@mx.example.com",
            "smtp://mx.example.com/path",
            "smtp://mx.example.com?tls=maybe",
            "smtp://mx.example.com?tsl=none",
            "smtp://mx%0d%0a.example.com",
            "smtp://u:geheim%00@mx.example.com",
            "smtps://mx.example.com?tls=none",
        ] {
            let told = Relay::parse(wrong).unwrap_err();
            assert!(told.contains("smtp") && !told.contains("geheim"), "{wrong}: {told}");
        }
    }
}
