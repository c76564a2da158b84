//! What a person sees and does with it: `/api/v1/inbox`.
//!
//! Reading goes to the database once; a client that has the newest already is told so without it (`ETag`, 304).

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use campanile_core::Error;
use campanile_core::id::{MessageId, PersonId};
use campanile_core::inbox::act::{self, Action, All};
use campanile_core::inbox::{
    self, Counted, Counts, Filter, Listed, PAGE_DEFAULT, PAGE_LIMIT, SEARCH_CHARS, Shown, UpTo, View,
};
use campanile_core::message::Importance;
use campanile_core::time::{Moment, Revision};
use campanile_store::Tx;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::etag::{self, Given};
use crate::api::extract::{self, Json, Path, Query};
use crate::api::refusals::{Conflict, Invalid, Malformed, Missing, Unauthenticated, Unavailable};
use crate::api::{Part, part};
use crate::app::App;
use crate::auth::Principal;
use crate::bell::{self, Found, Wanted};
use crate::problem::Problem;
use crate::sorting;

/// Tells the tags of counts from those of pages.
const COUNTS: u64 = 1;

/// The routes of this file.
pub(super) const ROUTES: Part = part![(list), (counts), (seen), (bulk), (one), (single)];

/// Which items, and which page of them.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// Which list; the inbox where absent.
    #[param(inline)]
    view: Option<View>,
    /// Only this importance.
    #[param(inline)]
    importance: Option<Importance>,
    /// Only those that hold these words in title, text or sender; at most 200 characters.
    q: Option<String>,
    /// The `next` of the page before.
    cursor: Option<String>,
    /// Items of a page, 1 to 100; 20 where absent.
    limit: Option<i64>,
}

/// A page of an inbox, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct InboxPage {
    /// The messages.
    items: Vec<Shown>,
    /// Ask with this as `cursor` for what follows; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// How many the list holds in all; absent for a search.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<u64>,
    /// The place in the order of everything that this answer rests on: send it back as `up_to` with "read all".
    revision: Revision,
    /// The time at which this was so: send it back too.
    as_of: Moment,
}

/// The JSON of an [`InboxPage`]: the items are there already.
fn page_json(items: &[Listed], rest: &InboxPage) -> Vec<u8> {
    let rest = serde_json::to_vec(rest).expect("numbers always serialise");
    let length: usize = items.iter().map(|item| item.json_len() + 1).sum();
    let mut out = Vec::with_capacity(length + rest.len());
    out.extend_from_slice(b"{\"items\":[");
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        item.write_json(&mut out);
    }
    out.extend_from_slice(&rest[b"{\"items\":[".len()..]);
    out
}

/// The numbers of the bell.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct InboxCounts {
    #[serde(flatten)]
    counts: Counts,
    /// The place in the order of everything that this answer rests on.
    revision: Revision,
}

impl ListQuery {
    fn filter(&self) -> Result<Filter, Problem> {
        if self
            .q
            .as_ref()
            .is_some_and(|words| words.chars().count() > SEARCH_CHARS)
        {
            return Err(Error::field("q", format!("is longer than {SEARCH_CHARS} characters")).into());
        }
        let view = self.view.unwrap_or_default();
        Ok(Filter {
            view,
            importance: self.importance,
            search: self.q.clone(),
        })
    }
}

/// Lists the messages of your inbox, newest first.
#[utoipa::path(get, path = "/api/v1/inbox", operation_id = "list_inbox", tag = "Inbox", params(ListQuery), responses(
    (status = 200, body = InboxPage),
    (status = 304, description = "Nothing has changed since the given `If-None-Match`."),
    Malformed, Unauthenticated, Invalid, Unavailable,
))]
async fn list(
    State(app): State<Arc<App>>,
    principal: Principal,
    given: Given,
    Query(query): Query<ListQuery>,
) -> Result<Response, Problem> {
    let now = app.clock.now();
    let person = principal.person;
    let filter = query.filter()?;
    let before = extract::cursor(query.cursor.as_deref())?;
    let limit = extract::limit(query.limit, PAGE_DEFAULT, PAGE_LIMIT)?;
    let wanted = Wanted::new(filter, before, limit);
    let place = wanted.place;
    let known = given.of(person, place);
    if let Some(tag) = known.as_ref().filter(|tag| tag.stands(&app, now)) {
        return Ok(etag::not_modified(tag));
    }
    let Found { value: page, state } = bell::page(&app, person, wanted, now).await?;
    let next = page.next.map(|next| next.to_string());
    // The place in the order of everything moves on with every write; the page does not.
    let content = etag::content_of((&page.items, &next, page.total, page.messages));
    let basis = etag::Basis {
        person,
        place,
        version: state,
        stands_until: page.stands_until,
    };
    let json = || {
        let rest = InboxPage {
            items: Vec::new(),
            next,
            total: page.total,
            revision: Revision(page.revision),
            as_of: now,
        };
        page_json(&page.items, &rest)
    };
    Ok(etag::answer(&app, json, content, known.as_ref(), basis))
}

