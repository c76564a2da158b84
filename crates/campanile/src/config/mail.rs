//! Settings of messages by mail: the relay, the sender, the signature, the look.

use std::path::PathBuf;

use super::value::{self, Refusal};
use super::{ConfigError, Secret, Setting, secret, setting};
use crate::deliver::bounce::Listen;
use crate::deliver::mail::{Colour, Mailbox};
use crate::deliver::smtp::{Relay, Times};

/// Messages by mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// Where mail is handed to; without it there is none.
    pub relay: Option<Relay>,
    /// Who writes; needed with a relay.
    pub from: Option<Mailbox>,
    /// Connections to the relay at most.
    pub connections: usize,
    /// How long each step may take.
    pub times: Times,
    /// How this server calls itself to the relay; by default the host of `public_url`.
    pub hello: Option<String>,
    /// Certificate authorities besides the system's, PEM.
    pub ca_file: Option<PathBuf>,
    /// Under which name the public key stands in the DNS.
    pub dkim_selector: Option<String>,
    /// For which domain is signed; by default that of the sender.
    pub dkim_domain: Option<String>,
    /// The private key, PEM; without it nothing is signed here.
    pub dkim_key: Option<Secret>,
    /// The domain at which bounces are taken in.
    pub bounce_domain: Option<String>,
    /// Where mail for that domain comes in.
    pub bounce_listen: Option<Listen>,
    /// How mails look.
    pub brand: Brand,
}

/// How mails look, as it is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brand {
    /// The name of the product.
    pub name: String,
    /// A picture: an `https` address, or a file.
    pub logo: Option<String>,
    /// Links and buttons on a light ground.
    pub colour: Colour,
    /// The same on a dark ground.
    pub colour_dark: Colour,
    /// The last lines.
    pub footer: String,
}

impl Default for Mail {
    fn default() -> Self {
        let brand = crate::deliver::mail::Brand::default();
        Self {
            relay: None,
            from: None,
            connections: 16,
            times: Times::default(),
            hello: None,
            ca_file: None,
            dkim_selector: None,
            dkim_domain: None,
            dkim_key: None,
            bounce_domain: None,
            bounce_listen: None,
            brand: Brand {
                name: brand.name,
                logo: None,
                colour: brand.colour,
                colour_dark: brand.colour_dark,
                footer: brand.footer,
            },
        }
    }
}

impl Mail {
    /// The sender, if there is a relay.
    ///
    /// # Errors
    /// [`ConfigError::Needed`] with a relay and no sender, or a key and no selector.
    pub fn sender(&self) -> Result<Option<(&Relay, &Mailbox)>, ConfigError> {
        let Some(relay) = &self.relay else {
            return Ok(None);
        };
        let needed = |setting, reason| Err(ConfigError::Needed { setting, reason });
        if self.dkim_key.is_some() && self.dkim_selector.is_none() {
            return needed(
                "dkim_selector",
                "with dkim_key it must be given: the name under which the public key stands",
            );
        }
        match &self.from {
            Some(from) => Ok(Some((relay, from))),
            None => needed(
                "mail_from",
                "with smtp_url it must be given: `Name <address>`, such as Bell <bell@example.com>",
            ),
        }
    }
}

impl Mail {
    /// Where mail that comes back is taken in, and for which domain; `None`: it is not.
    ///
    /// # Errors
    /// [`ConfigError::Needed`] with a place and no domain.
    pub fn bounces(&self) -> Result<Option<(Listen, &str)>, ConfigError> {
        match (self.bounce_listen, self.bounce_domain.as_deref()) {
            (None, _) => Ok(None),
            (Some(listen), Some(domain)) => Ok(Some((listen, domain))),
            (Some(_), None) => Err(ConfigError::Needed {
                setting: "bounce_domain",
                reason: "with bounce_listen it must be given: the domain whose mail comes in there",
            }),
        }
    }
}

