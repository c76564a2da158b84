//! A person's erasure: everything that tells who they were goes, and what they held, saw and did stays as a number's,
//! so that audiences, counts and the journal keep their answers.
//!
//! Gone: id, login, name, addresses, telephone numbers, language, zone, GUID, password, ticket, sessions, tokens,
//! devices; where mails to them went and what was replied; from where they did what, and in the journal what was said
//! of them. What they wrote to others stays what the installation published, with the sender name that was given to it.
//! That an address complained, unsubscribed or was put on the suppression list by hand stays too, since nothing else
//! keeps it from being written to; that its mail came back does not.

use campanile_store::{Tx, sql};

use crate::account::{session, token};
use crate::directory::Entry;
use crate::directory::entry::{KeyOnly, Removal};
use crate::directory::list;
use crate::error::Result;
use crate::id::PersonId;
use crate::journal::{self, Action, By, Deed, Kind, MASK};
use crate::outbox::device;
use crate::revision;
use crate::time::Moment;

sql! {
    LEFT = "SELECT p.key FROM life l JOIN person p ON p.id = l.object
        WHERE l.kind = 1 AND l.until < 9223372036854775807 AND l.until_at < $1 AND p.erased_at IS NULL
            AND NOT EXISTS (SELECT 1 FROM life n WHERE n.kind = 1 AND n.object = l.object AND n.until > l.until)
        ORDER BY l.until LIMIT $2";
    ADDRESS = "SELECT email_key, (SELECT COUNT(*) FROM person o WHERE o.email_key = p.email_key) FROM person p
        WHERE p.id = $1";
    TAKEN = "SELECT 1 FROM person WHERE key = $1 OR login_key = $1";
    WIPE = "UPDATE person SET key = $2, login = $2, login_key = $2, name = $2, name_key = $2, email = NULL,
            email_key = NULL, locale = NULL, zone = NULL, asm_role = 0, guid = $3, password = NULL,
            ticket_serial = ticket_serial + 1, ticket_hash = NULL, changed = $4, erased_at = $5
        WHERE id = $1";
    PORTAL = "DELETE FROM portal_user WHERE person = $1";
    // Each of these is looked for by message: there is no index by person, and there need be none for this.
    DELIVERIES = "UPDATE delivery SET address = NULL, reason = NULL
        WHERE message IN (SELECT message FROM run WHERE channel = 4) AND channel = 4 AND target = $1";
    ATTEMPTS = "UPDATE attempt SET reason = NULL
        WHERE message IN (SELECT message FROM run WHERE channel = 4) AND channel = 4 AND target = $1";
    CAME_BACK = "DELETE FROM suppression WHERE address = $1 AND source = 1";
    WISHES = "UPDATE suppression SET reason = '' WHERE address = $1";
    BORN = "UPDATE message SET from_address = NULL, from_token = NULL
        WHERE author = $1 AND (from_address IS NOT NULL OR from_token IS NOT NULL)";
    EDITED = "UPDATE edition SET from_address = NULL, from_token = NULL
        WHERE author = $1 AND (from_address IS NOT NULL OR from_token IS NOT NULL)";
    DID = "UPDATE journal SET from_address = NULL, from_token = NULL WHERE actor = $1";
    // What is a person's own: user, token, ticket, session, password, device.
    SAID = "UPDATE journal SET object = $2, before = NULL, after = NULL
        WHERE kind IN (3, 13, 14, 15, 16, 19) AND object = $1";
    // $3 and $4: the ids of before and of now, as JSON writes them.
    HELD = "UPDATE journal SET object = $2, before = REPLACE(before, $3, $4), after = REPLACE(after, $3, $4)
        WHERE kind = 9 AND object = $1";
    SUBSCRIBED = "UPDATE journal SET before = REPLACE(before, $2, $3), after = REPLACE(after, $2, $3)
        WHERE kind = 7 AND object IN (SELECT s.key FROM subscription s
            WHERE s.id IN (SELECT t.subscription FROM term t WHERE t.subscriber = $1))";
    SUPPRESSED = "UPDATE journal SET object = $2, before = NULL, after = NULL WHERE kind = 12 AND object = $1";
}

/// People who left before a time and are not erased; at most so many, the first to leave first.
pub fn left(tx: &mut Tx<'_>, before: Moment, limit: i64) -> Result<Vec<String>> {
    Ok(tx.rows(&LEFT, &[&before.0, &limit], |row| row.get(0))?)
}

/// Erases a person, deactivated before where that has not happened yet; their id from now on, which tells nothing. Once
/// more, it changes nothing.
///
/// # Errors
/// `Missing`; `Invalid` for the last administrator.
pub fn erase(tx: &mut Tx<'_>, by: &By, key: &str, now: Moment) -> Result<String> {
    tx.tally()?;
    let user = list::user(tx, key)?;
    if user.erased_at.is_some() {
        return Ok(user.id);
    }
    if user.active {
        let end = Entry::Remove(Removal::User(KeyOnly { id: user.id.clone() }));
        journal::apply(tx, by, &end, now)?;
    }
    let person = PersonId(user.number);
    session::close_others(tx, person, None)?;
    token::revoke_all(tx, person)?;
    device::remove_all(tx, person)?;
    revision::access_ended(tx, person);
    forget_address(tx, person)?;
    let new = free(tx, user.number)?;
    let guid = format!("00000000-0000-8000-8000-{:012X}", user.number);
    let stamp = revision::take(tx, now)?;
    tx.send(&WIPE, &[&person.0, &new, &guid, &stamp.revision.0, &stamp.at.0])?;
    for sql in [&PORTAL, &DELIVERIES, &ATTEMPTS, &BORN, &EDITED, &DID] {
        tx.send(sql, &[&person.0])?;
    }
    let (was, is) = (quoted(&user.id), quoted(&new));
    tx.send(&SAID, &[&user.id, &new])?;
    tx.send(&HELD, &[&user.id, &new, &was, &is])?;
    tx.send(&SUBSCRIBED, &[&person.0, &was, &is])?;
    revision::people_changed(tx, stamp)?;
    journal::record_at(tx, by, &Deed::new(Action::Erased, Kind::User, &new), stamp)?;
    Ok(new)
}

/// What is known of their address alone, unless it is somebody else's too.
fn forget_address(tx: &mut Tx<'_>, person: PersonId) -> Result<()> {
    let read = |row: &campanile_store::Row<'_>| Ok((row.get::<Option<String>>(0)?, row.get::<i64>(1)?));
    if let (Some(address), 1) = tx.one(&ADDRESS, &[&person.0], read)? {
        tx.send(&CAME_BACK, &[&address])?;
        tx.send(&WISHES, &[&address])?;
        tx.send(&SUPPRESSED, &[&address, &MASK])?;
    }
    Ok(())
}

/// An id and login that nobody has.
fn free(tx: &mut Tx<'_>, number: i64) -> Result<String> {
    let mut name = format!("erased-{number}");
    while tx.first(&TAKEN, &[&name], |_| Ok(()))?.is_some() {
        name.push('-');
    }
    Ok(name)
}

/// A text as JSON writes it.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
