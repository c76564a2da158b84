//! An announcement is switched on and off, and deleted for everybody.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use campanile_core::id::MessageId;
use campanile_core::message::Message;
use campanile_core::message::change::Correction;
use campanile_core::message::funnel::Funnel;
use campanile_core::rights::Rights;
use campanile_store::Tx;

use super::is_announcement;
use super::list::state_name;
use crate::app::App;
use crate::console::form::{Fields, Form, Path};
use crate::console::messages::heading;
use crate::console::page::{Page, Reader, done, show};
use crate::console::undo::{self, Deed};
use crate::problem::Problem;
use crate::sending::{self, Want};

/// The list where a message stands now.
pub(super) async fn where_it_stands(app: &App, reader: &Reader, id: MessageId) -> Result<String, Problem> {
    let describe = |_: &mut Tx<'_>, _: &Rights, message: Message, _: Option<Funnel>| Ok(message);
    let message = sending::uncounted(app, reader.principal.person, id, Want::See, describe).await?;
    Ok(format!("/announcements?state={}", state_name(&message, reader.now)))
}

/// What switches it back.
fn back(id: &str, on: bool) -> Deed {
    Deed {
        to: format!("/announcements/{id}/switch"),
        fields: vec![("on", if on { "0" } else { "1" }.to_owned())],
    }
}

/// Offers to switch back what the address tells of.
pub(super) fn offer_undo(app: &App, page: &mut Page<'_>, asked: &Fields) {
    let on = match asked.get("done") {
        "switched-on" => true,
        "switched-off" => false,
        _ => return,
    };
    let label = page.words.t("undo");
    back(asked.get("ids"), on).offer(app, page, asked, label);
}

pub(super) async fn switch(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(id): Path<MessageId>,
    Form(fields): Form,
) -> Result<Response, Problem> {
    let on = fields.get("on") == "1";
    let correction = Correction {
        enabled: Some(on),
        ..Correction::default()
    };
    let switched = sending::corrected(&app, &reader.principal, id, |_, message| {
        is_announcement(message)?;
        Ok(correction)
    });
    switched.await?;
    let to = where_it_stands(&app, &reader, id).await?;
    let id = id.to_string();
    let seal = back(&id, on).sealed(&app, &reader);
    let what = if on { "switched-on" } else { "switched-off" };
    Ok(done(&to, what, &[("ids", &id), (undo::SEAL, &seal)]))
}

#[derive(Template)]
#[template(path = "console/announcements/delete.html")]
struct DeletePage<'r> {
    page: Page<'r>,
    id: i64,
    name: String,
    says: String,
}

pub(super) async fn ask(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(id): Path<MessageId>,
) -> Result<Response, Problem> {
    let describe = |_: &mut Tx<'_>, _: &Rights, message: Message, funnel: Option<Funnel>| Ok((message, funnel));
    let (message, funnel) = sending::one(&app, reader.principal.person, id, Want::Recall, describe).await?;
    is_announcement(&message)?;
    show(&DeletePage {
        page: Page::new(&reader, "announcements", reader.t("delete-announcement")),
        id: id.0,
        name: heading(reader.words, &message),
        says: match funnel {
            Some(funnel) => reader.n("delete-announcement-text", funnel.people),
            None => reader.t("delete-announcement-unsent"),
        },
    })
}

pub(super) async fn delete(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(id): Path<MessageId>,
) -> Result<Response, Problem> {
    // By which ways a message goes never changes.
    let describe = |_: &mut Tx<'_>, _: &Rights, message: Message, _: Option<Funnel>| is_announcement(&message);
    sending::uncounted(&app, reader.principal.person, id, Want::Recall, describe).await?;
    sending::recall(&app, &reader.principal, id).await?;
    Ok(done("/announcements", "announcement-deleted", &[]))
}
