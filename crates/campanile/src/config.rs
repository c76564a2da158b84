//! Settings: defaults, then a TOML file, then the environment, then flags. The only reader of the environment.
//!
//! One list, `settings`, names each setting once; the file's key is the name, and its twin in the environment is
//! `CAMPANILE_` and the name in upper case.

mod cluster;
mod compat;
mod environment;
mod file;
mod http;
mod mail;
mod retention;
mod traces;
pub(crate) mod value;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

pub use cluster::Cluster;
pub use compat::Compat;
pub use environment::{unknown_variables, variable};
pub use http::{Http, Proxies};
pub use mail::{Brand, Mail};
pub use retention::Retention;
pub use traces::Traces;
pub use value::{DatabaseUrl, LogFormat, Secret};

use crate::address::Network;

/// The settings file with every setting, its meaning and its default.
pub const DEFAULT_FILE: &str = include_str!("config.default.toml");

/// Everything that can be set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where the data is.
    pub database: DatabaseUrl,
    /// The address to listen at; port 0 picks one.
    pub listen: SocketAddr,
    /// `scheme://host[:port]` as people type it; see [`Settings::origin`].
    pub public_url: Option<String>,
    /// Proxies whose word about the client's address is taken.
    pub trusted_proxies: Vec<Network>,
    /// Encrypts stored secrets and signs; see [`Settings::server_key`].
    pub secret_key: Option<Secret>,
    /// The first administrator's password.
    pub admin_password: Option<Secret>,
    /// How the log is written.
    pub log_format: LogFormat,
    /// A level or `tracing` directives; known to parse.
    pub log_level: String,
    /// Where traces go.
    pub traces: Traces,
    /// What is kept how long.
    pub retention: Retention,
    /// How long a session lasts.
    pub session_lifetime: Duration,
    /// How much of what.
    pub limits: Limits,
    /// The DNS server that `campanile doctor` asks; by default that of the system.
    pub dns: Option<SocketAddr>,
    /// Messages by HTTP POST.
    pub http: Http,
    /// Messages by mail.
    pub mail: Mail,
    /// The console messaging contract.
    pub compat: Compat,
    /// Other servers beside this one.
    pub cluster: Cluster,
}

/// How much a client may ask of the server, and how long things may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a request's body.
    pub body_limit: usize,
    /// Bytes of an uploaded directory file.
    pub import_limit: u64,
    /// From the first byte of a request's head to its last.
    pub header_read_timeout: Duration,
    /// Between two pieces of a request's body.
    pub body_read_timeout: Duration,
    /// Between two requests of a connection, and for a client to take a piece of an answer.
    pub idle_timeout: Duration,
    /// For one request to be answered.
    pub request_timeout: Duration,
    /// Connections at once, but for live streams.
    pub max_connections: usize,
    /// Live streams at once.
    pub max_streams: usize,
    /// For requests in progress when the server stops.
    pub shutdown_grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_limit: 1 << 20,
            import_limit: 2 << 30,
            header_read_timeout: Duration::from_secs(10),
            body_read_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(75),
            request_timeout: Duration::from_secs(30),
            max_connections: 10_000,
            max_streams: 20_000,
            shutdown_grace: Duration::from_secs(20),
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            database: value::database("sqlite://campanile.db").expect("a constant that the tests read"),
            listen: SocketAddr::from(([127, 0, 0, 1], 8480)),
            public_url: None,
            trusted_proxies: Vec::new(),
            secret_key: None,
            admin_password: None,
            log_format: LogFormat::Text,
            log_level: "info".into(),
            traces: Traces::default(),
            retention: Retention::default(),
            session_lifetime: Duration::from_hours(7 * 24),
            limits: Limits::default(),
            dns: None,
            http: Http::default(),
            mail: Mail::default(),
            compat: Compat::default(),
            cluster: Cluster::default(),
        }
    }
}

/// The settings that have a flag; a flag beats everything else.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Flags {
    /// The settings file.
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        help = "Settings file, TOML [env: CAMPANILE_CONFIG]"
    )]
    pub config: Option<PathBuf>,
    /// Where the data is.
    #[arg(long, global = true, value_name = "URL", help = DATABASE_HELP)]
    pub database: Option<String>,
    /// The address to listen at.
    #[arg(long, global = true, value_name = "ADDRESS:PORT", help = LISTEN_HELP)]
    pub listen: Option<String>,
    /// How the log is written.
    #[arg(long, global = true, value_name = "text|json", help = LOG_FORMAT_HELP)]
    pub log_format: Option<String>,
}

const DATABASE_HELP: &str =
    "Where the data is, sqlite://PATH or postgres://… [env: CAMPANILE_DATABASE] [default: sqlite://campanile.db]";
const LISTEN_HELP: &str =
    "Address to listen at; port 0 picks a free one [env: CAMPANILE_LISTEN] [default: 127.0.0.1:8480]";
