//! One operation as a job for a database thread, and the group of them that shares a commit.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::sync::oneshot;

use crate::tx::{Mode, Tally};
use crate::{Error, Result, Signal, Sql, Tx};

/// Operations in one commit at most; with it a commit stays short.
pub(crate) const GROUP_LIMIT: usize = 256;
/// After so long a group takes no further operation.
pub(crate) const GROUP_TIME: std::time::Duration = std::time::Duration::from_millis(20);

/// Locks the counters until the commit.
pub(crate) static LOCK: Sql = Sql::new(
    "store::LOCK",
    "SELECT name, value FROM tally ORDER BY name {for_update}",
);
pub(crate) static SAVE: Sql = Sql::new(
    "store::SAVE",
    "INSERT INTO tally (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
);

/// Called with the fate of the commit, exactly once; it answers the caller.
pub(crate) type Finish = Box<dyn FnOnce(Result<()>) + Send>;

/// An operation on its way to a database thread.
pub(crate) struct Job {
    pub(crate) mode: Mode,
    /// Runs the closure; says whether its work is to be kept.
    work: Work,
}

/// The closure, or, where the database could not even begin, what to tell its caller.
type Work = Box<dyn FnOnce(Result<&mut Tx<'_>>) -> (bool, Finish) + Send>;

impl Job {
    /// Wraps a closure; the receiver gets its result once it is durable.
    pub(crate) fn new<T, E, F>(mode: Mode, work: F) -> (Self, oneshot::Receiver<std::result::Result<T, E>>)
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> std::result::Result<T, E> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let work: Work = Box::new(move |tx| {
            let result = tx.map_err(E::from).and_then(work);
            let keep = result.is_ok();
            let finish: Finish = Box::new(move |fate| {
                // A caller that has gone away misses the answer, not the work.
                let _ = reply.send(match fate {
                    Err(error) if keep => Err(error.into()),
                    _ => result,
                });
            });
            (keep, finish)
        });
        (Self { mode, work }, answer)
    }

    /// Runs the closure; `None` when it panicked (its caller learns so by the dropped reply).
    pub(crate) fn run(self, tx: &mut Tx<'_>) -> Option<(bool, Finish)> {
        let work = self.work;
        let outcome = catch_unwind(AssertUnwindSafe(|| work(Ok(tx)))).ok();
        if outcome.is_none() {
            tracing::error!("an operation on the database panicked; its work is undone");
        }
        outcome
    }

    /// Answers without running the closure.
    pub(crate) fn refuse(self, error: Error) {
        let (_, finish) = (self.work)(Err(error.clone()));
        finish(Err(error));
    }
}

/// What a group has gathered so far.
#[derive(Default)]
pub(crate) struct Group {
    pub(crate) tally: Option<Tally>,
    pub(crate) signals: Vec<Signal>,
    pub(crate) finishes: Vec<Finish>,
}

impl Group {
    /// Answers everybody.
    pub(crate) fn finish(&mut self, fate: &Result<()>) {
        for finish in self.finishes.drain(..) {
            finish(fate.clone());
        }
    }
}
