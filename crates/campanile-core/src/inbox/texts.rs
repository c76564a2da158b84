//! The texts of messages as readers see them, rendered once and kept while there is room: most readers open the same
//! newest few.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use campanile_store::{Param, Row, Tx, sql};

use serde::Serialize;

use super::judge::{Acknowledgement, Banner, Item, State};
use super::page::Shown;
use crate::error::Result;
use crate::id::MessageId;
use crate::lists::Shared;
use crate::markup::{self, Format};
use crate::message::{Importance, Window, name, shown_title};
use crate::time::Moment;

/// Texts fetched by one statement.
pub(super) const FETCH: usize = 20;
/// Characters of an excerpt.
pub const EXCERPT_CHARS: usize = 240;
/// Bytes of text that are kept at most.
const KEPT: usize = 8 << 20;

sql! {
    TEXTS = "SELECT id, title, body, format, sender_name, published_at, opens_at, closes_at, edition, edited_at,
            api_name
        FROM message WHERE id IN ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
            $19, $20)";
}

/// A text as all its readers have it.
#[derive(Debug)]
struct Text {
    /// What is each reader's own stands here as if nothing had been done.
    shown: Shown,
    /// The rest as JSON, without the bracket at the end: written once, since every page would write it alike.
    json: Box<[u8]>,
    /// Its line in a list, once somebody has looked at one.
    line: OnceLock<Line>,
}

/// A message as one line of a list: safe HTML, since every list would escape it alike.
#[derive(Debug)]
pub struct Line {
    /// The title, else the beginning of its text.
    pub title: Box<str>,
    /// Who it says it is from.
    pub sender: Box<str>,
    /// The beginning of its text, of at most [`EXCERPT_CHARS`].
    pub excerpt: Box<str>,
    /// When it was published, by RFC 3339.
    pub iso: Box<str>,
    /// The same for people: `2026-11-21 09:44 UTC`.
    pub utc: Box<str>,
}

/// Whether or not its line was made.
impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.shown == other.shown && self.json == other.json
    }
}

impl Eq for Text {}

impl Text {
    fn new(shown: Shown) -> Self {
        let mut json = serde_json::to_vec(&shown).expect("texts and numbers always serialise");
        let mut own = Vec::new();
        Own::of(shown.importance, State::default()).write_json(&mut own);
        // They are the last fields of all, and their opening bracket is as long as the comma before them.
        json.truncate(json.len() - own.len());
        let json = json.into();
        Self {
            shown,
            json,
            line: OnceLock::new(),
        }
    }

    /// About what it takes in memory.
    fn size(&self) -> usize {
        let shown = &self.shown;
        2 * (shown.title.len() + shown.sender_name.len())
            + shown.text.len()
            + shown.html.len()
            + self.json.len()
            + EXCERPT_CHARS
            + 460
    }
}

/// What is each reader's own: the last fields of [`Shown`].
#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each holds or not whatever the others do")]
struct Own {
    importance: Importance,
    read: bool,
    seen: bool,
    archived: bool,
    past: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    banner_only: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    banner: Option<Banner>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acknowledgement: Option<Acknowledgement>,
}

impl Own {
    const fn of(importance: Importance, state: State) -> Self {
        Self {
            importance,
            read: state.read,
            seen: state.seen,
            archived: state.archived,
            past: state.past,
            banner_only: state.banner_only,
            banner: state.banner,
            acknowledgement: state.acknowledgement,
        }
    }

    fn write_json(&self, out: &mut Vec<u8>) {
        serde_json::to_writer(out, self).expect("words and truth values always serialise");
    }
}

/// An item of a page: a text that all its readers share, and what is this reader's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    text: Arc<Text>,
    importance: Importance,
    state: State,
}

impl Listed {
    fn new(text: Arc<Text>, item: &Item) -> Self {
        Self {
            text,
            importance: Importance::from_code(item.importance),
            state: item.state,
        }
    }

    /// One whose text is shared with nobody.
    pub(super) fn alone(shown: Shown, item: &Item) -> Self {
        Self::new(Arc::new(Text::new(shown)), item)
    }

