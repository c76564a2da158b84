//! One connection: commands in, replies out, each within its time.

use std::sync::Arc;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use super::door::{Desk, Door};
use super::listen::Protocol;
use super::wire::{self, Command, Content};

/// Bytes of a command at most, with its line break (RFC 5321 asks for 512, and more for some parameters).
const LINE_BYTES: usize = 1_000;
/// Recipients of a mail at most.
const RECIPIENTS: usize = 100;
/// Commands of a connection at most, and how many of them may be wrong.
const COMMANDS: usize = 1_000;
const FAULTS: usize = 20;

/// The connection is over, with what is still to be said.
struct Over(Option<&'static str>);

impl From<std::io::Error> for Over {
    fn from(_: std::io::Error) -> Self {
        Self(None)
    }
}

/// A mail in the making.
struct Envelope {
    from: String,
    to: Vec<Door>,
}

struct Session<'a> {
    wire: BufReader<TcpStream>,
    desk: &'a Desk,
    said_hello: bool,
    envelope: Option<Envelope>,
    faults: usize,
}

/// Serves one connection until its end.
pub(super) async fn serve(wire: TcpStream, desk: Arc<Desk>, stop: CancellationToken) {
    let mut session = Session {
        wire: BufReader::new(wire),
        desk: &desk,
        said_hello: false,
        envelope: None,
        faults: 0,
    };
    let Over(last) = session.run(&stop).await;
    if let Some(last) = last {
        let _gone = session.say(last).await;
    }
    let _gone = timeout(desk.limits.command, session.wire.get_mut().shutdown()).await;
}

