//! What a sender sees of email and POST, and does about it: progress, who got what, an export, sending the failed ones
//! again, taking back what has not left. For every interface; each function asks the policy.

use std::sync::Arc;

use bytes::Bytes;
use campanile_core::id::{MessageId, PersonId};
use campanile_core::inbox::SEARCH_CHARS;
use campanile_core::journal::{self, Action, Deed, Kind};
use campanile_core::message::{self, Channel, Message, Status, sent, target};
use campanile_core::outbox::delivery;
use campanile_core::outbox::look::{self, Delivery, Standing, Story, Which};
use campanile_core::outbox::run::{self, Progress};
use campanile_core::policy::{self, Act};
use campanile_core::rights::Rights;
use campanile_core::time::Moment;
use campanile_core::{Error, Result as Ruled};
use campanile_store::Tx;
use futures_util::{Stream, StreamExt as _};
use serde_json::json;

use crate::app::App;
use crate::auth::Principal;
use crate::csv;
use crate::journal::taken;
use crate::problem::Problem;
use crate::relay::Trouble;
use crate::sending::{Want, reach};

/// Which recipients, and which page of them.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// By which channel; where absent the mails, or the POSTs of a message that has no mails.
    pub channel: Option<Channel>,
    /// Only those that stand so.
    pub standing: Option<Standing>,
    /// Only those whose login, name or URL begins so; for who may read the directory, or whose address does.
    pub q: Option<String>,
    /// After this one; 0 for the first page.
    pub after: i64,
    /// How many, 1 to 100 for people, 1,000 for an export.
    pub limit: usize,
}

/// How far a message got by each channel that leaves the house; empty before it is published, and for others.
///
/// # Errors
/// As [`reach`].
pub async fn progress(app: &App, person: PersonId, id: MessageId) -> Result<Vec<Progress>, Problem> {
    let work = move |tx: &mut Tx<'_>| {
        let rights = Rights::load(tx, person)?;
        reach(tx, &rights, id, Want::See)?;
        run::progress(tx, id)
    };
    Ok(app.db.read(work).await?)
}

/// What keeps the mails of a message waiting, where it is the relay.
#[must_use]
pub fn trouble(app: &App, progress: &[Progress]) -> Option<Trouble> {
    let waits = |of: &Progress| of.channel == Channel::Email && of.state == run::State::Sending && of.queued > 0;
    let trouble = app.relay.trouble(app.clock.now());
    trouble.filter(|_| progress.iter().any(waits))
}

/// A channel that leaves the house.
///
/// # Errors
/// `Invalid` for the portal.
pub fn leaving(channel: Channel) -> Ruled<Channel> {
    if channel == Channel::Portal {
        return Err(Error::field(
            "channel",
            "must be email or http: the portal is not delivered to anybody",
        ));
    }
    Ok(channel)
}

/// The channel that is meant where none is named.
fn usual(message: &Message) -> Channel {
    if message.channels & Channel::Email.bit() == 0 {
        Channel::Http
    } else {
        Channel::Email
    }
}

/// A page of the recipients of a message by one channel, each with how they stand; and the `after` of the next page.
///
/// # Errors
/// As [`reach`]; `Invalid` for a channel that does not leave the house, and for too long a search.
pub async fn page(
    app: &App,
    person: PersonId,
    id: MessageId,
    wanted: Wanted,
) -> Result<(Vec<Delivery>, Option<i64>), Problem> {
    let too_long = |words: &String| words.chars().count() > SEARCH_CHARS;
    if wanted.q.as_ref().is_some_and(too_long) {
        return Err(Error::field("q", format!("is longer than {SEARCH_CHARS} characters")).into());
    }
    let work = move |tx: &mut Tx<'_>| {
        let rights = Rights::load(tx, person)?;
        let message = reach(tx, &rights, id, Want::See)?;
        let which = Which {
            channel: leaving(wanted.channel.unwrap_or_else(|| usual(&message)))?,
            standing: wanted.standing,
            q: wanted.q,
            by: sent::By::rights(&rights),
            after: wanted.after,
            limit: wanted.limit,
        };
        look::page(tx, id, &which)
    };
    Ok(app.db.scan(work).await?)
}

