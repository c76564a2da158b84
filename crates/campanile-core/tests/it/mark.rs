//! "All of it": what a mark covers and what it does not.

use campanile_core::id::{MessageId, PersonId};
use campanile_core::inbox::act::{self, Action, All, Plan};
use campanile_core::inbox::{UpTo, View};
use campanile_core::message::Channel;
use campanile_core::message::change::Correction;
use campanile_core::message::draft::Draft;
use campanile_core::message::sent::Part;
use campanile_core::message::target::Target;

use campanile_store::Sql;

use crate::world::{
    At, OWNER, PUBLISHER, Status, World, active, api_role, draft, each_world, is_missing, role, subtree, user,
};

const NOTHING: [&str; 0] = [];

#[test]
fn read_all_is_one_row_whatever_the_number_of_messages() {
    each_world(|world| {
        let ann = world.person("ann");
        world.publish_many((0..50).map(|at| draft(&format!("{at}"), [user("ann")])).collect());
        world.marks(ann, All::Read);
        assert_eq!(world.counts(ann).unread, 0);
        assert_eq!(world.counts(ann).total, 50);
        assert_eq!(world.number("SELECT COUNT(*) FROM mark"), 1);
        assert_eq!(world.number("SELECT COUNT(*) FROM engagement"), 0);
    });
}

#[test]
fn what_arrives_after_read_all_is_unread() {
    each_world(|world| {
        let ann = world.person("ann");
        world.publish(draft("Before", [user("ann")]));
        world.marks(ann, All::Read);
        world.publish(draft("After", [user("ann")]));
        assert_eq!(world.unread(ann), ["After"]);
    });
}

#[test]
fn what_arrived_while_the_page_was_open_is_not_covered_by_its_read_all() {
    each_world(|world| {
        let ann = world.person("ann");
        world.publish(draft("On the page", [user("ann")]));
        let page = world.loads(ann);
        world.publish(draft("Not on it", [user("ann")]));
        world.marks_up_to(ann, All::Read, page);
        assert_eq!(world.unread(ann), ["Not on it"]);
    });
}

#[test]
fn what_opened_by_the_clock_while_the_page_was_open_is_not_covered_by_its_read_all() {
    each_world(|world| {
        let ann = world.person("ann");
        let id = world.publish(draft("Opened since", [user("ann")]));
        let correction = Correction {
            opens_at: Some(Some(world.in_s(100))),
            ..Correction::default()
        };
        world.correct(id, correction);
        world.publish(draft("On the page", [user("ann")]));
        let page = world.loads(ann);
        world.pass(200);
        world.marks_up_to(ann, All::Read, page);
        assert_eq!(world.unread(ann), ["Opened since"]);
        world.marks(ann, All::Read);
        assert_eq!(world.unread(ann), NOTHING);
    });
}

#[test]
fn what_a_subscription_brought_by_the_clock_while_the_page_was_open_is_not_covered_by_its_read_all() {
    each_world(|world| {
        let (ann, api, shop) = (world.person("ann"), world.api("payments"), world.application("shop"));
        world.holds(ann, At::Application(shop), OWNER);
        let subscription = world.subscribes(ann, shop, api);
        let starts = world.in_s(100);
        world.sets(subscription, ann, Status::Accepted, Some(starts), None);
        world.publish(active("Active", [api_role("payments", "OWNER")]));
        let page = world.loads(ann);
        world.pass(200);
        world.marks_up_to(ann, All::Read, page);
        assert_eq!(world.unread(ann), ["[PAYMENTS] Active"]);
    });
}

#[test]
fn read_all_from_an_older_page_takes_nothing_back() {
    each_world(|world| {
        let ann = world.person("ann");
        let old = world.loads(ann);
        world.publish(draft("One", [user("ann")]));
        world.marks(ann, All::Read);
        world.marks_up_to(ann, All::Read, old);
        assert_eq!(world.unread(ann), NOTHING);
    });
}

/// Marks all of it in the millisecond that it is.
fn marks_at_once(world: &World<'_>, person: PersonId, all: All) {
    let (now, up_to) = (world.now(), world.loads(person));
    let marked = world.db.jot(move |tx| act::mark(tx, person, all, up_to, now));
    marked.expect("a mark is stored");
}

/// Does something in the millisecond that it is.
fn does_at_once(world: &World<'_>, person: PersonId, action: Action, id: MessageId) {
    let now = world.now();
    let plan = Plan::new(vec![id.0], world.revision(), false);
    let done = world.db.jot(move |tx| act::act(tx, person, &plan, action, now));
    done.expect("it is done");
}

