//! The server: HTTP, console, deliveries and the command line, over the rules of `campanile-core`.

pub mod address;
pub mod config;
