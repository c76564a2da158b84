//! Writes what a revision did into the database, as the rules that keep the schema do: a fact that ends gets its
//! `until`, one that begins gets a row, and what changes a message leaves its former state in `edition`.

use campanile_core::Result;
use campanile_core::revision::{self, tally};
use campanile_core::time::{OPEN, Stamp};
use campanile_store::testing::TestDb;
use campanile_store::{Param, Sql, Tx, sql};

use crate::oracle::{Change, Fact, Message, Term};
use crate::world::{APIS, APPLICATIONS, CUSTOMERS, ENVIRONMENTS, GROUPS, PEOPLE, Revised, SUBSCRIPTIONS};

sql! {
    PERSON = "INSERT INTO person (id, key, login, login_key, name, name_key, asm_role, guid, ticket_serial, changed)
        VALUES ($1, $2, $2, $2, $2, $2, 0, $2, 1, 0)";
    CUSTOMER = "INSERT INTO customer (id, name, name_key) VALUES ($1, $2, $2)";
    ENVIRONMENT = "INSERT INTO environment (id, key, name) VALUES ($1, $2, $2)";
    GROUP = "INSERT INTO grp (id, key, name, name_key) VALUES ($1, $2, $2, $2)";
    API = "INSERT INTO api (id, key, name, name_key, environment) VALUES ($1, $2, $2, $2, 1)";
    APPLICATION = "INSERT INTO application (id, key, name, name_key, environment) VALUES ($1, $2, $2, $2, 1)";
    SUBSCRIPTION = "INSERT INTO subscription (id, key, api, application) VALUES ($1, $2, $3, $4)";

    LIFE = "INSERT INTO life (kind, object, since, until, since_at, until_at) VALUES (1, $1, $2, $4, $3, $4)";
    LIFE_ENDED = "UPDATE life SET until = $2, until_at = $3 WHERE kind = 1 AND object = $1 AND until = $4";
    MEMBER = "INSERT INTO membership (person, place, object, role, since, until, since_at, until_at)
        VALUES ($1, $2, $3, $4, $5, $7, $6, $7)";
    MEMBER_ENDED = "UPDATE membership SET until = $5, until_at = $6
        WHERE person = $1 AND place = $2 AND object = $3 AND role = $4 AND until = $7";
    HOME = "INSERT INTO residence (person, customer, since, until, since_at, until_at)
        VALUES ($1, $2, $3, $5, $4, $5)";
    HOME_ENDED = "UPDATE residence SET until = $3, until_at = $4 WHERE person = $1 AND customer = $2 AND until = $5";
    PARENT = "INSERT INTO parentage (customer, parent, since, until, since_at, until_at)
        VALUES ($1, $2, $3, $5, $4, $5)";
    PARENT_ENDED = "UPDATE parentage SET until = $3, until_at = $4 WHERE customer = $1 AND parent = $2 AND until = $5";
    BELOW = "INSERT INTO lineage (customer, ancestor, since, until, since_at, until_at)
        VALUES ($1, $2, $3, $5, $4, $5)";
    BELOW_ENDED = "UPDATE lineage SET until = $3, until_at = $4 WHERE customer = $1 AND ancestor = $2 AND until = $5";
    ATTACHED = "INSERT INTO attachment (grp, place, object, since, until, since_at, until_at)
        VALUES ($1, $2, $3, $4, $6, $5, $6)";
    ATTACHED_ENDED = "UPDATE attachment SET until = $4, until_at = $5
        WHERE grp = $1 AND place = $2 AND object = $3 AND until = $6";
    TERM = "INSERT INTO term
            (subscription, api, application, status, subscriber, starts_at, ends_at, since, until, since_at, until_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $10, $9, $10)";
    TERM_ENDED = "UPDATE term SET until = $2, until_at = $3 WHERE subscription = $1 AND until = $4";
    EMAIL = "UPDATE person SET email = $2, email_key = $2 WHERE id = $1";
    PERSON_CHANGED = "UPDATE person SET changed = $2 WHERE id = $1";

    MESSAGE = "INSERT INTO message (id, revision, published_at, rule, title, body, format, sender_name, importance,
            channels, opens_at, closes_at, enabled, author, created_at, arrival, arrival_at, ring, edition, missed)
        VALUES ($1, $2, $3, $4, 'title', 'text', 0, 'sender', 0, 1, $5, $6, $7, 1, $8, $9, $10, $11, 1, FALSE)";
    MESSAGE_CHANGED = "UPDATE message SET revision = $2, published_at = $3, enabled = $4, arrival = $5,
            arrival_at = $6, ring = $7, edition = $8, recalled = $9, recalled_at = $10, missed = $11
        WHERE id = $1";
    EDITION = "INSERT INTO edition (revision, message, at, author, change, rang, title, body, sender_name, importance,
            opens_at, closes_at, enabled)
        SELECT CAST($1 AS BIGINT), id, CAST($2 AS BIGINT), 1, CAST($3 AS BIGINT), FALSE, title, body, sender_name,
            importance, opens_at, closes_at, enabled
        FROM message WHERE id = $4";
    ADDRESS = "INSERT INTO audience (message, kind, object, role) VALUES ($1, $2, $3, $4)";
    UNADDRESS = "DELETE FROM audience WHERE message = $1";

    NO_AUDIENCE = "DELETE FROM audience";
    NO_EDITION = "DELETE FROM edition";
    NO_MESSAGE = "DELETE FROM message";
    NO_TERM = "DELETE FROM term";
    NO_ATTACHMENT = "DELETE FROM attachment";
    NO_LINEAGE = "DELETE FROM lineage";
    NO_PARENTAGE = "DELETE FROM parentage";
    NO_RESIDENCE = "DELETE FROM residence";
    NO_MEMBERSHIP = "DELETE FROM membership";
    NO_LIFE = "DELETE FROM life WHERE kind = 1";
    NO_EMAIL = "UPDATE person SET email = NULL, email_key = NULL, changed = 0";
}

