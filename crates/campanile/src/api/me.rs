//! What belongs to the person who asks: profile, personal tokens, ticket, sessions.

use std::sync::Arc;

use axum::extract::State;
use campanile_core::account::profile::{self, Change, Profile};
use campanile_core::account::{session, ticket, token};
use campanile_core::id::{CustomerId, PersonId};
use campanile_core::outbox::wish::{self, Hindrance, Standing};
use campanile_core::rights::AsmRole;
use campanile_core::time::Moment;
use http::StatusCode;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::api::extract::{Json, Path};
use crate::api::refusals::{Conflict, Denied, Invalid, Malformed, Missing, Unauthenticated};
use crate::api::{Part, part};
use crate::app::App;
use crate::auth::Principal;
use crate::own;
use crate::problem::Problem;

pub(super) const ROUTES: Part = part![
    (read_me, change_me),
    (read_mail, change_mail),
    (list_tokens, create_token),
    (revoke_token),
    (read_ticket, renew_ticket),
    (list_sessions, end_other_sessions),
    (end_session)
];

// ---------------------------------------------------------------- profile

/// The person who is signed in.
#[derive(Serialize, ToSchema)]
struct Me {
    /// The person's number.
    person: PersonId,
    /// The name that a directory file gives the person.
    #[schema(example = "u-ann")]
    id: String,
    /// The login as it is written.
    #[schema(example = "ann")]
    login: String,
    /// The display name.
    #[schema(example = "Ann")]
    name: String,
    /// The email address.
    #[schema(example = "ann@example.com")]
    email: Option<String>,
    /// The language, as a tag such as `en` or `pt-BR`.
    locale: Option<String>,
    /// The time zone, such as `Europe/Prague`.
    zone: Option<String>,
    /// The customer's number.
    customer: Option<CustomerId>,
    /// The role for messages of customers.
    asm_role: AsmRole,
    /// The GUID that the UI messages contract knows the person by.
    guid: String,
}

impl From<Profile> for Me {
    fn from(profile: Profile) -> Self {
        Self {
            person: profile.person,
            id: profile.key,
            login: profile.login,
            name: profile.name,
            email: profile.email,
            locale: profile.locale,
            zone: profile.zone,
            customer: profile.customer,
            asm_role: profile.asm_role,
            guid: profile.guid,
        }
    }
}

/// What is to change; what is absent stays.
#[expect(clippy::option_option, reason = "absent, null and a value are three things")]
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ChangeMe {
    /// The display name, 1 to 200 characters.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = String, required = false, nullable = false)]
    name: Option<String>,
    /// The email address; null clears it.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, required = false)]
    email: Option<Option<String>>,
    /// The language, as a tag such as `en` or `pt-BR`; null clears it.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, required = false)]
    locale: Option<Option<String>>,
    /// The time zone, such as `Europe/Prague`; null clears it.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, required = false)]
    zone: Option<Option<String>>,
}

/// A field that is there, so that null is a value and absence another.
fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

/// Who is signed in
#[utoipa::path(
    get, path = "/api/v1/me", tag = "Me",
    responses((status = 200, description = "The person.", body = Me), Unauthenticated)
)]
async fn read_me(State(app): State<Arc<App>>, principal: Principal) -> Result<Json<Me>, Problem> {
    let person = principal.person;
    let found = app.db.read(move |tx| profile::find(tx, person)).await?;
    Ok(Json(found.into()))
}

/// Changes one's own profile
#[utoipa::path(
    patch, path = "/api/v1/me", tag = "Me",
    request_body = ChangeMe,
    responses((status = 200, description = "The person as it is now.", body = Me), Malformed, Unauthenticated, Invalid)
)]
async fn change_me(
    State(app): State<Arc<App>>,
    principal: Principal,
    Json(wanted): Json<ChangeMe>,
) -> Result<Json<Me>, Problem> {
    let change = Change {
        name: wanted.name,
        email: wanted.email,
        locale: wanted.locale,
        zone: wanted.zone,
    };
    let changed = own::change_profile(&app, &principal, change).await?;
    Ok(Json(changed.into()))
}

// ---------------------------------------------------------------- mail

/// Whether messages are mailed to the person.
#[derive(Serialize, ToSchema)]
struct Mail {
    /// The address; null: there is none, and no mail.
    #[schema(example = "ann@example.com")]
    address: Option<String>,
    /// Whether mail goes to that address.
    on: bool,
    /// What keeps it from there, where it does not.
    hindrances: Vec<Hindrance>,
}

