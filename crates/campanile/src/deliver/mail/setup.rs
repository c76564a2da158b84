//! From the settings to what writes and sends mail.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use campanile_core::secret::InstallationKey;

use super::{Brand, Logo, Signer, Stationery};
use crate::config::{ConfigError, Mail};
use crate::deliver::smtp::{Options, verifying};

/// Connections for critical mail alone, and as many for bulk alone.
const RESERVED: usize = 2;

/// What an installation needs for mail.
#[derive(Debug, Clone)]
pub struct Office {
    /// Writes.
    pub stationery: Arc<Stationery>,
    /// Sends: for [`crate::deliver::smtp::Pool::new`].
    pub pool: Options,
}

/// Reads the files that the settings name. `None` without a relay: there is no mail then.
///
/// # Errors
/// [`ConfigError`], naming the setting.
pub fn office(mail: &Mail, origin: &str, key: &InstallationKey) -> Result<Option<Office>, ConfigError> {
    let Some((relay, from)) = mail.sender()? else {
        return Ok(None);
    };
    let wrong = |setting: &'static str, reason: String| ConfigError::Value {
        setting,
        origin: "at start".into(),
        reason,
    };
    let signer = mail.dkim_key.as_ref().map(|pem| {
        let domain = mail.dkim_domain.as_deref().unwrap_or_else(|| from.domain());
        let selector = mail.dkim_selector.as_deref().unwrap_or_default();
        Signer::new(domain, selector, pem.expose()).map(Arc::new)
    });
    let signer = signer.transpose().map_err(|reason| wrong("dkim_key", reason))?;
    let logo = mail.brand.logo.as_deref().map(logo).transpose()?;
    let tls = verifying(mail.ca_file.as_deref()).map_err(|reason| wrong("smtp_ca_file", reason))?;
    let stationery = Stationery {
        from: from.clone(),
        origin: origin.to_owned(),
        brand: Brand {
            name: mail.brand.name.clone(),
            logo,
            colour: mail.brand.colour,
            colour_dark: mail.brand.colour_dark,
            footer: mail.brand.footer.clone(),
        },
        bounce_domain: mail.bounce_domain.clone(),
        key: key.clone(),
        signer,
    };
    let pool = Options {
        relay: relay.clone(),
        times: mail.times.clone(),
        hello: mail.hello.clone().unwrap_or_else(|| hello(origin)),
        tls,
        connections: mail.connections,
        reserved: RESERVED,
    };
    let stationery = Arc::new(stationery);
    Ok(Some(Office { stationery, pool }))
}

fn logo(at: &str) -> Result<Logo, ConfigError> {
    if at.starts_with("https://") {
        return Ok(Logo::Link(at.to_owned()));
    }
    let bytes = std::fs::read(at).map_err(|error| ConfigError::Unreadable {
        origin: "brand_logo".into(),
        path: Path::new(at).to_owned(),
        reason: error.to_string(),
    })?;
    Logo::of_bytes(bytes).map_err(|reason| ConfigError::Value {
        setting: "brand_logo",
        origin: at.to_owned(),
        reason,
    })
}

/// The host of our origin as a relay wants to be greeted: a name with a dot, or an address in brackets.
fn hello(origin: &str) -> String {
    let host = origin.split_once("://").map_or(origin, |(_, rest)| rest);
    let host = match host.strip_prefix('[').and_then(|host| host.split_once(']')) {
        Some((address, _)) => address,
        None => host.split(':').next().unwrap_or_default(),
    };
    match host.parse() {
        Ok(IpAddr::V4(address)) => format!("[{address}]"),
        Ok(IpAddr::V6(address)) => format!("[IPv6:{address}]"),
        Err(_) if host.contains('.') => host.to_owned(),
        Err(_) => "[127.0.0.1]".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Flags, Settings};

    fn made(file: &str) -> Result<Option<Office>, String> {
        let settings =
            Settings::from_sources(Some(file), &|_| None, Flags::default()).map_err(|error| error.to_string())?;
        let key = InstallationKey::from_text(&"k".repeat(32)).unwrap();
        office(&settings.mail, "https://bell.example.com", &key).map_err(|error| error.to_string())
    }

    #[test]
    fn without_a_relay_there_is_no_mail() {
        assert!(made("mail_from = 'bell@example.com'").unwrap().is_none());
    }

    #[test]
    fn what_belongs_together_is_asked_for_together() {
        let told = |more: &str| made(&format!("smtp_url = 'smtp://localhost'\n{more}")).unwrap_err();
        assert!(told("").contains("mail_from: with smtp_url it must be given"));
        assert!(told("mail_from = 'a@b.example'\ndkim_key = 'x'").contains("dkim_selector"));
        assert!(told("mail_from = 'a@b.example'\ndkim_key = 'x'\ndkim_selector = 's'").contains("openssl genrsa"));
        assert!(told("mail_from = 'a@b.example'\nbrand_logo = '/nowhere.png'").contains("/nowhere.png cannot be read"));
        assert!(told("mail_from = 'a@b.example'\nsmtp_ca_file = '/nowhere.pem'").contains("smtp_ca_file"));
    }

    #[test]
    fn we_greet_with_our_public_name() {
        assert_eq!(hello("https://bell.example.com:8443"), "bell.example.com");
        assert_eq!(hello("http://127.0.0.1:8480"), "[127.0.0.1]");
        assert_eq!(hello("http://[2001:db8::1]:80"), "[IPv6:2001:db8::1]");
        assert_eq!(hello("http://localhost:8480"), "[127.0.0.1]");
    }
}
