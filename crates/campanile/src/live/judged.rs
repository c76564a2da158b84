//! Whom a message concerns, among those who listen.

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;
use campanile_core::Result;
use campanile_core::account;
use campanile_core::id::{MessageId, PersonId};
use campanile_core::inbox::live::{self, Moved, Reader};
use campanile_core::inbox::{Counted, Item, Listed};
use campanile_core::lists::Shared;
use campanile_core::revision;
use campanile_core::site::door;
use campanile_core::time::Moment;
use campanile_store::Tx;

use super::{Key, frame};
use crate::app::App;

/// Judges messages for people, in one read. The bell rings for what rang after the revision `told`.
pub(super) async fn judge(
    app: &App,
    messages: Vec<MessageId>,
    people: Vec<(PersonId, Reader)>,
    told: i64,
    now: Moment,
) -> Result<Vec<Judged>> {
    let shared = Arc::clone(&app.lists);
    let work = move |tx: &mut Tx<'_>| {
        let judge = |message: MessageId| Judged::of(tx, &shared, message, &people, told, now);
        messages.into_iter().map(judge).collect()
    };
    app.db.read(work).await
}

/// A message, and whom it concerns.
pub(super) struct Judged {
    message: MessageId,
    revision: i64,
    listed: Option<Listed>,
    rings: bool,
    there: Vec<PersonId>,
    gone: Vec<PersonId>,
}

impl Judged {
    fn of(
        tx: &mut Tx<'_>,
        shared: &Shared,
        message: MessageId,
        people: &[(PersonId, Reader)],
        told: i64,
        now: Moment,
    ) -> Result<Self> {
        let latest = revision::latest_of_messages(tx)?;
        let lists = shared.at(tx, latest)?;
        let (mut there, mut gone, mut any): (_, _, Option<Item>) = (Vec::new(), Vec::new(), None);
        for (person, reader) in people {
            match reader.moved(&lists, message, now) {
                Moved::Foreign => {}
                Moved::Gone => gone.push(*person),
                Moved::There(item) => {
                    any = Some(item);
                    there.push(*person);
                }
            }
        }
        let rings = lists.find(message.0).is_some_and(|entry| entry.ring > told);
        let revision = lists.position();
        drop(lists);
        let listed = match any {
            Some(item) => live::text(tx, shared, &item)?,
            None => None,
        };
        Ok(Self {
            message,
            revision,
            listed,
            rings,
            there,
            gone,
        })
    }

    /// What is told, and whom: those for whom it is there, and those for whom it is not any more.
    pub(super) fn told(&self) -> impl Iterator<Item = (&[PersonId], Bytes)> {
        let event = |data: &frame::Message<'_>| frame::event("message", Some(self.revision), data);
        let there = self
            .listed
            .as_ref()
            .map(|listed| (&self.there[..], event(&frame::Message::there(listed, self.rings))));
        let gone = || (&self.gone[..], event(&frame::Message::gone(self.message.0)));
        there.into_iter().chain((!self.gone.is_empty()).then(gone))
    }
}

/// Those of some people who may still come in by the keys of sites by which they came.
pub(super) async fn admitted(app: &App, came: Vec<(PersonId, Key)>) -> Result<HashSet<(PersonId, Key)>> {
    if came.is_empty() {
        return Ok(HashSet::new());
    }
    let work = move |tx: &mut Tx<'_>| {
        let mut admitted = HashSet::new();
        for (person, key) in came {
            if door::admits(tx, &key, person)? {
                admitted.insert((person, key));
            }
        }
        Ok(admitted)
    };
    app.db.read(work).await
}

/// Somebody, and what was read of them.
pub(super) type Found = (PersonId, Option<(Reader, Counted)>);

/// Reads what people hold, with their numbers; `None` for who is not let in.
pub(super) async fn read(app: &App, people: Vec<PersonId>, now: Moment) -> Result<Vec<Found>> {
    let shared = Arc::clone(&app.lists);
    let work = move |tx: &mut Tx<'_>| {
        let mut found = Vec::with_capacity(people.len());
        for person in people {
            let is_in = account::is_admitted(tx, person)?;
            let read = is_in.then(|| Reader::read(tx, &shared, person, now)).transpose()?;
            found.push((person, read.filter(|(reader, _)| reader.is_active())));
        }
        Ok(found)
    };
    app.db.read(work).await
}