#[test]
fn within_a_millisecond_unread_and_read_all_count_in_their_order() {
    each_world(|world| {
        let ann = world.person("ann");
        let id = world.publish(draft("One", [user("ann")]));
        for _ in 0..2 {
            does_at_once(world, ann, Action::Unread, id);
            assert_eq!(world.unread(ann), ["One"]);
            marks_at_once(world, ann, All::Read);
            assert_eq!(world.unread(ann), NOTHING);
        }
    });
}

#[test]
fn within_a_millisecond_delete_all_and_restore_count_in_their_order() {
    each_world(|world| {
        let ann = world.person("ann");
        let id = world.publish(draft("One", [user("ann")]));
        for _ in 0..2 {
            marks_at_once(world, ann, All::Deleted);
            assert_eq!(world.titles(ann), NOTHING);
            does_at_once(world, ann, Action::Restore, id);
            assert_eq!(world.titles(ann), ["One"]);
        }
    });
}

#[test]
fn two_marks_in_the_same_instant_are_both_kept_in_order() {
    each_world(|world| {
        let ann = world.person("ann");
        world.publish(draft("One", [user("ann")]));
        for _ in 0..2 {
            marks_at_once(world, ann, All::Read);
        }
        assert_eq!(world.number("SELECT COUNT(*) FROM mark"), 2);
        assert_eq!(world.number("SELECT MAX(at) - MIN(at) FROM mark"), 1);
        assert_eq!(world.unread(ann), NOTHING);
    });
}

#[test]
fn unread_by_hand_overrides_a_mark_made_before() {
    each_world(|world| {
        let ann = world.person("ann");
        let id = world.publish(draft("One", [user("ann")]));
        world.publish(draft("Two", [user("ann")]));
        world.marks(ann, All::Read);
        world.does(ann, Action::Unread, &[id]);
        assert_eq!(world.unread(ann), ["One"]);
    });
}

#[test]
fn a_mark_made_later_covers_what_was_unread_by_hand() {
    each_world(|world| {
        let ann = world.person("ann");
        let id = world.publish(draft("One", [user("ann")]));
        world.does(ann, Action::Unread, &[id]);
        world.marks(ann, All::Read);
        assert_eq!(world.unread(ann), NOTHING);
    });
}

#[test]
fn who_joins_after_read_all_has_what_was_active_before_it_unread() {
    each_world(|world| {
        let ann = world.person("ann");
        world.publish(active("Active", [role("API_PUBLISHER")]));
        world.marks(ann, All::Read);
        world.marks(ann, All::Seen);
        world.holds(ann, At::Environment, PUBLISHER);
        assert_eq!(world.unread(ann), ["Active"]);
        assert_eq!(world.counts(ann).unseen, 1);
    });
}

#[test]
fn who_had_it_read_by_one_fact_keeps_it_read_when_another_begins() {
    each_world(|world| {
        let ann = world.person("ann");
        world.publish(active("Active", [role("API_PUBLISHER"), Target::Everyone]));
        world.marks(ann, All::Read);
        world.holds(ann, At::Environment, PUBLISHER);
        assert_eq!(world.unread(ann), NOTHING);
    });
}

#[test]
fn what_was_read_stays_read_when_a_person_moves_within_the_subtree() {
    each_world(|world| {
        let ann = world.person("ann");
        let top = world.customer(None);
        let (left, right) = (world.customer(Some(top)), world.customer(Some(top)));
        world.moves(ann, Some(left));
        world.publish(active("Active", [subtree(top)]));
        world.marks(ann, All::Read);
        world.moves(ann, Some(right));
        assert_eq!(world.unread(ann), NOTHING, "it was there all the while");
        world.moves(ann, None);
        world.moves(ann, Some(right));
        assert_eq!(world.unread(ann), ["Active"], "it was gone for a while");
    });
}

#[test]
fn a_subscription_that_starts_after_the_mark_brings_unread_messages() {
    each_world(|world| {
        let (ann, api, shop) = (world.person("ann"), world.api("payments"), world.application("shop"));
        world.holds(ann, At::Application(shop), OWNER);
        let subscription = world.subscribes(ann, shop, api);
        let starts = world.in_s(100);
        world.sets(subscription, ann, Status::Accepted, Some(starts), None);
        world.publish(active("Active", [api_role("payments", "OWNER")]));
        world.marks(ann, All::Read);
        world.pass(200);
        assert_eq!(world.unread(ann), ["[PAYMENTS] Active"]);
        world.marks(ann, All::Read);
        assert_eq!(world.unread(ann), NOTHING);
    });
}

