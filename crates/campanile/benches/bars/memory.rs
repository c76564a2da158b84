//! What is asked of the rules in process: audiences, inboxes, engagement.

use std::sync::Arc;
use std::time::{Duration, Instant};

use campanile_core::Error;
use campanile_core::audience::Selector;
use campanile_core::id::PersonId;
use campanile_core::inbox::act::{self, Action, All, UpTo};
use campanile_core::inbox::{self, Filter};
use campanile_core::lists::Shared;
use campanile_core::message::draft;
use campanile_core::message::preview;
use campanile_core::message::target::Target;
use campanile_store::Sql;

use crate::house::{Dice, House};
use crate::{at, human, row};

static NOTHING: Sql = Sql::new("bench::NOTHING", "SELECT CAST(1 AS BIGINT)");
static ROWS: Sql = Sql::new(
    "bench::ROWS",
    "SELECT (SELECT COUNT(*) FROM engagement) + (SELECT COUNT(*) FROM mark)",
);

/// Exact counts of audiences, with a sample.
pub(crate) fn audience(house: &House) {
    let role = |role: &str| {
        vec![Target::EnvironmentRole {
            environment: "DEFAULT".into(),
            role: role.into(),
        }]
    };
    let api = |at: usize| {
        vec![Target::ApiRole {
            api: house.apis[at].clone(),
            role: "USER".into(),
        }]
    };
    let subtree = vec![Target::Customer {
        customer: house.customers[0],
        include_sub_customers: true,
    }];
    let union = [role("USER"), api(0), subtree.clone()].concat();
    let cases = [
        ("role USER", role("USER")),
        ("role API_PUBLISHER", role("API_PUBLISHER")),
        ("API, one role", api(0)),
        (
            "subscribers of an API",
            vec![Target::Subscribers {
                api: house.apis[0].clone(),
                any_status: false,
            }],
        ),
        ("a customer's subtree", subtree),
        ("everyone", vec![Target::Everyone]),
        ("USER + API + subtree", union),
    ];
    for (name, targets) in cases {
        let (people, sorted) = previews(house, &targets);
        let (first, middle) = (at(&sorted, 0.99), at(&sorted, 0.5));
        let met = middle <= Duration::from_millis(20) && first <= Duration::from_millis(50);
        let figure = format!("p50 {}, p99 {}", human(middle), human(first));
        row(
            &format!("audience: {name}"),
            &format!("{people} people"),
            &figure,
            "",
            "≤ 50 ms, sample ≤ 20 ms",
            met,
        );
    }
}

fn previews(house: &House, targets: &[Target]) -> (u64, Vec<Duration>) {
    let mut times = Vec::new();
    let mut people = 0;
    for _ in 0..20 {
        let (residents, targets) = (Arc::clone(&house.app.residents), targets.to_vec());
        let now = house.app.clock.now();
        let started = Instant::now();
        let preview = house
            .rt
            .block_on(house.app.db.scan(move |tx| {
                let selectors: Vec<Selector> = draft::check_audience(tx, &targets, None, &|_| Ok(()))?;
                let residents = residents.at(tx)?;
                preview::preview(tx, &residents, &selectors, now)
            }))
            .expect("the preview works");
        times.push(started.elapsed());
        people = preview.people;
    }
    times.sort_unstable();
    (people, times)
}

/// Counts and first pages for people at random, and for the heaviest of them: asked for the first time, when nothing is
/// remembered of anybody, and again.
pub(crate) fn inbox(house: &House) {
    let mut dice = Dice(5);
    let someone: Vec<PersonId> = (0..5_000)
        .map(|_| PersonId(1 + dice.below(house.people as usize) as i64))
        .collect();
    warm(house);
    let shared = strange(house);
    let mut heavy: Vec<(u64, PersonId)> = someone
        .iter()
        .map(|person| (count(house, &shared, *person).0, *person))
        .collect();
    heavy.sort_unstable_by_key(|(total, _)| std::cmp::Reverse(*total));
    let middle = heavy[heavy.len() / 2].0;
    let heaviest: Vec<PersonId> = heavy.iter().take(50).map(|(_, person)| *person).collect();
    let least = heavy[49].0;
    let mut bare: Vec<Duration> = (0..2_000).map(|_| nothing(house)).collect();
    bare.sort_unstable();
    let postgres = house.file.is_none();
    let bar = if postgres {
        "≤ 3 × SELECT 1"
    } else {
        "p99 ≤ 250 µs"
    };
    let limit = if postgres {
        at(&bare, 0.99) * 3
    } else {
        Duration::from_micros(250)
    };
    let beside = format!(
        "SELECT 1: p50 {}, p99 {}",
        human(at(&bare, 0.5)),
        human(at(&bare, 0.99))
    );
    let tell = |what: &str, name: &str, mut times: Vec<Duration>| {
        times.sort_unstable();
        let figure = format!("p50 {}, p99 {}", human(at(&times, 0.5)), human(at(&times, 0.99)));
        row(what, name, &figure, &beside, bar, at(&times, 0.99) <= limit);
    };
    let again: Vec<PersonId> = heaviest.iter().copied().cycle().take(5_000).collect();
    let sets = [
        (format!("typical, {middle} messages"), &someone, &someone),
        (format!("heaviest 1 %, from {least}"), &heaviest, &again),
    ];
    for (name, first, again) in sets {
        let counts = |shared: &Arc<Shared>, people: &[PersonId]| {
            let times = people.iter().map(|person| count(house, shared, *person).1);
            times.collect::<Vec<Duration>>()
        };
        let pages = |shared: &Arc<Shared>, people: &[PersonId]| {
            let times = people.iter().map(|person| page(house, shared, *person));
            times.collect::<Vec<Duration>>()
        };
        let shared = strange(house);
        tell("inbox: counts, first time", &name, counts(&shared, first));
        tell("inbox: counts, again", &name, counts(&shared, again));
        let shared = strange(house);
        tell("inbox: first page, first time", &name, pages(&shared, first));
        tell("inbox: first page, again", &name, pages(&shared, again));
    }
}

