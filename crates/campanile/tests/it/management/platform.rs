//! A platform with an API, its consumers, and somebody for each rule by which recipients are found.

use std::collections::BTreeMap;

use campanile_core::id::{MessageId, PersonId};
use http::Method;
use serde_json::{Value, json};

use crate::directory::Client;
use crate::outbox::House;
use crate::world::{Said, World};

/// Where messages of the platform are posted.
pub(super) const PLATFORM: &str = "/management/organizations/DEFAULT/environments/DEFAULT/messages";
/// Where those of the API are posted.
pub(super) const PETS: &str = "/management/organizations/DEFAULT/environments/DEFAULT/apis/pets/messages";

/// Who is there, each with the address `{login}@example.com`, but those who say otherwise.
const PEOPLE: [&str; 11] = [
    "sender", "owner", "plain", "ann", "amy", "bob", "cas", "dan", "eve", "fay", "gus",
];

/// The platform, and tokens of its people.
pub(super) struct Platform<'w> {
    pub(super) world: &'w World,
    pub(super) admin: Client<'w>,
    tokens: BTreeMap<&'static str, String>,
}

impl<'w> Platform<'w> {
    pub(super) async fn new(world: &'w World) -> Self {
        let admin = Client::admin(world).await;
        let mut platform = Self {
            world,
            admin,
            tokens: BTreeMap::new(),
        };
        platform.import(&lines()).await;
        platform.tokens.insert("admin", platform.admin.token.clone());
        for login in PEOPLE {
            let user = platform.admin.get(&format!("/api/v1/users/{login}")).await.is(200);
            let person = PersonId(user.json()["number"].as_i64().unwrap());
            platform.tokens.insert(login, world.token(person).await);
        }
        platform
            .import(&[json!({"kind": "remove", "of": "user", "id": "gus"})])
            .await;
        platform
    }

    /// Makes these lines of a directory file true.
    pub(super) async fn import(&self, lines: &[Value]) {
        let file = lines.iter().map(Value::to_string).collect::<Vec<_>>().join("\n");
        let ask = self.world.post("/api/v1/directory/import").bearer(&self.admin.token);
        let said = ask.body(file).send().await.is(200);
        assert_eq!(said.json()["ok"], json!(true), "{}", said.body);
    }

    pub(super) fn token(&self, who: &str) -> &str {
        &self.tokens[who]
    }

    /// Asks as somebody; as nobody for the empty name.
    pub(super) async fn ask(&self, method: Method, path: &str, who: &str, body: Option<&Value>) -> Said {
        let mut ask = self.world.ask(method, path);
        if !who.is_empty() {
            ask = ask.bearer(self.token(who));
        }
        if let Some(body) = body {
            ask = ask.json(body);
        }
        ask.send().await
    }

    pub(super) async fn post(&self, path: &str, who: &str, body: &Value) -> Said {
        self.ask(Method::POST, path, who, Some(body)).await
    }

    pub(super) async fn get(&self, path: &str, who: &str) -> Said {
        self.ask(Method::GET, path, who, None).await
    }

    /// The titles in somebody's own inbox.
    pub(super) async fn inbox(&self, who: &str) -> Vec<String> {
        let inbox = self.get("/api/v1/inbox", who).await.is(200).json();
        let title = |item: &Value| item["title"].as_str().unwrap().to_owned();
        inbox["items"].as_array().unwrap().iter().map(title).collect()
    }

    /// The last message that was sent, as its sender sees it.
    pub(super) async fn last(&self) -> Value {
        let page = self.admin.get("/api/v1/messages?limit=1").await.is(200).json();
        let id = page["items"][0]["id"].as_i64().unwrap();
        self.admin.get(&format!("/api/v1/messages/{id}")).await.is(200).json()
    }
}

/// A message to roles.
pub(super) fn to_roles(channel: &str, scope: &str, roles: &[&str]) -> Value {
    json!({"channel": channel, "title": "Maintenance", "text": "Saturday 08:00 UTC",
        "recipient": {"role_scope": scope, "role_value": roles}})
}

fn member(user: &str, on: &Value, role: &str) -> Value {
    json!({"kind": "membership", "user": user, "on": on, "role": role})
}

fn lent(user: &str, role: &str) -> Value {
    json!({"kind": "membership", "user": user, "on": {"group": "team"}, "role": role, "scope": "APPLICATION"})
}

fn subscription(application: &str, status: &str, by: &str) -> Value {
    json!({"kind": "subscription", "id": format!("s-{application}"), "api": "pets", "application": application,
        "status": status, "subscribed_by": by})
}

fn lines() -> Vec<Value> {
    let default = json!({"environment": "DEFAULT"});
    let mut lines = vec![
        json!({"kind": "environment", "id": "OTHER", "name": "Other"}),
        json!({"kind": "group", "id": "team", "name": "Team"}),
        json!({"kind": "api", "id": "pets", "name": "Pets", "environment": "DEFAULT"}),
        json!({"kind": "api", "id": "toys", "name": "Toys", "environment": "DEFAULT"}),
        json!({"kind": "api", "id": "far", "name": "Far", "environment": "OTHER"}),
    ];
    for application in ["shop", "late", "old", "soon"] {
        let groups: &[&str] = if application == "shop" { &["team"] } else { &[] };
        lines.push(
            json!({"kind": "application", "id": application, "name": application, "environment": "DEFAULT",
            "groups": groups}),
        );
    }
    for login in PEOPLE {
        let email = match login {
            // Two share an address, and one has none.
            "amy" => json!("Ann@example.com"),
            "cas" => Value::Null,
            login => json!(format!("{login}@example.com")),
        };
        lines.push(json!({"kind": "user", "id": login, "login": login, "name": login, "email": email}));
    }
    let application = |id: &str| json!({"application": id});
    lines.extend([
        member("sender", &default, "ADMIN"),
        member("plain", &default, "USER"),
        member("ann", &default, "USER"),
        member("amy", &default, "USER"),
        member("gus", &default, "USER"),
        member("bob", &json!({"environment": "OTHER"}), "USER"),
        member("owner", &json!({"api": "pets"}), "PRIMARY_OWNER"),
        member("ann", &application("shop"), "OWNER"),
        member("cas", &application("shop"), "PRIMARY_OWNER"),
        member("gus", &application("shop"), "OWNER"),
        lent("bob", "OWNER"),
        lent("bob", "PRIMARY_OWNER"),
        lent("amy", "USER"),
        member("dan", &application("late"), "OWNER"),
        member("eve", &application("old"), "OWNER"),
        member("fay", &application("soon"), "OWNER"),
        subscription("shop", "ACCEPTED", "ann"),
        subscription("late", "PENDING", "dan"),
        subscription("old", "CLOSED", "eve"),
    ]);
    let mut soon = subscription("soon", "ACCEPTED", "fay");
    soon["starting_at"] = json!("2100-01-01T00:00:00Z");
    lines.push(soon);
    lines
}

/// The last message that was sent.
pub(super) async fn last_id(house: &House) -> MessageId {
    let ask = house.world.get("/api/v1/messages?limit=1").bearer(&house.token);
    let page = ask.send().await.is(200).json();
    MessageId(page["items"][0]["id"].as_i64().unwrap())
}
