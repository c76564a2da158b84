//! Writing an announcement: the form, a copy of an old one, the question before it goes to everybody.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use campanile_core::Fault;
use campanile_core::directory::addressable::Choice;
use campanile_core::id::MessageId;
use campanile_core::message::funnel::Funnel;
use campanile_core::message::publish::Idempotency;
use campanile_core::message::target::Target;
use campanile_core::message::{Channel, Message, announced};
use campanile_core::policy::{self, Reach};
use campanile_core::rights::Rights;
use campanile_core::secret::{hex, sha256};
use campanile_core::time::Moment;
use campanile_store::Tx;

use super::aside::{Aside, aside};
use super::form::{Named, Typed, with_others};
use super::switch::where_it_stands;
use super::{IMPORTANCES, is_announcement};
use crate::app::App;
use crate::console::banner::Sketch;
use crate::console::form::{Asked, Fields, Form};
use crate::console::page::{Notice, Page, Reader, done, refuse, show};
use crate::problem::{Kind, Problem};
use crate::sending::{self, Want};

#[derive(Template)]
#[template(path = "console/announcements/form.html")]
#[expect(clippy::struct_excessive_bools, reason = "each holds or not whatever the others do")]
pub(super) struct FormPage<'r> {
    pub(super) page: Page<'r>,
    /// Where the form goes to.
    pub(super) action: String,
    /// Where one goes who gives up.
    pub(super) away: String,
    pub(super) typed: Typed,
    /// The name of the customer that was found.
    customer: Option<String>,
    /// Customers among which to choose.
    found: Vec<Choice>,
    pub(super) aside: Aside,
    pub(super) faults: Vec<Fault>,
    importances: [&'static str; 3],
    /// Whether it may go to all customers.
    may_all: bool,
    /// Whether this server sends mail.
    has_mail: bool,
    /// Whether it is there already: by which ways it goes then stays as it is.
    pub(super) is_edit: bool,
    /// Whether the bell can be rung again.
    pub(super) rings: bool,
}

impl FormPage<'_> {
    /// What is wrong with a field, in the reader's language.
    fn fault(&self, field: &str) -> Option<String> {
        let of_field = |fault: &&Fault| {
            let rest = fault.field.strip_prefix(field);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['[', '.']))
        };
        let found = self.faults.iter().find(of_field);
        found.map(|fault| self.page.refusal(&fault.reason))
    }

    /// What is wrong and stands at no field.
    fn others(&self) -> Vec<String> {
        const FIELDS: [&str; 7] = [
            "title",
            "text",
            "sender_name",
            "opens_at",
            "closes_at",
            "audience",
            "ring",
        ];
        let elsewhere = self.faults.iter().filter(|fault| {
            let name = fault.field.split(['[', '.']).next().unwrap_or_default();
            !FIELDS.contains(&name)
        });
        elsewhere.map(|fault| self.page.refusal(&fault.reason)).collect()
    }
}

/// The form with what is typed; what is wrong with the customer too, where anything is.
pub(super) async fn page<'r>(
    app: &App,
    reader: &'r Reader,
    typed: Typed,
    faults: Vec<Fault>,
    fixed: Option<String>,
) -> Result<FormPage<'r>, Problem> {
    let named = Named::of(app, reader, &typed).await?;
    let aside = aside(app, reader, &typed, &named, fixed).await?;
    Ok(FormPage {
        page: Page::new(reader, "announcements", reader.t("new-announcement")),
        action: "/announcements/new".to_owned(),
        away: "/announcements".to_owned(),
        customer: named.customer,
        found: named.found,
        aside,
        faults,
        importances: IMPORTANCES,
        may_all: policy::reach_of_customers(&reader.rights) == Reach::All,
        has_mail: app.outlets().email,
        is_edit: false,
        rings: false,
        typed,
    })
}

pub(super) async fn form(
    State(app): State<Arc<App>>,
    reader: Reader,
    Asked(asked): Asked,
) -> Result<Response, Problem> {
    sending::may_announce(&reader.rights)?;
    let mut typed = match asked.some("copy").and_then(|id| id.parse().ok()) {
        Some(id) => copy(&app, &reader, MessageId(id)).await?,
        None => Typed::empty(&reader),
    };
    typed.key = hex(&app.chance.bytes()[..16]);
    show(&page(&app, &reader, typed, Vec::new(), None).await?)
}

/// An old one as a new one: its time period is left open, since it was that of the old one.
async fn copy(app: &App, reader: &Reader, id: MessageId) -> Result<Typed, Problem> {
    let describe = |tx: &mut Tx<'_>, _: &Rights, message: Message, _: Option<Funnel>| {
        Ok((announced::whom(tx, message.id)?, message))
    };
    let (to, message) = sending::uncounted(app, reader.principal.person, id, Want::See, describe).await?;
    is_announcement(&message)?;
    Ok(Typed {
        opens: String::new(),
        closes: String::new(),
        enabled: true,
        edition: 0,
        mail: message.has(Channel::Email) && app.outlets().email,
        ..Typed::of(reader, &message, to)
    })
}

