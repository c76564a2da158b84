//! An audience as it is written outside, by names, and as it is stored, by ids.

use campanile_store::{Row, Sql, Tx, sql};
use serde::{Deserialize, Serialize};

use crate::account::login_key;
use crate::audience::Selector;
use crate::error::{Faults, Result};
use crate::id::{ApiId, CustomerId, EnvironmentId, GroupId, PersonId, RoleId};
use crate::place::Scope;
use crate::policy::Part;

use super::Message;

sql! {
    ENVIRONMENT = "SELECT e.id FROM environment e JOIN life l ON l.kind = 3 AND l.object = e.id
        WHERE e.key = $1 AND l.until = 9223372036854775807";
    ROLE = "SELECT id FROM role WHERE scope = $1 AND name = $2";
    // Both at once: on PostgreSQL every statement of a read is a round trip.
    ENVIRONMENT_ROLE = "SELECT
        (SELECT e.id FROM environment e JOIN life l ON l.kind = 3 AND l.object = e.id
            WHERE e.key = $1 AND l.until = 9223372036854775807),
        (SELECT id FROM role WHERE scope = 2 AND name = $2)";
    API = "SELECT a.id, a.name, a.environment FROM api a JOIN life l ON l.kind = 5 AND l.object = a.id
        WHERE a.key = $1 AND l.until = 9223372036854775807";
    CUSTOMER = "SELECT c.id FROM customer c JOIN life l ON l.kind = 2 AND l.object = c.id
        WHERE c.id = $1 AND l.until = 9223372036854775807";
    GROUP = "SELECT g.id FROM grp g JOIN life l ON l.kind = 4 AND l.object = g.id
        WHERE g.key = $1 AND l.until = 9223372036854775807";
    PERSON = "SELECT p.id FROM person p JOIN life l ON l.kind = 1 AND l.object = p.id
        WHERE p.key = $1 AND l.until = 9223372036854775807";
    PERSON_BY_LOGIN = "SELECT p.id FROM person p JOIN life l ON l.kind = 1 AND l.object = p.id
        WHERE p.login_key = $1 AND l.until = 9223372036854775807";
    ENVIRONMENT_KEY = "SELECT key FROM environment WHERE id = $1";
    ENVIRONMENT_ROLE_NAMES = "SELECT e.key, r.name FROM environment e CROSS JOIN role r WHERE e.id = $1 AND r.id = $2";
    API_ROLE_NAMES = "SELECT a.key, r.name FROM api a CROSS JOIN role r WHERE a.id = $1 AND r.id = $2";
    OWN_KEYS = "SELECT p.key, (SELECT key FROM environment WHERE id = $2), (SELECT key FROM api WHERE id = $3)
        FROM person p WHERE p.id = $1";
    API_KEY = "SELECT key FROM api WHERE id = $1";
    GROUP_KEY = "SELECT key FROM grp WHERE id = $1";
    PERSON_KEY = "SELECT key FROM person WHERE id = $1";
}

/// One part of an audience, by the names that the directory gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Target {
    /// Who holds a role in an environment.
    EnvironmentRole {
        /// The environment's id; `DEFAULT` where absent.
        #[serde(default = "default_environment")]
        environment: String,
        /// A role's name in scope ENVIRONMENT, such as `ADMIN`.
        role: String,
    },
    /// Who holds a role in an application with a valid subscription to an API.
    ApiRole {
        /// The API's id.
        api: String,
        /// A role's name in scope APPLICATION, such as `PRIMARY_OWNER`.
        role: String,
    },
    /// Who made a valid subscription to an API.
    Subscribers {
        /// The API's id.
        api: String,
        /// Also who made one that is not valid: pending, rejected, paused, closed, not yet begun, or over.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        any_status: bool,
    },
    /// The users of a customer.
    Customer {
        /// The customer's number.
        customer: i64,
        /// Also those of every customer below it.
        #[serde(default)]
        include_sub_customers: bool,
    },
    /// Every active user.
    Everyone,
    /// Who has a membership on a group.
    Group {
        /// The group's id.
        group: String,
    },
    /// One user.
    User {
        /// The user's id, or login; the id is what is shown.
        user: String,
    },
}

