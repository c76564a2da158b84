//! The lists: a search, a few filters, a page at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use campanile_core::directory::entry::Status;
use campanile_core::directory::list::{
    self, Customer, Page, Paging, Subscription, SubscriptionFilter, Thing, ThingFilter, User, UserFilter,
};
use campanile_core::{Error, Result as Ruled};
use campanile_store::Tx;

use super::super::form::{Asked, Fields, Path};
use super::super::page::{Reader, show};
use super::cell::{Cell, Table, state_word, status_cell, status_name, user_cell};
use super::{Kind, Looker, Shell, customers, in_shell, number, query};
use crate::app::App;
use crate::problem::Problem;

/// One choice of a filter.
pub(super) struct Choice {
    pub(super) value: String,
    pub(super) name: String,
    pub(super) chosen: bool,
}

/// A filter to choose from.
pub(super) struct Filter {
    pub(super) name: &'static str,
    pub(super) label: String,
    pub(super) choices: Vec<Choice>,
}

/// A filter that a link of another page has set: what it says, its name and value, and the address without it.
pub(super) struct Narrowed {
    pub(super) text: String,
    pub(super) name: &'static str,
    pub(super) value: String,
    pub(super) without: String,
}

#[derive(Template)]
#[template(path = "console/directory/list.html")]
struct ListPage<'r> {
    shell: Shell<'r>,
    hint: String,
    path: String,
    search: &'r str,
    filters: Vec<Filter>,
    narrowed: Vec<Narrowed>,
    table: Table,
    /// Where one is added, and what the button says.
    add: Option<(String, String)>,
}

in_shell!(ListPage);

impl ListPage<'_> {
    #[expect(clippy::unused_self, reason = "the template of lists asks every list")]
    const fn has_search(&self) -> bool {
        true
    }
}

/// Which of a kind: `now`, `ended` or `all`.
fn active(asked: &Fields) -> Option<bool> {
    match asked.get("state") {
        "ended" => Some(false),
        "all" => None,
        _ => Some(true),
    }
}

pub(super) fn paging(asked: &Fields) -> Paging {
    Paging {
        limit: None,
        cursor: asked.some("cursor").map(str::to_owned),
    }
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    Looker(reader): Looker,
    Path(kind): Path<String>,
    Asked(asked): Asked,
) -> Result<Response, Problem> {
    let kind = Kind::parse(&kind)?;
    if kind == Kind::Customers && asked.some("q").is_none() && active(&asked) == Some(true) {
        return customers::roots(&app, &reader, &asked).await;
    }
    let path = format!("/directory/{}", kind.path());
    let mut table = found(&app, &reader, kind, &asked).await?;
    if table.more.is_some() {
        table.empty = reader.t("none-so-far-title");
    }
    table.more = table.more.map(|cursor| {
        let kept = ["q", "state", "environment", "customer", "api", "application", "status"];
        let mut parameters: Vec<_> = kept.map(|name| (name, asked.get(name))).to_vec();
        parameters.push(("cursor", &cursor));
        query(&path, &parameters)
    });
    let shell = Shell::new(&reader, kind.path(), reader.t(&format!("kind-{}", kind.path())));
    show(&ListPage {
        hint: reader.t(&format!("find-{}", kind.path())),
        search: asked.get("q"),
        filters: filters(&reader, kind, &asked),
        narrowed: narrowed(&reader, kind, &asked, &path),
        table,
        add: shell.may_edit().then(|| add_button(&reader, kind)),
        path,
        shell,
    })
}

/// Where one of a kind is made, and what the button says.
pub(super) fn add_button(reader: &Reader, kind: Kind) -> (String, String) {
    let path = kind.path();
    (format!("/directory/add/{path}"), reader.t(&format!("new-{path}")))
}

