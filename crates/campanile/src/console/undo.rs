//! The way back after something was ended: a button beside the word on what was done.
//!
//! The page learns from its address what was done, and an address may come from anybody. What brings back a role or a
//! person is therefore signed: for this person, for a few minutes, for exactly these fields. A link that somebody else
//! has made up says what was done, and offers nothing.

use campanile_core::secret::{hex, same};

use super::form::Fields;
use super::page::{Page, Undo, Viewer};
use crate::app::App;

/// How long a way back is offered.
const MINUTES: i64 = 15;
/// The parameter that holds the signature.
pub(super) const SEAL: &str = "undo";

/// What undoes something: the address that takes the form, and its fields.
pub(super) struct Deed {
    /// Where the form goes to.
    pub(super) to: String,
    /// Its fields.
    pub(super) fields: Vec<(&'static str, String)>,
}

impl Deed {
    fn seal(&self, app: &App, reader: &Viewer, until: i64) -> String {
        let person = reader.principal.person.0.to_be_bytes();
        let until_bytes = until.to_be_bytes();
        let mut parts: Vec<&[u8]> = vec![&person, &until_bytes, self.to.as_bytes()];
        for (name, value) in &self.fields {
            parts.push(name.as_bytes());
            parts.push(value.as_bytes());
        }
        format!("{until}.{}", hex(&app.key.derive("console undo", &parts)))
    }

    /// What the address of the next page holds, so that it offers this.
    pub(super) fn sealed(&self, app: &App, reader: &Viewer) -> String {
        self.seal(app, reader, reader.now.0 / 60_000 + MINUTES)
    }

    /// Puts the button beside the notice of a page whose address was sealed for this very deed.
    pub(super) fn offer(self, app: &App, page: &mut Page<'_>, asked: &Fields, label: String) {
        let given = asked.get(SEAL);
        let until = given.split('.').next().and_then(|until| until.parse::<i64>().ok());
        let Some(until) = until.filter(|until| *until >= page.now.0 / 60_000) else {
            return;
        };
        if !same(self.seal(app, page, until).as_bytes(), given.as_bytes()) {
            return;
        }
        if let Some(notice) = &mut page.notice {
            let fields = self.fields.into_iter();
            notice.undo = Some(Undo {
                to: self.to,
                fields: fields.map(|(name, value)| (name.to_owned(), value)).collect(),
                label,
            });
        }
    }
}
