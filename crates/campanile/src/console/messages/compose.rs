//! Writing a message and sending it: the form, what its buttons do, and the question before it is sent.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{Html, IntoResponse, Redirect, Response};
use campanile_core::id::ApiId;
use campanile_core::message::label::label;
use campanile_core::message::publish::Idempotency;
use campanile_core::message::target::{self, Target};
use campanile_core::outbox::destination::DESTINATIONS;
use campanile_core::outbox::endpoint::{self, Endpoint};
use campanile_core::outbox::request::Request;
use campanile_core::policy::{self, Act, Part};
use campanile_core::secret::{hex, sha256};
use campanile_core::time::Moment;
use campanile_core::{Error, Fault, Result as Ruled};
use campanile_store::Tx;
use http::header;

use super::aside::{self, Aside, AsidePart};
use super::find::{self, Found, Within};
use super::offers::{Offers, offers};
use super::part::{self, Named};
use super::typed::Typed;
use super::{Kind as Channel, channels, in_words};
use crate::app::App;
use crate::console::form::{Asked, Fields, Form, Path};
use crate::console::page::{self, Notice, Page, Reader, refuse, show};
use crate::problem::{Kind, Problem};
use crate::{letter, sending};

/// Where a message is written: on the platform, or in an API.
pub(super) struct Scope {
    pub(super) api: Option<Api>,
}

/// An API.
#[derive(Debug, Clone)]
pub(super) struct Api {
    pub(super) number: ApiId,
    pub(super) id: String,
    pub(super) name: String,
    /// The id of its environment.
    pub(super) environment: String,
}

impl Scope {
    /// Where its form is.
    fn address(&self) -> String {
        match &self.api {
            Some(api) => format!("{}/messages/new", super::apis::address(&api.id)),
            None => "/messages/new".to_owned(),
        }
    }

    /// Where what else it may go to is found.
    fn finder(&self) -> String {
        let query = self.api.iter().map(|api| ("api", api.id.as_str()));
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(query)
            .finish();
        format!("/messages/new/find?{query}")
    }

    /// Where its messages are.
    fn list(&self) -> String {
        match &self.api {
            Some(api) => format!("{}/messages", super::apis::address(&api.id)),
            None => "/messages".to_owned(),
        }
    }

    /// The entry of the top bar.
    const fn here(&self) -> &'static str {
        if self.api.is_some() { "apis" } else { "messages" }
    }
}

#[derive(Template)]
#[template(path = "console/messages/compose.html")]
struct ComposePage<'r> {
    page: Page<'r>,
    scope: &'r Scope,
    typed: Typed,
    offers: Offers,
    channels: [Channel; 4],
    /// Whether the server has a system proxy that a POST may take.
    has_proxy: bool,
    /// Saved destinations that it may be posted to.
    endpoints: Vec<Endpoint>,
    aside: Aside,
    found: Option<Vec<Found>>,
    faults: Vec<Fault>,
    importances: [&'static str; 3],
}

impl ComposePage<'_> {
    /// What is wrong with a field, in the reader's language.
    fn fault(&self, field: &str) -> Option<String> {
        let of_field = |fault: &&Fault| {
            let rest = fault.field.strip_prefix(field);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['[', '.']))
        };
        let found = self.faults.iter().find(of_field);
        found.map(|fault| self.page.refusal(&fault.reason))
    }

    /// Whether there is more than the boxes say.
    fn has_finder(&self) -> bool {
        self.scope.api.is_none() || self.offers.more_roles || !self.offers.chips.is_empty()
    }

    /// What is wrong and stands at no field.
    fn others(&self) -> Vec<String> {
        const FIELDS: [&str; 8] = [
            "title",
            "text",
            "sender_name",
            "opens_at",
            "closes_at",
            "audience",
            "channels",
            "posts",
        ];
        let elsewhere = self.faults.iter().filter(|fault| {
            let name = fault.field.split(['[', '.']).next().unwrap_or_default();
            !FIELDS.contains(&name)
        });
        elsewhere.map(|fault| self.page.refusal(&fault.reason)).collect()
    }
}

#[derive(Template)]
#[template(path = "console/messages/confirm.html")]
struct ConfirmPage<'r> {
    page: Page<'r>,
    scope: &'r Scope,
    typed: Typed,
    people: u64,
    /// At most so many mails: people who share an address get one.
    mails: u64,
    posts: u64,
    audience: String,
    html: String,
    /// The POSTs as they would be made.
    requests: Vec<Request>,
    title: String,
    opens: Option<Moment>,
    closes: Option<Moment>,
    /// Whether it is sent only later.
    waits: bool,
}

