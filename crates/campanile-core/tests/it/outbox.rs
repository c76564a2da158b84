//! What leaves the house: born with the publication, listed, handed to workers, settled; nothing lost when one dies.

mod endpoint;
mod look;
mod suppression;

use campanile_core::error::{Error, Result};
use campanile_core::id::MessageId;
use campanile_core::message::change::Correction;
use campanile_core::message::draft::Draft;
use campanile_core::message::funnel;
use campanile_core::message::target::Target;
use campanile_core::message::{Channel, Importance};
use campanile_core::outbox::backlog::{Waiting, backlog};
use campanile_core::outbox::chunk::{self, Chunk};
use campanile_core::outbox::delivery::{self, End, Settled, Taken};
use campanile_core::outbox::destination::Destination;
use campanile_core::outbox::run::{self, Lane, Listing, Progress, State};
use campanile_core::outbox::{LEASE_MS, Worker, lease, list};
use campanile_core::time::Moment;
use campanile_store::Tx;

use crate::world::{World, draft, each_world, key, refusals, user};

pub(crate) const ONE: Worker = Worker(1);
const TWO: Worker = Worker(2);

/// What a server does, by hand.
impl World<'_> {
    pub(crate) fn jots<T: Send + 'static>(&self, work: impl FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static) -> T {
        self.db.jot(work).expect("the outbox takes it")
    }

    pub(crate) fn looks<T: Send + 'static>(&self, work: impl FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static) -> T {
        self.db.read(work).expect("the outbox can be read")
    }

    /// A mail to some people, handed in and listed.
    fn mail(&self, audience: impl Into<Vec<Target>>) -> MessageId {
        self.mails(by_mail(draft("Mail", audience)))
    }

    pub(crate) fn mails(&self, draft: Draft) -> MessageId {
        let id = self.publish(draft);
        self.lists_all();
        id
    }

    /// Lists whatever is to be listed.
    pub(crate) fn lists_all(&self) {
        let now = self.now();
        while let Some(mut listing) = self.jots(move |tx| take_listing(tx, None, now)) {
            let people = self.frozen(listing.message);
            loop {
                let (all, after) = (people.clone(), listing.cursor);
                let page = self.looks(move |tx| list::page(tx, &all, after));
                let total = people.len();
                let last = page.is_last;
                listing = self.jots(move |tx| {
                    let kept = run::store_listed(tx, &mut listing, &page.chunks, page.cursor, total, last, now)?;
                    assert!(kept);
                    Ok::<_, Error>(listing)
                });
                if last {
                    break;
                }
            }
        }
    }

    fn frozen(&self, id: MessageId) -> roaring::RoaringBitmap {
        let (message, kept) = (self.message(id), self.audiences());
        self.with_residents(move |tx, residents, _| {
            Ok(funnel::frozen(tx, residents, &kept, &message)? & residents.with_email())
        })
    }

    pub(crate) fn takes(&self, worker: Worker, lane: Lane) -> Option<Chunk> {
        let now = self.now();
        self.jots(move |tx| chunk::take(tx, worker, lane, 0, 0, now))
    }

    /// Writes a chunk down; whether it was still the worker's.
    pub(crate) fn writes(&self, chunk: &mut Chunk, outcomes: Vec<Settled>) -> bool {
        let (written, now) = (chunk.clone(), self.now());
        let kept = self.jots(move |tx| chunk::write(tx, &written, &outcomes, now));
        chunk.was_written();
        kept
    }

    /// Everybody in a chunk gets their mail, and it is written down.
    pub(crate) fn sends(&self, chunk: &mut Chunk) {
        let outcomes = (0..chunk.people.len())
            .filter(|at| !chunk.done.has(*at))
            .map(|at| sent(chunk.people[at], self.now()))
            .collect();
        for at in 0..chunk.people.len() {
            chunk.done.set(at);
        }
        chunk.begun = chunk.people.len();
        assert!(self.writes(chunk, outcomes));
    }

    fn due(&self, channel: Channel, lane: Lane) -> Vec<Taken> {
        let now = self.now();
        let shares = self.looks(move |tx| delivery::shares(tx, channel, lane));
        let mut out = Vec::new();
        for (share, _) in shares {
            let take = move |tx: &mut Tx<'_>| delivery::take(tx, ONE, channel, lane, share, 100, now);
            out.extend(self.jots(take));
        }
        out
    }

    fn settles(&self, settled: Vec<(Taken, Settled)>) -> usize {
        let now = self.now();
        self.jots(move |tx| delivery::settle(tx, &settled, now))
    }

    pub(crate) fn progress(&self, id: MessageId) -> Progress {
        self.looks(move |tx| run::progress(tx, id))[0]
    }

    pub(crate) fn sweeps(&self) {
        let now = self.now();
        while self.jots(move |tx| run::sweep(tx, now)) {}
    }
}

