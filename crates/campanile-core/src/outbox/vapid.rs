//! The key pair by which push services know this installation (RFC 8292): made once, the same on all servers, sealed.
//! Subscriptions are bound to it, so another one would void them all.

use campanile_store::{Tx, sql};

use super::seal;
use crate::error::Result;
use crate::secret::{InstallationKey, Random};

sql! {
    FIND = "SELECT pair FROM vapid WHERE one = 1";
    KEEP = "INSERT INTO vapid (one, pair) VALUES (1, $1) ON CONFLICT (one) DO NOTHING";
    REPLACE = "UPDATE vapid SET pair = $2 WHERE one = 1 AND pair = $1";
}

const PURPOSE: &str = "vapid";

/// The pair of this installation, as PKCS#8; `None` before the first one.
pub fn find(tx: &mut Tx<'_>, key: &InstallationKey) -> Result<Option<Vec<u8>>> {
    let sealed = tx.first(&FIND, &[], |row| row.get::<Vec<u8>>(0))?;
    Ok(sealed.and_then(|sealed| seal::open(key, PURPOSE, "", &sealed)))
}

/// The pair of this installation, which `fresh` becomes where there is none, or one that was sealed by another key:
/// the secrets of its devices are lost by then as well. Belongs into a `jot`.
pub fn keep(tx: &mut Tx<'_>, key: &InstallationKey, fresh: &[u8], random: &Random) -> Result<Vec<u8>> {
    let sealed = seal::seal(key, PURPOSE, "", fresh, random);
    tx.execute(&KEEP, &[&sealed])?;
    let found = tx.one(&FIND, &[], |row| row.get::<Vec<u8>>(0))?;
    if let Some(pair) = seal::open(key, PURPOSE, "", &found) {
        return Ok(pair);
    }
    tx.execute(&REPLACE, &[&found, &sealed])?;
    Ok(fresh.to_vec())
}
