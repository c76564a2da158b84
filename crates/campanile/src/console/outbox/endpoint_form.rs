//! The form of a saved destination, for a new one and for a change.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use campanile_core::Error;
use campanile_core::directory::entry::Patch;
use campanile_core::outbox::destination::Header;
use campanile_core::outbox::endpoint::{Change, Endpoint, NAME_CHARS, NEW_SECRET, New};
use campanile_core::outbox::post::HEADERS_MAX;
use campanile_core::policy::{self, Act};

use super::endpoints::{address, with_secret};
use crate::app::App;
use crate::console::form::{Asked, Fields, Form, Path};
use crate::console::page::{self, Environment, Page, Reader};
use crate::console::refused::Refused;
use crate::endpoints;
use crate::problem::Problem;

/// Empty rows for headers; as many more by a button.
const EMPTY: usize = 3;
/// Fields beside which their fault stands.
const FIELDS: [&str; 6] = ["name", "url", "environment", "api", "secret", "use_system_proxy"];

#[derive(Template)]
#[template(path = "console/outbox/endpoint_form.html")]
struct FormPage<'r> {
    page: Page<'r>,
    /// The environments to choose from.
    choices: &'r [Environment],
    action: String,
    back: String,
    back_name: String,
    /// The one that is changed.
    old: Option<Endpoint>,
    refused: Refused,
    name: String,
    url: String,
    environment: String,
    api: String,
    headers: Vec<Header>,
    replace: bool,
    proxy: &'static str,
    sign: &'static str,
    secret: String,
    name_chars: usize,
}

impl FormPage<'_> {
    /// What stands at the top: what is said of no field of the page.
    fn summary(&self) -> Vec<String> {
        self.refused.beside(&FIELDS)
    }
}

/// The headers that were typed, and empty rows.
fn with_empty(mut headers: Vec<Header>) -> Vec<Header> {
    let empty = || Header {
        name: String::new(),
        value: String::new(),
    };
    let rows = (headers.len() + EMPTY).min(HEADERS_MAX.max(headers.len()));
    headers.resize_with(rows, empty);
    headers
}

fn headers(fields: &Fields) -> Vec<Header> {
    let rows = fields.all("header").zip(fields.all("value"));
    let rows = rows.map(|(name, value)| Header {
        name: name.trim().to_owned(),
        value: value.trim().to_owned(),
    });
    rows.filter(|row| !row.name.is_empty() || !row.value.is_empty())
        .collect()
}

fn one_of(typed: &str, all: [&'static str; 3]) -> &'static str {
    all.into_iter().find(|one| *one == typed).unwrap_or(all[0])
}

const PROXIES: [&str; 3] = ["usual", "yes", "no"];
const SIGNS: [&str; 3] = ["no", "new", "own"];

fn proxy(fields: &Fields) -> Option<bool> {
    match fields.get("use_system_proxy") {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}

/// The form as it was typed.
fn typed<'r>(reader: &'r Reader, fields: &Fields, old: Option<Endpoint>) -> FormPage<'r> {
    let title = match &old {
        Some(old) => reader.s("endpoint-change-title", &old.name),
        None => reader.t("endpoint-new"),
    };
    let at = old.as_ref().map(|old| address(old.id));
    FormPage {
        page: Page::new(reader, "messages", title),
        choices: &reader.choices,
        action: at
            .as_ref()
            .map_or_else(|| "/endpoints/new".to_owned(), |at| format!("{at}/edit")),
        back: at.unwrap_or_else(|| "/endpoints".to_owned()),
        back_name: old
            .as_ref()
            .map_or_else(|| reader.t("endpoints"), |old| old.name.clone()),
        old,
        refused: Refused::default(),
        name: fields.get("name").to_owned(),
        url: fields.get("url").to_owned(),
        environment: fields.get("environment").to_owned(),
        api: fields.get("api").to_owned(),
        headers: with_empty(headers(fields)),
        replace: fields.has("replace"),
        proxy: one_of(fields.get("use_system_proxy"), PROXIES),
        sign: one_of(fields.get("sign"), SIGNS),
        secret: fields.get("secret").to_owned(),
        name_chars: NAME_CHARS,
    }
}

/// `GET /endpoints/new`.
pub(super) async fn ask_new(reader: Reader, Asked(asked): Asked) -> Result<Response, Problem> {
    if !policy::may_create_any_endpoint(&reader.rights) {
        return Err(Error::Denied("you lack: MESSAGE[CREATE] on any environment or API".into()).into());
    }
    let mut form = typed(&reader, &asked, None);
    form.sign = "new";
    if form.environment.is_empty() {
        form.environment.clone_from(&reader.environment);
    }
    page::show(&form)
}

/// `POST /endpoints/new`.
pub(super) async fn create(
    State(app): State<Arc<App>>,
    reader: Reader,
    Form(fields): Form,
) -> Result<Response, Problem> {
    if fields.has("more") {
        return page::show(&typed(&reader, &fields, None));
    }
    let api = fields.some("api").map(str::to_owned);
    let new = New {
        name: fields.get("name").to_owned(),
        environment: fields.some("environment").filter(|_| api.is_none()).map(str::to_owned),
        api,
        url: fields.get("url").to_owned(),
        headers: headers(&fields),
        use_system_proxy: proxy(&fields),
        secret: match fields.get("sign") {
            "new" => Some(NEW_SECRET.to_owned()),
            "own" => Some(fields.get("secret").to_owned()),
            _ => None,
        },
    };
    match endpoints::create(&app, &reader.principal, new).await {
        Ok((made, Some(secret))) => with_secret(&reader, made, secret),
        Ok((made, None)) => Ok(page::done(&address(made.id), "endpoint-made", &[])),
        Err(problem) => {
            let refused = Refused::of(&reader, problem)?;
            let before = typed(&reader, &fields, None);
            page::refuse(&FormPage { refused, ..before })
        }
    }
}

/// `GET /endpoints/{id}/edit`.
pub(super) async fn ask_change(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(id): Path<i64>,
) -> Result<Response, Problem> {
    let old = endpoints::one(&app, &reader.principal, id).await?;
    policy::may(&reader.rights, &Act::ChangeEndpoint(old.part()))?;
    let (name, url) = (old.name.clone(), old.url.clone());
    let proxy = match old.use_system_proxy {
        None => "usual",
        Some(true) => "yes",
        Some(false) => "no",
    };
    let before = typed(&reader, &Fields::default(), Some(old));
    page::show(&FormPage {
        name,
        url,
        proxy,
        ..before
    })
}

/// `POST /endpoints/{id}/edit`. Headers stay as they are unless some are typed, or all shall go.
pub(super) async fn change(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(id): Path<i64>,
    Form(fields): Form,
) -> Result<Response, Problem> {
    let by = &reader.principal;
    let old = endpoints::one(&app, by, id).await?;
    if fields.has("more") {
        return page::show(&typed(&reader, &fields, Some(old)));
    }
    let headers = headers(&fields);
    let wanted = Change {
        name: Some(fields.get("name").to_owned()),
        url: Some(fields.get("url").to_owned()),
        headers: (fields.has("replace") || !headers.is_empty()).then_some(headers),
        use_system_proxy: proxy(&fields).map_or(Patch::Null, Patch::Set),
    };
    match endpoints::change(&app, by, id, wanted).await {
        Ok(_) => Ok(page::done(&address(id), "endpoint-changed", &[])),
        Err(problem) => {
            let refused = Refused::of(&reader, problem)?;
            let before = typed(&reader, &fields, Some(old));
            page::refuse(&FormPage { refused, ..before })
        }
    }
}
