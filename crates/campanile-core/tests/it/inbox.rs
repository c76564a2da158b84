//! Who sees what: the audience of each rule in every case of joining, leaving, moving and ending.

use campanile_core::inbox::act::All;
use campanile_core::inbox::{self, View};
use campanile_core::message::Importance;
use campanile_core::message::change::Correction;
use campanile_core::message::draft::Draft;
use campanile_core::message::target::Target;

use crate::world::{
    At, OWNER, PRIMARY_OWNER, PUBLISHER, Shop, active, api_role, customer, draft, each_world, group, is_missing, role,
    subtree, user,
};

const NOTHING: [&str; 0] = [];

#[test]
fn who_joins_later_gets_what_is_active_and_not_what_was_sent() {
    each_world(|world| {
        let ann = world.person("ann");
        world.publish(draft("Sent", [role("API_PUBLISHER")]));
        world.publish(active("Active", [role("API_PUBLISHER")]));
        assert_eq!(world.titles(ann), NOTHING);
        world.holds(ann, At::Environment, PUBLISHER);
        assert_eq!(world.titles(ann), ["Active"]);
    });
}

#[test]
fn who_leaves_keeps_what_was_sent_and_loses_what_is_active() {
    each_world(|world| {
        let ann = world.person("ann");
        world.holds(ann, At::Environment, PUBLISHER);
        world.publish(draft("Sent", [role("API_PUBLISHER")]));
        let active = world.publish(active("Active", [role("API_PUBLISHER")]));
        assert_eq!(world.titles(ann), ["Active", "Sent"]);
        world.leaves(ann, At::Environment, PUBLISHER);
        assert_eq!(world.titles(ann), ["Sent"]);
        assert!(is_missing(&world.one(ann, active)));
    });
}

#[test]
fn who_left_and_came_back_gets_only_what_was_sent_while_there() {
    each_world(|world| {
        let ann = world.person("ann");
        let send = |title| world.publish(draft(title, [role("API_PUBLISHER")]));
        send("Before");
        world.holds(ann, At::Environment, PUBLISHER);
        send("First");
        world.leaves(ann, At::Environment, PUBLISHER);
        send("Between");
        world.holds(ann, At::Environment, PUBLISHER);
        send("Second");
        assert_eq!(world.titles(ann), ["Second", "First"]);
    });
}

#[test]
fn two_matching_parts_are_one_item() {
    each_world(|world| {
        let Shop {
            ann,
            payments,
            application,
            ..
        } = world.shop();
        world.holds(ann, At::Environment, PUBLISHER);
        world.holds(ann, At::Application(application), PRIMARY_OWNER);
        let second = world.application("second");
        world.holds(ann, At::Application(second), OWNER);
        world.subscribes(ann, second, payments);
        let parts = [
            role("API_PUBLISHER"),
            api_role("payments", "OWNER"),
            api_role("payments", "PRIMARY_OWNER"),
            Target::Everyone,
        ];
        world.publish(draft("Sent", parts.clone()));
        world.publish(active("Active", parts));
        assert_eq!(world.titles(ann), ["Active", "Sent"]);
        assert_eq!(world.counts(ann).unread, 2);
    });
}

#[test]
fn a_union_reaches_whoever_matches_any_part() {
    each_world(|world| {
        let (ann, bob, eve) = (world.person("ann"), world.person("bob"), world.person("eve"));
        world.holds(ann, At::Environment, PUBLISHER);
        world.publish(draft("Sent", [role("API_PUBLISHER"), user("bob")]));
        assert_eq!(world.titles(ann), ["Sent"]);
        assert_eq!(world.titles(bob), ["Sent"]);
        assert_eq!(world.titles(eve), NOTHING);
    });
}

#[test]
fn everyone_includes_who_has_no_customer_and_no_role() {
    each_world(|world| {
        let ann = world.person("ann");
        world.publish(draft("Sent", [Target::Everyone]));
        assert_eq!(world.titles(ann), ["Sent"]);
    });
}

