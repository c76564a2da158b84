//! In which state a message is for a person: the rules of decisions 17 to 21, in one place.

use std::cell::RefCell;

use serde::{Deserialize, Serialize};

use crate::audience::{Addressed, Bundle, Holding, Instant, Mark, Rule};
use crate::lists::{Entry, Lists};
use crate::message::sight::is_taken;
use crate::message::{Channel, Importance};
use crate::time::{Moment, OPEN, Revision};

/// The lists that a person can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum View {
    /// What is there now, neither archived nor deleted.
    #[default]
    Inbox,
    /// Of these, the unread ones.
    Unread,
    /// Put away.
    Archived,
    /// Whose window has closed.
    Past,
    /// Banners whose window is open, dismissed or not.
    Banners,
}

/// How a banner that stands at the top of every page may be taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Banner {
    /// By the person, until it is corrected.
    Dismissible,
    /// It stays until its window closes, or until it is acknowledged.
    Fixed,
}

/// Whether a person has said that they have read what has to be acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Acknowledgement {
    /// Not yet.
    Needed,
    /// They have.
    Given,
}

/// A message's state for one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each holds or not whatever the others do")]
pub struct State {
    /// Opened, marked, or covered by "read all".
    pub read: bool,
    /// Bell or inbox was opened since it came up; what is read is seen.
    pub seen: bool,
    /// Put away.
    pub archived: bool,
    /// Gone for this person.
    pub deleted: bool,
    /// Its window has closed.
    pub past: bool,
    /// It rings no bell and stands in no inbox: a banner alone.
    pub banner_only: bool,
    /// It has a banner, which stands at the top of every page or was dismissed.
    pub has_banner: bool,
    /// Its banner stands at the top of every page.
    pub banner: Option<Banner>,
    /// Where it has to be acknowledged.
    pub acknowledgement: Option<Acknowledgement>,
}

impl State {
    /// Whether it belongs to a view.
    #[must_use]
    pub const fn stands_in(&self, view: View) -> bool {
        if self.deleted {
            // Who deletes a message does not get rid of a banner that stays.
            return matches!(view, View::Banners) && self.banner.is_some();
        }
        match view {
            View::Inbox => !self.archived && !self.past && !self.banner_only,
            View::Unread => !self.archived && !self.past && !self.banner_only && !self.read,
            View::Archived => self.archived,
            View::Past => self.past && !self.archived,
            View::Banners => self.has_banner && !self.past,
        }
    }
}

/// A message that a person is in the audience of, with its state for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item {
    /// Which.
    pub message: i64,
    /// Its place in every list: the later the bell rang, the further up. Unique.
    pub ring: i64,
    /// 0 low, 1 high, 2 critical.
    pub importance: i64,
    /// The state.
    pub state: State,
    /// Edition and window: its text is another when these are.
    pub version: (i64, i64, i64),
    /// When it came up for the person: the revision, and the time where the clock alone decides.
    pub arrival: (i64, i64),
}

thread_local! {
    /// One stamp a slot, so that a message of two matching selectors is judged once without a set.
    static STAMPS: RefCell<(u32, Vec<u32>)> = const { RefCell::new((0, Vec::new())) };
}

/// Hands over every message in bell, inbox or banner that the person may see or could see while it lasted, each once:
/// of each selector the newest first.
pub fn each(bundle: &Bundle, lists: &Lists, now: Moment, mut hand: impl FnMut(Item)) {
    let second = now.second().0;
    STAMPS.with_borrow_mut(|(stamp, stamps)| {
        *stamp = stamp.wrapping_add(1);
        if *stamp == 0 {
            stamps.fill(0);
            *stamp = 1;
        }
        stamps.resize(lists.len().max(stamps.len()), 0);
        for holding in bundle.holdings.iter() {
            let Some(postings) = lists.postings(holding.key) else {
                continue;
            };
            let until = holding.until.min(bundle.revision + 1);
            let always = is_always_in(bundle, holding);
            for slot in lists.between(&postings.at_send, holding.since, until).iter().rev() {
                let entry = lists.entry(*slot);
                let seen = &mut stamps[*slot as usize];
                if *seen != *stamp && shown(entry, second) && (always || was_in(bundle, holding, entry)) {
                    *seen = *stamp;
                    hand(item(bundle, lists, *slot, None, second));
                }
            }
            for slot in postings.while_active.iter().rev() {
                let entry = lists.entry(*slot);
                if stamps[*slot as usize] != *stamp
                    && entry.revision <= bundle.revision
                    && shown(entry, second)
                    && let Some(arrival) = arrival(bundle, lists.addressed_at(*slot), entry, now)
                {
                    stamps[*slot as usize] = *stamp;
                    hand(item(bundle, lists, *slot, Some(arrival), second));
                }
            }
        }
    });
}

