//! The console messaging contract: recorded exchanges, on both databases.

mod directory;
mod messages;
mod platform;
mod recipients;
