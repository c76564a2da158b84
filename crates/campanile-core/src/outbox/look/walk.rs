//! The walk along the chunks of a mail run, with the rows of exceptions between; by numbers, without names.

use campanile_store::{Row, Tx, sql};
use roaring::RoaringBitmap;

use super::{Delivery, Standing};
use crate::error::Result;
use crate::id::MessageId;
use crate::message::Channel;
use crate::outbox::chunk::{self, Bits, Told};
use crate::outbox::delivery::State;
use crate::time::Moment;

macro_rules! columns {
    () => {
        "SELECT target, state, tries, doubtful, address, code, reason, changed_at, due FROM delivery
        WHERE message = $1 AND channel = $2 "
    };
}

sql! {
    CHUNK_OF = "SELECT first FROM chunk WHERE message = $1 AND first <= $2 ORDER BY first DESC LIMIT 1";
    CHUNKS = "SELECT last, people, done, state, begun_at, ended_at FROM chunk
        WHERE message = $1 AND first >= $2 ORDER BY first LIMIT $3";
    ROWS = concat!(columns!(), "AND target >= $3 AND target <= $4 ORDER BY target");
    EXCEPTIONS = concat!(columns!(), "AND target > $3 AND state >= $4 AND state <= $5 AND tries >= $6
        AND doubtful >= $7 ORDER BY target LIMIT $8");
}

/// Chunks that are read at once.
const CHUNKS_AT_ONCE: i64 = 8;

/// A recipient by number, without names.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) target: i64,
    pub(super) state: State,
    pub(super) tries: i64,
    pub(super) doubtful: i64,
    pub(super) address: Option<String>,
    pub(super) code: Option<i64>,
    pub(super) reason: Option<String>,
    pub(super) at: Option<Moment>,
    pub(super) due: Option<Moment>,
}

fn row(row: &Row<'_>) -> campanile_store::Result<Found> {
    Ok(Found {
        target: row.get(0)?,
        state: State::from_code(row.get(1)?),
        tries: row.get(2)?,
        doubtful: row.get(3)?,
        address: row.get(4)?,
        code: row.get(5)?,
        reason: row.get(6)?,
        at: Some(Moment(row.get(7)?)),
        due: Some(Moment(row.get(8)?)),
    })
}

impl Found {
    /// As a chunk says it of a person without a row.
    pub(super) fn of_chunk(person: u32, told: Told) -> Self {
        let (state, at) = match (told.is_done, told.is_open) {
            (true, _) => (State::Sent, told.ended_at.or(told.begun_at)),
            (false, true) => (State::Queued, None),
            (false, false) => (State::Cancelled, told.ended_at),
        };
        Self {
            target: i64::from(person),
            state,
            tries: i64::from(told.is_done),
            doubtful: 0,
            address: None,
            code: None,
            reason: None,
            at,
            due: None,
        }
    }

    /// What waits in a run that is being cancelled does not leave.
    pub(super) const fn in_run(mut self, is_cancelling: bool) -> Self {
        if is_cancelling && matches!(self.state, State::Queued) {
            self.state = State::Cancelled;
        }
        self
    }

    pub(super) fn told(self, channel: Channel, target: String) -> Delivery {
        Delivery {
            channel,
            target,
            person: None,
            address: None,
            destination: None,
            attempts: self.tries,
            in_doubt: self.doubtful,
            code: self.code,
            reason: self.reason,
            at: self.at,
            next_at: self.due.filter(|_| self.state == State::Queued),
            state: self.state,
        }
    }
}

/// The rows of recipients from a number to another, in their order.
pub(super) fn rows(tx: &mut Tx<'_>, message: MessageId, channel: Channel, from: i64, to: i64) -> Result<Vec<Found>> {
    Ok(tx.rows(&ROWS, &[&message.0, &channel.bit(), &from, &to], row)?)
}

/// A chunk as it is looked at.
struct Part {
    last: i64,
    people: Vec<u8>,
    done: Bits,
    is_open: bool,
    begun_at: Option<Moment>,
    ended_at: Option<Moment>,
}

impl Part {
    fn told(&self, place: usize) -> Told {
        Told {
            is_done: self.done.has(place),
            is_open: self.is_open,
            begun_at: self.begun_at,
            ended_at: self.ended_at,
        }
    }
}

/// A page of a mail run in the making: up to one more than the limit.
pub(super) struct Walk {
    pub(super) message: MessageId,
    pub(super) standing: Option<Standing>,
    pub(super) people: Option<RoaringBitmap>,
    pub(super) is_cancelling: bool,
    pub(super) after: i64,
    pub(super) limit: usize,
    pub(super) found: Vec<Found>,
}

impl Walk {
    /// Whoever is found: up to one more than the limit.
    pub(super) fn run(mut self, tx: &mut Tx<'_>) -> Result<Vec<Found>> {
        match self.standing.and_then(Standing::rows) {
            Some(rows) => self.exceptions(tx, rows)?,
            None => self.chunks(tx)?,
        }
        Ok(self.found)
    }

