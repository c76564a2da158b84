//! What a transaction announces once it has committed: a hint that something moved, never the thing itself.
//!
//! In one process a signal arrives always; from another server it may be lost (a pooler that breaks LISTEN, a cut
//! connection), so a receiver also looks at the revision from time to time.

/// An announcement: what sort of thing changed, and which one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Signal {
    /// The sort of thing; the crate above numbers them.
    pub topic: i64,
    /// Which one, or 0.
    pub key: i64,
}

impl Signal {
    /// As a key in [`Db::changes`](crate::Db::changes): any of the topic.
    pub const ANY: i64 = i64::MIN;
}
