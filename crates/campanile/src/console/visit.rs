//! Who asks for a page: a request of somebody who is signed in, and what is read of them.

use std::ops::Deref;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Redirect, Response};
use campanile_core::Error;
use campanile_core::account::profile::Profile;
use campanile_core::first::Steps;
use campanile_core::inbox::{Banners, Counts};
use campanile_core::policy::{self, Act};
use campanile_core::rights::Rights;
use campanile_core::time::Moment;
use http::request::Parts;
use http::{HeaderMap, HeaderName, Method, header};

use super::page::OF_THE_MOMENT;
use super::voice::Voice;
use super::when::Zone;
use super::words::Words;
use crate::app::App;
use crate::auth::{Principal, cookie_value};
use crate::bell;
use crate::person::{self, Person};
use crate::problem::{Kind, Problem};

/// The cookie in which a script keeps the browser's time zone, for readers whose profile names none.
const ZONE_COOKIE: &str = "campanile_zone";
/// The same as a header, from pages of other sites, where there is no cookie.
const ZONE: HeaderName = HeaderName::from_static("campanile-zone");
/// Asks for what a page is about, without bar and frame: an element shows it (`static/embed`).
const PART: HeaderName = HeaderName::from_static("campanile-part");

/// A request of somebody who is signed in, before anything is read of them: a page that looks at the inbox counts it
/// by that. Who is not signed in is led to the log-in, and back afterwards.
pub(super) struct Visit {
    /// Who, and by what.
    pub(super) principal: Principal,
    /// Now.
    pub(super) now: Moment,
    at: String,
    accepted: Option<String>,
    zone: Option<String>,
    is_part: bool,
    /// Where the log-in leads back to; `None` for a form, and for who came by a header.
    wanted: Option<String>,
}

impl FromRequestParts<Arc<App>> for Visit {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Response> {
        let whole = || parts.uri.path_and_query().map_or("/", |at| at.as_str()).to_owned();
        // A program that has credentials of its own has no use for a log-in.
        let is_led = parts.method == Method::GET && !parts.headers.contains_key(header::AUTHORIZATION);
        let wanted = is_led.then(whole);
        let principal = match Principal::from_request_parts(parts, app).await {
            Ok(principal) => principal,
            Err(problem) => return Err(refused(wanted.as_deref(), problem)),
        };
        let headers = &parts.headers;
        Ok(Self {
            principal,
            now: app.clock.now(),
            at: address_of(parts),
            accepted: accepted(headers).map(str::to_owned),
            zone: zone(headers).map(str::to_owned),
            is_part: headers.contains_key(PART),
            wanted,
        })
    }
}

impl Visit {
    /// The person who asks.
    pub(super) async fn person(&self, app: &App) -> Result<Person, Response> {
        let found = person::find(app, self.principal.person).await;
        found.map_err(|error| self.refused(error.into()))
    }

    /// The same with the numbers of their bell.
    pub(super) async fn viewer_with_counts(self, app: &App) -> Result<Viewer, Response> {
        let person = self.person(app).await?;
        let counted = bell::count(app, self.principal.person, self.now).await;
        let counted = counted.map_err(|problem| self.refused(problem))?.value;
        let viewer = self.viewer(person, counted.counts, counted.revision);
        Ok(viewer.with_banners(counted.banners))
    }

    /// How pages speak to a person.
    pub(super) fn voice(&self, profile: &Profile) -> Voice {
        // A page of another site has a language, and what stands in it has the same.
        let chosen = profile.locale.as_deref().filter(|_| !self.principal.is_elsewhere());
        Voice {
            words: Words::choose(chosen, self.accepted.as_deref()),
            zone: Zone::choose([profile.zone.as_deref(), self.zone.as_deref()]),
            now: self.now,
        }
    }

    /// With what was read, the inbox at its revision.
    pub(super) fn viewer(self, person: Person, counts: Counts, revision: i64) -> Viewer {
        Viewer {
            voice: self.voice(&person.profile),
            principal: self.principal,
            profile: person.profile,
            rights: person.rights,
            steps: person.steps,
            counts,
            banners: None,
            revision,
            at: self.at,
            is_part: self.is_part,
        }
    }

    /// The answer where the person cannot be read: who is missing was deactivated a moment ago.
    pub(super) fn refused(&self, problem: Problem) -> Response {
        match problem.kind {
            Kind::Missing => refused(self.wanted.as_deref(), Error::Unauthenticated.into()),
            _ => problem.into_response(),
        }
    }
}

/// Leads to the log-in who is not signed in, and back to the page that was wanted. A form is not led away, or what was
/// typed would be gone: it is answered with what stands in it (see `problems`).
fn refused(wanted: Option<&str>, problem: Problem) -> Response {
    let Some(wanted) = wanted.filter(|_| problem.kind == Kind::Unauthenticated) else {
        return problem.into_response();
    };
    let next: String = form_urlencoded::Serializer::new(String::new())
        .append_pair("next", wanted)
        .finish();
    Redirect::to(&format!("/login?{next}")).into_response()
}

