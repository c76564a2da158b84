//! Customers and their tree. The only derived table is `lineage`: every customer above another, itself included.
//!
//! A move ends and begins exactly the pairs that change: those of the moved subtree with the ancestors that it loses
//! and gains. All changes of the tree take turns (the tally's lock), so no two of them close a circle.

use campanile_store::{Tx, sql};

use super::check;
use super::edit::Edit;
use super::entry::{Customer as Entry, Patch};
use super::known::{self, Customer};
use super::person::needed;
use super::{Applied, fact};
use crate::error::{Error, Faults, Result};
use crate::place::kind;
use crate::revision::tally;

/// Levels of the tree, the root's included: it bounds what a customer costs.
pub const DEPTH_LIMIT: usize = 64;

sql! {
    INSERT = "INSERT INTO customer (id, name, name_key) VALUES ($1, $2, $3)";
    RENAME = "UPDATE customer SET name = $2, name_key = $3 WHERE id = $1";
    IS_TAKEN = "SELECT 1 FROM customer WHERE id = $1";
    // How many levels the deepest customer below one has, counted from the root of the tree.
    DEEPEST = "SELECT COALESCE(MAX(d.depth), 0) FROM (
            SELECT COUNT(*) AS depth FROM lineage b CROSS JOIN lineage a
            WHERE b.ancestor = $1 AND b.until = 9223372036854775807
                AND a.customer = b.customer AND a.until = 9223372036854775807
            GROUP BY b.customer) d";
    SELF_BEGIN = "INSERT INTO lineage (customer, ancestor, since, until, since_at, until_at)
        VALUES ($1, $1, $2, 9223372036854775807, $3, 9223372036854775807)";
    SELF_UNDO = "DELETE FROM lineage WHERE customer = $1 AND since = $2 AND until = 9223372036854775807";
    SELF_END = "UPDATE lineage SET until = $2, until_at = $3 WHERE customer = $1 AND until = 9223372036854775807";
    // Everybody below $1, itself included, gains or loses the ancestor $2.
    BELOW_BEGIN = "INSERT INTO lineage (customer, ancestor, since, until, since_at, until_at)
        SELECT customer, CAST($2 AS BIGINT), CAST($3 AS BIGINT), 9223372036854775807, CAST($4 AS BIGINT),
            9223372036854775807
        FROM lineage WHERE ancestor = $1 AND until = 9223372036854775807";
    BELOW_UNDO = "DELETE FROM lineage WHERE ancestor = $2 AND since = $3 AND until = 9223372036854775807
        AND customer IN (SELECT customer FROM lineage WHERE ancestor = $1 AND until = 9223372036854775807)";
    BELOW_END = "UPDATE lineage SET until = $3, until_at = $4 WHERE ancestor = $2 AND until = 9223372036854775807
        AND customer IN (SELECT customer FROM lineage WHERE ancestor = $1 AND until = 9223372036854775807)";
}

/// An id for a customer that was not given one.
pub fn next_id(tx: &mut Tx<'_>) -> Result<i64> {
    let mut id = tx.tally()?.next(tally::CUSTOMER);
    while tx.first(&IS_TAKEN, &[&id], |_| Ok(()))?.is_some() {
        id = tx.tally()?.next(tally::CUSTOMER);
    }
    Ok(id)
}

/// Makes a customer so.
pub(super) fn apply(edit: &mut Edit<'_, '_>, entry: &Entry) -> Result<Applied> {
    let id = check::customer_id(entry.id)?;
    let old = known::customer(edit, id)?;
    if old.is_none() && id > check::CUSTOMER_LIMIT && !edit.has_reached(tally::CUSTOMER, id)? {
        return Err(check::no_customer_id());
    }
    let mut faults = Faults::default();
    let name = needed(&mut faults, "name", &entry.name, old.as_ref().map(|old| &old.name));
    faults.finish()?;
    let was_parent = old.as_ref().and_then(|old| old.parent);
    let parent = match entry.parent {
        Patch::Absent => was_parent,
        Patch::Null => None,
        Patch::Set(parent) => Some(parent),
    };
    let above = if parent == was_parent {
        None
    } else {
        Some(ancestors_for(edit, id, parent, old.is_some())?)
    };
    let new = Customer {
        name,
        live: true,
        parent,
    };
    let applied = match old {
        Some(old) if *old == new => return Ok(Applied::Unchanged),
        Some(old) if old.live => {
            change(edit, id, &old, &new)?;
            Applied::Changed
        }
        gone => {
            appear(edit, id, gone.is_some(), &new)?;
            Applied::Created
        }
    };
    if let Some(above) = above {
        hang(edit, id, was_parent, &new, &above)?;
    }
    edit.known.customers.insert(id, Some(new.into()));
    Ok(applied)
}

