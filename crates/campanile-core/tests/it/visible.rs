//! "What could this person see at that time, and did they?"

use campanile_core::id::PersonId;
use campanile_core::inbox::act::{Action, All};
use campanile_core::message::Importance;
use campanile_core::message::change::Correction;
use campanile_core::message::draft::Draft;
use campanile_core::message::sent;
use campanile_core::message::target::Target;
use campanile_core::time::Moment;

use crate::world::{At, OWNER, PUBLISHER, Status, World, active, api_role, draft, each_world, role, user};

const NOTHING: [&str; 0] = [];

/// Ann, a publisher.
fn ann(world: &World<'_>) -> PersonId {
    let ann = world.person("ann");
    world.holds(ann, At::Environment, PUBLISHER);
    ann
}

fn before(at: Moment) -> Moment {
    at.plus_ms(-1)
}

#[test]
fn from_publication_on() {
    each_world(|world| {
        let ann = ann(world);
        let id = world.publish(draft("Sent", [user("ann")]));
        let published = world.message(id).published_at.unwrap();
        world.pass(100);
        assert_eq!(world.titles_at(ann, before(published)), NOTHING);
        assert_eq!(world.titles_at(ann, published), ["Sent"]);
        assert_eq!(world.titles_at(ann, world.now()), ["Sent"]);
    });
}

#[test]
fn what_is_now_is_what_the_inbox_shows() {
    each_world(|world| {
        let ann = ann(world);
        world.publish(draft("Sent", [user("ann")]));
        world.publish(draft("Foreign", [user("sender")]));
        world.publish(active("Active", [role("API_PUBLISHER")]));
        let recalled = world.publish(draft("Recalled", [user("ann")]));
        world.recall(recalled).unwrap();
        assert_eq!(world.titles_at(ann, world.now()), world.titles(ann));
    });
}

#[test]
fn with_the_words_of_that_time() {
    each_world(|world| {
        let ann = ann(world);
        let id = world.publish(Draft {
            text: "First.".to_owned(),
            sender_name: Some("One".to_owned()),
            ..draft("First", [user("ann")])
        });
        let first = world.now();
        let correct = |title: &str| {
            world.correct(
                id,
                Correction {
                    title: Some(title.to_owned()),
                    text: Some(format!("{title}.")),
                    sender_name: Some("Two".to_owned()),
                    importance: Some(Importance::High),
                    ..Correction::default()
                },
            );
            world.now()
        };
        let second = correct("Second");
        correct("Third");
        let then = &world.visible_at(ann, first)[0];
        assert_eq!((then.title.as_str(), then.text.as_str()), ("First", "First."));
        assert_eq!((then.sender_name.as_str(), then.importance), ("One", Importance::Low));
        assert_eq!(world.titles_at(ann, before(second)), ["First"]);
        let then = &world.visible_at(ann, second)[0];
        assert_eq!((then.title.as_str(), then.text.as_str()), ("Second", "Second."));
        assert_eq!((then.sender_name.as_str(), then.importance), ("Two", Importance::High));
        assert_eq!(world.titles_at(ann, world.now()), ["Third"]);
    });
}

#[test]
fn not_while_it_was_disabled() {
    each_world(|world| {
        let ann = ann(world);
        let id = world.publish(draft("Sent", [user("ann")]));
        world.disable(id);
        let disabled = world.now();
        world.pass(10);
        world.enable(id);
        let enabled = world.now();
        assert_eq!(world.titles_at(ann, before(disabled)), ["Sent"]);
        assert_eq!(world.titles_at(ann, disabled), NOTHING);
        assert_eq!(world.titles_at(ann, before(enabled)), NOTHING);
        assert_eq!(world.titles_at(ann, enabled), ["Sent"]);
    });
}

#[test]
fn not_after_it_was_recalled() {
    each_world(|world| {
        let ann = ann(world);
        let id = world.publish(draft("Sent", [user("ann")]));
        world.recall(id).unwrap();
        let recalled = world.now();
        assert_eq!(world.titles_at(ann, before(recalled)), ["Sent"]);
        assert_eq!(world.titles_at(ann, recalled), NOTHING);
    });
}

