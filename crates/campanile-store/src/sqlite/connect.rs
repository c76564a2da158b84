//! Connecting to the embedded database's file.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, MAIN_DB, OpenFlags};

use super::log;
use crate::db::Options;
use crate::{Error, Result};

/// Statements that a connection keeps prepared.
const STATEMENT_CACHE: usize = 256;
/// Page cache of the writer: rows that go into big indexes in no order would else fetch a page each. Given back when it
/// has been idle for a while.
const WRITER_CACHE_KIB: i64 = 64 * 1024;

/// Where the file is, and how its connections are set.
pub(crate) struct Target {
    path: PathBuf,
    cache_kib: i64,
    /// How long a writer waits for another process to finish its transaction.
    busy: Duration,
}

impl Target {
    pub(crate) fn new(path: &str, options: &Options) -> Result<Self> {
        if path.is_empty() || path == ":memory:" {
            // SQLite would make a database of its own for each connection.
            return Err(Error::Unavailable(
                "the database URL must name a file: sqlite://campanile.db".into(),
            ));
        }
        Ok(Self {
            path: Path::new(path).to_owned(),
            cache_kib: options.cache_kib,
            busy: options.queue_time,
        })
    }

    /// Where the file is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// A connection that creates the file where there is none, for the writer: it leaves the log to `log`.
    pub(crate) fn create(&self) -> Result<Connection> {
        self.make_private();
        let conn = self.open(OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
        conn.pragma_update(None, "wal_autocheckpoint", 0)?;
        conn.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
        Ok(conn)
    }

    /// Makes the file for its owner alone, as it holds messages and the hashes of passwords; SQLite gives its log the
    /// same rights. Whatever stands in the way is told by the opening that follows.
    fn make_private(&self) {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let _made = options.open(&self.path);
    }

    /// A connection to a file that is there.
    pub(crate) fn connect(&self) -> Result<Connection> {
        self.open(OpenFlags::SQLITE_OPEN_READ_WRITE)
    }

    /// A connection with all settings, or an error that names the file.
    fn open(&self, flags: OpenFlags) -> Result<Connection> {
        let opened = Connection::open_with_flags(&self.path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)
            .map_err(Error::from)
            .and_then(|conn| self.set(&conn).map(|()| conn));
        opened.map_err(|error| match error {
            Error::Unavailable(detail) => {
                let path = self.path.display();
                Error::Unavailable(format!("{path}: {detail}"))
            }
            other => other,
        })
    }

    fn set(&self, conn: &Connection) -> Result<()> {
        conn.busy_timeout(self.busy)?;
        if conn.is_readonly(MAIN_DB)? {
            return Err(Error::Unavailable("the file cannot be written".into()));
        }
        let mode: String = conn.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
        if mode != "wal" {
            return Err(Error::Unavailable(format!(
                "the file system does not allow a write-ahead log (journal mode {mode})"
            )));
        }
        conn.pragma_update(None, "synchronous", "FULL")?;
        conn.pragma_update(None, "foreign_keys", true)?;
        conn.pragma_update(None, "temp_store", "MEMORY")?;
        conn.pragma_update(None, "cache_size", -self.cache_kib)?;
        conn.pragma_update(None, "journal_size_limit", log::KEPT_BYTES)?;
        // Without it a cached join is planned anew at every call: clearing the bindings expires a plan that looked at
        // one.
        conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        conn.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
        Ok(())
    }
}
