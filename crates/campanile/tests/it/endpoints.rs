//! Saved destinations and suppressed addresses, over HTTP.

use campanile_core::id::PersonId;
use serde_json::{Value, json};

use crate::directory::Client;
use crate::world::{World, each_world};

const PEOPLE: &str = r#"
{"kind":"api","id":"pets","name":"Pets","environment":"DEFAULT"}
{"kind":"user","id":"u-api","login":"api","name":"Abe"}
{"kind":"membership","user":"u-api","on":{"api":"pets"},"role":"PRIMARY_OWNER"}
"#;

#[expect(
    clippy::needless_pass_by_value,
    reason = "a test reads better as `each_house(async |admin| …)`"
)]
fn each_house(test: impl AsyncFn(Client<'_>)) {
    each_world(async |world: &World| {
        let admin = Client::admin(world).await;
        let ask = world.post("/api/v1/directory/import").bearer(&admin.token);
        assert_eq!(ask.body(PEOPLE).send().await.is(200).json()["ok"], json!(true));
        test(admin).await;
    });
}

async fn owner<'w>(admin: &Client<'w>) -> Client<'w> {
    let user = admin.get("/api/v1/users/u-api").await.is(200).json();
    let person = PersonId(user["number"].as_i64().unwrap());
    Client {
        world: admin.world,
        token: admin.world.token(person).await,
    }
}

fn pager() -> Value {
    json!({"name": "Pager", "url": "https://hooks.example.com/in", "secret": "new",
        "headers": [{"name": "X-Key", "value": "geheim"}]})
}

#[test]
fn an_endpoint_lives_and_tells_its_secret_once() {
    each_house(async |admin| {
        let made = admin.post("/api/v1/endpoints", &pager()).await.is(201);
        let path = made.header("location").to_owned();
        let secret = made.json()["secret"].as_str().unwrap().to_owned();
        assert!(secret.starts_with("whsec_"));
        let shown = admin.get(&path).await.is(200);
        assert!(
            !shown.body.contains("geheim") && !shown.body.contains("whsec_"),
            "{}",
            shown.body
        );
        let shown = shown.json();
        assert_eq!(
            [
                &shown["headers"],
                &shown["signed"],
                &shown["state"],
                &shown["environment"]
            ],
            [&json!(["X-Key"]), &json!(true), &json!("active"), &json!("DEFAULT")]
        );
        for (verb, state) in [("pause", "paused"), ("pause", "paused"), ("resume", "active")] {
            let done = admin.post(&format!("{path}/{verb}"), &json!({})).await.is(200).json();
            assert_eq!(done["state"], state);
        }
        let renamed = admin
            .patch(&path, &json!({"name": "Bell", "use_system_proxy": false}))
            .await;
        let renamed = renamed.is(200).json();
        assert_eq!(
            [&renamed["name"], &renamed["use_system_proxy"]],
            [&json!("Bell"), &json!(false)]
        );
        let turned = admin
            .post(&format!("{path}/rotate"), &json!({"grace_hours": 2}))
            .await
            .is(200)
            .json();
        assert_ne!(turned["secret"], json!(secret));
        assert_eq!(turned["old_secret_until"], "2023-11-15T00:13:20Z");
        admin.delete(&path).await.is(204);
        for gone in [admin.get(&path).await, admin.delete(&path).await] {
            gone.is(404);
        }
        assert_eq!(
            admin.get("/api/v1/endpoints").await.is(200).json(),
            json!({"items": []})
        );
    });
}

#[test]
fn faults_of_an_endpoint_name_their_fields() {
    each_house(async |admin| {
        let made = admin.post("/api/v1/endpoints", &pager()).await.is(201).json();
        let path = format!("/api/v1/endpoints/{}", made["id"]);
        for (new, fields) in [
            (json!({"name": "pager", "url": "ftp://x"}), &["name", "url"][..]),
            (json!({"name": "A", "url": "http://10.0.0.1/"}), &["url"]),
            (
                json!({"name": "A", "url": "https://x.example", "secret": "none"}),
                &["secret"],
            ),
            (
                json!({"name": "A", "url": "https://x.example", "use_system_proxy": true}),
                &["use_system_proxy"],
            ),
            (
                json!({"name": "A", "url": "https://x.example", "environment": "NONE"}),
                &["environment"],
            ),
            (
                json!({"name": "A", "url": "https://x.example", "api": "pets", "environment": "DEFAULT"}),
                &["environment"],
            ),
        ] {
            let said = admin.post("/api/v1/endpoints", &new).await.is(422);
            assert_eq!(said.fields(), fields, "{new}");
        }
        let moved = json!({"url": "https://evil.example/"});
        assert_eq!(admin.patch(&path, &moved).await.is(422).fields(), ["headers"]);
        let proxied = json!({"use_system_proxy": true});
        assert_eq!(
            admin.patch(&path, &proxied).await.is(422).fields(),
            ["use_system_proxy"]
        );
        for (body, field) in [
            (json!({"grace_hours": 200}), "grace_hours"),
            (json!({"secret": "x"}), "secret"),
        ] {
            let said = admin.post(&format!("{path}/rotate"), &body).await.is(422);
            assert_eq!(said.fields(), [field]);
        }
    });
}

