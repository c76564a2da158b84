//! Devices: browsers that want to hear by Web Push of what rings their person's bell while no page of ours is open.
//!
//! A browser is heard of whenever its person has a page open, so that one that is not used any more is known by that.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use campanile_store::{Row, Tx, sql};
use serde::Serialize;
use url::Url;

use super::destination::Posting;
use super::target::{Policy, URL_MAX};
use super::{push, seal};
use crate::error::{Error, Faults, Result};
use crate::id::PersonId;
use crate::message::Importance;
use crate::secret::{self, InstallationKey, sha256};
use crate::time::Moment;

/// Devices of one person.
pub const LIMIT: i64 = 20;
/// One that was not heard of for so long, in milliseconds, is forgotten: 60 days.
pub const UNHEARD_MS: i64 = 60 * 24 * 60 * 60 * 1_000;
/// Characters of what a browser calls itself that are kept.
const AGENT_CHARS: usize = 200;
/// Bytes of a browser's key and of its secret (RFC 8291).
const KEY: usize = 65;
const SECRET: usize = 16;
const PURPOSE: &str = "device secret";

macro_rules! columns {
    () => {
        "id, floor, agent, created_at, heard_at, expires_at, pushed_at, failed_at, failed_code"
    };
}

sql! {
    // Two requests at once must not both find the last place free.
    LOCK = "SELECT id FROM person WHERE id = $1 {for_update}";
    COUNT = "SELECT COUNT(*) FROM device WHERE person = $1";
    OWNER = "SELECT id, person FROM device WHERE endpoint = $1";
    INSERT = "INSERT INTO device (id, person, endpoint, p256dh, auth, floor, agent, created_at, heard_at, expires_at,
            pushed)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9, 0)";
    HEARD = "UPDATE device SET p256dh = $2, auth = $3, floor = COALESCE($4, floor), agent = $5, heard_at = $6,
            expires_at = $7, pushed = 0
        WHERE id = $1";
    HEARD_OF = "UPDATE device SET heard_at = $3, pushed = 0 WHERE id = $1 AND person = $2";
    LIST = concat!("SELECT ", columns!(), " FROM device WHERE person = $1 ORDER BY heard_at DESC, id LIMIT $2");
    FIND = concat!("SELECT ", columns!(), " FROM device WHERE id = $1 AND person = $2");
    CHANGE = "UPDATE device SET floor = $3 WHERE id = $1 AND person = $2";
    EVERY = "SELECT id FROM device WHERE person = $1";
    REMOVE = "DELETE FROM device WHERE id = $1";
    DROP = "DELETE FROM push WHERE device = $1";
    ANY = "SELECT id FROM device LIMIT 1";
    ALL = "SELECT COUNT(*) FROM device";
    OLD = "SELECT id FROM device WHERE heard_at < $1 LIMIT $2";
}

/// A browser that gets push messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Device {
    /// Its id.
    pub id: String,
    /// The least importance of what is pushed to it: `low` is everything.
    pub importance: Importance,
    /// What its browser calls itself.
    pub agent: String,
    /// When it was registered.
    pub created_at: Moment,
    /// When its browser was last here. One that was not for 60 days is forgotten.
    pub heard_at: Moment,
    /// When its subscription ends; null: its browser does not say.
    pub expires_at: Option<Moment>,
    /// When its push service last took a message; null: never.
    pub pushed_at: Option<Moment>,
    /// When its push service last refused one; null: it took all since.
    pub failed_at: Option<Moment>,
    /// With which status; null: it did not answer, or there is nothing to tell.
    pub failed_code: Option<i64>,
}

/// A subscription as a browser gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// Where messages for it are posted to.
    pub endpoint: String,
    /// Its public key, in base64url.
    pub p256dh: String,
    /// Its secret, in base64url.
    pub auth: String,
    /// When it ends, where the browser knows.
    pub expires_at: Option<Moment>,
    /// What is to be pushed; `None`: as before, or everything.
    pub importance: Option<Importance>,
    /// What the browser calls itself.
    pub agent: String,
}

/// A subscription that was looked through, its secret sealed.
#[derive(Debug, Clone)]
pub struct Checked {
    endpoint: Url,
    p256dh: Vec<u8>,
    auth: Vec<u8>,
    floor: Option<i64>,
    expires_at: Option<Moment>,
    agent: String,
}

