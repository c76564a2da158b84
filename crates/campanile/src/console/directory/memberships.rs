//! Memberships: of a user, or on a place; one given, one taken away.

use std::iter::once;
use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use campanile_core::directory::entry::{Membership as Wanted, On, Removal};
use campanile_core::directory::list::{self, MembershipFilter, Paging, Role};
use campanile_core::directory::{Applied, Entry};
use campanile_core::place::Scope;
use campanile_core::{Error, Fault, Result as Ruled};
use campanile_store::Tx;

use super::super::form::{Asked, Fields, Form, Path};
use super::super::page::{self, Page, Reader, show};
use super::super::undo::{self, Deed};
use super::cell::{Cell, Table, membership_end, place_cell, role_cell};
use super::end::EndPage;
use super::fields::{Field, FormPage, Input, Maker, faults};
use super::lists::{Choice, paging};
use super::past::place_words;
use super::pick::{Draft, Found};
use super::things::holders;
use super::{Editor, Kind, Looker, Shell, in_shell, query};
use crate::app::App;
use crate::directory;
use crate::problem::Problem;

/// The kinds of places.
pub(super) const PLACES: [&str; 5] = ["organization", "environment", "api", "application", "group"];
/// Roles of the form: more than anybody has made.
const ROLES: usize = 1_000;

#[derive(Template)]
#[template(path = "console/directory/memberships.html")]
struct MembershipsPage<'r> {
    shell: Shell<'r>,
    user: &'r str,
    on: Vec<Choice>,
    id: &'r str,
    /// On a group, the scope of its roles.
    scopes: Vec<Choice>,
    /// What was not found, and what it may be.
    refused: Option<String>,
    found: Vec<Found>,
    table: Option<Table>,
    add: Option<String>,
}

in_shell!(MembershipsPage);

impl MembershipsPage<'_> {
    /// This page of another thing.
    fn again(&self, found: &Found) -> String {
        let on = self
            .on
            .iter()
            .find(|choice| choice.chosen)
            .map_or("", |choice| &choice.value);
        let parameters = if self.user.is_empty() {
            [("on", on), ("id", &found.id)]
        } else {
            [("user", found.id.as_str()), ("id", "")]
        };
        query("/directory/memberships", &parameters)
    }
}

/// The kind of thing that a place is.
fn place_kind(on: &str) -> Option<Kind> {
    Some(match on {
        "environment" => Kind::Environments,
        "api" => Kind::Apis,
        "application" => Kind::Applications,
        "group" => Kind::Groups,
        _ => return None,
    })
}

/// The place that two fields name.
pub(super) fn on_of(on: &str, id: &str) -> Option<On> {
    let id = id.to_owned();
    Some(match on {
        "organization" => On::Organization("DEFAULT".to_owned()),
        "environment" => On::Environment(id),
        "api" => On::Api(id),
        "application" => On::Application(id),
        "group" => On::Group(id),
        _ => return None,
    })
}

/// The scope of a name.
pub(super) fn scope_of(name: &str) -> Option<Scope> {
    SCOPES.into_iter().find(|scope| scope.name() == name)
}

/// Every scope, the widest first.
pub(super) const SCOPES: [Scope; 4] = [Scope::Organization, Scope::Environment, Scope::Api, Scope::Application];

