//! What is kept no longer is let go, as the settings say, once an hour: a bit at a time, so that nobody waits for it.
//!
//! Every server does it. Two that meet find that the other was there.

use std::time::Duration;

use campanile_core::journal::By;
use campanile_core::retention::{STEP, history, message, outcome, person};
use campanile_core::time::Moment;
use campanile_core::{Error, Result};

use crate::app::App;

/// Things found in one look.
const FOUND: i64 = 100;

/// What one look let go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Gone {
    /// Messages that nobody sees any more; their rows go at a later look.
    pub hidden: u64,
    /// Messages whose rows went.
    pub messages: u64,
    /// Messages by one channel whose recipients' outcomes went.
    pub outcomes: u64,
    /// Users who were erased.
    pub users: u64,
}

/// Lets go what is kept no longer.
///
/// # Errors
/// Those of the database; what was let go before stays so.
pub async fn sweep(app: &App, now: Moment) -> Result<Gone> {
    let keep = app.settings.retention;
    let before = |span: Duration| now.plus_ms(-(span.as_millis() as i64));
    let mut gone = Gone::default();
    if let Some(span) = keep.messages {
        messages(app, before(span), now, &mut gone).await?;
    }
    if let Some(span) = keep.outcomes {
        outcomes(app, before(span), now, &mut gone).await?;
    }
    if let Some(span) = keep.users {
        users(app, before(span), now, &mut gone).await?;
    }
    if let Some(span) = keep.journal {
        let before = before(span);
        while go_on(app) && app.db.jot(move |tx| history::forget(tx, before)).await? {}
    }
    if gone != Gone::default() {
        tracing::info!(
            hidden = gone.hidden,
            messages = gone.messages,
            outcomes = gone.outcomes,
            users = gone.users,
            "what is kept no longer is gone"
        );
    }
    Ok(gone)
}

/// Whether the server goes on: between any two steps it may stop.
fn go_on(app: &App) -> bool {
    !app.shutdown().is_cancelled()
}

async fn messages(app: &App, before: Moment, now: Moment, gone: &mut Gone) -> Result<()> {
    let db = &app.db;
    loop {
        let found = db.scan(move |tx| message::visible(tx, before, FOUND)).await?;
        for id in &found {
            let id = *id;
            gone.hidden += u64::from(db.write(move |tx| message::hide(tx, id, before, now)).await?);
        }
        if found.is_empty() || !go_on(app) {
            break;
        }
    }
    loop {
        let found = db.scan(move |tx| message::hidden(tx, before, FOUND, now)).await?;
        for id in &found {
            let id = *id;
            while go_on(app) && db.jot(move |tx| message::shrink(tx, id, before, now)).await? {}
            gone.messages += u64::from(db.write(move |tx| message::forget(tx, id, before, now)).await?);
        }
        if found.is_empty() || !go_on(app) {
            break;
        }
    }
    if gone.messages > 0 {
        let first = db.scan(message::first).await?;
        while go_on(app) && db.jot(move |tx| message::trim_marks(tx, first)).await? >= STEP as u64 {}
    }
    Ok(())
}

async fn outcomes(app: &App, before: Moment, now: Moment, gone: &mut Gone) -> Result<()> {
    let db = &app.db;
    loop {
        let found = db.scan(move |tx| outcome::ended(tx, before, FOUND)).await?;
        for which in &found {
            let which = *which;
            gone.outcomes += u64::from(db.write(move |tx| outcome::close(tx, which, before, now)).await?);
        }
        if found.is_empty() || !go_on(app) {
            break;
        }
    }
    // Also of those that were closed before this server ended in the middle.
    for which in db.scan(|tx| outcome::closed(tx, i64::MAX)).await? {
        while go_on(app) && db.jot(move |tx| outcome::shrink(tx, which)).await? > 0 {}
    }
    Ok(())
}

async fn users(app: &App, before: Moment, now: Moment, gone: &mut Gone) -> Result<()> {
    loop {
        let found = app.db.scan(move |tx| person::left(tx, before, FOUND)).await?;
        if found.is_empty() || !go_on(app) {
            return Ok(());
        }
        for key in found {
            let erase = app.db.write(move |tx| person::erase(tx, &By::default(), &key, now));
            match erase.await {
                Ok(_) => gone.users += 1,
                // Somebody else did; their id is another now.
                Err(Error::Missing(_)) => {}
                Err(other) => return Err(other),
            }
        }
    }
}
