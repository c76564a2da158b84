//! A thread with a connection: one read at a time, or groups of writes that share a commit.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;

use super::connect::{Target, runtime};
use super::inbox::{Inbox, Working};
use super::listen;
use super::session::{Link, Session};
use crate::db::Announcer;
use crate::group::{GROUP_TIME, Group, Job};
use crate::threads::Threads;
use crate::tx::{Conn, Mode};
use crate::{Error, Result, Signal, Tx};

/// Operations in one commit at most. PostgreSQL keeps 64 savepoints of a transaction in shared memory; with more,
/// every snapshot taken meanwhile is slower.
const GROUP_LIMIT: usize = 64;
/// A write waits so long for a row or the tally.
const LOCK_TIME: &str = "30s";
/// A server that stands still in the middle of a write holds its locks no longer: others wait for the tally behind it.
const WRITER_IDLE: &str = "10s";
/// One that stands still in the middle of a read only keeps old rows.
const READER_IDLE: &str = "60s";

/// Makes `BEGIN` mean what a read needs; said once, because saying it each time costs as much as a short read.
const READ_ONLY_FROM_NOW_ON: &str =
    "SET default_transaction_isolation = 'repeatable read'; SET default_transaction_read_only = on";

/// What the threads of an engine have in common.
#[derive(Clone)]
pub(super) struct Common {
    pub(super) target: Target,
    /// Whether a pooler stands between, which gives a connection for one transaction.
    pub(super) pooled: bool,
    pub(super) announcer: Announcer,
    /// Tells this server's notifications from others'.
    pub(super) own: Arc<str>,
    pub(super) read_limit: Duration,
    pub(super) scan_limit: Duration,
    pub(super) queue_time: Duration,
}

/// The same for one transaction.
const READ_ONLY: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

struct Worker {
    rt: Runtime,
    common: Common,
    kind: Kind,
    link: Link,
    /// The `statement_timeout` of the connection.
    limit: Duration,
    opening: Opening,
}

/// What begins a transaction.
struct Opening {
    write: String,
    read: String,
    scan: String,
}

/// What a thread does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Write,
    Jot,
    Read,
}

/// Starts a thread with a connection that takes jobs from an inbox until it closes.
pub(super) fn start(threads: &mut Threads, kind: Kind, common: &Common, inbox: &Inbox) -> Result<()> {
    let name = match kind {
        Kind::Write => "campanile-write",
        Kind::Jot => "campanile-jot",
        Kind::Read => "campanile-read",
    };
    let rt = runtime()?;
    let limit = common.scan_limit;
    let link = connect(&rt, common, kind, limit)?;
    let mut worker = Worker {
        rt,
        common: common.clone(),
        kind,
        link,
        limit,
        opening: Opening::new(common),
    };
    let working = inbox.work();
    threads.start(name, move || worker.run(&working))
}

fn connect(rt: &Runtime, common: &Common, kind: Kind, limit: Duration) -> Result<Link> {
    let settings = if common.pooled {
        String::new()
    } else {
        match kind {
            Kind::Read => format!("{}{READ_ONLY_FROM_NOW_ON}", settings("", limit, READER_IDLE)),
            Kind::Write | Kind::Jot => settings("", limit, WRITER_IDLE),
        }
    };
    Ok(Link::new(common.target.client(rt, &settings)?, common.pooled))
}

/// Compiling a plan to machine code would cost more than any statement of ours takes.
fn settings(local: &str, limit: Duration, idle: &str) -> String {
    let set = format!("SET {local}");
    format!(
        "{set}statement_timeout = {}; {set}lock_timeout = '{LOCK_TIME}'; \
         {set}idle_in_transaction_session_timeout = '{idle}'; {set}timezone = 'UTC'; {set}jit = off; ",
        limit.as_millis()
    )
}

impl Opening {
    /// Behind a pooler a transaction brings all its settings along, in the message that begins it.
    fn new(common: &Common) -> Self {
        let local = |limit, idle| {
            if common.pooled {
                settings("LOCAL ", limit, idle)
            } else {
                String::new()
            }
        };
        let begin = if common.pooled { READ_ONLY } else { "BEGIN" };
        Self {
            write: format!("BEGIN; {}SAVEPOINT operation", local(common.scan_limit, WRITER_IDLE)),
            read: format!("{begin}; {}", local(common.read_limit, READER_IDLE)),
            scan: format!("{begin}; {}", local(common.scan_limit, READER_IDLE)),
        }
    }
}

/// What the group's transaction is in before the next operation.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// It has not begun.
    Fresh,
    /// The last operation is kept, under its savepoint.
    Kept,
    /// The last operation is to be undone to its savepoint.
    Undone,
}

impl State {
    /// What an operation says ahead of its first statement.
    fn before(self, opening: &Opening) -> &str {
        match self {
            Self::Fresh => &opening.write,
            Self::Kept => "RELEASE operation; SAVEPOINT operation",
            Self::Undone => "ROLLBACK TO operation",
        }
    }
}

impl Worker {
    fn run(&mut self, inbox: &Working) {
        // The connection's own task runs while this thread waits, so a lost connection is noticed at once.
        while let Some(job) = self.rt.block_on(inbox.next()) {
            if job.age() > self.common.queue_time {
                job.refuse(Error::Unavailable("the operation waited too long".into()));
            } else if let Err(error) = self.heal() {
                if self.kind != Kind::Read {
                    self.common.announcer.fared(&Err(error.clone()), 0);
                }
                job.refuse(error);
            } else if self.kind == Kind::Read {
                self.read(job);
            } else {
                self.group(job, inbox);
            }
        }
    }

