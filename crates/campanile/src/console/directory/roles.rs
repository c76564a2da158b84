//! Roles: names with permissions. Those of the contract cannot change; one's own can, and go while nobody ever held
//! them.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::{FromRequestParts, State};
use axum::response::{IntoResponse as _, Response};
use campanile_core::directory::entry::{On, Patch, Removal, Role as Wanted, RoleOnly};
use campanile_core::directory::list::{self, MembershipFilter, Page as Many, Role};
use campanile_core::directory::{Applied, Entry};
use campanile_core::journal;
use campanile_core::place::Scope;
use campanile_core::policy::{self, Act};
use campanile_core::{Error, Fault};
use http::request::Parts;

use super::super::form::{Asked, Fields, Form, Path};
use super::super::page::{self, Reader, show};
use super::cell::{Cell, Table};
use super::end::EndPage;
use super::fields::faults;
use super::lists::{Choice, Filter, environments, paging};
use super::memberships::{SCOPES, on_of, role_path, scope_of};
use super::raw::from;
use super::things::holders;
use super::{Editor, Looker, Shell, address, in_shell, query};
use crate::app::App;
use crate::directory::{self, segment};
use crate::problem::Problem;

/// Empty lines of the form.
const EMPTY: usize = 3;
/// The letters of a permission, in the order of the contract.
const LETTERS: [char; 4] = ['C', 'R', 'U', 'D'];

/// A reader of the directory who may also list roles.
pub(super) struct RoleLooker(Reader);

impl FromRequestParts<Arc<App>> for RoleLooker {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Response> {
        let Looker(reader) = Looker::from_request_parts(parts, app).await?;
        policy::may(&reader.rights, &Act::ListRoles).map_err(|error| Problem::from(error).into_response())?;
        Ok(Self(reader))
    }
}

/// The page of a role.
fn at(scope: Scope, name: &str) -> String {
    format!("{}/{}", address("roles", scope.name()), segment(name))
}

/// A permission: its name and its four letters.
struct Line {
    name: String,
    letters: Vec<(char, bool)>,
    /// A permission that decides something here.
    is_known: bool,
}

impl Line {
    fn new(name: &str, letters: &str) -> Self {
        Self {
            name: name.to_owned(),
            letters: LETTERS.map(|letter| (letter, letters.contains(letter))).into(),
            is_known: false,
        }
    }
}

// ---------------------------------------------------------------- the list

#[derive(Template)]
#[template(path = "console/directory/list.html")]
struct RolesPage<'r> {
    shell: Shell<'r>,
    hint: String,
    path: String,
    search: &'r str,
    filters: Vec<Filter>,
    narrowed: Vec<super::lists::Narrowed>,
    table: Table,
    add: Option<(String, String)>,
}

in_shell!(RolesPage);

impl RolesPage<'_> {
    #[expect(clippy::unused_self, reason = "the template of lists asks every list")]
    const fn has_search(&self) -> bool {
        false
    }
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    RoleLooker(reader): RoleLooker,
    Asked(asked): Asked,
) -> Result<Response, Problem> {
    let (scope, from) = (scope_of(asked.get("scope")), paging(&asked));
    let found = app.db.scan(move |tx| list::roles(tx, scope, &from)).await?;
    let mut shell = Shell::new(&reader, "roles", reader.t("kind-roles"));
    shell.page = shell.page.after(&asked);
    show(&RolesPage {
        hint: reader.t("kind-roles-what"),
        path: "/directory/roles".to_owned(),
        search: "",
        filters: vec![Filter {
            name: "scope",
            label: reader.t("column-scope"),
            choices: scopes(&reader, asked.get("scope"), true),
        }],
        narrowed: Vec::new(),
        table: table(&reader, found, asked.get("scope")),
        add: shell
            .may_edit()
            .then(|| ("/directory/add/roles".to_owned(), reader.t("new-roles"))),
        shell,
    })
}

