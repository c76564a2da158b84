//! Beginning and ending facts: rows with `[since, until)` in revisions, and the times beside them.
//!
//! An end is two statements: what began in the same revision was never there and goes; what began before gets its
//! `until`.

use campanile_store::{Param, Sql, sql};

use super::edit::Edit;
use crate::error::Result;

sql! {
    // The last two parameters of every statement about one fact are the revision and its time. Those about many take as
    // many facts as [`ROWS`], each with its own.
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

    LIVES_BEGIN = "INSERT INTO life (kind, object, since, until, since_at, until_at) VALUES
            ($1, $2, $3, 9223372036854775807, $4, 9223372036854775807),
            ($5, $6, $7, 9223372036854775807, $8, 9223372036854775807),
            ($9, $10, $11, 9223372036854775807, $12, 9223372036854775807),
            ($13, $14, $15, 9223372036854775807, $16, 9223372036854775807),
            ($17, $18, $19, 9223372036854775807, $20, 9223372036854775807),
            ($21, $22, $23, 9223372036854775807, $24, 9223372036854775807),
            ($25, $26, $27, 9223372036854775807, $28, 9223372036854775807),
            ($29, $30, $31, 9223372036854775807, $32, 9223372036854775807),
            ($33, $34, $35, 9223372036854775807, $36, 9223372036854775807),
            ($37, $38, $39, 9223372036854775807, $40, 9223372036854775807),
            ($41, $42, $43, 9223372036854775807, $44, 9223372036854775807),
            ($45, $46, $47, 9223372036854775807, $48, 9223372036854775807),
            ($49, $50, $51, 9223372036854775807, $52, 9223372036854775807),
            ($53, $54, $55, 9223372036854775807, $56, 9223372036854775807),
            ($57, $58, $59, 9223372036854775807, $60, 9223372036854775807),
            ($61, $62, $63, 9223372036854775807, $64, 9223372036854775807)";
    MEMBERSHIPS_BEGIN = "INSERT INTO membership (person, place, object, role, since, until, since_at, until_at) VALUES
            ($1, $2, $3, $4, $5, 9223372036854775807, $6, 9223372036854775807),
            ($7, $8, $9, $10, $11, 9223372036854775807, $12, 9223372036854775807),
            ($13, $14, $15, $16, $17, 9223372036854775807, $18, 9223372036854775807),
            ($19, $20, $21, $22, $23, 9223372036854775807, $24, 9223372036854775807),
            ($25, $26, $27, $28, $29, 9223372036854775807, $30, 9223372036854775807),
            ($31, $32, $33, $34, $35, 9223372036854775807, $36, 9223372036854775807),
            ($37, $38, $39, $40, $41, 9223372036854775807, $42, 9223372036854775807),
            ($43, $44, $45, $46, $47, 9223372036854775807, $48, 9223372036854775807),
            ($49, $50, $51, $52, $53, 9223372036854775807, $54, 9223372036854775807),
            ($55, $56, $57, $58, $59, 9223372036854775807, $60, 9223372036854775807),
            ($61, $62, $63, $64, $65, 9223372036854775807, $66, 9223372036854775807),
            ($67, $68, $69, $70, $71, 9223372036854775807, $72, 9223372036854775807),
            ($73, $74, $75, $76, $77, 9223372036854775807, $78, 9223372036854775807),
            ($79, $80, $81, $82, $83, 9223372036854775807, $84, 9223372036854775807),
            ($85, $86, $87, $88, $89, 9223372036854775807, $90, 9223372036854775807),
            ($91, $92, $93, $94, $95, 9223372036854775807, $96, 9223372036854775807)";
    RESIDENCES_BEGIN = "INSERT INTO residence (person, customer, since, until, since_at, until_at) VALUES
            ($1, $2, $3, 9223372036854775807, $4, 9223372036854775807),
            ($5, $6, $7, 9223372036854775807, $8, 9223372036854775807),
            ($9, $10, $11, 9223372036854775807, $12, 9223372036854775807),
            ($13, $14, $15, 9223372036854775807, $16, 9223372036854775807),
            ($17, $18, $19, 9223372036854775807, $20, 9223372036854775807),
            ($21, $22, $23, 9223372036854775807, $24, 9223372036854775807),
            ($25, $26, $27, 9223372036854775807, $28, 9223372036854775807),
            ($29, $30, $31, 9223372036854775807, $32, 9223372036854775807),
            ($33, $34, $35, 9223372036854775807, $36, 9223372036854775807),
            ($37, $38, $39, 9223372036854775807, $40, 9223372036854775807),
            ($41, $42, $43, 9223372036854775807, $44, 9223372036854775807),
            ($45, $46, $47, 9223372036854775807, $48, 9223372036854775807),
            ($49, $50, $51, 9223372036854775807, $52, 9223372036854775807),
            ($53, $54, $55, 9223372036854775807, $56, 9223372036854775807),
            ($57, $58, $59, 9223372036854775807, $60, 9223372036854775807),
            ($61, $62, $63, 9223372036854775807, $64, 9223372036854775807)";

    PARENTAGE_BEGIN = "INSERT INTO parentage (customer, parent, since, until, since_at, until_at)
        VALUES ($1, $2, $3, 9223372036854775807, $4, 9223372036854775807)";
    PARENTAGE_UNDO = "DELETE FROM parentage WHERE customer = $1 AND since = $2 AND until = 9223372036854775807";
    PARENTAGE_END = "UPDATE parentage SET until = $2, until_at = $3
        WHERE customer = $1 AND until = 9223372036854775807";
}