pub(super) async fn list(
    State(app): State<Arc<App>>,
    Looker(reader): Looker,
    Asked(asked): Asked,
) -> Result<Response, Problem> {
    let names = picks(&asked);
    let Draft {
        values: asked,
        faults,
        picked,
    } = Draft::of(&app, &reader, asked, &names).await?;
    let found = picked.into_values().flat_map(|picked| picked.found).collect();
    let shell = Shell::new(&reader, "memberships", reader.t("kind-memberships"));
    let edit = shell.may_edit();
    let scope = scope_of(asked.get("scope")).unwrap_or(Scope::Api);
    let on = on_of(asked.get("on"), asked.get("id"))
        .filter(|_| asked.get("on") == "organization" || asked.some("id").is_some());
    let filter = match (asked.some("user"), on) {
        (Some(user), _) => Some(MembershipFilter::User(user.to_owned())),
        (None, Some(on)) => Some(MembershipFilter::Place {
            scope: matches!(on, On::Group(_)).then_some(scope),
            on,
            role: None,
        }),
        (None, None) => None,
    };
    let filter = filter.filter(|_| faults.is_empty());
    let table = match filter {
        None => None,
        Some(filter) => {
            let (paging, of_user) = (paging(&asked), matches!(filter, MembershipFilter::User(_)));
            let page = app.db.scan(move |tx| list::memberships(tx, &filter, &paging)).await?;
            let mut table = if of_user {
                held(&reader, &page, edit)
            } else {
                holders(&reader, &page, edit)
            };
            table.more = page.next.map(|next| {
                let kept = ["user", "on", "id", "scope"];
                let mut parameters: Vec<_> = kept.map(|name| (name, asked.get(name))).to_vec();
                parameters.push(("cursor", &next));
                query("/directory/memberships", &parameters)
            });
            Some(table)
        }
    };
    let mut shell = shell;
    shell.page = shell.page.after(&asked);
    undo(&app, &mut shell.page, &asked);
    let kept = ["user", "on", "id"].map(|name| (name, asked.get(name)));
    show(&MembershipsPage {
        user: asked.get("user"),
        on: places(&reader, asked.get("on")),
        id: asked.get("id"),
        scopes: [Scope::Api, Scope::Application]
            .map(|at| Choice {
                value: at.name().to_owned(),
                name: reader.t(&format!("lent-{}", at.name().to_lowercase())),
                chosen: at == scope,
            })
            .into(),
        refused: faults.into_iter().next().map(|fault| fault.reason),
        found,
        table,
        add: edit.then(|| query("/directory/add/memberships", &kept)),
        shell,
    })
}

fn places(reader: &Reader, chosen: &str) -> Vec<Choice> {
    let choice = |on: &str| Choice {
        value: on.to_owned(),
        name: reader.t(&format!("place-{on}")),
        chosen: on == chosen,
    };
    PLACES.into_iter().map(choice).collect()
}

/// What a user holds, as a table.
fn held(reader: &Reader, page: &list::Page<list::Membership>, edit: bool) -> Table {
    let columns = [
        ("user", ""),
        ("role", ""),
        ("where", ""),
        ("since", "more"),
        ("do", "n"),
    ];
    let columns = if edit { &columns[..] } else { &columns[..4] };
    let mut table = Table::new(reader, columns, "no-roles-held");
    let row = |one: &list::Membership| {
        let mut cells = vec![
            Cell::link(Kind::Users.at(&one.user), &one.user_name),
            role_cell(reader, one),
            place_cell(reader, &one.on, &one.on_name),
            Cell::time(one.created_at),
        ];
        if edit {
            cells.push(Cell::link(membership_end(one), reader.t("take-away")));
        }
        cells
    };
    table.rows = page.items.iter().map(row).collect();
    table
}

// ---------------------------------------------------------------- one given

/// All roles, by scope and name.
fn all_roles(tx: &mut Tx<'_>) -> Ruled<Vec<Role>> {
    let (mut roles, mut paging) = (Vec::new(), super::whole_page());
    while roles.len() < ROLES {
        let page = list::roles(tx, None, &paging)?;
        roles.extend(page.items);
        match page.next {
            Some(next) => {
                paging = Paging {
                    cursor: Some(next),
                    ..paging
                }
            }
            None => break,
        }
    }
    Ok(roles)
}

