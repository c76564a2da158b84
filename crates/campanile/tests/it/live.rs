//! The live channel over real sockets: who is told what, and what becomes of streams.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use campanile::live::{self, STREAMS};
use campanile::serve::serve;
use campanile_core::id::PersonId;
use campanile_core::inbox::act::{All, Marking, mark, read_all};
use campanile_core::lists::Shared;
use campanile_core::schema::SCHEMA;
use campanile_store::Db;
use campanile_store::testing::{self, each_database};
use prometheus_client::metrics::gauge::Gauge;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::sites::{ORIGIN, Shop};
use crate::world::{ADMIN_PASSWORD, START, World, each_world, each_world_with};

/// What must happen soon, or the test has failed.
async fn in_time<T>(event: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), event)
        .await
        .expect("nothing happened")
}

/// A served world: `ann` and `bob`, who hold nothing, beside `admin`.
struct House<'w> {
    world: &'w World,
    address: SocketAddr,
    admin: String,
    ann: String,
}

const PEOPLE: &str = r#"{"kind":"user","id":"ann","login":"ann","name":"Ann","password":"a long way up"}
{"kind":"user","id":"bob","login":"bob","name":"Bob","password":"a long way up"}"#;

impl<'w> House<'w> {
    async fn new(world: &'w World) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = &world.app;
        let (router, limits, shutdown) = (world.router(), app.settings.limits.clone(), app.shutdown().clone());
        app.spawn(async move {
            serve(listener, router, &limits, &Gauge::default(), shutdown).await;
        });
        app.spawn(live::run(Arc::clone(app)));
        let admin = world.token(PersonId(1)).await;
        let house = Self {
            world,
            address,
            admin,
            ann: String::new(),
        };
        house.import(PEOPLE).await;
        let ann = house.token_of("ann").await;
        Self { ann, ..house }
    }

    async fn token_of(&self, login: &str) -> String {
        let ask = self.world.post("/api/v1/me/tokens").basic(login, "a long way up");
        let made = ask.json(&json!({"name": "live"})).send().await.is(201);
        made.json()["token"].as_str().unwrap().to_owned()
    }

    async fn import(&self, lines: &str) {
        let ask = self.world.post("/api/v1/directory/import").bearer(&self.admin);
        ask.body(lines.to_owned()).send().await.is(200);
    }

    async fn publish(&self, to: &Value, title: &str) -> Value {
        let message = json!({"title": title, "text": "What it **is** about.", "audience": [to]});
        let ask = self.world.post("/api/v1/messages").bearer(&self.admin).json(&message);
        ask.send().await.is(201).json()["id"].clone()
    }

    async fn open(&self, path: &str, headers: &str) -> Stream {
        let mut stream = connect(self.address).await;
        let head = format!("GET {path} HTTP/1.1\r\nHost: campanile.test\r\n{headers}\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut stream = BufReader::new(stream);
        let mut head = String::new();
        loop {
            let mut line = String::new();
            in_time(stream.read_line(&mut line)).await.unwrap();
            if line == "\r\n" {
                break;
            }
            head += &line.to_lowercase();
        }
        Stream {
            socket: stream,
            head,
            beats: 0,
        }
    }

    /// A stream of somebody that has said hello.
    async fn listen(&self, token: &str) -> (Stream, Event) {
        let mut stream = self
            .open("/api/v1/live", &format!("Authorization: Bearer {token}\r\n"))
            .await;
        assert!(stream.head.starts_with("http/1.1 200"), "{}", stream.head);
        let hello = stream.next().await.unwrap();
        assert_eq!(hello.name, "hello");
        (stream, hello)
    }
}

#[expect(clippy::disallowed_methods, reason = "the client of these tests, on loopback")]
async fn connect(address: SocketAddr) -> TcpStream {
    TcpStream::connect(address).await.unwrap()
}

struct Stream {
    socket: BufReader<TcpStream>,
    head: String,
    /// Comments so far.
    beats: usize,
}

#[derive(Debug)]
struct Event {
    name: String,
    id: Option<i64>,
    data: Value,
}

impl Stream {
    /// The next event; `None` once the body has ended. Comments are no events.
    async fn next(&mut self) -> Option<Event> {
        loop {
            let mut size = String::new();
            in_time(self.socket.read_line(&mut size)).await.unwrap();
            let size = usize::from_str_radix(size.trim_end(), 16).unwrap();
            let mut chunk = vec![0; size + 2];
            in_time(self.socket.read_exact(&mut chunk)).await.unwrap();
            if size == 0 {
                return None;
            }
            let text = String::from_utf8(chunk).unwrap();
            let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
            if let Some(name) = field("event: ") {
                return Some(Event {
                    name: name.to_owned(),
                    id: field("id: ").map(|id| id.parse().unwrap()),
                    data: serde_json::from_str(field("data: ").unwrap()).unwrap(),
                });
            }
            self.beats += 1;
        }
    }

