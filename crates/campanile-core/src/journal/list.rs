//! Reading the journal: its own rows, the births of messages and their changes as one list, the newest first.
//!
//! Each of the three is an arm with a place of its own, by which a page is continued; a page takes from whichever has
//! the newest. An arm looks at [`LOOK`] rows a page and no more; where a filter leaves out that many, the page ends
//! there and its `next` goes on. Ids and revisions follow the time (but for what several servers do at once, within
//! `SLACK_MS`), so a range of time is found by halving, without an index that every publication would pay for.

use std::collections::HashMap;

use campanile_store::{Param, Row, Sql, Tx, sql};
use serde_json::Value;

use super::item::{Filter, Item, Who};
use super::{Action, Kind, Via, story};
use crate::account::login_key;
use crate::directory::list::{LOOK, Page, Paging, Place};
use crate::error::{Error, Faults, Result};
use crate::id::MessageId;
use crate::markup::Format;
use crate::message;
use crate::message::change::Change;
use crate::time::{Moment, OPEN, Revision};

macro_rules! noted {
    () => {
        "SELECT id, at, actor, acting_for, from_via, from_address, from_token, action, kind, object, revision
        FROM journal WHERE id < $1 AND id >= $2 AND at >= $4 AND at < $5
            AND (CAST($6 AS BIGINT) IS NULL OR actor = $6) AND (CAST($7 AS BIGINT) IS NULL OR action = $7)
            AND (CAST($8 AS BIGINT) IS NULL OR kind = $8) AND (CAST($9 AS TEXT) IS NULL OR object = $9) "
    };
}
macro_rules! edited {
    () => {
        "SELECT e.revision, e.at, e.author, e.acting_for, e.from_via, e.from_address, e.from_token,
            m.title, m.format, CASE m.title WHEN '' THEN SUBSTR(m.body, 1, 1000) END, e.change, e.message,
            e.switched, e.audience IS NOT NULL
        FROM edition e JOIN message m ON m.id = e.message
        WHERE e.revision < $1 AND e.revision >= $2 AND e.at >= $4 AND e.at < $5
            AND (CAST($6 AS BIGINT) IS NULL OR e.author = $6)
            AND (CAST($7 AS BIGINT) IS NULL OR e.change = $7 OR e.switched = $7
                OR ($7 = 7 AND e.audience IS NOT NULL)) "
    };
}

sql! {
    // $1 below this place, $2 from that one, $3 how many, $4 from and $5 before a time, $6 the actor, $7 the action,
    // $8 the kind, $9 the object.
    NOTED = concat!(noted!(), "ORDER BY id DESC LIMIT $3");
    NOTED_EDGE = "SELECT id, at FROM journal WHERE id < $1 ORDER BY id DESC LIMIT 1 OFFSET $2";
    NOTED_OF = concat!(noted!(), "AND kind = $8 AND object = $9 ORDER BY kind DESC, object DESC, id DESC LIMIT $3");
    NOTED_UPTO = "SELECT id, at FROM journal WHERE id <= $1 ORDER BY id DESC LIMIT 1";
    NOTED_STATES = "SELECT before, after FROM journal WHERE id = $1";
    // $7: the message.
    BORN = "SELECT id, created_at, author, acting_for, from_via, from_address, from_token,
            title, format, CASE title WHEN '' THEN SUBSTR(body, 1, 1000) END FROM message
        WHERE id < $1 AND id >= $2 AND created_at >= $4 AND created_at < $5
            AND (CAST($6 AS BIGINT) IS NULL OR author = $6) AND (CAST($7 AS BIGINT) IS NULL OR id = $7)
        ORDER BY id DESC LIMIT $3";
    BORN_EDGE = "SELECT id, created_at FROM message WHERE id < $1 ORDER BY id DESC LIMIT 1 OFFSET $2";
    BORN_UPTO = "SELECT id, created_at FROM message WHERE id <= $1 ORDER BY id DESC LIMIT 1";
    // $7: the sort of change.
    EDITED = concat!(edited!(), "ORDER BY e.revision DESC LIMIT $3");
    EDITED_OF = concat!(edited!(), "AND e.message = $8 ORDER BY e.revision DESC LIMIT $3");
    EDITED_EDGE = "SELECT revision, at FROM edition WHERE revision < $1 ORDER BY revision DESC LIMIT 1 OFFSET $2";
    EDITED_UPTO = "SELECT revision, at FROM edition WHERE revision <= $1 ORDER BY revision DESC LIMIT 1";
    CALLED = "SELECT title, format, CASE title WHEN '' THEN SUBSTR(body, 1, 1000) END FROM message WHERE id = $1";
    WHO = "SELECT key, login, name FROM person WHERE id = $1";
    // Also those who have left: what they did stays.
    BY_ID = "SELECT id FROM person WHERE key = $1";
    BY_LOGIN = "SELECT id FROM person WHERE login_key = $1";
}

