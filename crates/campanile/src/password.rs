//! The change of one's own password, as every interface does it.

use std::net::IpAddr;

use campanile_core::Error;
use campanile_core::account::{self, password};

use crate::app::App;
use crate::auth::{self, Principal};
use crate::problem::{Kind, Problem};

/// Sets a new password where the old one is right, and ends every other session of the person. Personal tokens and the
/// ticket stay. A wrong old password counts as a failed log-in.
///
/// # Errors
/// `Denied` by a personal token; `Invalid` names `old` or `new`; too many wrong ones are throttled.
pub(crate) async fn change(
    app: &App,
    principal: &Principal,
    address: IpAddr,
    old: String,
    new: String,
) -> Result<(), Problem> {
    principal.in_person()?;
    let person = principal.person;
    let candidate = app.db.read(move |tx| account::candidate_of(tx, person)).await?;
    let login = candidate.login.clone();
    password::check("new", &new, &login)?;
    auth::verify(app, &login, Some(candidate), old, address)
        .await
        .map_err(|problem| match problem.kind {
            // The person is signed in; it is the field that is wrong.
            Kind::Unauthenticated => Error::field("old", "is not your password").into(),
            _ => problem,
        })?;
    let phc = hash(app, new).await?;
    let kept = principal.session().map(str::to_owned);
    app.db
        .jot(move |tx| account::set_password(tx, person, &phc, kept.as_deref()))
        .await?;
    Ok(())
}

/// The slow hash of a password, on a thread for it.
///
/// # Errors
/// When too many are waiting for theirs.
pub(crate) async fn hash(app: &App, password: String) -> Result<String, Problem> {
    let place = app.hasher.place().await?;
    place.hash(password, app.chance.salt()).await
}
