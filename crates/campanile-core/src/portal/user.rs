//! People as the contract has them. The key of one that is made here, by which a directory file names them, is a GUID
//! drawn for it: a login may be the key of somebody who left, and who would be back with all their roles.

use campanile_store::{Row, Tx, sql};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use super::{plain, renamed, role};
use crate::account::session;
use crate::directory::entry::{self, Entry, Patch, Secret};
use crate::directory::list;
use crate::error::{Error, Faults, Result};
use crate::id::{CustomerId, PersonId};
use crate::journal::{self, Action, By, Deed, Kind};
use crate::message::sent::person_key;
use crate::policy::{self, Act, PortalAct, Reach};
use crate::rights::{AsmRole, Rights};
use crate::secret::read_guid;
use crate::time::Moment;

/// Characters of a telephone number.
pub const PHONE_CHARS: usize = 50;

/// A person who is there now, with what was said of them here.
macro_rules! user {
    ($from:literal, $rest:literal) => {
        concat!(
            "SELECT p.id, p.key, p.guid, p.login, p.name, p.email, p.locale, p.asm_role,
                (SELECT r.customer FROM residence r WHERE r.person = p.id AND r.until = 9223372036854775807),
                u.phone, u.mobile, u.approved, u.locked_out, u.roles
            FROM ",
            $from,
            " JOIN life l ON l.kind = 1 AND l.object = p.id AND l.until = 9223372036854775807
            LEFT JOIN portal_user u ON u.person = p.id ",
            $rest
        )
    };
}

sql! {
    BY_GUID = user!("person p", "WHERE p.guid = $1");
    BY_ID = user!("person p", "WHERE p.id = $1");
    ALL = user!("person p", "WHERE p.id > $1 ORDER BY p.id LIMIT $2");
    // From the customers to their people, whatever SQLite thinks of an order by id.
    BELOW = user!(
        "lineage n CROSS JOIN residence h CROSS JOIN person p",
        "WHERE n.ancestor = $1 AND n.until = 9223372036854775807
            AND h.customer = n.customer AND h.until = 9223372036854775807
            AND p.id = h.person AND p.id > $2 ORDER BY p.id LIMIT $3"
    );
    SAVE = "INSERT INTO portal_user (person, phone, mobile, approved, locked_out, roles) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (person) DO UPDATE SET phone = $2, mobile = $3, approved = $4, locked_out = $5, roles = $6";
}

/// A person as the contract shows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The number.
    pub person: PersonId,
    /// The id in the directory file.
    pub key: String,
    /// The GUID, in upper case.
    pub guid: String,
    /// The login as it is written.
    pub login: String,
    /// The display name.
    pub name: String,
    /// The address.
    pub email: Option<String>,
    /// The language.
    pub locale: Option<String>,
    /// The role that decides rights.
    pub asm_role: AsmRole,
    /// The customer.
    pub customer: Option<CustomerId>,
    /// What the directory does not know.
    pub details: Details,
}

/// What only this contract says of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Details {
    /// A telephone number.
    pub phone: Option<String>,
    /// A mobile telephone's number.
    pub mobile: Option<String>,
    /// Whether they may come in at all.
    pub approved: bool,
    /// Whether they are kept out for now.
    pub locked_out: bool,
    /// Names of roles beside the one that decides rights, each followed by a comma.
    #[serde(rename = "roles", serialize_with = "apart")]
    others: String,
}

/// Names that are each followed by a comma, as a list.
fn apart<S: Serializer>(others: &str, to: S) -> std::result::Result<S::Ok, S::Error> {
    to.collect_seq(others.split_terminator(','))
}

impl Default for Details {
    /// Of whom nothing was said.
    fn default() -> Self {
        Self {
            phone: None,
            mobile: None,
            approved: true,
            locked_out: false,
            others: String::new(),
        }
    }
}

impl Details {
    const fn keep_out(&self) -> bool {
        self.locked_out || !self.approved
    }
}

/// What is asked for of a person. `None` is "as it was", in somebody new "nothing"; an empty text takes away.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// The customer.
    pub customer: Option<i64>,
    /// The login.
    pub login: Option<String>,
    /// The password hashed, as [`prepare`](crate::directory::prepare) makes it.
    pub password: Patch<Secret>,
    /// The address.
    pub email: Option<String>,
    /// The display name.
    pub full_name: Option<String>,
    /// A telephone number.
    pub phone: Option<String>,
    /// A mobile telephone's number.
    pub mobile: Option<String>,
    /// Whether they may come in at all.
    pub approved: Option<bool>,
    /// Whether they are kept out for now.
    pub locked_out: Option<bool>,
    /// The language.
    pub language_tag: Option<String>,
    /// The names of all their roles.
    pub roles: Option<Vec<String>>,
}

impl User {
    /// The names of their roles.
    #[must_use]
    pub fn roles(&self) -> Vec<&'static str> {
        role::names(self.asm_role, &self.details.others)
    }
}

