//! What leaves the house: where it may go, what of it is secret, and how it is written down. No network here.

pub mod post;
pub mod seal;
pub mod signing;
pub mod target;
