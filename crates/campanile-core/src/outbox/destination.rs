//! Where a message is posted to: a saved endpoint, or a URL for this message alone; from SEND to the attempt.

use campanile_store::{Row, Tx, sql};
use serde::{Deserialize, Serialize};
use url::Url;

use super::post::{self, Headers, Post, Proxy};
use super::seal;
use super::signing::SigningSecret;
use super::target::Policy;
use crate::error::{Error, Fault, Faults, Result};
use crate::id::{ApiId, EnvironmentId, MessageId};
use crate::message::Window;
use crate::secret::{InstallationKey, Random, sha256};
use crate::time::Moment;

sql! {
    INSERT = "INSERT INTO post (message, number, endpoint, url, headers, proxy, secret, share)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    // One that belongs to the message's environment, and to its API or to none.
    ENDPOINT = "SELECT environment, api FROM endpoint WHERE id = $1 AND removed_at IS NULL";
    LOAD = "SELECT p.endpoint, COALESCE(e.url, p.url), COALESCE(e.headers, p.headers), COALESCE(e.proxy, p.proxy),
            COALESCE(e.secret, p.secret), e.old_secret, e.old_until, e.removed_at IS NOT NULL, m.body, r.tried_from,
            m.opens_at, m.closes_at
        FROM post p
        JOIN message m ON m.id = p.message
        JOIN run r ON r.message = p.message AND r.channel = 8
        LEFT JOIN endpoint e ON e.id = p.endpoint
        WHERE p.message = $1 AND p.number = $2";
    OF_MESSAGE = "SELECT p.number, p.endpoint, e.name, COALESCE(e.url, p.url) FROM post p
        LEFT JOIN endpoint e ON e.id = p.endpoint WHERE p.message = $1 ORDER BY p.number";
}

/// Destinations of one message at most.
pub const DESTINATIONS: usize = 20;
/// What the secret of an endpoint or a URL is sealed as.
pub(super) const SECRET: &str = "signing secret";

/// A header to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// As typed.
    pub name: String,
    /// ASCII, one line. It is stored encrypted, and not shown again.
    pub value: String,
}

/// Where a message is posted to: a saved endpoint, or a URL.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Destination {
    /// The id of a saved endpoint; it brings the rest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<i64>,
    /// `https` or `http`; at most 2,048 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// At most 32.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<Header>,
    /// Whether it goes through the system proxy; as the server has it where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub use_system_proxy: Option<bool>,
    /// `whsec_…`: signs the POST as Standard Webhooks have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

/// The ways out of the house that this server has.
#[derive(Debug, Clone, Default)]
pub struct Outlets {
    /// There is a mail relay.
    pub email: bool,
    /// What may be posted where; `None` where nothing can be posted at all.
    pub http: Option<Posting>,
}

/// What is needed to check and to seal a destination.
#[derive(Debug, Clone)]
pub struct Posting {
    /// What may be reached.
    pub policy: Policy,
    /// Seals header values and secrets.
    pub key: InstallationKey,
    /// Fresh for each message.
    pub random: Random,
}

/// A destination that holds together. Made by [`check`] only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    endpoint: Option<i64>,
    url: Option<String>,
    headers: Option<Vec<u8>>,
    proxy: Option<bool>,
    secret: Option<Vec<u8>>,
    share: i64,
}

/// The home of a message, by which an endpoint is found.
#[derive(Debug, Clone, Copy)]
pub struct Home {
    /// Its environment.
    pub environment: Option<EnvironmentId>,
    /// Its API.
    pub api: Option<ApiId>,
}

/// Checks where a message is to be posted to. Faults are at `posts[n].…`.
pub fn check(
    tx: &mut Tx<'_>,
    destinations: &[Destination],
    home: Home,
    posting: Option<&Posting>,
    faults: &mut Faults,
) -> Result<Vec<Checked>> {
    if destinations.is_empty() {
        faults.add(
            "posts",
            "name at least one destination, such as {\"url\":\"https://hooks.example.com/in\"}",
        );
    }
    if destinations.len() > DESTINATIONS {
        faults.add("posts", format!("at most {DESTINATIONS} destinations"));
        return Ok(Vec::new());
    }
    let Some(posting) = posting.filter(|posting| posting.policy.enabled) else {
        faults.add(
            "channels",
            "POST is switched off on this server (CAMPANILE_HTTP_ENABLED)",
        );
        return Ok(Vec::new());
    };
    let mut out: Vec<Checked> = Vec::with_capacity(destinations.len());
    for (at, destination) in destinations.iter().enumerate() {
        let field = format!("posts[{at}]");
        match one(tx, destination, home, posting, at) {
            Ok(checked) => {
                let twice = checked.endpoint.is_some() && out.iter().any(|other| other.endpoint == checked.endpoint);
                faults.require(!twice, &format!("{field}.endpoint"), "is named twice");
                out.push(checked);
            }
            Err(Error::Invalid(found)) => {
                for Fault { field: inner, reason } in found {
                    faults.add(format!("{field}.{inner}"), reason);
                }
            }
            Err(other) => return Err(other),
        }
    }
    Ok(out)
}

