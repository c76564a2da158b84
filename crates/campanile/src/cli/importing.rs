//! `campanile import`: a directory file into the database, also beside a running server.

use std::io::{IsTerminal as _, Read as _, Write as _};
use std::path::Path;

use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream::try_unfold;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::io::AsyncReadExt as _;

use super::Import;
use crate::app::App;
use crate::chance::Chance;
use crate::clock::Clock;
use crate::config::{Flags, Settings};
use crate::exit::Failure;
use crate::import::{self, Broken, Progress, Report};

/// Bytes that are read together.
const READ: usize = 256 * 1024;

/// Takes in the file, with a progress bar where somebody watches.
pub(super) fn run(flags: Flags, args: &Import) -> Result<(), Failure> {
    let settings = Settings::load(flags)?;
    let origin = settings.origin(settings.listen);
    let app = App::open(settings, origin, Clock::system(), Chance::system())?;
    let runtime = super::serving::runtime()?;
    let report = runtime.block_on(take_in(&app, args))?;
    say(&report, args.json)?;
    if report.ok {
        return Ok(());
    }
    Err(Failure::Work(format!(
        "{} of {} lines were not taken",
        report.bad, report.lines
    )))
}

async fn take_in(app: &App, args: &Import) -> Result<Report, Failure> {
    let is_stdin = args.file == Path::new("-");
    let length = if is_stdin {
        None
    } else {
        std::fs::metadata(&args.file).ok().map(|at| at.len())
    };
    let bar = progress_bar(length);
    let mut progress = |at: Progress| bar.set_position(at.bytes);
    let taken = if is_stdin {
        import::run(app, stdin(), args.dry_run, &mut progress).await
    } else {
        let file = tokio::fs::File::open(&args.file).await;
        let file = file.map_err(|error| Failure::Work(format!("{}: {error}", args.file.display())))?;
        import::run(app, chunks(file), args.dry_run, &mut progress).await
    };
    bar.finish_and_clear();
    taken.map_err(|broken| match broken {
        Broken::Rule(error) => error.into(),
        other => Failure::Work(other.to_string()),
    })
}

/// A file's bytes, piece by piece.
fn chunks(file: impl tokio::io::AsyncRead + Unpin + Send) -> impl Stream<Item = Result<Bytes, std::io::Error>> + Send {
    try_unfold(file, |mut file| async move {
        let mut piece = Vec::with_capacity(READ);
        let read = file.read_buf(&mut piece).await?;
        Ok((read > 0).then(|| (Bytes::from(piece), file)))
    })
}

/// Standard input, piece by piece, read by a thread of its own.
fn stdin() -> impl Stream<Item = Result<Bytes, std::io::Error>> + Send {
    try_unfold((), |()| async move {
        let read = tokio::task::spawn_blocking(|| {
            let mut piece = vec![0; READ];
            let read = std::io::stdin().lock().read(&mut piece)?;
            piece.truncate(read);
            Ok::<_, std::io::Error>(piece)
        });
        let piece = read.await??;
        Ok((!piece.is_empty()).then(|| (Bytes::from(piece), ())))
    })
}

/// On standard error; hidden where that is no terminal.
fn progress_bar(length: Option<u64>) -> ProgressBar {
    let template = "{bar:32} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left";
    let (bar, template) = match length {
        Some(length) => (ProgressBar::new(length), template),
        None => (ProgressBar::no_length(), "{spinner} {bytes}, {bytes_per_sec}"),
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}

/// The report on standard output; bad lines on standard error, one a line.
fn say(report: &Report, json: bool) -> Result<(), Failure> {
    let mut out = std::io::stdout();
    if json {
        let text = serde_json::to_string(report).map_err(|error| Failure::Work(error.to_string()))?;
        writeln!(out, "{text}")?;
    } else {
        let what = if report.dry_run { "would be " } else { "" };
        let Report {
            lines,
            created,
            changed,
            unchanged,
            bad,
            ..
        } = report;
        writeln!(
            out,
            "{lines} lines: {created} {what}created, {changed} {what}changed, {unchanged} as before, {bad} bad"
        )?;
    }
    let mut notes = std::io::stderr();
    for line in &report.errors {
        let field = if line.field.is_empty() {
            String::new()
        } else {
            format!("{}: ", line.field)
        };
        writeln!(notes, "line {}: {field}{}", line.line, line.reason)?;
    }
    let listed = report.errors.last().map_or(0, |last| last.line);
    if report.bad > 0 && report.errors.len() >= 1_000 && !std::io::stdout().is_terminal() {
        writeln!(notes, "(the bad lines after line {listed} are counted, not listed)")?;
    }
    Ok(())
}
