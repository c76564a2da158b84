//! What belongs to the person who reads: profile, password, personal tokens, ticket, sessions.

mod agent;
mod password;
mod sessions;
mod ticket;
mod tokens;

use std::sync::{Arc, LazyLock};

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use campanile_core::account::profile::{self, Change};

use super::form::{Asked, Fields, Form};
use super::page::{self, Page, Reader};
use super::refused::Refused;
use super::words::Language;
use crate::app::App;
use crate::problem::Problem;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/me", get(show).post(change))
        .merge(password::routes())
        .merge(tokens::routes())
        .merge(ticket::routes())
        .merge(sessions::routes())
}

/// A choice of a `<select>`.
struct Choice {
    value: String,
    name: String,
}

/// Zones that share the first part of their names.
struct Region {
    name: &'static str,
    zones: Vec<String>,
}

/// The parts of the world by which the zones of the IANA data base are named; other names are old ones of these.
const REGIONS: [&str; 10] = [
    "Africa",
    "America",
    "Antarctica",
    "Arctic",
    "Asia",
    "Atlantic",
    "Australia",
    "Europe",
    "Indian",
    "Pacific",
];

static ZONES: LazyLock<Vec<Region>> = LazyLock::new(|| {
    let all: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
    let region = |name| {
        let inside = |zone: &&String| zone.strip_prefix(name).is_some_and(|rest| rest.starts_with('/'));
        let mut zones: Vec<String> = all.iter().filter(inside).cloned().collect();
        zones.sort();
        Region { name, zones }
    };
    REGIONS.into_iter().map(region).collect()
});

#[derive(Template)]
#[template(path = "console/me/profile.html")]
struct ProfilePage<'r> {
    page: Page<'r>,
    refused: Refused,
    name: String,
    email: String,
    locale: String,
    zone: String,
    /// The chosen language where it is none of the console's.
    other: Option<String>,
    regions: &'static [Region],
}

impl<'r> ProfilePage<'r> {
    fn new(reader: &'r Reader) -> Self {
        let own = reader.profile.clone();
        Self {
            page: Page::new(reader, "me", reader.t("profile")),
            refused: Refused::default(),
            name: own.name,
            email: own.email.unwrap_or_default(),
            other: own
                .locale
                .clone()
                .filter(|tag| Language::all().iter().all(|one| one.tag != tag)),
            locale: own.locale.unwrap_or_default(),
            zone: own.zone.unwrap_or_default(),
            regions: &ZONES,
        }
    }

    fn languages(&self) -> Vec<Choice> {
        let known = Language::all().iter().map(|one| Choice {
            value: one.tag.to_owned(),
            name: one.name.to_owned(),
        });
        let other = self.other.iter().map(|tag| Choice {
            value: tag.clone(),
            name: Language::of_tag(tag).map_or_else(|| tag.clone(), |one| format!("{} ({tag})", one.name)),
        });
        known.chain(other).collect()
    }

    /// Whether the zone that is chosen stands in none of the regions.
    fn is_apart(&self) -> bool {
        !self.zone.is_empty() && self.zone != "UTC" && !ZONES.iter().any(|region| region.zones.contains(&self.zone))
    }
}

async fn show(reader: Reader, Asked(asked): Asked) -> Result<Response, Problem> {
    let mut shown = ProfilePage::new(&reader);
    shown.page = shown.page.after(&asked);
    page::show(&shown)
}

async fn change(State(app): State<Arc<App>>, reader: Reader, Form(fields): Form) -> Result<Response, Problem> {
    let (person, now) = (reader.principal.person, reader.now);
    let wanted = wanted(&fields);
    let changed = app.db.write(move |tx| profile::change(tx, person, wanted, now)).await;
    match changed {
        Ok(_) => Ok(page::done("/me", "profile", &[])),
        Err(error) => page::refuse(&ProfilePage {
            refused: Refused::of(&reader, error.into())?,
            name: fields.get("name").to_owned(),
            email: fields.get("email").to_owned(),
            locale: fields.get("locale").to_owned(),
            zone: fields.get("zone").to_owned(),
            ..ProfilePage::new(&reader)
        }),
    }
}

/// What a form says of the profile; a field that it has not stays.
fn wanted(fields: &Fields) -> Change {
    let of = |name| fields.has(name).then(|| fields.some(name).map(str::to_owned));
    Change {
        name: fields.has("name").then(|| fields.get("name").to_owned()),
        email: of("email"),
        locale: of("locale"),
        zone: of("zone"),
    }
}
