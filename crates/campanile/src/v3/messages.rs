//! Messages: announcements with a window, to one customer, with or without those below it, or to everyone (the
//! contract, sections 1.2 to 1.4). What is created here is a banner; what has no banner, or another audience, is not
//! there.

mod all;

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use campanile_core::error::Faults;
use campanile_core::id::{CustomerId, MessageId, PersonId};
use campanile_core::inbox::banner::{self, Addressed};
use campanile_core::lists::Shared;
use campanile_core::markup::Format;
use campanile_core::message::announced::{self, Announced, For, Whose};
use campanile_core::message::change::Correction;
use campanile_core::message::draft::{Draft, Leniency};
use campanile_core::message::target::{self, Target};
use campanile_core::message::{self, Channel, Importance};
use campanile_core::policy::{self, Act, Part};
use campanile_core::rights::Rights;
use campanile_core::time::Moment;
use campanile_core::{Error, Result as Ruled};
use campanile_store::Tx;
use http::{StatusCode, header};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::asked::{Id, Query, created};
use super::caller::Caller;
use super::dates::{self, Date};
use super::place;
use crate::api::extract::LooseJson;
use crate::app::App;
use crate::bell;
use crate::problem::{Kind, Problem};
use crate::sending;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route(place::MESSAGES, get(list).post(create))
        .route(place::MESSAGE, get(find).put(change).delete(recall))
}

/// The customer that stands for all of them (section 1.9).
const ALL: i64 = 0;

// ---------------------------------------------------------------- as it is written

/// A message as the contract writes it, its fields in this order.
#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "the names are the contract's")]
struct Message {
    id: i64,
    text: String,
    message_is_from: String,
    from_date_utc: Date,
    to_date_utc: Date,
    importance: Letter,
    enabled: bool,
    customer_id: i64,
    include_sub_customers: bool,
}

/// The two fields that say whom a message is for; `None` where the contract has no words for them.
fn customer_of(to: For, sub_customers: bool) -> Option<(i64, bool)> {
    match to {
        For::Everyone => Some((ALL, sub_customers)),
        For::Customer { customer, below } => Some((customer.0, below)),
        For::Others => None,
    }
}

impl Message {
    /// `None` for a message that the contract has no words for.
    fn of(message: message::Message, to: For) -> Option<Self> {
        let (customer_id, include_sub_customers) = customer_of(to, message.sub_customers)?;
        Some(Self {
            id: message.id.0,
            text: message.text,
            message_is_from: message.sender_name,
            from_date_utc: Date(message.window.opens),
            to_date_utc: Date(message.window.closes),
            importance: Letter(message.importance),
            enabled: message.enabled,
            customer_id,
            include_sub_customers,
        })
    }

    /// As who is addressed by it finds it: switched on, and inside its window.
    fn addressed(one: &Addressed) -> Option<Self> {
        let shown = one.listed.shared();
        let (customer_id, include_sub_customers) = customer_of(one.to, one.sub_customers)?;
        Some(Self {
            id: shown.id.0,
            text: shown.text.clone(),
            message_is_from: shown.sender_name.clone(),
            from_date_utc: Date(shown.opens_at.unwrap_or_default()),
            to_date_utc: Date(shown.closes_at.unwrap_or(Moment::NEVER)),
            importance: Letter(one.listed.importance()),
            enabled: true,
            customer_id,
            include_sub_customers,
        })
    }
}

/// An importance as one letter; in, also its word, in whatever case (section 1.9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Letter(Importance);

impl Serialize for Letter {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(match self.0 {
            Importance::Low => "L",
            Importance::High => "H",
            Importance::Critical => "C",
        })
    }
}

impl<'de> Deserialize<'de> for Letter {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let is = |letter: &str, word: &str| text.eq_ignore_ascii_case(letter) || text.eq_ignore_ascii_case(word);
        if is("L", "Low") {
            Ok(Self(Importance::Low))
        } else if is("H", "High") {
            Ok(Self(Importance::High))
        } else if is("C", "Critical") {
            Ok(Self(Importance::Critical))
        } else {
            Err(serde::de::Error::custom("must be L, H or C"))
        }
    }
}

/// What a client sends. What is absent or null is not said.
#[derive(Debug, Default, Deserialize)]
struct Input {
    text: Option<String>,
    message_is_from: Option<String>,
    from_date_utc: Option<Date>,
    to_date_utc: Option<Date>,
    importance: Option<Letter>,
    enabled: Option<bool>,
    customer_id: Option<i64>,
    include_sub_customers: Option<bool>,
}

fn target(customer: i64, below: bool) -> Target {
    if customer == ALL {
        return Target::Everyone;
    }
    Target::Customer {
        customer,
        include_sub_customers: below,
    }
}

