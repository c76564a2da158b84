//! Rows of messages as the inbox and the panel show them, rendered once for all who read them alike: the newest few are
//! on everybody's first page. Each is kept until a time that stands in it reads otherwise.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, PoisonError, RwLock};

use askama::Template;
use campanile_core::inbox::Listed;
use campanile_core::time::Moment;

use super::voice::Voice;
use crate::known::Known;
use crate::problem::Problem;

/// Where a row stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The page.
    Inbox,
    /// The panel under the bell.
    Panel,
}

/// All on which a row rests, but the time.
#[derive(Debug, PartialEq, Eq)]
struct Key {
    place: Place,
    message: i64,
    edition: i64,
    opens_at: Option<Moment>,
    closes_at: Option<Moment>,
    importance: i64,
    read: bool,
    archived: bool,
    language: &'static str,
    /// By its number in [`Rows::zones`].
    zone: usize,
}

/// By what tells most rows apart; a page looks up two dozen.
impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let own = (self.zone << 3) | usize::from(self.place == Place::Panel) << 2;
        (
            self.message,
            own | usize::from(self.read) << 1 | usize::from(self.archived),
        )
            .hash(state);
    }
}

/// The rows that were rendered last.
#[derive(Debug)]
pub struct Rows {
    known: Known<Key, Arc<str>>,
    /// Time zones by name, numbered; there are a few hundred.
    zones: RwLock<HashMap<String, usize>>,
}

impl Default for Rows {
    /// At most 4 MB, about 3,000 rows.
    fn default() -> Self {
        Self {
            known: Known::new(4 << 20),
            zones: RwLock::default(),
        }
    }
}

/// Bytes of a row beside its text, about.
const ENTRY: usize = 128;
const MINUTE: i64 = 60_000;

impl Rows {
    /// The rows of a page: as they are known, else rendered.
    pub(super) fn html<'i, T: Template>(
        &self,
        voice: &Voice,
        place: Place,
        items: &'i [Listed],
        row: impl Fn(&'i Listed) -> T,
    ) -> Result<Vec<Arc<str>>, Problem> {
        let zone = self.zone(voice.zone.name());
        let mut out = Vec::with_capacity(items.len());
        for item in items {
            let (shown, state) = (item.shared(), item.state());
            let key = Key {
                place,
                message: shown.id.0,
                edition: shown.edition,
                opens_at: shown.opens_at,
                closes_at: shown.closes_at,
                importance: item.importance().code(),
                read: state.read,
                archived: state.archived,
                language: voice.words.tag(),
                zone,
            };
            if let Some(known) = self.known.get(&key, Some(0), voice.now) {
                out.push(known);
                continue;
            }
            let html: Arc<str> = row(item).render().map_err(Problem::internal)?.into();
            let (bytes, until) = (ENTRY + html.len(), stands_until(shown.published_at, voice.now));
            self.known.put(key, Arc::clone(&html), bytes, Some(0), until);
            out.push(html);
        }
        Ok(out)
    }

    fn zone(&self, name: &str) -> usize {
        let zones = self.zones.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(zone) = zones.get(name) {
            return *zone;
        }
        drop(zones);
        let mut zones = self.zones.write().unwrap_or_else(PoisonError::into_inner);
        let next = zones.len();
        *zones.entry(name.to_owned()).or_insert(next)
    }
}

/// Until when a row says the right time: it is said by minutes of age, and by days, which begin with a minute.
fn stands_until(published: Moment, now: Moment) -> Moment {
    let next_minute = (now.0.div_euclid(MINUTE) + 1) * MINUTE;
    let age = now.0.saturating_sub(published.0);
    let next_age = match age {
        // Of another server's clock, a minute ahead and more: said as a time.
        age if age <= -MINUTE => published.0 - MINUTE + 1,
        ..0 => published.0,
        _ => now.0 - age % MINUTE + MINUTE,
    };
    Moment(next_minute.min(next_age))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::when::Zone;
    use crate::console::words::Words;

    /// More than a year around a publication, in steps that hit every border.
    #[test]
    fn a_row_stands_as_long_as_its_times_read_so() {
        let published = Moment(1_795_254_240_123);
        for zone in ["UTC", "Asia/Kathmandu", "America/New_York"] {
            let (zone, words) = (Zone::choose([Some(zone)]), Words::choose(None, None));
            let mut now = published.plus_ms(-3 * MINUTE);
            while now.0 < published.0 + 400 * 24 * 60 * MINUTE {
                let until = stands_until(published, now);
                assert!(now < until, "it ends");
                let said = |at| zone.ago(words, published, at);
                assert_eq!(said(now), said(until.plus_ms(-1)), "{now:?} to {until:?}");
                now = if now.0 < published.0 + 26 * 60 * MINUTE {
                    until
                } else {
                    until.plus_ms(7 * MINUTE)
                };
            }
        }
    }
}
