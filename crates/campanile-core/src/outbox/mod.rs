//! What leaves the house by email, HTTP POST and Web Push: the queue in the database, where it may go, what of it is
//! secret. No network here.
//!
//! - [`run`]: one message on its way by one channel; [`list`]: who of its audience gets a mail; [`chunk`]: up to a
//!   thousand of them, as bitmaps; [`delivery`]: a recipient with an own row, an exception or a POST.
//! - [`look`]: what the sender sees of it; [`suppression`]: addresses that get no mail.
//! - [`destination`]: where a message is posted to; [`endpoint`]: destinations that are saved, with their health.
//! - [`bounce`]: what comes in about a mail that was sent; [`wish`]: whether a person wants mail at all;
//!   [`token`]: names and addresses of mails that only we can make.
//! - [`request`]: a POST as it would be made, for who looks before SEND.
//! - [`backlog`]: how much waits, for who watches over a server.
//! - [`device`]: browsers that want to be told while no page is open; [`push`]: what is on its way to them; [`vapid`]:
//!   by what their push services know us.
//! - [`post`], [`target`], [`seal`], [`signing`]: a POST as it is checked, sealed and signed.
//!
//! Nothing is lost: a recipient is in exactly one place, and each transaction moves some of them whole. Workers hold
//! leases; whoever lost one (its `fence` has grown) can write nothing back.

pub mod backlog;
pub mod bounce;
pub mod chunk;
pub mod delivery;
pub mod destination;
pub mod device;
pub mod endpoint;
mod lane;
pub mod lease;
pub mod list;
pub mod look;
pub mod post;
pub mod push;
pub mod reader;
pub mod request;
pub mod run;
pub mod seal;
mod settled;
pub mod signing;
pub mod suppression;
pub mod target;
pub mod token;
pub mod vapid;
pub mod wish;

/// How long a worker has a row before others take it for lost, in milliseconds; it is renewed long before.
pub const LEASE_MS: i64 = 30_000;

/// One run of a server: what it leases carries this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Worker(pub i64);
