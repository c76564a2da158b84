//! DKIM (RFC 6376, RFC 8463): who signed a mail, and that nobody changed it since.
//!
//! Ours rather than lettre's: ring, which is here already, signs several times faster than the RSA crate that lettre
//! would bring, which also leaks its timing (RUSTSEC-2023-0071).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use campanile_core::secret::sha256;
use campanile_core::time::Moment;
use ring::rand::SystemRandom;
use ring::rsa::KeyPair as RsaKeyPair;
use ring::signature::{Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;

use crate::chance::Chance;

/// The headers that are signed, where a mail has them. RFC 8058 wants both of unsubscribing among them.
const SIGNED: [&str; 13] = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "MIME-Version",
    "Content-Type",
    "Auto-Submitted",
    "Importance",
    "List-Id",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "Precedence",
];

/// Signs for a domain.
#[derive(Debug)]
pub struct Signer {
    domain: String,
    selector: String,
    key: Key,
    random: SystemRandom,
}

#[derive(Debug)]
enum Key {
    Rsa(Box<RsaKeyPair>),
    Ed25519(Ed25519KeyPair),
}

impl Signer {
    /// A signer with a private key in PEM: RSA of 2048 bits or more (PKCS #1 or #8), or Ed25519 (PKCS #8).
    ///
    /// # Errors
    /// What is wrong with the key; nothing of the key itself.
    pub fn new(domain: &str, selector: &str, pem: &str) -> Result<Self, String> {
        let wrong = "must be a private key in PEM: RSA of 2048 to 4096 bits (`openssl genrsa 2048`), or Ed25519 \
                     (`openssl genpkey -algorithm ed25519`)";
        let key = match PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| wrong)? {
            PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der())
                .ok()
                .map(Box::new)
                .map(Key::Rsa),
            PrivateKeyDer::Pkcs8(der) => {
                let der = der.secret_pkcs8_der();
                let rsa = RsaKeyPair::from_pkcs8(der).ok().map(Box::new).map(Key::Rsa);
                rsa.or_else(|| Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).ok().map(Key::Ed25519))
            }
            _ => None,
        };
        Ok(Self {
            domain: domain.to_owned(),
            selector: selector.to_owned(),
            key: key.ok_or(wrong)?,
            random: Chance::blinding(),
        })
    }

    /// Whether a signature takes about a millisecond.
    #[must_use]
    pub const fn is_slow(&self) -> bool {
        matches!(self.key, Key::Rsa(_))
    }

    /// Where the public key has to stand, and what has to stand there: a name of the DNS and its TXT record.
    #[must_use]
    pub fn record(&self) -> (String, String) {
        let (kind, public) = match &self.key {
            Key::Rsa(pair) => ("rsa", subject_public_key(pair.public().as_ref())),
            Key::Ed25519(pair) => ("ed25519", pair.public_key().as_ref().to_vec()),
        };
        let name = format!("{}._domainkey.{}", self.selector, self.domain);
        (name, format!("v=DKIM1; k={kind}; p={}", STANDARD.encode(public)))
    }

    /// The header line that signs a mail, to stand before all others. `head` has its lines with CRLF and no empty one
    /// at its end; `at` is the time in the signature.
    #[must_use]
    pub fn sign(&self, head: &str, body: &[u8], at: Moment) -> String {
        let fields = fields(head);
        let signed: Vec<&(&str, &str)> = SIGNED
            .iter()
            .filter_map(|name| fields.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)))
            .collect();
        let names: Vec<&str> = signed.iter().map(|(name, _)| *name).collect();
        let algorithm = match self.key {
            Key::Rsa(_) => "rsa-sha256",
            Key::Ed25519(_) => "ed25519-sha256",
        };
        let line = format!(
            "v=1; a={algorithm}; c=relaxed/relaxed; d={}; s={};\r\n t={}; h={};\r\n bh={};\r\n b=",
            self.domain,
            self.selector,
            at.0.div_euclid(1_000),
            names.join(":\r\n  "),
            STANDARD.encode(sha256(&relaxed_body(body))),
        );
        let mut input = String::with_capacity(2048);
        for (name, value) in signed {
            relaxed_header(&mut input, name, value);
            input.push_str("\r\n");
        }
        relaxed_header(&mut input, "DKIM-Signature", &line);
        let signature = STANDARD.encode(self.signature(input.as_bytes()));
        let pieces: Vec<&str> = (0..signature.len())
            .step_by(72)
            .map(|at| &signature[at..signature.len().min(at + 72)])
            .collect();
        format!("DKIM-Signature: {line}{}\r\n", pieces.join("\r\n  "))
    }

    fn signature(&self, input: &[u8]) -> Vec<u8> {
        match &self.key {
            Key::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &self.random, input, &mut signature)
                    .expect("the key was checked, and the place is as long as its modulus");
                signature
            }
            // RFC 8463: Ed25519 signs the hash.
            Key::Ed25519(pair) => pair.sign(&sha256(input)).as_ref().to_vec(),
        }
    }
}

