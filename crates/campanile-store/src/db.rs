//! The database as the crates above see it: open it, read, write.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast, oneshot};
use tracing::Instrument as _;

use crate::group::{Job, Work, keep_result, result_of};
use crate::migrate::Schema;
use crate::postgres::Postgres;
use crate::sqlite::{self, Sqlite};
use crate::tx::Mode;
use crate::{Dialect, Error, Result, Signal, Tx};

/// Long reads at once, so that they do not take every thread.
const SCANS: usize = 4;
/// Signals kept for a receiver that is late; one that is later still is told that it missed some.
const SIGNALS: usize = 4_096;

/// How a database is opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// `sqlite://file`, or `postgres://…` as PostgreSQL's own clients take it.
    pub url: String,
    /// PostgreSQL is behind a pooler that gives a connection for one transaction: nothing is left on it, neither
    /// settings nor prepared statements.
    pub pooled: bool,
    /// Where PostgreSQL's notifications are heard, if not at `url`. Behind a pooler nothing is heard at `url`: without
    /// this it is looked at every second whether something was written.
    pub listen: Option<String>,
    /// Reading connections to PostgreSQL, at least 1; three more write and listen.
    pub connections: usize,
    /// Page cache of each SQLite connection; the operating system's cache does the rest.
    pub cache_kib: i64,
    /// A short read that takes longer is ended: the whole read on SQLite, one statement of it on PostgreSQL.
    pub read_limit: Duration,
    /// A long read that takes longer is ended in the same way; on PostgreSQL also a statement that writes.
    pub scan_limit: Duration,
    /// Operations that may wait for a database thread or be run by one; more wait for a place. At least 1.
    pub queue_limit: usize,
    /// How long an operation waits for a place, and then for its turn, and on SQLite for another process that is
    /// writing, before its caller is told to come back later.
    pub queue_time: Duration,
}

impl Options {
    /// The defaults for a URL.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            pooled: false,
            listen: None,
            connections: 8,
            cache_kib: 2_048,
            read_limit: Duration::from_secs(5),
            scan_limit: Duration::from_mins(2),
            queue_limit: 16_384,
            queue_time: Duration::from_secs(10),
        }
    }
}

/// An open database. Cheap to clone; closed when the last clone is dropped, which waits for what is under way.
#[derive(Clone)]
pub struct Db {
    inner: Arc<Inner>,
}

struct Inner {
    engine: Engine,
    queue: Arc<Semaphore>,
    queue_limit: usize,
    queue_time: Duration,
    scans: Arc<Semaphore>,
    read_limit: Duration,
    scan_limit: Duration,
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
    /// The last attempt to write failed for the database's own sake.
    is_failing: Arc<AtomicBool>,
    /// What other processes announce is not heard at present.
    is_deaf: Arc<AtomicBool>,
    /// How often each signal was announced, several signals to a place; the last place is everything from outside.
    changes: Arc<[AtomicU64]>,
}

/// Places of the numbers of changes. Two signals that share one only seem to have changed together.
const PLACES: usize = 4_096;

fn place(signal: Signal) -> usize {
    let mixed = (signal.key as u64 ^ (signal.topic as u64).rotate_left(48)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed >> 52) as usize
}

impl Announcer {
    fn new() -> Self {
        Self {
            signals: broadcast::Sender::new(SIGNALS),
            commits: Arc::default(),
            operations: Arc::default(),
            is_failing: Arc::default(),
            is_deaf: Arc::default(),
            changes: (0..=PLACES).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    fn count(&self, signals: &[Signal]) {
        for signal in signals {
            for one in [
                *signal,
                Signal {
                    key: Signal::ANY,
                    ..*signal
                },
            ] {
                self.changes[place(one)].fetch_add(1, Ordering::Release);
            }
        }
    }

    /// A group of this process has committed.
    pub(crate) fn committed(&self, signals: &[Signal], operations: usize) {
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.operations.fetch_add(operations as u64, Ordering::Relaxed);
        self.count(signals);
        if !signals.is_empty() {
            // No receiver is no fault.
            let _ = self.signals.send(signals.into());
        }
    }

    /// How an attempt to write so many operations came out.
    pub(crate) fn fared(&self, fate: &Result<()>, kept: usize) {
        match fate {
            Ok(()) if kept > 0 => self.is_failing.store(false, Ordering::Relaxed),
            Err(Error::Unavailable(_) | Error::Unknown(_)) => self.is_failing.store(true, Ordering::Relaxed),
            _ => {}
        }
    }

    /// Another process has committed something: an empty batch, "look for yourself".
    pub(crate) fn outside(&self) {
        self.changes[PLACES].fetch_add(1, Ordering::Release);
        let _ = self.signals.send(Arc::new([]));
    }

    /// Whether what others announce is heard from now on.
    pub(crate) fn hears(&self, hears: bool) {
        self.is_deaf.store(!hears, Ordering::Relaxed);
    }

    /// Signals that another server sent.
    pub(crate) fn heard(&self, signals: &[Signal]) {
        let _ = self.signals.send(signals.into());
    }
}

/// No other process has the database open while this lives; see [`Db::alone`].
pub struct Alone {
    _held: sqlite::Alone,
}

/// Commits and the operations that they kept, since the database was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Commits {
    /// Commits, one fsync each.
    pub commits: u64,
    /// Operations that were kept.
    pub operations: u64,
}

/// How full the queue is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueDepth {
    /// Operations that wait for a database thread or are run by one. Short reads on SQLite never wait.
    pub waiting: usize,
    /// The most that there may be.
    pub limit: usize,
}

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Db")
            .field("dialect", &self.dialect())
            .finish_non_exhaustive()
    }
}

