//! How far messages had got when they were last looked at, and who has to be judged again since.
//!
//! Whether somebody saw and read a message follows from what holds for all ([`Frame`]), from whether and since when
//! they are in its audience, and from what they did. So the next look judges those alone for whom something of this is
//! not as it was; all the others stand. Who did something is found by `written`: it numbers marks, and the deeds with
//! one message, in the order in which they come to be seen, over all processes and servers. Where too many have to be
//! judged again, all are.

use std::sync::{Arc, Mutex, PoisonError};

use campanile_store::{Tx, sql};
use roaring::RoaringBitmap;

use super::funnel::Crowds;
use super::judged::Joined;
use super::sight::Sights;
use super::timeline::Stretches;
use crate::error::Result;
use crate::id::MessageId;

sql! {
    // Up to where this snapshot shows all that is written: of marks, and of deeds with a message. Nothing that it shows
    // is written at or after the third, but what was brought here from a database with greater numbers.
    SHOWN = "SELECT COALESCE({first_unseen}, (SELECT MAX(written) FROM mark) + 1, 1),
        COALESCE({first_unseen}, (SELECT MAX(written) FROM engagement WHERE message = $1) + 1, 1),
        COALESCE({beyond_seen}, 9223372036854775807)";
    MARKED = "SELECT person, written FROM mark WHERE written >= $1 AND written < $2 ORDER BY written DESC LIMIT $3";
    DID = "SELECT person FROM engagement WHERE message = $1 AND written >= $2 AND written < $3 LIMIT $4";
}

/// People who are judged again at most; above, all are: a search each costs a multiple of a row of many.
const AGAIN: u64 = 5_000;
/// Bytes of all that is kept; what was looked at least lately goes first. A message to a million people, all of whom
/// have read it, takes about 5 MB with its timeline, and 400 KB without.
const BYTES: u64 = 32 << 20;
/// Messages that are kept at most.
const MESSAGES: usize = 512;

/// What holds for everybody in an audience. Where it is another, all are judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Frame {
    /// The last revision at which the bell rang.
    pub(super) ring: i64,
    /// When selectors were last added; 0 for never.
    pub(super) readdressed: i64,
    pub(super) sights: Sights,
}

/// Up to where the rows of people are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shown {
    marks: i64,
    deeds: i64,
    /// Rows at or after it are none of this database's transactions.
    beyond: i64,
}

impl Shown {
    pub(super) fn read(tx: &mut Tx<'_>, message: MessageId) -> Result<Self> {
        Ok(tx.one(&SHOWN, &[&message.0], |row| {
            Ok(Self {
                marks: row.get(0)?,
                deeds: row.get(1)?,
                beyond: row.get(2)?,
            })
        })?)
    }
}

/// How far a message got, and what it follows from.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) message: MessageId,
    pub(super) frame: Frame,
    pub(super) crowds: Crowds,
    /// Since which revision late joiners have held a selector, where they count.
    pub(super) joined: Arc<Joined>,
    /// Those who may hold a selector by a subscription that started by the clock after publication, and some more.
    pub(super) clocked: RoaringBitmap,
    /// Whose marks are not decided by the revision alone: they are judged at every look.
    pub(super) doubtful: RoaringBitmap,
    /// How far it got over time, where that was asked for.
    pub(super) stretches: Option<Stretches>,
    pub(super) shown: Shown,
}

impl Kept {
    /// Of the people of now, those who have to be judged again; `None` where that is too many.
    pub(super) fn again(&self, tx: &mut Tx<'_>, marked: &Marked, now: &Self) -> Result<Option<RoaringBitmap>> {
        let Some(mut again) = marked.since(self.shown.marks) else {
            return Ok(None);
        };
        let limit = AGAIN as i64 + 1;
        let did = [&now.message.0, &self.shown.deeds, &now.shown.beyond, &limit] as [&dyn campanile_store::Param; 4];
        tx.each(&DID, &did, |row| {
            again.insert(row.get::<i64>(0)? as u32);
            Ok::<(), campanile_store::Error>(())
        })?;
        again |= &now.crowds.people - &self.crowds.people;
        again |= &now.clocked ^ &self.clocked;
        again |= &self.doubtful;
        if !Arc::ptr_eq(&now.joined, &self.joined) {
            again.extend(differing(&now.joined, &self.joined));
            again.extend(differing(&self.joined, &now.joined));
        }
        again &= &now.crowds.people;
        Ok((again.len() <= AGAIN).then_some(again))
    }

