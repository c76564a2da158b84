//! The end of things: what goes with them, and what keeps them.

use std::sync::Arc;

use campanile_store::{Param, Sql, sql};

use super::edit::Edit;
use super::entry::Removal;
use super::known::{self, Thing};
use super::{Applied, customer, fact, role};
use crate::account::{session, token};
use crate::error::{Error, Result};
use crate::id::PersonId;
use crate::place::{DEFAULT_ENVIRONMENT, kind, place};
use crate::time::Stamp;

/// The statements that undo and end the facts of a table that a condition on $1 names; the revision and its time are
/// the next two parameters.
macro_rules! all {
    (undo $table:literal $($condition:tt)+) => {
        concat!("DELETE FROM ", $table, " WHERE ", $($condition)+,
            " AND since = $2 AND until = 9223372036854775807")
    };
    (end $table:literal $($condition:tt)+) => {
        concat!("UPDATE ", $table, " SET until = $2, until_at = $3 WHERE ", $($condition)+,
            " AND until = 9223372036854775807")
    };
}

sql! {
    // The ticket goes too: another serial number, and no hash.
    LEAVE = "UPDATE person SET changed = $2, ticket_serial = ticket_serial + 1, ticket_hash = NULL WHERE id = $1";
    HAS_CHILD = "SELECT 1 FROM parentage WHERE parent = $1 AND until = 9223372036854775807 LIMIT 1";
    HAS_RESIDENT = "SELECT 1 FROM residence r WHERE r.customer = $1 AND r.until = 9223372036854775807
        AND EXISTS (SELECT 1 FROM life l
            WHERE l.kind = 1 AND l.object = r.person AND l.until = 9223372036854775807) LIMIT 1";
    TOUCH_RESIDENTS = "UPDATE person SET changed = $2 WHERE id IN
        (SELECT person FROM residence WHERE customer = $1 AND until = 9223372036854775807)";
    RESIDENTS_UNDO = all!(undo "residence" "customer = $1");
    RESIDENTS_END = all!(end "residence" "customer = $1");
    HAS_API = "SELECT 1 FROM api t WHERE t.environment = $1 AND EXISTS (SELECT 1 FROM life l
        WHERE l.kind = 5 AND l.object = t.id AND l.until = 9223372036854775807) LIMIT 1";
    HAS_APPLICATION = "SELECT 1 FROM application t WHERE t.environment = $1 AND EXISTS (SELECT 1 FROM life l
        WHERE l.kind = 6 AND l.object = t.id AND l.until = 9223372036854775807) LIMIT 1";

    ENVIRONMENT_MEMBERS_UNDO = all!(undo "membership" "place = 2 AND object = $1");
    ENVIRONMENT_MEMBERS_END = all!(end "membership" "place = 2 AND object = $1");
    API_MEMBERS_UNDO = all!(undo "membership" "place = 3 AND object = $1");
    API_MEMBERS_END = all!(end "membership" "place = 3 AND object = $1");
    APPLICATION_MEMBERS_UNDO = all!(undo "membership" "place = 4 AND object = $1");
    APPLICATION_MEMBERS_END = all!(end "membership" "place = 4 AND object = $1");
    GROUP_MEMBERS_UNDO = all!(undo "membership" "place IN (5, 6) AND object = $1");
    GROUP_MEMBERS_END = all!(end "membership" "place IN (5, 6) AND object = $1");
    API_GROUPS_UNDO = all!(undo "attachment" "place = 3 AND object = $1");
    API_GROUPS_END = all!(end "attachment" "place = 3 AND object = $1");
    APPLICATION_GROUPS_UNDO = all!(undo "attachment" "place = 4 AND object = $1");
    APPLICATION_GROUPS_END = all!(end "attachment" "place = 4 AND object = $1");
    GROUP_ATTACHMENTS_UNDO = all!(undo "attachment" "grp = $1");
    GROUP_ATTACHMENTS_END = all!(end "attachment" "grp = $1");
    API_TERMS_UNDO = all!(undo "term" "subscription IN (SELECT id FROM subscription WHERE api = $1)");
    API_TERMS_END = all!(end "term" "subscription IN (SELECT id FROM subscription WHERE api = $1)");
    APPLICATION_TERMS_UNDO = all!(undo "term" "subscription IN (SELECT id FROM subscription WHERE application = $1)");
    APPLICATION_TERMS_END = all!(end "term" "subscription IN (SELECT id FROM subscription WHERE application = $1)");
    API_LIVES_UNDO = all!(undo "life" "kind = 7 AND object IN (SELECT id FROM subscription WHERE api = $1)");
    API_LIVES_END = all!(end "life" "kind = 7 AND object IN (SELECT id FROM subscription WHERE api = $1)");
    APPLICATION_LIVES_UNDO = all!(undo "life"
        "kind = 7 AND object IN (SELECT id FROM subscription WHERE application = $1)");
    APPLICATION_LIVES_END = all!(end "life"
        "kind = 7 AND object IN (SELECT id FROM subscription WHERE application = $1)");
}