#[test]
fn not_outside_of_its_window_of_that_time() {
    each_world(|world| {
        let ann = ann(world);
        let (opens, closes) = (world.in_s(50), world.in_s(100));
        let id = world.publish(Draft {
            opens_at: Some(opens),
            closes_at: Some(closes),
            ..draft("Sent", [user("ann")])
        });
        world.pass(60);
        world.open_due();
        let opened = world.now();
        world.pass(100);
        world.correct(
            id,
            Correction {
                closes_at: Some(Some(world.in_s(100))),
                ..Correction::default()
            },
        );
        let reopened = world.now();
        assert_eq!(world.titles_at(ann, opens), NOTHING, "it was opened late");
        assert_eq!(world.titles_at(ann, opened), ["Sent"]);
        assert_eq!(world.titles_at(ann, closes.plus_ms(999)), ["Sent"]);
        assert_eq!(world.titles_at(ann, closes.plus_ms(1_000)), NOTHING);
        assert_eq!(world.titles_at(ann, before(reopened)), NOTHING);
        assert_eq!(world.titles_at(ann, reopened), ["Sent"]);
    });
}

#[test]
fn what_is_active_from_joining_to_leaving() {
    each_world(|world| {
        let bob = world.person("bob");
        world.publish(active("Active", [role("API_PUBLISHER")]));
        let published = world.now();
        world.holds(bob, At::Environment, PUBLISHER);
        let joined = world.now();
        world.leaves(bob, At::Environment, PUBLISHER);
        let left = world.now();
        assert_eq!(world.titles_at(bob, published), NOTHING);
        assert_eq!(world.titles_at(bob, joined), ["Active"]);
        assert_eq!(world.titles_at(bob, before(left)), ["Active"]);
        assert_eq!(world.titles_at(bob, left), NOTHING);
    });
}

#[test]
fn what_is_active_from_start_to_end_of_the_subscription() {
    each_world(|world| {
        let (bob, api, shop) = (world.person("bob"), world.api("payments"), world.application("shop"));
        world.holds(bob, At::Application(shop), OWNER);
        let subscription = world.subscribes(bob, shop, api);
        let (starts, ends) = (world.in_s(50), world.in_s(100));
        world.sets(subscription, bob, Status::Accepted, Some(starts), Some(ends));
        world.publish(active("Active", [api_role("payments", "OWNER")]));
        world.pass(200);
        assert_eq!(world.titles_at(bob, before(starts)), NOTHING);
        assert_eq!(world.titles_at(bob, starts), ["[PAYMENTS] Active"]);
        assert_eq!(world.titles_at(bob, before(ends)), ["[PAYMENTS] Active"]);
        assert_eq!(world.titles_at(bob, ends), NOTHING);
    });
}

#[test]
fn what_was_sent_also_after_leaving() {
    each_world(|world| {
        let ann = ann(world);
        world.publish(draft("Sent", [role("API_PUBLISHER")]));
        world.leaves(ann, At::Environment, PUBLISHER);
        assert_eq!(world.titles_at(ann, world.now()), ["Sent"]);
    });
}

#[test]
fn nothing_that_was_sent_before_joining() {
    each_world(|world| {
        let bob = world.person("bob");
        world.publish(draft("Sent", [role("API_PUBLISHER")]));
        world.holds(bob, At::Environment, PUBLISHER);
        assert_eq!(world.titles_at(bob, world.now()), NOTHING);
    });
}

#[test]
fn nothing_while_deactivated() {
    each_world(|world| {
        let ann = ann(world);
        world.publish(draft("Sent", [role("API_PUBLISHER")]));
        world.publish(active("Active", [role("API_PUBLISHER")]));
        world.deactivates(ann);
        let deactivated = world.now();
        world.publish(draft("Meanwhile", [role("API_PUBLISHER")]));
        world.revives(ann);
        let revived = world.now();
        assert_eq!(world.titles_at(ann, before(deactivated)), ["Active", "Sent"]);
        assert_eq!(world.titles_at(ann, deactivated), NOTHING);
        assert_eq!(world.titles_at(ann, before(revived)), NOTHING);
        assert_eq!(world.titles_at(ann, revived), ["Active", "Sent"]);
    });
}

