//! What is kept of a person, for them to take along: a line of JSON for each thing, in pieces that are read one at a
//! time.
//!
//! Each line has a `kind`: the `person`, each `fact` of the directory, each `session`, `token`, `device` and
//! `suppression`; each `message` that they may still know of, with when they did what with it, also those they deleted;
//! each `mark` ("all of it"); each `mail` that they were sent; each `deed` of theirs in the journal, and each that was
//! done to them. No secret is among them, nor what others wrote of others.

use campanile_store::{Row, Tx, sql};
use serde_json::{Map, Value, json};

use crate::account::{profile, session, token};
use crate::directory::history::{self, Subject};
use crate::directory::list::{self, Paging};
use crate::error::Result;
use crate::id::{MessageId, PersonId};
use crate::inbox::page;
use crate::journal::{self, Filter, Kind};
use crate::lists::Shared;
use crate::message::Channel;
use crate::outbox::{chunk, delivery, device, suppression};
use crate::time::Moment;

sql! {
    PHONES = "SELECT phone, mobile FROM portal_user WHERE person = $1";
    DEED = "SELECT seen_at, read_at, unread_at, archived_at, deleted_at, dismissed_at, acknowledged_at FROM engagement
        WHERE person = $1 AND message = $2";
    MARKS = "SELECT kind, at FROM mark WHERE person = $1 AND (kind, at) > ($2, $3) ORDER BY kind, at LIMIT $4";
    MAILS = "SELECT r.message, d.state, d.address, d.code, d.reason, d.changed_at FROM run r
        LEFT JOIN delivery d ON d.message = r.message AND d.channel = 4 AND d.target = $1
        WHERE r.channel = 4 AND r.message > $2 ORDER BY r.message LIMIT $3";
}

/// Things that one piece looks at.
const PIECE: usize = 100;
/// The names of the times of `DEED`.
const TIMES: [&str; 7] = [
    "seen_at",
    "read_at",
    "unread_at",
    "archived_at",
    "deleted_at",
    "dismissed_at",
    "acknowledged_at",
];

/// Where an export goes on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Place {
    /// At its beginning.
    #[default]
    Person,
    /// With the facts after a cursor.
    Facts(Option<String>),
    /// With the messages whose bell rang before a revision.
    Messages(Option<i64>),
    /// With the marks after a kind and a time.
    Marks(i64, i64),
    /// With the mails after a message.
    Mails(i64),
    /// With what they did, after a cursor.
    Did(Option<String>),
    /// With what was done to them, after a cursor.
    Suffered(Option<String>),
}

/// The next lines, and where it goes on; `None` at the end. `key` is the person's id in the directory.
///
/// # Errors
/// `Missing`.
pub fn piece(
    tx: &mut Tx<'_>,
    shared: &Shared,
    key: &str,
    place: &Place,
    now: Moment,
) -> Result<(Vec<Value>, Option<Place>)> {
    let user = list::user(tx, key)?;
    let person = PersonId(user.number);
    Ok(match place {
        Place::Person => (about(tx, &user, now)?, Some(Place::Facts(None))),
        Place::Facts(cursor) => {
            let page = history::history(tx, &Subject::User(key.to_owned()), &paging(cursor.as_ref()))?;
            let lines = page.items.iter().map(|fact| line("fact", fact)).collect();
            let next = page.next.map(|next| Place::Facts(Some(next)));
            (lines, next.or(Some(Place::Messages(None))))
        }
        Place::Messages(before) => {
            let (lines, next) = messages(tx, shared, person, *before, now)?;
            let next = next.map(|next| Place::Messages(Some(next)));
            (lines, next.or(Some(Place::Marks(0, 0))))
        }
        Place::Marks(kind, at) => marks(tx, person, (*kind, *at))?,
        Place::Mails(after) => mails(tx, person, *after)?,
        Place::Did(cursor) => {
            let filter = Filter {
                actor: Some(key.to_owned()),
                ..Filter::default()
            };
            let (lines, next) = deeds(tx, &filter, cursor.as_ref())?;
            let next = next.map(|next| Place::Did(Some(next)));
            (lines, next.or(Some(Place::Suffered(None))))
        }
        Place::Suffered(cursor) => {
            let filter = Filter {
                kind: Some(Kind::User),
                object: Some(key.to_owned()),
                ..Filter::default()
            };
            let (lines, next) = deeds(tx, &filter, cursor.as_ref())?;
            (lines, next.map(|next| Place::Suffered(Some(next))))
        }
    })
}

fn paging(cursor: Option<&String>) -> Paging {
    Paging {
        limit: Some(PIECE as i64),
        cursor: cursor.cloned(),
    }
}

/// A thing as a line: its kind, then its fields.
fn line(kind: &str, thing: impl serde::Serialize) -> Value {
    let mut fields = Map::from_iter([("kind".to_owned(), Value::from(kind))]);
    if let Ok(Value::Object(more)) = serde_json::to_value(thing) {
        fields.extend(more);
    }
    Value::Object(fields)
}

