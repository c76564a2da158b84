//! The accept loop over real sockets: what slow, greedy and idle clients get, and how it all ends.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::Extension;
use axum::response::Response;
use axum::routing::{get, post};
use campanile::address::Peer;
use campanile::api::extract::Json;
use campanile::config::Limits;
use campanile::serve::{ServeReport, serve};
use futures_util::stream;
use prometheus_client::metrics::gauge::Gauge;
use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Limits that a test never meets unless it lowers one.
fn limits() -> Limits {
    let long = Duration::from_hours(1);
    Limits {
        header_read_timeout: long,
        body_read_timeout: long,
        idle_timeout: long,
        ..Limits::default()
    }
}

const SHORT: Duration = Duration::from_millis(100);

/// What must happen soon, or the test has failed.
async fn in_time<T>(event: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), event)
        .await
        .expect("nothing happened")
}

struct Server {
    address: SocketAddr,
    shutdown: CancellationToken,
    open: Gauge,
    task: JoinSet<ServeReport>,
}

impl Server {
    async fn start(limits: Limits, router: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (shutdown, open, mut task) = (CancellationToken::new(), Gauge::default(), JoinSet::new());
        let (token, gauge) = (shutdown.clone(), open.clone());
        task.spawn(async move { serve(listener, router, &limits, &gauge, token).await });
        Self {
            address,
            shutdown,
            open,
            task,
        }
    }

    async fn client(&self) -> Client {
        Client {
            stream: connect(self.address).await.unwrap(),
            read: Vec::new(),
        }
    }

    async fn stop(mut self) -> ServeReport {
        self.shutdown.cancel();
        self.task.join_next().await.unwrap().unwrap()
    }
}

#[expect(clippy::disallowed_methods, reason = "the client of these tests, on loopback")]
async fn connect(address: SocketAddr) -> std::io::Result<TcpStream> {
    TcpStream::connect(address).await
}

struct Client {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Client {
    async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
    }

    /// One answer with a `content-length`: its head in lower case, and its body.
    async fn answer(&mut self) -> (String, String) {
        loop {
            if let Some(at) = self.read.windows(4).position(|four| four == b"\r\n\r\n") {
                let head = String::from_utf8(self.read[..at].to_vec()).unwrap().to_lowercase();
                let length = head
                    .split("content-length: ")
                    .nth(1)
                    .expect(&head)
                    .lines()
                    .next()
                    .unwrap();
                let end = at + 4 + length.parse::<usize>().unwrap();
                if self.read.len() >= end {
                    let body = String::from_utf8(self.read[at + 4..end].to_vec()).unwrap();
                    self.read.drain(..end);
                    return (head, body);
                }
            }
            let read = in_time(self.stream.read_buf(&mut self.read)).await.unwrap();
            assert!(read > 0, "closed after {:?}", String::from_utf8_lossy(&self.read));
        }
    }