/// The form. A role names its scope, and with it where it may be held.
async fn form<'r>(app: &App, reader: &'r Reader, draft: &Draft) -> Result<FormPage<'r>, Problem> {
    let roles = app.db.read(all_roles).await?;
    let on = draft.values.get("on");
    let scope = draft.values.get("scope");
    // The roles that fit the place come first; on a group those that it lends.
    let fits = |role: &Role| match on {
        "" => true,
        "group" if scope.is_empty() => matches!(role.scope, Scope::Api | Scope::Application),
        "group" => role.scope.name() == scope,
        place => role.scope.name().eq_ignore_ascii_case(place),
    };
    let named: Vec<(String, String)> = roles
        .iter()
        .filter(|role| fits(role))
        .map(|role| {
            (
                format!("{}/{}", role.scope.name(), role.name),
                format!("{} · {}", role.scope.name(), role.name),
            )
        })
        .collect();
    let make = Maker { reader, draft };
    let id = match place_kind(on) {
        Some(kind) => make.pick("id", "place-id", kind),
        None => make.field("id", "place-id", Input::Line("text")),
    };
    // Nothing is chosen beforehand: one press too many would make somebody an administrator of everything.
    let unchosen = on.is_empty().then(|| Choice {
        value: String::new(),
        name: reader.t("choose-one"),
        chosen: true,
    });
    let fields: Vec<Field> = vec![
        Field {
            required: true,
            ..make.pick("user", "user", Kind::Users)
        },
        Field {
            required: true,
            ..make.field(
                "on",
                "where",
                Input::Choice(unchosen.into_iter().chain(places(reader, on)).collect()),
            )
        },
        make.hinted("hint-place", id),
        Field {
            required: true,
            ..make.choice(
                "role",
                "role",
                once(("", reader.t("choose-one")))
                    .chain(named.iter().map(|(value, name)| (value.as_str(), name.clone()))),
            )
        },
    ];
    let back = draft.values.some("user").map_or_else(
        || ("/directory/memberships".to_owned(), reader.t("kind-memberships")),
        |user| (Kind::Users.at(user), user.to_owned()),
    );
    Ok(FormPage {
        action: "/directory/add/memberships".to_owned(),
        back,
        intro: Some(reader.t("kind-memberships-what")),
        fields,
        faults: Vec::new(),
        submit: reader.t("give-role"),
        shell: Shell::new(reader, "memberships", reader.t("new-memberships")),
    })
}

/// The fields that name things.
fn picks(values: &Fields) -> Vec<(&'static str, Kind)> {
    let id = place_kind(values.get("on")).map(|kind| ("id", kind));
    std::iter::once(("user", Kind::Users)).chain(id).collect()
}

pub(super) async fn ask(
    State(app): State<Arc<App>>,
    Editor(reader): Editor,
    Asked(asked): Asked,
) -> Result<Response, Problem> {
    let names = picks(&asked);
    let draft = Draft::of(&app, &reader, asked, &names).await?;
    let mut page = form(&app, &reader, &draft).await?;
    page.blame(&draft.faults);
    page.answer()
}

/// The membership that a form names: its user, the place, and `SCOPE/role`.
fn wanted(values: &Fields) -> Result<Wanted, Vec<Fault>> {
    let fault = |field: &str, reason: &str| {
        vec![Fault {
            field: field.to_owned(),
            reason: reason.to_owned(),
        }]
    };
    let named = values.get("role").split_once('/');
    let (scope, role) = named.ok_or_else(|| fault("role", "is needed"))?;
    let scope = scope_of(scope).ok_or_else(|| fault("role", "is needed"))?;
    let on = on_of(values.get("on"), values.get("id")).ok_or_else(|| fault("on", "is needed"))?;
    Ok(Wanted {
        user: values.get("user").to_owned(),
        on,
        role: role.to_owned(),
        scope: Some(scope),
    })
}

pub(super) async fn add(
    State(app): State<Arc<App>>,
    Editor(reader): Editor,
    Form(values): Form,
) -> Result<Response, Problem> {
    let names = picks(&values);
    let draft = Draft::of(&app, &reader, values, &names).await?;
    let wanted = if draft.faults.is_empty() {
        wanted(&draft.values)
    } else {
        Err(draft.faults.clone())
    };
    let refused = match wanted {
        Err(refused) => refused,
        Ok(wanted) => {
            let entry = Entry::Membership(wanted.clone());
            let written = directory::apply(&app, &reader.principal, entry).await;
            let written = written.and_then(|applied| match applied {
                Applied::Unchanged => Err(Error::Conflict("the user holds this role there already".into())),
                Applied::Created | Applied::Changed => Ok(()),
            });
            match written.map_err(Problem::from) {
                Ok(()) => {
                    let to = query("/directory/memberships", &[("user", &wanted.user)]);
                    return Ok(page::done(&to, "role-given", &[]));
                }
                Err(problem) => faults(problem)?.into_iter().map(of_form).collect(),
            }
        }
    };
    let mut page = form(&app, &reader, &draft).await?;
    page.blame(&refused);
    page.answer()
}

/// A fault of an entry, said of the form: `on.group` is the field `id`, the scope that of the role.
fn of_form(mut fault: Fault) -> Fault {
    if fault.field.starts_with("on.") {
        "id".clone_into(&mut fault.field);
    } else if fault.field == "scope" {
        "role".clone_into(&mut fault.field);
    }
    fault
}

