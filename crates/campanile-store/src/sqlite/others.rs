//! Whether another process has the file open: a lock beside it, shared by all that do. Whoever finds nobody else can
//! hold it alone for a while; who opens the file meanwhile waits for that to end. The first to open a file makes it
//! ready alone: SQLite does not wait, but fails, where two connections turn a new file to a write-ahead log at once.
//!
//! A file of its own, because closing any handle of the database's file would drop SQLite's own locks on it.
//!
//! In it stands the mark of whoever came last. Who was alone when it wrote its mark, and finds it still there, knows
//! that nobody else has been here since, without asking the database.

use std::fs::{File, OpenOptions};
use std::hash::{BuildHasher as _, RandomState};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};

use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::{Error, Result};

/// What the lock's file is called: the database's, with this behind it.
const SUFFIX: &str = "-lock";

/// This process's share of the lock, for as long as it has the database open.
pub(crate) struct Presence {
    lock: Arc<Mutex<File>>,
    /// The same file, for its mark.
    mark: File,
    /// The mark that was written when nobody else had the file open; 0 before the first time.
    own: AtomicU64,
    /// Held while this process finds out whether it is alone, so that who asks meanwhile waits rather than hears no.
    asking: std::sync::Mutex<()>,
}

/// A while in which no other process has the database open, until it is dropped.
pub(crate) struct Alone {
    lock: OwnedMutexGuard<File>,
}

impl Presence {
    /// Calls `ready`, alone where nobody has the file open, and takes a share, waiting while somebody is alone with it.
    pub(crate) fn enter(database: &Path, ready: impl Fn() -> Result<()>) -> Result<Self> {
        if database.is_dir() {
            // Nothing is left beside what was never a database.
            return Err(Error::Unavailable(format!("{}: is a folder", database.display())));
        }
        let mut path = database.to_owned().into_os_string();
        path.push(SUFFIX);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let named = |error| Error::Unavailable(format!("{}: {error}", Path::new(&path).display()));
        let lock = options.open(&path).map_err(named)?;
        let mark = lock.try_clone().map_err(named)?;
        let first = lock.try_lock().is_ok();
        let mut own = 0;
        if first {
            ready()?;
            own = write_mark(&mark).map_err(named)?;
            // A share in its place: what a lock does to one that is held already differs between systems.
            lock.unlock().map_err(named)?;
        }
        lock.lock_shared().map_err(named)?;
        if !first {
            write_mark(&mark).map_err(named)?;
            ready()?;
        }
        Ok(Self {
            lock: Arc::new(Mutex::new(lock)),
            mark,
            own: AtomicU64::new(own),
            asking: std::sync::Mutex::default(),
        })
    }

    /// Whether it is certain that no other process has had the database open since [`Presence::enter`] or
    /// [`Presence::settle`] found nobody.
    pub(super) fn is_undisturbed(&self) -> bool {
        let own = self.own.load(Ordering::Acquire);
        own != 0 && read_mark(&self.mark) == own
    }

    /// After somebody was here: if they have gone, calls `catch_up`, to learn what they have done, and is undisturbed
    /// from then on.
    pub(super) fn settle(&self, catch_up: impl FnOnce()) {
        let _asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(_alone) = self.try_alone()
            && let Ok(own) = write_mark(&self.mark)
        {
            catch_up();
            self.own.store(own, Ordering::Release);
        }
    }

    /// The lock for this process alone; `None` while another one has the database open, or this one has it already.
    pub(crate) fn alone(&self) -> Option<Alone> {
        let _asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        self.try_alone()
    }

    fn try_alone(&self) -> Option<Alone> {
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

/// Writes a mark that nobody else has, and returns it.
fn write_mark(mut file: &File) -> std::io::Result<u64> {
    use std::io::{Seek as _, SeekFrom, Write as _};
    let mark = RandomState::new().hash_one(std::process::id()).max(1);
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&mark.to_ne_bytes())?;
    Ok(mark)
}

/// The mark of whoever came last; 0 where it cannot be read.
#[cfg(unix)]
fn read_mark(file: &File) -> u64 {
    let mut bytes = [0; 8];
    match std::os::unix::fs::FileExt::read_exact_at(file, &mut bytes, 0) {
        Ok(()) => u64::from_ne_bytes(bytes),
        Err(_) => 0,
    }
}

/// There is no reading at a place here that leaves the place of writing alone: nothing is certain.
#[cfg(not(unix))]
fn read_mark(_: &File) -> u64 {
    0
}
