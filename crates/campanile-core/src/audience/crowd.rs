//! The message's side: the people who hold a selector at a revision, as a bitmap of their ids.
//!
//! What an environment role, a customer or "everyone" holds now is kept in memory ([`Residents`]) and brought up to
//! date by what has changed since, so that a preview among a million people is a few milliseconds; everything else, and
//! the past, is one statement by index.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use campanile_store::{Sql, Tx, sql};
use roaring::RoaringBitmap;

use super::{Instant, Selector};
use crate::error::Result;
use crate::place::APPLICATION_PRIMARY_OWNER;

sql! {
    // One text a kind, from the selector's index outwards; each row: person, and since when by revision.
    // $1 object, $2 role, $3 revision, $4 time.
    OF_ENVIRONMENT_ROLE = "SELECT person, since FROM membership
        WHERE place = 2 AND object = $1 AND role = $2 AND since <= $3 AND until > $3";
    OF_API_ROLE = "SELECT m.person, {greatest}(m.since, t.since) FROM term t CROSS JOIN membership m
        WHERE t.api = $1 AND t.status = 1 AND t.since <= $3 AND t.until > $3 AND t.starts_at <= $4 AND t.ends_at > $4
            AND m.place = 4 AND m.object = t.application AND m.role = $2 AND m.since <= $3 AND m.until > $3";
    OF_API_ROLE_LENT = "SELECT m.person, {greatest}(m.since, {greatest}(a.since, t.since))
        FROM term t CROSS JOIN attachment a CROSS JOIN membership m
        WHERE t.api = $1 AND t.status = 1 AND t.since <= $3 AND t.until > $3 AND t.starts_at <= $4 AND t.ends_at > $4
            AND a.place = 4 AND a.object = t.application AND a.since <= $3 AND a.until > $3
            AND m.place = 5 AND m.object = a.grp AND m.role = $2 AND m.since <= $3 AND m.until > $3";
    OF_SUBSCRIBERS = "SELECT subscriber, since FROM term
        WHERE api = $1 AND status = 1 AND since <= $2 AND until > $2 AND starts_at <= $3 AND ends_at > $3
            AND subscriber IS NOT NULL";
    OF_CUSTOMER = "SELECT person, since FROM residence WHERE customer = $1 AND since <= $2 AND until > $2";
    OF_SUBTREE = "SELECT r.person, {greatest}(r.since, l.since) FROM lineage l CROSS JOIN residence r
        WHERE l.ancestor = $1 AND l.since <= $2 AND l.until > $2
            AND r.customer = l.customer AND r.since <= $2 AND r.until > $2";
    OF_EVERYONE = "SELECT object, since FROM life WHERE kind = 1 AND since <= $1 AND until > $1";
    OF_GROUP = "SELECT person, since FROM membership
        WHERE place IN (5, 6) AND object = $1 AND since <= $2 AND until > $2";
    OF_PERSON = "SELECT object, since FROM life WHERE kind = 1 AND object = $1 AND since <= $2 AND until > $2";
    // Who had once been there and was not at a revision. Rows only for people who ever left.
    ABSENT = "SELECT l.object FROM life l
        WHERE l.kind = 1 AND l.until <= $1 AND l.until < 9223372036854775807
            AND NOT EXISTS (SELECT 1 FROM life n
                WHERE n.kind = 1 AND n.object = l.object AND n.since <= $1 AND n.until > $1)";
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

/// Hands over everybody who holds a selector at an instant, with the revision since which they do: possibly twice, and
/// people who were deactivated then too. The caller drops those with [`absent`].
fn each(tx: &mut Tx<'_>, selector: Selector, instant: Instant, mut hand: impl FnMut(u32, i64)) -> Result<()> {
    let (revision, at) = (instant.revision.0, instant.at.0);
    let mut run = |sql: &'static Sql, params: &[&dyn campanile_store::Param]| {
        tx.each(sql, params, |row| {
            hand(row.get::<i64>(0)? as u32, row.get(1)?);
            Ok::<(), campanile_store::Error>(())
        })
    };
    match selector {
        Selector::EnvironmentRole { environment, role } => {
            run(&OF_ENVIRONMENT_ROLE, &[&environment.0, &role.0, &revision])?;
        }
        Selector::ApiRole { api, role } => {
            run(&OF_API_ROLE, &[&api.0, &role.0, &revision, &at])?;
            if role != APPLICATION_PRIMARY_OWNER {
                run(&OF_API_ROLE_LENT, &[&api.0, &role.0, &revision, &at])?;
            }
        }
        Selector::Subscribers { api } => run(&OF_SUBSCRIBERS, &[&api.0, &revision, &at])?,
        Selector::Customer { customer } => run(&OF_CUSTOMER, &[&customer.0, &revision])?,
        Selector::Subtree { customer } => run(&OF_SUBTREE, &[&customer.0, &revision])?,
        Selector::Everyone => run(&OF_EVERYONE, &[&revision])?,
        Selector::Group { group } => run(&OF_GROUP, &[&group.0, &revision])?,
        Selector::User { person } => run(&OF_PERSON, &[&person.0, &revision])?,
    }
    Ok(())
}

