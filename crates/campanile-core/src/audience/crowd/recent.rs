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

/// Crowds at most.
const CROWDS: usize = 64;
/// Bytes of all of them at most, about.
const BYTES: usize = 8 << 20;

/// Those that were found last, the latest at the end.
#[derive(Debug, Default)]
pub(super) struct Recent(Mutex<Vec<Found>>);

#[derive(Debug)]
struct Found {
    selector: Selector,
    /// The directory's revision.
    position: i64,
    /// The times of the clock between which it stands.
    times: Range<i64>,
    people: Arc<RoaringBitmap>,
}

impl Recent {
    /// The people of a selector now, the deactivated among them: found before, or by SQL.
    pub(super) fn crowd(&self, tx: &mut Tx<'_>, selector: Selector, now: Instant) -> Result<Arc<RoaringBitmap>> {
        let position = directory_position(tx)?;
        if let Some(people) = self.get(selector, position, now.at.0) {
            return Ok(people);
        }
        let mut found = Vec::new();
        each(tx, selector, now.into(), |person, _| found.push(person))?;
        let people = Arc::new(sorted(found));
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
            people: Arc::clone(&people),
        });
        Ok(people)
    }

    fn get(&self, selector: Selector, position: i64, at: i64) -> Option<Arc<RoaringBitmap>> {
        let found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let stands = |one: &&Found| one.selector == selector && one.position == position && one.times.contains(&at);
        found.iter().rev().find(stands).map(|one| Arc::clone(&one.people))
    }

    /// Of an earlier state of the directory nothing is asked any more, so all of it goes.
    fn put(&self, one: Found) {
        let mut found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        found.retain(|other| other.position >= one.position);
        found.push(one);
        let bytes = |found: &[Found]| found.iter().map(|one| one.people.serialized_size()).sum::<usize>();
        while found.len() > CROWDS || (found.len() > 1 && bytes(&found) > BYTES) {
            found.remove(0);
        }
    }
}
