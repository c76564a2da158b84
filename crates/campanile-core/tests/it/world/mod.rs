//! A small world over one fresh database: people and facts, a clock that only the test moves, and verbs for all of it.
//!
//! Every verb that writes moves the clock on by one second first, so that what happens one after the other also has
//! times one after the other. Reading moves nothing.

mod facts;
mod fresh;
mod messages;
mod reading;
mod shop;

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use campanile_core::audience::crowd;
use campanile_core::error::{Error, Fault, Result};
use campanile_core::id::{CustomerId, PersonId, RoleId};
use campanile_core::lists;
use campanile_core::message::draft::Draft;
use campanile_core::message::funnel::Audiences;
use campanile_core::message::target::Target;
use campanile_core::time::Moment;
use campanile_store::Tx;
use campanile_store::testing::TestDb;

pub(crate) use facts::{At, Status};
pub(crate) use messages::{key, outlets};
pub(crate) use shop::Shop;

/// ENVIRONMENT `API_PUBLISHER`.
pub(crate) const PUBLISHER: RoleId = RoleId(4);
/// APPLICATION `PRIMARY_OWNER`.
pub(crate) const PRIMARY_OWNER: RoleId = RoleId(10);
/// APPLICATION OWNER.
pub(crate) const OWNER: RoleId = RoleId(11);

/// When every world begins: 2027-01-15T08:00:00Z.
const DAWN: Moment = Moment(1_800_000_000_000);

/// One database and what a process would hold beside it.
pub(crate) struct World<'d> {
    pub(crate) db: &'d TestDb,
    now: Cell<Moment>,
    lists: RefCell<Arc<lists::Shared>>,
    residents: Arc<crowd::Shared>,
    audiences: RefCell<Arc<Audiences>>,
    /// Who publishes; in no audience unless a test puts them there, except that of everyone.
    pub(crate) sender: PersonId,
}

/// Runs a test in a fresh world on each database.
pub(crate) fn each_world(test: impl Fn(&World<'_>)) {
    fresh::each_database(|db| test(&World::new(db)));
}

impl<'d> World<'d> {
    fn new(db: &'d TestDb) -> Self {
        let mut world = Self {
            db,
            now: Cell::new(DAWN),
            lists: RefCell::default(),
            residents: Arc::default(),
            audiences: RefCell::default(),
            sender: PersonId(0),
        };
        world.sender = world.person("sender");
        world
    }

    /// The time.
    pub(crate) fn now(&self) -> Moment {
        self.now.get()
    }

    /// So many seconds from now.
    pub(crate) fn in_s(&self, seconds: i64) -> Moment {
        self.now().plus_ms(seconds * 1_000)
    }

    /// Lets so many seconds pass; the time then.
    pub(crate) fn pass(&self, seconds: i64) -> Moment {
        self.now.set(self.in_s(seconds));
        self.now()
    }

    /// One second later: the time of something that happens.
    fn tick(&self) -> Moment {
        self.pass(1)
    }

    /// What the process held in memory of messages is gone.
    pub(crate) fn restart(&self) {
        self.lists.replace(Arc::default());
    }

    /// What the process held in memory of audiences is gone.
    pub(crate) fn forget_audiences(&self) {
        self.audiences.replace(Arc::default());
    }

    /// Looks at something as if nothing of audiences were held in memory; what is, stays.
    pub(crate) fn anew<T>(&self, look: impl FnOnce() -> T) -> T {
        let kept = self.audiences.replace(Arc::default());
        let found = look();
        self.audiences.replace(kept);
        found
    }

    pub(crate) fn audiences(&self) -> Arc<Audiences> {
        self.audiences.borrow().clone()
    }

    /// What the process holds in memory of messages.
    pub(crate) fn shared(&self) -> Arc<lists::Shared> {
        self.lists()
    }

    fn lists(&self) -> Arc<lists::Shared> {
        self.lists.borrow().clone()
    }

    fn read<T: Send + 'static>(&self, work: impl FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static) -> Result<T> {
        self.db.read(work)
    }
}

/// A draft with nothing but a title and an audience.
pub(crate) fn draft(title: &str, audience: impl Into<Vec<Target>>) -> Draft {
    Draft::new(title, "Some text.", audience.into())
}

/// A draft that whoever matches now gets.
pub(crate) fn active(title: &str, audience: impl Into<Vec<Target>>) -> Draft {
    Draft {
        late_joiners: Some(campanile_core::audience::Rule::WhileActive),
        ..draft(title, audience)
    }
}

/// Who holds a role in the environment `DEFAULT`.
pub(crate) fn role(role: &str) -> Target {
    Target::EnvironmentRole {
        environment: "DEFAULT".to_owned(),
        role: role.to_owned(),
    }
}

/// Who holds a role in an application with a valid subscription.
pub(crate) fn api_role(api: &str, role: &str) -> Target {
    Target::ApiRole {
        api: api.to_owned(),
        role: role.to_owned(),
    }
}

/// Who made a valid subscription.
pub(crate) fn subscribers(api: &str) -> Target {
    Target::Subscribers {
        api: api.to_owned(),
        any_status: false,
    }
}

/// The users of a customer alone.
pub(crate) fn customer(id: CustomerId) -> Target {
    Target::Customer {
        customer: id.0,
        include_sub_customers: false,
    }
}

/// The users of a customer and of those below it.
pub(crate) fn subtree(id: CustomerId) -> Target {
    Target::Customer {
        customer: id.0,
        include_sub_customers: true,
    }
}

/// The members of a group.
pub(crate) fn group(key: &str) -> Target {
    Target::Group { group: key.to_owned() }
}

/// One user.
pub(crate) fn user(key: &str) -> Target {
    Target::User { user: key.to_owned() }
}

/// The fields that a refusal names, in their order.
pub(crate) fn fields<T: std::fmt::Debug>(result: Result<T>) -> Vec<String> {
    match result {
        Err(Error::Invalid(faults)) => faults.into_iter().map(|Fault { field, .. }| field).collect(),
        other => panic!("expected faults, got {other:?}"),
    }
}

/// What a refusal says of each field.
pub(crate) fn refusals<T: std::fmt::Debug>(result: Result<T>) -> Vec<Fault> {
    match result {
        Err(Error::Invalid(faults)) => faults,
        other => panic!("expected faults, got {other:?}"),
    }
}

/// Whether the answer is "no such thing".
pub(crate) fn is_missing<T>(result: &Result<T>) -> bool {
    matches!(result, Err(Error::Missing(_)))
}

/// Whether the present state does not allow it.
pub(crate) fn is_conflict<T>(result: &Result<T>) -> bool {
    matches!(result, Err(Error::Conflict(_)))
}