/// Makes the things that all worlds of a database share: they have names, and no history.
pub(crate) fn furnish(db: &TestDb) {
    let things: [(&'static Sql, i64, i64); 6] = [
        (&PERSON, 1, PEOPLE),
        (&CUSTOMER, 1, CUSTOMERS),
        (&ENVIRONMENT, 2, ENVIRONMENTS),
        (&GROUP, 1, GROUPS),
        (&API, 1, APIS),
        (&APPLICATION, 1, APPLICATIONS),
    ];
    let made: Result<()> = db.write(move |tx| {
        for (sql, first, last) in things {
            for id in first..=last {
                tx.execute(sql, &[&id, &format!("no {id}")])?;
            }
        }
        for (at, (api, application)) in SUBSCRIPTIONS.iter().enumerate() {
            let id = at as i64 + 1;
            tx.execute(&SUBSCRIPTION, &[&id, &format!("no {id}"), api, application])?;
        }
        Ok(())
    });
    made.expect("the things can be made");
}

/// Takes every trace of the world before away and writes the first revisions of another.
pub(crate) fn begin(db: &TestDb, revisions: Vec<Revised>) {
    let begun: Result<()> = db.write(move |tx| {
        let tables: [&'static Sql; 11] = [
            &NO_AUDIENCE,
            &NO_EDITION,
            &NO_MESSAGE,
            &NO_TERM,
            &NO_ATTACHMENT,
            &NO_LINEAGE,
            &NO_PARENTAGE,
            &NO_RESIDENCE,
            &NO_MEMBERSHIP,
            &NO_LIFE,
            &NO_EMAIL,
        ];
        for sql in tables {
            tx.send(sql, &[])?;
        }
        let counters = [tally::REVISION, tally::REVISION_AT, tally::DIRECTORY];
        for counter in counters.into_iter().chain([tally::MESSAGES, tally::MESSAGE]) {
            tx.tally()?.set(counter, 0);
        }
        all(tx, &revisions)
    });
    begun.expect("a world can begin");
}

/// Writes revisions, in one transaction.
pub(crate) fn write(db: &TestDb, revisions: Vec<Revised>) {
    let written = db.write(move |tx| all(tx, &revisions));
    written.expect("a revision can be written");
}

/// Writes revisions, in a transaction of the caller's.
pub(crate) fn all(tx: &mut Tx<'_>, revisions: &[Revised]) -> Result<()> {
    for (stamp, changes) in revisions {
        let taken = revision::take(tx, stamp.at)?;
        assert_eq!(taken, *stamp, "the world counts revisions as the database does");
        for change in changes {
            one(tx, *stamp, change)?;
        }
    }
    Ok(())
}

fn one(tx: &mut Tx<'_>, stamp: Stamp, change: &Change) -> Result<()> {
    match change {
        Change::Begun(fact) => begun(tx, stamp, *fact)?,
        Change::Ended(fact) => ended(tx, stamp, *fact)?,
        Change::Term(subscription, term) => self::term(tx, stamp, *subscription, term)?,
        Change::Email(person, has) => {
            let email = has.then(|| format!("{person}@example.org"));
            tx.send(&EMAIL, &[person, &email])?;
            tx.send(&PERSON_CHANGED, &[person, &stamp.revision.0])?;
        }
        Change::Created(message) => return created(tx, stamp, message),
        Change::Changed(message, sort) => return changed(tx, stamp, message, *sort),
    }
    revision::directory_changed(tx, stamp)
}

/// The values that tell a fact, and the statements that begin and end it.
fn parts(fact: Fact) -> (Vec<i64>, &'static Sql, &'static Sql) {
    match fact {
        Fact::Alive { person } => (vec![person], &LIFE, &LIFE_ENDED),
        Fact::Member {
            person,
            place,
            object,
            role,
        } => (vec![person, place, object, role], &MEMBER, &MEMBER_ENDED),
        Fact::Home { person, customer } => (vec![person, customer], &HOME, &HOME_ENDED),
        Fact::Parent { customer, parent } => (vec![customer, parent], &PARENT, &PARENT_ENDED),
        Fact::Below { customer, ancestor } => (vec![customer, ancestor], &BELOW, &BELOW_ENDED),
        Fact::Attached { group, place, object } => (vec![group, place, object], &ATTACHED, &ATTACHED_ENDED),
    }
}

fn begun(tx: &mut Tx<'_>, stamp: Stamp, fact: Fact) -> Result<()> {
    let (mut values, begin, _) = parts(fact);
    values.extend([stamp.revision.0, stamp.at.0, OPEN]);
    let params: Vec<&dyn Param> = values.iter().map(|value| -> &dyn Param { value }).collect();
    tx.send(begin, &params)?;
    touch(tx, stamp, fact)
}

fn ended(tx: &mut Tx<'_>, stamp: Stamp, fact: Fact) -> Result<()> {
    let (mut values, _, end) = parts(fact);
    values.extend([stamp.revision.0, stamp.at.0, OPEN]);
    let params: Vec<&dyn Param> = values.iter().map(|value| -> &dyn Param { value }).collect();
    assert_eq!(tx.execute(end, &params)?, 1, "{fact:?} held");
    touch(tx, stamp, fact)
}

/// Notes at a person that they changed.
fn touch(tx: &mut Tx<'_>, stamp: Stamp, fact: Fact) -> Result<()> {
    if let Fact::Alive { person } | Fact::Home { person, .. } | Fact::Member { person, .. } = fact {
        tx.send(&PERSON_CHANGED, &[&person, &stamp.revision.0])?;
    }
    Ok(())
}

fn term(tx: &mut Tx<'_>, stamp: Stamp, subscription: i64, term: &Term) -> Result<()> {
    let (revision, at) = (stamp.revision.0, stamp.at.0);
    tx.send(&TERM_ENDED, &[&subscription, &revision, &at, &OPEN])?;
    tx.send(
        &TERM,
        &[
            &subscription,
            &term.api,
            &term.application,
            &term.status,
            &term.subscriber,
            &term.starts_at,
            &term.ends_at,
            &revision,
            &at,
            &OPEN,
        ],
    )?;
    Ok(())
}

fn created(tx: &mut Tx<'_>, stamp: Stamp, message: &Message) -> Result<()> {
    let id = tx.tally()?.next(tally::MESSAGE);
    assert_eq!(id, message.id, "the world counts messages as the database does");
    tx.send(
        &MESSAGE,
        &[
            &id,
            &message.published.map(|stamp| stamp.revision.0),
            &message.published.map(|stamp| stamp.at.0),
            &message.rule.code(),
            &message.opens_at,
            &message.closes_at,
            &message.enabled,
            &stamp.at.0,
            &message.arrival.map_or(0, |stamp| stamp.revision.0),
            &message.arrival.map_or(0, |stamp| stamp.at.0),
            &message.ring,
        ],
    )?;
    address(tx, message)?;
    revision::message_changed(tx, stamp, id)
}

fn changed(tx: &mut Tx<'_>, stamp: Stamp, message: &Message, sort: i64) -> Result<()> {
    tx.send(&EDITION, &[&stamp.revision.0, &stamp.at.0, &sort, &message.id])?;
    tx.send(
        &MESSAGE_CHANGED,
        &[
            &message.id,
            &message.published.map(|stamp| stamp.revision.0),
            &message.published.map(|stamp| stamp.at.0),
            &message.enabled,
            &message.arrival.map_or(0, |stamp| stamp.revision.0),
            &message.arrival.map_or(0, |stamp| stamp.at.0),
            &message.ring,
            &message.edition,
            &message.recalled.map(|stamp| stamp.revision.0),
            &message.recalled.map(|stamp| stamp.at.0),
            &message.missed,
        ],
    )?;
    tx.send(&UNADDRESS, &[&message.id])?;
    address(tx, message)?;
    revision::message_changed(tx, stamp, message.id)
}

fn address(tx: &mut Tx<'_>, message: &Message) -> Result<()> {
    for selector in &message.selectors {
        let (kind, object, role) = selector.key();
        tx.send(&ADDRESS, &[&message.id, &kind, &object, &role])?;
    }
    Ok(())
}
