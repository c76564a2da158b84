//! How far a message got: exact against the inbox of every person, and frozen where it must be.

use std::collections::BTreeSet;

use campanile_core::id::{MessageId, PersonId};
use campanile_core::inbox::View;
use campanile_core::inbox::act::{Action, All};
use campanile_core::message::change::Correction;
use campanile_core::message::draft::Draft;
use campanile_core::message::funnel;
use campanile_core::message::sent::{self, By, Part};
use campanile_core::message::target::Target;
use campanile_core::rights::Rights;
use campanile_core::time::Moment;

use crate::world::{
    At, OWNER, PUBLISHER, Shop, Status, World, active, api_role, customer, draft, each_world, group, role, subscribers,
    subtree, user,
};

const NOBODY: [&str; 0] = [];

/// Ann, Bob, Cid, Dan and Eve hold the role of a publisher.
fn five(world: &World<'_>) -> [PersonId; 5] {
    ["ann", "bob", "cid", "dan", "eve"].map(|key| {
        let person = world.person(key);
        world.holds(person, At::Environment, PUBLISHER);
        person
    })
}

/// The funnel is what the inboxes of all people show.
fn holds_to_the_inboxes(world: &World<'_>, id: MessageId) {
    let people = world.number("SELECT COUNT(*) FROM person");
    let mut expected = [BTreeSet::new(), BTreeSet::new(), BTreeSet::new()];
    for person in 1..=people {
        let views = [View::Inbox, View::Archived, View::Past];
        let shown = views.map(|view| world.view(PersonId(person), view)).concat();
        if let Some(item) = shown.into_iter().find(|item| item.id == id) {
            let person = person as u32;
            expected[0].insert(person);
            if item.seen {
                expected[1].insert(person);
            }
            if item.read {
                expected[2].insert(person);
            }
        }
    }
    let crowds = world.crowds(id);
    let found = [crowds.people, crowds.seen, crowds.read].map(|crowd| crowd.iter().collect::<BTreeSet<u32>>());
    assert_eq!(found, expected, "[people, seen, read]");
    let funnel = world.funnel(id);
    let numbers = [funnel.people, funnel.seen, funnel.read];
    assert_eq!(numbers, expected.map(|crowd| crowd.len() as u64));
}

#[test]
fn the_funnel_is_what_the_inboxes_show() {
    each_world(|world| {
        let [ann, bob, cid, dan, _] = five(world);
        let other = world.publish(draft("Other", [Target::Everyone]));
        let id = world.publish(draft("Sent", [role("API_PUBLISHER")]));
        holds_to_the_inboxes(world, id);
        world.marks(ann, All::Seen);
        world.does(bob, Action::Read, &[id]);
        world.marks(cid, All::Read);
        world.does(dan, Action::Read, &[other]);
        holds_to_the_inboxes(world, id);
        world.does(cid, Action::Unread, &[id]);
        world.does(dan, Action::Archive, &[other]);
        holds_to_the_inboxes(world, id);
        world.does(bob, Action::Archive, &[id]);
        world.marks(cid, All::Read);
        holds_to_the_inboxes(world, id);
        holds_to_the_inboxes(world, other);
        let funnel = world.funnel(id);
        assert_eq!((funnel.people, funnel.seen, funnel.read), (5, 3, 2));
    });
}

#[test]
fn the_funnel_of_what_is_active_is_what_the_inboxes_show() {
    each_world(|world| {
        let [ann, bob, cid, dan, eve] = five(world);
        world.leaves(dan, At::Environment, PUBLISHER);
        world.leaves(eve, At::Environment, PUBLISHER);
        let id = world.publish(active("Active", [role("API_PUBLISHER")]));
        for person in [ann, bob, dan] {
            world.marks(person, All::Read);
        }
        world.marks(cid, All::Seen);
        world.leaves(ann, At::Environment, PUBLISHER);
        world.holds(dan, At::Environment, PUBLISHER);
        holds_to_the_inboxes(world, id);
        world.marks(dan, All::Seen);
        world.holds(eve, At::Environment, PUBLISHER);
        world.marks(eve, All::Read);
        world.deactivates(bob);
        holds_to_the_inboxes(world, id);
        let funnel = world.funnel(id);
        assert_eq!((funnel.people, funnel.seen, funnel.read), (3, 3, 1));
    });
}

