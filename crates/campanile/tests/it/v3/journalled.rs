//! What the journal tells of what is done here.

use serde_json::{Value, json};

use super::site::{PASSWORD, Site};
use crate::world::each_world;

impl Site<'_> {
    /// The newest rows of the journal.
    async fn rows(&self, query: &str) -> Vec<Value> {
        let page = self.admin.get(&format!("/api/v1/journal?{query}")).await.is(200).json();
        page["items"].as_array().unwrap().clone()
    }
}

#[test]
fn a_new_user_is_told_with_all_that_was_said_and_no_password() {
    each_world(async |world| {
        let site = Site::new(world).await;
        let more = json!({"phone": "+420 1", "locked_out": true, "roles": ["ReportUser", "CustomerAdmin"]});
        site.user("ann", "root", &more).await;
        let rows = site.rows("kind=user&action=created").await;
        assert_eq!(rows.len(), 1, "{rows:?}");
        let after = &rows[0]["after"];
        for (field, value) in [
            ("login", json!("ann")),
            ("email", json!("ann@example.com")),
            ("password", json!("***")),
            ("phone", json!("+420 1")),
            ("locked_out", json!(true)),
            ("approved", json!(true)),
            ("roles", json!(["ReportUser"])),
        ] {
            assert_eq!(after[field], value, "{field} in {after}");
        }
        assert!(!rows[0].to_string().contains(PASSWORD));
    });
}

#[test]
fn a_new_customer_is_told_with_its_subscription() {
    each_world(async |world| {
        let site = Site::new(world).await;
        let new = json!({"name": "Globex", "contact_email": "it@globex.example", "country_code": "cz",
            "subscription": {"subscription_type": "Trial", "global_check_quota": 7}});
        site.post("/v3/customers", "root", &new).await.is(201);
        let row = site.rows("kind=customer&action=created").await.remove(0);
        let after = &row["after"];
        assert_eq!(
            [
                &after["name"],
                &after["contact_email"],
                &after["country_code"],
                &after["enabled"]
            ],
            [
                &json!("Globex"),
                &json!("it@globex.example"),
                &json!("CZ"),
                &json!(true)
            ]
        );
        assert_eq!(
            [
                &after["subscription"]["sort"],
                &after["subscription"]["global_check_quota"]
            ],
            [&json!("Trial"), &json!(7)]
        );
    });
}

#[test]
fn all_that_one_change_of_a_message_does_is_told() {
    each_world(async |world| {
        let site = Site::new(world).await;
        let body = json!({"text": "[b]Soon[/b] [i]over[/i]", "message_is_from": "Ops", "enabled": false,
            "from_date_utc": "2023-11-14T00:00:00", "to_date_utc": "2023-11-15T00:00:00"});
        let said = site.post("/v3/messages", "root", &body).await.is(201).json();
        let path = format!("/v3/messages/{}", said["id"]);
        let both = json!({"text": "[b]Now[/b]", "enabled": true, "customer_id": 17});
        site.put(&path, "root", &both).await.is(200);
        let row = site.rows("kind=message&action=corrected").await.remove(0);
        assert_eq!(row["also"], json!(["enabled", "readdressed"]));
        assert_eq!(row["name"], "Now", "as one reads it, without tags");
        assert_eq!(
            [
                &row["before"]["enabled"],
                &row["after"]["enabled"],
                &row["after"]["text"]
            ],
            [&json!(false), &json!(true), &json!("[b]Now[/b]")]
        );
        for action in ["enabled", "readdressed"] {
            let found = site.rows(&format!("action={action}")).await;
            assert_eq!(found, std::slice::from_ref(&row), "{action}");
        }
        // Of a message to all it is kept, and told.
        let all = json!({"customer_id": 0, "include_sub_customers": false});
        site.put(&path, "root", &all).await.is(200);
        site.put(&path, "root", &json!({"include_sub_customers": true}))
            .await
            .is(200);
        let row = site.rows("action=corrected").await.remove(0);
        assert_eq!(
            [&row["before"], &row["after"]],
            [&json!({}), &json!({"sub_customers": true})]
        );
        assert_eq!(row["also"], Value::Null, "{row}");
    });
}
