//! The sender's questions: what was sent, to whom, and what could this person see at that time.

use std::collections::HashMap;

use campanile_store::{Row, Tx, sql};
use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};

pub use super::someone::{By, Someone, people, search};

use super::change::Change;
use super::funnel::Crowds;
use super::{Channel, Importance, Message, columns, message, sight};
use crate::audience::{Holding, Instant, Mark, Rule, Selector, emptied, holdings};
use crate::error::Result;
use crate::id::{MessageId, PersonId};
use crate::inbox::judge::{is_matched, stretch};
use crate::time::{Moment, Revision};

/// People of a page at most.
pub const PEOPLE_LIMIT: usize = 100;
/// Messages of a page at most.
pub const PAGE_LIMIT: i64 = 100;

sql! {
    NEWEST = "SELECT MAX(id) FROM message WHERE id < $1";
    HEADS = concat!("SELECT ", columns!(without text), " FROM message WHERE id > $1 AND id <= $2 ORDER BY id DESC");
    SELECTORS_BETWEEN = "SELECT message, kind, object, role FROM audience
        WHERE message > $1 AND message <= $2 AND until = 9223372036854775807
        ORDER BY message, kind, object, role";
    KEY = "SELECT key FROM person WHERE id = $1";
    NAME = "SELECT name FROM person WHERE id = $1";
    ACKNOWLEDGED_AT = "SELECT acknowledged_at FROM engagement WHERE person = $1 AND message = $2";
    EDITIONS = "SELECT e.revision, e.at, e.author, e.change, e.rang, e.title, e.body, e.sender_name, e.importance,
            e.opens_at, e.closes_at, e.enabled, p.name, e.dismissible, e.must_acknowledge, e.sub_customers
        FROM edition e LEFT JOIN person p ON p.id = e.author
        WHERE e.message = $1 AND e.revision < $2 ORDER BY e.revision DESC LIMIT $3";
    // The state before the first change after a time is the state at that time.
    AS_OF = "SELECT title, body, sender_name, importance, opens_at, closes_at, enabled, api_name FROM edition
        WHERE message = $1 AND at > $2 ORDER BY revision LIMIT 1";
    // Published by then, newest first. $1 is the time, $2 the page's place.
    PUBLISHED = concat!("SELECT ", columns!(), " FROM message
        WHERE published_at <= $1 AND id < $2 ORDER BY id DESC LIMIT $3");
}

/// Numbers of messages that one page may look at, at least; then it ends at the next multiple of it.
const LOOK_AT: i64 = 1_000;

/// A page of the messages that a filter takes, below an id, newest first; and the `below` of the next page.
///
/// That is the last message of the page or, where too few were found among the many that were looked at, a round
/// number: never the place of a message that is not shown. The filter gets messages without title and text.
pub fn page(
    tx: &mut Tx<'_>,
    below: i64,
    author: Option<PersonId>,
    limit: usize,
    takes: impl Fn(&Message, &[Selector]) -> bool,
) -> Result<(Vec<Message>, Option<i64>)> {
    let newest: Option<i64> = tx.one(&NEWEST, &[&below], |row| row.get(0))?;
    let Some(newest) = newest else {
        return Ok((Vec::new(), None));
    };
    let floor = (newest - LOOK_AT).max(0) / LOOK_AT * LOOK_AT;
    let (mut out, mut top) = (Vec::new(), newest);
    while top > floor {
        let bottom = (top - PAGE_LIMIT).max(floor);
        let heads = tx.rows(&HEADS, &[&bottom, &top], message)?;
        let mut selectors = selectors_between(tx, bottom, top)?;
        for head in heads {
            let selectors = selectors.remove(&head.id.0).unwrap_or_default();
            if author.is_some_and(|author| author != head.author) || !takes(&head, &selectors) {
                continue;
            }
            if out.len() == limit {
                let last = out.last().map(|last: &Message| last.id.0);
                return Ok((out, last));
            }
            out.push(super::find(tx, head.id)?);
        }
        top = bottom;
    }
    Ok((out, (floor > 0).then_some(floor + 1)))
}

/// The audiences of the messages above an id and up to another.
fn selectors_between(tx: &mut Tx<'_>, above: i64, to: i64) -> Result<HashMap<i64, Vec<Selector>>> {
    let mut out: HashMap<i64, Vec<Selector>> = HashMap::new();
    tx.each(&SELECTORS_BETWEEN, &[&above, &to], |row| {
        let selector = Selector::from_key((row.get(1)?, row.get(2)?, row.get(3)?));
        out.entry(row.get(0)?).or_default().extend(selector);
        Ok::<(), campanile_store::Error>(())
    })?;
    Ok(out)
}

/// The directory's id of a person.
pub fn person_key(tx: &mut Tx<'_>, person: PersonId) -> Result<String> {
    Ok(tx.one(&KEY, &[&person.0], |row| row.get(0))?)
}

/// The display name of a person.
pub fn person_name(tx: &mut Tx<'_>, person: PersonId) -> Result<String> {
    Ok(tx.one(&NAME, &[&person.0], |row| row.get(0))?)
}

/// One change of a message, with the state before it.
#[expect(clippy::struct_excessive_bools, reason = "each holds or not whatever the others do")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Edition {
    /// Its place in the order of everything.
    pub revision: Revision,
    /// When.
    pub at: Moment,
    /// Who, by name; absent where the server did it by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// What happened.
    pub change: Change,
    /// Whether the bell rang again.
    pub rang: bool,
    /// The title before.
    pub title: String,
    /// The text before.
    pub text: String,
    /// The sender's name before.
    pub sender_name: String,
    /// The importance before.
    pub importance: Importance,
    /// Whether it was switched on before.
    pub enabled: bool,
    /// Whether its banner could be dismissed even where it was critical, before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dismissible: bool,
    /// Whether people had to say that they have read it, before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub must_acknowledge: bool,
    /// Whether the UI messages contract included sub-customers, before; told where the audience is everyone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sub_customers: bool,
    /// The window's start before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opens_at: Option<Moment>,
    /// The window's end before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closes_at: Option<Moment>,
}