    async fn is(&mut self, name: &str) -> Event {
        let event = self.next().await.unwrap();
        assert_eq!(event.name, name, "{event:?}");
        event
    }
}

fn ann() -> Value {
    json!({"kind": "user", "user": "ann"})
}

fn bob() -> Value {
    json!({"kind": "user", "user": "bob"})
}

fn users() -> Value {
    json!({"kind": "environment_role", "role": "USER"})
}

const MADE_USER: &str = r#"{"kind":"membership","user":"ann","on":{"environment":"DEFAULT"},"role":"USER"}"#;

#[test]
fn a_message_reaches_who_is_in_its_audience_with_the_number() {
    each_world(async |world| {
        let house = House::new(world).await;
        let (mut stream, hello) = house.listen(&house.ann).await;
        assert_eq!(hello.data["unread"], 0);
        assert_eq!(hello.data["resumed"], false);
        house.publish(&bob(), "Not for Ann").await;
        let id = house.publish(&ann(), "For Ann").await;
        let told = stream.is("message").await;
        let expected = json!({
            "id": id, "change": "there", "rings": true, "title": "For Ann", "excerpt": "What it is about.",
            "sender_name": "Administrator", "importance": "low", "edition": 1, "banner": false, "banner_only": false,
        });
        assert_eq!(told.data, expected);
        assert!(told.id > hello.id, "{told:?}");
        let counts = stream.is("counts").await;
        assert_eq!((&counts.data["unread"], &counts.data["unseen"]), (&json!(1), &json!(1)));
    });
}

#[test]
fn streams_that_are_open_are_counted() {
    each_world(async |world| {
        let house = House::new(world).await;
        let (_first, _) = house.listen(&house.ann).await;
        let (_second, _) = house.listen(&house.admin).await;
        let metrics = world.get("/metrics").send().await.is(200).body;
        assert!(metrics.contains("\ncampanile_live_streams 2\n"), "{metrics}");
    });
}

#[test]
fn what_is_done_on_one_device_is_told_to_the_others() {
    each_world(async |world| {
        let house = House::new(world).await;
        let id = house.publish(&ann(), "Read elsewhere").await;
        let (mut stream, hello) = house.listen(&house.ann).await;
        assert_eq!(hello.data["unread"], 1);
        let path = format!("/api/v1/inbox/{id}/read");
        world.post(&path).bearer(&house.ann).send().await.is(204);
        assert_eq!(stream.is("counts").await.data["unread"], 0);
    });
}

#[test]
fn what_another_process_does_is_told_and_counts_with_what_comes_next() {
    each_database(&SCHEMA, |database| {
        database.wait(async {
            let world = World::with(database.db.clone(), &[]).await;
            let house = House::new(&world).await;
            let (mut stream, _) = house.listen(&house.ann).await;
            house.publish(&ann(), "First").await;
            stream.is("message").await;
            assert_eq!(stream.is("counts").await.data["unread"], 1);
            // Opening blocks, which a thread that runs tasks must not.
            let options = testing::options(&database.url);
            let other = std::thread::spawn(move || Db::open(&options, &SCHEMA).unwrap())
                .join()
                .unwrap();
            let person = PersonId(2);
            let marked = other.jot(move |tx| {
                let Marking::Mark(up_to) = read_all(tx, &Shared::default(), person, None, START)? else {
                    panic!("Ann has something to read");
                };
                mark(tx, person, All::Read, up_to, START)
            });
            marked.await.unwrap();
            assert_eq!(stream.is("counts").await.data["unread"], 0);
            house.publish(&ann(), "Second").await;
            stream.is("message").await;
            assert_eq!(stream.is("counts").await.data["unread"], 1);
            drop(other);
            world.app.stop().await;
        });
    });
}

#[test]
fn who_did_a_lot_is_counted_as_well() {
    each_world(async |world| {
        let house = House::new(world).await;
        for at in 0..66 {
            let id = house.publish(&ann(), &format!("{at}")).await;
            let read = format!("/api/v1/inbox/{id}/read");
            world.post(&read).bearer(&house.ann).send().await.is(204);
        }
        let (mut stream, hello) = house.listen(&house.ann).await;
        assert_eq!((&hello.data["unread"], &hello.data["total"]), (&json!(0), &json!(66)));
        house.publish(&ann(), "One more").await;
        stream.is("message").await;
        let counts = stream.is("counts").await;
        assert_eq!((&counts.data["unread"], &counts.data["total"]), (&json!(1), &json!(67)));
    });
}

#[test]
fn what_is_recalled_is_gone() {
    each_world(async |world| {
        let house = House::new(world).await;
        let id = house.publish(&ann(), "Taken back").await;
        let (mut stream, _) = house.listen(&house.ann).await;
        let path = format!("/api/v1/messages/{id}/recall");
        world.post(&path).bearer(&house.admin).send().await.is(200);
        let told = stream.is("message").await;
        assert_eq!(told.data, json!({"id": id, "change": "gone"}));
        assert_eq!(stream.is("counts").await.data["unread"], 0);
    });
}

#[test]
fn what_is_over_by_the_clock_is_gone() {
    each_world(async |world| {
        let house = House::new(world).await;
        let id = house.publish(&ann(), "Until then").await;
        let (mut stream, _) = house.listen(&house.ann).await;
        let closes = json!({"closes_at": "2023-11-14T22:14:00Z"});
        let path = format!("/api/v1/messages/{id}");
        world
            .patch(&path)
            .bearer(&house.admin)
            .json(&closes)
            .send()
            .await
            .is(200);
        assert_eq!(stream.is("message").await.data["change"], "there");
        world.advance(Duration::from_mins(1));
        assert_eq!(stream.is("message").await.data["change"], "gone");
        assert_eq!(stream.is("counts").await.data["total"], 0);
    });
}

#[test]
fn a_correction_is_told_and_rings_only_where_it_is_asked_to() {
    each_world(async |world| {
        let house = House::new(world).await;
        let id = house.publish(&ann(), "First words").await;
        let (mut stream, _) = house.listen(&house.ann).await;
        for (correction, rings) in [
            (json!({"title": "Second words"}), false),
            (json!({"title": "Third words", "ring": true}), true),
        ] {
            let path = format!("/api/v1/messages/{id}");
            world
                .patch(&path)
                .bearer(&house.admin)
                .json(&correction)
                .send()
                .await
                .is(200);
            let told = stream.is("message").await;
            assert_eq!(told.data["title"], correction["title"]);
            assert_eq!(told.data["rings"], rings, "{correction}");
        }
    });
}

#[test]
fn a_role_that_is_given_or_taken_counts_for_open_streams() {
    each_world(async |world| {
        let house = House::new(world).await;
        let (mut stream, _) = house.listen(&house.ann).await;
        house.import(MADE_USER).await;
        house.publish(&users(), "For users").await;
        assert_eq!(stream.is("message").await.data["title"], "For users");
        stream.is("counts").await;
        house
            .import(&MADE_USER.replace(r#""kind":"membership""#, r#""kind":"remove","of":"membership""#))
            .await;
        house.publish(&users(), "For those who still are").await;
        house.publish(&ann(), "For Ann").await;
        assert_eq!(stream.is("message").await.data["title"], "For Ann");
    });
}

#[test]
fn who_comes_back_is_told_what_was_missed() {
    each_world(async |world| {
        let house = House::new(world).await;
        let (mut stream, _) = house.listen(&house.ann).await;
        house.publish(&ann(), "Seen").await;
        let seen = stream.is("message").await.id.unwrap();
        drop(stream);
        house.publish(&bob(), "Foreign").await;
        house.publish(&ann(), "Missed").await;
        let headers = format!("Authorization: Bearer {}\r\nLast-Event-ID: {seen}\r\n", house.ann);
        let mut stream = house.open("/api/v1/live", &headers).await;
        let hello = stream.is("hello").await;
        assert_eq!(
            (&hello.data["resumed"], &hello.data["unread"]),
            (&json!(true), &json!(2))
        );
        let missed = stream.is("message").await;
        assert_eq!(
            (&missed.data["title"], &missed.data["rings"]),
            (&json!("Missed"), &json!(true))
        );
        let ahead = format!("/api/v1/live?last_event_id={}", seen + 1_000);
        let mut stream = house
            .open(&ahead, &format!("Authorization: Bearer {}\r\n", house.ann))
            .await;
        assert_eq!(
            stream.is("hello").await.data["resumed"],
            false,
            "that is of another database"
        );
    });
}

#[test]
fn a_revoked_token_ends_its_stream() {
    each_world(async |world| {
        let house = House::new(world).await;
        let (mut stream, _) = house.listen(&house.ann).await;
        let tokens = world.get("/api/v1/me/tokens").bearer(&house.ann).send().await.json();
        let path = format!("/api/v1/me/tokens/{}", tokens["tokens"][0]["id"].as_str().unwrap());
        world.delete(&path).basic("ann", "a long way up").send().await.is(204);
        let bye = stream.is("bye").await;
        assert!(bye.data["after_ms"].as_u64().unwrap() < 1_000, "{bye:?}");
        assert!(stream.next().await.is_none());
        let again = house
            .open("/api/v1/live", &format!("Authorization: Bearer {}\r\n", house.ann))
            .await;
        assert!(again.head.starts_with("http/1.1 401"), "{}", again.head);
    });
}

#[test]
fn who_is_deactivated_hears_nothing_more() {
    each_world(async |world| {
        let house = House::new(world).await;
        let (mut stream, _) = house.listen(&house.ann).await;
        house.import(r#"{"kind":"remove","of":"user","id":"ann"}"#).await;
        stream.is("bye").await;
        assert!(stream.next().await.is_none());
    });
}

#[test]
fn a_ticket_opens_one_stream() {
    each_world(async |world| {
        let house = House::new(world).await;
        let made = world
            .post("/api/v1/live/tickets")
            .bearer(&house.ann)
            .send()
            .await
            .is(201);
        let path = format!("/api/v1/live?ticket={}", made.json()["ticket"].as_str().unwrap());
        let mut stream = house.open(&path, "").await;
        stream.is("hello").await;
        house.publish(&ann(), "By ticket").await;
        assert_eq!(stream.is("message").await.data["title"], "By ticket");
        let again = house.open(&path, "").await;
        assert!(again.head.starts_with("http/1.1 401"), "{}", again.head);
    });
}

#[test]
fn a_ticket_goes_with_what_it_was_made_by() {
    each_world(async |world| {
        let house = House::new(world).await;
        let made = world
            .post("/api/v1/live/tickets")
            .bearer(&house.ann)
            .send()
            .await
            .is(201);
        let tokens = world.get("/api/v1/me/tokens").bearer(&house.ann).send().await.json();
        let path = format!("/api/v1/me/tokens/{}", tokens["tokens"][0]["id"].as_str().unwrap());
        world.delete(&path).basic("ann", "a long way up").send().await.is(204);
        let path = format!("/api/v1/live?ticket={}", made.json()["ticket"].as_str().unwrap());
        let stream = house.open(&path, "").await;
        assert!(stream.head.starts_with("http/1.1 401"), "{}", stream.head);
    });
}

#[test]
fn a_person_has_so_many_streams_and_a_place_is_free_again() {
    each_world(async |world| {
        let house = House::new(world).await;
        let mut streams = Vec::new();
        for _ in 0..STREAMS {
            streams.push(house.listen(&house.ann).await.0);
        }
        let header = format!("Authorization: Bearer {}\r\n", house.ann);
        let refused = house.open("/api/v1/live", &header).await;
        assert!(refused.head.starts_with("http/1.1 429"), "{}", refused.head);
        assert!(refused.head.contains("retry-after: 30"), "{}", refused.head);
        house.listen(&house.admin).await;
        streams.pop();
        in_time(async {
            while world.app.live.len() > STREAMS {
                tokio::task::yield_now().await;
            }
        })
        .await;
        house.listen(&house.ann).await;
    });
}

#[test]
fn a_server_has_so_many_streams() {
    each_world_with(
        "http://campanile.test",
        &[("CAMPANILE_MAX_STREAMS", "1")],
        async |world| {
            let house = House::new(world).await;
            let (_stream, _) = house.listen(&house.ann).await;
            let header = format!("Authorization: Bearer {}\r\n", house.admin);
            let refused = house.open("/api/v1/live", &header).await;
            assert!(refused.head.starts_with("http/1.1 503"), "{}", refused.head);
        },
    );
}

#[test]
fn streams_end_with_the_server_and_come_back_spread_out() {
    each_world(async |world| {
        let house = House::new(world).await;
        let (mut one, _) = house.listen(&house.ann).await;
        let (mut other, _) = house.listen(&house.admin).await;
        world.app.shutdown().cancel();
        let (one, other) = (one.is("bye").await, other.is("bye").await);
        assert_ne!(one.data, other.data);
    });
}

#[test]
fn an_old_stream_ends_and_a_quiet_one_is_kept_alive() {
    each_world(async |world| {
        let house = House::new(world).await;
        let (mut stream, _) = house.listen(&house.ann).await;
        for _ in 0..15 {
            world.advance(Duration::from_secs(1));
            // Something after each second, so that each is looked at.
            house.publish(&ann(), "Tick").await;
            stream.is("message").await;
            stream.is("counts").await;
        }
        assert_eq!(stream.beats, 1);
        world.advance(Duration::from_mins(13));
        stream.is("bye").await;
        assert!(stream.next().await.is_none());
    });
}

#[test]
fn nobody_listens_unasked_and_only_in_http_1_1() {
    each_world(async |world| {
        let house = House::new(world).await;
        let nobody = house.open("/api/v1/live", "").await;
        assert!(nobody.head.starts_with("http/1.1 401"), "{}", nobody.head);
        let mut old = connect(house.address).await;
        let head = format!(
            "GET /api/v1/live HTTP/1.0\r\nAuthorization: Bearer {}\r\n\r\n",
            house.ann
        );
        old.write_all(head.as_bytes()).await.unwrap();
        let mut answer = String::new();
        in_time(old.read_to_string(&mut answer)).await.unwrap();
        assert!(answer.starts_with("HTTP/1.0 400"), "{answer}");
        let head = world
            .ask(http::Method::HEAD, "/api/v1/live")
            .basic("admin", ADMIN_PASSWORD);
        let said = head.send().await.is(200);
        assert_eq!(said.header("content-type"), "text/event-stream");
        assert!(world.app.live.is_empty());
    });
}

// ---------------------------------------------------------------- pages of other sites

/// A ticket that a token of a site gives.
async fn ticket(world: &World, token: &str) -> String {
    let ask = world
        .post("/api/v1/live/tickets")
        .bearer(token)
        .header("origin", ORIGIN);
    let made = ask.send().await.is(201).json();
    made["ticket"].as_str().unwrap().to_owned()
}

impl House<'_> {
    /// A stream that a page of a site opens with a ticket.
    async fn embedded(&self, token: &str) -> Stream {
        let path = format!("/api/v1/live?ticket={}", ticket(self.world, token).await);
        let mut stream = self.open(&path, &format!("Origin: {ORIGIN}\r\n")).await;
        assert!(stream.head.starts_with("http/1.1 200"), "{}", stream.head);
        let allows = format!("access-control-allow-origin: {ORIGIN}\r\n");
        assert!(stream.head.contains(&allows), "{}", stream.head);
        stream.is("hello").await;
        stream
    }
}

#[test]
fn a_page_of_a_site_opens_a_stream_that_ends_with_the_key() {
    each_world(async |world| {
        let (house, shop) = (House::new(world).await, Shop::bare(world).await);
        let (key, _) = shop.add_key().await;
        let mut embedded = house.embedded(&shop.token("ann")).await;
        let (mut own, _) = house.listen(&house.ann).await;
        house.publish(&ann(), "For Ann").await;
        for stream in [&mut embedded, &mut own] {
            stream.is("message").await;
            stream.is("counts").await;
        }
        shop.admin.delete(&format!("{}/keys/{key}", shop.path())).await.is(204);
        house.publish(&ann(), "The other key has ended").await;
        embedded.is("message").await;
        embedded.is("counts").await;
        shop.admin
            .delete(&format!("{}/keys/{}", shop.path(), shop.key))
            .await
            .is(204);
        embedded.is("bye").await;
        assert!(embedded.next().await.is_none());
        house.publish(&ann(), "Her own goes on").await;
        for _ in 0..2 {
            own.is("message").await;
            own.is("counts").await;
        }
    });
}

#[test]
fn a_stream_of_a_site_ends_with_the_site_and_where_its_people_are_others() {
    each_world(async |world| {
        let (house, shop) = (House::new(world).await, Shop::bare(world).await);
        house.import(r#"{"kind":"customer","id":17,"name":"Acme"}"#).await;
        let mut stream = house.embedded(&shop.token("ann")).await;
        shop.admin.patch(&shop.path(), &json!({"customer": 17})).await.is(200);
        stream.is("bye").await;
        shop.admin.patch(&shop.path(), &json!({"customer": null})).await.is(200);
        let mut stream = house.embedded(&shop.token("ann")).await;
        shop.admin.delete(&shop.path()).await.is(204);
        stream.is("bye").await;
        assert!(stream.next().await.is_none());
    });
}

#[test]
fn a_ticket_of_a_site_is_good_once_on_its_pages_while_its_key_is() {
    each_world(async |world| {
        let (house, shop) = (House::new(world).await, Shop::bare(world).await);
        let other = json!({"name": "Other", "origins": ["https://other.example"]});
        shop.admin.post("/api/v1/sites", &other).await.is(201);
        let token = shop.token("ann");
        let path = |ticket: &str| format!("/api/v1/live?ticket={ticket}");
        let elsewhere = path(&ticket(world, &token).await);
        let said = world
            .get(&elsewhere)
            .header("origin", "https://other.example")
            .send()
            .await;
        said.is(403);
        world.get(&elsewhere).header("origin", ORIGIN).send().await.is(401);
        let late = path(&ticket(world, &token).await);
        shop.admin
            .delete(&format!("{}/keys/{}", shop.path(), shop.key))
            .await
            .is(204);
        world.get(&late).header("origin", ORIGIN).send().await.is(401);
        drop(house);
    });
}