#[test]
fn who_was_not_there_yet_does_not_get_what_was_sent_to_everyone() {
    each_world(|world| {
        world.publish(draft("Sent", [Target::Everyone]));
        world.publish(active("Active", [Target::Everyone]));
        let ann = world.person("ann");
        assert_eq!(world.titles(ann), ["Active"]);
    });
}

#[test]
fn a_group_is_whoever_has_any_membership_on_it() {
    each_world(|world| {
        let (ann, bob, eve) = (world.person("ann"), world.person("bob"), world.person("eve"));
        let team = world.group("team");
        world.holds(ann, At::Group(team), OWNER);
        world.holds(bob, At::GroupApi(team), campanile_core::place::API_OWNER);
        world.publish(draft("Sent", [group("team")]));
        assert_eq!(world.titles(ann), ["Sent"]);
        assert_eq!(world.titles(bob), ["Sent"]);
        assert_eq!(world.titles(eve), NOTHING);
    });
}

#[test]
fn a_message_to_one_user_is_theirs_alone() {
    each_world(|world| {
        let (ann, bob) = (world.person("ann"), world.person("bob"));
        let id = world.publish(draft("Sent", [user("ann")]));
        assert_eq!(world.titles(ann), ["Sent"]);
        assert_eq!(world.titles(bob), NOTHING);
        assert!(is_missing(&world.one(bob, id)));
    });
}

#[test]
fn a_customer_alone_or_with_those_below_it() {
    each_world(|world| {
        let top = world.customer(None);
        let middle = world.customer(Some(top));
        let bottom = world.customer(Some(middle));
        let (ann, bob, eve) = (world.person("ann"), world.person("bob"), world.person("eve"));
        world.moves(ann, Some(top));
        world.moves(bob, Some(middle));
        world.moves(eve, Some(bottom));
        world.publish(draft("Middle", [customer(middle)]));
        world.publish(draft("Middle and below", [subtree(middle)]));
        world.publish(active("Top and below", [subtree(top)]));
        assert_eq!(world.titles(ann), ["Top and below"]);
        assert_eq!(world.titles(bob), ["Top and below", "Middle and below", "Middle"]);
        assert_eq!(world.titles(eve), ["Top and below", "Middle and below"]);
    });
}

#[test]
fn who_moves_to_another_customer_keeps_what_was_sent_and_follows_what_is_active() {
    each_world(|world| {
        let (old, new, ann) = (world.customer(None), world.customer(None), world.person("ann"));
        world.moves(ann, Some(old));
        world.publish(draft("Sent to old", [customer(old)]));
        world.publish(draft("Sent to new", [customer(new)]));
        world.publish(active("Active for old", [subtree(old)]));
        world.publish(active("Active for new", [subtree(new)]));
        assert_eq!(world.titles(ann), ["Active for old", "Sent to old"]);
        world.moves(ann, Some(new));
        assert_eq!(world.titles(ann), ["Active for new", "Sent to old"]);
        world.moves(ann, None);
        assert_eq!(world.titles(ann), ["Sent to old"]);
    });
}

#[test]
fn a_customer_that_moves_takes_its_users_along() {
    each_world(|world| {
        let (old, new, ann) = (world.customer(None), world.customer(None), world.person("ann"));
        let shop = world.customer(Some(old));
        world.moves(ann, Some(shop));
        world.publish(draft("Sent to old", [subtree(old)]));
        world.publish(active("Active for old", [subtree(old)]));
        world.publish(active("Active for new", [subtree(new)]));
        world.puts_under(shop, Some(new));
        assert_eq!(world.titles(ann), ["Active for new", "Sent to old"]);
    });
}

