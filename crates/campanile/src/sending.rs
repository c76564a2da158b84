//! What a sender does, for every interface: before SEND, SEND, what may be done about it afterwards, and looking after
//! it. Each function asks the policy; an interface turns names into requests and answers into its own words.

mod after;
mod announcements;
mod oneself;
mod reached;

use std::sync::Arc;

use campanile_core::audience::crowd::{self, Residents};
use campanile_core::audience::{Rule, Selector};
use campanile_core::id::{ApiId, EnvironmentId, MessageId, PersonId};
use campanile_core::inbox::SEARCH_CHARS;
use campanile_core::message::change::{self, Correction};
use campanile_core::message::draft::{self, Draft};
use campanile_core::message::funnel::{self, Funnel};
use campanile_core::message::preview::{self, Explanation, Preview};
use campanile_core::message::publish::{self, Idempotency};
use campanile_core::message::sent::{self, Part as People, Recipient};
use campanile_core::message::target::{self, Target};
use campanile_core::message::timeline::{self, Timeline};
use campanile_core::message::{self, Message, Status};
use campanile_core::policy::{self, Act, Part};
use campanile_core::revision::tally;
use campanile_core::rights::Rights;
use campanile_core::time::Moment;
use campanile_core::{Error, Result as Ruled};
use campanile_store::Tx;

use crate::app::App;
use crate::auth::Principal;
use crate::problem::Problem;
pub use after::{Everybody, everybody};
pub use announcements::{announcements, may_announce};
pub use oneself::to_myself;
pub use reached::{Reached, expected, first_try, reached};

/// Decides whether somebody may address the parts of an audience.
pub fn may_send(rights: &Rights) -> impl Fn(&[Part]) -> Ruled<()> + '_ {
    move |parts| policy::may(rights, &Act::Send(parts))
}

/// What the caller wants with a message; who may not see it does not learn that it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    /// Look at it.
    See,
    /// Change it.
    Correct,
    /// Take it back.
    Recall,
}

/// A message that the caller may see, and do this with.
///
/// # Errors
/// `Missing` for one that is not there or not theirs to see, `Denied` for one that they may only look at.
pub fn reach(tx: &mut Tx<'_>, rights: &Rights, id: MessageId, want: Want) -> Ruled<Message> {
    let message = message::find(tx, id)?;
    let parts = target::parts(&message::selectors(tx, id)?, &message);
    policy::may(rights, &Act::See(message.author, &parts)).map_err(|_| Error::Missing("message"))?;
    match want {
        Want::See => {}
        Want::Correct => policy::may(rights, &Act::Correct(&parts))?,
        Want::Recall => policy::may(rights, &Act::Recall(&parts))?,
    }
    Ok(message)
}

/// An audience and the home of its message.
#[derive(Debug, Clone, Default)]
pub struct Addressed {
    /// Who gets it.
    pub audience: Vec<Target>,
    /// The home of a message to groups and users; `DEFAULT` where absent.
    pub environment: Option<String>,
}

/// How many people an audience holds now, and a few of them.
///
/// # Errors
/// `Denied` for what the sender may not address, `Invalid` for names that do not exist.
pub async fn preview(app: &App, person: PersonId, to: Addressed) -> Result<Preview, Problem> {
    let now = app.clock.now();
    let residents = Arc::clone(&app.residents);
    let work = move |tx: &mut Tx<'_>| {
        let rights = Rights::load(tx, person)?;
        let selectors = draft::check_audience(tx, &to.audience, to.environment.as_deref(), &may_send(&rights))?;
        let residents = residents.at(tx)?;
        preview::preview(tx, &residents, &selectors, now)
    };
    Ok(app.db.scan(work).await?)
}

/// Why one person, by id or login, is in an audience or not.
///
/// # Errors
/// As [`preview()`]; `Invalid` at `user` for who does not exist, or whom the sender may not know of.
pub async fn explain(app: &App, asking: PersonId, to: Addressed, user: Option<String>) -> Result<Explanation, Problem> {
    let now = app.clock.now();
    let work = move |tx: &mut Tx<'_>| {
        let rights = Rights::load(tx, asking)?;
        let selectors = draft::check_audience(tx, &to.audience, to.environment.as_deref(), &may_send(&rights))?;
        let user = user.ok_or_else(|| Error::field("user", "name the user, by id or login"))?;
        let person = preview::person(tx, &user).map_err(|error| match error {
            Error::Missing(_) => preview::nobody(),
            other => other,
        })?;
        if policy::may(&rights, &Act::FindPeople).is_err() && !preview::is_near(tx, person, &selectors)? {
            return Err(preview::nobody());
        }
        preview::explain(tx, person, &selectors, now)
    };
    Ok(app.db.read(work).await?)
}

