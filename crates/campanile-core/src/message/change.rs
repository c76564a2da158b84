//! What happens to a message after it was accepted: corrected, switched, recalled, opened when its window opens.
//!
//! Each change takes one revision and leaves the state before it in `edition`, so that "what could be seen at that
//! time" keeps an answer.

use campanile_store::{Tx, sql};
use serde::{Deserialize, Deserializer, Serialize};

use super::edition::{Kept, keep};
use super::target::Target;
use super::{Importance, Message, Window, columns, draft, message};
use crate::audience::{Rule, Selector};
use crate::error::{Error, Faults, Result};
use crate::id::MessageId;
use crate::journal::By;
use crate::markup::Format;
use crate::outbox::push::{self, Word};
use crate::outbox::run;
use crate::revision::{self, tally};
use crate::time::{Moment, OPEN, Stamp};

sql! {
    CORRECT = "UPDATE message SET title = $2, body = $3, sender_name = $4, importance = $5, opens_at = $6,
            closes_at = $7, enabled = $8, edition = $9, edited_at = $10, revision = $11, published_at = $12,
            arrival = $13, arrival_at = $14, ring = $15, missed = $16, environment = $17, api = $18, api_name = $19,
            dismissible = $20, must_acknowledge = $21, sub_customers = $22, format = $23
        WHERE id = $1";
    ARRIVAL_AT = "SELECT arrival_at FROM message WHERE id = $1";
    API_NAME = "SELECT name FROM api WHERE id = $1";
    RECALL = "UPDATE message SET recalled = $2, recalled_at = $3 WHERE id = $1";
    // Before publication a selector that is taken away leaves no trace.
    UNADDRESS = "DELETE FROM audience WHERE message = $1 AND kind = $2 AND object = $3 AND role = $4";
    END = "UPDATE audience SET until = $5, until_at = $6
        WHERE message = $1 AND kind = $2 AND object = $3 AND role = $4 AND until = 9223372036854775807";
    ADDRESS = "INSERT INTO audience (message, kind, object, role, since, since_at) VALUES ($1, $2, $3, $4, $5, $6)";
    // $1 is now, cut to the second.
    DUE = concat!("SELECT ", columns!(), " FROM message
        WHERE revision IS NULL AND opens_at <= $1 AND enabled AND NOT missed AND recalled IS NULL
        ORDER BY opens_at, id LIMIT $2");
    NEXT = "SELECT MIN(opens_at) FROM message
        WHERE revision IS NULL AND opens_at > $1 AND enabled AND NOT missed AND recalled IS NULL";
}

/// The sorts of change, as stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Title, text, sender, importance or window.
    Corrected = 1,
    /// Taken back.
    Recalled = 2,
    /// Its window opened.
    Opened = 3,
    /// Its window passed unopened.
    Missed = 4,
    /// Switched on.
    Enabled = 5,
    /// Switched off.
    Disabled = 6,
    /// Another audience; only while everybody matches who matches now.
    Readdressed = 7,
}

impl Change {
    /// From storage.
    #[must_use]
    pub const fn from_code(code: i64) -> Self {
        match code {
            2 => Self::Recalled,
            3 => Self::Opened,
            4 => Self::Missed,
            5 => Self::Enabled,
            6 => Self::Disabled,
            7 => Self::Readdressed,
            _ => Self::Corrected,
        }
    }
}

/// Changes to a message. What is absent stays; `null` takes an end of the window away.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Correction {
    /// Another title; the rules are those of a draft.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "stated")]
    #[schema(nullable = false)]
    pub title: Option<String>,
    /// Another text; the rules are those of a draft.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "stated")]
    #[schema(nullable = false)]
    pub text: Option<String>,
    /// Another sender; the rules are those of a draft.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "stated")]
    #[schema(nullable = false)]
    pub sender_name: Option<String>,
    /// Another importance.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "stated")]
    #[schema(nullable = false)]
    pub importance: Option<Importance>,
    /// Another start; `null` for none.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    #[schema(value_type = Option<Moment>)]
    pub opens_at: Option<Option<Moment>>,
    /// Another end; `null` for none.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    #[schema(value_type = Option<Moment>)]
    pub closes_at: Option<Option<Moment>>,
    /// Switch it on or off.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "stated")]
    #[schema(nullable = false)]
    pub enabled: Option<bool>,
    /// Whether its banner may be dismissed even where it is critical.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "stated")]
    #[schema(nullable = false)]
    pub dismissible: Option<bool>,
    /// Whether people have to say that they have read it.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "stated")]
    #[schema(nullable = false)]
    pub must_acknowledge: Option<bool>,
    /// How the text is read, where it is written by another interface than before.
    #[serde(skip)]
    pub format: Option<Format>,
    /// Of the UI messages contract; it has no effect where the audience is everyone, and is kept as sent.
    #[serde(skip)]
    pub sub_customers: Option<bool>,
    /// Another audience. Only of a `while_active` message, or before publication.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "stated")]
    #[schema(nullable = false)]
    pub audience: Option<Vec<Target>>,
    /// Ring the bell again: it becomes unread for its audience. Those who archived or deleted it are left in peace: to
    /// them it does not come back.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub ring: bool,
}

