//! Making and changing things by their forms; the groups of an API or application one at a time.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use campanile_core::directory::entry::{self, Patch};
use campanile_core::directory::{Entry, list};
use campanile_core::journal;
use campanile_core::{Error, Fault};

use super::super::form::{Asked, Fields, Form, Path};
use super::super::page::{self, Reader};
use super::fields::{FormPage, faults, fields, picks};
use super::pick::Draft;
use super::raw;
use super::{Editor, Kind, Shell, wanted};
use crate::app::App;
use crate::auth::Principal;
use crate::directory;
use crate::problem::Problem;

/// The form for a new one.
fn new_page<'r>(reader: &'r Reader, kind: Kind, draft: &Draft) -> FormPage<'r> {
    let path = kind.path();
    FormPage {
        action: format!("/directory/add/{path}"),
        back: (format!("/directory/{path}"), reader.t(&format!("kind-{path}"))),
        intro: Some(reader.t(&format!("kind-{path}-what"))),
        fields: fields(reader, kind, draft, true),
        faults: Vec::new(),
        submit: reader.t("create"),
        shell: Shell::new(reader, path, reader.t(&format!("new-{path}"))),
    }
}

pub(super) async fn ask_new(
    State(app): State<Arc<App>>,
    Editor(reader): Editor,
    Path(kind): Path<String>,
    Asked(mut asked): Asked,
) -> Result<Response, Problem> {
    let kind = Kind::parse(&kind)?;
    if asked.some("status").is_none() {
        asked.set("status", "accepted");
    }
    let mut draft = Draft::of(&app, &reader, asked, picks(kind)).await?;
    let found = std::mem::take(&mut draft.faults);
    let mut page = new_page(&reader, kind, &draft);
    page.blame(&found);
    page.answer()
}

pub(super) async fn add(
    State(app): State<Arc<App>>,
    Editor(reader): Editor,
    Path(kind): Path<String>,
    Form(values): Form,
) -> Result<Response, Problem> {
    let kind = Kind::parse(&kind)?;
    let draft = Draft::of(&app, &reader, values, picks(kind)).await?;
    let wanted = if draft.faults.is_empty() {
        wanted::entry(kind, None, &draft.values, None, &reader.zone)
    } else {
        Err(draft.faults.clone())
    };
    let refused = match wanted {
        Err(refused) => refused,
        Ok(entry) => match make(&app, &reader.principal, entry).await {
            Ok(id) => return Ok(page::done(&kind.at(&id), "created", &[])),
            Err(problem) => faults(problem)?,
        },
    };
    let mut page = new_page(&reader, kind, &draft);
    page.blame(&refused);
    page.answer()
}

/// Makes what an entry says; its id.
pub(super) async fn make(app: &App, by: &Principal, entry: Entry) -> Result<String, Problem> {
    Ok(match entry {
        Entry::Customer(it) => directory::create(app, by, it).await?.0.to_string(),
        Entry::User(it) => directory::create(app, by, it).await?.0,
        Entry::Group(it) => directory::create(app, by, it).await?.0,
        Entry::Api(it) => directory::create(app, by, it).await?.0,
        Entry::Application(it) => directory::create(app, by, it).await?.0,
        Entry::Subscription(it) => directory::create(app, by, it).await?.0,
        Entry::Environment(it) => directory::create(app, by, it).await?.0,
        Entry::Role(_) | Entry::Membership(_) | Entry::Remove(_) => return Err(Error::Missing("kind of thing").into()),
    })
}

/// Changes what is there to what an entry says.
async fn alter(app: &App, by: &Principal, id: String, entry: Entry) -> Result<(), Problem> {
    match entry {
        Entry::Customer(it) => directory::change(app, by, super::number(&id)?, it).await.map(drop),
        Entry::User(it) => directory::change(app, by, id, it).await.map(drop),
        Entry::Group(it) => directory::change(app, by, id, it).await.map(drop),
        Entry::Api(it) => directory::change(app, by, id, it).await.map(drop),
        Entry::Application(it) => directory::change(app, by, id, it).await.map(drop),
        Entry::Subscription(it) => directory::change(app, by, id, it).await.map(drop),
        Entry::Environment(it) => directory::change(app, by, id, it).await.map(drop),
        Entry::Role(_) | Entry::Membership(_) | Entry::Remove(_) => Err(Error::Missing("kind of thing").into()),
    }
}

