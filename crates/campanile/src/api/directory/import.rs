//! The import of a directory file: read as it arrives, never held whole.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{DefaultBodyLimit, State};
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use http::{HeaderMap, header};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Editor;
use crate::api::extract::{Json, Query, body_error_problem};
use crate::api::refusals::{Denied, Invalid, Malformed, TooLarge, Unauthenticated, Unavailable};
use crate::app::App;
use crate::import::{self, Broken, Manner, Report};
use crate::problem::{Kind, Problem};

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    let limited_here = DefaultBodyLimit::disable();
    OpenApiRouter::new()
        .routes(routes!(import_directory))
        .layer(limited_here)
}

/// How to take it in.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct ImportQuery {
    /// Write nothing; say what would become of it.
    dry_run: bool,
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// More came than may.
#[derive(Debug, thiserror::Error)]
#[error("more than {0} bytes")]
struct Overlong(u64);

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
    _: Editor,
    Query(query): Query<ImportQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Report>, Problem> {
    let limit = app.settings.limits.import_limit;
    check_type(&headers)?;
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse().ok());
    if announced.is_some_and(|bytes: u64| bytes > limit) {
        return Err(stopped(too_large(limit), 0, query.dry_run));
    }
    let mut taken = 0;
    let mut progress = |done: import::Progress| taken = done.lines;
    let done = import::run(&app, limited(body, limit), query.dry_run, Manner::Polite, &mut progress).await;
    done.map(Json)
        .map_err(|broken| stopped(problem(broken), taken, query.dry_run))
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

/// The body as it arrives; after more than `limit` bytes, an error.
fn limited(body: Body, limit: u64) -> impl Stream<Item = Result<Bytes, BoxError>> + Send {
    let mut room = limit;
    body.into_data_stream().map(move |piece| {
        let piece = piece?;
        room = room.checked_sub(piece.len() as u64).ok_or(Overlong(limit))?;
        Ok(piece)
    })
}

fn problem(broken: Broken) -> Problem {
    match broken {
        Broken::Source(error) => match error.downcast_ref::<Overlong>() {
            Some(Overlong(limit)) => too_large(*limit),
            None => body_error_problem(error.as_ref()),
        },
        Broken::Rule(error) => error.into(),
        Broken::Defect(cause) => Problem::internal(cause),
    }
}

fn too_large(limit: u64) -> Problem {
    let detail = format!("the file is larger than {limit} bytes, the setting `import_limit`");
    Problem::new(Kind::TooLarge, detail)
}

/// A problem in the middle of a file: it says what has been taken.
fn stopped(mut problem: Problem, lines: u64, dry_run: bool) -> Problem {
    // Where the server failed, some of what came after may have been written.
    let is_exact = problem.kind.status().is_client_error();
    let taken = match (lines, dry_run) {
        (_, true) => "nothing was to be taken".to_owned(),
        (0, false) if is_exact => "nothing was taken".to_owned(),
        (lines, false) if is_exact => format!("the good lines up to line {lines} were taken, and stay"),
        (lines, false) => format!("the good lines up to line {lines}, and perhaps some after it, were taken, and stay"),
    };
    problem.detail = format!("{}; {taken}", problem.detail);
    problem
}
