//! The list of sent messages.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use campanile_core::Result as Ruled;
use campanile_core::message::funnel::Funnel;
use campanile_core::message::{Importance, Message, Status};
use campanile_core::rights::Rights;
use campanile_core::time::Moment;
use campanile_store::Tx;

use super::part::Named;
use super::{STATUSES, audience, heading, is_post_alone, recipients, status_name};
use crate::app::App;
use crate::console::form::Asked;
use crate::console::page::{Page, Reader, show};
use crate::problem::Problem;
use crate::sending::{self, Filter};

/// Messages of a page.
pub(super) const PAGE: usize = 20;

/// A message of a list.
pub(super) struct Row {
    pub(super) id: i64,
    pub(super) title: String,
    pub(super) status: &'static str,
    pub(super) importance: Importance,
    pub(super) sender: String,
    /// When it was published; before that, when it was written.
    pub(super) at: Moment,
    pub(super) opens_at: Option<Moment>,
    /// In words.
    pub(super) audience: String,
    pub(super) funnel: Option<Funnel>,
}

/// A row before its audience is put into words.
pub(super) type Raw = (Message, Vec<Named>, Option<Funnel>);

/// For [`sending::list`].
pub(super) fn raw(tx: &mut Tx<'_>, _: &Rights, message: Message, funnel: Option<Funnel>) -> Ruled<Raw> {
    let audience = audience(tx, &message)?;
    Ok((message, audience, funnel))
}

/// A row in the reader's words.
pub(super) fn row(reader: &Reader, (message, audience, funnel): Raw) -> Row {
    Row {
        id: message.id.0,
        title: heading(reader.words, &message),
        status: status_name(message.status(reader.now)),
        importance: message.importance,
        at: message.published_at.unwrap_or(message.created_at),
        opens_at: message.window.opens_at(),
        audience: recipients(reader, &message, &audience),
        // Nobody is to see what is posted.
        funnel: funnel.filter(|_| !is_post_alone(&message)),
        sender: message.sender_name,
    }
}

#[derive(Template)]
#[template(path = "console/messages/list.html")]
struct ListPage<'r> {
    page: Page<'r>,
    rows: Vec<Row>,
    more: Option<String>,
    mine: bool,
    status: &'static str,
    statuses: [&'static str; 6],
    /// Whether something is left out by the choice of the reader, or by the place in the list.
    chosen: bool,
}

/// The address of a list.
fn address(mine: bool, status: &str, below: i64) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    if mine {
        query.append_pair("mine", "1");
    }
    if !status.is_empty() {
        query.append_pair("status", status);
    }
    query.append_pair("cursor", &below.to_string());
    format!("/messages?{}", query.finish())
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    reader: Reader,
    Asked(asked): Asked,
) -> Result<Response, Problem> {
    let status: Option<Status> = STATUSES
        .into_iter()
        .find(|one| status_name(*one) == asked.get("status"));
    let filter = Filter {
        mine: asked.has("mine"),
        status,
        environment: super::chosen_environment(&app, &reader).await?,
        without_tests: true,
        ..Filter::default()
    };
    let cursor = asked.some("cursor").and_then(|cursor| cursor.parse().ok());
    let below = cursor.unwrap_or(i64::MAX);
    let person = reader.principal.person;
    let (found, next) = sending::list(&app, person, filter, below, PAGE, raw).await?;
    let name = status.map_or("", status_name);
    show(&ListPage {
        page: Page::new(&reader, "messages", reader.t("messages"))
            .of_environment(&reader)
            .after(&asked),
        rows: found.into_iter().map(|one| row(&reader, one)).collect(),
        more: next.map(|next| address(filter.mine, name, next)),
        mine: filter.mine,
        status: name,
        statuses: STATUSES.map(status_name),
        chosen: filter.mine || status.is_some() || cursor.is_some() || filter.environment.is_some(),
    })
}
