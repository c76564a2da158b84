//! Keeps the write-ahead log short. A thread of its own moves the log into the file, beside the writer and the readers;
//! what was written meanwhile the writer moves itself, which is little, so that the log can start again at its beginning.
//! The thread alone would never reach the end of a log that grows all the time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use rusqlite::{Connection, Result};

use crate::threads::Threads;

/// Pages of log after which it is moved into the file: 4 MB.
const PAGES: i32 = 1_024;
/// The log file is cut to this when it starts again after a long reader has let it grow.
pub(super) const KEPT_BYTES: i64 = 16 << 20;
/// How long the writer waits for readers of the old log.
const WAIT: Duration = Duration::from_millis(5);

/// The writer's side.
pub(super) struct Log {
    /// Pages in the log at the last commit.
    pages: Arc<AtomicI32>,
    /// Pages at which it is looked after next.
    next: i32,
    wake: SyncSender<()>,
    moved: Arc<AtomicBool>,
    /// The writer's own patience with other processes.
    busy: Duration,
}

impl Log {
    /// Watches the writer's connection and starts the thread, which ends when this is dropped.
    pub(super) fn start(
        threads: &mut Threads,
        writer: &mut Connection,
        conn: Connection,
        busy: Duration,
    ) -> crate::Result<Self> {
        let pages = Arc::new(AtomicI32::new(0));
        let seen = Arc::clone(&pages);
        writer.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages| {
            seen.store(pages, Ordering::Relaxed);
            Ok(())
        }))?;
        let (wake, woken) = sync_channel(1);
        let moved = Arc::new(AtomicBool::new(false));
        let done = Arc::clone(&moved);
        threads.start("campanile-log", move || run(&conn, &woken, &done))?;
        Ok(Self {
            pages,
            next: PAGES,
            wake,
            moved,
            busy,
        })
    }

    /// Called by the writer between two groups.
    pub(super) fn tend(&mut self, writer: &Connection) {
        let pages = self.pages.load(Ordering::Relaxed);
        if pages < PAGES {
            self.next = PAGES;
        } else if self.moved.swap(false, Ordering::Acquire) {
            // Where a long read still needs the old log this does nothing, and is tried again later.
            let restarted = writer
                .busy_timeout(WAIT)
                .and_then(|()| checkpoint(writer, "PRAGMA wal_checkpoint(RESTART)"))
                .and_then(|()| writer.busy_timeout(self.busy));
            report(restarted);
        } else if pages >= self.next {
            self.next = pages + PAGES;
            // A full channel means that it is awake.
            let _ = self.wake.try_send(());
        }
    }
}

fn run(conn: &Connection, woken: &Receiver<()>, moved: &AtomicBool) {
    while woken.recv().is_ok() {
        report(checkpoint(conn, "PRAGMA wal_checkpoint(PASSIVE)"));
        moved.store(true, Ordering::Release);
    }
}

fn checkpoint(conn: &Connection, text: &str) -> Result<()> {
    conn.query_row(text, [], |_| Ok(()))
}

fn report(result: Result<()>) {
    if let Err(error) = result {
        tracing::warn!(%error, "the log could not be moved into the database file");
    }
}
