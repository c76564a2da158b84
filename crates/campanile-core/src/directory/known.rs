//! What an operation has looked up of the directory, and made of it: a bounded memory that is always true.
//!
//! It belongs to one revision of the directory; whoever changes something through [`Edit`] changes it here too, and
//! whoever comes later finds by the revision that somebody else was there between.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use campanile_store::{Row, Sql, sql};

use super::edit::Edit;
use super::made::{Made, Trace};
use crate::error::{Error, Result};
use crate::place::{Scope, kind};

/// People after whom what is known of them is dropped between two blocks: a file seldom comes back to them.
const PEOPLE_LIMIT: usize = 4_096;
/// As many of anything else.
const LIMIT: usize = 50_000;

/// The state of a person: what an entry is compared with. Subqueries that give a value are always run row by row;
/// for EXISTS, PostgreSQL may read a whole table instead.
macro_rules! person_state {
    () => {
        "p.key, p.id, p.login, p.name, p.email, p.locale, p.asm_role,
            (SELECT l.since FROM life l
                WHERE l.kind = 1 AND l.object = p.id AND l.until = 9223372036854775807) IS NOT NULL,
            (SELECT r.customer FROM residence r WHERE r.person = p.id AND r.until = 9223372036854775807),
            p.erased_at IS NOT NULL"
    };
}
pub(super) use person_state;

/// Finds a thing by its key; `environment` is a column or 0.
macro_rules! find_thing {
    ($table:literal, $kind:literal, $environment:literal) => {
        concat!(
            "SELECT t.id, t.name, ",
            $environment,
            ", (SELECT l.since FROM life l WHERE l.kind = ",
            $kind,
            " AND l.object = t.id AND l.until = 9223372036854775807) IS NOT NULL
            FROM ",
            $table,
            " t WHERE t.key = $1"
        )
    };
}

sql! {
    PERSON = concat!("SELECT ", person_state!(), " FROM person p WHERE p.key = $1");
    PERSON_ID = "SELECT id FROM person WHERE key = $1";
    LOGIN = "SELECT id FROM person WHERE login_key = $1";
    CUSTOMER = "SELECT c.name,
            (SELECT l.since FROM life l
                WHERE l.kind = 2 AND l.object = c.id AND l.until = 9223372036854775807) IS NOT NULL,
            (SELECT a.parent FROM parentage a WHERE a.customer = c.id AND a.until = 9223372036854775807)
        FROM customer c WHERE c.id = $1";
    ENVIRONMENT = find_thing!("environment", "3", "CAST(0 AS BIGINT)");
    GROUP = find_thing!("grp", "4", "CAST(0 AS BIGINT)");
    API = find_thing!("api", "5", "t.environment");
    APPLICATION = find_thing!("application", "6", "t.environment");
    ROLE = "SELECT id, system FROM role WHERE scope = $1 AND name = $2";
    PERMISSIONS = "SELECT permission, letters FROM role_permission WHERE role = $1 ORDER BY permission";
    MEMBER = "SELECT 1 FROM membership WHERE person = $1 AND place = $2 AND object = $3 AND role = $4
        AND until = 9223372036854775807";
    ATTACHED = "SELECT grp FROM attachment WHERE place = $1 AND object = $2 AND until = 9223372036854775807";
    SUBSCRIPTION = "SELECT s.id, s.api, s.application,
            (SELECT l.since FROM life l
                WHERE l.kind = 7 AND l.object = s.id AND l.until = 9223372036854775807) IS NOT NULL,
            t.status, t.subscriber, t.starts_at, t.ends_at
        FROM subscription s LEFT JOIN term t ON t.subscription = s.id AND t.until = 9223372036854775807
        WHERE s.key = $1";
}

/// A person as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) id: i64,
    pub(super) login: String,
    pub(super) name: String,
    pub(super) email: Option<String>,
    pub(super) locale: Option<String>,
    pub(super) asm_role: i64,
    pub(super) live: bool,
    pub(super) customer: Option<i64>,
    /// Nobody comes back from that.
    pub(super) erased: bool,
}

/// A customer as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Customer {
    pub(super) name: String,
    pub(super) live: bool,
    pub(super) parent: Option<i64>,
}

