//! Browsers that are told by push messages while no page is open.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use campanile_core::message::Importance;
use campanile_core::outbox::device::{self, Device};

use super::agent;
use crate::app::App;
use crate::console::form::{Asked, Form, Path};
use crate::console::page::{self, Page, Viewer};
use crate::devices;
use crate::problem::Problem;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/me/devices", get(show))
        .route("/me/devices/{id}", post(change))
        .route("/me/devices/{id}/remove", post(remove))
}

/// A device as it is shown.
struct Row {
    device: Device,
    agent: String,
}

impl Row {
    /// What is pushed, and whether it is what is chosen.
    fn choices(&self) -> [(&'static str, bool); 3] {
        let chosen = |one| self.device.importance == one;
        [
            ("low", chosen(Importance::Low)),
            ("high", chosen(Importance::High)),
            ("critical", chosen(Importance::Critical)),
        ]
    }
}

#[derive(Template)]
#[template(path = "console/me/devices.html")]
struct DevicesPage<'r> {
    page: Page<'r>,
    rows: Vec<Row>,
}

async fn show(State(app): State<Arc<App>>, reader: Viewer, Asked(asked): Asked) -> Result<Response, Problem> {
    let person = reader.principal.person;
    let found = app.db.read(move |tx| device::list(tx, person)).await?;
    let row = |device: Device| Row {
        agent: agent::named(reader.words, &device.agent),
        device,
    };
    let rows = found.into_iter().map(row).collect();
    let page = Page::new(&reader, "me", reader.t("devices")).after(&asked);
    page::show(&DevicesPage { page, rows })
}

async fn change(
    State(app): State<Arc<App>>,
    reader: Viewer,
    Path(id): Path<String>,
    Form(fields): Form,
) -> Result<Response, Problem> {
    let importance = match fields.get("importance") {
        "critical" => Importance::Critical,
        "high" => Importance::High,
        _ => Importance::Low,
    };
    devices::change(&app, &reader.principal, id, importance).await?;
    Ok(page::done("/me/devices", "device-changed", &[]))
}

async fn remove(State(app): State<Arc<App>>, reader: Viewer, Path(id): Path<String>) -> Result<Response, Problem> {
    devices::remove(&app, &reader.principal, id).await?;
    Ok(page::done("/me/devices", "device-removed", &[]))
}
