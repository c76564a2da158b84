//! Beside the form of an announcement: who sees it, and how it will look.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use campanile_core::message::preview::Preview;
use campanile_core::time::Moment;

use super::form::{Named, Typed};
use crate::app::App;
use crate::console::banner::Sketch;
use crate::console::form::Form;
use crate::console::page::{Page, Reader, show};
use crate::console::voice::Voice;
use crate::problem::{Kind, Problem};
use crate::sending::{self, Addressed};

/// People of the sample that are shown.
const SAMPLE: usize = 5;

/// What stands beside the form.
#[expect(clippy::struct_excessive_bools, reason = "each holds or not whatever the others do")]
pub(super) struct Aside {
    /// Nothing before somebody is named, or where the audience stays as it is.
    pub(super) count: Option<Preview>,
    pub(super) fault: Option<String>,
    /// The audience in words, where it stays as it is.
    pub(super) fixed: Option<String>,
    pub(super) banner: Sketch,
    /// Whether a text is there to be looked at.
    pub(super) has_text: bool,
    /// The times in UTC, to stand beside those of the form.
    pub(super) opens: Option<Moment>,
    pub(super) closes: Option<Moment>,
    /// When it opens, where that is later.
    later: bool,
    enabled: bool,
    /// Whether it is there already.
    is_edit: bool,
}

impl Aside {
    /// A few of them.
    pub(super) fn sample(&self) -> String {
        let people = self.count.iter().flat_map(|count| &count.sample).take(SAMPLE);
        people.map(|one| one.name.as_str()).collect::<Vec<_>>().join(", ")
    }

    /// What is told to who does not see it.
    pub(super) fn told(&self, voice: &Voice) -> String {
        match (&self.fault, &self.count) {
            (Some(fault), _) => fault.clone(),
            (None, Some(count)) => format!("{} {}", voice.number(count.people), voice.n("people-now", count.people)),
            (None, None) => String::new(),
        }
    }

    /// What the button says that saves.
    pub(super) fn button(&self, voice: &Voice) -> String {
        match &self.count {
            _ if self.is_edit => voice.t("save"),
            _ if !self.enabled => voice.t("save-switched-off"),
            _ if self.later => voice.t("schedule"),
            Some(count) => voice.n("announce-to", count.people),
            None => voice.t("announce"),
        }
    }

    /// A time in UTC, as it stands beside a field; nothing where the reader's own zone is UTC.
    #[expect(clippy::ref_option, reason = "templates have references to what they hold")]
    pub(super) fn utc(voice: &Voice, at: &Option<Moment>) -> String {
        let at = at.filter(|_| voice.zone.name() != "UTC");
        at.map(Moment::utc_to_the_second).unwrap_or_default()
    }
}

#[derive(Template)]
#[template(path = "console/announcements/aside.html")]
pub(super) struct AsidePart<'r> {
    pub(super) page: Page<'r>,
    pub(super) aside: Aside,
}

/// Counts and shows what is typed. `fixed` says the audience of one that keeps it.
pub(super) async fn aside(
    app: &App,
    reader: &Reader,
    typed: &Typed,
    named: &Named,
    fixed: Option<String>,
) -> Result<Aside, Problem> {
    let mut aside = Aside {
        count: None,
        fault: None,
        banner: typed.sketch(reader),
        has_text: !(typed.text.trim().is_empty() && typed.title.is_empty()),
        opens: reader.zone.parse(&typed.opens),
        closes: reader.zone.parse(&typed.closes),
        later: typed.later(reader).is_some(),
        enabled: typed.enabled,
        is_edit: typed.edition > 0,
        fixed,
    };
    if aside.fixed.is_some() {
        return Ok(aside);
    }
    if named.audience.is_empty() {
        let fault = named.faults.first().filter(|_| !typed.customer.is_empty());
        aside.fault = fault.map(|fault| reader.refusal(&fault.reason));
        return Ok(aside);
    }
    let to = Addressed {
        audience: named.audience.clone(),
        environment: None,
    };
    match sending::preview(app, reader.principal.person, to).await {
        Ok(count) => aside.count = Some(count),
        Err(problem) if matches!(problem.kind, Kind::Invalid | Kind::Denied) => {
            let fault = problem.errors.first().map_or(&problem.detail, |fault| &fault.reason);
            aside.fault = Some(reader.refusal(fault));
        }
        Err(problem) => return Err(problem),
    }
    Ok(aside)
}

/// The part beside the form of a new one.
pub(super) async fn part(State(app): State<Arc<App>>, reader: Reader, Form(fields): Form) -> Result<Response, Problem> {
    sending::may_announce(&reader.rights)?;
    let typed = Typed::read(&fields);
    let named = Named::of(&app, &reader, &typed).await?;
    let aside = aside(&app, &reader, &typed, &named, None).await?;
    let page = Page::new(&reader, "announcements", "");
    show(&AsidePart { page, aside })
}