    fn heal(&mut self) -> Result<()> {
        if self.link.is_lost() {
            self.limit = self.common.scan_limit;
            self.link = connect(&self.rt, &self.common, self.kind, self.limit)?;
        }
        Ok(())
    }

    /// One snapshot; the answer goes out before the transaction is closed, because it is already known.
    fn read(&mut self, mut job: Job) {
        let limit = if job.mode == Mode::Scan {
            self.common.scan_limit
        } else {
            self.common.read_limit
        };
        let opening = if job.mode == Mode::Scan {
            &self.opening.scan
        } else {
            &self.opening.read
        };
        if limit != self.limit && !self.common.pooled {
            self.limit = limit;
            self.link
                .tell(&format!("SET statement_timeout = {}", limit.as_millis()));
        }
        let mut session = Session::new(&self.rt, &mut self.link, Some(opening));
        session.end_when(job.gone.take(), &self.common.target);
        let mut ran = job.run(Tx::new(Conn::Postgres(session), Mode::Read, None));
        let begun = session_of(&mut ran.tx).is_begun();
        let fate = ran.tx.failed.take().map_or(Ok(()), Err);
        ran.finish(fate);
        if begun {
            self.link.tell("ROLLBACK");
        }
    }

    fn group(&mut self, first: Job, inbox: &Working) {
        let mut group = Group::default();
        let (mut state, mut fate) = (State::Fresh, Ok(()));
        let (mut next, mut count) = (Some(first), 0);
        let started = Instant::now();
        while let Some(job) = next.take() {
            match self.operation(job, state, &mut group) {
                Ok(after) => state = after,
                Err(error) => fate = Err(error),
            }
            count += 1;
            if fate.is_ok() && count < GROUP_LIMIT && started.elapsed() < GROUP_TIME {
                next = inbox.waiting();
            }
        }
        let fate = fate.and_then(|()| self.commit(state, &mut group));
        if fate.is_err() {
            self.link.tell("ROLLBACK");
        }
        self.common.announcer.fared(&fate, group.kept);
        let signals = std::mem::take(&mut group.signals);
        if fate.is_ok() && group.kept > 0 {
            self.common.announcer.committed(&signals, group.kept);
        }
        group.finish(&fate);
        if fate.is_ok() && !signals.is_empty() {
            self.notify(&signals);
        }
    }

    /// One operation under its own savepoint; an error is the end of the whole group.
    fn operation(&mut self, job: Job, state: State, group: &mut Group) -> Result<State> {
        let session = Session::new(&self.rt, &mut self.link, Some(state.before(&self.opening)));
        let mode = job.mode;
        let mut ran = job.run(Tx::new(Conn::Postgres(session), mode, group.tally.clone()));
        let session = session_of(&mut ran.tx);
        let untouched = !session.is_begun();
        let sound = if ran.keep { session.settle() } else { Ok(()) };
        let sound = ran.tx.failed.take().map_or(sound, Err);
        let kept = ran.keep && sound.is_ok();
        let failure = sound.clone().err();
        self.common.announcer.fared(&sound, 0);
        if kept {
            group.keep(ran);
        } else {
            // Where the closure itself returned an error, that is the better answer.
            let why = if ran.keep { sound } else { Ok(()) };
            group.undo(ran, why);
        }
        if self.link.is_lost() {
            let lost = || Error::Unavailable("the connection to PostgreSQL was lost".into());
            return Err(failure.unwrap_or_else(lost));
        }
        Ok(match (untouched, kept) {
            (true, _) => state,
            (false, true) => State::Kept,
            (false, false) => State::Undone,
        })
    }

    fn commit(&mut self, state: State, group: &mut Group) -> Result<()> {
        if group.kept == 0 {
            if state != State::Fresh {
                self.link.tell("ROLLBACK");
            }
            return Ok(());
        }
        let tally = group.tally.take();
        let before = match state {
            State::Fresh if tally.is_none() => return Ok(()),
            State::Kept => None,
            State::Fresh | State::Undone => Some(state.before(&self.opening)),
        };
        let session = Session::new(&self.rt, &mut self.link, before);
        let mut tx = Tx::new(Conn::Postgres(session), Mode::Ordered, None);
        if let Some(tally) = tally {
            tally.save(&mut tx)?;
        }
        // PostgreSQL answers the COMMIT of a failed transaction with a quiet ROLLBACK; RELEASE fails there.
        let committed = session_of(&mut tx).plain("RELEASE operation; COMMIT");
        drop(tx);
        committed.map_err(|error| match error {
            Error::Unavailable(detail) if self.link.is_lost() => Error::Unknown(detail),
            other => other,
        })
    }

    /// Tells the other servers, in a transaction of its own: a notification inside the commit would make all commits
    /// of the instance take turns. Nobody waits for it; a server that is not told looks for itself before long.
    fn notify(&self, signals: &[Signal]) {
        self.link.tell(&listen::notification(&self.common.own, signals));
    }
}

fn session_of<'t, 'c>(tx: &'t mut Tx<'c>) -> &'t mut Session<'c> {
    match &mut tx.conn {
        Conn::Postgres(session) => session,
        Conn::Sqlite(_) => unreachable!("this thread has only connections to PostgreSQL"),
    }
}
