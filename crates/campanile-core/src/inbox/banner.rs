//! What stands at the top of every page for one person: banners whose window is open, until they are dismissed or
//! acknowledged.

use std::cmp::Reverse;
use std::sync::Arc;

use campanile_store::Tx;

use super::judge::{self, Acknowledgement, Item};
use super::texts::{self, Listed};
use crate::audience::{Selector, bundle};
use crate::error::Result;
use crate::id::{MessageId, PersonId};
use crate::lists::Shared;
use crate::message::announced::For;
use crate::time::Moment;

/// Banners that are shown at most; the others are told by their number, and stand in the view of banners.
pub const BANNERS: usize = 5;

/// What stands at the top.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Banners {
    /// What has to be acknowledged first, then the most important, of these the newest; at most [`BANNERS`].
    pub items: Vec<Listed>,
    /// How many there are in all.
    pub total: usize,
}

/// A message with a banner that is there now for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addressed {
    /// The message.
    pub listed: Listed,
    /// Whom it is for.
    pub to: For,
    /// See [`Entry::sub_customers`](crate::lists::Entry).
    pub sub_customers: bool,
}

/// The messages with a banner that are there now for a person, dismissed or not, by id; and the time until which they
/// stand without a write.
pub fn addressed(tx: &mut Tx<'_>, shared: &Shared, person: PersonId, now: Moment) -> Result<(Vec<Addressed>, Moment)> {
    let bundle = bundle(tx, shared.held(), person)?;
    let lists = shared.at(tx, bundle.messages)?;
    let mut items = Vec::new();
    judge::each(&bundle, &lists, now, |item| {
        if item.state.has_banner && !item.state.past {
            items.push(item);
        }
    });
    items.sort_unstable_by_key(|item| item.message);
    let whom = |item: &Item| {
        let parts = lists.addressed(item.message).iter().filter(|one| one.is_now());
        let selectors: Vec<Selector> = parts.filter_map(|one| Selector::from_key(one.key)).collect();
        let sub_customers = lists.find(item.message).is_some_and(|entry| entry.sub_customers);
        (For::of(&selectors), sub_customers)
    };
    let whom: Vec<(For, bool)> = items.iter().map(whom).collect();
    let stands_until = super::stands_until(&bundle, &lists, now);
    drop(lists);
    let listed = texts::fetch(tx, shared, &items)?.into_iter().filter_map(|listed| {
        let at = items
            .binary_search_by_key(&listed.shared().id.0, |item| item.message)
            .ok()?;
        let (to, sub_customers) = whom[at];
        Some(Addressed {
            listed,
            to,
            sub_customers,
        })
    });
    Ok((listed.collect(), stands_until))
}

/// Whether a message is one of [`addressed`].
pub fn is_addressed(tx: &mut Tx<'_>, shared: &Shared, person: PersonId, id: MessageId, now: Moment) -> Result<bool> {
    let bundle = bundle(tx, shared.held(), person)?;
    let lists = shared.at(tx, bundle.messages)?;
    let item = judge::one(&bundle, &lists, id.0, now);
    Ok(item.is_some_and(|item| item.state.has_banner && !item.state.past))
}

/// The banners of a person while their messages are gone through.
#[derive(Debug, Default)]
pub(super) struct Standing(Vec<Item>);

impl Standing {
    pub(super) fn add(&mut self, item: &Item) {
        if item.state.banner.is_some() {
            self.0.push(*item);
        }
    }

    /// With their texts; `None` where there is none, as for most people at most times.
    pub(super) fn finish(self, tx: &mut Tx<'_>, shared: &Shared) -> Result<Option<Arc<Banners>>> {
        let mut items = self.0;
        let total = items.len();
        if total == 0 {
            return Ok(None);
        }
        // What waits for an answer is never cut off by what does not.
        let waits = |item: &Item| item.state.acknowledgement == Some(Acknowledgement::Needed);
        items.sort_unstable_by_key(|item| Reverse((waits(item), item.importance, item.ring)));
        items.truncate(BANNERS);
        let items = texts::fetch(tx, shared, &items)?;
        Ok(Some(Arc::new(Banners { items, total })))
    }
}
