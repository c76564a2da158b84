//! How far a message got: who was in its audience, who saw it, who read it. Exact, from facts and marks.
//!
//! The audience of an `at_send` message is judged at its revision, so the answer is the same for ever; that of a
//! `while_active` message is who matches now, and once it is over, who matched at the last instant at which it was
//! there.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use campanile_store::{Tx, sql};
use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};

use super::Message;
use super::sight::{self, Sights};
use crate::audience::crowd::{self, Residents, When};
use crate::audience::{Addressed, Instant, Mark, Rule, Selector, holdings};
use crate::error::Result;
use crate::id::{MessageId, PersonId};
use crate::inbox::judge::stretch;
use crate::time::{Moment, OPEN, Revision};

sql! {
    // Marks from a revision on, of the kinds "seen" and "read".
    MARKS = "SELECT person, kind, revision, at, clock FROM mark
        WHERE kind IN (1, 2) AND revision >= $1 AND clock >= $2 AND at <= $3";
    // $3: those that ended by then are left out.
    CLOCKED = "SELECT api FROM term WHERE api = $1 AND status = 1 AND starts_at > $2 AND until > $3 LIMIT 1";
    LAST_AT = "SELECT value FROM tally WHERE name = 'revision_at'";
    DEEDS = "SELECT person, read_at, read_revision, unread_at FROM engagement WHERE message = $1";
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

/// Messages whose marks are looked through at once; each holds three bitmaps meanwhile.
const AT_ONCE: usize = 20;

/// An audience that was judged at an instant of the past, so that it never changes.
#[derive(Debug)]
struct Judged {
    message: MessageId,
    when: When,
    selectors: Vec<Selector>,
    people: Arc<RoaringBitmap>,
}

/// The audiences of the past that were asked for last.
#[derive(Debug, Default)]
pub struct Audiences(Mutex<Vec<Judged>>);

impl Audiences {
    fn get(&self, message: MessageId, when: When, selectors: &[Selector]) -> Option<Arc<RoaringBitmap>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = kept
            .iter()
            .position(|one| one.message == message && one.when == when && one.selectors == selectors)?;
        // The last one used stands last.
        let found = kept.remove(at);
        let people = Arc::clone(&found.people);
        kept.push(found);
        Some(people)
    }

    fn put(&self, judged: Judged) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|one| one.message != judged.message);
        if kept.len() == KEPT {
            kept.remove(0);
        }
        kept.push(judged);
    }
}

/// When a message's audience is judged; `None` before it is published.
fn when(tx: &mut Tx<'_>, message: &Message, now: Moment) -> Result<Option<When>> {
    if message.rule == Rule::AtSend {
        return Ok(published(message).map(When::Instant));
    }
    Ok(sight::sights(tx, message)?.map(|sights| sights.judged(message, now)))
}

/// The audience of a message: at its publication; where late joiners count, now or, once it is over, at its end. Nobody
/// before it is published.
pub fn audience(
    tx: &mut Tx<'_>,
    residents: &Residents,
    kept: &Audiences,
    message: &Message,
    selectors: &[Selector],
    now: Moment,
) -> Result<RoaringBitmap> {
    match when(tx, message, now)? {
        Some(when) => judge(tx, residents, kept, message.id, selectors, when),
        None => Ok(RoaringBitmap::new()),
    }
}

fn judge(
    tx: &mut Tx<'_>,
    residents: &Residents,
    kept: &Audiences,
    message: MessageId,
    selectors: &[Selector],
    when: When,
) -> Result<RoaringBitmap> {
    if let Some(people) = kept.get(message, when, selectors) {
        return Ok(RoaringBitmap::clone(&people));
    }
    let (people, is_settled) = people(tx, residents, selectors, when)?;
    if is_settled {
        kept.put(Judged {
            message,
            when,
            selectors: selectors.to_vec(),
            people: Arc::new(people.clone()),
        });
    }
    Ok(people)
}

/// The people who hold any of some selectors then, and whether that is so for ever.
///
/// Where nothing of the directory has changed since, who holds it now held it then. Asked of the residents, which
/// another reader may have brought further than this snapshot.
fn people(tx: &mut Tx<'_>, residents: &Residents, selectors: &[Selector], when: When) -> Result<(RoaringBitmap, bool)> {
    let still = Instant::now(when.at());
    let (is_last, is_settled) = match when {
        When::Instant(instant) if instant == still => (true, false),
        When::Instant(instant) => (residents.position() <= instant.revision.0, true),
        When::Clock(at) => {
            let last_at: i64 = tx.one(&LAST_AT, &[], |row| row.get(0))?;
            let is_last = last_at <= at.0 && residents.position() <= crowd::directory_position(tx)?;
            // A server whose clock runs behind may still stamp a change with a time up to then.
            (is_last, last_at > at.0)
        }
    };
    let people = if is_last {
        residents.crowd(tx, selectors, still)?
    } else {
        crowd::crowd(tx, selectors, when)?
    };
    Ok((people, is_settled))
}

