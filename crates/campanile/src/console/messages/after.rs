//! About the people of a message, after it was sent: those who have not acknowledged it are reminded, and the list of
//! people is taken along as a file.

use std::fmt::Write as _;
use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use campanile_core::Error;
use campanile_core::id::MessageId;
use campanile_core::message::funnel::Funnel;
use campanile_core::message::sent::{Part as People, Recipient};
use campanile_core::message::{Message, sent};
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

#[derive(Template)]
#[template(path = "console/messages/remind.html")]
struct RemindPage<'r> {
    page: Page<'r>,
    id: i64,
    heading: String,
    people: u64,
}

/// The question before people are reminded.
pub(super) async fn ask(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(id): Path<MessageId>,
) -> Result<Response, Problem> {
    let describe = |_: &mut Tx<'_>, _: &Rights, message: Message, funnel: Option<Funnel>| Ok((message, funnel));
    let (message, funnel) = sending::one(&app, reader.principal.person, id, Want::Correct, describe).await?;
    let people = funnel.map_or(0, |funnel| funnel.unacknowledged());
    if people == 0 || !sending::can_remind(&message, reader.now) {
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
    sending::remind(&app, reader.principal.person, id).await?;
    Ok(done(&format!("/messages/{id}"), "reminded", &[]))
}

/// The people of a part as CSV (RFC 4180): who, and when they saw, read and acknowledged it, in UTC.
pub(super) async fn csv(
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
    let names: Vec<String> = names.into_iter().map(|name| cell(&reader.t(name))).collect();
    // A spreadsheet takes a file with this mark for UTF-8.
    let mut out = format!("\u{feff}{}\r\n", names.join(","));
    let time = |at: Option<Moment>| at.map(|at| at.to_string()).unwrap_or_default();
    for one in people {
        let sent::Someone { name, login, .. } = &one.person;
        let _ = write!(
            out,
            "{},{},{},{}",
            cell(name),
            cell(login),
            time(one.seen_at),
            time(one.read_at)
        );
        if message.must_acknowledge {
            let _ = write!(out, ",{}", time(one.acknowledged_at));
        }
        out.push_str("\r\n");
    }
    out
}

/// A text as a cell. What a spreadsheet would take for a formula is a text there too.
fn cell(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let harmless = if is_formula {
        format!("'{text}")
    } else {
        text.to_owned()
    };
    if harmless.contains(['"', ',', '\n', '\r']) {
        return format!("\"{}\"", harmless.replace('"', "\"\""));
    }
    harmless
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_a_text_whatever_it_begins_with() {
        assert_eq!(cell("Ann Lee"), "Ann Lee");
        assert_eq!(cell("Lee, \"Ann\""), "\"Lee, \"\"Ann\"\"\"");
        for formula in ["=1+1", "+1", "-1", "@sum", "\tx"] {
            assert_eq!(cell(formula), format!("'{formula}"));
        }
        assert_eq!(cell("=a,b"), "\"'=a,b\"");
    }
}
