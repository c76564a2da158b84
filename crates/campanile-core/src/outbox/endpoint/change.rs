//! Endpoints made, changed, paused, given another secret, removed.

use campanile_store::{Tx, sql};
use serde::{Deserialize, Serialize};

use super::{Filter, find};
use crate::directory::entry::Patch;
use crate::directory::folded;
use crate::error::{Error, Faults, Result};
use crate::id::EnvironmentId;
use crate::message::Channel;
use crate::outbox::destination::{self, Header, Posting};
use crate::outbox::signing::SigningSecret;
use crate::outbox::{post, run};
use crate::place::DEFAULT_ENVIRONMENT;
use crate::revision::tally;
use crate::time::Moment;

sql! {
    NAMES = "SELECT id, name FROM endpoint WHERE environment = $1 AND removed_at IS NULL";
    INSERT = "INSERT INTO endpoint (id, name, environment, api, url, headers, proxy, secret, state, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9)";
    UPDATE = "UPDATE endpoint SET name = $2, url = $3, headers = $4, proxy = $5 WHERE id = $1 AND removed_at IS NULL";
    PAUSE = "UPDATE endpoint SET state = 1 WHERE id = $1 AND state = 0 AND removed_at IS NULL";
    RESUME = "UPDATE endpoint SET state = 0, failing_since = NULL
        WHERE id = $1 AND state <> 0 AND removed_at IS NULL";
    ROTATE = "UPDATE endpoint SET old_secret = CASE WHEN $3 THEN secret END,
            old_until = CASE WHEN $3 AND secret IS NOT NULL THEN CAST($4 AS BIGINT) END, secret = $2
        WHERE id = $1 AND removed_at IS NULL";
    // What was posted to it keeps its name and URL, and no secret.
    REMOVE = "UPDATE endpoint SET removed_at = $2, headers = $3, secret = NULL, old_secret = NULL, old_until = NULL
        WHERE id = $1 AND removed_at IS NULL";
}

/// Endpoints of an environment at most, those of its APIs included.
pub const ENDPOINTS_LIMIT: usize = 500;
/// Characters of a name at most.
pub const NAME_CHARS: usize = 200;
/// How long the secret before a rotation is good, in hours, unless it is said.
pub const GRACE_HOURS: i64 = 24;
/// The most that can be said: a week.
pub const GRACE_HOURS_LIMIT: i64 = 168;
/// A secret that this server is to make.
pub const NEW_SECRET: &str = "new";

