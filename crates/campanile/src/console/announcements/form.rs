//! The form of an announcement: what stands in it, whom it names, and the draft that it makes.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use campanile_core::Fault;
use campanile_core::directory::addressable::{self, Addressable, Choice, Search};
use campanile_core::directory::{folded, list::SEARCH_LIMIT};
use campanile_core::markup::Format;
use campanile_core::message::announced::For;
use campanile_core::message::draft::Draft;
use campanile_core::message::target::Target;
use campanile_core::message::{Channel, Importance, Message};
use campanile_core::policy::{self, Reach};
use campanile_core::time::Moment;

use super::new::faults_of;
use super::{importance_of, to_customer};
use crate::app::App;
use crate::console::banner::{Sketch, Sketched};
use crate::console::form::{Asked, Fields};
use crate::console::messages::{fault, time};
use crate::console::page::{Reader, back, importance_name, show};
use crate::problem::Problem;
use crate::sending;

/// Customers that are offered.
const OFFERED: i64 = 12;

/// The form as it was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each box is ticked or not whatever the others are"
)]
pub(super) struct Typed {
    pub(super) text: String,
    pub(super) format: Format,
    pub(super) title: String,
    pub(super) sender: String,
    /// Times as an `<input type="datetime-local">` writes them; empty for none.
    pub(super) opens: String,
    pub(super) closes: String,
    pub(super) importance: Importance,
    pub(super) enabled: bool,
    /// For all customers.
    pub(super) all: bool,
    /// Else for this one: its number, or the beginning of its name.
    pub(super) customer: String,
    /// With those below it.
    pub(super) below: bool,
    pub(super) bell: bool,
    pub(super) mail: bool,
    pub(super) acknowledge: bool,
    pub(super) dismissible: bool,
    /// Of a correction: the bell rings again.
    pub(super) ring: bool,
    /// Of a correction: what stood there when the form was opened, as [`stood`] has it.
    pub(super) edition: u64,
    /// By which the server knows the same press of the button again.
    pub(super) key: String,
    /// Of a correction: where the reader came from; empty for the page of the message.
    pub(super) back: String,
}

impl Typed {
    /// An empty form.
    pub(super) fn empty(reader: &Reader) -> Self {
        let own = match policy::reach_of_customers(&reader.rights) {
            Reach::Only(Some(customer)) => customer.0.to_string(),
            _ => String::new(),
        };
        Self {
            text: String::new(),
            format: Format::StyleTags,
            title: String::new(),
            sender: reader.profile.name.clone(),
            opens: String::new(),
            closes: String::new(),
            importance: Importance::Low,
            enabled: true,
            all: false,
            below: !own.is_empty(),
            customer: own,
            bell: false,
            mail: false,
            acknowledge: false,
            dismissible: false,
            ring: false,
            edition: 0,
            key: String::new(),
            back: String::new(),
        }
    }

    /// What stands in an announcement that is there already.
    pub(super) fn of(reader: &Reader, message: &Message, to: For) -> Self {
        let time = |at: Option<Moment>| at.map(|at| reader.zone.input_to_the_second(at)).unwrap_or_default();
        let (customer, below) = match to {
            For::Customer { customer, below } => (customer.0.to_string(), below),
            For::Everyone | For::Others => (String::new(), false),
        };
        Self {
            text: message.text.clone(),
            format: message.format,
            title: message.title.clone(),
            sender: message.sender_name.clone(),
            opens: time(message.window.opens_at()),
            closes: time(message.window.closes_at()),
            importance: message.importance,
            enabled: message.enabled,
            all: to == For::Everyone,
            customer,
            below,
            bell: message.has(Channel::Portal),
            mail: message.has(Channel::Email),
            acknowledge: message.must_acknowledge,
            dismissible: message.dismissible,
            ring: false,
            edition: stood(message, to),
            key: String::new(),
            back: String::new(),
        }
    }