/// The state of one message for a person; `None` where they may not know of it.
#[must_use]
pub fn one(bundle: &Bundle, lists: &Lists, message: i64, now: Moment) -> Option<Item> {
    let second = now.second().0;
    let slot = lists.slot(message)?;
    let (entry, addressed) = (lists.entry(slot), lists.addressed_at(slot));
    if entry.revision > bundle.revision || !shown(entry, second) {
        return None;
    }
    match entry.rule {
        Rule::AtSend => {
            let names = |key| addressed.iter().any(|one| one.key == key);
            let holds = |holding: &&Holding| names(holding.key) && was_in(bundle, holding, entry);
            bundle.holdings.iter().find(holds)?;
            Some(item(bundle, lists, slot, None, second))
        }
        Rule::WhileActive => {
            let arrival = arrival(bundle, addressed, entry, now)?;
            Some(item(bundle, lists, slot, Some(arrival), second))
        }
    }
}

/// Bell, inbox and banner: what people look at here.
const LOOKED_AT: i64 = Channel::Portal.bit() | Channel::Banner.bit();

/// Whether a message is there for its audience: in bell and inbox, as a banner, or under Past. Its window is open or
/// has closed where it has opened, since no window closes before it opens.
const fn shown(entry: &Entry, second: i64) -> bool {
    entry.opens_at <= second && entry.channels & LOOKED_AT != 0 && entry.is_on()
}

/// Whether every `at_send` message that was published during a holding had the person in its audience: no clock decides
/// and they were active all the while. So it is for most, and the messages need not be asked one by one.
fn is_always_in(bundle: &Bundle, holding: &Holding) -> bool {
    let clocked = holding.starts_at > 0 || holding.ends_at < OPEN;
    !clocked
        && bundle
            .lives()
            .any(|life| life.since <= holding.since && holding.until <= life.until)
}

/// In the audience of an `at_send` message: held when it was published, and there then.
fn was_in(bundle: &Bundle, holding: &Holding, entry: &Entry) -> bool {
    let published = Instant {
        revision: Revision(entry.revision),
        at: Moment(entry.published_at),
    };
    holding.covers(published) && bundle.alive(published.revision)
}

/// For a `while_active` message: when the person came to match, without a gap since; `None` where they do not match.
/// Once the window has closed, what mattered is whether they did at some moment while it was open.
fn arrival(bundle: &Bundle, addressed: &[Addressed], entry: &Entry, now: Moment) -> Option<Mark> {
    if !entry.is_past(now) {
        let active = bundle.lives().any(Holding::is_open);
        return stretch(&bundle.holdings, addressed, |fact| {
            active && fact.covers(Instant::now(now))
        });
    }
    // The last moment of the window at which a fact held and the person was active.
    let (opens, closes) = (
        entry.opens_at.max(entry.published_at),
        entry.closes_at.saturating_add(1_000),
    );
    let of_now = |fact: &Holding| addressed.iter().any(|one| one.is_now() && one.key == fact.key);
    let last = facts(&bundle.holdings, addressed)
        .filter(of_now)
        .flat_map(|fact| bundle.lives().map(move |life| (fact, life)))
        .filter_map(|(fact, life)| {
            let from = from(&fact).max(life.since_at).max(opens);
            let to = to(&fact).min(life.until_at).min(closes);
            (from < to).then_some(to - 1)
        })
        .max()?;
    stretch(&bundle.holdings, addressed, |fact| {
        from(fact) <= last && last < to(fact)
    })
}

/// Since when, without a gap, a person has held one of some selectors: the beginning of the stretch of which the facts
/// that are there at the instant asked for are the end.
///
/// A fact that gives way to another, as where a person moves within a subtree, a subscription is renewed, or the
/// message gets another audience of which they are too, is no gap.
pub(crate) fn stretch(held: &[Holding], addressed: &[Addressed], there: impl Fn(&Holding) -> bool) -> Option<Mark> {
    let mut first = facts(held, addressed).filter(|fact| there(fact)).min_by_key(from)?;
    let before = |first: &Holding| {
        let touching = facts(held, addressed).filter(|fact| from(fact) < from(first) && from(first) <= to(fact));
        touching.min_by_key(from)
    };
    while let Some(earlier) = before(&first) {
        first = earlier;
    }
    Some(Mark {
        revision: first.since,
        at: 0,
        clock: first.starts_at,
    })
}

/// Whether a person held one of some selectors at an instant, and the message was addressed to it.
pub(crate) fn is_matched(held: &[Holding], addressed: &[Addressed], at: Instant) -> bool {
    facts(held, addressed).any(|fact| fact.covers(at))
}

