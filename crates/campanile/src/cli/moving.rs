//! `campanile copy-database`: everything from one database into another, and the proof that it is the same.

use std::io::Write as _;
use std::path::Path;

use campanile_core::schema::{LOCAL_COLUMNS, SCHEMA, TELLTALE};
use campanile_store::moving::{self, Move, Progress, Report, Stage};
use indicatif::ProgressBar;
use serde_json::json;

use super::{CopyDatabase, progress};
use crate::app::key;
use crate::config::{DatabaseUrl, Flags, Settings, Traces, value};
use crate::exit::Failure;
use crate::telemetry;
use crate::words::{printable, several, thousands};

/// Differences that are told one by one.
const TOLD: usize = 20;

/// Copies, or only compares; [`Failure::Work`] where the two sides differ.
pub(super) fn run(flags: Flags, args: &CopyDatabase) -> Result<(), Failure> {
    let settings = Settings::load(flags)?;
    let _traces = telemetry::start_log(settings.log_format, "warn", &Traces::default())?;
    let (from, to) = (url("--from", &args.from)?, url("--to", &args.to)?);
    if from == to {
        return Err(Failure::Usage("--from and --to name the same database".into()));
    }
    let key = key_of(&settings, &from)?;
    if let (Some(file), None) = (file(&to), &key) {
        return Err(Failure::Usage(format!(
            "the key of the installation is not known, and {} needs it beside it: set CAMPANILE_SECRET_KEY (or …_FILE) \
             as the servers of {from} have it",
            file.display()
        )));
    }
    let task = Move {
        from: from.expose(),
        to: to.expose(),
        schema: &SCHEMA,
        telltale: TELLTALE,
        local: LOCAL_COLUMNS,
        anew: args.anew,
    };
    let bar = progress::bar(Some(0), "per_sec")?;
    let mut tell = |at: &Progress| {
        show(&bar, at);
        Ok(())
    };
    let work = if args.verify_only { moving::verify } else { moving::copy };
    let done = work(&task, &mut tell);
    bar.finish_and_clear();
    let report = done?;
    if let (Some(file), Some(key), true) = (file(&to), &key, report.different == 0 && !args.verify_only) {
        key::put_beside(file, key)?;
    }
    told(&report, args, &from, &to)
}

fn url(flag: &str, text: &str) -> Result<DatabaseUrl, Failure> {
    value::database(text).map_err(|refusal| Failure::Usage(format!("{flag}: {refusal}")))
}

fn file(url: &DatabaseUrl) -> Option<&Path> {
    url.expose().strip_prefix("sqlite://").map(Path::new)
}

/// The key of the source's installation, where it can be known here.
fn key_of(settings: &Settings, from: &DatabaseUrl) -> Result<Option<String>, Failure> {
    if let Some(key) = &settings.secret_key {
        return Ok(Some(key.expose().to_owned()));
    }
    Ok(file(from).map(key::text_beside).transpose()?.flatten())
}

fn show(bar: &ProgressBar, at: &Progress) {
    let doing = match at.stage {
        Stage::Copying => "copying",
        Stage::Comparing => "comparing",
        Stage::Indexing => "making",
    };
    let message = format!("{doing} {}", at.at);
    if bar.position() > at.done {
        // A stage begins.
        bar.reset();
    }
    bar.set_length(at.total.max(at.done));
    bar.set_position(at.done);
    bar.set_message(message);
}

fn told(report: &Report, args: &CopyDatabase, from: &DatabaseUrl, to: &DatabaseUrl) -> Result<(), Failure> {
    let mut out = std::io::stdout();
    if args.json {
        writeln!(out, "{}", as_json(report))?;
    } else {
        let mut notes = std::io::stderr();
        for line in notes_on(report) {
            writeln!(notes, "{}", printable(&line))?;
        }
        writeln!(out, "{}", sum(report, args.verify_only))?;
        if report.different == 0 && !args.verify_only {
            writeln!(out, "{}", next_step(from, to))?;
        }
    }
    if report.different == 0 {
        return Ok(());
    }
    let rows = several(report.different, "row differs", "rows differ");
    let what = ": the copy cannot be used; take the target away and copy again";
    let what = if args.verify_only { "" } else { what };
    Err(Failure::Work(format!("{rows}{what}")))
}

fn notes_on(report: &Report) -> Vec<String> {
    let mut notes = Vec::new();
    if report.source_in_use {
        notes.push("the source is in use: what is written there from now on is not in the copy".to_owned());
    }
    if !report.unknown.is_empty() {
        notes.push(format!(
            "not Campanile's, and not copied: {}",
            report.unknown.join(", ")
        ));
    }
    if report.again {
        notes.push("the source was written to since the copy began, so all of it was copied again".to_owned());
    } else if report.found > 0 {
        notes.push(format!(
            "{} were there from before",
            several(report.found, "row", "rows")
        ));
    }
    let named = report.differences.iter().take(TOLD);
    notes.extend(named.map(|one| format!("{}: {}", one.row, one.what)));
    let more = report
        .different
        .saturating_sub(report.differences.len().min(TOLD) as u64);
    if more > 0 {
        notes.push(format!("and {} more", thousands(more)));
    }
    notes
}

fn rows(report: &Report) -> u64 {
    report.tables.iter().map(|(_, rows)| rows).sum()
}

fn sum(report: &Report, verify_only: bool) -> String {
    let rows = several(rows(report), "row", "rows");
    let tables = several(report.tables.len() as u64, "table", "tables");
    let done = if verify_only { "compared" } else { "copied and compared" };
    format!("{rows} of {tables} {done}, {} different", thousands(report.different))
}

/// What has to be done with the copy.
fn next_step(from: &DatabaseUrl, to: &DatabaseUrl) -> String {
    if file(to).is_some() {
        return format!("campanile serve --database {to}");
    }
    let key = file(from).map(key::path).filter(|path| path.exists());
    let key = key.map(|path| format!("CAMPANILE_SECRET_KEY_FILE={} ", path.display()));
    format!("{}campanile serve --database {to}", key.unwrap_or_default())
}

fn as_json(report: &Report) -> serde_json::Value {
    let tables = report
        .tables
        .iter()
        .map(|(name, rows)| json!({"name": name, "rows": rows}));
    let differences = report
        .differences
        .iter()
        .map(|one| json!({"row": one.row, "what": one.what}));
    json!({
        "ok": report.different == 0,
        "rows": rows(report),
        "tables": tables.collect::<Vec<_>>(),
        "different": report.different,
        "differences": differences.collect::<Vec<_>>(),
        "found": report.found,
        "copied_again": report.again,
        "source_in_use": report.source_in_use,
        "not_copied": report.unknown,
    })
}
