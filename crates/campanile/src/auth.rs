//! Who is it? Passwords, sessions, personal tokens, tickets and tokens of sites at the door of every interface.
//!
//! Outside of `api`, because the compatible interfaces and the console let people in by the same rules.

mod credentials;
pub(crate) mod embedded;
pub(crate) mod site;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use axum::extract::FromRequestParts;
use campanile_core::account::{self, session, ticket, token};
use campanile_core::id::PersonId;
use campanile_core::journal::{self, By, Origin};
use campanile_core::rights::Rights;
use campanile_core::secret::{self, Hash};
use campanile_core::time::Moment;
use http::request::Parts;
use http::{Extensions, HeaderMap, header};

use crate::address::{Peer, client_address};
use crate::app::App;
use crate::known;
use crate::pass::session_cookie;
use crate::problem::{Kind, Problem};

pub use credentials::{Credentials, authorization, cookie_value};

/// Characters of the public name of a personal token, or of a site, that the journal keeps: they tell them apart.
const TOKEN_CHARS: usize = 8;

/// Who makes a request, and how they showed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The person.
    pub person: PersonId,
    /// By what.
    pub via: Via,
    /// The client's address, behind trusted proxies; `None` where no request is known.
    pub address: Option<IpAddr>,
}

/// How somebody showed who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Via {
    /// A session with this public name: a cookie, or a JWT of the console messaging contract.
    Session(String),
    /// A personal token with this public name.
    Token(String),
    /// Login and password with the request itself.
    Basic,
    /// A ticket of the UI messages contract.
    Ticket,
    /// A token that an application has signed which embeds us; both by their public names.
    Site {
        /// The application.
        site: String,
        /// What it signed the token with.
        key: String,
    },
}

impl Principal {
    const fn new(person: PersonId, via: Via) -> Self {
        Self {
            person,
            via,
            address: None,
        }
    }

    /// The same, from an address. What is remembered of a secret is of none: the next request may come from another.
    #[must_use]
    pub(crate) fn at(self, address: IpAddr) -> Self {
        Self {
            address: Some(address),
            ..self
        }
    }

    /// As the journal has it.
    #[must_use]
    pub fn by(&self) -> By {
        let via = match self.via {
            Via::Session(_) => journal::Via::Session,
            Via::Token(_) => journal::Via::Token,
            Via::Basic => journal::Via::Basic,
            Via::Ticket => journal::Via::Ticket,
            Via::Site { .. } => journal::Via::Site,
        };
        let token = match &self.via {
            Via::Token(id) | Via::Site { site: id, .. } => Some(id.chars().take(TOKEN_CHARS).collect()),
            _ => None,
        };
        By {
            person: Some(self.person),
            acting_for: None,
            origin: Origin {
                via: Some(via),
                address: self.address,
                token,
            },
        }
    }

    /// What the person holds now.
    pub async fn rights(&self, app: &App) -> Result<Rights, Problem> {
        let person = self.person;
        Ok(app.db.read(move |tx| Rights::load(tx, person)).await?)
    }

    /// `Denied` for who came by a personal token, a ticket or a token of a site. A token that leaked can be revoked;
    /// what it made, or what it learnt of other ways in, would let its holder stay.
    pub fn in_person(&self) -> Result<(), Problem> {
        match self.via {
            Via::Session(_) | Via::Basic => Ok(()),
            Via::Token(_) | Via::Ticket | Via::Site { .. } => Err(Problem::new(
                Kind::Denied,
                "not by a personal token: sign in, or send login and password",
            )),
        }
    }

    /// Whether they are on a page of another site.
    #[must_use]
    pub const fn is_elsewhere(&self) -> bool {
        matches!(self.via, Via::Site { .. })
    }

    /// The public name of the session, where it is one.
    #[must_use]
    pub fn session(&self) -> Option<&str> {
        match &self.via {
            Via::Session(id) => Some(id),
            _ => None,
        }
    }
}

/// A header `Authorization` decides alone. Only without one is the cookie looked at: what authenticates by a header
/// is not checked for the site that it comes from.
impl FromRequestParts<Arc<App>> for Principal {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        if let Some(found) = by_header(app, parts).await? {
            return Ok(found);
        }
        let found = match session_secret(app, &parts.headers) {
            Some(secret) => by_session(app, secret).await?.ok_or_else(|| nobody(ENDED)),
            None => Err(nobody(NEEDED)),
        };
        Ok(found?.at(address_of(app, &parts.extensions, &parts.headers)))
    }
}

