//! About the people of a message, after it was sent: those who have not acknowledged it are reminded, and the list of
//! people is taken along as a file.

use std::sync::Arc;

use askama::Template;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use campanile_core::Error;
use campanile_core::id::MessageId;
use campanile_core::journal::Kind;
use campanile_core::message::funnel::Funnel;
use campanile_core::message::sent::Recipient;
use campanile_core::message::{Channel, Message, Status};
use campanile_core::rights::Rights;
use campanile_core::time::Moment;
use campanile_store::Tx;
use futures_util::{StreamExt as _, stream};
use http::header;
use serde_json::json;

use super::heading;
use super::look::part_named;
use crate::app::App;
use crate::console::form::{Asked, Path};
use crate::console::page::{Page, Reader, done, show};
use crate::journal::taken;
use crate::problem::Problem;
use crate::sending::{self, Want};
use crate::{csv, reminding};

#[derive(Template)]
#[template(path = "console/messages/remind.html")]
struct RemindPage<'r> {
    page: Page<'r>,
    id: i64,
    heading: String,
    people: u64,
}

/// Who has not acknowledged a message that asks for it.
pub(super) fn unacknowledged(funnel: &Funnel) -> u64 {
    funnel.acknowledged.map_or(0, |some| funnel.people.saturating_sub(some))
}

/// Whether there is a way to remind people of a message: by its bell, or by mail.
pub(super) fn can_remind(app: &App, message: &Message, now: Moment) -> bool {
    let reaches = message.has(Channel::Portal) || app.outlets().email;
    message.must_acknowledge && reaches && message.status(now) == Status::Active
}

/// The question before people are reminded.
pub(super) async fn ask(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(id): Path<MessageId>,
) -> Result<Response, Problem> {
    let describe = |_: &mut Tx<'_>, _: &Rights, message: Message, funnel: Option<Funnel>| Ok((message, funnel));
    let (message, funnel) = sending::one(&app, reader.principal.person, id, Want::Correct, describe).await?;
    let people = funnel.map_or(0, |funnel| unacknowledged(&funnel));
    if people == 0 || !can_remind(&app, &message, reader.now) {
        return Err(Error::Missing("somebody to remind").into());
    }
    show(&RemindPage {
        page: Page::new(&reader, "messages", reader.n("remind-question", people)),
        id: id.0,
        heading: heading(reader.words, &message),
        people,
    })
}

pub(super) async fn remind(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(id): Path<MessageId>,
) -> Result<Response, Problem> {
    let reminded = reminding::remind(&app, &reader.principal, id).await?;
    let people = reminded.people.to_string();
    Ok(done(&format!("/messages/{id}"), "reminded", &[("n", &people)]))
}

/// The people of a part as CSV (RFC 4180): who, and when they saw, read and acknowledged it, in UTC. All of them, as a
/// stream; that it was taken along is noted before any of it is given.
pub(super) async fn file(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(id): Path<MessageId>,
    Asked(asked): Asked,
) -> Result<Response, Problem> {
    let principal = &reader.principal;
    let named = asked.get("part").to_owned();
    let wanted = move |message: &Message| part_named(message, &named).0;
    let mut people = sending::everybody(&app, principal.person, id, wanted).await?;
    let acknowledged = people.message.must_acknowledge;
    let (_, name) = part_named(&people.message, asked.get("part"));
    let first = people.piece().await?.unwrap_or_default();
    let told = json!({"list": "people", "part": name});
    taken(&app, principal, (Kind::Message, &id.to_string()), told).await?;
    let first = Bytes::from(head(&reader, acknowledged) + &lines(&first, acknowledged));
    let rest = stream::unfold(people, move |mut people| async move {
        let piece = people.piece().await.transpose()?;
        let piece = piece.map(|piece| Bytes::from(lines(&piece, acknowledged)));
        let broken = |problem: Problem| std::io::Error::other(problem.cause.unwrap_or(problem.detail));
        Some((piece.map_err(broken), people))
    });
    let body = Body::from_stream(stream::iter([Ok(first)]).chain(rest));
    let file = format!("attachment; filename=\"message-{id}-{name}.csv\"");
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, file),
    ];
    Ok((headers, body).into_response())
}

fn head(reader: &Reader, acknowledged: bool) -> String {
    let mut names = vec!["person", "login", "figure-seen", "figure-read"];
    if acknowledged {
        names.push("people-acknowledged");
    }
    let names: Vec<String> = names.into_iter().map(|name| reader.t(name)).collect();
    // A spreadsheet takes a file with this mark for UTF-8.
    let mut out = "\u{feff}".to_owned();
    csv::line(&mut out, &names);
    out
}

fn lines(people: &[Recipient], acknowledged: bool) -> String {
    let mut out = String::with_capacity(people.len() * 96);
    let time = |at: Option<Moment>| at.map(|at| at.to_string()).unwrap_or_default();
    for one in people {
        let mut cells = vec![
            one.person.name.clone(),
            one.person.login.clone(),
            time(one.seen_at),
            time(one.read_at),
        ];
        if acknowledged {
            cells.push(time(one.acknowledged_at));
        }
        csv::line(&mut out, &cells);
    }
    out
}
