//! Lists of people.

use campanile_store::{Param, Row, Tx, sql};
use serde::Serialize;

use super::{Arm, Page, Paging, Place, page, prefix, run};
use crate::directory::check::folded;
use crate::error::{Error, Result};
use crate::rights::AsmRole;
use crate::time::{Moment, OPEN};

/// A person, from column 2.
macro_rules! item {
    () => {
        "p.key, p.login, p.name, p.email, p.locale, p.asm_role, p.guid,
            (SELECT r.customer FROM residence r WHERE r.person = p.id AND r.until = 9223372036854775807),
            (SELECT l.since FROM life l
                WHERE l.kind = 1 AND l.object = p.id AND l.until = 9223372036854775807) IS NOT NULL,
            (SELECT MIN(l.since_at) FROM life l WHERE l.kind = 1 AND l.object = p.id)"
    };
}

/// $4: only active or only inactive people.
macro_rules! if_active {
    () => {
        " AND (CAST($4 AS BOOLEAN) IS NULL OR $4 = EXISTS
            (SELECT 1 FROM life l WHERE l.kind = 1 AND l.object = p.id AND l.until = 9223372036854775807))"
    };
}

/// $5: only people of a customer.
macro_rules! if_customer {
    () => {
        " AND (CAST($5 AS BIGINT) IS NULL OR EXISTS (SELECT 1 FROM residence r
            WHERE r.person = p.id AND r.customer = $5 AND r.until = 9223372036854775807))"
    };
}

/// An arm of the search: $6 to $7 is the range of texts that begin so.
macro_rules! search {
    ($column:literal, $but:literal) => {
        concat!(
            "SELECT p.",
            $column,
            ", p.id, ",
            item!(),
            " FROM person p
            WHERE p.",
            $column,
            " >= $6 AND p.",
            $column,
            " < $7 AND (p.",
            $column,
            ", p.id) > ($1, $2)",
            $but,
            if_active!(),
            if_customer!(),
            " ORDER BY p.",
            $column,
            ", p.id LIMIT $3"
        )
    };
}