#[test]
fn who_moved_within_the_subtree_has_still_seen_it() {
    each_world(|world| {
        let ann = world.person("ann");
        let top = world.customer(None);
        let (left, right) = (world.customer(Some(top)), world.customer(Some(top)));
        world.moves(ann, Some(left));
        let id = world.publish(active("Active", [subtree(top)]));
        world.marks(ann, All::Read);
        world.moves(ann, Some(right));
        holds_to_the_inboxes(world, id);
        assert_eq!(world.logins(id, Part::Read), ["ann"]);
        world.moves(ann, None);
        world.moves(ann, Some(right));
        holds_to_the_inboxes(world, id);
        assert_eq!(world.logins(id, Part::Unseen), ["ann"]);
    });
}

#[test]
fn a_mark_before_the_subscription_starts_by_the_clock_does_not_count() {
    each_world(|world| {
        let (ann, api, shop) = (world.person("ann"), world.api("payments"), world.application("shop"));
        world.holds(ann, At::Application(shop), OWNER);
        let subscription = world.subscribes(ann, shop, api);
        world.sets(subscription, ann, Status::Accepted, Some(world.in_s(100)), None);
        let id = world.publish(active("Active", [api_role("payments", "OWNER")]));
        world.marks(ann, All::Read);
        assert_eq!(world.funnel(id).people, 0);
        world.pass(200);
        holds_to_the_inboxes(world, id);
        assert_eq!(world.logins(id, Part::Unseen), ["ann"]);
        world.marks(ann, All::Read);
        holds_to_the_inboxes(world, id);
        assert_eq!(world.logins(id, Part::Read), ["ann"]);
    });
}

#[test]
fn who_a_sent_message_was_for_stays_the_same_for_ever() {
    each_world(|world| {
        let [ann, bob, ..] = five(world);
        let id = world.publish(draft("Sent", [role("API_PUBLISHER")]));
        let before = world.logins(id, Part::All);
        assert_eq!(before, ["ann", "bob", "cid", "dan", "eve"]);
        world.leaves(ann, At::Environment, PUBLISHER);
        world.deactivates(bob);
        let fay = world.person("fay");
        world.holds(fay, At::Environment, PUBLISHER);
        assert_eq!(world.logins(id, Part::All), before);
        world.forget_audiences();
        assert_eq!(world.logins(id, Part::All), before, "judged anew, from history");
        assert!(!world.recipients(id, Part::All)[1].person.active);
    });
}

#[test]
fn who_an_active_message_is_for_is_who_matches_now() {
    each_world(|world| {
        let [ann, ..] = five(world);
        let id = world.publish(active("Active", [role("API_PUBLISHER")]));
        world.leaves(ann, At::Environment, PUBLISHER);
        assert_eq!(world.logins(id, Part::All), ["bob", "cid", "dan", "eve"]);
    });
}

/// Everybody of an active message with an end, in the world where it is over and much has happened since.
fn over<T>(world: &World<'_>, end: impl FnOnce(MessageId) -> T) -> MessageId {
    let [ann, bob, cid, ..] = five(world);
    let closes_at = Some(world.in_s(50));
    let id = world.publish(Draft {
        closes_at,
        ..active("Active", [role("API_PUBLISHER")])
    });
    world.marks(bob, All::Seen);
    world.leaves(ann, At::Environment, PUBLISHER);
    world.marks(cid, All::Read);
    end(id);
    world.leaves(bob, At::Environment, PUBLISHER);
    world.deactivates(cid);
    world.holds(ann, At::Environment, PUBLISHER);
    let fay = world.person("fay");
    world.holds(fay, At::Environment, PUBLISHER);
    world.marks(fay, All::Read);
    id
}

/// Those who matched at the end, and what they had done by then.
fn is_as_at_the_end(world: &World<'_>, id: MessageId) {
    for _ in 0..2 {
        assert_eq!(world.logins(id, Part::All), ["bob", "cid", "dan", "eve"]);
        assert_eq!(world.logins(id, Part::Seen), ["bob", "cid"]);
        assert_eq!(world.logins(id, Part::Read), ["cid"]);
        let [bob, cid, ..] = &world.recipients(id, Part::All)[..] else {
            panic!("they are four");
        };
        assert!(bob.seen_at.is_some() && cid.seen_at.is_some() && cid.read_at.is_some());
        let funnel = world.funnel(id);
        assert_eq!((funnel.people, funnel.seen, funnel.read), (4, 2, 1));
        world.pass(1_000);
    }
}