/// Says whether a draft would be accepted now.
///
/// # Errors
/// What the rules say of the draft.
pub async fn check(app: &App, person: PersonId, draft: Draft) -> Result<(), Problem> {
    let (now, outlets) = (app.clock.now(), app.outlets());
    let work = move |tx: &mut Tx<'_>| {
        let rights = Rights::load(tx, person)?;
        let name = sent::person_name(tx, person)?;
        draft::check_for(tx, &draft, &name, &outlets, now, &may_send(&rights)).map(|_| ())
    };
    Ok(app.db.read(work).await?)
}

/// Publishes a message; its id. The same request with the same key gives the message that it made before, whatever has
/// changed since.
///
/// # Errors
/// What the rules say of the draft.
pub async fn send(
    app: &App,
    by: &Principal,
    draft: Draft,
    idempotency: Option<Idempotency>,
) -> Result<MessageId, Problem> {
    let (person, key, outlets) = (by.person, idempotency.clone(), app.outlets());
    let check = move |tx: &mut Tx<'_>, now| {
        if let Some(known) = before(tx, person, key.as_ref())? {
            return Ok(Err(known));
        }
        let rights = Rights::load(tx, person)?;
        let name = sent::person_name(tx, person)?;
        draft::check_for(tx, &draft, &name, &outlets, now, &may_send(&rights)).map(Ok)
    };
    publish(app, by, check, idempotency).await
}

fn before(tx: &mut Tx<'_>, person: PersonId, key: Option<&Idempotency>) -> Ruled<Option<MessageId>> {
    Ok(key.map(|key| publish::repeated(tx, person, key)).transpose()?.flatten())
}

async fn publish(
    app: &App,
    by: &Principal,
    check: impl Fn(&mut Tx<'_>, Moment) -> Ruled<Result<draft::Checked, MessageId>> + Send + Sync + 'static,
    idempotency: Option<Idempotency>,
) -> Result<MessageId, Problem> {
    let (by, now) = (by.by(), app.clock.now());
    let check = Arc::new(check);
    let first = Arc::clone(&check);
    let look = move |tx: &mut Tx<'_>| Ok::<_, Error>((first(tx, now)?, crowd::directory_position(tx)?));
    let (found, seen) = app.db.read(look).await?;
    let checked = match found {
        Ok(checked) => checked,
        // The same request, whose answer got lost: what it made.
        Err(known) => return Ok(known),
    };
    let work = move |tx: &mut Tx<'_>| {
        // While it waited for its turn the directory may have changed: names, roles, and who may send.
        let checked = if tx.tally()?.get(tally::DIRECTORY) == seen {
            checked
        } else {
            match check(tx, now)? {
                Ok(checked) => checked,
                Err(known) => return Ok(known),
            }
        };
        publish::publish(tx, by, &checked, idempotency.as_ref(), now).map(|accepted| accepted.id)
    };
    Ok(app.db.write(work).await?)
}

/// Corrects a message, switches it on or off, moves its window.
///
/// # Errors
/// As [`reach`]; what the rules say of the correction.
pub async fn correct(app: &App, by: &Principal, id: MessageId, correction: Correction) -> Result<(), Problem> {
    corrected(app, by, id, |_, _| Ok(correction)).await
}

/// As [`correct`], where what is changed depends on how the message stands then.
///
/// # Errors
/// As [`correct`], and those of `correction`.
pub async fn corrected(
    app: &App,
    by: &Principal,
    id: MessageId,
    correction: impl FnOnce(&mut Tx<'_>, &Message) -> Ruled<Correction> + Send + 'static,
) -> Result<(), Problem> {
    let (person, by, now) = (by.person, by.by(), app.clock.now());
    let work = move |tx: &mut Tx<'_>| {
        // The lock first: rights and audience are those of the moment at which it is written.
        tx.tally()?;
        let rights = Rights::load(tx, person)?;
        let message = reach(tx, &rights, id, Want::Correct)?;
        let correction = correction(tx, &message)?;
        if let Some(audience) = &correction.audience {
            draft::check_readdress(tx, audience, message.environment, &may_send(&rights))?;
        }
        change::correct(tx, by, id, &correction, now)
    };
    app.db.write(work).await?;
    Ok(())
}

