//! The server, tested from outside; one binary, so that it is linked once.

#![expect(
    clippy::unwrap_used,
    reason = "in a test it is the message that something is not as it should be"
)]

mod account;
mod authorization;
mod bounces;
mod cli;
mod console_announcements;
mod console_directory;
mod console_inbox;
mod console_me;
mod console_messages;
mod console_outbox;
mod console_sites;
mod dashboards;
mod deliveries;
mod directory;
mod directory_import;
mod docs;
mod doctor;
mod email;
mod endpoints;
mod faults;
mod inbox;
mod journal;
mod judge;
mod live;
mod log;
mod management;
mod messages;
mod moving;
mod mta;
mod openapi;
mod outbox;
mod outside;
mod pass;
mod personal;
mod pooler;
mod post;
mod push;
mod readiness;
mod relay;
mod serve;
mod sites;
mod smtp;
mod strangers;
mod tinyproxy;
mod traces;
mod unsubscribe;
mod upgrade;
mod v3;
mod world;
