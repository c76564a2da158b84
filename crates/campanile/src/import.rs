//! Taking in a directory file: NDJSON, one object a line, of any length.
//!
//! Lines are read and parsed while the ones before them are written. They are written some thousand at a time, in
//! operations of at most 40 ms, so that a server that runs beside goes on; each line takes a revision of its own. Good
//! lines are kept, bad ones reported with line, field and reason. Memory does not grow with the file.

pub(crate) mod upload;

use std::time::{Duration, Instant};

use bytes::Bytes;
use campanile_core::directory::{Applied, Edit, Entry, Known, prepare, stored};
use campanile_core::time::Moment;
use campanile_core::{Error, Fault};
use futures_util::{Stream, StreamExt as _};
use serde::Serialize;

use crate::app::App;
use crate::misread;

/// Bytes of a line at most.
const LINE_LIMIT: usize = 1 << 20;
/// Bytes that are parsed together.
const BLOCK: usize = 512 * 1024;
/// Entries that are looked up together.
const TOGETHER: usize = 64;
/// How long one operation may last.
const OPERATION: Duration = Duration::from_millis(40);
/// Bad lines that are reported; all are counted.
const REPORTED: usize = 1_000;

/// What became of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = ImportReport)]
pub struct Report {
    /// Whether every line was good.
    pub ok: bool,
    /// Nothing was written; this is what would have become of it.
    pub dry_run: bool,
    /// Lines that hold anything.
    pub lines: u64,
    /// What is there now and was not before.
    pub created: u64,
    /// What is different now, or has ended.
    pub changed: u64,
    /// What was so already.
    pub unchanged: u64,
    /// Lines that were not taken.
    pub bad: u64,
    /// The first thousand of them.
    pub errors: Vec<BadLine>,
}

/// A line that was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct BadLine {
    /// Its number, from 1.
    pub line: u64,
    /// The field; empty for the whole line.
    pub field: String,
    /// What is wrong with it.
    pub reason: String,
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Lines done with.
    pub lines: u64,
    /// Bytes done with.
    pub bytes: u64,
}

/// Why a file could not be read to its end.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// It stopped arriving.
    #[error("the file could not be read: {0}")]
    Source(Box<dyn std::error::Error + Send + Sync>),
    /// The rules, and below them the database.
    #[error(transparent)]
    Rule(#[from] Error),
    /// A thread of ours panicked.
    #[error("{0}")]
    Defect(String),
}

/// Takes in a file. What was taken before it broke stays.
///
/// # Errors
/// [`Broken`], where the file could not be read to its end or the database failed; bad lines are no error but in the
/// report.
pub async fn run<S, E>(
    app: &App,
    source: S,
    dry_run: bool,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Report, Broken>
where
    S: Stream<Item = Result<Bytes, E>> + Send,
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut blocks = Blocks {
        source: Box::pin(source),
        rest: Vec::new(),
        line: 1,
        bytes: 0,
        ended: false,
    };
    let mut report = Report {
        dry_run,
        ..Report::default()
    };
    let mut known = Known::default();
    let mut next = parse(blocks.next().await?).await?;
    while let Some(block) = next {
        let ahead = async {
            let raw = blocks.next().await?;
            parse(raw).await
        };
        let work = async { write(app, block, known, dry_run, &mut report).await };
        let (parsed, written) = tokio::join!(ahead, work);
        let (done, back) = written?;
        known = back;
        progress(done);
        next = parsed?;
    }
    report.ok = report.bad == 0;
    Ok(report)
}

/// A file made of lines that are in this process already.
pub fn lines(
    lines: impl Iterator<Item = String> + Send,
) -> impl Stream<Item = Result<Bytes, std::convert::Infallible>> {
    let mut lines = lines;
    futures_util::stream::iter(std::iter::from_fn(move || {
        let mut block = String::new();
        while block.len() < BLOCK {
            let Some(line) = lines.next() else { break };
            block.push_str(&line);
            block.push('\n');
        }
        (!block.is_empty()).then(|| Ok(Bytes::from(block)))
    }))
}

