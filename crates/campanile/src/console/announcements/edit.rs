//! Changing an announcement that is there: its words, its time period, for whom it is, and whether it is on.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use campanile_core::audience::Rule;
use campanile_core::id::MessageId;
use campanile_core::message::announced::{Announced, For};
use campanile_core::message::change::Correction;
use campanile_core::message::draft::{Draft, Leniency};
use campanile_core::message::funnel::Funnel;
use campanile_core::message::{self, Channel, Message};
use campanile_core::rights::Rights;
use campanile_core::time::Moment;
use campanile_core::{Error, Fault, Result as Ruled};
use campanile_store::Tx;

use super::aside::{AsidePart, aside};
use super::form::{self, Named, Typed, stood};
use super::new::{FormPage, ask, faults_of, only_looks, page};
use super::switch::where_it_stands;
use super::{is_announcement, names};
use crate::app::App;
use crate::console::form::{Asked, Form, Path};
use crate::console::messages::{fault, in_words};
use crate::console::page::{Page, Reader, back, done, refuse, show};
use crate::problem::Problem;
use crate::sending::{self, Want};

/// One that is changed, with its audience.
struct Old {
    message: Message,
    to: For,
    /// The audience in words, where it stays as it is: of others than customers, and of one that was fixed.
    fixed: Option<String>,
}

async fn old(app: &App, reader: &Reader, id: MessageId) -> Result<Old, Problem> {
    let describe = |tx: &mut Tx<'_>, _: &Rights, message: Message, _: Option<Funnel>| {
        let selectors = message::selectors(tx, message.id)?;
        let announced = Announced {
            to: For::of(&selectors),
            selectors,
            message,
        };
        Ruled::Ok((names(tx, &announced)?, announced))
    };
    let (names, Announced { message, to, .. }) =
        sending::uncounted(app, reader.principal.person, id, Want::Correct, describe).await?;
    is_announcement(&message)?;
    let stays = to == For::Others || message.rule == Rule::AtSend && message.revision.is_some();
    Ok(Old {
        fixed: stays.then(|| in_words(reader, &names)),
        message,
        to,
    })
}

async fn edit_page<'r>(
    app: &App,
    reader: &'r Reader,
    old: &Old,
    typed: Typed,
    faults: Vec<Fault>,
) -> Result<FormPage<'r>, Problem> {
    let mut page = page(app, reader, typed, faults, old.fixed.clone()).await?;
    let id = old.message.id;
    page.page.title = reader.t("edit-announcement");
    page.action = format!("/announcements/{id}/edit");
    page.away = Some(page.typed.back.clone())
        .filter(|back| !back.is_empty())
        .unwrap_or_else(|| format!("/messages/{id}"));
    page.is_edit = true;
    page.rings = old.message.revision.is_some() && old.message.has(Channel::Portal);
    Ok(page)
}

pub(super) async fn show_form(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(id): Path<MessageId>,
    Asked(asked): Asked,
) -> Result<Response, Problem> {
    let old = old(&app, &reader, id).await?;
    if old.message.recalled_at.is_some() {
        return Err(Error::Conflict("the message was recalled; send a new one".into()).into());
    }
    let typed = Typed {
        back: back(&asked, "").to_owned(),
        ..Typed::of(&reader, &old.message, old.to)
    };
    show(&edit_page(&app, &reader, &old, typed, Vec::new()).await?)
}

/// What is typed into the form of one that is there: by which ways it goes is not asked again.
fn typed_for(old: &Message, fields: &crate::console::form::Fields) -> Typed {
    Typed {
        bell: old.has(Channel::Portal),
        mail: old.has(Channel::Email),
        format: old.format,
        ..Typed::read(fields)
    }
}

