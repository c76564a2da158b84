//! The history of a thing on a timeline: each fact in words and as a bar, from the oldest shown until now.

use campanile_core::directory::history::{Fact, Interval};
use campanile_core::directory::list::Page;

use super::super::page::Reader;
use super::Kind;
use super::cell::{BEGINNING, place, place_address, status_name};

/// Facts of a page.
pub(super) const FACTS: i64 = 20;

/// A fact on the timeline: what was so, where that leads, whether it still is, from when and until when in words, and
/// its bar in hundredths of the width.
#[derive(Debug, Clone)]
pub(super) struct Bar {
    pub(super) text: String,
    pub(super) to: Option<String>,
    pub(super) holds: bool,
    pub(super) times: String,
    pub(super) x: String,
    pub(super) width: String,
}

/// A timeline.
#[derive(Debug, Clone)]
pub(super) struct Timeline {
    pub(super) bars: Vec<Bar>,
    pub(super) more: Option<String>,
    /// When its left edge is; `None` where all of it has been there from the beginning.
    pub(super) from: Option<String>,
}

/// A page of a history as a timeline. `of_user` tells the memberships from the side of the user.
pub(super) fn timeline(reader: &Reader, page: Page<Interval>, of_user: bool) -> Timeline {
    let now = reader.now.0;
    let told = page.items.iter().map(|at| at.since_at).filter(|at| *at != BEGINNING);
    let edge = told.min();
    let first = edge.map_or(now, |at| at.0);
    let span = (now - first).max(1) as f64;
    let share = |at: i64| (at - first).clamp(0, now - first) as f64 / span * 100.0;
    let bar = |interval: Interval| {
        let (from, until) = (
            share(interval.since_at.0),
            interval.until_at.map_or(100.0, |at| share(at.0)),
        );
        // What lasted for a moment is seen all the same.
        let width = (until - from).max(1.5);
        let holds = interval.until.is_none();
        Bar {
            text: said(reader, &interval.fact, holds, of_user),
            to: target(&interval.fact, of_user),
            holds,
            times: times(reader, &interval),
            x: format!("{:.1}", from.min(100.0 - width)),
            width: format!("{width:.1}"),
        }
    };
    Timeline {
        more: page.next,
        bars: page.items.into_iter().map(bar).collect(),
        from: edge.map(|at| reader.when(at)),
    }
}

fn times(reader: &Reader, interval: &Interval) -> String {
    match interval.until_at {
        None if interval.since_at == BEGINNING => String::new(),
        None => reader.s("past-since", reader.when(interval.since_at)),
        Some(until) if interval.since_at == BEGINNING => reader.s("window-until", reader.when(until)),
        Some(until) => reader.words.with(
            "past-between",
            [
                ("from", reader.when(interval.since_at).into()),
                ("until", reader.when(until).into()),
            ],
        ),
    }
}

/// What was so, in a sentence: of now, or of then.
fn said(reader: &Reader, fact: &Fact, holds: bool, of_user: bool) -> String {
    let tense = if holds { "now" } else { "then" };
    match fact {
        Fact::Life => reader.t(&format!("past-life-{tense}")),
        Fact::Customer { name, .. } => reader.s(&format!("past-customer-{tense}"), name),
        Fact::Parent { name, .. } => reader.s(&format!("past-parent-{tense}"), name),
        Fact::Group { name, .. } => reader.s(&format!("past-group-{tense}"), name),
        Fact::Attached { to } => reader.s(&format!("past-attached-{tense}"), place_words(reader, to)),
        Fact::Membership {
            user_name, on, role, ..
        } => {
            let key = if of_user { "past-held" } else { "past-holder" };
            let things = [
                ("who", user_name.as_str().into()),
                ("role", role.as_str().into()),
                ("where", place_words(reader, on).into()),
            ];
            reader.words.with(&format!("{key}-{tense}"), things)
        }
        Fact::Term {
            status,
            starting_at,
            ending_at,
            ..
        } => {
            let mut text = reader.t(&format!("status-{}", status_name(*status)));
            for (key, at) in [("window-from", starting_at), ("window-until", ending_at)] {
                if let Some(at) = at {
                    text.push_str(", ");
                    text.push_str(&reader.s(key, reader.when(at)));
                }
            }
            text
        }
    }
}

/// A place in a sentence: `API pay`, `Environment Production`. What an environment is called, every page knows.
pub(super) fn place_words(reader: &Reader, on: &campanile_core::directory::entry::On) -> String {
    let (kind, id) = place(on);
    if kind == "organization" {
        return reader.t("place-organization");
    }
    let name = if kind == "environment" {
        reader.environment_name(id)
    } else {
        id
    };
    format!("{} {name}", reader.t(&format!("place-{kind}")))
}

fn target(fact: &Fact, of_user: bool) -> Option<String> {
    match fact {
        Fact::Life | Fact::Term { .. } => None,
        Fact::Customer { id, .. } | Fact::Parent { id, .. } => Some(Kind::Customers.at(&id.to_string())),
        Fact::Group { id, .. } => Some(Kind::Groups.at(id)),
        Fact::Attached { to } => place_address(to),
        Fact::Membership { user, on, .. } => {
            if of_user {
                place_address(on)
            } else {
                Some(Kind::Users.at(user))
            }
        }
    }
}
