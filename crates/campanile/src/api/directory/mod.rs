//! The directory over HTTP: `/api/v1/customers`, `/users` and the other kinds, roles, memberships, and the import.
//!
//! Every change is an [`Entry`] of the directory file, said to the same [`directory::apply`]. What the kinds have in
//! common stands here, once: a [`Noun`] says what differs. [`kinds`] lists them with their routes, [`queries`] says
//! what their lists can be asked.

mod addressable;
mod import;
mod kinds;
mod memberships;
mod queries;
mod roles;

use std::fmt::Display;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use campanile_core::directory::entry::{Patch, Removal};
use campanile_core::directory::history::{self, Interval, Subject};
use campanile_core::directory::list::{Page, Paging};
use campanile_core::directory::{self, Entry};
use campanile_core::policy::{self, Act};
use campanile_core::rights::Rights;
use campanile_core::{Error, Result as Ruled};
use campanile_store::Tx;
use http::request::Parts;
use http::{StatusCode, header};
use serde::Serialize;

use crate::api::Part;
use crate::api::extract::Json;
use crate::app::App;
use crate::auth::Principal;
use crate::problem::Problem;

/// The parts of this folder.
pub(super) fn parts() -> impl Iterator<Item = Part> {
    let others: [Part; 4] = [roles::routes, memberships::routes, import::routes, addressable::routes];
    kinds::PARTS.into_iter().chain(others)
}

/// Who may change the directory. Anybody else is refused before the body is read and before anything is looked up.
struct Editor;

impl FromRequestParts<Arc<App>> for Editor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let Principal { person, .. } = Principal::from_request_parts(parts, app).await?;
        app.db
            .read(move |tx| policy::may(&Rights::load(tx, person)?, &Act::EditDirectory))
            .await?;
        Ok(Self)
    }
}

/// Reads for somebody who may do `act`; in one snapshot with the rights. A list may look at much, so it is no short
/// read.
async fn look<T: Serialize + Send + 'static>(
    app: &App,
    principal: &Principal,
    act: Act<'static>,
    work: impl FnOnce(&mut Tx<'_>) -> Ruled<T> + Send + 'static,
) -> Result<Json<T>, Problem> {
    let person = principal.person;
    let found = app.db.scan(move |tx| {
        policy::may(&Rights::load(tx, person)?, &act)?;
        work(tx)
    });
    Ok(Json(found.await?))
}

/// A kind of thing, by the object that says how one of them shall be.
trait Noun: Send + 'static {
    /// What names one.
    type Id: Clone + PartialEq + Display + Send + 'static;
    /// How one is shown.
    type Item: Serialize + Send + 'static;
    /// The kind in a sentence.
    const WORD: &'static str;
    /// The address of the list.
    const PATH: &'static str;

    /// The id that the object says.
    fn id(&mut self) -> &mut Option<Self::Id>;
    /// The object as a line of the file.
    fn entry(self) -> Entry;
    /// The id of an entry of this kind.
    fn id_of(entry: &Entry) -> Option<Self::Id>;
    /// The line that ends one.
    fn removal(id: Self::Id) -> Removal;
    /// Whose history it is.
    fn subject(id: Self::Id) -> Subject;
    /// Finds one, also one that has ended.
    fn find(tx: &mut Tx<'_>, id: &Self::Id) -> Ruled<Self::Item>;
    /// Whether it is there now.
    fn is_active(item: &Self::Item) -> bool;
}

/// One of them, if it is there now.
fn present<N: Noun>(tx: &mut Tx<'_>, id: &N::Id) -> Ruled<N::Item> {
    let item = N::find(tx, id)?;
    if N::is_active(&item) {
        Ok(item)
    } else {
        Err(Error::Missing(N::WORD))
    }
}

/// Shows one, also one that has ended.
async fn read<N: Noun>(app: &App, principal: &Principal, id: N::Id) -> Result<Json<N::Item>, Problem> {
    look(app, principal, Act::ReadDirectory, move |tx| N::find(tx, &id)).await
}

/// Makes a new one, or one that had ended again.
async fn create<N: Noun>(app: &App, wanted: N) -> Result<Response, Problem> {
    let mut entry = ready(app, wanted.entry()).await?;
    let now = app.clock.now();
    let made = app.db.write(move |tx| {
        // What is looked at before the lock, another server may change.
        tx.tally()?;
        if let Entry::Customer(customer) = &mut entry
            && customer.id.is_none()
        {
            customer.id = Some(directory::next_customer_id(tx)?);
        }
        let id = N::id_of(&entry);
        if let Some(id) = &id {
            match present::<N>(tx, id) {
                Ok(_) => return Err(Error::Conflict(format!("the {} {id} is there already", N::WORD))),
                Err(Error::Missing(_)) => {}
                Err(other) => return Err(other),
            }
        }
        directory::apply(tx, &entry, now)?;
        // Without an id the entry was refused.
        let id = id.ok_or_else(|| Error::field("id", "is needed"))?;
        let item = N::find(tx, &id)?;
        Ok((id, item))
    });
    let (id, item) = made.await?;
    let location = format!("{}/{}", N::PATH, segment(&id.to_string()));
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(item)).into_response())
}

/// Changes one that is there now.
async fn change<N: Noun>(app: &App, id: N::Id, mut wanted: N) -> Result<Json<N::Item>, Problem> {
    match wanted.id() {
        Some(given) if *given != id => return Err(Error::field("id", "is not the one of the address").into()),
        given => *given = Some(id.clone()),
    }
    let entry = ready(app, wanted.entry()).await?;
    let now = app.clock.now();
    let changed = app.db.write(move |tx| {
        tx.tally()?;
        present::<N>(tx, &id)?;
        directory::apply(tx, &entry, now)?;
        N::find(tx, &id)
    });
    Ok(Json(changed.await?))
}

/// Ends one that is there now; its history stays.
async fn end<N: Noun>(app: &App, id: N::Id) -> Result<StatusCode, Problem> {
    let now = app.clock.now();
    let ended = app.db.write(move |tx| {
        tx.tally()?;
        present::<N>(tx, &id)?;
        directory::apply(tx, &Entry::Remove(N::removal(id)), now)
    });
    ended.await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A page of the history of one.
async fn past<N: Noun>(
    app: &App,
    principal: &Principal,
    id: N::Id,
    paging: Paging,
) -> Result<Json<Page<Interval>>, Problem> {
    let subject = N::subject(id);
    look(app, principal, Act::ReadDirectory, move |tx| {
        history::history(tx, &subject, &paging)
    })
    .await
}

/// Hashes the password of a user, if the entry has one: slow, so before the write, and on one of the few places for it.
async fn ready(app: &App, mut entry: Entry) -> Result<Entry, Problem> {
    let key = match &entry {
        Entry::User(user) if matches!(user.password, Patch::Set(_)) => user.id.clone(),
        _ => {
            directory::prepare(&mut entry, None, &[0; 16])?;
            return Ok(entry);
        }
    };
    let key = key.unwrap_or_default();
    let stored = app.db.read(move |tx| directory::stored(tx, &key)).await?;
    let (place, salt) = (app.hasher.place().await?, app.chance.salt());
    let work = move || directory::prepare(&mut entry, stored.as_ref(), &salt).map(|()| entry);
    let (prepared, _place) = place.work(work).await?;
    Ok(prepared?)
}

/// A text as one segment of a path (RFC 3986, 3.3): all but unreserved characters are escaped.
fn segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push_str(&campanile_core::secret::hex(&[byte]).to_ascii_uppercase());
        }
    }
    out
}
