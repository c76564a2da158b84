//! Changes of the directory by hand, one thing at a time: what the REST interface and the console share.
//!
//! Every change is an [`Entry`] of the directory file, said to [`journal::apply`]. What the kinds have in
//! common stands here, once: a [`Noun`] says what differs.

use std::fmt::Display;

use campanile_core::directory::Applied;
use campanile_core::directory::entry::{self, KeyOnly, NumberOnly, Patch, Removal, Secret};
use campanile_core::directory::history::Subject;
use campanile_core::directory::list::{self, Kind};
use campanile_core::directory::{self, Entry};
use campanile_core::id::PersonId;
use campanile_core::journal;
use campanile_core::message::sent::person_key;
use campanile_core::policy::{self, Act};
use campanile_core::rights::Rights;
use campanile_core::{Error, Result as Ruled};
use campanile_store::Tx;

use crate::app::App;
use crate::auth::Principal;
use crate::problem::Problem;

/// Takes the lock that puts a change in its place, and asks whether this person may still change the directory: the
/// right may have been taken while the change waited.
pub(crate) fn begin(tx: &mut Tx<'_>, by: PersonId) -> Ruled<()> {
    tx.tally()?;
    policy::may(&Rights::load(tx, by)?, &Act::EditDirectory)
}

/// Does what an entry without a password says. As every change here, it has its row in the journal.
pub(crate) async fn apply(app: &App, by: &Principal, entry: Entry) -> Ruled<Applied> {
    let (person, by, now) = (by.person, by.by(), app.clock.now());
    let work = move |tx: &mut Tx<'_>| {
        begin(tx, person)?;
        journal::apply(tx, &by, &entry, now)
    };
    app.db.write(work).await
}

/// The id of a user whose password this person may not set in the directory: their own, where they did not sign in. A
/// token that leaked could else let its holder stay.
pub(crate) async fn barred(app: &App, by: &Principal) -> Ruled<Option<String>> {
    let person = by.person;
    match by.in_person() {
        Ok(()) => Ok(None),
        Err(_) => app.db.read(move |tx| person_key(tx, person)).await.map(Some),
    }
}

/// A kind of thing, by the object that says how one of them shall be.
pub(crate) trait Noun: Send + 'static {
    /// What names one.
    type Id: Clone + PartialEq + Display + Send + 'static;
    /// How one is shown.
    type Item: Send + 'static;
    /// The kind in a sentence.
    const WORD: &'static str;

    /// The id that the object says.
    fn id(&mut self) -> &mut Option<Self::Id>;
    /// The object as a line of the file.
    fn entry(self) -> Entry;
    /// The id of an entry of this kind.
    fn id_of(entry: &Entry) -> Option<Self::Id>;
    /// The line that ends one.
    fn removal(id: Self::Id) -> Removal;
    /// Whose history it is.
    fn subject(id: Self::Id) -> Subject;
    /// Finds one, also one that has ended.
    fn find(tx: &mut Tx<'_>, id: &Self::Id) -> Ruled<Self::Item>;
    /// Whether it is there now.
    fn is_active(item: &Self::Item) -> bool;
}

