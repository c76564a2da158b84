//! Customers, roles, groups, APIs, applications and subscriptions.

use super::places::{APIS, COMPANIES, GROUPS, PURPOSES, SITES, TRADES, UNA_AT};
use super::{Dice, Of, Size, add, people, share, text};

/// The environments and roles of the demonstration.
const NAMED: [&str; 4] = [
    r#"{"kind":"environment","id":"DEFAULT","name":"Production"}"#,
    r#"{"kind":"environment","id":"TEST","name":"Test"}"#,
    r#"{"kind":"role","scope":"ENVIRONMENT","name":"SUPPORT","permissions":{"API":"R","MESSAGE":"CR"}}"#,
    r#"{"kind":"role","scope":"APPLICATION","name":"ON_CALL","permissions":{"DEFINITION":"R"}}"#,
];

/// What stands at the top: environments and custom roles.
pub(super) fn roles(named: bool) -> impl Iterator<Item = String> {
    NAMED.into_iter().filter(move |_| named).map(str::to_owned)
}

/// Customer n: one of the demonstration's, or a heap of trees, each customer with `fanout` others below it.
pub(super) fn customer(size: Size, n: u64) -> String {
    if size.named {
        let (_, name, parent, _) = COMPANIES[n as usize - 1];
        return customer_line(n, format_args!("{name}"), parent);
    }
    let (place, trade) = (n as usize % SITES.len(), n as usize % TRADES.len());
    let parent = if n <= size.roots {
        0
    } else {
        1 + (n - size.roots - 1) / size.fanout
    };
    customer_line(n, format_args!("{} {} {n}", SITES[place], TRADES[trade]), parent)
}

fn customer_line(n: u64, name: std::fmt::Arguments<'_>, parent: u64) -> String {
    if parent == 0 {
        text!(r#"{{"kind":"customer","id":{n},"name":"{name}"}}"#)
    } else {
        text!(r#"{{"kind":"customer","id":{n},"name":"{name}","parent":{parent}}}"#)
    }
}

/// A mail domain without `.example`.
pub(super) enum Domain {
    /// As it is.
    Named(&'static str),
    /// Of a customer without a name of its own.
    Customer(u64),
}

impl std::fmt::Display for Domain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Named(name) => f.write_str(name),
            Self::Customer(n) => write!(f, "c{n}"),
        }
    }
}

/// The mail domain of a customer's people.
pub(super) fn domain(size: Size, customer: u64) -> Domain {
    if size.named {
        Domain::Named(COMPANIES[customer as usize - 1].3)
    } else {
        Domain::Customer(customer)
    }
}

/// Group n.
pub(super) fn group(named: bool, n: u64) -> String {
    let name = GROUPS[(n - 1) as usize % GROUPS.len()];
    if named {
        text!(r#"{{"kind":"group","id":"g-{n}","name":"{name}"}}"#)
    } else {
        text!(r#"{{"kind":"group","id":"g-{n}","name":"{name} {n}"}}"#)
    }
}

/// The id of API n: `payments-v1` in the demonstration, else `api-1`.
pub(super) fn api_id(named: bool, n: u64) -> String {
    if named {
        APIS[n as usize - 1].0.to_owned()
    } else {
        text!("api-{n}")
    }
}

/// API n; every other one with a group.
pub(super) fn api(size: Size, seed: u64, n: u64) -> String {
    let id = api_id(size.named, n);
    let (_, name) = APIS[(n - 1) as usize % APIS.len()];
    let number = if size.named { String::new() } else { text!(" {n}") };
    let group = (n.is_multiple_of(2)).then(|| Dice::of(seed, Of::Api, n).below(size.groups) + 1);
    text!(
        r#"{{"kind":"api","id":"{id}","name":"{name}{number}","environment":"DEFAULT","groups":{}}}"#,
        groups(group)
    )
}

/// Application n; every tenth with a group.
pub(super) fn application(size: Size, seed: u64, n: u64) -> String {
    let mut dice = Dice::of(seed, Of::Application, n);
    let purpose = PURPOSES[dice.below(PURPOSES.len() as u64) as usize];
    let group = (n % 10 == 5).then(|| dice.below(size.groups) + 1);
    let mut line = text!(r#"{{"kind":"application","id":"app-{n}","name":""#);
    if size.named {
        // The first is of una's customer.
        let (_, company, ..) = COMPANIES[(UNA_AT as usize - 1 + (n as usize - 1) * 7) % COMPANIES.len()];
        add!(line, "{company} {purpose}");
    } else {
        let place = SITES[dice.below(SITES.len() as u64) as usize];
        add!(line, "{place} {purpose} {n}");
    }
    add!(line, r#"","environment":"DEFAULT","groups":{}}}"#, groups(group));
    line
}

fn groups(one: Option<u64>) -> String {
    one.map_or_else(|| "[]".to_owned(), |n| text!(r#"["g-{n}"]"#))
}

/// The statuses that subscriptions take in turn: 15 of 20 are ACCEPTED.
const STATUSES: [&str; 20] = {
    let mut all = ["ACCEPTED"; 20];
    all[4] = "PENDING";
    all[8] = "CLOSED";
    all[12] = "REJECTED";
    all[15] = "PAUSED";
    all[18] = "PENDING";
    all
};

/// The subscriptions of application n, each to another API, the first APIs more often. In the demonstration the first
/// of the first is to the first API, ACCEPTED.
pub(super) fn subscriptions(size: Size, seed: u64, n: u64) -> impl Iterator<Item = String> {
    let (count, before) = share(size.subscriptions, size.applications, n);
    let mut dice = Dice::of(seed, Of::Subscriptions, n);
    let owner = people::owner(size, seed, n);
    let mut taken = Vec::with_capacity(count as usize);
    (1..=count.min(size.apis)).map(move |at| {
        let mut api = dice.low(size.apis, 3) + 1;
        if size.named && n == 1 && at == 1 {
            api = 1;
        }
        while taken.contains(&api) {
            api = api % size.apis + 1;
        }
        taken.push(api);
        let (number, id) = (before + at, api_id(size.named, api));
        let status = STATUSES[(number - 1) as usize % STATUSES.len()];
        let mut line = text!(
            r#"{{"kind":"subscription","id":"s-{number}","api":"{id}","application":"app-{n}","status":"{status}""#
        );
        // Not everybody who subscribed is known.
        if !dice.percent(8) {
            add!(line, r#","subscribed_by":"{owner}""#);
        }
        if number > 1 {
            term(&mut line, &mut dice);
        }
        line.push('}');
        line
    })
}

/// Adds the start and end of a subscription: most have none; some are over, some are yet to come, some run for years.
fn term(line: &mut String, dice: &mut Dice) {
    let (kind, month, year) = (dice.below(20), dice.below(12) + 1, dice.below(5));
    let (from, to) = match kind {
        0 | 1 => (2019, 2021),
        2 => {
            add!(
                line,
                r#","starting_at":"{}-{month:02}-01T00:00:00Z","ending_at":null"#,
                2040 + year
            );
            return;
        }
        3..=5 => (2021, 2040),
        _ => return,
    };
    add!(line, r#","starting_at":"{}-{month:02}-01T00:00:00Z""#, from + year);
    add!(line, r#","ending_at":"{}-{month:02}-01T00:00:00Z""#, to + year);
}
