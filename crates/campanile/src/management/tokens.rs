//! The personal tokens of who is signed in.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::{delete, get};
use axum::{Json, Router};
use campanile_core::account::token;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::caller::Caller;
use super::place::{Id, Organization};
use super::refusal::Refusal;
use super::scalar::Text;
use crate::api::extract::LooseJson;
use crate::app::App;
use crate::own;
use crate::problem::Kind;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/user/tokens", get(list).post(create).delete(revoke_all))
        .route("/user/tokens/{token}", delete(revoke))
}

/// A personal token. Times are milliseconds since 1970.
#[derive(Serialize)]
struct PersonalToken {
    id: String,
    name: String,
    /// What signs in with; told once, to who made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    created_at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_use_at: Option<i64>,
}

impl PersonalToken {
    fn of(token: token::Token, text: Option<String>) -> Self {
        Self {
            id: token.id,
            name: token.name,
            token: text,
            created_at: token.created_at.0,
            expires_at: token.expires_at.map(|at| at.0),
            last_use_at: token.used_at.map(|at| at.0),
        }
    }
}

/// A token to be made.
#[derive(Deserialize)]
struct NewToken {
    name: Option<Text>,
}

/// The oldest first.
async fn list(
    State(app): State<Arc<App>>,
    _: Organization,
    caller: Caller,
) -> Result<Json<Vec<PersonalToken>>, Refusal> {
    let person = caller.person();
    let mut tokens = app.db.read(move |tx| token::list(tx, person)).await?;
    tokens.sort_by_key(|token| token.created_at);
    Ok(Json(
        tokens.into_iter().map(|token| PersonalToken::of(token, None)).collect(),
    ))
}

async fn create(
    State(app): State<Arc<App>>,
    _: Organization,
    caller: Caller,
    LooseJson(wanted): LooseJson<NewToken>,
) -> Result<Json<PersonalToken>, Refusal> {
    let name = wanted.name.map(|Text(name)| name).unwrap_or_default();
    match own::make_token(&app, &caller.principal, name.clone(), None).await {
        Ok((made, text)) => Ok(Json(PersonalToken::of(made, Some(text)))),
        Err(problem) if problem.kind == Kind::Denied => Err(Refusal::new(Kind::Denied, "forbidden", problem.detail)),
        Err(problem) if problem.kind == Kind::Invalid && is_taken(&app, &caller, &name).await? => {
            let message = format!("A token with the name [{name}] already exists.");
            Err(Refusal::new(Kind::Invalid, "token.alreadyExists", message))
        }
        Err(problem) => Err(problem.into()),
    }
}

async fn is_taken(app: &App, caller: &Caller, name: &str) -> Result<bool, Refusal> {
    let person = caller.person();
    let tokens = app.db.read(move |tx| token::list(tx, person)).await?;
    Ok(tokens.iter().any(|token| token.name == name))
}

async fn revoke_all(State(app): State<Arc<App>>, _: Organization, caller: Caller) -> Result<StatusCode, Refusal> {
    own::revoke_tokens(&app, &caller.principal).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn revoke(
    State(app): State<Arc<App>>,
    _: Organization,
    caller: Caller,
    Id(id): Id,
) -> Result<StatusCode, Refusal> {
    match own::revoke_token(&app, &caller.principal, id.clone()).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(problem) if problem.kind == Kind::Missing => {
            let message = format!("Token [{id}] cannot be found.");
            Err(Refusal::new(Kind::Missing, "tokenId.notFound", message).with("tokenId", id))
        }
        Err(problem) => Err(problem.into()),
    }
}
