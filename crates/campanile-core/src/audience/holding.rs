//! The person's side: what one person holds and held, fetched in one statement.

use std::sync::Arc;

use campanile_store::{Result, Row, Sql, Tx, sql};

use super::held::Held;
use super::{ANY_STATUS, Instant, Key, kind};
use crate::id::PersonId;
use crate::time::{Moment, OPEN, Revision};

/// What a person held: one definition, in as few arms as there are ways to hold something. Some follow from others
/// and are not looked up: a row of kind 4 (the customer's own place in its lineage) stands for the customer and for its
/// subtree, one of kind 6 for everyone and for the person themselves, one of kind 3 for a valid subscription and for
/// one of any status. See [`imply`], and `implied` in MATCHES.
///
/// Each row: kind, object, role, since, until, `since_at`, `until_at`, `starts_at`, `ends_at`. A joined arm holds where
/// all its facts hold. CROSS JOIN fixes the order from the person outwards on SQLite and is harmless on PostgreSQL.
macro_rules! holds {
    () => {
        "SELECT CAST(CASE m.place WHEN 2 THEN 1 ELSE 7 END AS BIGINT) AS kind, m.object AS object,
             CASE m.place WHEN 2 THEN m.role ELSE 0 END AS role, m.since AS since, m.until AS until,
             m.since_at AS since_at, m.until_at AS until_at,
             CAST(0 AS BIGINT) AS starts_at, 9223372036854775807 AS ends_at
         FROM membership m WHERE m.person = $1 AND m.place >= 2 AND m.place <> 3 AND m.place <> 4
         UNION ALL
         SELECT 2, t.api, m.role, {greatest}(m.since, t.since), {least}(m.until, t.until),
             {greatest}(m.since_at, t.since_at), {least}(m.until_at, t.until_at), t.starts_at, t.ends_at
         FROM membership m CROSS JOIN term t
         WHERE m.person = $1 AND m.place = 4 AND t.application = m.object AND t.status = 1
             AND t.since < m.until AND m.since < t.until
         UNION ALL
         SELECT 2, t.api, m.role, {greatest}(m.since, {greatest}(a.since, t.since)),
             {least}(m.until, {least}(a.until, t.until)),
             {greatest}(m.since_at, {greatest}(a.since_at, t.since_at)),
             {least}(m.until_at, {least}(a.until_at, t.until_at)), t.starts_at, t.ends_at
         FROM membership m CROSS JOIN attachment a CROSS JOIN term t
         WHERE m.person = $1 AND m.place = 5 AND m.role <> 10
             AND a.grp = m.object AND a.place = 4 AND a.since < m.until AND m.since < a.until
             AND t.application = a.object AND t.status = 1
             AND t.since < m.until AND m.since < t.until AND t.since < a.until AND a.since < t.until
         UNION ALL
         SELECT 3, t.api, 0, t.since, t.until, t.since_at, t.until_at, t.starts_at, t.ends_at
         FROM term t WHERE t.subscriber = $1 AND t.status = 1
         UNION ALL
         SELECT 3, t.api, 1, t.since, t.until, t.since_at, t.until_at, 0, 9223372036854775807
         FROM term t WHERE t.subscriber = $1 AND t.status <> 1
         UNION ALL
         SELECT CASE l.ancestor WHEN l.customer THEN 4 ELSE 5 END, l.ancestor, 0,
             {greatest}(r.since, l.since), {least}(r.until, l.until),
             {greatest}(r.since_at, l.since_at), {least}(r.until_at, l.until_at), 0, 9223372036854775807
         FROM residence r CROSS JOIN lineage l
         WHERE r.person = $1 AND l.customer = r.customer AND l.since < r.until AND r.since < l.until
         UNION ALL
         SELECT 6, 0, 0, l.since, l.until, l.since_at, l.until_at, 0, 9223372036854775807
         FROM life l WHERE l.kind = 1 AND l.object = $1"
    };
}