/// Takes a message back: it is gone for its audience everywhere.
///
/// # Errors
/// As [`reach`]; `Conflict` for one that was recalled already.
pub async fn recall(app: &App, by: &Principal, id: MessageId) -> Result<(), Problem> {
    let (person, by, now) = (by.person, by.by(), app.clock.now());
    let work = move |tx: &mut Tx<'_>| {
        tx.tally()?;
        let rights = Rights::load(tx, person)?;
        reach(tx, &rights, id, Want::Recall)?;
        change::recall(tx, by, id, now)
    };
    app.db.write(work).await?;
    Ok(())
}

/// Which sent messages.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter {
    /// Only those of the person who asks.
    pub mine: bool,
    /// Only those that stand so now.
    pub status: Option<Status>,
    /// Only those that go to consumers of this API.
    pub api: Option<ApiId>,
    /// Only those whose home is this environment.
    pub environment: Option<EnvironmentId>,
    /// Not those that somebody has sent to nobody but themselves.
    pub without_tests: bool,
}

/// How a message is handed on.
pub trait Describe<T>: Fn(&mut Tx<'_>, &Rights, Message, Option<Funnel>) -> Ruled<T> + Send + 'static {}

impl<T, F: Fn(&mut Tx<'_>, &Rights, Message, Option<Funnel>) -> Ruled<T> + Send + 'static> Describe<T> for F {}

/// A page of the messages that somebody may see as a sender, below an id, newest first, each with how far it got; and
/// the `below` of the next page, which may be empty.
///
/// # Errors
/// Those of the database and of `describe`.
pub async fn list<T: Send + 'static>(
    app: &App,
    person: PersonId,
    filter: Filter,
    below: i64,
    limit: usize,
    describe: impl Describe<T>,
) -> Result<(Vec<T>, Option<i64>), Problem> {
    let now = app.clock.now();
    let (residents, crowds) = (Arc::clone(&app.residents), Arc::clone(&app.crowds));
    let work = move |tx: &mut Tx<'_>| {
        let rights = Rights::load(tx, person)?;
        policy::may(&rights, &Act::ListSent)?;
        let author = filter.mine.then_some(person);
        let takes = |message: &Message, selectors: &[Selector]| {
            let parts = target::parts(selectors, message);
            filter.status.is_none_or(|status| status == message.status(now))
                && filter.api.is_none_or(|api| parts.contains(&Part::Api { api }))
                && (filter.environment.is_none() || filter.environment == message.environment)
                && !(filter.without_tests && *selectors == [Selector::User { person: message.author }])
                && policy::may(&rights, &Act::See(message.author, &parts)).is_ok()
        };
        let (messages, next) = sent::page(tx, below, author, limit, takes)?;
        let residents = residents.at(tx)?;
        let funnels = funnel::funnels(tx, &residents, &crowds, &messages, now)?;
        drop(residents);
        let mut out = Vec::with_capacity(messages.len());
        for (message, funnel) in messages.into_iter().zip(funnels) {
            out.push(describe(tx, &rights, message, funnel)?);
        }
        Ok::<_, Error>((out, next))
    };
    Ok(app.db.scan(work).await?)
}

/// One message, for who wants to do this with it. The size of a fixed audience is stored when it is first counted.
///
/// # Errors
/// As [`reach`], and those of `describe`.
pub async fn one<T: Send + 'static>(
    app: &App,
    person: PersonId,
    id: MessageId,
    want: Want,
    describe: impl Describe<T>,
) -> Result<T, Problem> {
    let (crowds, now) = (Arc::clone(&app.crowds), app.clock.now());
    let count = move |tx: &mut Tx<'_>, residents: &Residents, message: &Message| {
        let funnel = funnel::funnel(tx, residents, &crowds, message, now)?;
        Ok((funnel, ()))
    };
    Ok(counted(app, person, id, want, count, describe).await?.0)
}

