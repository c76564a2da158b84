//! One message as those see it who may: how far it got, its people, its changes.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use campanile_core::audience::Rule;
use campanile_core::id::MessageId;
use campanile_core::inbox::SEARCH_CHARS;
use campanile_core::markup;
use campanile_core::message::change::Change;
use campanile_core::message::funnel::Funnel;
use campanile_core::message::sent::{self, Edition, Part as People, Recipient};
use campanile_core::message::{self, Channel, Message};
use campanile_core::outbox::run;
use campanile_core::policy::{self, Act};
use campanile_core::rights::Rights;
use campanile_core::time::Moment;
use campanile_core::{Error, Result as Ruled};
use campanile_store::Tx;

use super::part::{Named, gathered};
use super::plot::{self, Plot};
use super::{audience, heading, is_post_alone, recipients, status_name};
use crate::app::App;
use crate::console::form::{Asked, Path};
use crate::console::number::At;
use crate::console::outbox::Card;
use crate::console::page::{Page, Reader, importance_name, show};
use crate::problem::Problem;
use crate::sending::{self, PeoplePage, Want, Which, reach};

/// People of a page.
const PEOPLE: usize = 50;
/// Changes of a page.
const CHANGES: i64 = 20;

/// A message and all that its page says of it.
pub(super) struct Seen {
    pub(super) message: Message,
    pub(super) audience: Vec<Named>,
    pub(super) funnel: Option<Funnel>,
    author: String,
    pub(super) may_correct: bool,
    pub(super) may_recall: bool,
    changed: bool,
}

impl Seen {
    /// The channels by name.
    fn channels(&self) -> Vec<&'static str> {
        self.message.ways().map(Channel::name).collect()
    }
}

/// For [`sending::one`].
pub(super) fn seen(tx: &mut Tx<'_>, rights: &Rights, message: Message, funnel: Option<Funnel>) -> Ruled<Seen> {
    let parts = message::target::parts(&message::selectors(tx, message.id)?, &message);
    let there = message.recalled_at.is_none();
    Ok(Seen {
        audience: audience(tx, &message)?,
        author: sent::person_name(tx, message.author)?,
        may_correct: there && policy::may(rights, &Act::Correct(&parts)).is_ok(),
        may_recall: there && policy::may(rights, &Act::Recall(&parts)).is_ok(),
        changed: !sent::editions(tx, message.id, i64::MAX, 1)?.is_empty(),
        funnel,
        message,
    })
}

/// One bar of "how far it got".
struct Bar {
    name: String,
    people: u64,
    /// Of all, in whole percent.
    share: u64,
    /// The address of these people.
    part: &'static str,
}

fn share(people: u64, all: u64) -> u64 {
    (people * 100).checked_div(all).unwrap_or(0)
}

#[derive(Template)]
#[template(path = "console/messages/one.html")]
struct OnePage<'r> {
    page: Page<'r>,
    one: Seen,
    status: &'static str,
    audience: String,
    parts: Vec<Named>,
    html: String,
    bars: Vec<Bar>,
    plot: Option<Plot>,
    late: &'static str,
    way: Option<Card>,
    /// It is posted, and that is all.
    post: bool,
    /// How many have not acknowledged it and can be reminded.
    to_remind: Option<u64>,
}

impl OnePage<'_> {
    /// Whether it is changed where announcements are, whose form has what a banner has.
    fn is_announcement(&self) -> bool {
        self.one.message.has(Channel::Banner) && self.page.may_announce()
    }
}

