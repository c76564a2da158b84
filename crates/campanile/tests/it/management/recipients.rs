//! Who gets what (the contract, section 2.1), by the number that is answered and by who finds it in their inbox.

use serde_json::{Value, json};

use super::platform::{PETS, PLATFORM, Platform, to_roles};
use crate::world::{each_world, each_world_with};

/// Where messages of another environment are posted.
const ELSEWHERE: &str = "/management/organizations/DEFAULT/environments/OTHER/messages";

const NOTIFICATIONS: &str = "/management/organizations/DEFAULT/user/notifications";

/// Where, scope, roles, and how many people are reached.
type Row = (&'static str, &'static str, &'static [&'static str], u64);

#[rustfmt::skip]
const PEOPLE: &[Row] = &[
    // Explicit memberships of this environment alone; nobody is it by holding more, and who left is not.
    (PLATFORM, "ENVIRONMENT", &["ADMIN"], 2),
    (PLATFORM, "ENVIRONMENT", &["USER"], 3),
    (PLATFORM, "ENVIRONMENT", &["ADMIN", "USER", "USER"], 5),
    (ELSEWHERE, "ENVIRONMENT", &["ADMIN"], 0),
    (ELSEWHERE, "ENVIRONMENT", &["USER"], 1),
    (PLATFORM, "ENVIRONMENT", &["API_PUBLISHER"], 0),
    // What nobody knows, and other scopes, are nobody, and no error.
    (PLATFORM, "ENVIRONMENT", &["admin"], 0),
    (PLATFORM, "ENVIRONMENT", &["KING", "ADMIN"], 2),
    (PLATFORM, "ENVIRONMENT", &["API_SUBSCRIBERS"], 0),
    (PLATFORM, "environment", &["ADMIN"], 0),
    (PLATFORM, "APPLICATION", &["OWNER"], 0),
    (PLATFORM, "ORGANIZATION", &["ADMIN"], 0),
    (PLATFORM, "API", &["PRIMARY_OWNER"], 0),
    (PLATFORM, "KINGDOM", &["ADMIN"], 0),
    // Applications with an accepted subscription that has begun; groups lend what is not PRIMARY_OWNER.
    (PETS, "APPLICATION", &["OWNER"], 2),
    (PETS, "APPLICATION", &["PRIMARY_OWNER"], 1),
    (PETS, "APPLICATION", &["USER"], 1),
    (PETS, "APPLICATION", &["OWNER", "PRIMARY_OWNER", "USER"], 4),
    (PETS, "APPLICATION", &["API_SUBSCRIBERS"], 1),
    // In more than one way: once.
    (PETS, "APPLICATION", &["API_SUBSCRIBERS", "OWNER"], 2),
    (PETS, "ENVIRONMENT", &["ADMIN"], 0),
    (PETS, "API", &["PRIMARY_OWNER"], 0),
];

#[test]
fn recipients_are_found_by_the_rules_of_the_contract() {
    each_world(async |world| {
        let platform = Platform::new(world).await;
        for (path, scope, roles, wanted) in PEOPLE {
            let said = platform
                .post(path, "admin", &to_roles("PORTAL", scope, roles))
                .await
                .is(200);
            assert_eq!(said.body, wanted.to_string(), "{path} {scope} {roles:?}");
            assert_eq!(said.header("content-type"), "application/json");
        }
    });
}

#[test]
fn those_who_were_counted_find_it_and_nobody_else() {
    each_world(async |world| {
        let platform = Platform::new(world).await;
        let roles = ["API_SUBSCRIBERS", "OWNER"];
        let message = to_roles("PORTAL", "APPLICATION", &roles);
        platform.post(PETS, "owner", &message).await.is(200);
        for (who, finds) in [
            ("ann", 1),
            ("bob", 1),
            ("amy", 0),
            ("cas", 0),
            ("dan", 0),
            ("eve", 0),
            ("fay", 0),
            ("owner", 0),
        ] {
            let wanted: Vec<&str> = ["[Pets] Maintenance"].into_iter().take(finds).collect();
            assert_eq!(platform.inbox(who).await, wanted, "{who}");
            let told = platform.get(NOTIFICATIONS, who).await.is(200).json();
            let titles = told["data"]
                .as_array()
                .unwrap()
                .iter()
                .map(|one| one["title"].as_str().unwrap());
            assert_eq!(titles.collect::<Vec<_>>(), wanted, "{who}");
        }
    });
}

#[test]
fn a_mail_is_counted_by_distinct_addresses() {
    each_world(async |world| {
        let platform = Platform::new(world).await;
        let mail = to_roles("MAIL", "ENVIRONMENT", &["USER"]);
        // Of three people two share an address.
        assert_eq!(platform.post(PLATFORM, "sender", &mail).await.is(200).body, "2");
        let mail = to_roles("MAIL", "APPLICATION", &["OWNER", "PRIMARY_OWNER"]);
        // Of three one has none.
        assert_eq!(platform.post(PETS, "owner", &mail).await.is(200).body, "2");
        let mail = to_roles("MAIL", "APPLICATION", &["KING"]);
        assert_eq!(platform.post(PETS, "owner", &mail).await.is(200).body, "0");
    });
}

