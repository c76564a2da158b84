//! Addresses that get no mail, as operators look after them; for every interface. Each function asks the policy.

use campanile_core::Result as Ruled;
use campanile_core::directory::list::{Page, Paging};
use campanile_core::id::PersonId;
use campanile_core::journal::{self, Action, Deed, Kind};
use campanile_core::outbox::suppression::{self, Source, Suppression};
use campanile_core::policy::{self, Act};
use campanile_core::rights::Rights;
use campanile_store::Tx;
use serde_json::json;

use crate::app::App;
use crate::auth::Principal;
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
pub async fn add(app: &App, by: &Principal, address: String, reason: String) -> Result<Vec<Suppression>, Problem> {
    let (person, by, now) = (by.person, by.by(), app.clock.now());
    let work = move |tx: &mut Tx<'_>| {
        tx.tally()?;
        may(tx, person)?;
        let before = by_hand(tx, &suppression::key(&address))?;
        let key = suppression::add(tx, &address, &reason, person, now)?;
        let after = suppression::of(tx, &key)?;
        let action = before.as_ref().map_or(Action::Created, |_| Action::Changed);
        let deed = Deed {
            before: before.map(|before| json!(before)),
            after: by_hand(tx, &key)?.map(|after| json!(after)),
            ..Deed::new(action, Kind::Suppression, key)
        };
        journal::record(tx, &by, &deed, now)?;
        Ok::<_, campanile_core::Error>(after)
    };
    Ok(app.db.write(work).await?)
}

/// Takes an address off it: one source of it, or all.
///
/// # Errors
/// `Denied`; `Missing` where it is not there.
pub async fn remove(app: &App, by: &Principal, address: String, source: Option<Source>) -> Result<(), Problem> {
    let (person, by, now) = (by.person, by.by(), app.clock.now());
    let work = move |tx: &mut Tx<'_>| {
        tx.tally()?;
        may(tx, person)?;
        let key = suppression::key(&address);
        let mut before = suppression::of(tx, &key)?;
        before.retain(|one| source.is_none_or(|source| one.source == source));
        suppression::remove(tx, &address, source)?;
        let deed = Deed::new(Action::Ended, Kind::Suppression, key);
        journal::record(tx, &by, &deed.before(json!({"items": before})), now)
    };
    app.db.write(work).await?;
    Ok(())
}

/// What an operator said of an address, if they did.
fn by_hand(tx: &mut Tx<'_>, key: &str) -> Ruled<Option<Suppression>> {
    let said = suppression::of(tx, key)?;
    Ok(said.into_iter().find(|one| one.source == Source::Added))
}
