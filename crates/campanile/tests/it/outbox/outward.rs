//! Where a POST may go, from the message to what its sender is told: by the system proxy when it is told to and only
//! then, and never inside, however that is spelled.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use campanile::deliver::guard::{Addresses, Resolve};
use campanile_core::id::MessageId;
use campanile_core::outbox::run::State;
use campanile_core::schema::SCHEMA;
use campanile_store::testing::each_database;
use serde_json::{Value, json};

use super::House;
use crate::post::sink::{Act, Sink, status, value};
use crate::tinyproxy::Tinyproxy;

/// Nobody is there; nothing is mailed here.
const RELAY: &str = "smtp://127.0.0.1:9";

fn to(url: &str) -> Value {
    json!({"title": "", "text": "the body", "audience": [], "channels": ["http"], "posts": [{"url": url}]})
}

/// State and reason of the one POST of a message, once it has an outcome or waits for another try.
async fn outcome(house: &House, id: MessageId) -> (String, String) {
    house
        .until(id, |progress| progress.state == State::Ended || progress.retrying > 0)
        .await;
    let path = format!("/api/v1/messages/{id}/deliveries?channel=http");
    let page = house.world.get(&path).bearer(&house.token).send().await.is(200).json();
    let text = |field: &str| page["items"][0][field].as_str().unwrap_or_default().to_owned();
    (text("state"), text("reason"))
}

// ---------------------------------------------------------------- the system proxy

/// Posts to a new receiver; whether it came by a proxy.
async fn came_by_proxy(house: &House, asks: Option<bool>) -> bool {
    let sink = Sink::new(status("200 OK")).await;
    let mut message = to(&sink.url());
    if let Some(asks) = asks {
        message["posts"][0]["use_system_proxy"] = json!(asks);
    }
    let id = house.send(&message).await;
    assert_eq!(outcome(house, id).await.0, "sent");
    let seen = sink.seen();
    value(seen.one(), "via").is_some_and(|via| via.contains("tinyproxy"))
}

/// What a message says, whether it must come by the proxy.
type Case = (Option<bool>, bool);

