//! Saved destinations of messages by HTTP POST: made, changed, paused, removed, and how well they are.
//!
//! Header values and secrets are sealed when they are given and never shown again; headers are bound to the URL that
//! they were given for, so who changes the URL gives them again.

use campanile_store::{Row, Tx, sql};
use serde::{Deserialize, Serialize};
use url::Url;

use super::destination::{self, Header, Posting};
use super::post::{self, Headers};
use super::run;
use super::signing::SigningSecret;
use crate::directory::entry::Patch;
use crate::directory::folded;
use crate::error::{Error, Faults, Result};
use crate::id::{ApiId, EnvironmentId};
use crate::message::Channel;
use crate::message::target;
use crate::place::DEFAULT_ENVIRONMENT;
use crate::policy::Part;
use crate::revision::tally;
use crate::secret::InstallationKey;
use crate::time::Moment;

macro_rules! columns {
    () => {
        "SELECT p.id, p.name, p.environment, p.api, e.key, a.key, p.url, p.headers, p.proxy, p.secret, p.old_until,
            p.state, p.created_at, p.succeeded_at, p.failed_at, p.failed_code, p.failed_reason, p.failing_since
        FROM endpoint p JOIN environment e ON e.id = p.environment LEFT JOIN api a ON a.id = p.api
        WHERE p.removed_at IS NULL "
    };
}

sql! {
    FIND = concat!(columns!(), "AND p.id = $1");
    PAGE = concat!(columns!(), "AND p.id > $1 ORDER BY p.id LIMIT $2");
    OF_ENVIRONMENT = concat!(columns!(), "AND p.environment = $3 AND p.id > $1 ORDER BY p.id LIMIT $2");
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
    // A busy one is not written at every success.
    WELL = "UPDATE endpoint SET succeeded_at = $2, failing_since = NULL
        WHERE id = $1 AND (failing_since IS NOT NULL OR succeeded_at IS NULL OR succeeded_at < $3)";
    // $5: who failed last before this begins anew. $6: who fails since then is switched off.
    ILL = "UPDATE endpoint SET failed_at = $2, failed_code = $3, failed_reason = $4,
            failing_since = CASE WHEN failing_since IS NULL OR failed_at < $5 THEN $2 ELSE failing_since END,
            state = CASE WHEN state = 0 AND failing_since <= $6 AND failed_at >= $5 THEN 2 ELSE state END
        WHERE id = $1 AND removed_at IS NULL RETURNING state";
    STATE = "SELECT state FROM endpoint WHERE id = $1 AND removed_at IS NULL";
    GONE = "UPDATE endpoint SET state = 2, failed_at = $2, failed_code = 410, failed_reason = $3,
            failing_since = COALESCE(failing_since, $2)
        WHERE id = $1 AND removed_at IS NULL AND state <> 2";
}

/// Endpoints of an environment at most, those of its APIs included.
pub const ENDPOINTS_LIMIT: usize = 500;
/// Characters of a name at most.
pub const NAME_CHARS: usize = 200;
/// Endpoints of a page at most.
pub const PAGE_LIMIT: usize = 100;
/// How long the secret before a rotation is good, in hours, unless it is said.
pub const GRACE_HOURS: i64 = 24;
/// The most that can be said: a week.
pub const GRACE_HOURS_LIMIT: i64 = 168;
/// A secret that this server is to make.
pub const NEW_SECRET: &str = "new";
/// One that failed for so long without a success is switched off.
const FAILING_MS: i64 = 5 * 24 * 3_600_000;
/// Failures further apart than this are not one failing: the longest pause between two tries is a day.
const APART_MS: i64 = 2 * 24 * 3_600_000;
/// The time of a success is written down no more often.
const SELDOM_MS: i64 = 1_000;
/// Why one was switched off by its target.
const GONE_REASON: &str = "the target answered 410: it wants no more messages";

/// Whether messages are posted to an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// They are.
    Active,
    /// Somebody paused it: what is for it waits.
    Paused,
    /// The server switched it off, since it answered 410 or failed for five days: what is for it waits.
    Off,
}

