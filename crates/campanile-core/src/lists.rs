//! Messages by selector, in memory: which messages a person could see is judged from these and the person's few facts.
//!
//! Lists of *messages*, never of people: ten thousand messages take two megabytes, whatever the audience. Every process
//! holds one; it is brought up to date by whoever reads and finds that the database has moved on, so an answer is never
//! older than its own snapshot.

use std::collections::{BTreeSet, HashMap};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use campanile_store::{Row, Tx, sql};

use crate::audience::{Addressed, Held, Key, Rule};
use crate::error::Result;
use crate::inbox::texts::Texts;
use crate::message::Channel;
use crate::message::sight::{Sight, Was, stretches};
use crate::time::{Moment, OPEN};

macro_rules! entries {
    ($of:literal) => {
        concat!(
            "SELECT id, revision, published_at, rule, channels, importance, opens_at, closes_at, enabled, recalled,
                arrival, arrival_at, ring, edition, recalled_at, dismissible, must_acknowledge, sub_customers
            FROM message WHERE revision IS NOT NULL AND ",
            $of
        )
    };
}

macro_rules! addressed {
    ($of:literal) => {
        concat!(
            "SELECT message, kind, object, role, since, until, since_at, until_at FROM audience WHERE ",
            $of
        )
    };
}

sql! {
    // What there is beyond a revision, in one look, since mostly it is a new message and nothing else.
    KNOWN = "SELECT value, (SELECT COALESCE(MAX(id), 0) FROM message),
            EXISTS (SELECT 1 FROM edition WHERE revision > $1), EXISTS (SELECT 1 FROM forgotten WHERE revision > $1)
        FROM tally WHERE name = 'messages'";
    // Published ones only, with ids above $1.
    NEW = entries!("id > $1");
    NEW_SELECTORS = addressed!("message > $1");
    // What has changed since revision $2.
    CHANGED = entries!("id <= $1 AND id IN (SELECT message FROM edition WHERE revision > $2)");
    CHANGED_SELECTORS = addressed!("message <= $1 AND message IN (SELECT message FROM edition WHERE revision > $2)");
    // What those were that have changed since a revision.
    STATES = "SELECT message, revision, at, opens_at, closes_at, enabled FROM edition
        WHERE message IN (SELECT message FROM edition WHERE revision > $1)";
    FORGOTTEN = "SELECT message FROM forgotten WHERE revision > $1";
}

/// What has to be known of a message to judge it; its texts stay in the database.
#[expect(clippy::struct_excessive_bools, reason = "each holds or not whatever the others do")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    // What every reader's count looks at, side by side: it is one line of the processor's cache rather than three.
    /// First second of the window.
    pub opens_at: i64,
    /// Last second of the window.
    pub closes_at: i64,
    /// Bits: 1 portal, 2 banner, 4 email, 8 http.
    pub channels: i64,
    /// The revision of its recall; 0 for never.
    pub recalled: i64,
    /// 0 low, 1 high, 2 critical.
    pub importance: i64,
    /// The last revision at which it came up for everybody.
    pub arrival: i64,
    /// The last revision at which the bell rang for it.
    pub ring: i64,
    /// Which.
    pub id: i64,
    /// Of publication.
    pub revision: i64,
    /// When it was published.
    pub published_at: i64,
    /// The time beside `arrival`.
    pub arrival_at: i64,
    /// Grows with every correction.
    pub edition: i64,
    /// When it was recalled; 0 for never.
    pub recalled_at: i64,
    /// Late joiners.
    pub rule: Rule,
    /// Switched on.
    pub enabled: bool,
    /// Its banner may be dismissed even where it is critical.
    pub dismissible: bool,
    /// Its banner stands until the person says that they have read it.
    pub must_acknowledge: bool,
    /// What the UI messages contract said of sub-customers where the audience is everyone.
    pub sub_customers: bool,
}

impl Entry {
    /// Whether the activity window is open. Both ends are inside, to the second (decision 27).
    #[must_use]
    pub const fn is_open(&self, now: Moment) -> bool {
        let second = now.second().0;
        self.opens_at <= second && second <= self.closes_at
    }

    /// Whether the window has closed.
    #[must_use]
    pub const fn is_past(&self, now: Moment) -> bool {
        self.closes_at < now.second().0
    }

    /// Whether it goes out by a channel.
    #[must_use]
    pub const fn has(&self, channel: Channel) -> bool {
        self.channels & channel.bit() != 0
    }

    /// Whether its audience may see it at all now, apart from the window.
    #[must_use]
    pub const fn is_on(&self) -> bool {
        self.enabled && self.recalled == 0
    }
}