/// The start of a window; clients send the least time of theirs for "always". What is before 1970 is that too, and
/// comes back as the beginning of 1970: no window is told apart by what was before.
fn start(date: Date) -> Option<Moment> {
    Some(date.0).filter(|at| at.0 > 0)
}

/// The end of a window; what has none is written with the greatest time. What is before 1970 is its beginning.
fn end(date: Date) -> Option<Moment> {
    Some(date.0.max(Moment::default())).filter(|at| *at < dates::last())
}

/// Faults by the names that the contract has for fields.
fn named(mut problem: Problem) -> Problem {
    if let Some((_, lack)) = problem.detail.split_once(": you lack: ") {
        problem.detail = format!("you lack: {lack}");
    }
    for fault in &mut problem.errors {
        let name = match fault.field.as_str() {
            "sender_name" => "message_is_from",
            "opens_at" => "from_date_utc",
            "closes_at" => "to_date_utc",
            field if field.starts_with("audience") => "customer_id",
            _ => continue,
        };
        name.clone_into(&mut fault.field);
        fault.reason = fault.reason.replace("opens_at", "from_date_utc");
    }
    problem
}

// ---------------------------------------------------------------- reading

async fn list(State(app): State<Arc<App>>, caller: Caller, query: Query) -> Result<Response, Problem> {
    let active = query.flag("active")?.unwrap_or(true);
    let customer = query.number("customerId")?;
    let (person, now) = (caller.person(), app.clock.now());
    let written = match (policy::may_announce(&caller.rights), customer) {
        // As nearly everybody asks, and often: what is addressed to them, whatever `active` says.
        (false, None) => bell::announcements(&app, person, now, |found| written(&messages(&found, None))).await?,
        (false, Some(customer)) => {
            let (rights, lists) = (caller.rights, Arc::clone(&app.lists));
            let work = move |tx: &mut Tx<'_>| {
                let whose = whose(tx, &rights, customer)?;
                let (found, _) = banner::addressed(tx, &lists, person, now)?;
                Ok::<_, Error>(written(&messages(&found, Some(whose))))
            };
            app.db.read(work).await?.into()
        }
        // Who looks after some has them all looked through, which is no short read.
        (true, customer) => return all::list(app, caller, active, customer, now).await,
    };
    Ok(([(header::CONTENT_TYPE, "application/json")], written).into_response())
}

/// What is addressed to the caller, of a customer if one is asked for: it is there as long as it is active.
fn messages(found: &[Addressed], whose: Option<Whose>) -> Vec<Message> {
    let found = found.iter().filter(|one| whose.is_none_or(|whose| one.to.is(whose)));
    found.filter_map(Message::addressed).collect()
}

fn written(messages: &[Message]) -> Vec<u8> {
    serde_json::to_vec(messages).expect("texts always serialise")
}

/// The customer that is asked for, where the caller may ask for it: one that is foreign and one that is not there are
/// the same to them.
fn whose(tx: &mut Tx<'_>, rights: &Rights, customer: i64) -> Ruled<Whose> {
    if customer == ALL && rights.is_root() {
        return Ok(Whose::All);
    }
    let id = CustomerId(customer);
    let is_own = rights.customer == Some(id);
    if !is_own {
        campanile_core::portal::customer::find(tx, rights, id)?;
    }
    Ok(Whose::One(id))
}

/// Whether the caller looks after what is for these; who once wrote it is nobody special here (section 1.4).
fn manages(rights: &Rights, parts: &[Part]) -> bool {
    policy::may_announce(rights) && policy::may(rights, &Act::See(PersonId(0), parts)).is_ok()
}

/// What was taken back while a request was under way is not there.
fn gone(problem: Problem) -> Problem {
    if problem.kind == Kind::Conflict {
        return Error::Missing("message").into();
    }
    problem
}

async fn find(State(app): State<Arc<App>>, caller: Caller, Id(id): Id) -> Result<Json<Message>, Problem> {
    read(&app, caller.person(), MessageId(id)).await.map(Json)
}

/// A message that the caller looks after, or that is addressed to them and active.
async fn read(app: &App, person: PersonId, id: MessageId) -> Result<Message, Problem> {
    let (now, lists) = (app.clock.now(), Arc::clone(&app.lists));
    let work = move |tx: &mut Tx<'_>| {
        let rights = Rights::load(tx, person)?;
        let one = look(tx, &lists, &rights, id, now)?;
        Message::of(one.message, one.to).ok_or(Error::Missing("message"))
    };
    Ok(app.db.read(work).await?)
}

/// See [`read()`]; also whether it is theirs to look after.
fn look(tx: &mut Tx<'_>, lists: &Shared, rights: &Rights, id: MessageId, now: Moment) -> Ruled<Announced> {
    let message = message::find(tx, id)?;
    let selectors = message::selectors(tx, id)?;
    let to = For::of(&selectors);
    let is_ours = message.has(Channel::Banner) && message.recalled_at.is_none() && to != For::Others;
    let parts = target::parts(&selectors, &message);
    if is_ours && (manages(rights, &parts) || banner::is_addressed(tx, lists, rights.person, id, now)?) {
        return Ok(Announced { message, to, selectors });
    }
    Err(Error::Missing("message"))
}

