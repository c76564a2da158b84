//! The embedded database: one writing thread with group commit, readers on their caller's thread, and a thread that
//! moves the log into the file so that no writer waits for it.

mod aside;
mod connect;
mod log;
mod migrate;
mod others;
mod statement;
mod writer;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::oneshot::error::TryRecvError;

pub(crate) use self::aside::{next_aside, put_back, set_aside};
pub(crate) use self::connect::Target;
use self::log::Log;
pub(crate) use self::migrate::{migrate, missing};
pub(crate) use self::others::{Alone, Presence};
pub(crate) use self::statement::{execute, prepare, visit};
use self::writer::Writer;
use crate::db::{Announcer, Options};
use crate::group::{Gone, Job};
use crate::migrate::{Purpose, Schema};
use crate::threads::Threads;
use crate::tx::{Conn, Mode};
use crate::{Error, Result, Tx};

/// Virtual-machine steps of SQLite between two looks whether a read is to end.
const STEPS: i32 = 10_000;

/// The embedded engine.
pub(crate) struct Sqlite {
    target: Target,
    /// Before the inbox: connections that close at the same time each take the other for a reason to keep the log.
    readers: Mutex<Vec<Connection>>,
    jobs: Sender<Job>,
    version: Arc<AtomicU64>,
    presence: Arc<Presence>,
    /// Last, so that the writer is waited for after its inbox has closed.
    _threads: Threads,
}

impl Sqlite {
    /// Opens a file, and brings it to the schema.
    pub(crate) fn open(path: &str, options: &Options, schema: &Schema, announcer: Announcer) -> Result<Self> {
        let target = Target::new(path, options)?;
        // First of all: whoever is alone with the file may have set something aside.
        let presence = Arc::new(Presence::enter(target.path(), || {
            migrate(&target, schema, Purpose::Serve)
        })?);
        // Before the inbox, so that a failure below closes that first.
        let mut threads = Threads::default();
        let mut conn = target.create()?;
        let log = Log::start(&mut threads, &mut conn, target.connect()?, options.queue_time)?;
        let (jobs, inbox) = queue();
        let version = Arc::new(AtomicU64::new(1));
        let mut writer = Writer {
            conn,
            version: Arc::clone(&version),
            presence: Arc::clone(&presence),
            announcer,
            log,
            queue_time: options.queue_time,
        };
        // Looked at before the database is handed out: what another process writes from then on is noticed.
        let outside = writer.data_version();
        threads.start("campanile-write", move || writer.run(&inbox, outside))?;
        Ok(Self {
            target,
            jobs,
            readers: Mutex::new(Vec::new()),
            version,
            presence,
            _threads: threads,
        })
    }

    /// Which migrations would run; see [`crate::Db::look`].
    pub(crate) fn look(path: &str, options: &Options, schema: &Schema) -> Result<Vec<&'static str>> {
        migrate::look(&Target::new(path, options)?, schema)
    }

    /// Grows with every commit, of this process at once and of others within a quarter of a second.
    pub(crate) fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// Whether every commit has been counted that anybody can have made: no other process has had the file open since
    /// the last look outside.
    pub(crate) fn is_undisturbed(&self) -> bool {
        self.presence.is_undisturbed()
    }

    /// Held while no other process has the file open, if it is so.
    pub(crate) fn alone(&self) -> Option<Alone> {
        self.presence.alone()
    }

    pub(crate) fn submit(&self, job: Job) -> Result<()> {
        self.jobs
            .send(job)
            .map_err(|_| Error::Unavailable("the database is closed".into()))
    }

    /// Runs a closure on a reading connection, on the caller's thread, in one snapshot. Ended after `limit`, and when
    /// nobody waits for it any more. The closure keeps its own result; what is told here is what went wrong around it.
    pub(crate) fn read(&self, limit: Duration, gone: Option<Gone>, work: &mut dyn FnMut(&mut Tx<'_>)) -> Result<()> {
        let idle = self.readers().pop();
        let mut conn = match idle {
            Some(conn) => conn,
            None => self.open_reader()?,
        };
        watch(&mut conn, limit, gone)?;
        run_plain(&conn, "BEGIN")?;
        let mut tx = Tx::new(Conn::Sqlite(&conn), Mode::Read, None);
        if catch_unwind(AssertUnwindSafe(|| work(&mut tx))).is_err() {
            // The connection ends here.
            tracing::error!("a read of the database panicked");
            return Err(Error::Panicked);
        }
        let failed = tx.failed.take();
        drop(tx);
        conn.progress_handler(0, None::<fn() -> bool>)?;
        if run_plain(&conn, "COMMIT").is_ok() || run_plain(&conn, "ROLLBACK").is_ok() {
            self.readers().push(conn);
        }
        failed.map_or(Ok(()), Err)
    }

    fn readers(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open_reader(&self) -> Result<Connection> {
        let conn = self.target.connect()?;
        conn.pragma_update(None, "query_only", true)?;
        Ok(conn)
    }
}

/// Ends what the connection does after `limit`, and when nobody waits for it any more.
fn watch(conn: &mut Connection, limit: Duration, mut gone: Option<Gone>) -> Result<()> {
    let started = Instant::now();
    let over = move || {
        started.elapsed() > limit
            || gone
                .as_mut()
                .is_some_and(|gone| gone.try_recv() == Err(TryRecvError::Closed))
    };
    Ok(conn.progress_handler(STEPS, Some(over))?)
}

#[expect(
    clippy::disallowed_methods,
    reason = "it holds at most as many as there are places in the queue, which `Db` gives out"
)]
fn queue() -> (Sender<Job>, Receiver<Job>) {
    channel()
}

fn run_plain(conn: &Connection, text: &'static str) -> Result<()> {
    conn.prepare_cached(text)?.raw_execute()?;
    Ok(())
}