#[test]
fn who_a_closed_message_was_for_is_who_matched_at_its_end() {
    each_world(|world| {
        let id = over(world, |_| world.pass(100));
        is_as_at_the_end(world, id);
    });
}

#[test]
fn who_a_recalled_message_was_for_is_who_matched_when_it_was_recalled() {
    each_world(|world| {
        let id = over(world, |id| {
            world.recall(id).unwrap();
        });
        is_as_at_the_end(world, id);
    });
}

#[test]
fn who_a_closed_message_was_for_stays_when_it_is_recalled() {
    each_world(|world| {
        let id = over(world, |_| world.pass(100));
        world.recall(id).unwrap();
        is_as_at_the_end(world, id);
    });
}

#[test]
fn a_window_that_is_moved_into_the_past_ends_where_it_was_moved() {
    each_world(|world| {
        let id = over(world, |id| {
            let past = world.in_s(-3_000);
            let correction = Correction {
                opens_at: Some(None),
                closes_at: Some(Some(past)),
                ..Correction::default()
            };
            world.correct(id, correction);
        });
        assert_eq!(world.logins(id, Part::All), ["bob", "cid", "dan", "eve"]);
        assert_eq!(world.logins(id, Part::Seen), ["bob", "cid"]);
    });
}

#[test]
fn a_message_that_is_opened_again_is_for_who_matches_now() {
    each_world(|world| {
        let id = over(world, |_| world.pass(100));
        let correction = Correction {
            closes_at: Some(None),
            ..Correction::default()
        };
        world.correct(id, correction);
        assert_eq!(world.logins(id, Part::All), ["ann", "dan", "eve", "fay"]);
    });
}

#[test]
fn a_subscription_that_ran_out_after_the_end_counted_then() {
    each_world(|world| {
        let (ann, api, shop) = (world.person("ann"), world.api("payments"), world.application("shop"));
        world.holds(ann, At::Application(shop), OWNER);
        let subscription = world.subscribes(ann, shop, api);
        world.sets(
            subscription,
            ann,
            Status::Accepted,
            Some(world.in_s(20)),
            Some(world.in_s(100)),
        );
        let closes_at = Some(world.in_s(50));
        let id = world.publish(Draft {
            closes_at,
            ..active("Active", [api_role("payments", "OWNER"), subscribers("payments")])
        });
        world.pass(30);
        world.marks(ann, All::Seen);
        world.pass(500);
        assert_eq!(world.logins(id, Part::Seen), ["ann"]);
        world.sets(subscription, ann, Status::Closed, None, None);
        assert_eq!(world.logins(id, Part::Seen), ["ann"]);
    });
}

#[test]
fn numbers_of_many_messages_are_those_of_each() {
    each_world(|world| {
        let [ann, bob, ..] = five(world);
        let ids: Vec<MessageId> = (0..45)
            .map(|at| {
                if at % 9 == 0 {
                    world.marks(if at % 2 == 0 { ann } else { bob }, All::Read);
                }
                let audience = [role("API_PUBLISHER")];
                let id = world.publish(if at % 2 == 0 {
                    draft("Sent", audience)
                } else {
                    active("Active", audience)
                });
                world.does(ann, if at % 3 == 0 { Action::Read } else { Action::Unread }, &[id]);
                id
            })
            .collect();
        world.marks(bob, All::Seen);
        let each: Vec<_> = ids.iter().map(|id| Some(world.funnel(*id))).collect();
        assert_eq!(world.funnels(&ids), each);
    });
}

#[test]
fn who_has_no_address_is_counted() {
    each_world(|world| {
        let [ann, ..] = five(world);
        let fay = world.person_without_email("fay");
        world.holds(fay, At::Environment, PUBLISHER);
        let id = world.publish(draft("Sent", [role("API_PUBLISHER"), user("ann")]));
        let funnel = world.funnel(id);
        assert_eq!((funnel.people, funnel.without_email), (6, 1));
        assert!(!world.recipients(id, Part::All)[5].person.has_email);
        world.leaves(ann, At::Environment, PUBLISHER);
        world.forget_audiences();
        assert_eq!(world.funnel(id).without_email, 1);
    });
}

#[test]
fn the_size_is_stored_once() {
    each_world(|world| {
        five(world);
        let id = world.publish(draft("Sent", [role("API_PUBLISHER")]));
        assert_eq!(
            (world.message(id).people, world.message(id).without_email),
            (None, None)
        );
        for (people, without_email) in [(5, 0), (9, 9)] {
            let stored = world
                .db
                .jot(move |tx| funnel::store_size(tx, id, people, without_email));
            stored.unwrap();
        }
        assert_eq!(
            (world.message(id).people, world.message(id).without_email),
            (Some(5), Some(0))
        );
    });
}