impl ConfirmPage<'_> {
    fn values(&self) -> Vec<String> {
        self.typed.to.iter().map(part::write).collect()
    }
}

// ---------------------------------------------------------------- the addresses

pub(super) async fn of_platform(
    State(app): State<Arc<App>>,
    reader: Reader,
    Asked(asked): Asked,
) -> Result<Response, Problem> {
    begin(&app, &reader, Scope { api: None }, &asked).await
}

pub(super) async fn of_api(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(api): Path<String>,
    Asked(asked): Asked,
) -> Result<Response, Problem> {
    let scope = scope_of(&app, &reader, api).await?;
    begin(&app, &reader, scope, &asked).await
}

pub(super) async fn post_of_platform(
    State(app): State<Arc<App>>,
    reader: Reader,
    Form(fields): Form,
) -> Result<Response, Problem> {
    act(&app, reader, &Scope { api: None }, &fields).await
}

pub(super) async fn post_of_api(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(api): Path<String>,
    Form(fields): Form,
) -> Result<Response, Problem> {
    let scope = scope_of(&app, &reader, api).await?;
    act(&app, reader, &scope, &fields).await
}

pub(super) async fn aside_of_platform(
    State(app): State<Arc<App>>,
    reader: Reader,
    Form(fields): Form,
) -> Result<Response, Problem> {
    beside(&app, &reader, &Scope { api: None }, &fields).await
}

pub(super) async fn aside_of_api(
    State(app): State<Arc<App>>,
    reader: Reader,
    Path(api): Path<String>,
    Form(fields): Form,
) -> Result<Response, Problem> {
    let scope = scope_of(&app, &reader, api).await?;
    beside(&app, &reader, &scope, &fields).await
}

/// An API that the reader may write to.
async fn scope_of(app: &App, reader: &Reader, id: String) -> Result<Scope, Problem> {
    let api = super::apis::find(app, reader, id).await?;
    policy::may(&reader.rights, &Act::Send(&[Part::Api { api: api.number }]))?;
    Ok(Scope { api: Some(api) })
}

async fn beside(app: &App, reader: &Reader, scope: &Scope, fields: &Fields) -> Result<Response, Problem> {
    let typed = read(fields, reader, scope);
    let aside = aside::aside(app, reader, scope, &typed).await?;
    let page = Page::new(reader, scope.here(), "");
    show(&AsidePart { page, aside })
}

fn read(fields: &Fields, reader: &Reader, scope: &Scope) -> Typed {
    let mut typed = Typed::read(fields, reader);
    if let Some(api) = &scope.api {
        typed.environment.clone_from(&api.environment);
        typed.to.retain(|target| match target {
            Target::ApiRole { api: of, .. } | Target::Subscribers { api: of, .. } => *of == api.id,
            _ => false,
        });
    }
    typed
}

// ---------------------------------------------------------------- the form

async fn begin(app: &App, reader: &Reader, scope: Scope, asked: &Fields) -> Result<Response, Problem> {
    if scope.api.is_none() && !policy::may_send_anything(&reader.rights) {
        return Err(Error::Denied("you lack: the right to send a message".into()).into());
    }
    let mut typed = read(asked, reader, &scope);
    // A link may fill in what is said, never a key.
    typed.key = hex(&app.chance.bytes()[..16]);
    if scope.api.is_none() && !policy::may_send_outside_apis(&reader.rights) {
        return Ok(Redirect::to("/apis").into_response());
    }
    // A link that fills in somebody else's recipients is no form to be mended.
    let (rights, named) = (reader.rights.clone(), typed.clone());
    app.db.read(move |tx| aside::may_name(tx, &rights, &named)).await?;
    show(&form(app, reader, &scope, typed, Vec::new(), None).await?)
}

async fn form<'r>(
    app: &App,
    reader: &'r Reader,
    scope: &'r Scope,
    mut typed: Typed,
    mut faults: Vec<Fault>,
    found: Option<Vec<Found>>,
) -> Result<ComposePage<'r>, Problem> {
    let chosen = typed.to.len();
    let offers = offers(app, reader, scope, &mut typed).await?;
    if typed.to.len() < chosen {
        let reason = "you may not send to all of these; those whom you may not have been taken out";
        faults.push(super::typed::fault("audience", reason));
    }
    let aside = aside::aside(app, reader, scope, &typed).await?;
    let endpoints = endpoints(app, scope, &typed).await?;
    Ok(ComposePage {
        page: Page::new(reader, scope.here(), reader.t("new-message")),
        scope,
        typed,
        offers,
        channels: channels(app),
        has_proxy: app.outlets().http.is_some_and(|posting| posting.policy.proxy),
        endpoints,
        aside,
        found,
        faults,
        importances: ["low", "high", "critical"],
    })
}

