//! Subscriptions: what an application has to an API, and the terms that follow one another.

use std::sync::Arc;

use campanile_store::sql;

use super::check;
use super::edit::Edit;
use super::entry::{Patch, Subscription as Entry};
use super::known::{self, Subscription, Term};
use super::{Applied, fact};
use crate::error::{Error, Result};
use crate::place::kind;
use crate::revision::tally;
use crate::time::{Moment, OPEN};

sql! {
    INSERT = "INSERT INTO subscription (id, key, api, application) VALUES ($1, $2, $3, $4)";
}

/// Makes a subscription so. A change of status, subscriber, start or end ends its term and begins the next. One that
/// was removed comes back as new: what is left out then has its default.
pub(super) fn apply(edit: &mut Edit<'_, '_>, entry: &Entry) -> Result<Applied> {
    let key = check::id(entry.id.as_ref())?;
    let old = known::subscription(edit, key)?;
    let live = old.as_ref().is_some_and(|old| old.live);
    let api = end_of(
        edit,
        "api",
        kind::API,
        &entry.api,
        old.as_ref().map(|old| old.api),
        live,
    )?;
    let was = old.as_ref().map(|old| old.application);
    let application = end_of(edit, "application", kind::APPLICATION, &entry.application, was, live)?;
    let was = old.as_ref().and_then(|old| old.term);
    let term = merged(edit, entry, was)?;
    match old {
        Some(old) if was == Some(term) && old.live => return Ok(Applied::Unchanged),
        Some(old) => begin(edit, key, &old, term),
        None => {
            edit.stamp()?;
            let id = edit.next_id(tally::THING)?;
            edit.send(&INSERT, &[&id, &key, &api, &application])?;
            let new = Subscription {
                id,
                api,
                application,
                live: false,
                term: None,
            };
            begin(edit, key, &Arc::new(new), term)
        }
    }?;
    Ok(if live { Applied::Changed } else { Applied::Created })
}

/// The API or application: given, and the same for ever.
fn end_of(
    edit: &mut Edit<'_, '_>,
    field: &str,
    kind: i64,
    given: &Patch<String>,
    was: Option<i64>,
    live: bool,
) -> Result<i64> {
    match (given, was) {
        (Patch::Null, _) => Err(Error::field(field, "cannot be null")),
        (Patch::Absent, None) => Err(Error::field(field, "is needed for what is not there yet")),
        // What was removed may not come back to something that is gone.
        (Patch::Absent, Some(_)) if !live => Err(Error::field(field, "is needed for what was removed")),
        (Patch::Absent, Some(was)) => Ok(was),
        (Patch::Set(key), was) => {
            let id = known::live_thing(edit, kind, key, field)?;
            match was {
                Some(was) if was != id => Err(Error::field(field, "cannot change")),
                _ => Ok(id),
            }
        }
    }
}

/// The term after the entry.
fn merged(edit: &mut Edit<'_, '_>, entry: &Entry, was: Option<Term>) -> Result<Term> {
    let status = match (entry.status, was) {
        (Patch::Set(status), _) => status.code(),
        (Patch::Absent, Some(was)) => was.status,
        (Patch::Absent, None) => return Err(Error::field("status", "is needed for what is not there yet")),
        (Patch::Null, _) => return Err(Error::field("status", "cannot be null")),
    };
    let subscriber = match &entry.subscribed_by {
        Patch::Absent => was.and_then(|was| was.subscriber),
        Patch::Null => None,
        Patch::Set(key) => {
            let found = known::person_id(edit, key)?;
            Some(found.ok_or_else(|| known::no_such("subscribed_by", kind::PERSON, key, false))?)
        }
    };
    let starts_at = time(entry.starting_at, was.map(|was| was.starts_at), 0);
    let ends_at = time(entry.ending_at, was.map(|was| was.ends_at), OPEN);
    if starts_at >= ends_at {
        return Err(Error::field("starting_at", "must be before ending_at"));
    }
    Ok(Term {
        status,
        subscriber,
        starts_at,
        ends_at,
    })
}

fn time(given: Patch<Moment>, was: Option<i64>, none: i64) -> i64 {
    match given {
        Patch::Absent => was.unwrap_or(none),
        Patch::Null => none,
        Patch::Set(at) => at.0,
    }
}

fn begin(edit: &mut Edit<'_, '_>, key: &str, old: &Subscription, term: Term) -> Result<()> {
    if old.term.is_some() {
        fact::end(edit, &fact::TERM, &[&old.id])?;
    }
    if !old.live {
        fact::begin(edit, &fact::LIFE, &[&kind::SUBSCRIPTION, &old.id])?;
    }
    let Term {
        status,
        subscriber,
        starts_at,
        ends_at,
    } = term;
    fact::begin(
        edit,
        &fact::TERM,
        &[
            &old.id,
            &old.api,
            &old.application,
            &status,
            &subscriber,
            &starts_at,
            &ends_at,
        ],
    )?;
    let new = Subscription {
        live: true,
        term: Some(term),
        ..old.clone()
    };
    edit.known.subscriptions.insert(key.to_owned(), Some(new.into()));
    Ok(())
}
