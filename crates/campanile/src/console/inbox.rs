//! The inbox: tabs, search, one message, what is done with them, and the panel under the bell.

use std::cell::LazyCell;
use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use campanile_core::Error;
use campanile_core::id::MessageId;
use campanile_core::inbox::act::{self, Action, All, UpTo};
use campanile_core::inbox::{
    self, Acknowledgement, Banner, Counts, Filter, Listed, PAGE_DEFAULT, SEARCH_CHARS, Shown, View,
};
use campanile_core::message::{self, Importance};
use campanile_core::time::Moment;
use campanile_store::Tx;
use http::HeaderMap;

use super::form::{Asked, Fields, Form, Path};
use super::page::{self, Page, Undo, show};
use super::rows::Place;
use super::visit::{Viewer, Visit};
use super::voice::Voice;
use super::words::Words;
use crate::app::App;
use crate::bell::{self, Wanted};
use crate::problem::Problem;
use crate::sorting;

/// Items of the panel.
const PANEL: usize = 8;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/inbox", get(list).post(bulk))
        .route("/inbox/{id}", get(one))
        .route("/inbox/{id}/{action}", post(single))
        .route("/bell", get(panel))
        .route("/bell/button", get(button))
}

// ---------------------------------------------------------------- what is shown

/// What is said of every row, as the HTML before and after its title.
struct Labels {
    choose: (String, String),
    read: (String, String),
    unread: (String, String),
    archive: (String, String),
    unarchive: (String, String),
    delete: (String, String),
}

impl Labels {
    fn new(words: Words) -> Self {
        Self {
            choose: words.around("choose-message"),
            read: words.around("mark-read-what"),
            unread: words.around("mark-unread-what"),
            archive: words.around("archive-what"),
            unarchive: words.around("unarchive-what"),
            delete: words.around("delete-what"),
        }
    }
}

/// A tab: its address, its name, and whether it is this one.
struct Tab {
    address: String,
    name: String,
    current: bool,
}

#[derive(Template)]
#[template(path = "console/inbox.html")]
struct InboxPage<'r> {
    page: Page<'r>,
    tabs: Vec<Tab>,
    /// The rows, as HTML.
    rows: Vec<Arc<str>>,
    /// The address of what follows.
    more: Option<String>,
    view: View,
    importance: Option<Importance>,
    search: &'r str,
    /// The address of this very list, to come back to.
    here: String,
    refused: Option<String>,
}

/// A message in the list.
#[derive(Template)]
#[template(path = "console/inbox_row.html")]
struct InboxRow<'r> {
    page: &'r Voice,
    item: &'r Listed,
    labels: &'r Labels,
    /// What stands behind the address of a message, to lead back to this list; empty where it does so by itself.
    way_back: &'r str,
}

impl InboxPage<'_> {
    /// What an empty list says.
    fn empty(&self) -> (String, String) {
        let key = if self.more.is_some() {
            "so-far"
        } else if !self.search.is_empty() || self.importance.is_some() {
            "found"
        } else {
            view_name(self.view)
        };
        (
            self.page.words.t(&format!("empty-{key}-title")),
            self.page.words.t(&format!("empty-{key}-text")),
        )
    }

    fn is_importance(&self, name: &str) -> bool {
        self.importance.is_some_and(|at| page::importance_name(at) == name)
    }

    fn view_name(&self) -> &'static str {
        view_name(self.view)
    }

    fn is_archive(&self) -> bool {
        self.view == View::Archived
    }

    fn can_read_all(&self) -> bool {
        matches!(self.view, View::Inbox | View::Unread) && self.page.counts.unread > 0
    }
}

const VIEWS: [View; 5] = [View::Inbox, View::Unread, View::Banners, View::Archived, View::Past];

const fn view_name(view: View) -> &'static str {
    match view {
        View::Inbox => "inbox",
        View::Unread => "unread",
        View::Archived => "archived",
        View::Past => "past",
        View::Banners => "banners",
    }
}

fn importance_of(name: &str) -> Option<Importance> {
    [Importance::Low, Importance::High, Importance::Critical]
        .into_iter()
        .find(|at| page::importance_name(*at) == name)
}

fn view_of(name: &str) -> View {
    VIEWS
        .into_iter()
        .find(|view| view_name(*view) == name)
        .unwrap_or_default()
}

