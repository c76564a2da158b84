//! Saved destinations of POSTs: the list, one of them with its health, and what is done with it. Its form is in
//! [`super::endpoint_form`].

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use campanile_core::Error;
use campanile_core::message::target;
use campanile_core::outbox::endpoint::{self, Endpoint, Filter, GRACE_HOURS, GRACE_HOURS_LIMIT, State as Condition};
use campanile_core::policy::{self, Act};
use campanile_core::rights::Rights;
use campanile_store::Tx;

use super::endpoint_form as form;
use crate::app::App;
use crate::console::ask::{self, Ask};
use crate::console::form::{Asked, Form, Path};
use crate::console::page::{self, Page, Reader};
use crate::console::refused::Refused;
use crate::endpoints;
use crate::problem::Problem;

/// Endpoints of a page.
const ROWS: usize = 50;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/endpoints", get(list))
        .route("/endpoints/new", get(form::ask_new).post(form::create))
        .route("/endpoints/{id}", get(one))
        .route("/endpoints/{id}/edit", get(form::ask_change).post(form::change))
        .route("/endpoints/{id}/pause", post(pause))
        .route("/endpoints/{id}/resume", post(resume))
        .route("/endpoints/{id}/rotate", post(rotate))
        .route("/endpoints/{id}/test", post(test))
        .route("/endpoints/{id}/remove", get(ask_remove).post(remove))
}

/// The page of one.
pub(super) fn address(id: i64) -> String {
    format!("/endpoints/{id}")
}

/// The name of a state in names of texts, and the class of its colour. One that fails is said to, though it is active.
fn state_name(of: &Endpoint) -> (&'static str, &'static str) {
    match of.state {
        Condition::Paused => ("paused", "high"),
        Condition::Off => ("off", "critical"),
        Condition::Active if of.health.failing_since.is_some() => ("failing", "critical"),
        Condition::Active if of.health.succeeded_at.is_some() => ("well", "good"),
        Condition::Active => ("unused", ""),
    }
}

struct Row {
    state: &'static str,
    colour: &'static str,
    why: Option<String>,
    /// Whose messages are posted to it, in words.
    whose: String,
    of: Endpoint,
}

fn row(reader: &Reader, of: Endpoint) -> Row {
    let (state, colour) = state_name(&of);
    let why = of.health.failed_reason.as_deref();
    let whose = of.api.as_ref().map_or_else(
        || reader.s("endpoint-of-environment", reader.environment_name(&of.environment)),
        |api| reader.s("endpoint-of-api", api),
    );
    Row {
        state,
        colour,
        why: why.map(|reason| reader.refusal(reason)),
        whose,
        of,
    }
}

#[derive(Template)]
#[template(path = "console/outbox/endpoints.html")]
struct ListPage<'r> {
    page: Page<'r>,
    rows: Vec<Row>,
    may_create: bool,
    more: Option<String>,
}

/// `GET /endpoints`: of the chosen environment, those of its APIs included.
async fn list(State(app): State<Arc<App>>, reader: Reader, Asked(asked): Asked) -> Result<Response, Problem> {
    if !policy::may_see_any_endpoint(&reader.rights) {
        return Err(Error::Denied("you lack: MESSAGE[READ] on any environment or API".into()).into());
    }
    let (person, key, now) = (reader.principal.person, app.key.clone(), reader.now);
    let (chosen, after) = (reader.chosen.clone(), asked.get("cursor").parse().unwrap_or(0));
    let find = move |tx: &mut Tx<'_>| {
        let rights = Rights::load(tx, person)?;
        let environment = chosen.map(|chosen| target::environment(tx, &chosen)).transpose()?;
        let filter = Filter {
            environment: environment.flatten(),
            api: None,
        };
        let takes = |of: &Endpoint| policy::may(&rights, &Act::SeeEndpoint(of.part())).is_ok();
        endpoint::list(tx, &key, filter, after, ROWS, now, takes)
    };
    let (found, next) = app.db.scan(find).await?;
    page::show(&ListPage {
        page: Page::new(&reader, "messages", reader.t("endpoints"))
            .of_environment(&reader)
            .after(&asked),
        rows: found.into_iter().map(|one| row(&reader, one)).collect(),
        may_create: policy::may_create_any_endpoint(&reader.rights),
        more: next.map(|next| format!("/endpoints?cursor={next}")),
    })
}

