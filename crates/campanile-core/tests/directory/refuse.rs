//! What is refused, with its field, and without a trace.

use campanile_core::schema::SCHEMA;
use campanile_core::{Error, directory};
use campanile_store::testing::each_database;

use crate::world::{BASE, NOW, all, entries, revision, run};

/// A line, the field that is named, and a part of the reason.
const REFUSED: &[(&str, &str, &str)] = &[
    // Ids and names.
    (r#"{"kind":"customer","name":"X"}"#, "id", "needed"),
    (r#"{"kind":"customer","id":0,"name":"X"}"#, "id", "1 to 2000000000"),
    (
        r#"{"kind":"customer","id":2147483648,"name":"X"}"#,
        "id",
        "1 to 2000000000",
    ),
    (
        r#"{"kind":"customer","id":2000000001,"name":"X"}"#,
        "id",
        "1 to 2000000000",
    ),
    (r#"{"kind":"customer","id":50}"#, "name", "needed"),
    (r#"{"kind":"customer","id":50,"name":null}"#, "name", "null"),
    (r#"{"kind":"customer","id":17,"name":null}"#, "name", "null"),
    (r#"{"kind":"customer","id":50,"name":""}"#, "name", "1 to 200"),
    (r#"{"kind":"customer","id":50,"name":" x"}"#, "name", "blanks"),
    (r#"{"kind":"customer","id":50,"name":"a\nb"}"#, "name", "control"),
    (r#"{"kind":"group","name":"X"}"#, "id", "needed"),
    (r#"{"kind":"group","id":"","name":"X"}"#, "id", "1 to 200"),
    (r#"{"kind":"group","id":"a\u0000b","name":"X"}"#, "id", "control"),
    (r#"{"kind":"group","id":"g-9"}"#, "name", "needed"),
    (r#"{"kind":"environment","id":"E9"}"#, "name", "needed"),
    // The tree.
    (
        r#"{"kind":"customer","id":50,"name":"X","parent":99}"#,
        "parent",
        "no customer 99",
    ),
    (
        r#"{"kind":"customer","id":50,"name":"X","parent":50}"#,
        "parent",
        "circle",
    ),
    (r#"{"kind":"customer","id":3,"parent":17}"#, "parent", "circle"),
    (r#"{"kind":"customer","id":3,"parent":3}"#, "parent", "circle"),
    // People.
    (r#"{"kind":"user","id":"u-x","name":"X"}"#, "login", "needed"),
    (r#"{"kind":"user","id":"u-x","login":"x"}"#, "name", "needed"),
    (
        r#"{"kind":"user","id":"u-x","login":"ANN","name":"X"}"#,
        "login",
        "another user",
    ),
    (r#"{"kind":"user","id":"u-bob","login":"Ann"}"#, "login", "another user"),
    (r#"{"kind":"user","id":"u-ann","login":null}"#, "login", "null"),
    (r#"{"kind":"user","id":"u-ann","email":"ann"}"#, "email", "one address"),
    (
        r#"{"kind":"user","id":"u-ann","email":"a@b@c"}"#,
        "email",
        "one address",
    ),
    (
        r#"{"kind":"user","id":"u-ann","email":"a b@c"}"#,
        "email",
        "one address",
    ),
    (
        r#"{"kind":"user","id":"u-ann","email":"a@b\r\nBcc: c@d"}"#,
        "email",
        "one address",
    ),
    (
        r#"{"kind":"user","id":"u-ann","locale":"en_US"}"#,
        "locale",
        "language tag",
    ),
    (
        r#"{"kind":"user","id":"u-ann","customer":99}"#,
        "customer",
        "no customer 99",
    ),
    (
        r#"{"kind":"user","id":"u-ann","customer":60}"#,
        "customer",
        "customer 60 has been removed",
    ),
    // Roles.
    (r#"{"kind":"role","scope":"API","name":""}"#, "name", "1 to 200"),
    (
        r#"{"kind":"role","scope":"API","name":"X","permissions":{"message":"C"}}"#,
        "permissions.message",
        "A to Z",
    ),
    (
        r#"{"kind":"role","scope":"API","name":"X","permissions":{"MESSAGE":"CX"}}"#,
        "permissions.MESSAGE",
        "CRUD",
    ),
    (
        r#"{"kind":"role","scope":"API","name":"X","permissions":{"MESSAGE":"CC"}}"#,
        "permissions.MESSAGE",
        "each once",
    ),
    (
        r#"{"kind":"role","scope":"API","name":"X","permissions":{"MESSAGE":""}}"#,
        "permissions.MESSAGE",
        "CRUD",
    ),
    (
        r#"{"kind":"role","scope":"ENVIRONMENT","name":"USER","permissions":{"MESSAGE":"C"}}"#,
        "permissions",
        "system role",
    ),
    // APIs, applications, subscriptions.
    (r#"{"kind":"api","id":"a","name":"A"}"#, "environment", "needed"),
    (
        r#"{"kind":"api","id":"a","name":"A","environment":"NONE"}"#,
        "environment",
        "no environment NONE",
    ),
    (
        r#"{"kind":"api","id":"a","name":"A","environment":"OLD"}"#,
        "environment",
        "OLD has been removed",
    ),
    (
        r#"{"kind":"api","id":"pets","environment":"TEST"}"#,
        "environment",
        "cannot change",
    ),
    (
        r#"{"kind":"application","id":"app-1","environment":null}"#,
        "environment",
        "null",
    ),
    (
        r#"{"kind":"api","id":"pets","groups":["g-1","g-9"]}"#,
        "groups[1]",
        "no group g-9",
    ),
    (
        r#"{"kind":"api","id":"pets","groups":["old"]}"#,
        "groups[0]",
        "old has been removed",
    ),
    (
        r#"{"kind":"subscription","id":"s","application":"app-1","status":"PENDING"}"#,
        "api",
        "needed",
    ),
    (
        r#"{"kind":"subscription","id":"s","api":"cats","application":"app-1","status":"PENDING"}"#,
        "api",
        "no API cats",
    ),
    (
        r#"{"kind":"subscription","id":"s","api":"pets","application":"app-9","status":"PENDING"}"#,
        "application",
        "no application app-9",
    ),
    (
        r#"{"kind":"subscription","id":"s","api":"pets","application":"app-1"}"#,
        "status",
        "needed",
    ),
    (r#"{"kind":"subscription","id":"s-1","status":null}"#, "status", "null"),
    (
        r#"{"kind":"subscription","id":"s-1","application":"app-2"}"#,
        "application",
        "cannot change",
    ),
    (
        r#"{"kind":"subscription","id":"s-1","subscribed_by":"u-x"}"#,
        "subscribed_by",
        "no user u-x",
    ),
    (
        r#"{"kind":"subscription","id":"s-1","starting_at":"2026-01-02T00:00:00Z","ending_at":"2026-01-02T00:00:00Z"}"#,
        "starting_at",
        "before ending_at",
    ),
    // Memberships.
    (
        r#"{"kind":"membership","user":"u-x","on":{"environment":"DEFAULT"},"role":"USER"}"#,
        "user",
        "no user u-x",
    ),
    (
        r#"{"kind":"membership","user":"u-ann","on":{"environment":"NONE"},"role":"USER"}"#,
        "on.environment",
        "no environment NONE",
    ),
    (
        r#"{"kind":"membership","user":"u-ann","on":{"organization":"OTHER"},"role":"USER"}"#,
        "on.organization",
        "one organization",
    ),
    (
        r#"{"kind":"membership","user":"u-ann","on":{"api":"cats"},"role":"USER"}"#,
        "on.api",
        "no API cats",
    ),
    (
        r#"{"kind":"membership","user":"u-ann","on":{"application":"app-9"},"role":"USER"}"#,
        "on.application",
        "no application app-9",
    ),
    (
        r#"{"kind":"membership","user":"u-ann","on":{"group":"old"},"role":"USER","scope":"API"}"#,
        "on.group",
        "old has been removed",
    ),
    (
        r#"{"kind":"membership","user":"u-ann","on":{"environment":"DEFAULT"},"role":"OWNER"}"#,
        "role",
        "no role OWNER of scope ENVIRONMENT",
    ),
    (
        r#"{"kind":"membership","user":"u-ann","on":{"group":"g-1"},"role":"USER"}"#,
        "scope",
        "API or APPLICATION",
    ),
    (
        r#"{"kind":"membership","user":"u-ann","on":{"group":"g-1"},"role":"USER","scope":"ENVIRONMENT"}"#,
        "scope",
        "API or APPLICATION",
    ),
    (
        r#"{"kind":"membership","user":"u-ann","on":{"api":"pets"},"role":"USER","scope":"APPLICATION"}"#,
        "scope",
        "of scope API",
    ),
    // What no database can be asked for.
    (
        r#"{"kind":"membership","user":"u\u0000","on":{"environment":"DEFAULT"},"role":"USER"}"#,
        "user",
        "no user",
    ),
    (
        r#"{"kind":"membership","user":"u-ann","on":{"api":"\u0000"},"role":"USER"}"#,
        "on.api",
        "no API",
    ),
    (
        r#"{"kind":"membership","user":"u-ann","on":{"environment":"DEFAULT"},"role":"\u0000"}"#,
        "role",
        "no role",
    ),
    (
        r#"{"kind":"user","id":"\u0000","login":"\u0000","name":"\u0000"}"#,
        "id",
        "control",
    ),
    (
        r#"{"kind":"user","id":"u-x","login":"\u0000","name":"X"}"#,
        "login",
        "control",
    ),
    (r#"{"kind":"remove","of":"user","id":"\u0000"}"#, "id", "no user"),
    // Ends.
    (r#"{"kind":"remove","of":"user","id":"u-x"}"#, "id", "no user u-x"),
    (
        r#"{"kind":"remove","of":"user","id":"u-bob"}"#,
        "id",
        "nobody else is an administrator",
    ),
    (
        r#"{"kind":"remove","of":"membership","user":"u-bob","on":{"organization":"DEFAULT"},"role":"ADMIN"}"#,
        "user",
        "nobody else is an administrator",
    ),
    (r#"{"kind":"remove","of":"customer","id":99}"#, "id", "no customer 99"),
    (r#"{"kind":"remove","of":"customer","id":3}"#, "id", "sub-customers"),
    (r#"{"kind":"remove","of":"customer","id":17}"#, "id", "users"),
    (
        r#"{"kind":"remove","of":"environment","id":"DEFAULT"}"#,
        "id",
        "DEFAULT stays",
    ),
    (
        r#"{"kind":"remove","of":"environment","id":"TEST"}"#,
        "id",
        "application",
    ),
    (r#"{"kind":"remove","of":"group","id":"g-9"}"#, "id", "no group g-9"),
    (r#"{"kind":"remove","of":"api","id":"cats"}"#, "id", "no API cats"),
    (
        r#"{"kind":"remove","of":"application","id":"app-9"}"#,
        "id",
        "no application app-9",
    ),
    (
        r#"{"kind":"remove","of":"subscription","id":"s-9"}"#,
        "id",
        "no subscription s-9",
    ),
    (
        r#"{"kind":"remove","of":"role","scope":"API","name":"OWNER"}"#,
        "name",
        "system role",
    ),
    (
        r#"{"kind":"remove","of":"role","scope":"API","name":"HELPER"}"#,
        "name",
        "held",
    ),
    (
        r#"{"kind":"remove","of":"membership","user":"u-x","on":{"environment":"DEFAULT"},"role":"USER"}"#,
        "user",
        "no user u-x",
    ),
    (
        r#"{"kind":"remove","of":"membership","user":"u-ann","on":{"api":"cats"},"role":"USER"}"#,
        "on.api",
        "no API cats",
    ),
];

const MORE: &str = r#"
{"kind":"customer","id":60,"name":"Gone"}
{"kind":"remove","of":"customer","id":60}
{"kind":"environment","id":"OLD","name":"Old"}
{"kind":"remove","of":"environment","id":"OLD"}
{"kind":"group","id":"old","name":"Old"}
{"kind":"remove","of":"group","id":"old"}
{"kind":"application","id":"app-2","name":"Till","environment":"TEST"}
{"kind":"role","scope":"API","name":"HELPER","permissions":{"MEMBER":"R"}}
{"kind":"membership","user":"u-bob","on":{"api":"pets"},"role":"HELPER"}
{"kind":"remove","of":"membership","user":"u-bob","on":{"api":"pets"},"role":"HELPER"}
"#;

#[test]
fn every_fault_names_its_field_and_leaves_no_trace() {
    each_database(&SCHEMA, |db| {
        all(db, BASE);
        all(db, MORE);
        let before = revision(db);
        let lines: Vec<&str> = REFUSED.iter().map(|(line, _, _)| *line).collect();
        for (outcome, (line, field, reason)) in run(db, &lines.join("\n")).into_iter().zip(REFUSED) {
            let fault = outcome.expect_err(line);
            assert!(fault.starts_with(&format!("{field}: ")), "{line}: {fault}");
            assert!(fault.contains(reason), "{line}: {fault}");
        }
        assert_eq!(revision(db), before);
        // Whoever was refused is not there, and what is there stands as it stood.
        all(db, BASE);
        assert_eq!(revision(db), before);
    });
}

#[test]
fn every_fault_of_a_user_is_named_at_once() {
    each_database(&SCHEMA, |db| {
        let line = r#"{"kind":"user","id":"u-x","email":"x","locale":"?"}"#;
        let fault = run(db, line).remove(0).unwrap_err();
        for field in ["login: ", "name: ", "email: ", "locale: "] {
            assert!(fault.contains(field), "{fault}");
        }
    });
}

#[test]
fn names_are_measured_in_characters() {
    each_database(&SCHEMA, |db| {
        let user = |length: usize| {
            let name = "ü".repeat(length);
            format!(r#"{{"kind":"user","id":"u-x","login":"{name}","name":"{name}"}}"#)
        };
        assert!(run(db, &user(201)).remove(0).is_err());
        assert!(run(db, &user(200)).remove(0).is_ok());
    });
}

#[test]
fn a_tree_is_not_deeper_than_its_limit() {
    each_database(&SCHEMA, |db| {
        let limit = directory::DEPTH_LIMIT;
        all(db, r#"{"kind":"customer","id":1,"name":"Root"}"#);
        for id in 2..=limit {
            let parent = id - 1;
            all(
                db,
                &format!(r#"{{"kind":"customer","id":{id},"name":"C","parent":{parent}}}"#),
            );
        }
        let below = format!(r#"{{"kind":"customer","id":100,"name":"C","parent":{limit}}}"#);
        assert!(
            run(db, &below)[0]
                .as_ref()
                .is_err_and(|fault| fault.starts_with("parent: "))
        );
        // A whole tree that would be too deep in its new place.
        all(db, r#"{"kind":"customer","id":200,"name":"Above"}"#);
        let moved = r#"{"kind":"customer","id":1,"parent":200}"#;
        assert!(
            run(db, moved)[0]
                .as_ref()
                .is_err_and(|fault| fault.starts_with("parent: "))
        );
        all(db, r#"{"kind":"customer","id":2,"parent":200}"#);
    });
}

#[test]
fn a_system_role_may_be_said_again() {
    each_database(&SCHEMA, |db| {
        let before = revision(db);
        all(
            db,
            r#"
{"kind":"role","scope":"ENVIRONMENT","name":"ADMIN","permissions":{"MESSAGE":"CRUD"}}
{"kind":"role","scope":"ENVIRONMENT","name":"ADMIN","permissions":{"MESSAGE":"R"}}
{"kind":"role","scope":"ENVIRONMENT","name":"USER"}
"#,
        );
        assert_eq!(revision(db), before);
    });
}

#[test]
fn a_password_that_was_not_hashed_does_not_get_in() {
    each_database(&SCHEMA, |db| {
        let entry =
            entries(r#"{"kind":"user","id":"u-x","login":"x","name":"X","password":"correct horse"}"#).remove(0);
        let error = db.write(move |tx| directory::apply(tx, &entry, NOW)).unwrap_err();
        assert!(matches!(error, Error::Store(_)), "{error}");
    });
}

#[test]
fn unknown_kinds_and_fields_are_no_entries() {
    let bad = [
        r#"{"kind":"tenant","id":1}"#,
        r#"{"kind":"user","id":"u","phone":"1"}"#,
        r#"{"kind":"api","id":"a","owner":"u"}"#,
        r#"{"kind":"customer","id":"17"}"#,
        r#"{"kind":"customer","id":1.5}"#,
        r#"{"kind":"membership","user":"u","role":"USER"}"#,
        r#"{"kind":"membership","user":"u","on":{"planet":"x"},"role":"USER"}"#,
        r#"{"kind":"membership","user":"u","on":{"api":"a","group":"g"},"role":"USER"}"#,
        r#"{"kind":"subscription","id":"s","status":"Accepted"}"#,
        r#"{"kind":"subscription","id":"s","starting_at":"2026-01-01"}"#,
        r#"{"kind":"user","id":"u","asm_role":"Root"}"#,
        r#"{"kind":"remove","of":"planet","id":"x"}"#,
        r#"{"kind":"remove","of":"user"}"#,
        r#"{"kind":"remove","of":"user","id":"u","login":"u"}"#,
        r#"{"id":1}"#,
        r"[]",
    ];
    for line in bad {
        assert!(serde_json::from_str::<directory::Entry>(line).is_err(), "{line}");
    }
}
