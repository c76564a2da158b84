//! Sending what failed again, and taking back what has not left: asked first.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use campanile_core::id::MessageId;
use campanile_core::{Error, Result as Ruled};

use super::{Way, address, run_of, way};
use crate::app::App;
use crate::console::ask::{self, Ask};
use crate::console::form::{Asked, Fields, Form, Path};
use crate::console::page::{self, Reader};
use crate::console::refused::Refused;
use crate::deliveries;
use crate::problem::Problem;

/// What is asked.
#[derive(Clone, Copy)]
enum Act {
    /// Whether what failed shall be sent again.
    Again,
    /// Whether what has not left shall be taken back.
    Back,
}

impl Act {
    /// Whether the reader may.
    fn allowed(self, way: &Way) -> Ruled<()> {
        let (may, right) = match self {
            Self::Again => (way.may_again, "you lack: the right to send this message"),
            Self::Back => (way.may_back, "you lack: the right to recall this message"),
        };
        if may { Ok(()) } else { Err(Error::Denied(right.into())) }
    }

    /// The question, with what was said against it.
    fn question(
        self,
        reader: &Reader,
        way: &Way,
        id: MessageId,
        fields: &Fields,
        refused: &Refused,
    ) -> Result<Response, Problem> {
        let run = run_of(way, fields)?;
        let channel = run.channel.name();
        let (title, text, keep, button, page) = match self {
            Self::Again => (
                reader.n("again-title", run.failed),
                reader.of("again-text", channel),
                reader.t("again-keep"),
                reader.n("again-button", run.failed),
                "resend",
            ),
            Self::Back => (
                reader.n("take-back-title", run.queued),
                reader.of("take-back-text", channel),
                reader.t("take-back-keep"),
                reader.t("take-back"),
                "cancel",
            ),
        };
        ask::show(
            reader,
            Ask {
                here: "messages",
                title,
                text,
                crumb: (address(id, "deliveries", &[("channel", channel)]), way.title.clone()),
                action: format!("/messages/{id}/{page}"),
                fields: vec![("channel", channel.to_owned())],
                keep,
                button,
                is_grave: matches!(self, Self::Back),
                refused: refused.beside(&[]),
            },
        )
    }

    async fn ask(self, app: &App, reader: &Reader, id: MessageId, asked: &Fields) -> Result<Response, Problem> {
        let way = way(app, reader, id).await?;
        self.allowed(&way)?;
        self.question(reader, &way, id, asked, &Refused::default())
    }
}

/// `GET /messages/{id}/resend`.
pub(super) async fn ask_again(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(id): Path<MessageId>,
    Asked(asked): Asked,
) -> Result<Response, Problem> {
    Act::Again.ask(&app, &reader, id, &asked).await
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
    let channel = run.channel.name();
    let to = match &target {
        Some(target) => address(id, "delivery", &[("channel", channel), ("target", target)]),
        None => address(id, "deliveries", &[("channel", channel)]),
    };
    let sent = deliveries::resend(&app, &reader.principal, id, run.channel, target).await;
    match sent {
        Ok(count) => Ok(page::done(&to, "sent-again", &[("n", &count.to_string())])),
        Err(problem) => Act::Again.question(&reader, &found, id, &fields, &Refused::of(&reader, problem)?),
    }
}

/// `GET /messages/{id}/cancel`.
pub(super) async fn ask_back(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(id): Path<MessageId>,
    Asked(asked): Asked,
) -> Result<Response, Problem> {
    Act::Back.ask(&app, &reader, id, &asked).await
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
    let to = address(id, "deliveries", &[("channel", run.channel.name())]);
    match deliveries::cancel(&app, &reader.principal, id, run.channel).await {
        Ok(()) => Ok(page::done(&to, "taken-back", &[])),
        Err(problem) => Act::Back.question(&reader, &found, id, &fields, &Refused::of(&reader, problem)?),
    }
}
