//! Random worlds with history: events, drawn by chance and turned into what each revision changes.

use std::collections::BTreeSet;

use campanile_core::audience::{Rule, Selector};
use campanile_core::id::{ApiId, CustomerId, EnvironmentId, GroupId, PersonId, RoleId};
use campanile_core::place::{ORGANIZATION, place};
use campanile_core::time::{Moment, OPEN, Revision, Stamp};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::oracle::{Change, Fact, Fault, Message, Oracle, Term};

/// Ids run from 1 to these. They are the same numbers on purpose: what mixes up two kinds is found out.
pub(crate) const PEOPLE: i64 = 7;
/// Of them, those who are there from the start; the others come when an event brings them to life.
const FIRST_PEOPLE: i64 = 5;
pub(crate) const CUSTOMERS: i64 = 6;
pub(crate) const ENVIRONMENTS: i64 = 2;
pub(crate) const GROUPS: i64 = 3;
pub(crate) const APIS: i64 = 3;
pub(crate) const APPLICATIONS: i64 = 3;
/// Which application subscribes to which API; one pair does so twice.
pub(crate) const SUBSCRIPTIONS: [(i64, i64); 7] = [(1, 1), (1, 2), (2, 1), (2, 3), (3, 2), (3, 3), (1, 1)];
/// When worlds begin: a whole second, so that windows have edges in sight.
const START: i64 = 1_700_000_000_000;
/// The clock goes in steps of this, and so do the edges of subscriptions: they meet.
const STEP_MS: i64 = 500;

/// The sorts of change, as `edition.change` has them.
mod sort {
    pub(super) const CORRECTED: i64 = 1;
    pub(super) const RECALLED: i64 = 2;
    pub(super) const OPENED: i64 = 3;
    pub(super) const MISSED: i64 = 4;
    pub(super) const ENABLED: i64 = 5;
    pub(super) const DISABLED: i64 = 6;
    pub(super) const READDRESSED: i64 = 7;
}

/// What can happen. A fact's event begins it where it does not hold and ends it where it does.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    Member {
        person: i64,
        place: i64,
        object: i64,
        role: i64,
    },
    Life {
        person: i64,
    },
    Email {
        person: i64,
    },
    Move {
        person: i64,
        customer: Option<i64>,
    },
    Reparent {
        customer: i64,
        parent: Option<i64>,
    },
    Attach {
        group: i64,
        place: i64,
        object: i64,
    },
    /// Start and end in steps of the clock from now.
    Term {
        subscription: usize,
        status: i64,
        subscriber: Option<i64>,
        starts: Option<i64>,
        ends: Option<i64>,
    },
    /// The window's edges in seconds from now.
    Send {
        selectors: Vec<Selector>,
        rule: Rule,
        opens: Option<i64>,
        closes: Option<i64>,
        enabled: bool,
    },
    Correct {
        message: usize,
        ring: bool,
    },
    Switch {
        message: usize,
    },
    Recall {
        message: usize,
    },
    Readdress {
        message: usize,
        selectors: Vec<Selector>,
    },
    /// Steps of the clock; backwards where another server's clock is behind.
    Wait {
        steps: i64,
    },
}

/// Events between two looks at the world.
pub(crate) type Step = Vec<Event>;

/// A beginning without messages, and then steps. Each event may be left out, so that a world that shows a fault can be
/// brought down to the few events that it takes.
pub(crate) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let beginning = vec(option::weighted(0.95, directory_event()), 36);
    let steps = vec(vec(option::weighted(0.9, event()), 10), 3..7);
    (beginning, steps).prop_map(|(beginning, steps)| {
        let steps = std::iter::once(beginning).chain(steps);
        steps.map(|events| events.into_iter().flatten().collect()).collect()
    })
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        8 => directory_event(),
        5 => send(),
        1 => (any::<usize>(), any::<bool>()).prop_map(|(message, ring)| Event::Correct { message, ring }),
        2 => any::<usize>().prop_map(|message| Event::Switch { message }),
        1 => any::<usize>().prop_map(|message| Event::Recall { message }),
        1 => (any::<usize>(), selectors()).prop_map(|(message, selectors)| Event::Readdress { message, selectors }),
        3 => prop_oneof![9 => 1..4_i64, 1 => Just(-1)].prop_map(|steps| Event::Wait { steps }),
    ]
}

