//! The message's side: the people who hold a selector at a revision, as a bitmap of their ids.
//!
//! What an environment role, a customer or "everyone" holds now is kept in memory ([`Residents`]) and brought up to
//! date by what has changed since, so that a preview among a million people is a few milliseconds; their past is told
//! from it and the changes (`then`). Everything else is one statement by index.

pub(crate) mod recent;
pub(crate) mod then;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use campanile_store::{Sql, Tx, sql};
use roaring::RoaringBitmap;

use self::recent::Recent;
use super::{Holding, Instant, Selector};
use crate::error::Result;
use crate::place::APPLICATION_PRIMARY_OWNER;
use crate::time::Moment;

/// One text a kind, from the selector's index outwards; each row: person, and since when by revision.
///
/// A fact covers $3 ($2 and $1 where a kind has no role or object) when it lies between its two named columns: the
/// revisions, or the times beside them.
macro_rules! of {
    (environment_role $since:literal $until:literal) => {
        concat!(
            "SELECT person, since FROM membership WHERE place = 2 AND object = $1 AND role = $2
                AND ",
            $since,
            " <= $3 AND ",
            $until,
            " > $3"
        )
    };
    (api_role $since:literal $until:literal) => {
        concat!(
            "SELECT m.person, {greatest}(m.since, t.since) FROM term t CROSS JOIN membership m
                WHERE t.api = $1 AND t.status = 1 AND t.",
            $since,
            " <= $3 AND t.",
            $until,
            " > $3
                    AND t.starts_at <= $4 AND t.ends_at > $4
                    AND m.place = 4 AND m.object = t.application AND m.role = $2
                    AND m.",
            $since,
            " <= $3 AND m.",
            $until,
            " > $3"
        )
    };
    (api_role_lent $since:literal $until:literal) => {
        concat!(
            "SELECT m.person, {greatest}(m.since, {greatest}(a.since, t.since))
                FROM term t CROSS JOIN attachment a CROSS JOIN membership m
                WHERE t.api = $1 AND t.status = 1 AND t.",
            $since,
            " <= $3 AND t.",
            $until,
            " > $3
                    AND t.starts_at <= $4 AND t.ends_at > $4
                    AND a.place = 4 AND a.object = t.application
                    AND a.",
            $since,
            " <= $3 AND a.",
            $until,
            " > $3
                    AND m.place = 5 AND m.object = a.grp AND m.role = $2
                    AND m.",
            $since,
            " <= $3 AND m.",
            $until,
            " > $3"
        )
    };
    (subscribers $since:literal $until:literal) => {
        concat!(
            "SELECT subscriber, since FROM term WHERE api = $1 AND status = 1
                AND ",
            $since,
            " <= $2 AND ",
            $until,
            " > $2 AND starts_at <= $3 AND ends_at > $3
                AND subscriber IS NOT NULL"
        )
    };
    // By way of "subscription": an index of "term" by API holds accepted ones only.
    (subscribed $since:literal $until:literal) => {
        concat!(
            "SELECT t.subscriber, t.since FROM subscription s CROSS JOIN term t
                WHERE s.api = $1 AND t.subscription = s.id
                    AND t.",
            $since,
            " <= $2 AND t.",
            $until,
            " > $2 AND t.subscriber IS NOT NULL"
        )
    };
    (customer $since:literal $until:literal) => {
        concat!(
            "SELECT person, since FROM residence WHERE customer = $1
                AND ",
            $since,
            " <= $2 AND ",
            $until,
            " > $2"
        )
    };
    (subtree $since:literal $until:literal) => {
        concat!(
            "SELECT r.person, {greatest}(r.since, l.since) FROM lineage l CROSS JOIN residence r
                WHERE l.ancestor = $1 AND l.",
            $since,
            " <= $2 AND l.",
            $until,
            " > $2
                    AND r.customer = l.customer AND r.",
            $since,
            " <= $2 AND r.",
            $until,
            " > $2"
        )
    };
    (everyone $since:literal $until:literal) => {
        concat!(
            "SELECT object, since FROM life WHERE kind = 1 AND ",
            $since,
            " <= $1 AND ",
            $until,
            " > $1"
        )
    };
    (group $since:literal $until:literal) => {
        concat!(
            "SELECT person, since FROM membership WHERE place IN (5, 6) AND object = $1
                AND ",
            $since,
            " <= $2 AND ",
            $until,
            " > $2"
        )
    };
    (person $since:literal $until:literal) => {
        concat!(
            "SELECT object, since FROM life WHERE kind = 1 AND object = $1
                AND ",
            $since,
            " <= $2 AND ",
            $until,
            " > $2"
        )
    };
    // Who had once been there and was not. Rows only for people who ever left.
    (absent $since:literal $until:literal) => {
        concat!(
            "SELECT l.object FROM life l
                WHERE l.kind = 1 AND l.",
            $until,
            " <= $1 AND l.until < 9223372036854775807
                    AND NOT EXISTS (SELECT 1 FROM life n
                        WHERE n.kind = 1 AND n.object = l.object AND n.",
            $since,
            " <= $1 AND n.",
            $until,
            " > $1)"
        )
    };
}

sql! {
    OF_ENVIRONMENT_ROLE = of!(environment_role "since" "until");
    OF_API_ROLE = of!(api_role "since" "until");
    OF_API_ROLE_LENT = of!(api_role_lent "since" "until");
    OF_SUBSCRIBERS = of!(subscribers "since" "until");
    OF_SUBSCRIBED = of!(subscribed "since" "until");
    OF_CUSTOMER = of!(customer "since" "until");
    OF_SUBTREE = of!(subtree "since" "until");
    OF_EVERYONE = of!(everyone "since" "until");
    OF_GROUP = of!(group "since" "until");
    OF_PERSON = of!(person "since" "until");
    ABSENT = of!(absent "since" "until");
    // At a time of the clock.
    TIMED_ENVIRONMENT_ROLE = of!(environment_role "since_at" "until_at");
    TIMED_API_ROLE = of!(api_role "since_at" "until_at");
    TIMED_API_ROLE_LENT = of!(api_role_lent "since_at" "until_at");
    TIMED_SUBSCRIBERS = of!(subscribers "since_at" "until_at");
    TIMED_SUBSCRIBED = of!(subscribed "since_at" "until_at");
    TIMED_CUSTOMER = of!(customer "since_at" "until_at");
    TIMED_SUBTREE = of!(subtree "since_at" "until_at");
    TIMED_EVERYONE = of!(everyone "since_at" "until_at");
    TIMED_GROUP = of!(group "since_at" "until_at");
    TIMED_PERSON = of!(person "since_at" "until_at");
    TIMED_ABSENT = of!(absent "since_at" "until_at");
    BELOW = "SELECT customer FROM lineage WHERE ancestor = $1 AND until = 9223372036854775807";

    DIRECTORY = "SELECT value FROM tally WHERE name = 'directory'";
    PEOPLE = "SELECT p.id, p.email_key IS NOT NULL, COALESCE(r.customer, 0), l.object IS NOT NULL
        FROM person p
        LEFT JOIN residence r ON r.person = p.id AND r.until = 9223372036854775807
        LEFT JOIN life l ON l.kind = 1 AND l.object = p.id AND l.until = 9223372036854775807
        WHERE p.changed > $1";
    ROLES = "SELECT object, role, person FROM membership WHERE place = 2 AND until = 9223372036854775807";
    // +place, because SQLite would rather take an index by place, and read a million people for a few changes.
    ROLES_ENDED = "SELECT object, role, person FROM membership
        WHERE +place = 2 AND until > $1 AND until < 9223372036854775807";
    ROLES_BEGUN = "SELECT object, role, person FROM membership
        WHERE +place = 2 AND since > $1 AND until = 9223372036854775807";
}

/// When a crowd is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// At a revision.
    Instant(Instant),
    /// At the last revision of a time that has passed: of the facts those count whose times cover it, because the time
    /// beside the revisions never runs backwards.
    Clock(Moment),
}

