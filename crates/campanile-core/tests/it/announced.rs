//! Announcements as those find them who look after them: by state, by customer, in both orders, and no others' than
//! theirs.

use campanile_core::id::{CustomerId, MessageId};
use campanile_core::message::announced::{self, For, Order, State, Wanted, Whose};
use campanile_core::message::draft::Draft;
use campanile_core::message::target::Target;
use campanile_core::message::{Channel, Importance};
use campanile_core::rights::Rights;

use crate::world::{World, customer, draft, each_world, subtree, user};

fn banner(title: &str, audience: impl Into<Vec<Target>>) -> Draft {
    Draft {
        channels: vec![Channel::Banner],
        ..draft(title, audience)
    }
}

fn root(world: &World<'_>) -> Rights {
    Rights {
        is_organization_admin: true,
        ..Rights::none(world.sender)
    }
}

/// The titles of a page, and where the next one goes on.
fn page(world: &World<'_>, rights: Rights, wanted: Wanted) -> (Vec<String>, Option<i64>) {
    let now = world.now();
    let (found, next) = world
        .db
        .read(move |tx| announced::page(tx, &rights, &wanted, now))
        .expect("they can be listed");
    (found.into_iter().map(|one| one.message.title).collect(), next)
}

fn in_state(world: &World<'_>, state: State) -> Vec<String> {
    let wanted = Wanted {
        state,
        ..Wanted::default()
    };
    page(world, root(world), wanted).0
}

#[test]
fn each_stands_in_the_list_of_its_state() {
    each_world(|world| {
        let all = [Target::Everyone];
        let open = world.publish(banner("Open", all.clone()));
        world.publish(draft("No banner", all.clone()));
        world.publish(Draft {
            opens_at: Some(world.in_s(60)),
            closes_at: Some(world.in_s(120)),
            ..banner("Later", all.clone())
        });
        let off = world.publish(Draft {
            enabled: false,
            ..banner("Off", all.clone())
        });
        let gone = world.publish(banner("Gone", all.clone()));
        world.recall(gone).unwrap();
        let short = Some(world.in_s(10));
        world.publish(Draft {
            closes_at: short,
            ..banner("Short", all)
        });
        assert_eq!(in_state(world, State::Now), ["Open", "Short"]);
        assert_eq!(in_state(world, State::Coming), ["Later"]);
        assert_eq!(in_state(world, State::Off), ["Off"]);
        assert_eq!(in_state(world, State::Past), ["Gone"]);
        assert_eq!(in_state(world, State::Any), ["Open", "Later", "Off", "Short"]);
        world.pass(20);
        assert_eq!(in_state(world, State::Past), ["Gone", "Short"]);
        let between = State::Between(world.in_s(60), world.in_s(200));
        assert_eq!(in_state(world, between), ["Open", "Later", "Off"]);
        assert_eq!(
            in_state(world, State::Between(world.in_s(-90), world.in_s(-80))),
            [""; 0]
        );
        world.pass(70);
        world.enable(off);
        world.disable(open);
        assert_eq!(in_state(world, State::Now), ["Later", "Off"]);
        assert_eq!(in_state(world, State::Off), ["Open"]);
    });
}

#[test]
fn a_customer_is_matched_by_its_number_and_others_are_left_out() {
    each_world(|world| {
        let acme = world.customer(None);
        let south = world.customer(Some(acme));
        world.person("ann");
        world.publish(banner("All", [Target::Everyone]));
        world.publish(banner("Acme", [customer(acme)]));
        world.publish(banner("Acme and below", [subtree(acme)]));
        world.publish(banner("South", [customer(south)]));
        world.publish(banner("Both", [customer(acme), customer(south)]));
        world.publish(banner("Ann", [user("ann")]));
        world.publish(banner("Only a try", [user("sender")]));
        let of = |whose| {
            let wanted = Wanted {
                whose: Some(whose),
                ..Wanted::default()
            };
            page(world, root(world), wanted).0
        };
        assert_eq!(of(Whose::All), ["All"]);
        assert_eq!(of(Whose::One(acme)), ["Acme", "Acme and below"]);
        assert_eq!(of(Whose::One(CustomerId(999))), [""; 0]);
        let everything = Wanted {
            others: true,
            from: Order::Below(i64::MAX),
            ..Wanted::default()
        };
        let all = page(world, root(world), everything.clone()).0;
        assert_eq!(all, ["Ann", "Both", "South", "Acme and below", "Acme", "All"]);
        // An administrator of South knows of nothing above.
        let mut rights = Rights::none(world.person("dan"));
        rights.subtree.insert(south.0 as u32);
        rights.customer = Some(south);
        assert_eq!(page(world, rights, everything).0, ["South"]);
    });
}

#[test]
fn pages_go_on_where_the_last_one_ended_in_both_orders() {
    each_world(|world| {
        let drafts = (0..5).map(|n| Draft {
            importance: if n % 2 == 0 { Importance::High } else { Importance::Low },
            ..banner(&format!("No {n}"), [Target::Everyone])
        });
        let ids: Vec<MessageId> = world.publish_many(drafts.collect());
        let wanted = |from| Wanted {
            from,
            limit: 2,
            ..Wanted::default()
        };
        let (first, next) = page(world, root(world), wanted(Order::Above(0)));
        assert_eq!((first, next), (vec!["No 0".into(), "No 1".into()], Some(ids[1].0)));
        let (last, next) = page(world, root(world), wanted(Order::Above(ids[3].0)));
        assert_eq!((last, next), (vec!["No 4".into()], None));
        let (newest, next) = page(world, root(world), wanted(Order::Below(i64::MAX)));
        assert_eq!((newest, next), (vec!["No 4".into(), "No 3".into()], Some(ids[3].0)));
        let searched = Wanted {
            search: Some(" nO 2".into()),
            importance: Some(Importance::High),
            ..Wanted::default()
        };
        assert_eq!(page(world, root(world), searched).0, ["No 2"]);
        let whom = world.db.read(move |tx| announced::whom(tx, ids[0])).unwrap();
        assert_eq!(whom, For::Everyone);
    });
}