fn directory_event() -> impl Strategy<Value = Event> {
    prop_oneof![
        12 => member(),
        1 => (1..=PEOPLE).prop_map(|person| Event::Life { person }),
        1 => (1..=PEOPLE).prop_map(|person| Event::Email { person }),
        3 => (1..=PEOPLE, option::weighted(0.9, 1..=CUSTOMERS))
            .prop_map(|(person, customer)| Event::Move { person, customer }),
        3 => (1..=CUSTOMERS, option::weighted(0.8, 1..=CUSTOMERS))
            .prop_map(|(customer, parent)| Event::Reparent { customer, parent }),
        3 => (1..=GROUPS, prop_oneof![3 => Just(place::APPLICATION), 1 => Just(place::API)], 1..=APPLICATIONS)
            .prop_map(|(group, place, object)| Event::Attach { group, place, object }),
        6 => term(),
    ]
}

/// Places of other scopes get roles of scope APPLICATION too, so that the place tells and not the role.
fn member() -> impl Strategy<Value = Event> {
    let at = prop_oneof![
        1 => (Just(place::ORGANIZATION), Just(ORGANIZATION), 1..=5_i64),
        3 => (Just(place::ENVIRONMENT), 1..=ENVIRONMENTS, 3..=5_i64),
        1 => (Just(place::API), 1..=APIS, 6..=12_i64),
        4 => (Just(place::APPLICATION), 1..=APPLICATIONS, 10..=12_i64),
        4 => (Just(place::GROUP_APPLICATION), 1..=GROUPS, 10..=12_i64),
        2 => (Just(place::GROUP_API), 1..=GROUPS, 9..=12_i64),
    ];
    (1..=PEOPLE, at).prop_map(|(person, (place, object, role))| Event::Member {
        person,
        place,
        object,
        role,
    })
}

fn term() -> impl Strategy<Value = Event> {
    (
        0..SUBSCRIPTIONS.len(),
        prop_oneof![5 => Just(1), 1 => Just(0), 1 => 2..=4_i64],
        option::weighted(0.8, 1..=PEOPLE),
        option::weighted(0.4, -1..4_i64),
        option::weighted(0.5, 0..6_i64),
    )
        .prop_map(|(subscription, status, subscriber, starts, ends)| Event::Term {
            subscription,
            status,
            subscriber,
            starts,
            ends,
        })
}

fn send() -> impl Strategy<Value = Event> {
    (
        selectors(),
        prop_oneof![Just(Rule::AtSend), Just(Rule::WhileActive)],
        option::weighted(0.4, -1..3_i64),
        option::weighted(0.4, 0..4_i64),
        prop_oneof![9 => Just(true), 1 => Just(false)],
    )
        .prop_map(|(selectors, rule, opens, closes, enabled)| Event::Send {
            selectors,
            rule,
            opens,
            closes,
            enabled,
        })
}

