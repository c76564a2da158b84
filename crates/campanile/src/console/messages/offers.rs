//! What a sender may choose from on the form of a new message: boxes for what is usual, chips for what was found.

use campanile_core::directory::addressable::{self, Addressable, CHOICES_LIMIT, Search};
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

/// Roles of a scope that are offered as boxes; others are found by name.
const ROLES: i64 = 50;
/// Pages of roles that are looked through for a name: more than anybody has made.
const ROLE_PAGES: usize = 20;
/// The environment that there always is.
const DEFAULT: &str = "DEFAULT";

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
    /// Whether there are roles that only a search finds.
    pub(super) more_roles: bool,
    /// The name of the environment whose roles these are.
    pub(super) environment: String,
    /// The environments among which it was chosen.
    pub(super) environments: Vec<addressable::Choice>,
}

/// What the reader may choose from here. The environment of the form becomes one in which they may.
pub(super) async fn offers(app: &App, reader: &Reader, scope: &Scope, typed: &mut Typed) -> Result<Offers, Problem> {
    let (rights, api, mut form) = (reader.rights.clone(), scope.api.clone(), typed.clone());
    let words = reader.words;
    let work = move |tx: &mut Tx<'_>| {
        let mut offers = Offers::default();
        let boxes = match &api {
            Some(api) => of_an_api(tx, api, &mut offers)?,
            None => of_the_platform(tx, &rights, &mut form, &mut offers)?,
        };
        aside::keep_own(tx, &rights, &mut form)?;
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
        Ok::<_, Error>((offers, form.environment, form.to))
    };
    let (offers, environment, to) = app.db.read(work).await?;
    (typed.environment, typed.to) = (environment, to);
    Ok(offers)
}

/// API subscribers first, then the roles of scope APPLICATION (contract A, section 4).
fn of_an_api(tx: &mut Tx<'_>, api: &Api, offers: &mut Offers) -> Ruled<Vec<Named>> {
    let mut out = vec![Target::Subscribers {
        api: api.id.clone(),
        any_status: false,
    }];
    let (roles, more) = roles(tx, RoleScope::Application)?;
    offers.more_roles = more;
    out.extend(roles.into_iter().map(|role| Target::ApiRole {
        api: api.id.clone(),
        role,
    }));
    let name = |target| Named {
        target,
        name: api.name.clone(),
    };
    Ok(out.into_iter().map(name).collect())
}

/// The roles of the environment, everyone for who may, the own customers of a customer administrator.
fn of_the_platform(tx: &mut Tx<'_>, rights: &Rights, form: &mut Typed, offers: &mut Offers) -> Ruled<Vec<Named>> {
    let mut out = Vec::new();
    let environments = environments(tx, rights, &form.environment)?;
    let chosen = environments.iter().find(|one| one.id == form.environment);
    if let Some(environment) = chosen.or_else(|| environments.first()) {
        form.environment.clone_from(&environment.id);
        offers.environment.clone_from(&environment.name);
        let (roles, more) = roles(tx, RoleScope::Environment)?;
        offers.more_roles = more;
        for role in roles {
            let target = Target::EnvironmentRole {
                environment: environment.id.clone(),
                role,
            };
            let name = environment.name.clone();
            out.push(Named { target, name });
        }
    }
    offers.environments = environments;
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

/// The environments that somebody may write to, as far as they are offered, with the one that is chosen.
fn environments(tx: &mut Tx<'_>, rights: &Rights, chosen: &str) -> Ruled<Vec<addressable::Choice>> {
    let search = |q| Search {
        q,
        limit: Some(CHOICES_LIMIT),
    };
    let mut found = addressable::choices(tx, rights, Addressable::Environments, &search(None))?.items;
    if found.iter().all(|one| one.id != chosen) {
        let named = search(Some(chosen.to_owned()));
        let named = addressable::choices(tx, rights, Addressable::Environments, &named)?.items;
        found.extend(named.into_iter().find(|one| one.id == chosen));
    }
    found.sort_by_key(|one| one.id != DEFAULT);
    Ok(found)
}

/// The first roles of a scope, and whether there are others.
fn roles(tx: &mut Tx<'_>, scope: RoleScope) -> Ruled<(Vec<String>, bool)> {
    let paging = Paging {
        limit: Some(ROLES),
        cursor: None,
    };
    let page = list::roles(tx, Some(scope), &paging)?;
    let names = page.items.into_iter().map(|role| role.name);
    Ok((names.collect(), page.next.is_some()))
}

/// The first roles of a scope whose names begin so.
pub(super) fn roles_named(tx: &mut Tx<'_>, scope: RoleScope, q: &str, limit: usize) -> Ruled<Vec<String>> {
    let q = q.to_uppercase();
    let mut paging = Paging {
        limit: Some(list::PAGE_LIMIT),
        cursor: None,
    };
    let mut found = Vec::new();
    for _ in 0..ROLE_PAGES {
        let page = list::roles(tx, Some(scope), &paging)?;
        let names = page.items.into_iter().map(|role| role.name);
        found.extend(names.filter(|name| name.to_uppercase().starts_with(&q)));
        match page.next {
            Some(_) if found.len() < limit => paging.cursor = page.next,
            _ => break,
        }
    }
    found.truncate(limit);
    Ok(found)
}
