//! Roles: names with permissions. Those of the contract cannot change (decision 14); they have no history.

use std::collections::BTreeMap;

use campanile_store::sql;

use super::Applied;
use super::check;
use super::edit::Edit;
use super::entry::{Patch, Role as Entry, RoleOnly};
use super::known::{self, Role};
use crate::error::{Error, Faults, Result};
use crate::revision::tally;

sql! {
    INSERT = "INSERT INTO role (id, scope, name, system) VALUES ($1, $2, $3, FALSE)";
    PERMIT = "INSERT INTO role_permission (role, permission, letters) VALUES ($1, $2, $3)";
    FORBID = "DELETE FROM role_permission WHERE role = $1";
    REMOVE = "DELETE FROM role WHERE id = $1";
    // Whether anybody ever held it, or a message names it. Both by an index of roles of one's own, whose ids are above
    // those of the system's.
    IS_HELD = "SELECT 1 FROM membership WHERE role = $1 AND role > 1000 LIMIT 1";
    IS_NAMED = "SELECT 1 FROM audience WHERE role = $1 AND role > 1000 AND kind IN (1, 2) LIMIT 1";
}

/// Makes a role so. A system role may be said again, whole or in part.
pub(super) fn apply(edit: &mut Edit<'_, '_>, entry: &Entry) -> Result<Applied> {
    let mut faults = Faults::default();
    check::name(&mut faults, "name", &entry.name);
    let wanted = match &entry.permissions {
        Patch::Absent => None,
        Patch::Null => Some(BTreeMap::new()),
        Patch::Set(given) => Some(check::permissions(&mut faults, given)),
    };
    faults.finish()?;
    let old = known::role(edit, entry.scope, &entry.name)?;
    let applied = match (&old, &wanted) {
        (Some(_), None) => return Ok(Applied::Unchanged),
        (Some(old), Some(wanted)) if old.system => return system(entry, old, wanted),
        (Some(old), Some(wanted)) if old.permissions == *wanted => return Ok(Applied::Unchanged),
        (Some(_), Some(_)) => Applied::Changed,
        (None, _) => Applied::Created,
    };
    edit.stamp()?;
    let id = if let Some(old) = old {
        edit.send(&FORBID, &[&old.id])?;
        old.id
    } else {
        let id = edit.next_id(tally::THING)?;
        edit.send(&INSERT, &[&id, &entry.scope.code(), &entry.name])?;
        id
    };
    let permissions = wanted.unwrap_or_default();
    for (permission, letters) in &permissions {
        edit.send(&PERMIT, &[&id, permission, letters])?;
    }
    let role = Role {
        id,
        system: false,
        permissions,
    };
    let key = (entry.scope.code(), entry.name.clone());
    edit.known.roles.insert(key, Some(role.into()));
    Ok(applied)
}

/// A system role is as it is; an entry that says no more than that is no fault.
fn system(entry: &Entry, old: &Role, wanted: &BTreeMap<String, i64>) -> Result<Applied> {
    let has = |name: &String, letters: i64| old.permissions.get(name).is_some_and(|has| has & letters == letters);
    match wanted.iter().find(|(name, letters)| !has(name, **letters)) {
        None => Ok(Applied::Unchanged),
        Some((name, _)) => Err(Error::field(
            "permissions",
            format!(
                "{} of scope {} is a system role and cannot change; it has not {name} with these letters",
                entry.name,
                entry.scope.name()
            ),
        )),
    }
}

/// Removes a role of one's own that was never used: it leaves no trace, so one that is not there is no fault.
pub(super) fn remove(edit: &mut Edit<'_, '_>, entry: &RoleOnly) -> Result<Applied> {
    let Some(old) = known::role(edit, entry.scope, &entry.name)? else {
        return Ok(Applied::Unchanged);
    };
    let refusal = if old.system {
        Some("is a system role, so it stays")
    } else if edit.read()?.first(&IS_HELD, &[&old.id], |_| Ok(()))?.is_some() {
        Some("is or was held by somebody, so it stays")
    } else if edit.read()?.first(&IS_NAMED, &[&old.id], |_| Ok(()))?.is_some() {
        Some("is named by a message, so it stays")
    } else {
        None
    };
    if let Some(why) = refusal {
        return Err(Error::field("name", why));
    }
    edit.stamp()?;
    // The permissions go with it by the schema's own rule.
    edit.send(&REMOVE, &[&old.id])?;
    let key = (entry.scope.code(), entry.name.clone());
    edit.known.roles.insert(key, None);
    Ok(Applied::Changed)
}
