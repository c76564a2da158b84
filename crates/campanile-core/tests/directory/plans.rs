//! How SQLite finds what the directory's statements ask for: by an index, never by looking through a table that grows.

use std::collections::BTreeSet;

use campanile_core::directory;
use campanile_core::schema::SCHEMA;
use campanile_store::testing::{TestDb, each_database, sqlite};
use campanile_store::{Dialect, Param, Sql};

/// Steps that look through a table, and why they may.
const MAY_SCAN: &[(&str, &str)] = &[
    (
        "directory::role::IS_NAMED",
        "an index of those alone that name a role of one's own",
    ),
    ("directory::remove::HAS_API", "when an environment is removed: rare"),
    (
        "directory::remove::HAS_APPLICATION",
        "when an environment is removed: rare",
    ),
];

/// Statements that sort what they found, because it is little: the facts of one thing in the order of time, the roles
/// of one person, the applications on which one person holds a role.
const MAY_SORT: &[&str] = &[
    "directory::history::HELD",
    "directory::history::GROUP",
    "directory::history::ATTACHED",
    "directory::list::roles::HELD",
    "directory::list::things::APPLICATIONS_OF",
    "directory::list::things::IS_MEMBER",
];

/// The steps of every statement's plan that begin so.
fn steps(db: &TestDb, begin: &'static str) -> BTreeSet<(&'static str, String)> {
    let mut out = BTreeSet::new();
    for sql in directory::statements() {
        let text = format!("EXPLAIN QUERY PLAN {}", sql.text(Dialect::Sqlite));
        let explain: &'static Sql = Box::leak(Box::new(Sql::new(sql.name, Box::leak(text.into_boxed_str()))));
        let numbers = sql.text(Dialect::Sqlite).split('?').skip(1).filter_map(leading_number);
        let count = numbers.max().unwrap_or(0);
        let plan: Vec<String> = db
            .write(move |tx| {
                let params: Vec<&dyn Param> = vec![&None::<i64>; count];
                tx.rows(explain, &params, |row| row.get(3))
            })
            .expect("it is no fault");
        let name = sql.name.trim_start_matches("campanile_core::");
        out.extend(
            plan.into_iter()
                .filter(|step| step.starts_with(begin))
                .map(|step| (name, step)),
        );
    }
    out
}

fn leading_number(text: &str) -> Option<usize> {
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[test]
fn no_statement_looks_through_a_table_that_grows() {
    let mut scans = steps(&sqlite(&SCHEMA), "SCAN ");
    assert!(!scans.is_empty(), "the removal of a role scans");
    scans.retain(|(name, step)| {
        // Over the rows of a subquery with a limit, over what one person holds, or over the parameters.
        let bounded = [
            "SCAN page",
            "SCAN own",
            "SCAN w",
            "SCAN CONSTANT ROW",
            "SCAN 16-ROW VALUES CLAUSE",
            "SCAN 32 CONSTANT ROWS",
        ];
        let bounded = bounded.contains(&step.as_str());
        !bounded && !MAY_SCAN.iter().any(|(may, _)| may == name)
    });
    assert_eq!(scans, BTreeSet::new());
}

#[test]
fn pages_come_in_the_order_of_an_index() {
    let mut sorts = steps(&sqlite(&SCHEMA), "USE TEMP B-TREE FOR ORDER BY");
    sorts.retain(|(name, _)| !MAY_SORT.contains(name));
    assert_eq!(sorts, BTreeSet::new());
}

#[test]
fn every_statement_compiles() {
    each_database(&SCHEMA, |db| {
        for sql in directory::statements() {
            let outcome = db.write(move |tx| tx.prepare(sql));
            assert!(outcome.is_ok(), "{}: {outcome:?}", sql.name);
        }
    });
}