fn default_environment() -> String {
    "DEFAULT".to_owned()
}

/// What a resolved audience says about where its message belongs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resolved {
    /// Each once, in the order of their keys.
    pub selectors: Vec<Selector>,
    /// The API that every selector is about, its name, and its environment.
    pub api: Option<(ApiId, String, EnvironmentId)>,
    /// The environment of the first environment role.
    pub environment: Option<EnvironmentId>,
    /// What rights each target needs. Of an unknown name it is a part with the id 0, which nobody holds: to those
    /// without the right it is refused just as a foreign one is.
    pub parts: Vec<Part>,
}

/// An API as an audience names it.
type Api = (ApiId, String, EnvironmentId);

/// Turns names into ids. An unknown or ended name is a fault at `audience[n].…`, but for that of a role where those may
/// be unknown.
pub fn resolve(tx: &mut Tx<'_>, targets: &[Target], may_be_unknown: bool, faults: &mut Faults) -> Result<Resolved> {
    let mut out = Resolved::default();
    let mut apis = Vec::new();
    for (at, target) in targets.iter().enumerate() {
        let mut fault = |name: &str, what: &str| {
            if !(name == "role" && may_be_unknown) {
                faults.add(format!("audience[{at}].{name}"), what);
            }
        };
        let (selector, place) = match target {
            Target::EnvironmentRole { environment, role } => {
                let (selector, environment) = environment_role(tx, environment, role, &mut fault)?;
                out.environment = out.environment.or(environment);
                (
                    selector,
                    environment.map(|environment| Part::EnvironmentRole { environment }),
                )
            }
            Target::ApiRole { api, role } => {
                let api = find_api(tx, api, &mut fault)?;
                let role = role_id(tx, Scope::Application, role, &mut fault)?;
                apis.push(api.clone());
                let place = api.as_ref().map(|(api, _, _)| Part::Api { api: *api });
                (
                    api.zip(role).map(|((api, _, _), role)| Selector::ApiRole { api, role }),
                    place,
                )
            }
            Target::Subscribers { api, any_status } => {
                let api = find_api(tx, api, &mut fault)?;
                apis.push(api.clone());
                (api.map(|(api, _, _)| subscribers(api, *any_status)), None)
            }
            other => (plain(tx, other, &mut fault)?, None),
        };
        out.parts.push(place.unwrap_or_else(|| part(target, selector)));
        out.selectors.extend(selector);
    }
    out.selectors.sort_unstable();
    out.selectors.dedup();
    out.api = one_api(targets.len(), apis);
    Ok(out)
}

const fn subscribers(api: ApiId, any_status: bool) -> Selector {
    if any_status {
        return Selector::Subscribed { api };
    }
    Selector::Subscribers { api }
}

/// Notes a fault of one target: the name of its field, and what is wrong.
type Fault<'f> = dyn FnMut(&str, &str) + 'f;

fn environment_role(
    tx: &mut Tx<'_>,
    environment: &str,
    role: &str,
    fault: &mut Fault<'_>,
) -> Result<(Option<Selector>, Option<EnvironmentId>)> {
    let (environment, role) = tx.one(&ENVIRONMENT_ROLE, &[&environment, &role], |row| {
        let (environment, role): (Option<i64>, Option<i64>) = (row.get(0)?, row.get(1)?);
        Ok((environment.map(EnvironmentId), role.map(RoleId)))
    })?;
    if environment.is_none() {
        fault("environment", "there is no such environment");
    }
    if role.is_none() {
        fault("role", &no_role(Scope::Environment));
    }
    let selector = environment
        .zip(role)
        .map(|(environment, role)| Selector::EnvironmentRole { environment, role });
    Ok((selector, environment))
}

