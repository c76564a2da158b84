//! Times as a reader reads them: in their zone, in their language, and once more in UTC.

use campanile_core::time::Moment;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::words::Words;

/// The parts into which [`Zone::place_in_year`] takes a month.
pub(super) const MONTH: i64 = 10_000;

/// A reader's zone.
#[derive(Clone)]
pub(super) struct Zone(TimeZone);

impl Zone {
    /// The first of these that is a zone of the IANA data base, else UTC.
    #[must_use]
    pub(super) fn choose<'a>(names: impl IntoIterator<Item = Option<&'a str>>) -> Self {
        let mut names = names.into_iter().flatten();
        Self(names.find_map(|name| TimeZone::get(name).ok()).unwrap_or(TimeZone::UTC))
    }

    /// Its name, such as `Europe/Prague`.
    #[must_use]
    pub(super) fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    fn at(&self, moment: Moment) -> Option<DateTime> {
        let stamp = Timestamp::from_millisecond(moment.0).ok()?;
        Some(self.0.to_datetime(stamp))
    }

    /// `21 Nov 2026, 10:44`.
    #[must_use]
    pub(super) fn full(&self, words: Words, moment: Moment) -> String {
        let far = || words.t("time-far");
        self.at(moment).map_or_else(far, |at| words.dates().full(at))
    }

    /// How long ago, as short as it can be said: `now`, `2 min`, `3 h`, `12 Nov`, `12 Nov 2024`.
    #[must_use]
    pub(super) fn ago(&self, words: Words, moment: Moment, now: Moment) -> String {
        let minutes = now.0.saturating_sub(moment.0) / 60_000;
        match minutes {
            ..0 => self.full(words, moment),
            0 => words.t("time-now"),
            1..60 => words.dates().minutes(minutes as usize),
            60..1_440 => words.dates().hours(minutes as usize / 60),
            _ => self.day(words, moment, now),
        }
    }

    /// `12 Nov`, with the year where it is another one.
    #[must_use]
    pub(super) fn day(&self, words: Words, moment: Moment, now: Moment) -> String {
        let (Some(at), Some(today)) = (self.at(moment), self.at(now)) else {
            return words.t("time-far");
        };
        if at.year() == today.year() {
            words.dates().day(at)
        } else {
            words.dates().day_year(at)
        }
    }

    /// The value of an `<input type="datetime-local">`.
    #[must_use]
    pub(super) fn input(&self, moment: Moment) -> String {
        self.at(moment)
            .map(|at| at.strftime("%Y-%m-%dT%H:%M").to_string())
            .unwrap_or_default()
    }

    /// The same to the second, which only a time has that is not at the beginning of a minute.
    #[must_use]
    pub(super) fn input_to_the_second(&self, moment: Moment) -> String {
        let text = |at: DateTime| at.strftime("%Y-%m-%dT%H:%M:%S").to_string();
        let text = self.at(moment).map(text).unwrap_or_default();
        text.strip_suffix(":00").map(str::to_owned).unwrap_or(text)
    }

    /// The year in which a moment is.
    #[must_use]
    pub(super) fn year(&self, moment: Moment) -> i16 {
        self.at(moment).map_or(1970, DateTime::year)
    }

    /// Where in a year a moment is, in parts of which each month has [`MONTH`]; its ends for what is outside.
    #[must_use]
    pub(super) fn place_in_year(&self, moment: Moment, year: i16) -> i64 {
        let Some(at) = self.at(moment) else {
            return if moment.0 > 0 { 12 * MONTH } else { 0 };
        };
        match at.year().cmp(&year) {
            std::cmp::Ordering::Less => 0,
            std::cmp::Ordering::Greater => 12 * MONTH,
            std::cmp::Ordering::Equal => {
                let minutes = i64::from(at.day() - 1) * 1_440 + i64::from(at.hour()) * 60 + i64::from(at.minute());
                (i64::from(at.month()) - 1) * MONTH + minutes * MONTH / (i64::from(at.days_in_month()) * 1_440)
            }
        }
    }

    /// Out of an `<input type="datetime-local">`. A time that the clock skips is the one after it; of one that comes
    /// twice it is the first.
    #[must_use]
    pub(super) fn parse(&self, value: &str) -> Option<Moment> {
        let at: DateTime = value.parse().ok()?;
        let zoned = at.to_zoned(self.0.clone()).ok()?;
        Some(Moment(zoned.timestamp().as_millisecond()))
    }
}

