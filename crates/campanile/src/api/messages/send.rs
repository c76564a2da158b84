//! Before SEND, SEND, and what may be done about it afterwards.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use campanile_core::audience::Selector;
use campanile_core::id::{MessageId, PersonId};
use campanile_core::message::change::{self, Correction};
use campanile_core::message::draft::{self, Draft};
use campanile_core::message::preview::{self, Explanation, Preview};
use campanile_core::message::publish::{self, Idempotency};
use campanile_core::message::target::Target;
use campanile_core::message::{self, sent};
use campanile_core::policy::{self, Act, Part};
use campanile_core::rights::Rights;
use campanile_core::time::Moment;
use campanile_core::{Error, Result as Ruled};
use campanile_store::Tx;
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::look::one;
use super::{SentMessage, Want, describe, reach};
use crate::api::extract::{Json, Path};
use crate::api::refusals::{Conflict, Denied, Invalid, Malformed, Missing, TooLarge, Unauthenticated, Unavailable};
use crate::app::App;
use crate::auth::Principal;
use crate::problem::Problem;

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(create))
        .routes(routes!(preview_audience))
        .routes(routes!(explain_audience))
        .routes(routes!(correct))
        .routes(routes!(recall))
}

fn may_send(rights: &Rights) -> impl Fn(&[Part]) -> Ruled<()> + '_ {
    move |parts| policy::may(rights, &Act::Send(parts))
}

/// Publishes a message to everybody who matches any part of its audience, each person once.
///
/// Answers when the message is durable, and says how many people it was published to. Send an `Idempotency-Key` and
/// repeat the same request safely: for a day it gives the same message.
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
    let now = app.clock.now();
    let person = principal.person;
    let idempotency = idempotency(&headers, &draft)?;
    let key = idempotency.clone();
    let checked = app
        .db
        .read(move |tx| {
            if let Some(known) = key
                .map(|key| publish::repeated(tx, person, &key))
                .transpose()?
                .flatten()
            {
                return Ok(Err(known));
            }
            let rights = Rights::load(tx, person)?;
            let name = sent::person_name(tx, person)?;
            draft::check_for(tx, &draft, &name, now, &may_send(&rights)).map(Ok)
        })
        .await?;
    let checked = match checked {
        Ok(checked) => checked,
        // The same request, whose answer got lost: what it made, whatever has changed since.
        Err(known) => return created(&app, known, now).await,
    };
    let written = app
        .db
        .write(move |tx| publish::publish(tx, person, &checked, idempotency.as_ref(), now))
        .await;
    let accepted = match written {
        Err(error) if publish::is_gone(&error) => {
            return Err(Error::Conflict("the directory changed meanwhile; look at the audience again".into()).into());
        }
        written => written?,
    };
    created(&app, accepted.id, now).await
}

/// The answer to a message that was accepted. Its audience is counted by who asks for it next (decision 7).
async fn created(app: &App, id: MessageId, now: Moment) -> Result<Response, Problem> {
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
    /// What its sender holds, and the audience that they may address.
    fn open(&self, tx: &mut Tx<'_>, sender: PersonId) -> Ruled<(Rights, Vec<Selector>)> {
        let rights = Rights::load(tx, sender)?;
        let selectors = draft::check_audience(tx, &self.audience, self.environment.as_deref(), &may_send(&rights))?;
        Ok((rights, selectors))
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
    let now = app.clock.now();
    let residents = Arc::clone(&app.residents);
    let person = principal.person;
    let preview = app
        .db
        .scan(move |tx| {
            let (_, selectors) = body.open(tx, person)?;
            let residents = residents.at(tx)?;
            preview::preview(tx, &residents, &selectors, now)
        })
        .await?;
    Ok(Json(preview))
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
    let now = app.clock.now();
    let asking = principal.person;
    let explained = app
        .db
        .read(move |tx| {
            let (rights, selectors) = body.open(tx, asking)?;
            let user = body
                .user
                .as_deref()
                .ok_or_else(|| Error::field("user", "name the user, by id or login"))?;
            let person = preview::person(tx, user).map_err(|error| match error {
                Error::Missing(_) => preview::nobody(),
                other => other,
            })?;
            if policy::may(&rights, &Act::FindPeople).is_err() && !preview::is_near(tx, person, &selectors)? {
                return Err(preview::nobody());
            }
            preview::explain(tx, person, &selectors, now)
        })
        .await?;
    Ok(Json(explained))
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
    let now = app.clock.now();
    let person = principal.person;
    let correction = Arc::new(correction);
    let given = Arc::clone(&correction);
    app.db
        .read(move |tx| {
            let message = reach(tx, person, id, Want::Correct)?;
            if let Some(audience) = &given.audience {
                let rights = Rights::load(tx, person)?;
                draft::check_readdress(tx, audience, message.environment, &may_send(&rights))?;
            }
            Ok::<_, Error>(())
        })
        .await?;
    app.db
        .write(move |tx| change::correct(tx, person, id, &correction, now))
        .await?;
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
    let now = app.clock.now();
    let person = principal.person;
    app.db.read(move |tx| reach(tx, person, id, Want::Recall)).await?;
    app.db.write(move |tx| change::recall(tx, person, id, now)).await?;
    one(State(app), principal, Path(id)).await
}
