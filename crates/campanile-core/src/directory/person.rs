//! People: who they are, whether they are there, and their customer.

use campanile_store::{Tx, sql};
use ring::digest::{Context, SHA256};

use super::check::{self, folded};
use super::edit::Edit;
use super::entry::{Entry, Patch, Secret, User};
use super::known::{self, Person};
use super::made::Trace;
use super::{Applied, fact};
use crate::account::{password, session};
use crate::error::{Error, Faults, Result};
use crate::id::PersonId;
use crate::place::kind;
use crate::revision::tally;
use crate::rights::AsmRole;
use crate::time::Stamp;

sql! {
    INSERT = "INSERT INTO person (id, key, login, login_key, name, name_key, email, email_key, locale, asm_role, guid,
            password, ticket_serial, changed)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0, $13)";
    UPDATE = "UPDATE person SET login = $2, login_key = $3, name = $4, name_key = $5, email = $6, email_key = $7,
            locale = $8, asm_role = $9, changed = $10 WHERE id = $1";
    SET_PASSWORD = "UPDATE person SET password = $2 WHERE id = $1";
    STORED = "SELECT login, password FROM person WHERE key = $1";
}

/// What [`prepare`] needs to know of the user whom an entry with a password is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The login as it is written.
    pub login: String,
    /// The PHC string of the password; `None` for a user that has none.
    pub phc: Option<String>,
}

/// What is stored of a user, by key, for [`prepare`]; `None` for one who is not there yet.
pub fn stored(tx: &mut Tx<'_>, key: &str) -> Result<Option<Stored>> {
    Ok(tx.first(&STORED, &[&key], |row| {
        Ok(Stored {
            login: row.get(0)?,
            phc: row.get(1)?,
        })
    })?)
}

/// Gets an entry ready for [`apply`](super::apply): checks and hashes its password, if it has one, with 16 random
/// bytes. Slow, so before any transaction. A password that the user has already is no change.
pub fn prepare(entry: &mut Entry, stored: Option<&Stored>, salt: &[u8; 16]) -> Result<()> {
    let Entry::User(user) = entry else {
        return Ok(());
    };
    user.password_hash = match std::mem::take(&mut user.password) {
        Patch::Absent => Patch::Absent,
        Patch::Null => Patch::Null,
        Patch::Set(Secret(given)) => {
            let phc = stored.and_then(|stored| stored.phc.as_deref());
            if phc.is_some_and(|phc| password::verify(&given, phc)) {
                Patch::Absent
            } else {
                let login = user.login.value().or_else(|| stored.map(|stored| &stored.login));
                password::check("password", &given, login.map_or("", String::as_str))?;
                Patch::Set(Secret(password::hash(&given, salt)))
            }
        }
    };
    Ok(())
}

/// Makes a user so.
pub(super) fn apply(edit: &mut Edit<'_, '_>, entry: &User) -> Result<Applied> {
    let key = check::id(entry.id.as_ref())?;
    if matches!(entry.password, Patch::Set(_)) {
        let why = "a password came to a transaction without being hashed";
        return Err(campanile_store::Error::Internal(why.into()).into());
    }
    let old = known::person(edit, key)?;
    if old.as_ref().is_some_and(|old| old.erased) {
        let why = "the person with this id was erased; who comes back gets another one";
        return Err(Error::field("id", why));
    }
    let new = merged(entry, old.as_deref())?;
    let login_key = folded(&new.login);
    refer(edit, old.as_deref(), &new, &login_key)?;
    match old {
        None => create(edit, key, new, &login_key, entry.password_hash.value()),
        Some(old) => change(edit, key, &old, new, &login_key, &entry.password_hash),
    }
}

/// The person after the entry. Its id is 0 in a new one.
fn merged(entry: &User, old: Option<&Person>) -> Result<Person> {
    let mut faults = Faults::default();
    let login = needed(&mut faults, "login", &entry.login, old.map(|old| &old.login));
    let name = needed(&mut faults, "name", &entry.name, old.map(|old| &old.name));
    let email = match &entry.email {
        Patch::Absent => old.and_then(|old| old.email.clone()),
        Patch::Null => None,
        Patch::Set(email) => {
            let email = email.trim();
            check::email(&mut faults, email);
            Some(email.to_owned())
        }
    };
    let locale = match &entry.locale {
        Patch::Absent => old.and_then(|old| old.locale.clone()),
        Patch::Null => None,
        Patch::Set(locale) => {
            check::locale(&mut faults, locale);
            Some(locale.clone())
        }
    };
    let asm_role = match entry.asm_role {
        Patch::Absent => old.map_or(0, |old| old.asm_role),
        Patch::Null => AsmRole::default().code(),
        Patch::Set(role) => role.code(),
    };
    let customer = match entry.customer {
        Patch::Absent => old.and_then(|old| old.customer),
        Patch::Null => None,
        Patch::Set(customer) => Some(customer),
    };
    faults.finish()?;
    Ok(Person {
        id: old.map_or(0, |old| old.id),
        login,
        name,
        email,
        locale,
        asm_role,
        live: true,
        customer,
        erased: false,
    })
}

/// A text that every thing of its kind has: as given, or as it was.
pub(super) fn needed(faults: &mut Faults, field: &str, given: &Patch<String>, old: Option<&String>) -> String {
    match given {
        Patch::Set(text) => {
            // What is stored has been looked at before.
            if old != Some(text) {
                check::name(faults, field, text);
            }
            text.clone()
        }
        Patch::Null => {
            faults.add(field, "cannot be null");
            String::new()
        }
        Patch::Absent => old.cloned().unwrap_or_else(|| {
            faults.add(field, "is needed for what is not there yet");
            String::new()
        }),
    }
}

