//! The journal: who did what, from where, with what was there before and after: `/api/v1/journal`. For
//! ORGANIZATION:ADMIN.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use campanile_core::directory::list::{Page, Paging};
use campanile_core::journal::{Action, Filter, Item, Kind};
use campanile_core::time::Moment;
use http::{HeaderMap, header};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::api::extract::{Json, Query};
use crate::api::refusals::{Denied, Invalid, Malformed, Unauthenticated, Unavailable};
use crate::api::{Part, part};
use crate::app::App;
use crate::auth::Principal;
use crate::journal::{self, Format};
use crate::problem::Problem;

/// The routes of this file.
pub(super) const ROUTES: Part = part![(list), (export)];

/// Which deeds, and which page of them.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct JournalQuery {
    /// Only those of this user, by id or login.
    actor: Option<String>,
    /// Only this action.
    #[param(inline)]
    action: Option<Action>,
    /// Only what was done to this kind.
    #[param(inline)]
    kind: Option<Kind>,
    /// Only what was done to the one with this id; together with `kind`. Tokens, sessions, passwords and memberships
    /// have that of their user.
    object: Option<String>,
    /// Only from this time on.
    from: Option<Moment>,
    /// Only before this time.
    to: Option<Moment>,
    /// Only where this stands in the title of the message, the id, the address, the name of who did it, or in what was
    /// there before and after, in any case of letters; at most 200 characters.
    q: Option<String>,
    /// The `next` of the page before.
    cursor: Option<String>,
    /// Deeds of a page, 1 to 100; 50 where absent.
    limit: Option<i64>,
}

/// Lists what was done to messages and the directory, the newest first, with who did it and from where.
///
/// Secrets are masked. Where a filter leaves out very much, a page can be shorter than its limit, or empty, and have a
/// `next`. Needs ORGANIZATION:ADMIN.
#[utoipa::path(get, path = "/api/v1/journal", operation_id = "list_journal", tag = "Journal",
    params(JournalQuery), responses(
    (status = 200, description = "A page.", body = Page<Item>),
    Malformed, Unauthenticated, Denied, Invalid, Unavailable,
))]
async fn list(
    State(app): State<Arc<App>>,
    principal: Principal,
    Query(query): Query<JournalQuery>,
) -> Result<Json<Page<Item>>, Problem> {
    let filter = Filter {
        actor: query.actor,
        action: query.action,
        kind: query.kind,
        object: query.object,
        from: query.from,
        to: query.to,
        q: query.q,
    };
    let paging = Paging {
        limit: query.limit,
        cursor: query.cursor,
    };
    journal::list(&app, principal.person, filter, paging).await.map(Json)
}

/// Which deeds of an export, and how they are written.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct JournalExportQuery {
    /// Only those of this user, by id or login.
    actor: Option<String>,
    /// Only this action.
    #[param(inline)]
    action: Option<Action>,
    /// Only what was done to this kind.
    #[param(inline)]
    kind: Option<Kind>,
    /// Only what was done to the one with this id; together with `kind`.
    object: Option<String>,
    /// Only from this time on.
    from: Option<Moment>,
    /// Only before this time.
    to: Option<Moment>,
    /// Only where this stands, as in the list.
    q: Option<String>,
    /// `ndjson` or `csv`; where absent, as the header `Accept` says.
    #[param(inline)]
    format: Option<Format>,
}

/// Gives the journal as a file, the newest first: a line of JSON each, or CSV, as a stream.
///
/// `?format=` decides, or the header `Accept`: `text/csv`, else `application/x-ndjson`. In CSV (RFC 4180, UTF-8, the
/// first line names the columns) a cell that a spreadsheet would take for a formula has an apostrophe before it. A
/// stream that breaks off is not whole. Needs ORGANIZATION:ADMIN.
#[utoipa::path(get, path = "/api/v1/journal/export", operation_id = "export_journal", tag = "Journal",
    params(JournalExportQuery), responses(
    (status = 200, description = "The journal.", content((String = "application/x-ndjson"), (String = "text/csv"))),
    Malformed, Unauthenticated, Denied, Invalid, Unavailable,
))]
async fn export(
    State(app): State<Arc<App>>,
    principal: Principal,
    headers: HeaderMap,
    Query(query): Query<JournalExportQuery>,
) -> Result<Response, Problem> {
    let filter = Filter {
        actor: query.actor,
        action: query.action,
        kind: query.kind,
        object: query.object,
        from: query.from,
        to: query.to,
        q: query.q,
    };
    let format = query.format.unwrap_or_else(|| accepted(&headers));
    let lines = journal::export(&app, &principal, filter, format).await?;
    let (media, name) = match format {
        Format::Ndjson => ("application/x-ndjson", "journal.ndjson"),
        Format::Csv => ("text/csv; charset=utf-8; header=present", "journal.csv"),
    };
    let headers = [
        (header::CONTENT_TYPE, media.to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    Ok((headers, Body::from_stream(lines)).into_response())
}

/// CSV where that is what the client takes, and lines of JSON are not.
fn accepted(headers: &HeaderMap) -> Format {
    let takes = |wanted: &str| {
        let lines = headers.get_all(header::ACCEPT).into_iter();
        let mut types = lines
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(','));
        types.any(|one| {
            one.split(';')
                .next()
                .is_some_and(|one| one.trim().eq_ignore_ascii_case(wanted))
        })
    };
    if takes("text/csv") && !takes("application/x-ndjson") {
        Format::Csv
    } else {
        Format::Ndjson
    }
}