impl Edition {
    /// The state of now, as if it stood before a change that is still to come.
    #[must_use]
    pub fn present(message: &Message) -> Self {
        Self {
            revision: Revision(i64::MAX),
            at: message.created_at,
            by: None,
            change: Change::Corrected,
            rang: false,
            title: message.title.clone(),
            text: message.text.clone(),
            sender_name: message.sender_name.clone(),
            importance: message.importance,
            enabled: message.enabled,
            dismissible: message.dismissible,
            must_acknowledge: message.must_acknowledge,
            sub_customers: message.sub_customers,
            opens_at: message.window.opens_at(),
            closes_at: message.window.closes_at(),
        }
    }
}

/// The changes of a message, newest first.
pub fn editions(tx: &mut Tx<'_>, id: MessageId, below: i64, limit: i64) -> Result<Vec<Edition>> {
    let read = |row: &Row<'_>| {
        let window = super::Window {
            opens: Moment(row.get(9)?),
            closes: Moment(row.get(10)?),
        };
        Ok(Edition {
            revision: Revision(row.get(0)?),
            at: Moment(row.get(1)?),
            change: Change::from_code(row.get(3)?),
            rang: row.get(4)?,
            title: row.get(5)?,
            text: row.get(6)?,
            sender_name: row.get(7)?,
            importance: Importance::from_code(row.get(8)?),
            enabled: row.get(11)?,
            opens_at: window.opens_at(),
            closes_at: window.closes_at(),
            by: row.get(12)?,
            dismissible: row.get(13)?,
            must_acknowledge: row.get(14)?,
            sub_customers: row.get(15)?,
        })
    };
    Ok(tx.rows(&EDITIONS, &[&id.0, &below, &limit.clamp(1, PAGE_LIMIT)], read)?)
}

