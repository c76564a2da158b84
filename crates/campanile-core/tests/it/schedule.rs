//! Messages that wait for their window: invisible before it, published once when it opens.

use campanile_core::id::{ApiId, MessageId};
use campanile_core::inbox::act::{Action, All};
use campanile_core::inbox::{Filter, View};
use campanile_core::message::change::{self, Correction};
use campanile_core::message::draft::Draft;
use campanile_core::message::sent::Part;
use campanile_core::message::target::{self, Target};
use campanile_core::message::{Status, target::api_key};
use campanile_core::time::Moment;

use crate::world::{
    At, PUBLISHER, Status as SubscriptionStatus, World, draft, each_world, is_missing, role, subscribers,
};

/// Opens in `from` seconds and closes in `to`.
fn between(world: &World<'_>, title: &str, from: i64, to: i64) -> Draft {
    Draft {
        opens_at: Some(world.in_s(from)),
        closes_at: Some(world.in_s(to)),
        ..draft(title, [Target::Everyone])
    }
}

fn next_opening(world: &World<'_>) -> Option<Moment> {
    let now = world.now();
    let found = world.db.read(move |tx| change::next_opening(tx, now));
    found.expect("what waits can be read")
}

#[test]
fn a_scheduled_message_is_invisible_to_everybody() {
    each_world(|world| {
        let ann = world.person("ann");
        let id = world.publish(between(world, "Soon", 60, 120));
        assert_eq!(world.status(id), Status::Scheduled);
        assert_eq!(world.titles(ann), [""; 0]);
        assert_eq!(world.counts(ann).total, 0);
        assert!(is_missing(&world.one(ann, id)));
        for view in [View::Unread, View::Archived, View::Past] {
            assert_eq!(world.titles_of(ann, view), [""; 0], "{view:?}");
        }
        let filter = Filter {
            search: Some("Soon".to_owned()),
            ..Filter::default()
        };
        assert_eq!(world.all(ann, &filter), []);
        assert!(is_missing(&world.tries(ann, Action::Read, &[id])));
        assert_eq!(world.titles_at(ann, world.in_s(90)), [""; 0]);
        assert_eq!(world.funnel(id).people, 0);
        assert_eq!(world.logins(id, Part::All), [""; 0]);
    });
}

/// A server whose clock was a day ahead has written something; then it is now again.
fn a_clock_ran_ahead(world: &World<'_>) {
    world.pass(DAY);
    world.group("tomorrow");
    world.pass(-DAY);
}

const DAY: i64 = 24 * 60 * 60;

#[test]
fn a_clock_that_ran_ahead_closes_no_window() {
    each_world(|world| {
        let ann = world.person("ann");
        a_clock_ran_ahead(world);
        let id = world.publish(between(world, "Now", 0, 7_200));
        world.publish(between(world, "Soon", 60, 120));
        assert_eq!(world.status(id), Status::Active);
        assert_eq!(world.titles(ann), ["Now"]);
        let later = Correction {
            closes_at: Some(Some(world.in_s(3_600))),
            ring: true,
            ..Correction::default()
        };
        assert_eq!(world.correct(id, later).status(world.now()), Status::Active);
        world.pass(60);
        assert_eq!(world.open_due(), 1);
        assert_eq!(world.titles(ann), ["Soon", "Now"]);
        assert_eq!(world.titles_at(ann, world.now()), ["Soon", "Now"]);
    });
}

#[test]
fn a_clock_that_ran_ahead_starts_no_subscription() {
    each_world(|world| {
        let shop = world.shop();
        let (starts, ends) = (world.in_s(7_200), world.in_s(2 * DAY));
        world.sets(
            shop.subscription,
            shop.ann,
            SubscriptionStatus::Accepted,
            Some(starts),
            Some(ends),
        );
        a_clock_ran_ahead(world);
        let id = world.publish(draft("Sent", [subscribers("payments")]));
        assert_eq!(world.titles(shop.ann), [""; 0]);
        assert_eq!(world.logins(id, Part::All), [""; 0]);
        world.pass(7_200);
        world.publish(draft("Started", [subscribers("payments")]));
        assert_eq!(world.titles(shop.ann), ["[PAYMENTS] Started"]);
    });
}

#[test]
fn a_window_that_opens_publishes() {
    each_world(|world| {
        let ann = world.person("ann");
        let id = world.publish(between(world, "Soon", 60, 120));
        world.pass(60);
        assert_eq!(world.titles(ann), [""; 0], "not before somebody has opened it");
        assert_eq!(world.open_due(), 1);
        let message = world.message(id);
        assert_eq!(message.published_at, Some(world.now()));
        assert_eq!(message.revision, Some(world.revision()));
        assert_eq!(world.status(id), Status::Active);
        assert_eq!(world.titles(ann), ["Soon"]);
        assert_eq!(world.open_due(), 0, "once");
    });
}

