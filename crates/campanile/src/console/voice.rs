//! How a page speaks to its reader: texts, numbers and times, in their language and zone. Templates reach it through
//! the page.

use std::borrow::Borrow;

use campanile_core::message::Importance;
use campanile_core::time::Moment;

use super::number::{At, Count};
use super::when::{self, Zone};
use super::words::Words;
use crate::relay::Trouble;

/// A reader's language and zone, and the time at which they read.
pub(super) struct Voice {
    /// Texts in their language.
    pub(super) words: Words,
    /// Their time zone.
    pub(super) zone: Zone,
    /// Now.
    pub(super) now: Moment,
}

impl Voice {
    /// A text.
    #[must_use]
    pub(super) fn t(&self, key: &str) -> String {
        self.words.t(key)
    }

    /// A text of a family, such as `status-active`.
    #[must_use]
    pub(super) fn of(&self, family: impl AsRef<str>, name: impl AsRef<str>) -> String {
        self.words.t(&format!("{}-{}", family.as_ref(), name.as_ref()))
    }

    /// A text about a number.
    #[must_use]
    pub(super) fn n(&self, key: &str, n: impl Count) -> String {
        self.words.n(key, n.count())
    }

    /// A text about a thing.
    #[must_use]
    pub(super) fn s(&self, key: &str, what: impl AsRef<str>) -> String {
        self.words.s(key, what.as_ref())
    }

    /// A number with its thousands apart.
    #[must_use]
    pub(super) fn number(&self, n: impl Count) -> String {
        self.words.number(n.count())
    }

    /// How many of all are through.
    #[must_use]
    pub(super) fn through(&self, through: impl Count, all: impl Count) -> String {
        let number = |n: u64| self.words.number(n).into();
        let (through, all) = (through.count(), all.count());
        self.words
            .with("run-through", [("through", number(through)), ("all", number(all))])
    }

    /// A text about some of all: `$some` and `$all`.
    #[must_use]
    pub(super) fn of_all(&self, key: &str, some: impl Count, all: impl Count) -> String {
        let number = |n: u64| self.words.number(n).into();
        self.words
            .with(key, [("some", number(some.count())), ("all", number(all.count()))])
    }

    /// What a rule says, in the reader's language.
    #[must_use]
    pub(super) fn refusal(&self, english: &str) -> String {
        self.words.refusal(english)
    }

    /// What keeps mails waiting.
    #[must_use]
    pub(super) fn relay(&self, trouble: &Trouble) -> String {
        self.words.with(
            "relay-waits",
            [
                ("why", self.refusal(&trouble.reason).into()),
                ("since", self.when(trouble.since).into()),
                ("next", self.when(trouble.next_try_at).into()),
            ],
        )
    }

    /// A time in the reader's zone.
    #[must_use]
    pub(super) fn when(&self, moment: impl At) -> String {
        self.zone.full(self.words, moment.at())
    }

    /// Today, as `30 Nov`.
    #[must_use]
    pub(super) fn today(&self) -> String {
        self.zone.day(self.words, self.now, self.now)
    }

    /// How long ago a time is.
    #[must_use]
    pub(super) fn ago(&self, moment: impl At) -> String {
        self.zone.ago(self.words, moment.at(), self.now)
    }

    /// A time for an attribute `datetime`.
    #[must_use]
    #[expect(clippy::unused_self, reason = "templates reach it as they reach the other times")]
    pub(super) fn iso(&self, moment: impl At) -> String {
        when::iso(moment.at())
    }

    /// A time in UTC, to stand beside the local one.
    #[must_use]
    #[expect(clippy::unused_self, reason = "templates reach it as they reach the other times")]
    pub(super) fn utc(&self, moment: impl At) -> String {
        moment.at().utc()
    }

    /// The name of an importance in addresses, classes and names of texts.
    #[must_use]
    #[expect(clippy::unused_self, reason = "templates reach it as they reach the other texts")]
    pub(super) fn importance(&self, importance: impl Borrow<Importance>) -> &'static str {
        importance_name(*importance.borrow())
    }
}

/// The name of an importance in addresses, classes and names of texts.
pub(super) const fn importance_name(importance: Importance) -> &'static str {
    match importance {
        Importance::Low => "low",
        Importance::High => "high",
        Importance::Critical => "critical",
    }
}