/// A person of an audience, and how far the message got with them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Recipient {
    /// Who.
    #[serde(flatten)]
    pub person: Someone,
    /// When it was first before them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen_at: Option<Moment>,
    /// When they read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_at: Option<Moment>,
    /// When they acknowledged it, where it asks for that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acknowledged_at: Option<Moment>,
}

/// Which part of an audience is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Everybody.
    #[default]
    All,
    /// Who saw it.
    Seen,
    /// Who did not.
    Unseen,
    /// Who read it.
    Read,
    /// Who did not.
    Unread,
    /// Who acknowledged it.
    Acknowledged,
    /// Who did not; of a message that does not ask for it, everybody.
    Unacknowledged,
}

impl Part {
    /// The people of this part.
    #[must_use]
    pub fn of(self, crowds: &Crowds) -> RoaringBitmap {
        match self {
            Self::All => crowds.people.clone(),
            Self::Seen => crowds.seen.clone(),
            Self::Unseen => &crowds.people - &crowds.seen,
            Self::Read => crowds.read.clone(),
            Self::Unread => &crowds.people - &crowds.read,
            Self::Acknowledged => crowds.acknowledged.clone(),
            Self::Unacknowledged => &crowds.people - &crowds.acknowledged,
        }
    }
}

/// A page of the people of a part of an audience, in the order of ids; and the `after` of the next page.
pub fn recipients(
    tx: &mut Tx<'_>,
    message: &Message,
    part: &RoaringBitmap,
    after: Option<u32>,
    limit: usize,
    now: Moment,
) -> Result<(Vec<Recipient>, Option<u32>)> {
    let limit = limit.clamp(1, PEOPLE_LIMIT);
    let from = after.map_or(0, |after| after.saturating_add(1));
    let ids: Vec<u32> = part.range(from..).take(limit + 1).collect();
    let (page, next) = if ids.len() > limit {
        (&ids[..limit], ids.get(limit - 1).copied())
    } else {
        (&ids[..], None)
    };
    let Some(sights) = sight::sights(tx, message)? else {
        return Ok((Vec::new(), None));
    };
    let addressed = super::addressed(tx, message.id)?;
    let mut out = Vec::with_capacity(page.len());
    for person in people(tx, page)? {
        let since = match message.rule {
            Rule::AtSend => Mark::default(),
            Rule::WhileActive => {
                let held = holdings(tx, PersonId(person.id))?;
                let when = sights.judged(message, now);
                stretch(&held, &addressed, |fact| when.covers(fact)).unwrap_or_default()
            }
        };
        let (seen_at, read_at) = sight::did(tx, message, &sights, since, person.id)?;
        let acknowledged_at = if message.must_acknowledge {
            tx.first(&ACKNOWLEDGED_AT, &[&person.id, &message.id.0], |row| row.get(0))?
        } else {
            None
        };
        out.push(Recipient {
            person,
            seen_at,
            read_at,
            acknowledged_at: acknowledged_at.flatten().map(Moment),
        });
    }
    Ok((out, next))
}

/// A message that a person could see at a time, and what they did about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Visible {
    /// Which.
    pub id: MessageId,
    /// The title as it was then.
    pub title: String,
    /// The text as it was then.
    pub text: String,
    /// The sender's name as it was then.
    pub sender_name: String,
    /// The importance as it was then.
    pub importance: Importance,
    /// When it was published.
    pub published_at: Moment,
    /// When it was first before them, at whatever time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen_at: Option<Moment>,
    /// When they read it, at whatever time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_at: Option<Moment>,
    /// They had deleted it for themselves by then, and have not restored it since: it was in no list of theirs.
    pub deleted: bool,
}

/// Messages that one call looks at; a cursor goes on from there.
const LOOK: i64 = 500;

