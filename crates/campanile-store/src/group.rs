//! One operation as a job for a database thread, and the group of them that shares a commit.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::tx::Mode;
use crate::{Error, Result, Signal, Tally, Tx};

/// After so long a group takes no further operation, so that nobody waits long for the commit.
pub(crate) const GROUP_TIME: Duration = Duration::from_millis(20);

/// What an operation does. Says whether that is to be kept.
///
/// It keeps its own result, so that what carries it to a thread and back is compiled once, not once for each operation
/// of the program.
pub(crate) type Work = Box<dyn FnOnce(&mut Tx<'_>) -> bool + Send>;

/// Where the result of an operation is put: nothing, before it has run and where it panicked.
pub(crate) type Slot<T, E> = Arc<Mutex<Option<std::result::Result<T, E>>>>;

/// An operation, and where its result will be.
pub(crate) fn keep_result<T, E, F>(work: F) -> (Slot<T, E>, Work)
where
    T: Send + 'static,
    E: Send + 'static,
    F: FnOnce(&mut Tx<'_>) -> std::result::Result<T, E> + Send + 'static,
{
    let slot: Slot<T, E> = Arc::default();
    let kept = Arc::clone(&slot);
    let work = Box::new(move |tx: &mut Tx<'_>| {
        let result = work(tx);
        let keep = result.is_ok();
        *kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
        keep
    });
    (slot, work)
}

/// What became of an operation, out of the fate of its commit and its slot.
pub(crate) fn result_of<T, E: From<Error>>(slot: &Slot<T, E>, fate: Result<()>) -> std::result::Result<T, E> {
    fate?;
    let result = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
    result.unwrap_or_else(|| Err(Error::Panicked.into()))
}

/// Who waits for an operation: answered with the fate of the commit, exactly once. Dropped, it says that the operation
/// panicked.
struct Finish {
    place: OwnedSemaphorePermit,
    reply: oneshot::Sender<Result<()>>,
}

impl Finish {
    fn answer(self, fate: Result<()>) {
        drop(self.place);
        // A caller that has gone away misses the answer, not the work.
        let _ = self.reply.send(fate);
    }
}

/// An operation on its way to a database thread.
pub(crate) struct Job {
    pub(crate) mode: Mode,
    /// Of a read.
    pub(crate) gone: Option<Gone>,
    since: Instant,
    work: Work,
    finish: Finish,
}

/// Resolves when nobody waits for a read any more: the other end is dropped then. Such a read is ended.
pub(crate) type Gone = oneshot::Receiver<()>;

impl Job {
    /// The receiver gets the fate once it is durable. The place in the queue is given back when the caller is answered,
    /// also when the caller has gone away meanwhile.
    pub(crate) fn new(
        mode: Mode,
        gone: Option<Gone>,
        place: OwnedSemaphorePermit,
        work: Work,
    ) -> (Self, oneshot::Receiver<Result<()>>) {
        let (reply, answer) = oneshot::channel();
        let job = Self {
            mode,
            gone,
            since: Instant::now(),
            work,
            finish: Finish { place, reply },
        };
        (job, answer)
    }

    /// How long it has been waiting.
    pub(crate) fn age(&self) -> Duration {
        self.since.elapsed()
    }

    /// Runs the closure.
    pub(crate) fn run(self, mut tx: Tx<'_>) -> Ran<'_> {
        let (work, finish) = (self.work, self.finish);
        if self.mode.reads() && finish.reply.is_closed() {
            // Nobody waits for it any more. A write is still done: it was asked for.
            return Ran {
                tx,
                keep: false,
                finish: Some(finish),
            };
        }
        let keep = catch_unwind(AssertUnwindSafe(|| work(&mut tx)));
        if keep.is_err() {
            tracing::error!("an operation on the database panicked; its work is undone");
        }
        Ran {
            tx,
            // Its caller learns of a panic by the reply that is dropped.
            finish: keep.is_ok().then_some(finish),
            keep: keep.unwrap_or(false),
        }
    }

    /// Answers without running the closure.
    pub(crate) fn refuse(self, error: Error) {
        self.finish.answer(Err(error));
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
            finish.answer(fate);
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
            finish.answer(fate.clone().and(own));
        }
    }
}
