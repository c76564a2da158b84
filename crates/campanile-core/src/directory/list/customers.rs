//! Lists of customers, and the tree a level at a time.

use campanile_store::{Param, Row, Tx, sql};
use serde::Serialize;

use super::{Arm, Page, Paging, page, prefix, run};
use crate::directory::check::folded;
use crate::error::{Error, Result};
use crate::time::Moment;

/// A customer, from column 2.
macro_rules! item {
    () => {
        "c.name,
            (SELECT a.parent FROM parentage a WHERE a.customer = c.id AND a.until = 9223372036854775807),
            EXISTS (SELECT 1 FROM parentage b WHERE b.parent = c.id AND b.until = 9223372036854775807),
            EXISTS (SELECT 1 FROM life l WHERE l.kind = 2 AND l.object = c.id AND l.until = 9223372036854775807),
            (SELECT MIN(l.since_at) FROM life l WHERE l.kind = 2 AND l.object = c.id)"
    };
}

/// $4: only active or only inactive customers.
macro_rules! if_active {
    () => {
        " AND (CAST($4 AS BOOLEAN) IS NULL OR $4 = EXISTS
            (SELECT 1 FROM life l WHERE l.kind = 2 AND l.object = c.id AND l.until = 9223372036854775807))"
    };
}

sql! {
    // $1, $2: after this text and number. $3: so many.
    ALL = concat!("SELECT '', c.id, ", item!(), " FROM customer c WHERE c.id > $2 AND CAST($1 AS TEXT) IS NOT NULL",
        if_active!(), " ORDER BY c.id LIMIT $3");
    ROOTS = concat!("SELECT '', c.id, ", item!(), " FROM customer c WHERE c.id > $2 AND CAST($1 AS TEXT) IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM parentage a WHERE a.customer = c.id AND a.until = 9223372036854775807)",
        if_active!(), " ORDER BY c.id LIMIT $3");
    // $5: the parent. Only what is there has one.
    CHILDREN = concat!("SELECT '', c.id, ", item!(), " FROM
            (SELECT a.customer AS id FROM parentage a WHERE a.parent = $5 AND a.customer > $2
                AND a.until = 9223372036854775807 AND CAST($1 AS TEXT) IS NOT NULL
                ORDER BY a.customer LIMIT $3) page
            CROSS JOIN customer c WHERE c.id = page.id", if_active!(), " ORDER BY page.id");
    // $5: the number itself.
    BY_NUMBER = concat!("SELECT '', c.id, ", item!(), " FROM customer c
        WHERE c.id = $5 AND c.id > $2 AND CAST($1 AS TEXT) IS NOT NULL", if_active!(), " LIMIT $3");
    // $5: a number that another arm has found. $6 to $7: the range of names that begin so.
    BY_NAME = concat!("SELECT c.name_key, c.id, ", item!(), " FROM customer c
        WHERE c.name_key >= $6 AND c.name_key < $7 AND (c.name_key, c.id) > ($1, $2) AND c.id <> $5", if_active!(),
        " ORDER BY c.name_key, c.id LIMIT $3");
    ONE = concat!("SELECT '', c.id, ", item!(), " FROM customer c WHERE c.id = $1");
}

/// A customer as the directory shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Customer {
    /// The id.
    pub id: i64,
    /// The name.
    pub name: String,
    /// The customer above, or null for a root.
    pub parent: Option<i64>,
    /// Whether there are customers below it now.
    pub has_children: bool,
    /// Whether it is there now.
    pub active: bool,
    /// When it first came.
    pub created_at: Moment,
}

/// Where in the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Parent {
    /// Anywhere.
    #[default]
    Any,
    /// Those without a parent.
    Roots,
    /// Those directly below this one.
    Of(i64),
}

/// Which customers.
#[derive(Debug, Clone, Default)]
pub struct CustomerFilter {
    /// The beginning of a name in any case of letters, or the id. It looks anywhere in the tree.
    pub q: Option<String>,
    /// Where in the tree.
    pub parent: Parent,
    /// Only active or only inactive ones.
    pub active: Option<bool>,
}

fn read(row: &Row<'_>) -> campanile_store::Result<Customer> {
    Ok(Customer {
        id: row.get(1)?,
        name: row.get(2)?,
        parent: row.get(3)?,
        has_children: row.get(4)?,
        active: row.get(5)?,
        created_at: Moment(row.get::<Option<i64>>(6)?.unwrap_or(0)),
    })
}

/// One customer.
pub fn customer(tx: &mut Tx<'_>, id: i64) -> Result<Customer> {
    tx.first(&ONE, &[&id], read)?.ok_or(Error::Missing("customer"))
}

/// A page of customers, by id; by name where something is searched.
pub fn customers(tx: &mut Tx<'_>, filter: &CustomerFilter, paging: &Paging) -> Result<Page<Customer>> {
    if let Some((from, to)) = prefix(filter.q.as_deref().map(folded).as_deref())? {
        static ARMS: [Arm; 2] = [Arm(&BY_NUMBER, 5), Arm(&BY_NAME, 7)];
        let number: i64 = from.parse().unwrap_or(0);
        return page(paging, ARMS.len(), |place, limit| {
            let params: [&dyn Param; 7] = [
                &place.text,
                &place.numbers.0,
                &limit,
                &filter.active,
                &number,
                &from,
                &to,
            ];
            run(tx, &ARMS[place.arm], place.arm, &params, read)
        });
    }
    let (arm, parent) = match filter.parent {
        Parent::Any => (Arm(&ALL, 4), 0),
        Parent::Roots => (Arm(&ROOTS, 4), 0),
        Parent::Of(parent) => (Arm(&CHILDREN, 5), parent),
    };
    page(paging, 1, |place, limit| {
        let params: [&dyn Param; 5] = [&place.text, &place.numbers.0, &limit, &filter.active, &parent];
        run(tx, &arm, 0, &params, read)
    })
}
