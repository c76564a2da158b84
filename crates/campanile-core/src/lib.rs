//! The rules of Campanile and their SQL: synchronous, one noun a file, SQL at the top and verbs below.
//!
//! No network, no clock and no chance of its own: what a rule needs of those comes in as a value, so a rule can be
//! tested by data in and data out, and cannot block on anything but the database.

pub mod account;
pub mod audience;
pub mod directory;
pub mod error;
pub mod first;
pub mod id;
pub mod inbox;
pub mod journal;
pub mod lists;
pub mod markup;
pub mod message;
pub mod network;
pub mod outbox;
pub mod place;
pub mod policy;
pub mod portal;
pub mod restored;
pub mod retention;
pub mod revision;
pub mod rights;
pub mod schema;
pub mod secret;
pub mod site;
pub mod time;

pub use error::{Error, Fault, Result};
