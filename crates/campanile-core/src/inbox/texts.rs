//! The texts of messages as readers see them, rendered once and kept while there is room: most readers open the same
//! newest few.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use campanile_store::{Param, Row, Tx, sql};

use super::judge::{Item, State};
use super::page::Shown;
use crate::error::Result;
use crate::id::MessageId;
use crate::lists::Shared;
use crate::markup::{self, Format};
use crate::message::{Importance, Window, shown_title};
use crate::time::Moment;

/// Texts fetched by one statement.
pub(super) const FETCH: usize = 20;
/// Bytes of text that are kept at most.
const KEPT: usize = 8 << 20;

sql! {
    TEXTS = "SELECT id, title, body, format, sender_name, published_at, opens_at, closes_at, edition, edited_at,
            api_name
        FROM message WHERE id IN ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
            $19, $20)";
}

/// What a text depends on: a correction changes the edition, a moved window its ends.
type Version = (i64, i64, i64);

/// The kept ones.
#[derive(Debug, Default)]
pub(crate) struct Texts(RwLock<Kept>);

#[derive(Debug, Default)]
struct Kept {
    texts: HashMap<i64, (Version, Arc<Shown>)>,
    bytes: usize,
}

impl Texts {
    fn put(&self, fresh: Vec<(i64, Version, Arc<Shown>)>) {
        let mut kept = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for (id, version, shown) in fresh {
            kept.bytes += size(&shown);
            if kept.bytes > KEPT {
                // The newest are asked for again at once, the others seldom.
                kept.texts.clear();
                kept.bytes = size(&shown);
            }
            if let Some((_, old)) = kept.texts.insert(id, (version, shown)) {
                kept.bytes = kept.bytes.saturating_sub(size(&old));
            }
        }
    }
}

/// About what a text takes in memory.
fn size(shown: &Shown) -> usize {
    shown.title.len() + shown.text.len() + shown.html.len() + shown.sender_name.len() + 256
}

/// The texts of some items, in their order: what is kept, and the rest by one statement a few.
pub(super) fn fetch(tx: &mut Tx<'_>, shared: &Shared, items: &[Item]) -> Result<Vec<Shown>> {
    let mut out: Vec<Option<Shown>> = vec![None; items.len()];
    let mut missing = Vec::new();
    {
        let kept = shared.texts().0.read().unwrap_or_else(PoisonError::into_inner);
        for (at, item) in items.iter().enumerate() {
            match kept
                .texts
                .get(&item.message)
                .filter(|(version, _)| *version == item.version)
            {
                Some((_, shown)) => out[at] = Some(for_reader(shown, item)),
                None => missing.push(at),
            }
        }
    }
    let mut fresh = Vec::new();
    rows(tx, items, &missing, |at, version, shown| {
        let shown = with_html(shown);
        out[at] = Some(for_reader(&shown, &items[at]));
        fresh.push((items[at].message, version, Arc::new(shown)));
    })?;
    if !fresh.is_empty() {
        shared.texts().put(fresh);
    }
    Ok(out.into_iter().flatten().collect())
}

/// As [`fetch`], without the HTML, and nothing is kept: a search looks at many and shows few.
pub(super) fn plain(tx: &mut Tx<'_>, items: &[Item]) -> Result<Vec<Shown>> {
    let mut out: Vec<Option<Shown>> = vec![None; items.len()];
    let all: Vec<usize> = (0..items.len()).collect();
    rows(tx, items, &all, |at, _, shown| {
        out[at] = Some(for_reader(&shown, &items[at]));
    })?;
    Ok(out.into_iter().flatten().collect())
}

/// Renders the text.
pub(super) fn with_html(shown: Shown) -> Shown {
    Shown {
        html: markup::html(shown.format, &shown.text),
        ..shown
    }
}

/// Hands over the stored texts of the items at some places.
fn rows(tx: &mut Tx<'_>, items: &[Item], places: &[usize], mut hand: impl FnMut(usize, Version, Shown)) -> Result<()> {
    for part in places.chunks(FETCH) {
        let ids: Vec<i64> = (0..FETCH)
            .map(|at| part.get(at).map_or(0, |at| items[*at].message))
            .collect();
        let params: Vec<&dyn Param> = ids.iter().map(|id| id as &dyn Param).collect();
        tx.each(&TEXTS, &params, |row| {
            let id: i64 = row.get(0)?;
            if let Some(at) = part.iter().find(|at| items[**at].message == id) {
                let (version, shown) = read(row)?;
                hand(*at, version, shown);
            }
            Ok::<(), campanile_store::Error>(())
        })?;
    }
    Ok(())
}

/// The text with the state that its reader left it in.
fn for_reader(shown: &Shown, item: &Item) -> Shown {
    let State {
        read,
        seen,
        archived,
        past,
        ..
    } = item.state;
    let importance = Importance::from_code(item.importance);
    Shown {
        importance,
        read,
        seen,
        archived,
        past,
        ..shown.clone()
    }
}

fn read(row: &Row<'_>) -> campanile_store::Result<(Version, Shown)> {
    let (opens, closes): (i64, i64) = (row.get(6)?, row.get(7)?);
    let window = Window {
        opens: Moment(opens),
        closes: Moment(closes),
    };
    let text: String = row.get(2)?;
    let format = Format::from_code(row.get(3)?).unwrap_or(Format::Markdown);
    let edition = row.get(8)?;
    let shown = Shown {
        id: MessageId(row.get(0)?),
        title: shown_title(row.get::<Option<String>>(10)?.as_deref(), &row.get::<String>(1)?),
        html: String::new(),
        text,
        format,
        sender_name: row.get(4)?,
        importance: Importance::default(),
        published_at: Moment(row.get::<Option<i64>>(5)?.unwrap_or_default()),
        opens_at: window.opens_at(),
        closes_at: window.closes_at(),
        edition,
        edited_at: row.get::<Option<i64>>(9)?.map(Moment),
        read: false,
        seen: false,
        archived: false,
        past: false,
    };
    Ok(((edition, opens, closes), shown))
}