/// The person of the header `Authorization`; `None` without one.
pub async fn by_header(app: &Arc<App>, parts: &Parts) -> Result<Option<Principal>, Problem> {
    let from = address_of(app, &parts.extensions, &parts.headers);
    let found = match authorization(&parts.headers) {
        Credentials::None => return Ok(None),
        // Personal tokens hold no dot.
        Credentials::Bearer(text) if text.contains('.') => site::by_token(app, parts, text).await,
        Credentials::Bearer(text) => match by_token(app, text).await? {
            Some(found) => Ok(found),
            None => Err(no_token(app, text).await?),
        },
        Credentials::Basic(login, password) => by_basic(app, &login, password, from).await,
        Credentials::Other => Err(nobody(UNREADABLE)),
    };
    Ok(Some(found?.at(from)))
}

const NEEDED: &str = "sign in first: no session, token or password came with the request";
const ENDED: &str = "the session has ended; sign in again";
const UNREADABLE: &str =
    "the header `Authorization` cannot be read: it is `Bearer` and a token, or `Basic` with login and password";
/// Which of the two is wrong is not said: it would tell who is there.
const WRONG: &str = "the login or the password is wrong";
const EXPIRED: &str = "the token has expired; make a new one";
const UNKNOWN: &str = "there is no such token: it is mistyped, or was revoked";

fn nobody(why: &str) -> Problem {
    Problem::new(Kind::Unauthenticated, why)
}

/// Why a token is none. Who holds an expired one may know that it was one.
async fn no_token(app: &App, text: &str) -> Result<Problem, Problem> {
    let (text, now) = (text.to_owned(), app.clock.now());
    let expired = app.db.read(move |tx| token::has_expired(tx, &text, now)).await?;
    Ok(nobody(if expired { EXPIRED } else { UNKNOWN }))
}

/// The value of the session's cookie.
#[must_use]
pub fn session_secret<'h>(app: &App, headers: &'h HeaderMap) -> Option<&'h str> {
    cookie_value(headers, session_cookie(&app.origin))
}

/// Where a request comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// The client's address, behind trusted proxies.
    pub address: IpAddr,
    /// The client's name for itself; empty without one.
    pub agent: String,
}

impl Client {
    /// Out of a request. One that came over no connection of [`crate::serve`] is of no address, 0.0.0.0.
    #[must_use]
    pub fn of(app: &App, extensions: &Extensions, headers: &HeaderMap) -> Self {
        let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
        Self {
            address: address_of(app, extensions, headers),
            agent: agent.unwrap_or_default().to_owned(),
        }
    }
}

/// The client's address, behind trusted proxies.
pub(crate) fn address_of(app: &App, extensions: &Extensions, headers: &HeaderMap) -> IpAddr {
    let peer = extensions
        .get::<Peer>()
        .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip());
    client_address(peer, headers, &app.settings.trusted_proxies)
}

impl FromRequestParts<Arc<App>> for Client {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Self::Rejection> {
        Ok(Self::of(app, &parts.extensions, &parts.headers))
    }
}

/// Bytes of who showed a secret, about, with the secret's hash.
const REMEMBERED: usize = 192;
/// How long it is remembered, so that uses are noted.
const KEEP_MS: i64 = 30_000;

fn remember(app: &App, hash: Hash, principal: &Principal, state: Option<u64>, until: Moment) {
    app.known.put(hash, principal.clone(), REMEMBERED, state, until);
}

/// The person of a session's cookie.
pub async fn by_session(app: &Arc<App>, secret: &str) -> Result<Option<Principal>, Problem> {
    // What is remembered was shown at some door: only a secret of this one's shape is looked for.
    if !secret::is_session(secret) {
        return Ok(None);
    }
    let (hash, state, now) = (Hash::of(secret), known::state(app), app.clock.now());
    if let Some(known) = app.known.get(&hash, state, now) {
        return Ok(Some(known));
    }
    let secret = secret.to_owned();
    let Some(alive) = app.db.read(move |tx| session::find(tx, &secret, now)).await? else {
        return Ok(None);
    };
    Ok(Some(found_session(app, hash, alive, state, now)))
}

/// The person of a session's public name, which came signed. `signed` is the secret that says so, by which it is
/// remembered: the name is none.
pub async fn by_signed_session(app: &Arc<App>, signed: &str, id: &str) -> Result<Option<Principal>, Problem> {
    let (hash, state, now) = (Hash::of(signed), known::state(app), app.clock.now());
    if let Some(known) = app.known.get(&hash, state, now) {
        return Ok(Some(known));
    }
    let id = id.to_owned();
    let Some(alive) = app.db.read(move |tx| session::find_by_id(tx, &id, now)).await? else {
        return Ok(None);
    };
    Ok(Some(found_session(app, hash, alive, state, now)))
}

/// Remembers a session that was looked up, and notes its use.
fn found_session(app: &Arc<App>, hash: Hash, alive: session::Alive, state: Option<u64>, now: Moment) -> Principal {
    let expires_at = alive.expires_at;
    let principal = used_session(app, alive, now);
    remember(app, hash, &principal, state, expires_at.min(now.plus_ms(KEEP_MS)));
    principal
}

