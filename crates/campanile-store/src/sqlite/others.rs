//! Whether another process has the file open: a lock beside it, shared by all that do. Whoever finds nobody else can
//! hold it alone for a while; who opens the file meanwhile waits for that to end. The first to open a file makes it
//! ready alone: SQLite does not wait, but fails, where two connections turn a new file to a write-ahead log at once.
//!
//! A file of its own, because closing any handle of the database's file would drop SQLite's own locks on it.

use std::fs::{File, OpenOptions};
use std::path::Path;
use std::sync::Arc;

use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::{Error, Result};

/// What the lock's file is called: the database's, with this behind it.
const SUFFIX: &str = "-lock";

/// This process's share of the lock, for as long as it has the database open.
pub(super) struct Presence {
    lock: Arc<Mutex<File>>,
}

/// A while in which no other process has the database open, until it is dropped.
pub(crate) struct Alone {
    lock: OwnedMutexGuard<File>,
}

impl Presence {
    /// Calls `ready`, alone where nobody has the file open, and takes a share, waiting while somebody is alone with it.
    pub(super) fn enter(database: &Path, ready: impl Fn() -> Result<()>) -> Result<Self> {
        if database.is_dir() {
            // Nothing is left beside what was never a database.
            return Err(Error::Unavailable(format!("{}: is a folder", database.display())));
        }
        let mut path = database.to_owned().into_os_string();
        path.push(SUFFIX);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let named = |error| Error::Unavailable(format!("{}: {error}", Path::new(&path).display()));
        let lock = options.open(&path).map_err(named)?;
        let first = lock.try_lock().is_ok();
        if first {
            ready()?;
            // A share in its place: what a lock does to one that is held already differs between systems.
            lock.unlock().map_err(named)?;
        }
        lock.lock_shared().map_err(named)?;
        if !first {
            ready()?;
        }
        let lock = Arc::new(Mutex::new(lock));
        Ok(Self { lock })
    }

    /// The lock for this process alone; `None` while another one has the database open, or this one has it already.
    pub(super) fn alone(&self) -> Option<Alone> {
        let lock = Arc::clone(&self.lock).try_lock_owned().ok()?;
        // What a lock does to one that is held already differs between systems, so the share is given back first.
        let alone = lock
            .unlock()
            .and_then(|()| lock.try_lock().map_err(std::io::Error::from));
        let guard = Alone { lock };
        // Dropped, it takes the share again.
        alone.is_ok().then_some(guard)
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        if let Err(error) = self.lock.unlock().and_then(|()| self.lock.lock_shared()) {
            tracing::warn!(%error, "the lock beside the database file could not be shared again");
        }
    }
}
