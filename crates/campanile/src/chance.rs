//! The one source of randomness. Everything else gets it as bytes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use campanile_core::secret::{Random, sha256};
use ring::rand::{SecureRandom, SystemRandom};

/// Random bytes: the system's, or in a test those of a seed. Clones of a seeded one go on where the other is.
#[derive(Debug, Clone)]
pub struct Chance(Source);

#[derive(Debug, Clone)]
enum Source {
    System(SystemRandom),
    Seeded(u64, Arc<AtomicU64>),
}

impl Chance {
    /// The system's.
    #[must_use]
    pub fn system() -> Self {
        #[expect(clippy::disallowed_methods, reason = "the one place that makes randomness")]
        let source = SystemRandom::new();
        Self(Source::System(source))
    }

    /// A sequence that is the same for the same seed: for tests alone, since who knows the seed knows every secret.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self(Source::Seeded(seed, Arc::default()))
    }

    /// The system's randomness in the form in which ring wants it: to hide a key's timing, to make keys, and to sign
    /// with curves.
    #[must_use]
    pub fn blinding() -> SystemRandom {
        #[expect(clippy::disallowed_methods, reason = "the one place that makes randomness")]
        SystemRandom::new()
    }

    /// The next 32 bytes.
    ///
    /// # Panics
    /// When the system has no randomness: nothing that follows would be safe.
    #[must_use]
    pub fn bytes(&self) -> Random {
        match &self.0 {
            Source::System(system) => {
                let mut bytes = [0; 32];
                system.fill(&mut bytes).expect("the system gives random bytes");
                bytes
            }
            Source::Seeded(seed, count) => {
                let at = count.fetch_add(1, Ordering::Relaxed);
                let mut input = seed.to_be_bytes().to_vec();
                input.extend_from_slice(&at.to_be_bytes());
                sha256(&input)
            }
        }
    }

    /// A number below a limit of at least 1, each about as likely as another.
    #[must_use]
    pub fn below(&self, limit: u64) -> u64 {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&self.bytes()[..8]);
        u64::from_le_bytes(bytes) % limit
    }

    /// The next 16 bytes, as a salt of a password.
    #[must_use]
    pub fn salt(&self) -> [u8; 16] {
        let mut salt = [0; 16];
        salt.copy_from_slice(&self.bytes()[..16]);
        salt
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_its_sequence() {
        let (one, other) = (Chance::seeded(1), Chance::seeded(1));
        let first = one.bytes();
        assert_eq!(first, other.bytes());
        let second = one.clone().bytes();
        assert_ne!(first, second);
        assert_eq!(second, other.bytes());
        assert_ne!(first, Chance::seeded(2).bytes());
    }

    #[test]
    fn the_system_does_not_repeat_itself() {
        let chance = Chance::system();
        assert_ne!(chance.bytes(), chance.bytes());
        assert_ne!(chance.salt(), chance.salt());
    }
}