/// What a person holds and held of a message's selectors, while the message was addressed to them.
fn facts<'h>(held: &'h [Holding], addressed: &'h [Addressed]) -> impl Iterator<Item = Holding> + 'h {
    let parts = |fact| addressed.iter().filter_map(move |one| one.part_of(fact));
    held.iter().flat_map(parts)
}

/// When a fact began to match, by the wall clock.
fn from(fact: &Holding) -> i64 {
    fact.since_at.max(fact.starts_at)
}

/// When a fact ceased to match, by the wall clock.
fn to(fact: &Holding) -> i64 {
    fact.until_at.min(fact.ends_at)
}

/// Whether a mark covers what came up at a revision and, where a clock decides, at a time (decision 18).
const fn covers(mark: Mark, arrival: Mark) -> bool {
    arrival.revision <= mark.revision && arrival.clock <= mark.clock
}

/// Applies marks and deeds. `since`: when a late joiner came to match.
#[inline]
fn item(bundle: &Bundle, lists: &Lists, slot: u32, since: Option<Mark>, second: i64) -> Item {
    let (entry, since) = (lists.entry(slot), since.unwrap_or_default());
    let arrival = Mark {
        revision: entry.arrival.max(since.revision),
        at: 0,
        clock: entry.opens_at.max(since.clock),
    };
    let marks = &bundle.marks;
    let deed = bundle.deed(entry.id).copied().unwrap_or_default();
    let by_hand = deed.read_at != 0 && deed.read_revision >= entry.ring;
    let by_mark = covers(marks.read, arrival) && marks.read.at > deed.unread_at;
    let read = by_hand || by_mark;
    // Whoever marked it unread, or everything read, had it before them.
    let had = covers(marks.read, arrival) || deed.unread_at != 0 && deed.unread_at >= entry.arrival_at;
    // "Delete all" empties the inbox, and takes nothing of what was put away and no banner.
    let is_inbox = entry.has(Channel::Portal) && deed.archived_at == 0;
    let all_deleted = is_inbox && !bundle.emptied.is_empty() && was_emptied(bundle, lists, slot, deed.deleted_at);
    let acknowledgement = entry.must_acknowledge.then_some(if deed.acknowledged_at != 0 {
        Acknowledgement::Given
    } else {
        Acknowledgement::Needed
    });
    let deleted = deed.deleted_at > 0 || all_deleted;
    let past = entry.closes_at < second;
    let has_banner = entry.has(Channel::Banner);
    let state = State {
        read,
        seen: read || had || covers(marks.seen, arrival),
        archived: deed.archived_at != 0,
        deleted,
        past,
        banner_only: !entry.has(Channel::Portal),
        has_banner,
        banner: (has_banner && !past)
            .then(|| banner(entry, deed.dismissed_edition, acknowledgement, deleted))
            .flatten(),
        acknowledgement,
    };
    Item {
        message: entry.id,
        ring: entry.ring,
        importance: entry.importance,
        state,
        version: (entry.edition, entry.opens_at, entry.closes_at),
        arrival: (arrival.revision, arrival.clock),
    }
}

/// Whether a message was in the inbox when everything was deleted. Restored at a time where `deleted_at` is negative:
/// that overrides a mark made before.
fn was_emptied(bundle: &Bundle, lists: &Lists, slot: u32, deleted_at: i64) -> bool {
    let matched = |at: Instant| {
        let was_in = || bundle.alive(at.revision) && is_matched(&bundle.holdings, lists.addressed_at(slot), at);
        lists.entry(slot).rule == Rule::AtSend || was_in()
    };
    lists.with_sights(slot, |shown| is_taken(&bundle.emptied, shown, -deleted_at, matched))
}

/// A banner stands until it is dismissed, which is for this edition of it (decision 20), or acknowledged. What is
/// critical stays, unless its sender allows otherwise.
fn banner(entry: &Entry, dismissed: i64, acknowledgement: Option<Acknowledgement>, deleted: bool) -> Option<Banner> {
    let is_critical = entry.importance == Importance::Critical.code();
    match acknowledgement {
        Some(Acknowledgement::Needed) => Some(Banner::Fixed),
        Some(Acknowledgement::Given) => None,
        None if is_critical && !entry.dismissible => Some(Banner::Fixed),
        None => (dismissed < entry.edition && !deleted).then_some(Banner::Dismissible),
    }
}

/// The next time at which a subscription of the person starts or ends.
#[must_use]
pub fn next_boundary(bundle: &Bundle, now: Moment) -> i64 {
    let later = bundle
        .holdings
        .iter()
        .flat_map(|holding| [holding.starts_at, holding.ends_at]);
    later.filter(|at| *at > now.0).min().unwrap_or(i64::MAX)
}
