//! What entries make of the directory.

use Applied::{Changed, Created, Unchanged};
use campanile_core::account::{password, session};
use campanile_core::directory::{self, Applied, CUSTOMER_LIMIT, Edit, Entry, Known, entry::Secret};
use campanile_core::id::PersonId;
use campanile_core::schema::SCHEMA;
use campanile_store::sql;
use campanile_store::testing::{TestDb, each_database};

use crate::world::{BASE, NOW, all, directory_revision, empty_intervals, entries, number, one, revision};

sql! {
    CHANGED = "SELECT changed FROM person WHERE key = 'u-ann'";
    OPEN_FACTS = "SELECT COUNT(*) FROM (
        SELECT until FROM membership WHERE place IN (3, 4) UNION ALL SELECT until FROM attachment
        UNION ALL SELECT until FROM term UNION ALL SELECT until FROM life WHERE kind = 7) f
        WHERE f.until = 9223372036854775807";
    ENDED_AT = "SELECT COUNT(*) FROM (
        SELECT until FROM membership UNION ALL SELECT until FROM attachment
        UNION ALL SELECT until FROM term UNION ALL SELECT until FROM life) f WHERE f.until = $1";
    FACTS = "SELECT COUNT(*) FROM (
        SELECT since FROM life UNION ALL SELECT since FROM membership UNION ALL SELECT since FROM residence
        UNION ALL SELECT since FROM parentage UNION ALL SELECT since FROM lineage
        UNION ALL SELECT since FROM attachment UNION ALL SELECT since FROM term) f";
    SINCE = "SELECT COUNT(*) FROM (
        SELECT since FROM life UNION ALL SELECT since FROM membership UNION ALL SELECT since FROM residence
        UNION ALL SELECT since FROM parentage UNION ALL SELECT since FROM lineage
        UNION ALL SELECT since FROM attachment UNION ALL SELECT since FROM term) f WHERE f.since = $1";
    TERMS = "SELECT COUNT(*) FROM term";
    PHC = "SELECT password FROM person WHERE key = 'u-ann'";
    GUIDS = "SELECT guid FROM person ORDER BY id";
}

/// A line, and a line that changes what it said.
const CHANGES: [(&str, &str); 10] = [
    (
        r#"{"kind":"customer","id":40,"name":"New"}"#,
        r#"{"kind":"customer","id":40,"name":"Newer"}"#,
    ),
    (
        r#"{"kind":"customer","id":41,"name":"Child","parent":17}"#,
        r#"{"kind":"customer","id":41,"name":"Child","parent":3}"#,
    ),
    (
        r#"{"kind":"environment","id":"E2","name":"Two"}"#,
        r#"{"kind":"environment","id":"E2","name":"Zwei"}"#,
    ),
    (
        r#"{"kind":"user","id":"u-c","login":"c","name":"C","email":"c@example.com","customer":3,"locale":"en"}"#,
        r#"{"kind":"user","id":"u-c","login":"c","name":"C","email":"c@example.com","customer":17,"locale":"en"}"#,
    ),
    (
        r#"{"kind":"role","scope":"API","name":"HELPER","permissions":{"MEMBER":"RU","MESSAGE":"C"}}"#,
        r#"{"kind":"role","scope":"API","name":"HELPER","permissions":{"MEMBER":"RUD"}}"#,
    ),
    (
        r#"{"kind":"group","id":"g-3","name":"Three"}"#,
        r#"{"kind":"group","id":"g-3","name":"Drei"}"#,
    ),
    (
        r#"{"kind":"api","id":"birds","name":"Birds","environment":"TEST","groups":["g-1","g-2"]}"#,
        r#"{"kind":"api","id":"birds","name":"Birds","environment":"TEST","groups":["g-2"]}"#,
    ),
    (
        r#"{"kind":"application","id":"app-2","name":"Till","environment":"TEST"}"#,
        r#"{"kind":"application","id":"app-2","name":"Till","environment":"TEST","groups":["g-2"]}"#,
    ),
    (
        r#"{"kind":"subscription","id":"s-2","api":"pets","application":"app-1","status":"PENDING"}"#,
        r#"{"kind":"subscription","id":"s-2","api":"pets","application":"app-1","status":"ACCEPTED"}"#,
    ),
    (
        r#"{"kind":"membership","user":"u-ann","on":{"group":"g-2"},"role":"OWNER","scope":"API"}"#,
        r#"{"kind":"remove","of":"membership","user":"u-ann","on":{"group":"g-2"},"role":"OWNER","scope":"API"}"#,
    ),
];

