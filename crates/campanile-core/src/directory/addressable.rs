//! What somebody may put into an audience, found by its beginning: what a sender picks from.
//!
//! Environments, APIs and customers are those that the sender may address; the policy says which. People and groups
//! are found by who may find people, by name and login alone: an address neither finds anybody nor is shown. Roles are
//! listed by [`list::roles`]. What is found costs an index and the page, or what the sender holds, never the directory.

use campanile_store::{Param, Row, Tx, sql};
use serde::{Deserialize, Serialize};

use super::check::folded;
use super::list::{self, CustomerFilter, Kind, Paging, ThingFilter};
use crate::error::{Error, Result};
use crate::id::{ApiId, CustomerId, EnvironmentId};
use crate::policy::{self, Act, Part, Reach};
use crate::rights::Rights;

/// Choices of an answer when nothing is said.
pub const CHOICES: i64 = 20;
/// Choices of an answer at most.
pub const CHOICES_LIMIT: i64 = 50;
/// Customers of a subtree that are looked through; in a larger one names are looked through instead.
const LOOK_THROUGH: u64 = 2_000;
/// Environments looked at; there are a handful.
const ENVIRONMENTS_LIMIT: i64 = 1_000;

/// The numbers of at most fifty things, from $1 on.
macro_rules! fifty_numbers {
    () => {
        "($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23,
          $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39, $40, $41, $42, $43, $44,
          $45, $46, $47, $48, $49, $50)"
    };
}
pub(crate) use fifty_numbers;

sql! {
    ENVIRONMENTS = "SELECT e.id, e.key, e.name FROM life l CROSS JOIN environment e
        WHERE l.kind = 3 AND l.until = 9223372036854775807 AND e.id = l.object LIMIT $1";
    APIS = concat!("SELECT a.key, a.name, a.name_key, (SELECT e.key FROM environment e WHERE e.id = a.environment)
        FROM api a WHERE a.id IN ", fifty_numbers!(), "
            AND EXISTS (SELECT 1 FROM life l WHERE l.kind = 5 AND l.object = a.id AND l.until = 9223372036854775807)");
    // $1: the top. $2: so many.
    BELOW = "SELECT c.id, c.name FROM
            (SELECT l.customer AS id FROM lineage l WHERE l.ancestor = $1 AND l.until = 9223372036854775807
                ORDER BY l.customer LIMIT $2) page
        CROSS JOIN customer c WHERE c.id = page.id ORDER BY page.id";
    // $2 to $3: the range of names that begin so.
    BELOW_NAMED = "SELECT c.id, c.name, c.name_key FROM lineage l CROSS JOIN customer c
        WHERE l.ancestor = $1 AND l.until = 9223372036854775807 AND c.id = l.customer
            AND c.name_key >= $2 AND c.name_key < $3";
    NAMED_BELOW = "SELECT c.id, c.name FROM customer c
        WHERE c.name_key >= $2 AND c.name_key < $3 AND EXISTS (SELECT 1 FROM lineage l
            WHERE l.customer = c.id AND l.ancestor = $1 AND l.until = 9223372036854775807)
        ORDER BY c.name_key, c.id LIMIT $4";
    // Everything above each, with its depth.
    ABOVE = concat!("SELECT l.customer, l.ancestor, c.name,
            (SELECT COUNT(*) FROM lineage n WHERE n.customer = l.ancestor AND n.until = 9223372036854775807)
        FROM lineage l CROSS JOIN customer c
        WHERE l.customer IN ", fifty_numbers!(), " AND l.until = 9223372036854775807 AND l.ancestor <> l.customer
            AND c.id = l.ancestor");
}

/// The kinds of what can be picked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Addressable {
    /// Active people, by the beginning of login or name.
    People,
    /// Groups, by the beginning of id or name.
    Groups,
    /// Customers, by the beginning of the name, or by the number.
    Customers,
    /// APIs, by the beginning of id or name.
    Apis,
    /// Environments, by the beginning of id or name.
    Environments,
}

/// One thing that can be picked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Choice {
    /// As an audience names it; a customer's number in digits.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What tells it from others of its name: the login of a person, the environment of an API, the names of the
    /// customers above a customer from the top, with ` / ` between. Absent where there is nothing to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// What can be picked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Choices {
    /// The first of them.
    pub items: Vec<Choice>,
    /// Whether there are others; a longer beginning finds them.
    pub more: bool,
}

/// What to look for.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// The beginning, in any case of letters; at most 200 characters. Absent or blank finds everything.
    pub q: Option<String>,
    /// Choices, 1 to 50; absent is 20.
    pub limit: Option<i64>,
}

