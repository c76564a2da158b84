//! Before SEND: how many, who, and why or why not.

use campanile_core::error::Error;
use campanile_core::id::PersonId;
use campanile_core::message::preview;
use campanile_core::message::target::Target;

use crate::world::{
    At, OWNER, PRIMARY_OWNER, PUBLISHER, Shop, Status, World, api_role, customer, draft, each_world, group, role,
    subscribers, subtree, user,
};

#[test]
fn people_are_counted_once_with_a_sample() {
    each_world(|world| {
        for at in 0..12 {
            let person = world.person(&format!("p{at:02}"));
            world.holds(person, At::Environment, PUBLISHER);
        }
        let bare = world.person_without_email("q");
        world.holds(bare, At::Environment, PUBLISHER);
        let preview = world.preview([role("API_PUBLISHER"), user("p03"), user("sender")]);
        assert_eq!((preview.people, preview.without_email), (14, 1));
        let logins: Vec<&str> = preview.sample.iter().map(|one| one.login.as_str()).collect();
        assert_eq!(
            logins,
            ["sender", "p00", "p01", "p02", "p03", "p04", "p05", "p06", "p07", "p08"]
        );
        let one = &preview.sample[1];
        assert_eq!((one.user.as_str(), one.name.as_str()), ("p00", "Name of p00"));
        assert!(one.has_email && one.active);
    });
}

#[test]
fn a_preview_is_what_a_message_then_reaches() {
    each_world(|world| {
        let top = world.customer(None);
        let below = world.customer(Some(top));
        let (ann, bob, eve) = (world.person("ann"), world.person("bob"), world.person("eve"));
        world.moves(ann, Some(top));
        world.moves(bob, Some(below));
        world.moves(eve, Some(below));
        world.deactivates(eve);
        for (audience, people) in [
            (vec![customer(top)], 1),
            (vec![subtree(top)], 2),
            (vec![Target::Everyone], 3),
            (vec![subtree(below), user("sender")], 2),
        ] {
            assert_eq!(world.preview(audience.clone()).people, people, "{audience:?}");
            let id = world.publish(draft("Sent", audience));
            assert_eq!(world.funnel(id).people, people);
        }
    });
}

#[test]
fn nobody_is_a_preview_too() {
    each_world(|world| {
        let preview = world.preview([role("API_PUBLISHER")]);
        assert_eq!((preview.people, preview.without_email), (0, 0));
        assert_eq!(preview.sample, []);
    });
}

#[test]
fn a_person_is_found_by_id_or_login() {
    each_world(|world| {
        let ann = world.person("ann");
        let found = world.db.read(|tx| preview::person(tx, "ANN"));
        assert_eq!(found.unwrap(), ann);
        let unknown = world.db.read(|tx| preview::person(tx, "nobody"));
        assert!(matches!(unknown, Err(Error::Missing("user"))));
        let nobody = world
            .db
            .read(|tx| preview::explain(tx, PersonId(99), &[], campanile_core::time::Moment(0)));
        assert!(matches!(nobody, Err(Error::Missing("user"))));
    });
}

/// Why or why not, for one part.
fn why(world: &World<'_>, person: PersonId, part: Target) -> (bool, String) {
    let explanation = world.explain(person, [part.clone()]);
    let [reason] = &explanation.parts[..] else {
        panic!("one part, one reason")
    };
    assert_eq!(reason.part, part);
    assert_eq!(explanation.included, reason.holds);
    assert_eq!(world.preview([part]).people > 0 && reason.holds, reason.holds);
    (reason.holds, reason.because.clone())
}

fn yes(because: &str, since: campanile_core::time::Moment) -> (bool, String) {
    (true, format!("{because} since {since}"))
}

fn no(because: impl Into<String>) -> (bool, String) {
    (false, because.into())
}

#[test]
fn in_and_why_for_each_kind() {
    each_world(|world| {
        let (top, team) = (world.customer(None), world.group("team"));
        let below = world.customer(Some(top));
        let Shop { ann, .. } = world.shop();
        let born = world.explain(ann, [Target::Everyone]).parts[0].since.unwrap();
        let subscribed = world.now();
        world.holds(ann, At::Environment, PUBLISHER);
        let published = world.now();
        world.moves(ann, Some(below));
        let moved = world.now();
        world.holds(ann, At::Group(team), OWNER);
        let joined = world.now();
        world.pass(100);
        assert_eq!(why(world, ann, role("API_PUBLISHER")), yes("holds the role", published));
        assert_eq!(
            why(world, ann, api_role("payments", "OWNER")),
            yes("holds the role in an application with a valid subscription", subscribed)
        );
        assert_eq!(
            why(world, ann, subscribers("payments")),
            yes("made a valid subscription", subscribed)
        );
        assert_eq!(why(world, ann, customer(below)), yes("belongs to the customer", moved));
        assert_eq!(
            why(world, ann, subtree(top)),
            yes("belongs to the customer or one below it", moved)
        );
        assert_eq!(why(world, ann, group("team")), yes("is a member of the group", joined));
        assert_eq!(why(world, ann, Target::Everyone), yes("is an active user", born));
        assert_eq!(why(world, ann, user("ann")), yes("is the user named", born));
    });
}

#[test]
fn not_in_and_why_for_each_kind() {
    each_world(|world| {
        let (top, bob) = (world.customer(None), world.person("bob"));
        world.group("team");
        world.api("payments");
        for (part, because) in [
            (role("API_PUBLISHER"), "has never held this role in this environment"),
            (
                api_role("payments", "OWNER"),
                "holds this role in no application that subscribes to this API",
            ),
            (subscribers("payments"), "has made no valid subscription to this API"),
            (customer(top), "does not belong to this customer"),
            (subtree(top), "belongs neither to this customer nor to one below it"),
            (group("team"), "is not a member of this group"),
            (user("sender"), "is another user"),
        ] {
            assert_eq!(why(world, bob, part), no(because));
        }
    });
}