    fn is_full(&self) -> bool {
        self.found.len() > self.limit
    }

    fn take(&mut self, found: Found) {
        let found = found.in_run(self.is_cancelling);
        let is_wanted = |people: &RoaringBitmap| people.contains(found.target as u32);
        if !self.is_full()
            && self.standing.is_none_or(|standing| standing.takes(&found))
            && self.people.as_ref().is_none_or(is_wanted)
        {
            self.found.push(found);
        }
    }

    fn exceptions(&mut self, tx: &mut Tx<'_>, (from, to, tries, doubtful): (State, State, i64, i64)) -> Result<()> {
        let at_once = self.limit as i64 + 1;
        let mut after = self.after;
        while !self.is_full() {
            let channel = Channel::Email.bit();
            let (message, from, to) = (self.message.0, from.code(), to.code());
            let rows = tx.rows(
                &EXCEPTIONS,
                &[&message, &channel, &after, &from, &to, &tries, &doubtful, &at_once],
                row,
            )?;
            let is_last = (rows.len() as i64) < at_once;
            after = rows.last().map_or(after, |last| last.target);
            for found in rows {
                self.take(found);
            }
            if is_last {
                break;
            }
        }
        Ok(())
    }

    fn chunks(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        let mut next = Some(self.after.saturating_add(1));
        // Of few people only their own chunks are read, and the one behind, which tells whether there is any.
        let at_once = if self.people.is_some() { 2 } else { CHUNKS_AT_ONCE };
        while let Some(from) = next.and_then(|next| self.wanted_from(next)) {
            let first = tx.first(&CHUNK_OF, &[&self.message.0, &from], |row| row.get(0))?;
            let first: i64 = first.unwrap_or(from);
            let mut chunks = tx.rows(&CHUNKS, &[&self.message.0, &first, &at_once], part)?;
            // The one that begins before may have ended before, too.
            chunks.retain(|chunk| chunk.last >= from);
            for chunk in &chunks {
                self.chunk(tx, chunk)?;
                if self.is_full() {
                    return Ok(());
                }
            }
            next = chunks.last().map(|last| last.last + 1);
        }
        Ok(())
    }

    /// Whether somebody without a row may stand in a chunk of so many as is asked for: of a million whose mails are
    /// sent nobody is looked at to find those that wait.
    fn may_take_of(&self, chunk: &Part, people: usize) -> bool {
        let is_through = chunk.done.count() >= people;
        let waits = chunk.is_open && !self.is_cancelling;
        match self.standing {
            Some(Standing::Queued) => waits && !is_through,
            Some(Standing::Cancelled) => !waits && !is_through,
            _ => true,
        }
    }

    /// The first number from one on that is looked for.
    fn wanted_from(&self, next: i64) -> Option<i64> {
        let Some(people) = &self.people else { return Some(next) };
        let from = u32::try_from(next).ok()?;
        people.range(from..).next().map(i64::from)
    }

    fn chunk(&mut self, tx: &mut Tx<'_>, chunk: &Part) -> Result<()> {
        let people = chunk::people_of(&chunk.people)?;
        if let (false, Some(first)) = (self.may_take_of(chunk, people.len()), people.first()) {
            let first = i64::from(*first).max(self.after.saturating_add(1));
            for found in rows(tx, self.message, Channel::Email, first, chunk.last)? {
                self.take(found);
            }
            return Ok(());
        }
        let wanted = |person: u32| {
            i64::from(person) > self.after && self.people.as_ref().is_none_or(|people| people.contains(person))
        };
        let wanted: Vec<(usize, u32)> = (0..).zip(people).filter(|(_, person)| wanted(*person)).collect();
        let (Some((_, first)), Some((_, last))) = (wanted.first(), wanted.last()) else {
            return Ok(());
        };
        let (first, last) = (i64::from(*first), i64::from(*last));
        let mut rows = rows(tx, self.message, Channel::Email, first, last)?
            .into_iter()
            .peekable();
        for (place, person) in wanted {
            let target = i64::from(person);
            while rows.next_if(|row| row.target < target).is_some() {}
            let found = rows.next_if(|row| row.target == target);
            self.take(found.unwrap_or_else(|| Found::of_chunk(person, chunk.told(place))));
        }
        Ok(())
    }
}

fn part(row: &Row<'_>) -> campanile_store::Result<Part> {
    Ok(Part {
        last: row.get(0)?,
        people: row.get(1)?,
        done: Bits::of(row.get(2)?),
        is_open: row.get::<i64>(3)? == 0,
        begun_at: row.get::<Option<i64>>(4)?.map(Moment),
        ended_at: row.get::<Option<i64>>(5)?.map(Moment),
    })
}