fn scopes(reader: &Reader, chosen: &str, any: bool) -> Vec<Choice> {
    let any = any.then(|| Choice {
        value: String::new(),
        name: reader.t("scope-any"),
        chosen: chosen.is_empty(),
    });
    let one = SCOPES.map(|scope| Choice {
        value: scope.name().to_owned(),
        name: scope.name().to_owned(),
        chosen: chosen == scope.name(),
    });
    any.into_iter().chain(one).collect()
}

fn table(reader: &Reader, page: Many<Role>, scope: &str) -> Table {
    let columns = [("role", ""), ("scope", ""), ("permissions", "more")];
    let mut table = Table::new(reader, &columns, "empty-list");
    table.more = page
        .next
        .map(|next| query("/directory/roles", &[("scope", scope), ("cursor", &next)]));
    let row = |role: Role| {
        let permissions = role
            .permissions
            .iter()
            .map(|(name, letters)| format!("{name}[{letters}]"));
        let name = Cell::link(at(role.scope, &role.name), &role.name);
        vec![
            if role.system {
                name.with(reader.t("built-in"))
            } else {
                name
            },
            Cell::text(role.scope.name()),
            Cell::text(permissions.collect::<Vec<_>>().join(", ")),
        ]
    };
    table.rows = page.items.into_iter().map(row).collect();
    table
}

// ---------------------------------------------------------------- one role

#[derive(Template)]
#[template(path = "console/directory/role.html")]
struct RolePage<'r> {
    shell: Shell<'r>,
    role: Role,
    to: String,
    lines: Vec<Line>,
    /// Where its holders are looked for.
    places: Option<Filter>,
    /// The id that was asked for, of an API, application or group.
    id: &'r str,
    on: Vec<Choice>,
    table: Option<Table>,
}

in_shell!(RolePage);

impl RolePage<'_> {
    fn may_everything(&self) -> bool {
        self.role.scope == Scope::Organization && self.role.name == "ADMIN"
    }
}

pub(super) async fn one(
    State(app): State<Arc<App>>,
    RoleLooker(reader): RoleLooker,
    path: Path<(String, String)>,
    Asked(asked): Asked,
) -> Result<Response, Problem> {
    let (scope, name) = role_path(path)?;
    let on = place_of(&reader, scope, &asked);
    let (key, paging) = (name.clone(), from(&asked, "cursor"));
    let read = app.db.scan(move |tx| {
        let role = list::role(tx, scope, &key)?;
        let holders = on.map(|on| {
            let filter = MembershipFilter::Place {
                scope: matches!(on, On::Group(_)).then_some(scope),
                on,
                role: Some(key),
            };
            list::memberships(tx, &filter, &paging)
        });
        Ok::<_, Error>((role, holders.transpose()?))
    });
    let (role, found) = read.await?;
    let mut shell = Shell::new(&reader, "roles", name.clone());
    shell.page = shell.page.after(&asked);
    let to = at(scope, &name);
    let table = found.map(|page| {
        let mut table = holders(&reader, &page, shell.may_edit());
        table.more = page.next.map(|next| {
            let kept = ["on", "id", "environment"].map(|name| (name, asked.get(name)));
            query(&to, &[&kept[..], &[("cursor", &next)]].concat())
        });
        table
    });
    show(&RolePage {
        lines: role
            .permissions
            .iter()
            .map(|(name, letters)| Line::new(name, letters))
            .collect(),
        places: (scope == Scope::Environment).then(|| {
            let chosen = asked.some("environment").unwrap_or(&reader.environment);
            environments(&reader, chosen, None)
        }),
        on: places(&reader, scope, asked.get("on")),
        id: asked.get("id"),
        shell,
        role,
        to,
        table,
    })
}

/// Where the holders of a role are looked for: holders are found by their place.
fn place_of(reader: &Reader, scope: Scope, asked: &Fields) -> Option<On> {
    match scope {
        Scope::Organization => on_of("organization", ""),
        Scope::Environment => on_of("environment", asked.some("environment").unwrap_or(&reader.environment)),
        Scope::Api | Scope::Application => on_of(asked.get("on"), asked.some("id")?),
    }
}

