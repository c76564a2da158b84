//! What is kept of a look at a message: the next look judges those alone who did something since, and says what all
//! marks say.

use std::future::Future;
use std::sync::mpsc::sync_channel;
use std::task::{Context, Waker};

use campanile_core::id::{MessageId, SubscriptionId};
use campanile_core::inbox::act::{self, Action, All, UpTo};
use campanile_core::message::Status as Standing;
use campanile_core::message::change::Correction;
use campanile_core::message::timeline::Timeline;
use campanile_core::revision;
use campanile_store::{Dialect, Tx};

use crate::random::Play;
use crate::timeline::timeline;
use crate::world::{At, OWNER, PUBLISHER, Shop, Status, World, active, draft, each_world, role, subscribers, user};

const STEPS: u32 = 160;
const SEEDS: std::ops::Range<u64> = 11..13;

/// How many saw and read a message.
fn numbers(world: &World<'_>, id: MessageId) -> (u64, u64) {
    let funnel = world.funnel(id);
    (funnel.seen, funnel.read)
}

/// No mark is one of "seen" or "read" any more.
const NO_MARK: &str = "UPDATE mark SET kind = 3";
const NOT_READ: &str = "UPDATE engagement SET read_at = NULL, read_revision = NULL";

#[test]
fn a_second_look_reads_only_what_those_did_who_did_something_since() {
    each_world(|world| {
        let [ann, bob] = world.publishers(["ann", "bob"]);
        let id = world.publish(draft("Sent", [role("API_PUBLISHER")]));
        world.marks(ann, All::Read);
        world.does(bob, Action::Read, &[id]);
        assert_eq!(numbers(world, id), (2, 2));
        let line = timeline(world, id);
        world.execute(NO_MARK);
        world.execute(NOT_READ);
        assert_eq!(numbers(world, id), (2, 2));
        assert_eq!(timeline(world, id), line);
        world.marks(bob, All::Seen);
        assert_eq!(numbers(world, id), (2, 1), "bob is judged again, by what is there");
        world.forget_audiences();
        assert_eq!(numbers(world, id), (1, 0));
    });
}

#[test]
fn what_was_looked_at_as_one_is_known_in_a_list_and_the_other_way_round() {
    each_world(|world| {
        let [ann] = world.publishers(["ann"]);
        let ids = [1, 2, 3].map(|_| world.publish(draft("Sent", [role("API_PUBLISHER")])));
        world.marks(ann, All::Read);
        timeline(world, ids[0]);
        let all = world.funnels(&ids);
        world.execute(NO_MARK);
        assert_eq!(world.funnels(&ids), all);
        assert_eq!(timeline(world, ids[0]).read.last(), Some(&1));
        assert_eq!(numbers(world, ids[1]), (1, 1));
    });
}

#[test]
fn of_very_many_messages_those_are_counted_anew_that_were_not_looked_at_for_longest() {
    each_world(|world| {
        let ann = world.person("ann");
        let ids: Vec<MessageId> = (0..513).map(|_| world.publish(draft("Sent", [user("ann")]))).collect();
        world.marks(ann, All::Seen);
        assert!(world.funnels(&ids).into_iter().flatten().all(|funnel| funnel.seen == 1));
        world.execute(NO_MARK);
        assert_eq!(numbers(world, ids[512]), (1, 0));
        assert_eq!(numbers(world, ids[0]), (0, 0));
    });
}

#[test]
fn where_very_many_marks_were_made_since_none_is_missed() {
    each_world(|world| {
        let [ann, bob] = world.publishers(["ann", "bob"]);
        let id = world.publish(draft("Sent", [role("API_PUBLISHER")]));
        assert_eq!(numbers(world, id), (0, 0));
        world.marks(ann, All::Read);
        world.marks(bob, All::Read);
        world.execute(
            "INSERT INTO mark (person, kind, at, revision, clock, written)
            WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 10001)
            SELECT m.person, m.kind, m.at + n, m.revision, m.clock, COALESCE({transaction}, m.written + n)
            FROM mark m CROSS JOIN number WHERE m.person = (SELECT MAX(person) FROM mark)",
        );
        assert_eq!(numbers(world, id), (2, 2));
    });
}

