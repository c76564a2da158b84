//! The directory, written by small SQL of the tests' own: each verb takes one revision.

use std::collections::BTreeSet;

use campanile_core::error::Error;
use campanile_core::id::{ApiId, ApplicationId, CustomerId, GroupId, PersonId, RoleId, SubscriptionId};
use campanile_core::place::{kind, place};
use campanile_core::revision::{self, tally};
use campanile_core::time::{Moment, OPEN, Stamp};
use campanile_store::{Param, Result, Sql, Tx};

use super::{PUBLISHER, World};

/// Runs a statement of the test's own.
macro_rules! run {
    ($tx:expr, $text:expr, $($param:expr),* $(,)?) => {{
        static STATEMENT: Sql = Sql::new(concat!(module_path!(), "::", line!()), $text);
        let params: &[&dyn Param] = &[$(&$param),*];
        $tx.execute(&STATEMENT, params)
    }};
}

/// Where a role is held.
#[derive(Debug, Clone, Copy)]
pub(crate) enum At {
    /// In the environment `DEFAULT`.
    Environment,
    /// In an application.
    Application(ApplicationId),
    /// On a group, lending a role in the applications to which it is attached.
    Group(GroupId),
    /// On a group, lending a role in the APIs to which it is attached.
    GroupApi(GroupId),
}

impl At {
    const fn key(self) -> (i64, i64) {
        match self {
            Self::Environment => (place::ENVIRONMENT, 1),
            Self::Application(id) => (place::APPLICATION, id.0),
            Self::Group(id) => (place::GROUP_APPLICATION, id.0),
            Self::GroupApi(id) => (place::GROUP_API, id.0),
        }
    }
}

/// What a subscription's status can be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Status {
    Pending = 0,
    Accepted = 1,
    Rejected = 2,
    Closed = 3,
    Paused = 4,
}

fn born(tx: &mut Tx<'_>, kind: i64, object: i64, stamp: Stamp) -> Result<u64> {
    run!(
        tx,
        "INSERT INTO life (kind, object, since, until, since_at, until_at) VALUES ($1, $2, $3, $5, $4, $5)",
        kind,
        object,
        stamp.revision.0,
        stamp.at.0,
        OPEN
    )
}

fn touched(tx: &mut Tx<'_>, person: i64, stamp: Stamp) -> Result<u64> {
    run!(
        tx,
        "UPDATE person SET changed = $2 WHERE id = $1",
        person,
        stamp.revision.0
    )
}

fn insert_person(tx: &mut Tx<'_>, key: &str, email: Option<&str>, stamp: Stamp) -> Result<i64> {
    let id = tx.tally()?.next(tally::PERSON);
    let (name, guid) = (format!("Name of {key}"), format!("guid-{id}"));
    let email_key = email.map(str::to_lowercase);
    run!(
        tx,
        "INSERT INTO person (id, key, login, login_key, name, name_key, email, email_key, asm_role, guid,
            ticket_serial, changed) VALUES ($1, $2, $2, $2, $3, $4, $5, $8, 0, $6, 0, $7)",
        id,
        key,
        name,
        name.to_lowercase(),
        email,
        guid,
        stamp.revision.0,
        email_key
    )?;
    born(tx, kind::PERSON, id, stamp)?;
    Ok(id)
}

