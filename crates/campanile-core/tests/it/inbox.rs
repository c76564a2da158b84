//! Who sees what: the audience of each rule in every case of joining, leaving, moving and ending.

use campanile_core::id::{ApiId, ApplicationId, PersonId, SubscriptionId};
use campanile_core::inbox::View;
use campanile_core::inbox::act::All;
use campanile_core::message::Importance;
use campanile_core::message::change::Correction;
use campanile_core::message::draft::Draft;
use campanile_core::message::target::Target;

use crate::world::{
    At, OWNER, PRIMARY_OWNER, PUBLISHER, Status, World, active, api_role, customer, draft, each_world, group,
    is_missing, role, subscribers, subtree, user,
};

const NOTHING: [&str; 0] = [];

/// Ann owns the application "shop", which subscribes to the API "payments".
struct Shop {
    ann: PersonId,
    payments: ApiId,
    shop: ApplicationId,
    subscription: SubscriptionId,
}

fn shop(world: &World<'_>) -> Shop {
    let (ann, payments, shop) = (world.person("ann"), world.api("payments"), world.application("shop"));
    world.holds(ann, At::Application(shop), OWNER);
    let subscription = world.subscribes(ann, shop, payments);
    Shop {
        ann,
        payments,
        shop,
        subscription,
    }
}

fn owners() -> [Target; 1] {
    [api_role("payments", "OWNER")]
}

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
            ann, shop, payments, ..
        } = shop(world);
        world.holds(ann, At::Environment, PUBLISHER);
        world.holds(ann, At::Application(shop), PRIMARY_OWNER);
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
fn a_role_without_the_subscription_is_not_enough() {
    each_world(|world| {
        let (ann, shop) = (world.person("ann"), world.application("shop"));
        world.api("payments");
        world.holds(ann, At::Application(shop), OWNER);
        world.publish(draft("Sent", owners()));
        world.publish(active("Active", owners()));
        assert_eq!(world.titles(ann), NOTHING);
    });
}

#[test]
fn a_subscription_counts_only_for_the_role_that_is_named() {
    each_world(|world| {
        let Shop { ann, .. } = shop(world);
        world.publish(draft("Sent", [api_role("payments", "USER")]));
        assert_eq!(world.titles(ann), NOTHING);
    });
}

#[test]
fn a_subscription_that_is_not_accepted_does_not_count() {
    each_world(|world| {
        let Shop { ann, subscription, .. } = shop(world);
        for status in [Status::Pending, Status::Rejected, Status::Closed, Status::Paused] {
            world.sets(subscription, ann, status, None, None);
            world.publish(draft("Sent", owners()));
            world.publish(active("Active", [subscribers("payments")]));
            assert_eq!(world.titles(ann), NOTHING, "{status:?}");
        }
    });
}

#[test]
fn a_subscription_closed_later_keeps_what_was_sent_and_loses_what_is_active() {
    each_world(|world| {
        let Shop { ann, subscription, .. } = shop(world);
        world.publish(draft("Sent", owners()));
        world.publish(active("Active", owners()));
        world.sets(subscription, ann, Status::Closed, None, None);
        assert_eq!(world.titles(ann), ["[PAYMENTS] Sent"]);
    });
}

#[test]
fn a_subscription_that_starts_later_counts_from_its_start_by_the_clock() {
    each_world(|world| {
        let Shop { ann, subscription, .. } = shop(world);
        let starts = world.in_s(100);
        world.sets(subscription, ann, Status::Accepted, Some(starts), None);
        world.publish(draft("Sent", owners()));
        world.publish(active("Active", owners()));
        assert_eq!(world.titles(ann), NOTHING);
        world.pass((starts.0 - world.now().0) / 1_000 - 1);
        assert_eq!(world.titles(ann), NOTHING, "a second before");
        world.pass(1);
        assert_eq!(
            world.titles(ann),
            ["[PAYMENTS] Active"],
            "what was sent before is not theirs"
        );
        world.publish(draft("Later", owners()));
        assert_eq!(world.titles(ann), ["[PAYMENTS] Later", "[PAYMENTS] Active"]);
    });
}

