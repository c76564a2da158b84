//! Customers and their subscriptions.

use serde_json::{Value, json};

use super::blamed;
use super::site::Site;
use crate::world::each_world;

fn acme() -> Value {
    json!({"name": "Acme South", "contact_email": "ops@acme.example", "country_code": "cz", "enabled": true,
        "subscription": {"subscription_type": "Trial", "period_from_utc": "2026-01-01T01:00:00.75+01:00",
            "period_to_utc": "2026-12-31T23:59:59Z", "global_check_quota": 100, "alert_sms_quota": 5,
            "alert_email_quota": 0, "enabled": false}})
}

#[test]
fn a_customer_is_made_and_found_where_the_answer_says() {
    each_world(async |world| {
        let site = Site::new(world).await;
        let said = site.post("/v3/customers", "boss", &acme()).await.is(201);
        let made = said.json();
        let id = made["id"].as_i64().unwrap();
        assert_eq!(
            said.header("location"),
            format!("http://campanile.test/v3/customers/{id}")
        );
        let shown = json!({"id": id, "name": "Acme South",
            "subscription": {"subscription_type": "Trial", "period_from_utc": "2026-01-01T00:00:00",
                "period_to_utc": "2026-12-31T23:59:59", "global_check_quota": 100, "alert_sms_quota": 5,
                "alert_email_quota": 0, "enabled": false},
            "contact_email": "ops@acme.example", "country_code": "CZ", "enabled": true, "parent_id": 17});
        assert_eq!(made, shown);
        let path = format!("/V3/Customers/{id}/");
        assert_eq!(site.get(&path, "boss").await.is(200).json(), shown);
        site.get(&path, "rival").await.is(404);
        // It is one of the directory, and its administrator's people can be put there.
        let found = site.admin.get(&format!("/api/v1/customers/{id}")).await.is(200).json();
        assert_eq!((&found["name"], &found["parent"]), (&json!("Acme South"), &json!(17)));
        assert_eq!(
            site.user("ann", "boss", &json!({"customer_id": id})).await["customer_id"],
            json!(id)
        );
    });
}

#[test]
fn a_root_administrator_makes_one_anywhere() {
    each_world(async |world| {
        let site = Site::new(world).await;
        let short = json!({"name": "New", "contact_email": "a@b.c"});
        let made = site.post("/v3/customers", "root", &short).await.is(201).json();
        assert_eq!(made["parent_id"], Value::Null);
        let usual = json!({"subscription_type": "Standard", "period_from_utc": null, "period_to_utc": null,
            "global_check_quota": null, "alert_sms_quota": null, "alert_email_quota": null, "enabled": true});
        assert_eq!((&made["subscription"], &made["enabled"]), (&usual, &json!(true)));
        let below = json!({"name": "New", "contact_email": "a@b.c", "parent_id": 99});
        let made = site.post("/v3/customers", "root", &below).await.is(201).json();
        assert_eq!(made["parent_id"], json!(99));
        // One of the directory alone has what is usual.
        let known = site.get("/v3/customers/18", "root").await.is(200).json();
        assert_eq!(
            (&known["subscription"], &known["contact_email"]),
            (&usual, &Value::Null)
        );
    });
}

#[test]
fn a_subscription_keeps_what_a_change_does_not_name() {
    each_world(async |world| {
        let site = Site::new(world).await;
        let made = site.post("/v3/customers", "root", &acme()).await.is(201).json();
        let path = format!("/v3/customers/{}", made["id"]);
        let put = async |body: &Value| site.put(&format!("{path}/Subscription/"), "root", body).await;
        assert_eq!(put(&json!({})).await.is(200).json(), made["subscription"]);
        assert_eq!(put(&made["subscription"]).await.is(200).json(), made["subscription"]);
        let change = json!({"subscription_type": "PoC", "global_check_quota": null, "enabled": true});
        let mut wanted = made["subscription"].clone();
        wanted["subscription_type"] = json!("PoC");
        wanted["enabled"] = json!(true);
        assert_eq!(put(&change).await.is(200).json(), wanted);
        let now = site.get(&path, "root").await.is(200).json();
        assert_eq!((&now["subscription"], &now["name"]), (&wanted, &made["name"]));

        let early = json!({"period_to_utc": "2025-12-31T23:59:59"});
        assert_eq!(
            blamed(&put(&early).await.is(400)),
            ["customer.subscription.period_to_utc"]
        );
        let same = json!({"period_to_utc": "2026-01-01T00:00:00"});
        put(&same).await.is(200);
        for quota in ["global_check_quota", "alert_sms_quota", "alert_email_quota"] {
            for number in [-1_i64, 2_147_483_648] {
                let said = put(&json!({quota: number})).await.is(400);
                assert_eq!(blamed(&said), [format!("customer.subscription.{quota}")]);
            }
            put(&json!({quota: 2_147_483_647})).await.is(200);
        }
    });
}

#[test]
fn what_does_not_fit_is_told_by_field() {
    each_world(async |world| {
        let site = Site::new(world).await;
        for (field, value) in [
            ("name", json!("")),
            ("name", json!("x".repeat(201))),
            ("name", json!("a\u{1b}b")),
            ("contact_email", json!("nowhere")),
            ("country_code", json!("CZE")),
            ("country_code", json!("1\u{e9}")),
            ("enabled", json!("yes")),
            ("parent_id", json!(4711)),
            ("subscription", json!(5)),
        ] {
            let mut body = acme();
            body[field] = value;
            let said = site.post("/v3/customers", "root", &body).await.is(400);
            assert_eq!(blamed(&said), [format!("customer.{field}")], "{body}");
        }
        let mut body = acme();
        body["subscription"]["global_check_quota"] = json!(-1);
        let said = site.post("/v3/customers", "root", &body).await.is(400);
        assert_eq!(blamed(&said), ["customer.subscription.global_check_quota"]);
    });
}
