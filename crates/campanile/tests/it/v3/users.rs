//! People: made, read, changed, moved, kept out.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use super::site::{PASSWORD, Site};
use super::{blamed, message};
use crate::world::{World, each_world};

const FIELDS: [&str; 12] = [
    "approved",
    "customer_id",
    "email",
    "full_name",
    "guid",
    "id",
    "language_tag",
    "locked_out",
    "mobile",
    "name",
    "phone",
    "roles",
];

#[test]
fn a_person_is_made_and_found_where_the_answer_says() {
    each_world(async |world| {
        let site = Site::new(world).await;
        let body = json!({"login": "ann", "password": PASSWORD, "email": "ann@example.com", "full_name": "Ann Lee",
            "phone": "+420 1", "mobile": "+420 2", "language_tag": "en-US", "roles": ["Customer Admin", "ReportUser"],
            "customer_id": 18});
        let said = site.post("/V3/Users/", "root", &body).await.is(201);
        let made = said.json();
        let guid = made["guid"].as_str().unwrap();
        assert_eq!(
            said.header("location"),
            format!("http://campanile.test/v3/users/{guid}")
        );
        let fields: Vec<_> = made.as_object().unwrap().keys().cloned().collect();
        assert_eq!(fields, FIELDS);
        for (field, value) in [
            ("name", json!("ann")),
            ("full_name", json!("Ann Lee")),
            ("phone", json!("+420 1")),
            ("mobile", json!("+420 2")),
            ("email", json!("ann@example.com")),
            ("approved", json!(true)),
            ("locked_out", json!(false)),
            ("language_tag", json!("en-US")),
            ("roles", json!(["CustomerAdmin", "ReportUser"])),
            ("customer_id", json!(18)),
        ] {
            assert_eq!(made[field], value, "{field}");
        }
        let path = said.header("location").strip_prefix("http://campanile.test").unwrap();
        assert_eq!(site.get(path, "root").await.is(200).json(), made);
        let asks = world.get(path).basic("ANN", PASSWORD).send().await.is(200);
        assert_eq!(asks.json(), made);
        // In the directory they have a key of their own.
        let found = site.admin.get("/api/v1/users?q=ann").await.is(200).json()["items"][0].clone();
        assert_eq!((&found["login"], &found["guid"]), (&json!("ann"), &json!(guid)));
        assert_eq!(found["asm_role"], json!("CustomerAdmin"));
        assert_ne!(found["id"], json!("ann"));
    });
}

#[test]
fn who_is_made_without_more_has_what_is_usual() {
    each_world(async |world| {
        let site = Site::new(world).await;
        let made = site.user("ann", "boss", &json!({"full_name": "", "phone": ""})).await;
        assert_eq!(
            (&made["full_name"], &made["customer_id"], &made["roles"]),
            (&json!("ann"), &json!(17), &json!(["User"]))
        );
        assert_eq!((&made["phone"], &made["language_tag"]), (&Value::Null, &Value::Null));
        assert_eq!(site.user("bob", "root", &json!({})).await["customer_id"], Value::Null);
    });
}

#[test]
fn a_change_keeps_what_it_does_not_name() {
    each_world(async |world| {
        let site = Site::new(world).await;
        let more =
            json!({"phone": "1", "mobile": "2", "roles": ["CheckAdmin"], "language_tag": "cs", "customer_id": 17});
        let made = site.user("ann", "root", &more).await;
        let guid = made["guid"].as_str().unwrap();
        let put = async |who: &str, mut body: Value| {
            body["guid"] = json!(guid.to_lowercase());
            site.put("/v3/users", who, &body).await.is(200).json()
        };
        assert_eq!(put("boss", json!({})).await, made);
        assert_eq!(
            put("boss", json!({"phone": null, "roles": null, "email": null})).await,
            made
        );
        // What was read can be written back, also by who could not have given all of it.
        assert_eq!(put("boss", made.clone()).await, made);
        let changed = put(
            "boss",
            json!({"full_name": "Ann L", "phone": "", "language_tag": "", "login": "Ann"}),
        )
        .await;
        let mut wanted = made.clone();
        wanted["full_name"] = json!("Ann L");
        wanted["name"] = json!("Ann");
        wanted["phone"] = Value::Null;
        wanted["language_tag"] = Value::Null;
        assert_eq!(changed, wanted);
        let changed = put("boss", json!({"roles": ["User"]})).await;
        assert_eq!(changed["roles"], json!(["User"]));
        let same = json!({"guid": guid, "roles": ["CheckAdmin"]});
        site.put("/v3/users", "boss", &same).await.is(403);
    });
}

