//! What people hold, kept in memory while the directory stands: who asks once asks again.
//!
//! What is kept of a person is true at one revision of the directory. Each reader compares it with that of their own
//! snapshot, so nothing has to be told to forget, and it is as exact with several servers on one database as with one.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::Holding;
use crate::id::PersonId;

/// Holdings of one generation, of which two are kept: together at most about 16 MB, some twenty thousand people.
const GENERATION: usize = 100_000;

/// The holdings of people who asked lately, as a process shares them.
#[derive(Debug, Default)]
pub struct Held(RwLock<Kept>);

#[derive(Debug, Default)]
struct Kept {
    /// The last revision of the directory that anybody met.
    directory: i64,
    young: HashMap<i64, Facts>,
    /// Those who were young before: whoever asks again is so once more, the others are dropped with the next.
    old: HashMap<i64, Facts>,
    /// Holdings of the young.
    size: usize,
}

#[derive(Debug, Clone)]
struct Facts {
    directory: i64,
    holdings: Arc<[Holding]>,
}

impl Held {
    /// What a person held, and at which revision of the directory; `None` where it is not known, or surely has to be
    /// read again.
    pub(super) fn of(&self, person: PersonId) -> Option<(i64, Arc<[Holding]>)> {
        let kept = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let is_young = kept.young.get(&person.0);
        let facts = is_young.or_else(|| kept.old.get(&person.0))?;
        if facts.directory != kept.directory {
            return None;
        }
        let (facts, promote) = (facts.clone(), is_young.is_none());
        drop(kept);
        if promote {
            self.put(person, facts.clone());
        }
        Some((facts.directory, facts.holdings))
    }

    /// Keeps what a person holds at a revision of the directory.
    pub(super) fn remember(&self, person: PersonId, directory: i64, holdings: Vec<Holding>) -> Arc<[Holding]> {
        let holdings: Arc<[Holding]> = holdings.into();
        let facts = Facts {
            directory,
            holdings: Arc::clone(&holdings),
        };
        self.put(person, facts);
        holdings
    }

    fn put(&self, person: PersonId, facts: Facts) {
        let mut kept = self.0.write().unwrap_or_else(PoisonError::into_inner);
        kept.directory = kept.directory.max(facts.directory);
        kept.size += facts.holdings.len() + 1;
        if let Some(before) = kept.young.insert(person.0, facts) {
            kept.size -= before.holdings.len() + 1;
        }
        if kept.size > GENERATION {
            kept.old = std::mem::take(&mut kept.young);
            kept.size = 0;
        }
    }
}
