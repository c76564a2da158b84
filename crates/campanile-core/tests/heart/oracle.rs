//! The definition of an audience, said as plainly as it can be: facts as a set, judged by looking.
//!
//! Written from the decisions (2, 4, 5, 9, 10), not from the SQL. Nothing here is quick, and nothing is shared with
//! what it judges but the types of selectors and stamps.

use std::collections::{BTreeMap, BTreeSet};

use campanile_core::audience::{Rule, Selector};
use campanile_core::place::{APPLICATION_PRIMARY_OWNER, place};
use campanile_core::time::{Moment, Stamp};

/// Something that holds for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fact {
    /// A person is active.
    Alive { person: i64 },
    /// A person holds a role somewhere.
    Member {
        person: i64,
        place: i64,
        object: i64,
        role: i64,
    },
    /// A person belongs to a customer.
    Home { person: i64, customer: i64 },
    /// A customer stands right below another.
    Parent { customer: i64, parent: i64 },
    /// A customer is another, or stands somewhere below it.
    Below { customer: i64, ancestor: i64 },
    /// A group is attached to an API or application.
    Attached { group: i64, place: i64, object: i64 },
}

/// The changing side of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Term {
    pub(crate) api: i64,
    pub(crate) application: i64,
    pub(crate) status: i64,
    pub(crate) subscriber: Option<i64>,
    pub(crate) starts_at: i64,
    pub(crate) ends_at: i64,
}

/// A message as its senders left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) id: i64,
    pub(crate) selectors: Vec<Selector>,
    pub(crate) rule: Rule,
    pub(crate) opens_at: i64,
    pub(crate) closes_at: i64,
    pub(crate) enabled: bool,
    pub(crate) published: Option<Stamp>,
    pub(crate) arrival: Option<Stamp>,
    pub(crate) ring: i64,
    pub(crate) edition: i64,
    pub(crate) recalled: Option<Stamp>,
    pub(crate) missed: bool,
}

impl Message {
    /// Whether the window holds this time, to the second.
    pub(crate) fn is_open(&self, now: Moment) -> bool {
        self.opens_at <= now.0 && now.0 / 1_000 <= self.closes_at / 1_000
    }

    /// Whether its audience sees it.
    fn is_shown(&self, now: Moment) -> bool {
        self.published.is_some() && self.enabled && self.recalled.is_none() && self.is_open(now)
    }
}

/// What one revision did. Several changes can share one: a person leaves a customer and enters another.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    /// A fact holds from here.
    Begun(Fact),
    /// A fact holds no longer.
    Ended(Fact),
    /// A subscription has other terms from here.
    Term(i64, Term),
    /// A person has an email address, or none.
    Email(i64, bool),
    /// A new message.
    Created(Message),
    /// A message in its new state, and which sort of change that was (`edition.change`).
    Changed(Message, i64),
}

/// Ways to misunderstand the definition. Each must be found out by the worlds, or the worlds are too poor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The deactivated are in audiences.
    IgnoresLife,
    /// A group lends `PRIMARY_OWNER` of an application too.
    LendsPrimaryOwner,
    /// A subscription still counts at its end.
    CountsTheEnd,
    /// A subscription counts from the instant after its start.
    SkipsTheStart,
    /// Any subscription will do, accepted or not.
    IgnoresStatus,
    /// Who subscribed is in, whether or not the subscription counts now.
    IgnoresSubscribersClock,
    /// Groups lend nothing.
    LendsNothing,
    /// A role of scope API held on a group is lent to its applications.
    LendsApiRoles,
    /// A group lends to the application of the same number as the API that it is attached to.
    ConfusesAttachments,
    /// A group's members are those who hold a role of scope APPLICATION there.
    CountsHalfAGroup,
    /// A customer's subtree is itself and its children.
    LooksOneLevelDown,
    /// Sending to a customer reaches those below it.
    SendsDown,
    /// An `at_send` message is judged now.
    JudgesLate,
    /// A `while_active` message is judged at its publication.
    JudgesEarly,
    /// A message has reached people before it was published.
    IgnoresPublication,
}

/// Everything that holds, and what was sent to whom.
#[derive(Debug, Clone, Default)]
pub(crate) struct Oracle {
    fault: Option<Fault>,
    /// What holds, and since which revision.
    pub(crate) facts: BTreeMap<Fact, i64>,
    terms: BTreeMap<i64, (Term, i64)>,
    pub(crate) with_email: BTreeSet<u32>,
    pub(crate) messages: BTreeMap<i64, Message>,
    /// The audience of every published message, at its publication.
    sent: BTreeMap<i64, BTreeMap<u32, i64>>,
    /// The time beside each revision.
    times: BTreeMap<i64, i64>,
    /// Everybody who ever was.
    people: BTreeSet<i64>,
}