#[test]
fn a_login_that_is_taken_and_what_does_not_fit_are_told_by_field() {
    each_world(async |world| {
        let site = Site::new(world).await;
        let body = json!({"login": "PLAIN", "password": PASSWORD, "email": "x@example.com"});
        let said = site.post("/v3/users", "boss", &body).await.is(400);
        assert_eq!(blamed(&said), ["user.login"]);
        let long = "x".repeat(201);
        for (field, value) in [
            ("login", json!("")),
            ("login", json!(long)),
            ("login", json!("a\u{7}b")),
            ("full_name", json!(long)),
            ("full_name", json!("a\nb")),
            ("full_name", json!("")),
            ("email", json!("nowhere")),
            ("email", json!("")),
            ("phone", json!("1".repeat(51))),
            ("phone", json!("1\n2")),
            ("mobile", json!("1".repeat(51))),
            ("language_tag", json!("english")),
            ("password", json!("short")),
            ("password", json!("plain")),
            ("customer_id", json!(4711)),
            ("roles[1]", json!(["User", "King"])),
        ] {
            let name = field.split('[').next().unwrap();
            let body = json!({"guid": site.guid("plain"), name: value});
            let said = site.put("/v3/users", "root", &body).await.is(400);
            assert_eq!(blamed(&said), [format!("user.{field}")], "{body}");
        }
        // Nothing of it was done.
        let plain = site
            .get(&format!("/v3/users/{}", site.guid("plain")), "root")
            .await
            .json();
        assert_eq!((&plain["name"], &plain["roles"]), (&json!("plain"), &json!(["User"])));
    });
}

#[test]
fn who_moves_to_another_customer_keeps_their_history() {
    each_world(async |world| {
        let site = Site::new(world).await;
        let send = async |customer: i64| {
            let audience = json!([{"kind": "customer", "customer": customer}]);
            let body = json!({"title": "Hello", "late_joiners": "at_send", "audience": audience});
            site.admin.post("/api/v1/messages", &body).await.is(201);
        };
        send(17).await;
        let body = json!({"guid": site.guid("plain"), "customer_id": 99});
        let said = site.put("/v3/users", "root", &body).await.is(200);
        assert_eq!(said.json()["customer_id"], json!(99));
        assert!(!site.listed("boss").await.contains(&"plain".to_owned()));
        assert!(site.listed("rival").await.contains(&"plain".to_owned()));
        send(17).await;
        send(99).await;
        let token = world.token(site.id("plain")).await;
        let inbox = world.get("/api/v1/inbox").bearer(&token).send().await.is(200).json();
        assert_eq!(inbox["items"].as_array().map(Vec::len), Some(2), "{inbox}");
        // A customer administrator moves theirs among their own customers alone.
        let to = |customer: i64| json!({"guid": site.guid("below"), "customer_id": customer});
        site.put("/v3/users", "boss", &to(17)).await.is(200);
        site.put("/v3/users", "boss", &to(99)).await.is(403);
    });
}

/// The statuses with which somebody is let in: by password as Basic and by log-in, session, token and ticket.
async fn doors(world: &World, login: &str, cookie: &str, token: &str, ticket: &str) -> [u16; 6] {
    let by = async |ask: crate::world::Ask<'_>| ask.send().await.status.as_u16();
    let typed = json!({"login": login, "password": PASSWORD});
    [
        by(world.get("/v3/users").basic(login, PASSWORD)).await,
        by(world.get("/api/v1/me").basic(login, PASSWORD)).await,
        by(world.post("/api/v1/session").json(&typed)).await,
        by(world.get("/api/v1/me").cookie(cookie)).await,
        by(world.get("/api/v1/me").bearer(token)).await,
        by(world.get(&format!("/v3/users?auth_ticket={ticket}"))).await,
    ]
}

