//! The first steps of an installation: how far it is from empty to a message that people get.

use campanile_store::{Tx, sql};

use crate::audience::kind;
use crate::error::Result;
use crate::id::PersonId;

sql! {
    // Each ends at the first row that it finds.
    OTHERS = "SELECT id FROM person WHERE id <> $1 LIMIT 1";
    SENT = "SELECT id FROM message LIMIT 1";
    TO_OTHERS = "SELECT message FROM audience WHERE kind <> $1 OR object <> $2 LIMIT 1";
}

/// What has been done in an installation, as seen by one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Steps {
    /// Somebody else is, or was, in the directory.
    pub people: bool,
    /// A message was sent, to whomever.
    pub sent: bool,
    /// A message was sent to more than this person alone.
    pub to_others: bool,
}

impl Steps {
    /// Looks how far the installation is.
    pub fn load(tx: &mut Tx<'_>, person: PersonId) -> Result<Self> {
        let people = tx.first(&OTHERS, &[&person.0], |_| Ok(()))?.is_some();
        let sent = tx.first(&SENT, &[], |_| Ok(()))?.is_some();
        let to_others = sent && tx.first(&TO_OTHERS, &[&kind::USER, &person.0], |_| Ok(()))?.is_some();
        Ok(Self {
            people,
            sent,
            to_others,
        })
    }

    /// Whether nothing was done yet.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        !self.people && !self.sent
    }

    /// Whether nothing is left to be shown.
    #[must_use]
    pub const fn is_done(self) -> bool {
        self.people && self.to_others
    }
}
