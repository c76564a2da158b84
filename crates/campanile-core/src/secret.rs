//! Secrets and what is stored of them: pure functions over bytes. Chance comes in as 32 random bytes, time not at all.
//!
//! What a client holds (a session, a personal token, a ticket) has at least 122 bits of chance, so that its SHA-256 is
//! enough to store and to look it up by: there is nothing to guess, and no slow hash on the path of a request.

use ring::{digest, hmac};

use crate::error::{Error, Result};
use crate::id::PersonId;

/// 32 random bytes, from the one source of randomness of the server, or from a seed in a test.
pub type Random = [u8; 32];

/// What every personal token begins with, so that a leaked one is recognised. Holds no dot: a bearer with a dot is a
/// JWT (decision 31).
pub const TOKEN_PREFIX: &str = "cmp_";

/// Characters of 32 bytes in base 62.
const TEXT_LENGTH: usize = 43;
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Without those that are mistaken for one another: a generated password is read from a screen and typed.
const PLAIN_DIGITS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// Bytes of the shortest text that is taken for an installation's secret.
const SECRET_MIN: usize = 32;

/// SHA-256 of a secret, as stored.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hash([u8; 32]);

impl Hash {
    /// The hash of a secret's text.
    #[must_use]
    pub fn of(secret: &str) -> Self {
        Self(sha256(secret.as_bytes()))
    }

    /// As stored.
    #[must_use]
    pub const fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for Hash {
    /// Enough to tell two apart in a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Hash({}…)", hex(&self.0[..4]))
    }
}

/// SHA-256.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    out
}

/// Whether two texts of bytes are the same, in a time that depends on their lengths alone.
#[must_use]
pub fn same(a: &[u8], b: &[u8]) -> bool {
    let differing = a
        .iter()
        .zip(b)
        .fold(0, |bits, (a, b)| std::hint::black_box(bits | (a ^ b)));
    a.len() == b.len() && differing == 0
}

/// Lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
            for digit in [byte >> 4, byte & 15] {
                out.push(char::from(b"0123456789abcdef"[usize::from(digit)]));
            }
            out
        })
}

/// 32 bytes as 43 letters and digits.
#[must_use]
pub fn base62(bytes: &Random) -> String {
    let mut number = *bytes;
    let mut out = [DIGITS[0]; TEXT_LENGTH];
    for digit in out.iter_mut().rev() {
        // Long division of the whole number by 62; the remainder is the next digit.
        let mut rest = 0_u16;
        for byte in &mut number {
            let value = (rest << 8) | u16::from(*byte);
            *byte = (value / 62) as u8;
            rest = value % 62;
        }
        *digit = DIGITS[usize::from(rest)];
    }
    out.iter().copied().map(char::from).collect()
}

/// A personal token: `cmp_` and 43 letters and digits.
#[must_use]
pub fn token_text(random: &Random) -> String {
    format!("{TOKEN_PREFIX}{}", base62(random))
}

/// Whether a text has the shape of a personal token. What has not is refused without a look-up.
#[must_use]
pub fn is_token(text: &str) -> bool {
    text.strip_prefix(TOKEN_PREFIX).is_some_and(is_base62)
}

/// Whether a text has the shape of a session's secret. What has not is refused without a look-up.
#[must_use]
pub fn is_session(text: &str) -> bool {
    is_base62(text)
}

fn is_base62(text: &str) -> bool {
    text.len() == TEXT_LENGTH && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// A password for people to type: four groups of five from 32 signs, 100 bits.
#[must_use]
pub fn password_text(random: &Random) -> String {
    let signs: Vec<u8> = random[..20]
        .iter()
        .map(|byte| PLAIN_DIGITS[usize::from(byte % 32)])
        .collect();
    let groups = signs
        .chunks(5)
        .map(|group| group.iter().copied().map(char::from).collect::<String>());
    groups.collect::<Vec<_>>().join("-")
}

/// The name of something that only its owner lists (a session, a token): 32 hexadecimal digits. It is drawn from the
/// same chance as the secret and tells nothing about it.
#[must_use]
pub fn public_id(random: &Random) -> String {
    let mut input = b"campanile public id\0".to_vec();
    input.extend_from_slice(random);
    hex(&sha256(&input)[..16])
}

/// Whether a text has the shape of such a name. What has not is refused without a look-up.
#[must_use]
pub fn is_public_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Sixteen bytes as a GUID of version 4, upper-case, 8-4-4-4-12, as clients of the UI messages contract print it.
#[must_use]
pub fn guid(bytes: [u8; 16]) -> String {
    let mut bytes = bytes;
    bytes[6] = (bytes[6] & 0x0F) | 0x40;
    bytes[8] = (bytes[8] & 0x3F) | 0x80;
    let digits = hex(&bytes).to_ascii_uppercase();
    let parts = [
        &digits[..8],
        &digits[8..12],
        &digits[12..16],
        &digits[16..20],
        &digits[20..],
    ];
    parts.join("-")
}

/// The hash by which a ticket is stored and found, or `None` for what is not a GUID. Upper and lower case are one
/// (contract B, section 1.1).
#[must_use]
pub fn ticket_hash(ticket: &str) -> Option<Hash> {
    read_guid(ticket).map(|guid| Hash::of(&guid))
}

/// A GUID in either case (8-4-4-4-12) as it is stored, in upper case; `None` for what is none.
#[must_use]
pub fn read_guid(text: &str) -> Option<String> {
    let is_guid = text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        });
    is_guid.then(|| text.to_ascii_uppercase())
}

/// The secret of the installation, shared by all its servers. Everything that must be the same on each of them, and
/// unknown outside, is derived from it.
#[derive(Clone)]
pub struct InstallationKey([u8; 32]);