#[test]
fn every_kind_is_created_then_unchanged_then_changed() {
    each_database(&SCHEMA, |db| {
        all(db, BASE);
        for (first, second) in CHANGES {
            let before = revision(db);
            assert_eq!(one(db, first), Created, "{first}");
            assert_eq!(revision(db), before + 1, "{first}");
            assert_eq!(one(db, first), Unchanged, "{first}");
            assert_eq!(revision(db), before + 1, "{first}");
            assert_eq!(one(db, second), Changed, "{second}");
            assert_eq!(one(db, second), Unchanged, "{second}");
            assert_eq!(revision(db), before + 2, "{second}");
            assert_eq!(directory_revision(db), before + 2);
        }
    });
}

#[test]
fn a_file_imported_again_changes_nothing() {
    each_database(&SCHEMA, |db| {
        assert!(all(db, BASE).iter().all(|applied| *applied == Created));
        let (before, facts) = (revision(db), number(db, &FACTS, None));
        assert!(all(db, BASE).iter().all(|applied| *applied == Unchanged));
        assert_eq!((revision(db), number(db, &FACTS, None)), (before, facts));
    });
}

#[test]
fn what_ends_is_gone_and_comes_back_by_the_same_line() {
    let ends = [
        (
            r#"{"kind":"remove","of":"membership","user":"u-ann","on":{"environment":"DEFAULT"},"role":"USER"}"#,
            r#"{"kind":"membership","user":"u-ann","on":{"environment":"DEFAULT"},"role":"USER"}"#,
        ),
        (
            r#"{"kind":"remove","of":"user","id":"u-ann"}"#,
            r#"{"kind":"user","id":"u-ann","login":"ann","name":"Ann Lee"}"#,
        ),
        (
            r#"{"kind":"remove","of":"customer","id":18}"#,
            r#"{"kind":"customer","id":18,"name":"Leaf","parent":17}"#,
        ),
        (
            r#"{"kind":"remove","of":"environment","id":"TEST"}"#,
            r#"{"kind":"environment","id":"TEST","name":"Test"}"#,
        ),
        (
            r#"{"kind":"remove","of":"role","scope":"ENVIRONMENT","name":"AUDITOR"}"#,
            r#"{"kind":"role","scope":"ENVIRONMENT","name":"AUDITOR","permissions":{"MESSAGE":"R"}}"#,
        ),
        (
            r#"{"kind":"remove","of":"subscription","id":"s-1"}"#,
            r#"{"kind":"subscription","id":"s-1","api":"pets","application":"app-1","status":"ACCEPTED"}"#,
        ),
        (
            r#"{"kind":"remove","of":"group","id":"g-1"}"#,
            r#"{"kind":"group","id":"g-1","name":"Team"}"#,
        ),
        (
            r#"{"kind":"remove","of":"application","id":"app-1"}"#,
            r#"{"kind":"application","id":"app-1","name":"Shop","environment":"DEFAULT"}"#,
        ),
        (
            r#"{"kind":"remove","of":"api","id":"pets"}"#,
            r#"{"kind":"api","id":"pets","name":"Pets","environment":"DEFAULT"}"#,
        ),
    ];
    each_database(&SCHEMA, |db| {
        all(db, BASE);
        all(db, r#"{"kind":"customer","id":18,"name":"Leaf","parent":17}"#);
        for (end, begin) in ends {
            let before = revision(db);
            assert_eq!(one(db, end), Changed, "{end}");
            assert_eq!(one(db, end), Unchanged, "{end}");
            assert_eq!(one(db, begin), Created, "{begin}");
            assert_eq!(one(db, begin), Unchanged, "{begin}");
            assert_eq!(revision(db), before + 2, "{end}");
        }
        assert_eq!(empty_intervals(db), 0);
    });
}

#[test]
fn a_returning_user_has_what_they_had() {
    each_database(&SCHEMA, |db| {
        all(db, BASE);
        one(db, r#"{"kind":"remove","of":"user","id":"u-ann"}"#);
        one(db, r#"{"kind":"user","id":"u-ann"}"#);
        let ann = db.read(|tx| directory::list::user(tx, "u-ann")).unwrap();
        assert!(ann.active);
        assert_eq!((ann.login.as_str(), ann.customer), ("ann", Some(17)));
        let held = r#"{"kind":"membership","user":"u-ann","on":{"environment":"DEFAULT"},"role":"USER"}"#;
        assert_eq!(one(db, held), Unchanged);
    });
}

#[test]
fn an_absent_field_stays_and_null_clears_it() {
    each_database(&SCHEMA, |db| {
        all(db, BASE);
        let ann = |db: &TestDb| db.read(|tx| directory::list::user(tx, "u-ann")).unwrap();
        let before = ann(db);
        assert_eq!(one(db, r#"{"kind":"user","id":"u-ann","name":"Ann B. Lee"}"#), Changed);
        let after = ann(db);
        assert_eq!(
            (after.email, after.customer, after.locale),
            (before.email, before.customer, before.locale)
        );
        let clear = r#"{"kind":"user","id":"u-ann","email":null,"customer":null,"locale":null,"asm_role":null}"#;
        assert_eq!(one(db, clear), Changed);
        let after = ann(db);
        assert_eq!((after.email, after.customer, after.locale), (None, None, None));
        assert_eq!(after.name, "Ann B. Lee");
        one(
            db,
            r#"{"kind":"subscription","id":"s-1","ending_at":"2026-01-01T00:00:00Z"}"#,
        );
        let term = db.read(|tx| directory::list::subscription(tx, "s-1")).unwrap();
        assert_eq!(term.subscribed_by.as_deref(), Some("u-ann"));
        one(
            db,
            r#"{"kind":"subscription","id":"s-1","ending_at":null,"subscribed_by":null}"#,
        );
        let term = db.read(|tx| directory::list::subscription(tx, "s-1")).unwrap();
        assert_eq!((term.ending_at, term.subscribed_by), (None, None));
        assert_eq!(one(db, r#"{"kind":"api","id":"pets","groups":null}"#), Changed);
        assert_eq!(one(db, r#"{"kind":"api","id":"pets","groups":[]}"#), Unchanged);
        assert_eq!(one(db, r#"{"kind":"customer","id":17,"parent":null}"#), Changed);
    });
}

#[test]
fn a_change_of_a_subscription_begins_a_new_term() {
    each_database(&SCHEMA, |db| {
        all(db, BASE);
        let changes = [
            r#"{"kind":"subscription","id":"s-1","status":"PAUSED"}"#,
            r#"{"kind":"subscription","id":"s-1","subscribed_by":"u-bob"}"#,
            r#"{"kind":"subscription","id":"s-1","starting_at":"2026-01-01T00:00:00Z"}"#,
            r#"{"kind":"subscription","id":"s-1","ending_at":"2027-01-01T00:00:00Z"}"#,
        ];
        for (at, change) in changes.iter().enumerate() {
            assert_eq!(one(db, change), Changed);
            assert_eq!(number(db, &TERMS, None), at as i64 + 2);
        }
        assert_eq!(
            one(db, r#"{"kind":"subscription","id":"s-1","status":"PAUSED"}"#),
            Unchanged
        );
    });
}

#[test]
fn what_rests_on_a_removed_thing_ends_in_the_same_revision() {
    each_database(&SCHEMA, |db| {
        all(db, BASE);
        one(db, r#"{"kind":"remove","of":"api","id":"pets"}"#);
        // Its life, Ann's membership, the group, the term and the life of the subscription.
        assert_eq!(number(db, &ENDED_AT, Some(revision(db))), 5);
        one(db, r#"{"kind":"remove","of":"application","id":"app-1"}"#);
        // Its life, Bob's membership and the group; the subscription had ended.
        assert_eq!(number(db, &ENDED_AT, Some(revision(db))), 3);
        assert_eq!(number(db, &OPEN_FACTS, None), 0);
        one(db, r#"{"kind":"remove","of":"group","id":"g-1"}"#);
        assert_eq!(number(db, &ENDED_AT, Some(revision(db))), 2);
    });
}

#[test]
fn a_removed_environment_takes_its_memberships_along() {
    each_database(&SCHEMA, |db| {
        all(db, BASE);
        one(
            db,
            r#"{"kind":"membership","user":"u-bob","on":{"environment":"TEST"},"role":"ADMIN"}"#,
        );
        one(db, r#"{"kind":"remove","of":"environment","id":"TEST"}"#);
        assert_eq!(number(db, &ENDED_AT, Some(revision(db))), 2);
        one(db, r#"{"kind":"environment","id":"TEST","name":"Test"}"#);
        let page = db
            .read(|tx| directory::list::memberships(tx, &on_test(), &directory::list::Paging::default()))
            .unwrap();
        assert_eq!(page.items, []);
    });
}

fn on_test() -> directory::list::MembershipFilter {
    directory::list::MembershipFilter::Place {
        on: directory::entry::On::Environment("TEST".into()),
        scope: None,
        role: None,
    }
}

#[test]
fn deactivated_people_leave_a_customer_that_is_removed() {
    each_database(&SCHEMA, |db| {
        all(db, BASE);
        one(db, r#"{"kind":"remove","of":"user","id":"u-ann"}"#);
        one(db, r#"{"kind":"remove","of":"customer","id":17}"#);
        assert_eq!(number(db, &CHANGED, None), revision(db));
        one(db, r#"{"kind":"user","id":"u-ann"}"#);
        let ann = db.read(|tx| directory::list::user(tx, "u-ann")).unwrap();
        assert_eq!(ann.customer, None);
    });
}

#[test]
fn what_begins_and_ends_in_one_revision_was_never_there() {
    let lines = r#"
{"kind":"membership","user":"u-bob","on":{"environment":"DEFAULT"},"role":"USER"}
{"kind":"remove","of":"membership","user":"u-bob","on":{"environment":"DEFAULT"},"role":"USER"}
{"kind":"user","id":"u-bob","customer":3}
{"kind":"user","id":"u-bob","customer":17}
{"kind":"user","id":"u-bob","customer":null}
{"kind":"customer","id":50,"name":"Brief","parent":17}
{"kind":"customer","id":50,"parent":3}
{"kind":"remove","of":"customer","id":50}
{"kind":"group","id":"g-9","name":"Brief"}
{"kind":"membership","user":"u-bob","on":{"group":"g-9"},"role":"USER","scope":"API"}
{"kind":"application","id":"app-1","groups":["g-1","g-9"]}
{"kind":"remove","of":"group","id":"g-9"}
{"kind":"api","id":"brief","name":"Brief","environment":"DEFAULT","groups":["g-1"]}
{"kind":"subscription","id":"s-9","api":"brief","application":"app-1","status":"PENDING"}
{"kind":"subscription","id":"s-9","status":"ACCEPTED"}
{"kind":"membership","user":"u-bob","on":{"api":"brief"},"role":"USER"}
{"kind":"remove","of":"api","id":"brief"}
{"kind":"environment","id":"E9","name":"Brief"}
{"kind":"membership","user":"u-bob","on":{"environment":"E9"},"role":"USER"}
{"kind":"remove","of":"environment","id":"E9"}
"#;
    each_database(&SCHEMA, |db| {
        all(db, BASE);
        let (before, facts) = (revision(db), number(db, &FACTS, None));
        let changes = entries(lines);
        db.write(move |tx| Edit::begin(tx, Known::default(), NOW)?.apply_as_one(&changes))
            .unwrap();
        assert_eq!(revision(db), before + 1);
        assert_eq!(number(db, &SINCE, Some(before + 1)), 0);
        assert_eq!(number(db, &FACTS, None), facts);
        assert_eq!(number(db, &ENDED_AT, Some(before + 1)), 0);
    });
}

#[test]
fn whatever_changes_of_a_person_moves_their_revision() {
    each_database(&SCHEMA, |db| {
        all(db, BASE);
        let changes = [
            r#"{"kind":"user","id":"u-ann","email":"ann@example.org"}"#,
            r#"{"kind":"user","id":"u-ann","customer":3}"#,
            r#"{"kind":"user","id":"u-ann","asm_role":"CustomerAdmin"}"#,
            r#"{"kind":"remove","of":"user","id":"u-ann"}"#,
            r#"{"kind":"user","id":"u-ann"}"#,
        ];
        for change in changes {
            one(db, change);
            assert_eq!(number(db, &CHANGED, None), revision(db), "{change}");
        }
    });
}

#[test]
fn a_login_is_free_again_when_its_user_has_another() {
    each_database(&SCHEMA, |db| {
        all(db, BASE);
        // In another case of letters it is still the user's own.
        assert_eq!(one(db, r#"{"kind":"user","id":"u-ann","login":"ANN"}"#), Changed);
        assert_eq!(one(db, r#"{"kind":"user","id":"u-ann","login":"ann2"}"#), Changed);
        assert_eq!(one(db, r#"{"kind":"user","id":"u-bob","login":"Ann"}"#), Changed);
    });
}

#[test]
fn customers_without_an_id_get_one_above_those_given() {
    each_database(&SCHEMA, |db| {
        all(db, BASE);
        let id = db.write(directory::next_customer_id).unwrap();
        assert_eq!(id, 18);
        // The greatest that may be given leaves room.
        let line = format!(r#"{{"kind":"customer","id":{CUSTOMER_LIMIT},"name":"Last"}}"#);
        assert_eq!(one(db, &line), Created);
        let id = db.write(directory::next_customer_id).unwrap();
        assert_eq!(id, CUSTOMER_LIMIT + 1);
        assert_eq!(
            one(db, &format!(r#"{{"kind":"customer","id":{id},"name":"Next"}}"#)),
            Created
        );
    });
}

#[test]
fn guids_are_of_version_8_and_differ() {
    each_database(&SCHEMA, |db| {
        all(db, BASE);
        let guids: Vec<String> = db.read(|tx| tx.rows(&GUIDS, &[], |row| row.get(0))).unwrap();
        assert_eq!(guids.len(), 2);
        assert_ne!(guids[0][9..], guids[1][9..]);
        for guid in &guids {
            let lengths: Vec<usize> = guid.split('-').map(str::len).collect();
            assert_eq!(lengths, [8, 4, 4, 4, 12], "{guid}");
            assert_eq!(guid.as_bytes()[14], b'8');
            assert!("89AB".contains(char::from(guid.as_bytes()[19])), "{guid}");
        }
    });
}

/// Hashes the password of a user and applies the entry.
fn with_password(db: &TestDb, line: &str) -> Applied {
    let mut entry = entries(line).remove(0);
    let stored = db.read(|tx| directory::stored(tx, "u-ann")).expect("it is no fault");
    directory::prepare(&mut entry, stored.as_ref(), &[7; 16]).expect("it is no fault");
    db.write(move |tx| directory::apply(tx, &entry, NOW))
        .expect("it is no fault")
}

#[test]
fn a_password_is_set_once_and_ends_sessions() {
    each_database(&SCHEMA, |db| {
        all(db, BASE);
        let line = r#"{"kind":"user","id":"u-ann","password":"correct horse"}"#;
        db.jot(|tx| {
            let origin = session::Origin { agent: "", address: "" };
            session::open(tx, PersonId(1), origin, &[1; 32], NOW, 60_000)
        })
        .unwrap();
        assert_eq!(with_password(db, line), Changed);
        assert_eq!(db.read(|tx| session::list(tx, PersonId(1), NOW)).unwrap().len(), 0);
        let phc = |db: &TestDb| {
            db.read(|tx| tx.one(&PHC, &[], |row| row.get::<Option<String>>(0)))
                .unwrap()
        };
        assert!(password::verify("correct horse", &phc(db).unwrap()));
        assert_eq!(with_password(db, line), Unchanged);
        assert_eq!(
            with_password(db, r#"{"kind":"user","id":"u-ann","password":null}"#),
            Changed
        );
        assert_eq!(phc(db), None);
    });
}

#[test]
fn a_bad_password_is_refused_before_any_transaction() {
    let mut entry = entries(r#"{"kind":"user","id":"u-ann","login":"ann.lee.1","password":"ANN.lee.1"}"#).remove(0);
    let error = directory::prepare(&mut entry, None, &[7; 16]).unwrap_err();
    assert_eq!(error.to_string(), "password: must not be the login");
}

#[test]
fn a_password_does_not_show() {
    let entry = &entries(r#"{"kind":"user","id":"u-ann","password":"correct horse"}"#)[0];
    assert!(!format!("{entry:?}").contains("horse"));
    assert!(!serde_json::to_string(entry).unwrap().contains("horse"));
    assert!(matches!(entry, Entry::User(user) if user.password.value() == Some(&Secret("correct horse".into()))));
}
