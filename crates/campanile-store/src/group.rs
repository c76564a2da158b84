//! One operation as a job for a database thread, and the group of them that shares a commit.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::tx::Mode;
use crate::{Error, Result, Signal, Tally, Tx};

/// After so long a group takes no further operation, so that nobody waits long for the commit.
pub(crate) const GROUP_TIME: Duration = Duration::from_millis(20);

/// Called with the fate of the commit, exactly once; it answers the caller.
type Finish = Box<dyn FnOnce(Result<()>) + Send>;

/// The closure, or, where the database could not even begin, what to tell its caller. Says whether its work is to be
/// kept.
type Work = Box<dyn FnOnce(Result<&mut Tx<'_>>) -> (bool, Finish) + Send>;

/// An operation on its way to a database thread.
pub(crate) struct Job {
    pub(crate) mode: Mode,
    /// Of a read.
    pub(crate) gone: Option<Gone>,
    since: Instant,
    work: Work,
}

/// Resolves when nobody waits for a read any more: the other end is dropped then. Such a read is ended.
pub(crate) type Gone = oneshot::Receiver<()>;

impl Job {
    /// Wraps a closure; the receiver gets its result once it is durable. The place in the queue is given back when the
    /// caller is answered, also when the caller has gone away meanwhile.
    pub(crate) fn new<T, E, F>(
        mode: Mode,
        place: OwnedSemaphorePermit,
        work: F,
    ) -> (Self, oneshot::Receiver<std::result::Result<T, E>>)
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> std::result::Result<T, E> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let work: Work = Box::new(move |tx| {
            if mode.reads() && reply.is_closed() {
                // Nobody waits for it any more. A write is still done: it was asked for.
                return (false, Box::new(|_| drop(place)));
            }
            let result = tx.map_err(E::from).and_then(work);
            let keep = result.is_ok();
            let finish: Finish = Box::new(move |fate| {
                drop(place);
                // A caller that has gone away misses the answer, not the work.
                let _ = reply.send(fate.map_err(E::from).and(result));
            });
            (keep, finish)
        });
        let since = Instant::now();
        let job = Self {
            mode,
            gone: None,
            since,
            work,
        };
        (job, answer)
    }

    /// How long it has been waiting.
    pub(crate) fn age(&self) -> Duration {
        self.since.elapsed()
    }

    /// Runs the closure.
    pub(crate) fn run(self, mut tx: Tx<'_>) -> Ran<'_> {
        let work = self.work;
        let outcome = catch_unwind(AssertUnwindSafe(|| work(Ok(&mut tx))));
        let (keep, finish) = outcome.map_or_else(
            |_| {
                tracing::error!("an operation on the database panicked; its work is undone");
                // Its caller learns of it by the reply that was dropped.
                (false, None)
            },
            |(keep, finish)| (keep, Some(finish)),
        );
        Ran { tx, keep, finish }
    }

    /// Answers without running the closure.
    pub(crate) fn refuse(self, error: Error) {
        let (_, finish) = (self.work)(Err(error));
        finish(Ok(()));
    }
}

/// An operation whose closure has run.
pub(crate) struct Ran<'c> {
    pub(crate) tx: Tx<'c>,
    /// Whether the closure wants its work to be kept.
    pub(crate) keep: bool,
    finish: Option<Finish>,
}

impl Ran<'_> {
    /// Answers the caller.
    pub(crate) fn finish(self, fate: Result<()>) {
        if let Some(finish) = self.finish {
            finish(fate);
        }
    }
}

/// What a group has gathered so far.
#[derive(Default)]
pub(crate) struct Group {
    /// The counters, once an operation has taken them.
    pub(crate) tally: Option<Tally>,
    /// What the kept operations announce.
    pub(crate) signals: Vec<Signal>,
    /// Operations of which something is to be committed.
    pub(crate) kept: usize,
    callers: Vec<(Finish, Result<()>)>,
}

impl Group {
    /// Takes in an operation that is to be committed.
    pub(crate) fn keep(&mut self, ran: Ran<'_>) {
        self.tally = ran.tx.tally;
        self.signals.extend(ran.tx.signals);
        self.kept += 1;
        self.callers.extend(ran.finish.map(|finish| (finish, Ok(()))));
    }

    /// Takes in an operation that has been undone. Its caller waits too: what it saw may be the work of operations that
    /// are not committed yet.
    pub(crate) fn undo(&mut self, ran: Ran<'_>, why: Result<()>) {
        self.callers.extend(ran.finish.map(|finish| (finish, why)));
    }

    /// Answers everybody.
    pub(crate) fn finish(self, fate: &Result<()>) {
        for (finish, own) in self.callers {
            finish(fate.clone().and(own));
        }
    }
}
