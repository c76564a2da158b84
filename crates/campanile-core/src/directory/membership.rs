//! Memberships: a person holds a role somewhere.

use super::edit::Edit;
use super::entry::{Membership as Entry, On};
use super::known::{self, Member};
use super::made::Trace;
use super::{Applied, fact};
use crate::error::{Error, Result};
use crate::place::{ORGANIZATION, Scope, kind, place};

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
    fact::end(edit, &fact::MEMBERSHIP, &[&person, &at.place, &object, &role])?;
    edit.known.members.insert(member, false);
    Ok(Applied::Changed)
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