/// An endpoint that is to be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = EndpointInput)]
pub struct New {
    /// 1 to 200 characters; no other one of the environment has it.
    pub name: String,
    /// Messages of this environment may be posted to it; `DEFAULT` where absent. Not together with `api`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// Only messages of this API may be posted to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api: Option<String>,
    /// `https` or `http`; at most 2,048 bytes. A user and password become a header `Authorization`.
    pub url: String,
    /// At most 32.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<Header>,
    /// Whether it goes through the system proxy; as the server has it where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub use_system_proxy: Option<bool>,
    /// `new` to have one made, or `whsec_…`: posts are signed with it as Standard Webhooks have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

/// What shall be different. What is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = EndpointChange)]
pub struct Change {
    /// 1 to 200 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where headers are set, they must be given again with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// All of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headers: Option<Vec<Header>>,
    /// Null: as the server has it.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<bool>)]
    pub use_system_proxy: Patch<bool>,
}

fn check_name(tx: &mut Tx<'_>, name: &str, environment: EnvironmentId, own: i64, faults: &mut Faults) -> Result<()> {
    let is_plain = (1..=NAME_CHARS).contains(&name.chars().count())
        && name.trim().len() == name.len()
        && !name.chars().any(char::is_control);
    let reason = format!("must have 1 to {NAME_CHARS} characters, no control characters, and no blanks at its ends");
    faults.require(is_plain, "name", reason);
    let names = tx.rows(&NAMES, &[&environment.0], |row| {
        Ok((row.get::<i64>(0)?, row.get::<String>(1)?))
    })?;
    let is_there = names
        .iter()
        .any(|(id, other)| *id != own && folded(other) == folded(name));
    faults.require(!is_there, "name", "another endpoint of this environment has this name");
    if own == 0 && names.len() >= ENDPOINTS_LIMIT {
        return Err(Error::Conflict(format!(
            "an environment has at most {ENDPOINTS_LIMIT} endpoints; remove one first"
        )));
    }
    Ok(())
}

/// The secret that is asked for, and whether it was made here.
fn secret_of(wanted: &str, posting: &Posting) -> Result<SigningSecret> {
    if wanted == NEW_SECRET {
        return Ok(destination::new_secret(posting));
    }
    SigningSecret::parse(wanted).map_err(|reason| Error::field("secret", reason))
}

/// Makes one; its id, and its secret, which is told this once.
///
/// # Errors
/// `Invalid` with every fault; `Conflict` where the environment has as many as it may.
pub fn create(
    tx: &mut Tx<'_>,
    new: &New,
    home: Filter,
    posting: &Posting,
    now: Moment,
) -> Result<(i64, Option<String>)> {
    let environment = home.environment.unwrap_or(EnvironmentId(DEFAULT_ENVIRONMENT));
    let mut faults = Faults::default();
    check_name(tx, &new.name, environment, 0, &mut faults)?;
    let secret = keep(
        new.secret
            .as_deref()
            .map(|wanted| secret_of(wanted, posting))
            .transpose(),
        &mut faults,
    )?;
    let sealed = keep(
        destination::sealed(&new.url, &new.headers, new.use_system_proxy, None, posting, 0),
        &mut faults,
    )?;
    let Some((secret, sealed)) = secret.zip(sealed) else {
        return Err(faults.finish().expect_err("what is missing has left a fault"));
    };
    faults.finish()?;
    let id = tx.tally()?.next(tally::THING);
    let seal = secret
        .as_ref()
        .map(|secret| destination::seal_secret(posting, secret, 0));
    let api = home.api.map(|api| api.0);
    tx.send(
        &INSERT,
        &[
            &id,
            &new.name,
            &environment.0,
            &api,
            &sealed.url.as_str(),
            &sealed.headers,
            &new.use_system_proxy,
            &seal,
            &now.0,
        ],
    )?;
    Ok((id, secret.map(|secret| secret.text())))
}

/// A value, or its faults among the others.
fn keep<T>(checked: Result<T>, faults: &mut Faults) -> Result<Option<T>> {
    match checked {
        Ok(value) => Ok(Some(value)),
        Err(Error::Invalid(found)) => {
            for fault in found {
                faults.add(fault.field, fault.reason);
            }
            Ok(None)
        }
        Err(other) => Err(other),
    }
}

/// Changes one.
///
/// # Errors
/// `Invalid` with every fault; `Missing` for one that is not there.
pub fn change(tx: &mut Tx<'_>, id: i64, change: &Change, posting: &Posting, now: Moment) -> Result<()> {
    let old = find(tx, &posting.key, id, now)?;
    let mut faults = Faults::default();
    let name = change.name.as_ref().unwrap_or(&old.name);
    if change.name.is_some() {
        check_name(tx, name, old.home.environment, id, &mut faults)?;
    }
    let proxy = match change.use_system_proxy {
        Patch::Absent => old.use_system_proxy,
        Patch::Null => None,
        Patch::Set(proxy) => Some(proxy),
    };
    let (mut url, mut headers) = (old.url.clone(), old.sealed.clone());
    let given = change.url.as_deref();
    // The same URL as it is stored, written in another way, changes nothing.
    let same = |text: &str| {
        post::check_url(text, &posting.policy).is_ok_and(|(url, basic)| url.as_str() == old.url && basic.is_none())
    };
    let moves = given.is_some_and(|text| !same(text));
    let has_headers = old.locked || !old.headers.is_empty();
    faults.require(
        !(moves && has_headers && change.headers.is_none()),
        "headers",
        "were given for the old URL alone; give them again, or an empty list",
    );
    if moves || change.headers.is_some() {
        let list = change.headers.as_deref().unwrap_or_default();
        let checked = destination::sealed(given.unwrap_or(&old.url), list, proxy, None, posting, 0);
        if let Some(sealed) = keep(checked, &mut faults)? {
            (url, headers) = (sealed.url.into(), sealed.headers);
        }
    } else {
        faults.require(
            change.use_system_proxy.value() != Some(&true) || posting.policy.proxy,
            "use_system_proxy",
            "this server has no system proxy (HTTPS_PROXY, HTTP_PROXY)",
        );
    }
    faults.finish()?;
    tx.send(&UPDATE, &[&id, name, &url, &headers, &proxy])?;
    Ok(())
}

/// Holds back what is for it. One that is paused or off stays so.
pub fn pause(tx: &mut Tx<'_>, id: i64) -> Result<()> {
    tx.send(&PAUSE, &[&id])?;
    Ok(())
}

/// Lets what is for it go; also one that was switched off, which then has five days again.
pub fn resume(tx: &mut Tx<'_>, id: i64) -> Result<()> {
    tx.send(&RESUME, &[&id])?;
    run::wake(tx, Channel::Http);
    Ok(())
}

/// Gives it another secret, which is told this once. For so many hours both sign.
///
/// # Errors
/// `Invalid` of `secret` and `grace_hours`.
pub fn rotate(
    tx: &mut Tx<'_>,
    id: i64,
    wanted: Option<&str>,
    grace_hours: Option<i64>,
    posting: &Posting,
    now: Moment,
) -> Result<String> {
    let hours = grace_hours.unwrap_or(GRACE_HOURS);
    if !(0..=GRACE_HOURS_LIMIT).contains(&hours) {
        return Err(Error::field("grace_hours", format!("must be 0 to {GRACE_HOURS_LIMIT}")));
    }
    let secret = secret_of(wanted.unwrap_or(NEW_SECRET), posting)?;
    let sealed = destination::seal_secret(posting, &secret, 0);
    let until = now.plus_ms(hours * 3_600_000);
    if tx.execute(&ROTATE, &[&id, &sealed, &(hours > 0), &until.0])? == 0 {
        return Err(Error::Missing("endpoint"));
    }
    Ok(secret.text())
}

/// Removes it. What waits for it fails.
///
/// # Errors
/// `Missing` for one that is not there.
pub fn remove(tx: &mut Tx<'_>, id: i64, now: Moment) -> Result<()> {
    let nothing: &[u8] = &[];
    if tx.execute(&REMOVE, &[&id, &now.0, &nothing])? == 0 {
        return Err(Error::Missing("endpoint"));
    }
    run::wake(tx, Channel::Http);
    Ok(())
}
