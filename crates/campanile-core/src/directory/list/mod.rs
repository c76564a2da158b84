//! Reading the directory: one thing, or a page of many, in the form in which it is imported, with `active` and
//! `created_at` beside.
//!
//! A page is found by an index and continued by the key of its last item, so it costs the same anywhere in the list,
//! and what is added meanwhile neither repeats nor hides another item. A search looks into several indexes one after
//! another ("arms"); what an earlier arm has found a later one leaves out.
//!
//! A filter leaves out what the index gives. A page looks at no more than [`LOOK`] rows of an index; where these were
//! not enough it ends early, and its `next` goes on from there.

/// The numbers of at most so many things as a page has, from $2 on.
macro_rules! hundred {
    () => {
        "($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24,
          $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39, $40, $41, $42, $43, $44, $45,
          $46, $47, $48, $49, $50, $51, $52, $53, $54, $55, $56, $57, $58, $59, $60, $61, $62, $63, $64, $65, $66,
          $67, $68, $69, $70, $71, $72, $73, $74, $75, $76, $77, $78, $79, $80, $81, $82, $83, $84, $85, $86, $87,
          $88, $89, $90, $91, $92, $93, $94, $95, $96, $97, $98, $99, $100, $101)"
    };
}

mod attachments;
mod customers;
mod ended;
pub(super) mod memberships;
mod roles;
mod subscriptions;
mod things;
mod users;

use campanile_store::{Param, Row, Sql, Tx};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

pub use attachments::{Attachment, attachments};
pub use customers::{Customer, CustomerFilter, Parent, customer, customer_names, customers};
pub use memberships::{Membership, MembershipFilter, memberships};
pub use roles::{Role, role, roles, roles_held};
pub use subscriptions::{
    Between, Subscription, SubscriptionFilter, subscription, subscriptions, subscriptions_between,
};
pub use things::{Kind, Thing, ThingFilter, applications_of, is_member, some_apis, thing, things};
pub(super) use users::named_users;
pub use users::{User, UserFilter, user, users};

/// Items of a page when nothing is said.
pub const PAGE: i64 = 50;
/// Items of a page at most.
pub const PAGE_LIMIT: i64 = 100;
/// Rows of an index that one page looks at. The statements that find the last of them say one less.
pub const LOOK: i64 = 2_000;
/// Characters of a search; longer ones find nothing that a shorter one would not.
pub const SEARCH_LIMIT: usize = 200;

/// Which page.
#[derive(Debug, Clone, Default)]
pub struct Paging {
    /// Items, 1 to 100; absent is 50.
    pub limit: Option<i64>,
    /// `next` of the page before; absent is the first page.
    pub cursor: Option<String>,
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Page<T> {
    /// The items, in the order of the list. Where a filter leaves out very many, fewer than asked for, or none, though
    /// others follow.
    pub items: Vec<T>,
    /// What to ask for the next page with; null on the last one.
    pub next: Option<String>,
}

/// The statements of the files below, a list each.
pub(super) fn statements() -> impl Iterator<Item = &'static [&'static Sql]> {
    [
        attachments::STATEMENTS,
        customers::STATEMENTS,
        ended::STATEMENTS,
        memberships::STATEMENTS,
        roles::STATEMENTS,
        subscriptions::STATEMENTS,
        things::STATEMENTS,
        users::STATEMENTS,
    ]
    .into_iter()
}

impl Paging {
    /// The limit, within its bounds.
    pub(crate) fn limit(&self) -> Result<usize> {
        match self.limit {
            None => Ok(PAGE as usize),
            Some(limit) if (1..=PAGE_LIMIT).contains(&limit) => Ok(limit as usize),
            Some(_) => Err(Error::field("limit", format!("must be 1 to {PAGE_LIMIT}"))),
        }
    }

    /// Where the page begins.
    pub(crate) fn place(&self) -> Result<Place> {
        let Some(cursor) = &self.cursor else {
            return Ok(Place::default());
        };
        decode(cursor)
            .and_then(|json| serde_json::from_slice::<Place>(&json).ok())
            // No key holds one, and PostgreSQL cannot even be asked.
            .filter(|place| !place.text.contains('\0'))
            .ok_or_else(|| Error::field("cursor", "is not one that a list has given"))
    }
}

/// Where a page begins: after this arm's row with this text and these numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) arm: usize,
    pub(crate) text: String,
    pub(crate) numbers: (i64, i64, i64),
}

impl Place {
    pub(crate) fn cursor(&self) -> Result<String> {
        let json = serde_json::to_vec(self).map_err(|error| campanile_store::Error::Internal(error.to_string()))?;
        Ok(encode(&json))
    }
}

/// Items with their places, and the last place that was looked at where there are others behind it.
pub(crate) type Looked<T> = (Vec<(T, Place)>, Option<Place>);

