//! Who reads a page, and what every page has: top bar, bell, texts, times, a word on what was just done.

use std::borrow::Borrow;
use std::ops::Deref;
use std::sync::Arc;

use askama::Template;
use axum::extract::FromRequestParts;
use axum::response::{Html, IntoResponse, Redirect, Response};
use campanile_core::account::profile::{self, Profile};
use campanile_core::directory::addressable::{self, Addressable, Search};
use campanile_core::directory::list::{self, Kind as Things, PAGE_LIMIT, Paging, ThingFilter};
use campanile_core::first::Steps;
use campanile_core::inbox::{self, Counts};
use campanile_core::message::Importance;
use campanile_core::policy::{self, Act};
use campanile_core::rights::Rights;
use campanile_core::time::Moment;
use campanile_store::Tx;
use http::request::Parts;
use http::{HeaderMap, Method, header};

use super::form::{self, Fields};
pub(super) use super::notice::{Notice, Undo};
use super::number::{At, Count};
use super::when::{self, Zone};
use super::words::Words;
use crate::app::App;
use crate::auth::{Principal, cookie_value};
use crate::problem::{Kind, Problem};
use crate::relay::Trouble;

/// The cookie in which a script keeps the browser's time zone, for readers whose profile names none.
const ZONE_COOKIE: &str = "campanile_zone";
/// The environment that there always is.
const DEFAULT: &str = "DEFAULT";
/// Parameters that tell of what was just done.
const OF_THE_MOMENT: [&str; 6] = ["done", "n", "ids", "gone", "undo", "back"];
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
    /// All environments that there are now, at most 100, `DEFAULT` first.
    pub(super) environments: Vec<Environment>,
    /// Those among which the reader chooses: whose messages they may write or whose directory they may read.
    pub(super) choices: Vec<Environment>,
    /// The id of the chosen one; `None` for all of them.
    pub(super) chosen: Option<String>,
    /// The id of the chosen one, else of the first: where a form needs one.
    pub(super) environment: String,
    /// The address of this page, to come back to it without its place in a list and what was just done.
    pub(super) at: String,
    /// How far the installation is; only for who administers it.
    pub(super) steps: Option<Steps>,
}

impl FromRequestParts<Arc<App>> for Reader {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Response> {
        let principal = match Principal::from_request_parts(parts, app).await {
            Ok(principal) => principal,
            Err(problem) if problem.kind == Kind::Unauthenticated => return Err(log_in(parts, problem)),
            Err(problem) => return Err(problem.into_response()),
        };
        match Self::load(app, principal, parts).await {
            Ok(reader) => Ok(reader),
            // Deactivated a moment ago.
            Err(problem) if problem.kind == Kind::Missing => {
                Err(log_in(parts, campanile_core::Error::Unauthenticated.into()))
            }
            Err(problem) => Err(problem.into_response()),
        }
    }
}

/// The environments that there are now. `DEFAULT`, which always is, comes first.
fn environments(tx: &mut Tx<'_>) -> campanile_core::Result<Vec<Environment>> {
    let filter = ThingFilter {
        active: Some(true),
        ..ThingFilter::default()
    };
    let paging = Paging {
        limit: Some(PAGE_LIMIT),
        cursor: None,
    };
    let found = list::things(tx, Things::Environment, &filter, &paging)?.items;
    let found = found.into_iter().map(|one| Environment {
        id: one.id,
        name: one.name,
    });
    Ok(default_first(found.collect()))
}

/// The environments that somebody may write to.
fn addressed(tx: &mut Tx<'_>, rights: &Rights) -> campanile_core::Result<Vec<Environment>> {
    let search = Search {
        q: None,
        limit: Some(addressable::CHOICES_LIMIT),
    };
    let found = addressable::choices(tx, rights, Addressable::Environments, &search)?.items;
    let found = found.into_iter().map(|one| Environment {
        id: one.id,
        name: one.name,
    });
    Ok(default_first(found.collect()))
}

fn default_first(mut found: Vec<Environment>) -> Vec<Environment> {
    found.sort_by_key(|one| one.id != DEFAULT);
    found
}

/// An id as it stands in a cookie, which takes few characters.
#[must_use]
pub(super) fn escaped(id: &str) -> String {
    form_urlencoded::byte_serialize(id.as_bytes()).collect()
}

