//! Taking in a directory file: NDJSON, one object a line, of any length.
//!
//! Lines are read and parsed while the ones before them are written. They are written some thousand at a time, in
//! operations of at most 40 ms with a short pause between them, so that a server that runs beside goes on; each line
//! takes a revision of its own. Good lines are kept, bad ones reported with line, field and reason. Memory does not
//! grow with the file.
//!
//! Where no other process has the embedded database open, operations are longer: a page of an index that many lines
//! touch is then written once for all of them. And where there are next to no people yet, the big indexes are made at
//! the end.

mod noted;
mod read;
pub(crate) mod upload;
mod write;

use bytes::Bytes;
use campanile_core::Error;
use futures_util::Stream;
use serde::Serialize;

use crate::app::App;
use crate::auth::Principal;

/// Bytes that are parsed together.
const BLOCK: usize = 512 * 1024;
/// Blocks that are parsed ahead at most.
const AHEAD: usize = 4;
/// Faults that are reported; all bad lines are counted.
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
    /// Their first thousand faults.
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

/// How an import treats others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// In short operations: this process, or another one, serves.
    Polite,
    /// In long ones while no other process has the database open. For a process that does nothing else.
    Quick,
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

/// Takes in a file. What was taken before it broke stays. `by` is who sent it, whose right is asked for again at each
/// operation; `None` for who has the database itself.
///
/// # Errors
/// [`Broken`], where the file could not be read to its end or the database failed; bad lines are no error but in the
/// report.
pub async fn run<S, E>(
    app: &App,
    by: Option<&Principal>,
    source: S,
    dry_run: bool,
    manner: Manner,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Report, Broken>
where
    S: Stream<Item = Result<Bytes, E>> + Send,
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (sender, blocks) = tokio::sync::mpsc::channel(AHEAD);
    // A file that breaks off does not keep what came before it from being written.
    let reading = async { Ok(read::read(app, by, source, sender).await) };
    let writing = write::write(app, by, write::Queue::new(blocks), dry_run, manner, progress);
    let done = tokio::try_join!(reading, writing);
    if manner == Manner::Quick && !dry_run {
        write::finish(app).await?;
    }
    let (read, sum) = done?;
    read?;
    let mut report = sum.report;
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

/// What has become of the file so far.
struct Sum {
    report: Report,
    /// The last bad line.
    last: u64,
}

impl Sum {
    fn new(dry_run: bool) -> Self {
        let report = Report {
            dry_run,
            ..Report::default()
        };
        Self { report, last: 0 }
    }

    /// Takes in a fault of a line; those of one line come one after the other.
    fn refuse(&mut self, line: BadLine) {
        if self.last != line.line {
            self.last = line.line;
            self.report.bad += 1;
        }
        if self.report.errors.len() < REPORTED {
            self.report.errors.push(line);
        }
    }
}
