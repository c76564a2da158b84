//! The lists of announcements: those that are there now, that come, that are over, and that are switched off.

use std::sync::Arc;

use askama::Template;
use axum::extract::State as Of;
use axum::response::Response;
use campanile_core::Result as Ruled;
use campanile_core::id::CustomerId;
use campanile_core::inbox::SEARCH_CHARS;
use campanile_core::message::announced::{Announced, Order, State, Wanted, Whose};
use campanile_core::message::funnel::{self, Audiences, Funnel};
use campanile_core::message::{Importance, Message, Status, target};
use campanile_core::policy::{self, Act};
use campanile_core::rights::Rights;
use campanile_core::time::Moment;
use campanile_store::Tx;

use super::form::Whom;
use super::{IMPORTANCES, Period, importance_of, names, whom};
use crate::app::App;
use crate::console::form::{Asked, Fields};
use crate::console::messages::{Named, heading};
use crate::console::page::{Page, Reader, importance_name, show};
use crate::problem::Problem;
use crate::sending;

/// Announcements of a page.
const PAGE: usize = 20;

/// The lists, by the name in their addresses.
pub(super) const STATES: [(&str, State); 4] = [
    ("now", State::Now),
    ("coming", State::Coming),
    ("past", State::Past),
    ("off", State::Off),
];

/// The list in which a message stands.
pub(super) fn state_name(message: &Message, now: Moment) -> &'static str {
    if message.recalled_at.is_some() || message.window.is_past(now) {
        "past"
    } else if !message.enabled {
        "off"
    } else if message.window.contains(now) {
        "now"
    } else {
        "coming"
    }
}

/// An announcement before it is put into words.
struct Raw {
    announced: Announced,
    names: Vec<Named>,
    funnel: Option<Funnel>,
    may_correct: bool,
    may_recall: bool,
}

/// One line of the list.
struct Row {
    id: i64,
    name: String,
    sender: String,
    importance: &'static str,
    whom: String,
    /// Whether sub-customers are included, where that is a question.
    below: Option<bool>,
    period: Period,
    on: bool,
    /// What it is instead of on or off.
    over: Option<&'static str>,
    /// Who has acknowledged it, of how many.
    acknowledged: Option<(u64, u64)>,
    may_correct: bool,
    may_recall: bool,
}

impl Row {
    fn of(reader: &Reader, raw: &Raw) -> Self {
        let message = &raw.announced.message;
        let (whom, below) = whom(reader, raw.announced.to, &raw.names);
        let of_all = |funnel: Funnel| funnel.acknowledged.map(|some| (some, funnel.people));
        Self {
            id: message.id.0,
            name: heading(reader.words, message),
            sender: message.sender_name.clone(),
            importance: importance_name(message.importance),
            whom,
            below,
            period: Period::of(reader, message.stands()),
            on: message.enabled,
            over: match message.status(reader.now) {
                Status::Recalled => Some("recalled"),
                Status::Expired => Some("expired"),
                Status::Missed => Some("missed"),
                _ => None,
            },
            acknowledged: raw.funnel.and_then(of_all),
            may_correct: raw.may_correct,
            may_recall: raw.may_recall,
        }
    }
}

/// A list by name, and whether it is the one at hand.
struct Tab {
    name: &'static str,
    address: String,
    current: bool,
}

#[derive(Template)]
#[template(path = "console/announcements/list.html")]
struct ListPage<'r> {
    page: Page<'r>,
    tabs: Vec<Tab>,
    state: &'static str,
    rows: Vec<Row>,
    more: Option<String>,
    search: &'r str,
    importance: &'static str,
    importances: [&'static str; 3],
    customer: &'r str,
    /// The name of the customer that was asked for.
    named: Option<String>,
    refused: Option<String>,
    /// How an address says that it leads back here.
    back: String,
    /// Whether something is left out by the choice of the reader, or by the place in the list.
    chosen: bool,
}

/// The address of a list with the same choice.
fn address(asked: &Fields, state: &str, cursor: Option<i64>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("state", state);
    for name in ["q", "importance", "customer"] {
        if let Some(value) = asked.some(name) {
            query.append_pair(name, value);
        }
    }
    if let Some(cursor) = cursor {
        query.append_pair("cursor", &cursor.to_string());
    }
    format!("/announcements?{}", query.finish())
}

/// The customer that is asked for: whose, its name, and what is wrong with it.
async fn asked_customer(
    app: &App,
    reader: &Reader,
    text: &str,
) -> Result<(Option<Whose>, Option<String>, Option<String>), Problem> {
    if text.is_empty() {
        return Ok((None, None, None));
    }
    if text == "0" {
        return Ok((Some(Whose::All), Some(reader.t("all-customers")), None));
    }
    Ok(match Whom::find(app, reader, text).await? {
        Whom::One(id, name) => (Some(Whose::One(CustomerId(id))), Some(name), None),
        Whom::Several(_) => (None, None, Some(reader.s("customer-several", text))),
        Whom::Nobody => (None, None, Some(reader.s("customer-none", text))),
    })
}

