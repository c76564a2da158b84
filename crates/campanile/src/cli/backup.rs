//! `campanile backup` and `campanile restore`: the embedded database as a file, and back.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use campanile_core::restored;
use campanile_core::schema::SCHEMA;
use campanile_store::backup::{self, Place};
use campanile_store::{Db, Options};
use tempfile::NamedTempFile;

use super::{Backup, Restore, block_on, progress};
use crate::app::key;
use crate::clock::Clock;
use crate::config::{Flags, Settings, Traces};
use crate::exit::Failure;
use crate::telemetry;
use crate::words::several;

/// Bytes of a page of the database, as SQLite has it unless it is told otherwise.
const PAGE: u64 = 4_096;

/// Writes the copy, with the key of the installation beside it where that is a file.
pub(super) fn back_up(flags: Flags, args: &Backup) -> Result<(), Failure> {
    let settings = Settings::load(flags)?;
    let _traces = telemetry::start_log(settings.log_format, "warn", &Traces::default())?;
    let database = embedded(&settings, "pg_dump --format=custom --file=", &args.file)?;
    is_there(&settings)?;
    if args.file.exists() && !args.force {
        return Err(taken(&args.file));
    }
    // Readable by its owner alone, as all temporary files are.
    let made = NamedTempFile::new_in(folder_of(&args.file)).map_err(|error| unwritable(&args.file, &error))?;
    copied(&database, made.path())?;
    let size = made.as_file().metadata()?.len();
    let named = if args.force {
        made.persist(&args.file)
    } else {
        made.persist_noclobber(&args.file)
    };
    named.map_err(|refused| unwritable(&args.file, &refused.error))?;
    backup::sync_folder(folder_of(&args.file))?;
    let mut out = std::io::stdout();
    writeln!(out, "{}: {:.1} MB", args.file.display(), size as f64 / 1e6)?;
    if settings.secret_key.is_none()
        && let Some(text) = key::text_beside(&database)?
    {
        key::put_beside(&args.file, &text)?;
        let path = key::path(&args.file);
        writeln!(out, "{}: the key of the installation; keep it safe", path.display())?;
    }
    Ok(())
}

/// Puts a backup in the place of the database.
pub(super) fn restore(flags: Flags, args: &Restore) -> Result<(), Failure> {
    let settings = Settings::load(flags)?;
    let _traces = telemetry::start_log(settings.log_format, "warn", &Traces::default())?;
    let Some(file) = &args.file else {
        return if args.hold { hold(&settings) } else { release(&settings) };
    };
    let database = embedded(&settings, "pg_restore --clean --if-exists --dbname=URL ", file)?;
    if !file.is_file() {
        return Err(Failure::Usage(format!("{}: there is no such file", file.display())));
    }
    let kept = beside(&database, ".before-restore");
    if kept.exists() && !args.force {
        return Err(taken(&kept));
    }
    backup::examine(file, &SCHEMA)?;
    let place = Place::take(&database)?;
    let held = {
        let folder = tempfile::Builder::new()
            .prefix(".campanile-restore-")
            .tempdir_in(folder_of(&database))?;
        let made = folder.path().join("restored.db");
        drop(
            NamedTempFile::new_in(&folder)?
                .persist(&made)
                .map_err(|refused| refused.error)?,
        );
        copied(file, &made)?;
        let held = mark(&made, &database)?;
        key_back(&settings, file, &database)?;
        place.put(&made, &kept)?;
        held
    };
    let mut out = std::io::stdout();
    writeln!(out, "{} is now what {} was", database.display(), file.display())?;
    if kept.exists() {
        writeln!(out, "{}: the database of before", kept.display())?;
    }
    if held > 0 {
        let held = several(held, "message is", "messages are");
        writeln!(
            out,
            "{held} on hold, as they may have left already: campanile restore --release sends them"
        )?;
    }
    Ok(())
}

