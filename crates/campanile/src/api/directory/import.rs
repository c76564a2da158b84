//! The import of a directory file: read as it arrives, never held whole.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{DefaultBodyLimit, State};
use http::{HeaderMap, header};
use serde::Deserialize;
use utoipa::IntoParams;

use super::Editor;
use crate::api::extract::{Json, Query};
use crate::api::refusals::{Denied, Invalid, Malformed, TooLarge, Unauthenticated, Unavailable};
use crate::api::{Part, part};
use crate::app::App;
use crate::import::{Report, upload};
use crate::problem::{Kind, Problem};

const OPERATIONS: Part = part![(import_directory)];

pub(super) const ROUTES: Part = Part {
    // It has a limit of its own.
    serve: || (OPERATIONS.serve)().layer(DefaultBodyLimit::disable()),
    ..OPERATIONS
};

/// How to take it in.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct ImportQuery {
    /// Write nothing; say what would become of it.
    dry_run: bool,
}

/// Takes in a directory file
///
/// One JSON object a line, such as `{"kind":"customer","id":17,"name":"Acme"}`. Beside its `kind` (`customer`,
/// `environment`, `user`, `role`, `group`, `api`, `application`, `subscription`, `membership` or `remove`) it has the
/// fields of that kind's body. A line refers only to what stands above it or is there already. Good lines are kept, bad
/// ones are reported, so look at `ok`. Where the file does not arrive whole, what was taken stays, and sending it again
/// does no harm. Needs ORGANIZATION:ADMIN.
#[utoipa::path(
    post, path = "/api/v1/directory/import", tag = "Directory",
    params(ImportQuery),
    request_body(content = String, content_type = "application/x-ndjson", description = "The file."),
    responses(
        (status = 200, description = "Read to its end. Lines may have been bad.", body = Report),
        Malformed, Unauthenticated, Denied, TooLarge, Invalid, Unavailable,
    )
)]
async fn import_directory(
    State(app): State<Arc<App>>,
    Editor(by): Editor,
    Query(query): Query<ImportQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Report>, Problem> {
    check_type(&headers)?;
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse().ok());
    upload::run(&app, &by, body.into_data_stream(), announced, query.dry_run)
        .await
        .map(Json)
}

fn check_type(headers: &HeaderMap) -> Result<(), Problem> {
    let Some(given) = headers.get(header::CONTENT_TYPE) else {
        return Ok(());
    };
    let essence = given.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
    let known = ["application/x-ndjson", "application/json"];
    if known.iter().any(|known| essence.trim().eq_ignore_ascii_case(known)) {
        return Ok(());
    }
    let detail = "send the file with the header `Content-Type: application/x-ndjson`";
    Err(Problem::new(Kind::MediaType, detail))
}
