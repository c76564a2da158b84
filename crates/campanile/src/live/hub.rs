//! The one task that knows who listens, and tells them. Everything that moves comes through it in order, so that a
//! stream's first event and those that follow cannot overtake one another.
//!
//! Who is concerned by a message is judged in memory, for all that listen, and so are the numbers that it makes:
//! the event is written once, and leaves with each reader's own number behind it. Whose own state has moved since it
//! was read is read again, a few at a time. While the directory moves, what those hold whom it concerns is read again
//! before the next message is told, and otherwise no more than a quarter of the time.

mod welcome;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use campanile_core::audience::concerned;
use campanile_core::id::{MessageId, PersonId};
use campanile_core::inbox::live::{self, Reader};
use campanile_core::revision::{self, topic};
use campanile_core::time::Moment;
use campanile_core::{Error, Result};
use campanile_store::Signal;
use tokio::sync::broadcast::error::RecvError;

use super::frame::{self, Numbers};
use super::judged::{admitted, judge, read};
use super::log::Log;
use super::{Key, Newcomer, Queue};
use crate::app::App;

/// How often streams are looked after, and a signal that was lost is made up for.
const TURN_MS: i64 = 1_000;
/// A quiet stream hears something so often, in turns.
const BEAT_TURNS: i64 = 15;
/// A stream ends after so many turns, and its client opens another: so the streams of a server that was started anew
/// spread, and rights are asked for again.
const LIFE_TURNS: i64 = 600;
/// Streams of the same age do not end together: up to so many turns more.
const SPREAD_TURNS: i64 = 120;
/// Looks for messages take no more than a quarter of the time; one longer than this counts as so long.
const LONG_LOOK: Duration = Duration::from_millis(20);
/// People looked at in one read.
const LOOK: usize = 50;
/// People counted in memory before others get their turn.
const COUNT: usize = 200;
/// Newcomers welcomed in one go.
const WELCOME: usize = 200;
/// Who comes back after a change of credentials does so within this.
const SOON_MS: u64 = 1_000;
/// Who comes back after the server has stopped does so within this.
const LATER_MS: u64 = 10_000;

/// Somebody who listens.
struct Listener {
    reader: Reader,
    numbers: Numbers,
    /// Without a write, the numbers stand until this time.
    stands_until: Moment,
    streams: Vec<Stream>,
}

struct Stream {
    queue: Arc<Queue>,
    /// The key of a site by which it was opened.
    key: Option<Key>,
    /// The turn at which it ends.
    until: i64,
}

/// Runs until the server stops.
pub async fn run(app: Arc<App>) {
    let Some(mut door) = app.live.door() else { return };
    let mut signals = app.db.signals();
    let mut hub = Hub::new(app);
    let shutdown = hub.app.shutdown().clone();
    loop {
        let next = hub.next_turn();
        tokio::select! {
            biased;
            () = shutdown.cancelled() => break,
            heard = signals.recv() => match heard {
                Ok(heard) => {
                    hub.hear(&heard);
                    while let Ok(heard) = signals.try_recv() {
                        hub.hear(&heard);
                    }
                }
                Err(RecvError::Lagged(_)) => hub.hear_all(),
                Err(RecvError::Closed) => break,
            },
            Some(newcomer) = door.recv() => {
                let mut newcomers = vec![newcomer];
                while newcomers.len() < WELCOME && let Ok(newcomer) = door.try_recv() {
                    newcomers.push(newcomer);
                }
                hub.coming.extend(newcomers);
            }
            () = hub.app.clock.until(next) => hub.turn(),
            () = tokio::time::sleep_until(hub.pause_until), if hub.pauses() => {}
            () = std::future::ready(()), if hub.has_work() => {}
        }
        if hub.pauses() {
            continue;
        }
        if let Err(error) = hub.work().await {
            tracing::warn!(%error, "open pages could not be told what moved; trying again");
            hub.app.clock.until(hub.app.clock.now().plus_ms(TURN_MS)).await;
        }
    }
    hub.close();
}