#[test]
fn by_the_audience_of_that_time() {
    each_world(|world| {
        let (ann, bob) = (ann(world), world.person("bob"));
        let id = world.publish(active("Active", [user("ann")]));
        let readdress = |audience: Vec<Target>| {
            world.correct(
                id,
                Correction {
                    audience: Some(audience),
                    ..Correction::default()
                },
            );
            world.now()
        };
        let second = readdress(vec![user("bob"), role("ADMIN")]);
        let third = readdress(vec![Target::Everyone]);
        assert_eq!(world.titles_at(ann, before(second)), ["Active"]);
        assert_eq!(world.titles_at(bob, before(second)), NOTHING);
        assert_eq!(world.titles_at(ann, second), NOTHING);
        assert_eq!(world.titles_at(bob, before(third)), ["Active"]);
        assert_eq!(world.titles_at(ann, third), ["Active"]);
    });
}

#[test]
fn an_audience_changed_before_publication_is_the_one_that_counts() {
    each_world(|world| {
        let (ann, bob) = (ann(world), world.person("bob"));
        let id = world.publish(Draft {
            enabled: false,
            ..draft("Sent", [user("ann")])
        });
        world.correct(
            id,
            Correction {
                audience: Some(vec![user("bob")]),
                enabled: Some(true),
                ..Correction::default()
            },
        );
        assert_eq!(world.titles_at(ann, world.now()), NOTHING);
        assert_eq!(world.titles_at(bob, world.now()), ["Sent"]);
    });
}

#[test]
fn and_whether_they_did() {
    each_world(|world| {
        let ann = ann(world);
        let seen = world.publish(draft("Seen", [user("ann")]));
        world.marks(ann, All::Seen);
        let saw = world.now();
        let read = world.publish(draft("Read", [user("ann")]));
        world.does(ann, Action::Read, &[read]);
        let did = world.now();
        world.publish(draft("Neither", [user("ann")]));
        let found = world.visible_at(ann, world.now());
        let times: Vec<_> = found.iter().map(|one| (one.id, one.seen_at, one.read_at)).collect();
        assert_eq!(times[1..], [(read, Some(did), Some(did)), (seen, Some(saw), None)]);
        assert_eq!((times[0].1, times[0].2), (None, None));
    });
}

#[test]
fn and_whether_they_had_deleted_it() {
    each_world(|world| {
        let ann = ann(world);
        let id = world.publish(draft("Sent", [user("ann")]));
        let had = |at: Moment| {
            world
                .visible_at(ann, at)
                .iter()
                .map(|one| one.deleted)
                .collect::<Vec<_>>()
        };
        let there = world.now();
        world.does(ann, Action::Delete, &[id]);
        let deleted = world.now();
        assert_eq!((had(there), had(deleted)), (vec![false], vec![true]));
        world.does(ann, Action::Restore, &[id]);
        assert_eq!(had(world.now()), [false]);
        world.marks(ann, All::Deleted);
        assert_eq!((had(before(world.now())), had(world.now())), (vec![false], vec![true]));
    });
}

#[test]
fn with_the_name_that_its_api_had_then() {
    each_world(|world| {
        let (ann, shop) = (ann(world), world.application("shop"));
        world.holds(ann, At::Application(shop), OWNER);
        for key in ["payments", "orders"] {
            let api = world.api(key);
            world.subscribes(ann, shop, api);
        }
        let id = world.publish(active("Active", [api_role("payments", "OWNER")]));
        let first = world.now();
        let readdressed = Correction {
            audience: Some(vec![api_role("orders", "OWNER")]),
            ..Correction::default()
        };
        world.correct(id, readdressed);
        assert_eq!(world.titles_at(ann, first), ["[PAYMENTS] Active"]);
        assert_eq!(world.titles_at(ann, world.now()), ["[ORDERS] Active"]);
    });
}

#[test]
fn it_comes_in_pages() {
    each_world(|world| {
        let ann = ann(world);
        let audience = |at: usize| if at.is_multiple_of(2) { "ann" } else { "sender" };
        world.publish_many(
            (0..40)
                .map(|at| draft(&format!("{at}"), [user(audience(at))]))
                .collect(),
        );
        let mut titles = Vec::new();
        let mut below = Some(i64::MAX);
        let at = world.now();
        while let Some(from) = below {
            let page = world.db.read(move |tx| sent::visible_at(tx, ann, at, from, 6));
            let (found, next) = page.unwrap();
            assert!(found.len() <= 6);
            titles.extend(found.into_iter().map(|one| one.title));
            below = next;
        }
        let expected: Vec<String> = (0..40)
            .rev()
            .filter(|at| at % 2 == 0)
            .map(|at| at.to_string())
            .collect();
        assert_eq!(titles, expected);
    });
}
