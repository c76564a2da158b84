//! PostgreSQL: a few threads with a connection each. One writes in order, one writes what belongs to persons, the
//! others read. Statements that need no answer travel with the next one, so a lone read is one round trip and a
//! publication is one round trip within its group.

mod connect;
mod inbox;
mod listen;
mod migrate;
mod session;
mod worker;

use tokio::sync::oneshot;

pub(crate) use self::connect::{Target, runtime};
use self::inbox::Outbox;
use self::listen::Ear;
pub(crate) use self::listen::IN_USE;
pub(crate) use self::migrate::{migrate, missing};
pub(crate) use self::session::Session;
use self::worker::{Common, Kind, start};
use crate::db::{Announcer, Options};
use crate::group::Job;
use crate::migrate::{Purpose, Schema};
use crate::threads::Threads;
use crate::tx::Mode;
use crate::{Error, Result};

/// The engine.
pub(crate) struct Postgres {
    ordered: Outbox,
    unordered: Outbox,
    reads: Outbox,
    _listening: oneshot::Sender<()>,
    /// Last, so that the threads are waited for after their inboxes have closed.
    _threads: Threads,
}

impl Postgres {
    /// Which migrations would run; see [`crate::Db::look`].
    pub(crate) fn look(options: &Options, schema: &Schema) -> Result<Vec<&'static str>> {
        migrate::look(&Target::new(&options.url)?, schema)
    }

    pub(crate) fn open(options: &Options, schema: &Schema, announcer: &Announcer) -> Result<Self> {
        let target = Target::new(&options.url)?;
        let own = migrate(&target, schema, Purpose::Serve)?;
        let common = Common {
            target: target.clone(),
            pooled: options.pooled,
            announcer: announcer.clone(),
            own: own.clone(),
            read_limit: options.read_limit,
            scan_limit: options.scan_limit,
            queue_time: options.queue_time,
        };
        // Before the inboxes, so that a failure below closes those first.
        let mut threads = Threads::default();
        let (ordered, unordered, reads) = (Outbox::new(), Outbox::new(), Outbox::new());
        start(&mut threads, Kind::Write, &common, &ordered.inbox())?;
        start(&mut threads, Kind::Jot, &common, &unordered.inbox())?;
        for _ in 0..options.connections.max(1) {
            start(&mut threads, Kind::Read, &common, &reads.inbox())?;
        }
        let (listening, stop) = oneshot::channel();
        let ear = match &options.listen {
            Some(url) => Ear::Notified(Target::new(url)?),
            None if options.pooled => Ear::Looking(target),
            None => Ear::Notified(target),
        };
        listen::start(&mut threads, ear, announcer.clone(), own, stop)?;
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
            .submit(job)
            .map_err(|_| Error::Unavailable("the database is closed".into()))
    }
}