fn read(row: &Row<'_>) -> campanile_store::Result<User> {
    let usual = Details::default();
    Ok(User {
        person: PersonId(row.get(0)?),
        key: row.get(1)?,
        guid: row.get(2)?,
        login: row.get(3)?,
        name: row.get(4)?,
        email: row.get(5)?,
        locale: row.get(6)?,
        asm_role: AsmRole::from_code(row.get(7)?),
        customer: row.get::<Option<i64>>(8)?.map(CustomerId),
        details: Details {
            phone: row.get(9)?,
            mobile: row.get(10)?,
            approved: row.get::<Option<bool>>(11)?.unwrap_or(usual.approved),
            locked_out: row.get::<Option<bool>>(12)?.unwrap_or(usual.locked_out),
            others: row.get::<Option<String>>(13)?.unwrap_or_default(),
        },
    })
}

/// The active person with a GUID whom somebody may see; `Missing` for all others.
pub fn find(tx: &mut Tx<'_>, rights: &Rights, guid: &str) -> Result<User> {
    let guid = read_guid(guid).ok_or(Error::Missing("user"))?;
    let user = tx.first(&BY_GUID, &[&guid], read)?.ok_or(Error::Missing("user"))?;
    let act = Act::Portal(PortalAct::SeeUser(user.person, user.customer));
    policy::may(rights, &act).map_err(|_| Error::Missing("user"))?;
    Ok(user)
}

/// The active people whom somebody may see, at most so many after an id, by id.
pub fn list(tx: &mut Tx<'_>, rights: &Rights, after: i64, limit: i64) -> Result<Vec<User>> {
    Ok(match policy::reach_of_customers(rights) {
        Reach::All => tx.rows(&ALL, &[&after, &limit], read)?,
        Reach::Only(Some(top)) => tx.rows(&BELOW, &[&top.0, &after, &limit], read)?,
        Reach::Only(None) => {
            let own = tx.first(&BY_ID, &[&rights.person.0], read)?;
            own.into_iter().filter(|own| own.person.0 > after).collect()
        }
    })
}

/// Makes a person with a key that nobody has. An ordered write.
///
/// `Denied` where it is not theirs to make, also of a customer that is not there; `Invalid` names the field.
pub fn create(tx: &mut Tx<'_>, by: &By, key: &str, wanted: &Wanted, now: Moment) -> Result<User> {
    // What is looked at before the lock, another server may change.
    tx.tally()?;
    let rights = Rights::load(tx, by.somebody()?)?;
    let own = rights.customer.filter(|_| !rights.is_root());
    let customer = wanted.customer.map(CustomerId).or(own);
    policy::may(&rights, &Act::Portal(PortalAct::MakeUser(customer)))?;
    let mut faults = Faults::default();
    faults.require(wanted.login.is_some(), "login", "is needed");
    faults.require(!wanted.password.is_absent(), "password", "is needed");
    faults.require(wanted.email.is_some(), "email", "is needed");
    let mut details = merged(&mut faults, wanted, &Details::default());
    faults.finish()?;
    let roles = role::sorted(&rights, &[], wanted.roles.as_deref().unwrap_or_default())?;
    details.others = roles.others;
    let named = wanted.full_name.as_ref().filter(|name| !name.is_empty());
    let entry = Entry::User(entry::User {
        id: Some(key.to_owned()),
        name: patch(named.or(wanted.login.as_ref())),
        customer: customer.map_or(Patch::Absent, |customer| Patch::Set(customer.0)),
        asm_role: Patch::Set(roles.asm_role),
        ..entry(wanted)
    });
    let told = Deed::fields(&details);
    apply(tx, by, &entry, told, now)?;
    let person = PersonId(list::user(tx, key)?.number);
    save(tx, person, &Details::default(), &details)?;
    by_id(tx, person)
}

/// Changes a person. An ordered write.
///
/// `Missing` where somebody may not see them, `Denied` what is not theirs to change; `Invalid` names the field.
pub fn change(tx: &mut Tx<'_>, by: &By, guid: &str, wanted: &Wanted, now: Moment) -> Result<User> {
    tx.tally()?;
    let (rights, old, held) = to_change(tx, by.somebody()?, guid)?;
    if !wanted.password.is_absent() {
        policy::may(&rights, &Act::Portal(PortalAct::SetPassword(&held)))?;
    }
    if let Some(customer) = wanted.customer.filter(|to| old.customer != Some(CustomerId(*to))) {
        policy::may(&rights, &Act::Portal(PortalAct::MakeUser(Some(CustomerId(customer)))))?;
    }
    let mut faults = Faults::default();
    let mut details = merged(&mut faults, wanted, &old.details);
    if by.person == Some(old.person) && details.keep_out() {
        let field = if details.locked_out { "locked_out" } else { "approved" };
        faults.add(field, "you cannot keep yourself out");
    }
    faults.finish()?;
    let mut asked = entry(wanted);
    asked.id = Some(old.key.clone());
    if let Some(names) = &wanted.roles {
        let roles = role::sorted(&rights, &old.roles(), names)?;
        asked.asm_role = Patch::Set(roles.asm_role);
        details.others = roles.others;
    }
    apply(tx, by, &Entry::User(asked), Map::new(), now)?;
    save(tx, old.person, &old.details, &details)?;
    if details != old.details {
        let deed = Deed {
            before: Some(json!(old.details)),
            after: Some(json!(details)),
            ..Deed::new(Action::Changed, Kind::User, person_key(tx, old.person)?)
        };
        journal::record(tx, by, &deed, now)?;
    }
    by_id(tx, old.person)
}

