//! Where what leaves the house ends: receivers of POSTs, and a relay, each kind on one thread, which notes when each
//! message came.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::process::Thread;

type Arrivals = Arc<Mutex<Vec<(i64, Instant)>>>;

/// A receiver of one kind, at some ports of the loopback address. It ends with this.
pub(crate) struct Sink {
    pub(crate) addresses: Vec<SocketAddr>,
    pub(crate) thread: Thread,
    arrivals: Arrivals,
    stop: CancellationToken,
    serving: Option<JoinHandle<()>>,
}

/// What it speaks.
#[derive(Clone, Copy)]
enum Kind {
    Http,
    Smtp,
}

impl Sink {
    /// Answers every POST with 200.
    pub(crate) fn of_posts(ports: usize) -> Self {
        Self::start(Kind::Http, ports)
    }

    /// A relay that takes every mail.
    pub(crate) fn of_mails() -> Self {
        Self::start(Kind::Smtp, 1)
    }

    fn start(kind: Kind, ports: usize) -> Self {
        let (arrivals, stop) = (Arrivals::default(), CancellationToken::new());
        let (tell, told) = mpsc::sync_channel(1);
        let (noted, stopped) = (Arc::clone(&arrivals), stop.clone());
        let serving = std::thread::spawn(move || {
            let rt = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime can be made");
            rt.block_on(async {
                let (mut serving, mut addresses) = (JoinSet::new(), Vec::new());
                for _ in 0..ports {
                    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a port");
                    addresses.push(listener.local_addr().expect("it is bound"));
                    serving.spawn(accept(listener, kind, Arc::clone(&noted)));
                }
                tell.send((addresses, Thread::this())).expect("somebody waits");
                stopped.cancelled().await;
            });
        });
        let (addresses, thread) = told.recv().expect("the sink starts");
        Self {
            addresses,
            thread,
            arrivals,
            stop,
            serving: Some(serving),
        }
    }

    /// How many came so far.
    pub(crate) fn count(&self) -> usize {
        self.arrivals.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// What came so far: the number of the message, and when. It is forgotten by this.
    pub(crate) fn take(&self) -> Vec<(i64, Instant)> {
        std::mem::take(&mut *self.arrivals.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits until so many came.
    pub(crate) fn wait_for(&self, count: usize) {
        let begun = Instant::now();
        while self.count() < count {
            assert!(
                begun.elapsed() < Duration::from_mins(10),
                "{} of {count} came",
                self.count()
            );
            std::thread::park_timeout(Duration::from_millis(1));
        }
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(serving) = self.serving.take() {
            let _ = serving.join();
        }
    }
}

async fn accept(listener: TcpListener, kind: Kind, arrivals: Arrivals) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        stream.set_nodelay(true).expect("loopback takes the option");
        let arrivals = Arc::clone(&arrivals);
        connections.spawn(async move {
            match kind {
                Kind::Http => posts(stream, &arrivals).await,
                Kind::Smtp => mails(stream, &arrivals).await,
            };
        });
    }
}

fn note(arrivals: &Arrivals, message: i64) {
    let came = Instant::now();
    arrivals
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push((message, came));
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

/// The number behind a mark; 0 where there is none.
fn number(bytes: &[u8], mark: &[u8]) -> i64 {
    let digits = find(bytes, mark).map_or(&[][..], |at| &bytes[at + mark.len()..]);
    let digits = digits.iter().take_while(|byte| byte.is_ascii_digit());
    digits.fold(0, |number, byte| number * 10 + i64::from(byte - b'0'))
}

/// One request after the other; `None` when the other side has gone.
async fn posts(mut stream: TcpStream, arrivals: &Arrivals) -> Option<()> {
    let mut buffer = Vec::with_capacity(16 * 1024);
    loop {
        let end = loop {
            if let Some(at) = find(&buffer, b"\r\n\r\n") {
                break at + 4;
            }
            read(&mut stream, &mut buffer).await?;
        };
        buffer[..end].make_ascii_lowercase();
        let length = number(&buffer[..end], b"content-length: ") as usize;
        while buffer.len() < end + length {
            read(&mut stream, &mut buffer).await?;
        }
        note(arrivals, number(&buffer[..end], b"webhook-id: msg_"));
        buffer.drain(..end + length);
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            .await
            .ok()?;
    }
}

/// One mail after the other, pipelined as the client likes.
async fn mails(mut stream: TcpStream, arrivals: &Arrivals) -> Option<()> {
    stream.write_all(b"220 sink.test ESMTP\r\n").await.ok()?;
    let mut buffer = Vec::with_capacity(64 * 1024);
    let (mut is_content, mut seen) = (false, 0);
    loop {
        let mut replies = Vec::new();
        loop {
            let end: &[u8] = if is_content { b"\r\n.\r\n" } else { b"\r\n" };
            // What was looked through already is not looked through again, but for the beginning of an end.
            let Some(at) = find(&buffer[seen..], end) else {
                seen = buffer.len().saturating_sub(end.len());
                break;
            };
            let part = &buffer[..seen + at];
            let verb = part
                .first_chunk::<4>()
                .map_or(*b"....", |verb| verb.map(|at| at.to_ascii_uppercase()));
            let reply: &[u8] = match (is_content, &verb) {
                (true, _) => {
                    note(arrivals, number(part, b"Message-ID: <"));
                    b"250 2.0.0 Ok\r\n"
                }
                (false, b"EHLO") => b"250-sink.test\r\n250-PIPELINING\r\n250 8BITMIME\r\n",
                (false, b"DATA") => b"354 go on\r\n",
                (false, b"QUIT") => b"221 2.0.0 bye\r\n",
                (false, _) => b"250 2.0.0 Ok\r\n",
            };
            is_content = !is_content && verb == *b"DATA";
            replies.extend_from_slice(reply);
            buffer.drain(..seen + at + end.len());
            seen = 0;
        }
        stream.write_all(&replies).await.ok()?;
        read(&mut stream, &mut buffer).await?;
    }
}

async fn read(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<()> {
    let read = stream.read_buf(buffer).await.ok()?;
    (read > 0).then_some(())
}
