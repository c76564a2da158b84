//! New passwords, as every interface sets them: one's own, and somebody's by an administrator.

use std::net::IpAddr;

use campanile_core::account::{self, password};
use campanile_core::id::PersonId;
use campanile_core::journal::{self, Action, By, Deed};
use campanile_core::message::preview;
use campanile_core::message::sent::person_key;
use campanile_core::policy::{Act, may};
use campanile_core::rights::Rights;
use campanile_core::time::Moment;
use campanile_core::{Error, error};
use campanile_store::Tx;

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
    let (by, now) = (principal.by(), app.clock.now());
    let kept = principal.session().map(str::to_owned);
    app.db
        .jot(move |tx| {
            account::set_password(tx, person, &phc, kept.as_deref())?;
            noted(tx, &by, person, now)
        })
        .await?;
    Ok(())
}

/// Sets the password of the user with this id or login, and ends every session of theirs.
///
/// # Errors
/// `Denied` without ORGANIZATION:ADMIN, and by a personal token for oneself; `Missing` without such a user; `Invalid`
/// names `password`.
pub(crate) async fn reset(app: &App, by: &Principal, name: String, wanted: String) -> Result<(), Problem> {
    let person = by.person;
    let (id, login) = app
        .db
        .read(move |tx| -> error::Result<(PersonId, String)> {
            // Nobody's number: who may not is told so before the name is looked up.
            may(&Rights::load(tx, person)?, &Act::ResetPassword(PersonId(0)))?;
            let id = preview::person(tx, &name)?;
            Ok((id, account::candidate_of(tx, id)?.login))
        })
        .await?;
    if id == person {
        by.in_person()?;
    }
    password::check("password", &wanted, &login)?;
    let phc = hash(app, wanted).await?;
    let (by, now) = (by.by(), app.clock.now());
    app.db
        .jot(move |tx| {
            account::set_password(tx, id, &phc, None)?;
            noted(tx, &by, id, now)
        })
        .await?;
    Ok(())
}

/// Notes that somebody has another password. Nothing of it stands in the journal.
fn noted(tx: &mut Tx<'_>, by: &By, of: PersonId, now: Moment) -> error::Result<i64> {
    let deed = Deed::new(Action::Changed, journal::Kind::Password, person_key(tx, of)?);
    journal::record(tx, by, &deed, now)
}

/// The slow hash of a password, on a thread for it.
///
/// # Errors
/// When too many are waiting for theirs.
pub(crate) async fn hash(app: &App, password: String) -> Result<String, Problem> {
    let place = app.hasher.place().await?;
    place.hash(password, app.chance.salt()).await
}
