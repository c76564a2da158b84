//! Finding what else a message may go to: by the beginning of a name.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use campanile_core::Error;
use campanile_core::directory::addressable::{self, Addressable, Choice, Search};
use campanile_core::message::target::Target;
use campanile_core::place::Scope;
use campanile_core::rights::Rights;
use campanile_core::{Result as Ruled, directory::list::SEARCH_LIMIT};
use campanile_store::Tx;

use super::offers::roles;
use super::part::{self, Named};
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
    let found = find(&app, &reader, asked.get("q")).await?;
    show(&Options {
        page: Page::new(&reader, "messages", ""),
        found,
    })
}

/// What the reader may address and begins so: roles, customers, groups, people, consumers of APIs.
pub(super) async fn find(app: &App, reader: &Reader, words: &str) -> Result<Vec<Found>, Problem> {
    // What nothing is called finds nothing; that is no fault of who types.
    if words.is_empty() || words.chars().count() > SEARCH_LIMIT {
        return Ok(Vec::new());
    }
    let (rights, q, texts) = (reader.rights.clone(), words.to_owned(), reader.words);
    let work = move |tx: &mut Tx<'_>| {
        let mut found = of_roles(tx, &rights, &q)?;
        let kinds = [
            Addressable::Customers,
            Addressable::Groups,
            Addressable::Apis,
            Addressable::People,
        ];
        for kind in kinds {
            for choice in some(tx, &rights, kind, &q)? {
                found.extend(targets(kind, choice));
            }
        }
        Ok::<_, Error>(found)
    };
    let shown = |(named, detail): (Named, Option<String>)| Found {
        value: named.value(),
        kind: texts.t(&format!("found-{}", part::kind(&named.target))),
        name: named.words(texts),
        detail,
    };
    Ok(app.db.scan(work).await?.into_iter().map(shown).collect())
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
fn of_roles(tx: &mut Tx<'_>, rights: &Rights, q: &str) -> Ruled<Vec<(Named, Option<String>)>> {
    let environments = addressable::choices(tx, rights, Addressable::Environments, &Search::default())?.items;
    if environments.is_empty() {
        return Ok(Vec::new());
    }
    let q = q.to_uppercase();
    let mut found = Vec::new();
    for role in roles(tx, Scope::Environment)? {
        if !role.to_uppercase().starts_with(&q) {
            continue;
        }
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
fn targets(kind: Addressable, choice: Choice) -> Vec<(Named, Option<String>)> {
    let Choice { id, name, detail } = choice;
    let targets = match kind {
        Addressable::People => vec![Target::User { user: id }],
        Addressable::Groups => vec![Target::Group { group: id }],
        Addressable::Apis => vec![Target::Subscribers { api: id }],
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
