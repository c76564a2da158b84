//! The database as the crates above see it: open it, read, write.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Semaphore, broadcast};

use crate::group::Job;
use crate::migrate::{self, Schema};
use crate::postgres::Postgres;
use crate::sqlite::Sqlite;
use crate::tx::Mode;
use crate::{Dialect, Error, Result, Signal, Tx};

/// Operations that may wait for a database at once; beyond that a caller is told to come back later.
const QUEUE: usize = 16_384;
/// How long a caller waits for a place in the queue.
const QUEUE_TIME: Duration = Duration::from_secs(10);
/// A short read that takes longer is ended.
const READ_TIME: Duration = Duration::from_secs(5);
/// A long read that takes longer is ended.
const SCAN_TIME: Duration = Duration::from_mins(2);
/// Long reads at once, so that they do not take every thread.
const SCANS: usize = 4;
/// Signals kept for a receiver that is late; one that is later still is told that it missed some.
const SIGNALS: usize = 4_096;

/// How a database is opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// `sqlite://file`, or `postgres://…` as PostgreSQL's own clients take it.
    pub url: String,
    /// Reading connections to PostgreSQL.
    pub connections: usize,
    /// Page cache of each SQLite connection; the operating system's cache does the rest.
    pub cache_kib: i64,
}

impl Options {
    /// The defaults for a URL.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            connections: 8,
            cache_kib: 2_048,
        }
    }
}

/// An open database. Cheap to clone; closed when the last clone is dropped.
#[derive(Clone)]
pub struct Db {
    inner: Arc<Inner>,
}

struct Inner {
    engine: Engine,
    queue: Semaphore,
    scans: Semaphore,
    announcer: Announcer,
}

enum Engine {
    Sqlite(Arc<Sqlite>),
    Postgres(Postgres),
}

/// Tells the process what has been committed, and counts it.
#[derive(Clone)]
pub(crate) struct Announcer {
    signals: broadcast::Sender<Arc<[Signal]>>,
    commits: Arc<AtomicU64>,
    operations: Arc<AtomicU64>,
}

impl Announcer {
    fn new() -> Self {
        Self {
            signals: broadcast::Sender::new(SIGNALS),
            commits: Arc::default(),
            operations: Arc::default(),
        }
    }

    /// A group of this process has committed.
    pub(crate) fn committed(&self, signals: &[Signal], operations: usize) {
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.operations.fetch_add(operations as u64, Ordering::Relaxed);
        if !signals.is_empty() {
            // No receiver is no fault.
            let _ = self.signals.send(signals.into());
        }
    }

    /// Another process has committed something: an empty batch, "look for yourself".
    pub(crate) fn outside(&self) {
        let _ = self.signals.send(Arc::new([]));
    }

    /// Signals that another server sent.
    pub(crate) fn heard(&self, signals: &[Signal]) {
        let _ = self.signals.send(signals.into());
    }
}

/// Commits and the operations in them, since the database was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Commits {
    /// Commits, one fsync each.
    pub commits: u64,
    /// Operations that they held.
    pub operations: u64,
}

impl Db {
    /// Opens a database and brings it to the schema. Blocks; call it before serving.
    pub fn open(options: &Options, schema: &Schema) -> Result<Self> {
        let announcer = Announcer::new();
        let engine = if let Some(path) = options.url.strip_prefix("sqlite://") {
            let path = std::path::Path::new(path);
            migrate::sqlite(path, options.cache_kib, schema)?;
            Engine::Sqlite(Arc::new(Sqlite::open(path, options.cache_kib, announcer.clone())?))
        } else if options.url.starts_with("postgres://") || options.url.starts_with("postgresql://") {
            Engine::Postgres(Postgres::open(options, schema, &announcer)?)
        } else {
            return Err(Error::Unavailable(
                "the database URL must begin with sqlite:// or postgres://; see the setting `database`".into(),
            ));
        };
        let (queue, scans) = (Semaphore::new(QUEUE), Semaphore::new(SCANS));
        Ok(Self {
            inner: Arc::new(Inner {
                engine,
                queue,
                scans,
                announcer,
            }),
        })
    }

