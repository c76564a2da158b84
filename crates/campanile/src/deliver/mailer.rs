//! Hands mails to the relay's connections, and writes down what became of them.
//!
//! One task, and nothing in it waits: what can be sent is under way, at most one transaction writes outcomes, at most
//! one takes new work. Outcomes gather while a transaction is under way, so its cost is shared by as many as the relay
//! answers meanwhile. A chunk's people are written down as begun ahead of them, in windows.

mod active;
mod letters;
mod outcome;
mod queue;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use campanile_core::id::MessageId;
use campanile_core::message::Channel;
use campanile_core::outbox::Worker;
use campanile_core::outbox::delivery::{End, Settled};
use campanile_core::outbox::reader::{self, Reader, ToMail, WhyNot};
use campanile_core::outbox::run::Lane;
use campanile_core::time::Moment;
use campanile_store::Tx;
use futures_util::future::{BoxFuture, FutureExt as _, OptionFuture};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio_util::task::TaskTracker;

use self::active::Active;
use self::letters::Letters;
use self::outcome::{From, addressed, failed, smtp_mail, untried};
use self::queue::{Batch, Found, Room, Row};
use super::mail::Office;
use super::smtp::{self, Outcome, Pool};
use super::{AGAIN_MS, LOOK_MS, Station, announced, give_up_at};
use crate::app::App;

/// People of a chunk that are written down as begun ahead of their mails: as many are in doubt if the server dies.
const AHEAD: usize = 256;
/// Chunks of one lane in hand: many small ones, or a few of a thousand people.
const CHUNKS: usize = 64;
/// No more chunks of a lane are taken while so many people of it are in hand.
const PEOPLE: usize = 3_000;
/// Rows of one lane in hand.
const ROWS: usize = 64;
/// Mails under way for each connection: one is sent, one stands behind it, the others wait for the transaction.
const PER_CONNECTION: usize = 4;
/// Leases are renewed so often.
const RENEW_MS: i64 = 8_000;
/// RFC 5321, section 4.5.4.1: give up after four to five days.
const GIVE_UP_MS: i64 = 5 * 24 * 60 * 60 * 1_000;

/// A mail that was answered.
struct Answered {
    from: From,
    lane: Lane,
    reader: Reader,
    mail: Arc<ToMail>,
    at: Moment,
    took_ms: i64,
    outcome: Outcome,
}

/// Of each note whether the chunk is still ours, and those who were looked up for it.
type Written = Vec<(bool, Vec<Reader>)>;

struct Mailer {
    app: Arc<App>,
    worker: Worker,
    signs_slowly: bool,
    pool: Pool,
    limit: usize,
    letters: Letters,
    active: Vec<Active>,
    rows: VecDeque<Row>,
    rows_in_hand: usize,
    number: u64,
    in_flight: [usize; 3],
    flying: FuturesUnordered<BoxFuture<'static, Answered>>,
    /// Of rows, not written down yet.
    pending: Batch,
    last_tenant: [i64; 3],
    /// The relay is in trouble until then.
    paused_until: Moment,
    renew_at: Moment,
    /// The database had an error: nothing is written before.
    write_at: Moment,
    /// The last look found something, so there may be more.
    is_more: bool,
}

/// Sends mails until the server stops; then waits for those on the wire.
pub(super) async fn run(station: &Station, office: Office) {
    let tasks = TaskTracker::new();
    let app = Arc::clone(&station.app);
    let limit = office.pool.connections.max(1) * PER_CONNECTION;
    let pool = Pool::new(office.pool, tasks.clone(), app.shutdown().clone());
    let mut mailer = Mailer {
        worker: station.worker,
        signs_slowly: office.stationery.signs_slowly(),
        letters: Letters::new(office.stationery),
        pool,
        limit,
        active: Vec::new(),
        rows: VecDeque::new(),
        rows_in_hand: 0,
        number: 0,
        in_flight: [0; 3],
        flying: FuturesUnordered::new(),
        pending: Batch::default(),
        last_tenant: [i64::MIN; 3],
        paused_until: Moment(i64::MIN),
        renew_at: app.clock.now().plus_ms(RENEW_MS),
        write_at: Moment(i64::MIN),
        is_more: false,
        app,
    };
    mailer.work().await;
    tasks.close();
    tasks.wait().await;
}

