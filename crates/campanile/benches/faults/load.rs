//! What all lanes share: where the servers are, and how something is asked until it is answered.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use base64::Engine as _;
use serde_json::Value;

use super::client;

/// Nothing that is asked again and again stays unanswered for longer.
const PATIENCE: Duration = Duration::from_mins(3);

/// The servers, and what became of requests to them.
#[derive(Debug)]
pub(crate) struct Load {
    pub(crate) addresses: Vec<SocketAddr>,
    /// The administrator's authorization.
    pub(crate) token: String,
    /// Where POSTs go.
    pub(crate) hook: String,
    pub(crate) asked: AtomicU64,
    /// Without an answer: the connection failed, or broke.
    pub(crate) cut: AtomicU64,
    /// 503 with `Retry-After`.
    pub(crate) away: AtomicU64,
    pub(crate) wrong: Mutex<Vec<String>>,
    pub(crate) slowest_ms: AtomicU64,
}

/// Lets time pass: between two tries, two faults, two looks.
#[expect(
    clippy::disallowed_methods,
    reason = "nothing tells when a server is there again, or what it sent has come"
)]
pub(crate) fn wait(time: Duration) {
    std::thread::sleep(time);
}

/// Login and password as a header.
pub(crate) fn basic(login: &str, password: &str) -> String {
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("{login}:{password}"));
    format!("Basic {pair}")
}

impl Load {
    pub(crate) fn new(addresses: Vec<SocketAddr>, hook: String) -> Self {
        Self {
            addresses,
            token: basic("admin", super::servers::PASSWORD),
            hook,
            asked: AtomicU64::new(0),
            cut: AtomicU64::new(0),
            away: AtomicU64::new(0),
            wrong: Mutex::default(),
            slowest_ms: AtomicU64::new(0),
        }
    }

    /// Notes that something is not as it must be.
    pub(crate) fn blame(&self, what: String) {
        self.wrong.lock().expect("nobody panics with it").push(what);
    }

    /// Asks as the administrator; what is there already is as good as made.
    pub(crate) fn admin(&self, method: &str, path: &str, body: &Value) -> Value {
        self.until(method, path, &self.token, None, Some(body), &[200, 201, 204, 409])
    }

    /// Asks one server after another until one answers with a status that is expected; the body. What is asked has to
    /// be the same when it is done twice, since an answer may be lost.
    pub(crate) fn until(
        &self,
        method: &str,
        path: &str,
        authorization: &str,
        key: Option<&str>,
        body: Option<&Value>,
        expected: &[u16],
    ) -> Value {
        let begun = Instant::now();
        let turn = self.asked.fetch_add(1, Ordering::Relaxed) as usize;
        for attempt in 0.. {
            assert!(begun.elapsed() < PATIENCE, "{method} {path} is not answered");
            let address = self.addresses[(turn + attempt) % self.addresses.len()];
            match client::ask(address, method, path, authorization, key, body) {
                Ok(answer) if expected.contains(&answer.status) => {
                    let took = begun.elapsed().as_millis() as u64;
                    self.slowest_ms.fetch_max(took, Ordering::Relaxed);
                    return answer.body;
                }
                Ok(answer) if answer.status == 503 => {
                    self.away.fetch_add(1, Ordering::Relaxed);
                    if !answer.head.contains("\r\nretry-after: ") {
                        self.blame(format!("{method} {path}: 503 without Retry-After"));
                    }
                }
                Ok(answer) => self.blame(format!("{method} {path}: {} {}", answer.status, answer.body)),
                Err(_) => {
                    self.cut.fetch_add(1, Ordering::Relaxed);
                }
            }
            wait(Duration::from_millis(50));
        }
        unreachable!("it is asked without end")
    }
}