impl From<Instant> for When {
    fn from(instant: Instant) -> Self {
        Self::Instant(instant)
    }
}

impl When {
    /// Whether a fact held then.
    #[must_use]
    pub const fn covers(&self, fact: &Holding) -> bool {
        match self {
            Self::Instant(instant) => fact.covers(*instant),
            Self::Clock(at) => fact.covered_at(*at),
        }
    }

    /// The time by which subscriptions start and end.
    #[must_use]
    pub const fn at(&self) -> Moment {
        match self {
            Self::Instant(instant) => instant.at,
            Self::Clock(at) => *at,
        }
    }

    /// What facts are compared with.
    const fn bound(&self) -> i64 {
        match self {
            Self::Instant(instant) => instant.revision.0,
            Self::Clock(at) => at.0,
        }
    }

    const fn is_timed(&self) -> bool {
        matches!(self, Self::Clock(_))
    }
}

/// Hands over everybody who holds a selector at an instant, with the revision since which they do: possibly twice, and
/// people who were deactivated then too. The caller drops those with [`absent`].
fn each(tx: &mut Tx<'_>, selector: Selector, when: When, mut hand: impl FnMut(u32, i64)) -> Result<()> {
    let (bound, at) = (when.bound(), when.at().0);
    let mut run = |sql: [&'static Sql; 2], params: &[&dyn campanile_store::Param]| {
        tx.each(sql[usize::from(when.is_timed())], params, |row| {
            hand(row.get::<i64>(0)? as u32, row.get(1)?);
            Ok::<(), campanile_store::Error>(())
        })
    };
    match selector {
        Selector::EnvironmentRole { environment, role } => {
            let params: [&dyn campanile_store::Param; 3] = [&environment.0, &role.0, &bound];
            run([&OF_ENVIRONMENT_ROLE, &TIMED_ENVIRONMENT_ROLE], &params)?;
        }
        Selector::ApiRole { api, role } => {
            let params: [&dyn campanile_store::Param; 4] = [&api.0, &role.0, &bound, &at];
            run([&OF_API_ROLE, &TIMED_API_ROLE], &params)?;
            if role != APPLICATION_PRIMARY_OWNER {
                run([&OF_API_ROLE_LENT, &TIMED_API_ROLE_LENT], &params)?;
            }
        }
        Selector::Subscribers { api } => run([&OF_SUBSCRIBERS, &TIMED_SUBSCRIBERS], &[&api.0, &bound, &at])?,
        Selector::Subscribed { api } => run([&OF_SUBSCRIBED, &TIMED_SUBSCRIBED], &[&api.0, &bound])?,
        Selector::Customer { customer } => run([&OF_CUSTOMER, &TIMED_CUSTOMER], &[&customer.0, &bound])?,
        Selector::Subtree { customer } => run([&OF_SUBTREE, &TIMED_SUBTREE], &[&customer.0, &bound])?,
        Selector::Everyone => run([&OF_EVERYONE, &TIMED_EVERYONE], &[&bound])?,
        Selector::Group { group } => run([&OF_GROUP, &TIMED_GROUP], &[&group.0, &bound])?,
        Selector::User { person } => run([&OF_PERSON, &TIMED_PERSON], &[&person.0, &bound])?,
    }
    Ok(())
}