impl Mailer {
    async fn work(&mut self) {
        let app = Arc::clone(&self.app);
        let mut signals = app.db.signals();
        let (mut write, mut look) = (None, None);
        let (mut look_at, mut stopping) = (Moment(i64::MIN), false);
        loop {
            let now = app.clock.now();
            if !stopping {
                self.hand_out(now);
            }
            if write.is_none()
                && now >= self.write_at
                && let Some(batch) = self.batch(now, stopping)
            {
                write = Some(self.write(batch, now));
            }
            if self.is_more && self.has_room() {
                look_at = now;
            }
            if look.is_none() && !stopping && now >= look_at && now >= self.paused_until {
                (look_at, self.is_more) = (now.plus_ms(LOOK_MS), false);
                look = Some(self.look(now));
            }
            if stopping && self.flying.is_empty() && write.is_none() && self.is_settled() {
                return;
            }
            let looks = if look.is_some() { Moment::NEVER } else { look_at };
            let later = [self.paused_until, self.write_at].into_iter().filter(|at| *at > now);
            let wake = later.fold(self.renew_at.min(looks), Moment::min);
            tokio::select! {
                Some(answered) = self.flying.next(), if !self.flying.is_empty() => {
                    self.answered(answered);
                    while let Some(Some(answered)) = self.flying.next().now_or_never() {
                        self.answered(answered);
                    }
                }
                Some((batch, result)) = OptionFuture::from(write.as_mut()) => {
                    write = None;
                    self.written(batch, result);
                }
                Some(found) = OptionFuture::from(look.as_mut()) => {
                    look = None;
                    let now = app.clock.now();
                    match found {
                        Ok(found) => {
                            look_at = look_at.min(found.next_due.unwrap_or(Moment::NEVER));
                            self.take_in(found);
                        }
                        Err(error) => {
                            tracing::warn!(%error, "the outbox cannot be read; trying again");
                            look_at = now.plus_ms(AGAIN_MS);
                        }
                    }
                }
                heard = announced(&mut signals, Channel::Email.bit()), if !stopping => {
                    look_at = if heard { app.clock.now() } else { Moment::NEVER };
                }
                () = app.clock.until(wake), if !stopping || self.write_at > now => {}
                () = app.shutdown().cancelled(), if !stopping => {
                    stopping = true;
                    self.pending.put_back.extend(self.rows.drain(..).map(|row| row.taken));
                }
            }
        }
    }

    /// Nothing is in hand any more.
    fn is_settled(&self) -> bool {
        self.active.is_empty() && self.pending.is_empty()
    }

    fn has_room(&self) -> bool {
        self.rows_in_hand < ROWS || Lane::ALL.into_iter().any(|lane| self.room_of(lane).chunks > 0)
    }

    fn room_of(&self, lane: Lane) -> Room {
        let of_lane = || self.active.iter().filter(|active| active.chunk.lane == lane);
        let people = PEOPLE.saturating_sub(of_lane().map(Active::waiting).sum());
        let chunks = CHUNKS.saturating_sub(of_lane().count());
        Room {
            lane,
            chunks: if people == 0 { 0 } else { chunks },
            people,
        }
    }

