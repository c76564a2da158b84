//! A change of the directory with its row in the journal: what one entry finds, and what it leaves.

use campanile_store::Tx;
use serde_json::{Map, Value, json};

use super::{Action, By, Deed, Kind, MASK, record_at};
use crate::directory::entry::{Patch, Removal};
use crate::directory::{self, Applied, Entry, list};
use crate::error::{Error, Result};
use crate::revision;
use crate::time::Moment;

/// Makes one entry true, and notes it where it changes something. Not for the lines of a file: that is one row for all
/// of them.
///
/// # Errors
/// As [`directory::apply`].
pub fn apply(tx: &mut Tx<'_>, by: &By, entry: &Entry, now: Moment) -> Result<Applied> {
    apply_with(tx, by, entry, Map::new(), now)
}

/// As [`apply`], with what is said beside the directory of something new.
///
/// # Errors
/// As [`apply`].
pub fn apply_with(tx: &mut Tx<'_>, by: &By, entry: &Entry, more: Map<String, Value>, now: Moment) -> Result<Applied> {
    let (kind, object) = named(entry);
    let before = shown(tx, entry)?;
    let applied = directory::apply(tx, entry, now)?;
    if applied == Applied::Unchanged {
        return Ok(applied);
    }
    let mut after = shown(tx, entry)?;
    let (mut before, is_end) = (before, matches!(entry, Entry::Remove(_)));
    match entry {
        // It has no page of its own: what was said is what there is, or was.
        Entry::Membership(said) => after = serde_json::to_value(said).ok(),
        Entry::Remove(Removal::Membership(said)) => before = serde_json::to_value(said).ok(),
        Entry::User(user) => after = after.map(|after| with_password(after, &user.password_hash)),
        _ => {}
    }
    if let Some(Value::Object(after)) = &mut after {
        after.extend(more);
    }
    let action = match applied {
        _ if is_end => Action::Ended,
        Applied::Created => Action::Created,
        Applied::Changed | Applied::Unchanged => Action::Changed,
    };
    let deed = Deed {
        before,
        after,
        ..Deed::new(action, kind, object)
    };
    let stamp = revision::taken(tx)?;
    record_at(tx, by, &deed, stamp)?;
    Ok(applied)
}

/// That a password was set, or taken away: [`prepare`](directory::prepare) has hashed it.
fn with_password<T>(mut after: Value, password: &Patch<T>) -> Value {
    match password {
        Patch::Absent => {}
        Patch::Null => after["password"] = Value::Null,
        Patch::Set(_) => after["password"] = json!(MASK),
    }
    after
}

/// What an entry is about: a kind, and its id outside.
fn named(entry: &Entry) -> (Kind, String) {
    let text = |id: &Option<String>| id.clone().unwrap_or_default();
    match entry {
        Entry::Customer(it) => (Kind::Customer, it.id.unwrap_or_default().to_string()),
        Entry::Environment(it) => (Kind::Environment, text(&it.id)),
        Entry::User(it) => (Kind::User, text(&it.id)),
        Entry::Role(it) => (Kind::Role, format!("{}/{}", it.scope.name(), it.name)),
        Entry::Group(it) => (Kind::Group, text(&it.id)),
        Entry::Api(it) => (Kind::Api, text(&it.id)),
        Entry::Application(it) => (Kind::Application, text(&it.id)),
        Entry::Subscription(it) => (Kind::Subscription, text(&it.id)),
        Entry::Membership(it) => (Kind::Membership, it.user.clone()),
        Entry::Remove(removal) => match removal {
            Removal::Membership(it) => (Kind::Membership, it.user.clone()),
            Removal::User(it) => (Kind::User, it.id.clone()),
            Removal::Group(it) => (Kind::Group, it.id.clone()),
            Removal::Api(it) => (Kind::Api, it.id.clone()),
            Removal::Application(it) => (Kind::Application, it.id.clone()),
            Removal::Subscription(it) => (Kind::Subscription, it.id.clone()),
            Removal::Customer(it) => (Kind::Customer, it.id.to_string()),
            Removal::Environment(it) => (Kind::Environment, it.id.clone()),
            Removal::Role(it) => (Kind::Role, format!("{}/{}", it.scope.name(), it.name)),
        },
    }
}

/// What an entry is about, as the API shows it now; `None` where it is not there.
fn shown(tx: &mut Tx<'_>, entry: &Entry) -> Result<Option<Value>> {
    let (kind, id) = named(entry);
    if id.contains('\0') {
        // No id holds one, and PostgreSQL cannot even be asked.
        return Ok(None);
    }
    let found = match kind {
        Kind::Customer => list::customer(tx, id.parse().unwrap_or_default()).map(|it| json!(it)),
        Kind::User => list::user(tx, &id).map(|it| json!(it)),
        Kind::Environment => list::thing(tx, list::Kind::Environment, &id).map(|it| json!(it)),
        Kind::Group => list::thing(tx, list::Kind::Group, &id).map(|it| json!(it)),
        Kind::Api => list::thing(tx, list::Kind::Api, &id).map(|it| json!(it)),
        Kind::Application => list::thing(tx, list::Kind::Application, &id).map(|it| json!(it)),
        Kind::Subscription => list::subscription(tx, &id).map(|it| json!(it)),
        Kind::Role => match entry {
            Entry::Role(it) => list::role(tx, it.scope, &it.name).map(|it| json!(it)),
            Entry::Remove(Removal::Role(it)) => list::role(tx, it.scope, &it.name).map(|it| json!(it)),
            _ => return Ok(None),
        },
        _ => return Ok(None),
    };
    match found {
        Ok(value) => Ok(Some(value)),
        Err(Error::Missing(_)) => Ok(None),
        Err(other) => Err(other),
    }
}