/// The lists themselves.
#[derive(Debug, Default)]
pub struct Lists {
    entries: Vec<Entry>,
    slots: HashMap<i64, u32>,
    keys: HashMap<Key, Postings>,
    addressed: Vec<Vec<Addressed>>,
    /// The stretches in which those were there, oldest first, that were switched off or had another window since their
    /// publication.
    moved: HashMap<u32, Box<[Sight]>>,
    /// When a window opens or closes. One that has moved leaves its old instant behind, which costs a look, no more.
    boundaries: BTreeSet<i64>,
    /// The greatest id known, published or not.
    last: i64,
    /// Everything up to this revision is known.
    position: i64,
}

/// The messages of one selector, by slot, in the order of their revisions.
#[derive(Debug, Default, Clone)]
pub struct Postings {
    /// Judged at their publication.
    pub at_send: Vec<u32>,
    /// Judged now.
    pub while_active: Vec<u32>,
}

impl Lists {
    /// Everything up to this revision of a message is known.
    #[must_use]
    pub const fn position(&self) -> i64 {
        self.position
    }

    /// How many messages are held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether none is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Every message.
    pub fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| self.slots.contains_key(&entry.id))
    }

    /// The message in a slot.
    #[must_use]
    pub fn entry(&self, slot: u32) -> &Entry {
        &self.entries[slot as usize]
    }

    /// The slot of a message by id; `None` where it is not published.
    pub(crate) fn slot(&self, id: i64) -> Option<u32> {
        self.slots.get(&id).copied()
    }

    /// A message by id; `None` where it is not published.
    #[must_use]
    pub fn find(&self, id: i64) -> Option<&Entry> {
        self.slot(id).map(|slot| self.entry(slot))
    }

    /// Looks at the stretches in which the message in a slot was there, oldest first.
    pub(crate) fn with_sights<T>(&self, slot: u32, look: impl FnOnce(&[Sight]) -> T) -> T {
        match self.moved.get(&slot) {
            Some(sights) => look(sights),
            None => look(&[Sight::whole(self.entry(slot))]),
        }
    }

    /// To whom a message is and was addressed; nobody where it is not published.
    #[must_use]
    pub fn addressed(&self, id: i64) -> &[Addressed] {
        self.slots.get(&id).map_or(&[], |slot| self.addressed_at(*slot))
    }

    /// To whom the message in a slot is and was addressed.
    #[must_use]
    pub fn addressed_at(&self, slot: u32) -> &[Addressed] {
        &self.addressed[slot as usize]
    }

    /// The messages of one selector.
    #[must_use]
    pub fn postings(&self, key: Key) -> Option<&Postings> {
        self.keys.get(&key)
    }

    /// The part of a selector's `at_send` messages that were published in an interval of revisions.
    #[must_use]
    pub fn between<'l>(&self, slots: &'l [u32], since: i64, until: i64) -> &'l [u32] {
        // Most hold what they hold since before its first message, and still do.
        let before = |slot: Option<&u32>, revision| slot.is_some_and(|slot| self.entry(*slot).revision < revision);
        let from = if before(slots.first(), since) {
            slots.partition_point(|slot| before(Some(slot), since))
        } else {
            0
        };
        let slots = &slots[from..];
        if before(slots.last(), until) {
            return slots;
        }
        &slots[..slots.partition_point(|slot| before(Some(slot), until))]
    }

    /// The next instant at which some window opens or closes: until then, without a write, nothing changes by itself.
    #[must_use]
    pub fn next_boundary(&self, now: Moment) -> i64 {
        self.boundaries
            .range(now.second().0 + 1..)
            .next()
            .copied()
            .unwrap_or(OPEN)
    }

    /// Reads what is new or changed. The caller holds the lists alone.
    fn refresh(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        let known = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
        let (position, last, edited, forgot): (i64, i64, bool, bool) = tx.one(&KNOWN, &[&self.position], known)?;
        if position <= self.position {
            return Ok(());
        }
        let mut entries = tx.rows(&NEW, &[&self.last], entry)?;
        let mut addressed: HashMap<i64, Vec<Addressed>> = HashMap::new();
        let mut address = |row: &Row<'_>| {
            addressed.entry(row.get(0)?).or_default().push(Addressed::read(row, 1)?);
            Ok::<(), campanile_store::Error>(())
        };
        tx.each(&NEW_SELECTORS, &[&self.last], &mut address)?;
        let mut states: HashMap<i64, Vec<Was>> = HashMap::new();
        if edited {
            let since: [&dyn campanile_store::Param; 2] = [&self.last, &self.position];
            entries.append(&mut tx.rows(&CHANGED, &since, entry)?);
            tx.each(&CHANGED_SELECTORS, &since, address)?;
            tx.each(&STATES, &[&self.position], |row| {
                states.entry(row.get(0)?).or_default().push(Was::read(row, 1)?);
                Ok::<(), campanile_store::Error>(())
            })?;
        }
        let forgotten = if forgot {
            tx.rows(&FORGOTTEN, &[&self.position], |row| row.get::<i64>(0))?
        } else {
            Vec::new()
        };
        // Sorted here: asked to sort, SQLite would walk all messages by revision for the few that are new.
        entries.sort_unstable_by_key(|entry| entry.revision);
        // Nothing is changed before everything is read: whoever fails halfway, since the connection is cut, leaves the
        // lists as they were. Never less than before: the last of all may be forgotten.
        self.last = self.last.max(last);
        for entry in entries {
            let slot = self.put(entry, addressed.remove(&entry.id).unwrap_or_default());
            self.stretch(slot, states.remove(&entry.id).unwrap_or_default());
        }
        for message in forgotten {
            self.drop(message);
        }
        self.position = position;
        Ok(())
    }

    /// Puts down when the message in a slot was there, from what it was before each change.
    fn stretch(&mut self, slot: u32, mut states: Vec<Was>) {
        let entry = *self.entry(slot);
        // Before its publication nobody saw it.
        states.retain(|was| was.until() > entry.revision);
        states.sort_unstable_by_key(Was::until);
        states.push(Was::still((entry.opens_at, entry.closes_at), entry.enabled));
        let sights = stretches((entry.revision, entry.published_at), &states);
        if sights == [Sight::whole(&entry)] {
            self.moved.remove(&slot);
        } else {
            self.moved.insert(slot, sights.into());
        }
    }

    fn put(&mut self, entry: Entry, mut addressed: Vec<Addressed>) -> u32 {
        addressed.sort_unstable();
        let edges = [entry.opens_at, entry.closes_at.saturating_add(1_000)];
        self.boundaries
            .extend(edges.into_iter().filter(|at| *at > 0 && *at < OPEN));
        let known = self.slots.get(&entry.id).copied();
        let slot = known.unwrap_or(self.entries.len() as u32);
        if known.is_some() {
            self.entries[slot as usize] = entry;
            if self.addressed[slot as usize] == addressed {
                return slot;
            }
            self.unlist(slot);
        } else {
            self.entries.push(entry);
            self.slots.insert(entry.id, slot);
            self.addressed.push(Vec::new());
        }
        for one in addressed.iter().filter(|one| one.is_now()) {
            let postings = self.keys.entry(one.key).or_default();
            let slots = match entry.rule {
                Rule::AtSend => &mut postings.at_send,
                Rule::WhileActive => &mut postings.while_active,
            };
            // At the end, unless an older message got another audience: slots are in the order of revisions.
            slots.insert(slots.partition_point(|at| *at < slot), slot);
        }
        self.addressed[slot as usize] = addressed;
        slot
    }

    /// Drops a message that is kept no longer. Its slot stays empty, since others are named by theirs.
    fn drop(&mut self, message: i64) {
        if let Some(slot) = self.slots.remove(&message) {
            self.unlist(slot);
            self.moved.remove(&slot);
        }
    }

    fn unlist(&mut self, slot: u32) {
        for one in std::mem::take(&mut self.addressed[slot as usize]) {
            if let Some(postings) = self.keys.get_mut(&one.key) {
                postings.at_send.retain(|at| *at != slot);
                postings.while_active.retain(|at| *at != slot);
            }
        }
    }
}