fn one(tx: &mut Tx<'_>, from: &Destination, home: Home, posting: &Posting, at: usize) -> Result<Checked> {
    match (from.endpoint, &from.url) {
        (Some(endpoint), None) => {
            let own = from.headers.is_empty() && from.use_system_proxy.is_none() && from.secret.is_none();
            if !own {
                return Err(Error::field(
                    "endpoint",
                    "brings its own headers, proxy and secret; leave them out",
                ));
            }
            saved(tx, endpoint, home)
        }
        (None, Some(url)) => {
            let sealed = sealed(
                url,
                &from.headers,
                from.use_system_proxy,
                from.secret.as_deref(),
                posting,
                at,
            )?;
            Ok(Checked {
                endpoint: None,
                share: share_of(&sealed.url),
                url: Some(sealed.url.into()),
                headers: Some(sealed.headers),
                proxy: from.use_system_proxy,
                secret: sealed.secret,
            })
        }
        _ => Err(Error::field("url", "give either a URL or a saved endpoint")),
    }
}

fn saved(tx: &mut Tx<'_>, endpoint: i64, home: Home) -> Result<Checked> {
    let read = |row: &Row<'_>| Ok((row.get::<i64>(0)?, row.get::<Option<i64>>(1)?));
    let found = tx.first(&ENDPOINT, &[&endpoint], read)?;
    let is_near = |(environment, api): (i64, Option<i64>)| {
        home.environment == Some(EnvironmentId(environment)) && (api.is_none() || api == home.api.map(|api| api.0))
    };
    if !found.is_some_and(is_near) {
        // One of another environment or API looks as one that does not exist.
        return Err(Error::field(
            "endpoint",
            "there is no such endpoint where this message belongs",
        ));
    }
    Ok(Checked {
        endpoint: Some(endpoint),
        url: None,
        headers: None,
        proxy: None,
        secret: None,
        share: endpoint,
    })
}

/// A URL with what belongs to it, as it is stored.
pub(super) struct Sealed {
    pub(super) url: Url,
    pub(super) headers: Vec<u8>,
    pub(super) secret: Option<Vec<u8>>,
}

/// Checks and seals what a sender gave. `at` tells several of one message apart.
pub(super) fn sealed(
    url: &str,
    headers: &[Header],
    use_system_proxy: Option<bool>,
    secret: Option<&str>,
    posting: &Posting,
    at: usize,
) -> Result<Sealed> {
    let pairs: Vec<(String, String)> = headers
        .iter()
        .map(|header| (header.name.clone(), header.value.clone()))
        .collect();
    let proxy = Proxy::chosen(use_system_proxy);
    let mut faults = Faults::default();
    let checked = post::check(url, &pairs, proxy, &posting.policy);
    let secret = secret.map(SigningSecret::parse).transpose();
    let secret = secret.map_err(|reason| faults.add("secret", reason)).ok();
    if let Err(Error::Invalid(found)) = &checked {
        for fault in found {
            faults.add(fault.field.clone(), fault.reason.clone());
        }
    }
    faults.finish()?;
    let Post { url, headers, .. } = checked?;
    Ok(Sealed {
        headers: headers.seal(&posting.key, &url, &part(posting, "headers", at)),
        secret: secret.flatten().map(|secret| seal_secret(posting, &secret, at)),
        url,
    })
}

pub(super) fn seal_secret(posting: &Posting, secret: &SigningSecret, at: usize) -> Vec<u8> {
    let random = part(posting, "secret", at);
    seal::seal(&posting.key, SECRET, "", secret.text().as_bytes(), &random)
}

