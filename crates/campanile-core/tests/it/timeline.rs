//! How far a message got, over time: its end is the funnel, and at any time it is what each person did by then.

use campanile_core::id::MessageId;
use campanile_core::inbox::act::{Action, All};
use campanile_core::message::change::Correction;
use campanile_core::message::sent::Part;
use campanile_core::message::target::Target;
use campanile_core::message::timeline::{self, POINTS, Timeline};

use crate::world::{At, PUBLISHER, World, active, draft, each_world, role};

const MINUTE: i64 = 60_000;

pub(crate) fn timeline(world: &World<'_>, id: MessageId) -> Timeline {
    let (message, kept) = (world.message(id), world.audiences());
    let found = world.with_residents(move |tx, residents, now| timeline::timeline(tx, residents, &kept, &message, now));
    let (funnel, timeline) = found.expect("the message is published");
    assert_eq!(funnel, world.funnel(id));
    timeline
}

/// Counts the people of the list of recipients, stretch by stretch.
fn holds_to_the_people(world: &World<'_>, id: MessageId) -> Timeline {
    let found = timeline(world, id);
    assert!(found.seen.len() <= POINTS && found.seen.len() == found.read.len());
    let published = world.message(id).published_at.expect("it is published").0;
    let people = world.recipients(id, Part::All);
    for (index, (seen, read)) in found.seen.iter().zip(&found.read).enumerate() {
        let end = published + (index as i64 + 1) * found.length;
        let by_then = |at: Option<campanile_core::time::Moment>| at.is_some_and(|at| at.0 < end);
        let expected = people.iter().filter(|one| by_then(one.seen_at)).count() as u64;
        assert_eq!(*seen, expected, "seen by the end of stretch {index}");
        let expected = people.iter().filter(|one| by_then(one.read_at)).count() as u64;
        assert_eq!(*read, expected, "read by the end of stretch {index}");
    }
    let funnel = world.funnel(id);
    assert_eq!(found.seen.last(), Some(&funnel.seen));
    assert_eq!(found.read.last(), Some(&funnel.read));
    found
}

#[test]
fn each_point_counts_who_had_seen_and_read_it_by_then() {
    each_world(|world| {
        let [ann, bob, cid, dan] = world.publishers(["ann", "bob", "cid", "dan"]);
        let id = world.publish(draft("Sent", [role("API_PUBLISHER")]));
        assert_eq!(timeline(world, id).seen, [0]);
        world.marks(ann, All::Seen);
        world.pass(70);
        world.does(bob, Action::Read, &[id]);
        world.pass(200);
        world.marks(cid, All::Read);
        let found = holds_to_the_people(world, id);
        assert_eq!(found.length, MINUTE);
        assert_eq!((found.seen, found.read), (vec![1, 2, 2, 2, 3], vec![0, 1, 1, 1, 2]));
        world.does(cid, Action::Unread, &[id]);
        world.does(dan, Action::Archive, &[id]);
        holds_to_the_people(world, id);
        world.pass(60);
        world.marks(cid, All::Read);
        holds_to_the_people(world, id);
    });
}

#[test]
fn a_long_story_has_longer_stretches_and_not_more_of_them() {
    each_world(|world| {
        let [ann, bob, cid] = world.publishers(["ann", "bob", "cid"]);
        let id = world.publish(draft("Sent", [role("API_PUBLISHER")]));
        world.marks(ann, All::Read);
        world.pass(3 * 60 * 60);
        world.does(bob, Action::Read, &[id]);
        assert_eq!(holds_to_the_people(world, id).length, 10 * MINUTE);
        world.pass(200 * 24 * 60 * 60);
        world.marks(cid, All::Seen);
        let found = holds_to_the_people(world, id);
        assert_eq!(found.length, 7 * 24 * 60 * MINUTE);
        assert_eq!((found.seen[0], found.read[0]), (2, 2));
        world.pass(9 * 365 * 24 * 60 * 60);
        world.marks(cid, All::Read);
        assert_eq!(holds_to_the_people(world, id).seen.last(), Some(&3));
    });
}

#[test]
fn a_ring_begins_the_reading_anew_and_late_joiners_count() {
    each_world(|world| {
        let [ann, bob] = world.publishers(["ann", "bob"]);
        let id = world.publish(active("Active", [role("API_PUBLISHER")]));
        world.does(ann, Action::Read, &[id]);
        world.marks(bob, All::Read);
        holds_to_the_people(world, id);
        world.ring(id);
        assert_eq!(holds_to_the_people(world, id).read.last(), Some(&0));
        let [cid] = world.publishers(["cid"]);
        world.pass(300);
        world.marks(cid, All::Read);
        world.leaves(bob, At::Environment, PUBLISHER);
        let found = holds_to_the_people(world, id);
        assert_eq!((found.seen.last(), found.read.last()), (Some(&2), Some(&1)));
    });
}

#[test]
fn what_waits_for_its_window_has_no_timeline() {
    each_world(|world| {
        let mut later = draft("Later", [Target::Everyone]);
        later.opens_at = Some(world.in_s(3_600));
        let id = world.publish(later);
        let (message, kept) = (world.message(id), world.audiences());
        let found =
            world.with_residents(move |tx, residents, now| timeline::timeline(tx, residents, &kept, &message, now));
        assert_eq!(found, None);
        world.correct(
            id,
            Correction {
                opens_at: Some(None),
                ..Correction::default()
            },
        );
        holds_to_the_people(world, id);
    });
}
