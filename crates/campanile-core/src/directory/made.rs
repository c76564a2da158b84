//! What an import into an empty directory has made: a small memory (a Bloom filter) that says of most things that are
//! not there that they are not, so that they need not be looked for.
//!
//! It may hold what is not there, which costs a look; what is there it holds always. It is for one operation after the
//! other, as long as nobody else changes the directory between them, and lives in [`Known`](super::Known).

use std::hash::{DefaultHasher, Hash, Hasher as _};

use campanile_store::sql;

use super::edit::Edit;
use super::known::Member;
use crate::error::Result;

/// Words of 64 bits: 4 MB. With three million things in it, of a hundred that are not there it takes three for one.
const WORDS: usize = 1 << 19;
/// Words of a line of the processor's cache: a thing has all its bits in one.
const LINE: usize = 8;
/// Bits of a thing.
const BITS: u32 = 4;
/// A directory with no more people than this is as good as empty: they are read instead.
const FEW_PEOPLE: i64 = 1_000;

sql! {
    PEOPLE = "SELECT key, login_key FROM person";
    MEMBERS = "SELECT person, place, object, role FROM membership";
}

/// Everything of three kinds that is in the directory, and perhaps more.
#[derive(Debug)]
pub(super) struct Made(Box<[u64]>);

/// What is told apart.
#[derive(Debug, Hash)]
pub(super) enum Trace<'t> {
    /// A user, by key.
    User(&'t str),
    /// A login, folded.
    Login(&'t str),
    /// A membership, held or ended.
    Member(Member),
}

impl Made {
    /// What is in a directory with few people; `None` where there are more.
    pub(super) fn of_few(edit: &mut Edit<'_, '_>, last_person: i64) -> Result<Option<Self>> {
        if last_person > FEW_PEOPLE {
            return Ok(None);
        }
        let mut made = Self(vec![0; WORDS].into());
        let tx = edit.read()?;
        tx.each(&PEOPLE, &[], |row| {
            made.put(&Trace::User(&row.get::<String>(0)?));
            made.put(&Trace::Login(&row.get::<String>(1)?));
            Ok::<(), campanile_store::Error>(())
        })?;
        tx.each(&MEMBERS, &[], |row| {
            made.put(&Trace::Member((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)));
            Ok::<(), campanile_store::Error>(())
        })?;
        Ok(Some(made))
    }

    /// Notes what has been made.
    pub(super) fn put(&mut self, trace: &Trace<'_>) {
        for (word, bit) in places(trace) {
            self.0[word] |= bit;
        }
    }

    /// Whether it may be there; where not, it is not.
    pub(super) fn may_hold(&self, trace: &Trace<'_>) -> bool {
        places(trace).all(|(word, bit)| self.0[word] & bit != 0)
    }
}

fn places(trace: &Trace<'_>) -> impl Iterator<Item = (usize, u64)> {
    let mut hasher = DefaultHasher::new();
    trace.hash(&mut hasher);
    let hash = hasher.finish();
    let line = (hash as usize % (WORDS / LINE)) * LINE;
    (0..BITS).map(move |at| {
        // Nine bits for each, above those that chose the line.
        let place = (hash >> (28 + 9 * at)) as usize & 511;
        (line + place / 64, 1 << (place % 64))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_is_held_and_of_the_rest_little() {
        let mut made = Made(vec![0; WORDS].into());
        for at in 0..100_000 {
            made.put(&Trace::User(&format!("user-{at}")));
            made.put(&Trace::Member((at, 2, 1, 5)));
        }
        for at in 0..100_000 {
            assert!(made.may_hold(&Trace::User(&format!("user-{at}"))));
            assert!(made.may_hold(&Trace::Member((at, 2, 1, 5))));
        }
        let wrong = (0..100_000).filter(|at| made.may_hold(&Trace::Login(&format!("user-{at}"))));
        assert!(wrong.count() < 100);
    }
}
