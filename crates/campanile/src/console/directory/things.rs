//! The page of one thing: its facts, what goes with it, its history, and what may be done with it.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use campanile_core::directory::list::{Attachment, Customer, Membership, Page as Many, Subscription, Thing, User};
use campanile_core::rights::AsmRole;

use super::super::form::{Asked, Fields, Path};
use super::super::page::{Reader, refuse, show};
use super::super::undo::Deed;
use super::cell::{
    BEGINNING, Cell, Fact, Section, Table, membership_end, place_address, place_cell, role_cell, state_word,
    status_cell, user_cell,
};
use super::customers::Tree;
use super::lists::{subscription_table, user_table, window};
use super::past::{Timeline, timeline};
use super::raw::{self, Raw};
use super::{Kind, Looker, Shell, in_shell, query};
use crate::app::App;
use crate::problem::Problem;

/// The groups of an API or application, and where they are attached and detached.
struct Groups {
    items: Vec<Thing>,
    more: usize,
    action: Option<String>,
}

#[derive(Template)]
#[template(path = "console/directory/thing.html")]
struct ThingPage<'r> {
    shell: Shell<'r>,
    kind: Kind,
    to: String,
    active: bool,
    /// Nothing says any more who they were, and nobody comes back from that.
    erased: bool,
    gone: String,
    facts: Vec<Fact>,
    tree: Option<Tree>,
    groups: Option<Groups>,
    sections: Vec<Section>,
    past: Timeline,
    /// The field of the attachment form that was refused.
    refused: Option<String>,
}

in_shell!(ThingPage);

impl ThingPage<'_> {
    fn is_user(&self) -> bool {
        self.kind == Kind::Users
    }

    fn is_kept(&self) -> bool {
        self.kind == Kind::Environments && self.to == Kind::Environments.at("DEFAULT")
    }

    /// The list that this belongs to.
    fn list(&self) -> (String, String) {
        let path = self.kind.path();
        (
            format!("/directory/{path}"),
            self.shell.page.words.t(&format!("kind-{path}")),
        )
    }

    fn end_word(&self) -> String {
        self.shell
            .page
            .words
            .t(if self.is_user() { "deactivate" } else { "end-it" })
    }
}

pub(super) async fn one(
    State(app): State<Arc<App>>,
    Looker(reader): Looker,
    Path((kind, id)): Path<(String, String)>,
    Asked(asked): Asked,
) -> Result<Response, Problem> {
    let kind = Kind::parse(&kind)?;
    let page = page(&app, &reader, kind, &id, &asked).await?;
    show(&page)
}

/// The page again, with what was refused of the form that attaches groups.
pub(super) async fn refused(
    app: &App,
    reader: &Reader,
    kind: Kind,
    id: &str,
    said: String,
) -> Result<Response, Problem> {
    let mut page = page(app, reader, kind, id, &Fields::default()).await?;
    page.refused = Some(said);
    refuse(&page)
}

async fn page<'r>(
    app: &App,
    reader: &'r Reader,
    kind: Kind,
    id: &str,
    asked: &Fields,
) -> Result<ThingPage<'r>, Problem> {
    let (raw, past) = raw::load(app, kind, id, asked).await?;
    let to = kind.at(id);
    let mut shell = Shell::new(reader, kind.path(), raw.title());
    shell.page = shell.page.after(asked);
    undo(app, &mut shell, asked, &to);
    let mut past = timeline(reader, past, kind == Kind::Users);
    past.more = past.more.map(|next| query(&to, &[("past", &next)]));
    let edit = shell.may_edit() && raw.active();
    let view = View { reader, to: &to, edit };
    Ok(ThingPage {
        facts: view.facts(kind, &raw),
        sections: view.sections(kind, id, &raw),
        groups: groups(&raw, edit.then(|| format!("{to}/groups"))),
        active: raw.active(),
        erased: matches!(&raw, Raw::User { item, .. } if item.erased_at.is_some()),
        gone: state_word(reader, kind),
        refused: None,
        tree: match raw {
            Raw::Customer { tree, .. } => Some(tree),
            _ => None,
        },
        shell,
        kind,
        to,
        past,
    })
}

/// What undoes the end that the address tells of: the thing comes back as it was.
fn undo(app: &App, shell: &mut Shell<'_>, asked: &Fields, to: &str) {
    let whole = matches!(
        asked.get("done"),
        "deactivated" | "customer-removed" | "subscription-removed"
    );
    if whole {
        let label = shell.page.words.t("undo");
        brought_back(to, asked.some("parent")).offer(app, &mut shell.page, asked, label);
    }
}

