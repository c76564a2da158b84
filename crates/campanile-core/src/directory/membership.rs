//! Memberships: a person holds a role somewhere.

use campanile_store::sql;

use super::edit::Edit;
use super::entry::{Membership as Entry, On};
use super::known::{self, Member};
use super::made::Trace;
use super::{Applied, fact};
use crate::error::{Error, Result};
use crate::place::{ORGANIZATION, ORGANIZATION_ADMIN, Scope, kind, place};

sql! {
    // Those who are in the directory and hold ADMIN of scope ORGANIZATION, but one.
    OTHER_ADMINISTRATORS = "SELECT m.person FROM membership m CROSS JOIN life l
        WHERE m.place = 1 AND m.object = 1 AND m.role = 1 AND m.person <> $1 AND m.until = 9223372036854775807
            AND l.kind = 1 AND l.object = m.person AND l.until = 9223372036854775807
        LIMIT 100";
}

/// Where a membership is: the field of the entry, the place, its kind of thing (0: the organization) and its key.
struct Site<'e> {
    field: &'static str,
    place: i64,
    kind: i64,
    key: &'e str,
    scope: Scope,
}

/// Makes somebody hold a role.
pub(super) fn apply(edit: &mut Edit<'_, '_>, entry: &Entry) -> Result<Applied> {
    let at = locate(&entry.on, entry.scope)?;
    let person = person(edit, entry)?;
    let object = if at.kind == 0 {
        ORGANIZATION
    } else {
        known::live_thing(edit, at.kind, at.key, at.field)?
    };
    let role = role(edit, entry, at.scope)?;
    let member: Member = (person, at.place, object, role);
    if known::is_member(edit, member)? {
        return Ok(Applied::Unchanged);
    }
    fact::begin_soon(edit, &fact::MEMBERSHIP, &[person, at.place, object, role])?;
    edit.known.note(&Trace::Member(member));
    edit.known.members.insert(member, true);
    Ok(Applied::Created)
}

/// Ends it, if it holds.
pub(super) fn remove(edit: &mut Edit<'_, '_>, entry: &Entry) -> Result<Applied> {
    let at = locate(&entry.on, entry.scope)?;
    let person = person(edit, entry)?;
    let object = if at.kind == 0 {
        ORGANIZATION
    } else {
        match known::thing(edit, at.kind, at.key)? {
            // Its memberships have ended with it.
            Some(thing) if !thing.live => return Ok(Applied::Unchanged),
            Some(thing) => thing.id,
            None => return Err(known::no_such(at.field, at.kind, &at.key, false)),
        }
    };
    let role = role(edit, entry, at.scope)?;
    let member: Member = (person, at.place, object, role);
    if !known::is_member(edit, member)? {
        return Ok(Applied::Unchanged);
    }
    let is_there = known::person(edit, &entry.user)?.is_some_and(|person| person.live);
    if is_there && member == administrator(person) {
        keep_one_administrator(edit, person, "user")?;
    }
    fact::end(edit, &fact::MEMBERSHIP, &[&person, &at.place, &object, &role])?;
    edit.known.members.insert(member, false);
    Ok(Applied::Changed)
}

/// What makes a person an administrator of everything.
const fn administrator(person: i64) -> Member {
    (person, place::ORGANIZATION, ORGANIZATION, ORGANIZATION_ADMIN.0)
}

/// Refuses what would leave nobody who may administer: that could not be mended from inside.
fn keep_one_administrator(edit: &mut Edit<'_, '_>, leaving: i64, field: &str) -> Result<()> {
    let mut others: Vec<i64> = edit
        .read()?
        .rows(&OTHER_ADMINISTRATORS, &[&leaving], |row| row.get(0))?;
    // A rehearsal has written nothing; what its lines would do is remembered.
    if edit.is_rehearsal() {
        for (member, holds) in &edit.known.members {
            if *member == administrator(member.0) && member.0 != leaving {
                others.retain(|other| *other != member.0);
                others.extend(holds.then_some(member.0));
            }
        }
        let gone = edit.known.people.values().flatten().filter(|person| !person.live);
        for person in gone {
            others.retain(|other| *other != person.id);
        }
    }
    if others.is_empty() {
        let reason = "nobody else is an administrator of the organization; make somebody else one first";
        return Err(Error::field(field, reason));
    }
    Ok(())
}

/// Before a person is deactivated: see [`keep_one_administrator`].
pub(super) fn leaves(edit: &mut Edit<'_, '_>, person: i64) -> Result<()> {
    if known::is_member(edit, administrator(person))? {
        keep_one_administrator(edit, person, "id")?;
    }
    Ok(())
}

/// The person: also one who was deactivated, since that ends no membership.
fn person(edit: &mut Edit<'_, '_>, entry: &Entry) -> Result<i64> {
    let found = known::person_id(edit, &entry.user)?;
    found.ok_or_else(|| known::no_such("user", kind::PERSON, &entry.user, false))
}

fn role(edit: &mut Edit<'_, '_>, entry: &Entry, scope: Scope) -> Result<i64> {
    let found = known::role(edit, scope, &entry.role)?;
    let missing = || {
        Error::field(
            "role",
            format!("there is no role {} of scope {}", entry.role, scope.name()),
        )
    };
    Ok(found.ok_or_else(missing)?.id)
}

fn locate(on: &On, scope: Option<Scope>) -> Result<Site<'_>> {
    let (field, own_scope, kind, key) = match on {
        On::Organization(key) => ("on.organization", Scope::Organization, 0, key),
        On::Environment(key) => ("on.environment", Scope::Environment, kind::ENVIRONMENT, key),
        On::Api(key) => ("on.api", Scope::Api, kind::API, key),
        On::Application(key) => ("on.application", Scope::Application, kind::APPLICATION, key),
        On::Group(key) => return group(key, scope),
    };
    if kind == 0 && key != "DEFAULT" {
        return Err(Error::field(field, "there is one organization, DEFAULT"));
    }
    if scope.is_some_and(|scope| scope != own_scope) {
        let why = format!("a role there is of scope {}; it may be left out", own_scope.name());
        return Err(Error::field("scope", why));
    }
    Ok(Site {
        field,
        // Places are numbered as the scopes of their roles.
        place: own_scope.code(),
        kind,
        key,
        scope: own_scope,
    })
}

fn group(key: &str, scope: Option<Scope>) -> Result<Site<'_>> {
    let (place, scope) = match scope {
        Some(Scope::Application) => (place::GROUP_APPLICATION, Scope::Application),
        Some(Scope::Api) => (place::GROUP_API, Scope::Api),
        Some(_) => return Err(Error::field("scope", "must be API or APPLICATION on a group")),
        None => return Err(Error::field("scope", "is needed on a group: API or APPLICATION")),
    };
    Ok(Site {
        field: "on.group",
        place,
        kind: kind::GROUP,
        key,
        scope,
    })
}
