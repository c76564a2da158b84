//! What the sender sees: who stands how, page by page, and what was tried with one.

use campanile_core::message::sent::By;
use campanile_core::outbox::delivery::{Outcome, State as Stands};
use campanile_core::outbox::look::{self, Delivery, Standing, Story, Which};

use super::*;

fn mails(standing: Option<Standing>) -> Which {
    Which {
        channel: Channel::Email,
        standing,
        q: None,
        by: By::NameAndAddress,
        after: 0,
        limit: 100,
    }
}

impl World<'_> {
    fn shows(&self, id: MessageId, which: &Which) -> (Vec<Delivery>, Option<i64>) {
        let which = which.clone();
        self.looks(move |tx| look::page(tx, id, &which))
    }

    /// The targets of a page.
    fn those(&self, id: MessageId, standing: Standing) -> Vec<String> {
        targets(&self.shows(id, &mails(Some(standing))).0)
    }

    fn story(&self, id: MessageId, target: &'static str) -> Result<Story> {
        self.db
            .read(move |tx| look::one(tx, id, Channel::Email, target, By::NameAndAddress))
    }
}

fn targets(page: &[Delivery]) -> Vec<String> {
    page.iter().map(|one| one.target.clone()).collect()
}

/// Six people: one was sent the mail, one failed, one waits for another try, one is suppressed, one is gone, one waits.
fn mixed(world: &World<'_>) -> MessageId {
    for name in ["a", "b", "c", "d", "e", "f"] {
        world.person(name);
    }
    let id = world.mail(["a", "b", "c", "d", "e", "f"].map(user));
    let mut chunk = world.takes(ONE, Lane::Normal).expect("there is somebody");
    let now = world.now();
    let at = |place: usize, end| ended(i64::from(chunk.people[place]), end, now);
    let again = End::Again {
        at: world.in_s(300),
        counts: true,
    };
    let outcomes = vec![
        sent(chunk.people[0], now),
        at(1, End::Failed),
        at(2, again),
        at(3, End::Suppressed),
        at(4, End::Gone),
    ];
    chunk.begun = 5;
    for place in 0..5 {
        chunk.done.set(place);
    }
    assert!(world.writes(&mut chunk, outcomes));
    id
}

#[test]
fn everybody_is_in_one_list_in_the_order_of_their_numbers() {
    each_world(|world| {
        let id = mixed(world);
        let (page, next) = world.shows(id, &mails(None));
        assert_eq!(targets(&page), ["a", "b", "c", "d", "e", "f"]);
        assert_eq!(next, None);
        let states: Vec<_> = page.iter().map(|one| (one.state, one.attempts)).collect();
        assert_eq!(
            states,
            [
                (Stands::Sent, 1),
                (Stands::Failed, 1),
                (Stands::Queued, 1),
                (Stands::Suppressed, 0),
                (Stands::Gone, 0),
                (Stands::Queued, 0)
            ]
        );
    });
}

#[test]
fn those_who_stand_so_are_found() {
    each_world(|world| {
        let id = mixed(world);
        for (standing, who) in [
            (Standing::Sent, &["a"][..]),
            (Standing::Failed, &["b"]),
            (Standing::Retrying, &["c"]),
            (Standing::Queued, &["c", "f"]),
            (Standing::Suppressed, &["d"]),
            (Standing::Gone, &["e"]),
            (Standing::Cancelled, &[]),
            (Standing::InDoubt, &[]),
        ] {
            assert_eq!(world.those(id, standing), who, "{standing:?}");
        }
    });
}

#[test]
fn a_failure_has_its_reason_code_and_address() {
    each_world(|world| {
        let id = mixed(world);
        let (page, _) = world.shows(id, &mails(Some(Standing::Failed)));
        let failed = &page[0];
        assert_eq!(
            (failed.code, failed.reason.as_deref(), failed.address.as_deref()),
            (Some(550), Some("the relay says no"), Some("a@example.com"))
        );
        assert_eq!((failed.at, failed.next_at), (Some(world.now()), None));
        let (waits, _) = world.shows(id, &mails(Some(Standing::Retrying)));
        assert_eq!(waits[0].next_at, Some(world.in_s(300)));
    });
}

#[test]
fn an_address_is_for_who_may_read_the_directory() {
    each_world(|world| {
        let id = mixed(world);
        let names = Which {
            by: By::Name,
            ..mails(None)
        };
        assert!(world.shows(id, &names).0.iter().all(|one| one.address.is_none()));
        let addresses = world.shows(id, &mails(None)).0;
        assert_eq!(
            addresses[0].address.as_deref(),
            Some("a@example.org"),
            "the present one"
        );
        assert_eq!(addresses[1].address.as_deref(), Some("a@example.com"), "where it went");
        let by_address = Which {
            q: Some("f@example".into()),
            ..mails(None)
        };
        assert_eq!(targets(&world.shows(id, &by_address).0), ["f"]);
        let by_name = Which {
            by: By::Name,
            ..by_address
        };
        assert_eq!(targets(&world.shows(id, &by_name).0), Vec::<String>::new());
    });
}

