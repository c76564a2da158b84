//! The numbers of a bell and a page of an inbox, for whoever asks: remembered while nothing has changed (see
//! [`known`](crate::known)), else read. Always exact.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use bytes::Bytes;
use campanile_core::id::PersonId;
use campanile_core::inbox::banner::{self, Addressed};
use campanile_core::inbox::{self, Banners, Counted, Filter, Listed, Page};
use campanile_core::revision::topic;
use campanile_core::time::Moment;
use campanile_store::{Signal, Tx};

use crate::app::App;
use crate::known::Known;
use crate::problem::Problem;

/// What is remembered of bells and inboxes.
#[derive(Debug)]
pub struct Bells {
    counts: Known<PersonId, Counted>,
    /// By person and a number for what was asked for.
    pages: Known<(PersonId, u64), Arc<Page>>,
    /// Announcements, as the UI messages contract writes them.
    announcements: Known<PersonId, Bytes>,
    /// The notifications of the console messaging contract, as they are answered.
    pub notifications: Known<PersonId, Bytes>,
}

/// Bytes of an entry beside its value, about.
const ENTRY: usize = 64;

impl Default for Bells {
    /// At most 1 MB of numbers, 16 MB of pages, 8 MB of announcements and 4 MB of notifications.
    fn default() -> Self {
        Self {
            counts: Known::new(1 << 20),
            pages: Known::new(16 << 20),
            announcements: Known::new(8 << 20),
            notifications: Known::new(4 << 20),
        }
    }
}

/// An answer, and the state that it rests on; [`state`].
#[derive(Debug, Clone)]
pub struct Found<V> {
    /// The answer.
    pub value: V,
    /// The state, read before it; `None` where others write too.
    pub state: Option<u64>,
}

/// Which page.
#[derive(Debug)]
pub struct Wanted {
    /// Which items.
    pub filter: Filter,
    /// The `next` of the page before.
    pub before: Option<i64>,
    /// Items at most.
    pub limit: usize,
    /// A number for these three: it tells pages of one person apart.
    pub place: u64,
}

impl Wanted {
    /// A page of at most `limit` of these items, below the `next` of the page before.
    #[must_use]
    pub fn new(filter: Filter, before: Option<i64>, limit: usize) -> Self {
        let mut hasher = DefaultHasher::new();
        (filter.view, filter.importance, &filter.search, before, limit).hash(&mut hasher);
        Self {
            filter,
            before,
            limit,
            place: hasher.finish(),
        }
    }
}

/// The state of everything that a person's inbox rests on.
#[must_use]
pub fn state(app: &App, person: PersonId) -> Option<u64> {
    let any = |topic| Signal {
        topic,
        key: Signal::ANY,
    };
    app.db.changes(&[
        any(topic::MESSAGE),
        any(topic::DIRECTORY),
        Signal {
            topic: topic::PERSON,
            key: person.0,
        },
    ])
}

/// Counts a person's inbox.
pub async fn count(app: &App, person: PersonId, now: Moment) -> Result<Found<Counted>, Problem> {
    let (state, known) = (state(app, person), &app.bells.counts);
    if let Some(value) = known.get(&person, state, now) {
        return Ok(Found { value, state });
    }
    let lists = Arc::clone(&app.lists);
    let value = app.db.read(move |tx| inbox::count(tx, &lists, person, now)).await?;
    let bytes = ENTRY + size_of::<Counted>() + banner_bytes(value.banners.as_deref());
    known.put(person, value.clone(), bytes, state, value.stands_until);
    Ok(Found { value, state })
}

/// What banners take beside texts that others read too.
fn banner_bytes(banners: Option<&Banners>) -> usize {
    banners.map_or(0, |banners| banners.items.len() * size_of::<Listed>())
}

/// A page of a person's inbox.
pub async fn page(app: &App, person: PersonId, wanted: Wanted, now: Moment) -> Result<Found<Arc<Page>>, Problem> {
    let (state, known) = (state(app, person), &app.bells.pages);
    let key = (person, wanted.place);
    if let Some(value) = known.get(&key, state, now) {
        return Ok(Found { value, state });
    }
    let lists = Arc::clone(&app.lists);
    let Wanted {
        filter, before, limit, ..
    } = wanted;
    let searches = filter.search.is_some();
    let work = move |tx: &mut Tx<'_>| inbox::page(tx, &lists, person, &filter, before, limit, now);
    if searches {
        // It looks at many texts: not on a thread that serves. And it is seldom repeated.
        let value = Arc::new(app.db.scan(work).await?);
        return Ok(Found { value, state });
    }
    let value = Arc::new(app.db.read(work).await?);
    // The texts are shared with other pages, but for those that nobody else reads.
    let bytes = ENTRY + size_of::<Page>() + value.items.iter().map(Listed::json_len).sum::<usize>();
    known.put(key, Arc::clone(&value), bytes, state, value.stands_until);
    Ok(Found { value, state })
}

/// The announcements that are there now for a person, dismissed or not, as `write` puts them.
pub async fn announcements(
    app: &App,
    person: PersonId,
    now: Moment,
    write: impl FnOnce(Vec<Addressed>) -> Vec<u8> + Send + 'static,
) -> Result<Bytes, Problem> {
    let (state, known) = (state(app, person), &app.bells.announcements);
    if let Some(written) = known.get(&person, state, now) {
        return Ok(written);
    }
    let lists = Arc::clone(&app.lists);
    let work = move |tx: &mut Tx<'_>| {
        let (found, stands_until) = banner::addressed(tx, &lists, person, now)?;
        Ok::<_, campanile_core::Error>((Bytes::from(write(found)), stands_until))
    };
    let (written, stands_until) = app.db.read(work).await?;
    known.put(person, written.clone(), ENTRY + written.len(), state, stands_until);
    Ok(written)
}