/// What a person did, and where the counters stand. The kinds above 8: 20 a mark (object: its kind; since its time,
/// until its revision, `since_at` its clock; of those of one kind the greatest of the last few, as two servers may make
/// one at the same time without knowing of the other's, and of "delete all" each), 21 what was done with a message
/// (object: the message), 22 the counters (object: the revision, role: that of messages, since: that of the directory).
macro_rules! own {
    () => {
        "SELECT CAST(20 AS BIGINT), CAST(1 AS BIGINT), CAST(0 AS BIGINT), MAX(at), MAX(revision), MAX(clock),
                 CAST(0 AS BIGINT), CAST(0 AS BIGINT), CAST(0 AS BIGINT) FROM
                 (SELECT at, revision, clock FROM mark WHERE person = $1 AND kind = 1 ORDER BY at DESC LIMIT 4) seen
             HAVING COUNT(*) > 0
             UNION ALL
             SELECT 20, 2, 0, MAX(at), MAX(revision), MAX(clock), 0, 0, 0 FROM
                 (SELECT at, revision, clock FROM mark WHERE person = $1 AND kind = 2 ORDER BY at DESC LIMIT 4) read
             HAVING COUNT(*) > 0
             UNION ALL
             SELECT 20, 3, 0, at, revision, clock, 0, 0, 0 FROM mark WHERE person = $1 AND kind = 3
             UNION ALL
             SELECT 21, e.message, COALESCE(e.read_revision, 0), COALESCE(e.read_at, 0), COALESCE(e.unread_at, 0),
                 COALESCE(e.archived_at, 0), COALESCE(e.deleted_at, 0), COALESCE(e.dismissed_edition, 0),
                 COALESCE(e.acknowledged_at, 0)
             FROM engagement e WHERE e.person = $1
             UNION ALL
             SELECT 22, r.value, m.value, d.value, 0, 0, 0, 0, 0
             FROM tally r CROSS JOIN tally m CROSS JOIN tally d
             WHERE r.name = 'revision' AND m.name = 'messages' AND d.name = 'directory'"
    };
}

sql! {
    HOLDS = holds!();
    EMPTIED = "SELECT at, revision, clock FROM mark WHERE person = $1 AND kind = 3 AND at <= $2";
    // Everything that one person's inbox needs, in one snapshot and one round trip.
    BUNDLE = concat!(holds!(), " UNION ALL ", own!());
    // The same for a person whose holdings are known.
    OWN = own!();
    // The definition once more, whole and in SQL: the form that the tests hold the others against, and for tools.
    // $2 is now. Rows: message, and the least revision and time since which the person's matching fact holds.
    MATCHES = concat!("WITH held AS MATERIALIZED (", holds!(), "), implied AS (
             SELECT kind, object, role, since, until, since_at, until_at, starts_at, ends_at FROM held
             UNION ALL
             SELECT 5, object, role, since, until, since_at, until_at, starts_at, ends_at FROM held WHERE kind = 4
             UNION ALL
             SELECT 3, object, 1, since, until, since_at, until_at, 0, 9223372036854775807
             FROM held WHERE kind = 3 AND role = 0
             UNION ALL
             SELECT 8, $1, role, since, until, since_at, until_at, starts_at, ends_at FROM held WHERE kind = 6
         ), s AS MATERIALIZED (SELECT * FROM implied)
         SELECT m.id, MIN(s.since), MIN(s.since_at) FROM s
         CROSS JOIN audience a CROSS JOIN message m
         WHERE a.kind = s.kind AND a.object = s.object AND a.role = s.role AND m.id = a.message
             AND m.rule = 0 AND m.revision >= s.since AND m.revision < s.until
             AND m.published_at >= s.starts_at AND m.published_at < s.ends_at
             AND EXISTS (SELECT 1 FROM life l WHERE l.kind = 1 AND l.object = $1
                 AND l.since <= m.revision AND m.revision < l.until)
         GROUP BY m.id
         UNION ALL
         SELECT m.id, MIN({greatest}(s.since, a.since)), MIN({greatest}(s.since_at, a.since_at)) FROM s
         CROSS JOIN audience a CROSS JOIN message m
         WHERE a.kind = s.kind AND a.object = s.object AND a.role = s.role AND m.id = a.message
             AND a.until = 9223372036854775807 AND m.rule = 1 AND m.revision IS NOT NULL
             AND s.until = 9223372036854775807
             AND $2 >= s.starts_at AND $2 < s.ends_at
             AND EXISTS (SELECT 1 FROM life l WHERE l.kind = 1 AND l.object = $1 AND l.until = 9223372036854775807)
         GROUP BY m.id");
}

/// A person held a selector during an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holding {
    /// Which selector.
    pub key: Key,
    /// From this revision.
    pub since: i64,
    /// Until before this revision; [`OPEN`] while it holds.
    pub until: i64,
    /// The time beside `since`.
    pub since_at: i64,
    /// The time beside `until`.
    pub until_at: i64,
    /// Counts only from this time (a subscription's start).
    pub starts_at: i64,
    /// Counts only before this time (a subscription's end).
    pub ends_at: i64,
}

