//! One stream: the events that wait for it, and the task that writes them. A few hundred bytes while nothing happens.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncWriteExt as _, Interest};
use tokio::net::TcpStream;
use tokio::sync::Notify;

use super::Place;

/// Bytes that may wait for a client that reads slowly. Beyond them it is cut off: it comes back, and is told what it
/// missed.
const WAITING: usize = 64 << 10;
/// A client that takes nothing for so long is cut off.
const STALLED: Duration = Duration::from_secs(20);

/// Events that wait for a stream.
#[derive(Debug, Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    moved: Notify,
}

#[derive(Debug, Default)]
struct State {
    frames: VecDeque<Bytes>,
    bytes: usize,
    end: End,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum End {
    #[default]
    Open,
    /// After what waits.
    Last,
    /// At once.
    Now,
}

impl Queue {
    /// Puts an event behind those that wait, and has them written.
    pub(super) fn push(&self, frame: &Bytes) {
        self.put(frame);
        self.wake();
    }

    /// Puts an event behind those that wait; another one is about to come, and both leave in one write.
    pub(super) fn put(&self, frame: &Bytes) {
        self.change(|state| {
            state.bytes += frame.len();
            state.frames.push_back(frame.clone());
            if state.bytes > WAITING {
                state.end = End::Now;
            }
        });
    }

    /// Has written what waits.
    pub(super) fn wake(&self) {
        self.moved.notify_one();
    }

    /// Ends the stream after one more event.
    pub(super) fn finish(&self, last: &Bytes) {
        self.put(last);
        self.change(|state| state.end = End::Last);
        self.wake();
    }

    /// Ends the stream at once.
    pub(super) fn cut(&self) {
        self.change(|state| state.end = End::Now);
        self.wake();
    }

    /// Whether it has ended, or will with what waits.
    pub(super) fn is_over(&self) -> bool {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).end != End::Open
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.end == End::Open {
            change(&mut state);
            if state.end == End::Now {
                state.frames = VecDeque::new();
            }
        }
    }

    /// What waits, and whether the stream ends with it.
    fn take(&self) -> (VecDeque<Bytes>, bool) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.bytes = 0;
        (std::mem::take(&mut state.frames), state.end != End::Open)
    }
}

/// Writes what waits until the queue ends or the client goes away.
pub(super) async fn pump(mut stream: TcpStream, queue: Arc<Queue>, place: Arc<Place>) {
    loop {
        let (frames, ends) = queue.take();
        if let Some(bytes) = joined(frames)
            && !write(&mut stream, &bytes).await
        {
            queue.cut();
            return;
        }
        if ends {
            let _closed = stream.shutdown().await;
            break;
        }
        tokio::select! {
            () = queue.moved.notified() => {}
            () = gone(&stream) => {
                queue.cut();
                break;
            }
        }
    }
    drop(place);
}

/// All that waits as one piece: a message and the number that it makes often come together, and a write costs more than
/// a copy of so little.
fn joined(mut frames: VecDeque<Bytes>) -> Option<Bytes> {
    if frames.len() < 2 {
        return frames.pop_front();
    }
    let length = frames.iter().map(Bytes::len).sum();
    let mut all = Vec::with_capacity(length);
    for frame in &frames {
        all.extend_from_slice(frame);
    }
    Some(all.into())
}

/// Whether a piece could be written. Most fit into what the system holds, and need no alarm.
async fn write(stream: &mut TcpStream, frame: &Bytes) -> bool {
    let written = match stream.try_write(frame) {
        Ok(written) => written,
        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => 0,
        Err(_) => return false,
    };
    if written == frame.len() {
        return true;
    }
    // On the heap: nearly no stream ever comes here.
    let rest = Box::pin(tokio::time::timeout(STALLED, stream.write_all(&frame[written..])));
    matches!(rest.await, Ok(Ok(())))
}

/// Waits until the client closes. It has nothing more to say; what it says nevertheless is thrown away.
async fn gone(stream: &TcpStream) {
    loop {
        let mut nothing = [0; 64];
        if stream.ready(Interest::READABLE).await.is_err() {
            return;
        }
        match stream.try_read(&mut nothing) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_does_not_read_is_cut_off() {
        let queue = Queue::default();
        let frame = Bytes::from(vec![b'x'; WAITING / 2]);
        queue.push(&frame);
        queue.push(&frame);
        assert!(!queue.is_over());
        queue.push(&Bytes::from_static(b"y"));
        assert!(queue.is_over());
        assert_eq!(queue.take(), (VecDeque::new(), true), "and what waited is given up");
    }

    #[test]
    fn nothing_comes_after_the_last() {
        let queue = Queue::default();
        queue.finish(&Bytes::from_static(b"last"));
        queue.push(&Bytes::from_static(b"more"));
        let (frames, ends) = queue.take();
        assert_eq!(
            (frames.into_iter().collect::<Vec<_>>(), ends),
            (vec![Bytes::from_static(b"last")], true)
        );
    }
}
