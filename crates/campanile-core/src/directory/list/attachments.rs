//! Lists of what a group is attached to.

use campanile_store::{Tx, sql};
use serde::Serialize;

use super::memberships::{on, place_column};
use super::{Page, Paging, Place, page};
use crate::directory::entry::On;
use crate::error::Result;
use crate::time::Moment;

sql! {
    // $2, $3: after this place and object. $4: so many. In the order of the primary key.
    OF_GROUP = concat!("SELECT page.place, page.object, page.since_at, ", place_column!("key"), ", ",
            place_column!("name"), " FROM attachment page
        WHERE page.grp = (SELECT g.id FROM grp g WHERE g.key = $1) AND (page.place, page.object) > ($2, $3)
            AND page.until = 9223372036854775807
        ORDER BY page.place, page.object LIMIT $4");
}

/// An API or application to which a group is attached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Attachment {
    /// What to.
    pub to: On,
    /// Its name.
    pub to_name: String,
    /// Since when.
    pub created_at: Moment,
}

/// A page of what a group is attached to now: APIs, then applications, as they came. Of no such group, nothing.
pub fn attachments(tx: &mut Tx<'_>, group: &str, paging: &Paging) -> Result<Page<Attachment>> {
    page(paging, 1, |from, limit| {
        let (place, object, _) = from.numbers;
        Ok(tx.rows(&OF_GROUP, &[&group, &place, &object, &limit], |row| {
            let (place, object): (i64, i64) = (row.get(0)?, row.get(1)?);
            let item = Attachment {
                to: on(place, row.get(3)?),
                to_name: row.get(4)?,
                created_at: Moment(row.get(2)?),
            };
            let after = Place {
                numbers: (place, object, 0),
                ..Place::default()
            };
            Ok((item, after))
        })?)
    })
}
