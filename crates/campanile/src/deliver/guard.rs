//! The only maker of outbound connections: look up once, refuse, pin, check, and no more than so many at once.
//!
//! A name is looked up once for a connection. If any of its addresses is one that the policy refuses, nothing is
//! connected to; otherwise the connection goes to one of these very addresses, whatever the name leads to a moment
//! later.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _, UdpSocket};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use campanile_core::outbox::target::Policy;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};

use super::link::Link;
use super::proxy::{Proxy, Routes, bare, tunnel};
use crate::config::Http;

/// Names that are looked up at once: each holds a thread.
const LOOK_UPS: usize = 32;

/// What a name leads to.
pub type Addresses = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Looks names up. The system does it for the server; a test answers what it likes.
pub trait Resolve: Send + Sync + 'static {
    /// Every address of a host name. An error is a name that leads nowhere, or nowhere now.
    fn resolve(&self, host: &str) -> Addresses;
}

/// The system's resolver.
#[derive(Debug)]
pub struct System(Arc<Semaphore>);

impl Default for System {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(LOOK_UPS)))
    }
}

impl Resolve for System {
    fn resolve(&self, host: &str) -> Addresses {
        let (places, host) = (Arc::clone(&self.0), host.to_owned());
        Box::pin(async move {
            let place = places.acquire_owned().await.map_err(io::Error::other)?;
            let found = tokio::task::spawn_blocking(move || {
                // Kept until the system has answered, though nobody may be waiting any more.
                let _place = place;
                let found = (host.as_str(), 0).to_socket_addrs()?;
                Ok(found.map(|socket| socket.ip()).collect())
            });
            found.await.map_err(io::Error::other)?
        })
    }
}

