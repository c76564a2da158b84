//! Who takes which mail: connections by number, each a task, and the mails that wait for one.
//!
//! Connection numbers below the limit of the pace may be open. With enough of them the first are for critical mail
//! alone and the next for bulk alone, so that neither waits for the other; all others take the most urgent mail there
//! is.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use campanile_core::time::Moment;
use rustls::ClientConfig;
use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::connect::{Trouble, Way};
use super::pace::Pace;
use super::relay::{Relay, Times};
use super::stream::Connection;
use super::wire::{self, Envelope};
use super::{Lane, Mail, Outcome, talk};

/// Mails that wait for a connection at most; the scheduler keeps far below.
const WAITING: usize = 20_000;
/// How often a mail is handed from a connection that ended to another one before the relay is held to be in trouble.
pub(super) const TRIES: u8 = 3;
/// Where a server stops or a queue is full: ask again after this.
const SOON: Duration = Duration::from_secs(5);

/// How a pool is made.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where it leads.
    pub relay: Relay,
    /// How long each step may take.
    pub times: Times,
    /// How this server calls itself: a host name, or an address in brackets.
    pub hello: String,
    /// Whom to believe to be the relay: see [`super::verifying`].
    pub tls: Arc<ClientConfig>,
    /// Connections at most.
    pub connections: usize,
    /// Of these so many for critical mail alone, and as many for bulk alone, while there are three times as many or
    /// more.
    pub reserved: usize,
}

/// The connections to one relay.
#[derive(Debug, Clone)]
pub struct Pool(Arc<Shared>);

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) way: Way,
    reserved: usize,
    state: Mutex<State>,
    tasks: TaskTracker,
    stop: CancellationToken,
    dots: AtomicUsize,
}

#[derive(Debug)]
struct State {
    waiting: [VecDeque<Job>; 3],
    slots: Vec<Slot>,
    pace: Pace,
    /// The time last told, and when that was.
    clock: (Moment, Instant),
    /// Why there is a pause.
    reason: String,
}

#[derive(Debug)]
struct Slot {
    phase: Phase,
    wake: Arc<Notify>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Closed,
    Opening,
    Idle,
    Busy,
}

/// A mail on its way through the pool.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) mail: Mail,
    /// The content with its dots doubled and the final one.
    pub(super) wire: Vec<u8>,
    pub(super) eight_bit: bool,
    tries: u8,
    answer: oneshot::Sender<Outcome>,
}

impl Job {
    pub(super) fn envelope(&self) -> Envelope<'_> {
        Envelope {
            from: &self.mail.from,
            to: &self.mail.to,
            size: self.wire.len() - 3,
            eight_bit: self.eight_bit,
        }
    }

    /// Ends it. Nobody may be listening any more.
    pub(super) fn end(self, outcome: Outcome) {
        let _ = self.answer.send(outcome);
    }
}

impl Pool {
    /// A pool without connections; they are made when there is mail. Its tasks run on `tasks`, and end on `stop` after
    /// the mails that they have begun.
    #[must_use]
    pub fn new(options: Options, tasks: TaskTracker, stop: CancellationToken) -> Self {
        let connections = options.connections.max(1);
        let slot = || Slot {
            phase: Phase::Closed,
            wake: Arc::default(),
        };
        let state = State {
            waiting: Default::default(),
            slots: std::iter::repeat_with(slot).take(connections).collect(),
            pace: Pace::new(connections),
            clock: (Moment(0), Instant::now()),
            reason: String::new(),
        };
        Self(Arc::new(Shared {
            way: Way {
                relay: options.relay,
                times: options.times,
                hello: options.hello,
                tls: options.tls,
            },
            reserved: options.reserved,
            state: Mutex::new(state),
            tasks,
            stop,
            dots: AtomicUsize::new(0),
        }))
    }

    /// Sends a mail, and says what became of it. Dropping the future takes back a mail that waits; one that was begun
    /// goes on to its end.
    pub async fn send(&self, mail: Mail, now: Moment) -> Outcome {
        if !wire::is_safe(&mail.from) || !wire::is_safe(&mail.to) || mail.to.is_empty() {
            return Outcome::Dead {
                code: None,
                reason: "the address has characters that no mail system takes".into(),
                suppress: true,
            };
        }
        let dot = Arc::clone(&mail.dot);
        let wire = wire::framed(&mail.content);
        let (answer, outcome) = oneshot::channel();
        let job = Job {
            eight_bit: !wire.is_ascii(),
            wire,
            mail: Mail {
                content: Vec::new(),
                ..mail
            },
            tries: 0,
            answer,
        };
        if let Err(outcome) = self.0.admit(job, now) {
            return outcome;
        }
        outcome.await.unwrap_or_else(|_| Outcome::Retry {
            code: None,
            reason: "sending was broken off".into(),
            doubtful: dot.load(Ordering::Acquire),
        })
    }

    /// Mails whose final dot was written and not yet answered: as many are in doubt if this process dies now.
    #[must_use]
    pub fn in_doubt(&self) -> usize {
        self.0.dots.load(Ordering::Acquire)
    }

