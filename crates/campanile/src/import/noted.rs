//! The row of an import in the journal: one for the whole file, begun by the first operation that changes something and
//! brought up to date by each that follows, in their own transactions. So it tells what was taken, whenever it ends.

use campanile_core::Result as Ruled;
use campanile_core::journal::{self, Action, By, Deed, Kind};
use campanile_core::revision;
use campanile_core::time::Revision;
use campanile_store::Tx;
use serde_json::{Value, json};

use super::Report;

/// A row that was begun.
#[derive(Debug, Clone, Copy)]
pub(super) struct Noted {
    row: i64,
    first: Revision,
    last: Revision,
}

/// How many entries came to what, so far.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    pub(super) created: u64,
    pub(super) changed: u64,
    pub(super) unchanged: u64,
}

impl Counts {
    pub(super) fn of(report: &Report) -> Self {
        Self {
            created: report.created,
            changed: report.changed,
            unchanged: report.unchanged,
        }
    }

    pub(super) const fn and(self, more: Self) -> Self {
        Self {
            created: self.created + more.created,
            changed: self.changed + more.changed,
            unchanged: self.unchanged + more.unchanged,
        }
    }
}

fn told(counts: Counts, first: Revision, last: Revision) -> Value {
    json!({
        "created": counts.created, "changed": counts.changed, "unchanged": counts.unchanged,
        "first_revision": first, "last_revision": last,
    })
}

/// Notes what an operation did that found the directory at the revision `before`; `counts` is all so far.
pub(super) fn keep(
    tx: &mut Tx<'_>,
    by: &By,
    noted: Option<Noted>,
    counts: Counts,
    before: Revision,
) -> Ruled<Option<Noted>> {
    let stamp = revision::taken(tx)?;
    if stamp.revision == before {
        return Ok(noted);
    }
    let last = stamp.revision;
    let first = noted.map_or(Revision(before.0 + 1), |noted| noted.first);
    let after = told(counts, first, last);
    let row = if let Some(noted) = noted {
        journal::go_on(tx, noted.row, Some(last), &after)?;
        noted.row
    } else {
        let deed = Deed::new(Action::Imported, Kind::Directory, "").after(after);
        journal::record_at(tx, by, &deed, stamp)?
    };
    Ok(Some(Noted { row, first, last }))
}

/// Adds what is known of the file only at its end.
pub(super) fn finish(tx: &mut Tx<'_>, noted: Noted, report: &Report) -> Ruled<()> {
    let mut after = told(Counts::of(report), noted.first, noted.last);
    (after["lines"], after["bad"]) = (json!(report.lines), json!(report.bad));
    journal::go_on(tx, noted.row, None, &after)
}
