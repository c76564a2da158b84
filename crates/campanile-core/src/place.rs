//! Where a role can be held, and the roles that are there from the start (contract A, section 5; decision 14).

use serde::{Deserialize, Serialize};

use crate::id::RoleId;

/// What a role is about. A role's name is unique in its scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Scope {
    /// The whole installation.
    Organization = 1,
    /// An environment of it.
    Environment = 2,
    /// One API.
    Api = 3,
    /// One application.
    Application = 4,
}

impl Scope {
    /// As stored.
    #[must_use]
    pub const fn code(self) -> i64 {
        self as i64
    }

    /// From storage.
    #[must_use]
    pub const fn from_code(code: i64) -> Option<Self> {
        Some(match code {
            1 => Self::Organization,
            2 => Self::Environment,
            3 => Self::Api,
            4 => Self::Application,
            _ => return None,
        })
    }

    /// As it is written outside.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Organization => "ORGANIZATION",
            Self::Environment => "ENVIRONMENT",
            Self::Api => "API",
            Self::Application => "APPLICATION",
        }
    }
}

/// Where a membership is, as stored in `membership.place`. A group stands in two places, because a membership on it
/// names the scope of the role that it lends.
#[expect(clippy::module_inception, reason = "the codes of the noun that this file is about")]
pub mod place {
    /// The organization; its object is [`super::ORGANIZATION`].
    pub const ORGANIZATION: i64 = 1;
    /// An environment.
    pub const ENVIRONMENT: i64 = 2;
    /// An API.
    pub const API: i64 = 3;
    /// An application.
    pub const APPLICATION: i64 = 4;
    /// A group, with a role of scope APPLICATION.
    pub const GROUP_APPLICATION: i64 = 5;
    /// A group, with a role of scope API.
    pub const GROUP_API: i64 = 6;
}

/// The kinds of `life`.
pub mod kind {
    /// A person.
    pub const PERSON: i64 = 1;
    /// A customer.
    pub const CUSTOMER: i64 = 2;
    /// An environment.
    pub const ENVIRONMENT: i64 = 3;
    /// A group.
    pub const GROUP: i64 = 4;
    /// An API.
    pub const API: i64 = 5;
    /// An application.
    pub const APPLICATION: i64 = 6;
    /// A subscription.
    pub const SUBSCRIPTION: i64 = 7;
}

/// The object of memberships on the organization.
pub const ORGANIZATION: i64 = 1;
/// The id of the environment `DEFAULT`.
pub const DEFAULT_ENVIRONMENT: i64 = 1;

/// ORGANIZATION ADMIN: may do everything.
pub const ORGANIZATION_ADMIN: RoleId = RoleId(1);
/// ENVIRONMENT ADMIN.
pub const ENVIRONMENT_ADMIN: RoleId = RoleId(3);
/// API `PRIMARY_OWNER`: lent by a group it acts as [`API_OWNER`] (decision 10).
pub const API_PRIMARY_OWNER: RoleId = RoleId(6);
/// API OWNER.
pub const API_OWNER: RoleId = RoleId(7);
/// APPLICATION `PRIMARY_OWNER`: only ever held directly, never lent (decision 10).
pub const APPLICATION_PRIMARY_OWNER: RoleId = RoleId(10);
