//! How far a message got: who was in its audience, who saw it, who read it. Exact, from facts and marks.
//!
//! The audience of an `at_send` message is judged at its revision, so the answer is the same for ever; that of a
//! `while_active` message is who matches now, and once it is over, who matched at the last instant at which it was
//! there.

use std::collections::HashMap;
use std::sync::Arc;

use campanile_store::{Row, Tx, sql};
use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};

pub use super::judged::{Audiences, audience, frozen};

use super::Message;
use super::judged;
use super::sight::{self, Sights};
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

/// Messages whose marks are looked through at once; each holds three bitmaps meanwhile.
const AT_ONCE: usize = 20;

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
    joined: Arc<HashMap<u32, i64>>,
    /// Those who may hold a selector by a subscription that started by the clock after publication, and some more.
    clocked: RoaringBitmap,
    /// Marks that are not decided by the revision alone: made before a fact that may continue another one, or where
    /// subscriptions start by the clock. These few people are looked at one by one.
    doubtful: HashMap<u32, Vec<(i64, Mark)>>,
    /// When people marked it unread, and then everything read for the last time; 0 for never.
    unread: HashMap<u32, (i64, i64)>,
    /// Who is told of each mark that counts.
    tell: Option<&'m mut Tell<'m>>,
}

/// Told of a person who saw the message, perhaps not for the first time: whether they read it, and when, in
/// milliseconds.
pub(super) type Tell<'t> = dyn FnMut(u32, bool, i64) + 't;

/// As [`crowds`], and tells of everything by which somebody saw or read the message, on one look.
pub(super) fn tell<'m>(
    tx: &mut Tx<'_>,
    residents: &Residents,
    kept: &Audiences,
    message: &'m Message,
    now: Moment,
    tell: &'m mut Tell<'m>,
) -> Result<Crowds> {
    let Some(mut count) = count(tx, residents, kept, (0, message), now, Some(tell))? else {
        return Ok(Crowds::default());
    };
    look_through_marks(tx, std::slice::from_mut(&mut count))?;
    count.settle(tx)?;
    Ok(count.crowds)
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
        counts.extend(count(tx, residents, kept, (place, message), now, None)?);
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
    tell: Option<&'m mut Tell<'m>>,
) -> Result<Option<Count<'m>>> {
    let (Some(sights), Some(when)) = (sight::sights(tx, message)?, judged::when(tx, message, now)?) else {
        return Ok(None);
    };
    let selectors = super::selectors(tx, message.id)?;
    let people = judged::judge(tx, residents, kept, message.id, &selectors, when)?;
    let (joined, clocked) = match message.rule {
        Rule::AtSend => (Arc::default(), RoaringBitmap::new()),
        Rule::WhileActive => {
            let is_now = when == When::Instant(Instant::now(now));
            let joined = judged::joined(tx, residents, kept, message, &selectors, when)?;
            (joined, clocked(tx, message, &selectors, is_now)?)
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
            people,
            ..Crowds::default()
        },
        joined,
        clocked,
        doubtful: HashMap::new(),
        unread: HashMap::new(),
        tell,
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
        if mark.revision < since || self.clocked.contains(person) {
            self.doubtful.entry(person).or_default().push((kind, mark));
        } else {
            self.hand(person, kind, mark);
        }
    }

    fn hand(&mut self, person: u32, kind: i64, mark: Mark) {
        let reads = kind == 2 && self.sights.reading.holds(mark);
        // "Read all" counts where it was made after the message was marked unread.
        let mut stands = reads;
        if reads {
            self.crowds.read.insert(person);
            if let Some((unread, read_all)) = self.unread.get_mut(&person) {
                stands = *unread < mark.at;
                *read_all = mark.at.max(*read_all);
            }
        }
        if reads || self.sights.showed(mark) {
            self.crowds.seen.insert(person);
            if let Some(tell) = &mut self.tell {
                tell(person, stands, mark.at);
            }
        }
    }

    /// What people did with this message alone.
    fn add_deeds(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        tx.each(&DEEDS, &[&self.message.id.0], |row| {
            let person = row.get::<i64>(0)? as u32;
            let (read_at, read): (Option<i64>, Option<i64>) = (row.get(2)?, row.get(3)?);
            // Whoever did anything with it had it before them.
            self.crowds.seen.insert(person);
            if let Some(tell) = &mut self.tell {
                tell(person, false, row.get(1)?);
            }
            match (read_at, read) {
                (Some(at), Some(read)) if read >= self.message.ring => {
                    self.crowds.read.insert(person);
                    if let Some(tell) = &mut self.tell {
                        tell(person, true, at);
                    }
                }
                (None, _) => {
                    if let Some(unread) = row.get::<Option<i64>>(4)? {
                        self.unread.insert(person, (unread, 0));
                    }
                }
                _ => {}
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

pub(super) fn numbers(residents: &Residents, message: &Message, crowds: &Crowds) -> Funnel {
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

/// Stores the size of a published `at_send` audience, once and for ever (decision 7).
pub fn store_size(tx: &mut Tx<'_>, id: MessageId, people: u64, without_email: u64) -> Result<()> {
    tx.execute(&SIZE, &[&id.0, &(people as i64), &(without_email as i64)])?;
    Ok(())
}