// ---------------------------------------------------------------- writing

/// Whoever looks after no customer writes nothing, whatever the message is.
fn may_write(rights: &Rights) -> Result<(), Problem> {
    if policy::may_announce(rights) {
        return Ok(());
    }
    let lack = "you lack: root administrator, or customer administrator";
    Err(Problem::new(Kind::Denied, lack))
}

async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    LooseJson(input): LooseJson<Input>,
) -> Result<Response, Problem> {
    may_write(&caller.rights)?;
    let own = caller.rights.customer.map_or(ALL, |customer| customer.0);
    let customer = match input.customer_id {
        None if caller.rights.is_root() => ALL,
        None => own,
        Some(customer) => customer,
    };
    let draft = drafted(input, customer)?;
    let id = sending::send(&app, &caller.principal, draft, None)
        .await
        .map_err(named)?;
    let message = read(&app, caller.person(), id).await?;
    Ok(created(&app, &format!("{}/{id}", place::MESSAGES), &message))
}

/// The draft that a client means; what is required is named where it is missing.
fn drafted(input: Input, customer: i64) -> Result<Draft, Problem> {
    let mut faults = Faults::default();
    for (field, is_said) in [
        ("text", input.text.is_some()),
        ("message_is_from", input.message_is_from.is_some()),
        ("from_date_utc", input.from_date_utc.is_some()),
        ("to_date_utc", input.to_date_utc.is_some()),
    ] {
        faults.require(is_said, field, "is required");
    }
    faults.finish()?;
    let below = input.include_sub_customers.unwrap_or(false);
    Ok(Draft {
        format: Format::StyleTags,
        sender_name: input.message_is_from,
        importance: input.importance.map_or(Importance::Low, |letter| letter.0),
        channels: vec![Channel::Banner],
        opens_at: input.from_date_utc.and_then(start),
        closes_at: input.to_date_utc.and_then(end),
        enabled: input.enabled.unwrap_or(false),
        sub_customers: below && customer == ALL,
        leniency: Leniency {
            past: true,
            ..Leniency::default()
        },
        ..Draft::new("", input.text.unwrap_or_default(), vec![target(customer, below)])
    })
}

async fn change(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id,
    LooseJson(input): LooseJson<Input>,
) -> Result<Json<Message>, Problem> {
    let (person, id) = (caller.person(), MessageId(id));
    writable(&app, &caller, id).await?;
    let corrected = sending::corrected(&app, &caller.principal, id, move |tx, message| {
        // Of two that change a half each at once, each finds what the other left.
        let to = customer_of(announced::whom(tx, id)?, message.sub_customers);
        Ok(correction(input, to.ok_or(Error::Missing("message"))?))
    });
    corrected.await.map_err(gone).map_err(named)?;
    read(&app, person, id).await.map(Json)
}

/// The correction that a client means of a message that is for `old`.
fn correction(input: Input, old: (i64, bool)) -> Correction {
    let new = (
        input.customer_id.unwrap_or(old.0),
        input.include_sub_customers.unwrap_or(old.1),
    );
    Correction {
        // What is written here is read by the contract's tags.
        format: input.text.as_ref().map(|_| Format::StyleTags),
        text: input.text,
        sender_name: input.message_is_from,
        importance: input.importance.map(|letter| letter.0),
        opens_at: input.from_date_utc.map(start),
        closes_at: input.to_date_utc.map(end),
        enabled: input.enabled,
        sub_customers: (new != old && new.0 == ALL).then_some(new.1),
        audience: (new != old).then(|| vec![target(new.0, new.1)]),
        ..Correction::default()
    }
}

async fn recall(State(app): State<Arc<App>>, caller: Caller, Id(id): Id) -> Result<StatusCode, Problem> {
    let id = MessageId(id);
    writable(&app, &caller, id).await?;
    sending::recall(&app, &caller.principal, id).await.map_err(gone)?;
    Ok(StatusCode::NO_CONTENT)
}

/// A message that the caller may write: 404 for one that is not there for them, 403 for one that is only addressed to
/// them.
async fn writable(app: &App, caller: &Caller, id: MessageId) -> Result<(), Problem> {
    may_write(&caller.rights)?;
    read(app, caller.person(), id).await?;
    let person = caller.person();
    let seen = app.db.read(move |tx| {
        let rights = Rights::load(tx, person)?;
        sending::reach(tx, &rights, id, sending::Want::See)
    });
    match seen.await {
        Ok(_) => Ok(()),
        Err(Error::Missing(_)) => Err(Problem::new(Kind::Denied, "you lack: the right to change this message")),
        Err(other) => Err(other.into()),
    }
}
