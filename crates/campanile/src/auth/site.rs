//! Who comes by a token of a site: a JWT (RFC 7519) that the site has signed for one of its people.
//!
//! It names its key (`kid`), which alone says how it is signed; for whom it is (`sub`, `aud`) and how long (`iat`,
//! `exp`, `nbf`). It opens what [`embedded`] lists, and where a browser sends it, on pages of the site's origins alone.

use std::sync::Arc;

use axum::extract::MatchedPath;
use campanile_core::account;
use campanile_core::id::PersonId;
use campanile_core::secret::Hash;
use campanile_core::site::door::{self, Door, Material, Named};
use campanile_core::site::key;
use campanile_core::time::Moment;
use campanile_store::Tx;
use http::header;
use http::request::Parts;
use serde::{Deserialize, Deserializer};

use super::{KEEP_MS, Principal, Via, embedded, nobody, record};
use crate::app::App;
use crate::cors::Embedders;
use crate::jwt::{self, Key};
use crate::known;
use crate::problem::{Kind, Problem};

/// Characters of a token at most.
const LIMIT: usize = 4 << 10;
/// How long a token may be good.
const LIFE_MS: i64 = 60 * 60 * 1_000;
/// By so much the clocks of two servers may differ.
const LEEWAY_MS: i64 = 60_000;
/// Bytes of who came by one, about, with its hash.
const REMEMBERED: usize = 320;

const UNREADABLE: &str = "the token cannot be read: it is a signed JWT of at most 4,096 characters, with a JSON \
                          header and JSON claims";
const CRITICAL: &str = "the token's header has `crit`, of which nothing is understood here";
const TYPE: &str = "the token's `typ` has to be JWT, or to be left out";
const NO_KEY_NAMED: &str = "the token's header has to name its key as `kid`";
const NO_KEY: &str = "there is no key of the name that the token has as `kid`";
const SITE_ENDED: &str = "the site of the token's key has ended";
const KEY_ENDED: &str = "the token's key has ended; sign with another one of the site";
const KEY_LOCKED: &str = "the secret of the token's key cannot be opened on this server any more; add another key";
const ALGORITHM: &str = "the token's `alg` is not the algorithm of its key";
const SIGNATURE: &str = "the token's signature is not that of its key";
const TIMES: &str = "the token has to say since when (`iat`) and until when (`exp`) it is good, in seconds since 1970";
const EXPIRED: &str = "the token's time is over (`exp`)";
const EARLY: &str = "the token's time has not come (`iat`, `nbf`): see that both clocks are right";
const LONG: &str = "the token is good for too long: `exp` may be an hour after `iat` at most";
const NOBODY: &str = "the token's `sub` is nobody whom this site may sign in: it is the id that the directory has for \
                      a user, who is there, is not kept out, and is of the site's customer where it has one";
const CLOSED: &str = "a site's token opens the inbox alone";
const ELSEWHERE: &str = "the page that sent this is of no origin of the token's site";

/// What a token's header says.
#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    #[serde(default, deserialize_with = "is_there")]
    crit: bool,
}

/// Whether a field is there, whatever it holds.
fn is_there<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    serde::de::IgnoredAny::deserialize(from).map(|_| true)
}

/// What a token claims.
#[derive(Deserialize)]
struct Claims {
    sub: Option<String>,
    aud: Option<Audience>,
    iat: Option<f64>,
    exp: Option<f64>,
    nbf: Option<f64>,
}

/// For which servers a token is.
#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Some(Vec<String>),
}

/// The person of a token, where it opens what is asked for.
pub(super) async fn by_token(app: &Arc<App>, parts: &Parts, token: &str) -> Result<Principal, Problem> {
    let (hash, state, now) = (Hash::of(token), known::state(app), app.clock.now());
    // The JWT of another contract is remembered by its hash as well.
    let known = app.known.get(&hash, state, now);
    let principal = if let Some(known) = known.filter(|known| matches!(known.via, Via::Site { .. })) {
        known
    } else {
        let (principal, until) = look_up(app, token, now).await?;
        let until = until.min(now.plus_ms(KEEP_MS));
        app.known.put(hash, principal.clone(), REMEMBERED, state, until);
        principal
    };
    check_place(parts, &principal)?;
    Ok(principal)
}