#[test]
fn a_mark_of_another_server_that_is_committed_late_is_not_missed() {
    each_world(|world| {
        let [ann, bob] = world.publishers(["ann", "bob"]);
        let id = world.publish(draft("Sent", [role("API_PUBLISHER")]));
        let other = world.db.another();
        let (begun, is_begun) = sync_channel(1);
        let (commit, may_commit) = sync_channel::<()>(1);
        let (clock, revision) = (world.pass(1), world.revision());
        let mut late = Box::pin(other.jot(move |tx: &mut Tx<'_>| {
            act::mark(tx, ann, All::Read, UpTo { revision, clock }, clock)?;
            // A read waits for what was sent before it.
            revision::latest(tx)?;
            begun.send(()).expect("the test waits for it");
            may_commit.recv().expect("the test lets it go");
            Ok::<(), campanile_core::Error>(())
        }));
        assert!(late.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        is_begun.recv().expect("it begins");
        // SQLite has one writer at a time.
        let meanwhile = u64::from(world.db.db.dialect() == Dialect::Postgres);
        if meanwhile == 1 {
            world.marks(bob, All::Read);
        }
        assert_eq!(numbers(world, id), (meanwhile, meanwhile));
        assert_eq!(numbers(world, id), (meanwhile, meanwhile));
        commit.send(()).expect("it waits");
        world.db.wait(late).expect("it is committed");
        assert_eq!(numbers(world, id), (meanwhile + 1, meanwhile + 1));
    });
}

#[test]
fn a_database_that_was_brought_from_elsewhere_counts_on() {
    each_world(|world| {
        let [ann, bob, cid] = world.publishers(["ann", "bob", "cid"]);
        let id = world.publish(draft("Sent", [role("API_PUBLISHER")]));
        world.marks(ann, All::Read);
        world.does(cid, Action::Read, &[id]);
        world.execute("UPDATE mark SET written = written + 1000000000000");
        world.execute("UPDATE engagement SET written = written + 1000000000000");
        assert_eq!(numbers(world, id), (2, 2));
        world.execute(NO_MARK);
        world.execute(NOT_READ);
        world.marks(bob, All::Seen);
        assert_eq!(
            numbers(world, id),
            (3, 2),
            "what was there before is not looked at again"
        );
        world.does(bob, Action::Read, &[id]);
        assert_eq!(numbers(world, id), (3, 3));
        world.does(cid, Action::Read, &[id]);
        world.does(cid, Action::Unread, &[id]);
        assert_eq!(numbers(world, id), (3, 2));
    });
}

#[test]
fn a_file_that_was_set_back_is_counted_anew() {
    each_world(|world| {
        if world.db.db.dialect() == Dialect::Postgres {
            // Its transactions are never numbered backwards.
            return;
        }
        let [ann] = world.publishers(["ann"]);
        let id = world.publish(draft("Sent", [role("API_PUBLISHER")]));
        world.marks(ann, All::Read);
        assert_eq!(numbers(world, id), (1, 1));
        world.execute("DELETE FROM mark");
        assert_eq!(numbers(world, id), (0, 0));
    });
}

#[test]
fn whoever_has_come_gone_and_come_back_is_judged_by_their_last_coming() {
    each_world(|world| {
        let [ann] = world.publishers(["ann"]);
        let id = world.publish(active("Active", [role("API_PUBLISHER")]));
        world.marks(ann, All::Read);
        assert_eq!(numbers(world, id), (1, 1));
        world.leaves(ann, At::Environment, PUBLISHER);
        world.holds(ann, At::Environment, PUBLISHER);
        assert_eq!(numbers(world, id), (0, 0));
        world.marks(ann, All::Read);
        assert_eq!(numbers(world, id), (1, 1));
        world.leaves(ann, At::Environment, PUBLISHER);
        assert_eq!(numbers(world, id), (0, 0));
    });
}

#[test]
fn the_clock_alone_takes_marks_back_and_brings_deeds_back() {
    each_world(|world| {
        let Shop {
            ann,
            payments,
            subscription,
            ..
        } = world.shop();
        let second = world.application("second");
        world.holds(ann, At::Application(second), OWNER);
        let later = world.subscribes(ann, second, payments);
        world.sets(subscription, ann, Status::Accepted, None, Some(world.in_s(50)));
        world.sets(later, ann, Status::Accepted, Some(world.in_s(100)), None);
        let [marked, opened] = [1, 2].map(|_| world.publish(active("Active", [subscribers("payments")])));
        world.does(ann, Action::Read, &[opened]);
        world.marks(ann, All::Read);
        assert_eq!((numbers(world, marked), numbers(world, opened)), ((1, 1), (1, 1)));
        world.pass(60);
        assert_eq!(numbers(world, opened), (0, 0), "she is in no audience");
        world.pass(60);
        assert_eq!(numbers(world, marked), (0, 0), "it has come up anew");
        assert_eq!(numbers(world, opened), (1, 1), "what she did with it stands");
    });
}

