//! Made-up directories as NDJSON lines: the sample platform of `campanile demo`, and big ones for benches and tests.
//!
//! Every line is worked out of the seed and its own number alone, so nothing grows with the size, and the same size and
//! seed always give the same text. Each line refers only to lines above it.

mod names;
mod people;
mod places;
mod things;

#[cfg(test)]
mod tests;

/// How big a directory is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Users, those of [`Size::named`] included.
    pub people: u64,
    /// Customers, at least 1.
    pub customers: u64,
    /// Customers without a parent, at least 1; unused where [`Size::named`].
    pub roots: u64,
    /// Customers directly below each, until there are enough, at least 1; unused where [`Size::named`].
    pub fanout: u64,
    /// APIs, at least 1.
    pub apis: u64,
    /// Applications, at least 1; each has a primary owner.
    pub applications: u64,
    /// Other memberships on applications.
    pub application_members: u64,
    /// Groups, at least 1; lent to every tenth application and every other API.
    pub groups: u64,
    /// Memberships on groups.
    pub group_members: u64,
    /// Subscriptions, of all statuses; an application has at most one to an API.
    pub subscriptions: u64,
    /// With the customers, APIs, groups, a second environment, custom roles and the accounts of the demonstration:
    /// then there are at most 25 customers, 12 APIs and 8 groups.
    pub named: bool,
}

/// A login of the demonstration and what it is for. Its user's id is `u-` and the login.
pub type Account = (&'static str, &'static str);

/// The accounts of the demonstration; `admin` is made by the server itself.
pub const ACCOUNTS: [Account; 4] = [
    ("ada", "administrator of the environment: sends to everybody in it"),
    (
        "paul",
        "publisher: owns Payments v1 and v2 and writes to their consumers",
    ),
    (
        "carol",
        "customer administrator of Norrsken Energi and the customers below it",
    ),
    (
        "una",
        "user at Norrsken Vind, in an application that subscribes to Payments v1",
    ),
];

/// The password of [`ACCOUNTS`].
pub const PASSWORD: &str = "campanile-demo";

impl Size {
    /// The sample platform: 300 people, a tree of 25 customers in 3 levels, 12 APIs, 40 applications, 8 groups and 120
    /// subscriptions, with [`ACCOUNTS`].
    #[must_use]
    pub const fn demo() -> Self {
        Self {
            people: 300,
            customers: 25,
            roots: 6,
            fanout: 3,
            apis: 12,
            applications: 40,
            application_members: 100,
            groups: 8,
            group_members: 64,
            subscriptions: 120,
            named: true,
        }
    }

    /// So many people and the rest in proportion. For a million: 10 thousand customers in 4 levels, 1 thousand APIs,
    /// 50 thousand applications with 230 thousand subscriptions, 2 thousand groups, and 1.1 million memberships, of
    /// which [`Size::heavy`] have many. At least 1 person.
    #[must_use]
    pub fn people(people: u64) -> Self {
        let part = |of: u64, least: u64| (people / of).max(least);
        let applications = part(20, 2);
        Self {
            people: people.max(1),
            customers: part(100, 4),
            roots: part(50_000, 2),
            fanout: 8,
            apis: part(1_000, 8),
            applications,
            application_members: applications * 4 / 5,
            groups: part(500, 2),
            group_members: part(50, 2),
            subscriptions: applications * 23 / 5,
            named: false,
        }
    }

    /// The numbers of the users who are in many applications: 1 %, and at least one. User n has the id `u-n`.
    #[must_use]
    pub fn heavy(&self) -> std::ops::RangeInclusive<u64> {
        let first = self.accounts() + 1;
        first..=(first + (self.people / 100).max(1) - 1).min(self.people)
    }

    /// How many of the first users are [`ACCOUNTS`].
    const fn accounts(&self) -> u64 {
        if self.named { ACCOUNTS.len() as u64 } else { 0 }
    }

    /// A user who is no account, by chance.
    fn anybody(&self, dice: &mut Dice) -> u64 {
        self.accounts() + 1 + dice.below(self.people - self.accounts())
    }

    /// One of [`Size::heavy`], by chance.
    fn heavy_one(&self, dice: &mut Dice) -> u64 {
        let heavy = self.heavy();
        heavy.start() + dice.below(heavy.end() - heavy.start() + 1)
    }

