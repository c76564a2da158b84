//! Lists of people.

use campanile_store::{Param, Row, Tx, sql};
use serde::Serialize;

use super::ended::{self, ended, last_first};
use super::{Arm, Page, Paging, looked, prefix, run};
use crate::directory::check::folded;
use crate::error::{Error, Result};
use crate::place::kind;
use crate::rights::AsmRole;
use crate::time::Moment;

/// A person, from column 2.
macro_rules! item {
    () => {
        "p.key, p.login, p.name, p.email, p.locale, p.asm_role, p.guid,
            (SELECT r.customer FROM residence r WHERE r.person = p.id AND r.until = 9223372036854775807),
            (SELECT l.since FROM life l
                WHERE l.kind = 1 AND l.object = p.id AND l.until = 9223372036854775807) IS NOT NULL,
            (SELECT MIN(l.since_at) FROM life l WHERE l.kind = 1 AND l.object = p.id), p.erased_at"
    };
}

/// Only active or only inactive people.
macro_rules! if_active {
    ($at:literal) => {
        concat!(
            " AND (CAST(",
            $at,
            " AS BOOLEAN) IS NULL OR ",
            $at,
            " = EXISTS
            (SELECT 1 FROM life l WHERE l.kind = 1 AND l.object = p.id AND l.until = 9223372036854775807))"
        )
    };
}

/// An arm of the search: $6 to $7 is the range of texts that begin so.
macro_rules! search {
    (page $column:literal, $but:literal) => {
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
            ", p.id) > ($1, $2) AND (p.",
            $column,
            ", p.id) <= ($4, $5)",
            $but,
            if_active!("$8"),
            " ORDER BY p.",
            $column,
            ", p.id LIMIT $3"
        )
    };
    (edge $column:literal) => {
        concat!(
            "SELECT p.",
            $column,
            ", p.id FROM person p
            WHERE p.",
            $column,
            " >= $4 AND p.",
            $column,
            " < $5 AND (p.",
            $column,
            ", p.id) > ($1, $2)
            ORDER BY p.",
            $column,
            ", p.id LIMIT 1 OFFSET $3"
        )
    };
}