/// The kinds of places that can hold a role of a scope and are named by an id.
fn places(reader: &Reader, scope: Scope, chosen: &str) -> Vec<Choice> {
    let own = match scope {
        Scope::Api => "api",
        Scope::Application => "application",
        Scope::Organization | Scope::Environment => return Vec::new(),
    };
    let choice = |on: &str| Choice {
        value: on.to_owned(),
        name: reader.t(&format!("place-{on}")),
        chosen: on == chosen,
    };
    vec![choice(own), choice("group")]
}

// ---------------------------------------------------------------- its form

#[derive(Template)]
#[template(path = "console/directory/role_form.html")]
struct RoleForm<'r> {
    shell: Shell<'r>,
    action: String,
    back: String,
    new: bool,
    scopes: Vec<Choice>,
    name: String,
    lines: Vec<Line>,
    faults: Vec<String>,
}

in_shell!(RoleForm);

/// The permissions that decide something, as they are known in a scope.
const KNOWN: [&str; 3] = ["MESSAGE", "ROLE", "USER"];

/// The lines of the form: those that are there, the known ones, and some empty.
fn lines(permissions: &BTreeMap<String, String>) -> Vec<Line> {
    let mut lines: Vec<Line> = permissions
        .iter()
        .map(|(name, letters)| Line::new(name, letters))
        .collect();
    for known in KNOWN {
        match lines.iter_mut().find(|line| line.name == known) {
            Some(line) => line.is_known = true,
            None => lines.push(Line {
                is_known: true,
                ..Line::new(known, "")
            }),
        }
    }
    lines.extend((0..EMPTY).map(|_| Line::new("", "")));
    lines
}

/// The permissions of a form: `permission` names each line, `letters-N` ticks the letters of line N.
fn permissions(values: &Fields) -> BTreeMap<String, String> {
    let mut permissions = BTreeMap::new();
    for (at, name) in values.all("permission").enumerate() {
        let letters: String = LETTERS
            .iter()
            .filter(|letter| {
                values
                    .all(&format!("letters-{at}"))
                    .any(|ticked| ticked == letter.to_string())
            })
            .collect();
        let name = name.trim();
        if !name.is_empty() && !letters.is_empty() {
            permissions.insert(name.to_owned(), letters);
        }
    }
    permissions
}

fn form<'r>(reader: &'r Reader, new: bool, scope: &str, name: &str, held: &BTreeMap<String, String>) -> RoleForm<'r> {
    let to = format!("{}/{}", address("roles", scope), segment(name));
    let (title, action, back) = if new {
        (
            reader.t("new-roles"),
            "/directory/add/roles".to_owned(),
            "/directory/roles".to_owned(),
        )
    } else {
        (reader.s("change-what", name), format!("{to}/edit"), to)
    };
    RoleForm {
        shell: Shell::new(reader, "roles", title),
        action,
        back,
        new,
        scopes: scopes(reader, scope, false),
        name: name.to_owned(),
        lines: lines(held),
        faults: Vec::new(),
    }
}

pub(super) async fn ask_new(Editor(reader): Editor) -> Result<Response, Problem> {
    show(&form(&reader, true, "ENVIRONMENT", "", &BTreeMap::new()))
}

pub(super) async fn ask(
    State(app): State<Arc<App>>,
    Editor(reader): Editor,
    path: Path<(String, String)>,
) -> Result<Response, Problem> {
    let (scope, name) = role_path(path)?;
    let key = name.clone();
    let role = app.db.read(move |tx| list::role(tx, scope, &key)).await?;
    if role.system {
        return Err(Error::Conflict("a system role cannot change".to_owned()).into());
    }
    show(&form(&reader, false, scope.name(), &name, &role.permissions))
}