fn selectors() -> impl Strategy<Value = Vec<Selector>> {
    let one = prop_oneof![
        2 => (1..=ENVIRONMENTS, 3..=5_i64).prop_map(|(environment, role)| Selector::EnvironmentRole {
            environment: EnvironmentId(environment),
            role: RoleId(role),
        }),
        7 => (1..=APIS, 10..=12_i64).prop_map(|(api, role)| Selector::ApiRole {
            api: ApiId(api),
            role: RoleId(role),
        }),
        3 => (1..=APIS).prop_map(|api| Selector::Subscribers { api: ApiId(api) }),
        1 => (1..=APIS).prop_map(|api| Selector::Subscribed { api: ApiId(api) }),
        2 => (1..=CUSTOMERS).prop_map(|customer| Selector::Customer {
            customer: CustomerId(customer),
        }),
        3 => (1..=CUSTOMERS).prop_map(|customer| Selector::Subtree {
            customer: CustomerId(customer),
        }),
        1 => Just(Selector::Everyone),
        2 => (1..=GROUPS).prop_map(|group| Selector::Group { group: GroupId(group) }),
        2 => (1..=PEOPLE).prop_map(|person| Selector::User {
            person: PersonId(person),
        }),
    ];
    vec(one, 1..=4).prop_map(|selectors| {
        let distinct: BTreeSet<Selector> = selectors.into_iter().collect();
        distinct.into_iter().collect()
    })
}

/// All that [`selectors`] draws from.
pub(crate) fn every_selector() -> Vec<Selector> {
    let mut all = vec![Selector::Everyone];
    for environment in (1..=ENVIRONMENTS).map(EnvironmentId) {
        all.extend(
            (3..=5)
                .map(RoleId)
                .map(|role| Selector::EnvironmentRole { environment, role }),
        );
    }
    for api in (1..=APIS).map(ApiId) {
        all.extend([Selector::Subscribers { api }, Selector::Subscribed { api }]);
        all.extend((10..=12).map(RoleId).map(|role| Selector::ApiRole { api, role }));
    }
    for customer in (1..=CUSTOMERS).map(CustomerId) {
        all.extend([Selector::Customer { customer }, Selector::Subtree { customer }]);
    }
    all.extend((1..=GROUPS).map(GroupId).map(|group| Selector::Group { group }));
    all.extend((1..=PEOPLE).map(PersonId).map(|person| Selector::User { person }));
    all
}

/// What one revision did.
pub(crate) type Revised = (Stamp, Vec<Change>);

/// A world as it goes on.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) oracle: Oracle,
    pub(crate) now: Moment,
    last: Stamp,
}

impl World {
    /// A world at its first revision: customers that stand alone, and the first people.
    pub(crate) fn new(fault: Option<Fault>) -> (Self, Revised) {
        let stamp = Stamp {
            revision: Revision(0),
            at: Moment(START),
        };
        let mut world = Self {
            oracle: Oracle::new(fault),
            now: Moment(START),
            last: stamp,
        };
        let people = (1..=FIRST_PEOPLE).map(|person| Change::Begun(Fact::Alive { person }));
        let customers = (1..=CUSTOMERS).map(|customer| {
            Change::Begun(Fact::Below {
                customer,
                ancestor: customer,
            })
        });
        let revised = world.revise(people.chain(customers).collect());
        (world, revised)
    }

    /// Lets several things happen.
    pub(crate) fn go_on(&mut self, step: &[Event]) -> Vec<Revised> {
        let mut out = Vec::new();
        for event in step {
            out.extend(self.happen(event));
            out.extend(self.open_due());
        }
        out
    }

    /// The last revision.
    pub(crate) fn revision(&self) -> Revision {
        self.last.revision
    }

    fn revise(&mut self, changes: Vec<Change>) -> Revised {
        let stamp = self.next();
        self.oracle.apply(stamp, &changes);
        self.last = stamp;
        (stamp, changes)
    }

    /// The next revision; its time does not run backwards.
    fn next(&self) -> Stamp {
        Stamp {
            revision: Revision(self.last.revision.0 + 1),
            at: self.now.max(self.last.at),
        }
    }

    fn happen(&mut self, event: &Event) -> Option<Revised> {
        let changes = match event {
            Event::Wait { steps } => {
                self.now = self.now.plus_ms(steps * STEP_MS);
                return None;
            }
            Event::Send { .. }
            | Event::Correct { .. }
            | Event::Switch { .. }
            | Event::Recall { .. }
            | Event::Readdress { .. } => self.message_event(event),
            _ => self.directory_event(event),
        };
        (!changes.is_empty()).then(|| self.revise(changes))
    }

