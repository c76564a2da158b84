//! What belongs to the person who asks, as the API and the console change it: profile, personal tokens, ticket,
//! sessions from log-in to log-out. Each change has its row in the journal.

use campanile_core::Result as Ruled;
use campanile_core::account::profile::{self, Profile};
use campanile_core::account::{session, ticket, token};
use campanile_core::id::PersonId;
use campanile_core::journal::{self, Action, By, Deed, Kind, Via};
use campanile_core::message::sent::person_key;
use campanile_core::outbox::wish::{self, Standing};
use campanile_core::time::Moment;
use campanile_store::Tx;
use http::HeaderMap;
use serde_json::{Value, json};

use crate::app::App;
use crate::auth::{self, Client, Principal};
use crate::problem::Problem;

/// Notes what somebody did to what is their own; before and after, where there is anything to be said.
pub(crate) fn noted(
    tx: &mut Tx<'_>,
    by: &By,
    (action, kind): (Action, Kind),
    (before, after): (Option<Value>, Option<Value>),
    now: Moment,
) -> Ruled<()> {
    // Done in the name of somebody, it is theirs.
    let owner = by.acting_for.or(by.person);
    let object = owner.map(|owner| person_key(tx, owner)).transpose()?;
    let deed = Deed {
        before,
        after,
        ..Deed::new(action, kind, object.unwrap_or_default())
    };
    journal::record(tx, by, &deed, now)?;
    Ok(())
}

/// Changes one's own profile.
///
/// # Errors
/// `Invalid` names every field that cannot stay so.
pub(crate) async fn change_profile(app: &App, by: &Principal, change: profile::Change) -> Ruled<Profile> {
    let (person, by, now) = (by.person, by.by(), app.clock.now());
    let work = move |tx: &mut Tx<'_>| {
        // Locked before looking: somebody else may be changing the same person.
        tx.tally()?;
        let before = profile::find(tx, person)?;
        let after = profile::change(tx, person, change, now)?;
        if before != after {
            let states = (Some(profile_told(&before)), Some(profile_told(&after)));
            noted(tx, &by, (Action::Changed, Kind::User), states, now)?;
        }
        Ok(after)
    };
    app.db.write(work).await
}

fn profile_told(profile: &Profile) -> Value {
    json!({"name": profile.name, "email": profile.email, "locale": profile.locale, "zone": profile.zone})
}

/// Switches one's mail on or off; how the person stands to it then.
///
/// # Errors
/// `Conflict` where an administrator switched it off.
pub(crate) async fn set_mail(app: &App, by: &Principal, on: bool) -> Ruled<Standing> {
    let (person, by, now) = (by.person, by.by(), app.clock.now());
    let work = move |tx: &mut Tx<'_>| {
        let before = wish::standing(tx, person, now)?;
        let after = if on {
            wish::open(tx, person, now)?
        } else {
            wish::unsubscribe(tx, person, now)?
        };
        let sources = |of: &Standing| of.hindrances.iter().map(|one| one.source).collect::<Vec<_>>();
        let (was, is) = (sources(&before), sources(&after));
        if was != is {
            let action = if on { Action::Ended } else { Action::Created };
            let deed = Deed::new(action, Kind::Suppression, after.address.clone().unwrap_or_default());
            let deed = deed.before(json!({"sources": was})).after(json!({"sources": is}));
            journal::record(tx, &by, &deed, now)?;
        }
        Ok(after)
    };
    app.db.jot(work).await
}

/// Makes a personal token; it, and its text, which is told this once. A token makes no token: one that leaked can be
/// revoked, and what it made would stay.
///
/// # Errors
/// As [`token::create`], and `Denied` for who came by a token.
pub(crate) async fn make_token(
    app: &App,
    by: &Principal,
    name: String,
    expires_at: Option<Moment>,
) -> Result<(token::Token, String), Problem> {
    by.in_person()?;
    let (person, by, random, now) = (by.person, by.by(), app.chance.bytes(), app.clock.now());
    let work = move |tx: &mut Tx<'_>| {
        let made = token::create(tx, person, &name, expires_at, &random, now)?;
        note_token(tx, &by, Action::Created, &made.0, now)?;
        Ok::<_, campanile_core::Error>(made)
    };
    Ok(app.db.jot(work).await?)
}

/// Revokes a personal token.
///
/// # Errors
/// `Missing`.
pub(crate) async fn revoke_token(app: &App, by: &Principal, id: String) -> Result<(), Problem> {
    let (person, by, now) = (by.person, by.by(), app.clock.now());
    let work = move |tx: &mut Tx<'_>| {
        let found = token::list(tx, person)?.into_iter().find(|token| token.id == id);
        token::revoke(tx, person, &id)?;
        match found {
            Some(token) => note_token(tx, &by, Action::Ended, &token, now),
            None => Ok(()),
        }
    };
    Ok(app.db.jot(work).await?)
}

/// Revokes all personal tokens.
///
/// # Errors
/// Those of the database.
pub(crate) async fn revoke_tokens(app: &App, by: &Principal) -> Result<(), Problem> {
    let (person, by, now) = (by.person, by.by(), app.clock.now());
    let work = move |tx: &mut Tx<'_>| {
        let found = token::list(tx, person)?;
        token::revoke_all(tx, person)?;
        for token in &found {
            note_token(tx, &by, Action::Ended, token, now)?;
        }
        Ok::<_, campanile_core::Error>(())
    };
    Ok(app.db.jot(work).await?)
}

