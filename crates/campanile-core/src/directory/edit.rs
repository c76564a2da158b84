//! An operation on the directory: its transaction, its time, its revision, and what it has looked up.

use campanile_store::{Param, Sql, Tx};

use super::entry::{Entry, Removal};
use super::known::Known;
use super::{Applied, customer, membership, person, remove, role, subscription, thing};
use crate::error::{Error, Result};
use crate::place::kind;
use crate::revision::{self, tally};
use crate::time::{Moment, Revision, Stamp};

/// An operation on the directory. Alone in the order of all of them from its beginning to the commit, so what it looked
/// up stays true.
pub struct Edit<'t, 'c> {
    pub(super) tx: &'t mut Tx<'c>,
    pub(super) known: Known,
    now: Moment,
    /// The revision of the entry at hand, once it has changed something.
    stamp: Option<Stamp>,
    announced: bool,
    /// Nothing is written; see [`Edit::rehearse`].
    rehearsal: bool,
}

impl<'t, 'c> Edit<'t, 'c> {
    /// Begins an operation in an ordered write. `known` is what [`Edit::finish`] of an earlier one gave, or the
    /// default; it is dropped here if the directory has changed since.
    pub fn begin(tx: &'t mut Tx<'c>, known: Known, now: Moment) -> Result<Self> {
        // Taken first: what is read before the lock, another server may change.
        let counters = tx.tally()?;
        let known = known.if_as_of(counters.get(tally::DIRECTORY), counters.get(tally::PERSON));
        Ok(Self {
            tx,
            known,
            now,
            stamp: None,
            announced: false,
            rehearsal: false,
        })
    }

    /// Begins a rehearsal in any transaction: entries are looked at against the database and against those rehearsed
    /// before (which are in `known`, all of them, so it grows with the file), and nothing is written.
    ///
    /// What it does not see: earlier entries of the same rehearsal where the rule asks for all the dependents of a
    /// thing, that is what keeps a customer, an environment or a role from being removed, what the removal of an API,
    /// an application or a group takes along, and how deep the customers below a moved one go.
    pub fn rehearse(tx: &'t mut Tx<'c>, known: Known, now: Moment) -> Self {
        Self {
            tx,
            known,
            now,
            stamp: None,
            announced: false,
            rehearsal: true,
        }
    }

    /// Makes one entry true under a revision of its own. A fault leaves no trace; any other error must end the
    /// transaction. Passwords must have gone through [`prepare`](super::prepare).
    pub fn apply(&mut self, entry: &Entry) -> Result<Applied> {
        self.stamp = None;
        self.under_stamp(entry)
    }

    /// Makes some entries true under one revision: what the first begins and the next ends was never there. Any error,
    /// also a fault, must end the transaction.
    pub fn apply_as_one(&mut self, entries: &[Entry]) -> Result<()> {
        self.stamp = None;
        for entry in entries {
            self.under_stamp(entry)?;
        }
        Ok(())
    }

    /// Ends the operation; what it looked up can serve the next one, if this one commits.
    #[must_use]
    pub fn finish(mut self) -> Known {
        self.known.trim(self.rehearsal);
        self.known
    }

    fn under_stamp(&mut self, entry: &Entry) -> Result<Applied> {
        let before = self.stamp;
        let applied = match entry {
            Entry::Customer(entry) => customer::apply(self, entry),
            Entry::Environment(entry) => thing::environment(self, entry),
            Entry::User(entry) => person::apply(self, entry),
            Entry::Role(entry) => role::apply(self, entry),
            Entry::Group(entry) => thing::group(self, entry),
            Entry::Api(entry) => {
                let groups = &entry.groups;
                thing::api_or_application(
                    self,
                    kind::API,
                    entry.id.as_ref(),
                    &entry.name,
                    &entry.environment,
                    groups,
                )
            }
            Entry::Application(entry) => {
                let (id, groups) = (entry.id.as_ref(), &entry.groups);
                thing::api_or_application(self, kind::APPLICATION, id, &entry.name, &entry.environment, groups)
            }
            Entry::Subscription(entry) => subscription::apply(self, entry),
            Entry::Membership(entry) => membership::apply(self, entry),
            Entry::Remove(Removal::Membership(entry)) => membership::remove(self, entry),
            Entry::Remove(entry) => remove::apply(self, entry),
        };
        match applied {
            // A rule that writes before it has looked at everything would leave half an entry behind.
            Err(Error::Invalid(faults)) if self.stamp != before => Err(Error::Store(campanile_store::Error::Internal(
                format!("a fault was found after something was written: {faults:?}"),
            ))),
            other => other,
        }
    }

    /// The revision of the entry at hand. Called when, and only when, something is about to be written.
    pub(super) fn stamp(&mut self) -> Result<Stamp> {
        if let Some(stamp) = self.stamp {
            return Ok(stamp);
        }
        let stamp = if self.rehearsal {
            Stamp {
                revision: Revision(0),
                at: self.now,
            }
        } else {
            let stamp = revision::take(self.tx, self.now)?;
            if self.announced {
                // One signal says it for the whole operation.
                self.tx.tally()?.set(tally::DIRECTORY, stamp.revision.0);
            } else {
                revision::directory_changed(self.tx, stamp)?;
                self.announced = true;
            }
            self.known.set_as_of(stamp.revision.0);
            stamp
        };
        self.stamp = Some(stamp);
        Ok(stamp)
    }

    /// The next id of a counter. In a rehearsal, one that no row has.
    pub(super) fn next_id(&mut self, counter: &str) -> Result<i64> {
        if self.rehearsal {
            return Ok(self.known.next_unreal_id());
        }
        Ok(self.tx.tally()?.next(counter))
    }

    /// Raises a counter to at least an id that was given from outside.
    pub(super) fn raise(&mut self, counter: &str, id: i64) -> Result<()> {
        if !self.rehearsal {
            let tally = self.tx.tally()?;
            if tally.get(counter) < id {
                tally.set(counter, id);
            }
        }
        Ok(())
    }

    /// Whether nothing is written.
    pub(super) const fn is_rehearsal(&self) -> bool {
        self.rehearsal
    }

    /// Writes. All writing of the directory goes through here.
    pub(super) fn send(&mut self, sql: &'static Sql, params: &[&dyn Param]) -> Result<()> {
        if !self.rehearsal {
            self.tx.send(sql, params)?;
        }
        Ok(())
    }
}