impl State {
    const fn from_code(code: i64) -> Self {
        match code {
            0 => Self::Active,
            1 => Self::Paused,
            _ => Self::Off,
        }
    }
}

/// How an endpoint has been lately.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Health {
    /// The last success.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub succeeded_at: Option<Moment>,
    /// The last failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed_at: Option<Moment>,
    /// The target's answer then, where it answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed_code: Option<i64>,
    /// Why it was no success.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed_reason: Option<String>,
    /// Since when every try failed; absent where the last one did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failing_since: Option<Moment>,
}

/// A saved destination, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Endpoint {
    /// By which a message names it.
    pub id: i64,
    /// Its name; no other one of the environment has it in any case of letters.
    pub name: String,
    /// Messages of this environment may be posted to it.
    pub environment: String,
    /// Only messages of this API.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api: Option<String>,
    /// Without user and password.
    pub url: String,
    /// The names of the headers that are sent; their values are not shown.
    pub headers: Vec<String>,
    /// Whether it goes through the system proxy; as the server has it where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub use_system_proxy: Option<bool>,
    /// Whether there is a secret, and posts are signed.
    pub signed: bool,
    /// Until then posts are signed with the secret before, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old_secret_until: Option<Moment>,
    /// Its headers cannot be opened: the secret of the installation is another one. Give them again.
    pub locked: bool,
    /// Whether messages are posted to it.
    pub state: State,
    /// How it has been lately.
    pub health: Health,
    /// When it was made.
    pub created_at: Moment,
    #[serde(skip)]
    home: Home,
    #[serde(skip)]
    sealed: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Home {
    environment: EnvironmentId,
    api: Option<ApiId>,
}

impl Default for Home {
    fn default() -> Self {
        Self {
            environment: EnvironmentId(0),
            api: None,
        }
    }
}

impl Home {
    fn part(self) -> Part {
        let environment = self.environment;
        self.api
            .map_or(Part::EnvironmentRole { environment }, |api| Part::Api { api })
    }
}

impl Endpoint {
    /// By what rights are judged.
    #[must_use]
    pub fn part(&self) -> Part {
        self.home.part()
    }
}

/// An endpoint that is to be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
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

/// Which endpoints.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter {
    /// Only those that messages of this environment may be posted to.
    pub environment: Option<EnvironmentId>,
    /// Of those of an environment, only those that messages of this API may be posted to.
    pub api: Option<ApiId>,
}

/// The home that somebody named: an API's, or an environment, or `DEFAULT`.
///
/// # Errors
/// `Invalid` at `api` or `environment`. What they may not use there is refused before, by `may`, so that a foreign name
/// and an unknown one look the same.
pub fn home(
    tx: &mut Tx<'_>,
    environment: Option<&str>,
    api: Option<&str>,
    may: impl FnOnce(Part) -> Result<()>,
) -> Result<Filter> {
    let mut faults = Faults::default();
    let home = if let Some(api) = api {
        let found = target::api(tx, api)?;
        faults.require(found.is_some(), "api", "there is no such API");
        faults.require(environment.is_none(), "environment", "is that of the API; leave it out");
        let (api, environment) = found.map_or((ApiId(0), EnvironmentId(0)), |(api, _, environment)| (api, environment));
        Home {
            environment,
            api: Some(api),
        }
    } else {
        let found = match environment {
            Some(key) => target::environment(tx, key)?,
            None => Some(EnvironmentId(DEFAULT_ENVIRONMENT)),
        };
        faults.require(found.is_some(), "environment", "there is no such environment");
        Home {
            environment: found.unwrap_or(EnvironmentId(0)),
            api: None,
        }
    };
    may(home.part())?;
    faults.finish()?;
    Ok(Filter {
        environment: Some(home.environment),
        api: home.api,
    })
}

