//! Settings of a server that is one of several: behind a load balancer, on one PostgreSQL.

use std::time::Duration;

use campanile_store::Options;

use super::value::{self, DatabaseUrl, Refusal};
use super::{Setting, Settings, secret, setting};

/// How a server gets on with others beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// How long a server that was told to stop says so and goes on serving, so that a load balancer sends nothing more
    /// by the time it really stops.
    pub drain_delay: Duration,
    /// Whether a pooler stands before PostgreSQL that gives a connection for one transaction.
    pub database_pooled: bool,
    /// Where PostgreSQL's notifications are heard, where that is not the database's own URL.
    pub database_listen: Option<DatabaseUrl>,
}

impl Default for Cluster {
    fn default() -> Self {
        Self {
            drain_delay: Duration::from_secs(1),
            database_pooled: false,
            database_listen: None,
        }
    }
}

/// The settings of this part.
pub(super) const SETTINGS: &[Setting] = &[
    setting("drain_delay", |s, text| delay(text).map(|v| s.cluster.drain_delay = v)),
    setting("database_pooled", |s, text| {
        value::flag(text).map(|v| s.cluster.database_pooled = v)
    }),
    secret("database_listen", |s, text| {
        listen(text).map(|v| s.cluster.database_listen = Some(v))
    }),
];

impl Settings {
    /// How the database of these settings is opened.
    #[must_use]
    pub fn database_options(&self) -> Options {
        Options {
            pooled: self.cluster.database_pooled,
            listen: self.cluster.database_listen.as_ref().map(|url| url.expose().to_owned()),
            ..Options::new(self.database.expose())
        }
    }
}

fn listen(text: &str) -> Result<DatabaseUrl, Refusal> {
    let url = value::database(text).ok().filter(|url| !url.is_embedded());
    url.ok_or_else(|| "must be postgres://USER:PASSWORD@HOST/NAME".into())
}

/// A span of time that may be none.
fn delay(text: &str) -> Result<Duration, Refusal> {
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    value::span(text).map_err(|reason| format!("{reason}, or 0"))
}
