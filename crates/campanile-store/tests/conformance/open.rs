//! Databases that cannot be opened say why.

use campanile_store::{Db, Error, Options};

use crate::*;

fn refusal(url: &str) -> String {
    match Db::open(&Options::new(url), &SCHEMA) {
        Err(Error::Unavailable(why)) => why,
        Err(other) => panic!("expected it to be unavailable, got {other:?}"),
        Ok(_) => panic!("expected {url} not to open"),
    }
}

#[test]
fn a_url_of_neither_kind_is_refused() {
    for url in ["", "campanile.db", "mysql://localhost/campanile", "sqlite:campanile.db"] {
        assert!(refusal(url).contains("sqlite:// or postgres://"));
    }
}

#[test]
fn a_file_in_a_folder_that_is_not_there_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("missing").join("test.db");
    let why = refusal(&format!("sqlite://{}", path.display()));
    assert!(why.contains(&path.display().to_string()), "{why}");
}

#[test]
fn a_folder_in_place_of_a_file_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let why = refusal(&format!("sqlite://{}", folder.path().display()));
    assert!(why.contains(&folder.path().display().to_string()), "{why}");
}

#[test]
fn a_file_that_is_no_database_is_refused_by_name_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    let text = "not a database ".repeat(100);
    std::fs::write(&path, &text).unwrap();
    let why = refusal(&format!("sqlite://{}", path.display()));
    assert!(why.contains(&path.display().to_string()), "{why}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn a_database_in_memory_is_refused() {
    for url in ["sqlite://", "sqlite://:memory:"] {
        assert!(refusal(url).contains("name a file"));
    }
}

#[test]
fn a_postgres_url_that_is_none_is_refused() {
    assert!(refusal("postgres://localhost/x?sslmode=perhaps").contains("URL"));
}

#[test]
fn a_postgres_server_that_is_not_there_is_unavailable() {
    // Port 1 is nobody's.
    assert!(refusal("postgres://postgres@127.0.0.1:1/campanile?sslmode=disable").contains("connect"));
}

#[test]
fn a_postgres_database_that_is_not_there_is_unavailable_by_name() {
    let Some(url) = testing::postgres_url() else { return };
    let url = url.replace("/test_", "/missing_test_");
    let why = refusal(&url);
    assert!(why.contains("missing_test_"), "{why}");
}
