//! One SQL text over two databases: embedded SQLite and PostgreSQL 15 or newer. Knows nothing of messages.
//!
//! The map: [`Db`] opens a database and runs closures on it; [`Tx`] is what a closure gets; [`sql!`] names the
//! statements, so that a test can prepare every one of them on both databases; [`migrate`] brings a database to the
//! schema of the crate above; [`moving`] copies one into another, [`backup`] into a file; [`Signal`]s are announced
//! when, and only when, their transaction has committed.
//!
//! Why closures. A closure over [`Tx`] is synchronous, so it cannot await the network inside a transaction, and it runs
//! where the database is: short reads of SQLite on the caller's own thread, writes on the one writing thread, where
//! many operations share one commit and one fsync (group commit; a savepoint each).

pub mod backup;
mod db;
mod error;
mod group;
pub mod migrate;
pub mod moving;
mod postgres;
mod signal;
mod sql;
mod sqlite;
mod tally;
#[cfg(feature = "testing")]
pub mod testing;
mod threads;
mod tx;

pub use db::{Alone, Commits, Db, Options, QueueDepth};
pub use error::{Constraint, Error};
pub use migrate::{Migration, Schema};
pub use signal::Signal;
pub use sql::{Dialect, Sql};
pub use tally::Tally;
pub use tx::{Cell, Param, Row, Tx};

/// The result of anything below the rules.
pub type Result<T> = std::result::Result<T, Error>;

/// The store's own statements, for the test that prepares them with those of the crates above.
pub fn statements() -> impl Iterator<Item = &'static Sql> {
    tally::STATEMENTS.iter().chain(migrate::STATEMENTS).copied()
}