fn used_session(app: &Arc<App>, alive: session::Alive, now: Moment) -> Principal {
    if account::is_touch_due(Some(alive.used_at), now) {
        let id = alive.id.clone();
        record(app, move |tx| session::touch(tx, &id, now));
    }
    Principal::new(alive.person, Via::Session(alive.id))
}

/// The person of a personal token.
pub async fn by_token(app: &Arc<App>, text: &str) -> Result<Option<Principal>, Problem> {
    // See `by_session`.
    if !secret::is_token(text) {
        return Ok(None);
    }
    let (hash, state, now) = (Hash::of(text), known::state(app), app.clock.now());
    if let Some(known) = app.known.get(&hash, state, now) {
        return Ok(Some(known));
    }
    let text = text.to_owned();
    let Some(alive) = app.db.read(move |tx| token::find(tx, &text, now)).await? else {
        return Ok(None);
    };
    if account::is_touch_due(alive.used_at, now) {
        let id = alive.id.clone();
        record(app, move |tx| token::touch(tx, &id, now));
    }
    let expires_at = alive.expires_at.unwrap_or(Moment::NEVER);
    let principal = Principal::new(alive.person, Via::Token(alive.id));
    remember(app, hash, &principal, state, expires_at.min(now.plus_ms(KEEP_MS)));
    Ok(Some(principal))
}

/// The person of a ticket.
pub async fn by_ticket(app: &App, text: &str) -> Result<Option<Principal>, Problem> {
    let text = text.to_owned();
    let person = app.db.read(move |tx| ticket::find(tx, &text)).await?;
    Ok(person.map(|person| Principal::new(person, Via::Ticket)))
}

/// The person of a login and password that come with every request: a verified pair is remembered for a minute.
pub async fn by_basic(app: &App, login: &str, password: String, address: IpAddr) -> Result<Principal, Problem> {
    let key = login.to_owned();
    let candidate = app.db.read(move |tx| account::candidate(tx, &key)).await?;
    let known = candidate
        .as_ref()
        .and_then(|found| Some((found.person, found.phc.clone()?)));
    if let Some((person, phc)) = &known
        && app.hasher.remembers(&password, phc, app.clock.now())
    {
        return Ok(Principal::new(*person, Via::Basic));
    }
    let person = verify(app, login, candidate, password.clone(), address).await?;
    if let Some((_, phc)) = known {
        app.hasher.remember(&password, &phc, app.clock.now());
    }
    Ok(Principal::new(person, Via::Basic))
}

/// The person of a login and password: 401 where they are wrong, in the same time whether or not the login exists, and
/// 429 after too many failures.
pub async fn by_password(app: &App, login: &str, password: String, address: IpAddr) -> Result<PersonId, Problem> {
    let key = login.to_owned();
    let candidate = app.db.read(move |tx| account::candidate(tx, &key)).await?;
    verify(app, login, candidate, password, address).await
}

/// Verifies a password against a candidate, and counts the outcome.
pub async fn verify(
    app: &App,
    login: &str,
    candidate: Option<account::Candidate>,
    password: String,
    address: IpAddr,
) -> Result<PersonId, Problem> {
    let place = app.hasher.place().await?;
    app.throttle.check(login, address, app.clock.now())?;
    let (person, phc) = candidate.map_or((None, None), |found| (Some(found.person), found.phc));
    let (is_right, _place) = place.verify(password, phc).await?;
    let Some(person) = person.filter(|_| is_right) else {
        app.throttle.failed(login, address, app.clock.now());
        return Err(nobody(WRONG));
    };
    app.throttle.succeeded(login);
    Ok(person)
}

/// `Set-Cookie` for a session that was opened.
#[must_use]
pub fn cookie(app: &App, secret: &str) -> String {
    let name = session_cookie(&app.origin);
    let secure = if app.is_secure() { "; Secure" } else { "" };
    let seconds = app.settings.session_lifetime.as_secs();
    format!("{name}={secret}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}")
}

/// `Set-Cookie` that takes the session's cookie away.
#[must_use]
pub fn no_cookie(app: &App) -> String {
    let name = session_cookie(&app.origin);
    let secure = if app.is_secure() { "; Secure" } else { "" };
    format!("{name}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0{secure}")
}

/// Records a use beside the request, which does not wait for it.
fn record(
    app: &Arc<App>,
    work: impl FnOnce(&mut campanile_store::Tx<'_>) -> campanile_core::Result<()> + Send + 'static,
) {
    let db = app.db.clone();
    app.spawn(async move {
        if let Err(error) = db.jot(work).await {
            tracing::debug!(%error, "the use of a session or token was not recorded");
        }
    });
}
