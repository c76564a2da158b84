//! The OpenAPI document as it is committed: a change of the interface is seen in its review.

use std::collections::BTreeSet;
use std::path::Path;

use campanile::api::docs::Docs;
use campanile::api::document;
use serde_json::Value;

/// Renews the committed document instead of comparing with it.
const UPDATE: &str = "CAMPANILE_UPDATE_SNAPSHOTS";

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the variable is for who runs the tests and no setting of the server"
)]
fn the_committed_document_is_that_of_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    let docs = Docs::new(&document()).unwrap();
    let mut now = String::from_utf8(docs.document().to_vec()).unwrap();
    now.truncate(now.trim_end().len());
    now.push('\n');
    if std::env::var_os(UPDATE).is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &now).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = committed.lines().zip(now.lines()).position(|(was, is)| was != is);
    let line = differs.unwrap_or_else(|| committed.lines().count().min(now.lines().count())) + 1;
    assert!(
        committed == now,
        "docs/openapi.json is not the document of the code, from line {line} on. If the interface is meant to change, \
         renew it with `{UPDATE}=1 cargo test -p campanile --test it openapi` and commit it",
    );
}

#[test]
fn every_operation_has_a_name_of_its_own() {
    let document = serde_json::to_value(document()).unwrap();
    let mut names = BTreeSet::new();
    for item in document["paths"].as_object().unwrap().values() {
        for operation in item.as_object().unwrap().values() {
            let name = operation["operationId"].as_str().unwrap();
            assert!(
                names.insert(name),
                "{name} is the name of two operations: set `operation_id`"
            );
        }
    }
}

#[test]
fn its_texts_are_for_strangers() {
    // Numbers of rules and decisions say nothing to who has not made them.
    let text = serde_json::to_string(&document()).unwrap();
    for word in [
        "(decision",
        "decision ",
        "house rule",
        "of the mission",
        "mission.md",
        "See the draft",
    ] {
        let found = text
            .find(word)
            .map(|at| text[at.saturating_sub(60)..].chars().take(120).collect::<String>());
        assert_eq!(found, None, "{word}");
    }
}

#[test]
fn every_schema_that_is_named_is_there() {
    fn references<'v>(value: &'v Value, found: &mut BTreeSet<&'v str>) {
        match value {
            Value::Object(map) => {
                let name = map.get("$ref").and_then(Value::as_str);
                found.extend(name.and_then(|name| name.strip_prefix("#/components/schemas/")));
                map.values().for_each(|value| references(value, found));
            }
            Value::Array(list) => list.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }
    let document = serde_json::to_value(document()).unwrap();
    let mut named = BTreeSet::new();
    references(&document, &mut named);
    let there = document["components"]["schemas"].as_object().unwrap();
    let missing: Vec<_> = named.into_iter().filter(|name| !there.contains_key(*name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
