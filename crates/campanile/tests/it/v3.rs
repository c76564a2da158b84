//! The UI messages contract: its transport and its side resources, on both databases.

mod customers;
mod journalled;
mod messages;
mod rights;
mod site;
mod users;

use http::Method;
use serde_json::{Value, json};

use crate::log;
use crate::world::{ADMIN_PASSWORD, Said, each_world};
use site::{PASSWORD, Site};

/// A ticket of the right shape that nobody has.
const NO_TICKET: &str = "01234567-89AB-4DEF-8123-456789ABCDEF";

/// The message of a refusal in the contract's shape.
#[track_caller]
fn message(said: &Said) -> String {
    assert_eq!(said.header("content-type"), "application/json", "{}", said.body);
    said.json()["Message"].as_str().expect(&said.body).to_owned()
}

/// The fields that a refusal blames.
#[track_caller]
fn blamed(said: &Said) -> Vec<String> {
    assert_eq!(message(said), "The request is invalid.");
    let state = said.json()["ModelState"].as_object().expect(&said.body).clone();
    assert!(state.values().all(|reasons| reasons[0].is_string()), "{}", said.body);
    state.keys().cloned().collect()
}

// ---------------------------------------------------------------- addresses

#[test]
fn paths_and_names_of_parameters_are_of_any_case_and_may_end_in_a_slash() {
    each_world(async |world| {
        let site = Site::new(world).await;
        let (guid, ticket) = (site.guid("plain"), site.ticket("plain"));
        for path in [
            format!("/v3/users/{guid}?auth_ticket={ticket}"),
            format!("/V3/USERS/{guid}/?AUTH_TICKET={ticket}"),
            format!(
                "/v3/Users/{}?Auth_Ticket={}",
                guid.to_lowercase(),
                ticket.to_lowercase()
            ),
            format!("/v3/users/{guid}?&auth_ticket={ticket}"),
            format!("/v3/users/{guid}/?&&auth_ticket={ticket}&"),
        ] {
            let said = world.get(&path).send().await.is(200);
            assert_eq!(said.json()["name"], json!("plain"), "{path}");
            assert_eq!(said.header("cache-control"), "no-store");
        }
        let said = site.ask(Method::HEAD, "/V3/Users/", "plain").send().await.is(200);
        assert_eq!(said.body, "");
    });
}

#[test]
fn what_is_not_there_is_refused_in_the_shape_of_the_contract() {
    each_world(async |world| {
        for path in ["/v3", "/V3/", "/v3/nothing", "/v3/users/a/b", "/v3//users"] {
            let said = world.get(path).send().await.is(404);
            assert_eq!(message(&said), "there is nothing at this address", "{path}");
        }
        // A browser that goes there is told the same.
        let ask = world
            .get("/v3/nothing")
            .header("accept", "text/html")
            .header("sec-fetch-mode", "navigate");
        message(&ask.send().await.is(404));
        let said = world.delete("/V3/Users").send().await.is(405);
        assert!(message(&said).contains("Allow"));
        assert_eq!(said.header("allow"), "GET,HEAD,POST,PUT");
        world.ask(Method::OPTIONS, "/v3/roles").send().await.is(405);
        // What is not of this contract is as it was.
        for path in ["/v3x", "/nowhere"] {
            let said = world.get(path).send().await.is(404);
            assert_eq!(said.json()["type"], json!("/problems/missing"), "{path}");
        }
    });
}

// ---------------------------------------------------------------- who asks

#[test]
fn a_ticket_a_password_and_a_personal_token_let_in_and_the_ticket_wins() {
    each_world(async |world| {
        let site = Site::new(world).await;
        let token = world.token(site.id("plain")).await;
        let of_plain = |said: Said| assert_eq!(said.is(200).json()[0]["name"], json!("plain"));
        let with = |query: &str| world.get(&format!("/v3/users{query}"));
        let ticket = format!("?auth_ticket={}", site.ticket("plain"));
        of_plain(with(&ticket).send().await);
        of_plain(with("").basic("plain", PASSWORD).send().await);
        of_plain(with("").bearer(&token).send().await);
        of_plain(with(&ticket).basic("boss", PASSWORD).send().await);
        of_plain(with(&ticket).basic("plain", "not the password").send().await);

        for said in [
            with("").send().await,
            with(&format!("?auth_ticket={NO_TICKET}"))
                .basic("plain", PASSWORD)
                .send()
                .await,
            with("?auth_ticket=").basic("plain", PASSWORD).send().await,
            with("").basic("plain", "not the password").send().await,
            with("").bearer("cmp_nothing").send().await,
            with("").header("authorization", "Digest x").send().await,
        ] {
            let said = said.is(401);
            assert_eq!(said.header("www-authenticate"), "Basic realm=\"Campanile\", Bearer");
            assert!(!message(&said).contains(NO_TICKET));
        }
    });
}

#[test]
fn a_cookie_lets_nobody_in() {
    each_world(async |world| {
        let body = json!({"login": "admin", "password": ADMIN_PASSWORD});
        let cookie = world
            .post("/api/v1/session")
            .json(&body)
            .send()
            .await
            .is(201)
            .set_cookie();
        world.get("/api/v1/me").cookie(&cookie).send().await.is(200);
        world.get("/v3/users").cookie(&cookie).send().await.is(401);
    });
}