#[test]
fn a_window_opens_with_its_first_second() {
    each_world(|world| {
        let ann = world.person("ann");
        let mut soon = between(world, "Soon", 60, 120);
        let from = world.in_s(60);
        soon.opens_at = Some(from.plus_ms(900));
        world.publish(soon);
        world.pass(58);
        assert_eq!(world.open_due(), 0);
        world.pass(1);
        assert_eq!(world.now(), from);
        assert_eq!(world.open_due(), 1);
        assert_eq!(world.titles(ann), ["Soon"]);
    });
}

#[test]
fn next_opening_is_that_of_the_earliest_which_will_open() {
    each_world(|world| {
        assert_eq!(next_opening(world), None);
        world.publish(draft("Now", [Target::Everyone]));
        assert_eq!(next_opening(world), None);
        let at = world.in_s(301).second();
        world.publish(Draft {
            opens_at: Some(at),
            ..draft("Later", [Target::Everyone])
        });
        world.publish(Draft {
            enabled: false,
            ..between(world, "Off", 60, 120)
        });
        let recalled = world.publish(between(world, "Recalled", 60, 120));
        world.recall(recalled).unwrap();
        assert_eq!(next_opening(world), Some(at));
        world.pass(1_000);
        world.open_due();
        assert_eq!(next_opening(world), None);
    });
}

#[test]
fn the_audience_is_judged_when_the_window_opens() {
    each_world(|world| {
        let (ann, bob) = (world.person("ann"), world.person("bob"));
        world.holds(ann, At::Environment, PUBLISHER);
        world.publish(Draft {
            audience: vec![role("API_PUBLISHER")],
            ..between(world, "Soon", 60, 120)
        });
        world.leaves(ann, At::Environment, PUBLISHER);
        world.holds(bob, At::Environment, PUBLISHER);
        world.pass(60);
        world.open_due();
        assert_eq!(world.titles(ann), [""; 0]);
        assert_eq!(world.titles(bob), ["Soon"]);
    });
}

#[test]
fn the_name_of_the_api_is_that_of_publication() {
    each_world(|world| {
        let api: ApiId = world.api("payments");
        let id = world.publish(Draft {
            audience: vec![subscribers("payments")],
            ..between(world, "Soon", 60, 120)
        });
        world.renames(api, "Billing");
        world.pass(60);
        world.open_due();
        assert_eq!(world.message(id).shown_title(), "[Billing] Soon");
        assert_eq!(world.db.read(move |tx| api_key(tx, api)).unwrap(), "payments");
    });
}

#[test]
fn a_window_that_passed_unopened_is_missed() {
    each_world(|world| {
        let ann = world.person("ann");
        let id = world.publish(between(world, "Soon", 60, 120));
        world.pass(121);
        assert_eq!(world.open_due(), 1);
        assert_eq!(world.status(id), Status::Missed);
        assert_eq!(world.message(id).revision, None);
        assert_eq!(world.open_due(), 0);
        assert_eq!(world.titles(ann), [""; 0]);
        assert_eq!(world.titles_of(ann, View::Past), [""; 0]);
        assert!(is_missing(&world.one(ann, id)));
    });
}

#[test]
fn a_server_that_was_down_opens_late_while_the_window_is_open() {
    each_world(|world| {
        let ann = world.person("ann");
        let id = world.publish(between(world, "Soon", 60, 120));
        world.pass(119);
        assert_eq!(world.open_due(), 1);
        assert_eq!(world.message(id).published_at, Some(world.now()));
        assert_eq!(world.titles(ann), ["Soon"]);
    });
}

#[test]
fn a_missed_message_opens_in_another_window() {
    each_world(|world| {
        let ann = world.person("ann");
        let id = world.publish(between(world, "Soon", 60, 120));
        world.pass(200);
        world.open_due();
        let correction = Correction {
            opens_at: Some(Some(world.in_s(60))),
            closes_at: Some(Some(world.in_s(120))),
            ..Correction::default()
        };
        world.correct(id, correction);
        assert_eq!(world.status(id), Status::Scheduled);
        world.pass(60);
        assert_eq!(world.open_due(), 1);
        assert_eq!(world.titles(ann), ["Soon"]);
    });
}

