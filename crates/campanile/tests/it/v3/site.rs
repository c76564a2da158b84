//! A platform with a tree of customers and somebody of each kind in it, each with a ticket.

use std::collections::BTreeMap;

use campanile_core::account::ticket;
use campanile_core::id::PersonId;
use http::Method;
use serde_json::{Value, json};

use crate::directory::Client;
use crate::world::{Ask, Said, World};

/// The password of everybody.
pub(super) const PASSWORD: &str = "seven brass bells";

/// Who is there: a root administrator of no customer, the administrator of customer 17, somebody of 17 and of 18 below
/// it, and the administrator and somebody of 99, which is another tree.
const PEOPLE: [(&str, Option<i64>, &str); 6] = [
    ("root", None, "RootAdmin"),
    ("boss", Some(17), "CustomerAdmin"),
    ("plain", Some(17), "User"),
    ("below", Some(18), "User"),
    ("rival", Some(99), "CustomerAdmin"),
    ("foreign", Some(99), "User"),
];

/// The platform.
pub(super) struct Site<'w> {
    pub(super) world: &'w World,
    pub(super) admin: Client<'w>,
    people: BTreeMap<&'static str, Person>,
}

struct Person {
    id: PersonId,
    guid: String,
    ticket: String,
}

impl<'w> Site<'w> {
    pub(super) async fn new(world: &'w World) -> Self {
        let admin = Client::admin(world).await;
        let mut lines = vec![
            json!({"kind": "customer", "id": 17, "name": "Acme"}),
            json!({"kind": "customer", "id": 18, "name": "Acme North", "parent": 17}),
            json!({"kind": "customer", "id": 99, "name": "Rivals"}),
        ];
        for (login, customer, role) in PEOPLE {
            lines.push(
                json!({"kind": "user", "id": format!("u-{login}"), "login": login, "name": login,
                "customer": customer, "asm_role": role, "password": PASSWORD}),
            );
        }
        let mut site = Self {
            world,
            admin,
            people: BTreeMap::new(),
        };
        site.import(&lines).await;
        for (login, ..) in PEOPLE {
            let user = site.admin.get(&format!("/api/v1/users/u-{login}")).await.is(200).json();
            site.note(login, user["number"].as_i64().unwrap(), user["guid"].as_str().unwrap())
                .await;
        }
        let user = site.admin.get("/api/v1/users/admin").await.is(200).json();
        site.note("admin", 1, user["guid"].as_str().unwrap()).await;
        site
    }

    async fn note(&mut self, login: &'static str, id: i64, guid: &str) {
        let (id, guid) = (PersonId(id), guid.to_owned());
        let ticket = self.ticket_of(id).await;
        self.people.insert(login, Person { id, guid, ticket });
    }

    /// Makes these lines of a directory file true.
    pub(super) async fn import(&self, lines: &[Value]) {
        let file = lines.iter().map(Value::to_string).collect::<Vec<_>>().join("\n");
        let ask = self.world.post("/api/v1/directory/import").bearer(&self.admin.token);
        let said = ask.body(file).send().await.is(200);
        assert_eq!(said.json()["ok"], json!(true), "{}", said.body);
    }

    /// The ticket of a person, as their page shows it.
    pub(super) async fn ticket_of(&self, person: PersonId) -> String {
        let key = self.world.app.key.clone();
        let ticket = self.world.app.db.jot(move |tx| ticket::current(tx, &key, person));
        ticket.await.unwrap()
    }

    pub(super) fn id(&self, who: &str) -> PersonId {
        self.people[who].id
    }

    pub(super) fn guid(&self, who: &str) -> &str {
        &self.people[who].guid
    }

    pub(super) fn ticket(&self, who: &str) -> &str {
        &self.people[who].ticket
    }

    /// A request of somebody's; of nobody's for the empty name.
    pub(super) fn ask(&self, method: Method, path: &str, who: &str) -> Ask<'w> {
        if who.is_empty() {
            return self.world.ask(method, path);
        }
        let joint = if path.contains('?') { '&' } else { '?' };
        let ticket = self.ticket(who);
        self.world.ask(method, &format!("{path}{joint}auth_ticket={ticket}"))
    }

    pub(super) async fn get(&self, path: &str, who: &str) -> Said {
        self.ask(Method::GET, path, who).send().await
    }

    pub(super) async fn post(&self, path: &str, who: &str, body: &Value) -> Said {
        self.ask(Method::POST, path, who).json(body).send().await
    }

    pub(super) async fn put(&self, path: &str, who: &str, body: &Value) -> Said {
        self.ask(Method::PUT, path, who).json(body).send().await
    }

    /// A new user of that login, made by somebody.
    pub(super) async fn user(&self, login: &str, who: &str, more: &Value) -> Value {
        let email = format!("{login}@example.com");
        let mut body = json!({"login": login, "password": PASSWORD, "email": email});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.post("/v3/users", who, &body).await.is(201).json()
    }

    /// The logins that somebody finds listed.
    pub(super) async fn listed(&self, who: &str) -> Vec<String> {
        let users = self.get("/v3/users", who).await.is(200).json();
        let name = |user: &Value| user["name"].as_str().unwrap().to_owned();
        users.as_array().unwrap().iter().map(name).collect()
    }
}