/// The fields of a head: name, and value with its folds.
fn fields(head: &str) -> Vec<(&str, &str)> {
    let mut fields = Vec::new();
    let mut rest = head;
    while !rest.is_empty() {
        let mut end = 0;
        loop {
            end += rest[end..].find("\r\n").map_or(rest.len() - end, |at| at + 2);
            if !rest[end..].starts_with([' ', '\t']) {
                break;
            }
        }
        if let Some((name, value)) = rest[..end].split_once(':') {
            fields.push((name, value));
        }
        rest = &rest[end..];
    }
    fields
}

/// RFC 6376, section 3.4.2, without the final CRLF.
fn relaxed_header(out: &mut String, name: &str, value: &str) {
    out.push_str(&name.trim().to_ascii_lowercase());
    out.push(':');
    let mut is_first = true;
    for word in value.split([' ', '\t', '\r', '\n']).filter(|word| !word.is_empty()) {
        if !std::mem::take(&mut is_first) {
            out.push(' ');
        }
        out.push_str(word);
    }
}

/// RFC 6376, section 3.4.4.
fn relaxed_body(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() + 2);
    // Bytes up to the end of the last line that was not empty.
    let mut kept = 0;
    for line in body.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let start = out.len();
        let mut space = false;
        for byte in line {
            if matches!(byte, b' ' | b'\t') {
                space = true;
                continue;
            }
            if std::mem::take(&mut space) {
                out.push(b' ');
            }
            out.push(*byte);
        }
        let is_empty = out.len() == start;
        out.extend_from_slice(b"\r\n");
        if !is_empty {
            kept = out.len();
        }
    }
    out.truncate(kept);
    out
}

/// An RSA key as X.509 has it (`SubjectPublicKeyInfo`), which is what the DNS record holds.
fn subject_public_key(pkcs1: &[u8]) -> Vec<u8> {
    // rsaEncryption with NULL parameters.
    const ALGORITHM: [u8; 15] = [0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 1, 1, 5, 0];
    let mut bits = vec![0];
    bits.extend_from_slice(pkcs1);
    let mut inside = ALGORITHM.to_vec();
    inside.extend_from_slice(&der(3, &bits));
    der(0x30, &inside)
}

/// Tag, length, content.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let length = &length[length.iter().take_while(|byte| **byte == 0).count()..];
    let mut out = vec![tag];
    if content.len() >= 0x80 {
        out.push(0x80 | length.len() as u8);
    }
    out.extend_from_slice(length);
    out.extend_from_slice(content);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 6376, section 3.4.5.
    #[test]
    fn relaxed_is_that_of_the_rfc() {
        let mut out = String::new();
        for (name, value) in fields("A: X\r\nB : Y\t\r\n\tZ  \r\n") {
            relaxed_header(&mut out, name, value);
            out.push_str("\r\n");
        }
        assert_eq!(out, "a:X\r\nb:Y Z\r\n");
        assert_eq!(relaxed_body(b" C \r\nD \t E\r\n\r\n\r\n"), b" C\r\nD E\r\n");
        assert_eq!(relaxed_body(b"\r\n\r\n"), b"");
        assert_eq!(relaxed_body(b"no line break"), b"no line break\r\n");
    }

    #[test]
    fn what_is_no_key_is_refused_without_being_repeated() {
        for wrong in [
            "",
            "geheim",
            "-----BEGIN PRIVATE KEY-----\nZ2VoZWlt\n-----END PRIVATE KEY-----\n",
        ] {
            let told = Signer::new("example.com", "s", wrong).unwrap_err();
            assert!(told.contains("openssl") && !told.contains("geheim"), "{told}");
        }
    }
}