impl Db {
    /// Opens a database and brings it to the schema. Blocks; call it before serving, and not on a thread of tokio.
    pub fn open(options: &Options, schema: &Schema) -> Result<Self> {
        let announcer = Announcer::new();
        let url = options.url.as_str();
        let (engine, scans) = if let Some(path) = url.strip_prefix("sqlite://") {
            let sqlite = Sqlite::open(path, options, schema, announcer.clone())?;
            (Engine::Sqlite(Arc::new(sqlite)), SCANS)
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            let postgres = Postgres::open(options, schema, &announcer)?;
            // Short reads keep a connection for themselves.
            let scans = SCANS.min(options.connections.saturating_sub(1)).max(1);
            (Engine::Postgres(postgres), scans)
        } else {
            return Err(Error::Unavailable(
                "the database URL must begin with sqlite:// or postgres://; see the setting `database`".into(),
            ));
        };
        let queue_limit = options.queue_limit.max(1);
        Ok(Self {
            inner: Arc::new(Inner {
                engine,
                queue: Arc::new(Semaphore::new(queue_limit)),
                queue_limit,
                queue_time: options.queue_time,
                scans: Arc::new(Semaphore::new(scans)),
                read_limit: options.read_limit,
                scan_limit: options.scan_limit,
                announcer,
            }),
        })
    }