/// The address of a list.
fn address(view: View, importance: Option<Importance>, search: &str, cursor: Option<i64>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    if view != View::Inbox {
        query.append_pair("view", view_name(view));
    }
    if let Some(importance) = importance {
        query.append_pair("importance", page::importance_name(importance));
    }
    if !search.is_empty() {
        query.append_pair("q", search);
    }
    if let Some(cursor) = cursor {
        query.append_pair("cursor", &cursor.to_string());
    }
    match query.finish() {
        query if query.is_empty() => "/inbox".to_owned(),
        query => format!("/inbox?{query}"),
    }
}

async fn list(State(app): State<Arc<App>>, visit: Visit, Asked(asked): Asked) -> Result<Response, Response> {
    let (view, importance) = (view_of(asked.get("view")), importance_of(asked.get("importance")));
    let search = asked.get("q");
    let before = asked.some("cursor").and_then(|cursor| cursor.parse().ok());
    let too_long = search.chars().count() > SEARCH_CHARS;
    let filter = Filter {
        view,
        importance,
        search: (!search.is_empty() && !too_long).then(|| search.to_owned()),
    };
    let person = visit.person(&app).await?;
    let (found, counts) = find(&app, &visit, Wanted::new(filter, before, PAGE_DEFAULT)).await?;
    let viewer = visit
        .viewer(person, counts, found.revision)
        .with_banners(found.banners.clone());
    let tab = |at: View| Tab {
        address: address(at, importance, search, None),
        name: viewer.n(&format!("tab-{}", view_name(at)), viewer.counts.unread),
        current: at == view,
    };
    let mut page = Page::new(&viewer, "inbox", viewer.t("inbox")).after(&asked);
    undo(&mut page, &asked);
    let here = address(view, importance, search, before);
    let rows = rows(&app, &viewer, &found.items, &way_back(&here)).map_err(IntoResponse::into_response)?;
    let shown = show(&InboxPage {
        rows,
        tabs: VIEWS.into_iter().map(tab).collect(),
        more: found.next.map(|next| address(view, importance, search, Some(next))),
        here,
        refused: too_long.then(|| viewer.n("search-too-long", SEARCH_CHARS as u64)),
        page,
        view,
        importance,
        search,
    });
    shown.map_err(IntoResponse::into_response)
}

/// The rows of a list. Those of the whole inbox are shared; others lead back to where they were found.
fn rows(app: &App, viewer: &Viewer, items: &[Listed], way_back: &str) -> Result<Vec<Arc<str>>, Problem> {
    let labels = LazyCell::new(|| Labels::new(viewer.words));
    let row = |item| InboxRow {
        page: viewer,
        item,
        labels: &labels,
        way_back,
    };
    if way_back.is_empty() {
        return app.rows.html(viewer, Place::Inbox, items, row);
    }
    let rendered = items
        .iter()
        .map(|item| Ok(row(item).render().map_err(Problem::internal)?.into()));
    rendered.collect()
}

/// How a message leads back to its list; to the whole inbox it does so by itself.
fn way_back(here: &str) -> String {
    if here == "/inbox" {
        return String::new();
    }
    let back: String = form_urlencoded::byte_serialize(here.as_bytes()).collect();
    format!("?back={back}")
}

/// Finds a page of the inbox and notes that it was looked at. With the numbers of the bell as they are then.
async fn find(app: &App, visit: &Visit, wanted: Wanted) -> Result<(Arc<inbox::Page>, Counts), Response> {
    let (person, now) = (visit.principal.person, visit.now);
    let found = bell::page(app, person, wanted, now).await;
    let found = found.map_err(|problem| visit.refused(problem))?.value;
    let mut counts = found.counts;
    // The inbox was opened (decision 17).
    if counts.unseen > 0 {
        let up_to = UpTo {
            revision: found.revision,
            clock: now,
        };
        let mark = app.db.jot(move |tx| act::mark(tx, person, All::Seen, up_to, now));
        mark.await.map_err(|error: Error| visit.refused(error.into()))?;
        counts.unseen = 0;
    }
    Ok((found, counts))
}

