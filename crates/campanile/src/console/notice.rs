//! A word on what was just done, told by the page that a form leads to.

use super::form::Fields;
use super::words::Words;

/// A word on what was just done, and how to undo it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Notice {
    /// What was done.
    pub(super) text: String,
    /// How to undo it.
    pub(super) undo: Option<Undo>,
}

/// A button that undoes what was just done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Undo {
    /// Where its form goes to.
    pub(super) to: String,
    /// The form's fields.
    pub(super) fields: Vec<(String, String)>,
    /// What the button says.
    pub(super) label: String,
}

impl Notice {
    /// Out of the address that a form led to: `done` names a text `done-…`, `n` a number in it.
    #[must_use]
    pub(super) fn of(words: Words, asked: &Fields) -> Option<Self> {
        let key = format!("done-{}", asked.some("done")?);
        let gone: u64 = asked.get("gone").parse().unwrap_or(0);
        words.has(&key).then(|| {
            let mut text = words.n(&key, asked.get("n").parse().unwrap_or(1));
            if gone > 0 {
                text.push(' ');
                text.push_str(&words.n("done-gone", gone));
            }
            Self { text, undo: None }
        })
    }
}
