//! What a person does with their inbox: one row a message that was touched, one row for "all of it".
//!
//! None of it takes a revision or waits for anybody else.

use campanile_store::{Signal, Sql, Tx, sql};
use serde::{Deserialize, Serialize};

use super::judge::{self, Acknowledgement, Banner, Item, State, View};
use super::page::{self, Filter};
use crate::audience::{Deed, bundle};
use crate::error::{Error, Result};
use crate::id::{MessageId, PersonId};
use crate::lists::Shared;
use crate::revision::topic;
use crate::time::{Moment, OPEN};

/// Where a row stands among those with the same message, or among the marks: see `written` in the schema.
macro_rules! written {
    (deed) => {
        "COALESCE({transaction}, (SELECT MAX(written) FROM engagement WHERE message = $2) + 1, 1)"
    };
    (mark) => {
        "COALESCE({transaction}, (SELECT MAX(written) FROM mark) + 1, 1)"
    };
}

/// When a message that is read now was read first since the bell last rang.
macro_rules! read_at {
    () => {
        "CASE WHEN engagement.read_revision >= (SELECT ring FROM message WHERE id = $2)
                THEN engagement.read_at ELSE excluded.read_at END"
    };
}

/// Up to which ring of the bell it is read; what was acknowledged, for ever.
macro_rules! read_revision {
    () => {
        "{greatest}(COALESCE(engagement.read_revision, 0), excluded.read_revision)"
    };
}

