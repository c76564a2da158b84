//! Who reads a page, and what every page has: top bar, bell, texts, times, a word on what was just done.

use std::borrow::Borrow;
use std::ops::Deref;
use std::sync::Arc;

use askama::Template;
use axum::extract::FromRequestParts;
use axum::response::{Html, IntoResponse, Redirect, Response};
use campanile_core::account::profile::{self, Profile};
use campanile_core::directory::list::{self, Kind as Things, Paging, ThingFilter};
use campanile_core::first::Steps;
use campanile_core::inbox::{self, Counts};
use campanile_core::message::Importance;
use campanile_core::policy::{self, Act};
use campanile_core::rights::{Letter, Permission, Rights};
use campanile_core::time::Moment;
use http::request::Parts;
use http::{HeaderMap, Method, header};

use super::form::{self, Fields};
use super::when::{self, Zone};
use super::words::Words;
use crate::app::App;
use crate::auth::{Principal, cookie_value};
use crate::problem::{Kind, Problem};

/// The cookie in which a script keeps the browser's time zone, for readers whose profile names none.
const ZONE_COOKIE: &str = "campanile_zone";
/// The cookie in which the chosen environment stays.
pub(super) const ENVIRONMENT_COOKIE: &str = "campanile_environment";

/// An environment, as the switcher shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Environment {
    /// Its id outside.
    pub(super) id: String,
    /// Its name.
    pub(super) name: String,
}

/// The person who reads a page. Who is not signed in is led to the log-in, and back afterwards.
pub(super) struct Reader {
    /// Who, and by what.
    pub(super) principal: Principal,
    /// The profile.
    pub(super) profile: Profile,
    /// What they hold.
    pub(super) rights: Rights,
    /// Texts in their language.
    pub(super) words: Words,
    /// Their time zone.
    pub(super) zone: Zone,
    /// The numbers of the bell.
    pub(super) counts: Counts,
    /// The revision at which the inbox was counted.
    pub(super) revision: i64,
    /// Now.
    pub(super) now: Moment,
    /// All environments, at most 100.
    pub(super) environments: Vec<Environment>,
    /// The chosen one's id.
    pub(super) environment: String,
    /// How far the installation is; only for who administers it.
    pub(super) steps: Option<Steps>,
}

impl FromRequestParts<Arc<App>> for Reader {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Response> {
        let principal = match Principal::from_request_parts(parts, app).await {
            Ok(principal) => principal,
            Err(problem) if problem.kind == Kind::Unauthenticated => return Err(log_in(parts)),
            Err(problem) => return Err(problem.into_response()),
        };
        match Self::load(app, principal, &parts.headers).await {
            Ok(reader) => Ok(reader),
            // Deactivated a moment ago.
            Err(problem) if matches!(problem.kind, Kind::Unauthenticated | Kind::Missing) => Err(log_in(parts)),
            Err(problem) => Err(problem.into_response()),
        }
    }
}

/// Leads to the log-in, and back to the page that was wanted.
fn log_in(parts: &Parts) -> Response {
    let wanted = if parts.method == Method::GET {
        parts.uri.path_and_query().map_or("/", |at| at.as_str())
    } else {
        "/"
    };
    let next: String = form_urlencoded::Serializer::new(String::new())
        .append_pair("next", wanted)
        .finish();
    Redirect::to(&format!("/login?{next}")).into_response()
}

impl Reader {
    async fn load(app: &Arc<App>, principal: Principal, headers: &HeaderMap) -> Result<Self, Problem> {
        let (person, now) = (principal.person, app.clock.now());
        let lists = Arc::clone(&app.lists);
        let read = app.db.read(move |tx| {
            let profile = profile::find(tx, person)?;
            let rights = Rights::load(tx, person)?;
            let counted = inbox::count(tx, &lists, person, now)?;
            let filter = ThingFilter::default();
            let environments = list::things(tx, Things::Environment, &filter, &Paging::default())?;
            let steps = match policy::may(&rights, &Act::EditDirectory) {
                Ok(()) => Some(Steps::load(tx, person)?),
                Err(_) => None,
            };
            Ok::<_, campanile_core::Error>((profile, rights, counted, environments, steps))
        });
        let (profile, rights, counted, environments, steps) = read.await?;
        let environments: Vec<Environment> = environments
            .items
            .into_iter()
            .map(|one| Environment {
                id: one.id,
                name: one.name,
            })
            .collect();
        let chosen = cookie_value(headers, ENVIRONMENT_COOKIE).unwrap_or_default();
        let chosen = environments.iter().find(|one| one.id == chosen);
        let environment = chosen.or_else(|| environments.first()).map_or("DEFAULT", |one| &one.id);
        let zone = Zone::choose([profile.zone.as_deref(), cookie_value(headers, ZONE_COOKIE)]);
        Ok(Self {
            environment: environment.to_owned(),
            words: Words::choose(profile.locale.as_deref(), accepted(headers)),
            zone,
            principal,
            profile,
            rights,
            counts: counted.counts,
            revision: counted.revision,
            now,
            environments,
            steps,
        })
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
        self.holds(Letter::Create)
    }

