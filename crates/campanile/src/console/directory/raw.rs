//! What the page of a thing shows, as the core has it: read in one snapshot.

use std::collections::BTreeMap;
use std::sync::Arc;

use campanile_core::audience::{Instant, Selector};
use campanile_core::directory::entry::On;
use campanile_core::directory::history::{self, Interval, Subject};
use campanile_core::directory::list::{
    self, Attachment, Customer, Membership, MembershipFilter, PAGE_LIMIT, Page, Paging, Subscription,
    SubscriptionFilter, Thing, User, UserFilter,
};
use campanile_core::id::CustomerId;
use campanile_core::place::Scope;
use campanile_core::time::Moment;
use campanile_core::{Error, Result as Ruled};
use campanile_store::Tx;

use super::super::form::Fields;
use super::customers::{Tree, tree};
use super::lists::names_of;
use super::past::FACTS;
use super::{Kind, number};
use crate::app::App;
use crate::problem::Problem;

/// Groups of an API or application that are shown.
const GROUPS: usize = 100;
/// Rows of each table of a page.
const ROWS: i64 = 20;
/// The field that asks for as much as can be counted.
pub(super) const WHOLE: &str = "whole";

/// A thing with what goes with it.
pub(super) enum Raw {
    Customer {
        item: Customer,
        tree: Tree,
        users: Page<User>,
        names: BTreeMap<i64, String>,
        /// Active people here, and here and below.
        people: (u64, u64),
    },
    User {
        item: User,
        customer: Option<Customer>,
        memberships: Page<Membership>,
    },
    Group {
        item: Thing,
        api: Page<Membership>,
        application: Page<Membership>,
        attached: Page<Attachment>,
    },
    /// An API or an application.
    Placed {
        item: Thing,
        members: Page<Membership>,
        subscriptions: Page<Subscription>,
        groups: Vec<Thing>,
    },
    Environment {
        item: Thing,
        members: Page<Membership>,
    },
    Subscription {
        item: Subscription,
        api: Box<Thing>,
        application: Box<Thing>,
        by: Option<Box<User>>,
    },
}

impl Raw {
    pub(super) fn title(&self) -> &str {
        match self {
            Self::Customer { item, .. } => &item.name,
            Self::User { item, .. } => &item.name,
            Self::Group { item, .. } | Self::Placed { item, .. } | Self::Environment { item, .. } => &item.name,
            Self::Subscription { item, .. } => &item.id,
        }
    }

    pub(super) const fn active(&self) -> bool {
        match self {
            Self::Customer { item, .. } => item.active,
            Self::User { item, .. } => item.active,
            Self::Group { item, .. } | Self::Placed { item, .. } | Self::Environment { item, .. } => item.active,
            Self::Subscription { item, .. } => item.active,
        }
    }

    pub(super) const fn created_at(&self) -> Moment {
        match self {
            Self::Customer { item, .. } => item.created_at,
            Self::User { item, .. } => item.created_at,
            Self::Group { item, .. } | Self::Placed { item, .. } | Self::Environment { item, .. } => item.created_at,
            Self::Subscription { item, .. } => item.created_at,
        }
    }
}

/// Where the tables of a page go on: parameters of its address by the name of the table.
pub(super) fn from(asked: &Fields, name: &str) -> Paging {
    Paging {
        limit: Some(if asked.has(WHOLE) { PAGE_LIMIT } else { ROWS }),
        cursor: asked.some(name).map(str::to_owned),
    }
}

/// Reads a thing, what goes with it, and a page of its history.
pub(super) async fn load(app: &App, kind: Kind, id: &str, asked: &Fields) -> Result<(Raw, Page<Interval>), Problem> {
    let (id, asked, now) = (id.to_owned(), asked.clone(), app.clock.now());
    let residents = Arc::clone(&app.residents);
    let read = app.db.scan(move |tx| {
        let raw = match kind {
            Kind::Customers => customer(tx, &residents, number(&id)?, &asked, now)?,
            Kind::Users => user(tx, &id, &asked)?,
            Kind::Groups => group(tx, &id, &asked)?,
            Kind::Apis => placed(tx, list::Kind::Api, On::Api(id.clone()), &asked)?,
            Kind::Applications => placed(tx, list::Kind::Application, On::Application(id.clone()), &asked)?,
            Kind::Environments => Raw::Environment {
                item: list::thing(tx, list::Kind::Environment, &id)?,
                members: members(tx, On::Environment(id.clone()), None, &asked, "members")?,
            },
            Kind::Subscriptions => subscription(tx, &id)?,
        };
        let paging = Paging {
            limit: Some(FACTS),
            cursor: asked.some("past").map(str::to_owned),
        };
        let past = history::history(tx, &subject(kind, id)?, &paging)?;
        Ok::<_, Error>((raw, past))
    });
    Ok(read.await?)
}

