//! Which messages moved lately, by which a page that comes back is told what it missed.

use std::collections::VecDeque;

use campanile_core::id::MessageId;

/// So many are remembered. Who has missed more is not told which, and reads again.
const MOST: usize = 1_000;

/// The messages that moved, with the revision at which they were told.
#[derive(Debug, Default)]
pub(super) struct Log {
    moved: VecDeque<(i64, MessageId)>,
    /// What moved after this revision is in it.
    since: i64,
}

impl Log {
    /// Begins at a revision.
    pub(super) fn begin(&mut self, at: i64) {
        self.since = at;
    }

    /// Messages that were told at a revision.
    pub(super) fn add(&mut self, at: i64, moved: Vec<MessageId>) {
        self.moved.extend(moved.into_iter().map(|message| (at, message)));
        while self.moved.len() > MOST
            && let Some((revision, _)) = self.moved.pop_front()
        {
            self.since = revision;
        }
    }

    /// Those that moved after a revision, each once, the oldest first; `None` where that is not known.
    pub(super) fn after(&self, revision: i64) -> Option<Vec<MessageId>> {
        if revision < self.since {
            return None;
        }
        let later = self.moved.iter().filter(|(at, _)| *at > revision);
        let mut missed: Vec<MessageId> = later.map(|(_, message)| *message).collect();
        missed.sort_unstable();
        missed.dedup();
        Some(missed)
    }
}
