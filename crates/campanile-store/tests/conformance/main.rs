//! What the store promises, tried on both databases through its public surface.

#![expect(clippy::unwrap_used, reason = "in a test that is how to say what must hold")]

mod backup;
mod failover;
mod groups;
mod lost;
mod migrations;
mod moving;
mod open;
mod pooled;
mod reads;
mod signals;
mod sqlite_file;
mod tally;
mod values;
mod writes;

use std::sync::mpsc;

use campanile_store::testing::{self, TestDb};
use campanile_store::{Error, Migration, Schema, Tx};
use futures_util::future::{BoxFuture, FutureExt, join, join_all};

/// A schema as small as the promises allow.
static SCHEMA: Schema = Schema {
    migrations: &[Migration {
        number: 1,
        name: "0001_start.sql",
        sql: "CREATE TABLE item (id {id} PRIMARY KEY, name TEXT NOT NULL UNIQUE, body {blob}, CHECK (id < 1000000));
              CREATE TABLE part (id {id} PRIMARY KEY, item BIGINT NOT NULL REFERENCES item (id), note TEXT);
              CREATE INDEX part_by_item ON part (item, note);",
        oldest: 1,
    }],
};

campanile_store::sql! {
    ADD = "INSERT INTO item (id, name) VALUES ($1, $2)";
    ADD_BODY = "INSERT INTO item (id, name, body) VALUES ($1, $2, $3)";
    ADD_RETURNING = "INSERT INTO item (id, name) VALUES ($1, $2) RETURNING id";
    ADD_PART = "INSERT INTO part (id, item, note) VALUES ($1, $2, $3)";
    RENAME = "UPDATE item SET name = $1 WHERE id >= $2";
    COUNT = "SELECT COUNT(*) FROM item";
    IDS = "SELECT id FROM item ORDER BY id";
    NAME = "SELECT name FROM item WHERE id = $1";
    JOINED = "SELECT p.id FROM item i JOIN part p ON p.item = i.id WHERE i.name = $1 AND p.note = $2 AND i.id > $3";
    COUNT_TO = "WITH RECURSIVE n (i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < $1)
                SELECT COUNT(*) FROM n";
    SWAPPED = "SELECT CAST($2 AS TEXT), CAST($1 AS BIGINT), CAST($2 AS TEXT)";
}

type Operation = Box<dyn FnOnce(&mut Tx<'_>) -> Result<i64, Error> + Send>;

fn each(test: impl Fn(&TestDb)) {
    testing::each_database(&SCHEMA, test);
}

fn operation(work: impl FnOnce(&mut Tx<'_>) -> Result<i64, Error> + Send + 'static) -> Operation {
    Box::new(work)
}

/// An operation that adds an item, whose name is its number.
fn add(id: i64) -> Operation {
    operation(move |tx| {
        tx.execute(&ADD, &[&id, &id.to_string()])?;
        Ok(id)
    })
}

/// An operation like [`add`], whose statement waits for company.
fn send(id: i64) -> Operation {
    operation(move |tx| {
        tx.send(&ADD, &[&id, &id.to_string()])?;
        Ok(id)
    })
}

/// Runs operations so that they are waiting when the database thread comes to them, and so share a commit.
fn together(db: &TestDb, operations: Vec<Operation>) -> Vec<Result<i64, Error>> {
    let (open, gate) = mpsc::sync_channel(1);
    let first = db.db.write(move |_| gate.recv().map_err(|_| Error::Panicked));
    let others = operations.into_iter().map(|one| db.db.write(one).boxed());
    let open: BoxFuture<'_, Result<i64, Error>> = async move {
        open.send(()).expect("the first operation waits at the gate");
        Ok(0)
    }
    .boxed();
    // The one at the gate shares the fate of the group.
    let (_, mut answers) = db.wait(join(first, join_all(others.chain([open]))));
    answers.pop();
    answers
}

fn ids(db: &TestDb) -> Vec<i64> {
    db.read(|tx| tx.rows(&IDS, &[], |row| row.get(0)))
        .expect("the items can be read")
}
