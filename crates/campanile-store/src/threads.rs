//! Database threads that end with their database: dropping them waits for them.

use std::thread::{Builder, JoinHandle};

use crate::{Error, Result};

/// Threads by name. Whoever holds them also holds what makes them end, and drops that first: as a field declared
/// before this one, or as a variable declared after it.
#[derive(Default)]
pub(crate) struct Threads(Vec<JoinHandle<()>>);

impl Threads {
    pub(crate) fn start(&mut self, name: &str, work: impl FnOnce() + Send + 'static) -> Result<()> {
        let thread = Builder::new()
            .name(name.to_owned())
            .spawn(work)
            .map_err(|error| Error::Unavailable(format!("a database thread cannot be started: {error}")))?;
        self.0.push(thread);
        Ok(())
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        // A closure may own the last handle of its own database; its thread cannot wait for itself.
        let own = std::thread::current().id();
        if self.0.iter().any(|thread| thread.thread().id() == own) {
            return;
        }
        for thread in self.0.drain(..) {
            // One that panicked has nothing more to say here.
            let _ = thread.join();
        }
    }
}
