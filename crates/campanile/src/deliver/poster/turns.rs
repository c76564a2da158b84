//! Which target gets how many POSTs, and when: few under way at one, targets in turns, critical ones first. Pure.
//!
//! A few more than may be under way are taken ahead, so that a target does not wait while the database is asked. One
//! that fails, or asks to be left alone, has none at hand: what was taken for it goes back.

use std::collections::{BTreeMap, HashMap, VecDeque};

use campanile_core::outbox::delivery::Taken;
use campanile_core::outbox::destination::ToPost;
use campanile_core::outbox::run::Lane;
use campanile_core::time::Moment;

use super::Answered;
use crate::deliver::http::Outcome;

/// POSTs under way; critical ones alone may use the last part.
const IN_FLIGHT: usize = 128;
/// Kept free for critical messages.
const RESERVED: usize = 16;
/// POSTs under way to one target.
const PER_TARGET: usize = 8;
/// POSTs of one target that are under way or at hand.
const TAKEN_PER_TARGET: usize = 3 * PER_TARGET;
/// POSTs that are under way or at hand.
const TAKEN: usize = 2 * IN_FLIGHT;
/// A target that has too much to do is left alone for so long at most; what waits for it has times of its own.
const REST_MS: i64 = 60_000;

/// A POST at hand. There may be nothing to post any more.
pub(super) type Held = (Taken, Option<ToPost>);

/// What is known of a target, while there is something for it or it fails.
#[derive(Default)]
struct Target {
    in_flight: usize,
    /// Taken and not begun, the more urgent first.
    at_hand: VecDeque<Held>,
    /// The last answer was a failure.
    is_failing: bool,
    /// It asked to be left alone until then.
    rests_until: Moment,
}

impl Target {
    /// What an answer says of it.
    fn learn(&mut self, answered: &Answered) {
        self.is_failing = !matches!(answered.outcome, Outcome::Done { .. } | Outcome::Ours { .. });
        if let Outcome::Retry {
            at, throttled: true, ..
        } = answered.outcome
        {
            self.rests_until = at.min(answered.at.plus_ms(REST_MS));
        }
    }

    /// How many more may be taken for it.
    fn room(&self) -> usize {
        let most = if self.is_failing { 1 } else { TAKEN_PER_TARGET };
        most.saturating_sub(self.in_flight + self.at_hand.len())
    }

    /// Whether one more may be under way.
    fn is_free(&self) -> bool {
        self.in_flight < if self.is_failing { 1 } else { PER_TARGET }
    }

    fn is_forgotten(&self, now: Moment) -> bool {
        self.in_flight == 0 && self.at_hand.is_empty() && !self.is_failing && self.rests_until <= now
    }
}

/// Every target that there is something for.
#[derive(Default)]
pub(super) struct Turns {
    targets: BTreeMap<i64, Target>,
    in_flight: usize,
    at_hand: usize,
    /// The target that had the last turn.
    last: Option<i64>,
}

impl Turns {
    /// Whether anything may be taken.
    pub(super) const fn has_room(&self) -> bool {
        self.in_flight + self.at_hand < TAKEN
    }

    /// How many may be taken of whom.
    pub(super) fn rooms(&self) -> Rooms {
        let targets = self.targets.iter();
        Rooms {
            of: targets
                .map(|(share, target)| (*share, (target.room(), target.rests_until)))
                .collect(),
            all: TAKEN - self.in_flight - self.at_hand,
            last: self.last.unwrap_or(i64::MIN),
        }
    }

    /// Takes in what was taken.
    pub(super) fn hold(&mut self, taken: Vec<Held>) {
        for held in taken {
            let at_hand = &mut self.targets.entry(held.0.share).or_default().at_hand;
            let place = at_hand.partition_point(|other| other.0.lane <= held.0.lane);
            at_hand.insert(place, held);
            self.at_hand += 1;
        }
    }

