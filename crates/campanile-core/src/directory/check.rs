//! What the fields of a directory may hold, without looking at the database.

use std::collections::BTreeMap;

use crate::account::profile::{EMAIL_BYTES, LOCALE_BYTES, is_email, is_locale};
use crate::error::{Error, Faults, Result};
use crate::markup::breaks_line;

/// Characters of an id or a role's name.
pub const KEY_LIMIT: usize = 200;
/// Characters of a name or login.
pub const NAME_LIMIT: usize = 200;
/// Characters of a permission's name.
pub const PERMISSION_LIMIT: usize = 64;
/// Permissions of one role.
pub const PERMISSIONS_LIMIT: usize = 200;
/// Groups of one API or application.
pub const GROUPS_LIMIT: usize = 1_000;
/// The greatest customer id that may be given: those above it, up to 2^31 - 1 (clients of the UI messages contract hold
/// 32 bits), are for customers that are not given one, which get the next after the greatest.
pub const CUSTOMER_LIMIT: i64 = 2_000_000_000;

/// The letters of a permission as bits.
pub(super) const LETTERS: [(char, i64); 4] = [('C', 8), ('R', 4), ('U', 2), ('D', 1)];

/// Whether a text has 1 to `limit` characters, no control character, and no blank at its ends.
fn is_plain(text: &str, limit: usize) -> bool {
    // Bytes bound characters from above, so that the usual short text is not counted.
    (text.len() <= limit || text.chars().count() <= limit)
        && !text.is_empty()
        && text.trim().len() == text.len()
        && !text.contains(breaks_line)
}

/// The id that an entry must have.
pub(super) fn id(id: Option<&String>) -> Result<&str> {
    let id = id.ok_or_else(|| Error::field("id", "is needed"))?;
    if is_plain(id, KEY_LIMIT) {
        return Ok(id);
    }
    Err(Error::field("id", plain_reason(KEY_LIMIT)))
}

/// The id that a customer must have.
pub(super) fn customer_id(id: Option<i64>) -> Result<i64> {
    let id = id.ok_or_else(|| Error::field("id", "is needed"))?;
    if (1..=i64::from(i32::MAX)).contains(&id) {
        return Ok(id);
    }
    Err(no_customer_id())
}

/// The fault of an id that a new customer cannot have.
pub(super) fn no_customer_id() -> Error {
    Error::field("id", format!("must be 1 to {CUSTOMER_LIMIT}"))
}

fn plain_reason(limit: usize) -> String {
    format!("must have 1 to {limit} characters, no control characters, and no blanks at its ends")
}

/// A name, login or role name.
pub(crate) fn name(faults: &mut Faults, field: &str, text: &str) {
    faults.require(is_plain(text, NAME_LIMIT), field, plain_reason(NAME_LIMIT));
}

/// An email address.
pub(super) fn email(faults: &mut Faults, text: &str) {
    if !is_email(text) {
        let why = format!("must be one address such as ann@example.com, of at most {EMAIL_BYTES} bytes");
        faults.add("email", why);
    }
}

/// A language tag.
pub(super) fn locale(faults: &mut Faults, text: &str) {
    if !is_locale(text) {
        let why = format!("must be a language tag such as en or pt-BR, of at most {LOCALE_BYTES} bytes");
        faults.add("locale", why);
    }
}

/// The permissions of a role as bits, by name.
pub(super) fn permissions(faults: &mut Faults, given: &BTreeMap<String, String>) -> BTreeMap<String, i64> {
    faults.require(
        given.len() <= PERMISSIONS_LIMIT,
        "permissions",
        format!("a role has at most {PERMISSIONS_LIMIT}"),
    );
    let mut out = BTreeMap::new();
    for (name, letters) in given {
        let field = || {
            format!(
                "permissions.{}",
                name.chars().take(PERMISSION_LIMIT).collect::<String>()
            )
        };
        let holds = (1..=PERMISSION_LIMIT).contains(&name.len())
            && name.chars().all(|char| char.is_ascii_uppercase() || char == '_');
        if !holds {
            faults.add(
                field(),
                format!("its name must be 1 to {PERMISSION_LIMIT} of A to Z and _"),
            );
        }
        match bits(letters) {
            Some(bits) => {
                out.insert(name.clone(), bits);
            }
            None => faults.add(field(), "must be some of the letters CRUD, each once"),
        }
    }
    out
}

fn bits(letters: &str) -> Option<i64> {
    let mut out = 0;
    for letter in letters.chars() {
        let (_, bit) = LETTERS.into_iter().find(|(at, _)| *at == letter)?;
        if out & bit != 0 {
            return None;
        }
        out |= bit;
    }
    (out != 0).then_some(out)
}

/// The letters of a permission, from storage.
pub(super) fn letters(bits: i64) -> String {
    LETTERS
        .into_iter()
        .filter(|(_, bit)| bits & bit != 0)
        .map(|(letter, _)| letter)
        .collect()
}

/// How a text is told apart and found without regard to case.
#[must_use]
pub fn folded(text: &str) -> String {
    text.to_lowercase()
}