/// What is different from the announcement as it stands. A time that still reads the same stays as it is; what cannot
/// be read as one is a fault.
fn correction(reader: &Reader, old: &Old, typed: &Typed, named: &Named, faults: &mut Vec<Fault>) -> Correction {
    let (message, is) = (&old.message, Typed::of(reader, &old.message, old.to));
    let (opens_at, closes_at) = typed.times(reader, faults);
    let other = |typed: &str, is: &str| (typed != is).then(|| typed.to_owned());
    let end = |given: Option<Moment>, typed: &str, is: &str| (typed != is).then_some(given);
    let same = (typed.all, &typed.customer, typed.below) == (is.all, &is.customer, is.below);
    Correction {
        title: other(&typed.title, message.title.trim()),
        // A form has no other line breaks than its own.
        text: other(&typed.text, &message.text.replace("\r\n", "\n")),
        sender_name: other(&typed.sender, message.sender_name.trim()),
        importance: (typed.importance != message.importance).then_some(typed.importance),
        opens_at: end(opens_at, &typed.opens, &is.opens),
        closes_at: end(closes_at, &typed.closes, &is.closes),
        enabled: (typed.enabled != message.enabled).then_some(typed.enabled),
        dismissible: (typed.dismissible != message.dismissible).then_some(typed.dismissible),
        must_acknowledge: (typed.acknowledge != message.must_acknowledge).then_some(typed.acknowledge),
        audience: (!same && old.fixed.is_none()).then(|| named.audience.clone()),
        ring: typed.ring,
        ..Correction::default()
    }
}

/// What the rules would say of what is typed, without its audience: that stands, or has been found wrong already.
async fn with_others(app: &App, reader: &Reader, typed: &Typed, faults: Vec<Fault>) -> Result<Vec<Fault>, Problem> {
    let without_mail = Typed {
        mail: false,
        ..typed.clone()
    };
    let draft = Draft {
        leniency: Leniency {
            past: true,
            ..Leniency::default()
        },
        ..without_mail.draft(reader, Vec::new(), &mut Vec::new())
    };
    let known = faults.iter().any(|fault| fault.field == "audience");
    let mut found = form::with_others(app, reader, draft, faults).await?;
    found.retain(|fault| known || fault.field != "audience");
    Ok(found)
}

pub(super) async fn post(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(id): Path<MessageId>,
    Form(fields): Form,
) -> Result<Response, Problem> {
    let old = old(&app, &reader, id).await?;
    let mut typed = typed_for(&old.message, &fields);
    if only_looks(&fields) {
        return show(&edit_page(&app, &reader, &old, typed, Vec::new()).await?);
    }
    let stands = stood(&old.message, old.to);
    if typed.edition != stands {
        typed.edition = stands;
        let faults = vec![fault("", "somebody else has corrected the message meanwhile")];
        return refuse(&edit_page(&app, &reader, &old, typed, faults).await?);
    }
    let named = Named::of(&app, &reader, &typed).await?;
    let mut faults = Vec::new();
    let correction = correction(&reader, &old, &typed, &named, &mut faults);
    if old.fixed.is_none() {
        faults.extend(named.faults);
    }
    if !faults.is_empty() {
        let faults = with_others(&app, &reader, &typed, faults).await?;
        return refuse(&edit_page(&app, &reader, &old, typed, faults).await?);
    }
    let becomes_all = typed.all && correction.audience.is_some();
    if becomes_all && fields.get("do") != "send" {
        return ask(&app, &reader, typed, format!("/announcements/{id}/edit")).await;
    }
    match sending::correct(&app, &reader.principal, id, correction).await {
        Ok(()) => Ok(done(
            &where_it_stands(&app, &reader, id).await?,
            "announcement-saved",
            &[],
        )),
        Err(problem) => {
            let faults = faults_of(problem)?;
            refuse(&edit_page(&app, &reader, &old, typed, faults).await?)
        }
    }
}

/// The part beside the form.
pub(super) async fn part(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(id): Path<MessageId>,
    Form(fields): Form,
) -> Result<Response, Problem> {
    let old = old(&app, &reader, id).await?;
    let typed = typed_for(&old.message, &fields);
    let named = Named::of(&app, &reader, &typed).await?;
    let aside = aside(&app, &reader, &typed, &named, old.fixed).await?;
    let page = Page::new(&reader, "announcements", "");
    show(&AsidePart { page, aside })
}
