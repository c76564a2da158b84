//! A run: load, faults, and the ledger compared with what is there afterwards.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::client;
use super::cost::Cost;
use super::lane::{Lane, PEOPLE};
use super::load::{self, Load};
use super::plan::{Fault, Plan};
use super::servers::Servers;
use super::sink::Sink;

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) faults: u64,
    pub(crate) requests: u64,
    pub(crate) cut: u64,
    pub(crate) away: u64,
    pub(crate) slowest: Duration,
    /// The longest from a kill to listening again.
    pub(crate) restart: Duration,
    pub(crate) messages: usize,
    pub(crate) posts: usize,
    pub(crate) mails: usize,
    pub(crate) repeats: u64,
    pub(crate) in_doubt: u64,
    pub(crate) streams: usize,
    /// Of processors while there was load; only where no server was killed, since what it had spent is gone with it.
    pub(crate) cost: Option<Cost>,
    pub(crate) wrong: Vec<String>,
}

/// Runs a plan; what is imported first lies in the folder meanwhile.
pub(crate) fn run(plan: &Plan, folder: &Path) -> Report {
    let (hook, relay) = (Sink::of_posts(), Sink::of_mails());
    let settings = [
        ("CAMPANILE_HTTP_ALLOW", "127.0.0.0/8".to_owned()),
        ("CAMPANILE_SMTP_URL", format!("smtp://{}", relay.address)),
        ("CAMPANILE_MAIL_FROM", "bell@example.com".to_owned()),
    ];
    let servers = Servers::start(plan, &settings, folder);
    let load = Arc::new(Load::new(
        servers.addresses.clone(),
        format!("http://{}/in", hook.address),
    ));
    let mut lanes: Vec<Lane> = (0..plan.lanes)
        .map(|number| Lane::new(Arc::clone(&load), number))
        .collect();
    let (stop, over) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let streams: Vec<_> = lanes
        .iter()
        .flat_map(|lane| [&lane.tokens[0], &lane.tokens[PEOPLE - 1]])
        .collect();
    let streams: Vec<_> = streams.into_iter().map(|token| stream(&load, token, &over)).collect();

    let mut report = Report::default();
    let doing: Vec<_> = lanes
        .drain(..)
        .map(|mut lane| {
            let stop = Arc::clone(&stop);
            std::thread::spawn(move || {
                lane.run(&stop);
                lane
            })
        })
        .collect();
    let (begun, spent) = (Instant::now(), Cost::now(&servers.ids()));
    while begun.elapsed() < plan.time {
        load::wait(plan.every.min(plan.time.saturating_sub(begun.elapsed())));
        let at = report.faults as usize;
        if let Some(fault) = plan.faults.get(at % plan.faults.len().max(1)) {
            strike(fault, &servers, at, &[&hook, &relay], &mut report);
        }
    }
    stop.store(true, Ordering::Relaxed);
    let lanes: Vec<Lane> = doing
        .into_iter()
        .map(|lane| lane.join().expect("a lane goes on"))
        .collect();
    report.requests = load.asked.load(Ordering::Relaxed);
    if !plan.faults.contains(&Fault::Kill) {
        report.cost = Cost::now(&servers.ids()).zip(spent).map(|(now, then)| now.since(then));
    }
    compare(&load, &lanes, &streams, [&hook, &relay], &mut report);
    over.store(true, Ordering::Relaxed);
    report
}

fn strike(fault: &Fault, servers: &Servers, at: usize, sinks: &[&Sink], report: &mut Report) {
    let which = at % servers.addresses.len();
    match fault {
        Fault::Kill => report.restart = report.restart.max(servers.kill(which)),
        Fault::Pause(time) => servers.pause(which, *time),
        Fault::Receivers(time) => {
            for sink in sinks {
                sink.away.store(true, Ordering::Relaxed);
            }
            load::wait(*time);
            for sink in sinks {
                sink.away.store(false, Ordering::Relaxed);
            }
        }
        Fault::Command(command) => {
            let done = Command::new("sh").args(["-c", command]).status();
            assert!(done.is_ok_and(|status| status.success()), "{command}");
        }
    }
    report.faults += 1;
}

/// The number that an open page of somebody shows, and whose it is.
pub(crate) struct Stream {
    token: String,
    unread: Arc<AtomicI64>,
}

/// Keeps a page of somebody open: it comes back whenever its stream ends.
fn stream(load: &Arc<Load>, token: &str, over: &Arc<AtomicBool>) -> Stream {
    let unread = Arc::new(AtomicI64::new(-1));
    let (load, over, shown, authorization) = (
        Arc::clone(load),
        Arc::clone(over),
        Arc::clone(&unread),
        token.to_owned(),
    );
    std::thread::spawn(move || {
        let mut last: Option<String> = None;
        for turn in 0.. {
            if over.load(Ordering::Relaxed) {
                return;
            }
            let address = load.addresses[turn % load.addresses.len()];
            let since = last.clone();
            let _ = client::follow(address, &authorization, since.as_deref(), |name, data, id| {
                let data: Value = serde_json::from_str(data).unwrap_or_default();
                if let Some(id) = id {
                    last = Some(id.to_owned());
                }
                let numbers = if name == "hello" { &data["numbers"] } else { &data };
                let told = numbers["unread"].as_i64().or_else(|| data["unread"].as_i64());
                if let (true, Some(told)) = (matches!(name, "hello" | "counts"), told) {
                    shown.store(told, Ordering::Relaxed);
                }
            });
            load::wait(Duration::from_millis(100));
        }
    });
    Stream {
        token: token.to_owned(),
        unread,
    }
}