/// What undoes the action that the address tells of, on the messages that it names.
fn undo(page: &mut Page<'_>, asked: &Fields) {
    let reverse = match asked.get("done") {
        "read" => "unread",
        "unread" => "read",
        "archived" => "unarchive",
        "unarchived" => "archive",
        "deleted" => "restore",
        _ => return,
    };
    let ids = asked.get("ids");
    let label = page.words.t("undo");
    if let Some(notice) = &mut page.notice
        && !ids.is_empty()
    {
        let mut fields = vec![("action".to_owned(), reverse.to_owned())];
        fields.extend(ids.split('.').map(|id| ("id".to_owned(), id.to_owned())));
        notice.undo = Some(Undo {
            to: "/inbox".to_owned(),
            fields,
            label,
        });
    }
}

// ---------------------------------------------------------------- one message

#[derive(Template)]
#[template(path = "console/item.html")]
struct ItemPage<'r> {
    page: Page<'r>,
    item: Shown,
    back: &'r str,
}

impl ItemPage<'_> {
    fn has_acknowledged(&self) -> bool {
        self.item.acknowledgement == Some(Acknowledgement::Given)
    }

    fn may_dismiss(&self) -> bool {
        self.item.banner == Some(Banner::Dismissible)
    }
}

async fn one(
    State(app): State<Arc<App>>,
    mut reader: Viewer,
    Path(id): Path<MessageId>,
    headers: HeaderMap,
    Asked(asked): Asked,
) -> Result<Response, Problem> {
    let (person, now, lists) = (reader.principal.person, reader.now, Arc::clone(&app.lists));
    let item = app.db.read(move |tx| inbox::one(tx, &lists, person, id, now)).await?;
    // Opening is reading. A browser that fetches ahead has not opened anything.
    let ahead = headers.contains_key("sec-purpose");
    if !item.read && !ahead && asked.get("done") != "unread" {
        on_ids(&app, &reader, vec![id], Action::Read, i64::MAX).await?;
        if !item.archived && !item.past && !item.banner_only {
            reader.counts.unread = reader.counts.unread.saturating_sub(1);
        }
    }
    let name = message::name(&item.title, item.format, &item.text).into_owned();
    let mut page = Page::new(&reader, "inbox", name).after(&asked).without_banner(id);
    undo(&mut page, &asked);
    let back = page::back(&asked, "/inbox");
    show(&ItemPage { page, item, back })
}

// ---------------------------------------------------------------- the panel

#[derive(Template)]
#[template(path = "console/bell.html")]
struct Panel {
    page: Voice,
    counts: Counts,
    revision: i64,
    /// The rows, as HTML.
    rows: Vec<Arc<str>>,
    unread: bool,
}

/// A message in the panel.
#[derive(Template)]
#[template(path = "console/bell_row.html")]
struct PanelRow<'r> {
    page: &'r Voice,
    item: &'r Listed,
}

/// The bell itself, for pages of other sites.
#[derive(Template)]
#[template(path = "console/bell_button.html")]
struct Button {
    page: Viewer,
}

async fn button(page: Viewer) -> Result<Response, Problem> {
    show(&Button { page })
}

async fn panel(State(app): State<Arc<App>>, visit: Visit, Asked(asked): Asked) -> Result<Response, Response> {
    let unread = asked.get("view") == "unread";
    let filter = Filter {
        view: if unread { View::Unread } else { View::Inbox },
        ..Filter::default()
    };
    let person = visit.person(&app).await?;
    let (found, counts) = find(&app, &visit, Wanted::new(filter, None, PANEL)).await?;
    let page = visit.voice(&person.profile);
    let row = |item| PanelRow { page: &page, item };
    let rows = app.rows.html(&page, Place::Panel, &found.items, row);
    let rows = rows.map_err(IntoResponse::into_response)?;
    let shown = show(&Panel {
        page,
        counts,
        revision: found.revision,
        rows,
        unread,
    });
    shown.map_err(IntoResponse::into_response)
}

// ---------------------------------------------------------------- what is done

fn action_of(name: &str) -> Option<(Action, &'static str)> {
    Some(match name {
        "read" => (Action::Read, "read"),
        "unread" => (Action::Unread, "unread"),
        "archive" => (Action::Archive, "archived"),
        "unarchive" => (Action::Unarchive, "unarchived"),
        "delete" => (Action::Delete, "deleted"),
        "restore" => (Action::Restore, "restored"),
        "dismiss" => (Action::Dismiss, "dismissed"),
        "show" => (Action::Show, "shown"),
        "acknowledge" => (Action::Acknowledge, "acknowledged"),
        _ => return None,
    })
}

