//! The counters of ordered writes: how ids and revisions are taken in one total order over all servers.

use crate::{Result, Tx};

crate::sql! {
    LOAD = "SELECT name, value FROM tally ORDER BY name";
    SAVE = "INSERT INTO tally (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
}

/// Taken before the counters are read, kept until the commit. Not a row lock: a counter that does not exist yet has no
/// row, and a statement that waited for a row would still not see a counter that was added meanwhile. SQLite needs
/// none, its writers take turns.
const LOCK: &str = "SELECT pg_advisory_xact_lock(20260102)";

/// The counters of an ordered write: the rows of the table `tally`, locked for as long as the group of operations
/// lasts.
///
/// Held in memory for the group and written once at its commit, so that a thousand operations in one group cost one
/// row. Who reads `tally` by SQL sees the counters of the last commit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    counters: Vec<Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Counter {
    name: String,
    value: i64,
    changed: bool,
}

impl Tally {
    /// The value of a counter; 0 before it was ever set.
    #[must_use]
    pub fn get(&self, name: &str) -> i64 {
        self.counters
            .iter()
            .find(|counter| counter.name == name)
            .map_or(0, |counter| counter.value)
    }

    /// Sets a counter.
    pub fn set(&mut self, name: &str, value: i64) {
        let found = self.counters.iter_mut().find(|at| at.name == name);
        if let Some(counter) = found {
            counter.value = value;
            counter.changed = true;
        } else {
            self.counters.push(Counter {
                name: name.to_owned(),
                value,
                changed: true,
            });
        }
    }

    /// Adds one and returns the new value: ids are taken so.
    pub fn next(&mut self, name: &str) -> i64 {
        let value = self.get(name) + 1;
        self.set(name, value);
        value
    }

    /// Locks the counters and reads them.
    pub(crate) fn load(tx: &mut Tx<'_>) -> Result<Self> {
        tx.postgres_ahead(LOCK);
        let counters = tx.rows(&LOAD, &[], |row| {
            Ok(Counter {
                name: row.get(0)?,
                value: row.get(1)?,
                changed: false,
            })
        })?;
        Ok(Self { counters })
    }

    /// Writes what has changed.
    pub(crate) fn save(&self, tx: &mut Tx<'_>) -> Result<()> {
        for counter in self.counters.iter().filter(|counter| counter.changed) {
            tx.send(&SAVE, &[&counter.name, &counter.value])?;
        }
        Ok(())
    }
}