/// Who had once been there and was not then.
fn absent(tx: &mut Tx<'_>, when: When) -> Result<RoaringBitmap> {
    let mut out = RoaringBitmap::new();
    let sql = if when.is_timed() { &TIMED_ABSENT } else { &ABSENT };
    tx.each(sql, &[&when.bound()], |row| {
        out.insert(row.get::<i64>(0)? as u32);
        Ok::<(), campanile_store::Error>(())
    })?;
    Ok(out)
}

/// The people who hold any of some selectors at an instant: each once, the deactivated left out. By SQL.
pub fn crowd(tx: &mut Tx<'_>, selectors: &[Selector], when: impl Into<When>) -> Result<RoaringBitmap> {
    let when = when.into();
    let mut found = Vec::new();
    for selector in selectors {
        each(tx, *selector, when, |person, _| found.push(person))?;
    }
    Ok(sorted(found) - absent(tx, when)?)
}

/// As [`crowd`], with the least revision since which each person holds one of the selectors.
pub fn crowd_since(tx: &mut Tx<'_>, selectors: &[Selector], when: impl Into<When>) -> Result<HashMap<u32, i64>> {
    let when = when.into();
    let mut found: HashMap<u32, i64> = HashMap::new();
    for selector in selectors {
        each(tx, *selector, when, |person, since| {
            found
                .entry(person)
                .and_modify(|at| *at = since.min(*at))
                .or_insert(since);
        })?;
    }
    for person in absent(tx, when)? {
        found.remove(&person);
    }
    Ok(found)
}

/// A bitmap of ids in any order, with repeats.
fn sorted(mut ids: Vec<u32>) -> RoaringBitmap {
    ids.sort_unstable();
    ids.dedup();
    RoaringBitmap::from_sorted_iter(ids).unwrap_or_default()
}

/// Who holds the wide selectors now: environment roles, customers, everyone. About 6 MB a million people.
#[derive(Debug, Clone, Default)]
pub struct Residents {
    /// Up to this revision of the directory.
    position: i64,
    roles: HashMap<(i64, i64), RoaringBitmap>,
    alive: RoaringBitmap,
    with_email: RoaringBitmap,
    /// The customer of a person, by id: a place in `customers`; 0 for none.
    home: Vec<u32>,
    /// Customers by id, numbered from 1: who lives below one of them is told by a look into a short list.
    customers: HashMap<i64, u32>,
    /// Of the other selectors those that were asked for last; one for all copies.
    recent: Arc<Recent>,
}

impl Residents {
    /// The revision of the last change of the directory that they know.
    #[must_use]
    pub const fn position(&self) -> i64 {
        self.position
    }

    /// Who has an email address now.
    #[must_use]
    pub const fn with_email(&self) -> &RoaringBitmap {
        &self.with_email
    }

    /// Everybody who is active now.
    #[must_use]
    pub const fn alive(&self) -> &RoaringBitmap {
        &self.alive
    }

    /// Whether the people of a selector are in memory as they stand, at no cost.
    #[must_use]
    pub const fn holds(selector: &Selector) -> bool {
        matches!(selector, Selector::EnvironmentRole { .. } | Selector::Everyone)
    }