async fn single(
    State(app): State<Arc<App>>,
    reader: Viewer,
    Path((id, action)): Path<(MessageId, String)>,
    Form(fields): Form,
) -> Result<Response, Problem> {
    let (action, what) = action_of(&action).ok_or(Error::Missing("action"))?;
    let edition = fields.get("edition").parse().unwrap_or(i64::MAX);
    let (changed, gone) = on_ids(&app, &reader, vec![id], action, edition).await?;
    if gone > 0 {
        return Err(Error::Missing("message").into());
    }
    // A message that is deleted for me has no page to go back to.
    let to = match page::back(&fields, "/inbox") {
        own if action == Action::Delete && own.starts_with(&format!("/inbox/{id}")) => "/inbox",
        other => other,
    };
    let what = if !changed.is_empty() {
        what
    } else if let Some(why) = stays(&app, &reader, id, action).await? {
        why
    } else {
        return Ok(Redirect::to(to).into_response());
    };
    Ok(page::done(to, what, &[("ids", &id.to_string())]))
}

/// Why a banner stays that somebody wanted to dismiss; `None` where it does not.
async fn stays(app: &App, reader: &Viewer, id: MessageId, action: Action) -> Result<Option<&'static str>, Problem> {
    if action != Action::Dismiss {
        return Ok(None);
    }
    let (person, now, lists) = (reader.principal.person, reader.now, Arc::clone(&app.lists));
    let item = app.db.read(move |tx| inbox::one(tx, &lists, person, id, now)).await?;
    Ok(match (item.banner, item.acknowledgement) {
        (Some(Banner::Fixed), Some(Acknowledgement::Needed)) => Some("banner-asks"),
        (Some(Banner::Fixed), _) => Some("banner-stays"),
        (Some(Banner::Dismissible), _) => Some("banner-corrected"),
        (None, _) => None,
    })
}

/// What is done with the messages that are ticked, or with all of them.
async fn bulk(State(app): State<Arc<App>>, reader: Viewer, Form(fields): Form) -> Result<Response, Problem> {
    let to = page::back(&fields, "/inbox");
    if fields.get("action") == "read-all" {
        let (person, now) = (reader.principal.person, reader.now);
        let up_to = UpTo {
            revision: fields.get("up_to").parse().unwrap_or(i64::MAX).min(reader.revision),
            clock: Moment(fields.get("as_of").parse().unwrap_or(i64::MAX).min(now.0)),
        };
        sorting::read_all(&app, person, Some(up_to), now).await?;
        return Ok(page::done(to, "read-all", &[]));
    }
    let (action, what) = action_of(fields.get("action")).ok_or(Error::Missing("action"))?;
    let ids: Vec<MessageId> = fields
        .all("id")
        .filter_map(|id| id.parse().ok())
        .map(MessageId)
        .collect();
    if ids.is_empty() {
        return Ok(Redirect::to(to).into_response());
    }
    // Only what is changed here is what can be undone: the others were so before.
    let (changed, gone) = on_ids(&app, &reader, ids, action, i64::MAX).await?;
    let named = changed.iter().map(ToString::to_string).collect::<Vec<_>>().join(".");
    let (count, gone) = (changed.len().to_string(), gone.to_string());
    Ok(match (changed.is_empty(), gone.as_str()) {
        (true, "0") => Redirect::to(to).into_response(),
        (true, _) => page::done(to, "gone", &[("n", &gone)]),
        (false, "0") => page::done(to, what, &[("n", &count), ("ids", &named)]),
        (false, _) => page::done(to, what, &[("n", &count), ("ids", &named), ("gone", &gone)]),
    })
}

/// Does something with those of the messages that are there and not so already; which these were, and how many are
/// gone.
async fn on_ids(
    app: &App,
    reader: &Viewer,
    ids: Vec<MessageId>,
    action: Action,
    edition: i64,
) -> Result<(Vec<i64>, usize), Problem> {
    let (person, now, lists) = (reader.principal.person, reader.now, Arc::clone(&app.lists));
    let look = move |tx: &mut Tx<'_>| act::among(tx, &lists, person, &ids, action, edition, now);
    let (plan, gone) = app.db.read(look).await?;
    let changed = plan.messages.clone();
    if !changed.is_empty() {
        app.db.jot(move |tx| act::act(tx, person, &plan, action, now)).await?;
    }
    Ok((changed, gone))
}
