//! The import of a directory file by upload: taken in as it arrives, then a report of what became of it.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRequest as _, Multipart, Request, State};
use axum::response::Response;
use axum::routing::get;

use super::super::form::Asked;
use super::super::page::{Reader, show};
use super::{Editor, Shell, in_shell};
use crate::app::App;
use crate::auth::Principal;
use crate::import::{Report, upload};
use crate::problem::{Kind, Problem};

/// Bad lines that are shown; all are counted.
const SHOWN: usize = 200;
/// Bytes of a field that is no file.
const FIELD: usize = 16;

pub(super) fn routes() -> Router<Arc<App>> {
    let take = get(ask).post(take).layer(DefaultBodyLimit::disable());
    Router::new().route(crate::console::IMPORT, take)
}

/// A line that was not taken.
struct Bad {
    line: u64,
    field: String,
    reason: String,
}

/// What became of a file, in words.
struct Told {
    report: Report,
    bad: Vec<Bad>,
    /// Whether there are more faults than are shown.
    cut: bool,
}

#[derive(Template)]
#[template(path = "console/directory/import.html")]
struct ImportPage<'r> {
    shell: Shell<'r>,
    told: Option<Told>,
    refused: Option<String>,
    dry_run: bool,
}

in_shell!(ImportPage);

/// The report alone, for the script that puts it in place.
#[derive(Template)]
#[template(path = "console/directory/report.html")]
struct ReportPart<'r> {
    shell: Shell<'r>,
    told: Option<Told>,
    refused: Option<String>,
}

in_shell!(ReportPart);

async fn ask(Editor(reader): Editor) -> Result<Response, Problem> {
    show(&ImportPage {
        shell: Shell::new(&reader, "import", reader.t("import")),
        told: None,
        refused: None,
        dry_run: true,
    })
}

async fn take(
    State(app): State<Arc<App>>,
    Editor(reader): Editor,
    Asked(asked): Asked,
    request: Request,
) -> Result<Response, Problem> {
    let mut dry_run = false;
    let done = read(&app, &reader.principal, request, &mut dry_run).await;
    let (told, refused) = match done {
        Ok(report) => (Some(tell(&reader, report)), None),
        Err(problem) if problem.kind.status().is_client_error() => (None, Some(reader.refusal(&problem.detail))),
        Err(problem) => return Err(problem),
    };
    let is_refused = refused.is_some();
    let shell = Shell::new(&reader, "import", reader.t("import"));
    let answer = if asked.has("part") {
        show(&ReportPart { shell, told, refused })
    } else {
        show(&ImportPage {
            shell,
            told,
            refused,
            dry_run,
        })
    };
    answer.map(|mut page| {
        if is_refused {
            *page.status_mut() = http::StatusCode::UNPROCESSABLE_ENTITY;
        }
        page
    })
}

/// Reads the form: the box first, as it stands on the page, then the file as it comes.
async fn read(app: &App, by: &Principal, request: Request, dry_run: &mut bool) -> Result<Report, Problem> {
    let malformed = || Problem::new(Kind::Malformed, "the form did not arrive whole");
    let mut form = Multipart::from_request(request, &())
        .await
        .map_err(|_| Problem::new(Kind::MediaType, "send the file by the form of this page"))?;
    while let Some(mut field) = form.next_field().await.map_err(|_| malformed())? {
        match field.name() {
            Some("file") if field.file_name().is_some_and(|name| !name.is_empty()) => {
                return upload::run(app, by, field, None, *dry_run).await;
            }
            Some("file") => break,
            Some("dry_run") => *dry_run = true,
            _ => {}
        }
        let mut read = 0;
        while let Some(piece) = field.chunk().await.map_err(|_| malformed())? {
            read += piece.len();
            if read > FIELD {
                return Err(Problem::new(Kind::TooLarge, "a field before the file is too long"));
            }
        }
    }
    Err(Problem::new(Kind::Invalid, "choose a file first"))
}

fn tell(reader: &Reader, mut report: Report) -> Told {
    let faults = report.errors.len();
    let bad: Vec<Bad> = std::mem::take(&mut report.errors)
        .into_iter()
        .take(SHOWN)
        .map(|bad| Bad {
            line: bad.line,
            field: bad.field,
            reason: reader.refusal(&bad.reason),
        })
        .collect();
    Told {
        // Of a file with very many faults the report itself has the first ones only.
        cut: faults > bad.len() || report.bad > bad.len() as u64,
        bad,
        report,
    }
}
