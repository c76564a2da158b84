//! The devices of the person who asks, as the API and the console change them. Each change has its row in the journal;
//! that a browser registers again what is known has none.

use campanile_core::Result as Ruled;
use campanile_core::journal::{Action, By, Kind};
use campanile_core::message::Importance;
use campanile_core::outbox::device::{self, Device, Subscription};
use campanile_core::time::Moment;
use campanile_store::Tx;
use serde_json::{Value, json};

use crate::app::App;
use crate::auth::Principal;
use crate::own::noted;

/// Registers a device, or notes that it was heard of; whether it is new.
///
/// # Errors
/// As [`device::check`] and [`device::register`].
pub(crate) async fn register(app: &App, by: &Principal, wanted: &Subscription) -> Ruled<(Device, bool)> {
    let (person, by, random, now) = (by.person, by.by(), app.chance.bytes(), app.clock.now());
    let checked = device::check(wanted, &app.posting(), now)?;
    let work = move |tx: &mut Tx<'_>| {
        let (device, is_new) = device::register(tx, person, &checked, &random, now)?;
        if is_new {
            note(tx, &by, Action::Created, (None, Some(told(&device))), now)?;
        }
        Ok((device, is_new))
    };
    app.db.jot(work).await
}

/// Changes what is pushed to a device.
///
/// # Errors
/// `Missing`.
pub(crate) async fn change(app: &App, by: &Principal, id: String, importance: Importance) -> Ruled<Device> {
    let (person, by, now) = (by.person, by.by(), app.clock.now());
    let work = move |tx: &mut Tx<'_>| {
        let before = device::find(tx, person, &id)?;
        let after = device::change(tx, person, &id, importance)?;
        if before != after {
            note(tx, &by, Action::Changed, (Some(told(&before)), Some(told(&after))), now)?;
        }
        Ok(after)
    };
    app.db.jot(work).await
}

/// Removes a device: nothing is pushed to it any more.
///
/// # Errors
/// `Missing`.
pub(crate) async fn remove(app: &App, by: &Principal, id: String) -> Ruled<()> {
    let (person, by, now) = (by.person, by.by(), app.clock.now());
    let work = move |tx: &mut Tx<'_>| {
        let device = device::remove(tx, person, &id)?;
        note(tx, &by, Action::Ended, (Some(told(&device)), None), now)
    };
    app.db.jot(work).await
}

fn note(tx: &mut Tx<'_>, by: &By, action: Action, states: (Option<Value>, Option<Value>), now: Moment) -> Ruled<()> {
    noted(tx, by, (action, Kind::Device), states, now)
}

fn told(device: &Device) -> Value {
    json!({"id": device.id, "agent": device.agent, "importance": device.importance})
}
