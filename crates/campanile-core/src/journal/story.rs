//! What a message was before and after something was done to it: told by its own row and by its editions, each of
//! which holds the state before a change.

use campanile_store::{Tx, sql};
use serde_json::{Map, Value, json};

use super::Action;
use crate::audience::{Key, Selector};
use crate::error::Result;
use crate::id::MessageId;
use crate::message::sent::{self, Edition};
use crate::message::{self, Message, target};

sql! {
    // The change after a revision: the state before it is the one that the revision left.
    NEXT = "SELECT MIN(revision) FROM edition WHERE message = $1 AND revision > $2";
    // The same of the audience alone.
    READDRESSED = "SELECT audience FROM edition WHERE message = $1 AND revision > $2 AND audience IS NOT NULL
        ORDER BY revision LIMIT 1";
    BEFORE = "SELECT audience FROM edition WHERE revision = $1";
}

/// What an edition says of itself rather than of the message.
const OF_THE_CHANGE: [&str; 5] = ["revision", "at", "by", "change", "rang"];

/// A message as it was sent.
pub(super) fn birth(tx: &mut Tx<'_>, id: MessageId) -> Result<Value> {
    let message = message::find(tx, id)?;
    let mut told = state_after(tx, &message, 0)?;
    let (_, environment, api) = target::own_keys(tx, &message)?;
    // Who is reminded is told by the mails.
    match message.reminds {
        Some(of) => told.insert("reminds".into(), json!(of)),
        None => told.insert("audience".into(), audience_after(tx, id, 0)?),
    };
    told.insert("channels".into(), json!(message.ways().collect::<Vec<_>>()));
    told.insert("late_joiners".into(), json!(message.rule));
    told.insert("format".into(), json!(message.format));
    told.extend(environment.map(|key| ("environment".to_owned(), json!(key))));
    told.extend(api.map(|key| ("api".to_owned(), json!(key))));
    Ok(Value::Object(told))
}

/// A message before and after the change of a revision: what differs, or nothing where that is the action itself.
pub(super) fn change(
    tx: &mut Tx<'_>,
    id: MessageId,
    revision: i64,
    action: Action,
) -> Result<(Option<Value>, Option<Value>)> {
    if matches!(action, Action::Recalled | Action::Opened | Action::Missed) {
        return Ok((None, None));
    }
    let Some(edition) = sent::editions(tx, id, revision + 1, 1)?.pop() else {
        return Ok((None, None));
    };
    let rang = edition.rang;
    let message = message::find(tx, id)?;
    let mut before = state(&edition);
    let mut after = state_after(tx, &message, revision)?;
    // Absent is a value too: a window without an end.
    let names: Vec<String> = before.keys().chain(after.keys()).cloned().collect();
    for name in names {
        if before.get(&name) == after.get(&name) {
            before.remove(&name);
            after.remove(&name);
        }
    }
    let was: Option<String> = tx.one(&BEFORE, &[&revision], |row| row.get(0))?;
    if let Some(was) = was {
        before.insert("audience".into(), targets(tx, &keys(&was))?);
        after.insert("audience".into(), audience_after(tx, id, revision)?);
    }
    if rang {
        after.insert("ring".into(), json!(true));
    }
    Ok((Some(Value::Object(before)), Some(Value::Object(after))))
}

/// What a correction can change, as it was after a revision.
fn state_after(tx: &mut Tx<'_>, message: &Message, revision: i64) -> Result<Map<String, Value>> {
    let next: Option<i64> = tx.one(&NEXT, &[&message.id.0, &revision], |row| row.get(0))?;
    let edition = match next {
        Some(next) => sent::editions(tx, message.id, next + 1, 1)?.pop(),
        None => None,
    };
    Ok(state(&edition.unwrap_or_else(|| Edition::present(message))))
}

fn state(edition: &Edition) -> Map<String, Value> {
    let Value::Object(mut fields) = json!(edition) else {
        return Map::new();
    };
    fields.retain(|name, _| !OF_THE_CHANGE.contains(&name.as_str()));
    fields
}

/// The audience as it was after a revision.
fn audience_after(tx: &mut Tx<'_>, id: MessageId, revision: i64) -> Result<Value> {
    let kept: Option<String> = tx.first(&READDRESSED, &[&id.0, &revision], |row| row.get(0))?;
    let selectors = match kept {
        Some(kept) => keys(&kept),
        None => message::selectors(tx, id)?,
    };
    targets(tx, &selectors)
}

fn keys(kept: &str) -> Vec<Selector> {
    let keys: Vec<Key> = serde_json::from_str(kept).unwrap_or_default();
    keys.into_iter().filter_map(Selector::from_key).collect()
}

/// Selectors by their names outside.
fn targets(tx: &mut Tx<'_>, selectors: &[Selector]) -> Result<Value> {
    let mut out = Vec::with_capacity(selectors.len());
    for selector in selectors {
        out.push(target::name(tx, *selector)?);
    }
    Ok(json!(out))
}