    /// Out of the fields of the form.
    pub(super) fn read(fields: &Fields) -> Self {
        let chosen = fields.some("customer.pick").unwrap_or(fields.get("customer"));
        Self {
            text: fields.text("text"),
            format: if fields.get("format") == "markdown" {
                Format::Markdown
            } else {
                Format::StyleTags
            },
            title: fields.text("title").trim().to_owned(),
            sender: fields.text("sender").trim().to_owned(),
            opens: fields.get("opens").to_owned(),
            closes: fields.get("closes").to_owned(),
            importance: importance_of(fields.get("importance")).unwrap_or_default(),
            enabled: fields.has("enabled"),
            all: fields.get("whom") == "all",
            customer: chosen.to_owned(),
            below: fields.has("below"),
            bell: fields.has("bell"),
            mail: fields.has("mail"),
            acknowledge: fields.has("acknowledge"),
            dismissible: fields.has("dismissible"),
            ring: fields.has("ring"),
            edition: fields.get("edition").parse().unwrap_or(0),
            key: fields.get("key").to_owned(),
            back: back(fields, "").to_owned(),
        }
    }

    /// Its name in the form.
    pub(super) const fn format_name(&self) -> &'static str {
        match self.format {
            Format::Markdown => "markdown",
            Format::StyleTags => "tags",
        }
    }

    pub(super) const fn importance_name(&self) -> &'static str {
        importance_name(self.importance)
    }

    /// Whether the title is shown anywhere but in the banner.
    pub(super) const fn needs_title(&self) -> bool {
        self.bell || self.mail
    }

    /// When it opens, where that is later.
    pub(super) fn later(&self, reader: &Reader) -> Option<Moment> {
        reader.zone.parse(&self.opens).filter(|at| *at > reader.now)
    }

    /// The banner as it will look.
    pub(super) fn sketch(&self, reader: &Reader) -> Sketch {
        let of = Sketched {
            importance: self.importance,
            title: &self.title,
            text: &self.text,
            format: self.format,
            sender: &self.sender,
            closes_at: reader.zone.parse(&self.closes),
            must_acknowledge: self.acknowledge,
            dismissible: self.dismissible,
        };
        Sketch::new(reader, &of)
    }

    /// The times; what cannot be read as one is none, and a fault.
    pub(super) fn times(&self, reader: &Reader, faults: &mut Vec<Fault>) -> (Option<Moment>, Option<Moment>) {
        let opens_at = time("opens_at", &self.opens, reader, faults);
        let closes_at = time("closes_at", &self.closes, reader, faults);
        (opens_at, closes_at)
    }

    /// The draft, to this audience, as far as the form can be read.
    pub(super) fn draft(&self, reader: &Reader, audience: Vec<Target>, faults: &mut Vec<Fault>) -> Draft {
        let (opens_at, closes_at) = self.times(reader, faults);
        let ways = [
            (Channel::Portal, self.bell),
            (Channel::Banner, true),
            (Channel::Email, self.mail),
        ];
        let channels = ways.into_iter().filter(|(_, on)| *on).map(|(way, _)| way);
        Draft {
            format: self.format,
            sender_name: Some(self.sender.clone()),
            importance: self.importance,
            channels: channels.collect(),
            opens_at,
            closes_at,
            enabled: self.enabled,
            must_acknowledge: self.acknowledge,
            dismissible: self.dismissible,
            ..Draft::new(self.title.clone(), self.text.clone(), audience)
        }
    }
}

/// Adds what the rules say of a draft to what the form says of it already: of each field one of the two.
pub(super) async fn with_others(
    app: &App,
    reader: &Reader,
    draft: Draft,
    mut faults: Vec<Fault>,
) -> Result<Vec<Fault>, Problem> {
    if let Err(problem) = sending::check(app, reader.principal.person, draft).await {
        let field = |fault: &Fault| fault.field.split(['[', '.']).next().map(str::to_owned);
        let known: Vec<_> = faults.iter().map(field).collect();
        let others = faults_of(problem)?.into_iter();
        faults.extend(others.filter(|other| !known.contains(&field(other))));
    }
    Ok(faults)
}

/// Whom the text of the customer field names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Whom {
    /// This customer: its number, and its name with those above it.
    One(i64, String),
    /// It begins like these.
    Several(Vec<Choice>),
    /// Nothing that the reader may write to.
    Nobody,
}

