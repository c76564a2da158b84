//! The way to the relay: own SMTP client (RFC 5321), many mails at once, each with an outcome of its own.
//!
//! - `relay`: where it is, from its URL, and the time each step may take.
//! - `connect`, `trust`, `stream`: a connection: TCP, TLS, `EHLO`, `AUTH`, bytes and replies.
//! - `talk`: one mail after the other over it; `pool`: who takes which mail, and how many connections there are.
//! - `pace`, `judge`, `reply`, `wire`: the decisions and the formats, pure.
//!
//! What makes it fast: no Nagle; a mail and its final dot in one write; `MAIL`, `RCPT` and `DATA` in one write where
//! the relay knows PIPELINING, and those of the next mail in the same write as the dot of this one. Replies are read
//! strictly in order, and each belongs to one mail.

mod connect;
mod judge;
mod pace;
mod pool;
mod relay;
mod reply;
mod stream;
mod talk;
mod trust;
mod wire;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use campanile_core::time::Moment;

pub(in crate::deliver) use judge::is_bad_address;
pub use pace::next_try;
pub use pool::{Options, Pool};
pub use relay::{Login, Relay, Times, Tls};
pub use trust::verifying;

/// Connects to a relay as for a mail, with TLS and log-in where they are wanted, and says goodbye: no mail is sent.
///
/// # Errors
/// What went wrong, for people.
pub async fn try_out(options: &Options) -> Result<(), String> {
    let way = connect::Way {
        relay: options.relay.clone(),
        times: options.times.clone(),
        hello: options.hello.clone(),
        tls: Arc::clone(&options.tls),
    };
    let connection = connect::connect(&way).await.map_err(|trouble| trouble.reason)?;
    connection.quit().await;
    Ok(())
}

/// One mail to one address.
#[derive(Debug, Clone)]
pub struct Mail {
    /// The return path: an address whose domain is ASCII, or nothing.
    pub from: String,
    /// The recipient: an address whose domain is ASCII.
    pub to: String,
    /// The mail as RFC 5322 has it. Its line breaks are made CRLF and its dots doubled on the way.
    pub content: Vec<u8>,
    /// Which connections it may take.
    pub lane: Lane,
    /// Set right before the final dot is written: from then on until there is an outcome, whether it was sent is in
    /// doubt. The caller keeps a clone, and can look at it at any time.
    pub dot: Arc<AtomicBool>,
}

/// The lanes of the outbox, the more urgent first. An urgent mail never waits behind the dot of another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// Critical messages.
    Critical,
    /// Everything else.
    Normal,
    /// More than a thousand recipients.
    Bulk,
}

/// What became of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The relay has it.
    Done {
        /// The code of its reply.
        code: u16,
        /// Its reply in one line, at most 400 characters.
        said: String,
        /// The relay's name for it, where it says one.
        queue_id: Option<String>,
    },
    /// This recipient again later.
    Retry {
        /// The code of the refusal; `None` where there was no reply.
        code: Option<u16>,
        /// Why, for people.
        reason: String,
        /// The final dot was written and no reply came: the relay may have it all the same.
        doubtful: bool,
    },
    /// Never.
    Dead {
        /// The code of the refusal; `None` where it was not sent at all.
        code: Option<u16>,
        /// Why, for people.
        reason: String,
        /// Whether the address is at fault and should get no more mail.
        suppress: bool,
    },
    /// The relay is in trouble, or busy: nobody's attempt is burnt. Certainly not sent.
    Relay {
        /// Why, for people.
        reason: String,
        /// When to try the relay again; what is sent to it before gets the same answer.
        retry_at: Moment,
    },
}

impl Outcome {
    /// Whether the relay has spoken about this mail, so that it can be asked about others.
    #[must_use]
    pub const fn is_answer(&self) -> bool {
        match self {
            Self::Done { .. } => true,
            Self::Retry { code, .. } | Self::Dead { code, .. } => code.is_some(),
            Self::Relay { .. } => false,
        }
    }
}
