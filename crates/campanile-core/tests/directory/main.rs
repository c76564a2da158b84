//! The directory on both databases: what entries make of it, what is refused, how it is read, and its history.

mod addressable;
mod apply;
mod concerned;
mod edit;
mod history;
mod list;
mod plans;
mod refuse;
mod tree;
mod world;
