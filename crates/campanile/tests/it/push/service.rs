//! A push service and a browser: what takes requests by the script of a test, and reads them as the browser would, by
//! libraries that are not ours.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::outside::python_with;
use crate::post::sink::value;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_mins(1);

/// The browser's keys: those of RFC 8291, appendix A.
pub(super) const P256DH: &str =
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
pub(super) const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";

// Decrypts each body, and believes each token by the key beside it and by the one that the browser subscribed with.
const PYTHON: &str = "
import sys, json, base64
import http_ece
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
def raw(text):
    return base64.urlsafe_b64decode(text + '=' * (-len(text) % 4))
curve = ec.SECP256R1()
own = ec.derive_private_key(int.from_bytes(raw('q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94'), 'big'), curve)
secret = raw('BTBZMqHH6r4Tts7J_aSIgg')
for line in sys.stdin:
    authorization, body = json.loads(line)
    scheme, rest = authorization.split(' ', 1)
    assert scheme == 'vapid', scheme
    token, key = [part.strip()[2:] for part in rest.split(',')]
    head, claims, signature = token.split('.')
    r, s = raw(signature)[:32], raw(signature)[32:]
    public = ec.EllipticCurvePublicKey.from_encoded_point(curve, raw(key))
    der = encode_dss_signature(int.from_bytes(r, 'big'), int.from_bytes(s, 'big'))
    public.verify(der, (head + '.' + claims).encode(), ec.ECDSA(hashes.SHA256()))
    assert json.loads(raw(head)) == {'typ': 'JWT', 'alg': 'ES256'}
    text = http_ece.decrypt(base64.b64decode(body), private_key=own, auth_secret=secret, version='aes128gcm')
    print(json.dumps({'claims': json.loads(raw(claims)), 'key': key, 'said': json.loads(text)}))
";
/// An answer: its status, and a header.
pub(super) type Answer = (u16, &'static str);

/// A request for a device.
#[derive(Debug, Clone)]
pub(super) struct Pushed {
    pub(super) head: String,
    body: Vec<u8>,
}

impl Pushed {
    pub(super) fn header(&self, name: &str) -> &str {
        value(&self.head, name).unwrap_or_default()
    }

    /// The path, which names the device.
    pub(super) fn device(&self) -> &str {
        self.head.split(' ').nth(1).unwrap()
    }
}

/// A push service.
pub(super) struct Service {
    pub(super) address: SocketAddr,
    seen: Arc<watch::Sender<Vec<Pushed>>>,
    _task: JoinSet<()>,
}

impl Service {
    /// With answers in turn, the last again and again.
    pub(super) async fn new(answers: &[Answer]) -> Self {
        Self::after(1, answers).await
    }

    /// One that answers nobody before it was asked so often.
    pub(super) async fn after(count: usize, answers: &[Answer]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(watch::Sender::new(Vec::new()));
        let (told, mut answers): (_, VecDeque<Answer>) = (Arc::clone(&seen), answers.iter().copied().collect());
        let mut task = JoinSet::new();
        task.spawn(async move {
            let mut waiting = Vec::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                let Some(pushed) = read(&mut stream).await else {
                    continue;
                };
                let (code, header) = if answers.len() > 1 {
                    answers.pop_front().unwrap()
                } else {
                    answers[0]
                };
                told.send_modify(|seen| seen.push(pushed));
                let answer = format!("HTTP/1.1 {code} X\r\n{header}Content-Length: 0\r\nConnection: close\r\n\r\n");
                waiting.push((stream, answer));
                if told.borrow().len() < count {
                    continue;
                }
                for (mut stream, answer) in waiting.drain(..) {
                    // The client may have gone.
                    let _ = stream.write_all(answer.as_bytes()).await;
                }
            }
        });
        Self {
            address,
            seen,
            _task: task,
        }
    }

    /// A subscription of a browser, as it tells it.
    pub(super) fn subscription(&self, device: &str) -> Value {
        json!({
            "endpoint": format!("http://{}/{device}", self.address), "expirationTime": null,
            "keys": {"p256dh": P256DH, "auth": AUTH},
        })
    }

    /// Waits for so many requests; all there were.
    pub(super) async fn wait_for(&self, count: usize) -> Vec<Pushed> {
        let mut seen = self.seen.subscribe();
        let got = tokio::time::timeout(PATIENCE, seen.wait_for(|seen| seen.len() >= count)).await;
        assert!(got.is_ok(), "{} of {count} came", self.seen().len());
        self.seen()
    }

    pub(super) fn seen(&self) -> Vec<Pushed> {
        self.seen.borrow().clone()
    }
}

/// One request: its head, and as many bytes as it says.
async fn read(stream: &mut TcpStream) -> Option<Pushed> {
    let mut bytes = Vec::new();
    loop {
        if let Some(at) = bytes.windows(4).position(|part| part == b"\r\n\r\n") {
            let head = String::from_utf8(bytes[..at + 4].to_vec()).unwrap();
            let length: usize = value(&head, "content-length").unwrap().parse().unwrap();
            if bytes.len() >= at + 4 + length {
                return Some(Pushed {
                    head,
                    body: bytes[at + 4..].to_vec(),
                });
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

/// What the browser reads of each request: `claims` and `key` of its token, which was good, and what it `said`.
pub(super) fn opened(pushed: &[Pushed]) -> Vec<Value> {
    let lines: String = pushed
        .iter()
        .map(|one| json!([one.header("authorization"), STANDARD.encode(&one.body)]).to_string() + "\n")
        .collect();
    let said = python_with("http_ece", PYTHON, &lines);
    said.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