/// Takes the most urgent listing, or a more urgent one than another.
fn take_listing(tx: &mut Tx<'_>, than: Option<&Listing>, now: Moment) -> Result<Option<Listing>> {
    match run::listable(tx, than, 1, now)?.first() {
        Some(found) => run::take_listing(tx, ONE, found, now),
        None => Ok(None),
    }
}

pub(crate) fn by_mail(draft: Draft) -> Draft {
    Draft {
        channels: vec![Channel::Portal, Channel::Email],
        ..draft
    }
}

fn post(url: &str) -> Draft {
    Draft {
        channels: vec![Channel::Http],
        posts: vec![Destination {
            url: Some(url.to_owned()),
            ..Destination::default()
        }],
        ..draft("Post", [])
    }
}

pub(crate) fn sent(target: u32, at: Moment) -> Settled {
    Settled::sent(i64::from(target), Some(250), at, 3)
}

pub(crate) fn ended(target: i64, end: End, at: Moment) -> Settled {
    Settled {
        target,
        end,
        code: Some(550),
        reason: Some("the relay says no".into()),
        doubtful: false,
        address: Some("a@example.com".into()),
        at,
        took_ms: 5,
    }
}

/// Recipients, queued, sent, failed, suppressed, gone, cancelled, in doubt.
fn numbers(of: Progress) -> [i64; 8] {
    [
        of.recipients,
        of.queued,
        of.sent,
        of.failed,
        of.suppressed,
        of.gone,
        of.cancelled,
        of.in_doubt,
    ]
}

#[test]
fn a_long_listing_lets_what_is_more_urgent_come_between_its_pages() {
    each_world(|world| {
        world.people("p", 3);
        let (many, now) = (world.publish(by_mail(draft("Many", [Target::Everyone]))), world.now());
        let mut listing = world
            .jots(move |tx| take_listing(tx, None, now))
            .expect("it is to be listed");
        assert_eq!(listing.message, many);
        let than = listing;
        assert_eq!(world.jots(move |tx| take_listing(tx, Some(&than), now)), None);
        // Of more than a thousand people, so that it is bulk from the first page on.
        let than = world.jots(move |tx| {
            assert!(run::store_listed(tx, &mut listing, &[vec![1]], 1, 1_001, false, now)?);
            Ok(listing)
        });
        let few = world.publish(by_mail(draft("Few", [Target::Everyone])));
        let critical = world.publish(Draft {
            importance: Importance::Critical,
            ..by_mail(draft("Now", [Target::Everyone]))
        });
        let mut taken = Vec::new();
        while let Some(listing) = world.jots(move |tx| take_listing(tx, Some(&than), now)) {
            taken.push(listing.message);
        }
        assert_eq!(taken, [critical, few]);
    });
}

#[test]
fn a_mail_goes_to_everybody_who_has_an_address_and_to_each_address_once() {
    each_world(|world| {
        let ann = world.person("ann");
        world.person_without_email("bare");
        let twin = world.person_with_email("twin", "ANN@example.org");
        let id = world.mail([user("ann"), user("bare"), user("twin")]);
        let chunk = world.takes(ONE, Lane::Normal).expect("there is somebody");
        assert_eq!(chunk.message, id);
        assert_eq!(
            chunk.people,
            [ann.0 as u32],
            "the lowest id of one address has it, not {twin}"
        );
        assert_eq!(numbers(world.progress(id)), [1, 1, 0, 0, 0, 0, 0, 0]);
    });
}