    fn directory_event(&self, event: &Event) -> Vec<Change> {
        match *event {
            Event::Life { person } => vec![self.toggle(Fact::Alive { person })],
            Event::Email { person } => vec![Change::Email(
                person,
                !self.oracle.with_email.contains(&(person as u32)),
            )],
            // Nobody is anything before they are there. What happens to the deactivated does count.
            Event::Member { person, .. } | Event::Move { person, .. } if !self.oracle.is_known(person) => Vec::new(),
            Event::Member {
                person,
                place,
                object,
                role,
            } => vec![self.toggle(Fact::Member {
                person,
                place,
                object,
                role,
            })],
            Event::Attach { group, place, object } => vec![self.toggle(Fact::Attached { group, place, object })],
            Event::Move { person, customer } => self.moved(person, customer),
            Event::Reparent { customer, parent } => self.reparented(customer, parent),
            Event::Term {
                subscription,
                status,
                subscriber,
                starts,
                ends,
            } => {
                let (api, application) = SUBSCRIPTIONS[subscription];
                let at = |steps: i64| self.now.plus_ms(steps * STEP_MS).0;
                let term = Term {
                    api,
                    application,
                    status,
                    subscriber: subscriber.filter(|person| self.oracle.is_known(*person)),
                    starts_at: starts.map_or(0, at),
                    ends_at: ends.map_or(OPEN, at),
                };
                vec![Change::Term(subscription as i64 + 1, term)]
            }
            _ => Vec::new(),
        }
    }

    fn toggle(&self, fact: Fact) -> Change {
        if self.oracle.facts.contains_key(&fact) {
            Change::Ended(fact)
        } else {
            Change::Begun(fact)
        }
    }

    fn moved(&self, person: i64, customer: Option<i64>) -> Vec<Change> {
        let to = customer.map(|customer| Fact::Home { person, customer });
        let from = self.oracle.facts.keys().copied().find(|fact| match fact {
            Fact::Home { person: who, .. } => *who == person,
            _ => false,
        });
        if from == to {
            return Vec::new();
        }
        from.map(Change::Ended)
            .into_iter()
            .chain(to.map(Change::Begun))
            .collect()
    }

    /// A customer under another one, with the lineage as a walk from every customer upwards finds it.
    fn reparented(&self, customer: i64, parent: Option<i64>) -> Vec<Change> {
        let mut parents: Vec<Option<i64>> = vec![None; CUSTOMERS as usize + 1];
        for fact in self.oracle.facts.keys() {
            if let Fact::Parent { customer, parent } = fact {
                parents[*customer as usize] = Some(*parent);
            }
        }
        let closes_a_circle = parent.is_some_and(|parent| upwards(&parents, parent).contains(&customer));
        if parents[customer as usize] == parent || closes_a_circle {
            return Vec::new();
        }
        let under = |parent| Fact::Parent { customer, parent };
        let mut out: Vec<Change> = Vec::new();
        out.extend(parents[customer as usize].map(|parent| Change::Ended(under(parent))));
        out.extend(parent.map(|parent| Change::Begun(under(parent))));
        parents[customer as usize] = parent;
        for customer in 1..=CUSTOMERS {
            let above = upwards(&parents, customer);
            for ancestor in 1..=CUSTOMERS {
                let fact = Fact::Below { customer, ancestor };
                match (self.oracle.facts.contains_key(&fact), above.contains(&ancestor)) {
                    (false, true) => out.push(Change::Begun(fact)),
                    (true, false) => out.push(Change::Ended(fact)),
                    _ => {}
                }
            }
        }
        out
    }