const LOG_FORMAT_HELP: &str = "How the log is written to standard error [env: CAMPANILE_LOG_FORMAT] [default: text]";

/// A setting that cannot be used. Its text names the setting, where it was set and what is allowed, never its value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The settings file, or a file that holds a secret, cannot be read.
    #[error("{origin}: the file {} cannot be read: {reason}", path.display())]
    Unreadable {
        /// Where the file was named.
        origin: String,
        /// The file.
        path: PathBuf,
        /// The operating system's words.
        reason: String,
    },
    /// The settings file is not TOML.
    #[error("settings file, line {line}: {reason}")]
    Syntax {
        /// The line, from 1.
        line: usize,
        /// What is wrong there.
        reason: String,
    },
    /// The settings file has a key that is no setting.
    #[error("settings file: there is no setting `{key}`{}", hint(.nearest.as_deref()))]
    Unknown {
        /// The key.
        key: String,
        /// The setting that was probably meant.
        nearest: Option<String>,
    },
    /// A value that is not allowed.
    #[error("{setting} ({origin}): {reason}")]
    Value {
        /// The setting.
        setting: &'static str,
        /// Where it was set: the file, the environment or a flag.
        origin: String,
        /// What is allowed.
        reason: String,
    },
    /// A setting that must be given and is not.
    #[error("{setting}: {reason}")]
    Needed {
        /// The setting.
        setting: &'static str,
        /// Why it is needed and how to give it.
        reason: &'static str,
    },
}

fn hint(nearest: Option<&str>) -> String {
    nearest.map(|name| format!("; `{name}` is one")).unwrap_or_default()
}

type Put = fn(&mut Settings, &str) -> Result<(), value::Refusal>;

/// One setting: its name, whether `…_file` may hold it, and where its text goes.
struct Setting {
    name: &'static str,
    secret: bool,
    put: Put,
}

const fn setting(name: &'static str, put: Put) -> Setting {
    Setting {
        name,
        secret: false,
        put,
    }
}

const fn secret(name: &'static str, put: Put) -> Setting {
    Setting {
        name,
        secret: true,
        put,
    }
}

/// Every setting there is.
fn settings() -> impl Iterator<Item = &'static Setting> + Clone {
    let parts = [SETTINGS, http::SETTINGS, mail::SETTINGS, compat::SETTINGS];
    parts
        .into_iter()
        .flatten()
        .chain(traces::SETTINGS)
        .chain(retention::SETTINGS)
        .chain(cluster::SETTINGS)
}

/// The settings of the server itself.
const SETTINGS: &[Setting] = &[
    secret("database", |s, text| value::database(text).map(|v| s.database = v)),
    setting("listen", |s, text| value::listen(text).map(|v| s.listen = v)),
    setting("public_url", |s, text| {
        value::public_url(text).map(|v| s.public_url = Some(v))
    }),
    setting("trusted_proxies", |s, text| {
        value::list(text).map(|v| s.trusted_proxies = v)
    }),
    secret("secret_key", |s, text| {
        value::secret_key(text).map(|v| s.secret_key = Some(v))
    }),
    secret("admin_password", |s, text| {
        value::password(text).map(|v| s.admin_password = Some(v))
    }),
    setting("log_format", |s, text| {
        value::log_format(text).map(|v| s.log_format = v)
    }),
    setting("log_level", |s, text| value::log_level(text).map(|v| s.log_level = v)),
    setting("dns", |s, text| value::dns(text).map(|v| s.dns = Some(v))),
    setting("session_lifetime", |s, text| {
        value::span(text).map(|v| s.session_lifetime = v)
    }),
    setting("body_limit", |s, text| {
        value::size(text).and_then(fits).map(|v| s.limits.body_limit = v)
    }),
    setting("import_limit", |s, text| {
        value::size(text).map(|v| s.limits.import_limit = v)
    }),
    setting("header_read_timeout", |s, text| {
        value::span(text).map(|v| s.limits.header_read_timeout = v)
    }),
    setting("body_read_timeout", |s, text| {
        value::span(text).map(|v| s.limits.body_read_timeout = v)
    }),
    setting("idle_timeout", |s, text| {
        value::span(text).map(|v| s.limits.idle_timeout = v)
    }),
    setting("request_timeout", |s, text| {
        value::span(text).map(|v| s.limits.request_timeout = v)
    }),
    setting("max_connections", |s, text| {
        value::count(text, 1, 1_000_000).map(|v| s.limits.max_connections = v)
    }),
    setting("max_streams", |s, text| {
        value::count(text, 1, 1_000_000).map(|v| s.limits.max_streams = v)
    }),
    setting("shutdown_grace", |s, text| {
        value::span(text).map(|v| s.limits.shutdown_grace = v)
    }),
];

fn fits(bytes: u64) -> Result<usize, value::Refusal> {
    usize::try_from(bytes).map_err(|_| "is larger than this machine can address".into())
}

