//! The UI messages contract: `/v3`, as clients of the Apica ASM API know it. It translates and decides nothing: people
//! and customers are those of the directory, and the rules are in [`campanile_core::portal`].
//!
//! Paths and the names of parameters are told apart without regard to case, which a router cannot: so what comes below
//! `/v3` is put into the router's own case first (`place`). Who asks is a `Caller`; a body, an id or a parameter is
//! read by `asked`; handlers return a [`Problem`](crate::problem::Problem), which `refusal` puts into the shape of the
//! contract, along with those that never came to a handler.
//!
//! The ticket stands in the address. Nothing writes an address anywhere: the log and the metrics have the pattern.

mod asked;
mod caller;
mod customers;
mod dates;
mod messages;
pub(crate) mod place;
pub(crate) mod refusal;
mod roles;
mod users;

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::Uri;
use http::uri::PathAndQuery;
use tower::ServiceExt;

use crate::app::App;
use crate::pass;

/// What answers below `/v3`, and what answers everywhere else: the fallback of the server's router, which has seen to
/// it that none of its own addresses was meant.
pub fn beside(app: &Arc<App>, elsewhere: Router) -> Router {
    let ours = routes(app);
    Router::new().fallback(move |request: Request| {
        let (ours, elsewhere) = (ours.clone(), elsewhere.clone());
        async move {
            if place::is_ours(request.uri().path()) {
                answer(ours, request).await
            } else {
                routed(elsewhere, request).await
            }
        }
    })
}

/// Every address of the contract.
fn routes(app: &Arc<App>) -> Router {
    Router::new()
        .merge(messages::routes())
        .merge(users::routes())
        .merge(customers::routes())
        .merge(roles::routes())
        .with_state(Arc::clone(app))
        .fallback(pass::nothing)
        .method_not_allowed_fallback(|| async { pass::wrong_method() })
}

async fn answer(ours: Router, mut request: Request) -> Response {
    let path = request.uri().path();
    let Some(place) = place::find(path) else {
        return pass::nothing().await.into_response();
    };
    if let Some(path) = place::routed(path, place) {
        let query = request
            .uri()
            .query()
            .map_or_else(String::new, |query| format!("?{query}"));
        match PathAndQuery::try_from(path + &query) {
            Ok(path) => *request.uri_mut() = Uri::from(path),
            Err(_) => return pass::nothing().await.into_response(),
        }
    }
    routed(ours, request).await
}

async fn routed(router: Router, request: Request) -> Response {
    match router.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}