/// The first of what a sender may put into an audience and that begins so.
///
/// [`Error::Denied`] for people and groups to who may not find people. What may be addressed of the other kinds can be
/// nothing.
pub fn choices(tx: &mut Tx<'_>, rights: &Rights, kind: Addressable, search: &Search) -> Result<Choices> {
    let limit = match search.limit {
        None => CHOICES,
        Some(limit) if (1..=CHOICES_LIMIT).contains(&limit) => limit,
        Some(_) => return Err(Error::field("limit", format!("must be 1 to {CHOICES_LIMIT}"))),
    };
    let q = search.q.as_deref();
    // A search that cannot be made is refused whatever is there to be found.
    let names = list::prefix(q.map(folded).as_deref())?;
    match kind {
        Addressable::People => {
            policy::may(rights, &Act::FindPeople)?;
            people(tx, q, limit)
        }
        Addressable::Groups => {
            policy::may(rights, &Act::FindPeople)?;
            things(tx, Kind::Group, q, limit)
        }
        Addressable::Customers => customers(tx, rights, q, names.as_ref(), limit),
        Addressable::Apis => match policy::reach_of_apis(rights) {
            Reach::All => things(tx, Kind::Api, q, limit),
            Reach::Only(apis) => held_apis(tx, &apis, q, limit),
        },
        Addressable::Environments => environments(tx, rights, q, limit),
    }
}

/// The first of the APIs whose messages somebody may send or see and that begin so.
pub fn apis(tx: &mut Tx<'_>, rights: &Rights, search: &Search) -> Result<Choices> {
    let limit = search.limit.unwrap_or(CHOICES_LIMIT).clamp(1, CHOICES_LIMIT);
    let q = search.q.as_deref();
    list::prefix(q)?;
    if rights.is_organization_admin {
        return things(tx, Kind::Api, q, limit);
    }
    let held = rights.apis.keys().copied();
    let apis: Vec<ApiId> = held.filter(|api| policy::may_see_api(rights, *api)).collect();
    held_apis(tx, &apis, q, limit)
}

fn paging(limit: i64) -> Paging {
    Paging {
        limit: Some(limit),
        cursor: None,
    }
}

fn people(tx: &mut Tx<'_>, q: Option<&str>, limit: i64) -> Result<Choices> {
    let page = list::named_users(tx, q, &paging(limit))?;
    let choice = |user: list::User| Choice {
        id: user.id,
        name: user.name,
        detail: Some(user.login),
    };
    Ok(Choices {
        items: page.items.into_iter().map(choice).collect(),
        more: page.next.is_some(),
    })
}

fn things(tx: &mut Tx<'_>, kind: Kind, q: Option<&str>, limit: i64) -> Result<Choices> {
    let filter = ThingFilter {
        q: q.map(str::to_owned),
        environment: None,
        active: Some(true),
    };
    let page = list::things(tx, kind, &filter, &paging(limit))?;
    let choice = |thing: list::Thing| Choice {
        id: thing.id,
        name: thing.name,
        detail: thing.environment,
    };
    Ok(Choices {
        items: page.items.into_iter().map(choice).collect(),
        more: page.next.is_some(),
    })
}

/// Whether a search finds a thing by its id as written or its folded name.
fn begins(q: Option<&str>, key: &str, name_key: &str) -> bool {
    let q = q.map_or("", str::trim);
    key.starts_with(q) || name_key.starts_with(&folded(q))
}

/// The first of some choices by id.
fn first(mut found: Vec<Choice>, limit: i64) -> Choices {
    found.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    cut(found, limit)
}

fn cut(mut items: Vec<Choice>, limit: i64) -> Choices {
    let more = items.len() > limit as usize;
    items.truncate(limit as usize);
    Choices { items, more }
}

fn environments(tx: &mut Tx<'_>, rights: &Rights, q: Option<&str>, limit: i64) -> Result<Choices> {
    let mut found = Vec::new();
    tx.each(&ENVIRONMENTS, &[&ENVIRONMENTS_LIMIT], |row| {
        let environment = EnvironmentId(row.get(0)?);
        let (id, name): (String, String) = (row.get(1)?, row.get(2)?);
        let part = [Part::EnvironmentRole { environment }];
        if policy::may(rights, &Act::Send(&part)).is_ok() && begins(q, &id, &folded(&name)) {
            found.push(Choice { id, name, detail: None });
        }
        Ok::<(), campanile_store::Error>(())
    })?;
    Ok(first(found, limit))
}

/// Fifty numbers as parameters: those given, and the last of them again.
pub(crate) fn fifty(numbers: &[i64]) -> Vec<&dyn Param> {
    let last = numbers.last().into_iter().cycle();
    numbers
        .iter()
        .chain(last)
        .take(50)
        .map(|number| number as &dyn Param)
        .collect()
}

