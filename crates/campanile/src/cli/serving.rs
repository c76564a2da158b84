//! `campanile serve`: from the settings to a server that runs until it is told to stop.

use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;

use crate::app::{Administrator, App};
use crate::chance::Chance;
use crate::clock::Clock;
use crate::config::{Flags, Settings};
use crate::exit::Failure;
use crate::{server, telemetry};

/// Serves until SIGTERM or Ctrl-C, and drains.
pub(super) fn serve(flags: Flags) -> Result<(), Failure> {
    let settings = Settings::load(flags)?;
    let _traces = telemetry::start_log(settings.log_format, &settings.log_level, &settings.traces)?;
    let runtime = runtime()?;
    let (listener, address) = runtime.block_on(listen(&settings))?;
    // Outside of the runtime: it blocks.
    let app = open(settings, address)?;
    let served = runtime.block_on(async {
        app.check_clock().await?;
        if let Some(line) = told(&app.ensure_administrator().await?) {
            say(&line);
        }
        until_told(&app, listener, address).await
    });
    // What was cut ends as soon as it notices; nothing that does not keeps the process.
    runtime.shutdown_timeout(LAST_GRACE);
    served
}

/// How long threads get to end what nobody waits for any more.
const LAST_GRACE: Duration = Duration::from_secs(2);

/// The runtime of a server.
pub(crate) fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}

/// Listens before anything else is begun: a taken address leaves nothing behind.
pub(crate) async fn listen(settings: &Settings) -> Result<(TcpListener, SocketAddr), Failure> {
    let listener = TcpListener::bind(settings.listen)
        .await
        .map_err(|error| Failure::Work(format!("cannot listen at {}: {error}", settings.listen)))?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// The app of a server that listens there.
pub(crate) fn open(settings: Settings, address: SocketAddr) -> Result<Arc<App>, Failure> {
    let origin = settings.origin(address);
    Ok(App::open(settings, origin, Clock::system(), Chance::system())?)
}

/// What to tell about the first administrator: only what nobody else knows.
pub(crate) fn told(administrator: &Administrator) -> Option<String> {
    match administrator {
        Administrator::Present => None,
        Administrator::Made => Some("created the user admin".to_owned()),
        Administrator::MadeWith(password) => Some(format!(
            "created the user admin with the password {password} (it is not shown again)"
        )),
    }
}

/// Says where it listens, and serves until SIGTERM or Ctrl-C, or until the database needs a newer binary.
pub(crate) async fn until_told(app: &Arc<App>, listener: TcpListener, address: SocketAddr) -> Result<(), Failure> {
    let (signals, stopping) = (Signals::new()?, Arc::clone(app));
    app.spawn(async move {
        tokio::select! {
            () = stopping.shutdown().cancelled() => {}
            () = depart(&stopping, signals) => stopping.shutdown().cancel(),
        }
    });
    say(&format!("listening on http://{address}"));
    let report = server::run(app, listener).await?;
    tracing::info!(connections = report.connections, cut = report.cut, "stopped");
    if app.parts.is_outgrown() {
        return Err(Failure::Work("the database needs a newer Campanile".into()));
    }
    Ok(())
}

/// Waits for a signal to stop, and after one of a service manager for the load balancer. Who sends a second one, or
/// sits at the keyboard, waits for nothing.
async fn depart(app: &App, mut signals: Signals) {
    if signals.next().await == Told::ByKeyboard {
        return;
    }
    tokio::select! {
        () = app.depart() => {}
        _ = signals.next() => {}
    }
}

/// A line on standard output. A server goes on where nobody reads it.
pub(crate) fn say(line: &str) {
    let _closed = writeln!(std::io::stdout(), "{line}");
}

/// Comes back at SIGTERM or Ctrl-C; from now on neither ends the process by itself.
pub(crate) fn told_to_stop() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut signals = Signals::new()?;
    Ok(async move {
        signals.next().await;
    })
}

/// Who told the process to stop.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    ByKeyboard,
    ByManager,
}

/// SIGTERM, where there is such a thing, and Ctrl-C.
struct Signals {
    #[cfg(unix)]
    term: tokio::signal::unix::Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            #[cfg(unix)]
            term: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?,
        })
    }

    /// The next one.
    async fn next(&mut self) -> Told {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => Told::ByKeyboard,
            () = self.terminated() => Told::ByManager,
        }
    }

    async fn terminated(&mut self) {
        #[cfg(unix)]
        if self.term.recv().await.is_some() {
            return;
        }
        std::future::pending::<()>().await;
    }
}
