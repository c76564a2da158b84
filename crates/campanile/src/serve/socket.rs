//! One connection's socket, and the bodies that pass through it, with the limits on time that hyper does not keep.
//!
//! A connection is in one of three phases: waiting for a request, reading a request's head, busy with a request. The
//! socket sees the first byte of a head; the service tells when a request has begun, and the answer's body, when it is
//! dropped, that it has ended.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use hyper::body::{Body as _, Frame, Incoming, SizeHint};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

use super::handover::{HandOver, Taken};
use crate::config::Limits;

/// How long a client that is still sending a body nobody wants gets to read the answer. Closing at once would reset
/// the connection, and the answer would be lost with it.
const LINGER: Duration = Duration::from_secs(5);

/// The answer to half a head, whole: there is no request to answer through the router.
const HALF_A_HEAD: &[u8] = b"HTTP/1.1 408 Request Timeout\r\n\
    content-type: application/problem+json\r\n\
    content-length: 143\r\n\
    x-content-type-options: nosniff\r\n\
    connection: close\r\n\r\n\
    {\"type\":\"/problems/slow-request\",\"title\":\"The request did not arrive in time\",\"status\":408,\
    \"detail\":\"the head of the request was not complete\"}";

const WAITING: u8 = 0;
const HEAD: u8 = 1;
const BUSY: u8 = 2;
/// The head of an answer is being written whose body somebody else will write.
const HANDING: u8 = 3;
/// It is written.
const HANDED: u8 = 4;

/// Where a connection stands; shared by its socket, its service and its bodies.
pub(super) struct Phase {
    state: AtomicU8,
    /// When `state` was entered, in milliseconds since `start`.
    since_ms: AtomicU64,
    /// Whether the last request's body was dropped before its end.
    unread: AtomicBool,
    start: Instant,
    /// Who takes the stream over.
    taker: OnceLock<HandOver>,
}

impl Phase {
    pub(super) fn new() -> Self {
        Self {
            state: AtomicU8::new(WAITING),
            since_ms: AtomicU64::new(0),
            unread: AtomicBool::new(false),
            start: Instant::now(),
            taker: OnceLock::new(),
        }
    }

    /// The answer's body is not HTTP's to write: once the head is out, the stream is `taker`'s.
    pub(super) fn hand_over(&self, taker: HandOver) {
        // A second one cannot be: the connection ends with the first.
        let _first = self.taker.set(taker);
    }

    /// Whether the head of such an answer is written.
    pub(super) fn is_handed(&self) -> bool {
        self.state() == HANDED
    }

    /// Gives the stream away.
    pub(super) fn take_over(&self, stream: TcpStream) -> Taken {
        let taker = self.taker.get().expect("a connection is handed over to somebody");
        taker.take(stream)
    }

    /// A request has begun.
    pub(super) fn busy(&self) {
        self.unread.store(false, Ordering::Relaxed);
        self.state.store(BUSY, Ordering::Release);
    }

    fn enter(&self, state: u8) {
        self.since_ms
            .store(self.start.elapsed().as_millis() as u64, Ordering::Relaxed);
        self.state.store(state, Ordering::Release);
    }

    fn state(&self) -> u8 {
        self.state.load(Ordering::Acquire)
    }

    fn since(&self) -> Instant {
        self.start + Duration::from_millis(self.since_ms.load(Ordering::Relaxed))
    }
}

/// A TCP stream that ends when its peer is idle, slow in sending a head or slow in taking an answer.
pub(super) struct Socket {
    stream: TcpStream,
    phase: Arc<Phase>,
    head: Duration,
    idle: Duration,
    /// Wakes the connection no later than the deadline of its phase. It is seldom moved: a deadline that went further
    /// away is found when it fires, and it is set again.
    alarm: Option<Pin<Box<Sleep>>>,
    /// Runs only while the peer takes nothing.
    stall: Option<Pin<Box<Sleep>>>,
    half_a_head: bool,
}

impl Socket {
    pub(super) fn new(stream: TcpStream, limits: &Limits, phase: Arc<Phase>) -> Self {
        let (head, idle) = (limits.header_read_timeout, limits.idle_timeout);
        Self {
            stream,
            phase,
            head,
            idle,
            alarm: None,
            stall: None,
            half_a_head: false,
        }
    }

    pub(super) fn into_stream(self) -> TcpStream {
        self.stream
    }

    /// After HTTP has ended: tells a client that was too slow, and lets one that still sends read its answer.
    pub(super) async fn farewell(mut self) {
        if self.half_a_head {
            let _told = tokio::time::timeout(LINGER, async {
                self.stream.write_all(HALF_A_HEAD).await?;
                self.stream.shutdown().await
            })
            .await;
        } else if self.phase.unread.load(Ordering::Relaxed) {
            let mut rest = vec![0; 16 * 1024];
            let _read = tokio::time::timeout(LINGER, async {
                while self.stream.read(&mut rest).await.is_ok_and(|read| read > 0) {}
            })
            .await;
        }
    }

