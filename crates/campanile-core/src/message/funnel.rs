//! How far a message got: who was in its audience, who saw it, who read it. Exact, from facts and marks.
//!
//! The audience of an `at_send` message is judged at its revision, so the answer is the same for ever; that of a
//! `while_active` message is who matches now.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use campanile_store::{Tx, sql};
use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};

use super::Message;
use super::sight::{self, Sights};
use crate::audience::crowd::{self, Residents};
use crate::audience::{Instant, Key, Mark, Rule, Selector, holdings};
use crate::error::Result;
use crate::id::{MessageId, PersonId};
use crate::inbox::judge::stretch;
use crate::time::{Moment, OPEN, Revision};

sql! {
    // Marks from a revision on, of the kinds "seen" and "read".
    MARKS = "SELECT person, kind, revision, at FROM mark
        WHERE kind IN (1, 2) AND revision >= $1 AND at >= $2 AND at <= $3";
    CLOCKED = "SELECT api FROM term
        WHERE api = $1 AND status = 1 AND until = 9223372036854775807 AND starts_at > $2 LIMIT 1";
    DEEDS = "SELECT person, read_at, read_revision, unread_at FROM engagement WHERE message = $1";
    SIZE = "UPDATE message SET people = $2, without_email = $3 WHERE id = $1 AND people IS NULL";
}

/// Numbers of people.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Funnel {
    /// In the audience.
    pub people: u64,
    /// Of these, without an email address (now).
    pub without_email: u64,
    /// Had bell or inbox open while it was there.
    pub seen: u64,
    /// Opened it, marked it, or marked everything read.
    pub read: u64,
}

/// The people behind the numbers, as bitmaps of their ids.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Crowds {
    /// In the audience.
    pub people: RoaringBitmap,
    /// Of these, who saw it.
    pub seen: RoaringBitmap,
    /// Of these, who read it.
    pub read: RoaringBitmap,
}

/// Audiences kept at most.
const KEPT: usize = 64;

/// Audiences of published `at_send` messages, which never change: the last few that were asked for.
#[derive(Debug, Default)]
pub struct Audiences(Mutex<Vec<(i64, Arc<RoaringBitmap>)>>);

impl Audiences {
    fn get(&self, id: MessageId) -> Option<Arc<RoaringBitmap>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = kept.iter().position(|(known, _)| *known == id.0)?;
        // The last one used stands last.
        let found = kept.remove(at);
        let people = Arc::clone(&found.1);
        kept.push(found);
        Some(people)
    }

    fn put(&self, id: MessageId, people: &RoaringBitmap) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(known, _)| *known != id.0);
        if kept.len() == KEPT {
            kept.remove(0);
        }
        kept.push((id.0, Arc::new(people.clone())));
    }
}

/// The audience of a message: at its publication, or now where late joiners count. Nobody before it is published.
pub fn audience(
    tx: &mut Tx<'_>,
    residents: &Residents,
    kept: &Audiences,
    message: &Message,
    selectors: &[Selector],
    now: Moment,
) -> Result<RoaringBitmap> {
    if message.rule == Rule::AtSend
        && let Some(people) = kept.get(message.id)
    {
        return Ok(RoaringBitmap::clone(&people));
    }
    let people = judge(tx, residents, message, selectors, now)?;
    if message.rule == Rule::AtSend && message.revision.is_some() {
        kept.put(message.id, &people);
    }
    Ok(people)
}

fn judge(
    tx: &mut Tx<'_>,
    residents: &Residents,
    message: &Message,
    selectors: &[Selector],
    now: Moment,
) -> Result<RoaringBitmap> {
    let (Some(revision), Some(published)) = (message.revision, message.published_at) else {
        return Ok(RoaringBitmap::new());
    };
    match message.rule {
        Rule::WhileActive => residents.crowd(tx, selectors, Instant::now(now)),
        // Nothing of the directory has changed since: who holds it now held it then. Asked of the residents, which
        // another reader may have brought further than this snapshot.
        Rule::AtSend if residents.position() <= revision => residents.crowd(
            tx,
            selectors,
            Instant {
                revision: Revision(OPEN - 1),
                at: published,
            },
        ),
        Rule::AtSend => crowd::crowd(
            tx,
            selectors,
            Instant {
                revision: Revision(revision),
                at: published,
            },
        ),
    }
}