    /// Whether the pages of messages have anything for this person.
    #[must_use]
    pub(super) fn has_messages(&self) -> bool {
        self.may_send() || self.holds(Letter::Read)
    }

    fn holds(&self, letter: Letter) -> bool {
        self.rights.is_root()
            || !self.rights.subtree.is_empty()
            || self.rights.on_any_environment(Permission::Message, letter)
            || self.rights.on_any_api(Permission::Message, letter)
    }

    /// Whether the pages of the directory are open to this person.
    #[must_use]
    pub(super) fn has_directory(&self) -> bool {
        self.may(&Act::ReadDirectory)
    }

    /// The two letters of the person's picture.
    #[must_use]
    pub(super) fn initials(&self) -> String {
        let mut words = self.profile.name.split_whitespace();
        let first = words.next().and_then(|word| word.chars().next());
        let last = words.next_back().and_then(|word| word.chars().next());
        first.into_iter().chain(last).flat_map(char::to_uppercase).collect()
    }

    /// A text.
    #[must_use]
    pub(super) fn t(&self, key: &str) -> String {
        self.words.t(key)
    }

    /// A text of a family, such as `status-active`.
    #[must_use]
    pub(super) fn of(&self, family: impl AsRef<str>, name: impl AsRef<str>) -> String {
        self.words.t(&format!("{}-{}", family.as_ref(), name.as_ref()))
    }

    /// A text about a number.
    #[must_use]
    pub(super) fn n(&self, key: &str, n: impl Count) -> String {
        self.words.n(key, n.count())
    }

    /// A text about a thing.
    #[must_use]
    pub(super) fn s(&self, key: &str, what: impl AsRef<str>) -> String {
        self.words.s(key, what.as_ref())
    }

    /// A number with its thousands apart.
    #[must_use]
    pub(super) fn number(&self, n: impl Count) -> String {
        self.words.number(n.count())
    }

    /// What a rule says, in the reader's language.
    #[must_use]
    pub(super) fn refusal(&self, english: &str) -> String {
        self.words.refusal(english)
    }

    /// A time in the reader's zone.
    #[must_use]
    pub(super) fn when(&self, moment: impl At) -> String {
        self.zone.full(self.words, moment.at())
    }

    /// How long ago a time is.
    #[must_use]
    pub(super) fn ago(&self, moment: impl At) -> String {
        self.zone.ago(self.words, moment.at(), self.now)
    }

    /// A time for an attribute `datetime`.
    #[must_use]
    #[expect(clippy::unused_self, reason = "templates reach it as they reach the other times")]
    pub(super) fn iso(&self, moment: impl At) -> String {
        when::iso(moment.at())
    }

    /// A time in UTC, to stand beside the local one.
    #[must_use]
    #[expect(clippy::unused_self, reason = "templates reach it as they reach the other times")]
    pub(super) fn utc(&self, moment: impl At) -> String {
        when::utc(moment.at())
    }

    /// The name of an importance in addresses, classes and names of texts.
    #[must_use]
    #[expect(clippy::unused_self, reason = "templates reach it as they reach the other texts")]
    pub(super) fn importance(&self, importance: impl Borrow<Importance>) -> &'static str {
        importance_name(*importance.borrow())
    }
}

/// The name of an importance in addresses, classes and names of texts.
pub(super) const fn importance_name(importance: Importance) -> &'static str {
    match importance {
        Importance::Low => "low",
        Importance::High => "high",
        Importance::Critical => "critical",
    }
}

/// A number of things in a text. Templates have references.
pub(super) trait Count {
    /// As it is counted; nothing is less than none.
    fn count(&self) -> u64;
}

impl Count for u64 {
    fn count(&self) -> u64 {
        *self
    }
}

impl Count for usize {
    fn count(&self) -> u64 {
        *self as u64
    }
}

impl Count for i64 {
    fn count(&self) -> u64 {
        u64::try_from(*self).unwrap_or_default()
    }
}

impl Count for i32 {
    fn count(&self) -> u64 {
        u64::try_from(*self).unwrap_or_default()
    }
}

