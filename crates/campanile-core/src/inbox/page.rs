//! A page of the inbox with its texts.

use std::sync::Arc;

use campanile_store::Tx;
use serde::{Deserialize, Serialize};

use super::Counts;
use super::banner::{Banners, Standing};
use super::judge::{self, Acknowledgement, Banner, Item, View};
use super::texts::{self, Listed};
use crate::audience::{Bundle, bundle};
use crate::error::{Error, Result};
use crate::id::{MessageId, PersonId};
use crate::lists::{Lists, Shared};
use crate::markup::Format;
use crate::message::Importance;
use crate::time::Moment;

/// Items of a page at most.
pub const PAGE_LIMIT: usize = 100;
/// Items of a page where nothing is asked for.
pub const PAGE_DEFAULT: usize = 20;
/// Messages whose text a search looks at in one call; a cursor goes on from there.
const SEARCH_LIMIT: usize = 2_000;
/// Characters of a search at most.
pub const SEARCH_CHARS: usize = 200;

/// Which items are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Which list.
    pub view: View,
    /// Only this importance.
    pub importance: Option<Importance>,
    /// Only those that hold these words in title, text or sender, whatever their case.
    pub search: Option<String>,
}

impl Filter {
    /// Whether an item passes, its texts aside.
    #[must_use]
    pub fn takes(&self, item: &Item) -> bool {
        item.state.stands_in(self.view) && self.importance.is_none_or(|at| at.code() == item.importance)
    }

    /// The words that are searched, in small letters.
    pub(super) fn words(&self) -> Option<String> {
        let words = self.search.as_deref().map(str::trim).filter(|words| !words.is_empty());
        words.map(str::to_lowercase)
    }
}

/// One message as its reader sees it.
#[expect(clippy::struct_excessive_bools, reason = "each holds or not whatever the others do")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Shown {
    /// Which.
    pub id: MessageId,
    /// With the API's name before it, where it is an API message.
    pub title: String,
    /// As typed.
    pub text: String,
    /// The text as safe HTML.
    pub html: String,
    /// How `text` is to be read.
    pub format: Format,
    /// Who it says it is from.
    pub sender_name: String,
    /// When it was published.
    pub published_at: Moment,
    /// The window's start, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opens_at: Option<Moment>,
    /// The window's end, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closes_at: Option<Moment>,
    /// When it was last corrected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<Moment>,
    /// Grows with every correction.
    pub edition: i64,
    // What follows is each reader's own; `Listed::write_json` writes it behind what they share.
    /// How much it matters.
    pub importance: Importance,
    /// Opened or marked.
    pub read: bool,
    /// Bell or inbox was opened since it came up.
    pub seen: bool,
    /// Put away.
    pub archived: bool,
    /// Its window has closed.
    pub past: bool,
    /// It rings no bell and stands in no inbox.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub banner_only: bool,
    /// While its banner stands: whether you may dismiss it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub banner: Option<Banner>,
    /// Where it asks to be acknowledged: whether you have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acknowledgement: Option<Acknowledgement>,
}

/// A page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Newest first.
    pub items: Vec<Listed>,
    /// Ask with this for what follows; `None` at the end.
    pub next: Option<i64>,
    /// How many there are in all; not known for a search.
    pub total: Option<u64>,
    /// The numbers of bell and tabs in the same snapshot.
    pub counts: Counts,
    /// What stands at the top of every page; `None` for nothing.
    pub banners: Option<Arc<Banners>>,
    /// The revision of the snapshot.
    pub revision: i64,
    /// The last revision of the snapshot that changed a message: a message that came up again looks the same.
    pub messages: i64,
    /// Without a write, the page stands until this time.
    pub stands_until: Moment,
}

/// A page of one person's inbox. `before` is the `next` of the page before.
pub fn page(
    tx: &mut Tx<'_>,
    shared: &Shared,
    person: PersonId,
    filter: &Filter,
    before: Option<i64>,
    limit: usize,
    now: Moment,
) -> Result<Page> {
    let bundle = bundle(tx, shared.held(), person)?;
    let lists = shared.at(tx, bundle.messages)?;
    let words = filter.words();
    let limit = limit.clamp(1, PAGE_LIMIT);
    let place = before.unwrap_or(i64::MAX);
    let keep = if words.is_some() { SEARCH_LIMIT } else { limit };
    let found = candidates(&bundle, &lists, filter, place, keep, now);
    let (items, left) = found.newest.finish();
    let stands_until = super::stands_until(&bundle, &lists, now);
    drop(lists);
    let page = Page {
        items: Vec::new(),
        next: left,
        total: None,
        counts: found.counts,
        banners: found.standing.finish(tx, shared)?,
        revision: bundle.revision,
        messages: bundle.messages,
        stands_until,
    };
    let Some(words) = words else {
        return Ok(Page {
            items: texts::fetch(tx, shared, &items)?,
            total: Some(found.total),
            ..page
        });
    };
    let mut found = Vec::new();
    for (at, part) in items.chunks(texts::FETCH).enumerate() {
        let looked = texts::plain(tx, part)?.into_iter().zip(part);
        found.extend(
            looked
                .filter(|(shown, _)| holds(shown, &words))
                .map(|(shown, item)| (Listed::alone(texts::with_html(shown), item), item)),
        );
        if found.len() > limit || (found.len() == limit && (at + 1) * texts::FETCH < items.len()) {
            found.truncate(limit);
            let next = found.last().map(|(_, item)| item.ring);
            let items = found.into_iter().map(|(listed, _)| listed).collect();
            return Ok(Page { items, next, ..page });
        }
    }
    let items = found.into_iter().map(|(listed, _)| listed).collect();
    Ok(Page { items, ..page })
}