/// Tells a field that is `null` from one that is absent.
#[expect(clippy::option_option, reason = "absent, null and a value are three answers")]
fn given<'de, D: Deserializer<'de>>(from: D) -> std::result::Result<Option<Option<Moment>>, D::Error> {
    Option::<Moment>::deserialize(from).map(Some)
}

/// Takes `null` for what it is: no value of a field that must have one.
fn stated<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> std::result::Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

/// Corrects a message; the new state.
///
/// A correction of content raises the edition ("edited"). The bell rings again only where the sender asks for it.
/// Switching on or off is no correction (decision 20). What changes nothing takes no revision and rings no bell.
pub fn correct(
    tx: &mut Tx<'_>,
    by: impl Into<By>,
    id: MessageId,
    correction: &Correction,
    now: Moment,
) -> Result<Message> {
    // The lock first: it puts this operation in its place before anything is looked at.
    tx.tally()?;
    let old = super::find(tx, id)?;
    if old.recalled_at.is_some() {
        return Err(Error::Conflict("the message was recalled; send a new one".into()));
    }
    let mut new = apply(&old, correction, now)?;
    let selectors = readdress(tx, &mut new, correction)?;
    let change = kind_of(&old, &new, selectors.is_some());
    let Some(change) = change.or_else(|| correction.ring.then_some(Change::Corrected)) else {
        return Ok(old);
    };
    let stamp = revision::take(tx, now)?;
    let audience = match &selectors {
        Some(_) => Some(super::selectors(tx, id)?),
        None => None,
    };
    let kept = Kept {
        audience: audience.as_deref(),
        change,
        // Said beside it, where it is not the change itself.
        switched: switched(&old, &new).filter(|switched| *switched != change),
        rang: correction.ring,
    };
    keep(tx, &old, &by.into(), &kept, stamp)?;
    settle(tx, &old, &mut new, correction.ring, stamp, now)?;
    store(tx, &new, stamp, now)?;
    if old.revision.is_none() && new.revision.is_some() {
        let selectors = match &selectors {
            Some(selectors) => selectors.clone(),
            None => super::selectors(tx, id)?,
        };
        leave(tx, &new, &selectors, now)?;
    } else {
        if old.enabled != new.enabled {
            run::hold(tx, id, !new.enabled)?;
        }
        if correction.ring && new.revision.is_some() {
            push::born(tx, id, new.channels, new.importance, Word::Rings, now)?;
        }
    }
    if let Some(selectors) = selectors {
        address(tx, &old, &selectors, stamp)?;
    }
    revision::message_changed(tx, stamp, id.0)?;
    Ok(new)
}

/// Gives a message other selectors. Those that stay keep since when they have been there.
fn address(tx: &mut Tx<'_>, old: &Message, selectors: &[Selector], stamp: Stamp) -> Result<()> {
    let published = old.revision.is_some();
    let before = super::selectors(tx, old.id)?;
    for gone in before.iter().filter(|one| !selectors.contains(one)) {
        let (kind, object, role) = gone.key();
        if published {
            let (until, until_at) = (stamp.revision.0, stamp.at.0);
            tx.send(&END, &[&old.id.0, &kind, &object, &role, &until, &until_at])?;
        } else {
            tx.send(&UNADDRESS, &[&old.id.0, &kind, &object, &role])?;
        }
    }
    let (since, since_at) = if published {
        (stamp.revision.0, stamp.at.0)
    } else {
        (0, 0)
    };
    for new in selectors.iter().filter(|one| !before.contains(one)) {
        let (kind, object, role) = new.key();
        tx.send(&ADDRESS, &[&old.id.0, &kind, &object, &role, &since, &since_at])?;
    }
    Ok(())
}

