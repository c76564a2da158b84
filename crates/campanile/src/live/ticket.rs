//! A ticket opens one stream within half a minute: a browser cannot send headers with an event stream, and what stays
//! good for longer does not belong into an address.
//!
//! Signed rather than stored, so that any server of the installation takes it; each takes it once.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use campanile_core::id::PersonId;
use campanile_core::secret::{self, InstallationKey, Random};
use campanile_core::time::Moment;

use crate::auth::{Principal, Via};

/// How long a ticket is good.
pub(crate) const LIFETIME_MS: i64 = 30_000;
/// What the signature is for.
const LABEL: &str = "live ticket";
/// Bytes of a signature.
const SIGNATURE: usize = 32;
/// Characters of the name of a site.
const SITE: usize = 32;
/// Bytes before the name of session, token or site and key: person, end, nonce, kind.
const HEAD: usize = 25;
/// Tickets that were used and are not over yet. With so many, none is taken until some are.
const SPENT: usize = 100_000;

/// Tickets that were used and could be used again.
#[derive(Debug, Default)]
pub(crate) struct Spent(Mutex<HashMap<[u8; 8], i64>>);

/// A ticket for somebody, and when it ends. `None` for a ticket of the UI messages contract, which opens no stream.
pub(crate) fn write(
    key: &InstallationKey,
    principal: &Principal,
    random: &Random,
    now: Moment,
) -> Option<(String, Moment)> {
    let (kind, name) = match &principal.via {
        Via::Session(id) => (1, id.clone()),
        Via::Token(id) => (2, id.clone()),
        Via::Basic => (3, String::new()),
        Via::Site { site, key } => (4, format!("{site}{key}")),
        Via::Ticket => return None,
    };
    let until = now.plus_ms(LIFETIME_MS);
    let mut bytes = Vec::with_capacity(HEAD + name.len() + SIGNATURE);
    bytes.extend_from_slice(&principal.person.0.to_be_bytes());
    bytes.extend_from_slice(&until.0.to_be_bytes());
    bytes.extend_from_slice(&random[..8]);
    bytes.push(kind);
    bytes.extend_from_slice(name.as_bytes());
    let signature = key.derive(LABEL, &[&bytes]);
    bytes.extend_from_slice(&signature);
    Some((URL_SAFE_NO_PAD.encode(bytes), until))
}

impl Spent {
    /// Whose ticket it is, the first time, while it is good. What it names may have ended meanwhile.
    pub(crate) fn take(&self, key: &InstallationKey, ticket: &str, now: Moment) -> Option<Principal> {
        let bytes = URL_SAFE_NO_PAD.decode(ticket).ok()?;
        let (signed, signature) = bytes.split_at_checked(bytes.len().checked_sub(SIGNATURE)?)?;
        if !secret::same(&key.derive(LABEL, &[signed]), signature) {
            return None;
        }
        let (head, name) = signed.split_at_checked(HEAD)?;
        let number = |at: usize| i64::from_be_bytes(head[at..at + 8].try_into().expect("eight bytes"));
        let (person, until) = (PersonId(number(0)), number(8));
        let nonce: [u8; 8] = head[16..24].try_into().expect("eight bytes");
        let name = std::str::from_utf8(name).ok()?.to_owned();
        let via = match head[24] {
            1 => Via::Session(name),
            2 => Via::Token(name),
            3 => Via::Basic,
            4 => {
                let (site, key) = name.split_at_checked(SITE)?;
                Via::Site {
                    site: site.to_owned(),
                    key: key.to_owned(),
                }
            }
            _ => return None,
        };
        let mut spent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if spent.len() >= SPENT {
            spent.retain(|_, until| *until > now.0);
        }
        if until <= now.0 || spent.len() >= SPENT || spent.insert(nonce, until).is_some() {
            return None;
        }
        Some(Principal {
            person,
            via,
            address: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(seed: u8) -> InstallationKey {
        InstallationKey::from_text(&InstallationKey::new_text(&[seed; 32])).unwrap()
    }

    fn principal() -> Principal {
        Principal {
            person: PersonId(7),
            via: Via::Session("abc".into()),
            address: None,
        }
    }

    #[test]
    fn a_ticket_is_good_once() {
        let spent = Spent::default();
        let (ticket, _) = write(&key(1), &principal(), &[3; 32], Moment(1_000)).unwrap();
        assert_eq!(spent.take(&key(1), &ticket, Moment(2_000)), Some(principal()));
        assert_eq!(spent.take(&key(1), &ticket, Moment(2_000)), None);
    }

    #[test]
    fn one_of_a_site_names_site_and_key() {
        let (site, key_id) = ("a".repeat(32), "b".repeat(32));
        let by = Principal {
            via: Via::Site { site, key: key_id },
            ..principal()
        };
        let (ticket, _) = write(&key(1), &by, &[3; 32], Moment(1_000)).unwrap();
        assert_eq!(Spent::default().take(&key(1), &ticket, Moment(2_000)), Some(by));
    }

    #[test]
    fn it_is_over_after_half_a_minute() {
        let spent = Spent::default();
        let (ticket, until) = write(&key(1), &principal(), &[3; 32], Moment(1_000)).unwrap();
        assert_eq!(until, Moment(31_000));
        assert_eq!(spent.take(&key(1), &ticket, Moment(31_000)), None);
    }

    #[test]
    fn a_changed_or_foreign_one_is_none() {
        let spent = Spent::default();
        let (ticket, _) = write(&key(1), &principal(), &[3; 32], Moment(1_000)).unwrap();
        assert_eq!(spent.take(&key(2), &ticket, Moment(2_000)), None);
        let mut bytes = URL_SAFE_NO_PAD.decode(&ticket).unwrap();
        bytes[7] = 8;
        assert_eq!(spent.take(&key(1), &URL_SAFE_NO_PAD.encode(bytes), Moment(2_000)), None);
        for nothing in ["", "AAAA", "\u{e9}", &"A".repeat(4_000)] {
            assert_eq!(spent.take(&key(1), nothing, Moment(2_000)), None, "{nothing}");
        }
    }

    #[test]
    fn a_ticket_of_the_other_contract_opens_none() {
        let by = Principal {
            via: Via::Ticket,
            ..principal()
        };
        assert_eq!(write(&key(1), &by, &[3; 32], Moment(0)), None);
    }
}