#[test]
fn who_is_deactivated_gets_nothing_and_what_was_sent_meanwhile_is_never_theirs() {
    each_world(|world| {
        let ann = world.person("ann");
        world.holds(ann, At::Environment, PUBLISHER);
        let send = |title| {
            world.publish(draft(title, [role("API_PUBLISHER"), user("ann"), Target::Everyone]));
        };
        send("Before");
        let also = world.publish(draft("Also", [role("API_PUBLISHER")]));
        world.deactivates(ann);
        world.publish(draft("Meanwhile", [role("API_PUBLISHER"), Target::Everyone]));
        world.revives(ann);
        send("After");
        assert_eq!(world.titles(ann), ["After", "Also", "Before"]);
        assert!(world.one(ann, also).is_ok());
    });
}

#[test]
fn who_is_deactivated_sees_nothing_that_is_active_until_they_are_back() {
    each_world(|world| {
        let ann = world.person("ann");
        world.holds(ann, At::Environment, PUBLISHER);
        let id = world.publish(active("Active", [role("API_PUBLISHER")]));
        world.deactivates(ann);
        assert_eq!(world.titles(ann), NOTHING);
        assert!(is_missing(&world.one(ann, id)));
        world.revives(ann);
        assert_eq!(world.titles(ann), ["Active"]);
    });
}

#[test]
fn a_disabled_message_is_gone_until_it_is_enabled() {
    each_world(|world| {
        let ann = world.person("ann");
        let id = world.publish(draft("Sent", [Target::Everyone]));
        world.disable(id);
        assert_eq!(world.titles(ann), NOTHING);
        assert_eq!(world.titles_of(ann, View::Past), NOTHING);
        assert!(is_missing(&world.one(ann, id)));
        world.enable(id);
        assert_eq!(world.titles(ann), ["Sent"]);
    });
}

#[test]
fn a_recalled_message_is_gone_everywhere() {
    each_world(|world| {
        let ann = world.person("ann");
        let id = world.publish(Draft {
            closes_at: Some(world.in_s(100)),
            ..draft("Sent", [Target::Everyone])
        });
        world.recall(id).unwrap();
        for view in [View::Inbox, View::Unread, View::Archived, View::Past] {
            assert_eq!(world.titles_of(ann, view), NOTHING, "{view:?}");
        }
        assert_eq!(world.counts(ann).total, 0);
        assert!(is_missing(&world.one(ann, id)));
        world.pass(200);
        assert_eq!(world.titles_of(ann, View::Past), NOTHING);
    });
}

#[test]
fn a_message_is_there_to_the_end_of_its_last_second_and_then_past() {
    each_world(|world| {
        let ann = world.person("ann");
        let closes = world.in_s(100);
        let id = world.publish(Draft {
            closes_at: Some(closes.plus_ms(300)),
            ..draft("Sent", [Target::Everyone])
        });
        world.pass(99);
        assert_eq!(world.now(), closes);
        assert_eq!(world.titles(ann), ["Sent"]);
        assert_eq!(world.counted(ann).stands_until, closes.plus_ms(1_000));
        world.pass(1);
        assert_eq!(world.titles(ann), NOTHING);
        assert_eq!(world.unread(ann), NOTHING);
        assert_eq!(world.titles_of(ann, View::Past), ["Sent"]);
        assert!(world.one(ann, id).unwrap().past);
    });
}

#[test]
fn past_is_for_those_who_were_in_the_audience() {
    each_world(|world| {
        let (ann, bob, eve) = (world.person("ann"), world.person("bob"), world.person("eve"));
        world.holds(ann, At::Environment, PUBLISHER);
        let closes_at = Some(world.in_s(100));
        let sent = Draft {
            closes_at,
            ..draft("Sent", [role("API_PUBLISHER")])
        };
        let on = Draft {
            closes_at,
            ..active("Active", [role("API_PUBLISHER")])
        };
        world.publish(sent);
        world.publish(on);
        world.holds(bob, At::Environment, PUBLISHER);
        world.leaves(ann, At::Environment, PUBLISHER);
        world.pass(200);
        world.holds(eve, At::Environment, PUBLISHER);
        assert_eq!(world.titles_of(ann, View::Past), ["Active", "Sent"]);
        assert_eq!(world.titles_of(bob, View::Past), ["Active"]);
        assert_eq!(world.titles_of(eve, View::Past), NOTHING);
    });
}

