//! Moving house: all rows of one database into another, of either kind, and the proof that they are the same.
//!
//! Which tables there are, with what columns and keys, is read from the databases, which have run the same migrations:
//! a table of a later migration is copied without being named anywhere. [`LEFT_OUT`] is what is not.
//!
//! The source is read in one snapshot, the target written a batch at a time, each batch a transaction. Rows come in the
//! order of their key, so the last row that is there says where an interrupted copy goes on; nothing else has to be
//! kept but the marker, which says of what source it is, and that no server may open it. Indexes and the keys of other
//! tables are made in the end, in one go each.

mod compare;
mod lite;
mod pg;
mod side;
mod table;

use std::fmt::Write as _;
use std::sync::mpsc::sync_channel;

use self::side::{Side, Use};
use self::table::{Column, Kind, Table};
use crate::migrate::{MARKER, Schema, checksum};
use crate::{Error, Result};

/// Tables that belong to the database they are in, and not to what it holds; each with the reason.
pub const LEFT_OUT: &[(&str, &str)] = &[
    ("migration", "each database has run its own migrations"),
    ("index_aside", "which indexes SQLite has to make again in this file"),
    (MARKER, "how far a copy into this database is"),
];

/// Batches that may wait for the side that writes, or compares.
const AHEAD: usize = 2;
/// Rows that are named where the two sides differ; more are only counted.
const NAMED: usize = 100;

/// From where to where.
#[derive(Debug, Clone, Copy)]
pub struct Move<'a> {
    /// The URL of the source. It must have the schema already.
    pub from: &'a str,
    /// The URL of the target: nothing, or an unfinished copy of this source.
    pub to: &'a str,
    /// What both have.
    pub schema: &'a Schema,
    /// A table that has rows as soon as anything was done with a database.
    pub telltale: &'a str,
    /// Columns, each with its table, whose numbers mean something only in the database that wrote them: copied as 0.
    pub local: &'a [(&'a str, &'a str)],
    /// Whether an unfinished copy of another source, or of this one before it changed, is thrown away.
    pub anew: bool,
}

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Rows are copied.
    Copying,
    /// Rows are read from both sides and compared.
    Comparing,
    /// Indexes are made.
    Indexing,
}

/// How far it is.
#[derive(Debug, Clone)]
pub struct Progress {
    /// With what.
    pub stage: Stage,
    /// Rows so far; of indexes, those made.
    pub done: u64,
    /// Rows of the source; 0 for indexes.
    pub total: u64,
    /// The table or index.
    pub at: String,
}

/// A row that is not the same on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Its table and key: `person (7)`.
    pub row: String,
    /// `missing`, `not in the source`, or the columns that differ.
    pub what: String,
}

/// What became of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Each table with its rows in the source.
    pub tables: Vec<(String, u64)>,
    /// Tables of the source that are not of the schema, and so were not copied.
    pub unknown: Vec<String>,
    /// The first hundred rows that differ.
    pub differences: Vec<Difference>,
    /// How many differ.
    pub different: u64,
    /// Rows that an interrupted copy had brought before.
    pub found: u64,
    /// What had been brought before was not what the source holds now, so all of it was copied again.
    pub again: bool,
    /// Somebody else has the source open: what is written there from now on is not in the copy.
    pub source_in_use: bool,
}

/// Told after every batch; an error ends the work there.
pub type Tell<'t> = &'t mut dyn FnMut(&Progress) -> Result<()>;

/// Copies everything, and compares. The target can be opened by a server if, and only if, nothing differs. Blocks.
///
/// # Errors
/// `Unavailable` where a database cannot be reached or the target is in use, `Schema` where the target is not empty,
/// or the source has another schema.
pub fn copy(task: &Move<'_>, tell: Tell<'_>) -> Result<Report> {
    let mut from = Side::open(task.from, task.schema, Use::Read)?;
    let mut to = Side::open(task.to, task.schema, Use::Write)?;
    if to.is_used()? {
        return Err(Error::Unavailable(
            "the target is in use, by a server or another copy: stop it, or name another target".into(),
        ));
    }
    let (tables, mut report) = survey(task, &mut from, &to)?;
    let source = fingerprint(&from, &report.tables, &tables)?;
    let mut is_resumed = match to.marker()? {
        Some(marker) if marker == source => true,
        Some(_) if !task.anew => return Err(Error::Schema(OTHER.into())),
        None if !is_new(&to, &tables, task.telltale)? => return Err(Error::Schema(NOT_EMPTY.into())),
        _ => false,
    };
    if !is_resumed {
        to.begin(&tables, &source)?;
    }
    to.release()?;
    loop {
        let found = fill(&mut from, &mut to, &tables, total(&report), tell)?;
        report.found = if report.again { report.found } else { found };
        compare::compare(&mut from, &mut to, &tables, &mut report, tell)?;
        if report.different == 0 {
            break;
        }
        if !is_resumed {
            return Ok(report);
        }
        // The source was written to between, without growing: what was there already is of no use.
        (is_resumed, report.again) = (false, true);
        to.begin(&tables, &source)?;
    }
    let mut done = 0;
    while let Some(at) = to.put_back()? {
        done += 1;
        let (stage, total) = (Stage::Indexing, 0);
        tell(&Progress { stage, done, total, at })?;
    }
    to.finish(&tables)?;
    Ok(report)
}