/// Who is in a message's audience, and how far it got with them.
pub fn crowds(
    tx: &mut Tx<'_>,
    residents: &Residents,
    kept: &Audiences,
    message: &Message,
    now: Moment,
) -> Result<Crowds> {
    let found = crowds_of(tx, residents, kept, std::slice::from_ref(message), now)?;
    Ok(found.into_iter().next().unwrap_or_default())
}

/// A published message whose marks are being looked through.
struct Count<'m> {
    /// Its place among those asked for.
    place: usize,
    message: &'m Message,
    addressed: Vec<Addressed>,
    /// When selectors were last added to it; 0 for never.
    readdressed: i64,
    sights: Sights,
    when: When,
    crowds: Crowds,
    /// Since which revision late joiners have held a selector, where they count.
    joined: HashMap<u32, i64>,
    /// Whether some subscription started by the clock after publication.
    is_clocked: bool,
    /// Marks that are not decided by the revision alone: made before a fact that may continue another one, or where
    /// subscriptions start by the clock. These few people are looked at one by one.
    doubtful: HashMap<u32, Vec<(i64, Mark)>>,
    /// When people marked it unread, and then everything read for the last time; 0 for never.
    unread: HashMap<u32, (i64, i64)>,
    /// Who is told of each mark that counts.
    tell: Option<&'m mut Tell<'m>>,
}

/// Told of a person, whether the mark reads the message, and the time of the mark in milliseconds.
pub(super) type Tell<'t> = dyn FnMut(u32, bool, i64) + 't;

/// Tells of each mark by which somebody saw or read a message; who is in its audience.
pub(super) fn tell<'m>(
    tx: &mut Tx<'_>,
    residents: &Residents,
    kept: &Audiences,
    message: &'m Message,
    now: Moment,
    tell: &'m mut Tell<'m>,
) -> Result<RoaringBitmap> {
    let Some(mut count) = count(tx, residents, kept, (0, message), now)? else {
        return Ok(RoaringBitmap::new());
    };
    count.tell = Some(tell);
    look_through_marks(tx, std::slice::from_mut(&mut count))?;
    count.settle(tx)?;
    Ok(count.crowds.people)
}

/// As [`crowds`], of many messages: the marks are looked through once for all of them.
fn crowds_of(
    tx: &mut Tx<'_>,
    residents: &Residents,
    kept: &Audiences,
    messages: &[Message],
    now: Moment,
) -> Result<Vec<Crowds>> {
    let mut counts = Vec::with_capacity(messages.len());
    for (place, message) in messages.iter().enumerate() {
        counts.extend(count(tx, residents, kept, (place, message), now)?);
    }
    look_through_marks(tx, &mut counts)?;
    let mut out = vec![Crowds::default(); messages.len()];
    for mut count in counts {
        count.settle(tx)?;
        out[count.place] = count.crowds;
    }
    Ok(out)
}

/// What is known of a message before the marks are looked at; `None` before it is published.
fn count<'m>(
    tx: &mut Tx<'_>,
    residents: &Residents,
    kept: &Audiences,
    (place, message): (usize, &'m Message),
    now: Moment,
) -> Result<Option<Count<'m>>> {
    let (Some(sights), Some(when)) = (sight::sights(tx, message)?, when(tx, message, now)?) else {
        return Ok(None);
    };
    let selectors = super::selectors(tx, message.id)?;
    let (joined, is_clocked) = match message.rule {
        Rule::AtSend => (HashMap::new(), false),
        Rule::WhileActive => {
            let mut joined = crowd::crowd_since(tx, &selectors, when)?;
            joined.retain(|_, since| message.revision < Some(*since));
            joined.shrink_to_fit();
            let is_now = when == When::Instant(Instant::now(now));
            (joined, is_clocked(tx, message, &selectors, is_now)?)
        }
    };
    let addressed = super::addressed(tx, message.id)?;
    let mut count = Count {
        place,
        message,
        readdressed: addressed.iter().map(|one| one.since).max().unwrap_or_default(),
        addressed,
        sights,
        when,
        crowds: Crowds {
            people: judge(tx, residents, kept, message.id, &selectors, when)?,
            ..Crowds::default()
        },
        joined,
        is_clocked,
        doubtful: HashMap::new(),
        unread: HashMap::new(),
        tell: None,
    };
    count.add_deeds(tx)?;
    Ok(Some(count))
}

/// Hands every mark that somebody made while one of the messages was there to that message.
fn look_through_marks(tx: &mut Tx<'_>, counts: &mut [Count<'_>]) -> Result<()> {
    let spans = || counts.iter().map(|count| count.sights.span());
    let (Some(first), Some(opens), Some(closes)) = (
        counts.iter().filter_map(|count| count.message.revision).min(),
        spans().map(|(opens, _)| opens).min(),
        spans().map(|(_, closes)| closes).max(),
    ) else {
        return Ok(());
    };
    tx.each(&MARKS, &[&first, &opens, &closes], |row| {
        let (person, kind) = (row.get::<i64>(0)? as u32, row.get::<i64>(1)?);
        let mark = Mark {
            revision: row.get(2)?,
            at: row.get(3)?,
            clock: row.get(4)?,
        };
        for count in &mut *counts {
            count.take(person, kind, mark);
        }
        Ok::<(), campanile_store::Error>(())
    })?;
    Ok(())
}

