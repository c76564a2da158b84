//! Tells devices: lists those of a message, posts to their push services, and writes down what became of it.
//!
//! One task. A push service that has too much to do is left alone until the time that it names, whatever device is
//! next. A push is small, and made twice it replaces itself, so nothing is kept ahead and nothing is in doubt.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;
use campanile_core::message::{self, funnel};
use campanile_core::outbox::device;
use campanile_core::outbox::post::{Headers, Proxy};
use campanile_core::outbox::push::{self, End, Found, Taken, ToPush};
use campanile_core::revision::topic;
use campanile_core::time::Moment;
use campanile_core::{Error, Result};
use campanile_store::{Signal, Tx};
use tokio::task::JoinSet;

use super::http::{self, Outcome, Request};
use super::push::{encrypt, headers, note};
use super::{AGAIN_MS, LOOK_MS, Outward, Station};
use crate::app::App;
use crate::signals::heard;
use crate::vapid;

/// Pushes under way.
const IN_FLIGHT: usize = 32;
/// What is under way already, or rests, is looked at again so much later.
const LATER_MS: i64 = 1_000;
/// Push services that are known to rest.
const RESTING: usize = 1_000;

/// A push that was answered.
struct Answered {
    taken: Taken,
    end: End,
    /// Its push service asks to be left alone until then.
    rests: Option<(u64, Moment)>,
}

struct Pusher {
    app: Arc<App>,
    outward: Arc<Outward>,
    flying: JoinSet<Answered>,
    /// What is under way, so that a later word on a message does not overtake an earlier one.
    under_way: HashSet<(String, i64)>,
    rests: HashMap<u64, Moment>,
    /// There is a device: what moves of a message may have to be told.
    is_needed: bool,
    ended: Vec<(Taken, End)>,
}

/// Pushes until the server stops; then waits for what is under way, which each attempt's time limits.
pub(super) async fn run(station: &Station, outward: &Arc<Outward>) {
    let mut pusher = Pusher {
        app: Arc::clone(&station.app),
        outward: Arc::clone(outward),
        flying: JoinSet::new(),
        under_way: HashSet::new(),
        rests: HashMap::new(),
        is_needed: true,
        ended: Vec::new(),
    };
    pusher.work().await;
}

impl Pusher {
    async fn work(&mut self) {
        let app = Arc::clone(&self.app);
        let mut signals = app.db.signals();
        loop {
            let stopping = app.shutdown().is_cancelled();
            let looked = self.look(stopping).await;
            if stopping && self.flying.is_empty() {
                return;
            }
            let until = looked.unwrap_or_else(|error| {
                tracing::warn!(%error, "devices cannot be told; trying again");
                app.clock.now().plus_ms(AGAIN_MS)
            });
            let is_needed = self.is_needed;
            let is_news = |signal: &Signal| signal.topic == topic::PUSH || is_needed && signal.topic == topic::MESSAGE;
            tokio::select! {
                Some(joined) = self.flying.join_next(), if !self.flying.is_empty() => self.joined(joined),
                () = app.shutdown().cancelled(), if !stopping => {}
                () = app.clock.until(until), if !stopping => {}
                heard = heard(&mut signals, is_news), if !stopping => if !heard { return },
            }
            while let Some(joined) = self.flying.try_join_next() {
                self.joined(joined);
            }
        }
    }

    /// Writes down what ended, lists what is to be listed, and begins what is due; when to look again.
    async fn look(&mut self, stopping: bool) -> Result<Moment> {
        let now = self.app.clock.now();
        if !self.ended.is_empty() {
            let ended = self.ended.clone();
            self.app.db.jot(move |tx| push::settle(tx, &ended, now)).await?;
            for (_, end) in self.ended.drain(..) {
                self.app.leaving.tried("push", end.counted());
            }
        }
        if stopping {
            return Ok(Moment::NEVER);
        }
        // What is quickly looked for, so that nothing is written while there is nothing.
        let look = |tx: &mut Tx<'_>| Ok::<_, Error>((device::any(tx)?, push::next_due(tx)?));
        let (is_needed, due) = self.app.db.read(look).await?;
        self.is_needed = is_needed;
        let later = now.plus_ms(LOOK_MS);
        match due {
            Some(due) if due <= now => {}
            due => return Ok(due.map_or(later, |due| due.min(later))),
        }
        // A page at a time: what is more urgent does not wait for a long list.
        let listed = list(&self.app, now).await?;
        let room = IN_FLIGHT - self.flying.len();
        let taken = if room == 0 {
            Vec::new()
        } else {
            self.app.db.jot(move |tx| push::take(tx, room as i64, now)).await?
        };
        let is_over = taken.is_empty() && !listed;
        self.begin(taken, now).await?;
        // There may be more, and some ended without being posted.
        Ok(if is_over { later } else { now })
    }

