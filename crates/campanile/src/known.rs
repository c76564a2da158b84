//! Tokens and sessions that were found good a moment ago, so that a client that asks often is not looked up each time.
//!
//! What is remembered stands only while nothing was revoked, closed or changed in the directory since (see
//! [`Db::changes`](campanile_store::Db::changes)), and for half a minute at most. Where other servers write to the same
//! database nothing is remembered: a revocation there must hold here at once.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use campanile_core::revision::topic;
use campanile_core::secret::Hash;
use campanile_core::time::Moment;
use campanile_store::Signal;

use crate::app::App;
use crate::auth::Principal;

/// Credentials that are remembered at most; about 3 MB.
const ROOM: usize = 16_384;
/// How long one is remembered.
const KEEP_MS: i64 = 30_000;

/// The remembered ones, by the hash of their secret.
#[derive(Debug, Default)]
pub struct Known(RwLock<HashMap<Hash, Kept>>);

#[derive(Debug)]
struct Kept {
    principal: Principal,
    changes: u64,
    until: Moment,
}

/// The state on which what is remembered rests. Read before the look-up that is to be remembered.
#[must_use]
pub fn state(app: &App) -> Option<u64> {
    let any = |topic| Signal {
        topic,
        key: Signal::ANY,
    };
    app.db.changes(&[any(topic::DIRECTORY), any(topic::ACCESS)])
}

impl Known {
    /// Who showed this secret a moment ago, if that still stands.
    #[must_use]
    pub fn get(&self, secret: &Hash, state: Option<u64>, now: Moment) -> Option<Principal> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let kept = known.get(secret)?;
        (state == Some(kept.changes) && now < kept.until).then(|| kept.principal.clone())
    }

    /// Remembers who showed a secret. `expires_at` is the secret's own end.
    pub fn put(&self, secret: &Hash, principal: &Principal, state: Option<u64>, expires_at: Moment, now: Moment) {
        let Some(changes) = state else { return };
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= ROOM {
            known.clear();
        }
        let until = now.plus_ms(KEEP_MS).min(expires_at);
        known.insert(
            *secret,
            Kept {
                principal: principal.clone(),
                changes,
                until,
            },
        );
    }
}