sql! {
    // $1, $2: after this text and number. $3: so many.
    ALL = concat!("SELECT p.login_key, p.id, ", item!(), " FROM person p WHERE (p.login_key, p.id) > ($1, $2)",
        if_active!(), " ORDER BY p.login_key, p.id LIMIT $3");
    OF_CUSTOMER = concat!("SELECT '', p.id, ", item!(), " FROM
            (SELECT r.person AS id FROM residence r WHERE r.customer = $5 AND r.person > $2
                AND r.until = 9223372036854775807 AND CAST($1 AS TEXT) IS NOT NULL
                AND (CAST($4 AS BOOLEAN) IS NULL OR $4 = EXISTS (SELECT 1 FROM life l
                    WHERE l.kind = 1 AND l.object = r.person AND l.until = 9223372036854775807))
                ORDER BY r.person LIMIT $3) page
            CROSS JOIN person p WHERE p.id = page.id ORDER BY page.id");
    BY_LOGIN = search!("login_key", "");
    BY_NAME = search!("name_key", " AND NOT (p.login_key >= $6 AND p.login_key < $7)");
    BY_EMAIL = search!("email_key", " AND NOT (p.login_key >= $6 AND p.login_key < $7)
        AND NOT (p.name_key >= $6 AND p.name_key < $7)");
    // The last to leave first; column 12 is when.
    INACTIVE = concat!("SELECT '', p.id, ", item!(), ", l.until FROM life l CROSS JOIN person p
        WHERE l.kind = 1 AND l.until < 9223372036854775807 AND (l.until, l.object) < ($1, $2) AND p.id = l.object
            AND NOT EXISTS (SELECT 1 FROM life n WHERE n.kind = 1 AND n.object = l.object AND n.until > l.until)
        ORDER BY l.until DESC, l.object DESC LIMIT $3");
    ONE = concat!("SELECT '', p.id, ", item!(), " FROM person p WHERE p.key = $1");
}

/// A person as the directory shows them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct User {
    /// The id in the directory file.
    pub id: String,
    /// The id in the UI messages contract.
    pub number: i64,
    /// The login as it is written; its case does not matter.
    pub login: String,
    /// The name.
    pub name: String,
    /// The address, or null.
    pub email: Option<String>,
    /// The customer now, or null.
    pub customer: Option<i64>,
    /// The language, or null.
    pub locale: Option<String>,
    /// The role in the UI messages contract.
    pub asm_role: AsmRole,
    /// The GUID in the UI messages contract.
    pub guid: String,
    /// Whether the person is there now.
    pub active: bool,
    /// When the person first came.
    pub created_at: Moment,
}

/// Which people.
#[derive(Debug, Clone, Default)]
pub struct UserFilter {
    /// The beginning of a login, name or address, in any case of letters.
    pub q: Option<String>,
    /// Only those of this customer itself.
    pub customer: Option<i64>,
    /// Only active or only inactive ones.
    pub active: Option<bool>,
}

fn read(row: &Row<'_>) -> campanile_store::Result<User> {
    Ok(User {
        number: row.get(1)?,
        id: row.get(2)?,
        login: row.get(3)?,
        name: row.get(4)?,
        email: row.get(5)?,
        locale: row.get(6)?,
        asm_role: AsmRole::from_code(row.get(7)?),
        guid: row.get(8)?,
        customer: row.get(9)?,
        active: row.get(10)?,
        created_at: Moment(row.get::<Option<i64>>(11)?.unwrap_or(0)),
    })
}

/// One person, by the id of the directory file.
pub fn user(tx: &mut Tx<'_>, id: &str) -> Result<User> {
    tx.first(&ONE, &[&id], read)?.ok_or(Error::Missing("user"))
}

/// A page of people who left, the last first.
fn inactive(tx: &mut Tx<'_>, paging: &Paging) -> Result<Page<User>> {
    page(paging, 1, |place, limit| {
        let (until, person, _) = if *place == Place::default() {
            (OPEN, 0, 0)
        } else {
            place.numbers
        };
        Ok(tx.rows(&INACTIVE, &[&until, &person, &limit], |row| {
            let user = read(row)?;
            let numbers = (row.get(12)?, user.number, 0);
            let place = Place {
                numbers,
                ..Place::default()
            };
            Ok((user, place))
        })?)
    })
}

/// A page of people: by login; by login, name and address where something is searched; by number of one customer; the
/// last to leave first where only inactive ones are asked for.
pub fn users(tx: &mut Tx<'_>, filter: &UserFilter, paging: &Paging) -> Result<Page<User>> {
    static ARMS: [Arm; 3] = [Arm(&BY_LOGIN, 7), Arm(&BY_NAME, 7), Arm(&BY_EMAIL, 7)];
    found(tx, filter, paging, &ARMS)
}

/// A page of active people, found by login and name alone: for who may not know addresses.
pub(in crate::directory) fn named_users(tx: &mut Tx<'_>, q: Option<&str>, paging: &Paging) -> Result<Page<User>> {
    static ARMS: [Arm; 2] = [Arm(&BY_LOGIN, 7), Arm(&BY_NAME, 7)];
    let filter = UserFilter {
        q: q.map(str::to_owned),
        customer: None,
        active: Some(true),
    };
    found(tx, &filter, paging, &ARMS)
}

fn found(tx: &mut Tx<'_>, filter: &UserFilter, paging: &Paging, arms: &[Arm]) -> Result<Page<User>> {
    if let Some((from, to)) = prefix(filter.q.as_deref().map(folded).as_deref())? {
        return page(paging, arms.len(), |place, limit| {
            let params: [&dyn Param; 7] = [
                &place.text,
                &place.numbers.0,
                &limit,
                &filter.active,
                &filter.customer,
                &from,
                &to,
            ];
            run(tx, &arms[place.arm], place.arm, &params, read)
        });
    }
    if filter.customer.is_none() && filter.active == Some(false) {
        return inactive(tx, paging);
    }
    let arm = if filter.customer.is_some() {
        Arm(&OF_CUSTOMER, 5)
    } else {
        Arm(&ALL, 4)
    };
    page(paging, 1, |place, limit| {
        let params: [&dyn Param; 5] = [&place.text, &place.numbers.0, &limit, &filter.active, &filter.customer];
        run(tx, &arm, 0, &params, read)
    })
}
