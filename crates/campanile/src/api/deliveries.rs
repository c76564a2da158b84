//! Email and HTTP POST of a message: `/api/v1/messages/{id}/progress`, `deliveries`, `resend`, `cancel`.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use campanile_core::id::MessageId;
use campanile_core::message::Channel;
use campanile_core::message::sent::PEOPLE_LIMIT;
use campanile_core::outbox::look::{Delivery, Standing, Story};
use campanile_core::outbox::run::Progress;
use http::header;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::extract::{self, Json, Path, Query, cursor};
use crate::api::refusals::{Conflict, Denied, Invalid, Malformed, Missing, Unauthenticated, Unavailable};
use crate::api::{Part, part};
use crate::app::App;
use crate::auth::Principal;
use crate::deliveries::{self, Wanted};
use crate::problem::Problem;
use crate::relay::Trouble;

/// The routes of this file.
pub(super) const ROUTES: Part = part![(progress), (list), (export), (one), (resend), (cancel)];

/// How far a message got by email and POST.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProgressBody)]
pub(super) struct ProgressBody {
    /// One for each of the two that the message goes by; none before it is published.
    items: Vec<Progress>,
    /// What keeps its mails waiting, where that is the mail relay.
    #[serde(skip_serializing_if = "Option::is_none")]
    relay: Option<Trouble>,
}

/// Says how far a message got by email and POST.
///
/// `recipients` is the sum of `queued`, `sent`, `failed`, `suppressed`, `gone` and `cancelled`. Ask again while `state`
/// is `listing`, `sending` or `cancelling`.
#[utoipa::path(get, path = "/api/v1/messages/{id}/progress", operation_id = "read_progress", tag = "Deliveries",
    params(("id" = i64, Path)), responses(
    (status = 200, description = "How far it got.", body = ProgressBody),
    Malformed, Unauthenticated, Missing, Unavailable,
))]
async fn progress(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<MessageId>,
) -> Result<Json<ProgressBody>, Problem> {
    let items = deliveries::progress(&app, principal.person, id).await?;
    let relay = deliveries::trouble(&app, &items);
    Ok(Json(ProgressBody { items, relay }))
}

/// Which recipients, and which page of them.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct DeliveriesQuery {
    /// `email` or `http`; where absent the mails, or the POSTs of a message that has no mails.
    #[param(inline)]
    channel: Option<Channel>,
    /// Only those that stand so.
    #[param(inline)]
    state: Option<Standing>,
    /// Of mails: only those whose login or name begins so; for who holds `ORGANIZATION_USER[READ]`, or whose address
    /// does. Of POSTs: only those whose endpoint's name or whose URL begins so.
    q: Option<String>,
    /// The `next` of the page before.
    cursor: Option<String>,
    /// Recipients of a page, 1 to 100; 50 where absent.
    limit: Option<i64>,
}

/// A page of recipients.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DeliveriesPage {
    /// The recipients.
    items: Vec<Delivery>,
    /// Ask with this as `cursor` for what follows; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Says who got a message by email or POST and who did not, each with the reason.
#[utoipa::path(get, path = "/api/v1/messages/{id}/deliveries", operation_id = "list_deliveries", tag = "Deliveries",
    params(("id" = i64, Path), DeliveriesQuery), responses(
    (status = 200, description = "A page.", body = DeliveriesPage),
    Malformed, Unauthenticated, Missing, Invalid, Unavailable,
))]
async fn list(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<MessageId>,
    Query(query): Query<DeliveriesQuery>,
) -> Result<Json<DeliveriesPage>, Problem> {
    let wanted = Wanted {
        channel: query.channel,
        standing: query.state,
        q: query.q,
        after: cursor(query.cursor.as_deref())?.unwrap_or(0),
        limit: extract::limit(query.limit, 50, PEOPLE_LIMIT)?,
    };
    let (items, next) = deliveries::page(&app, principal.person, id, wanted).await?;
    let next = next.map(|next| next.to_string());
    Ok(Json(DeliveriesPage { items, next }))
}

