//! What a sender can pick: theirs, found by its beginning, and never by an address.

use campanile_core::Error;
use campanile_core::directory::addressable::{self, Addressable, Choices, Search};
use campanile_core::directory::list;
use campanile_core::id::PersonId;
use campanile_core::rights::Rights;
use campanile_core::schema::SCHEMA;
use campanile_store::testing::{TestDb, each_database};

use crate::world::{BASE, all};

/// An administrator of DEFAULT, an owner of an API, a customer administrator and one without rights.
const SENDERS: &str = r#"
{"kind":"environment","id":"ACC","name":"Acceptance"}
{"kind":"customer","id":18,"name":"North","parent":17}
{"kind":"customer","id":19,"name":"Acme East","parent":18}
{"kind":"customer","id":40,"name":"Acorn"}
{"kind":"api","id":"payments","name":"Toll","environment":"TEST"}
{"kind":"user","id":"u-env","login":"env","name":"Zoe"}
{"kind":"user","id":"u-api","login":"api","name":"Bob Marsh"}
{"kind":"user","id":"u-top","login":"top","name":"Top","customer":17,"asm_role":"CustomerAdmin"}
{"kind":"user","id":"u-none","login":"none","name":"None","email":"bobby@example.com"}
{"kind":"membership","user":"u-env","on":{"environment":"TEST"},"role":"ADMIN"}
{"kind":"membership","user":"u-api","on":{"api":"payments"},"role":"PRIMARY_OWNER"}
"#;

fn ask(db: &TestDb, who: &'static str, kind: Addressable, q: &str, limit: Option<i64>) -> Result<Choices, Error> {
    let search = Search {
        q: Some(q.to_owned()),
        limit,
    };
    db.read(move |tx| {
        let person = PersonId(list::user(tx, who)?.number);
        let rights = Rights::load(tx, person)?;
        addressable::choices(tx, &rights, kind, &search)
    })
}

/// Ids with their details.
fn found(db: &TestDb, who: &'static str, kind: Addressable, q: &str) -> Vec<String> {
    let choices = ask(db, who, kind, q, None).expect("it may be asked");
    let shown = |choice: addressable::Choice| match choice.detail {
        Some(detail) => format!("{}: {} ({detail})", choice.id, choice.name),
        None => format!("{}: {}", choice.id, choice.name),
    };
    choices.items.into_iter().map(shown).collect()
}

fn each_directory(test: impl Fn(&TestDb)) {
    each_database(&SCHEMA, |db| {
        all(db, BASE);
        all(db, SENDERS);
        test(db);
    });
}

const NOTHING: [&str; 0] = [];

#[test]
fn people_are_found_by_login_and_name_and_not_by_address() {
    each_directory(|db| {
        let bobs = ["u-bob: Bob (bob)", "u-api: Bob Marsh (api)"];
        assert_eq!(found(db, "u-env", Addressable::People, " BOB"), bobs);
        assert_eq!(found(db, "u-env", Addressable::People, "bobby@"), NOTHING);
        let json = serde_json::to_string(&ask(db, "u-env", Addressable::People, "", None).expect("it may be asked"));
        let json = json.expect("it is JSON");
        assert!(json.contains("u-none") && !json.contains('@'), "{json}");
    });
}

