//! A new password for a user who has forgotten theirs.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use campanile_core::Error;
use campanile_core::directory::list;

use super::super::form::{Form, Path};
use super::super::page::{self, Reader};
use super::fields::{FormPage, Input, Maker, faults};
use super::pick::Draft;
use super::{Editor, Kind, Shell};
use crate::app::App;
use crate::password;
use crate::problem::Problem;

async fn form<'r>(app: &App, reader: &'r Reader, id: &str) -> Result<FormPage<'r>, Problem> {
    let key = id.to_owned();
    let user = app.db.read(move |tx| list::user(tx, &key)).await?;
    if !user.active {
        return Err(Error::Missing("user").into());
    }
    let draft = Draft::default();
    let make = Maker { reader, draft: &draft };
    let to = Kind::Users.at(id);
    Ok(FormPage {
        action: format!("{to}/password"),
        back: (to, user.name.clone()),
        intro: Some(reader.s("password-text", &user.name)),
        fields: vec![make.hinted(
            "hint-new-password",
            make.required("password", "password", Input::Password),
        )],
        faults: Vec::new(),
        submit: reader.t("set-password"),
        shell: Shell::new(reader, "users", reader.s("password-of", &user.name)),
    })
}

pub(super) async fn ask(
    State(app): State<Arc<App>>,
    Editor(reader): Editor,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    form(&app, &reader, &id).await?.answer()
}

pub(super) async fn set(
    State(app): State<Arc<App>>,
    Editor(reader): Editor,
    Path(id): Path<String>,
    Form(values): Form,
) -> Result<Response, Problem> {
    let mut page = form(&app, &reader, &id).await?;
    let wanted = values.text("password");
    match password::reset(&app, &reader.principal, id.clone(), wanted).await {
        Ok(()) => Ok(page::done(&Kind::Users.at(&id), "password-set", &[])),
        Err(problem) => {
            page.blame(&faults(problem)?);
            page.answer()
        }
    }
}