impl std::fmt::Debug for InstallationKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("InstallationKey(…)")
    }
}

impl InstallationKey {
    /// From the text of the setting `secret_key`, or of the file beside an embedded database: at least 32 bytes. White
    /// space around it does not count, so a file may end with a line break.
    pub fn from_text(text: &str) -> Result<Self> {
        let text = text.trim();
        if text.len() < SECRET_MIN {
            return Err(Error::field(
                "secret_key",
                format!("must have at least {SECRET_MIN} bytes"),
            ));
        }
        Ok(Self(sha256(text.as_bytes())))
    }

    /// A new secret's text, for that file: 64 hexadecimal digits.
    #[must_use]
    pub fn new_text(random: &Random) -> String {
        hex(random)
    }

    /// HMAC-SHA-256 of the parts under a label of its own for each use. Parts are told apart: no two lists of parts
    /// give the same input.
    #[must_use]
    pub fn derive(&self, label: &str, parts: &[&[u8]]) -> [u8; 32] {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.0);
        let mut context = hmac::Context::with_key(&key);
        for part in std::iter::once(label.as_bytes()).chain(parts.iter().copied()) {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut out = [0; 32];
        out.copy_from_slice(context.sign().as_ref());
        out
    }

    /// The auth ticket of a person, by the number of its renewal: the same on every server, and never stored.
    #[must_use]
    pub fn ticket(&self, person: PersonId, serial: i64) -> String {
        let bytes = self.derive("ticket", &[&person.0.to_be_bytes(), &serial.to_be_bytes()]);
        let mut first = [0; 16];
        first.copy_from_slice(&bytes[..16]);
        guid(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> InstallationKey {
        InstallationKey::from_text("0123456789abcdef0123456789abcdef\n").unwrap()
    }

    #[test]
    fn base_62_holds_every_bit() {
        assert_eq!(base62(&[0; 32]), "0".repeat(43));
        let mut one = [0; 32];
        one[31] = 62;
        assert_eq!(base62(&one), format!("{}10", "0".repeat(41)));
        // 2^256 - 1 in base 62, computed elsewhere.
        assert_eq!(base62(&[255; 32]), "yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1");
    }

    #[test]
    fn a_token_is_known_by_its_shape_and_has_no_dot() {
        let token = token_text(&[7; 32]);
        assert!(is_token(&token) && !token.contains('.'));
        assert!(!is_token(&token[1..]) && !is_token(&format!("{token}a")) && !is_token("cmp_"));
        assert!(!is_token(&token.replace('0', "é")));
    }

    #[test]
    fn a_secret_and_its_public_name_differ() {
        let random = [9; 32];
        let id = public_id(&random);
        assert_eq!(id.len(), 32);
        assert!(!hex(Hash::of(&base62(&random)).bytes()).contains(&id[..8]));
        assert!(!hex(&random).contains(&id[..8]));
    }

    #[test]
    fn tickets_are_guids_and_depend_on_everything() {
        let ticket = key().ticket(PersonId(7), 0);
        assert_eq!(ticket, ticket.to_ascii_uppercase());
        assert_eq!(&ticket[14..15], "4");
        assert!(ticket_hash(&ticket).is_some());
        assert_eq!(key().ticket(PersonId(7), 0), ticket);
        assert_ne!(key().ticket(PersonId(7), 1), ticket);
        assert_ne!(key().ticket(PersonId(8), 0), ticket);
        let other = InstallationKey::from_text("another secret of the same length").unwrap();
        assert_ne!(other.ticket(PersonId(7), 0), ticket);
    }

    #[test]
    fn a_ticket_is_found_in_either_case_and_only_as_a_guid() {
        let ticket = key().ticket(PersonId(7), 0);
        assert_eq!(ticket_hash(&ticket.to_ascii_lowercase()), ticket_hash(&ticket));
        for not in [
            "",
            "x",
            &ticket[1..],
            &ticket.replace('-', ""),
            &format!("{{{}}}", &ticket[2..]),
        ] {
            assert_eq!(ticket_hash(not), None, "{not}");
        }
    }

    #[test]
    fn derived_values_tell_labels_and_parts_apart() {
        let all = [
            key().derive("a", &[b"bc"]),
            key().derive("ab", &[b"c"]),
            key().derive("a", &[b"b", b"c"]),
            key().derive("a", &[b"bc", b""]),
        ];
        for (at, one) in all.iter().enumerate() {
            assert!(all[at + 1..].iter().all(|other| other != one));
        }
    }

    #[test]
    fn hmac_is_the_standard_one() {
        // Length-prefixed "x" under the SHA-256 of the key's text, computed elsewhere.
        let expected = "6f2956a7a7fe106f845089ff2d923bf4313df080809d7229e351286d8c290bde";
        assert_eq!(hex(&key().derive("x", &[])), expected);
    }

    #[test]
    fn a_short_secret_is_refused() {
        assert!(InstallationKey::from_text(&"x".repeat(31)).is_err());
        assert!(InstallationKey::from_text(&format!("{}\n", "x".repeat(31))).is_err());
    }

    #[test]
    fn sameness_is_exact() {
        assert!(same(b"abc", b"abc") && same(b"", b""));
        assert!(!same(b"abc", b"abd") && !same(b"abc", b"ab") && !same(b"", b"a"));
    }

    #[test]
    fn generated_passwords_are_long_and_legible() {
        let bytes: Vec<u8> = (0..32).collect();
        assert_eq!(password_text(&bytes.try_into().unwrap()), "abcde-fghij-kmnpq-rstuv");
    }
}