fn entry(row: &Row<'_>) -> campanile_store::Result<Entry> {
    Ok(Entry {
        id: row.get(0)?,
        revision: row.get(1)?,
        published_at: row.get(2)?,
        rule: Rule::from_code(row.get(3)?),
        channels: row.get(4)?,
        importance: row.get(5)?,
        opens_at: row.get(6)?,
        closes_at: row.get(7)?,
        enabled: row.get(8)?,
        recalled: row.get::<Option<i64>>(9)?.unwrap_or(0),
        arrival: row.get(10)?,
        arrival_at: row.get(11)?,
        ring: row.get(12)?,
        edition: row.get(13)?,
        recalled_at: row.get::<Option<i64>>(14)?.unwrap_or(0),
        dismissible: row.get(15)?,
        must_acknowledge: row.get(16)?,
        sub_customers: row.get(17)?,
    })
}

/// The lists as a process shares them.
#[derive(Debug, Default)]
pub struct Shared {
    lists: RwLock<Lists>,
    texts: Texts,
    held: Held,
}

impl Shared {
    /// Texts that are kept.
    pub(crate) const fn texts(&self) -> &Texts {
        &self.texts
    }

    /// What people hold who asked lately.
    #[must_use]
    pub const fn held(&self) -> &Held {
        &self.held
    }

    /// The lists, at least as new as a revision of messages that the caller's snapshot has.
    pub fn at<'s>(&'s self, tx: &mut Tx<'_>, position: i64) -> Result<RwLockReadGuard<'s, Lists>> {
        let lists = self.lists.read().unwrap_or_else(PoisonError::into_inner);
        if lists.position >= position {
            return Ok(lists);
        }
        drop(lists);
        self.lists.write().unwrap_or_else(PoisonError::into_inner).refresh(tx)?;
        Ok(self.lists.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The lists as they are, for what needs no snapshot.
    pub fn now(&self) -> RwLockReadGuard<'_, Lists> {
        self.lists.read().unwrap_or_else(PoisonError::into_inner)
    }
}