/// Everything that the task knows.
struct Hub {
    app: Arc<App>,
    listeners: HashMap<PersonId, Listener>,
    coming: VecDeque<Newcomer>,
    /// People whose numbers have to be read, and whether they are told even where these have not changed.
    stale: HashMap<PersonId, bool>,
    /// People with streams that were opened by keys of sites, which may let them in no longer.
    doubted: Vec<PersonId>,
    /// The revision of messages that everybody was told of; -1 before the first look.
    told: i64,
    log: Log,
    has_messages: bool,
    has_directory: bool,
    /// The directory is not followed before this time, unless a message has to be told.
    rest_until: Moment,
    /// Messages are not looked for again before this instant of the machine's own clock: a look costs the same whatever
    /// has moved, and each server looks.
    pause_until: tokio::time::Instant,
    /// The last time that windows were looked at.
    looked: Moment,
    /// When the next one opens or closes.
    boundary: Moment,
    /// The turn that comes next.
    turn: i64,
}

impl Hub {
    fn new(app: Arc<App>) -> Self {
        let now = app.clock.now();
        Self {
            listeners: HashMap::new(),
            coming: VecDeque::new(),
            stale: HashMap::new(),
            doubted: Vec::new(),
            told: -1,
            log: Log::default(),
            has_messages: true,
            has_directory: false,
            rest_until: now,
            pause_until: tokio::time::Instant::now(),
            looked: now,
            boundary: now,
            turn: now.0 / TURN_MS + 1,
            app,
        }
    }

    fn next_turn(&self) -> Moment {
        Moment(self.turn * TURN_MS)
    }

    /// Whether messages wait to be looked for, and with them all else: a message comes before the number that it makes.
    fn pauses(&self) -> bool {
        self.has_messages && tokio::time::Instant::now() < self.pause_until
    }

    /// Whether there is something to do without waiting for anything.
    fn has_work(&self) -> bool {
        if self.pauses() {
            return false;
        }
        let directory = self.has_directory && self.app.clock.now() >= self.rest_until;
        self.has_messages || directory || !self.coming.is_empty() || !self.stale.is_empty() || !self.doubted.is_empty()
    }

    fn hear(&mut self, signals: &[Signal]) {
        if signals.is_empty() {
            self.look_around();
        }
        for signal in signals {
            match signal.topic {
                topic::MESSAGE => self.has_messages = true,
                topic::DIRECTORY => self.has_directory = true,
                topic::PERSON => {
                    let person = PersonId(signal.key);
                    if self.listeners.contains_key(&person) {
                        self.stale.insert(person, true);
                    }
                }
                // Whoever of theirs may still come in does so again.
                topic::ACCESS => self.end(PersonId(signal.key), SOON_MS),
                topic::SITE => self.doubt(),
                _ => {}
            }
        }
    }

    /// Something was done elsewhere, and nobody says what.
    fn look_around(&mut self) {
        (self.has_messages, self.has_directory) = (true, true);
        for person in self.listeners.keys() {
            self.stale.entry(*person).or_insert(false);
        }
    }

    /// Some signals were lost: anything may have happened.
    fn hear_all(&mut self) {
        (self.has_messages, self.has_directory) = (true, true);
        self.end_all();
    }

    fn end_all(&mut self) {
        let people: Vec<PersonId> = self.listeners.keys().copied().collect();
        for person in people {
            self.end(person, LATER_MS);
        }
    }

    /// Ends the streams of a person; their clients come back within a while.
    fn end(&mut self, person: PersonId, within_ms: u64) {
        if let Some(listener) = self.listeners.get_mut(&person) {
            for stream in listener.streams.drain(..) {
                stream.queue.finish(&frame::bye(self.app.chance.below(within_ms)));
            }
        }
    }

    /// A site or one of its keys has changed: whoever came by any is looked at again.
    fn doubt(&mut self) {
        let by_site = |listener: &Listener| listener.streams.iter().any(|stream| stream.key.is_some());
        let came = self.listeners.iter().filter(|(_, listener)| by_site(listener));
        self.doubted = came.map(|(person, _)| *person).collect();
    }

