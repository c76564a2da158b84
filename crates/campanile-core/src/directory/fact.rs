//! Beginning and ending facts: rows with `[since, until)` in revisions, and the times beside them.
//!
//! An end is two statements: what began in the same revision was never there and goes; what began before gets its
//! `until`.

use campanile_store::{Param, Sql, sql};

use super::edit::Edit;
use crate::error::Result;

sql! {
    // The last two parameters of every statement here are the revision and its time.
    LIFE_BEGIN = "INSERT INTO life (kind, object, since, until, since_at, until_at)
        VALUES ($1, $2, $3, 9223372036854775807, $4, 9223372036854775807)";
    LIFE_UNDO = "DELETE FROM life WHERE kind = $1 AND object = $2 AND since = $3 AND until = 9223372036854775807";
    LIFE_END = "UPDATE life SET until = $3, until_at = $4
        WHERE kind = $1 AND object = $2 AND until = 9223372036854775807";

    MEMBERSHIP_BEGIN = "INSERT INTO membership (person, place, object, role, since, until, since_at, until_at)
        VALUES ($1, $2, $3, $4, $5, 9223372036854775807, $6, 9223372036854775807)";
    MEMBERSHIP_UNDO = "DELETE FROM membership WHERE person = $1 AND place = $2 AND object = $3 AND role = $4
        AND since = $5 AND until = 9223372036854775807";
    MEMBERSHIP_END = "UPDATE membership SET until = $5, until_at = $6
        WHERE person = $1 AND place = $2 AND object = $3 AND role = $4 AND until = 9223372036854775807";

    RESIDENCE_BEGIN = "INSERT INTO residence (person, customer, since, until, since_at, until_at)
        VALUES ($1, $2, $3, 9223372036854775807, $4, 9223372036854775807)";
    RESIDENCE_UNDO = "DELETE FROM residence WHERE person = $1 AND since = $2 AND until = 9223372036854775807";
    RESIDENCE_END = "UPDATE residence SET until = $2, until_at = $3
        WHERE person = $1 AND until = 9223372036854775807";

    ATTACHMENT_BEGIN = "INSERT INTO attachment (grp, place, object, since, until, since_at, until_at)
        VALUES ($1, $2, $3, $4, 9223372036854775807, $5, 9223372036854775807)";
    ATTACHMENT_UNDO = "DELETE FROM attachment WHERE grp = $1 AND place = $2 AND object = $3
        AND since = $4 AND until = 9223372036854775807";
    ATTACHMENT_END = "UPDATE attachment SET until = $4, until_at = $5
        WHERE grp = $1 AND place = $2 AND object = $3 AND until = 9223372036854775807";

    TERM_BEGIN = "INSERT INTO term (subscription, api, application, status, subscriber, starts_at, ends_at,
            since, until, since_at, until_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 9223372036854775807, $9, 9223372036854775807)";
    TERM_UNDO = "DELETE FROM term WHERE subscription = $1 AND since = $2 AND until = 9223372036854775807";
    TERM_END = "UPDATE term SET until = $2, until_at = $3 WHERE subscription = $1 AND until = 9223372036854775807";

    PARENTAGE_BEGIN = "INSERT INTO parentage (customer, parent, since, until, since_at, until_at)
        VALUES ($1, $2, $3, 9223372036854775807, $4, 9223372036854775807)";
    PARENTAGE_UNDO = "DELETE FROM parentage WHERE customer = $1 AND since = $2 AND until = 9223372036854775807";
    PARENTAGE_END = "UPDATE parentage SET until = $2, until_at = $3
        WHERE customer = $1 AND until = 9223372036854775807";
}

/// A table of facts: how one begins, and how it ends.
pub(super) struct Fact {
    begin: &'static Sql,
    undo: &'static Sql,
    end: &'static Sql,
}

macro_rules! facts {
    ($($(#[$meta:meta])* $name:ident = $begin:ident $undo:ident $end:ident;)*) => {
        $($(#[$meta])* pub(super) static $name: Fact = Fact { begin: &$begin, undo: &$undo, end: &$end };)*
    };
}

facts! {
    /// kind, object.
    LIFE = LIFE_BEGIN LIFE_UNDO LIFE_END;
    /// person, place, object, role.
    MEMBERSHIP = MEMBERSHIP_BEGIN MEMBERSHIP_UNDO MEMBERSHIP_END;
    /// Begins with person, customer; ends by person.
    RESIDENCE = RESIDENCE_BEGIN RESIDENCE_UNDO RESIDENCE_END;
    /// group, place, object.
    ATTACHMENT = ATTACHMENT_BEGIN ATTACHMENT_UNDO ATTACHMENT_END;
    /// Begins with subscription, api, application, status, subscriber, start, end; ends by subscription.
    TERM = TERM_BEGIN TERM_UNDO TERM_END;
    /// Begins with customer, parent; ends by customer.
    PARENTAGE = PARENTAGE_BEGIN PARENTAGE_UNDO PARENTAGE_END;
}

/// The most parameters of a fact with its revision and time.
const PARAMS: usize = 9;

/// Begins a fact that does not hold now.
pub(super) fn begin(edit: &mut Edit<'_, '_>, fact: &'static Fact, values: &[&dyn Param]) -> Result<()> {
    stamped(edit, fact.begin, values)
}

/// Ends a fact, if it holds.
pub(super) fn end(edit: &mut Edit<'_, '_>, fact: &'static Fact, key: &[&dyn Param]) -> Result<()> {
    undo_or_end(edit, fact.undo, fact.end, key)
}

/// Removes with `undo` what began in this very revision, and ends with `end` what began before. `undo` takes the
/// revision after `key`, `end` the revision and its time.
pub(super) fn undo_or_end(
    edit: &mut Edit<'_, '_>,
    undo: &'static Sql,
    end: &'static Sql,
    key: &[&dyn Param],
) -> Result<()> {
    let stamp = edit.stamp()?;
    let mut params = key.to_vec();
    params.push(&stamp.revision.0);
    edit.send(undo, &params)?;
    params.push(&stamp.at.0);
    edit.send(end, &params)
}

/// Runs a statement whose last two parameters are the revision and its time.
pub(super) fn stamped(edit: &mut Edit<'_, '_>, sql: &'static Sql, values: &[&dyn Param]) -> Result<()> {
    let stamp = edit.stamp()?;
    let mut params: [&dyn Param; PARAMS] = [&0_i64; PARAMS];
    params[..values.len()].copy_from_slice(values);
    params[values.len()] = &stamp.revision.0;
    params[values.len() + 1] = &stamp.at.0;
    edit.send(sql, &params[..values.len() + 2])
}
