//! What a run is asked for in words, and its figures as a table.

use std::fmt::Write as _;
use std::time::Duration;

use super::cost::Cost;
use super::harness::Report;

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A server is killed, and started again.
    Kill,
    /// A server stands still for a while; from 30 s on its leases end meanwhile.
    Pause(Duration),
    /// Receiver and relay hang up on everybody for a while.
    Receivers(Duration),
    /// A command of the operator's own: restarts the database, cuts its connections, fills its disk, moves the clock.
    Command(String),
}

/// What to run.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) binary: String,
    pub(crate) servers: usize,
    /// URL of an empty database.
    pub(crate) database: String,
    /// Users beside those of the lanes.
    pub(crate) people: u64,
    pub(crate) lanes: usize,
    pub(crate) time: Duration,
    /// From one fault to the next.
    pub(crate) every: Duration,
    pub(crate) faults: Vec<Fault>,
    /// Variables of the servers' environment.
    pub(crate) environment: Vec<(String, String)>,
}

impl Plan {
    /// Half a minute with kills, one server on this database, unless words say otherwise.
    ///
    /// # Panics
    /// At a word that is no option, and at a value that is none.
    pub(crate) fn read(database: String, words: impl IntoIterator<Item = String>) -> Self {
        let mut plan = Self {
            binary: env!("CARGO_BIN_EXE_campanile").to_owned(),
            servers: 1,
            database,
            people: 0,
            lanes: 4,
            time: Duration::from_secs(30),
            every: Duration::from_secs(3),
            faults: vec![Fault::Kill],
            environment: Vec::new(),
        };
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            // Given by cargo.
            if word == "--bench" {
                continue;
            }
            let value = words.next().expect("a value after the option");
            match word.as_str() {
                "--binary" => plan.binary = value,
                "--servers" => plan.servers = value.parse().expect("a number"),
                "--database" => plan.database = value,
                "--people" => plan.people = value.parse().expect("a number"),
                "--lanes" => plan.lanes = value.parse().expect("a number"),
                "--seconds" => plan.time = seconds(&value),
                "--minutes" => plan.time = seconds(&value) * 60,
                "--every" => plan.every = seconds(&value),
                "--faults" => plan.faults = value.split(',').filter(|name| !name.is_empty()).map(fault).collect(),
                "--command" => plan.faults.push(Fault::Command(value)),
                "--env" => {
                    let (name, value) = value.split_once('=').expect("NAME=VALUE");
                    plan.environment.push((name.to_owned(), value.to_owned()));
                }
                other => panic!("{other} is no option"),
            }
        }
        plan
    }
}

fn seconds(text: &str) -> Duration {
    Duration::from_secs_f64(text.parse().expect("a number"))
}

/// A fault by its name; `pause=35` says how many seconds.
fn fault(text: &str) -> Fault {
    let (name, time) = text.split_once('=').unwrap_or((text, "5"));
    match name {
        "kill" => Fault::Kill,
        "pause" => Fault::Pause(seconds(time)),
        "receivers" => Fault::Receivers(seconds(time)),
        other => panic!("{other} is no fault"),
    }
}

/// The figures of a run, and the first of what was wrong.
pub(crate) fn table(plan: &Plan, report: &Report) -> String {
    let is_embedded = plan.database.starts_with("sqlite");
    let database = if is_embedded { "SQLite" } else { "PostgreSQL" };
    let seconds = plan.time.as_secs_f64();
    let rows = [
        (
            "servers, database, people, lanes",
            format!("{}, {database}, {}, {}", plan.servers, plan.people, plan.lanes),
        ),
        (
            "time, faults",
            format!("{seconds:.0} s, {} × {:?}", report.faults, plan.faults),
        ),
        (
            "requests answered",
            format!("{}, {:.0}/s", report.requests, report.requests as f64 / seconds),
        ),
        ("without an answer, and asked again", report.cut.to_string()),
        ("503 with Retry-After, and asked again", report.away.to_string()),
        (
            "the slowest, with all its tries",
            format!("{:.1} s", report.slowest.as_secs_f64()),
        ),
        (
            "from a kill to listening, the longest",
            format!("{:.2} s", report.restart.as_secs_f64()),
        ),
        ("messages accepted", report.messages.to_string()),
        (
            "posts and mails that came",
            format!("{}, {}", report.posts, report.mails),
        ),
        (
            "repeats, of which the servers know",
            format!("{}, {}", report.repeats, report.in_doubt),
        ),
        (
            "open pages with the right number",
            format!("{} of {}", report.streams, 2 * plan.lanes),
        ),
        (
            "processor of servers, all else, load",
            report
                .cost
                .map_or_else(|| "-".to_owned(), |cost| cost_of(cost, report.requests)),
        ),
        ("lost, wrong", report.wrong.len().to_string()),
    ];
    let mut text = "| what | figure |\n|---|---|\n".to_owned();
    for (what, figure) in rows {
        let _ = writeln!(text, "| {what} | {figure} |");
    }
    for wrong in report.wrong.iter().take(20) {
        let _ = writeln!(text, "  {wrong}");
    }
    text
}

/// Processor time by request.
fn cost_of(cost: Cost, requests: u64) -> String {
    let each = |spent: Duration| spent.as_secs_f64() * 1_000.0 / requests.max(1) as f64;
    format!(
        "{:.2}, {:.2}, {:.2} ms a request",
        each(cost.servers),
        each(cost.rest),
        each(cost.load)
    )
}
