//! Who held a wide selector at a revision that has passed, and who has come to hold one since: from who holds it now,
//! which is in memory, and the facts that have changed.
//!
//! A message to everybody is looked at for as long as it stands, and somebody comes or goes every day. What is asked
//! then costs the changes, not the people. Where too much has changed it is one statement again.

use std::collections::{HashMap, HashSet};

use campanile_store::{Row, Tx, sql};
use roaring::RoaringBitmap;

use super::{BELOW, Residents, crowd, crowd_since, directory_position, each};
use crate::audience::{Instant, Selector};
use crate::error::Result;

/// Changes of a kind that are looked at; a million facts are read sooner than more than these are mended.
const CHANGES: i64 = 20_000;

sql! {
    // How much has changed since $1, up to $2 of each.
    COUNTS = "SELECT
        (SELECT COUNT(*) FROM (SELECT changed FROM person WHERE changed > $1 LIMIT $2) people),
        (SELECT COUNT(*) FROM (SELECT since FROM membership WHERE since > $1 LIMIT $2) begun),
        (SELECT COUNT(*) FROM (SELECT until FROM membership
            WHERE until > $1 AND until < 9223372036854775807 LIMIT $2) ended)";
    // Those who have changed since, as they were then.
    WERE = "SELECT p.id, l.object IS NOT NULL, COALESCE(r.customer, 0) FROM person p
        LEFT JOIN life l ON l.kind = 1 AND l.object = p.id AND l.since <= $1 AND l.until > $1
        LEFT JOIN residence r ON r.person = p.id AND r.since <= $1 AND r.until > $1
        WHERE p.changed > $1";
    TREE = "SELECT customer FROM lineage WHERE ancestor = $1 AND since <= $2 AND until > $2";
    // +place, because SQLite would rather take an index by place, and read a million people for a few changes.
    ROLE_BEGUN = "SELECT person, since FROM membership WHERE +place = 2 AND object = $1 AND role = $2
        AND since > $3 AND until = 9223372036854775807";
    ROLE_ENDED = "SELECT person FROM membership WHERE +place = 2 AND object = $1 AND role = $2
        AND until > $3 AND until < 9223372036854775807 AND since <= $3";
    LIFE_BEGUN = "SELECT l.object, l.since FROM person p CROSS JOIN life l
        WHERE p.changed > $1 AND l.kind = 1 AND l.object = p.id AND l.since > $1 AND l.until = 9223372036854775807";
    // Who came to a customer of the tree, and who lives at one that came to it.
    TREE_BEGUN = "SELECT r.person, {greatest}(r.since, l.since)
        FROM person p CROSS JOIN residence r CROSS JOIN lineage l
        WHERE p.changed > $2 AND r.person = p.id AND r.since > $2 AND r.until = 9223372036854775807
            AND l.customer = r.customer AND l.ancestor = $1 AND l.until = 9223372036854775807
        UNION ALL
        SELECT r.person, {greatest}(r.since, l.since) FROM lineage l CROSS JOIN residence r
        WHERE l.ancestor = $1 AND l.since > $2 AND l.until = 9223372036854775807
            AND r.customer = l.customer AND r.until = 9223372036854775807";
}

/// Those who have changed since a revision, as they were then.
struct Were {
    changed: RoaringBitmap,
    alive: RoaringBitmap,
    homes: Vec<(u32, i64)>,
}

impl Were {
    fn read(tx: &mut Tx<'_>, revision: i64) -> Result<Self> {
        let mut were = Self {
            changed: RoaringBitmap::new(),
            alive: RoaringBitmap::new(),
            homes: Vec::new(),
        };
        tx.each(&WERE, &[&revision], |row| {
            let person = row.get::<i64>(0)? as u32;
            were.changed.insert(person);
            if row.get(1)? {
                were.alive.insert(person);
            }
            match row.get::<i64>(2)? {
                0 => {}
                customer => were.homes.push((person, customer)),
            }
            Ok::<(), campanile_store::Error>(())
        })?;
        Ok(were)
    }

    /// People as they are now, made those of then.
    fn mend(&self, now: RoaringBitmap, then: impl IntoIterator<Item = u32>) -> RoaringBitmap {
        let mut out = now - &self.changed;
        out.extend(then);
        out
    }
}

