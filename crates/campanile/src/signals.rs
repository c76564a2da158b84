//! Waiting for what a commit announces, here or on another server.

use std::sync::Arc;

use campanile_store::Signal;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

/// What a task hears.
pub(crate) type Signals = Receiver<Arc<[Signal]>>;

/// Waits for a signal, or for word that something was done elsewhere and nobody says what; `false` when there will be
/// none any more.
pub(crate) async fn heard(signals: &mut Signals, is_wanted: impl Fn(&Signal) -> bool) -> bool {
    loop {
        match signals.recv().await {
            Ok(some) if some.is_empty() || some.iter().any(&is_wanted) => return true,
            Ok(_) => {}
            // Which ones were missed is not known.
            Err(RecvError::Lagged(_)) => return true,
            Err(RecvError::Closed) => return false,
        }
    }
}
