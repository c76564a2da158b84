//! From entries to the database, in operations of a fair length; and the lines that the database refuses.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use campanile_core::directory::{Applied, Edit, Entry, Known};
use campanile_core::id::PersonId;
use campanile_core::journal::By;
use campanile_core::revision::{self, tally};
use campanile_core::schema::INDEXES_MADE_LAST;
use campanile_core::time::Moment;
use campanile_core::{Error, Fault};
use campanile_store::{Constraint, Dialect, Error as StoreError, Tx};
use tokio::sync::Mutex;
use tokio::sync::mpsc::Receiver;

use super::noted::{self, Counts, Noted};
use super::read::{Block, bad_line};
use super::{BLOCK, BadLine, Broken, Manner, Progress, Sum};
use crate::app::App;
use crate::auth::Principal;
use crate::directory;

/// Entries that are looked up together.
const TOGETHER: usize = 64;
/// How long one operation may last beside others.
const BESIDE: Duration = Duration::from_millis(40);
/// How long one may last where nobody else has the database open.
const ALONE: Duration = Duration::from_secs(2);
/// Blocks of one operation at most: they are kept until it has committed.
const BLOCKS: usize = 16;
/// Between two operations another process gets its turn, to write or to open the database.
const PAUSE: Duration = Duration::from_millis(2);
/// An operation that the database refused is tried again in so many parts.
const PARTS: usize = 16;
/// Where there are no more people than this, the big indexes are made last.
const FEW_PEOPLE: i64 = 1_000;

/// What is to be written.
pub(super) struct Queue {
    blocks: Receiver<Block>,
    /// Those that an operation has begun, until it has committed.
    begun: VecDeque<Block>,
    /// Entries of the first of them that are done with.
    done: usize,
    /// Entries that the last operation took up.
    tried: usize,
}

/// What an operation may do.
#[derive(Clone, Copy)]
struct Terms {
    dry_run: bool,
    now: Moment,
    time: Duration,
    blocks: usize,
    entries: usize,
    /// It may set the big indexes aside.
    alone: bool,
    /// Who must still be allowed to.
    by: Option<PersonId>,
    /// What came of the operations before, and their row in the journal.
    so_far: Counts,
    noted: Option<Noted>,
}

/// A place in the queue: whole blocks before it, and entries of the next one.
#[derive(Clone, Copy, Default)]
struct Reached {
    blocks: usize,
    entries: usize,
}

/// What an operation came to.
#[derive(Default)]
struct Done {
    known: Known,
    reached: Reached,
    created: u64,
    changed: u64,
    unchanged: u64,
    bad: Vec<BadLine>,
    noted: Option<Noted>,
}

/// Entries of an operation that was refused: so many are still to be written, at most so many at once.
struct Care {
    left: usize,
    step: usize,
}

impl Queue {
    pub(super) const fn new(blocks: Receiver<Block>) -> Self {
        Self {
            blocks,
            begun: VecDeque::new(),
            done: 0,
            tried: 0,
        }
    }

    /// Waits for something to write; whether there is.
    async fn wait(&mut self) -> bool {
        if self.begun.is_empty() {
            self.begun.extend(self.blocks.recv().await);
        }
        !self.begun.is_empty()
    }

    /// The next entry that is to be written.
    fn next(&self) -> Option<(Reached, u64)> {
        let mut at = Reached {
            blocks: 0,
            entries: self.done,
        };
        loop {
            let block = self.begun.get(at.blocks)?;
            if let Some(line) = block.numbers.get(at.entries) {
                return Some((at, *line));
            }
            (at.blocks, at.entries) = (at.blocks + 1, 0);
        }
    }

    /// Moves on to a place. Adds to the sum: the lines of whole blocks, and in their order the bad lines up to there.
    fn advance(&mut self, to: Reached, mut bad: Vec<BadLine>, sum: &mut Sum) -> Option<Progress> {
        let mut progress = None;
        for block in self.begun.drain(..to.blocks) {
            bad.extend(block.bad);
            sum.report.lines += block.lines;
            progress = Some(Progress {
                lines: block.last_line,
                bytes: block.end,
            });
        }
        self.done = to.entries;
        if let (Some(block), Some(last)) = (self.begun.front_mut(), to.entries.checked_sub(1)) {
            let line = block.numbers[last];
            let upto = block.bad.partition_point(|bad| bad.line < line);
            bad.extend(block.bad.drain(..upto));
        }
        bad.sort_by_key(|bad| bad.line);
        for line in bad {
            sum.refuse(line);
        }
        progress
    }
}