/// Counts your inbox: the number on the bell. Always exact.
#[utoipa::path(get, path = "/api/v1/inbox/counts", tag = "Inbox", responses(
    (status = 200, body = InboxCounts),
    (status = 304, description = "Nothing has changed since the given `If-None-Match`."),
    Unauthenticated, Unavailable,
))]
async fn counts(State(app): State<Arc<App>>, principal: Principal, given: Given) -> Result<Response, Problem> {
    let now = app.clock.now();
    let person = principal.person;
    let known = given.of(person, COUNTS);
    if let Some(tag) = known.as_ref().filter(|tag| tag.stands(&app, now)) {
        return Ok(etag::not_modified(tag));
    }
    let Found { value, state } = bell::count(&app, person, now).await?;
    let Counted {
        counts,
        revision,
        stands_until,
        ..
    } = value;
    let body = InboxCounts {
        counts,
        revision: Revision(revision),
    };
    let content = etag::content_of(body.counts);
    let basis = etag::Basis {
        person,
        place: COUNTS,
        version: state,
        stands_until,
    };
    let json = || serde_json::to_vec(&body).expect("numbers always serialise");
    Ok(etag::answer(&app, json, content, known.as_ref(), basis))
}

/// One message of yours. Looking at it marks nothing.
#[utoipa::path(get, path = "/api/v1/inbox/{id}", operation_id = "read_item", tag = "Inbox",
    params(("id" = i64, Path)), responses(
    (status = 200, body = Shown),
    Unauthenticated, Missing, Unavailable,
))]
async fn one(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path(id): Path<MessageId>,
) -> Result<Json<Shown>, Problem> {
    let now = app.clock.now();
    let lists = Arc::clone(&app.lists);
    Ok(Json(
        app.db
            .read(move |tx| inbox::one(tx, &lists, principal.person, id, now))
            .await?,
    ))
}

/// Says that bell or inbox was opened: one mark, and only when there is something new.
#[utoipa::path(post, path = "/api/v1/inbox/seen", tag = "Inbox", responses(
    (status = 204, description = "Marked."),
    Unauthenticated, Unavailable,
))]
async fn seen(State(app): State<Arc<App>>, principal: Principal) -> Result<StatusCode, Problem> {
    let now = app.clock.now();
    let person = principal.person;
    let counted = bell::count(&app, person, now).await?.value;
    if counted.counts.unseen > 0 {
        let up_to = UpTo {
            revision: counted.revision,
            clock: now,
        };
        app.db
            .jot(move |tx| act::mark(tx, person, All::Seen, up_to, now))
            .await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Does something with one message, for yourself. Doing it twice is doing it once.
#[utoipa::path(post, path = "/api/v1/inbox/{id}/{action}", tag = "Inbox",
    params(("id" = i64, Path), ("action" = inline(Action), Path), SingleQuery),
    responses(
    (status = 204, description = "Done."),
    Malformed, Unauthenticated, Missing, Conflict, Unavailable,
))]
async fn single(
    State(app): State<Arc<App>>,
    principal: Principal,
    Path((id, action)): Path<(MessageId, Action)>,
    Query(query): Query<SingleQuery>,
) -> Result<StatusCode, Problem> {
    on_ids(&app, principal.person, vec![id], action, query.edition).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What was looked at.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct SingleQuery {
    /// Of what you dismiss or acknowledge, the `edition` that you looked at: if it was corrected meanwhile, it stays.
    edition: Option<i64>,
}

/// Something to do with several messages: by id, or by what a list shows.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Bulk {
    /// What to do.
    action: Action,
    /// These, at most 1,000.
    ids: Option<Vec<MessageId>>,
    /// Everything in this list.
    view: Option<View>,
    /// Only of this importance.
    importance: Option<Importance>,
    /// Only those that hold these words in title, text or sender; at most 200 characters.
    q: Option<String>,
    /// Of a list: nothing that came up after this `revision`, the one of the page that you looked at. Give its `as_of`
    /// too.
    up_to: Option<i64>,
    /// Of a list: nothing whose window opened after this time, the `as_of` of the page that you looked at.
    #[schema(value_type = Option<String>, format = DateTime)]
    as_of: Option<Moment>,
}

