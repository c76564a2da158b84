//! Whether the server can do its work, part by part: what `/ready` answers, and the same as numbers.
//!
//! Two sorts of parts. Without the server, the database or its schema no request can be answered well, so a load
//! balancer is to send them elsewhere. What sends, what listens for other servers, and the mail relay are told beside
//! them and stand in nobody's way: taking the server out would mend nothing, and where all have the same trouble, it
//! would take out all of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use campanile_core::revision;
use campanile_core::schema::SCHEMA;
use campanile_core::time::Moment;
use campanile_store::migrate;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;

use crate::app::App;
use crate::telemetry::Readiness;

/// Who asks whether the server is ready waits so long.
const LIMIT: Duration = Duration::from_secs(2);
/// How often the server asks whether it is still new enough for its database.
const LOOK_MS: i64 = 5_000;
/// A task that goes round every few seconds and has not done so for this long is stuck.
const STUCK_MS: i64 = 60_000;

/// How a task fares that has to go on for as long as the server runs: it tells at each of its turns.
#[derive(Debug, Default)]
pub struct Pulse(AtomicI64);

/// The task has not begun, as before the server serves.
const UNBORN: i64 = 0;
/// The task has ended.
const ENDED: i64 = -1;

/// Held by the task while it runs, a panic included.
pub(crate) struct Running<'p>(&'p Pulse);

impl Pulse {
    /// The task begins.
    pub(crate) fn begin(&self, now: Moment) -> Running<'_> {
        self.beat(now);
        Running(self)
    }

    /// The task begins a turn.
    pub(crate) fn beat(&self, now: Moment) {
        self.0.store(now.0, Ordering::Relaxed);
    }

    /// What is wrong with it.
    ///
    /// # Errors
    /// That it has ended, or stands still.
    pub fn fares(&self, now: Moment) -> Result<(), &'static str> {
        match self.0.load(Ordering::Relaxed) {
            UNBORN => Ok(()),
            ENDED => Err("the tasks that send have ended"),
            last if now.0 - last > STUCK_MS => Err("the tasks that send stand still"),
            _ => Ok(()),
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.0.store(ENDED, Ordering::Relaxed);
    }
}

/// What is known of the parts without asking anybody.
#[derive(Debug, Default)]
pub struct Parts {
    /// What sends.
    pub sending: Pulse,
    /// The database needs a newer binary.
    is_outgrown: AtomicBool,
}

/// What `/ready` says. What the mail relay does is told, and not why: anybody may ask.
pub(crate) async fn readiness(app: Arc<App>) -> Readiness {
    let asked = tokio::time::timeout(LIMIT, ask(&app)).await;
    let (database, schema) = asked.unwrap_or((Err("does not answer"), Ok(())));
    let relay = app.settings.mail.relay.as_ref().map(|_| {
        let trouble = app.relay.trouble(app.clock.now());
        trouble.map_or(Ok(()), |trouble| Err(format!("mails wait since {}", trouble.since)))
    });
    let told = |(name, state): (&'static str, Result<(), &str>)| (name, state.map_err(str::to_owned));
    Readiness {
        parts: [("server", serving(&app)), ("database", database), ("schema", schema)]
            .map(told)
            .into(),
        asides: [
            ("outbox", app.parts.sending.fares(app.clock.now())),
            ("listening", listening(&app)),
        ]
        .map(told)
        .into_iter()
        .chain(relay.map(|state| ("relay", state)))
        .collect(),
    }
}

type State = Result<(), &'static str>;

fn serving(app: &App) -> State {
    if app.is_departing() { Err("is stopping") } else { Ok(()) }
}

fn listening(app: &App) -> State {
    if app.db.is_deaf() {
        Err("other servers are not heard; what they do is looked up")
    } else {
        Ok(())
    }
}

fn schema(needed: i64) -> State {
    if needed > SCHEMA.generation() {
        Err("needs a newer Campanile")
    } else {
        Ok(())
    }
}

/// Whether the database can be read, whether it takes this binary, and, where the last write failed, whether it can be
/// written again.
async fn ask(app: &App) -> (State, State) {
    let db = &app.db;
    let read = db.read(|tx| {
        revision::latest(tx)?;
        Ok::<_, campanile_core::Error>(migrate::needed(tx)?)
    });
    let Ok(needed) = read.await else {
        return (Err("cannot be read"), Ok(()));
    };
    let is_written = !db.is_failing() || db.write(revision::probe).await.is_ok();
    let database = if is_written { Ok(()) } else { Err("cannot be written") };
    (database, schema(needed))
}

/// Asks from time to time whether the database still takes this binary. Where a newer one has brought it to a schema
/// that this one must not use, says so and has the server stop: it would be refused at its next start, too.
pub(crate) async fn watch(app: Arc<App>) {
    loop {
        // While the database is away there is nothing to be learned; others say that it is.
        if let Ok(needed) = app.db.read(migrate::needed).await
            && schema(needed).is_err()
        {
            tracing::error!("{}; it stops", SCHEMA.too_old(needed));
            app.parts.is_outgrown.store(true, Ordering::Relaxed);
            app.depart().await;
            return app.shutdown().cancel();
        }
        tokio::select! {
            () = app.shutdown().cancelled() => return,
            () = app.clock.until(app.clock.now().plus_ms(LOOK_MS)) => {}
        }
    }
}

impl Parts {
    /// Whether the server has stopped because its database needs a newer binary.
    #[must_use]
    pub fn is_outgrown(&self) -> bool {
        self.is_outgrown.load(Ordering::Relaxed)
    }
}

/// The parts as numbers, looked at when they are asked for.
pub(crate) struct Numbers(pub(crate) Arc<App>);

impl std::fmt::Debug for Numbers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Numbers").field(&self.0.parts).finish()
    }
}

impl Collector for Numbers {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let app = &self.0;
        let parts = [
            ("server", serving(app).is_ok()),
            ("database", !app.db.is_failing()),
            ("schema", !app.parts.is_outgrown()),
            ("outbox", app.parts.sending.fares(app.clock.now()).is_ok()),
            ("listening", listening(app).is_ok()),
        ];
        let (name, help) = (
            "campanile_part_works",
            "1 while a part of the server works, 0 while not; see /ready",
        );
        let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (part, works) in parts {
            let gauge = ConstGauge::new(i64::from(works));
            gauge.encode(family.encode_family(&[("part", part)])?)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_that_panics_or_stands_still_is_told() {
        let pulse = Pulse::default();
        assert_eq!(pulse.fares(Moment(1)), Ok(()), "it has not begun");
        let caught = std::panic::catch_unwind(|| {
            let _running = pulse.begin(Moment(1_000));
            assert_eq!(pulse.fares(Moment(1_000 + STUCK_MS)), Ok(()));
            assert_eq!(
                pulse.fares(Moment(1_001 + STUCK_MS)),
                Err("the tasks that send stand still")
            );
            pulse.beat(Moment(2_000));
            assert_eq!(pulse.fares(Moment(1_001 + STUCK_MS)), Ok(()));
            std::panic::resume_unwind(Box::new("a defect"));
        });
        assert!(caught.is_err());
        assert_eq!(pulse.fares(Moment(2_000)), Err("the tasks that send have ended"));
    }
}
