//! Sites: applications that show bell, inbox and banners in pages of their own. A site signs in its people with tokens
//! (RFC 7519) that it signs with a key of its own; browsers use them on pages of its origins alone.
//!
//! What a token opens is the server's to say; here is whom a site may sign in ([`door`]), what tokens are signed with
//! ([`key`]), and where pages may stand ([`origin`]).

pub mod door;
pub mod key;
pub mod origin;

use std::collections::BTreeSet;

use campanile_store::{Row, Tx, sql};
use serde::{Deserialize, Serialize};

use crate::directory::entry::Patch;
use crate::directory::list::{Page, Paging, Place, page};
use crate::directory::{check_name, folded};
use crate::error::{Error, Faults, Result};
use crate::id::{CustomerId, PersonId};
use crate::message::target;
use crate::revision;
use crate::secret::{self, Random};
use crate::time::Moment;

macro_rules! columns {
    () => {
        "SELECT s.id, s.name, s.name_key, s.customer, c.name, p.name, s.created_at,
            (SELECT COUNT(*) FROM site_key k WHERE k.site = s.id AND k.ended_at IS NULL),
            (SELECT MAX(k.used_at) FROM site_key k WHERE k.site = s.id)
        FROM site s LEFT JOIN customer c ON c.id = s.customer LEFT JOIN person p ON p.id = s.author
        WHERE s.ended_at IS NULL "
    };
}

sql! {
    FIND = concat!(columns!(), "AND s.id = $1");
    // No two have one name.
    PAGE = concat!(columns!(), "AND s.name_key > $1 ORDER BY s.name_key LIMIT $2");
    ORIGINS = "SELECT origin FROM site_origin WHERE site = $1 ORDER BY origin";
    // Of no more sites than there may be, and of each no more than it may have.
    ALL_ORIGINS = "SELECT site, origin FROM site_origin ORDER BY origin";
    NAMES = "SELECT id, name_key FROM site WHERE ended_at IS NULL";
    INSERT = "INSERT INTO site (id, name, name_key, customer, author, created_at) VALUES ($1, $2, $3, $4, $5, $6)";
    UPDATE = "UPDATE site SET name = $2, name_key = $3, customer = $4 WHERE id = $1";
    PUT_ORIGIN = "INSERT INTO site_origin (site, origin) VALUES ($1, $2)";
    TAKE_ORIGINS = "DELETE FROM site_origin WHERE site = $1";
    END = "UPDATE site SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL";
    ALLOWED = "SELECT site FROM site_origin WHERE origin = $1";
}

/// Sites at most.
pub const SITES_LIMIT: usize = 100;
/// Origins of a site at most.
pub const ORIGINS_LIMIT: usize = 20;

/// An application that embeds Campanile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Site {
    /// By which it is named.
    pub id: String,
    /// What it is called; no other one has this name in any case of letters.
    pub name: String,
    /// Where its pages stand, as browsers write it: `https://shop.example.com`.
    pub origins: Vec<String>,
    /// Only people of this customer and of those below it come by its tokens; absent: everybody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer: Option<CustomerId>,
    /// What that customer is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_name: Option<String>,
    /// Who made it, by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// When it was made.
    pub created_at: Moment,
    /// How many keys it has.
    pub keys: i64,
    /// When somebody last came by one of its tokens, to the minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used_at: Option<Moment>,
}

/// A site that is to be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SiteInput)]
pub struct New {
    /// 1 to 200 characters; no other site has it.
    pub name: String,
    /// At most 20, each `https://` and a host, with a port where it is not 443; `http://` for `localhost`, `127.0.0.1`
    /// and `[::1]` alone. None: tokens come from servers and apps.
    #[serde(default)]
    pub origins: Vec<String>,
    /// Only people of this customer and of those below it; absent: everybody.
    #[serde(default)]
    pub customer: Option<CustomerId>,
}

/// What shall be different. What is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = SiteChange)]
pub struct Change {
    /// 1 to 200 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// All of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origins: Option<Vec<String>>,
    /// Null: everybody.
    #[serde(skip_serializing_if = "Patch::is_absent")]
    #[schema(value_type = Option<i64>)]
    pub customer: Patch<CustomerId>,
}

fn read(row: &Row<'_>) -> campanile_store::Result<(Site, String)> {
    let site = Site {
        id: row.get(0)?,
        name: row.get(1)?,
        origins: Vec::new(),
        customer: row.get::<Option<i64>>(3)?.map(CustomerId),
        customer_name: row.get(4)?,
        by: row.get(5)?,
        created_at: Moment(row.get(6)?),
        keys: row.get(7)?,
        used_at: row.get::<Option<i64>>(8)?.map(Moment),
    };
    Ok((site, row.get(2)?))
}

/// One by id.
///
/// # Errors
/// `Missing` for one that is not there, or has ended.
pub fn find(tx: &mut Tx<'_>, id: &str) -> Result<Site> {
    if !secret::is_public_id(id) {
        return Err(Error::Missing("site"));
    }
    let (site, _) = tx.first(&FIND, &[&id], read)?.ok_or(Error::Missing("site"))?;
    let origins = tx.rows(&ORIGINS, &[&id], |row| row.get(0))?;
    Ok(Site { origins, ..site })
}