impl Whom {
    /// Finds a customer that the reader may write to: by its number, by its whole name, or the only one that begins so.
    pub(super) async fn find(app: &App, reader: &Reader, text: &str) -> Result<Self, Problem> {
        let mut found = offered(app, reader, text).await?;
        let name = folded(text);
        let by_name = |choice: &&Choice| folded(&choice.name) == name;
        let exact = found.iter().find(|choice| choice.id == text).cloned();
        let named = (found.iter().filter(by_name).count() == 1).then(|| found.iter().find(by_name).cloned());
        let only = (found.len() == 1).then(|| found.remove(0));
        Ok(match exact.or(named.flatten()).or(only) {
            Some(Choice { id, name, detail }) => {
                let above = detail.map(|above| format!("{name} ({above})"));
                Self::One(id.parse().unwrap_or_default(), above.unwrap_or(name))
            }
            None if found.is_empty() => Self::Nobody,
            None => Self::Several(found),
        })
    }
}

async fn offered(app: &App, reader: &Reader, text: &str) -> Result<Vec<Choice>, Problem> {
    if text.is_empty() || text.chars().count() > SEARCH_LIMIT {
        return Ok(Vec::new());
    }
    let search = Search {
        q: Some(text.to_owned()),
        limit: Some(OFFERED),
    };
    let rights = Arc::clone(&reader.rights);
    let work =
        move |tx: &mut campanile_store::Tx<'_>| addressable::choices(tx, &rights, Addressable::Customers, &search);
    Ok(app.db.scan(work).await?.items)
}

/// The audience that a form names, and what to say of its customer.
#[derive(Debug, Clone, Default)]
pub(super) struct Named {
    /// Whom it goes to; nobody while that is not clear.
    pub(super) audience: Vec<Target>,
    /// The name of the customer that was found.
    pub(super) customer: Option<String>,
    /// Those among which to choose.
    pub(super) found: Vec<Choice>,
    /// What is wrong.
    pub(super) faults: Vec<Fault>,
}

impl Named {
    pub(super) async fn of(app: &App, reader: &Reader, typed: &Typed) -> Result<Self, Problem> {
        let mut named = Self::default();
        if typed.all {
            named.audience.push(Target::Everyone);
            return Ok(named);
        }
        if typed.customer.is_empty() {
            named.faults.push(fault("audience", "name the customer that it is for"));
            return Ok(named);
        }
        match Whom::find(app, reader, &typed.customer).await? {
            Whom::One(id, name) => {
                named.audience.push(to_customer(id, typed.below));
                named.customer = Some(name);
            }
            Whom::Several(found) => {
                named.found = found;
                named
                    .faults
                    .push(fault("audience", "several customers begin like this; choose one"));
            }
            Whom::Nobody => named
                .faults
                .push(fault("audience", "there is no such customer that you may write to")),
        }
        Ok(named)
    }
}

#[derive(Template)]
#[template(path = "console/announcements/customers.html")]
struct Options {
    found: Vec<Choice>,
}

/// What the field of the customer may mean while it is typed, for the script that offers it.
pub(super) async fn customers(
    State(app): State<Arc<App>>,
    reader: Reader,
    Asked(asked): Asked,
) -> Result<Response, Problem> {
    sending::may_announce(&reader.rights)?;
    let found = offered(&app, &reader, asked.get("q")).await?;
    show(&Options { found })
}

/// A number for all that a form can change of an announcement: who saves what was opened before another change does not
/// take that back unseen.
pub(super) fn stood(message: &Message, to: For) -> u64 {
    let mut hasher = DefaultHasher::new();
    let window = (message.window.opens, message.window.closes);
    (
        &message.title,
        &message.text,
        &message.sender_name,
        message.importance,
        window,
    )
        .hash(&mut hasher);
    (message.enabled, message.dismissible, message.must_acknowledge).hash(&mut hasher);
    format!("{to:?}").hash(&mut hasher);
    hasher.finish()
}
