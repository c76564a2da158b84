//! What stands in the form of a new message, and the draft that it makes.

use campanile_core::Fault;
use campanile_core::audience::Rule;
use campanile_core::message::draft::Draft;
use campanile_core::message::target::Target;
use campanile_core::message::{AUDIENCE_PARTS, Channel, Importance};
use campanile_core::outbox::destination::{Destination, Header};
use campanile_core::time::Moment;

use super::part;
use crate::console::form::Fields;
use crate::console::page::{Reader, importance_name};

/// The form as it was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Typed {
    pub(super) channels: Vec<Channel>,
    /// Each once, in the order in which they were chosen.
    pub(super) to: Vec<Target>,
    /// The home of messages to groups and people.
    pub(super) environment: String,
    pub(super) title: String,
    pub(super) text: String,
    pub(super) importance: Importance,
    pub(super) sender: String,
    /// Times as an `<input type="datetime-local">` writes them; empty for none.
    pub(super) opens: String,
    pub(super) closes: String,
    pub(super) late_joiners: Rule,
    /// By which the server knows the same press of the button again.
    pub(super) key: String,
    /// What is looked for to be added.
    pub(super) find: String,
    /// Whom "why is someone missing?" is about.
    pub(super) why: String,
    /// What was looked for and whom was asked about when the page was made: where these still stand, Enter in another
    /// field means the message.
    answered: (String, String),
    /// Where it is posted to, beside saved endpoints.
    pub(super) url: String,
    /// Headers of the POST: names and values.
    pub(super) headers: Vec<(String, String)>,
    /// Whether it goes through the system proxy: `yes`, `no`, or empty as the server has it.
    pub(super) proxy: String,
    pub(super) secret: String,
    /// Saved endpoints, by id.
    pub(super) endpoints: Vec<i64>,
}

/// Rows for headers that are empty at least.
const EMPTY_ROWS: usize = 2;

impl Typed {
    /// Out of the fields of the form, or of an address that fills some of them in.
    pub(super) fn read(fields: &Fields, reader: &Reader) -> Self {
        let importance = [Importance::High, Importance::Critical]
            .into_iter()
            .find(|at| importance_name(*at) == fields.get("importance"));
        let mut typed = Self {
            channels: channels(fields),
            to: Vec::new(),
            environment: fields.some("environment").unwrap_or(&reader.environment).to_owned(),
            title: fields.text("title"),
            text: fields.text("text"),
            importance: importance.unwrap_or_default(),
            sender: if fields.has("sender") {
                fields.text("sender")
            } else {
                reader.profile.name.clone()
            },
            opens: fields.get("opens").to_owned(),
            closes: fields.get("closes").to_owned(),
            late_joiners: Rule::from_code(i64::from(fields.get("late") == "active")),
            key: fields.get("key").to_owned(),
            find: fields.get("find").to_owned(),
            why: fields.get("why").to_owned(),
            answered: (fields.get("looked").to_owned(), fields.get("asked").to_owned()),
            url: fields.get("url").to_owned(),
            headers: headers(fields),
            proxy: fields.get("proxy").to_owned(),
            secret: fields.get("secret").to_owned(),
            endpoints: fields.all("endpoint").filter_map(|id| id.parse().ok()).collect(),
        };
        for target in fields.all("to").filter_map(part::read) {
            typed.add(target);
        }
        typed
    }

    /// One part more. One beyond the limit is kept too, so that the rules can say so.
    pub(super) fn add(&mut self, target: Target) {
        if !self.to.contains(&target) && self.to.len() <= AUDIENCE_PARTS {
            self.to.push(target);
        }
    }

    /// One part less.
    pub(super) fn drop(&mut self, target: &Target) {
        self.to.retain(|other| other != target);
    }

    pub(super) fn has(&self, target: &Target) -> bool {
        self.to.contains(target)
    }

    /// Whether something new is looked for.
    pub(super) fn looks_for(&self) -> bool {
        !self.find.is_empty() && self.find != self.answered.0
    }

    /// Whether a new question is asked.
    pub(super) fn asks(&self) -> bool {
        !self.why.is_empty() && self.why != self.answered.1
    }

    pub(super) fn is_for_late_joiners(&self) -> bool {
        self.late_joiners == Rule::WhileActive
    }

    /// The home that the message is given: where a role decides it, or nobody needs one, none is said.
    pub(super) fn home(&self) -> Option<String> {
        let decided = |target: &Target| matches!(target, Target::EnvironmentRole { .. });
        let needs = |target: &Target| matches!(target, Target::Group { .. } | Target::User { .. });
        let said = self.to.iter().any(needs) && !self.to.iter().any(decided);
        said.then(|| self.environment.clone())
    }