impl Session<'_> {
    async fn run(&mut self, stop: &CancellationToken) -> Over {
        let greeting = format!("220 {} {} Campanile", self.desk.domain, self.desk.protocol.name());
        if let Err(over) = self.say(&greeting).await {
            return over;
        }
        for _ in 0..COMMANDS {
            let line = tokio::select! {
                biased;
                () = stop.cancelled() => return Over(Some("421 4.3.2 shutting down")),
                line = self.line() => line,
            };
            let done = match line {
                Ok(line) => self.obey(&line).await,
                Err(over) => Err(over),
            };
            match done {
                Ok(()) if self.faults > FAULTS => return Over(Some("421 4.7.0 too many wrong commands")),
                Ok(()) => {}
                Err(over) => return over,
            }
        }
        Over(Some("421 4.7.0 too many commands on one connection"))
    }

    /// A command without its line break; what is no text is an unknown command.
    async fn line(&mut self) -> Result<String, Over> {
        let deadline = Instant::now() + self.desk.limits.command;
        let mut line = Vec::new();
        loop {
            let bytes = match timeout_at(deadline, self.wire.fill_buf()).await {
                Ok(bytes) => bytes?,
                Err(_) => return Err(Over(Some("421 4.4.2 that took too long"))),
            };
            if bytes.is_empty() {
                return Err(Over(None));
            }
            let end = bytes.iter().position(|byte| *byte == b'\n').map(|at| at + 1);
            let taken = end.unwrap_or(bytes.len());
            line.extend_from_slice(&bytes[..taken]);
            self.wire.consume(taken);
            if line.len() > LINE_BYTES {
                return Err(Over(Some("500 5.5.2 the line is too long")));
            }
            if end.is_some() {
                // A line feed alone ends no command: who sends it would soon send it in a mail.
                let Some(line) = line.strip_suffix(b"\r\n") else {
                    return Err(Over(Some("500 5.5.2 a line ends in CR LF")));
                };
                let is_text = !line.iter().any(u8::is_ascii_control);
                let text = std::str::from_utf8(line).ok().filter(|_| is_text);
                return Ok(text.unwrap_or_default().to_owned());
            }
        }
    }

    async fn obey(&mut self, line: &str) -> Result<(), Over> {
        let command = wire::command(line);
        match command {
            Command::Hello(name) if self.desk.protocol.greets_with(name) => self.hello(name).await,
            Command::Mail { .. } | Command::Rcpt(_) | Command::Data if !self.said_hello => {
                self.fault("503 5.5.1 say hello first").await
            }
            Command::Mail { from, size } => self.mail(from, size).await,
            Command::Rcpt(to) => self.rcpt(&to).await,
            Command::Data => self.data().await,
            Command::Reset => {
                self.envelope = None;
                self.say("250 2.0.0 ok").await
            }
            Command::Nothing => self.say("250 2.0.0 ok").await,
            Command::Verify => self.say("252 2.1.5 send it, and see").await,
            Command::Quit => Err(Over(Some("221 2.0.0 bye"))),
            Command::Wrong(reply) => self.fault(reply).await,
            Command::Hello(_) | Command::Unknown => self.fault("500 5.5.1 this command is not known here").await,
        }
    }

    async fn hello(&mut self, name: &str) -> Result<(), Over> {
        self.said_hello = true;
        self.envelope = None;
        let domain = &self.desk.domain;
        if name == "HELO" {
            return self.say(&format!("250 {domain}")).await;
        }
        let size = self.desk.limits.size;
        let lines = format!(
            "250-{domain}\r\n250-PIPELINING\r\n250-SIZE {size}\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n\
             250 ENHANCEDSTATUSCODES"
        );
        self.say(&lines).await
    }

    async fn mail(&mut self, from: String, size: Option<u64>) -> Result<(), Over> {
        if self.envelope.is_some() {
            return self.fault("503 5.5.1 one mail at a time").await;
        }
        if size.is_some_and(|size| size > self.desk.limits.size) {
            return self.say(TOO_BIG).await;
        }
        self.envelope = Some(Envelope { from, to: Vec::new() });
        self.say("250 2.1.0 ok").await
    }

    async fn rcpt(&mut self, to: &str) -> Result<(), Over> {
        let Some(envelope) = &mut self.envelope else {
            return self.fault("503 5.5.1 say MAIL first").await;
        };
        if envelope.to.len() == RECIPIENTS {
            return self.fault("452 4.5.3 too many recipients").await;
        }
        match self.desk.door(to) {
            Some(door) => {
                envelope.to.push(door);
                self.say("250 2.1.5 ok").await
            }
            None => {
                self.fault("550 5.1.1 no such address here: only what comes back is taken in")
                    .await
            }
        }
    }

    async fn data(&mut self) -> Result<(), Over> {
        let Some(envelope) = self.envelope.take() else {
            return self.fault("503 5.5.1 say MAIL first").await;
        };
        if envelope.to.is_empty() {
            self.envelope = Some(envelope);
            return self.fault("503 5.5.1 there is no recipient").await;
        }
        self.say("354 go on, and end with a dot").await?;
        let content = self.content().await?;
        let replies = if content.size > self.desk.limits.size {
            vec![TOO_BIG; envelope.to.len()]
        } else {
            self.desk.take_in(&envelope.from, &envelope.to, &content.kept).await
        };
        if self.desk.protocol == Protocol::Lmtp {
            // One for each recipient that was accepted, in their order (RFC 2033, section 4.2).
            return self.say(&replies.join("\r\n")).await;
        }
        // For all at once: where one has to come again, all do; what is stored already is found so.
        let worst = replies.into_iter().max().unwrap_or(TOO_BIG);
        self.say(worst).await
    }

    /// A mail, to its end.
    async fn content(&mut self) -> Result<Content, Over> {
        let limits = &self.desk.limits;
        let deadline = Instant::now() + limits.data;
        let mut content = Content::default();
        loop {
            let next = deadline.min(Instant::now() + limits.command);
            let bytes = match timeout_at(next, self.wire.fill_buf()).await {
                Ok(bytes) => bytes?,
                Err(_) => return Err(Over(Some("421 4.4.2 that took too long"))),
            };
            if bytes.is_empty() {
                return Err(Over(None));
            }
            let end = content.take(bytes, limits.kept);
            let taken = end.unwrap_or(bytes.len());
            self.wire.consume(taken);
            if end.is_some() {
                return Ok(content);
            }
            // Who does not stop at the end of what we said we take, is not read to their end.
            if content.size > limits.size.saturating_mul(4) {
                return Err(Over(Some(TOO_BIG)));
            }
        }
    }

    async fn fault(&mut self, reply: &str) -> Result<(), Over> {
        self.faults += 1;
        self.say(reply).await
    }

    async fn say(&mut self, reply: &str) -> Result<(), Over> {
        let bytes = format!("{reply}\r\n");
        match timeout(
            self.desk.limits.command,
            self.wire.get_mut().write_all(bytes.as_bytes()),
        )
        .await
        {
            Ok(written) => Ok(written?),
            Err(_) => Err(Over(None)),
        }
    }
}

const TOO_BIG: &str = "552 5.3.4 the mail is too big";