pub(super) async fn post(
    State(app): State<Arc<App>>,
    mut reader: Reader,
    Form(fields): Form,
) -> Result<Response, Problem> {
    sending::may_announce(&reader.rights)?;
    let mut typed = Typed::read(&fields);
    typed.edition = 0;
    if typed.key.is_empty() {
        typed.key = hex(&app.chance.bytes()[..16]);
    }
    match fields.get("do") {
        act @ ("save" | "send") => save(&app, &reader, typed, act == "send").await,
        "myself" => myself(&app, &mut reader, typed).await,
        // To look at it, by Enter in a field too, or back from the question.
        _ => show(&page(&app, &reader, typed, Vec::new(), None).await?),
    }
}

/// The form again, with what is wrong. Only what a change of the form can mend.
pub(super) fn faults_of(problem: Problem) -> Result<Vec<Fault>, Problem> {
    match problem.kind {
        Kind::Invalid if !problem.errors.is_empty() => Ok(problem.errors),
        Kind::Invalid | Kind::Conflict | Kind::Denied => Ok(vec![Fault {
            field: String::new(),
            reason: problem.detail,
        }]),
        _ => Err(problem),
    }
}

async fn refused(app: &App, reader: &Reader, typed: Typed, faults: Vec<Fault>) -> Result<Response, Problem> {
    refuse(&page(app, reader, typed, faults, None).await?)
}

async fn save(app: &App, reader: &Reader, mut typed: Typed, confirmed: bool) -> Result<Response, Problem> {
    let person = reader.principal.person;
    let named = Named::of(app, reader, &typed).await?;
    let mut faults = named.faults;
    let draft = typed.draft(reader, named.audience, &mut faults);
    if !faults.is_empty() {
        let faults = with_others(app, reader, draft, faults).await?;
        return refused(app, reader, typed, faults).await;
    }
    if typed.all && !confirmed {
        return match sending::check(app, person, draft).await {
            Ok(()) => {
                // What is sent from there is sent once, however often the button is pressed.
                typed.key = hex(&app.chance.bytes()[..16]);
                ask(app, reader, typed, "/announcements/new".to_owned()).await
            }
            Err(problem) => refused(app, reader, typed, faults_of(problem)?).await,
        };
    }
    let request = serde_json::to_vec(&draft).map_err(Problem::internal)?;
    let key = Idempotency::new(&typed.key, &request)?;
    let what = match (typed.enabled, typed.later(reader).is_some()) {
        (false, _) => "announcement-off",
        (true, true) => "announcement-scheduled",
        (true, false) => "announced",
    };
    match sending::send(app, &reader.principal, draft, Some(key)).await {
        Ok(id) => Ok(done(&where_it_stands(app, reader, id).await?, what, &[])),
        Err(problem) => refused(app, reader, typed, faults_of(problem)?).await,
    }
}

/// Shows what is typed to who types it, and leaves the form as it was.
async fn myself(app: &App, reader: &mut Reader, typed: Typed) -> Result<Response, Problem> {
    let named = Named::of(app, reader, &typed).await?;
    let mut faults = Vec::new();
    let draft = typed.draft(reader, named.audience, &mut faults);
    if !faults.is_empty() {
        return refused(app, reader, typed, faults).await;
    }
    let request = serde_json::to_vec(&draft).map_err(Problem::internal)?;
    // The same text is not sent twice by a page that is loaded again; another text is another message.
    let key = format!("{}-me-{}", typed.key, hex(&sha256(&request)[..16]));
    let key = Idempotency::new(&key, &request)?;
    if let Err(problem) = sending::to_myself(app, &reader.principal, draft, Some(key)).await {
        return refused(app, reader, typed, faults_of(problem)?).await;
    }
    let counted = crate::bell::count(app, reader.principal.person, reader.now)
        .await?
        .value;
    reader.viewer.counts = counted.counts;
    reader.viewer.banners = counted.banners;
    let mut page = page(app, reader, typed, Vec::new(), None).await?;
    page.page.notice = Some(Notice {
        text: reader.t("announced-to-myself"),
        undo: None,
    });
    show(&page)
}

#[derive(Template)]
#[template(path = "console/announcements/confirm.html")]
struct ConfirmPage<'r> {
    page: Page<'r>,
    action: String,
    typed: Typed,
    banner: Sketch,
    people: u64,
    opens: Option<Moment>,
    closes: Option<Moment>,
    button: String,
}

/// Asks once more, with the number of people.
pub(super) async fn ask(app: &App, reader: &Reader, typed: Typed, action: String) -> Result<Response, Problem> {
    let to = sending::Addressed {
        audience: vec![Target::Everyone],
        environment: None,
    };
    let people = sending::preview(app, reader.principal.person, to).await?.people;
    let later = typed.later(reader).is_some();
    let (title, button) = match (typed.enabled, later) {
        (false, _) => (reader.n("confirm-announce-off", people), reader.t("save-switched-off")),
        (true, true) => (reader.n("confirm-announce-later", people), reader.t("schedule")),
        (true, false) => (reader.n("confirm-announce", people), reader.n("announce-to", people)),
    };
    show(&ConfirmPage {
        page: Page::new(reader, "announcements", title),
        action,
        banner: typed.sketch(reader),
        people,
        opens: reader.zone.parse(&typed.opens),
        closes: reader.zone.parse(&typed.closes),
        button,
        typed,
    })
}

/// Whether a form leads back to itself, and what does it.
pub(super) fn only_looks(fields: &Fields) -> bool {
    !matches!(fields.get("do"), "save" | "send")
}
