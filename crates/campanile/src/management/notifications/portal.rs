//! Notifications as the developer portal asks for them: by pages, with links from one to the next.

use std::ops::Range;
use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get};
use axum::{Json, Router};
use campanile_core::Error;
use campanile_core::inbox::{self, Listed, Shown};
use campanile_core::time::Moment;
use campanile_store::Tx;
use http::Uri;
use serde::Serialize;

use super::{MOST, Notification, PIECE, delete_all, delete_one, in_pieces};
use crate::app::App;
use crate::management::caller::Caller;
use crate::management::place::Environment;
use crate::management::refusal::Refusal;
use crate::problem::Kind;

pub(in crate::management) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/user/notifications", get(list).delete(delete_all))
        .route("/user/notifications/{notification}", delete(delete_one))
}

/// Notifications of a page where nothing is asked for.
const SIZE: i64 = 10;
/// Pages reach down to so many notifications, which nobody has.
const DEEPEST: usize = 10_000_000;

/// Which page is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Wanted {
    /// From 1.
    page: i64,
    /// -1 for all of them, 0 for none.
    size: i64,
}

impl Wanted {
    fn of(uri: &Uri) -> Result<Self, Refusal> {
        let mut wanted = Self { page: 1, size: SIZE };
        for (name, value) in form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
            let number = || value.parse().map_err(|_| invalid());
            match &*name {
                "page" => wanted.page = number()?,
                "size" => wanted.size = number()?,
                _ => {}
            }
        }
        if wanted.size < -1 { Err(invalid()) } else { Ok(wanted) }
    }

    /// How many of the newest hold what is asked for; of the whole list as many as the console gets.
    fn most(self) -> usize {
        let (Ok(page), Ok(size)) = (usize::try_from(self.page), usize::try_from(self.size)) else {
            return MOST;
        };
        page.saturating_mul(size).clamp(1, DEEPEST)
    }

    /// Which of so many notifications, the newest first.
    fn range(self, total: usize) -> Result<Range<usize>, Refusal> {
        let Ok(size) = usize::try_from(self.size) else {
            return Ok(0..total);
        };
        if size == 0 || total == 0 {
            return Ok(0..0);
        }
        let page = usize::try_from(self.page)
            .ok()
            .filter(|page| *page > 0)
            .ok_or_else(invalid)?;
        let start = (page - 1).saturating_mul(size);
        if start < total.min(DEEPEST) {
            Ok(start..start.saturating_add(size).min(total))
        } else {
            Err(invalid())
        }
    }
}

fn invalid() -> Refusal {
    Refusal::new(Kind::Malformed, "pagination.invalid", "Pagination is not valid")
}

/// A notification as the portal has it: its time is a text.
fn in_words(shown: &Shown) -> Notification<'_, Moment> {
    Notification::new(shown, |at| at)
}

#[derive(Serialize)]
struct List<'a> {
    data: Vec<Notification<'a, Moment>>,
    #[serde(flatten)]
    about: About,
}

/// What a list says of itself.
#[derive(Serialize)]
struct About {
    metadata: Metadata,
    #[serde(skip_serializing_if = "Option::is_none")]
    links: Option<Links>,
}

#[derive(Serialize)]
struct Metadata {
    data: Total,
    #[serde(skip_serializing_if = "Option::is_none")]
    pagination: Option<Pagination>,
}

#[derive(Serialize)]
struct Total {
    total: usize,
}

#[derive(Serialize)]
struct Pagination {
    current_page: i64,
    size: i64,
    first: usize,
    last: usize,
    total: usize,
    total_pages: usize,
}

/// Addresses of pages; one that does not exist is left out.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
struct Links {
    #[serde(rename = "self")]
    itself: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    first: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prev: Option<String>,
}

async fn list(State(app): State<Arc<App>>, at: Environment, caller: Caller, uri: Uri) -> Result<Response, Refusal> {
    let wanted = Wanted::of(&uri)?;
    let (person, now, lists) = (caller.person(), app.clock.now(), Arc::clone(&app.lists));
    let read = move |tx: &mut Tx<'_>| {
        let mut all = inbox::everything(tx, &lists, person, wanted.most(), now)?;
        // Of all of them the newest are told, and how many there are.
        let total = usize::try_from(all.total).unwrap_or(usize::MAX);
        let range = wanted
            .range(total)
            .map(|range| range.start..range.end.min(all.items.len()));
        all.items = range
            .as_ref()
            .map_or_else(|_| Vec::new(), |range| all.items[range.clone()].to_vec());
        let few = if all.items.len() <= PIECE { &all.items[..] } else { &[] };
        let texts = inbox::texts_of(tx, &lists, few)?;
        Ok::<_, Error>((total, range, all.items, texts))
    };
    let (total, range, items, texts) = app.db.read(read).await?;
    let about = about(wanted, total, &range?, &at.user_at_portal(&app.origin), uri.query());
    if texts.len() < items.len() {
        let about = serde_json::to_string(&about).expect("texts and numbers always serialise");
        let write = |out: &mut Vec<u8>, shown: &Shown| in_words(shown).write(out);
        return Ok(in_pieces(app, items, write, format!("],{}", &about[1..])));
    }
    let data = texts.iter().map(Listed::shared).map(in_words).collect();
    Ok(Json(List { data, about }).into_response())
}

