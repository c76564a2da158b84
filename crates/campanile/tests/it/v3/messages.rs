//! The messages of the contract: its sections 1.2 to 1.6 and 1.9.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use super::site::{PASSWORD, Site};
use super::{blamed, message};
use crate::world::each_world;

const MESSAGES: &str = "/v3/messages";

/// The sample of the contract, to a customer: open from 2023-11-14, when every world begins.
fn sample(customer: i64) -> Value {
    json!({
        "text": "[b]Maintenance[/b] tonight.",
        "message_is_from": "Operations",
        "from_date_utc": "2023-11-14T00:00:00",
        "to_date_utc": "2023-11-15T00:00:00",
        "importance": "H",
        "enabled": true,
        "customer_id": customer,
        "include_sub_customers": true,
    })
}

fn with(mut body: Value, field: &str, value: Value) -> Value {
    body[field] = value;
    body
}

fn without(mut body: Value, field: &str) -> Value {
    body.as_object_mut().unwrap().remove(field);
    body
}

impl Site<'_> {
    /// Creates a message; its id.
    async fn message(&self, who: &str, body: &Value) -> i64 {
        let said = self.post(MESSAGES, who, body).await.is(201);
        said.json()["id"].as_i64().unwrap()
    }

    /// The ids that somebody is told of.
    async fn told(&self, query: &str, who: &str) -> Vec<i64> {
        let said = self.get(&format!("{MESSAGES}{query}"), who).await.is(200).json();
        let id = |one: &Value| one["id"].as_i64().unwrap();
        said.as_array().unwrap().iter().map(id).collect()
    }
}

