//! What the DNS says of the sending domain: SPF (RFC 7208), DKIM (RFC 6376), DMARC (RFC 7489), and where mail comes
//! back.

use super::dns::Dns;
use super::{Finding, Level};
use crate::config::Settings;
use crate::deliver::mail::{Signer, Stationery};

pub(super) async fn examine(dns: &Dns, settings: &Settings, stationery: &Stationery) -> Vec<Finding> {
    let from = stationery.from.domain();
    let bounces = settings.mail.bounce_domain.as_deref();
    // SPF is about the return path.
    let mut findings = vec![spf(dns, bounces.unwrap_or(from)).await];
    findings.push(match &stationery.signer {
        Some(signer) => dkim(dns, signer, from).await,
        None => Finding::warning(
            "DKIM",
            "mail is not signed here",
            "see that the relay signs for the domain of mail_from, or set dkim_selector and dkim_key; Gmail, Yahoo and \
             Outlook refuse bulk mail without",
        ),
    });
    findings.push(dmarc(dns, from).await);
    findings.push(match bounces {
        Some(domain) => returns(dns, domain, settings).await,
        None => Finding::warning(
            "bounces",
            "no bounce_domain is set: mail that comes back goes to mail_from, and nobody here learns of it",
            "set bounce_domain, lead its MX record here or to a mail system that hands its mail on, and set \
             bounce_listen",
        ),
    });
    findings
}

fn silent(about: &'static str, text: String) -> Finding {
    Finding::warning(
        about,
        text,
        "see that this machine can ask the DNS, or set CAMPANILE_DNS; then run it again",
    )
}

async fn spf(dns: &Dns, domain: &str) -> Finding {
    let about = "SPF";
    let texts = match dns.texts(domain).await {
        Ok(texts) => texts,
        Err(text) => return silent(about, text),
    };
    let is_spf = |text: &&String| {
        let text = text.to_ascii_lowercase();
        text == "v=spf1" || text.starts_with("v=spf1 ")
    };
    let records: Vec<&String> = texts.iter().filter(is_spf).collect();
    let publish = format!(
        "publish one TXT record at {domain} that names what the relay sends from, such as: \
         v=spf1 a:RELAY.EXAMPLE.COM -all"
    );
    match records.as_slice() {
        [] => Finding::fault(about, format!("{domain} does not say who may send for it"), publish),
        [record] => {
            let last = record
                .split_ascii_whitespace()
                .next_back()
                .unwrap_or_default()
                .to_ascii_lowercase();
            if matches!(last.as_str(), "+all" | "all" | "?all") {
                let text = format!("{domain} lets anybody send for it: {record}");
                Finding::warning(about, text, "end it with ~all or -all")
            } else {
                let text =
                    format!("{domain} says who may send for it: {record}; whether the relay is among them, it knows");
                Finding::ok(about, text)
            }
        }
        _ => Finding::fault(
            about,
            format!("{domain} has {} SPF records, so none counts", records.len()),
            "put them together into one",
        ),
    }
}

/// The tags of a record: `v=DKIM1; k=rsa; p=…`.
fn tag(record: &str, name: &str) -> Option<String> {
    let of = |part: &str| {
        let (own, value) = part.split_once('=')?;
        (own.trim() == name).then(|| value.split_whitespace().collect::<String>())
    };
    record.split(';').find_map(of)
}

async fn dkim(dns: &Dns, signer: &Signer, from: &str) -> Finding {
    let about = "DKIM";
    let (name, wanted) = signer.record();
    let texts = match dns.texts(&name).await {
        Ok(texts) => texts,
        Err(text) => return silent(about, text),
    };
    let mend = format!("publish a TXT record at {name}: {wanted}");
    let kind = |record: &str| tag(record, "k").unwrap_or_else(|| "rsa".into());
    let Some(record) = texts.iter().find(|text| tag(text, "p").is_some()) else {
        return Finding::fault(
            about,
            format!("there is no key at {name}, so our signatures say nothing"),
            mend,
        );
    };
    if tag(record, "p") != tag(&wanted, "p") || kind(record) != kind(&wanted) {
        return Finding::fault(
            about,
            format!("the key at {name} is not that of dkim_key, so our signatures are wrong"),
            mend,
        );
    }
    let domain = name.split_once("._domainkey.").map_or("", |(_, domain)| domain);
    if is_aligned(domain, from) {
        Finding::ok(about, format!("{name} has the key that signs"))
    } else {
        Finding::warning(
            about,
            format!("{domain} signs, and mail is from {from}: DMARC does not count that signature"),
            "set dkim_domain to the domain of mail_from, or one above it",
        )
    }
}

/// Whether one lies below the other, or is it: what DMARC calls relaxed, without the list of public suffixes.
fn is_aligned(one: &str, other: &str) -> bool {
    let below = |low: &str, high: &str| low == high || low.strip_suffix(high).is_some_and(|rest| rest.ends_with('.'));
    let (one, other) = (one.to_ascii_lowercase(), other.to_ascii_lowercase());
    below(&one, &other) || below(&other, &one)
}

async fn dmarc(dns: &Dns, from: &str) -> Finding {
    let about = "DMARC";
    let mut domain = from;
    loop {
        let name = format!("_dmarc.{domain}");
        let texts = match dns.texts(&name).await {
            Ok(texts) => texts,
            Err(text) => return silent(about, text),
        };
        let record = texts.iter().find(|text| tag(text, "v").as_deref() == Some("DMARC1"));
        if let Some(record) = record {
            return match tag(record, "p").as_deref() {
                Some("none" | "quarantine" | "reject") => Finding::ok(about, format!("{name}: {record}")),
                _ => Finding::fault(
                    about,
                    format!("{name} has no policy that counts: {record}"),
                    "give it p=none, p=quarantine or p=reject",
                ),
            };
        }
        // What stands at the domain above holds below it.
        match domain.split_once('.') {
            Some((_, above)) if above.contains('.') => domain = above,
            _ => break,
        }
    }
    Finding::warning(
        about,
        format!("neither {from} nor a domain above it has a policy"),
        format!("publish a TXT record at _dmarc.{from}: v=DMARC1; p=none; large providers ask bulk senders for it"),
    )
}

async fn returns(dns: &Dns, domain: &str, settings: &Settings) -> Finding {
    let about = "bounces";
    let found = match dns.exchanges(domain).await {
        Ok(exchanges) if exchanges.iter().any(|name| name == ".") => {
            let mend = format!("lead the MX record of {domain} to what takes its mail");
            return Finding::fault(about, format!("{domain} says that it takes no mail at all"), mend);
        }
        Ok(exchanges) => exchanges,
        Err(text) => return silent(about, text),
    };
    let exchange = found.first().map_or(domain, String::as_str);
    let addresses = match dns.addresses(exchange).await {
        Ok(addresses) => addresses,
        Err(text) => return silent(about, text),
    };
    if addresses.is_empty() {
        let text = format!("mail to {domain} leads to {exchange}, which has no address: what comes back finds no way");
        let mend = format!("publish an MX record at {domain} that leads to what takes its mail");
        return Finding::fault(about, text, mend);
    }
    let text = format!("mail to {domain} goes to {exchange}");
    match settings.mail.bounce_listen {
        Some(at) => Finding {
            level: Level::Ok,
            ..Finding::ok(about, format!("{text}; it is taken in at {}", at.address))
        },
        None => Finding::warning(
            about,
            format!("{text}, and this server takes none in"),
            "set bounce_listen on one of the servers of this database",
        ),
    }
}
