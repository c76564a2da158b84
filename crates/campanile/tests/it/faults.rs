//! A server that is killed again and again under load loses nothing; the harness of `benches/faults`, a few seconds of
//! it.

#[path = "../../benches/faults/client.rs"]
mod client;
#[path = "../../benches/faults/harness.rs"]
#[expect(dead_code, reason = "the bench strikes in more ways")]
mod harness;
#[path = "../../benches/faults/lane.rs"]
mod lane;
#[path = "../../benches/faults/load.rs"]
mod load;
#[path = "../../benches/faults/servers.rs"]
mod servers;
#[path = "../../benches/faults/sink.rs"]
mod sink;

use std::time::Duration;

use campanile_core::schema::SCHEMA;
use campanile_store::testing;

use harness::{Fault, Plan};

fn killed(servers: usize, postgres: Option<String>) {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan {
        servers,
        postgres,
        lanes: 2,
        time: Duration::from_secs(6),
        every: Duration::from_millis(1_500),
        faults: vec![Fault::Kill, Fault::Receivers],
    };
    let report = harness::run(env!("CARGO_BIN_EXE_campanile"), &plan, folder.path());
    assert_eq!(report.wrong, Vec::<String>::new(), "{report:?}");
    assert!(report.faults > 0 && report.messages > 0, "{report:?}");
}

#[test]
fn a_server_that_is_killed_loses_nothing() {
    killed(1, None);
}

#[test]
fn two_servers_that_are_killed_in_turn_lose_nothing() {
    if let Some(database) = testing::postgres(&SCHEMA) {
        killed(2, Some(database.url.clone()));
    }
}
