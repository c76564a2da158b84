//! A chunk in hand: who is next, who is on the wire, and what is not written down yet. Pure.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use campanile_core::message::Importance;
use campanile_core::outbox::chunk::Chunk;
use campanile_core::outbox::delivery::Settled;
use campanile_core::outbox::reader::{Reader, ToMail};

use super::AHEAD;

/// A chunk in hand.
pub(super) struct Active {
    /// Its number in this run of the server.
    pub(super) number: u64,
    /// As the database has it, with the outcomes that came since.
    pub(super) chunk: Chunk,
    pub(super) mail: Arc<ToMail>,
    /// Outcomes that are not written down yet.
    pub(super) outcomes: Vec<Settled>,
    pub(super) in_flight: usize,
    /// Places whose turn is to come, in order.
    todo: VecDeque<usize>,
    /// Those before this place were looked up.
    loaded: usize,
    /// Those who were looked up and not begun, by their places.
    readers: HashMap<usize, Reader>,
    /// So many are written down as begun.
    begun: usize,
}

/// What is to be written down of a chunk.
#[derive(Clone)]
pub(super) struct Note {
    pub(super) number: u64,
    pub(super) chunk: Chunk,
    pub(super) outcomes: Vec<Settled>,
    /// It is given back.
    pub(super) release: bool,
    /// People to be looked up, from this place on.
    pub(super) load: (usize, Vec<u32>),
    pub(super) importance: Importance,
}

impl Active {
    pub(super) fn new(number: u64, chunk: Chunk, mail: Arc<ToMail>, readers: Vec<Reader>) -> Self {
        let todo = (0..chunk.people.len()).filter(|at| !chunk.done.has(*at)).collect();
        let begun = chunk.begun;
        let mut active = Self {
            number,
            chunk,
            mail,
            outcomes: Vec::new(),
            in_flight: 0,
            todo,
            loaded: 0,
            readers: HashMap::new(),
            begun,
        };
        active.load(begun, readers);
        active
    }

    /// Takes in those who were looked up, up to a place.
    fn load(&mut self, up_to: usize, readers: Vec<Reader>) {
        for reader in readers {
            let place = self.chunk.people.binary_search(&(reader.person.0 as u32));
            self.readers.extend(place.ok().map(|place| (place, reader)));
        }
        self.loaded = up_to;
    }

    /// People whose turn is to come.
    pub(super) fn waiting(&self) -> usize {
        self.todo.len()
    }

    /// The next person who may be begun.
    pub(super) fn next(&mut self) -> Option<(usize, Option<Reader>)> {
        if self.mail.is_stopped {
            return None;
        }
        let place = *self.todo.front()?;
        if place >= self.begun.min(self.loaded) {
            return None;
        }
        self.todo.pop_front();
        Some((place, self.readers.remove(&place)))
    }

    /// Somebody who was begun and certainly not sent: they come first.
    pub(super) fn put_back(&mut self, place: usize, reader: Reader) {
        self.todo.push_front(place);
        self.readers.insert(place, reader);
    }

    /// There is an outcome.
    pub(super) fn settle(&mut self, place: usize, settled: Settled) {
        self.chunk.done.set(place);
        self.outcomes.push(settled);
    }

    /// What is to be written down now, if anything. `renew` is for the lease alone.
    pub(super) fn note(&mut self, stopping: bool, renew: bool) -> Option<Note> {
        let all = self.chunk.people.len();
        let release = (stopping || self.mail.is_stopped) && self.in_flight == 0;
        let next = self.todo.front().copied().unwrap_or(all);
        let is_low = self.begun < all && next + AHEAD / 2 > self.begun;
        if !(release || renew || is_low || !self.outcomes.is_empty()) {
            return None;
        }
        let mut load = (self.loaded, Vec::new());
        if release {
            // Nobody is on the wire, so nobody is in doubt.
            self.chunk.begun = next;
        } else if is_low {
            self.chunk.begun = all.min(next + AHEAD);
            load.1 = self.chunk.people[self.loaded.min(self.chunk.begun)..self.chunk.begun].to_vec();
        }
        Some(Note {
            number: self.number,
            chunk: self.chunk.clone(),
            outcomes: std::mem::take(&mut self.outcomes),
            release,
            load,
            importance: self.mail.message.importance,
        })
    }

    /// A note was written down.
    pub(super) fn was_written(&mut self, note: &Note, readers: Vec<Reader>) {
        self.chunk.was_written();
        self.begun = note.chunk.begun;
        let up_to = note.load.0 + note.load.1.len();
        self.load(up_to.max(self.loaded), readers);
    }

    /// A note could not be written down: it is written again, with what came since.
    pub(super) fn was_not_written(&mut self, note: Note) {
        let since = std::mem::replace(&mut self.outcomes, note.outcomes);
        self.outcomes.extend(since);
    }
}