fn unescaped(cookie: &str) -> String {
    let mut pairs = form_urlencoded::parse(cookie.as_bytes());
    pairs.next().map_or_else(String::new, |(id, _)| id.into_owned())
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

/// Leads to the log-in, and back to the page that was wanted. A form is not led away, or what was typed would be gone:
/// it is answered with what stands in it (see `problems`).
fn log_in(parts: &Parts, problem: Problem) -> Response {
    if parts.method != Method::GET {
        return problem.into_response();
    }
    let wanted = parts.uri.path_and_query().map_or("/", |at| at.as_str());
    let next: String = form_urlencoded::Serializer::new(String::new())
        .append_pair("next", wanted)
        .finish();
    Redirect::to(&format!("/login?{next}")).into_response()
}

impl Reader {
    async fn load(app: &Arc<App>, principal: Principal, parts: &Parts) -> Result<Self, Problem> {
        let headers = &parts.headers;
        let (person, now) = (principal.person, app.clock.now());
        let lists = Arc::clone(&app.lists);
        let read = app.db.read(move |tx| {
            let profile = profile::find(tx, person)?;
            let rights = Rights::load(tx, person)?;
            let counted = inbox::count(tx, &lists, person, now)?;
            let environments = environments(tx)?;
            let choices = if policy::may(&rights, &Act::ReadDirectory).is_ok() {
                environments.clone()
            } else {
                addressed(tx, &rights)?
            };
            let steps = match policy::may(&rights, &Act::EditDirectory) {
                Ok(()) => Some(Steps::load(tx, person)?),
                Err(_) => None,
            };
            Ok::<_, campanile_core::Error>((profile, rights, counted, (environments, choices), steps))
        });
        let (profile, rights, counted, (environments, choices), steps) = read.await?;
        let chosen = cookie_value(headers, ENVIRONMENT_COOKIE).map(unescaped);
        let chosen = chosen.filter(|chosen| choices.iter().any(|one| one.id == *chosen));
        let first = choices.first().map_or(DEFAULT, |one| &one.id);
        let zone = Zone::choose([profile.zone.as_deref(), cookie_value(headers, ZONE_COOKIE)]);
        Ok(Self {
            environment: chosen.as_deref().unwrap_or(first).to_owned(),
            at: address_of(parts),
            chosen,
            choices,
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
        policy::may_send_anything(&self.rights)
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

    /// Whether an environment is the chosen one.
    #[must_use]
    pub(super) fn is_chosen(&self, one: &Environment) -> bool {
        self.chosen.as_deref() == Some(&one.id)
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

    /// How many of all are through.
    #[must_use]
    pub(super) fn through(&self, through: impl Count, all: impl Count) -> String {
        let number = |n: u64| self.words.number(n).into();
        let (through, all) = (through.count(), all.count());
        self.words
            .with("run-through", [("through", number(through)), ("all", number(all))])
    }

    /// What a rule says, in the reader's language.
    #[must_use]
    pub(super) fn refusal(&self, english: &str) -> String {
        self.words.refusal(english)
    }

    /// What keeps mails waiting.
    #[must_use]
    pub(super) fn relay(&self, trouble: &Trouble) -> String {
        self.words.with(
            "relay-waits",
            [
                ("why", self.refusal(&trouble.reason).into()),
                ("since", self.when(trouble.since).into()),
                ("next", self.when(trouble.next_try_at).into()),
            ],
        )
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

/// The languages that a browser asks for.
pub(super) fn accepted(headers: &HeaderMap) -> Option<&str> {
    headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok())
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
    /// Whether the chosen environment decides what is on this page.
    narrows: bool,
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
            narrows: false,
        }
    }

    /// A page that shows only what belongs to the chosen environment, where one is chosen.
    #[must_use]
    pub(super) const fn of_environment(mut self) -> Self {
        self.narrows = true;
        self
    }

    /// Whether environments are offered to choose from here.
    #[must_use]
    pub(super) fn has_choice(&self) -> bool {
        self.narrows && self.reader.choices.len() > 1
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
    for (name, value) in kept.filter(|(name, _)| !OF_THE_MOMENT.contains(&&**name)) {
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
