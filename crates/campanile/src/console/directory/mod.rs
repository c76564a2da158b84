//! The directory: customers as a tree, users, groups, roles, environments, APIs, applications, subscriptions and
//! memberships; each listed, shown with what goes with it and with its history, made, changed and ended; and the
//! import.
//!
//! Map: [`cell`] is what tables are made of, [`lists`] the lists, [`things`] the page of one thing and [`past`] its
//! history, [`fields`] and [`wanted`] the forms and what they say, [`change`] what is done with them; roles,
//! memberships and the import have pages of their own.

mod cell;
mod change;
mod customers;
mod end;
mod erase;
mod fields;
mod import;
mod lists;
mod memberships;
mod password;
mod past;
mod pick;
mod raw;
mod roles;
mod things;
mod wanted;

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{FromRequestParts, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use campanile_core::Error;
use campanile_core::directory::list::{
    self, CustomerFilter, PAGE_LIMIT, Paging, SubscriptionFilter, Thing, ThingFilter,
};
use campanile_core::policy::{self, Act};
use campanile_store::Tx;
use http::request::Parts;

use super::page::{Page, Reader, show};
use crate::app::App;
use crate::directory::segment;
use crate::problem::Problem;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/directory", get(overview))
        .route("/directory/find/{kind}", get(pick::find))
        .route("/directory/memberships", get(memberships::list))
        .route(
            "/directory/memberships/end",
            get(memberships::confirm).post(memberships::end),
        )
        .route(
            "/directory/add/memberships",
            get(memberships::ask).post(memberships::add),
        )
        .route("/directory/roles", get(roles::list))
        .route("/directory/add/roles", get(roles::ask_new).post(roles::add))
        .route("/directory/roles/{scope}/{name}", get(roles::one))
        .route(
            "/directory/roles/{scope}/{name}/edit",
            get(roles::ask).post(roles::change),
        )
        .route(
            "/directory/roles/{scope}/{name}/end",
            get(roles::confirm).post(roles::end),
        )
        .route("/directory/add/{kind}", get(change::ask_new).post(change::add))
        .route("/directory/{kind}", get(lists::list))
        .route("/directory/{kind}/{id}", get(things::one))
        .route("/directory/{kind}/{id}/edit", get(change::ask).post(change::change))
        .route("/directory/{kind}/{id}/end", get(end::confirm).post(end::end))
        .route("/directory/{kind}/{id}/back", post(end::back))
        .route("/directory/{kind}/{id}/groups", post(change::groups))
        .route("/directory/users/{id}/password", get(password::ask).post(password::set))
        .route("/directory/users/{id}/erase", get(erase::ask).post(erase::erase))
        .merge(import::routes())
}

/// A kind of thing that has an id and a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Customers,
    Users,
    Groups,
    Apis,
    Applications,
    Subscriptions,
    Environments,
}

impl Kind {
    const ALL: [Self; 7] = [
        Self::Customers,
        Self::Users,
        Self::Groups,
        Self::Apis,
        Self::Applications,
        Self::Subscriptions,
        Self::Environments,
    ];

    /// In addresses and in the names of texts.
    const fn path(self) -> &'static str {
        match self {
            Self::Customers => "customers",
            Self::Users => "users",
            Self::Groups => "groups",
            Self::Apis => "apis",
            Self::Applications => "applications",
            Self::Subscriptions => "subscriptions",
            Self::Environments => "environments",
        }
    }

    fn parse(path: &str) -> Result<Self, Error> {
        let found = Self::ALL.into_iter().find(|kind| kind.path() == path);
        found.ok_or(Error::Missing("kind of thing"))
    }

    /// The page of one of them.
    fn at(self, id: &str) -> String {
        address(self.path(), id)
    }

    /// Of things with a key and a name, how the core calls them.
    const fn thing(self) -> Option<list::Kind> {
        match self {
            Self::Groups => Some(list::Kind::Group),
            Self::Apis => Some(list::Kind::Api),
            Self::Applications => Some(list::Kind::Application),
            Self::Environments => Some(list::Kind::Environment),
            Self::Customers | Self::Users | Self::Subscriptions => None,
        }
    }
}

/// The page of a thing, by the path of its kind and its id.
fn address(kind: &str, id: &str) -> String {
    format!("/directory/{kind}/{}", segment(id))
}

/// An address with the parameters that have a value.
fn query(path: &str, parameters: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(parameters.iter().filter(|(_, value)| !value.is_empty()));
    match query.finish() {
        query if query.is_empty() => path.to_owned(),
        query => format!("{path}?{query}"),
    }
}

/// A customer's id out of an address.
fn number(id: &str) -> Result<i64, Error> {
    id.parse().map_err(|_| Error::Missing("customer"))
}

/// A reader who may read the directory.
struct Looker(Reader);

/// A reader who may change the directory.
struct Editor(Reader);

async fn reader_who_may(parts: &mut Parts, app: &Arc<App>, act: &Act<'_>) -> Result<Reader, Response> {
    let reader = Reader::from_request_parts(parts, app).await?;
    policy::may(&reader.rights, act).map_err(|error| Problem::from(error).into_response())?;
    Ok(reader)
}

impl FromRequestParts<Arc<App>> for Looker {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Response> {
        reader_who_may(parts, app, &Act::ReadDirectory).await.map(Self)
    }
}

