//! The embedded database as a file: a consistent copy while others write, and putting a file in a database's place.
//!
//! A copy is SQLite's own online backup inside one read transaction: what others commit meanwhile is not in it and does
//! not make it begin again, and they do not wait; their log grows until it is done. `VACUUM INTO` takes three times as
//! long for a file that is 5 % smaller, and cannot say how far it is.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use crate::migrate::Schema;
use crate::sqlite::{self, Alone, Presence};
use crate::{Error, Result};

/// Pages that are copied between two words on how far it is: 16 MB.
const STEP: i32 = 4_096;
/// How long a reader waits while the log is being moved into the file.
const BUSY: Duration = Duration::from_secs(10);
/// The copy is written once and made durable whole; whoever finds it unfinished throws it away.
const WRITING: &str = "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF";
/// A single file, which can be opened where nothing can be written.
const SINGLE: &str = "PRAGMA journal_mode = DELETE";

/// Copies a database, as it is at one instant, into an empty file, which is made durable and looked through. `tell`
/// hears how many of how many pages are there; its error ends the work.
///
/// # Errors
/// `Unavailable` where either cannot be read or written, or where the copy is not sound.
pub fn copy(from: &Path, into: &Path, tell: &mut dyn FnMut(u64, u64) -> Result<()>) -> Result<()> {
    let source = read(from)?;
    source.execute_batch("BEGIN")?;
    // The snapshot begins with the first read.
    source.query_row("SELECT COUNT(*) FROM sqlite_schema", [], |_| Ok(()))?;
    let mut copy = Connection::open_with_flags(into, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    copy.execute_batch(WRITING)?;
    let backup = Backup::new(&source, &mut copy)?;
    loop {
        let step = backup.step(STEP)?;
        let at = backup.progress();
        tell((at.pagecount - at.remaining).max(0) as u64, at.pagecount.max(0) as u64)?;
        match step {
            StepResult::Done => break,
            StepResult::More => {}
            _ => return Err(Error::Unavailable("the copy is locked by somebody else".into())),
        }
    }
    drop(backup);
    copy.query_row(SINGLE, [], |_| Ok(()))?;
    check(&copy, into)?;
    drop(copy);
    File::open(into)
        .and_then(|file| file.sync_all())
        .map_err(|error| named(into, &error))
}

/// Whether a file is a sound database that this schema knows, and not a newer one. Nothing is written.
///
/// # Errors
/// `Schema` where it is none, or of a newer schema; `Unavailable` where it cannot be read or is damaged.
pub fn examine(path: &Path, schema: &Schema) -> Result<()> {
    let conn = read(path)?;
    let none = |error: Error| Error::Schema(format!("{}: no database of Campanile's ({error})", path.display()));
    let is_marked = "SELECT COUNT(*) FROM sqlite_schema WHERE type = 'table' AND name IN ('migration', 'tally')";
    let tables: i64 = conn
        .query_row(is_marked, [], |row| row.get(0))
        .map_err(|error| none(error.into()))?;
    if tables != 2 {
        return Err(none(Error::Schema("it has other tables".into())));
    }
    sqlite::missing(&conn, schema)?;
    check(&conn, path)
}

/// The counters of a database, as they are in the file; nothing where they cannot be read.
#[must_use]
pub fn counters(path: &Path) -> Vec<(String, i64)> {
    let found = read(path).and_then(|conn| {
        let mut statement = conn.prepare("SELECT name, value FROM tally")?;
        let counters = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(counters.collect::<rusqlite::Result<Vec<_>>>()?)
    });
    found.unwrap_or_default()
}

/// The place of a database, which nobody has open; who opens it meanwhile waits until this is dropped.
pub struct Place {
    path: PathBuf,
    _alone: Alone,
    _presence: Presence,
}

impl Place {
    /// Takes the place of a database, whether or not there is one.
    ///
    /// # Errors
    /// `Unavailable` where somebody has it open.
    pub fn take(path: &Path) -> Result<Self> {
        let presence = Presence::enter(path, || Ok(()))?;
        let Some(alone) = presence.alone() else {
            return Err(Error::Unavailable(format!(
                "{} is in use: stop the server, and whatever else has it open, first",
                path.display()
            )));
        };
        Ok(Self {
            path: path.to_owned(),
            _alone: alone,
            _presence: presence,
        })
    }

    /// Puts a file here, with what was here kept under another name: its log first, so that it is never read with
    /// the new file. Durable when it returns. A log that is kept is read with what is kept, as it has its name.
    ///
    /// # Errors
    /// `Unavailable` where a file cannot be moved.
    pub fn put(&self, new: &Path, kept: &Path) -> Result<()> {
        let failed = |error: std::io::Error| named(&self.path, &error);
        // Made anew by whoever opens it.
        let _ = std::fs::remove_file(with(&self.path, "-shm"));
        let log = with(&self.path, "-wal");
        if std::fs::metadata(&log).is_ok_and(|log| log.len() == 0) {
            std::fs::remove_file(&log).map_err(failed)?;
        }
        for ending in ["-wal", ""] {
            let there = with(kept, ending);
            match std::fs::rename(with(&self.path, ending), &there) {
                // What is there is of the database that was kept before.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    let _ = std::fs::remove_file(there);
                }
                moved => moved.map_err(failed)?,
            }
        }
        std::fs::rename(new, &self.path).map_err(failed)?;
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        sync_folder(folder.unwrap_or(Path::new("."))).map_err(failed)
    }
}

/// Makes the names in a folder durable, where there is such a thing.
///
/// # Errors
/// As the system says.
pub fn sync_folder(folder: &Path) -> std::io::Result<()> {
    if cfg!(unix) {
        File::open(folder)?.sync_all()
    } else {
        Ok(())
    }
}

fn with(path: &Path, ending: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(ending);
    path.into()
}

fn read(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags).map_err(|error| named(path, &error))?;
    conn.busy_timeout(BUSY)?;
    Ok(conn)
}

fn check(conn: &Connection, path: &Path) -> Result<()> {
    let found: String = conn.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    match found.as_str() {
        "ok" => Ok(()),
        found => Err(named(path, &format!("is damaged: {found}"))),
    }
}

fn named(path: &Path, error: &dyn std::fmt::Display) -> Error {
    Error::Unavailable(format!("{}: {error}", path.display()))
}
