//! Settings of what is kept how long.

use std::time::Duration;

use super::value::{self, Refusal};
use super::{Setting, setting};

/// How long things are kept; `None`: for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Retention {
    /// Messages, since their end, or their last change where they have none.
    pub messages: Option<Duration>,
    /// The outcomes of single recipients, since the last of them.
    pub outcomes: Option<Duration>,
    /// The journal's rows.
    pub journal: Option<Duration>,
    /// What tells who a user was, since they left.
    pub users: Option<Duration>,
}

/// The settings of this part.
pub(super) const SETTINGS: &[Setting] = &[
    setting("keep_messages", |s, text| long(text).map(|v| s.retention.messages = v)),
    setting("keep_outcomes", |s, text| long(text).map(|v| s.retention.outcomes = v)),
    setting("keep_journal", |s, text| long(text).map(|v| s.retention.journal = v)),
    setting("keep_users", |s, text| long(text).map(|v| s.retention.users = v)),
];

/// Shorter than this, what is kept for other reasons (repeats of a request, bounces that are late) would be missed.
const SHORTEST: Duration = Duration::from_hours(7 * 24);

fn long(text: &str) -> Result<Option<Duration>, Refusal> {
    if text == "forever" {
        return Ok(None);
    }
    match value::span(text) {
        Ok(span) if span >= SHORTEST => Ok(Some(span)),
        _ => Err("must be forever, or 7 d to 3660 d".into()),
    }
}
