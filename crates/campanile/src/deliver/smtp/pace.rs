//! How many connections a relay gets, and how long it is left alone when it has trouble. Pure: time comes in.
//!
//! Additive increase, multiplicative decrease: each round of good answers adds a connection, each complaint halves
//! them.

use std::time::Duration;

use campanile_core::time::Moment;

/// Connections at the beginning.
const START: usize = 4;
/// The first pause after trouble, doubled with each further one.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_mins(5);
/// The first pause where asking again will not help before somebody has changed something (a wrong password).
const PAUSE_PERMANENT: Duration = Duration::from_mins(1);

/// How long a recipient waits for the next try after so many that did not succeed (RFC 5321, section 4.5.4.1, with
/// quicker ones at the beginning): 5 min, 15 min, 1 h, 2 h, 4 h, then 8 h each. When to give up is the message's own
/// matter.
#[must_use]
pub fn next_try(attempts: u32) -> Duration {
    match attempts {
        0 | 1 => Duration::from_mins(5),
        2 => Duration::from_mins(15),
        3 => Duration::from_hours(1),
        4 => Duration::from_hours(2),
        5 => Duration::from_hours(4),
        _ => Duration::from_hours(8),
    }
}

/// The pace of one relay.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pace {
    most: usize,
    /// Connections, with the part of the next one that has been earned.
    limit: f64,
    /// Answers to come until a complaint counts again: those on the way belong to the old pace.
    deaf: usize,
    /// Troubles in a row.
    troubles: u32,
    /// Until then nothing is sent.
    paused_until: Moment,
}

impl Pace {
    pub(super) fn new(most: usize) -> Self {
        let most = most.max(1);
        Self {
            most,
            limit: START.min(most) as f64,
            deaf: 0,
            troubles: 0,
            paused_until: Moment(i64::MIN),
        }
    }

    /// Connections that may be open now.
    pub(super) fn limit(&self) -> usize {
        (self.limit as usize).clamp(1, self.most)
    }

    /// When the pause ends, if there is one.
    pub(super) fn paused(&self, now: Moment) -> Option<Moment> {
        (now < self.paused_until).then_some(self.paused_until)
    }

    /// A mail was answered without a complaint: also a refused address is an answer.
    pub(super) fn answered(&mut self) {
        self.deaf = self.deaf.saturating_sub(1);
        self.troubles = 0;
        self.limit = (self.limit + 1.0 / self.limit).min(self.most as f64);
    }

    /// The relay wants to be asked less often, or lost a connection.
    pub(super) fn slow(&mut self) {
        if self.deaf == 0 {
            self.limit = (self.limit / 2.0).max(1.0);
            self.deaf = self.limit();
        } else {
            self.deaf -= 1;
        }
    }

    /// One more connection than these was refused while they work.
    pub(super) fn at_most(&mut self, open: usize) {
        self.limit = self.limit.min(open.max(1) as f64);
    }

    /// The relay does not work at all. Answers when to try again.
    pub(super) fn trouble(&mut self, now: Moment, permanent: bool) -> Moment {
        // Connections that fail at once are one trouble.
        if let Some(until) = self.paused(now) {
            return until;
        }
        let first = if permanent { PAUSE_PERMANENT } else { PAUSE };
        let pause = first.saturating_mul(1 << self.troubles.min(16)).min(LONGEST_PAUSE);
        self.troubles += 1;
        self.limit = 1.0;
        self.deaf = 0;
        self.paused_until = now.plus_ms(pause.as_millis() as i64);
        self.paused_until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_of_good_answers_adds_a_connection_and_a_complaint_halves() {
        let mut pace = Pace::new(16);
        assert_eq!(pace.limit(), 4);
        (0..9).for_each(|_| pace.answered());
        assert_eq!(pace.limit(), 5, "four answers, and five for the next");
        (0..1_000).for_each(|_| pace.answered());
        assert_eq!(pace.limit(), 16);
        pace.slow();
        assert_eq!(pace.limit(), 8);
        (0..8).for_each(|_| pace.slow());
        assert_eq!(pace.limit(), 8, "these were on the way already");
        (0..100).for_each(|_| pace.slow());
        assert_eq!(pace.limit(), 1);
    }

    #[test]
    fn pauses_double_up_to_five_minutes_and_an_answer_ends_the_row() {
        let mut pace = Pace::new(8);
        let mut now = Moment(0);
        let mut pauses = Vec::new();
        for _ in 0..11 {
            let until = pace.trouble(now, false);
            assert_eq!(pace.paused(now), Some(until));
            pauses.push((until.0 - now.0) / 1_000);
            now = until;
            assert_eq!(pace.paused(now), None);
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        assert_eq!(pace.limit(), 1);
        pace.answered();
        assert_eq!(pace.trouble(now, true).0 - now.0, 60_000);
    }

    #[test]
    fn tries_become_rarer_and_four_days_hold_sixteen() {
        let mut waited = Duration::ZERO;
        let tries = (1..).take_while(|attempts| {
            waited += next_try(*attempts);
            waited < Duration::from_hours(4 * 24)
        });
        assert_eq!(tries.count(), 16);
    }

    #[test]
    fn a_relay_that_takes_three_gets_three() {
        let mut pace = Pace::new(16);
        pace.at_most(3);
        assert_eq!(pace.limit(), 3);
        pace.at_most(0);
        assert_eq!(pace.limit(), 1);
    }
}
