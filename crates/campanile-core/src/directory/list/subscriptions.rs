//! Lists of subscriptions.

use campanile_store::{Param, Row, Tx, sql};
use serde::Serialize;

use super::{Arm, Page, Paging, page, prefix, run};
use crate::directory::entry::Status;
use crate::error::{Error, Result};
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

/// $4: only active or inactive ones. $5: only of a status. $6: only of an API, $7: of an application (their ids).
macro_rules! filter {
    () => {
        " AND (CAST($4 AS BOOLEAN) IS NULL OR $4 = (t.until = 9223372036854775807))
            AND (CAST($5 AS BIGINT) IS NULL OR $5 = t.status)
            AND (CAST($6 AS TEXT) IS NULL OR $6 = a.key) AND (CAST($7 AS TEXT) IS NULL OR $7 = b.key)"
    };
}

sql! {
    // $1, $2: after this text and number. $3: so many.
    ALL = concat!("SELECT s.key, s.id, ", item!(), " FROM subscription s", joined!(), "
        AND (s.key, s.id) > ($1, $2)", filter!(), " ORDER BY s.key, s.id LIMIT $3");
    OF_API = concat!("SELECT '', s.id, ", item!(), " FROM subscription s", joined!(), "
        AND s.api = (SELECT x.id FROM api x WHERE x.key = $6) AND s.id > $2 AND CAST($1 AS TEXT) IS NOT NULL",
        filter!(), " ORDER BY s.id LIMIT $3");
    OF_APPLICATION = concat!("SELECT '', s.id, ", item!(), " FROM subscription s", joined!(), "
        AND s.application = (SELECT x.id FROM application x WHERE x.key = $7) AND s.id > $2
        AND CAST($1 AS TEXT) IS NOT NULL", filter!(), " ORDER BY s.id LIMIT $3");
    // $8 to $9: the range of ids that begin so.
    BY_KEY = concat!("SELECT s.key, s.id, ", item!(), " FROM subscription s", joined!(), "
        AND s.key >= $8 AND s.key < $9 AND (s.key, s.id) > ($1, $2)", filter!(), " ORDER BY s.key, s.id LIMIT $3");
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
/// searched.
pub fn subscriptions(tx: &mut Tx<'_>, filter: &SubscriptionFilter, paging: &Paging) -> Result<Page<Subscription>> {
    let range = prefix(filter.q.as_deref())?;
    let arm = match (&range, &filter.application, &filter.api) {
        (Some(_), _, _) => Arm(&BY_KEY, 9),
        (None, Some(_), _) => Arm(&OF_APPLICATION, 7),
        (None, None, Some(_)) => Arm(&OF_API, 7),
        (None, None, None) => Arm(&ALL, 7),
    };
    let (from, to) = range.unwrap_or_default();
    let status = filter.status.map(Status::code);
    page(paging, 1, |place, limit| {
        let params: [&dyn Param; 9] = [
            &place.text,
            &place.numbers.0,
            &limit,
            &filter.active,
            &status,
            &filter.api,
            &filter.application,
            &from,
            &to,
        ];
        run(tx, &arm, 0, &params, read)
    })
}
