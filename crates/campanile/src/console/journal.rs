//! The journal: who did what, from where, with what was there before and after; for who operates the server.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use campanile_core::directory::list::{Page as Found, Paging};
use campanile_core::journal::{Action, Filter, Item, Kind, Via, Who};
use campanile_core::message::target::Target;
use campanile_core::policy::{self, Act};
use campanile_core::time::Moment;
use serde::Deserialize as _;
use serde_json::{Map, Value};

use super::form::{Asked, Fields};
use super::messages::Named;
use super::page::{self, Page, Viewer};
use crate::app::App;
use crate::directory::segment;
use crate::journal;
use crate::problem::{Kind as Wrong, Problem};

const HERE: &str = "/journal";
/// The fields of the filter, by their names in the address.
const FIELDS: [&str; 7] = ["q", "actor", "kind", "action", "object", "from", "to"];
/// Characters of a text that is shown in the list; the rest is in the export.
const SHOWN: usize = 2_000;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route(HERE, get(list))
}

/// What differs: the field, before, after.
struct Difference {
    field: String,
    before: Option<String>,
    after: Option<String>,
}

struct Row {
    at: Moment,
    action: &'static str,
    /// What was done with it.
    also: Vec<&'static str>,
    kind: &'static str,
    /// What it was done to, and where that has a page.
    name: String,
    to: Option<String>,
    who: String,
    acting_for: Option<String>,
    address: Option<String>,
    via: Option<String>,
    differences: Vec<Difference>,
}

struct Choice {
    value: &'static str,
    name: String,
    chosen: bool,
}

#[derive(Template)]
#[template(path = "console/journal.html")]
struct JournalPage<'r> {
    page: Page<'r>,
    rows: Vec<Row>,
    asked: &'r Fields,
    kinds: Vec<Choice>,
    actions: Vec<Choice>,
    refused: Vec<String>,
    /// Something is asked for but words.
    narrowed: bool,
    more: Option<String>,
    exports: [String; 2],
}

async fn list(State(app): State<Arc<App>>, reader: Viewer, Asked(asked): Asked) -> Result<Response, Problem> {
    policy::may(&reader.rights, &Act::Operate)?;
    let mut refused = Vec::new();
    let filter = filter(&reader, &asked, &mut refused);
    let mut found = Found {
        items: Vec::new(),
        next: None,
    };
    if refused.is_empty() {
        let paging = Paging {
            limit: None,
            cursor: asked.some("cursor").map(str::to_owned),
        };
        match journal::list(&app, reader.principal.person, filter.clone(), paging).await {
            Ok(page) => found = page,
            Err(problem) if problem.kind == Wrong::Invalid => {
                let reasons = problem.errors.iter().map(|fault| reader.refusal(&fault.reason));
                refused.extend(reasons);
            }
            Err(problem) => return Err(problem),
        }
    }
    let chosen = |name: &str, value: &str| asked.get(name) == value;
    let kinds = Kind::ALL.iter().map(|kind| Choice {
        value: kind.name(),
        name: reader.of("journal-kind", kind.name()),
        chosen: chosen("kind", kind.name()),
    });
    let actions = Action::ALL.iter().map(|action| Choice {
        value: action.name(),
        name: reader.of("journal-action", action.name()),
        chosen: chosen("action", action.name()),
    });
    let more = found.next.map(|next| {
        let cursor = ("cursor", next);
        query(
            HERE,
            FIELDS
                .map(|name| (name, asked.get(name).to_owned()))
                .into_iter()
                .chain([cursor]),
        )
    });
    page::show(&JournalPage {
        page: Page::new(&reader, "journal", reader.t("journal")),
        rows: found.items.into_iter().map(|item| row(&reader, item)).collect(),
        kinds: kinds.collect(),
        actions: actions.collect(),
        narrowed: FIELDS.iter().any(|name| *name != "q" && asked.some(name).is_some()),
        refused,
        more,
        exports: ["csv", "ndjson"].map(|format| export(&filter, format)),
        asked: &asked,
    })
}