/// The saved destinations where the message belongs.
async fn endpoints(app: &App, scope: &Scope, typed: &Typed) -> Result<Vec<Endpoint>, Problem> {
    let api = scope.api.as_ref().map(|api| api.number);
    let (key, now, environment) = (app.key.clone(), app.clock.now(), typed.environment.clone());
    let work = move |tx: &mut Tx<'_>| {
        let Some(environment) = target::environment(tx, &environment)? else {
            return Ok(Vec::new());
        };
        let filter = endpoint::Filter {
            environment: Some(environment),
            api,
        };
        let is_near = |one: &Endpoint| one.api.is_none() || api.is_some();
        Ok::<_, Error>(endpoint::list(tx, &key, filter, 0, DESTINATIONS, now, is_near)?.0)
    };
    Ok(app.db.read(work).await?)
}

async fn act(app: &App, mut reader: Reader, scope: &Scope, fields: &Fields) -> Result<Response, Problem> {
    if !policy::may_send_anything(&reader.rights) {
        return Err(Error::Denied("you lack: the right to send a message".into()).into());
    }
    let mut typed = read(fields, &reader, scope);
    if typed.key.is_empty() {
        typed.key = hex(&app.chance.bytes()[..16]);
    }
    if let Some(target) = fields.some("drop").and_then(part::read) {
        typed.drop(&target);
        return show(&form(app, &reader, scope, typed, Vec::new(), None).await?);
    }
    if let Some(target) = fields.some("add").and_then(part::read) {
        typed.add(target);
        typed.find.clear();
        return show(&form(app, &reader, scope, typed, Vec::new(), None).await?);
    }
    let of_another = fields.some("shown").is_some_and(|shown| shown != typed.environment);
    match fields.get("do") {
        // Enter in the field that finds, or in the one that asks, means that field.
        "find" => looked_for(app, &reader, scope, typed).await,
        "enter" if typed.looks_for() => looked_for(app, &reader, scope, typed).await,
        "enter" if typed.asks() => show(&form(app, &reader, scope, typed, Vec::new(), None).await?),
        // Whoever ticked one had another environment in mind.
        "enter" | "review" | "myself" if of_another => {
            let reason = "the roles were those of another environment; choose among those that are shown now";
            let faults = vec![super::typed::fault("audience", reason)];
            refuse(&form(app, &reader, scope, typed, faults, None).await?)
        }
        "enter" | "review" => review(app, &reader, scope, typed).await,
        "send" => send(app, &reader, scope, typed).await,
        "myself" => myself(app, &mut reader, scope, typed).await,
        "mail" => mail(app, &reader, scope, &typed, true).await,
        "mail-text" => mail(app, &reader, scope, &typed, false).await,
        // To count, to ask why, or back from the question.
        _ => show(&form(app, &reader, scope, typed, Vec::new(), None).await?),
    }
}

async fn looked_for(app: &App, reader: &Reader, scope: &Scope, typed: Typed) -> Result<Response, Problem> {
    let within = Within::of(scope, &typed);
    let found = find::find(app, reader, &within, &typed.find).await?;
    show(&form(app, reader, scope, typed, Vec::new(), Some(found)).await?)
}

/// The form again, with what is wrong. Only what a change of the form can mend.
async fn refused(
    app: &App,
    reader: &Reader,
    scope: &Scope,
    typed: Typed,
    problem: Problem,
) -> Result<Response, Problem> {
    let faults = match problem.kind {
        Kind::Invalid if !problem.errors.is_empty() => problem.errors,
        Kind::Invalid | Kind::Conflict => vec![super::typed::fault("", &problem.detail)],
        // The form leaves out whom it is about, and says so.
        Kind::Denied => Vec::new(),
        _ => return Err(problem),
    };
    let mut page = form(app, reader, scope, typed, faults, None).await?;
    if page.faults.is_empty() {
        page.faults.push(super::typed::fault("", &problem.detail));
    }
    refuse(&page)
}

fn invalid(errors: Vec<Fault>) -> Problem {
    Problem::from(Error::Invalid(errors))
}

