//! What has been said on the sample platform in the last four weeks, and what became of it.

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
    stories.extend(of_the_platform(now));
    stories.extend(of_operations(now));
    stories.extend(of_apis(now));
    stories.extend(of_customers(now));
    stories.extend(of_today(now));
    stories.sort_by_key(|story| story.at);
    stories
}

/// What the administrator tells everybody.
fn of_the_platform(now: Moment) -> [Story; 4] {
    let welcome = "Good to have you here. Three things to do first:\n\n\
        1. look through your **profile**, above all the email address;\n\
        2. open the [catalogue](https://portal.platform.example/catalogue) and try an API;\n\
        3. tell your team where the *bell* is.\n\n\
        Questions? Write to [support](https://portal.platform.example/support).";
    let reset = "The test environment is reset on Friday at 06:00 UTC. Applications and subscriptions stay; \
        **all test data goes**. Save what you need before.";
    let draft = "Prices for next year, for review by finance. Not to be shown before the board has agreed.";
    let manager = "From this month **Ngozi Okafor** looks after everything that concerns Aurelia on the platform:\n\n\
        - contracts and invoices,\n- quotas,\n- anything that does not move.\n\nShe answers within a working day.";
    let test = Target::EnvironmentRole {
        environment: "TEST".into(),
        role: "USER".into(),
    };
    [
        Story::new(
            now,
            28 * DAY,
            "admin",
            message("Welcome to the platform", welcome, Target::Everyone),
        )
        .read_by(82)
        .act("una", 2 * HOUR, Action::Read)
        .act("carol", 3 * HOUR, Action::Read)
        .act("carol", 3 * HOUR + MINUTE, Action::Archive)
        .act("paul", 5 * HOUR, Action::Read)
        .act("ada", 6 * HOUR, Action::Archive),
        Story::new(
            now,
            11 * DAY,
            "admin",
            message("Test environment is reset on Friday", reset, test),
        )
        .closes(now.plus_ms(-6 * DAY))
        .read_by(55),
        Story::new(
            now,
            5 * DAY,
            "admin",
            message("Your contact at the platform", manager, below(2)),
        )
        .from("Customer care")
        .read_by(38),
        Story::new(
            now,
            3 * DAY,
            "admin",
            message("Price list of next year", draft, Target::Everyone),
        )
        .from("Finance")
        .disabled(),
    ]
}

/// What the environment's administrator tells those who work in it.
fn of_operations(now: Moment) -> [Story; 7] {
    let hours = "Every Thursday, 14:00 to 15:00 UTC, somebody of the platform team answers what you ask. \
        Bring your questions about *OAuth scopes*.";
    let limits = "Every application may now make 1,000 calls a day. Nothing to do for you.";
    let right = "Every application may now make **10,000** calls a day. Nothing to do for you.";
    let certificates = format!(
        "The old chain ends on **{}**. Clients that pin it will be refused from that day on.\n\n\
         - Fetch the [new chain](https://portal.platform.example/certificates).\n\
         - Restart what reads it only at its start.\n\
         - Tell your consumers, if they pin it too.",
        date(now.plus_ms(6 * DAY))
    );
    let mistake = "Orders answers 503 on Saturday from 08:00 to 12:00 UTC.";
    let style = "The [style guide](https://portal.platform.example/style) has three new rules:\n\n\
        1. dates are RFC 3339;\n2. errors are problem details:\n   - `title` never changes,\n   - `detail` may;\n\
        3. every list has a limit.";
    let incident = "Something is broken, or looks like an attack? **Do not write a mail.**\n\n\
        - By day: the [status page](https://status.platform.example) has a button.\n\
        - By night: the number stands there too.\n\nIt is never wrong to ask.";
    let review = "On the second Tuesday of the month we read one another's clients. Bring one file.";
    let group = Target::Group { group: "g-1".into() };
    [
        Story::new(
            now,
            24 * DAY,
            "ada",
            message("Office hours on Thursdays", hours, role("USER")),
        )
        .closes(now.plus_ms(-3 * DAY))
        .read_by(41)
        .act("una", HOUR, Action::Read),
        Story::new(now, 18 * DAY, "ada", message("Higher limits", limits, role("USER")))
            .read_by(64)
            .correct(2 * HOUR, correction("Higher limits: 10,000 calls a day", right, false))
            .act("una", 4 * HOUR, Action::Read)
            .act("una", 5 * DAY, Action::Archive),
        Story::new(
            now,
            14 * DAY,
            "ada",
            message("Gateway certificates must be renewed", &certificates, role("ADMIN")),
        )
        .also(role("API_PUBLISHER"))
        .from("Platform security")
        .of(Importance::Critical)
        .read_by(60)
        .act("paul", 20 * MINUTE, Action::Read)
        .act("ada", 30 * MINUTE, Action::Read)
        .act("paul", 3 * DAY, Action::Unread),
        Story::new(
            now,
            9 * DAY,
            "ada",
            message("Orders: downtime on Saturday", mistake, role("USER")),
        )
        .of(Importance::High)
        .read_by(12)
        .act("carol", 10 * MINUTE, Action::Read)
        .recall(25 * MINUTE),
        Story::new(
            now,
            8 * DAY,
            "ada",
            message("How to report an incident", incident, role("USER")),
        )
        .from("Platform security")
        .for_late_joiners()
        .read_by(33),
        Story::new(now, 7 * DAY, "ada", message("Code review day", review, group)).read_by(50),
        Story::new(
            now,
            3 * DAY + HOUR,
            "ada",
            message("How to describe an API", style, role("API_PUBLISHER")),
        )
        .read_by(70)
        .act("paul", DAY, Action::Read),
    ]
}

