//! What can go wrong below the rules, sorted by what the caller can do about it.

use crate::Sql;

/// A failure of the database or of reaching it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The database cannot be reached, is full, busy, or shutting down: nothing was kept, try again later (503 to a
    /// client).
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// The connection broke at the very commit: the operation may have been kept, or not.
    #[error("the connection to the database broke at the commit: {0}")]
    Unknown(String),
    /// A statement ran longer than its limit and was ended.
    #[error("the statement took too long")]
    Timeout,
    /// A constraint of the schema refused a row. Rules branch on this; the operation is undone all the same.
    #[error("constraint {kind:?} refused the row: {detail}")]
    Constraint {
        /// Which sort of constraint.
        kind: Constraint,
        /// The database's own words, for the log; never for a client.
        detail: String,
    },
    /// The closure panicked; its work was rolled back.
    #[error("the operation panicked and was rolled back")]
    Panicked,
    /// The database was written by a newer Campanile, or a migration was changed after it ran.
    #[error("{0}")]
    Schema(String),
    /// Anything else: a defect of ours. The text is for the log, never for a client.
    #[error("{0}")]
    Internal(String),
}

/// The sorts of constraint that rules rest on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Constraint {
    /// A unique index or primary key.
    Unique,
    /// A foreign key.
    Reference,
    /// A CHECK or NOT NULL; also a text with a NUL character, which PostgreSQL cannot hold.
    Check,
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode as Code;
        use rusqlite::ffi;
        let detail = error.to_string();
        let rusqlite::Error::SqliteFailure(code, _) = &error else {
            return Self::Internal(detail);
        };
        match code.code {
            Code::ConstraintViolation => {
                let kind = match code.extended_code {
                    ffi::SQLITE_CONSTRAINT_UNIQUE
                    | ffi::SQLITE_CONSTRAINT_PRIMARYKEY
                    | ffi::SQLITE_CONSTRAINT_ROWID => Constraint::Unique,
                    ffi::SQLITE_CONSTRAINT_FOREIGNKEY => Constraint::Reference,
                    _ => Constraint::Check,
                };
                Self::Constraint { kind, detail }
            }
            Code::OperationInterrupted => Self::Timeout,
            Code::DatabaseBusy
            | Code::DatabaseLocked
            | Code::DatabaseCorrupt
            | Code::NotADatabase
            | Code::DiskFull
            | Code::CannotOpen
            | Code::FileLockingProtocolFailed
            | Code::PermissionDenied
            | Code::SystemIoFailure
            | Code::OutOfMemory
            | Code::ReadOnly => Self::Unavailable(detail),
            _ => Self::Internal(detail),
        }
    }
}

impl From<tokio_postgres::Error> for Error {
    fn from(error: tokio_postgres::Error) -> Self {
        use tokio_postgres::error::SqlState as State;
        let detail = error
            .as_db_error()
            .map_or_else(|| with_causes(&error), ToString::to_string);
        let Some(state) = error.code() else {
            // No SQL state: the connection itself, or a value that does not fit our own types.
            return if error.is_closed() || is_io(&error) {
                Self::Unavailable(detail)
            } else {
                Self::Internal(format!("{error:?}"))
            };
        };
        match *state {
            State::UNIQUE_VIOLATION => Self::Constraint {
                kind: Constraint::Unique,
                detail,
            },
            State::FOREIGN_KEY_VIOLATION => Self::Constraint {
                kind: Constraint::Reference,
                detail,
            },
            State::CHECK_VIOLATION | State::NOT_NULL_VIOLATION | State::CHARACTER_NOT_IN_REPERTOIRE => {
                Self::Constraint {
                    kind: Constraint::Check,
                    detail,
                }
            }
            State::QUERY_CANCELED => Self::Timeout,
            // A statement that writes in a read.
            State::READ_ONLY_SQL_TRANSACTION => Self::Internal(detail),
            State::LOCK_NOT_AVAILABLE => Self::Unavailable(detail),
            ref code if UNAVAILABLE.contains(&code.code().get(..2).unwrap_or_default()) => Self::Unavailable(detail),
            _ => Self::Internal(detail),
        }
    }
}

/// Classes of PostgreSQL's error codes that say nothing of the statement: connection, transaction state, who may log
/// in, no such database, transaction rolled back, resources, shutting down, system.
const UNAVAILABLE: &[&str] = &["08", "25", "28", "3D", "40", "53", "57", "58"];

/// Whether the connection is of no more use after this.
pub(crate) fn ends_connection(error: &tokio_postgres::Error) -> bool {
    use tokio_postgres::error::Severity;
    error.as_db_error().map_or_else(
        || error.is_closed() || is_io(error),
        |error| matches!(error.parsed_severity(), Some(Severity::Fatal | Severity::Panic)),
    )
}

/// Says which statement a defect is in.
pub(crate) fn named(sql: &'static Sql, error: Error) -> Error {
    match error {
        Error::Internal(detail) => Error::Internal(format!("{}: {detail}", sql.name)),
        other => other,
    }
}

/// The text of an error with what lies below it; tokio-postgres says only "error connecting to server".
fn with_causes(error: &tokio_postgres::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(at) = cause {
        text = format!("{text}: {at}");
        cause = at.source();
    }
    text
}

fn is_io(error: &tokio_postgres::Error) -> bool {
    let mut cause = std::error::Error::source(error);
    while let Some(at) = cause {
        if at.is::<std::io::Error>() {
            return true;
        }
        cause = at.source();
    }
    false
}
