//! Who may do what below `/v3`, in one table: nobody, somebody plain, a customer administrator, a root administrator,
//! the administrator of the organization.

use http::Method;
use serde_json::{Value, json};

use super::message;
use super::site::Site;
use crate::world::each_world;

const WHO: [&str; 5] = ["", "plain", "boss", "root", "admin"];

/// Method and path, `{login}` standing for the GUID of that person, as it does in the body; and the status for each.
type Row = (&'static str, &'static str, [u16; 5]);

/// A GUID that nobody has.
const NO_GUID: &str = "00000000-0000-4000-8000-000000000000";

#[rustfmt::skip]
const TABLE: &[Row] = &[
    ("GET /v3/users", "", [401, 200, 200, 200, 200]),
    ("GET /v3/users/{plain}", "", [401, 200, 200, 200, 200]),
    ("GET /v3/users/{below}", "", [401, 404, 200, 200, 200]),
    ("GET /v3/users/{foreign}", "", [401, 404, 404, 200, 200]),
    ("GET /v3/users/{root}", "", [401, 404, 404, 200, 200]),
    ("GET /v3/users/{nobody}", "", [401, 404, 404, 404, 404]),
    ("GET /v3/users/x", "", [401, 404, 404, 404, 404]),
    // What is missing is told to who may make one.
    ("POST /v3/users", r#"{"customer_id": 18}"#, [401, 403, 400, 400, 400]),
    ("POST /v3/users", r#"{"customer_id": 99}"#, [401, 403, 403, 400, 400]),
    ("POST /v3/users", r#"{"login": "a", "email": "a@b.c", "password": "long enough", "customer_id": 4711}"#,
        [401, 403, 403, 400, 400]),
    ("POST /v3/users", r#"{"login": "b", "email": "a@b.c", "password": "long enough", "roles": ["RootAdmin", "King"]}"#,
        [401, 403, 400, 400, 400]),
    ("PUT /v3/users", r#"{"guid": "{plain}"}"#, [401, 403, 200, 200, 200]),
    ("PUT /v3/users", r#"{"guid": "{below}"}"#, [401, 403, 200, 200, 200]),
    ("PUT /v3/users", r#"{"guid": "{foreign}"}"#, [401, 403, 404, 200, 200]),
    ("PUT /v3/users", r#"{"guid": "{nobody}"}"#, [401, 403, 404, 404, 404]),
    ("PUT /v3/users", r#"{"guid": "{admin}"}"#, [401, 403, 404, 403, 200]),
    ("PUT /v3/users", r#"{"guid": "{root}"}"#, [401, 403, 404, 200, 200]),
    ("PUT /v3/users", r#"{"guid": "{below}", "customer_id": 18}"#, [401, 403, 200, 200, 200]),
    ("PUT /v3/users", r#"{"guid": "{below}", "customer_id": 4711}"#, [401, 403, 403, 400, 400]),
    ("PUT /v3/users", r#"{"guid": "{below}", "roles": ["RootAdmin", "x"]}"#, [401, 403, 400, 400, 400]),
    ("GET /v3/customers/17", "", [401, 404, 200, 200, 200]),
    ("GET /v3/customers/18", "", [401, 404, 200, 200, 200]),
    ("GET /v3/customers/99", "", [401, 404, 404, 200, 200]),
    ("GET /v3/customers/4711", "", [401, 404, 404, 404, 404]),
    ("GET /v3/customers/x", "", [401, 404, 404, 404, 404]),
    ("GET /v3/customers/99999999999999999999", "", [401, 404, 404, 404, 404]),
    ("POST /v3/customers", "{}", [401, 403, 400, 400, 400]),
    ("POST /v3/customers", r#"{"parent_id": 99}"#, [401, 403, 403, 400, 400]),
    ("POST /v3/customers", r#"{"parent_id": 4711, "name": "X", "contact_email": "a@b.c"}"#, [401, 403, 403, 400, 400]),
    ("PUT /v3/customers/17/subscription", "{}", [401, 403, 200, 200, 200]),
    ("PUT /v3/customers/18/subscription", "{}", [401, 403, 200, 200, 200]),
    ("PUT /v3/customers/99/subscription", "{}", [401, 403, 404, 200, 200]),
    ("PUT /v3/customers/4711/subscription", "{}", [401, 403, 404, 404, 404]),
    ("GET /v3/roles", "", [401, 200, 200, 200, 200]),
];

#[test]
fn everybody_may_do_what_the_table_says() {
    each_world(async |world| {
        let site = Site::new(world).await;
        let filled = |text: &str| {
            let people = ["root", "plain", "below", "foreign", "admin"];
            let text = people.into_iter().fold(text.to_owned(), |text, who| {
                text.replace(&format!("{{{who}}}"), site.guid(who))
            });
            text.replace("{nobody}", NO_GUID)
        };
        let mut wrong = Vec::new();
        for (request, body, statuses) in TABLE {
            let (method, path) = request.split_once(' ').unwrap();
            for (who, wanted) in WHO.into_iter().zip(statuses) {
                let method: Method = method.parse().unwrap();
                let mut ask = site.ask(method, &filled(path), who);
                if !body.is_empty() {
                    ask = ask.header("content-type", "application/json").body(filled(body));
                }
                let said = ask.send().await;
                let status = said.status.as_u16();
                if status != *wanted {
                    wrong.push(format!(
                        "{request} {body} by {who:?}: {status}, not {wanted}: {}",
                        said.body
                    ));
                }
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    });
}

#[test]
fn what_is_foreign_and_what_is_unknown_read_alike() {
    each_world(async |world| {
        let site = Site::new(world).await;
        let user = |guid: &str| format!("/v3/users/{guid}");
        let foreign = site.get(&user(site.guid("foreign")), "boss").await.is(404);
        assert_eq!(foreign.body, site.get(&user(NO_GUID), "boss").await.is(404).body);
        let put = async |guid: &str| site.put("/v3/users", "boss", &json!({"guid": guid})).await.is(404).body;
        assert_eq!(put(site.guid("foreign")).await, put(NO_GUID).await);
        let customer = async |id: i64| site.get(&format!("/v3/customers/{id}"), "boss").await.is(404).body;
        assert_eq!(customer(99).await, customer(4711).await);
        let body =
            |customer: i64| json!({"login": "x", "password": "long enough", "email": "x@y.z", "customer_id": customer});
        let post = async |customer: i64| site.post("/v3/users", "boss", &body(customer)).await.is(403).body;
        assert_eq!(post(99).await, post(4711).await);
    });
}

#[test]
fn everybody_finds_those_whom_they_may_see() {
    each_world(async |world| {
        let site = Site::new(world).await;
        let all = ["admin", "root", "boss", "plain", "below", "rival", "foreign"];
        assert_eq!(site.listed("admin").await, all);
        assert_eq!(site.listed("root").await, all);
        assert_eq!(site.listed("boss").await, ["boss", "plain", "below"]);
        assert_eq!(site.listed("rival").await, ["rival", "foreign"]);
        assert_eq!(site.listed("plain").await, ["plain"]);
    });
}

#[test]
fn a_customer_that_moves_takes_its_people_along() {
    each_world(async |world| {
        let site = Site::new(world).await;
        site.import(&[json!({"kind": "customer", "id": 18, "parent": 99})])
            .await;
        assert_eq!(site.listed("boss").await, ["boss", "plain"]);
        assert_eq!(site.listed("rival").await, ["below", "rival", "foreign"]);
        let below = format!("/v3/users/{}", site.guid("below"));
        site.get(&below, "boss").await.is(404);
        site.get(&below, "rival").await.is(200);
        site.get("/v3/customers/18", "boss").await.is(404);
        site.get("/v3/customers/18", "rival").await.is(200);
    });
}

#[test]
fn the_roles_are_those_that_one_may_give() {
    each_world(async |world| {
        let site = Site::new(world).await;
        let roles = async |who: &str| site.get("/v3/roles", who).await.is(200).json();
        assert_eq!(roles("plain").await, json!([]));
        assert_eq!(roles("boss").await, json!(["CustomerAdmin", "User"]));
        let all = roles("root").await;
        assert_eq!(all.as_array().map(Vec::len), Some(16));
        for role in all.as_array().unwrap() {
            let login = role.as_str().unwrap().to_lowercase();
            let made = site.user(&login, "root", &json!({"roles": [role]})).await;
            assert_eq!(made["roles"], json!([role]));
        }
        let refused = async |role: &str| {
            let body = json!({"guid": site.guid("plain"), "roles": [role]});
            message(&site.put("/v3/users", "boss", &body).await.is(403))
        };
        assert_eq!(refused("CheckAdmin").await, "you may not give the role CheckAdmin");
        assert_eq!(refused("Root Admin").await, "you may not give the role RootAdmin");
    });
}

#[test]
fn nobody_comes_by_a_password_to_what_they_do_not_hold() {
    each_world(async |world| {
        let site = Site::new(world).await;
        let set = async |who: &str, of: &str| {
            let body = json!({"guid": site.guid(of), "password": "another fine one"});
            site.put("/v3/users", who, &body).await.status.as_u16()
        };
        assert_eq!(set("boss", "plain").await, 200);
        world
            .get("/v3/roles")
            .basic("plain", "another fine one")
            .send()
            .await
            .is(200);
        site.import(&[
            json!({"kind": "membership", "user": "u-plain", "on": {"environment": "DEFAULT"}, "role": "ADMIN"}),
            json!({"kind": "membership", "user": "u-below", "on": {"organization": "DEFAULT"}, "role": "ADMIN"}),
        ])
        .await;
        // Who may send to the environment, and who may do everything.
        for who in ["boss", "root"] {
            assert_eq!(set(who, "plain").await, 403, "{who}");
            assert_eq!(set(who, "below").await, 403, "{who}");
        }
        let body = json!({"guid": site.guid("below"), "locked_out": true});
        site.put("/v3/users", "boss", &body).await.is(403);
        let body = json!({"guid": site.guid("plain"), "phone": "5"});
        site.put("/v3/users", "boss", &body).await.is(200);
        assert_eq!(set("admin", "plain").await, 200);
        // One's own not by a ticket, which could let its holder stay.
        assert_eq!(set("boss", "boss").await, 403);
        let own = json!({"guid": site.guid("boss"), "password": "another fine one"});
        let by_password = |body: &Value| world.put("/v3/users").basic("boss", super::PASSWORD).json(body);
        by_password(&own).send().await.is(200);
    });
}