fn read(row: &Row<'_>, key: &InstallationKey, now: Moment) -> campanile_store::Result<Endpoint> {
    let at = |column| Ok::<_, campanile_store::Error>(row.get::<Option<i64>>(column)?.map(Moment));
    let (url, sealed): (String, Vec<u8>) = (row.get(6)?, row.get(7)?);
    let headers = Url::parse(&url).ok().and_then(|url| Headers::open(key, &url, &sealed));
    let names = |headers: &Headers| headers.iter().map(|(name, _)| name.to_owned()).collect();
    Ok(Endpoint {
        id: row.get(0)?,
        name: row.get(1)?,
        home: Home {
            environment: EnvironmentId(row.get(2)?),
            api: row.get::<Option<i64>>(3)?.map(ApiId),
        },
        environment: row.get(4)?,
        api: row.get(5)?,
        locked: headers.is_none(),
        headers: headers.as_ref().map(names).unwrap_or_default(),
        url,
        sealed,
        use_system_proxy: row.get(8)?,
        signed: row.get::<Option<Vec<u8>>>(9)?.is_some(),
        old_secret_until: at(10)?.filter(|until| *until > now),
        state: State::from_code(row.get(11)?),
        created_at: Moment(row.get(12)?),
        health: Health {
            succeeded_at: at(13)?,
            failed_at: at(14)?,
            failed_code: row.get(15)?,
            failed_reason: row.get(16)?,
            failing_since: at(17)?,
        },
    })
}

/// One by id, whoever asks.
///
/// # Errors
/// `Missing` for one that is not there, or not any more.
pub fn find(tx: &mut Tx<'_>, key: &InstallationKey, id: i64, now: Moment) -> Result<Endpoint> {
    let found = tx.first(&FIND, &[&id], |row| read(row, key, now))?;
    found.ok_or(Error::Missing("endpoint"))
}

/// A page of the endpoints that a filter and `takes` leave, in the order of their ids, after an id; and the `after` of
/// the next page.
pub fn list(
    tx: &mut Tx<'_>,
    key: &InstallationKey,
    filter: Filter,
    after: i64,
    limit: usize,
    now: Moment,
    takes: impl Fn(&Endpoint) -> bool,
) -> Result<(Vec<Endpoint>, Option<i64>)> {
    let at_once = PAGE_LIMIT as i64;
    let is_near = |of: &Endpoint| filter.api.is_none() || of.home.api.is_none() || of.home.api == filter.api;
    let (mut out, mut after) = (Vec::<Endpoint>::new(), after);
    loop {
        let found = match filter.environment {
            Some(environment) => tx.rows(&OF_ENVIRONMENT, &[&after, &at_once, &environment.0], |row| {
                read(row, key, now)
            })?,
            None => tx.rows(&PAGE, &[&after, &at_once], |row| read(row, key, now))?,
        };
        let is_last = (found.len() as i64) < at_once;
        for one in found {
            after = one.id;
            if !is_near(&one) || !takes(&one) {
                continue;
            }
            if out.len() == limit {
                let next = out.last().map(|last| last.id);
                return Ok((out, next));
            }
            out.push(one);
        }
        if is_last {
            return Ok((out, None));
        }
    }
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

/// Whether messages are posted to it; `None` for one that is not there.
pub fn state(tx: &mut Tx<'_>, id: i64) -> Result<Option<State>> {
    let state = tx.first(&STATE, &[&id], |row| row.get(0))?;
    Ok(state.map(State::from_code))
}

/// Writes down how a try went. Whether the endpoint is off now: one that fails for five days without a success is
/// switched off, unless it fails so seldom that two days lie between.
pub fn note(
    tx: &mut Tx<'_>,
    id: i64,
    succeeded: bool,
    code: Option<i64>,
    reason: Option<&str>,
    now: Moment,
) -> Result<bool> {
    if succeeded {
        tx.send(&WELL, &[&id, &now.0, &(now.0 - SELDOM_MS)])?;
        return Ok(false);
    }
    let (apart, failing) = (now.0 - APART_MS, now.0 - FAILING_MS);
    let state = tx.first(&ILL, &[&id, &now.0, &code, &reason, &apart, &failing], |row| row.get(0))?;
    Ok(state.map(State::from_code) == Some(State::Off))
}

/// Switches one off whose target answered 410.
pub fn gone(tx: &mut Tx<'_>, id: i64, now: Moment) -> Result<()> {
    tx.send(&GONE, &[&id, &now.0, &GONE_REASON])?;
    Ok(())
}
