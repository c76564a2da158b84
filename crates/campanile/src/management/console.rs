//! What the console needs to know before anybody has signed in.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::place::Organization;
use super::refusal::Refusal;
use crate::app::App;

/// Seconds between two looks of a console at the notifications of its user.
const NOTIFICATIONS_S: u32 = 10;
/// Seconds between two looks at what waits for the user, which is never anything here.
const TASKS_S: u32 = 60;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/console", get(read))
        .route("/social-identities", get(others))
}

/// Who else could sign people in: nobody.
async fn others(_: Organization) -> Json<[(); 0]> {
    Json([])
}

/// What this server has not, such as newsletters, alerts and log-in by others, is switched off.
async fn read(State(app): State<Arc<App>>, _: Organization) -> Result<Json<Value>, Refusal> {
    let off = || json!({"enabled": false});
    Ok(Json(json!({
        "alert": off(),
        "alertEngine": off(),
        "analyticsPendo": off(),
        "authentication": {"localLogin": {"enabled": true}},
        "logging": {
            "maxDurationMillis": 0,
            "audit": {"enabled": false, "trail": off()},
            "user": {"displayed": false},
        },
        "maintenance": off(),
        "management": {
            "title": "Campanile",
            "url": app.origin,
            "installationType": "standalone",
            "support": off(),
            "userCreation": off(),
            "automaticValidation": off(),
            "systemRoleEdition": off(),
        },
        "newsletter": off(),
        "reCaptcha": off(),
        "scheduler": {"tasks": TASKS_S, "notifications": NOTIFICATIONS_S},
        "theme": {"name": "default"},
    })))
}
