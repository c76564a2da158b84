//! The server put together: the router over an [`App`], and serving it until it is told to stop.

use std::sync::Arc;

use axum::Router;
use campanile_core::revision;
use campanile_store::Db;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;

use crate::api::docs::{self, Docs};
use crate::app::App;
use crate::cors::Cors;
use crate::deliver::bounce;
use crate::pass::{self, Pass};
use crate::serve::{self, ServeReport};
use crate::telemetry::{self, Metrics};
use crate::{api, console, deliver, keeper, live, management, ready, v3};

/// Where a directory file is taken in: it may take longer than other requests.
const IMPORT: &str = "/api/v1/directory/import";

/// The router, and the gauge of open connections that [`serve::serve`] moves.
///
/// # Errors
/// When the API's own description cannot be rendered, which is a defect.
pub fn router(app: &Arc<App>) -> anyhow::Result<(Router, Metrics)> {
    let mut registry = Registry::default();
    let metrics = Metrics::new(&mut registry, app.clock.now());
    app.leaving.register(&mut registry);
    registry.register_collector(Box::new(Database(app.db.clone())));
    registry.register_collector(Box::new(Streams(Arc::clone(app))));
    registry.register_collector(Box::new(ready::Numbers(Arc::clone(app))));
    let docs = docs::routes(|| Docs::new(&api::document()));
    let pass = Pass::new(metrics.clone(), &app.settings.limits, &app.origin, app.boot)
        .with_long_route(IMPORT)
        .with_long_route(console::IMPORT)
        .with_open_route(console::UNSUBSCRIBE)
        .with_cookie(management::COOKIE)
        .with_trusted(&app.settings.trusted_proxies)
        .with_embedders(Cors::of(app))
        .with_departing(app.departing().clone());
    let ready = {
        let app = Arc::clone(app);
        move || ready::readiness(Arc::clone(&app))
    };
    let inside = api::routes()
        .with_state(Arc::clone(app))
        .merge(docs)
        .merge(console::routes(app))
        .merge(management::routes(app))
        .fallback_service(v3::beside(app, console::nothing(app)));
    let router = pass::around(inside, pass).merge(telemetry::routes(registry, ready));
    Ok((router, metrics))
}

/// Serves until [`App::shutdown`], then lets what is under way finish.
///
/// # Errors
/// See [`router`] and [`deliver::run`].
pub async fn run(app: &Arc<App>, listener: TcpListener) -> anyhow::Result<ServeReport> {
    let (router, metrics) = router(app)?;
    let own = listener.local_addr().into_iter().collect();
    let names = Arc::new(deliver::guard::System::default());
    app.spawn(deliver::run(app, own, names)?);
    if let Some((at, domain)) = app.settings.mail.bounces()? {
        let address = bounce::listen(app, at, domain, bounce::Limits::default()).await?;
        tracing::info!(%address, domain, "mail that comes back is taken in");
    }
    app.spawn(keeper::run(Arc::clone(app)));
    app.spawn(live::run(Arc::clone(app)));
    app.spawn(warm(Arc::clone(app)));
    app.spawn(ready::watch(Arc::clone(app)));
    let shutdown = app.shutdown().clone();
    let report = serve::serve(listener, router, &app.settings.limits, &metrics.connections, shutdown).await;
    app.stop().await;
    Ok(report)
}

/// Reads the messages and people that stand in memory before the first who needs them has to wait for it.
async fn warm(app: Arc<App>) {
    let (lists, residents) = (Arc::clone(&app.lists), Arc::clone(&app.residents));
    let read = app.db.scan(move |tx| {
        let latest = revision::latest_of_messages(tx)?;
        drop(lists.at(tx, latest)?);
        drop(residents.at(tx)?);
        Ok::<_, campanile_core::Error>(())
    });
    tokio::select! {
        () = app.shutdown().cancelled() => {}
        result = read => if let Err(error) = result {
            tracing::warn!(%error, "what stands in memory could not be read ahead; it will be when it is needed");
        },
    }
}

/// The database's own numbers, read when they are asked for.
#[derive(Debug)]
struct Database(Db);

impl Collector for Database {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let (commits, queue) = (self.0.commits(), self.0.queue());
        let mut counter = |name: &str, help: &str, value: u64| {
            let counter = ConstCounter::new(value);
            let kind = counter.metric_type();
            counter.encode(encoder.encode_descriptor(name, help, None, kind)?)
        };
        counter("campanile_database_commits", "Commits of this process", commits.commits)?;
        counter(
            "campanile_database_operations",
            "Operations in these commits",
            commits.operations,
        )?;
        let mut gauge = |name: &str, help: &str, value: usize| {
            let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            let kind = gauge.metric_type();
            gauge.encode(encoder.encode_descriptor(name, help, None, kind)?)
        };
        gauge(
            "campanile_database_queue",
            "Operations that wait for the database or are under way",
            queue.waiting,
        )?;
        gauge(
            "campanile_database_queue_limit",
            "The most that there may be; beyond, requests are refused with 503",
            queue.limit,
        )?;
        let failing = usize::from(self.0.is_failing());
        gauge("campanile_database_failing", "1 while writes fail", failing)
    }
}

/// Who listens, counted when it is asked for.
struct Streams(Arc<App>);

impl std::fmt::Debug for Streams {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Streams").field(&self.0.live).finish()
    }
}

impl Collector for Streams {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let open = ConstGauge::new(i64::try_from(self.0.live.len()).unwrap_or(i64::MAX));
        let (name, help) = ("campanile_live_streams", "Live streams that are open");
        let kind = open.metric_type();
        open.encode(encoder.encode_descriptor(name, help, None, kind)?)
    }
}
