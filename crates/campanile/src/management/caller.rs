//! Who asks: by the header `Authorization`, else by the cookie (section 6 of the contract).

use std::sync::Arc;

use axum::extract::FromRequestParts;
use campanile_core::account::profile::Profile;
use campanile_core::id::PersonId;
use campanile_core::rights::Rights;
use http::HeaderMap;
use http::request::Parts;

use super::refusal::Refusal;
use super::{COOKIE, jwt, xsrf};
use crate::app::App;
use crate::auth::{self, Credentials, Principal};
use crate::person;
use crate::problem::{Kind, Problem};

/// Who makes a request, and what they hold. What is decided inside a write is decided by rights read there: these may
/// have been taken while it waited.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    /// The person, and how they showed it.
    pub(super) principal: Principal,
    /// What they are called.
    pub(super) profile: Arc<Profile>,
    /// What they hold.
    pub(super) rights: Arc<Rights>,
}

impl Caller {
    /// The person.
    pub(super) const fn person(&self) -> PersonId {
        self.principal.person
    }
}

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Refusal> {
        let principal = principal(parts, app).await?;
        if let Some(session) = principal.session() {
            xsrf::note(parts, session);
        }
        let person = person::asking(app, principal.person).await?;
        Ok(Self {
            principal,
            profile: person.profile,
            rights: person.rights,
        })
    }
}

/// A header decides alone. What a bearer holds is a JWT if there is a dot in it, and else a personal token.
async fn principal(parts: &Parts, app: &Arc<App>) -> Result<Principal, Problem> {
    let from = auth::address_of(app, &parts.extensions, &parts.headers);
    let found = match auth::authorization(&parts.headers) {
        Credentials::Bearer(text) if text.contains('.') => by_jwt(app, text).await?,
        Credentials::None => {
            let found = by_cookie(app, &parts.headers).await?;
            if let Some(session) = found.as_ref().and_then(Principal::session) {
                xsrf::check(app, parts, session)?;
            }
            found
        }
        _ => auth::by_header(app, parts).await?,
    };
    let found = found.ok_or_else(|| Problem::new(Kind::Unauthenticated, "sign in first"))?;
    Ok(found.at(from))
}

/// The person of the session that a JWT names.
async fn by_jwt(app: &Arc<App>, token: &str) -> Result<Option<Principal>, Problem> {
    match jwt::session(&app.key, token, app.clock.now()) {
        Some(session) => auth::by_signed_session(app, token, &session).await,
        None => Ok(None),
    }
}

/// The person of the cookie; `None` without one that is good.
async fn by_cookie(app: &Arc<App>, headers: &HeaderMap) -> Result<Option<Principal>, Problem> {
    let value = auth::cookie_value(headers, COOKIE).unwrap_or_default();
    let token = value
        .strip_prefix("Bearer%20")
        .or_else(|| value.strip_prefix("Bearer "));
    match token {
        Some(token) => by_jwt(app, token).await,
        None => Ok(None),
    }
}

/// Who came by a session that is alive, if anybody did.
pub(super) async fn of_session(app: &Arc<App>, headers: &HeaderMap) -> Result<Option<Principal>, Problem> {
    match auth::authorization(headers) {
        Credentials::Bearer(text) => by_jwt(app, text).await,
        Credentials::None => by_cookie(app, headers).await,
        _ => Ok(None),
    }
}
