//! The project's own API: one file a noun, each with its request types, handlers and response types.

mod deliveries;
mod devices;
mod directory;
pub mod docs;
mod endpoints;
mod etag;
pub mod extract;
mod inbox;
mod journal;
mod live;
mod me;
mod messages;
mod password;
mod personal;
pub mod refusals;
mod session;
mod sites;
mod suppressions;
mod visibility;

use std::sync::Arc;

use axum::Router;
use axum::handler::Handler;
use axum::routing::MethodRouter;
use utoipa::openapi::path::HttpMethod;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::PathItemExt as _;
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::pass::SESSION_COOKIE;
use crate::problem::Document;

/// What the description says of the API as a whole.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Campanile",
        description = "Messages to the people of a multi-tenant platform: publish, correct, recall, read, and see who \
                       heard.\n\nTimes are RFC 3339 in UTC. A refusal is a problem (RFC 9457); its `type` names one of \
                       the kinds below."
    ),
    components(schemas(Document<'static>)),
    modifiers(&Security),
    security(("session" = []), ("token" = []), ("basic" = [])),
    tags(
        (name = "Inbox", description = "What you see, and what you do with it."),
        (name = "Messages", description = "Preview, publish, look after, correct, recall."),
        (name = "Deliveries", description = "Email and HTTP POST: how far a message got, and with whom; sending again, \
                                             taking back."),
        (name = "Endpoints", description = "Saved destinations of messages by HTTP POST."),
        (name = "Suppressions", description = "Addresses that get no mail."),
        (name = "Sites", description = "Applications that show bell, inbox and banners in pages of their own, and what \
                                        their tokens are signed with."),
        (name = "Journal", description = "Who did what to messages and the directory."),
        (name = "Directory", description = "Who is who, with history."),
        (name = "Users", description = "The people of the platform."),
        (name = "Session", description = "Signing in and out."),
        (name = "Me", description = "What belongs to the person who asks."),
    )
)]
struct Description;

/// What goes with `Bearer`.
const TOKENS: &str =
    "A personal token; or a JWT that a site has signed for one of its users, which opens the inbox alone.";

/// The ways to show who one is.
struct Security;

impl Modify for Security {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let components = api.components.get_or_insert_default();
        let cookie = ApiKeyValue::with_description(SESSION_COOKIE, "A session; `__Host-` stands before it over https.");
        components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
        let http = |scheme, words: &str| {
            SecurityScheme::Http(HttpBuilder::new().scheme(scheme).description(Some(words)).build())
        };
        components.add_security_scheme("token", http(HttpAuthScheme::Bearer, TOKENS));
        components.add_security_scheme("basic", http(HttpAuthScheme::Basic, "Login and password."));
    }
}

/// Some operations that belong together: what answers them and, apart from that, what describes them. A description
/// takes memory that a process never gives back, and most of a server's start, and is wanted only by who asks for
/// [`document`].
struct Part {
    serve: fn() -> Router<Arc<App>>,
    describe: fn() -> OpenApiRouter<Arc<App>>,
}

/// A [`Part`] out of handlers that have a `#[utoipa::path]`; those of one path stand in one pair of brackets.
macro_rules! part {
    ($(($($handler:ident),+)),+ $(,)?) => {
        utoipa_axum::paste! {
            $crate::api::Part {
                serve: || axum::Router::new()$($(.route(
                    &<[<__path_ $handler>] as utoipa::Path>::path(),
                    $crate::api::answer(&<[<__path_ $handler>] as utoipa::Path>::methods(), &$handler),
                ))+)+,
                describe: || utoipa_axum::router::OpenApiRouter::new()$(.routes(utoipa_axum::routes!($($handler),+)))+,
            }
        }
    };
}
use part;

/// What answers some methods.
fn answer<T: 'static>(methods: &[HttpMethod], handler: &impl Handler<T, Arc<App>>) -> MethodRouter<Arc<App>> {
    methods.iter().fold(MethodRouter::new(), |all, method| {
        all.on(method.to_method_filter(), handler.clone())
    })
}

/// What the API is put together from.
fn parts() -> impl Iterator<Item = Part> {
    let here: [Part; 13] = [
        inbox::ROUTES,
        live::ROUTES,
        visibility::ROUTES,
        session::ROUTES,
        me::ROUTES,
        devices::ROUTES,
        password::ROUTES,
        personal::ROUTES,
        deliveries::ROUTES,
        endpoints::ROUTES,
        suppressions::ROUTES,
        sites::ROUTES,
        journal::ROUTES,
    ];
    here.into_iter().chain(messages::PARTS).chain(directory::parts())
}

/// Every route of the API.
pub fn routes() -> Router<Arc<App>> {
    parts().fold(Router::new(), |all, part| all.merge((part.serve)()))
}

/// The OpenAPI 3.1 document.
#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    let described = OpenApiRouter::with_openapi(Description::openapi());
    parts()
        .fold(described, |all, part| all.merge((part.describe)()))
        .into_openapi()
}
