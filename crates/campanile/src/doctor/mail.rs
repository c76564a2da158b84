//! The relay, the signature, and where mail comes back to.

use std::net::IpAddr;
use std::time::Duration;

use campanile_core::secret::InstallationKey;

use super::Finding;
use super::dns::Dns;
use super::records;
use crate::app::App;
use crate::config::Settings;
use crate::deliver::mail::{Office, office};
use crate::deliver::smtp::{self, Options, Times, Tls};

/// For each step with the relay: whoever waits for a doctor does not wait for minutes.
const STEP: Duration = Duration::from_secs(15);

pub(super) async fn examine(settings: &Settings) -> Vec<Finding> {
    if settings.mail.relay.is_none() {
        return vec![Finding::warning(
            "mail",
            "no relay is set, so no message is mailed; the console says so",
            "set smtp_url (CAMPANILE_SMTP_URL) and mail_from, if mail is wanted",
        )];
    }
    let office = match made(settings) {
        Ok(office) => office,
        Err(text) => {
            let mend = "set it as the text says; the rest of mail is looked at afterwards";
            return vec![Finding::fault("mail", text, mend)];
        }
    };
    let mut findings = vec![relay(&office.pool).await];
    match Dns::new(settings.dns) {
        Ok(dns) => {
            findings.extend(reverse(&dns, &office.pool).await);
            findings.extend(records::examine(&dns, settings, &office.stationery).await);
        }
        Err(text) => {
            let mend = "name a DNS server in the setting dns (CAMPANILE_DNS)";
            findings.push(Finding::fault("DNS", text, mend));
        }
    }
    findings
}

/// What sends mail, as a server would make it; the key is of no matter for what is looked at.
fn made(settings: &Settings) -> Result<Office, String> {
    let known = App::existing_key(settings).ok().flatten().map(|(key, _)| key);
    let key = match known {
        Some(key) => key,
        None => InstallationKey::from_text(&"0".repeat(32)).map_err(|error| error.to_string())?,
    };
    settings.mail.bounces().map_err(|error| error.to_string())?;
    let office = office(&settings.mail, &settings.origin(settings.listen), &key);
    office
        .map_err(|error| error.to_string())?
        .ok_or_else(|| "no relay is set".into())
}

async fn relay(options: &Options) -> Finding {
    let (about, relay) = ("relay", &options.relay);
    let at = format!("{}:{}", relay.host, relay.port);
    let times = Times {
        connect: STEP.min(options.times.connect),
        command: STEP.min(options.times.command),
        ..options.times.clone()
    };
    let options = Options {
        times,
        ..options.clone()
    };
    if let Err(reason) = smtp::try_out(&options).await {
        return Finding::fault(
            about,
            format!("{at} takes no mail from us: {reason}"),
            "see that smtp_url has the right host, port, user and password, that the relay runs, and that a \
             certificate \
             of its own is in smtp_ca_file",
        );
    }
    let how = match relay.tls {
        Tls::Implicit | Tls::Required => "over TLS",
        Tls::Opportunistic => "over TLS where it offers that",
        Tls::None => "without TLS",
    };
    let login = if relay.login.is_some() {
        ", and takes our password"
    } else {
        ""
    };
    let text = format!("{at} answers {how}{login}");
    if matches!(relay.tls, Tls::Required | Tls::Implicit) || relay.is_local() {
        Finding::ok(about, text)
    } else {
        let mend = "use smtps://, or tls=required, if the relay can; its certificate is verified then";
        Finding::warning(
            about,
            format!("{text}: who stands between can read and change mail"),
            mend,
        )
    }
}

/// A relay on the open internet that has no name of its own is taken for a robbed machine.
async fn reverse(dns: &Dns, options: &Options) -> Option<Finding> {
    let about = "PTR";
    let host = &options.relay.host;
    let addresses = match host.parse::<IpAddr>() {
        Ok(address) => vec![address],
        Err(_) if options.relay.is_local() => return None,
        Err(_) => dns.addresses(host).await.ok()?,
    };
    let address = addresses.into_iter().find(|address| is_public(*address))?;
    let names = dns.names(address).await.ok()?;
    let mend = format!("if mail leaves from {address}, give it a PTR record whose name leads back to it");
    let Some(name) = names.first() else {
        return Some(Finding::warning(
            about,
            format!("the relay's address {address} has no name"),
            mend,
        ));
    };
    let back = dns.addresses(name).await.unwrap_or_default();
    Some(if back.contains(&address) {
        Finding::ok(about, format!("the relay's address {address} is {name}, and back"))
    } else {
        let text = format!("the relay's address {address} calls itself {name}, which is another one");
        Finding::warning(about, text, mend)
    })
}

/// Outside of what is for machines near by.
fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => !(v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_unspecified()),
        IpAddr::V6(v6) => v6.segments()[0] & 0xe000 == 0x2000,
    }
}
