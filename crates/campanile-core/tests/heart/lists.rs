//! Lists that were brought up to date step by step are the lists of one who reads everything at once.

use std::collections::BTreeSet;
use std::sync::Arc;

use campanile_core::Result;
use campanile_core::audience::{Key, Rule, Selector, bundle};
use campanile_core::id::PersonId;
use campanile_core::lists::{Entry, Lists, Shared};
use campanile_core::time::Stamp;
use proptest::prop_assert_eq;
use proptest::test_runner::TestCaseResult;

use crate::oracle::Message;
use crate::world::{World, every_selector};

/// All that can be asked of lists.
#[derive(Debug, PartialEq)]
struct Told {
    position: i64,
    entries: Vec<Entry>,
    /// For each selector: slots judged at publication, slots judged now.
    postings: Vec<(Key, Vec<u32>, Vec<u32>)>,
    addressed: Vec<(i64, Key)>,
}

#[test]
fn lists_kept_up_to_date_equal_lists_built_anew() {
    crate::prove(|db, world, kept: &mut Arc<Shared>, _| {
        let keys: Vec<Key> = every_selector().into_iter().map(Selector::key).collect();
        let ids: Vec<i64> = world.oracle.messages.keys().copied().collect();
        let shared = Arc::clone(kept);
        let told: Result<(Told, Told)> = db.read(move |tx| {
            // The same snapshot for both: the position is the database's own.
            let position = bundle(tx, shared.held(), PersonId(1))?.messages;
            let anew = Shared::default();
            let kept = tell(&*shared.at(tx, position)?, &keys, &ids);
            Ok((kept, tell(&*anew.at(tx, position)?, &keys, &ids)))
        });
        let (kept, anew) = told.expect("lists can be read");
        prop_assert_eq!(&kept, &anew);
        as_the_definition_has_it(&kept, world)
    });
}

fn as_the_definition_has_it(told: &Told, world: &World) -> TestCaseResult {
    let mut published: Vec<&Message> = world
        .oracle
        .messages
        .values()
        .filter(|message| message.published.is_some())
        .collect();
    published.sort_by_key(|message| message.published.map(|stamp| stamp.revision));
    let expected: Vec<Entry> = published.iter().map(|message| entry(message)).collect();
    prop_assert_eq!(&told.entries, &expected, "messages in the order of their publication");
    for (key, at_send, while_active) in &told.postings {
        let slots = |rule| {
            let listed = published.iter().enumerate().filter(|(_, message)| {
                let names = message.selectors.iter().any(|selector| selector.key() == *key);
                message.rule == rule && names
            });
            listed.map(|(slot, _)| slot as u32).collect::<Vec<u32>>()
        };
        prop_assert_eq!(at_send, &slots(Rule::AtSend), "{:?}", key);
        prop_assert_eq!(while_active, &slots(Rule::WhileActive), "{:?}", key);
    }
    let named = published.iter().flat_map(|message| {
        let keys: BTreeSet<Key> = message.selectors.iter().map(|selector| selector.key()).collect();
        keys.into_iter().map(|key| (message.id, key))
    });
    let addressed: BTreeSet<(i64, Key)> = told.addressed.iter().copied().collect();
    prop_assert_eq!(addressed, named.collect::<BTreeSet<_>>());
    Ok(())
}

fn entry(message: &Message) -> Entry {
    let revision = |stamp: Option<Stamp>| stamp.map_or(0, |stamp| stamp.revision.0);
    let at = |stamp: Option<Stamp>| stamp.map_or(0, |stamp| stamp.at.0);
    Entry {
        id: message.id,
        revision: revision(message.published),
        published_at: at(message.published),
        rule: message.rule,
        channels: 1,
        importance: 0,
        opens_at: message.opens_at,
        closes_at: message.closes_at,
        enabled: message.enabled,
        dismissible: false,
        must_acknowledge: false,
        sub_customers: false,
        recalled: revision(message.recalled),
        recalled_at: at(message.recalled),
        arrival: revision(message.arrival),
        arrival_at: at(message.arrival),
        ring: message.ring,
        edition: message.edition,
    }
}

fn tell(lists: &Lists, keys: &[Key], ids: &[i64]) -> Told {
    let postings = keys.iter().filter_map(|key| {
        let postings = lists.postings(*key)?;
        let is_listed = !postings.at_send.is_empty() || !postings.while_active.is_empty();
        is_listed.then(|| (*key, postings.at_send.clone(), postings.while_active.clone()))
    });
    let pairs = ids.iter().flat_map(|id| keys.iter().map(|key| (*id, *key)));
    Told {
        position: lists.position(),
        entries: (0..lists.len() as u32).map(|slot| *lists.entry(slot)).collect(),
        postings: postings.collect(),
        addressed: pairs
            .filter(|(id, key)| lists.addressed(*id).iter().any(|one| one.is_now() && one.key == *key))
            .collect(),
    }
}
