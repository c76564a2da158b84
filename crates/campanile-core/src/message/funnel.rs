//! How far a message got: who was in its audience, who saw it, who read it. Exact, from facts and marks.
//!
//! The audience of an `at_send` message is judged at its revision, so the answer is the same for ever; that of a
//! `while_active` message is who matches now, and once it is over, who matched at the last instant at which it was
//! there.
//!
//! Every mark since the publication is looked through once; whoever looks again judges those alone for whom something
//! is not as it was (see `kept`).

use std::collections::HashMap;
use std::sync::Arc;

use campanile_store::{Param, Row, Tx, sql};
use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};

pub use super::judged::{Audiences, audience, frozen};

use super::Message;
use super::judged;
use super::kept::{Frame, Kept, Marked, Shown};
use super::sight;
use super::timeline::Stretches;
use crate::audience::crowd::{Residents, When};
use crate::audience::{Addressed, Instant, Mark, Rule, Selector, holdings};
use crate::error::Result;
use crate::id::{MessageId, PersonId};
use crate::inbox::judge::stretch;
use crate::time::{Moment, OPEN};

sql! {
    // Marks from a revision on, of the kinds "seen" and "read".
    MARKS = "SELECT person, kind, revision, at, clock FROM mark
        WHERE kind IN (1, 2) AND revision >= $1 AND clock >= $2 AND at <= $3";
    // By subscriptions that start after $2. $3: those that ended by then are left out.
    CLOCKED_ROLE = "SELECT m.person FROM term t CROSS JOIN membership m
        WHERE t.api = $1 AND t.status = 1 AND t.starts_at > $2 AND t.until > $3
            AND m.place = 4 AND m.object = t.application AND m.role = $4
        UNION ALL
        SELECT m.person FROM term t CROSS JOIN attachment a CROSS JOIN membership m
        WHERE t.api = $1 AND t.status = 1 AND t.starts_at > $2 AND t.until > $3
            AND a.place = 4 AND a.object = t.application AND m.place = 5 AND m.object = a.grp AND m.role = $4";
    CLOCKED_SUBSCRIBERS = "SELECT subscriber FROM term
        WHERE api = $1 AND status = 1 AND starts_at > $2 AND until > $3 AND subscriber IS NOT NULL";
    DEEDS = "SELECT person, seen_at, read_at, read_revision, unread_at FROM engagement WHERE message = $1";
    // The same of some people, with messages of a range. +revision, because SQLite would rather take the index by it,
    // and read all marks for a few people's.
    MARKS_OF = "SELECT person, kind, revision, at, clock FROM mark
        WHERE person IN ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
            AND kind IN (1, 2) AND +revision >= $21";
    DEEDS_OF = "SELECT person, seen_at, read_at, read_revision, unread_at, message FROM engagement
        WHERE person IN ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
            AND message >= $21 AND message <= $22";
    ACKNOWLEDGED = "SELECT person FROM engagement WHERE message = $1 AND acknowledged_at IS NOT NULL";
    SIZE = "UPDATE message SET people = $2, without_email = $3 WHERE id = $1 AND people IS NULL";
}

/// Numbers of people.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Funnel {
    /// In the audience.
    pub people: u64,
    /// Of these, without an email address: when they were first counted, or now where the audience may still change.
    pub without_email: u64,
    /// Had bell or inbox open while it was there.
    pub seen: u64,
    /// Opened it, marked it, or marked everything read.
    pub read: u64,
    /// Where it has to be acknowledged: who did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<u64>,
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
    /// Of these, who acknowledged it.
    pub acknowledged: RoaringBitmap,
}

/// Messages whose marks are looked through at once; each holds three bitmaps meanwhile.
const AT_ONCE: usize = 20;
/// People whose marks and deeds one statement reads.
const OF: usize = 20;

/// Who is in a message's audience, and how far it got with them.
pub fn crowds(
    tx: &mut Tx<'_>,
    residents: &Residents,
    kept: &Audiences,
    message: &Message,
    now: Moment,
) -> Result<Crowds> {
    let found = look(tx, residents, kept, std::slice::from_ref(message), Over::None, now)?;
    let found = found.into_iter().next().flatten();
    let mut crowds = found.map(|found| found.crowds.clone()).unwrap_or_default();
    crowds.acknowledged = acknowledged(tx, message, &crowds)?;
    Ok(crowds)
}

/// Who of an audience has acknowledged a message that asks for it.
fn acknowledged(tx: &mut Tx<'_>, message: &Message, crowds: &Crowds) -> Result<RoaringBitmap> {
    let mut people = RoaringBitmap::new();
    if message.must_acknowledge {
        tx.each(&ACKNOWLEDGED, &[&message.id.0], |row| {
            people.insert(row.get::<i64>(0)? as u32);
            Ok::<(), campanile_store::Error>(())
        })?;
    }
    Ok(people & &crowds.people)
}

