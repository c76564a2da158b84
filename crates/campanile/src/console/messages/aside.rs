//! Beside the form of a new message: who gets it, why somebody does not, and how it will look.

use askama::Template;
use campanile_core::error::Faults;
use campanile_core::id::EnvironmentId;
use campanile_core::inbox::EXCERPT_CHARS;
use campanile_core::markup::{self, Format};
use campanile_core::message::preview::{Explanation, Preview, Reason, Why};
use campanile_core::message::target::Target;
use campanile_core::message::{Importance, label, shown_title, target};
use campanile_core::outbox::request::Request;
use campanile_core::policy;
use campanile_core::rights::Rights;
use campanile_core::time::Moment;
use campanile_core::{Error, Result as Ruled};
use campanile_store::Tx;

use super::compose::Scope;
use super::part::{self, Named};
use super::typed::Typed;
use crate::app::App;
use crate::console::page::{Page, Reader};
use crate::console::voice::Voice;
use crate::outlets;
use crate::problem::{Kind, Problem};
use crate::sending::{self, Addressed};

/// People of the sample that are shown.
const SAMPLE: usize = 5;

/// What is shown beside the form.
pub(super) struct Aside {
    /// Nothing before somebody is chosen, or where a choice is wrong.
    pub(super) count: Option<Preview>,
    pub(super) fault: Option<String>,
    /// Why the person asked for is in it or not.
    pub(super) why: Option<Answer>,
    /// Whom was asked for.
    pub(super) asked: String,
    pub(super) title: String,
    pub(super) excerpt: String,
    pub(super) html: String,
    pub(super) sender: String,
    pub(super) importance: Importance,
    /// When it is published, where that is later.
    pub(super) opens: Option<Moment>,
    /// It has no people: it is posted, and that is all.
    pub(super) is_post: bool,
    /// A mail of it can be looked at.
    pub(super) is_mail: bool,
    /// The POSTs as they would be made, or what is wrong with one.
    pub(super) requests: Vec<Request>,
    pub(super) request_fault: Option<String>,
}

/// The answer to "why is someone missing?".
pub(super) struct Answer {
    pub(super) said: String,
    /// A line a part: whether it holds, and the sentence.
    pub(super) parts: Vec<(bool, String)>,
}

/// The same as a part of a page.
#[derive(Template)]
#[template(path = "console/messages/aside.html")]
pub(super) struct AsidePart<'r> {
    pub(super) page: Page<'r>,
    pub(super) aside: Aside,
}

impl Aside {
    /// The first few people.
    pub(super) fn sample(&self) -> String {
        let sample = self.count.iter().flat_map(|count| &count.sample).take(SAMPLE);
        sample.map(|one| one.name.as_str()).collect::<Vec<_>>().join(", ")
    }

    /// What is told to who does not see it: the answer to a question, else how many there are.
    pub(super) fn told(&self, reader: &Voice) -> String {
        let count = || match (&self.fault, &self.count) {
            (Some(fault), _) => fault.clone(),
            (None, Some(count)) => format!(
                "{} {}",
                reader.number(count.people),
                reader.n("people-now", count.people)
            ),
            (None, None) => String::new(),
        };
        self.why.as_ref().map_or_else(count, |why| why.said.clone())
    }

    /// What the button says that sends.
    pub(super) fn button(&self, reader: &Voice) -> String {
        match &self.count {
            _ if self.opens.is_some() => reader.t("schedule"),
            Some(count) => reader.n("send-to", count.people),
            None => reader.t("send"),
        }
    }
}

/// Counts, explains and previews what is typed.
pub(super) async fn aside(app: &App, reader: &Reader, scope: &Scope, typed: &Typed) -> Result<Aside, Problem> {
    let api_name = scope.api.as_ref().map(|api| api.name.as_str());
    let title = match typed.title.trim() {
        "" => reader.t("preview-untitled"),
        title => title.to_owned(),
    };
    let mut aside = Aside {
        count: None,
        fault: None,
        why: None,
        asked: typed.why.clone(),
        title: shown_title(api_name, &title),
        excerpt: markup::excerpt(Format::Markdown, &typed.text, EXCERPT_CHARS),
        html: markup::html(Format::Markdown, &typed.text),
        sender: typed.sender.clone(),
        importance: typed.importance,
        opens: reader.zone.parse(&typed.opens).filter(|at| *at > reader.now),
        is_post: typed.is_post_alone(),
        is_mail: typed.goes_by("email"),
        requests: Vec::new(),
        request_fault: None,
    };
    requests(app, reader, scope, typed, &mut aside).await?;
    if typed.to.is_empty() || typed.is_post_alone() {
        return Ok(aside);
    }
    match sending::preview(app, reader.principal.person, addressed(typed)).await {
        Ok(count) => aside.count = Some(count),
        Err(problem) if matches!(problem.kind, Kind::Invalid | Kind::Denied) => {
            let fault = problem.errors.first().map_or(&problem.detail, |fault| &fault.reason);
            aside.fault = Some(reader.refusal(fault));
            return Ok(aside);
        }
        Err(problem) => return Err(problem),
    }
    if !typed.why.is_empty() {
        aside.why = Some(answer(app, reader, typed).await?);
    }
    Ok(aside)
}

