//! People as those who sign in: passwords, sessions, personal tokens, tickets, their own profile, and the first
//! administrator. What they may then do is in [`crate::rights`] and [`crate::policy`].
//!
//! A slow hash is never computed here inside a transaction: [`password`] works on the caller's thread, and the rules
//! take its result.

/// The join that leaves only people who may come in: there now, and not kept out by the UI messages contract (not
/// approved, or locked out). The one place where that is judged for every way of signing in. A subquery that gives a
/// value is a search for the one row; for EXISTS, PostgreSQL may read the whole table.
macro_rules! admitted {
    ($person:literal) => {
        concat!(
            " JOIN life l ON l.kind = 1 AND l.object = ",
            $person,
            " AND l.until = 9223372036854775807
            AND (SELECT u.person FROM portal_user u
                WHERE u.person = ",
            $person,
            " AND (u.locked_out OR NOT u.approved)) IS NULL "
        )
    };
}
pub(crate) use admitted;

pub mod password;
pub mod profile;
pub mod session;
pub mod ticket;
pub mod token;

use campanile_store::{Tx, sql};

use crate::error::{Error, Result};
use crate::id::PersonId;
use crate::place::{self, kind};
use crate::revision::{self, tally};
use crate::secret::{Random, guid, sha256};
use crate::time::{Moment, OPEN};

/// How long a use goes unrecorded after the last one that was recorded, in milliseconds: a read per request must not
/// become a write per request.
pub const TOUCH_MS: i64 = 60_000;

/// The login of the first administrator.
pub const FIRST_LOGIN: &str = "admin";

sql! {
    CANDIDATE = concat!("SELECT p.id, p.login, p.password FROM person p",
        admitted!("p.id"), "WHERE p.login_key = $1");
    // Who is kept out may get a new password.
    CANDIDATE_OF = "
        SELECT p.id, p.login, p.password FROM person p
        JOIN life l ON l.kind = 1 AND l.object = p.id AND l.until = 9223372036854775807
        WHERE p.id = $1";
    ADMITTED = concat!("SELECT p.id FROM person p", admitted!("p.id"), "WHERE p.id = $1");
    // Somebody who is or was an administrator, or who has the login or key that the first one would have.
    ADMINISTRATOR = "
        SELECT m.person FROM membership m WHERE m.place = 1 AND m.object = 1 AND m.role = 1
        UNION ALL SELECT p.id FROM person p WHERE p.login_key = $1
        UNION ALL SELECT p.id FROM person p WHERE p.key = $1
        LIMIT 1";
    INSERT_ADMINISTRATOR = "
        INSERT INTO person (id, key, login, login_key, name, name_key, asm_role, guid, password, ticket_serial, changed)
        VALUES ($1, $2, $2, $2, 'Administrator', 'administrator', 2, $3, $4, 0, $5)";
    INSERT_LIFE = "
        INSERT INTO life (kind, object, since, until, since_at, until_at)
        VALUES ($1, $2, $3, 9223372036854775807, $4, 9223372036854775807)";
    INSERT_MEMBERSHIP = "
        INSERT INTO membership (person, place, object, role, since, until, since_at, until_at)
        VALUES ($1, $2, $3, $4, $5, 9223372036854775807, $6, 9223372036854775807)";
    SET_PASSWORD = "UPDATE person SET password = $2 WHERE id = $1";
}

/// Whether somebody may come in, by whatever way.
pub fn is_admitted(tx: &mut Tx<'_>, person: PersonId) -> Result<bool> {
    Ok(tx.first(&ADMITTED, &[&person.0], |_| Ok(()))?.is_some())
}

/// The form in which logins are compared: nobody is told apart by case.
#[must_use]
pub fn login_key(login: &str) -> String {
    login.to_lowercase()
}

/// Who may be signing in, before the password is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The person.
    pub person: PersonId,
    /// The login as it is written.
    pub login: String,
    /// The PHC string of the password; `None` for a person that has none.
    pub phc: Option<String>,
}

