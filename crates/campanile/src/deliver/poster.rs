//! Makes POSTs, and writes down what became of them.
//!
//! One task. It takes no more than can be begun at once, since what is taken is in doubt if the server dies; targets
//! take turns, each has few under way, and one that failed is asked one at a time until it answers.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
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

use super::http::{self, Client, Outcome, Request};
use super::{AGAIN_MS, LOOK_MS, Station, announced, connector, give_up_at, guard};
use crate::app::App;

/// POSTs under way; critical ones alone may use the last part.
const IN_FLIGHT: usize = 128;
/// Kept free for critical messages.
const RESERVED: usize = 16;
/// POSTs under way to one target.
const PER_TARGET: usize = 8;
/// A target that has too much to do is left alone for so long at most; what waits for it has times of its own.
const REST_MS: i64 = 60_000;
/// Standard Webhooks' schedule is over after so long.
const GIVE_UP_MS: i64 = 76 * 60 * 60 * 1_000;

/// What is known of a target, while there is something under way or it fails.
#[derive(Debug, Clone, Copy, Default)]
struct Target {
    in_flight: usize,
    /// The last answer was a failure.
    is_failing: bool,
    /// It asked to be left alone until then.
    rests_until: Moment,
}

impl Target {
    fn room(self, now: Moment) -> usize {
        let most = if self.is_failing { 1 } else { PER_TARGET };
        if self.rests_until > now {
            0
        } else {
            most.saturating_sub(self.in_flight)
        }
    }
}

impl Target {
    /// What an answer says of it.
    fn learn(&mut self, answered: &Answered) {
        self.is_failing = !matches!(answered.outcome, Outcome::Done { .. } | Outcome::Ours { .. });
        if let Outcome::Retry {
            at, throttled: true, ..
        } = answered.outcome
        {
            self.rests_until = at.min(answered.at.plus_ms(REST_MS));
        }
    }
}

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
    client: Arc<OnceLock<Client>>,
    own: Arc<[SocketAddr]>,
    worker: campanile_core::outbox::Worker,
    targets: HashMap<i64, Target>,
    in_flight: usize,
    /// The target that had the last turn.
    last: i64,
    flying: JoinSet<Answered>,
    /// Who is under way, by the task's id.
    taken: HashMap<Id, Taken>,
    pending: Vec<Done>,
    write_at: Moment,
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
type Found = (Vec<(Taken, Option<ToPost>)>, Option<Moment>);