#[test]
fn what_waits_is_counted_by_channel_and_lane_with_the_time_since_when() {
    each_world(|world| {
        world.people("p", 3);
        world.mail([Target::Everyone]);
        let since = world.now();
        world.pass(60);
        world.mails(Draft {
            importance: Importance::Critical,
            ..by_mail(draft("Now", [user("p1")]))
        });
        let counted = |of: &Waiting| (of.channel, of.lane.name(), of.count, of.since);
        let some = |all: Vec<Waiting>| -> Vec<_> { all.iter().filter(|of| of.count > 0).map(counted).collect() };
        let now = world.now();
        assert_eq!(
            some(world.looks(backlog)),
            [("email", "critical", 1, Some(now)), ("email", "normal", 4, Some(since))]
        );
    });
}

#[test]
fn a_message_to_bell_alone_leaves_nothing_to_send() {
    each_world(|world| {
        let id = world.publish(draft("Bell", [user("sender")]));
        assert_eq!(world.db.read(move |tx| run::progress(tx, id)).unwrap(), []);
    });
}

#[test]
fn a_scheduled_message_leaves_when_its_window_opens() {
    each_world(|world| {
        world.person("ann");
        let draft = Draft {
            opens_at: Some(world.in_s(60)),
            ..by_mail(draft("Later", [user("ann")]))
        };
        let id = world.mails(draft);
        assert_eq!(world.db.read(move |tx| run::progress(tx, id)).unwrap(), []);
        let now = world.pass(100);
        assert_eq!((world.open_due(), now), (1, world.now()));
        world.lists_all();
        assert_eq!(world.progress(id).queued, 1);
    });
}

#[test]
fn a_mail_to_nobody_with_an_address_ends_at_once() {
    each_world(|world| {
        world.person_without_email("bare");
        let id = world.mail([user("bare")]);
        assert_eq!(world.progress(id).state, State::Ended);
    });
}

#[test]
fn plain_successes_are_bits_and_the_run_ends() {
    each_world(|world| {
        for at in 0..40 {
            world.person(&format!("p{at}"));
        }
        let id = world.mail([Target::Everyone]);
        let mut chunk = world.takes(ONE, Lane::Normal).unwrap();
        world.sends(&mut chunk);
        let progress = world.progress(id);
        assert_eq!(progress.state, State::Ended);
        assert_eq!((progress.sent, progress.queued), (progress.recipients, 0));
        assert!(progress.ended_at.is_some());
        assert_eq!(world.due(Channel::Email, Lane::Normal), []);
        assert!(world.takes(ONE, Lane::Normal).is_none());
    });
}

#[test]
fn more_than_a_thousand_are_bulk_and_chunks_of_a_thousand() {
    each_world(|world| {
        world.people("p", 1_500);
        let id = world.mail([Target::Everyone]);
        assert!(world.takes(ONE, Lane::Normal).is_none());
        let first = world.takes(ONE, Lane::Bulk).unwrap();
        let second = world.takes(TWO, Lane::Bulk).unwrap();
        assert_eq!(first.people.len(), 1_000);
        assert_eq!(
            first.people.len() + second.people.len(),
            world.progress(id).recipients as usize
        );
        assert!(world.takes(ONE, Lane::Bulk).is_none(), "both are leased");
    });
}

#[test]
fn a_failure_is_told_and_hurts_nobody_else() {
    each_world(|world| {
        let (ann, bob) = (world.person("ann"), world.person("bob"));
        let id = world.mail([user("ann"), user("bob")]);
        let mut chunk = world.takes(ONE, Lane::Normal).unwrap();
        (chunk.begun, chunk.done) = (2, both());
        let outcomes = vec![ended(ann.0, End::Failed, world.now()), sent(bob.0 as u32, world.now())];
        assert!(world.writes(&mut chunk, outcomes));
        let progress = world.progress(id);
        assert_eq!(numbers(progress), [2, 0, 1, 1, 0, 0, 0, 0]);
        assert_eq!(progress.state, State::Ended);
    });
}

fn both() -> chunk::Bits {
    let mut bits = chunk::Bits::default();
    bits.set(0);
    bits.set(1);
    bits
}

