//! The names of roles that one may give to people.

use std::sync::Arc;

use axum::routing::get;
use axum::{Json, Router};
use campanile_core::portal::role;

use super::caller::Caller;
use super::place;
use crate::app::App;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route(place::ROLES, get(list))
}

async fn list(caller: Caller) -> Json<&'static [&'static str]> {
    Json(role::given_by(&caller.rights))
}
