//! What becomes of a push on its way: by which service it goes, what is told first, what is not told any more, and how
//! all that is counted.

use std::sync::Arc;
use std::time::Duration;

use campanile::deliver;
use campanile::deliver::guard::System;
use campanile_core::id::MessageId;
use campanile_core::outbox::device;
use campanile_core::schema::SCHEMA;
use campanile_store::testing::each_database;
use serde_json::{Value, json};

use super::service::{AUTH, P256DH, Service, opened};
use super::{HOUR, House, PATIENCE, Pushed, TAKEN, each_house, no_relay};
use crate::outbox::Names;
use crate::relay::{Act, Manner, Server};
use crate::world::World;

const DAY: Duration = Duration::from_hours(24);

/// Runs a test with a server for which names lead where the test likes.
#[expect(
    clippy::needless_pass_by_value,
    reason = "a test reads better as `each_house_by(names, settings, async |house| …)`"
)]
fn each_house_by(names: &Names, settings: &[(&str, String)], test: impl AsyncFn(&House)) {
    each_database(&SCHEMA, |database| {
        database.wait(async {
            let house = House::resolving(database.db.clone(), "smtp://127.0.0.1:9", settings, names.clone()).await;
            test(&house).await;
            house.world.app.stop().await;
        });
    });
}

#[test]
fn safari_gets_what_it_shows_by_itself() {
    let names = Names::default();
    names.tell("web.push.apple.com", &[&["127.0.0.1"]]);
    let allow = ("CAMPANILE_HTTP_ALLOW", "web.push.apple.com".to_owned());
    each_house_by(&names, &[allow], async |house| {
        let service = Service::new(TAKEN).await;
        let ann = house.owner(100, "ann").await;
        let mut subscription = service.subscription("a");
        let port = service.address.port();
        subscription["endpoint"] = json!(format!("http://web.push.apple.com:{port}/a"));
        house.device(&ann, &subscription).await;
        let id = house.ring(&ann, "Tonight", "critical").await;
        service.wait_for(1).await;
        house.correct(id, &json!({"title": "Tomorrow", "ring": true})).await;
        service.wait_for(2).await;
        house.recall(MessageId(id)).await;
        let pushed = service.wait_for(3).await;

        // webkit.org/blog/16535: the number 8030, a title that is not empty, a whole address, a badge in digits.
        let (tag, now) = (pushed[0].header("topic"), house.world.app.clock.now());
        let expected = |kind: &str, title: &str, body: &str, path: &str, stays: bool, unread: u64| {
            json!({
                "web_push": 8030,
                "notification": {
                    "title": title, "body": body, "navigate": format!("http://campanile.test{path}"), "tag": tag,
                    "lang": "en", "requireInteraction": stays, "app_badge": unread.to_string(),
                    "data": {
                        "kind": kind, "message": id, "sent_at": now, "summary": format!("Unread messages: {unread}"),
                    },
                },
                "app_badge": unread,
            })
        };
        let path = format!("/inbox/{id}");
        let said: Vec<Value> = opened(&pushed).iter().map(|one| one["said"].clone()).collect();
        assert_eq!(said[0], expected("message", "Tonight", "Some news.", &path, true, 1));
        assert_eq!(said[1], expected("message", "Tomorrow", "Some news.", &path, true, 1));
        assert_eq!(
            said[2],
            expected("recalled", "A message was taken back", "", "/inbox", false, 0)
        );
    });
}

#[test]
fn a_service_that_turns_out_to_be_inside_is_not_connected_to() {
    let names = Names::default();
    names.tell("push.example.com", &[&["10.0.0.1"]]);
    each_house_by(&names, &[], async |house| {
        let ann = house.owner(100, "ann").await;
        let keys = json!({"p256dh": P256DH, "auth": AUTH});
        house
            .device(&ann, &json!({"endpoint": "https://push.example.com/1", "keys": keys}))
            .await;
        let mut signals = house.world.app.db.signals();
        house.ring(&ann, "Tonight", "low").await;
        let refused = async {
            while house.devices(&ann).await[0]["failed_at"].is_null() {
                let _ = signals.recv().await;
            }
        };
        tokio::time::timeout(PATIENCE, refused).await.unwrap();
        assert_eq!(house.devices(&ann).await[0]["failed_code"], Value::Null);
        house.world.advance(HOUR);
        house.settled().await;
    });
}