/// What the address asks for; times are those of the reader's zone.
fn filter(reader: &Viewer, asked: &Fields, refused: &mut Vec<String>) -> Filter {
    let text = |name: &str| asked.some(name).map(str::to_owned);
    let mut time = |name: &str| {
        let typed = asked.some(name)?;
        let at = reader.zone.parse(typed);
        if at.is_none() {
            refused.push(reader.t("journal-no-time"));
        }
        at
    };
    let (from, to) = (time("from"), time("to"));
    Filter {
        actor: text("actor"),
        action: Action::parse(asked.get("action")),
        kind: Kind::parse(asked.get("kind")),
        object: text("object"),
        from,
        to,
        q: text("q"),
    }
}

/// The same as a file, from the API.
fn export(filter: &Filter, format: &str) -> String {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let time = |at: Option<Moment>| at.map(|at| at.to_string()).unwrap_or_default();
    let fields = [
        ("format", format.to_owned()),
        ("q", text(&filter.q)),
        ("actor", text(&filter.actor)),
        ("kind", filter.kind.map(Kind::name).unwrap_or_default().to_owned()),
        ("action", filter.action.map(Action::name).unwrap_or_default().to_owned()),
        ("object", text(&filter.object)),
        ("from", time(filter.from)),
        ("to", time(filter.to)),
    ];
    query("/api/v1/journal/export", fields)
}