/// Checks a subscription and seals its secret.
///
/// # Errors
/// `Conflict` where nothing is posted from here; `Invalid` names `endpoint`, `keys.p256dh`, `keys.auth`, `expires_at`.
pub fn check(wanted: &Subscription, posting: &Posting, now: Moment) -> Result<Checked> {
    if !posting.policy.enabled {
        return Err(Error::Conflict(
            "posting messages is switched off on this server (CAMPANILE_HTTP_ENABLED)".into(),
        ));
    }
    let mut faults = Faults::default();
    let endpoint = endpoint(&wanted.endpoint, &posting.policy)
        .map_err(|reason| faults.add("endpoint", reason))
        .ok();
    let p256dh = decoded(&wanted.p256dh).filter(|key| key.len() == KEY && key[0] == 4);
    let auth = decoded(&wanted.auth).filter(|secret| secret.len() == SECRET);
    faults.require(
        p256dh.is_some(),
        "keys.p256dh",
        "must be the 65 bytes of a public key in base64url",
    );
    faults.require(auth.is_some(), "keys.auth", "must be 16 bytes in base64url");
    faults.require(
        wanted.expires_at.is_none_or(|at| at > now),
        "expires_at",
        "must lie in the future",
    );
    faults.finish()?;
    let (Some(endpoint), Some(p256dh), Some(auth)) = (endpoint, p256dh, auth) else {
        return Err(Error::field("endpoint", "must be a URL"));
    };
    Ok(Checked {
        auth: seal::seal(&posting.key, PURPOSE, endpoint.as_str(), &auth, &posting.random),
        endpoint,
        p256dh,
        floor: wanted.importance.map(Importance::code),
        expires_at: wanted.expires_at,
        agent: wanted.agent.chars().take(AGENT_CHARS).collect(),
    })
}

/// A push service's URL: `https` and public, but for what the operator allows by name or address.
fn endpoint(text: &str, policy: &Policy) -> std::result::Result<Url, String> {
    if text.len() > URL_MAX {
        return Err(format!("must have at most {URL_MAX} bytes"));
    }
    let url = Url::parse(text).map_err(|_| "must be a URL".to_owned())?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not hold a user".into());
    }
    policy.vet_url(&url)?;
    if url.scheme() != "https" && !policy.names(&url) {
        return Err("must begin with https://".into());
    }
    Ok(url)
}

/// Of base64url, with or without its padding.
fn decoded(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()
}

/// The secret of a device, opened.
pub(super) fn secret_of(key: &InstallationKey, endpoint: &str, sealed: &[u8]) -> Option<Vec<u8>> {
    seal::open(key, PURPOSE, endpoint, sealed)
}

/// Who shares a push service: a number for its origin.
#[must_use]
pub fn share(endpoint: &Url) -> u64 {
    let digest = sha256(endpoint.origin().ascii_serialization().as_bytes());
    u64::from_be_bytes([
        digest[0], digest[1], digest[2], digest[3], digest[4], digest[5], digest[6], digest[7],
    ])
}

/// Registers a device, or notes that it was heard of; whether it is new. What one browser registers for somebody else
/// is theirs from then on. Belongs into a `jot`.
///
/// # Errors
/// `Conflict` where the person has 20 already.
pub fn register(
    tx: &mut Tx<'_>,
    person: PersonId,
    wanted: &Checked,
    random: &secret::Random,
    now: Moment,
) -> Result<(Device, bool)> {
    tx.first(&LOCK, &[&person.0], |_| Ok(()))?
        .ok_or(Error::Missing("user"))?;
    let endpoint = wanted.endpoint.as_str();
    let expires = wanted.expires_at.map(|at| at.0);
    let read = |row: &Row<'_>| Ok((row.get::<String>(0)?, row.get::<i64>(1)?));
    let known = tx.first(&OWNER, &[&endpoint], read)?;
    if let Some((id, _)) = known.as_ref().filter(|(_, owner)| *owner == person.0) {
        tx.execute(
            &HEARD,
            &[
                id,
                &wanted.p256dh,
                &wanted.auth,
                &wanted.floor,
                &wanted.agent,
                &now.0,
                &expires,
            ],
        )?;
        return Ok((find(tx, person, id)?, false));
    }
    if let Some((id, _)) = &known {
        drop_one(tx, id)?;
    }
    if tx.one(&COUNT, &[&person.0], |row| row.get::<i64>(0))? >= LIMIT {
        return Err(Error::Conflict(format!(
            "you have {LIMIT} devices; remove one that you no longer use"
        )));
    }
    let id = secret::public_id(random);
    tx.execute(
        &INSERT,
        &[
            &id,
            &person.0,
            &endpoint,
            &wanted.p256dh,
            &wanted.auth,
            &wanted.floor.unwrap_or_default(),
            &wanted.agent,
            &now.0,
            &expires,
        ],
    )?;
    push::wake(tx);
    Ok((find(tx, person, &id)?, true))
}

