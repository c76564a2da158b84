//! Where mail comes in, and how much of it at once.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::door::Desk;
use super::session;
use crate::app::App;
use crate::config::value;

/// How the two sides talk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// A mail system hands it over, and gets a reply for each recipient (RFC 2033).
    Lmtp,
    /// Anybody (RFC 5321).
    Smtp,
}

impl Protocol {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Lmtp => "LMTP",
            Self::Smtp => "ESMTP",
        }
    }

    pub(super) fn greets_with(self, verb: &str) -> bool {
        (verb == "LHLO") == (self == Self::Lmtp)
    }
}

/// The setting `bounce_listen`: `lmtp://ADDRESS:PORT` or `smtp://ADDRESS:PORT`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listen {
    /// How the two sides talk.
    pub protocol: Protocol,
    /// The address; port 0 picks one.
    pub address: SocketAddr,
}

impl Listen {
    /// Reads the setting.
    ///
    /// # Errors
    /// What is allowed.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (protocol, rest) = match text.split_once("://") {
            Some(("lmtp", rest)) => (Protocol::Lmtp, rest),
            Some(("smtp", rest)) => (Protocol::Smtp, rest),
            _ => return Err("must be lmtp://ADDRESS:PORT or smtp://ADDRESS:PORT".into()),
        };
        let address = value::listen(rest.trim_end_matches('/'))?;
        Ok(Self { protocol, address })
    }
}

/// How much is taken from outside, and for how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Connections at once.
    pub connections: usize,
    /// For a command to come whole, and between two pieces of a mail.
    pub command: Duration,
    /// For a whole mail.
    pub data: Duration,
    /// Bytes of a mail at most.
    pub size: u64,
    /// Bytes of its beginning that are kept and read. What a report says stands before the mail that it is about, which
    /// some send along whole, and which may be longer.
    pub kept: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 32,
            command: Duration::from_mins(1),
            data: Duration::from_mins(5),
            size: 2 << 20,
            kept: 256 << 10,
        }
    }
}

/// How long connections get to finish when the server stops.
const GRACE: Duration = Duration::from_secs(5);

/// Takes mail in for a domain until [`App::shutdown`], in a task of the app. The address that it listens at.
///
/// # Errors
/// When the address cannot be listened at.
pub async fn listen(app: &Arc<App>, at: Listen, domain: &str, limits: Limits) -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind(at.address)
        .await
        .with_context(|| format!("bounce_listen: cannot listen at {}", at.address))?;
    let address = listener.local_addr()?;
    let desk = Arc::new(Desk {
        app: Arc::clone(app),
        protocol: at.protocol,
        domain: domain.to_ascii_lowercase(),
        limits,
    });
    app.spawn(accept(listener, desk));
    Ok(address)
}

async fn accept(listener: TcpListener, desk: Arc<Desk>) {
    let stop = desk.app.shutdown().clone();
    let places = Arc::new(Semaphore::new(desk.limits.connections));
    let mut sessions = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
            Some(ended) = sessions.join_next() => {
                if let Err(error) = ended {
                    tracing::error!(%error, "a connection that brought mail has panicked");
                }
                continue;
            }
        };
        let mut wire = match accepted {
            Ok((wire, _)) => wire,
            Err(error) => {
                // Mostly: no more file descriptors. It passes; trying at once would burn a processor.
                tracing::warn!(%error, "no connection can be accepted for mail that comes back");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            // A new connection takes as much without waiting.
            let told = wire.write_all(b"421 4.3.2 too many connections, come again\r\n");
            let _gone = timeout(Duration::from_secs(1), told).await;
            continue;
        };
        let _slower = wire.set_nodelay(true);
        let (desk, stop) = (Arc::clone(&desk), stop.clone());
        sessions.spawn(async move {
            session::serve(wire, desk, stop).await;
            drop(place);
        });
    }
    let finished = timeout(GRACE, async { while sessions.join_next().await.is_some() {} });
    // Who did not get its reply by then sends its mail once more.
    let _cut = finished.await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_setting_says_how_and_where() {
        let read = |text| Listen::parse(text).map(|at| (at.protocol, at.address.to_string()));
        assert_eq!(
            read("lmtp://127.0.0.1:8424"),
            Ok((Protocol::Lmtp, "127.0.0.1:8424".into()))
        );
        assert_eq!(read("smtp://[::1]:25/"), Ok((Protocol::Smtp, "[::1]:25".into())));
        for wrong in [
            "127.0.0.1:8424",
            "smtps://127.0.0.1:25",
            "smtp://mx.example.com",
            "smtp://",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
