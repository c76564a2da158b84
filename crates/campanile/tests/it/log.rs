//! What the server logs on the thread of a test.
//!
//! One subscriber for the whole process, from the first test that listens on: `tracing` remembers of every place that
//! logs whether anybody wants to hear of it, and where subscribers come and go on some threads while others log for the
//! first time, it may remember wrongly that nobody does.

use std::cell::RefCell;
use std::io::Write;
use std::sync::Once;

thread_local! {
    static HEARD: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

/// Writes what a thread logs to where that thread listens, if it does.
struct Ear;

impl Write for Ear {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        HEARD.with_borrow_mut(|heard| {
            if let Some(heard) = heard {
                heard.extend_from_slice(bytes);
            }
        });
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Listens to what this thread logs, until [`Listening::heard`].
pub(crate) struct Listening(());

pub(crate) fn listen() -> Listening {
    static SUBSCRIBED: Once = Once::new();
    SUBSCRIBED.call_once(|| {
        let subscriber = tracing_subscriber::fmt()
            .json()
            .flatten_event(true)
            .with_max_level(tracing::Level::TRACE)
            .with_writer(|| Ear)
            .finish();
        tracing::subscriber::set_global_default(subscriber).unwrap();
    });
    HEARD.set(Some(Vec::new()));
    Listening(())
}

impl Listening {
    /// All that was heard, a JSON object a line.
    pub(crate) fn heard(self) -> String {
        let Self(()) = self;
        String::from_utf8(HEARD.take().unwrap_or_default()).unwrap()
    }
}