/// What would be posted, once there is something to post and somewhere to post it to.
async fn requests(app: &App, reader: &Reader, scope: &Scope, typed: &Typed, aside: &mut Aside) -> Result<(), Problem> {
    let posts = typed.posts();
    if posts.is_empty() || typed.text.trim().is_empty() {
        return Ok(());
    }
    let api = scope.api.as_ref().map(|api| api.id.clone());
    let home = Some(typed.environment.clone()).filter(|id| api.is_none() && !id.is_empty());
    let text = typed.text.clone();
    match outlets::preview_posts(app, reader.principal.person, posts, text, home, api).await {
        Ok(requests) => aside.requests = requests,
        Err(problem) if matches!(problem.kind, Kind::Invalid | Kind::Denied) => {
            let fault = problem.errors.first().map_or(&problem.detail, |fault| &fault.reason);
            aside.request_fault = Some(reader.refusal(fault));
        }
        Err(problem) => return Err(problem),
    }
    Ok(())
}

fn addressed(typed: &Typed) -> Addressed {
    Addressed {
        audience: typed.to.clone(),
        environment: typed.home(),
    }
}

async fn answer(app: &App, reader: &Reader, typed: &Typed) -> Result<Answer, Problem> {
    let (person, user) = (reader.principal.person, Some(typed.why.clone()));
    let explained = match sending::explain(app, person, addressed(typed), user).await {
        Ok(explained) => explained,
        Err(problem) if problem.kind == Kind::Invalid => {
            return Ok(Answer {
                said: reader.s("why-nobody", &typed.why),
                parts: Vec::new(),
            });
        }
        Err(problem) => return Err(problem),
    };
    let Explanation {
        person,
        included,
        parts,
    } = explained;
    let targets: Vec<_> = parts.iter().map(|reason| reason.part.clone()).collect();
    let name = move |tx: &mut Tx<'_>| targets.iter().map(|target| label::label(tx, target)).collect();
    let names: Vec<String> = app.db.read(name).await?;
    let key = if included { "why-in" } else { "why-out" };
    let line = |(reason, name): (Reason, String)| {
        let part = Named {
            target: reason.part.clone(),
            name,
        };
        let sentence = sentence(reader, &reason);
        let said = reader.words.with(
            "why-part",
            [("part", part.words(reader.words).into()), ("why", sentence.into())],
        );
        (reason.holds, said)
    };
    Ok(Answer {
        said: reader.s(key, &person.name),
        parts: parts.into_iter().zip(names).map(line).collect(),
    })
}

/// Why one part holds somebody or not.
fn sentence(reader: &Reader, reason: &Reason) -> String {
    let kind = part::kind(&reason.part);
    let at = |key: &str, at: Moment| reader.s(key, reader.when(at));
    match reason.why {
        Why::Holds(since) => at(&format!("why-holds-{kind}"), since),
        Why::Deactivated => reader.t("why-deactivated"),
        Why::Later(starts) => at("why-later", starts),
        Why::Over(ended) => at("why-over", ended),
        Why::Nearly(status) => reader.s("why-nearly", reader.of("status", status.to_lowercase())),
        Why::Made(status) => reader.s("why-made", reader.of("status", status.to_lowercase())),
        Why::NoLonger(until) => at("why-no-longer", until),
        Why::Never => reader.t(&format!("why-never-{kind}")),
    }
}

/// Whether the holder of some rights may address all of these; who may not does not learn their names.
pub(super) fn may_name(tx: &mut Tx<'_>, rights: &Rights, typed: &Typed) -> Ruled<()> {
    let environment = target::environment(tx, &typed.environment)?;
    typed
        .to
        .iter()
        .try_for_each(|one| may_address(tx, rights, environment, one))
}

/// Leaves those of them whom the holder of some rights may address.
pub(super) fn keep_own(tx: &mut Tx<'_>, rights: &Rights, typed: &mut Typed) -> Ruled<()> {
    let environment = target::environment(tx, &typed.environment)?;
    let mut own = Vec::with_capacity(typed.to.len());
    for one in std::mem::take(&mut typed.to) {
        match may_address(tx, rights, environment, &one) {
            Ok(()) => own.push(one),
            Err(Error::Denied(_)) => {}
            Err(error) => return Err(error),
        }
    }
    typed.to = own;
    Ok(())
}

fn may_address(tx: &mut Tx<'_>, rights: &Rights, home: Option<EnvironmentId>, one: &Target) -> Ruled<()> {
    let parts = target::resolve(tx, std::slice::from_ref(one), false, &mut Faults::default())?.parts;
    policy::may(rights, &policy::Act::Send(&target::at_home(parts, home)))
}
