//! Tokens of RFC 7519 in the compact form of RFC 7515, taken apart, checked and put together. Pure.
//!
//! Written out because it is two algorithms: `ring`, `base64` and `serde_json` are here, and of a library for all of
//! JOSE what would be used is less than what would have to be switched off. Which algorithm a signature is checked by
//! is said by the key, never by the token.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde::de::DeserializeOwned;

/// What a signature is checked with.
#[derive(Clone, Copy)]
pub(crate) enum Key<'k> {
    /// HMAC with SHA-256, by a secret.
    Hs256(&'k [u8]),
    /// ECDSA on P-256 with SHA-256, by an uncompressed point.
    Es256(&'k [u8]),
}

/// A token taken apart. What it says is to be believed once [`Parts::is_signed_by`] has said so.
pub(crate) struct Parts<'t> {
    signed: &'t str,
    header: Vec<u8>,
    claims: Vec<u8>,
    signature: Vec<u8>,
}

/// Takes a token apart; `None` for what is none, or is longer than `limit` characters.
#[must_use]
pub(crate) fn parts(token: &str, limit: usize) -> Option<Parts<'_>> {
    let (signed, signature) = token.rsplit_once('.').filter(|_| token.len() <= limit)?;
    let (header, claims) = signed.split_once('.')?;
    let read = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
    Some(Parts {
        signed,
        header: read(header)?,
        claims: read(claims)?,
        signature: read(signature)?,
    })
}

impl Parts<'_> {
    /// The header; `None` where it is no such JSON.
    #[must_use]
    pub(crate) fn header<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&self.header).ok()
    }

    /// The claims; `None` where they are no such JSON.
    #[must_use]
    pub(crate) fn claims<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&self.claims).ok()
    }

    /// Whether the signature is this key's. In a time that does not tell how much of it is right.
    #[must_use]
    pub(crate) fn is_signed_by(&self, key: Key<'_>) -> bool {
        let (signed, signature) = (self.signed.as_bytes(), &self.signature);
        match key {
            Key::Hs256(secret) => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
                hmac::verify(&key, signed, signature).is_ok()
            }
            Key::Es256(point) => {
                let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
                key.verify(signed, signature).is_ok()
            }
        }
    }
}

/// A token with the signature that `sign` makes of what is to be signed.
#[must_use]
pub(crate) fn signed<S: AsRef<[u8]>>(header: &[u8], claims: &[u8], sign: impl FnOnce(&[u8]) -> S) -> String {
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let signature = URL_SAFE_NO_PAD.encode(sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}

/// The signature of HS256.
#[must_use]
pub(crate) fn hs256(secret: &[u8], signed: &[u8]) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), signed)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// RFC 7515, appendix A.1.
    const HS256: &str = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.\
        eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.\
        dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const SECRET: &str = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    /// RFC 7515, appendix A.3.
    const ES256: &str = "eyJhbGciOiJFUzI1NiJ9.\
        eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.\
        DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    const X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
    const Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";

    fn decoded(text: &str) -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(text).unwrap()
    }

    fn point() -> Vec<u8> {
        [&[4], &decoded(X)[..], &decoded(Y)].concat()
    }

    #[test]
    fn the_examples_of_the_standard_are_good() {
        let hs256 = parts(HS256, 1_000).unwrap();
        assert!(hs256.is_signed_by(Key::Hs256(&decoded(SECRET))));
        assert_eq!(hs256.header::<Value>().unwrap()["alg"], "HS256");
        let es256 = parts(ES256, 1_000).unwrap();
        assert!(es256.is_signed_by(Key::Es256(&point())));
        assert_eq!(es256.claims::<Value>().unwrap()["iss"], "joe");
    }

    #[test]
    fn what_we_sign_is_the_example_again() {
        let read = parts(HS256, 1_000).unwrap();
        let made = signed(&read.header, &read.claims, |signed| hs256(&decoded(SECRET), signed));
        assert_eq!(made, HS256);
    }

    #[test]
    fn another_key_another_algorithm_and_another_text_are_refused() {
        let (hs256, es256) = (parts(HS256, 1_000).unwrap(), parts(ES256, 1_000).unwrap());
        assert!(!hs256.is_signed_by(Key::Hs256(b"another")));
        assert!(!hs256.is_signed_by(Key::Es256(&point())));
        assert!(!es256.is_signed_by(Key::Hs256(&point())));
        let mut other = point();
        other[9] ^= 1;
        assert!(!es256.is_signed_by(Key::Es256(&other)));
        assert!(!es256.is_signed_by(Key::Es256(b"")));
        for token in [HS256, ES256] {
            let changed = token.replacen("eyJpc3MiOiJqb2Ui", "eyJpc3MiOiJqb2Ei", 1);
            let changed = parts(&changed, 1_000).unwrap();
            assert!(!changed.is_signed_by(Key::Hs256(&decoded(SECRET))) && !changed.is_signed_by(Key::Es256(&point())));
        }
    }

    #[test]
    fn what_has_not_three_parts_of_base64url_is_none() {
        let padded = format!("{HS256}=");
        let of_four = format!("{HS256}.e30");
        for text in ["", ".", "..x", "a.b", "e30.e30.!", &padded, &of_four] {
            let is_one = parts(text, 1_000).is_some_and(|parts| parts.header::<Value>().is_some());
            assert!(!is_one, "{text}");
        }
        assert!(parts(HS256, HS256.len()).is_some() && parts(HS256, HS256.len() - 1).is_none());
    }

    proptest::proptest! {
        #[test]
        fn a_token_of_which_anything_was_changed_is_not_signed(
            at: proptest::sample::Index, by in "[A-Za-z0-9_.-]{0,2}",
        ) {
            let at = at.index(HS256.len());
            let changed = format!("{}{by}{}", &HS256[..at], &HS256[at + 1..]);
            let (signed, signature) = HS256.rsplit_once('.').expect("three parts");
            if let Some(parts) = parts(&changed, 1_000).filter(|_| changed != HS256) {
                // The last character of base64 has bits that say nothing; a decoder that takes them would be one more.
                let same = changed.starts_with(signed) && parts.signature == decoded(signature);
                proptest::prop_assert!(same || !parts.is_signed_by(Key::Hs256(&decoded(SECRET))), "{changed}");
            }
        }

        #[test]
        fn whatever_comes_as_a_token_is_taken_apart_or_is_none(text in "[ -~]{0,60}", dots in 0_usize..5) {
            let text = format!("{text}{}", ".".repeat(dots));
            if let Some(parts) = parts(&text, 60) {
                proptest::prop_assert!(text.len() <= 60 && text.matches('.').count() == 2, "{text}");
                proptest::prop_assert_eq!(parts.signed.matches('.').count(), 1);
            }
        }
    }
}
