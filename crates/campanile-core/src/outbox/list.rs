//! Who of an audience gets a mail: everybody who has an address, and each distinct address once (decision 33).
//!
//! The audience is that of the publication, for ever, so a listing that was broken off goes on where it was. Read a
//! page at a time: its memory is that of the audience's bitmap.

use campanile_store::{Tx, sql};
use roaring::RoaringBitmap;

use super::chunk::SIZE;
use crate::error::Result;

sql! {
    // People who have an address that somebody with a lower id has too.
    SHARED = "SELECT p.id, p.email_key FROM person p WHERE p.id > $1 AND p.id <= $2 AND p.email_key IS NOT NULL
        AND EXISTS (SELECT 1 FROM person q WHERE q.email_key = p.email_key AND q.id < p.id)";
    SHARED_BY = "SELECT p.id, p.email_key FROM person p WHERE p.id = $1 AND p.email_key IS NOT NULL
        AND EXISTS (SELECT 1 FROM person q WHERE q.email_key = p.email_key AND q.id < p.id)";
    OWNERS = "SELECT id FROM person WHERE email_key = $1 AND id < $2";
}

/// Chunks of one page: what is looked up together, and stored in one transaction. A mail that is more urgent waits for
/// as long as that takes.
const PAGE: usize = 4;
/// Where so many ids lie in the range of each person of a page, they are looked up one by one.
const SPARSE: i64 = 4;

/// A page of a listing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// People, by id, up to a thousand each.
    pub chunks: Vec<Vec<u32>>,
    /// The last person who was looked at.
    pub cursor: u32,
    /// There is nobody after it.
    pub is_last: bool,
}

/// How many mails an audience is: its distinct addresses. `people` as for [`page()`].
pub fn count(tx: &mut Tx<'_>, people: &RoaringBitmap) -> Result<u64> {
    let (mut count, mut after, mut is_last) = (0, 0, false);
    while !is_last {
        let page = page(tx, people, after)?;
        count += page.chunks.iter().map(|chunk| chunk.len() as u64).sum::<u64>();
        (after, is_last) = (page.cursor, page.is_last);
    }
    Ok(count)
}

/// The next page of those of an audience who have an address, after a person. `people` is the audience without those
/// who have none.
pub fn page(tx: &mut Tx<'_>, people: &RoaringBitmap, after: u32) -> Result<Page> {
    let mut ids: Vec<u32> = people.range(after.saturating_add(1)..).take(PAGE * SIZE).collect();
    let (Some(first), Some(last)) = (ids.first().copied(), ids.last().copied()) else {
        return Ok(Page {
            cursor: after,
            is_last: true,
            ..Page::default()
        });
    };
    let read = |row: &campanile_store::Row<'_>| Ok((row.get::<i64>(0)? as u32, row.get::<String>(1)?));
    let mut others = RoaringBitmap::new();
    let (low, high) = (i64::from(first) - 1, i64::from(last));
    let shared = if high - low > SPARSE * ids.len() as i64 {
        let mut shared = Vec::new();
        for person in &ids {
            shared.extend(tx.first(&SHARED_BY, &[&i64::from(*person)], read)?);
        }
        shared
    } else {
        tx.rows(&SHARED, &[&low, &high], read)?
    };
    for (person, address) in shared {
        if !people.contains(person) {
            continue;
        }
        let owners = tx.rows(&OWNERS, &[&address, &i64::from(person)], |row| row.get::<i64>(0))?;
        if owners.into_iter().any(|owner| people.contains(owner as u32)) {
            others.insert(person);
        }
    }
    ids.retain(|person| !others.contains(*person));
    Ok(Page {
        chunks: ids.chunks(SIZE).map(<[u32]>::to_vec).collect(),
        cursor: last,
        is_last: people.max().is_none_or(|greatest| greatest <= last),
    })
}
