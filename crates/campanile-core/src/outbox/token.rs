//! Names that only we can make: of mails, of their bounces, of who unsubscribes. Pure, derived from the installation's
//! key.

use crate::id::{MessageId, PersonId};
use crate::secret::{InstallationKey, hex, same};

/// Bytes of a code that nobody guesses: 2^128 tries.
const CODE_BYTES: usize = 16;
/// Bytes of the code in a return path, where the place before the `@` has 64: a forged bounce is no break-in.
const SHORT_CODE_BYTES: usize = 8;

/// Hexadecimal digits of a token to unsubscribe.
pub const TOKEN_LENGTH: usize = 2 * (8 + CODE_BYTES);

/// The token by which a person unsubscribes from all mail of this installation that is not critical (decision 36). It
/// does not expire, since mails do not; upper and lower case are one, since mail systems change it.
#[must_use]
pub fn unsubscribe(key: &InstallationKey, person: PersonId) -> String {
    let code = key.derive("mail unsubscribe", &[&person.0.to_be_bytes()]);
    format!("{:016x}{}", person.0, hex(&code[..CODE_BYTES]))
}

/// Whose token it is; `None` for one that this installation never gave out.
#[must_use]
pub fn unsubscriber(key: &InstallationKey, token: &str) -> Option<PersonId> {
    let token = token.to_ascii_lowercase();
    let person = token
        .get(..16)
        .and_then(|digits| i64::from_str_radix(digits, 16).ok())
        .map(PersonId)?;
    same(unsubscribe(key, person).as_bytes(), token.as_bytes()).then_some(person)
}

/// The `Message-ID` of a message to a person, without its brackets: the same at every try, so that readers' programs
/// and mail systems know a mail that comes twice.
#[must_use]
pub fn message_id(key: &InstallationKey, message: MessageId, person: PersonId, domain: &str) -> String {
    let code = short_code(key, "mail id", message, person);
    format!("{message}.{person}.{code}@{domain}")
}

/// Which mail has a `Message-ID`; `None` if it is none of ours. Without brackets.
#[must_use]
pub fn mailed(key: &InstallationKey, id: &str) -> Option<Bounced> {
    let (local, domain) = id.rsplit_once('@')?;
    let mut parts = local.split('.');
    let message = MessageId(parts.next()?.parse().ok()?);
    let person = PersonId(parts.next()?.parse().ok()?);
    let ours = message_id(key, message, person, domain);
    same(ours.as_bytes(), id.as_bytes()).then_some(Bounced { message, person })
}

/// The return path of a mail: what bounces tells itself whose it is.
#[must_use]
pub fn return_path(key: &InstallationKey, message: MessageId, person: PersonId, domain: &str) -> String {
    let code = short_code(key, "mail bounce", message, person);
    format!("b+{message}.{person}.{code}@{domain}")
}

/// A mail that came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounced {
    /// The message.
    pub message: MessageId,
    /// To whom it was sent.
    pub person: PersonId,
}

/// Which mail came back to an address; `None` if we never sent one from there.
#[must_use]
pub fn bounced(key: &InstallationKey, address: &str) -> Option<Bounced> {
    let (local, domain) = address.rsplit_once('@')?;
    let local = local.to_ascii_lowercase();
    let mut parts = local.strip_prefix("b+")?.split('.');
    let message = MessageId(parts.next()?.parse().ok()?);
    let person = PersonId(parts.next()?.parse().ok()?);
    let ours = return_path(key, message, person, domain);
    let ours = ours.rsplit_once('@').map(|(ours, _)| ours)?;
    same(ours.as_bytes(), local.as_bytes()).then_some(Bounced { message, person })
}

fn short_code(key: &InstallationKey, label: &str, message: MessageId, person: PersonId) -> String {
    let code = key.derive(label, &[&message.0.to_be_bytes(), &person.0.to_be_bytes()]);
    hex(&code[..SHORT_CODE_BYTES])
}

/// Stands in a written letter where each reader's token will: of the same length and digits, and not to be guessed by
/// who types the letter.
#[must_use]
pub fn marker(key: &InstallationKey, message: MessageId) -> String {
    let code = key.derive("mail marker", &[&message.0.to_be_bytes()]);
    hex(&code[..TOKEN_LENGTH / 2])
}

/// What separates the parts of a letter; as little to be guessed.
#[must_use]
pub fn boundary(key: &InstallationKey, message: MessageId, kind: &str) -> String {
    let code = key.derive("mail boundary", &[kind.as_bytes(), &message.0.to_be_bytes()]);
    format!("={}", hex(&code[..CODE_BYTES]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(letter: &str) -> InstallationKey {
        InstallationKey::from_text(&letter.repeat(32)).unwrap()
    }

    #[test]
    fn a_token_says_who_it_is_and_only_to_its_installation() {
        let token = unsubscribe(&key("a"), PersonId(42));
        assert_eq!(token.len(), TOKEN_LENGTH);
        assert_eq!(unsubscriber(&key("a"), &token), Some(PersonId(42)));
        assert_eq!(unsubscriber(&key("a"), &token.to_ascii_uppercase()), Some(PersonId(42)));
        assert_eq!(unsubscriber(&key("b"), &token), None);
        for at in 0..token.len() {
            let mut forged = token.clone().into_bytes();
            forged[at] = if forged[at] == b'0' { b'1' } else { b'0' };
            assert_eq!(
                unsubscriber(&key("a"), std::str::from_utf8(&forged).unwrap()),
                None,
                "{at}"
            );
        }
        for odd in ["", "é", &token[1..], &format!("{token}0"), &"é".repeat(24)] {
            assert_eq!(unsubscriber(&key("a"), odd), None, "{odd}");
        }
    }

    #[test]
    fn a_bounce_is_known_by_its_address() {
        let (message, person) = (MessageId(2_147_483_647), PersonId(2_147_483_647));
        let path = return_path(&key("a"), message, person, "bounce.example.com");
        assert!(path.split_once('@').unwrap().0.len() <= 64, "{path}");
        assert_eq!(bounced(&key("a"), &path), Some(Bounced { message, person }));
        assert_eq!(
            bounced(&key("a"), &path.to_ascii_uppercase()),
            Some(Bounced { message, person })
        );
        assert_eq!(bounced(&key("b"), &path), None);
        for odd in ["", "b+1.2@x", "b+1.2.00@x", "x@y", &path.replace("b+2", "b+1")] {
            assert_eq!(bounced(&key("a"), odd), None, "{odd}");
        }
    }

    #[test]
    fn a_message_id_is_the_same_at_every_try_and_differs_between_readers() {
        let id = |message, person| message_id(&key("a"), MessageId(message), PersonId(person), "example.com");
        assert_eq!(id(1, 2), id(1, 2));
        assert!(id(1, 2) != id(2, 1) && id(1, 2) != id(1, 3));
        assert!(id(1, 2).starts_with("1.2.") && id(1, 2).ends_with("@example.com"));
        let (message, person) = (MessageId(1), PersonId(2));
        assert_eq!(mailed(&key("a"), &id(1, 2)), Some(Bounced { message, person }));
        assert_eq!(mailed(&key("b"), &id(1, 2)), None);
        assert_eq!(mailed(&key("a"), &id(1, 2).replace("1.2.", "1.3.")), None);
    }
}