#[test]
fn who_has_left_is_not_offered() {
    each_directory(|db| {
        // Bob is the only administrator, and somebody stays.
        let next = r#"{"kind":"membership","user":"u-none","on":{"organization":"DEFAULT"},"role":"ADMIN"}"#;
        all(db, next);
        all(db, r#"{"kind":"remove","of":"user","id":"u-bob"}"#);
        assert_eq!(
            found(db, "u-env", Addressable::People, "bob"),
            ["u-api: Bob Marsh (api)"]
        );
    });
}

#[test]
fn who_may_not_find_people_finds_neither_people_nor_groups() {
    each_directory(|db| {
        for who in ["u-api", "u-top", "u-none"] {
            for kind in [Addressable::People, Addressable::Groups] {
                let outcome = ask(db, who, kind, "", None);
                assert!(matches!(outcome, Err(Error::Denied(_))), "{who}, {kind:?}: {outcome:?}");
            }
        }
    });
}

#[test]
fn groups_are_found_by_id_and_name() {
    each_directory(|db| {
        assert_eq!(
            found(db, "u-env", Addressable::Groups, "g-"),
            ["g-1: Team", "g-2: Crew"]
        );
        assert_eq!(found(db, "u-env", Addressable::Groups, "cr"), ["g-2: Crew"]);
    });
}

#[test]
fn environments_are_those_that_one_may_send_to() {
    each_directory(|db| {
        assert_eq!(found(db, "u-env", Addressable::Environments, ""), ["TEST: Test"]);
        assert_eq!(found(db, "u-env", Addressable::Environments, "def"), NOTHING);
        assert_eq!(
            found(db, "u-bob", Addressable::Environments, "acc"),
            ["ACC: Acceptance"]
        );
        let all = ["ACC: Acceptance", "DEFAULT: Default", "TEST: Test"];
        assert_eq!(found(db, "u-bob", Addressable::Environments, ""), all);
        assert_eq!(found(db, "u-api", Addressable::Environments, ""), NOTHING);
    });
}

#[test]
fn apis_are_those_that_one_may_send_to() {
    each_directory(|db| {
        let payments = ["payments: Toll (TEST)"];
        assert_eq!(found(db, "u-api", Addressable::Apis, ""), payments);
        assert_eq!(found(db, "u-api", Addressable::Apis, "to"), payments);
        assert_eq!(found(db, "u-api", Addressable::Apis, "pe"), NOTHING);
        // An environment's right to send is none to the subscribers of its APIs.
        assert_eq!(found(db, "u-env", Addressable::Apis, ""), NOTHING);
        let all = ["payments: Toll (TEST)", "pets: Pets (DEFAULT)"];
        assert_eq!(found(db, "u-bob", Addressable::Apis, ""), all);
        assert_eq!(found(db, "u-bob", Addressable::Apis, "PETS"), ["pets: Pets (DEFAULT)"]);
    });
}

#[test]
fn customers_are_those_that_one_administers_with_their_way_from_there() {
    each_directory(|db| {
        let below = ["17: Acme", "18: North (Acme)", "19: Acme East (Acme / North)"];
        assert_eq!(found(db, "u-top", Addressable::Customers, ""), below);
        let named = ["17: Acme", "19: Acme East (Acme / North)"];
        assert_eq!(found(db, "u-top", Addressable::Customers, "ac"), named);
        assert_eq!(found(db, "u-top", Addressable::Customers, "18"), ["18: North (Acme)"]);
        assert_eq!(found(db, "u-top", Addressable::Customers, "40"), NOTHING);
        assert_eq!(found(db, "u-none", Addressable::Customers, ""), NOTHING);
        let root = [
            "17: Acme (Partner)",
            "19: Acme East (Partner / Acme / North)",
            "40: Acorn",
        ];
        assert_eq!(found(db, "u-bob", Addressable::Customers, "ac"), root);
    });
}

#[test]
fn a_customer_below_many_is_found_by_name_too() {
    each_directory(|db| {
        let one = |id| format!(r#"{{"kind":"customer","id":{id},"name":"Depot {id}","parent":18}}"#);
        let many: Vec<String> = (100..2_200).map(one).collect();
        // A part at a time: all at once, the last would wait for long.
        for part in many.chunks(300) {
            all(db, &part.join("\n"));
        }
        let found = found(db, "u-top", Addressable::Customers, "depot 210");
        assert_eq!(found[0], "210: Depot 210 (Acme / North)");
        assert_eq!(found.len(), 11);
        let choices = ask(db, "u-top", Addressable::Customers, "depot", Some(3)).expect("it may be asked");
        assert_eq!((choices.items.len(), choices.more), (3, true));
    });
}

#[test]
fn an_answer_says_whether_there_is_more() {
    each_directory(|db| {
        for (kind, all) in [
            (Addressable::People, 6),
            (Addressable::Groups, 2),
            (Addressable::Customers, 5),
            (Addressable::Apis, 2),
            (Addressable::Environments, 3),
        ] {
            let choices = ask(db, "u-bob", kind, "", Some(1)).expect("it may be asked");
            assert_eq!((choices.items.len(), choices.more), (1, true), "{kind:?}");
            let choices = ask(db, "u-bob", kind, "", Some(all)).expect("it may be asked");
            assert_eq!((choices.items.len() as i64, choices.more), (all, false), "{kind:?}");
        }
    });
}

#[test]
fn what_cannot_be_searched_is_refused_by_its_name() {
    each_directory(|db| {
        for kind in [Addressable::People, Addressable::Apis, Addressable::Environments] {
            for limit in [0, 51] {
                let refused = ask(db, "u-env", kind, "", Some(limit))
                    .expect_err("it cannot be asked")
                    .to_string();
                assert_eq!(refused, "limit: must be 1 to 50");
            }
            let refused = ask(db, "u-env", kind, &"x".repeat(201), None)
                .expect_err("it cannot be asked")
                .to_string();
            assert_eq!(refused, "q: at most 200 characters");
        }
    });
}