#[test]
fn a_mark_after_the_window_has_closed_does_not_count() {
    each_world(|world| {
        let [ann, bob, cid, ..] = five(world);
        let closes = world.in_s(50);
        let id = world.publish(Draft {
            closes_at: Some(closes),
            ..draft("Sent", [role("API_PUBLISHER")])
        });
        world.marks(ann, All::Read);
        world.pass((closes.0 - world.now().0) / 1_000 - 1);
        world.marks(bob, All::Seen);
        assert_eq!(world.now(), closes);
        world.marks(cid, All::Read);
        assert_eq!(
            world.logins(id, Part::Seen),
            ["ann", "bob"],
            "its last second is inside"
        );
        assert_eq!(world.logins(id, Part::Read), ["ann"]);
    });
}

#[test]
fn a_mark_after_the_recall_does_not_count() {
    each_world(|world| {
        let [ann, bob, ..] = five(world);
        let id = world.publish(draft("Sent", [role("API_PUBLISHER")]));
        world.marks(ann, All::Read);
        world.recall(id).unwrap();
        world.marks(bob, All::Read);
        assert_eq!(world.logins(id, Part::Seen), ["ann"]);
        assert_eq!(world.logins(id, Part::Read), ["ann"]);
        assert_eq!(world.funnel(id).people, 5);
    });
}

#[test]
fn a_mark_while_it_was_disabled_does_not_count() {
    each_world(|world| {
        let [ann, bob, cid, ..] = five(world);
        let id = world.publish(draft("Sent", [role("API_PUBLISHER")]));
        world.marks(ann, All::Seen);
        world.disable(id);
        world.marks(bob, All::Seen);
        world.enable(id);
        world.marks(cid, All::Seen);
        assert_eq!(world.logins(id, Part::Seen), ["ann", "cid"]);
    });
}

#[test]
fn a_mark_in_the_window_of_then_counts_when_the_window_is_moved() {
    each_world(|world| {
        let [ann, bob, ..] = five(world);
        let id = world.publish(draft("Sent", [role("API_PUBLISHER")]));
        world.marks(ann, All::Seen);
        let later = Correction {
            opens_at: Some(Some(world.in_s(100))),
            ..Correction::default()
        };
        world.correct(id, later);
        world.marks(bob, All::Seen);
        world.pass(200);
        assert_eq!(world.logins(id, Part::Seen), ["ann"]);
    });
}

#[test]
fn ringing_again_starts_reading_anew_and_keeps_who_has_seen_it() {
    each_world(|world| {
        let [ann, bob, cid, ..] = five(world);
        let id = world.publish(draft("Sent", [role("API_PUBLISHER")]));
        world.does(ann, Action::Read, &[id]);
        world.marks(bob, All::Read);
        world.ring(id);
        assert_eq!(world.logins(id, Part::Read), NOBODY);
        assert_eq!(world.logins(id, Part::Seen), ["ann", "bob"]);
        world.marks(cid, All::Read);
        assert_eq!(world.logins(id, Part::Read), ["cid"]);
        for one in world.recipients(id, Part::Unread) {
            assert_eq!(one.read_at, None, "{}", one.person.login);
        }
    });
}

#[test]
fn the_parts_of_an_audience_are_the_crowds() {
    each_world(|world| {
        let [ann, bob, ..] = five(world);
        let id = world.publish(draft("Sent", [role("API_PUBLISHER")]));
        world.marks(ann, All::Seen);
        world.does(bob, Action::Read, &[id]);
        assert_eq!(world.logins(id, Part::All), ["ann", "bob", "cid", "dan", "eve"]);
        assert_eq!(world.logins(id, Part::Seen), ["ann", "bob"]);
        assert_eq!(world.logins(id, Part::Unseen), ["cid", "dan", "eve"]);
        assert_eq!(world.logins(id, Part::Read), ["bob"]);
        assert_eq!(world.logins(id, Part::Unread), ["ann", "cid", "dan", "eve"]);
    });
}

