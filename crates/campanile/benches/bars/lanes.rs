//! A critical mail while many others are on their way: from its 201 to the relay.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use campanile_core::id::PersonId;

use crate::client::{paced, post};
use crate::house::House;
use crate::mailing::{TEXT, publish, settings, stands};
use crate::posting::id;
use crate::sinks::Sink;
use crate::{Choice, at, human, print, row};

/// Between two critical messages.
const EVERY: Duration = Duration::from_millis(20);
/// Critical messages at most, and while nothing else is on its way.
const MOST: usize = 1_000;
const CALM: usize = 100;

pub(crate) fn bench(choice: &Choice) {
    let sink = Sink::of_mails();
    let own = Choice {
        names: Vec::new(),
        people: choice.mails as u64,
        messages: 0,
        mails: choice.mails,
        postgres: choice.postgres,
        file: None,
    };
    let house = House::with(&own, &settings(sink.addresses[0].port(), None));
    let token = house.token(PersonId(1), "lanes");
    let critical = critical(&token);
    let (calm, _) = latencies(
        &sink,
        &paced(house.address, &critical, EVERY, |count| count < CALM),
        None,
    );
    let begun = Instant::now();
    let bulk = publish(&house, &token);
    let is_over = AtomicBool::new(false);
    let goes_on = |count| count < MOST && !is_over.load(Ordering::Relaxed);
    let (answered, took) = std::thread::scope(|scope| {
        let sending = scope.spawn(|| paced(house.address, &critical, EVERY, goes_on));
        while stands(&house, bulk).0 < 2 {
            std::thread::park_timeout(Duration::from_millis(20));
        }
        is_over.store(true, Ordering::Relaxed);
        let took = begun.elapsed();
        (sending.join().expect("the client does not panic"), took)
    });
    sink.wait_for(answered.len() + stands(&house, bulk).1 as usize);
    let (busy, rest) = latencies(&sink, &answered, Some(bulk));
    house.stop();
    let (half, most) = (at(&busy, 0.5), at(&busy, 0.99));
    row(
        "lanes: a critical mail from 201 to the relay",
        &format!("{} while {rest} mails are sent", busy.len()),
        &format!(
            "p50 {}, p99 {}, at most {}",
            human(half),
            human(most),
            human(busy[busy.len() - 1])
        ),
        &format!(
            "with nothing else p50 {}, p99 {}",
            human(at(&calm, 0.5)),
            human(at(&calm, 0.99))
        ),
        "p99 ≤ 100 ms",
        most <= Duration::from_millis(100),
    );
    print(&format!(
        "| lanes: the many meanwhile | {rest} mails | {:.0}/s | | | |",
        rest as f64 / took.as_secs_f64()
    ));
}

fn critical(token: &str) -> Vec<u8> {
    let body = serde_json::json!({
        "title": "Now", "text": TEXT, "importance": "critical", "audience": [{"kind": "user", "user": "u-7"}],
        "channels": ["portal", "email"],
    });
    let bearer = format!("Authorization: Bearer {token}\r\n");
    post("/api/v1/messages", &bearer, &body.to_string())
}

/// From the answer to the relay, sorted, of those that were answered before the last of the many came; and how many
/// those were.
fn latencies(sink: &Sink, answered: &[(Instant, Vec<u8>)], bulk: Option<i64>) -> (Vec<Duration>, usize) {
    if bulk.is_none() {
        sink.wait_for(answered.len());
    }
    let arrivals = sink.take();
    let of_bulk = || arrivals.iter().filter(|(message, _)| Some(*message) == bulk);
    let last = of_bulk().map(|(_, came)| *came).max();
    let rest = of_bulk().count();
    let came: HashMap<i64, Instant> = arrivals.iter().copied().collect();
    let during = answered.iter().filter(|(at, _)| last.is_none_or(|last| *at < last));
    let mut latencies: Vec<Duration> = during
        .map(|(answered, body)| came[&id(body)].saturating_duration_since(*answered))
        .collect();
    latencies.sort_unstable();
    (latencies, rest)
}
