//! What has been said on the sample platform in the last four weeks, and what became of it.

#[cfg(test)]
mod tests;
mod told;

use campanile_core::audience::Rule;
use campanile_core::inbox::act::Action;
use campanile_core::message::change::Correction;
use campanile_core::message::draft::Draft;
use campanile_core::message::target::Target;
use campanile_core::message::{Channel, Importance};
use campanile_core::time::Moment;

/// A message and its story.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Story {
    /// When it was sent.
    pub at: Moment,
    /// The login of who sent it, who may.
    pub sender: &'static str,
    /// What was sent.
    pub draft: Draft,
    /// How many in a hundred of its people have read it by now, the accounts of the demonstration aside.
    pub readers: u8,
    /// What happened then, in order.
    pub then: Vec<Step>,
}

/// Something that happened to a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub at: Moment,
    /// What.
    pub what: What,
}

/// What can happen to a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// Somebody, by login, did something with it in the inbox.
    Act(&'static str, Action),
    /// The sender corrected it.
    Correct(Box<Correction>),
    /// The sender took it back.
    Recall,
}

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// How far back the stories go: the directory has to be there by then.
pub const REACH_MS: i64 = 30 * DAY;

/// The stories up to now, in the order in which they were sent.
#[must_use]
pub fn messages(now: Moment) -> Vec<Story> {
    let mut stories = Vec::new();
    stories.extend(told::of_the_platform(now));
    stories.extend(told::of_limits_and_dates(now));
    stories.extend(told::of_how_to(now));
    stories.extend(told::of_apis(now));
    stories.extend(told::of_customers(now));
    stories.extend(told::of_today(now));
    stories.sort_by_key(|story| story.at);
    stories
}

fn message(title: &str, text: &str, audience: Target) -> Draft {
    Draft::new(title, text, vec![audience])
}

fn role(role: &str) -> Target {
    Target::EnvironmentRole {
        environment: "DEFAULT".into(),
        role: role.into(),
    }
}

fn owners(role: &str) -> Target {
    Target::ApiRole {
        api: "payments-v1".into(),
        role: role.into(),
    }
}

fn below(customer: i64) -> Target {
    Target::Customer {
        customer,
        include_sub_customers: true,
    }
}

/// A day as it is written in a text: `30 June 2027`.
fn date(at: Moment) -> String {
    let instant = jiff::Timestamp::from_millisecond(at.0).unwrap_or_default();
    instant.strftime("%-d %B %Y").to_string()
}

fn correction(title: &str, text: &str, ring: bool) -> Correction {
    Correction {
        title: Some(title.to_owned()),
        text: Some(text.to_owned()),
        ring,
        ..Correction::default()
    }
}

impl Story {
    /// Sent so long ago.
    fn new(now: Moment, ago: i64, sender: &'static str, draft: Draft) -> Self {
        Self {
            at: now.plus_ms(-ago),
            sender,
            draft,
            readers: 0,
            then: Vec::new(),
        }
    }

    fn also(mut self, target: Target) -> Self {
        self.draft.audience.push(target);
        self
    }

    fn from(mut self, name: &str) -> Self {
        self.draft.sender_name = Some(name.to_owned());
        self
    }

    fn of(mut self, importance: Importance) -> Self {
        self.draft.importance = importance;
        self
    }

    fn with_banner(mut self) -> Self {
        self.draft.channels.push(Channel::Banner);
        self
    }

    fn opens(mut self, at: Moment) -> Self {
        self.draft.opens_at = Some(at);
        self
    }

    fn closes(mut self, at: Moment) -> Self {
        self.draft.closes_at = Some(at);
        self
    }

    fn disabled(mut self) -> Self {
        self.draft.enabled = false;
        self
    }

    fn for_late_joiners(mut self) -> Self {
        self.draft.late_joiners = Some(Rule::WhileActive);
        self
    }

    fn read_by(mut self, readers: u8) -> Self {
        self.readers = readers;
        self
    }

    fn act(self, login: &'static str, after: i64, action: Action) -> Self {
        self.step(after, What::Act(login, action))
    }

    fn correct(self, after: i64, correction: Correction) -> Self {
        self.step(after, What::Correct(Box::new(correction)))
    }

    fn recall(self, after: i64) -> Self {
        self.step(after, What::Recall)
    }

    fn step(mut self, after: i64, what: What) -> Self {
        let at = self.at.plus_ms(after);
        self.then.push(Step { at, what });
        self
    }
}