impl From<Standing> for Mail {
    fn from(standing: Standing) -> Self {
        Self {
            address: standing.address,
            on: standing.hindrances.is_empty(),
            hindrances: standing.hindrances,
        }
    }
}

/// What the person wants.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ChangeMail {
    /// `false` unsubscribes from all mail that is not critical; `true` switches mail on, whatever kept it away.
    on: bool,
}

/// Whether one gets mail
#[utoipa::path(
    get, path = "/api/v1/me/mail", tag = "Me",
    responses((status = 200, description = "How the person stands to mail.", body = Mail), Unauthenticated)
)]
async fn read_mail(State(app): State<Arc<App>>, principal: Principal) -> Result<Json<Mail>, Problem> {
    let (person, now) = (principal.person, app.clock.now());
    let standing = app.db.read(move |tx| wish::standing(tx, person, now)).await?;
    Ok(Json(standing.into()))
}

/// Switches one's mail on or off
///
/// On is refused where an administrator switched it off.
#[utoipa::path(
    put, path = "/api/v1/me/mail", tag = "Me",
    request_body = ChangeMail,
    responses(
        (status = 200, description = "How the person stands to mail now.", body = Mail),
        Malformed, Unauthenticated, Conflict,
    )
)]
async fn change_mail(
    State(app): State<Arc<App>>,
    principal: Principal,
    Json(wanted): Json<ChangeMail>,
) -> Result<Json<Mail>, Problem> {
    Ok(Json(own::set_mail(&app, &principal, wanted.on).await?.into()))
}

// ---------------------------------------------------------------- personal tokens

/// A personal token, without its text.
#[derive(Serialize, ToSchema)]
struct Token {
    /// Its id.
    id: String,
    /// What its owner calls it.
    #[schema(example = "ci")]
    name: String,
    /// When it was made.
    created_at: Moment,
    /// When it was last used, to the minute; null: never.
    used_at: Option<Moment>,
    /// When it ends; null: when it is revoked.
    expires_at: Option<Moment>,
}

impl From<token::Token> for Token {
    fn from(token: token::Token) -> Self {
        Self {
            id: token.id,
            name: token.name,
            created_at: token.created_at,
            used_at: token.used_at,
            expires_at: token.expires_at,
        }
    }
}

/// The personal tokens.
#[derive(Serialize, ToSchema)]
struct Tokens {
    /// By name; at most 100.
    tokens: Vec<Token>,
}

/// A token to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewToken {
    /// What to call it: 1 to 64 characters, the only one of this name.
    #[schema(min_length = 1, max_length = 64, example = "ci")]
    name: String,
    /// When it is to end; null or absent: when it is revoked.
    #[serde(default)]
    expires_at: Option<Moment>,
}

/// A token that was made.
#[derive(Serialize, ToSchema)]
struct MadeToken {
    /// The token itself, for `Authorization: Bearer`. It is shown this once.
    #[schema(example = "cmp_…")]
    token: String,
    /// What the list shows of it.
    #[serde(flatten)]
    made: Token,
}

/// Lists one's personal tokens
#[utoipa::path(
    get, path = "/api/v1/me/tokens", tag = "Me",
    responses((status = 200, description = "The tokens, expired ones too.", body = Tokens), Unauthenticated)
)]
async fn list_tokens(State(app): State<Arc<App>>, principal: Principal) -> Result<Json<Tokens>, Problem> {
    let tokens = app.db.read(move |tx| token::list(tx, principal.person)).await?;
    let tokens = tokens.into_iter().map(Token::from).collect();
    Ok(Json(Tokens { tokens }))
}

/// Makes a personal token
///
/// Not by a personal token.
#[utoipa::path(
    post, path = "/api/v1/me/tokens", tag = "Me",
    request_body = NewToken,
    responses(
        (status = 201, description = "Made. The token is shown this once.", body = MadeToken),
        Malformed, Unauthenticated, Denied, Conflict, Invalid,
    )
)]
async fn create_token(
    State(app): State<Arc<App>>,
    principal: Principal,
    Json(wanted): Json<NewToken>,
) -> Result<(StatusCode, Json<MadeToken>), Problem> {
    let (made, token) = own::make_token(&app, &principal, wanted.name, wanted.expires_at).await?;
    let body = MadeToken {
        token,
        made: made.into(),
    };
    Ok((StatusCode::CREATED, Json(body)))
}