/// What a bulk operation came to.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BulkDone {
    /// Messages touched; absent where one mark covers all.
    #[serde(skip_serializing_if = "Option::is_none")]
    changed: Option<usize>,
    /// More match than one call touches; call again.
    more: bool,
}

impl Bulk {
    /// Of which list, and up to where.
    fn filter(&self) -> Result<(Filter, Option<UpTo>), Problem> {
        let filter = ListQuery {
            view: self.view,
            importance: self.importance,
            q: self.q.clone(),
            ..ListQuery::default()
        };
        let up_to = match (self.up_to, self.as_of) {
            (Some(revision), Some(clock)) => Some(UpTo { revision, clock }),
            (None, None) => None,
            (given, _) => {
                let absent = if given.is_some() { "as_of" } else { "up_to" };
                return Err(Error::field(absent, "give both `up_to` and `as_of` of the page, or neither").into());
            }
        };
        Ok((filter.filter()?, up_to))
    }
}

/// Does something with several messages. `read` of the inbox, or of what is unread, marks all of it with one row.
#[utoipa::path(post, path = "/api/v1/inbox", tag = "Inbox", request_body = Bulk, responses(
    (status = 200, body = BulkDone),
    Malformed, Unauthenticated, Missing, Invalid, Unavailable,
))]
async fn bulk(
    State(app): State<Arc<App>>,
    principal: Principal,
    Json(bulk): Json<Bulk>,
) -> Result<Json<BulkDone>, Problem> {
    let (person, action) = (principal.person, bulk.action);
    let place = bulk.filter();
    if let Some(ids) = bulk.ids {
        let of_list = bulk.view.is_some() || bulk.importance.is_some() || bulk.q.is_some();
        if of_list || bulk.up_to.is_some() || bulk.as_of.is_some() {
            return Err(Error::field("ids", "give ids or a list, not both").into());
        }
        let changed = on_ids(&app, person, ids, action, None).await?;
        return Ok(Json(BulkDone {
            changed: Some(changed),
            more: false,
        }));
    }
    let (filter, up_to) = place?;
    let is_plain = bulk.importance.is_none() && filter.search.is_none();
    let now = app.clock.now();
    if action == Action::Read && is_plain && matches!(filter.view, View::Inbox | View::Unread) {
        let more = sorting::read_all(&app, person, up_to, now).await?;
        return Ok(Json(BulkDone { changed: None, more }));
    }
    if bulk.view.is_none() && is_plain {
        return Err(Error::field("view", "name the messages: `ids`, or a list").into());
    }
    let lists = Arc::clone(&app.lists);
    let searches = filter.search.is_some();
    let find = move |tx: &mut Tx<'_>| act::filtered(tx, &lists, person, &filter, action, up_to, now);
    let plan = if searches {
        app.db.scan(find).await?
    } else {
        app.db.read(find).await?
    };
    let (changed, more) = (plan.messages.len(), plan.more);
    app.db.jot(move |tx| act::act(tx, person, &plan, action, now)).await?;
    Ok(Json(BulkDone {
        changed: Some(changed),
        more,
    }))
}

async fn on_ids(
    app: &App,
    person: PersonId,
    ids: Vec<MessageId>,
    action: Action,
    edition: Option<i64>,
) -> Result<usize, Problem> {
    let now = app.clock.now();
    let lists = Arc::clone(&app.lists);
    let mut plan = app
        .db
        .read(move |tx| act::named(tx, &lists, person, &ids, action, now))
        .await?;
    let changed = plan.messages.len();
    plan.edition = edition.unwrap_or(plan.edition);
    app.db.jot(move |tx| act::act(tx, person, &plan, action, now)).await?;
    Ok(changed)
}
