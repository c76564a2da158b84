//! A year of announcements: one line each, over the months, so that those at the same time are seen at a glance.

use std::sync::Arc;

use askama::Template;
use axum::extract::State as Of;
use axum::response::Response;
use campanile_core::Result as Ruled;
use campanile_core::message::announced::{Announced, Order, PAGE_LIMIT, State, Wanted};
use campanile_core::rights::Rights;
use campanile_core::time::Moment;
use campanile_store::Tx;

use super::{Period, names, since, whom};
use crate::app::App;
use crate::console::form::Asked;
use crate::console::messages::{Named, heading};
use crate::console::page::{Page, Reader, importance_name, show};
use crate::console::when::MONTH;
use crate::problem::Problem;
use crate::sending;

/// The parts of a year.
const YEAR: i64 = 12 * MONTH;
/// The shortest bar, so that an hour is seen too.
const LEAST: i64 = YEAR / 200;
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
    /// How many others of this page are there at some time of it.
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

/// From when to when an announcement is there.
fn window(one: &Announced) -> (Moment, Moment) {
    let window = one.message.window;
    (window.opens_at().unwrap_or_else(|| since(&one.message)), window.closes)
}

fn bar(reader: &Reader, year: i16, (one, names): &(Announced, Vec<Named>), all: &[(Moment, Moment)]) -> Bar {
    let message = &one.message;
    let (opens, closes) = window(one);
    let from = reader.zone.place_in_year(opens, year).min(YEAR - LEAST);
    let to = reader.zone.place_in_year(closes, year).max(from + LEAST);
    let meets = all.iter().filter(|other| other.0 <= closes && opens <= other.1);
    Bar {
        id: message.id.0,
        name: heading(reader.words, message),
        importance: importance_name(message.importance),
        whom: whom(reader, one.to, names).0,
        period: Period::of(reader, message.window, since(message)),
        on: message.enabled,
        x: percent(from),
        width: percent(to - from),
        // Without itself.
        beside: meets.count() - 1,
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
    let describe = |tx: &mut Tx<'_>, _: &Rights, found: Vec<Announced>| {
        let named = found.into_iter().map(|one| {
            let names = names(tx, &one)?;
            Ok((one, names))
        });
        named.collect::<Ruled<Vec<(Announced, Vec<Named>)>>>()
    };
    let (mut found, next) = sending::announcements(&app, reader.principal.person, wanted, describe).await?;
    found.sort_by_key(|(one, _)| window(one));
    let all: Vec<(Moment, Moment)> = found.iter().map(|(one, _)| window(one)).collect();
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
        bars: found.iter().map(|one| bar(&reader, year, one, &all)).collect(),
        today: today.map(percent),
        more: next.map(|next| format!("/announcements/year?year={year}&cursor={next}")),
    })
}