/// Whether somebody may make or change anybody at all: `Denied` if not.
pub fn may_change(tx: &mut Tx<'_>, by: PersonId) -> Result<Rights> {
    let rights = Rights::load(tx, by)?;
    policy::may(&rights, &Act::Portal(PortalAct::EditAnybody))?;
    Ok(rights)
}

/// The key of a person whose password somebody wants to set: refused as [`change`] would. Whether it may be set is
/// judged before it is compared with the old one, or the answer would tell whether that was guessed.
pub fn password_of(tx: &mut Tx<'_>, by: PersonId, guid: &str) -> Result<String> {
    let (rights, user, held) = to_change(tx, by, guid)?;
    policy::may(&rights, &Act::Portal(PortalAct::SetPassword(&held)))?;
    Ok(user.key)
}

/// The rights of somebody who wants to change a person, that person, and what they hold: `Denied` for who may change
/// nobody at all, `Missing` for whom they may not see, and `Denied` again for who holds more than they.
fn to_change(tx: &mut Tx<'_>, by: PersonId, guid: &str) -> Result<(Rights, User, Rights)> {
    let rights = may_change(tx, by)?;
    let user = find(tx, &rights, guid)?;
    let held = Rights::of(tx, user.person)?;
    policy::may(&rights, &Act::Portal(PortalAct::EditUser(&held)))?;
    Ok((rights, user, held))
}

fn by_id(tx: &mut Tx<'_>, person: PersonId) -> Result<User> {
    tx.first(&BY_ID, &[&person.0], read)?.ok_or(Error::Missing("user"))
}

/// What is asked for as an entry of the directory, without id and role.
fn entry(wanted: &Wanted) -> entry::User {
    entry::User {
        login: patch(wanted.login.as_ref()),
        name: patch(wanted.full_name.as_ref()),
        email: patch(wanted.email.as_ref()),
        customer: wanted.customer.map_or(Patch::Absent, Patch::Set),
        locale: match &wanted.language_tag {
            Some(tag) if tag.is_empty() => Patch::Null,
            tag => patch(tag.as_ref()),
        },
        password_hash: wanted.password.clone(),
        ..entry::User::default()
    }
}

fn patch(given: Option<&String>) -> Patch<String> {
    given.map_or(Patch::Absent, |text| Patch::Set(text.clone()))
}

fn apply(tx: &mut Tx<'_>, by: &By, entry: &Entry, told: Map<String, Value>, now: Moment) -> Result<()> {
    let names = [
        ("name", "full_name"),
        ("locale", "language_tag"),
        ("customer", "customer_id"),
    ];
    journal::apply_with(tx, by, entry, told, now).map_err(|error| renamed(error, &names))?;
    Ok(())
}

fn merged(faults: &mut Faults, wanted: &Wanted, old: &Details) -> Details {
    let mut number = |field: &str, given: &Option<String>, old: &Option<String>| match given {
        None => old.clone(),
        Some(text) => {
            plain(faults, field, text, PHONE_CHARS);
            Some(text.clone()).filter(|text| !text.is_empty())
        }
    };
    Details {
        phone: number("phone", &wanted.phone, &old.phone),
        mobile: number("mobile", &wanted.mobile, &old.mobile),
        approved: wanted.approved.unwrap_or(old.approved),
        locked_out: wanted.locked_out.unwrap_or(old.locked_out),
        others: old.others.clone(),
    }
}

/// Stores what the directory does not know. Who is kept out from now on loses their sessions, so that these do not come
/// back with them; personal tokens and the ticket do.
fn save(tx: &mut Tx<'_>, person: PersonId, old: &Details, new: &Details) -> Result<()> {
    if old == new {
        return Ok(());
    }
    let Details {
        phone,
        mobile,
        approved,
        locked_out,
        others,
    } = new;
    tx.execute(&SAVE, &[&person.0, phone, mobile, approved, locked_out, others])?;
    if new.keep_out() && !old.keep_out() {
        session::close_others(tx, person, None)?;
    }
    Ok(())
}
