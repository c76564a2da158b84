//! The project's own API: one file a noun, each with its request types, handlers and response types.

pub mod docs;
mod etag;
pub mod extract;
mod inbox;
mod me;
mod messages;
mod password;
pub mod refusals;
mod session;
mod visibility;

use std::sync::Arc;

use utoipa::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::pass::SESSION_COOKIE;
use crate::telemetry::VERSION;

/// What the description says about all of it.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Campanile",
        description = "Messages to the people of a platform, and who heard. Refusals are problem+json (RFC 9457). \
                       Lists come in pages: send `next` back as `cursor`.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    security(("token" = []), ("basic" = []), ("session" = [])),
    tags(
        (name = "Inbox", description = "What you see, and what you do with it."),
        (name = "Messages", description = "Send, look after, correct, recall."),
        (name = "Directory", description = "Who is who, with history."),
        (name = "Session", description = "Sign in and out."),
        (name = "Me", description = "Your profile, password, tokens, ticket and sessions."),
    )
)]
struct Description;

/// Every route of the API, with its description.
#[must_use]
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(description())
        .merge(inbox::routes())
        .merge(messages::routes())
        .merge(visibility::routes())
        .merge(session::routes())
        .merge(me::routes())
        .merge(password::routes())
}

/// The OpenAPI 3.1 document.
#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    routes().into_openapi()
}

fn description() -> utoipa::openapi::OpenApi {
    let mut api = Description::openapi();
    VERSION.clone_into(&mut api.info.version);
    let components = api.components.get_or_insert_default();
    let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    components.add_security_scheme("token", bearer);
    components.add_security_scheme("basic", SecurityScheme::Http(Http::new(HttpAuthScheme::Basic)));
    let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(SESSION_COOKIE)));
    components.add_security_scheme("session", cookie);
    api
}
