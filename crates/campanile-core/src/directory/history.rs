//! What was so, and when: the facts about one thing with their intervals, the newest first.

use campanile_store::{Param, Row, Sql, Tx, sql};
use serde::{Deserialize, Serialize};

use super::entry::{On, Status};
use super::list::memberships::{on, place_column};
use super::list::{Page, Paging, Place};
use crate::error::{Error, Result};
use crate::place::{Scope, kind, place};
use crate::time::{Moment, OPEN};

sql! {
    FIND_USER = "SELECT id FROM person WHERE key = $1";
    FIND_ENVIRONMENT = "SELECT id FROM environment WHERE key = $1";
    FIND_GROUP = "SELECT id FROM grp WHERE key = $1";
    FIND_API = "SELECT id FROM api WHERE key = $1";
    FIND_APPLICATION = "SELECT id FROM application WHERE key = $1";
    FIND_SUBSCRIPTION = "SELECT id FROM subscription WHERE key = $1";
    FIND_CUSTOMER = "SELECT id FROM customer WHERE id = $1";

    // Each: since, until and the times beside them, then what the fact says. $1: the object. $2: since at most this
    // revision. $3: so many. In one revision the order is that of the names.
    LIFE = "SELECT since, until, since_at, until_at FROM life
        WHERE kind = $4 AND object = $1 AND since <= $2 ORDER BY since DESC LIMIT $3";
    CUSTOMER = "SELECT r.since, r.until, r.since_at, r.until_at, c.id, c.name
        FROM residence r CROSS JOIN customer c
        WHERE r.person = $1 AND r.since <= $2 AND c.id = r.customer ORDER BY r.since DESC LIMIT $3";
    PARENT = "SELECT a.since, a.until, a.since_at, a.until_at, c.id, c.name
        FROM parentage a CROSS JOIN customer c
        WHERE a.customer = $1 AND a.since <= $2 AND c.id = a.parent ORDER BY a.since DESC LIMIT $3";
    // The memberships of a person.
    HELD = concat!("SELECT page.since, page.until, page.since_at, page.until_at, p.key, p.name, r.scope, r.name,
            page.place, ",
            place_column!("key"), " FROM (SELECT * FROM membership WHERE person = $1 AND since <= $2
                ORDER BY since DESC, place, object, role LIMIT $3) page
            CROSS JOIN person p CROSS JOIN role r WHERE p.id = page.person AND r.id = page.role
        ORDER BY page.since DESC, page.place, page.object, page.role");
    // The memberships on an API, application or group, whose place is $4. "place >= 3" names the index that has them in
    // the order of time.
    HOLDERS = concat!("SELECT page.since, page.until, page.since_at, page.until_at, p.key, p.name, r.scope, r.name,
            page.place, ",
            place_column!("key"), " FROM (SELECT * FROM membership
                WHERE place >= 3 AND place = $4 AND object = $1 AND since <= $2
                ORDER BY since DESC, role, person LIMIT $3) page
            CROSS JOIN person p CROSS JOIN role r WHERE p.id = page.person AND r.id = page.role
        ORDER BY page.since DESC, page.role, page.person");
    // The groups attached to an API or application, whose place is $4.
    GROUP = "SELECT a.since, a.until, a.since_at, a.until_at, g.key, g.name FROM attachment a CROSS JOIN grp g
        WHERE a.place = $4 AND a.object = $1 AND a.since <= $2 AND g.id = a.grp
        ORDER BY a.since DESC, g.key LIMIT $3";
    // What a group is attached to.
    ATTACHED = concat!("SELECT page.since, page.until, page.since_at, page.until_at, page.place, ",
            place_column!("key"), "
            FROM attachment page WHERE page.grp = $1 AND page.since <= $2
        ORDER BY page.since DESC, page.place, page.object LIMIT $3");
    TERM = "SELECT t.since, t.until, t.since_at, t.until_at, t.status,
            (SELECT p.key FROM person p WHERE p.id = t.subscriber), t.starts_at, t.ends_at
        FROM term t WHERE t.subscription = $1 AND t.since <= $2 ORDER BY t.since DESC LIMIT $3";
}

/// Something that has a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A person: life, customer, memberships.
    User(String),
    /// A customer: life, parent.
    Customer(i64),
    /// An environment: life. Who holds something on it is perhaps everybody; that is in their own histories.
    Environment(String),
    /// A group: life, memberships on it, what it is attached to.
    Group(String),
    /// An API: life, groups, memberships on it.
    Api(String),
    /// An application: life, groups, memberships on it.
    Application(String),
    /// A subscription: life, terms.
    Subscription(String),
}