sql! {
    // The first time of each thing stands, done twice or not: "when did they read it?" has one answer. A later ring of
    // the bell makes it unread, and reading it then is another reading.
    READ = concat!("INSERT INTO engagement (person, message, seen_at, read_at, read_revision, written)
        VALUES ($1, $2, $3, $3, $4, ", written!(deed), ")
        ON CONFLICT (person, message) DO UPDATE SET
            read_at = ", read_at!(), ", read_revision = ", read_revision!(), ",
            unread_at = NULL, written = excluded.written");
    // What one person does is in order even within a millisecond: a time is never before that of what it overrides.
    UNREAD = concat!("INSERT INTO engagement (person, message, seen_at, unread_at, written)
        VALUES ($1, $2, $3,
            {greatest}($3, COALESCE((SELECT MAX(at) FROM mark WHERE person = $1 AND kind = 2), 0)),
            ", written!(deed), ")
        ON CONFLICT (person, message) DO UPDATE
        SET unread_at = excluded.unread_at, read_at = NULL, read_revision = NULL, written = excluded.written
        WHERE engagement.acknowledged_at IS NULL");
    // What these four change of a row that is there is nothing that a sender's numbers are told by.
    ARCHIVE = concat!("INSERT INTO engagement (person, message, seen_at, archived_at, written)
        VALUES ($1, $2, $3, $3, ", written!(deed), ")
        ON CONFLICT (person, message) DO UPDATE
        SET archived_at = COALESCE(engagement.archived_at, excluded.archived_at)");
    // A "delete all" made meanwhile has spared it, and is overridden as if it were restored.
    UNARCHIVE = "UPDATE engagement SET archived_at = NULL, deleted_at = CASE WHEN deleted_at > 0 THEN deleted_at
            ELSE -{greatest}($3, COALESCE((SELECT MAX(at) FROM mark WHERE person = $1 AND kind = 3), 0)) END
        WHERE person = $1 AND message = $2 AND archived_at IS NOT NULL";
    DELETE = concat!("INSERT INTO engagement (person, message, seen_at, deleted_at, written)
        VALUES ($1, $2, $3, $3, ", written!(deed), ")
        ON CONFLICT (person, message) DO UPDATE
        SET deleted_at = CASE WHEN engagement.deleted_at > 0 THEN engagement.deleted_at ELSE excluded.deleted_at END");
    // With a minus, so that it overrides a "delete all" made before.
    RESTORE = concat!("INSERT INTO engagement (person, message, seen_at, deleted_at, written)
        VALUES ($1, $2, $3, -{greatest}($3, COALESCE((SELECT MAX(at) FROM mark WHERE person = $1 AND kind = 3), 0)),
            ", written!(deed), ")
        ON CONFLICT (person, message) DO UPDATE SET deleted_at = excluded.deleted_at");
    // To dismiss is to read. $5: of no later edition than the one that was looked at; of one that was corrected
    // meanwhile the banner stays.
    DISMISS = concat!("INSERT INTO engagement (person, message, seen_at, read_at, read_revision, dismissed_at,
            dismissed_edition, written)
        VALUES ($1, $2, $3, $3, $4, $3, {least}((SELECT edition FROM message WHERE id = $2), $5), ", written!(deed), ")
        ON CONFLICT (person, message) DO UPDATE SET
            read_at = ", read_at!(), ", read_revision = ", read_revision!(), ", unread_at = NULL,
            dismissed_at = excluded.dismissed_at,
            dismissed_edition = {greatest}(excluded.dismissed_edition, COALESCE(engagement.dismissed_edition, 0)),
            written = excluded.written");
    SHOW = "UPDATE engagement SET dismissed_at = NULL, dismissed_edition = NULL WHERE person = $1 AND message = $2";
    // So it is to acknowledge. The first time stands, and the message is read for ever: a reminder rings for others.
    // $4: the edition that was looked at; nobody acknowledges what they have not seen.
    ACKNOWLEDGE = concat!("INSERT INTO engagement (person, message, seen_at, read_at, read_revision, acknowledged_at,
            written)
        SELECT $1, $2, $3, $3, 9223372036854775807, $3, ", written!(deed), "
        FROM message WHERE id = $2 AND edition <= $4
        ON CONFLICT (person, message) DO UPDATE SET
            read_at = ", read_at!(), ", read_revision = ", read_revision!(), ", unread_at = NULL,
            acknowledged_at = COALESCE(engagement.acknowledged_at, excluded.acknowledged_at),
            written = excluded.written");
    // One row, whatever the number of messages. Neither its time nor its revision nor its clock runs against the mark
    // before: an old page takes nothing back. Its time is after that of the deeds that it overrides.
    MARK = concat!("INSERT INTO mark (person, kind, at, revision, clock, written)
        SELECT $1, $2,
            {greatest}($3, {greatest}(
                COALESCE((SELECT MAX(at) + 1 FROM mark WHERE person = $1 AND kind = $2), 0),
                COALESCE((SELECT MAX(CASE CAST($2 AS BIGINT) WHEN 2 THEN unread_at WHEN 3 THEN -deleted_at END) + 1
                    FROM engagement WHERE person = $1), 0))),
            {greatest}($4, COALESCE((SELECT MAX(revision) FROM (SELECT revision FROM mark
                WHERE person = $1 AND kind = $2 ORDER BY at DESC LIMIT 4) last_few), 0)),
            {greatest}($5, COALESCE((SELECT MAX(clock) FROM (SELECT clock FROM mark
                WHERE person = $1 AND kind = $2 ORDER BY at DESC LIMIT 4) last_few), 0)),
            ", written!(mark), "
        WHERE TRUE
        ON CONFLICT (person, kind, at) DO UPDATE SET revision = {greatest}(mark.revision, excluded.revision),
            clock = {greatest}(mark.clock, excluded.clock), written = excluded.written");
}

/// Messages that one call may name.
pub const BATCH_LIMIT: usize = 1_000;

/// What can be done with a message, for oneself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Mark read.
    Read,
    /// Mark unread again.
    Unread,
    /// Put away.
    Archive,
    /// Take back from the archive.
    Unarchive,
    /// Remove for me.
    Delete,
    /// Undo the removal.
    Restore,
    /// Take its banner away, until it is corrected.
    Dismiss,
    /// Let its banner stand again.
    Show,
    /// Say that one has read it.
    Acknowledge,
}

impl Action {
    /// Whether it would change a message in this state.
    const fn changes(self, state: State) -> bool {
        match self {
            Self::Read => !state.read,
            // What was acknowledged stays read.
            Self::Unread => state.read && !matches!(state.acknowledgement, Some(Acknowledgement::Given)),
            Self::Archive => !state.archived,
            Self::Unarchive => state.archived,
            Self::Delete => !state.deleted,
            Self::Restore => state.deleted,
            Self::Dismiss => matches!(state.banner, Some(Banner::Dismissible)),
            Self::Show => state.has_banner && !state.past && state.banner.is_none() && !state.deleted,
            Self::Acknowledge => matches!(state.acknowledgement, Some(Acknowledgement::Needed)),
        }
    }

    /// Whether it can be done with a message in this state at all.
    fn may(self, state: State) -> Result<()> {
        let refused = match self {
            Self::Dismiss if !state.has_banner => "this message has no banner to dismiss",
            Self::Dismiss if state.banner == Some(Banner::Fixed) && state.acknowledgement.is_some() => {
                "this banner stays until you acknowledge the message"
            }
            Self::Dismiss if state.banner == Some(Banner::Fixed) => "this banner stays until its time is over",
            Self::Show if !state.has_banner => "this message has no banner to show",
            Self::Acknowledge if state.acknowledgement.is_none() => "this message does not ask to be acknowledged",
            _ => return Ok(()),
        };
        Err(Error::Conflict(refused.into()))
    }

    /// The item as a filter looks at it: a deleted one stands in no view, so for restoring it is looked at as if it
    /// were not.
    const fn before(self, mut item: Item) -> Item {
        if matches!(self, Self::Restore) {
            item.state.deleted = false;
        }
        item
    }

    const fn sql(self) -> &'static Sql {
        match self {
            Self::Read => &READ,
            Self::Unread => &UNREAD,
            Self::Archive => &ARCHIVE,
            Self::Unarchive => &UNARCHIVE,
            Self::Delete => &DELETE,
            Self::Restore => &RESTORE,
            Self::Dismiss => &DISMISS,
            Self::Show => &SHOW,
            Self::Acknowledge => &ACKNOWLEDGE,
        }
    }
}

/// "All of it", as a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum All {
    /// Bell or inbox was opened.
    Seen = 1,
    /// Mark everything read.
    Read = 2,
    /// Remove everything for me.
    Deleted = 3,
}

/// What a person is about to do, found out by a read: which messages, as of which revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Which.
    pub messages: Vec<i64>,
    /// Of the snapshot in which they were found.
    pub revision: i64,
    /// The filter takes more than one call may touch; call again.
    pub more: bool,
    /// Of what is dismissed or acknowledged, the edition that the person looked at; [`OPEN`] for the last one.
    pub edition: i64,
}

impl Plan {
    /// These, as of a revision.
    #[must_use]
    pub const fn new(messages: Vec<i64>, revision: i64, more: bool) -> Self {
        Self {
            messages,
            revision,
            more,
            edition: OPEN,
        }
    }
}

/// The named messages, each of which the person must be able to see: [`Error::Missing`] otherwise. A deleted one may be
/// named only to restore it.
pub fn named(
    tx: &mut Tx<'_>,
    shared: &Shared,
    person: PersonId,
    ids: &[MessageId],
    action: Action,
    now: Moment,
) -> Result<Plan> {
    if ids.len() > BATCH_LIMIT {
        return Err(Error::field("ids", format!("at most {BATCH_LIMIT} at once")));
    }
    let bundle = bundle(tx, shared.held(), person)?;
    let lists = shared.at(tx, bundle.messages)?;
    for id in ids {
        let item = judge::one(&bundle, &lists, id.0, now).ok_or(Error::Missing("message"))?;
        if item.state.deleted && item.state.banner.is_none() && action != Action::Restore {
            return Err(Error::Missing("message"));
        }
        action.may(item.state)?;
    }
    let messages = ids.iter().map(|id| id.0).collect();
    Ok(Plan::new(messages, bundle.revision, false))
}

/// One message that stands in the person's inbox; [`Error::Missing`] otherwise.
pub fn in_inbox(tx: &mut Tx<'_>, shared: &Shared, person: PersonId, id: MessageId, now: Moment) -> Result<Plan> {
    let bundle = bundle(tx, shared.held(), person)?;
    let lists = shared.at(tx, bundle.messages)?;
    judge::one(&bundle, &lists, id.0, now)
        .filter(|item| item.state.stands_in(View::Inbox))
        .ok_or(Error::Missing("message"))?;
    Ok(Plan::new(vec![id.0], bundle.revision, false))
}

/// Those of the named messages that the person can see and that the action changes, and how many are gone: recalled,
/// over, deleted. For who ticked what stood in a list a while ago: `edition` is that of the banner they looked at,
/// which may have been corrected since; [`OPEN`] where it does not matter.
pub fn among(
    tx: &mut Tx<'_>,
    shared: &Shared,
    person: PersonId,
    ids: &[MessageId],
    action: Action,
    edition: i64,
    now: Moment,
) -> Result<(Plan, usize)> {
    if ids.len() > BATCH_LIMIT {
        return Err(Error::field("ids", format!("at most {BATCH_LIMIT} at once")));
    }
    let bundle = bundle(tx, shared.held(), person)?;
    let lists = shared.at(tx, bundle.messages)?;
    let (mut messages, mut gone) = (Vec::new(), 0);
    for id in ids {
        match judge::one(&bundle, &lists, id.0, now) {
            Some(item) if !item.state.deleted || item.state.banner.is_some() || action == Action::Restore => {
                let is_other = matches!(action, Action::Dismiss | Action::Acknowledge) && item.version.0 > edition;
                if action.changes(item.state) && !is_other && !messages.contains(&id.0) {
                    messages.push(id.0);
                }
            }
            _ => gone += 1,
        }
    }
    let plan = Plan {
        edition,
        ..Plan::new(messages, bundle.revision, false)
    };
    Ok((plan, gone))
}

/// The messages that a filter takes, that came up no later than `up_to`, and that an action would change, newest first,
/// at most [`BATCH_LIMIT`]: called again after it was done, it finds the next ones. To restore, the view is of the
/// deleted ones. A search reads the text of every message of the list: no short read.
pub fn filtered(
    tx: &mut Tx<'_>,
    shared: &Shared,
    person: PersonId,
    filter: &Filter,
    action: Action,
    up_to: Option<UpTo>,
    now: Moment,
) -> Result<Plan> {
    let bundle = bundle(tx, shared.held(), person)?;
    let lists = shared.at(tx, bundle.messages)?;
    let mut items = Vec::new();
    judge::each(&bundle, &lists, now, |item| {
        let is_up = up_to.is_none_or(|up_to| up_to.covers(&item));
        if is_up && action.changes(item.state) && filter.takes(&action.before(item)) {
            items.push(item);
        }
    });
    drop(lists);
    items.sort_unstable_by_key(|item| std::cmp::Reverse(item.ring));
    if let Some(words) = filter.words() {
        items = page::holding(tx, &items, &words, BATCH_LIMIT + 1)?;
    }
    let more = items.len() > BATCH_LIMIT;
    items.truncate(BATCH_LIMIT);
    let messages = items.into_iter().map(|item| item.message).collect();
    Ok(Plan::new(messages, bundle.revision, more))
}

/// Does it: one row a message.
pub fn act(tx: &mut Tx<'_>, person: PersonId, plan: &Plan, action: Action, now: Moment) -> Result<()> {
    // In order, so that two servers that write the same rows do not wait for one another in a circle.
    let mut messages = plan.messages.clone();
    messages.sort_unstable();
    for message in &messages {
        match action {
            Action::Read => tx.send(action.sql(), &[&person.0, message, &now.0, &plan.revision])?,
            Action::Dismiss => {
                let (revision, edition) = (&plan.revision, &plan.edition);
                tx.send(action.sql(), &[&person.0, message, &now.0, revision, edition])?;
            }
            Action::Acknowledge => tx.send(action.sql(), &[&person.0, message, &now.0, &plan.edition])?,
            Action::Unread | Action::Archive | Action::Unarchive | Action::Delete | Action::Restore => {
                tx.send(action.sql(), &[&person.0, message, &now.0])?;
            }
            Action::Show => tx.send(action.sql(), &[&person.0, message])?,
        }
    }
    tx.signal(Signal {
        topic: topic::PERSON,
        key: person.0,
    });
    Ok(())
}

/// What a person had before them when they marked all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UpTo {
    /// Nothing that came up after this revision.
    pub revision: i64,
    /// Nothing that came up by the clock after this time: a window that opened, a subscription that started.
    pub clock: Moment,
}

impl UpTo {
    fn covers(self, item: &Item) -> bool {
        item.arrival.0 <= self.revision && item.arrival.1 <= self.clock.0
    }
}

/// What "read all" or "delete all" has to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Marking {
    /// Nothing that it covers is unread, or stands in the inbox.
    Nothing,
    /// One mark.
    Mark(UpTo),
    /// What was marked unread, or restored, by hand, and nothing else: it has a row already. Marks are kept, so that a
    /// person has no more of them than they got messages; these would be more.
    Each(Plan),
}