/// Looks at what the entry refers to: a customer that is there, a login that is free.
fn refer(edit: &mut Edit<'_, '_>, old: Option<&Person>, new: &Person, login_key: &str) -> Result<()> {
    if let Some(customer) = new.customer
        && old.and_then(|old| old.customer) != Some(customer)
    {
        let found = known::customer(edit, customer)?;
        if !found.as_ref().is_some_and(|found| found.live) {
            return Err(known::no_such("customer", kind::CUSTOMER, &customer, found.is_some()));
        }
    }
    if old.is_none_or(|old| old.login != new.login)
        && let Some(owner) = known::login_owner(edit, login_key)?
        && owner != new.id
    {
        return Err(Error::field(
            "login",
            format!("{} is the login of another user", new.login),
        ));
    }
    Ok(())
}

fn create(
    edit: &mut Edit<'_, '_>,
    key: &str,
    mut new: Person,
    login_key: &str,
    password: Option<&Secret>,
) -> Result<Applied> {
    let stamp = edit.stamp()?;
    let id = edit.next_id(tally::PERSON)?;
    let (name_key, email_key) = (folded(&new.name), new.email.as_deref().map(folded));
    let (guid, password) = (guid(id, key, stamp), password.map(|password| &password.0));
    edit.send_ahead(
        &INSERT,
        &[
            &id,
            &key,
            &new.login,
            &login_key,
            &new.name,
            &name_key,
            &new.email,
            &email_key,
            &new.locale,
            &new.asm_role,
            &guid,
            &password,
            &stamp.revision.0,
        ],
    )?;
    fact::begin_soon(edit, &fact::LIFE, &[kind::PERSON, id])?;
    if let Some(customer) = new.customer {
        fact::begin_soon(edit, &fact::RESIDENCE, &[id, customer])?;
    }
    new.id = id;
    edit.known.note(&Trace::User(key));
    put_login(edit, login_key, Some(id));
    known::put_person(edit, key, new);
    Ok(Applied::Created)
}

fn change(
    edit: &mut Edit<'_, '_>,
    key: &str,
    old: &Person,
    new: Person,
    login_key: &str,
    password: &Patch<Secret>,
) -> Result<Applied> {
    if *old == new && password.is_absent() {
        return Ok(Applied::Unchanged);
    }
    let stamp = edit.stamp()?;
    if !old.live {
        fact::begin(edit, &fact::LIFE, &[&kind::PERSON, &old.id])?;
    }
    if old.customer != new.customer {
        move_to(edit, old.id, old.customer, new.customer)?;
    }
    if !password.is_absent() {
        let hash = password.value().map(|hash| &hash.0);
        edit.send(&SET_PASSWORD, &[&old.id, &hash])?;
        if !edit.is_rehearsal() {
            session::close_others(edit.read()?, PersonId(old.id), None)?;
        }
    }
    let (name_key, email_key) = (folded(&new.name), new.email.as_deref().map(folded));
    edit.send(
        &UPDATE,
        &[
            &old.id,
            &new.login,
            &login_key,
            &new.name,
            &name_key,
            &new.email,
            &email_key,
            &new.locale,
            &new.asm_role,
            &stamp.revision.0,
        ],
    )?;
    let old_login_key = folded(&old.login);
    if old_login_key != login_key {
        put_login(edit, &old_login_key, None);
        put_login(edit, login_key, Some(old.id));
    }
    known::put_person(edit, key, new);
    Ok(if old.live { Applied::Changed } else { Applied::Created })
}

/// Remembers who has a login now.
fn put_login(edit: &mut Edit<'_, '_>, login_key: &str, owner: Option<i64>) {
    edit.known.note(&Trace::Login(login_key));
    if let Some(known) = edit.known.logins.get_mut(login_key) {
        *known = owner;
    } else {
        edit.known.logins.insert(login_key.to_owned(), owner);
    }
}

fn move_to(edit: &mut Edit<'_, '_>, person: i64, from: Option<i64>, to: Option<i64>) -> Result<()> {
    if from.is_some() {
        fact::end(edit, &fact::RESIDENCE, &[&person])?;
    }
    match to {
        Some(customer) => fact::begin(edit, &fact::RESIDENCE, &[&person, &customer]),
        None => Ok(()),
    }
}

/// A GUID that nobody else has: the person's number in front, which keeps its index in order, then a digest of what
/// differs between installations (RFC 9562, version 8), in upper case as clients of the UI messages contract print it.
/// It is an identifier, no secret.
fn guid(id: i64, key: &str, stamp: Stamp) -> String {
    let mut context = Context::new(&SHA256);
    context.update(&stamp.at.0.to_be_bytes());
    context.update(key.as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&context.finish().as_ref()[..16]);
    bytes[..4].copy_from_slice(&(id as u32).to_be_bytes());
    bytes[6] = 0x80 | (bytes[6] & 0x0f);
    bytes[8] = 0x80 | (bytes[8] & 0x3f);
    let mut out = String::with_capacity(36);
    for (at, byte) in bytes.into_iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            out.push('-');
        }
        for digit in [byte >> 4, byte & 15] {
            out.push(char::from(b"0123456789ABCDEF"[usize::from(digit)]));
        }
    }
    out
}
