//! Sites and their keys, as administrators look after them; for every interface. Each function asks the policy.

use campanile_core::directory::list::{Page, Paging};
use campanile_core::id::PersonId;
use campanile_core::journal::{self, Action, Deed, Kind};
use campanile_core::policy::{self, Act};
use campanile_core::rights::Rights;
use campanile_core::site::key::{self, Key};
use campanile_core::site::{self, Change, New, Site};
use campanile_core::{Error, Result as Ruled};
use campanile_store::Tx;
use serde_json::{Value, json};

use crate::app::App;
use crate::auth::Principal;
use crate::problem::Problem;

fn may(tx: &mut Tx<'_>, person: PersonId) -> Ruled<()> {
    policy::may(&Rights::load(tx, person)?, &Act::Operate)
}

/// A page of the sites, by name.
///
/// # Errors
/// `Denied`; `Invalid` for a limit or cursor that cannot be.
pub async fn list(app: &App, person: PersonId, paging: Paging) -> Result<Page<Site>, Problem> {
    let work = move |tx: &mut Tx<'_>| {
        may(tx, person)?;
        site::list(tx, &paging)
    };
    Ok(app.db.read(work).await?)
}

/// One, with its keys.
///
/// # Errors
/// `Denied`, `Missing`.
pub async fn one(app: &App, person: PersonId, id: &str) -> Result<(Site, Vec<Key>), Problem> {
    let id = id.to_owned();
    let work = move |tx: &mut Tx<'_>| {
        may(tx, person)?;
        Ok::<_, Error>((site::find(tx, &id)?, key::list(tx, &id)?))
    };
    Ok(app.db.read(work).await?)
}

/// Makes one.
///
/// # Errors
/// `Denied`, `Invalid`; `Conflict` where there are as many as there may be.
pub async fn create(app: &App, by: &Principal, new: New) -> Result<Site, Problem> {
    let (person, by, random, now) = (by.person, by.by(), app.chance.bytes(), app.clock.now());
    let work = move |tx: &mut Tx<'_>| {
        // The lock first: rights are those of the moment at which it is written.
        tx.tally()?;
        may(tx, person)?;
        let id = site::create(tx, &new, person, &random, now)?;
        let made = site::find(tx, &id)?;
        let deed = Deed::new(Action::Created, Kind::Site, id);
        journal::record(tx, &by, &deed.after(still(&made)), now)?;
        Ok::<_, Error>(made)
    };
    Ok(app.db.write(work).await?)
}

/// Changes one.
///
/// # Errors
/// `Denied`, `Missing`, `Invalid`.
pub async fn change(app: &App, by: &Principal, id: &str, change: Change) -> Result<Site, Problem> {
    let (person, by, id, now) = (by.person, by.by(), id.to_owned(), app.clock.now());
    let work = move |tx: &mut Tx<'_>| {
        tx.tally()?;
        may(tx, person)?;
        let before = still(&site::find(tx, &id)?);
        site::change(tx, &id, &change)?;
        let changed = site::find(tx, &id)?;
        let after = still(&changed);
        if before != after {
            let deed = Deed::new(Action::Changed, Kind::Site, id);
            journal::record(tx, &by, &deed.before(&before).after(&after), now)?;
        }
        Ok::<_, Error>(changed)
    };
    Ok(app.db.write(work).await?)
}

/// Ends one, and its keys with it: whoever came by them is let in no longer.
///
/// # Errors
/// `Denied`, `Missing`.
pub async fn end(app: &App, by: &Principal, id: &str) -> Result<(), Problem> {
    let (person, by, id, now) = (by.person, by.by(), id.to_owned(), app.clock.now());
    let work = move |tx: &mut Tx<'_>| {
        tx.tally()?;
        may(tx, person)?;
        let before = site::find(tx, &id)?;
        site::end(tx, &id, now)?;
        let deed = Deed::new(Action::Ended, Kind::Site, id);
        journal::record(tx, &by, &deed.before(still(&before)), now)
    };
    app.db.write(work).await?;
    Ok(())
}

/// A site, as the journal tells of it: without what moves by itself.
fn still(of: &Site) -> Site {
    Site {
        used_at: None,
        ..of.clone()
    }
}

/// A key, as the journal tells of it: by the name of its site.
fn told(tx: &mut Tx<'_>, site: &str, of: &Key) -> Ruled<Value> {
    let site = site::find(tx, site)?;
    Ok(json!({"name": site.name, "id": of.id, "algorithm": of.algorithm, "created_at": of.created_at}))
}

/// Adds a key to one; with it the secret of HS256, which is told this once.
///
/// # Errors
/// `Denied`, `Missing`, `Invalid`; `Conflict` where it has as many as it may.
pub async fn add_key(app: &App, by: &Principal, id: &str, new: key::New) -> Result<(Key, Option<String>), Problem> {
    let (person, by, id, now) = (by.person, by.by(), id.to_owned(), app.clock.now());
    let (installation, random) = (app.key.clone(), [app.chance.bytes(), app.chance.bytes()]);
    let work = move |tx: &mut Tx<'_>| {
        tx.tally()?;
        may(tx, person)?;
        let (name, secret) = key::add(tx, &installation, &id, &new, person, &random, now)?;
        let made = key::find(tx, &id, &name)?;
        let told = told(tx, &id, &made)?;
        let deed = Deed::new(Action::Created, Kind::Key, id);
        journal::record(tx, &by, &deed.after(&told), now)?;
        Ok::<_, Error>((made, secret))
    };
    Ok(app.db.write(work).await?)
}

/// One key of a site.
///
/// # Errors
/// `Denied`, `Missing`.
pub async fn one_key(app: &App, person: PersonId, id: &str, name: &str) -> Result<(Site, Key), Problem> {
    let (id, name) = (id.to_owned(), name.to_owned());
    let work = move |tx: &mut Tx<'_>| {
        may(tx, person)?;
        Ok::<_, Error>((site::find(tx, &id)?, key::find(tx, &id, &name)?))
    };
    Ok(app.db.read(work).await?)
}

/// Ends a key of one.
///
/// # Errors
/// `Denied`, `Missing`.
pub async fn end_key(app: &App, by: &Principal, id: &str, name: &str) -> Result<(), Problem> {
    let (person, by, now) = (by.person, by.by(), app.clock.now());
    let (id, name) = (id.to_owned(), name.to_owned());
    let work = move |tx: &mut Tx<'_>| {
        tx.tally()?;
        may(tx, person)?;
        let before = key::find(tx, &id, &name)?;
        let before = told(tx, &id, &before)?;
        key::end(tx, &id, &name, now)?;
        let deed = Deed::new(Action::Ended, Kind::Key, id);
        journal::record(tx, &by, &deed.before(&before), now)
    };
    app.db.write(work).await?;
    Ok(())
}
