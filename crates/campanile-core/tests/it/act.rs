//! What a person does: one message, many, all of it; and what undoes it.

use campanile_core::error::Error;
use campanile_core::id::MessageId;
use campanile_core::inbox::act::{self, Action, All, BATCH_LIMIT};
use campanile_core::inbox::{Filter, View};
use campanile_core::message::Importance;
use campanile_core::message::draft::Draft;
use campanile_core::message::target::Target;

use crate::world::{draft, each_world, fields, is_missing, user};

const NOTHING: [&str; 0] = [];

#[test]
fn read_and_unread() {
    each_world(|world| {
        let ann = world.person("ann");
        let id = world.publish(draft("One", [user("ann")]));
        world.publish(draft("Two", [user("ann")]));
        assert_eq!(world.unread(ann), ["Two", "One"]);
        world.does(ann, Action::Read, &[id]);
        assert_eq!(world.unread(ann), ["Two"]);
        assert!(world.one(ann, id).unwrap().read);
        world.does(ann, Action::Unread, &[id]);
        assert_eq!(world.unread(ann), ["Two", "One"]);
        assert!(!world.one(ann, id).unwrap().read);
    });
}

#[test]
fn archive_and_unarchive() {
    each_world(|world| {
        let ann = world.person("ann");
        let id = world.publish(draft("One", [user("ann")]));
        world.does(ann, Action::Archive, &[id]);
        assert_eq!(world.titles(ann), NOTHING);
        assert_eq!(world.counts(ann).unread, 0);
        assert_eq!(world.titles_of(ann, View::Archived), ["One"]);
        assert!(world.one(ann, id).unwrap().archived);
        world.does(ann, Action::Unarchive, &[id]);
        assert_eq!(world.unread(ann), ["One"]);
        assert_eq!(world.titles_of(ann, View::Archived), NOTHING);
    });
}

#[test]
fn delete_and_restore() {
    each_world(|world| {
        let ann = world.person("ann");
        let id = world.publish(draft("One", [user("ann")]));
        world.does(ann, Action::Delete, &[id]);
        assert_eq!(world.titles(ann), NOTHING);
        for view in [View::Unread, View::Archived, View::Past] {
            assert_eq!(world.titles_of(ann, view), NOTHING, "{view:?}");
        }
        assert!(is_missing(&world.one(ann, id)));
        assert!(is_missing(&world.tries(ann, Action::Read, &[id])), "it is gone");
        world.does(ann, Action::Restore, &[id]);
        assert_eq!(world.unread(ann), ["One"]);
    });
}

#[test]
fn what_is_deleted_or_archived_keeps_whether_it_was_read() {
    each_world(|world| {
        let ann = world.person("ann");
        let id = world.publish(draft("One", [user("ann")]));
        world.does(ann, Action::Read, &[id]);
        world.does(ann, Action::Archive, &[id]);
        world.does(ann, Action::Delete, &[id]);
        world.does(ann, Action::Restore, &[id]);
        assert_eq!(world.titles_of(ann, View::Archived), ["One"]);
        world.does(ann, Action::Unarchive, &[id]);
        assert!(world.one(ann, id).unwrap().read);
    });
}

#[test]
fn undoing_what_was_never_done_changes_nothing() {
    each_world(|world| {
        let ann = world.person("ann");
        let id = world.publish(draft("One", [user("ann")]));
        world.does(ann, Action::Unarchive, &[id]);
        world.does(ann, Action::Restore, &[id]);
        assert_eq!(world.unread(ann), ["One"]);
    });
}

#[test]
fn doing_it_twice_is_doing_it_once() {
    each_world(|world| {
        let ann = world.person("ann");
        let id = world.publish(draft("One", [user("ann")]));
        world.does(ann, Action::Read, &[id, id]);
        world.does(ann, Action::Read, &[id]);
        assert_eq!(world.number("SELECT COUNT(*) FROM engagement"), 1);
        assert_eq!(world.unread(ann), NOTHING);
    });
}

#[test]
fn what_one_does_is_ones_own() {
    each_world(|world| {
        let (ann, bob) = (world.person("ann"), world.person("bob"));
        let id = world.publish(draft("One", [Target::Everyone]));
        world.does(ann, Action::Read, &[id]);
        world.marks(ann, All::Read);
        world.marks(ann, All::Deleted);
        assert_eq!(world.unread(bob), ["One"]);
    });
}

#[test]
fn several_at_once() {
    each_world(|world| {
        let ann = world.person("ann");
        let send = |title: &str| world.publish(draft(title, [user("ann")]));
        let (one, two) = (send("One"), send("Two"));
        send("Three");
        world.does(ann, Action::Read, &[one, two]);
        assert_eq!(world.unread(ann), ["Three"]);
    });
}

