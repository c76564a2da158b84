//! Announcements: messages with a banner, as those look after them who may. One listing for the console and for the UI
//! messages contract, which knows those to one customer, with or without those below it, and to everyone.

use std::collections::HashMap;

use campanile_store::{Sql, Tx, sql};

use super::{Importance, Message, Window, columns, message};
use crate::audience::Selector;
use crate::error::Result;
use crate::id::{CustomerId, MessageId};
use crate::policy::{self, Act};
use crate::rights::Rights;
use crate::time::{Moment, OPEN};

/// Announcements of a page at most.
pub const PAGE_LIMIT: usize = 100;
/// Announcements that one page looks at; where too few of them are wanted, the next page goes on from there.
const LOOK_AT: i64 = 2_000;
/// Of these, so many at once.
const AT_ONCE: i64 = 100;

// Which: $3 to $9. One without a start has been there since it was written. Those that were taken back are wanted or
// not, whatever else is asked.
macro_rules! wanted {
    () => {
        "((recalled IS NULL AND (enabled = $3 OR enabled = $4)
                AND CASE opens_at WHEN 0 THEN created_at ELSE opens_at END BETWEEN $5 AND $6
                AND closes_at BETWEEN $7 AND $8)
            OR (recalled IS NOT NULL AND CAST($9 AS BIGINT) = 1))"
    };
}

sql! {
    LOOKED_DOWN = "SELECT COUNT(*), COALESCE(MIN(id), 0) FROM
        (SELECT id FROM message WHERE channels & 2 <> 0 AND id < $1 ORDER BY id DESC LIMIT $2) looked";
    LOOKED_UP = "SELECT COUNT(*), COALESCE(MAX(id), 0) FROM
        (SELECT id FROM message WHERE channels & 2 <> 0 AND id > $1 ORDER BY id LIMIT $2) looked";
    DOWN = concat!("SELECT ", columns!(), " FROM message
        WHERE channels & 2 <> 0 AND id < $1 AND id >= $2 AND ", wanted!(), " ORDER BY id DESC LIMIT $10");
    UP = concat!("SELECT ", columns!(), " FROM message
        WHERE channels & 2 <> 0 AND id > $1 AND id <= $2 AND ", wanted!(), " ORDER BY id LIMIT $10");
    AUDIENCES = "SELECT a.message, a.kind, a.object, a.role FROM message m CROSS JOIN audience a
        WHERE m.channels & 2 <> 0 AND m.id >= $1 AND m.id <= $2
            AND a.message = m.id AND a.until = 9223372036854775807";
}

/// Whom an announcement is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum For {
    /// All users of all customers.
    Everyone,
    /// The users of one customer.
    Customer {
        /// Which.
        customer: CustomerId,
        /// Also those of every customer below it.
        below: bool,
    },
    /// Others: roles, groups, people, or several of these. The UI messages contract has no words for them.
    Others,
}

impl For {
    /// Out of an audience.
    #[must_use]
    pub fn of(selectors: &[Selector]) -> Self {
        match *selectors {
            [Selector::Everyone] => Self::Everyone,
            [Selector::Customer { customer }] => Self::Customer { customer, below: false },
            [Selector::Subtree { customer }] => Self::Customer { customer, below: true },
            _ => Self::Others,
        }
    }

    /// Whether it is for exactly this customer; [`Whose::All`] are for everyone.
    #[must_use]
    pub const fn is(self, whose: Whose) -> bool {
        match (self, whose) {
            (Self::Everyone, Whose::All) => true,
            (Self::Customer { customer, .. }, Whose::One(wanted)) => customer.0 == wanted.0,
            _ => false,
        }
    }
}

/// The customer that an announcement names: a literal match, not who is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// All customers.
    All,
    /// This one.
    One(CustomerId),
}

/// How announcements stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum State {
    /// However, but not those that were taken back.
    #[default]
    Any,
    /// Switched on, inside their window.
    Now,
    /// Switched on, before their window.
    Coming,
    /// Over, or taken back.
    Past,
    /// Switched off, and not over.
    Off,
    /// Whose window has an instant between two times, switched on or off; not those that were taken back.
    Between(Moment, Moment),
}

/// The bounds by which a statement tells a state.
struct Bounds {
    /// Switched on and off that pass: the same twice for one of them.
    enabled: (bool, bool),
    opens: (i64, i64),
    closes: (i64, i64),
    recalled: i64,
}

impl State {
    fn bounds(self, now: Moment) -> Bounds {
        let second = now.second().0;
        let any = Bounds {
            enabled: (true, false),
            opens: (0, OPEN),
            closes: (0, OPEN),
            recalled: 0,
        };
        match self {
            Self::Any => any,
            Self::Now => Bounds {
                enabled: (true, true),
                // What was written within this second is there too.
                opens: (0, second + 999),
                closes: (second, OPEN),
                ..any
            },
            Self::Coming => Bounds {
                enabled: (true, true),
                opens: (second + 1_000, OPEN),
                ..any
            },
            Self::Past => Bounds {
                closes: (0, second - 1),
                recalled: 1,
                ..any
            },
            Self::Off => Bounds {
                enabled: (false, false),
                closes: (second, OPEN),
                ..any
            },
            Self::Between(from, to) => Bounds {
                opens: (0, to.0),
                closes: (from.second().0, OPEN),
                ..any
            },
        }
    }
}

/// In which order, and from where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// By id upwards, above this one.
    Above(i64),
    /// By id downwards, below this one.
    Below(i64),
}