    /// When the present phase is over, if it ends by the clock.
    fn deadline(&self) -> Option<Instant> {
        match self.phase.state() {
            WAITING => Some(self.phase.since() + self.idle),
            HEAD => Some(self.phase.since() + self.head),
            _ => None,
        }
    }

    /// Nothing came: is the time of this phase over? Sees to it that the connection wakes when it will be.
    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let now = Instant::now();
            let deadline = self.deadline();
            if deadline.is_some_and(|deadline| deadline <= now) {
                return Poll::Ready(());
            }
            // A busy connection has an alarm too: nobody asks the socket when it falls idle.
            let wake = deadline.unwrap_or(now + self.idle);
            let alarm = self.alarm.get_or_insert_with(|| Box::pin(sleep_until(wake)));
            if alarm.deadline() > wake {
                alarm.as_mut().reset(wake);
            }
            ready!(alarm.as_mut().poll(cx));
            self.alarm = None;
        }
    }

    /// The peer takes nothing: for how long already?
    fn poll_stall(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let idle = self.idle;
        let stall = self.stall.get_or_insert_with(|| Box::pin(tokio::time::sleep(idle)));
        ready!(stall.as_mut().poll(cx));
        Poll::Ready(io::Error::new(
            io::ErrorKind::TimedOut,
            "the client does not read its answer",
        ))
    }

    fn wrote<T>(&mut self, cx: &mut Context<'_>, wrote: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if wrote.is_pending() {
            return self.poll_stall(cx).map(Err);
        }
        if self.stall.take().is_some() && self.phase.state() == WAITING {
            // An answer that is complete for hyper and still on its way: the connection was not idle.
            self.phase.enter(WAITING);
        }
        wrote
    }
}

impl AsyncRead for Socket {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buffer.filled().len();
        if let Poll::Ready(read) = Pin::new(&mut this.stream).poll_read(cx, buffer) {
            if buffer.filled().len() > before && this.phase.state() == WAITING {
                this.phase.enter(HEAD);
            }
            return Poll::Ready(read);
        }
        ready!(this.poll_deadline(cx));
        if this.phase.state() == HEAD {
            // With an answer of an earlier request still on its way, ours would land in the middle of it.
            this.half_a_head = this.stall.is_none();
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "half a request's head")));
        }
        // Idle: as if the client had closed.
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write(cx, data);
        self.wrote(cx, wrote)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write_vectored(cx, data);
        self.wrote(cx, wrote)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// Hyper flushes when all that it has to write is written.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.phase.state() == HANDING {
            self.phase.enter(HANDED);
        }
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// A request's body did not go on in time; [`crate::api::extract`] makes a 408 of it.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the body of the request stopped arriving")]
pub struct BodyStalled;

/// A request's body that fails with [`BodyStalled`] when nothing of it arrives for too long.
pub(super) struct Upload {
    body: Incoming,
    limit: Duration,
    alarm: Option<Pin<Box<Sleep>>>,
    ended: bool,
    phase: Arc<Phase>,
}

impl Upload {
    pub(super) fn new(body: Incoming, limit: Duration, phase: Arc<Phase>) -> Self {
        Self {
            body,
            limit,
            alarm: None,
            ended: false,
            phase,
        }
    }
}

impl hyper::body::Body for Upload {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        let this = &mut *self;
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(cx) {
            this.alarm = None;
            this.ended = frame.is_none();
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let limit = this.limit;
        let alarm = this.alarm.get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
        ready!(alarm.as_mut().poll(cx));
        Poll::Ready(Some(Err(BodyStalled.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if !self.ended && !self.body.is_end_stream() {
            self.phase.unread.store(true, Ordering::Relaxed);
        }
    }
}

/// An answer's body; when it is dropped, the connection waits for the next request.
pub(super) struct Reply {
    /// `None` where somebody else writes it.
    body: Option<Body>,
    phase: Arc<Phase>,
}

impl Reply {
    pub(super) fn new(body: Body, phase: Arc<Phase>) -> Self {
        Self {
            body: Some(body),
            phase,
        }
    }

    /// The body of an answer that hands the stream over.
    pub(super) fn handing(phase: Arc<Phase>) -> Self {
        Self { body: None, phase }
    }
}

impl hyper::body::Body for Reply {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if let Some(body) = &mut self.body {
            return Pin::new(body).poll_frame(cx);
        }
        // Asked for the body, hyper has the head ready: it is out with the next flush. It may ask once more after that.
        if self.phase.state() != HANDED {
            self.phase.enter(HANDING);
        }
        Poll::Pending
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_some_and(hyper::body::Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body
            .as_ref()
            .map_or_else(SizeHint::default, hyper::body::Body::size_hint)
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        // Not to be undone once the stream is somebody else's.
        if self.phase.state() != HANDED {
            self.phase.enter(WAITING);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ready_made_answer_has_the_length_it_says() {
        let text = std::str::from_utf8(HALF_A_HEAD).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(
            head.contains(&format!("content-length: {}\r\n", body.len())),
            "{}",
            body.len()
        );
        let json: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(json["status"], 408);
    }
}