    /// Which database this is.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        match self.inner.engine {
            Engine::Sqlite(_) => Dialect::Sqlite,
            Engine::Postgres(_) => Dialect::Postgres,
        }
    }

    /// A number that grows with every commit, so that "nothing has been written since" can be known without a read.
    /// `None` where other servers write too.
    #[must_use]
    pub fn version(&self) -> Option<u64> {
        match &self.inner.engine {
            Engine::Sqlite(sqlite) => Some(sqlite.version()),
            Engine::Postgres(_) => None,
        }
    }

    /// Commits so far.
    #[must_use]
    pub fn commits(&self) -> Commits {
        let announcer = &self.inner.announcer;
        Commits {
            commits: announcer.commits.load(Ordering::Relaxed),
            operations: announcer.operations.load(Ordering::Relaxed),
        }
    }

    /// What commits announce from now on. An empty batch means: something was written by another process.
    #[must_use]
    pub fn signals(&self) -> broadcast::Receiver<Arc<[Signal]>> {
        self.inner.announcer.signals.subscribe()
    }

    /// A short read by index, in one snapshot. On SQLite it runs right here: handing it to another thread would cost
    /// more than the read. Ended after 5 s.
    pub async fn read<T, E, F>(&self, work: F) -> std::result::Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> std::result::Result<T, E> + Send + 'static,
    {
        match &self.inner.engine {
            Engine::Sqlite(sqlite) => sqlite.read(READ_TIME, work),
            Engine::Postgres(_) => self.submit(Mode::Read, work).await,
        }
    }

    /// A long read in one snapshot, on a thread of its own; few at once. Ended after two minutes. Needs tokio.
    pub async fn scan<T, E, F>(&self, work: F) -> std::result::Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> std::result::Result<T, E> + Send + 'static,
    {
        let _place = self.inner.scans.acquire().await.map_err(|_| closed())?;
        match &self.inner.engine {
            Engine::Sqlite(sqlite) => {
                let sqlite = Arc::clone(sqlite);
                let work = move || sqlite.read(SCAN_TIME, work);
                tokio::task::spawn_blocking(work)
                    .await
                    .unwrap_or_else(|_| Err(Error::Panicked.into()))
            }
            Engine::Postgres(_) => self.submit(Mode::Read, work).await,
        }
    }

    /// A write in the one total order: it may take the tally. Answers when it is durable.
    pub async fn write<T, E, F>(&self, work: F) -> std::result::Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> std::result::Result<T, E> + Send + 'static,
    {
        self.submit(Mode::Ordered, work).await
    }

    /// A write of what belongs to one person (a mark, a session): it takes no place in the order and waits for no
    /// other server. Answers when it is durable.
    pub async fn jot<T, E, F>(&self, work: F) -> std::result::Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> std::result::Result<T, E> + Send + 'static,
    {
        self.submit(Mode::Unordered, work).await
    }

    async fn submit<T, E, F>(&self, mode: Mode, work: F) -> std::result::Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> std::result::Result<T, E> + Send + 'static,
    {
        let _place = match self.inner.queue.try_acquire() {
            Ok(place) => place,
            Err(_) => tokio::time::timeout(QUEUE_TIME, self.inner.queue.acquire())
                .await
                .map_err(|_| Error::Unavailable("too many operations are waiting".into()))?
                .map_err(|_| closed())?,
        };
        let (job, answer) = Job::new(mode, work);
        match &self.inner.engine {
            Engine::Sqlite(sqlite) => sqlite.submit(job)?,
            Engine::Postgres(postgres) => postgres.submit(job)?,
        }
        answer.await.unwrap_or_else(|_| Err(Error::Panicked.into()))
    }
}

fn closed() -> Error {
    Error::Unavailable("the database is closed".into())
}
