//! Settings of traces.

use super::value::Refusal;
use super::{Setting, setting};

/// Where traces go, and how many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traces {
    /// A collector's address for OTLP over HTTP, such as `http://127.0.0.1:4318/v1/traces`; `None`: nothing is traced.
    pub collector: Option<String>,
    /// Of a million requests, so many are traced; others that a proxy traces are traced whatever this says.
    pub share: u32,
}

impl Default for Traces {
    fn default() -> Self {
        Self {
            collector: None,
            share: MILLION,
        }
    }
}

const MILLION: u32 = 1_000_000;

/// The settings of this part.
pub(super) const SETTINGS: &[Setting] = &[
    setting("traces", |s, text| {
        collector(text).map(|v| s.traces.collector = Some(v))
    }),
    setting("traces_share", |s, text| share(text).map(|v| s.traces.share = v)),
];

fn collector(text: &str) -> Result<String, Refusal> {
    let wrong = || "must be http://HOST:PORT/v1/traces, or with https".to_owned();
    let uri: http::Uri = text.parse().map_err(|_| wrong())?;
    let is_http = matches!(uri.scheme_str(), Some("http" | "https"));
    let has_host = uri
        .authority()
        .is_some_and(|at| !at.host().is_empty() && !at.as_str().contains('@'));
    if is_http && has_host && text.is_ascii() {
        Ok(text.to_owned())
    } else {
        Err(wrong())
    }
}

fn share(text: &str) -> Result<u32, Refusal> {
    let share: Option<f64> = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    let share = share.ok_or("must be a number from 0 to 1, such as 0.05")?;
    Ok((share * f64::from(MILLION)).round() as u32)
}