/// The message with the given fields in place, checked, as it would be at a time.
fn apply(old: &Message, correction: &Correction, at: Moment) -> Result<Message> {
    let mut new = old.clone();
    let mut faults = Faults::default();
    if let Some(title) = &correction.title {
        new.title.clone_from(title);
    }
    if let Some(text) = &correction.text {
        new.text.clone_from(text);
    }
    // What was taken without a title needs none later.
    let may_be_untitled = old.title.is_empty() || draft::needs_no_title(old.channels);
    draft::check_words(&new.title, &new.text, new.channels, may_be_untitled, &mut faults);
    if correction.text.is_some() {
        draft::check_text(&new.text, &mut faults);
    }
    if let Some(name) = &correction.sender_name {
        draft::check_sender(name, &mut faults);
        new.sender_name.clone_from(name);
    }
    new.importance = correction.importance.unwrap_or(old.importance);
    let given = Window::new(correction.opens_at.flatten(), correction.closes_at.flatten());
    new.window = Window {
        opens: if correction.opens_at.is_some() {
            given.opens
        } else {
            old.window.opens
        },
        closes: if correction.closes_at.is_some() {
            given.closes
        } else {
            old.window.closes
        },
    };
    draft::check_order(&new.window, &mut faults);
    new.enabled = correction.enabled.unwrap_or(old.enabled);
    new.dismissible = correction.dismissible.unwrap_or(old.dismissible);
    new.must_acknowledge = correction.must_acknowledge.unwrap_or(old.must_acknowledge);
    draft::check_acknowledgement(new.must_acknowledge, new.channels, &mut faults);
    new.format = correction.format.unwrap_or(old.format);
    new.sub_customers = correction.sub_customers.unwrap_or(old.sub_customers);
    if correction.ring && !(new.enabled && new.window.contains(at)) {
        faults.add("ring", "the bell can ring only for a message that people see now");
    }
    faults.finish()?;
    Ok(new)
}

/// The new audience, where one is given, differs and may be. The message then belongs where that audience is.
fn readdress(tx: &mut Tx<'_>, message: &mut Message, correction: &Correction) -> Result<Option<Vec<Selector>>> {
    let Some(targets) = &correction.audience else {
        return Ok(None);
    };
    let mut faults = Faults::default();
    let resolved = draft::audience(tx, targets, false, &mut faults)?;
    let same = resolved.selectors == super::selectors(tx, message.id)?;
    if message.rule == Rule::AtSend && message.revision.is_some() && !same {
        faults.add(
            "audience",
            "was fixed at publication; recall the message and send another",
        );
    }
    faults.finish()?;
    if same {
        return Ok(None);
    }
    message.environment = draft::home_of(&resolved, message.environment);
    let api = resolved.api.map(|(api, name, _)| (api, name));
    if api.as_ref().map(|(api, _)| *api) != message.api {
        (message.api, message.api_name) = api.unzip();
    }
    Ok(Some(resolved.selectors))
}

fn kind_of(old: &Message, new: &Message, readdressed: bool) -> Option<Change> {
    let content = |message: &Message| {
        (
            message.title.clone(),
            message.text.clone(),
            message.sender_name.clone(),
            message.importance,
            message.window,
            (message.dismissible, message.must_acknowledge, message.sub_customers),
        )
    };
    if content(old) != content(new) {
        Some(Change::Corrected)
    } else if readdressed {
        Some(Change::Readdressed)
    } else {
        switched(old, new)
    }
}

fn switched(old: &Message, new: &Message) -> Option<Change> {
    let change = if new.enabled { Change::Enabled } else { Change::Disabled };
    (old.enabled != new.enabled).then_some(change)
}

/// What follows from a change: edition, publication, arrival, ringing.
fn settle(tx: &mut Tx<'_>, old: &Message, new: &mut Message, ring: bool, stamp: Stamp, now: Moment) -> Result<()> {
    let text = |message: &Message| {
        (
            // An API's name is shown with the title.
            message.api_name.clone(),
            message.title.clone(),
            message.text.clone(),
            message.sender_name.clone(),
            message.importance,
        )
    };
    // Before publication nobody has seen what it was.
    if old.revision.is_some() && text(old) != text(new) {
        new.edition += 1;
        new.edited_at = Some(stamp.at);
    }
    let visible = new.enabled && new.window.contains(now);
    if new.window != old.window {
        new.missed = false;
    }
    if new.revision.is_none() && visible {
        publish(tx, new, stamp, now)?;
    } else if new.revision.is_some() && new.enabled && !old.enabled {
        new.arrival = stamp.revision.0;
    }
    if ring {
        new.arrival = stamp.revision.0;
        new.ring = stamp.revision.0;
    }
    Ok(())
}

/// The first instant at which it is enabled and inside its window (decision 2). Its API is named as it is called then.
fn publish(tx: &mut Tx<'_>, message: &mut Message, stamp: Stamp, now: Moment) -> Result<()> {
    if let Some(api) = message.api {
        message.api_name = tx.first(&API_NAME, &[&api.0], |row| row.get(0))?;
    }
    message.revision = Some(stamp.revision.0);
    message.published_at = Some(now);
    message.arrival = stamp.revision.0;
    message.ring = stamp.revision.0;
    Ok(())
}