#[test]
fn a_disabled_message_does_not_open() {
    each_world(|world| {
        let ann = world.person("ann");
        let id = world.publish(Draft {
            enabled: false,
            ..between(world, "Soon", 60, 120)
        });
        world.pass(60);
        assert_eq!(world.open_due(), 0);
        assert_eq!(world.titles(ann), [""; 0]);
        world.enable(id);
        assert_eq!(
            world.titles(ann),
            ["Soon"],
            "enabled inside its window it is published at once"
        );
    });
}

#[test]
fn a_disabled_message_whose_window_has_passed_is_missed() {
    each_world(|world| {
        let id = world.publish(Draft {
            enabled: false,
            ..between(world, "Soon", 60, 120)
        });
        assert_eq!(world.status(id), Status::Scheduled);
        world.pass(200);
        assert_eq!(world.status(id), Status::Missed);
    });
}

#[test]
fn a_message_enabled_before_its_window_waits_for_it() {
    each_world(|world| {
        let ann = world.person("ann");
        let id = world.publish(Draft {
            enabled: false,
            ..between(world, "Soon", 60, 120)
        });
        world.enable(id);
        assert_eq!(world.titles(ann), [""; 0]);
        world.pass(60);
        assert_eq!(world.open_due(), 1);
        assert_eq!(world.titles(ann), ["Soon"]);
    });
}

#[test]
fn a_recalled_message_does_not_open() {
    each_world(|world| {
        let ann = world.person("ann");
        let id = world.publish(between(world, "Soon", 60, 120));
        world.recall(id).unwrap();
        world.pass(60);
        assert_eq!(world.open_due(), 0);
        assert_eq!(world.status(id), Status::Recalled);
        assert_eq!(world.titles(ann), [""; 0]);
    });
}

#[test]
fn a_message_that_opens_after_read_all_is_unread() {
    each_world(|world| {
        let ann = world.person("ann");
        world.publish(between(world, "Soon", 60, 120));
        world.marks(ann, All::Read);
        world.marks(ann, All::Seen);
        world.pass(60);
        world.open_due();
        assert_eq!(world.unread(ann), ["Soon"]);
        assert_eq!(world.counts(ann).unseen, 1);
    });
}

#[test]
fn what_is_due_opens_in_the_order_of_its_windows_and_not_all_at_once() {
    each_world(|world| {
        let ann = world.person("ann");
        world.publish(between(world, "Third", 90, 300));
        world.publish(between(world, "First", 60, 300));
        world.publish(between(world, "Second", 70, 300));
        let now = world.pass(100);
        let opened = world.db.write(move |tx| change::open_due(tx, 2, now));
        assert_eq!(opened.unwrap(), 2);
        assert_eq!(world.titles(ann), ["Second", "First"]);
        assert_eq!(world.open_due(), 1);
        assert_eq!(world.titles(ann), ["Third", "Second", "First"]);
    });
}

#[test]
fn several_servers_that_open_at_once_publish_once() {
    each_world(|world| {
        let id = world.publish(between(world, "Soon", 60, 120));
        let now = world.pass(60);
        let servers = [world.db.another(), world.db.another(), world.db.another()];
        let opening = servers
            .iter()
            .flat_map(|server| [server, server])
            .map(|server| server.write(move |tx| change::open_due(tx, 10, now)));
        let opened = world.db.wait(together(opening.collect()));
        assert_eq!(opened.into_iter().sum::<usize>(), 1);
        assert_eq!(world.number("SELECT COUNT(*) FROM edition"), 1);
        assert_eq!(world.message(id).revision, Some(world.revision()));
    });
}

/// Waits for all of them, in whatever order they end.
async fn together<F: Future<Output = campanile_core::Result<usize>>>(futures: Vec<F>) -> Vec<usize> {
    let mut waiting: Vec<_> = futures.into_iter().map(Box::pin).collect();
    let mut done = Vec::new();
    std::future::poll_fn(|context| {
        waiting.retain_mut(|one| match one.as_mut().poll(context) {
            std::task::Poll::Ready(opened) => {
                done.push(opened.expect("what is due opens"));
                false
            }
            std::task::Poll::Pending => true,
        });
        if waiting.is_empty() {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    done
}

#[test]
fn the_names_of_environments_are_found_both_ways() {
    each_world(|world| {
        let test = world.environment("TEST");
        let found = world.db.read(|tx| target::environment(tx, "TEST")).unwrap();
        assert_eq!(found.map(|id| id.0), Some(test));
        let key = world.db.read(move |tx| target::environment_key(tx, found.unwrap()));
        assert_eq!(key.unwrap(), "TEST");
        assert_eq!(world.db.read(|tx| target::environment(tx, "NOWHERE")).unwrap(), None);
        assert!(is_missing(&world.one(world.sender, MessageId(1))));
    });
}