#[test]
fn what_is_critical_is_told_before_what_waits() {
    each_database(&SCHEMA, |database| {
        database.wait(async {
            let allow = [("CAMPANILE_HTTP_ALLOW", "127.0.0.1".to_owned())];
            let world = World::with(database.db.clone(), &allow).await;
            let token = world.admin().await;
            let house = House { world, token };
            // As many as are under way at once.
            let service = Service::after(32, TAKEN).await;
            let (ann, bob) = (house.owner(100, "ann").await, house.owner(101, "bob").await);
            for number in 0..20 {
                house
                    .device(&ann, &service.subscription(&format!("ann/{number}")))
                    .await;
                house
                    .device(&bob, &service.subscription(&format!("bob/{number}")))
                    .await;
            }
            house.ring(&bob, "For Bob", "low").await;
            house.ring(&ann, "For Ann", "low").await;
            house.ring(&ann, "At once", "critical").await;
            let app = &house.world.app;
            let sending = deliver::run(app, Vec::new(), Arc::new(System::default()));
            app.spawn(sending.unwrap());
            let pushed = service.wait_for(32).await;
            let is_urgent = |one: &&Pushed| one.header("urgency") == "high";
            assert_eq!(pushed[..32].iter().filter(is_urgent).count(), 20);
            service.wait_for(60).await;
            app.stop().await;
        });
    });
}

#[test]
fn what_was_read_meanwhile_is_not_told_any_more() {
    each_house(no_relay, async |house, _| {
        let service = Service::new(&[(503, ""), (201, "")]).await;
        let ann = house.owner(100, "ann").await;
        house.device(&ann, &service.subscription("a")).await;
        let id = house.ring(&ann, "Tonight", "low").await;
        service.wait_for(1).await;
        house.refused(&ann, 503).await;
        let read = house.world.post(&format!("/api/v1/inbox/{id}/read")).bearer(&ann.token);
        read.send().await.is(204);
        house.world.advance(HOUR);
        house.settled().await;
        assert_eq!(service.seen().len(), 1);
    });
}

#[test]
fn a_subscription_is_told_nothing_once_it_has_ended() {
    each_house(no_relay, async |house, _| {
        let service = Service::new(TAKEN).await;
        let (ann, bob) = (house.owner(100, "ann").await, house.owner(101, "bob").await);
        let mut short = service.subscription("ann");
        short["expirationTime"] = json!(house.world.app.clock.now().0 + 60_000);
        house.device(&ann, &short).await;
        house.device(&bob, &service.subscription("bob")).await;
        house.world.advance(HOUR);
        house.ring(&ann, "For Ann", "low").await;
        house.ring(&bob, "For Bob", "low").await;
        service.wait_for(1).await;
        house.close().await;
        let devices: Vec<_> = service.seen().iter().map(|one| one.device().to_owned()).collect();
        assert_eq!(devices, ["/bob"]);
    });
}

#[test]
fn a_device_that_was_not_heard_of_for_long_is_forgotten_and_the_others_are_counted() {
    each_house(no_relay, async |house, _| {
        let service = Service::new(TAKEN).await;
        let (ann, bob) = (house.owner(100, "ann").await, house.owner(101, "bob").await);
        house.device(&ann, &service.subscription("ann")).await;
        house.world.advance(DAY * 59);
        house.device(&bob, &service.subscription("bob")).await;
        house.world.advance(DAY * 2);
        let app = &house.world.app;
        app.spawn(campanile::keeper::run(Arc::clone(app)));
        // The keeper writes and reads through the same queues: each turn here lets it come further.
        let mut left = 1_000;
        while !metrics(house).await.contains("campanile_push_devices 1") {
            app.db.jot(device::count).await.unwrap();
            left -= 1;
            assert!(left > 0, "{}", metrics(house).await);
        }
        assert_eq!(
            (house.devices(&ann).await.len(), house.devices(&bob).await.len()),
            (0, 1)
        );
    });
}

async fn metrics(house: &House) -> String {
    house.world.get("/metrics").send().await.is(200).body
}

#[test]
fn what_leaves_is_counted_by_channel_and_by_what_came_of_it() {
    let relay = async || Server::start(Manner::new(|_| Act::Usual)).await;
    each_house(relay, async |house, _| {
        let service = Service::new(&[(503, ""), (201, ""), (410, "")]).await;
        let ann = house.owner(100, "ann").await;
        house.device(&ann, &service.subscription("a")).await;
        house.ring(&ann, "First", "low").await;
        house.refused(&ann, 503).await;
        house.world.advance(HOUR);
        service.wait_for(2).await;
        house.settled().await;
        house.ring(&ann, "Second", "low").await;
        service.wait_for(3).await;
        house.people(2).await;
        let mailed = house.mail().await;
        house.until(mailed, |progress| progress.sent == 2).await;
        house.close().await;
        let said = metrics(house).await;
        let counted = said
            .lines()
            .filter(|line| line.starts_with("campanile_deliveries_total"));
        let mut counted: Vec<_> = counted.collect();
        counted.sort_unstable();
        let expected = [
            r#"campanile_deliveries_total{channel="email",outcome="sent"} 2"#,
            r#"campanile_deliveries_total{channel="push",outcome="again"} 1"#,
            r#"campanile_deliveries_total{channel="push",outcome="gone"} 1"#,
            r#"campanile_deliveries_total{channel="push",outcome="sent"} 1"#,
        ];
        assert_eq!(counted, expected);
    });
}
