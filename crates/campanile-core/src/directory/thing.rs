//! Environments, groups, APIs and applications: what has a key, a name and a life; and the groups attached to an API or
//! application.

use campanile_store::{Param, Sql, sql};

use super::check::{self, folded};
use super::edit::Edit;
use super::entry::{Environment, Group, Patch};
use super::known::{self, Thing};
use super::person::needed;
use super::{Applied, fact};
use crate::error::{Error, Faults, Result};
use crate::place::kind;
use crate::revision::tally;

sql! {
    INSERT_ENVIRONMENT = "INSERT INTO environment (id, key, name) VALUES ($1, $2, $3)";
    INSERT_GROUP = "INSERT INTO grp (id, key, name, name_key) VALUES ($1, $2, $3, $4)";
    INSERT_API = "INSERT INTO api (id, key, name, name_key, environment) VALUES ($1, $2, $3, $4, $5)";
    INSERT_APPLICATION = "INSERT INTO application (id, key, name, name_key, environment) VALUES ($1, $2, $3, $4, $5)";
    RENAME_ENVIRONMENT = "UPDATE environment SET name = $2 WHERE id = $1";
    RENAME_GROUP = "UPDATE grp SET name = $2, name_key = $3 WHERE id = $1";
    RENAME_API = "UPDATE api SET name = $2, name_key = $3 WHERE id = $1";
    RENAME_APPLICATION = "UPDATE application SET name = $2, name_key = $3 WHERE id = $1";
}

/// Makes an environment so.
pub(super) fn environment(edit: &mut Edit<'_, '_>, entry: &Environment) -> Result<Applied> {
    let key = check::id(entry.id.as_ref())?;
    plain(edit, kind::ENVIRONMENT, key, &entry.name)
}

/// Makes a group so.
pub(super) fn group(edit: &mut Edit<'_, '_>, entry: &Group) -> Result<Applied> {
    let key = check::id(entry.id.as_ref())?;
    plain(edit, kind::GROUP, key, &entry.name)
}

/// What has nothing but a name.
fn plain(edit: &mut Edit<'_, '_>, kind: i64, key: &str, name: &Patch<String>) -> Result<Applied> {
    let old = known::thing(edit, kind, key)?;
    let mut faults = Faults::default();
    let name = needed(&mut faults, "name", name, old.as_ref().map(|old| &old.name));
    faults.finish()?;
    let (_, applied) = put(edit, kind, key, old.as_deref(), name, 0)?;
    Ok(applied)
}

/// Makes an API or application so, with its groups.
pub(super) fn api_or_application(
    edit: &mut Edit<'_, '_>,
    kind: i64,
    id: Option<&String>,
    name: &Patch<String>,
    environment: &Patch<String>,
    groups: &Patch<Vec<String>>,
) -> Result<Applied> {
    let key = check::id(id)?;
    let old = known::thing(edit, kind, key)?;
    let mut faults = Faults::default();
    let name = needed(&mut faults, "name", name, old.as_ref().map(|old| &old.name));
    faults.finish()?;
    let environment = home(edit, environment, old.as_deref())?;
    let groups = resolve(edit, groups)?;
    let (object, applied) = put(edit, kind, key, old.as_deref(), name, environment)?;
    // APIs and applications are places 3 and 4, two less than their kinds.
    let place = kind - 2;
    match groups {
        Some(groups) if attach(edit, place, object, &groups)? && applied == Applied::Unchanged => Ok(Applied::Changed),
        _ => Ok(applied),
    }
}

/// The environment of an API or application; where it is once, there it stays.
fn home(edit: &mut Edit<'_, '_>, given: &Patch<String>, old: Option<&Thing>) -> Result<i64> {
    let key = match (given, old) {
        (Patch::Set(key), _) => key,
        (Patch::Absent, Some(old)) => return Ok(old.environment),
        (Patch::Absent, None) => return Err(Error::field("environment", "is needed for what is not there yet")),
        (Patch::Null, _) => return Err(Error::field("environment", "cannot be null")),
    };
    let id = known::live_thing(edit, kind::ENVIRONMENT, key, "environment")?;
    match old {
        Some(old) if old.environment != id => Err(Error::field("environment", "cannot change")),
        _ => Ok(id),
    }
}

