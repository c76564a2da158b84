//! What was found out a moment ago, so that a client that asks often is not looked up each time: who showed a secret,
//! the numbers of a bell, a page of an inbox.
//!
//! What is remembered stands only while nothing was written that it rests on, and no longer than until a time that is
//! kept with it. Where others may be writing to the same database nothing is remembered (see
//! [`Db::changes`](campanile_store::Db::changes)): what they write must hold here at once.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{PoisonError, RwLock};

use campanile_core::revision::topic;
use campanile_core::time::Moment;
use campanile_store::Signal;

use crate::app::App;

/// A memory of values by key; it begins anew when it is full.
#[derive(Debug)]
pub struct Known<K, V> {
    /// Bytes of all values at most, about.
    room: usize,
    kept: RwLock<Memory<K, V>>,
}

#[derive(Debug)]
struct Memory<K, V> {
    values: HashMap<K, Kept<V>>,
    bytes: usize,
}

#[derive(Debug)]
struct Kept<V> {
    value: V,
    bytes: usize,
    state: u64,
    until: Moment,
}

/// The state on which it rests who showed a secret. Read before the look-up that is to be remembered.
#[must_use]
pub fn state(app: &App) -> Option<u64> {
    let any = |topic| Signal {
        topic,
        key: Signal::ANY,
    };
    app.db.changes(&[topic::DIRECTORY, topic::ACCESS, topic::SITE].map(any))
}

impl<K: Eq + Hash, V: Clone> Known<K, V> {
    /// A memory of so many bytes.
    #[must_use]
    pub fn new(room: usize) -> Self {
        let kept = RwLock::new(Memory {
            values: HashMap::new(),
            bytes: 0,
        });
        Self { room, kept }
    }

    /// What was found out, if it still stands.
    #[must_use]
    pub fn get(&self, key: &K, state: Option<u64>, now: Moment) -> Option<V> {
        let memory = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        let kept = memory.values.get(key)?;
        (state == Some(kept.state) && now < kept.until).then(|| kept.value.clone())
    }

    /// Remembers a value of about so many bytes, which rests on `state` and stands until a time.
    pub fn put(&self, key: K, value: V, bytes: usize, state: Option<u64>, until: Moment) {
        let Some(state) = state else { return };
        let mut memory = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        let old = memory.values.get(&key).map_or(0, |old| old.bytes);
        memory.bytes = memory.bytes - old + bytes;
        if memory.bytes > self.room {
            memory.values.clear();
            memory.bytes = bytes;
        }
        let kept = Kept {
            value,
            bytes,
            state,
            until,
        };
        memory.values.insert(key, kept);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_memory_begins_anew() {
        let known = Known::new(10);
        let until = Moment(5);
        known.put(1, 'a', 4, Some(7), until);
        known.put(2, 'b', 4, Some(7), until);
        known.put(1, 'c', 6, Some(7), until);
        assert_eq!(
            known.get(&2, Some(7), Moment(0)),
            Some('b'),
            "an old value's room is free again"
        );
        known.put(3, 'd', 4, Some(7), until);
        let now = |key| known.get(&key, Some(7), Moment(0));
        assert_eq!((now(1), now(2), now(3)), (None, None, Some('d')));
    }

    #[test]
    fn what_rests_on_another_state_or_is_over_is_not_known() {
        let known = Known::new(10);
        known.put('k', 1, 1, None, Moment(5));
        assert_eq!(known.get(&'k', None, Moment(0)), None, "where others write");
        known.put('k', 1, 1, Some(7), Moment(5));
        assert_eq!(known.get(&'k', Some(7), Moment(4)), Some(1));
        assert_eq!(known.get(&'k', Some(8), Moment(4)), None);
        assert_eq!(known.get(&'k', Some(7), Moment(5)), None);
        assert_eq!(known.get(&'k', None, Moment(4)), None);
    }
}
