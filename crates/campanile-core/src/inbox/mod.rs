//! The inbox: what one person sees, computed from audiences when it is read, never copied per person.
//!
//! One statement fetches what the person holds and did ([`bundle`]); the messages come from the lists in memory; a page
//! of texts is one statement more. [`judge`] is the one place that says in which state a message is for a person.

pub mod act;
pub mod banner;
pub mod judge;
pub mod live;
pub(crate) mod page;
pub(crate) mod texts;

use std::sync::Arc;

use banner::Standing;
use campanile_store::Tx;
use serde::{Deserialize, Serialize};

pub use act::UpTo;
pub use banner::{BANNERS, Banners};
pub use judge::{Acknowledgement, Banner, Item, State, View};
pub use page::{
    Everything, Filter, PAGE_DEFAULT, PAGE_LIMIT, Page, SEARCH_CHARS, Shown, everything, one, page, plain_texts_of,
    texts_of,
};
pub use texts::{EXCERPT_CHARS, Line, Listed};

use crate::audience::{Bundle, bundle};
use crate::error::Result;
use crate::id::PersonId;
use crate::lists::{Lists, Shared};
use crate::message::Importance;
use crate::time::Moment;

/// The numbers of bell and tabs. Always exact.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Counts {
    /// The number on the bell.
    pub unread: u64,
    /// The dot: came up since bell or inbox was last opened, and is unread.
    pub unseen: u64,
    /// Unread ones of high importance.
    pub unread_high: u64,
    /// Unread ones of critical importance.
    pub unread_critical: u64,
    /// All that stand in the inbox.
    pub total: u64,
}

impl Counts {
    /// Counts an item where it stands in the inbox.
    fn add(&mut self, item: &Item) {
        if !item.state.stands_in(View::Inbox) {
            return;
        }
        self.total += 1;
        if item.state.read {
            return;
        }
        self.unread += 1;
        self.unseen += u64::from(!item.state.seen);
        self.unread_high += u64::from(item.importance == Importance::High.code());
        self.unread_critical += u64::from(item.importance == Importance::Critical.code());
    }
}

/// The numbers, and what they rest on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// The numbers.
    pub counts: Counts,
    /// What stands at the top of every page; `None` for nothing.
    pub banners: Option<Arc<Banners>>,
    /// The revision of the snapshot that was counted.
    pub revision: i64,
    /// Without a write, the numbers stand until this time.
    pub stands_until: Moment,
}

/// Counts one person's inbox.
pub fn count(tx: &mut Tx<'_>, shared: &Shared, person: PersonId, now: Moment) -> Result<Counted> {
    let bundle = bundle(tx, shared.held(), person)?;
    counted(tx, shared, &bundle, now)
}

fn counted(tx: &mut Tx<'_>, shared: &Shared, bundle: &Bundle, now: Moment) -> Result<Counted> {
    let lists = shared.at(tx, bundle.messages)?;
    let mut counts = Counts::default();
    let mut standing = Standing::default();
    judge::each(bundle, &lists, now, |item| {
        counts.add(&item);
        standing.add(&item);
    });
    let stands_until = stands_until(bundle, &lists, now);
    drop(lists);
    Ok(Counted {
        counts,
        banners: standing.finish(tx, shared)?,
        revision: bundle.revision,
        stands_until,
    })
}

/// Without a write, what was judged now stands until this time.
fn stands_until(bundle: &Bundle, lists: &Lists, now: Moment) -> Moment {
    Moment(lists.next_boundary(now).min(judge::next_boundary(bundle, now)))
}
