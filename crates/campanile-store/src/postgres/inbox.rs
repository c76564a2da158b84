//! Where jobs of one kind wait for the threads that do them. A thread that has just finished takes the next job itself;
//! a job that finds threads idle goes to the one that has been idle for the shortest time, and wakes no other.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::group::Job;

/// The threads' side.
#[derive(Clone, Default)]
pub(super) struct Inbox(Arc<Mutex<State>>);

/// The callers' side; dropping it lets the threads end once all is done.
pub(super) struct Outbox(Inbox);

#[derive(Default)]
struct State {
    /// At most as many as there are places in the queue, which `Db` gives out. Empty while a thread is idle.
    waiting: VecDeque<Job>,
    /// The threads that wait for a job.
    idle: Vec<oneshot::Sender<Job>>,
    threads: usize,
    closed: bool,
}

/// A thread's claim to be one of those that do the jobs, for as long as it runs.
pub(super) struct Working(Inbox);

impl Outbox {
    pub(super) fn new() -> Self {
        Self(Inbox::default())
    }

    pub(super) fn inbox(&self) -> Inbox {
        self.0.clone()
    }

    /// Hands a job over; gives it back if nobody is left to do it.
    pub(super) fn submit(&self, mut job: Job) -> Result<(), Job> {
        let mut state = self.0.state();
        if state.threads == 0 {
            return Err(job);
        }
        while let Some(idle) = state.idle.pop() {
            match idle.send(job) {
                Ok(()) => return Ok(()),
                Err(back) => job = back,
            }
        }
        state.waiting.push_back(job);
        Ok(())
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.closed = true;
        state.idle.clear();
    }
}

impl Inbox {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Announces a thread.
    pub(super) fn work(&self) -> Working {
        self.state().threads += 1;
        Working(self.clone())
    }
}

impl Working {
    /// The next job; `None` when there will be no more.
    pub(super) async fn next(&self) -> Option<Job> {
        let turn = {
            let mut state = self.0.state();
            if let Some(job) = state.waiting.pop_front() {
                return Some(job);
            }
            if state.closed {
                return None;
            }
            let (idle, turn) = oneshot::channel();
            state.idle.push(idle);
            turn
        };
        turn.await.ok()
    }

    /// A job that is waiting now.
    pub(super) fn waiting(&self) -> Option<Job> {
        self.0.state().waiting.pop_front()
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        let abandoned = {
            let mut state = self.0.state();
            state.threads -= 1;
            if state.threads == 0 {
                std::mem::take(&mut state.waiting)
            } else {
                VecDeque::new()
            }
        };
        // Outside of the lock: a job may own what submits others. Its caller learns of it by the dropped reply.
        drop(abandoned);
    }
}
