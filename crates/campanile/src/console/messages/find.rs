//! Finding what else a message may go to: by the beginning of a name.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use campanile_core::Error;
use campanile_core::directory::addressable::{self, Addressable, CHOICES_LIMIT, Choice, Search};
use campanile_core::message::target::{self, Target};
use campanile_core::place::Scope;
use campanile_core::policy::{self, Act, Part};
use campanile_core::rights::Rights;
use campanile_core::{Result as Ruled, directory::list::SEARCH_LIMIT};
use campanile_store::Tx;

use super::compose;
use super::offers::roles_named;
use super::part::{self, Named};
use super::typed::Typed;
use crate::app::App;
use crate::console::form::Asked;
use crate::console::page::{Page, Reader, show};
use crate::problem::Problem;

/// Things of one kind that are shown.
const EACH: i64 = 6;

/// One thing that was found.
pub(super) struct Found {
    /// As a form sends it.
    pub(super) value: String,
    /// As people read it.
    pub(super) name: String,
    /// What sort of thing it is.
    pub(super) kind: String,
    /// What tells it from others of its name.
    pub(super) detail: Option<String>,
}

#[derive(Template)]
#[template(path = "console/messages/options.html")]
struct Options<'r> {
    page: Page<'r>,
    found: Vec<Found>,
}

/// The options of the field that finds, as a part of the page.
pub(super) async fn options(
    State(app): State<Arc<App>>,
    reader: Reader,
    Asked(asked): Asked,
) -> Result<Response, Problem> {
    let within = Within {
        environment: asked.get("environment").to_owned(),
        api: asked.some("api").map(str::to_owned),
    };
    let found = find(&app, &reader, &within, asked.get("q")).await?;
    show(&Options {
        page: Page::new(&reader, "messages", ""),
        found,
    })
}

/// The form for which something is looked for.
pub(super) struct Within {
    /// The home of messages to groups and people.
    environment: String,
    /// The id of the API whose form it is.
    api: Option<String>,
}

impl Within {
    pub(super) fn of(scope: &compose::Scope, typed: &Typed) -> Self {
        Self {
            environment: typed.environment.clone(),
            api: scope.api.as_ref().map(|api| api.id.clone()),
        }
    }
}

/// What was found before it is put into words, with what tells it from others.
type Raw = (Named, Option<String>);

/// What the reader may address and begins so: roles, customers, groups, people, consumers of APIs; on the form of an
/// API, the roles of its applications.
pub(super) async fn find(app: &App, reader: &Reader, within: &Within, words: &str) -> Result<Vec<Found>, Problem> {
    // What nothing is called finds nothing; that is no fault of who types.
    if words.is_empty() || words.chars().count() > SEARCH_LIMIT {
        return Ok(Vec::new());
    }
    let api = match &within.api {
        Some(id) => Some(super::apis::find(app, reader, id.clone()).await?),
        None => None,
    };
    let (rights, q, texts) = (reader.rights.clone(), words.to_owned(), reader.words);
    let environment = within.environment.clone();
    let work = move |tx: &mut Tx<'_>| match &api {
        Some(api) => of_an_api(tx, &api.id, &api.name, &q),
        None => of_the_platform(tx, &rights, &environment, &q),
    };
    let shown = |(named, detail): Raw| Found {
        value: named.value(),
        kind: texts.t(&format!("found-{}", part::kind(&named.target))),
        name: named.words(texts),
        detail: match named.target {
            // Beside an API stands the id of its environment.
            Target::Subscribers { .. } => detail.map(|id| reader.environment_name(&id).to_owned()),
            _ => detail,
        },
    };
    Ok(app.db.scan(work).await?.into_iter().map(shown).collect())
}

fn of_an_api(tx: &mut Tx<'_>, api: &str, name: &str, q: &str) -> Ruled<Vec<Raw>> {
    let roles = roles_named(tx, Scope::Application, q, EACH as usize)?;
    let named = |role| Named {
        target: Target::ApiRole {
            api: api.to_owned(),
            role,
        },
        name: name.to_owned(),
    };
    Ok(roles.into_iter().map(|role| (named(role), None)).collect())
}

fn of_the_platform(tx: &mut Tx<'_>, rights: &Rights, environment: &str, q: &str) -> Ruled<Vec<Raw>> {
    let mut found = of_roles(tx, rights, q)?;
    // A group or a person is judged at the home of the message.
    let environment = target::environment(tx, environment)?;
    let may_name_people = policy::may(rights, &Act::Send(&[Part::Directory { environment }])).is_ok();
    let kinds = [
        Addressable::Customers,
        Addressable::Groups,
        Addressable::Apis,
        Addressable::People,
    ];
    for kind in kinds {
        if matches!(kind, Addressable::Groups | Addressable::People) && !may_name_people {
            continue;
        }
        let choices = some(tx, rights, kind, q)?;
        let only = choices.len() == 1;
        for choice in choices {
            // Of an API that is named well enough, the roles of its applications too.
            if only && kind == Addressable::Apis {
                let roles = of_an_api(tx, &choice.id, &choice.name, "")?;
                found.extend(targets(kind, choice));
                found.extend(roles);
            } else {
                found.extend(targets(kind, choice));
            }
        }
    }
    Ok(found)
}

/// The first of a kind; nothing of a kind that the reader may not look for.
fn some(tx: &mut Tx<'_>, rights: &Rights, kind: Addressable, q: &str) -> Ruled<Vec<Choice>> {
    let search = Search {
        q: Some(q.to_owned()),
        limit: Some(EACH),
    };
    match addressable::choices(tx, rights, kind, &search) {
        Ok(choices) => Ok(choices.items),
        Err(Error::Denied(_)) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// The roles of all environments that the reader may write to.
fn of_roles(tx: &mut Tx<'_>, rights: &Rights, q: &str) -> Ruled<Vec<Raw>> {
    let search = Search {
        q: None,
        limit: Some(CHOICES_LIMIT),
    };
    let environments = addressable::choices(tx, rights, Addressable::Environments, &search)?.items;
    if environments.is_empty() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for role in roles_named(tx, Scope::Environment, q, EACH as usize)? {
        for environment in &environments {
            let target = Target::EnvironmentRole {
                environment: environment.id.clone(),
                role: role.clone(),
            };
            let name = environment.name.clone();
            found.push((Named { target, name }, None));
        }
    }
    found.truncate(EACH as usize);
    Ok(found)
}

/// What a message can go to of one thing.
fn targets(kind: Addressable, choice: Choice) -> Vec<Raw> {
    let Choice { id, name, detail } = choice;
    let targets = match kind {
        Addressable::People => vec![Target::User { user: id }],
        Addressable::Groups => vec![Target::Group { group: id }],
        Addressable::Apis => vec![Target::Subscribers {
            api: id,
            any_status: false,
        }],
        Addressable::Customers => {
            let customer = id.parse().unwrap_or_default();
            let of = |include_sub_customers| Target::Customer {
                customer,
                include_sub_customers,
            };
            vec![of(true), of(false)]
        }
        Addressable::Environments => Vec::new(),
    };
    let named = |target| {
        let name = name.clone();
        (Named { target, name }, detail.clone())
    };
    targets.into_iter().map(named).collect()
}