#[test]
fn a_message_is_created_and_comes_back_field_by_field_in_the_order_of_the_contract() {
    each_world(async |world| {
        let site = Site::new(world).await;
        let said = site.post(MESSAGES, "root", &sample(17)).await.is(201);
        let id = said.json()["id"].as_i64().unwrap();
        assert!(said.header("location").ends_with(&format!("/v3/messages/{id}")));
        assert!(said.header("location").starts_with("http"));
        let expected = format!(r#"{{"id":{id},"text":"[b]Maintenance[/b] tonight.","message_is_from":"Operations","#)
            + r#""from_date_utc":"2023-11-14T00:00:00","to_date_utc":"2023-11-15T00:00:00","importance":"H","#
            + r#""enabled":true,"customer_id":17,"include_sub_customers":true}"#;
        assert_eq!(said.body, expected);
        let path = format!("{MESSAGES}/{id}");
        assert_eq!(site.get(&path, "root").await.is(200).body, expected);
        let listed = site.get(MESSAGES, "root").await.is(200).body;
        assert_eq!(listed, format!("[{expected}]"));
    });
}

#[test]
fn what_may_be_left_out_has_its_default() {
    each_world(async |world| {
        let site = Site::new(world).await;
        let mut body = sample(17);
        for field in ["importance", "enabled", "customer_id", "include_sub_customers"] {
            body = without(body, field);
        }
        let of_root = site.post(MESSAGES, "root", &body).await.is(201).json();
        assert_eq!(
            (&of_root["importance"], &of_root["enabled"], &of_root["customer_id"]),
            (&json!("L"), &json!(false), &json!(0)),
        );
        assert_eq!(of_root["include_sub_customers"], json!(false));
        let of_boss = site.post(MESSAGES, "boss", &body).await.is(201).json();
        assert_eq!(of_boss["customer_id"], json!(17), "a customer administrator's own");
        let null = with(body, "customer_id", Value::Null);
        assert_eq!(
            site.post(MESSAGES, "root", &null).await.is(201).json()["customer_id"],
            json!(0)
        );
    });
}

#[test]
fn what_is_required_is_named_where_it_is_missing_or_wrong() {
    each_world(async |world| {
        let site = Site::new(world).await;
        for (body, fields) in [
            (
                json!({}),
                &[
                    "message.from_date_utc",
                    "message.message_is_from",
                    "message.text",
                    "message.to_date_utc",
                ][..],
            ),
            (with(sample(17), "text", json!(" ")), &["message.text"]),
            (with(sample(17), "text", json!("a".repeat(100_000))), &["message.text"]),
            (
                with(sample(17), "message_is_from", json!("")),
                &["message.message_is_from"],
            ),
            (with(sample(17), "importance", json!("X")), &["message.importance"]),
            (
                with(sample(17), "from_date_utc", json!("15/01/2027")),
                &["message.from_date_utc"],
            ),
            (
                with(sample(17), "to_date_utc", json!("2023-11-13T23:59:59")),
                &["message.to_date_utc"],
            ),
            (with(sample(17), "enabled", json!("yes")), &["message.enabled"]),
            (with(sample(17), "customer_id", json!(5)), &["message.customer_id"]),
        ] {
            let said = site.post(MESSAGES, "root", &body).await.is(400);
            assert_eq!(blamed(&said), fields, "{body}");
        }
        assert_eq!(
            site.told("?active=false", "root").await,
            [] as [i64; 0],
            "none was stored"
        );
        let equal = with(sample(17), "to_date_utc", json!("2023-11-14T00:00:00"));
        site.message("root", &equal).await;
    });
}

#[test]
fn importance_and_dates_are_read_in_their_other_forms() {
    each_world(async |world| {
        let site = Site::new(world).await;
        for (typed, stored) in [("c", "C"), ("Critical", "C"), ("low", "L"), ("h", "H")] {
            let body = with(sample(17), "importance", json!(typed));
            let said = site.post(MESSAGES, "root", &body).await.is(201).json();
            assert_eq!(said["importance"], json!(stored), "{typed}");
        }
        for (typed, stored) in [
            ("2023-11-14T10:00:00Z", "2023-11-14T10:00:00"),
            ("2023-11-14T10:00:00+02:00", "2023-11-14T08:00:00"),
            ("2023-11-14T10:00:00.987", "2023-11-14T10:00:00"),
        ] {
            let body = with(sample(17), "from_date_utc", json!(typed));
            let said = site.post(MESSAGES, "root", &body).await.is(201).json();
            assert_eq!(said["from_date_utc"], json!(stored), "{typed}");
        }
    });
}

#[test]
fn a_change_keeps_what_it_does_not_name() {
    each_world(async |world| {
        let site = Site::new(world).await;
        let id = site.message("root", &sample(17)).await;
        let path = format!("{MESSAGES}/{id}");
        let before = site.get(&path, "root").await.json();
        let said = site
            .put(&path, "root", &json!({"importance": "C", "text": null}))
            .await
            .is(200);
        assert_eq!(said.json(), with(before.clone(), "importance", json!("C")));
        site.put(&path, "root", &json!({})).await.is(200);
        let whole = without(before.clone(), "id");
        assert_eq!(
            site.put(&path, "root", &whole).await.is(200).json(),
            before,
            "as it was read"
        );
        let said = site
            .put(&path, "root", &json!({"to_date_utc": "2023-11-13T00:00:00"}))
            .await
            .is(400);
        assert_eq!(blamed(&said), ["message.to_date_utc"]);
        site.put(&path, "root", &json!({"customer_id": 0})).await.is(200);
        let global = site.get(&path, "root").await.json();
        assert_eq!(
            (&global["customer_id"], &global["include_sub_customers"]),
            (&json!(0), &json!(true))
        );
        assert_eq!(
            site.put(&path, "root", &without(global.clone(), "id"))
                .await
                .is(200)
                .json(),
            global
        );
    });
}

#[test]
fn what_is_deleted_is_gone_for_everybody() {
    each_world(async |world| {
        let site = Site::new(world).await;
        let id = site.message("boss", &sample(17)).await;
        let path = format!("{MESSAGES}/{id}");
        let ask = site
            .ask(Method::DELETE, &path, "boss")
            .header("content-type", "application/json");
        assert_eq!(ask.send().await.is(204).body, "");
        site.ask(Method::DELETE, &path, "boss").send().await.is(404);
        site.get(&path, "boss").await.is(404);
        site.put(&path, "boss", &json!({})).await.is(404);
        assert_eq!(site.told("?active=false", "root").await, [] as [i64; 0]);
    });
}

#[test]
fn active_is_the_default_and_false_means_all() {
    each_world(async |world| {
        let site = Site::new(world).await;
        let now = site.message("root", &sample(17)).await;
        let off = site.message("root", &with(sample(17), "enabled", json!(false))).await;
        let mut later = with(sample(17), "from_date_utc", json!("2023-12-01T00:00:00"));
        later["to_date_utc"] = json!("2023-12-02T00:00:00");
        let later = site.message("root", &later).await;
        let mut past = with(sample(17), "from_date_utc", json!("2023-11-01T00:00:00"));
        past["to_date_utc"] = json!("2023-11-02T00:00:00");
        let past = site.message("root", &past).await;
        for query in ["", "?active=true", "?Active=TRUE", "?&active=True&"] {
            assert_eq!(site.told(query, "root").await, [now], "{query}");
        }
        for query in ["?active=false", "?ACTIVE=False"] {
            assert_eq!(site.told(query, "root").await, [now, off, later, past], "{query}");
        }
        message(&site.get("/v3/messages?active=maybe", "root").await.is(400));
    });
}

#[test]
fn the_last_second_of_a_window_belongs_to_it() {
    each_world(async |world| {
        let site = Site::new(world).await;
        let body = with(sample(17), "to_date_utc", json!("2023-11-14T22:13:24"));
        let id = site.message("root", &body).await;
        world.advance(Duration::from_millis(4_999));
        assert_eq!(site.told("", "plain").await, [id]);
        world.advance(Duration::from_millis(1));
        assert_eq!(site.told("", "plain").await, [] as [i64; 0]);
    });
}

#[test]
fn everybody_is_told_of_what_they_look_after_and_of_what_is_addressed_to_them() {
    each_world(async |world| {
        let site = Site::new(world).await;
        let global = site.message("root", &sample(0)).await;
        let tree = site.message("root", &sample(17)).await;
        let alone = site
            .message("root", &with(sample(17), "include_sub_customers", json!(false)))
            .await;
        let below = site.message("root", &sample(18)).await;
        let rivals = site.message("root", &sample(99)).await;
        let off = site.message("root", &with(sample(18), "enabled", json!(false))).await;
        for (who, active, all) in [
            (
                "root",
                vec![global, tree, alone, below, rivals],
                vec![global, tree, alone, below, rivals, off],
            ),
            (
                "boss",
                vec![global, tree, alone, below],
                vec![global, tree, alone, below, off],
            ),
            ("plain", vec![global, tree, alone], vec![global, tree, alone]),
            ("below", vec![global, tree, below], vec![global, tree, below]),
            ("rival", vec![global, rivals], vec![global, rivals]),
            ("foreign", vec![global, rivals], vec![global, rivals]),
        ] {
            assert_eq!(site.told("", who).await, active, "{who}");
            assert_eq!(site.told("?active=false", who).await, all, "{who}");
            for id in [global, tree, alone, below, rivals, off] {
                let status = if all.contains(&id) { 200 } else { 404 };
                site.get(&format!("{MESSAGES}/{id}"), who).await.is(status);
            }
        }
    });
}

#[test]
fn a_filter_matches_the_customer_that_a_message_names() {
    each_world(async |world| {
        let site = Site::new(world).await;
        let global = site.message("root", &sample(0)).await;
        let tree = site.message("root", &sample(17)).await;
        let below = site.message("root", &sample(18)).await;
        site.message("root", &sample(99)).await;
        assert_eq!(site.told("?customerId=17", "root").await, [tree]);
        assert_eq!(site.told("?CUSTOMERID=18", "root").await, [below]);
        assert_eq!(site.told("?customerId=0", "root").await, [global]);
        assert_eq!(site.told("?customerId=18&active=false", "boss").await, [below]);
        assert_eq!(site.told("?customerId=17", "plain").await, [tree]);
        for (who, customer) in [
            ("boss", 99),
            ("boss", 5),
            ("root", 5),
            ("plain", 18),
            ("plain", 99),
            ("boss", 0),
        ] {
            let said = site
                .get(&format!("/v3/messages?customerId={customer}"), who)
                .await
                .is(404);
            message(&said);
        }
        message(&site.get("/v3/messages?customerId=x", "root").await.is(400));
    });
}

#[test]
fn who_may_write_what() {
    each_world(async |world| {
        let site = Site::new(world).await;
        for (who, customer, status) in [
            ("root", 0, 201),
            ("root", 99, 201),
            ("root", 5, 400),
            ("boss", 17, 201),
            ("boss", 18, 201),
            ("boss", 99, 403),
            ("boss", 5, 403),
            ("boss", 0, 403),
            ("plain", 17, 403),
            ("foreign", 17, 403),
            ("", 17, 401),
        ] {
            site.post(MESSAGES, who, &sample(customer)).await.is(status);
        }
        let global = site.message("root", &sample(0)).await;
        let own = site.message("boss", &sample(17)).await;
        let rivals = site.message("rival", &sample(99)).await;
        for (who, id, status) in [
            ("boss", global, 403),
            ("boss", rivals, 404),
            ("boss", 9_999, 404),
            ("plain", own, 403),
            ("plain", rivals, 403),
            ("plain", 9_999, 403),
            ("rival", own, 404),
            ("", own, 401),
        ] {
            let path = format!("{MESSAGES}/{id}");
            site.put(&path, who, &json!({"enabled": true})).await.is(status);
            site.ask(Method::DELETE, &path, who).send().await.is(status);
        }
        let path = format!("{MESSAGES}/{own}");
        site.put(&path, "boss", &json!({"customer_id": 99})).await.is(403);
        site.put(&path, "boss", &json!({"customer_id": 0})).await.is(403);
        site.put(&path, "root", &json!({"customer_id": 5})).await.is(400);
        assert_eq!(
            site.get(&path, "boss").await.json()["customer_id"],
            json!(17),
            "it stays"
        );
    });
}

#[test]
fn a_message_of_another_kind_is_not_there() {
    each_world(async |world| {
        let site = Site::new(world).await;
        for body in [
            json!({"title": "Bell", "audience": [{"kind": "everyone"}]}),
            json!({"title": "Role", "channels": ["banner", "portal"],
                "audience": [{"kind": "environment_role", "role": "USER"}]}),
            json!({"title": "Two", "channels": ["banner", "portal"],
                "audience": [{"kind": "everyone"}, {"kind": "customer", "customer": 17}]}),
        ] {
            let said = world
                .post("/api/v1/messages")
                .bearer(&site.admin.token)
                .json(&body)
                .send()
                .await
                .is(201);
            let id = &said.json()["id"];
            site.get(&format!("{MESSAGES}/{id}"), "admin").await.is(404);
        }
        assert_eq!(site.told("?active=false", "admin").await, [] as [i64; 0]);
        let body = json!({"title": "Both", "text": "x", "channels": ["banner", "portal"],
            "audience": [{"kind": "everyone"}]});
        let said = world
            .post("/api/v1/messages")
            .bearer(&site.admin.token)
            .json(&body)
            .send()
            .await
            .is(201);
        assert_eq!(
            site.told("", "plain").await,
            [said.json()["id"].as_i64().unwrap()],
            "a banner that rings too"
        );
    });
}

#[test]
fn a_look_changes_nothing_and_a_dismissed_one_is_still_listed() {
    each_world(async |world| {
        let site = Site::new(world).await;
        let id = site.message("root", &sample(17)).await;
        site.told("", "plain").await;
        site.get(&format!("{MESSAGES}/{id}"), "plain").await.is(200);
        let token = world.token(site.id("plain")).await;
        let item = world
            .get(&format!("/api/v1/inbox/{id}"))
            .bearer(&token)
            .send()
            .await
            .is(200)
            .json();
        assert_eq!(
            (&item["read"], &item["seen"], &item["banner"]),
            (&json!(false), &json!(false), &json!("dismissible"))
        );
        world
            .post(&format!("/api/v1/inbox/{id}/dismiss"))
            .bearer(&token)
            .send()
            .await
            .is(204);
        assert_eq!(site.told("", "plain").await, [id]);
    });
}

#[test]
fn a_text_comes_back_byte_for_byte_and_is_harmless_as_html() {
    each_world(async |world| {
        let site = Site::new(world).await;
        let token = world.token(site.id("plain")).await;
        for text in [
            "[b]unclosed",
            "[b]crossed [i]tags[/b] here[/i]",
            "[link=\"javascript:alert(1)\"]x[/link]",
            "[link=\"https://a.example/\"\" onclick=\"x\"]x[/link]",
            "<svg/onload=alert(1)> & \"quotes\"",
            "right \u{202e}to left\u{2066}",
            " a\r\nline\tand a tab ",
        ] {
            let id = site.message("root", &with(sample(17), "text", json!(text))).await;
            let path = format!("{MESSAGES}/{id}");
            assert_eq!(site.get(&path, "root").await.json()["text"], json!(text));
            let item = world
                .get(&format!("/api/v1/inbox/{id}"))
                .bearer(&token)
                .send()
                .await
                .is(200)
                .json();
            let html = item["html"].as_str().unwrap().to_owned();
            for hostile in ["<svg", "javascript:", "\u{202e}", "\u{2066}"] {
                let as_text = html.contains(&format!("{hostile}alert")) || html.contains("[link=&quot;javascript:");
                assert!(
                    !html.contains(hostile) || hostile == "javascript:" && as_text && !html.contains("<a"),
                    "{html}"
                );
            }
        }
    });
}

#[test]
fn an_edited_banner_comes_back_and_a_subtree_reaches_grandchildren_alone() {
    each_world(async |world| {
        let site = Site::new(world).await;
        site.import(&[
            json!({"kind": "customer", "id": 19, "name": "Acme North Office", "parent": 18}),
            json!({"kind": "user", "id": "u-deep", "login": "deep", "name": "deep", "customer": 19,
                "password": PASSWORD}),
        ])
        .await;
        let id = site.message("root", &sample(18)).await;
        let deep = |path: &str| world.get(path).basic("deep", PASSWORD);
        let said = deep(MESSAGES).send().await.is(200).json();
        assert_eq!(said[0]["id"], json!(id), "a grandchild");
        assert_eq!(site.told("", "plain").await, [] as [i64; 0], "the parent");
        assert_eq!(site.told("", "foreign").await, [] as [i64; 0], "another tree");
        let banner = "/api/v1/inbox?view=banners";
        let token = world.token(site.id("below")).await;
        world
            .post(&format!("/api/v1/inbox/{id}/dismiss"))
            .bearer(&token)
            .send()
            .await
            .is(204);
        let stands =
            async || world.get(banner).bearer(&token).send().await.is(200).json()["items"][0]["banner"].clone();
        assert_eq!(stands().await, Value::Null);
        site.put(&format!("{MESSAGES}/{id}"), "boss", &json!({"text": "Moved to 23:00."}))
            .await
            .is(200);
        assert_eq!(stands().await, json!("dismissible"));
    });
}

#[test]
fn two_that_change_a_half_each_at_once_take_nothing_back() {
    each_world(async |world| {
        let site = Site::new(world).await;
        let id = site.message("root", &sample(17)).await;
        let path = format!("{MESSAGES}/{id}");
        for round in 0..20 {
            let (customer, below) = ([18, 17][round % 2], round % 2 == 1);
            let (of_customer, of_below) = (
                json!({"customer_id": customer}),
                json!({"include_sub_customers": below}),
            );
            let (one, other) = tokio::join!(
                site.put(&path, "root", &of_customer),
                site.put(&path, "root", &of_below),
            );
            one.is(200);
            other.is(200);
            let stands = site.get(&path, "root").await.is(200).json();
            assert_eq!(
                (&stands["customer_id"], &stands["include_sub_customers"]),
                (&json!(customer), &json!(below)),
                "round {round}"
            );
        }
    });
}

#[test]
fn what_is_before_1970_comes_back_as_its_beginning() {
    each_world(async |world| {
        let site = Site::new(world).await;
        for (from, to) in [
            ("0001-01-01T00:00:00", "9999-12-31T23:59:59"),
            ("1969-12-31T23:59:59", "2030-01-01T00:00:00"),
        ] {
            let body = with(with(sample(17), "from_date_utc", json!(from)), "to_date_utc", json!(to));
            let said = site.post(MESSAGES, "root", &body).await.is(201).json();
            assert_eq!(
                (&said["from_date_utc"], &said["to_date_utc"]),
                (&json!("1970-01-01T00:00:00"), &json!(to))
            );
            // What comes back may be sent again, and is the same.
            let path = format!("{MESSAGES}/{}", said["id"]);
            assert_eq!(site.put(&path, "root", &said).await.is(200).json(), said);
            assert!(site.told("", "plain").await.contains(&said["id"].as_i64().unwrap()));
        }
        let over = with(sample(17), "from_date_utc", json!("1950-01-01T00:00:00"));
        let over = with(over, "to_date_utc", json!("1960-01-01T00:00:00"));
        let said = site.post(MESSAGES, "root", &over).await.is(201).json();
        assert_eq!(said["to_date_utc"], "1970-01-01T00:00:00");
        assert!(!site.told("", "plain").await.contains(&said["id"].as_i64().unwrap()));
    });
}
