//! What stands at the top of every page: one banner as a template shows it, all of them for a page that is open, and
//! the word on a dismissal.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::response::Response;
use axum::routing::get;
use campanile_core::id::MessageId;
use campanile_core::inbox::{Acknowledgement, Banner, EXCERPT_CHARS, Listed};
use campanile_core::markup::{self, Format};
use campanile_core::message::Importance;
use campanile_core::time::Moment;

use super::form::{Asked, Fields};
use super::notice::Undo;
use super::page::{self, Page};
use super::visit::Viewer;
use super::voice::importance_name;
use crate::app::App;
use crate::problem::Problem;

/// Characters of a text that stand in a banner; a longer one is told by its beginning, and opened.
const WHOLE_CHARS: usize = 600;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/banners", get(all))
}

/// All that stand above a page.
#[derive(Template)]
#[template(path = "console/banners.html")]
struct Standing<'r> {
    page: &'r Page<'r>,
    banners: Vec<BannerRow<'r>>,
    others: usize,
}

/// The banners of an open page, where one came or went: those that `back` has, which is about the message `about`.
async fn all(mut viewer: Viewer, Asked(asked): Asked) -> Result<Response, Problem> {
    page::back(&asked, "/inbox").clone_into(&mut viewer.at);
    let mut page = Page::new(&viewer, "inbox", String::new());
    if let Ok(about) = asked.get("about").parse() {
        page = page.without_banner(MessageId(about));
    }
    let (banners, others) = page.banners();
    page::show(&Standing {
        page: &page,
        banners,
        others,
    })
}

/// Where the banners of a page are had.
pub(super) fn address(at: &str, about: Option<MessageId>) -> String {
    let mut query = form_urlencoded::Serializer::for_suffix("/banners?".to_owned(), "/banners?".len());
    query.append_pair("back", at);
    if let Some(about) = about {
        query.append_pair("about", &about.to_string());
    }
    query.finish()
}

/// One banner.
pub(super) struct BannerRow<'r> {
    /// The message; 0 for one that is not sent yet.
    pub(super) id: i64,
    /// Which edition it shows.
    pub(super) edition: i64,
    /// `low`, `high` or `critical`.
    pub(super) importance: &'static str,
    /// Empty where it has none.
    pub(super) title: &'r str,
    /// What it is called, as HTML.
    pub(super) name: &'r str,
    /// The beginning of the text, as HTML.
    pub(super) excerpt: &'r str,
    /// The text as safe HTML, where it is short enough to stand here whole.
    pub(super) html: Option<&'r str>,
    /// `sender · until when`, as far as there is something to say.
    pub(super) from: String,
    /// Whether the person may take it away.
    pub(super) dismissible: bool,
    /// Whether the person has to say that they have read it.
    pub(super) to_acknowledge: bool,
}

impl<'r> BannerRow<'r> {
    pub(super) fn new(viewer: &Viewer, item: &'r Listed) -> Self {
        let (shown, state, line) = (item.shared(), item.state(), item.line());
        Self {
            id: shown.id.0,
            edition: shown.edition,
            importance: importance_name(item.importance()),
            title: &shown.title,
            name: &line.title,
            excerpt: &line.excerpt,
            html: whole(&shown.text, &shown.html),
            from: from(viewer, &shown.sender_name, shown.closes_at),
            dismissible: state.banner == Some(Banner::Dismissible),
            to_acknowledge: state.acknowledgement == Some(Acknowledgement::Needed),
        }
    }
}

fn whole<'r>(text: &str, html: &'r str) -> Option<&'r str> {
    text.chars().nth(WHOLE_CHARS).is_none().then_some(html)
}

fn from(viewer: &Viewer, sender: &str, closes_at: Option<Moment>) -> String {
    // Where it is read, no zone is told beside it.
    let until = closes_at.map(|at| viewer.s("closes-at", format!("{} ({})", viewer.when(at), viewer.zone.name())));
    let from = [Some(sender.to_owned()).filter(|name| !name.is_empty()), until];
    from.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// A banner as it will look, before it is sent.
pub(super) struct Sketch {
    importance: Importance,
    title: String,
    /// As HTML.
    name: String,
    excerpt: String,
    text: String,
    html: String,
    from: String,
    dismissible: bool,
    to_acknowledge: bool,
}

/// What a [`Sketch`] is made of.
pub(super) struct Sketched<'t> {
    pub(super) importance: Importance,
    pub(super) title: &'t str,
    pub(super) text: &'t str,
    pub(super) format: Format,
    pub(super) sender: &'t str,
    pub(super) closes_at: Option<Moment>,
    pub(super) must_acknowledge: bool,
    pub(super) dismissible: bool,
}

impl Sketch {
    pub(super) fn new(viewer: &Viewer, of: &Sketched<'_>) -> Self {
        let excerpt = markup::excerpt(of.format, of.text, EXCERPT_CHARS);
        Self {
            importance: of.importance,
            title: of.title.to_owned(),
            name: markup::escaped(of.title),
            excerpt: markup::escaped(&excerpt),
            text: of.text.to_owned(),
            html: markup::html(of.format, of.text),
            from: from(viewer, of.sender, of.closes_at),
            dismissible: !of.must_acknowledge && (of.dismissible || of.importance != Importance::Critical),
            to_acknowledge: of.must_acknowledge,
        }
    }

    /// As a template shows it.
    pub(super) fn row(&self) -> BannerRow<'_> {
        BannerRow {
            id: 0,
            edition: 0,
            importance: importance_name(self.importance),
            title: &self.title,
            name: &self.name,
            excerpt: &self.excerpt,
            html: whole(&self.text, &self.html),
            from: self.from.clone(),
            dismissible: self.dismissible,
            to_acknowledge: self.to_acknowledge,
        }
    }
}

/// What lets a dismissed banner stand again, on the page where it was dismissed.
pub(super) fn undo(viewer: &Viewer, asked: &Fields) -> Undo {
    let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    Undo {
        to: "/inbox".to_owned(),
        fields: vec![
            field("action", "show"),
            field("id", asked.get("ids")),
            field("back", &viewer.at),
        ],
        label: viewer.words.t("undo"),
    }
}
