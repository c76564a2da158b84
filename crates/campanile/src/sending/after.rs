//! The people of a message, all of them, to be taken along: page by page, so that a million take no more memory than a
//! thousand.

use std::sync::Arc;

use campanile_core::audience::crowd::Residents;
use campanile_core::id::{MessageId, PersonId};
use campanile_core::message::funnel::{self, Audiences};
use campanile_core::message::sent::{self, PEOPLE_LIMIT, Part as People, Recipient};
use campanile_core::message::{self, Message};
use campanile_core::rights::Rights;
use campanile_core::time::Moment;
use campanile_core::{Error, Result as Ruled};
use campanile_store::Tx;
use roaring::RoaringBitmap;

use super::{Want, reach};
use crate::app::App;
use crate::problem::Problem;

/// People of a piece.
const PIECE: usize = 1_000;

/// The people of a part of a message's audience.
pub(super) fn part(
    tx: &mut Tx<'_>,
    (residents, crowds): (&Residents, &Audiences),
    message: &Message,
    part: People,
    now: Moment,
) -> Ruled<RoaringBitmap> {
    match part {
        // Who saw and who read is told by marks, of which there are many more than people on a page.
        People::All => {
            let selectors = message::selectors(tx, message.id)?;
            funnel::audience(tx, residents, crowds, message, &selectors, now)
        }
        part => Ok(part.of(&funnel::crowds(tx, residents, crowds, message, now)?)),
    }
}

/// The people of a part of a message's audience, in the order of their ids, a piece at a time.
pub struct Everybody {
    app: Arc<App>,
    person: PersonId,
    /// The message.
    pub message: Message,
    people: RoaringBitmap,
    after: Option<u32>,
    ended: bool,
}

/// Who is in a part of a message's audience now. Each piece says what they had done by its own time.
///
/// # Errors
/// As [`reach`].
pub async fn everybody(
    app: &Arc<App>,
    person: PersonId,
    id: MessageId,
    wanted: impl Fn(&Message) -> People + Send + 'static,
) -> Result<Everybody, Problem> {
    let now = app.clock.now();
    let (residents, crowds) = (Arc::clone(&app.residents), Arc::clone(&app.crowds));
    let work = move |tx: &mut Tx<'_>| {
        let rights = Rights::load(tx, person)?;
        let message = reach(tx, &rights, id, Want::See)?;
        let residents = residents.at(tx)?;
        let people = part(tx, (&residents, &crowds), &message, wanted(&message), now)?;
        Ok::<_, Error>((message, people))
    };
    let (message, people) = app.db.scan(work).await?;
    Ok(Everybody {
        app: Arc::clone(app),
        person,
        message,
        people,
        after: None,
        ended: false,
    })
}

impl Everybody {
    /// The next of them; `None` at the end.
    ///
    /// # Errors
    /// As [`reach`]: who may not see it any more gets no more of it.
    pub async fn piece(&mut self) -> Result<Option<Vec<Recipient>>, Problem> {
        if self.ended {
            return Ok(None);
        }
        let (person, id, now) = (self.person, self.message.id, self.app.clock.now());
        let people: RoaringBitmap = {
            let from = self.after.map_or(0, |after| after.saturating_add(1));
            self.people.range(from..).take(PIECE).collect()
        };
        let work = move |tx: &mut Tx<'_>| {
            let rights = Rights::load(tx, person)?;
            let message = reach(tx, &rights, id, Want::See)?;
            let (mut out, mut after) = (Vec::with_capacity(people.len() as usize), None);
            loop {
                let (page, next) = sent::recipients(tx, &message, &people, after, PEOPLE_LIMIT, now)?;
                out.extend(page);
                after = next;
                if after.is_none() {
                    return Ok::<_, Error>((out, people.max()));
                }
            }
        };
        let (piece, last) = self.app.db.scan(work).await?;
        self.after = last;
        self.ended = last.is_none_or(|last| self.people.max() == Some(last));
        Ok(Some(piece))
    }
}
