//! Looking after what was sent: the list, one message, its people, its changes.

use std::sync::Arc;

use axum::extract::State;
use campanile_core::id::MessageId;
use campanile_core::message::Status;
use campanile_core::message::sent::{self, Edition, Part as People, Recipient};
use campanile_core::rights::Rights;
use campanile_core::time::Revision;
use campanile_store::Tx;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{SentMessage, describe};
use crate::api::extract::{self, Json, Path, Query, cursor};
use crate::api::refusals::{Denied, Invalid, Malformed, Missing, Unauthenticated, Unavailable};
use crate::api::{Part, part};
use crate::app::App;
use crate::auth::Principal;
use crate::problem::Problem;
use crate::sending::{self, Filter, Want, Which, reach};

pub(super) const ROUTES: Part = part![(list), (one), (recipients), (editions)];

/// Which messages, and which page of them.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct SentQuery {
    /// Only your own.
    mine: Option<bool>,
    /// Only those that stand so now.
    #[param(inline)]
    status: Option<Status>,
    /// The `next` of the page before.
    cursor: Option<String>,
    /// Messages of a page, 1 to 100; 20 where absent.
    limit: Option<i64>,
}

/// A page of sent messages, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SentPage {
    items: Vec<SentMessage>,
    /// Ask with this as `cursor` for what follows; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Lists the messages that you may see as a sender, newest first, each with how far it got.
///
/// For who holds `MESSAGE` on any environment or API, root and customer administrators. A page can be shorter than its
/// limit, or empty, and have a `next`.
#[utoipa::path(get, path = "/api/v1/messages", operation_id = "list_messages", tag = "Messages",
    params(SentQuery), responses(
    (status = 200, body = SentPage),
    Malformed, Unauthenticated, Denied, Invalid, Unavailable,
))]
async fn list(
    State(app): State<Arc<App>>,
    principal: Principal,
    Query(query): Query<SentQuery>,
) -> Result<Json<SentPage>, Problem> {
    let now = app.clock.now();
    let below = cursor(query.cursor.as_deref())?.unwrap_or(i64::MAX);
    let limit = extract::limit(query.limit, 20, sent::PEOPLE_LIMIT)?;
    let filter = Filter {
        mine: query.mine == Some(true),
        status: query.status,
        ..Filter::default()
    };
    let describe = move |tx: &mut Tx<'_>, _: &Rights, message, funnel| describe(tx, message, funnel, now);
    let (items, next) = sending::list(&app, principal.person, filter, below, limit, describe).await?;
    Ok(Json(SentPage {
        items,
        next: next.map(|next| next.to_string()),
    }))
}

/// One message as a sender sees it, with how far it got.
#[utoipa::path(get, path = "/api/v1/messages/{id}", operation_id = "read_message", tag = "Messages",
    params(("id" = i64, Path)), responses(
    (status = 200, body = SentMessage),
    Unauthenticated, Missing, Unavailable,
))]
pub(super) async fn one(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<MessageId>,
) -> Result<Json<SentMessage>, Problem> {
    let now = app.clock.now();
    let describe = move |tx: &mut Tx<'_>, _: &Rights, message, funnel| describe(tx, message, funnel, now);
    Ok(Json(
        sending::one(&app, principal.person, id, Want::See, describe).await?,
    ))
}

/// Which people, and which page of them.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct RecipientsQuery {
    /// Which part of the audience; everybody where absent.
    #[param(inline)]
    part: Option<People>,
    /// Only those whose login or name begins so; for who holds `ORGANIZATION_USER[READ]`, or whose address does.
    q: Option<String>,
    /// The `next` of the page before.
    cursor: Option<String>,
    /// People of a page, 1 to 100; 50 where absent.
    limit: Option<i64>,
}

/// A page of the people of an audience.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RecipientsPage {
    items: Vec<Recipient>,
    /// How many there are in all.
    total: u64,
    /// Ask with this as `cursor` for what follows; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Says who a message was sent to, and how far it got with each: from history, whatever has changed since.
#[utoipa::path(get, path = "/api/v1/messages/{id}/recipients", tag = "Messages",
    params(("id" = i64, Path), RecipientsQuery), responses(
    (status = 200, body = RecipientsPage),
    Malformed, Unauthenticated, Missing, Invalid, Unavailable,
))]
async fn recipients(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<MessageId>,
    Query(query): Query<RecipientsQuery>,
) -> Result<Json<RecipientsPage>, Problem> {
    let after = cursor(query.cursor.as_deref())?;
    let which = Which {
        part: query.part.unwrap_or_default(),
        q: query.q,
        after: after.map(|at| u32::try_from(at).unwrap_or(u32::MAX)),
        limit: extract::limit(query.limit, 50, sent::PEOPLE_LIMIT)?,
    };
    let page = sending::people(&app, principal.person, id, which).await?;
    Ok(Json(RecipientsPage {
        items: page.items,
        total: page.total,
        next: page.next.map(|next| next.to_string()),
    }))
}

/// A page of the changes of a message.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EditionsPage {
    items: Vec<Edition>,
    /// Ask with this as `cursor` for what follows; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Which page.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct PageQuery {
    /// The `next` of the page before.
    cursor: Option<String>,
    /// Items of a page, 1 to 100; 20 where absent.
    limit: Option<i64>,
}

/// Lists the changes of a message, newest first, each with the state before it.
#[utoipa::path(get, path = "/api/v1/messages/{id}/history", tag = "Messages", params(("id" = i64, Path), PageQuery),
    responses(
    (status = 200, body = EditionsPage),
    Malformed, Unauthenticated, Missing, Invalid, Unavailable,
))]
async fn editions(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<MessageId>,
    Query(query): Query<PageQuery>,
) -> Result<Json<EditionsPage>, Problem> {
    let person = principal.person;
    let below = cursor(query.cursor.as_deref())?.unwrap_or(i64::MAX);
    let limit = extract::limit(query.limit, 20, sent::PEOPLE_LIMIT)? as i64;
    let items = app
        .db
        .read(move |tx| {
            let rights = Rights::load(tx, person)?;
            reach(tx, &rights, id, Want::See)?;
            sent::editions(tx, id, below, limit)
        })
        .await?;
    let full = items.len() as i64 == limit;
    let next = items.last().filter(|_| full).map(|last| last.revision);
    let next = next.map(|Revision(next)| next.to_string());
    Ok(Json(EditionsPage { items, next }))
}
