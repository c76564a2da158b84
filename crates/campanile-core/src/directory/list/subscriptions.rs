//! Lists of subscriptions.

use campanile_store::{Param, Row, Tx, sql};
use serde::Serialize;

use super::ended::{self, ended, last_first};
use super::{Arm, PAGE_LIMIT, Page, Paging, looked, prefix, run};
use crate::directory::entry::Status;
use crate::error::{Error, Result};
use crate::place::kind;
use crate::time::{Moment, OPEN};

/// A subscription, from column 2. One that was removed shows its last term.
macro_rules! item {
    () => {
        "s.key, a.key, b.key, t.status, (SELECT p.key FROM person p WHERE p.id = t.subscriber), t.starts_at, t.ends_at,
            t.until = 9223372036854775807,
            (SELECT MIN(l.since_at) FROM life l WHERE l.kind = 7 AND l.object = s.id)"
    };
}

/// The API, the application and the last term of `s`.
macro_rules! joined {
    () => {
        " CROSS JOIN api a CROSS JOIN application b CROSS JOIN term t
        WHERE a.id = s.api AND b.id = s.application AND t.subscription = s.id
            AND t.since = (SELECT MAX(n.since) FROM term n WHERE n.subscription = s.id)"
    };
}

/// Only active or inactive ones, only of a status, only of an API, only of an application (their ids).
macro_rules! filter {
    ($active:literal $status:literal $api:literal $application:literal) => {
        concat!(
            " AND (CAST(",
            $active,
            " AS BOOLEAN) IS NULL OR ",
            $active,
            " = (t.until = 9223372036854775807))
            AND (CAST(",
            $status,
            " AS BIGINT) IS NULL OR ",
            $status,
            " = t.status)
            AND (CAST(",
            $api,
            " AS TEXT) IS NULL OR ",
            $api,
            " = a.key) AND (CAST(",
            $application,
            " AS TEXT) IS NULL OR ",
            $application,
            " = b.key)"
        )
    };
}

/// By number, of an API or application ($6): after $2, up to $5.
macro_rules! numbered {
    ($column:literal $table:literal) => {
        concat!(
            " AND s.",
            $column,
            " = (SELECT x.id FROM ",
            $table,
            " x WHERE x.key = $6) AND s.id > $2 AND s.id <= $5
            AND CAST($1 AS TEXT) IS NOT NULL AND CAST($4 AS TEXT) IS NOT NULL"
        )
    };
    (edge $column:literal $table:literal) => {
        concat!(
            "SELECT '', s.id FROM subscription s WHERE s.",
            $column,
            " = (SELECT x.id FROM ",
            $table,
            " x WHERE x.key = $4) AND s.id > $2 AND CAST($1 AS TEXT) IS NOT NULL ORDER BY s.id LIMIT 1 OFFSET $3"
        )
    };
}

/// From here on the present subscriptions of an API or application ($1), of five statuses ($102 to $106), and where
/// $107 holds only to some things of the other side ($2 to $101).
macro_rules! between {
    ($one:literal $other:literal) => {
        concat!(
            " WHERE s.",
            $one,
            " = $1 AND t.subscription = s.id AND t.until = 9223372036854775807
                AND t.status IN ($102, $103, $104, $105, $106)
                AND (NOT CAST($107 AS BOOLEAN) OR s.",
            $other,
            " IN ",
            hundred!(),
            ")"
        )
    };
    (page $one:literal $other:literal) => {
        concat!(
            "SELECT '', s.id, ",
            item!(),
            " FROM subscription s CROSS JOIN term t CROSS JOIN api a CROSS JOIN application b",
            between!($one $other),
            " AND a.id = s.api AND b.id = s.application ORDER BY s.id LIMIT $108 OFFSET $109"
        )
    };
    (count $one:literal $other:literal) => {
        concat!("SELECT COUNT(*) FROM subscription s CROSS JOIN term t", between!($one $other))
    };
}

sql! {
    API = "SELECT id FROM api WHERE key = $1";
    APPLICATION = "SELECT id FROM application WHERE key = $1";
    BETWEEN_API = between!(page "api" "application");
    BETWEEN_API_COUNT = between!(count "api" "application");
    BETWEEN_APPLICATION = between!(page "application" "api");
    BETWEEN_APPLICATION_COUNT = between!(count "application" "api");
    ALL = concat!("SELECT s.key, s.id, ", item!(), " FROM subscription s", joined!(), "
        AND (s.key, s.id) > ($1, $2) AND (s.key, s.id) <= ($4, $5)", filter!("$6" "$7" "$8" "$9"),
        " ORDER BY s.key, s.id LIMIT $3");
    ALL_EDGE = "SELECT s.key, s.id FROM subscription s WHERE (s.key, s.id) > ($1, $2)
        ORDER BY s.key, s.id LIMIT 1 OFFSET $3";
    OF_API = concat!("SELECT '', s.id, ", item!(), " FROM subscription s", joined!(), numbered!("api" "api"),
        filter!("$7" "$8" "$9" "$10"), " ORDER BY s.id LIMIT $3");
    OF_API_EDGE = numbered!(edge "api" "api");
    OF_APPLICATION = concat!("SELECT '', s.id, ", item!(), " FROM subscription s", joined!(),
        numbered!("application" "application"), filter!("$7" "$8" "$9" "$10"), " ORDER BY s.id LIMIT $3");
    OF_APPLICATION_EDGE = numbered!(edge "application" "application");
    // $6 to $7: the range of ids that begin so.
    BY_KEY = concat!("SELECT s.key, s.id, ", item!(), " FROM subscription s", joined!(), "
        AND s.key >= $6 AND s.key < $7 AND (s.key, s.id) > ($1, $2) AND (s.key, s.id) <= ($4, $5)",
        filter!("$8" "$9" "$10" "$11"), " ORDER BY s.key, s.id LIMIT $3");
    BY_KEY_EDGE = "SELECT s.key, s.id FROM subscription s WHERE s.key >= $4 AND s.key < $5 AND (s.key, s.id) > ($1, $2)
        ORDER BY s.key, s.id LIMIT 1 OFFSET $3";
    ENDED = concat!("SELECT l.until, s.id, ", item!(), ended!("subscription s CROSS JOIN api a CROSS JOIN application b
            CROSS JOIN term t" "7"), "s.id
        AND a.id = s.api AND b.id = s.application AND t.subscription = s.id
        AND t.since = (SELECT MAX(n.since) FROM term n WHERE n.subscription = s.id)
        AND (CAST($6 AS BIGINT) IS NULL OR $6 = t.status)", last_first!());
    ONE = concat!("SELECT s.key, s.id, ", item!(), " FROM subscription s", joined!(), " AND s.key = $1");
}

/// A subscription as the directory shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Subscription {
    /// The id in the directory file.
    pub id: String,
    /// The API's id.
    pub api: String,
    /// The application's id.
    pub application: String,
    /// The status now, or at its end.
    pub status: Status,
    /// The id of the user who subscribed, or null.
    pub subscribed_by: Option<String>,
    /// Valid from this time, or null.
    pub starting_at: Option<Moment>,
    /// Valid until before this time, or null.
    pub ending_at: Option<Moment>,
    /// Whether it is there now.
    pub active: bool,
    /// When it first came.
    pub created_at: Moment,
}

/// Which subscriptions.
#[derive(Debug, Clone, Default)]
pub struct SubscriptionFilter {
    /// The beginning of an id.
    pub q: Option<String>,
    /// Of this API, by id.
    pub api: Option<String>,
    /// Of this application, by id.
    pub application: Option<String>,
    /// Of this status.
    pub status: Option<Status>,
    /// Only active or only inactive ones.
    pub active: Option<bool>,
}

/// Which present subscriptions of one API or application.
#[derive(Debug, Clone)]
pub struct Between {
    /// The API's id, or the application's.
    pub of: String,
    /// Whether that is an API.
    pub is_api: bool,
    /// Only to these of the other side, by id: at most [`PAGE_LIMIT`]. Of all where it is empty.
    pub others: Vec<String>,
    /// Of one of these statuses.
    pub statuses: Vec<Status>,
}

fn read(row: &Row<'_>) -> campanile_store::Result<Subscription> {
    let (starts_at, ends_at): (i64, i64) = (row.get(7)?, row.get(8)?);
    Ok(Subscription {
        id: row.get(2)?,
        api: row.get(3)?,
        application: row.get(4)?,
        status: Status::from_code(row.get(5)?),
        subscribed_by: row.get(6)?,
        starting_at: (starts_at != 0).then_some(Moment(starts_at)),
        ending_at: (ends_at != OPEN).then_some(Moment(ends_at)),
        active: row.get(9)?,
        created_at: Moment(row.get::<Option<i64>>(10)?.unwrap_or(0)),
    })
}

/// One subscription, by the id of the directory file.
pub fn subscription(tx: &mut Tx<'_>, id: &str) -> Result<Subscription> {
    tx.first(&ONE, &[&id], read)?.ok_or(Error::Missing("subscription"))
}

/// A page of subscriptions: by id; in the order of their coming where an API or application is named and nothing is
/// searched; else the last to end first where only inactive ones are asked for.
pub fn subscriptions(tx: &mut Tx<'_>, filter: &SubscriptionFilter, paging: &Paging) -> Result<Page<Subscription>> {
    let status = filter.status.map(Status::code);
    let filters: [&dyn Param; 4] = [&filter.active, &status, &filter.api, &filter.application];
    let range = prefix(filter.q.as_deref())?;
    let (arm, range): (Arm, Vec<&dyn Param>) = match (&range, &filter.application, &filter.api) {
        (Some((from, to)), ..) => (Arm(&BY_KEY, &BY_KEY_EDGE), vec![from, to]),
        (None, Some(application), _) => (Arm(&OF_APPLICATION, &OF_APPLICATION_EDGE), vec![application]),
        (None, None, Some(api)) => (Arm(&OF_API, &OF_API_EDGE), vec![api]),
        (None, None, None) if filter.active == Some(false) => {
            return ended::list(tx, paging, (&ENDED, kind::SUBSCRIPTION), &[&status], read);
        }
        (None, None, None) => (Arm(&ALL, &ALL_EDGE), Vec::new()),
    };
    looked(paging, 1, |place, limit| {
        run(tx, &arm, (place, limit), (&range, &filters), read)
    })
}

/// Some of the present subscriptions of an API or application, in the order of their coming: so many, after the first
/// so many; and how many there are in all. For lists whose pages have numbers.
pub fn subscriptions_between(
    tx: &mut Tx<'_>,
    between: &Between,
    (limit, offset): (i64, i64),
) -> Result<(Vec<Subscription>, i64)> {
    let (one, other, page, count) = if between.is_api {
        (&API, &APPLICATION, &BETWEEN_API, &BETWEEN_API_COUNT)
    } else {
        (&APPLICATION, &API, &BETWEEN_APPLICATION, &BETWEEN_APPLICATION_COUNT)
    };
    // Nothing has the number 0.
    let number =
        |tx: &mut Tx<'_>, sql, key: &String| Ok::<i64, Error>(tx.first(sql, &[key], |row| row.get(0))?.unwrap_or(0));
    let of = number(tx, one, &between.of)?;
    let mut others = [0_i64; PAGE_LIMIT as usize];
    for (at, key) in others.iter_mut().zip(&between.others) {
        *at = number(tx, other, key)?;
    }
    let mut statuses = [-1_i64; 5];
    for (at, status) in statuses.iter_mut().zip(&between.statuses) {
        *at = status.code();
    }
    let is_narrow = !between.others.is_empty();
    let mut params: Vec<&dyn Param> = vec![&of];
    params.extend(others.iter().chain(&statuses).map(|number| number as &dyn Param));
    params.push(&is_narrow);
    let total = tx.one(count, &params, |row| row.get(0))?;
    params.extend([&limit as &dyn Param, &offset]);
    Ok((tx.rows(page, &params, read)?, total))
}
