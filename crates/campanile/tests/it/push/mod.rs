//! Web Push: what rings the bell reaches the devices of those whom it is for, encrypted, and nobody else.

mod registering;
mod service;
mod ways;

use std::time::Duration;

use campanile_core::id::PersonId;
use campanile_core::outbox::{LEASE_MS, push};
use serde_json::{Value, json};

use crate::outbox::{House, each_house, no_relay};
use service::{Answer, Pushed, Service, opened};

const TAKEN: &[Answer] = &[(201, "")];
/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);

/// Somebody with a device.
struct Owner {
    person: PersonId,
    login: &'static str,
    token: String,
}

impl House {
    async fn owner(&self, id: i64, login: &'static str) -> Owner {
        let person = self.world.person(id, login, "a bell of bronze").await;
        let token = self.world.token(person).await;
        Owner { person, login, token }
    }

    /// Registers a device; its id.
    async fn device(&self, owner: &Owner, subscription: &Value) -> String {
        let asked = self.world.post("/api/v1/me/devices").bearer(&owner.token);
        let said = asked.json(subscription).send().await;
        assert!(said.status.is_success(), "{}", said.body);
        said.json()["id"].as_str().unwrap().to_owned()
    }

    /// The devices that are registered for somebody.
    async fn devices(&self, owner: &Owner) -> Vec<Value> {
        let asked = self.world.get("/api/v1/me/devices").bearer(&owner.token);
        asked.send().await.is(200).json()["devices"].as_array().unwrap().clone()
    }

    /// Sends a message to somebody's bell.
    async fn ring(&self, owner: &Owner, title: &str, importance: &str) -> i64 {
        let message = json!({
            "title": title, "text": "Some *news*.", "importance": importance,
            "audience": [{"kind": "user", "user": owner.login}], "channels": ["portal"],
        });
        self.send(&message).await.0
    }

    async fn correct(&self, id: i64, change: &Value) {
        let asked = self.world.patch(&format!("/api/v1/messages/{id}")).bearer(&self.token);
        asked.json(change).send().await.is(200);
    }

    /// Waits until nothing is due or under way.
    async fn settled(&self) {
        let app = &self.world.app;
        let mut signals = app.db.signals();
        let settled = async {
            loop {
                let free = app.clock.now().plus_ms(LEASE_MS);
                let next = app.db.read(push::next_due).await.unwrap();
                if next.is_none_or(|next| next > free) {
                    return;
                }
                let _ = signals.recv().await;
            }
        };
        tokio::time::timeout(PATIENCE, settled).await.unwrap();
    }

    /// Waits until somebody's device shows with which status its service refuses.
    async fn refused(&self, owner: &Owner, code: i64) {
        let mut signals = self.world.app.db.signals();
        let refused = async {
            while self.devices(owner).await[0]["failed_code"] != code {
                let _ = signals.recv().await;
            }
        };
        tokio::time::timeout(PATIENCE, refused).await.unwrap();
    }

    /// Lets everything that was begun be written down; nothing is pushed any more.
    async fn close(&self) {
        self.world.app.stop().await;
    }
}

fn tag(said: &Value) -> &str {
    said["said"]["notification"]["tag"].as_str().unwrap()
}

fn title(said: &Value) -> &str {
    said["said"]["notification"]["title"].as_str().unwrap()
}

fn topics(pushed: &[Pushed]) -> Vec<&str> {
    pushed.iter().map(|one| one.header("topic")).collect()
}

