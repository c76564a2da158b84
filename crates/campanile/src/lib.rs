//! The server: HTTP, console, deliveries and the command line, over the rules of `campanile-core`.

pub mod address;
pub mod api;
pub mod app;
pub mod auth;
pub mod chance;
pub mod cli;
pub mod clock;
pub mod config;
pub mod deliver;
pub mod demo;
pub mod exit;
pub mod hasher;
pub mod import;
pub mod keeper;
pub mod known;
pub mod misread;
pub mod pass;
pub mod problem;
pub mod send;
pub mod serve;
pub mod server;
pub mod telemetry;
pub mod throttle;
pub mod words;
pub mod world;
