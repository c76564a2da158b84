//! Audiences that rest on subscriptions: their status, their clock, and the roles that groups lend.

use campanile_core::inbox::View;
use campanile_core::message::draft::Draft;
use campanile_core::message::target::Target;

use crate::world::{At, OWNER, PRIMARY_OWNER, Shop, Status, active, api_role, draft, each_world, subscribers};

const NOTHING: [&str; 0] = [];

fn owners() -> [Target; 1] {
    [api_role("payments", "OWNER")]
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
        let Shop { ann, .. } = world.shop();
        world.publish(draft("Sent", [api_role("payments", "USER")]));
        assert_eq!(world.titles(ann), NOTHING);
    });
}

#[test]
fn a_subscription_that_is_not_accepted_does_not_count() {
    each_world(|world| {
        let Shop { ann, subscription, .. } = world.shop();
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
        let Shop { ann, subscription, .. } = world.shop();
        world.publish(draft("Sent", owners()));
        world.publish(active("Active", owners()));
        world.sets(subscription, ann, Status::Closed, None, None);
        assert_eq!(world.titles(ann), ["[PAYMENTS] Sent"]);
    });
}

#[test]
fn a_subscription_that_starts_later_counts_from_its_start_by_the_clock() {
    each_world(|world| {
        let Shop { ann, subscription, .. } = world.shop();
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
        let Shop { ann, subscription, .. } = world.shop();
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
        let Shop {
            ann,
            application,
            subscription,
            ..
        } = world.shop();
        let bob = world.person("bob");
        world.holds(bob, At::Application(application), OWNER);
        world.sets(subscription, bob, Status::Accepted, None, None);
        world.publish(draft("Sent", [subscribers("payments")]));
        assert_eq!(world.titles(bob), ["[PAYMENTS] Sent"]);
        assert_eq!(world.titles(ann), NOTHING);
    });
}

#[test]
fn a_group_lends_its_role_to_the_applications_it_is_attached_to() {
    each_world(|world| {
        let Shop { application, .. } = world.shop();
        let (bob, team) = (world.person("bob"), world.group("team"));
        world.holds(bob, At::Group(team), OWNER);
        world.publish(draft("Before", owners()));
        world.attaches(team, application);
        world.publish(draft("Sent", owners()));
        world.publish(active("Active", owners()));
        assert_eq!(world.titles(bob), ["[PAYMENTS] Active", "[PAYMENTS] Sent"]);
        world.detaches(team, application);
        assert_eq!(world.titles(bob), ["[PAYMENTS] Sent"]);
    });
}

#[test]
fn a_group_never_lends_primary_ownership_of_an_application() {
    each_world(|world| {
        let Shop { ann, application, .. } = world.shop();
        let (bob, team) = (world.person("bob"), world.group("team"));
        world.holds(ann, At::Application(application), PRIMARY_OWNER);
        world.holds(bob, At::Group(team), PRIMARY_OWNER);
        world.attaches(team, application);
        let primary = [api_role("payments", "PRIMARY_OWNER")];
        world.publish(draft("Sent", primary.clone()));
        world.publish(active("Active", primary));
        assert_eq!(world.titles(ann), ["[PAYMENTS] Active", "[PAYMENTS] Sent"]);
        assert_eq!(world.titles(bob), NOTHING);
    });
}

#[test]
fn past_is_not_for_those_whose_subscription_never_ran() {
    each_world(|world| {
        let Shop { ann, subscription, .. } = world.shop();
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
fn the_numbers_stand_until_a_subscription_starts_or_ends() {
    each_world(|world| {
        let Shop { ann, subscription, .. } = world.shop();
        let (starts, ends) = (world.in_s(100), world.in_s(200));
        world.sets(subscription, ann, Status::Accepted, Some(starts), Some(ends));
        assert_eq!(world.counted(ann).stands_until, starts);
        world.pass(100);
        assert_eq!(world.counted(ann).stands_until, ends);
        world.pass(100);
        assert_eq!(world.counted(ann).stands_until.0, i64::MAX);
    });
}
