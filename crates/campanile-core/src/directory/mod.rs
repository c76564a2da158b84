//! The directory: people, customers, environments, groups, APIs, applications, subscriptions, roles and memberships,
//! each fact with its history.
//!
//! One path for the file, the REST interface and the console: an [`Entry`] says how something shall be, [`apply`] makes
//! it so. An entry that changes something takes one revision, whatever it changes; one that changes nothing takes
//! none and writes nothing, so that a file can be imported again and again. An entry is looked at as a whole before
//! anything of it is written: a fault leaves no trace, and the next entry can go on in the same transaction.
//!
//! Map: [`entry`] is what can be said, `check` what its fields may hold, [`Edit`] an operation on the directory with
//! what it has looked up; `person`, `customer`, `thing`, `subscription`, `membership`, `role` make entries true, a file
//! each; `remove` ends; `fact` begins and ends intervals; [`list`] and [`history`] read, [`addressable`] for senders.

pub mod addressable;
mod check;
mod customer;
mod edit;
pub mod entry;
mod fact;
pub mod history;
mod known;
pub mod list;
mod made;
mod membership;
mod person;
mod prefetch;
mod remove;
mod role;
mod subscription;
mod thing;

use campanile_store::{Sql, Tx};

use crate::error::Result;
use crate::time::Moment;

pub(crate) use check::name as check_name;
pub use check::{CUSTOMER_LIMIT, GROUPS_LIMIT, KEY_LIMIT, NAME_LIMIT, PERMISSION_LIMIT, PERMISSIONS_LIMIT, folded};
pub use customer::{DEPTH_LIMIT, next_id as next_customer_id};
pub use edit::Edit;
pub use entry::Entry;
pub use known::Known;
pub use person::{Stored, prepare, stored};

/// What an entry came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// It is there now and was not before: new, or back.
    Created,
    /// Something of it is different, or has ended.
    Changed,
    /// All was so already; nothing was written and no revision taken.
    Unchanged,
}

/// Makes one entry true, as an operation of its own. Passwords must have gone through [`prepare`].
///
/// Faults are [`Error::Invalid`](crate::Error::Invalid) with the field and the reason.
pub fn apply(tx: &mut Tx<'_>, entry: &Entry, now: Moment) -> Result<Applied> {
    Edit::begin(tx, Known::default(), now)?.apply(entry)
}

/// Every statement of the directory, a list for each file.
pub fn statements() -> impl Iterator<Item = &'static Sql> {
    [
        addressable::STATEMENTS,
        customer::STATEMENTS,
        fact::STATEMENTS,
        history::STATEMENTS,
        known::STATEMENTS,
        membership::STATEMENTS,
        person::STATEMENTS,
        prefetch::STATEMENTS,
        remove::STATEMENTS,
        role::STATEMENTS,
        subscription::STATEMENTS,
        thing::STATEMENTS,
    ]
    .into_iter()
    .chain(list::statements())
    .flatten()
    .copied()
}
