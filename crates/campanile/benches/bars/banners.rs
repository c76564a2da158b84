//! Announcements over a tree of customers: what stands at the top for people at random, how many an announcement is
//! for, and the list of the UI messages contract.

use std::sync::Arc;
use std::time::{Duration, Instant};

use campanile_core::Error;
use campanile_core::audience::Selector;
use campanile_core::id::{CustomerId, PersonId};
use campanile_core::inbox;
use campanile_core::lists::Shared;
use campanile_core::markup::Format;
use campanile_core::message::draft::{self, Draft};
use campanile_core::message::target::Target;
use campanile_core::message::{Channel, Importance, preview, publish};
use campanile_core::outbox::destination::Outlets;

use crate::client::{drive, get};
use crate::house::{Dice, House};
use crate::{human, print, row};

/// Announcements that are there at once; one in a hundred is for everyone.
const ANNOUNCEMENTS: usize = 1_000;
const ASKED: usize = 5_000;
const COUNTED: usize = 200;
const REQUESTS: usize = 20_000;
const CONNECTIONS: usize = 32;
/// As for the inbox in process.
const LOOK: Duration = Duration::from_micros(250);
/// As for a first answer about an audience.
const AUDIENCE: Duration = Duration::from_millis(20);
/// As for a first page of the inbox over HTTP.
const SHARE: f64 = 0.25;

pub(crate) fn measure(house: &House) {
    let mut dice = Dice(31);
    announce(house, &mut dice);
    look(house, &mut dice);
    count(house, &mut dice);
    list(house);
}

fn announce(house: &House, dice: &mut Dice) {
    let now = house.app.clock.now();
    let drafts: Vec<Draft> = (0..ANNOUNCEMENTS).map(|at| announcement(house, dice, at)).collect();
    for some in drafts.chunks(100) {
        let some = some.to_vec();
        let write = house.app.db.write(move |tx| {
            for draft in &some {
                let checked = draft::check(tx, draft, "Bench", &Outlets::default(), now)?;
                publish::publish(tx, PersonId(1), &checked, None, now)?;
            }
            Ok::<_, Error>(())
        });
        house.rt.block_on(write).expect("they are published");
    }
}

fn announcement(house: &House, dice: &mut Dice, at: usize) -> Draft {
    let audience = if at.is_multiple_of(100) {
        Target::Everyone
    } else {
        Target::Customer {
            customer: house.customers[dice.below(house.customers.len())],
            include_sub_customers: at.is_multiple_of(2),
        }
    };
    Draft {
        format: Format::StyleTags,
        channels: vec![Channel::Banner],
        importance: [Importance::Low, Importance::High, Importance::Critical][dice.below(3)],
        ..Draft::new(
            "",
            "[b]Maintenance[/b] tonight from 22:00 to 23:00 UTC.",
            vec![audience],
        )
    }
}

fn tell(what: &str, size: &str, mut times: Vec<Duration>, bar: Duration) {
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    let figure = format!("p50 {}, p99 {}", human(at(0.5)), human(at(0.99)));
    row(
        what,
        size,
        &figure,
        "",
        &format!("p99 ≤ {}", human(bar)),
        at(0.99) <= bar,
    );
}

/// Bell and banners of people at random, who are asked about for the first time, and again.
fn look(house: &House, dice: &mut Dice) {
    let people: Vec<PersonId> = (0..ASKED)
        .map(|_| PersonId(1 + dice.below(house.people as usize) as i64))
        .collect();
    let shared: Arc<Shared> = Arc::default();
    let now = house.app.clock.now();
    let ask = |person: PersonId| {
        let lists = Arc::clone(&shared);
        let started = Instant::now();
        let read = house.app.db.read(move |tx| inbox::count(tx, &lists, person, now));
        let counted = house.rt.block_on(read).expect("the count works");
        (counted.banners.map_or(0, |banners| banners.total), started.elapsed())
    };
    ask(PersonId(1));
    for turn in ["first time", "again"] {
        let (totals, times): (Vec<usize>, Vec<Duration>) = people.iter().map(|person| ask(*person)).unzip();
        let stand = totals.iter().sum::<usize>() as f64 / totals.len() as f64;
        tell(
            &format!("banners: look-up, {turn}"),
            &format!("{stand:.1} stand of {ANNOUNCEMENTS}"),
            times,
            LOOK,
        );
    }
}

/// How many an announcement is for: a customer at random with all below it.
fn count(house: &House, dice: &mut Dice) {
    let now = house.app.clock.now();
    let residents = Arc::clone(&house.app.residents);
    let times = (0..COUNTED).map(|_| {
        let customer = CustomerId(house.customers[dice.below(house.customers.len())]);
        let residents = Arc::clone(&residents);
        let started = Instant::now();
        let scan = house.app.db.scan(move |tx| {
            let residents = residents.at(tx)?;
            preview::preview(tx, &residents, &[Selector::Subtree { customer }], now)
        });
        house.rt.block_on(scan).expect("the count works");
        started.elapsed()
    });
    let times = times.collect();
    tell("banners: audience of a subtree", "count and sample", times, AUDIENCE);
}

/// The list of the contract: of people at random over HTTP, and of a root administrator, who gets all.
fn list(house: &House) {
    let of = |token: &str| get("/v3/messages", &format!("Authorization: Bearer {token}\r\n"));
    let asks: Vec<Vec<u8>> = house.tokens(500, 37).iter().map(|(_, token)| of(token)).collect();
    let health = vec![get("/health", "")];
    drive(house.address, asks.clone(), CONNECTIONS, asks.len() * 2);
    let before = drive(house.address, health.clone(), CONNECTIONS, REQUESTS);
    let run = drive(house.address, asks, CONNECTIONS, REQUESTS);
    let after = drive(house.address, health, CONNECTIONS, REQUESTS);
    assert_eq!(run.status, 200, "{}", run.head);
    let reference = f64::midpoint(before.rate(), after.rate());
    let ratio = run.rate() / reference;
    row(
        "banners: /v3/messages of people at random",
        &format!("{CONNECTIONS} connections, {} B", run.body.len()),
        &format!(
            "{:.0}/s = {:.0} %, p99 {}",
            run.rate(),
            ratio * 100.0,
            human(run.at(0.99))
        ),
        &format!("/health {reference:.0}/s"),
        "≥ 25 %",
        ratio >= SHARE,
    );
    let root = of(&house.token(PersonId(1), &format!("root {}", house.app.clock.now().0)));
    let run = drive(house.address, vec![root], 1, 50);
    let figure = format!("p50 {}, p99 {}", human(run.at(0.5)), human(run.at(0.99)));
    let size = format!("{ANNOUNCEMENTS} messages, {} B", run.body.len());
    print(&format!(
        "| banners: /v3/messages of a root administrator | {size} | {figure} | | | |"
    ));
}
