//! The accept loop: connections with limits on number, size and time, and an end that is waited for.
//!
//! HTTP/1.1 without TLS, for loopback or behind a proxy. What `axum::serve` leaves out is here: a limit on how long
//! the head of a request may take (hyper's own would also be the limit of an idle connection, so `socket` keeps
//! both), on bodies that stop arriving, on answers that nobody reads, on connections at once, and a deadline for the
//! last requests at shutdown.

mod handover;
mod socket;

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use prometheus_client::metrics::gauge::Gauge;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service as _;

use crate::address::Peer;
use crate::config::Limits;
pub use handover::{HandOver, Taken};
pub use socket::BodyStalled;
use socket::{Phase, Reply, Socket, Upload};

/// Bytes of a request's head: request line and headers. More is answered 431. The number of headers is hyper's
/// limit, 100: setting one, even the same, would put them on the heap.
pub const HEAD_LIMIT: usize = 32 * 1024;

/// Bytes that a connection may buffer of a body or an answer.
const BUFFER_LIMIT: usize = 64 * 1024;

/// How long connections that were cut get to go away: they only have to be scheduled once.
const CUT_GRACE: Duration = Duration::from_secs(1);

/// How long accepting rests when the system refuses more connections (no descriptors, no memory).
const ACCEPT_REST: Duration = Duration::from_millis(100);

/// What a server did in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServeReport {
    /// Connections accepted.
    pub connections: u64,
    /// Connections that were still busy when [`Limits::shutdown_grace`] was over.
    pub cut: usize,
}

/// Serves the router until `shutdown` is cancelled: then accepts nothing more, closes idle connections, lets requests
/// in progress finish within [`Limits::shutdown_grace`], cuts the rest, and comes back.
///
/// Streams that never end must end by themselves on the same token. `open` counts the connections that are open.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: &Limits,
    open: &Gauge,
    shutdown: CancellationToken,
) -> ServeReport {
    let slots = Arc::new(Semaphore::new(limits.max_connections));
    let tasks = TaskTracker::new();
    let common = Arc::new(Common {
        router,
        limits: limits.clone(),
        shutdown,
        cut: CancellationToken::new(),
    });
    let mut connections = 0;
    loop {
        // A slot before the connection: when all are taken, the others wait in the system's queue.
        let slot = tokio::select! {
            biased;
            () = common.shutdown.cancelled() => break,
            slot = Arc::clone(&slots).acquire_owned() => slot.expect("this semaphore is never closed"),
        };
        let accepted = tokio::select! {
            biased;
            () = common.shutdown.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                connections += 1;
                let counted = Counted::new(open);
                let (common, taken) = (Arc::clone(&common), tasks.clone());
                tasks.spawn(async move {
                    let handed = connection(stream, peer, &common).await;
                    // What is left of HTTP ends here: the stream has a small task of its own, and its own limit.
                    drop(slot);
                    if let Some(stream) = handed {
                        taken.spawn(async move {
                            stream.await;
                            drop(counted);
                        });
                    }
                });
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::error!(%error, "connections cannot be accepted");
                tokio::time::sleep(ACCEPT_REST).await;
            }
        }
    }
    drop(listener);
    tasks.close();
    let mut cut = 0;
    if tokio::time::timeout(limits.shutdown_grace, tasks.wait()).await.is_err() {
        cut = tasks.len();
        tracing::warn!(
            connections = cut,
            "the time to finish is over; requests in progress are cut"
        );
        common.cut.cancel();
        // A handler that blocks its thread cannot be cut; it is not waited for either.
        let _gone = tokio::time::timeout(CUT_GRACE, tasks.wait()).await;
    }
    ServeReport { connections, cut }
}

/// What every connection shares.
struct Common {
    router: Router,
    limits: Limits,
    shutdown: CancellationToken,
    cut: CancellationToken,
}

/// Counts a connection for as long as it lives, a panic included.
struct Counted(Gauge);

impl Counted {
    fn new(open: &Gauge) -> Self {
        open.inc();
        Self(open.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// Errors of `accept` that say something of the connection that was to come, not of the listener.
fn is_of_one_connection(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// One connection from its first byte to its last, or until an answer takes it over.
async fn connection(stream: TcpStream, peer: SocketAddr, common: &Common) -> Option<Taken> {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection was gone before it began");
        return None;
    }
    let phase = Arc::new(Phase::new());
    let io = TokioIo::new(Socket::new(stream, &common.limits, Arc::clone(&phase)));
    let service = {
        let phase = Arc::clone(&phase);
        hyper::service::service_fn(move |request: http::Request<Incoming>| {
            phase.busy();
            let phase = Arc::clone(&phase);
            let limit = common.limits.body_read_timeout;
            let mut request = request.map(|body| Upload::new(body, limit, Arc::clone(&phase)));
            request.extensions_mut().insert(Peer(peer));
            // A router is always ready and cannot fail.
            let answer = common.router.clone().call(request);
            async move {
                answer.await.map(|mut response| {
                    if let Some(taker) = response.extensions_mut().remove::<HandOver>() {
                        phase.hand_over(taker);
                        return response.map(|_| Reply::handing(phase));
                    }
                    response.map(|body| Reply::new(body, phase))
                })
            }
        })
    };
    let mut connection = http1::Builder::new()
        .header_read_timeout(None)
        .max_header_size(HEAD_LIMIT)
        .max_buf_size(BUFFER_LIMIT)
        .serve_connection(io, service);
    let mut cut = pin!(common.cut.cancelled());
    let mut told = false;
    let ended = loop {
        // Until it ends, or its head is written and the rest is somebody else's.
        let driven = poll_fn(|cx| match Pin::new(&mut connection).poll(cx) {
            Poll::Ready(ended) => Poll::Ready(Some(ended)),
            Poll::Pending if phase.is_handed() => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        });
        tokio::select! {
            biased;
            driven = driven => break driven,
            () = common.shutdown.cancelled(), if !told => {}
            () = &mut cut, if told => return None,
        }
        told = true;
        Pin::new(&mut connection).graceful_shutdown();
    };
    let socket = connection.into_parts().io.into_inner();
    let Some(ended) = ended else {
        return Some(phase.take_over(socket.into_stream()));
    };
    if let Err(error) = ended {
        // Clients that hang up, scanners, timeouts: of interest to nobody who does not look for it.
        tracing::debug!(%error, "a connection ended early");
    }
    tokio::select! {
        biased;
        () = &mut cut => {}
        () = socket.farewell() => {}
    }
    None
}
