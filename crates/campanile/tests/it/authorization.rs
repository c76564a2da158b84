//! Who may do what: every operation of the API by every kind of person, in one table.
//!
//! A request of the table writes nothing that a later one stumbles over: it names what is not there, or has a fault in
//! its values, so that 404 and 422 say "allowed". Where only others are refused, they are refused with 403 although
//! the thing is not there: who may not look is not told.

use std::collections::{BTreeMap, BTreeSet};

use campanile_core::id::PersonId;
use http::Method;
use serde_json::{Value, json};

use crate::directory::Client;
use crate::sites::Shop;
use crate::world::{ADMIN_PASSWORD, World, each_world};

/// The columns of [`TABLE`]: nobody, a plain user, an administrator of the environment, the primary owner of an API, a
/// customer administrator, the administrator of the organization.
const PRINCIPALS: [&str; 6] = ["", "u-plain", "u-env", "u-api", "u-customer", "admin"];

/// Everybody who is signed in, with this status.
const fn all(status: u16) -> [u16; 6] {
    [401, status, status, status, status, status]
}

/// The administrator of the organization alone, with this status.
const fn organization(status: u16) -> [u16; 6] {
    [401, 403, 403, 403, 403, status]
}

/// Those who may send something somewhere in an environment or to an API, and list the roles for it.
const fn senders(status: u16) -> [u16; 6] {
    [401, 403, status, status, 403, status]
}

const TO_ENVIRONMENT: &str = r#"{"title": "T", "audience": [{"kind": "environment_role", "role": "USER"}]}"#;
const TO_API: &str = r#"{"title": "T", "audience": [{"kind": "subscribers", "api": "pets"}]}"#;
const TO_CUSTOMER: &str = r#"{"title": "T", "audience": [{"kind": "customer", "customer": 17}]}"#;
const TO_EVERYONE: &str = r#"{"title": "T", "audience": [{"kind": "everyone"}]}"#;
const TO_PREVIEW: &str = r#"{"audience": [{"kind": "environment_role", "role": "USER"}]}"#;
const TO_EXPLAIN: &str = r#"{"audience": [{"kind": "environment_role", "role": "USER"}], "user": "u-plain"}"#;
const TO_POST: &str = r#"{"posts": [{"url": "https://hooks.example.com/"}], "text": "T"}"#;
const A_DEVICE: &str = r#"{"endpoint": "", "keys": {"p256dh": "", "auth": ""}}"#;
const A_CHANNEL: &str = r#"{"channel": "email"}"#;
const A_MEMBERSHIP: &str = r#"{"user": "u-none", "on": {"environment": "DEFAULT"}, "role": "USER"}"#;
const A_LOG_IN: &str = r#"{"login": "admin", "password": "the tower of bells"}"#;

