//! What a directory file says, one object a line; the bodies of the REST interface are the same objects without `kind`.
//!
//! A field that may be left out has three states ([`Patch`]): absent is "as it was", null is "none", a value is that.
//! Unknown kinds and unknown fields are errors.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::place::Scope;
use crate::rights::AsmRole;
use crate::time::Moment;

/// A field of an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Patch<T> {
    /// Left out: what was there stays. In something new: the default.
    #[default]
    Absent,
    /// `null`: what was there goes.
    Null,
    /// This, from now on.
    Set(T),
}

impl<T> Patch<T> {
    /// Whether the field was left out.
    pub const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// The value, if there is one.
    pub const fn value(&self) -> Option<&T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Absent | Self::Null => None,
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(from)?.map_or(Self::Null, Self::Set))
    }
}

impl<T: Serialize> Serialize for Patch<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.value().serialize(to)
    }
}

/// A password is written nowhere; a field that is never serialised at all would not be described either.
const fn never<T>(_: &T) -> bool {
    true
}

/// A password as it was typed. Never shown by `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(transparent)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// One line: a thing as it shall be, or the end of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Entry {
    /// A tenant.
    Customer(Customer),
    /// An environment.
    Environment(Environment),
    /// A person.
    User(User),
    /// A role.
    Role(Role),
    /// A group.
    Group(Group),
    /// An API.
    Api(Api),
    /// An application.
    Application(Application),
    /// An application's subscription to an API.
    Subscription(Subscription),
    /// A role that somebody holds.
    Membership(Membership),
    /// The end of something.
    Remove(Removal),
}

impl Entry {
    /// Whether it may end facts of other things along with its own: memberships on it, people's customer.
    #[must_use]
    pub const fn ends_others(&self) -> bool {
        matches!(self, Self::Remove(removal) if !matches!(removal, Removal::Membership(_) | Removal::User(_)))
    }
}

/// A tenant. Its parent is optional; a customer without one is a root.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = CustomerInput)]
pub struct Customer {
    /// 1 to 2000000000. Over REST it may be left out: then it is the next one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<i64>,
    /// 1 to 200 characters; needed for a new customer.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<String>)]
    pub name: Patch<String>,
    /// The customer above; null makes it a root.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<i64>)]
    pub parent: Patch<i64>,
}

/// An environment.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = EnvironmentInput)]
pub struct Environment {
    /// 1 to 200 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// 1 to 200 characters; needed for a new environment.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<String>)]
    pub name: Patch<String>,
}

/// A person.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = UserInput)]
pub struct User {
    /// 1 to 200 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// 1 to 200 characters; nobody else has it in any case of letters. Needed for a new user.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<String>)]
    pub login: Patch<String>,
    /// 1 to 200 characters; needed for a new user.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<String>)]
    pub name: Patch<String>,
    /// At most 254 characters. Several users may have the same.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<String>)]
    pub email: Patch<String>,
    /// The customer to which the user belongs.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<i64>)]
    pub customer: Patch<i64>,
    /// A language tag (BCP 47), at most 35 characters.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<String>)]
    pub locale: Patch<String>,
    /// 8 to 1,024 bytes; null: cannot sign in by password.
    #[serde(skip_serializing_if = "never")]
    #[schema(value_type = Option<String>, write_only)]
    pub password: Patch<Secret>,
    /// The role in the UI messages contract; null is `User`.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<AsmRole>)]
    pub asm_role: Patch<AsmRole>,
    /// The password hashed: what [`prepare`](super::prepare) makes of `password`, before any transaction.
    #[serde(skip)]
    #[schema(ignore)]
    pub password_hash: Patch<Secret>,
}

/// A role. Those of the contract are there from the start and cannot be changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RoleInput)]
pub struct Role {
    /// What it is about.
    pub scope: Scope,
    /// 1 to 200 characters; unique in its scope.
    pub name: String,
    /// Letters of CRUD by permission (`A` to `Z` and `_`, at most 64 characters): all of them.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<BTreeMap<String, String>>)]
    pub permissions: Patch<BTreeMap<String, String>>,
}

/// A group of people.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = GroupInput)]
pub struct Group {
    /// 1 to 200 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// 1 to 200 characters; needed for a new group.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<String>)]
    pub name: Patch<String>,
}

