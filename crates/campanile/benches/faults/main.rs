//! Load and faults: server processes on one database under mixed load, while something goes wrong every few seconds;
//! afterwards every message, delivery and number is compared with the ledger of what was accepted.
//!
//! `cargo bench --bench faults` runs half a minute on the embedded database, with kills. More:
//!
//! ```text
//! cargo bench --bench faults -- --postgres postgres://… --servers 3 --minutes 10 --every 3 --faults kill
//! ```
//!
//! `--faults` takes `kill`, `pause` (SIGSTOP for 5 s), `receivers` (webhook and relay hang up for 2 s), one after the
//! other; `--command 'CMD'` adds a command of one's own, such as one that restarts PostgreSQL or cuts its connections.
//! `--lanes N` says how much load, `--binary FILE` which server. Ends with 1 where anything was lost, told wrongly, or
//! repeated without being known.

mod client;
mod harness;
mod lane;
mod load;
mod servers;
mod sink;

use std::process::ExitCode;
use std::time::Duration;

use harness::{Fault, Plan, Report};

#[expect(clippy::print_stdout, reason = "a bench prints its figures")]
fn print(plan: &Plan, report: &Report) {
    let database = if plan.postgres.is_some() {
        "PostgreSQL"
    } else {
        "SQLite"
    };
    let seconds = plan.time.as_secs_f64();
    println!("| what | figure |\n|---|---|");
    println!("| {} servers on {database}, lanes | {} |", plan.servers, plan.lanes);
    println!(
        "| time, faults | {seconds:.0} s, {} × {:?} |",
        report.faults, plan.faults
    );
    println!(
        "| requests answered | {}, {:.0}/s |",
        report.requests,
        report.requests as f64 / seconds
    );
    println!("| without an answer, and asked again | {} |", report.cut);
    println!("| 503 with Retry-After, and asked again | {} |", report.away);
    println!(
        "| the slowest, with all its tries | {:.1} s |",
        report.slowest.as_secs_f64()
    );
    println!(
        "| from a kill to listening, the longest | {:.2} s |",
        report.restart.as_secs_f64()
    );
    println!("| messages accepted | {} |", report.messages);
    println!("| posts and mails that came | {}, {} |", report.posts, report.mails);
    println!(
        "| repeats, of which the servers know | {}, {} |",
        report.repeats, report.in_doubt
    );
    println!(
        "| open pages with the right number | {} of {} |",
        report.streams,
        2 * plan.lanes
    );
    println!("| lost, wrong | {} |", report.wrong.len());
    for wrong in report.wrong.iter().take(20) {
        println!("  {wrong}");
    }
}

fn read() -> (Plan, String) {
    let mut binary = env!("CARGO_BIN_EXE_campanile").to_owned();
    let mut plan = Plan {
        servers: 1,
        postgres: None,
        lanes: 4,
        time: Duration::from_secs(30),
        every: Duration::from_secs(3),
        faults: vec![Fault::Kill],
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().expect("a value after the option");
        let seconds = |text: String| Duration::from_secs_f64(text.parse().expect("a number"));
        match word.as_str() {
            "--servers" => plan.servers = value().parse().expect("a number"),
            "--postgres" => plan.postgres = Some(value()),
            "--lanes" => plan.lanes = value().parse().expect("a number"),
            "--seconds" => plan.time = seconds(value()),
            "--minutes" => plan.time = seconds(value()) * 60,
            "--every" => plan.every = seconds(value()),
            "--binary" => binary = value(),
            "--command" => plan.faults.push(Fault::Command(value())),
            "--faults" => {
                let named = value();
                let fault = |name: &str| match name {
                    "kill" => Fault::Kill,
                    "pause" => Fault::Pause,
                    "receivers" => Fault::Receivers,
                    other => panic!("{other} is no fault"),
                };
                plan.faults = named.split(',').filter(|name| !name.is_empty()).map(fault).collect();
            }
            // Given by cargo.
            "--bench" => {}
            other => panic!("{other} is no option"),
        }
    }
    (plan, binary)
}

fn main() -> ExitCode {
    let (plan, binary) = read();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let report = harness::run(&binary, &plan, folder.path());
    print(&plan, &report);
    ExitCode::from(u8::from(!report.wrong.is_empty()))
}
