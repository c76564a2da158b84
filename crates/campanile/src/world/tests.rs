//! The lines as an import reads them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::*;

fn parsed(size: Size, seed: u64) -> Vec<Value> {
    lines(size, seed)
        .map(|line| serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

fn text<'v>(line: &'v Value, field: &str) -> &'v str {
    line[field].as_str().unwrap_or_else(|| panic!("{field} of {line}"))
}

fn of_kind<'v>(lines: &'v [Value], kind: &str) -> Vec<&'v Value> {
    lines.iter().filter(|line| line["kind"] == kind).collect()
}

/// Every size that is promised, small enough to look at each line.
fn sizes() -> [Size; 5] {
    [
        Size::demo(),
        Size::people(1),
        Size::people(37),
        Size::people(2_000),
        Size::people(20_000),
    ]
}

/// What a line refers to, as kind and id.
fn references(line: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let fields = [
        ("parent", "customer"),
        ("customer", "customer"),
        ("environment", "environment"),
        ("api", "api"),
        ("application", "application"),
        ("subscribed_by", "user"),
        ("user", "user"),
    ];
    for (field, kind) in fields {
        if let Some(value) = line.get(field).filter(|value| !value.is_null()) {
            found.push((kind.to_owned(), value.to_string()));
        }
    }
    for group in line["groups"].as_array().into_iter().flatten() {
        found.push(("group".to_owned(), group.to_string()));
    }
    for (kind, id) in line["on"].as_object().into_iter().flatten() {
        found.push((kind.clone(), id.to_string()));
    }
    found
}

