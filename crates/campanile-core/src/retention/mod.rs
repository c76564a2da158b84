//! What is kept how long, and how it goes: messages with what people did with them, the outcomes of single recipients,
//! the journal, and what tells who a person was.
//!
//! Everything goes in small steps that any server may take, and that may end between any two of them: a step that was
//! taken twice finds nothing. Nothing goes that somebody can still see.

pub mod export;
pub mod history;
pub mod message;
pub mod outcome;
pub mod person;

/// Rows that one step deletes, so that nobody waits long for it.
pub const STEP: i64 = 1_000;
