//! The audience of a message at the instant at which it counts: at its publication; where late joiners count, now or,
//! once it is over, at the last instant at which it was there. What was judged at an instant of the past never changes,
//! and is kept.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use campanile_store::{Tx, sql};
use roaring::RoaringBitmap;

use super::Message;
use super::kept::Looks;
use super::sight;
use crate::audience::crowd::{self, Residents, When};
use crate::audience::{Instant, Rule, Selector};
use crate::error::Result;
use crate::id::MessageId;
use crate::outbox::chunk;
use crate::time::{Moment, Revision};

sql! {
    LAST_AT = "SELECT value FROM tally WHERE name = 'revision_at'";
}

/// Audiences kept at most.
const KEPT: usize = 64;

/// An audience that was judged at an instant of the past, so that it never changes.
#[derive(Debug)]
struct Judged {
    message: MessageId,
    when: When,
    selectors: Vec<Selector>,
    people: Arc<RoaringBitmap>,
    /// Who came to match only after publication, where that was asked for.
    joined: Option<Arc<Joined>>,
}

/// People, and the revision since which they match.
pub(super) type Joined = HashMap<u32, i64>;

/// The audiences that were asked for last: those of the past, and how far messages had got with theirs.
#[derive(Debug, Default)]
pub struct Audiences {
    judged: Mutex<Vec<Judged>>,
    pub(super) looks: Looks,
}

impl Audiences {
    /// What is known of an audience, and has perhaps to be added to it.
    fn with<T>(
        &self,
        message: MessageId,
        when: When,
        selectors: &[Selector],
        look: impl FnOnce(&mut Judged) -> T,
    ) -> Option<T> {
        let mut kept = self.judged.lock().unwrap_or_else(PoisonError::into_inner);
        let at = kept
            .iter()
            .position(|one| one.message == message && one.when == when && one.selectors == selectors)?;
        // The last one used stands last.
        let mut found = kept.remove(at);
        let answer = look(&mut found);
        kept.push(found);
        Some(answer)
    }

    fn put(&self, judged: Judged) {
        let mut kept = self.judged.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|one| one.message != judged.message);
        if kept.len() == KEPT {
            kept.remove(0);
        }
        kept.push(judged);
    }
}

/// When a message's audience is judged; `None` before it is published.
pub(super) fn when(tx: &mut Tx<'_>, message: &Message, now: Moment) -> Result<Option<When>> {
    if message.rule == Rule::AtSend {
        return Ok(published(message).map(When::Instant));
    }
    Ok(sight::sights(tx, message)?.map(|sights| sights.judged(message, now)))
}

/// The audience of a message: at its publication; where late joiners count, now or, once it is over, at its end. Nobody
/// before it is published.
pub fn audience(
    tx: &mut Tx<'_>,
    residents: &Residents,
    kept: &Audiences,
    message: &Message,
    selectors: &[Selector],
    now: Moment,
) -> Result<RoaringBitmap> {
    match when(tx, message, now)? {
        Some(when) => of(tx, residents, kept, message, selectors, when),
        None => Ok(RoaringBitmap::new()),
    }
}

/// The audience of a message at an instant; of a reminder, those whom it was mailed to.
pub(super) fn of(
    tx: &mut Tx<'_>,
    residents: &Residents,
    kept: &Audiences,
    message: &Message,
    selectors: &[Selector],
    when: When,
) -> Result<RoaringBitmap> {
    if message.reminds.is_some() {
        return chunk::all(tx, message.id);
    }
    judge(tx, residents, kept, message.id, selectors, when)
}

fn judge(
    tx: &mut Tx<'_>,
    residents: &Residents,
    kept: &Audiences,
    message: MessageId,
    selectors: &[Selector],
    when: When,
) -> Result<RoaringBitmap> {
    if let Some(people) = kept.with(message, when, selectors, |judged| Arc::clone(&judged.people)) {
        return Ok(RoaringBitmap::clone(&people));
    }
    let (people, is_settled) = people(tx, residents, selectors, when)?;
    if is_settled {
        kept.put(Judged {
            message,
            when,
            selectors: selectors.to_vec(),
            people: Arc::new(people.clone()),
            joined: None,
        });
    }
    Ok(people)
}

/// The people who hold any of some selectors then, and whether that is so for ever.
///
/// Where nothing of the directory has changed since, who holds it now held it then. Asked of the residents, which
/// another reader may have brought further than this snapshot.
fn people(tx: &mut Tx<'_>, residents: &Residents, selectors: &[Selector], when: When) -> Result<(RoaringBitmap, bool)> {
    let still = Instant::now(when.at());
    let (is_last, is_settled) = match when {
        When::Instant(instant) if instant == still => (true, false),
        When::Instant(instant) => (residents.position() <= instant.revision.0, true),
        When::Clock(at) => {
            let last_at: i64 = tx.one(&LAST_AT, &[], |row| row.get(0))?;
            let is_last = last_at <= at.0 && residents.position() <= crowd::directory_position(tx)?;
            // A server whose clock runs behind may still stamp a change with a time up to then.
            (is_last, last_at > at.0)
        }
    };
    let people = match when {
        _ if is_last => residents.crowd(tx, selectors, still)?,
        When::Instant(then) => residents.then(tx, selectors, then)?,
        When::Clock(_) => crowd::crowd(tx, selectors, when)?,
    };
    Ok((people, is_settled))
}

/// Who came to match only after a message's publication, of those whom [`judge`] has just found.
pub(super) fn joined(
    tx: &mut Tx<'_>,
    residents: &Residents,
    kept: &Audiences,
    message: &Message,
    selectors: &[Selector],
    when: When,
) -> Result<Arc<Joined>> {
    let known = kept.with(message.id, when, selectors, |judged| judged.joined.clone());
    if let Some(Some(joined)) = known {
        return Ok(joined);
    }
    let revision = message.revision.unwrap_or_default();
    let joined = match when {
        When::Instant(now) if now == Instant::now(now.at) => residents.joined(tx, selectors, now, revision)?,
        When::Instant(_) | When::Clock(_) => {
            let mut joined = crowd::crowd_since(tx, selectors, when)?;
            joined.retain(|_, since| revision < *since);
            joined.shrink_to_fit();
            joined
        }
    };
    let joined = Arc::new(joined);
    if known.is_some() {
        kept.with(message.id, when, selectors, |judged| {
            judged.joined = Some(Arc::clone(&joined));
        });
    }
    Ok(joined)
}

/// The instant of publication.
fn published(message: &Message) -> Option<Instant> {
    Some(Instant {
        revision: Revision(message.revision?),
        at: message.published_at?,
    })
}

/// The audience at publication, whatever becomes of late joiners: what leaves the house goes to these.
pub fn frozen(tx: &mut Tx<'_>, residents: &Residents, kept: &Audiences, message: &Message) -> Result<RoaringBitmap> {
    let Some(published) = published(message) else {
        return Ok(RoaringBitmap::new());
    };
    let selectors = super::selectors(tx, message.id)?;
    of(tx, residents, kept, message, &selectors, When::Instant(published))
}
