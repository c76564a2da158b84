//! How far a message got, over time: how many had seen and read it by when.
//!
//! One look at the marks and deeds, whatever their number: each goes into the bitmap of its stretch of time, of which
//! the first of each person stays. The stretches grow with the story, so that there are never more than [`POINTS`].
//! What the last point says is what [`super::funnel`] says.

use campanile_store::Tx;
use roaring::{MultiOps, RoaringBitmap};

use super::Message;
use super::funnel::{self, Audiences, Funnel, Over};
use crate::audience::crowd::Residents;
use crate::error::Result;
use crate::time::Moment;

/// Points of a timeline at most.
pub const POINTS: usize = 60;
const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;
/// Lengths of a stretch, in milliseconds, each a multiple of the one before; longer ones double.
const LENGTHS: [i64; 10] = [
    MINUTE,
    2 * MINUTE,
    10 * MINUTE,
    30 * MINUTE,
    60 * MINUTE,
    120 * MINUTE,
    240 * MINUTE,
    720 * MINUTE,
    DAY,
    7 * DAY,
];

/// How many had seen and read a message, by the end of each stretch since its publication.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Timeline {
    /// The length of a stretch in milliseconds, a whole number of minutes.
    pub length: i64,
    /// People who had seen it by the end of each; at least one number, at most [`POINTS`].
    pub seen: Vec<u64>,
    /// Of these, who had read it; as many numbers.
    pub read: Vec<u64>,
}

/// The stretches, with who did something in each.
#[derive(Debug, Clone)]
pub(super) struct Stretches {
    /// When the first begins.
    from: i64,
    length: i64,
    seen: Vec<RoaringBitmap>,
    read: Vec<RoaringBitmap>,
}

impl Stretches {
    pub(super) fn new(from: Moment) -> Self {
        Self {
            from: from.0,
            length: LENGTHS[0],
            seen: vec![RoaringBitmap::new()],
            read: vec![RoaringBitmap::new()],
        }
    }

    /// The number of the stretch in which a time is; what comes too late for the last one makes all of them longer.
    fn at(&mut self, at: i64) -> usize {
        let since = (at - self.from).max(0);
        while since / self.length >= POINTS as i64 {
            let longer = LENGTHS.into_iter().find(|length| *length > self.length);
            self.lengthen(longer.unwrap_or(self.length * 2));
        }
        let index = (since / self.length) as usize;
        self.reach(index + 1);
        index
    }

    /// Makes all stretches longer, by a whole number of times.
    fn lengthen(&mut self, length: i64) {
        let times = (length / self.length) as usize;
        for row in [&mut self.seen, &mut self.read] {
            *row = row.chunks(times).map(MultiOps::union).collect();
        }
        self.length = length;
    }

    /// Has so many stretches at least.
    fn reach(&mut self, count: usize) {
        let count = count.max(self.seen.len());
        self.seen.resize(count, RoaringBitmap::new());
        self.read.resize(count, RoaringBitmap::new());
    }

    pub(super) fn saw(&mut self, person: u32, at: i64) {
        let index = self.at(at);
        self.seen[index].insert(person);
    }

    pub(super) fn read(&mut self, person: u32, at: i64) {
        let index = self.at(at);
        self.read[index].insert(person);
    }

    /// Leaves each person where they are first.
    pub(super) fn settle(&mut self) {
        for row in [&mut self.seen, &mut self.read] {
            let mut so_far = RoaringBitmap::new();
            for part in row {
                *part -= &so_far;
                so_far |= &*part;
            }
        }
    }

    /// Adds those of other stretches who are among some people and not among others. Nobody is in both.
    pub(super) fn add(&mut self, other: &Self, but: &RoaringBitmap, people: &RoaringBitmap) {
        let mut other = other.clone();
        let length = self.length.max(other.length);
        for one in [&mut *self, &mut other] {
            if one.length < length {
                one.lengthen(length);
            }
        }
        self.reach(other.seen.len());
        for (row, others) in [(&mut self.seen, other.seen), (&mut self.read, other.read)] {
            for (part, other) in row.iter_mut().zip(others) {
                *part |= (other - but) & people;
            }
        }
    }

    /// All that it holds.
    pub(super) fn bitmaps(&self) -> impl Iterator<Item = &RoaringBitmap> {
        self.seen.iter().chain(&self.read)
    }
}

/// How many, by the end of each stretch.
fn sums(row: &[RoaringBitmap]) -> Vec<u64> {
    let mut so_far = 0;
    let sum = |part: &RoaringBitmap| {
        so_far += part.len();
        so_far
    };
    row.iter().map(sum).collect()
}

/// The numbers of a message and its timeline, on one look; `None` before its publication.
pub fn timeline(
    tx: &mut Tx<'_>,
    residents: &Residents,
    kept: &Audiences,
    message: &Message,
    now: Moment,
) -> Result<Option<(Funnel, Timeline)>> {
    let found = funnel::look(tx, residents, kept, std::slice::from_ref(message), Over::Time, now)?;
    let Some(found) = found.into_iter().next().flatten() else {
        return Ok(None);
    };
    let timeline = found.stretches.as_ref().map(|stretches| Timeline {
        length: stretches.length,
        seen: sums(&stretches.seen),
        read: sums(&stretches.read),
    });
    let funnel = funnel::numbers(tx, residents, message, &found.crowds)?;
    Ok(timeline.map(|timeline| (funnel, timeline)))
}