impl World<'_> {
    fn change<T: Send + 'static>(&self, work: impl FnOnce(&mut Tx<'_>, Stamp) -> Result<T> + Send + 'static) -> T {
        let now = self.tick();
        let changed = self.db.write(move |tx| {
            let stamp = revision::take(tx, now)?;
            let out = work(tx, stamp)?;
            revision::directory_changed(tx, stamp)?;
            Ok::<_, Error>(out)
        });
        changed.expect("the directory takes the change")
    }

    /// A new active user with an address, without a customer.
    pub(crate) fn person(&self, key: &str) -> PersonId {
        self.add_person(key, Some(format!("{key}@example.org")))
    }

    /// New active users who hold ENVIRONMENT `API_PUBLISHER`.
    pub(crate) fn publishers<const N: usize>(&self, keys: [&str; N]) -> [PersonId; N] {
        keys.map(|key| {
            let person = self.person(key);
            self.holds(person, At::Environment, PUBLISHER);
            person
        })
    }

    /// A new active user without an address.
    pub(crate) fn person_without_email(&self, key: &str) -> PersonId {
        self.add_person(key, None)
    }

    /// A new active user with an address of their own choice.
    pub(crate) fn person_with_email(&self, key: &str, email: &str) -> PersonId {
        self.add_person(key, Some(email.to_owned()))
    }

    /// Many new active users with addresses, in one operation.
    pub(crate) fn people(&self, prefix: &str, count: usize) {
        let keys: Vec<String> = (0..count).map(|at| format!("{prefix}{at}")).collect();
        self.change(move |tx, stamp| {
            for key in keys {
                let email = format!("{key}@example.org");
                insert_person(tx, &key, Some(&email), stamp)?;
            }
            Ok(())
        });
    }

    fn add_person(&self, key: &str, email: Option<String>) -> PersonId {
        let key = key.to_owned();
        PersonId(self.change(move |tx, stamp| insert_person(tx, &key, email.as_deref(), stamp)))
    }

    /// A new customer, below another where one is given.
    pub(crate) fn customer(&self, parent: Option<CustomerId>) -> CustomerId {
        let id = CustomerId(self.change(|tx, stamp| {
            let id = tx.tally()?.next(tally::CUSTOMER);
            let name = format!("customer {id}");
            run!(
                tx,
                "INSERT INTO customer (id, name, name_key) VALUES ($1, $2, $2)",
                id,
                name
            )?;
            born(tx, kind::CUSTOMER, id, stamp)?;
            lineage(tx, stamp)?;
            Ok(id)
        }));
        if parent.is_some() {
            self.puts_under(id, parent);
        }
        id
    }

    /// Another parent for a customer, or none.
    pub(crate) fn puts_under(&self, customer: CustomerId, parent: Option<CustomerId>) {
        self.change(move |tx, stamp| {
            run!(
                tx,
                "UPDATE parentage SET until = $2, until_at = $3 WHERE customer = $1 AND until = $4",
                customer.0,
                stamp.revision.0,
                stamp.at.0,
                OPEN
            )?;
            if let Some(parent) = parent {
                run!(
                    tx,
                    "INSERT INTO parentage (customer, parent, since, until, since_at, until_at)
                        VALUES ($1, $2, $3, $5, $4, $5)",
                    customer.0,
                    parent.0,
                    stamp.revision.0,
                    stamp.at.0,
                    OPEN
                )?;
            }
            lineage(tx, stamp)
        });
    }

    /// A new API, named as its key in upper case.
    pub(crate) fn api(&self, key: &str) -> ApiId {
        self.api_in(key, 1)
    }

    /// A new API in an environment.
    pub(crate) fn api_in(&self, key: &str, environment: i64) -> ApiId {
        let (key, name) = (key.to_owned(), key.to_uppercase());
        ApiId(self.change(move |tx, stamp| {
            let id = tx.tally()?.next(tally::THING);
            run!(
                tx,
                "INSERT INTO api (id, key, name, name_key, environment) VALUES ($1, $2, $3, $2, $4)",
                id,
                key,
                name,
                environment
            )?;
            born(tx, kind::API, id, stamp)?;
            Ok(id)
        }))
    }

    /// Another name for an API.
    pub(crate) fn renames(&self, api: ApiId, name: &str) {
        let name = name.to_owned();
        self.change(move |tx, _| run!(tx, "UPDATE api SET name = $2 WHERE id = $1", api.0, name));
    }

    /// A new environment.
    pub(crate) fn environment(&self, key: &str) -> i64 {
        let key = key.to_owned();
        self.change(move |tx, stamp| {
            let id = tx.tally()?.next(tally::THING);
            run!(
                tx,
                "INSERT INTO environment (id, key, name) VALUES ($1, $2, $2)",
                id,
                key
            )?;
            born(tx, kind::ENVIRONMENT, id, stamp)?;
            Ok(id)
        })
    }

    /// A new application.
    pub(crate) fn application(&self, key: &str) -> ApplicationId {
        let key = key.to_owned();
        ApplicationId(self.change(move |tx, stamp| {
            let id = tx.tally()?.next(tally::THING);
            run!(
                tx,
                "INSERT INTO application (id, key, name, name_key, environment) VALUES ($1, $2, $2, $2, 1)",
                id,
                key
            )?;
            born(tx, kind::APPLICATION, id, stamp)?;
            Ok(id)
        }))
    }

    /// A new group.
    pub(crate) fn group(&self, key: &str) -> GroupId {
        let key = key.to_owned();
        GroupId(self.change(move |tx, stamp| {
            let id = tx.tally()?.next(tally::THING);
            run!(
                tx,
                "INSERT INTO grp (id, key, name, name_key) VALUES ($1, $2, $2, $2)",
                id,
                key
            )?;
            born(tx, kind::GROUP, id, stamp)?;
            Ok(id)
        }))
    }

    /// Gives a person a role.
    pub(crate) fn holds(&self, person: PersonId, at: At, role: RoleId) {
        let (place, object) = at.key();
        self.change(move |tx, stamp| {
            run!(
                tx,
                "INSERT INTO membership (person, place, object, role, since, until, since_at, until_at)
                    VALUES ($1, $2, $3, $4, $5, $7, $6, $7)",
                person.0,
                place,
                object,
                role.0,
                stamp.revision.0,
                stamp.at.0,
                OPEN
            )
        });
    }

    /// Takes a role from a person.
    pub(crate) fn leaves(&self, person: PersonId, at: At, role: RoleId) {
        let (place, object) = at.key();
        let ended = self.change(move |tx, stamp| {
            run!(
                tx,
                "UPDATE membership SET until = $5, until_at = $6
                    WHERE person = $1 AND place = $2 AND object = $3 AND role = $4 AND until = $7",
                person.0,
                place,
                object,
                role.0,
                stamp.revision.0,
                stamp.at.0,
                OPEN
            )
        });
        assert_eq!(ended, 1, "the role was held");
    }

    /// Another customer for a person, or none.
    pub(crate) fn moves(&self, person: PersonId, customer: Option<CustomerId>) {
        self.change(move |tx, stamp| {
            run!(
                tx,
                "UPDATE residence SET until = $2, until_at = $3 WHERE person = $1 AND until = $4",
                person.0,
                stamp.revision.0,
                stamp.at.0,
                OPEN
            )?;
            if let Some(customer) = customer {
                run!(
                    tx,
                    "INSERT INTO residence (person, customer, since, until, since_at, until_at)
                        VALUES ($1, $2, $3, $5, $4, $5)",
                    person.0,
                    customer.0,
                    stamp.revision.0,
                    stamp.at.0,
                    OPEN
                )?;
            }
            touched(tx, person.0, stamp)
        });
    }

    /// Lends the roles of a group's members to an application.
    pub(crate) fn attaches(&self, group: GroupId, application: ApplicationId) {
        self.change(move |tx, stamp| {
            run!(
                tx,
                "INSERT INTO attachment (grp, place, object, since, until, since_at, until_at)
                    VALUES ($1, 4, $2, $3, $5, $4, $5)",
                group.0,
                application.0,
                stamp.revision.0,
                stamp.at.0,
                OPEN
            )
        });
    }

    /// Ends the lending.
    pub(crate) fn detaches(&self, group: GroupId, application: ApplicationId) {
        self.change(move |tx, stamp| {
            run!(
                tx,
                "UPDATE attachment SET until = $3, until_at = $4 WHERE grp = $1 AND object = $2 AND until = $5",
                group.0,
                application.0,
                stamp.revision.0,
                stamp.at.0,
                OPEN
            )
        });
    }

    /// A new subscription of an application to an API: accepted, without start or end.
    pub(crate) fn subscribes(&self, by: PersonId, application: ApplicationId, api: ApiId) -> SubscriptionId {
        let id = SubscriptionId(self.change(move |tx, stamp| {
            let id = tx.tally()?.next(tally::THING);
            let key = format!("subscription-{id}");
            run!(
                tx,
                "INSERT INTO subscription (id, key, api, application) VALUES ($1, $2, $3, $4)",
                id,
                key,
                api.0,
                application.0
            )?;
            born(tx, kind::SUBSCRIPTION, id, stamp)?;
            Ok(id)
        }));
        self.sets(id, by, Status::Accepted, None, None);
        id
    }

    /// Another status, start and end of a subscription.
    pub(crate) fn sets(
        &self,
        id: SubscriptionId,
        by: PersonId,
        status: Status,
        starts: Option<Moment>,
        ends: Option<Moment>,
    ) {
        self.change(move |tx, stamp| {
            run!(
                tx,
                "UPDATE term SET until = $2, until_at = $3 WHERE subscription = $1 AND until = $4",
                id.0,
                stamp.revision.0,
                stamp.at.0,
                OPEN
            )?;
            run!(
                tx,
                "INSERT INTO term (subscription, api, application, status, subscriber, starts_at, ends_at, since, until,
                    since_at, until_at)
                    SELECT id, api, application, CAST($2 AS BIGINT), CAST($3 AS BIGINT), CAST($4 AS BIGINT),
                        CAST($5 AS BIGINT), CAST($6 AS BIGINT), CAST($8 AS BIGINT), CAST($7 AS BIGINT),
                        CAST($8 AS BIGINT)
                    FROM subscription WHERE id = $1",
                id.0,
                status as i64,
                by.0,
                starts.map_or(0, |at| at.0),
                ends.map_or(OPEN, |at| at.0),
                stamp.revision.0,
                stamp.at.0,
                OPEN
            )
        });
    }

    /// Ends a person's activity; their facts stay.
    pub(crate) fn deactivates(&self, person: PersonId) {
        self.change(move |tx, stamp| {
            run!(
                tx,
                "UPDATE life SET until = $2, until_at = $3 WHERE kind = 1 AND object = $1 AND until = $4",
                person.0,
                stamp.revision.0,
                stamp.at.0,
                OPEN
            )?;
            touched(tx, person.0, stamp)
        });
    }

    /// Ends the life of anything, by its kind.
    pub(crate) fn ends(&self, kind: i64, object: i64) {
        let ended = self.change(move |tx, stamp| {
            run!(
                tx,
                "UPDATE life SET until = $3, until_at = $4 WHERE kind = $1 AND object = $2 AND until = $5",
                kind,
                object,
                stamp.revision.0,
                stamp.at.0,
                OPEN
            )
        });
        assert_eq!(ended, 1, "it was there");
    }

    /// Makes a person active again.
    pub(crate) fn revives(&self, person: PersonId) {
        self.change(move |tx, stamp| {
            born(tx, kind::PERSON, person.0, stamp)?;
            touched(tx, person.0, stamp)
        });
    }
}

