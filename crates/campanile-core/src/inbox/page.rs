//! A page of the inbox with its texts.

use campanile_store::Tx;
use serde::{Deserialize, Serialize};

use super::judge::{self, Item, View};
use super::texts;
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
    /// How much it matters.
    pub importance: Importance,
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
    /// Opened or marked.
    pub read: bool,
    /// Bell or inbox was opened since it came up.
    pub seen: bool,
    /// Put away.
    pub archived: bool,
    /// Its window has closed.
    pub past: bool,
}

/// A page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Newest first.
    pub items: Vec<Shown>,
    /// Ask with this for what follows; `None` at the end.
    pub next: Option<i64>,
    /// How many there are in all; not known for a search.
    pub total: Option<u64>,
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
    let bundle = bundle(tx, person)?;
    let lists = shared.at(tx, bundle.messages)?;
    let (mut items, total) = candidates(&bundle, &lists, filter, before.unwrap_or(i64::MAX), now);
    let stands_until = Moment(lists.next_boundary(now).min(judge::next_boundary(&bundle, now)));
    drop(lists);
    let limit = limit.clamp(1, PAGE_LIMIT);
    let (revision, messages) = (bundle.revision, bundle.messages);
    let Some(words) = filter
        .search
        .as_deref()
        .map(str::trim)
        .filter(|words| !words.is_empty())
    else {
        let next = newest(&mut items, limit);
        return Ok(Page {
            items: texts::fetch(tx, shared, &items)?,
            next,
            total: Some(total),
            revision,
            messages,
            stands_until,
        });
    };
    let left = newest(&mut items, SEARCH_LIMIT);
    let words = words.to_lowercase();
    let mut found = Vec::new();
    for (at, part) in items.chunks(texts::FETCH).enumerate() {
        let looked = texts::plain(tx, part)?.into_iter().zip(part);
        found.extend(
            looked
                .filter(|(shown, _)| holds(shown, &words))
                .map(|(shown, item)| (texts::with_html(shown), item)),
        );
        if found.len() > limit || (found.len() == limit && (at + 1) * texts::FETCH < items.len()) {
            found.truncate(limit);
            let next = found.last().map(|(_, item)| item.ring);
            let items = found.into_iter().map(|(shown, _)| shown).collect();
            return Ok(Page {
                items,
                next,
                total: None,
                revision,
                messages,
                stands_until,
            });
        }
    }
    Ok(Page {
        items: found.into_iter().map(|(shown, _)| shown).collect(),
        next: left,
        total: None,
        revision,
        messages,
        stands_until,
    })
}

/// One message of a person's; [`Error::Missing`] where they may not know of it.
pub fn one(tx: &mut Tx<'_>, shared: &Shared, person: PersonId, id: MessageId, now: Moment) -> Result<Shown> {
    let bundle = bundle(tx, person)?;
    let item = {
        let lists = shared.at(tx, bundle.messages)?;
        judge::one(&bundle, &lists, id.0, now)
    };
    let item = item
        .filter(|item| !item.state.deleted)
        .ok_or(Error::Missing("message"))?;
    texts::fetch(tx, shared, &[item])?
        .pop()
        .ok_or(Error::Missing("message"))
}

/// The items of a filter below a place, and how many the filter takes in all.
fn candidates(bundle: &Bundle, lists: &Lists, filter: &Filter, before: i64, now: Moment) -> (Vec<Item>, u64) {
    let mut items = Vec::new();
    let mut total = 0;
    judge::each(bundle, lists, now, |item| {
        if filter.takes(&item) {
            total += 1;
            if item.ring < before {
                items.push(item);
            }
        }
    });
    (items, total)
}

/// Keeps the newest, in order; where to go on when some were left.
fn newest(items: &mut Vec<Item>, limit: usize) -> Option<i64> {
    let more = items.len() > limit;
    if more {
        items.select_nth_unstable_by_key(limit - 1, |item| std::cmp::Reverse(item.ring));
        items.truncate(limit);
    }
    items.sort_unstable_by_key(|item| std::cmp::Reverse(item.ring));
    if more { items.last().map(|item| item.ring) } else { None }
}

fn holds(shown: &Shown, words: &str) -> bool {
    [&shown.title, &shown.text, &shown.sender_name]
        .into_iter()
        .any(|text| text.to_lowercase().contains(words))
}