sql! {
    ALL = concat!("SELECT p.login_key, p.id, ", item!(), " FROM person p
        WHERE (p.login_key, p.id) > ($1, $2) AND (p.login_key, p.id) <= ($4, $5)", if_active!("$6"), "
        ORDER BY p.login_key, p.id LIMIT $3");
    ALL_EDGE = "SELECT p.login_key, p.id FROM person p WHERE (p.login_key, p.id) > ($1, $2)
        ORDER BY p.login_key, p.id LIMIT 1 OFFSET $3";
    // $6: the customer. $8 to $9: the range of texts that begin so, where something is searched.
    OF_CUSTOMER = concat!("SELECT '', p.id, ", item!(), " FROM residence r CROSS JOIN person p
        WHERE r.customer = $6 AND r.person > $2 AND r.person <= $5 AND r.until = 9223372036854775807
            AND CAST($1 AS TEXT) IS NOT NULL AND CAST($4 AS TEXT) IS NOT NULL AND p.id = r.person",
        if_active!("$7"), "
            AND (CAST($8 AS TEXT) IS NULL OR (p.login_key >= $8 AND p.login_key < $9)
                OR (p.name_key >= $8 AND p.name_key < $9) OR (p.email_key >= $8 AND p.email_key < $9))
        ORDER BY r.person LIMIT $3");
    OF_CUSTOMER_EDGE = "SELECT '', r.person FROM residence r
        WHERE r.customer = $4 AND r.person > $2 AND r.until = 9223372036854775807 AND CAST($1 AS TEXT) IS NOT NULL
        ORDER BY r.person LIMIT 1 OFFSET $3";
    BY_LOGIN = search!(page "login_key", "");
    LOGIN_EDGE = search!(edge "login_key");
    BY_NAME = search!(page "name_key", " AND NOT (p.login_key >= $6 AND p.login_key < $7)");
    NAME_EDGE = search!(edge "name_key");
    BY_EMAIL = search!(page "email_key", " AND NOT (p.login_key >= $6 AND p.login_key < $7)
        AND NOT (p.name_key >= $6 AND p.name_key < $7)");
    EMAIL_EDGE = search!(edge "email_key");
    INACTIVE = concat!("SELECT l.until, p.id, ", item!(), ended!("person p" "1"), "p.id", last_first!());
    // $6 to $7: the range of texts that begin so.
    INACTIVE_FOUND = concat!("SELECT l.until, p.id, ", item!(), ended!("person p" "1"), "p.id
        AND ((p.login_key >= $6 AND p.login_key < $7) OR (p.name_key >= $6 AND p.name_key < $7)
            OR (p.email_key >= $6 AND p.email_key < $7))", last_first!());
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
    /// When the person was erased: id, login and name say nothing since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub erased_at: Option<Moment>,
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
        erased_at: row.get::<Option<i64>>(12)?.map(Moment),
    })
}

/// One person, by the id of the directory file.
pub fn user(tx: &mut Tx<'_>, id: &str) -> Result<User> {
    tx.first(&ONE, &[&id], read)?.ok_or(Error::Missing("user"))
}

/// A page of people: by login; by login, name and address where something is searched; by number of one customer; of
/// inactive ones alone, searched or not, the last to leave first.
pub fn users(tx: &mut Tx<'_>, filter: &UserFilter, paging: &Paging) -> Result<Page<User>> {
    static ARMS: [Arm; 3] = [
        Arm(&BY_LOGIN, &LOGIN_EDGE),
        Arm(&BY_NAME, &NAME_EDGE),
        Arm(&BY_EMAIL, &EMAIL_EDGE),
    ];
    found(tx, filter, paging, &ARMS)
}

/// A page of active people, found by login and name alone: for who may not know addresses.
pub(in crate::directory) fn named_users(tx: &mut Tx<'_>, q: Option<&str>, paging: &Paging) -> Result<Page<User>> {
    static ARMS: [Arm; 2] = [Arm(&BY_LOGIN, &LOGIN_EDGE), Arm(&BY_NAME, &NAME_EDGE)];
    let filter = UserFilter {
        q: q.map(str::to_owned),
        customer: None,
        active: Some(true),
    };
    found(tx, &filter, paging, &ARMS)
}

fn found(tx: &mut Tx<'_>, filter: &UserFilter, paging: &Paging, arms: &[Arm]) -> Result<Page<User>> {
    let range = prefix(filter.q.as_deref().map(folded).as_deref())?;
    if let Some(customer) = &filter.customer {
        static ARM: Arm = Arm(&OF_CUSTOMER, &OF_CUSTOMER_EDGE);
        let (from, to) = range.unzip();
        let filters: [&dyn Param; 3] = [&filter.active, &from, &to];
        return looked(paging, 1, |place, limit| {
            run(tx, &ARM, (place, limit), (&[customer], &filters), read)
        });
    }
    // Those who left are few among all who begin so.
    if filter.active == Some(false) {
        return match &range {
            Some((from, to)) => ended::list(tx, paging, (&INACTIVE_FOUND, kind::PERSON), &[from, to], read),
            None => ended::list(tx, paging, (&INACTIVE, kind::PERSON), &[], read),
        };
    }
    if let Some((from, to)) = &range {
        return looked(paging, arms.len(), |place, limit| {
            let arm = &arms[place.arm];
            run(tx, arm, (place, limit), (&[from, to], &[&filter.active]), read)
        });
    }
    let all = Arm(&ALL, &ALL_EDGE);
    looked(paging, 1, |place, limit| {
        run(tx, &all, (place, limit), (&[], &[&filter.active]), read)
    })
}