/// What ends with a thing: pairs of statements.
type Along = &'static [(&'static Sql, &'static Sql)];

static WITH_ENVIRONMENT: Along = &[(&ENVIRONMENT_MEMBERS_UNDO, &ENVIRONMENT_MEMBERS_END)];
static WITH_GROUP: Along = &[
    (&GROUP_MEMBERS_UNDO, &GROUP_MEMBERS_END),
    (&GROUP_ATTACHMENTS_UNDO, &GROUP_ATTACHMENTS_END),
];
static WITH_API: Along = &[
    (&API_MEMBERS_UNDO, &API_MEMBERS_END),
    (&API_GROUPS_UNDO, &API_GROUPS_END),
    (&API_TERMS_UNDO, &API_TERMS_END),
    (&API_LIVES_UNDO, &API_LIVES_END),
];
static WITH_APPLICATION: Along = &[
    (&APPLICATION_MEMBERS_UNDO, &APPLICATION_MEMBERS_END),
    (&APPLICATION_GROUPS_UNDO, &APPLICATION_GROUPS_END),
    (&APPLICATION_TERMS_UNDO, &APPLICATION_TERMS_END),
    (&APPLICATION_LIVES_UNDO, &APPLICATION_LIVES_END),
];
static WITH_CUSTOMER: Along = &[(&RESIDENTS_UNDO, &RESIDENTS_END)];

/// Ends a thing. One that has ended already is unchanged; one that never was is a fault.
pub(super) fn apply(edit: &mut Edit<'_, '_>, entry: &Removal) -> Result<Applied> {
    match entry {
        Removal::User(user) => person(edit, &user.id),
        Removal::Group(group) => thing(edit, kind::GROUP, &group.id, WITH_GROUP),
        Removal::Api(api) => thing(edit, kind::API, &api.id, WITH_API),
        Removal::Application(application) => thing(edit, kind::APPLICATION, &application.id, WITH_APPLICATION),
        Removal::Environment(environment) => thing(edit, kind::ENVIRONMENT, &environment.id, WITH_ENVIRONMENT),
        Removal::Subscription(subscription) => subscription_of(edit, &subscription.id),
        Removal::Customer(customer) => customer_of(edit, customer.id),
        Removal::Role(role) => role::remove(edit, role),
        Removal::Membership(membership) => super::membership::remove(edit, membership),
    }
}

/// Deactivates a person: their life ends, and with it their sessions, tokens and ticket, which must not come back with
/// them.
fn person(edit: &mut Edit<'_, '_>, key: &str) -> Result<Applied> {
    let Some(old) = known::person(edit, key)? else {
        return Err(known::no_such("id", kind::PERSON, &key, false));
    };
    if !old.live {
        return Ok(Applied::Unchanged);
    }
    super::membership::leaves(edit, old.id)?;
    fact::end(edit, &fact::LIFE, &[&kind::PERSON, &old.id])?;
    let Stamp { revision, .. } = edit.stamp()?;
    edit.send(&LEAVE, &[&old.id, &revision.0])?;
    if !edit.is_rehearsal() {
        let tx = edit.read()?;
        session::close_others(tx, PersonId(old.id), None)?;
        token::revoke_all(tx, PersonId(old.id))?;
    }
    let mut gone = (*old).clone();
    gone.live = false;
    known::put_person(edit, key, gone);
    Ok(Applied::Changed)
}