    /// Ends the streams of some of these whom the keys by which they came let in no longer.
    async fn vet(&mut self) -> Result<()> {
        let some = self.doubted[self.doubted.len().saturating_sub(LOOK)..].to_vec();
        let mut came = Vec::new();
        for person in &some {
            let streams = self.listeners.get(person).map(|listener| &listener.streams);
            let keys = streams.into_iter().flatten().filter_map(|stream| stream.key.clone());
            came.extend(keys.map(|key| (*person, key)));
        }
        let admitted = admitted(&self.app, came).await?;
        self.doubted.truncate(self.doubted.len() - some.len());
        for person in some {
            let Some(listener) = self.listeners.get_mut(&person) else {
                continue;
            };
            listener.streams.retain(|stream| {
                let came = stream.key.clone().map(|key| (person, key));
                let stays = came.is_none_or(|came| admitted.contains(&came));
                if !stays {
                    stream.queue.finish(&frame::bye(self.app.chance.below(SOON_MS)));
                }
                stays
            });
        }
        Ok(())
    }

    /// Once a second: quiet streams hear something, old ones end, and what hangs on the clock is looked at.
    fn turn(&mut self) {
        let now = self.app.clock.now();
        self.turn = now.0 / TURN_MS + 1;
        let (turn, beat) = (self.turn, frame::beat());
        for (person, listener) in &mut self.listeners {
            let beats = (person.0 + turn) % BEAT_TURNS == 0;
            listener.streams.retain(|stream| {
                if stream.until <= turn {
                    stream.queue.finish(&frame::bye(self.app.chance.below(SOON_MS)));
                } else if beats {
                    stream.queue.push(&beat);
                }
                !stream.queue.is_over()
            });
            if listener.stands_until <= now {
                self.stale.entry(*person).or_insert(false);
            }
        }
        self.listeners.retain(|_, listener| !listener.streams.is_empty());
        // Windows turn by the clock, and a signal of another server may have got lost.
        self.has_messages = true;
    }

    /// One piece of what there is to do.
    async fn work(&mut self) -> Result<()> {
        if !self.doubted.is_empty() {
            self.vet().await?;
        } else if self.has_messages {
            self.tell().await?;
        } else if !self.coming.is_empty() {
            self.welcome().await?;
        } else if self.has_directory && self.app.clock.now() >= self.rest_until {
            self.follow_directory().await?;
        } else if !self.stale.is_empty() {
            let some: Vec<PersonId> = self.stale.keys().take(LOOK).copied().collect();
            self.look(some, true).await?;
        }
        Ok(())
    }

    /// Tells everybody whom it concerns of the messages that moved since the last time.
    async fn tell(&mut self) -> Result<()> {
        self.has_messages = false;
        let now = self.app.clock.now();
        let (told, looked, lists) = (self.told, self.looked, Arc::clone(&self.app.lists));
        let turns = now >= self.boundary;
        let begun = tokio::time::Instant::now();
        let found = self.app.db.read(move |tx| {
            let latest = revision::latest_of_messages(tx)?;
            if latest == told && !turns {
                return Ok(None);
            }
            let directory = revision::latest_of_directory(tx)?;
            let lists = lists.at(tx, latest)?;
            let position = lists.position();
            let mut moved = match told {
                -1 => Vec::new(),
                told => live::moved_since(tx, &lists, told)?,
            };
            if turns {
                moved.extend(live::turned(&lists, looked, now));
            }
            moved.sort_unstable();
            moved.dedup();
            Ok::<_, Error>(Some((position, directory, moved, Moment(lists.next_boundary(now)))))
        });
        let found = found.await?;
        self.pause_until = begun + begun.elapsed().min(LONG_LOOK) * 4;
        let Some((position, directory, moved, boundary)) = found else {
            return Ok(());
        };
        if !moved.is_empty() && !self.listeners.is_empty() {
            self.catch_up(directory).await?;
            self.announce(&moved, told, position, now).await?;
        }
        if self.told == -1 {
            self.log.begin(position);
        }
        self.log.add(position, moved);
        (self.told, self.looked, self.boundary) = (position, now, boundary);
        Ok(())
    }