/// As [`one`], of a message that is not counted.
///
/// # Errors
/// As [`one`].
pub async fn uncounted<T: Send + 'static>(
    app: &App,
    person: PersonId,
    id: MessageId,
    want: Want,
    describe: impl Describe<T>,
) -> Result<T, Problem> {
    let work = move |tx: &mut Tx<'_>| {
        let rights = Rights::load(tx, person)?;
        let message = reach(tx, &rights, id, want)?;
        describe(tx, &rights, message, None)
    };
    Ok(app.db.read(work).await?)
}

/// As [`one`], with how far it got over time.
///
/// # Errors
/// As [`one`].
pub async fn one_over_time<T: Send + 'static>(
    app: &App,
    person: PersonId,
    id: MessageId,
    describe: impl Describe<T>,
) -> Result<(T, Option<Timeline>), Problem> {
    let (crowds, now) = (Arc::clone(&app.crowds), app.clock.now());
    let count = move |tx: &mut Tx<'_>, residents: &Residents, message: &Message| {
        let told = timeline::timeline(tx, residents, &crowds, message, now)?;
        Ok(told.unwrap_or_default())
    };
    counted(app, person, id, Want::See, count, describe).await
}

/// What [`one`] and [`one_over_time`] share: `count` is asked of a published message.
async fn counted<T: Send + 'static, C: Send + 'static>(
    app: &App,
    person: PersonId,
    id: MessageId,
    want: Want,
    count: impl Fn(&mut Tx<'_>, &Residents, &Message) -> Ruled<(Funnel, C)> + Send + 'static,
    describe: impl Describe<T>,
) -> Result<(T, Option<C>), Problem> {
    let residents = Arc::clone(&app.residents);
    let work = move |tx: &mut Tx<'_>| {
        let rights = Rights::load(tx, person)?;
        let message = reach(tx, &rights, id, want)?;
        let residents = residents.at(tx)?;
        let (funnel, more) = match message.revision {
            Some(_) => Some(count(tx, &residents, &message)?).unzip(),
            None => (None, None),
        };
        let uncounted = message.people.is_none() && message.rule == Rule::AtSend;
        let size = funnel.filter(|_| uncounted);
        // Given back before anything else is asked: who describes may ask for the residents too.
        drop(residents);
        Ok::<_, Error>(((describe(tx, &rights, message, funnel)?, more), size))
    };
    let (described, size) = app.db.scan(work).await?;
    if let Some(size) = size {
        // Counted again by the next who looks, where it cannot be stored.
        let _stored = app
            .db
            .jot(move |tx| funnel::store_size(tx, id, size.people, size.without_email))
            .await;
    }
    Ok(described)
}

/// Which people of an audience.
#[derive(Debug, Clone, Default)]
pub struct Which {
    /// Which part.
    pub part: People,
    /// Only those whose login or name begins so; for who may read the directory, or whose address does.
    pub q: Option<String>,
    /// After this one.
    pub after: Option<u32>,
    /// How many, 1 to 100.
    pub limit: usize,
}

/// A page of people.
#[derive(Debug)]
pub struct PeoplePage {
    /// The people, in the order of their ids.
    pub items: Vec<Recipient>,
    /// How many there are in all.
    pub total: u64,
    /// The `after` of the next page.
    pub next: Option<u32>,
}

/// Who a message was sent to, and how far it got with each.
///
/// # Errors
/// As [`reach`]; `Invalid` for too long a search.
pub async fn people(app: &App, person: PersonId, id: MessageId, which: Which) -> Result<PeoplePage, Problem> {
    let now = app.clock.now();
    let too_long = |words: &String| words.chars().count() > SEARCH_CHARS;
    if which.q.as_ref().is_some_and(too_long) {
        return Err(Error::field("q", format!("is longer than {SEARCH_CHARS} characters")).into());
    }
    let (residents, crowds) = (Arc::clone(&app.residents), Arc::clone(&app.crowds));
    let work = move |tx: &mut Tx<'_>| {
        let rights = Rights::load(tx, person)?;
        let message = reach(tx, &rights, id, Want::See)?;
        let residents = residents.at(tx)?;
        let mut people = after::part(tx, (&residents, &crowds), &message, which.part, now)?;
        drop(residents);
        if let Some(words) = &which.q
            && let Some(found) = sent::search(tx, words, sent::By::rights(&rights))?
        {
            people &= found;
        }
        let (items, next) = sent::recipients(tx, &message, &people, which.after, which.limit, now)?;
        let total = people.len();
        Ok::<_, Error>(PeoplePage { items, total, next })
    };
    Ok(app.db.scan(work).await?)
}
