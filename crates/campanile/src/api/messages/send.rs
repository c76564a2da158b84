//! Before SEND, SEND, and what may be done about it afterwards.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use campanile_core::id::MessageId;
use campanile_core::message;
use campanile_core::message::change::Correction;
use campanile_core::message::draft::Draft;
use campanile_core::message::preview::{Explanation, Preview};
use campanile_core::message::publish::Idempotency;
use campanile_core::message::target::Target;
use campanile_core::outbox::destination::Destination;
use campanile_core::outbox::request::Request;
use campanile_store::Tx;
use http::{HeaderMap, StatusCode, header};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::look::one;
use super::{SentMessage, describe};
use crate::api::extract::{Json, Path};
use crate::api::refusals::{Conflict, Denied, Invalid, Malformed, Missing, TooLarge, Unauthenticated, Unavailable};
use crate::api::{Part, part};
use crate::app::App;
use crate::auth::Principal;
use crate::outlets::{self, Way};
use crate::problem::Problem;
use crate::reminding::{self, Reminded};
use crate::sending::{self, Addressed};

pub(super) const ROUTES: Part = part![
    (create),
    (preview_audience),
    (explain_audience),
    (preview_post),
    (list_channels),
    (correct),
    (recall),
    (remind)
];

/// Publishes a message to everybody who matches any part of its audience, each person once.
///
/// Answers when the message is durable. Send an `Idempotency-Key` and repeat the same request safely: for a day it
/// gives the same message.
#[utoipa::path(post, path = "/api/v1/messages", tag = "Messages", request_body = Draft,
    params(("Idempotency-Key" = Option<String>, Header, description = "Yours; 1 to 255 visible ASCII characters.")),
    responses(
    (status = 201, body = SentMessage, headers(("Location" = String))),
    Malformed, Unauthenticated, Denied, Conflict, TooLarge, Invalid, Unavailable,
))]
async fn create(
    State(app): State<Arc<App>>,
    principal: Principal,
    headers: HeaderMap,
    Json(draft): Json<Draft>,
) -> Result<Response, Problem> {
    let idempotency = idempotency(&headers, &draft)?;
    let id = sending::send(&app, &principal, draft, idempotency).await?;
    created(&app, id).await
}

/// The answer to a message that was accepted. Its audience is counted by who asks for it next (decision 7).
async fn created(app: &App, id: MessageId) -> Result<Response, Problem> {
    let now = app.clock.now();
    let describe = move |tx: &mut Tx<'_>| {
        let message = message::find(tx, id)?;
        describe(tx, message, None, now)
    };
    let answer = app.db.read(describe).await?;
    let location = format!("/api/v1/messages/{id}");
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(answer)).into_response())
}

fn idempotency(headers: &HeaderMap, draft: &Draft) -> Result<Option<Idempotency>, Problem> {
    let Some(value) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    let key = value.to_str().unwrap_or_default();
    let request = serde_json::to_vec(draft).map_err(Problem::internal)?;
    Ok(Some(Idempotency::new(key, &request)?))
}

/// An audience to look at before sending.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AudienceBody {
    /// Who gets it.
    audience: Vec<Target>,
    /// The home of a message to groups and users; `DEFAULT` where absent. Not for other audiences.
    #[serde(default)]
    environment: Option<String>,
    /// For "why": a user's id or login.
    #[serde(default)]
    user: Option<String>,
}

impl AudienceBody {
    fn addressed(self) -> Addressed {
        Addressed {
            audience: self.audience,
            environment: self.environment,
        }
    }
}

/// Says how many people an audience holds now, how many of them have no email address, and a few of them.
#[utoipa::path(post, path = "/api/v1/messages/preview", tag = "Messages", request_body = AudienceBody, responses(
    (status = 200, body = Preview),
    Malformed, Unauthenticated, Denied, Invalid, Unavailable,
))]
async fn preview_audience(
    State(app): State<Arc<App>>,
    principal: Principal,
    Json(body): Json<AudienceBody>,
) -> Result<Json<Preview>, Problem> {
    let to = body.addressed();
    Ok(Json(sending::preview(&app, principal.person, to).await?))
}