/// Which recipients.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct ExportQuery {
    /// `email` or `http`; both where absent.
    #[param(inline)]
    channel: Option<Channel>,
    /// Only those that stand so.
    #[param(inline)]
    state: Option<Standing>,
}

/// Gives every recipient as CSV (RFC 4180, UTF-8, the first line names the columns), as a stream.
///
/// Addresses are in it for who holds `ORGANIZATION_USER[READ]`. A cell that a spreadsheet would take for a formula has
/// an apostrophe before it. A stream that breaks off is not whole.
#[utoipa::path(get, path = "/api/v1/messages/{id}/deliveries.csv", operation_id = "export_deliveries",
    tag = "Deliveries", params(("id" = i64, Path), ExportQuery), responses(
    (status = 200, description = "The recipients.", body = String, content_type = "text/csv"),
    Malformed, Unauthenticated, Missing, Invalid, Unavailable,
))]
async fn export(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<MessageId>,
    Query(query): Query<ExportQuery>,
) -> Result<Response, Problem> {
    let lines = deliveries::csv(&app, &principal, id, query.channel, query.state).await?;
    let headers = [
        (
            header::CONTENT_TYPE,
            "text/csv; charset=utf-8; header=present".to_owned(),
        ),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"message-{id}-deliveries.csv\""),
        ),
    ];
    Ok((headers, Body::from_stream(lines)).into_response())
}

/// Shows one recipient, with every try.
#[utoipa::path(get, path = "/api/v1/messages/{id}/deliveries/{channel}/{target}", operation_id = "read_delivery",
    tag = "Deliveries", params(
    ("id" = i64, Path),
    ("channel" = Channel, Path, description = "`email` or `http`."),
    ("target" = String, Path, description = "The user's id, or the number of the destination."),
    ), responses(
    (status = 200, description = "The recipient.", body = Story),
    Malformed, Unauthenticated, Missing, Invalid, Unavailable,
))]
async fn one(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path((id, channel, target)): Path<(MessageId, Channel, String)>,
) -> Result<Json<Story>, Problem> {
    let story = deliveries::one(&app, principal.person, id, channel, target).await?;
    Ok(Json(story))
}

/// What is to be sent again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ResendBody {
    /// `email` or `http`.
    channel: Channel,
    /// One recipient alone, as `target` of a delivery; everything that failed where absent.
    #[serde(default)]
    target: Option<String>,
}

/// What is on its way again.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Resent {
    /// How many recipients.
    queued: u64,
}

/// Sends a message once more to those with whom it failed, with all its tries and the same id.
///
/// For who may send to its audience and correct it.
#[utoipa::path(post, path = "/api/v1/messages/{id}/resend", operation_id = "resend_message", tag = "Deliveries",
    request_body = ResendBody, params(("id" = i64, Path)), responses(
    (status = 200, description = "They are on their way again.", body = Resent),
    Malformed, Unauthenticated, Denied, Missing, Conflict, Invalid, Unavailable,
))]
async fn resend(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<MessageId>,
    Json(body): Json<ResendBody>,
) -> Result<Json<Resent>, Problem> {
    let queued = deliveries::resend(&app, &principal, id, body.channel, body.target).await?;
    Ok(Json(Resent { queued }))
}

/// What is to be taken back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CancelBody {
    /// `email` or `http`.
    channel: Channel,
}

/// Takes back what has not left of a message by one channel; the message stays where it is shown.
///
/// For who may recall it. What is being sent at this moment goes on to its outcome.
#[utoipa::path(post, path = "/api/v1/messages/{id}/cancel", operation_id = "cancel_message", tag = "Deliveries",
    request_body = CancelBody, params(("id" = i64, Path)), responses(
    (status = 200, description = "Nothing more leaves; how far it got.", body = ProgressBody),
    Malformed, Unauthenticated, Denied, Missing, Conflict, Invalid, Unavailable,
))]
async fn cancel(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<MessageId>,
    Json(body): Json<CancelBody>,
) -> Result<Json<ProgressBody>, Problem> {
    deliveries::cancel(&app, &principal, id, body.channel).await?;
    progress(State(app), principal, Path(id)).await
}