impl FromRequestParts<Arc<App>> for Editor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Response> {
        reader_who_may(parts, app, &Act::EditDirectory).await.map(Self)
    }
}

/// A page of the directory and the tab that it belongs to.
struct Shell<'r> {
    page: Page<'r>,
    tab: &'static str,
}

/// What the layout shows of a page of the directory is in its shell.
macro_rules! in_shell {
    ($name:ident) => {
        impl<'r> std::ops::Deref for $name<'r> {
            type Target = $crate::console::directory::Shell<'r>;

            fn deref(&self) -> &Self::Target {
                &self.shell
            }
        }
    };
}
use in_shell;

/// A tab: its address, its name, and whether it is this one.
struct Tab {
    address: String,
    name: String,
    current: bool,
}

impl<'r> Shell<'r> {
    fn new(reader: &'r Reader, tab: &'static str, title: impl Into<String>) -> Self {
        Self {
            page: Page::new(reader, "directory", title),
            tab,
        }
    }

    fn may_edit(&self) -> bool {
        self.page.may(&Act::EditDirectory)
    }

    /// The kinds that the reader may look at.
    fn tabs(&self) -> Vec<Tab> {
        let may_list_roles = self.page.may(&Act::ListRoles);
        let kinds = TABS.into_iter().filter(|kind| may_list_roles || *kind != "roles");
        let tab = |kind: &str| Tab {
            address: format!("/directory/{kind}"),
            name: self.page.words.t(&format!("kind-{kind}")),
            current: kind == self.tab,
        };
        let mut tabs = vec![Tab {
            address: "/directory".to_owned(),
            name: self.page.words.t("directory-overview"),
            current: self.tab == "overview",
        }];
        tabs.extend(kinds.map(tab));
        tabs
    }
}

/// Everything that has a list, in the order in which it is shown.
const TABS: [&str; 9] = [
    "customers",
    "users",
    "groups",
    "roles",
    "apis",
    "applications",
    "subscriptions",
    "memberships",
    "environments",
];

// ---------------------------------------------------------------- the overview

/// A kind on the first page: its address, its name, what it is, and how many there are.
struct Card {
    address: String,
    name: String,
    what: String,
    count: Option<String>,
}

#[derive(Template)]
#[template(path = "console/directory/overview.html")]
struct OverviewPage<'r> {
    shell: Shell<'r>,
    cards: Vec<Card>,
}

in_shell!(OverviewPage);

async fn overview(State(app): State<Arc<App>>, Looker(reader): Looker) -> Result<Response, Problem> {
    let residents = Arc::clone(&app.residents);
    let counts = app.db.scan(move |tx| {
        let people = residents.at(tx)?.alive().len();
        let mut counts = vec![("users", Counted::exactly(people))];
        for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::Users) {
            counts.push((kind.path(), some_of(tx, kind)?));
        }
        counts.push(("roles", Counted::of(&list::roles(tx, None, &whole_page())?)));
        Ok::<_, Error>(counts)
    });
    let counts = counts.await?;
    let shell = Shell::new(&reader, "overview", reader.t("directory"));
    let card = |kind: &str| Card {
        address: format!("/directory/{kind}"),
        name: reader.t(&format!("kind-{kind}")),
        what: reader.t(&format!("kind-{kind}-what")),
        count: counts
            .iter()
            .find(|(at, _)| *at == kind)
            .map(|(_, count)| count.shown(&reader)),
    };
    let may_list_roles = reader.may(&Act::ListRoles);
    let kinds = TABS.into_iter().filter(|kind| may_list_roles || *kind != "roles");
    show(&OverviewPage {
        cards: kinds.map(card).collect(),
        shell,
    })
}

// ---------------------------------------------------------------- how many

/// The largest page: as far as anything is counted.
fn whole_page() -> Paging {
    Paging {
        limit: Some(PAGE_LIMIT),
        cursor: None,
    }
}

/// A number that is counted up to [`PAGE_LIMIT`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Counted {
    n: u64,
    more: bool,
}

impl Counted {
    const fn exactly(n: u64) -> Self {
        Self { n, more: false }
    }

    const fn of<T>(page: &list::Page<T>) -> Self {
        Self {
            n: page.items.len() as u64,
            more: page.next.is_some(),
        }
    }

    /// `12`, or `more than 100`.
    fn shown(self, reader: &Reader) -> String {
        if self.more {
            reader.n("more-than", self.n)
        } else {
            reader.number(self.n)
        }
    }
}

/// How many of a kind there are now.
fn some_of(tx: &mut Tx<'_>, kind: Kind) -> Result<Counted, Error> {
    let paging = whole_page();
    if let Some(thing) = kind.thing() {
        let filter = ThingFilter {
            active: Some(true),
            ..ThingFilter::default()
        };
        return Ok(Counted::of::<Thing>(&list::things(tx, thing, &filter, &paging)?));
    }
    if kind == Kind::Customers {
        let filter = CustomerFilter {
            active: Some(true),
            ..CustomerFilter::default()
        };
        return Ok(Counted::of(&list::customers(tx, &filter, &paging)?));
    }
    let filter = SubscriptionFilter {
        active: Some(true),
        ..SubscriptionFilter::default()
    };
    Ok(Counted::of(&list::subscriptions(tx, &filter, &paging)?))
}