    /// Connections that are open or being opened, and how many may be.
    #[must_use]
    pub fn connections(&self) -> (usize, usize) {
        let state = self.0.state();
        (state.open(), state.pace.limit())
    }
}

/// What a connection does next.
pub(super) enum Next {
    Send(Job),
    /// End, with a goodbye.
    Quit,
    /// The other side has ended it.
    Gone,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a mail wait for a connection, unless there is none to wait for.
    fn admit(self: &Arc<Self>, job: Job, now: Moment) -> Result<(), Outcome> {
        let mut state = self.state();
        state.clock = (now.max(state.now()), Instant::now());
        let now = state.now();
        if let Some(retry_at) = state.pace.paused(now) {
            let reason = state.reason.clone();
            return Err(Outcome::Relay { reason, retry_at });
        }
        let soon = |reason: &str| Outcome::Relay {
            reason: reason.into(),
            retry_at: now.plus_ms(SOON.as_millis() as i64),
        };
        if self.stop.is_cancelled() {
            return Err(soon("the server is stopping"));
        }
        if state.waiting.iter().map(VecDeque::len).sum::<usize>() >= WAITING {
            return Err(soon("too many mails wait for the relay"));
        }
        let lane = job.mail.lane;
        state.waiting[lane as usize].push_back(job);
        self.wake(&mut state, lane);
        Ok(())
    }

    /// Finds somebody for a mail of a lane: a connection that is idle, or one to open. Else who is busy takes it later.
    fn wake(self: &Arc<Self>, state: &mut State, lane: Lane) {
        let limit = state.pace.limit();
        let mut able = (0..limit).filter(|slot| takes(*slot, limit, self.reserved, lane));
        let mut closed = None;
        let idle = able.find(|slot| match state.slots[*slot].phase {
            Phase::Idle => true,
            Phase::Closed => {
                closed.get_or_insert(*slot);
                false
            }
            Phase::Opening | Phase::Busy => false,
        });
        if let Some(slot) = idle {
            state.slots[slot].phase = Phase::Busy;
            state.slots[slot].wake.notify_one();
        } else if let Some(slot) = closed.filter(|_| state.open() < limit) {
            state.slots[slot].phase = Phase::Opening;
            self.tasks.spawn(talk::work(Arc::clone(self), slot));
        } else if closed.is_some()
            && let Some(beyond) = state.slots[limit..].iter().find(|slot| slot.phase == Phase::Idle)
        {
            // Idle beyond the limit, which has become less, it takes no mail and keeps another one from being opened.
            // It ends now, and when it has, whoever waits is seen to again.
            beyond.wake.notify_one();
        }
    }

    /// Wakes for all lanes in which somebody waits: after connections ended, or their limit moved.
    fn wake_all(self: &Arc<Self>, state: &mut State) {
        for lane in [Lane::Critical, Lane::Normal, Lane::Bulk] {
            if !state.waiting[lane as usize].is_empty() {
                self.wake(state, lane);
            }
        }
    }

    /// What a connection shall do, once there is something.
    pub(super) async fn next(self: &Arc<Self>, slot: usize, connection: &mut Connection) -> Next {
        loop {
            let wake = {
                let mut state = self.state();
                if self.stop.is_cancelled() || slot >= state.pace.limit() {
                    return Next::Quit;
                }
                if let Some(job) = state.take(slot, self.reserved, Lane::Critical) {
                    state.slots[slot].phase = Phase::Busy;
                    return Next::Send(job);
                }
                state.slots[slot].phase = Phase::Idle;
                // What waits now is for others: this connection may have become one for a single lane.
                self.wake_all(&mut state);
                Arc::clone(&state.slots[slot].wake)
            };
            let gone = tokio::select! {
                () = wake.notified() => continue,
                () = self.stop.cancelled() => false,
                () = tokio::time::sleep(self.way.times.idle) => false,
                () = connection.disturbed() => true,
            };
            // It may have been woken in the same instant.
            if gone {
                return Next::Gone;
            }
            if self.state().slots[slot].phase == Phase::Idle {
                return Next::Quit;
            }
        }
    }

    /// A mail to follow the dot of the one before it, if one waits. A critical one takes the next free connection
    /// instead: behind a dot it would wait for that answer.
    pub(super) fn follower(&self, slot: usize) -> Option<Job> {
        let mut state = self.state();
        if self.stop.is_cancelled() || slot >= state.pace.limit() {
            return None;
        }
        state.take(slot, self.reserved, Lane::Normal)
    }

    /// Puts a mail back that was certainly not sent, before all others. One that comes back too often is answered.
    pub(super) fn put_back(self: &Arc<Self>, mut job: Job, reason: &str) {
        job.tries += 1;
        if job.tries >= TRIES {
            return self.relay_trouble(
                Some(job),
                &Trouble {
                    reason: reason.to_owned(),
                    permanent: false,
                },
            );
        }
        let mut state = self.state();
        let lane = job.mail.lane;
        state.waiting[lane as usize].push_front(job);
        self.wake(&mut state, lane);
    }