/// An environment (its own `environment` is 0), group (as well), API or application as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Thing {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) environment: i64,
    pub(super) live: bool,
}

/// A role as stored: its permissions as bits by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Role {
    pub(super) id: i64,
    pub(super) system: bool,
    pub(super) permissions: BTreeMap<String, i64>,
}

/// A subscription as stored; without a term it has been removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Subscription {
    pub(super) id: i64,
    pub(super) api: i64,
    pub(super) application: i64,
    pub(super) live: bool,
    pub(super) term: Option<Term>,
}

/// The changing side of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Term {
    pub(super) status: i64,
    pub(super) subscriber: Option<i64>,
    pub(super) starts_at: i64,
    pub(super) ends_at: i64,
}

/// Person, place, object, role.
pub(super) type Member = (i64, i64, i64, i64);

/// What an operation has looked up. `None` in it: known not to be there.
#[derive(Debug, Default)]
pub struct Known {
    /// The revision of the directory that this is true for.
    as_of: Option<i64>,
    /// Persons with a greater id were made since this began to be filled, so what is not known of them is not.
    made_above: Option<i64>,
    unreal_ids: i64,
    /// All users, logins and memberships, where there were few at first: what is not in it is not there.
    pub(super) made: Option<Made>,
    pub(super) people: HashMap<String, Option<Arc<Person>>>,
    pub(super) person_ids: HashMap<String, Option<i64>>,
    pub(super) logins: HashMap<String, Option<i64>>,
    pub(super) customers: HashMap<i64, Option<Arc<Customer>>>,
    pub(super) things: [HashMap<String, Option<Arc<Thing>>>; 4],
    pub(super) roles: HashMap<(i64, String), Option<Arc<Role>>>,
    pub(super) members: HashMap<Member, bool>,
    pub(super) attached: HashMap<(i64, i64), Vec<i64>>,
    pub(super) subscriptions: HashMap<String, Option<Arc<Subscription>>>,
}

impl Known {
    /// Itself if the directory is still at the revision that this is true for, else nothing. `last_person` is the
    /// greatest id of a person.
    pub(super) fn if_as_of(self, revision: i64, last_person: i64) -> Self {
        let mut known = if self.as_of == Some(revision) {
            self
        } else {
            Self::default()
        };
        known.as_of = Some(revision);
        known.made_above.get_or_insert(last_person);
        known
    }

    pub(super) fn set_as_of(&mut self, revision: i64) {
        self.as_of = Some(revision);
    }

    /// An id that no row has.
    pub(super) fn next_unreal_id(&mut self) -> i64 {
        self.unreal_ids -= 1;
        self.unreal_ids
    }

    /// Empties it where it has grown beyond its limits. `last_person` is the greatest id of a person.
    pub(super) fn trim(&mut self, last_person: i64) {
        if self.people.len().max(self.person_ids.len()).max(self.members.len()) > PEOPLE_LIMIT {
            self.people.clear();
            self.person_ids.clear();
            self.logins.clear();
            self.members.clear();
            self.made_above = Some(last_person);
        }
        let size = self.customers.len() + self.attached.len() + self.subscriptions.len() + self.roles.len();
        if size + self.things.iter().map(HashMap::len).sum::<usize>() > LIMIT {
            self.forget();
            self.made_above = Some(last_person);
        }
    }

    /// Empties it: after a removal that took along what was not looked at one by one. What has been made stays: of that
    /// a removal takes nothing away that would have to be missed.
    pub(super) fn forget(&mut self) {
        *self = Self {
            as_of: self.as_of,
            made: self.made.take(),
            ..Self::default()
        };
    }

    /// Whether it is known without a look that something has never been there.
    pub(super) fn is_new(&self, trace: &Trace<'_>) -> bool {
        self.made.as_ref().is_some_and(|made| !made.may_hold(trace))
    }

    /// Notes what is being made.
    pub(super) fn note(&mut self, trace: &Trace<'_>) {
        if let Some(made) = &mut self.made {
            made.put(trace);
        }
    }

    /// The things of a kind, by key.
    pub(super) fn things(&mut self, kind: i64) -> &mut HashMap<String, Option<Arc<Thing>>> {
        &mut self.things[slot(kind)]
    }
}

