//! Announcements: messages at the top of every page for the users of a customer, or of all, as those have them who look
//! after them.
//!
//! They are messages like any other, and have the page of one; here they are listed as the portal of the UI messages
//! contract lists them, written in its four style tags, switched on and off, and seen beside one another over a year.

mod aside;
mod edit;
mod form;
mod list;
mod new;
mod switch;
mod year;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use campanile_core::message::announced::{Announced, For};
use campanile_core::message::label::label;
use campanile_core::message::target::Target;
use campanile_core::message::{Channel, Importance, Message, Window};
use campanile_core::time::Moment;
use campanile_core::{Error, Result as Ruled, message::target};
use campanile_store::Tx;

use super::messages::{Named, in_words};
use super::page::Reader;
use super::voice::Voice;
use crate::app::App;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/announcements", get(list::list))
        .route("/announcements/year", get(year::year))
        .route("/announcements/customers", get(form::customers))
        .route("/announcements/new", get(new::form).post(new::post))
        .route("/announcements/new/aside", post(aside::part))
        .route("/announcements/{id}/edit", get(edit::show_form).post(edit::post))
        .route("/announcements/{id}/edit/aside", post(edit::part))
        .route("/announcements/{id}/switch", post(switch::switch))
        .route("/announcements/{id}/delete", get(switch::ask).post(switch::delete))
}

/// Whether a message is one at all.
///
/// # Errors
/// `Missing` for one without a banner: here it is not there.
fn is_announcement(message: &Message) -> Ruled<()> {
    if message.has(Channel::Banner) {
        return Ok(());
    }
    Err(Error::Missing("message"))
}

const IMPORTANCES: [&str; 3] = ["low", "high", "critical"];

/// The importance of a name.
fn importance_of(name: &str) -> Option<Importance> {
    match name {
        "low" => Some(Importance::Low),
        "high" => Some(Importance::High),
        "critical" => Some(Importance::Critical),
        _ => None,
    }
}

/// The parts of an announcement's audience, by name.
fn names(tx: &mut Tx<'_>, announced: &Announced) -> Ruled<Vec<Named>> {
    let mut out = Vec::with_capacity(announced.selectors.len());
    for selector in &announced.selectors {
        let target = target::name(tx, *selector)?;
        let name = label(tx, &target)?;
        out.push(Named { target, name });
    }
    Ok(out)
}

/// The customer of an announcement as its column says it, and whether those below it are included, where that is a
/// question.
fn whom(reader: &Reader, to: For, names: &[Named]) -> (String, Option<bool>) {
    match (to, names) {
        (For::Everyone, _) => (reader.t("all-customers"), None),
        (For::Customer { below, .. }, [only]) => (only.name.clone(), Some(below)),
        _ => (in_words(reader, names), None),
    }
}

/// When an announcement is there, in the reader's zone, and once more in UTC where that is another one.
struct Period {
    said: String,
    utc: Option<String>,
}

impl Period {
    /// Of when a message stands.
    fn of(voice: &Voice, window: Window) -> Self {
        let opens = window.opens;
        // Between the two ends there is room for a line to break, and nowhere else.
        let whole = |text: String| text.replace(' ', "\u{a0}");
        let closes = window.closes_at();
        let utc = || match closes {
            // Said once for both.
            Some(_) => between(voice, opens, closes, Moment::utc).replacen(" UTC", "", 1),
            None => between(voice, opens, closes, Moment::utc),
        };
        Self {
            said: between(voice, opens, closes, |at| whole(voice.when(at))),
            utc: (voice.zone.name() != "UTC").then(utc),
        }
    }
}

fn between(voice: &Voice, opens: Moment, closes: Option<Moment>, say: impl Fn(Moment) -> String) -> String {
    match closes {
        Some(closes) => voice.words.with(
            "period-between",
            [("from", say(opens).into()), ("to", say(closes).into())],
        ),
        None => voice.s("period-from", say(opens)),
    }
}

/// A customer, as an audience names it.
const fn to_customer(customer: i64, include_sub_customers: bool) -> Target {
    Target::Customer {
        customer,
        include_sub_customers,
    }
}
