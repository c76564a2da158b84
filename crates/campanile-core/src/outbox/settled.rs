//! What became of one recipient. Pure.

use serde::{Deserialize, Serialize};

use super::lane::Lane;
use super::run::Counts;
use crate::time::Moment;

/// Where a recipient stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = DeliveryState)]
pub enum State {
    /// Waits for its turn, or for the next try.
    Queued,
    /// Being sent.
    Sending,
    /// Accepted by the relay, or answered with success.
    Sent,
    /// Given up.
    Failed,
    /// Not sent: the address is on the suppression list.
    Suppressed,
    /// Not sent: deactivated, or without an address.
    Gone,
    /// Taken back before it left.
    Cancelled,
}

impl State {
    /// As stored.
    #[must_use]
    pub const fn code(self) -> i64 {
        self as i64
    }

    /// From storage.
    #[must_use]
    pub const fn from_code(code: i64) -> Self {
        match code {
            0 => Self::Queued,
            1 => Self::Sending,
            2 => Self::Sent,
            3 => Self::Failed,
            4 => Self::Suppressed,
            5 => Self::Gone,
            _ => Self::Cancelled,
        }
    }
}

/// How a try ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It is there.
    Sent,
    /// Once more at a time; `counts` where it was the recipient's fault.
    Again {
        /// When.
        at: Moment,
        /// Whether it is one of the tries that the recipient has.
        counts: bool,
    },
    /// Given up.
    Failed,
    /// The address gets no mail. It was not tried.
    Suppressed,
    /// The person is not there any more, or has no address. It was not tried.
    Gone,
}

impl End {
    /// As it is counted; `None` where nothing was tried, or by no fault of the recipient.
    #[must_use]
    pub const fn counted(self) -> Option<&'static str> {
        match self {
            Self::Sent => Some("sent"),
            Self::Again { counts: true, .. } => Some("again"),
            Self::Failed => Some("failed"),
            Self::Again { .. } | Self::Suppressed | Self::Gone => None,
        }
    }

    pub(super) const fn count(self, counts: &mut Counts) {
        match self {
            Self::Sent => counts.sent += 1,
            Self::Again { .. } => {}
            Self::Failed => counts.failed += 1,
            Self::Suppressed => counts.suppressed += 1,
            Self::Gone => counts.gone += 1,
        }
    }

    pub(super) const fn state(self) -> State {
        match self {
            Self::Sent => State::Sent,
            Self::Again { .. } => State::Queued,
            Self::Failed => State::Failed,
            Self::Suppressed => State::Suppressed,
            Self::Gone => State::Gone,
        }
    }

    pub(super) const fn was_tried(self) -> bool {
        matches!(self, Self::Sent | Self::Again { .. } | Self::Failed)
    }

    pub(super) const fn outcome(self) -> Outcome {
        match self {
            Self::Sent => Outcome::Sent,
            Self::Again { counts: false, .. } => Outcome::Trouble,
            Self::Again { .. } => Outcome::Again,
            Self::Failed | Self::Suppressed | Self::Gone => Outcome::Failed,
        }
    }
}

/// What a try came to, as its timeline says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Success.
    Sent = 1,
    /// It is tried again.
    Again = 2,
    /// Given up.
    Failed = 3,
    /// Nobody knows: the server ended in the middle, or the connection after the last byte.
    InDoubt = 4,
    /// The relay, the proxy or this server was in trouble; it does not count.
    Trouble = 5,
    /// It came back afterwards.
    Bounced = 6,
}

impl Outcome {
    /// From storage.
    #[must_use]
    pub const fn from_code(code: i64) -> Self {
        match code {
            1 => Self::Sent,
            2 => Self::Again,
            3 => Self::Failed,
            4 => Self::InDoubt,
            5 => Self::Trouble,
            _ => Self::Bounced,
        }
    }
}

/// One recipient, after a try, or without one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// The person, or the number of the destination.
    pub target: i64,
    /// How it ended.
    pub end: End,
    /// The reply's code.
    pub code: Option<i64>,
    /// Why it was no success, for people. Nothing of it is what a stranger's server said unless it is a mail relay's.
    pub reason: Option<String>,
    /// Nobody knows whether it arrived.
    pub doubtful: bool,
    /// Of a mail: where it went, or was to go.
    pub address: Option<String>,
    /// When the try began.
    pub at: Moment,
    /// How long it took.
    pub took_ms: i64,
}

impl Settled {
    /// A success.
    #[must_use]
    pub const fn sent(target: i64, code: Option<i64>, at: Moment, took_ms: i64) -> Self {
        Self {
            target,
            end: End::Sent,
            code,
            reason: None,
            doubtful: false,
            address: None,
            at,
            took_ms,
        }
    }

    pub(super) fn due(&self) -> i64 {
        match self.end {
            End::Again { at, .. } => at.0,
            _ => self.at.0,
        }
    }

    pub(super) fn counted(&self) -> i64 {
        i64::from(match self.end {
            End::Again { counts, .. } => counts,
            other => other.was_tried(),
        })
    }
}

/// What is tried again waits behind what was not tried yet.
pub(super) const fn lane_after(lane: Lane, end: End) -> Lane {
    match (end, lane) {
        (End::Again { counts: true, .. }, Lane::Critical) => Lane::Normal,
        (End::Again { counts: true, .. }, _) => Lane::Bulk,
        (_, lane) => lane,
    }
}
