//! Two servers on one PostgreSQL behind a pooler that gives a connection for one transaction, and lets nobody listen.

use campanile_core::schema::SCHEMA;
use campanile_store::Db;
use campanile_store::testing::{pooled, postgres};

use crate::outbox::House;
use crate::relay::{Act, Manner, Server};
use crate::upgrade::send_and_find;
use crate::world::World;

#[test]
fn two_servers_behind_a_pooler_find_and_send_what_the_other_one_took() {
    let Some(database) = postgres(&SCHEMA) else { return };
    let open = || Db::open(&pooled(&database.url), &SCHEMA).unwrap();
    let (one, two) = (open(), open());
    database.wait(async {
        let relay = Server::start(Manner::new(|_| Act::Usual)).await;
        let sender = House::with(one, &format!("smtp://{}", relay.address), &[]).await;
        let other = World::with(two, &[("CAMPANILE_SMTP_URL", "smtp://127.0.0.1:1".to_owned())]).await;
        sender.people(3).await;
        send_and_find(&other, &sender.world, "Through the other one").await;
        send_and_find(&sender.world, &other, "Through the one that sends").await;
        let message = serde_json::json!({
            "title": "News", "text": "Words", "audience": [{"kind": "everyone"}], "channels": ["portal", "email"],
        });
        let taken = other
            .post("/api/v1/messages")
            .bearer(&sender.token)
            .json(&message)
            .send()
            .await
            .is(201);
        let id = campanile_core::id::MessageId(taken.json()["id"].as_i64().unwrap());
        sender.until(id, |progress| progress.sent == 3).await;
        for world in [&sender.world, &other] {
            assert_eq!(world.get("/ready").send().await.is(200).json()["listening"], "ok");
        }
        sender.world.app.stop().await;
        other.app.stop().await;
    });
}