fn thing(edit: &mut Edit<'_, '_>, kind: i64, key: &str, along: Along) -> Result<Applied> {
    let Some(old) = known::thing(edit, kind, key)? else {
        return Err(known::no_such("id", kind, &key, false));
    };
    if !old.live {
        return Ok(Applied::Unchanged);
    }
    if kind == kind::ENVIRONMENT {
        keep_environment(edit, &old)?;
    }
    end_along(edit, along, &old.id)?;
    fact::end(edit, &fact::LIFE, &[&kind, &old.id])?;
    if edit.is_rehearsal() {
        let groups_of = (
            if kind == kind::API {
                place::API
            } else {
                place::APPLICATION
            },
            old.id,
        );
        edit.known.attached.remove(&groups_of);
    } else {
        // What went along was not looked at one by one.
        edit.known.forget();
    }
    let mut gone = Thing::clone(&old);
    gone.live = false;
    edit.known.things(kind).insert(key.to_owned(), Some(Arc::new(gone)));
    Ok(Applied::Changed)
}

/// Refuses to end an environment that something is in.
fn keep_environment(edit: &mut Edit<'_, '_>, old: &Thing) -> Result<()> {
    let refusal = if old.id == DEFAULT_ENVIRONMENT {
        "the environment DEFAULT stays"
    } else if edit.read()?.first(&HAS_API, &[&old.id], |_| Ok(()))?.is_some() {
        "it has an API; remove its APIs first"
    } else if edit.read()?.first(&HAS_APPLICATION, &[&old.id], |_| Ok(()))?.is_some() {
        "it has an application; remove its applications first"
    } else {
        return Ok(());
    };
    Err(Error::field("id", refusal))
}

fn subscription_of(edit: &mut Edit<'_, '_>, key: &str) -> Result<Applied> {
    let Some(old) = known::subscription(edit, key)? else {
        return Err(known::no_such("id", kind::SUBSCRIPTION, &key, false));
    };
    if !old.live {
        return Ok(Applied::Unchanged);
    }
    fact::end(edit, &fact::TERM, &[&old.id])?;
    fact::end(edit, &fact::LIFE, &[&kind::SUBSCRIPTION, &old.id])?;
    let mut gone = (*old).clone();
    gone.live = false;
    gone.term = None;
    edit.known.subscriptions.insert(key.to_owned(), Some(Arc::new(gone)));
    Ok(Applied::Changed)
}

/// Ends a customer that has no sub-customers and no active people. Deactivated people leave it: should they come back,
/// it is no longer there.
fn customer_of(edit: &mut Edit<'_, '_>, id: i64) -> Result<Applied> {
    let Some(old) = known::customer(edit, id)? else {
        return Err(known::no_such("id", kind::CUSTOMER, &id, false));
    };
    if !old.live {
        return Ok(Applied::Unchanged);
    }
    let refusal = if edit.read()?.first(&HAS_CHILD, &[&id], |_| Ok(()))?.is_some() {
        Some("it has sub-customers; move or remove them first")
    } else if edit.read()?.first(&HAS_RESIDENT, &[&id], |_| Ok(()))?.is_some() {
        Some("users belong to it; move or remove them first")
    } else {
        None
    };
    if let Some(why) = refusal {
        return Err(Error::field("id", why));
    }
    let Stamp { revision, .. } = edit.stamp()?;
    edit.send(&TOUCH_RESIDENTS, &[&id, &revision.0])?;
    end_along(edit, WITH_CUSTOMER, &id)?;
    customer::unhang(edit, id)?;
    fact::end(edit, &fact::LIFE, &[&kind::CUSTOMER, &id])?;
    let mut gone = (*old).clone();
    gone.live = false;
    gone.parent = None;
    if !edit.is_rehearsal() {
        edit.known.forget();
    }
    edit.known.customers.insert(id, Some(Arc::new(gone)));
    Ok(Applied::Changed)
}

fn end_along(edit: &mut Edit<'_, '_>, along: Along, object: &dyn Param) -> Result<()> {
    for (undo, end) in along {
        fact::undo_or_end(edit, undo, end, &[object])?;
    }
    Ok(())
}
