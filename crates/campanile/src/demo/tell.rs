//! Makes the stories true: every message is sent, corrected and read at its own time, by the rules that hold for all.

use std::sync::Arc;

use campanile_core::audience::Instant;
use campanile_core::audience::crowd::crowd;
use campanile_core::id::{MessageId, PersonId};
use campanile_core::inbox::act::{self, Action, All, Plan, UpTo};
use campanile_core::message::{self, change, draft, preview, publish, sent};
use campanile_core::policy::{self, Act};
use campanile_core::rights::Rights;
use campanile_core::time::{Moment, Revision};
use campanile_core::{Error, Result, revision};
use campanile_store::Tx;

use super::messages::{Story, What};
use crate::app::App;
use crate::world::ACCOUNTS;

/// The parts of a message's time at which some more of its people read it, in twentieths.
const WAVES: [i64; 3] = [1, 5, 14];

/// When the accounts looked at the bell last: login and milliseconds ago.
const LOOKS: [(&str, i64); 4] = [
    ("ada", 2 * 3_600_000),
    ("carol", 3 * 3_600_000),
    ("paul", 26 * 3_600_000),
    ("una", 27 * 3_600_000),
];

/// What happens next.
enum Event<'s> {
    Sent,
    Then(&'s What),
    /// So many in a hundred of its people have read it, `from` of whom did so before.
    Read {
        from: u64,
        to: u64,
    },
    Looked(&'static str),
}

/// Tells the stories up to `now`, on a directory that was there before the first of them.
pub(super) async fn tell(app: &App, stories: &[Story], now: Moment) -> Result<()> {
    let mut ids = vec![None; stories.len()];
    for (at, index, event) in timeline(stories, now) {
        let story = &stories[index];
        let id = ids[index].unwrap_or(MessageId(0));
        match event {
            Event::Sent => ids[index] = Some(send(app, story).await?),
            Event::Then(What::Act(login, action)) => do_as(app, login, id, *action, at).await?,
            Event::Then(What::Correct(correction)) => {
                let (sender, correction) = (story.sender, correction.clone());
                let correct = move |tx: &mut Tx<'_>| {
                    let by = preview::person(tx, sender)?;
                    change::correct(tx, by, id, &correction, at)
                };
                app.db.write(correct).await?;
            }
            Event::Then(What::Recall) => {
                let sender = story.sender;
                let recall = move |tx: &mut Tx<'_>| {
                    let by = preview::person(tx, sender)?;
                    change::recall(tx, by, id, at)
                };
                app.db.write(recall).await?;
            }
            Event::Read { from, to } => app.db.jot(move |tx| read_by_some(tx, id, from..to, at)).await?,
            Event::Looked(login) => {
                let look = move |tx: &mut Tx<'_>| {
                    let person = preview::person(tx, login)?;
                    let up_to = UpTo {
                        revision: revision::latest(tx)?,
                        clock: at,
                    };
                    act::mark(tx, person, All::Seen, up_to, at)
                };
                app.db.jot(look).await?;
            }
        }
    }
    Ok(())
}

/// All events in their order, each with the number of its story.
fn timeline(stories: &[Story], now: Moment) -> Vec<(Moment, usize, Event<'_>)> {
    let mut events = Vec::new();
    for (index, story) in stories.iter().enumerate() {
        events.push((story.at, index, Event::Sent));
        let recalled = story.then.iter().find(|step| step.what == What::Recall);
        let closes = story.draft.closes_at.unwrap_or(now);
        let end = recalled.map_or(now, |step| step.at).min(closes).min(now);
        for (wave, part) in (1..).zip(WAVES) {
            let at = story.at.plus_ms((end.0 - story.at.0) * part / 20);
            let share = |wave: u64| u64::from(story.readers) * wave / WAVES.len() as u64;
            let (from, to) = (share(wave - 1), share(wave));
            events.push((at, index, Event::Read { from, to }));
        }
        events.extend(story.then.iter().map(|step| (step.at, index, Event::Then(&step.what))));
    }
    events.extend(LOOKS.map(|(login, ago)| (now.plus_ms(-ago), 0, Event::Looked(login))));
    events.sort_by_key(|(at, ..)| *at);
    events
}

/// Sends as the API does: the sender's rights are asked for.
async fn send(app: &App, story: &Story) -> Result<MessageId> {
    let (draft, sender, at, outlets) = (story.draft.clone(), story.sender, story.at, app.outlets());
    let check = move |tx: &mut Tx<'_>| {
        let author = preview::person(tx, sender)?;
        let rights = Rights::load(tx, author)?;
        let name = sent::person_name(tx, author)?;
        let may = |parts: &[policy::Part]| policy::may(&rights, &Act::Send(parts));
        Ok::<_, Error>((author, draft::check_for(tx, &draft, &name, &outlets, at, &may)?))
    };
    let (author, checked) = app.db.read(check).await?;
    let accepted = app
        .db
        .write(move |tx| publish::publish(tx, author, &checked, None, at))
        .await?;
    Ok(accepted.id)
}

/// Does something in somebody's inbox, where the message must be.
async fn do_as(app: &App, login: &'static str, id: MessageId, action: Action, at: Moment) -> Result<()> {
    let lists = Arc::clone(&app.lists);
    let plan = move |tx: &mut Tx<'_>| {
        let person = preview::person(tx, login)?;
        Ok::<_, Error>((person, act::named(tx, &lists, person, &[id], action, at)?))
    };
    let (person, plan) = app.db.read(plan).await?;
    app.db.jot(move |tx| act::act(tx, person, &plan, action, at)).await
}

/// Some of a message's people read it, the accounts aside.
fn read_by_some(tx: &mut Tx<'_>, id: MessageId, share: std::ops::Range<u64>, at: Moment) -> Result<()> {
    let found = message::find(tx, id)?;
    let (Some(published), Some(at_revision)) = (found.published_at, found.revision) else {
        return Ok(());
    };
    let selectors = message::selectors(tx, id)?;
    let instant = Instant {
        revision: Revision(at_revision),
        at: published,
    };
    let mut people = crowd(tx, &selectors, instant)?;
    for (login, _) in ACCOUNTS.iter().chain(&[("admin", "")]) {
        people.remove(preview::person(tx, login)?.0 as u32);
    }
    let plan = Plan::new(vec![id.0], revision::latest(tx)?, false);
    for person in people {
        if share.contains(&lot(person, id)) {
            act::act(tx, PersonId(person.into()), &plan, Action::Read, at)?;
        }
    }
    Ok(())
}

/// A number below 100 for a person and a message: who reads early is not always the same.
fn lot(person: u32, id: MessageId) -> u64 {
    let mixed = (u64::from(person) << 32 | id.0 as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) % 100
}