impl Holding {
    /// Whether it holds at an instant.
    #[must_use]
    pub const fn covers(&self, instant: Instant) -> bool {
        self.since <= instant.revision.0
            && instant.revision.0 < self.until
            && self.starts_at <= instant.at.0
            && instant.at.0 < self.ends_at
    }

    /// Whether it held at a time, by the wall clock alone ("what could this person see at that time?").
    #[must_use]
    pub const fn covered_at(&self, at: Moment) -> bool {
        self.since_at <= at.0 && at.0 < self.until_at && self.starts_at <= at.0 && at.0 < self.ends_at
    }

    /// Whether it still holds, by revision.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.until == OPEN
    }
}

/// The last mark of each kind that covers whatever came up before it: "all of it, up to here".
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Marks {
    /// The panel or the inbox was opened.
    pub seen: Mark,
    /// Everything was marked read.
    pub read: Mark,
}

/// "All of it", at a revision and a time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Mark {
    /// The last revision that it covers.
    pub revision: i64,
    /// When it was made, in the order of what this person did; 0 for never.
    pub at: i64,
    /// What comes up by the clock alone (a window, a subscription) it covers up to this time: that of the page that was
    /// looked at.
    pub clock: i64,
}

/// What a person did with one message. 0 where it was not done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Deed {
    /// Which.
    pub message: i64,
    /// Marked read, and the revision at that moment: ringing again later makes it unread.
    pub read_at: i64,
    /// See `read_at`.
    pub read_revision: i64,
    /// Marked unread; it overrides marks made before.
    pub unread_at: i64,
    /// Out of list and counts, under Archived.
    pub archived_at: i64,
    /// Gone from every list; with a minus, restored at that time.
    pub deleted_at: i64,
    /// The edition whose banner was dismissed.
    pub dismissed_edition: i64,
    /// "I have read this."
    pub acknowledged_at: i64,
}

/// Everything that one person's inbox needs of the database, in one snapshot.
#[derive(Debug, Clone, Default)]
pub struct Bundle {
    /// Who.
    pub person: i64,
    /// What they hold and held. Each stretch of their own life is a holding of "everyone".
    pub holdings: Arc<[Holding]>,
    /// Their marks.
    pub marks: Marks,
    /// Each time they deleted everything, in order: what it took is what stood in their inbox then.
    pub emptied: Vec<Mark>,
    /// What they did, in the order of messages.
    pub deeds: Vec<Deed>,
    /// The last revision of the snapshot.
    pub revision: i64,
    /// The last revision of the snapshot that changed a message.
    pub messages: i64,
    /// The last revision of the snapshot that changed the directory.
    pub directory: i64,
}

impl Bundle {
    /// Whether the person was active at a revision.
    #[must_use]
    pub fn alive(&self, revision: Revision) -> bool {
        self.lives()
            .any(|life| life.since <= revision.0 && revision.0 < life.until)
    }

    /// The stretches of the person's life.
    pub fn lives(&self) -> impl Iterator<Item = &Holding> {
        self.holdings.iter().filter(|holding| holding.key.0 == kind::EVERYONE)
    }

    /// What they did with a message.
    #[must_use]
    pub fn deed(&self, message: i64) -> Option<&Deed> {
        let at = self.deeds.binary_search_by_key(&message, |deed| deed.message).ok()?;
        self.deeds.get(at)
    }
}

fn holding(row: &Row<'_>) -> Result<Holding> {
    Ok(Holding {
        key: (row.get(0)?, row.get(1)?, row.get(2)?),
        since: row.get(3)?,
        until: row.get(4)?,
        since_at: row.get(5)?,
        until_at: row.get(6)?,
        starts_at: row.get(7)?,
        ends_at: row.get(8)?,
    })
}

/// Adds a holding and what follows from it: who belongs to a customer belongs to its subtree, and whoever is there is
/// themselves; a valid subscription is one of some status, whose times do not count.
fn imply(holdings: &mut Vec<Holding>, person: i64, held: Holding) {
    holdings.push(held);
    let (key, starts_at, ends_at) = match held.key {
        (kind::CUSTOMER, customer, _) => ((kind::SUBTREE, customer, 0), held.starts_at, held.ends_at),
        (kind::EVERYONE, ..) => ((kind::USER, person, 0), held.starts_at, held.ends_at),
        (kind::SUBSCRIBERS, api, 0) => ((kind::SUBSCRIBERS, api, ANY_STATUS), 0, OPEN),
        _ => return,
    };
    holdings.push(Holding {
        key,
        starts_at,
        ends_at,
        ..held
    });
}

