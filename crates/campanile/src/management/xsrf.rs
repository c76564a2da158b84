//! What keeps pages of other sites from acting for who is signed in by the cookie, where no browser says which site a
//! request comes from (decision 31): the header `X-Xsrf-Token`, which belongs to the session and stands in every answer
//! to it. And, since it is about the same cookie: nobody's cookie is taken away.

use std::sync::{Arc, OnceLock};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use campanile_core::secret::{self, InstallationKey};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, StatusCode, header};

use super::COOKIE;
use crate::app::App;
use crate::auth;
use crate::problem::{Kind, Problem};

/// The header, of requests and of answers.
pub(super) const HEADER: HeaderName = HeaderName::from_static("x-xsrf-token");
/// The cookie in which clients expect it as well. It is not looked at: the session is.
const XSRF_COOKIE: &str = "XSRF-TOKEN";

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

const NEEDED: &str = "send the header X-Xsrf-Token with the value that it had in the last answer";

/// Where it is put down which session a request turned out to have.
#[derive(Debug, Clone, Default)]
struct Found(Arc<OnceLock<String>>);

/// The token of a session, by its public name: what is not known of a session that is not one's own.
pub(super) fn token(key: &InstallationKey, session: &str) -> String {
    secret::hex(&key.derive("console messaging xsrf", &[session.as_bytes()])[..16])
}

/// Notes the session by which a request was let in, for its answer.
pub(super) fn note(parts: &Parts, session: &str) {
    if let Some(Found(found)) = parts.extensions.get() {
        // The first stands; there is one session a request.
        drop(found.set(session.to_owned()));
    }
}

/// Refuses what the cookie alone authenticates, would change something, and is from nobody knows where.
///
/// # Errors
/// `CrossSite`.
pub(super) fn check(app: &App, parts: &Parts, session: &str) -> Result<(), Problem> {
    let harmless = matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS);
    let says_where = parts.headers.contains_key(header::ORIGIN) || parts.headers.contains_key(SEC_FETCH_SITE);
    let sent = parts.headers.get(HEADER).map_or(&b""[..], HeaderValue::as_bytes);
    if harmless || says_where || secret::same(sent, token(&app.key, session).as_bytes()) {
        return Ok(());
    }
    Err(Problem::new(Kind::CrossSite, NEEDED))
}

/// `Set-Cookie` for a session's JWT, and for its token.
pub(super) fn cookies(app: &App, jwt: &str, token: &str) -> [HeaderValue; 2] {
    let seconds = app.settings.session_lifetime.as_secs();
    [
        cookie(app, COOKIE, &format!("Bearer%20{jwt}"), seconds),
        cookie(app, XSRF_COOKIE, token, seconds),
    ]
}

/// `Set-Cookie` that takes both away.
pub(super) fn no_cookies(app: &App) -> [HeaderValue; 2] {
    [COOKIE, XSRF_COOKIE].map(|name| cookie(app, name, "", 0))
}

fn cookie(app: &App, name: &str, value: &str, seconds: u64) -> HeaderValue {
    let secure = if app.is_secure() { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}");
    HeaderValue::try_from(text).expect("ASCII without control characters")
}

/// Puts the token of the request's session into its answer; after a 401, takes the cookie away that came.
pub(super) async fn around(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let found = Found::default();
    // Only what came is taken away: a request of another site comes without, and must not sign anybody out.
    let brought = auth::cookie_value(request.headers(), COOKIE).is_some();
    request.extensions_mut().insert(found.clone());
    let mut response = next.run(request).await;
    let status = response.status();
    let headers = response.headers_mut();
    if let Some(session) = found.0.get() {
        let token = HeaderValue::try_from(token(&app.key, session)).expect("hexadecimal digits");
        headers.entry(HEADER).or_insert(token);
    }
    if status == StatusCode::UNAUTHORIZED && brought {
        for cookie in no_cookies(&app) {
            headers.append(header::SET_COOKIE, cookie);
        }
    }
    response
}
