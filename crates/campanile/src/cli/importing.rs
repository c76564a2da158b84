//! `campanile import`: a directory file into the database, also beside a running server.

use std::io::{Read, Write as _};
use std::path::Path;

use bytes::Bytes;
use futures_util::Stream;

use super::{Import, embedded_is_missing, progress, serving};
use crate::app::App;
use crate::chance::Chance;
use crate::clock::Clock;
use crate::config::{Flags, Settings, Traces};
use crate::exit::Failure;
use crate::import::{self, Broken, Manner, Report};
use crate::telemetry;
use crate::words::{printable, several, thousands};

/// Bytes that are read at once.
const CHUNK: usize = 256 * 1024;

/// Takes in the file. Bad lines are told on standard error, the sum on standard output; [`Failure::Work`] where a line
/// was bad.
pub(super) fn run(flags: Flags, args: &Import) -> Result<(), Failure> {
    let mut settings = Settings::load(flags.clone())?;
    let _traces = telemetry::start_log(settings.log_format, "warn", &Traces::default())?;
    let (reader, length) = open(&args.file)?;
    // A rehearsal leaves nothing behind, also where there is no database yet.
    let folder = tempfile::tempdir()?;
    if args.dry_run && embedded_is_missing(&settings) {
        let database = Some(format!("sqlite://{}", folder.path().join("rehearsal.db").display()));
        settings = Settings::load(Flags { database, ..flags })?;
    }
    let origin = settings.origin(settings.listen);
    let app = App::open(settings, origin, Clock::system(), Chance::system())?;
    let runtime = serving::runtime()?;
    runtime.block_on(app.check_clock())?;
    let bar = progress::bar(length, "bytes_per_sec")?;
    let mut progress = |done: import::Progress| {
        bar.set_position(done.bytes);
        bar.set_message(several(done.lines, "line", "lines"));
    };
    let work = import::run(&app, None, chunks(reader), args.dry_run, Manner::Quick, &mut progress);
    let taken = runtime.block_on(work);
    bar.finish_and_clear();
    tell(&taken?, args.json)
}

impl From<Broken> for Failure {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Rule(error) => error.into(),
            Broken::Source(_) | Broken::Defect(_) => Self::Work(broken.to_string()),
        }
    }
}

/// The file and its length, or standard input.
fn open(path: &Path) -> Result<(Box<dyn Read + Send>, Option<u64>), Failure> {
    if path == Path::new("-") {
        return Ok((Box::new(std::io::stdin()), None));
    }
    let wrong = |error: std::io::Error| Failure::Usage(format!("{}: {error}", path.display()));
    let file = std::fs::File::open(path).map_err(wrong)?;
    let metadata = file.metadata().map_err(wrong)?;
    // Of a pipe with a name the length is not known.
    let length = metadata.is_file().then_some(metadata.len());
    Ok((Box::new(file), length))
}

/// The bytes of a blocking reader, read on a thread for such work.
fn chunks(reader: Box<dyn Read + Send>) -> impl Stream<Item = std::io::Result<Bytes>> + Send {
    futures_util::stream::unfold(Some(reader), |reader| async {
        let mut reader = reader?;
        let work = tokio::task::spawn_blocking(move || {
            let mut chunk = vec![0; CHUNK];
            let read = loop {
                match reader.read(&mut chunk) {
                    Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                    done => break done,
                }
            };
            (reader, chunk, read)
        });
        match work.await {
            Ok((_, _, Ok(0))) => None,
            Ok((reader, mut chunk, Ok(read))) => {
                chunk.truncate(read);
                Some((Ok(Bytes::from(chunk)), Some(reader)))
            }
            Ok((_, _, Err(error))) => Some((Err(error), None)),
            Err(panicked) => Some((Err(std::io::Error::other(panicked)), None)),
        }
    })
}

