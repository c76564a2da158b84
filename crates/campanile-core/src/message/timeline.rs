//! How far a message got, over time: how many had seen and read it by when.
//!
//! One look at the marks and deeds, whatever their number: each goes into the bitmap of its stretch of time. The
//! stretches grow with the story, so that there are never more than [`POINTS`]. What the last point says is what
//! [`super::funnel`] says.

use campanile_store::Tx;
use roaring::RoaringBitmap;

use super::Message;
use super::funnel::{self, Audiences, Funnel};
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
struct Stretches {
    /// When the first begins.
    from: i64,
    length: i64,
    seen: Vec<RoaringBitmap>,
    read: Vec<RoaringBitmap>,
}

impl Stretches {
    fn new(from: i64) -> Self {
        Self {
            from,
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
            let longer = longer.unwrap_or(self.length * 2);
            let times = (longer / self.length) as usize;
            for row in [&mut self.seen, &mut self.read] {
                *row = row
                    .chunks(times)
                    .map(|part| part.iter().fold(RoaringBitmap::new(), |all, one| all | one))
                    .collect();
            }
            self.length = longer;
        }
        let index = (since / self.length) as usize;
        if self.seen.len() <= index {
            self.seen.resize(index + 1, RoaringBitmap::new());
            self.read.resize(index + 1, RoaringBitmap::new());
        }
        index
    }

    fn saw(&mut self, person: u32, at: i64) {
        let index = self.at(at);
        self.seen[index].insert(person);
    }

    fn read(&mut self, person: u32, at: i64) {
        let index = self.at(at);
        self.read[index].insert(person);
    }
}

/// How many, by the end of each stretch, of some people.
fn sums(row: &[RoaringBitmap], people: &RoaringBitmap) -> Vec<u64> {
    let mut so_far = RoaringBitmap::new();
    let sum = |part: &RoaringBitmap| {
        so_far |= part & people;
        so_far.len()
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
    let Some(published) = message.published_at else {
        return Ok(None);
    };
    let mut stretches = Stretches::new(published.0);
    let mut told = |person, reads, at| {
        stretches.saw(person, at);
        if reads {
            stretches.read(person, at);
        }
    };
    let crowds = funnel::tell(tx, residents, kept, message, now, &mut told)?;
    let timeline = Timeline {
        length: stretches.length,
        seen: sums(&stretches.seen, &crowds.people),
        read: sums(&stretches.read, &crowds.people),
    };
    Ok(Some((funnel::numbers(residents, message, &crowds), timeline)))
}
