//! The embedded database: one writing thread with group commit, readers on their caller's thread, and a thread that
//! moves the log into the file so that no writer waits for it.

mod log;
mod statement;
mod writer;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, MAIN_DB, OpenFlags};

use self::log::Log;
pub(crate) use self::statement::{execute, prepare, visit};
use self::writer::Writer;
use crate::db::{Announcer, Options};
use crate::group::Job;
use crate::threads::Threads;
use crate::tx::{Conn, Mode};
use crate::{Error, Result, Tx};

/// Statements that a connection keeps prepared.
const STATEMENT_CACHE: usize = 256;
/// How long a writer waits for another process to finish its transaction.
const BUSY: Duration = Duration::from_secs(10);
/// Virtual-machine steps of SQLite between two looks at a read's deadline.
const STEPS: i32 = 10_000;

/// The embedded engine.
pub(crate) struct Sqlite {
    path: PathBuf,
    /// Before the inbox: connections that close at the same time each take the other for a reason to keep the log.
    readers: Mutex<Vec<Reader>>,
    jobs: Sender<Job>,
    version: Arc<AtomicU64>,
    cache_kib: i64,
    /// Last, so that the writer is waited for after its inbox has closed.
    _threads: Threads,
}

struct Reader {
    conn: Connection,
    deadline_ms: Arc<AtomicU64>,
}

impl Sqlite {
    pub(crate) fn open(path: &Path, options: &Options, announcer: Announcer) -> Result<Self> {
        // Before the inbox, so that a failure below closes that first.
        let mut threads = Threads::default();
        let mut conn = open_writer(path, options.cache_kib)?;
        let log = Log::start(&mut threads, &mut conn, connect_log(path, options.cache_kib)?)?;
        let (jobs, inbox) = queue();
        let version = Arc::new(AtomicU64::new(1));
        let mut writer = Writer {
            conn,
            version: Arc::clone(&version),
            announcer,
            log,
            queue_time: options.queue_time,
        };
        threads.start("campanile-write", move || writer.run(&inbox))?;
        Ok(Self {
            path: path.to_owned(),
            jobs,
            readers: Mutex::new(Vec::new()),
            version,
            cache_kib: options.cache_kib,
            _threads: threads,
        })
    }

    /// Grows with every commit, of this process at once and of others within a quarter of a second.
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
        let idle = self.readers().pop();
        let reader = match idle {
            Some(reader) => reader,
            None => self.open_reader()?,
        };
        reader
            .deadline_ms
            .store(now_ms() + limit.as_millis() as u64, Ordering::Relaxed);
        run_plain(&reader.conn, "BEGIN")?;
        let mut tx = Tx::new(Conn::Sqlite(&reader.conn), Mode::Read, None);
        let Ok(result) = catch_unwind(AssertUnwindSafe(|| work(&mut tx))) else {
            // The connection ends with the reader.
            tracing::error!("a read of the database panicked");
            return Err(Error::Panicked.into());
        };
        let failed = tx.failed.take();
        drop(tx);
        reader.deadline_ms.store(u64::MAX, Ordering::Relaxed);
        if run_plain(&reader.conn, "COMMIT").is_ok() || run_plain(&reader.conn, "ROLLBACK").is_ok() {
            self.readers().push(reader);
        }
        match (result, failed) {
            (Ok(_), Some(error)) => Err(error.into()),
            (result, _) => result,
        }
    }

    fn readers(&self) -> std::sync::MutexGuard<'_, Vec<Reader>> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open_reader(&self) -> Result<Reader> {
        let mut conn = connect(&self.path, self.cache_kib, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        conn.pragma_update(None, "query_only", true)?;
        let deadline_ms = Arc::new(AtomicU64::new(u64::MAX));
        let seen = Arc::clone(&deadline_ms);
        let over = move || now_ms() > seen.load(Ordering::Relaxed);
        conn.progress_handler(STEPS, Some(over))?;
        Ok(Reader { conn, deadline_ms })
    }
}

/// A connection that creates the file where there is none.
pub(crate) fn open_writer(path: &Path, cache_kib: i64) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    let conn = connect(path, cache_kib, flags)?;
    // The log is moved by a thread of its own; see `log`.
    conn.pragma_update(None, "wal_autocheckpoint", 0)?;
    Ok(conn)
}

fn connect_log(path: &Path, cache_kib: i64) -> Result<Connection> {
    connect(path, cache_kib, OpenFlags::SQLITE_OPEN_READ_WRITE)
}

/// A connection with all settings, or an error that names the file.
fn connect(path: &Path, cache_kib: i64, flags: OpenFlags) -> Result<Connection> {
    if path.as_os_str().is_empty() || path == Path::new(":memory:") {
        // SQLite would make a database of its own for each connection.
        return Err(Error::Unavailable(
            "the database URL must name a file: sqlite://campanile.db".into(),
        ));
    }
    let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = Connection::open_with_flags(path, flags)
        .map_err(Error::from)
        .and_then(|conn| settings(&conn, cache_kib).map(|()| conn));
    opened.map_err(|error| {
        let path = path.display();
        match error {
            Error::Unavailable(detail) => Error::Unavailable(format!("{path}: {detail}")),
            other => other,
        }
    })
}

fn settings(conn: &Connection, cache_kib: i64) -> Result<()> {
    conn.busy_timeout(BUSY)?;
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
    conn.pragma_update(None, "cache_size", -cache_kib)?;
    conn.pragma_update(None, "journal_size_limit", log::KEPT_BYTES)?;
    // Without it a cached join is planned anew at every call: clearing the bindings expires a plan that looked at one.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    conn.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "it holds at most as many as there are places in the queue, which `Db` gives out"
)]
fn queue() -> (Sender<Job>, Receiver<Job>) {
    channel()
}

fn now_ms() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_millis() as u64
}

fn run_plain(conn: &Connection, text: &'static str) -> Result<()> {
    conn.prepare_cached(text)?.raw_execute()?;
    Ok(())
}