/// Compares a copy with its source, and changes nothing. Blocks.
///
/// # Errors
/// As [`copy`]; both must have the schema.
pub fn verify(task: &Move<'_>, tell: Tell<'_>) -> Result<Report> {
    let mut from = Side::open(task.from, task.schema, Use::Read)?;
    let mut to = Side::open(task.to, task.schema, Use::Read)?;
    let (tables, mut report) = survey(task, &mut from, &to)?;
    compare::compare(&mut from, &mut to, &tables, &mut report, tell)?;
    Ok(report)
}

const NOT_EMPTY: &str = "the target is not empty: name a database that holds nothing yet";
const OTHER: &str = "the target holds an unfinished copy of another source, or of this one before it was written to: \
    --anew throws that away and begins again";

/// The tables that are copied, as the target has them, and what the source holds of them.
fn survey(task: &Move<'_>, from: &mut Side, to: &Side) -> Result<(Vec<Table>, Report)> {
    let mut report = Report {
        source_in_use: from.is_used()?,
        ..Report::default()
    };
    from.release()?;
    let mut theirs = from.tables()?;
    let mut tables = Vec::new();
    for (name, shape) in to.tables()? {
        let Some(at) = theirs.iter().position(|(there, _)| *there == name) else {
            return Err(Error::Schema(format!("the source has no table {name}")));
        };
        let (mut table, there) = (shape?, theirs.remove(at).1?);
        if table != there {
            return Err(Error::Schema(format!(
                "the table {name} has other columns in the source than in the target"
            )));
        }
        for column in &mut table.columns {
            column.is_local = task.local.contains(&(&name, &column.name));
        }
        report.tables.push((name, from.count(&table)?));
        tables.push(table);
    }
    report.unknown = theirs.into_iter().map(|(name, _)| name).collect();
    Ok((tables, report))
}

fn total(report: &Report) -> u64 {
    report.tables.iter().map(|(_, rows)| rows).sum()
}

/// What tells this source, as it is, from others: how many rows each table has, and the last of them.
fn fingerprint(from: &Side, rows: &[(String, u64)], tables: &[Table]) -> Result<String> {
    let mut text = String::new();
    for (table, (name, rows)) in tables.iter().zip(rows) {
        let last = from.last(table)?;
        let _ = writeln!(text, "{name} {rows} {last:?}");
    }
    Ok(checksum(&text))
}

/// Whether nothing was ever done there.
fn is_new(to: &Side, tables: &[Table], telltale: &str) -> Result<bool> {
    match tables.iter().find(|table| table.name == telltale) {
        Some(table) => Ok(to.count(table)? == 0),
        None => Err(Error::Internal(format!("there is no table {telltale}"))),
    }
}

/// Copies what is not there yet; how many rows were.
fn fill(from: &mut Side, to: &mut Side, tables: &[Table], total: u64, tell: Tell<'_>) -> Result<u64> {
    let (mut found, mut done) = (0, 0);
    for table in tables {
        let there = to.count(table)?;
        found += there;
        done += there;
        let behind = to.last(table)?;
        let (batches, inbox) = sync_channel(AHEAD);
        std::thread::scope(|scope| {
            let from = &mut *from;
            let reading = scope.spawn(move || from.read(table, behind.as_ref(), |rows| batches.send(rows).is_ok()));
            let written = (|| {
                for rows in &inbox {
                    to.write(table, &rows)?;
                    done += rows.len() as u64;
                    let (stage, at) = (Stage::Copying, table.name.clone());
                    tell(&Progress { stage, done, total, at })?;
                }
                Ok(())
            })();
            // Whoever reads on finds nobody who takes it.
            drop(inbox);
            let read = reading.join().unwrap_or(Err(Error::Panicked));
            written.and(read)
        })?;
    }
    Ok(found)
}

/// A table by the names, types and places in the key of its columns; nothing for one that is [`LEFT_OUT`].
fn shape(name: String, columns: Vec<(String, String, i64)>) -> Option<(String, Result<Table>)> {
    if LEFT_OUT.iter().any(|(left, _)| *left == name) {
        return None;
    }
    let mut key: Vec<_> = columns
        .iter()
        .enumerate()
        .filter(|(_, (.., place))| *place > 0)
        .collect();
    key.sort_by_key(|(_, (.., place))| *place);
    let key: Vec<_> = key.into_iter().map(|(at, _)| at).collect();
    let kinds = columns.into_iter().map(|(column, kind, _)| {
        let known = Kind::of(&kind).map(|kind| Column {
            name: column.clone(),
            kind,
            is_local: false,
        });
        known.ok_or_else(|| Error::Schema(format!("{name}.{column} is of a type that cannot be copied: {kind}")))
    });
    let table = kinds.collect::<Result<Vec<_>>>().and_then(|columns| {
        if key.is_empty() {
            return Err(Error::Schema(format!("the table {name} has no primary key")));
        }
        let name = name.clone();
        Ok(Table { name, columns, key })
    });
    Some((name, table))
}

/// A source is not brought to a schema: it is only read.
fn is_current(missing: &[crate::Migration]) -> Result<()> {
    match missing.first() {
        None => Ok(()),
        Some(first) => Err(Error::Schema(format!(
            "{} has not run in the source: start a server of this version on it once, and stop it",
            first.name
        ))),
    }
}
