//! Sessions: one row each, found by the hash of the cookie's value, or by id where a signed JWT names it (decision 31).

use campanile_store::{Row, Tx, sql};

use crate::account::TOUCH_MS;
use crate::error::{Error, Result};
use crate::id::PersonId;
use crate::revision;
use crate::secret::{self, Hash, Random};
use crate::time::Moment;

/// Characters kept of a client's name for itself.
const AGENT_CHARS: usize = 200;
/// Sessions of one person; opening one more ends the oldest.
pub const LIMIT: i64 = 100;

sql! {
    FIND = concat!("SELECT s.id, s.person, s.used_at, s.expires_at FROM session s",
        admitted!("s.person"), "WHERE s.hash = $1 AND s.expires_at > $2");
    FIND_BY_ID = concat!("SELECT s.id, s.person, s.used_at, s.expires_at FROM session s",
        admitted!("s.person"), "WHERE s.id = $1 AND s.expires_at > $2");
    INSERT = "
        INSERT INTO session (id, person, hash, created_at, used_at, expires_at, agent, address)
        VALUES ($1, $2, $3, $4, $4, $5, $6, $7)";
    TRIM = "
        DELETE FROM session WHERE person = $1 AND id NOT IN (
            SELECT id FROM session WHERE person = $1 AND expires_at > $2 ORDER BY created_at DESC, id LIMIT $3)";
    // Whoever else writes to it now records a use as well. Nobody waits for it: of two servers that touch the same ones
    // in another order, each would wait for the other.
    TOUCH = "UPDATE session SET used_at = $2
        WHERE id = (SELECT id FROM session WHERE id = $1 AND used_at <= $3 {skip_locked})";
    LIST = "
        SELECT id, created_at, used_at, expires_at, agent, address FROM session
        WHERE person = $1 AND expires_at > $2 ORDER BY used_at DESC, id LIMIT $3";
    CLOSE = "DELETE FROM session WHERE id = $1 AND person = $2";
    CLOSE_OTHERS = "DELETE FROM session WHERE person = $1 AND id <> $2";
    SWEEP = "
        DELETE FROM session WHERE id IN (
            SELECT id FROM session WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)";
}

/// A session that was just opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// Its public name.
    pub id: String,
    /// The cookie's value: 43 letters and digits. It is nowhere else.
    pub secret: String,
    /// When it ends.
    pub expires_at: Moment,
    /// The client's name for itself, as far as it is kept.
    pub agent: String,
}

/// Where a log-in came from.
#[derive(Debug, Clone, Copy, Default)]
pub struct Origin<'a> {
    /// The client's name for itself (`User-Agent`); 200 characters are kept.
    pub agent: &'a str,
    /// Its address.
    pub address: &'a str,
}

/// A session that is alive: not expired, its person active.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alive {
    /// Its public name.
    pub id: String,
    /// Whose it is.
    pub person: PersonId,
    /// The last use that was recorded; see [`crate::account::is_touch_due`].
    pub used_at: Moment,
    /// When it ends.
    pub expires_at: Moment,
}

/// A session as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its public name.
    pub id: String,
    /// When it was opened.
    pub created_at: Moment,
    /// When it was last used, to the minute.
    pub used_at: Moment,
    /// When it ends.
    pub expires_at: Moment,
    /// The client's name for itself.
    pub agent: String,
    /// The client's address at log-in.
    pub address: String,
}

/// Opens a session for so many milliseconds. Belongs into a `jot`. What has expired of this person goes, and the oldest
/// beyond the hundredth.
pub fn open(
    tx: &mut Tx<'_>,
    person: PersonId,
    origin: Origin<'_>,
    random: &Random,
    now: Moment,
    lifetime_ms: i64,
) -> Result<Opened> {
    if tx.execute(&TRIM, &[&person.0, &now.0, &(LIMIT - 1)])? > 0 {
        revision::access_ended(tx, person);
    }
    let agent = origin.agent.chars().filter(|char| !char.is_control());
    let secret = secret::base62(random);
    let opened = Opened {
        id: secret::public_id(random),
        expires_at: now.plus_ms(lifetime_ms),
        agent: agent.take(AGENT_CHARS).collect(),
        secret,
    };
    let hash = Hash::of(&opened.secret);
    tx.execute(
        &INSERT,
        &[
            &opened.id,
            &person.0,
            &hash.bytes(),
            &now.0,
            &opened.expires_at.0,
            &opened.agent,
            &origin.address,
        ],
    )?;
    Ok(opened)
}

/// The living session of a cookie's value.
pub fn find(tx: &mut Tx<'_>, secret: &str, now: Moment) -> Result<Option<Alive>> {
    if !secret::is_session(secret) {
        return Ok(None);
    }
    Ok(tx.first(&FIND, &[&Hash::of(secret).bytes(), &now.0], to_alive)?)
}

/// The living session with a public name. The name is no secret: only for one that came signed.
pub fn find_by_id(tx: &mut Tx<'_>, id: &str, now: Moment) -> Result<Option<Alive>> {
    if !secret::is_public_id(id) {
        return Ok(None);
    }
    Ok(tx.first(&FIND_BY_ID, &[&id, &now.0], to_alive)?)
}

fn to_alive(row: &Row<'_>) -> campanile_store::Result<Alive> {
    Ok(Alive {
        id: row.get(0)?,
        person: PersonId(row.get(1)?),
        used_at: Moment(row.get(2)?),
        expires_at: Moment(row.get(3)?),
    })
}

/// Records a use, at most once a minute. Belongs into a `jot`.
pub fn touch(tx: &mut Tx<'_>, id: &str, now: Moment) -> Result<()> {
    tx.execute(&TOUCH, &[&id, &now.0, &now.plus_ms(-TOUCH_MS).0])?;
    Ok(())
}

/// The living sessions of a person, the last used first.
pub fn list(tx: &mut Tx<'_>, person: PersonId, now: Moment) -> Result<Vec<Session>> {
    let sessions = tx.rows(&LIST, &[&person.0, &now.0, &LIMIT], |row| {
        Ok(Session {
            id: row.get(0)?,
            created_at: Moment(row.get(1)?),
            used_at: Moment(row.get(2)?),
            expires_at: Moment(row.get(3)?),
            agent: row.get(4)?,
            address: row.get(5)?,
        })
    })?;
    Ok(sessions)
}

/// Ends one session of a person; somebody else's is as good as missing. Belongs into a `jot`.
pub fn close(tx: &mut Tx<'_>, person: PersonId, id: &str) -> Result<()> {
    if !secret::is_public_id(id) || tx.execute(&CLOSE, &[&id, &person.0])? == 0 {
        return Err(Error::Missing("session"));
    }
    revision::access_ended(tx, person);
    Ok(())
}

/// Ends every session of a person but the one kept; how many. Belongs into a `jot`.
pub fn close_others(tx: &mut Tx<'_>, person: PersonId, keep: Option<&str>) -> Result<u64> {
    revision::access_ended(tx, person);
    Ok(tx.execute(&CLOSE_OTHERS, &[&person.0, &keep.unwrap_or_default()])?)
}

/// Removes at most so many expired sessions, the oldest first; how many. Belongs into a `jot`.
pub fn sweep(tx: &mut Tx<'_>, now: Moment, limit: i64) -> Result<u64> {
    Ok(tx.execute(&SWEEP, &[&now.0, &limit])?)
}
