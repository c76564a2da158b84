//! What the lists of the directory can be asked: filters and the page.

use campanile_core::directory::entry::Status;
use campanile_core::directory::list::{
    self, Customer, CustomerFilter, Kind, Page, Paging, Parent, Subscription, SubscriptionFilter, Thing, ThingFilter,
    User, UserFilter,
};
use campanile_core::{Error, Result as Ruled};
use campanile_store::Tx;
use serde::Deserialize;
use utoipa::IntoParams;

/// Which page.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct PageQuery {
    /// Items of a page, 1 to 100; 50 where absent.
    limit: Option<i64>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

impl From<PageQuery> for Paging {
    fn from(PageQuery { limit, cursor }: PageQuery) -> Self {
        Self { limit, cursor }
    }
}

/// Which customers.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct CustomerQuery {
    /// Only those directly below this customer; not together with `roots` or `q`.
    parent: Option<i64>,
    /// Only those without a parent; not together with `parent` or `q`.
    roots: Option<bool>,
    /// The beginning of a name in any case of letters, or the id; at most 200 characters.
    q: Option<String>,
    /// Only those that are there now, or only those that are not.
    active: Option<bool>,
    /// Items of a page, 1 to 100; 50 where absent.
    limit: Option<i64>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

impl CustomerQuery {
    pub(super) fn list_customers(self, tx: &mut Tx<'_>) -> Ruled<Page<Customer>> {
        let parent = match (self.parent, self.roots == Some(true)) {
            (Some(_), true) => return Err(Error::field("roots", "cannot stand together with parent")),
            (Some(parent), false) => Parent::Of(parent),
            (None, true) => Parent::Roots,
            (None, false) => Parent::Any,
        };
        if self.q.is_some() && parent != Parent::Any {
            return Err(Error::field(
                "q",
                "looks anywhere in the tree: leave out parent and roots",
            ));
        }
        let filter = CustomerFilter {
            q: self.q,
            parent,
            active: self.active,
        };
        list::customers(tx, &filter, &paging(self.limit, self.cursor))
    }
}

/// Which users.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct UserQuery {
    /// The beginning of a login, name or address in any case of letters; at most 200 characters.
    q: Option<String>,
    /// Only those of this customer itself.
    customer: Option<i64>,
    /// Only those that are there now, or only those that are not.
    active: Option<bool>,
    /// Items of a page, 1 to 100; 50 where absent.
    limit: Option<i64>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

impl UserQuery {
    pub(super) fn list_users(self, tx: &mut Tx<'_>) -> Ruled<Page<User>> {
        let filter = UserFilter {
            q: self.q,
            customer: self.customer,
            active: self.active,
        };
        list::users(tx, &filter, &paging(self.limit, self.cursor))
    }
}

/// Which of them.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct ThingQuery {
    /// The beginning of an id, and of a group's name in any case of letters; at most 200 characters.
    q: Option<String>,
    /// Only those that are there now, or only those that are not.
    active: Option<bool>,
    /// Items of a page, 1 to 100; 50 where absent.
    limit: Option<i64>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

impl ThingQuery {
    pub(super) fn list_environments(self, tx: &mut Tx<'_>) -> Ruled<Page<Thing>> {
        PlacedQuery::from(self).list(tx, Kind::Environment)
    }

    pub(super) fn list_groups(self, tx: &mut Tx<'_>) -> Ruled<Page<Thing>> {
        PlacedQuery::from(self).list(tx, Kind::Group)
    }
}

/// Which of them, of what is in an environment.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct PlacedQuery {
    /// The beginning of an id, or of a name in any case of letters; at most 200 characters.
    q: Option<String>,
    /// Only those of this environment, by id.
    environment: Option<String>,
    /// Only those that are there now, or only those that are not.
    active: Option<bool>,
    /// Items of a page, 1 to 100; 50 where absent.
    limit: Option<i64>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

impl From<ThingQuery> for PlacedQuery {
    fn from(query: ThingQuery) -> Self {
        Self {
            q: query.q,
            environment: None,
            active: query.active,
            limit: query.limit,
            cursor: query.cursor,
        }
    }
}

impl PlacedQuery {
    pub(super) fn list_apis(self, tx: &mut Tx<'_>) -> Ruled<Page<Thing>> {
        self.list(tx, Kind::Api)
    }

    pub(super) fn list_applications(self, tx: &mut Tx<'_>) -> Ruled<Page<Thing>> {
        self.list(tx, Kind::Application)
    }

    fn list(self, tx: &mut Tx<'_>, kind: Kind) -> Ruled<Page<Thing>> {
        let filter = ThingFilter {
            q: self.q,
            environment: self.environment,
            active: self.active,
        };
        list::things(tx, kind, &filter, &paging(self.limit, self.cursor))
    }
}

/// Which subscriptions.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct SubscriptionQuery {
    /// The beginning of an id; at most 200 characters.
    q: Option<String>,
    /// Only those to this API, by id.
    api: Option<String>,
    /// Only those of this application, by id.
    application: Option<String>,
    /// Only those that stand so.
    #[param(inline)]
    status: Option<Status>,
    /// Only those that are there now, or only those that are not.
    active: Option<bool>,
    /// Items of a page, 1 to 100; 50 where absent.
    limit: Option<i64>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

impl SubscriptionQuery {
    pub(super) fn list_subscriptions(self, tx: &mut Tx<'_>) -> Ruled<Page<Subscription>> {
        let filter = SubscriptionFilter {
            q: self.q,
            api: self.api,
            application: self.application,
            status: self.status,
            active: self.active,
        };
        list::subscriptions(tx, &filter, &paging(self.limit, self.cursor))
    }
}

/// A page as the core asks for it.
pub(super) const fn paging(limit: Option<i64>, cursor: Option<String>) -> Paging {
    Paging { limit, cursor }
}