/// What the owner of two APIs tells their consumers.
fn of_apis(now: Moment) -> [Story; 4] {
    let end = date(now.plus_ms(200 * DAY));
    let retires = format!(
        "Version 1 of the *Payments* API answers until **{end}, 12:00 UTC**. Please move to version 2 before then:\n\n\
         1. subscribe to Payments v2;\n\
         2. change the address and the name of two fields, see the [guide](https://portal.platform.example/payments/v2);\n\
         3. end the old subscription.\n\nMost applications need about an hour."
    );
    let refunds = "Refunds take an `Idempotency-Key` now: the same key is the same refund, however often it is sent.";
    let cards = "The test cards that begin with 4000 are refused from now on. \
        [The new ones](https://portal.platform.example/payments/cards) work in both versions.";
    let reminder = format!("This is a reminder: **{end}** is the last day. Your application still calls version 1.");
    let subscribers = |api: &str| Target::Subscribers { api: api.into() };
    [
        Story::new(
            now,
            21 * DAY,
            "paul",
            message("Refunds without doubles", refunds, subscribers("payments-v2")),
        )
        .from("Payments team")
        .read_by(48),
        Story::new(
            now,
            15 * DAY,
            "paul",
            message(
                &format!("Version 1 retires on {end}"),
                &retires,
                owners("PRIMARY_OWNER"),
            ),
        )
        .also(owners("OWNER"))
        .from("Payments team")
        .of(Importance::High)
        .read_by(75)
        .act("una", DAY, Action::Read),
        Story::new(
            now,
            4 * DAY,
            "paul",
            message("Other test cards", cards, subscribers("payments-v1")),
        )
        .also(subscribers("payments-v2"))
        .from("Payments team")
        .read_by(20),
        Story::new(
            now,
            DAY,
            "paul",
            message(
                &format!("Reminder: version 1 retires on {end}"),
                &reminder,
                owners("PRIMARY_OWNER"),
            ),
        )
        .also(owners("OWNER"))
        .from("Payments team")
        .of(Importance::High)
        .read_by(15),
    ]
}

/// What a customer's administrator tells the people of the customer.
fn of_customers(now: Moment) -> [Story; 3] {
    let login = "From Monday you sign in with your Norrsken account. Your password here ends then.\n\n\
        - *At work* nothing changes.\n- *At home* you need the app.";
    let turbines = "The [readings of last month](https://data.norrsken.example/readings) are complete. \
        Turbine 14 was measured by hand.";
    let report = "The report that you asked for is in your folder. It holds all sub-customers.";
    let carol = Target::User { user: "u-carol".into() };
    [
        Story::new(
            now,
            12 * DAY,
            "carol",
            message("One account for everything", login, below(17)),
        )
        .from("Norrsken IT")
        .of(Importance::High)
        .read_by(67)
        .act("una", 3 * HOUR, Action::Read)
        .act("una", 2 * DAY, Action::Archive),
        Story::new(
            now,
            8 * DAY + 2 * HOUR,
            "carol",
            message(
                "Readings are complete",
                turbines,
                Target::Customer {
                    customer: 18,
                    include_sub_customers: false,
                },
            ),
        )
        .from("Norrsken IT")
        .read_by(44),
        Story::new(now, 2 * DAY, "ada", message("Your report", report, carol)).from("Reporting"),
    ]
}

