//! Who is in an audience. Everything else rests on this.
//!
//! A [`Selector`] is one small thing that an audience can name; a message names a few. A [`Holding`] says that a person
//! held a selector during an interval of revisions. A person is in the audience of a message when a holding equals one
//! of its selectors and covers the right instant: the message's revision for [`Rule::AtSend`], now for
//! [`Rule::WhileActive`].
//!
//! That one definition is used from two sides. From the person's: [`holdings`] fetches the few facts of one person, and
//! [`Holding::covers`] judges a message against them. From the message's: [`crowd`] finds the people who hold a
//! selector at a revision. A third, naive form lives in the tests; all must agree.

pub(crate) mod concerned;
pub mod crowd;
pub(crate) mod held;
pub(crate) mod holding;

use campanile_store::Row;
use serde::{Deserialize, Serialize};

pub use concerned::concerned;
pub use held::Held;
pub(crate) use holding::emptied;
pub use holding::{Bundle, Deed, Holding, Mark, Marks, Match, bundle, holdings, matches};

use crate::id::{ApiId, CustomerId, EnvironmentId, GroupId, PersonId, RoleId};
use crate::time::{Moment, OPEN, Revision};

/// One thing that an audience can name (decision 9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Selector {
    /// Who holds a role in an environment; explicit memberships only.
    EnvironmentRole {
        /// Where.
        environment: EnvironmentId,
        /// Of scope ENVIRONMENT.
        role: RoleId,
    },
    /// Who holds a role, directly or lent by a group, in an application with a valid subscription to an API.
    ApiRole {
        /// The API subscribed to.
        api: ApiId,
        /// Of scope APPLICATION.
        role: RoleId,
    },
    /// Who made a valid subscription to an API.
    Subscribers {
        /// The API subscribed to.
        api: ApiId,
    },
    /// Who made a subscription to an API, whatever its status and times.
    Subscribed {
        /// The API subscribed to.
        api: ApiId,
    },
    /// The users of one customer.
    Customer {
        /// Which.
        customer: CustomerId,
    },
    /// The users of a customer and of every customer below it.
    Subtree {
        /// The top.
        customer: CustomerId,
    },
    /// Every active user, also those without a customer.
    Everyone,
    /// Who has any membership on a group.
    Group {
        /// Which.
        group: GroupId,
    },
    /// One person.
    User {
        /// Who.
        person: PersonId,
    },
}

/// A selector as it is stored: kind, object, and role where the kind has one, else 0. Of subscribers the last says
/// whether those of any status are meant.
pub type Key = (i64, i64, i64);

/// A selector of a message, for as long as the message was addressed to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Addressed {
    /// Which selector.
    pub key: Key,
    /// From this revision; 0 from publication on.
    pub since: i64,
    /// Until before this revision; [`OPEN`] while it is.
    pub until: i64,
    /// The time beside `since`.
    pub since_at: i64,
    /// The time beside `until`.
    pub until_at: i64,
}

impl Addressed {
    /// Whether the message is addressed to it still.
    #[must_use]
    pub const fn is_now(&self) -> bool {
        self.until == OPEN
    }

    /// The part of a holding during which the message was addressed to it.
    #[must_use]
    pub fn part_of(&self, held: &Holding) -> Option<Holding> {
        let part = Holding {
            since: held.since.max(self.since),
            until: held.until.min(self.until),
            since_at: held.since_at.max(self.since_at),
            until_at: held.until_at.min(self.until_at),
            ..*held
        };
        (held.key == self.key && part.since < part.until).then_some(part)
    }

    /// From the columns kind, object, role, since, until, `since_at`, `until_at`, the first of them at `from`.
    pub(crate) fn read(row: &Row<'_>, from: usize) -> campanile_store::Result<Self> {
        Ok(Self {
            key: (row.get(from)?, row.get(from + 1)?, row.get(from + 2)?),
            since: row.get(from + 3)?,
            until: row.get(from + 4)?,
            since_at: row.get(from + 5)?,
            until_at: row.get(from + 6)?,
        })
    }
}

