//! Where POSTs and mails end: every id that came, as often as it came.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// How often each id came.
pub(crate) type Came = Arc<Mutex<HashMap<String, u32>>>;

/// A receiver on a port of the loopback address; it lives as long as the process.
pub(crate) struct Sink {
    pub(crate) address: SocketAddr,
    pub(crate) came: Came,
    /// It hangs up on everybody.
    pub(crate) away: Arc<AtomicBool>,
}

/// Takes what one client sends; `None` when that is over.
type Serve = fn(&mut BufReader<TcpStream>, &Came) -> Option<()>;

impl Sink {
    pub(crate) fn of_posts() -> Self {
        Self::start(posts)
    }

    pub(crate) fn of_mails() -> Self {
        Self::start(mails)
    }

    fn start(serve: Serve) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a port");
        let address = listener.local_addr().expect("it is bound");
        let (came, away) = (Came::default(), Arc::new(AtomicBool::new(false)));
        let (noted, gone) = (Arc::clone(&came), Arc::clone(&away));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (noted, gone) = (Arc::clone(&noted), Arc::clone(&gone));
                std::thread::spawn(move || {
                    if !gone.load(Ordering::Relaxed) {
                        serve(&mut BufReader::new(stream), &noted);
                    }
                });
            }
        });
        Self { address, came, away }
    }
}

fn note(came: &Came, id: &str) {
    let mut came = came.lock().unwrap_or_else(PoisonError::into_inner);
    *came.entry(id.to_owned()).or_default() += 1;
}

fn line(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut line = Vec::new();
    let read = stream.read_until(b'\n', &mut line).ok()?;
    (read > 0).then(|| String::from_utf8_lossy(&line).trim_end().to_owned())
}

fn say(stream: &mut BufReader<TcpStream>, text: &str) -> Option<()> {
    stream.get_mut().write_all(text.as_bytes()).ok()
}

fn posts(stream: &mut BufReader<TcpStream>, came: &Came) -> Option<()> {
    loop {
        let (mut length, mut id) = (0, String::new());
        line(stream)?;
        loop {
            let header = line(stream)?.to_ascii_lowercase();
            if let Some(value) = header.strip_prefix("content-length: ") {
                length = value.parse().ok()?;
            } else if let Some(value) = header.strip_prefix("webhook-id: ") {
                value.clone_into(&mut id);
            } else if header.is_empty() {
                break;
            }
        }
        std::io::copy(&mut stream.take(length), &mut std::io::sink()).ok()?;
        note(came, &id);
        say(stream, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")?;
    }
}

fn mails(stream: &mut BufReader<TcpStream>, came: &Came) -> Option<()> {
    say(stream, "220 sink.test ESMTP\r\n")?;
    loop {
        let command = line(stream)?.to_ascii_uppercase();
        if command.starts_with("EHLO") {
            say(stream, "250-sink.test\r\n250-PIPELINING\r\n250 8BITMIME\r\n")?;
        } else if command.starts_with("QUIT") {
            return say(stream, "221 2.0.0 bye\r\n");
        } else if command == "DATA" {
            say(stream, "354 go on\r\n")?;
            let mut id = String::new();
            loop {
                let text = line(stream)?;
                if let Some(value) = text.strip_prefix("Message-ID: ") {
                    value.trim_matches(['<', '>']).clone_into(&mut id);
                } else if text == "." {
                    break;
                }
            }
            note(came, &id);
            say(stream, "250 2.0.0 Ok\r\n")?;
        } else {
            say(stream, "250 2.0.0 Ok\r\n")?;
        }
    }
}