impl Residents {
    /// Whether these are the residents of the snapshot, and little has changed since a revision.
    fn reach(&self, tx: &mut Tx<'_>, revision: i64) -> Result<bool> {
        if self.position != directory_position(tx)? {
            return Ok(false);
        }
        let limit = CHANGES + 1;
        let counts = tx.one(&COUNTS, &[&revision, &limit], |row| {
            Ok([row.get::<i64>(0)?, row.get(1)?, row.get(2)?])
        })?;
        Ok(counts.into_iter().all(|count| count <= CHANGES))
    }

    /// As [`crowd`] at a revision that has passed.
    pub fn then(&self, tx: &mut Tx<'_>, selectors: &[Selector], then: Instant) -> Result<RoaringBitmap> {
        if !self.reach(tx, then.revision.0)? {
            return crowd(tx, selectors, then);
        }
        let were = Were::read(tx, then.revision.0)?;
        let alive = were.mend(self.alive.clone(), &were.alive);
        let mut out = RoaringBitmap::new();
        for selector in selectors {
            match selector {
                Selector::EnvironmentRole { environment, role } => {
                    let key = (environment.0, role.0);
                    out |= self.held_role(tx, key, then.revision.0)?;
                }
                Selector::Everyone => out |= &alive,
                Selector::Subtree { customer } => {
                    let tree = tx.rows(&TREE, &[&customer.0, &then.revision.0], |row| row.get::<i64>(0))?;
                    let inside: HashSet<i64> = tree.iter().copied().collect();
                    let lived = were.homes.iter().filter(|(_, home)| inside.contains(home));
                    out |= were.mend(self.residents_of(&tree), lived.map(|(person, _)| *person));
                }
                narrow => each(tx, *narrow, then.into(), |person, _| {
                    out.insert(person);
                })?,
            }
        }
        Ok(out & alive)
    }

    /// Who held an environment role at a revision.
    fn held_role(&self, tx: &mut Tx<'_>, key: (i64, i64), revision: i64) -> Result<RoaringBitmap> {
        let mut out = self.roles.get(&key).cloned().unwrap_or_default();
        for (person, _) in tx.rows(&ROLE_BEGUN, &[&key.0, &key.1, &revision], person_since)? {
            out.remove(person);
        }
        out.extend(tx.rows(&ROLE_ENDED, &[&key.0, &key.1, &revision], |row| {
            Ok(row.get::<i64>(0)? as u32)
        })?);
        Ok(out)
    }

    /// Who holds one of some selectors now, and none without a gap since a revision: with the least revision since
    /// which they hold one.
    pub fn joined(
        &self,
        tx: &mut Tx<'_>,
        selectors: &[Selector],
        now: Instant,
        revision: i64,
    ) -> Result<HashMap<u32, i64>> {
        if !self.reach(tx, revision)? {
            let mut joined = crowd_since(tx, selectors, now)?;
            joined.retain(|_, since| revision < *since);
            return Ok(joined);
        }
        let mut joined: HashMap<u32, i64> = HashMap::new();
        let mut before = RoaringBitmap::new();
        for selector in selectors {
            let (mut people, begun) = match selector {
                Selector::EnvironmentRole { environment, role } => {
                    let (environment, role) = (environment.0, role.0);
                    let begun = tx.rows(&ROLE_BEGUN, &[&environment, &role, &revision], person_since)?;
                    (self.roles.get(&(environment, role)).cloned().unwrap_or_default(), begun)
                }
                Selector::Everyone => {
                    let begun = tx.rows(&LIFE_BEGUN, &[&revision], person_since)?;
                    (self.alive.clone(), begun)
                }
                Selector::Subtree { customer } => {
                    let tree = tx.rows(&BELOW, &[&customer.0], |row| row.get::<i64>(0))?;
                    let begun = tx.rows(&TREE_BEGUN, &[&customer.0, &revision], person_since)?;
                    (self.residents_of(&tree), begun)
                }
                narrow => {
                    let held = self.recent.held(tx, *narrow, now)?;
                    let (begun, others) = held.after(revision);
                    (others, begun.collect())
                }
            };
            for (person, since) in begun {
                people.remove(person);
                let least = joined.entry(person).or_insert(since);
                *least = since.min(*least);
            }
            before |= people;
        }
        joined.retain(|person, _| self.alive.contains(*person) && !before.contains(*person));
        Ok(joined)
    }
}

fn person_since(row: &Row<'_>) -> campanile_store::Result<(u32, i64)> {
    Ok((row.get::<i64>(0)? as u32, row.get(1)?))
}
