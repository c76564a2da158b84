//! How a command ends when it could not do its work: the exit codes.

use std::fmt;

/// Why a command failed, with what it says on standard error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The work itself: bad lines, a request that was refused. Exit code 1.
    Work(String),
    /// The command line or a setting is wrong. Exit code 2, as with a flag that does not exist.
    Usage(String),
    /// The server or the database cannot be reached. Exit code 3.
    Away(String),
}

impl Failure {
    /// The exit code.
    #[must_use]
    pub const fn code(&self) -> u8 {
        match self {
            Self::Work(_) => 1,
            Self::Usage(_) => 2,
            Self::Away(_) => 3,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Work(text) | Self::Usage(text) | Self::Away(text)) = self;
        f.write_str(text)
    }
}

impl std::error::Error for Failure {}

impl From<crate::config::ConfigError> for Failure {
    fn from(error: crate::config::ConfigError) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<campanile_core::Error> for Failure {
    fn from(error: campanile_core::Error) -> Self {
        match error {
            campanile_core::Error::Store(error) => error.into(),
            error => Self::Work(error.to_string()),
        }
    }
}

impl From<campanile_store::Error> for Failure {
    fn from(error: campanile_store::Error) -> Self {
        match error {
            campanile_store::Error::Unavailable(_) => Self::Away(error.to_string()),
            error => Self::Work(error.to_string()),
        }
    }
}

impl From<std::io::Error> for Failure {
    /// What was to be written cannot be: the reader is gone, or the disk is full.
    fn from(error: std::io::Error) -> Self {
        Self::Work(error.to_string())
    }
}