#[test]
fn a_line_refers_to_what_stands_above_it() {
    for size in sizes() {
        let mut above = BTreeSet::from([("environment".to_owned(), r#""DEFAULT""#.to_owned())]);
        for line in parsed(size, 3) {
            for reference in references(&line) {
                assert!(above.contains(&reference), "{reference:?} is not above {line}");
            }
            let again = !above.insert((text(&line, "kind").to_owned(), line["id"].to_string()));
            let named = !matches!(text(&line, "kind"), "membership" | "role");
            assert!(!named || !again || line["id"] == "DEFAULT", "twice: {line}");
        }
    }
}

#[test]
fn a_role_that_is_held_exists_in_the_scope_of_its_place() {
    let system = [
        ("environment", "ADMIN"),
        ("environment", "API_PUBLISHER"),
        ("environment", "USER"),
        ("api", "PRIMARY_OWNER"),
        ("api", "OWNER"),
        ("api", "REVIEWER"),
        ("api", "USER"),
        ("application", "PRIMARY_OWNER"),
        ("application", "OWNER"),
        ("application", "USER"),
    ];
    let mut roles: BTreeSet<(String, String)> = system.map(|(scope, name)| (scope.into(), name.into())).into();
    for line in sizes().into_iter().flat_map(|size| parsed(size, 4)) {
        if line["kind"] == "role" {
            roles.insert((text(&line, "scope").to_lowercase(), text(&line, "name").to_owned()));
        }
        if line["kind"] == "membership" {
            let place = line["on"].as_object().and_then(|on| on.keys().next()).expect("a place");
            let scope = line["scope"].as_str().unwrap_or(place).to_lowercase();
            let role = (scope, text(&line, "role").to_owned());
            assert!(roles.contains(&role), "{role:?} of {line}");
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_text_and_another_one_another() {
    let text = |seed| lines(Size::people(500), seed).collect::<Vec<_>>();
    assert_eq!(text(7), text(7));
    assert_ne!(text(7), text(8));
}

#[test]
fn there_is_as_much_of_everything_as_promised() {
    for size in sizes() {
        let lines = parsed(size, 1);
        let count = |kind: &str| of_kind(&lines, kind).len() as u64;
        assert_eq!(count("user"), size.people);
        assert_eq!(count("customer"), size.customers);
        assert_eq!(count("api"), size.apis);
        assert_eq!(count("application"), size.applications);
        assert_eq!(count("group"), size.groups);
        assert_eq!(count("subscription"), size.subscriptions, "{size:?}");
    }
}

#[test]
fn memberships_are_a_tenth_more_than_people_and_none_is_twice() {
    let lines = parsed(Size::people(20_000), 1);
    let memberships = of_kind(&lines, "membership");
    assert!((21_900..22_100).contains(&memberships.len()), "{}", memberships.len());
    for size in sizes() {
        let lines = parsed(size, 2);
        let memberships = of_kind(&lines, "membership");
        let distinct: BTreeSet<_> = memberships.iter().map(ToString::to_string).collect();
        // One person cannot be several members of the same group.
        assert!(size.people < 10 || distinct.len() == memberships.len(), "{size:?}");
    }
}

#[test]
fn the_heavy_users_are_in_many_more_applications() {
    let size = Size::people(20_000);
    let mut held: BTreeMap<String, usize> = BTreeMap::new();
    for line in parsed(size, 1) {
        if line["on"].get("application").is_some() {
            *held.entry(text(&line, "user").to_owned()).or_default() += 1;
        }
    }
    let heavy: usize = size.heavy().filter_map(|n| held.get(&format!("u-{n}"))).sum();
    let share = heavy as f64 / size.heavy().count() as f64;
    assert!(share > 4.0, "{share} applications for each of the heavy users");
    assert!(size.heavy().count() == 200);
}

#[test]
fn logins_are_told_apart_without_case_and_some_people_lack_what_may_be_absent() {
    let lines = parsed(Size::people(20_000), 5);
    let people = of_kind(&lines, "user");
    let logins: BTreeSet<_> = people.iter().map(|line| text(line, "login").to_lowercase()).collect();
    assert_eq!(logins.len(), people.len());
    assert!(logins.iter().all(|login| login.is_ascii() && !login.contains(' ')));
    for field in ["email", "customer", "locale"] {
        let without = people.iter().filter(|line| line.get(field).is_none()).count();
        assert!((100..10_000).contains(&without), "{without} without {field}");
    }
    let emails: BTreeSet<_> = people.iter().filter_map(|line| line["email"].as_str()).collect();
    let with = people.iter().filter(|line| line.get("email").is_some()).count();
    assert!(emails.len() < with, "some people share an address");
}

#[test]
fn the_customers_of_a_million_people_are_four_levels() {
    let size = Size::people(1_000_000);
    let (mut levels, mut deepest) = (vec![0_u64; size.customers as usize + 1], 0);
    for line in lines(size, 1).take(size.customers as usize) {
        let line: Value = serde_json::from_str(&line).expect("JSON");
        let parent = line["parent"].as_u64().unwrap_or(0) as usize;
        let level = levels[parent] + 1;
        levels[line["id"].as_u64().expect("an id") as usize] = level;
        deepest = deepest.max(level);
    }
    assert_eq!((size.customers, deepest), (10_000, 4));
}

#[test]
fn the_demonstration_has_its_accounts_where_their_stories_need_them() {
    let lines = parsed(Size::demo(), 1);
    let user = |login: &str| {
        let found = of_kind(&lines, "user").into_iter().find(|line| line["login"] == login);
        found.unwrap_or_else(|| panic!("{login} is missing")).clone()
    };
    for (login, _) in ACCOUNTS {
        assert_eq!(user(login)["password"], PASSWORD);
        assert_eq!(user(login)["id"], format!("u-{login}"));
    }
    let holds = |user: &str, place: &str, object: &str, role: &str| {
        let mut memberships = of_kind(&lines, "membership").into_iter();
        memberships.any(|line| line["user"] == user && line["on"][place] == object && line["role"] == role)
    };
    assert!(holds("u-ada", "environment", "DEFAULT", "ADMIN"));
    assert!(holds("u-paul", "environment", "DEFAULT", "API_PUBLISHER"));
    assert!(holds("u-paul", "api", "payments-v1", "PRIMARY_OWNER"));
    assert!(holds("u-paul", "api", "payments-v2", "PRIMARY_OWNER"));
    assert!(holds("u-una", "environment", "DEFAULT", "USER"));
    assert!(holds("u-una", "application", "app-1", "OWNER"));
    assert_eq!(user("carol")["asm_role"], "CustomerAdmin");
    let customer = |id: &Value| of_kind(&lines, "customer").into_iter().find(|line| line["id"] == *id);
    assert!(customer(&user("carol")["customer"]).is_some_and(|line| line.get("parent").is_some()));
    assert_eq!(
        customer(&user("una")["customer"]).map(|line| &line["parent"]),
        Some(&user("carol")["customer"])
    );
    let first = of_kind(&lines, "subscription")[0];
    assert_eq!(
        (&first["application"], &first["api"]),
        (&"app-1".into(), &"payments-v1".into())
    );
    assert_eq!(first["status"], "ACCEPTED");
}

#[test]
fn the_demonstration_has_subscriptions_of_every_status_some_with_start_and_end() {
    let lines = parsed(Size::demo(), 1);
    let subscriptions = of_kind(&lines, "subscription");
    let statuses: BTreeSet<_> = subscriptions.iter().map(|line| text(line, "status")).collect();
    assert_eq!(statuses.len(), 5);
    assert!(subscriptions.iter().any(|line| line["ending_at"].is_string()));
    assert!(
        subscriptions
            .iter()
            .any(|line| line["starting_at"].is_string() && line["ending_at"].is_null())
    );
}

#[test]
fn every_name_has_a_spelling_for_logins() {
    for culture in &names::CULTURES {
        for entry in culture.given.iter().chain(culture.family) {
            let (name, spelling) = names::spelling(entry);
            assert!(spelling.bytes().all(|byte| byte.is_ascii_alphabetic()), "{entry}");
            assert!(!name.is_empty() && !name.contains(['"', '\\']), "{entry}");
        }
    }
}

#[test]
fn chance_is_spread() {
    let mut dice = Dice::of(1, Of::Person, 1);
    let mut seen = [0_u32; 10];
    for _ in 0..10_000 {
        seen[dice.below(10) as usize] += 1;
    }
    assert!(seen.iter().all(|count| (850..1_150).contains(count)), "{seen:?}");
    let low = (0..10_000).filter(|_| dice.low(1_000, 2) < 250).count();
    assert!((4_700..5_300).contains(&low), "{low}");
}

#[test]
fn first_lines() {
    let every = |step: usize, size: Size| lines(size, 1).step_by(step).collect::<Vec<_>>().join("\n");
    insta::assert_snapshot!("demo", every(25, Size::demo()));
    insta::assert_snapshot!("small", every(20, Size::people(200)));
}