/// What was so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "what", rename_all = "lowercase")]
pub enum Fact {
    /// It was there.
    Life,
    /// It belonged to a customer.
    Customer {
        /// The customer's id.
        id: i64,
        /// Its name now.
        name: String,
    },
    /// It was below a customer.
    Parent {
        /// The customer's id.
        id: i64,
        /// Its name now.
        name: String,
    },
    /// A user held a role.
    Membership {
        /// The user's id.
        user: String,
        /// The user's name now.
        user_name: String,
        /// Where.
        on: On,
        /// The role's scope.
        scope: Scope,
        /// The role's name.
        role: String,
    },
    /// A group was attached to it.
    Group {
        /// The group's id.
        id: String,
        /// Its name now.
        name: String,
    },
    /// It was attached to something.
    Attached {
        /// What to.
        to: On,
    },
    /// A subscription stood so.
    Term {
        /// The status.
        status: Status,
        /// The id of the user who subscribed, or null.
        subscribed_by: Option<String>,
        /// Valid from this time, or null.
        starting_at: Option<Moment>,
        /// Valid until before this time, or null.
        ending_at: Option<Moment>,
    },
}

/// A fact and when it held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Interval {
    /// What was so.
    #[serde(flatten)]
    pub fact: Fact,
    /// From this revision.
    pub since: i64,
    /// Until before this revision; null while it holds.
    pub until: Option<i64>,
    /// The time beside `since`.
    pub since_at: Moment,
    /// The time beside `until`.
    pub until_at: Option<Moment>,
}

/// Facts of one thing that can have begun in one revision and still be paged through one by one.
const SAME_REVISION_LIMIT: i64 = 10_000;