/// What brings the thing of this page back, a customer below that one.
pub(super) fn brought_back(to: &str, parent: Option<&str>) -> Deed {
    Deed {
        to: format!("{to}/back"),
        fields: parent.map(|parent| ("parent", parent.to_owned())).into_iter().collect(),
    }
}

fn groups(raw: &Raw, action: Option<String>) -> Option<Groups> {
    let Raw::Placed { item, groups, .. } = raw else {
        return None;
    };
    Some(Groups {
        items: groups.clone(),
        more: item.groups.as_ref().map_or(0, Vec::len).saturating_sub(groups.len()),
        action,
    })
}

/// How things are told to this reader.
struct View<'r> {
    reader: &'r Reader,
    to: &'r str,
    edit: bool,
}

impl View<'_> {
    fn facts(&self, kind: Kind, raw: &Raw) -> Vec<Fact> {
        let mut facts = match raw {
            Raw::Customer { item, people, .. } => self.of_customer(item, *people),
            Raw::User { item, customer, .. } => self.of_user(item, customer.as_ref()),
            Raw::Group { item, .. } | Raw::Environment { item, .. } | Raw::Placed { item, .. } => self.of_thing(item),
            Raw::Subscription {
                item,
                api,
                application,
                by,
            } => self.of_subscription(item, api, application, by.as_deref()),
        };
        if raw.created_at() != BEGINNING {
            facts.push(self.fact("since", Cell::time(raw.created_at())));
        }
        if !raw.active() {
            facts.insert(0, self.fact("state", Cell::pill("", state_word(self.reader, kind))));
        }
        facts
    }

    fn fact(&self, name: &str, cell: Cell) -> Fact {
        (self.reader.t(&format!("column-{name}")), cell)
    }

    fn of_customer(&self, item: &Customer, (here, below): (u64, u64)) -> Vec<Fact> {
        vec![
            self.fact("id", Cell::id(item.id.to_string())),
            self.fact("people-here", Cell::text(self.reader.number(here))),
            self.fact("people-below", Cell::text(self.reader.number(below))),
        ]
    }

    fn of_user(&self, item: &User, customer: Option<&Customer>) -> Vec<Fact> {
        let customer = customer.map_or_else(
            || Cell::text(self.reader.t("no-customer")),
            |at| Cell::link(Kind::Customers.at(&at.id.to_string()), &at.name),
        );
        let mut facts = vec![
            self.fact("login", Cell::text(&item.login)),
            self.fact("id", Cell::id(&item.id)),
            self.fact(
                "email",
                Cell::text(item.email.clone().unwrap_or_else(|| self.reader.t("no-email"))),
            ),
            self.fact("customer", customer),
        ];
        if let Some(locale) = &item.locale {
            facts.push(self.fact("language", Cell::text(locale)));
        }
        facts.push(self.fact("asm-role", Cell::text(self.reader.t(asm_key(item.asm_role)))));
        facts
    }

    fn of_thing(&self, item: &Thing) -> Vec<Fact> {
        let mut facts = vec![self.fact("id", Cell::id(&item.id))];
        if let Some(environment) = &item.environment {
            let to = Kind::Environments.at(environment);
            facts.push(self.fact("environment", Cell::link(to, self.reader.environment_name(environment))));
        }
        facts
    }

    fn of_subscription(&self, item: &Subscription, api: &Thing, of: &Thing, by: Option<&User>) -> Vec<Fact> {
        let mut facts = vec![
            self.fact("api", Cell::link(Kind::Apis.at(&api.id), &api.name)),
            self.fact("application", Cell::link(Kind::Applications.at(&of.id), &of.name)),
            self.fact("valid", Cell::text(window(self.reader, item))),
        ];
        if item.active {
            facts.insert(0, self.fact("status", status_cell(self.reader, item)));
        }
        if let Some(by) = by {
            facts.push(self.fact("subscribed-by", user_cell(by)));
        }
        facts
    }

    fn sections(&self, kind: Kind, id: &str, raw: &Raw) -> Vec<Section> {
        match raw {
            Raw::Customer { users, names, .. } => {
                let mut table = user_table(self.reader, users.clone(), names).without(2);
                table.empty = self.reader.t("no-users-here");
                table.more = self.next("users", table.more);
                let add = query("/directory/add/users", &[("customer", id)]);
                vec![self.section("kind-users", table, Some((add, "new-users")))]
            }
            Raw::User { memberships, .. } => {
                let table = self.held(memberships);
                let add = query("/directory/add/memberships", &[("user", id)]);
                vec![self.section("roles-held", table, Some((add, "new-memberships")))]
            }
            Raw::Group {
                api,
                application,
                attached,
                ..
            } => {
                let add = |scope| {
                    let parameters = [("on", "group"), ("id", id), ("scope", scope)];
                    Some((query("/directory/add/memberships", &parameters), "new-memberships"))
                };
                vec![
                    self.section("members-api", self.holders("api", api), add("API")),
                    self.section(
                        "members-application",
                        self.holders("application", application),
                        add("APPLICATION"),
                    ),
                    self.section("attached-to", self.attached(attached), None),
                ]
            }
            Raw::Placed {
                members, subscriptions, ..
            } => {
                let on = if kind == Kind::Apis { "api" } else { "application" };
                let member = query("/directory/add/memberships", &[("on", on), ("id", id)]);
                let subscription = query("/directory/add/subscriptions", &[(on, id)]);
                let own = if kind == Kind::Apis { 1 } else { 2 };
                let mut table = subscription_table(self.reader, subscriptions.clone()).without(own);
                table.empty = self.reader.t("no-subscriptions");
                table.more = self.next("subscriptions", table.more);
                vec![
                    self.section(
                        "members",
                        self.holders("members", members),
                        Some((member, "new-memberships")),
                    ),
                    self.section("kind-subscriptions", table, Some((subscription, "new-subscriptions"))),
                ]
            }
            Raw::Environment { members, .. } => {
                let add = query("/directory/add/memberships", &[("on", "environment"), ("id", id)]);
                let table = self.holders("members", members);
                vec![self.section("members", table, Some((add, "new-memberships")))]
            }
            Raw::Subscription { .. } => Vec::new(),
        }
    }

    fn section(&self, title: &str, table: Table, add: Option<(String, &str)>) -> Section {
        Section {
            title: self.reader.t(title),
            table,
            add: add.filter(|_| self.edit).map(|(to, key)| (to, self.reader.t(key))),
        }
    }

    fn next(&self, name: &str, cursor: Option<String>) -> Option<String> {
        cursor.map(|cursor| query(self.to, &[(name, &cursor)]))
    }

    /// What a user holds.
    fn held(&self, page: &Many<Membership>) -> Table {
        let columns = [("role", ""), ("where", ""), ("since", "more"), ("do", "n")];
        let mut table = Table::new(self.reader, &columns[..self.columns(4)], "no-roles-held");
        table.more = self.next("memberships", page.next.clone());
        let row = |one: &Membership| {
            let place = place_cell(self.reader, &one.on, &one.on_name);
            self.row(
                one,
                vec![role_cell(self.reader, one), place, Cell::time(one.created_at)],
            )
        };
        table.rows = page.items.iter().map(row).collect();
        table
    }

    /// Who holds something on a place.
    fn holders(&self, name: &str, page: &Many<Membership>) -> Table {
        let mut table = holders(self.reader, page, self.edit);
        table.more = self.next(name, page.next.clone());
        table
    }

    fn attached(&self, page: &Many<Attachment>) -> Table {
        let columns = [("name", ""), ("where", ""), ("since", "more")];
        let mut table = Table::new(self.reader, &columns, "attached-to-nothing");
        table.more = self.next("attached", page.next.clone());
        let row = |one: &Attachment| {
            let to = place_address(&one.to).unwrap_or_default();
            let kind = self.reader.t(&format!("place-{}", super::cell::place(&one.to).0));
            vec![
                Cell::link(to, &one.to_name),
                Cell::text(kind),
                Cell::time(one.created_at),
            ]
        };
        table.rows = page.items.iter().map(row).collect();
        table
    }

    /// All columns, or all but the last, which is for who may change.
    const fn columns(&self, all: usize) -> usize {
        if self.edit { all } else { all - 1 }
    }

    fn row(&self, one: &Membership, mut cells: Vec<Cell>) -> Vec<Cell> {
        if self.edit {
            cells.push(Cell::link(membership_end(one), self.reader.t("take-away")));
        }
        cells
    }
}

/// Who holds something on a place, as a table; with a link that ends each, where that may be.
pub(super) fn holders(reader: &Reader, page: &Many<Membership>, edit: bool) -> Table {
    let view = View { reader, to: "", edit };
    let columns = [("user", ""), ("role", ""), ("since", "more"), ("do", "n")];
    let mut table = Table::new(reader, &columns[..view.columns(4)], "no-members");
    let row = |one: &Membership| {
        let user = Cell::link(Kind::Users.at(&one.user), &one.user_name);
        view.row(one, vec![user, role_cell(reader, one), Cell::time(one.created_at)])
    };
    table.rows = page.items.iter().map(row).collect();
    table
}

/// The name of the text of a role of the UI messages contract.
pub(super) const fn asm_key(role: AsmRole) -> &'static str {
    match role {
        AsmRole::User => "asm-user",
        AsmRole::CustomerAdmin => "asm-customer-admin",
        AsmRole::RootAdmin => "asm-root-admin",
    }
}