/// What is going on.
fn of_today(now: Moment) -> [Story; 3] {
    let maintenance = "Tonight from 22:00 to 23:30 UTC the databases move. **The portal stays readable**; \
        new subscriptions wait until it is done.";
    let errors = "One call in fifty fails since this morning. We are looking for the cause.";
    let mended = "One call in fifty failed this morning. A pool of connections was too small; it is mended.";
    let holidays = "From 24 December to 1 January support answers only what is *critical*. Everything else waits.";
    let shipping = Target::Subscribers { api: "shipping".into() };
    [
        Story::new(
            now,
            3 * HOUR,
            "ada",
            message("Maintenance tonight", maintenance, role("USER")),
        )
        .from("Operations")
        .of(Importance::High)
        .closes(now.plus_ms(14 * HOUR))
        .read_by(18)
        .act("ada", 5 * MINUTE, Action::Read),
        Story::new(
            now,
            HOUR,
            "ada",
            message("Support over the holidays", holidays, role("USER")),
        )
        .from("Support")
        .opens(now.plus_ms(2 * DAY)),
        Story::new(
            now,
            50 * MINUTE,
            "admin",
            message("More errors than usual", errors, shipping),
        )
        .from("Operations")
        .of(Importance::Critical)
        .read_by(25)
        .correct(40 * MINUTE, correction("Mended: more errors than usual", mended, true)),
    ]
}

fn message(title: &str, text: &str, audience: Target) -> Draft {
    Draft {
        title: title.to_owned(),
        text: text.to_owned(),
        sender_name: None,
        importance: Importance::Low,
        audience: vec![audience],
        channels: vec![Channel::Portal],
        opens_at: None,
        closes_at: None,
        enabled: true,
        late_joiners: Rule::AtSend,
        environment: None,
    }
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
        self.draft.late_joiners = Rule::WhileActive;
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::world::ACCOUNTS;

    const NOW: Moment = Moment(1_795_000_000_000);

    fn some(what: impl Fn(&Story) -> bool) -> bool {
        messages(NOW).iter().any(what)
    }

    #[test]
    fn stories_are_told_in_order_and_within_reach() {
        let stories = messages(NOW);
        assert!((15..=25).contains(&stories.len()));
        assert!(stories.is_sorted_by_key(|story| story.at));
        for story in &stories {
            assert!(story.at > NOW.plus_ms(-REACH_MS) && story.at < NOW);
            assert!(story.then.is_sorted_by_key(|step| step.at), "{}", story.draft.title);
            assert!(
                story.then.iter().all(|step| step.at >= story.at && step.at < NOW),
                "{}",
                story.draft.title
            );
        }
    }

    #[test]
    fn everybody_in_them_has_an_account() {
        let logins: BTreeSet<_> = ACCOUNTS.iter().map(|(login, _)| *login).chain(["admin"]).collect();
        for story in messages(NOW) {
            assert!(logins.contains(story.sender));
            for step in story.then {
                assert!(!matches!(step.what, What::Act(login, _) if !logins.contains(login)));
            }
        }
    }

    #[test]
    fn there_is_one_of_every_sort() {
        assert!(some(|story| story.draft.opens_at.is_some_and(|at| at > NOW)));
        assert!(some(|story| story.draft.closes_at.is_some_and(|at| at < NOW)));
        assert!(some(|story| story.draft.closes_at.is_some_and(|at| at > NOW)));
        assert!(some(|story| !story.draft.enabled));
        assert!(some(|story| story.draft.late_joiners == Rule::WhileActive));
        assert!(some(|story| story.draft.importance == Importance::Critical));
        assert!(some(|story| story.then.iter().any(|step| step.what == What::Recall)));
        assert!(some(|story| story
            .then
            .iter()
            .any(|step| matches!(&step.what, What::Correct(_)))));
        assert!(some(|story| story
            .then
            .iter()
            .any(|step| matches!(step.what, What::Act(_, Action::Archive)))));
        for kind in [
            "environment_role",
            "api_role",
            "subscribers",
            "customer",
            "everyone",
            "group",
            "user",
        ] {
            let is_kind = |target: &Target| serde_json::to_value(target).expect("JSON")["kind"] == kind;
            assert!(some(|story| story.draft.audience.iter().any(is_kind)), "{kind}");
        }
    }

    #[test]
    fn a_message_that_nobody_may_see_is_read_by_nobody() {
        for story in messages(NOW) {
            let hidden = !story.draft.enabled || story.draft.opens_at.is_some();
            assert!(
                !hidden || story.readers == 0 && story.then.is_empty(),
                "{}",
                story.draft.title
            );
        }
    }
}
