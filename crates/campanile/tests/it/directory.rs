//! The directory over HTTP: each kind through its life, and what is particular to some.

use serde_json::{Value, json};

use crate::world::{Said, World, each_world};

/// A client with a personal token.
pub(crate) struct Client<'w> {
    pub(crate) world: &'w World,
    pub(crate) token: String,
}

impl<'w> Client<'w> {
    pub(crate) async fn admin(world: &'w World) -> Self {
        let token = world.admin().await;
        Self { world, token }
    }

    pub(crate) async fn get(&self, path: &str) -> Said {
        self.world.get(path).bearer(&self.token).send().await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Said {
        self.world.post(path).bearer(&self.token).json(body).send().await
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Said {
        self.world.patch(path).bearer(&self.token).json(body).send().await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Said {
        self.world.put(path).bearer(&self.token).json(body).send().await
    }

    pub(crate) async fn delete(&self, path: &str) -> Said {
        self.world.delete(path).bearer(&self.token).send().await
    }

    /// The ids of a list.
    pub(crate) async fn ids(&self, path: &str) -> Vec<Value> {
        let page = self.get(path).await.is(200).json();
        let items = page["items"].as_array().unwrap().iter();
        items.map(|item| item["id"].clone()).collect()
    }
}

/// A kind: one of it, a change, and a fault with its field.
struct Kind {
    name: &'static str,
    id: &'static str,
    one: Value,
    change: Value,
    fault: (Value, &'static str),
    /// What its history says when it has just been made, the newest beginning first.
    facts: &'static [&'static str],
}

/// Each refers only to those above it.
fn kinds() -> [Kind; 7] {
    [
        Kind {
            name: "customers",
            id: "17",
            one: json!({"id": 17, "name": "Acme"}),
            change: json!({"name": "Acme & Sons"}),
            fault: (json!({"parent": 99}), "parent"),
            facts: &["life"],
        },
        Kind {
            name: "environments",
            id: "TEST",
            one: json!({"id": "TEST", "name": "Test"}),
            change: json!({"name": "Trials"}),
            fault: (json!({"name": ""}), "name"),
            facts: &["life"],
        },
        Kind {
            name: "users",
            id: "u-ann",
            one: json!({"id": "u-ann", "login": "ann", "name": "Ann", "email": "ann@example.com", "customer": 17}),
            change: json!({"name": "Anna", "email": null, "locale": "pt-BR", "asm_role": "CustomerAdmin"}),
            fault: (json!({"email": "nowhere"}), "email"),
            facts: &["life", "customer"],
        },
        Kind {
            name: "groups",
            id: "g-1",
            one: json!({"id": "g-1", "name": "Team"}),
            change: json!({"name": "Crew"}),
            fault: (json!({"name": null}), "name"),
            facts: &["life"],
        },
        Kind {
            name: "apis",
            id: "pets",
            one: json!({"id": "pets", "name": "Pets", "environment": "TEST", "groups": ["g-1"]}),
            change: json!({"name": "Animals", "groups": []}),
            fault: (json!({"environment": "DEFAULT"}), "environment"),
            facts: &["life", "group"],
        },
        Kind {
            name: "applications",
            id: "app-1",
            one: json!({"id": "app-1", "name": "Shop", "environment": "TEST", "groups": []}),
            change: json!({"name": "Store", "groups": ["g-1"]}),
            fault: (json!({"groups": ["g-9"]}), "groups[0]"),
            facts: &["life"],
        },
        Kind {
            name: "subscriptions",
            id: "s-1",
            one: json!({"id": "s-1", "api": "pets", "application": "app-1", "status": "PENDING",
                "ending_at": "2030-01-01T00:00:00Z"}),
            change: json!({"status": "ACCEPTED", "subscribed_by": "u-ann", "ending_at": null}),
            fault: (json!({"subscribed_by": "u-nobody"}), "subscribed_by"),
            facts: &["life", "term"],
        },
    ]
}

/// What an object says is in an answer.
#[track_caller]
fn says(answer: &Value, wanted: &Value) {
    for (field, value) in wanted.as_object().unwrap() {
        assert_eq!(&answer[field], value, "{field} of {answer}");
    }
}

fn facts(history: &Value) -> Vec<&str> {
    let items = history["items"].as_array().unwrap().iter();
    items.map(|item| item["what"].as_str().unwrap()).collect()
}

// ---------------------------------------------------------------- every kind

#[test]
fn every_kind_is_made_shown_listed_and_changed() {
    each_world(async |world| {
        let admin = Client::admin(world).await;
        for kind in kinds() {
            let list = format!("/api/v1/{}", kind.name);
            let path = format!("{list}/{}", kind.id);
            let made = admin.post(&list, &kind.one).await.is(201);
            assert_eq!(made.header("location"), path);
            assert_eq!(made.json()["active"], json!(true));
            says(&made.json(), &kind.one);
            assert_eq!(admin.get(&path).await.is(200).json(), made.json());
            assert!(admin.ids(&list).await.contains(&kind.one["id"]));
            let history = admin.get(&format!("{path}/history")).await.is(200).json();
            assert_eq!(facts(&history), kind.facts);
            assert_eq!(history["items"][0]["until"], Value::Null);

            let changed = admin.patch(&path, &kind.change).await.is(200).json();
            says(&changed, &kind.change);
            assert_eq!(changed["created_at"], made.json()["created_at"]);
            assert_eq!(admin.get(&path).await.is(200).json(), changed);
            // With the id of the address it is the same change again.
            let mut again = kind.change.clone();
            again["id"] = kind.one["id"].clone();
            assert_eq!(admin.patch(&path, &again).await.is(200).json(), changed);
        }
    });
}

#[test]
fn every_kind_ends_and_comes_back() {
    each_world(async |world| {
        let admin = Client::admin(world).await;
        for kind in kinds() {
            let list = format!("/api/v1/{}", kind.name);
            let path = format!("{list}/{}", kind.id);
            admin.post(&list, &kind.one).await.is(201);
            assert_eq!(admin.delete(&path).await.is(204).body, "");
            let gone = admin.get(&path).await.is(200).json();
            assert_eq!(gone["active"], json!(false));
            let is_listed = async |filter: &str| {
                let ids = admin.ids(&format!("{list}?active={filter}")).await;
                ids.contains(&kind.one["id"])
            };
            assert_eq!((is_listed("true").await, is_listed("false").await), (false, true));
            let history = admin.get(&format!("{path}/history")).await.is(200).json();
            let life = history["items"]
                .as_array()
                .unwrap()
                .iter()
                .find(|item| item["what"] == "life");
            assert!(life.unwrap()["until_at"].is_string(), "{history}");
            admin.delete(&path).await.is(404);
            admin.patch(&path, &kind.change).await.is(404);

            let back = admin.post(&list, &kind.one).await.is(201).json();
            assert_eq!(
                (&back["active"], &back["created_at"]),
                (&json!(true), &gone["created_at"])
            );
            let history = admin.get(&format!("{path}/history")).await.is(200).json();
            assert_eq!(facts(&history).iter().filter(|what| **what == "life").count(), 2);
        }
    });
}

#[test]
fn every_kind_says_what_is_wrong() {
    each_world(async |world| {
        let admin = Client::admin(world).await;
        for kind in kinds() {
            let list = format!("/api/v1/{}", kind.name);
            let path = format!("{list}/{}", kind.id);
            admin.get(&path).await.is(404);
            admin.get(&format!("{path}/history")).await.is(404);
            admin.patch(&path, &kind.change).await.is(404);
            admin.delete(&path).await.is(404);
            assert!(
                !admin
                    .post(&list, &json!({"id": kind.one["id"]}))
                    .await
                    .is(422)
                    .fields()
                    .is_empty()
            );
            admin.get(&path).await.is(404);

            admin.post(&list, &kind.one).await.is(201);
            let before = admin.get(&path).await.is(200).json();
            admin.post(&list, &kind.one).await.is(409);
            let (fault, field) = kind.fault;
            assert_eq!(
                admin.patch(&path, &fault).await.is(422).fields(),
                [field],
                "{}",
                kind.name
            );
            let other = if kind.name == "customers" {
                json!({"id": 18})
            } else {
                json!({"id": "other"})
            };
            assert_eq!(admin.patch(&path, &other).await.is(422).fields(), ["id"]);
            assert_eq!(
                admin.patch(&path, &json!({"colour": 1})).await.is(400).fields(),
                ["colour"]
            );
            let query = admin.get(&format!("{list}?colour=1")).await.is(400);
            assert_eq!(query.fields(), ["colour"]);
            assert_eq!(admin.get(&format!("{list}?limit=0")).await.is(422).fields(), ["limit"]);
            assert_eq!(
                admin.get(&format!("{list}?cursor=x")).await.is(422).fields(),
                ["cursor"]
            );
            assert_eq!(admin.get(&path).await.is(200).json(), before);
        }
    });
}

#[test]
fn a_list_is_paged_through_without_gap_or_repetition() {
    each_world(async |world| {
        let admin = Client::admin(world).await;
        for at in 1..=5 {
            let group = json!({"id": format!("g-{at}"), "name": "Team"});
            admin.post("/api/v1/groups", &group).await.is(201);
        }
        admin
            .patch("/api/v1/groups/g-1", &json!({"name": "A team"}))
            .await
            .is(200);
        let (mut ids, mut path) = (Vec::new(), "/api/v1/groups?limit=2&q=g-".to_owned());
        let mut sizes = Vec::new();
        loop {
            let page = admin.get(&path).await.is(200).json();
            let items = page["items"].as_array().unwrap();
            sizes.push(items.len());
            ids.extend(items.iter().map(|item| item["id"].clone()));
            let Some(next) = page["next"].as_str() else { break };
            path = format!("/api/v1/groups?limit=2&q=g-&cursor={next}");
        }
        assert_eq!(ids, ["g-1", "g-2", "g-3", "g-4", "g-5"]);
        assert_eq!(sizes, [2, 2, 1]);
    });
}

#[test]
fn a_history_is_paged_through() {
    each_world(async |world| {
        let admin = Client::admin(world).await;
        for id in 1..=3 {
            let customer = json!({"id": id, "name": "Acme"});
            admin.post("/api/v1/customers", &customer).await.is(201);
        }
        let user = json!({"id": "u-ann", "login": "ann", "name": "Ann", "customer": 1});
        admin.post("/api/v1/users", &user).await.is(201);
        for id in 2..=3 {
            admin
                .patch("/api/v1/users/u-ann", &json!({"customer": id}))
                .await
                .is(200);
        }
        let (mut seen, mut path) = (Vec::new(), "/api/v1/users/u-ann/history?limit=1".to_owned());
        loop {
            let page = admin.get(&path).await.is(200).json();
            assert_eq!(page["items"].as_array().unwrap().len(), 1);
            let item = &page["items"][0];
            seen.push((item["what"].clone(), item["id"].clone(), item["until"].is_null()));
            let Some(next) = page["next"].as_str() else { break };
            path = format!("/api/v1/users/u-ann/history?limit=1&cursor={next}");
        }
        let fact = |what: &str, id: Value, holds| (json!(what), id, holds);
        let wanted = [
            fact("customer", json!(3), true),
            fact("customer", json!(2), false),
            fact("life", Value::Null, true),
            fact("customer", json!(1), false),
        ];
        assert_eq!(seen, wanted);
    });
}

#[test]
fn an_id_is_escaped_in_an_address() {
    each_world(async |world| {
        let admin = Client::admin(world).await;
        let group = json!({"id": "a/b c?d%é", "name": "Team"});
        let made = admin.post("/api/v1/groups", &group).await.is(201);
        assert_eq!(made.header("location"), "/api/v1/groups/a%2Fb%20c%3Fd%25%C3%A9");
        says(&admin.get(made.header("location")).await.is(200).json(), &group);
        admin.get("/api/v1/groups/a%00b").await.is(400);
    });
}

// ---------------------------------------------------------------- customers

#[test]
fn customers_stand_in_a_tree() {
    each_world(async |world| {
        let admin = Client::admin(world).await;
        let path = "/api/v1/customers";
        admin.post(path, &json!({"id": 3, "name": "Acme"})).await.is(201);
        let child = admin
            .post(path, &json!({"name": "Acme North", "parent": 3}))
            .await
            .is(201);
        let id = child.json()["id"].clone();
        assert_eq!(child.header("location"), format!("{path}/{id}"));
        assert_ne!(id, json!(3));
        assert_eq!(
            admin.get("/api/v1/customers/3").await.json()["has_children"],
            json!(true)
        );
        assert_eq!(admin.ids(&format!("{path}?roots=true")).await, [json!(3)]);
        assert_eq!(json!(admin.ids(&format!("{path}?parent=3")).await), json!([id]));
        assert_eq!(json!(admin.ids(&format!("{path}?q=ACME%20n")).await), json!([id]));
        assert_eq!(
            admin.get(&format!("{path}?parent=3&roots=true")).await.is(422).fields(),
            ["roots"]
        );
        assert_eq!(admin.get(&format!("{path}?parent=3&q=a")).await.is(422).fields(), ["q"]);
        assert_eq!(admin.delete("/api/v1/customers/3").await.is(422).fields(), ["id"]);
        assert_eq!(
            admin
                .patch("/api/v1/customers/3", &json!({"parent": id}))
                .await
                .is(422)
                .fields(),
            ["parent"]
        );
        admin
            .patch(&format!("{path}/{id}"), &json!({"parent": null}))
            .await
            .is(200);
        assert_eq!(admin.ids(&format!("{path}?roots=true")).await, [json!(3), id]);
        admin.delete("/api/v1/customers/3").await.is(204);
        admin.get("/api/v1/customers/x").await.is(400);
    });
}

// ---------------------------------------------------------------- users

#[test]
fn a_user_who_is_ended_is_out_everywhere_at_once() {
    each_world(async |world| {
        let admin = Client::admin(world).await;
        let ann = json!({"id": "u-ann", "login": "ann", "name": "Ann", "password": "a fine password"});
        let made = admin.post("/api/v1/users", &ann).await.is(201);
        assert!(!made.body.contains("password"), "{}", made.body);
        let person = campanile_core::id::PersonId(made.json()["number"].as_i64().unwrap());
        let log_in = json!({"login": "ann", "password": "a fine password"});
        let said = world.post("/api/v1/session").json(&log_in).send().await.is(201);
        let (cookie, token) = (said.set_cookie(), world.token(person).await);
        let statuses = async || {
            let me = "/api/v1/me";
            [
                world.get(me).cookie(&cookie).send().await.status.as_u16(),
                world.get(me).bearer(&token).send().await.status.as_u16(),
                world
                    .get(me)
                    .basic("ann", "a fine password")
                    .send()
                    .await
                    .status
                    .as_u16(),
            ]
        };
        assert_eq!(statuses().await, [200, 200, 200]);
        admin.delete("/api/v1/users/u-ann").await.is(204);
        assert_eq!(statuses().await, [401, 401, 401]);
    });
}

#[test]
fn a_users_password_is_set_changed_and_cleared() {
    each_world(async |world| {
        let admin = Client::admin(world).await;
        let path = "/api/v1/users/u-ann";
        let ann = json!({"id": "u-ann", "login": "ann", "name": "Ann", "password": "short"});
        assert_eq!(admin.post("/api/v1/users", &ann).await.is(422).fields(), ["password"]);
        admin.get(path).await.is(404);
        let ann = json!({"id": "u-ann", "login": "ann", "name": "Ann", "password": "a fine password"});
        admin.post("/api/v1/users", &ann).await.is(201);
        let try_in = async |password: &str| {
            let said = world.get("/api/v1/me").basic("ann", password).send().await;
            said.status.as_u16()
        };
        assert_eq!(try_in("a fine password").await, 200);
        admin
            .patch(path, &json!({"password": "another password"}))
            .await
            .is(200);
        assert_eq!(
            (try_in("a fine password").await, try_in("another password").await),
            (401, 200)
        );
        admin.patch(path, &json!({"name": "Anna"})).await.is(200);
        assert_eq!(try_in("another password").await, 200);
        admin.patch(path, &json!({"password": null})).await.is(200);
        assert_eq!(try_in("another password").await, 401);
    });
}

#[test]
fn users_are_found_by_login_name_address_and_customer() {
    each_world(async |world| {
        let admin = Client::admin(world).await;
        admin
            .post("/api/v1/customers", &json!({"id": 7, "name": "Acme"}))
            .await
            .is(201);
        let ann = json!({"id": "u-1", "login": "ann", "name": "Zoe", "email": "k@example.com", "customer": 7});
        admin.post("/api/v1/users", &ann).await.is(201);
        admin
            .post("/api/v1/users", &json!({"id": "u-2", "login": "bob", "name": "Bob"}))
            .await
            .is(201);
        for found in ["q=AN", "q=zo", "q=k%40EX", "customer=7", "customer=7&q=ann&active=true"] {
            assert_eq!(
                admin.ids(&format!("/api/v1/users?{found}")).await,
                [json!("u-1")],
                "{found}"
            );
        }
        for nobody in ["q=nn", "customer=8", "q=ann&active=false"] {
            assert!(
                admin.ids(&format!("/api/v1/users?{nobody}")).await.is_empty(),
                "{nobody}"
            );
        }
    });
}

// ---------------------------------------------------------------- subscriptions

#[test]
fn subscriptions_are_found_by_what_they_join() {
    each_world(async |world| {
        let admin = Client::admin(world).await;
        for (kind, id) in [("apis", "pets"), ("apis", "toys"), ("applications", "app-1")] {
            let thing = json!({"id": id, "name": id, "environment": "DEFAULT"});
            admin.post(&format!("/api/v1/{kind}"), &thing).await.is(201);
        }
        for (id, api, status) in [("s-1", "pets", "ACCEPTED"), ("s-2", "toys", "PENDING")] {
            let one = json!({"id": id, "api": api, "application": "app-1", "status": status});
            admin.post("/api/v1/subscriptions", &one).await.is(201);
        }
        let ids = async |query: &str| admin.ids(&format!("/api/v1/subscriptions?{query}")).await;
        assert_eq!(ids("api=pets").await, ["s-1"]);
        assert_eq!(ids("application=app-1").await, ["s-1", "s-2"]);
        assert_eq!(ids("application=app-1&status=PENDING").await, ["s-2"]);
        assert_eq!(ids("q=s-").await, ["s-1", "s-2"]);
        assert_eq!(
            admin.get("/api/v1/subscriptions?status=GONE").await.is(400).fields(),
            ["status"]
        );
        // With an end goes what hangs on it.
        admin.delete("/api/v1/apis/pets").await.is(204);
        assert_eq!(ids("active=true").await, ["s-2"]);
    });
}

// ---------------------------------------------------------------- roles

#[test]
fn a_role_is_put_listed_and_ended() {
    each_world(async |world| {
        let admin = Client::admin(world).await;
        let path = "/api/v1/roles/API/ON%20CALL";
        admin.get(path).await.is(404);
        let made = admin
            .put(path, &json!({"permissions": {"MESSAGE": "CR"}}))
            .await
            .is(201);
        assert_eq!(made.header("location"), path);
        let wanted = json!({"scope": "API", "name": "ON CALL", "system": false, "permissions": {"MESSAGE": "CR"}});
        assert_eq!(made.json(), wanted);
        let again = json!({"scope": "API", "name": "ON CALL", "permissions": {"MESSAGE": "R"}});
        assert_eq!(
            admin.put(path, &again).await.is(200).json()["permissions"],
            json!({"MESSAGE": "R"})
        );
        assert_eq!(
            admin.get(path).await.is(200).json()["permissions"],
            json!({"MESSAGE": "R"})
        );
        let page = admin.get("/api/v1/roles?scope=API").await.is(200).json();
        let names: Vec<_> = page["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|role| &role["name"])
            .collect();
        assert_eq!(names, ["ON CALL", "OWNER", "PRIMARY_OWNER", "REVIEWER", "USER"]);
        admin.delete(path).await.is(204);
        admin.delete(path).await.is(404);
    });
}

#[test]
fn a_role_says_what_is_wrong() {
    each_world(async |world| {
        let admin = Client::admin(world).await;
        let path = "/api/v1/roles/API/CALL";
        let fields = async |body: Value| admin.put(path, &body).await.is(422).fields();
        assert_eq!(
            fields(json!({"permissions": {"MESSAGE": "X"}})).await,
            ["permissions.MESSAGE"]
        );
        assert_eq!(fields(json!({"name": "B", "permissions": {}})).await, ["name"]);
        assert_eq!(
            fields(json!({"scope": "APPLICATION", "permissions": {}})).await,
            ["scope"]
        );
        admin.put(path, &json!({})).await.is(400);
        admin.get("/api/v1/roles/COUNTRY/CALL").await.is(400);
        let owner = "/api/v1/roles/API/OWNER";
        assert_eq!(
            admin
                .put(owner, &json!({"permissions": {"NEW": "C"}}))
                .await
                .is(422)
                .fields(),
            ["permissions"]
        );
        assert_eq!(admin.delete(owner).await.is(422).fields(), ["name"]);
    });
}

// ---------------------------------------------------------------- memberships

#[test]
fn a_membership_is_made_listed_and_ended() {
    each_world(async |world| {
        let admin = Client::admin(world).await;
        admin
            .post("/api/v1/users", &json!({"id": "u-ann", "login": "ann", "name": "Ann"}))
            .await
            .is(201);
        admin
            .post("/api/v1/groups", &json!({"id": "g-1", "name": "Team"}))
            .await
            .is(201);
        for kind in ["apis", "applications"] {
            let thing = json!({"id": "t-1", "name": "Thing", "environment": "DEFAULT"});
            admin.post(&format!("/api/v1/{kind}"), &thing).await.is(201);
        }
        let places = [
            ("organization", "DEFAULT", ""),
            ("environment", "DEFAULT", ""),
            ("api", "t-1", ""),
            ("application", "t-1", ""),
            ("group", "g-1", "APPLICATION"),
            ("group", "g-1", "API"),
        ];
        for (place, id, scope) in places {
            let mut wanted = json!({"user": "u-ann", "on": {place: id}, "role": "USER"});
            let mut query = format!("{place}={id}&role=USER");
            if !scope.is_empty() {
                wanted["scope"] = json!(scope);
                query = format!("{query}&scope={scope}");
            }
            assert_eq!(admin.post("/api/v1/memberships", &wanted).await.is(201).json(), wanted);
            admin.post("/api/v1/memberships", &wanted).await.is(409);
            let of_place = admin.get(&format!("/api/v1/memberships?{query}")).await.is(200).json();
            says(&of_place["items"][0], &wanted);
            let of_user = admin.get("/api/v1/memberships?user=u-ann").await.is(200).json();
            assert_eq!(of_user, of_place);

            let path = format!("/api/v1/memberships?user=u-ann&{query}");
            admin.delete(&path).await.is(204);
            admin.delete(&path).await.is(404);
            let of_place = admin.get(&format!("/api/v1/memberships?{query}")).await.is(200).json();
            assert_eq!(of_place["items"], json!([]));
        }
        let history = admin.get("/api/v1/users/u-ann/history").await.is(200).json();
        assert_eq!(
            facts(&history).iter().filter(|what| **what == "membership").count(),
            places.len()
        );
    });
}

#[test]
fn a_membership_says_what_is_wrong() {
    each_world(async |world| {
        let admin = Client::admin(world).await;
        admin
            .post("/api/v1/users", &json!({"id": "u-ann", "login": "ann", "name": "Ann"}))
            .await
            .is(201);
        admin
            .post("/api/v1/groups", &json!({"id": "g-1", "name": "Team"}))
            .await
            .is(201);
        let posts = [
            (
                json!({"user": "u-bob", "on": {"environment": "DEFAULT"}, "role": "USER"}),
                "user",
            ),
            (
                json!({"user": "u-ann", "on": {"environment": "MOON"}, "role": "USER"}),
                "on.environment",
            ),
            (
                json!({"user": "u-ann", "on": {"environment": "DEFAULT"}, "role": "KING"}),
                "role",
            ),
            (
                json!({"user": "u-ann", "on": {"group": "g-1"}, "role": "USER"}),
                "scope",
            ),
        ];
        for (body, field) in posts {
            assert_eq!(admin.post("/api/v1/memberships", &body).await.is(422).fields(), [field]);
        }
        let deletes = [
            ("user=u-ann&environment=MOON&role=USER", "environment"),
            ("user=u-ann&group=g-1&role=USER", "scope"),
            ("user=u-ann&role=USER", ""),
            ("user=u-ann&api=a&application=b&role=USER", ""),
        ];
        for (query, field) in deletes {
            let said = admin.delete(&format!("/api/v1/memberships?{query}")).await.is(422);
            assert_eq!(said.fields(), [field], "{query}");
        }
        let lists = [
            ("", ""),
            ("user=u-ann&api=pets", ""),
            ("user=u-ann&role=USER", "user"),
            ("group=g-1", "scope"),
        ];
        for (query, field) in lists {
            let said = admin.get(&format!("/api/v1/memberships?{query}")).await.is(422);
            assert_eq!(said.fields(), [field], "{query}");
        }
        admin
            .delete("/api/v1/memberships?environment=DEFAULT&role=USER")
            .await
            .is(400);
    });
}