/// How far the times of rows may be from the order in which they came: the clocks of servers, and commits that wait.
const SLACK_MS: i64 = 120_000;

/// Where a row stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Noted,
    Born,
    Edited,
}

impl Source {
    /// The row so many below a place, and the newest up to one.
    const fn statements(self) -> (&'static Sql, &'static Sql) {
        match self {
            Self::Noted => (&NOTED_EDGE, &NOTED_UPTO),
            Self::Born => (&BORN_EDGE, &BORN_UPTO),
            Self::Edited => (&EDITED_EDGE, &EDITED_UPTO),
        }
    }
}

/// Of one time those before come first: what is changed was sent before.
const ARMS: [Source; 3] = [Source::Noted, Source::Edited, Source::Born];

/// A row as it is stored.
#[derive(Debug, Clone)]
struct Raw {
    who: (Option<i64>, Option<i64>),
    via: Option<i64>,
    address: Option<String>,
    token: Option<String>,
    action: Action,
    also: Vec<Action>,
    kind: Kind,
    object: String,
    title: Option<String>,
    revision: Option<i64>,
}

/// A row of an arm at its place; without one, the last that was looked at.
struct Hit {
    at: i64,
    place: i64,
    raw: Option<Raw>,
}

/// What is asked of an arm.
struct Asked<'f> {
    filter: &'f Filter,
    actor: Option<i64>,
    /// Of messages: the id that is named.
    message: Option<i64>,
    /// Lower-cased.
    words: Option<String>,
    limit: usize,
}

/// A page of the journal, the newest first.
///
/// # Errors
/// `Invalid` of a field of the filter, the limit or the cursor.
pub fn list(tx: &mut Tx<'_>, filter: &Filter, paging: &Paging) -> Result<Page<Item>> {
    let place = paging.place()?;
    // What comes while pages are read belongs to none of them.
    let mut below = if paging.cursor.is_some() {
        <[i64; 3]>::from(place.numbers)
    } else {
        ends(tx)?
    };
    let asked = asked(tx, filter, paging.limit()?)?;
    let mut names = Names::default();
    let mut arms = Vec::with_capacity(ARMS.len());
    for (source, below) in ARMS.into_iter().zip(&mut below) {
        let hits = if asked.looks_at(source) {
            hits(tx, source, &asked, below, &mut names)?
        } else {
            Vec::new()
        };
        arms.push(hits.into_iter().peekable());
    }
    let mut items = Vec::new();
    let mut more = false;
    loop {
        let newest = (0..arms.len()).filter_map(|arm| Some((arms[arm].peek()?.at, arm)));
        let Some((_, arm)) = newest.max_by_key(|(at, arm)| (*at, std::cmp::Reverse(*arm))) else {
            break;
        };
        more = items.len() == asked.limit;
        let Some(hit) = (if more { None } else { arms[arm].next() }) else {
            break;
        };
        below[arm] = hit.place;
        let Some(raw) = hit.raw else {
            // Further back this arm has not been looked at.
            more = true;
            break;
        };
        items.push(item(tx, ARMS[arm], (hit.at, hit.place), raw, &mut names)?);
    }
    let next = Place {
        numbers: below.into(),
        ..Place::default()
    };
    let next = more.then(|| next.cursor()).transpose()?;
    Ok(Page { items, next })
}

