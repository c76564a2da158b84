//! From the person's side: the SQL form, the holdings over lists in memory and the definition give the same messages.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use campanile_core::Result;
use campanile_core::audience::{Bundle, Instant, bundle, matches};
use campanile_core::id::PersonId;
use campanile_core::inbox::judge;
use campanile_core::lists::{Lists, Shared};
use campanile_core::time::{Moment, Revision};
use campanile_store::Tx;
use proptest::prop_assert_eq;

use crate::world::PEOPLE;

/// What a person gets, by each form.
struct Found {
    /// Message, and since when the matching fact holds.
    by_sql: BTreeMap<i64, (i64, i64)>,
    by_lists: BTreeMap<i64, (i64, i64)>,
    /// What stands in the inbox now.
    inbox: BTreeSet<i64>,
}

#[test]
fn sql_lists_and_definition_agree_on_every_person() {
    crate::prove(|db, world, lists: &mut Arc<Shared>, _| {
        let (lists, now) = (Arc::clone(lists), world.now);
        let found: Result<Vec<Found>> =
            db.read(move |tx| (1..=PEOPLE).map(|person| find(tx, &lists, person, now)).collect());
        let mut messages = world.oracle.messages(now);
        for (person, found) in (1..=PEOPLE).zip(found.expect("a person can be judged")) {
            let expected = messages.remove(&person).unwrap_or_default();
            prop_assert_eq!(&found.by_sql, &expected, "MATCHES of person {}", person);
            prop_assert_eq!(&found.by_lists, &expected, "holdings and lists of person {}", person);
            let shown = expected.into_keys().filter(|id| world.oracle.is_shown(*id, now));
            prop_assert_eq!(
                found.inbox,
                shown.collect::<BTreeSet<_>>(),
                "inbox of person {}",
                person
            );
        }
        Ok(())
    });
}

fn find(tx: &mut Tx<'_>, lists: &Shared, person: i64, now: Moment) -> Result<Found> {
    let by_sql = matches(tx, PersonId(person), now)?;
    let bundle = bundle(tx, lists.held(), PersonId(person))?;
    let lists = lists.at(tx, bundle.messages)?;
    let mut inbox = BTreeSet::new();
    judge::each(&bundle, &lists, now, |item| {
        if !item.state.past {
            inbox.insert(item.message);
        }
    });
    Ok(Found {
        by_sql: by_sql
            .into_iter()
            .map(|found| (found.message, (found.since, found.since_at)))
            .collect(),
        by_lists: by_lists(&bundle, &lists, now),
        inbox,
    })
}

/// The holdings of a person over the lists of messages.
fn by_lists(bundle: &Bundle, lists: &Lists, now: Moment) -> BTreeMap<i64, (i64, i64)> {
    let mut out: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
    let mut put = |message: i64, since: (i64, i64)| {
        let known = out.entry(message).or_insert(since);
        *known = since.min(*known);
    };
    for holding in bundle.holdings.iter() {
        let Some(postings) = lists.postings(holding.key) else {
            continue;
        };
        let since = (holding.since, holding.since_at);
        for slot in lists.between(&postings.at_send, holding.since, holding.until) {
            let entry = lists.entry(*slot);
            let published = Instant {
                revision: Revision(entry.revision),
                at: Moment(entry.published_at),
            };
            if holding.covers(published) && bundle.alive(published.revision) {
                put(entry.id, since);
            }
        }
        let now = Instant::now(now);
        for slot in &postings.while_active {
            if holding.covers(now) && bundle.alive(now.revision) {
                put(lists.entry(*slot).id, since);
            }
        }
    }
    out
}