/// One recipient, with every try. `target` is the user's id, or the number of the destination.
///
/// # Errors
/// As [`reach`]; `Missing` for who is no recipient.
pub async fn one(
    app: &App,
    person: PersonId,
    id: MessageId,
    channel: Channel,
    target: String,
) -> Result<Story, Problem> {
    leaving(channel)?;
    let work = move |tx: &mut Tx<'_>| {
        let rights = Rights::load(tx, person)?;
        reach(tx, &rights, id, Want::See)?;
        look::one(tx, id, channel, &target, sent::By::rights(&rights))
    };
    Ok(app.db.read(work).await?)
}

/// Sends what failed of a message once more, with all its tries: everything of one channel, or one recipient. How many.
///
/// # Errors
/// As [`reach`]; `Denied` for who may not send to its audience and correct it; `Conflict` where nothing failed, and
/// where nothing of it is sent any more.
pub async fn resend(
    app: &App,
    by: &Principal,
    id: MessageId,
    channel: Channel,
    target: Option<String>,
) -> Result<u64, Problem> {
    leaving(channel)?;
    let (person, by, now) = (by.person, Arc::new(by.by()), app.clock.now());
    let is_one = target.is_some();
    let target = Arc::new(target);
    let (mut sent, mut failed, mut row) = (0, None, None);
    // What fails again meanwhile has had its turn.
    while failed.is_none_or(|failed| sent < failed) {
        let (wanted, by) = (Arc::clone(&target), Arc::clone(&by));
        let again = move |tx: &mut Tx<'_>| {
            // The lock first: rights are those of the moment at which it is written.
            tx.tally()?;
            let (one, failed) = resendable(tx, person, id, channel, wanted.as_deref(), now)?;
            let more = delivery::again(tx, id, channel, one, now)?;
            let told = json!({"channel": channel, "target": wanted.as_deref(), "deliveries": sent + more});
            let row = match row {
                _ if more == 0 => row,
                None => {
                    let deed = Deed::new(Action::Resent, Kind::Message, id.to_string());
                    Some(journal::record(tx, &by, &deed.after(told), now)?)
                }
                Some(known) => journal::go_on(tx, known, None, &told).map(|()| row)?,
            };
            Ok::<_, Error>((more, failed, row))
        };
        let (more, at_first, noted) = app.db.write(again).await?;
        (failed, row) = (failed.or(Some(at_first)), noted);
        sent += more;
        if more == 0 || is_one {
            break;
        }
    }
    if sent == 0 {
        return Err(Error::Conflict("nothing that failed is there to be sent again".into()).into());
    }
    Ok(sent)
}

/// Whether somebody may send again what failed: the number of the one recipient who is meant, and how many failed.
fn resendable(
    tx: &mut Tx<'_>,
    person: PersonId,
    id: MessageId,
    channel: Channel,
    target: Option<&str>,
    now: Moment,
) -> Ruled<(Option<i64>, u64)> {
    let rights = Rights::load(tx, person)?;
    let message = reach(tx, &rights, id, Want::Correct)?;
    let parts = target::parts(&message::selectors(tx, id)?, &message);
    policy::may(&rights, &Act::Send(&parts))?;
    if matches!(message.status(now), Status::Expired | Status::Missed) {
        return Err(Error::Conflict(
            "its time is over: nothing of it is sent any more".into(),
        ));
    }
    if let Some(target) = target {
        look::one(tx, id, channel, target, sent::By::Name)?;
    }
    let one = target.map(|target| look::number(tx, channel, target)).transpose()?;
    let progress = run::progress(tx, id)?;
    let failed = progress
        .iter()
        .find(|of| of.channel == channel)
        .map_or(0, |of| of.failed);
    Ok((one, failed as u64))
}