/// One message of a person's; [`Error::Missing`] where they may not know of it.
pub fn one(tx: &mut Tx<'_>, shared: &Shared, person: PersonId, id: MessageId, now: Moment) -> Result<Shown> {
    let bundle = bundle(tx, shared.held(), person)?;
    let item = {
        let lists = shared.at(tx, bundle.messages)?;
        judge::one(&bundle, &lists, id.0, now)
    };
    let item = item
        .filter(|item| !item.state.deleted || item.state.banner.is_some())
        .ok_or(Error::Missing("message"))?;
    texts::fetch(tx, shared, &[item])?
        .pop()
        .map(|listed| listed.shown())
        .ok_or(Error::Missing("message"))
}

/// All of an inbox, its texts aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Everything {
    /// The newest first.
    pub items: Vec<Item>,
    /// How many there are in all.
    pub total: u64,
    /// Without a write, it stands until this time.
    pub stands_until: Moment,
}

/// Everything in a person's inbox; of more than `most` the newest.
pub fn everything(tx: &mut Tx<'_>, shared: &Shared, person: PersonId, most: usize, now: Moment) -> Result<Everything> {
    let bundle = bundle(tx, shared.held(), person)?;
    let lists = shared.at(tx, bundle.messages)?;
    let found = candidates(&bundle, &lists, &Filter::default(), i64::MAX, most, now);
    let stands_until = Moment(lists.next_boundary(now).min(judge::next_boundary(&bundle, now)));
    let (items, _) = found.newest.finish();
    Ok(Everything {
        items,
        total: found.total,
        stands_until,
    })
}

/// Every message of a person that they may know of, also those they deleted: the newest below a place, and where to go
/// on.
pub(crate) fn all(
    tx: &mut Tx<'_>,
    shared: &Shared,
    person: PersonId,
    before: Option<i64>,
    limit: usize,
    now: Moment,
) -> Result<(Vec<Item>, Option<i64>)> {
    let bundle = bundle(tx, shared.held(), person)?;
    let lists = shared.at(tx, bundle.messages)?;
    let mut newest = Newest::new(limit);
    judge::each(&bundle, &lists, now, |item| {
        if item.ring < before.unwrap_or(i64::MAX) {
            newest.put(item);
        }
    });
    Ok(newest.finish())
}

/// The texts of a few items, in their order.
pub fn texts_of(tx: &mut Tx<'_>, shared: &Shared, items: &[Item]) -> Result<Vec<Listed>> {
    texts::fetch(tx, shared, items)
}

/// The texts of many items, in their order and without HTML; none is kept. No short read.
pub fn plain_texts_of(tx: &mut Tx<'_>, items: &[Item]) -> Result<Vec<Shown>> {
    texts::plain(tx, items)
}

/// What is found in one walk over a person's messages.
struct Found {
    /// The newest items of the filter below a place.
    newest: Newest,
    /// How many the filter takes in all.
    total: u64,
    /// The numbers of the inbox.
    counts: Counts,
    /// What stands at the top of every page.
    standing: Standing,
}

fn candidates(bundle: &Bundle, lists: &Lists, filter: &Filter, before: i64, keep: usize, now: Moment) -> Found {
    let mut found = Found {
        newest: Newest::new(keep),
        total: 0,
        counts: Counts::default(),
        standing: Standing::default(),
    };
    judge::each(bundle, lists, now, |item| {
        found.counts.add(&item);
        found.standing.add(&item);
        if filter.takes(&item) {
            found.total += 1;
            if item.ring < before {
                found.newest.put(item);
            }
        }
    });
    found
}

/// The newest of many items, without keeping them all.
struct Newest {
    items: Vec<Item>,
    keep: usize,
    /// What rang no later than this is not among them.
    floor: i64,
    more: bool,
}

impl Newest {
    fn new(keep: usize) -> Self {
        Self {
            items: Vec::new(),
            keep,
            floor: i64::MIN,
            more: false,
        }
    }

    fn put(&mut self, item: Item) {
        if item.ring <= self.floor {
            self.more = true;
            return;
        }
        self.items.push(item);
        if self.items.len() >= 2 * self.keep {
            self.cut();
        }
    }

    fn cut(&mut self) {
        if self.items.len() <= self.keep {
            return;
        }
        let last = self.keep - 1;
        self.items
            .select_nth_unstable_by_key(last, |item| std::cmp::Reverse(item.ring));
        self.items.truncate(self.keep);
        self.floor = self.items[last].ring;
        self.more = true;
    }

    /// In order; and where to go on when some were left.
    fn finish(mut self) -> (Vec<Item>, Option<i64>) {
        self.cut();
        self.items.sort_unstable_by_key(|item| std::cmp::Reverse(item.ring));
        let next = self.items.last().map(|item| item.ring).filter(|_| self.more);
        (self.items, next)
    }
}

/// Those of some items whose texts hold the words, in their order, at most so many.
pub(super) fn holding(tx: &mut Tx<'_>, items: &[Item], words: &str, most: usize) -> Result<Vec<Item>> {
    let mut found = Vec::new();
    for part in items.chunks(texts::FETCH) {
        let looked = texts::plain(tx, part)?.into_iter().zip(part);
        found.extend(looked.filter(|(shown, _)| holds(shown, words)).map(|(_, item)| *item));
        if found.len() >= most {
            break;
        }
    }
    found.truncate(most);
    Ok(found)
}

fn holds(shown: &Shown, words: &str) -> bool {
    [&shown.title, &shown.text, &shown.sender_name]
        .into_iter()
        .any(|text| text.to_lowercase().contains(words))
}