/// An address with the parameters that have a value.
fn query(path: &str, parameters: impl IntoIterator<Item = (&'static str, String)>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(parameters.into_iter().filter(|(_, value)| !value.is_empty()));
    format!("{path}?{}", query.finish())
}

fn row(reader: &Viewer, item: Item) -> Row {
    let named = |who: &Who| format!("{} ({})", who.name, who.login);
    // Who has the shell is nobody else.
    let via = item.via.filter(|_| item.actor.is_some());
    let via = via.map(|via| reader.of("journal-via", via.name()));
    let nobody = if item.via == Some(Via::Shell) {
        "journal-via-shell"
    } else {
        "journal-nobody"
    };
    Row {
        at: item.at,
        action: item.action.name(),
        also: item.also.iter().map(|also| also.name()).collect(),
        kind: item.kind.name(),
        to: place(&item),
        who: item.actor.as_ref().map_or_else(|| reader.t(nobody), named),
        acting_for: item.acting_for.as_ref().map(named),
        via: via.map(|via| match &item.token {
            Some(token) => format!("{via} {token}…"),
            None => via,
        }),
        address: item.address.clone(),
        differences: differences(reader, item.before.as_ref(), item.after.as_ref()),
        name: item.name.filter(|name| !name.is_empty()).unwrap_or(item.object),
    }
}

/// The page of what something was done to. What leaves no trace has none once it has ended, so its list stands in.
fn place(item: &Item) -> Option<String> {
    let thing = |path: &str| Some(format!("/directory/{path}/{}", segment(&item.object)));
    match item.kind {
        Kind::Message => Some(format!("/messages/{}", item.object)),
        Kind::Customer => thing("customers"),
        Kind::Environment => thing("environments"),
        Kind::Group => thing("groups"),
        Kind::Api => thing("apis"),
        Kind::Application => thing("applications"),
        Kind::Subscription => thing("subscriptions"),
        Kind::User | Kind::Token | Kind::Ticket | Kind::Session | Kind::Password | Kind::Device => thing("users"),
        Kind::Membership => Some(query("/directory/memberships", [("user", item.object.clone())])),
        Kind::Role => Some("/directory/roles".to_owned()),
        Kind::Endpoint => Some("/endpoints".to_owned()),
        Kind::Site | Kind::Key => Some("/sites".to_owned()),
        Kind::Suppression => Some(query("/suppressions", [("q", item.object.clone())])),
        Kind::Directory | Kind::Journal => None,
    }
}

/// What differs between two states, field by field.
fn differences(reader: &Viewer, before: Option<&Value>, after: Option<&Value>) -> Vec<Difference> {
    let nothing = Map::new();
    let fields = |state: Option<&Value>| state.and_then(Value::as_object).unwrap_or(&nothing).clone();
    let (before, after) = (fields(before), fields(after));
    let mut names: Vec<&String> = before.keys().collect();
    names.extend(after.keys().filter(|name| !before.contains_key(*name)));
    let differing = names.into_iter().filter(|name| before.get(*name) != after.get(*name));
    let told = |name: &str, value: Option<&Value>| {
        let text = value.map(|value| plain(reader, name, value));
        text.filter(|text| !text.is_empty())
            .map(|text| text.chars().take(SHOWN).collect())
    };
    differing
        .map(|name| Difference {
            field: field(reader, name),
            before: told(name, before.get(name)),
            after: told(name, after.get(name)),
        })
        .filter(|one| one.before != one.after)
        .collect()
}

/// What a field of the API is called here; one that has no name here goes by its own.
fn field(reader: &Viewer, name: &str) -> String {
    let key = format!("journal-field-{name}");
    if reader.words.has(&key) {
        reader.t(&key)
    } else {
        name.replace('_', " ")
    }
}

/// A value as one reads it.
fn plain(reader: &Viewer, name: &str, value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(yes) => reader.t(if *yes { "journal-yes" } else { "journal-no" }),
        Value::Number(number) => number.to_string(),
        Value::String(text) if is_time(name) => Moment::parse(text).map_or_else(|| text.clone(), |at| reader.when(at)),
        Value::String(text) => word(reader, name, text).unwrap_or_else(|| text.clone()),
        Value::Array(items) => {
            let items = items.iter().map(|item| plain(reader, name, item));
            items.collect::<Vec<_>>().join(", ")
        }
        Value::Object(_) if name == "audience" => part(reader, value),
        Value::Object(fields) => {
            let fields = fields.iter().filter(|(_, value)| !value.is_null());
            let told = fields.map(|(name, value)| match value {
                Value::String(_) if !is_time(name) => plain(reader, name, value),
                Value::Bool(true) => field(reader, name),
                Value::Bool(false) => String::new(),
                other => format!("{} {}", field(reader, name), plain(reader, name, other)),
            });
            told.filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" ")
        }
    }
}

fn is_time(name: &str) -> bool {
    name.ends_with("_at") || matches!(name, "period_from" | "period_to" | "from" | "to" | "old_secret_until")
}

/// What a word of the API is called here, of fields that have a few of them.
fn word(reader: &Viewer, name: &str, text: &str) -> Option<String> {
    let family = match name {
        "importance" => "importance",
        "channel" | "channels" => "channel",
        "status" => "status",
        "part" => "people",
        "action" => "journal-action",
        "kind" => "journal-kind",
        "door" | "list" | "late_joiners" => "journal-word",
        _ => return None,
    };
    let key = format!("{family}-{}", text.to_lowercase().replace('_', "-"));
    reader.words.has(&key).then(|| reader.t(&key))
}

/// A part of an audience, by the ids that were named.
fn part(reader: &Viewer, value: &Value) -> String {
    let Ok(target) = Target::deserialize(value) else {
        return value.to_string();
    };
    let name = match &target {
        Target::EnvironmentRole { environment: id, .. }
        | Target::ApiRole { api: id, .. }
        | Target::Subscribers { api: id, .. }
        | Target::Group { group: id }
        | Target::User { user: id } => id.clone(),
        Target::Customer { customer, .. } => format!("{} {customer}", reader.t("journal-kind-customer")),
        Target::Everyone => String::new(),
    };
    Named { target, name }.words(reader.words)
}
