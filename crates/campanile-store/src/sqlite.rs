//! The embedded database: one writing thread with group commit, readers on their caller's thread, and a thread that
//! moves the log into the file so that no writer waits for it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::db::Announcer;
use crate::group::{GROUP_LIMIT, GROUP_TIME, Group, Job, SAVE};
use crate::tx::{Conn, Mode};
use crate::{Dialect, Error, Result, Tx};

/// Statements that a connection keeps prepared.
const STATEMENT_CACHE: usize = 256;
/// How long a writer waits for another process to finish its transaction.
const BUSY: Duration = Duration::from_secs(10);
/// How often an idle writer looks whether another process has written.
const LOOK_OUTSIDE: Duration = Duration::from_millis(250);
/// Bytes of log after which it is moved into the file.
const CHECKPOINT_BYTES: u64 = 4 << 20;
/// Virtual-machine steps of SQLite between two looks at a read's deadline.
const STEPS: i32 = 10_000;

/// The embedded engine.
pub(crate) struct Sqlite {
    path: PathBuf,
    jobs: Sender<Job>,
    readers: Mutex<Vec<Reader>>,
    version: Arc<AtomicU64>,
    cache_kib: i64,
}

struct Reader {
    conn: Connection,
    deadline_ms: Arc<AtomicU64>,
}

impl Sqlite {
    pub(crate) fn open(path: &Path, cache_kib: i64, announcer: Announcer) -> Result<Self> {
        let writer = open_writer(path, cache_kib)?;
        let (jobs, inbox) = channel();
        let version = Arc::new(AtomicU64::new(1));
        let (wake, woken) = channel();
        let checkpointer = connect(path, cache_kib, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let log = log_path(path);
        spawn("campanile-log", move || checkpoints(&checkpointer, &log, &woken))?;
        let shared = Arc::clone(&version);
        spawn("campanile-write", move || {
            Writer {
                conn: writer,
                version: shared,
                announcer,
                wake,
            }
            .run(&inbox)
        })?;
        Ok(Self {
            path: path.to_owned(),
            jobs,
            readers: Mutex::new(Vec::new()),
            version,
            cache_kib,
        })
    }

    /// Grows with every commit, of this process at once and of others within [`LOOK_OUTSIDE`].
    pub(crate) fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    pub(crate) fn submit(&self, job: Job) -> Result<()> {
        self.jobs
            .send(job)
            .map_err(|_| Error::Unavailable("the database is closed".into()))
    }

    /// Runs a closure on a reading connection, on the caller's thread, in one snapshot.
    pub(crate) fn read<T, E: From<Error>>(
        &self,
        limit: Duration,
        work: impl FnOnce(&mut Tx<'_>) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        let idle = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let reader = match idle {
            Some(reader) => reader,
            None => self.open_reader()?,
        };
        reader
            .deadline_ms
            .store(now_ms() + limit.as_millis() as u64, Ordering::Relaxed);
        run_plain(&reader.conn, "BEGIN")?;
        let result = work(&mut Tx::new(Conn::Sqlite(&reader.conn), Mode::Read, None));
        // A reader that panicked above is dropped with its connection; one that failed is rolled back and kept.
        reader.deadline_ms.store(u64::MAX, Ordering::Relaxed);
        if run_plain(&reader.conn, "COMMIT").is_ok() || run_plain(&reader.conn, "ROLLBACK").is_ok() {
            self.readers.lock().unwrap_or_else(PoisonError::into_inner).push(reader);
        }
        result
    }

    fn open_reader(&self) -> Result<Reader> {
        let mut conn = connect(&self.path, self.cache_kib, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        conn.pragma_update(None, "query_only", true)?;
        let deadline_ms = Arc::new(AtomicU64::new(u64::MAX));
        let seen = Arc::clone(&deadline_ms);
        conn = with_deadline(conn, move || now_ms() > seen.load(Ordering::Relaxed))?;
        Ok(Reader { conn, deadline_ms })
    }
}

fn with_deadline(mut conn: Connection, over: impl FnMut() -> bool + Send + 'static) -> Result<Connection> {
    conn.progress_handler(STEPS, Some(over))?;
    Ok(conn)
}

/// A connection that creates the file where there is none.
pub(crate) fn open_writer(path: &Path, cache_kib: i64) -> Result<Connection> {
    let conn = connect(
        path,
        cache_kib,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
    )?;
    // The log is moved by a thread of its own; see `checkpoints`.
    conn.pragma_update(None, "wal_autocheckpoint", 0)?;
    Ok(conn)
}

fn connect(path: &Path, cache_kib: i64, flags: OpenFlags) -> Result<Connection> {
    let conn = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)
        .map_err(|error| Error::Unavailable(format!("{}: {error}", path.display())))?;
    conn.busy_timeout(BUSY)?;
    conn.pragma_update(None, "journal_mode", "WAL")?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.pragma_update(None, "foreign_keys", true)?;
    conn.pragma_update(None, "temp_store", "MEMORY")?;
    conn.pragma_update(None, "cache_size", -cache_kib)?;
    conn.pragma_update(None, "journal_size_limit", 64 << 20)?;
    // Without it a cached join is planned anew at every call: clearing the bindings expires a plan that looked at one.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    conn.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
    Ok(conn)
}

fn log_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    PathBuf::from(name)
}