/// A page of the list, by name.
///
/// # Errors
/// `Invalid` for a limit or cursor that cannot be.
pub fn list(tx: &mut Tx<'_>, paging: &Paging) -> Result<Page<Site>> {
    let mut found = page(paging, 1, |place, limit| {
        let rows = tx.rows(&PAGE, &[&place.text, &limit], read)?;
        let placed = |(site, text): (Site, String)| {
            let place = Place {
                text,
                ..Place::default()
            };
            (site, place)
        };
        Ok(rows.into_iter().map(placed).collect())
    })?;
    let origins = tx.rows(&ALL_ORIGINS, &[], |row| {
        Ok((row.get::<String>(0)?, row.get::<String>(1)?))
    })?;
    for (of, origin) in origins {
        if let Some(site) = found.items.iter_mut().find(|site| site.id == of) {
            site.origins.push(origin);
        }
    }
    Ok(found)
}

/// The sites of whose pages a request with this header `Origin` may come.
pub fn allowed(tx: &mut Tx<'_>, origin: &str) -> Result<Vec<String>> {
    Ok(tx.rows(&ALLOWED, &[&origin], |row| row.get(0))?)
}

/// Makes one; its id. An ordered write.
///
/// # Errors
/// `Invalid` with every fault; `Conflict` where there are as many as there may be.
pub fn create(tx: &mut Tx<'_>, new: &New, author: PersonId, random: &Random, now: Moment) -> Result<String> {
    let mut faults = Faults::default();
    let (name_key, others) = check_site_name(tx, &new.name, None, &mut faults)?;
    let origins = check_origins(&new.origins, &mut faults);
    check_customer(tx, new.customer, &mut faults)?;
    faults.finish()?;
    if others >= SITES_LIMIT {
        return Err(Error::Conflict(format!(
            "there are {SITES_LIMIT} sites; end one that is no longer needed"
        )));
    }
    let id = secret::public_id(random);
    let customer = new.customer.map(|customer| customer.0);
    tx.execute(&INSERT, &[&id, &new.name, &name_key, &customer, &author.0, &now.0])?;
    put_origins(tx, &id, &origins)?;
    Ok(id)
}

/// Changes one. An ordered write.
///
/// # Errors
/// `Invalid` with every fault; `Missing` for one that is not there.
pub fn change(tx: &mut Tx<'_>, id: &str, change: &Change) -> Result<()> {
    let old = find(tx, id)?;
    let mut faults = Faults::default();
    let name = change.name.as_ref().unwrap_or(&old.name);
    let (name_key, _) = check_site_name(tx, name, Some(id), &mut faults)?;
    let origins = change
        .origins
        .as_ref()
        .map(|origins| check_origins(origins, &mut faults));
    let customer = match change.customer {
        Patch::Absent => old.customer,
        Patch::Null => None,
        Patch::Set(customer) => Some(customer),
    };
    if customer != old.customer {
        check_customer(tx, customer, &mut faults)?;
    }
    faults.finish()?;
    let customer = customer.map(|customer| customer.0);
    tx.execute(&UPDATE, &[&id, name, &name_key, &customer])?;
    if let Some(origins) = origins {
        tx.execute(&TAKE_ORIGINS, &[&id])?;
        put_origins(tx, id, &origins)?;
    }
    revision::sites_changed(tx);
    Ok(())
}

/// Ends one: its keys sign nobody in any more. An ordered write.
///
/// # Errors
/// `Missing` for one that is not there.
pub fn end(tx: &mut Tx<'_>, id: &str, now: Moment) -> Result<()> {
    if tx.execute(&END, &[&id, &now.0])? == 0 {
        return Err(Error::Missing("site"));
    }
    tx.execute(&TAKE_ORIGINS, &[&id])?;
    key::end_all(tx, id, now)?;
    revision::sites_changed(tx);
    Ok(())
}

fn put_origins(tx: &mut Tx<'_>, id: &str, origins: &BTreeSet<String>) -> Result<()> {
    for origin in origins {
        tx.send(&PUT_ORIGIN, &[&id, origin])?;
    }
    Ok(())
}

/// The form in which names are compared, and how many others there are.
fn check_site_name(tx: &mut Tx<'_>, name: &str, own: Option<&str>, faults: &mut Faults) -> Result<(String, usize)> {
    check_name(faults, "name", name);
    let key = folded(name);
    let names = tx.rows(&NAMES, &[], |row| Ok((row.get::<String>(0)?, row.get::<String>(1)?)))?;
    let mut others = names.iter().filter(|(id, _)| own != Some(id));
    faults.require(
        others.all(|(_, other)| *other != key),
        "name",
        "another site has this name",
    );
    Ok((key, names.len()))
}

fn check_origins(given: &[String], faults: &mut Faults) -> BTreeSet<String> {
    faults.require(
        given.len() <= ORIGINS_LIMIT,
        "origins",
        format!("at most {ORIGINS_LIMIT}"),
    );
    let mut origins = BTreeSet::new();
    for (at, text) in given.iter().take(ORIGINS_LIMIT).enumerate() {
        match origin::read(text) {
            Ok(origin) => {
                origins.insert(origin);
            }
            Err(reason) => faults.add(format!("origins[{at}]"), reason),
        }
    }
    origins
}

fn check_customer(tx: &mut Tx<'_>, customer: Option<CustomerId>, faults: &mut Faults) -> Result<()> {
    let Some(customer) = customer else { return Ok(()) };
    let is_there = target::is_customer(tx, customer)?;
    faults.require(is_there, "customer", "there is no such customer");
    Ok(())
}
