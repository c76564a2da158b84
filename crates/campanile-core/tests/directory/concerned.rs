//! Whom a change of the directory concerns, on random directories: nobody else holds anything else afterwards.

use campanile_core::audience::{Holding, concerned, holdings};
use campanile_core::directory::{Edit, Known};
use campanile_core::id::PersonId;
use campanile_core::schema::SCHEMA;
use campanile_store::sql;
use campanile_store::testing::{TestDb, each_database};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::world::{BASE, NOW, all, directory_revision, entries};

sql! {
    PEOPLE = "SELECT id FROM person ORDER BY id";
    // What a server does that does not know of extents.
    FORGET = "UPDATE tally SET value = (SELECT MAX(value) FROM tally WHERE name = 'revision') WHERE name = 'directory'";
}

type Held = Vec<(PersonId, Vec<Holding>)>;

/// What everybody holds, and the revision of the directory.
fn look(db: &TestDb) -> (i64, Held) {
    let held = db.read(|tx| {
        let people = tx.rows(&PEOPLE, &[], |row| Ok(PersonId(row.get(0)?)))?;
        let mut held = Vec::new();
        for person in people {
            let mut holds = holdings(tx, person)?;
            holds.sort_unstable_by_key(|holding| format!("{holding:?}"));
            held.push((person, holds));
        }
        Ok::<_, campanile_core::Error>(held)
    });
    (directory_revision(db), held.expect("what people hold can be read"))
}

/// A line that changes something, or would.
fn line() -> impl Strategy<Value = String> {
    let user = || prop_oneof![Just("u-ann"), Just("u-bob"), Just("u-eve")];
    let on = || {
        prop_oneof![
            Just(r#""on":{"environment":"DEFAULT"},"role":"USER""#),
            Just(r#""on":{"group":"g-1"},"role":"USER","scope":"APPLICATION""#),
            Just(r#""on":{"group":"g-2"},"role":"OWNER","scope":"APPLICATION""#),
            Just(r#""on":{"application":"app-1"},"role":"OWNER""#),
            Just(r#""on":{"api":"pets"},"role":"USER""#),
        ]
    };
    let customer = || prop_oneof![Just("3"), Just("17"), Just("null")];
    let groups = || prop_oneof![Just(r#""g-1""#), Just(r#""g-2""#), Just(r#""g-1","g-2""#), Just("")];
    prop_oneof![
        4 => (user(), on()).prop_map(|(user, on)| format!(r#"{{"kind":"membership","user":"{user}",{on}}}"#)),
        4 => (user(), on())
            .prop_map(|(user, on)| format!(r#"{{"kind":"remove","of":"membership","user":"{user}",{on}}}"#)),
        3 => (user(), customer()).prop_map(|(user, customer)| {
            format!(r#"{{"kind":"user","id":"{user}","login":"{user}","name":"N","customer":{customer}}}"#)
        }),
        1 => Just(r#"{"kind":"remove","of":"user","id":"u-eve"}"#.to_owned()),
        5 => groups().prop_map(|groups| {
            let shop = r#""kind":"application","id":"app-1","name":"Shop","environment":"DEFAULT""#;
            format!(r#"{{{shop},"groups":[{groups}]}}"#)
        }),
        2 => prop_oneof![3 => Just("ACCEPTED"), 1 => Just("PAUSED")].prop_map(|status| {
            let shops = r#""kind":"subscription","id":"s-1","api":"pets","application":"app-1""#;
            format!(r#"{{{shops},"status":"{status}","subscribed_by":"u-ann"}}"#)
        }),
        1 => prop_oneof![Just("3"), Just("null")]
            .prop_map(|parent| format!(r#"{{"kind":"customer","id":17,"name":"Acme","parent":{parent}}}"#)),
        1 => Just(r#"{"kind":"group","id":"g-3","name":"New"}"#.to_owned()),
    ]
}

/// Applies lines under one revision; what is refused changes nothing.
fn change(db: &TestDb, lines: &[String]) {
    let entries = entries(&lines.join("\n"));
    let applied = db.write(move |tx| Edit::begin(tx, Known::default(), NOW)?.apply_as_one(&entries));
    if let Err(error) = applied {
        assert!(matches!(error, campanile_core::Error::Invalid(_)), "{error:?}");
    }
}

#[derive(Default)]
struct Told {
    some: u32,
    anybody: u32,
}

/// Compares with what was held before, and some changes before that.
fn compare(db: &TestDb, before: &[(i64, Held)], told: &mut Told) {
    let (_, now) = look(db);
    for (since, held) in before {
        let since = *since;
        let Some(people) = db.read(move |tx| concerned(tx, since)).expect("it can be told") else {
            told.anybody += 1;
            continue;
        };
        told.some += 1;
        for (person, held) in held.iter().filter(|(person, _)| !people.contains(person)) {
            let holds = now.iter().find(|(other, _)| other == person).map(|(_, holds)| holds);
            assert_eq!(holds, Some(held), "{person} since {since}, where {people:?} were told");
        }
    }
}

#[test]
fn who_is_not_concerned_holds_what_they_held() {
    each_database(&SCHEMA, |db| {
        all(db, BASE);
        let config = Config {
            cases: 80,
            failure_persistence: None,
            ..Config::default()
        };
        let random = TestRng::from_seed(RngAlgorithm::ChaCha, &[23; 32]);
        let told = std::cell::RefCell::new(Told::default());
        let changes = prop::collection::vec(prop::collection::vec(line(), 1..3), 1..6);
        TestRunner::new_with_rng(config, random)
            .run(&changes, |changes| {
                let mut before = Vec::new();
                for lines in changes {
                    before.push(look(db));
                    change(db, &lines);
                    compare(db, &before, &mut told.borrow_mut());
                }
                Ok(())
            })
            .expect("it is no fault");
        let told = told.into_inner();
        assert!(
            told.some > 50 && told.anybody > 50,
            "{} and {}",
            told.some,
            told.anybody
        );
    });
}

#[test]
fn what_a_server_of_an_earlier_version_changed_concerns_anybody() {
    each_database(&SCHEMA, |db| {
        all(db, BASE);
        let member = r#"{"kind":"membership","user":"u-bob","on":{"environment":"DEFAULT"},"role":"USER"}"#;
        let first = directory_revision(db);
        all(db, member);
        let told = |since| db.read(move |tx| concerned(tx, since)).expect("it can be told");
        assert!(told(first).is_some());

        db.write(|tx| {
            campanile_core::revision::take(tx, NOW)?;
            Ok::<_, campanile_core::Error>(())
        })
        .expect("a revision can be taken");
        db.write(|tx| tx.execute(&FORGET, &[])).expect("the statement is good");
        let theirs = directory_revision(db);
        assert!(told(first).is_none(), "their change is the last");
        all(db, &member.replace("u-bob", "u-ann").replace("USER", "ADMIN"));
        assert!(told(first).is_none(), "and was between");
        assert!(told(theirs).is_some());
    });
}
