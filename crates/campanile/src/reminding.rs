//! Reminding those who have not acknowledged a message, for every interface.

use std::sync::Arc;

use campanile_core::Result as Ruled;
use campanile_core::id::MessageId;
use campanile_core::message::remind;
use campanile_core::rights::Rights;
use campanile_store::Tx;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::auth::Principal;
use crate::problem::Problem;
use crate::sending::{Want, reach};

/// Who was reminded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Reminded {
    /// How many had not acknowledged it.
    pub people: u64,
    /// Mails on their way, one to each distinct address of these; none where the server has no relay.
    pub mails: u64,
    /// The message that is mailed, where there are mails: how far it got is told as of any other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reminder: Option<MessageId>,
}

/// Rings the bell again for those who have not acknowledged a message, and mails them.
///
/// # Errors
/// As of [`reach`]; `Conflict` for a message that does not ask to be acknowledged, or that nobody sees now.
pub async fn remind(app: &App, by: &Principal, id: MessageId) -> Result<Reminded, Problem> {
    let (person, by) = (by.person, by.by());
    let (now, has_relay) = (app.clock.now(), app.outlets().email);
    let (residents, crowds) = (Arc::clone(&app.residents), Arc::clone(&app.crowds));
    let look = move |tx: &mut Tx<'_>| {
        let rights = Rights::load(tx, person)?;
        let message = reach(tx, &rights, id, Want::Correct)?;
        let residents = residents.at(tx)?;
        remind::missing(tx, &residents, &crowds, &message, now)
    };
    let missing = app.db.scan(look).await?;
    let mailed = if has_relay { missing.mailed } else { Vec::new() };
    let mails = mailed.iter().map(|chunk| chunk.len() as u64).sum();
    let work = move |tx: &mut Tx<'_>| -> Ruled<Option<MessageId>> {
        // The lock first: rights are those of the moment at which it is written.
        tx.tally()?;
        let rights = Rights::load(tx, person)?;
        reach(tx, &rights, id, Want::Correct)?;
        remind::remind(tx, &by, person, id, &mailed, now)
    };
    let reminder = app.db.write(work).await?;
    Ok(Reminded {
        people: missing.people,
        mails,
        reminder,
    })
}