/// Why there is no connection. Its text is for the sender: it tells neither addresses nor what the other end said.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// The policy refuses the target; trying again does not help.
    #[error("the target {0}")]
    Forbidden(String),
    /// The name leads nowhere.
    #[error("the target's name cannot be looked up")]
    Unknown,
    /// Nothing takes the connection.
    #[error("the target cannot be reached ({0})")]
    Unreachable(&'static str),
    /// It takes too long.
    #[error("the target did not take the connection in time")]
    Slow,
    /// The other end cannot show that it is who it should be.
    #[error("the target cannot be trusted: {0}")]
    Tls(&'static str),
    /// The proxy is at fault, not the target.
    #[error("the system proxy {0}")]
    Proxy(String),
    /// The proxy says that it cannot reach the target.
    #[error("the system proxy cannot reach the target (it answered {0})")]
    Beyond(u16),
    /// All connections that may be open are.
    #[error("this server has too many connections open")]
    Crowded,
}

impl Trouble {
    /// Whether it is no fault of the target.
    #[must_use]
    pub const fn is_ours(&self) -> bool {
        matches!(self, Self::Proxy(_) | Self::Crowded)
    }
}

/// What may be connected to, and the means.
pub struct Guard {
    policy: Policy,
    own: Vec<SocketAddr>,
    resolver: Arc<dyn Resolve>,
    routes: Routes,
    resolve_limit: Duration,
    connect_limit: Duration,
    places: Arc<Semaphore>,
    connections: usize,
}

impl Guard {
    /// A guard by the settings. `own` are the addresses that this server listens at: nothing of ours is posted to.
    #[must_use]
    pub fn new(settings: &Http, own: Vec<SocketAddr>, resolver: Arc<dyn Resolve>) -> Self {
        Self {
            policy: settings.policy(),
            own,
            resolver,
            routes: Routes::new(&settings.proxies),
            resolve_limit: settings.resolve_timeout,
            connect_limit: settings.connect_timeout,
            places: Arc::new(Semaphore::new(settings.connections)),
            connections: settings.connections,
        }
    }

    /// What the operator lets be reached.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The system's proxies.
    #[must_use]
    pub const fn routes(&self) -> &Routes {
        &self.routes
    }

    /// For a whole connection, with what comes before its first byte of use.
    #[must_use]
    pub const fn connect_limit(&self) -> Duration {
        self.connect_limit
    }

    /// Whether so many connections are open that none should be kept for later.
    #[must_use]
    pub fn is_crowded(&self) -> bool {
        self.places.available_permits() < self.connections / 2
    }

    /// A connection to a target that somebody typed: vetted, and pinned to what was vetted.
    ///
    /// # Errors
    /// [`Trouble`]: forbidden, unknown, unreachable, slow, crowded.
    pub async fn connect(&self, host: &str, port: u16) -> Result<Link, Trouble> {
        let until = Instant::now() + self.connect_limit;
        let place = self.place(until).await?;
        let addresses = self.vetted(host, port).await?;
        Ok(Link::new(dial(&addresses, until).await?, false, place))
    }

    /// A connection towards a target through a proxy: a tunnel for `https`, else one that takes requests with whole
    /// URLs. The target is vetted all the same, unless the proxy alone can look its name up.
    ///
    /// # Errors
    /// [`Trouble`]; what the proxy does wrong is [`Trouble::Proxy`].
    pub async fn connect_by(&self, proxy: &Proxy, scheme: &str, host: &str, port: u16) -> Result<Link, Trouble> {
        let until = Instant::now() + self.connect_limit;
        let place = self.place(until).await?;
        let is_name = bare(host).parse::<IpAddr>().is_err();
        if !(is_name && self.routes.resolves) {
            self.vetted(host, port).await?;
        }
        let is_tunnel = scheme == "https";
        let mut stream = self
            .named(&proxy.host, proxy.port, until)
            .await
            .map_err(|trouble| match trouble {
                Trouble::Unreachable(why) => Trouble::Proxy(format!("cannot be reached ({why})")),
                Trouble::Unknown => Trouble::Proxy("has a name that cannot be looked up".into()),
                _ => Trouble::Proxy("did not take the connection in time".into()),
            })?;
        if is_tunnel {
            // A proxy that does not answer is one that still tries to reach the target.
            let tunnel = tunnel(&mut stream, proxy, host, port);
            timeout_at(until, tunnel).await.map_err(|_| Trouble::Slow)??;
        }
        Ok(Link::new(stream, !is_tunnel, place))
    }

    /// A connection to what the operator named in the settings: a proxy, a mail relay. Not vetted.
    ///
    /// # Errors
    /// [`Trouble`]: unknown, unreachable, slow.
    pub async fn connect_named(&self, host: &str, port: u16) -> Result<TcpStream, Trouble> {
        self.named(host, port, Instant::now() + self.connect_limit).await
    }

    async fn named(&self, host: &str, port: u16, until: Instant) -> Result<TcpStream, Trouble> {
        let found = self.look_up(host).await?;
        let sockets: Vec<_> = found.into_iter().map(|ip| SocketAddr::new(ip, port)).collect();
        dial(&sockets, until).await
    }

    async fn place(&self, until: Instant) -> Result<OwnedSemaphorePermit, Trouble> {
        let place = timeout_at(until, Arc::clone(&self.places).acquire_owned()).await;
        place.ok().and_then(Result::ok).ok_or(Trouble::Crowded)
    }

    /// The addresses of a target, every one of which may be connected to.
    async fn vetted(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, Trouble> {
        let host = bare(host);
        let found = self.look_up(host).await?;
        let sockets: Vec<_> = found.into_iter().map(|ip| SocketAddr::new(ip, port)).collect();
        for socket in &sockets {
            self.policy.vet(host, socket.ip()).map_err(|kind| {
                Trouble::Forbidden(format!(
                    "leads to {kind}, which this server does not post to (CAMPANILE_HTTP_ALLOW)"
                ))
            })?;
            if self.own.iter().any(|own| is_own(own, socket)) {
                return Err(Trouble::Forbidden("is this server itself".into()));
            }
        }
        Ok(sockets)
    }

    /// A literal is its own address. The resolver is never asked for one, and never trusted to refuse one.
    async fn look_up(&self, host: &str) -> Result<Vec<IpAddr>, Trouble> {
        if let Ok(address) = bare(host).parse::<IpAddr>() {
            return Ok(vec![address.to_canonical()]);
        }
        let found = timeout(self.resolve_limit, self.resolver.resolve(host)).await;
        let mut found = found.ok().and_then(Result::ok).unwrap_or_default();
        for address in &mut found {
            *address = address.to_canonical();
        }
        found.dedup();
        if found.is_empty() {
            Err(Trouble::Unknown)
        } else {
            Ok(found)
        }
    }
}

/// Whether a target is an address that we listen at; who listens at all addresses of the machine is at each of them.
fn is_own(own: &SocketAddr, target: &SocketAddr) -> bool {
    if own.port() != target.port() {
        return false;
    }
    let (own, target) = (own.ip().to_canonical(), target.ip());
    // Only an address of this machine can be bound to. Nothing is sent by binding.
    own == target || own.is_unspecified() && UdpSocket::bind((target, 0)).is_ok()
}

/// The first of these addresses that takes a connection; each gets its share of the time that is left.
async fn dial(sockets: &[SocketAddr], until: Instant) -> Result<TcpStream, Trouble> {
    let mut last = Trouble::Unknown;
    for (at, socket) in sockets.iter().enumerate() {
        let left = until.saturating_duration_since(Instant::now());
        let share = left / (sockets.len() - at) as u32;
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place that connects, to an address that was vetted or that the operator named"
        )]
        let connecting = TcpStream::connect(*socket);
        let stream = match timeout(share, connecting).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => {
                last = Trouble::Unreachable(why(&error));
                continue;
            }
            Err(_) => {
                last = Trouble::Slow;
                continue;
            }
        };
        // Cheap, and finds mistakes of ours.
        let peer = stream.peer_addr().map(|peer| (peer.ip().to_canonical(), peer.port()));
        if !peer.is_ok_and(|peer| peer == (socket.ip(), socket.port())) {
            return Err(Trouble::Unreachable("it is somebody else"));
        }
        // Head and body may be two writes; waiting for an acknowledgement between them costs 40 ms.
        stream
            .set_nodelay(true)
            .map_err(|error| Trouble::Unreachable(why(&error)))?;
        return Ok(stream);
    }
    Err(last)
}

/// Why there is no connection, or none any more, in plain words.
pub(super) fn why(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused",
        io::ErrorKind::ConnectionReset => "connection reset",
        io::ErrorKind::TimedOut => "nothing answers there",
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable => "there is no way there",
        // Only what the system's calls say has a number; looking a name up is no such call.
        _ if error.raw_os_error().is_none() && error.get_ref().is_some() => "its name cannot be looked up",
        _ => "the connection failed",
    }
}
