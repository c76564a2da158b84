//! Servers that are killed under load lose nothing: a short run of the harness of `benches/faults`.

use campanile_core::schema::SCHEMA;
use campanile_store::testing::each_database;

#[path = "../../benches/faults/client.rs"]
mod client;
#[path = "../../benches/faults/cost.rs"]
mod cost;
#[path = "../../benches/faults/harness.rs"]
mod harness;
#[path = "../../benches/faults/lane.rs"]
mod lane;
#[path = "../../benches/faults/load.rs"]
mod load;
#[path = "../../benches/faults/plan.rs"]
mod plan;
#[path = "../../benches/faults/servers.rs"]
mod servers;
#[path = "../../benches/faults/sink.rs"]
mod sink;

#[test]
fn what_was_accepted_outlives_kill_9_and_every_number_is_right() {
    each_database(&SCHEMA, |database| {
        let servers = if database.url.starts_with("sqlite") { "1" } else { "2" };
        let words = [
            "--servers",
            servers,
            "--people",
            "100",
            "--lanes",
            "2",
            "--seconds",
            "10",
            "--every",
            "2",
        ];
        let plan = plan::Plan::read(database.url.clone(), words.map(String::from));
        let folder = tempfile::tempdir().unwrap();
        let report = harness::run(&plan, folder.path());
        assert!(
            report.wrong.is_empty() && report.faults > 0,
            "{}",
            plan::table(&plan, &report)
        );
    });
}
