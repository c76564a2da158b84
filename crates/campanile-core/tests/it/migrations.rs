//! Migrations over a database that is in use: each runs over the sample data of those before it.

use std::path::Path;

use campanile_core::id::PersonId;
use campanile_core::inbox::{self, Filter, Listed};
use campanile_core::lists;
use campanile_core::schema::SCHEMA;
use campanile_core::time::Moment;
use campanile_store::testing::{TestDb, each_database, options};
use campanile_store::{Db, Migration, Param, Schema, Sql};

/// A statement of a file; in a test a few may live for ever.
fn leaked(text: String) -> &'static Sql {
    Box::leak(Box::new(Sql::new("migrations::SAMPLE", text.leak())))
}

/// The statements of the sample data of a migration; none where it brought nothing.
fn sample(number: i64) -> Vec<&'static Sql> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("schema/sample/{number:04}.sql"));
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let lines = text.lines().filter(|line| !line.starts_with("--"));
    let text = lines.collect::<Vec<_>>().join("\n");
    let statements = text.split(";\n").map(|one| one.trim().trim_end_matches(';'));
    statements
        .filter(|one| !one.is_empty())
        .map(|one| leaked(one.to_owned()))
        .collect()
}

/// The tables that a file makes.
pub(crate) fn tables(sql: &'static str) -> impl Iterator<Item = &'static str> {
    sql.lines()
        .filter_map(|line| line.strip_prefix("CREATE TABLE ")?.split([' ', '(']).next())
}

/// Puts the sample data of all migrations into a database that has the schema.
pub(crate) fn fill(database: &TestDb) {
    let rows: Vec<_> = (1..=SCHEMA.generation()).flat_map(sample).collect();
    let write = database.write(move |tx| {
        for sql in rows {
            if !sql.text(tx.dialect()).starts_with("SELECT") {
                tx.execute(sql, &[])?;
            }
        }
        Ok::<_, campanile_store::Error>(())
    });
    write.expect("the sample data fits");
}

#[test]
fn a_migration_that_takes_something_away_refuses_the_binaries_that_read_it() {
    let taking = ["DROP TABLE", "DROP COLUMN", "RENAME", "ALTER COLUMN"];
    let takes = |sql: &str| taking.iter().any(|words| sql.contains(words));
    assert!(takes("ALTER TABLE message DROP COLUMN title;"));
    let mut before = 0;
    for migration in SCHEMA.migrations {
        let Migration { name, oldest, .. } = *migration;
        assert!(before <= oldest, "{name} lets in a binary that was refused before");
        assert!(oldest <= migration.number, "{name} would refuse its own binary");
        assert!(
            !takes(migration.sql) || before < oldest,
            "{name} leaves older binaries without what they read"
        );
        before = oldest;
    }
}

#[test]
fn every_migration_runs_over_the_rows_of_those_before_it() {
    let upto = |count: usize| Schema {
        migrations: &SCHEMA.migrations[..count],
    };
    each_database(&upto(1), |database| {
        let wait = |db: &Db, rows: Vec<&'static Sql>| {
            let write = db.write(move |tx| {
                let mut counts = Vec::new();
                for sql in rows {
                    let is_count = sql.text(tx.dialect()).starts_with("SELECT");
                    if is_count {
                        counts.push(tx.one(sql, &[] as &[&dyn Param], |row| row.get::<i64>(0))?);
                    } else {
                        tx.execute(sql, &[])?;
                    }
                }
                Ok::<_, campanile_store::Error>(counts)
            });
            database.wait(write).unwrap()
        };
        for count in 1..=SCHEMA.migrations.len() {
            let db = Db::open(&options(&database.url), &upto(count)).unwrap();
            wait(&db, sample(count as i64));
        }
        let db = Db::open(&options(&database.url), &SCHEMA).unwrap();
        let first = tables(SCHEMA.migrations[0].sql).collect::<Vec<_>>();
        let counts = wait(
            &db,
            first
                .iter()
                .map(|table| leaked(format!("SELECT COUNT(*) FROM {table}")))
                .collect(),
        );
        let empty: Vec<_> = first.iter().zip(counts).filter(|(_, count)| *count == 0).collect();
        assert!(empty.is_empty(), "the sample has no row of {empty:?}");

        let shared = lists::Shared::default();
        let now = Moment(1_800_000_000_000);
        let read = db.read(move |tx| inbox::page(tx, &shared, PersonId(1), &Filter::default(), None, 10, now));
        let page = database.wait(read).unwrap();
        let shown: Vec<_> = page.items.iter().map(Listed::shown).collect();
        let told: Vec<_> = shown.iter().map(|item| (item.title.as_str(), item.read)).collect();
        assert_eq!(told, [("[Pets] Tonight", true)]);
    });
}
