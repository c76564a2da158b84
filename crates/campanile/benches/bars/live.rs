//! The live bar: how soon the last of many open streams has a message, and what a stream that is quiet holds.
//!
//! The clients are a process of their own, this program once more: the system counts descriptors and memory by process,
//! and the server's alone are wanted. Both share the two cores.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use campanile_core::account::token;
use campanile_core::id::PersonId;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::client::{drive, post};
use crate::house::House;
use crate::{Choice, human, print, process, row};

/// Given to this program, it is the clients: the server's address and a file of tokens follow.
pub(crate) const LISTENERS: &str = "--listeners";
/// Streams of the bar.
const STREAMS: usize = 10_000;
/// Messages that are sent to all of them, one after the other.
const ROUNDS: usize = 20;
/// The last byte of one message, from the moment it was accepted.
const LAST: Duration = Duration::from_millis(200);
/// Events written a second.
const WRITES: f64 = 100_000.0;
/// Bytes of the server's memory that a quiet stream holds.
const HELD: f64 = 8.0 * 1_024.0;
/// Descriptors that a process needs beside its streams.
const OTHERS: usize = 200;
/// Streams that are opened at once.
const AT_ONCE: usize = 100;

pub(crate) fn bench(choice: &Choice) {
    let most = limit().saturating_sub(OTHERS);
    let settings = [
        ("CAMPANILE_MAX_STREAMS", "1000000".to_owned()),
        ("CAMPANILE_MAX_CONNECTIONS", "100000".to_owned()),
    ];
    let house = House::with(choice, &settings);
    for (streams, is_last) in [(STREAMS.min(most), false), (most, true)] {
        if !is_last || streams > STREAMS {
            open(&house, streams, is_last);
        }
    }
    house.stop();
}

/// Open files that this process may have.
fn limit() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find(|line| line.starts_with("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().nth(3)?.parse().ok());
    soft.unwrap_or(1_024)
}

fn open(house: &House, streams: usize, is_idle: bool) {
    let tokens = tokens(house, streams);
    let before = process::memory();
    let mut clients = Clients::start(house.address, &tokens);
    clients.hear("ready");
    // What was freed on the way goes back, and what comes late has come.
    std::thread::park_timeout(Duration::from_secs(2));
    let each = process::memory().saturating_sub(before) as f64 / streams as f64;
    row(
        "live: memory of an idle stream",
        &format!("{streams} streams"),
        &format!("{:.1} KiB", each / 1_024.0),
        "",
        "≤ 8 KiB",
        each <= HELD,
    );
    if !is_idle {
        broadcast(house, &mut clients, streams);
    }
    clients.stop();
}

fn broadcast(house: &House, clients: &mut Clients, streams: usize) {
    let token = house.token(PersonId(1), &format!("live {}", house.app.clock.now().0));
    let (mut lasts, mut counted) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let body = format!(r#"{{"title":"Round {round}","text":"To all.","audience":[{{"kind":"everyone"}}]}}"#);
        let request = post("/api/v1/messages", &format!("Authorization: Bearer {token}\r\n"), &body);
        let run = drive(house.address, vec![request], 1, 1);
        let accepted = now();
        assert_eq!(run.status, 201, "{}", run.head);
        lasts.push(clients.hear("messages").saturating_sub(accepted));
        counted.push(clients.hear("counts").saturating_sub(accepted));
    }
    lasts.sort_unstable();
    counted.sort_unstable();
    let (half, worst) = (lasts[ROUNDS / 2], lasts[ROUNDS - 1]);
    row(
        "live: last byte of a message, from its 201",
        &format!("{streams} streams, {ROUNDS} messages"),
        &format!("p50 {}, worst {}", human(half), human(worst)),
        "",
        "≤ 200 ms",
        worst <= LAST,
    );
    // A message and a number each.
    let rate = 2.0 * streams as f64 / counted[ROUNDS / 2].as_secs_f64();
    row(
        "live: events written",
        "a message and their number to all, clients on the same cores",
        &format!("{rate:.0}/s"),
        "",
        "≥ 100000/s",
        rate >= WRITES,
    );
    print(&format!(
        "| live: everybody's exact number, from the 201 | | p50 {}, worst {} | | | |",
        human(counted[ROUNDS / 2]),
        human(counted[ROUNDS - 1])
    ));
}

/// A token of a person each.
fn tokens(house: &House, count: usize) -> Vec<String> {
    let (app, now) = (&house.app, house.app.clock.now());
    let people = usize::try_from(house.people).expect("people are counted");
    assert!(people >= 2, "there are people");
    let mut tasks = tokio::task::JoinSet::new();
    for at in 0..count {
        let (app, random) = (Arc::clone(app), app.chance.bytes());
        // The first is the administrator, who sends.
        let person = PersonId(2 + (at % (people - 1)) as i64);
        let name = format!("live {at} {}", now.0);
        tasks.spawn_on(
            async move {
                let made = app
                    .db
                    .jot(move |tx| token::create(tx, person, &name, None, &random, now));
                made.await.expect("a token can be made").1
            },
            house.rt.handle(),
        );
    }
    house.rt.block_on(async {
        let mut out = Vec::with_capacity(count);
        while let Some(made) = tasks.join_next().await {
            out.push(made.expect("no panic"));
        }
        out
    })
}

/// Now, as two processes agree on it.
#[expect(clippy::disallowed_methods, reason = "two processes share no other clock")]
fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970")
}

