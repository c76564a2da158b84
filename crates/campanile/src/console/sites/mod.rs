//! Sites, as administrators look after them: the list, one with its keys and how it embeds us, and what ends. Its form
//! is in [`form`].

mod form;

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use campanile_core::directory::list::Paging;
use campanile_core::site::Site;
use campanile_core::site::key::{Algorithm, Key, New, PUBLIC_KEY_BYTES};

use super::ask::{self, Ask};
use super::form::{Asked, Form, Path};
use super::page::{self, Page, Viewer};
use super::refused::Refused;
use crate::app::App;
use crate::problem::Problem;
use crate::sites;

const HERE: &str = "sites";

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/sites", get(list))
        .route("/sites/new", get(form::ask_new).post(form::create))
        .route("/sites/{id}", get(one))
        .route("/sites/{id}/edit", get(form::ask_change).post(form::change))
        .route("/sites/{id}/end", get(ask_end).post(end))
        .route("/sites/{id}/keys", post(add_key))
        .route("/sites/{id}/keys/{key}/end", get(ask_end_key).post(end_key))
}

/// The page of one.
fn address(id: &str) -> String {
    format!("/sites/{id}")
}

#[derive(Template)]
#[template(path = "console/sites/list.html")]
struct ListPage<'r> {
    page: Page<'r>,
    sites: Vec<Site>,
    more: Option<String>,
}

/// `GET /sites`.
async fn list(State(app): State<Arc<App>>, viewer: Viewer, Asked(asked): Asked) -> Result<Response, Problem> {
    let paging = Paging {
        limit: None,
        cursor: asked.some("cursor").map(str::to_owned),
    };
    let found = sites::list(&app, viewer.principal.person, paging).await?;
    page::show(&ListPage {
        page: Page::new(&viewer, HERE, viewer.t("sites")).after(&asked),
        sites: found.items,
        more: found.next.map(|next| format!("/sites?cursor={next}")),
    })
}

/// A key that was just added, and its secret, which no page shows again.
struct Made {
    key: String,
    secret: Option<String>,
}

#[derive(Template)]
#[template(path = "console/sites/one.html")]
struct OnePage<'r> {
    page: Page<'r>,
    site: Site,
    keys: Vec<Key>,
    made: Option<Made>,
    refused: Refused,
    algorithm: &'static str,
    public_key: String,
    public_key_bytes: usize,
    /// Where this server is, as tokens name it.
    server: &'r str,
}

impl OnePage<'_> {
    /// The key in the example: the newest, for whoever rotates.
    fn example(&self) -> &str {
        self.keys.last().map_or("…", |key| &key.id)
    }

    fn example_algorithm(&self) -> &'static str {
        self.keys.last().map_or(Algorithm::Hs256, |key| key.algorithm).name()
    }
}

async fn seen<'r>(app: &'r App, viewer: &'r Viewer, id: &str) -> Result<OnePage<'r>, Problem> {
    let (site, keys) = sites::one(app, viewer.principal.person, id).await?;
    Ok(OnePage {
        page: Page::new(viewer, HERE, site.name.clone()),
        site,
        keys,
        made: None,
        refused: Refused::default(),
        algorithm: Algorithm::Hs256.name(),
        public_key: String::new(),
        public_key_bytes: PUBLIC_KEY_BYTES,
        server: &app.origin,
    })
}

/// `GET /sites/{id}`.
async fn one(
    State(app): State<Arc<App>>,
    viewer: Viewer,
    Path(id): Path<String>,
    Asked(asked): Asked,
) -> Result<Response, Problem> {
    let mut shown = seen(&app, &viewer, &id).await?;
    shown.page = shown.page.after(&asked);
    page::show(&shown)
}

/// `POST /sites/{id}/keys`: the answer alone has the secret.
async fn add_key(
    State(app): State<Arc<App>>,
    viewer: Viewer,
    Path(id): Path<String>,
    Form(fields): Form,
) -> Result<Response, Problem> {
    let algorithm = match fields.get("algorithm") {
        "ES256" => Algorithm::Es256,
        _ => Algorithm::Hs256,
    };
    let public_key = fields.text("public_key");
    let new = New {
        algorithm,
        public_key: (!public_key.trim().is_empty()).then(|| public_key.clone().into()),
    };
    match sites::add_key(&app, &viewer.principal, &id, new).await {
        Ok((key, secret)) => {
            let made = Some(Made { key: key.id, secret });
            let before = seen(&app, &viewer, &id).await?;
            page::show(&OnePage { made, ..before })
        }
        Err(problem) => {
            let refused = Refused::of(&viewer, problem)?;
            let before = seen(&app, &viewer, &id).await?;
            page::refuse(&OnePage {
                refused,
                algorithm: algorithm.name(),
                public_key,
                ..before
            })
        }
    }
}

async fn ask_end(State(app): State<Arc<App>>, viewer: Viewer, Path(id): Path<String>) -> Result<Response, Problem> {
    let (site, _) = sites::one(&app, viewer.principal.person, &id).await?;
    ask::show(
        &viewer,
        Ask {
            here: HERE,
            title: viewer.s("site-end-title", &site.name),
            text: viewer.t("site-end-text"),
            crumb: (address(&id), site.name),
            action: format!("/sites/{id}/end"),
            fields: Vec::new(),
            keep: viewer.t("keep-it"),
            button: viewer.t("site-end"),
            is_grave: true,
            refused: Vec::new(),
        },
    )
}

async fn end(State(app): State<Arc<App>>, viewer: Viewer, Path(id): Path<String>) -> Result<Response, Problem> {
    sites::end(&app, &viewer.principal, &id).await?;
    Ok(page::done("/sites", "site-ended", &[]))
}

async fn ask_end_key(
    State(app): State<Arc<App>>,
    viewer: Viewer,
    Path((id, key)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let (site, key) = sites::one_key(&app, viewer.principal.person, &id, &key).await?;
    let text = match key.used_at {
        Some(at) => viewer.s("key-end-used", viewer.when(at)),
        None => viewer.t("key-end-unused"),
    };
    ask::show(
        &viewer,
        Ask {
            here: HERE,
            title: viewer.s("key-end-title", key.id.chars().take(8).collect::<String>()),
            text,
            crumb: (address(&id), site.name),
            action: format!("/sites/{id}/keys/{}/end", key.id),
            fields: Vec::new(),
            keep: viewer.t("keep-it"),
            button: viewer.t("key-end"),
            is_grave: true,
            refused: Vec::new(),
        },
    )
}

async fn end_key(
    State(app): State<Arc<App>>,
    viewer: Viewer,
    Path((id, key)): Path<(String, String)>,
) -> Result<Response, Problem> {
    sites::end_key(&app, &viewer.principal, &id, &key).await?;
    Ok(page::done(&address(&id), "key-ended", &[]))
}