#[test]
fn recipients_come_in_pages() {
    each_world(|world| {
        five(world);
        let id = world.publish(draft("Sent", [role("API_PUBLISHER")]));
        let mut logins = Vec::new();
        let mut after = None;
        loop {
            let (page, next) = world.recipients_page(id, Part::All, after, 2);
            assert!(page.len() <= 2);
            logins.extend(page.into_iter().map(|one| one.person.login));
            after = next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(logins, ["ann", "bob", "cid", "dan", "eve"]);
    });
}

#[test]
fn when_it_was_seen_and_read_is_the_first_time() {
    each_world(|world| {
        let [ann, bob, cid, ..] = five(world);
        world.marks(ann, All::Read);
        let id = world.publish(draft("Sent", [role("API_PUBLISHER")]));
        world.marks(ann, All::Seen);
        let ann_saw = world.now();
        world.marks(ann, All::Seen);
        world.does(ann, Action::Read, &[id]);
        let ann_read = world.now();
        world.marks(ann, All::Read);
        world.marks(bob, All::Read);
        let bob_read = world.now();
        world.marks(bob, All::Read);
        world.does(cid, Action::Archive, &[id]);
        let cid_had = world.now();
        let times = world.recipients(id, Part::All);
        let of = |at: usize| (times[at].seen_at, times[at].read_at);
        assert_eq!(of(0), (Some(ann_saw), Some(ann_read)));
        assert_eq!(of(1), (Some(bob_read), Some(bob_read)));
        assert_eq!(of(2), (Some(cid_had), None), "whoever put it away had it before them");
        assert_eq!(of(3), (None, None));
    });
}

#[test]
fn unread_by_hand_takes_the_time_of_reading_back_until_it_is_read_again() {
    each_world(|world| {
        let [ann, ..] = five(world);
        let id = world.publish(draft("Sent", [role("API_PUBLISHER")]));
        world.marks(ann, All::Read);
        let saw = world.now();
        world.does(ann, Action::Unread, &[id]);
        let ann_now = |world: &World<'_>| {
            let one = world.recipients(id, Part::All).swap_remove(0);
            (one.seen_at, one.read_at)
        };
        assert_eq!(ann_now(world), (Some(saw), None));
        assert_eq!(world.logins(id, Part::Read), NOBODY);
        world.marks(ann, All::Read);
        assert_eq!(ann_now(world), (Some(saw), Some(world.now())));
        assert_eq!(world.logins(id, Part::Read), ["ann"]);
    });
}

/// When the first of the audience saw and read it, as the list of recipients and the past of this person tell.
fn first_times(world: &World<'_>, id: MessageId) -> (Option<Moment>, Option<Moment>) {
    let one = world.recipients(id, Part::All).swap_remove(0);
    (one.seen_at, one.read_at)
}

#[test]
fn the_first_time_of_reading_stands_however_often_it_is_read() {
    each_world(|world| {
        let [ann, ..] = five(world);
        let id = world.publish(draft("Sent", [role("API_PUBLISHER")]));
        world.does(ann, Action::Read, &[id]);
        let read = world.now();
        for action in [Action::Read, Action::Archive, Action::Unarchive, Action::Read] {
            world.pass(100);
            world.does(ann, action, &[id]);
            assert_eq!(first_times(world, id), (Some(read), Some(read)), "{action:?}");
        }
        let then = world.visible_at(ann, world.now()).swap_remove(0);
        assert_eq!((then.seen_at, then.read_at), (Some(read), Some(read)));
    });
}

#[test]
fn nothing_that_is_done_later_takes_away_when_it_was_first_seen() {
    each_world(|world| {
        let [ann, ..] = five(world);
        let id = world.publish(draft("Sent", [role("API_PUBLISHER")]));
        world.does(ann, Action::Read, &[id]);
        let saw = world.now();
        for action in [Action::Unread, Action::Archive, Action::Unarchive, Action::Unread] {
            world.does(ann, action, &[id]);
            assert_eq!(first_times(world, id), (Some(saw), None), "{action:?}");
        }
        world.does(ann, Action::Read, &[id]);
        assert_eq!(first_times(world, id), (Some(saw), Some(world.now())), "read again");
    });
}

#[test]
fn what_is_read_after_the_bell_rang_again_was_read_then() {
    each_world(|world| {
        let [ann, ..] = five(world);
        let id = world.publish(draft("Sent", [role("API_PUBLISHER")]));
        world.does(ann, Action::Read, &[id]);
        let saw = world.now();
        world.ring(id);
        world.does(ann, Action::Read, &[id]);
        assert_eq!(first_times(world, id), (Some(saw), Some(world.now())));
    });
}