/// A page from arms that follow one another. `query` runs an arm from a place with a limit; each row it gives is the
/// item and its place.
pub(crate) fn page<T>(
    paging: &Paging,
    arms: usize,
    mut query: impl FnMut(&Place, i64) -> Result<Vec<(T, Place)>>,
) -> Result<Page<T>> {
    looked(paging, arms, |from, limit| Ok((query(from, limit)?, None)))
}

/// As [`page`], of arms that look at so much and no more.
pub(crate) fn looked<T>(
    paging: &Paging,
    arms: usize,
    mut query: impl FnMut(&Place, i64) -> Result<Looked<T>>,
) -> Result<Page<T>> {
    let limit = paging.limit()?;
    let mut from = paging.place()?;
    let mut found = Vec::with_capacity(limit + 1);
    let mut edge = None;
    while from.arm < arms && found.len() <= limit {
        let (some, last) = query(&from, (limit + 1 - found.len()) as i64)?;
        found.extend(some);
        edge = last;
        if edge.is_some() {
            break;
        }
        from = Place {
            arm: from.arm + 1,
            ..Place::default()
        };
    }
    let more = found.len() > limit;
    found.truncate(limit);
    let next = match found.last() {
        Some((_, place)) if more => Some(place.cursor()?),
        _ => edge.map(|edge| edge.cursor()).transpose()?,
    };
    let items = found.into_iter().map(|(item, _)| item).collect();
    Ok(Page { items, next })
}

/// An arm of a list: its statement, and the one that finds the last row that it looks at.
///
/// Both begin after a text and a number, $1 and $2. $3 says how many rows: for the second, how many are passed over.
/// The first ends at a text and a number, $4 and $5. Then come a range, and for the first the filters.
pub(super) struct Arm(pub(super) &'static Sql, pub(super) &'static Sql);

/// Runs an arm whose rows begin with their place's text and first number; `read` begins at column 2.
pub(super) fn run<T>(
    tx: &mut Tx<'_>,
    arm: &Arm,
    (place, limit): (&Place, i64),
    (range, filters): (&[&dyn Param], &[&dyn Param]),
    read: impl Fn(&Row<'_>) -> campanile_store::Result<T>,
) -> Result<Looked<T>> {
    let placed = |row: &Row<'_>| {
        Ok(Place {
            arm: place.arm,
            text: row.get(0)?,
            numbers: (row.get(1)?, 0, 0),
        })
    };
    let (text, number, skip) = (&place.text, &place.numbers.0, LOOK - 1);
    let passed: Vec<&dyn Param> = [&[text as &dyn Param, number, &skip], range].concat();
    let edge = tx.first(arm.1, &passed, placed)?;
    let end = edge
        .as_ref()
        .map_or((TOP, i64::MAX), |edge| (&edge.text, edge.numbers.0));
    let params: Vec<&dyn Param> = [&[text as &dyn Param, number, &limit, &end.0, &end.1], range, filters].concat();
    let found = tx.rows(arm.0, &params, |row| Ok((read(row)?, placed(row)?)))?;
    // A full page says itself where it ends.
    let edge = edge.filter(|_| (found.len() as i64) < limit);
    Ok((found, edge))
}

/// Above every text.
const TOP: &str = "\u{10ffff}";

/// A search by the beginning: from this text on, and before that one. `None`: nothing to search for.
pub(crate) fn prefix(q: Option<&str>) -> Result<Option<(String, String)>> {
    let Some(q) = q.map(str::trim).filter(|q| !q.is_empty()) else {
        return Ok(None);
    };
    if q.chars().count() > SEARCH_LIMIT {
        return Err(Error::field("q", format!("at most {SEARCH_LIMIT} characters")));
    }
    if q.contains('\0') {
        return Err(Error::field("q", "cannot hold a NUL character"));
    }
    // Texts are compared byte by byte, and no text that somebody typed goes on with the last code point.
    Ok(Some((q.to_owned(), format!("{q}\u{10ffff}"))))
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Base64url without padding (RFC 4648, section 5).
fn encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 4 / 3 + 3);
    for block in bytes.chunks(3) {
        let at = |index: usize| u32::from(block.get(index).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for digit in 0..=block.len() {
            let index = (bits >> (18 - 6 * digit)) & 63;
            out.push(char::from(ALPHABET[index as usize]));
        }
    }
    out
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let (mut bits, mut count) = (0_u32, 0);
    for char in text.bytes() {
        let digit = ALPHABET.iter().position(|at| *at == char)?;
        bits = (bits << 6 | digit as u32) & 0xffff;
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64url_reads_what_it_wrote() {
        for length in 0..20_u8 {
            let bytes: Vec<u8> = (0..length).map(|at| at.wrapping_mul(97) ^ 0xa5).collect();
            assert_eq!(decode(&encode(&bytes)), Some(bytes));
        }
        assert_eq!(encode(b"fo?~"), "Zm8_fg");
        assert_eq!(decode("not+url"), None);
    }
}
