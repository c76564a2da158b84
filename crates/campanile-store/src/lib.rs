//! One SQL text over two databases. Knows nothing of messages.
mod error;
pub use error::{Constraint, Error};
