//! Personal tokens: what a script signs in with. The text of one is in the answer to the form that made it, and never
//! again.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use campanile_core::account::token::{self, NAME_CHARS, Token};
use campanile_core::time::Moment;

use crate::app::App;
use crate::console::form::{Asked, Fields, Form, Path};
use crate::console::page::{self, Page, Viewer};
use crate::console::refused::Refused;
use crate::own;
use crate::problem::Problem;

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
/// Ends to choose from: days from now, never, or a date of one's own.
const ENDS: [&str; 5] = ["30", "90", "365", "never", "own"];

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/me/tokens", get(show).post(create))
        .route("/me/tokens/{id}/revoke", post(revoke))
}

/// A token that was just made.
struct Made {
    name: String,
    text: String,
}

#[derive(Template)]
#[template(path = "console/me/tokens.html")]
struct TokensPage<'r> {
    page: Page<'r>,
    tokens: Vec<Token>,
    made: Option<Made>,
    refused: Refused,
    name: String,
    end: String,
    at: String,
    ends: [&'static str; 5],
    name_chars: usize,
}

impl TokensPage<'_> {
    fn is_end(&self, name: &str) -> bool {
        self.end == name
    }

    fn is_over(&self, token: &Token) -> bool {
        token.expires_at.is_some_and(|at| at <= self.page.now)
    }

    /// The first end that can be typed.
    fn from(&self) -> String {
        self.page.zone.input(self.page.now)
    }
}

async fn shown<'r>(app: &App, reader: &'r Viewer) -> Result<TokensPage<'r>, Problem> {
    let person = reader.principal.person;
    Ok(TokensPage {
        page: Page::new(reader, "me", reader.t("tokens")),
        tokens: app.db.read(move |tx| token::list(tx, person)).await?,
        made: None,
        refused: Refused::default(),
        name: String::new(),
        end: "90".to_owned(),
        at: String::new(),
        ends: ENDS,
        name_chars: NAME_CHARS,
    })
}

async fn show(State(app): State<Arc<App>>, reader: Viewer, Asked(asked): Asked) -> Result<Response, Problem> {
    let mut shown = shown(&app, &reader).await?;
    shown.page = shown.page.after(&asked);
    page::show(&shown)
}

async fn create(State(app): State<Arc<App>>, reader: Viewer, Form(fields): Form) -> Result<Response, Problem> {
    let name = fields.get("name").to_owned();
    let wanted = name.clone();
    let refused = match end(&reader, &fields) {
        Err(refused) => refused,
        Ok(end) => match own::make_token(&app, &reader.principal, wanted, end).await {
            Ok((_, text)) => {
                let made = Some(Made { name, text });
                let before = shown(&app, &reader).await?;
                return page::show(&TokensPage { made, ..before });
            }
            Err(problem) => Refused::of(&reader, problem)?,
        },
    };
    page::refuse(&TokensPage {
        refused,
        name,
        end: fields.get("end").to_owned(),
        at: fields.get("expires_at").to_owned(),
        ..shown(&app, &reader).await?
    })
}

/// When the token is to end; `None`: when it is revoked.
fn end(reader: &Viewer, fields: &Fields) -> Result<Option<Moment>, Refused> {
    match fields.get("end") {
        "never" => Ok(None),
        "own" => match reader.zone.parse(fields.get("expires_at")) {
            Some(at) => Ok(Some(at)),
            None => Err(Refused::default().and("expires_at", reader.t("token-end-missing"))),
        },
        days => match days.parse::<i64>().ok().filter(|_| ENDS.contains(&days)) {
            Some(days) => Ok(Some(reader.now.plus_ms(days * DAY_MS))),
            None => Err(Refused::default().and("end", reader.t("token-end-missing"))),
        },
    }
}

async fn revoke(State(app): State<Arc<App>>, reader: Viewer, Path(id): Path<String>) -> Result<Response, Problem> {
    own::revoke_token(&app, &reader.principal, id).await?;
    Ok(page::done("/me/tokens", "token-revoked", &[]))
}