impl<T: Count + ?Sized> Count for &T {
    fn count(&self) -> u64 {
        (**self).count()
    }
}

/// A time in a text. Templates have references.
pub(super) trait At {
    /// The time.
    fn at(&self) -> Moment;
}

impl At for Moment {
    fn at(&self) -> Moment {
        *self
    }
}

impl<T: At + ?Sized> At for &T {
    fn at(&self) -> Moment {
        (**self).at()
    }
}

/// The languages that a browser asks for.
pub(super) fn accepted(headers: &HeaderMap) -> Option<&str> {
    headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok())
}

/// A word on what was just done, and how to undo it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Notice {
    /// What was done.
    pub(super) text: String,
    /// Where to send a form that undoes it, and its fields.
    pub(super) undo: Option<(String, Vec<(String, String)>)>,
}

impl Notice {
    /// Out of the address that a form led to: `done` names a text `done-…`, `n` a number in it.
    #[must_use]
    pub(super) fn of(words: Words, asked: &Fields) -> Option<Self> {
        let key = format!("done-{}", asked.some("done")?);
        words.has(&key).then(|| Self {
            text: words.n(&key, asked.get("n").parse().unwrap_or(1)),
            undo: None,
        })
    }
}

/// What every page has. Templates reach the [`Reader`] through it.
pub(super) struct Page<'r> {
    reader: &'r Reader,
    /// What stands in the browser's title and, on most pages, as its heading.
    pub(super) title: String,
    /// The entry of the top bar that this page belongs to: `inbox`, `messages`, `apis`, `directory`, `me`, `start`.
    pub(super) here: &'static str,
    /// What was just done.
    pub(super) notice: Option<Notice>,
}

impl<'r> Page<'r> {
    /// A page with this title, below this entry of the top bar.
    #[must_use]
    pub(super) fn new(reader: &'r Reader, here: &'static str, title: impl Into<String>) -> Self {
        Self {
            reader,
            title: title.into(),
            here,
            notice: None,
        }
    }

    /// With a word on what was just done, where the address says so.
    #[must_use]
    pub(super) fn after(mut self, asked: &Fields) -> Self {
        self.notice = Notice::of(self.reader.words, asked);
        self
    }
}

impl Deref for Page<'_> {
    type Target = Reader;

    fn deref(&self) -> &Reader {
        self.reader
    }
}

/// A page as an answer.
pub(super) fn show(template: &impl Template) -> Result<Response, Problem> {
    let html = template.render().map_err(Problem::internal)?;
    Ok(Html(html).into_response())
}

/// A page as the answer to a form that was refused: 422, so that nobody takes it for done.
pub(super) fn refuse(template: &impl Template) -> Result<Response, Problem> {
    let html = template.render().map_err(Problem::internal)?;
    Ok((http::StatusCode::UNPROCESSABLE_ENTITY, Html(html)).into_response())
}

/// Leads on after a form, with a word on what was done (`done-…`) about a number.
#[must_use]
pub(super) fn done(to: &str, what: &str, fields: &[(&str, &str)]) -> Response {
    let (path, query) = to.split_once('?').unwrap_or((to, ""));
    let mut address = form_urlencoded::Serializer::for_suffix(format!("{path}?"), path.len() + 1);
    let kept = form_urlencoded::parse(query.as_bytes());
    for (name, value) in kept.filter(|(name, _)| !matches!(&**name, "done" | "n" | "ids" | "back")) {
        address.append_pair(&name, &value);
    }
    address.append_pair("done", what).extend_pairs(fields);
    Redirect::to(&address.finish()).into_response()
}

/// Where a form wants to go back to: one of our own pages, else `otherwise`.
#[must_use]
pub(super) fn back<'a>(fields: &'a Fields, otherwise: &'a str) -> &'a str {
    fields.some("back").filter(|to| form::is_own(to)).unwrap_or(otherwise)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_it_leads_says_what_was_done_last() {
        let response = done("/inbox?view=unread&done=old&n=3", "archived", &[("n", "2")]);
        assert_eq!(
            response.headers()[header::LOCATION],
            "/inbox?view=unread&done=archived&n=2"
        );
    }

    #[test]
    fn only_a_text_of_ours_can_be_said() {
        let words = Words::choose(None, None);
        let said = |query: &str| Notice::of(words, &Fields::read(query.as_bytes()).unwrap());
        assert_eq!(said("done=archived&n=2").unwrap().text, "2 messages archived.");
        assert_eq!(said("done=nothing-of-ours"), None);
    }
}