pub(super) async fn add(
    State(app): State<Arc<App>>,
    Editor(reader): Editor,
    Form(values): Form,
) -> Result<Response, Problem> {
    let scope = scope_of(values.get("scope")).ok_or(Error::Missing("scope"))?;
    put(&app, &reader, scope, values.get("name").to_owned(), &values, true).await
}

pub(super) async fn change(
    State(app): State<Arc<App>>,
    Editor(reader): Editor,
    path: Path<(String, String)>,
    Form(values): Form,
) -> Result<Response, Problem> {
    let (scope, name) = role_path(path)?;
    put(&app, &reader, scope, name, &values, false).await
}

async fn put(
    app: &App,
    reader: &Reader,
    scope: Scope,
    name: String,
    values: &Fields,
    new: bool,
) -> Result<Response, Problem> {
    let held = permissions(values);
    let (key, person, by, now) = (
        name.clone(),
        reader.principal.person,
        reader.principal.by(),
        app.clock.now(),
    );
    let entry = Entry::Role(Wanted {
        scope,
        name: name.clone(),
        permissions: Patch::Set(held.clone()),
    });
    let written = app.db.write(move |tx| {
        directory::begin(tx, person)?;
        match (list::role(tx, scope, &key), new) {
            (Ok(_), true) => return Err(Error::Conflict("this role is there already".to_owned())),
            (Ok(role), false) if role.system => return Err(Error::Conflict("a system role cannot change".to_owned())),
            (Ok(_), false) | (Err(Error::Missing(_)), true) => {}
            (Err(other), _) => return Err(other),
        }
        journal::apply(tx, &by, &entry, now)
    });
    match written.await.map_err(Problem::from) {
        Ok(_) => Ok(page::done(
            &at(scope, &name),
            if new { "created" } else { "saved" },
            &[],
        )),
        Err(problem) => {
            let mut page = form(reader, new, scope.name(), &name, &held);
            let said = |fault: &Fault| match fault.field.strip_prefix("permissions.") {
                Some(permission) => format!("{permission}: {}", reader.refusal(&fault.reason)),
                None => reader.refusal(&fault.reason),
            };
            page.faults = faults(problem)?.iter().map(said).collect();
            page::refuse(&page)
        }
    }
}

// ---------------------------------------------------------------- its end

fn end_page<'r>(reader: &'r Reader, role: &Role) -> EndPage<'r> {
    let to = at(role.scope, &role.name);
    EndPage {
        shell: Shell::new(reader, "roles", reader.s("end-what", &role.name)),
        action: format!("{to}/end"),
        fields: Vec::new(),
        back: (to, role.name.clone()),
        text: reader.s("end-roles", &role.name),
        note: None,
        follows: Vec::new(),
        blocked: role.system.then(|| reader.t("role-built-in")),
        submit: reader.t("end-it"),
        stays: reader.t("role-leaves-nothing"),
    }
}

pub(super) async fn confirm(
    State(app): State<Arc<App>>,
    Editor(reader): Editor,
    path: Path<(String, String)>,
) -> Result<Response, Problem> {
    let (scope, name) = role_path(path)?;
    let role = app.db.read(move |tx| list::role(tx, scope, &name)).await?;
    show(&end_page(&reader, &role))
}

pub(super) async fn end(
    State(app): State<Arc<App>>,
    Editor(reader): Editor,
    path: Path<(String, String)>,
) -> Result<Response, Problem> {
    let (scope, name) = role_path(path)?;
    let key = name.clone();
    let role = app.db.read(move |tx| list::role(tx, scope, &key)).await?;
    let entry = Entry::Remove(Removal::Role(RoleOnly { scope, name }));
    match directory::apply(&app, &reader.principal, entry)
        .await
        .map_err(Problem::from)
    {
        Ok(Applied::Unchanged) => Err(Error::Missing("role").into()),
        Ok(_) => Ok(page::done("/directory/roles", "role-removed", &[])),
        Err(problem) => {
            faults(problem)?;
            let mut page = end_page(&reader, &role);
            page.blocked = Some(reader.t("role-used"));
            page::refuse(&page)
        }
    }
}