/// Brings the derived table in line with the parents of now.
fn lineage(tx: &mut Tx<'_>, stamp: Stamp) -> Result<()> {
    static CUSTOMERS: Sql = Sql::new("world::CUSTOMERS", "SELECT id FROM customer");
    static PARENTS: Sql = Sql::new(
        "world::PARENTS",
        "SELECT customer, parent FROM parentage WHERE until = 9223372036854775807",
    );
    static LINES: Sql = Sql::new(
        "world::LINES",
        "SELECT customer, ancestor FROM lineage WHERE until = 9223372036854775807",
    );
    let customers = tx.rows(&CUSTOMERS, &[], |row| row.get::<i64>(0))?;
    let parents = tx.rows(&PARENTS, &[], |row| Ok((row.get::<i64>(0)?, row.get::<i64>(1)?)))?;
    let parent = |of: i64| {
        parents
            .iter()
            .find(|(child, _)| *child == of)
            .map(|(_, parent)| *parent)
    };
    let wanted: BTreeSet<(i64, i64)> = customers
        .into_iter()
        .flat_map(|customer| std::iter::successors(Some(customer), |at| parent(*at)).map(move |at| (customer, at)))
        .collect();
    let there = tx.rows(&LINES, &[], |row| Ok((row.get::<i64>(0)?, row.get::<i64>(1)?)))?;
    let there: BTreeSet<(i64, i64)> = there.into_iter().collect();
    for (customer, ancestor) in &there - &wanted {
        run!(
            tx,
            "UPDATE lineage SET until = $3, until_at = $4 WHERE customer = $1 AND ancestor = $2 AND until = $5",
            customer,
            ancestor,
            stamp.revision.0,
            stamp.at.0,
            OPEN
        )?;
    }
    for (customer, ancestor) in &wanted - &there {
        run!(
            tx,
            "INSERT INTO lineage (customer, ancestor, since, until, since_at, until_at)
                VALUES ($1, $2, $3, $5, $4, $5)",
            customer,
            ancestor,
            stamp.revision.0,
            stamp.at.0,
            OPEN
        )?;
    }
    Ok(())
}
