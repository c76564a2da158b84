//! What the outbox needs beside sending: recipients whose server is gone are found again, cancelled runs are swept,
//! leases are renewed.

use campanile_core::Result;
use campanile_core::outbox::{delivery, run};

use super::Station;

/// Does all of it once; whether there may be more to do now.
pub(super) async fn once(station: &Station) -> Result<()> {
    let (worker, db) = (station.worker, &station.app.db);
    loop {
        let now = station.app.clock.now();
        let swept = db.jot(move |tx| run::sweep(tx, now)).await?;
        let found = db.jot(move |tx| delivery::recover(tx, worker, now)).await?;
        if !swept && found == 0 || station.app.shutdown().is_cancelled() {
            break;
        }
    }
    let now = station.app.clock.now();
    db.jot(move |tx| delivery::renew(tx, worker, now)).await
}
