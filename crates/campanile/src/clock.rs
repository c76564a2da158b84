//! The one reader of the time. Everything else gets it as a value.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use campanile_core::time::Moment;
use tokio::sync::watch;

/// The time of day: the system's, or in a test one that stands until it is advanced. Clones show the same time.
#[derive(Debug, Clone)]
pub struct Clock(Source);

#[derive(Debug, Clone)]
enum Source {
    System,
    Manual(Arc<watch::Sender<Moment>>),
}

impl Clock {
    /// The system's time.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands at a time.
    #[must_use]
    pub fn manual(start: Moment) -> Self {
        Self(Source::Manual(Arc::new(watch::Sender::new(start))))
    }

    /// What time it is.
    #[must_use]
    pub fn now(&self) -> Moment {
        match &self.0 {
            Source::System => {
                #[expect(clippy::disallowed_methods, reason = "the one place that looks at the clock")]
                let since = SystemTime::now().duration_since(UNIX_EPOCH);
                // A machine whose clock stands before 1970 has lost it.
                Moment(since.map_or(0, |since| since.as_millis() as i64))
            }
            Source::Manual(now) => *now.borrow(),
        }
    }

    /// Moves a manual clock on, and wakes who waits for it.
    ///
    /// # Panics
    /// On the system's clock: nobody can move that.
    pub fn advance(&self, by: Duration) {
        let Source::Manual(now) = &self.0 else {
            panic!("only a manual clock can be moved");
        };
        now.send_modify(|now| *now = now.plus_ms(by.as_millis() as i64));
    }

    /// Waits until a time has come; comes back at once where it has.
    ///
    /// The system's clock may be set while this waits, so who needs the time asks for it again afterwards.
    pub async fn until(&self, time: Moment) {
        match &self.0 {
            Source::System => {
                let ms = time.0.saturating_sub(self.now().0).max(0);
                tokio::time::sleep(Duration::from_millis(ms as u64)).await;
            }
            Source::Manual(now) => {
                let mut now = now.subscribe();
                // The sender lives as long as this clock does.
                let _ = now.wait_for(|now| *now >= time).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_stands_until_it_is_moved() {
        let clock = Clock::manual(Moment(5));
        let same = clock.clone();
        clock.advance(Duration::from_secs(1));
        assert_eq!(same.now(), Moment(1_005));
    }

    #[test]
    fn the_system_knows_that_1970_is_over() {
        assert!(Clock::system().now() > Moment(1_700_000_000_000));
    }

    #[tokio::test]
    async fn waiting_ends_when_the_time_has_come() {
        let clock = Clock::manual(Moment(0));
        let until = clock.until(Moment(1_000));
        let mut until = std::pin::pin!(until);
        assert!(futures_util::poll!(&mut until).is_pending());
        clock.advance(Duration::from_millis(999));
        assert!(futures_util::poll!(&mut until).is_pending());
        clock.advance(Duration::from_millis(1));
        until.await;
        clock.until(Moment(3)).await;
        Clock::system().until(Moment(3)).await;
    }
}
