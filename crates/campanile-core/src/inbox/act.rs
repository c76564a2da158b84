//! What a person does with their inbox: one row a message that was touched, one row for "all of it".
//!
//! None of it takes a revision or waits for anybody else.

use campanile_store::{Signal, Sql, Tx, sql};
use serde::{Deserialize, Serialize};

use super::judge::{self, Item, State};
use super::page::Filter;
use crate::audience::bundle;
use crate::error::{Error, Result};
use crate::id::{MessageId, PersonId};
use crate::lists::Shared;
use crate::revision::topic;
use crate::time::Moment;

sql! {
    READ = "INSERT INTO engagement (person, message, read_at, read_revision) VALUES ($1, $2, $3, $4)
        ON CONFLICT (person, message) DO UPDATE
        SET read_at = excluded.read_at, read_revision = excluded.read_revision, unread_at = NULL";
    // What one person does is in order even within a millisecond: a time is never before that of what it overrides.
    UNREAD = "INSERT INTO engagement (person, message, unread_at)
        VALUES ($1, $2, {greatest}($3, COALESCE((SELECT MAX(at) FROM mark WHERE person = $1 AND kind = 2), 0)))
        ON CONFLICT (person, message) DO UPDATE
        SET unread_at = excluded.unread_at, read_at = NULL, read_revision = NULL";
    ARCHIVE = "INSERT INTO engagement (person, message, archived_at) VALUES ($1, $2, $3)
        ON CONFLICT (person, message) DO UPDATE SET archived_at = excluded.archived_at";
    UNARCHIVE = "UPDATE engagement SET archived_at = NULL WHERE person = $1 AND message = $2";
    DELETE = "INSERT INTO engagement (person, message, deleted_at) VALUES ($1, $2, $3)
        ON CONFLICT (person, message) DO UPDATE SET deleted_at = excluded.deleted_at";
    // With a minus, so that it overrides a "delete all" made before.
    RESTORE = "INSERT INTO engagement (person, message, deleted_at)
        VALUES ($1, $2, -{greatest}($3, COALESCE((SELECT MAX(at) FROM mark WHERE person = $1 AND kind = 3), 0)))
        ON CONFLICT (person, message) DO UPDATE SET deleted_at = excluded.deleted_at";
    // One row, whatever the number of messages. Neither its time nor its revision nor its clock runs against the mark
    // before: an old page takes nothing back. Its time is after that of the deeds that it overrides.
    MARK = "INSERT INTO mark (person, kind, at, revision, clock)
        SELECT $1, $2,
            {greatest}($3, {greatest}(
                COALESCE((SELECT MAX(at) + 1 FROM mark WHERE person = $1 AND kind = $2), 0),
                COALESCE((SELECT MAX(CASE CAST($2 AS BIGINT) WHEN 2 THEN unread_at WHEN 3 THEN -deleted_at END) + 1
                    FROM engagement WHERE person = $1), 0))),
            {greatest}($4, COALESCE((SELECT revision FROM mark WHERE person = $1 AND kind = $2
                ORDER BY at DESC LIMIT 1), 0)),
            {greatest}($5, COALESCE((SELECT clock FROM mark WHERE person = $1 AND kind = $2
                ORDER BY at DESC LIMIT 1), 0))
        WHERE TRUE
        ON CONFLICT (person, kind, at) DO UPDATE SET revision = {greatest}(mark.revision, excluded.revision),
            clock = {greatest}(mark.clock, excluded.clock)";
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
}

impl Action {
    /// Whether it would change a message in this state.
    const fn changes(self, state: State) -> bool {
        match self {
            Self::Read => !state.read,
            Self::Unread => state.read,
            Self::Archive => !state.archived,
            Self::Unarchive => state.archived,
            Self::Delete => !state.deleted,
            Self::Restore => state.deleted,
        }
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
        if item.state.deleted && action != Action::Restore {
            return Err(Error::Missing("message"));
        }
    }
    let messages = ids.iter().map(|id| id.0).collect();
    Ok(Plan {
        messages,
        revision: bundle.revision,
        more: false,
    })
}

/// The messages that a filter takes (its search aside) and that an action would change, newest first, at most
/// [`BATCH_LIMIT`]: called again after it was done, it finds the next ones. To restore, the view is of the deleted
/// ones.
pub fn filtered(
    tx: &mut Tx<'_>,
    shared: &Shared,
    person: PersonId,
    filter: &Filter,
    action: Action,
    now: Moment,
) -> Result<Plan> {
    let bundle = bundle(tx, shared.held(), person)?;
    let lists = shared.at(tx, bundle.messages)?;
    let mut items = Vec::new();
    judge::each(&bundle, &lists, now, |item| {
        if action.changes(item.state) && filter.takes(&action.before(item)) {
            items.push((item.ring, item.message));
        }
    });
    items.sort_unstable_by(|a, b| b.cmp(a));
    let more = items.len() > BATCH_LIMIT;
    items.truncate(BATCH_LIMIT);
    let messages = items.into_iter().map(|(_, message)| message).collect();
    Ok(Plan {
        messages,
        revision: bundle.revision,
        more,
    })
}

/// Does it: one row a message.
pub fn act(tx: &mut Tx<'_>, person: PersonId, plan: &Plan, action: Action, now: Moment) -> Result<()> {
    // In order, so that two servers that write the same rows do not wait for one another in a circle.
    let mut messages = plan.messages.clone();
    messages.sort_unstable();
    for message in &messages {
        match action {
            Action::Read => tx.send(action.sql(), &[&person.0, message, &now.0, &plan.revision])?,
            Action::Unread | Action::Archive | Action::Delete | Action::Restore => {
                tx.send(action.sql(), &[&person.0, message, &now.0])?;
            }
            Action::Unarchive => tx.send(action.sql(), &[&person.0, message])?,
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