/// Some whole lines, as they came.
struct Raw {
    text: Vec<u8>,
    first_line: u64,
    end: u64,
}

/// Some lines, parsed.
struct Block {
    entries: Vec<Entry>,
    /// The number of each entry's line.
    numbers: Vec<u64>,
    bad: Vec<BadLine>,
    lines: u64,
    last_line: u64,
    end: u64,
}

/// Cuts a stream of bytes into blocks of whole lines.
struct Blocks<S> {
    source: std::pin::Pin<Box<S>>,
    rest: Vec<u8>,
    line: u64,
    bytes: u64,
    ended: bool,
}

impl<S, E> Blocks<S>
where
    S: Stream<Item = Result<Bytes, E>>,
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    async fn next(&mut self) -> Result<Option<Raw>, Broken> {
        while !self.ended && (self.rest.len() < BLOCK || !self.rest.contains(&b'\n')) {
            if self.rest.len() > LINE_LIMIT && !self.rest.contains(&b'\n') {
                let reason = format!("line {} is longer than {LINE_LIMIT} bytes", self.line);
                return Err(Error::field("", reason).into());
            }
            match self.source.next().await {
                Some(Ok(bytes)) => self.rest.extend_from_slice(&bytes),
                Some(Err(error)) => return Err(Broken::Source(error.into())),
                None => self.ended = true,
            }
        }
        let cut = if self.ended {
            self.rest.len()
        } else {
            self.rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1)
        };
        if cut == 0 {
            return Ok(None);
        }
        let rest = self.rest.split_off(cut);
        let text = std::mem::replace(&mut self.rest, rest);
        let first_line = self.line;
        self.line += text.split(|byte| *byte == b'\n').count() as u64 - 1;
        self.bytes += text.len() as u64;
        Ok(Some(Raw {
            text,
            first_line,
            end: self.bytes,
        }))
    }
}

/// Parses on a thread for such work.
async fn parse(raw: Option<Raw>) -> Result<Option<Block>, Broken> {
    let Some(raw) = raw else { return Ok(None) };
    let work = tokio::task::spawn_blocking(move || parse_here(&raw));
    work.await.map(Some).map_err(|error| Broken::Defect(error.to_string()))
}

fn parse_here(raw: &Raw) -> Block {
    let mut block = Block {
        entries: Vec::new(),
        numbers: Vec::new(),
        bad: Vec::new(),
        lines: 0,
        last_line: raw.first_line,
        end: raw.end,
    };
    for (number, line) in (raw.first_line..).zip(raw.text.split(|byte| *byte == b'\n')) {
        let line = line.trim_ascii();
        if line.is_empty() {
            continue;
        }
        block.lines += 1;
        block.last_line = number;
        match misread::json::<Entry>(line) {
            Ok(entry) => {
                block.entries.push(entry);
                block.numbers.push(number);
            }
            Err(wrong) => block.bad.push(BadLine {
                line: number,
                reason: wrong.with_column(),
                field: wrong.field,
            }),
        }
    }
    block
}

/// Writes a block, in as many operations as its time asks for.
async fn write(
    app: &App,
    mut block: Block,
    mut known: Known,
    dry_run: bool,
    report: &mut Report,
) -> Result<(Progress, Known), Broken> {
    hash_passwords(app, &mut block, report).await?;
    let Block {
        mut entries,
        numbers,
        bad,
        lines,
        last_line,
        end,
    } = block;
    let numbers = std::sync::Arc::new(numbers);
    report.lines += lines;
    for line in bad {
        refuse(report, line);
    }
    let now = app.clock.now();
    let mut from = 0;
    while from < entries.len() {
        let lines = std::sync::Arc::clone(&numbers);
        let work = move |tx: &mut campanile_store::Tx<'_>| operation(tx, entries, &lines, from, known, dry_run, now);
        let done = if dry_run {
            app.db.scan(work).await
        } else {
            app.db.write(work).await
        }?;
        for (applied, count) in [
            (&mut report.created, done.created),
            (&mut report.changed, done.changed),
            (&mut report.unchanged, done.unchanged),
        ] {
            *applied += count;
        }
        for line in done.bad {
            refuse(report, line);
        }
        (entries, from, known) = (done.entries, done.upto, done.known);
    }
    // Lines that do not parse were found before those that the rules refuse.
    report.errors.sort_by_key(|bad| bad.line);
    Ok((
        Progress {
            lines: last_line,
            bytes: end,
        },
        known,
    ))
}

