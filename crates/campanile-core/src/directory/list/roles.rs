//! Lists of roles with their permissions.

use std::collections::BTreeMap;

use campanile_store::{Tx, sql};
use serde::Serialize;

use super::{Page, Paging, Place, page};
use crate::directory::check::letters;
use crate::error::{Error, Result};
use crate::id::{EnvironmentId, PersonId};
use crate::place::Scope;

sql! {
    // $1, $2: after this scope and name. $3: so many. $4: only of this scope. Permissions come a row each.
    ALL = "SELECT page.id, page.scope, page.name, page.system, q.permission, q.letters FROM
            (SELECT id, scope, name, system FROM role
                WHERE (scope, name) > ($1, $2) AND (CAST($4 AS BIGINT) IS NULL OR scope = $4)
                ORDER BY scope, name LIMIT $3) page
            LEFT JOIN role_permission q ON q.role = page.id
        ORDER BY page.scope, page.name, q.permission";
    ONE = "SELECT r.id, r.scope, r.name, r.system, q.permission, q.letters FROM role r
        LEFT JOIN role_permission q ON q.role = r.id WHERE r.scope = $1 AND r.name = $2 ORDER BY q.permission";
    // $2: of this environment alone; of all for 0.
    HELD = "SELECT DISTINCT r.id, r.scope, r.name, r.system, q.permission, q.letters FROM membership m
            JOIN role r ON r.id = m.role
            LEFT JOIN role_permission q ON q.role = r.id
        WHERE m.person = $1 AND m.place BETWEEN 1 AND 2 AND m.until = 9223372036854775807
            AND (m.place = 1 OR m.object = $2 OR $2 = 0)
        ORDER BY r.scope, r.name, q.permission LIMIT $3";
}

/// Permissions of roles that a person holds, at most: far more than anybody has.
const HELD_LIMIT: i64 = 2_000;

/// A role as the directory shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Role {
    /// What it is about.
    pub scope: Scope,
    /// Its name there.
    pub name: String,
    /// Whether it is one of the contract's, which cannot change.
    pub system: bool,
    /// Letters of CRUD by permission.
    pub permissions: BTreeMap<String, String>,
}

/// Gathers roles from rows, a permission each.
fn gather(
    tx: &mut Tx<'_>,
    sql: &'static campanile_store::Sql,
    params: &[&dyn campanile_store::Param],
) -> Result<Vec<Role>> {
    let mut out: Vec<(i64, Role)> = Vec::new();
    tx.each(sql, params, |row| {
        let id: i64 = row.get(0)?;
        if out.last().is_none_or(|(last, _)| *last != id) {
            let role = Role {
                scope: Scope::from_code(row.get(1)?).unwrap_or(Scope::Organization),
                name: row.get(2)?,
                system: row.get(3)?,
                permissions: BTreeMap::new(),
            };
            out.push((id, role));
        }
        let (permission, bits): (Option<String>, Option<i64>) = (row.get(4)?, row.get(5)?);
        if let (Some(permission), Some(bits), Some((_, role))) = (permission, bits, out.last_mut()) {
            role.permissions.insert(permission, letters(bits));
        }
        Ok::<(), campanile_store::Error>(())
    })?;
    Ok(out.into_iter().map(|(_, role)| role).collect())
}

/// One role.
pub fn role(tx: &mut Tx<'_>, scope: Scope, name: &str) -> Result<Role> {
    let found = gather(tx, &ONE, &[&scope.code(), &name])?;
    found.into_iter().next().ok_or(Error::Missing("role"))
}

/// The roles that a person holds on the organization, and on one environment or any, by scope and name.
pub fn roles_held(tx: &mut Tx<'_>, person: PersonId, environment: Option<EnvironmentId>) -> Result<Vec<Role>> {
    let environment = environment.map_or(0, |environment| environment.0);
    gather(tx, &HELD, &[&person.0, &environment, &HELD_LIMIT])
}

/// A page of roles, of one scope or all, by scope and name.
pub fn roles(tx: &mut Tx<'_>, scope: Option<Scope>, paging: &Paging) -> Result<Page<Role>> {
    let scope = scope.map(Scope::code);
    page(paging, 1, |from, limit| {
        let found = gather(tx, &ALL, &[&from.numbers.0, &from.text, &limit, &scope])?;
        let placed = |role: Role| {
            let place = Place {
                arm: 0,
                text: role.name.clone(),
                numbers: (role.scope.code(), 0, 0),
            };
            (role, place)
        };
        Ok(found.into_iter().map(placed).collect())
    })
}
