//! `campanile demo`: a filled sample platform in a temporary folder.

pub mod messages;