/// Writes blocks until no more come. What was taken before it broke stays.
pub(super) async fn write(
    app: &App,
    by: Option<&Principal>,
    queue: Queue,
    dry_run: bool,
    manner: Manner,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Sum, Broken> {
    let mut sum = Sum::new(dry_run);
    let queue = Arc::new(Mutex::new(queue));
    let (mut known, mut cares, mut noted) = (Known::default(), Vec::<Care>::new(), None);
    let who = Arc::new(by.map_or_else(By::shell, Principal::by));
    while queue.lock().await.wait().await {
        let is_quick = manner == Manner::Quick && !dry_run;
        let alone = is_quick.then(|| app.db.alone()).flatten();
        let (time, blocks) = if alone.is_some() { (ALONE, BLOCKS) } else { (BESIDE, 1) };
        let terms = Terms {
            dry_run,
            now: app.clock.now(),
            time,
            blocks,
            entries: cares.last().map_or(usize::MAX, |care| care.step.min(care.left)),
            alone: alone.is_some(),
            by: by.map(|by| by.person),
            so_far: Counts::of(&sum.report),
            noted,
        };
        let result = operation(app, &queue, known, terms, &who).await;
        let mut queue = queue.lock().await;
        let moved = match result {
            Ok(done) => {
                (known, noted) = (done.known, done.noted);
                sum.report.created += done.created;
                sum.report.changed += done.changed;
                sum.report.unchanged += done.unchanged;
                relax(&mut cares, queue.tried);
                queue.advance(done.reached, done.bad, &mut sum)
            }
            Err(error) => {
                known = Known::default();
                refused(&mut queue, error, &mut cares, &mut sum)?
            }
        };
        if let Some(moved) = moved {
            progress(moved);
        }
        drop(alone);
        if !dry_run && app.db.dialect() == Dialect::Sqlite {
            tokio::time::sleep(PAUSE).await;
        }
    }
    if let Some(noted) = noted {
        let report = sum.report.clone();
        app.db.jot(move |tx| noted::finish(tx, noted, &report)).await?;
    }
    Ok(sum)
}

/// Makes the indexes again that were set aside, each in a transaction of its own.
pub(super) async fn finish(app: &App) -> Result<(), Broken> {
    while app.db.write(|tx| tx.put_back().map_err(Error::from)).await? {}
    Ok(())
}

/// One operation, kept as a whole or not at all.
async fn operation(
    app: &App,
    queue: &Arc<Mutex<Queue>>,
    known: Known,
    terms: Terms,
    by: &Arc<By>,
) -> Result<Done, Error> {
    let (queue, by) = (Arc::clone(queue), Arc::clone(by));
    let work = move |tx: &mut Tx<'_>| {
        let mut queue = queue.try_lock().expect("nobody else has it during an operation");
        queue.tried = 0;
        if let (Some(by), false) = (terms.by, terms.dry_run) {
            directory::begin(tx, by)?;
        }
        prepare(tx, &queue, terms)?;
        if terms.dry_run {
            return apply(tx, &mut queue, known, terms);
        }
        let before = revision::taken(tx)?.revision;
        let mut done = apply(tx, &mut queue, known, terms)?;
        done.noted = noted::keep(tx, &by, terms.noted, terms.so_far.and(done.counts()), before)?;
        Ok(done)
    };
    if terms.dry_run {
        app.db.scan(work).await
    } else {
        app.db.write(work).await
    }
}

/// Before much is written to a database with few people, sets the big indexes aside; before something is ended that
/// others depend on, makes them again.
fn prepare(tx: &mut Tx<'_>, queue: &Queue, terms: Terms) -> Result<(), Error> {
    let Some(first) = queue.begun.front() else {
        return Ok(());
    };
    if terms.dry_run {
        return Ok(());
    }
    if ends_others(first) {
        while tx.put_back()? {}
    } else if terms.alone && first.end >= BLOCK as u64 && tx.tally()?.get(tally::PERSON) <= FEW_PEOPLE {
        tx.set_aside(INDEXES_MADE_LAST)?;
    }
    Ok(())
}