#[derive(Template)]
#[template(path = "console/outbox/endpoint.html")]
struct OnePage<'r> {
    page: Page<'r>,
    row: Row,
    /// Told this once.
    secret: Option<String>,
    refused: Refused,
    grace: String,
    grace_limit: i64,
    may_change: bool,
    may_test: bool,
    may_remove: bool,
}

fn seen(reader: &Reader, of: Endpoint, secret: Option<String>) -> OnePage<'_> {
    let part = of.part();
    OnePage {
        page: Page::new(reader, "messages", of.name.clone()),
        secret,
        refused: Refused::default(),
        grace: GRACE_HOURS.to_string(),
        grace_limit: GRACE_HOURS_LIMIT,
        may_change: reader.may(&Act::ChangeEndpoint(part)),
        may_test: of.state == Condition::Active && reader.may(&Act::CreateEndpoint(part)),
        may_remove: reader.may(&Act::RemoveEndpoint(part)),
        row: row(reader, of),
    }
}

/// One with its new secret, which no page shows again.
pub(super) fn with_secret(reader: &Reader, of: Endpoint, secret: String) -> Result<Response, Problem> {
    page::show(&seen(reader, of, Some(secret)))
}

async fn one(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(id): Path<i64>,
    Asked(asked): Asked,
) -> Result<Response, Problem> {
    let found = endpoints::one(&app, &reader.principal, id).await?;
    let mut shown = seen(&reader, found, None);
    shown.page = shown.page.after(&asked);
    page::show(&shown)
}

async fn pause(State(app): State<Arc<App>>, reader: Reader, Path(id): Path<i64>) -> Result<Response, Problem> {
    endpoints::pause(&app, &reader.principal, id, true).await?;
    Ok(page::done(&address(id), "endpoint-paused", &[]))
}

async fn resume(State(app): State<Arc<App>>, reader: Reader, Path(id): Path<i64>) -> Result<Response, Problem> {
    endpoints::pause(&app, &reader.principal, id, false).await?;
    Ok(page::done(&address(id), "endpoint-resumed", &[]))
}

async fn rotate(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(id): Path<i64>,
    Form(fields): Form,
) -> Result<Response, Problem> {
    let by = &reader.principal;
    let hours = fields.some("grace_hours").map(|hours| hours.parse().unwrap_or(-1));
    match endpoints::rotate(&app, by, id, None, hours).await {
        Ok((found, secret)) => with_secret(&reader, found, secret),
        Err(problem) => {
            let refused = Refused::of(&reader, problem)?;
            let found = endpoints::one(&app, by, id).await?;
            page::refuse(&OnePage {
                refused,
                grace: fields.get("grace_hours").to_owned(),
                ..seen(&reader, found, None)
            })
        }
    }
}

/// Posts a test, and shows what became of it.
async fn test(State(app): State<Arc<App>>, reader: Reader, Path(id): Path<i64>) -> Result<Response, Problem> {
    let by = &reader.principal;
    match endpoints::test(&app, by, id).await {
        Ok(message) => Ok(page::done(&format!("/messages/{message}"), "endpoint-tested", &[])),
        Err(problem) => {
            let refused = Refused::of(&reader, problem)?;
            let found = endpoints::one(&app, by, id).await?;
            let before = seen(&reader, found, None);
            page::refuse(&OnePage { refused, ..before })
        }
    }
}

async fn ask_remove(State(app): State<Arc<App>>, reader: Reader, Path(id): Path<i64>) -> Result<Response, Problem> {
    let found = endpoints::one(&app, &reader.principal, id).await?;
    policy::may(&reader.rights, &Act::RemoveEndpoint(found.part()))?;
    ask::show(
        &reader,
        Ask {
            here: "messages",
            title: reader.s("endpoint-remove-title", &found.name),
            text: reader.t("endpoint-remove-text"),
            crumb: (address(id), found.name),
            action: format!("/endpoints/{id}/remove"),
            fields: Vec::new(),
            keep: reader.t("keep-it"),
            button: reader.t("endpoint-remove"),
            is_grave: true,
            refused: Vec::new(),
        },
    )
}

async fn remove(State(app): State<Arc<App>>, reader: Reader, Path(id): Path<i64>) -> Result<Response, Problem> {
    endpoints::remove(&app, &reader.principal, id).await?;
    Ok(page::done("/endpoints", "endpoint-removed", &[]))
}
