//! PostgreSQL: a few threads with a connection each. One writes in order, one writes what belongs to persons, the
//! others read. Statements that need no answer travel with the next one, so a lone read is one round trip and a
//! publication is one round trip within its group.

mod connect;
mod listen;
mod migrate;
mod session;
mod worker;

use std::sync::Arc;

use tokio::sync::{Mutex, mpsc, oneshot};

use self::connect::Target;
pub(crate) use self::session::Session;
use self::worker::{Common, Inbox, start};
use crate::db::{Announcer, Options};
use crate::group::Job;
use crate::migrate::Schema;
use crate::threads::Threads;
use crate::tx::Mode;
use crate::{Error, Result};

/// The engine.
pub(crate) struct Postgres {
    ordered: mpsc::UnboundedSender<Job>,
    unordered: mpsc::UnboundedSender<Job>,
    reads: mpsc::UnboundedSender<Job>,
    _listening: oneshot::Sender<()>,
    /// Last, so that the threads are waited for after their inboxes have closed.
    _threads: Threads,
}

impl Postgres {
    pub(crate) fn open(options: &Options, schema: &Schema, announcer: &Announcer) -> Result<Self> {
        let target = Target::new(&options.url)?;
        let own = migrate::migrate(&target, schema)?;
        let common = Common {
            target: target.clone(),
            announcer: announcer.clone(),
            own: own.clone(),
            read_limit: options.read_limit,
            scan_limit: options.scan_limit,
            queue_time: options.queue_time,
        };
        // Before the inboxes, so that a failure below closes those first.
        let mut threads = Threads::default();
        let (ordered, inbox) = queue();
        start(&mut threads, "campanile-write", &common, &inbox)?;
        let (unordered, inbox) = queue();
        start(&mut threads, "campanile-jot", &common, &inbox)?;
        let (reads, inbox) = queue();
        for _ in 0..options.connections.max(1) {
            start(&mut threads, "campanile-read", &common, &inbox)?;
        }
        let (listening, stop) = oneshot::channel();
        listen::start(&mut threads, target, announcer.clone(), own, stop)?;
        Ok(Self {
            ordered,
            unordered,
            reads,
            _listening: listening,
            _threads: threads,
        })
    }

    pub(crate) fn submit(&self, job: Job) -> Result<()> {
        let queue = match job.mode {
            Mode::Ordered => &self.ordered,
            Mode::Unordered => &self.unordered,
            Mode::Read | Mode::Scan => &self.reads,
        };
        queue
            .send(job)
            .map_err(|_| Error::Unavailable("the database is closed".into()))
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "it holds at most as many as there are places in the queue, which `Db` gives out"
)]
fn queue() -> (mpsc::UnboundedSender<Job>, Inbox) {
    let (sender, receiver) = mpsc::unbounded_channel();
    (sender, Arc::new(Mutex::new(receiver)))
}