#[test]
fn pages_hold_everybody_once() {
    each_world(|world| {
        world.people("p", 2_300);
        let id = world.mail([Target::Everyone]);
        let mut first = world.takes(ONE, Lane::Bulk).unwrap();
        // Every third of the first thousand fails.
        let now = world.now();
        let outcomes = (0..first.people.len())
            .map(|at| {
                let person = first.people[at];
                match at % 3 {
                    0 => ended(i64::from(person), End::Failed, now),
                    _ => sent(person, now),
                }
            })
            .collect();
        for at in 0..first.people.len() {
            first.done.set(at);
        }
        first.begun = first.people.len();
        assert!(world.writes(&mut first, outcomes));
        let all = |standing, limit| {
            let (mut out, mut after) = (Vec::new(), 0);
            loop {
                let which = Which {
                    after,
                    limit,
                    ..mails(standing)
                };
                let (page, next) = world.shows(id, &which);
                assert!(page.len() <= limit);
                out.extend(targets(&page));
                let Some(next) = next else { return out };
                after = next;
            }
        };
        let progress = world.progress(id);
        for (standing, count) in [
            (None, progress.recipients),
            (Some(Standing::Failed), 334),
            (Some(Standing::Sent), 666),
            (Some(Standing::Queued), progress.queued),
        ] {
            for limit in [97, 1_000] {
                let found = all(standing, limit);
                let distinct: std::collections::BTreeSet<_> = found.iter().collect();
                assert_eq!(
                    (found.len(), distinct.len()),
                    (count as usize, count as usize),
                    "{standing:?}"
                );
            }
        }
    });
}

#[test]
fn what_was_taken_back_is_cancelled_before_and_after_it_is_swept() {
    each_world(|world| {
        let id = mixed(world);
        world.jots(move |tx| run::cancel(tx, id, Channel::Email));
        for _ in 0..2 {
            assert_eq!(world.those(id, Standing::Cancelled), ["c", "f"]);
            assert_eq!(world.those(id, Standing::Queued), Vec::<String>::new());
            world.pass(LEASE_MS / 1_000 + 1);
            world.sweeps();
        }
        assert_eq!(world.progress(id).cancelled, 2);
    });
}

#[test]
fn a_plain_success_is_one_line_between_the_times_of_its_chunk() {
    each_world(|world| {
        world.person("ann");
        let id = world.mail([user("ann")]);
        let begun = world.now();
        let mut chunk = world.takes(ONE, Lane::Normal).unwrap();
        world.pass(5);
        world.sends(&mut chunk);
        let story = world.story(id, "ann").unwrap();
        assert_eq!((story.delivery.state, story.timeline.len()), (Stands::Sent, 1));
        let only = &story.timeline[0];
        assert_eq!(
            (only.at, only.until, only.outcome),
            (begun, Some(world.now()), Outcome::Sent)
        );
    });
}

#[test]
fn a_mail_that_came_back_tells_first_that_it_went() {
    each_world(|world| {
        let ann = world.person("ann");
        let id = world.mail([user("ann")]);
        let mut chunk = world.takes(ONE, Lane::Normal).unwrap();
        world.sends(&mut chunk);
        let now = world.pass(60);
        world.jots(move |tx| {
            let sent = Some((Lane::Normal, 0));
            delivery::bounced(tx, id, ann.0, sent, Some(550), "no such mailbox", now)
        });
        let story = world.story(id, "ann").unwrap();
        let lines: Vec<_> = story.timeline.iter().map(|line| (line.number, line.outcome)).collect();
        assert_eq!(lines, [(1, Outcome::Sent), (2, Outcome::Bounced)]);
        assert_eq!(story.timeline[0].code, None);
        assert_eq!((story.delivery.state, story.delivery.attempts), (Stands::Failed, 2));
    });
}

#[test]
fn who_is_not_in_it_has_no_story() {
    each_world(|world| {
        let id = mixed(world);
        world.person("stranger");
        for target in ["stranger", "nobody", "1"] {
            assert!(
                matches!(world.story(id, target), Err(Error::Missing("delivery"))),
                "{target}"
            );
        }
    });
}

#[test]
fn a_post_has_its_destination_and_the_line_of_its_first_success() {
    each_world(|world| {
        let id = world.publish(post("https://hooks.example.com/in?key=1"));
        let due = world.due(Channel::Http, Lane::Normal);
        let now = world.now();
        world.settles(vec![(due[0], Settled::sent(1, Some(204), now, 7))]);
        let which = Which {
            channel: Channel::Http,
            ..mails(Some(Standing::Sent))
        };
        let (page, next) = world.shows(id, &which);
        assert_eq!((targets(&page), next), (vec!["1".to_owned()], None));
        let to = page[0].destination.as_ref().unwrap();
        assert_eq!(to.url, "https://hooks.example.com/in?key=1");
        let story = world.looks(move |tx| look::one(tx, id, Channel::Http, "1", By::Name));
        assert_eq!((story.timeline.len(), story.timeline[0].code), (1, Some(204)));
        let by_url = |q: &str| Which {
            q: Some(q.into()),
            ..which.clone()
        };
        assert_eq!(world.shows(id, &by_url("HTTPS://hooks")).0.len(), 1);
        assert_eq!(world.shows(id, &by_url("http://hooks")).0.len(), 0);
    });
}

#[test]
fn a_message_that_has_not_left_has_no_recipients_yet() {
    each_world(|world| {
        world.person("ann");
        let id = world.publish(draft("Bell", [user("ann")]));
        assert_eq!(world.shows(id, &mails(None)), (Vec::new(), None));
        assert!(matches!(world.story(id, "ann"), Err(Error::Missing("delivery"))));
    });
}
