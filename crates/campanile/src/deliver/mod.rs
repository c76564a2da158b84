//! Deliveries: what leaves the house by itself, after the transaction that decided it.
//!
//! - [`run`]: the tasks of a server. `pager` lists who gets a mail, `mailer` hands mails to the relay, `poster` makes
//!   POSTs, `pusher` tells devices, `upkeep` finds again what a dead server had in hand. The queue itself is
//!   `campanile_core::outbox`: a task takes rows with a lease, sends outside of any transaction, and writes down what
//!   became of them, many at once.
//! - [`push`]: what is told to a device.
//! - [`smtp`], [`mail`]: the wire and the mail. [`http`], [`guard`], [`connector`], [`proxy`], [`sign`], [`retry`]: one
//!   POST.

pub mod bounce;
pub mod connector;
pub mod guard;
pub mod http;
mod link;
pub mod mail;
mod mailer;
mod pager;
mod poster;
pub mod proxy;
pub mod push;
mod pusher;
pub mod retry;
pub mod sign;
pub mod smtp;
mod upkeep;

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use campanile_core::Result;
use campanile_core::message::Channel;
use campanile_core::outbox::{Worker, lease};
use campanile_core::revision::topic;
use campanile_core::time::Moment;
use campanile_store::Signal;
use futures_util::future::BoxFuture;

use crate::app::App;
use crate::config::ConfigError;
use crate::signals::{Signals, heard};

/// Without anything to wait for, the outbox is looked at so often: a lost signal of another server is healed by it.
const LOOK_MS: i64 = 5_000;
/// After an error of the database.
const AGAIN_MS: i64 = 1_000;

/// What the tasks share.
#[derive(Clone)]
struct Station {
    app: Arc<App>,
    /// What this run of the server leases under.
    worker: Worker,
}

/// The means to post, made when something is posted for the first time.
struct Outward {
    client: OnceLock<http::Client>,
    own: Vec<SocketAddr>,
    names: Arc<dyn guard::Resolve>,
}

impl Outward {
    fn client(&self, app: &App) -> &http::Client {
        self.client.get_or_init(|| {
            let (own, names) = (self.own.clone(), Arc::clone(&self.names));
            http::Client::new(&app.settings.http, own, names, connector::system_roots())
        })
    }
}

/// The tasks that send, until the server stops. `own` are the addresses that it listens at: nothing is posted there.
/// `names` looks up where posts go: [`guard::System`].
///
/// # Errors
/// A setting of mail that cannot be.
pub fn run(
    app: &Arc<App>,
    own: Vec<SocketAddr>,
    names: Arc<dyn guard::Resolve>,
) -> std::result::Result<impl Future<Output = ()> + Send + use<>, ConfigError> {
    let office = mail::office(&app.settings.mail, &app.origin, &app.key)?;
    let station = Station {
        app: Arc::clone(app),
        worker: Worker((app.boot >> 1) as i64 | 1),
    };
    let outward = Arc::new(Outward {
        client: OnceLock::new(),
        own,
        names,
    });
    Ok(async move {
        let _running = station.app.parts.sending.begin(station.app.clock.now());
        forget_the_dead(&station).await;
        let mails = async {
            // Without a relay mails wait: it may be given later.
            if let Some(office) = office {
                let list = repeat(&station, Channel::Email.bit(), |station| {
                    Box::pin(pager::list_all(station))
                });
                tokio::join!(list, mailer::run(&station, office));
            }
        };
        let upkeep = repeat(&station, 0, |station| Box::pin(upkeep::once(station)));
        let posts = poster::run(&station, &outward);
        let watch = upkeep::watch(&station);
        tokio::join!(mails, posts, pusher::run(&station, &outward), upkeep, watch);
    })
}

/// Where no other process has the database open, nobody else can hold a lease.
async fn forget_the_dead(station: &Station) {
    let db = station.app.db.clone();
    let alone = tokio::task::spawn_blocking(move || db.alone()).await;
    if let Ok(Some(alone)) = alone {
        if let Err(error) = station.app.db.jot(lease::void).await {
            tracing::warn!(%error, "leases of the run before could not be ended; they end by themselves");
        }
        drop(alone);
    }
}

/// Does something now, whenever there may be something to send, and every few seconds.
async fn repeat(station: &Station, key: i64, work: for<'s> fn(&'s Station) -> BoxFuture<'s, Result<()>>) {
    let mut signals = station.app.db.signals();
    loop {
        let pause = match work(station).await {
            Ok(()) => LOOK_MS,
            Err(error) => {
                tracing::warn!(%error, "the outbox cannot be worked on; trying again");
                AGAIN_MS
            }
        };
        let until = station.app.clock.now().plus_ms(pause);
        tokio::select! {
            () = station.app.shutdown().cancelled() => return,
            () = station.app.clock.until(until) => {}
            heard = announced(&mut signals, key) => if !heard { return },
        }
    }
}

/// Waits until the outbox is announced, with a key; `false` when it will not be any more.
async fn announced(signals: &mut Signals, key: i64) -> bool {
    let wanted = Signal {
        topic: topic::OUTBOX,
        key,
    };
    heard(signals, |signal| *signal == wanted).await
}

/// Later than this nothing of a message is tried: `days` after it was handed over, or the end of its window.
fn give_up_at(tried_from: Moment, window: campanile_core::message::Window, after_ms: i64) -> Moment {
    let end = tried_from.plus_ms(after_ms);
    window.closes_at().map_or(end, |closes| end.min(closes.plus_ms(999)))
}
