//! The one thread that writes: as many operations as are waiting, a savepoint each, one commit, one fsync.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::log::Log;
use super::others::Presence;
use super::run_plain;
use crate::db::Announcer;
use crate::group::{GROUP_TIME, Group, Job};
use crate::tx::{Conn, Mode};
use crate::{Error, Result, Tx};

/// Operations in one commit at most; with it a commit stays short.
const GROUP_LIMIT: usize = 256;
/// How often an idle writer looks whether another process has written.
const LOOK_OUTSIDE: Duration = Duration::from_millis(250);

/// A group that follows one of this many operations or more waits for as many again: their callers have been answered
/// together, and most will be back. The fuller a commit, the fewer pages of the log are written for each.
const COMPANY: usize = 4;
/// How long it waits for one more.
const LINGER: Duration = Duration::from_micros(200);
/// How long a group may be under way and still wait.
const LINGER_UNTIL: Duration = Duration::from_millis(1);

/// For so short SQLite itself asks every millisecond whether the process that is writing has finished.
const ASK_AGAIN: Duration = Duration::from_millis(2);

pub(super) struct Writer {
    /// Before the log, whose thread closes its own connection after this one.
    pub(super) conn: Connection,
    pub(super) version: Arc<AtomicU64>,
    pub(super) presence: Arc<Presence>,
    pub(super) announcer: Announcer,
    pub(super) log: Log,
    pub(super) queue_time: Duration,
}

/// After so many looks without work the writer gives its page cache back: five seconds.
const IDLE_LOOKS: u32 = 20;

impl Writer {
    /// Works until the inbox closes. `outside` is [`Writer::data_version`] as it was when the database was opened.
    pub(super) fn run(&mut self, inbox: &Receiver<Job>, mut outside: i64) {
        let (mut idle, mut expected) = (0, 0);
        let mut settled = Instant::now();
        loop {
            match inbox.recv_timeout(LOOK_OUTSIDE) {
                Ok(job) if job.age() > self.queue_time => {
                    job.refuse(Error::Unavailable("the operation waited too long".into()));
                }
                Ok(job) => {
                    expected = self.group(job, inbox, expected);
                    self.log.tend(&self.conn);
                    idle = 0;
                }
                Err(RecvTimeoutError::Timeout) => {
                    idle += 1;
                    if idle == IDLE_LOOKS {
                        // What it keeps of pages is memory that somebody else can use.
                        let _ = self.conn.execute_batch("PRAGMA shrink_memory");
                    }
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.look_outside(&mut outside);
            // Not at every turn: for an instant it gives up its share of the lock.
            if settled.elapsed() >= LOOK_OUTSIDE && !self.presence.is_undisturbed() {
                settled = Instant::now();
                self.presence.settle(|| self.look_outside(&mut outside));
            }
        }
    }

    /// Tells of what another process has committed: SQLite's own number moves only then.
    fn look_outside(&self, outside: &mut i64) {
        let now = self.data_version();
        if now != *outside {
            *outside = now;
            self.version.fetch_add(1, Ordering::Release);
            self.announcer.outside();
        }
    }

    /// A number that moves when another connection has committed.
    pub(super) fn data_version(&self) -> i64 {
        self.conn
            .prepare_cached("PRAGMA data_version")
            .and_then(|mut statement| statement.query_row([], |row| row.get(0)))
            .unwrap_or_default()
    }

    /// One transaction; the number of its operations. `expected` is that of the one before.
    fn group(&self, first: Job, inbox: &Receiver<Job>, expected: usize) -> usize {
        if let Err(error) = self.begin() {
            self.announcer.fared(&Err(error.clone()), 0);
            first.refuse(error);
            return 0;
        }
        let mut group = Group::default();
        let mut fate = Ok(());
        let (mut next, mut count) = (Some(first), 0);
        let started = Instant::now();
        while let Some(job) = next.take() {
            fate = self.operation(job, &mut group);
            count += 1;
            let open = group.kept > 0 && count < GROUP_LIMIT && started.elapsed() < GROUP_TIME;
            if fate.is_ok() && open {
                next = inbox.try_recv().ok();
                let is_early = expected >= COMPANY && count < expected && started.elapsed() < LINGER_UNTIL;
                if next.is_none() && is_early {
                    next = inbox.recv_timeout(LINGER).ok();
                }
            }
        }
        let keep = group.kept > 0;
        let fate = fate.and_then(|()| {
            if keep {
                self.commit(&mut group)
            } else {
                run_plain(&self.conn, "ROLLBACK")
            }
        });
        if fate.is_err() && !self.conn.is_autocommit() {
            let _ = run_plain(&self.conn, "ROLLBACK");
        }
        self.announcer.fared(&fate, group.kept);
        if fate.is_ok() && keep {
            self.version.fetch_add(1, Ordering::Release);
            self.announcer.committed(&group.signals, group.kept);
        }
        group.finish(&fate);
        count
    }

    /// Begins, waiting for another process that is writing. It is asked often: left to itself, SQLite would soon ask
    /// ten times a second only, and miss the short while between two operations of an import.
    fn begin(&self) -> Result<()> {
        let (mut began, started) = (self.attempt(), Instant::now());
        while is_busy(&began) && started.elapsed() < self.queue_time {
            began = self.attempt();
        }
        Ok(began?)
    }

    fn attempt(&self) -> rusqlite::Result<()> {
        self.conn.busy_timeout(ASK_AGAIN)?;
        let began = self
            .conn
            .prepare_cached("BEGIN IMMEDIATE")
            .and_then(|mut begin| begin.raw_execute());
        self.conn.busy_timeout(self.queue_time)?;
        began.map(|_| ())
    }

    /// One operation; an error is the end of the whole group. Those after the first have a savepoint each. The first
    /// needs none, as it is undone with the transaction: a savepoint keeps a copy of every page that is changed.
    fn operation(&self, job: Job, group: &mut Group) -> Result<()> {
        let is_first = group.kept == 0;
        if !is_first && let Err(error) = run_plain(&self.conn, "SAVEPOINT operation") {
            job.refuse(error.clone());
            return Err(error);
        }
        let mode = job.mode;
        let mut ran = job.run(Tx::new(Conn::Sqlite(&self.conn), mode, group.tally.clone()));
        let sound = ran.tx.failed.take().map_or(Ok(()), Err);
        let broken = self.conn.is_autocommit();
        let keep = ran.keep && sound.is_ok() && !broken;
        if keep {
            group.keep(ran);
        } else {
            // Where the closure itself returned an error, that is the better answer.
            let why = if ran.keep { sound } else { Ok(()) };
            group.undo(ran, why);
        }
        if broken {
            // Disk full and the like end the whole transaction, not only this operation.
            return Err(Error::Unavailable("the database ended the transaction".into()));
        }
        if is_first {
            return Ok(());
        }
        if !keep {
            run_plain(&self.conn, "ROLLBACK TO operation")?;
        }
        run_plain(&self.conn, "RELEASE operation")
    }

    fn commit(&self, group: &mut Group) -> Result<()> {
        if let Some(tally) = group.tally.take() {
            let mut tx = Tx::new(Conn::Sqlite(&self.conn), Mode::Ordered, None);
            tally.save(&mut tx)?;
        }
        run_plain(&self.conn, "COMMIT")
    }
}

fn is_busy(result: &rusqlite::Result<()>) -> bool {
    let code = result.as_ref().err().and_then(rusqlite::Error::sqlite_error_code);
    code == Some(rusqlite::ErrorCode::DatabaseBusy)
}