/// Says for one person why they are in an audience or not.
#[utoipa::path(post, path = "/api/v1/messages/explain", tag = "Messages", request_body = AudienceBody, responses(
    (status = 200, body = Explanation),
    Malformed, Unauthenticated, Denied, Invalid, Unavailable,
))]
async fn explain_audience(
    State(app): State<Arc<App>>,
    principal: Principal,
    Json(body): Json<AudienceBody>,
) -> Result<Json<Explanation>, Problem> {
    let user = body.user.clone();
    let to = body.addressed();
    Ok(Json(sending::explain(&app, principal.person, to, user).await?))
}

/// What is to be posted, to look at before sending.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PreviewPostBody)]
pub(super) struct PostBody {
    /// Where to: at most 20 destinations.
    posts: Vec<Destination>,
    /// The text: the body, as typed.
    text: String,
    /// The home of the message; `DEFAULT` where absent. Not together with `api`.
    #[serde(default)]
    environment: Option<String>,
    /// The API that the message is about.
    #[serde(default)]
    api: Option<String>,
}

/// The requests as they would be made.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PreviewPosts)]
pub(super) struct PostsBody {
    /// One for each destination, in their order.
    items: Vec<Request>,
}

/// Shows the requests of a message by HTTP POST as they would be made: URL, headers, body, how it is signed.
///
/// For who may send to the consumers of the API, or in the environment. Header values are shown only where they hold no
/// secret. Nothing is sent.
#[utoipa::path(post, path = "/api/v1/messages/preview/post", tag = "Messages", request_body = PostBody, responses(
    (status = 200, description = "The requests.", body = PostsBody),
    Malformed, Unauthenticated, Denied, Invalid, Unavailable,
))]
async fn preview_post(
    State(app): State<Arc<App>>,
    principal: Principal,
    Json(body): Json<PostBody>,
) -> Result<Json<PostsBody>, Problem> {
    let PostBody {
        posts,
        text,
        environment,
        api,
    } = body;
    let items = outlets::preview_posts(&app, principal.person, posts, text, environment, api).await?;
    Ok(Json(PostsBody { items }))
}

/// The channels.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Channels)]
pub(super) struct ChannelsBody {
    /// Each of them.
    items: Vec<Way>,
}

/// Says which channels this server has, and why not the others.
#[utoipa::path(get, path = "/api/v1/channels", tag = "Messages", responses(
    (status = 200, description = "Every channel.", body = ChannelsBody),
    Unauthenticated,
))]
async fn list_channels(State(app): State<Arc<App>>, _: Principal) -> Json<ChannelsBody> {
    Json(ChannelsBody {
        items: outlets::channels(&app),
    })
}

/// Corrects a message, switches it on or off, moves its window. What is absent stays.
#[utoipa::path(patch, path = "/api/v1/messages/{id}", tag = "Messages", request_body = Correction,
    params(("id" = i64, Path)), responses(
    (status = 200, body = SentMessage),
    Malformed, Unauthenticated, Denied, Missing, Conflict, TooLarge, Invalid, Unavailable,
))]
async fn correct(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<MessageId>,
    Json(correction): Json<Correction>,
) -> Result<Json<SentMessage>, Problem> {
    sending::correct(&app, &principal, id, correction).await?;
    one(State(app), principal, Path(id)).await
}

/// Takes a message back: it is gone for its audience everywhere.
#[utoipa::path(post, path = "/api/v1/messages/{id}/recall", tag = "Messages", params(("id" = i64, Path)), responses(
    (status = 200, body = SentMessage),
    Unauthenticated, Denied, Missing, Conflict, Unavailable,
))]
async fn recall(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<MessageId>,
) -> Result<Json<SentMessage>, Problem> {
    sending::recall(&app, &principal, id).await?;
    one(State(app), principal, Path(id)).await
}

/// Reminds those who have not acknowledged a message: the bell rings for them again, and they get a mail.
#[utoipa::path(post, path = "/api/v1/messages/{id}/remind", tag = "Messages", params(("id" = i64, Path)), responses(
    (status = 200, body = Reminded),
    Unauthenticated, Denied, Missing, Conflict, Unavailable,
))]
async fn remind(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<MessageId>,
) -> Result<Json<Reminded>, Problem> {
    reminding::remind(&app, &principal, id).await.map(Json)
}
