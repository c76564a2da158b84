//! Settings of a server that is one of several: behind a load balancer, on one PostgreSQL.

use std::time::Duration;

use super::value::{self, Refusal};
use super::{Setting, setting};

/// How a server gets on with others beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// How long a server that was told to stop says so and goes on serving, so that a load balancer sends nothing more
    /// by the time it really stops.
    pub drain_delay: Duration,
}

impl Default for Cluster {
    fn default() -> Self {
        Self {
            drain_delay: Duration::from_secs(1),
        }
    }
}

/// The settings of this part.
pub(super) const SETTINGS: &[Setting] = &[setting("drain_delay", |s, text| {
    delay(text).map(|v| s.cluster.drain_delay = v)
})];

/// A span of time that may be none.
fn delay(text: &str) -> Result<Duration, Refusal> {
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    value::span(text).map_err(|reason| format!("{reason}, or 0"))
}
