//! Before SEND: how many people, how many of them cannot be reached by email, a sample, and why one named person is in
//! or not.

use campanile_store::{Tx, sql};
use serde::{Deserialize, Serialize};

use super::sent::{self, Someone};
use super::target::{self, Target};
use crate::audience::crowd::Residents;
use crate::audience::{ANY_STATUS, Holding, Instant, Selector, holdings, kind};
use crate::error::{Error, Result};
use crate::id::{ApiId, PersonId, RoleId};
use crate::place::APPLICATION_PRIMARY_OWNER;
use crate::time::Moment;

/// People of a sample.
const SAMPLE: usize = 10;

sql! {
    BY_NAME = "SELECT id FROM person WHERE key = $1 OR login_key = $2 ORDER BY CASE WHEN key = $1 THEN 0 ELSE 1 END
        LIMIT 1";
    // By way of "subscription" where roles are held: an index of "term" by application holds accepted ones only.
    NEAR = "SELECT s.id FROM membership m CROSS JOIN subscription s
        WHERE m.person = $1 AND m.place = 4 AND s.application = m.object AND s.api = $2
        UNION ALL
        SELECT s.id FROM membership m CROSS JOIN attachment a CROSS JOIN subscription s
        WHERE m.person = $1 AND m.place = 5 AND a.grp = m.object AND a.place = 4
            AND s.application = a.object AND s.api = $2
        UNION ALL
        SELECT t.subscription FROM term t WHERE t.subscriber = $1 AND t.api = $2 AND t.status = 1
        UNION ALL
        SELECT t.subscription FROM term t WHERE t.subscriber = $1 AND t.api = $2 AND t.status <> 1
        LIMIT 1";
    // Subscriptions that would put the person in, had they been valid: by a role of theirs, direct or lent.
    NEARLY = "SELECT t.status FROM membership m CROSS JOIN subscription s CROSS JOIN term t
        WHERE m.person = $1 AND m.place = 4 AND m.role = $3 AND m.until = 9223372036854775807
            AND s.application = m.object AND s.api = $2 AND t.subscription = s.id AND t.until = 9223372036854775807
        UNION ALL
        SELECT t.status FROM membership m CROSS JOIN attachment a CROSS JOIN subscription s CROSS JOIN term t
        WHERE m.person = $1 AND m.place = 5 AND m.role = $3 AND m.role <> 10 AND m.until = 9223372036854775807
            AND a.grp = m.object AND a.place = 4 AND a.until = 9223372036854775807
            AND s.application = a.object AND s.api = $2 AND t.subscription = s.id AND t.until = 9223372036854775807
        LIMIT 20";
    // A subscription that the person made and that is not valid now.
    MADE = "SELECT t.status FROM term t
        WHERE t.subscriber = $1 AND t.api = $2 AND t.until = 9223372036854775807 AND t.status <> 1
        LIMIT 1";
}

/// What a sender sees before sending.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Preview {
    /// People now in the audience, each once.
    pub people: u64,
    /// Of these, without an email address.
    pub without_email: u64,
    /// The first few of them.
    pub sample: Vec<Someone>,
}

/// Counts an audience as it is now.
pub fn preview(tx: &mut Tx<'_>, residents: &Residents, selectors: &[Selector], now: Moment) -> Result<Preview> {
    let crowd = residents.crowd(tx, selectors, Instant::now(now))?;
    let people = crowd.len();
    let without_email = people - crowd.intersection_len(residents.with_email());
    let ids: Vec<u32> = crowd.iter().take(SAMPLE).collect();
    Ok(Preview {
        people,
        without_email,
        sample: sent::people(tx, &ids)?,
    })
}

/// Why a person is in an audience, or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Explanation {
    /// Who.
    pub person: Someone,
    /// Whether they are in it.
    pub included: bool,
    /// One line a part of the audience.
    pub parts: Vec<Reason>,
}

/// One part of an audience and one person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Reason {
    /// The part.
    pub part: Target,
    /// Whether this part holds the person.
    pub holds: bool,
    /// In a sentence.
    pub because: String,
    /// The same for who says it in other words.
    #[serde(skip)]
    pub why: Why,
    /// Since when, where it holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Moment>,
}