#[test]
fn a_ring_a_recall_and_a_new_window_count_everybody_anew() {
    each_world(|world| {
        let [ann, bob] = world.publishers(["ann", "bob"]);
        let id = world.publish(draft("Sent", [role("API_PUBLISHER")]));
        world.marks(ann, All::Read);
        assert_eq!(numbers(world, id), (1, 1));
        world.ring(id);
        assert_eq!(numbers(world, id), (1, 0));
        let soon = world.in_s(60);
        world.correct(
            id,
            Correction {
                closes_at: Some(Some(soon)),
                ..Correction::default()
            },
        );
        world.marks(ann, All::Read);
        assert_eq!(numbers(world, id), (1, 1));
        world.pass(120);
        world.marks(bob, All::Read);
        assert_eq!(numbers(world, id), (1, 1), "its window has closed");
        world.recall(id).expect("it is there");
        assert_eq!(numbers(world, id), (1, 1));
    });
}

/// What somebody is rid of, and brings back; and a subscription beside the one of the play.
fn more(world: &World<'_>, play: &mut Play<'_>, second: SubscriptionId) {
    let person = play.dice.one(&play.people);
    match play.dice.roll(5) {
        0 => world.marks(person, All::Deleted),
        1 => {
            let (starts, ends) = (play.time(), play.time());
            world.sets(second, person, Status::Accepted, starts, ends);
        }
        _ if play.messages.is_empty() => {}
        _ => {
            let id = play.dice.one(&play.messages);
            let action = [Action::Delete, Action::Restore, Action::Unread];
            // Much of this is refused: it is not theirs, or there is nothing to restore.
            let _ = world.tries(person, play.dice.one(&action), &[id]);
        }
    }
}

/// How many by the end of a stretch that ends at a time.
fn by(line: &Timeline, row: &[u64], end: i64) -> Option<u64> {
    let index = (end / line.length - 1).max(0) as usize;
    row.get(index.min(row.len() - 1)).copied()
}

/// Where somebody was the last to do something and has left, what is kept is told in longer stretches, or more.
fn tells_the_same(kept: &Timeline, whole: &Timeline) {
    for (index, (seen, read)) in kept.seen.iter().zip(&kept.read).enumerate() {
        let end = (index as i64 + 1) * kept.length;
        let numbers = (by(whole, &whole.seen, end), by(whole, &whole.read, end));
        assert_eq!((Some(*seen), Some(*read)), numbers, "{kept:?} is not {whole:?}");
    }
    assert_eq!(kept.seen.last(), whole.seen.last());
    assert_eq!(kept.read.last(), whole.read.last());
}

#[test]
fn whatever_happens_what_is_kept_says_what_all_marks_say() {
    for seed in SEEDS {
        each_world(|world| {
            let mut play = Play::new(world, seed);
            let second = world.application("second");
            world.holds(play.people[1], At::Application(second), OWNER);
            let second = world.subscribes(play.people[2], second, play.shop.payments);
            for _ in 0..STEPS {
                match play.dice.roll(4) {
                    0 => more(world, &mut play, second),
                    _ => play.step(),
                }
                // Some are looked at often, some after long.
                for id in play.messages.clone() {
                    if play.dice.roll(6) > 0 || world.status(id) == Standing::Scheduled {
                        continue;
                    }
                    let whole = world.anew(|| (world.crowds(id), world.funnel(id)));
                    assert_eq!((world.crowds(id), world.funnel(id)), whole, "message {id}");
                    if play.dice.roll(2) == 0 && world.message(id).revision.is_some() {
                        tells_the_same(&timeline(world, id), &world.anew(|| timeline(world, id)));
                    }
                }
                if play.dice.roll(8) == 0 {
                    let whole = world.anew(|| world.funnels(&play.messages));
                    assert_eq!(world.funnels(&play.messages), whole);
                }
            }
        });
    }
}
