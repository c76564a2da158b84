//! The project's own API.

pub mod docs;
pub mod extract;