#[test]
fn what_one_subscription_showed_stays_read_when_an_older_one_starts() {
    each_world(|world| {
        let (ann, api) = (world.person("ann"), world.api("payments"));
        let (late, shop) = (world.application("late"), world.application("shop"));
        world.holds(ann, At::Application(late), OWNER);
        let subscription = world.subscribes(ann, late, api);
        world.sets(subscription, ann, Status::Accepted, Some(world.in_s(100)), None);
        world.holds(ann, At::Application(shop), OWNER);
        world.subscribes(ann, shop, api);
        world.publish(active("Active", [api_role("payments", "OWNER")]));
        world.marks(ann, All::Read);
        world.pass(200);
        assert_eq!(world.unread(ann), NOTHING);
    });
}

#[test]
fn a_renewed_subscription_leaves_what_was_read_read() {
    each_world(|world| {
        let (ann, api, shop) = (world.person("ann"), world.api("payments"), world.application("shop"));
        world.holds(ann, At::Application(shop), OWNER);
        let subscription = world.subscribes(ann, shop, api);
        world.publish(active("Active", [api_role("payments", "OWNER")]));
        world.marks(ann, All::Read);
        world.sets(subscription, ann, Status::Accepted, None, Some(world.in_s(500)));
        assert_eq!(world.unread(ann), NOTHING);
    });
}

#[test]
fn what_is_enabled_again_after_the_mark_is_unread() {
    each_world(|world| {
        let ann = world.person("ann");
        let id = world.publish(draft("One", [user("ann")]));
        world.marks(ann, All::Read);
        world.disable(id);
        world.enable(id);
        assert_eq!(world.unread(ann), ["One"]);
    });
}

#[test]
fn the_dot_tells_what_came_up_since_bell_or_inbox_was_opened() {
    each_world(|world| {
        let ann = world.person("ann");
        world.publish(draft("One", [user("ann")]));
        assert_eq!(world.counts(ann).unseen, 1);
        world.marks(ann, All::Seen);
        assert_eq!(world.counts(ann).unseen, 0);
        assert_eq!(world.unread(ann), ["One"], "seen is not read");
        assert!(world.inbox(ann)[0].seen);
        world.publish(draft("Two", [user("ann")]));
        assert_eq!(world.counts(ann).unseen, 1);
    });
}

#[test]
fn unread_by_hand_does_not_light_the_dot() {
    each_world(|world| {
        let ann = world.person("ann");
        let (one, two) = (
            world.publish(draft("One", [user("ann")])),
            world.publish(draft("Two", [user("ann")])),
        );
        world.does(ann, Action::Read, &[one]);
        world.does(ann, Action::Unread, &[one]);
        world.marks(ann, All::Read);
        world.does(ann, Action::Unread, &[one, two]);
        assert_eq!(world.unread(ann), ["Two", "One"]);
        assert_eq!(world.counts(ann).unseen, 0);
    });
}

#[test]
fn delete_all_removes_what_is_there_and_nothing_that_comes() {
    each_world(|world| {
        let ann = world.person("ann");
        let id = world.publish(draft("Before", [user("ann")]));
        world.marks(ann, All::Deleted);
        assert_eq!(world.titles(ann), NOTHING);
        assert!(is_missing(&world.one(ann, id)));
        assert_eq!(world.number("SELECT COUNT(*) FROM mark"), 1);
        world.publish(draft("After", [user("ann")]));
        assert_eq!(world.titles(ann), ["After"]);
    });
}

#[test]
fn one_that_delete_all_removed_can_be_restored() {
    each_world(|world| {
        let ann = world.person("ann");
        let id = world.publish(draft("One", [user("ann")]));
        world.publish(draft("Two", [user("ann")]));
        world.marks(ann, All::Deleted);
        world.does(ann, Action::Restore, &[id]);
        assert_eq!(world.titles(ann), ["One"]);
        world.marks(ann, All::Deleted);
        assert_eq!(world.titles(ann), NOTHING, "deleted once more");
    });
}

#[test]
fn delete_all_spares_what_is_put_away_also_once_it_is_taken_back() {
    each_world(|world| {
        let ann = world.person("ann");
        let id = world.publish(draft("Put away", [user("ann")]));
        world.publish(draft("There", [user("ann")]));
        world.does(ann, Action::Archive, &[id]);
        world.marks(ann, All::Deleted);
        assert_eq!(world.titles_of(ann, View::Archived), ["Put away"]);
        let seen = world.visible_at(ann, world.now());
        let deleted: Vec<_> = seen.iter().map(|one| (one.id == id, one.deleted)).collect();
        assert_eq!(deleted, [(false, true), (true, false)]);
        world.does(ann, Action::Unarchive, &[id]);
        assert_eq!(world.titles(ann), ["Put away"]);
        world.marks(ann, All::Deleted);
        assert_eq!(world.titles(ann), NOTHING, "it was in the inbox then");
    });
}

