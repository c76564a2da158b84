//! A year of announcements: one line each, over the months, so that those at the same time are seen at a glance.

use std::sync::Arc;

use askama::Template;
use axum::extract::State as Of;
use axum::response::Response;
use campanile_core::Result as Ruled;
use campanile_core::message::Window;
use campanile_core::message::announced::{self, Announced, Order, PAGE_LIMIT, State, Wanted};
use campanile_core::rights::Rights;
use campanile_core::time::Moment;
use campanile_store::Tx;

use super::{Period, names, whom};
use crate::app::App;
use crate::console::form::Asked;
use crate::console::messages::{Named, heading};
use crate::console::page::{Page, Reader, importance_name, show};
use crate::console::when::MONTH;
use crate::problem::Problem;
use crate::sending;

/// The parts of a year.
const YEAR: i64 = 12 * MONTH;
/// The shortest bar, so that an hour is seen too: five days, which are eight pixels of the narrowest year.
const LEAST: i64 = YEAR / 73;
/// What can be pressed of a bar at least: a finger is wider.
const PRESSED: i64 = YEAR / 24;
/// Announcements of a year among which those at the same time are counted.
const COUNTED: usize = 5_000;
/// Years that can be looked at.
const YEARS: std::ops::RangeInclusive<i16> = 1970..=9998;

/// One line.
struct Bar {
    id: i64,
    name: String,
    importance: &'static str,
    whom: String,
    period: Period,
    on: bool,
    /// Where its bar begins and how long it is, as SVG takes them.
    x: String,
    width: String,
    /// The same of what can be pressed of it.
    press_x: String,
    press_width: String,
    /// How many others are there at some time of it.
    beside: usize,
}

#[derive(Template)]
#[template(path = "console/announcements/year.html")]
struct YearPage<'r> {
    page: Page<'r>,
    year: i16,
    /// The years before and after, where they can be looked at.
    before: Option<i16>,
    after: Option<i16>,
    months: Vec<String>,
    bars: Vec<Bar>,
    /// Where today is, in this year.
    today: Option<String>,
    more: Option<String>,
}

/// A part of the year in percent.
fn percent(parts: i64) -> String {
    let hundredths = parts * 10_000 / YEAR;
    format!("{}.{:02}%", hundredths / 100, hundredths % 100)
}

/// When the announcements of a year begin and end, each in order.
struct Times {
    opens: Vec<Moment>,
    closes: Vec<Moment>,
}

impl Times {
    fn of(windows: &[Window]) -> Self {
        let mut opens: Vec<Moment> = windows.iter().map(|window| window.opens).collect();
        let mut closes: Vec<Moment> = windows.iter().map(|window| window.closes).collect();
        opens.sort_unstable();
        closes.sort_unstable();
        Self { opens, closes }
    }

    /// How many others are there at some time of a window: those that have begun by its end, without those that were
    /// over before it began, and without itself.
    fn beside(&self, window: Window) -> usize {
        let begun = self.opens.partition_point(|at| *at <= window.closes);
        let over = self.closes.partition_point(|at| *at < window.opens);
        begun.saturating_sub(over + 1)
    }
}

fn bar(reader: &Reader, year: i16, (one, names): &(Announced, Vec<Named>), times: &Times) -> Bar {
    let message = &one.message;
    let stands = message.stands();
    let from = reader.zone.place_in_year(stands.opens, year).min(YEAR - LEAST);
    let to = reader.zone.place_in_year(stands.closes, year).max(from + LEAST);
    let press = (to - from).max(PRESSED);
    let press_from = (i64::midpoint(from, to) - press / 2).clamp(0, YEAR - press);
    Bar {
        id: message.id.0,
        name: heading(reader.words, message),
        importance: importance_name(message.importance),
        whom: whom(reader, one.to, names).0,
        period: Period::of(reader, stands),
        on: message.enabled,
        x: percent(from),
        width: percent(to - from),
        press_x: percent(press_from),
        press_width: percent(press),
        beside: times.beside(stands),
    }
}

pub(super) async fn year(Of(app): Of<Arc<App>>, reader: Reader, Asked(asked): Asked) -> Result<Response, Problem> {
    sending::may_announce(&reader.rights)?;
    let this_year = reader.zone.year(reader.now);
    let given = asked.get("year").parse().ok().filter(|year| YEARS.contains(year));
    let year = given.unwrap_or(this_year);
    let start = |year: i16| reader.zone.parse(&format!("{year:04}-01-01T00:00")).unwrap_or_default();
    let cursor: Option<i64> = asked.some("cursor").and_then(|cursor| cursor.parse().ok());
    let wanted = Wanted {
        from: Order::Below(cursor.unwrap_or(i64::MAX)),
        state: State::Between(start(year), start(year + 1).plus_ms(-1)),
        others: true,
        limit: PAGE_LIMIT,
        ..Wanted::default()
    };
    let all = Wanted {
        from: Order::Below(i64::MAX),
        ..wanted.clone()
    };
    let now = reader.now;
    let describe = move |tx: &mut Tx<'_>, rights: &Rights, found: Vec<Announced>| {
        let named = found.into_iter().map(|one| {
            let names = names(tx, &one)?;
            Ok((one, names))
        });
        let named = named.collect::<Ruled<Vec<(Announced, Vec<Named>)>>>()?;
        Ok((named, announced::windows(tx, rights, &all, COUNTED, now)?))
    };
    let ((mut found, windows), next) = sending::announcements(&app, reader.principal.person, wanted, describe).await?;
    let stands = |one: &Announced| (one.message.stands().opens, one.message.stands().closes);
    found.sort_by_key(|(one, _)| stands(one));
    let times = Times::of(&windows);
    let beside = |step: i16| Some(year + step).filter(|year| YEARS.contains(year));
    let month = |month: i64| reader.words.with("time-month", [("month", month.into())]);
    let today = (year == this_year).then(|| reader.zone.place_in_year(reader.now, year));
    show(&YearPage {
        page: Page::new(
            &reader,
            "announcements",
            reader.s("announcements-of-year", year.to_string()),
        ),
        year,
        before: beside(-1),
        after: beside(1),
        months: (1..=12).map(month).collect(),
        bars: found.iter().map(|one| bar(&reader, year, one, &times)).collect(),
        today: today.map(percent),
        more: next.map(|next| format!("/announcements/year?year={year}&cursor={next}")),
    })
}