/// The address of the page that is asked for, without what is of the moment.
fn address_of(parts: &Parts) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    let asked = form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
    query.extend_pairs(asked.filter(|(name, _)| !OF_THE_MOMENT.contains(&&**name) && name != "cursor"));
    let path = parts.uri.path();
    match query.finish() {
        query if query.is_empty() => path.to_owned(),
        query => format!("{path}?{query}"),
    }
}

/// The time zone of a browser.
fn zone(headers: &HeaderMap) -> Option<&str> {
    let sent = headers.get(ZONE).and_then(|value| value.to_str().ok());
    sent.or_else(|| cookie_value(headers, ZONE_COOKIE))
}

/// The languages that a browser asks for.
pub(super) fn accepted(headers: &HeaderMap) -> Option<&str> {
    headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok())
}

/// The person who looks at a page.
pub(super) struct Viewer {
    /// Who, and by what.
    pub(super) principal: Principal,
    /// The profile.
    pub(super) profile: Arc<Profile>,
    /// What they hold.
    pub(super) rights: Arc<Rights>,
    /// How pages speak to them. Reached through the viewer.
    pub(super) voice: Voice,
    /// The numbers of the bell.
    pub(super) counts: Counts,
    /// What stands at the top of every page.
    pub(super) banners: Option<Arc<Banners>>,
    /// The revision at which the inbox was counted.
    pub(super) revision: i64,
    /// The address of this page, to come back to it without its place in a list and what was just done.
    pub(super) at: String,
    /// Whether only what the page is about is asked for.
    pub(super) is_part: bool,
    /// How far the installation is; only for who administers it.
    pub(super) steps: Option<Steps>,
}

impl FromRequestParts<Arc<App>> for Viewer {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Response> {
        let visit = Visit::from_request_parts(parts, app).await?;
        visit.viewer_with_counts(app).await
    }
}

impl Deref for Viewer {
    type Target = Voice;

    fn deref(&self) -> &Voice {
        &self.voice
    }
}

impl Viewer {
    /// With what stands at the top of every page.
    #[must_use]
    pub(super) fn with_banners(mut self, banners: Option<Arc<Banners>>) -> Self {
        self.banners = banners;
        self
    }

    /// Whether the first steps are of use to this person: until a message went to others than them.
    #[must_use]
    pub(super) fn is_starting(&self) -> bool {
        self.steps.is_some_and(|steps| !steps.is_done())
    }

    /// Whether something is to be offered. A page that is asked for by address is judged again by its own handler.
    #[must_use]
    pub(super) fn may(&self, act: &Act<'_>) -> bool {
        policy::may(&self.rights, act).is_ok()
    }

    /// Whether there is anything that this person may send.
    #[must_use]
    pub(super) fn may_send(&self) -> bool {
        policy::may_send_anything(&self.rights)
    }

    /// Whether this person looks after announcements.
    #[must_use]
    pub(super) fn may_announce(&self) -> bool {
        policy::may_announce(&self.rights)
    }

    /// Whether the pages of messages have anything for this person.
    #[must_use]
    pub(super) fn has_messages(&self) -> bool {
        self.may(&Act::ListSent)
    }

    /// Whether there can be any saved destination that this person may see.
    #[must_use]
    pub(super) fn has_endpoints(&self) -> bool {
        policy::may_see_any_endpoint(&self.rights)
    }

    /// Whether there is any API of which this person may know.
    #[must_use]
    pub(super) fn has_apis(&self) -> bool {
        policy::may_see_any_api(&self.rights)
    }

    /// Whether the pages of the directory are open to this person.
    #[must_use]
    pub(super) fn has_directory(&self) -> bool {
        self.may(&Act::ReadDirectory)
    }

    /// Whether the journal and sites are open to this person.
    #[must_use]
    pub(super) fn operates(&self) -> bool {
        self.may(&Act::Operate)
    }

    /// What the heading of a page is: on a page of another site it is none of the first order.
    #[must_use]
    pub(super) fn heading(&self) -> &'static str {
        if self.is_part { "h2" } else { "h1" }
    }

    /// What the bell says to who does not see it.
    #[must_use]
    pub(super) fn bell(&self) -> String {
        let (unread, unseen) = (self.counts.unread, self.counts.unseen);
        self.n(if unseen > 0 { "bell-unseen" } else { "bell-unread" }, unread)
    }

    /// The two letters of the person's picture.
    #[must_use]
    pub(super) fn initials(&self) -> String {
        let mut words = self.profile.name.split_whitespace();
        let first = words.next().and_then(|word| word.chars().next());
        let last = words.next_back().and_then(|word| word.chars().next());
        first.into_iter().chain(last).flat_map(char::to_uppercase).collect()
    }
}
