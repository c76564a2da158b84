//! Why a rule said no, free of HTTP: the caller branches on it, the API turns it into problem+json in one place.

use serde::Serialize;

/// The result of every rule.
pub type Result<T> = std::result::Result<T, Error>;

/// Why an operation was refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What was sent does not hold together; every fault is named.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Invalid(Vec<Fault>),
    /// Nobody is signed in, or the credentials are wrong, expired or revoked.
    #[error("you must be signed in")]
    Unauthenticated,
    /// Too many failed log-ins; try again after so many seconds.
    #[error("too many failed attempts; try again in {retry_after_s} s")]
    Throttled {
        /// Whole seconds until another attempt is looked at.
        retry_after_s: i64,
    },
    /// Signed in, but without the right; the text says which right is missing.
    #[error("{0}")]
    Denied(String),
    /// There is no such thing, or the caller may not know of it (rule 5 of the mission).
    #[error("no such {0}")]
    Missing(&'static str),
    /// The present state does not allow it; the text says what stands in the way.
    #[error("{0}")]
    Conflict(String),
    /// The database.
    #[error(transparent)]
    Store(#[from] campanile_store::Error),
}

/// One fault of an input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Fault {
    /// Where: a JSON path such as `audience[0].role`, or a parameter's name; empty for the whole input.
    pub field: String,
    /// What is wrong with it and what would be right.
    pub reason: String,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.field.is_empty() {
            f.write_str(&self.reason)
        } else {
            write!(f, "{}: {}", self.field, self.reason)
        }
    }
}

impl Error {
    /// One fault of one field.
    pub fn field(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Invalid(vec![Fault {
            field: field.into(),
            reason: reason.into(),
        }])
    }
}

/// Collects every fault of an input, so that a sender mends them in one go.
#[derive(Debug, Default)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// Notes a fault.
    pub fn add(&mut self, field: impl Into<String>, reason: impl Into<String>) {
        self.0.push(Fault {
            field: field.into(),
            reason: reason.into(),
        });
    }

    /// Notes a fault unless the condition holds.
    pub fn require(&mut self, holds: bool, field: &str, reason: impl Into<String>) {
        if !holds {
            self.add(field, reason);
        }
    }

    /// Whether nothing was noted.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `Ok` when nothing was noted.
    pub fn finish(self) -> Result<()> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Error::Invalid(self.0))
        }
    }
}
