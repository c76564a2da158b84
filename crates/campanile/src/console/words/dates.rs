//! How a language writes times: its texts are asked once for every form, and a page that says forty times puts numbers
//! into them. A form is chosen by the month and by the count alone; a test holds all of them against the texts.

use std::fmt::Write as _;

use jiff::civil::DateTime;

use super::Words;

/// Where the numbers go in a form; in no text of ours.
const DAY: char = '\u{1}';
const YEAR: char = '\u{2}';
const TIME: char = '\u{3}';

/// A date with a time, a day, and a day with its year: one form a month.
type Forms = [String; 12];

/// The forms of a language.
pub(in crate::console) struct Dates {
    full: Forms,
    day: Forms,
    day_year: Forms,
    minutes: Vec<String>,
    hours: Vec<String>,
}

impl Dates {
    pub(super) fn new(words: Words) -> Self {
        let forms = |key| {
            std::array::from_fn(|month| {
                words.with(
                    key,
                    [
                        ("day", DAY.to_string().into()),
                        ("month", (month as i64 + 1).into()),
                        ("year", YEAR.to_string().into()),
                        ("time", TIME.to_string().into()),
                    ],
                )
            })
        };
        Self {
            full: forms("time-full"),
            day: forms("time-day"),
            day_year: forms("time-day-year"),
            minutes: (0..60).map(|n| words.n("time-minutes", n)).collect(),
            hours: (0..24).map(|n| words.n("time-hours", n)).collect(),
        }
    }

    /// `21 Nov 2026, 10:44`.
    pub(in crate::console) fn full(&self, at: DateTime) -> String {
        written(&self.full, at)
    }

    /// `21 Nov`.
    pub(in crate::console) fn day(&self, at: DateTime) -> String {
        written(&self.day, at)
    }

    /// `21 Nov 2026`.
    pub(in crate::console) fn day_year(&self, at: DateTime) -> String {
        written(&self.day_year, at)
    }

    /// `2 min`; so many as are less than an hour.
    pub(in crate::console) fn minutes(&self, n: usize) -> String {
        self.minutes[n].clone()
    }

    /// `3 h`; so many as are less than a day.
    pub(in crate::console) fn hours(&self, n: usize) -> String {
        self.hours[n].clone()
    }
}

fn written(forms: &Forms, at: DateTime) -> String {
    let form = &forms[at.month() as usize - 1];
    let mut out = String::with_capacity(form.len() + 12);
    for char in form.chars() {
        let wrote = match char {
            DAY => write!(out, "{}", at.day()),
            YEAR => write!(out, "{}", at.year()),
            TIME => write!(out, "{:02}:{:02}", at.hour(), at.minute()),
            char => out.write_char(char),
        };
        wrote.expect("a string takes all that is written");
    }
    out
}
