//! Who may send, and who finds whom to send to (the contract, section 5): the default roles, roles of one's own, and
//! what a group lends.

use http::Method;
use serde_json::{Value, json};

use super::platform::{PETS, PLATFORM, Platform, to_roles};
use super::site::cookies;
use super::{ORG, is_forbidden};
use crate::world::{ADMIN_PASSWORD, each_world};

/// A role of one's own, and somebody who holds it.
fn role(scope: &str, name: &str, permissions: &Value, user: &str, on: &Value) -> [Value; 2] {
    [
        json!({"kind": "role", "scope": scope, "name": name, "permissions": permissions}),
        json!({"kind": "membership", "user": user, "on": on, "role": name}),
    ]
}

/// Sends to the platform and to the API; the statuses.
async fn sends(platform: &Platform<'_>, who: &str) -> [u16; 2] {
    let bodies = [
        (PLATFORM, to_roles("PORTAL", "ENVIRONMENT", &["USER"])),
        (PETS, to_roles("PORTAL", "APPLICATION", &["OWNER"])),
    ];
    let mut statuses = [0; 2];
    for (at, (path, body)) in bodies.iter().enumerate() {
        let said = platform.post(path, who, body).await;
        statuses[at] = said.status.as_u16();
        if statuses[at] == 403 {
            is_forbidden(said);
        }
    }
    statuses
}

/// Lists the roles of each scope; the statuses.
async fn lists(platform: &Platform<'_>, who: &str) -> Vec<u16> {
    let mut statuses = Vec::new();
    for scope in ["ORGANIZATION", "ENVIRONMENT", "API", "APPLICATION"] {
        let path = format!("{ORG}/configuration/rolescopes/{scope}/roles");
        statuses.push(platform.get(&path, who).await.status.as_u16());
    }
    statuses
}

#[test]
fn of_the_default_roles_only_administrators_and_primary_owners_send() {
    each_world(async |world| {
        let platform = Platform::new(world).await;
        let member =
            |user: &str, on: Value, role: &str| json!({"kind": "membership", "user": user, "on": on, "role": role});
        platform
            .import(&[
                member("dan", json!({"environment": "DEFAULT"}), "API_PUBLISHER"),
                member("eve", json!({"api": "pets"}), "OWNER"),
                member("fay", json!({"api": "pets"}), "REVIEWER"),
                // Attached to the API, it lends what is no more than OWNER there.
                json!({"kind": "group", "id": "crew", "name": "Crew"}),
                json!({"kind": "api", "id": "pets", "name": "Pets", "environment": "DEFAULT", "groups": ["crew"]}),
                json!({"kind": "membership", "user": "cas", "on": {"group": "crew"}, "scope": "API",
                    "role": "PRIMARY_OWNER"}),
            ])
            .await;
        for (who, wanted) in [
            ("plain", [403, 403]),
            ("dan", [403, 403]),
            ("eve", [403, 403]),
            ("fay", [403, 403]),
            ("cas", [403, 403]),
            ("owner", [403, 200]),
            ("sender", [200, 403]),
            ("admin", [200, 200]),
        ] {
            assert_eq!(sends(&platform, who).await, wanted, "{who}");
        }
    });
}

#[test]
fn of_the_letters_of_message_only_c_sends() {
    each_world(async |world| {
        let platform = Platform::new(world).await;
        let (environment, api) = (json!({"environment": "DEFAULT"}), json!({"api": "pets"}));
        for (scope, on, who) in [
            ("ENVIRONMENT", &environment, ["ann", "bob"]),
            ("API", &api, ["dan", "eve"]),
        ] {
            for (letter, who) in ["C", "R"].iter().zip(who) {
                let name = format!("ONLY {letter}");
                let lines = role(scope, &name, &json!({"MESSAGE": letter}), who, on);
                platform.import(&lines).await;
            }
        }
        for (who, wanted) in [
            ("ann", [200, 403]),
            ("bob", [403, 403]),
            ("dan", [403, 200]),
            ("eve", [403, 403]),
        ] {
            assert_eq!(sends(&platform, who).await, wanted, "{who}");
        }
        // Who sends finds the roles to send to; who only sees what was sent does not.
        for (who, wanted) in [("ann", 200), ("bob", 403), ("dan", 200), ("eve", 403)] {
            assert_eq!(lists(&platform, who).await, [wanted; 4], "{who}");
        }
    });
}

#[test]
fn what_a_group_lends_on_an_api_sends_to_its_consumers() {
    each_world(async |world| {
        let platform = Platform::new(world).await;
        platform
            .import(&[
                json!({"kind": "group", "id": "crew", "name": "Crew"}),
                json!({"kind": "api", "id": "pets", "name": "Pets", "environment": "DEFAULT", "groups": ["crew"]}),
                json!({"kind": "role", "scope": "API", "name": "WRITER", "permissions": {"MESSAGE": "C"}}),
                json!({"kind": "membership", "user": "ann", "on": {"group": "crew"}, "scope": "API", "role": "WRITER"}),
                // A role on applications lends nothing here.
                json!({"kind": "membership", "user": "bob", "on": {"group": "crew"}, "scope": "APPLICATION",
                    "role": "OWNER"}),
            ])
            .await;
        assert_eq!(sends(&platform, "ann").await, [403, 200]);
        assert_eq!(sends(&platform, "bob").await, [403, 403]);
    });
}

#[test]
fn who_reads_the_roles_of_the_organization_lists_them_and_sends_nothing() {
    each_world(async |world| {
        let platform = Platform::new(world).await;
        let on = json!({"organization": "DEFAULT"});
        let lines = role("ORGANIZATION", "CLERK", &json!({"ROLE": "R"}), "ann", &on);
        platform.import(&lines).await;
        assert_eq!(lists(&platform, "ann").await, [200; 4]);
        assert_eq!(lists(&platform, "plain").await, [403; 4]);
        assert_eq!(sends(&platform, "ann").await, [403, 403]);
        let path = format!("{ORG}/configuration/rolescopes/ORGANIZATION/roles");
        let roles = platform.get(&path, "ann").await.is(200).json();
        let names: Vec<&Value> = roles.as_array().unwrap().iter().map(|role| &role["name"]).collect();
        assert_eq!(names, ["ADMIN", "CLERK", "USER"]);
        assert_eq!(roles[1]["system"], json!(false));
        assert_eq!(roles[2]["default"], json!(true));
    });
}

#[test]
fn a_message_by_cookie_needs_the_header_that_belongs_to_it() {
    each_world(async |world| {
        let platform = Platform::new(world).await;
        let login = world.post(&format!("{ORG}/user/login")).basic("admin", ADMIN_PASSWORD);
        let login = login.json(&json!({})).send().await.is(200);
        let (cookie, token) = (cookies(&login).remove(0), login.header("x-xsrf-token").to_owned());
        let body = to_roles("PORTAL", "ENVIRONMENT", &["USER"]);
        let send = || world.ask(Method::POST, PLATFORM).header("cookie", &cookie).json(&body);
        let said = send().send().await.is(403).json();
        let message = "send the header X-Xsrf-Token with the value that it had in the last answer";
        assert_eq!(said, json!({"message": message, "http_status": 403}));
        assert_eq!(platform.inbox("plain").await, Vec::<String>::new());
        assert_eq!(send().header("x-xsrf-token", &token).send().await.is(200).body, "3");
    });
}