#[test]
fn what_rings_the_bell_is_pushed_to_the_devices_of_its_audience_alone() {
    each_house(no_relay, async |house, _| {
        let service = Service::new(TAKEN).await;
        let (ann, bob) = (house.owner(100, "ann").await, house.owner(101, "bob").await);
        house.device(&ann, &service.subscription("ann")).await;
        house.device(&bob, &service.subscription("bob")).await;
        let asked = house.world.get("/api/v1/push/key").bearer(&ann.token);
        let key = asked.send().await.is(200).json()["public_key"].clone();
        let id = house.ring(&ann, "Tonight", "high").await;
        let pushed = service.wait_for(1).await;
        house.ring(&bob, "For Bob", "low").await;
        let later = service.wait_for(2).await;

        let one = &pushed[0];
        assert_eq!((one.device(), later[1].device()), ("/ann", "/bob"));
        assert_eq!(
            (one.header("content-encoding"), one.header("content-type")),
            ("aes128gcm", "application/octet-stream")
        );
        assert_eq!((one.header("ttl"), one.header("urgency")), ("604800", "high"));
        assert_eq!(
            (later[1].header("ttl"), later[1].header("urgency")),
            ("86400", "normal")
        );
        assert!(
            one.head.contains("\r\nTopic: ") && one.header("webhook-id").is_empty(),
            "{}",
            one.head
        );
        // RFC 8030, section 5.4.
        let is_of_base64url = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        let topic = one.header("topic");
        assert!(topic.len() <= 32 && topic.bytes().all(is_of_base64url), "{topic}");
        let said = &opened(&pushed)[0];
        assert_eq!(said["key"], key);
        let now = house.world.app.clock.now();
        let claims = json!({
            "aud": format!("http://{}", service.address), "exp": now.0 / 1_000 + 12 * 60 * 60,
            "sub": "mailto:bell@example.com",
        });
        assert_eq!(said["claims"], claims);
        let expected = json!({
            "notification": {
                "title": "Tonight", "body": "Some news.", "navigate": format!("http://campanile.test/inbox/{id}"),
                "tag": one.header("topic"), "lang": "en", "requireInteraction": false,
                "data": {"kind": "message", "message": id, "sent_at": now, "summary": "Unread messages: 1"},
            },
            "app_badge": 1,
        });
        assert_eq!(said["said"], expected);
    });
}

#[test]
fn a_device_is_told_what_is_important_enough_for_it() {
    each_house(no_relay, async |house, _| {
        let service = Service::new(TAKEN).await;
        let ann = house.owner(100, "ann").await;
        let id = house.device(&ann, &service.subscription("a")).await;
        let asked = house
            .world
            .patch(&format!("/api/v1/me/devices/{id}"))
            .bearer(&ann.token);
        asked.json(&json!({"importance": "critical"})).send().await.is(200);
        house.ring(&ann, "Low", "low").await;
        house.ring(&ann, "High", "high").await;
        house.ring(&ann, "Critical", "critical").await;
        service.wait_for(1).await;
        house.close().await;
        let said = opened(&service.seen());
        assert_eq!(said.iter().map(title).collect::<Vec<_>>(), ["Critical"]);
        assert_eq!(said[0]["said"]["notification"]["requireInteraction"], true);
    });
}

#[test]
fn what_is_edited_replaces_and_what_is_recalled_goes_under_the_same_topic() {
    each_house(no_relay, async |house, _| {
        let service = Service::new(TAKEN).await;
        let ann = house.owner(100, "ann").await;
        house.device(&ann, &service.subscription("a")).await;
        let id = house.ring(&ann, "Tonight", "low").await;
        service.wait_for(1).await;
        house.correct(id, &json!({"title": "Tomorrow"})).await;
        house.correct(id, &json!({"title": "Next week", "ring": true})).await;
        service.wait_for(2).await;
        house.recall(campanile_core::id::MessageId(id)).await;
        let pushed = service.wait_for(3).await;
        house.close().await;
        assert_eq!(service.seen().len(), 3, "what does not ring is not pushed");
        let said = opened(&pushed);
        let titles: Vec<_> = said.iter().map(title).collect();
        assert_eq!(titles, ["Tonight", "Next week", "A message was taken back"]);
        let kinds: Vec<_> = said
            .iter()
            .map(|one| &one["said"]["notification"]["data"]["kind"])
            .collect();
        assert_eq!(kinds, ["message", "message", "recalled"]);
        assert!(said.iter().all(|one| tag(one) == pushed[0].header("topic")));
        assert!(topics(&pushed).iter().all(|topic| *topic == pushed[0].header("topic")));
        assert_eq!(said[2]["said"]["app_badge"], 0);
    });
}

