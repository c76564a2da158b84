//! Every statement prepares on both databases, and the hot ones find their rows by index.

use std::collections::BTreeSet;

use campanile_core::schema::{SCHEMA, statements};
use campanile_store::testing::{each_database, sqlite};
use campanile_store::{Dialect, Error, Param, Sql};

/// Statements that run while a person waits, or beside the writer.
const HOT: [&str; 43] = [
    "holding::HOLDS",
    "holding::BUNDLE",
    "holding::OWN",
    "holding::MATCHES",
    "crowd::OF_ENVIRONMENT_ROLE",
    "crowd::OF_API_ROLE",
    "crowd::OF_API_ROLE_LENT",
    "crowd::OF_SUBSCRIBERS",
    "crowd::OF_SUBSCRIBED",
    "crowd::OF_CUSTOMER",
    "crowd::OF_SUBTREE",
    "crowd::OF_EVERYONE",
    "crowd::OF_GROUP",
    "crowd::OF_PERSON",
    "crowd::ABSENT",
    "crowd::BELOW",
    "crowd::DIRECTORY",
    "crowd::PEOPLE",
    "crowd::ROLES",
    "crowd::ROLES_ENDED",
    "crowd::ROLES_BEGUN",
    "crowd::then::COUNTS",
    "crowd::then::WERE",
    "crowd::then::TREE",
    "crowd::then::ROLE_BEGUN",
    "crowd::then::ROLE_ENDED",
    "crowd::then::LIFE_BEGUN",
    "crowd::then::TREE_BEGUN",
    "funnel::MARKS",
    "funnel::DEEDS",
    "funnel::MARKS_OF",
    "funnel::DEEDS_OF",
    "kept::SHOWN",
    "kept::MARKED",
    "kept::DID",
    "lists::KNOWN",
    "lists::NEW",
    "lists::NEW_SELECTORS",
    "lists::CHANGED",
    "lists::CHANGED_SELECTORS",
    "site::ALLOWED",
    "site::door::FIND",
    "site::door::ADMITS",
];

/// Tables with rows for every person, subscription or customer.
const GROWING: [&str; 8] = [
    "person",
    "membership",
    "residence",
    "term",
    "engagement",
    "mark",
    "life",
    "lineage",
];

#[test]
fn every_statement_prepares_on_both_databases() {
    each_database(&SCHEMA, |db| {
        for sql in statements() {
            if let Err(error) = db.read(|tx| tx.prepare(sql)) {
                panic!("{error}");
            }
        }
    });
}

#[test]
fn no_two_statements_share_a_name() {
    let mut names = BTreeSet::new();
    for sql in statements() {
        assert!(names.insert(sql.name), "{} is there twice", sql.name);
    }
}

#[test]
fn hot_statements_are_planned_once() {
    let db = sqlite(&SCHEMA);
    for name in HOT {
        let sql = hot(name);
        let replans = db.read(move |tx| {
            for _ in 0..3 {
                tx.each(sql, &nothing(sql), |_| Ok::<(), Error>(()))?;
            }
            tx.replans(sql)
        });
        assert_eq!(replans.expect("a hot statement runs"), 0, "{name}");
    }
}

#[test]
fn hot_statements_find_people_by_index() {
    let db = sqlite(&SCHEMA);
    for name in HOT {
        let sql = hot(name);
        let plan = explain(sql);
        let lines = db.read(move |tx| {
            tx.rows(plan, &nothing(sql), |row| {
                Ok((row.get::<i64>(0)?, row.get::<i64>(1)?, row.get::<String>(3)?))
            })
        });
        let lines = lines.unwrap_or_else(|error: Error| panic!("{name}: {error}"));
        if name != "holding::MATCHES" {
            for (_, _, line) in &lines {
                let scanned = line.strip_prefix("SCAN ").and_then(|rest| rest.split(' ').next());
                let offence = scanned.is_some_and(|alias| growing(sql.text(Dialect::Sqlite)).contains(alias));
                assert!(!offence, "{name} reads all of a table that grows with people: {line}");
            }
        }
        insta::assert_snapshot!(name.replace("::", "_").to_lowercase(), indented(&lines));
    }
}

/// What tables that grow are called in a statement: by their name, and by what follows it.
fn growing(text: &str) -> BTreeSet<&str> {
    let words: Vec<&str> = text
        .split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .filter(|word| !word.is_empty())
        .collect();
    let pairs = words.windows(2).filter(|pair| GROWING.contains(&pair[0]));
    pairs.flat_map(|pair| [pair[0], pair[1]]).collect()
}

/// A statement that asks SQLite for the plan of another.
fn explain(sql: &'static Sql) -> &'static Sql {
    let name = format!("explain {}", sql.name);
    let text = format!("EXPLAIN QUERY PLAN {}", sql.text(Dialect::Sqlite));
    Box::leak(Box::new(Sql::new(name.leak(), text.leak())))
}

fn hot(name: &str) -> &'static Sql {
    let found = statements().find(|sql| sql.name.ends_with(name));
    found.unwrap_or_else(|| panic!("there is no statement {name}"))
}

/// As many zeros as a statement has parameters.
fn nothing(sql: &Sql) -> Vec<&'static dyn Param> {
    let numbers = sql.text(Dialect::Sqlite).split('?').skip(1).map(|rest| {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        rest[..digits].parse().unwrap_or(0)
    });
    vec![&0_i64; numbers.max().unwrap_or(0)]
}

/// The lines of a plan, each further in than the one that it belongs to.
fn indented(lines: &[(i64, i64, String)]) -> String {
    let mut depths = std::collections::BTreeMap::from([(0, 0)]);
    let mut out = String::new();
    for (id, parent, line) in lines {
        let depth = depths.get(parent).copied().unwrap_or(0);
        depths.insert(*id, depth + 1);
        out.push_str(&"  ".repeat(depth));
        out.push_str(line);
        out.push('\n');
    }
    out
}