/// Where each arm ends now: the place after its newest row.
fn ends(tx: &mut Tx<'_>) -> Result<[i64; 3]> {
    let mut ends = [0; 3];
    for (end, source) in ends.iter_mut().zip(ARMS) {
        let newest = tx.first(source.statements().1, &[&OPEN], |row| row.get::<i64>(0))?;
        *end = newest.map_or(0, |place| place + 1);
    }
    Ok(ends)
}

fn asked<'f>(tx: &mut Tx<'_>, filter: &'f Filter, limit: usize) -> Result<Asked<'f>> {
    let mut faults = Faults::default();
    for (field, text) in [("actor", &filter.actor), ("object", &filter.object), ("q", &filter.q)] {
        let fits = text
            .as_ref()
            .is_none_or(|text| text.chars().count() <= 200 && !text.contains('\0'));
        faults.require(fits, field, "at most 200 characters");
    }
    let fits = filter.object.is_none() || filter.kind.is_some();
    faults.require(fits, "object", "name the kind too");
    faults.finish()?;
    let actor = filter.actor.as_deref().map(|name| somebody(tx, name)).transpose()?;
    let message = filter.object.as_deref().filter(|_| filter.kind == Some(Kind::Message));
    Ok(Asked {
        filter,
        actor,
        // None has the number 0.
        message: message.map(|id| id.parse().unwrap_or(0)),
        words: filter
            .q
            .as_ref()
            .map(|words| words.trim().to_lowercase())
            .filter(|words| !words.is_empty()),
        limit,
    })
}

/// The number of somebody by id or login.
fn somebody(tx: &mut Tx<'_>, name: &str) -> Result<i64> {
    let mut find = |sql, name: &str| tx.first(sql, &[&name], |row| row.get(0));
    let found = match find(&BY_ID, name)? {
        Some(person) => Some(person),
        None => find(&BY_LOGIN, &login_key(name))?,
    };
    found.ok_or_else(|| Error::field("actor", "there is no such user"))
}

impl Asked<'_> {
    /// Whether an arm can have anything that is asked for.
    fn looks_at(&self, source: Source) -> bool {
        let of_messages = self.filter.kind.is_none_or(|kind| kind == Kind::Message);
        match source {
            Source::Noted => true,
            Source::Born => of_messages && self.filter.action.is_none_or(|action| action == Action::Sent),
            Source::Edited => of_messages && self.filter.action.is_none_or(|action| change_of(action).is_some()),
        }
    }
}

/// The rows of an arm below a place, the newest first, at most one more than a page has. `below` becomes where the time
/// that is asked for begins.
fn hits(tx: &mut Tx<'_>, source: Source, asked: &Asked<'_>, below: &mut i64, names: &mut Names) -> Result<Vec<Hit>> {
    let (edge, upto) = source.statements();
    let filter = asked.filter;
    if let Some(to) = filter.to {
        *below = (*below).min(after(tx, upto, to.plus_ms(SLACK_MS))?);
    }
    let floor = match filter.from {
        Some(from) => after(tx, upto, from.plus_ms(-SLACK_MS))?,
        None => 0,
    };
    let is_one = asked.message.is_some() || source == Source::Noted && filter.object.is_some();
    // What is found by its own index, or by its id, is looked at as a whole.
    let edge = if is_one {
        None
    } else {
        tx.first(edge, &[&*below, &(LOOK - 1)], |row| {
            Ok((row.get::<i64>(0)?, row.get::<i64>(1)?))
        })?
    };
    let edge = edge.filter(|(place, _)| *place > floor);
    let floor = edge.map_or(floor, |(place, _)| place);
    let most = asked.limit + 1;
    let limit = if asked.words.is_some() { LOOK } else { most as i64 };
    let (from, to) = (filter.from.map_or(0, |at| at.0), filter.to.map_or(OPEN, |at| at.0));
    let mut found = Vec::new();
    let whole: [&dyn Param; 6] = [&*below, &floor, &limit, &from, &to, &asked.actor];
    read(tx, source, asked, &whole, &mut found)?;
    if let Some(words) = &asked.words {
        let mut kept = Vec::new();
        for hit in found {
            if kept.len() < most && holds(tx, source, &hit, words, names)? {
                kept.push(hit);
            }
        }
        found = kept;
    }
    if let Some((place, at)) = edge.filter(|_| found.len() < most) {
        found.push(Hit { at, place, raw: None });
    }
    Ok(found)
}

