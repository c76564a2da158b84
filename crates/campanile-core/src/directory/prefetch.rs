//! Looking up many entries at once: a block of a file costs a few statements instead of a few each.
//!
//! Nothing rests on it. What it has put into [`Known`], the rules find there; what it has not, they look
//! up one by one.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use campanile_store::{Dialect, Param, Sql, sql};

use super::check::folded;
use super::edit::Edit;
use super::entry::{Entry, Membership, On, Patch};
use super::known::{self, Known, Member};
use super::made::Trace;
use crate::error::Result;
use crate::place::{ORGANIZATION, Scope, kind, place};

/// Keys in one statement.
const KEYS: usize = 64;
/// Memberships in one statement.
const MEMBERS: usize = 32;

macro_rules! keys {
    () => {
        "($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23,
         $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39, $40, $41, $42, $43, $44,
         $45, $46, $47, $48, $49, $50, $51, $52, $53, $54, $55, $56, $57, $58, $59, $60, $61, $62, $63, $64)"
    };
}

sql! {
    PEOPLE = concat!("SELECT ", known::person_state!(), " FROM person p WHERE p.key IN ", keys!());
    PERSON_IDS = concat!("SELECT key, id FROM person WHERE key IN ", keys!());
    LOGINS = concat!("SELECT login_key, id FROM person WHERE login_key IN ", keys!());
    MEMBERSHIPS = "WITH w (person, place, object, role) AS (VALUES
            (CAST($1 AS BIGINT), CAST($2 AS BIGINT), CAST($3 AS BIGINT), CAST($4 AS BIGINT)), ($5, $6, $7, $8),
            ($9, $10, $11, $12), ($13, $14, $15, $16), ($17, $18, $19, $20), ($21, $22, $23, $24),
            ($25, $26, $27, $28), ($29, $30, $31, $32), ($33, $34, $35, $36), ($37, $38, $39, $40),
            ($41, $42, $43, $44), ($45, $46, $47, $48), ($49, $50, $51, $52), ($53, $54, $55, $56),
            ($57, $58, $59, $60), ($61, $62, $63, $64), ($65, $66, $67, $68), ($69, $70, $71, $72),
            ($73, $74, $75, $76), ($77, $78, $79, $80), ($81, $82, $83, $84), ($85, $86, $87, $88),
            ($89, $90, $91, $92), ($93, $94, $95, $96), ($97, $98, $99, $100), ($101, $102, $103, $104),
            ($105, $106, $107, $108), ($109, $110, $111, $112), ($113, $114, $115, $116), ($117, $118, $119, $120),
            ($121, $122, $123, $124), ($125, $126, $127, $128))
        SELECT w.person, w.place, w.object, w.role, (SELECT m.since FROM membership m
                WHERE m.person = w.person AND m.place = w.place AND m.object = w.object AND m.role = w.role
                    AND m.until = 9223372036854775807) IS NOT NULL
        FROM w";
}

/// PostgreSQL plans a statement by the size that a table has then, and keeps the plan: in an import that begins with
/// empty tables, to read all of each for every block. Until the end of the transaction it is told not to. No statement
/// of SQLite's, so it stands apart.
static BY_INDEX: Sql = Sql::new(
    "directory::prefetch::BY_INDEX",
    "SELECT set_config('enable_seqscan', 'off', true)",
);

impl Edit<'_, '_> {
    /// Looks up together what the next entries will need.
    pub(super) fn prefetch(&mut self, entries: &[Entry]) -> Result<()> {
        if self.read()?.dialect() == Dialect::Postgres {
            self.read()?.send(&BY_INDEX, &[])?;
        }
        people(self, entries)?;
        person_ids(self, entries)?;
        memberships(self, entries)
    }
}

/// The users that entries are about, and who has their logins.
fn people(edit: &mut Edit<'_, '_>, entries: &[Entry]) -> Result<()> {
    let users = || {
        entries.iter().filter_map(|entry| match entry {
            Entry::User(user) => Some(user),
            _ => None,
        })
    };
    let wanted: BTreeSet<&str> = users()
        .filter_map(|user| user.id.as_deref())
        .filter(|key| known::is_key(key) && !edit.known.people.contains_key(*key))
        .collect();
    let (new, wanted) = sorted_out(&edit.known, wanted, Trace::User);
    edit.known
        .people
        .extend(new.into_iter().map(|key| (key.to_owned(), None)));
    for block in blocks(&wanted) {
        let found = edit.read()?.rows(&PEOPLE, &padded(&block), known::read_person)?;
        let known = &mut edit.known.people;
        known.extend(found.into_iter().map(|(key, person)| (key, Some(Arc::new(person)))));
        for key in block {
            if !known.contains_key(key) {
                known.insert(key.to_owned(), None);
            }
        }
    }
    let logins: Vec<String> = users()
        .filter(|user| user.id.as_ref().is_some_and(|key| needs_login(edit, key, &user.login)))
        .filter_map(|user| user.login.value().map(|login| folded(login)))
        .collect();
    let wanted: BTreeSet<&str> = logins
        .iter()
        .map(String::as_str)
        .filter(|login| known::is_key(login) && !edit.known.logins.contains_key(*login))
        .collect();
    let (new, wanted) = sorted_out(&edit.known, wanted, Trace::Login);
    let new = new.into_iter().map(|login| (login.to_owned(), None));
    edit.known.logins.extend(new);
    for block in blocks(&wanted) {
        let found = ids(edit, &LOGINS, &block)?;
        edit.known.logins.extend(found);
    }
    Ok(())
}

