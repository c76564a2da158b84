//! Saved destinations of messages by HTTP POST: made, changed, paused, removed, and how well they are.
//!
//! Header values and secrets are sealed when they are given and never shown again; headers are bound to the URL that
//! they were given for, so who changes the URL gives them again.

pub(crate) mod change;
pub(crate) mod health;

use campanile_store::{Row, Tx, sql};
use serde::{Deserialize, Serialize};
use url::Url;

use super::post::Headers;
use crate::error::{Error, Faults, Result};
use crate::id::{ApiId, EnvironmentId};
use crate::message::target;
use crate::place::DEFAULT_ENVIRONMENT;
use crate::policy::Part;
use crate::secret::InstallationKey;
use crate::time::Moment;

pub use change::{
    Change, ENDPOINTS_LIMIT, GRACE_HOURS, GRACE_HOURS_LIMIT, NAME_CHARS, NEW_SECRET, New, change, create, pause,
    remove, resume, rotate,
};
pub use health::{gone, note, state};

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
}

/// Endpoints of a page at most.
pub const PAGE_LIMIT: usize = 100;

/// Whether messages are posted to an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = EndpointState)]
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
#[schema(as = EndpointHealth)]
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
