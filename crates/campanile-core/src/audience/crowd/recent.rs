//! The people of an API's roles and subscribers and of groups, as they were last found: a sender asks for the same
//! audience at every look, and finding it costs a search for each subscription.
//!
//! What was found stands while the directory does, and between two times at which a subscription of the API starts or
//! ends.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use campanile_store::{Tx, sql};
use roaring::RoaringBitmap;

use super::{directory_position, each, sorted};
use crate::audience::{Instant, Selector};
use crate::error::Result;

sql! {
    // The last time until now, and the next, at which an accepted subscription of an API starts or ends.
    BETWEEN = "SELECT
            {greatest}(COALESCE(MAX(CASE WHEN starts_at <= $2 THEN starts_at END), 0),
                COALESCE(MAX(CASE WHEN ends_at <= $2 THEN ends_at END), 0)),
            {least}(COALESCE(MIN(CASE WHEN starts_at > $2 THEN starts_at END), 9223372036854775807),
                COALESCE(MIN(CASE WHEN ends_at > $2 THEN ends_at END), 9223372036854775807))
        FROM term WHERE api = $1 AND status = 1 AND until = 9223372036854775807";
}

/// Crowds of a kind at most.
const CROWDS: usize = 64;
/// Bytes of all of a kind at most, about.
const BYTES: usize = 8 << 20;

/// Those that were found last.
#[derive(Debug, Default)]
pub(super) struct Recent {
    crowds: Last<RoaringBitmap>,
    held: Last<Held>,
}

/// The people of a selector with the least revision since which each holds it.
#[derive(Debug, Default)]
pub(super) struct Held {
    people: RoaringBitmap,
    /// By revision.
    since: Vec<(i64, u32)>,
}

impl Held {
    /// Those who hold it since later than a revision, each with that, and all the others.
    pub(super) fn after(&self, revision: i64) -> (impl Iterator<Item = (u32, i64)>, RoaringBitmap) {
        let late = &self.since[self.since.partition_point(|(since, _)| *since <= revision)..];
        let mut others = self.people.clone();
        for (_, person) in late {
            others.remove(*person);
        }
        (late.iter().map(|(since, person)| (*person, *since)), others)
    }
}

impl Recent {
    /// The people of a selector now, the deactivated among them: found before, or by SQL.
    pub(super) fn crowd(&self, tx: &mut Tx<'_>, selector: Selector, now: Instant) -> Result<Arc<RoaringBitmap>> {
        self.crowds.find(tx, selector, now, |tx| {
            let mut found = Vec::new();
            each(tx, selector, now.into(), |person, _| found.push(person))?;
            Ok(sorted(found))
        })
    }

    /// The same with since when they hold it.
    pub(super) fn held(&self, tx: &mut Tx<'_>, selector: Selector, now: Instant) -> Result<Arc<Held>> {
        self.held.find(tx, selector, now, |tx| {
            let mut found = Vec::new();
            each(tx, selector, now.into(), |person, since| found.push((person, since)))?;
            found.sort_unstable();
            found.dedup_by_key(|(person, _)| *person);
            let people = RoaringBitmap::from_sorted_iter(found.iter().map(|(person, _)| *person)).unwrap_or_default();
            let mut since: Vec<(i64, u32)> = found.into_iter().map(|(person, since)| (since, person)).collect();
            since.sort_unstable();
            Ok(Held { people, since })
        })
    }
}

/// What was found last of a kind, the latest at the end.
#[derive(Debug)]
struct Last<T>(Mutex<Vec<Found<T>>>);

impl<T> Default for Last<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

#[derive(Debug)]
struct Found<T> {
    selector: Selector,
    /// The directory's revision.
    position: i64,
    /// The times of the clock between which it stands.
    times: Range<i64>,
    value: Arc<T>,
}

trait Size {
    /// Bytes, about.
    fn size(&self) -> usize;
}

impl Size for RoaringBitmap {
    fn size(&self) -> usize {
        self.serialized_size()
    }
}

impl Size for Held {
    fn size(&self) -> usize {
        self.people.serialized_size() + size_of_val(&*self.since)
    }
}

impl<T: Size> Last<T> {
    fn find(
        &self,
        tx: &mut Tx<'_>,
        selector: Selector,
        now: Instant,
        read: impl FnOnce(&mut Tx<'_>) -> Result<T>,
    ) -> Result<Arc<T>> {
        // One person is found as soon as looked up.
        if matches!(selector, Selector::User { .. }) {
            return Ok(Arc::new(read(tx)?));
        }
        let position = directory_position(tx)?;
        if let Some(value) = self.get(selector, position, now.at.0) {
            return Ok(value);
        }
        let value = Arc::new(read(tx)?);
        let times = match selector {
            Selector::ApiRole { api, .. } | Selector::Subscribers { api } => {
                tx.one(&BETWEEN, &[&api.0, &now.at.0], |row| Ok(row.get(0)?..row.get(1)?))?
            }
            _ => i64::MIN..i64::MAX,
        };
        self.put(Found {
            selector,
            position,
            times,
            value: Arc::clone(&value),
        });
        Ok(value)
    }

    fn get(&self, selector: Selector, position: i64, at: i64) -> Option<Arc<T>> {
        let found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let stands = |one: &&Found<T>| one.selector == selector && one.position == position && one.times.contains(&at);
        found.iter().rev().find(stands).map(|one| Arc::clone(&one.value))
    }

    /// Of an earlier state of the directory nothing is asked any more, so all of it goes.
    fn put(&self, one: Found<T>) {
        let mut found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        found.retain(|other| other.position >= one.position);
        found.push(one);
        let bytes = |found: &[Found<T>]| found.iter().map(|one| one.value.size()).sum::<usize>();
        while found.len() > CROWDS || (found.len() > 1 && bytes(&found) > BYTES) {
            found.remove(0);
        }
    }
}
