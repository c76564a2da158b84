//! Personal tokens: what a script signs in with. Shown once, stored as a hash, found by one look-up.

use campanile_store::{Constraint, Row, Tx, sql};

use crate::account::{TOUCH_MS, moment};
use crate::error::{Error, Faults, Result};
use crate::id::PersonId;
use crate::revision;
use crate::secret::{self, Hash, Random};
use crate::time::Moment;

/// Tokens of one person.
pub const LIMIT: i64 = 100;
/// Characters of the longest name.
pub const NAME_CHARS: usize = 64;

sql! {
    ALIVE = concat!("SELECT t.id FROM token t",
        admitted!("t.person"), "WHERE t.id = $1 AND (t.expires_at IS NULL OR t.expires_at > $2)");
    FIND = concat!("SELECT t.id, t.person, t.used_at, t.expires_at FROM token t",
        admitted!("t.person"), "WHERE t.hash = $1 AND (t.expires_at IS NULL OR t.expires_at > $2)");
    EXPIRED = "SELECT id FROM token WHERE hash = $1 AND expires_at <= $2";
    // Two requests at once must not both find the last place free.
    LOCK = "SELECT id FROM person WHERE id = $1 {for_update}";
    COUNT = "SELECT COUNT(*) FROM token WHERE person = $1";
    INSERT = "
        INSERT INTO token (id, person, name, hash, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)";
    LIST = "
        SELECT id, name, created_at, used_at, expires_at FROM token WHERE person = $1 ORDER BY name LIMIT $2";
    // Nobody waits for it, as with a session.
    TOUCH = "UPDATE token SET used_at = $2
        WHERE id = (SELECT id FROM token WHERE id = $1 AND (used_at IS NULL OR used_at <= $3) {skip_locked})";
    REVOKE = "DELETE FROM token WHERE id = $1 AND person = $2";
    REVOKE_ALL = "DELETE FROM token WHERE person = $1";
}

/// A token as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Its public name.
    pub id: String,
    /// What its owner calls it.
    pub name: String,
    /// When it was made.
    pub created_at: Moment,
    /// When it was last used, to the minute.
    pub used_at: Option<Moment>,
    /// When it ends; `None`: when it is revoked.
    pub expires_at: Option<Moment>,
}

/// A token that is alive: neither expired nor revoked, its person active.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alive {
    /// Its public name.
    pub id: String,
    /// Whose it is.
    pub person: PersonId,
    /// The last use that was recorded; see [`crate::account::is_touch_due`].
    pub used_at: Option<Moment>,
    /// When it ends.
    pub expires_at: Option<Moment>,
}

/// Makes a token; with it its text, which is shown once and is nowhere else. Belongs into a `jot`.
///
/// The name has 1 to 64 characters and is the person's only one of that name; an expiry lies in the future. Else
/// `Invalid` names `name` or `expires_at`. A person has at most 100 (`Conflict`).
pub fn create(
    tx: &mut Tx<'_>,
    person: PersonId,
    name: &str,
    expires_at: Option<Moment>,
    random: &Random,
    now: Moment,
) -> Result<(Token, String)> {
    let mut faults = Faults::default();
    let named = (1..=NAME_CHARS).contains(&name.chars().count()) && !name.trim().is_empty();
    faults.require(named, "name", format!("must have 1 to {NAME_CHARS} characters"));
    faults.require(
        !name.chars().any(char::is_control),
        "name",
        "must not hold control characters",
    );
    faults.require(
        expires_at.is_none_or(|at| at > now),
        "expires_at",
        "must lie in the future",
    );
    faults.finish()?;
    tx.first(&LOCK, &[&person.0], |_| Ok(()))?
        .ok_or(Error::Missing("user"))?;
    if tx.one(&COUNT, &[&person.0], |row| row.get::<i64>(0))? >= LIMIT {
        return Err(Error::Conflict(format!(
            "you have {LIMIT} tokens; revoke one that you no longer need"
        )));
    }
    let text = secret::token_text(random);
    let token = Token {
        id: secret::public_id(random),
        name: name.to_owned(),
        created_at: now,
        used_at: None,
        expires_at,
    };
    let end = expires_at.map(|at| at.0);
    tx.execute(
        &INSERT,
        &[&token.id, &person.0, &name, &Hash::of(&text).bytes(), &now.0, &end],
    )
    .map_err(|error| match error {
        campanile_store::Error::Constraint {
            kind: Constraint::Unique,
            ..
        } => Error::field("name", "you have a token of this name already"),
        other => other.into(),
    })?;
    Ok((token, text))
}

/// The living token of a bearer's text.
pub fn find(tx: &mut Tx<'_>, text: &str, now: Moment) -> Result<Option<Alive>> {
    if !secret::is_token(text) {
        return Ok(None);
    }
    let alive = |row: &Row<'_>| {
        Ok(Alive {
            id: row.get(0)?,
            person: PersonId(row.get(1)?),
            used_at: moment(row.get(2)?),
            expires_at: moment(row.get(3)?),
        })
    };
    Ok(tx.first(&FIND, &[&Hash::of(text).bytes(), &now.0], alive)?)
}

/// Whether a token is alive, by its public name. The name is no secret: only for one that came signed.
pub fn is_alive(tx: &mut Tx<'_>, id: &str, now: Moment) -> Result<bool> {
    Ok(tx.first(&ALIVE, &[&id, &now.0], |_| Ok(()))?.is_some())
}

/// Whether a text that [`find`] does not know is a token whose time is over, rather than one that never was.
pub fn has_expired(tx: &mut Tx<'_>, text: &str, now: Moment) -> Result<bool> {
    if !secret::is_token(text) {
        return Ok(false);
    }
    let found = tx.first(&EXPIRED, &[&Hash::of(text).bytes(), &now.0], |_| Ok(()))?;
    Ok(found.is_some())
}

/// Records a use, at most once a minute. Belongs into a `jot`.
pub fn touch(tx: &mut Tx<'_>, id: &str, now: Moment) -> Result<()> {
    tx.execute(&TOUCH, &[&id, &now.0, &now.plus_ms(-TOUCH_MS).0])?;
    Ok(())
}

/// The tokens of a person by name, expired ones too.
pub fn list(tx: &mut Tx<'_>, person: PersonId) -> Result<Vec<Token>> {
    let tokens = tx.rows(&LIST, &[&person.0, &LIMIT], |row| {
        Ok(Token {
            id: row.get(0)?,
            name: row.get(1)?,
            created_at: Moment(row.get(2)?),
            used_at: moment(row.get(3)?),
            expires_at: moment(row.get(4)?),
        })
    })?;
    Ok(tokens)
}

/// Ends a token of a person; somebody else's is as good as missing. Belongs into a `jot`.
pub fn revoke(tx: &mut Tx<'_>, person: PersonId, id: &str) -> Result<()> {
    if !secret::is_public_id(id) || tx.execute(&REVOKE, &[&id, &person.0])? == 0 {
        return Err(Error::Missing("token"));
    }
    revision::access_ended(tx, person);
    Ok(())
}

/// Ends every token of a person; how many. Belongs into a `jot`.
pub fn revoke_all(tx: &mut Tx<'_>, person: PersonId) -> Result<u64> {
    revision::access_ended(tx, person);
    Ok(tx.execute(&REVOKE_ALL, &[&person.0])?)
}