fn subject(kind: Kind, id: String) -> Ruled<Subject> {
    Ok(match kind {
        Kind::Customers => Subject::Customer(number(&id)?),
        Kind::Users => Subject::User(id),
        Kind::Groups => Subject::Group(id),
        Kind::Apis => Subject::Api(id),
        Kind::Applications => Subject::Application(id),
        Kind::Environments => Subject::Environment(id),
        Kind::Subscriptions => Subject::Subscription(id),
    })
}

fn customer(
    tx: &mut Tx<'_>,
    residents: &campanile_core::audience::crowd::Shared,
    id: i64,
    asked: &Fields,
    now: Moment,
) -> Ruled<Raw> {
    let item = list::customer(tx, id)?;
    let tree = tree(tx, &item, asked.some("below").map(str::to_owned))?;
    let filter = UserFilter {
        customer: Some(id),
        active: Some(true),
        q: None,
    };
    let users = list::users(tx, &filter, &from(asked, "users"))?;
    let names = names_of(tx, users.items.iter().filter_map(|user| user.customer))?;
    let (customer, now) = (CustomerId(id), Instant::now(now));
    let residents = residents.at(tx)?;
    let here = residents.crowd(tx, &[Selector::Customer { customer }], now)?.len();
    let below = residents.crowd(tx, &[Selector::Subtree { customer }], now)?.len();
    Ok(Raw::Customer {
        item,
        tree,
        users,
        names,
        people: (here, below),
    })
}

fn user(tx: &mut Tx<'_>, id: &str, asked: &Fields) -> Ruled<Raw> {
    let item = list::user(tx, id)?;
    let customer = item.customer.map(|at| list::customer(tx, at)).transpose()?;
    let filter = MembershipFilter::User(id.to_owned());
    let memberships = list::memberships(tx, &filter, &from(asked, "memberships"))?;
    Ok(Raw::User {
        item,
        customer,
        memberships,
    })
}

fn members(tx: &mut Tx<'_>, on: On, scope: Option<Scope>, asked: &Fields, name: &str) -> Ruled<Page<Membership>> {
    let filter = MembershipFilter::Place { on, scope, role: None };
    list::memberships(tx, &filter, &from(asked, name))
}

fn group(tx: &mut Tx<'_>, id: &str, asked: &Fields) -> Ruled<Raw> {
    let on = On::Group(id.to_owned());
    Ok(Raw::Group {
        item: list::thing(tx, list::Kind::Group, id)?,
        api: members(tx, on.clone(), Some(Scope::Api), asked, "api")?,
        application: members(tx, on, Some(Scope::Application), asked, "application")?,
        attached: list::attachments(tx, id, &from(asked, "attached"))?,
    })
}

fn placed(tx: &mut Tx<'_>, kind: list::Kind, on: On, asked: &Fields) -> Ruled<Raw> {
    let mut filter = SubscriptionFilter {
        active: Some(true),
        ..SubscriptionFilter::default()
    };
    let id = match &on {
        On::Api(id) => {
            filter.api = Some(id.clone());
            id.clone()
        }
        On::Application(id) => {
            filter.application = Some(id.clone());
            id.clone()
        }
        _ => return Err(Error::Missing("place")),
    };
    let item = list::thing(tx, kind, &id)?;
    let keys = item.groups.iter().flatten().take(GROUPS);
    let groups = keys.map(|key| list::thing(tx, list::Kind::Group, key));
    Ok(Raw::Placed {
        groups: groups.collect::<Ruled<_>>()?,
        members: members(tx, on, None, asked, "members")?,
        subscriptions: list::subscriptions(tx, &filter, &from(asked, "subscriptions"))?,
        item,
    })
}

fn subscription(tx: &mut Tx<'_>, id: &str) -> Ruled<Raw> {
    let item = list::subscription(tx, id)?;
    let by = item.subscribed_by.as_deref();
    let by = by.map(|by| list::user(tx, by)).transpose()?;
    Ok(Raw::Subscription {
        api: Box::new(list::thing(tx, list::Kind::Api, &item.api)?),
        application: Box::new(list::thing(tx, list::Kind::Application, &item.application)?),
        by: by.map(Box::new),
        item,
    })
}