/// Why a part of an audience holds a person or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Why {
    /// It does, since then.
    Holds(Moment),
    /// It is no user of today.
    Deactivated,
    /// The subscription starts only then.
    Later(Moment),
    /// The subscription ended then.
    Over(Moment),
    /// The role is there; the application's subscription stands so.
    Nearly(&'static str),
    /// The person made a subscription that stands so.
    Made(&'static str),
    /// It did until then.
    NoLonger(Moment),
    /// It never did.
    #[default]
    Never,
}

/// Whether a person has, or ever had, anything to do with an API of these selectors: a sender who may not look
/// people up may still ask about them.
pub fn is_near(tx: &mut Tx<'_>, person: PersonId, selectors: &[Selector]) -> Result<bool> {
    let held = holdings(tx, person)?;
    if selectors
        .iter()
        .any(|selector| held.iter().any(|one| one.key == selector.key()))
    {
        return Ok(true);
    }
    for selector in selectors {
        if let Selector::ApiRole { api, .. } | Selector::Subscribers { api } | Selector::Subscribed { api } = selector
            && tx
                .first(&NEAR, &[&person.0, &api.0], |row| row.get::<i64>(0))?
                .is_some()
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A person by the directory's id or by login, as a path names them; [`Error::Missing`] where there is none.
pub fn person(tx: &mut Tx<'_>, name: &str) -> Result<PersonId> {
    let found = tx.first(&BY_NAME, &[&name, &name.to_lowercase()], |row| row.get(0))?;
    found.map(PersonId).ok_or(Error::Missing("user"))
}

/// The answer to a name that nobody has, or nobody that the caller may know of.
#[must_use]
pub fn nobody() -> Error {
    Error::field("user", "there is no user with this id or login")
}

/// Says for one person why they are in an audience or not, as it is now.
pub fn explain(tx: &mut Tx<'_>, person: PersonId, selectors: &[Selector], now: Moment) -> Result<Explanation> {
    let someone = sent::people(tx, &[person.0 as u32])?
        .pop()
        .ok_or(Error::Missing("user"))?;
    let held = holdings(tx, person)?;
    let mut parts = Vec::with_capacity(selectors.len());
    for selector in selectors {
        parts.push(reason(tx, person, *selector, &held, now)?);
    }
    let included = someone.active && parts.iter().any(|part| part.holds);
    if !someone.active {
        for part in &mut parts {
            part.why = Why::Deactivated;
            "the user is deactivated, and in no new audience".clone_into(&mut part.because);
            part.holds = false;
            part.since = None;
        }
    }
    Ok(Explanation {
        person: someone,
        included,
        parts,
    })
}

fn reason(tx: &mut Tx<'_>, person: PersonId, selector: Selector, held: &[Holding], now: Moment) -> Result<Reason> {
    let part = target::name(tx, selector)?;
    let own: Vec<&Holding> = held.iter().filter(|one| one.key == selector.key()).collect();
    let holding = own
        .iter()
        .filter(|one| one.covers(Instant::now(now)))
        .min_by_key(|one| one.since);
    let since = holding.map(|holding| Moment(holding.since_at.max(holding.starts_at)));
    let why = match since {
        Some(since) => Why::Holds(since),
        None => why_not(tx, person, selector, &own, now)?,
    };
    Ok(Reason {
        part,
        holds: since.is_some(),
        because: because(selector, why),
        why,
        since,
    })
}

const fn held_as(selector: Selector) -> &'static str {
    match selector.key().0 {
        kind::ENVIRONMENT_ROLE => "holds the role",
        kind::API_ROLE => "holds the role in an application with a valid subscription",
        kind::SUBSCRIBERS if selector.key().2 == ANY_STATUS => "made a subscription",
        kind::SUBSCRIBERS => "made a valid subscription",
        kind::CUSTOMER => "belongs to the customer",
        kind::SUBTREE => "belongs to the customer or one below it",
        kind::GROUP => "is a member of the group",
        kind::EVERYONE => "is an active user",
        _ => "is the user named",
    }
}

/// The closest thing to a yes.
fn why_not(tx: &mut Tx<'_>, person: PersonId, selector: Selector, own: &[&Holding], now: Moment) -> Result<Why> {
    if let Some(later) = own
        .iter()
        .filter(|one| one.is_open() && one.starts_at > now.0)
        .min_by_key(|one| one.starts_at)
    {
        return Ok(Why::Later(Moment(later.starts_at)));
    }
    if let Some(over) = own.iter().filter(|one| one.is_open()).max_by_key(|one| one.ends_at) {
        return Ok(Why::Over(Moment(over.ends_at)));
    }
    if let Selector::ApiRole { api, role } = selector
        && let Some(status) = nearly(tx, person, api, role)?
    {
        return Ok(Why::Nearly(status_name(status)));
    }
    if let Selector::Subscribers { api } = selector
        && let Some(status) = tx.first(&MADE, &[&person.0, &api.0], |row| row.get(0))?
    {
        return Ok(Why::Made(status_name(status)));
    }
    let last = own.iter().max_by_key(|one| one.until);
    Ok(last.map_or(Why::Never, |last| Why::NoLonger(Moment(last.until_at))))
}

/// The reason in a sentence.
fn because(selector: Selector, why: Why) -> String {
    match why {
        Why::Holds(since) => format!("{} since {since}", held_as(selector)),
        Why::Deactivated => "is deactivated".to_owned(),
        Why::Later(at) => format!("the subscription starts only at {at}"),
        Why::Over(at) => format!("the subscription ended at {at}"),
        Why::Nearly(status) => format!("holds the role, but the application's subscription is {status}"),
        Why::Made(status) => format!("made a subscription, but it is {status}"),
        Why::NoLonger(at) => format!("no longer: {} until {at}", held_as(selector)),
        Why::Never => never(selector).to_owned(),
    }
}

fn never(selector: Selector) -> &'static str {
    match selector {
        Selector::EnvironmentRole { .. } => "has never held this role in this environment",
        Selector::ApiRole { role, .. } if role == APPLICATION_PRIMARY_OWNER => {
            "is not the primary owner of an application that subscribes to this API; groups do not lend this role"
        }
        Selector::ApiRole { .. } => "holds this role in no application that subscribes to this API",
        Selector::Subscribers { .. } => "has made no valid subscription to this API",
        Selector::Subscribed { .. } => "has made no subscription to this API",
        Selector::Customer { .. } => "does not belong to this customer",
        Selector::Subtree { .. } => "belongs neither to this customer nor to one below it",
        Selector::Group { .. } => "is not a member of this group",
        Selector::Everyone => "is deactivated",
        Selector::User { .. } => "is another user",
    }
}

/// The role is there; what is wrong with the subscription?
fn nearly(tx: &mut Tx<'_>, person: PersonId, api: ApiId, role: RoleId) -> Result<Option<i64>> {
    let statuses = tx.rows(&NEARLY, &[&person.0, &api.0, &role.0], |row| row.get::<i64>(0))?;
    Ok(statuses.into_iter().find(|status| *status != 1))
}

fn status_name(status: i64) -> &'static str {
    ["PENDING", "ACCEPTED", "REJECTED", "CLOSED", "PAUSED"]
        .get(status as usize)
        .unwrap_or(&"unknown")
}
