//! Load and faults: server processes on one database under mixed load, while something goes wrong every few seconds;
//! afterwards every message, delivery and number is compared with the ledger of what was accepted.
//!
//! `cargo bench --bench faults` runs half a minute on the embedded database, with kills. More, each with its value:
//!
//! ```text
//! --database URL       an empty database: sqlite://… or postgres://…; by default one in a temporary folder
//! --servers N          processes; one on the embedded database
//! --people N           users beside the eight of each lane, imported before
//! --lanes N            how much load: threads, each with a role, its people, and one request at a time
//! --seconds, --minutes how long
//! --every SECONDS      from one fault to the next
//! --faults NAMES       kill, pause (SIGSTOP), receivers (webhook and relay hang up), in turn; pause=35 for 35 s
//! --command 'CMD'      one fault more, for `sh`: restarts the database, cuts its connections, fills its disk
//! --env NAME=VALUE     of the servers' environment, such as LD_PRELOAD for a clock that jumps
//! --binary FILE        which server
//! ```
//!
//! `scripts/faults` makes the database, and has the commands: kill, pause, receivers, restart, cut, disk, clock. Ends
//! with 1 where anything was lost, told wrongly, or repeated without being known.

mod client;
mod cost;
mod harness;
mod lane;
mod load;
mod plan;
mod servers;
mod sink;

use std::process::ExitCode;

use plan::Plan;

#[expect(clippy::print_stdout, reason = "a bench prints its figures")]
fn main() -> ExitCode {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let embedded = format!("sqlite://{}", folder.path().join("faults.db").display());
    let plan = Plan::read(embedded, std::env::args().skip(1));
    let report = harness::run(&plan, folder.path());
    println!("{}", plan::table(&plan, &report));
    ExitCode::from(u8::from(!report.wrong.is_empty()))
}
