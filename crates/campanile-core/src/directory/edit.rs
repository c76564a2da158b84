//! An operation on the directory: its transaction, its time, its revision, and what it has looked up.

use campanile_store::{Dialect, Param, Sql, Tx};

use super::entry::{Entry, Removal};
use super::fact::{Fact, PARAMS, ROWS};
use super::known::Known;
use super::made::Made;
use super::{Applied, customer, membership, person, remove, role, subscription, thing};
use crate::error::{Error, Result};
use crate::place::kind;
use crate::revision::{self, tally};
use crate::time::{Moment, Revision, Stamp};

/// An operation on the directory. Alone in the order of all of them from its beginning to the commit, so what it looked
/// up stays true.
pub struct Edit<'t, 'c> {
    tx: &'t mut Tx<'c>,
    pub(super) known: Known,
    now: Moment,
    /// The revision of the entry at hand, once it has changed something.
    stamp: Option<Stamp>,
    announced: bool,
    /// Facts that begin, a list for each table, and not written yet: many go into one statement of PostgreSQL's.
    pending: Vec<Pending>,
    /// Nothing is written; see [`Edit::rehearse`].
    rehearsal: bool,
}

/// Whether an entry changes what people hold of those alone in whose row or membership its revision then stands.
const fn is_of_people(entry: &Entry) -> bool {
    matches!(
        entry,
        Entry::User(_) | Entry::Membership(_) | Entry::Remove(Removal::User(_) | Removal::Membership(_))
    )
}

/// Facts of one table that begin soon: their numbers one after the other, so many each.
struct Pending {
    fact: &'static Fact,
    width: usize,
    numbers: Vec<i64>,
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
            pending: Vec::new(),
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
            pending: Vec::new(),
            rehearsal: true,
        }
    }

    /// Makes one entry true under a revision of its own. A fault leaves no trace; any other error must end the
    /// transaction. Passwords must have gone through [`prepare`](super::prepare).
    pub fn apply(&mut self, entry: &Entry) -> Result<Applied> {
        self.stamp = None;
        let applied = self.under_stamp(entry)?;
        self.flush()?;
        Ok(applied)
    }

    /// As [`Edit::apply`] one after the other, but quicker: what they need is looked up together, and what they say is
    /// written together. `each` is told what every entry came to. Best by some dozens.
    pub fn apply_block(
        &mut self,
        entries: &[Entry],
        mut each: impl FnMut(Result<Applied>) -> Result<()>,
    ) -> Result<()> {
        if !self.rehearsal {
            let last_person = self.tx.tally()?.get(tally::PERSON);
            self.known.trim(last_person);
            if self.known.made.is_none() {
                self.known.made = Made::of_few(self, last_person)?;
            }
        }
        self.prefetch(entries)?;
        for entry in entries {
            self.stamp = None;
            each(self.under_stamp(entry))?;
        }
        self.flush()
    }

    /// Makes some entries true under one revision: what the first begins and the next ends was never there. Any error,
    /// also a fault, must end the transaction.
    pub fn apply_as_one(&mut self, entries: &[Entry]) -> Result<()> {
        self.stamp = None;
        for entry in entries {
            self.under_stamp(entry)?;
        }
        self.flush()
    }

    /// Ends the operation; what it looked up can serve the next one, if this one commits.
    #[must_use]
    pub fn finish(self) -> Known {
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
        if let Some(stamp) = self.stamp
            && !self.rehearsal
            && !is_of_people(entry)
        {
            revision::concerns_anybody(self.tx, stamp)?;
        }
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
                revision::note_people(self.tx, stamp)?;
            } else {
                revision::people_changed(self.tx, stamp)?;
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

    /// Whether a counter has given an id, or a greater one. A rehearsal has no counters.
    pub(super) fn has_reached(&mut self, counter: &str, id: i64) -> Result<bool> {
        Ok(!self.rehearsal && self.tx.tally()?.get(counter) >= id)
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

    /// The transaction, to read with: what is pending is written first.
    pub(super) fn read(&mut self) -> Result<&mut Tx<'c>> {
        self.flush()?;
        Ok(self.tx)
    }

    /// Writes. All writing of the directory goes through here or the two below.
    pub(super) fn send(&mut self, sql: &'static Sql, params: &[&dyn Param]) -> Result<()> {
        self.flush()?;
        self.send_ahead(sql, params)
    }

    /// Writes before what is pending, which it has nothing to do with.
    pub(super) fn send_ahead(&mut self, sql: &'static Sql, params: &[&dyn Param]) -> Result<()> {
        if !self.rehearsal {
            self.tx.send(sql, params)?;
        }
        Ok(())
    }

    /// Begins a fact of numbers, soon: before anything is read, or written by [`Edit::send`].
    pub(super) fn push(&mut self, fact: &'static Fact, values: &[i64], stamp: Stamp) -> Result<()> {
        if self.rehearsal {
            return Ok(());
        }
        if self.tx.dialect() == Dialect::Sqlite {
            // One by one: a statement of many rows has SQLite keep a copy of every page that it changes.
            let mut row = [0; PARAMS];
            row[..values.len()].copy_from_slice(values);
            row[values.len()..values.len() + 2].copy_from_slice(&[stamp.revision.0, stamp.at.0]);
            return send_numbers(self.tx, fact.begin, &row[..values.len() + 2]);
        }
        let found = self.pending.iter().position(|at| std::ptr::eq(at.fact, fact));
        let at = found.unwrap_or_else(|| {
            let (width, numbers) = (values.len() + 2, Vec::new());
            self.pending.push(Pending { fact, width, numbers });
            self.pending.len() - 1
        });
        let pending = &mut self.pending[at];
        pending.numbers.extend_from_slice(values);
        pending.numbers.extend([stamp.revision.0, stamp.at.0]);
        if let Some(many) = fact.many
            && pending.numbers.len() == ROWS * pending.width
        {
            send_numbers(self.tx, many, &pending.numbers)?;
            pending.numbers.clear();
        }
        Ok(())
    }

    /// Writes what is pending.
    fn flush(&mut self) -> Result<()> {
        for pending in &mut self.pending {
            for row in pending.numbers.chunks(pending.width) {
                send_numbers(self.tx, pending.fact.begin, row)?;
            }
            pending.numbers.clear();
        }
        Ok(())
    }
}

fn send_numbers(tx: &mut Tx<'_>, sql: &'static Sql, numbers: &[i64]) -> Result<()> {
    if numbers.len() > PARAMS {
        let params: Vec<&dyn Param> = numbers.iter().map(|number| number as &dyn Param).collect();
        return Ok(tx.send(sql, &params)?);
    }
    let mut params: [&dyn Param; PARAMS] = [&0_i64; PARAMS];
    for (param, number) in params.iter_mut().zip(numbers) {
        *param = number;
    }
    Ok(tx.send(sql, &params[..numbers.len()])?)
}