/// PostgreSQL plans a statement anew for its first five uses on a connection; a server that has served for a minute has
/// them behind it. So many at once that every connection has a part.
fn warm(house: &House) {
    let shared = strange(house);
    let now = house.app.clock.now();
    for _ in 0..20 {
        let reads = (1..=16).map(|person| {
            let lists = Arc::clone(&shared);
            house.app.db.read(move |tx| {
                let _page = inbox::page(tx, &lists, PersonId(person), &Filter::default(), None, 20, now)?;
                tx.one(&NOTHING, &[], |row| row.get::<i64>(0)).map_err(Error::from)
            })
        });
        for read in house.rt.block_on(futures_util::future::join_all(reads)) {
            read.expect("the page works");
        }
    }
}

/// What a process keeps in memory, with the messages in it and nobody who has asked, but for one.
fn strange(house: &House) -> Arc<Shared> {
    let shared = Arc::default();
    count(house, &shared, PersonId(1));
    shared
}

fn nothing(house: &House) -> Duration {
    let started = Instant::now();
    let one: i64 = house.read(|tx| tx.one(&NOTHING, &[], |row| row.get(0)));
    assert_eq!(one, 1);
    started.elapsed()
}

fn count(house: &House, shared: &Arc<Shared>, person: PersonId) -> (u64, Duration) {
    let (lists, now) = (Arc::clone(shared), house.app.clock.now());
    let started = Instant::now();
    let read = house.app.db.read(move |tx| inbox::count(tx, &lists, person, now));
    let counted = house.rt.block_on(read).expect("the count works");
    (counted.counts.total, started.elapsed())
}

fn page(house: &House, shared: &Arc<Shared>, person: PersonId) -> Duration {
    let (lists, now) = (Arc::clone(shared), house.app.clock.now());
    let started = Instant::now();
    let read = house
        .app
        .db
        .read(move |tx| inbox::page(tx, &lists, person, &Filter::default(), None, 20, now));
    house.rt.block_on(read).expect("the page works");
    started.elapsed()
}

/// One row for one, one row for all.
pub(crate) fn engage(house: &House) {
    let someone = PersonId(house.people / 2);
    let (lists, now) = (Arc::clone(&house.app.lists), house.app.clock.now());
    let read = house
        .app
        .db
        .read(move |tx| act::filtered(tx, &lists, someone, &Filter::default(), Action::Read, None, now));
    let mut plan = house.rt.block_on(read).expect("the inbox can be read");
    let messages = plan.messages.len();
    plan.messages.truncate(1);
    let before = rows(house);
    let started = Instant::now();
    let up_to = UpTo {
        revision: plan.revision,
        clock: now,
    };
    let work = house
        .app
        .db
        .jot(move |tx| act::act(tx, someone, &plan, Action::Read, now));
    house.rt.block_on(work).expect("it is read");
    let (one, middle) = (started.elapsed(), rows(house));
    let started = Instant::now();
    let work = house
        .app
        .db
        .jot(move |tx| act::mark(tx, someone, All::Read, up_to, now));
    house.rt.block_on(work).expect("all are read");
    let (all, after) = (started.elapsed(), rows(house));
    let size = format!("{messages} messages");
    let figure = format!("{} row, {}", middle - before, human(one));
    row("engage: read one", &size, &figure, "", "1 row", middle - before == 1);
    let figure = format!("{} row, {}", after - middle, human(all));
    row("engage: read all", &size, &figure, "", "1 row", after - middle == 1);
}

fn rows(house: &House) -> i64 {
    house.read(|tx| tx.one(&ROWS, &[], |row| row.get(0)))
}
