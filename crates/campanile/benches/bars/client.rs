//! A small HTTP/1.1 client for load on loopback: keep-alive connections that send ready-made requests, so that the
//! client costs little of the machine it shares with the server.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::process::Thread;

/// What a run of requests came to.
pub(crate) struct Run {
    /// Requests answered.
    pub(crate) count: usize,
    /// From the first to the last.
    pub(crate) took: Duration,
    /// One each, sorted.
    pub(crate) latencies: Vec<Duration>,
    /// The status of the last answer.
    pub(crate) status: u16,
    /// Bytes of the last answer's body.
    pub(crate) body: Vec<u8>,
    /// The headers of the last answer.
    pub(crate) head: String,
    /// What the client's own thread cost.
    pub(crate) cpu: Duration,
}

impl Run {
    pub(crate) fn rate(&self) -> f64 {
        self.count as f64 / self.took.as_secs_f64()
    }

    pub(crate) fn at(&self, share: f64) -> Duration {
        let last = self.latencies.len().saturating_sub(1);
        self.latencies[((last as f64) * share) as usize]
    }

    /// The value of a header of the last answer.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// A request without a body.
pub(crate) fn get(path: &str, headers: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n").into_bytes()
}

/// A request with a JSON body.
pub(crate) fn post(path: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n{headers}\r\n{body}"
    )
    .into_bytes()
}

/// Sends `total` requests over some connections, taking the ready-made ones in turn. Runs on a thread of its own.
pub(crate) fn drive(address: SocketAddr, requests: Vec<Vec<u8>>, connections: usize, total: usize) -> Run {
    let work = move || {
        let rt = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime can be made");
        let mut run = rt.block_on(run(address, Arc::new(requests), connections, total));
        run.cpu = Thread::this().cpu();
        run
    };
    std::thread::spawn(work).join().expect("the client does not panic")
}

/// Sends one request after the other over one connection, each at its time, for as long as it is told; when each was
/// answered, and the body. Blocks.
#[expect(clippy::disallowed_methods, reason = "a bench is its own client, on loopback")]
pub(crate) fn paced(
    address: SocketAddr,
    request: &[u8],
    every: Duration,
    mut goes_on: impl FnMut(usize) -> bool,
) -> Vec<(Instant, Vec<u8>)> {
    let rt = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime can be made");
    rt.block_on(async {
        let mut stream = TcpStream::connect(address).await.expect("the server is there");
        stream.set_nodelay(true).expect("loopback takes the option");
        let (mut buffer, mut out) = (Vec::new(), Vec::new());
        let mut turns = tokio::time::interval(every);
        while goes_on(out.len()) {
            turns.tick().await;
            stream.write_all(request).await.expect("the server reads");
            let (status, head, body) = answer(&mut stream, &mut buffer).await;
            assert_eq!(status, 201, "{head}{}", String::from_utf8_lossy(&body));
            out.push((Instant::now(), body));
        }
        out
    })
}

async fn run(address: SocketAddr, requests: Arc<Vec<Vec<u8>>>, connections: usize, total: usize) -> Run {
    let next = Arc::new(AtomicUsize::new(0));
    let started = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..connections {
        tasks.spawn(connection(address, Arc::clone(&requests), Arc::clone(&next), total));
    }
    let mut out = Run {
        count: 0,
        took: Duration::ZERO,
        latencies: Vec::new(),
        status: 0,
        body: Vec::new(),
        head: String::new(),
        cpu: Duration::ZERO,
    };
    while let Some(done) = tasks.join_next().await {
        let part = done.expect("a connection does not panic");
        out.latencies.extend(part.latencies);
        if part.status != 0 {
            (out.status, out.body, out.head) = (part.status, part.body, part.head);
        }
    }
    out.took = started.elapsed();
    out.count = out.latencies.len();
    out.latencies.sort_unstable();
    out
}

#[expect(clippy::disallowed_methods, reason = "a bench is its own client, on loopback")]
async fn connection(address: SocketAddr, requests: Arc<Vec<Vec<u8>>>, next: Arc<AtomicUsize>, total: usize) -> Run {
    let mut stream = TcpStream::connect(address).await.expect("the server is there");
    stream.set_nodelay(true).expect("loopback takes the option");
    let mut buffer = Vec::with_capacity(16 * 1024);
    let mut out = Run {
        count: 0,
        took: Duration::ZERO,
        latencies: Vec::new(),
        status: 0,
        body: Vec::new(),
        head: String::new(),
        cpu: Duration::ZERO,
    };
    loop {
        let at = next.fetch_add(1, Ordering::Relaxed);
        if at >= total {
            return out;
        }
        let sent = Instant::now();
        stream
            .write_all(&requests[at % requests.len()])
            .await
            .expect("the server reads");
        let (status, head, body) = answer(&mut stream, &mut buffer).await;
        out.latencies.push(sent.elapsed());
        assert!(
            status < 500,
            "the server failed: {head}{}",
            String::from_utf8_lossy(&body)
        );
        (out.status, out.head, out.body) = (status, head, body);
    }
}

/// Reads one answer whole.
async fn answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> (u16, String, Vec<u8>) {
    buffer.clear();
    let end = loop {
        if let Some(at) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        assert_ne!(
            stream.read_buf(buffer).await.expect("the server answers"),
            0,
            "the server hung up"
        );
    };
    let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|code| code.parse().ok())
        .expect("a status line");
    let field = |name: &str| {
        let is = |line: &&str| line.get(..name.len()).is_some_and(|it| it.eq_ignore_ascii_case(name));
        head.lines().find(is).map(|line| line[name.len()..].trim())
    };
    if field("transfer-encoding:").is_some() {
        // The chunks as they came, with their sizes: nobody asks what is in them.
        while !buffer.ends_with(b"\r\n0\r\n\r\n") {
            assert_ne!(
                stream.read_buf(buffer).await.expect("the server answers"),
                0,
                "the server hung up"
            );
        }
        return (status, head, buffer.split_off(end));
    }
    let length = field("content-length:")
        .and_then(|at| at.parse::<usize>().ok())
        .unwrap_or(0);
    while buffer.len() < end + length {
        assert_ne!(
            stream.read_buf(buffer).await.expect("the server answers"),
            0,
            "the server hung up"
        );
    }
    (status, head, buffer[end..end + length].to_vec())
}