    /// Whether a database that is there can be used by this schema, and written to; the names of the migrations that
    /// opening it would run. Changes nothing. Blocks, as [`Db::open`].
    ///
    /// # Errors
    /// Why it cannot be opened, or not be written to, or needs another binary.
    pub fn look(options: &Options, schema: &Schema) -> Result<Vec<&'static str>> {
        match options.url.strip_prefix("sqlite://") {
            Some(path) => Sqlite::look(path, options, schema),
            None => Postgres::look(options, schema),
        }
    }

    /// How many operations are waiting or running, for metrics.
    #[must_use]
    pub fn queue(&self) -> QueueDepth {
        let limit = self.inner.queue_limit;
        let waiting = limit - self.inner.queue.available_permits();
        QueueDepth { waiting, limit }
    }

    /// Which database this is.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        match self.inner.engine {
            Engine::Sqlite(_) => Dialect::Sqlite,
            Engine::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Held while no other process has the database open. Who opens it meanwhile waits until this is dropped, so it is
    /// for a second or two. `None` where another process has it open, and always on PostgreSQL. Blocks while another
    /// process is alone.
    #[must_use]
    pub fn alone(&self) -> Option<Alone> {
        match &self.inner.engine {
            Engine::Sqlite(sqlite) => sqlite.alone().map(|alone| Alone { _held: alone }),
            Engine::Postgres(_) => None,
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

    /// A number that grows with every commit that announced one of these signals ([`Signal::ANY`] for all of a topic),
    /// and with every commit of another process: while it stands, nothing of it has changed. It has grown before
    /// whoever wrote is answered. `None` where others may write too: on PostgreSQL always, else while another process
    /// has the file open, and for up to a quarter of a second after it has gone.
    #[must_use]
    pub fn changes(&self, signals: &[Signal]) -> Option<u64> {
        let Engine::Sqlite(sqlite) = &self.inner.engine else {
            return None;
        };
        if !sqlite.is_undisturbed() {
            return None;
        }
        let counts = &self.inner.announcer.changes;
        let own: u64 = signals
            .iter()
            .map(|signal| counts[place(*signal)].load(Ordering::Acquire))
            .sum();
        Some(own + counts[PLACES].load(Ordering::Acquire))
    }

    /// Commits of this handle and its clones so far.
    #[must_use]
    pub fn commits(&self) -> Commits {
        let announcer = &self.inner.announcer;
        Commits {
            commits: announcer.commits.load(Ordering::Relaxed),
            operations: announcer.operations.load(Ordering::Relaxed),
        }
    }

    /// Whether the last attempt to write failed for the database's own sake: away, full, or not to be written.
    #[must_use]
    pub fn is_failing(&self) -> bool {
        self.inner.announcer.is_failing.load(Ordering::Relaxed)
    }

    /// Whether what other servers announce is not heard at present: the connection that listens is being made again.
    /// Nothing is lost by it but time, since who waits for a signal also looks by itself.
    #[must_use]
    pub fn is_deaf(&self) -> bool {
        self.inner.announcer.is_deaf.load(Ordering::Relaxed)
    }

    /// What commits announce from now on. An empty batch means: something was written by another process.
    #[must_use]
    pub fn signals(&self) -> broadcast::Receiver<Arc<[Signal]>> {
        self.inner.announcer.signals.subscribe()
    }

    /// A short read by index, in one snapshot. On SQLite it runs right here: handing it to another thread would cost
    /// more than the read. Ended after [`Options::read_limit`].
    pub async fn read<T, E, F>(&self, work: F) -> std::result::Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> std::result::Result<T, E> + Send + 'static,
    {
        match &self.inner.engine {
            Engine::Sqlite(sqlite) => {
                let _span = Mode::Read.span().entered();
                let (mut work, mut result) = (Some(work), None);
                let mut once = |tx: &mut Tx<'_>| result = work.take().map(|work| work(tx));
                let fate = sqlite.read(self.inner.read_limit, None, &mut once);
                match (result, fate) {
                    (Some(Err(error)), _) => Err(error),
                    (_, Err(error)) => Err(error.into()),
                    (result, Ok(())) => result.unwrap_or_else(|| Err(Error::Panicked.into())),
                }
            }
            Engine::Postgres(_) => self.submit(Mode::Read, work).await,
        }
    }

    /// A long read in one snapshot, on a thread of its own; few at once. Ended after [`Options::scan_limit`], and when
    /// its caller goes away: its place is free when it has ended, not before. Who waits for a place waits no longer
    /// than [`Options::queue_time`]. Needs tokio.
    pub async fn scan<T, E, F>(&self, work: F) -> std::result::Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> std::result::Result<T, E> + Send + 'static,
    {
        let (slot, work) = keep_result(work);
        let fate = self.scan_erased(work).instrument(Mode::Scan.span()).await;
        result_of(&slot, fate)
    }

    async fn scan_erased(&self, work: Work) -> Result<()> {
        let queued = self.place().await?;
        let turn = self.wait_for(&self.inner.scans).await?;
        let work = move |tx: &mut Tx<'_>| {
            let _turn = turn;
            work(tx)
        };
        match &self.inner.engine {
            Engine::Sqlite(sqlite) => {
                let sqlite = Arc::clone(sqlite);
                let limit = self.inner.scan_limit;
                let (waits, gone) = oneshot::channel();
                let mut work = Some(work);
                let work = move || {
                    let _queued = queued;
                    let mut once = |tx: &mut Tx<'_>| {
                        if let Some(work) = work.take() {
                            work(tx);
                        }
                    };
                    sqlite.read(limit, Some(gone), &mut once)
                };
                let fate = tokio::task::spawn_blocking(work).await;
                drop(waits);
                fate.unwrap_or(Err(Error::Panicked))
            }
            Engine::Postgres(_) => self.hand_in(queued, Mode::Scan, Box::new(work)).await,
        }
    }

    /// A write in the one total order: it may take the tally. Answers when it is durable. Once a place in the queue is
    /// taken it is done even if its caller goes away.
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
        let (slot, work) = keep_result(work);
        let fate = self.submit_erased(mode, work).instrument(mode.span()).await;
        result_of(&slot, fate)
    }

    async fn submit_erased(&self, mode: Mode, work: Work) -> Result<()> {
        let place = self.place().await?;
        self.hand_in(place, mode, work).await
    }

    async fn hand_in(&self, place: OwnedSemaphorePermit, mode: Mode, work: Work) -> Result<()> {
        let (waits, gone) = oneshot::channel();
        let (job, answer) = Job::new(mode, mode.reads().then_some(gone), place, work);
        match &self.inner.engine {
            Engine::Sqlite(sqlite) => sqlite.submit(job)?,
            Engine::Postgres(postgres) => postgres.submit(job)?,
        }
        let answer = answer.await;
        drop(waits);
        answer.unwrap_or(Err(Error::Panicked))
    }

    /// A place in the queue.
    async fn place(&self) -> Result<OwnedSemaphorePermit> {
        self.wait_for(&self.inner.queue).await
    }

    async fn wait_for(&self, places: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit> {
        if let Ok(place) = Arc::clone(places).try_acquire_owned() {
            return Ok(place);
        }
        tokio::time::timeout(self.inner.queue_time, Arc::clone(places).acquire_owned())
            .await
            .map_err(|_| Error::Unavailable("too many operations are waiting".into()))?
            .map_err(|_| closed())
    }
}

fn closed() -> Error {
    Error::Unavailable("the database is closed".into())
}