#[test]
fn what_is_tried_again_waits_for_its_time_in_a_later_lane() {
    each_world(|world| {
        let ann = world.person("ann");
        let id = world.mail([user("ann")]);
        let mut chunk = world.takes(ONE, Lane::Normal).unwrap();
        chunk.begun = 1;
        chunk.done.set(0);
        let again = End::Again {
            at: world.in_s(300),
            counts: true,
        };
        assert!(world.writes(&mut chunk, vec![ended(ann.0, again, world.now())]));
        let progress = world.progress(id);
        assert_eq!(
            (progress.queued, progress.retrying, progress.state),
            (1, 1, State::Sending)
        );
        assert_eq!(world.due(Channel::Email, Lane::Bulk), [], "not before its time");
        world.pass(300);
        let due = world.due(Channel::Email, Lane::Bulk);
        assert_eq!((due.len(), due[0].target, due[0].attempts), (1, ann.0, 1));
        let now = world.now();
        assert_eq!(world.settles(vec![(due[0], sent(ann.0 as u32, now))]), 0);
        assert_eq!(numbers(world.progress(id)), [1, 0, 1, 0, 0, 0, 0, 0]);
        assert_eq!(world.progress(id).state, State::Ended);
    });
}

#[test]
fn what_a_dead_worker_had_begun_is_in_doubt_and_the_rest_goes_on() {
    each_world(|world| {
        let people: Vec<_> = ["a", "b", "c", "d"].iter().map(|name| world.person(name)).collect();
        let id = world.mail(["a", "b", "c", "d"].map(user));
        let mut chunk = world.takes(ONE, Lane::Normal).unwrap();
        // Three are written down as begun, and one of them as sent.
        chunk.begun = 3;
        chunk.done.set(1);
        assert!(world.writes(&mut chunk, vec![sent(people[1].0 as u32, world.now())]));
        world.pass(LEASE_MS / 1_000 + 1);
        let mut left = world.takes(TWO, Lane::Normal).unwrap();
        let progress = world.progress(id);
        assert_eq!((progress.in_doubt, progress.sent, progress.queued), (2, 1, 3));
        // The dead one wakes: nothing of what it says is taken.
        chunk.done.set(0);
        assert!(!world.writes(&mut chunk, vec![sent(people[0].0 as u32, world.now())]));
        assert_eq!(world.progress(id).sent, 1);
        world.sends(&mut left);
        assert_eq!(world.progress(id).sent, 2, "the one who was not begun");
        let due = world.due(Channel::Email, Lane::Normal);
        let again: Vec<i64> = due.iter().map(|one| one.target).collect();
        assert_eq!(again, [people[0].0, people[2].0]);
        let now = world.now();
        world.settles(due.iter().map(|one| (*one, sent(one.target as u32, now))).collect());
        assert_eq!(numbers(world.progress(id)), [4, 0, 4, 0, 0, 0, 0, 2]);
        assert_eq!(world.progress(id).state, State::Ended);
    });
}

#[test]
fn what_is_written_twice_since_nobody_heard_of_the_first_is_written_once() {
    each_world(|world| {
        let ann = world.person("ann");
        world.person("bob");
        let id = world.mail([user("ann"), user("bob")]);
        let mut chunk = world.takes(ONE, Lane::Normal).unwrap();
        chunk.begun = 2;
        chunk.done.set(0);
        let outcome = || vec![ended(ann.0, End::Failed, world.now())];
        let mut unheard = chunk.clone();
        assert!(world.writes(&mut chunk, outcome()));
        assert!(world.writes(&mut unheard, outcome()));
        assert_eq!(numbers(world.progress(id)), [2, 1, 0, 1, 0, 0, 0, 0]);
        assert!(world.writes(&mut chunk, vec![]), "it goes on");
    });
}

#[test]
fn a_server_that_is_alone_needs_not_wait_for_leases() {
    each_world(|world| {
        world.person("ann");
        let id = world.mail([user("ann")]);
        assert!(world.takes(ONE, Lane::Normal).is_some());
        assert!(world.takes(TWO, Lane::Normal).is_none());
        world.db.jot(lease::void).unwrap();
        assert!(world.takes(TWO, Lane::Normal).is_some());
        assert_eq!(world.progress(id).in_doubt, 0, "nothing was begun");
    });
}