    /// Begins what was taken, where it is still wanted.
    async fn begin(&mut self, taken: Vec<Taken>, now: Moment) -> Result<()> {
        self.rests.retain(|_, until| *until > now);
        let (key, lists) = (self.app.key.clone(), Arc::clone(&self.app.lists));
        let load = move |tx: &mut Tx<'_>| {
            let load = |taken: Taken| Ok((push::load(tx, &key, &lists, &taken, now)?, taken));
            taken.into_iter().map(load).collect::<Result<Vec<_>>>()
        };
        for (found, taken) in self.app.db.read(load).await? {
            match found {
                Found::Unwanted => self.ended.push((taken, End::Unwanted)),
                Found::Sealed => self.ended.push((taken, End::Gone)),
                Found::Wanted(to_push) => self.one(taken, *to_push, now),
            }
        }
        Ok(())
    }

    fn one(&mut self, taken: Taken, to_push: ToPush, now: Moment) {
        let again = |at| End::Again {
            at,
            counts: false,
            code: None,
        };
        if let Some(until) = self.rests.get(&device::share(&to_push.endpoint)) {
            return self.ended.push((taken, again(*until)));
        }
        let name = (taken.device.clone(), taken.message.0);
        if !self.under_way.insert(name) {
            return self.ended.push((taken, again(now.plus_ms(LATER_MS))));
        }
        let (app, outward) = (Arc::clone(&self.app), Arc::clone(&self.outward));
        self.flying.spawn(async move {
            let share = device::share(&to_push.endpoint);
            let outcome = match request(&app, &taken, to_push).await {
                Some(request) => {
                    let at = app.clock.now();
                    http::post(outward.client(&app), &request, at, http::chance(&app.chance)).await
                }
                None => Outcome::Dead {
                    reason: "it cannot be encrypted for the device".into(),
                    code: None,
                    gone: false,
                },
            };
            judged(taken, share, &outcome)
        });
    }

    fn joined(&mut self, joined: std::result::Result<Answered, tokio::task::JoinError>) {
        // One that panicked is due again when its time is over.
        let Ok(answered) = joined else {
            tracing::error!("a push panicked; it is made again");
            return;
        };
        self.under_way
            .remove(&(answered.taken.device.clone(), answered.taken.message.0));
        if let Some((share, until)) = answered.rests
            && self.rests.len() < RESTING
        {
            self.rests.insert(share, until);
        }
        self.ended.push((answered.taken, answered.end));
    }
}

/// Lists devices of the most urgent message that waits for it; whether there was one.
async fn list(app: &App, now: Moment) -> Result<bool> {
    let Some(run) = app.db.jot(move |tx| push::take_run(tx, now)).await? else {
        return Ok(false);
    };
    let (residents, crowds) = (Arc::clone(&app.residents), Arc::clone(&app.crowds));
    let work = move |tx: &mut Tx<'_>| {
        let message = message::find(tx, run.message)?;
        let residents = residents.at(tx)?;
        let people = funnel::frozen(tx, &residents, &crowds, &message)?;
        drop(residents);
        push::page(tx, &run, &people, &message)
    };
    let page = app.db.scan(work).await?;
    app.db.jot(move |tx| push::store(tx, &run, &page)).await?;
    Ok(true)
}

/// The request; `None` where the device's key is none.
async fn request(app: &App, taken: &Taken, to_push: ToPush) -> Option<Request> {
    let now = app.clock.now();
    let pair = vapid::pair(app).await.ok()?;
    let note = note(&app.key, &app.origin, taken.message, &to_push, now);
    let authorization = pair.authorization(&to_push.endpoint.origin().ascii_serialization(), now);
    let own = headers(&note, &authorization)?;
    let body = encrypt::encrypted(
        &to_push.p256dh,
        &to_push.auth,
        note.text.as_bytes(),
        &app.chance.bytes(),
    )?;
    Some(Request {
        url: to_push.endpoint,
        headers: Headers::default(),
        proxy: Proxy::Default,
        body: Bytes::from(body),
        id: String::new(),
        secrets: Vec::new(),
        own: Some(own),
        attempt: u32::try_from(taken.attempts + 1).unwrap_or(u32::MAX),
        give_up_at: to_push.until,
    })
}

/// What an answer means for the device (RFC 8030, sections 7.3 and 8.4; what services answer besides).
fn judged(taken: Taken, share: u64, outcome: &Outcome) -> Answered {
    let failed = |code: Option<u16>| End::Failed {
        code: code.map(i64::from),
    };
    let mut rests = None;
    let end = match outcome {
        Outcome::Done { .. } => End::Sent,
        Outcome::Dead { gone: true, .. }
        | Outcome::Retry { code: Some(404), .. }
        | Outcome::Dead { code: Some(404), .. } => End::Gone,
        // Asked again the same way they answer the same.
        Outcome::Retry {
            code: code @ Some(400 | 401 | 403 | 413),
            ..
        }
        | Outcome::Dead { code, .. } => failed(*code),
        Outcome::Retry {
            at, code, throttled, ..
        } => {
            rests = throttled.then_some((share, *at));
            End::Again {
                at: *at,
                counts: true,
                code: code.map(i64::from),
            }
        }
        Outcome::Ours { at, .. } => End::Again {
            at: *at,
            counts: false,
            code: None,
        },
    };
    Answered { taken, end, rests }
}