    /// Its title, as it is shown.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.text.shown.title
    }

    /// Its line in a list.
    #[must_use]
    pub fn line(&self) -> &Line {
        let shown = &self.text.shown;
        self.text.line.get_or_init(|| Line {
            title: markup::escaped(&name(&shown.title, shown.format, &shown.text)).into(),
            sender: markup::escaped(&shown.sender_name).into(),
            excerpt: markup::escaped(&markup::excerpt(shown.format, &shown.text, EXCERPT_CHARS)).into(),
            iso: shown.published_at.to_string().into(),
            utc: shown.published_at.utc().into(),
        })
    }

    /// What its readers share. What is each reader's own stands there as if nothing had been done.
    #[must_use]
    pub fn shared(&self) -> &Shown {
        &self.text.shown
    }

    /// How much it matters.
    #[must_use]
    pub const fn importance(&self) -> Importance {
        self.importance
    }

    /// The reader's own state.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// What the reader sees, as a value of its own.
    #[must_use]
    pub fn shown(&self) -> Shown {
        let Own {
            importance,
            read,
            seen,
            archived,
            past,
            banner_only,
            banner,
            acknowledgement,
        } = Own::of(self.importance, self.state);
        Shown {
            importance,
            read,
            seen,
            archived,
            past,
            banner_only,
            banner,
            acknowledgement,
            ..self.text.shown.clone()
        }
    }

    /// Appends the JSON of [`Listed::shown`].
    pub fn write_json(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.text.json);
        let comma = out.len();
        Own::of(self.importance, self.state).write_json(out);
        out[comma] = b',';
    }

    /// About how long the JSON is.
    #[must_use]
    pub fn json_len(&self) -> usize {
        self.text.json.len() + 100
    }
}

/// Two items that hash alike look alike. In few words, as every page hashes all its items.
impl Hash for Listed {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        let (shown, state) = (&self.text.shown, self.state);
        let flags = [
            state.read,
            state.seen,
            state.archived,
            state.past,
            state.banner_only,
            state.banner.is_some(),
            state.banner == Some(Banner::Fixed),
            state.acknowledgement.is_some(),
            state.acknowledgement == Some(Acknowledgement::Given),
        ];
        let flags = flags.iter().fold(0, |bits, flag| bits << 1 | i64::from(*flag));
        shown.id.0.hash(hasher);
        shown.edition.hash(hasher);
        shown.opens_at.unwrap_or_default().0.hash(hasher);
        shown.closes_at.unwrap_or(Moment::NEVER).0.hash(hasher);
        (self.importance.code() << 9 | flags).hash(hasher);
    }
}

/// What a text depends on: a correction changes the edition, a moved window its ends.
type Version = (i64, i64, i64);

/// The kept ones.
#[derive(Debug, Default)]
pub(crate) struct Texts(RwLock<Kept>);

#[derive(Debug, Default)]
struct Kept {
    texts: HashMap<i64, (Version, Arc<Text>)>,
    bytes: usize,
}

impl Texts {
    fn put(&self, fresh: Vec<(i64, Version, Arc<Text>)>) {
        let mut kept = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for (id, version, text) in fresh {
            kept.bytes += text.size();
            if kept.bytes > KEPT {
                // The newest are asked for again at once, the others seldom.
                kept.texts.clear();
                kept.bytes = text.size();
            }
            if let Some((_, old)) = kept.texts.insert(id, (version, text)) {
                kept.bytes = kept.bytes.saturating_sub(old.size());
            }
        }
    }
}

/// The texts of some items, in their order: what is kept, and the rest by one statement a few.
pub(super) fn fetch(tx: &mut Tx<'_>, shared: &Shared, items: &[Item]) -> Result<Vec<Listed>> {
    let mut out: Vec<Option<Listed>> = vec![None; items.len()];
    let mut missing = Vec::new();
    {
        let kept = shared.texts().0.read().unwrap_or_else(PoisonError::into_inner);
        for (at, item) in items.iter().enumerate() {
            match kept
                .texts
                .get(&item.message)
                .filter(|(version, _)| *version == item.version)
            {
                Some((_, text)) => out[at] = Some(Listed::new(Arc::clone(text), item)),
                None => missing.push(at),
            }
        }
    }
    let mut fresh = Vec::new();
    rows(tx, items, &missing, |at, version, shown| {
        let text = Arc::new(Text::new(with_html(shown)));
        out[at] = Some(Listed::new(Arc::clone(&text), &items[at]));
        fresh.push((items[at].message, version, text));
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
        out[at] = Some(shown);
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
        banner_only: false,
        banner: None,
        acknowledgement: None,
    };
    Ok(((edition, opens, closes), shown))
}
