//! Settings of the console messaging contract: where this server answers otherwise than the one that its clients were
//! written for, and they may notice (`docs/compatibility.md`).

use super::value::{self, Refusal};
use super::{Setting, setting};

/// How the console messaging contract is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Compat {
    /// `API_SUBSCRIBERS` are those of any subscription, and not of valid ones alone.
    pub any_subscribers: bool,
    /// A message by POST is answered when its first try is over, also where the client does not ask for it.
    pub http_wait: bool,
}

/// The settings of this part.
pub(super) const SETTINGS: &[Setting] = &[
    setting("compat_api_subscribers", |s, text| {
        any_subscribers(text).map(|v| s.compat.any_subscribers = v)
    }),
    setting("compat_http_wait", |s, text| {
        value::flag(text).map(|v| s.compat.http_wait = v)
    }),
];

fn any_subscribers(text: &str) -> Result<bool, Refusal> {
    match text {
        "valid" => Ok(false),
        "any" => Ok(true),
        _ => Err("must be valid or any".into()),
    }
}
