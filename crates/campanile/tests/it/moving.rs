//! A whole installation moved, backed up and brought back, as an operator does it at a shell.

use std::path::Path;

use campanile_store::testing;
use serde_json::Value;

use crate::cli::{Server, campanile, output};

const KEY: &str = "0123456789abcdef0123456789abcdef";

/// A folder with a database in which something was done; the personal token of the administrator.
fn lived_in() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let server = serve(folder.path(), "sqlite://campanile.db");
    let token = told(folder.path(), &["token", "ci", "--user", "admin"]);
    send(folder.path(), &server, &token, "Before");
    assert_eq!(server.end("-TERM"), Some(0));
    (folder, token)
}

fn serve(folder: &Path, database: &str) -> Server {
    Server::start(&mut campanile(
        folder,
        &["serve", "--listen", "127.0.0.1:0", "--database", database],
    ))
}

/// What a command says that does its work.
fn told(folder: &Path, arguments: &[&str]) -> String {
    let (code, out, notes) = output(&mut campanile(folder, arguments));
    assert_eq!(code, Some(0), "{notes}");
    out.trim().to_owned()
}

/// The exit code and the words of one that does not.
fn refused(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let (code, _, notes) = output(&mut campanile(folder, arguments));
    (code, notes)
}

fn send(folder: &Path, server: &Server, token: &str, title: &str) {
    let arguments = [
        "send",
        "--everyone",
        "--title",
        title,
        "--text",
        "x",
        "--url",
        &server.url,
    ];
    let (code, _, notes) = output(campanile(folder, &arguments).env("CAMPANILE_TOKEN", token));
    assert_eq!(code, Some(0), "{notes}");
}

/// The titles of the messages that stand in a file, the newest first.
fn titles(file: &Path) -> Vec<String> {
    let conn = rusqlite::Connection::open(file).unwrap();
    let mut statement = conn.prepare("SELECT title FROM message ORDER BY id DESC").unwrap();
    let titles = statement.query_map([], |row| row.get(0)).unwrap();
    titles.collect::<Result<_, _>>().unwrap()
}

#[test]
fn a_database_moves_to_postgresql_and_back_with_its_tokens() {
    let (folder, token) = lived_in();
    let at = folder.path();
    let Some(there) = testing::postgres_url() else { return };
    let copied = told(
        at,
        &["copy-database", "--from", "sqlite://campanile.db", "--to", &there],
    );
    assert!(
        copied.contains("0 different\nCAMPANILE_SECRET_KEY_FILE=campanile.db.key campanile serve"),
        "{copied}"
    );
    let (code, why) = refused(at, &["copy-database", "--from", &there, "--to", "sqlite://back.db"]);
    assert!(code == Some(2) && why.contains("CAMPANILE_SECRET_KEY"), "{why}");
    let back = ["copy-database", "--from", &there, "--to", "sqlite://back.db", "--json"];
    let (code, report, notes) = output(campanile(at, &back).env("CAMPANILE_SECRET_KEY_FILE", "campanile.db.key"));
    assert_eq!(code, Some(0), "{notes}");
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(
        (&report["ok"], &report["source_in_use"]),
        (&Value::Bool(true), &Value::Bool(false))
    );
    assert_eq!(titles(&at.join("back.db")), ["Before"]);
    // Something was done with the copy since.
    send(at, &serve(at, "sqlite://back.db"), &token, "After");
    let (code, why) = refused(
        at,
        &[
            "copy-database",
            "--from",
            "sqlite://campanile.db",
            "--to",
            "sqlite://back.db",
            "--verify-only",
        ],
    );
    assert!(
        code == Some(1) && why.contains("message (2): not in the source"),
        "{why}"
    );
    let (code, why) = refused(
        at,
        &[
            "copy-database",
            "--from",
            "sqlite://campanile.db",
            "--to",
            "sqlite://back.db",
        ],
    );
    assert!(code == Some(1) && why.contains("not empty"), "{why}");
}

