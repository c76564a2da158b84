//! What the mailer asks of the outbox: one transaction that takes, one look-up, one transaction that writes down.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use campanile_core::Result;
use campanile_core::id::MessageId;
use campanile_core::message::Channel;
use campanile_core::outbox::Worker;
use campanile_core::outbox::chunk::{self, Chunk};
use campanile_core::outbox::delivery::{self, Settled, Taken};
use campanile_core::outbox::reader::{self, Reader, ToMail};
use campanile_core::outbox::run::Lane;
use campanile_core::outbox::suppression::{self, Source};
use campanile_core::time::Moment;
use campanile_store::Tx;

use super::AHEAD;
use super::active::{Active, Note};

/// A row in hand. Its reader may be gone.
pub(super) struct Row {
    pub(super) taken: Taken,
    pub(super) reader: Option<Reader>,
    pub(super) mail: Arc<ToMail>,
}

/// What one transaction writes down.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) notes: Vec<Note>,
    pub(super) rows: Vec<(Taken, Settled)>,
    pub(super) put_back: Vec<Taken>,
    pub(super) suppress: Vec<(String, String, MessageId)>,
}

/// What one look at the outbox found.
#[derive(Default)]
pub(super) struct Found {
    pub(super) chunks: Vec<(Chunk, Arc<ToMail>, Vec<Reader>)>,
    pub(super) rows: Vec<Row>,
    /// The messages in hand, as they are now.
    pub(super) refreshed: Vec<Arc<ToMail>>,
    pub(super) next_due: Option<Moment>,
}

impl Batch {
    pub(super) fn is_empty(&self) -> bool {
        self.notes.is_empty() && self.rows.is_empty() && self.put_back.is_empty() && self.suppress.is_empty()
    }

    pub(super) fn copy(&self) -> Self {
        Self {
            notes: self.notes.clone(),
            rows: self.rows.clone(),
            put_back: self.put_back.clone(),
            suppress: self.suppress.clone(),
        }
    }

    /// Takes back what could not be written down.
    pub(super) fn restore(&mut self, other: Self, active: &mut [Active]) {
        for note in other.notes {
            if let Some(active) = active.iter_mut().find(|active| active.number == note.number) {
                active.was_not_written(note);
            }
        }
        self.rows.extend(other.rows);
        self.put_back.extend(other.put_back);
        self.suppress.extend(other.suppress);
    }
}

/// What there is room for in a lane.
#[derive(Clone, Copy)]
pub(super) struct Room {
    pub(super) lane: Lane,
    pub(super) chunks: usize,
    /// No more chunks once they hold so many.
    pub(super) people: usize,
}

/// What was taken in one transaction: chunks, rows, and when the next row is due.
pub(super) type Took = (Vec<Chunk>, Vec<Taken>, Option<Moment>);

pub(super) fn take(
    tx: &mut Tx<'_>,
    worker: Worker,
    room: [Room; 3],
    tenants: [i64; 3],
    mut rows: usize,
    now: Moment,
) -> Result<Took> {
    let (mut chunks, mut taken, mut next_due) = (Vec::new(), Vec::new(), None::<Moment>);
    for Room {
        lane,
        chunks: most,
        people,
    } in room
    {
        let (mut after, mut left) = (tenants[lane as usize], people);
        for _ in 0..most {
            let Some(chunk) = chunk::take(tx, worker, lane, after, AHEAD, now)? else {
                break;
            };
            after = chunk.tenant;
            left = left.saturating_sub(chunk.people.len());
            chunks.push(chunk);
            if left == 0 {
                break;
            }
        }
        for (share, due) in delivery::shares(tx, Channel::Email, lane)? {
            if due > now {
                next_due = Some(next_due.map_or(due, |next| next.min(due)));
            } else if rows > 0 {
                // Each share gets its part of what there is room for.
                let some = delivery::take(tx, worker, Channel::Email, lane, share, rows.div_ceil(4) as i64, now)?;
                rows -= some.len();
                taken.extend(some);
            }
        }
    }
    Ok((chunks, taken, next_due))
}

/// Looks up the messages and the first readers of what was taken.
pub(super) fn find(
    tx: &mut Tx<'_>,
    chunks: Vec<Chunk>,
    rows: Vec<Taken>,
    in_hand: &[MessageId],
    now: Moment,
) -> Result<Found> {
    let mut mails: HashMap<MessageId, Arc<ToMail>> = HashMap::new();
    let ids = chunks
        .iter()
        .map(|chunk| chunk.message)
        .chain(rows.iter().map(|row| row.message));
    for id in ids.chain(in_hand.iter().copied()) {
        if let Entry::Vacant(vacant) = mails.entry(id) {
            vacant.insert(Arc::new(reader::to_mail(tx, id)?));
        }
    }
    let mut found = Found {
        refreshed: in_hand.iter().filter_map(|id| mails.get(id).cloned()).collect(),
        ..Found::default()
    };
    for chunk in chunks {
        let mail = Arc::clone(&mails[&chunk.message]);
        let mut readers = reader::readers(tx, &chunk.people[..chunk.begun], mail.message.importance, now)?;
        reader::acknowledged(tx, &mail.message, &mut readers)?;
        found.chunks.push((chunk, mail, readers));
    }
    for taken in rows {
        let mail = Arc::clone(&mails[&taken.message]);
        let mut readers = reader::readers(tx, &[taken.target as u32], mail.message.importance, now)?;
        reader::acknowledged(tx, &mail.message, &mut readers)?;
        let reader = readers.pop();
        found.rows.push(Row { taken, reader, mail });
    }
    Ok(found)
}

/// Writes a batch down; of each note whether the chunk is still ours.
pub(super) fn write(tx: &mut Tx<'_>, batch: &Batch, now: Moment) -> Result<Vec<bool>> {
    let mut kept = Vec::with_capacity(batch.notes.len());
    for note in &batch.notes {
        kept.push(if note.release {
            chunk::give_back(tx, &note.chunk, &note.outcomes, now)?
        } else {
            chunk::write(tx, &note.chunk, &note.outcomes, now)?
        });
    }
    delivery::settle(tx, &batch.rows, now)?;
    delivery::put_back(tx, &batch.put_back)?;
    for (address, reason, message) in &batch.suppress {
        suppression::suppress(tx, address, Source::Bounced, reason, Some(*message), now)?;
    }
    Ok(kept)
}