#[test]
fn a_subscription_that_ends_counts_until_its_end_by_the_clock() {
    each_world(|world| {
        let Shop { ann, subscription, .. } = shop(world);
        let ends = world.in_s(100);
        world.sets(subscription, ann, Status::Accepted, None, Some(ends));
        world.publish(draft("Sent", owners()));
        world.publish(active("Active", owners()));
        world.pass((ends.0 - world.now().0) / 1_000 - 1);
        assert_eq!(world.titles(ann), ["[PAYMENTS] Active", "[PAYMENTS] Sent"]);
        world.pass(1);
        assert_eq!(world.titles(ann), ["[PAYMENTS] Sent"], "its end is outside");
        world.publish(draft("Later", owners()));
        assert_eq!(world.titles(ann), ["[PAYMENTS] Sent"]);
    });
}

#[test]
fn subscribers_are_who_made_the_subscription_not_who_owns_the_application() {
    each_world(|world| {
        let Shop { shop, subscription, .. } = shop(world);
        let bob = world.person("bob");
        world.holds(bob, At::Application(shop), OWNER);
        world.sets(subscription, bob, Status::Accepted, None, None);
        world.publish(draft("Sent", [subscribers("payments")]));
        assert_eq!(world.titles(bob), ["[PAYMENTS] Sent"]);
        let ann = PersonId(2);
        assert_eq!(world.titles(ann), NOTHING);
    });
}

#[test]
fn a_group_lends_its_role_to_the_applications_it_is_attached_to() {
    each_world(|world| {
        let Shop { shop, .. } = shop(world);
        let (bob, team) = (world.person("bob"), world.group("team"));
        world.holds(bob, At::Group(team), OWNER);
        world.publish(draft("Before", owners()));
        world.attaches(team, shop);
        world.publish(draft("Sent", owners()));
        world.publish(active("Active", owners()));
        assert_eq!(world.titles(bob), ["[PAYMENTS] Active", "[PAYMENTS] Sent"]);
        world.detaches(team, shop);
        assert_eq!(world.titles(bob), ["[PAYMENTS] Sent"]);
    });
}

#[test]
fn a_group_never_lends_primary_ownership_of_an_application() {
    each_world(|world| {
        let Shop { ann, shop, .. } = shop(world);
        let (bob, team) = (world.person("bob"), world.group("team"));
        world.holds(ann, At::Application(shop), PRIMARY_OWNER);
        world.holds(bob, At::Group(team), PRIMARY_OWNER);
        world.attaches(team, shop);
        let primary = [api_role("payments", "PRIMARY_OWNER")];
        world.publish(draft("Sent", primary.clone()));
        world.publish(active("Active", primary));
        assert_eq!(world.titles(ann), ["[PAYMENTS] Active", "[PAYMENTS] Sent"]);
        assert_eq!(world.titles(bob), NOTHING);
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
fn past_is_not_for_those_whose_subscription_never_ran() {
    each_world(|world| {
        let Shop { ann, subscription, .. } = shop(world);
        let starts = world.in_s(100);
        world.sets(subscription, ann, Status::Accepted, Some(starts), None);
        world.publish(Draft {
            closes_at: Some(world.in_s(300)),
            ..active("Active", owners())
        });
        // Closed before its start: it was never valid.
        world.sets(subscription, ann, Status::Closed, None, None);
        world.pass(400);
        assert_eq!(world.titles_of(ann, View::Past), NOTHING);
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
fn the_numbers_stand_until_a_subscription_starts_or_ends() {
    each_world(|world| {
        let Shop { ann, subscription, .. } = shop(world);
        let (starts, ends) = (world.in_s(100), world.in_s(200));
        world.sets(subscription, ann, Status::Accepted, Some(starts), Some(ends));
        assert_eq!(world.counted(ann).stands_until, starts);
        world.pass(100);
        assert_eq!(world.counted(ann).stands_until, ends);
        world.pass(100);
        assert_eq!(world.counted(ann).stands_until.0, i64::MAX);
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