/// Whether it is also asked how far a message got by when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Over {
    /// No.
    None,
    /// Yes.
    Time,
}

/// A published message whose marks are being looked through.
struct Count<'m> {
    message: &'m Message,
    addressed: Vec<Addressed>,
    when: When,
    /// What is found, and what it follows from.
    found: Kept,
    /// What was found before, of which those stand who are not judged again; all are where there is nothing.
    before: Option<Arc<Kept>>,
    again: RoaringBitmap,
    /// Marks that are not decided by the revision alone: made before a fact that may continue another one, or where
    /// subscriptions start by the clock. These few people are looked at one by one.
    doubtful: HashMap<u32, Vec<(i64, Mark)>>,
    /// When people marked it unread, and then everything read for the last time; 0 for never.
    unread: HashMap<u32, (i64, i64)>,
}

/// How far each of some messages got; `None` before it is published. The marks are looked through once for all of them.
pub(super) fn look(
    tx: &mut Tx<'_>,
    residents: &Residents,
    kept: &Audiences,
    messages: &[Message],
    over: Over,
    now: Moment,
) -> Result<Vec<Option<Arc<Kept>>>> {
    let mut counts = Vec::with_capacity(messages.len());
    for message in messages {
        counts.push(count(tx, residents, kept, message, over, now)?);
    }
    let mut open: Vec<&mut Count<'_>> = counts.iter_mut().flatten().collect();
    let pairs = open
        .iter()
        .filter_map(|count| Some((count.before.as_deref()?, &count.found)));
    let marked = Marked::read(tx, pairs)?;
    for count in &mut open {
        count.find_again(tx, &marked)?;
    }
    let (mut again, mut whole): (Vec<_>, Vec<_>) = open.into_iter().partition(|count| count.before.is_some());
    look_through_all(tx, &mut whole)?;
    look_again(tx, &mut again)?;
    let finish = |count: Option<Count<'_>>| count.map(|count| count.finish(tx, kept)).transpose();
    counts.into_iter().map(finish).collect()
}

/// What is known of a message before the marks are looked at; `None` before it is published.
fn count<'m>(
    tx: &mut Tx<'_>,
    residents: &Residents,
    kept: &Audiences,
    message: &'m Message,
    over: Over,
    now: Moment,
) -> Result<Option<Count<'m>>> {
    let (Some(sights), Some(when)) = (sight::sights(tx, message)?, judged::when(tx, message, now)?) else {
        return Ok(None);
    };
    let selectors = super::selectors(tx, message.id)?;
    let people = judged::of(tx, residents, kept, message, &selectors, when)?;
    let (joined, clocked) = match message.rule {
        Rule::AtSend => (Arc::default(), RoaringBitmap::new()),
        Rule::WhileActive => {
            let is_now = when == When::Instant(Instant::now(now));
            let joined = judged::joined(tx, residents, kept, message, &selectors, when)?;
            (joined, clocked(tx, message, &selectors, is_now)?)
        }
    };
    let addressed = super::addressed(tx, message.id)?;
    let mut found = Kept {
        message: message.id,
        frame: Frame {
            ring: message.ring,
            readdressed: addressed.iter().map(|one| one.since).max().unwrap_or_default(),
            sights,
        },
        crowds: Crowds {
            people,
            ..Crowds::default()
        },
        joined,
        clocked,
        doubtful: RoaringBitmap::new(),
        stretches: None,
        shown: Shown::read(tx, message.id)?,
    };
    let before = kept.looks.before(&found);
    let before = before.filter(|before| over == Over::None || before.stretches.is_some());
    let is_over_time = over == Over::Time || before.as_ref().is_some_and(|before| before.stretches.is_some());
    let published = message.published_at.unwrap_or_default();
    found.stretches = is_over_time.then(|| Stretches::new(published));
    Ok(Some(Count {
        message,
        addressed,
        when,
        found,
        before,
        again: RoaringBitmap::new(),
        doubtful: HashMap::new(),
        unread: HashMap::new(),
    }))
}

/// Hands all that was done with each message to it, and every mark that somebody made while it was there.
fn look_through_all(tx: &mut Tx<'_>, counts: &mut [&mut Count<'_>]) -> Result<()> {
    for count in &mut *counts {
        tx.each(&DEEDS, &[&count.message.id.0], |row| count.take_deed(row))?;
    }
    let spans = || counts.iter().map(|count| count.found.frame.sights.span());
    let (Some(first), Some(opens), Some(closes)) = (
        counts.iter().filter_map(|count| count.message.revision).min(),
        spans().map(|(opens, _)| opens).min(),
        spans().map(|(_, closes)| closes).max(),
    ) else {
        return Ok(());
    };
    tx.each(&MARKS, &[&first, &opens, &closes], |row| take_mark(counts, row))?;
    Ok(())
}

