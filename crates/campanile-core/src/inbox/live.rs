//! What somebody who has a page open is to be told when a message moved: whether it is theirs, and their numbers.
//! Decided in memory by [`judge`], with what they hold and did read before, so a message costs no look at the database
//! for each of those who listen.

use std::sync::Arc;

use campanile_store::{Tx, sql};

use super::judge::{self, Item, View};
use super::texts::{self, Listed};
use super::{Counted, Counts, counted};
use crate::audience::{Bundle, Deed, Holding, Mark, Marks, Rule, bundle};
use crate::error::Result;
use crate::id::{MessageId, PersonId};
use crate::lists::{Lists, Shared};
use crate::time::Moment;

sql! {
    CHANGED_SINCE = "SELECT DISTINCT message FROM edition WHERE revision > $1";
}

/// Things done by one person that are kept while they listen, about 5 KB. Who did more is counted by the database.
const KEPT: usize = 64;

/// What is known of a person who has a page open.
#[derive(Debug, Clone)]
pub struct Reader {
    person: PersonId,
    holdings: Arc<[Holding]>,
    /// `None` for what is too much to keep.
    own: Option<Arc<Own>>,
    /// The last change of the directory when this was read.
    directory: i64,
}

/// What they did.
#[derive(Debug)]
struct Own {
    marks: Marks,
    emptied: Vec<Mark>,
    deeds: Vec<Deed>,
}

/// A person's numbers, counted in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// Of bell and tabs.
    pub counts: Counts,
    /// Banners that stand.
    pub banners: usize,
    /// Without a write, both stand until this time.
    pub stands_until: Moment,
}

/// Whether a message that moved is there for a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moved {
    /// It was never theirs, as far as is known.
    Foreign,
    /// It may have been there, and is not any more: recalled, switched off, over, or for others now.
    Gone,
    /// It stands in their inbox or is a banner. What they did with it is not looked at.
    There(Item),
}

impl Reader {
    /// Reads what a person holds, with the numbers of their bell.
    pub fn read(tx: &mut Tx<'_>, shared: &Shared, person: PersonId, now: Moment) -> Result<(Self, Counted)> {
        let bundle = bundle(tx, shared.held(), person)?;
        let counted = counted(tx, shared, &bundle, now)?;
        let own = (bundle.deeds.len() + bundle.emptied.len() <= KEPT).then(|| {
            Arc::new(Own {
                marks: bundle.marks,
                emptied: bundle.emptied,
                deeds: bundle.deeds,
            })
        });
        let reader = Self {
            person,
            holdings: bundle.holdings,
            own,
            directory: bundle.directory,
        };
        Ok((reader, counted))
    }

    /// Their numbers as of a revision of messages, where they did nothing since this was read and the directory stands;
    /// `None` where they have to be read.
    #[must_use]
    pub fn count(&self, lists: &Lists, revision: i64, now: Moment) -> Option<Tally> {
        let own = self.own.as_ref()?;
        let bundle = Bundle {
            marks: own.marks,
            emptied: own.emptied.clone(),
            deeds: own.deeds.clone(),
            ..self.as_bundle(revision)
        };
        let (mut counts, mut banners) = (Counts::default(), 0);
        judge::each(&bundle, lists, now, |item| {
            counts.add(&item);
            banners += usize::from(item.state.banner.is_some());
        });
        Some(Tally {
            counts,
            banners,
            stands_until: super::stands_until(&bundle, lists, now),
        })
    }

    /// The last change of the directory when this was read, or that did not concern them.
    #[must_use]
    pub const fn directory(&self) -> i64 {
        self.directory
    }

    /// Notes that nothing until this change of the directory concerned them: see
    /// [`concerned`](crate::audience::concerned()).
    pub const fn stands_at(&mut self, directory: i64) {
        self.directory = directory;
    }

    /// Whether the person is active.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.as_bundle(0).lives().any(Holding::is_open)
    }

    /// Whether a message is there for them now.
    #[must_use]
    pub fn moved(&self, lists: &Lists, message: MessageId, now: Moment) -> Moved {
        let bundle = self.as_bundle(lists.position());
        if let Some(item) = judge::one(&bundle, lists, message.0, now)
            && (item.state.stands_in(View::Inbox) || item.state.stands_in(View::Banners))
        {
            return Moved::There(item);
        }
        if self.may_have_seen(lists, message) {
            Moved::Gone
        } else {
            Moved::Foreign
        }
    }

    /// Whether they ever held what the message is or was addressed to, so that its end concerns them.
    fn may_have_seen(&self, lists: &Lists, message: MessageId) -> bool {
        let Some(entry) = lists.find(message.0) else {
            return false;
        };
        let held = |key| {
            let mut holdings = self.holdings.iter().filter(move |holding| holding.key == key);
            holdings.any(|holding| match entry.rule {
                Rule::AtSend => holding.since <= entry.revision && entry.revision < holding.until,
                Rule::WhileActive => entry.revision < holding.until,
            })
        };
        lists.addressed(message.0).iter().any(|one| held(one.key))
    }

    fn as_bundle(&self, revision: i64) -> Bundle {
        Bundle {
            person: self.person.0,
            holdings: Arc::clone(&self.holdings),
            revision,
            ..Bundle::default()
        }
    }
}

/// A message as all its readers see it; `None` where it is not published.
pub fn text(tx: &mut Tx<'_>, shared: &Shared, item: &Item) -> Result<Option<Listed>> {
    Ok(texts::fetch(tx, shared, std::slice::from_ref(item))?.pop())
}

/// The messages whose window opened or closed after one time and until another.
#[must_use]
pub fn turned(lists: &Lists, after: Moment, until: Moment) -> Vec<MessageId> {
    let (after, until) = (after.second(), until.second());
    let turned = lists
        .iter()
        .filter(|entry| entry.is_open(after) != entry.is_open(until) && entry.is_on());
    turned.map(|entry| MessageId(entry.id)).collect()
}

/// The published messages that were published or changed after a revision.
pub fn moved_since(tx: &mut Tx<'_>, lists: &Lists, since: i64) -> Result<Vec<MessageId>> {
    let mut moved = tx.rows(&CHANGED_SINCE, &[&since], |row| Ok(MessageId(row.get(0)?)))?;
    moved.retain(|message| lists.find(message.0).is_some());
    let published = lists.iter().filter(|entry| entry.revision > since);
    moved.extend(published.map(|entry| MessageId(entry.id)));
    Ok(moved)
}
