//! APIs, for those who write to their consumers.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use campanile_core::audience::{Instant, Selector};
use campanile_core::directory::addressable::{self, Choice, Search};
use campanile_core::directory::list::{self as lists, Kind as Things, Paging, ThingFilter};
use campanile_core::inbox::SEARCH_CHARS;
use campanile_core::message::target;
use campanile_core::policy::{self, Act, Part};
use campanile_core::{Error, Result as Ruled};
use campanile_store::Tx;

use super::compose::Api;
use super::list::{PAGE, Row, raw, row};
use crate::app::App;
use crate::console::form::{Asked, Path};
use crate::console::page::{Page, Reader, show};
use crate::problem::Problem;
use crate::sending::{self, Filter};

/// The address of an API's page.
pub(super) fn address(id: &str) -> String {
    let escaped: String = form_urlencoded::byte_serialize(id.as_bytes()).collect();
    // In a path a plus is a plus.
    format!("/apis/{}", escaped.replace('+', "%20"))
}

#[derive(Template)]
#[template(path = "console/messages/apis.html")]
struct ListPage<'r> {
    page: Page<'r>,
    apis: Vec<Choice>,
    search: &'r str,
    /// The address of what follows.
    next: Option<String>,
    /// Whether there are others that only a search finds.
    more: bool,
    refused: Option<String>,
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    reader: Reader,
    Asked(asked): Asked,
) -> Result<Response, Problem> {
    let search = asked.get("q");
    let too_long = search.chars().count() > SEARCH_CHARS;
    let q = Some(search.to_owned()).filter(|q| !q.is_empty() && !too_long);
    let (chosen, narrow) = (reader.chosen.clone(), reader.chosen.clone());
    let (rights, cursor) = (reader.rights.clone(), asked.some("cursor").map(str::to_owned));
    let all = reader.may(&Act::ReadDirectory);
    let work = move |tx: &mut Tx<'_>| {
        if !all {
            let mut found = addressable::apis(tx, &rights, &Search { q, limit: None })?;
            found.items.retain(|api| narrow.is_none() || narrow == api.detail);
            return Ok((found.items, None, found.more));
        }
        let filter = ThingFilter {
            q,
            environment: chosen,
            active: Some(true),
        };
        let paging = Paging { limit: None, cursor };
        let page = lists::things(tx, Things::Api, &filter, &paging)?;
        let choice = |thing: lists::Thing| Choice {
            id: thing.id,
            name: thing.name,
            detail: thing.environment,
        };
        Ok::<_, Error>((page.items.into_iter().map(choice).collect(), page.next, false))
    };
    let (mut apis, next, more) = app.db.scan(work).await?;
    for api in &mut apis {
        api.detail = api.detail.take().map(|id| reader.environment_name(&id).to_owned());
    }
    let next = next.map(|next| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("q", search).append_pair("cursor", &next);
        format!("/apis?{}", query.finish())
    });
    show(&ListPage {
        page: Page::new(&reader, "apis", reader.t("apis")).of_environment(&reader),
        apis,
        search,
        next,
        more,
        refused: too_long.then(|| reader.n("search-too-long", SEARCH_CHARS as u64)),
    })
}

/// An API of which the reader may know. Others are not there.
pub(super) async fn find(app: &App, reader: &Reader, id: String) -> Result<Api, Problem> {
    let found = app.db.read(move |tx| by_id(tx, &id)).await?;
    let known = |api: &Api| policy::may_see_api(&reader.rights, api.number);
    Ok(found.filter(known).ok_or(Error::Missing("API"))?)
}

#[derive(Template)]
#[template(path = "console/messages/api.html")]
struct ApiPage<'r> {
    page: Page<'r>,
    api: Api,
    environment: String,
    /// People who made a valid subscription.
    subscribers: u64,
    may_send: bool,
    rows: Vec<Row>,
    more: Option<String>,
    /// Whether this is not the first page.
    further: bool,
    /// Whether the reader may see messages at all.
    may_list: bool,
}

impl ApiPage<'_> {
    fn address(&self) -> String {
        address(&self.api.id)
    }
}

/// The messages of an API are on its page.
pub(super) async fn messages(_: Reader, Path(api): Path<String>) -> Response {
    Redirect::to(&address(&api)).into_response()
}

pub(super) async fn one(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(id): Path<String>,
    Asked(asked): Asked,
) -> Result<Response, Problem> {
    let api = find(&app, &reader, id).await?;
    let (number, now, residents) = (api.number, reader.now, Arc::clone(&app.residents));
    let count = move |tx: &mut Tx<'_>| {
        let residents = residents.at(tx)?;
        let crowd = residents.crowd(tx, &[Selector::Subscribers { api: number }], Instant::now(now))?;
        Ok::<_, Error>(crowd.len())
    };
    let subscribers = app.db.scan(count).await?;
    let filter = Filter {
        api: Some(api.number),
        without_tests: true,
        ..Filter::default()
    };
    let cursor = asked.some("cursor").and_then(|cursor| cursor.parse().ok());
    let below = cursor.unwrap_or(i64::MAX);
    // Who looks around in the directory need not be one who sends.
    let may_list = reader.may(&Act::ListSent);
    let (found, next) = if may_list {
        sending::list(&app, reader.principal.person, filter, below, PAGE, raw).await?
    } else {
        (Vec::new(), None)
    };
    let environment = reader.environment_name(&api.environment).to_owned();
    show(&ApiPage {
        page: Page::new(&reader, "apis", api.name.clone()).after(&asked),
        environment,
        subscribers,
        may_send: reader.may(&Act::Send(&[Part::Api { api: api.number }])),
        rows: found.into_iter().map(|one| row(&reader, one)).collect(),
        more: next.map(|next| format!("{}?cursor={next}", address(&api.id))),
        further: cursor.is_some(),
        may_list,
        api,
    })
}

/// An API by its id outside; `None` where there is none.
fn by_id(tx: &mut Tx<'_>, id: &str) -> Ruled<Option<Api>> {
    let Some((number, name, environment)) = target::api(tx, id)? else {
        return Ok(None);
    };
    Ok(Some(Api {
        number,
        id: id.to_owned(),
        name,
        environment: target::environment_key(tx, environment)?,
    }))
}
