//! What has to happen by itself: windows open when their time comes, and what is out of date is forgotten.
//!
//! Every server does it. Whoever takes the revision first finds a message waiting, the others find nothing.

use std::sync::Arc;
use std::time::Duration;

use campanile_core::message::{change, publish};
use campanile_core::outbox::device;
use campanile_core::revision::topic;
use campanile_core::time::Moment;
use campanile_core::{Error, Result, account};

use crate::app::App;
use crate::retention;
use crate::signals::heard;

/// Messages opened in one write.
const BATCH: i64 = 100;
/// Without anything to wait for, it looks so often: a lost signal of another server is healed by it.
const LOOK_MS: i64 = 5_000;
/// Messages that move within this are looked at together, since each server looks. What opens by this task was handed
/// in with a window that begins later.
const TOGETHER: Duration = Duration::from_millis(100);
/// How often what is out of date is forgotten.
const SWEEP_MS: i64 = 10 * 60 * 1_000;
/// How often what is kept no longer is let go.
const LET_GO_MS: i64 = 60 * 60 * 1_000;
/// Sessions forgotten in one write.
const SWEEP: i64 = 1_000;

/// Runs until the server stops.
pub async fn run(app: Arc<App>) {
    let mut signals = app.db.signals();
    let mut sweep_at = app.clock.now();
    let mut let_go_at = sweep_at;
    loop {
        let now = app.clock.now();
        let next = match open(&app, now).await {
            Ok(next) => next,
            Err(error) => {
                tracing::warn!(%error, "windows could not be opened; trying again");
                None
            }
        };
        if now >= sweep_at {
            sweep_at = now.plus_ms(SWEEP_MS);
            if let Err(error) = sweep(&app, now).await {
                tracing::warn!(%error, "what is out of date could not be forgotten; trying again later");
            }
        }
        if now >= let_go_at {
            let_go_at = now.plus_ms(LET_GO_MS);
            if let Err(error) = retention::sweep(&app, now).await {
                tracing::warn!(%error, "what is kept no longer could not be let go; trying again later");
            }
        }
        let until = next.unwrap_or(Moment::NEVER).min(now.plus_ms(LOOK_MS));
        let is_told = tokio::select! {
            () = app.shutdown().cancelled() => return,
            () = app.clock.until(until) => false,
            // Whether it waits for a window is in the database.
            heard = heard(&mut signals, |signal| signal.topic == topic::MESSAGE) => {
                if !heard {
                    return;
                }
                true
            }
        };
        if is_told {
            tokio::select! {
                () = app.shutdown().cancelled() => return,
                () = tokio::time::sleep(TOGETHER) => {}
            }
        }
        while signals.try_recv().is_ok() {}
    }
}

/// Publishes what is due; when the next one is.
async fn open(app: &App, now: Moment) -> Result<Option<Moment>> {
    loop {
        // All that wait, the due ones included.
        let next = app.db.read(|tx| change::next_opening(tx, Moment(-1_000))).await?;
        if next.is_none_or(|next| next > now.second()) {
            return Ok(next);
        }
        if app.db.write(move |tx| change::open_due(tx, BATCH, now)).await? == 0 {
            return Ok(None);
        }
    }
}

async fn sweep(app: &App, now: Moment) -> Result<()> {
    loop {
        let swept = app.db.jot(move |tx| {
            let keys = publish::forget_keys(tx, now)?;
            let devices = device::forget(tx, SWEEP, now)?;
            Ok::<_, Error>(keys + devices + account::session::sweep(tx, now, SWEEP)?)
        });
        if swept.await? == 0 {
            break;
        }
    }
    app.leaving.devices.set(app.db.scan(device::count).await?);
    Ok(())
}
