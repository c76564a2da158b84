//! From bytes to entries: blocks of whole lines, parsed on a thread for such work, their passwords hashed.

use campanile_core::directory::{Entry, prepare, stored};
use campanile_core::{Error, Fault};
use futures_util::{Stream, StreamExt as _};
use tokio::sync::mpsc::Sender;

use super::{BLOCK, BadLine, Broken};
use crate::app::App;
use crate::auth::Principal;
use crate::directory;
use crate::misread;
use bytes::Bytes;

/// Bytes of a line at most.
const LINE_LIMIT: usize = 1 << 20;

/// Some lines, parsed.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) entries: Vec<Entry>,
    /// The number of each entry's line.
    pub(super) numbers: Vec<u64>,
    /// Lines that were refused already, in order.
    pub(super) bad: Vec<BadLine>,
    /// Lines that hold anything.
    pub(super) lines: u64,
    /// The number of the last of them.
    pub(super) last_line: u64,
    /// Bytes of the file up to its end.
    pub(super) end: u64,
}

/// Reads a file to its end, a block ahead of whoever takes the blocks; ends early where nobody does any more.
pub(super) async fn read<S, E>(
    app: &App,
    by: Option<&Principal>,
    source: S,
    blocks: Sender<Block>,
) -> Result<(), Broken>
where
    S: Stream<Item = Result<Bytes, E>> + Send,
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut cutter = Cutter {
        source: Box::pin(source),
        rest: Vec::new(),
        line: 1,
        bytes: 0,
        ended: false,
    };
    let barred = match by {
        Some(by) => directory::barred(app, by).await?,
        None => None,
    };
    while let Some(raw) = cutter.next().await? {
        let mut block = parse(raw, barred.clone()).await?;
        hash_passwords(app, &mut block).await?;
        if blocks.send(block).await.is_err() {
            break;
        }
    }
    Ok(())
}

/// Some whole lines, as they came.
struct Raw {
    text: Vec<u8>,
    first_line: u64,
    end: u64,
}

/// Cuts a stream of bytes into blocks of whole lines.
struct Cutter<S> {
    source: std::pin::Pin<Box<S>>,
    rest: Vec<u8>,
    line: u64,
    bytes: u64,
    ended: bool,
}

impl<S, E> Cutter<S>
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
async fn parse(raw: Raw, barred: Option<String>) -> Result<Block, Broken> {
    let work = tokio::task::spawn_blocking(move || parse_here(&raw, barred.as_deref()));
    work.await.map_err(|error| Broken::Defect(error.to_string()))
}

/// `barred`: whose password stays as it is.
fn parse_here(raw: &Raw, barred: Option<&str>) -> Block {
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
            Ok(Entry::User(user)) if barred.is_some() && !user.password.is_absent() && user.id.as_deref() == barred => {
                block.bad.push(BadLine {
                    line: number,
                    field: "password".to_owned(),
                    reason: "not one's own by a personal token".to_owned(),
                });
            }
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

/// Hashes the passwords of a block before any transaction, a few at a time on threads for such work. An entry whose
/// password is refused is taken out and reported.
async fn hash_passwords(app: &App, block: &mut Block) -> Result<(), Broken> {
    let mut at = 0;
    while at < block.entries.len() {
        let key = match &block.entries[at] {
            Entry::User(user) if !user.password.is_absent() => user.id.clone().unwrap_or_default(),
            _ => {
                at += 1;
                continue;
            }
        };
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
                // Among those that did not parse, in order.
                let at = block.bad.partition_point(|bad| bad.line < line);
                block
                    .bad
                    .splice(at..at, faults.into_iter().map(|fault| bad_line(line, fault)));
            }
            Err(other) => return Err(other.into()),
        }
    }
    Ok(())
}

pub(super) fn bad_line(line: u64, fault: Fault) -> BadLine {
    BadLine {
        line,
        field: fault.field,
        reason: fault.reason,
    }
}