fn ends_others(block: &Block) -> bool {
    block.entries.iter().any(Entry::ends_others)
}

fn apply(tx: &mut Tx<'_>, queue: &mut Queue, known: Known, terms: Terms) -> Result<Done, Error> {
    let started = Instant::now();
    let mut edit = if terms.dry_run {
        Edit::rehearse(tx, known, terms.now)
    } else {
        Edit::begin(tx, known, terms.now)?
    };
    let mut out = Done::default();
    let mut at = Reached {
        blocks: 0,
        entries: queue.done,
    };
    while at.blocks < terms.blocks {
        if at.blocks == queue.begun.len() {
            let Ok(block) = queue.blocks.try_recv() else { break };
            queue.begun.push_back(block);
        }
        let block = &queue.begun[at.blocks];
        if at.blocks > 0 && ends_others(block) {
            break;
        }
        while at.entries < block.entries.len() && queue.tried < terms.entries && started.elapsed() < terms.time {
            let most = TOGETHER.min(terms.entries - queue.tried);
            let end = block.entries.len().min(at.entries + most);
            queue.tried += end - at.entries;
            let mut lines = block.numbers[at.entries..end].iter();
            edit.apply_block(&block.entries[at.entries..end], |applied| {
                out.take(lines.next().copied().unwrap_or_default(), applied)
            })?;
            at.entries = end;
        }
        if at.entries < block.entries.len() {
            break;
        }
        at = Reached {
            blocks: at.blocks + 1,
            entries: 0,
        };
    }
    out.known = edit.finish();
    out.reached = at;
    Ok(out)
}

impl Done {
    const fn counts(&self) -> Counts {
        Counts {
            created: self.created,
            changed: self.changed,
            unchanged: self.unchanged,
        }
    }

    /// Counts what became of a line; what is no fault of the line ends the operation.
    fn take(&mut self, line: u64, applied: Result<Applied, Error>) -> Result<(), Error> {
        match applied {
            Ok(Applied::Created) => self.created += 1,
            Ok(Applied::Changed) => self.changed += 1,
            Ok(Applied::Unchanged) => self.unchanged += 1,
            Err(Error::Invalid(faults)) => self.bad.extend(faults.into_iter().map(|fault| bad_line(line, fault))),
            Err(other) => return Err(other),
        }
        Ok(())
    }
}

/// After an operation that a constraint of the database refused, and that is undone: its entries are tried again, fewer
/// at once, until the one that is refused alone is left. That one is a bad line.
fn refused(queue: &mut Queue, error: Error, cares: &mut Vec<Care>, sum: &mut Sum) -> Result<Option<Progress>, Broken> {
    let Error::Store(StoreError::Constraint { kind, detail }) = &error else {
        return Err(error.into());
    };
    if queue.tried > 1 {
        cares.push(Care {
            left: queue.tried,
            step: (queue.tried / PARTS).max(1),
        });
        return Ok(None);
    }
    let Some((at, line)) = queue.next().filter(|_| queue.tried == 1) else {
        return Err(error.into());
    };
    tracing::warn!(line, detail, "the database refused a line of a directory file");
    relax(cares, 1);
    let reason = match kind {
        Constraint::Unique => "the database refuses it: something else has what can be had once only",
        Constraint::Reference => "the database refuses it: what it refers to is not there",
        Constraint::Check => "the database refuses it: it holds a value that cannot be stored",
    };
    let after = Reached {
        entries: at.entries + 1,
        ..at
    };
    let fault = Fault {
        field: String::new(),
        reason: reason.to_owned(),
    };
    Ok(queue.advance(after, vec![bad_line(line, fault)], sum))
}

/// So many entries are done with.
fn relax(cares: &mut Vec<Care>, entries: usize) {
    for care in &mut *cares {
        care.left = care.left.saturating_sub(entries);
    }
    while cares.last().is_some_and(|care| care.left == 0) {
        cares.pop();
    }
}
