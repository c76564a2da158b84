//! POSTs that went through the whole queue, judged by the official libraries of Standard Webhooks.

use campanile::clock::Clock;
use campanile_core::outbox::run::State;
use campanile_core::outbox::signing::SigningSecret;
use serde_json::{Value, json};

use super::each_house;
use super::posts::no_relay;
use crate::judge::judged;
use crate::post::sink::{Sink, status};
use crate::world::START;

/// Every byte counts, those beyond ASCII too.
const BODY: &str = "{\"type\":\"gateway.down\",\"data\":{\"text\":\"grüße \u{1f514}\"}}\n";

fn secret(answer: &Value) -> SigningSecret {
    SigningSecret::parse(answer["secret"].as_str().unwrap()).unwrap()
}

#[test]
fn the_official_libraries_accept_what_left_the_queue_and_the_old_secret_while_it_is_changed() {
    each_house(no_relay, async |house, _| {
        // The libraries look at the clock, and take five minutes either way.
        let now = Clock::system().now();
        house
            .world
            .advance(std::time::Duration::from_millis((now.0 - START.0) as u64));
        let sink = Sink::new(status("200 OK")).await;
        let hook = json!({"name": "Hook", "url": sink.url(), "secret": "new"});
        let made = house.ask("/api/v1/endpoints", &hook).await.is(201).json();
        let old = secret(&made);
        let rotate = format!("/api/v1/endpoints/{}/rotate", made["id"]);
        let rotated = house.ask(&rotate, &json!({"grace_hours": 1})).await.is(200).json();
        let new = secret(&rotated);
        assert_ne!(old, new);
        let message = json!({
            "title": "", "text": BODY, "audience": [], "channels": ["http"], "environment": "DEFAULT",
            "posts": [{"endpoint": made["id"]}],
        });
        let id = house.send(&message).await;
        house.until(id, |progress| progress.state == State::Ended).await;
        let seen = sink.seen();
        let (head, body) = seen.one().split_once("\r\n\r\n").unwrap();
        assert_eq!(body, BODY);
        let other = SigningSecret::new(&[3; 32]);
        let (changed, shorter) = (body.replace('ü', "u"), body.trim_end());
        let cases = [
            (&new, head, body),
            (&old, head, body),
            (&other, head, body),
            (&new, head, changed.as_str()),
            (&old, head, shorter),
        ];
        for said in judged(&cases) {
            assert_eq!(said, ["yes", "yes", "no", "no", "no"]);
        }
        // When the grace is over the new one alone signs.
        house.world.advance(std::time::Duration::from_hours(1));
        let id = house.send(&message).await;
        house.until(id, |progress| progress.state == State::Ended).await;
        let signature = |request: &String| {
            crate::post::sink::value(request, "webhook-signature")
                .unwrap()
                .to_owned()
        };
        let signatures: Vec<String> = sink.seen().requests.iter().map(signature).collect();
        assert_eq!(
            signatures.iter().map(|one| one.split(' ').count()).collect::<Vec<_>>(),
            [2, 1]
        );
    });
}
