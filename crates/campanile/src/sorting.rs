//! What a reader does with all of their inbox, for every interface.

use std::sync::Arc;

use campanile_core::id::PersonId;
use campanile_core::inbox::UpTo;
use campanile_core::inbox::act::{self, Action, All, ReadAll};
use campanile_core::time::Moment;

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
    if found == ReadAll::Nothing {
        return Ok(false);
    }
    let more = matches!(&found, ReadAll::Each(plan) if plan.more);
    let work = move |tx: &mut campanile_store::Tx<'_>| match found {
        ReadAll::Nothing => Ok(()),
        ReadAll::Mark(up_to) => act::mark(tx, person, All::Read, up_to, now),
        ReadAll::Each(plan) => act::act(tx, person, &plan, Action::Read, now),
    };
    app.db.jot(work).await?;
    Ok(more)
}
