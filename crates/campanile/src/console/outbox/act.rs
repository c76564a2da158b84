//! Sending what failed again, and taking back what has not left: asked first.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use campanile_core::Error;
use campanile_core::id::MessageId;

use super::{Way, address, channel_name, run_of, way};
use crate::app::App;
use crate::console::form::{Asked, Fields, Form, Path};
use crate::console::page::{self, Reader};
use crate::console::refused::Refused;
use crate::deliveries;
use crate::problem::Problem;

use super::ask::{self, Ask};

/// The question, with what was said against it.
fn question_again(
    reader: &Reader,
    way: &Way,
    id: MessageId,
    fields: &Fields,
    refused: &Refused,
) -> Result<Response, Problem> {
    let run = run_of(way, fields)?;
    let channel = channel_name(run.channel);
    ask::show(
        reader,
        Ask {
            here: "messages",
            title: reader.n("again-title", run.failed),
            text: reader.of("again-text", channel),
            crumb: (address(id, "deliveries", &[("channel", channel)]), way.title.clone()),
            action: format!("/messages/{id}/resend"),
            fields: vec![("channel", channel.to_owned())],
            keep: reader.t("again-keep"),
            button: reader.n("again-button", run.failed),
            is_grave: false,
            refused: refused.beside(&[]),
        },
    )
}

fn question_back(
    reader: &Reader,
    way: &Way,
    id: MessageId,
    fields: &Fields,
    refused: &Refused,
) -> Result<Response, Problem> {
    let run = run_of(way, fields)?;
    let channel = channel_name(run.channel);
    ask::show(
        reader,
        Ask {
            here: "messages",
            title: reader.n("take-back-title", run.queued),
            text: reader.of("take-back-text", channel),
            crumb: (address(id, "deliveries", &[("channel", channel)]), way.title.clone()),
            action: format!("/messages/{id}/cancel"),
            fields: vec![("channel", channel.to_owned())],
            keep: reader.t("take-back-keep"),
            button: reader.t("take-back"),
            is_grave: true,
            refused: refused.beside(&[]),
        },
    )
}

/// `GET /messages/{id}/resend`.
pub(super) async fn ask_again(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(id): Path<MessageId>,
    Asked(asked): Asked,
) -> Result<Response, Problem> {
    let way = way(&app, &reader, id).await?;
    if !way.may_again {
        return Err(Error::Denied("you lack: the right to send this message".into()).into());
    }
    question_again(&reader, &way, id, &asked, &Refused::default())
}

/// `POST /messages/{id}/resend`: everything that failed by one channel, or one recipient.
pub(super) async fn again(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(id): Path<MessageId>,
    Form(fields): Form,
) -> Result<Response, Problem> {
    let found = way(&app, &reader, id).await?;
    let run = run_of(&found, &fields)?;
    let target = fields.some("target").map(str::to_owned);
    let channel = channel_name(run.channel);
    let to = match &target {
        Some(target) => address(id, "delivery", &[("channel", channel), ("target", target)]),
        None => address(id, "deliveries", &[("channel", channel)]),
    };
    let sent = deliveries::resend(&app, reader.principal.person, id, run.channel, target).await;
    match sent {
        Ok(count) => Ok(page::done(&to, "sent-again", &[("n", &count.to_string())])),
        Err(problem) => question_again(&reader, &found, id, &fields, &Refused::of(&reader, problem)?),
    }
}

/// `GET /messages/{id}/cancel`.
pub(super) async fn ask_back(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(id): Path<MessageId>,
    Asked(asked): Asked,
) -> Result<Response, Problem> {
    let way = way(&app, &reader, id).await?;
    if !way.may_back {
        return Err(Error::Denied("you lack: the right to recall this message".into()).into());
    }
    question_back(&reader, &way, id, &asked, &Refused::default())
}

/// `POST /messages/{id}/cancel`: what has not left by one channel.
pub(super) async fn take_back(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(id): Path<MessageId>,
    Form(fields): Form,
) -> Result<Response, Problem> {
    let found = way(&app, &reader, id).await?;
    let run = run_of(&found, &fields)?;
    let to = address(id, "deliveries", &[("channel", channel_name(run.channel))]);
    match deliveries::cancel(&app, reader.principal.person, id, run.channel).await {
        Ok(()) => Ok(page::done(&to, "taken-back", &[])),
        Err(problem) => question_back(&reader, &found, id, &fields, &Refused::of(&reader, problem)?),
    }
}