/// The targets of one name.
fn plain(tx: &mut Tx<'_>, target: &Target, fault: &mut Fault<'_>) -> Result<Option<Selector>> {
    Ok(match target {
        Target::Customer {
            customer,
            include_sub_customers,
        } => {
            let found = tx.first(&CUSTOMER, &[customer], |row| row.get::<i64>(0))?;
            if found.is_none() {
                fault("customer", "there is no such customer");
            }
            let below = *include_sub_customers;
            found.map(CustomerId).map(|customer| {
                if below {
                    Selector::Subtree { customer }
                } else {
                    Selector::Customer { customer }
                }
            })
        }
        Target::Group { group } => {
            let found = id(tx, &GROUP, group)?;
            if found.is_none() {
                fault("group", "there is no such group");
            }
            found.map(|group| Selector::Group { group: GroupId(group) })
        }
        Target::User { user } => {
            let found = match id(tx, &PERSON, user)? {
                None => id(tx, &PERSON_BY_LOGIN, &login_key(user))?,
                found => found,
            };
            if found.is_none() {
                fault("user", "there is no such active user");
            }
            found.map(|person| Selector::User {
                person: PersonId(person),
            })
        }
        _ => Some(Selector::Everyone),
    })
}

/// What rights a message needs: those to each of its selectors, at its home; of one without people, those to its home.
#[must_use]
pub fn parts(selectors: &[Selector], message: &Message) -> Vec<Part> {
    if selectors.is_empty() {
        let of_environment = message
            .environment
            .map(|environment| Part::EnvironmentRole { environment });
        let of_api = message.api.map(|api| Part::Api { api });
        return of_api.or(of_environment).into_iter().collect();
    }
    let parts = selectors.iter().map(|selector| part_of(*selector)).collect();
    at_home(parts, message.environment)
}

/// Groups and people are judged at the message's home (decision 12).
#[must_use]
pub fn at_home(mut parts: Vec<Part>, home: Option<EnvironmentId>) -> Vec<Part> {
    for part in &mut parts {
        if matches!(part, Part::Directory { .. }) {
            *part = Part::Directory { environment: home };
        }
    }
    parts
}

const fn part_of(selector: Selector) -> Part {
    match selector {
        Selector::EnvironmentRole { environment, .. } => Part::EnvironmentRole { environment },
        Selector::ApiRole { api, .. } | Selector::Subscribers { api } | Selector::Subscribed { api } => {
            Part::Api { api }
        }
        Selector::Customer { customer } | Selector::Subtree { customer } => Part::Customer { customer },
        Selector::Everyone => Part::Everyone,
        Selector::Group { .. } | Selector::User { .. } => Part::Directory { environment: None },
    }
}

/// What rights a target needs, known or not.
fn part(target: &Target, selector: Option<Selector>) -> Part {
    if let Some(selector) = selector {
        return part_of(selector);
    }
    match target {
        Target::EnvironmentRole { .. } => Part::EnvironmentRole {
            environment: EnvironmentId(0),
        },
        Target::ApiRole { .. } | Target::Subscribers { .. } => Part::Api { api: ApiId(0) },
        Target::Customer { .. } => Part::Customer {
            customer: CustomerId(0),
        },
        Target::Everyone => Part::Everyone,
        Target::Group { .. } | Target::User { .. } => Part::Directory { environment: None },
    }
}

/// The API of a message that is about one API only.
fn one_api(parts: usize, mut apis: Vec<Option<Api>>) -> Option<Api> {
    let all = apis.len() == parts;
    let first = apis.pop().flatten()?;
    (all && apis.iter().flatten().all(|api| api.0 == first.0)).then_some(first)
}

fn id(tx: &mut Tx<'_>, sql: &'static Sql, key: &str) -> Result<Option<i64>> {
    Ok(tx.first(sql, &[&key], |row| row.get(0))?)
}

fn role_id(tx: &mut Tx<'_>, scope: Scope, name: &str, fault: &mut Fault<'_>) -> Result<Option<RoleId>> {
    let found = tx.first(&ROLE, &[&scope.code(), &name], |row| row.get(0))?;
    if found.is_none() {
        fault("role", &no_role(scope));
    }
    Ok(found.map(RoleId))
}

