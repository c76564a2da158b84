//! What has to be known to let somebody in by a site's token, found in one look; and whether somebody who was let in
//! still may be.

use campanile_store::{Row, Tx, sql};

use super::key::{self, Algorithm};
use crate::account::admitted;
use crate::error::Result;
use crate::id::PersonId;
use crate::secret::{self, InstallationKey};
use crate::time::Moment;

/// Of the people whom a site may sign in. A subquery that gives a value is a search for the one row; from the person,
/// who is of one customer, and not from a customer, which may have thousands below it.
macro_rules! inside {
    () => {
        " AND (s.customer IS NULL OR (SELECT g.customer FROM residence r CROSS JOIN lineage g
            WHERE r.person = p.id AND r.until = 9223372036854775807 AND g.customer = r.customer
                AND g.ancestor = s.customer AND g.until = 9223372036854775807) IS NOT NULL)"
    };
}

sql! {
    FIND = concat!("SELECT k.site, k.algorithm, k.secret, k.point, k.used_at, k.ended_at, s.ended_at,
            (SELECT p.id FROM person p", admitted!("p.id"), "WHERE p.key = $2", inside!(), ")
        FROM site_key k JOIN site s ON s.id = k.site WHERE k.id = $1");
    ADMITS = concat!("SELECT k.site FROM site_key k JOIN site s ON s.id = k.site JOIN person p ON p.id = $2",
        admitted!("p.id"), "WHERE k.id = $1 AND k.ended_at IS NULL AND s.ended_at IS NULL", inside!());
}

/// What a signature is checked with.
#[derive(Clone, PartialEq, Eq)]
pub enum Material {
    /// The bytes of the secret.
    Hs256(Vec<u8>),
    /// An uncompressed point.
    Es256(Vec<u8>),
    /// The secret was sealed by another installation.
    Locked,
}

impl std::fmt::Debug for Material {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Material(…)")
    }
}

/// What a token says of itself, before anything of it is believed.
#[derive(Debug, Clone, Copy)]
pub struct Named<'t> {
    /// The key, `kid`.
    pub key: &'t str,
    /// The person, `sub`: the id that a directory file gives them.
    pub person: &'t str,
}

/// A key, and whether the person who is named may come in by it.
#[derive(Debug, Clone)]
pub struct Door {
    /// The site.
    pub site: String,
    /// How tokens of the key are signed.
    pub algorithm: Algorithm,
    /// With what; `None` where the key has ended.
    pub material: Option<Material>,
    /// Whether the site has ended.
    pub site_ended: bool,
    /// The last use that was recorded; see [`crate::account::is_touch_due`].
    pub used_at: Option<Moment>,
    /// The person, if they are there, are not kept out, and are among those whom the site may sign in.
    pub person: Option<PersonId>,
}

/// The door that a token names; `None` where there is no such key.
pub fn find(tx: &mut Tx<'_>, installation: &InstallationKey, named: Named<'_>) -> Result<Option<Door>> {
    let Named { key, person } = named;
    // PostgreSQL's texts cannot hold it, so no id does.
    let person = if person.contains('\0') { "" } else { person };
    if !secret::is_public_id(key) {
        return Ok(None);
    }
    let read = |row: &Row<'_>| {
        let algorithm = Algorithm::from_code(row.get(1)?);
        let is_over = row.get::<Option<i64>>(5)?.is_some();
        let material = match algorithm {
            Algorithm::Hs256 => {
                let sealed = row.get::<Option<Vec<u8>>>(2)?.unwrap_or_default();
                key::open(installation, key, &sealed).map_or(Material::Locked, Material::Hs256)
            }
            Algorithm::Es256 => Material::Es256(row.get::<Option<Vec<u8>>>(3)?.unwrap_or_default()),
        };
        Ok(Door {
            site: row.get(0)?,
            algorithm,
            material: (!is_over).then_some(material),
            used_at: row.get::<Option<i64>>(4)?.map(Moment),
            site_ended: row.get::<Option<i64>>(6)?.is_some(),
            person: row.get::<Option<i64>>(7)?.map(PersonId),
        })
    };
    Ok(tx.first(&FIND, &[&key, &person], read)?)
}

/// Whether somebody who came by a key may still be let in by it. The name of a key is no secret: only for who came by
/// something that was signed.
pub fn admits(tx: &mut Tx<'_>, key: &str, person: PersonId) -> Result<bool> {
    Ok(tx.first(&ADMITS, &[&key, &person.0], |_| Ok(()))?.is_some())
}