/// The least place from which on everything is later than a time.
fn after(tx: &mut Tx<'_>, upto: &'static Sql, at: Moment) -> Result<i64> {
    let mut find = |place: i64| tx.first(upto, &[&place], |row| Ok((row.get::<i64>(0)?, row.get::<i64>(1)?)));
    let Some((newest, _)) = find(OPEN)? else {
        return Ok(OPEN);
    };
    // What is at `low` or below is not later; what is at `high` or above is.
    let (mut low, mut high) = (0, newest + 1);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        match find(middle)? {
            Some((place, when)) if when > at.0 => high = place,
            _ => low = middle,
        }
    }
    Ok(high)
}

fn read(tx: &mut Tx<'_>, source: Source, asked: &Asked<'_>, whole: &[&dyn Param], found: &mut Vec<Hit>) -> Result<()> {
    let filter = asked.filter;
    let (action, kind) = (filter.action.map(|one| one as i64), filter.kind.map(|one| one as i64));
    let change = filter.action.and_then(change_of);
    let (sql, more): (&'static Sql, Vec<&dyn Param>) = match source {
        Source::Noted if filter.object.is_some() => (&NOTED_OF, vec![&action, &kind, &filter.object]),
        Source::Noted => (&NOTED, vec![&action, &kind, &filter.object]),
        Source::Born => (&BORN, vec![&asked.message]),
        Source::Edited if asked.message.is_some() => (&EDITED_OF, vec![&change, &asked.message]),
        Source::Edited => (&EDITED, vec![&change]),
    };
    let params: Vec<&dyn Param> = whole.iter().copied().chain(more).collect();
    tx.each(sql, &params, |row| {
        found.extend(hit(source, row)?);
        Ok::<(), campanile_store::Error>(())
    })?;
    Ok(())
}

/// A row; `None` for what a newer binary wrote and this one has no word for.
fn hit(source: Source, row: &Row<'_>) -> campanile_store::Result<Option<Hit>> {
    let (place, at): (i64, i64) = (row.get(0)?, row.get(1)?);
    let mut also = Vec::new();
    let (action, kind, object, title, revision) = match source {
        Source::Noted => {
            let (Some(action), Some(kind)) = (Action::from_code(row.get(7)?), Kind::from_code(row.get(8)?)) else {
                return Ok(None);
            };
            (action, kind, row.get(9)?, None, row.get(10)?)
        }
        Source::Born => (
            Action::Sent,
            Kind::Message,
            place.to_string(),
            Some(called(row, 7)?),
            None,
        ),
        Source::Edited => {
            let action = action_of(Change::from_code(row.get(10)?));
            let object = row.get::<i64>(11)?.to_string();
            let switched = row
                .get::<Option<i64>>(12)?
                .map(|code| action_of(Change::from_code(code)));
            also.extend(switched);
            also.extend(row.get::<bool>(13)?.then_some(Action::Readdressed));
            also.retain(|other| *other != action);
            (action, Kind::Message, object, Some(called(row, 7)?), Some(place))
        }
    };
    let raw = Raw {
        who: (row.get(2)?, row.get(3)?),
        via: row.get(4)?,
        address: row.get(5)?,
        token: row.get(6)?,
        action,
        also,
        kind,
        object,
        title,
        revision,
    };
    Ok(Some(Hit {
        at,
        place,
        raw: Some(raw),
    }))
}

/// What a message is called, by three columns from one on: its title, else the beginning of its text.
fn called(row: &Row<'_>, from: usize) -> campanile_store::Result<String> {
    let (title, text): (String, Option<String>) = (row.get(from)?, row.get(from + 2)?);
    let format = Format::from_code(row.get(from + 1)?).unwrap_or(Format::Markdown);
    Ok(message::name(&title, format, &text.unwrap_or_default()).into_owned())
}