/// The ids of the groups named, or `None` where they stay as they are.
fn resolve(edit: &mut Edit<'_, '_>, groups: &Patch<Vec<String>>) -> Result<Option<Vec<i64>>> {
    let keys = match groups {
        Patch::Absent => return Ok(None),
        Patch::Null => return Ok(Some(Vec::new())),
        Patch::Set(keys) => keys,
    };
    if keys.len() > check::GROUPS_LIMIT {
        return Err(Error::field("groups", format!("at most {}", check::GROUPS_LIMIT)));
    }
    let mut ids = Vec::with_capacity(keys.len());
    for (at, key) in keys.iter().enumerate() {
        let id = known::live_thing(edit, kind::GROUP, key, &format!("groups[{at}]"))?;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    Ok(Some(ids))
}

/// Attaches exactly these groups; says whether that was a change.
fn attach(edit: &mut Edit<'_, '_>, place: i64, object: i64, wanted: &[i64]) -> Result<bool> {
    let present = known::attached(edit, place, object)?;
    let mut changed = false;
    for group in present.iter().filter(|at| !wanted.contains(at)) {
        fact::end(edit, &fact::ATTACHMENT, &[group, &place, &object])?;
        changed = true;
    }
    for group in wanted.iter().filter(|at| !present.contains(at)) {
        fact::begin(edit, &fact::ATTACHMENT, &[group, &place, &object])?;
        changed = true;
    }
    if changed {
        edit.known.attached.insert((place, object), wanted.to_vec());
    }
    Ok(changed)
}

/// Writes a thing where it is new, gone or named otherwise; its number and what that came to.
fn put(
    edit: &mut Edit<'_, '_>,
    kind: i64,
    key: &str,
    old: Option<&Thing>,
    name: String,
    environment: i64,
) -> Result<(i64, Applied)> {
    let (insert, rename): (&'static Sql, &'static Sql) = match kind {
        kind::ENVIRONMENT => (&INSERT_ENVIRONMENT, &RENAME_ENVIRONMENT),
        kind::GROUP => (&INSERT_GROUP, &RENAME_GROUP),
        kind::API => (&INSERT_API, &RENAME_API),
        _ => (&INSERT_APPLICATION, &RENAME_APPLICATION),
    };
    let (id, applied) = match old {
        Some(old) if old.live && old.name == name => return Ok((old.id, Applied::Unchanged)),
        Some(old) => (old.id, if old.live { Applied::Changed } else { Applied::Created }),
        None => {
            edit.stamp()?;
            (edit.next_id(tally::THING)?, Applied::Created)
        }
    };
    edit.stamp()?;
    let name_key = folded(&name);
    // An environment has no folded name, and only APIs and applications have an environment.
    if old.is_none() {
        let params: [&dyn Param; 5] = [&id, &key, &name, &name_key, &environment];
        let count = match kind {
            kind::ENVIRONMENT => 3,
            kind::GROUP => 4,
            _ => 5,
        };
        edit.send(insert, &params[..count])?;
    } else {
        let params: [&dyn Param; 3] = [&id, &name, &name_key];
        edit.send(rename, &params[..if kind == kind::ENVIRONMENT { 2 } else { 3 }])?;
    }
    if applied == Applied::Created {
        fact::begin(edit, &fact::LIFE, &[&kind, &id])?;
    }
    if old.is_none() && environment != 0 {
        edit.known.attached.insert((kind - 2, id), Vec::new());
    }
    let thing = Thing {
        id,
        name,
        environment,
        live: true,
    };
    edit.known.things(kind).insert(key.to_owned(), Some(thing.into()));
    Ok((id, applied))
}