/// What one operation came to.
struct Done {
    entries: Vec<Entry>,
    upto: usize,
    known: Known,
    created: u64,
    changed: u64,
    unchanged: u64,
    bad: Vec<BadLine>,
}

fn operation(
    tx: &mut campanile_store::Tx<'_>,
    entries: Vec<Entry>,
    numbers: &[u64],
    from: usize,
    known: Known,
    dry_run: bool,
    now: Moment,
) -> Result<Done, Error> {
    let started = Instant::now();
    let (mut created, mut changed, mut unchanged, mut bad) = (0, 0, 0, Vec::new());
    let mut edit = if dry_run {
        Edit::rehearse(tx, known, now)
    } else {
        Edit::begin(tx, known, now)?
    };
    let mut upto = from;
    for block in entries[from..].chunks(TOGETHER) {
        let mut lines = numbers[upto..].iter();
        edit.apply_block(block, |applied| {
            let line = lines.next().copied().unwrap_or_default();
            match applied {
                Ok(Applied::Created) => created += 1,
                Ok(Applied::Changed) => changed += 1,
                Ok(Applied::Unchanged) => unchanged += 1,
                Err(Error::Invalid(faults)) => bad.extend(faults.into_iter().map(|fault| bad_line(line, fault))),
                Err(other) => return Err(other),
            }
            Ok(())
        })?;
        upto += block.len();
        if started.elapsed() >= OPERATION {
            break;
        }
    }
    let known = edit.finish();
    Ok(Done {
        entries,
        upto,
        known,
        created,
        changed,
        unchanged,
        bad,
    })
}

/// Hashes the passwords of a block before any transaction, a few at a time on threads for such work. An entry whose
/// password is refused is taken out and reported.
async fn hash_passwords(app: &App, block: &mut Block, report: &mut Report) -> Result<(), Broken> {
    let mut at = 0;
    while at < block.entries.len() {
        let Entry::User(user) = &block.entries[at] else {
            at += 1;
            continue;
        };
        if user.password.is_absent() {
            at += 1;
            continue;
        }
        let key = user.id.clone().unwrap_or_default();
        let old = app.db.read(move |tx| stored(tx, &key)).await?;
        let (mut entry, salt) = (block.entries[at].clone(), app.chance.salt());
        let work = tokio::task::spawn_blocking(move || {
            let result = prepare(&mut entry, old.as_ref(), &salt);
            (entry, result)
        });
        let (entry, result) = work.await.map_err(|error| Broken::Defect(error.to_string()))?;
        match result {
            Ok(()) => {
                block.entries[at] = entry;
                at += 1;
            }
            Err(Error::Invalid(faults)) => {
                block.entries.remove(at);
                let line = block.numbers.remove(at);
                for fault in faults {
                    refuse(report, bad_line(line, fault));
                }
            }
            Err(other) => return Err(other.into()),
        }
    }
    Ok(())
}

fn bad_line(line: u64, fault: Fault) -> BadLine {
    BadLine {
        line,
        field: fault.field,
        reason: fault.reason,
    }
}

fn refuse(report: &mut Report, line: BadLine) {
    // Several faults of one line stand together.
    if report.errors.last().is_none_or(|last| last.line != line.line) {
        report.bad += 1;
    }
    if report.errors.len() < REPORTED {
        report.errors.push(line);
    }
}