/// Who had once been there and was not at an instant.
fn absent(tx: &mut Tx<'_>, instant: Instant) -> Result<RoaringBitmap> {
    let mut out = RoaringBitmap::new();
    tx.each(&ABSENT, &[&instant.revision.0], |row| {
        out.insert(row.get::<i64>(0)? as u32);
        Ok::<(), campanile_store::Error>(())
    })?;
    Ok(out)
}

/// The people who hold any of some selectors at an instant: each once, the deactivated left out. By SQL.
pub fn crowd(tx: &mut Tx<'_>, selectors: &[Selector], instant: Instant) -> Result<RoaringBitmap> {
    let mut found = Vec::new();
    for selector in selectors {
        each(tx, *selector, instant, |person, _| found.push(person))?;
    }
    Ok(sorted(found) - absent(tx, instant)?)
}

/// As [`crowd`], with the least revision since which each person holds one of the selectors.
pub fn crowd_since(tx: &mut Tx<'_>, selectors: &[Selector], instant: Instant) -> Result<HashMap<u32, i64>> {
    let mut found: HashMap<u32, i64> = HashMap::new();
    for selector in selectors {
        each(tx, *selector, instant, |person, since| {
            found
                .entry(person)
                .and_modify(|at| *at = since.min(*at))
                .or_insert(since);
        })?;
    }
    for person in absent(tx, instant)? {
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
#[derive(Debug, Default)]
pub struct Residents {
    /// Up to this revision of the directory.
    position: i64,
    roles: HashMap<(i64, i64), RoaringBitmap>,
    alive: RoaringBitmap,
    with_email: RoaringBitmap,
    /// The customer of a person, by id; 0 for none.
    home: Vec<u32>,
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

    fn refresh(&mut self, tx: &mut Tx<'_>, position: i64) -> Result<()> {
        let known = self.position;
        tx.each(&PEOPLE, &[&known], |row| {
            let person = row.get::<i64>(0)? as u32;
            set(&mut self.with_email, person, row.get(1)?);
            set(&mut self.alive, person, row.get(3)?);
            if self.home.len() <= person as usize {
                self.home.resize(person as usize + 1, 0);
            }
            self.home[person as usize] = row.get::<i64>(2)? as u32;
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

    /// The people who hold any of some selectors now. Wide ones come from memory, the others by SQL.
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
            let mut found = Vec::new();
            each(tx, selector, now, |person, _| found.push(person))?;
            out |= sorted(found);
        }
        Ok(out & &self.alive)
    }

    fn residents_of(&self, customers: &[i64]) -> RoaringBitmap {
        let wanted: RoaringBitmap = customers.iter().map(|customer| *customer as u32).collect();
        let here = self.home.iter().enumerate().filter(|(_, home)| wanted.contains(**home));
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

/// The residents as a process shares them.
#[derive(Debug, Default)]
pub struct Shared(RwLock<Residents>);

impl Shared {
    /// The residents, at least as new as the caller's snapshot. The first call reads everybody (half a second for a
    /// million), so it belongs on a thread for long reads.
    pub fn at<'s>(&'s self, tx: &mut Tx<'_>) -> Result<RwLockReadGuard<'s, Residents>> {
        let position: i64 = tx.one(&DIRECTORY, &[], |row| row.get(0))?;
        let residents = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if residents.position >= position {
            return Ok(residents);
        }
        drop(residents);
        let mut residents = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if residents.position < position
            && let Err(error) = residents.refresh(tx, position)
        {
            // Half of it is newer than the other half: the next reader begins anew.
            *residents = Residents::default();
            return Err(error);
        }
        drop(residents);
        Ok(self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The last revision that changed the directory: an audience at a later one is the same as now.
pub fn directory_position(tx: &mut Tx<'_>) -> Result<i64> {
    Ok(tx.one(&DIRECTORY, &[], |row| row.get(0))?)
}