/// The same of those people alone who are judged again.
fn look_again(tx: &mut Tx<'_>, counts: &mut [&mut Count<'_>]) -> Result<()> {
    let ids = || counts.iter().map(|count| count.message.id.0);
    let (Some(first), Some(oldest), Some(newest)) = (
        counts.iter().filter_map(|count| count.message.revision).min(),
        ids().min(),
        ids().max(),
    ) else {
        return Ok(());
    };
    let again = counts
        .iter()
        .fold(RoaringBitmap::new(), |all, count| all | &count.again);
    let again: Vec<i64> = again.iter().map(i64::from).collect();
    for part in again.chunks(OF) {
        let people: [i64; OF] = std::array::from_fn(|at| part.get(at).copied().unwrap_or_default());
        let of = || people.iter().map(|person| person as &dyn Param);
        let deeds: Vec<&dyn Param> = of().chain([&oldest as &dyn Param, &newest]).collect();
        tx.each(&DEEDS_OF, &deeds, |row| {
            let message: i64 = row.get(5)?;
            let mut of_it = counts.iter_mut().filter(|count| count.message.id.0 == message);
            of_it.try_for_each(|count| count.take_deed(row))
        })?;
        let marks: Vec<&dyn Param> = of().chain([&first as &dyn Param]).collect();
        tx.each(&MARKS_OF, &marks, |row| take_mark(counts, row))?;
    }
    Ok(())
}