/// Where things of a kind stand: environment, group, API, application.
const fn slot(kind: i64) -> usize {
    (kind - kind::ENVIRONMENT) as usize & 3
}

/// Reads a row of `person_state!`: the key and the person.
pub(super) fn read_person(row: &Row<'_>) -> campanile_store::Result<(String, Person)> {
    let person = Person {
        id: row.get(1)?,
        login: row.get(2)?,
        name: row.get(3)?,
        email: row.get(4)?,
        locale: row.get(5)?,
        asm_role: row.get(6)?,
        live: row.get(7)?,
        customer: row.get(8)?,
        erased: row.get(9)?,
    };
    Ok((row.get(0)?, person))
}

/// Whether a text can be a key at all. PostgreSQL cannot even be asked for one with this character.
pub(super) fn is_key(text: &str) -> bool {
    !text.contains('\0')
}

/// A person by key.
pub(super) fn person(edit: &mut Edit<'_, '_>, key: &str) -> Result<Option<Arc<Person>>> {
    if !is_key(key) {
        return Ok(None);
    }
    if let Some(known) = edit.known.people.get(key) {
        return Ok(known.clone());
    }
    let found = edit.read()?.first(&PERSON, &[&key], read_person)?;
    let found = found.map(|(_, person)| Arc::new(person));
    edit.known.people.insert(key.to_owned(), found.clone());
    Ok(found)
}

/// Remembers a person as an entry has made it.
pub(super) fn put_person(edit: &mut Edit<'_, '_>, key: &str, person: Person) {
    let rehearsal = edit.is_rehearsal();
    let known = &mut edit.known;
    let own_key = known
        .people
        .remove_entry(key)
        .map_or_else(|| key.to_owned(), |(own, _)| own);
    let id = person.id;
    if rehearsal {
        known.people.insert(own_key.clone(), Some(Arc::new(person)));
    }
    // Who comes back to this person may ask the database: files seldom do, and this is the memory of millions.
    known.person_ids.insert(own_key, Some(id));
}

/// A person's id by key: enough for what only names a person.
pub(super) fn person_id(edit: &mut Edit<'_, '_>, key: &str) -> Result<Option<i64>> {
    if !is_key(key) {
        return Ok(None);
    }
    if let Some(known) = edit.known.person_ids.get(key) {
        return Ok(*known);
    }
    let found = edit.read()?.first(&PERSON_ID, &[&key], |row| row.get(0))?;
    edit.known.person_ids.insert(key.to_owned(), found);
    Ok(found)
}

/// Who has a login, in any case of letters.
pub(super) fn login_owner(edit: &mut Edit<'_, '_>, login_key: &str) -> Result<Option<i64>> {
    if let Some(known) = edit.known.logins.get(login_key) {
        return Ok(*known);
    }
    let found = edit.read()?.first(&LOGIN, &[&login_key], |row| row.get(0))?;
    edit.known.logins.insert(login_key.to_owned(), found);
    Ok(found)
}

/// A customer by id.
pub(super) fn customer(edit: &mut Edit<'_, '_>, id: i64) -> Result<Option<Arc<Customer>>> {
    if let Some(known) = edit.known.customers.get(&id) {
        return Ok(known.clone());
    }
    let found = edit.read()?.first(&CUSTOMER, &[&id], |row| {
        Ok(Arc::new(Customer {
            name: row.get(0)?,
            live: row.get(1)?,
            parent: row.get(2)?,
        }))
    })?;
    edit.known.customers.insert(id, found.clone());
    Ok(found)
}

/// A thing by kind and key.
pub(super) fn thing(edit: &mut Edit<'_, '_>, kind: i64, key: &str) -> Result<Option<Arc<Thing>>> {
    static FIND: [&Sql; 4] = [&ENVIRONMENT, &GROUP, &API, &APPLICATION];
    if !is_key(key) {
        return Ok(None);
    }
    if let Some(known) = edit.known.things(kind).get(key) {
        return Ok(known.clone());
    }
    let found = edit.read()?.first(FIND[slot(kind)], &[&key], |row| {
        Ok(Arc::new(Thing {
            id: row.get(0)?,
            name: row.get(1)?,
            environment: row.get(2)?,
            live: row.get(3)?,
        }))
    })?;
    edit.known.things(kind).insert(key.to_owned(), found.clone());
    Ok(found)
}

