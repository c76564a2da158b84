//! Addresses that get no mail, as operators look after them; for every interface. Each function asks the policy.

use campanile_core::Result as Ruled;
use campanile_core::directory::list::{Page, Paging};
use campanile_core::id::PersonId;
use campanile_core::outbox::suppression::{self, Source, Suppression};
use campanile_core::policy::{self, Act};
use campanile_core::rights::Rights;
use campanile_store::Tx;

use crate::app::App;
use crate::problem::Problem;

fn may(tx: &mut Tx<'_>, person: PersonId) -> Ruled<()> {
    policy::may(&Rights::load(tx, person)?, &Act::Operate)
}

/// A page of the list, the newest first; where something is searched, of those that begin so, by address.
///
/// # Errors
/// `Denied`; `Invalid` for a search, limit or cursor that cannot be.
pub async fn list(
    app: &App,
    person: PersonId,
    q: Option<String>,
    paging: Paging,
) -> Result<Page<Suppression>, Problem> {
    let work = move |tx: &mut Tx<'_>| {
        may(tx, person)?;
        suppression::list(tx, q.as_deref(), &paging)
    };
    Ok(app.db.scan(work).await?)
}

/// Puts an address on it by hand; why it is there now, by each source.
///
/// # Errors
/// `Denied`, `Invalid`.
pub async fn add(app: &App, person: PersonId, address: String, reason: String) -> Result<Vec<Suppression>, Problem> {
    let now = app.clock.now();
    let work = move |tx: &mut Tx<'_>| {
        tx.tally()?;
        may(tx, person)?;
        let key = suppression::add(tx, &address, &reason, person, now)?;
        suppression::of(tx, &key)
    };
    Ok(app.db.write(work).await?)
}

/// Takes an address off it: one source of it, or all.
///
/// # Errors
/// `Denied`; `Missing` where it is not there.
pub async fn remove(app: &App, person: PersonId, address: String, source: Option<Source>) -> Result<(), Problem> {
    let work = move |tx: &mut Tx<'_>| {
        tx.tally()?;
        may(tx, person)?;
        suppression::remove(tx, &address, source)
    };
    app.db.write(work).await?;
    Ok(())
}
