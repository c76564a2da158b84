//! The journal: who did what to messages and the directory, acting for whom, from where and when, with what was there
//! before and after.
//!
//! What is done to a message is kept with the message: [`publish`](crate::message::publish) writes who and from where
//! into its own row, [`change`](crate::message::change) into the edition, which holds the state before anyway. Neither
//! costs a row or a page of the log. Everything else is a row here, written by [`record`] in the transaction of the
//! change, so that what is refused or fails leaves none. [`list()`] puts the three together; [`story`] tells before and
//! after of messages.
//!
//! No secret stands here: what holds one is masked when it is written ([`masked`]).

mod apply;
mod item;
pub mod list;
pub mod story;

use std::net::IpAddr;

use campanile_store::{Tx, sql};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use apply::{apply, apply_with};
pub use item::{Filter, Item, Who};
pub use list::list;

use crate::error::{Error, Result};
use crate::id::PersonId;
use crate::time::{Moment, Revision, Stamp};

sql! {
    WRITE = "INSERT INTO journal (at, actor, acting_for, from_via, from_address, from_token, action, kind, object,
            revision, before, after)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) RETURNING id";
    GO_ON = "UPDATE journal SET revision = COALESCE(CAST($2 AS BIGINT), revision), after = $3 WHERE id = $1";
}

/// How somebody showed who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = JournalVia)]
pub enum Via {
    /// A session.
    Session = 1,
    /// A personal token.
    Token = 2,
    /// Login and password with the request.
    Basic = 3,
    /// A ticket of the UI messages contract.
    Ticket = 4,
    /// The command line, beside the database.
    Shell = 5,
    /// A token of a site.
    Site = 6,
}

impl Via {
    const ALL: [Self; 6] = [
        Self::Session,
        Self::Token,
        Self::Basic,
        Self::Ticket,
        Self::Shell,
        Self::Site,
    ];

    fn from_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|one| *one as i64 == code)
    }

    /// As it is called outside.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Token => "token",
            Self::Basic => "basic",
            Self::Ticket => "ticket",
            Self::Shell => "shell",
            Self::Site => "site",
        }
    }
}

/// Where a request came from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// How the person showed who they are; `None` for the server itself.
    pub via: Option<Via>,
    /// The client's address, behind trusted proxies.
    pub address: Option<IpAddr>,
    /// The beginning of the public name of the personal token, or of the site.
    pub token: Option<String>,
}

impl Origin {
    pub(crate) fn via_code(&self) -> Option<i64> {
        self.via.map(|via| via as i64)
    }

    pub(crate) fn address_text(&self) -> Option<String> {
        self.address.map(|address| address.to_string())
    }
}

/// Who does something.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct By {
    /// The person; `None` for the server itself, and for who has its shell.
    pub person: Option<PersonId>,
    /// In whose name.
    pub acting_for: Option<PersonId>,
    /// From where.
    pub origin: Origin,
}

impl By {
    /// Who has the server's shell.
    #[must_use]
    pub fn shell() -> Self {
        Self {
            origin: Origin {
                via: Some(Via::Shell),
                ..Origin::default()
            },
            ..Self::default()
        }
    }

    /// The person who did it.
    ///
    /// # Errors
    /// `Unauthenticated` for the server itself, of which nothing can be asked.
    pub fn somebody(&self) -> Result<PersonId> {
        self.person.ok_or(Error::Unauthenticated)
    }
}

impl From<PersonId> for By {
    /// Somebody, from nowhere that is known.
    fn from(person: PersonId) -> Self {
        Self {
            person: Some(person),
            ..Self::default()
        }
    }
}

macro_rules! names {
    ($(#[$meta:meta])* $Name:ident { $($(#[$of:meta])* $One:ident = $code:literal $name:literal),+ $(,)? }) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
        $(#[$meta])*
        #[serde(rename_all = "snake_case")]
        pub enum $Name {
            $($(#[$of])* $One = $code,)+
        }

        impl $Name {
            /// All there are.
            pub const ALL: &[Self] = &[$(Self::$One),+];

            /// As it is called outside.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$One => $name,)+
                }
            }

            /// By its name outside.
            #[must_use]
            pub fn parse(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.name() == name)
            }

            /// From storage; `None` for what a newer binary wrote.
            #[must_use]
            pub fn from_code(code: i64) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| *one as i64 == code)
            }
        }
    };
}

