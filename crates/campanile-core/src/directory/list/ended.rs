//! Lists of what has ended, the last to end first: by when it ended, so that they cost the page and not all that is
//! still there.

use campanile_store::{Param, Row, Sql, Tx, sql};

use super::{LOOK, Page, Paging, Place, looked};
use crate::error::Result;
use crate::time::OPEN;

sql! {
    // The last one that a page looks at: of a kind, before this revision and number.
    EDGE = "SELECT until, object FROM life
        WHERE kind = $1 AND until < 9223372036854775807 AND (until, object) < ($2, $3)
        ORDER BY until DESC, object DESC LIMIT 1 OFFSET $4";
}

/// What follows `FROM` in a statement of a kind that has ended: $1 and $2 are before this revision and number, $3 and
/// $4 from that one on.
macro_rules! ended {
    ($table:literal $kind:literal) => {
        concat!(
            " FROM life l CROSS JOIN ",
            $table,
            " WHERE l.kind = ",
            $kind,
            " AND l.until < 9223372036854775807 AND (l.until, l.object) < ($1, $2) AND (l.until, l.object) >= ($3, $4)
                AND NOT EXISTS (SELECT 1 FROM life n
                    WHERE n.kind = ",
            $kind,
            " AND n.object = l.object AND n.until > l.until) AND l.object = "
        )
    };
}
pub(super) use ended;

/// The order of such a statement, and its limit.
macro_rules! last_first {
    () => {
        " ORDER BY l.until DESC, l.object DESC LIMIT $5"
    };
}
pub(super) use last_first;

/// A page of what has ended. Rows begin with the revision of the end and the number; `read` begins at column 0.
pub(super) fn list<T>(
    tx: &mut Tx<'_>,
    paging: &Paging,
    (sql, kind): (&'static Sql, i64),
    more: &[&dyn Param],
    read: impl Fn(&Row<'_>) -> campanile_store::Result<T>,
) -> Result<Page<T>> {
    let placed = |row: &Row<'_>| {
        Ok(Place {
            numbers: (row.get(0)?, row.get(1)?, 0),
            ..Place::default()
        })
    };
    looked(paging, 1, |place, limit| {
        let (until, object, _) = if *place == Place::default() {
            (OPEN, 0, 0)
        } else {
            place.numbers
        };
        let skip = LOOK - 1;
        let edge = tx.first(&EDGE, &[&kind, &until, &object, &skip], placed)?;
        let to = edge.as_ref().map_or((0, 0), |edge| (edge.numbers.0, edge.numbers.1));
        let mut params: Vec<&dyn Param> = vec![&until, &object, &to.0, &to.1, &limit];
        params.extend(more);
        let found = tx.rows(sql, &params, |row| Ok((read(row)?, placed(row)?)))?;
        let edge = edge.filter(|_| (found.len() as i64) < limit);
        Ok((found, edge))
    })
}
