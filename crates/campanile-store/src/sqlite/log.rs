//! Keeps the write-ahead log short. A thread of its own moves the log into the file, beside the writer and the readers;
//! what was written meanwhile the writer moves itself, which is little, so that the log can start again at its
//! beginning. The thread alone would never reach the end of a log that grows all the time.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use rusqlite::{Connection, Result};

use crate::threads::Threads;

/// Pages of log after which it is moved into the file: 4 MB.
const PAGES: i32 = 1_024;
/// Pages of log from which on the writer waits for the thread: writing faster than the disk takes it has an end.
const TOO_MANY: i32 = 4 * PAGES;
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
    moved: Receiver<()>,
    /// Whether the thread is at work.
    moving: bool,
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
        let (done, moved) = sync_channel(1);
        threads.start("campanile-log", move || run(&conn, &woken, &done))?;
        Ok(Self {
            pages,
            next: PAGES,
            wake,
            moved,
            moving: false,
            busy,
        })
    }

    /// Called by the writer between two groups.
    pub(super) fn tend(&mut self, writer: &Connection) {
        let pages = self.pages.load(Ordering::Relaxed);
        if self.moving {
            let moved = if pages < TOO_MANY {
                self.moved.try_recv().is_ok()
            } else {
                self.moved.recv().is_ok()
            };
            if moved {
                self.moving = false;
                self.next = pages.max(PAGES);
                self.restart(writer);
            }
        } else if pages < PAGES {
            self.next = PAGES;
        } else if pages >= self.next {
            self.next = pages + PAGES;
            self.moving = self.wake.try_send(()).is_ok();
        }
    }

    /// Moves the rest and starts the log again. Where a long read still needs the old log that is for a later time.
    fn restart(&mut self, writer: &Connection) {
        let restarted = writer
            .busy_timeout(WAIT)
            .and_then(|()| checkpoint(writer, "PRAGMA wal_checkpoint(RESTART)"));
        report(restarted.and(writer.busy_timeout(self.busy)));
        self.next += PAGES;
    }
}

fn run(conn: &Connection, woken: &Receiver<()>, done: &SyncSender<()>) {
    while woken.recv().is_ok() {
        report(checkpoint(conn, "PRAGMA wal_checkpoint(PASSIVE)"));
        if done.send(()).is_err() {
            break;
        }
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