/// Puts a message that is published now on its way out of the house.
fn leave(tx: &mut Tx<'_>, message: &Message, selectors: &[Selector], now: Moment) -> Result<()> {
    let tenant = run::tenant(message.api, message.environment, selectors);
    run::born(tx, message.id, message.channels, message.importance, tenant, now)?;
    push::born(tx, message.id, message.channels, message.importance, Word::Rings, now)
}

fn store(tx: &mut Tx<'_>, new: &Message, stamp: Stamp, now: Moment) -> Result<()> {
    // The time of arrival follows its revision: what did not come up now keeps its own.
    let arrival_at = if new.arrival == stamp.revision.0 {
        now.0
    } else {
        tx.one(&ARRIVAL_AT, &[&new.id.0], |row| row.get(0))?
    };
    tx.send(
        &CORRECT,
        &[
            &new.id.0,
            &new.title,
            &new.text,
            &new.sender_name,
            &new.importance.code(),
            &new.window.opens.0,
            &new.window.closes.0,
            &new.enabled,
            &new.edition,
            &new.edited_at.map(|at| at.0),
            &new.revision,
            &new.published_at.map(|at| at.0),
            &new.arrival,
            &arrival_at,
            &new.ring,
            &new.missed,
            &new.environment.map(|id| id.0),
            &new.api.map(|id| id.0),
            &new.api_name,
            &new.dismissible,
            &new.must_acknowledge,
            &new.sub_customers,
            &new.format.code(),
        ],
    )?;
    Ok(())
}

/// Takes a message back: it is gone for its audience everywhere; editors see it marked (decision 21).
pub fn recall(tx: &mut Tx<'_>, by: impl Into<By>, id: MessageId, now: Moment) -> Result<Message> {
    let message = withdraw(tx, &by.into(), id, now)?;
    if message.revision.is_some() {
        push::born(tx, id, message.channels, message.importance, Word::Recalled, now)?;
    }
    Ok(message)
}

/// As [`recall`], without a word to browsers that may show it while no page is open.
pub(crate) fn withdraw(tx: &mut Tx<'_>, by: &By, id: MessageId, now: Moment) -> Result<Message> {
    let stamp = revision::take(tx, now)?;
    let old = super::find(tx, id)?;
    if old.recalled_at.is_some() {
        return Err(Error::Conflict("the message was recalled already".into()));
    }
    keep(tx, &old, by, &Kept::of(Change::Recalled), stamp)?;
    tx.send(&RECALL, &[&id.0, &stamp.revision.0, &stamp.at.0])?;
    run::recalled(tx, id)?;
    revision::message_changed(tx, stamp, id.0)?;
    Ok(Message {
        recalled_at: Some(stamp.at),
        ..old
    })
}

/// Publishes what is due, at most `limit` messages; how many there were. A window that passed unopened is marked so.
///
/// Any server may call it: whoever takes the revision first finds the message waiting, the others find nothing.
pub fn open_due(tx: &mut Tx<'_>, limit: i64, now: Moment) -> Result<usize> {
    // Taken before looking: the look is then in the order of everything else.
    tx.tally()?;
    let due = tx.rows(&DUE, &[&now.second().0, &limit], message)?;
    for old in &due {
        let stamp = revision::take(tx, now)?;
        let mut new = old.clone();
        let change = if old.window.is_past(now) {
            new.missed = true;
            Change::Missed
        } else {
            publish(tx, &mut new, stamp, now)?;
            Change::Opened
        };
        keep(tx, old, &By::default(), &Kept::of(change), stamp)?;
        store(tx, &new, stamp, now)?;
        if change == Change::Opened {
            let selectors = super::selectors(tx, new.id)?;
            leave(tx, &new, &selectors, now)?;
            // It may have opened, and left, after the backup was made that this database was given back from.
            if new.window.opens.0 <= tx.tally()?.get(tally::RESTORED_AT) {
                run::hold(tx, new.id, true)?;
            }
        }
        revision::message_changed(tx, stamp, old.id.0)?;
    }
    Ok(due.len())
}

/// When the next window opens after a time; `None` where nothing waits.
pub fn next_opening(tx: &mut Tx<'_>, after: Moment) -> Result<Option<Moment>> {
    let at: Option<i64> = tx.one(&NEXT, &[&after.second().0], |row| row.get(0))?;
    Ok(at.filter(|at| *at < OPEN).map(Moment))
}