    /// The next POST that may be begun: the most urgent there is, of the first target behind the one that had the last
    /// turn. It counts as under way.
    pub(super) fn next(&mut self) -> Option<Held> {
        let last = self.last.unwrap_or(i64::MIN);
        let most = |lane| IN_FLIGHT - if lane == Lane::Critical { 0 } else { RESERVED };
        let may = |target: &Target, lane| {
            let first = target.at_hand.front().map(|held| held.0.lane);
            target.is_free() && first == Some(lane) && self.in_flight < most(lane)
        };
        let share = Lane::ALL.into_iter().find_map(|lane| {
            let (before, after) = (
                self.targets.range(..=last),
                self.targets.range(last..).skip_while(|of| *of.0 == last),
            );
            let mut turns = after.chain(before);
            turns.find(|(_, target)| may(target, lane)).map(|(share, _)| *share)
        })?;
        let target = self.targets.get_mut(&share)?;
        let held = target.at_hand.pop_front()?;
        target.in_flight += 1;
        (self.in_flight, self.at_hand, self.last) = (self.in_flight + 1, self.at_hand - 1, Some(share));
        Some(held)
    }

    /// One that was under way was answered.
    pub(super) fn landed(&mut self, answered: &Answered) {
        self.in_flight -= 1;
        let share = answered.taken.share;
        let target = self.targets.entry(share).or_default();
        target.in_flight = target.in_flight.saturating_sub(1);
        target.learn(answered);
        if target.is_forgotten(answered.at) {
            self.targets.remove(&share);
        }
    }

    /// What was taken for targets that shall not get it now. One that fails keeps one, to be asked by.
    pub(super) fn surplus(&mut self, now: Moment) -> Vec<Taken> {
        let mut back = Vec::new();
        for target in self.targets.values_mut() {
            let keeps = if target.rests_until > now {
                0
            } else if target.is_failing {
                usize::from(target.in_flight == 0)
            } else {
                continue;
            };
            let keeps = keeps.min(target.at_hand.len());
            back.extend(target.at_hand.drain(keeps..).map(|held| held.0));
        }
        self.at_hand -= back.len();
        back
    }

    /// Everything that was taken and not begun.
    pub(super) fn drain(&mut self) -> Vec<Taken> {
        self.at_hand = 0;
        let targets = self.targets.values_mut();
        targets
            .flat_map(|target| target.at_hand.drain(..))
            .map(|held| held.0)
            .collect()
    }
}

/// How many may be taken of whom, at one moment.
pub(super) struct Rooms {
    of: HashMap<i64, (usize, Moment)>,
    all: usize,
    last: i64,
}

/// What is to be taken: so many of a lane and a target.
pub(super) struct Plan {
    pub(super) wanted: Vec<(Lane, i64, i64)>,
    pub(super) next_due: Option<Moment>,
}

impl Rooms {
    /// Shares the room out among what is due: critical ones first, then the targets in turns, beginning after the one
    /// that had the last turn.
    pub(super) fn plan(mut self, lanes: Vec<(Lane, Vec<(i64, Moment)>)>, now: Moment) -> Plan {
        let (mut wanted, mut next_due) = (Vec::new(), None::<Moment>);
        for (lane, mut shares) in lanes {
            if lane == Lane::Normal {
                self.all = self.all.saturating_sub(RESERVED);
            }
            let after = shares.partition_point(|(share, _)| *share <= self.last);
            shares.rotate_left(after);
            for (share, due) in shares {
                let (room, rests_until) = self.of.entry(share).or_insert((TAKEN_PER_TARGET, Moment(i64::MIN)));
                let due = due.max(*rests_until);
                if due > now {
                    next_due = Some(next_due.map_or(due, |next| next.min(due)));
                    continue;
                }
                let some = (*room).min(self.all);
                if some > 0 {
                    wanted.push((lane, share, some as i64));
                    *room -= some;
                    self.all -= some;
                }
            }
        }
        Plan { wanted, next_due }
    }
}