#[test]
fn a_chunk_that_is_given_back_leaves_no_doubt() {
    each_world(|world| {
        let ann = world.person("ann");
        world.person("bob");
        let id = world.mail([user("ann"), user("bob")]);
        let mut chunk = world.takes(ONE, Lane::Normal).unwrap();
        chunk.begun = 1;
        chunk.done.set(0);
        let (given, now) = (chunk.clone(), world.now());
        let outcomes = vec![sent(ann.0 as u32, now)];
        assert!(
            world
                .db
                .jot(move |tx| chunk::give_back(tx, &given, &outcomes, now))
                .unwrap()
        );
        let mut rest = world.takes(TWO, Lane::Normal).unwrap();
        world.sends(&mut rest);
        assert_eq!(numbers(world.progress(id)), [2, 0, 2, 0, 0, 0, 0, 0]);
    });
}

#[test]
fn tenants_take_turns() {
    each_world(|world| {
        world.people("p", 1_200);
        let (one, two) = (world.customer(None), world.customer(None));
        for customer in [one, two] {
            let person = world.person(&format!("of{customer}"));
            world.moves(person, Some(customer));
        }
        world.mail([Target::Everyone]);
        let to = |customer: campanile_core::id::CustomerId| Target::Customer {
            customer: customer.0,
            include_sub_customers: false,
        };
        for _ in 0..2 {
            world.mail([to(one)]);
            world.mail([to(two)]);
        }
        let mut order = Vec::new();
        let (mut after, now) = (0, world.now());
        for _ in 0..4 {
            let take = move |tx: &mut Tx<'_>| chunk::take(tx, ONE, Lane::Normal, after, 0, now);
            let chunk = world.db.jot(take).unwrap().unwrap();
            after = chunk.tenant;
            order.push(chunk.tenant);
        }
        assert_eq!(order, [-two.0, -one.0, -two.0, -one.0]);
    });
}

#[test]
fn a_critical_mail_has_a_lane_of_its_own() {
    each_world(|world| {
        world.person("ann");
        let draft = Draft {
            importance: Importance::Critical,
            ..by_mail(draft("Now", [user("ann")]))
        };
        world.mails(draft);
        assert!(world.takes(ONE, Lane::Normal).is_none());
        assert!(world.takes(ONE, Lane::Critical).is_some());
    });
}

#[test]
fn a_message_that_is_switched_off_is_held_and_goes_on_when_it_is_on() {
    each_world(|world| {
        world.person("ann");
        let id = world.mail([user("ann")]);
        let switch = |enabled| {
            let correction = Correction {
                enabled: Some(enabled),
                ..Correction::default()
            };
            world.correct(id, correction);
        };
        switch(false);
        assert_eq!(world.progress(id).state, State::Held);
        assert!(world.takes(ONE, Lane::Normal).is_none());
        switch(true);
        assert!(world.takes(ONE, Lane::Normal).is_some());
    });
}

#[test]
fn recall_takes_back_what_has_not_left() {
    each_world(|world| {
        let people: Vec<_> = ["a", "b", "c"].iter().map(|name| world.person(name)).collect();
        let id = world.mail(["a", "b", "c"].map(user));
        let mut chunk = world.takes(ONE, Lane::Normal).unwrap();
        chunk.begun = 2;
        assert!(world.writes(&mut chunk, vec![]));
        world.recall(id).unwrap();
        let progress = world.progress(id);
        assert_eq!(
            (progress.state, progress.queued, progress.cancelled),
            (State::Cancelling, 0, 3)
        );
        world.sweeps();
        assert_eq!(world.progress(id).state, State::Cancelling, "a worker has two of them");
        // These two were on the wire; the worker stops there.
        chunk.done = both();
        let outcomes = vec![
            sent(people[0].0 as u32, world.now()),
            ended(
                people[1].0,
                End::Again {
                    at: world.now(),
                    counts: true,
                },
                world.now(),
            ),
        ];
        let (given, now) = (chunk.clone(), world.now());
        assert!(
            world
                .db
                .jot(move |tx| chunk::give_back(tx, &given, &outcomes, now))
                .unwrap()
        );
        world.pass(1);
        world.sweeps();
        let progress = world.progress(id);
        assert_eq!(progress.state, State::Cancelled);
        assert_eq!(numbers(progress), [3, 0, 1, 0, 0, 0, 2, 0]);
    });
}