#[test]
fn who_was_not_there_for_several_is_told_of_the_rest_by_a_summary() {
    each_house(no_relay, async |house, _| {
        let service = Service::new(TAKEN).await;
        let ann = house.owner(100, "ann").await;
        let id = house.device(&ann, &service.subscription("a")).await;
        let mut count = 0;
        for (title, importance) in [
            ("One", "low"),
            ("Two", "low"),
            ("Three", "low"),
            ("Four", "low"),
            ("Five", "high"),
            ("Six", "critical"),
        ] {
            count += 1;
            house.ring(&ann, title, importance).await;
            service.wait_for(count).await;
            house.settled().await;
        }
        // Its browser is here again.
        let asked = house
            .world
            .post(&format!("/api/v1/me/devices/{id}/heard"))
            .bearer(&ann.token);
        asked.send().await.is(204);
        house.ring(&ann, "Seven", "low").await;
        let pushed = service.wait_for(7).await;
        let said = opened(&pushed);
        let titles: Vec<_> = said.iter().map(title).collect();
        let expected = [
            "One",
            "Two",
            "Three",
            "Unread messages: 4",
            "Unread messages: 5",
            "Six",
            "Seven",
        ];
        assert_eq!(titles, expected);
        assert_eq!(said[4]["said"]["notification"]["body"], "Five");
        let topics = topics(&pushed);
        assert_eq!(topics[3], topics[4], "a summary replaces the one before");
        assert!([0, 1, 2, 5, 6].iter().all(|at| topics[*at] != topics[3]));
    });
}

#[test]
fn a_subscription_that_is_gone_is_removed() {
    for code in [404, 410] {
        each_house(no_relay, async |house, _| {
            let service = Service::new(&[(code, "")]).await;
            let ann = house.owner(100, "ann").await;
            house.device(&ann, &service.subscription("a")).await;
            house.ring(&ann, "Tonight", "low").await;
            service.wait_for(1).await;
            house.close().await;
            assert_eq!(house.devices(&ann).await, Vec::<Value>::new());
        });
    }
}

#[test]
fn a_service_that_asks_for_time_gets_it_for_all_its_devices() {
    each_house(no_relay, async |house, _| {
        let service = Service::new(&[(429, "Retry-After: 1800\r\n"), (201, "")]).await;
        let (ann, bob) = (house.owner(100, "ann").await, house.owner(101, "bob").await);
        house.device(&ann, &service.subscription("ann")).await;
        house.device(&bob, &service.subscription("bob")).await;
        house.ring(&ann, "For Ann", "low").await;
        service.wait_for(1).await;
        house.refused(&ann, 429).await;
        house.ring(&bob, "For Bob", "low").await;
        house.settled().await;
        assert_eq!(service.seen().len(), 1, "the service rests");
        house.world.advance(HOUR);
        let pushed = service.wait_for(3).await;
        let mut devices: Vec<_> = pushed.iter().map(Pushed::device).collect();
        devices.sort_unstable();
        assert_eq!(devices, ["/ann", "/ann", "/bob"]);
    });
}

#[test]
fn a_service_that_refuses_is_not_asked_again_and_its_owner_sees_why() {
    each_house(no_relay, async |house, _| {
        let service = Service::new(&[(413, "")]).await;
        let ann = house.owner(100, "ann").await;
        house.device(&ann, &service.subscription("a")).await;
        house.ring(&ann, "Tonight", "low").await;
        service.wait_for(1).await;
        house.refused(&ann, 413).await;
        house.world.advance(HOUR);
        house.settled().await;
        assert_eq!(service.seen().len(), 1);
    });
}

#[test]
fn a_device_that_was_removed_and_a_person_who_is_not_let_in_are_told_nothing() {
    each_house(no_relay, async |house, _| {
        let service = Service::new(&[(503, ""), (201, "")]).await;
        let (ann, bob) = (house.owner(100, "ann").await, house.owner(101, "bob").await);
        let id = house.device(&ann, &service.subscription("ann")).await;
        house.device(&bob, &service.subscription("bob")).await;
        let asked = house
            .world
            .delete(&format!("/api/v1/me/devices/{id}"))
            .bearer(&ann.token);
        asked.send().await.is(204);
        house.ring(&ann, "For Ann", "low").await;
        house.ring(&bob, "For Bob", "low").await;
        service.wait_for(1).await;
        house.refused(&bob, 503).await;
        house.world.deactivate(bob.person).await;
        house.world.advance(HOUR);
        house.settled().await;
        let seen = service.seen();
        assert_eq!(
            seen.iter().map(Pushed::device).collect::<Vec<_>>(),
            ["/bob"],
            "it is not tried again"
        );
    });
}

#[test]
fn without_a_device_a_publication_leaves_nothing_to_be_done() {
    each_house(no_relay, async |house, _| {
        let ann = house.owner(100, "ann").await;
        let id = house.ring(&ann, "Tonight", "low").await;
        house.recall(campanile_core::id::MessageId(id)).await;
        let next = house.world.app.db.read(push::next_due).await.unwrap();
        assert_eq!(next, None);
    });
}
