//! A push message so that its device alone can read it: RFC 8291, one record of RFC 8188. Pure, but for a key pair that
//! is made for each message.

use campanile_core::secret::Random;
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::agreement::{ECDH_P256, EphemeralPrivateKey, UnparsedPublicKey, agree_ephemeral};
use ring::hmac;

use crate::chance::Chance;

/// Bytes of a text at most: what is left of the 4,096 that a push service has to take (RFC 8291, section 4).
pub const TEXT_MAX: usize = 3_993;

const RECORD: u32 = 4_096;
const SALT: usize = 16;

/// The body of the request: head and one record; `None` where the device's key is no point of the curve, or the text is
/// too long. The salt is of `random`.
#[must_use]
pub fn encrypted(p256dh: &[u8], auth: &[u8], text: &[u8], random: &Random) -> Option<Vec<u8>> {
    let own = EphemeralPrivateKey::generate(&ECDH_P256, &Chance::blinding()).ok()?;
    let public = own.compute_public_key().ok()?;
    let device = UnparsedPublicKey::new(&ECDH_P256, p256dh);
    let salt = &random[..SALT];
    agree_ephemeral(own, &device, |shared| {
        record(shared, public.as_ref(), p256dh, auth, salt, text)
    })
    .ok()?
}

/// With the secret that both ends agreed on.
fn record(shared: &[u8], own: &[u8], device: &[u8], auth: &[u8], salt: &[u8], text: &[u8]) -> Option<Vec<u8>> {
    if text.len() > TEXT_MAX {
        return None;
    }
    let combined = derived(auth, shared, &[b"WebPush: info\0", device, own]);
    let key = derived(salt, combined.as_ref(), &[b"Content-Encoding: aes128gcm\0"]);
    let nonce = derived(salt, combined.as_ref(), &[b"Content-Encoding: nonce\0"]);
    let mut secret = text.to_vec();
    // The mark of the last record; without padding.
    secret.push(2);
    let key = UnboundKey::new(&AES_128_GCM, &key.as_ref()[..16]).ok()?;
    let nonce = Nonce::try_assume_unique_for_key(&nonce.as_ref()[..NONCE_LEN]).ok()?;
    LessSafeKey::new(key)
        .seal_in_place_append_tag(nonce, Aad::empty(), &mut secret)
        .ok()?;
    let mut out = Vec::with_capacity(salt.len() + 5 + own.len() + secret.len());
    out.extend_from_slice(salt);
    out.extend_from_slice(&RECORD.to_be_bytes());
    out.push(u8::try_from(own.len()).ok()?);
    out.extend_from_slice(own);
    out.append(&mut secret);
    Some(out)
}

/// HKDF with SHA-256 (RFC 5869), of one block.
fn derived(salt: &[u8], secret: &[u8], info: &[&[u8]]) -> hmac::Tag {
    let extracted = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, salt), secret);
    let mut expand = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, extracted.as_ref()));
    for part in info {
        expand.update(part);
    }
    expand.update(&[1]);
    expand.sign()
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    fn bytes(text: &str) -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(text).unwrap()
    }

    const DEVICE: &str = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
    const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";

    #[test]
    fn the_example_of_the_standard_is_written_byte_for_byte() {
        // RFC 8291, section 5 and appendix A.
        let shared = bytes("kyrL1jIIOHEzg3sM2ZWRHDRB62YACZhhSlknJ672kSs");
        let own = bytes("BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8");
        let salt = bytes("DGv6ra1nlYgDCS1FRnbzlw");
        let text = b"When I grow up, I want to be a watermelon";
        let written = record(&shared, &own, &bytes(DEVICE), &bytes(AUTH), &salt, text).unwrap();
        let expected = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLoc\
                        InmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLV\
                        WGNWQexSgSxsj_Qulcy4a-fN";
        assert_eq!(URL_SAFE_NO_PAD.encode(written), expected);
    }

    #[test]
    fn a_text_has_a_limit_and_a_key_is_a_point() {
        let (device, auth) = (bytes(DEVICE), bytes(AUTH));
        let longest = encrypted(&device, &auth, &[b'x'; TEXT_MAX], &[7; 32]).unwrap();
        assert_eq!(longest.len(), 4_096);
        assert_eq!(encrypted(&device, &auth, &[b'x'; TEXT_MAX + 1], &[7; 32]), None);
        assert_eq!(encrypted(&[4; 65], &auth, b"text", &[7; 32]), None);
    }
}
