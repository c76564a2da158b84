//! A person's own page: name, address, language, time zone.

use campanile_store::{Tx, sql};

use crate::error::{Error, Faults, Result};
use crate::id::{CustomerId, PersonId};
use crate::markup::breaks_line;
use crate::revision;
use crate::rights::AsmRole;
use crate::time::Moment;

/// Characters of the longest name.
pub const NAME_CHARS: usize = 200;
/// Bytes of the longest email address (RFC 5321: a path of 256 with its brackets).
pub const EMAIL_BYTES: usize = 254;
/// Bytes of the longest language tag (RFC 5646, section 4.4.1).
pub const LOCALE_BYTES: usize = 35;

sql! {
    FIND = "
        SELECT p.key, p.login, p.name, p.email, p.locale, p.zone, p.asm_role, p.guid, r.customer FROM person p
        JOIN life l ON l.kind = 1 AND l.object = p.id AND l.until = 9223372036854775807
        LEFT JOIN residence r ON r.person = p.id AND r.until = 9223372036854775807
        WHERE p.id = $1";
    STORE = "
        UPDATE person SET name = $2, name_key = $3, email = $4, email_key = $5, locale = $6, zone = $7, changed = $8
        WHERE id = $1";
}

/// What a person is to themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// The person.
    pub person: PersonId,
    /// The name that a directory file gives the person.
    pub key: String,
    /// The login as it is written.
    pub login: String,
    /// The display name.
    pub name: String,
    /// The email address.
    pub email: Option<String>,
    /// A language tag, such as `en` or `pt-BR`.
    pub locale: Option<String>,
    /// A time zone of the IANA data base, such as `Europe/Prague`.
    pub zone: Option<String>,
    /// The role in the UI messages contract.
    pub asm_role: AsmRole,
    /// The GUID in the UI messages contract (decision 25).
    pub guid: String,
    /// The customer.
    pub customer: Option<CustomerId>,
}

/// What is to change: the outer `None` leaves a field, the inner one clears it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// The display name.
    pub name: Option<String>,
    /// The email address.
    pub email: Option<Option<String>>,
    /// The language.
    pub locale: Option<Option<String>>,
    /// The time zone.
    pub zone: Option<Option<String>>,
}

/// An active person's profile.
pub fn find(tx: &mut Tx<'_>, person: PersonId) -> Result<Profile> {
    let profile = tx.first(&FIND, &[&person.0], |row| {
        Ok(Profile {
            person,
            key: row.get(0)?,
            login: row.get(1)?,
            name: row.get(2)?,
            email: row.get(3)?,
            locale: row.get(4)?,
            zone: row.get(5)?,
            asm_role: AsmRole::from_code(row.get(6)?),
            guid: row.get(7)?,
            customer: row.get::<Option<i64>>(8)?.map(CustomerId),
        })
    })?;
    profile.ok_or(Error::Missing("user"))
}

/// Changes a profile. An ordered write: what is kept of names and addresses in memory follows the revision. `Invalid`
/// names every field that cannot stay so.
pub fn change(tx: &mut Tx<'_>, person: PersonId, change: Change, now: Moment) -> Result<Profile> {
    // Locked before looking: somebody else may be changing the same person.
    tx.tally()?;
    let before = find(tx, person)?;
    let mut after = before.clone();
    let mut faults = Faults::default();
    if let Some(name) = change.name {
        name.trim().clone_into(&mut after.name);
        faults.require(
            is_name(&after.name),
            "name",
            format!("must have 1 to {NAME_CHARS} characters, on one line"),
        );
    }
    if let Some(email) = change.email {
        after.email = email.map(|email| email.trim().to_owned());
        let fits = after.email.as_deref().is_none_or(is_email);
        faults.require(fits, "email", "must be one address, such as ann@example.com");
    }
    if let Some(locale) = change.locale {
        after.locale = locale;
        let fits = after.locale.as_deref().is_none_or(is_locale);
        faults.require(fits, "locale", "must be a language tag, such as en or pt-BR");
    }
    if let Some(zone) = change.zone {
        let known = zone.as_deref().map(known_zone);
        faults.require(
            known != Some(None),
            "zone",
            "must be a time zone of the IANA data base, such as Europe/Prague",
        );
        after.zone = known.flatten();
    }
    faults.finish()?;
    if after != before {
        store(tx, &after, now)?;
    }
    Ok(after)
}

fn store(tx: &mut Tx<'_>, profile: &Profile, now: Moment) -> Result<()> {
    let stamp = revision::take(tx, now)?;
    let name_key = profile.name.to_lowercase();
    let email_key = profile.email.as_deref().map(str::to_lowercase);
    let Profile {
        person,
        name,
        email,
        locale,
        zone,
        ..
    } = profile;
    tx.execute(
        &STORE,
        &[
            &person.0,
            name,
            &name_key,
            email,
            &email_key,
            locale,
            zone,
            &stamp.revision.0,
        ],
    )?;
    revision::people_changed(tx, stamp)
}

fn is_name(name: &str) -> bool {
    (1..=NAME_CHARS).contains(&name.chars().count()) && !name.contains(breaks_line)
}

/// One `@` with something on both sides, nothing that could end a header or begin another address. Whether it can be
/// delivered to is for the relay to say.
pub(crate) fn is_email(email: &str) -> bool {
    let odd = |char: char| char.is_whitespace() || char.is_control() || ",;:<>()[]\\\"".contains(char);
    email.len() <= EMAIL_BYTES
        && !email.contains(odd)
        && email.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty()
                && local.len() <= 64
                && !domain.contains('@')
                && domain
                    .split('.')
                    .all(|label| !label.is_empty() && !label.starts_with('-'))
        })
}

pub(crate) fn is_locale(locale: &str) -> bool {
    let mut parts = locale.split('-');
    let language = parts.next().unwrap_or_default();
    locale.len() <= LOCALE_BYTES
        && (2..=3).contains(&language.len())
        && language.bytes().all(|byte| byte.is_ascii_alphabetic())
        && parts.all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// The zone's name as the data base writes it.
fn known_zone(name: &str) -> Option<String> {
    let zone = jiff::tz::TimeZone::get(name).ok()?;
    zone.iana_name().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_could_be_two_or_end_a_header_are_refused() {
        for good in [
            "ann@example.com",
            "a+b.c@sub.example.co",
            "o'neil@localhost",
            "jörg@bücher.example",
        ] {
            assert!(is_email(good), "{good}");
        }
        let long = format!("{}@example.com", "x".repeat(65));
        let bad = [
            "",
            "ann",
            "@example.com",
            "ann@",
            "a@b@c",
            "a@b,c@d",
            "a b@c",
            "a@b\r\nBcc: c@d",
            "<a@b>",
            "a@.b",
            &long,
        ];
        for bad in bad {
            assert!(!is_email(bad), "{bad}");
        }
    }

    #[test]
    fn language_tags_have_their_shape() {
        assert!(["en", "pt-BR", "zh-Hant-TW", "de-1996"].into_iter().all(is_locale));
        assert!(
            !["", "e", "english", "en_GB", "en-", "12", "en-abcdefghi"]
                .into_iter()
                .any(is_locale)
        );
    }

    #[test]
    fn zones_are_those_of_the_data_base() {
        assert_eq!(known_zone("europe/prague").as_deref(), Some("Europe/Prague"));
        assert_eq!(known_zone("Europe/Atlantis"), None);
        assert_eq!(known_zone("../../etc/passwd"), None);
    }
}