    /// One connection did not work, before anything was sent on it. Where others do, the relay takes no more than
    /// those; else it is in trouble. The connection still has to be [`Self::closed`].
    pub(super) fn not_connected(self: &Arc<Self>, slot: usize, job: Option<Job>, trouble: &Trouble) {
        let mut state = self.state();
        let others = |phases: &[Phase]| {
            let others = state.slots.iter().enumerate().filter(|(at, _)| *at != slot);
            others.filter(|(_, other)| phases.contains(&other.phase)).count()
        };
        // While others are being opened, the last of them decides.
        let open = others(&[Phase::Opening, Phase::Idle, Phase::Busy]);
        if open == 0 {
            drop(state);
            return self.relay_trouble(job, trouble);
        }
        state.pace.at_most(open);
        drop(state);
        if let Some(job) = job {
            self.put_back(job, &trouble.reason);
        }
    }

    /// The relay refuses everything: whoever waits is told when to come again.
    pub(super) fn relay_trouble(self: &Arc<Self>, job: Option<Job>, trouble: &Trouble) {
        let mut state = self.state();
        let now = state.now();
        let retry_at = state.pace.trouble(now, trouble.permanent);
        let waiting: Vec<Job> = state.waiting.iter_mut().flat_map(std::mem::take).chain(job).collect();
        state.reason.clone_from(&trouble.reason);
        drop(state);
        tracing::warn!(
            mails = waiting.len(),
            pause_ms = retry_at.0 - now.0,
            "the mail relay is in trouble"
        );
        for job in waiting {
            let reason = trouble.reason.clone();
            job.end(Outcome::Relay { reason, retry_at });
        }
    }

    pub(super) fn answered(self: &Arc<Self>) {
        let mut state = self.state();
        let before = state.pace.limit();
        state.pace.answered();
        if state.pace.limit() > before {
            self.wake_all(&mut state);
        }
    }

    pub(super) fn slow(&self) {
        self.state().pace.slow();
    }

    /// A final dot is about to be written.
    pub(super) fn dot(&self, job: &Job) {
        self.dots.fetch_add(1, Ordering::AcqRel);
        job.mail.dot.store(true, Ordering::Release);
    }

    /// The final dot was answered, or never will be.
    pub(super) fn dot_done(&self) {
        self.dots.fetch_sub(1, Ordering::AcqRel);
    }

    /// A connection is ready.
    pub(super) fn opened(&self, slot: usize) {
        self.state().slots[slot].phase = Phase::Busy;
    }

    /// A connection has ended; what waits needs another one.
    pub(super) fn closed(self: &Arc<Self>, slot: usize) {
        let mut state = self.state();
        state.slots[slot].phase = Phase::Closed;
        if self.stop.is_cancelled() {
            let now = state.now();
            let waiting: Vec<Job> = state.waiting.iter_mut().flat_map(std::mem::take).collect();
            drop(state);
            for job in waiting {
                let retry_at = now.plus_ms(SOON.as_millis() as i64);
                job.end(Outcome::Relay {
                    reason: "the server is stopping".into(),
                    retry_at,
                });
            }
        } else {
            self.wake_all(&mut state);
        }
    }
}

impl State {
    fn now(&self) -> Moment {
        self.clock.0.plus_ms(self.clock.1.elapsed().as_millis() as i64)
    }

    fn open(&self) -> usize {
        self.slots.iter().filter(|slot| slot.phase != Phase::Closed).count()
    }

    /// The most urgent mail, from a lane on, that this connection may take and that is still wanted.
    fn take(&mut self, slot: usize, reserved: usize, from: Lane) -> Option<Job> {
        let limit = self.pace.limit();
        for lane in [Lane::Critical, Lane::Normal, Lane::Bulk] {
            if lane < from || !takes(slot, limit, reserved, lane) {
                continue;
            }
            while let Some(job) = self.waiting[lane as usize].pop_front() {
                if !job.answer.is_closed() {
                    return Some(job);
                }
            }
        }
        None
    }
}

/// Whether the connection of a number takes mail of a lane, when so many may be open.
fn takes(slot: usize, limit: usize, reserved: usize, lane: Lane) -> bool {
    if limit < 3 * reserved {
        return true;
    }
    match slot {
        _ if slot < reserved => lane == Lane::Critical,
        _ if slot < 2 * reserved => lane == Lane::Bulk,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_connections_are_for_one_lane_where_there_are_enough() {
        let who = |limit, lane| {
            (0..limit)
                .filter(|slot| takes(*slot, limit, 2, lane))
                .collect::<Vec<_>>()
        };
        assert_eq!(who(8, Lane::Critical), [0, 1, 4, 5, 6, 7]);
        assert_eq!(who(8, Lane::Normal), [4, 5, 6, 7]);
        assert_eq!(who(8, Lane::Bulk), [2, 3, 4, 5, 6, 7]);
        assert_eq!(who(5, Lane::Normal), [0, 1, 2, 3, 4]);
    }
}