#[test]
fn what_failed_is_sent_again_and_the_run_is_under_way_again() {
    each_world(|world| {
        let ann = world.person("ann");
        let id = world.mail([user("ann")]);
        let mut chunk = world.takes(ONE, Lane::Normal).unwrap();
        chunk.begun = 1;
        chunk.done.set(0);
        assert!(world.writes(&mut chunk, vec![ended(ann.0, End::Failed, world.now())]));
        assert_eq!(world.progress(id).state, State::Ended);
        let now = world.pass(10);
        let again = world
            .db
            .jot(move |tx| delivery::again(tx, id, Channel::Email, None, now))
            .unwrap();
        assert_eq!(again, 1);
        let progress = world.progress(id);
        assert_eq!(
            (progress.state, progress.failed, progress.queued),
            (State::Sending, 0, 1)
        );
        let due = world.due(Channel::Email, Lane::Normal);
        world.settles(vec![(due[0], sent(ann.0 as u32, now))]);
        assert_eq!(numbers(world.progress(id)), [1, 0, 1, 0, 0, 0, 0, 0]);
    });
}

#[test]
fn a_post_is_born_due_and_a_dead_worker_leaves_it_in_doubt() {
    each_world(|world| {
        let id = world.publish(post("https://hooks.example.com/in"));
        assert_eq!(numbers(world.progress(id)), [1, 1, 0, 0, 0, 0, 0, 0]);
        let taken = world.due(Channel::Http, Lane::Normal);
        assert_eq!((taken.len(), taken[0].target, taken[0].attempts), (1, 1, 0));
        assert_eq!(world.due(Channel::Http, Lane::Normal), [], "it is leased");
        let recover = |now| world.db.jot(move |tx| delivery::recover(tx, TWO, now)).unwrap();
        assert_eq!(recover(world.now()), 0);
        assert_eq!(recover(world.pass(LEASE_MS / 1_000 + 1)), 1);
        assert_eq!(world.progress(id).in_doubt, 1);
        let again = world.due(Channel::Http, Lane::Normal);
        assert_eq!(again.len(), 1);
        let now = world.now();
        let done = |one: Taken| vec![(one, Settled::sent(1, Some(200), now, 1))];
        assert_eq!(world.settles(done(taken[0])), 1, "the dead one wakes too late");
        assert_eq!(world.settles(done(again[0])), 0);
        assert_eq!(numbers(world.progress(id)), [1, 0, 1, 0, 0, 0, 0, 1]);
    });
}

#[test]
fn what_is_posted_is_kept_sealed_and_read_back() {
    each_world(|world| {
        let mut draft = post("https://user:pass@hooks.example.com/in?key=1");
        draft.posts[0].headers = vec![campanile_core::outbox::destination::Header {
            name: "X-Key".into(),
            value: "secret".into(),
        }];
        draft.posts[0].secret = Some("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into());
        let id = world.publish(draft);
        let now = world.now();
        let load = move |tx: &mut Tx<'_>| campanile_core::outbox::destination::load(tx, &key(), id, 1, now);
        let found = world.db.read(load).unwrap().unwrap();
        let post = found.post.unwrap();
        assert_eq!(post.url.as_str(), "https://hooks.example.com/in?key=1");
        let headers: Vec<(&str, &str)> = post.headers.iter().collect();
        assert_eq!(headers, [("X-Key", "secret"), ("Authorization", "Basic dXNlcjpwYXNz")]);
        assert_eq!(found.secrets.len(), 1);
        assert_eq!(found.text, "Some text.");
    });
}

#[test]
fn a_destination_that_cannot_be_is_refused_with_its_place() {
    each_world(|world| {
        for (url, says) in [
            ("ftp://example.com", "must begin with http"),
            ("https://127.0.0.1/", "a loopback address"),
            ("", "must be given"),
        ] {
            let faults = refusals(world.hands_in(post(url), None));
            assert_eq!(faults[0].field, "posts[0].url");
            assert!(faults[0].reason.contains(says), "{faults:?}");
        }
        let none = Draft {
            posts: vec![],
            ..post("x")
        };
        assert_eq!(refusals(world.hands_in(none, None))[0].field, "posts");
        let unknown = Draft {
            posts: vec![Destination {
                endpoint: Some(7),
                ..Destination::default()
            }],
            ..post("x")
        };
        assert_eq!(refusals(world.hands_in(unknown, None))[0].field, "posts[0].endpoint");
    });
}