/// Posts until the server stops; then waits for what is under way, which each attempt's time limits.
pub(super) async fn run(station: &Station, own: Vec<SocketAddr>) {
    let mut poster = Poster {
        app: Arc::clone(&station.app),
        client: Arc::default(),
        own: own.into(),
        worker: station.worker,
        targets: HashMap::new(),
        in_flight: 0,
        last: i64::MIN,
        flying: JoinSet::new(),
        taken: HashMap::new(),
        pending: Vec::new(),
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
            if look.is_none() && !stopping && now >= look_at && self.in_flight < IN_FLIGHT {
                look_at = now.plus_ms(LOOK_MS);
                look = Some(self.look(now));
            }
            if stopping && self.flying.is_empty() && write.is_none() && look.is_none() && self.pending.is_empty() {
                return;
            }
            let looks = if look.is_some() || stopping {
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
                    // Its place is free for what may wait for the same target.
                    look_at = look_at.min(app.clock.now());
                }
                Some((batch, result)) = OptionFuture::from(write.as_mut()) => {
                    write = None;
                    if let Err(error) = result {
                        tracing::warn!(%error, "outcomes of posts could not be written down; trying again");
                        self.write_at = app.clock.now().plus_ms(AGAIN_MS);
                        self.pending.splice(0..0, batch);
                    }
                }
                Some(found) = OptionFuture::from(look.as_mut()) => {
                    look = None;
                    match found {
                        Ok((found, next_due)) => {
                            look_at = look_at.min(next_due.unwrap_or(Moment::NEVER));
                            self.begin_all(found);
                        }
                        Err(error) => {
                            tracing::warn!(%error, "the outbox cannot be read; trying again");
                            look_at = app.clock.now().plus_ms(AGAIN_MS);
                        }
                    }
                }
                heard = announced(&mut signals, Channel::Http.bit()), if !stopping => {
                    look_at = if heard { app.clock.now() } else { Moment::NEVER };
                }
                () = app.clock.until(wake), if wake < Moment::NEVER => {}
                () = app.shutdown().cancelled(), if !stopping => stopping = true,
            }
        }
    }

    /// Takes what is due, of the targets in turns, where there is room.
    fn look(&self, now: Moment) -> BoxFuture<'static, campanile_core::Result<Found>> {
        let (app, worker, last) = (Arc::clone(&self.app), self.worker, self.last);
        let (targets, room) = (self.targets.clone(), IN_FLIGHT - self.in_flight);
        Box::pin(async move {
            let lanes = app.db.read(|tx| {
                let lanes = Lane::ALL.map(|lane| delivery::shares(tx, Channel::Http, lane).map(|of| (lane, of)));
                lanes.into_iter().collect::<campanile_core::Result<Vec<_>>>()
            });
            let plan = plan(lanes.await?, &targets, room, last, now);
            if plan.wanted.is_empty() {
                return Ok((Vec::new(), plan.next_due));
            }
            let key = app.key.clone();
            let take = move |tx: &mut Tx<'_>| take(tx, worker, &plan.wanted, &key, now);
            Ok((app.db.jot(take).await?, plan.next_due))
        })
    }

    fn begin_all(&mut self, found: Vec<(Taken, Option<ToPost>)>) {
        for (taken, to_post) in found {
            self.last = taken.share;
            self.in_flight += 1;
            self.targets.entry(taken.share).or_default().in_flight += 1;
            let (app, client, own) = (Arc::clone(&self.app), Arc::clone(&self.client), Arc::clone(&self.own));
            let task = self.flying.spawn(async move {
                let (begun, at) = (Instant::now(), app.clock.now());
                let endpoint = to_post.as_ref().and_then(|to_post| to_post.endpoint);
                let outcome = match request(&app.key, &taken, to_post) {
                    Ok(request) => {
                        let client = client.get_or_init(|| client_of(&app, &own));
                        let chance = app.chance.bytes();
                        let chance = u32::from_be_bytes([chance[0], chance[1], chance[2], chance[3]]);
                        http::post(client, &request, at, chance).await
                    }
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
        self.in_flight -= 1;
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
        let target = self.targets.entry(answered.taken.share).or_default();
        target.in_flight = target.in_flight.saturating_sub(1);
        target.learn(&answered);
        if target.in_flight == 0 && !target.is_failing && target.rests_until <= answered.at {
            self.targets.remove(&answered.taken.share);
        }
        self.pending.push(done(answered));
    }

    fn write(&self, batch: Vec<Done>, now: Moment) -> BoxFuture<'static, (Vec<Done>, campanile_core::Result<()>)> {
        let app = Arc::clone(&self.app);
        Box::pin(async move {
            let done = batch.clone();
            let written = app.db.jot(move |tx| write(tx, &done, now)).await;
            (batch, written)
        })
    }
}

/// Writes down what became of posts, and how their endpoints are.
fn write(tx: &mut Tx<'_>, done: &[Done], now: Moment) -> campanile_core::Result<()> {
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

/// What is taken of whom.
struct Plan {
    wanted: Vec<(Lane, i64, i64)>,
    next_due: Option<Moment>,
}

/// Shares the room out: critical ones first, then the targets in turns, beginning after the one that had the last turn.
fn plan(
    lanes: Vec<(Lane, Vec<(i64, Moment)>)>,
    targets: &HashMap<i64, Target>,
    mut room: usize,
    last: i64,
    now: Moment,
) -> Plan {
    let (mut wanted, mut next_due) = (Vec::new(), None::<Moment>);
    let mut taken: HashMap<i64, usize> = HashMap::new();
    for (lane, mut shares) in lanes {
        if lane != Lane::Critical {
            room = room.saturating_sub(if lane == Lane::Normal { RESERVED } else { 0 });
        }
        let after = shares.partition_point(|(share, _)| *share <= last);
        shares.rotate_left(after);
        for (share, due) in shares {
            let target = targets.get(&share).copied().unwrap_or_default();
            let due = due.max(target.rests_until);
            if due > now {
                next_due = Some(next_due.map_or(due, |next| next.min(due)));
                continue;
            }
            let before = taken.entry(share).or_default();
            let some = target.room(now).saturating_sub(*before).min(room);
            if some > 0 {
                wanted.push((lane, share, some as i64));
                *before += some;
                room -= some;
            }
        }
    }
    Plan { wanted, next_due }
}

fn take(
    tx: &mut Tx<'_>,
    worker: campanile_core::outbox::Worker,
    wanted: &[(Lane, i64, i64)],
    key: &InstallationKey,
    now: Moment,
) -> campanile_core::Result<Vec<(Taken, Option<ToPost>)>> {
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

fn client_of(app: &App, own: &[SocketAddr]) -> Client {
    let resolver = Arc::new(guard::System::default());
    Client::new(&app.settings.http, own.to_vec(), resolver, connector::system_roots())
}