#[test]
fn a_backup_is_made_beside_a_running_server_and_brings_back_what_was() {
    let (folder, token) = lived_in();
    let at = folder.path();
    let server = serve(at, "sqlite://campanile.db");
    told(at, &["backup", "a.backup"]);
    let (code, why) = refused(at, &["backup", "a.backup"]);
    assert!(code == Some(2) && why.contains("--force"), "{why}");
    told(at, &["backup", "--force", "a.backup"]);
    send(at, &server, &token, "After");
    let (code, why) = refused(at, &["restore", "a.backup"]);
    assert!(code == Some(3) && why.contains("in use"), "{why}");
    assert_eq!(server.end("-TERM"), Some(0));
    #[cfg(unix)]
    for file in ["a.backup", "a.backup.key"] {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(at.join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    assert_eq!(titles(&at.join("campanile.db")), ["After", "Before"]);
    told(at, &["restore", "a.backup"]);
    assert_eq!(titles(&at.join("campanile.db")), ["Before"]);
    assert_eq!(titles(&at.join("a.backup")), ["Before"], "it is a database as it is");
    send(at, &serve(at, "sqlite://campanile.db"), &token, "Again");
    let (code, why) = refused(at, &["restore", "a.backup"]);
    assert!(code == Some(2) && why.contains("campanile.db.before-restore"), "{why}");
    std::fs::rename(at.join("campanile.db.before-restore"), at.join("old.db")).unwrap();
    assert_eq!(titles(&at.join("old.db")), ["After", "Before"], "nothing was lost");
}

#[test]
fn a_post_that_may_have_left_since_the_backup_waits_for_a_word() {
    let (folder, token) = lived_in();
    let at = folder.path();
    let mut serving = campanile(at, &["serve", "--listen", "127.0.0.1:0"]);
    let serving = serving
        .env("CAMPANILE_HTTP_ALLOW", "127.0.0.1")
        .env("CAMPANILE_HTTP_PORTS", "1");
    let server = Server::start(serving);
    // Nobody listens there: it is tried again, later.
    let post = [
        "send",
        "--channel",
        "http",
        "--post-url",
        "http://127.0.0.1:1/in",
        "--text",
        "x",
        "--url",
        &server.url,
    ];
    let (code, _, notes) = output(campanile(at, &post).env("CAMPANILE_TOKEN", &token));
    assert_eq!(code, Some(0), "{notes}");
    told(at, &["backup", "a.backup"]);
    assert_eq!(server.end("-TERM"), Some(0));
    let said = told(at, &["restore", "a.backup"]);
    assert!(said.contains("1 message is on hold"), "{said}");
    let (_, findings, _) = output(&mut campanile(at, &["doctor"]));
    assert!(
        findings.contains("1 message is on hold (1 recipient known to wait)"),
        "{findings}"
    );
    assert_eq!(told(at, &["restore", "--release"]), "1 message goes on");
    let (_, findings, _) = output(&mut campanile(at, &["doctor"]));
    assert!(findings.contains("nothing is on hold since"), "{findings}");
    assert_eq!(told(at, &["restore", "--hold"]), "1 message is on hold");
}

#[test]
fn what_is_no_backup_is_refused_and_changes_nothing() {
    let (folder, _) = lived_in();
    let at = folder.path();
    std::fs::write(at.join("text"), "no database").unwrap();
    rusqlite::Connection::open(at.join("foreign"))
        .unwrap()
        .execute_batch("CREATE TABLE a (b)")
        .unwrap();
    for file in ["text", "foreign"] {
        let (code, why) = refused(at, &["restore", file]);
        assert!(
            code == Some(1) && why.contains("no database of Campanile's"),
            "{code:?} {why}"
        );
    }
    assert_eq!(refused(at, &["restore", "nowhere"]).0, Some(2));
    assert_eq!(titles(&at.join("campanile.db")), ["Before"]);
}

#[test]
fn a_damaged_backup_is_refused() {
    let (folder, _) = lived_in();
    let at = folder.path();
    told(at, &["backup", "a.backup"]);
    let mut bytes = std::fs::read(at.join("a.backup")).unwrap();
    let length = bytes.len();
    bytes[length / 8..].fill(0x55);
    std::fs::write(at.join("a.backup"), bytes).unwrap();
    assert_ne!(refused(at, &["restore", "a.backup"]).0, Some(0));
    assert_eq!(titles(&at.join("campanile.db")), ["Before"]);
}

#[test]
fn the_other_database_is_backed_up_by_its_own_tools() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = campanile(
        folder.path(),
        &["backup", "x", "--database", "postgres://me:secret@db/campanile"],
    );
    let (code, _, why) = output(command.env("CAMPANILE_SECRET_KEY", KEY));
    assert_eq!(code, Some(2));
    assert!(
        why.contains("pg_dump --format=custom --file=x postgres://") && !why.contains("secret"),
        "{why}"
    );
}
