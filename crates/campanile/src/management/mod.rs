//! The console messaging contract: `/management` and its twin for the developer portal, `/portal`, as clients of
//! Gravitee APIM 3.x and 4.x know them. It translates and decides nothing: people, messages and audiences are those of
//! the rest of the server, under the same rules.
//!
//! One set of routes is mounted below each root. An address names its organization and environment (`place`), which are
//! looked at before anything else; who asks is a `Caller`, by JWT (`jwt`), cookie, personal token or Basic; handlers
//! return a `Refusal`, or a [`Problem`](crate::problem::Problem) as elsewhere, and `refusal` puts either into the shape
//! of the contract, along with those that never came to a handler.

mod caller;
mod console;
mod directory;
mod jwt;
mod login;
mod messages;
mod notifications;
pub(crate) mod place;
pub(crate) mod refusal;
mod roles;
mod scalar;
mod subscriptions;
mod tokens;
mod user;
mod xsrf;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::any;

use crate::app::App;
use crate::pass;

/// The cookie that signs a browser in: `Bearer%20` and a JWT.
pub const COOKIE: &str = "Auth-Graviteeio-APIM";

/// The one organization (decision 11), as addresses name it.
const ORGANIZATION: &str = "DEFAULT";

/// Every address of the contract. What lies below its roots and is no address of it is nowhere.
pub fn routes(app: &Arc<App>) -> Router {
    let management = Router::new()
        .nest("/organizations/{org}", organization())
        .nest("/v1/organizations/{org}", organization());
    let dressed = |routes: Router<Arc<App>>| {
        routes
            .layer(from_fn_with_state(Arc::clone(app), xsrf::around))
            .fallback(pass::nothing)
            .with_state(Arc::clone(app))
    };
    let portal = Router::new().nest("/environments/{env}", portal());
    // A nested router does not answer for its root itself.
    let roots = ["/management", "/management/", "/portal", "/portal/"];
    roots
        .into_iter()
        .fold(Router::new(), |all, root| all.route(root, any(pass::nothing)))
        .nest("/management", dressed(management))
        .nest("/portal", dressed(portal))
}

/// What lies below an organization.
fn organization() -> Router<Arc<App>> {
    user()
        .merge(console::routes())
        .merge(roles::routes())
        .nest("/environments/{env}", environment())
}

/// What lies below an environment. What is the user's own is also here, as it was before there were organizations.
fn environment() -> Router<Arc<App>> {
    user()
        .merge(messages::routes())
        .merge(directory::routes())
        .merge(subscriptions::routes())
}

/// What is the user's own.
fn user() -> Router<Arc<App>> {
    Router::new()
        .merge(login::routes())
        .merge(user::routes())
        .merge(tokens::routes())
        .merge(notifications::routes())
}

/// What lies below an environment of the portal.
fn portal() -> Router<Arc<App>> {
    Router::new()
        .merge(login::portal_routes())
        .merge(user::portal_routes())
        .merge(notifications::portal_routes())
}
