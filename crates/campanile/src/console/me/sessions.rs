//! Where the person is signed in.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use campanile_core::account::session::{self, Session};

use super::agent;
use crate::app::App;
use crate::console::form::{Asked, Path};
use crate::console::page::{self, Page, Viewer};
use crate::own;
use crate::problem::Problem;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/me/sessions", get(show))
        .route("/me/sessions/end-others", post(end_others))
        .route("/me/sessions/{id}/end", post(end))
}

/// A session as it is shown.
struct Place {
    session: Session,
    agent: String,
    current: bool,
}

#[derive(Template)]
#[template(path = "console/me/sessions.html")]
struct SessionsPage<'r> {
    page: Page<'r>,
    places: Vec<Place>,
}

impl SessionsPage<'_> {
    fn others(&self) -> usize {
        self.places.iter().filter(|place| !place.current).count()
    }
}

async fn show(State(app): State<Arc<App>>, reader: Viewer, Asked(asked): Asked) -> Result<Response, Problem> {
    let (person, now) = (reader.principal.person, reader.now);
    let sessions = app.db.read(move |tx| session::list(tx, person, now)).await?;
    let place = |session: Session| Place {
        agent: agent::named(reader.words, &session.agent),
        current: reader.principal.session() == Some(&session.id),
        session,
    };
    let mut places: Vec<Place> = sessions.into_iter().map(place).collect();
    places.sort_by_key(|place| !place.current);
    let page = Page::new(&reader, "me", reader.t("sessions")).after(&asked);
    page::show(&SessionsPage { page, places })
}

async fn end(State(app): State<Arc<App>>, reader: Viewer, Path(id): Path<String>) -> Result<Response, Problem> {
    own::end_session(&app, &reader.principal, id).await?;
    Ok(page::done("/me/sessions", "session-ended", &[]))
}

async fn end_others(State(app): State<Arc<App>>, reader: Viewer) -> Result<Response, Problem> {
    let ended = own::end_other_sessions(&app, &reader.principal).await?;
    Ok(page::done(
        "/me/sessions",
        "session-ended",
        &[("n", &ended.to_string())],
    ))
}
