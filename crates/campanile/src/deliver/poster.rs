//! Makes POSTs, and writes down what became of them.
//!
//! One task. Targets take turns, each has few under way and a few more at hand, and one that failed is asked one at a
//! time until it answers; see `turns`. No more than that is taken, since what is taken is in doubt if the server dies.

mod turns;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use campanile_core::message::Channel;
use campanile_core::outbox::delivery::{self, End, Settled, Taken};
use campanile_core::outbox::destination::{self, ToPost};
use campanile_core::outbox::endpoint;
use campanile_core::outbox::run::Lane;
use campanile_core::secret::{InstallationKey, hex};
use campanile_core::time::Moment;
use campanile_store::Tx;
use futures_util::future::{BoxFuture, OptionFuture};
use tokio::task::{Id, JoinError, JoinSet};

use self::turns::{Held, Turns};
use super::http::{self, Outcome, Request};
use super::{AGAIN_MS, LOOK_MS, Outward, Station, announced, give_up_at};
use crate::app::App;

/// Standard Webhooks' schedule is over after so long.
const GIVE_UP_MS: i64 = 76 * 60 * 60 * 1_000;

/// What is to be written down of an answer.
fn done(answered: Answered) -> Done {
    let Answered {
        taken,
        endpoint,
        at,
        took_ms,
        outcome,
    } = answered;
    let again = |at, counts| End::Again { at, counts };
    let (end, code, reason, tells, gone) = match outcome {
        Outcome::Done { code } => (End::Sent, Some(code), None, true, false),
        Outcome::Retry { at, reason, code, .. } => (again(at, true), code, Some(reason), true, false),
        Outcome::Ours { at, reason } => (again(at, false), None, Some(reason), false, false),
        Outcome::Dead { reason, code, gone } => (End::Failed, code, Some(reason), true, gone),
    };
    let settled = Settled {
        target: taken.target,
        end,
        code: code.map(i64::from),
        reason,
        doubtful: false,
        address: None,
        at,
        took_ms,
    };
    Done {
        taken,
        settled,
        endpoint,
        tells,
        gone,
    }
}

/// A POST that was answered.
struct Answered {
    taken: Taken,
    endpoint: Option<i64>,
    at: Moment,
    took_ms: i64,
    outcome: Outcome,
}

struct Poster {
    app: Arc<App>,
    outward: Arc<Outward>,
    worker: campanile_core::outbox::Worker,
    turns: Turns,
    flying: JoinSet<Answered>,
    /// Who is under way, by the task's id.
    taken: HashMap<Id, Taken>,
    pending: Batch,
    write_at: Moment,
}

/// What one transaction writes down.
#[derive(Clone, Default)]
struct Batch {
    done: Vec<Done>,
    /// Taken, and not begun after all.
    put_back: Vec<Taken>,
}

impl Batch {
    fn is_empty(&self) -> bool {
        self.done.is_empty() && self.put_back.is_empty()
    }
}

/// A POST with an outcome.
#[derive(Clone)]
struct Done {
    taken: Taken,
    settled: Settled,
    endpoint: Option<i64>,
    /// The outcome says something of the endpoint.
    tells: bool,
    /// It wants nothing any more.
    gone: bool,
}

/// What one look found: what is to be posted, and when the next is due.
type Found = (Vec<Held>, Option<Moment>);

/// Posts until the server stops; then waits for what is under way, which each attempt's time limits.
pub(super) async fn run(station: &Station, outward: &Arc<Outward>) {
    let mut poster = Poster {
        app: Arc::clone(&station.app),
        outward: Arc::clone(outward),
        worker: station.worker,
        turns: Turns::default(),
        flying: JoinSet::new(),
        taken: HashMap::new(),
        pending: Batch::default(),
        write_at: Moment(i64::MIN),
    };
    poster.work().await;
}