/// A thing that an entry refers to: it must be there now.
pub(super) fn live_thing(edit: &mut Edit<'_, '_>, kind: i64, key: &str, field: &str) -> Result<i64> {
    match thing(edit, kind, key)? {
        Some(found) if found.live => Ok(found.id),
        found => Err(no_such(field, kind, &key, found.is_some())),
    }
}

/// The fault of a reference to what is not there.
pub(super) fn no_such(field: &str, kind: i64, id: &dyn std::fmt::Display, was: bool) -> Error {
    let word = match kind {
        kind::PERSON => "user",
        kind::CUSTOMER => "customer",
        kind::ENVIRONMENT => "environment",
        kind::GROUP => "group",
        kind::API => "API",
        kind::APPLICATION => "application",
        _ => "subscription",
    };
    let reason = if was {
        format!("{word} {id} has been removed")
    } else {
        format!("there is no {word} {id}")
    };
    Error::field(field, reason)
}

/// A role by scope and name.
pub(super) fn role(edit: &mut Edit<'_, '_>, scope: Scope, name: &str) -> Result<Option<Arc<Role>>> {
    if !is_key(name) {
        return Ok(None);
    }
    let key = (scope.code(), name.to_owned());
    if let Some(known) = edit.known.roles.get(&key) {
        return Ok(known.clone());
    }
    let found = edit
        .read()?
        .first(&ROLE, &[&scope.code(), &name], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let found = match found {
        Some((id, system)) => {
            let permissions = edit
                .read()?
                .rows(&PERMISSIONS, &[&id], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let permissions = permissions.into_iter().collect();
            Some(Arc::new(Role {
                id,
                system,
                permissions,
            }))
        }
        None => None,
    };
    edit.known.roles.insert(key, found.clone());
    Ok(found)
}

/// Whether somebody holds a role somewhere now.
pub(super) fn is_member(edit: &mut Edit<'_, '_>, member: Member) -> Result<bool> {
    if let Some(known) = edit.known.members.get(&member) {
        return Ok(*known);
    }
    let (person, place, object, role) = member;
    // Of a person made since this memory began to be filled, everything is in it.
    let is_new = person < 0 || edit.known.made_above.is_some_and(|above| person > above);
    let found = if is_new {
        false
    } else {
        let found = edit
            .read()?
            .first(&MEMBER, &[&person, &place, &object, &role], |_| Ok(()))?;
        found.is_some()
    };
    edit.known.members.insert(member, found);
    Ok(found)
}

/// The groups attached to an API or application now.
pub(super) fn attached(edit: &mut Edit<'_, '_>, place: i64, object: i64) -> Result<Vec<i64>> {
    if let Some(known) = edit.known.attached.get(&(place, object)) {
        return Ok(known.clone());
    }
    let found = edit.read()?.rows(&ATTACHED, &[&place, &object], |row| row.get(0))?;
    edit.known.attached.insert((place, object), found.clone());
    Ok(found)
}

/// A subscription by key.
pub(super) fn subscription(edit: &mut Edit<'_, '_>, key: &str) -> Result<Option<Arc<Subscription>>> {
    if !is_key(key) {
        return Ok(None);
    }
    if let Some(known) = edit.known.subscriptions.get(key) {
        return Ok(known.clone());
    }
    let found = edit.read()?.first(&SUBSCRIPTION, &[&key], |row| {
        let status: Option<i64> = row.get(4)?;
        let term = match status {
            Some(status) => Some(Term {
                status,
                subscriber: row.get(5)?,
                starts_at: row.get(6)?,
                ends_at: row.get(7)?,
            }),
            None => None,
        };
        Ok(Arc::new(Subscription {
            id: row.get(0)?,
            api: row.get(1)?,
            application: row.get(2)?,
            live: row.get(3)?,
            term,
        }))
    })?;
    edit.known.subscriptions.insert(key.to_owned(), found.clone());
    Ok(found)
}