/// The form for one that is there.
fn change_page<'r>(reader: &'r Reader, kind: Kind, id: &str, name: &str, draft: &Draft) -> FormPage<'r> {
    let to = kind.at(id);
    FormPage {
        action: format!("{to}/edit"),
        back: (to, name.to_owned()),
        intro: None,
        fields: fields(reader, kind, draft, false),
        faults: Vec::new(),
        submit: reader.t("save"),
        shell: Shell::new(reader, kind.path(), reader.s("change-what", name)),
    }
}

/// What is there now, and what its form holds.
async fn present(app: &App, reader: &Reader, kind: Kind, id: &str) -> Result<(String, Fields), Problem> {
    let (raw, _) = raw::load(app, kind, id, &Fields::default()).await?;
    if !raw.active() {
        return Err(Error::Missing("thing").into());
    }
    Ok((raw.title().to_owned(), wanted::values(&raw, &reader.zone)))
}

pub(super) async fn ask(
    State(app): State<Arc<App>>,
    Editor(reader): Editor,
    Path((kind, id)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let kind = Kind::parse(&kind)?;
    let (name, was) = present(&app, &reader, kind, &id).await?;
    let draft = Draft::of(&app, &reader, was, picks(kind)).await?;
    change_page(&reader, kind, &id, &name, &draft).answer()
}

pub(super) async fn change(
    State(app): State<Arc<App>>,
    Editor(reader): Editor,
    Path((kind, id)): Path<(String, String)>,
    Form(values): Form,
) -> Result<Response, Problem> {
    let kind = Kind::parse(&kind)?;
    let (name, was) = present(&app, &reader, kind, &id).await?;
    let draft = Draft::of(&app, &reader, values, picks(kind)).await?;
    let wanted = if draft.faults.is_empty() {
        wanted::entry(kind, Some(&id), &draft.values, Some(&was), &reader.zone)
    } else {
        Err(draft.faults.clone())
    };
    let refused = match wanted {
        Err(refused) => refused,
        Ok(entry) => match alter(&app, &reader.principal, id.clone(), entry).await {
            Ok(()) => return Ok(page::done(&kind.at(&id), "saved", &[])),
            Err(problem) => faults(problem)?,
        },
    };
    let mut page = change_page(&reader, kind, &id, &name, &draft);
    page.blame(&refused);
    page.answer()
}

/// Attaches a group to an API or application, or detaches one: what else is attached stays, also what somebody else
/// attaches at the same time.
pub(super) async fn groups(
    State(app): State<Arc<App>>,
    Editor(reader): Editor,
    Path((kind, id)): Path<(String, String)>,
    Form(values): Form,
) -> Result<Response, Problem> {
    let kind = Kind::parse(&kind)?;
    let thing = kind
        .thing()
        .filter(|_| matches!(kind, Kind::Apis | Kind::Applications))
        .ok_or(Error::Missing("kind of thing"))?;
    let (to, by, now) = (kind.at(&id), reader.principal.by(), app.clock.now());
    let person = reader.principal.person;
    let (group, attach) = match values.some("detach") {
        Some(group) => (group.to_owned(), false),
        None => (values.get("group").to_owned(), true),
    };
    let (named, key) = (group.clone(), id.clone());
    let written = app.db.write(move |tx| {
        directory::begin(tx, person)?;
        let item = list::thing(tx, thing, &key)?;
        if !item.active {
            return Err(Error::Missing("thing"));
        }
        let mut groups = item.groups.unwrap_or_default();
        groups.retain(|at| *at != named);
        if attach {
            groups.push(named);
        }
        journal::apply(tx, &by, &with_groups(kind, key, groups), now)
    });
    match written.await.map_err(Problem::from) {
        Ok(_) => Ok(page::done(&to, if attach { "attached" } else { "detached" }, &[])),
        Err(problem) => {
            let refused: Vec<Fault> = faults(problem)?;
            let said = refused.iter().map(|fault| {
                if fault.field.starts_with("groups") {
                    reader.s("no-such-group", &group)
                } else {
                    reader.refusal(&fault.reason)
                }
            });
            let said = said.collect::<Vec<_>>().join(" ");
            super::things::refused(&app, &reader, kind, &id, said).await
        }
    }
}

fn with_groups(kind: Kind, id: String, groups: Vec<String>) -> Entry {
    let (id, groups) = (Some(id), Patch::Set(groups));
    if kind == Kind::Apis {
        Entry::Api(entry::Api {
            id,
            groups,
            ..entry::Api::default()
        })
    } else {
        Entry::Application(entry::Application {
            id,
            groups,
            ..entry::Application::default()
        })
    }
}