    /// Takes chunks and rows for which there is room, and looks again at the messages in hand.
    fn look(&self, now: Moment) -> BoxFuture<'static, campanile_core::Result<Found>> {
        let room = Lane::ALL.map(|lane| self.room_of(lane));
        let (worker, tenants, rows) = (self.worker, self.last_tenant, ROWS - self.rows_in_hand.min(ROWS));
        let mut messages: Vec<MessageId> = self.active.iter().map(|active| active.chunk.message).collect();
        messages.sort_unstable();
        messages.dedup();
        let app = Arc::clone(&self.app);
        Box::pin(async move {
            let take = move |tx: &mut Tx<'_>| queue::take(tx, worker, room, tenants, rows, now);
            let (chunks, rows, next_due) = app.db.jot(take).await?;
            let read = move |tx: &mut Tx<'_>| queue::find(tx, chunks, rows, &messages, now);
            let mut found = app.db.read(read).await?;
            found.next_due = next_due;
            Ok(found)
        })
    }

    fn take_in(&mut self, found: Found) {
        self.is_more = !(found.chunks.is_empty() && found.rows.is_empty());
        for mail in found.refreshed {
            for active in &mut self.active {
                if active.chunk.message == mail.message.id {
                    active.mail = Arc::clone(&mail);
                }
            }
        }
        for (chunk, mail, readers) in found.chunks {
            self.number += 1;
            self.last_tenant[chunk.lane as usize] = chunk.tenant;
            self.active.push(Active::new(self.number, chunk, mail, readers));
        }
        self.rows_in_hand += found.rows.len();
        self.rows.extend(found.rows);
    }

    /// Sends as many as there is room for: the more urgent lanes first, the chunks of a lane in turns.
    fn hand_out(&mut self, now: Moment) {
        if now < self.paused_until {
            return;
        }
        for lane in Lane::ALL {
            let mut any = true;
            while any && self.in_flight[lane as usize] < self.limit {
                any = false;
                for at in 0..self.active.len() {
                    if self.active[at].chunk.lane != lane || self.in_flight[lane as usize] >= self.limit {
                        continue;
                    }
                    if let Some((place, reader)) = self.active[at].next() {
                        let from = From::Chunk(self.active[at].number, place);
                        let mail = Arc::clone(&self.active[at].mail);
                        self.active[at].in_flight += 1;
                        let person = i64::from(self.active[at].chunk.people[place]);
                        self.begin(from, lane, person, reader, mail, now);
                        any = true;
                    }
                }
                let row = self.rows.iter().position(|row| row.taken.lane == lane);
                if let Some(row) = row.and_then(|at| self.rows.remove(at)) {
                    self.begin(From::Row(row.taken), lane, row.taken.target, row.reader, row.mail, now);
                    any = true;
                }
            }
        }
    }

    /// Puts one mail on its way, or says why it does not leave.
    fn begin(&mut self, from: From, lane: Lane, person: i64, reader: Option<Reader>, mail: Arc<ToMail>, now: Moment) {
        let why_not = reader
            .as_ref()
            .map_or(Some(WhyNot::Deactivated), |reader| reader.why_not);
        let Some(reader) = reader.filter(|_| why_not.is_none()) else {
            let why_not = why_not.unwrap_or(WhyNot::Deactivated);
            self.settle(from, untried(person, why_not, now));
            return;
        };
        if now > give_up_at(mail.tried_from, mail.message.window, GIVE_UP_MS) {
            let reason = "the message's time was over before it could be sent".to_owned();
            self.settle(from, failed(&reader, None, reason, now, 0));
            return;
        }
        let letter = self.letters.of(&mail, reader.language.as_deref());
        let (pool, is_slow) = (self.pool.clone(), self.signs_slowly);
        self.in_flight[lane as usize] += 1;
        self.flying.push(Box::pin(async move {
            let begun = Instant::now();
            let outcome = match addressed(letter, &reader, is_slow).await {
                Ok(mail) => pool.send(smtp_mail(mail, lane), now).await,
                Err(reason) => Outcome::Dead {
                    code: None,
                    reason,
                    suppress: false,
                },
            };
            Answered {
                from,
                lane,
                reader,
                mail,
                at: now,
                took_ms: begun.elapsed().as_millis() as i64,
                outcome,
            }
        }));
    }

    fn answered(&mut self, answered: Answered) {
        let Answered {
            from,
            lane,
            reader,
            mail,
            at,
            took_ms,
            outcome,
        } = answered;
        self.in_flight[lane as usize] -= 1;
        if outcome.is_answer() {
            self.app.relay.works();
        }
        let code = |code: Option<u16>| code.map(i64::from);
        let settled = match outcome {
            Outcome::Done { code, .. } => Settled::sent(reader.person.0, Some(i64::from(code)), at, took_ms),
            Outcome::Dead {
                code: of,
                reason,
                suppress,
            } => {
                if suppress {
                    let address = reader.email_key.clone();
                    self.pending.suppress.push((address, reason.clone(), mail.message.id));
                }
                failed(&reader, code(of), reason, at, took_ms)
            }
            Outcome::Retry {
                code: of,
                reason,
                doubtful,
            } => {
                let attempts = from.attempts() + 1;
                let pause = smtp::next_try(u32::try_from(attempts).unwrap_or(u32::MAX));
                let again = at.plus_ms(took_ms + pause.as_millis() as i64);
                let settled = if again > give_up_at(mail.tried_from, mail.message.window, GIVE_UP_MS) {
                    failed(
                        &reader,
                        code(of),
                        format!("{reason}; the next try would come too late"),
                        at,
                        took_ms,
                    )
                } else {
                    let again = End::Again {
                        at: again,
                        counts: true,
                    };
                    Settled {
                        end: again,
                        ..failed(&reader, code(of), reason, at, took_ms)
                    }
                };
                Settled { doubtful, ..settled }
            }
            Outcome::Relay { reason, retry_at } => {
                self.relay_fails(&reason, retry_at);
                self.put_back(from, reader);
                return;
            }
        };
        self.landed(from);
        self.settle(from, settled);
    }

    /// The relay does not take mail: nobody's try is burnt.
    fn relay_fails(&mut self, reason: &str, retry_at: Moment) {
        self.app.relay.fails(reason, self.app.clock.now(), retry_at);
        if self.paused_until < retry_at {
            tracing::warn!(reason, retry_at = %retry_at, "the mail relay is in trouble; mails wait");
            self.paused_until = retry_at;
        }
    }

    fn landed(&mut self, from: From) {
        if let From::Chunk(number, _) = from
            && let Some(active) = self.active.iter_mut().find(|active| active.number == number)
        {
            active.in_flight -= 1;
        }
    }

    fn put_back(&mut self, from: From, reader: Reader) {
        self.landed(from);
        match from {
            From::Chunk(number, place) => {
                if let Some(active) = self.active.iter_mut().find(|active| active.number == number) {
                    active.put_back(place, reader);
                }
            }
            From::Row(taken) => self.pending.put_back.push(taken),
        }
    }

    fn settle(&mut self, from: From, settled: Settled) {
        self.app.leaving.tried("email", settled.end.counted());
        match from {
            From::Chunk(number, place) => {
                // One that is not there any more was lost: what became of its people is in doubt.
                if let Some(active) = self.active.iter_mut().find(|active| active.number == number) {
                    active.settle(place, settled);
                }
            }
            From::Row(taken) => self.pending.rows.push((taken, settled)),
        }
    }

    /// What is to be written down now.
    fn batch(&mut self, now: Moment, stopping: bool) -> Option<Batch> {
        let renew = now >= self.renew_at;
        if renew {
            self.renew_at = now.plus_ms(RENEW_MS);
        }
        let mut batch = std::mem::take(&mut self.pending);
        batch.notes = self
            .active
            .iter_mut()
            .filter_map(|active| active.note(stopping, renew))
            .collect();
        (!batch.is_empty()).then_some(batch)
    }

    fn write(&self, batch: Batch, now: Moment) -> BoxFuture<'static, (Arc<Batch>, campanile_core::Result<Written>)> {
        let (app, batch) = (Arc::clone(&self.app), Arc::new(batch));
        Box::pin(async move {
            let written = Arc::clone(&batch);
            let kept = app.db.jot(move |tx| queue::write(tx, &written, now)).await;
            let kept = match kept {
                Ok(kept) => kept,
                Err(error) => return (batch, Err(error)),
            };
            let wanted = Arc::clone(&batch);
            let read = move |tx: &mut Tx<'_>| {
                let readers = wanted
                    .notes
                    .iter()
                    .map(|note| reader::readers(tx, &note.load.1, note.importance, now));
                readers.collect::<campanile_core::Result<Vec<_>>>()
            };
            let readers = app.db.read(read).await;
            let all = readers.map(|readers| kept.into_iter().zip(readers).collect());
            (batch, all)
        })
    }

    fn written(&mut self, batch: Arc<Batch>, result: campanile_core::Result<Written>) {
        let batch = Arc::try_unwrap(batch).unwrap_or_else(|shared| shared.copy());
        match result {
            Ok(written) => {
                self.rows_in_hand -= batch.rows.len() + batch.put_back.len();
                self.is_more |= !batch.rows.is_empty();
                for (note, (kept, readers)) in batch.notes.into_iter().zip(written) {
                    let Some(at) = self.active.iter().position(|active| active.number == note.number) else {
                        continue;
                    };
                    if !kept {
                        tracing::warn!(message = %note.chunk.message, "another server took a chunk over");
                    }
                    if !kept || note.release || note.chunk.is_done() {
                        self.active.swap_remove(at);
                        self.is_more = true;
                    } else {
                        self.active[at].was_written(&note, readers);
                    }
                }
            }
            Err(error) => {
                tracing::warn!(%error, "outcomes of mails could not be written down; trying again");
                self.write_at = self.app.clock.now().plus_ms(AGAIN_MS);
                self.pending.restore(batch, &mut self.active);
            }
        }
    }
}
