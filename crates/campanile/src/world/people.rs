//! Users and what they hold.

use super::names::{CULTURES, Culture, spelling};
use super::places::{CAROL_AT, UNA_AT};
use super::{ACCOUNTS, Dice, Of, PASSWORD, Size, User, add, text, things};

/// People without a customer belong to the platform itself.
const PLATFORM: &str = "platform";

/// Given and family names that go together, in all.
const PAIRS: u64 = {
    let (mut sum, mut at) = (0, 0);
    while at < CULTURES.len() {
        sum += CULTURES[at].given.len() * CULTURES[at].family.len();
        at += 1;
    }
    sum as u64
};

/// A step through all pairs that visits each once before any comes again: prime, and no divisor of [`PAIRS`].
const STEP: u64 = 619;
const _: () = assert!(
    !PAIRS.is_multiple_of(STEP),
    "the step must not share a divisor with the pairs"
);

/// User n.
pub(super) fn user(size: Size, seed: u64, n: u64) -> String {
    if let Some(account) = User::new(size, n).account() {
        return account_line(account);
    }
    let dice = &mut Dice::of(seed, Of::Person, n);
    let (culture, given, family, round) = pair(seed, n);
    let ((given, given_ascii), (family, family_ascii)) = (spelling(given), spelling(family));
    let (first, second) = if culture.family_first {
        (family, given)
    } else {
        (given, family)
    };
    let customer = (!dice.percent(3)).then(|| dice.low(size.customers, 2) + 1);
    let mut login = text!("{given_ascii}.{family_ascii}");
    login.make_ascii_lowercase();
    if round > 0 {
        login.push_str(&(round + 1).to_string());
    }
    let mut line = text!(r#"{{"kind":"user","id":"u-{n}","login":"{login}","name":"{first} {second}""#);
    let mailbox = match dice.below(200) {
        0..8 => None,
        8 => Some("office"), // several people read it
        _ => Some(login.as_str()),
    };
    if let Some(mailbox) = mailbox {
        let domain = customer.map_or(things::Domain::Named(PLATFORM), |customer| {
            things::domain(size, customer)
        });
        add!(line, r#","email":"{mailbox}@{domain}.example""#);
    }
    if let Some(customer) = customer {
        add!(line, r#","customer":{customer}"#);
    }
    if !dice.percent(30) {
        add!(line, r#","locale":"{}""#, culture.locale);
    }
    line.push('}');
    line
}

/// The names of user n, and how many users before have the same ones.
fn pair(seed: u64, n: u64) -> (&'static Culture, &'static str, &'static str, u64) {
    let place = n.wrapping_mul(STEP).wrapping_add(seed % PAIRS) % PAIRS;
    let mut left = place as usize;
    for culture in &CULTURES {
        let pairs = culture.given.len() * culture.family.len();
        if left < pairs {
            let (given, family) = (left / culture.family.len(), left % culture.family.len());
            return (culture, culture.given[given], culture.family[family], (n - 1) / PAIRS);
        }
        left -= pairs;
    }
    unreachable!("a number below the sum of all parts is in one of them")
}

fn account_line(login: &str) -> String {
    let (name, domain) = match login {
        "ada" => ("Ada Fairbairn", PLATFORM),
        "paul" => ("Paul Achterberg", PLATFORM),
        "carol" => ("Carol Sjöberg", "norrsken"),
        _ => ("Una Lindqvist", "norrsken-vind"),
    };
    let mut line = text!(r#"{{"kind":"user","id":"u-{login}","login":"{login}","name":"{name}""#);
    add!(
        line,
        r#","email":"{login}@{domain}.example","locale":"en-GB","password":"{PASSWORD}""#
    );
    match login {
        "carol" => add!(line, r#","customer":{CAROL_AT},"asm_role":"CustomerAdmin""#),
        "una" => add!(line, r#","customer":{UNA_AT}"#),
        _ => {}
    }
    line.push('}');
    line
}

/// What user n holds in environments: 98 % are USER, 1 % `API_PUBLISHER`, and one of ten thousand is ADMIN.
pub(super) fn environment_roles(size: Size, n: u64) -> impl Iterator<Item = String> {
    let user = User::new(size, n);
    let account = user.account();
    let held = |role: &'static str, by_chance: bool, holder: &str| {
        account
            .map_or(by_chance, |login| login == holder || role == "USER")
            .then(|| member(user, "environment", "DEFAULT", role))
    };
    let roles = [
        held("USER", n % 50 != 9, ""),
        held("API_PUBLISHER", n % 100 == 7, "paul"),
        held("ADMIN", n % 10_000 == 8, "ada"),
        held("SUPPORT", size.named && n % 75 == 20, ""),
        (size.named && n.is_multiple_of(6)).then(|| member(user, "environment", "TEST", "USER")),
    ];
    roles.into_iter().flatten()
}

/// What people hold on group n, to be lent: most USER of applications, the first OWNER, the second REVIEWER of APIs.
pub(super) fn of_group(size: Size, seed: u64, n: u64) -> impl Iterator<Item = String> {
    let (members, _) = super::share(size.group_members, size.groups, n);
    let first = size.anybody(&mut Dice::of(seed, Of::GroupMembers, n));
    (0..members.min(size.people - size.accounts())).map(move |at| {
        let (role, scope) = match at {
            0 => ("OWNER", "APPLICATION"),
            1 => ("REVIEWER", "API"),
            _ => ("USER", "APPLICATION"),
        };
        let user = User::new(size, size.after(first, at));
        text!(r#"{{"kind":"membership","user":"{user}","on":{{"group":"g-{n}"}},"role":"{role}","scope":"{scope}"}}"#)
    })
}

/// Who owns API n, and who reviews every third. `paul` owns the first two of the demonstration.
pub(super) fn of_api(size: Size, seed: u64, n: u64) -> impl Iterator<Item = String> {
    let mut dice = Dice::of(seed, Of::Api, n);
    let owner = if size.named && n <= 2 {
        1 + ACCOUNTS.iter().position(|(login, _)| *login == "paul").unwrap_or(0) as u64
    } else {
        size.anybody(&mut dice)
    };
    let api = things::api_id(size.named, n);
    let third = n.is_multiple_of(3);
    let reviewer = third.then(|| member(User::new(size, size.anybody(&mut dice)), "api", &api, "REVIEWER"));
    let owner = member(User::new(size, owner), "api", &api, "PRIMARY_OWNER");
    std::iter::once(owner).chain(reviewer)
}

/// The primary owner of application n: for half of them one of the heavy users.
pub(super) fn owner(size: Size, seed: u64, n: u64) -> User {
    let mut dice = Dice::of(seed, Of::ApplicationOwner, n);
    let number = if n.is_multiple_of(2) {
        size.heavy_one(&mut dice)
    } else {
        size.anybody(&mut dice)
    };
    User::new(size, number)
}

/// Who is in application n: its primary owner, then an owner (mostly a heavy user), then users and, in the
/// demonstration, some on call. `una` is an owner of the first.
pub(super) fn of_application(size: Size, seed: u64, n: u64) -> impl Iterator<Item = String> {
    let (others, _) = super::share(size.application_members, size.applications, n);
    let mut dice = Dice::of(seed, Of::ApplicationMembers, n);
    let heavy = dice.percent(75);
    let first = if heavy {
        size.heavy_one(&mut dice)
    } else {
        size.anybody(&mut dice)
    };
    let next = size.anybody(&mut dice);
    let application = text!("app-{n}");
    let head = member(owner(size, seed, n), "application", &application, "PRIMARY_OWNER");
    let rest = (0..others.min(size.people - size.accounts())).map(move |at| {
        let una = size.named && n == 1 && at == 0;
        let (number, role) = match at {
            0 if una => (size.accounts(), "OWNER"),
            0 => (first, "OWNER"),
            2 if size.named => (size.after(next, at), "ON_CALL"),
            _ => (size.after(next, at), "USER"),
        };
        member(User::new(size, number), "application", &application, role)
    });
    std::iter::once(head).chain(rest)
}

fn member(user: User, place: &str, object: &str, role: &str) -> String {
    text!(r#"{{"kind":"membership","user":"{user}","on":{{"{place}":"{object}"}},"role":"{role}"}}"#)
}