#[test]
fn times_of_what_is_active_begin_when_the_person_joined() {
    each_world(|world| {
        let ann = world.person("ann");
        let id = world.publish(active("Active", [role("API_PUBLISHER")]));
        world.marks(ann, All::Read);
        world.holds(ann, At::Environment, PUBLISHER);
        let one = world.recipients(id, Part::Unseen).swap_remove(0);
        assert_eq!((one.seen_at, one.read_at), (None, None));
        world.marks(ann, All::Read);
        let one = world.recipients(id, Part::Read).swap_remove(0);
        assert_eq!((one.seen_at, one.read_at), (Some(world.now()), Some(world.now())));
    });
}

#[test]
fn who_had_no_address_is_told_of_the_time_at_which_they_were_counted() {
    each_world(|world| {
        five(world);
        let id = world.publish(draft("Sent", [role("API_PUBLISHER")]));
        let now = world.funnel(id);
        let counted = world.db.jot(move |tx| funnel::store_size(tx, id, now.people, 1));
        counted.expect("the size is stored");
        let told = world.funnel(id);
        assert_eq!((told.people, told.without_email), (now.people, 1));
    });
}

#[test]
fn people_are_found_by_the_beginning_of_login_name_or_address() {
    each_world(|world| {
        five(world);
        let found = |words: &str, by: By| {
            let words = words.to_owned();
            let found = world.db.read(move |tx| {
                let ids = sent::search(tx, &words, by)?.unwrap_or_default();
                sent::people(tx, &ids.into_iter().collect::<Vec<u32>>())
            });
            let logins = found.unwrap().into_iter().map(|one| one.login);
            logins.collect::<Vec<String>>()
        };
        for by in [By::Name, By::NameAndAddress] {
            assert_eq!(found("AN", by), ["ann"]);
            assert_eq!(found(" name of b", by), ["bob"]);
            assert_eq!(found("nn", by), NOBODY);
            assert_eq!(found("%", by), NOBODY);
            assert_eq!(found("name of", by).len(), 6);
            assert_eq!(found(" ", by), NOBODY);
        }
        assert_eq!(found("cid@example", By::NameAndAddress), ["cid"]);
        assert_eq!(found("cid@example", By::Name), NOBODY);
    });
}

#[test]
fn people_are_found_by_an_address_only_by_who_may_read_the_directory() {
    let nobody = Rights::none(PersonId(1));
    assert_eq!(By::rights(&nobody), By::Name);
    let reader = Rights {
        is_organization_admin: true,
        ..nobody
    };
    assert_eq!(By::rights(&reader), By::NameAndAddress);
}

#[test]
fn history_tells_the_audience_of_every_kind() {
    each_world(|world| {
        let Shop { ann, application, .. } = world.shop();
        let (top, team) = (world.customer(None), world.group("team"));
        let below = world.customer(Some(top));
        let (bob, cid) = (world.person("bob"), world.person("cid"));
        world.moves(bob, Some(top));
        world.moves(cid, Some(below));
        world.holds(bob, At::Environment, PUBLISHER);
        world.holds(cid, At::Group(team), OWNER);
        world.attaches(team, application);
        let expected: [(Target, &[&str]); 8] = [
            (role("API_PUBLISHER"), &["bob"]),
            (api_role("payments", "OWNER"), &["ann", "cid"]),
            (subscribers("payments"), &["ann"]),
            (customer(top), &["bob"]),
            (subtree(top), &["bob", "cid"]),
            (Target::Everyone, &["sender", "ann", "bob", "cid"]),
            (group("team"), &["cid"]),
            (user("bob"), &["bob"]),
        ];
        let sent = expected.map(|(part, logins)| (world.publish(draft("Sent", [part])), logins));
        for (id, logins) in sent {
            assert_eq!(world.logins(id, Part::All), logins, "nothing has changed since");
        }
        // Everybody goes, and somebody else comes.
        world.leaves(bob, At::Environment, PUBLISHER);
        world.leaves(cid, At::Group(team), OWNER);
        world.leaves(ann, At::Application(application), OWNER);
        world.moves(bob, None);
        world.moves(cid, None);
        world.deactivates(ann);
        let eve = world.person("eve");
        world.moves(eve, Some(top));
        world.holds(eve, At::Environment, PUBLISHER);
        world.forget_audiences();
        for (id, logins) in sent {
            assert_eq!(world.logins(id, Part::All), logins, "message {id}, judged from history");
        }
    });
}