impl Oracle {
    /// One that judges by a misunderstanding, or rightly.
    pub(crate) fn new(fault: Option<Fault>) -> Self {
        Self {
            fault,
            ..Self::default()
        }
    }

    /// Replays what a revision did.
    pub(crate) fn apply(&mut self, stamp: Stamp, changes: &[Change]) {
        let revision = stamp.revision.0;
        self.times.insert(revision, stamp.at.0);
        for change in changes {
            match change {
                Change::Begun(fact) => {
                    self.facts.insert(*fact, revision);
                    if let Fact::Alive { person } = fact {
                        self.people.insert(*person);
                    }
                }
                Change::Ended(fact) => {
                    self.facts.remove(fact);
                }
                Change::Term(subscription, term) => {
                    self.terms.insert(*subscription, (*term, revision));
                }
                Change::Email(person, true) => {
                    self.with_email.insert(*person as u32);
                }
                Change::Email(person, false) => {
                    self.with_email.remove(&(*person as u32));
                }
                Change::Created(message) | Change::Changed(message, _) => {
                    self.messages.insert(message.id, message.clone());
                }
            }
        }
        // Judged after the revision's own changes; a revision that publishes changes no fact.
        for message in self.messages.values() {
            if message.published.is_some_and(|published| published == stamp) && !self.sent.contains_key(&message.id) {
                let audience = self.audience(&message.selectors, stamp.at);
                self.sent.insert(message.id, audience);
            }
        }
    }

    /// Who holds any of some selectors, and since when (the least over the selectors), by the facts of now.
    pub(crate) fn audience(&self, selectors: &[Selector], at: Moment) -> BTreeMap<u32, i64> {
        let mut out = BTreeMap::new();
        for person in &self.people {
            let alive = self.since(Fact::Alive { person: *person }).is_some() || self.has(Fault::IgnoresLife);
            let held = selectors
                .iter()
                .filter_map(|selector| self.holds(*person, *selector, at));
            if let Some(since) = held.min().filter(|_| alive) {
                out.insert(*person as u32, since);
            }
        }
        out
    }

    /// The audience of a published message, by its rule.
    pub(crate) fn reached(&self, message: &Message, now: Moment) -> BTreeMap<u32, i64> {
        let early = match message.rule {
            Rule::AtSend => !self.has(Fault::JudgesLate),
            Rule::WhileActive => self.has(Fault::JudgesEarly),
        };
        if message.published.is_none() && !self.has(Fault::IgnoresPublication) {
            BTreeMap::new()
        } else if early {
            self.sent.get(&message.id).cloned().unwrap_or_default()
        } else {
            self.audience(&message.selectors, now)
        }
    }

    /// For everybody, the messages whose audience they are in, and since which revision and time their fact holds.
    pub(crate) fn messages(&self, now: Moment) -> BTreeMap<i64, BTreeMap<i64, (i64, i64)>> {
        let mut out: BTreeMap<i64, BTreeMap<i64, (i64, i64)>> = BTreeMap::new();
        for message in self.messages.values() {
            for (person, since) in self.reached(message, now) {
                let since = (since, self.times[&since]);
                out.entry(person.into()).or_default().insert(message.id, since);
            }
        }
        out
    }

    /// The time beside a revision, where it is the last one of that time.
    pub(crate) fn time_of_last(&self, revision: i64) -> Option<Moment> {
        let at = *self.times.get(&revision)?;
        let next = self.times.range(revision + 1..).next();
        next.is_none_or(|(_, later)| *later > at).then_some(Moment(at))
    }

    /// Whether a published message is there no longer: what its senders are told is of its last instant.
    pub(crate) fn is_over(message: &Message, now: Moment) -> bool {
        message.recalled.is_some() || message.closes_at / 1_000 < now.0 / 1_000
    }

    /// Whether the audience of a message sees it now.
    pub(crate) fn is_shown(&self, message: i64, now: Moment) -> bool {
        self.messages[&message].is_shown(now)
    }

    /// Everybody who is active.
    pub(crate) fn alive(&self) -> BTreeSet<u32> {
        let alive = |person: &&i64| self.since(Fact::Alive { person: **person }).is_some();
        self.people.iter().filter(alive).map(|person| *person as u32).collect()
    }

    /// Whether a person is there, or ever was.
    pub(crate) fn is_known(&self, person: i64) -> bool {
        self.people.contains(&person)
    }

    fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    fn since(&self, fact: Fact) -> Option<i64> {
        self.facts.get(&fact).copied()
    }