const fn action_of(change: Change) -> Action {
    match change {
        Change::Corrected => Action::Corrected,
        Change::Recalled => Action::Recalled,
        Change::Opened => Action::Opened,
        Change::Missed => Action::Missed,
        Change::Enabled => Action::Enabled,
        Change::Disabled => Action::Disabled,
        Change::Readdressed => Action::Readdressed,
    }
}

/// The sort of change of a message that an action is, as stored.
fn change_of(action: Action) -> Option<i64> {
    // As far as there are sorts of change; `from_code` takes what is beyond for the first.
    (1..=7).find(|code| action_of(Change::from_code(*code)) == action)
}

/// Whether words stand in a row, lower-cased.
fn holds(tx: &mut Tx<'_>, source: Source, hit: &Hit, words: &str, names: &mut Names) -> Result<bool> {
    let Some(raw) = &hit.raw else { return Ok(true) };
    let has = |text: &str| text.to_lowercase().contains(words);
    if has(&raw.object) || raw.title.as_deref().is_some_and(has) || raw.address.as_deref().is_some_and(has) {
        return Ok(true);
    }
    for person in [raw.who.0, raw.who.1] {
        if let Some(who) = names.of(tx, person)?
            && (has(&who.name) || has(&who.login))
        {
            return Ok(true);
        }
    }
    if source != Source::Noted {
        return Ok(false);
    }
    let (before, after) = states(tx, hit.place)?;
    Ok([before, after].into_iter().flatten().any(|text| has(&text)))
}

type States = (Option<String>, Option<String>);

fn states(tx: &mut Tx<'_>, place: i64) -> Result<States> {
    Ok(tx.one(&NOTED_STATES, &[&place], |row| Ok((row.get(0)?, row.get(1)?)))?)
}

/// People by number, each looked up once a page.
#[derive(Default)]
struct Names(HashMap<i64, Option<Who>>);

impl Names {
    fn of(&mut self, tx: &mut Tx<'_>, person: Option<i64>) -> Result<Option<Who>> {
        let Some(person) = person else { return Ok(None) };
        if let Some(known) = self.0.get(&person) {
            return Ok(known.clone());
        }
        let found = tx.first(&WHO, &[&person], |row| {
            Ok(Who {
                id: row.get(0)?,
                login: row.get(1)?,
                name: row.get(2)?,
            })
        })?;
        self.0.insert(person, found.clone());
        Ok(found)
    }
}

/// A row as it is shown, with what was there before and after.
fn item(tx: &mut Tx<'_>, source: Source, (at, place): (i64, i64), mut raw: Raw, names: &mut Names) -> Result<Item> {
    let (letter, told) = match source {
        Source::Noted => {
            let read = |text: Option<String>| text.and_then(|text| serde_json::from_str(&text).ok());
            let (before, after) = states(tx, place)?;
            if raw.kind == Kind::Message {
                let id: i64 = raw.object.parse().unwrap_or_default();
                raw.title = tx.first(&CALLED, &[&id], |row| called(row, 0))?;
            }
            ("j", (read(before), read(after)))
        }
        Source::Born => ("m", (None, Some(story::birth(tx, MessageId(place))?))),
        Source::Edited => {
            let message = MessageId(raw.object.parse().unwrap_or_default());
            ("e", story::change(tx, message, place, raw.action)?)
        }
    };
    let (before, after) = told;
    let name = raw
        .title
        .or_else(|| name_in(after.as_ref()).or_else(|| name_in(before.as_ref())));
    Ok(Item {
        id: format!("{letter}{place}"),
        at: Moment(at),
        actor: names.of(tx, raw.who.0)?,
        acting_for: names.of(tx, raw.who.1)?,
        address: raw.address,
        via: raw.via.and_then(Via::from_code),
        token: raw.token,
        action: raw.action,
        also: raw.also,
        kind: raw.kind,
        object: raw.object,
        name,
        revision: raw.revision.map(Revision),
        before,
        after,
    })
}

fn name_in(state: Option<&Value>) -> Option<String> {
    Some(state?.get("name")?.as_str()?.to_owned())
}
