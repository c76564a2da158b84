//! What stands at the top of every page for one person: banners whose window is open, until they are dismissed or
//! acknowledged.

use std::cmp::Reverse;
use std::sync::Arc;

use campanile_store::Tx;

use super::judge::Item;
use super::texts::{self, Listed};
use crate::error::Result;
use crate::lists::Shared;

/// Banners that are shown at most; the others are told by their number, and stand in the view of banners.
pub const BANNERS: usize = 5;

/// What stands at the top.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Banners {
    /// The most important first, of these the newest; at most [`BANNERS`].
    pub items: Vec<Listed>,
    /// How many there are in all.
    pub total: usize,
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
        items.sort_unstable_by_key(|item| Reverse((item.importance, item.ring)));
        items.truncate(BANNERS);
        let items = texts::fetch(tx, shared, &items)?;
        Ok(Some(Arc::new(Banners { items, total })))
    }
}