/// Facts in one statement that begins many.
pub(super) const ROWS: usize = 16;

/// A table of facts: how one begins, how it ends, and how [`ROWS`] of them begin.
pub(super) struct Fact {
    pub(super) begin: &'static Sql,
    undo: &'static Sql,
    end: &'static Sql,
    pub(super) many: Option<&'static Sql>,
}

macro_rules! facts {
    ($($(#[$meta:meta])* $name:ident = $begin:ident $undo:ident $end:ident $many:expr;)*) => {
        $($(#[$meta])* pub(super) static $name: Fact = Fact {
            begin: &$begin,
            undo: &$undo,
            end: &$end,
            many: $many,
        };)*
    };
}

facts! {
    /// kind, object.
    LIFE = LIFE_BEGIN LIFE_UNDO LIFE_END Some(&LIVES_BEGIN);
    /// person, place, object, role.
    MEMBERSHIP = MEMBERSHIP_BEGIN MEMBERSHIP_UNDO MEMBERSHIP_END Some(&MEMBERSHIPS_BEGIN);
    /// Begins with person, customer; ends by person.
    RESIDENCE = RESIDENCE_BEGIN RESIDENCE_UNDO RESIDENCE_END Some(&RESIDENCES_BEGIN);
    /// group, place, object.
    ATTACHMENT = ATTACHMENT_BEGIN ATTACHMENT_UNDO ATTACHMENT_END None;
    /// Begins with subscription, api, application, status, subscriber, start, end; ends by subscription.
    TERM = TERM_BEGIN TERM_UNDO TERM_END None;
    /// Begins with customer, parent; ends by customer.
    PARENTAGE = PARENTAGE_BEGIN PARENTAGE_UNDO PARENTAGE_END None;
}

/// The most parameters of a fact with its revision and time.
pub(super) const PARAMS: usize = 9;

/// Begins a fact that does not hold now.
pub(super) fn begin(edit: &mut Edit<'_, '_>, fact: &'static Fact, values: &[&dyn Param]) -> Result<()> {
    stamped(edit, fact.begin, values)
}

/// Begins a fact that does not hold now, together with others of its table, before anything else looks.
pub(super) fn begin_soon(edit: &mut Edit<'_, '_>, fact: &'static Fact, values: &[i64]) -> Result<()> {
    let stamp = edit.stamp()?;
    edit.push(fact, values, stamp)
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
