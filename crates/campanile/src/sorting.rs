//! What a reader does with all of their inbox, for every interface.

use std::sync::Arc;

use campanile_core::Error;
use campanile_core::id::{MessageId, PersonId};
use campanile_core::inbox::UpTo;
use campanile_core::inbox::act::{self, Action, All, Marking};
use campanile_core::time::Moment;
use campanile_store::Tx;

use crate::app::App;
use crate::problem::Problem;

/// Marks everything read that came up no later than `up_to`; whether there is more than one call touches.
///
/// # Errors
/// Those of the database.
pub(crate) async fn read_all(app: &App, person: PersonId, up_to: Option<UpTo>, now: Moment) -> Result<bool, Problem> {
    let lists = Arc::clone(&app.lists);
    let found = app
        .db
        .read(move |tx| act::read_all(tx, &lists, person, up_to, now))
        .await?;
    if found == Marking::Nothing {
        return Ok(false);
    }
    let more = matches!(&found, Marking::Each(plan) if plan.more);
    let work = move |tx: &mut Tx<'_>| match found {
        Marking::Nothing => Ok(()),
        Marking::Mark(up_to) => act::mark(tx, person, All::Read, up_to, now),
        Marking::Each(plan) => act::act(tx, person, &plan, Action::Read, now),
    };
    app.db.jot(work).await?;
    Ok(more)
}

/// Reads and removes one message that stands in the inbox.
///
/// # Errors
/// `Missing`.
pub(crate) async fn delete(app: &App, person: PersonId, id: MessageId, now: Moment) -> campanile_core::Result<()> {
    let lists = Arc::clone(&app.lists);
    let find = move |tx: &mut Tx<'_>| act::in_inbox(tx, &lists, person, id, now);
    let plan = app.db.read(find).await?;
    let work = move |tx: &mut Tx<'_>| {
        act::act(tx, person, &plan, Action::Read, now)?;
        act::act(tx, person, &plan, Action::Delete, now)
    };
    app.db.jot(work).await
}

/// Reads and removes all that stands in the inbox: a mark each, whatever the number of messages. Where there is
/// nothing, nothing is written.
///
/// # Errors
/// Those of the database.
pub(crate) async fn delete_all(app: &App, person: PersonId, now: Moment) -> Result<(), Problem> {
    let lists = Arc::clone(&app.lists);
    let find = move |tx: &mut Tx<'_>| {
        let unread = act::read_all(tx, &lists, person, None, now)?;
        Ok::<_, Error>((unread, act::delete_all(tx, &lists, person, now)?))
    };
    let (unread, there) = app.db.read(find).await?;
    let work = move |tx: &mut Tx<'_>| match there {
        Marking::Nothing => Ok(()),
        Marking::Mark(up_to) => {
            if unread != Marking::Nothing {
                act::mark(tx, person, All::Read, up_to, now)?;
            }
            act::mark(tx, person, All::Deleted, up_to, now)
        }
        Marking::Each(plan) => {
            act::act(tx, person, &plan, Action::Read, now)?;
            act::act(tx, person, &plan, Action::Delete, now)
        }
    };
    Ok(app.db.jot(work).await?)
}
