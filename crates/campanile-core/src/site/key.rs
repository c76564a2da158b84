//! What a site signs its tokens with: a secret that we make and share with it (HS256), or a key pair of its own of
//! which we hold the public half (ES256). Several live side by side: to rotate is to add one, change over, and end the
//! other.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use campanile_store::{Row, Tx, sql};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::account::TOUCH_MS;
use crate::error::{Error, Result};
use crate::id::PersonId;
use crate::outbox::seal;
use crate::revision;
use crate::secret::{self, InstallationKey, Random};
use crate::time::Moment;

sql! {
    LIST = "SELECT k.id, k.algorithm, p.name, k.created_at, k.used_at FROM site_key k
        LEFT JOIN person p ON p.id = k.author
        WHERE k.site = $1 AND k.ended_at IS NULL ORDER BY k.created_at, k.id LIMIT $2";
    INSERT = "INSERT INTO site_key (id, site, algorithm, secret, point, author, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    END = "UPDATE site_key SET ended_at = $3, secret = NULL WHERE site = $1 AND id = $2 AND ended_at IS NULL";
    END_ALL = "UPDATE site_key SET ended_at = $2, secret = NULL WHERE site = $1 AND ended_at IS NULL";
    // Nobody waits for it, as with a session.
    TOUCH = "UPDATE site_key SET used_at = $2
        WHERE id = (SELECT id FROM site_key WHERE id = $1 AND (used_at IS NULL OR used_at <= $3) {skip_locked})";
}

/// Keys of a site that are good at once.
pub const KEYS_LIMIT: usize = 10;
/// Bytes of a public key's text at most.
pub const PUBLIC_KEY_BYTES: usize = 2_000;
/// What a secret that we make begins with, so that a leaked one is recognised.
pub const SECRET_PREFIX: &str = "cmpsite_";

/// For what a secret is sealed.
const PURPOSE: &str = "site key";
/// What stands before the point in a public key of P-256 (RFC 5480): its length, id-ecPublicKey, prime256v1.
const SPKI: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
/// Bytes of an uncompressed point, and of each of its two numbers.
const POINT: usize = 65;
const NUMBER: usize = 32;

/// How tokens are signed (RFC 7518, section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = SiteKeyAlgorithm)]
pub enum Algorithm {
    /// HMAC with SHA-256, by a secret that this server makes.
    #[serde(rename = "HS256")]
    Hs256 = 1,
    /// ECDSA on P-256 with SHA-256, by a key pair of the site's own.
    #[serde(rename = "ES256")]
    Es256 = 2,
}

impl Algorithm {
    /// As a token names it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Es256 => "ES256",
        }
    }

    pub(super) const fn from_code(code: i64) -> Self {
        match code {
            1 => Self::Hs256,
            _ => Self::Es256,
        }
    }
}

/// A key, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = SiteKey)]
pub struct Key {
    /// What tokens name as `kid`.
    pub id: String,
    /// How they are signed.
    pub algorithm: Algorithm,
    /// Who added it, by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// When it was added.
    pub created_at: Moment,
    /// When somebody last came by a token of it, to the minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used_at: Option<Moment>,
}

/// A key that is to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SiteKeyInput)]
pub struct New {
    /// How tokens are to be signed.
    pub algorithm: Algorithm,
    /// Of `ES256`: the public key, as the text of a PEM (`-----BEGIN PUBLIC KEY-----`) or a JWK.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub public_key: Option<Value>,
}

fn read(row: &Row<'_>) -> campanile_store::Result<Key> {
    Ok(Key {
        id: row.get(0)?,
        algorithm: Algorithm::from_code(row.get(1)?),
        by: row.get(2)?,
        created_at: Moment(row.get(3)?),
        used_at: row.get::<Option<i64>>(4)?.map(Moment),
    })
}

/// The keys of a site, in the order in which they were added.
pub fn list(tx: &mut Tx<'_>, site: &str) -> Result<Vec<Key>> {
    Ok(tx.rows(&LIST, &[&site, &(KEYS_LIMIT as i64)], read)?)
}

/// A key of a site that is good.
///
/// # Errors
/// `Missing` for one that is not there, or has ended.
pub fn find(tx: &mut Tx<'_>, site: &str, id: &str) -> Result<Key> {
    let found = list(tx, site)?.into_iter().find(|key| key.id == id);
    found.ok_or(Error::Missing("key"))
}