/// The settings of this part.
pub(super) const SETTINGS: &[Setting] = &[
    secret("smtp_url", |s, text| Relay::parse(text).map(|v| s.mail.relay = Some(v))),
    setting("mail_from", |s, text| {
        Mailbox::parse(text).map(|v| s.mail.from = Some(v))
    }),
    setting("smtp_connections", |s, text| {
        value::count(text, 1, 1_000).map(|v| s.mail.connections = v)
    }),
    setting("smtp_hello", |s, text| hello(text).map(|v| s.mail.hello = Some(v))),
    setting("smtp_ca_file", |s, text| {
        s.mail.ca_file = Some(text.into());
        Ok(())
    }),
    setting("smtp_connect_timeout", |s, text| {
        value::span(text).map(|v| s.mail.times.connect = v)
    }),
    setting("smtp_command_timeout", |s, text| {
        value::span(text).map(|v| s.mail.times.command = v)
    }),
    setting("smtp_data_timeout", |s, text| {
        value::span(text).map(|v| s.mail.times.data = v)
    }),
    setting("smtp_block_timeout", |s, text| {
        value::span(text).map(|v| s.mail.times.block = v)
    }),
    setting("smtp_dot_timeout", |s, text| {
        value::span(text).map(|v| s.mail.times.dot = v)
    }),
    setting("smtp_idle_timeout", |s, text| {
        value::span(text).map(|v| s.mail.times.idle = v)
    }),
    setting("dkim_selector", |s, text| {
        domain(text).map(|v| s.mail.dkim_selector = Some(v))
    }),
    setting("dkim_domain", |s, text| {
        domain(text).map(|v| s.mail.dkim_domain = Some(v))
    }),
    secret("dkim_key", |s, text| {
        s.mail.dkim_key = Some(Secret::new(text));
        Ok(())
    }),
    setting("bounce_domain", |s, text| {
        domain(text).map(|v| s.mail.bounce_domain = Some(v))
    }),
    setting("bounce_listen", |s, text| {
        Listen::parse(text).map(|v| s.mail.bounce_listen = Some(v))
    }),
    setting("brand_name", |s, text| brand_name(text).map(|v| s.mail.brand.name = v)),
    setting("brand_logo", |s, text| {
        brand_logo(text).map(|v| s.mail.brand.logo = Some(v))
    }),
    setting("brand_color", |s, text| colour(text).map(|v| s.mail.brand.colour = v)),
    setting("brand_color_dark", |s, text| {
        colour(text).map(|v| s.mail.brand.colour_dark = v)
    }),
    setting("brand_footer", |s, text| {
        brand_footer(text).map(|v| s.mail.brand.footer = v)
    }),
];

/// A name of the DNS, in ASCII.
fn domain(text: &str) -> Result<String, Refusal> {
    let ascii = idna::domain_to_ascii(text).ok();
    let is_label = |label: &str| {
        let fits = (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-');
        fits && label
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    ascii
        .filter(|name| name.len() <= 253 && name.split('.').all(is_label))
        .ok_or_else(|| "must be a name of the DNS, such as example.com".into())
}

/// A name, or an address in brackets (RFC 5321, section 4.1.3).
fn hello(text: &str) -> Result<String, Refusal> {
    let inside = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let is_literal = inside.is_some_and(|text| {
        let text = text.strip_prefix("IPv6:").unwrap_or(text);
        text.parse::<std::net::IpAddr>().is_ok()
    });
    if is_literal {
        return Ok(text.to_owned());
    }
    domain(text).map_err(|_| "must be a host name, such as bell.example.com, or an address such as [192.0.2.1]".into())
}

fn brand_name(text: &str) -> Result<String, Refusal> {
    let fits = !text.trim().is_empty() && text.chars().count() <= 60 && !text.contains(char::is_control);
    fits.then(|| text.trim().to_owned())
        .ok_or_else(|| "must have 1 to 60 characters in one line".into())
}

fn brand_logo(text: &str) -> Result<String, Refusal> {
    let is_other_link = text.contains("://") && !text.starts_with("https://");
    let fits = !is_other_link && text.len() <= 2_048 && !text.contains(|c: char| c.is_control() || "\"<>".contains(c));
    fits.then(|| text.to_owned())
        .ok_or_else(|| "must be https://… or the path of a PNG, JPEG or GIF file".into())
}

fn brand_footer(text: &str) -> Result<String, Refusal> {
    let fits = text.len() <= 4_096 && !text.contains(|c: char| c.is_control() && c != '\n');
    fits.then(|| text.trim().to_owned())
        .ok_or_else(|| "must be lines of text, at most 4096 bytes".into())
}

fn colour(text: &str) -> Result<Colour, Refusal> {
    Colour::parse(text).ok_or_else(|| "must be a colour such as #8a5a00".into())
}
