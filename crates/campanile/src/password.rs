//! New passwords: hashed on one of the few places for it, and set for somebody else by an administrator.

use campanile_core::account::{self, password};
use campanile_core::id::PersonId;
use campanile_core::message::preview;
use campanile_core::policy::{Act, may};
use campanile_core::rights::Rights;
use campanile_core::{Error, error};

use crate::app::App;
use crate::problem::Problem;

/// Sets the password of the user with this id or login, and ends every session of theirs. `by` needs
/// ORGANIZATION:ADMIN; the faults are those of the field `password`.
pub(crate) async fn reset(app: &App, by: PersonId, name: String, wanted: String) -> Result<(), Problem> {
    let (id, login) = app
        .db
        .read(move |tx| -> error::Result<(PersonId, String)> {
            // Nobody's number: who may not is told so before the name is looked up.
            may(&Rights::load(tx, by)?, &Act::ResetPassword(PersonId(0)))?;
            let id = preview::person(tx, &name).map_err(|error| match error {
                Error::Invalid(_) => Error::Missing("user"),
                other => other,
            })?;
            Ok((id, account::candidate_of(tx, id)?.login))
        })
        .await?;
    password::check("password", &wanted, &login)?;
    let phc = hash(app, wanted).await?;
    app.db.jot(move |tx| account::set_password(tx, id, &phc, None)).await?;
    Ok(())
}

/// The PHC string of a password. `Throttled` or `Unavailable` where too many wait for their turn.
pub(crate) async fn hash(app: &App, password: String) -> Result<String, Problem> {
    let place = app.hasher.place().await?;
    place.hash(password, app.chance.salt()).await
}