/// What "read all" has to write, up to what was there: all of it where nothing is said.
pub fn read_all(
    tx: &mut Tx<'_>,
    shared: &Shared,
    person: PersonId,
    up_to: Option<UpTo>,
    now: Moment,
) -> Result<Marking> {
    marking(tx, shared, person, All::Read, up_to, now)
}

/// What "delete all" has to write: it takes what stands in the inbox now.
pub fn delete_all(tx: &mut Tx<'_>, shared: &Shared, person: PersonId, now: Moment) -> Result<Marking> {
    marking(tx, shared, person, All::Deleted, None, now)
}

fn marking(
    tx: &mut Tx<'_>,
    shared: &Shared,
    person: PersonId,
    all: All,
    up_to: Option<UpTo>,
    now: Moment,
) -> Result<Marking> {
    let bundle = bundle(tx, shared.held(), person)?;
    let lists = shared.at(tx, bundle.messages)?;
    let up_to = UpTo {
        revision: up_to.map_or(i64::MAX, |up_to| up_to.revision).min(bundle.revision),
        clock: up_to.map_or(now, |up_to| up_to.clock).min(now),
    };
    let is_deletion = all == All::Deleted;
    let view = if is_deletion { View::Inbox } else { View::Unread };
    let undone = |deed: &Deed| {
        if is_deletion {
            deed.deleted_at < 0
        } else {
            deed.unread_at != 0
        }
    };
    let (mut by_hand, mut others) = (Vec::new(), false);
    judge::each(&bundle, &lists, now, |item| {
        if item.state.stands_in(view) && up_to.covers(&item) {
            match bundle.deed(item.message) {
                Some(deed) if undone(deed) => by_hand.push(item.message),
                _ => others = true,
            }
        }
    });
    if by_hand.is_empty() && !others {
        return Ok(Marking::Nothing);
    }
    let more = by_hand.len() > BATCH_LIMIT;
    // Whoever deletes all deletes all: a mark is worth so many.
    if others || is_deletion && more {
        return Ok(Marking::Mark(up_to));
    }
    by_hand.truncate(BATCH_LIMIT);
    Ok(Marking::Each(Plan::new(by_hand, bundle.revision, more)))
}

/// Marks all of it, up to what was there: one row, whatever the number of messages.
pub fn mark(tx: &mut Tx<'_>, person: PersonId, all: All, up_to: UpTo, now: Moment) -> Result<()> {
    let UpTo { revision, clock } = up_to;
    tx.send(&MARK, &[&person.0, &(all as i64), &now.0, &revision, &clock.0])?;
    tx.signal(Signal {
        topic: topic::PERSON,
        key: person.0,
    });
    Ok(())
}
