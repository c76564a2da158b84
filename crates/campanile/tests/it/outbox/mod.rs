//! Messages that leave the house: from the API to a relay and to receivers, with whatever goes wrong on the way.

mod kills;
mod mails;
mod outward;
mod posts;
mod signed;

pub(crate) use outward::Names;
pub(crate) use posts::{hook, no_relay};

use std::sync::Arc;
use std::time::Duration;

use campanile::deliver;
use campanile::deliver::guard::{Resolve, System};
use campanile_core::id::MessageId;
use campanile_core::outbox::run::{self, Progress};
use campanile_core::schema::SCHEMA;
use campanile_store::testing::each_database;
use serde_json::{Value, json};

use crate::relay::Server;
use crate::world::{Said, World};

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_mins(1);
/// After so long without news the clock is moved.
const QUIET: Duration = Duration::from_millis(20);

/// A server that sends, and an administrator's token.
pub(crate) struct House {
    pub(crate) world: World,
    pub(crate) token: String,
}

/// Runs a test with a server that mails through a relay, on each database.
pub(crate) fn each_house(relay: impl AsyncFn() -> Server, test: impl AsyncFn(&House, &Server)) {
    each_house_with(&[], relay, test);
}

/// With more settings.
#[expect(
    clippy::needless_pass_by_value,
    reason = "a test reads better as `each_house(relay, async |house, relay| …)`"
)]
pub(crate) fn each_house_with(
    more: &[(&str, String)],
    relay: impl AsyncFn() -> Server,
    test: impl AsyncFn(&House, &Server),
) {
    each_database(&SCHEMA, |database| {
        database.wait(async {
            let relay = relay().await;
            let house = House::with(database.db.clone(), &format!("smtp://{}", relay.address), more).await;
            test(&house, &relay).await;
            house.world.app.stop().await;
        });
    });
}

impl House {
    /// With more settings.
    pub(crate) async fn with(db: campanile_store::Db, relay: &str, more: &[(&str, String)]) -> Self {
        Self::resolving(db, relay, more, System::default()).await
    }

    /// And with a resolver that answers what a test likes.
    pub(crate) async fn resolving(
        db: campanile_store::Db,
        relay: &str,
        more: &[(&str, String)],
        names: impl Resolve,
    ) -> Self {
        let mut settings = vec![
            ("CAMPANILE_SMTP_URL", relay.to_owned()),
            ("CAMPANILE_MAIL_FROM", "Bell <bell@example.com>".to_owned()),
            ("CAMPANILE_HTTP_ALLOW", "127.0.0.1".to_owned()),
        ];
        settings.extend_from_slice(more);
        let world = World::with(db, &settings).await;
        let sending = deliver::run(&world.app, Vec::new(), Arc::new(names));
        world.app.spawn(sending.unwrap());
        let token = world.admin().await;
        Self { world, token }
    }

    /// Users `p0` and so on, each with an address.
    pub(crate) async fn people(&self, count: usize) {
        let names: Vec<String> = (0..count).map(|at| format!("p{at}")).collect();
        self.users(&names).await;
    }

    /// Users of these names, each with an address.
    pub(crate) async fn users(&self, names: &[String]) {
        let lines: Vec<String> = names
            .iter()
            .map(|name| {
                json!({"kind": "user", "id": name, "login": name, "name": name, "email": format!("{name}@example.org")})
                    .to_string()
            })
            .collect();
        let asked = self.world.post("/api/v1/directory/import").bearer(&self.token);
        let asked = asked.header("content-type", "application/x-ndjson");
        asked.body(lines.join("\n")).send().await.is(200);
    }

    /// Publishes a message; its id.
    pub(crate) async fn send(&self, message: &Value) -> MessageId {
        let said = self
            .world
            .post("/api/v1/messages")
            .bearer(&self.token)
            .json(message)
            .send()
            .await;
        MessageId(said.is(201).json()["id"].as_i64().unwrap())
    }

    /// Asks the API for something, as an administrator.
    pub(crate) async fn ask(&self, path: &str, body: &Value) -> Said {
        self.world.post(path).bearer(&self.token).json(body).send().await
    }

    /// A mail to everyone.
    pub(crate) async fn mail(&self) -> MessageId {
        let message = json!({
            "title": "News", "text": "Some *news*.",
            "audience": [{"kind": "everyone"}], "channels": ["portal", "email"],
        });
        self.send(&message).await
    }

    pub(crate) async fn recall(&self, id: MessageId) {
        let path = format!("/api/v1/messages/{id}/recall");
        self.world.post(&path).bearer(&self.token).send().await.is(200);
    }

    pub(crate) async fn progress(&self, id: MessageId) -> Progress {
        self.world.app.db.read(move |tx| run::progress(tx, id)).await.unwrap()[0]
    }

    /// Waits until a message is so far. The clock stands.
    pub(crate) async fn until(&self, id: MessageId, is_there: impl Fn(Progress) -> bool) -> Progress {
        self.wait(id, Duration::ZERO, is_there).await
    }

    /// As [`House::until`]; the clock moves on by a step whenever nothing happens.
    pub(super) async fn while_time_passes(
        &self,
        id: MessageId,
        step: Duration,
        is_there: impl Fn(Progress) -> bool,
    ) -> Progress {
        self.wait(id, step, is_there).await
    }

    async fn wait(&self, id: MessageId, step: Duration, is_there: impl Fn(Progress) -> bool) -> Progress {
        let mut signals = self.world.app.db.signals();
        let got_there = async {
            loop {
                let progress = self.progress(id).await;
                if is_there(progress) {
                    return progress;
                }
                if step.is_zero() {
                    let _ = signals.recv().await;
                } else if tokio::time::timeout(QUIET, signals.recv()).await.is_err() {
                    self.world.advance(step);
                }
            }
        };
        let got_there = tokio::time::timeout(PATIENCE, got_there).await;
        assert!(got_there.is_ok(), "it did not get there: {:?}", self.progress(id).await);
        got_there.unwrap()
    }
}