/// An API.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = ApiInput)]
pub struct Api {
    /// 1 to 200 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// 1 to 200 characters; needed for a new API.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<String>)]
    pub name: Patch<String>,
    /// Needed for a new API; it cannot change.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<String>)]
    pub environment: Patch<String>,
    /// The groups that lend it their roles: all of them, at most 1,000.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<Vec<String>>)]
    pub groups: Patch<Vec<String>>,
}

/// An application.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = ApplicationInput)]
pub struct Application {
    /// 1 to 200 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// 1 to 200 characters; needed for a new application.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<String>)]
    pub name: Patch<String>,
    /// Needed for a new application; it cannot change.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<String>)]
    pub environment: Patch<String>,
    /// The groups that lend it their roles: all of them, at most 1,000.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<Vec<String>>)]
    pub groups: Patch<Vec<String>>,
}

/// An application's subscription to an API. Valid while it is ACCEPTED and inside its start and end.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = SubscriptionInput)]
pub struct Subscription {
    /// 1 to 200 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Needed for a new subscription; it cannot change.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<String>)]
    pub api: Patch<String>,
    /// Needed for a new subscription; it cannot change.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<String>)]
    pub application: Patch<String>,
    /// Needed for a new subscription.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<Status>)]
    pub status: Patch<Status>,
    /// The user who subscribed.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<String>)]
    pub subscribed_by: Patch<String>,
    /// Valid from this time; null: from ever.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<Moment>)]
    pub starting_at: Patch<Moment>,
    /// Valid until before this time; null: for ever.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<Moment>)]
    pub ending_at: Patch<Moment>,
}

/// The status of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "UPPERCASE")]
#[schema(as = SubscriptionStatus)]
pub enum Status {
    /// Waits for the API's owner.
    Pending,
    /// Valid, inside its start and end.
    Accepted,
    /// Refused by the API's owner.
    Rejected,
    /// Ended.
    Closed,
    /// Out of force for a while.
    Paused,
}

impl Status {
    const ALL: [Self; 5] = [
        Self::Pending,
        Self::Accepted,
        Self::Rejected,
        Self::Closed,
        Self::Paused,
    ];

    /// As stored.
    #[must_use]
    pub const fn code(self) -> i64 {
        self as i64
    }

    /// From storage.
    #[must_use]
    pub fn from_code(code: i64) -> Self {
        let at = usize::try_from(code).unwrap_or(usize::MAX);
        Self::ALL.get(at).copied().unwrap_or(Self::Closed)
    }
}

/// A role that somebody holds somewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MembershipInput)]
pub struct Membership {
    /// Whose.
    pub user: String,
    /// Where.
    pub on: On,
    /// The name of a role of the place's scope.
    pub role: String,
    /// On a group it must be named, API or APPLICATION: to such objects the group lends the role. Elsewhere it is the
    /// place's own and may be left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
}

/// Where a role is held: `{"environment": "DEFAULT"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum On {
    /// The one organization, `DEFAULT`.
    Organization(String),
    /// An environment.
    Environment(String),
    /// An API.
    Api(String),
    /// An application.
    Application(String),
    /// A group.
    Group(String),
}

/// What ends now; its history stays. What has ended already is no fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "of", rename_all = "lowercase")]
pub enum Removal {
    /// Somebody no longer holds a role.
    Membership(Membership),
    /// Deactivates a person, and ends nothing else: the same user imported again is back as they were.
    User(KeyOnly),
    /// With its memberships and attachments.
    Group(KeyOnly),
    /// With its subscriptions, memberships and attachments.
    Api(KeyOnly),
    /// With its subscriptions, memberships and attachments.
    Application(KeyOnly),
    /// A subscription.
    Subscription(KeyOnly),
    /// A customer without sub-customers and without active people.
    Customer(NumberOnly),
    /// An environment without APIs and applications, with its memberships; never `DEFAULT`.
    Environment(KeyOnly),
    /// A role of one's own that nobody ever held and no message ever named. It leaves no trace.
    Role(RoleOnly),
}

/// Names a thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyOnly {
    /// Its id in the file.
    pub id: String,
}

/// Names a customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NumberOnly {
    /// Its id.
    pub id: i64,
}

/// Names a role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RoleOnly {
    /// What it is about.
    pub scope: Scope,
    /// Its name there.
    pub name: String,
}