/// Who is in a message's audience, and how far it got with them.
pub fn crowds(
    tx: &mut Tx<'_>,
    residents: &Residents,
    kept: &Audiences,
    message: &Message,
    now: Moment,
) -> Result<Crowds> {
    let selectors = super::selectors(tx, message.id)?;
    let people = audience(tx, residents, kept, message, &selectors, now)?;
    let mut out = Crowds {
        people,
        ..Crowds::default()
    };
    let Some(sights) = sight::sights(tx, message)? else {
        return Ok(out);
    };
    let mut read_all: HashMap<u32, i64> = HashMap::new();
    each_mark(
        tx,
        message,
        &sights,
        &selectors,
        now,
        &out.people,
        |person, kind, mark| {
            let reads = kind == 2 && sights.reading.holds(mark);
            if reads || sights.showed(mark) {
                out.seen.insert(person);
            }
            if reads {
                out.read.insert(person);
                let latest = read_all.entry(person).or_default();
                *latest = mark.at.max(*latest);
            }
        },
    )?;
    tx.each(&DEEDS, &[&message.id.0], |row| {
        let person = row.get::<i64>(0)? as u32;
        // Whoever did anything with it had it before them.
        out.seen.insert(person);
        if let Some(read) = row.get::<Option<i64>>(2)? {
            if read >= message.ring {
                out.read.insert(person);
            }
        } else if let Some(unread) = row.get::<Option<i64>>(3)?
            && read_all.get(&person).is_none_or(|at| *at <= unread)
        {
            out.read.remove(person);
        }
        Ok::<(), campanile_store::Error>(())
    })?;
    out.seen &= &out.people;
    out.read &= &out.people;
    Ok(out)
}

/// Hands over every mark that a person of the audience made while the message was there for them, with its kind.
pub(super) fn each_mark(
    tx: &mut Tx<'_>,
    message: &Message,
    sights: &Sights,
    selectors: &[Selector],
    now: Moment,
    people: &RoaringBitmap,
    mut hand: impl FnMut(u32, i64, Mark),
) -> Result<()> {
    let (joined, clocked) = match message.rule {
        Rule::AtSend => (HashMap::new(), false),
        Rule::WhileActive => (
            crowd::crowd_since(tx, selectors, Instant::now(now))?,
            is_clocked(tx, message, selectors)?,
        ),
    };
    // Marks that are not decided by the revision alone: made before a fact that may continue another one, or where
    // subscriptions start by the clock. These few people are looked at one by one.
    let mut doubtful: HashMap<u32, Vec<(i64, Mark)>> = HashMap::new();
    let (opens, closes) = sights.span();
    tx.each(&MARKS, &[&message.revision, &opens, &closes], |row| {
        let (person, kind) = (row.get::<i64>(0)? as u32, row.get::<i64>(1)?);
        let mark = Mark {
            revision: row.get(2)?,
            at: row.get(3)?,
        };
        if people.contains(person) && sights.holds(mark, Mark::default()) {
            if clocked || joined.get(&person).is_some_and(|joined| mark.revision < *joined) {
                doubtful.entry(person).or_default().push((kind, mark));
            } else {
                hand(person, kind, mark);
            }
        }
        Ok::<(), campanile_store::Error>(())
    })?;
    let keys: Vec<Key> = selectors.iter().map(|selector| selector.key()).collect();
    for (person, marks) in doubtful {
        let held = holdings(tx, PersonId(i64::from(person)))?;
        let Some(since) = stretch(&held, &keys, |fact| fact.covers(Instant::now(now))) else {
            continue;
        };
        for (kind, mark) in marks {
            if sights.holds(mark, since) {
                hand(person, kind, mark);
            }
        }
    }
    Ok(())
}

/// Whether some subscription that an audience rests on started by the clock after publication.
fn is_clocked(tx: &mut Tx<'_>, message: &Message, selectors: &[Selector]) -> Result<bool> {
    let published = message.published_at.unwrap_or_default();
    for selector in selectors {
        if let Selector::ApiRole { api, .. } | Selector::Subscribers { api } = selector
            && tx
                .first(&CLOCKED, &[&api.0, &published.0], |row| row.get::<i64>(0))?
                .is_some()
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The numbers of a message.
pub fn funnel(
    tx: &mut Tx<'_>,
    residents: &Residents,
    kept: &Audiences,
    message: &Message,
    now: Moment,
) -> Result<Funnel> {
    let crowds = crowds(tx, residents, kept, message, now)?;
    let people = crowds.people.len();
    let without_email = people - crowds.people.intersection_len(residents.with_email());
    Ok(Funnel {
        people,
        without_email,
        seen: crowds.seen.len(),
        read: crowds.read.len(),
    })
}

/// Stores the size of a published `at_send` audience, once and for ever (decision 7).
pub fn store_size(tx: &mut Tx<'_>, id: MessageId, people: u64, without_email: u64) -> Result<()> {
    tx.execute(&SIZE, &[&id.0, &(people as i64), &(without_email as i64)])?;
    Ok(())
}
