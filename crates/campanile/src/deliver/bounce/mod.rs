//! What comes in by mail: mail that came back (DSN, RFC 3464), complaints (ARF, RFC 5965), and mail that unsubscribes
//! (RFC 2369). A small SMTP or LMTP server (RFC 5321, RFC 2033) that takes mail for our own addresses alone.
//!
//! - `listen`: where, by the setting, and the accept loop; `session`: one connection; `wire`: lines and contents, pure.
//! - `door`: which addresses are ours, and what is done with what comes to them; `report`: what a mail says, pure.
//!
//! An address with a code of ours in it is the proof, so forged ones are refused at `RCPT`. A mail is accepted when
//! what it says is committed, and not before. Nothing of it is kept or passed on.

mod door;
mod listen;
mod report;
mod session;
mod wire;

pub use listen::{Limits, Listen, Protocol, listen};
