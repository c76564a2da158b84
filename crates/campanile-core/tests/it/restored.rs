//! A database that was given back from a backup: what may have left does not leave again by itself.

use campanile_core::id::MessageId;
use campanile_core::message::Channel;
use campanile_core::message::draft::Draft;
use campanile_core::outbox::run::{self, State};
use campanile_core::restored::{self, LEAP, Waiting};
use campanile_core::time::Moment;

use crate::world::{World, draft, each_world, user};

fn mail(opens_at: Option<Moment>) -> Draft {
    Draft {
        channels: vec![Channel::Portal, Channel::Email],
        opens_at,
        ..draft("Mail", [user("ann")])
    }
}

fn state(world: &World<'_>, id: MessageId) -> State {
    let read = world.db.read(move |tx| run::progress(tx, id));
    read.expect("the run can be read")[0].state
}

/// The database is given back now.
fn restore(world: &World<'_>, others: Vec<(String, i64)>) {
    let now = world.now();
    world
        .db
        .write(move |tx| restored::mark(tx, &others, now))
        .expect("it is marked");
}

fn waiting(world: &World<'_>) -> Option<Waiting> {
    world.db.read(restored::waiting).expect("what waits can be read")
}

#[test]
fn what_was_under_way_waits_for_a_word_and_what_is_sent_later_does_not() {
    each_world(|world| {
        world.person("ann");
        let (under_way, switched_off) = (world.publish(mail(None)), world.publish(mail(None)));
        world.disable(switched_off);
        assert_eq!(waiting(world), None);
        let restored_at = world.now();
        restore(world, Vec::new());
        let later = world.publish(mail(None));
        assert_eq!(
            [under_way, switched_off, later].map(|id| state(world, id)),
            [State::Held, State::Held, State::Listing]
        );
        let found = waiting(world).unwrap();
        assert_eq!((found.restored_at, found.runs), (restored_at, 1));

        assert_eq!(world.db.write(restored::release).unwrap(), 1);
        assert_eq!(
            [under_way, switched_off].map(|id| state(world, id)),
            [State::Listing, State::Held]
        );
        assert_eq!(waiting(world).unwrap().runs, 0);
    });
}

#[test]
fn what_opened_between_backup_and_restore_is_shown_and_not_sent_again() {
    each_world(|world| {
        let ann = world.person("ann");
        let before = world.publish(mail(Some(world.in_s(60))));
        let after = world.publish(mail(Some(world.in_s(600))));
        world.pass(120);
        restore(world, Vec::new());
        world.open_due();
        assert_eq!(world.titles(ann), ["Mail"]);
        assert_eq!(state(world, before), State::Held);
        world.pass(600);
        world.open_due();
        assert_eq!(state(world, after), State::Listing);
        world.db.write(restored::release).unwrap();
        assert_eq!(state(world, before), State::Listing);
    });
}

#[test]
fn numbers_that_may_have_been_given_since_are_not_given_again() {
    each_world(|world| {
        world.person("ann");
        let before = world.publish(draft("One", [user("ann")]));
        let revision = world.revision();
        restore(world, Vec::new());
        let next = world.publish(draft("Two", [user("ann")]));
        assert_eq!(next.0, before.0 + LEAP + 1);
        assert!(world.revision() > revision + LEAP);
        // The database that was there had given more.
        restore(world, vec![("message".to_owned(), next.0 + 2 * LEAP)]);
        assert_eq!(world.publish(draft("Three", [user("ann")])).0, next.0 + 2 * LEAP + 1);
    });
}