#[test]
fn delete_all_takes_no_banner_away_that_rings_no_bell() {
    each_world(|world| {
        let ann = world.person("ann");
        let banner = Draft {
            channels: vec![Channel::Banner],
            ..draft("Banner", [user("ann")])
        };
        world.publish(banner);
        world.publish(draft("There", [user("ann")]));
        world.marks(ann, All::Deleted);
        assert_eq!(world.titles_of(ann, View::Inbox), NOTHING);
        assert_eq!(world.titles_of(ann, View::Banners), ["Banner"]);
        let seen = world.visible_at(ann, world.now());
        assert_eq!(seen.iter().map(|one| one.deleted).collect::<Vec<_>>(), [true, false]);
    });
}

#[test]
fn of_two_marks_made_at_once_on_two_servers_neither_takes_the_other_back() {
    static MARK: Sql = Sql::new(
        "test::MARK",
        "INSERT INTO mark (person, kind, at, revision, clock, written) VALUES ($1, 2, $2, $3, $4, 1)",
    );
    each_world(|world| {
        let ann = world.person("ann");
        let page = world.revision();
        world.publish(draft("One", [user("ann")]));
        let (now, revision) = (world.now().0, world.revision());
        let done = world.db.jot(move |tx| {
            tx.execute(&MARK, &[&ann.0, &now, &revision, &now])?;
            tx.execute(&MARK, &[&ann.0, &(now + 1), &page, &(now + 1)])
        });
        done.expect("marks are stored");
        assert_eq!(world.unread(ann), NOTHING);
        world.marks_up_to(
            ann,
            All::Read,
            UpTo {
                revision: page,
                clock: world.now(),
            },
        );
        assert_eq!(world.unread(ann), NOTHING, "nor does the next one");
    });
}

/// Gives a message another audience.
fn readdresses(world: &World<'_>, id: MessageId, audience: impl Into<Vec<Target>>) {
    world.correct(
        id,
        Correction {
            audience: Some(audience.into()),
            ..Correction::default()
        },
    );
}

#[test]
fn whoever_is_added_to_an_audience_has_not_read_it_by_a_mark_made_before() {
    each_world(|world| {
        let (ann, bob) = (world.person("ann"), world.person("bob"));
        let id = world.publish(active("For one", [user("ann")]));
        world.publish(draft("For all", [Target::Everyone]));
        for person in [ann, bob] {
            world.marks(person, All::Read);
        }
        readdresses(world, id, [user("ann"), user("bob")]);
        assert_eq!(world.unread(ann), NOTHING);
        assert_eq!(world.unread(bob), ["For one"]);
        assert_eq!(world.counts(bob).unseen, 1);
        assert_eq!(world.logins(id, Part::Read), ["ann"]);
        assert_eq!(world.logins(id, Part::Unseen), ["bob"]);
        let bobs = world.recipients(id, Part::Unread).swap_remove(0);
        assert_eq!((bobs.seen_at, bobs.read_at), (None, None));
        world.marks(bob, All::Read);
        assert_eq!(world.unread(bob), NOTHING);
        assert_eq!(world.logins(id, Part::Read), ["ann", "bob"]);
    });
}

#[test]
fn whoever_stays_in_the_audience_by_another_part_of_it_has_read_it_still() {
    each_world(|world| {
        let (ann, bob) = (world.person("ann"), world.person("bob"));
        let id = world.publish(active("Narrowed", [Target::Everyone]));
        world.marks(ann, All::Read);
        let read = world.now();
        readdresses(world, id, [user("ann"), user("bob")]);
        assert_eq!(world.unread(ann), NOTHING);
        assert_eq!(world.unread(bob), ["Narrowed"]);
        assert_eq!(world.titles(world.sender), NOTHING);
        let anns = world.recipients(id, Part::Read).swap_remove(0);
        assert_eq!((anns.seen_at, anns.read_at), (Some(read), Some(read)));
        assert_eq!(world.titles_at(world.sender, read), ["Narrowed"]);
        assert_eq!(world.titles_at(world.sender, world.now()), NOTHING);
    });
}

#[test]
fn whoever_was_out_of_the_audience_for_a_while_has_it_anew() {
    each_world(|world| {
        let ann = world.person("ann");
        let id = world.publish(active("Back", [user("ann")]));
        world.marks(ann, All::Read);
        readdresses(world, id, [user("sender")]);
        assert_eq!(world.titles(ann), NOTHING);
        readdresses(world, id, [user("ann")]);
        assert_eq!(world.unread(ann), ["Back"]);
        assert_eq!(world.logins(id, Part::Read), NOTHING);
    });
}