/// Those of some names that are roles of a scope.
pub fn known_roles(tx: &mut Tx<'_>, scope: Scope, names: &[String]) -> Result<Vec<String>> {
    let mut known = Vec::with_capacity(names.len());
    for name in names {
        if role_id(tx, scope, name, &mut |_, _| {})?.is_some() {
            known.push(name.clone());
        }
    }
    Ok(known)
}

fn no_role(scope: Scope) -> String {
    format!("there is no such role of scope {}", scope.name())
}

fn find_api(tx: &mut Tx<'_>, key: &str, fault: &mut Fault<'_>) -> Result<Option<Api>> {
    let read = |row: &campanile_store::Row<'_>| Ok((ApiId(row.get(0)?), row.get(1)?, EnvironmentId(row.get(2)?)));
    let found = tx.first(&API, &[&key], read)?;
    if found.is_none() {
        fault("api", "there is no such API");
    }
    Ok(found)
}

/// The id of an environment by its name outside; `None` where there is none.
pub fn environment(tx: &mut Tx<'_>, key: &str) -> Result<Option<EnvironmentId>> {
    Ok(id(tx, &ENVIRONMENT, key)?.map(EnvironmentId))
}

/// An API by its id outside: its number, its name and its environment; `None` where there is none.
pub fn api(tx: &mut Tx<'_>, key: &str) -> Result<Option<(ApiId, String, EnvironmentId)>> {
    find_api(tx, key, &mut |_, _| {})
}

/// Whether there is a customer.
pub fn is_customer(tx: &mut Tx<'_>, customer: CustomerId) -> Result<bool> {
    Ok(tx.first(&CUSTOMER, &[&customer.0], |_| Ok(()))?.is_some())
}

/// The name outside of an environment.
pub fn environment_key(tx: &mut Tx<'_>, id: EnvironmentId) -> Result<String> {
    Ok(tx.one(&ENVIRONMENT_KEY, &[&id.0], |row| row.get(0))?)
}

/// The name outside of an API.
pub fn api_key(tx: &mut Tx<'_>, id: ApiId) -> Result<String> {
    Ok(tx.one(&API_KEY, &[&id.0], |row| row.get(0))?)
}

/// The names outside of a message's author, environment and API.
pub fn own_keys(tx: &mut Tx<'_>, message: &Message) -> Result<(String, Option<String>, Option<String>)> {
    let environment = message.environment.map(|environment| environment.0);
    let api = message.api.map(|api| api.0);
    let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    Ok(tx.one(&OWN_KEYS, &[&message.author.0, &environment, &api], read)?)
}

/// A selector by its names outside.
pub fn name(tx: &mut Tx<'_>, selector: Selector) -> Result<Target> {
    Ok(match selector {
        Selector::EnvironmentRole { environment, role } => {
            let (environment, role) = names(tx, &ENVIRONMENT_ROLE_NAMES, environment.0, role)?;
            Target::EnvironmentRole { environment, role }
        }
        Selector::ApiRole { api, role } => {
            let (api, role) = names(tx, &API_ROLE_NAMES, api.0, role)?;
            Target::ApiRole { api, role }
        }
        Selector::Subscribers { api } | Selector::Subscribed { api } => Target::Subscribers {
            api: api_key(tx, api)?,
            any_status: selector == subscribers(api, true),
        },
        Selector::Customer { customer } => Target::Customer {
            customer: customer.0,
            include_sub_customers: false,
        },
        Selector::Subtree { customer } => Target::Customer {
            customer: customer.0,
            include_sub_customers: true,
        },
        Selector::Everyone => Target::Everyone,
        Selector::Group { group } => Target::Group {
            group: tx.one(&GROUP_KEY, &[&group.0], |row| row.get(0))?,
        },
        Selector::User { person } => Target::User {
            user: tx.one(&PERSON_KEY, &[&person.0], |row| row.get(0))?,
        },
    })
}

/// The name outside of a thing, and that of a role.
fn names(tx: &mut Tx<'_>, sql: &'static Sql, thing: i64, role: RoleId) -> Result<(String, String)> {
    Ok(tx.one(sql, &[&thing, &role.0], |row| Ok((row.get(0)?, row.get(1)?)))?)
}
