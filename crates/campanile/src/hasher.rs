//! Slow hashes off the threads that serve: two at a time, few that wait, and a short memory of Basic pairs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use campanile_core::account::password;
use campanile_core::secret::Random;
use campanile_core::time::Moment;
use ring::hmac;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::problem::{Kind, Problem};

/// Hashes at once: 19 MiB and a processor each.
const AT_ONCE: usize = 2;
/// Those that may wait for a place; at some 50 ms each, the last one waits about a second and a half.
const WAITING: usize = 64;
/// The longest that one of them waits.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a verified pair is remembered (decision 32).
const MEMORY_MS: i64 = 60_000;
/// Pairs that are remembered.
const ROOM: usize = 10_000;

/// Computes and verifies slow hashes.
pub struct Hasher {
    places: Arc<Semaphore>,
    waiting: Semaphore,
    patience: Duration,
    memory: Mutex<HashMap<[u8; 32], Moment>>,
    /// Of this process alone: what is remembered cannot be looked for with a list of words.
    key: hmac::Key,
}

impl Hasher {
    /// A hasher; the random bytes are the key of its memory.
    #[must_use]
    pub fn new(random: &Random) -> Self {
        Self {
            places: Arc::new(Semaphore::new(AT_ONCE)),
            waiting: Semaphore::new(WAITING),
            patience: PATIENCE,
            memory: Mutex::default(),
            key: hmac::Key::new(hmac::HMAC_SHA256, random),
        }
    }

    /// A place to hash at. Taken before the throttle is asked, so that of many guesses sent at once only so many are
    /// looked at before the first of them counts. 503 when too many wait.
    pub async fn place(&self) -> Result<Place, Problem> {
        let _waiting = self.waiting.try_acquire().map_err(|_| busy())?;
        let place = tokio::time::timeout(self.patience, Arc::clone(&self.places).acquire_owned()).await;
        let place = place.map_err(|_| busy())?;
        Ok(Place {
            _permit: place.expect("this semaphore is never closed"),
        })
    }

    /// Whether this pair of password and PHC string was verified within the last minute. A new password has another
    /// PHC string, so what is remembered of the old one is void at once, on every server.
    #[must_use]
    pub fn remembers(&self, password: &str, phc: &str, now: Moment) -> bool {
        let memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        memory.get(&self.pair(password, phc)).is_some_and(|until| now < *until)
    }

    /// Remembers a verified pair.
    pub fn remember(&self, password: &str, phc: &str, now: Moment) {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        if memory.len() >= ROOM {
            memory.retain(|_, until| now < *until);
        }
        if memory.len() >= ROOM {
            memory.clear();
        }
        memory.insert(self.pair(password, phc), now.plus_ms(MEMORY_MS));
    }

    fn pair(&self, password: &str, phc: &str) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(&(phc.len() as u64).to_be_bytes());
        context.update(phc.as_bytes());
        context.update(password.as_bytes());
        let mut pair = [0; 32];
        pair.copy_from_slice(context.sign().as_ref());
        pair
    }
}

/// One of the few places to hash at.
#[derive(Debug)]
pub struct Place {
    _permit: OwnedSemaphorePermit,
}

impl Place {
    /// The PHC string of a password.
    pub async fn hash(self, password: String, salt: [u8; 16]) -> Result<String, Problem> {
        self.work(move || password::hash(&password, &salt))
            .await
            .map(|(hash, _)| hash)
    }

    /// Whether a password is that of a PHC string; where there is none, it takes as long to say no. Gives the place
    /// back, so that the outcome can be counted before the next one is looked at.
    pub async fn verify(self, password: String, phc: Option<String>) -> Result<(bool, Self), Problem> {
        self.work(move || {
            let is_right = password::verify(&password, phc.as_deref().unwrap_or(password::DUMMY_PHC));
            // The dummy is nobody's, whatever the password is.
            is_right && phc.is_some()
        })
        .await
    }

    /// Slow work that is a hash in the main. The place goes with the work: a client that hangs up does not make room
    /// for one more.
    pub async fn work<T: Send + 'static>(
        self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<(T, Self), Problem> {
        let work = tokio::task::spawn_blocking(move || (work(), self));
        work.await.map_err(Problem::internal)
    }
}

fn busy() -> Problem {
    Problem {
        retry_after: Some(1),
        ..Problem::new(
            Kind::Unavailable,
            "too many people are signing in at this moment; try again",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_hash_verifies_against_its_password_alone() {
        let hasher = Hasher::new(&[1; 32]);
        let phc = hasher
            .place()
            .await
            .unwrap()
            .hash("a fine password".into(), [2; 16])
            .await
            .unwrap();
        let place = hasher.place().await.unwrap();
        let (right, place) = place.verify("a fine password".into(), Some(phc.clone())).await.unwrap();
        let (wrong, place) = place.verify("another password".into(), Some(phc)).await.unwrap();
        let (nobody, _) = place.verify("a fine password".into(), None).await.unwrap();
        assert_eq!([right, wrong, nobody], [true, false, false]);
    }

    #[tokio::test]
    async fn two_hash_a_few_wait_and_the_rest_is_sent_away() {
        let hasher = Hasher::new(&[1; 32]);
        let (first, _second) = (hasher.place().await.unwrap(), hasher.place().await.unwrap());
        let mut waiting: Vec<_> = (0..WAITING).map(|_| Box::pin(hasher.place())).collect();
        for place in &mut waiting {
            assert!(futures_util::poll!(place).is_pending());
        }
        let sent_away = hasher.place().await.unwrap_err();
        assert_eq!((sent_away.kind, sent_away.retry_after), (Kind::Unavailable, Some(1)));
        drop(first);
        assert!(waiting.remove(0).await.is_ok());
    }

    #[tokio::test]
    async fn nobody_waits_for_ever() {
        let hasher = Hasher {
            patience: Duration::ZERO,
            ..Hasher::new(&[1; 32])
        };
        let _places = (hasher.place().await.unwrap(), hasher.place().await.unwrap());
        assert_eq!(hasher.place().await.unwrap_err().kind, Kind::Unavailable);
    }

    #[test]
    fn a_pair_is_remembered_for_a_minute_and_for_its_hash_alone() {
        let hasher = Hasher::new(&[1; 32]);
        hasher.remember("password", "phc", Moment(0));
        assert!(hasher.remembers("password", "phc", Moment(59_999)));
        assert!(!hasher.remembers("password", "phc", Moment(60_000)));
        assert!(!hasher.remembers("password", "another phc", Moment(0)));
        assert!(!hasher.remembers("another password", "phc", Moment(0)));
        assert!(!hasher.remembers("cpassword", "ph", Moment(0)));
    }

    #[test]
    fn memory_is_bounded() {
        let hasher = Hasher::new(&[1; 32]);
        for at in 0..=ROOM {
            hasher.remember(&at.to_string(), "phc", Moment(0));
        }
        assert!(hasher.memory.lock().unwrap().len() <= ROOM);
        assert!(hasher.remembers(&ROOM.to_string(), "phc", Moment(0)));
    }
}
