//! Messages in the console: writing and sending them, at platform level and in each API, and looking after them.

mod after;
mod apis;
mod aside;
mod change;
mod compose;
mod find;
mod list;
mod look;
mod offers;
mod part;
mod plot;
mod typed;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use campanile_core::Result as Ruled;
use campanile_core::id::EnvironmentId;
use campanile_core::message::label::label;
use campanile_core::message::target;
use campanile_core::message::{self, Channel, Message, Status, shown_title};
use campanile_store::Tx;

use super::page::Reader;
use super::words::Words;
use crate::app::App;
use crate::problem::Problem;
pub(super) use part::Named;
pub(super) use typed::{fault, time};

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/messages", get(list::list))
        .route(
            "/messages/new",
            get(compose::of_platform).post(compose::post_of_platform),
        )
        .route("/messages/new/aside", post(compose::aside_of_platform))
        .route("/messages/new/find", get(find::options))
        .route("/messages/{id}", get(look::one))
        .route("/messages/{id}/people", get(look::people))
        .route("/messages/{id}/people.csv", get(after::file))
        .route("/messages/{id}/remind", get(after::ask).post(after::remind))
        .route("/messages/{id}/changes", get(look::changes))
        .route(
            "/messages/{id}/correct",
            get(change::correct).post(change::post_correct),
        )
        .route("/messages/{id}/recall", get(change::recall).post(change::post_recall))
        .route("/apis", get(apis::list))
        .route("/apis/{api}", get(apis::one))
        .route("/apis/{api}/messages", get(apis::messages))
        .route(
            "/apis/{api}/messages/new",
            get(compose::of_api).post(compose::post_of_api),
        )
        .route("/apis/{api}/messages/new/aside", post(compose::aside_of_api))
}

/// The environment that the reader has chosen; `None` for all.
async fn chosen_environment(app: &App, reader: &Reader) -> Result<Option<EnvironmentId>, Problem> {
    let Some(key) = reader.chosen.clone() else {
        return Ok(None);
    };
    Ok(app.db.read(move |tx| target::environment(tx, &key)).await?)
}

/// A kind of notification, as a sender chooses it.
struct Kind {
    /// In forms and names of texts.
    name: &'static str,
    /// The text that says why it cannot be chosen.
    why_not: Option<&'static str>,
}

/// The kinds of notification, and which of them this server can send.
fn channels(app: &App) -> [Kind; 4] {
    let outlets = app.outlets();
    let posts = outlets.http.is_some_and(|posting| posting.policy.enabled);
    let kind = |name, on: bool, why_not| Kind {
        name,
        why_not: (!on).then_some(why_not),
    };
    [
        kind("portal", true, ""),
        kind("banner", true, ""),
        kind("email", outlets.email, "email-off"),
        kind("http", posts, "http-off"),
    ]
}

/// The name of a status in addresses, classes and names of texts.
const fn status_name(status: Status) -> &'static str {
    match status {
        Status::Scheduled => "scheduled",
        Status::Active => "active",
        Status::Disabled => "disabled",
        Status::Expired => "expired",
        Status::Recalled => "recalled",
        Status::Missed => "missed",
    }
}

/// All of them, as they are offered.
const STATUSES: [Status; 6] = [
    Status::Active,
    Status::Scheduled,
    Status::Expired,
    Status::Disabled,
    Status::Recalled,
    Status::Missed,
];

/// The audience of a message by names.
fn audience(tx: &mut Tx<'_>, message: &Message) -> Ruled<Vec<Named>> {
    let mut out = Vec::new();
    for selector in message::selectors(tx, message.id)? {
        let target = target::name(tx, selector)?;
        let name = label(tx, &target)?;
        out.push(Named { target, name });
    }
    Ok(out)
}

/// How a message is called: by its title, else by the beginning of its text, and what is posted and that is all, by
/// that.
pub(in crate::console) fn heading(words: Words, message: &Message) -> String {
    if message.title.is_empty() && is_post_alone(message) {
        let api_name = message.api_name.as_deref();
        return shown_title(api_name, &words.t("channel-http"));
    }
    message::name(&message.shown_title(), message.format, &message.text).into_owned()
}

/// Whether a message is posted, and that is all: no bell and no inbox has it.
fn is_post_alone(message: &Message) -> bool {
    message.channels == Channel::Http.bit()
}

/// To whom a message goes, in one line.
fn recipients(reader: &Reader, message: &Message, audience: &[Named]) -> String {
    if is_post_alone(message) {
        return reader.t("audience-post");
    }
    if message.reminds.is_some() {
        return reader.t("audience-reminded");
    }
    if audience.is_empty() {
        return reader.t("audience-nobody");
    }
    in_words(reader, audience)
}

/// The parts of an audience in one line: at most three, and how many others.
pub(super) fn in_words(reader: &Reader, audience: &[Named]) -> String {
    const SHOWN: usize = 3;
    let audience = part::gathered(audience);
    let mut parts: Vec<String> = audience
        .iter()
        .take(SHOWN)
        .map(|part| part.words(reader.words))
        .collect();
    if audience.len() > SHOWN {
        parts.push(reader.n("audience-more", audience.len() - SHOWN));
    }
    match parts.pop() {
        Some(last) if !parts.is_empty() => reader.words.with(
            "audience-and",
            [("first", parts.join(", ").into()), ("last", last.into())],
        ),
        Some(only) => only,
        None => reader.t("audience-none"),
    }
}
