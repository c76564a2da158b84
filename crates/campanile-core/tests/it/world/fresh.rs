//! A fresh database of each kind for every test, without making one for every test.
//!
//! A new SQLite file takes milliseconds. A new PostgreSQL database takes a large part of a second, so those of tests
//! that passed are emptied and used again; there are as many as tests run at once. One whose test failed is dropped.

use std::sync::{Mutex, PoisonError};

use campanile_core::schema::SCHEMA;
use campanile_store::testing::{self, TestDb};
use campanile_store::{Error, Sql};

/// Emptied databases.
static IDLE: Mutex<Vec<TestDb>> = Mutex::new(Vec::new());

/// Back to what a migration leaves, in the order of the references.
static EMPTY: [Sql; 33] = [
    Sql::new("fresh::suppression", "DELETE FROM suppression"),
    Sql::new("fresh::attempt", "DELETE FROM attempt"),
    Sql::new("fresh::delivery", "DELETE FROM delivery"),
    Sql::new("fresh::post", "DELETE FROM post"),
    Sql::new("fresh::forgotten", "DELETE FROM forgotten"),
    Sql::new("fresh::journal", "DELETE FROM journal"),
    Sql::new("fresh::portal_user", "DELETE FROM portal_user"),
    Sql::new("fresh::session", "DELETE FROM session"),
    Sql::new("fresh::token", "DELETE FROM token"),
    Sql::new("fresh::endpoint", "DELETE FROM endpoint"),
    Sql::new("fresh::chunk", "DELETE FROM chunk"),
    Sql::new("fresh::run", "DELETE FROM run"),
    Sql::new("fresh::idempotency", "DELETE FROM idempotency"),
    Sql::new("fresh::edition", "DELETE FROM edition"),
    Sql::new("fresh::audience", "DELETE FROM audience"),
    Sql::new("fresh::engagement", "DELETE FROM engagement"),
    Sql::new("fresh::mark", "DELETE FROM mark"),
    Sql::new("fresh::message", "DELETE FROM message"),
    Sql::new("fresh::membership", "DELETE FROM membership"),
    Sql::new("fresh::attachment", "DELETE FROM attachment"),
    Sql::new("fresh::term", "DELETE FROM term"),
    Sql::new("fresh::subscription", "DELETE FROM subscription"),
    Sql::new("fresh::residence", "DELETE FROM residence"),
    Sql::new("fresh::parentage", "DELETE FROM parentage"),
    Sql::new("fresh::lineage", "DELETE FROM lineage"),
    Sql::new("fresh::life", "DELETE FROM life WHERE since > 0"),
    Sql::new("fresh::application", "DELETE FROM application"),
    Sql::new("fresh::api", "DELETE FROM api"),
    Sql::new("fresh::grp", "DELETE FROM grp"),
    Sql::new("fresh::customer", "DELETE FROM customer"),
    Sql::new("fresh::person", "DELETE FROM person"),
    Sql::new("fresh::environment", "DELETE FROM environment WHERE id <> 1"),
    Sql::new(
        "fresh::tally",
        "UPDATE tally SET value = CASE name WHEN 'thing' THEN 1000 ELSE 0 END",
    ),
];

/// Runs a test on an SQLite database and on a PostgreSQL one, both as new.
pub(crate) fn each_database(test: impl Fn(&TestDb)) {
    test(&testing::sqlite(&SCHEMA));
    let idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let Some(database) = idle.or_else(|| testing::postgres(&SCHEMA)) else {
        return;
    };
    test(&database);
    let emptied = database.write(|tx| {
        for statement in &EMPTY {
            tx.send(statement, &[])?;
        }
        Ok::<_, Error>(())
    });
    emptied.expect("a database can be emptied");
    IDLE.lock().unwrap_or_else(PoisonError::into_inner).push(database);
}
