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
        match error.kind() {
            std::io::ErrorKind::BrokenPipe => Self::Work("nobody reads the output any more".into()),
            _ => Self::Work(error.to_string()),
        }
    }
}

impl From<anyhow::Error> for Failure {
    /// By the first cause that says which sort of failure it is; the text names them all.
    fn from(error: anyhow::Error) -> Self {
        let text = format!("{error:#}");
        for cause in error.chain() {
            if cause.is::<crate::config::ConfigError>() {
                return Self::Usage(text);
            }
            if let Some(campanile_store::Error::Unavailable(_)) = cause.downcast_ref() {
                return Self::Away(text);
            }
        }
        Self::Work(text)
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;
    use crate::config::{Flags, Settings};

    #[test]
    fn a_failure_is_sorted_by_its_cause() {
        let away = || campanile_store::Error::Unavailable("refused".into());
        let wrapped = Err::<(), _>(away())
            .context("the database x cannot be opened")
            .unwrap_err();
        let failure = Failure::from(wrapped);
        assert_eq!(failure.code(), 3);
        assert!(
            failure.to_string().starts_with("the database x cannot be opened: "),
            "{failure}"
        );
        assert_eq!(Failure::from(campanile_core::Error::Store(away())).code(), 3);
        assert_eq!(Failure::from(campanile_core::Error::Missing("user")).code(), 1);
        assert_eq!(Failure::from(anyhow::anyhow!("anything else")).code(), 1);
        let flags = Flags {
            listen: Some("here".into()),
            ..Flags::default()
        };
        let wrong = Settings::from_sources(None, &|_| None, flags).unwrap_err();
        assert_eq!(Failure::from(wrong.clone()).code(), 2);
        assert_eq!(Failure::from(anyhow::Error::from(wrong)).code(), 2);
    }
}