/// Takes back what has not left of a message by one channel.
///
/// # Errors
/// As [`reach`]; `Conflict` where nothing is under way.
pub async fn cancel(app: &App, by: &Principal, id: MessageId, channel: Channel) -> Result<(), Problem> {
    leaving(channel)?;
    let (person, by, now) = (by.person, by.by(), app.clock.now());
    let work = move |tx: &mut Tx<'_>| {
        tx.tally()?;
        let rights = Rights::load(tx, person)?;
        reach(tx, &rights, id, Want::Recall)?;
        run::cancel(tx, id, channel)?;
        let deed = Deed::new(Action::Cancelled, Kind::Message, id.to_string());
        journal::record(tx, &by, &deed.after(json!({"channel": channel})), now)
    };
    app.db.write(work).await?;
    Ok(())
}

// ------------------------------------------------------------------------------------------------ export

/// The columns of an export.
const HEAD: &str = "channel,target,login,name,address,destination,state,attempts,in_doubt,code,reason,at,next_at\r\n";

/// Where an export stands.
struct Export {
    app: Arc<App>,
    person: PersonId,
    id: MessageId,
    standing: Option<Standing>,
    /// Those that follow, the next one last.
    channels: Vec<Channel>,
    after: i64,
}

/// Every recipient as CSV (RFC 4180), in pieces of at most 1,000 lines, so that a million take no more memory than a
/// thousand. All channels, where none is named. An error in the middle ends the stream with it.
///
/// That it was taken along is noted before any of it is given.
///
/// # Errors
/// As [`reach`], before the first piece.
pub async fn csv(
    app: &Arc<App>,
    by: &Principal,
    id: MessageId,
    channel: Option<Channel>,
    standing: Option<Standing>,
) -> Result<impl Stream<Item = Result<Bytes, std::io::Error>> + Send + use<>, Problem> {
    channel.map(leaving).transpose()?;
    let mut export = Export {
        app: Arc::clone(app),
        person: by.person,
        id,
        standing,
        channels: channel.map_or_else(|| vec![Channel::Http, Channel::Email], |one| vec![one]),
        after: 0,
    };
    let first = export.piece().await?.unwrap_or_default();
    let told = json!({"list": "deliveries", "channel": channel, "state": standing});
    taken(app, by, (Kind::Message, &id.to_string()), told).await?;
    let first = Bytes::from(format!("{HEAD}{first}"));
    let rest = futures_util::stream::unfold(export, |mut export| async {
        let piece = export.piece().await.transpose()?;
        let piece = piece.map(Bytes::from);
        let broken = |problem: Problem| std::io::Error::other(problem.cause.unwrap_or(problem.detail));
        Some((piece.map_err(broken), export))
    });
    Ok(futures_util::stream::iter([Ok(first)]).chain(rest))
}

impl Export {
    /// The next lines; `None` at the end.
    async fn piece(&mut self) -> Result<Option<String>, Problem> {
        let Some(channel) = self.channels.last().copied() else {
            return Ok(None);
        };
        let wanted = Wanted {
            channel: Some(channel),
            standing: self.standing,
            q: None,
            after: self.after,
            limit: look::PAGE_LIMIT,
        };
        let (items, next) = page(&self.app, self.person, self.id, wanted).await?;
        if let Some(next) = next {
            self.after = next;
        } else {
            self.channels.pop();
            self.after = 0;
        }
        let mut text = String::with_capacity(items.len() * 96);
        for item in &items {
            line(&mut text, item);
        }
        Ok(Some(text))
    }
}

fn line(out: &mut String, of: &Delivery) {
    let person = of.person.as_ref();
    let number = |number: i64| number.to_string();
    let cells = [
        name(&of.channel),
        of.target.clone(),
        person.map(|person| person.login.clone()).unwrap_or_default(),
        person.map(|person| person.name.clone()).unwrap_or_default(),
        of.address.clone().unwrap_or_default(),
        of.destination.as_ref().map(|to| to.url.clone()).unwrap_or_default(),
        name(&of.state),
        number(of.attempts),
        number(of.in_doubt),
        of.code.map(number).unwrap_or_default(),
        of.reason.clone().unwrap_or_default(),
        of.at.map(|at| at.to_string()).unwrap_or_default(),
        of.next_at.map(|at| at.to_string()).unwrap_or_default(),
    ];
    csv::line(out, &cells);
}

/// As it is written in JSON.
fn name(of: &impl serde::Serialize) -> String {
    let value = serde_json::to_value(of).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}