/// What a person holds and held, themselves as a selector included.
pub fn holdings(tx: &mut Tx<'_>, person: PersonId) -> Result<Vec<Holding>> {
    let mut holdings = Vec::new();
    tx.each(&HOLDS, &[&person.0], |row| {
        imply(&mut holdings, person.0, holding(row)?);
        Ok::<(), campanile_store::Error>(())
    })?;
    Ok(holdings)
}

/// Fetches what one person's inbox needs: one statement, whatever the number of messages. In a read: what is remembered
/// of a person must have been committed.
pub fn bundle(tx: &mut Tx<'_>, held: &Held, person: PersonId) -> Result<Bundle> {
    let Some((directory, holdings)) = held.of(person) else {
        let (mut bundle, holdings) = fetch(tx, &BUNDLE, person)?;
        bundle.holdings = held.remember(person, bundle.directory, holdings);
        return Ok(bundle);
    };
    let (mut bundle, _) = fetch(tx, &OWN, person)?;
    bundle.holdings = if bundle.directory == directory {
        holdings
    } else {
        held.remember(person, bundle.directory, self::holdings(tx, person)?)
    };
    Ok(bundle)
}

/// All of a bundle but the holdings, and the holdings that came with it.
fn fetch(tx: &mut Tx<'_>, sql: &'static Sql, person: PersonId) -> Result<(Bundle, Vec<Holding>)> {
    let mut holdings = Vec::new();
    let mut bundle = Bundle {
        person: person.0,
        ..Bundle::default()
    };
    tx.each(sql, &[&person.0], |row| {
        let kind: i64 = row.get(0)?;
        match kind {
            20 => {
                let mark = Mark {
                    at: row.get(3)?,
                    revision: row.get(4)?,
                    clock: row.get(5)?,
                };
                match row.get::<i64>(1)? {
                    1 => bundle.marks.seen = mark,
                    2 => bundle.marks.read = mark,
                    _ => bundle.emptied.push(mark),
                }
            }
            21 => bundle.deeds.push(Deed {
                message: row.get(1)?,
                read_revision: row.get(2)?,
                read_at: row.get(3)?,
                unread_at: row.get(4)?,
                archived_at: row.get(5)?,
                deleted_at: row.get(6)?,
                dismissed_edition: row.get(7)?,
                acknowledged_at: row.get(8)?,
            }),
            22 => (bundle.revision, bundle.messages, bundle.directory) = (row.get(1)?, row.get(2)?, row.get(3)?),
            _ => imply(&mut holdings, person.0, holding(row)?),
        }
        Ok::<(), campanile_store::Error>(())
    })?;
    // SQLite gives them in the order of the key; PostgreSQL promises none.
    if !bundle.deeds.is_sorted_by_key(|deed| deed.message) {
        bundle.deeds.sort_unstable_by_key(|deed| deed.message);
    }
    in_order(&mut bundle.emptied);
    Ok((bundle, holdings))
}

/// Puts marks in the order in which they were made. Neither revision nor clock runs against the mark before: of two
/// that two servers made at once, neither takes the other back.
fn in_order(marks: &mut [Mark]) {
    marks.sort_unstable_by_key(|mark| mark.at);
    let mut last = Mark::default();
    for mark in marks {
        mark.revision = mark.revision.max(last.revision);
        mark.clock = mark.clock.max(last.clock);
        last = *mark;
    }
}

/// Each time a person deleted everything until a time, in order.
pub(crate) fn emptied(tx: &mut Tx<'_>, person: PersonId, until: Moment) -> Result<Vec<Mark>> {
    let mut marks = tx.rows(&EMPTIED, &[&person.0, &until.0], |row| {
        Ok(Mark {
            at: row.get(0)?,
            revision: row.get(1)?,
            clock: row.get(2)?,
        })
    })?;
    in_order(&mut marks);
    Ok(marks)
}

/// A message that a person is in the audience of, by SQL alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Match {
    /// Which.
    pub message: i64,
    /// The least revision since which a matching fact holds.
    pub since: i64,
    /// The time beside it.
    pub since_at: i64,
}

/// The messages whose audience a person is in, by SQL alone, whatever their window: the whole definition once more, for
/// tests and tools. Slow: it looks at every message of every selector.
pub fn matches(tx: &mut Tx<'_>, person: PersonId, now: Moment) -> Result<Vec<Match>> {
    let read = |row: &Row<'_>| {
        Ok(Match {
            message: row.get(0)?,
            since: row.get(1)?,
            since_at: row.get(2)?,
        })
    };
    let mut found = tx.rows(&MATCHES, &[&person.0, &now.0], read)?;
    found.sort_unstable();
    Ok(found)
}