#[test]
fn one_that_is_not_theirs_among_several_and_nothing_is_done() {
    each_world(|world| {
        let (ann, _) = (world.person("ann"), world.person("bob"));
        let own = world.publish(draft("Own", [user("ann")]));
        let foreign = world.publish(draft("Foreign", [user("bob")]));
        let recalled = world.publish(draft("Recalled", [user("ann")]));
        world.recall(recalled).unwrap();
        for action in [
            Action::Read,
            Action::Unread,
            Action::Archive,
            Action::Unarchive,
            Action::Delete,
            Action::Restore,
        ] {
            for other in [foreign, recalled, MessageId(99)] {
                assert!(
                    is_missing(&world.tries(ann, action, &[own, other])),
                    "{action:?} {other}"
                );
            }
        }
        assert_eq!(world.number("SELECT COUNT(*) FROM engagement"), 0);
        assert_eq!(world.unread(ann), ["Own"]);
    });
}

#[test]
fn at_most_so_many_by_name() {
    each_world(|world| {
        let ann = world.person("ann");
        let id = world.publish(draft("One", [user("ann")]));
        assert_eq!(fields(world.tries(ann, Action::Read, &[id; BATCH_LIMIT + 1])), ["ids"]);
        world.does(ann, Action::Read, &[id; BATCH_LIMIT]);
    });
}

#[test]
fn all_that_a_filter_takes() {
    each_world(|world| {
        let ann = world.person("ann");
        let send = |title: &str, importance| {
            world.publish(Draft {
                importance,
                ..draft(title, [user("ann")])
            });
        };
        send("High", Importance::High);
        send("Low", Importance::Low);
        send("Also high", Importance::High);
        let high = Filter {
            importance: Some(Importance::High),
            view: View::Unread,
            ..Filter::default()
        };
        assert_eq!(world.does_to_all(ann, Action::Read, high.clone()), 2);
        assert_eq!(world.unread(ann), ["Low"]);
        assert_eq!(world.does_to_all(ann, Action::Read, high), 0);
    });
}

#[test]
fn a_filter_that_takes_too_many_says_that_there_is_more() {
    each_world(|world| {
        let ann = world.person("ann");
        let many = BATCH_LIMIT + 5;
        world.publish_many((0..many).map(|at| draft(&format!("{at}"), [user("ann")])).collect());
        let filter = Filter {
            view: View::Unread,
            ..Filter::default()
        };
        assert_eq!(world.does_to_all(ann, Action::Read, filter.clone()), BATCH_LIMIT);
        assert_eq!(world.counts(ann).unread, 5);
        assert_eq!(
            world.titles_of(ann, View::Unread),
            ["4", "3", "2", "1", "0"],
            "the newest were done first"
        );
        assert_eq!(world.does_to_all(ann, Action::Read, filter), 5);
        assert_eq!(world.counts(ann).unread, 0);
    });
}

#[test]
fn what_was_read_by_hand_stays_read_when_it_is_enabled_again() {
    each_world(|world| {
        let ann = world.person("ann");
        let id = world.publish(draft("One", [user("ann")]));
        world.does(ann, Action::Read, &[id]);
        world.disable(id);
        world.enable(id);
        assert_eq!(world.unread(ann), NOTHING, "enabling does not ring");
    });
}

#[test]
fn ringing_again_makes_it_unread_for_everybody() {
    each_world(|world| {
        let (ann, bob) = (world.person("ann"), world.person("bob"));
        let id = world.publish(draft("One", [Target::Everyone]));
        world.does(ann, Action::Read, &[id]);
        world.marks(bob, All::Read);
        world.marks(bob, All::Seen);
        world.ring(id);
        assert_eq!(world.unread(ann), ["One"]);
        assert_eq!(world.unread(bob), ["One"]);
        assert_eq!(world.counts(bob).unseen, 1);
    });
}

#[test]
fn what_is_read_is_seen() {
    each_world(|world| {
        let ann = world.person("ann");
        let id = world.publish(draft("One", [user("ann")]));
        world.does(ann, Action::Read, &[id]);
        assert!(world.one(ann, id).unwrap().seen);
        assert_eq!(world.counts(ann).unseen, 0);
    });
}

#[test]
fn what_a_person_does_takes_no_place_in_the_order() {
    each_world(|world| {
        let ann = world.person("ann");
        let id = world.publish(draft("One", [user("ann")]));
        let revision = world.revision();
        world.does(ann, Action::Read, &[id]);
        world.marks(ann, All::Seen);
        assert_eq!(world.revision(), revision);
    });
}

#[test]
fn what_a_person_does_is_announced_to_their_other_devices() {
    each_world(|world| {
        let ann = world.person("ann");
        let id = world.publish(draft("One", [user("ann")]));
        let mut signals = world.db.db.signals();
        world.does(ann, Action::Read, &[id]);
        let heard = world.db.wait(async { signals.recv().await }).unwrap();
        let told = campanile_store::Signal {
            topic: campanile_core::revision::topic::PERSON,
            key: ann.0,
        };
        assert!(heard.contains(&told), "{heard:?}");
    });
}

#[test]
fn a_message_that_vanished_between_look_and_deed_is_not_acted_on() {
    each_world(|world| {
        let ann = world.person("ann");
        let plan = act::Plan::new(vec![77], 1, false);
        let now = world.now();
        let done = world.db.jot(move |tx| act::act(tx, ann, &plan, Action::Read, now));
        assert!(
            matches!(done, Err(Error::Store(_))),
            "there is no such message to refer to"
        );
    });
}
