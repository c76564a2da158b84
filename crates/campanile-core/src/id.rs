//! Ids as types, so that a customer cannot be passed where a person is meant.
//!
//! All are small sequential integers below 2^31: clients of the UI messages contract hold them in 32 bits.

use serde::{Deserialize, Serialize};

macro_rules! ids {
    ($($(#[$meta:meta])* $name:ident)*) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

ids! {
    /// A person.
    PersonId
    /// A message.
    MessageId
    /// A customer; the number is the outside one too.
    CustomerId
    /// An environment.
    EnvironmentId
    /// A group.
    GroupId
    /// An API.
    ApiId
    /// An application.
    ApplicationId
    /// A subscription.
    SubscriptionId
    /// A role.
    RoleId
}
