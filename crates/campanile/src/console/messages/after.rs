//! About the people of a message, after it was sent: those who have not acknowledged it are reminded, and the list of
//! people is taken along as a file.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use campanile_core::Error;
use campanile_core::id::MessageId;
use campanile_core::message::funnel::Funnel;
use campanile_core::message::sent::{Part as People, Recipient};
use campanile_core::message::{Channel, Message, Status};
use campanile_core::rights::Rights;
use campanile_core::time::Moment;
use campanile_store::Tx;
use http::header;

use super::heading;
use super::look::part_named;
use crate::app::App;
use crate::console::form::{Asked, Path};
use crate::console::page::{Page, Reader, done, show};
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

/// The people of a part as CSV (RFC 4180): who, and when they saw, read and acknowledged it, in UTC.
pub(super) async fn file(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(id): Path<MessageId>,
    Asked(asked): Asked,
) -> Result<Response, Problem> {
    let person = reader.principal.person;
    let describe = |_: &mut Tx<'_>, _: &Rights, message: Message, _: Option<Funnel>| Ok(message);
    let message = sending::uncounted(&app, person, id, Want::See, describe).await?;
    let (part, name): (People, _) = part_named(&message, asked.get("part"));
    let (message, people) = sending::everybody(&app, person, id, part).await?;
    let file = format!("attachment; filename=\"message-{id}-{name}.csv\"");
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, file),
    ];
    Ok((headers, lines(&reader, &message, &people)).into_response())
}

fn lines(reader: &Reader, message: &Message, people: &[Recipient]) -> String {
    let mut names = vec!["person", "login", "figure-seen", "figure-read"];
    if message.must_acknowledge {
        names.push("people-acknowledged");
    }
    let names: Vec<String> = names.into_iter().map(|name| reader.t(name)).collect();
    // A spreadsheet takes a file with this mark for UTF-8.
    let mut out = "\u{feff}".to_owned();
    csv::line(&mut out, &names);
    let time = |at: Option<Moment>| at.map(|at| at.to_string()).unwrap_or_default();
    for one in people {
        let mut cells = vec![
            one.person.name.clone(),
            one.person.login.clone(),
            time(one.seen_at),
            time(one.read_at),
        ];
        if message.must_acknowledge {
            cells.push(time(one.acknowledged_at));
        }
        csv::line(&mut out, &cells);
    }
    out
}
