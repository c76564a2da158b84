//! Lanes: what is more urgent does not wait behind what is less.

use crate::message::Importance;

/// The lanes of what leaves, the more urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// Critical messages.
    Critical = 0,
    /// Everything else.
    Normal = 1,
    /// More than [`BULK`] recipients, and posts that are tried again.
    Bulk = 2,
}

/// More recipients than this are bulk.
pub const BULK: u64 = 1_000;

impl Lane {
    /// All of them, the most urgent first.
    pub const ALL: [Self; 3] = [Self::Critical, Self::Normal, Self::Bulk];

    /// As stored.
    #[must_use]
    pub const fn code(self) -> i64 {
        self as i64
    }

    /// As numbers are labelled.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Normal => "normal",
            Self::Bulk => "bulk",
        }
    }

    /// From storage.
    #[must_use]
    pub const fn from_code(code: i64) -> Self {
        match code {
            0 => Self::Critical,
            1 => Self::Normal,
            _ => Self::Bulk,
        }
    }

    pub(super) const fn of(importance: Importance) -> Self {
        match importance {
            Importance::Critical => Self::Critical,
            Importance::Low | Importance::High => Self::Normal,
        }
    }

    /// Of a mail, once it is known to how many it goes.
    #[must_use]
    pub const fn for_many(self, recipients: u64) -> Self {
        match self {
            Self::Normal if recipients > BULK => Self::Bulk,
            lane => lane,
        }
    }
}