/// Brings the copy to the present schema and marks it as given back; how many messages are on hold.
fn mark(made: &Path, database: &Path) -> Result<u64, Failure> {
    let held = mark_in(&format!("sqlite://{}", made.display()), backup::counters(database))?;
    if beside(made, "-wal").exists() {
        return Err(Failure::Work(
            "the copy could not be closed: nothing was changed; try again".into(),
        ));
    }
    Ok(held)
}

fn mark_in(url: &str, others: Vec<(String, i64)>) -> Result<u64, Failure> {
    let db = Db::open(&Options::new(url), &SCHEMA)?;
    let now = Clock::system().now();
    block_on(async {
        db.write(move |tx| restored::mark(tx, &others, now)).await?;
        let waiting = db.read(restored::waiting).await?;
        Ok(waiting.map_or(0, |waiting| waiting.runs))
    })
}

/// Marks the database of the settings as given back, whoever did it.
fn hold(settings: &Settings) -> Result<(), Failure> {
    is_there(settings)?;
    let held = mark_in(settings.database.expose(), Vec::new())?;
    Ok(writeln!(
        std::io::stdout(),
        "{} on hold",
        several(held, "message is", "messages are")
    )?)
}

fn is_there(settings: &Settings) -> Result<(), Failure> {
    if super::embedded_is_missing(settings) {
        return Err(Failure::Away(format!("there is no database {}", settings.database)));
    }
    Ok(())
}

/// Lets go what waits since a restore, also beside a running server.
fn release(settings: &Settings) -> Result<(), Failure> {
    is_there(settings)?;
    let db = Db::open(&settings.database_options(), &SCHEMA)?;
    let released = block_on(async { Ok(db.write(restored::release).await?) })?;
    let messages = several(released, "message goes", "messages go");
    Ok(writeln!(std::io::stdout(), "{messages} on")?)
}

/// Brings back the key that was kept with the backup; another one that is there is kept as well.
fn key_back(settings: &Settings, file: &Path, database: &Path) -> Result<(), Failure> {
    if settings.secret_key.is_some() {
        return Ok(());
    }
    match (key::text_beside(file)?, key::text_beside(database)?) {
        (Some(new), old) => {
            let path = key::path(database);
            if old.is_some_and(|old| old != new) {
                std::fs::rename(&path, beside(&path, ".before-restore"))?;
            }
            key::put_beside(database, &new)?;
        }
        (None, Some(_)) => {}
        (None, None) => writeln!(
            std::io::stderr(),
            "there is no key beside {} nor beside the database: unless CAMPANILE_SECRET_KEY is set, the next start \
             makes a new one, and tickets, links and stored secrets are void",
            file.display()
        )?,
    }
    Ok(())
}

/// The file of the embedded database.
fn embedded(settings: &Settings, other: &str, file: &Path) -> Result<PathBuf, Failure> {
    let path = settings.database.expose().strip_prefix("sqlite://").map(PathBuf::from);
    path.ok_or_else(|| {
        Failure::Usage(format!(
            "this is for the embedded database; PostgreSQL has its own tools: {other}{} {}",
            file.display(),
            settings.database
        ))
    })
}

fn copied(from: &Path, into: &Path) -> Result<(), Failure> {
    let bar = progress::bar(Some(0), "bytes_per_sec")?;
    bar.set_message("copying");
    let done = backup::copy(from, into, &mut |done, total| {
        bar.set_length(total * PAGE);
        bar.set_position(done * PAGE);
        if done == total {
            bar.set_message("checking");
        }
        Ok(())
    });
    bar.finish_and_clear();
    Ok(done?)
}

fn folder_of(file: &Path) -> &Path {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut path = file.as_os_str().to_owned();
    path.push(ending);
    path.into()
}

fn taken(file: &Path) -> Failure {
    Failure::Usage(format!("{} is there already; --force overwrites it", file.display()))
}

fn unwritable(file: &Path, error: &std::io::Error) -> Failure {
    Failure::Work(format!("{} cannot be written: {error}", file.display()))
}