pub(super) async fn one(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(id): Path<MessageId>,
    Asked(asked): Asked,
) -> Result<Response, Problem> {
    let now = reader.now;
    let describe = move |tx: &mut Tx<'_>, rights: &Rights, message: Message, funnel| {
        let runs = run::progress(tx, message.id)?;
        Ok::<(Seen, Vec<_>), Error>((seen(tx, rights, message, funnel)?, runs))
    };
    let ((mut one, runs), line) = sending::one_over_time(&app, reader.principal.person, id, describe).await?;
    let post = is_post_alone(&one.message);
    // What was posted stays as it was.
    one.may_correct &= !post || one.message.published_at.is_none();
    one.may_recall &= !post || runs.iter().any(|run| run.ended_at.is_none()) || one.message.published_at.is_none();
    let message = &one.message;
    let way = Card::of(&app, message, runs, now);
    let funnel = one.funnel.filter(|_| !post);
    let bars = funnel.map_or_else(Vec::new, |funnel| {
        let bar = |key: &str, people, part| Bar {
            name: reader.t(key),
            people,
            share: share(people, funnel.people),
            part,
        };
        let mut bars = vec![
            bar("funnel-audience", funnel.people, "all"),
            bar("funnel-seen", funnel.seen, "seen"),
            bar("funnel-read", funnel.read, "read"),
        ];
        let acknowledged = funnel.acknowledged;
        bars.extend(acknowledged.map(|people| bar("funnel-acknowledged", people, "acknowledged")));
        bars
    });
    let can_remind = one.may_correct && super::after::can_remind(&app, message, now);
    let to_remind = funnel
        .filter(|_| can_remind)
        .map(|funnel| super::after::unacknowledged(&funnel));
    let plot = line.zip(message.published_at).filter(|_| funnel.is_some());
    show(&OnePage {
        page: Page::new(&reader, "messages", heading(reader.words, message)).after(&asked),
        status: status_name(message.status(reader.now)),
        audience: recipients(&reader, message, &one.audience),
        parts: gathered(&one.audience),
        html: markup::html(message.format, &message.text),
        bars,
        plot: plot.map(|(line, published)| plot::plot(&reader, published, &line)),
        late: if message.rule == Rule::AtSend {
            "late-at-send"
        } else {
            "late-while-active"
        },
        way,
        post,
        to_remind: to_remind.filter(|people| *people > 0),
        one,
    })
}

// ---------------------------------------------------------------- its people

/// The parts of an audience, as tabs.
const PARTS: [(People, &str); 6] = [
    (People::All, "all"),
    (People::Unseen, "unseen"),
    (People::Seen, "seen"),
    (People::Read, "read"),
    (People::Acknowledged, "acknowledged"),
    (People::Unacknowledged, "unacknowledged"),
];
/// Of these, so many of a message that need not be acknowledged.
const PLAIN_PARTS: usize = 4;

/// The parts of a message's audience.
pub(super) fn parts_of(message: &Message) -> &'static [(People, &'static str)] {
    if message.must_acknowledge {
        &PARTS
    } else {
        &PARTS[..PLAIN_PARTS]
    }
}

/// The part of this name, else everybody.
pub(super) fn part_named(message: &Message, name: &str) -> (People, &'static str) {
    let found = parts_of(message).iter().find(|(_, of)| *of == name);
    *found.unwrap_or(&PARTS[0])
}

struct Tab {
    address: String,
    name: String,
    current: bool,
}

#[derive(Template)]
#[template(path = "console/messages/people.html")]
struct PeopleOf<'r> {
    page: Page<'r>,
    id: i64,
    title: String,
    tabs: Vec<Tab>,
    people: Vec<Recipient>,
    total: u64,
    part: &'static str,
    search: &'r str,
    more: Option<String>,
    refused: Option<String>,
    /// Whether it has to be acknowledged.
    acknowledged: bool,
    /// When it was last corrected.
    edited_at: Option<Moment>,
    /// Where the list can be had as a file.
    csv: String,
}

impl PeopleOf<'_> {
    /// Whether somebody acknowledged what the message said before its last correction.
    fn is_of_earlier(&self, at: impl At) -> bool {
        self.edited_at.is_some_and(|edited| at.at() < edited)
    }
}

fn people_address(id: MessageId, part: &str, search: &str, after: Option<u32>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("part", part);
    if !search.is_empty() {
        query.append_pair("q", search);
    }
    if let Some(after) = after {
        query.append_pair("cursor", &after.to_string());
    }
    format!("/messages/{id}/people?{}", query.finish())
}

