//! The system proxy, a real one: `tinyproxy`. It sees a message when it is told to, and only then.

use campanile::config::{Proxies, Secret};

use super::sink::{Sink, status, value};
use super::tls::{roots, sink_with_tls};
use super::*;
use crate::tinyproxy::Tinyproxy;

/// Settings with a proxy for both schemes.
fn by(url: &str) -> Http {
    Http {
        proxies: Proxies {
            https: Some(Secret::new(url)),
            http: Some(Secret::new(url)),
            ..Proxies::default()
        },
        ..settings(&["127.0.0.0/8"])
    }
}

async fn post_by(settings: &Http, url: &str, proxy: Proxy) -> Outcome {
    let mut request = request(url);
    request.proxy = proxy;
    let client = Client::new(settings, Vec::new(), Arc::new(Names::default()), roots());
    post(&client, &request, NOW, CHANCE).await
}

/// Posts to a sink, and tells whether the message came by a proxy.
async fn came_by_proxy(settings: &Http, proxy: Proxy) -> bool {
    let sink = Sink::new(status("200 OK")).await;
    assert_eq!(post_by(settings, &sink.url(), proxy).await, Outcome::Done { code: 200 });
    let seen = sink.seen();
    assert!(seen.one().starts_with("POST /in?key=1 HTTP/1."), "{}", seen.one());
    value(seen.one(), "via").is_some_and(|via| via.contains("tinyproxy"))
}

#[tokio::test]
async fn a_message_goes_by_the_proxy_when_it_says_so_and_only_then() {
    let proxy = Tinyproxy::start("");
    let mut settings = by(&proxy.url());
    assert!(came_by_proxy(&settings, Proxy::Yes).await);
    assert!(!came_by_proxy(&settings, Proxy::No).await);
    assert!(!came_by_proxy(&settings, Proxy::Default).await);
    settings.use_proxy = true;
    assert!(came_by_proxy(&settings, Proxy::Default).await);
    assert!(!came_by_proxy(&settings, Proxy::No).await);
}

#[tokio::test]
async fn no_proxy_is_respected() {
    let proxy = Tinyproxy::start("");
    let mut settings = by(&proxy.url());
    settings.proxies.no = vec!["127.0.0.0/8".into()];
    assert!(!came_by_proxy(&settings, Proxy::Yes).await);
    settings.proxies.no = vec!["example.com".into()];
    assert!(came_by_proxy(&settings, Proxy::Yes).await);
}

#[tokio::test]
async fn https_goes_through_a_tunnel_that_ends_at_the_target() {
    let proxy = Tinyproxy::start("");
    let sink = sink_with_tls().await;
    let url = format!("https://127.0.0.1:{}/", sink.address.port());
    // The tunnel reaches the target, whose certificate is for another name.
    let outcome = post_by(&by(&proxy.url()), &url, Proxy::Yes).await;
    let told = "the target cannot be trusted: its certificate is for another name";
    assert_eq!(reason(&outcome), ("retry", told));
    proxy.wait_for(&format!("CONNECT {}", sink.address));
    assert_eq!(sink.seen().connections, 1);
}

#[tokio::test]
async fn a_message_goes_through_a_tunnel() {
    let proxy = Tinyproxy::start("");
    let sink = sink_with_tls().await;
    // The proxy must be able to look the name up, and it is the certificate's.
    let relay = Relay::to(&proxy, sink.address).await;
    let names = Names::answering(&[&["127.0.0.1"]]);
    let client = Client::new(&by(&relay.url), Vec::new(), Arc::new(names), roots());
    let mut request = request(&format!("https://sink.test:{}/in", sink.address.port()));
    request.proxy = Proxy::Yes;
    assert_eq!(post(&client, &request, NOW, CHANCE).await, Outcome::Done { code: 200 });
    proxy.wait_for(&format!("CONNECT {}", sink.address));
    assert!(sink.seen().one().starts_with("POST /in HTTP/1.1\r\n"));
}

#[tokio::test]
async fn neither_the_proxy_nor_no_proxy_leads_around_the_guard() {
    let proxy = Tinyproxy::start("");
    let sink = Sink::new(status("200 OK")).await;
    let mut settings = by(&proxy.url());
    settings.allow = Vec::new();
    for no in [vec![], vec!["*".to_owned()]] {
        settings.proxies.no = no;
        for url in [sink.url(), format!("http://inner.test:{}/", sink.address.port())] {
            let mut request = request(&url);
            request.proxy = Proxy::Yes;
            let names = Names::answering(&[&["127.0.0.1"]]);
            let outcome = post(&client(&settings, names), &request, NOW, CHANCE).await;
            assert_eq!(reason(&outcome).0, "dead", "{outcome:?}");
        }
    }
    assert_eq!(sink.seen().connections, 0);
}