names! {
    /// What was done.
    #[schema(as = JournalAction)]
    Action {
        /// Made, or given; of what had ended, that it came back.
        Created = 1 "created",
        /// Changed.
        Changed = 2 "changed",
        /// Ended, removed, revoked, taken away.
        Ended = 3 "ended",
        /// Deliveries to an endpoint are held back.
        Paused = 4 "paused",
        /// They go on.
        Resumed = 5 "resumed",
        /// Another secret, or another ticket.
        Renewed = 6 "renewed",
        /// A directory file was taken in.
        Imported = 7 "imported",
        /// What had failed of a message is sent again.
        Resent = 8 "resent",
        /// What had not left of a message was taken back.
        Cancelled = 9 "cancelled",
        /// A message was sent.
        Sent = 10 "sent",
        /// Title, text, sender, importance or window of a message.
        Corrected = 11 "corrected",
        /// A message was taken back.
        Recalled = 12 "recalled",
        /// The window of a message opened.
        Opened = 13 "opened",
        /// The window of a message passed unopened.
        Missed = 14 "missed",
        /// A message was switched on.
        Enabled = 15 "enabled",
        /// A message was switched off.
        Disabled = 16 "disabled",
        /// A message got another audience.
        Readdressed = 17 "readdressed",
        /// A list, or what is kept of a person, was taken along as a file.
        Exported = 18 "exported",
        /// What told who a person was is gone.
        Erased = 19 "erased",
    }
}

names! {
    /// What something was done to.
    #[schema(as = JournalKind)]
    Kind {
        /// A customer.
        Customer = 1 "customer",
        /// An environment.
        Environment = 2 "environment",
        /// A user.
        User = 3 "user",
        /// A group.
        Group = 4 "group",
        /// An API.
        Api = 5 "api",
        /// An application.
        Application = 6 "application",
        /// A subscription.
        Subscription = 7 "subscription",
        /// A role; its object is scope and name.
        Role = 8 "role",
        /// A role that a user holds; its object is the user.
        Membership = 9 "membership",
        /// The directory as a whole.
        Directory = 10 "directory",
        /// A saved destination of POSTs.
        Endpoint = 11 "endpoint",
        /// An address that gets no mail.
        Suppression = 12 "suppression",
        /// A personal token; its object is the user.
        Token = 13 "token",
        /// A ticket; its object is the user.
        Ticket = 14 "ticket",
        /// A session; its object is the user.
        Session = 15 "session",
        /// A password; its object is the user.
        Password = 16 "password",
        /// A message.
        Message = 17 "message",
        /// The journal itself.
        Journal = 18 "journal",
        /// A browser that gets push messages; its object is the user.
        Device = 19 "device",
        /// An application that embeds us.
        Site = 20 "site",
        /// What a site signs its tokens with; its object is the site.
        Key = 21 "key",
    }
}

/// What was done, and to what.
#[derive(Debug, Clone)]
pub struct Deed {
    /// What.
    pub action: Action,
    /// To what.
    pub kind: Kind,
    /// Its id outside.
    pub object: String,
    /// As the API showed it before; `None` where it was not there.
    pub before: Option<Value>,
    /// As the API shows it now; `None` where it is gone.
    pub after: Option<Value>,
}

impl Deed {
    /// Something of which there is nothing more to be said.
    #[must_use]
    pub fn new(action: Action, kind: Kind, object: impl Into<String>) -> Self {
        Self {
            action,
            kind,
            object: object.into(),
            before: None,
            after: None,
        }
    }

    /// The fields of a state, for what is told together with another.
    pub(crate) fn fields(state: impl Serialize) -> Map<String, Value> {
        match serde_json::to_value(state) {
            Ok(Value::Object(fields)) => fields,
            _ => Map::new(),
        }
    }