/// Codes of [`Selector`] in `audience.kind`.
pub mod kind {
    /// [`super::Selector::EnvironmentRole`]
    pub const ENVIRONMENT_ROLE: i64 = 1;
    /// [`super::Selector::ApiRole`]
    pub const API_ROLE: i64 = 2;
    /// [`super::Selector::Subscribers`], and [`super::Selector::Subscribed`]
    pub const SUBSCRIBERS: i64 = 3;
    /// [`super::Selector::Customer`]
    pub const CUSTOMER: i64 = 4;
    /// [`super::Selector::Subtree`]
    pub const SUBTREE: i64 = 5;
    /// [`super::Selector::Everyone`]
    pub const EVERYONE: i64 = 6;
    /// [`super::Selector::Group`]
    pub const GROUP: i64 = 7;
    /// [`super::Selector::User`]
    pub const USER: i64 = 8;
}

/// In place of a role: subscribers of any status.
pub(crate) const ANY_STATUS: i64 = 1;

impl Selector {
    /// As stored.
    #[must_use]
    pub const fn key(self) -> Key {
        match self {
            Self::EnvironmentRole { environment, role } => (kind::ENVIRONMENT_ROLE, environment.0, role.0),
            Self::ApiRole { api, role } => (kind::API_ROLE, api.0, role.0),
            Self::Subscribers { api } => (kind::SUBSCRIBERS, api.0, 0),
            Self::Subscribed { api } => (kind::SUBSCRIBERS, api.0, ANY_STATUS),
            Self::Customer { customer } => (kind::CUSTOMER, customer.0, 0),
            Self::Subtree { customer } => (kind::SUBTREE, customer.0, 0),
            Self::Everyone => (kind::EVERYONE, 0, 0),
            Self::Group { group } => (kind::GROUP, group.0, 0),
            Self::User { person } => (kind::USER, person.0, 0),
        }
    }

    /// From storage; `None` for a key that no binary wrote.
    #[must_use]
    pub const fn from_key((kind, object, role): Key) -> Option<Self> {
        Some(match kind {
            kind::ENVIRONMENT_ROLE => Self::EnvironmentRole {
                environment: EnvironmentId(object),
                role: RoleId(role),
            },
            kind::API_ROLE => Self::ApiRole {
                api: ApiId(object),
                role: RoleId(role),
            },
            kind::SUBSCRIBERS if role == ANY_STATUS => Self::Subscribed { api: ApiId(object) },
            kind::SUBSCRIBERS => Self::Subscribers { api: ApiId(object) },
            kind::CUSTOMER => Self::Customer {
                customer: CustomerId(object),
            },
            kind::SUBTREE => Self::Subtree {
                customer: CustomerId(object),
            },
            kind::EVERYONE => Self::Everyone,
            kind::GROUP => Self::Group { group: GroupId(object) },
            kind::USER => Self::User {
                person: PersonId(object),
            },
            _ => return None,
        })
    }
}

/// What people get who come to match after publication.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Exactly those who matched when it was published, even if they lose the role later, and nobody who joins later.
    #[default]
    AtSend,
    /// Whoever matches now, while the window is open.
    WhileActive,
}

impl Rule {
    /// As stored.
    #[must_use]
    pub const fn code(self) -> i64 {
        self as i64
    }

    /// From storage.
    #[must_use]
    pub const fn from_code(code: i64) -> Self {
        if code == 1 { Self::WhileActive } else { Self::AtSend }
    }
}

/// The instant at which an audience is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instant {
    /// For every fact.
    pub revision: Revision,
    /// For what depends on the clock by nature: the start and end of a subscription.
    pub at: Moment,
}

impl Instant {
    /// Now: every fact that still holds, at this time.
    #[must_use]
    pub const fn now(at: Moment) -> Self {
        // The last revision that an open interval [since, OPEN) still covers.
        Self {
            revision: Revision(OPEN - 1),
            at,
        }
    }
}
