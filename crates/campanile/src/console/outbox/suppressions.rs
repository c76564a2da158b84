//! Addresses that get no mail, as operators look after them.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use campanile_core::directory::list::Paging;
use campanile_core::inbox::SEARCH_CHARS;
use campanile_core::outbox::suppression::{REASON_CHARS, Source, Suppression};
use campanile_core::policy::{self, Act};

use crate::app::App;
use crate::console::ask::{self, Ask};
use crate::console::form::{Asked, Fields, Form};
use crate::console::page::{self, Page, Reader};
use crate::console::refused::Refused;
use crate::problem::Problem;
use crate::suppressions;

const HERE: &str = "/suppressions";

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route(HERE, get(list).post(add))
        .route("/suppressions/remove", get(ask_remove).post(remove))
}

const SOURCES: [(Source, &str); 4] = [
    (Source::Bounced, "bounced"),
    (Source::Complained, "complained"),
    (Source::Added, "added"),
    (Source::Unsubscribed, "unsubscribed"),
];

fn source_name(source: Source) -> &'static str {
    let found = SOURCES.into_iter().find(|(one, _)| *one == source);
    found.map_or("added", |(_, name)| name)
}

/// The list with a query.
fn address(path: &str, parameters: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(parameters.iter().filter(|(_, value)| !value.is_empty()));
    format!("{path}?{}", query.finish())
}

struct Row {
    of: Suppression,
    source: &'static str,
    why: String,
    remove: String,
}

#[derive(Template)]
#[template(path = "console/outbox/suppressions.html")]
struct ListPage<'r> {
    page: Page<'r>,
    rows: Vec<Row>,
    search: &'r str,
    too_long: Option<String>,
    more: Option<String>,
    refused: Refused,
    address: String,
    reason: String,
    reason_chars: usize,
}

async fn shown<'r>(app: &App, reader: &'r Reader, asked: &'r Fields) -> Result<ListPage<'r>, Problem> {
    let search = asked.get("q");
    let too_long = search.chars().count() > SEARCH_CHARS;
    let q = Some(search.to_owned()).filter(|q| !q.is_empty() && !too_long);
    let paging = Paging {
        limit: None,
        cursor: asked.some("cursor").map(str::to_owned),
    };
    let found = suppressions::list(app, reader.principal.person, q, paging).await?;
    let row = |of: Suppression| {
        let source = source_name(of.source);
        Row {
            why: reader.refusal(&of.reason),
            remove: address("/suppressions/remove", &[("address", &of.address), ("source", source)]),
            source,
            of,
        }
    };
    Ok(ListPage {
        page: Page::new(reader, "directory", reader.t("suppressions")),
        rows: found.items.into_iter().map(row).collect(),
        search,
        too_long: too_long.then(|| reader.n("search-too-long", SEARCH_CHARS)),
        more: found
            .next
            .map(|next| address(HERE, &[("q", search), ("cursor", &next)])),
        refused: Refused::default(),
        address: String::new(),
        reason: String::new(),
        reason_chars: REASON_CHARS,
    })
}

async fn list(State(app): State<Arc<App>>, reader: Reader, Asked(asked): Asked) -> Result<Response, Problem> {
    let mut shown = shown(&app, &reader, &asked).await?;
    shown.page = shown.page.after(&asked);
    page::show(&shown)
}

async fn add(State(app): State<Arc<App>>, reader: Reader, Form(fields): Form) -> Result<Response, Problem> {
    let (address, reason) = (fields.get("address").to_owned(), fields.get("reason").to_owned());
    let added = suppressions::add(&app, &reader.principal, address.clone(), reason.clone()).await;
    let refused = match added {
        Ok(_) => return Ok(page::done(HERE, "suppressed", &[])),
        Err(problem) => Refused::of(&reader, problem)?,
    };
    let nothing = Fields::default();
    let before = shown(&app, &reader, &nothing).await?;
    page::refuse(&ListPage {
        refused,
        address,
        reason,
        ..before
    })
}

async fn ask_remove(reader: Reader, Asked(asked): Asked) -> Result<Response, Problem> {
    policy::may(&reader.rights, &Act::Operate)?;
    let address = asked.get("address").to_owned();
    ask::show(
        &reader,
        Ask {
            here: "directory",
            title: reader.s("unsuppress-title", &address),
            text: reader.t("unsuppress-text"),
            crumb: (HERE.to_owned(), reader.t("suppressions")),
            action: "/suppressions/remove".to_owned(),
            fields: vec![("address", address), ("source", asked.get("source").to_owned())],
            keep: reader.t("keep-it"),
            button: reader.t("unsuppress"),
            is_grave: true,
            refused: Vec::new(),
        },
    )
}

async fn remove(State(app): State<Arc<App>>, reader: Reader, Form(fields): Form) -> Result<Response, Problem> {
    let address = fields.get("address").to_owned();
    let named = SOURCES.into_iter().find(|(_, name)| *name == fields.get("source"));
    let source = named.map(|(source, _)| source);
    suppressions::remove(&app, &reader.principal, address, source).await?;
    Ok(page::done(HERE, "unsuppressed", &[]))
}