    /// Everything until the server closes.
    async fn rest(&mut self) -> String {
        // A reset is an end too; what matters is what was said before it.
        while in_time(self.stream.read_buf(&mut self.read))
            .await
            .is_ok_and(|read| read > 0)
        {}
        String::from_utf8(std::mem::take(&mut self.read)).unwrap()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Draft {
    title: String,
}

fn router() -> Router {
    let count = Arc::new(AtomicUsize::new(0));
    let next = move || {
        let number = count.fetch_add(1, Ordering::SeqCst) + 1;
        async move { number.to_string() }
    };
    Router::new()
        .route("/count", get(next))
        .route(
            "/peer",
            get(async |Extension(Peer(peer)): Extension<Peer>| peer.to_string()),
        )
        .route("/draft", post(async |Json(draft): Json<Draft>| draft.title))
}

const COUNT: &str = "GET /count HTTP/1.1\r\nhost: x\r\n\r\n";

#[tokio::test]
async fn a_request_is_answered_and_its_peer_known() {
    let server = Server::start(limits(), router()).await;
    let mut client = server.client().await;
    client.send("GET /peer HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let (head, body) = client.answer().await;
    assert!(head.starts_with("http/1.1 200 ok"), "{head}");
    assert_eq!(body, client.stream.local_addr().unwrap().to_string());
    assert_eq!(server.open.get(), 1);
    let open = server.open.clone();
    assert_eq!(server.stop().await, ServeReport { connections: 1, cut: 0 });
    assert_eq!(open.get(), 0);
}

#[tokio::test]
async fn half_a_head_is_told_so_and_closed() {
    let server = Server::start(
        Limits {
            header_read_timeout: SHORT,
            ..limits()
        },
        router(),
    )
    .await;
    let mut client = server.client().await;
    client.send("GET /count HTTP/1.1\r\nhost: x\r\nx-slow: ").await;
    let said = client.rest().await;
    assert!(said.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{said}");
    assert!(said.contains("/problems/slow-request"), "{said}");
}

#[tokio::test]
async fn a_head_that_trickles_has_no_more_time_than_another() {
    let server = Server::start(
        Limits {
            header_read_timeout: SHORT,
            ..limits()
        },
        router(),
    )
    .await;
    let mut client = server.client().await;
    client.send("GET /count HTTP/1.1\r\n").await;
    let (mut from, mut to) = client.stream.into_split();
    let mut trickle = tokio::time::interval(SHORT / 10);
    let mut said = Vec::new();
    in_time(async {
        loop {
            tokio::select! {
                _ = trickle.tick() => { let _sent = to.write_all(b"x").await; }
                read = from.read_buf(&mut said) => if !read.is_ok_and(|read| read > 0) { break },
            }
        }
    })
    .await;
    assert!(said.starts_with(b"HTTP/1.1 408"), "{}", String::from_utf8_lossy(&said));
}

#[tokio::test]
async fn half_a_head_after_a_request_is_told_so_too() {
    let server = Server::start(
        Limits {
            header_read_timeout: SHORT,
            ..limits()
        },
        router(),
    )
    .await;
    let mut client = server.client().await;
    client.send(COUNT).await;
    client.answer().await;
    client.send("GET /count").await;
    assert!(client.rest().await.starts_with("HTTP/1.1 408"));
}

#[tokio::test]
async fn an_idle_connection_is_closed_without_a_word_and_not_before_its_time() {
    let limits = Limits {
        idle_timeout: SHORT * 3,
        header_read_timeout: SHORT / 10,
        ..limits()
    };
    let server = Server::start(limits, router()).await;
    let mut client = server.client().await;
    let begun = Instant::now();
    client.send(COUNT).await;
    client.answer().await;
    assert_eq!(client.rest().await, "");
    assert!(
        begun.elapsed() >= SHORT * 3,
        "the limit of a head is not that of an idle connection"
    );
    let mut silent = server.client().await;
    assert_eq!(silent.rest().await, "");
}

#[tokio::test]
async fn a_body_that_stops_arriving_is_told_so() {
    let server = Server::start(
        Limits {
            body_read_timeout: SHORT,
            ..limits()
        },
        router(),
    )
    .await;
    let mut client = server.client().await;
    client
        .send("POST /draft HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 20\r\n\r\n{\"ti")
        .await;
    let (head, body) = client.answer().await;
    assert!(head.starts_with("http/1.1 408 request timeout"), "{head}");
    assert!(head.contains("connection: close"), "{head}");
    assert!(body.contains("/problems/slow-request"), "{body}");
    client.stream.shutdown().await.unwrap();
    assert_eq!(client.rest().await, "");
}

#[tokio::test]
async fn too_much_head_is_refused() {
    let server = Server::start(limits(), router()).await;
    let many = "x: 1\r\n".repeat(101);
    let long = format!("x: {}\r\n", "x".repeat(40 * 1024));
    for headers in [many, long] {
        let mut client = server.client().await;
        client.send(format!("GET /count HTTP/1.1\r\n{headers}\r\n")).await;
        let said = client.rest().await;
        assert!(said.starts_with("HTTP/1.1 431 "), "{said}");
    }
}

#[tokio::test]
async fn requests_sent_together_are_answered_in_order() {
    let server = Server::start(limits(), router()).await;
    let mut client = server.client().await;
    client.send(COUNT.repeat(3)).await;
    for number in ["1", "2", "3"] {
        assert_eq!(client.answer().await.1, number);
    }
}

#[tokio::test]
async fn a_body_too_large_is_refused_and_the_refusal_can_be_read() {
    let server = Server::start(limits(), router()).await;
    let client = server.client().await;
    let (mut from, mut to) = client.stream.into_split();
    let mut sending = JoinSet::new();
    sending.spawn(async move {
        let head =
            "POST /draft HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 10000000\r\n\r\n";
        to.write_all(head.as_bytes()).await?;
        to.write_all(&vec![b' '; 10_000_000]).await?;
        to.shutdown().await
    });
    let mut said = String::new();
    from.read_to_string(&mut said).await.unwrap();
    assert!(said.starts_with("HTTP/1.1 413 "), "{said}");
    assert!(said.contains("/problems/too-large"), "{said}");
    assert!(
        sending.join_next().await.unwrap().unwrap().is_ok(),
        "the client was cut off while it sent"
    );
}

#[tokio::test]
async fn no_more_connections_than_allowed() {
    let server = Server::start(
        Limits {
            max_connections: 1,
            ..limits()
        },
        router(),
    )
    .await;
    let mut first = server.client().await;
    first.send(COUNT).await;
    assert_eq!(first.answer().await.1, "1");
    let mut second = server.client().await;
    second.send(COUNT).await;
    first.send(COUNT).await;
    assert_eq!(first.answer().await.1, "2");
    drop(first);
    assert_eq!(second.answer().await.1, "3");
}

/// Tells when it is dropped.
struct Told(Option<oneshot::Sender<()>>);

impl Drop for Told {
    fn drop(&mut self) {
        self.0.take().map(|told| told.send(()));
    }
}

#[tokio::test]
async fn an_answer_that_nobody_reads_is_given_up() {
    let (gone, is_gone) = oneshot::channel();
    let told = Arc::new(std::sync::Mutex::new(Some(Told(Some(gone)))));
    let endless = move || {
        let told = told.lock().unwrap().take();
        let chunks = stream::repeat_with(move || {
            let _kept = &told;
            Ok::<_, Infallible>(vec![b'x'; 64 * 1024])
        });
        async { Response::new(Body::from_stream(chunks)) }
    };
    let router = Router::new().route("/endless", get(endless));
    let server = Server::start(
        Limits {
            idle_timeout: SHORT,
            ..limits()
        },
        router,
    )
    .await;
    let mut client = server.client().await;
    client.send("GET /endless HTTP/1.1\r\nhost: x\r\n\r\n").await;
    in_time(is_gone).await.unwrap();
}

/// A router whose one request waits for `go`, and tells when it has begun.
fn gated(begun: &Arc<Notify>, go: &Arc<Notify>) -> Router {
    let (begun, go) = (Arc::clone(begun), Arc::clone(go));
    let wait = move || async move {
        begun.notify_one();
        go.notified().await;
        "done"
    };
    Router::new().route("/gate", get(wait))
}

const GATE: &str = "GET /gate HTTP/1.1\r\nhost: x\r\n\r\n";

#[tokio::test]
async fn a_request_in_progress_is_finished_before_the_end() {
    let (begun, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let mut server = Server::start(limits(), gated(&begun, &go)).await;
    let mut idle = server.client().await;
    let mut client = server.client().await;
    client.send(GATE).await;
    begun.notified().await;
    server.shutdown.cancel();
    assert_eq!(idle.rest().await, "", "an idle connection is closed at once");
    go.notify_one();
    let (head, body) = client.answer().await;
    assert_eq!((head.lines().next(), body.as_str()), (Some("http/1.1 200 ok"), "done"));
    assert_eq!(client.rest().await, "");
    assert_eq!(
        server.task.join_next().await.unwrap().unwrap(),
        ServeReport { connections: 2, cut: 0 }
    );
    assert!(connect(server.address).await.is_err(), "still listening");
}

#[tokio::test]
async fn the_end_does_not_wait_longer_than_its_grace() {
    let (begun, never) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let limits = Limits {
        shutdown_grace: SHORT,
        ..limits()
    };
    let server = Server::start(limits, gated(&begun, &never)).await;
    let mut client = server.client().await;
    client.send(GATE).await;
    begun.notified().await;
    assert_eq!(server.stop().await, ServeReport { connections: 1, cut: 1 });
    assert_eq!(client.rest().await, "");
}