    /// Whether anything stands in the part of the form that is folded away.
    pub(super) fn has_more(&self) -> bool {
        !self.opens.is_empty() || !self.closes.is_empty() || self.is_for_late_joiners()
    }

    /// Whether it goes by a channel.
    pub(super) fn goes_by(&self, name: &str) -> bool {
        self.channels.iter().any(|channel| channel.name() == name)
    }

    /// The channels by name, in their order.
    pub(super) fn channel_names(&self) -> Vec<&'static str> {
        self.channels.iter().map(|channel| channel.name()).collect()
    }

    /// Whether it is posted, and that is all: it has no people and no title.
    pub(super) fn is_post_alone(&self) -> bool {
        self.channels == [Channel::Http]
    }

    /// The headers, with some empty rows for more.
    pub(super) fn header_rows(&self) -> Vec<(String, String)> {
        let mut rows = self.headers.clone();
        rows.extend(std::iter::repeat_n((String::new(), String::new()), EMPTY_ROWS));
        rows
    }

    /// Where it is posted to.
    pub(super) fn posts(&self) -> Vec<Destination> {
        if !self.goes_by("http") {
            return Vec::new();
        }
        let saved = self.endpoints.iter().map(|id| Destination {
            endpoint: Some(*id),
            ..Destination::default()
        });
        let typed = (!self.url.is_empty()).then(|| Destination {
            endpoint: None,
            url: Some(self.url.clone()),
            headers: self
                .headers
                .iter()
                .cloned()
                .map(|(name, value)| Header { name, value })
                .collect(),
            use_system_proxy: match self.proxy.as_str() {
                "yes" => Some(true),
                "no" => Some(false),
                _ => None,
            },
            secret: Some(self.secret.clone()).filter(|secret| !secret.is_empty()),
        });
        saved.chain(typed).collect()
    }

    /// The draft, or what keeps the form from being one. `api` is that in which the form stands.
    pub(super) fn draft(&self, reader: &Reader, api: Option<&str>) -> Result<Draft, Vec<Fault>> {
        let mut faults = Vec::new();
        let opens_at = time("opens_at", &self.opens, reader, &mut faults);
        let closes_at = time("closes_at", &self.closes, reader, &mut faults);
        if !faults.is_empty() {
            return Err(faults);
        }
        let posts = self.posts();
        if self.is_post_alone() {
            return Ok(Draft {
                opens_at,
                closes_at,
                importance: self.importance,
                channels: self.channels.clone(),
                environment: api
                    .is_none()
                    .then(|| self.environment.clone())
                    .filter(|id| !id.is_empty()),
                api: api.map(ToOwned::to_owned),
                posts,
                ..Draft::new("", self.text.clone(), Vec::new())
            });
        }
        Ok(Draft {
            sender_name: Some(self.sender.trim().to_owned()),
            importance: self.importance,
            channels: self.channels.clone(),
            opens_at,
            closes_at,
            late_joiners: Some(self.late_joiners),
            environment: self.home(),
            posts,
            ..Draft::new(self.title.trim(), self.text.clone(), self.to.clone())
        })
    }
}

/// The channels that are ticked; where there were no boxes to tick, bell and inbox.
fn channels(fields: &Fields) -> Vec<Channel> {
    let ticked = |channel: &Channel| fields.all("channel").any(|name| name == channel.name());
    let chosen: Vec<Channel> = Channel::ALL.into_iter().filter(ticked).collect();
    if chosen.is_empty() && !fields.has("ways") {
        return vec![Channel::Portal];
    }
    chosen
}

/// The headers that were typed, without empty rows.
fn headers(fields: &Fields) -> Vec<(String, String)> {
    let pairs = fields.all("header_name").zip(fields.all("header_value"));
    pairs
        .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
        .filter(|(name, value)| !(name.is_empty() && value.is_empty()))
        .collect()
}

/// A fault of a field; the reason is a key of the refusals, as those of the rules are.
pub(in crate::console) fn fault(field: &str, reason: &str) -> Fault {
    Fault {
        field: field.to_owned(),
        reason: reason.to_owned(),
    }
}

/// A time that was typed; none where nothing was.
pub(in crate::console) fn time(field: &str, typed: &str, reader: &Reader, faults: &mut Vec<Fault>) -> Option<Moment> {
    if typed.is_empty() {
        return None;
    }
    let found = reader.zone.parse(typed);
    if found.is_none() {
        faults.push(fault(field, "is not a date and time"));
    }
    found
}