/// The active person with a login, in whatever case, who is not kept out. For nobody, verify against
/// [`password::DUMMY_PHC`] all the same, so that the time of an answer does not tell which logins exist.
pub fn candidate(tx: &mut Tx<'_>, login: &str) -> Result<Option<Candidate>> {
    // PostgreSQL's texts cannot hold it, so no login does.
    if login.contains('\0') {
        return Ok(None);
    }
    Ok(tx.first(&CANDIDATE, &[&login_key(login)], to_candidate)?)
}

/// An active person as a candidate, to have the old password verified before a new one is set.
pub fn candidate_of(tx: &mut Tx<'_>, person: PersonId) -> Result<Candidate> {
    tx.first(&CANDIDATE_OF, &[&person.0], to_candidate)?
        .ok_or(Error::Missing("user"))
}

fn to_candidate(row: &campanile_store::Row<'_>) -> campanile_store::Result<Candidate> {
    Ok(Candidate {
        person: PersonId(row.get(0)?),
        login: row.get(1)?,
        phc: row.get(2)?,
    })
}

/// Stores a new password's PHC string (made by [`password::hash`], outside of any transaction) and ends every session
/// of the person but the one kept. Personal tokens and the ticket stay: scripts hold them, and they are renewed apart.
///
/// Belongs into a `jot`. Who may do so for another person is [`crate::policy`]'s to say.
pub fn set_password(tx: &mut Tx<'_>, person: PersonId, phc: &str, keep: Option<&str>) -> Result<()> {
    if tx.execute(&SET_PASSWORD, &[&person.0, &phc])? == 0 {
        return Err(Error::Missing("user"));
    }
    session::close_others(tx, person, keep)?;
    Ok(())
}

/// Whether a first administrator is wanted: nobody has ever been one. A directory may have been imported before the
/// first start; it would otherwise leave nobody who can sign in. Not so where somebody else has the login or the key.
pub fn is_deserted(tx: &mut Tx<'_>) -> Result<bool> {
    Ok(tx.first(&ADMINISTRATOR, &[&FIRST_LOGIN], |_| Ok(()))?.is_none())
}

/// Creates the first administrator where one is wanted ([`is_deserted`]): login and key `admin`, ORGANIZATION:ADMIN,
/// ENVIRONMENT:ADMIN of DEFAULT, root administrator, in no customer (decision 15). `None` where none is, also
/// when another server was faster. An ordered write.
pub fn ensure_first_administrator(
    tx: &mut Tx<'_>,
    phc: &str,
    random: &Random,
    now: Moment,
) -> Result<Option<PersonId>> {
    // The lock comes before the look, or two servers that start at once would both see nobody.
    tx.tally()?;
    if !is_deserted(tx)? {
        return Ok(None);
    }
    let stamp = revision::take(tx, now)?;
    let person = tx.tally()?.next(tally::PERSON);
    let (since, at) = (stamp.revision.0, stamp.at.0);
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&sha256(random)[..16]);
    tx.execute(
        &INSERT_ADMINISTRATOR,
        &[&person, &FIRST_LOGIN, &guid(bytes), &phc, &since],
    )?;
    tx.execute(&INSERT_LIFE, &[&kind::PERSON, &person, &since, &at])?;
    let held = [
        (
            place::place::ORGANIZATION,
            place::ORGANIZATION,
            place::ORGANIZATION_ADMIN,
        ),
        (
            place::place::ENVIRONMENT,
            place::DEFAULT_ENVIRONMENT,
            place::ENVIRONMENT_ADMIN,
        ),
    ];
    for (place, object, role) in held {
        tx.execute(&INSERT_MEMBERSHIP, &[&person, &place, &object, &role.0, &since, &at])?;
    }
    revision::directory_changed(tx, stamp)?;
    Ok(Some(PersonId(person)))
}

/// Whether a use at `now` is to be recorded, the last recorded one being `used_at`.
#[must_use]
pub fn is_touch_due(used_at: Option<Moment>, now: Moment) -> bool {
    used_at.is_none_or(|used_at| now.0 >= used_at.0.saturating_add(TOUCH_MS))
}

/// From storage: a time that may be absent.
fn moment(cell: Option<i64>) -> Option<Moment> {
    cell.map(Moment)
}

const _: () = assert!(
    OPEN == 9_223_372_036_854_775_807,
    "written out in the statements of this module"
);
