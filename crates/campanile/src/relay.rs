//! The mail relay as this server sees it: whether it takes mail. Told by the task that sends; shown to whoever waits,
//! and on `/ready`, where it weighs nothing: what waits is safe, and everything else works.

use campanile_core::time::Moment;
use serde::Serialize;
use tokio::sync::watch;

/// Why mails wait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = RelayTrouble)]
pub struct Trouble {
    /// The same as a sentence, for people.
    pub said: String,
    /// Why, as the relay or the network says it.
    pub reason: String,
    /// No mail was taken since.
    pub since: Moment,
    /// The relay is tried again then.
    pub next_try_at: Moment,
}

/// A try takes no longer than this (see the times of the settings); trouble that nobody has seen for longer is old.
const FRESH_MS: i64 = 15 * 60 * 1_000;

/// What is known of the relay.
#[derive(Debug, Default)]
pub struct Relay(watch::Sender<Option<Trouble>>);

impl Relay {
    /// It takes no mail, and is left alone for a while.
    pub fn fails(&self, reason: &str, now: Moment, next_try_at: Moment) {
        self.0.send_modify(|known| {
            let since = known.as_ref().map_or(now, |known| known.since);
            *known = Some(Trouble {
                said: format!("waiting for the mail relay since {since}: {reason}; it is tried again at {next_try_at}"),
                reason: reason.to_owned(),
                since,
                next_try_at,
            });
        });
    }

    /// It answers.
    pub fn works(&self) {
        self.0.send_if_modified(|known| known.take().is_some());
    }

    /// What is wrong with it, as far as is known now.
    #[must_use]
    pub fn trouble(&self, now: Moment) -> Option<Trouble> {
        let known = self.0.borrow();
        known
            .as_ref()
            .filter(|known| now < known.next_try_at.plus_ms(FRESH_MS))
            .cloned()
    }

    /// Tells when that changes.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<Option<Trouble>> {
        self.0.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_begins_once_and_ends_with_an_answer() {
        let relay = Relay::default();
        assert_eq!(relay.trouble(Moment(0)), None);
        relay.fails(
            "the relay cannot be reached: connection refused",
            Moment(1_000),
            Moment(2_000),
        );
        relay.fails("the relay closed the connection", Moment(2_000), Moment(4_000));
        let trouble = relay.trouble(Moment(2_000)).unwrap();
        assert_eq!((trouble.since, trouble.next_try_at), (Moment(1_000), Moment(4_000)));
        assert_eq!(
            trouble.said,
            "waiting for the mail relay since 1970-01-01T00:00:01Z: the relay closed the connection; it is tried \
             again at 1970-01-01T00:00:04Z"
        );
        relay.works();
        assert_eq!(relay.trouble(Moment(2_000)), None);
    }

    #[test]
    fn trouble_that_nobody_has_looked_at_for_long_is_not_told() {
        let relay = Relay::default();
        relay.fails("the relay closed the connection", Moment(0), Moment(1_000));
        assert!(relay.trouble(Moment(1_000 + FRESH_MS - 1)).is_some());
        assert_eq!(relay.trouble(Moment(1_000 + FRESH_MS)), None);
    }
}