/// Posts each case with some settings, and looks at the proxy's log, which must hold those that came by it and no
/// others.
fn each_by(settings: &[(&'static str, &str)], cases: &[Case]) {
    each_database(&SCHEMA, |database| {
        database.wait(async {
            let proxy = Tinyproxy::start("");
            let mut more = vec![("CAMPANILE_HTTP_PROXY", proxy.url())];
            more.extend(settings.iter().map(|(name, value)| (*name, (*value).to_owned())));
            let house = House::with(database.db.clone(), RELAY, &more).await;
            for (asks, by_proxy) in cases {
                assert_eq!(came_by_proxy(&house, *asks).await, *by_proxy, "{asks:?}");
                // What comes by it is logged before it is passed on.
                let seen = proxy.rest().iter().any(|line| line.contains("POST http://127.0.0.1"));
                assert_eq!(seen, *by_proxy, "{asks:?}");
            }
            house.world.app.stop().await;
        });
    });
}

#[test]
fn a_message_goes_by_the_system_proxy_when_it_says_so_and_only_then() {
    each_by(&[], &[(Some(true), true), (Some(false), false), (None, false)]);
    each_by(
        &[("CAMPANILE_HTTP_USE_PROXY", "true")],
        &[(None, true), (Some(false), false)],
    );
}

#[test]
fn no_proxy_is_respected_from_the_message_on() {
    each_by(&[("CAMPANILE_NO_PROXY", "127.0.0.0/8")], &[(Some(true), false)]);
    each_by(&[("CAMPANILE_NO_PROXY", "example.com")], &[(Some(true), true)]);
}

#[test]
fn a_proxy_that_is_away_costs_no_try_and_is_told() {
    each_database(&SCHEMA, |database| {
        database.wait(async {
            // A port that nobody has.
            let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let url = format!("http://{}", free.local_addr().unwrap());
            drop(free);
            let more = [("CAMPANILE_HTTP_PROXY", url)];
            let house = House::with(database.db.clone(), RELAY, &more).await;
            let sink = Sink::new(status("200 OK")).await;
            let mut message = to(&sink.url());
            message["posts"][0]["use_system_proxy"] = json!(true);
            let id = house.send(&message).await;
            let told = "the system proxy cannot be reached (connection refused)";
            assert_eq!(outcome(&house, id).await, ("queued".to_owned(), told.to_owned()));
            assert_eq!(sink.seen().connections, 0);
            house.world.app.stop().await;
        });
    });
}

// ---------------------------------------------------------------- inside

/// Every spelling of an address that is not for others, as it stands in a URL.
const INSIDE: [&str; 43] = [
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "0x7f.1",
    "0x7f000001",
    "2130706433",
    "0177.0.0.1",
    "017700000001",
    "127.0.0.1.",
    "１２７.０.０.１",
    "127。0。0。1",
    "%31%32%37.0.0.1",
    "0",
    "0.0.0.0",
    "localhost",
    "LOCALHOST.",
    "a.localhost",
    "10.0.0.1",
    "100.64.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.1",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "255.255.255.255",
    "[::]",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::7f00:1]",
    "[::ffff:0:7f00:1]",
    "[::5efe:7f00:1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::7f00:1]",
    "[2001::7f00:1]",
    "[2002:7f00:1::]",
    "[fec0::1]",
    "[fd00:ec2::254]",
];
/// And more blocks of version 6.
const INSIDE_6: [&str; 7] = [
    "[fe80::1]",
    "[fc00::1]",
    "[ff02::1]",
    "[100::1]",
    "[5f00::1]",
    "[2001:db8::1]",
    "[3fff::1]",
];

#[test]
fn every_spelling_of_an_address_inside_is_refused_at_send() {
    each_database(&SCHEMA, |database| {
        database.wait(async {
            let house = House::with(database.db.clone(), RELAY, &[("CAMPANILE_HTTP_ALLOW", String::new())]).await;
            let sink = Sink::new(status("200 OK")).await;
            let port = sink.address.port();
            let urls = INSIDE
                .iter()
                .chain(&INSIDE_6)
                .map(|host| format!("http://{host}:{port}/"));
            let tricks = [
                format!("http://example.com@127.0.0.1:{port}/"),
                format!("http://user:password@127.0.0.1:{port}/"),
                format!("http:\\\\127.0.0.1:{port}/"),
                format!("http:127.0.0.1:{port}/"),
                format!("  http://127.0.0.1:{port}/"),
                format!("https://127.0.0.1:{port}/"),
            ];
            for url in urls.chain(tricks) {
                let said = house.ask("/api/v1/messages", &to(&url)).await;
                let said = said.is(422);
                assert_eq!(said.fields(), ["posts[0].url"], "{url}: {}", said.body);
                assert!(
                    said.body
                        .contains("which this server does not post to (CAMPANILE_HTTP_ALLOW)"),
                    "{url}: {}",
                    said.body
                );
            }
            assert_eq!(sink.seen().connections, 0);
            house.world.app.stop().await;
        });
    });
}

/// A resolver that knows some names; each answers what it was told, in turn, the last answer again and again.
#[derive(Clone, Default)]
pub(crate) struct Names(Arc<Mutex<BTreeMap<String, VecDeque<Vec<IpAddr>>>>>);

impl Names {
    pub(crate) fn tell(&self, host: &str, answers: &[&[&str]]) {
        let read = |answer: &&[&str]| answer.iter().map(|text| text.parse().unwrap()).collect();
        let answers = answers.iter().map(read).collect();
        self.0.lock().unwrap().insert(host.to_owned(), answers);
    }
}

impl Resolve for Names {
    fn resolve(&self, host: &str) -> Addresses {
        let mut known = self.0.lock().unwrap();
        let answer = known.get_mut(host).and_then(|answers| {
            if answers.len() > 1 {
                answers.pop_front()
            } else {
                answers.front().cloned()
            }
        });
        Box::pin(async move { answer.ok_or_else(|| io::ErrorKind::NotFound.into()) })
    }
}

fn leads_to(kind: &str) -> (String, String) {
    let reason = format!("the target leads to {kind}, which this server does not post to (CAMPANILE_HTTP_ALLOW)");
    ("failed".to_owned(), reason)
}

#[test]
fn a_name_that_leads_inside_fails_with_its_reason_and_nothing_is_connected() {
    const LEADS: [(&[&str], &str); 7] = [
        (&["127.0.0.1"], "a loopback address"),
        (&["::ffff:127.0.0.1"], "a loopback address"),
        (&["::1"], "a loopback address"),
        (&["10.0.0.1"], "a private address"),
        (&["169.254.169.254"], "a link-local address"),
        (&["64:ff9b::7f00:1"], "an address outside of the open internet"),
        // One forbidden address among others is enough.
        (&["127.0.0.2", "127.0.0.1"], "a loopback address"),
    ];
    each_database(&SCHEMA, |database| {
        database.wait(async {
            let (sink, names) = (Sink::new(status("200 OK")).await, Names::default());
            let more = [("CAMPANILE_HTTP_ALLOW", "127.0.0.2".to_owned())];
            let house = House::resolving(database.db.clone(), RELAY, &more, names.clone()).await;
            for (at, (answer, kind)) in LEADS.iter().enumerate() {
                names.tell(&format!("n{at}.test"), &[answer]);
                let url = format!("http://n{at}.test:{}/", sink.address.port());
                let id = house.send(&to(&url)).await;
                assert_eq!(outcome(&house, id).await, leads_to(kind), "{answer:?}");
            }
            assert_eq!(sink.seen().connections, 0);
            house.world.app.stop().await;
        });
    });
}

#[test]
fn a_name_that_leads_elsewhere_at_the_second_look_gains_nothing() {
    each_database(&SCHEMA, |database| {
        database.wait(async {
            let last = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            let outer = Sink::at("127.0.0.2:0", vec![Act::Last(last.into())], None).await;
            let port = outer.address.port();
            let inner = Sink::at(&format!("127.0.0.1:{port}"), vec![status("200 OK")], None).await;
            let names = Names::default();
            names.tell("rebind.test", &[&["127.0.0.2"], &["127.0.0.1"]]);
            let more = [("CAMPANILE_HTTP_ALLOW", "127.0.0.2".to_owned())];
            let house = House::resolving(database.db.clone(), RELAY, &more, names).await;
            let url = format!("http://rebind.test:{port}/");
            let first = house.send(&to(&url)).await;
            assert_eq!(outcome(&house, first).await.0, "sent");
            let second = house.send(&to(&url)).await;
            assert_eq!(outcome(&house, second).await, leads_to("a loopback address"));
            assert_eq!((outer.seen().requests.len(), inner.seen().connections), (1, 0));
            house.world.app.stop().await;
        });
    });
}

#[test]
fn a_redirect_leads_nowhere() {
    each_database(&SCHEMA, |database| {
        database.wait(async {
            let inner = Sink::new(status("200 OK")).await;
            let moved = format!(
                "HTTP/1.1 302 Found\r\nlocation: http://{}/\r\ncontent-length: 0\r\n\r\n",
                inner.address
            );
            let outer = Sink::new(Act::Answer(moved)).await;
            let house = House::with(database.db.clone(), RELAY, &[]).await;
            let id = house.send(&to(&outer.url())).await;
            let told = "the target answered 302: it has moved, and redirects are not followed";
            assert_eq!(outcome(&house, id).await, ("queued".to_owned(), told.to_owned()));
            assert_eq!((outer.seen().requests.len(), inner.seen().connections), (1, 0));
            house.world.app.stop().await;
        });
    });
}
