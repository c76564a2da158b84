//! The smallest world with a subscription.

use campanile_core::id::{ApiId, ApplicationId, PersonId, SubscriptionId};

use super::{At, OWNER, World};

/// Ann owns the application "shop", for which she subscribed to the API "payments".
pub(crate) struct Shop {
    pub(crate) ann: PersonId,
    pub(crate) payments: ApiId,
    pub(crate) application: ApplicationId,
    pub(crate) subscription: SubscriptionId,
}

impl World<'_> {
    /// See [`Shop`].
    pub(crate) fn shop(&self) -> Shop {
        let (ann, payments, application) = (self.person("ann"), self.api("payments"), self.application("shop"));
        self.holds(ann, At::Application(application), OWNER);
        let subscription = self.subscribes(ann, application, payments);
        Shop {
            ann,
            payments,
            application,
            subscription,
        }
    }
}
