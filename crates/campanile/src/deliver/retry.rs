//! When a failed POST is tried again: the schedule of Standard Webhooks, `Retry-After`, and some chance. Pure.

use campanile_core::time::Moment;

/// Attempts of one message: the first, and one after each pause.
pub const ATTEMPTS: u32 = PAUSES_MS.len() as u32 + 1;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
/// Standard Webhooks 1.0.0, "Deliverability and reliability": 75 h and a half in all.
const PAUSES_MS: [i64; 9] = [
    5_000,
    5 * MINUTE_MS,
    30 * MINUTE_MS,
    2 * HOUR_MS,
    5 * HOUR_MS,
    10 * HOUR_MS,
    14 * HOUR_MS,
    20 * HOUR_MS,
    24 * HOUR_MS,
];
/// A target that has too much to do is left alone for as long at least.
const THROTTLED_MS: i64 = MINUTE_MS;
/// Longer than this no target makes us wait.
const ASKED_MAX_MS: i64 = 24 * HOUR_MS;
/// Tenths of a percent by which a pause is shortened or lengthened at most, so that what failed together does not
/// come back together.
const JITTER: i64 = 100;

/// What a failed attempt says about the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Plea {
    /// The target has too much to do: 429, 502, 504, or no answer in time.
    pub throttled: bool,
    /// How long it asks to be left alone, in milliseconds: [`asked_ms`].
    pub asked_ms: Option<i64>,
}

/// When to try again after attempt number `attempt` (from 1) failed; `None` after the last. A target may ask for a
/// later time, up to a day, not for an earlier one: ten tries in ten seconds are over before anybody can mend anything.
#[must_use]
pub fn next(attempt: u32, failed_at: Moment, chance: u32, plea: Plea) -> Option<Moment> {
    let pause = *PAUSES_MS.get(usize::try_from(attempt.saturating_sub(1)).ok()?)?;
    let pause = if plea.throttled { pause.max(THROTTLED_MS) } else { pause };
    let thousandths = 1_000 - JITTER + i64::from(chance) % (2 * JITTER + 1);
    let pause = pause * thousandths / 1_000;
    let asked = plea.asked_ms.unwrap_or(0).clamp(0, ASKED_MAX_MS);
    Some(failed_at.plus_ms(pause.max(asked)))
}

/// When to try again what failed by no fault of the target: soon, without counting.
#[must_use]
pub fn soon(failed_at: Moment, chance: u32) -> Moment {
    failed_at.plus_ms(MINUTE_MS / 2 + i64::from(chance) % MINUTE_MS)
}

/// The value of `Retry-After` in milliseconds from now: seconds, or a date (RFC 9110, section 10.2.3; of the formats of
/// dates, the one that is still written). `None` where it is neither.
#[must_use]
pub fn asked_ms(value: &str, now: Moment) -> Option<i64> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // Too many digits are a very long time.
        return Some(
            value
                .parse::<i64>()
                .map_or(i64::MAX, |seconds| seconds.saturating_mul(1_000)),
        );
    }
    let date = jiff::fmt::rfc2822::parse(value).ok()?;
    Some((date.timestamp().as_millisecond() - now.0).max(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Moment = Moment(1_000_000_000_000);
    const EVEN: u32 = 100;

    fn after(attempt: u32, chance: u32, plea: Plea) -> Option<i64> {
        next(attempt, NOW, chance, plea).map(|at| at.0 - NOW.0)
    }

    #[test]
    fn the_schedule_is_that_of_the_standard() {
        let pauses: Vec<_> = (1..)
            .map_while(|attempt| after(attempt, EVEN, Plea::default()))
            .collect();
        let hours = [2, 5, 10, 14, 20, 24].map(|hours| hours * 3_600_000);
        assert_eq!(pauses, [&[5_000, 300_000, 1_800_000][..], &hours[..]].concat());
        assert_eq!(ATTEMPTS, 10);
        assert_eq!(pauses.iter().sum::<i64>() / 3_600_000, 75);
    }

    #[test]
    fn chance_moves_a_pause_by_a_tenth_at_most() {
        let all: Vec<_> = (0..1_000)
            .filter_map(|chance| after(2, chance, Plea::default()))
            .collect();
        assert_eq!(all.iter().min(), Some(&270_000));
        assert_eq!(all.iter().max(), Some(&330_000));
    }

    #[test]
    fn a_target_with_too_much_to_do_gets_a_minute() {
        let throttled = Plea {
            throttled: true,
            asked_ms: None,
        };
        assert_eq!(after(1, EVEN, throttled), Some(60_000));
        assert_eq!(after(2, EVEN, throttled), Some(300_000));
    }

    #[test]
    fn a_target_may_ask_for_later_up_to_a_day_and_not_for_earlier() {
        let asks = |asked_ms| Plea {
            throttled: false,
            asked_ms: Some(asked_ms),
        };
        assert_eq!(after(1, EVEN, asks(90_000)), Some(90_000));
        assert_eq!(after(2, EVEN, asks(1_000)), Some(300_000));
        assert_eq!(after(1, EVEN, asks(i64::MAX)), Some(86_400_000));
        assert_eq!(after(1, EVEN, asks(-5)), Some(5_000));
    }

    #[test]
    fn seconds_and_dates_are_read() {
        let now = Moment::parse("1994-11-06T08:49:00Z").unwrap();
        assert_eq!(asked_ms("Sun, 06 Nov 1994 08:49:37 GMT", now), Some(37_000));
        assert_eq!(asked_ms("Sun, 06 Nov 1994 08:48:37 GMT", now), Some(0));
        assert_eq!(asked_ms(" 120 ", now), Some(120_000));
        assert_eq!(asked_ms(&"9".repeat(40), now), Some(i64::MAX));
        for not in ["", "-1", "soon", "1.5", "Sun, 99 Nov 1994 08:49:37 GMT"] {
            assert_eq!(asked_ms(not, now), None, "{not}");
        }
    }
}
