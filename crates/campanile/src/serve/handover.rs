//! An answer whose body is not HTTP's to write: once its head is out, the bare stream goes to whoever made the answer.
//!
//! Hyper keeps two buffers of 8 KiB and more for every connection that it writes to. A stream that says something once
//! an hour needs none, and a server has tens of thousands of them.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use tokio::net::TcpStream;

/// What is done with a stream that was handed over, until it is closed.
pub type Taken = Pin<Box<dyn Future<Output = ()> + Send>>;

/// In the extensions of a response: takes the connection over. The body must be written in chunks (RFC 9112, section
/// 7.1), since the head says so, and the connection closed after the last; the head should say `Connection: close`.
#[derive(Clone)]
pub struct HandOver(Arc<dyn Fn(TcpStream) -> Taken + Send + Sync>);

impl HandOver {
    /// To a function, which is called once.
    pub fn to<F: Future<Output = ()> + Send + 'static>(take: impl Fn(TcpStream) -> F + Send + Sync + 'static) -> Self {
        Self(Arc::new(move |stream| Box::pin(take(stream))))
    }

    pub(super) fn take(&self, stream: TcpStream) -> Taken {
        (self.0)(stream)
    }
}

impl fmt::Debug for HandOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HandOver")
    }
}