// ---------------------------------------------------------------- one taken away

/// The names of the fields by which the end of a membership is asked and done.
const KEY: [&str; 5] = ["user", "on", "id", "scope", "role"];

/// The membership that these fields name.
fn named(values: &Fields) -> Result<Wanted, Error> {
    let missing = Error::Missing("membership");
    let (Some(on), Some(scope)) = (on_of(values.get("on"), values.get("id")), scope_of(values.get("scope"))) else {
        return Err(missing);
    };
    Ok(Wanted {
        user: values.get("user").to_owned(),
        on,
        role: values.get("role").to_owned(),
        scope: Some(scope),
    })
}

pub(super) async fn confirm(
    State(app): State<Arc<App>>,
    Editor(reader): Editor,
    Asked(asked): Asked,
) -> Result<Response, Problem> {
    show(&end_page(&app, &reader, &asked).await?)
}

/// The question whether a role shall be taken away.
async fn end_page<'r>(app: &App, reader: &'r Reader, asked: &Fields) -> Result<EndPage<'r>, Problem> {
    let wanted = named(asked)?;
    let key = wanted.user.clone();
    let user = app.db.read(move |tx| list::user(tx, &key)).await?;
    let words = [
        ("who", user.name.as_str().into()),
        ("role", wanted.role.as_str().into()),
        ("where", place_words(reader, &wanted.on).into()),
    ];
    let own = user.number == reader.principal.person.0;
    Ok(EndPage {
        shell: Shell::new(reader, "memberships", reader.t("take-away-title")),
        action: "/directory/memberships/end".to_owned(),
        fields: KEY.map(|name| (name, asked.get(name).to_owned())).into(),
        back: (Kind::Users.at(&user.id), user.name.clone()),
        text: reader.words.with("end-membership", words),
        note: own.then(|| reader.t("end-own-role")),
        follows: Vec::new(),
        blocked: None,
        submit: reader.t("take-away"),
        stays: reader.t("history-stays"),
    })
}

pub(super) async fn end(
    State(app): State<Arc<App>>,
    Editor(reader): Editor,
    Form(values): Form,
) -> Result<Response, Problem> {
    let wanted = named(&values)?;
    let entry = Entry::Remove(Removal::Membership(wanted.clone()));
    let applied = match directory::apply(&app, &reader.principal, entry).await {
        Ok(applied) => applied,
        Err(problem) => {
            let refused = faults(problem.into())?;
            let mut page = end_page(&app, &reader, &values).await?;
            page.blocked = refused.first().map(|fault| reader.refusal(&fault.reason));
            return page::refuse(&page);
        }
    };
    match applied {
        Applied::Unchanged => Err(Error::Missing("membership").into()),
        Applied::Created | Applied::Changed => {
            let to = query("/directory/memberships", &[("user", &wanted.user)]);
            let (on, id) = super::cell::place(&wanted.on);
            let role = format!("{}/{}", values.get("scope"), wanted.role);
            let seal = given_back(&wanted.user, on, id, &role).sealed(&app, &reader);
            let fields = [("was", on), ("at", id), ("role", &role), (undo::SEAL, &seal)];
            Ok(page::done(&to, "role-taken", &fields))
        }
    }
}

/// What gives a role back.
fn given_back(user: &str, on: &str, id: &str, role: &str) -> Deed {
    let fields = [("user", user), ("on", on), ("id", id), ("role", role)];
    Deed {
        to: "/directory/add/memberships".to_owned(),
        fields: fields.map(|(name, value)| (name, value.to_owned())).into(),
    }
}

/// Offers to give back the role that the address tells of.
fn undo(app: &App, page: &mut Page<'_>, asked: &Fields) {
    if asked.get("done") == "role-taken" {
        let role = asked.get("role");
        let name = role.split_once('/').map_or(role, |(_, name)| name);
        let label = page.s("give-back", name);
        let deed = given_back(asked.get("user"), asked.get("was"), asked.get("at"), role);
        deed.offer(app, page, asked, label);
    }
}

/// Roles are pages of their own: the path of one.
pub(super) fn role_path(Path((scope, name)): Path<(String, String)>) -> Result<(Scope, String), Error> {
    Ok((scope_of(&scope).ok_or(Error::Missing("role"))?, name))
}