/// Refuses what a token of a site does not open, and pages of others; everybody else goes on.
pub(crate) fn check_place(parts: &Parts, principal: &Principal) -> Result<(), Problem> {
    let Via::Site { site, .. } = &principal.via else {
        return Ok(());
    };
    let pattern = parts.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
    if !embedded::is_open(&parts.method, pattern) {
        return Err(Problem::new(Kind::Denied, CLOSED));
    }
    let embedders = parts.extensions.get::<Embedders>();
    if parts.headers.contains_key(header::ORIGIN) && !embedders.is_some_and(|of| of.has(site)) {
        return Err(Problem::new(Kind::CrossSite, ELSEWHERE));
    }
    Ok(())
}

/// Whose token it is, and until when it is good.
async fn look_up(app: &Arc<App>, token: &str, now: Moment) -> Result<(Principal, Moment), Problem> {
    let read = jwt::parts(token, LIMIT).ok_or_else(|| nobody(UNREADABLE))?;
    let header: Header = read.header().ok_or_else(|| nobody(UNREADABLE))?;
    let claims: Claims = read.claims().ok_or_else(|| nobody(UNREADABLE))?;
    let key = key_of(&header)?.to_owned();
    let (installation, kid) = (app.key.clone(), key.clone());
    let sub = claims.sub.clone().unwrap_or_default();
    let find = move |tx: &mut Tx<'_>| {
        let named = Named {
            key: &kid,
            person: &sub,
        };
        door::find(tx, &installation, named)
    };
    let door = app.db.read(find).await?.ok_or_else(|| nobody(NO_KEY))?;
    check_signature(&door, &header, &read)?;
    let until = check_claims(&claims, &app.origin, now)?;
    let person = door.person.ok_or_else(|| nobody(NOBODY))?;
    if account::is_touch_due(door.used_at, now) {
        let key = key.clone();
        record(app, move |tx| key::touch(tx, &key, now));
    }
    Ok((principal(person, door.site, key), until))
}

/// Somebody who came by a key of a site.
pub(crate) const fn principal(person: PersonId, site: String, key: String) -> Principal {
    Principal::new(person, Via::Site { site, key })
}

/// The key that a header names, where nothing else of it is wrong.
fn key_of(header: &Header) -> Result<&str, Problem> {
    if header.crit {
        return Err(nobody(CRITICAL));
    }
    // RFC 7519, section 5.1: the name is compared without regard to case, though it should be in upper.
    if header.typ.as_ref().is_some_and(|typ| !typ.eq_ignore_ascii_case("JWT")) {
        return Err(nobody(TYPE));
    }
    header.kid.as_deref().ok_or_else(|| nobody(NO_KEY_NAMED))
}

fn check_signature(door: &Door, header: &Header, read: &jwt::Parts<'_>) -> Result<(), Problem> {
    if door.site_ended {
        return Err(nobody(SITE_ENDED));
    }
    let key = match &door.material {
        None => return Err(nobody(KEY_ENDED)),
        Some(Material::Locked) => return Err(nobody(KEY_LOCKED)),
        Some(Material::Hs256(secret)) => Key::Hs256(secret),
        Some(Material::Es256(point)) => Key::Es256(point),
    };
    if header.alg != door.algorithm.name() {
        return Err(nobody(ALGORITHM));
    }
    if !read.is_signed_by(key) {
        return Err(nobody(SIGNATURE));
    }
    Ok(())
}

/// Checks for whom a token is and how long; until when it is taken.
fn check_claims(claims: &Claims, origin: &str, now: Moment) -> Result<Moment, Problem> {
    let is_ours = match &claims.aud {
        None => false,
        Some(Audience::One(one)) => one == origin,
        Some(Audience::Some(all)) => all.iter().any(|one| one == origin),
    };
    if !is_ours {
        return Err(nobody(&format!("the token's `aud` has to be this server: {origin}")));
    }
    let (since, until) = claims.iat.zip(claims.exp).ok_or_else(|| nobody(TIMES))?;
    let (since, until) = (moment(since), moment(until));
    let until_here = until.plus_ms(LEEWAY_MS);
    if until_here <= now {
        return Err(nobody(EXPIRED));
    }
    let not_before = claims.nbf.map_or(since, |at| moment(at).max(since));
    if not_before > now.plus_ms(LEEWAY_MS) {
        return Err(nobody(EARLY));
    }
    if until > since.plus_ms(LIFE_MS) {
        return Err(nobody(LONG));
    }
    Ok(until_here)
}

/// A time of a token: seconds since 1970, with or without a fraction. What is too far away is as far as can be.
fn moment(seconds: f64) -> Moment {
    Moment((seconds * 1_000.0) as i64)
}