impl Poster {
    async fn work(&mut self) {
        let app = Arc::clone(&self.app);
        let mut signals = app.db.signals();
        let (mut write, mut look) = (None, None);
        let (mut look_at, mut stopping) = (Moment(i64::MIN), false);
        loop {
            let now = app.clock.now();
            if write.is_none() && !self.pending.is_empty() && now >= self.write_at {
                let batch = std::mem::take(&mut self.pending);
                write = Some(self.write(batch, now));
            }
            if look.is_none() && !stopping && now >= look_at && self.turns.has_room() {
                look_at = now.plus_ms(LOOK_MS);
                look = Some(self.look(now));
            }
            if stopping && self.flying.is_empty() && write.is_none() && look.is_none() && self.pending.is_empty() {
                return;
            }
            let looks = if look.is_some() || stopping || !self.turns.has_room() {
                Moment::NEVER
            } else {
                look_at
            };
            let wake = if self.write_at > now {
                self.write_at.min(looks)
            } else {
                looks
            };
            tokio::select! {
                Some(joined) = self.flying.join_next_with_id(), if !self.flying.is_empty() => {
                    self.joined(joined);
                    while let Some(joined) = self.flying.try_join_next_with_id() {
                        self.joined(joined);
                    }
                    self.begin(app.clock.now());
                    // Its place is free for what may wait for the same target.
                    look_at = look_at.min(app.clock.now());
                }
                Some((batch, result)) = OptionFuture::from(write.as_mut()) => {
                    write = None;
                    if self.written(batch, result) {
                        look_at = app.clock.now();
                    }
                }
                Some(found) = OptionFuture::from(look.as_mut()) => {
                    look = None;
                    look_at = self.found(found, look_at);
                    if stopping {
                        self.pending.put_back.extend(self.turns.drain());
                    }
                    self.begin(app.clock.now());
                }
                heard = announced(&mut signals, Channel::Http.bit()), if !stopping => {
                    look_at = if heard { app.clock.now() } else { Moment::NEVER };
                }
                () = app.clock.until(wake), if wake < Moment::NEVER => {}
                () = app.shutdown().cancelled(), if !stopping => {
                    stopping = true;
                    self.pending.put_back.extend(self.turns.drain());
                }
            }
        }
    }

    /// Takes in what a look has found; when to look again.
    fn found(&mut self, found: campanile_core::Result<Found>, look_at: Moment) -> Moment {
        match found {
            Ok((found, next_due)) => {
                self.turns.hold(found);
                look_at.min(next_due.unwrap_or(Moment::NEVER))
            }
            Err(error) => {
                tracing::warn!(%error, "the outbox cannot be read; trying again");
                self.app.clock.now().plus_ms(AGAIN_MS)
            }
        }
    }

    /// A batch was written down, or not. Whether something of it may be due for its target again.
    fn written(&mut self, batch: Batch, result: campanile_core::Result<()>) -> bool {
        let Err(error) = result else {
            return !batch.put_back.is_empty();
        };
        tracing::warn!(%error, "outcomes of posts could not be written down; trying again");
        self.write_at = self.app.clock.now().plus_ms(AGAIN_MS);
        self.pending.done.splice(0..0, batch.done);
        self.pending.put_back.extend(batch.put_back);
        false
    }

    /// Takes what is due, of the targets in turns, where there is room.
    fn look(&self, now: Moment) -> BoxFuture<'static, campanile_core::Result<Found>> {
        let (app, worker, rooms) = (Arc::clone(&self.app), self.worker, self.turns.rooms());
        Box::pin(async move {
            let lanes = app.db.read(|tx| {
                let lanes = Lane::ALL.map(|lane| delivery::shares(tx, Channel::Http, lane).map(|of| (lane, of)));
                lanes.into_iter().collect::<campanile_core::Result<Vec<_>>>()
            });
            let plan = rooms.plan(lanes.await?, now);
            if plan.wanted.is_empty() {
                return Ok((Vec::new(), plan.next_due));
            }
            let key = app.key.clone();
            let take = move |tx: &mut Tx<'_>| take(tx, worker, &plan.wanted, &key, now);
            Ok((app.db.jot(take).await?, plan.next_due))
        })
    }

    /// Begins whatever may be begun; what a target at fault shall not get now goes back.
    fn begin(&mut self, now: Moment) {
        self.pending.put_back.extend(self.turns.surplus(now));
        while let Some((taken, to_post)) = self.turns.next() {
            let (app, outward) = (Arc::clone(&self.app), Arc::clone(&self.outward));
            let task = self.flying.spawn(async move {
                let (begun, at) = (Instant::now(), app.clock.now());
                let endpoint = to_post.as_ref().and_then(|to_post| to_post.endpoint);
                let outcome = match request(&app.key, &taken, to_post) {
                    Ok(request) => http::post(outward.client(&app), &request, at, http::chance(&app.chance)).await,
                    Err(reason) => Outcome::Dead {
                        reason: reason.to_owned(),
                        code: None,
                        gone: false,
                    },
                };
                let took_ms = begun.elapsed().as_millis() as i64;
                Answered {
                    taken,
                    endpoint,
                    at,
                    took_ms,
                    outcome,
                }
            });
            self.taken.insert(task.id(), taken);
        }
    }

    fn joined(&mut self, joined: Result<(Id, Answered), JoinError>) {
        let answered = match joined {
            Ok((id, answered)) => {
                self.taken.remove(&id);
                answered
            }
            Err(error) => {
                let Some(taken) = self.taken.remove(&error.id()) else {
                    return;
                };
                tracing::error!(message = %taken.message, "a post panicked; it counts as a failure");
                let (at, reason) = (
                    self.app.clock.now(),
                    "this server failed while it was being sent".to_owned(),
                );
                Answered {
                    taken,
                    endpoint: None,
                    at,
                    took_ms: 0,
                    outcome: Outcome::Dead {
                        reason,
                        code: None,
                        gone: false,
                    },
                }
            }
        };
        self.turns.landed(&answered);
        let done = done(answered);
        self.app.leaving.tried("http", done.settled.end.counted());
        self.pending.done.push(done);
    }

    fn write(&self, batch: Batch, now: Moment) -> BoxFuture<'static, (Batch, campanile_core::Result<()>)> {
        let app = Arc::clone(&self.app);
        Box::pin(async move {
            let copy = batch.clone();
            let written = app.db.jot(move |tx| write(tx, &copy, now)).await;
            (batch, written)
        })
    }
}