/// The ancestors that a customer would have below a parent, nearest first; refuses circles and what is too deep.
fn ancestors_for(edit: &mut Edit<'_, '_>, id: i64, parent: Option<i64>, exists: bool) -> Result<Vec<i64>> {
    let Some(parent) = parent else {
        return Ok(Vec::new());
    };
    let found = known::customer(edit, parent)?;
    if parent != id && !found.as_ref().is_some_and(|found| found.live) {
        return Err(known::no_such("parent", kind::CUSTOMER, &parent, found.is_some()));
    }
    let above = chain(edit, Some(parent))?;
    if above.contains(&id) {
        let why = format!("customer {parent} is customer {id} or below it: the tree would be a circle");
        return Err(Error::field("parent", why));
    }
    let below = if exists { height(edit, id)? } else { 0 };
    if above.len() + 1 + below > DEPTH_LIMIT {
        let why = format!("the tree would have more than {DEPTH_LIMIT} levels");
        return Err(Error::field("parent", why));
    }
    Ok(above)
}

/// A customer and those above it, nearest first.
fn chain(edit: &mut Edit<'_, '_>, from: Option<i64>) -> Result<Vec<i64>> {
    let (mut out, mut next) = (Vec::new(), from);
    while let Some(at) = next {
        out.push(at);
        // The limit holds for what is stored, so only a broken tree gets here.
        if out.len() > DEPTH_LIMIT {
            return Err(campanile_store::Error::Internal(format!("customer {at} is its own ancestor")).into());
        }
        next = known::customer(edit, at)?.and_then(|found| found.parent);
    }
    Ok(out)
}

/// Levels below a customer.
fn height(edit: &mut Edit<'_, '_>, id: i64) -> Result<usize> {
    let deepest: i64 = edit.read()?.one(&DEEPEST, &[&id], |row| row.get(0))?;
    let own = chain(edit, Some(id))?.len();
    Ok(usize::try_from(deepest).unwrap_or(0).saturating_sub(own))
}

/// A new or returning customer: its life, and itself in its lineage.
fn appear(edit: &mut Edit<'_, '_>, id: i64, exists: bool, new: &Customer) -> Result<()> {
    let name_key = check::folded(&new.name);
    edit.stamp()?;
    if exists {
        edit.send(&RENAME, &[&id, &new.name, &name_key])?;
    } else {
        edit.raise(tally::CUSTOMER, id)?;
        edit.send(&INSERT, &[&id, &new.name, &name_key])?;
    }
    fact::begin(edit, &fact::LIFE, &[&kind::CUSTOMER, &id])?;
    fact::stamped(edit, &SELF_BEGIN, &[&id])
}

fn change(edit: &mut Edit<'_, '_>, id: i64, old: &Customer, new: &Customer) -> Result<()> {
    edit.stamp()?;
    if old.name == new.name {
        return Ok(());
    }
    edit.send(&RENAME, &[&id, &new.name, &check::folded(&new.name)])
}

/// Hangs a customer with all below it under another parent.
fn hang(edit: &mut Edit<'_, '_>, id: i64, was: Option<i64>, new: &Customer, gained: &[i64]) -> Result<()> {
    let lost = chain(edit, was)?;
    for ancestor in lost.iter().filter(|at| !gained.contains(at)) {
        fact::undo_or_end(edit, &BELOW_UNDO, &BELOW_END, &[&id, ancestor])?;
    }
    for ancestor in gained.iter().filter(|at| !lost.contains(at)) {
        fact::stamped(edit, &BELOW_BEGIN, &[&id, ancestor])?;
    }
    if was.is_some() {
        fact::end(edit, &fact::PARENTAGE, &[&id])?;
    }
    match new.parent {
        Some(parent) => fact::begin(edit, &fact::PARENTAGE, &[&id, &parent]),
        None => Ok(()),
    }
}

/// Ends a customer's place in the tree; nobody is below it.
pub(super) fn unhang(edit: &mut Edit<'_, '_>, id: i64) -> Result<()> {
    fact::undo_or_end(edit, &SELF_UNDO, &SELF_END, &[&id])?;
    fact::end(edit, &fact::PARENTAGE, &[&id])
}
