//! Signatures of posted messages: Standard Webhooks 1.0.0, HMAC-SHA256. Pure.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use campanile_core::outbox::signing::SigningSecret;
use ring::hmac;

/// The value of `webhook-signature`: `v1,` and the base64 of an HMAC over `id.seconds.body`, one for each secret, so
/// that the old one and the new one are both good while they change. `None` without a secret.
///
/// `id` holds no dot, `seconds` are those of the attempt since 1970, `body` is every byte that is sent.
#[must_use]
pub fn signature(secrets: &[SigningSecret], id: &str, seconds: i64, body: &[u8]) -> Option<String> {
    debug_assert!(!id.contains('.'), "a dot would let two messages have one signature");
    let before = format!("{id}.{seconds}.");
    let signatures: Vec<_> = secrets
        .iter()
        .map(|secret| {
            let key = hmac::Key::new(hmac::HMAC_SHA256, secret.bytes());
            let mut context = hmac::Context::with_key(&key);
            context.update(before.as_bytes());
            context.update(body);
            format!("v1,{}", STANDARD.encode(context.sign()))
        })
        .collect();
    (!signatures.is_empty()).then(|| signatures.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> SigningSecret {
        SigningSecret::parse(text).unwrap()
    }

    #[test]
    fn the_example_of_the_standards_libraries_is_signed_as_they_do() {
        let secret = secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let signed = signature(
            &[secret],
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(
            signed.as_deref(),
            Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
        );
    }

    #[test]
    fn each_secret_signs_and_none_signs_nothing() {
        let [old, new] = [1, 2].map(|byte| SigningSecret::new(&[byte; 32]));
        let one = |secret: &SigningSecret| signature(std::slice::from_ref(secret), "msg_1", 7, b"x").unwrap();
        let both = signature(&[new.clone(), old.clone()], "msg_1", 7, b"x").unwrap();
        assert_eq!(both, format!("{} {}", one(&new), one(&old)));
        assert_eq!(signature(&[], "msg_1", 7, b"x"), None);
    }
}
