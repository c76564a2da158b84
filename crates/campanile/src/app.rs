//! What the whole server shares, built once: database, clock, chance, keys, what is kept in memory, and its tasks.

pub(crate) mod key;

use std::future::Future;
use std::sync::Arc;

use anyhow::Context as _;
use campanile_core::account::{self, password};
use campanile_core::audience::crowd;
use campanile_core::lists;
use campanile_core::message::funnel::Audiences;
use campanile_core::outbox::destination::{Outlets, Posting};
use campanile_core::revision;
use campanile_core::schema::SCHEMA;
use campanile_core::secret::{self, Hash, InstallationKey};
use campanile_store::Db;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::auth::Principal;
use crate::bell::Bells;
use crate::chance::Chance;
use crate::clock::Clock;
use crate::config::Settings;
use crate::console::Rows;
use crate::exit::Failure;
use crate::hasher::Hasher;
use crate::known::Known;
use crate::live::Live;
use crate::person::People;
use crate::ready::Parts;
use crate::relay::Relay;
use crate::telemetry::Leaving;
use crate::throttle::Throttle;
use crate::vapid::Vapid;

/// Bytes of the credentials that are remembered at most, about: 16,000 of them.
const KNOWN: usize = 3 << 20;

/// The state of every handler: `Arc<App>`.
pub struct App {
    /// The database.
    pub db: Db,
    /// The time.
    pub clock: Clock,
    /// Randomness.
    pub chance: Chance,
    /// The secret of the installation, the same on all its servers.
    pub key: InstallationKey,
    /// Slow hashes.
    pub hasher: Hasher,
    /// Failed log-ins.
    pub throttle: Throttle,
    /// Credentials that were found good a moment ago.
    pub known: Known<Hash, Principal>,
    /// What is remembered of bells and inboxes.
    pub bells: Bells,
    /// Rows of messages that were rendered.
    pub rows: Rows,
    /// What is remembered of people who look at pages.
    pub people: People,
    /// Whether the mail relay takes mail.
    pub relay: Relay,
    /// Streams of people who listen.
    pub live: Live,
    /// How push services know this installation.
    pub vapid: Vapid,
    /// What becomes of what leaves the house, in numbers.
    pub leaving: Leaving,
    /// Messages by selector.
    pub lists: Arc<lists::Shared>,
    /// People by role and customer.
    pub residents: Arc<crowd::Shared>,
    /// Audiences that never change, the last few that were asked for.
    pub crowds: Arc<Audiences>,
    /// Tells this run of the server from any other.
    pub boot: u64,
    /// The settings.
    pub settings: Settings,
    /// `scheme://host[:port]` as people type it: for links, and cookies that are Secure.
    pub origin: String,
    /// How the parts of the server fare.
    pub parts: Parts,
    tasks: TaskTracker,
    departing: CancellationToken,
    shutdown: CancellationToken,
}

/// What became of the first administrator at start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Administrator {
    /// There are people already.
    Present,
    /// Made, with the password of the settings.
    Made,
    /// Made, with this password: it is printed once, and is nowhere else.
    MadeWith(String),
}

/// Servers' clocks may differ by so much from the database's, in milliseconds.
const AHEAD_MS: i64 = 60_000;

impl App {
    /// Opens the database of the settings, and the key beside it. `origin` is [`Settings::origin`]. Blocks: not on a
    /// thread that serves.
    ///
    /// # Errors
    /// When the database or the key cannot be had; the text says what to do.
    pub fn open(settings: Settings, origin: String, clock: Clock, chance: Chance) -> anyhow::Result<Arc<Self>> {
        let key = key::of_installation(&settings, &chance)?;
        let db = Db::open(&settings.database_options(), &SCHEMA)
            .with_context(|| format!("the database {} cannot be opened", settings.database))?;
        Ok(Arc::new(Self::with(db, key, settings, origin, clock, chance)))
    }

    /// The key of an installation, and where it was found, without making one.
    ///
    /// # Errors
    /// When it cannot be read, or has to be given and is not.
    pub fn existing_key(settings: &Settings) -> anyhow::Result<Option<(InstallationKey, String)>> {
        key::existing(settings)
    }

