//! What belongs to the person who reads: profile, password, personal tokens, ticket, devices, sessions.

mod agent;
mod devices;
mod password;
mod sessions;
mod ticket;
mod tokens;

use std::sync::{Arc, LazyLock};

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use campanile_core::account::profile::{self, Change};
use campanile_core::markup;
use campanile_core::outbox::suppression::Source;
use campanile_core::outbox::wish::{self, Hindrance};

use super::form::{Asked, Fields, Form};
use super::page::{self, Page, Viewer};
use super::refused::Refused;
use super::words::Language;
use crate::app::App;
use crate::own;
use crate::problem::Problem;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/me", get(show).post(change))
        .route("/me/mail", post(mail))
        .merge(password::routes())
        .merge(tokens::routes())
        .merge(ticket::routes())
        .merge(devices::routes())
        .merge(sessions::routes())
}

/// A choice of a `<select>`.
struct Choice {
    value: String,
    name: String,
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

/// All of these as options of a `<select>`, written once: there are 400 of them, and each page would write them alike.
static ZONES: LazyLock<String> = LazyLock::new(|| {
    let mut all: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
    all.sort_unstable();
    let group = |region: &str| {
        let inside = |zone: &&String| zone.strip_prefix(region).is_some_and(|rest| rest.starts_with('/'));
        let options: String = all.iter().filter(inside).map(|zone| option(zone)).collect();
        format!("<optgroup label=\"{region}\">{options}</optgroup>")
    };
    REGIONS.into_iter().map(group).collect()
});

fn option(zone: &str) -> String {
    format!("<option>{}</option>", markup::escaped(zone))
}

/// What stands before and after the option that is chosen; all of it before where none of these is.
fn around(zone: &str) -> (&'static str, &'static str) {
    ZONES.split_once(&option(zone)).unwrap_or((&ZONES, ""))
}

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
    /// The zones before the chosen one and after it, as options.
    zones: (&'static str, &'static str),
    /// What keeps mail from the person's address.
    hindrances: Vec<Hindrance>,
    /// Why mail was not switched.
    mail_refused: Refused,
}

impl<'r> ProfilePage<'r> {
    async fn new(app: &App, reader: &'r Viewer) -> Result<Self, Problem> {
        let own = profile::Profile::clone(&reader.profile);
        let (person, now) = (reader.principal.person, reader.now);
        let standing = app.db.read(move |tx| wish::standing(tx, person, now)).await?;
        Ok(Self {
            page: Page::new(reader, "me", reader.t("profile")),
            refused: Refused::default(),
            name: own.name,
            email: own.email.unwrap_or_default(),
            other: own
                .locale
                .clone()
                .filter(|tag| Language::all().iter().all(|one| one.tag != tag)),
            locale: own.locale.unwrap_or_default(),
            zones: around(own.zone.as_deref().unwrap_or_default()),
            zone: own.zone.unwrap_or_default(),
            hindrances: standing.hindrances,
            mail_refused: Refused::default(),
        })
    }

    /// Whether the person can switch mail on again.
    fn can_open(&self) -> bool {
        self.hindrances.iter().all(|one| one.source != Source::Added)
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

    /// Whether the zone that is chosen stands in one of the regions.
    fn is_of_region(&self) -> bool {
        !self.zones.1.is_empty()
    }
}

async fn show(State(app): State<Arc<App>>, reader: Viewer, Asked(asked): Asked) -> Result<Response, Problem> {
    let mut shown = ProfilePage::new(&app, &reader).await?;
    shown.page = shown.page.after(&asked);
    page::show(&shown)
}

async fn change(State(app): State<Arc<App>>, reader: Viewer, Form(fields): Form) -> Result<Response, Problem> {
    match own::change_profile(&app, &reader.principal, wanted(&fields)).await {
        Ok(_) => Ok(page::done("/me", "profile", &[])),
        Err(error) => page::refuse(&ProfilePage {
            refused: Refused::of(&reader, error.into())?,
            name: fields.get("name").to_owned(),
            email: fields.get("email").to_owned(),
            locale: fields.get("locale").to_owned(),
            zones: around(fields.get("zone")),
            zone: fields.get("zone").to_owned(),
            ..ProfilePage::new(&app, &reader).await?
        }),
    }
}

/// Switches mail on or off.
async fn mail(State(app): State<Arc<App>>, reader: Viewer, Form(fields): Form) -> Result<Response, Problem> {
    let on = fields.get("on") == "1";
    match own::set_mail(&app, &reader.principal, on).await {
        Ok(_) => Ok(page::done("/me", if on { "mail-on" } else { "mail-off" }, &[])),
        Err(error) => page::refuse(&ProfilePage {
            mail_refused: Refused::of(&reader, error.into())?,
            ..ProfilePage::new(&app, &reader).await?
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
