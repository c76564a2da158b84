//! Who a message went to by one channel, and how it stands with each.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use campanile_core::id::MessageId;
use campanile_core::inbox::SEARCH_CHARS;
use campanile_core::outbox::look::{Delivery, Standing};
use campanile_core::outbox::run::Progress;
use campanile_core::time::Moment;

use super::{STANDINGS, Way, address, channel_of, standing, state_name, way, who};
use crate::app::App;
use crate::console::form::{Asked, Path};
use crate::console::page::{Page, Reader, show};
use crate::deliveries::{self, Wanted};
use crate::problem::Problem;

/// Recipients of a page.
const ROWS: usize = 50;
/// The tab of everybody.
const ALL: &str = "all";

struct Tab {
    address: String,
    name: String,
    number: Option<i64>,
    current: bool,
}

/// A recipient.
struct Row {
    who: String,
    beside: String,
    state: &'static str,
    colour: &'static str,
    why: Option<String>,
    attempts: i64,
    at: Option<Moment>,
    next_at: Option<Moment>,
    address: String,
    target: String,
    /// Whether it can be sent again.
    again: bool,
}

#[derive(Template)]
#[template(path = "console/outbox/list.html")]
struct ListPage<'r> {
    page: Page<'r>,
    id: i64,
    heading: String,
    channels: Vec<Tab>,
    states: Vec<Tab>,
    rows: Vec<Row>,
    channel: &'static str,
    state: &'static str,
    search: &'r str,
    refused: Option<String>,
    csv: String,
    again: Option<String>,
    back: Option<String>,
    more: Option<String>,
}

fn row(reader: &Reader, id: MessageId, of: Delivery, takes_again: bool) -> Row {
    let (state, colour) = state_name(&of);
    let (who, beside) = who(&of);
    let channel = of.channel.name();
    Row {
        who,
        beside,
        state,
        colour,
        why: of.reason.as_deref().map(|reason| reader.refusal(reason)),
        attempts: of.attempts,
        at: of.at,
        next_at: of.next_at,
        address: address(id, "delivery", &[("channel", channel), ("target", &of.target)]),
        again: takes_again && state == "failed",
        target: of.target,
    }
}

/// What is shown where nothing is chosen: what failed, where something did.
fn chosen(asked: &str, of: &Progress) -> (Option<Standing>, &'static str) {
    let named = STANDINGS.into_iter().find(|(_, name)| *name == asked);
    match named {
        Some((standing, name)) => (Some(standing), name),
        None if asked.is_empty() && of.failed > 0 => (Some(Standing::Failed), "failed"),
        None => (None, ALL),
    }
}

fn channels(reader: &Reader, id: MessageId, way: &Way, here: &str) -> Vec<Tab> {
    let tab = |of: &Progress| {
        let name = of.channel.name();
        Tab {
            address: address(id, "deliveries", &[("channel", name)]),
            name: reader.of("channel", name),
            number: None,
            current: name == here,
        }
    };
    way.runs.iter().map(tab).collect()
}

fn states(reader: &Reader, id: MessageId, of: &Progress, here: &str) -> Vec<Tab> {
    let channel = of.channel.name();
    let tab = |name: &str, number| Tab {
        address: address(id, "deliveries", &[("channel", channel), ("state", name)]),
        name: reader.of("standing", name),
        number,
        current: name == here,
    };
    let some = |(which, name): &(Standing, &'static str)| standing(of, *which) > 0 || *name == here;
    let states = STANDINGS.into_iter().filter(some);
    // In doubt are tries: their number is none of rows.
    let number = |which| Some(standing(of, which)).filter(|_| which != Standing::InDoubt);
    let mut tabs: Vec<Tab> = states.map(|(which, name)| tab(name, number(which))).collect();
    tabs.push(tab(ALL, Some(of.recipients)));
    tabs
}

/// `GET /messages/{id}/deliveries`.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(id): Path<MessageId>,
    Asked(asked): Asked,
) -> Result<Response, Problem> {
    let way = way(&app, &reader, id).await?;
    let named = channel_of(&asked).and_then(|channel| way.run(channel));
    let search = asked.get("q");
    let too_long = search.chars().count() > SEARCH_CHARS;
    let mut shown = ListPage {
        page: Page::new(&reader, "messages", reader.t("deliveries")).after(&asked),
        id: id.0,
        heading: way.title.clone(),
        channels: Vec::new(),
        states: Vec::new(),
        rows: Vec::new(),
        channel: "",
        state: ALL,
        search,
        refused: too_long.then(|| reader.n("search-too-long", SEARCH_CHARS)),
        csv: String::new(),
        again: None,
        back: None,
        more: None,
    };
    let Some(run) = named.or(way.runs.first()) else {
        return show(&shown);
    };
    let (standing, state) = chosen(asked.get("state"), run);
    let wanted = Wanted {
        channel: Some(run.channel),
        standing,
        q: Some(search.to_owned()).filter(|q| !q.is_empty() && !too_long),
        after: asked.get("cursor").parse().unwrap_or(0),
        limit: ROWS,
    };
    let (found, next) = deliveries::page(&app, reader.principal.person, id, wanted).await?;
    let channel = run.channel.name();
    let takes_again = way.takes_again(run);
    shown.rows = found
        .into_iter()
        .map(|one| row(&reader, id, one, takes_again))
        .collect();
    shown.channels = channels(&reader, id, &way, channel);
    shown.states = states(&reader, id, run, state);
    (shown.channel, shown.state) = (channel, state);
    shown.csv = csv(id, channel, state);
    let at = |page| address(id, page, &[("channel", channel)]);
    shown.again = takes_again.then(|| at("resend"));
    shown.back = way.takes_back(run).then(|| at("cancel"));
    shown.more = next.map(|next| {
        let next = next.to_string();
        let all = [("channel", channel), ("state", state), ("q", search), ("cursor", &next)];
        address(id, "deliveries", &all)
    });
    show(&shown)
}

/// The same list as a file, from the API.
fn csv(id: MessageId, channel: &str, state: &str) -> String {
    let state = if state == ALL { "" } else { state };
    let api = state.replace('-', "_");
    let page = address(id, "deliveries.csv", &[("channel", channel), ("state", &api)]);
    format!("/api/v1{page}")
}