fn take_mark(counts: &mut [&mut Count<'_>], row: &Row<'_>) -> campanile_store::Result<()> {
    let (person, kind) = (row.get::<i64>(0)? as u32, row.get::<i64>(1)?);
    let mark = Mark {
        revision: row.get(2)?,
        at: row.get(3)?,
        clock: row.get(4)?,
    };
    for count in counts {
        count.take(person, kind, mark);
    }
    Ok(())
}

impl Count<'_> {
    /// Finds out who has to be judged again.
    fn find_again(&mut self, tx: &mut Tx<'_>, marked: &Marked) -> Result<()> {
        let Some(before) = &self.before else {
            return Ok(());
        };
        match before.again(tx, marked, &self.found)? {
            Some(again) => self.again = again,
            None => self.before = None,
        }
        Ok(())
    }

    /// Whether a person is in the audience and judged.
    fn judges(&self, person: u32) -> bool {
        match self.before {
            Some(_) => self.again.contains(person),
            None => self.found.crowds.people.contains(person),
        }
    }

    /// Counts a mark, or leaves it for later.
    fn take(&mut self, person: u32, kind: i64, mark: Mark) {
        let Frame {
            sights, readdressed, ..
        } = &self.found.frame;
        if !sights.holds(mark, Mark::default()) || !self.judges(person) {
            return;
        }
        let joined = self.found.joined.get(&person).copied().unwrap_or_default();
        let since = joined.max(*readdressed);
        if mark.revision < since || self.found.clocked.contains(person) {
            self.doubtful.entry(person).or_default().push((kind, mark));
        } else {
            self.hand(person, kind, mark);
        }
    }

    fn hand(&mut self, person: u32, kind: i64, mark: Mark) {
        let sights = &self.found.frame.sights;
        let reads = kind == 2 && sights.reading.holds(mark);
        if !reads && !sights.showed(mark) {
            return;
        }
        self.saw(person, mark.at);
        if reads {
            // "Read all" counts where it was made after the message was marked unread.
            let mut stands = true;
            if let Some((unread, read_all)) = self.unread.get_mut(&person) {
                stands = *unread < mark.at;
                *read_all = mark.at.max(*read_all);
            }
            self.found.crowds.read.insert(person);
            if let Some(stretches) = self.found.stretches.as_mut().filter(|_| stands) {
                stretches.read(person, mark.at);
            }
        }
    }

    fn saw(&mut self, person: u32, at: i64) {
        self.found.crowds.seen.insert(person);
        if let Some(stretches) = &mut self.found.stretches {
            stretches.saw(person, at);
        }
    }

    /// What a person did with this message alone.
    fn take_deed(&mut self, row: &Row<'_>) -> campanile_store::Result<()> {
        let person = row.get::<i64>(0)? as u32;
        if !self.judges(person) {
            return Ok(());
        }
        // Whoever did anything with it had it before them.
        self.saw(person, row.get(1)?);
        let (read_at, read): (Option<i64>, Option<i64>) = (row.get(2)?, row.get(3)?);
        match (read_at, read) {
            (Some(at), Some(read)) if read >= self.message.ring => {
                self.found.crowds.read.insert(person);
                if let Some(stretches) = &mut self.found.stretches {
                    stretches.read(person, at);
                }
            }
            (None, _) => {
                if let Some(unread) = row.get::<Option<i64>>(4)? {
                    self.unread.insert(person, (unread, 0));
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Decides what is doubtful, and what of it was taken back.
    fn settle(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        for (person, marks) in std::mem::take(&mut self.doubtful) {
            self.found.doubtful.insert(person);
            let held = holdings(tx, PersonId(i64::from(person)))?;
            let Some(since) = stretch(&held, &self.addressed, |fact| self.when.covers(fact)) else {
                continue;
            };
            for (kind, mark) in marks {
                if self.found.frame.sights.holds(mark, since) {
                    self.hand(person, kind, mark);
                }
            }
        }
        for (person, (unread, read_all)) in &self.unread {
            if read_all <= unread {
                self.found.crowds.read.remove(*person);
            }
        }
        if let Some(stretches) = &mut self.found.stretches {
            stretches.settle();
        }
        Ok(())
    }

    /// What was found, and is kept for the next look.
    fn finish(mut self, tx: &mut Tx<'_>, kept: &Audiences) -> Result<Arc<Kept>> {
        self.settle(tx)?;
        let found = match self.before {
            Some(before) if self.again.is_empty() && before.stands(&self.found) => before,
            Some(before) => {
                self.found.add(&before, &self.again);
                Arc::new(self.found)
            }
            None => Arc::new(self.found),
        };
        kept.looks.keep(&found);
        Ok(found)
    }
}

/// Those who may hold a selector of an audience by a subscription that started by the clock after publication: by those
/// of now, or by all there were.
fn clocked(tx: &mut Tx<'_>, message: &Message, selectors: &[Selector], is_now: bool) -> Result<RoaringBitmap> {
    let published = message.published_at.unwrap_or_default();
    let ended = if is_now { OPEN - 1 } else { 0 };
    let mut out = RoaringBitmap::new();
    let mut add = |row: &Row<'_>| {
        out.insert(row.get::<i64>(0)? as u32);
        Ok::<(), campanile_store::Error>(())
    };
    for selector in selectors {
        match selector {
            Selector::ApiRole { api, role } => {
                tx.each(&CLOCKED_ROLE, &[&api.0, &published.0, &ended, &role.0], &mut add)?;
            }
            Selector::Subscribers { api } => {
                tx.each(&CLOCKED_SUBSCRIBERS, &[&api.0, &published.0, &ended], &mut add)?;
            }
            _ => {}
        }
    }
    Ok(out)
}

/// The numbers of a message.
pub fn funnel(
    tx: &mut Tx<'_>,
    residents: &Residents,
    kept: &Audiences,
    message: &Message,
    now: Moment,
) -> Result<Funnel> {
    let funnels = funnels(tx, residents, kept, std::slice::from_ref(message), now)?;
    Ok(funnels.into_iter().next().flatten().unwrap_or_default())
}

/// The numbers of each of some messages; `None` before it is published. What costs the most is read once for all.
pub fn funnels(
    tx: &mut Tx<'_>,
    residents: &Residents,
    kept: &Audiences,
    messages: &[Message],
    now: Moment,
) -> Result<Vec<Option<Funnel>>> {
    let mut out = Vec::with_capacity(messages.len());
    for messages in messages.chunks(AT_ONCE) {
        let found = look(tx, residents, kept, messages, Over::None, now)?;
        for (message, found) in messages.iter().zip(found) {
            let funnel = found.map(|found| numbers(tx, residents, message, &found.crowds));
            out.push(funnel.transpose()?);
        }
    }
    Ok(out)
}

pub(super) fn numbers(tx: &mut Tx<'_>, residents: &Residents, message: &Message, crowds: &Crowds) -> Result<Funnel> {
    let people = crowds.people.len();
    let now = people - crowds.people.intersection_len(residents.with_email());
    let acknowledged = message.must_acknowledge.then(|| acknowledged(tx, message, crowds));
    Ok(Funnel {
        people,
        // Whoever gets an address later had none then.
        without_email: message.without_email.map_or(now, |then| then as u64),
        seen: crowds.seen.len(),
        read: crowds.read.len(),
        acknowledged: acknowledged.transpose()?.map(|people| people.len()),
    })
}

/// Stores the size of a published `at_send` audience, once and for ever (decision 7).
pub fn store_size(tx: &mut Tx<'_>, id: MessageId, people: u64, without_email: u64) -> Result<()> {
    tx.execute(&SIZE, &[&id.0, &(people as i64), &(without_email as i64)])?;
    Ok(())
}