    /// The user so many places after another one; no account, and round at the end.
    const fn after(&self, user: u64, places: u64) -> u64 {
        let accounts = self.accounts();
        accounts + 1 + (user - accounts - 1 + places) % (self.people - accounts)
    }
}

/// The lines of a directory, without line breaks, in an order in which an import takes them.
///
/// Where [`Size::named`], more people than [`ACCOUNTS`] are needed.
pub fn lines(size: Size, seed: u64) -> impl Iterator<Item = String> {
    let named = size.named;
    things::roles(named)
        .chain((1..=size.customers).map(move |n| things::customer(size, n)))
        .chain((1..=size.people).map(move |n| people::user(size, seed, n)))
        .chain((1..=size.groups).map(move |n| things::group(named, n)))
        .chain((1..=size.apis).map(move |n| things::api(size, seed, n)))
        .chain((1..=size.applications).map(move |n| things::application(size, seed, n)))
        .chain((1..=size.people).flat_map(move |n| people::environment_roles(size, n)))
        .chain((1..=size.groups).flat_map(move |n| people::of_group(size, seed, n)))
        .chain((1..=size.apis).flat_map(move |n| people::of_api(size, seed, n)))
        .chain((1..=size.applications).flat_map(move |n| people::of_application(size, seed, n)))
        .chain((1..=size.applications).flat_map(move |n| things::subscriptions(size, seed, n)))
}

/// What chance decides; each has its own.
#[derive(Clone, Copy)]
enum Of {
    Person = 1,
    Application,
    ApplicationOwner,
    ApplicationMembers,
    GroupMembers,
    Api,
    Subscriptions,
}

/// Chance out of a seed: `SplitMix64` (Steele, Lea and Flood 2014).
struct Dice(u64);

impl Dice {
    /// The chance of the thing with this number.
    fn of(seed: u64, what: Of, number: u64) -> Self {
        let mut dice = Self(seed ^ (what as u64) << 56);
        Self(dice.next() ^ number.wrapping_mul(0xff51_afd7_ed55_8ccd))
    }

    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// 0 to `limit` - 1, each as likely as the next.
    const fn below(&mut self, limit: u64) -> u64 {
        scale(self.next(), limit)
    }

    /// 0 to `limit` - 1, the small ones more often: half of the draws are in the first `limit` / 2^`power`.
    fn low(&mut self, limit: u64, power: u32) -> u64 {
        let roll = self.next();
        let skewed = (1..power).fold(roll, |product, _| scale(product, roll));
        scale(skewed, limit)
    }

    /// True so many times in a hundred.
    const fn percent(&mut self, share: u64) -> bool {
        self.below(100) < share
    }
}

/// A number out of all 64 bits brought below `limit`.
const fn scale(roll: u64, limit: u64) -> u64 {
    ((roll as u128 * limit as u128) >> 64) as u64
}

/// A user's id: `u-ada`, `u-5`.
#[derive(Clone, Copy)]
struct User {
    number: u64,
    named: bool,
}

impl User {
    const fn new(size: Size, number: u64) -> Self {
        let named = size.named;
        Self { number, named }
    }

    fn account(self) -> Option<&'static str> {
        let number = self.number as usize;
        ACCOUNTS.get(number - 1).filter(|_| self.named).map(|(login, _)| *login)
    }
}

impl std::fmt::Display for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.account() {
            Some(login) => write!(f, "u-{login}"),
            None => write!(f, "u-{}", self.number),
        }
    }
}

/// So many things dealt out evenly: how many the n-th of `among` gets, and how many came before it.
const fn share(total: u64, among: u64, n: u64) -> (u64, u64) {
    let (each, over) = (total / among, total % among);
    let before = n - 1;
    let extra = if before < over { 1 } else { 0 };
    (each + extra, each * before + if before < over { before } else { over })
}

/// Writes to the end of a line.
macro_rules! add {
    ($line:expr, $($part:tt)*) => {{
        use std::fmt::Write as _;
        write!($line, $($part)*).expect("a string takes everything");
    }};
}
/// Begins a line, with room for the rest of it.
macro_rules! text {
    ($($part:tt)*) => {{
        let mut line = String::with_capacity(192);
        add!(line, $($part)*);
        line
    }};
}
use {add, text};
