//! `campanile demo`: a server with a filled sample platform, in a temporary folder that goes when it ends.

mod fill;
pub mod messages;
mod tell;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::Arc;

use campanile_core::account::token;
use campanile_core::message::preview;
use campanile_core::time::Moment;
use tokio::net::TcpListener;

use crate::app::App;
use crate::chance::Chance;
use crate::cli::serving;
use crate::clock::Clock;
use crate::config::{self, Flags, Secret, Settings};
use crate::exit::Failure;
use crate::telemetry;
use crate::world::{ACCOUNTS, PASSWORD};

/// Fills a database of its own and serves it until SIGTERM or Ctrl-C.
pub fn run(flags: Flags) -> Result<(), Failure> {
    let is_named = flags.listen.is_some() || config::variable("CAMPANILE_LISTEN").is_some();
    if flags.database.is_some() {
        let why = "the demonstration makes a database of its own, and removes it: leave out --database";
        return Err(Failure::Usage(why.into()));
    }
    let folder = tempfile::Builder::new().prefix("campanile-demo-").tempdir()?;
    let mut settings = Settings::load(Flags {
        database: Some(format!("sqlite://{}", folder.path().join("demo.db").display())),
        ..flags
    })?;
    settings.admin_password = Some(Secret::new(PASSWORD));
    // A line for each request would hide what is printed here.
    let _traces = telemetry::start_log(settings.log_format, "warn", &settings.traces)?;
    let asked = is_named || settings.listen != Settings::default().listen;
    let runtime = serving::runtime()?;
    let (listener, address) = runtime.block_on(listen(&settings, asked))?;
    let origin = settings.origin(address);
    serving::say("filling a sample platform …");
    let now = Clock::system().now();
    let past = open(settings, origin, now)?;
    let served = runtime.block_on(async {
        tokio::select! {
            filled = fill::fill(&past, now) => filled?,
            () = serving::told_to_stop()? => return Ok(()),
        }
        let app = present(&past);
        drop(past);
        let token = token_of(&app, "ada").await?;
        // As it was called: nothing says that it is on the path.
        let binary = std::env::args().next().unwrap_or_else(|| "campanile".to_owned());
        serving::say(&welcome(&app.origin, &token, &binary));
        serving::until_told(&app, listener, address).await
    });
    // The files are closed before the folder goes.
    drop(runtime);
    folder.close()?;
    served
}

/// Listens where the settings say. Where that is taken and nobody asked for it, at a free port.
async fn listen(settings: &Settings, asked: bool) -> Result<(TcpListener, SocketAddr), Failure> {
    let wanted = settings.listen;
    let listening = serving::listen(settings).await;
    if asked || listening.is_ok() || !is_taken(wanted).await {
        return listening;
    }
    let mut free = settings.clone();
    free.listen.set_port(0);
    let (listener, address) = serving::listen(&free).await?;
    let (taken, port) = (wanted.port(), address.port());
    serving::say(&format!(
        "the usual port {taken} is taken, so this is at port {port}; --listen names another"
    ));
    Ok((listener, address))
}

async fn is_taken(address: SocketAddr) -> bool {
    let tried = TcpListener::bind(address).await;
    tried.is_err_and(|error| error.kind() == std::io::ErrorKind::AddrInUse)
}

/// An app whose clock stands before the first story.
fn open(settings: Settings, origin: String, now: Moment) -> Result<Arc<App>, Failure> {
    let past = Clock::manual(now.plus_ms(-messages::REACH_MS));
    Ok(App::open(settings, origin, past, Chance::system())?)
}

/// The same database at the present time.
fn present(past: &App) -> Arc<App> {
    let (settings, origin) = (past.settings.clone(), past.origin.clone());
    let app = App::with(
        past.db.clone(),
        past.key.clone(),
        settings,
        origin,
        Clock::system(),
        Chance::system(),
    );
    Arc::new(app)
}

async fn token_of(app: &App, login: &'static str) -> Result<String, Failure> {
    let (random, now) = (app.chance.bytes(), app.clock.now());
    let make = move |tx: &mut campanile_store::Tx<'_>| {
        let person = preview::person(tx, login)?;
        token::create(tx, person, "demo", None, &random, now)
    };
    Ok(app.db.jot(make).await?.1)
}

/// What is printed: address, accounts, and commands to try.
fn welcome(origin: &str, token: &str, binary: &str) -> String {
    let admin = ("admin", "administrator of everything");
    let accounts: Vec<_> = std::iter::once(admin)
        .chain(ACCOUNTS)
        .map(|(login, role)| format!("    {login:<5}  {role}"))
        .collect();
    let accounts = accounts.join("\n");
    format!(
        "
  {origin}
  {origin}/api/docs describes the API

  Accounts, each with the password {PASSWORD}:

{accounts}

  To try, in another terminal:

    curl -u una:{PASSWORD} {origin}/api/v1/inbox/counts

    CAMPANILE_URL={origin} CAMPANILE_TOKEN={token} \\
      {binary} send --role USER --title 'Hello' --text 'From the *shell*.'

    curl -u ada:{PASSWORD} '{origin}/api/v1/messages?limit=3'

  Ctrl-C ends it, and nothing is left.
"
    )
}