/// What a list needs beside the announcements themselves.
fn raw(
    tx: &mut Tx<'_>,
    rights: &Rights,
    found: Vec<Announced>,
    counted: impl Fn(&mut Tx<'_>, &[Message]) -> Ruled<Vec<Option<Funnel>>>,
) -> Ruled<Vec<Raw>> {
    // How many have acknowledged it is a question of those alone that ask for it.
    let asks = |one: &&Announced| one.message.must_acknowledge && one.message.revision.is_some();
    let asking: Vec<Message> = found.iter().filter(asks).map(|one| one.message.clone()).collect();
    let mut funnels: Vec<(i64, Funnel)> = Vec::new();
    if !asking.is_empty() {
        let counted = counted(tx, &asking)?;
        let with_id = asking.iter().zip(counted);
        funnels.extend(with_id.filter_map(|(message, funnel)| Some((message.id.0, funnel?))));
    }
    let mut out = Vec::with_capacity(found.len());
    for announced in found {
        let message = &announced.message;
        let parts = target::parts(&announced.selectors, message);
        let there = message.recalled_at.is_none();
        out.push(Raw {
            names: names(tx, &announced)?,
            funnel: funnels
                .iter()
                .find(|(id, _)| *id == message.id.0)
                .map(|(_, funnel)| *funnel),
            may_correct: there && policy::may(rights, &Act::Correct(&parts)).is_ok(),
            may_recall: there && policy::may(rights, &Act::Recall(&parts)).is_ok(),
            announced,
        });
    }
    Ok(out)
}

/// Counts messages; the residents are asked for only where something is counted.
fn count(
    residents: Arc<campanile_core::audience::crowd::Shared>,
    crowds: Arc<Audiences>,
    now: Moment,
) -> impl Fn(&mut Tx<'_>, &[Message]) -> Ruled<Vec<Option<Funnel>>> + Send + 'static {
    move |tx, messages| {
        let residents = residents.at(tx)?;
        funnel::funnels(tx, &residents, &crowds, messages, now)
    }
}

pub(super) async fn list(Of(app): Of<Arc<App>>, reader: Reader, Asked(asked): Asked) -> Result<Response, Problem> {
    sending::may_announce(&reader.rights)?;
    let chosen = STATES.into_iter().find(|(name, _)| *name == asked.get("state"));
    let (state_name, state) = chosen.unwrap_or(STATES[0]);
    let (search, customer) = (asked.get("q"), asked.get("customer"));
    let too_long = search.chars().count() > SEARCH_CHARS;
    let (whose, named, mut refused) = asked_customer(&app, &reader, customer).await?;
    if too_long {
        refused = Some(reader.n("search-too-long", SEARCH_CHARS));
    }
    let importance: Option<Importance> = importance_of(asked.get("importance"));
    let cursor = asked.some("cursor").and_then(|cursor| cursor.parse().ok());
    let wanted = Wanted {
        from: Order::Below(cursor.unwrap_or(i64::MAX)),
        state,
        whose,
        importance,
        search: Some(search.to_owned()).filter(|_| !too_long),
        others: true,
        limit: PAGE,
    };
    let counted = count(Arc::clone(&app.residents), Arc::clone(&app.crowds), reader.now);
    let describe = move |tx: &mut Tx<'_>, rights: &Rights, found| raw(tx, rights, found, &counted);
    let (found, next) = match refused {
        // What cannot be looked for finds nothing.
        Some(_) => (Vec::new(), None),
        None => sending::announcements(&app, reader.principal.person, wanted, describe).await?,
    };
    let tab = |(name, _): (&'static str, State)| Tab {
        name,
        address: address(&asked, name, None),
        current: name == state_name,
    };
    let mut page = Page::new(&reader, "announcements", reader.t("announcements")).after(&asked);
    super::switch::offer_undo(&app, &mut page, &asked);
    show(&ListPage {
        page,
        tabs: STATES.into_iter().map(tab).collect(),
        state: state_name,
        rows: found.iter().map(|one| Row::of(&reader, one)).collect(),
        more: next.map(|next| address(&asked, state_name, Some(next))),
        search,
        importance: importance.map_or("", importance_name),
        importances: IMPORTANCES,
        customer,
        named,
        back: form_urlencoded::Serializer::new(String::new())
            .append_pair("back", &address(&asked, state_name, cursor))
            .finish(),
        chosen: !search.is_empty() || importance.is_some() || !customer.is_empty() || cursor.is_some(),
        refused,
    })
}