impl Settings {
    /// The settings of this process: the file named by `--config` or `CAMPANILE_CONFIG`, the environment, the flags.
    ///
    /// # Errors
    /// [`ConfigError`], naming the setting.
    pub fn load(flags: Flags) -> Result<Self, ConfigError> {
        let named = match &flags.config {
            Some(path) => Some((path.clone(), "--config")),
            None => variable("CAMPANILE_CONFIG").map(|path| (path.into(), "CAMPANILE_CONFIG")),
        };
        let file = named.map(|(path, origin)| read(path, origin)).transpose()?;
        Self::from_sources(file.as_deref(), &variable, flags)
    }

    /// The settings out of a file's text, an environment and flags; reads nothing but the files named by `…_FILE`.
    ///
    /// # Errors
    /// [`ConfigError`] for the first setting that cannot be used.
    pub fn from_sources(
        file: Option<&str>,
        env: &dyn Fn(&str) -> Option<String>,
        flags: Flags,
    ) -> Result<Self, ConfigError> {
        let Flags {
            database,
            listen,
            log_format,
            config: _,
        } = flags;
        let file = file.map(file::entries).transpose()?.unwrap_or_default();
        let in_file = |key: &str| file.iter().find(|(name, _)| name == key).map(|(_, text)| text.clone());
        let mut settings = Self::default();
        for setting in self::settings() {
            let twin = environment::twin(setting.name);
            settings.put_of_system(setting, env);
            settings.put(setting, &in_file, setting.name, "_file", "settings file")?;
            settings.put(setting, env, &twin, "_FILE", &format!("environment {twin}"))?;
            let flag = match setting.name {
                "database" => database.as_deref(),
                "listen" => listen.as_deref(),
                "log_format" => log_format.as_deref(),
                _ => None,
            };
            if let Some(text) = flag {
                settings.set(setting, text, &format!("flag --{}", setting.name.replace('_', "-")))?;
            }
        }
        Ok(settings)
    }

    /// Takes what the system says of proxies, to every program: weaker than anything that is said to this one, and left
    /// out where it is of no use here; [`unknown_variables`] tells of that.
    fn put_of_system(&mut self, setting: &Setting, env: &dyn Fn(&str) -> Option<String>) {
        if let Some(text) = http::of_system(setting.name).iter().find_map(|name| env(name)) {
            let _ = (setting.put)(self, &text);
        }
    }

    /// Takes one setting from one source, directly or out of the file that the source names.
    fn put(
        &mut self,
        setting: &Setting,
        source: &dyn Fn(&str) -> Option<String>,
        key: &str,
        suffix: &str,
        origin: &str,
    ) -> Result<(), ConfigError> {
        let direct = source(key);
        let by_file = if setting.secret {
            source(&format!("{key}{suffix}"))
        } else {
            None
        };
        match (direct, by_file) {
            (None, None) => Ok(()),
            (Some(text), None) => self.set(setting, &text, origin),
            (None, Some(path)) => {
                let text = read(path.into(), &format!("{} ({origin}{suffix})", setting.name))?;
                self.set(
                    setting,
                    text.trim_end_matches(['\r', '\n']),
                    &format!("{origin}{suffix}"),
                )
            }
            (Some(_), Some(_)) => Err(ConfigError::Value {
                setting: setting.name,
                origin: origin.to_owned(),
                reason: format!("give either `{key}` or `{key}{suffix}`, not both"),
            }),
        }
    }

    fn set(&mut self, setting: &Setting, text: &str, origin: &str) -> Result<(), ConfigError> {
        (setting.put)(self, text).map_err(|reason| ConfigError::Value {
            setting: setting.name,
            origin: origin.to_owned(),
            reason,
        })
    }

    /// What people type to get here, without a slash at the end; by default `http://` and the address that the
    /// listener really has (which matters for port 0).
    #[must_use]
    pub fn origin(&self, bound: SocketAddr) -> String {
        self.public_url.clone().unwrap_or_else(|| format!("http://{bound}"))
    }

    /// The key of a server: `Ok(None)` tells to keep one beside the embedded database.
    ///
    /// # Errors
    /// [`ConfigError::Needed`] with PostgreSQL and no key: servers that share a database must share the key.
    pub fn server_key(&self) -> Result<Option<&Secret>, ConfigError> {
        if self.secret_key.is_none() && !self.database.is_embedded() {
            return Err(ConfigError::Needed {
                setting: "secret_key",
                reason: "with PostgreSQL it must be given, the same to every server: set CAMPANILE_SECRET_KEY, or \
                         CAMPANILE_SECRET_KEY_FILE, to 32 bytes or more (`openssl rand -hex 32` makes them)",
            });
        }
        Ok(self.secret_key.as_ref())
    }
}

fn read(path: PathBuf, origin: &str) -> Result<String, ConfigError> {
    std::fs::read_to_string(&path).map_err(|error| ConfigError::Unreadable {
        origin: origin.to_owned(),
        path,
        reason: error.to_string(),
    })
}

#[cfg(test)]
mod tests;
