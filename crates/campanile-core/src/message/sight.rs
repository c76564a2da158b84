//! When a message was there to be seen, and what one person made of it: what "seen" and "read" are told by.

use campanile_store::{Row, Tx, sql};

use super::{Channel, Message};
use crate::audience::crowd::When;
use crate::audience::{Instant, Mark};
use crate::error::Result;
use crate::lists::Entry;
use crate::time::{Moment, OPEN, Revision};

sql! {
    // The state before each change since publication, oldest first.
    STATES = "SELECT revision, at, opens_at, closes_at, enabled FROM edition
        WHERE message = $1 AND revision > $2 ORDER BY revision";
    FIRST = "SELECT at FROM mark
        WHERE person = $1 AND kind = $2 AND revision >= $3 AND revision < $4 AND clock >= $5 AND at >= $6 AND at <= $7
        ORDER BY at LIMIT 1";
    DEED = "SELECT seen_at, read_at, read_revision, unread_at, deleted_at, archived_at FROM engagement
        WHERE person = $1 AND message = $2";
}

/// A stretch in which a message was there for its audience: published, enabled, not recalled, in one and the same
/// window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sight {
    /// From this revision.
    since: i64,
    /// The time beside it.
    since_at: i64,
    /// Until before this revision.
    until: i64,
    /// The time beside it.
    until_at: i64,
    /// From this time.
    opens: i64,
    /// To the end of this millisecond.
    closes: i64,
}

impl Sight {
    /// Whether it was there for who made this mark.
    pub(super) const fn holds(&self, mark: Mark) -> bool {
        self.since <= mark.revision && mark.revision < self.until && self.opens <= mark.clock && mark.at <= self.closes
    }

    /// All there is to a published message of which nothing was changed that counts here.
    pub(crate) const fn whole(entry: &Entry) -> Self {
        Self {
            since: entry.revision,
            since_at: entry.published_at,
            until: OPEN,
            until_at: OPEN,
            opens: entry.opens_at,
            closes: entry.closes_at.saturating_add(999),
        }
    }

    const fn begins_after(&self, mark: Mark) -> bool {
        mark.revision < self.since || mark.clock < self.opens
    }

    const fn has_ended_by(&self, mark: Mark) -> bool {
        mark.revision >= self.until || mark.clock > self.closes
    }

    const fn window(&self) -> (i64, i64) {
        (self.opens, self.closes)
    }

    /// Whether there was any time in it: a window can be moved to where it has passed already.
    fn was(&self) -> bool {
        self.opens.max(self.since_at) <= self.closes.min(self.until_at)
    }

    /// Its last instant.
    const fn end(&self) -> When {
        if self.closes < self.until_at {
            return When::Clock(Moment(self.closes));
        }
        When::Instant(Instant {
            revision: Revision(self.until - 1),
            at: Moment(self.until_at),
        })
    }
}

/// When a message could be seen, and which marks read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sights {
    /// The stretches in which it was there, oldest first: more than one where it was switched off and on, or its window
    /// was moved.
    pub(super) shown: Vec<Sight>,
    /// Where "read all" covers it as it is now: since it last came up, in its window of now, until it was recalled.
    pub(super) reading: Sight,
}

impl Sights {
    /// Whether the message was there when a mark was made.
    pub(super) fn showed(&self, mark: Mark) -> bool {
        self.shown.iter().any(|sight| sight.holds(mark))
    }

    /// Whether a mark has to do with the message, for who came to match at `since`.
    pub(super) fn holds(&self, mark: Mark, since: Mark) -> bool {
        let there = self.reading.holds(mark) || self.showed(mark);
        there && since.revision <= mark.revision && since.clock <= mark.clock
    }

    /// When the audience of a message is judged for which those count who match now: as long as it can be seen, now;
    /// once its window has closed or it was recalled, the last instant at which it was there.
    pub(super) fn judged(&self, message: &Message, now: Moment) -> When {
        let is_over = message.recalled_at.is_some() || message.window.is_past(now);
        let last = self.shown.iter().rev().find(|sight| is_over && sight.was());
        last.map_or(When::Instant(Instant::now(now)), Sight::end)
    }

    /// From the first to the last time at which a mark can have to do with the message.
    pub(super) fn span(&self) -> (i64, i64) {
        let all = || self.shown.iter().chain([&self.reading]);
        let (opens, closes) = (
            all().map(|sight| sight.opens).min(),
            all().map(|sight| sight.closes).max(),
        );
        (opens.unwrap_or(OPEN), closes.unwrap_or(0))
    }
}

/// What a message was until a change.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Was {
    /// The revision of the change, and the time beside it.
    until: (i64, i64),
    /// The window.
    window: (i64, i64),
    enabled: bool,
}

impl Was {
    /// From the columns revision, at, `opens_at`, `closes_at` and enabled, the first of them at `from`.
    pub(crate) fn read(row: &Row<'_>, from: usize) -> campanile_store::Result<Self> {
        Ok(Self {
            until: (row.get(from)?, row.get(from + 1)?),
            window: (row.get(from + 2)?, row.get(from + 3)?),
            enabled: row.get(from + 4)?,
        })
    }

    /// What it is, until further notice.
    pub(crate) const fn still(window: (i64, i64), enabled: bool) -> Self {
        let until = (OPEN, OPEN);
        Self { until, window, enabled }
    }

    /// The revision of the change.
    pub(crate) const fn until(&self) -> i64 {
        self.until.0
    }
}

