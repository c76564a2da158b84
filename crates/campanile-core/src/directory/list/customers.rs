//! Lists of customers, and the tree a level at a time.

use std::collections::BTreeMap;

use campanile_store::{Param, Row, Tx, sql};
use serde::Serialize;

use super::ended::{self, ended, last_first};
use super::{Arm, Page, Paging, Place, looked, page, prefix, run};
use crate::directory::addressable::{fifty, fifty_numbers};
use crate::directory::check::folded;
use crate::error::{Error, Result};
use crate::place::kind;
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

/// Only active or only inactive customers.
macro_rules! if_active {
    ($at:literal) => {
        concat!(
            " AND (CAST(",
            $at,
            " AS BOOLEAN) IS NULL OR ",
            $at,
            " = EXISTS
            (SELECT 1 FROM life l WHERE l.kind = 2 AND l.object = c.id AND l.until = 9223372036854775807))"
        )
    };
}

/// By number: after $2, up to $5.
macro_rules! numbered {
    ($number:literal) => {
        concat!(
            $number,
            " > $2 AND ",
            $number,
            " <= $5 AND CAST($1 AS TEXT) IS NOT NULL AND CAST($4 AS TEXT) IS NOT NULL"
        )
    };
}

sql! {
    ALL = concat!("SELECT '', c.id, ", item!(), " FROM customer c WHERE ", numbered!("c.id"), if_active!("$6"),
        " ORDER BY c.id LIMIT $3");
    ALL_EDGE = "SELECT '', c.id FROM customer c WHERE c.id > $2 AND CAST($1 AS TEXT) IS NOT NULL
        ORDER BY c.id LIMIT 1 OFFSET $3";
    // Looks through the customers, of whom there is one to a hundred people: a root is one about whom nothing is said.
    ROOTS = concat!("SELECT '', c.id, ", item!(), " FROM customer c WHERE c.id > $1
            AND NOT EXISTS (SELECT 1 FROM parentage a WHERE a.customer = c.id AND a.until = 9223372036854775807)",
        if_active!("$3"), " ORDER BY c.id LIMIT $2");
    // $6: the parent. Only what is there has one.
    CHILDREN = concat!("SELECT '', c.id, ", item!(), " FROM parentage a CROSS JOIN customer c
        WHERE a.parent = $6 AND ", numbered!("a.customer"), " AND a.until = 9223372036854775807
            AND c.id = a.customer", if_active!("$7"), " ORDER BY a.customer LIMIT $3");
    CHILDREN_EDGE = "SELECT '', a.customer FROM parentage a
        WHERE a.parent = $4 AND a.customer > $2 AND CAST($1 AS TEXT) IS NOT NULL AND a.until = 9223372036854775807
        ORDER BY a.customer LIMIT 1 OFFSET $3";
    // $6: the number itself.
    BY_NUMBER = concat!("SELECT '', c.id, ", item!(), " FROM customer c WHERE c.id = $6 AND ", numbered!("c.id"),
        if_active!("$7"), " LIMIT $3");
    NUMBER_EDGE = "SELECT '', c.id FROM customer c WHERE c.id = $4 AND c.id > $2 AND CAST($1 AS TEXT) IS NOT NULL
        LIMIT 1 OFFSET $3";
    // $6 to $7: the range of names that begin so. $8: a number that another arm has found.
    BY_NAME = concat!("SELECT c.name_key, c.id, ", item!(), " FROM customer c
        WHERE c.name_key >= $6 AND c.name_key < $7 AND (c.name_key, c.id) > ($1, $2)
            AND (c.name_key, c.id) <= ($4, $5) AND c.id <> $8", if_active!("$9"),
        " ORDER BY c.name_key, c.id LIMIT $3");
    NAME_EDGE = "SELECT c.name_key, c.id FROM customer c
        WHERE c.name_key >= $4 AND c.name_key < $5 AND (c.name_key, c.id) > ($1, $2)
        ORDER BY c.name_key, c.id LIMIT 1 OFFSET $3";
    INACTIVE = concat!("SELECT l.until, c.id, ", item!(), ended!("customer c" "2"), "c.id", last_first!());
    NAMES = concat!("SELECT id, name FROM customer WHERE id IN ", fifty_numbers!());
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

/// A page of customers, by id; by name where something is searched; the last to end first where only inactive ones are
/// asked for.
pub fn customers(tx: &mut Tx<'_>, filter: &CustomerFilter, paging: &Paging) -> Result<Page<Customer>> {
    if let Some((from, to)) = prefix(filter.q.as_deref().map(folded).as_deref())? {
        static ARMS: [Arm; 2] = [Arm(&BY_NUMBER, &NUMBER_EDGE), Arm(&BY_NAME, &NAME_EDGE)];
        let number: i64 = from.parse().unwrap_or(0);
        return looked(paging, ARMS.len(), |place, limit| {
            let at = (place, limit);
            match place.arm {
                0 => run(tx, &ARMS[0], at, (&[&number], &[&filter.active]), read),
                _ => run(tx, &ARMS[1], at, (&[&from, &to], &[&number, &filter.active]), read),
            }
        });
    }
    if filter.parent == Parent::Any && filter.active == Some(false) {
        return ended::list(tx, paging, (&INACTIVE, kind::CUSTOMER), &[], read);
    }
    let (arm, range): (Arm, &[&dyn Param]) = match &filter.parent {
        Parent::Any => (Arm(&ALL, &ALL_EDGE), &[]),
        Parent::Roots => return roots(tx, filter, paging),
        Parent::Of(parent) => (Arm(&CHILDREN, &CHILDREN_EDGE), &[parent]),
    };
    looked(paging, 1, |place, limit| {
        run(tx, &arm, (place, limit), (range, &[&filter.active]), read)
    })
}

fn roots(tx: &mut Tx<'_>, filter: &CustomerFilter, paging: &Paging) -> Result<Page<Customer>> {
    page(paging, 1, |place, limit| {
        Ok(tx.rows(&ROOTS, &[&place.numbers.0, &limit, &filter.active], |row| {
            let customer = read(row)?;
            let numbers = (customer.id, 0, 0);
            let place = Place {
                numbers,
                ..Place::default()
            };
            Ok((customer, place))
        })?)
    })
}

/// The names of at most a hundred customers, by id.
pub fn customer_names(tx: &mut Tx<'_>, ids: &[i64]) -> Result<BTreeMap<i64, String>> {
    let mut names = BTreeMap::new();
    for ids in ids.chunks(50) {
        tx.each(&NAMES, &fifty(ids), |row| {
            names.insert(row.get(0)?, row.get(1)?);
            Ok::<(), campanile_store::Error>(())
        })?;
    }
    Ok(names)
}
