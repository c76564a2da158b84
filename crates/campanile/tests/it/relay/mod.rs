//! A relay that does as it is told: an SMTP server in a page, with a script for what shall go wrong where.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// Where the client is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum At<'a> {
    /// Connected; with the number of the connection, from 0.
    Greeting(usize),
    /// `STARTTLS`.
    StartTls,
    /// `AUTH` with all it sent, decoded or not.
    Auth(&'a str),
    /// `MAIL`, whole.
    Mail(&'a str),
    /// `RCPT` to an address.
    Rcpt(&'a str),
    /// `DATA` for an address.
    Data(&'a str),
    /// So many bytes of the content for an address have come.
    Inside(&'a str),
    /// The final dot for an address.
    Dot(&'a str),
    /// A mail was answered; the connection waits for the next command.
    After,
}

/// What the relay does there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Act {
    /// The usual yes.
    Usual,
    /// Says this instead, and closes after a 421.
    Say(&'static str),
    /// Says nothing until the client goes.
    Hang,
    /// Closes the connection.
    Drop,
}

type Script = Arc<dyn Fn(At<'_>) -> Act + Send + Sync>;

/// How the relay is.
#[derive(Clone)]
pub(crate) struct Manner {
    pub(crate) extensions: Vec<&'static str>,
    pub(crate) implicit_tls: bool,
    pub(crate) script: Script,
}

impl Manner {
    /// A modern relay that follows a script.
    pub(crate) fn new(script: impl Fn(At<'_>) -> Act + Send + Sync + 'static) -> Self {
        Self {
            extensions: vec!["PIPELINING", "SIZE 100000000", "8BITMIME", "ENHANCEDSTATUSCODES"],
            implicit_tls: false,
            script: Arc::new(script),
        }
    }

    pub(crate) fn with(mut self, extensions: &[&'static str]) -> Self {
        self.extensions = extensions.to_vec();
        self
    }
}

/// A mail that the relay took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) from: String,
    pub(crate) to: String,
    /// As it was sent, dots undone.
    pub(crate) content: String,
    /// Whether its envelope came while the content of the mail before was still to be answered.
    pub(crate) was_behind: bool,
}

#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) taken: Mutex<Vec<Taken>>,
    pub(crate) commands: Mutex<Vec<String>>,
    pub(crate) connections: AtomicUsize,
    open: AtomicUsize,
    pub(crate) most_open: AtomicUsize,
    /// Times at which more was sent than had been asked for.
    pub(crate) pipelined: AtomicUsize,
    away: AtomicBool,
}

/// A relay on a free port of the loopback address, until it is dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) seen: Arc<Seen>,
    _tasks: JoinSet<()>,
}

impl Server {
    pub(crate) async fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Seen::default());
        let tls = acceptor();
        let shared = Arc::clone(&seen);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut sessions = JoinSet::new();
            for number in 0.. {
                let (tcp, _) = listener.accept().await.unwrap();
                if shared.away.load(Ordering::SeqCst) {
                    continue;
                }
                tcp.set_nodelay(true).unwrap();
                shared.connections.fetch_add(1, Ordering::SeqCst);
                let (manner, seen, tls) = (manner.clone(), Arc::clone(&shared), tls.clone());
                sessions.spawn(async move {
                    let open = seen.open.fetch_add(1, Ordering::SeqCst) + 1;
                    seen.most_open.fetch_max(open, Ordering::SeqCst);
                    session(tcp, number, &manner, &seen, &tls).await;
                    seen.open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Self {
            address,
            seen,
            _tasks: tasks,
        }
    }

    /// From now on connections are dropped as they come, or taken again.
    pub(crate) fn refuse(&self, away: bool) {
        self.seen.away.store(away, Ordering::SeqCst);
    }

    /// The addresses that got mail, with how many.
    pub(crate) fn counts(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for taken in self.seen.taken.lock().unwrap().iter() {
            *counts.entry(taken.to.clone()).or_default() += 1;
        }
        counts
    }

    pub(crate) fn taken(&self) -> Vec<Taken> {
        self.seen.taken.lock().unwrap().clone()
    }

    pub(crate) fn commands(&self) -> Vec<String> {
        self.seen.commands.lock().unwrap().clone()
    }
}

/// The folder of the certificate, for the one who shall trust it.
pub(crate) fn certificate() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/relay/certificate.pem")
}

fn acceptor() -> TlsAcceptor {
    let certificate = CertificateDer::from_pem_file(certificate()).unwrap();
    let key = PrivateKeyDer::from_pem_file(certificate_key()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

fn certificate_key() -> std::path::PathBuf {
    certificate().with_file_name("key.pem")
}

async fn session(tcp: TcpStream, number: usize, manner: &Manner, seen: &Seen, tls: &TlsAcceptor) {
    if manner.implicit_tls {
        if let Ok(tls) = tls.accept(tcp).await {
            Session::new(tls, manner, seen).serve(Some(number)).await;
        }
    } else if let Some(Some(tcp)) = Session::new(tcp, manner, seen).serve(Some(number)).await
        && let Ok(tls) = tls.accept(tcp).await
    {
        Session::new(tls, manner, seen).serve(None).await;
    }
}

struct Session<'a, T> {
    wire: BufReader<T>,
    manner: &'a Manner,
    seen: &'a Seen,
}

impl<'a, T: AsyncRead + AsyncWrite + Unpin> Session<'a, T> {
    fn new(wire: T, manner: &'a Manner, seen: &'a Seen) -> Self {
        let wire = BufReader::with_capacity(1 << 20, wire);
        Self { wire, manner, seen }
    }

    /// Serves until the end; `None` is the end, `Some(Some(wire))` that TLS shall begin.
    async fn serve(mut self, greeting: Option<usize>) -> Option<Option<T>> {
        if let Some(number) = greeting {
            self.at(At::Greeting(number), "220 relay.test ESMTP").await?;
        }
        let (mut from, mut to) = (String::new(), None::<String>);
        let mut behind = false;
        loop {
            let line = self.line().await?;
            let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
            self.seen.commands.lock().unwrap().push(line.clone());
            match verb.as_str() {
                "EHLO" => self.say(&self.hello(greeting.is_none())).await?,
                "HELO" => self.say("250 relay.test").await?,
                "STARTTLS" => {
                    self.at(At::StartTls, "220 go ahead").await?;
                    return Some(Some(self.wire.into_inner()));
                }
                "AUTH" => {
                    let mut all = line.clone();
                    if line == "AUTH LOGIN" {
                        for ask in ["334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6"] {
                            self.say(ask).await?;
                            all = format!("{all} {}", self.line().await?);
                        }
                    }
                    self.at(At::Auth(&all), "235 welcome").await?;
                }
                "MAIL" if !from.is_empty() => self.say("503 5.5.1 nested MAIL command").await?,
                "MAIL" => {
                    if self.at(At::Mail(&line), "250 2.1.0 ok").await? {
                        from = line;
                    }
                }
                "RCPT" if from.is_empty() => self.say("503 5.5.1 need MAIL").await?,
                "RCPT" => {
                    let address = line.trim_start_matches("RCPT TO:<").trim_end_matches('>').to_owned();
                    if self.at(At::Rcpt(&address), "250 2.1.5 ok").await? {
                        to = Some(address);
                    }
                }
                "DATA" if to.is_none() && !self.manner.extensions.contains(&"X-HASTY") => {
                    self.say("503 5.5.1 need RCPT").await?;
                }
                "DATA" => {
                    let address = to.take().unwrap_or_default();
                    if self.at(At::Data(&address), "354 go on").await? {
                        let content = self.content(&address).await?;
                        let is_behind = !self.wire.buffer().is_empty();
                        if self.at(At::Dot(&address), "250 2.0.0 Ok: queued as T1").await? && !address.is_empty() {
                            let from = std::mem::take(&mut from);
                            let taken = Taken {
                                from,
                                to: address,
                                content,
                                was_behind: std::mem::replace(&mut behind, is_behind),
                            };
                            self.seen.taken.lock().unwrap().push(taken);
                        }
                        from.clear();
                        if (self.manner.script)(At::After) == Act::Drop {
                            return None;
                        }
                    }
                }
                "RSET" => {
                    from.clear();
                    to = None;
                    self.say("250 2.0.0 ok").await?;
                }
                "QUIT" => {
                    self.say("221 bye").await?;
                    return None;
                }
                _ => self.say("502 5.5.2 what?").await?,
            }
        }
    }

    fn hello(&self, encrypted: bool) -> String {
        let known = self
            .manner
            .extensions
            .iter()
            .filter(|one| !(encrypted && **one == "STARTTLS"));
        let mut lines: Vec<_> = std::iter::once("relay.test").chain(known.copied()).collect();
        let last = lines.pop().unwrap();
        let first: Vec<_> = lines.iter().map(|line| format!("250-{line}\r\n")).collect();
        format!("{}250 {last}", first.concat())
    }

    /// A command. Without PIPELINING nothing may stand behind it.
    async fn line(&mut self) -> Option<String> {
        let mut line = Vec::new();
        self.wire
            .read_until(b'\n', &mut line)
            .await
            .ok()
            .filter(|count| *count > 0)?;
        if !self.wire.buffer().is_empty() {
            self.seen.pipelined.fetch_add(1, Ordering::SeqCst);
        }
        let line = String::from_utf8(line).ok()?;
        Some(line.strip_suffix("\r\n").expect("a command ends in CRLF").to_owned())
    }

    async fn content(&mut self, address: &str) -> Option<String> {
        let mut content = Vec::new();
        let mut is_first = true;
        loop {
            let mut line = Vec::new();
            self.wire
                .read_until(b'\n', &mut line)
                .await
                .ok()
                .filter(|count| *count > 0)?;
            if std::mem::take(&mut is_first) {
                self.act((self.manner.script)(At::Inside(address))).await?;
            }
            if line == b".\r\n" {
                return String::from_utf8(content).ok();
            }
            content.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
        }
    }

    /// Does what the script has for here; whether it was the usual.
    async fn at(&mut self, at: At<'_>, usual: &str) -> Option<bool> {
        let act = (self.manner.script)(at);
        if act == Act::Usual {
            self.say(usual).await?;
            return Some(true);
        }
        self.act(act).await?;
        Some(false)
    }

    async fn act(&mut self, act: Act) -> Option<()> {
        match act {
            Act::Usual => Some(()),
            Act::Say(text) => {
                self.say(text).await?;
                (!text.starts_with("421")).then_some(())
            }
            Act::Drop => None,
            Act::Hang => {
                let _ = self.wire.read_to_end(&mut Vec::new()).await;
                None
            }
        }
    }

    async fn say(&mut self, text: &str) -> Option<()> {
        self.wire.write_all(format!("{text}\r\n").as_bytes()).await.ok()
    }
}