/// Compares what is there with the ledger.
fn compare(load: &Arc<Load>, lanes: &[Lane], streams: &[Stream], sinks: [&Sink; 2], report: &mut Report) {
    let mut in_doubt = BTreeMap::new();
    for lane in lanes {
        report.wrong.extend(lane.check());
        report.wrong.extend(lane.deliveries(&mut in_doubt));
        report.messages += lane.sent.len();
    }
    report.in_doubt = in_doubt.values().sum();
    report.wrong.extend(listed(load, lanes));
    let came = sinks.map(|sink| sink.came.lock().unwrap_or_else(PoisonError::into_inner).clone());
    report.posts = came[0].len();
    report.mails = came[1].len();
    for (id, times) in came.iter().flatten().filter(|(_, times)| **times > 1) {
        let again = u64::from(*times) - 1;
        report.repeats += again;
        // `msg_7` or `msg_7_2` of a POST, `7.3@…` of a mail.
        let digits = id
            .strip_prefix("msg_")
            .unwrap_or(id)
            .split(|c: char| !c.is_ascii_digit())
            .next();
        let message: i64 = digits.and_then(|digits| digits.parse().ok()).unwrap_or(0);
        let known = in_doubt.entry(message).or_default();
        match known.checked_sub(again) {
            Some(left) => *known = left,
            None => report
                .wrong
                .push(format!("{id} came {times} times, and no server knows why")),
        }
    }
    let has = |came: usize, begin: &str| sinks_hold(&came_of(&sinks, came), begin);
    for sent in lanes.iter().flat_map(|lane| &lane.sent).filter(|sent| !sent.recalled) {
        // What was recalled may have left before, or not.
        match sent.leaves {
            Some("http") if has(0, &format!("msg_{}", sent.id)) < 1 => {
                report.wrong.push(format!("message {} was not posted", sent.id));
            }
            Some("email") if has(1, &format!("{}.", sent.id)) != sent.to.len() => {
                report.wrong.push(format!("message {} was not mailed to all", sent.id));
            }
            _ => {}
        }
    }
    healed(load, streams, report);
    report.cut = load.cut.load(Ordering::Relaxed);
    report.away = load.away.load(Ordering::Relaxed);
    report.slowest = Duration::from_millis(load.slowest_ms.load(Ordering::Relaxed));
    report.wrong.extend(
        load.wrong
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .cloned(),
    );
}

/// Compares what senders find with what was accepted: each message once, and none else.
fn listed(load: &Arc<Load>, lanes: &[Lane]) -> Option<String> {
    let mut accepted: Vec<i64> = lanes.iter().flat_map(|lane| &lane.sent).map(|sent| sent.id).collect();
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/api/v1/messages?limit=100{cursor}");
        let page = load.until("GET", &path, &load.token, None, None, &[200]);
        let items = page["items"].as_array().into_iter().flatten();
        found.extend(items.filter_map(|item| item["id"].as_i64()));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    accepted.sort_unstable();
    found.sort_unstable();
    (accepted != found).then(|| {
        format!(
            "{} messages were accepted, senders find {}",
            accepted.len(),
            found.len()
        )
    })
}

fn came_of(sinks: &[&Sink; 2], which: usize) -> Vec<String> {
    let came = sinks[which].came.lock().unwrap_or_else(PoisonError::into_inner);
    came.keys().cloned().collect()
}

/// How many ids begin so, each for a recipient of its own.
fn sinks_hold(ids: &[String], begin: &str) -> usize {
    let goes_on = |id: &&String| {
        let rest = id.strip_prefix(begin);
        rest.is_some_and(|rest| begin.ends_with('.') || !rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    ids.iter().filter(goes_on).count()
}

/// Every open page shows the right number soon.
fn healed(load: &Arc<Load>, streams: &[Stream], report: &mut Report) {
    let limit = Instant::now() + Duration::from_mins(1);
    for stream in streams {
        let right = load.until("GET", "/api/v1/inbox/counts", &stream.token, None, None, &[200]);
        let right = right["unread"].as_i64().or_else(|| right["counts"]["unread"].as_i64());
        while Some(stream.unread.load(Ordering::Relaxed)) != right && Instant::now() < limit {
            load::wait(Duration::from_millis(50));
        }
        let shown = stream.unread.load(Ordering::Relaxed);
        if Some(shown) == right {
            report.streams += 1;
        } else {
            report.wrong.push(format!("an open page shows {shown}, not {right:?}"));
        }
    }
}