fn about(wanted: Wanted, total: usize, range: &Range<usize>, user: &str, query: Option<&str>) -> About {
    let pages = usize::try_from(wanted.size).ok().filter(|size| *size > 0);
    let pages = pages.map(|size| total.div_ceil(size));
    let pagination = pages.filter(|_| total > 0).map(|total_pages| Pagination {
        current_page: wanted.page,
        size: wanted.size,
        first: range.start + 1,
        last: range.end,
        total,
        total_pages,
    });
    // Whoever asks for none of them wants to know how many there are.
    let told = if wanted.size == 0 { total } else { range.len() };
    About {
        metadata: Metadata {
            data: Total { total: told },
            pagination,
        },
        links: pages.and_then(|pages| links(user, query, wanted, pages as i64)),
    }
}

/// The addresses of the pages around one; `None` where there is nothing.
fn links(user: &str, query: Option<&str>, wanted: Wanted, pages: i64) -> Option<Links> {
    if !(1..=pages).contains(&wanted.page) {
        return None;
    }
    let query = query.map_or_else(String::new, |query| format!("?{query}"));
    let itself = format!("{user}/notifications{query}");
    if pages == 1 {
        return Some(Links {
            itself,
            ..Links::default()
        });
    }
    let at = |page: i64| Some(format!("{user}/notifications?page={page}&size={}", wanted.size));
    Some(Links {
        itself,
        first: at(1),
        last: at(pages),
        next: at(wanted.page + 1).filter(|_| wanted.page < pages),
        prev: at(wanted.page - 1).filter(|_| wanted.page > 1),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(query: &str) -> Option<Wanted> {
        Wanted::of(&format!("/x{query}").parse().unwrap()).ok()
    }

    #[test]
    fn a_page_is_asked_for_by_numbers() {
        let of = |page, size| Some(Wanted { page, size });
        assert_eq!(wanted(""), of(1, 10));
        assert_eq!(wanted("?page=2&size=3&other=x"), of(2, 3));
        assert_eq!(wanted("?size=-1"), of(1, -1));
        for query in [
            "?size=-2",
            "?size=x",
            "?page=",
            "?page=1.5",
            "?page=99999999999999999999",
        ] {
            assert_eq!(wanted(query), None, "{query}");
        }
    }

    #[test]
    fn a_page_that_is_not_there_is_refused_unless_there_is_nothing() {
        let range = |query: &str, total| wanted(query).unwrap().range(total).ok();
        assert_eq!(range("?page=1&size=2", 3), Some(0..2));
        assert_eq!(range("?page=2&size=2", 3), Some(2..3));
        assert_eq!(range("?page=3&size=2", 3), None);
        assert_eq!(range("?page=0&size=2", 3), None);
        assert_eq!(range("?page=3&size=2", 0), Some(0..0));
        assert_eq!(range("?page=3&size=0", 3), Some(0..0));
        assert_eq!(range("?page=3&size=-1", 3), Some(0..3));
        assert_eq!(range("?page=1&size=9223372036854775807", 3), Some(0..3));
        assert_eq!(range("?page=15001&size=10", 150_005), Some(150_000..150_005));
    }

    #[test]
    fn a_page_is_found_however_deep_it_lies() {
        let most = |query: &str| wanted(query).unwrap().most();
        assert_eq!(most("?page=15001&size=10"), 150_010);
        assert_eq!(most("?size=-1"), MOST);
        assert_eq!(most("?size=0"), 1);
        assert_eq!(most("?page=0"), 1);
        assert_eq!(most("?page=9223372036854775807&size=9223372036854775807"), DEEPEST);
    }

    #[test]
    fn pages_link_to_those_around_them() {
        let links = links("https://x", Some("page=2&size=2"), Wanted { page: 2, size: 2 }, 3).unwrap();
        assert_eq!(links.itself, "https://x/notifications?page=2&size=2");
        assert_eq!(links.first.as_deref(), Some("https://x/notifications?page=1&size=2"));
        assert_eq!(links.last, links.next);
        assert_eq!(links.prev, links.first);
    }
}
