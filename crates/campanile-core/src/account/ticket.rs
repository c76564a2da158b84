//! Tickets: the long-lived key of a person for the UI messages contract (its section 1.1). Derived from the
//! installation's key, the person and a serial number, so it can be shown again; only its hash is stored.

use campanile_store::{Tx, sql};

use crate::error::{Error, Result};
use crate::id::PersonId;
use crate::secret::{InstallationKey, ticket_hash};

sql! {
    FIND = concat!("SELECT p.id FROM person p", admitted!("p.id"), "WHERE p.ticket_hash = $1");
    SERIAL = "SELECT ticket_serial, ticket_hash FROM person WHERE id = $1 {for_update}";
    STORE = "UPDATE person SET ticket_serial = $2, ticket_hash = $3 WHERE id = $1";
}

/// The active person of a ticket, in either case.
pub fn find(tx: &mut Tx<'_>, ticket: &str) -> Result<Option<PersonId>> {
    let Some(hash) = ticket_hash(ticket) else {
        return Ok(None);
    };
    Ok(tx.first(&FIND, &[&hash.bytes()], |row| Ok(PersonId(row.get(0)?)))?)
}

/// The ticket of a person, valid from now on: its hash is stored when it is first shown, and again should the
/// installation's key have changed. Belongs into a `jot`.
pub fn current(tx: &mut Tx<'_>, key: &InstallationKey, person: PersonId) -> Result<String> {
    let (serial, stored) = serial(tx, person)?;
    let (ticket, hash) = derive(key, person, serial)?;
    if stored.as_deref() != Some(hash.as_slice()) {
        tx.execute(&STORE, &[&person.0, &serial, &hash])?;
    }
    Ok(ticket)
}

/// Another ticket for a person; the one before is void. Belongs into a `jot`.
pub fn renew(tx: &mut Tx<'_>, key: &InstallationKey, person: PersonId) -> Result<String> {
    let (serial, _) = serial(tx, person)?;
    let (ticket, hash) = derive(key, person, serial + 1)?;
    tx.execute(&STORE, &[&person.0, &(serial + 1), &hash])?;
    Ok(ticket)
}

/// The serial number and stored hash of a person, whose row is locked so that two renewals take turns.
fn serial(tx: &mut Tx<'_>, person: PersonId) -> Result<(i64, Option<Vec<u8>>)> {
    tx.first(&SERIAL, &[&person.0], |row| Ok((row.get(0)?, row.get(1)?)))?
        .ok_or(Error::Missing("user"))
}

fn derive(key: &InstallationKey, person: PersonId, serial: i64) -> Result<(String, Vec<u8>)> {
    let ticket = key.ticket(person, serial);
    let hash = ticket_hash(&ticket).ok_or(Error::Missing("ticket"))?;
    Ok((ticket, hash.bytes().to_vec()))
}