#[test]
fn a_renewed_ticket_and_who_has_left_are_nobody() {
    each_world(async |world| {
        let site = Site::new(world).await;
        site.get("/v3/users", "plain").await.is(200);
        let (key, plain) = (world.app.key.clone(), site.id("plain"));
        let renew = move |tx: &mut campanile_store::Tx<'_>| campanile_core::account::ticket::renew(tx, &key, plain);
        world.app.db.jot(renew).await.unwrap();
        site.get("/v3/users", "plain").await.is(401);
        site.get("/v3/users", "below").await.is(200);
        world.deactivate(site.id("below")).await;
        site.get("/v3/users", "below").await.is(401);
    });
}

// ---------------------------------------------------------------- bodies

#[test]
fn a_body_is_json_whatever_the_case_of_its_type_or_without_one() {
    each_world(async |world| {
        let site = Site::new(world).await;
        let body = format!(
            r#"{{"guid": "{}", "phone": "1", "nobody knows": {{}}, "mobile": null}}"#,
            site.guid("plain")
        );
        let put = |media_type: &str| {
            let ask = site.ask(Method::PUT, "/v3/users", "root").body(body.clone());
            if media_type.is_empty() {
                ask
            } else {
                ask.header("content-type", media_type)
            }
        };
        for media_type in [
            "",
            "application/json",
            "Application/json",
            "APPLICATION/JSON; charset=utf-8",
            "text/json",
        ] {
            put(media_type).send().await.is(200);
        }
        for media_type in ["text/plain", "application/x-www-form-urlencoded", "application/xml"] {
            message(&put(media_type).send().await.is(415));
        }
        // Without a body its type says nothing.
        let ask = site.ask(Method::GET, "/v3/roles", "root");
        ask.header("content-type", "application/json").send().await.is(200);
        let ask = site
            .ask(Method::POST, "/v3/users", "root")
            .header("content-type", "text/plain");
        assert_eq!(blamed(&ask.send().await.is(400)), ["user"]);
    });
}

#[test]
fn what_cannot_be_read_is_400_with_the_field_of_its_resource() {
    each_world(async |world| {
        let site = Site::new(world).await;
        let users = "/v3/users";
        let customers = "/v3/customers";
        for (method, path, body, fields) in [
            (Method::POST, users, "{", &["user"] as &[&str]),
            (Method::POST, users, "[]", &["user"]),
            (Method::POST, users, r#"{"login": 5}"#, &["user.login"]),
            (Method::POST, users, r#"{"approved": "yes"}"#, &["user.approved"]),
            (
                Method::POST,
                users,
                "{}",
                &["user.email", "user.login", "user.password"],
            ),
            (Method::PUT, users, "{}", &["user.guid"]),
            (
                Method::POST,
                customers,
                "{}",
                &["customer.contact_email", "customer.name"],
            ),
            (
                Method::POST,
                customers,
                r#"{"subscription": {"period_from_utc": "tomorrow"}}"#,
                &["customer.subscription.period_from_utc"],
            ),
            (
                Method::PUT,
                "/v3/customers/17/subscription",
                r#"{"subscription_type": "Gold"}"#,
                &["customer.subscription.subscription_type"],
            ),
        ] {
            let said = site.ask(method, path, "root").body(body).send().await.is(400);
            assert_eq!(blamed(&said), fields, "{path} {body}");
        }
        let said = site.get("/v3/users?after=x", "root").await.is(400);
        assert_eq!(message(&said), "after must be a whole number");
        assert_eq!(said.json().get("ModelState"), None);
        let too_large = vec![b' '; 10_000_000];
        let said = site
            .ask(Method::POST, users, "root")
            .body(too_large)
            .send()
            .await
            .is(413);
        assert_eq!(message(&said), "the body is larger than this address takes");
    });
}

// ---------------------------------------------------------------- what is written down

#[test]
fn a_request_is_logged_and_counted_by_its_pattern_and_never_with_its_ticket() {
    each_world(async |world| {
        let site = Site::new(world).await;
        let guid = site.guid("plain");
        let log = log::listen();
        let mut said = String::new();
        for path in [
            format!("/V3/Users/{guid}/"),
            format!("/v3/users/{NO_TICKET}"),
            "/v3/nothing".into(),
        ] {
            said += &site.get(&path, "plain").await.body;
        }
        said += &world
            .get(&format!("/v3/users?auth_ticket={NO_TICKET}"))
            .send()
            .await
            .body;
        let text = log.heard();
        let metrics = world.get("/metrics").send().await.is(200).body;
        for written in [&text, &said, &metrics] {
            for secret in [site.ticket("plain"), NO_TICKET, "auth_ticket="] {
                assert!(!written.to_lowercase().contains(&secret.to_lowercase()), "{written}");
            }
        }
        assert!(!text.contains(guid), "{text}");
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let requests = lines.filter(|line| line["target"] == "campanile::request");
        let routes: Vec<_> = requests
            .map(|line| format!("{} {}", line["route"], line["status"]))
            .collect();
        assert_eq!(
            routes,
            [
                "\"/v3/users/{guid}\" 200",
                "\"/v3/users/{guid}\" 404",
                "\"none\" 404",
                "\"/v3/users\" 401"
            ]
        );
        let counted = r#"campanile_http_requests_total{method="GET",route="/v3/users/{guid}",status="2xx"} 1"#;
        assert!(metrics.contains(counted), "{metrics}");
    });
}