    /// Reads again what those hold whom the directory may concern since it was read. Their numbers are told later: a
    /// message comes before the number that it makes.
    async fn catch_up(&mut self, directory: i64) -> Result<()> {
        let behind = |listener: &Listener| listener.reader.directory() != directory;
        let since = self.listeners.values().filter(|listener| behind(listener));
        let Some(since) = since.map(|listener| listener.reader.directory()).min() else {
            return Ok(());
        };
        let concerned = self.app.db.read(move |tx| concerned(tx, since)).await?;
        let mut again = Vec::new();
        for (person, listener) in self.listeners.iter_mut().filter(|(_, listener)| behind(listener)) {
            if concerned.as_ref().is_none_or(|people| people.contains(person)) {
                again.push(*person);
            } else {
                listener.reader.stands_at(directory);
            }
        }
        for some in again.chunks(LOOK) {
            self.look(some.to_vec(), false).await?;
        }
        Ok(())
    }

    /// The directory changed and no message did.
    async fn follow_directory(&mut self) -> Result<()> {
        self.has_directory = false;
        let begun = Instant::now();
        let directory = self.app.db.read(revision::latest_of_directory).await?;
        self.catch_up(directory).await?;
        let took = i64::try_from(begun.elapsed().as_millis()).unwrap_or(i64::MAX);
        self.rest_until = self.app.clock.now().plus_ms(took.saturating_mul(3));
        Ok(())
    }

    /// Writes an event of each message to those whom it concerns, with their numbers as of a revision behind it.
    async fn announce(&mut self, moved: &[MessageId], told: i64, position: i64, now: Moment) -> Result<()> {
        let reader = |(person, listener): (&PersonId, &Listener)| (*person, listener.reader.clone());
        let people: Vec<(PersonId, Reader)> = self.listeners.iter().map(reader).collect();
        let mut concerned = Vec::new();
        for judged in judge(&self.app, moved.to_vec(), people, told, now).await? {
            for (people, frame) in judged.told() {
                for listener in people.iter().filter_map(|person| self.listeners.get(person)) {
                    listener.streams.iter().for_each(|stream| stream.queue.put(&frame));
                }
                concerned.extend_from_slice(people);
            }
        }
        if moved.len() > 1 {
            concerned.sort_unstable();
            concerned.dedup();
        }
        for some in concerned.chunks(COUNT) {
            self.count(some, position, now);
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    /// Tells some people their numbers where they are new, and has those read that memory does not know.
    fn count(&mut self, people: &[PersonId], position: i64, now: Moment) {
        let lists = self.app.lists.now();
        for person in people {
            let Some(listener) = self.listeners.get_mut(person) else {
                continue;
            };
            let is_known = !self.stale.contains_key(person);
            match is_known.then(|| listener.reader.count(&lists, position, now)).flatten() {
                Some(tally) => {
                    let numbers = Numbers::tallied(&tally);
                    if numbers != listener.numbers {
                        let frame = frame::event("counts", None, &numbers);
                        listener.streams.iter().for_each(|stream| stream.queue.put(&frame));
                        listener.numbers = numbers;
                    }
                    listener.stands_until = tally.stands_until;
                }
                None => {
                    self.stale.entry(*person).or_insert(false);
                }
            }
            listener.streams.iter().for_each(|stream| stream.queue.wake());
        }
    }

    /// Reads what some people hold and their numbers, and tells these where they are new, or sees to it that they are
    /// told.
    async fn look(&mut self, people: Vec<PersonId>, tells: bool) -> Result<()> {
        let now = self.app.clock.now();
        for (person, found) in read(&self.app, people, now).await? {
            let is_asked = tells && self.stale.remove(&person).unwrap_or(false);
            let Some(listener) = self.listeners.get_mut(&person) else {
                continue;
            };
            let Some((reader, counted)) = found else {
                // Deactivated, or locked out: whoever is still let in comes back.
                self.end(person, SOON_MS);
                continue;
            };
            let numbers = Numbers::of(&counted);
            let is_new = numbers != listener.numbers;
            if !tells {
                if is_new {
                    self.stale.entry(person).or_insert(false);
                }
            } else if is_asked || is_new {
                let frame = frame::event("counts", None, &numbers);
                listener.streams.iter().for_each(|stream| stream.queue.push(&frame));
                listener.numbers = numbers;
            }
            listener.reader = reader;
            listener.stands_until = counted.stands_until;
        }
        Ok(())
    }

    /// Says when to come back, to everybody.
    fn close(&mut self) {
        self.end_all();
        for newcomer in self.coming.drain(..) {
            newcomer.queue.finish(&frame::bye(self.app.chance.below(LATER_MS)));
        }
    }
}
