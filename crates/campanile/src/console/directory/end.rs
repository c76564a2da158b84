//! The end of things: what follows from it, asked before; and bringing back what has ended.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use campanile_core::Error;
use campanile_core::directory::Entry;
use campanile_core::directory::entry::{self, Patch};
use campanile_core::directory::list;

use super::super::form::{Fields, Form, Path};
use super::super::page::{self, Reader, show};
use super::super::undo;
use super::change::make;
use super::fields::faults;
use super::raw::{self, Raw};
use super::things::brought_back;
use super::{Counted, Editor, Kind, Shell, in_shell, number};
use crate::app::App;
use crate::directory;
use crate::problem::Problem;

/// A page that asks whether something shall end, with what follows from it.
#[derive(Template)]
#[template(path = "console/directory/end.html")]
pub(super) struct EndPage<'r> {
    pub(super) shell: Shell<'r>,
    pub(super) action: String,
    /// Fields that say what shall end, where the address does not.
    pub(super) fields: Vec<(&'static str, String)>,
    /// Back to the thing.
    pub(super) back: (String, String),
    pub(super) text: String,
    /// That it is the reader's own.
    pub(super) note: Option<String>,
    /// What follows, with numbers.
    pub(super) follows: Vec<(String, String)>,
    /// What stands in the way: then there is no button.
    pub(super) blocked: Option<String>,
    pub(super) submit: String,
    pub(super) stays: String,
}

in_shell!(EndPage);

impl<'r> EndPage<'r> {
    fn of(reader: &'r Reader, kind: Kind, id: &str, raw: &Raw) -> Self {
        let (path, to, name) = (kind.path(), kind.at(id), raw.title());
        let verb = if kind == Kind::Users { "deactivate" } else { "end-it" };
        let numbers = follows(raw);
        Self {
            shell: Shell::new(
                reader,
                path,
                reader.s(
                    if kind == Kind::Users {
                        "deactivate-what"
                    } else {
                        "end-what"
                    },
                    name,
                ),
            ),
            action: format!("{to}/end"),
            fields: match raw {
                Raw::Customer { item, .. } => item.parent.map(|parent| ("parent", parent.to_string())),
                _ => None,
            }
            .into_iter()
            .collect(),
            back: (to, name.to_owned()),
            text: reader.s(&format!("end-{path}"), name),
            note: is_own(reader, raw).then(|| reader.t("end-yourself")),
            follows: numbers
                .iter()
                .map(|(key, count)| (reader.t(&format!("follows-{key}")), count.shown(reader)))
                .collect(),
            blocked: blocked(raw).map(|key| reader.t(key)),
            submit: reader.t(verb),
            stays: reader.t("history-stays"),
        }
    }
}

/// Whether the thing is the reader.
fn is_own(reader: &Reader, raw: &Raw) -> bool {
    matches!(raw, Raw::User { item, .. } if item.number == reader.principal.person.0)
}

/// What ends with a thing, or is touched by its end.
fn follows(raw: &Raw) -> Vec<(&'static str, Counted)> {
    match raw {
        Raw::Customer { people, tree, .. } => {
            let below = Counted {
                n: tree.below.len() as u64,
                more: tree.more.is_some(),
            };
            vec![("people", Counted::exactly(people.0)), ("customers", below)]
        }
        Raw::User { memberships, .. } => vec![("kept", Counted::of(memberships))],
        Raw::Group {
            api,
            application,
            attached,
            ..
        } => vec![
            ("members-api", Counted::of(api)),
            ("members-application", Counted::of(application)),
            ("attached", Counted::of(attached)),
        ],
        Raw::Placed {
            item,
            members,
            subscriptions,
            ..
        } => vec![
            ("members", Counted::of(members)),
            ("subscriptions", Counted::of(subscriptions)),
            (
                "groups",
                Counted::exactly(item.groups.as_ref().map_or(0, Vec::len) as u64),
            ),
        ],
        Raw::Environment { members, .. } => vec![("members", Counted::of(members))],
        Raw::Subscription { .. } => Vec::new(),
    }
}

/// What keeps a thing, as far as its page knows; the rules look again.
fn blocked(raw: &Raw) -> Option<&'static str> {
    match raw {
        Raw::Customer { tree, .. } if !tree.below.is_empty() => Some("blocked-children"),
        Raw::Customer { people, .. } if people.0 > 0 => Some("blocked-people"),
        Raw::Environment { item, .. } if item.id == "DEFAULT" => Some("blocked-default"),
        _ => None,
    }
}