fn now_ms() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_millis() as u64
}

pub(crate) fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<()> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(work)
        .map(|_| ())
        .map_err(|error| Error::Unavailable(error.to_string()))
}

fn run_plain(conn: &Connection, text: &'static str) -> Result<()> {
    conn.prepare_cached(text)?.raw_execute()?;
    Ok(())
}

/// Moves the log into the file, beside the writer and the readers, whenever it has grown.
fn checkpoints(conn: &Connection, log: &Path, woken: &Receiver<()>) {
    while woken.recv().is_ok() {
        while woken.try_recv().is_ok() {}
        if std::fs::metadata(log).is_ok_and(|at| at.len() >= CHECKPOINT_BYTES)
            && let Err(error) = conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
        {
            tracing::warn!(%error, "the log could not be moved into the database file");
        }
    }
}

struct Writer {
    conn: Connection,
    version: Arc<AtomicU64>,
    announcer: Announcer,
    wake: Sender<()>,
}

impl Writer {
    fn run(&self, inbox: &Receiver<Job>) {
        let mut outside = self.data_version();
        loop {
            let first = match inbox.recv_timeout(LOOK_OUTSIDE) {
                Ok(job) => Some(job),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => break,
            };
            if let Some(first) = first {
                self.group(first, inbox);
            }
            // SQLite's own number moves only when another connection has committed.
            let now = self.data_version();
            if now != outside {
                outside = now;
                self.version.fetch_add(1, Ordering::Release);
                self.announcer.outside();
            }
        }
    }

    fn data_version(&self) -> i64 {
        self.conn
            .query_row("PRAGMA data_version", [], |row| row.get(0))
            .unwrap_or_default()
    }

    fn group(&self, first: Job, inbox: &Receiver<Job>) {
        let mut group = Group::default();
        let mut fate = run_plain(&self.conn, "BEGIN IMMEDIATE");
        let started = Instant::now();
        let mut next = Some(first);
        let mut count = 0;
        while let Some(job) = next.take() {
            fate = self.operation(job, fate, &mut group);
            count += 1;
            if count < GROUP_LIMIT && started.elapsed() < GROUP_TIME {
                next = inbox.try_recv().ok();
            }
        }
        let fate = fate.and_then(|()| self.commit(&mut group));
        if fate.is_err() && !self.conn.is_autocommit() {
            let _ = run_plain(&self.conn, "ROLLBACK");
        }
        if fate.is_ok() {
            self.version.fetch_add(1, Ordering::Release);
            self.announcer.committed(&group.signals, count);
            let _ = self.wake.send(());
        }
        group.finish(&fate);
    }

    /// One operation under its own savepoint. `fate` is what the group as a whole has come to.
    fn operation(&self, job: Job, fate: Result<()>, group: &mut Group) -> Result<()> {
        if let Err(error) = fate.and_then(|()| run_plain(&self.conn, "SAVEPOINT operation")) {
            job.refuse(error.clone());
            return Err(error);
        }
        let mut tx = Tx::new(Conn::Sqlite(&self.conn), job.mode, group.tally.clone());
        let outcome = job.run(&mut tx);
        let (tally, signals) = (tx.tally.take(), std::mem::take(&mut tx.signals));
        let keep = outcome.as_ref().is_some_and(|(keep, _)| *keep);
        group.finishes.extend(outcome.map(|(_, finish)| finish));
        if self.conn.is_autocommit() {
            // Disk full and the like end the whole transaction, not only this operation.
            return Err(Error::Unavailable("the database ended the transaction".into()));
        }
        if keep {
            group.tally = tally;
            group.signals.extend(signals);
        } else {
            run_plain(&self.conn, "ROLLBACK TO operation")?;
        }
        run_plain(&self.conn, "RELEASE operation")
    }

    fn commit(&self, group: &mut Group) -> Result<()> {
        if let Some(tally) = group.tally.take().filter(|tally| tally.dirty) {
            let mut statement = self.conn.prepare_cached(SAVE.text(Dialect::Sqlite))?;
            for (name, value) in tally.values() {
                statement.execute((name, value))?;
            }
        }
        run_plain(&self.conn, "COMMIT")
    }
}