/// What a person could see in bell, inbox and banners at a time, and whether they did: newest first, from the facts of
/// that time and the texts of that time. Also the `below` of the next page.
pub fn visible_at(
    tx: &mut Tx<'_>,
    person: PersonId,
    at: Moment,
    below: i64,
    limit: usize,
) -> Result<(Vec<Visible>, Option<i64>)> {
    let who = Past {
        person,
        held: holdings(tx, person)?,
        emptied: emptied(tx, person, at)?,
    };
    let looked = tx.rows(&PUBLISHED, &[&at.0, &below, &LOOK], message)?;
    let full = looked.len() == LOOK as usize;
    let mut next = looked.last().map(|message| message.id.0).filter(|_| full);
    let mut out = Vec::new();
    for message in looked {
        if out.len() == limit.clamp(1, PEOPLE_LIMIT) {
            next = out.last().map(|visible: &Visible| visible.id.0);
            break;
        }
        if let Some(visible) = was_visible(tx, &who, &message, at)? {
            out.push(visible);
        }
    }
    Ok((out, next))
}

/// Somebody whose past is looked at.
struct Past {
    person: PersonId,
    /// What they hold and held.
    held: Vec<Holding>,
    /// Each time they deleted everything until then.
    emptied: Vec<Mark>,
}

impl Past {
    fn is_alive(&self, there: impl Fn(&Holding) -> bool) -> bool {
        let everyone = Selector::Everyone.key();
        self.held.iter().any(|one| one.key == everyone && there(one))
    }
}

fn was_visible(tx: &mut Tx<'_>, who: &Past, message: &Message, at: Moment) -> Result<Option<Visible>> {
    let (Some(revision), Some(published_at)) = (message.revision, message.published_at) else {
        return Ok(None);
    };
    let gone = message.recalled_at.is_some_and(|recalled| recalled <= at);
    if gone || !(message.has(Channel::Portal) || message.has(Channel::Banner)) {
        return Ok(None);
    }
    let then = as_of(tx, message, at)?;
    if !then.enabled || !then.window.contains(at) {
        return Ok(None);
    }
    let addressed = super::addressed(tx, message.id)?;
    let Some(since) = (match message.rule {
        Rule::AtSend => {
            let published = Instant {
                revision: Revision(revision),
                at: published_at,
            };
            let was_in = stretch(&who.held, &addressed, |fact| fact.covers(published));
            was_in
                .filter(|_| who.is_alive(|life| life.covers(published)))
                .map(|_| Mark::default())
        }
        Rule::WhileActive => stretch(&who.held, &addressed, |fact| fact.covered_at(at)),
    }) else {
        return Ok(None);
    };
    // Whoever was deactivated then could look at nothing.
    if !who.is_alive(|life| life.covered_at(at)) {
        return Ok(None);
    }
    let Some(sights) = sight::sights(tx, message)? else {
        return Ok(None);
    };
    let person = who.person.0;
    let (seen_at, read_at) = sight::did(tx, message, &sights, since, person)?;
    let matched = |at: Instant| {
        let was_in = || who.is_alive(|life| life.covers(at)) && is_matched(&who.held, &addressed, at);
        message.rule == Rule::AtSend || was_in()
    };
    let deleted = sight::had_deleted(tx, (message, &sights), (person, &who.emptied), at, matched)?;
    Ok(Some(Visible {
        id: message.id,
        title: then.shown_title(),
        text: then.text,
        sender_name: then.sender_name,
        importance: then.importance,
        published_at,
        seen_at,
        read_at,
        deleted,
    }))
}

/// The message as it was at a time.
fn as_of(tx: &mut Tx<'_>, message: &Message, at: Moment) -> Result<Message> {
    let old = tx.first(&AS_OF, &[&message.id.0, &at.0], |row| {
        Ok(Message {
            title: row.get(0)?,
            text: row.get(1)?,
            sender_name: row.get(2)?,
            importance: Importance::from_code(row.get(3)?),
            window: super::Window {
                opens: Moment(row.get(4)?),
                closes: Moment(row.get(5)?),
            },
            enabled: row.get(6)?,
            api_name: row.get(7)?,
            ..message.clone()
        })
    })?;
    Ok(old.unwrap_or_else(|| message.clone()))
}
