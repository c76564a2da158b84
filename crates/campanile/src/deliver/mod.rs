//! Deliveries: what leaves the house by itself, after the transaction that decided it.

pub mod bounce;
pub mod connector;
pub mod guard;
pub mod http;
mod link;
pub mod mail;
pub mod proxy;
pub mod retry;
pub mod sign;
pub mod smtp;
