//! A whole server on a fresh database of each kind, with a clock that stands, and clients that ask it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use campanile::address::Peer;
use campanile::app::App;
use campanile::chance::Chance;
use campanile::clock::Clock;
use campanile::config::{Flags, Settings};
use campanile::server;
use campanile_core::account;
use campanile_core::account::password;
use campanile_core::id::PersonId;
use campanile_core::schema::SCHEMA;
use campanile_core::secret::InstallationKey;
use campanile_core::time::Moment;
use campanile_store::Sql;
use campanile_store::testing::each_database;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

/// When every test begins.
pub(crate) const START: Moment = Moment(1_700_000_000_000);
/// The password of `admin`, the first administrator.
pub(crate) const ADMIN_PASSWORD: &str = "the tower of bells";

static PERSON: Sql = Sql::new(
    "world::PERSON",
    "INSERT INTO person (id, key, login, login_key, name, name_key, asm_role, guid, password, ticket_serial, changed)
     VALUES ($1, $2, $2, $2, $2, $2, 0, $2, $3, 0, 1)",
);
static LIFE: Sql = Sql::new(
    "world::LIFE",
    "INSERT INTO life (kind, object, since, until, since_at, until_at)
     VALUES (1, $1, 1, 9223372036854775807, 1, 9223372036854775807)",
);
static DEATH: Sql = Sql::new(
    "world::DEATH",
    "UPDATE life SET until = 9, until_at = 9 WHERE kind = 1 AND object = $1",
);

/// A server with its first administrator.
pub(crate) struct World {
    pub(crate) app: Arc<App>,
    router: Router,
}

/// Runs a test in a fresh world on each database.
pub(crate) fn each_world(test: impl AsyncFn(&World)) {
    each_world_at("http://campanile.test", test);
}

/// The same, with a public address.
pub(crate) fn each_world_at(origin: &str, test: impl AsyncFn(&World)) {
    each_world_with(origin, &[], test);
}

/// The same, with more settings.
#[expect(
    clippy::needless_pass_by_value,
    reason = "a test reads better as `each_world(async |world| …)`"
)]
pub(crate) fn each_world_with(origin: &str, settings: &[(&str, &str)], test: impl AsyncFn(&World)) {
    each_database(&SCHEMA, |database| {
        let usual = [
            ("CAMPANILE_PUBLIC_URL", origin),
            ("CAMPANILE_ADMIN_PASSWORD", ADMIN_PASSWORD),
            ("CAMPANILE_TRUSTED_PROXIES", "10.0.0.0/8"),
            ("CAMPANILE_IMPORT_LIMIT", "1 MiB"),
        ];
        let env: BTreeMap<&str, &str> = usual.iter().chain(settings).copied().collect();
        let env = |name: &str| env.get(name).map(|value| (*value).to_owned());
        let settings = Settings::from_sources(None, &env, Flags::default()).unwrap();
        database.wait(async {
            let world = World::new(database.db.clone(), settings, origin).await;
            test(&world).await;
            world.app.stop().await;
        });
    });
}

impl World {
    /// A server with settings of its own, beside those that all tests have; the caller stops it.
    pub(crate) async fn with(db: campanile_store::Db, more: &[(&str, String)]) -> Self {
        let mut env = BTreeMap::from([("CAMPANILE_ADMIN_PASSWORD", ADMIN_PASSWORD.to_owned())]);
        env.extend(more.iter().cloned());
        let env = |name: &str| env.get(name).cloned();
        let settings = Settings::from_sources(None, &env, Flags::default()).unwrap();
        Self::new(db, settings, "http://campanile.test").await
    }

    async fn new(db: campanile_store::Db, settings: Settings, origin: &str) -> Self {
        let key = InstallationKey::from_text("0123456789abcdef0123456789abcdef").unwrap();
        let app = App::with(
            db,
            key,
            settings,
            origin.into(),
            Clock::manual(START),
            Chance::seeded(1),
        );
        let app = Arc::new(app);
        // There already, where a test starts another server on the database.
        app.ensure_administrator().await.unwrap();
        let (router, _) = server::router(&app).unwrap();
        Self { app, router }
    }

    /// What answers, to be served over sockets.
    pub(crate) fn router(&self) -> Router {
        self.router.clone()
    }

    /// Moves the clock on.
    pub(crate) fn advance(&self, by: Duration) {
        self.app.clock.advance(by);
    }

