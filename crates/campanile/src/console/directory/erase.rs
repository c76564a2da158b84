//! A user's erasure: what goes and what stays, asked before; whoever means it types the login.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use campanile_core::Error;
use campanile_core::directory::list::{self, User};

use super::super::form::{Form, Path};
use super::super::page::{self, Reader, show};
use super::fields::faults;
use super::{Editor, Kind, Shell, in_shell};
use crate::app::App;
use crate::personal;
use crate::problem::Problem;

#[derive(Template)]
#[template(path = "console/directory/erase.html")]
struct ErasePage<'r> {
    shell: Shell<'r>,
    to: String,
    user: User,
    /// That it is the reader's own.
    note: Option<String>,
    /// Why it was refused: of the field, or of the whole.
    wrong: Option<String>,
    blocked: Option<String>,
}

in_shell!(ErasePage);

async fn load<'r>(app: &App, reader: &'r Reader, id: &str) -> Result<ErasePage<'r>, Problem> {
    let key = id.to_owned();
    let user = app.db.read(move |tx| list::user(tx, &key)).await?;
    if user.erased_at.is_some() {
        return Err(Error::Missing("user").into());
    }
    let is_own = user.number == reader.principal.person.0;
    Ok(ErasePage {
        shell: Shell::new(reader, "users", reader.s("erase-what", &user.name)),
        to: Kind::Users.at(id),
        note: is_own.then(|| reader.t("erase-yourself")),
        user,
        wrong: None,
        blocked: None,
    })
}

pub(super) async fn ask(
    State(app): State<Arc<App>>,
    Editor(reader): Editor,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    show(&load(&app, &reader, &id).await?)
}

pub(super) async fn erase(
    State(app): State<Arc<App>>,
    Editor(reader): Editor,
    Path(id): Path<String>,
    Form(values): Form,
) -> Result<Response, Problem> {
    let mut page = load(&app, &reader, &id).await?;
    if !values.text("login").trim().eq_ignore_ascii_case(&page.user.login) {
        page.wrong = Some(reader.t("erase-wrong"));
        return page::refuse(&page);
    }
    match personal::erase(&app, &reader.principal, id).await {
        Ok(user) => Ok(page::done(&Kind::Users.at(&user.id), "erased", &[])),
        Err(error) => {
            let refused = faults(error.into())?;
            page.blocked = refused.first().map(|fault| reader.refusal(&fault.reason));
            page::refuse(&page)
        }
    }
}
