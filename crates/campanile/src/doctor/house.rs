//! Configuration, database, key, public address.

use std::path::Path;

use campanile_core::restored;
use campanile_core::schema::SCHEMA;
use campanile_store::Db;
use url::Url;

use super::{Finding, Level};
use crate::app::App;
use crate::config::{Settings, unknown_variables};
use crate::words::several;

pub(super) fn examine(settings: &Settings) -> Vec<Finding> {
    let mut findings = vec![configuration()];
    findings.push(database(settings));
    if findings.iter().all(|finding| finding.level != Level::Fault) {
        findings.extend(restored(settings));
    }
    findings.push(key(settings));
    findings.push(public_url(settings));
    findings.push(push(settings));
    findings
}

fn configuration() -> Finding {
    let about = "configuration";
    let unknown = unknown_variables();
    if unknown.is_empty() {
        return Finding::ok(about, "every setting can be used");
    }
    Finding::warning(
        about,
        unknown.join("; "),
        "correct the name, or take the variable away: it does nothing",
    )
}

fn database(settings: &Settings) -> Finding {
    let (about, url) = ("database", &settings.database);
    let embedded = url.expose().strip_prefix("sqlite://").map(Path::new);
    if let Some(path) = embedded.filter(|path| !path.exists()) {
        return new_database(path);
    }
    match Db::look(&settings.database_options(), &SCHEMA) {
        Ok(missing) if missing.is_empty() => {
            let text = format!("{url} opens, can be written, and has schema {}", SCHEMA.generation());
            Finding::ok(about, text)
        }
        Ok(missing) => Finding::ok(
            about,
            format!(
                "{url} opens and can be written; the next start of a server brings it to schema {} ({})",
                SCHEMA.generation(),
                missing.join(", ")
            ),
        ),
        Err(error) => Finding::fault(
            about,
            format!("{url} cannot be used: {error}"),
            "see that the setting `database` is right, that the server runs, and that this user may read and write it",
        ),
    }
}

/// What is on hold since the database was given back from a backup; nothing where it never was, or is not of this
/// schema yet: opening it would change it.
fn restored(settings: &Settings) -> Option<Finding> {
    let about = "restore";
    let options = settings.database_options();
    if crate::cli::embedded_is_missing(settings) || !Db::look(&options, &SCHEMA).ok()?.is_empty() {
        return None;
    }
    let read = || {
        let db = Db::open(&options, &SCHEMA)?;
        crate::cli::block_on(async { Ok(db.read(restored::waiting).await?) })
    };
    let waiting = match read() {
        Ok(waiting) => waiting?,
        Err(error) => {
            return Some(Finding::fault(
                about,
                error.to_string(),
                "see that nobody else is copying into it",
            ));
        }
    };
    let at = waiting.restored_at;
    if waiting.runs == 0 {
        return Some(Finding::ok(
            about,
            format!("restored from a backup at {at}; nothing is on hold since"),
        ));
    }
    let messages = several(waiting.runs, "message is", "messages are");
    Some(Finding::warning(
        about,
        format!(
            "restored from a backup at {at}; {messages} on hold ({} known to wait), as they may have left after \
             it was made",
            several(waiting.recipients, "recipient", "recipients")
        ),
        "`campanile restore --release` sends them; cancel one that did leave on its page first",
    ))
}

/// A file that the first start makes: its folder must take it.
fn new_database(path: &Path) -> Finding {
    let about = "database";
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    match tempfile::NamedTempFile::new_in(folder) {
        Ok(_) => Finding::ok(
            about,
            format!("there is no {} yet; the first start makes it", path.display()),
        ),
        Err(error) => Finding::fault(
            about,
            format!("there is no {} yet, and it cannot be made: {error}", path.display()),
            format!("make the folder {}, and let this user write there", folder.display()),
        ),
    }
}

fn key(settings: &Settings) -> Finding {
    let about = "key";
    let is_new = settings.database.is_embedded() && {
        let path = settings.database.expose();
        !Path::new(path.strip_prefix("sqlite://").unwrap_or(path)).exists()
    };
    match App::existing_key(settings) {
        Ok(Some((_, from))) => Finding::ok(about, format!("the key of the installation is there, from {from}")),
        Ok(None) if is_new => Finding::ok(about, "the first start makes the key beside the database"),
        Ok(None) => Finding::fault(
            about,
            "the key of this database is missing; a start would make a new one, and stored secrets, tickets and the \
             links in mails would be void",
            "bring back the file *.key beside the database, or set CAMPANILE_SECRET_KEY to what it held",
        ),
        Err(error) => Finding::fault(
            about,
            format!("{error:#}"),
            "set CAMPANILE_SECRET_KEY (or …_FILE) to the key that every server of this database has",
        ),
    }
}

/// An address of each push service whose name stays the same (Windows' has many).
const PUSH_SERVICES: [&str; 3] = [
    "https://fcm.googleapis.com/fcm/send/x",
    "https://updates.push.services.mozilla.com/wpush/v2/x",
    "https://web.push.apple.com/x",
];

/// Whether browsers can be told by push messages.
fn push(settings: &Settings) -> Finding {
    let about = "push";
    let policy = settings.http.policy();
    if !policy.enabled {
        return Finding::ok(
            about,
            "nothing is posted from here (http_enabled), so no browser is pushed to",
        );
    }
    let services = PUSH_SERVICES.iter().filter_map(|text| Url::parse(text).ok());
    let closed: Vec<String> = services
        .filter(|url| policy.vet_url(url).is_err())
        .filter_map(|url| url.host_str().map(str::to_owned))
        .collect();
    if !closed.is_empty() {
        return Finding::warning(
            about,
            format!("http_only and http_ports keep this server from {}", closed.join(", ")),
            "add them to http_only, with a / behind, if browsers are to be told while no page is open",
        );
    }
    match settings.public_url.as_deref() {
        Some(url) if url.starts_with("https://") => Finding::ok(
            about,
            "browsers can be told by push messages; their services know this server by its public URL",
        ),
        _ => Finding::ok(
            about,
            "browsers take push messages only from https, and from this machine itself",
        ),
    }
}

fn public_url(settings: &Settings) -> Finding {
    let about = "public URL";
    let sends = settings.mail.relay.is_some();
    match settings.public_url.as_deref() {
        Some(url) if url.starts_with("https://") => Finding::ok(about, format!("people come by {url}")),
        Some(url) => Finding::warning(
            about,
            format!("people come by {url}, without TLS: passwords can be read on the way"),
            if sends {
                "put a proxy with TLS before the server and set public_url to https://…; mail programs unsubscribe by \
                 https alone (RFC 8058)"
            } else {
                "put a proxy with TLS before the server and set public_url to https://…"
            },
        ),
        None if sends => Finding::fault(
            about,
            format!("it is not set, so links in mails lead to http://{}", settings.listen),
            "set public_url (CAMPANILE_PUBLIC_URL) to the https address that people type",
        ),
        None => Finding::warning(
            about,
            format!("it is not set; http://{} is taken for it", settings.listen),
            "set public_url (CAMPANILE_PUBLIC_URL) once others than this machine are to come",
        ),
    }
}