/// Whether an entry gives its user another login.
fn needs_login(edit: &Edit<'_, '_>, key: &str, login: &Patch<String>) -> bool {
    match (edit.known.people.get(key), login) {
        (Some(Some(old)), Patch::Set(login)) => old.login != *login,
        (_, Patch::Set(_)) => true,
        _ => false,
    }
}

/// The people whom entries name.
fn person_ids(edit: &mut Edit<'_, '_>, entries: &[Entry]) -> Result<()> {
    let wanted: BTreeSet<&str> = entries
        .iter()
        .filter_map(|entry| match entry {
            Entry::Membership(membership) => Some(membership.user.as_str()),
            Entry::Subscription(subscription) => subscription.subscribed_by.value().map(String::as_str),
            _ => None,
        })
        // Whoever is named and made in the same block is not there yet, and must not be remembered so.
        .filter(|key| known::is_key(key) && !edit.known.person_ids.contains_key(*key))
        .collect();
    for block in blocks(&wanted) {
        let found = ids(edit, &PERSON_IDS, &block)?;
        edit.known.person_ids.extend(found);
    }
    Ok(())
}

/// Whether the memberships that entries name hold, as far as person, place and role are known already.
fn memberships(edit: &mut Edit<'_, '_>, entries: &[Entry]) -> Result<()> {
    let mut wanted: Vec<Member> = Vec::new();
    for entry in entries {
        if let Entry::Membership(membership) = entry
            && let Some(member) = resolve(edit, membership)?
            && !edit.known.members.contains_key(&member)
        {
            if edit.known.is_new(&Trace::Member(member)) {
                edit.known.members.insert(member, false);
            } else {
                wanted.push(member);
            }
        }
    }
    for block in wanted.chunks(MEMBERS) {
        let mut params: Vec<&dyn Param> = Vec::with_capacity(MEMBERS * 4);
        let last = block.last().into_iter();
        for (person, place, object, role) in block.iter().chain(last.cycle()).take(MEMBERS) {
            params.extend([person as &dyn Param, place, object, role]);
        }
        let found = edit.read()?.rows(&MEMBERSHIPS, &params, |row| {
            Ok(((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?), row.get(4)?))
        })?;
        edit.known.members.extend(found);
    }
    Ok(())
}

/// A membership in numbers; `None` where the rule itself will say what is wrong, or look.
fn resolve(edit: &mut Edit<'_, '_>, entry: &Membership) -> Result<Option<Member>> {
    let Some(Some(person)) = edit.known.person_ids.get(&entry.user).copied() else {
        return Ok(None);
    };
    let (place, scope, kind, key) = match (&entry.on, entry.scope) {
        (On::Organization(_), _) => (place::ORGANIZATION, Scope::Organization, 0, ""),
        (On::Environment(key), _) => (place::ENVIRONMENT, Scope::Environment, kind::ENVIRONMENT, key.as_str()),
        (On::Api(key), _) => (place::API, Scope::Api, kind::API, key.as_str()),
        (On::Application(key), _) => (place::APPLICATION, Scope::Application, kind::APPLICATION, key.as_str()),
        (On::Group(key), Some(Scope::Application)) => {
            (place::GROUP_APPLICATION, Scope::Application, kind::GROUP, key.as_str())
        }
        (On::Group(key), Some(Scope::Api)) => (place::GROUP_API, Scope::Api, kind::GROUP, key.as_str()),
        (On::Group(_), _) => return Ok(None),
    };
    let Some(role) = known::role(edit, scope, &entry.role)? else {
        return Ok(None);
    };
    if kind == 0 {
        return Ok(Some((person, place, ORGANIZATION, role.id)));
    }
    let thing = known::thing(edit, kind, key)?;
    Ok(thing.map(|thing| (person, place, thing.id, role.id)))
}

/// The ids that belong to keys; those without one as well.
fn ids(edit: &mut Edit<'_, '_>, sql: &'static Sql, keys: &[&str]) -> Result<HashMap<String, Option<i64>>> {
    let mut out: HashMap<String, Option<i64>> = keys.iter().map(|key| ((*key).to_owned(), None)).collect();
    let found = edit
        .read()?
        .rows(sql, &padded(keys), |row| Ok((row.get(0)?, row.get(1)?)))?;
    out.extend(found);
    Ok(out)
}

/// Names of what has never been there, and those that have to be looked up.
fn sorted_out<'k>(
    known: &Known,
    names: BTreeSet<&'k str>,
    trace: impl Fn(&'k str) -> Trace<'k>,
) -> (BTreeSet<&'k str>, BTreeSet<&'k str>) {
    names.into_iter().partition(|name| known.is_new(&trace(name)))
}

/// As many parameters as a statement takes: the last one again and again.
fn padded<'k>(keys: &'k [&str]) -> Vec<&'k dyn Param> {
    let last = keys.last().into_iter().cycle();
    keys.iter()
        .chain(last)
        .take(KEYS)
        .map(|key| key as &dyn Param)
        .collect()
}

/// Keys, each once and in order, in as many as a statement takes.
fn blocks<'k>(keys: &BTreeSet<&'k str>) -> Vec<Vec<&'k str>> {
    let keys: Vec<&str> = keys.iter().copied().collect();
    keys.chunks(KEYS).map(<[&str]>::to_vec).collect()
}
