//! One connection: bytes out, replies in, each within its time.

use std::time::Duration;

use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::timeout;

use super::reply::{Extensions, Read, Reply, read};

/// Plain or TLS.
pub(super) trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// Why nothing more can be had of a connection, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lost(pub(super) String);

impl Lost {
    fn late(waited: Duration) -> Self {
        Self(format!("the relay did not answer within {} s", waited.as_secs_f64()))
    }

    fn closed() -> Self {
        Self("the relay closed the connection".into())
    }

    fn broken(error: &std::io::Error) -> Self {
        Self(format!("the connection to the relay broke: {error}"))
    }
}

/// A connection with what has been read of it and not understood yet.
pub(super) struct Connection {
    wire: Box<dyn Wire>,
    inbox: BytesMut,
    /// What the relay can do.
    pub(super) can: Extensions,
    /// Mails that were begun on it.
    pub(super) mails: usize,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection")
            .field("can", &self.can)
            .field("mails", &self.mails)
            .finish_non_exhaustive()
    }
}

/// How much of some bytes went out, where not all did.
#[derive(Debug)]
pub(super) struct Cut {
    pub(super) sent: usize,
    pub(super) why: Lost,
}

impl Connection {
    pub(super) fn new(wire: Box<dyn Wire>) -> Self {
        Self {
            wire,
            inbox: BytesMut::with_capacity(4096),
            can: Extensions::default(),
            mails: 0,
        }
    }

    /// Sends all, in as few writes as the system takes; `limit` is for each of them.
    pub(super) async fn send(&mut self, bytes: &[u8], limit: Duration) -> Result<(), Cut> {
        let mut sent = 0;
        while sent < bytes.len() {
            let written = timeout(limit, self.wire.write(&bytes[sent..])).await;
            let why = match written {
                Ok(Ok(0)) => Lost::closed(),
                Ok(Ok(count)) => {
                    sent += count;
                    continue;
                }
                Ok(Err(error)) => Lost::broken(&error),
                Err(_) => Lost("the relay did not take what was sent in time".into()),
            };
            return Err(Cut { sent, why });
        }
        match timeout(limit, self.wire.flush()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Cut {
                sent,
                why: Lost::broken(&error),
            }),
            Err(_) => Err(Cut {
                sent,
                why: Lost("the relay did not take what was sent in time".into()),
            }),
        }
    }

    /// Sends a command.
    pub(super) async fn say(&mut self, command: &str, limit: Duration) -> Result<(), Lost> {
        self.send(command.as_bytes(), limit).await.map_err(|cut| cut.why)
    }

    /// The next reply, whole, within the limit.
    pub(super) async fn reply(&mut self, limit: Duration) -> Result<Reply, Lost> {
        // Most replies came with the one before: no timer is needed for those.
        if let Some(reply) = self.parsed()? {
            return Ok(reply);
        }
        let more = async {
            loop {
                match self.wire.read_buf(&mut self.inbox).await {
                    Ok(0) => return Err(Lost::closed()),
                    Ok(_) => {}
                    Err(error) => return Err(Lost::broken(&error)),
                }
                if let Some(reply) = self.parsed()? {
                    return Ok(reply);
                }
            }
        };
        timeout(limit, more).await.unwrap_or_else(|_| Err(Lost::late(limit)))
    }

    fn parsed(&mut self) -> Result<Option<Reply>, Lost> {
        match read(&self.inbox) {
            Read::Whole(reply, length) => {
                self.inbox.advance(length);
                Ok(Some(reply))
            }
            Read::More => Ok(None),
            Read::Nonsense => Err(Lost("what answers at the relay's address does not speak SMTP".into())),
        }
    }

    /// A command and its reply.
    pub(super) async fn ask(&mut self, command: &str, limit: Duration) -> Result<Reply, Lost> {
        self.say(command, limit).await?;
        self.reply(limit).await
    }

    /// Returns when the relay says something unasked or closes: either ends an idle connection. Cancelling it loses
    /// nothing.
    pub(super) async fn disturbed(&mut self) {
        if self.inbox.is_empty() {
            let _ = self.wire.read_buf(&mut self.inbox).await;
        }
    }

    /// The bare wire, for TLS to be laid over. `None` if the relay has said more than it was asked: whatever it is, it
    /// came without TLS and must not be taken for what comes with it (CVE-2011-0411).
    pub(super) fn into_wire(self) -> Option<Box<dyn Wire>> {
        self.inbox.is_empty().then_some(self.wire)
    }

    /// Says goodbye, as far as anybody listens.
    pub(super) async fn quit(mut self) {
        const PATIENCE: Duration = Duration::from_secs(2);
        let _ = self.ask("QUIT\r\n", PATIENCE).await;
        let _ = timeout(PATIENCE, self.wire.shutdown()).await;
    }
}
