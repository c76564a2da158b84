//! What senders and readers do.

use campanile_core::error::Result;
use campanile_core::id::{MessageId, PersonId};
use campanile_core::inbox::Filter;
use campanile_core::inbox::act::{self, Action, All, Marking, UpTo};
use campanile_core::message::change::{self, Correction};
use campanile_core::message::draft::{self, Draft};
use campanile_core::message::publish::{self, Accepted, Idempotency};
use campanile_core::message::remind::{self, Missing};
use campanile_core::message::{self, Message, Status};

use super::World;
use campanile_core::outbox::destination::{Outlets, Posting};
use campanile_core::outbox::target::Policy;
use campanile_core::secret::InstallationKey;

/// A relay, and the open internet.
pub(crate) fn outlets() -> Outlets {
    Outlets {
        email: true,
        http: Some(Posting {
            policy: Policy::default(),
            key: key(),
            random: [7; 32],
        }),
    }
}

/// The secret of the installation.
pub(crate) fn key() -> InstallationKey {
    InstallationKey::from_text(&"k".repeat(32)).expect("32 letters are a key")
}

impl World<'_> {
    /// Checks a draft and hands it in.
    pub(crate) fn hands_in(&self, draft: Draft, idempotency: Option<Idempotency>) -> Result<Accepted> {
        let (now, sender) = (self.tick(), self.sender);
        let checked = self.read(move |tx| draft::check(tx, &draft, "The sender", &outlets(), now))?;
        self.db
            .write(move |tx| publish::publish(tx, sender, &checked, idempotency.as_ref(), now))
    }

    /// Hands in a draft that is accepted.
    pub(crate) fn publish(&self, draft: Draft) -> MessageId {
        self.hands_in(draft, None).expect("the draft is accepted").id
    }

    /// Hands in many drafts in one operation.
    pub(crate) fn publish_many(&self, drafts: Vec<Draft>) -> Vec<MessageId> {
        let (now, sender) = (self.tick(), self.sender);
        let published = self.db.write(move |tx| {
            let mut out = Vec::with_capacity(drafts.len());
            for draft in &drafts {
                let checked = draft::check(tx, draft, "The sender", &outlets(), now)?;
                out.push(publish::publish(tx, sender, &checked, None, now)?.id);
            }
            Ok::<_, campanile_core::Error>(out)
        });
        published.expect("the drafts are accepted")
    }

    /// Corrects a message.
    pub(crate) fn tries_to_correct(&self, id: MessageId, correction: Correction) -> Result<Message> {
        let (now, sender) = (self.tick(), self.sender);
        self.db
            .write(move |tx| change::correct(tx, sender, id, &correction, now))
    }

    /// A correction that is accepted.
    pub(crate) fn correct(&self, id: MessageId, correction: Correction) -> Message {
        self.tries_to_correct(id, correction)
            .expect("the correction is accepted")
    }

    /// Switches a message off.
    pub(crate) fn disable(&self, id: MessageId) -> Message {
        self.correct(
            id,
            Correction {
                enabled: Some(false),
                ..Correction::default()
            },
        )
    }

    /// Switches a message on.
    pub(crate) fn enable(&self, id: MessageId) -> Message {
        self.correct(
            id,
            Correction {
                enabled: Some(true),
                ..Correction::default()
            },
        )
    }

    /// Rings the bell again.
    pub(crate) fn ring(&self, id: MessageId) -> Message {
        self.correct(
            id,
            Correction {
                ring: true,
                ..Correction::default()
            },
        )
    }

    /// Takes a message back.
    pub(crate) fn recall(&self, id: MessageId) -> Result<Message> {
        let (now, sender) = (self.tick(), self.sender);
        self.db.write(move |tx| change::recall(tx, sender, id, now))
    }

    /// Opens what is due; how many there were. The clock stands still.
    pub(crate) fn open_due(&self) -> usize {
        let now = self.now();
        let opened = self.db.write(move |tx| change::open_due(tx, 100, now));
        opened.expect("what is due opens")
    }

    /// A message as its sender sees it.
    pub(crate) fn message(&self, id: MessageId) -> Message {
        self.read(move |tx| message::find(tx, id)).expect("the message exists")
    }

    /// Where a message stands.
    pub(crate) fn status(&self, id: MessageId) -> Status {
        self.message(id).status(self.now())
    }

    /// Does something with named messages.
    pub(crate) fn tries(&self, person: PersonId, action: Action, ids: &[MessageId]) -> Result<()> {
        let (now, shared, ids) = (self.tick(), self.lists(), ids.to_vec());
        let plan = self.read(move |tx| act::named(tx, &shared, person, &ids, action, now))?;
        self.db.jot(move |tx| act::act(tx, person, &plan, action, now))
    }

    /// Does something with messages that the person can see.
    pub(crate) fn does(&self, person: PersonId, action: Action, ids: &[MessageId]) {
        self.tries(person, action, ids).expect("the messages are theirs");
    }

    /// Does something with all that a filter takes; how many there were.
    pub(crate) fn does_to_all(&self, person: PersonId, action: Action, filter: Filter) -> usize {
        let (now, shared) = (self.tick(), self.lists());
        let plan = self.read(move |tx| act::filtered(tx, &shared, person, &filter, action, None, now));
        let plan = plan.expect("the filter is good");
        let count = plan.messages.len();
        let done = self.db.jot(move |tx| act::act(tx, person, &plan, action, now));
        done.expect("what was found can be acted on");
        count
    }

    /// Marks all that the person can know of by now.
    pub(crate) fn marks(&self, person: PersonId, all: All) {
        let up_to = UpTo {
            revision: self.revision(),
            clock: self.in_s(1),
        };
        self.marks_up_to(person, all, up_to);
    }

    /// Deletes all that stands in a person's inbox, as `delete_all` finds it. The clock stands still.
    pub(crate) fn empties(&self, person: PersonId) {
        let (now, shared) = (self.now(), self.lists());
        let found = self.read(move |tx| act::delete_all(tx, &shared, person, now));
        let done = match found.expect("an inbox can be looked at") {
            Marking::Nothing => Ok(()),
            Marking::Mark(up_to) => self.db.jot(move |tx| act::mark(tx, person, All::Deleted, up_to, now)),
            Marking::Each(plan) => self.db.jot(move |tx| act::act(tx, person, &plan, Action::Delete, now)),
        };
        done.expect("what was found can be deleted");
    }

    /// What a page that is loaded now is as of.
    pub(crate) fn loads(&self, person: PersonId) -> UpTo {
        UpTo {
            revision: self.page(person, Filter::default(), None, 10).revision,
            clock: self.now(),
        }
    }

    /// Marks all of it, as a page that was loaded before does.
    pub(crate) fn marks_up_to(&self, person: PersonId, all: All, up_to: UpTo) {
        let now = self.tick();
        let done = self.db.jot(move |tx| act::mark(tx, person, all, up_to, now));
        done.expect("a mark is stored");
    }
}

impl World<'_> {
    /// Who has not acknowledged a message.
    pub(crate) fn missing(&self, id: MessageId) -> Result<Missing> {
        let (message, kept) = (self.message(id), self.audiences());
        self.with_residents(move |tx, residents, now| Ok(remind::missing(tx, residents, &kept, &message, now)))
    }

    /// Reminds them; the message that is mailed.
    pub(crate) fn remind(&self, id: MessageId) -> Result<Option<MessageId>> {
        let (missing, sender, now) = (self.missing(id)?, self.sender, self.tick());
        self.db
            .write(move |tx| remind::remind(tx, &sender.into(), sender, id, &missing.mailed, now))
    }
}