/// Notes that a token was made or revoked, by its owner or in their name.
pub(crate) fn note_token(tx: &mut Tx<'_>, by: &By, action: Action, token: &token::Token, now: Moment) -> Ruled<()> {
    let told = Some(json!({"id": token.id, "name": token.name, "expires_at": token.expires_at}));
    let states = if action == Action::Ended {
        (told, None)
    } else {
        (None, told)
    };
    noted(tx, by, (action, Kind::Token), states, now)
}

/// Another ticket; the one before is void.
///
/// # Errors
/// Those of the database.
pub(crate) async fn renew_ticket(app: &App, by: &Principal) -> Result<String, Problem> {
    let (person, by, key, now) = (by.person, by.by(), app.key.clone(), app.clock.now());
    let work = move |tx: &mut Tx<'_>| {
        let ticket = ticket::renew(tx, &key, person)?;
        noted(tx, &by, (Action::Renewed, Kind::Ticket), (None, None), now)?;
        Ok::<_, campanile_core::Error>(ticket)
    };
    Ok(app.db.jot(work).await?)
}

/// Where somebody signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    /// By the form of the console.
    Console,
    /// By the API.
    Api,
    /// By the console messaging contract.
    Management,
}

impl Door {
    const fn name(self) -> &'static str {
        match self {
            Self::Console => "console",
            Self::Api => "api",
            Self::Management => "management",
        }
    }
}

/// Opens a session for a person who has shown login and password.
///
/// # Errors
/// Those of the database.
pub(crate) async fn open_session(
    app: &App,
    person: PersonId,
    client: Client,
    door: Door,
) -> Result<session::Opened, Problem> {
    let (random, now) = (app.chance.bytes(), app.clock.now());
    let lifetime_ms = app.settings.session_lifetime.as_millis() as i64;
    let work = move |tx: &mut Tx<'_>| {
        let address = client.address.to_string();
        let origin = session::Origin {
            agent: &client.agent,
            address: &address,
        };
        let opened = session::open(tx, person, origin, &random, now, lifetime_ms)?;
        let told = json!({"door": door.name(), "agent": opened.agent, "expires_at": opened.expires_at});
        let by = by(person, Via::Basic, &client);
        noted(tx, &by, (Action::Created, Kind::Session), (None, Some(told)), now)?;
        Ok::<_, campanile_core::Error>(opened)
    };
    Ok(app.db.jot(work).await?)
}

/// Ends the session of the cookie, if there is one.
///
/// # Errors
/// Those of the database.
pub(crate) async fn log_out(app: &App, headers: &HeaderMap, client: Client) -> Result<(), Problem> {
    let Some(secret) = auth::session_secret(app, headers) else {
        return Ok(());
    };
    let (secret, now) = (secret.to_owned(), app.clock.now());
    let work = move |tx: &mut Tx<'_>| match session::find(tx, &secret, now)? {
        Some(alive) => end(
            tx,
            &by(alive.person, Via::Session, &client),
            alive.person,
            &alive.id,
            now,
        ),
        None => Ok(()),
    };
    app.db.jot(work).await?;
    Ok(())
}

/// Somebody who comes or goes.
fn by(person: PersonId, via: Via, client: &Client) -> By {
    By {
        person: Some(person),
        acting_for: None,
        origin: journal::Origin {
            via: Some(via),
            address: Some(client.address),
            token: None,
        },
    }
}

/// Ends one of one's sessions.
///
/// # Errors
/// `Missing`.
pub(crate) async fn end_session(app: &App, by: &Principal, id: String) -> Result<(), Problem> {
    let (person, by, now) = (by.person, by.by(), app.clock.now());
    let work = move |tx: &mut Tx<'_>| end(tx, &by, person, &id, now);
    Ok(app.db.jot(work).await?)
}

fn end(tx: &mut Tx<'_>, by: &By, person: PersonId, id: &str, now: Moment) -> Ruled<()> {
    let found = session::list(tx, person, now)?.into_iter().find(|one| one.id == id);
    session::close(tx, person, id)?;
    let told = found.map(|one| json!({"created_at": one.created_at, "agent": one.agent, "address": one.address}));
    noted(tx, by, (Action::Ended, Kind::Session), (told, None), now)
}

/// Ends all of one's sessions but that of the request; how many.
///
/// # Errors
/// Those of the database.
pub(crate) async fn end_other_sessions(app: &App, principal: &Principal) -> Result<u64, Problem> {
    let (person, by, now) = (principal.person, principal.by(), app.clock.now());
    let kept = principal.session().map(str::to_owned);
    let work = move |tx: &mut Tx<'_>| {
        let ended = session::close_others(tx, person, kept.as_deref())?;
        if ended > 0 {
            let told = Some(json!({"sessions": ended}));
            noted(tx, &by, (Action::Ended, Kind::Session), (told, None), now)?;
        }
        Ok::<_, campanile_core::Error>(ended)
    };
    Ok(app.db.jot(work).await?)
}
