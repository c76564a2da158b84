//! Dates as the contract has them: `yyyy-MM-ddTHH:mm:ss` in UTC, without zone and fraction. What comes in may have
//! either: an offset is converted, a fraction cut.
//!
//! The years 1 to 9999 are those of the clients' own type, whose least and greatest values they send for "always". The
//! window of a message begins in 1970 at the earliest.

use campanile_core::time::Moment;
use jiff::SignedDuration;
use jiff::civil::DateTime;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

const FORM: &str = "must be a date and time in UTC such as 2026-01-31T12:00:00";
const EPOCH: DateTime = jiff::civil::datetime(1970, 1, 1, 0, 0, 0, 0);
const FIRST: &str = "0001-01-01T00:00:00";
const LAST: &str = "9999-12-31T23:59:59";
/// Of both ends, in milliseconds.
const FIRST_MS: i64 = -62_135_596_800_000;
const LAST_MS: i64 = 253_402_300_799_000;
/// Characters without zone and fraction.
const LENGTH: usize = LAST.len();

/// The last second that there is.
pub(super) const fn last() -> Moment {
    Moment(LAST_MS)
}

/// A date of a body: a whole second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Date(pub(super) Moment);

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&show(self.0))
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        read(&text).map(Self).ok_or_else(|| serde::de::Error::custom(FORM))
    }
}

/// A time as the contract writes it; one before the year 1 or after 9999 as the first or last second of these.
pub(super) fn show(at: Moment) -> String {
    let at = Moment(at.0.clamp(FIRST_MS, LAST_MS)).second();
    let shown = EPOCH.checked_add(SignedDuration::from_millis(at.0));
    shown.map_or_else(
        |_| LAST.to_owned(),
        |shown| shown.strftime("%Y-%m-%dT%H:%M:%S").to_string(),
    )
}

/// Reads a time; `None` where it is not one of the years 1 to 9999.
pub(super) fn read(text: &str) -> Option<Moment> {
    let (local, rest) = text.split_at_checked(LENGTH)?;
    let in_form = local.bytes().zip(FIRST.bytes()).all(|(byte, form)| match form {
        b'0' | b'1' => byte.is_ascii_digit(),
        _ => byte == form,
    });
    if !in_form {
        return None;
    }
    let local: DateTime = local.parse().ok()?;
    let ms = local.duration_since(EPOCH).as_millis() as i64 - offset_ms(without_fraction(rest)?)?;
    (FIRST_MS..=LAST_MS).contains(&ms).then_some(Moment(ms))
}

/// What follows a fraction, which is cut.
fn without_fraction(rest: &str) -> Option<&str> {
    let Some(fraction) = rest.strip_prefix('.') else {
        return Some(rest);
    };
    let zone = fraction.trim_start_matches(|char: char| char.is_ascii_digit());
    (zone.len() < fraction.len()).then_some(zone)
}

/// The milliseconds by which a zone is ahead of UTC: none is UTC, as is `Z`; else `+hh:mm`, `+hhmm` or `+hh`.
fn offset_ms(zone: &str) -> Option<i64> {
    if matches!(zone, "" | "Z" | "z") {
        return Some(0);
    }
    let (sign, digits) = match zone.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = match digits.len() {
        2 => (digits, "00"),
        4 => digits.split_at_checked(2)?,
        _ => digits.split_once(':')?,
    };
    let number = |text: &str, below: i64| {
        let is_number = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<i64>().ok().filter(|number| is_number && *number < below)
    };
    Some(sign * (number(hours, 24)? * 60 + number(minutes, 60)?) * 60_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn back(text: &str) -> Option<String> {
        read(text).map(show)
    }

    #[test]
    fn what_comes_in_leaves_in_the_one_form() {
        for (text, shown) in [
            ("2026-11-30T12:34:56", "2026-11-30T12:34:56"),
            ("2026-11-30T12:34:56Z", "2026-11-30T12:34:56"),
            ("2026-11-30T12:34:56.9999999Z", "2026-11-30T12:34:56"),
            ("2026-11-30T12:34:56.1", "2026-11-30T12:34:56"),
            ("2026-11-30T00:34:56+01:00", "2026-11-29T23:34:56"),
            ("2026-12-31T23:00:00.5-0230", "2027-01-01T01:30:00"),
            ("2026-11-30T12:34:56+05", "2026-11-30T07:34:56"),
            ("2024-02-29T00:00:00", "2024-02-29T00:00:00"),
            ("1969-12-31T23:59:59.5", "1969-12-31T23:59:59"),
            (FIRST, FIRST),
            ("9999-12-31T23:59:59.9999999", LAST),
        ] {
            assert_eq!(back(text).as_deref(), Some(shown), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "2026-11-30",
            "2026-11-30 12:34:56",
            "2026-11-30T12:34",
            "2026-02-29T00:00:00",
            "2026-13-01T00:00:00",
            "2026-11-30T24:00:00",
            "2026-11-30T12:34:56.",
            "2026-11-30T12:34:56.x",
            "2026-11-30T12:34:56 Z",
            "2026-11-30T12:34:56+1:00",
            "2026-11-30T12:34:56+24:00",
            "2026-11-30T12:34:56+01:60",
            "2026-11-30T12:34:56[Europe/Prague]",
            "0000-01-01T00:00:00",
            "0001-01-01T00:00:00+01:00",
            "9999-12-31T23:59:59-01:00",
            "-026-11-30T12:34:56",
            "2026-11-30T12:34:5\u{e9}",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn no_end_at_all_is_the_last_second() {
        assert_eq!(show(Moment::NEVER), LAST);
        assert_eq!(show(Moment(i64::MIN)), FIRST);
        assert_eq!(read(LAST), Some(Moment(LAST_MS)));
        assert_eq!(read(FIRST), Some(Moment(FIRST_MS)));
    }
}
