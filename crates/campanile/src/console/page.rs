//! Who reads a page, and what every page has: top bar, bell, texts, times, a word on what was just done.

use std::borrow::Cow;
use std::ops::Deref;
use std::sync::Arc;

use askama::Template;
use axum::extract::FromRequestParts;
use axum::response::{Html, IntoResponse, Redirect, Response};
use campanile_core::Error;
use campanile_core::directory::addressable::{self, Addressable, Search};
use campanile_core::directory::list::{self, Kind as Things, PAGE_LIMIT, Paging, ThingFilter};
use campanile_core::id::MessageId;
use campanile_core::policy::{self, Act};
use campanile_core::rights::Rights;
use campanile_store::Tx;
use http::request::Parts;

use super::banner::{self, BannerRow};
use super::form::{self, Fields};
pub(super) use super::notice::{Notice, Undo};
use super::visit::Visit;
pub(super) use super::visit::{Viewer, accepted};
pub(super) use super::voice::importance_name;
use crate::app::App;
use crate::auth::cookie_value;
use crate::problem::Problem;

/// The environment that there always is.
const DEFAULT: &str = "DEFAULT";
/// Parameters that tell of what was just done.
pub(super) const OF_THE_MOMENT: [&str; 6] = ["done", "n", "ids", "gone", "undo", "back"];
/// The cookie in which the chosen environment stays.
pub(super) const ENVIRONMENT_COOKIE: &str = "campanile_environment";

/// Room for a page's HTML.
const PAGE_BYTES: usize = 32 << 10;

/// An environment, as the switcher shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Environment {
    /// Its id outside.
    pub(super) id: String,
    /// Its name.
    pub(super) name: String,
}

/// Who looks at a page, and the environments that there are for them.
pub(super) struct Reader {
    /// Who looks at it. What most pages need is reached through the reader.
    pub(super) viewer: Viewer,
    /// All environments that there are now, at most 100, `DEFAULT` first.
    pub(super) environments: Vec<Environment>,
    /// Those among which the reader chooses: whose messages they may write or whose directory they may read.
    pub(super) choices: Vec<Environment>,
    /// The id of the chosen one; `None` for all of them.
    pub(super) chosen: Option<String>,
    /// The id of the chosen one, else of the first: where a form needs one.
    pub(super) environment: String,
}

impl FromRequestParts<Arc<App>> for Reader {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Response> {
        let visit = Visit::from_request_parts(parts, app).await?;
        let chosen = cookie_value(&parts.headers, ENVIRONMENT_COOKIE).map(unescaped);
        let viewer = visit.viewer_with_counts(app).await?;
        let rights = Arc::clone(&viewer.rights);
        let read = app.db.read(move |tx| {
            let environments = environments(tx)?;
            let choices = if policy::may(&rights, &Act::ReadDirectory).is_ok() {
                environments.clone()
            } else {
                addressed(tx, &rights)?
            };
            Ok::<_, Error>((environments, choices))
        });
        let (environments, choices) = read.await.map_err(|error| Problem::from(error).into_response())?;
        let chosen = chosen.filter(|chosen| choices.iter().any(|one| one.id == *chosen));
        let first = choices.first().map_or(DEFAULT, |one| &one.id);
        Ok(Self {
            environment: chosen.as_deref().unwrap_or(first).to_owned(),
            chosen,
            choices,
            environments,
            viewer,
        })
    }
}

impl Reader {
    /// Whether an environment is the chosen one.
    #[must_use]
    pub(super) fn is_chosen(&self, one: &Environment) -> bool {
        self.chosen.as_deref() == Some(&one.id)
    }

    /// The name of an environment, by which pages call it; its id where it is not there any more.
    #[must_use]
    pub(super) fn environment_name<'a>(&'a self, id: &'a str) -> &'a str {
        let found = self.environments.iter().find(|one| one.id == id);
        found.map_or(id, |one| &one.name)
    }
}

impl Deref for Reader {
    type Target = Viewer;

    fn deref(&self) -> &Viewer {
        &self.viewer
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

/// What every page has. Templates reach the [`Viewer`] through it.
pub(super) struct Page<'r> {
    viewer: &'r Viewer,
    /// What stands in the browser's title and, on most pages, as its heading.
    pub(super) title: String,
    /// The entry of the top bar that this page belongs to: `inbox`, `messages`, `announcements`, `apis`,
    /// `directory`, `journal`, `me`, `start`.
    pub(super) here: &'static str,
    /// What was just done.
    pub(super) notice: Option<Notice>,
    /// Where the chosen environment decides what is on this page.
    chooser: Option<&'r Reader>,
    /// The message that this page is about.
    about: Option<MessageId>,
}

impl<'r> Page<'r> {
    /// A page with this title, below this entry of the top bar.
    #[must_use]
    pub(super) fn new(viewer: &'r Viewer, here: &'static str, title: impl Into<String>) -> Self {
        Self {
            viewer,
            title: title.into(),
            here,
            notice: None,
            chooser: None,
            about: None,
        }
    }

    /// A page that shows only what belongs to the chosen environment, where one is chosen.
    #[must_use]
    pub(super) const fn of_environment(mut self, reader: &'r Reader) -> Self {
        self.chooser = Some(reader);
        self
    }

    /// A text. As [`Voice::t`](super::voice::Voice::t), without a copy: a page says dozens.
    #[must_use]
    pub(super) fn t(&self, key: &str) -> Cow<'static, str> {
        self.viewer.words.text(key)
    }

    /// A page about this message, which stands on it and needs no banner.
    #[must_use]
    pub(super) const fn without_banner(mut self, message: MessageId) -> Self {
        self.about = Some(message);
        self
    }

    /// The banners that stand above this page, and how many more there are.
    #[must_use]
    pub(super) fn banners(&self) -> (Vec<BannerRow<'_>>, usize) {
        let Some(banners) = &self.viewer.banners else {
            return (Vec::new(), 0);
        };
        let others = banners.items.iter().filter(|item| Some(item.shared().id) != self.about);
        let rows = others.map(|item| BannerRow::new(self.viewer, item)).collect();
        (rows, banners.total - banners.items.len())
    }

    /// Where the banners of this page are had anew.
    #[must_use]
    pub(super) fn banners_address(&self) -> String {
        banner::address(&self.viewer.at, self.about)
    }

    /// Who chooses among environments here, where there is a choice.
    #[must_use]
    pub(super) fn chooser(&self) -> Option<&'r Reader> {
        self.chooser.filter(|reader| reader.choices.len() > 1)
    }

    /// With a word on what was just done, where the address says so.
    #[must_use]
    pub(super) fn after(mut self, asked: &Fields) -> Self {
        self.notice = Notice::of(self.viewer.words, asked);
        if let Some(notice) = self.notice.as_mut().filter(|_| asked.get("done") == "dismissed") {
            notice.undo = Some(banner::undo(self.viewer, asked));
        }
        self
    }
}

impl Deref for Page<'_> {
    type Target = Viewer;

    fn deref(&self) -> &Viewer {
        self.viewer
    }
}

/// A page as an answer.
pub(super) fn show(template: &impl Template) -> Result<Response, Problem> {
    // Most pages fit without growing.
    let mut html = String::with_capacity(PAGE_BYTES);
    template.render_into(&mut html).map_err(Problem::internal)?;
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
    use http::header;

    use super::*;
    use crate::console::words::Words;

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