#[test]
fn who_is_locked_out_or_not_approved_comes_in_nowhere() {
    each_world(async |world| {
        let site = Site::new(world).await;
        let log_in = json!({"login": "plain", "password": PASSWORD});
        let token = world.token(site.id("plain")).await;
        let ticket = site.ticket("plain");
        let put = async |more: Value| {
            let mut body = json!({"guid": site.guid("plain")});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            site.put("/v3/users", "boss", &body).await.is(200).json()
        };
        for (out, back) in [
            (json!({"locked_out": true}), json!({"locked_out": false})),
            (json!({"approved": false}), json!({"approved": true})),
        ] {
            let said = world.post("/api/v1/session").json(&log_in).send().await.is(201);
            let cookie = said.set_cookie();
            let open = [200, 200, 201, 200, 200, 200];
            assert_eq!(doors(world, "plain", &cookie, &token, ticket).await, open);
            let field = out.as_object().unwrap().keys().next().unwrap().clone();
            assert_eq!(put(out.clone()).await[&field], out[&field]);
            assert_eq!(
                doors(world, "plain", &cookie, &token, ticket).await,
                [401; 6],
                "{field}"
            );
            let page = world
                .get("/inbox")
                .cookie(&cookie)
                .header("accept", "text/html")
                .send()
                .await;
            assert_ne!(page.status.as_u16(), 200, "{field}");
            // Still there for who looks after them, and nobody else is out.
            assert!(site.listed("boss").await.contains(&"plain".to_owned()));
            site.get("/v3/users", "below").await.is(200);
            put(back).await;
            // Sessions do not come back.
            world.get("/api/v1/me").cookie(&cookie).send().await.is(401);
            world.get("/api/v1/me").bearer(&token).send().await.is(200);
            site.get("/v3/users", "plain").await.is(200);
            // Failed log-ins are forgotten by then.
            world.advance(Duration::from_hours(1));
        }
    });
}

#[test]
fn who_is_made_unapproved_comes_in_once_approved() {
    each_world(async |world| {
        let site = Site::new(world).await;
        let made = site.user("ann", "boss", &json!({"approved": false})).await;
        world.get("/v3/users").basic("ann", PASSWORD).send().await.is(401);
        let body = json!({"guid": made["guid"], "approved": true});
        site.put("/v3/users", "boss", &body).await.is(200);
        world.get("/v3/users").basic("ann", PASSWORD).send().await.is(200);
    });
}

#[test]
fn nobody_keeps_themselves_out() {
    each_world(async |world| {
        let site = Site::new(world).await;
        for who in ["boss", "root", "admin"] {
            for (field, value) in [("locked_out", true), ("approved", false)] {
                let body = json!({"guid": site.guid(who), field: value});
                let said = site.put("/v3/users", who, &body).await.is(400);
                assert_eq!(blamed(&said), [format!("user.{field}")]);
            }
            site.get("/v3/users", who).await.is(200);
        }
    });
}

#[test]
fn a_long_list_says_where_it_goes_on() {
    each_world(async |world| {
        let site = Site::new(world).await;
        let (mut path, mut names) = ("/v3/users?limit=3".to_owned(), Vec::new());
        for pages in 1.. {
            let said = site.get(&path, "root").await.is(200);
            let page = said.json();
            names.extend(
                page.as_array()
                    .unwrap()
                    .iter()
                    .map(|user| user["name"].as_str().unwrap().to_owned()),
            );
            let link = said.header("link");
            if link.is_empty() {
                assert_eq!(pages, 3);
                break;
            }
            let next = link.strip_prefix("<http://campanile.test").unwrap();
            next.strip_suffix(">; rel=\"next\"").unwrap().clone_into(&mut path);
            assert!(!path.contains("auth_ticket"), "{path}");
        }
        assert_eq!(names, site.listed("root").await);
        assert_eq!(
            site.get("/v3/users?limit=1", "boss").await.is(200).json()[0]["name"],
            json!("boss")
        );
    });
}

#[test]
fn the_password_is_told_nowhere() {
    each_world(async |world| {
        let site = Site::new(world).await;
        let body = json!({"login": "ann", "password": "short", "email": "a@b.c"});
        let said = site
            .ask(Method::POST, "/v3/users", "boss")
            .json(&body)
            .send()
            .await
            .is(400);
        assert!(!message(&said).contains("short"));
        assert_eq!(
            said.json()["ModelState"]["user.password"],
            json!(["must have 8 to 1024 bytes"])
        );
    });
}