/// The process of the clients.
struct Clients {
    child: Child,
    _input: ChildStdin,
    lines: std::io::Lines<BufReader<ChildStdout>>,
    _tokens: tempfile::NamedTempFile,
}

impl Clients {
    fn start(address: SocketAddr, tokens: &[String]) -> Self {
        let mut file = tempfile::NamedTempFile::new().expect("a temporary file can be made");
        file.write_all(tokens.join("\n").as_bytes()).expect("it can be written");
        let mut child = Command::new(std::env::current_exe().expect("this program is somewhere"))
            .arg(LISTENERS)
            .arg(address.to_string())
            .arg(file.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the clients start");
        let lines = BufReader::new(child.stdout.take().expect("its output is piped")).lines();
        Self {
            _input: child.stdin.take().expect("its input is piped"),
            child,
            lines,
            _tokens: file,
        }
    }

    /// Waits for a line; the time in it.
    fn hear(&mut self, what: &str) -> Duration {
        let line = self.lines.next().expect("the clients go on").expect("a line");
        let (name, at) = line.split_once(' ').expect("a name and a time");
        assert_eq!(name, what);
        Duration::from_micros(at.parse().expect("microseconds"))
    }

    fn stop(mut self) {
        self.child.kill().expect("it is there");
        self.child.wait().expect("it ends");
    }
}

/// What all clients have heard.
#[derive(Default)]
struct Heard {
    messages: AtomicUsize,
    counts: AtomicUsize,
}

/// The clients' own program: opens a stream for each token, and says when all of them have heard something.
pub(crate) fn listen(mut words: impl Iterator<Item = String>) {
    let address: SocketAddr = words.next().and_then(|at| at.parse().ok()).expect("an address");
    let file = words.next().expect("a file of tokens");
    let tokens = std::fs::read_to_string(file).expect("it can be read");
    let tokens: Vec<String> = tokens.lines().map(str::to_owned).collect();
    let rt = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime can be made");
    rt.block_on(async move {
        let (all, heard) = (tokens.len(), Arc::new(Heard::default()));
        let mut opening = tokio::task::JoinSet::new();
        let mut streams = tokio::task::JoinSet::new();
        for token in tokens {
            if opening.len() >= AT_ONCE {
                let stream = opening.join_next().await.expect("one is under way").expect("no panic");
                streams.spawn(hear(stream, all, Arc::clone(&heard)));
            }
            opening.spawn(greet(address, token));
        }
        while let Some(stream) = opening.join_next().await {
            streams.spawn(hear(stream.expect("no panic"), all, Arc::clone(&heard)));
        }
        say("ready");
        while streams.join_next().await.is_some() {}
    });
}

fn say(what: &str) {
    print(&format!("{what} {}", now().as_micros()));
}

/// Opens a stream, and waits until it says hello.
#[expect(clippy::disallowed_methods, reason = "a bench is its own client, on loopback")]
async fn greet(address: SocketAddr, token: String) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.expect("the server is there");
    let head = format!("GET /api/v1/live HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.expect("the server reads");
    let (mut read, mut buffer) = (Vec::new(), [0; 1_024]);
    while !read.split(|byte| *byte == b'\n').any(|line| line == b"event: hello") {
        let got = stream.read(&mut buffer).await.expect("the server answers");
        assert!(got > 0, "{}", String::from_utf8_lossy(&read));
        read.extend_from_slice(&buffer[..got]);
    }
    stream
}

/// Counts what a stream hears. An event is in one piece: it is one write of a few hundred bytes.
async fn hear(mut stream: TcpStream, all: usize, heard: Arc<Heard>) {
    let mut buffer = [0; 2_048];
    while let Ok(got) = stream.read(&mut buffer).await
        && got > 0
    {
        let (mut messages, mut counts) = (0, 0);
        for line in buffer[..got].split(|byte| *byte == b'\n') {
            messages += usize::from(line == b"event: message");
            counts += usize::from(line == b"event: counts");
        }
        for (count, total, what) in [
            (messages, &heard.messages, "messages"),
            (counts, &heard.counts, "counts"),
        ] {
            let before = total.fetch_add(count, Ordering::Relaxed);
            if count > 0 && (before + count).is_multiple_of(all) {
                say(what);
            }
        }
    }
}