/// Says what became of the file.
fn tell(report: &Report, json: bool) -> Result<(), Failure> {
    let mut out = std::io::stdout();
    if json {
        let text = serde_json::to_string(report).map_err(|error| Failure::Work(error.to_string()))?;
        writeln!(out, "{text}")?;
    } else {
        let mut notes = std::io::stderr();
        for line in bad_lines(report) {
            writeln!(notes, "{line}")?;
        }
        writeln!(out, "{}", sum(report))?;
    }
    verdict(report)
}

fn verdict(report: &Report) -> Result<(), Failure> {
    if report.ok {
        return Ok(());
    }
    let (bad, lines) = (thousands(report.bad), several(report.lines, "line", "lines"));
    let were = if report.bad == 1 { "was" } else { "were" };
    Err(Failure::Work(format!("{bad} of {lines} {were} not taken")))
}

/// The bad lines in their order, and how many more there are.
fn bad_lines(report: &Report) -> Vec<String> {
    let mut errors: Vec<_> = report.errors.iter().collect();
    errors.sort_by_key(|error| error.line);
    let mut told: Vec<_> = errors
        .iter()
        .map(|error| match error.field.as_str() {
            "" => format!("line {}: {}", error.line, error.reason),
            field => format!("line {}: {field}: {}", error.line, error.reason),
        })
        .map(|line| printable(&line))
        .collect();
    errors.dedup_by_key(|error| error.line);
    let more = report.bad.saturating_sub(errors.len() as u64);
    if more > 0 {
        told.push(format!("and {} more", thousands(more)));
    }
    told
}

fn sum(report: &Report) -> String {
    let would = if report.dry_run { "; nothing was written" } else { "" };
    format!(
        "{}: {} created, {} changed, {} as before, {} bad{would}",
        several(report.lines, "line", "lines"),
        thousands(report.created),
        thousands(report.changed),
        thousands(report.unchanged),
        thousands(report.bad)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::BadLine;

    fn report(bad: u64, errors: &[(u64, &str, &str)]) -> Report {
        let errors = errors.iter().map(|(line, field, reason)| BadLine {
            line: *line,
            field: (*field).into(),
            reason: (*reason).into(),
        });
        Report {
            ok: bad == 0,
            lines: 1_234_567,
            created: 1_000,
            bad,
            errors: errors.collect(),
            ..Report::default()
        }
    }

    #[test]
    fn bad_lines_are_told_in_order_with_field_and_reason() {
        let found = report(
            5,
            &[
                (9, "", "not JSON"),
                (2, "email", "must be one address"),
                (2, "login", "is\u{7} taken"),
            ],
        );
        insta::assert_snapshot!(bad_lines(&found).join("\n"), @r"
        line 2: email: must be one address
        line 2: login: is� taken
        line 9: not JSON
        and 3 more
        ");
        assert_eq!(
            verdict(&found),
            Err(Failure::Work("5 of 1,234,567 lines were not taken".into()))
        );
    }

    #[test]
    fn the_sum_says_what_was_done() {
        let found = report(0, &[]);
        assert_eq!(
            sum(&found),
            "1,234,567 lines: 1,000 created, 0 changed, 0 as before, 0 bad"
        );
        let one = Report {
            lines: 1,
            bad: 1,
            ..Report::default()
        };
        assert_eq!(sum(&one), "1 line: 0 created, 0 changed, 0 as before, 1 bad");
        assert_eq!(verdict(&one), Err(Failure::Work("1 of 1 line was not taken".into())));
    }

    #[tokio::test]
    async fn a_reader_is_read_to_its_end() {
        use futures_util::TryStreamExt as _;
        let bytes: Vec<u8> = (0..CHUNK * 2 + 7).map(|at| at as u8).collect();
        let read: Vec<Bytes> = chunks(Box::new(std::io::Cursor::new(bytes.clone())))
            .try_collect()
            .await
            .unwrap();
        assert_eq!(read.concat(), bytes);
    }
}