    fn message_event(&self, event: &Event) -> Vec<Change> {
        let stamp = self.next();
        let altered = match event {
            Event::Send {
                selectors,
                rule,
                opens,
                closes,
                enabled,
            } => {
                let message = self.drafted(selectors, *rule, (*opens, *closes), *enabled);
                return vec![Change::Created(published_if_open(message, stamp))];
            }
            Event::Correct { message, ring } => self.pick(*message).map(|mut message| {
                message.edition += 1;
                if *ring && message.published.is_some() {
                    message.arrival = Some(stamp);
                    message.ring = stamp.revision.0;
                }
                (message, sort::CORRECTED)
            }),
            Event::Switch { message } => self.pick(*message).map(|mut message| {
                message.enabled = !message.enabled;
                if !message.enabled {
                    return (message, sort::DISABLED);
                }
                if message.published.is_some() {
                    message.arrival = Some(stamp);
                }
                (published_if_open(message, stamp), sort::ENABLED)
            }),
            Event::Recall { message } => self.pick(*message).map(|mut message| {
                message.recalled = Some(stamp);
                (message, sort::RECALLED)
            }),
            Event::Readdress { message, selectors } => self.pick(*message).map(|mut message| {
                // The audience of a published `at_send` message is fixed (decision 5).
                if message.rule == Rule::WhileActive || message.published.is_none() {
                    message.selectors.clone_from(selectors);
                }
                (message, sort::READDRESSED)
            }),
            _ => None,
        };
        let change = altered.map(|(message, sort)| Change::Changed(message, sort));
        change.into_iter().collect()
    }

    fn drafted(
        &self,
        selectors: &[Selector],
        rule: Rule,
        (opens, closes): (Option<i64>, Option<i64>),
        enabled: bool,
    ) -> Message {
        let at = |seconds: i64| self.now.second().plus_ms(seconds * 1_000).0;
        let opens_at = opens.map_or(0, at);
        Message {
            id: self.oracle.messages.len() as i64 + 1,
            selectors: selectors.to_vec(),
            rule,
            opens_at,
            closes_at: closes.map_or(OPEN, at).max(opens_at),
            enabled,
            published: None,
            arrival: None,
            ring: 0,
            edition: 1,
            recalled: None,
            missed: false,
        }
    }

    /// One of the messages that were not recalled.
    fn pick(&self, message: usize) -> Option<Message> {
        let count = self.oracle.messages.len();
        let id = (count > 0).then(|| (message % count) as i64 + 1)?;
        let message = self
            .oracle
            .messages
            .get(&id)
            .filter(|message| message.recalled.is_none());
        message.cloned()
    }

    /// Publishes what waits for its window, and marks what missed it; a revision each.
    fn open_due(&mut self) -> Vec<Revised> {
        let waits = |message: &&Message| {
            message.published.is_none() && !message.missed && message.recalled.is_none() && message.enabled
        };
        let waiting: Vec<Message> = self.oracle.messages.values().filter(waits).cloned().collect();
        let mut out = Vec::new();
        for mut message in waiting {
            let stamp = self.next();
            if message.opens_at > self.now.0 {
                continue;
            }
            message = published_if_open(message, stamp);
            message.missed = message.published.is_none();
            let sort = if message.missed { sort::MISSED } else { sort::OPENED };
            out.push(self.revise(vec![Change::Changed(message, sort)]));
        }
        out
    }
}

/// Publication: the first instant at which it is enabled and inside its window (decision 2).
fn published_if_open(mut message: Message, stamp: Stamp) -> Message {
    if message.enabled && message.published.is_none() && message.is_open(stamp.at) {
        message.published = Some(stamp);
        message.arrival = Some(stamp);
        message.ring = stamp.revision.0;
    }
    message
}

/// A customer and all above it.
fn upwards(parents: &[Option<i64>], from: i64) -> BTreeSet<i64> {
    std::iter::successors(Some(from), |customer| parents[*customer as usize]).collect()
}