#[test]
fn a_role_that_is_called_as_the_subscribers_are_comes_first() {
    each_world(async |world| {
        let platform = Platform::new(world).await;
        let role =
            json!({"kind": "role", "scope": "APPLICATION", "name": "API_SUBSCRIBERS", "permissions": {"MESSAGE": "R"}});
        let held =
            json!({"kind": "membership", "user": "cas", "on": {"application": "shop"}, "role": "API_SUBSCRIBERS"});
        platform.import(&[role, held]).await;
        let message = to_roles("PORTAL", "APPLICATION", &["API_SUBSCRIBERS"]);
        assert_eq!(platform.post(PETS, "owner", &message).await.is(200).body, "1");
        assert_eq!(platform.inbox("cas").await.len(), 1);
        assert_eq!(platform.inbox("ann").await.len(), 0);
    });
}

#[test]
fn subscribers_of_any_status_are_a_choice_of_the_operator() {
    let settings = [("CAMPANILE_COMPAT_API_SUBSCRIBERS", "any")];
    each_world_with("http://campanile.test", &settings, async |world| {
        let platform = Platform::new(world).await;
        let message = to_roles("PORTAL", "APPLICATION", &["API_SUBSCRIBERS"]);
        // Pending, closed and not yet begun; nobody who has left.
        assert_eq!(platform.post(PETS, "owner", &message).await.is(200).body, "4");
        for who in ["ann", "dan", "eve", "fay"] {
            assert_eq!(platform.inbox(who).await.len(), 1, "{who}");
        }
        assert_eq!(platform.inbox("bob").await.len(), 0);
        let sent = platform.last().await;
        assert_eq!(
            sent["audience"],
            json!([{"kind": "subscribers", "api": "pets", "any_status": true}])
        );
        // A role of theirs is found by valid subscriptions as ever.
        let message = to_roles("PORTAL", "APPLICATION", &["OWNER"]);
        assert_eq!(platform.post(PETS, "owner", &message).await.is(200).body, "2");
    });
}

/// Consumers who are none by now, or were never: refused, paused, over, removed; and a subscription that nobody made.
fn formerly() -> Vec<Value> {
    let mut lines = Vec::new();
    for (application, status) in [
        ("no", "REJECTED"),
        ("idle", "PAUSED"),
        ("over", "ACCEPTED"),
        ("gone", "ACCEPTED"),
        ("anon", "ACCEPTED"),
    ] {
        let (user, group) = (format!("m-{application}"), format!("g-{application}"));
        lines.extend([
            json!({"kind": "user", "id": user, "login": user, "name": user, "email": format!("{user}@example.com")}),
            json!({"kind": "group", "id": group, "name": group}),
            json!({"kind": "application", "id": application, "name": application, "environment": "DEFAULT",
                "groups": [group]}),
            json!({"kind": "membership", "user": user, "on": {"group": group}, "role": "OWNER",
                "scope": "APPLICATION"}),
        ]);
        let mut subscription = json!({"kind": "subscription", "id": format!("s-{application}"), "api": "pets",
            "application": application, "status": status});
        if application != "anon" {
            subscription["subscribed_by"] = json!(user);
        }
        if application == "over" {
            subscription["starting_at"] = json!("2020-01-01T00:00:00Z");
            subscription["ending_at"] = json!("2021-01-01T00:00:00Z");
        }
        lines.push(subscription);
    }
    lines.push(json!({"kind": "remove", "of": "application", "id": "gone"}));
    lines
}

#[test]
fn who_is_no_consumer_any_more_is_not_reached() {
    for (setting, subscribers) in [("valid", 1), ("any", 7)] {
        let settings = [("CAMPANILE_COMPAT_API_SUBSCRIBERS", setting)];
        each_world_with("http://campanile.test", &settings, async |world| {
            let platform = Platform::new(world).await;
            let send = async |role: &str| {
                let message = to_roles("PORTAL", "APPLICATION", &[role]);
                platform.post(PETS, "owner", &message).await.is(200).body
            };
            platform.import(&formerly()).await;
            // Of these the one whose subscription is valid, whoever made it.
            assert_eq!(send("OWNER").await, "3");
            let members = platform.last().await["id"].as_i64().unwrap();
            let list = platform
                .admin
                .get(&format!("/api/v1/messages/{members}/recipients"))
                .await
                .is(200)
                .json();
            let logins = list["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|one| one["login"].as_str().unwrap());
            assert_eq!(logins.collect::<Vec<_>>(), ["ann", "bob", "m-anon"]);
            // A subscription that nobody made is no mistake.
            assert_eq!(send("API_SUBSCRIBERS").await, subscribers.to_string(), "{setting}");
        });
    }
}

#[test]
fn a_message_to_nobody_is_kept_and_reaches_nobody() {
    each_world(async |world| {
        let platform = Platform::new(world).await;
        for (path, who, home) in [(PLATFORM, "sender", "environment"), (PETS, "owner", "api")] {
            let message = to_roles("PORTAL", "APPLICATION", &["KING"]);
            assert_eq!(platform.post(path, who, &message).await.is(200).body, "0");
            let sent = platform.last().await;
            assert_eq!(sent["audience"], json!([]), "{sent}");
            assert!(sent[home].is_string(), "{sent}");
            assert_eq!(sent["funnel"]["people"], json!(0), "{sent}");
            let page = platform.admin.get("/api/v1/journal").await.is(200).json();
            let objects = page["items"].as_array().unwrap().iter().map(|item| &item["object"]);
            assert!(
                objects
                    .into_iter()
                    .any(|object| *object == json!(sent["id"].to_string())),
                "{page}"
            );
        }
        // What lies in the platform's environment is seen by who looks after that, and the API's by its owner.
        let seen = async |who| {
            let page = platform.get("/api/v1/messages", who).await.is(200).json();
            page["items"].as_array().unwrap().len()
        };
        assert_eq!([seen("sender").await, seen("owner").await], [1, 1]);
    });
}
