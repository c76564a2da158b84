//! Secrets at rest: header values, signing secrets. AES-256-GCM under a key of its own for each text.
//!
//! The key is derived from the secret of the installation, the purpose and a random salt, so that neither the number of
//! texts nor a repeated nonce is ever a question. A text that was sealed for one purpose opens for no other.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::secret::{InstallationKey, Random};

/// The first byte: how the rest is to be read.
const VERSION: u8 = 1;
const SALT: usize = 16;
const HEAD: usize = 1 + SALT + NONCE_LEN;

/// The text, sealed: version, salt, nonce, ciphertext and tag; 45 bytes longer than the text. `purpose` names what it
/// is (`post headers`), and `of` whose it is (a URL, an id that is known before the row is written): both must be the
/// same when it is opened.
#[must_use]
pub fn seal(key: &InstallationKey, purpose: &str, of: &str, text: &[u8], random: &Random) -> Vec<u8> {
    let (salt, rest) = random.split_at(SALT);
    let nonce = &rest[..NONCE_LEN];
    let mut out = Vec::with_capacity(HEAD + text.len() + AES_256_GCM.tag_len());
    out.push(VERSION);
    out.extend_from_slice(salt);
    out.extend_from_slice(nonce);
    let mut secret = text.to_vec();
    aead(key, purpose, salt)
        .seal_in_place_append_tag(nonce_of(nonce), Aad::from(of.as_bytes()), &mut secret)
        .expect("a text of ours is far below the limit of AES-GCM");
    out.append(&mut secret);
    out
}

/// The text again; `None` where it was sealed by another installation, for another purpose or owner, or was changed.
#[must_use]
pub fn open(key: &InstallationKey, purpose: &str, of: &str, sealed: &[u8]) -> Option<Vec<u8>> {
    let (head, secret) = sealed.split_at_checked(HEAD)?;
    let (salt, nonce) = head.strip_prefix(&[VERSION])?.split_at(SALT);
    let mut secret = secret.to_vec();
    let text = aead(key, purpose, salt)
        .open_in_place(nonce_of(nonce), Aad::from(of.as_bytes()), &mut secret)
        .ok()?
        .len();
    secret.truncate(text);
    Some(secret)
}

fn aead(key: &InstallationKey, purpose: &str, salt: &[u8]) -> LessSafeKey {
    let bytes = key.derive("seal", &[purpose.as_bytes(), salt]);
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &bytes).expect("a key of 32 bytes"))
}

fn nonce_of(bytes: &[u8]) -> Nonce {
    Nonce::try_assume_unique_for_key(bytes).expect("twelve bytes, as cut")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> InstallationKey {
        InstallationKey::from_text(&text.repeat(32)).unwrap()
    }

    #[test]
    fn what_was_sealed_opens_with_the_same_words_alone() {
        let key = key("k");
        let sealed = seal(&key, "post headers", "a", b"Bearer secret", &[7; 32]);
        assert_eq!(
            open(&key, "post headers", "a", &sealed).as_deref(),
            Some(&b"Bearer secret"[..])
        );
        assert_eq!(open(&key, "signing secret", "a", &sealed), None);
        assert_eq!(open(&key, "post headers", "b", &sealed), None);
        assert_eq!(open(&super::tests::key("other"), "post headers", "a", &sealed), None);
    }

    #[test]
    fn nothing_of_the_text_is_to_be_seen_and_its_length_is_known() {
        let sealed = seal(&key("k"), "p", "", b"Bearer secret", &[7; 32]);
        assert_eq!(sealed.len(), b"Bearer secret".len() + 45);
        assert!(!sealed.windows(6).any(|part| part == b"secret"));
        assert_ne!(sealed, seal(&key("k"), "p", "", b"Bearer secret", &[8; 32]));
    }

    #[test]
    fn a_changed_byte_opens_nothing() {
        let key = key("k");
        let sealed = seal(&key, "p", "", b"text", &[7; 32]);
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(open(&key, "p", "", &changed), None, "byte {at}");
            assert_eq!(open(&key, "p", "", &sealed[..at]), None, "cut at {at}");
        }
    }

    #[test]
    fn an_empty_text_is_a_text() {
        let sealed = seal(&key("k"), "p", "", b"", &[7; 32]);
        assert_eq!(open(&key("k"), "p", "", &sealed), Some(Vec::new()));
    }
}