    /// A person with nothing but a login and a password.
    pub(crate) async fn person(&self, id: i64, login: &'static str, password: &str) -> PersonId {
        let phc = password::hash(password, &[id as u8; 16]);
        let made = self.app.db.write(move |tx| {
            tx.execute(&PERSON, &[&id, &login, &phc])?;
            tx.execute(&LIFE, &[&id])
        });
        made.await.unwrap();
        PersonId(id)
    }

    /// Deactivates a person.
    pub(crate) async fn deactivate(&self, person: PersonId) {
        let ended = self.app.db.write(move |tx| tx.execute(&DEATH, &[&person.0]));
        assert_eq!(ended.await.unwrap(), 1);
    }

    /// A personal token of a person.
    pub(crate) async fn token(&self, person: PersonId) -> String {
        let (random, now) = (self.app.chance.bytes(), self.app.clock.now());
        let name = format!("token {}", campanile_core::secret::hex(&random[..4]));
        let made = self
            .app
            .db
            .jot(move |tx| account::token::create(tx, person, &name, None, &random, now));
        made.await.unwrap().1
    }

    /// A personal token of `admin`, the first administrator.
    pub(crate) async fn admin(&self) -> String {
        self.token(PersonId(1)).await
    }

    /// A request to be sent.
    pub(crate) fn ask(&self, method: Method, path: &str) -> Ask<'_> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .extension(peer("192.0.2.1:4711"));
        Ask {
            world: self,
            request,
            body: Body::empty(),
        }
    }

    pub(crate) fn get(&self, path: &str) -> Ask<'_> {
        self.ask(Method::GET, path)
    }

    pub(crate) fn post(&self, path: &str) -> Ask<'_> {
        self.ask(Method::POST, path)
    }

    pub(crate) fn patch(&self, path: &str) -> Ask<'_> {
        self.ask(Method::PATCH, path)
    }

    pub(crate) fn put(&self, path: &str) -> Ask<'_> {
        self.ask(Method::PUT, path)
    }

    pub(crate) fn delete(&self, path: &str) -> Ask<'_> {
        self.ask(Method::DELETE, path)
    }
}

fn peer(address: &str) -> Peer {
    Peer(address.parse::<SocketAddr>().unwrap())
}

/// A request in the making.
pub(crate) struct Ask<'w> {
    world: &'w World,
    request: http::request::Builder,
    body: Body,
}

impl Ask<'_> {
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    /// As the holder of a personal token.
    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// As `curl -u` does.
    pub(crate) fn basic(self, login: &str, password: &str) -> Self {
        let pair = base64(format!("{login}:{password}").as_bytes());
        self.header("authorization", &format!("Basic {pair}"))
    }

    /// From a page of this server, with a session's cookie.
    pub(crate) fn cookie(self, cookie: &str) -> Self {
        self.header("cookie", cookie).header("sec-fetch-site", "same-origin")
    }

    /// From the other end of another connection.
    pub(crate) fn from(mut self, address: &str) -> Self {
        self.request = self.request.extension(peer(address));
        self
    }

    pub(crate) fn json(mut self, body: &Value) -> Self {
        self.body = Body::from(body.to_string());
        self.header("content-type", "application/json")
    }

    /// With a body as it is.
    pub(crate) fn body(mut self, body: impl Into<Body>) -> Self {
        self.body = body.into();
        self
    }

    pub(crate) async fn send(self) -> Said {
        let request = self.request.body(self.body).unwrap();
        let response = self.world.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Said {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Said {
    /// The answer, of a status.
    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        self
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect(&self.body)
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The fields that a problem blames.
    pub(crate) fn fields(&self) -> Vec<String> {
        let errors = self.json()["errors"].as_array().cloned().unwrap_or_default();
        let field = |error: &Value| error["field"].as_str().unwrap().to_owned();
        errors.iter().map(field).collect()
    }

    /// What `detail` of a problem says.
    pub(crate) fn detail(&self) -> String {
        self.json()["detail"].as_str().unwrap().to_owned()
    }

    /// Name and value of the cookie that was set.
    pub(crate) fn set_cookie(&self) -> String {
        self.header("set-cookie").split(';').next().unwrap().to_owned()
    }
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0_u32, |bits, byte| (bits << 8) | u32::from(*byte)) << (8 * (3 - group.len()));
        for at in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * at)) as usize & 63];
            out.push(if at <= group.len() { char::from(digit) } else { '=' });
        }
    }
    out
}