#[test]
fn one_part_that_holds_is_enough() {
    each_world(|world| {
        let ann = world.person("ann");
        let explanation = world.explain(ann, [role("API_PUBLISHER"), user("ann")]);
        assert!(explanation.included);
        let holds: Vec<bool> = explanation.parts.iter().map(|part| part.holds).collect();
        assert_eq!(holds, [false, true]);
        assert_eq!(explanation.person.login, "ann");
    });
}

#[test]
fn who_left_is_told_when() {
    each_world(|world| {
        let (ann, top) = (world.person("ann"), world.customer(None));
        world.holds(ann, At::Environment, PUBLISHER);
        world.moves(ann, Some(top));
        world.leaves(ann, At::Environment, PUBLISHER);
        let left = world.now();
        world.moves(ann, None);
        let moved = world.now();
        assert_eq!(
            why(world, ann, role("API_PUBLISHER")),
            no(format!("no longer: holds the role until {left}"))
        );
        assert_eq!(
            why(world, ann, customer(top)),
            no(format!("no longer: belongs to the customer until {moved}"))
        );
    });
}

#[test]
fn a_subscription_that_is_not_accepted_is_named_by_its_status() {
    each_world(|world| {
        let Shop { ann, subscription, .. } = world.shop();
        for (status, name) in [
            (Status::Pending, "PENDING"),
            (Status::Rejected, "REJECTED"),
            (Status::Closed, "CLOSED"),
            (Status::Paused, "PAUSED"),
        ] {
            world.sets(subscription, ann, status, None, None);
            assert_eq!(
                why(world, ann, api_role("payments", "OWNER")),
                no(format!("holds the role, but the application's subscription is {name}"))
            );
            assert_eq!(
                why(world, ann, subscribers("payments")),
                no(format!("made a subscription, but it is {name}"))
            );
        }
    });
}

#[test]
fn a_subscription_outside_of_its_time_is_told_with_it() {
    each_world(|world| {
        let Shop { ann, subscription, .. } = world.shop();
        let (starts, ends) = (world.in_s(100), world.in_s(200));
        world.sets(subscription, ann, Status::Accepted, Some(starts), Some(ends));
        for part in [api_role("payments", "OWNER"), subscribers("payments")] {
            let early = no(format!("the subscription starts only at {starts}"));
            assert_eq!(why(world, ann, part), early);
        }
        world.pass(300);
        for part in [api_role("payments", "OWNER"), subscribers("payments")] {
            assert_eq!(why(world, ann, part), no(format!("the subscription ended at {ends}")));
        }
    });
}

#[test]
fn a_role_lent_by_a_group_is_told_like_a_direct_one() {
    each_world(|world| {
        let Shop {
            ann,
            application,
            subscription,
            ..
        } = world.shop();
        let (bob, team) = (world.person("bob"), world.group("team"));
        world.holds(bob, At::Group(team), OWNER);
        world.attaches(team, application);
        let part = || api_role("payments", "OWNER");
        assert!(why(world, bob, part()).0);
        world.sets(subscription, ann, Status::Closed, None, None);
        assert_eq!(
            why(world, bob, part()),
            no("holds the role, but the application's subscription is CLOSED")
        );
    });
}

#[test]
fn primary_ownership_lent_by_a_group_is_told_not_to_count() {
    each_world(|world| {
        let Shop {
            ann,
            application,
            subscription,
            ..
        } = world.shop();
        let (bob, team) = (world.person("bob"), world.group("team"));
        world.holds(bob, At::Group(team), PRIMARY_OWNER);
        world.attaches(team, application);
        let because = "is not the primary owner of an application that subscribes to this API; \
                       groups do not lend this role";
        assert_eq!(why(world, bob, api_role("payments", "PRIMARY_OWNER")), no(because));
        world.sets(subscription, ann, Status::Pending, None, None);
        assert_eq!(
            why(world, bob, api_role("payments", "PRIMARY_OWNER")),
            no(because),
            "whatever the subscription"
        );
    });
}

#[test]
fn who_is_deactivated_is_in_no_new_audience() {
    each_world(|world| {
        let ann = world.person("ann");
        world.holds(ann, At::Environment, PUBLISHER);
        world.deactivates(ann);
        let explanation = world.explain(ann, [role("API_PUBLISHER"), Target::Everyone]);
        assert!(!explanation.included && !explanation.person.active);
        for part in explanation.parts {
            assert!(!part.holds);
            assert_eq!(part.because, "the user is deactivated, and in no new audience");
            assert_eq!(part.since, None);
        }
    });
}

#[test]
fn near_is_whoever_has_or_had_anything_to_do_with_the_api() {
    each_world(|world| {
        let Shop {
            ann,
            payments,
            application,
            subscription,
        } = world.shop();
        let (bob, cid, eve) = (world.person("bob"), world.person("cid"), world.person("eve"));
        let team = world.group("team");
        world.holds(bob, At::Group(team), OWNER);
        world.attaches(team, application);
        world.sets(subscription, cid, Status::Closed, None, None);
        world.leaves(ann, At::Application(application), OWNER);
        let near = |person: PersonId| {
            let selectors = [campanile_core::audience::Selector::Subscribers { api: payments }];
            world
                .db
                .read(move |tx| preview::is_near(tx, person, &selectors))
                .unwrap()
        };
        assert!(near(ann) && near(bob) && near(cid));
        assert!(!near(eve));
    });
}