/// A request: the operation, what stands in for `{…}` and after it, the body, and the status for each of
/// [`PRINCIPALS`]. `{message}` is a new message to the role USER of the environment, `{endpoint}` a new endpoint there.
type Row = (&'static str, &'static str, &'static str, [u16; 6]);

#[rustfmt::skip]
const TABLE: &[Row] = &[
    // One's own.
    ("GET /api/v1/inbox", "", "", all(200)),
    ("POST /api/v1/inbox", "", r#"{"action": "read", "ids": []}"#, all(200)),
    ("GET /api/v1/inbox/counts", "", "", all(200)),
    ("POST /api/v1/inbox/seen", "", "", all(204)),
    ("GET /api/v1/inbox/{id}", "999", "", all(404)),
    ("POST /api/v1/inbox/{id}/{action}", "999/read", "", all(404)),
    // What is refused to all is no stream, which would never end.
    ("GET /api/v1/live", "?last_event_id=none", "", all(422)),
    ("POST /api/v1/live/tickets", "", "", all(201)),
    ("GET /api/v1/me", "", "", all(200)),
    ("PATCH /api/v1/me", "", "{}", all(200)),
    ("GET /api/v1/me/devices", "", "", all(200)),
    ("POST /api/v1/me/devices", "", A_DEVICE, all(422)),
    ("PATCH /api/v1/me/devices/{id}", "none", r#"{"importance": "low"}"#, all(404)),
    ("DELETE /api/v1/me/devices/{id}", "none", "", all(404)),
    ("POST /api/v1/me/devices/{id}/heard", "none", "", all(404)),
    ("GET /api/v1/me/export", "", "", all(200)),
    ("GET /api/v1/me/mail", "", "", all(200)),
    ("PUT /api/v1/me/mail", "", r#"{"on": true}"#, all(200)),
    // Everybody of the table comes by a personal token, which cannot make what outlives it.
    ("POST /api/v1/me/password", "", r#"{"old": "x", "new": "short"}"#, all(403)),
    ("GET /api/v1/me/sessions", "", "", all(200)),
    ("DELETE /api/v1/me/sessions", "", "", all(204)),
    ("DELETE /api/v1/me/sessions/{id}", "none", "", all(404)),
    ("GET /api/v1/me/ticket", "", "", all(403)),
    ("POST /api/v1/me/ticket", "", "", all(403)),
    ("GET /api/v1/me/tokens", "", "", all(200)),
    ("POST /api/v1/me/tokens", "", r#"{"name": ""}"#, all(403)),
    ("DELETE /api/v1/me/tokens/{id}", "none", "", all(404)),
    ("GET /api/v1/push/key", "", "", all(200)),
    ("POST /api/v1/session", "", A_LOG_IN, [201; 6]),
    ("DELETE /api/v1/session", "", "", [204; 6]),
    // Messages.
    ("GET /api/v1/messages", "", "", [401, 403, 200, 200, 200, 200]),
    ("POST /api/v1/messages", "", TO_ENVIRONMENT, [401, 403, 201, 403, 403, 201]),
    ("POST /api/v1/messages", "", TO_API, [401, 403, 403, 201, 403, 201]),
    ("POST /api/v1/messages", "", TO_CUSTOMER, [401, 403, 403, 403, 201, 201]),
    ("POST /api/v1/messages", "", TO_EVERYONE, organization(201)),
    ("POST /api/v1/messages/preview", "", TO_PREVIEW, [401, 403, 200, 403, 403, 200]),
    ("POST /api/v1/messages/explain", "", TO_EXPLAIN, [401, 403, 200, 403, 403, 200]),
    ("GET /api/v1/messages/{id}", "{message}", "", [401, 404, 200, 404, 404, 200]),
    ("PATCH /api/v1/messages/{id}", "{message}", "{}", [401, 404, 200, 404, 404, 200]),
    ("GET /api/v1/messages/{id}/history", "{message}", "", [401, 404, 200, 404, 404, 200]),
    ("POST /api/v1/messages/{id}/remind", "{message}", "", [401, 404, 409, 404, 404, 409]),
    ("POST /api/v1/messages/{id}/recall", "{message}", "", [401, 404, 200, 404, 404, 200]),
    ("GET /api/v1/messages/{id}/recipients", "{message}", "", [401, 404, 200, 404, 404, 200]),
    ("POST /api/v1/messages/preview/post", "", TO_POST, [401, 403, 200, 403, 403, 200]),
    ("GET /api/v1/channels", "", "", all(200)),
    // What leaves the house.
    ("GET /api/v1/messages/{id}/progress", "{message}", "", [401, 404, 200, 404, 404, 200]),
    ("GET /api/v1/messages/{id}/deliveries", "{message}", "", [401, 404, 200, 404, 404, 200]),
    ("GET /api/v1/messages/{id}/deliveries.csv", "{message}", "", [401, 404, 200, 404, 404, 200]),
    ("GET /api/v1/messages/{id}/deliveries/{channel}/{target}", "{message}/deliveries/http/1", "", all(404)),
    ("POST /api/v1/messages/{id}/resend", "{message}", A_CHANNEL, [401, 404, 409, 404, 404, 409]),
    ("POST /api/v1/messages/{id}/cancel", "{message}", A_CHANNEL, [401, 404, 409, 404, 404, 409]),
    ("GET /api/v1/endpoints", "", "", all(200)),
    ("GET /api/v1/endpoints", "?environment=DEFAULT", "", [401, 403, 200, 403, 403, 200]),
    ("GET /api/v1/endpoints", "?api=pets", "", [401, 403, 403, 200, 403, 200]),
    ("POST /api/v1/endpoints", "", r#"{"name": "", "url": ""}"#, [401, 403, 422, 403, 403, 422]),
    ("POST /api/v1/endpoints", "", r#"{"name": "", "url": "", "api": "pets"}"#, [401, 403, 403, 422, 403, 422]),
    ("GET /api/v1/endpoints/{id}", "{endpoint}", "", [401, 404, 200, 404, 404, 200]),
    ("PATCH /api/v1/endpoints/{id}", "{endpoint}", "{}", [401, 404, 200, 404, 404, 200]),
    ("DELETE /api/v1/endpoints/{id}", "{endpoint}", "", [401, 404, 204, 404, 404, 204]),
    ("POST /api/v1/endpoints/{id}/pause", "{endpoint}", "", [401, 404, 200, 404, 404, 200]),
    ("POST /api/v1/endpoints/{id}/resume", "{endpoint}", "", [401, 404, 200, 404, 404, 200]),
    ("POST /api/v1/endpoints/{id}/rotate", "{endpoint}", "{}", [401, 404, 200, 404, 404, 200]),
    ("POST /api/v1/endpoints/{id}/test", "{endpoint}", "", [401, 404, 201, 404, 404, 201]),
    ("GET /api/v1/suppressions", "", "", organization(200)),
    ("POST /api/v1/suppressions", "", r#"{"address": "nowhere"}"#, organization(422)),
    ("DELETE /api/v1/suppressions/{address}", "nobody@example.com", "", organization(404)),
    ("GET /api/v1/sites", "", "", organization(200)),
    ("POST /api/v1/sites", "", r#"{"name": ""}"#, organization(422)),
    ("GET /api/v1/sites/{id}", "none", "", organization(404)),
    ("PATCH /api/v1/sites/{id}", "none", "{}", organization(404)),
    ("DELETE /api/v1/sites/{id}", "none", "", organization(404)),
    ("GET /api/v1/sites/{id}/keys", "none", "", organization(404)),
    ("POST /api/v1/sites/{id}/keys", "none", r#"{"algorithm": "HS256"}"#, organization(404)),
    ("DELETE /api/v1/sites/{id}/keys/{key}", "none/keys/none", "", organization(404)),
    ("GET /api/v1/journal", "", "", organization(200)),
    ("GET /api/v1/journal/export", "", "", organization(200)),
    // The directory.
    ("GET /api/v1/customers", "", "", organization(200)),
    ("POST /api/v1/customers", "", "{}", organization(422)),
    ("GET /api/v1/customers/{id}", "99", "", organization(404)),
    ("PATCH /api/v1/customers/{id}", "99", "{}", organization(404)),
    ("DELETE /api/v1/customers/{id}", "99", "", organization(404)),
    ("GET /api/v1/customers/{id}/history", "99", "", organization(404)),
    ("GET /api/v1/environments", "", "", organization(200)),
    ("POST /api/v1/environments", "", "{}", organization(422)),
    ("GET /api/v1/environments/{id}", "none", "", organization(404)),
    ("PATCH /api/v1/environments/{id}", "none", "{}", organization(404)),
    ("DELETE /api/v1/environments/{id}", "none", "", organization(404)),
    ("GET /api/v1/environments/{id}/history", "none", "", organization(404)),
    ("GET /api/v1/users", "", "", organization(200)),
    ("POST /api/v1/users", "", "{}", organization(422)),
    ("GET /api/v1/users/{id}", "none", "", organization(404)),
    ("PATCH /api/v1/users/{id}", "none", "{}", organization(404)),
    ("DELETE /api/v1/users/{id}", "none", "", organization(404)),
    ("GET /api/v1/users/{id}/history", "none", "", organization(404)),
    ("GET /api/v1/users/{id}/export", "none", "", organization(404)),
    ("GET /api/v1/users/{id}/export", "u-plain", "", [401, 200, 403, 403, 403, 200]),
    ("POST /api/v1/users/{id}/erase", "none", "", organization(404)),
    ("POST /api/v1/users/{id}/password", "999", r#"{"password": "a fine password"}"#, organization(404)),
    ("GET /api/v1/users/{id}/visible", "none", "", organization(404)),
    ("GET /api/v1/users/{id}/visible", "u-plain", "", organization(200)),
    ("GET /api/v1/groups", "", "", organization(200)),
    ("POST /api/v1/groups", "", "{}", organization(422)),
    ("GET /api/v1/groups/{id}", "none", "", organization(404)),
    ("PATCH /api/v1/groups/{id}", "none", "{}", organization(404)),
    ("DELETE /api/v1/groups/{id}", "none", "", organization(404)),
    ("GET /api/v1/groups/{id}/history", "none", "", organization(404)),
    ("GET /api/v1/apis", "", "", organization(200)),
    ("POST /api/v1/apis", "", "{}", organization(422)),
    ("GET /api/v1/apis/{id}", "none", "", organization(404)),
    ("PATCH /api/v1/apis/{id}", "none", "{}", organization(404)),
    ("DELETE /api/v1/apis/{id}", "none", "", organization(404)),
    ("GET /api/v1/apis/{id}/history", "none", "", organization(404)),
    ("GET /api/v1/applications", "", "", organization(200)),
    ("POST /api/v1/applications", "", "{}", organization(422)),
    ("GET /api/v1/applications/{id}", "none", "", organization(404)),
    ("PATCH /api/v1/applications/{id}", "none", "{}", organization(404)),
    ("DELETE /api/v1/applications/{id}", "none", "", organization(404)),
    ("GET /api/v1/applications/{id}/history", "none", "", organization(404)),
    ("GET /api/v1/subscriptions", "", "", organization(200)),
    ("POST /api/v1/subscriptions", "", "{}", organization(422)),
    ("GET /api/v1/subscriptions/{id}", "none", "", organization(404)),
    ("PATCH /api/v1/subscriptions/{id}", "none", "{}", organization(404)),
    ("DELETE /api/v1/subscriptions/{id}", "none", "", organization(404)),
    ("GET /api/v1/subscriptions/{id}/history", "none", "", organization(404)),
    ("GET /api/v1/roles", "", "", senders(200)),
    ("GET /api/v1/roles/{scope}/{name}", "API/NONE", "", senders(404)),
    ("PUT /api/v1/roles/{scope}/{name}", "API/NONE", r#"{"permissions": {"": ""}}"#, organization(422)),
    ("DELETE /api/v1/roles/{scope}/{name}", "API/NONE", "", organization(404)),
    ("GET /api/v1/memberships", "?user=none", "", organization(200)),
    ("POST /api/v1/memberships", "", A_MEMBERSHIP, organization(422)),
    ("DELETE /api/v1/memberships", "?user=none&environment=DEFAULT&role=USER", "", organization(422)),
    ("GET /api/v1/addressable/{kind}", "people", "", [401, 403, 200, 403, 403, 200]),
    ("GET /api/v1/addressable/{kind}", "groups", "", [401, 403, 200, 403, 403, 200]),
    ("GET /api/v1/addressable/{kind}", "customers", "", all(200)),
    ("GET /api/v1/addressable/{kind}", "apis", "", all(200)),
    ("GET /api/v1/addressable/{kind}", "environments", "", all(200)),
    ("POST /api/v1/directory/import", "?dry_run=true", "{}", organization(200)),
];

/// What a token of a site opens, as its person; anything else, that asks for somebody, it does not.
const EMBEDDED: [&str; 9] = [
    "GET /api/v1/inbox",
    "POST /api/v1/inbox",
    "GET /api/v1/inbox/counts",
    "POST /api/v1/inbox/seen",
    "GET /api/v1/inbox/{id}",
    "POST /api/v1/inbox/{id}/{action}",
    "GET /api/v1/live",
    "POST /api/v1/live/tickets",
    "GET /api/v1/me",
];

#[test]
fn every_operation_is_in_the_table() {
    let document = serde_json::to_value(campanile::api::document()).unwrap();
    let mut operations = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let methods = item.as_object().unwrap().keys();
        operations.extend(methods.map(|method| format!("{} {path}", method.to_uppercase())));
    }
    let table: BTreeSet<_> = TABLE.iter().map(|(operation, ..)| (*operation).to_owned()).collect();
    let missing: Vec<_> = operations.difference(&table).collect();
    let unknown: Vec<_> = table.difference(&operations).collect();
    assert!(missing.is_empty(), "say in TABLE who may do {missing:#?}");
    assert!(
        unknown.is_empty(),
        "take out of TABLE what is no operation: {unknown:#?}"
    );
}

#[test]
fn everybody_may_do_what_the_table_says() {
    each_world(async |world| {
        let admin = Client::admin(world).await;
        let tokens = principals(&admin).await;
        let mut wrong = Vec::new();
        for (operation, stand_in, body, statuses) in TABLE {
            for (who, wanted) in PRINCIPALS.into_iter().zip(statuses) {
                let path = address(&admin, operation, stand_in).await;
                let status = ask(world, operation, &path, body, tokens.get(who)).await;
                if status != *wanted {
                    wrong.push(format!(
                        "{operation} ({path} {body}) by {who:?}: {status}, not {wanted}"
                    ));
                }
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    });
}

/// By a token of a site, even the administrator's.
#[test]
fn a_token_of_a_site_opens_the_inbox_alone() {
    each_world(async |world| {
        let shop = Shop::new(world).await;
        let token = shop.token("admin");
        let mut wrong = Vec::new();
        for (operation, stand_in, body, [nobody, .., admin]) in TABLE {
            let wanted = match nobody {
                401 if EMBEDDED.contains(operation) => *admin,
                401 => 403,
                anybody => *anybody,
            };
            let path = address(&shop.admin, operation, stand_in).await;
            let status = ask(world, operation, &path, body, Some(&token)).await;
            if status != wanted {
                wrong.push(format!("{operation} ({path} {body}): {status}, not {wanted}"));
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    });
}

/// Makes the people of the table, and gives their tokens by user.
async fn principals(admin: &Client<'_>) -> BTreeMap<&'static str, String> {
    let user = |id: &str| json!({"kind": "user", "id": id, "login": id, "name": id, "customer": 17});
    let lines = [
        json!({"kind": "customer", "id": 17, "name": "Acme"}),
        json!({"kind": "api", "id": "pets", "name": "Pets", "environment": "DEFAULT"}),
        user("u-plain"),
        user("u-env"),
        user("u-api"),
        user("u-customer"),
        json!({"kind": "user", "id": "u-customer", "asm_role": "CustomerAdmin"}),
        json!({"kind": "membership", "user": "u-plain", "on": {"environment": "DEFAULT"}, "role": "USER"}),
        json!({"kind": "membership", "user": "u-env", "on": {"environment": "DEFAULT"}, "role": "ADMIN"}),
        json!({"kind": "membership", "user": "u-api", "on": {"api": "pets"}, "role": "PRIMARY_OWNER"}),
    ];
    let file = lines.map(|line| line.to_string()).join("\n");
    let ask = admin
        .world
        .post("/api/v1/directory/import")
        .bearer(&admin.token)
        .body(file);
    assert_eq!(ask.send().await.is(200).json()["ok"], json!(true));
    let mut tokens = BTreeMap::from([("admin", admin.token.clone())]);
    for id in &PRINCIPALS[1..5] {
        let user = admin.get(&format!("/api/v1/users/{id}")).await.is(200).json();
        let person = PersonId(user["number"].as_i64().unwrap());
        tokens.insert(id, admin.world.token(person).await);
    }
    tokens
}

/// The address of a row: its stand-in takes the place of everything from the first `{` on, but for a last word.
async fn address(admin: &Client<'_>, operation: &str, stand_in: &str) -> String {
    let (_, path) = operation.split_once(' ').unwrap();
    let Some((before, after)) = path.split_once('{') else {
        return format!("{path}{stand_in}");
    };
    let (_, last) = after.rsplit_once('}').unwrap();
    if let Some(rest) = stand_in.strip_prefix("{message}") {
        let draft: Value = serde_json::from_str(TO_ENVIRONMENT).unwrap();
        let message = admin.post("/api/v1/messages", &draft).await.is(201).json();
        return format!("{before}{}{rest}{last}", message["id"]);
    }
    if stand_in == "{endpoint}" {
        let name = campanile_core::secret::hex(&admin.world.app.chance.bytes());
        let new = json!({"name": name, "url": "https://hooks.example.com/"});
        let endpoint = admin.post("/api/v1/endpoints", &new).await.is(201).json();
        return format!("{before}{}{last}", endpoint["id"]);
    }
    format!("{before}{stand_in}{last}")
}

async fn ask(world: &World, operation: &str, path: &str, body: &'static str, token: Option<&String>) -> u16 {
    let method: Method = operation.split_once(' ').unwrap().0.parse().unwrap();
    let mut ask = world.ask(method, path);
    if let Some(token) = token {
        ask = ask.bearer(token);
    }
    if !body.is_empty() {
        ask = ask.header("content-type", "application/json").body(body);
    }
    ask.send().await.status.as_u16()
}

#[test]
fn the_log_in_of_the_table_is_that_of_the_administrator() {
    let log_in: Value = serde_json::from_str(A_LOG_IN).unwrap();
    assert_eq!(log_in["password"], json!(ADMIN_PASSWORD));
}