type Read = fn(&Row<'_>) -> campanile_store::Result<Fact>;

/// A source of facts: its statement, what comes after its three parameters, and how it is read.
type Arm = (&'static Sql, &'static [i64], Read);

/// A page of the history of something, the newest beginning first.
pub fn history(tx: &mut Tx<'_>, subject: &Subject, paging: &Paging) -> Result<Page<Interval>> {
    let (object, arms) = find(tx, subject)?;
    let limit = paging.limit()?;
    // The last page ended in this revision, after so many of its facts.
    let Place { numbers, .. } = paging.place()?;
    let (from, skip) = if numbers.0 == 0 {
        (OPEN, 0)
    } else {
        (numbers.0, numbers.1.clamp(0, SAME_REVISION_LIMIT))
    };
    let wanted = skip + limit as i64 + 1;
    let mut found: Vec<Interval> = Vec::new();
    for (sql, more, read) in arms {
        let mut params: Vec<&dyn Param> = vec![&object, &from, &wanted];
        params.extend(more.iter().map(|value| value as &dyn Param));
        found.extend(tx.rows(sql, &params, |row| interval(row, *read))?);
    }
    // Stable: within a revision the arms stay in order.
    found.sort_by_key(|at| std::cmp::Reverse(at.since));
    let mut items: Vec<Interval> = found.into_iter().skip(skip as usize).take(limit + 1).collect();
    let more = items.len() > limit;
    items.truncate(limit);
    let next = match items.last() {
        Some(last) if more => {
            let same = items.iter().filter(|at| at.since == last.since).count() as i64;
            let numbers = (last.since, if last.since == from { skip + same } else { same }, 0);
            let place = Place {
                numbers,
                ..Place::default()
            };
            Some(place.cursor()?)
        }
        _ => None,
    };
    Ok(Page { items, next })
}

fn find(tx: &mut Tx<'_>, subject: &Subject) -> Result<(i64, &'static [Arm])> {
    let (sql, key, word, arms): (&'static Sql, &dyn Param, _, &'static [Arm]) = match subject {
        Subject::User(key) => (&FIND_USER, key, "user", USER),
        Subject::Customer(id) => (&FIND_CUSTOMER, id, "customer", OF_CUSTOMER),
        Subject::Environment(key) => (&FIND_ENVIRONMENT, key, "environment", ENVIRONMENT),
        Subject::Group(key) => (&FIND_GROUP, key, "group", OF_GROUP),
        Subject::Api(key) => (&FIND_API, key, "API", API),
        Subject::Application(key) => (&FIND_APPLICATION, key, "application", APPLICATION),
        Subject::Subscription(key) => (&FIND_SUBSCRIPTION, key, "subscription", SUBSCRIPTION),
    };
    let object = tx.first(sql, &[key], |row| row.get(0))?.ok_or(Error::Missing(word))?;
    Ok((object, arms))
}

const LIVED: Read = |_| Ok(Fact::Life);

static USER: &[Arm] = &[
    (&LIFE, &[kind::PERSON], LIVED),
    (&CUSTOMER, &[], customer),
    (&HELD, &[], membership),
];
static OF_CUSTOMER: &[Arm] = &[(&LIFE, &[kind::CUSTOMER], LIVED), (&PARENT, &[], parent)];
static ENVIRONMENT: &[Arm] = &[(&LIFE, &[kind::ENVIRONMENT], LIVED)];
static OF_GROUP: &[Arm] = &[
    (&LIFE, &[kind::GROUP], LIVED),
    (&ATTACHED, &[], attached),
    (&HOLDERS, &[place::GROUP_APPLICATION], membership),
    (&HOLDERS, &[place::GROUP_API], membership),
];
static API: &[Arm] = &[
    (&LIFE, &[kind::API], LIVED),
    (&GROUP, &[place::API], group),
    (&HOLDERS, &[place::API], membership),
];
static APPLICATION: &[Arm] = &[
    (&LIFE, &[kind::APPLICATION], LIVED),
    (&GROUP, &[place::APPLICATION], group),
    (&HOLDERS, &[place::APPLICATION], membership),
];
static SUBSCRIPTION: &[Arm] = &[(&LIFE, &[kind::SUBSCRIPTION], LIVED), (&TERM, &[], term)];

fn interval(row: &Row<'_>, read: Read) -> campanile_store::Result<Interval> {
    let (until, until_at): (i64, i64) = (row.get(1)?, row.get(3)?);
    Ok(Interval {
        fact: read(row)?,
        since: row.get(0)?,
        until: (until != OPEN).then_some(until),
        since_at: Moment(row.get(2)?),
        until_at: (until != OPEN).then_some(Moment(until_at)),
    })
}

fn customer(row: &Row<'_>) -> campanile_store::Result<Fact> {
    Ok(Fact::Customer {
        id: row.get(4)?,
        name: row.get(5)?,
    })
}

fn parent(row: &Row<'_>) -> campanile_store::Result<Fact> {
    Ok(Fact::Parent {
        id: row.get(4)?,
        name: row.get(5)?,
    })
}

fn membership(row: &Row<'_>) -> campanile_store::Result<Fact> {
    Ok(Fact::Membership {
        user: row.get(4)?,
        user_name: row.get(5)?,
        scope: Scope::from_code(row.get(6)?).unwrap_or(Scope::Organization),
        role: row.get(7)?,
        on: on(row.get(8)?, row.get(9)?),
    })
}

fn group(row: &Row<'_>) -> campanile_store::Result<Fact> {
    Ok(Fact::Group {
        id: row.get(4)?,
        name: row.get(5)?,
    })
}

fn attached(row: &Row<'_>) -> campanile_store::Result<Fact> {
    Ok(Fact::Attached {
        to: on(row.get(4)?, row.get(5)?),
    })
}

fn term(row: &Row<'_>) -> campanile_store::Result<Fact> {
    let (starts_at, ends_at): (i64, i64) = (row.get(6)?, row.get(7)?);
    Ok(Fact::Term {
        status: Status::from_code(row.get(4)?),
        subscribed_by: row.get(5)?,
        starting_at: (starts_at != 0).then_some(Moment(starts_at)),
        ending_at: (ends_at != OPEN).then_some(Moment(ends_at)),
    })
}