/// A kind: its name in a sentence; its object and id; how one is found and shown; how its end is said.
macro_rules! noun {
    ($word:literal; $Body:ident($Id:ident) => $Item:ident by $find:expr, ends as $Ending:ident) => {
        impl Noun for entry::$Body {
            type Id = $Id;
            type Item = list::$Item;
            const WORD: &'static str = $word;

            fn id(&mut self) -> &mut Option<$Id> {
                &mut self.id
            }

            fn entry(self) -> Entry {
                Entry::$Body(self)
            }

            fn id_of(entry: &Entry) -> Option<$Id> {
                match entry {
                    Entry::$Body(entry) => entry.id.clone(),
                    _ => None,
                }
            }

            fn removal(id: $Id) -> Removal {
                Removal::$Body($Ending { id })
            }

            fn subject(id: $Id) -> Subject {
                Subject::$Body(id)
            }

            fn find(tx: &mut Tx<'_>, id: &$Id) -> Ruled<list::$Item> {
                let find: fn(&mut Tx<'_>, &$Id) -> Ruled<list::$Item> = $find;
                find(tx, id)
            }

            fn is_active(item: &list::$Item) -> bool {
                item.active
            }
        }
    };
}

noun!("customer"; Customer(i64) => Customer by |tx, id| list::customer(tx, *id), ends as NumberOnly);
noun!("environment"; Environment(String) => Thing by |tx, id| list::thing(tx, Kind::Environment, id), ends as KeyOnly);
noun!("user"; User(String) => User by |tx, id| list::user(tx, id), ends as KeyOnly);
noun!("group"; Group(String) => Thing by |tx, id| list::thing(tx, Kind::Group, id), ends as KeyOnly);
noun!("API"; Api(String) => Thing by |tx, id| list::thing(tx, Kind::Api, id), ends as KeyOnly);
noun!("application"; Application(String) => Thing by |tx, id| list::thing(tx, Kind::Application, id), ends as KeyOnly);
noun!("subscription"; Subscription(String) => Subscription by |tx, id| list::subscription(tx, id), ends as KeyOnly);

/// One of them, if it is there now.
pub(crate) fn present<N: Noun>(tx: &mut Tx<'_>, id: &N::Id) -> Ruled<N::Item> {
    let item = N::find(tx, id)?;
    if N::is_active(&item) {
        Ok(item)
    } else {
        Err(Error::Missing(N::WORD))
    }
}

/// Makes a new one, or one that had ended again; a customer without an id gets the next one. `Conflict` where it is
/// there already.
pub(crate) async fn create<N: Noun>(app: &App, by: &Principal, wanted: N) -> Result<(N::Id, N::Item), Problem> {
    let mut entry = ready(app, by, wanted.entry()).await?;
    let (person, by, now) = (by.person, by.by(), app.clock.now());
    let made = app.db.write(move |tx| {
        // What is looked at before the lock, another server may change.
        begin(tx, person)?;
        if let Entry::Customer(customer) = &mut entry
            && customer.id.is_none()
        {
            customer.id = Some(directory::next_customer_id(tx)?);
        }
        let id = N::id_of(&entry);
        if let Some(id) = &id {
            match present::<N>(tx, id) {
                Ok(_) => {
                    let word = N::WORD;
                    return Err(Error::Conflict(format!("the {word} {id} is there already")));
                }
                Err(Error::Missing(_)) => {}
                Err(other) => return Err(other),
            }
        }
        journal::apply(tx, &by, &entry, now)?;
        // Without an id the entry was refused.
        let id = id.ok_or_else(|| Error::field("id", "is needed"))?;
        let item = N::find(tx, &id)?;
        Ok((id, item))
    });
    Ok(made.await?)
}

/// Changes one that is there now.
pub(crate) async fn change<N: Noun>(app: &App, by: &Principal, id: N::Id, mut wanted: N) -> Result<N::Item, Problem> {
    match wanted.id() {
        Some(given) if *given != id => return Err(Error::field("id", "is not the one of the address").into()),
        given => *given = Some(id.clone()),
    }
    let entry = ready(app, by, wanted.entry()).await?;
    let (person, by, now) = (by.person, by.by(), app.clock.now());
    let changed = app.db.write(move |tx| {
        begin(tx, person)?;
        present::<N>(tx, &id)?;
        journal::apply(tx, &by, &entry, now)?;
        N::find(tx, &id)
    });
    Ok(changed.await?)
}

/// Ends one that is there now; its history stays.
pub(crate) async fn end<N: Noun>(app: &App, by: &Principal, id: N::Id) -> Result<(), Problem> {
    let (person, by, now) = (by.person, by.by(), app.clock.now());
    let ended = app.db.write(move |tx| {
        begin(tx, person)?;
        present::<N>(tx, &id)?;
        journal::apply(tx, &by, &Entry::Remove(N::removal(id)), now)
    });
    ended.await?;
    Ok(())
}

/// Hashes the password of a user, if the entry has one: slow, so before the write, and on one of the few places for it.
async fn ready(app: &App, by: &Principal, mut entry: Entry) -> Result<Entry, Problem> {
    if let Entry::User(user) = &entry
        && !user.password.is_absent()
        && user.id.is_some()
        && user.id == barred(app, by).await?
    {
        by.in_person()?;
    }
    let key = match &entry {
        Entry::User(user) if matches!(user.password, Patch::Set(_)) => user.id.clone(),
        _ => {
            directory::prepare(&mut entry, None, &[0; 16])?;
            return Ok(entry);
        }
    };
    let key = key.unwrap_or_default();
    let stored = app.db.read(move |tx| directory::stored(tx, &key)).await?;
    let (place, salt) = (app.hasher.place().await?, app.chance.salt());
    let work = move || directory::prepare(&mut entry, stored.as_ref(), &salt).map(|()| entry);
    let (prepared, _place) = place.work(work).await?;
    Ok(prepared?)
}

/// The password of a user hashed, for an entry of the directory; one that the user has already is no change.
pub(crate) async fn hashed(
    app: &App,
    by: &Principal,
    key: &str,
    login: Option<&String>,
    password: String,
) -> Result<Patch<Secret>, Problem> {
    let user = entry::User {
        id: Some(key.to_owned()),
        login: login.map_or(Patch::Absent, |login| Patch::Set(login.clone())),
        password: Patch::Set(Secret(password)),
        ..entry::User::default()
    };
    Ok(match ready(app, by, Entry::User(user)).await? {
        Entry::User(user) => user.password_hash,
        _ => Patch::Absent,
    })
}

/// A text as one segment of a path (RFC 3986, 3.3): all but unreserved characters are escaped.
#[must_use]
pub(crate) fn segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push_str(&campanile_core::secret::hex(&[byte]).to_ascii_uppercase());
        }
    }
    out
}
