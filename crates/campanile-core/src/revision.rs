//! Taking a place in the one total order.

use campanile_store::{Signal, Tx, sql};

use crate::error::Result;
use crate::id::PersonId;
use crate::time::{Moment, Revision, Stamp};

sql! {
    LATEST = "SELECT value FROM tally WHERE name = 'revision'";
    CLOCK = "SELECT {clock}";
    LATEST_OF_DIRECTORY = "SELECT value FROM tally WHERE name = 'directory'";
    LATEST_OF_MESSAGES = "SELECT value FROM tally WHERE name = 'messages'";
}

/// Names in the store's tally.
pub mod tally {
    /// The last revision taken.
    pub const REVISION: &str = "revision";
    /// The time stamped with it.
    pub const REVISION_AT: &str = "revision_at";
    /// The revision of the last change of the directory.
    pub const DIRECTORY: &str = "directory";
    /// The same, where it was noted whom the change concerns: an earlier version of the server does not.
    pub const DIRECTORY_NOTED: &str = "directory_noted";
    /// The revision of the last change of the directory that may concern anybody; see
    /// [`concerned`](crate::audience::concerned()).
    pub const DIRECTORY_WIDE: &str = "directory_wide";
    /// The revision of the last change of any message.
    pub const MESSAGES: &str = "messages";
    /// Ids of persons.
    pub const PERSON: &str = "person";
    /// Ids of messages.
    pub const MESSAGE: &str = "message";
    /// Ids of customers that were not given one.
    pub const CUSTOMER: &str = "customer";
    /// Written to find out whether anything can be.
    pub const PROBE: &str = "probe";
    /// When the database was given back from a backup; see [`restored`](crate::restored).
    pub const RESTORED_AT: &str = "restored_at";
    /// Ids of everything else.
    pub const THING: &str = "thing";
}

/// Topics of [`Signal`].
pub mod topic {
    /// A message was published, changed or recalled; the key is its id.
    pub const MESSAGE: i64 = 1;
    /// The directory changed; the key is 0.
    pub const DIRECTORY: i64 = 2;
    /// A person did something with their inbox; the key is the person.
    pub const PERSON: i64 = 3;
    /// A session was closed or a token revoked; the key is the person.
    pub const ACCESS: i64 = 4;
    /// There may be something to send; the key is the bit of the channel, or 0 for something to take back.
    pub const OUTBOX: i64 = 5;
    /// A message got further on its way out of the house; the key is its id.
    pub const PROGRESS: i64 = 6;
    /// There may be something to push, beside what a message's own signal tells; the key is 0.
    pub const PUSH: i64 = 7;
    /// Of a site, or of its keys, something changed or ended that let people in; the key is 0.
    pub const SITE: i64 = 8;
}

/// Takes the next revision. The time beside it is `now`, or that of the revision before where a clock runs behind: it
/// is for people and for the past. What is open or valid is judged by `now`, or one clock that ran ahead would decide
/// it.
pub fn take(tx: &mut Tx<'_>, now: Moment) -> Result<Stamp> {
    let tally = tx.tally()?;
    let at = now.0.max(tally.get(tally::REVISION_AT));
    tally.set(tally::REVISION_AT, at);
    Ok(Stamp {
        revision: Revision(tally.next(tally::REVISION)),
        at: Moment(at),
    })
}

/// The last revision that was taken: by this operation, where it took one.
pub fn taken(tx: &mut Tx<'_>) -> Result<Stamp> {
    let tally = tx.tally()?;
    Ok(Stamp {
        revision: Revision(tally.get(tally::REVISION)),
        at: Moment(tally.get(tally::REVISION_AT)),
    })
}

/// Notes that a revision changed the directory, and that anybody may hold something else now.
pub fn directory_changed(tx: &mut Tx<'_>, stamp: Stamp) -> Result<()> {
    people_changed(tx, stamp)?;
    concerns_anybody(tx, stamp)
}

/// Notes that a revision changed the directory, and nothing of what people hold but of those in whose row or membership
/// it stands.
pub fn people_changed(tx: &mut Tx<'_>, stamp: Stamp) -> Result<()> {
    note_people(tx, stamp)?;
    tx.signal(Signal {
        topic: topic::DIRECTORY,
        key: 0,
    });
    Ok(())
}

/// As [`people_changed`], where that was announced before.
pub(crate) fn note_people(tx: &mut Tx<'_>, stamp: Stamp) -> Result<()> {
    let tally = tx.tally()?;
    let before = tally.get(tally::DIRECTORY);
    if tally.get(tally::DIRECTORY_NOTED) != before {
        // Nobody noted whom that concerned.
        tally.set(tally::DIRECTORY_WIDE, before);
    }
    tally.set(tally::DIRECTORY, stamp.revision.0);
    tally.set(tally::DIRECTORY_NOTED, stamp.revision.0);
    Ok(())
}

/// Adds that it concerns anybody.
pub(crate) fn concerns_anybody(tx: &mut Tx<'_>, stamp: Stamp) -> Result<()> {
    tx.tally()?.set(tally::DIRECTORY_WIDE, stamp.revision.0);
    Ok(())
}

/// Notes that a revision changed a message.
pub fn message_changed(tx: &mut Tx<'_>, stamp: Stamp, message: i64) -> Result<()> {
    tx.tally()?.set(tally::MESSAGES, stamp.revision.0);
    tx.signal(Signal {
        topic: topic::MESSAGE,
        key: message,
    });
    Ok(())
}

/// Announces that something that let a person in does so no longer.
pub fn access_ended(tx: &mut Tx<'_>, person: PersonId) {
    tx.signal(Signal {
        topic: topic::ACCESS,
        key: person.0,
    });
}

/// Announces that a site lets in others than before, or from elsewhere.
pub fn sites_changed(tx: &mut Tx<'_>) {
    tx.signal(Signal {
        topic: topic::SITE,
        key: 0,
    });
}

/// The last revision of the reader's snapshot.
pub fn latest(tx: &mut Tx<'_>) -> Result<i64> {
    Ok(tx.one(&LATEST, &[], |row| row.get(0))?)
}

/// The last revision of the reader's snapshot that changed a message.
pub fn latest_of_messages(tx: &mut Tx<'_>) -> Result<i64> {
    Ok(tx.one(&LATEST_OF_MESSAGES, &[], |row| row.get(0))?)
}

/// The last revision of the reader's snapshot that changed the directory.
pub fn latest_of_directory(tx: &mut Tx<'_>) -> Result<i64> {
    Ok(tx.one(&LATEST_OF_DIRECTORY, &[], |row| row.get(0))?)
}

/// What time it is for the database, which all servers share.
pub fn clock(tx: &mut Tx<'_>) -> Result<Moment> {
    Ok(Moment(tx.one(&CLOCK, &[], |row| row.get(0))?))
}

/// Writes something that means nothing, to find out whether anything can be written.
pub fn probe(tx: &mut Tx<'_>) -> Result<()> {
    tx.tally()?.next(tally::PROBE);
    Ok(())
}
