//! The server: HTTP, console, deliveries and the command line, over the rules of `campanile-core`.

pub mod address;
pub mod api;
pub mod config;
pub mod pass;
pub mod problem;
pub mod serve;
pub mod telemetry;
