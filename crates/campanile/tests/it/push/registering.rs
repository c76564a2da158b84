//! Which subscriptions are taken, and whose they are.

use std::time::Duration;

use serde_json::{Value, json};

use super::service::{AUTH, P256DH, Service};
use super::{TAKEN, each_house, no_relay};
use crate::world::{World, each_world};

/// A subscription at an address that nothing is ever posted to here.
fn subscription(endpoint: &str) -> Value {
    json!({"endpoint": endpoint, "keys": {"p256dh": P256DH, "auth": AUTH}})
}

async fn register(world: &World, token: &str, body: &Value) -> crate::world::Said {
    world.post("/api/v1/me/devices").bearer(token).json(body).send().await
}

#[test]
fn a_device_is_registered_listed_changed_and_removed() {
    each_world(async |world| {
        let token = world.admin().await;
        let asked = world.post("/api/v1/me/devices").bearer(&token);
        let asked = asked.header("user-agent", "A Browser/1.0");
        let made = asked
            .json(&subscription("https://push.example.com/1"))
            .send()
            .await
            .is(201)
            .json();
        assert_eq!(
            (made["agent"].as_str(), made["importance"].as_str()),
            (Some("A Browser/1.0"), Some("low"))
        );
        let path = format!("/api/v1/me/devices/{}", made["id"].as_str().unwrap());
        let changed = world
            .patch(&path)
            .bearer(&token)
            .json(&json!({"importance": "high"}))
            .send()
            .await
            .is(200);
        assert_eq!(changed.json()["importance"], "high");
        world.advance(Duration::from_hours(1));
        // What it is told stays as it was chosen.
        let again = register(world, &token, &subscription("https://push.example.com/1"))
            .await
            .is(200)
            .json();
        assert_eq!(
            (&again["id"], again["importance"].as_str()),
            (&made["id"], Some("high"))
        );
        assert_ne!(again["heard_at"], made["heard_at"]);
        let listed = world
            .get("/api/v1/me/devices")
            .bearer(&token)
            .send()
            .await
            .is(200)
            .json();
        assert_eq!(listed["devices"], json!([again]));
        world.delete(&path).bearer(&token).send().await.is(204);
        world.delete(&path).bearer(&token).send().await.is(404);
    });
}

#[test]
fn a_subscription_that_cannot_be_is_refused_field_by_field() {
    each_world(async |world| {
        let token = world.admin().await;
        for endpoint in [
            "push",
            "http://push.example.com/1",
            "https://127.0.0.1/1",
            "https://10.0.0.1/1",
            "https://localhost/1",
            "https://u:p@push.example.com/1",
            "https://push.example.com:22/1",
            "ftp://push.example.com/1",
        ] {
            let said = register(world, &token, &subscription(endpoint)).await.is(422);
            assert_eq!(said.fields(), ["endpoint"], "{endpoint}");
        }
        let wrong = json!({
            "endpoint": "https://push.example.com/1", "expirationTime": 1, "keys": {"p256dh": AUTH, "auth": P256DH},
        });
        let said = register(world, &token, &wrong).await.is(422);
        assert_eq!(said.fields(), ["keys.p256dh", "keys.auth", "expires_at"]);
    });
}

#[test]
fn a_person_has_twenty_devices_at_most() {
    each_world(async |world| {
        let token = world.admin().await;
        for number in 0..20 {
            let one = subscription(&format!("https://push.example.com/{number}"));
            register(world, &token, &one).await.is(201);
        }
        register(world, &token, &subscription("https://push.example.com/20"))
            .await
            .is(409);
        register(world, &token, &subscription("https://push.example.com/19"))
            .await
            .is(200);
    });
}

#[test]
fn a_browser_tells_whoever_signed_in_last() {
    each_house(no_relay, async |house, _| {
        let service = Service::new(TAKEN).await;
        let (ann, bob) = (house.owner(100, "ann").await, house.owner(101, "bob").await);
        let of_ann = house.device(&ann, &service.subscription("one")).await;
        let of_bob = house.device(&bob, &service.subscription("one")).await;
        assert_ne!(of_ann, of_bob);
        assert_eq!(
            (house.devices(&ann).await.len(), house.devices(&bob).await.len()),
            (0, 1)
        );
        let foreign = house
            .world
            .patch(&format!("/api/v1/me/devices/{of_bob}"))
            .bearer(&ann.token);
        foreign.json(&json!({"importance": "high"})).send().await.is(404);
    });
}