async fn found(app: &App, reader: &Reader, kind: Kind, asked: &Fields) -> Result<Table, Problem> {
    let (asked, paging) = (asked.clone(), paging(asked));
    Ok(match kind {
        Kind::Customers => {
            let filter = list::CustomerFilter {
                q: asked.some("q").map(str::to_owned),
                parent: list::Parent::Any,
                active: active(&asked),
            };
            let page = app.db.scan(move |tx| list::customers(tx, &filter, &paging)).await?;
            customer_table(reader, page)
        }
        Kind::Users => {
            let filter = UserFilter {
                q: asked.some("q").map(str::to_owned),
                customer: asked.some("customer").map(number).transpose()?,
                active: active(&asked),
            };
            let (page, names) = app
                .db
                .scan(move |tx| {
                    let page = list::users(tx, &filter, &paging)?;
                    let names = names_of(tx, page.items.iter().filter_map(|user| user.customer))?;
                    Ok::<_, Error>((page, names))
                })
                .await?;
            user_table(reader, page, &names)
        }
        Kind::Subscriptions => {
            let filter = SubscriptionFilter {
                q: asked.some("q").map(str::to_owned),
                api: asked.some("api").map(str::to_owned),
                application: asked.some("application").map(str::to_owned),
                status: status_of(asked.get("status")),
                active: active(&asked),
            };
            let page = app.db.scan(move |tx| list::subscriptions(tx, &filter, &paging)).await?;
            subscription_table(reader, page)
        }
        Kind::Groups | Kind::Apis | Kind::Applications | Kind::Environments => {
            let filter = ThingFilter {
                q: asked.some("q").map(str::to_owned),
                environment: asked.some("environment").map(str::to_owned),
                active: active(&asked),
            };
            let thing = kind.thing().ok_or(Error::Missing("kind of thing"))?;
            let page = app.db.scan(move |tx| list::things(tx, thing, &filter, &paging)).await?;
            thing_table(reader, kind, page)
        }
    })
}

/// The status of a name.
pub(super) fn status_of(name: &str) -> Option<Status> {
    STATUSES.into_iter().find(|status| status_name(*status) == name)
}

/// Every status, in the order of a subscription's life.
pub(super) const STATUSES: [Status; 5] = [
    Status::Pending,
    Status::Accepted,
    Status::Paused,
    Status::Rejected,
    Status::Closed,
];

/// The names of some customers, by id.
pub(super) fn names_of(tx: &mut Tx<'_>, ids: impl Iterator<Item = i64>) -> Ruled<BTreeMap<i64, String>> {
    let ids: BTreeSet<i64> = ids.collect();
    list::customer_names(tx, &ids.into_iter().collect::<Vec<_>>())
}

// ---------------------------------------------------------------- filters

fn filters(reader: &Reader, kind: Kind, asked: &Fields) -> Vec<Filter> {
    let state = match active(asked) {
        Some(true) => "",
        Some(false) => "ended",
        None => "all",
    };
    let ended = if kind == Kind::Users {
        "state-deactivated"
    } else {
        "state-ended"
    };
    let choice = |value: &str, key: &str| Choice {
        value: value.to_owned(),
        name: reader.t(key),
        chosen: value == state,
    };
    let mut filters = vec![Filter {
        name: "state",
        label: reader.t("state"),
        choices: vec![
            choice("", "state-now"),
            choice("ended", ended),
            choice("all", "state-all"),
        ],
    }];
    match kind {
        Kind::Apis | Kind::Applications if reader.environments.len() > 1 => {
            filters.push(environments(reader, asked.get("environment"), Some("environment-any")));
        }
        Kind::Subscriptions => {
            let chosen = asked.get("status");
            let mut choices = vec![Choice {
                value: String::new(),
                name: reader.t("subscription-any"),
                chosen: chosen.is_empty(),
            }];
            choices.extend(STATUSES.map(|status| Choice {
                value: status_name(status).to_owned(),
                name: reader.t(&format!("status-{}", status_name(status))),
                chosen: chosen == status_name(status),
            }));
            filters.push(Filter {
                name: "status",
                label: reader.t("column-status"),
                choices,
            });
        }
        _ => {}
    }
    filters
}

/// A choice of environments; with a text for "any of them" first, where that can be chosen.
pub(super) fn environments(reader: &Reader, chosen: &str, any: Option<&str>) -> Filter {
    let any = any.map(|key| Choice {
        value: String::new(),
        name: reader.t(key),
        chosen: chosen.is_empty(),
    });
    let one = reader.environments.iter().map(|one| Choice {
        value: one.id.clone(),
        name: one.name.clone(),
        chosen: one.id == chosen,
    });
    Filter {
        name: "environment",
        label: reader.t("environment"),
        choices: any.into_iter().chain(one).collect(),
    }
}

/// The filters that came with a link.
fn narrowed(reader: &Reader, kind: Kind, asked: &Fields, path: &str) -> Vec<Narrowed> {
    let names: &[&'static str] = match kind {
        Kind::Users => &["customer"],
        Kind::Subscriptions => &["api", "application"],
        _ => &[],
    };
    let set = names.iter().filter_map(|name| Some((*name, asked.some(name)?)));
    set.map(|(name, value)| Narrowed {
        text: reader.s(&format!("only-{name}"), value),
        name,
        value: value.to_owned(),
        without: query(path, &[("q", asked.get("q")), ("state", asked.get("state"))]),
    })
    .collect()
}