/// Revokes a personal token
#[utoipa::path(
    delete, path = "/api/v1/me/tokens/{id}", tag = "Me",
    params(("id" = String, Path, description = "The token's id.")),
    responses((status = 204, description = "Revoked."), Unauthenticated, Missing)
)]
async fn revoke_token(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    own::revoke_token(&app, &principal, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

// ---------------------------------------------------------------- ticket

/// The ticket for the UI messages contract.
#[derive(Serialize, ToSchema)]
struct Ticket {
    /// The value of `auth_ticket`.
    #[schema(example = "1B4E28BA-2FA1-41D2-883F-0016D3CCA427")]
    ticket: String,
}

/// Shows one's ticket
///
/// The ticket is the long-lived `auth_ticket` of the UI messages contract (`/v3/…`). It is valid from when it is
/// shown. Not by a personal token.
#[utoipa::path(
    get, path = "/api/v1/me/ticket", tag = "Me",
    responses((status = 200, description = "The ticket.", body = Ticket), Unauthenticated, Denied)
)]
async fn read_ticket(State(app): State<Arc<App>>, principal: Principal) -> Result<Json<Ticket>, Problem> {
    principal.in_person()?;
    let key = app.key.clone();
    let ticket = app
        .db
        .jot(move |tx| ticket::current(tx, &key, principal.person))
        .await?;
    Ok(Json(Ticket { ticket }))
}

/// Renews one's ticket
///
/// The one before is void at once. Not by a personal token.
#[utoipa::path(
    post, path = "/api/v1/me/ticket", tag = "Me",
    responses((status = 200, description = "The new ticket.", body = Ticket), Unauthenticated, Denied)
)]
async fn renew_ticket(State(app): State<Arc<App>>, principal: Principal) -> Result<Json<Ticket>, Problem> {
    principal.in_person()?;
    let ticket = own::renew_ticket(&app, &principal).await?;
    Ok(Json(Ticket { ticket }))
}

// ---------------------------------------------------------------- sessions

/// One place where the person is signed in.
#[derive(Serialize, ToSchema)]
struct Session {
    /// Its id.
    id: String,
    /// Whether it is the one of this request.
    current: bool,
    /// When it was opened.
    created_at: Moment,
    /// When it was last used, to the minute.
    used_at: Moment,
    /// When it ends.
    expires_at: Moment,
    /// The client's name for itself.
    agent: String,
    /// The client's address at log-in.
    address: String,
}

/// Where the person is signed in.
#[derive(Serialize, ToSchema)]
struct Sessions {
    /// The last used first; at most 100.
    sessions: Vec<Session>,
}

/// Lists one's sessions
#[utoipa::path(
    get, path = "/api/v1/me/sessions", tag = "Me",
    responses((status = 200, description = "The sessions.", body = Sessions), Unauthenticated)
)]
async fn list_sessions(State(app): State<Arc<App>>, principal: Principal) -> Result<Json<Sessions>, Problem> {
    let (person, now) = (principal.person, app.clock.now());
    let found = app.db.read(move |tx| session::list(tx, person, now)).await?;
    let sessions = found.into_iter().map(|found| Session {
        current: principal.session() == Some(&found.id),
        id: found.id,
        created_at: found.created_at,
        used_at: found.used_at,
        expires_at: found.expires_at,
        agent: found.agent,
        address: found.address,
    });
    Ok(Json(Sessions {
        sessions: sessions.collect(),
    }))
}

/// Ends one's other sessions
///
/// All but the one of this request.
#[utoipa::path(
    delete, path = "/api/v1/me/sessions", tag = "Me",
    responses((status = 204, description = "Ended."), Unauthenticated)
)]
async fn end_other_sessions(State(app): State<Arc<App>>, principal: Principal) -> Result<StatusCode, Problem> {
    own::end_other_sessions(&app, &principal).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends one of one's sessions
#[utoipa::path(
    delete, path = "/api/v1/me/sessions/{id}", tag = "Me",
    params(("id" = String, Path, description = "The session's id.")),
    responses((status = 204, description = "Ended."), Unauthenticated, Missing)
)]
async fn end_session(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    own::end_session(&app, &principal, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