    /// Since when a person holds a selector; `None` where they do not.
    fn holds(&self, person: i64, selector: Selector, at: Moment) -> Option<i64> {
        match selector {
            Selector::EnvironmentRole { environment, role } => self.since(Fact::Member {
                person,
                place: place::ENVIRONMENT,
                object: environment.0,
                role: role.0,
            }),
            Selector::ApiRole { api, role } => {
                let terms = self
                    .terms
                    .values()
                    .filter(|(term, _)| term.api == api.0 && self.counts(term, at));
                terms
                    .filter_map(|(term, since)| Some(self.works_in(person, term.application, role.0)?.max(*since)))
                    .min()
            }
            Selector::Subscribers { api } => {
                let terms = self.terms.values().filter(|(term, _)| {
                    let counts = self.counts(term, at) || term.status == 1 && self.has(Fault::IgnoresSubscribersClock);
                    term.api == api.0 && term.subscriber == Some(person) && counts
                });
                terms.map(|(_, since)| *since).min()
            }
            Selector::Subscribed { api } => {
                let terms = self.terms.values();
                let made = terms.filter(|(term, _)| term.api == api.0 && term.subscriber == Some(person));
                made.map(|(_, since)| *since).min()
            }
            Selector::Customer { customer } if self.has(Fault::SendsDown) => self.lives_below(person, customer.0),
            Selector::Customer { customer } => self.since(Fact::Home {
                person,
                customer: customer.0,
            }),
            Selector::Subtree { customer } => self.lives_below(person, customer.0),
            Selector::Everyone => self
                .since(Fact::Alive { person })
                .or(self.has(Fault::IgnoresLife).then_some(1)),
            Selector::Group { group } => self
                .memberships(person)
                .filter(|(_, at, object, _)| {
                    let is_group = *at == place::GROUP_APPLICATION
                        || *at == place::GROUP_API && !self.has(Fault::CountsHalfAGroup);
                    is_group && *object == group.0
                })
                .map(|(since, ..)| since)
                .min(),
            Selector::User { person: named } if named.0 == person => self.since(Fact::Alive { person }),
            Selector::User { .. } => None,
        }
    }

    /// Since, place, object and role of what a person is a member of.
    fn memberships(&self, person: i64) -> impl Iterator<Item = (i64, i64, i64, i64)> {
        self.facts.iter().filter_map(move |(fact, since)| match fact {
            Fact::Member {
                person: who,
                place,
                object,
                role,
            } if *who == person => Some((*since, *place, *object, *role)),
            _ => None,
        })
    }

    /// Accepted, and `start <= t < end`.
    fn counts(&self, term: &Term, at: Moment) -> bool {
        let accepted = term.status == 1 || self.has(Fault::IgnoresStatus);
        let started = term.starts_at < at.0 || term.starts_at == at.0 && !self.has(Fault::SkipsTheStart);
        let ended = term.ends_at < at.0 || term.ends_at == at.0 && !self.has(Fault::CountsTheEnd);
        accepted && started && !ended
    }

    /// Since when a person holds a role in an application, directly or lent by a group.
    fn works_in(&self, person: i64, application: i64, role: i64) -> Option<i64> {
        let lendable = role != APPLICATION_PRIMARY_OWNER.0 || self.has(Fault::LendsPrimaryOwner);
        let held = self.memberships(person).filter(|(.., held)| *held == role);
        let ways = held.filter_map(|(since, at, object, _)| {
            let lends = at == place::GROUP_APPLICATION || at == place::GROUP_API && self.has(Fault::LendsApiRoles);
            if at == place::APPLICATION && object == application {
                Some(since)
            } else if lends && lendable && !self.has(Fault::LendsNothing) {
                Some(self.attached(object, application)?.max(since))
            } else {
                None
            }
        });
        ways.min()
    }

    fn attached(&self, group: i64, application: i64) -> Option<i64> {
        let to = |place| {
            self.since(Fact::Attached {
                group,
                place,
                object: application,
            })
        };
        to(place::APPLICATION).or_else(|| to(place::API).filter(|_| self.has(Fault::ConfusesAttachments)))
    }

    /// Since when a person belongs to a customer or to one below it.
    fn lives_below(&self, person: i64, ancestor: i64) -> Option<i64> {
        let ways = self.facts.iter().filter_map(|(fact, since)| match fact {
            Fact::Home { person: who, customer } if *who == person => {
                let is_near = *customer == ancestor
                    || self.facts.contains_key(&Fact::Parent {
                        customer: *customer,
                        parent: ancestor,
                    });
                let below = self.since(Fact::Below {
                    customer: *customer,
                    ancestor,
                });
                Some(
                    below
                        .filter(|_| is_near || !self.has(Fault::LooksOneLevelDown))?
                        .max(*since),
                )
            }
            _ => None,
        });
        ways.min()
    }
}