/// A secret of our making.
pub(super) fn new_secret(posting: &Posting) -> SigningSecret {
    SigningSecret::new(&part(posting, "new secret", 0))
}

pub(super) fn open_secret(key: &InstallationKey, sealed: &[u8]) -> Option<SigningSecret> {
    let text = seal::open(key, SECRET, "", sealed)?;
    SigningSecret::parse(std::str::from_utf8(&text).ok()?).ok()
}

/// A salt of its own for each thing that is sealed with one random number.
fn part(posting: &Posting, what: &str, at: usize) -> Random {
    let mut bytes = posting.random.to_vec();
    bytes.extend_from_slice(what.as_bytes());
    bytes.extend_from_slice(&at.to_be_bytes());
    sha256(&bytes)
}

/// Who shares a target with whom, where it is no endpoint: below 0, by scheme, host and port.
fn share_of(url: &Url) -> i64 {
    let hash = sha256(url.origin().ascii_serialization().as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&hash[..8]);
    -(i64::from_be_bytes(first) & i64::MAX).max(1)
}

/// Stores where a message is posted to.
pub(crate) fn insert(tx: &mut Tx<'_>, message: MessageId, posts: &[Checked]) -> Result<()> {
    for (at, post) in posts.iter().enumerate() {
        tx.send(
            &INSERT,
            &[
                &message.0,
                &(at as i64 + 1),
                &post.endpoint,
                &post.url,
                &post.headers,
                &post.proxy,
                &post.secret,
                &post.share,
            ],
        )?;
    }
    Ok(())
}

/// A POST as it is to be made.
#[derive(Debug, Clone)]
pub struct ToPost {
    /// The saved endpoint, where it is one.
    pub endpoint: Option<i64>,
    /// Where and how; `None` where it cannot be opened: the secret of the installation is another one.
    pub post: Option<Post>,
    /// The secrets that are good now, the newest first.
    pub secrets: Vec<SigningSecret>,
    /// The endpoint was removed meanwhile.
    pub is_removed: bool,
    /// The text as it was typed.
    pub text: String,
    /// From here the time counts after which no more is tried.
    pub tried_from: Moment,
    /// The activity window of the message.
    pub window: Window,
}

/// Reads what is posted where; `None` for what does not exist.
pub fn load(
    tx: &mut Tx<'_>,
    key: &InstallationKey,
    message: MessageId,
    number: i64,
    now: Moment,
) -> Result<Option<ToPost>> {
    let found = tx.first(&LOAD, &[&message.0, &number], |row| {
        let url: String = row.get(1)?;
        let headers: Vec<u8> = row.get(2)?;
        let proxy = Proxy::chosen(row.get(3)?);
        let old_until = row.get::<Option<i64>>(6)?.map(Moment);
        let old = row.get::<Option<Vec<u8>>>(5)?.filter(|_| old_until > Some(now));
        let sealed = [row.get::<Option<Vec<u8>>>(4)?, old];
        let url = Url::parse(&url).ok();
        let headers = url.as_ref().and_then(|url| Headers::open(key, url, &headers));
        let secrets: Option<Vec<SigningSecret>> = sealed
            .into_iter()
            .flatten()
            .map(|sealed| open_secret(key, &sealed))
            .collect();
        let post = url.zip(headers).filter(|_| secrets.is_some());
        Ok(ToPost {
            endpoint: row.get(0)?,
            post: post.map(|(url, headers)| Post { url, headers, proxy }),
            secrets: secrets.unwrap_or_default(),
            is_removed: row.get(7)?,
            text: row.get(8)?,
            tried_from: Moment(row.get(9)?),
            window: Window {
                opens: Moment(row.get(10)?),
                closes: Moment(row.get(11)?),
            },
        })
    })?;
    Ok(found)
}

/// A destination of a sent message, as its sender sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SentTo {
    /// Its number in the message, from 1.
    pub number: i64,
    /// The saved endpoint, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<i64>,
    /// That endpoint's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The URL, without user and password.
    pub url: String,
}

/// Where a message is posted to.
pub fn of_message(tx: &mut Tx<'_>, message: MessageId) -> Result<Vec<SentTo>> {
    let read = |row: &Row<'_>| {
        Ok(SentTo {
            number: row.get(0)?,
            endpoint: row.get(1)?,
            name: row.get(2)?,
            url: row.get(3)?,
        })
    };
    Ok(tx.rows(&OF_MESSAGE, &[&message.0], read)?)
}