/// Which announcements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// In which order, and from where.
    pub from: Order,
    /// How they stand.
    pub state: State,
    /// Only those of this customer.
    pub whose: Option<Whose>,
    /// Only this importance.
    pub importance: Option<Importance>,
    /// Only those that hold these words in title, text or sender, whatever their case.
    pub search: Option<String>,
    /// Whether those come too that are [`For::Others`].
    pub others: bool,
    /// How many, 1 to [`PAGE_LIMIT`].
    pub limit: usize,
}

impl Default for Wanted {
    fn default() -> Self {
        Self {
            from: Order::Above(0),
            state: State::Any,
            whose: None,
            importance: None,
            search: None,
            others: false,
            limit: PAGE_LIMIT,
        }
    }
}

/// An announcement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announced {
    /// The message.
    pub message: Message,
    /// Whom it is for.
    pub to: For,
    /// The same in full.
    pub selectors: Vec<Selector>,
}

/// A page of the announcements that somebody may see as one who looks after them, and where the next page goes on:
/// after the last one of this page or, where too few were found among the many that were looked at, after the last of
/// those.
///
/// What somebody sent to nobody but themselves, to try it out, is none.
pub fn page(tx: &mut Tx<'_>, rights: &Rights, wanted: &Wanted, now: Moment) -> Result<(Vec<Announced>, Option<i64>)> {
    let (start, looked_by, by): (i64, &'static Sql, &'static Sql) = match wanted.from {
        Order::Above(id) => (id, &LOOKED_UP, &UP),
        Order::Below(id) => (id, &LOOKED_DOWN, &DOWN),
    };
    let (looked, edge): (i64, i64) = tx.one(looked_by, &[&start, &LOOK_AT], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if looked == 0 {
        return Ok((Vec::new(), None));
    }
    let words = wanted
        .search
        .as_deref()
        .map(str::trim)
        .filter(|words| !words.is_empty());
    let words = words.map(str::to_lowercase);
    let limit = wanted.limit.clamp(1, PAGE_LIMIT);
    let bounds = wanted.state.bounds(now);
    let (mut out, mut from) = (Vec::new(), start);
    loop {
        let messages = tx.rows(
            by,
            &[
                &from,
                &edge,
                &bounds.enabled.0,
                &bounds.enabled.1,
                &bounds.opens.0,
                &bounds.opens.1,
                &bounds.closes.0,
                &bounds.closes.1,
                &bounds.recalled,
                &AT_ONCE,
            ],
            message,
        )?;
        let full = messages.len() == AT_ONCE as usize;
        let mut audiences = audiences(tx, &messages)?;
        for message in messages {
            from = message.id.0;
            let selectors = audiences.remove(&message.id.0).unwrap_or_default();
            let announced = Announced {
                to: For::of(&selectors),
                selectors,
                message,
            };
            if !takes(rights, wanted, words.as_deref(), &announced) {
                continue;
            }
            if out.len() == limit {
                let last = out.last().map(|last: &Announced| last.message.id.0);
                return Ok((out, last));
            }
            out.push(announced);
        }
        if !full {
            return Ok((out, (looked == LOOK_AT).then_some(edge)));
        }
    }
}

/// The windows of all that [`page`] would give, page after page, at most so many.
///
/// One without a start has been there since it was written.
pub fn windows(tx: &mut Tx<'_>, rights: &Rights, wanted: &Wanted, most: usize, now: Moment) -> Result<Vec<Window>> {
    let mut out = Vec::new();
    let mut wanted = wanted.clone();
    loop {
        let (found, next) = page(tx, rights, &wanted, now)?;
        out.extend(found.iter().map(|one| one.message.stands()));
        let Some(next) = next.filter(|_| out.len() < most) else {
            out.truncate(most);
            return Ok(out);
        };
        wanted.from = match wanted.from {
            Order::Above(_) => Order::Above(next),
            Order::Below(_) => Order::Below(next),
        };
    }
}

fn takes(rights: &Rights, wanted: &Wanted, words: Option<&str>, one: &Announced) -> bool {
    let message = &one.message;
    let is_try = one.selectors == [Selector::User { person: message.author }];
    let parts = super::target::parts(&one.selectors, message);
    (wanted.others || one.to != For::Others)
        && !is_try
        && wanted.whose.is_none_or(|whose| one.to.is(whose))
        && wanted
            .importance
            .is_none_or(|importance| importance == message.importance)
        && words.is_none_or(|words| {
            [&message.title, &message.text, &message.sender_name]
                .into_iter()
                .any(|text| text.to_lowercase().contains(words))
        })
        && policy::may(rights, &Act::See(message.author, &parts)).is_ok()
}

/// The audiences of some announcements that follow one another.
fn audiences(tx: &mut Tx<'_>, messages: &[Message]) -> Result<HashMap<i64, Vec<Selector>>> {
    let mut out: HashMap<i64, Vec<Selector>> = HashMap::new();
    let ids = || messages.iter().map(|message| message.id.0);
    if let (Some(first), Some(last)) = (ids().min(), ids().max()) {
        tx.each(&AUDIENCES, &[&first, &last], |row| {
            let selector = Selector::from_key((row.get(1)?, row.get(2)?, row.get(3)?));
            out.entry(row.get(0)?).or_default().extend(selector);
            Ok::<(), campanile_store::Error>(())
        })?;
    }
    Ok(out)
}

/// Whom a message is for.
pub fn whom(tx: &mut Tx<'_>, id: MessageId) -> Result<For> {
    Ok(For::of(&super::selectors(tx, id)?))
}
