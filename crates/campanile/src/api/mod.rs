//! The project's own API.

pub mod extract;
