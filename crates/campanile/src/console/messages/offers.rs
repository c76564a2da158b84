//! What a sender may choose from on the form of a new message: boxes for what is usual, chips for what was found.

use campanile_core::directory::addressable::{self, Addressable, Search};
use campanile_core::directory::list::{self, Paging};
use campanile_core::id::CustomerId;
use campanile_core::message::label::label;
use campanile_core::message::target::Target;
use campanile_core::place::Scope as RoleScope;
use campanile_core::policy::{self, Reach};
use campanile_core::rights::Rights;
use campanile_core::{Error, Result as Ruled};
use campanile_store::Tx;

use super::aside;
use super::compose::{Api, Scope};
use super::part::{self, Named};
use super::typed::Typed;
use crate::app::App;
use crate::console::page::Reader;
use crate::problem::Problem;

/// Roles of a scope that are offered.
const ROLES: i64 = 50;

/// One box to tick.
pub(super) struct Choice {
    pub(super) value: String,
    pub(super) name: String,
    pub(super) hint: String,
    pub(super) ticked: bool,
}

/// What there is to choose from.
#[derive(Default)]
pub(super) struct Offers {
    /// The boxes: roles first.
    pub(super) boxes: Vec<Choice>,
    /// What else was chosen, to be taken away again.
    pub(super) chips: Vec<Named>,
    /// The name of the environment whose roles these are.
    pub(super) environment: String,
}

/// What the reader may choose from here. The environment of the form becomes one in which they may.
pub(super) async fn offers(app: &App, reader: &Reader, scope: &Scope, typed: &mut Typed) -> Result<Offers, Problem> {
    let (rights, api, mut form) = (reader.rights.clone(), scope.api.clone(), typed.clone());
    let words = reader.words;
    let work = move |tx: &mut Tx<'_>| {
        let mut offers = Offers::default();
        let boxes = match &api {
            Some(api) => of_an_api(tx, api)?,
            None => of_the_platform(tx, &rights, &mut form, &mut offers)?,
        };
        aside::may_name(tx, &rights, &form)?;
        for named in &boxes {
            offers.boxes.push(Choice {
                value: named.value(),
                name: match &named.target {
                    Target::EnvironmentRole { role, .. } | Target::ApiRole { role, .. } => role.clone(),
                    Target::Subscribers { .. } => words.t("choice-subscribers"),
                    _ => named.words(words),
                },
                // Whose roles these are is said once, above them.
                hint: match &named.target {
                    Target::EnvironmentRole { .. } => String::new(),
                    other => words.t(&format!("choice-hint-{}", part::kind(other))),
                },
                ticked: form.has(&named.target),
            });
        }
        for target in form
            .to
            .iter()
            .filter(|target| !boxes.iter().any(|named| named.target == **target))
        {
            let name = label(tx, target)?;
            let target = target.clone();
            offers.chips.push(Named { target, name });
        }
        Ok::<_, Error>((offers, form.environment))
    };
    let (offers, environment) = app.db.read(work).await?;
    typed.environment = environment;
    Ok(offers)
}

/// API subscribers first, then the roles of scope APPLICATION (contract A, section 4).
fn of_an_api(tx: &mut Tx<'_>, api: &Api) -> Ruled<Vec<Named>> {
    let mut out = vec![Target::Subscribers { api: api.id.clone() }];
    out.extend(
        roles(tx, RoleScope::Application)?
            .into_iter()
            .map(|role| Target::ApiRole {
                api: api.id.clone(),
                role,
            }),
    );
    let name = |target| Named {
        target,
        name: api.name.clone(),
    };
    Ok(out.into_iter().map(name).collect())
}

/// The roles of the environment, everyone for who may, the own customers of a customer administrator.
fn of_the_platform(tx: &mut Tx<'_>, rights: &Rights, form: &mut Typed, offers: &mut Offers) -> Ruled<Vec<Named>> {
    let mut out = Vec::new();
    let environments = addressable::choices(tx, rights, Addressable::Environments, &Search::default())?.items;
    let chosen = environments.iter().find(|one| one.id == form.environment);
    if let Some(environment) = chosen.or_else(|| environments.first()) {
        form.environment.clone_from(&environment.id);
        offers.environment.clone_from(&environment.name);
        for role in roles(tx, RoleScope::Environment)? {
            let target = Target::EnvironmentRole {
                environment: environment.id.clone(),
                role,
            };
            let name = environment.name.clone();
            out.push(Named { target, name });
        }
    }
    let mut add = |tx: &mut Tx<'_>, target: Target| {
        let name = label(tx, &target)?;
        out.push(Named { target, name });
        Ok::<_, Error>(())
    };
    match policy::reach_of_customers(rights) {
        Reach::Only(Some(CustomerId(customer))) => {
            for include_sub_customers in [true, false] {
                add(
                    tx,
                    Target::Customer {
                        customer,
                        include_sub_customers,
                    },
                )?;
            }
        }
        Reach::Only(None) => {}
        Reach::All => add(tx, Target::Everyone)?,
    }
    Ok(out)
}

pub(super) fn roles(tx: &mut Tx<'_>, scope: RoleScope) -> Ruled<Vec<String>> {
    let paging = Paging {
        limit: Some(ROLES),
        cursor: None,
    };
    let page = list::roles(tx, Some(scope), &paging)?;
    Ok(page.items.into_iter().map(|role| role.name).collect())
}