/// The value of a `datetime` attribute: RFC 3339 in UTC.
#[must_use]
pub(super) fn iso(moment: Moment) -> String {
    Timestamp::from_millisecond(moment.0).map_or_else(|_| String::new(), |at| at.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Moment = Moment(1_795_254_240_000);

    #[test]
    fn a_time_reads_in_the_readers_zone_and_language() {
        let shown = |zone, tag| Zone::choose([zone]).full(Words::choose(Some(tag), None), AT);
        assert_eq!(shown(Some("Europe/Berlin"), "en"), "21 Nov 2026, 10:44");
        assert_eq!(shown(Some("Europe/Berlin"), "de"), "21. Nov. 2026, 10:44");
        assert_eq!(shown(Some("no/zone"), "en"), "21 Nov 2026, 09:44");
        assert_eq!(AT.utc(), "2026-11-21 09:44 UTC");
    }

    #[test]
    fn every_date_reads_as_the_texts_of_its_language_say() {
        let zone = Zone::choose([]);
        for tag in ["en", "de"] {
            let words = Words::choose(Some(tag), None);
            for days in 0..366 {
                let moment = AT.plus_ms(days * 86_400_000);
                let at = zone.at(moment).unwrap();
                let things = |key| {
                    let (day, month) = (i64::from(at.day()), i64::from(at.month()));
                    let (year, time) = (at.year().to_string(), at.strftime("%H:%M").to_string());
                    let things = [("day", day.into()), ("month", month.into()), ("year", year.into())];
                    let [day, month, year] = things;
                    words.with(key, [day, month, year, ("time", time.into())])
                };
                assert_eq!(zone.full(words, moment), things("time-full"));
                assert_eq!(zone.day(words, moment, moment), things("time-day"));
                assert_eq!(zone.day(words, moment, Moment(0)), things("time-day-year"));
            }
        }
    }

    #[test]
    fn how_long_ago_is_short() {
        let (zone, words) = (Zone::choose([]), Words::choose(None, None));
        let ago = |ms| zone.ago(words, AT, AT.plus_ms(ms));
        assert_eq!(ago(0), "now");
        assert_eq!(ago(125_000), "2 min");
        assert_eq!(ago(3 * 3_600_000), "3 h");
        assert_eq!(ago(30 * 3_600_000), "21 Nov");
        assert_eq!(ago(400 * 86_400_000), "21 Nov 2026");
        assert_eq!(ago(-60_000), "21 Nov 2026, 09:44");
    }

    #[test]
    fn a_place_in_a_year_goes_by_months_and_the_readers_zone() {
        let zone = Zone::choose([Some("Europe/Berlin")]);
        let place = |text: &str| zone.place_in_year(zone.parse(text).unwrap(), 2026);
        assert_eq!(place("2026-01-01T00:00"), 0);
        assert_eq!(place("2026-02-15T00:00"), 15_000);
        assert_eq!(place("2026-12-31T12:00"), 119_838);
        assert_eq!((place("2025-12-31T23:59"), place("2027-01-01T00:00")), (0, 120_000));
        assert_eq!(
            (zone.place_in_year(Moment::NEVER, 2026), zone.year(AT)),
            (120_000, 2026)
        );
    }

    #[test]
    fn what_is_typed_is_what_is_shown() {
        let zone = Zone::choose([Some("America/New_York")]);
        assert_eq!(zone.parse(&zone.input(AT)), Some(AT));
        let second = AT.plus_ms(7_000);
        assert_eq!(zone.input_to_the_second(AT), zone.input(AT));
        assert_eq!(zone.parse(&zone.input_to_the_second(second)), Some(second));
        assert_eq!(zone.parse("2026-13-01T00:00"), None);
        // The hour that the clock skips in spring.
        assert!(zone.parse("2026-03-08T02:30").is_some());
    }
}