    /// An app on a database that is open already.
    #[must_use]
    pub fn with(
        db: Db,
        key: InstallationKey,
        settings: Settings,
        origin: String,
        clock: Clock,
        chance: Chance,
    ) -> Self {
        let mut boot = [0; 8];
        boot.copy_from_slice(&chance.bytes()[..8]);
        Self {
            db,
            hasher: Hasher::new(&chance.bytes()),
            clock,
            chance,
            key,
            throttle: Throttle::default(),
            known: Known::new(KNOWN),
            bells: Bells::default(),
            rows: Rows::default(),
            people: People::default(),
            relay: Relay::default(),
            live: Live::default(),
            vapid: Vapid::default(),
            leaving: Leaving::default(),
            lists: Arc::default(),
            residents: Arc::default(),
            crowds: Arc::default(),
            boot: u64::from_le_bytes(boot),
            settings,
            origin,
            parts: Parts::default(),
            tasks: TaskTracker::new(),
            departing: CancellationToken::new(),
            shutdown: CancellationToken::new(),
        }
    }

    /// The ways out of the house that this server has, and a fresh number to seal with.
    #[must_use]
    pub fn outlets(&self) -> Outlets {
        Outlets {
            email: self.settings.mail.relay.is_some(),
            http: Some(self.posting()),
        }
    }

    /// What is needed to check and to seal where something is posted to, with a fresh number.
    #[must_use]
    pub fn posting(&self) -> Posting {
        Posting {
            policy: self.settings.http.policy(),
            key: self.key.clone(),
            random: self.chance.bytes(),
        }
    }

    /// Whether people come by `https`.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.origin.starts_with("https://")
    }

    /// Refuses to go on where this machine's clock is ahead of the database's: the times of what it wrote would lie in
    /// the future, and no server could stamp an earlier one before they have come.
    ///
    /// # Errors
    /// What to do about it; or the database fails.
    pub async fn check_clock(&self) -> Result<(), Failure> {
        let clock = self.db.read(revision::clock).await?;
        let now = self.clock.now();
        if now.0 - clock.0 <= AHEAD_MS {
            return Ok(());
        }
        Err(Failure::Work(format!(
            "the clock of this machine, {now}, is ahead of the database's, {clock}: set it right first"
        )))
    }

    /// Makes the first administrator where nobody has ever been one (decision 15).
    ///
    /// # Errors
    /// When the password of the settings is not allowed, or the database fails.
    pub async fn ensure_administrator(&self) -> anyhow::Result<Administrator> {
        if !self.db.read(account::is_deserted).await? {
            return Ok(Administrator::Present);
        }
        let given = self.settings.admin_password.as_ref();
        let password = given.map_or_else(
            || secret::password_text(&self.chance.bytes()),
            |given| given.expose().to_owned(),
        );
        password::check("admin_password", &password, account::FIRST_LOGIN)?;
        let place = self
            .hasher
            .place()
            .await
            .map_err(|problem| anyhow::anyhow!(problem.detail))?;
        let hashed = place.hash(password.clone(), self.chance.salt()).await;
        let phc = hashed.map_err(|problem| anyhow::anyhow!(problem.detail))?;
        let (random, now) = (self.chance.bytes(), self.clock.now());
        let made = self
            .db
            .write(move |tx| account::ensure_first_administrator(tx, &phc, &random, now))
            .await?;
        Ok(match (made, given) {
            (None, _) => Administrator::Present,
            (Some(_), Some(_)) => Administrator::Made,
            (Some(_), None) => Administrator::MadeWith(password),
        })
    }

    /// Starts a task that is waited for at shutdown, with its panic. One that does not end by itself ends on
    /// [`App::shutdown`].
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }

    /// Says that the server is about to stop, and goes on serving for `drain_delay`.
    pub async fn depart(&self) {
        self.departing.cancel();
        let delay = self.settings.cluster.drain_delay;
        tracing::info!(
            seconds = delay.as_secs_f64(),
            "about to stop; no more requests are wanted"
        );
        let delay = i64::try_from(delay.as_millis()).unwrap_or(i64::MAX);
        self.clock.until(self.clock.now().plus_ms(delay)).await;
    }

    /// Whether the server is about to stop, or stopping.
    #[must_use]
    pub fn is_departing(&self) -> bool {
        self.departing.is_cancelled() || self.shutdown.is_cancelled()
    }

    /// Cancelled when the server says that it is about to stop.
    #[must_use]
    pub fn departing(&self) -> &CancellationToken {
        &self.departing
    }

    /// Cancelled when the server is to stop.
    #[must_use]
    pub fn shutdown(&self) -> &CancellationToken {
        &self.shutdown
    }

    /// Waits until every task of the moment has ended; for tests, which look at what they left.
    pub async fn settle(&self) {
        self.tasks.close();
        self.tasks.wait().await;
        self.tasks.reopen();
    }

    /// Tells the tasks to end, and waits for them.
    pub async fn stop(&self) {
        self.shutdown.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}