/// Who they are, and what they have.
fn about(tx: &mut Tx<'_>, user: &list::User, now: Moment) -> Result<Vec<Value>> {
    let person = PersonId(user.number);
    let mut who = line("person", user);
    if user.active {
        who["zone"] = json!(profile::find(tx, person)?.zone);
    }
    let phones = tx.first(&PHONES, &[&person.0], |row| {
        Ok((row.get::<Option<String>>(0)?, row.get::<Option<String>>(1)?))
    })?;
    if let Some((phone, mobile)) = phones {
        who["phone"] = json!(phone);
        who["mobile"] = json!(mobile);
    }
    let mut lines = vec![who];
    for it in session::list(tx, person, now)? {
        lines.push(
            json!({"kind": "session", "id": it.id, "created_at": it.created_at, "used_at": it.used_at,
            "expires_at": it.expires_at, "agent": it.agent, "address": it.address}),
        );
    }
    for it in token::list(tx, person)? {
        lines.push(
            json!({"kind": "token", "id": it.id, "name": it.name, "created_at": it.created_at,
            "used_at": it.used_at, "expires_at": it.expires_at}),
        );
    }
    lines.extend(device::list(tx, person)?.iter().map(|it| line("device", it)));
    if let Some(address) = &user.email {
        let found = suppression::of(tx, address)?;
        lines.extend(found.iter().map(|it| line("suppression", it)));
    }
    Ok(lines)
}

fn messages(
    tx: &mut Tx<'_>,
    shared: &Shared,
    person: PersonId,
    before: Option<i64>,
    now: Moment,
) -> Result<(Vec<Value>, Option<i64>)> {
    let (items, next) = page::all(tx, shared, person, before, PIECE, now)?;
    let shown = page::plain_texts_of(tx, &items)?;
    let mut lines = Vec::with_capacity(items.len());
    for (item, shown) in items.iter().zip(shown) {
        let mut told = line("message", &shown);
        if let Value::Object(fields) = &mut told {
            // The text as typed says it all.
            fields.remove("html");
            fields.insert("deleted".into(), item.state.deleted.into());
            fields.extend(tx.first(&DEED, &[&person.0, &item.message], times)?.unwrap_or_default());
        }
        lines.push(told);
    }
    Ok((lines, next))
}

fn times(row: &Row<'_>) -> campanile_store::Result<Map<String, Value>> {
    let mut fields = Map::new();
    for (column, name) in TIMES.iter().enumerate() {
        // What was restored after it was deleted stands with a minus.
        if let Some(at) = row.get::<Option<i64>>(column)?.filter(|at| *at > 0) {
            fields.insert((*name).to_owned(), json!(Moment(at)));
        }
    }
    Ok(fields)
}

fn marks(tx: &mut Tx<'_>, person: PersonId, (kind, at): (i64, i64)) -> Result<(Vec<Value>, Option<Place>)> {
    let read = |row: &Row<'_>| Ok((row.get::<i64>(0)?, row.get::<i64>(1)?));
    let found = tx.rows(&MARKS, &[&person.0, &kind, &at, &(PIECE as i64)], read)?;
    let name = |kind| match kind {
        1 => "seen",
        2 => "read",
        _ => "deleted",
    };
    let told = |(kind, at): &(i64, i64)| json!({"kind": "mark", "all": name(*kind), "at": Moment(*at)});
    let next = match found.last() {
        Some((kind, at)) if found.len() == PIECE => Place::Marks(*kind, *at),
        _ => Place::Mails(0),
    };
    Ok((found.iter().map(told).collect(), Some(next)))
}

fn mails(tx: &mut Tx<'_>, person: PersonId, after: i64) -> Result<(Vec<Value>, Option<Place>)> {
    type Row6 = (
        i64,
        Option<i64>,
        Option<String>,
        Option<i64>,
        Option<String>,
        Option<i64>,
    );
    let read = |row: &Row<'_>| {
        Ok::<Row6, campanile_store::Error>((
            row.get(0)?,
            row.get(1)?,
            row.get(2)?,
            row.get(3)?,
            row.get(4)?,
            row.get(5)?,
        ))
    };
    let found = tx.rows(&MAILS, &[&person.0, &after, &(PIECE as i64)], read)?;
    let mut lines = Vec::new();
    for (message, state, address, code, reason, at) in &found {
        if let Some(state) = state {
            lines.push(
                json!({"kind": "mail", "message": message, "state": delivery::State::from_code(*state),
                "address": address, "code": code, "reason": reason, "at": at.map(Moment)}),
            );
        } else if let Ok(number) = u32::try_from(person.0)
            && let Some(told) = chunk::told(tx, MessageId(*message), number)?
        {
            let state = if told.is_done {
                delivery::State::Sent
            } else {
                delivery::State::Queued
            };
            lines.push(json!({"kind": "mail", "message": message, "state": state,
                "at": told.ended_at.or(told.begun_at)}));
        }
    }
    let next = match found.last() {
        Some((message, ..)) if found.len() == PIECE => Place::Mails(*message),
        _ => Place::Did(None),
    };
    Ok((lines, Some(next)))
}

fn deeds(tx: &mut Tx<'_>, filter: &Filter, cursor: Option<&String>) -> Result<(Vec<Value>, Option<String>)> {
    let page = journal::list(tx, filter, &paging(cursor))?;
    let told = |item: &journal::Item| {
        let mut told = line("deed", item);
        // The line's own kind is said already.
        told["of"] = json!(item.kind);
        told["kind"] = json!("deed");
        told
    };
    Ok((page.items.iter().map(told).collect(), page.next))
}

/// That this is what the channel of [`MAILS`] is.
const _: () = assert!(Channel::Email as i64 == 4);
