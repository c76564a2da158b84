//! A platform with an API and somebody of each kind, each with a personal token.

use std::collections::BTreeMap;

use campanile_core::id::PersonId;
use http::Method;
use serde_json::{Value, json};

use crate::directory::Client;
use crate::world::{ADMIN_PASSWORD, Ask, Said, World};

/// Who is there beside `admin`, the administrator of the organization: the administrator of the environment, the owner
/// of the API `pets`, and two people of whom one holds a role on the environment and the other none.
const PEOPLE: [(&str, &str); 4] = [
    ("sender", "Eve Sender"),
    ("owner", "Abe Owner"),
    ("plain", "Ann van der Lee"),
    ("other", "Bob"),
];

const THINGS: &str = r#"
{"kind":"environment","id":"TEST","name":"Test"}
{"kind":"api","id":"pets","name":"Pets","environment":"DEFAULT"}
{"kind":"membership","user":"u-sender","on":{"environment":"DEFAULT"},"role":"ADMIN"}
{"kind":"membership","user":"u-owner","on":{"api":"pets"},"role":"PRIMARY_OWNER"}
{"kind":"membership","user":"u-plain","on":{"environment":"DEFAULT"},"role":"USER"}
"#;

/// The platform.
pub(super) struct Site<'w> {
    pub(super) world: &'w World,
    people: BTreeMap<&'static str, (PersonId, String)>,
}

impl<'w> Site<'w> {
    pub(super) async fn new(world: &'w World) -> Self {
        let admin = Client::admin(world).await;
        let mut site = Self {
            world,
            people: BTreeMap::from([("admin", (PersonId(1), admin.token.clone()))]),
        };
        let users = PEOPLE.map(|(login, name)| {
            let (id, email) = (format!("u-{login}"), format!("{login}@example.com"));
            json!({"kind": "user", "id": id, "login": login, "name": name, "email": email})
        });
        let users = users.map(|user| user.to_string()).join("\n");
        site.import(&format!("{users}{THINGS}")).await;
        for (login, _) in PEOPLE {
            let user = admin.get(&format!("/api/v1/users/u-{login}")).await.is(200).json();
            let person = PersonId(user["number"].as_i64().unwrap());
            site.people.insert(login, (person, world.token(person).await));
        }
        site
    }

    /// Makes the lines of a directory file true.
    pub(super) async fn import(&self, lines: &str) {
        let ask = self.ask(Method::POST, "/api/v1/directory/import", "admin");
        let said = ask.body(lines.to_owned()).send().await.is(200);
        assert_eq!(said.json()["ok"], json!(true), "{}", said.body);
    }

    pub(super) fn id(&self, who: &str) -> PersonId {
        self.people[who].0
    }

    /// Somebody's personal token.
    pub(super) fn token(&self, who: &str) -> &str {
        &self.people[who].1
    }

    /// A request of somebody's; of nobody's for the empty name.
    pub(super) fn ask(&self, method: Method, path: &str, who: &str) -> Ask<'w> {
        let ask = self.world.ask(method, path);
        if who.is_empty() {
            ask
        } else {
            ask.bearer(self.token(who))
        }
    }

    pub(super) async fn get(&self, path: &str, who: &str) -> Said {
        self.ask(Method::GET, path, who).send().await
    }

    pub(super) async fn post(&self, path: &str, who: &str, body: &Value) -> Said {
        self.ask(Method::POST, path, who).json(body).send().await
    }

    pub(super) async fn delete(&self, path: &str, who: &str) -> Said {
        self.ask(Method::DELETE, path, who).send().await
    }

    /// A message to one person, by the project's own interface; its id.
    pub(super) async fn tells(&self, who: &str, title: &str) -> String {
        let body = json!({"title": title, "text": format!("*{title}* it is."), "audience": [
            {"kind": "user", "user": format!("u-{who}")}
        ]});
        let made = self.post("/api/v1/messages", "admin", &body).await.is(201).json();
        made["id"].to_string()
    }

    /// The titles of a list of somebody's inbox, by the project's own interface.
    pub(super) async fn titles(&self, view: &str, who: &str) -> Vec<String> {
        let page = self
            .get(&format!("/api/v1/inbox?view={view}"), who)
            .await
            .is(200)
            .json();
        titles(&page["items"])
    }

    /// Logs `admin` in by Basic.
    pub(super) async fn logs_in(&self, path: &str) -> Said {
        let ask = self.world.post(path).basic("admin", ADMIN_PASSWORD);
        ask.json(&json!({})).send().await.is(200)
    }
}

/// The titles of a list.
pub(super) fn titles(list: &Value) -> Vec<String> {
    let items = list.as_array().unwrap().iter();
    items.map(|item| item["title"].as_str().unwrap().to_owned()).collect()
}

/// The cookies that an answer sets, as the client sends them back.
pub(super) fn cookies(said: &Said) -> Vec<String> {
    let set = said.headers.get_all("set-cookie").iter();
    let pair = |line: &http::HeaderValue| line.to_str().unwrap().split(';').next().unwrap().to_owned();
    set.map(pair).collect()
}
