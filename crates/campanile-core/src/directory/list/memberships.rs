//! Lists of memberships: what somebody holds, and who holds something.

use campanile_store::{Row, Tx, sql};
use serde::Serialize;

use super::{Page, Paging, Place, page};
use crate::directory::entry::On;
use crate::error::{Error, Result};
use crate::place::{ORGANIZATION, Scope, place};
use crate::time::Moment;

/// The key or name of the place of the fact `page`.
macro_rules! place_column {
    ($column:literal) => {
        concat!(
            "CASE page.place
                WHEN 1 THEN 'DEFAULT'
                WHEN 2 THEN (SELECT x.",
            $column,
            " FROM environment x WHERE x.id = page.object)
                WHEN 3 THEN (SELECT x.",
            $column,
            " FROM api x WHERE x.id = page.object)
                WHEN 4 THEN (SELECT x.",
            $column,
            " FROM application x WHERE x.id = page.object)
                ELSE (SELECT x.",
            $column,
            " FROM grp x WHERE x.id = page.object) END"
        )
    };
}
pub(in crate::directory) use place_column;

/// A membership with the names of what it names, from `page` on.
macro_rules! item {
    () => {
        concat!(
            "SELECT page.place, page.object, page.role, p.id, p.key, p.name, r.scope, r.name, page.since_at, ",
            place_column!("key"),
            ", ",
            place_column!("name")
        )
    };
}

sql! {
    // $2 to $4: after this place, object and role. $5: so many.
    OF_USER = concat!(item!(), " FROM (SELECT person, place, object, role, since_at FROM membership
            WHERE person = (SELECT u.id FROM person u WHERE u.key = $1)
                AND (place, object, role) > ($2, $3, $4) AND until = 9223372036854775807
            ORDER BY place, object, role LIMIT $5) page
        CROSS JOIN person p CROSS JOIN role r WHERE p.id = page.person AND r.id = page.role
        ORDER BY page.place, page.object, page.role");
    // $3, $4: after this role and person. $6: only of this role's name.
    OF_PLACE = concat!(item!(), " FROM (SELECT person, place, object, role, since_at FROM membership
            WHERE place = $1 AND object = $2 AND (role, person) > ($3, $4) AND until = 9223372036854775807
            ORDER BY role, person LIMIT $5) page
        CROSS JOIN person p CROSS JOIN role r WHERE p.id = page.person AND r.id = page.role
        ORDER BY page.role, page.person");
    OF_ROLE = concat!(item!(), " FROM (SELECT person, place, object, role, since_at FROM membership
            WHERE place = $1 AND object = $2 AND role = $3 AND person > $4 AND until = 9223372036854775807
            ORDER BY person LIMIT $5) page
        CROSS JOIN person p CROSS JOIN role r WHERE p.id = page.person AND r.id = page.role
        ORDER BY page.person");
    ENVIRONMENT = "SELECT id FROM environment WHERE key = $1";
    API = "SELECT id FROM api WHERE key = $1";
    APPLICATION = "SELECT id FROM application WHERE key = $1";
    GROUP = "SELECT id FROM grp WHERE key = $1";
    ROLE = "SELECT id FROM role WHERE scope = $1 AND name = $2";
}

/// A membership as the directory shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Membership {
    /// The user's id.
    pub user: String,
    /// The user's name.
    pub user_name: String,
    /// Where.
    pub on: On,
    /// The name of the place.
    pub on_name: String,
    /// The role's scope.
    pub scope: Scope,
    /// The role's name.
    pub role: String,
    /// Always true: what has ended is in the history.
    pub active: bool,
    /// Since when.
    pub created_at: Moment,
}

/// Whose memberships.
#[derive(Debug, Clone)]
pub enum MembershipFilter {
    /// Of a user, by id; by place.
    User(String),
    /// On something; by role, then by number of the user.
    Place {
        /// Where.
        on: On,
        /// On a group: of roles of this scope, and it must be named.
        scope: Option<Scope>,
        /// Only of this role.
        role: Option<String>,
    },
}

fn read(row: &Row<'_>) -> campanile_store::Result<Membership> {
    Ok(Membership {
        user: row.get(4)?,
        user_name: row.get(5)?,
        on: on(row.get(0)?, row.get(9)?),
        on_name: row.get(10)?,
        scope: Scope::from_code(row.get(6)?).unwrap_or(Scope::Organization),
        role: row.get(7)?,
        active: true,
        created_at: Moment(row.get(8)?),
    })
}

/// Where a membership is, in the form of the file.
pub(in crate::directory) fn on(place: i64, key: String) -> On {
    match place {
        place::ORGANIZATION => On::Organization(key),
        place::ENVIRONMENT => On::Environment(key),
        place::API => On::Api(key),
        place::APPLICATION => On::Application(key),
        _ => On::Group(key),
    }
}

/// A page of memberships that hold now. Of a user, thing or role that is not there, none.
pub fn memberships(tx: &mut Tx<'_>, filter: &MembershipFilter, paging: &Paging) -> Result<Page<Membership>> {
    match filter {
        MembershipFilter::User(key) => page(paging, 1, |from, limit| {
            let (place, object, role) = from.numbers;
            Ok(tx.rows(&OF_USER, &[&key, &place, &object, &role, &limit], |row| {
                Ok((read(row)?, numbered((row.get(0)?, row.get(1)?, row.get(2)?))))
            })?)
        }),
        MembershipFilter::Place { on, scope, role } => {
            let (place, scope, object) = locate(tx, on, *scope)?;
            let role = match role {
                None => None,
                Some(name) => {
                    let found = tx.first(&ROLE, &[&scope.code(), name], |row| row.get(0))?;
                    Some(found.unwrap_or(0_i64))
                }
            };
            page(paging, 1, |from, limit| {
                let (after_role, person, _) = from.numbers;
                let sql = if role.is_some() { &OF_ROLE } else { &OF_PLACE };
                let role = role.unwrap_or(after_role);
                Ok(tx.rows(sql, &[&place, &object, &role, &person, &limit], |row| {
                    Ok((read(row)?, numbered((row.get(2)?, row.get(3)?, 0))))
                })?)
            })
        }
    }
}

fn numbered(numbers: (i64, i64, i64)) -> Place {
    Place {
        numbers,
        ..Place::default()
    }
}

/// The place, the scope of its roles, and the object's number: 0, which none has, where there is no such thing.
fn locate(tx: &mut Tx<'_>, on: &On, scope: Option<Scope>) -> Result<(i64, Scope, i64)> {
    let (place, scope, sql, key) = match on {
        On::Organization(_) => return Ok((place::ORGANIZATION, Scope::Organization, ORGANIZATION)),
        On::Environment(key) => (place::ENVIRONMENT, Scope::Environment, &ENVIRONMENT, key),
        On::Api(key) => (place::API, Scope::Api, &API, key),
        On::Application(key) => (place::APPLICATION, Scope::Application, &APPLICATION, key),
        On::Group(key) => match scope {
            Some(Scope::Application) => (place::GROUP_APPLICATION, Scope::Application, &GROUP, key),
            Some(Scope::Api) => (place::GROUP_API, Scope::Api, &GROUP, key),
            _ => return Err(Error::field("scope", "is needed on a group: API or APPLICATION")),
        },
    };
    let object = tx.first(sql, &[key], |row| row.get(0))?;
    Ok((place, scope, object.unwrap_or(0)))
}
