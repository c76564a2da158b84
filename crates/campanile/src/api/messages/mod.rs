//! What a sender does: `/api/v1/messages`. Sending and changing in [`send`], looking after in [`look`].

mod look;
mod send;

use campanile_core::Result as Ruled;
use campanile_core::audience::Rule;
use campanile_core::id::MessageId;
use campanile_core::markup::{self, Format};
use campanile_core::message::funnel::Funnel;
use campanile_core::message::target::{self, Target};
use campanile_core::message::{self, Channel, Importance, Message, Status};
use campanile_core::outbox::destination::{self, SentTo};
use campanile_core::outbox::run::{self, Progress};
use campanile_core::time::Moment;
use campanile_store::Tx;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::Part;

/// The files of this folder.
pub(super) const PARTS: [Part; 2] = [send::ROUTES, look::ROUTES];

/// A message as those who may edit it see it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SentMessage {
    id: MessageId,
    status: Status,
    /// As typed.
    title: String,
    /// As its readers see it: an API message carries the API's name.
    shown_title: String,
    /// As typed.
    text: String,
    /// The text as safe HTML.
    html: String,
    format: Format,
    sender_name: String,
    importance: Importance,
    channels: Vec<Channel>,
    audience: Vec<Target>,
    late_joiners: Rule,
    /// Its home; absent for messages to customers or everyone.
    #[serde(skip_serializing_if = "Option::is_none")]
    environment: Option<String>,
    /// The API that all of its audience is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    api: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    opens_at: Option<Moment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    closes_at: Option<Moment>,
    enabled: bool,
    /// Its banner may be dismissed even where it is critical.
    dismissible: bool,
    /// People have to say that they have read it.
    must_acknowledge: bool,
    /// The message of which it reminds those who had not acknowledged it.
    #[serde(skip_serializing_if = "Option::is_none")]
    reminds: Option<MessageId>,
    /// Who sent it, by the directory's id.
    author: String,
    created_at: Moment,
    #[serde(skip_serializing_if = "Option::is_none")]
    published_at: Option<Moment>,
    /// Grows with every correction of content, from 1.
    edition: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    edited_at: Option<Moment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recalled_at: Option<Moment>,
    /// Where it is posted to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    posts: Vec<SentTo>,
    /// How far it got by email and POST. Absent before publication, and where it goes by neither.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    progress: Vec<Progress>,
    /// How far it got with the people of its audience. Absent before publication, and in the answer to publishing.
    #[serde(skip_serializing_if = "Option::is_none")]
    funnel: Option<Funnel>,
}

fn describe(tx: &mut Tx<'_>, message: Message, funnel: Option<Funnel>, now: Moment) -> Ruled<SentMessage> {
    let selectors = message::selectors(tx, message.id)?;
    let mut audience = Vec::with_capacity(selectors.len());
    for selector in selectors {
        audience.push(target::name(tx, selector)?);
    }
    let (author, environment, api) = target::own_keys(tx, &message)?;
    let posts = if message.has(Channel::Http) {
        destination::of_message(tx, message.id)?
    } else {
        Vec::new()
    };
    let progress = if message.has(Channel::Email) || message.has(Channel::Http) {
        run::progress(tx, message.id)?
    } else {
        Vec::new()
    };
    Ok(SentMessage {
        id: message.id,
        status: message.status(now),
        shown_title: message.shown_title(),
        html: markup::html(message.format, &message.text),
        channels: message.ways().collect(),
        audience,
        late_joiners: message.rule,
        environment,
        api,
        opens_at: message.window.opens_at(),
        closes_at: message.window.closes_at(),
        author,
        title: message.title,
        text: message.text,
        format: message.format,
        sender_name: message.sender_name,
        importance: message.importance,
        enabled: message.enabled,
        dismissible: message.dismissible,
        must_acknowledge: message.must_acknowledge,
        reminds: message.reminds,
        created_at: message.created_at,
        published_at: message.published_at,
        edition: message.edition,
        edited_at: message.edited_at,
        recalled_at: message.recalled_at,
        posts,
        progress,
        funnel,
    })
}