    fn refresh(&mut self, tx: &mut Tx<'_>, position: i64) -> Result<()> {
        let known = self.position;
        tx.each(&PEOPLE, &[&known], |row| {
            let person = row.get::<i64>(0)? as u32;
            set(&mut self.with_email, person, row.get(1)?);
            set(&mut self.alive, person, row.get(3)?);
            if self.home.len() <= person as usize {
                self.home.resize(person as usize + 1, 0);
            }
            let customer: i64 = row.get(2)?;
            self.home[person as usize] = if customer == 0 {
                0
            } else {
                let next = self.customers.len() as u32 + 1;
                *self.customers.entry(customer).or_insert(next)
            };
            Ok::<(), campanile_store::Error>(())
        })?;
        let mut put = |tx: &mut Tx<'_>, sql: &'static Sql, params: &[&dyn campanile_store::Param], holds: bool| {
            tx.each(sql, params, |row| {
                let roles = self.roles.entry((row.get(0)?, row.get(1)?)).or_default();
                set(roles, row.get::<i64>(2)? as u32, holds);
                Ok::<(), campanile_store::Error>(())
            })
        };
        if known == 0 {
            put(tx, &ROLES, &[], true)?;
        } else {
            put(tx, &ROLES_ENDED, &[&known], false)?;
            put(tx, &ROLES_BEGUN, &[&known], true)?;
        }
        self.position = position;
        Ok(())
    }

    /// The people who hold any of some selectors now. Wide ones come from memory, the others by SQL or as
    /// they were last found.
    pub fn crowd(&self, tx: &mut Tx<'_>, selectors: &[Selector], now: Instant) -> Result<RoaringBitmap> {
        let mut out = RoaringBitmap::new();
        let mut others = Vec::new();
        let mut homes = Vec::new();
        for selector in selectors {
            match selector {
                Selector::EnvironmentRole { environment, role } => {
                    if let Some(people) = self.roles.get(&(environment.0, role.0)) {
                        out |= people;
                    }
                }
                Selector::Everyone => out |= &self.alive,
                Selector::Customer { customer } => homes.push(customer.0),
                Selector::Subtree { customer } => {
                    homes.extend(tx.rows(&BELOW, &[&customer.0], |row| row.get::<i64>(0))?);
                }
                other => others.push(*other),
            }
        }
        if !homes.is_empty() {
            out |= self.residents_of(&homes);
        }
        for selector in others {
            out |= &*self.recent.crowd(tx, selector, now)?;
        }
        Ok(out & &self.alive)
    }

    fn residents_of(&self, customers: &[i64]) -> RoaringBitmap {
        let mut wanted = vec![false; self.customers.len() + 1];
        for place in customers.iter().filter_map(|customer| self.customers.get(customer)) {
            wanted[*place as usize] = true;
        }
        let here = self.home.iter().enumerate().filter(|(_, home)| wanted[**home as usize]);
        RoaringBitmap::from_sorted_iter(here.map(|(person, _)| person as u32)).unwrap_or_default()
    }
}

fn set(bitmap: &mut RoaringBitmap, person: u32, is: bool) {
    if is {
        bitmap.insert(person);
    } else {
        bitmap.remove(person);
    }
}

/// The residents as a process shares them. Whoever asks gets them as they are then and holds no lock: what changes
/// meanwhile is written to a copy.
#[derive(Debug, Default)]
pub struct Shared(RwLock<Arc<Residents>>);

impl Shared {
    /// The residents, at least as new as the caller's snapshot. The first call reads everybody (half a second for a
    /// million), so it belongs on a thread for long reads.
    pub fn at(&self, tx: &mut Tx<'_>) -> Result<Arc<Residents>> {
        if let Some(residents) = self.ready(tx)? {
            return Ok(residents);
        }
        let position = directory_position(tx)?;
        let mut residents = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if residents.position < position
            && let Err(error) = Arc::make_mut(&mut residents).refresh(tx, position)
        {
            // Half of it is newer than the other half: the next reader begins anew.
            *residents = Arc::default();
            return Err(error);
        }
        Ok(Arc::clone(&residents))
    }

    /// The residents, where nothing has to be read for them.
    fn ready(&self, tx: &mut Tx<'_>) -> Result<Option<Arc<Residents>>> {
        let position = directory_position(tx)?;
        let residents = self.0.read().unwrap_or_else(PoisonError::into_inner);
        Ok((residents.position >= position).then(|| Arc::clone(&residents)))
    }
}

/// The last revision that changed the directory: an audience at a later one is the same as now.
pub fn directory_position(tx: &mut Tx<'_>) -> Result<i64> {
    Ok(tx.one(&DIRECTORY, &[], |row| row.get(0))?)
}
