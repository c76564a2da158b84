//! The notifications of who is signed in: what stands in their inbox, whichever interface it came by (decision 29).
//! The console gets all of it, the oldest first; the portal a page, the newest first.

mod portal;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get};
use axum::{Json, Router};
use bytes::Bytes;
use campanile_core::Error;
use campanile_core::id::MessageId;
use campanile_core::inbox::{self, Everything, Item, Listed, Shown};
use campanile_core::time::Moment;
use campanile_store::Tx;
use futures_util::stream;
use http::{StatusCode, header};
use serde::Serialize;

use super::caller::Caller;
use super::place::{Id, Organization};
use super::refusal::Refusal;
use crate::app::App;
use crate::problem::Kind;
use crate::{bell, sorting};

pub(super) use portal::routes as portal_routes;

/// Notifications of a list at most.
const MOST: usize = 100_000;
/// Notifications whose texts are read at once. A longer list is written piece by piece.
const PIECE: usize = 200;
/// Bytes of an answer that is remembered.
const KEPT: usize = 64 << 10;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/user/notifications", get(list).delete(delete_all))
        .route("/user/notifications/{notification}", delete(delete_one))
        .route("/user/tasks", get(tasks))
}

/// A notification, with its time as an interface writes it.
#[derive(Serialize)]
struct Notification<'a, T> {
    id: String,
    title: &'a str,
    message: &'a str,
    created_at: T,
}

impl<'a, T: Serialize> Notification<'a, T> {
    fn new(shown: &'a Shown, time: fn(Moment) -> T) -> Self {
        Self {
            id: shown.id.0.to_string(),
            title: &shown.title,
            message: &shown.text,
            created_at: time(shown.published_at),
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        serde_json::to_writer(out, self).expect("texts and times always serialise");
    }
}

/// As the console has it: its time in milliseconds since 1970.
fn in_ms(shown: &Shown) -> Notification<'_, i64> {
    Notification::new(shown, |at| at.0)
}

/// What a list says of itself: it is one page, whatever its length.
#[derive(Clone, Copy, Serialize)]
#[expect(clippy::struct_field_names, reason = "they are called so in the contract")]
struct Page {
    current: u64,
    per_page: usize,
    size: usize,
    total_pages: u64,
    total_elements: u64,
}

impl Page {
    const fn new(listed: usize, total: u64) -> Self {
        Self {
            current: 1,
            per_page: listed,
            size: listed,
            total_pages: (listed > 0) as u64,
            total_elements: total,
        }
    }

    const fn of(all: &Everything) -> Self {
        Self::new(all.items.len(), all.total)
    }
}

#[derive(Serialize)]
struct List<'a> {
    data: Vec<Notification<'a, i64>>,
    page: Page,
}

async fn list(State(app): State<Arc<App>>, _: Organization, caller: Caller) -> Result<Response, Refusal> {
    let (person, now) = (caller.person(), app.clock.now());
    let (state, known) = (bell::state(&app, person), &app.bells.notifications);
    if let Some(body) = known.get(&person, state, now) {
        return Ok(json(body));
    }
    let lists = Arc::clone(&app.lists);
    let read = move |tx: &mut Tx<'_>| {
        let mut all = inbox::everything(tx, &lists, person, MOST, now)?;
        all.items.reverse();
        let few = if all.items.len() <= PIECE { &all.items[..] } else { &[] };
        let texts = inbox::texts_of(tx, &lists, few)?;
        Ok::<_, Error>((all, texts))
    };
    let (all, texts) = app.db.read(read).await?;
    if texts.len() < all.items.len() {
        let page = serde_json::to_string(&Page::of(&all)).expect("numbers always serialise");
        return Ok(in_pieces(
            app,
            all.items,
            |out, shown| in_ms(shown).write(out),
            format!("],\"page\":{page}}}"),
        ));
    }
    let body = List {
        data: texts.iter().map(Listed::shared).map(in_ms).collect(),
        page: Page::of(&all),
    };
    let body = Bytes::from(serde_json::to_vec(&body).expect("texts and numbers always serialise"));
    if body.len() <= KEPT {
        known.put(person, body.clone(), body.len() + 64, state, all.stands_until);
    }
    Ok(json(body))
}

fn json(body: impl Into<Body>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], body.into()).into_response()
}

/// A list whose texts are read a piece at a time, as the client takes it: there may be gigabytes of them. `write` puts
/// down one of them; `tail` is what follows them all.
fn in_pieces(app: Arc<App>, items: Vec<Item>, write: fn(&mut Vec<u8>, &Shown), tail: String) -> Response {
    let (items, tail) = (Arc::<[Item]>::from(items), Bytes::from(tail));
    let begin = b"{\"data\":[";
    let pieces = stream::try_unfold(Some((0, false)), move |state: Option<(usize, bool)>| {
        let (app, items, tail) = (Arc::clone(&app), Arc::clone(&items), tail.clone());
        async move {
            // What was deleted meanwhile has no text, and no comma.
            let Some((at, mut has_any)) = state else {
                return Ok(None);
            };
            let end = items.len().min(at + PIECE);
            let read = app
                .db
                .scan(move |tx| inbox::plain_texts_of(tx, &items[at..end]).map(|texts| (texts, items)));
            let (texts, items) = read.await.map_err(|error| std::io::Error::other(error.to_string()))?;
            let mut out = if at == 0 { begin.to_vec() } else { Vec::new() };
            for shown in &texts {
                if has_any {
                    out.push(b',');
                }
                has_any = true;
                write(&mut out, shown);
            }
            if end < items.len() {
                return Ok(Some((Bytes::from(out), Some((end, has_any)))));
            }
            out.extend_from_slice(&tail);
            Ok::<_, std::io::Error>(Some((Bytes::from(out), None)))
        }
    });
    json(Body::from_stream(pieces))
}

/// What waits for the user is asked for beside the notifications. It is never anything here.
#[derive(Serialize)]
struct Tasks {
    data: [(); 0],
    metadata: Metadata,
    page: Page,
}

#[derive(Serialize)]
struct Metadata {}

async fn tasks(_: Organization, _: Caller) -> Json<Tasks> {
    Json(Tasks {
        data: [],
        metadata: Metadata {},
        page: Page::new(0, 0),
    })
}

async fn delete_all(State(app): State<Arc<App>>, _: Organization, caller: Caller) -> Result<StatusCode, Refusal> {
    sorting::delete_all(&app, caller.person(), app.clock.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn delete_one(
    State(app): State<Arc<App>>,
    _: Organization,
    caller: Caller,
    Id(id): Id,
) -> Result<StatusCode, Refusal> {
    let missing = || {
        let message = format!("Portal notification [{id}] cannot be found.");
        Refusal::new(Kind::Missing, "notification.portal.notFound", message).with("notification", id.clone())
    };
    // One id has one form: a number that is written otherwise is none.
    let number: i64 = id.parse().map_err(|_| missing())?;
    let number = Some(number)
        .filter(|number| number.to_string() == id)
        .ok_or_else(missing)?;
    let number = MessageId(number);
    match sorting::delete(&app, caller.person(), number, app.clock.now()).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(Error::Missing(_)) => Err(missing()),
        Err(error) => Err(error.into()),
    }
}
