//! Announcements, for whoever looks after them.

use campanile_core::id::PersonId;
use campanile_core::message::announced::{self, Announced, Wanted};
use campanile_core::policy;
use campanile_core::rights::Rights;
use campanile_core::{Error, Result as Ruled};
use campanile_store::Tx;

use crate::app::App;
use crate::problem::Problem;

/// Whether somebody looks after announcements.
///
/// # Errors
/// `Denied` for who does not.
pub fn may_announce(rights: &Rights) -> Ruled<()> {
    if policy::may_announce(rights) {
        return Ok(());
    }
    let lack = "you lack: root administrator, or customer administrator";
    Err(Error::Denied(lack.into()))
}

/// A page of announcements, as `describe` hands them on, and where the next page goes on.
///
/// # Errors
/// As [`may_announce`]; those of the database and of `describe`.
pub async fn announcements<T: Send + 'static>(
    app: &App,
    person: PersonId,
    wanted: Wanted,
    describe: impl Fn(&mut Tx<'_>, &Rights, Vec<Announced>) -> Ruled<T> + Send + 'static,
) -> Result<(T, Option<i64>), Problem> {
    let now = app.clock.now();
    let work = move |tx: &mut Tx<'_>| {
        let rights = Rights::load(tx, person)?;
        may_announce(&rights)?;
        let (found, next) = announced::page(tx, &rights, &wanted, now)?;
        Ok::<_, Error>((describe(tx, &rights, found)?, next))
    };
    Ok(app.db.scan(work).await?)
}
