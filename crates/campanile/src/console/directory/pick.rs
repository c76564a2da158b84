//! Fields that name another thing: by its id, or by the beginning of its name, of which one is then chosen.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use campanile_core::directory::folded;
use campanile_core::directory::list::{
    self, CustomerFilter, Paging, SEARCH_LIMIT, SubscriptionFilter, ThingFilter, UserFilter,
};
use campanile_core::{Error, Fault, Result as Ruled};
use campanile_store::Tx;

use super::super::form::{Asked, Fields, Path};
use super::super::page::{Reader, show};
use super::{Kind, Looker};
use crate::app::App;
use crate::problem::Problem;

/// Things that are offered.
const OFFERED: i64 = 10;

/// A thing to choose: its id, its name, and what else tells it apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) hint: String,
}

/// What a field that names a thing came to.
#[derive(Debug, Clone, Default)]
pub(super) struct Picked {
    /// The name of the thing whose id it holds.
    pub(super) named: Option<String>,
    /// The things that it may mean.
    pub(super) found: Vec<Found>,
}

/// What a form holds, with the fields that name things looked up.
#[derive(Debug, Clone, Default)]
pub(super) struct Draft {
    pub(super) values: Fields,
    pub(super) picked: BTreeMap<&'static str, Picked>,
    pub(super) faults: Vec<Fault>,
}

impl Draft {
    /// Looks up the fields of these names and kinds. A choice that was made goes before the text. What is not found,
    /// or may be several, is a fault.
    pub(super) async fn of(
        app: &App,
        reader: &Reader,
        mut values: Fields,
        names: &[(&'static str, Kind)],
    ) -> Result<Self, Problem> {
        let mut draft = Self::default();
        for (name, kind) in names {
            let chosen = values.some(&format!("{name}.pick")).map(str::to_owned);
            let Some(text) = chosen.or_else(|| values.some(name).map(str::to_owned)) else {
                continue;
            };
            let (kind, asked) = (*kind, text.clone());
            let (exact, found) = app.db.scan(move |tx| look_up(tx, kind, &asked)).await?;
            let mut picked = Picked::default();
            if let Some(exact) = exact {
                values.set(name, &exact.id);
                picked.named = Some(exact.name);
            } else {
                values.set(name, &text);
                let key = if found.is_empty() { "pick-none" } else { "pick-one" };
                draft.faults.push(Fault {
                    field: (*name).to_owned(),
                    reason: reader.s(key, &text),
                });
                picked.found = found;
            }
            draft.picked.insert(name, picked);
        }
        draft.values = values;
        Ok(draft)
    }
}

/// The thing of this id, or of this login, or else those that begin so.
fn look_up(tx: &mut Tx<'_>, kind: Kind, text: &str) -> Ruled<(Option<Found>, Vec<Found>)> {
    match by_id(tx, kind, text) {
        Ok(found) => return Ok((Some(found), Vec::new())),
        Err(Error::Missing(_)) => {}
        Err(other) => return Err(other),
    }
    let found = beginning(tx, kind, text)?;
    let exact = found
        .iter()
        .find(|one| kind == Kind::Users && folded(&one.hint) == folded(text));
    Ok((exact.cloned(), found))
}

fn by_id(tx: &mut Tx<'_>, kind: Kind, id: &str) -> Ruled<Found> {
    Ok(match (kind, kind.thing()) {
        (_, Some(thing)) => of_thing(list::thing(tx, thing, id)?),
        (Kind::Customers, _) => of_customer(&list::customer(tx, super::number(id)?)?),
        (Kind::Users, _) => of_user(list::user(tx, id)?),
        _ => of_subscription(list::subscription(tx, id)?),
    })
}

/// Things that are there now and begin so.
fn beginning(tx: &mut Tx<'_>, kind: Kind, text: &str) -> Ruled<Vec<Found>> {
    let (q, active) = (Some(text.chars().take(SEARCH_LIMIT).collect()), Some(true));
    let paging = Paging {
        limit: Some(OFFERED),
        cursor: None,
    };
    Ok(match (kind, kind.thing()) {
        (_, Some(thing)) => {
            let filter = ThingFilter {
                q,
                active,
                environment: None,
            };
            let page = list::things(tx, thing, &filter, &paging)?;
            page.items.into_iter().map(of_thing).collect()
        }
        (Kind::Customers, _) => {
            let filter = CustomerFilter {
                q,
                active,
                ..CustomerFilter::default()
            };
            let page = list::customers(tx, &filter, &paging)?;
            page.items.iter().map(of_customer).collect()
        }
        (Kind::Users, _) => {
            let filter = UserFilter {
                q,
                active,
                customer: None,
            };
            let page = list::users(tx, &filter, &paging)?;
            page.items.into_iter().map(of_user).collect()
        }
        _ => {
            let filter = SubscriptionFilter {
                q,
                active,
                ..SubscriptionFilter::default()
            };
            let page = list::subscriptions(tx, &filter, &paging)?;
            page.items.into_iter().map(of_subscription).collect()
        }
    })
}

fn of_thing(one: list::Thing) -> Found {
    Found {
        hint: one.id.clone(),
        id: one.id,
        name: one.name,
    }
}

fn of_customer(one: &list::Customer) -> Found {
    Found {
        id: one.id.to_string(),
        name: one.name.clone(),
        hint: one.id.to_string(),
    }
}

fn of_user(one: list::User) -> Found {
    Found {
        id: one.id,
        name: one.name,
        hint: one.login,
    }
}

fn of_subscription(one: list::Subscription) -> Found {
    Found {
        hint: one.api,
        name: one.id.clone(),
        id: one.id,
    }
}

#[derive(Template)]
#[template(path = "console/directory/found.html")]
struct FoundPart {
    found: Vec<Found>,
}

/// What a field may mean while it is typed, for the script that offers it.
pub(super) async fn find(
    State(app): State<Arc<App>>,
    Looker(_): Looker,
    Path(kind): Path<String>,
    Asked(asked): Asked,
) -> Result<Response, Problem> {
    let (kind, text) = (Kind::parse(&kind)?, asked.get("q").to_owned());
    let found = if text.is_empty() {
        Vec::new()
    } else {
        app.db.scan(move |tx| beginning(tx, kind, &text)).await?
    };
    show(&FoundPart { found })
}