/// Asks once more, with the number of people.
async fn review(app: &App, reader: &Reader, scope: &Scope, mut typed: Typed) -> Result<Response, Problem> {
    let person = reader.principal.person;
    let draft = match typed.draft(reader, scope.api.as_ref().map(|api| api.id.as_str())) {
        Ok(draft) => draft,
        Err(faults) => return refused(app, reader, scope, typed, invalid(faults)).await,
    };
    let (opens_at, closes_at) = (draft.opens_at, draft.closes_at);
    if let Err(problem) = sending::check(app, person, draft).await {
        return refused(app, reader, scope, typed, problem).await;
    }
    // Each question has a key of its own: what is sent from here is sent once, however often the button is pressed.
    typed.key = hex(&app.chance.bytes()[..16]);
    let aside = aside::aside(app, reader, scope, &typed).await?;
    let people = aside.count.as_ref().map(|count| count.people);
    let Some(people) = people.or_else(|| typed.is_post_alone().then_some(0)) else {
        return show(&form(app, reader, scope, typed, Vec::new(), None).await?);
    };
    let targets = typed.to.clone();
    let name = move |tx: &mut Tx<'_>| {
        let named = targets.into_iter().map(|target| {
            let name = label(tx, &target)?;
            Ok(Named { target, name })
        });
        named.collect::<Ruled<Vec<Named>>>()
    };
    let audience = app.db.read(name).await?;
    let waits = opens_at.is_some_and(|at| at > reader.now);
    let asked = match (waits, typed.is_post_alone()) {
        (_, true) => reader.n("confirm-post", typed.posts().len() as u64),
        (true, false) => reader.n("confirm-schedule", people),
        (false, false) => reader.n("confirm-send", people),
    };
    show(&ConfirmPage {
        page: Page::new(reader, scope.here(), asked),
        scope,
        people,
        mails: aside
            .count
            .as_ref()
            .map_or(0, |count| count.people - count.without_email),
        posts: typed.posts().len() as u64,
        audience: in_words(reader, &audience),
        html: aside.html,
        requests: aside.requests,
        title: aside.title,
        opens: opens_at,
        closes: closes_at,
        waits,
        typed,
    })
}

async fn send(app: &App, reader: &Reader, scope: &Scope, typed: Typed) -> Result<Response, Problem> {
    let draft = match typed.draft(reader, scope.api.as_ref().map(|api| api.id.as_str())) {
        Ok(draft) => draft,
        Err(faults) => return refused(app, reader, scope, typed, invalid(faults)).await,
    };
    let waits = draft.opens_at.is_some_and(|at| at > reader.now);
    let request = serde_json::to_vec(&draft).map_err(Problem::internal)?;
    let key = Idempotency::new(&typed.key, &request)?;
    match sending::send(app, &reader.principal, draft, Some(key)).await {
        Ok(id) => {
            let what = if waits { "scheduled" } else { "sent" };
            Ok(page::done(&format!("/messages/{id}"), what, &[]))
        }
        Err(problem) => refused(app, reader, scope, typed, problem).await,
    }
}

/// The mail as it would be, in a window of its own: as a page, or as text. What a sender typed is shown by a policy
/// that lets it load and do nothing.
async fn mail(app: &App, reader: &Reader, scope: &Scope, typed: &Typed, as_page: bool) -> Result<Response, Problem> {
    let shown = aside::aside(app, reader, scope, typed).await?;
    let language = reader.profile.locale.as_deref();
    let (html, text) = letter::mail(
        app,
        &shown.title,
        &typed.text,
        &typed.sender,
        typed.importance,
        language,
    )?;
    if as_page {
        let policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data: https:; sandbox";
        return Ok(([(header::CONTENT_SECURITY_POLICY, policy)], Html(html)).into_response());
    }
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response())
}

/// Sends what is typed to who types it, and leaves the form as it was.
async fn myself(app: &App, reader: &mut Reader, scope: &Scope, typed: Typed) -> Result<Response, Problem> {
    let mut draft = match typed.draft(reader, scope.api.as_ref().map(|api| api.id.as_str())) {
        Ok(draft) => draft,
        Err(faults) => return refused(app, reader, scope, typed, invalid(faults)).await,
    };
    if let Some(api) = &scope.api {
        draft.title = campanile_core::message::shown_title(Some(&api.name), &draft.title);
    }
    let request = serde_json::to_vec(&draft).map_err(Problem::internal)?;
    // The same text is not sent twice by a page that is loaded again; another text is another message.
    let key = format!("{}-me-{}", typed.key, hex(&sha256(&request)[..16]));
    let key = Idempotency::new(&key, &request)?;
    if let Err(problem) = sending::to_myself(app, &reader.principal, draft, Some(key)).await {
        return refused(app, reader, scope, typed, problem).await;
    }
    let counted = {
        let (person, now, lists) = (reader.principal.person, reader.now, Arc::clone(&app.lists));
        let work = move |tx: &mut Tx<'_>| campanile_core::inbox::count(tx, &lists, person, now);
        app.db.read(work).await?
    };
    reader.viewer.counts = counted.counts;
    let mut page = form(app, reader, scope, typed, Vec::new(), None).await?;
    page.page.notice = Some(Notice {
        text: reader.t("sent-to-myself"),
        undo: None,
    });
    show(&page)
}