#[test]
fn past_is_not_for_those_who_were_deactivated_all_the_while() {
    each_world(|world| {
        let ann = world.person("ann");
        world.holds(ann, At::Environment, PUBLISHER);
        world.deactivates(ann);
        world.publish(Draft {
            closes_at: Some(world.in_s(100)),
            ..active("Active", [role("API_PUBLISHER")])
        });
        world.pass(200);
        world.revives(ann);
        assert_eq!(world.titles_of(ann, View::Past), NOTHING);
    });
}

#[test]
fn a_window_moved_into_the_future_hides_until_then() {
    each_world(|world| {
        let ann = world.person("ann");
        let id = world.publish(draft("Sent", [Target::Everyone]));
        world.marks(ann, All::Read);
        let opens = world.in_s(100);
        world.correct(
            id,
            Correction {
                opens_at: Some(Some(opens)),
                ..Correction::default()
            },
        );
        assert_eq!(world.titles(ann), NOTHING);
        assert_eq!(world.titles_of(ann, View::Past), NOTHING);
        assert!(is_missing(&world.one(ann, id)));
        assert_eq!(world.counted(ann).stands_until, opens);
        world.pass(100);
        assert_eq!(world.unread(ann), ["Sent"], "its window opened after the mark");
    });
}

#[test]
fn high_and_critical_ones_are_counted_apart() {
    each_world(|world| {
        let ann = world.person("ann");
        let send = |title, importance| {
            world.publish(Draft {
                importance,
                ..draft(title, [Target::Everyone])
            });
        };
        send("Low", Importance::Low);
        send("High", Importance::High);
        send("Critical", Importance::Critical);
        send("Also critical", Importance::Critical);
        world.inbox(ann);
        let counts = world.counts(ann);
        assert_eq!((counts.unread, counts.unread_high, counts.unread_critical), (4, 1, 2));
    });
}

#[test]
fn a_process_that_starts_later_sees_the_same() {
    each_world(|world| {
        let ann = world.person("ann");
        world.holds(ann, At::Environment, PUBLISHER);
        let soon = world.publish(Draft {
            opens_at: Some(world.in_s(50)),
            ..draft("Soon", [role("API_PUBLISHER")])
        });
        for title in ["One", "Two", "Three"] {
            let id = world.publish(active(title, [role("API_PUBLISHER")]));
            world.titles(ann);
            if title == "Two" {
                world.recall(id).unwrap();
            }
        }
        world.pass(60);
        world.open_due();
        world.correct(
            soon,
            Correction {
                title: Some("Now".to_owned()),
                ..Correction::default()
            },
        );
        let seen = world.inbox(ann);
        world.restart();
        assert_eq!(world.inbox(ann), seen);
        assert_eq!(world.titles(ann), ["Now", "Three", "One"]);
    });
}

#[test]
fn a_read_that_breaks_halfway_keeps_nothing_from_the_next_one() {
    each_world(|world| {
        let ann = world.person("ann");
        let known = world.publish(draft("Known", [user("ann")]));
        assert_eq!(world.titles(ann), ["Known"]);
        world.publish(draft("New", [user("ann")]));
        world.disable(known);
        // Stands in for a connection that is cut before the last statement of a look.
        world.execute("ALTER TABLE edition RENAME COLUMN opens_at TO elsewhere");
        let (now, lists) = (world.now(), world.shared());
        assert!(world.db.read(move |tx| inbox::count(tx, &lists, ann, now)).is_err());
        world.execute("ALTER TABLE edition RENAME COLUMN elsewhere TO opens_at");
        assert_eq!(world.titles(ann), ["New"]);
    });
}