    /// With what was there before.
    #[must_use]
    pub fn before(self, before: impl Serialize) -> Self {
        let before = serde_json::to_value(before).ok();
        Self { before, ..self }
    }

    /// With what is there now.
    #[must_use]
    pub fn after(self, after: impl Serialize) -> Self {
        let after = serde_json::to_value(after).ok();
        Self { after, ..self }
    }
}

/// Notes a deed that took no revision, in the transaction that does it; its row, for what [goes on](go_on) in others.
pub fn record(tx: &mut Tx<'_>, by: &By, deed: &Deed, now: Moment) -> Result<i64> {
    write(tx, by, deed, None, now)
}

/// Notes a deed at the revision that it took; its row.
pub fn record_at(tx: &mut Tx<'_>, by: &By, deed: &Deed, stamp: Stamp) -> Result<i64> {
    write(tx, by, deed, Some(stamp.revision.0), stamp.at)
}

/// Brings a row up to date whose deed went on in another transaction: the last revision, where it took one, and what
/// came of it so far.
pub fn go_on(tx: &mut Tx<'_>, row: i64, revision: Option<Revision>, after: &Value) -> Result<()> {
    let revision = revision.map(|revision| revision.0);
    tx.send(&GO_ON, &[&row, &revision, &masked(after.clone()).to_string()])?;
    Ok(())
}

fn write(tx: &mut Tx<'_>, by: &By, deed: &Deed, revision: Option<i64>, at: Moment) -> Result<i64> {
    let text = |value: &Option<Value>| value.clone().map(|value| masked(value).to_string());
    let row = tx.one(
        &WRITE,
        &[
            &at.0,
            &by.person.map(|person| person.0),
            &by.acting_for.map(|person| person.0),
            &by.origin.via_code(),
            &by.origin.address_text(),
            &by.origin.token,
            &(deed.action as i64),
            &(deed.kind as i64),
            &deed.object,
            &revision,
            &text(&deed.before),
            &text(&deed.after),
        ],
        |row| row.get(0),
    )?;
    Ok(row)
}

/// What stands in the place of a secret.
pub const MASK: &str = "***";
/// Fields whose texts are secret, wherever they stand.
const SECRET: [&str; 7] = [
    "password",
    "password_hash",
    "secret",
    "ticket",
    "token",
    "authorization",
    "value",
];
/// Fields that hold addresses: what stands after `?` is often a key.
const ADDRESSES: [&str; 1] = ["url"];

/// Without secrets: what may be one is `***`, and so is what an address is asked with.
#[must_use]
pub fn masked(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.into_iter().map(|(name, value)| {
                let value = match value {
                    Value::String(_) if SECRET.contains(&name.as_str()) => Value::from(MASK),
                    Value::String(url) if ADDRESSES.contains(&name.as_str()) => Value::from(without_query(&url)),
                    other => masked(other),
                };
                (name, value)
            });
            Value::Object(fields.collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(masked).collect()),
        other => other,
    }
}

fn without_query(url: &str) -> String {
    match url.split_once('?') {
        Some((before, _)) => format!("{before}?{MASK}"),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_may_be_secret_is_masked_wherever_it_stands() {
        let given = json!({"name": "Ann", "password": "geheim", "secret": null, "url": "https://x.example/in?key=1",
            "headers": [{"name": "X-Key", "value": "geheim"}], "more": {"token": "cmp_1"}});
        let told = json!({"name": "Ann", "password": "***", "secret": null, "url": "https://x.example/in?***",
            "headers": [{"name": "X-Key", "value": "***"}], "more": {"token": "***"}});
        assert_eq!(masked(given), told);
    }

    #[test]
    fn names_are_those_of_json() {
        for action in Action::ALL {
            assert_eq!(json!(action), json!(action.name()));
            assert_eq!(Action::parse(action.name()), Some(*action));
            assert_eq!(Action::from_code(*action as i64), Some(*action));
        }
        for kind in Kind::ALL {
            assert_eq!(json!(kind), json!(kind.name()));
            assert_eq!(Kind::from_code(*kind as i64), Some(*kind));
        }
    }
}