#[tokio::test]
async fn a_proxy_that_guards_itself_looks_names_up_alone_and_literals_are_refused_all_the_same() {
    let proxy = Tinyproxy::start("");
    let sink = Sink::new(status("200 OK")).await;
    let mut settings = by(&proxy.url());
    settings.proxies.resolves = true;
    settings.allow = vec!["localhost".parse().unwrap()];
    let names = Names::default();
    let client = client(&settings, names.clone());
    let mut request = request(&format!("http://localhost:{}/", sink.address.port()));
    request.proxy = Proxy::Yes;
    assert_eq!(post(&client, &request, NOW, CHANCE).await, Outcome::Done { code: 200 });
    assert_eq!(names.asked(), 0);
    request.url = Url::parse(&sink.url()).unwrap();
    assert_eq!(reason(&post(&client, &request, NOW, CHANCE).await).0, "dead");
}

#[tokio::test]
async fn a_proxy_that_is_away_is_no_fault_of_the_target() {
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    for url in ["http://127.0.0.1:8080/", "https://127.0.0.1:8443/"] {
        let outcome = post_by(&by(&format!("http://{free}")), url, Proxy::Yes).await;
        assert_eq!(
            reason(&outcome),
            ("ours", "the system proxy cannot be reached (connection refused)")
        );
    }
}

#[tokio::test]
async fn the_proxys_password_goes_to_the_proxy_alone() {
    let proxy = Tinyproxy::start("BasicAuth ann secret");
    let sink = Sink::new(status("200 OK")).await;
    let told = "the system proxy asks for another user and password";
    for url in [sink.url(), format!("https://{}/", sink.address)] {
        let outcome = post_by(&by(&proxy.url()), &url, Proxy::Yes).await;
        assert_eq!(reason(&outcome), ("ours", told));
    }
    let with = by(&proxy.url().replace("//", "//ann:secret@"));
    assert_eq!(
        post_by(&with, &sink.url(), Proxy::Yes).await,
        Outcome::Done { code: 200 }
    );
    assert_eq!(
        post_by(&with, &sink.url(), Proxy::No).await,
        Outcome::Done { code: 200 }
    );
    for request in sink.seen().requests {
        assert_eq!(value(&request, "proxy-authorization"), None);
    }
}

#[tokio::test]
async fn what_the_proxy_cannot_reach_is_the_targets_fault() {
    let proxy = Tinyproxy::start("");
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let outcome = post_by(&by(&proxy.url()), &format!("https://{free}/"), Proxy::Yes).await;
    assert_eq!(
        reason(&outcome),
        ("retry", "the system proxy cannot reach the target (it answered 500)")
    );
}

#[tokio::test]
async fn a_message_that_must_go_by_a_proxy_does_not_go_without_one() {
    let sink = Sink::new(status("200 OK")).await;
    let outcome = post_by(&settings(&["127.0.0.0/8"]), &sink.url(), Proxy::Yes).await;
    assert_eq!(reason(&outcome), ("dead", "this server has no system proxy"));
    assert_eq!(sink.seen().connections, 0);
}

/// Stands before the proxy and turns the name of the certificate into the target's address, as a resolver that the
/// proxy asks would.
struct Relay {
    url: String,
    _serving: tokio::task::JoinSet<()>,
}

impl Relay {
    async fn to(proxy: &Tinyproxy, target: std::net::SocketAddr) -> Self {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let proxy = std::net::SocketAddr::from(([127, 0, 0, 1], proxy.port));
        let mut serving = tokio::task::JoinSet::new();
        serving.spawn(async move {
            let (mut from, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                from.read_buf(&mut head).await.unwrap();
            }
            let head = String::from_utf8(head).unwrap();
            let name = format!("sink.test:{}", target.port());
            #[expect(clippy::disallowed_methods, reason = "a test stands between two ends of its own")]
            let mut to = tokio::net::TcpStream::connect(proxy).await.unwrap();
            to.write_all(head.replace(&name, &target.to_string()).as_bytes())
                .await
                .unwrap();
            let _ = tokio::io::copy_bidirectional(&mut from, &mut to).await;
        });
        Self { url, _serving: serving }
    }
}