#[test]
fn an_owner_sees_the_endpoints_of_their_api_alone() {
    each_house(async |admin| {
        let owner = owner(&admin).await;
        admin.post("/api/v1/endpoints", &pager()).await.is(201);
        let mut own = pager();
        (own["name"], own["api"]) = (json!("Pets"), json!("pets"));
        let own = owner.post("/api/v1/endpoints", &own).await.is(201).json();
        assert_eq!(owner.ids("/api/v1/endpoints").await, [own["id"].clone()]);
        assert_eq!(owner.ids("/api/v1/endpoints?api=pets").await, [own["id"].clone()]);
        // A message of the API may be posted to those of its environment, too.
        assert_eq!(admin.ids("/api/v1/endpoints?api=pets").await.len(), 2);
        let first = admin.get("/api/v1/endpoints?limit=1").await.is(200).json();
        let next = first["next"].as_str().unwrap();
        let rest = format!("/api/v1/endpoints?limit=1&cursor={next}");
        assert_eq!(admin.ids(&rest).await, [own["id"].clone()]);
    });
}

#[test]
fn a_test_is_a_message_to_the_endpoint_alone() {
    each_house(async |admin| {
        for new in [
            pager(),
            json!({"name": "Pets", "url": "https://hooks.example.com/pets", "api": "pets"}),
        ] {
            let made = admin.post("/api/v1/endpoints", &new).await.is(201).json();
            let path = format!("/api/v1/endpoints/{}", made["id"]);
            let sent = admin.post(&format!("{path}/test"), &json!({})).await.is(201);
            let message = admin.get(sent.header("location")).await.is(200).json();
            assert_eq!(
                [&message["channels"], &message["audience"]],
                [&json!(["http"]), &json!([])]
            );
            assert_eq!(message["posts"][0]["endpoint"], made["id"]);
            assert_eq!(message["progress"][0]["queued"], 1);
            admin.post(&format!("{path}/pause"), &json!({})).await.is(200);
            admin.post(&format!("{path}/test"), &json!({})).await.is(409);
        }
    });
}

#[test]
fn an_address_comes_to_the_list_and_leaves_it() {
    each_house(async |admin| {
        let path = "/api/v1/suppressions";
        let add = json!({"address": "Ann@Example.com", "reason": "asked by telephone"});
        let added = admin.post(path, &add).await.is(201).json();
        assert_eq!(
            added["items"],
            json!([{"address": "ann@example.com", "source": "added", "reason": "asked by telephone",
                "since": "2023-11-14T22:13:20Z", "by": "Administrator"}])
        );
        let page = admin.get(&format!("{path}?q=ANN%40&limit=1")).await.is(200).json();
        assert_eq!(page["items"], added["items"]);
        let none = admin.get(&format!("{path}?q=bob")).await.is(200).json();
        assert_eq!(none["items"], json!([]));
        for (body, field) in [
            (json!({"address": "nowhere"}), "address"),
            (json!({"address": "a@example.com", "reason": "x".repeat(501)}), "reason"),
        ] {
            assert_eq!(admin.post(path, &body).await.is(422).fields(), [field]);
        }
        admin
            .delete(&format!("{path}/ann%40example.com?source=bounced"))
            .await
            .is(404);
        admin.delete(&format!("{path}/ANN%40example.com")).await.is(204);
        admin.delete(&format!("{path}/ann%40example.com")).await.is(404);
        for (query, field) in [("limit=0", "limit"), ("cursor=x", "cursor")] {
            assert_eq!(admin.get(&format!("{path}?{query}")).await.is(422).fields(), [field]);
        }
    });
}