/// Writes down what became of posts, and how their endpoints are; gives back what was not begun.
fn write(tx: &mut Tx<'_>, batch: &Batch, now: Moment) -> campanile_core::Result<()> {
    let done = &batch.done;
    delivery::put_back(tx, &batch.put_back)?;
    let settled: Vec<(Taken, Settled)> = done.iter().map(|one| (one.taken, one.settled.clone())).collect();
    delivery::settle(tx, &settled, now)?;
    // Of each endpoint the last outcome tells how it is.
    let mut last: BTreeMap<i64, &Done> = BTreeMap::new();
    for one in done.iter().filter(|one| one.tells) {
        if let Some(endpoint) = one.endpoint {
            last.insert(endpoint, one);
        }
    }
    for (id, one) in last {
        if one.gone {
            endpoint::gone(tx, id, now)?;
        } else {
            let is_sent = one.settled.end == End::Sent;
            endpoint::note(tx, id, is_sent, one.settled.code, one.settled.reason.as_deref(), now)?;
        }
    }
    Ok(())
}

fn take(
    tx: &mut Tx<'_>,
    worker: campanile_core::outbox::Worker,
    wanted: &[(Lane, i64, i64)],
    key: &InstallationKey,
    now: Moment,
) -> campanile_core::Result<Vec<Held>> {
    let mut out = Vec::new();
    for (lane, share, limit) in wanted {
        for taken in delivery::take(tx, worker, Channel::Http, *lane, *share, *limit, now)? {
            let to_post = destination::load(tx, key, taken.message, taken.target, now)?;
            out.push((taken, to_post));
        }
    }
    Ok(out)
}

/// The request, or why there is none.
fn request(key: &InstallationKey, taken: &Taken, to_post: Option<ToPost>) -> Result<Request, &'static str> {
    let to_post = to_post.ok_or("the destination is not there any more")?;
    if to_post.is_removed {
        return Err("the endpoint was removed");
    }
    let post = to_post
        .post
        .ok_or("its headers or secret cannot be opened: the installation's key is another one")?;
    Ok(Request {
        url: post.url,
        headers: post.headers,
        proxy: post.proxy,
        body: Bytes::from(to_post.text),
        id: webhook_id(key, taken),
        secrets: to_post.secrets,
        own: None,
        attempt: u32::try_from(taken.attempts + 1).unwrap_or(u32::MAX),
        give_up_at: give_up_at(to_post.tried_from, to_post.window, GIVE_UP_MS),
    })
}

/// `webhook-id`: the same at every attempt, and not the same as that of another installation.
fn webhook_id(key: &InstallationKey, taken: &Taken) -> String {
    let (message, number) = (taken.message.0, taken.target);
    let code = key.derive("webhook id", &[&message.to_be_bytes(), &number.to_be_bytes()]);
    format!("msg_{message}_{number}_{}", hex(&code[..8]))
}
