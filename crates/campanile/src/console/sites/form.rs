//! The form of a site, for a new one and for a change.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use campanile_core::directory::NAME_LIMIT;
use campanile_core::directory::entry::Patch;
use campanile_core::id::CustomerId;
use campanile_core::policy::{self, Act};
use campanile_core::site::{Change, New, ORIGINS_LIMIT, Site};

use super::{HERE, address};
use crate::app::App;
use crate::console::form::{Fields, Form, Path};
use crate::console::page::{self, Page, Viewer};
use crate::console::refused::Refused;
use crate::problem::Problem;
use crate::sites;

/// Fields beside which their fault stands.
const FIELDS: [&str; 3] = ["name", "origins", "customer"];

#[derive(Template)]
#[template(path = "console/sites/form.html")]
struct FormPage<'r> {
    page: Page<'r>,
    action: String,
    back: String,
    back_name: String,
    refused: Refused,
    name: String,
    /// One a line.
    origins: String,
    customer: String,
    name_chars: usize,
    origins_limit: usize,
}

impl FormPage<'_> {
    /// What stands at the top: what is said of no field of the page.
    fn summary(&self) -> Vec<String> {
        self.refused.beside(&FIELDS)
    }
}

/// The form as it was typed.
fn typed<'r>(viewer: &'r Viewer, fields: &Fields, old: Option<&Site>) -> FormPage<'r> {
    let title = match old {
        Some(old) => viewer.s("site-change-title", &old.name),
        None => viewer.t("site-new"),
    };
    let at = old.map(|old| address(&old.id));
    FormPage {
        page: Page::new(viewer, HERE, title),
        action: at
            .as_ref()
            .map_or_else(|| "/sites/new".to_owned(), |at| format!("{at}/edit")),
        back: at.unwrap_or_else(|| "/sites".to_owned()),
        back_name: old.map_or_else(|| viewer.t("sites"), |old| old.name.clone()),
        refused: Refused::default(),
        name: fields.get("name").to_owned(),
        origins: fields.text("origins"),
        customer: fields.get("customer").to_owned(),
        name_chars: NAME_LIMIT,
        origins_limit: ORIGINS_LIMIT,
    }
}

fn origins(fields: &Fields) -> Vec<String> {
    let text = fields.text("origins");
    text.split_whitespace().map(str::to_owned).collect()
}

/// The customer that was typed; what is no number is none that there is.
fn customer(fields: &Fields) -> Option<CustomerId> {
    let typed = fields.some("customer")?;
    Some(CustomerId(typed.parse().unwrap_or(0)))
}

/// What the rules said, with the faults of each origin together at the field, by its text.
fn refused(viewer: &Viewer, fields: &Fields, mut problem: Problem) -> Result<Refused, Problem> {
    let typed = origins(fields);
    let mut said = Vec::new();
    problem.errors.retain(|fault| {
        let at = fault
            .field
            .strip_prefix("origins[")
            .and_then(|rest| rest.strip_suffix(']'));
        let origin = at.and_then(|at| at.parse::<usize>().ok()).and_then(|at| typed.get(at));
        said.extend(origin.map(|origin| format!("{origin}: {}", viewer.refusal(&fault.reason))));
        origin.is_none()
    });
    let others = if problem.errors.is_empty() && !said.is_empty() {
        Refused::default()
    } else {
        Refused::of(viewer, problem)?
    };
    Ok(if said.is_empty() {
        others
    } else {
        others.and("origins", said.join(" "))
    })
}

/// `GET /sites/new`.
pub(super) async fn ask_new(viewer: Viewer) -> Result<Response, Problem> {
    policy::may(&viewer.rights, &Act::Operate)?;
    page::show(&typed(&viewer, &Fields::default(), None))
}

/// `POST /sites/new`.
pub(super) async fn create(
    State(app): State<Arc<App>>,
    viewer: Viewer,
    Form(fields): Form,
) -> Result<Response, Problem> {
    let new = New {
        name: fields.get("name").to_owned(),
        origins: origins(&fields),
        customer: customer(&fields),
    };
    match sites::create(&app, &viewer.principal, new).await {
        Ok(made) => Ok(page::done(&address(&made.id), "site-made", &[])),
        Err(problem) => {
            let refused = refused(&viewer, &fields, problem)?;
            let before = typed(&viewer, &fields, None);
            page::refuse(&FormPage { refused, ..before })
        }
    }
}

/// `GET /sites/{id}/edit`.
pub(super) async fn ask_change(
    State(app): State<Arc<App>>,
    viewer: Viewer,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let (old, _) = sites::one(&app, viewer.principal.person, &id).await?;
    let before = typed(&viewer, &Fields::default(), Some(&old));
    page::show(&FormPage {
        name: old.name,
        origins: old.origins.join("\n"),
        customer: old.customer.map(|customer| customer.to_string()).unwrap_or_default(),
        ..before
    })
}

/// `POST /sites/{id}/edit`.
pub(super) async fn change(
    State(app): State<Arc<App>>,
    viewer: Viewer,
    Path(id): Path<String>,
    Form(fields): Form,
) -> Result<Response, Problem> {
    let wanted = Change {
        name: Some(fields.get("name").to_owned()),
        origins: Some(origins(&fields)),
        customer: customer(&fields).map_or(Patch::Null, Patch::Set),
    };
    match sites::change(&app, &viewer.principal, &id, wanted).await {
        Ok(_) => Ok(page::done(&address(&id), "site-changed", &[])),
        Err(problem) => {
            let refused = refused(&viewer, &fields, problem)?;
            let (old, _) = sites::one(&app, viewer.principal.person, &id).await?;
            let before = typed(&viewer, &fields, Some(&old));
            page::refuse(&FormPage { refused, ..before })
        }
    }
}