pub(super) async fn people(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(id): Path<MessageId>,
    Asked(asked): Asked,
) -> Result<Response, Problem> {
    let person = reader.principal.person;
    let find = move |tx: &mut Tx<'_>| {
        let rights = Rights::load(tx, person)?;
        reach(tx, &rights, id, Want::See)
    };
    let message = app.db.read(find).await?;
    let (part, name) = part_named(&message, asked.get("part"));
    let search = asked.get("q");
    let too_long = search.chars().count() > SEARCH_CHARS;
    let which = Which {
        part,
        q: Some(search.to_owned()).filter(|q| !q.is_empty() && !too_long),
        after: asked.some("cursor").and_then(|cursor| cursor.parse().ok()),
        limit: PEOPLE,
    };
    let PeoplePage { items, total, next } = sending::people(&app, person, id, which).await?;
    let tab = |&(_, of): &(People, &'static str)| Tab {
        address: people_address(id, of, search, None),
        name: reader.t(&format!("people-{of}")),
        current: of == name,
    };
    show(&PeopleOf {
        page: Page::new(&reader, "messages", reader.t("people")).after(&asked),
        id: id.0,
        title: heading(reader.words, &message),
        tabs: parts_of(&message).iter().map(tab).collect(),
        people: items,
        total,
        part: name,
        search,
        more: next.map(|next| people_address(id, name, search, Some(next))),
        refused: too_long.then(|| reader.n("search-too-long", SEARCH_CHARS)),
        acknowledged: message.must_acknowledge,
        edited_at: message.edited_at,
        csv: format!("/messages/{id}/people.csv?part={name}"),
    })
}

// ---------------------------------------------------------------- its changes

/// One change, as it is told.
struct Told {
    what: String,
    by: Option<String>,
    at: campanile_core::time::Moment,
    rang: bool,
    /// What is different: the name of the field, before, after.
    differences: Vec<(String, String, String)>,
}

#[derive(Template)]
#[template(path = "console/messages/changes.html")]
struct ChangesPage<'r> {
    page: Page<'r>,
    id: i64,
    title: String,
    changes: Vec<Told>,
    more: Option<String>,
}

/// What can be told of a state: each field by the name of its text.
fn state(reader: &Reader, state: &Edition) -> Vec<(&'static str, String)> {
    let time = |at: Option<campanile_core::time::Moment>| at.map_or_else(|| reader.t("none"), |at| reader.when(at));
    let importance = format!("importance-{}", importance_name(state.importance));
    vec![
        ("message-title", state.title.clone()),
        ("message-text", state.text.clone()),
        ("importance", reader.t(&importance)),
        ("message-from", state.sender_name.clone()),
        ("message-opens", time(state.opens_at)),
        ("message-closes", time(state.closes_at)),
        ("message-enabled", reader.t(if state.enabled { "yes" } else { "no" })),
    ]
}

const fn change_name(change: Change) -> &'static str {
    match change {
        Change::Corrected => "change-corrected",
        Change::Recalled => "change-recalled",
        Change::Opened => "change-opened",
        Change::Missed => "change-missed",
        Change::Enabled => "change-enabled",
        Change::Disabled => "change-disabled",
        Change::Readdressed => "change-readdressed",
    }
}

fn tell(reader: &Reader, before: Edition, after: &Edition) -> Told {
    let changed = state(reader, &before).into_iter().zip(state(reader, after));
    let changed = changed.filter(|((_, old), (_, new))| old != new);
    Told {
        what: reader.t(change_name(before.change)),
        differences: changed
            .map(|((field, old), (_, new))| (reader.t(field), old, new))
            .collect(),
        by: before.by,
        at: before.at,
        rang: before.rang,
    }
}

pub(super) async fn changes(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(id): Path<MessageId>,
    Asked(asked): Asked,
) -> Result<Response, Problem> {
    let person = reader.principal.person;
    // The change that the page before ended with says what came after the first of this one.
    let last: Option<i64> = asked.some("cursor").and_then(|cursor| cursor.parse().ok());
    let below = last.map_or(i64::MAX, |last| last.saturating_add(1));
    let work = move |tx: &mut Tx<'_>| {
        let rights = Rights::load(tx, person)?;
        let message = reach(tx, &rights, id, Want::See)?;
        let editions = sent::editions(tx, id, below, CHANGES + 1)?;
        Ok::<_, Error>((message, editions))
    };
    let (message, editions) = app.db.read(work).await?;
    let full = editions.len() as i64 > CHANGES;
    let mut editions = editions.into_iter();
    let mut after = match last {
        Some(_) => editions.next().unwrap_or_else(|| Edition::present(&message)),
        None => Edition::present(&message),
    };
    let mut changes = Vec::new();
    let mut end = None;
    for edition in editions.take(CHANGES as usize) {
        end = Some(edition.revision.0);
        changes.push(tell(&reader, edition.clone(), &after));
        after = edition;
    }
    let more = end
        .filter(|_| full)
        .map(|end| format!("/messages/{id}/changes?cursor={end}"));
    show(&ChangesPage {
        page: Page::new(&reader, "messages", reader.t("changes")),
        id: id.0,
        title: heading(reader.words, &message),
        changes,
        more,
    })
}