impl Count<'_> {
    /// Counts a mark, or leaves it for later.
    fn take(&mut self, person: u32, kind: i64, mark: Mark) {
        if !self.sights.holds(mark, Mark::default()) || !self.crowds.people.contains(person) {
            return;
        }
        let since = self
            .joined
            .get(&person)
            .copied()
            .unwrap_or_default()
            .max(self.readdressed);
        if self.is_clocked || mark.revision < since {
            self.doubtful.entry(person).or_default().push((kind, mark));
        } else {
            self.hand(person, kind, mark);
        }
    }

    fn hand(&mut self, person: u32, kind: i64, mark: Mark) {
        let reads = kind == 2 && self.sights.reading.holds(mark);
        if reads || self.sights.showed(mark) {
            self.crowds.seen.insert(person);
            if let Some(tell) = &mut self.tell {
                tell(person, reads, mark.at);
            }
        }
        if reads {
            self.crowds.read.insert(person);
            if let Some((_, read_all)) = self.unread.get_mut(&person) {
                *read_all = mark.at.max(*read_all);
            }
        }
    }

    /// What people did with this message alone.
    fn add_deeds(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        tx.each(&DEEDS, &[&self.message.id.0], |row| {
            let person = row.get::<i64>(0)? as u32;
            // Whoever did anything with it had it before them.
            self.crowds.seen.insert(person);
            if let Some(read) = row.get::<Option<i64>>(2)? {
                if read >= self.message.ring {
                    self.crowds.read.insert(person);
                }
            } else if let Some(unread) = row.get::<Option<i64>>(3)? {
                self.unread.insert(person, (unread, 0));
            }
            Ok::<(), campanile_store::Error>(())
        })?;
        Ok(())
    }

    /// Decides what is doubtful, and what of it was taken back.
    fn settle(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        for (person, marks) in std::mem::take(&mut self.doubtful) {
            let held = holdings(tx, PersonId(i64::from(person)))?;
            let Some(since) = stretch(&held, &self.addressed, |fact| self.when.covers(fact)) else {
                continue;
            };
            for (kind, mark) in marks {
                if self.sights.holds(mark, since) {
                    self.hand(person, kind, mark);
                }
            }
        }
        for (person, (unread, read_all)) in &self.unread {
            if read_all <= unread {
                self.crowds.read.remove(*person);
            }
        }
        self.crowds.seen &= &self.crowds.people;
        self.crowds.read &= &self.crowds.people;
        Ok(())
    }
}

/// Whether some subscription that an audience rests on started by the clock after publication: of those of now, or of
/// all there were.
fn is_clocked(tx: &mut Tx<'_>, message: &Message, selectors: &[Selector], is_now: bool) -> Result<bool> {
    let published = message.published_at.unwrap_or_default();
    let ended = if is_now { OPEN - 1 } else { 0 };
    for selector in selectors {
        if let Selector::ApiRole { api, .. } | Selector::Subscribers { api } = selector
            && tx
                .first(&CLOCKED, &[&api.0, &published.0, &ended], |row| row.get::<i64>(0))?
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
    Ok(numbers(residents, message, &crowds))
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
        let crowds = crowds_of(tx, residents, kept, messages, now)?;
        let of = |(message, crowds): (&Message, &Crowds)| message.revision.map(|_| numbers(residents, message, crowds));
        out.extend(messages.iter().zip(&crowds).map(of));
    }
    Ok(out)
}

fn numbers(residents: &Residents, message: &Message, crowds: &Crowds) -> Funnel {
    let people = crowds.people.len();
    let now = people - crowds.people.intersection_len(residents.with_email());
    Funnel {
        people,
        // Whoever gets an address later had none then.
        without_email: message.without_email.map_or(now, |then| then as u64),
        seen: crowds.seen.len(),
        read: crowds.read.len(),
    }
}

/// The instant of publication.
fn published(message: &Message) -> Option<Instant> {
    Some(Instant {
        revision: Revision(message.revision?),
        at: message.published_at?,
    })
}

/// The audience at publication, whatever becomes of late joiners: what leaves the house goes to these.
pub fn frozen(tx: &mut Tx<'_>, residents: &Residents, kept: &Audiences, message: &Message) -> Result<RoaringBitmap> {
    let Some(published) = published(message) else {
        return Ok(RoaringBitmap::new());
    };
    let selectors = super::selectors(tx, message.id)?;
    judge(tx, residents, kept, message.id, &selectors, When::Instant(published))
}

/// Stores the size of a published `at_send` audience, once and for ever (decision 7).
pub fn store_size(tx: &mut Tx<'_>, id: MessageId, people: u64, without_email: u64) -> Result<()> {
    tx.execute(&SIZE, &[&id.0, &(people as i64), &(without_email as i64)])?;
    Ok(())
}