async fn load(app: &App, kind: Kind, id: &str) -> Result<Raw, Problem> {
    let (raw, _) = raw::load(app, kind, id, &Fields::of([(raw::WHOLE, String::new())])).await?;
    if raw.active() {
        Ok(raw)
    } else {
        Err(Error::Missing("thing").into())
    }
}

pub(super) async fn confirm(
    State(app): State<Arc<App>>,
    Editor(reader): Editor,
    Path((kind, id)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let kind = Kind::parse(&kind)?;
    let raw = load(&app, kind, &id).await?;
    show(&EndPage::of(&reader, kind, &id, &raw))
}

pub(super) async fn end(
    State(app): State<Arc<App>>,
    Editor(reader): Editor,
    Path((kind, id)): Path<(String, String)>,
    Form(values): Form,
) -> Result<Response, Problem> {
    let kind = Kind::parse(&kind)?;
    let by = &reader.principal;
    let ended = match kind {
        Kind::Customers => directory::end::<entry::Customer>(&app, by, number(&id)?).await,
        Kind::Users => directory::end::<entry::User>(&app, by, id.clone()).await,
        Kind::Groups => directory::end::<entry::Group>(&app, by, id.clone()).await,
        Kind::Apis => directory::end::<entry::Api>(&app, by, id.clone()).await,
        Kind::Applications => directory::end::<entry::Application>(&app, by, id.clone()).await,
        Kind::Subscriptions => directory::end::<entry::Subscription>(&app, by, id.clone()).await,
        Kind::Environments => directory::end::<entry::Environment>(&app, by, id.clone()).await,
    };
    let to = kind.at(&id);
    let Err(problem) = ended else {
        let what = match kind {
            Kind::Users => "deactivated",
            Kind::Customers => "customer-removed",
            Kind::Subscriptions => "subscription-removed",
            _ => "removed",
        };
        let parent = values.some("parent");
        let seal = brought_back(&to, parent).sealed(&app, &reader);
        let mut fields = vec![(undo::SEAL, seal.as_str())];
        fields.extend(parent.map(|parent| ("parent", parent)));
        return Ok(page::done(&to, what, &fields));
    };
    let refused = faults(problem)?;
    let raw = load(&app, kind, &id).await?;
    let mut page = EndPage::of(&reader, kind, &id, &raw);
    page.blocked = refused.first().map(|fault| reader.refusal(&fault.reason));
    page::refuse(&page)
}

/// Brings back what has ended: as it was, as far as it did not lose what it belonged to.
pub(super) async fn back(
    State(app): State<Arc<App>>,
    Editor(reader): Editor,
    Path((kind, id)): Path<(String, String)>,
    Form(values): Form,
) -> Result<Response, Problem> {
    let kind = Kind::parse(&kind)?;
    let key = Some(id.clone());
    let entry = match kind {
        Kind::Customers => {
            let parent = values.some("parent").map(number).transpose()?;
            Entry::Customer(entry::Customer {
                id: Some(number(&id)?),
                parent: parent.map_or(Patch::Absent, Patch::Set),
                ..entry::Customer::default()
            })
        }
        Kind::Users => Entry::User(entry::User {
            id: key,
            ..entry::User::default()
        }),
        Kind::Groups => Entry::Group(entry::Group {
            id: key,
            ..entry::Group::default()
        }),
        Kind::Apis => Entry::Api(entry::Api {
            id: key,
            ..entry::Api::default()
        }),
        Kind::Applications => Entry::Application(entry::Application {
            id: key,
            ..entry::Application::default()
        }),
        Kind::Environments => Entry::Environment(entry::Environment {
            id: key,
            ..entry::Environment::default()
        }),
        Kind::Subscriptions => subscription(&app, &id).await?,
    };
    make(&app, &reader.principal, entry).await?;
    Ok(page::done(&kind.at(&id), "brought-back", &[]))
}

/// A subscription as it last stood.
async fn subscription(app: &App, id: &str) -> Result<Entry, Problem> {
    let key = id.to_owned();
    let last = app.db.read(move |tx| list::subscription(tx, &key)).await?;
    Ok(Entry::Subscription(entry::Subscription {
        id: Some(last.id),
        api: Patch::Set(last.api),
        application: Patch::Set(last.application),
        status: Patch::Set(last.status),
        subscribed_by: last.subscribed_by.map_or(Patch::Null, Patch::Set),
        starting_at: last.starting_at.map_or(Patch::Null, Patch::Set),
        ending_at: last.ending_at.map_or(Patch::Null, Patch::Set),
    }))
}