/// Those that begin so, of the APIs that somebody holds something on.
fn held_apis(tx: &mut Tx<'_>, apis: &[ApiId], q: Option<&str>, limit: i64) -> Result<Choices> {
    let numbers: Vec<i64> = apis.iter().map(|api| api.0).collect();
    let mut found = Vec::new();
    for numbers in numbers.chunks(50) {
        tx.each(&APIS, &fifty(numbers), |row| {
            let (id, name_key): (String, String) = (row.get(0)?, row.get(2)?);
            if begins(q, &id, &name_key) {
                found.push(Choice {
                    id,
                    name: row.get(1)?,
                    detail: row.get(3)?,
                });
            }
            Ok::<(), campanile_store::Error>(())
        })?;
    }
    Ok(first(found, limit))
}

fn customers(
    tx: &mut Tx<'_>,
    rights: &Rights,
    q: Option<&str>,
    names: Option<&(String, String)>,
    limit: i64,
) -> Result<Choices> {
    let mut choices = match policy::reach_of_customers(rights) {
        Reach::All => all_customers(tx, q, limit)?,
        Reach::Only(None) => cut(Vec::new(), limit),
        Reach::Only(Some(top)) => cut(customers_below(tx, rights, top, names, limit + 1)?, limit),
    };
    add_paths(tx, rights, &mut choices.items)?;
    Ok(choices)
}

fn all_customers(tx: &mut Tx<'_>, q: Option<&str>, limit: i64) -> Result<Choices> {
    let filter = CustomerFilter {
        q: q.map(str::to_owned),
        active: Some(true),
        ..CustomerFilter::default()
    };
    let page = list::customers(tx, &filter, &paging(limit))?;
    let items = page.items.into_iter().map(|found| customer(found.id, found.name));
    Ok(Choices {
        items: items.collect(),
        more: page.next.is_some(),
    })
}

fn customer(id: i64, name: String) -> Choice {
    Choice {
        id: id.to_string(),
        name,
        detail: None,
    }
}

/// The customer of this number first, then those whose names begin so; without a search, by number.
fn customers_below(
    tx: &mut Tx<'_>,
    rights: &Rights,
    top: CustomerId,
    names: Option<&(String, String)>,
    limit: i64,
) -> Result<Vec<Choice>> {
    let read = |row: &Row<'_>| Ok(customer(row.get(0)?, row.get(1)?));
    let Some((from, to)) = names else {
        return Ok(tx.rows(&BELOW, &[&top.0, &limit], read)?);
    };
    let mut out = Vec::new();
    let number: i64 = from.parse().unwrap_or(0);
    let part = Part::Customer {
        customer: CustomerId(number),
    };
    if policy::may(rights, &Act::Send(&[part])).is_ok() {
        let found = list::customer(tx, number)?;
        out.push(customer(found.id, found.name));
    }
    let found = if rights.subtree.len() > LOOK_THROUGH {
        tx.rows(&NAMED_BELOW, &[&top.0, &from, &to, &limit], read)?
    } else {
        let keyed = |row: &Row<'_>| Ok((row.get::<String>(2)?, row.get::<i64>(0)?, read(row)?));
        let mut found = tx.rows(&BELOW_NAMED, &[&top.0, &from, &to], keyed)?;
        found.sort_unstable_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
        found.into_iter().map(|(_, _, choice)| choice).collect()
    };
    let by_number = number.to_string();
    out.extend(found.into_iter().filter(|choice| choice.id != by_number));
    Ok(out)
}

/// Says where each customer stands in the tree, as far up as the sender may address.
fn add_paths(tx: &mut Tx<'_>, rights: &Rights, items: &mut [Choice]) -> Result<()> {
    let numbers: Vec<i64> = items.iter().filter_map(|item| item.id.parse().ok()).collect();
    if numbers.is_empty() {
        return Ok(());
    }
    let mut above: Vec<(i64, i64, String)> = Vec::new();
    tx.each(&ABOVE, &fifty(&numbers), |row| {
        let part = Part::Customer {
            customer: CustomerId(row.get(1)?),
        };
        if policy::may(rights, &Act::Send(&[part])).is_ok() {
            above.push((row.get(0)?, row.get(3)?, row.get(2)?));
        }
        Ok::<(), campanile_store::Error>(())
    })?;
    above.sort_unstable();
    for (item, number) in items.iter_mut().zip(numbers) {
        let names: Vec<&str> = above
            .iter()
            .filter(|(customer, ..)| *customer == number)
            .map(|(_, _, name)| name.as_str())
            .collect();
        item.detail = (!names.is_empty()).then(|| names.join(" / "));
    }
    Ok(())
}
