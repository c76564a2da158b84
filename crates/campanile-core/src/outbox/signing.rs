//! The secrets that sign posted messages: Standard Webhooks 1.0.0, `whsec_` and base64 of 24 to 64 bytes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::secret::Random;

/// What the text of a secret begins with.
pub const PREFIX: &str = "whsec_";
/// Bytes of a secret.
const BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// A secret that a target and this server share. `Debug` does not print it.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningSecret(Vec<u8>);

impl SigningSecret {
    /// Reads `whsec_…`. The refusal says what would be right, and never repeats the text.
    ///
    /// # Errors
    /// The reason, for the field that held it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let bytes = text.strip_prefix(PREFIX).and_then(|rest| STANDARD.decode(rest).ok());
        bytes
            .filter(|bytes| BYTES.contains(&bytes.len()))
            .map(Self)
            .ok_or_else(|| "must be whsec_ and the base64 of 24 to 64 bytes; leave it out to have one made".to_owned())
    }

    /// A new one, of 32 bytes.
    #[must_use]
    pub fn new(random: &Random) -> Self {
        Self(random.to_vec())
    }

    /// `whsec_…`: shown once, when it is made, and sealed before it is stored.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{PREFIX}{}", STANDARD.encode(&self.0))
    }

    /// The key of the HMAC.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningSecret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_secret_is_read_back() {
        let secret = SigningSecret::new(&[7; 32]);
        assert_eq!(SigningSecret::parse(&secret.text()), Ok(secret.clone()));
        assert!(!format!("{secret:?}").contains('B'));
    }

    #[test]
    fn only_the_standards_form_and_lengths_are_secrets() {
        let of = |bytes: usize| format!("whsec_{}", STANDARD.encode(vec![1; bytes]));
        assert!(SigningSecret::parse(&of(24)).is_ok() && SigningSecret::parse(&of(64)).is_ok());
        for not in [
            of(23),
            of(65),
            of(32).replace("whsec_", ""),
            "whsec_ä".to_owned(),
            String::new(),
        ] {
            let refusal = SigningSecret::parse(&not).unwrap_err();
            assert!(
                refusal.starts_with("must be whsec_") && !refusal.contains("AQEB"),
                "{not}"
            );
        }
    }
}