/// Whether there is any device at all.
pub fn any(tx: &mut Tx<'_>) -> Result<bool> {
    Ok(tx.first(&ANY, &[], |_| Ok(()))?.is_some())
}

/// How many there are of everybody; looks at each.
pub fn count(tx: &mut Tx<'_>) -> Result<i64> {
    Ok(tx.one(&ALL, &[], |row| row.get(0))?)
}

/// The devices of a person, the last heard of first.
pub fn list(tx: &mut Tx<'_>, person: PersonId) -> Result<Vec<Device>> {
    Ok(tx.rows(&LIST, &[&person.0, &LIMIT], device)?)
}

/// A device of a person; somebody else's is as good as missing.
pub fn find(tx: &mut Tx<'_>, person: PersonId, id: &str) -> Result<Device> {
    let found = tx.first(&FIND, &[&id, &person.0], device)?;
    found.ok_or(Error::Missing("device"))
}

/// Notes that a device was heard of. Belongs into a `jot`.
///
/// # Errors
/// `Missing`.
pub fn heard(tx: &mut Tx<'_>, person: PersonId, id: &str, now: Moment) -> Result<()> {
    match tx.execute(&HEARD_OF, &[&id, &person.0, &now.0])? {
        0 => Err(Error::Missing("device")),
        _ => Ok(()),
    }
}

/// Changes what is pushed to a device.
///
/// # Errors
/// `Missing`.
pub fn change(tx: &mut Tx<'_>, person: PersonId, id: &str, importance: Importance) -> Result<Device> {
    tx.execute(&CHANGE, &[&id, &person.0, &importance.code()])?;
    find(tx, person, id)
}

/// Removes a device of a person; it as it was.
///
/// # Errors
/// `Missing`.
pub fn remove(tx: &mut Tx<'_>, person: PersonId, id: &str) -> Result<Device> {
    let device = find(tx, person, id)?;
    drop_one(tx, id)?;
    Ok(device)
}

/// Removes all devices of a person.
pub(crate) fn remove_all(tx: &mut Tx<'_>, person: PersonId) -> Result<()> {
    for id in tx.rows(&EVERY, &[&person.0], |row| row.get::<String>(0))? {
        drop_one(tx, &id)?;
    }
    Ok(())
}

/// Removes a device and what is on its way to it.
pub(super) fn drop_one(tx: &mut Tx<'_>, id: &str) -> Result<()> {
    tx.send(&DROP, &[&id])?;
    tx.send(&REMOVE, &[&id])?;
    Ok(())
}

/// Forgets at most `limit` devices that were not heard of for 60 days; how many.
pub fn forget(tx: &mut Tx<'_>, limit: i64, now: Moment) -> Result<u64> {
    let old = tx.rows(&OLD, &[&now.plus_ms(-UNHEARD_MS).0, &limit], |row| row.get::<String>(0))?;
    for id in &old {
        drop_one(tx, id)?;
    }
    Ok(old.len() as u64)
}

fn device(row: &Row<'_>) -> campanile_store::Result<Device> {
    let at = |column| Ok::<_, campanile_store::Error>(row.get::<Option<i64>>(column)?.map(Moment));
    Ok(Device {
        id: row.get(0)?,
        importance: Importance::from_code(row.get(1)?),
        agent: row.get(2)?,
        created_at: Moment(row.get(3)?),
        heard_at: Moment(row.get(4)?),
        expires_at: at(5)?,
        pushed_at: at(6)?,
        failed_at: at(7)?,
        failed_code: row.get(8)?,
    })
}
