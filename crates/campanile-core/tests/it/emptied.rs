//! "Delete all": it takes what stood in the inbox then, for good, and nothing else.

use std::collections::BTreeSet;

use campanile_core::id::MessageId;
use campanile_core::inbox::View;
use campanile_core::inbox::act::{Action, All};
use campanile_core::message::change::Correction;
use campanile_core::message::draft::Draft;
use campanile_core::time::Moment;

use crate::random::Play;
use crate::world::{At, active, api_role, draft, each_world, role, user};
use crate::world::{OWNER, PUBLISHER, World};

const NOTHING: [&str; 0] = [];

/// Moves the window of a message.
fn moves(world: &World<'_>, id: MessageId, opens_at: Option<Moment>, closes_at: Option<Moment>) {
    world.correct(
        id,
        Correction {
            opens_at: Some(opens_at),
            closes_at: Some(closes_at),
            ..Correction::default()
        },
    );
}

#[test]
fn what_it_took_stays_away_when_it_is_switched_off_and_on_or_rung_again() {
    each_world(|world| {
        let ann = world.person("ann");
        for one in [draft("One", [user("ann")]), active("One", [user("ann")])] {
            let id = world.publish(one);
            world.marks(ann, All::Deleted);
            world.disable(id);
            world.enable(id);
            assert_eq!(world.titles(ann), NOTHING, "switched on");
            world.ring(id);
            assert_eq!(world.titles(ann), NOTHING, "rung");
            moves(world, id, None, Some(world.in_s(60)));
            world.restart();
            assert_eq!(world.titles(ann), NOTHING, "in another window, and read anew");
            let seen = world.visible_at(ann, world.now());
            assert!(seen.iter().all(|one| one.deleted), "{seen:?}");
            // It can be restored all the same.
            world.does(ann, Action::Restore, &[id]);
            assert_eq!(world.titles(ann), ["One"]);
            world.disable(id);
            world.enable(id);
            assert_eq!(world.titles(ann), ["One"]);
            world.does(ann, Action::Delete, &[id]);
        }
    });
}

#[test]
fn it_leaves_what_was_past_or_switched_off() {
    each_world(|world| {
        let ann = world.person("ann");
        let past = world.publish(Draft {
            closes_at: Some(world.in_s(5)),
            ..draft("Past", [user("ann")])
        });
        let off = world.publish(draft("Off", [user("ann")]));
        world.disable(off);
        world.publish(draft("There", [user("ann")]));
        world.pass(10);
        world.marks(ann, All::Deleted);
        assert_eq!(world.titles(ann), NOTHING);
        assert_eq!(world.titles_of(ann, View::Past), ["Past"]);
        world.enable(off);
        assert_eq!(world.titles(ann), ["Off"]);
        moves(world, past, None, None);
        assert_eq!(world.titles(ann), ["Off", "Past"]);
    });
}

#[test]
fn it_leaves_what_opens_later_also_once_more() {
    each_world(|world| {
        let ann = world.person("ann");
        let id = world.publish(draft("Again", [user("ann")]));
        moves(world, id, Some(world.in_s(20)), None);
        world.publish(Draft {
            opens_at: Some(world.in_s(20)),
            ..draft("Later", [user("ann")])
        });
        world.publish(draft("There", [user("ann")]));
        world.marks(ann, All::Deleted);
        world.pass(30);
        world.open_due();
        assert_eq!(world.titles(ann), ["Later", "Again"]);
    });
}

#[test]
fn an_earlier_one_counts_after_a_later_one() {
    each_world(|world| {
        let ann = world.person("ann");
        let id = world.publish(draft("Taken", [user("ann")]));
        world.marks(ann, All::Deleted);
        world.disable(id);
        world.publish(draft("Other", [user("ann")]));
        world.marks(ann, All::Deleted);
        world.enable(id);
        assert_eq!(world.titles(ann), NOTHING);
    });
}

#[test]
fn a_late_joiner_has_not_deleted_what_was_there_before_them() {
    each_world(|world| {
        let shop = world.shop();
        let bob = world.person("bob");
        world.publish(active("Role", [role("API_PUBLISHER")]));
        world.publish(active("Team", [api_role("payments", "OWNER")]));
        world.publish(draft("There", [user("bob"), user("ann")]));
        world.marks(bob, All::Deleted);
        world.holds(bob, At::Environment, PUBLISHER);
        world.holds(bob, At::Application(shop.application), OWNER);
        assert_eq!(world.titles(bob), ["[PAYMENTS] Team", "Role"]);
        world.marks(bob, All::Deleted);
        // Whoever comes to match again has deleted it as if by itself.
        world.leaves(bob, At::Environment, PUBLISHER);
        world.holds(bob, At::Environment, PUBLISHER);
        assert_eq!(world.titles(bob), NOTHING);
    });
}

/// The ids in a view.
fn ids(world: &World<'_>, person: campanile_core::id::PersonId, view: View) -> BTreeSet<i64> {
    world.view(person, view).iter().map(|item| item.id.0).collect()
}

#[test]
fn whatever_happens_it_has_taken_what_stood_there_and_nothing_else() {
    for seed in 11..14 {
        each_world(|world| {
            let mut play = Play::new(world, seed);
            let mut taken = [BTreeSet::new(), BTreeSet::new(), BTreeSet::new()];
            for _ in 0..120 {
                play.step();
                let which = play.dice.roll(3);
                let (person, taken) = (play.people[which], &mut taken[which]);
                match play.dice.roll(6) {
                    // As somebody does who looks and presses: no clock ticks in between.
                    0 => {
                        taken.extend(ids(world, person, View::Inbox));
                        world.empties(person);
                    }
                    1 => {
                        let one = taken.iter().copied().next().map(MessageId);
                        if let Some(id) = one.filter(|id| world.tries(person, Action::Restore, &[*id]).is_ok()) {
                            taken.remove(&id.0);
                        }
                    }
                    _ => {}
                }
                for view in [View::Inbox, View::Past, View::Archived] {
                    let there = ids(world, person, view);
                    assert!(there.is_disjoint(taken), "{view:?}: {there:?} and {taken:?}");
                }
                let now = world.now();
                for one in world.visible_at(person, now) {
                    assert_eq!(one.deleted, taken.contains(&one.id.0), "{one:?}");
                }
                // What is there by the definition and was not taken is shown.
                world.inbox(person);
                let missing: Vec<i64> = world
                    .defined(person)
                    .difference(&there(world, person))
                    .copied()
                    .collect();
                assert!(missing.iter().all(|id| taken.contains(id)), "{missing:?} of {taken:?}");
            }
        });
    }
}

/// What stands in inbox and archive.
fn there(world: &World<'_>, person: campanile_core::id::PersonId) -> BTreeSet<i64> {
    &ids(world, person, View::Inbox) | &ids(world, person, View::Archived)
}