    /// Whether nothing is different now but what is judged again.
    pub(super) fn stands(&self, now: &Self) -> bool {
        self.crowds.people == now.crowds.people && self.shown == now.shown
    }

    /// Adds those of before who were not judged again and are in the audience still.
    pub(super) fn add(&mut self, before: &Self, again: &RoaringBitmap) {
        let people = &self.crowds.people;
        self.crowds.seen |= (&before.crowds.seen - again) & people;
        self.crowds.read |= (&before.crowds.read - again) & people;
        if let (Some(stretches), Some(before)) = (&mut self.stretches, &before.stretches) {
            stretches.add(before, again, people);
        }
    }

    /// About how many bytes it takes.
    fn size(&self) -> u64 {
        let Crowds { people, seen, read, .. } = &self.crowds;
        let own = [people, seen, read, &self.clocked, &self.doubtful];
        let stretches = self.stretches.iter().flat_map(Stretches::bitmaps);
        let bitmaps: u64 = own.into_iter().chain(stretches).map(bytes).sum();
        1_024 + bitmaps + self.joined.capacity() as u64 * 17
    }
}

/// Those of one map whom the other does not have since the same revision.
fn differing<'j>(one: &'j Joined, other: &'j Joined) -> impl Iterator<Item = u32> + 'j {
    let differs = |(person, since): &(&u32, &i64)| other.get(person) != Some(since);
    one.iter().filter(differs).map(|(person, _)| *person)
}

/// About how many bytes a bitmap takes.
fn bytes(bitmap: &RoaringBitmap) -> u64 {
    bitmap.serialized_size() as u64 + u64::from(bitmap.statistics().n_containers) * 64
}

/// Who has made a mark, the last first.
pub(super) struct Marked {
    /// Each with when it was written.
    people: Vec<(u32, i64)>,
    /// All that were written after this are there.
    after: i64,
}

impl Marked {
    /// Those since the least of some places.
    pub(super) fn read<'k>(tx: &mut Tx<'_>, kept: impl Iterator<Item = (&'k Kept, &'k Kept)>) -> Result<Self> {
        let (mut people, mut first, mut beyond) = (Vec::new(), i64::MAX, 0);
        for (before, now) in kept {
            first = first.min(before.shown.marks);
            beyond = beyond.max(now.shown.beyond);
        }
        if first < beyond {
            people = tx.rows(&MARKED, &[&first, &beyond, &(AGAIN as i64 * 2 + 1)], |row| {
                Ok((row.get::<i64>(0)? as u32, row.get(1)?))
            })?;
        }
        // As many as were asked for: there may be more.
        let is_cut = people.len() as u64 > AGAIN * 2;
        let after = people
            .last()
            .filter(|_| is_cut)
            .map_or(first - 1, |(_, written)| *written);
        Ok(Self { people, after })
    }

    /// Those from a place on; `None` where not all of them are known.
    fn since(&self, from: i64) -> Option<RoaringBitmap> {
        if from <= self.after {
            return None;
        }
        let since = self.people.iter().take_while(|(_, written)| *written >= from);
        Some(since.map(|(person, _)| *person).collect())
    }
}

/// The messages that were looked at last, the last one at the end.
#[derive(Debug, Default)]
pub(super) struct Looks(Mutex<Vec<(u64, Arc<Kept>)>>);

impl Looks {
    /// What is known of a message that stands in the same frame, and by no later snapshot.
    pub(super) fn before(&self, now: &Kept) -> Option<Arc<Kept>> {
        let looks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, kept) = looks.iter().find(|(_, kept)| kept.message == now.message)?;
        let is_earlier = kept.shown.marks <= now.shown.marks && kept.shown.deeds <= now.shown.deeds;
        (is_earlier && kept.frame == now.frame).then(|| Arc::clone(kept))
    }

    /// Keeps what is known of a message now.
    pub(super) fn keep(&self, kept: &Arc<Kept>) {
        let size = kept.size();
        let mut looks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        looks.retain(|(_, one)| one.message != kept.message);
        looks.push((size, Arc::clone(kept)));
        let mut total: u64 = looks.iter().map(|(size, _)| size).sum();
        while total > BYTES || looks.len() > MESSAGES {
            total -= looks.remove(0).0;
        }
    }
}