/// Adds a key to a site; its name, and the secret of HS256, which is told this once. An ordered write. `random` is for
/// the key and, apart from that, for its seal.
///
/// # Errors
/// `Missing` for a site that is not there; `Invalid` at `public_key`; `Conflict` where it has as many as it may.
pub fn add(
    tx: &mut Tx<'_>,
    installation: &InstallationKey,
    site: &str,
    new: &New,
    author: PersonId,
    random: &[Random; 2],
    now: Moment,
) -> Result<(String, Option<String>)> {
    super::find(tx, site)?;
    let given = new.public_key.as_ref();
    let point = match new.algorithm {
        Algorithm::Es256 => Some(point_of(given).map_err(|reason| Error::field("public_key", reason))?),
        Algorithm::Hs256 if given.is_some() => {
            return Err(Error::field(
                "public_key",
                "is for ES256; of HS256 the secret is made here",
            ));
        }
        Algorithm::Hs256 => None,
    };
    if list(tx, site)?.len() >= KEYS_LIMIT {
        return Err(Error::Conflict(format!(
            "the site has {KEYS_LIMIT} keys; end one that is no longer used"
        )));
    }
    let [of_key, of_seal] = random;
    let id = secret::public_id(of_key);
    let secret = point
        .is_none()
        .then(|| format!("{SECRET_PREFIX}{}", secret::base62(of_key)));
    let sealed = secret
        .as_ref()
        .map(|secret| seal::seal(installation, PURPOSE, &id, secret.as_bytes(), of_seal));
    let code = new.algorithm as i64;
    tx.execute(&INSERT, &[&id, &site, &code, &sealed, &point, &author.0, &now.0])?;
    Ok((id, secret))
}

/// Ends a key of a site: no token of it is taken any more, and its secret is forgotten. An ordered write.
///
/// # Errors
/// `Missing` where it is not there.
pub fn end(tx: &mut Tx<'_>, site: &str, id: &str, now: Moment) -> Result<()> {
    if !secret::is_public_id(id) || tx.execute(&END, &[&site, &id, &now.0])? == 0 {
        return Err(Error::Missing("key"));
    }
    revision::sites_changed(tx);
    Ok(())
}

/// Ends every key of a site.
pub(super) fn end_all(tx: &mut Tx<'_>, site: &str, now: Moment) -> Result<()> {
    tx.execute(&END_ALL, &[&site, &now.0])?;
    Ok(())
}

/// Records a use, at most once a minute. Belongs into a `jot`.
pub fn touch(tx: &mut Tx<'_>, id: &str, now: Moment) -> Result<()> {
    tx.execute(&TOUCH, &[&id, &now.0, &now.plus_ms(-TOUCH_MS).0])?;
    Ok(())
}

/// The secret of a key, opened: the bytes of its text. `None` where another installation sealed it.
pub(super) fn open(installation: &InstallationKey, id: &str, sealed: &[u8]) -> Option<Vec<u8>> {
    seal::open(installation, PURPOSE, id, sealed)
}

/// A point, or what is wrong with what was given.
type Point = std::result::Result<Vec<u8>, String>;

/// The point of a public key that was given.
fn point_of(given: Option<&Value>) -> Point {
    match given {
        None => Err("is needed".into()),
        Some(Value::String(text)) if text.len() > PUBLIC_KEY_BYTES => {
            let why = format!("must have at most {PUBLIC_KEY_BYTES} bytes");
            Err(why)
        }
        Some(Value::String(text)) if text.trim_start().starts_with('{') => serde_json::from_str(text)
            .map_err(|_| why_not(false))
            .and_then(|jwk: Value| of_jwk(&jwk)),
        Some(Value::String(text)) => of_pem(text),
        Some(jwk) => of_jwk(jwk),
    }
}

/// What is wrong with a text that is no public key.
fn why_not(is_private: bool) -> String {
    let why = if is_private {
        "is a private key, which is now known to others: make another pair, and give its public key"
    } else {
        "must be a public key of P-256: PEM that begins with -----BEGIN PUBLIC KEY-----, or a JWK with kty EC and crv \
         P-256"
    };
    why.into()
}

fn of_pem(text: &str) -> Point {
    if text.contains("PRIVATE KEY") {
        return Err(why_not(true));
    }
    let inside = text
        .trim()
        .strip_prefix("-----BEGIN PUBLIC KEY-----")
        .and_then(|rest| rest.strip_suffix("-----END PUBLIC KEY-----"));
    let base64: Option<String> = inside.map(|text| text.split_ascii_whitespace().collect());
    let bytes = base64.and_then(|text| STANDARD.decode(text).ok());
    let point = bytes.as_deref().and_then(|bytes| bytes.strip_prefix(&SPKI));
    checked(point.map(<[u8]>::to_vec))
}

fn of_jwk(jwk: &Value) -> Point {
    if jwk.get("d").is_some() {
        return Err(why_not(true));
    }
    let text = |name: &str| jwk.get(name).and_then(Value::as_str);
    let number = |name: &str| {
        let bytes = URL_SAFE_NO_PAD.decode(text(name)?).ok();
        bytes.filter(|bytes| bytes.len() == NUMBER)
    };
    let is_ours = text("kty") == Some("EC") && text("crv") == Some("P-256");
    let point = number("x").zip(number("y")).filter(|_| is_ours);
    checked(point.map(|(x, y)| [&[4], &x[..], &y].concat()))
}

fn checked(point: Option<Vec<u8>>) -> Point {
    let point = point.filter(|point| point.len() == POINT && point[0] == 4);
    point.ok_or_else(|| why_not(false))
}