/// The stretches in which a message was there that was published at a revision and a time, oldest first, from what it
/// was one after the other.
pub(crate) fn stretches(published: (i64, i64), states: &[Was]) -> Vec<Sight> {
    let mut shown: Vec<Sight> = Vec::new();
    let (mut since, mut since_at) = published;
    for was in states {
        let ((until, until_at), (opens, closes)) = (was.until, was.window);
        let sight = Sight {
            since,
            since_at,
            until,
            until_at,
            opens,
            closes: closes.saturating_add(999),
        };
        (since, since_at) = was.until;
        match shown.last_mut() {
            Some(last) if was.enabled && last.until == sight.since && last.window() == sight.window() => {
                (last.until, last.until_at) = was.until;
            }
            _ if was.enabled => shown.push(sight),
            _ => {}
        }
    }
    shown
}

/// When a message could be seen; `None` before its publication.
pub(super) fn sights(tx: &mut Tx<'_>, message: &Message) -> Result<Option<Sights>> {
    let Some(revision) = message.revision else {
        return Ok(None);
    };
    let published = (revision, message.published_at.unwrap_or_default().0);
    let mut states = tx.rows(&STATES, &[&message.id.0, &revision], |row| Was::read(row, 0))?;
    // The recall was the last change.
    let (mut until, mut until_at) = states.last().map_or(published, |was| was.until);
    let (opens, closes) = (message.window.opens.0, message.window.closes.0);
    if message.recalled_at.is_none() {
        states.push(Was::still((opens, closes), message.enabled));
        (until, until_at) = (OPEN, OPEN);
    }
    let reading = Sight {
        since: message.arrival,
        since_at: 0,
        until,
        until_at,
        opens,
        closes: closes.saturating_add(999),
    };
    let shown = stretches(published, &states);
    Ok(Some(Sights { shown, reading }))
}

/// Whether "delete all" took a message, that is whether it stood in the inbox at one of these marks, made after a time:
/// it was there, and for late joiners the person was in its audience (`matched`). What it took is gone for good, as
/// what is deleted by itself: switching on, another window and another ring bring none of it back.
///
/// `marks` and `shown` are in order, and a mark's revision and clock never run against the one before.
pub(crate) fn is_taken(marks: &[Mark], shown: &[Sight], after: i64, matched: impl Fn(Instant) -> bool) -> bool {
    let marks = &marks[marks.partition_point(|mark| mark.at <= after)..];
    shown.iter().any(|sight| {
        let marks = &marks[marks.partition_point(|mark| sight.begins_after(*mark))..];
        let marks = &marks[..marks.partition_point(|mark| !sight.has_ended_by(*mark))];
        marks.iter().any(|mark| {
            matched(Instant {
                revision: Revision(mark.revision),
                at: Moment(mark.clock),
            })
        })
    })
}

/// When a person who came to match at `since` first had the message before them, and when they read it.
pub(super) fn did(
    tx: &mut Tx<'_>,
    message: &Message,
    sights: &Sights,
    since: Mark,
    person: i64,
) -> Result<(Option<Moment>, Option<Moment>)> {
    let deed = tx.first(&DEED, &[&person, &message.id.0], deed)?.unwrap_or_default();
    let by_hand = deed.read.filter(|_| deed.read_revision >= message.ring);
    // "Read all" counts where it was made after the message was marked unread.
    let read_from = Mark {
        at: deed.unread.map_or(0, |at| at + 1),
        ..since
    };
    let read = earlier(by_hand, first(tx, person, 2, &sights.reading, read_from)?);
    let mut seen = earlier(deed.seen, read);
    for sight in &sights.shown {
        for kind in [1, 2] {
            seen = earlier(seen, first(tx, person, kind, sight, since)?);
        }
    }
    Ok((seen.map(Moment), read.map(Moment)))
}

/// Whether a person had deleted the message by a time, and has not restored it since. `emptied` are their marks until
/// then; see [`is_taken`].
pub(super) fn had_deleted(
    tx: &mut Tx<'_>,
    (message, sights): (&Message, &Sights),
    (person, emptied): (i64, &[Mark]),
    by: Moment,
    matched: impl Fn(Instant) -> bool,
) -> Result<bool> {
    let deed = tx.first(&DEED, &[&person, &message.id.0], deed)?.unwrap_or_default();
    let deleted = deed.deleted.unwrap_or_default();
    if deleted > 0 && deleted <= by.0 {
        return Ok(true);
    }
    // "Delete all" empties the inbox alone, and counts where it was made after the message was restored.
    let is_inbox = deed.archived.is_none() && message.has(Channel::Portal);
    Ok(is_inbox && is_taken(emptied, &sights.shown, -deleted.min(0), matched))
}

fn earlier(a: Option<i64>, b: Option<i64>) -> Option<i64> {
    a.into_iter().chain(b).min()
}

/// The time of a person's first mark of a kind within a sight and not before a mark.
fn first(tx: &mut Tx<'_>, person: i64, kind: i64, sight: &Sight, from: Mark) -> Result<Option<i64>> {
    let revision = sight.since.max(from.revision);
    let clock = sight.opens.max(from.clock);
    Ok(tx.first(
        &FIRST,
        &[&person, &kind, &revision, &sight.until, &clock, &from.at, &sight.closes],
        |row| row.get(0),
    )?)
}

/// What a person did with one message.
#[derive(Debug, Default)]
struct Deed {
    /// The first thing of all.
    seen: Option<i64>,
    read: Option<i64>,
    read_revision: i64,
    unread: Option<i64>,
    /// With a minus: restored.
    deleted: Option<i64>,
    archived: Option<i64>,
}

fn deed(row: &Row<'_>) -> campanile_store::Result<Deed> {
    Ok(Deed {
        seen: row.get(0)?,
        read: row.get(1)?,
        read_revision: row.get::<Option<i64>>(2)?.unwrap_or_default(),
        unread: row.get(3)?,
        deleted: row.get(4)?,
        archived: row.get(5)?,
    })
}
