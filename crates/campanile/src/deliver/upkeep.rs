//! What the outbox needs beside sending: recipients whose server is gone are found again, cancelled runs are swept,
//! leases are renewed, and what waits is counted.

use campanile_core::Result;
use campanile_core::outbox::{backlog, delivery, run};

use super::Station;

/// Does all of it once; whether there may be more to do now.
pub(super) async fn once(station: &Station) -> Result<()> {
    let (worker, db) = (station.worker, &station.app.db);
    loop {
        let now = station.app.clock.now();
        station.app.parts.sending.beat(now);
        let swept = db.jot(move |tx| run::sweep(tx, now)).await?;
        let found = db.jot(move |tx| delivery::recover(tx, worker, now)).await?;
        if !swept && found == 0 || station.app.shutdown().is_cancelled() {
            break;
        }
    }
    let now = station.app.clock.now();
    db.jot(move |tx| delivery::renew(tx, worker, now)).await
}

/// What waits is counted so often.
const COUNT_MS: i64 = 15_000;

/// Counts what waits, until the server stops.
pub(super) async fn watch(station: &Station) {
    let app = &station.app;
    loop {
        // While the database is away the numbers stay as they were; others say that it is.
        if let Ok(found) = app.db.scan(backlog::backlog).await {
            app.leaving.waits(&found, app.clock.now());
        }
        tokio::select! {
            () = app.shutdown().cancelled() => return,
            () = app.clock.until(app.clock.now().plus_ms(COUNT_MS)) => {}
        }
    }
}