// ---------------------------------------------------------------- tables

fn name_cell(reader: &Reader, kind: Kind, id: &str, name: &str, active: bool) -> Cell {
    let cell = Cell::link(kind.at(id), name);
    if active {
        cell
    } else {
        cell.with(state_word(reader, kind))
    }
}

fn customer_table(reader: &Reader, page: Page<Customer>) -> Table {
    let columns = [("name", ""), ("id", "n"), ("parent", "more")];
    let mut table = Table::new(reader, &columns, "empty-list");
    table.more = page.next;
    table.rows = page
        .items
        .into_iter()
        .map(|one| {
            let id = one.id.to_string();
            let parent = one.parent.map(|parent| parent.to_string());
            vec![
                name_cell(reader, Kind::Customers, &id, &one.name, one.active),
                Cell::id(id),
                parent.map_or_else(Cell::default, |id| Cell::link(Kind::Customers.at(&id), id)),
            ]
        })
        .collect();
    table
}

/// People with their customers, whose names are at hand.
pub(super) fn user_table(reader: &Reader, page: Page<User>, customers: &BTreeMap<i64, String>) -> Table {
    let columns = [("name", ""), ("email", "more"), ("customer", "more"), ("state", "")];
    let mut table = Table::new(reader, &columns, "empty-list");
    table.more = page.next;
    table.rows = page
        .items
        .into_iter()
        .map(|user| {
            let customer = user.customer.and_then(|id| Some((id.to_string(), customers.get(&id)?)));
            vec![
                user_cell(&user),
                Cell::text(user.email.unwrap_or_default()),
                customer.map_or_else(Cell::default, |(id, name)| Cell::link(Kind::Customers.at(&id), name)),
                if user.active {
                    Cell::pill("good", reader.t("active"))
                } else {
                    Cell::pill("", reader.t("deactivated"))
                },
            ]
        })
        .collect();
    table
}

fn thing_table(reader: &Reader, kind: Kind, page: Page<Thing>) -> Table {
    let placed = matches!(kind, Kind::Apis | Kind::Applications);
    let columns: &[(&str, &'static str)] = if placed {
        &[
            ("name", ""),
            ("id", "more"),
            ("environment", "more"),
            ("groups", "n more"),
        ]
    } else {
        &[("name", ""), ("id", ""), ("since", "more")]
    };
    let mut table = Table::new(reader, columns, "empty-list");
    table.more = page.next;
    table.rows = page
        .items
        .into_iter()
        .map(|one| {
            let mut cells = vec![
                name_cell(reader, kind, &one.id, &one.name, one.active),
                Cell::id(&one.id),
            ];
            if placed {
                cells.push(Cell::text(
                    reader.environment_name(&one.environment.unwrap_or_default()),
                ));
                cells.push(Cell::text(reader.number(one.groups.unwrap_or_default().len())));
            } else {
                cells.push(Cell::time(one.created_at));
            }
            cells
        })
        .collect();
    table
}

/// Subscriptions with both of their ends.
pub(super) fn subscription_table(reader: &Reader, page: Page<Subscription>) -> Table {
    let columns = [
        ("subscription", ""),
        ("api", ""),
        ("application", ""),
        ("status", ""),
        ("valid", "more"),
    ];
    let mut table = Table::new(reader, &columns, "empty-list");
    table.more = page.next;
    table.rows = page
        .items
        .into_iter()
        .map(|one| {
            vec![
                Cell::link(Kind::Subscriptions.at(&one.id), &one.id),
                Cell::link(Kind::Apis.at(&one.api), &one.api),
                Cell::link(Kind::Applications.at(&one.application), &one.application),
                status_cell(reader, &one),
                Cell::text(window(reader, &one)),
            ]
        })
        .collect();
    table
}

/// From when until when a subscription is valid.
pub(super) fn window(reader: &Reader, subscription: &Subscription) -> String {
    match (subscription.starting_at, subscription.ending_at) {
        (None, None) => reader.t("window-always"),
        (Some(from), None) => reader.s("window-from", reader.when(from)),
        (None, Some(until)) => reader.s("window-until", reader.when(until)),
        (Some(from), Some(until)) => reader.words.with(
            "window-both",
            [("from", reader.when(from).into()), ("until", reader.when(until).into())],
        ),
    }
}
