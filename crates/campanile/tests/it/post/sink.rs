//! A target on loopback that does what a test tells it, and remembers what it was sent.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// What a sink does with a request.
#[derive(Clone)]
pub(crate) enum Act {
    /// Answers with these bytes, and waits for the next request.
    Answer(String),
    /// Answers with these bytes, and closes.
    Last(String),
    /// Answers with these bytes, then says nothing more.
    Stall(String),
    /// Answers with these bytes, then with others until nobody takes them.
    Endless(String),
    /// Answers with these bytes, and resets the connection.
    Reset(String),
}

/// A status without a body.
pub(crate) fn status(line: &str) -> Act {
    Act::Answer(format!("HTTP/1.1 {line}\r\ncontent-length: 0\r\n\r\n"))
}

/// What a sink has seen.
#[derive(Clone, Default, Debug)]
pub(crate) struct Seen {
    /// Requests, head and body.
    pub(crate) requests: Vec<String>,
    pub(crate) connections: usize,
    /// Bytes of endless answers that were taken.
    pub(crate) taken: usize,
}

impl Seen {
    /// The one request.
    pub(crate) fn one(&self) -> &str {
        assert_eq!(self.requests.len(), 1, "{self:?}");
        &self.requests[0]
    }
}

/// The value of a header in a request's text.
pub(crate) fn value<'r>(request: &'r str, name: &str) -> Option<&'r str> {
    let mut lines = request.split("\r\n").take_while(|line| !line.is_empty());
    lines.find_map(|line| {
        let (other, value) = line.split_once(": ")?;
        other.eq_ignore_ascii_case(name).then_some(value)
    })
}

pub(crate) struct Sink {
    pub(crate) address: SocketAddr,
    seen: Arc<watch::Sender<Seen>>,
    _serving: JoinSet<()>,
}

impl Sink {
    /// On a free port of 127.0.0.1; every request gets the same.
    pub(crate) async fn new(act: Act) -> Self {
        Self::at("127.0.0.1:0", vec![act], None).await
    }

    /// The acts one after another; the last one again and again.
    pub(crate) async fn at(address: &str, acts: Vec<Act>, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(watch::Sender::new(Seen::default()));
        let mut serving = JoinSet::new();
        let (told, acts) = (Arc::clone(&seen), Arc::new(Mutex::new(acts)));
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                told.send_modify(|seen| seen.connections += 1);
                stream.set_nodelay(true).unwrap();
                stream.set_zero_linger().unwrap();
                let (told, acts, tls) = (Arc::clone(&told), Arc::clone(&acts), tls.clone());
                connections.spawn(async move {
                    match tls {
                        None => serve(stream, &told, &acts).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(stream, &told, &acts).await;
                            }
                        }
                    }
                });
            }
        });
        Self {
            address,
            seen,
            _serving: serving,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/in?key=1", self.address)
    }

    pub(crate) fn seen(&self) -> Seen {
        self.seen.borrow().clone()
    }

    /// Waits for so many requests.
    pub(crate) async fn wait_for(&self, requests: usize) {
        let mut seen = self.seen.subscribe();
        seen.wait_for(|seen| seen.requests.len() >= requests).await.unwrap();
    }
}

async fn serve<S>(mut stream: S, seen: &watch::Sender<Seen>, acts: &Mutex<Vec<Act>>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(request) = read(&mut stream).await {
        let act = {
            let mut acts = acts.lock().unwrap();
            if acts.len() > 1 {
                acts.remove(0)
            } else {
                acts[0].clone()
            }
        };
        seen.send_modify(|seen| seen.requests.push(request));
        let (Act::Answer(text) | Act::Last(text) | Act::Stall(text) | Act::Endless(text) | Act::Reset(text)) = &act;
        if stream.write_all(text.as_bytes()).await.is_err() {
            return;
        }
        stream.flush().await.unwrap();
        match act {
            Act::Answer(_) => {}
            Act::Last(_) => return stream.shutdown().await.unwrap_or_default(),
            // Until the client goes.
            Act::Stall(_) => drop(stream.read(&mut [0]).await),
            Act::Endless(_) => loop {
                let Ok(written) = stream.write(&[b'x'; 4096]).await else {
                    return;
                };
                seen.send_modify(|seen| seen.taken += written);
            },
            // Dropped with no time to linger, it is reset.
            Act::Reset(_) => return,
        }
    }
}

/// One request: its head and as many bytes as it says.
async fn read<S: AsyncRead + Unpin>(stream: &mut S) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        if let Some(at) = bytes.windows(4).position(|part| part == b"\r\n\r\n") {
            let head = String::from_utf8(bytes[..at + 4].to_vec()).unwrap();
            let length: usize = value(&head, "content-length").map_or(0, |text| text.parse().unwrap());
            if bytes.len() >= at + 4 + length {
                return Some(String::from_utf8(bytes).unwrap());
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}
